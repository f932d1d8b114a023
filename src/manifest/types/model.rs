//! `models/**/*.yaml`: tables and views made by SQL.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::DurationText;

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
    pub materialized: Option<Materialization>,
    /// Who answers for them.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"analytics@example.com")]
    pub owner: Option<String>,
    /// Words to select them by, added to each model's own.
    #[schemars(example = vec!["staging"])]
    pub tags: Vec<String>,
}

/// How a model is kept in the target.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Materialization {
    /// A view: nothing is stored, the SQL runs when it is read.
    View,
    /// A table, built anew whenever its SQL or its inputs change.
    #[default]
    Table,
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
    pub materialized: Option<Materialization>,
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
    /// Words that mark it, such as `personal`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(example = vec!["personal"])]
    pub tags: Vec<String>,
}
