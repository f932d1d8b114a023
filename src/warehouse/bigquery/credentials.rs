//! Who Pipewright is to Google: a key file, the application's default credentials, or nobody for an emulator.
//!
//! The order is that of Google's own clients (<https://google.aip.dev/auth/4110>): what the manifest names, what
//! `GOOGLE_APPLICATION_CREDENTIALS` names, what `gcloud auth application-default login` left, the metadata server of
//! a machine of Google's. Nothing of it is ever printed.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;
use yup_oauth2::authenticator::{ApplicationDefaultCredentialsTypes, DefaultAuthenticator};
use yup_oauth2::{
    ApplicationDefaultCredentialsAuthenticator, ApplicationDefaultCredentialsFlowOpts,
    AuthorizedUserAuthenticator, ExternalAccountAuthenticator, ServiceAccountAuthenticator,
};

use super::error::{ApiError, deepest};
use crate::diag::{Code, Diagnostic};

/// What a token is to be good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Service {
    /// Jobs and tables.
    BigQuery,
    /// Files that are read.
    Storage,
}

impl Service {
    /// Its scope and no other: who reads no files there is not asked to allow it.
    fn scopes(self) -> [&'static str; 1] {
        match self {
            Self::BigQuery => ["https://www.googleapis.com/auth/bigquery"],
            Self::Storage => ["https://www.googleapis.com/auth/devstorage.read_only"],
        }
    }
}

/// How long a token is waited for.
const PATIENCE: Duration = Duration::from_secs(60);

/// Which files are.
const UNDERSTOOD: &str = "a service account's key, what `gcloud auth application-default login` leaves and workload \
                          identity federation are understood";

/// Where credentials come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Origin {
    /// No credentials: an emulator on this machine.
    Nobody,
    /// A file of one of Google's forms.
    File(PathBuf),
    /// The metadata server.
    Machine,
}

impl Origin {
    /// Where they are to be found for a target.
    pub(super) fn of(root: &Path, named: Option<&str>, endpoint: Option<&str>) -> Self {
        if let Some(named) = named {
            return Self::File(root.join(named));
        }
        if endpoint.is_some_and(|endpoint| endpoint.starts_with("http://")) {
            return Self::Nobody;
        }
        if let Some(named) =
            std::env::var_os("GOOGLE_APPLICATION_CREDENTIALS").filter(|path| !path.is_empty())
        {
            return Self::File(named.into());
        }
        let gcloud = std::env::var_os("CLOUDSDK_CONFIG").map(PathBuf::from).or_else(|| {
            let folder = if cfg!(windows) { ("APPDATA", "gcloud") } else { ("HOME", ".config/gcloud") };
            std::env::var_os(folder.0).map(|base| PathBuf::from(base).join(folder.1))
        });
        match gcloud.map(|folder| folder.join("application_default_credentials.json")) {
            Some(file) if file.is_file() => Self::File(file),
            _ => Self::Machine,
        }
    }

    /// The way to tokens.
    ///
    /// # Errors
    /// A file that cannot be read or is of no known form.
    pub(super) async fn account(&self) -> Result<Account, Diagnostic> {
        match self {
            Self::Nobody => Ok(Account(None)),
            Self::Machine => {
                let options = ApplicationDefaultCredentialsFlowOpts::default();
                let made = match ApplicationDefaultCredentialsAuthenticator::builder(options).await {
                    ApplicationDefaultCredentialsTypes::InstanceMetadata(builder) => builder.build().await,
                    ApplicationDefaultCredentialsTypes::ServiceAccount(builder) => builder.build().await,
                };
                made.map(Account::from).map_err(|error| refused(&error.to_string()))
            }
            Self::File(path) => of_file(path).await,
        }
    }
}

/// What all of Google's forms have.
#[derive(Deserialize)]
struct Form {
    #[serde(rename = "type")]
    kind: String,
}

async fn of_file(path: &Path) -> Result<Account, Diagnostic> {
    let text = fs_err::read_to_string(path).map_err(|error| {
        refused(&error.to_string())
            .help("name the file with `credentials_file` or GOOGLE_APPLICATION_CREDENTIALS")
    })?;
    // What the parser says may quote the file.
    let malformed = || refused(&format!("{} is no file of credentials", path.display())).help(UNDERSTOOD);
    let form: Form = serde_json::from_str(&text).map_err(|_| malformed())?;
    let made = match form.kind.as_str() {
        "service_account" => {
            let key = yup_oauth2::parse_service_account_key(&text).map_err(|_| malformed())?;
            ServiceAccountAuthenticator::builder(key).build().await
        }
        "authorized_user" => {
            let secret = serde_json::from_str(&text).map_err(|_| malformed())?;
            AuthorizedUserAuthenticator::builder(secret).build().await
        }
        "external_account" => {
            let secret = serde_json::from_str(&text).map_err(|_| malformed())?;
            ExternalAccountAuthenticator::builder(secret).build().await
        }
        other => {
            let message = format!("{} has credentials of the type `{other}`", path.display());
            return Err(refused(&message).help(UNDERSTOOD));
        }
    };
    made.map(Account::from).map_err(|_| malformed())
}

fn refused(why: &str) -> Diagnostic {
    Diagnostic::error(Code::CredentialsRefused, format!("there are no credentials for BigQuery: {why}"))
}

/// Who asks. Tokens are kept until they are about to expire; an emulator asks for none.
pub(super) struct Account(Option<DefaultAuthenticator>);

impl From<DefaultAuthenticator> for Account {
    fn from(authenticator: DefaultAuthenticator) -> Self {
        Self(Some(authenticator))
    }
}

/// Which token is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token {
    /// The one that was granted last, while it lasts.
    Kept,
    /// Another than that.
    New,
}

impl Account {
    /// A token to ask with; nothing where none is asked for.
    ///
    /// # Errors
    /// That none was granted.
    pub(super) async fn token(&self, which: Token, of: Service) -> Result<Option<String>, ApiError> {
        let Some(authenticator) = &self.0 else { return Ok(None) };
        let asked = async {
            match which {
                Token::Kept => authenticator.token(&of.scopes()).await,
                Token::New => authenticator.force_refreshed_token(&of.scopes()).await,
            }
        };
        let token = match tokio::time::timeout(PATIENCE, asked).await {
            Ok(Ok(token)) => token,
            Ok(Err(error)) => return Err(not_granted(&error)),
            Err(_) => return Err(ApiError::unreachable("who grants tokens does not answer")),
        };
        match token.token() {
            Some(token) => Ok(Some(token.to_owned())),
            None => Err(ApiError::no_token("the answer has none")),
        }
    }
}

/// A refusal is told apart from an answer that did not come, which another try may bring.
fn not_granted(error: &yup_oauth2::Error) -> ApiError {
    use yup_oauth2::Error;
    match error {
        Error::AuthError(refusal) => ApiError::no_token(&refusal.to_string()),
        Error::HttpError(_) | Error::HttpClientError(_) => {
            ApiError::unreachable(&format!("who grants tokens cannot be reached: {}", deepest(error)))
        }
        // A gateway speaks no JSON.
        Error::JSONError(error) => ApiError::unreadable(error),
        other => ApiError::no_token(&other.to_string()),
    }
}
