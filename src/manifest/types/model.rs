//! `models/**/*.yaml`: tables and views made by SQL.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{DurationText, PartitionBy};

/// A file that declares models.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ModelsFile {
    /// Settings for the models of this file that do not say otherwise.
    pub defaults: ModelDefaults,
    /// The models; SQL reads one with `ref('name')`.
    pub models: IndexMap<String, Model>,
}

/// Settings for all models of a file.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ModelDefaults {
    /// The dataset that the models are built in.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"olist_staging")]
    pub dataset: Option<String>,
    /// How the models are kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub materialized: Option<Materialized>,
    /// Who answers for them.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"analytics@example.com")]
    pub owner: Option<String>,
    /// Words to select them by, added to each model's own.
    #[schemars(example = vec!["staging"])]
    pub tags: Vec<String>,
}

/// How a model is kept in the target.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Materialized {
    /// A view: nothing is stored, the SQL runs when it is read.
    View,
    /// A table, built anew whenever its SQL or its inputs change.
    #[default]
    Table,
    /// A table that new rows are brought into when its inputs change: see `incremental`.
    Incremental,
    /// A view whose result BigQuery keeps and refreshes by itself; it takes some queries only. On DuckDB, in audits and in
    /// unit tests it is a view.
    MaterializedView,
}

/// What stands in the target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Materialization {
    /// A view.
    View,
    /// A table.
    Table,
}

impl Materialization {
    /// What SQL calls it.
    pub fn keyword(self) -> &'static str {
        match self {
            Self::View => "VIEW",
            Self::Table => "TABLE",
        }
    }
}

/// How new rows come into an incremental table.
///
/// In its query `is_incremental()` says whether the table is there already, and `{{ this }}` names it: with them the
/// query gives only rows that are new. At first, on request (`--full-refresh`) and when it has changed, the query runs
/// for the whole table.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Incremental {
    /// What becomes of rows that are there; `merge` where there is a `unique_key`, else `append`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub strategy: Option<Strategy>,
    /// The columns that tell rows apart. That no two new rows have the same is proven before anything is merged.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(example = vec!["order_id"])]
    pub unique_key: Vec<String>,
    /// The column whose values part the table, for `insert_overwrite`. On BigQuery the model's own `partition_by` is it too,
    /// by day, unless given or of a type that has no days.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"order_date")]
    pub partition_by: Option<String>,
    /// What to do when the query gives other columns than the table has.
    pub on_schema_change: OnSchemaChange,
    /// What to do when the query itself has changed.
    pub on_query_change: OnQueryChange,
}

/// How new rows and rows that are there go together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Strategy {
    /// New rows are added.
    Append,
    /// A new row takes the place of the one that has the same key, or is added.
    Merge,
    /// All rows of those partitions that new rows belong to are replaced.
    InsertOverwrite,
}

impl Strategy {
    /// What a step of it does, in a word.
    pub fn verb(self) -> &'static str {
        match self {
            Self::Append => "append",
            Self::Merge => "merge",
            Self::InsertOverwrite => "overwrite",
        }
    }
}

/// What to do when an incremental table has other columns than its query gives.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnSchemaChange {
    /// The table is built anew.
    #[default]
    Rebuild,
    /// Further columns are added, NULL in the rows that are there; any other change is refused.
    Add,
    /// The plan is refused.
    Refuse,
}

/// What to do when the query of an incremental table has changed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnQueryChange {
    /// The table is built anew.
    #[default]
    Rebuild,
    /// The rows that are there stay as they are; the query is for rows to come.
    Keep,
}

/// A table or view made by one SQL query.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Model {
    /// What one row is, and what the model is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"One row for each order item.")]
    pub description: Option<String>,
    /// The file with its query, relative to this YAML file; `<name>.sql` unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"stg_orders.sql")]
    pub sql: Option<String>,
    /// The dataset it is built in.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"olist_marts")]
    pub dataset: Option<String>,
    /// How it is kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub materialized: Option<Materialized>,
    /// How new rows come into the table, for `materialized: incremental`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub incremental: Option<Incremental>,
    /// The column whose values part the table, on BigQuery: queries that ask for some of them read those partitions alone.
    /// On DuckDB it is checked and has no effect.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub partition_by: Option<PartitionBy>,
    /// The columns, four at most, by whose values the rows of BigQuery's table lie together, the first above all. On DuckDB
    /// it is checked and has no effect.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(example = vec!["customer_id"], length(max = 4))]
    pub cluster_by: Vec<String>,
    /// Whether BigQuery refuses queries that name no partitions in their `WHERE`: of `pipewright query`, dashboards, other
    /// models and `pipewright check`, too. A build is audited before it is so. On DuckDB it is checked and has no effect.
    pub require_partition_filter: bool,
    /// How long BigQuery keeps a partition, counted from the time that it stands for: its rows are gone then, and are not
    /// missed. On DuckDB it is checked and has no effect: rows stay.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"730d")]
    pub partition_expires_after: Option<DurationText>,
    /// How long BigQuery keeps the table or view, counted from when it was last built or described; the next run builds it
    /// anew. On DuckDB it is checked and has no effect.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"30d")]
    pub expires_after: Option<DurationText>,
    /// Labels of BigQuery's table, by which its storage can be told apart on the bill: lower case letters, digits, `_` and
    /// `-`, at most 63 of them in a name and in a value. Those that others have set stay.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    #[schemars(example = &serde_json::json!({ "team": "finance" }), extend("maxProperties" = 64))]
    pub labels: IndexMap<String, String>,
    /// Its columns: a description for readers, and a type that the query must give.
    pub columns: IndexMap<String, ModelColumn>,
    /// Who answers for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"analytics@example.com")]
    pub owner: Option<String>,
    /// Words to select it by: `tag:NAME`.
    #[schemars(example = vec!["finance"])]
    pub tags: Vec<String>,
    /// How long building it may take.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"10m")]
    pub timeout: Option<DurationText>,
    /// The greatest share of its rows that the table may lose from one run to the next, from 0 to 1, before the new one is
    /// refused; `defaults.max_shrink` unless given. 1 lets it be empty.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(example = 0.9, range(min = 0.0, max = 1.0))]
    pub max_shrink: Option<f64>,
}

/// A column of a model.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ModelColumn {
    /// What the column holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"Price and freight together, in reais.")]
    pub description: Option<String>,
    /// The type that the query must give it, in BigQuery's words; checked before anything runs.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"NUMERIC")]
    pub data_type: Option<String>,
    /// BigQuery's policy tag that says who may read the column, by its whole name; in tables only. A build bears it before
    /// readers see it. On DuckDB it has no effect: whoever has the file reads all of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(
        example = &"projects/my-project/locations/us/taxonomies/123/policyTags/456",
        regex(pattern = r"^projects/[^/]+/locations/[^/]+/taxonomies/[^/]+/policyTags/[^/]+$")
    )]
    pub policy_tag: Option<String>,
    /// Words that mark it, such as `personal`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(example = vec!["personal"])]
    pub tags: Vec<String>,
}
