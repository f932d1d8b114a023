//! `sources/*.yaml`: files that are loaded, and seeds.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{OneOrMany, PartitionBy};

/// A file that declares sources (data from outside) and seeds (small tables kept with the project).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SourcesFile {
    /// Tables loaded from files; SQL reads one with `source('name')`.
    pub sources: IndexMap<String, Source>,
    /// Small CSV files kept with the project; SQL reads one with `ref('name')`.
    pub seeds: IndexMap<String, Seed>,
}

/// A table loaded from files outside of the project.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// What the table holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"One row for each order.")]
    pub description: Option<String>,
    /// The dataset it is loaded into.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"olist_raw")]
    pub dataset: Option<String>,
    /// The files: a path or pattern, or several. Relative to the project; `.gz` files are unpacked. On BigQuery also files
    /// of Cloud Storage, `gs://bucket/orders/*.csv`, which are not copied here: BigQuery loads them itself.
    #[schemars(example = &"${OLIST_DATA_DIR:-data/sample}/olist_orders_dataset.csv")]
    pub files: OneOrMany,
    /// How the files are written.
    #[serde(default)]
    pub format: Format,
    /// Its columns. Files are matched by header name, never by position.
    #[schemars(extend("minProperties" = 1))]
    pub columns: IndexMap<String, SourceColumn>,
    /// What to do with a column that the files have and `columns` does not.
    #[serde(default)]
    pub on_new_column: NewColumn,
    /// What to do when a declared column is missing from a file.
    #[serde(default)]
    pub on_missing_column: MissingColumn,
    /// Rows that may fail to parse before the load fails; they go whole into `<table>__rejects`.
    #[serde(default)]
    pub max_rejects: RejectLimit,
    /// The greatest share of its rows that the table may lose from one run to the next, from 0 to 1, before the new one is
    /// refused; `defaults.max_shrink` unless given. 1 lets it be empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = 0.9, range(min = 0.0, max = 1.0))]
    pub max_shrink: Option<f64>,
    /// The column whose values part the table, on BigQuery: queries that ask for some of them read those partitions alone.
    /// On DuckDB it is checked and has no effect.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partition_by: Option<PartitionBy>,
    /// The columns, four at most, by whose values the rows of BigQuery's table lie together, the first above all. On DuckDB
    /// it is checked and has no effect.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(example = vec!["customer_id"], length(max = 4))]
    pub cluster_by: Vec<String>,
    /// Labels of BigQuery's table, by which its storage can be told apart on the bill: lower case letters, digits, `_` and
    /// `-`, at most 63 of them in a name and in a value. Those that others have set stay.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    #[schemars(example = &serde_json::json!({ "team": "finance" }), extend("maxProperties" = 64))]
    pub labels: IndexMap<String, String>,
    /// Who answers for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"sales-data@example.com")]
    pub owner: Option<String>,
    /// Words to select it by: `tag:NAME`.
    #[serde(default)]
    #[schemars(example = vec!["raw"])]
    pub tags: Vec<String>,
}

/// A small table kept with the project as a CSV file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Seed {
    /// What the table holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"The 27 states and their regions.")]
    pub description: Option<String>,
    /// The dataset it is loaded into.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"olist_staging")]
    pub dataset: Option<String>,
    /// The file, relative to the project.
    #[schemars(example = &"seeds/brazil_state_regions.csv")]
    pub file: String,
    /// How the file is written.
    #[serde(default)]
    pub format: Format,
    /// Its columns, matched by header name.
    #[schemars(extend("minProperties" = 1))]
    pub columns: IndexMap<String, SourceColumn>,
    /// The greatest share of its rows that the table may lose from one run to the next, from 0 to 1, before the new one is
    /// refused; `defaults.max_shrink` unless given. 1 lets it be empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = 0.9, range(min = 0.0, max = 1.0))]
    pub max_shrink: Option<f64>,
    /// The column whose values part the table, on BigQuery: queries that ask for some of them read those partitions alone.
    /// On DuckDB it is checked and has no effect.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partition_by: Option<PartitionBy>,
    /// The columns, four at most, by whose values the rows of BigQuery's table lie together, the first above all. On DuckDB
    /// it is checked and has no effect.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(example = vec!["customer_id"], length(max = 4))]
    pub cluster_by: Vec<String>,
    /// Labels of BigQuery's table, by which its storage can be told apart on the bill: lower case letters, digits, `_` and
    /// `-`, at most 63 of them in a name and in a value. Those that others have set stay.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    #[schemars(example = &serde_json::json!({ "team": "finance" }), extend("maxProperties" = 64))]
    pub labels: IndexMap<String, String>,
    /// Who answers for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"sales-data@example.com")]
    pub owner: Option<String>,
    /// Words to select it by: `tag:NAME`.
    #[serde(default)]
    #[schemars(example = vec!["reference"])]
    pub tags: Vec<String>,
}

/// A column of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SourceColumn {
    /// Its type in BigQuery's words. Values that do not parse reject their row.
    #[serde(rename = "type", default = "string_type")]
    #[schemars(extend("enum" = [
        "STRING", "INT64", "FLOAT64", "NUMERIC", "BOOL", "DATE", "DATETIME", "TIME", "TIMESTAMP", "BYTES", "JSON"
    ]))]
    pub data_type: String,
    /// Whether an empty value rejects the row.
    #[serde(default)]
    pub required: bool,
    /// What the column holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"When the order was placed.")]
    pub description: Option<String>,
    /// Words that mark it, such as `personal`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(example = vec!["personal"])]
    pub tags: Vec<String>,
}

fn string_type() -> String {
    "STRING".to_owned()
}

/// How files are written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum Format {
    /// Comma-separated values with a header line.
    Csv(CsvOptions),
}

impl Default for Format {
    fn default() -> Self {
        Self::Csv(CsvOptions::default())
    }
}

/// How CSV files are written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CsvOptions {
    /// The one character between fields.
    #[schemars(example = &";", length(min = 1, max = 1))]
    pub delimiter: String,
    /// The one character around fields that hold delimiters or line breaks; empty for none.
    #[schemars(example = &"\"", length(max = 1))]
    pub quote: String,
    /// Encoding by its WHATWG name; a byte order mark is always recognised.
    #[schemars(example = &"windows-1252")]
    pub encoding: String,
    /// Texts that mean NULL. In columns of JSON `null` does, too.
    #[schemars(example = vec!["", "NULL"])]
    pub null_markers: Vec<String>,
}

impl Default for CsvOptions {
    fn default() -> Self {
        Self {
            delimiter: ",".to_owned(),
            quote: "\"".to_owned(),
            encoding: "utf-8".to_owned(),
            null_markers: vec![String::new()],
        }
    }
}

/// What to do with a column that is in the files and not in the manifest.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum NewColumn {
    /// Load it as STRING behind the declared ones.
    Add,
    /// Leave it out.
    Ignore,
    /// Fail the load.
    #[default]
    Fail,
}

/// What to do when a declared column is not in a file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum MissingColumn {
    /// Fill it with NULL.
    Add,
    /// Fail the load.
    #[default]
    Fail,
}

/// How many rows may be rejected: a number of rows, or a share of them such as `0.5%`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum RejectLimit {
    /// At most so many rows.
    Rows(u64),
    /// At most so many percent of the rows.
    Percent(String),
}

impl Default for RejectLimit {
    fn default() -> Self {
        Self::Rows(0)
    }
}

impl RejectLimit {
    /// The most rows that may be rejected of so many rows read.
    pub fn allowed(&self, rows_read: u64) -> u64 {
        match self {
            Self::Rows(rows) => *rows,
            Self::Percent(text) => {
                let percent: f64 = text.trim_end_matches('%').trim().parse().unwrap_or(0.0);
                #[expect(
                    clippy::cast_precision_loss,
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "a share of a row count: rounding down is what `at most` means"
                )]
                let allowed = (rows_read as f64 * percent.clamp(0.0, 100.0) / 100.0) as u64;
                allowed
            }
        }
    }
}

impl JsonSchema for RejectLimit {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "RejectLimit".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": ["integer", "string"],
            "minimum": 0,
            "pattern": r"^[0-9]+(\.[0-9]+)? ?%$",
            "description": "A number of rows, or a share of them such as `0.5%`.",
            "examples": [10, "0.5%"],
        })
    }
}
