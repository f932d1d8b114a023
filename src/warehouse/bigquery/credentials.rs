//! Who Pipewright is to Google: a file of credentials, a machine of Google's, or nobody for an emulator.
//!
//! The order is that of Google's own clients (<https://google.aip.dev/auth/4110>): what the manifest names, what
//! `GOOGLE_APPLICATION_CREDENTIALS` names, what `gcloud auth application-default login` left, the metadata server of
//! a machine of Google's. Nothing of it is ever printed.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::{Value, json};
use yup_oauth2::{ExternalAccountAuthenticator, ServiceAccountAuthenticator};

pub(super) use super::token::Service;
use super::token::{Account, Impersonation, Person, Source};
use crate::diag::{Code, Diagnostic};

/// Which files are.
const UNDERSTOOD: &str = "a service account's key, what `gcloud auth application-default login` leaves, with or without \
                          `--impersonate-service-account`, and workload identity federation are understood";

/// Where a machine of Google's asks for tokens.
const METADATA: &str = "metadata.google.internal";

/// The values of environment variables.
type Variables<'a> = &'a dyn Fn(&str) -> Option<OsString>;

/// Those of this process. A variable without a value is none.
fn own(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}

/// Where credentials come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Origin {
    /// No credentials: an emulator on this machine.
    Nobody,
    /// A file of one of Google's forms.
    File(PathBuf),
    /// The metadata server, by its host.
    Machine(String),
}

impl Origin {
    /// Where they are to be found for a target.
    pub(super) fn of(root: &Path, named: Option<&str>, endpoint: Option<&str>) -> Self {
        Self::among(root, named, endpoint, &own)
    }

    fn among(root: &Path, named: Option<&str>, endpoint: Option<&str>, variables: Variables<'_>) -> Self {
        if let Some(named) = named {
            return Self::File(root.join(named));
        }
        if endpoint.is_some_and(|endpoint| endpoint.to_ascii_lowercase().starts_with("http://")) {
            return Self::Nobody;
        }
        if let Some(named) = variables("GOOGLE_APPLICATION_CREDENTIALS") {
            return Self::File(named.into());
        }
        let gcloud = variables("CLOUDSDK_CONFIG").map(PathBuf::from).or_else(|| {
            let folder = if cfg!(windows) { ("APPDATA", "gcloud") } else { ("HOME", ".config/gcloud") };
            variables(folder.0).map(|base| PathBuf::from(base).join(folder.1))
        });
        match gcloud.map(|folder| folder.join("application_default_credentials.json")) {
            Some(file) if file.is_file() => Self::File(file),
            _ => {
                let other = variables("GCE_METADATA_HOST").and_then(|host| host.into_string().ok());
                Self::Machine(other.unwrap_or_else(|| METADATA.to_owned()))
            }
        }
    }

    /// The way to tokens.
    ///
    /// # Errors
    /// A file that cannot be read or is of no known form.
    pub(super) async fn account(&self) -> Result<Account, Diagnostic> {
        let quota = || own("GOOGLE_CLOUD_QUOTA_PROJECT").and_then(|project| project.into_string().ok());
        let found = match self {
            Self::Nobody => return Ok(Account::nobody()),
            Self::Machine(host) => {
                Found { source: Source::Machine(host.clone()), speaks_as: None, quota: None }
            }
            Self::File(path) => of_file(path).await?,
        };
        Account::new(found.source, found.speaks_as, quota().or(found.quota))
    }
}

/// What a file tells.
struct Found {
    source: Source,
    speaks_as: Option<Impersonation>,
    /// The project whose quota and bill requests count for.
    quota: Option<String>,
}

async fn of_file(path: &Path) -> Result<Found, Diagnostic> {
    let text = fs_err::read_to_string(path).map_err(|error| {
        refused(&error.to_string())
            .help("name the file with `credentials_file` or GOOGLE_APPLICATION_CREDENTIALS")
    })?;
    // What the parser says may quote the file.
    let form: Value = serde_json::from_str(&text).map_err(|_| malformed(path))?;
    let quota = form["quota_project_id"].as_str().filter(|project| !project.is_empty()).map(str::to_owned);
    let (source, speaks_as) = match kind(&form) {
        "impersonated_service_account" => {
            let speaks_as = Impersonation::of(&form).ok_or_else(|| malformed(path))?;
            (source(path, form["source_credentials"].clone()).await?, Some(speaks_as))
        }
        // The library would take any refusal to impersonate for an answer that cannot be read.
        "external_account" => {
            let speaks_as = Impersonation::of(&form);
            (source(path, form).await?, speaks_as)
        }
        _ => (source(path, form).await?, None),
    };
    Ok(Found { source, speaks_as, quota })
}

fn kind(form: &Value) -> &str {
    form["type"].as_str().unwrap_or_default()
}

/// Who grants tokens by credentials that are not for speaking as another.
async fn source(path: &Path, form: Value) -> Result<Source, Diagnostic> {
    let made = match kind(&form) {
        "service_account" => {
            let key = serde_json::from_value(form).map_err(|_| malformed(path))?;
            ServiceAccountAuthenticator::builder(key).build().await
        }
        "authorized_user" => {
            return Person::deserialize(form).map(Source::Person).map_err(|_| malformed(path));
        }
        "external_account" => {
            let secret = serde_json::from_value(federated(path, form)?).map_err(|_| malformed(path))?;
            ExternalAccountAuthenticator::builder(secret).build().await
        }
        "" => return Err(malformed(path)),
        other => {
            let message = format!("{} has credentials of the type `{other}`", path.display());
            return Err(refused(&message).help(UNDERSTOOD));
        }
    };
    made.map(|library| Source::Library(Box::new(library))).map_err(|_| malformed(path))
}

/// Workload identity federation as the library takes it, if it does.
fn federated(path: &Path, mut form: Value) -> Result<Value, Diagnostic> {
    let from = &mut form["credential_source"];
    let other = if from["environment_id"].is_string() {
        Some("what AWS has signed")
    } else if from["executable"].is_object() {
        Some("what a program prints")
    } else if from["certificate"].is_object() {
        Some("a certificate")
    } else if from["file"].is_string() && from["format"]["type"] == "json" {
        Some("a field of a file of JSON")
    } else {
        None
    };
    if let Some(other) = other {
        let message = format!("{} exchanges {other}, which Pipewright does not", path.display());
        return Err(refused(&message).help(
            "of workload identity federation it exchanges a token that is all of a file (`credential_source` with `file`), or \
             that an address gives (with `url`)",
        ));
    }
    if from["url"].is_string() && from["format"].is_null() {
        from["format"] = json!({ "type": "text" });
    }
    if let Some(fields) = form.as_object_mut() {
        fields.remove("service_account_impersonation_url");
    }
    Ok(form)
}

fn malformed(path: &Path) -> Diagnostic {
    refused(&format!("{} is no file of credentials", path.display())).help(UNDERSTOOD)
}

fn refused(why: &str) -> Diagnostic {
    Diagnostic::error(Code::CredentialsRefused, format!("there are no credentials for BigQuery: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn among(named: Option<&str>, endpoint: Option<&str>, variables: &[(&str, &str)]) -> Origin {
        let value = |name: &str| {
            let found = variables.iter().find(|(known, value)| *known == name && !value.is_empty());
            found.map(|(_, value)| OsString::from(value))
        };
        Origin::among(Path::new("/project"), named, endpoint, &value)
    }

    #[test]
    fn credentials_are_looked_for_in_the_order_of_googles_own_clients() {
        let folder = tempfile::tempdir().unwrap();
        let left = folder.path().join("application_default_credentials.json");
        fs_err::write(&left, "{}").unwrap();
        let config = folder.path().to_str().unwrap();
        let variables = [("GOOGLE_APPLICATION_CREDENTIALS", "/named.json"), ("CLOUDSDK_CONFIG", config)];
        assert_eq!(among(Some("key.json"), None, &variables), Origin::File("/project/key.json".into()));
        assert_eq!(among(None, None, &variables), Origin::File("/named.json".into()));
        assert_eq!(among(None, None, &variables[1..]), Origin::File(left));
        let empty = tempfile::tempdir().unwrap();
        let nothing = [
            ("GOOGLE_APPLICATION_CREDENTIALS", ""),
            ("CLOUDSDK_CONFIG", empty.path().to_str().unwrap()),
            ("GCE_METADATA_HOST", "127.0.0.1:1"),
        ];
        assert_eq!(among(None, None, &nothing[..2]), Origin::Machine(METADATA.to_owned()));
        assert_eq!(among(None, None, &nothing), Origin::Machine("127.0.0.1:1".to_owned()));
    }

    #[cfg(not(windows))]
    #[test]
    fn what_gcloud_left_is_in_its_folder_below_home() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join(".config/gcloud");
        fs_err::create_dir_all(&folder).unwrap();
        let left = folder.join("application_default_credentials.json");
        fs_err::write(&left, "{}").unwrap();
        assert_eq!(among(None, None, &[("HOME", home.path().to_str().unwrap())]), Origin::File(left));
    }

    #[test]
    fn nobodys_credentials_go_where_they_could_be_read_on_the_way() {
        let variables = [("GOOGLE_APPLICATION_CREDENTIALS", "/named.json")];
        for endpoint in ["http://localhost:9050", "HTTP://localhost:9050"] {
            assert_eq!(among(None, Some(endpoint), &variables), Origin::Nobody);
            assert_eq!(among(Some("a"), Some(endpoint), &variables), Origin::File("/project/a".into()));
        }
        let https = Some("https://bigquery-mine.p.googleapis.com");
        assert_eq!(among(None, https, &variables), Origin::File("/named.json".into()));
    }
}
