//! A server that answers as BigQuery does, or as a test scripts: refusals, lost answers, connections that are cut.
//!
//! What a test says nothing about is answered by [`target::Target`], a BigQuery without an engine that remembers
//! datasets, tables, jobs and uploads; below `/storage` are the files of [`bucket::Buckets`]. A test gives answers in sequence for the requests that fit:
//!
//! ```ignore
//! let server = Scripted::start();
//! server.on(Request::makes_job, [Answer::refused(503, "backendError", "try again"), Answer::Lost]);
//! server.on(|asked| asked.sql().contains("FROM orders"), [Answer::rows(&[("n", "INT64")], &[&["3"]])]);
//! server.always(|asked| asked.is_dry_run(), Answer::processed(1 << 30));
//! ```

#![allow(dead_code, reason = "words of the script wait for the tests that will use them")]

mod bucket;
mod http;
mod target;

use std::collections::{BTreeMap, VecDeque};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};

use self::bucket::Buckets;
use self::target::Target;
use super::emulator::PROJECT;
use crate::support::Project;

/// What was asked.
#[derive(Debug, Clone)]
pub struct Request {
    pub method: String,
    /// Without what follows a question mark.
    pub path: String,
    pub query: BTreeMap<String, String>,
    /// By names in small letters.
    pub headers: BTreeMap<String, String>,
    pub body: Vec<u8>,
}

impl Request {
    /// The body, where it is JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// Whether it is a method on a path that ends so.
    pub fn is(&self, method: &str, end: &str) -> bool {
        self.method == method && self.path.ends_with(end)
    }

    /// Whether it asks for a job that is not an upload's.
    pub fn makes_job(&self) -> bool {
        self.is("POST", "/jobs") && self.path.starts_with("/bigquery/") && !self.is_dry_run()
    }

    /// Whether it asks what a statement would cost.
    pub fn is_dry_run(&self) -> bool {
        self.is("POST", "/jobs") && self.json()["configuration"]["dryRun"] == true
    }

    /// Whether it opens an upload.
    pub fn opens_upload(&self) -> bool {
        self.is("POST", "/jobs") && self.path.starts_with("/upload/")
    }

    /// The statement of a job; nothing of anything else.
    pub fn sql(&self) -> String {
        let job = if self.makes_job() || self.is_dry_run() { self.json() } else { Value::Null };
        job["configuration"]["query"]["query"].as_str().unwrap_or_default().to_owned()
    }

    /// The name of the job that it asks for.
    pub fn job(&self) -> String {
        self.json()["jobReference"]["jobId"].as_str().unwrap_or_default().to_owned()
    }

    /// Method and path, for messages.
    pub fn line(&self) -> String {
        format!("{} {}", self.method, self.path)
    }
}

/// What a test has a request answered with.
#[derive(Debug, Clone)]
pub enum Answer {
    /// What would have been answered anyway.
    Usual,
    /// It is done, and its answer is lost with the connection.
    Lost,
    /// The connection is closed, and nothing is done.
    Dropped,
    /// So many bytes of the body are taken, then the connection is closed.
    Cut(usize),
    /// A job that goes well and has these rows.
    Rows(Value, Vec<Value>),
    /// A job that is taken and fails, with the reason and message.
    Failed(String, String),
    /// A script that fails behind so many of its statements.
    Ends(usize),
    /// A job that does what it would have done, and is billed for so many bytes.
    Billed(u64),
    /// This.
    Given { status: u16, headers: Vec<(String, String)>, body: String },
}

impl Answer {
    /// A status with JSON.
    pub fn json(status: u16, body: &Value) -> Self {
        Self::Given { status, headers: Vec::new(), body: body.to_string() }
    }

    /// A refusal as BigQuery words it.
    pub fn refused(status: u16, reason: &str, message: &str) -> Self {
        let error = json!({ "reason": reason, "message": message, "domain": "global" });
        Self::json(status, &json!({ "error": { "code": status, "message": message, "errors": [error] } }))
    }

    /// The rows of a query: names with types, and values as texts.
    pub fn rows(columns: &[(&str, &str)], rows: &[&[&str]]) -> Self {
        let rows = rows.iter().map(|row| row.iter().map(|value| json!(value)).collect());
        Self::Rows(target::schema(columns), rows.collect())
    }

    /// A job that is taken and fails.
    pub fn failed(reason: &str, message: &str) -> Self {
        Self::Failed(reason.to_owned(), message.to_owned())
    }

    /// What a dry run tells: how many bytes the statement would read.
    pub fn processed(bytes: u64) -> Self {
        let statistics = json!({ "totalBytesProcessed": bytes.to_string() });
        Self::json(200, &json!({ "status": { "state": "DONE" }, "statistics": statistics }))
    }
}

type Fits = Box<dyn Fn(&Request) -> bool + Send>;

/// Answers for the requests that fit.
struct Rule {
    fits: Fits,
    answers: VecDeque<Answer>,
    /// Whether the last one is for all that follow.
    always: bool,
}

impl Rule {
    fn take(&mut self) -> Option<Answer> {
        if self.always && self.answers.len() == 1 {
            return self.answers.front().cloned();
        }
        self.answers.pop_front()
    }
}

#[derive(Default)]
struct Shared {
    rules: Mutex<Vec<Rule>>,
    asked: Mutex<Vec<Request>>,
    target: Mutex<Target>,
    buckets: Mutex<Buckets>,
    over: AtomicBool,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A server that runs until this is dropped.
pub struct Scripted {
    port: u16,
    shared: Arc<Shared>,
}

impl Scripted {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("its address").port();
        let shared = Arc::new(Shared::default());
        let own = Arc::clone(&shared);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if own.over.load(Ordering::SeqCst) {
                    return;
                }
                let (Ok(stream), shared) = (stream, Arc::clone(&own)) else { continue };
                std::thread::spawn(move || serve(&stream, &shared, port));
            }
        });
        Self { port, shared }
    }

    /// Where it is.
    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The program with arguments, run in a project whose target `bigquery` is this.
    pub fn command(&self, project: &Project, arguments: &[&str]) -> Command {
        let mut command = project.command(arguments);
        command.args(["-t", "bigquery"]);
        command.env("BIGQUERY_PROJECT", PROJECT).env("BIGQUERY_ENDPOINT", self.endpoint());
        command.env_remove("GOOGLE_CLOUD_QUOTA_PROJECT");
        command
    }

    /// Answers the requests that fit with these, one after the other; those that follow as usual.
    pub fn on(
        &self,
        fits: impl Fn(&Request) -> bool + Send + 'static,
        answers: impl IntoIterator<Item = Answer>,
    ) {
        let rule = Rule { fits: Box::new(fits), answers: answers.into_iter().collect(), always: false };
        locked(&self.shared.rules).push(rule);
    }

    /// Answers all requests that fit with this.
    pub fn always(&self, fits: impl Fn(&Request) -> bool + Send + 'static, answer: Answer) {
        let rule = Rule { fits: Box::new(fits), answers: VecDeque::from([answer]), always: true };
        locked(&self.shared.rules).push(rule);
    }

    /// Forgets what the answers were to be.
    pub fn as_usual(&self) {
        locked(&self.shared.rules).clear();
    }

    /// What was asked since the start or since this was asked last.
    pub fn asked(&self) -> Vec<Request> {
        std::mem::take(&mut *locked(&self.shared.asked))
    }

    /// The names of the tables and views that are there: `dataset.table`.
    pub fn tables(&self) -> Vec<String> {
        locked(&self.shared.target).names()
    }

    /// Puts a file into Cloud Storage: `bucket/name`.
    pub fn put(&self, name: &str, content: impl AsRef<[u8]>) {
        locked(&self.shared.buckets).put(name, content.as_ref());
    }

    /// What an upload has brought, by the table that it was for.
    pub fn loaded(&self, table: &str) -> Vec<u8> {
        locked(&self.shared.target).loaded(table)
    }
}

impl Drop for Scripted {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::SeqCst);
        // The listener looks up when somebody comes.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

/// One connection, which has one request.
fn serve(stream: &TcpStream, shared: &Shared, port: u16) {
    let Some(mut reading) = http::Reading::head(stream) else { return };
    let scripted = take(shared, &reading.request, true);
    if let Some(Answer::Cut(bytes)) = scripted {
        reading.body(bytes);
        locked(&shared.target).cut(&reading.request);
        locked(&shared.asked).push(reading.request);
        return;
    }
    reading.body(usize::MAX);
    let request = reading.request;
    let scripted = take(shared, &request, false).unwrap_or(Answer::Usual);
    locked(&shared.asked).push(request.clone());
    let usual = |answer: &Answer| {
        let buckets = locked(&shared.buckets);
        if request.path.starts_with("/storage/") {
            return buckets.answer(&request);
        }
        let (status, headers, body) = locked(&shared.target).answer(&request, answer, &buckets, port);
        (status, headers, body.into_bytes())
    };
    match scripted {
        Answer::Dropped | Answer::Cut(_) => {}
        Answer::Lost => drop(usual(&Answer::Usual)),
        Answer::Given { status, headers, body } => http::write(stream, status, &headers, body.as_bytes()),
        answer => {
            let (status, headers, body) = usual(&answer);
            http::write(stream, status, &headers, &body);
        }
    }
}

/// The next answer for a request: one that cuts it off is known before its body is read.
fn take(shared: &Shared, request: &Request, cut: bool) -> Option<Answer> {
    let mut rules = locked(&shared.rules);
    let fitting = rules.iter_mut().find(|rule| {
        rule.answers.front().is_some_and(|next| matches!(next, Answer::Cut(_)) == cut) && (rule.fits)(request)
    });
    fitting.and_then(Rule::take)
}
