//! Jobs: made under a name of our own, waited for, and never run twice.
//!
//! An answer that is lost says nothing of the job. Its name is chosen before it is asked for, so that it can be looked
//! up: what is there is not asked for again
//! (<https://cloud.google.com/bigquery/docs/running-jobs#generate-jobid>).

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use serde_json::{Value, json};

use super::super::QueryResult;
use super::api::{Api, Stop, chance, unique};
use super::error::ApiError;
use super::results;
use crate::manifest::types::{BigQueryTarget, Priority};

/// Labels of jobs: who caused them. What BigQuery bills can be told apart by them.
pub(super) type Labels = BTreeMap<String, String>;

/// Where a job is, as part of a request.
type Placed = Vec<(&'static str, String)>;

/// How often a job that is there is asked about in vain, before it is given up: for some minutes, as long as it takes a
/// machine to find its network again. Each time is several tries of its own.
const SILENCES: u32 = 20;

/// How jobs are run.
pub(super) struct Jobs {
    pub(super) api: Arc<Api>,
    pub(super) project: String,
    pub(super) location: Option<String>,
    /// Where the first job was done, if no place was asked for: where its tables are.
    found: OnceLock<String>,
    settings: Settings,
    /// Bytes that jobs were billed for so far.
    billed: AtomicU64,
}

/// What a target says of its jobs.
struct Settings {
    labels: Labels,
    priority: &'static str,
    timeout: Option<Duration>,
    most_bytes_of_one: Option<u64>,
    most_bytes_of_all: Option<u64>,
}

impl Settings {
    fn of(target: &BigQueryTarget) -> Self {
        Self {
            labels: target.labels.iter().map(|(name, value)| (name.clone(), value.clone())).collect(),
            priority: match target.priority {
                Priority::Interactive => "INTERACTIVE",
                Priority::Batch => "BATCH",
            },
            timeout: target.job_timeout.map(|time| time.0),
            most_bytes_of_one: target.max_bytes_per_job.map(|size| size.0),
            most_bytes_of_all: target.max_bytes_per_run.map(|size| size.0),
        }
    }
}

/// A job that is done, as BigQuery describes it.
#[derive(Debug, Clone)]
pub(super) struct Done(Value);

/// The statement of a job that only takes a name.
const NOTHING: &str = "SELECT 1";

impl Done {
    /// Whether it only took its name, see [`Jobs::claim`]: what was to be done under it was never asked for.
    pub(super) fn is_claim(&self) -> bool {
        self.0["configuration"]["query"]["query"] == NOTHING
    }

    /// Rows that a statement wrote, changed or deleted.
    pub(super) fn affected(&self) -> Option<u64> {
        self.0["statistics"]["query"]["numDmlAffectedRows"].as_str()?.parse().ok()
    }

    /// Bytes that it is billed for.
    fn billed(&self) -> u64 {
        let billed = &self.0["statistics"]["query"]["totalBytesBilled"];
        billed.as_str().and_then(|bytes| bytes.parse().ok()).unwrap_or(0)
    }

    /// Files that a load job read.
    pub(super) fn files(&self) -> Option<u64> {
        self.0["statistics"]["load"]["inputFiles"].as_str()?.parse().ok()
    }

    /// Rows that a load job wrote.
    pub(super) fn loaded(&self) -> Option<u64> {
        self.0["statistics"]["load"]["outputRows"].as_str()?.parse().ok()
    }
}

impl Jobs {
    pub(super) fn new(api: Arc<Api>, target: &BigQueryTarget, location: Option<String>) -> Self {
        let (project, settings) = (target.project.clone(), Settings::of(target));
        Self { api, project, location, found: OnceLock::new(), settings, billed: AtomicU64::new(0) }
    }

    /// Bytes that jobs were billed for so far.
    pub(super) fn billed(&self) -> u64 {
        self.billed.load(Ordering::SeqCst)
    }

    /// A name that no job has had.
    pub(super) fn name() -> String {
        format!("pipewright_{}", unique())
    }

    /// A job's name with where it is.
    pub(super) fn reference(&self, name: &str) -> Value {
        json!({ "projectId": self.project, "jobId": name, "location": self.located() })
    }

    /// Where jobs are done: as was asked for, or where the tables are found to be.
    pub(super) fn located(&self) -> Option<&String> {
        self.location.as_ref().or_else(|| self.found.get())
    }

    /// A job of some kind, `load` or `query`, before it has a name.
    pub(super) fn configuration(&self, kind: &str, of: &Value, labels: &Labels) -> Value {
        let mut all = self.settings.labels.clone();
        all.extend(labels.clone());
        let mut configuration = json!({ kind: of, "labels": all });
        if let Some(time) = self.settings.timeout {
            configuration["jobTimeoutMs"] = json!(time.as_millis().to_string());
        }
        configuration
    }

    /// The same without a time after which it is given up: what it publishes would be half done.
    pub(super) fn without_end(mut configuration: Value) -> Value {
        if let Some(settings) = configuration.as_object_mut() {
            settings.remove("jobTimeoutMs");
        }
        configuration
    }

    /// Takes a job's name, so that a request for that job which is still on its way comes too late. Says no where it has
    /// come by now.
    ///
    /// # Errors
    /// What BigQuery says.
    pub(super) fn claim(&self, name: &str, labels: &Labels) -> Result<bool, ApiError> {
        let done = self.run_as(&Stop::default(), name, &self.own(NOTHING, &[], labels));
        match done {
            Ok(done) => Ok(done.is_claim()),
            // It came, and did nothing.
            Err(error) if error.is_of_job() => Ok(true),
            Err(error) => Err(error),
        }
    }

    /// What a statement is asked for with.
    pub(super) fn statement(&self, sql: &str, parameters: &[Value], labels: &Labels) -> Value {
        let mut query = json!({
            "query": sql,
            "useLegacySql": false,
            "priority": self.settings.priority,
        });
        if let Some(first) = parameters.first() {
            query["parameterMode"] = json!(if first["name"].is_string() { "NAMED" } else { "POSITIONAL" });
            query["queryParameters"] = json!(parameters);
        }
        self.configuration("query", &query, labels)
    }

    /// A statement with the most that it may be billed for: nothing more is begun once the run has cost what it may.
    fn limited(&self, mut statement: Value) -> Result<Value, ApiError> {
        let Settings { most_bytes_of_one, most_bytes_of_all, .. } = self.settings;
        let left = most_bytes_of_all.map(|most| most.saturating_sub(self.billed()));
        if left == Some(0) {
            return Err(ApiError::too_expensive(self.billed()));
        }
        if let Some(most) = most_bytes_of_one.into_iter().chain(left).min() {
            statement["query"]["maximumBytesBilled"] = json!(most.to_string());
        }
        Ok(statement)
    }

    /// Runs a statement or a script.
    ///
    /// # Errors
    /// What BigQuery says.
    pub(super) fn execute(&self, stop: &Stop, labels: &Labels, sql: &str) -> Result<Done, ApiError> {
        self.run(stop, &self.limited(self.statement(sql, &[], labels))?)
    }

    /// The rows of a query.
    ///
    /// # Errors
    /// What BigQuery says.
    pub(super) fn query(
        &self,
        stop: &Stop,
        labels: &Labels,
        sql: &str,
        parameters: &[Value],
    ) -> Result<QueryResult, ApiError> {
        let statement = self.limited(self.statement(sql, parameters, labels))?;
        self.rows(stop, &self.run(stop, &statement)?)
    }

    /// Runs a statement of Pipewright's own, about what is there and what is remembered. No limit ends it: what a run did is
    /// written down also where it has cost too much. Nor does it wait for its turn among those that may wait: others wait
    /// for it.
    ///
    /// # Errors
    /// What BigQuery says.
    pub(super) fn note(&self, labels: &Labels, sql: &str, parameters: &[Value]) -> Result<Done, ApiError> {
        self.run(&Stop::default(), &self.own(sql, parameters, labels))
    }

    fn own(&self, sql: &str, parameters: &[Value], labels: &Labels) -> Value {
        let mut statement = self.statement(sql, parameters, labels);
        statement["query"]["priority"] = json!("INTERACTIVE");
        Self::without_end(statement)
    }

    /// The rows of such a query.
    ///
    /// # Errors
    /// What BigQuery says.
    pub(super) fn look_up(
        &self,
        labels: &Labels,
        sql: &str,
        parameters: &[Value],
    ) -> Result<QueryResult, ApiError> {
        self.rows(&Stop::default(), &self.note(labels, sql, parameters)?)
    }

    /// Runs a job of any kind.
    ///
    /// # Errors
    /// What BigQuery says.
    pub(super) fn run(&self, stop: &Stop, configuration: &Value) -> Result<Done, ApiError> {
        let mut tries = 1;
        loop {
            // A job that failed has used up its name.
            let done = self.run_as(stop, &Self::name(), configuration);
            match done {
                Err(error) if error.is_transient_of_job() && tries < 4 => {
                    self.api.pause(stop, self.api.backoff().wait(tries, chance()))?;
                    tries += 1;
                }
                done => return done,
            }
        }
    }

    /// Runs a job under a name; if there is one of that name, it is the one.
    ///
    /// # Errors
    /// What BigQuery says.
    pub(super) fn run_as(&self, stop: &Stop, name: &str, configuration: &Value) -> Result<Done, ApiError> {
        match self.begun(stop, name, configuration) {
            Ok(job) => self.finished(stop, name, job),
            Err(error) => {
                // It may run all the same: its answer is what nobody waited for.
                if stop.is_stopped() {
                    self.give_up(name);
                }
                Err(error)
            }
        }
    }

    /// Where the jobs of a project are done unless a place was asked for: where a dataset of it is.
    pub(super) fn found_in(&self, location: &str) {
        self.found.get_or_init(|| location.to_owned());
    }

    /// Asks for a job until it is there.
    fn begun(&self, stop: &Stop, name: &str, configuration: &Value) -> Result<Value, ApiError> {
        let path = format!("/bigquery/v2/projects/{}/jobs", self.project);
        let asked = json!({ "jobReference": self.reference(name), "configuration": configuration });
        let backoff = self.api.backoff();
        let mut tries = 1;
        // Whether some request may have arrived.
        let mut may_be_there = false;
        loop {
            let error = match self.api.once(stop, self.api.post(&path, &asked)) {
                Err(error) if error.is_duplicate() => return self.look(stop, name),
                Err(error) if error.is_transient() => error,
                made => return made,
            };
            may_be_there |= !error.is_unreachable();
            let is_last = tries >= backoff.tries_after(&error);
            if !is_last {
                self.api.pause(stop, backoff.wait(tries, chance()))?;
                tries += 1;
            }
            match self.look(stop, name) {
                Err(looked) if looked.is_missing() && is_last => return Err(error),
                Err(looked) if looked.is_missing() => {}
                Err(looked) if looked.is_transient() && may_be_there => {
                    return Err(ApiError::lost_track(name, &looked));
                }
                Err(_) if is_last => return Err(error),
                looked => return looked,
            }
        }
    }

    /// A job by its name.
    ///
    /// # Errors
    /// What BigQuery says: that there is none, too.
    pub(super) fn look(&self, stop: &Stop, name: &str) -> Result<Value, ApiError> {
        self.look_in(stop, name, &self.place(&Value::Null))
    }

    fn look_in(&self, stop: &Stop, name: &str, query: &Placed) -> Result<Value, ApiError> {
        let path = format!("/bigquery/v2/projects/{}/jobs/{name}", self.project);
        self.api.persist(stop, || self.api.get(&path, query))
    }

    /// Where a job is, as part of a request: it is found only with that, in most places. A job tells it itself.
    fn place(&self, job: &Value) -> Placed {
        let told = job["jobReference"]["location"].as_str();
        if let (Some(told), None) = (told, &self.location) {
            self.found.get_or_init(|| told.to_owned());
        }
        let place = told.map(str::to_owned).or_else(|| self.located().cloned());
        place.map(|place| ("location", place)).into_iter().collect()
    }

    /// Waits until a job is done.
    ///
    /// # Errors
    /// Why it failed.
    pub(super) fn finished(&self, stop: &Stop, name: &str, mut job: Value) -> Result<Done, ApiError> {
        let is_query = job["configuration"]["query"].is_object();
        let place = self.place(&job);
        let mut wait = Duration::from_millis(50);
        let mut silences = 0;
        loop {
            if job["status"]["state"] == "DONE" || job["status"]["errorResult"].is_object() {
                let done = Done(job);
                // A script that fails has been billed for what it had done.
                self.billed.fetch_add(done.billed(), Ordering::SeqCst);
                let error = &done.0["status"]["errorResult"];
                return if error.is_object() { Err(ApiError::of_job(&done.0)) } else { Ok(done) };
            }
            let waited = if is_query {
                self.wait_for_results(stop, name, place.clone())
            } else {
                self.api.pause(stop, wait)
            };
            let waited = match waited {
                // A query that failed is told of in its status; one that goes on is not asked after all the time.
                Err(_) if is_query && !stop.is_stopped() => self.api.pause(stop, wait),
                waited => waited,
            };
            wait = (wait * 2).min(Duration::from_secs(2));
            let looked = waited.and_then(|()| self.look_in(stop, name, &place));
            match looked {
                Ok(looked) => {
                    silences = 0;
                    job = looked;
                }
                // It goes on without us. Whoever asked for it anew would run it twice.
                Err(error) if error.is_transient() && silences < SILENCES => silences += 1,
                Err(error) => {
                    self.cancel(name, &place);
                    return Err(if error.is_transient() {
                        ApiError::lost_track(name, &error)
                    } else {
                        error
                    });
                }
            }
        }
    }

    /// BigQuery answers when a query is done, or after ten seconds.
    fn wait_for_results(&self, stop: &Stop, name: &str, mut query: Placed) -> Result<(), ApiError> {
        let path = format!("/bigquery/v2/projects/{}/queries/{name}", self.project);
        query.extend([("maxResults", "0".to_owned()), ("timeoutMs", "10000".to_owned())]);
        self.api.once(stop, self.api.get(&path, &query)).map(|_| ())
    }

    /// Asks for a job to be given up, by its name.
    pub(super) fn give_up(&self, name: &str) {
        self.cancel(name, &self.place(&Value::Null));
    }

    /// Asks for a job to be given up. Nobody waits for it any more, so that an answer is not needed.
    fn cancel(&self, name: &str, place: &Placed) {
        let place = place.first().map(|(key, value)| format!("?{key}={value}")).unwrap_or_default();
        let path = format!("/bigquery/v2/projects/{}/jobs/{name}/cancel{place}", self.project);
        // The one who stopped it has stopped all that goes by that handle.
        let _ = self.api.once(&Stop::default(), self.api.post(&path, &json!({})));
    }

    /// The rows that a job gave.
    ///
    /// # Errors
    /// What BigQuery says.
    pub(super) fn rows(&self, stop: &Stop, done: &Done) -> Result<QueryResult, ApiError> {
        let reference = &done.0["jobReference"];
        let name = reference["jobId"].as_str().ok_or_else(|| ApiError::lacks("name of the job"))?;
        let path = format!("/bigquery/v2/projects/{}/queries/{name}", self.project);
        let mut query = vec![("formatOptions.useInt64Timestamp", "true".to_owned())];
        query.extend(reference["location"].as_str().map(|location| ("location", location.to_owned())));
        let mut result: Option<QueryResult> = None;
        loop {
            let page: Value = self.api.persist(stop, || async {
                let page = self.api.get(&path, &query).await?;
                // Of a job that is done all rows are there, but no answer says so more than once.
                if page["jobComplete"] == false { Err(ApiError::lacks("rows yet")) } else { Ok(page) }
            })?;
            let result = result.get_or_insert_with(|| QueryResult {
                columns: results::columns(&page["schema"]),
                rows: Vec::new(),
            });
            for row in page["rows"].as_array().into_iter().flatten() {
                result.rows.push(results::row(row, &result.columns));
            }
            match page["pageToken"].as_str() {
                Some(token) if !token.is_empty() => {
                    query.retain(|(name, _)| *name != "pageToken");
                    query.push(("pageToken", token.to_owned()));
                }
                _ => {
                    let all = page["totalRows"].as_str().and_then(|rows| rows.parse::<usize>().ok());
                    return match all {
                        Some(all) if all != result.rows.len() => Err(ApiError::lacks("rows that it counts")),
                        _ => Ok(std::mem::take(result)),
                    };
                }
            }
        }
    }
}
