//! What BigQuery's refusals mean, and what to do about them.
//!
//! The reasons are those of <https://cloud.google.com/bigquery/docs/error-messages>.

use serde_json::Value;

use super::super::WarehouseError;
use crate::diag::{Code, Diagnostic};
use crate::manifest::types::ByteSize;

/// Something that went wrong on the way to BigQuery or there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct ApiError {
    /// The status of the answer, where there was one.
    pub(super) status: Option<u16>,
    /// BigQuery's word for it: `accessDenied`.
    pub(super) reason: String,
    /// What was said.
    pub(super) message: String,
    /// What a load job says of rows that it cannot read. It may quote their values.
    pub(super) rows: Vec<String>,
}

/// The reason of a request that got no answer, or one that nobody can read, as those of gateways are.
const NO_ANSWER: &str = "noAnswer";
/// The reason of a request that reached nobody.
const UNREACHABLE: &str = "unreachable";
/// The reason of a request for which no token was granted.
const NO_TOKEN: &str = "noToken";
/// The reason of an upload that cannot go on, but can be done anew.
const UPLOAD_LOST: &str = "uploadLost";
/// The reason of a job that may be running, and that nobody could be asked about for long.
const LOST_TRACK: &str = "lostTrack";
/// The reason of work that was given up here because somebody asked for it. BigQuery's own word for jobs that were
/// cancelled is `stopped`: those have ended.
const STOPPED: &str = "stoppedHere";

/// How many rows are told of.
const SHOWN: usize = 5;

/// What stands before the errors of data: `Error while reading data, error message: …`, or with a table's name.
fn of_reading(message: &str) -> Option<&str> {
    let (start, told) = message.split_once(", error message: ")?;
    // A file that is too long for how it is to be read has no wrong row.
    (start.starts_with("Error while reading ") && !told.contains("not splittable")).then_some(told)
}

/// Whether an error of data only counts others.
fn is_summary(told: &str) -> bool {
    told.contains("too many errors, giving up")
}

impl ApiError {
    /// Work that was given up because somebody asked for it.
    pub(super) fn stopped() -> Self {
        Self { reason: STOPPED.to_owned(), message: "it was stopped".to_owned(), ..Self::default() }
    }

    /// No token was granted.
    pub(super) fn no_token(why: &str) -> Self {
        Self {
            reason: NO_TOKEN.to_owned(),
            message: format!("no token was granted: {why}"),
            ..Self::default()
        }
    }

    /// Work that was not begun, since its run has cost what it may.
    pub(super) fn too_expensive(billed: u64) -> Self {
        let billed = ByteSize(billed);
        let message =
            format!("the run was billed for {billed}, which is all that `max_bytes_per_run` allows");
        Self { reason: "bytesBilledLimitExceeded".to_owned(), message, ..Self::default() }
    }

    /// Nobody was reached.
    pub(super) fn unreachable(why: &str) -> Self {
        Self { reason: UNREACHABLE.to_owned(), message: why.to_owned(), ..Self::default() }
    }

    /// An answer that is no JSON.
    pub(super) fn unreadable(error: &serde_json::Error) -> Self {
        let message = format!("BigQuery's answer cannot be read: {error}");
        Self { reason: NO_ANSWER.to_owned(), message, ..Self::default() }
    }

    /// An answer that lacks what it should have.
    pub(super) fn lacks(what: &str) -> Self {
        Self {
            reason: NO_ANSWER.to_owned(),
            message: format!("BigQuery's answer has no {what}"),
            ..Self::default()
        }
    }

    /// An upload that was begun and is not known any more, nor what became of it.
    pub(super) fn upload_lost() -> Self {
        let message = "BigQuery does not know the upload any more".to_owned();
        Self { reason: UPLOAD_LOST.to_owned(), message, ..Self::default() }
    }

    /// A job of which it is not known what became. It is not to be asked for again: it may be running.
    pub(super) fn lost_track(job: &str, why: &Self) -> Self {
        let message = format!("what became of the job {job} cannot be learnt: {}", why.message);
        Self { reason: LOST_TRACK.to_owned(), message, ..Self::default() }
    }

    /// An answer of a status that tells of a failure.
    pub(super) fn of_answer(status: u16, body: &str) -> Self {
        // Of files and uploads some are told in plain words, by gateways as whole pages.
        let is_said = |text: &&str| !text.is_empty() && text.len() < 500 && !text.contains('<');
        let plain = Some(body.trim()).filter(is_said);
        let body: Value = serde_json::from_str(body).unwrap_or_default();
        let plain = plain.filter(|_| !body.is_object() && !body.is_array());
        let error = &body["error"];
        let reason = error["errors"][0]["reason"].as_str().or_else(|| error["status"].as_str());
        Self {
            status: Some(status),
            reason: reason.unwrap_or_default().to_owned(),
            message: error["message"]
                .as_str()
                .or(plain)
                .map_or_else(|| format!("HTTP status {status}"), str::to_owned),
            ..Self::default()
        }
    }

    /// What the status of a job that failed says.
    ///
    /// Of a load job whose files cannot be read, the job's own error is either a row's or a summary of what its other
    /// errors tell. What is told of rows quotes their values, and so it stands apart from the message.
    pub(super) fn of_job(job: &Value) -> Self {
        let status = &job["status"];
        let error = &status["errorResult"];
        let reason = error["reason"].as_str().unwrap_or_default().to_owned();
        let message = error["message"].as_str().unwrap_or("the job failed and did not say why").to_owned();
        let is_load = job["configuration"]["load"].is_object();
        let further = status["errors"].as_array().into_iter().flatten();
        let told =
            [error].into_iter().chain(further).filter_map(|error| of_reading(error["message"].as_str()?));
        let mut rows: Vec<String> = Vec::new();
        for row in told.filter(|_| is_load) {
            if !rows.iter().any(|known| known == row) {
                rows.push(row.to_owned());
            }
        }
        if rows.iter().any(|row| !is_summary(row)) {
            rows.retain(|row| !is_summary(row));
        }
        rows.truncate(SHOWN);
        let message = if rows.is_empty() { message } else { "files of it cannot be read".to_owned() };
        Self { status: None, reason, message, rows }
    }

    /// Whether a load job says that it cannot read rows of its files.
    pub(super) fn is_of_rows(&self) -> bool {
        !self.rows.is_empty() && !self.is_transient()
    }

    /// Whether what was asked for is not there.
    pub(super) fn is_missing(&self) -> bool {
        self.status == Some(404) || self.reason == "notFound"
    }

    /// Whether the account may not know or do it.
    pub(super) fn is_denied(&self) -> bool {
        self.status == Some(403) && self.code() == Code::AccessDenied
    }

    /// Whether what was to be made is there already.
    pub(super) fn is_duplicate(&self) -> bool {
        self.status == Some(409) || self.reason == "duplicate"
    }

    /// Whether it is the query that is wrong, and not who asks or where.
    pub(super) fn is_of_query(&self) -> bool {
        self.code() == Code::StepFailed && !self.is_transient()
    }

    /// Whether it is about one query, what that reads and how much, so that it tells nothing of others: not about the
    /// project, who asks, or the way there.
    pub(super) fn is_of_one_query(&self, project: &str) -> bool {
        let of_code = match self.code() {
            Code::StepFailed | Code::TooExpensive => true,
            Code::AccessDenied | Code::TargetNotFound => match self.named() {
                Some(("Project", name)) => name != project,
                Some((kind, _)) => !kind.eq_ignore_ascii_case("location"),
                None => self.message.to_lowercase().contains("in different locations"),
            },
            _ => false,
        };
        of_code && !self.is_transient()
    }

    /// Whether any other request would be refused alike.
    fn is_of_target(&self) -> bool {
        match self.code() {
            Code::CredentialsRefused => true,
            // Some quotas are those of one thing.
            Code::QuotaExceeded => {
                let message = self.message.to_lowercase();
                let of_one =
                    ["table", "dataset", "view", "routine"].iter().any(|thing| message.contains(thing));
                !self.is_transient() && !of_one
            }
            Code::TargetUnavailable => self.is_unreachable(),
            Code::AccessDenied | Code::TargetNotFound => match self.named() {
                Some((kind, _)) => matches!(kind, "Project" | "Location" | "location"),
                None => !self.message.to_lowercase().contains("in different locations"),
            },
            _ => false,
        }
    }

    /// What is missing or closed: its kind and name, `Table` and `project:dataset.table`.
    pub(super) fn named(&self) -> Option<(&str, &str)> {
        const STARTS: [&str; 2] = ["Access Denied: ", "Not found: "];
        let rest = STARTS.iter().find_map(|start| self.message.strip_prefix(start))?;
        let (kind, rest) = rest.split_once(' ')?;
        let name = rest.split_whitespace().next()?;
        Some((kind, name.trim_end_matches([':', ',', '.', ';'])))
    }

    /// What to do about a refusal of one query.
    pub(super) fn help_of_query(&self) -> Option<&'static str> {
        match self.code() {
            Code::AccessDenied => Some(
                "the account needs the role BigQuery Data Viewer on what the query reads, and Fine-Grained Reader for columns \
                 with policy tags",
            ),
            _ if self.is_missing() || self.is_about_a_place() => Some(
                "is it there, and in the `location` of the target? What a query reads is found only by jobs of its own \
                 location",
            ),
            Code::TooExpensive => self.help(),
            _ => None,
        }
    }

    /// Whether what was to be changed is no longer as it was when it was read.
    pub(super) fn is_outdated(&self) -> bool {
        self.status == Some(412) || self.reason == "conditionNotMet"
    }

    /// Whether nobody was reached: a network that is down is told of soon.
    pub(super) fn is_unreachable(&self) -> bool {
        self.reason == UNREACHABLE
    }

    /// Whether it is what a job says that has failed, and not what became of a request.
    pub(super) fn is_of_job(&self) -> bool {
        self.status.is_none()
            && !matches!(
                self.reason.as_str(),
                NO_ANSWER | UNREACHABLE | NO_TOKEN | STOPPED | LOST_TRACK | UPLOAD_LOST
            )
    }

    /// Whether a job that is known to have failed may go well under another name. A job whose answer was lost may not:
    /// it may be running.
    pub(super) fn is_transient_of_job(&self) -> bool {
        self.is_of_job() && self.is_transient()
    }

    /// Whether the same may go well in a moment.
    pub(super) fn is_transient(&self) -> bool {
        match self.status {
            Some(429 | 500 | 502 | 503 | 504 | 408) => true,
            _ => matches!(
                self.reason.as_str(),
                NO_ANSWER
                    | UNREACHABLE
                    | "rateLimitExceeded"
                    | "jobRateLimitExceeded"
                    | "backendError"
                    | "jobBackendError"
                    | "internalError"
                    | "jobInternalError"
            ),
        }
    }

    fn code(&self) -> Code {
        match (self.reason.as_str(), self.status) {
            (STOPPED, _) => Code::Interrupted,
            (NO_TOKEN | "authError" | "required" | "UNAUTHENTICATED", _) | (_, Some(401)) => {
                Code::CredentialsRefused
            }
            ("accessDenied" | "PERMISSION_DENIED", _) => Code::AccessDenied,
            ("quotaExceeded" | "rateLimitExceeded" | "jobRateLimitExceeded", _) | (_, Some(429)) => {
                Code::QuotaExceeded
            }
            ("bytesBilledLimitExceeded" | "billingTierLimitExceeded", _) => Code::TooExpensive,
            (NO_ANSWER | UNREACHABLE | LOST_TRACK, _) | (_, Some(500 | 502 | 503 | 504)) => {
                Code::TargetUnavailable
            }
            ("billingNotEnabled" | "accessNotConfigured" | "SERVICE_DISABLED", _) => Code::TargetNotFound,
            ("notFound" | "invalid", _) if self.is_about_a_place() || self.is_about_the_interface() => {
                Code::TargetNotFound
            }
            (_, Some(403)) => Code::AccessDenied,
            _ => Code::StepFailed,
        }
    }

    /// Whether a project or dataset is missing, or is elsewhere.
    fn is_about_a_place(&self) -> bool {
        const WORDS: [&str; 6] = [
            "not found: project",
            "not found: dataset",
            "not found: location",
            "invalid location",
            "in different locations",
            "not support this operation in location",
        ];
        let message = self.message.to_lowercase();
        WORDS.iter().any(|words| message.contains(words))
    }

    /// Whether the project has no BigQuery.
    fn is_about_the_interface(&self) -> bool {
        self.message.contains("has not enabled BigQuery")
    }

    /// What to do about a table that has too many partitions for what is done to it.
    ///
    /// Source: <https://cloud.google.com/bigquery/quotas#partitioned_tables>.
    fn help_of_partitions(&self) -> Option<&'static str> {
        let about = |words: &str| self.message.to_lowercase().contains(words);
        if about("too many partitions produced by query") {
            return Some(
                "BigQuery writes 4,000 partitions in one go: a coarser `granularity` or a wider `interval` of `partition_by` has \
                 fewer",
            );
        }
        about("partition modifications").then_some(
            "each publication changes all partitions of its table, and BigQuery allows 30,000 of them in a day: publish it less \
             often, or take a coarser `granularity`",
        )
    }

    fn help(&self) -> Option<&'static str> {
        if let Some(help) = self.help_of_partitions() {
            return Some(help);
        }
        Some(match self.code() {
            Code::CredentialsRefused => {
                "log in with `gcloud auth application-default login`, or give a service account's key with \
                 `credentials_file` or GOOGLE_APPLICATION_CREDENTIALS"
            }
            Code::AccessDenied => {
                "the account needs the role BigQuery User on the project, or BigQuery Job User where no dataset is to be made, and \
                 BigQuery Data Editor on datasets that others made; is `project` of the target right?"
            }
            Code::QuotaExceeded => {
                "wait, run fewer steps at a time with `--threads`, or ask for more quota in the Google Cloud console"
            }
            Code::TooExpensive => {
                "make it read less (partitions, fewer columns), or raise `max_bytes_per_job` or `max_bytes_per_run` of the \
                 target"
            }
            Code::TargetUnavailable if self.status.is_some() => {
                "BigQuery was asked several times and answered so each time: try again later; is `endpoint` of the target right?"
            }
            Code::TargetUnavailable => "is the network up, and is `endpoint` of the target right?",
            Code::TargetNotFound if self.reason == "billingNotEnabled" => {
                "link a billing account to the project in the Google Cloud console"
            }
            Code::TargetNotFound if self.is_about_a_place() => {
                "are `project` and `location` of the target right? A dataset is found only by jobs of its own location"
            }
            Code::TargetNotFound => "enable the BigQuery API for the project in the Google Cloud console",
            Code::StepFailed if self.reason == "invalidQuery" => {
                "`pipewright compile` prints the query; a place in brackets counts from the start of the statement that \
                 it is sent in"
            }
            _ => return None,
        })
    }
}

impl From<reqwest::Error> for ApiError {
    fn from(error: reqwest::Error) -> Self {
        let message = deepest(&error);
        if error.is_connect() {
            return Self::unreachable(&format!("BigQuery cannot be reached: {message}"));
        }
        Self {
            status: error.status().map(|status| status.as_u16()),
            reason: NO_ANSWER.to_owned(),
            message: format!("BigQuery did not answer: {message}"),
            ..Self::default()
        }
    }
}

/// The last of a chain of errors: the first only says that a request failed.
pub(super) fn deepest(error: &dyn std::error::Error) -> String {
    let mut deepest = error;
    while let Some(deeper) = deepest.source() {
        deepest = deeper;
    }
    deepest.to_string()
}

impl From<ApiError> for WarehouseError {
    fn from(error: ApiError) -> Self {
        let transient = error.is_transient() || error.reason == UPLOAD_LOST;
        let diagnostic = Diagnostic::error(error.code(), error.message.clone())
            .maybe_help(error.help().map(str::to_owned));
        Self { diagnostic, transient, of_target: error.is_of_target() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(status: u16, reason: &str, message: &str) -> WarehouseError {
        let body = serde_json::json!({"error": {"message": message, "errors": [{"reason": reason}]}});
        ApiError::of_answer(status, &body.to_string()).into()
    }

    #[test]
    fn refusals_are_told_apart() {
        let cases = [
            (401, "authError", "Invalid Credentials", Code::CredentialsRefused, false),
            (403, "accessDenied", "Access Denied: Project p", Code::AccessDenied, false),
            (403, "quotaExceeded", "Quota exceeded", Code::QuotaExceeded, false),
            (403, "rateLimitExceeded", "Exceeded rate limits", Code::QuotaExceeded, true),
            (400, "bytesBilledLimitExceeded", "Query exceeded limit", Code::TooExpensive, false),
            (
                404,
                "notFound",
                "Not found: Dataset p:d was not found in location US",
                Code::TargetNotFound,
                false,
            ),
            (404, "notFound", "Not found: Table p:d.t", Code::StepFailed, false),
            (400, "invalidQuery", "Syntax error at [1:2]", Code::StepFailed, false),
            (503, "backendError", "try again", Code::TargetUnavailable, true),
        ];
        for (status, reason, message, code, transient) in cases {
            let error = of(status, reason, message);
            assert_eq!((error.diagnostic.code, error.transient), (code, transient), "{reason}: {message}");
            assert_eq!(error.diagnostic.message, message);
        }
    }

    #[test]
    fn too_many_partitions_are_told_with_what_has_fewer() {
        let help = |message: &str| of(403, "quotaExceeded", message).diagnostic.help;
        let modified = "Quota exceeded: Your table exceeded quota for Number of partition modifications to a column \
                        partitioned table";
        assert!(help(modified).is_some_and(|help| help.contains("less often")));
        let written =
            "Too many partitions produced by query, allowed 4000, query produces at least 5000 partitions";
        assert!(help(written).is_some_and(|help| help.contains("4,000 partitions")));
        assert!(help("Quota exceeded").is_some_and(|help| help.starts_with("wait")));
    }

    #[test]
    fn what_is_about_one_query_is_told_from_what_is_about_all() {
        let cases = [
            (403, "accessDenied", "Access Denied: Table p:d.t: User does not have permission", true),
            (403, "accessDenied", "Access Denied: Dataset p:d: no", true),
            (
                403,
                "accessDenied",
                "Access Denied: BigQuery BigQuery: User has no access to the policy tag",
                true,
            ),
            (403, "accessDenied", "Access Denied: Project p: User does not have bigquery.jobs.create", false),
            (403, "accessDenied", "Access Denied: Project other: no", true),
            (403, "accessDenied", "Access Denied", false),
            (403, "vpcServiceControls", "VPC Service Controls: Request is prohibited", false),
            (404, "notFound", "Not found: Table p:d.t was not found in location EU", true),
            (404, "notFound", "Not found: Dataset p:d was not found in location EU", true),
            (404, "notFound", "Not found: Project p", false),
            (
                400,
                "invalid",
                "Cannot read and write in different locations: source: US, destination: EU",
                true,
            ),
            (400, "invalid", "Invalid location: EU", false),
            (400, "invalidQuery", "Syntax error at [1:2]", true),
            (400, "bytesBilledLimitExceeded", "Query exceeded limit", true),
            (403, "quotaExceeded", "Quota exceeded", false),
            (403, "billingNotEnabled", "Billing has not been enabled for this project", false),
            (401, "authError", "Invalid Credentials", false),
            (503, "backendError", "try again", false),
        ];
        for (status, reason, message, of_one) in cases {
            let body = serde_json::json!({"error": {"message": message, "errors": [{"reason": reason}]}});
            let error = ApiError::of_answer(status, &body.to_string());
            assert_eq!(error.is_of_one_query("p"), of_one, "{reason}: {message}");
            // What is about one query is about no other step. Another project, and a moment, are neither.
            let of_target = !of_one && reason != "backendError" || message.contains("Project other");
            assert_eq!(error.is_of_target(), of_target, "{reason}: {message}");
        }
        let of_a_table = "Quota exceeded: Your table exceeded quota for imports or query appends per table";
        assert!(!of(403, "quotaExceeded", of_a_table).of_target);
        assert!(!ApiError::unreachable("down").is_of_one_query("p"));
        assert!(!ApiError::stopped().is_of_one_query("p"));
    }

    #[test]
    fn only_a_job_that_failed_is_run_under_another_name() {
        let of_job = |reason: &str| {
            let error = serde_json::json!({"reason": reason, "message": "no"});
            ApiError::of_job(&serde_json::json!({ "status": { "errorResult": error } }))
        };
        assert!(of_job("backendError").is_transient_of_job());
        assert!(!of_job("invalidQuery").is_transient_of_job());
        // What was lost on the way may have been done.
        let lost = ApiError::lacks("end");
        assert!(lost.is_transient() && !lost.is_transient_of_job());
        assert!(!ApiError::of_answer(503, "").is_transient_of_job());
    }

    #[test]
    fn rows_that_cannot_be_read_are_told_of_by_their_own_errors() {
        let error = |message: &str| {
            let message = format!("Error while reading data, error message: {message}");
            serde_json::json!({"reason": "invalid", "message": message})
        };
        let job = |kind: &str, status: Value| serde_json::json!({ "status": status, "configuration": { kind: {} } });
        let load = |status: Value| ApiError::of_job(&job("load", status));
        let summary = "CSV processing encountered too many errors, giving up. Rows: 1; errors: 1; max bad: 0; error percent: 0";
        let one = "Could not parse '00:00:00' as TIMESTAMP for field at; line_number: 2 column_name: \"at\" \
                   value: \"00:00:00\" File: gs://b/a.csv";
        // The job's own error is the one or the other.
        for (own, other) in [(summary, one), (one, summary)] {
            let told =
                load(serde_json::json!({"errorResult": error(own), "errors": [error(own), error(other)]}));
            assert!(told.is_of_rows());
            assert_eq!(told.rows, [one]);
            // What is told of any job that fails has no values of rows.
            assert_eq!(told.message, "files of it cannot be read");
        }
        let alone = load(serde_json::json!({"errorResult": error(summary)}));
        assert_eq!(alone.rows, [summary]);
        let query = ApiError::of_job(&job("query", serde_json::json!({"errorResult": error(one)})));
        assert!(!query.is_of_rows() && query.message.contains(one));
        for other in [
            "Cannot load compressed and uncompressed files",
            "Error while reading data, error message: Input CSV files are not splittable and at least one of the files is \
             larger than the maximum allowed size.",
        ] {
            let other = serde_json::json!({"reason": "invalid", "message": other});
            assert!(!load(serde_json::json!({ "errorResult": other })).is_of_rows());
        }
    }

    #[test]
    fn plain_words_are_told_and_pages_are_not() {
        let said = |body: &str| ApiError::of_answer(403, body).message;
        assert_eq!(
            said("a does not have storage.objects.get access.\n"),
            "a does not have storage.objects.get access."
        );
        assert_eq!(said("<html><title>502</title></html>"), "HTTP status 403");
        assert_eq!(said("{}"), "HTTP status 403");
    }

    #[test]
    fn a_gateway_speaks_no_json() {
        let error = ApiError::of_answer(502, "<html>Bad Gateway</html>");
        assert!(error.is_transient());
        assert_eq!(error.message, "HTTP status 502");
    }
}
