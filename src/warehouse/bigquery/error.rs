//! What BigQuery's refusals mean, and what to do about them.
//!
//! The reasons are those of <https://cloud.google.com/bigquery/docs/error-messages>.

use serde_json::Value;

use super::super::WarehouseError;
use crate::diag::{Code, Diagnostic};

/// Something that went wrong on the way to BigQuery or there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ApiError {
    /// The status of the answer, where there was one.
    pub(super) status: Option<u16>,
    /// BigQuery's word for it: `accessDenied`.
    pub(super) reason: String,
    /// What was said.
    pub(super) message: String,
}

/// The reason of a request that got no answer, or one that nobody can read, as those of gateways are.
const NO_ANSWER: &str = "noAnswer";
/// The reason of a request that reached nobody.
const UNREACHABLE: &str = "unreachable";
/// The reason of a request for which no token was granted.
const NO_TOKEN: &str = "noToken";
/// The reason of an upload that cannot go on, but can be done anew.
const UPLOAD_LOST: &str = "uploadLost";
/// The reason of work that was given up because somebody asked for it.
const STOPPED: &str = "stopped";

impl ApiError {
    /// Work that was given up because somebody asked for it.
    pub(super) fn stopped() -> Self {
        Self { status: None, reason: STOPPED.to_owned(), message: "it was stopped".to_owned() }
    }

    /// No token was granted.
    pub(super) fn no_token(why: &str) -> Self {
        Self { status: None, reason: NO_TOKEN.to_owned(), message: format!("no token was granted: {why}") }
    }

    /// An answer that is no JSON.
    pub(super) fn unreadable(error: &serde_json::Error) -> Self {
        let message = format!("BigQuery's answer cannot be read: {error}");
        Self { status: None, reason: NO_ANSWER.to_owned(), message }
    }

    /// An answer that lacks what it should have.
    pub(super) fn lacks(what: &str) -> Self {
        Self {
            status: None,
            reason: NO_ANSWER.to_owned(),
            message: format!("BigQuery's answer has no {what}"),
        }
    }

    /// An upload that was begun and is not known any more, nor what became of it.
    pub(super) fn upload_lost() -> Self {
        let message = "BigQuery does not know the upload any more".to_owned();
        Self { status: None, reason: UPLOAD_LOST.to_owned(), message }
    }

    /// An answer of a status that tells of a failure.
    pub(super) fn of_answer(status: u16, body: &str) -> Self {
        let body: Value = serde_json::from_str(body).unwrap_or_default();
        let error = &body["error"];
        let reason = error["errors"][0]["reason"].as_str().or_else(|| error["status"].as_str());
        Self {
            status: Some(status),
            reason: reason.unwrap_or_default().to_owned(),
            message: error["message"].as_str().map_or_else(|| format!("HTTP status {status}"), str::to_owned),
        }
    }

    /// What a job that failed says.
    pub(super) fn of_job(error: &Value) -> Self {
        Self {
            status: None,
            reason: error["reason"].as_str().unwrap_or_default().to_owned(),
            message: error["message"].as_str().unwrap_or("the job failed and did not say why").to_owned(),
        }
    }

    /// Whether what was asked for is not there.
    pub(super) fn is_missing(&self) -> bool {
        self.status == Some(404) || self.reason == "notFound"
    }

    /// Whether what was to be made is there already.
    pub(super) fn is_duplicate(&self) -> bool {
        self.status == Some(409) || self.reason == "duplicate"
    }

    /// Whether nobody was reached: a network that is down is told of soon.
    pub(super) fn is_unreachable(&self) -> bool {
        self.reason == UNREACHABLE
    }

    /// Whether a job that is known to have failed may go well under another name. A job whose answer was lost may not:
    /// it may be running.
    pub(super) fn is_transient_of_job(&self) -> bool {
        self.status.is_none()
            && self.is_transient()
            && !matches!(self.reason.as_str(), NO_ANSWER | UNREACHABLE)
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
            (
                NO_ANSWER | UNREACHABLE | "billingNotEnabled" | "accessNotConfigured" | "SERVICE_DISABLED",
                _,
            ) => Code::TargetUnavailable,
            ("notFound", _) if self.is_about_a_place() => Code::TargetUnavailable,
            (_, Some(403)) => Code::AccessDenied,
            _ => Code::StepFailed,
        }
    }

    /// Whether a project or dataset is missing, or is elsewhere.
    fn is_about_a_place(&self) -> bool {
        let message = self.message.to_lowercase();
        message.contains("not found: project") || message.contains("not found: dataset")
    }

    fn help(&self) -> Option<&'static str> {
        Some(match self.code() {
            Code::CredentialsRefused => {
                "log in with `gcloud auth application-default login`, or give a service account's key with \
                 `credentials_file` or GOOGLE_APPLICATION_CREDENTIALS"
            }
            Code::AccessDenied => {
                "the account needs the roles BigQuery Job User on the project and BigQuery Data Editor on its datasets"
            }
            Code::QuotaExceeded => {
                "wait, run fewer steps at a time with `--threads`, or ask for more quota in the Google Cloud console"
            }
            Code::TooExpensive => "make the query read less, or ask whoever set the limit to raise it",
            Code::TargetUnavailable if self.reason == NO_ANSWER || self.is_unreachable() => {
                "is the network up, and is `endpoint` of the target right?"
            }
            Code::TargetUnavailable if self.reason == "billingNotEnabled" => {
                "link a billing account to the project in the Google Cloud console"
            }
            Code::TargetUnavailable if self.is_about_a_place() => {
                "are `project` and `location` of the target right? A dataset is found only by jobs of its own location"
            }
            Code::TargetUnavailable => "enable the BigQuery API for the project in the Google Cloud console",
            _ => return None,
        })
    }
}

impl From<reqwest::Error> for ApiError {
    fn from(error: reqwest::Error) -> Self {
        let status = error.status().map(|status| status.as_u16());
        // The whole chain: the first only says that a request failed.
        let mut message = error.to_string();
        let mut cause = std::error::Error::source(&error);
        while let Some(deeper) = cause {
            message = deeper.to_string();
            cause = deeper.source();
        }
        let reason = if error.is_connect() { UNREACHABLE } else { NO_ANSWER };
        Self { status, reason: reason.to_owned(), message: format!("BigQuery cannot be reached: {message}") }
    }
}

impl From<ApiError> for WarehouseError {
    fn from(error: ApiError) -> Self {
        let transient = error.is_transient() || error.reason == UPLOAD_LOST;
        let diagnostic = Diagnostic::error(error.code(), error.message.clone())
            .maybe_help(error.help().map(str::to_owned));
        Self { diagnostic, transient }
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
                Code::TargetUnavailable,
                false,
            ),
            (404, "notFound", "Not found: Table p:d.t", Code::StepFailed, false),
            (400, "invalidQuery", "Syntax error at [1:2]", Code::StepFailed, false),
            (503, "backendError", "try again", Code::StepFailed, true),
        ];
        for (status, reason, message, code, transient) in cases {
            let error = of(status, reason, message);
            assert_eq!((error.diagnostic.code, error.transient), (code, transient), "{reason}: {message}");
            assert_eq!(error.diagnostic.message, message);
        }
    }

    #[test]
    fn only_a_job_that_failed_is_run_under_another_name() {
        let of_job = |reason: &str| ApiError::of_job(&serde_json::json!({"reason": reason, "message": "no"}));
        assert!(of_job("backendError").is_transient_of_job());
        assert!(!of_job("invalidQuery").is_transient_of_job());
        // What was lost on the way may have been done.
        let lost = ApiError::lacks("end");
        assert!(lost.is_transient() && !lost.is_transient_of_job());
        assert!(!ApiError::of_answer(503, "").is_transient_of_job());
    }

    #[test]
    fn a_gateway_speaks_no_json() {
        let error = ApiError::of_answer(502, "<html>Bad Gateway</html>");
        assert!(error.is_transient());
        assert_eq!(error.message, "HTTP status 502");
    }
}
