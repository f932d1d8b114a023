//! `pipeline.yaml`, the manifest's root.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    ByteSize, Checkpoint, Dataset, DurationText, ExpectationSeverity, Job, Materialized, Notification,
    Retries, Scalar,
};

/// The root of a Pipewright manifest: `pipeline.yaml`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PipelineFile {
    /// Name of the pipeline; it marks the objects that the pipeline makes in a target.
    #[schemars(example = &"olist", regex(pattern = r"^[a-z][a-z0-9_]*$"))]
    pub name: String,
    /// What the pipeline is for, in a sentence or two.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"Orders of a Brazilian marketplace as a star schema.")]
    pub description: Option<String>,
    /// Values for `var('name')` in SQL templates; `--var name=value` overrides one.
    #[serde(default)]
    #[schemars(example = serde_json::json!({"first_day": "2016-01-01"}))]
    pub vars: IndexMap<String, Scalar>,
    /// Where the pipeline can run, by name: `-t NAME` chooses one.
    #[schemars(extend("minProperties" = 1))]
    pub targets: IndexMap<String, Target>,
    /// The target used without `-t`; the first one unless named here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"local")]
    pub default_target: Option<String>,
    /// The datasets (schemas in DuckDB) that tables are built in.
    pub datasets: IndexMap<String, Dataset>,
    /// Settings that apply wherever a source, model or expectation does not say otherwise.
    #[serde(default)]
    pub defaults: Defaults,
    /// Patterns of the files that belong to the manifest, relative to this file.
    #[serde(default)]
    pub include: Include,
    /// What is run together, and when.
    #[serde(default)]
    pub jobs: IndexMap<String, Job>,
    /// Expectations that are looked at together.
    #[serde(default)]
    pub checkpoints: IndexMap<String, Checkpoint>,
    /// Who is told about runs, and how.
    #[serde(default)]
    pub notifications: IndexMap<String, Notification>,
}

/// A place where the pipeline can run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum Target {
    /// The embedded DuckDB: a file on this machine.
    DuckDb(DuckDbTarget),
    /// Google BigQuery.
    BigQuery(Box<BigQueryTarget>),
}

/// An embedded DuckDB file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DuckDbTarget {
    /// The database file, relative to the project; made when it is missing.
    #[schemars(example = &"olist.duckdb")]
    pub path: String,
    /// Threads of the engine; all cores unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = 4, range(min = 1, max = 1024))]
    pub threads: Option<u32>,
    /// Memory that the engine may use before it spills to disk; DuckDB's own default unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"4GB", regex(pattern = r"^[0-9]+(\.[0-9]+)? ?(KB|MB|GB|TB|KiB|MiB|GiB|TiB)$"))]
    pub memory_limit: Option<String>,
}

/// A BigQuery project.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BigQueryTarget {
    /// The project that holds the datasets.
    #[schemars(example = &"my-project")]
    pub project: String,
    /// Location of the datasets and jobs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"southamerica-east1")]
    pub location: Option<String>,
    /// Text put before each dataset's name, for a developer's own copy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"dev_ana_")]
    pub dataset_prefix: Option<String>,
    /// Path of a file of credentials, relative to the project: a service account's key, or what `gcloud` or workload
    /// identity federation made. Application-default credentials unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"${PIPEWRIGHT_KEY_FILE}")]
    pub credentials_file: Option<String>,
    /// The project whose quota and bill requests count for. Unless given, the one of `GOOGLE_CLOUD_QUOTA_PROJECT`, or the
    /// one that the file of credentials names for it (`gcloud auth application-default set-quota-project`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"my-billing-project")]
    pub quota_project: Option<String>,
    /// Where BigQuery is, for private endpoints and emulators. Nobody's credentials are sent to one that begins with
    /// `http://`, unless `credentials_file` names some.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"https://bigquery-myendpoint.p.googleapis.com")]
    pub endpoint: Option<String>,
    /// Where Cloud Storage is, for the files of sources whose names begin with `gs://`: for private endpoints and
    /// emulators. Credentials are sent there as to `endpoint`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"https://storage-myendpoint.p.googleapis.com")]
    pub storage_endpoint: Option<String>,
    /// The dataset of what Pipewright remembers: state, runs, results. `dataset_prefix` is put before it too.
    #[serde(default = "state_dataset")]
    #[schemars(example = &"pipewright", regex(pattern = r"^[A-Za-z0-9_]{1,900}$"))]
    pub state_dataset: String,
    /// Labels of all jobs, beside those of pipeline, run and node, 60 at most: what BigQuery bills is told apart by them.
    /// Names that begin with `pipewright` are Pipewright's own.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    #[schemars(example = serde_json::json!({"team": "finance"}))]
    pub labels: IndexMap<String, String>,
    /// Whether queries run at once or when BigQuery has room for them. What Pipewright looks up and writes down for itself runs
    /// at once.
    #[serde(default)]
    pub priority: Priority,
    /// The most steps and dry runs at a time, without `--threads`: jobs wait for BigQuery, not for this machine.
    #[serde(default = "sixteen")]
    #[schemars(example = 16, range(min = 1, max = 1024))]
    pub threads: u32,
    /// After how long BigQuery gives a job up; its own limit unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"30m")]
    pub job_timeout: Option<DurationText>,
    /// What one query may be billed for. A plan with a step that is known to need more is refused before anything
    /// runs, and BigQuery refuses whatever was not foreseen; no limit unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"100 GB")]
    pub max_bytes_per_job: Option<ByteSize>,
    /// The same for all queries of one run together, what Pipewright looks up and writes down included. None is begun
    /// once the run has cost as much, and each may cost what is left when it begins: those that run at the same time may
    /// pass the limit together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"1 TB")]
    pub max_bytes_per_run: Option<ByteSize>,
    /// What a tebibyte costs that a query reads, in US dollars: the list price of on-demand queries in the United
    /// States unless given. 0 where capacity is paid for instead.
    #[serde(default = "list_price")]
    #[schemars(example = 6.25, range(min = 0.0))]
    pub price_per_tib: f64,
}

/// When queries run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Priority {
    /// At once.
    #[default]
    Interactive,
    /// When there is room for them, within a day.
    Batch,
}

fn state_dataset() -> String {
    "pipewright".to_owned()
}

fn sixteen() -> u32 {
    16
}

/// <https://cloud.google.com/bigquery/pricing#on_demand_pricing>
fn list_price() -> f64 {
    6.25
}

fn half() -> f64 {
    0.5
}

/// Settings that apply wherever nothing else is said.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Defaults {
    /// For every source.
    pub sources: SourceDefaults,
    /// For every model.
    pub models: ModelSettings,
    /// For every expectation.
    pub expectations: ExpectationDefaults,
    /// How steps that fail for a passing reason are tried again.
    pub retries: Retries,
    /// How long one step may take; no limit unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"30m")]
    pub step_timeout: Option<DurationText>,
    /// How long runs and the results of expectations are remembered; for ever unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"400d")]
    pub keep_history: Option<DurationText>,
    /// The greatest share of its rows that a table may lose from one run to the next, from 0 to 1, before the new one is
    /// refused. 1 lets tables be empty.
    #[serde(default = "half")]
    #[schemars(example = 0.5, range(min = 0.0, max = 1.0))]
    pub max_shrink: f64,
    /// What becomes of a build that was refused.
    pub failed_builds: FailedBuilds,
}

/// What becomes of a build that was refused.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FailedBuilds {
    /// It is kept as `<table>__failed`, for a look at its rows, until the next good build.
    #[default]
    Keep,
    /// It is dropped at once: there are tables of which no second copy may lie about.
    Drop,
}

impl Default for Defaults {
    fn default() -> Self {
        Self {
            sources: SourceDefaults::default(),
            models: ModelSettings::default(),
            expectations: ExpectationDefaults::default(),
            retries: Retries::default(),
            step_timeout: None,
            keep_history: None,
            max_shrink: half(),
            failed_builds: FailedBuilds::default(),
        }
    }
}

/// What holds for every source that does not say otherwise.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SourceDefaults {
    /// The dataset that sources and seeds are loaded into.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"olist_raw")]
    pub dataset: Option<String>,
}

/// What holds for every model that does not say otherwise.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ModelSettings {
    /// The dataset that models are built in.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"olist_marts")]
    pub dataset: Option<String>,
    /// How models are kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub materialized: Option<Materialized>,
}

/// What holds for every expectation that does not say otherwise.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ExpectationDefaults {
    /// What a failure means.
    pub severity: ExpectationSeverity,
    /// How many failing rows are kept as a sample.
    #[schemars(example = 5, range(max = 1000))]
    pub sample_rows: u32,
    /// Tags of columns whose values are told nowhere: not in samples, not in what expectations found, not in faults of
    /// files. Columns of the same name in other tables are hidden too. The tables themselves, those of rejected rows
    /// among them, have them as they came.
    #[schemars(example = vec!["personal", "secret"])]
    pub mask: Vec<String>,
}

impl Default for ExpectationDefaults {
    fn default() -> Self {
        Self { severity: ExpectationSeverity::Critical, sample_rows: 5, mask: vec!["personal".to_owned()] }
    }
}

/// Patterns of the files that belong to the manifest, relative to `pipeline.yaml`. `**` crosses folders.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Include {
    /// Files that declare sources and seeds.
    #[schemars(example = vec!["sources/*.yaml"])]
    pub sources: Vec<String>,
    /// Files that declare models.
    #[schemars(example = vec!["models/**/*.yaml"])]
    pub models: Vec<String>,
    /// Files that declare expectations.
    #[schemars(example = vec!["expectations/*.yaml"])]
    pub expectations: Vec<String>,
    /// Files that declare dashboards.
    #[schemars(example = vec!["dashboards/*.yaml"])]
    pub dashboards: Vec<String>,
    /// Files that declare unit tests of models.
    #[schemars(example = vec!["unit_tests/**/*.yaml"])]
    pub unit_tests: Vec<String>,
    /// Files of template macros, usable in every SQL file.
    #[schemars(example = vec!["macros/*.sql"])]
    pub macros: Vec<String>,
}

impl Default for Include {
    fn default() -> Self {
        let one = |pattern: &str| vec![pattern.to_owned()];
        Self {
            sources: one("sources/*.yaml"),
            models: one("models/**/*.yaml"),
            expectations: one("expectations/*.yaml"),
            dashboards: one("dashboards/*.yaml"),
            unit_tests: one("unit_tests/**/*.yaml"),
            macros: one("macros/*.sql"),
        }
    }
}
