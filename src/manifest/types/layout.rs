//! How tables are laid out where that can be chosen: partitions and clusters.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// The column whose values part a table, and how.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum PartitionBy {
    /// A DATE, DATETIME or TIMESTAMP column, by day.
    Column(String),
    /// A column with a granularity or a range.
    Parts(Partitioning),
}

impl PartitionBy {
    /// The column's name.
    pub fn column(&self) -> &str {
        match self {
            Self::Column(column) => column,
            Self::Parts(parts) => &parts.column,
        }
    }
}

/// A column with how its values are put together into partitions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Partitioning {
    /// The column.
    pub column: String,
    /// For DATE, DATETIME and TIMESTAMP.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub granularity: Option<Granularity>,
    /// For INT64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub range: Option<IntegerRange>,
}

/// How much time a partition holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Granularity {
    /// An hour.
    Hour,
    /// A day.
    Day,
    /// A month.
    Month,
    /// A year.
    Year,
}

impl Granularity {
    /// What SQL calls it.
    pub fn keyword(self) -> &'static str {
        match self {
            Self::Hour => "HOUR",
            Self::Day => "DAY",
            Self::Month => "MONTH",
            Self::Year => "YEAR",
        }
    }

    /// Which one an engine means by a word.
    pub(crate) fn from_keyword(word: &str) -> Option<Self> {
        [Self::Hour, Self::Day, Self::Month, Self::Year].into_iter().find(|one| one.keyword() == word)
    }

    /// Of partitions whose names have so many digits: `2024`, `202402`, `20240229`, `2024022923`.
    ///
    /// Source: <https://cloud.google.com/bigquery/docs/managing-partitioned-tables#partition_ids>.
    pub(crate) fn from_digits(digits: u64) -> Option<Self> {
        match digits {
            4 => Some(Self::Year),
            6 => Some(Self::Month),
            8 => Some(Self::Day),
            10 => Some(Self::Hour),
            _ => None,
        }
    }
}

/// Whole numbers in partitions of one width.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IntegerRange {
    /// The first number that has a partition of its own.
    pub start: i64,
    /// The number behind the last one.
    pub end: i64,
    /// How many numbers go into one partition.
    pub interval: i64,
}

// Written by hand: one `type` list completes and reports better in editors than an `anyOf`.
impl JsonSchema for PartitionBy {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "PartitionBy".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": ["string", "object"],
            "description": "A column of type DATE, DATETIME or TIMESTAMP, whose days are the partitions; or a column with \
                            the `granularity` of its partitions, or with the `range` of an INT64 column.",
            "properties": {
                "column": { "type": "string", "description": "The column whose values part the table.", "examples": ["order_date"] },
                "granularity": {
                    "description": "How much time a partition holds; a day unless given. A DATE has no hours.",
                    "enum": ["hour", "day", "month", "year"],
                },
                "range": {
                    "type": "object",
                    "description": "The partitions of an INT64 column; other numbers share one.",
                    "properties": {
                        "start": { "type": "integer", "description": "The first number that has a partition of its own.", "examples": [0] },
                        "end": { "type": "integer", "description": "The number behind the last one.", "examples": [100_000] },
                        "interval": { "type": "integer", "minimum": 1, "description": "How many numbers go into one partition.", "examples": [1000] },
                    },
                    "required": ["start", "end", "interval"],
                    "additionalProperties": false,
                },
            },
            "required": ["column"],
            "additionalProperties": false,
            "examples": ["order_date", { "column": "ordered_at", "granularity": "month" }],
        })
    }
}
