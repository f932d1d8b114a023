//! Checkpoints: expectations that are looked at together.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Expectations that are looked at together: after each run that looked at some of them, and by `pipewright check NAME`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Checkpoint {
    /// What it stands for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"What came in is whole, before anything is built from it.")]
    pub description: Option<String>,
    /// The suites in it; all unless suites or tags are given.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(example = vec!["fact_sales", "dim_orders"])]
    pub suites: Vec<String>,
    /// Words that mark its expectations or their suites.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(example = vec!["post_ingestion"])]
    pub tags: Vec<String>,
    /// What happens after `pipewright check NAME` and after each run that looked at some of them, beside what is printed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub actions: Vec<CheckpointAction>,
}

/// What happens after a checkpoint; `do` says what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum CheckpointAction {
    /// The results are written to a file.
    Write(WriteResults),
    /// The results are kept in the target, in the table `pipewright.expectations`, as those of each `apply` are.
    Keep(KeepResults),
    /// A site is written of all results that are kept, for a browser: what `pipewright results --site` writes.
    Site(WriteSite),
}

/// The results are written to a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WriteResults {
    /// The file, relative to the project; its folder is made when it is missing.
    #[schemars(example = &"reports/post_ingestion.xml")]
    pub to: String,
    /// How they are written.
    pub format: ResultsFormat,
    /// After which outcomes.
    #[serde(default)]
    pub when: When,
}

/// The results are kept in the target.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct KeepResults {
    /// After which outcomes.
    pub when: When,
}

/// A site is written of all results that are kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WriteSite {
    /// Its folder, relative to the project; made when it is missing. It is written after the other actions, wherever
    /// it stands, so that a run that is kept is in it.
    #[schemars(example = &"reports/site")]
    pub to: String,
    /// After which outcomes.
    #[serde(default)]
    pub when: When,
}

/// How results are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ResultsFormat {
    /// As text for people.
    #[default]
    Table,
    /// As JSON.
    Json,
    /// As JUnit's XML, which systems for continuous integration read.
    Junit,
    /// As Markdown, for a comment on a pull request.
    Markdown,
}

/// After which outcomes something happens.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum When {
    /// After all.
    #[default]
    Always,
    /// When a critical expectation failed or one could not be evaluated.
    Failure,
}
