//! Tokens: who grants them, and how long one is used.

use std::collections::BTreeMap;
use std::time::Duration;

use reqwest::{Client, Response};
use serde::Deserialize;
use serde_json::{Value, json};
use yup_oauth2::authenticator::DefaultAuthenticator;

use super::error::{ApiError, deepest};
use super::now_ms;
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
    fn scope(self) -> &'static str {
        match self {
            Self::BigQuery => "https://www.googleapis.com/auth/bigquery",
            Self::Storage => "https://www.googleapis.com/auth/devstorage.read_only",
        }
    }
}

/// The scope of a token that is only used to speak as another.
const SPEAKING: &str = "https://www.googleapis.com/auth/cloud-platform";

/// Where those who have logged in are granted tokens.
const LOGGED_IN: &str = "https://oauth2.googleapis.com/token";

/// How long a token is waited for.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long the metadata server is waited for: where there is one, it is next door.
const NEXT_DOOR: Duration = Duration::from_secs(5);

/// How often the metadata server is asked before there is none: that of a container may come up after it.
const CALLS: u32 = 3;

/// How long before its end a token is not used any more, in milliseconds.
const MARGIN_MS: u64 = 60_000;

/// How long a token for speaking as another lasts, in seconds, where nothing is said of it: the most that is allowed.
const LASTS: u64 = 3600;

/// Who grants tokens.
pub(super) enum Source {
    /// Whoever a key or another's token convinces.
    Library(Box<DefaultAuthenticator>),
    /// The metadata server, by its host.
    Machine(String),
    /// Google, to somebody who has logged in.
    Person(Person),
}

/// Somebody who has logged in with `gcloud auth application-default login`.
#[derive(Deserialize)]
pub(super) struct Person {
    client_id: String,
    client_secret: String,
    refresh_token: String,
    token_uri: Option<String>,
}

/// A service account that the one with the credentials may speak as
/// (<https://cloud.google.com/iam/docs/reference/credentials/rest/v1/projects.serviceAccounts/generateAccessToken>).
pub(super) struct Impersonation {
    address: String,
    /// Accounts in between, each of which may speak as the next.
    delegates: Vec<String>,
    /// How long a token lasts, in seconds.
    lasts: u64,
}

impl Impersonation {
    /// As a file of credentials tells it; nothing where it tells of none.
    pub(super) fn of(form: &Value) -> Option<Self> {
        let address = form["service_account_impersonation_url"].as_str()?.to_owned();
        let delegates = form["delegates"].as_array().into_iter().flatten().filter_map(Value::as_str);
        // The program that writes the file leaves addresses, and the service wants names of resources.
        let whole = |name: &str| {
            if name.contains('/') { name.to_owned() } else { format!("projects/-/serviceAccounts/{name}") }
        };
        let lasts = form["service_account_impersonation"]["token_lifetime_seconds"].as_u64();
        Some(Self { address, delegates: delegates.map(whole).collect(), lasts: lasts.unwrap_or(LASTS) })
    }

    /// The account.
    fn name(&self) -> &str {
        let last = self.address.rsplit('/').next().unwrap_or_default();
        last.split(':').next().unwrap_or_default()
    }
}

/// A token.
struct Granted {
    token: String,
    /// Until when it is used, in milliseconds since 1970.
    until: u64,
}

impl Granted {
    fn new(token: String, lasts: u64) -> Self {
        Self { token, until: (now_ms() + lasts.saturating_mul(1000)).saturating_sub(MARGIN_MS) }
    }
}

/// Who asks. An emulator wants no tokens.
pub(super) struct Account(Option<Asking>);

/// A way to tokens.
struct Asking {
    source: Source,
    speaks_as: Option<Impersonation>,
    quota_project: Option<String>,
    http: Client,
    /// Tokens by their scope.
    kept: tokio::sync::Mutex<BTreeMap<&'static str, Granted>>,
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
    /// No tokens.
    pub(super) fn nobody() -> Self {
        Self(None)
    }

    /// Tokens of somebody.
    ///
    /// # Errors
    /// That this machine has no network at all.
    pub(super) fn new(
        source: Source,
        speaks_as: Option<Impersonation>,
        quota_project: Option<String>,
    ) -> Result<Self, Diagnostic> {
        let http = match &source {
            // It is never behind a proxy.
            Source::Machine(_) => Client::builder().no_proxy().timeout(NEXT_DOOR),
            Source::Library(_) | Source::Person(_) => Client::builder().timeout(PATIENCE),
        };
        let http = http.build().map_err(|error| {
            let message = format!("the network cannot be started: {}", deepest(&error));
            Diagnostic::error(Code::TargetUnavailable, message)
        })?;
        let kept = tokio::sync::Mutex::default();
        Ok(Self(Some(Asking { source, speaks_as, quota_project, http, kept })))
    }

    /// The project whose quota and bill requests count for, if the credentials name one.
    pub(super) fn quota_project(&self) -> Option<&str> {
        self.0.as_ref()?.quota_project.as_deref()
    }

    /// A token to ask with; nothing where none is asked for.
    ///
    /// # Errors
    /// That none was granted.
    pub(super) async fn token(&self, which: Token, of: Service) -> Result<Option<String>, ApiError> {
        match &self.0 {
            Some(asking) => asking.token(which, of.scope()).await.map(Some),
            None => Ok(None),
        }
    }
}

impl Asking {
    /// Of those that ask at the same time one asks for all.
    async fn token(&self, which: Token, scope: &'static str) -> Result<String, ApiError> {
        let mut kept = self.kept.lock().await;
        let last = kept.get(scope).filter(|last| which == Token::Kept && last.until > now_ms());
        if let Some(last) = last {
            return Ok(last.token.clone());
        }
        let was_granted = !kept.is_empty();
        let asked = async {
            match &self.speaks_as {
                None => self.granted(which, scope, was_granted).await,
                Some(other) => {
                    let own = self.granted(which, SPEAKING, was_granted).await?;
                    self.impersonated(other, &own.token, scope).await
                }
            }
        };
        let granted = match tokio::time::timeout(PATIENCE, asked).await {
            Ok(granted) => granted?,
            Err(_) => return Err(ApiError::unreachable("who grants tokens does not answer")),
        };
        let token = granted.token.clone();
        kept.insert(scope, granted);
        Ok(token)
    }

    async fn granted(&self, which: Token, scope: &str, was_granted: bool) -> Result<Granted, ApiError> {
        match &self.source {
            Source::Library(library) => of_library(library, which, scope).await,
            Source::Machine(host) => self.of_machine(host, scope, was_granted).await,
            Source::Person(person) => self.of_person(person).await,
        }
    }

    /// <https://cloud.google.com/compute/docs/access/authenticate-workloads#applications>
    async fn of_machine(&self, host: &str, scope: &str, was_granted: bool) -> Result<Granted, ApiError> {
        let address = format!("http://{host}/computeMetadata/v1/instance/service-accounts/default/token");
        let mut calls = 1;
        let answer = loop {
            let request = self.http.get(&address).query(&[("scopes", scope)]);
            match request.header("Metadata-Flavor", "Google").send().await {
                Ok(answer) => break answer,
                // What was there a moment ago is only not to be reached.
                Err(error) if was_granted => return Err(unreached(&error)),
                Err(_) if calls == CALLS => return Err(no_machine(host)),
                Err(_) => tokio::time::sleep(Duration::from_millis(250) * calls).await,
            }
            calls += 1;
        };
        // Some networks answer for every name.
        if answer.headers().get("Metadata-Flavor").is_none_or(|flavor| flavor != "Google") {
            return Err(no_machine(host));
        }
        if answer.status() == reqwest::StatusCode::NOT_FOUND {
            return Err(ApiError::no_token("this machine of Google's has no service account"));
        }
        of_answer(&told(answer).await?)
    }

    async fn of_person(&self, person: &Person) -> Result<Granted, ApiError> {
        let form = [
            ("grant_type", "refresh_token"),
            ("client_id", &person.client_id),
            ("client_secret", &person.client_secret),
            ("refresh_token", &person.refresh_token),
        ];
        let request = self.http.post(person.token_uri.as_deref().unwrap_or(LOGGED_IN)).form(&form);
        of_answer(&told(request.send().await.map_err(|error| unreached(&error))?).await?)
    }

    async fn impersonated(&self, other: &Impersonation, own: &str, scope: &str) -> Result<Granted, ApiError> {
        let lifetime = format!("{}s", other.lasts);
        let body = json!({ "scope": [scope], "lifetime": lifetime, "delegates": other.delegates });
        let request = self.http.post(&other.address).bearer_auth(own).json(&body);
        let answer = request.send().await.map_err(|error| unreached(&error))?;
        let is_refused = answer.status() == reqwest::StatusCode::FORBIDDEN;
        let answer = told(answer).await.map_err(|mut error| {
            if is_refused {
                let name = other.name();
                error.message = format!(
                    "{}; to speak as `{name}`, the account needs the role Service Account Token Creator on it",
                    error.message.trim_end_matches('.')
                );
            }
            error
        })?;
        match answer["accessToken"].as_str() {
            Some(token) => Ok(Granted::new(token.to_owned(), other.lasts)),
            None => Err(lacking()),
        }
    }
}

async fn of_library(library: &DefaultAuthenticator, which: Token, scope: &str) -> Result<Granted, ApiError> {
    let scopes = [scope];
    let granted = match which {
        Token::Kept => library.token(&scopes).await,
        Token::New => library.force_refreshed_token(&scopes).await,
    };
    let granted = granted.map_err(|error| not_granted(&error))?;
    let ends = match granted.expiration_time() {
        Some(time) => time.unix_timestamp(),
        None => 0,
    };
    let until = u64::try_from(ends).unwrap_or_default().saturating_mul(1000).saturating_sub(MARGIN_MS);
    match granted.token() {
        Some(token) => Ok(Granted { token: token.to_owned(), until }),
        None => Err(lacking()),
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

fn unreached(error: &reqwest::Error) -> ApiError {
    ApiError::unreachable(&format!("who grants tokens cannot be reached: {}", deepest(error)))
}

fn lacking() -> ApiError {
    ApiError::no_token("the answer has none")
}

fn no_machine(host: &str) -> ApiError {
    ApiError::no_token(&format!(
        "no file of credentials is named, `gcloud` has left none, and this machine is none of Google's, as nobody \
         answers for Google at {host}"
    ))
}

/// What was answered to who asked for a token.
async fn told(answer: Response) -> Result<Value, ApiError> {
    let status = answer.status();
    let text = answer.text().await.map_err(|error| unreached(&error))?;
    // A gateway speaks no JSON.
    let body: Value = match serde_json::from_str(&text) {
        Ok(body) => body,
        Err(error) if status.is_success() => return Err(ApiError::unreadable(&error)),
        Err(_) => Value::Null,
    };
    if status.is_success() {
        return Ok(body);
    }
    let number = status.as_u16();
    if status.is_server_error() || matches!(number, 408 | 429) {
        return Err(ApiError::unreachable(&format!("who grants tokens answers with HTTP status {number}")));
    }
    let word = body["error"].as_str();
    let words = body["error_description"].as_str().or_else(|| body["error"]["message"].as_str());
    let why: Vec<&str> = word.into_iter().chain(words).collect();
    let why = if why.is_empty() { format!("HTTP status {number}") } else { why.join(": ") };
    Err(ApiError::no_token(&why))
}

/// A token as the servers of <https://datatracker.ietf.org/doc/html/rfc6749#section-5.1> grant it.
fn of_answer(answer: &Value) -> Result<Granted, ApiError> {
    match answer["access_token"].as_str() {
        Some(token) => Ok(Granted::new(token.to_owned(), answer["expires_in"].as_u64().unwrap_or_default())),
        None => Err(lacking()),
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpListener;
    use std::sync::mpsc;

    use super::*;

    /// A server that gives these answers, one a connection; its host, and what it was asked.
    fn server(answers: Vec<String>) -> (String, mpsc::Receiver<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let host = listener.local_addr().unwrap().to_string();
        let (tell, told) = mpsc::channel();
        std::thread::spawn(move || {
            for answer in answers {
                let (mut stream, _) = listener.accept().unwrap();
                let mut asked = Vec::new();
                while !asked.ends_with(b"\r\n\r\n") {
                    let mut byte = [0];
                    stream.read_exact(&mut byte).unwrap();
                    asked.extend(byte);
                }
                stream.write_all(answer.as_bytes()).unwrap();
                tell.send(String::from_utf8(asked).unwrap()).unwrap();
            }
        });
        (host, told)
    }

    fn answer(status: u16, headers: &str, body: &str) -> String {
        let length = body.len();
        format!("HTTP/1.1 {status} -\r\nContent-Length: {length}\r\nConnection: close\r\n{headers}\r\n{body}")
    }

    fn wait<T>(of: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(of)
    }

    fn of_machine(host: &str) -> Account {
        Account::new(Source::Machine(host.to_owned()), None, None).unwrap()
    }

    const GOOGLE: &str = "Metadata-Flavor: Google\r\n";

    #[test]
    fn a_machine_of_googles_has_a_token_for_each_service_and_keeps_it() {
        let given = |token: &str| {
            let token = json!({ "access_token": token, "expires_in": 3599, "token_type": "Bearer" });
            answer(200, GOOGLE, &token.to_string())
        };
        let (host, asked) = server(["first", "files", "second"].map(given).to_vec());
        let account = of_machine(&host);
        let token = |which: Token, of: Service| wait(account.token(which, of)).unwrap().unwrap();
        assert_eq!(token(Token::Kept, Service::BigQuery), "first");
        assert_eq!(token(Token::Kept, Service::Storage), "files");
        assert_eq!(token(Token::Kept, Service::BigQuery), "first");
        assert_eq!(token(Token::New, Service::BigQuery), "second");
        assert_eq!(token(Token::Kept, Service::BigQuery), "second");
        let asked: Vec<String> = asked.iter().collect();
        let line = "GET /computeMetadata/v1/instance/service-accounts/default/token?scopes=\
                    https%3A%2F%2Fwww.googleapis.com%2Fauth%2Fbigquery ";
        assert!(asked[0].starts_with(line), "{}", asked[0]);
        assert!(asked[1].contains("devstorage.read_only"), "{}", asked[1]);
        assert!(asked.iter().all(|one| one.to_lowercase().contains("metadata-flavor: google")));
        assert_eq!(asked.len(), 3);
    }

    #[test]
    fn whoever_answers_for_every_name_is_not_google() {
        let page = answer(200, "", "<html>Log in to the network</html>");
        let (host, _asked) = server(vec![page]);
        let error = wait(of_machine(&host).token(Token::Kept, Service::BigQuery)).unwrap_err();
        assert!(error.message.contains("this machine is none of Google's"), "{error:?}");
        assert!(!error.is_transient());
    }

    #[test]
    fn a_machine_that_had_a_token_is_one_of_googles_all_the_same() {
        let token = json!({ "access_token": "short", "expires_in": 1 }).to_string();
        let (host, _asked) = server(vec![answer(200, GOOGLE, &token)]);
        let account = of_machine(&host);
        assert!(wait(account.token(Token::Kept, Service::BigQuery)).is_ok());
        // The server is gone, and the token is about to end.
        let error = wait(account.token(Token::Kept, Service::BigQuery)).unwrap_err();
        assert!(error.is_unreachable(), "{error:?}");
    }

    #[test]
    fn accounts_in_between_are_named_as_the_service_names_them() {
        let address = "https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/\
                       loader@demo.iam.gserviceaccount.com:generateAccessToken";
        let form = json!({
            "service_account_impersonation_url": address,
            "delegates": ["a@demo.iam.gserviceaccount.com", "projects/-/serviceAccounts/b@demo.iam.gserviceaccount.com"],
        });
        let told = Impersonation::of(&form).unwrap();
        let whole =
            ["a", "b"].map(|name| format!("projects/-/serviceAccounts/{name}@demo.iam.gserviceaccount.com"));
        assert_eq!(told.delegates, whole);
        assert_eq!((told.name(), told.lasts), ("loader@demo.iam.gserviceaccount.com", LASTS));
        assert!(Impersonation::of(&json!({ "type": "external_account" })).is_none());
    }
}
