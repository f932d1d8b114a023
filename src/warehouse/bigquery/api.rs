//! Requests: one asynchronous runtime behind functions that wait, tried again where that may help.

use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use reqwest::header::{HeaderMap, HeaderValue};
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde_json::Value;
use tokio::runtime::Runtime;
use tokio::sync::Notify;

use super::super::Interrupt;
use super::credentials::Origin;
use super::error::ApiError;
use super::token::{Account, Service, Token};
use crate::diag::{Code, Diagnostic};

/// Where BigQuery is, unless a target says otherwise.
const ENDPOINT: &str = "https://bigquery.googleapis.com";

/// How long one request may take: more than BigQuery lets one wait for the results of a query.
const REQUEST: Duration = Duration::from_secs(120);

/// How failed requests are tried again: each time twice as long after the last, up to a half of it less by chance, so
/// that many that failed together do not come back together.
#[derive(Debug, Clone, Copy)]
pub(super) struct Backoff {
    pub(super) first: Duration,
    pub(super) most: Duration,
    pub(super) tries: u32,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { first: Duration::from_millis(250), most: Duration::from_secs(32), tries: 8 }
    }
}

impl Backoff {
    /// How often something is tried that fails with an error.
    pub(super) fn tries_after(self, error: &ApiError) -> u32 {
        if error.is_unreachable() { self.tries * 3 / 4 } else { self.tries }
    }

    /// How long to wait after so many tries.
    pub(super) fn wait(self, tries: u32, chance: f64) -> Duration {
        let whole = self.first.saturating_mul(1 << tries.saturating_sub(1).min(16)).min(self.most);
        whole.mul_f64(1.0 - chance.clamp(0.0, 1.0) / 2.0)
    }
}

/// Bits that differ from process to process and from call to call: the standard library keys its hash tables so.
fn random_bits() -> u64 {
    use std::hash::{BuildHasher, Hasher};
    std::collections::hash_map::RandomState::new().build_hasher().finish()
}

/// A number from 0 to 1.
pub(super) fn chance() -> f64 {
    f64::from(u32::try_from(random_bits() >> 32).unwrap_or(0)) / f64::from(u32::MAX)
}

/// A text that nothing else has, of 32 hexadecimal digits.
pub(super) fn unique() -> String {
    format!("{:016x}{:016x}", random_bits(), random_bits())
}

/// A way to end a wait from another thread.
#[derive(Debug, Default)]
pub(super) struct Stop {
    stopped: AtomicBool,
    told: Notify,
}

impl Stop {
    pub(super) fn reset(&self) {
        self.stopped.store(false, Ordering::SeqCst);
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::SeqCst)
    }

    /// Waits until somebody stops it.
    async fn stopped(&self) {
        loop {
            let told = self.told.notified();
            if self.is_stopped() {
                return;
            }
            told.await;
        }
    }
}

impl Interrupt for Stop {
    fn interrupt(&self) {
        self.stopped.store(true, Ordering::SeqCst);
        self.told.notify_waiters();
    }
}

/// Where BigQuery is and who asks.
pub(super) struct Api {
    runtime: Runtime,
    http: reqwest::Client,
    account: Account,
    endpoint: String,
    backoff: Backoff,
}

/// Settings of the way to BigQuery.
#[derive(Debug, Clone, Default)]
pub(super) struct Way {
    /// Another place than Google's own.
    pub(super) endpoint: Option<String>,
    /// The project whose quota and bill the requests count for, if it is not that of the credentials.
    pub(super) quota_project: Option<String>,
    pub(super) backoff: Backoff,
}

impl Api {
    /// A way to BigQuery. Asks nothing yet.
    ///
    /// # Errors
    /// Credentials that cannot be read.
    pub(super) fn new(way: &Way, origin: &Origin) -> Result<Self, Diagnostic> {
        let internal = |what: &str, error: String| {
            Diagnostic::error(Code::TargetUnavailable, format!("{what} cannot be started: {error}"))
        };
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("bigquery")
            .enable_all()
            .build()
            .map_err(|error| internal("the network's threads", error.to_string()))?;
        let account = runtime.block_on(origin.account())?;
        let mut headers = HeaderMap::new();
        if let Some(project) = way.quota_project.as_deref().or_else(|| account.quota_project()) {
            let project = HeaderValue::from_str(project)
                .map_err(|_| Diagnostic::error(Code::BadValue, format!("`{project}` is no project")))?;
            headers.insert("x-goog-user-project", project);
        }
        let http = reqwest::Client::builder()
            .default_headers(headers)
            .user_agent(concat!("pipewright/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(Duration::from_secs(15))
            .timeout(REQUEST)
            .build()
            .map_err(|error| internal("the network", error.to_string()))?;
        let endpoint = way.endpoint.as_deref().unwrap_or(ENDPOINT).trim_end_matches('/').to_owned();
        Ok(Self { runtime, http, account, endpoint, backoff: way.backoff })
    }

    /// Asks once.
    ///
    /// # Errors
    /// What BigQuery says, or that it was stopped.
    pub(super) fn once<T, F>(&self, stop: &Stop, request: F) -> Result<T, ApiError>
    where
        F: Future<Output = Result<T, ApiError>>,
    {
        self.runtime.block_on(async {
            tokio::select! {
                biased;
                () = stop.stopped() => Err(ApiError::stopped()),
                answer = request => answer,
            }
        })
    }

    /// Asks until there is an answer that another try would not change. What is asked for must be the same if it was
    /// done before: its answer may have been lost.
    ///
    /// # Errors
    /// As [`Self::once`].
    pub(super) fn persist<T, F, R>(&self, stop: &Stop, request: F) -> Result<T, ApiError>
    where
        F: Fn() -> R,
        R: Future<Output = Result<T, ApiError>>,
    {
        let mut tries = 1;
        loop {
            match self.once(stop, request()) {
                Err(error) if error.is_transient() && tries < self.backoff.tries_after(&error) => {
                    self.pause(stop, self.backoff.wait(tries, chance()))?;
                    tries += 1;
                }
                answer => return answer,
            }
        }
    }

    /// Waits.
    ///
    /// # Errors
    /// That it was stopped.
    pub(super) fn pause(&self, stop: &Stop, time: Duration) -> Result<(), ApiError> {
        self.once(stop, async {
            tokio::time::sleep(time).await;
            Ok(())
        })
    }

    /// How failed requests are tried again.
    pub(super) fn backoff(&self) -> Backoff {
        self.backoff
    }

    /// A request below the endpoint: `/bigquery/v2/projects/…`.
    pub(super) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.request_to(method, &format!("{}{path}", self.endpoint))
    }

    /// The same at a whole address, which BigQuery gave.
    pub(super) fn request_to(&self, method: Method, address: &str) -> RequestBuilder {
        self.http.request(method, address)
    }

    /// Sends a request with a token. A token that is refused is asked for anew, once: it ends before its time where it
    /// was revoked or where this machine's clock is wrong.
    ///
    /// # Errors
    /// That no token was granted, or that there is no answer.
    pub(super) async fn send(&self, request: RequestBuilder) -> Result<Response, ApiError> {
        self.send_to(Service::BigQuery, request).await
    }

    /// The same for another service.
    ///
    /// # Errors
    /// As [`Self::send`].
    pub(super) async fn send_to(
        &self,
        service: Service,
        request: RequestBuilder,
    ) -> Result<Response, ApiError> {
        let Some(token) = self.account.token(Token::Kept, service).await? else {
            return Ok(request.send().await?);
        };
        let again = request.try_clone();
        let answer = request.bearer_auth(token).send().await?;
        let (Some(again), StatusCode::UNAUTHORIZED) = (again, answer.status()) else { return Ok(answer) };
        match self.account.token(Token::New, service).await? {
            Some(token) => Ok(again.bearer_auth(token).send().await?),
            None => Ok(answer),
        }
    }

    /// What is below the endpoint.
    ///
    /// # Errors
    /// What BigQuery says.
    pub(super) async fn get(&self, path: &str, query: &[(&str, String)]) -> Result<Value, ApiError> {
        answered(self.send(self.request(Method::GET, path).query(query)).await?).await
    }

    /// Makes something, or asks for something to be done.
    ///
    /// # Errors
    /// What BigQuery says.
    pub(super) async fn post(&self, path: &str, body: &Value) -> Result<Value, ApiError> {
        answered(self.send(self.request(Method::POST, path).json(body)).await?).await
    }

    /// Changes what the body names, and nothing else.
    ///
    /// # Errors
    /// What BigQuery says.
    pub(super) async fn patch(&self, path: &str, body: &Value) -> Result<Value, ApiError> {
        answered(self.send(self.request(Method::PATCH, path).json(body)).await?).await
    }

    /// The same for something that is still as it was when it was read with this tag.
    ///
    /// # Errors
    /// What BigQuery says: that it is [outdated](ApiError::is_outdated).
    pub(super) async fn patch_if(
        &self,
        path: &str,
        query: &[(&str, String)],
        tag: Option<&str>,
        body: &Value,
    ) -> Result<Value, ApiError> {
        let mut request = self.request(Method::PATCH, path).query(query).json(body);
        if let Some(tag) = tag {
            request = request.header(reqwest::header::IF_MATCH, tag);
        }
        answered(self.send(request).await?).await
    }

    /// Removes something.
    ///
    /// # Errors
    /// What BigQuery says.
    pub(super) async fn delete(&self, path: &str) -> Result<Value, ApiError> {
        answered(self.send(self.request(Method::DELETE, path)).await?).await
    }
}

/// The JSON of an answer.
pub(super) async fn answered(answer: Response) -> Result<Value, ApiError> {
    let status = answer.status();
    let body = answer.text().await?;
    if !status.is_success() {
        return Err(ApiError::of_answer(status.as_u16(), &body));
    }
    // What was removed is told of by an empty answer.
    if body.trim().is_empty() {
        return Ok(Value::Null);
    }
    serde_json::from_str(&body).map_err(|error| ApiError::unreadable(&error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_reaches_nobody_is_told_sooner_than_who_gets_no_answer() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let endpoint = format!("http://{}", listener.local_addr().expect("its address"));
        let way = Way { endpoint: Some(endpoint), ..Way::default() };
        let api = Api::new(&way, &Origin::Nobody).expect("a way");
        let ask = || api.once(&Stop::default(), api.get("/", &[])).expect_err("nobody answers");
        let closing = std::thread::spawn(move || drop(listener.accept()));
        let unanswered = ask();
        closing.join().expect("it closes");
        // The listener is gone with the thread that had it.
        let unreached = ask();
        assert!(unanswered.is_transient() && !unanswered.is_unreachable(), "{unanswered:?}");
        assert!(unreached.is_transient() && unreached.is_unreachable(), "{unreached:?}");
        let backoff = Backoff::default();
        assert!(backoff.tries_after(&unreached) < backoff.tries_after(&unanswered));
    }

    #[test]
    fn waits_double_up_to_the_most_and_differ_by_chance() {
        let backoff = Backoff { first: Duration::from_secs(1), most: Duration::from_secs(8), tries: 9 };
        let waits: Vec<u64> = (1..=6).map(|tries| backoff.wait(tries, 0.0).as_secs()).collect();
        assert_eq!(waits, [1, 2, 4, 8, 8, 8]);
        assert_eq!(backoff.wait(3, 1.0), Duration::from_secs(2));
        assert_eq!(backoff.wait(u32::MAX, 0.0), Duration::from_secs(8));
        let drawn: std::collections::BTreeSet<u64> = (0..20).map(|_| chance().to_bits()).collect();
        assert!(drawn.len() > 10);
        assert_ne!(unique(), unique());
        assert_eq!(unique().len(), 32);
    }
}
