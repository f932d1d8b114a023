//! Datasets, and who may use them.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::DurationText;

/// A dataset: a namespace of tables. The embedded DuckDB has schemas, which are only names: what is said here of
/// labels, expiration and grants is checked there and has no effect.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Dataset {
    /// What the dataset holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"Facts and dimensions for reports.")]
    pub description: Option<String>,
    /// BigQuery's labels of the dataset, by which bills and searches tell it apart. Labels that are not named here
    /// stay as they are.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    #[schemars(example = serde_json::json!({"team": "analytics", "env": "prod"}))]
    pub labels: IndexMap<String, String>,
    /// How long BigQuery keeps the dataset's tables, those that Pipewright publishes among them; an hour at least. It
    /// is counted from when a table is first made, not from its last build, and holds for tables that are made from then
    /// on; the next run makes anew what has expired. Taken out of the manifest, it stays as it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"90d")]
    pub default_table_expiration: Option<DurationText>,
    /// Who may use the dataset in BigQuery. Access is only ever added: what others granted stays, and so does a grant
    /// that is taken out of the manifest, until somebody revokes it in BigQuery.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(example = serde_json::json!([{"role": "reader", "members": ["group:analysts@example.com"]}]))]
    pub grants: Vec<DatasetGrant>,
}

/// A role in a dataset, and who has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DatasetGrant {
    /// What they may do.
    pub role: DatasetRole,
    /// Who: `user:`, `group:` or `serviceAccount:` with an address, `domain:` with all of a company, `principal:` or
    /// `principalSet:` of workload identity federation; `projectReaders`, `projectWriters` and `projectOwners`, who
    /// have that role in the project; `allAuthenticatedUsers`, anyone with a Google account; `allUsers`, anyone.
    #[schemars(length(min = 1), example = vec!["user:ana@example.com", "group:analysts@example.com", "domain:example.com"])]
    pub members: Vec<String>,
}

/// What somebody may do with a dataset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum DatasetRole {
    /// Read its tables: BigQuery Data Viewer.
    Reader,
    /// Read, make, change and drop its tables: BigQuery Data Editor.
    Writer,
    /// All that, and change the dataset and who may use it: BigQuery Data Owner.
    Owner,
}

impl DatasetRole {
    /// As the manifest writes it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Reader => "reader",
            Self::Writer => "writer",
            Self::Owner => "owner",
        }
    }
}
