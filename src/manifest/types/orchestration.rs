//! Jobs, schedules and notifications.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{DurationText, Secret};

/// What is run together, and when.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Job {
    /// What the job is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"Everything, every morning.")]
    pub description: Option<String>,
    /// What it does.
    #[serde(default)]
    pub run: JobCommand,
    /// What it runs, as `--select` takes it; everything unless given.
    #[serde(default)]
    #[schemars(example = vec!["tag:raw", "dim_orders+"])]
    pub select: Vec<String>,
    /// When it runs by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule: Option<Schedule>,
    /// What sets it off besides its schedule.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sensors: Vec<Sensor>,
    /// How long it may take.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"2h")]
    pub timeout: Option<DurationText>,
    /// How a failed run is tried again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retries: Option<Retries>,
}

/// What a job does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum JobCommand {
    /// Load, build, check and publish what changed.
    #[default]
    Apply,
    /// Check expectations only.
    Check,
}

/// When a job runs by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Schedule {
    /// Five fields: minute, hour, day of month, month, day of week.
    #[schemars(example = &"0 6 * * *")]
    pub cron: String,
    /// Time zone by its IANA name.
    #[serde(default = "utc")]
    #[schemars(example = &"America/Sao_Paulo")]
    pub timezone: String,
}

fn utc() -> String {
    "UTC".to_owned()
}

/// Something that sets a job off; `sense` says of which kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "sense", rename_all = "lowercase")]
pub enum Sensor {
    /// Files of sources are new or changed.
    Files(FileSensor),
    /// Another job failed.
    Failure(FailureSensor),
}

/// Looks for new and changed files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FileSensor {
    /// The sources whose files are looked at; all unless given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(example = vec!["raw_orders"])]
    pub sources: Vec<String>,
    /// How often it looks.
    #[serde(default = "minute")]
    #[schemars(example = &"5m")]
    pub every: DurationText,
}

fn minute() -> DurationText {
    DurationText(std::time::Duration::from_secs(60))
}

/// Waits for other jobs to fail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FailureSensor {
    /// The jobs whose failures count; all others unless given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(example = vec!["daily_pipeline"])]
    pub jobs: Vec<String>,
}

/// How something that fails for a passing reason is tried again. The wait doubles after each try.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Retries {
    /// Tries after the first.
    #[schemars(example = 2, range(max = 20))]
    pub attempts: u32,
    /// Wait before the second try.
    #[schemars(example = &"1s")]
    pub wait: DurationText,
    /// The longest wait.
    #[schemars(example = &"1m")]
    pub max_wait: DurationText,
}

impl Default for Retries {
    fn default() -> Self {
        let seconds = |count| DurationText(std::time::Duration::from_secs(count));
        Self { attempts: 2, wait: seconds(1), max_wait: seconds(60) }
    }
}

/// Who is told about runs, and how.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Notification {
    /// The events that are told.
    #[schemars(extend("minItems" = 1))]
    pub events: Vec<NotificationEvent>,
    /// Jobs that it listens to; all unless given.
    #[serde(default)]
    #[schemars(example = vec!["daily_pipeline"])]
    pub jobs: Vec<String>,
    /// A run longer than this is slow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"1h")]
    pub slow_after: Option<DurationText>,
    /// How it is sent.
    pub send: Channel,
}

/// Something that happens to a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum NotificationEvent {
    /// The run ended well.
    Success,
    /// The run failed.
    Failure,
    /// An expectation of severity `warning` failed.
    Warning,
    /// The run takes longer than `slow_after`.
    Slow,
}

/// How a notification is sent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum Channel {
    /// An HTTP request.
    Webhook(Webhook),
    /// A mail over SMTP.
    Email(Email),
}

/// An HTTP request with the event as JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Webhook {
    /// Where it is sent.
    pub url: Secret,
    /// The form of the body.
    #[serde(default)]
    pub format: WebhookFormat,
    /// Further request headers.
    #[serde(default)]
    pub headers: IndexMap<String, Secret>,
}

/// The form of a webhook's body.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum WebhookFormat {
    /// The event as it is.
    #[default]
    Json,
    /// A message in Slack's form.
    Slack,
}

/// A mail over SMTP.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Email {
    /// Whom it goes to.
    #[schemars(example = vec!["data-team@example.com"], extend("minItems" = 1))]
    pub to: Vec<String>,
    /// Whom it comes from.
    #[schemars(example = &"pipewright@example.com")]
    pub from: String,
    /// `smtp://user:password@host:port`.
    pub smtp: Secret,
}
