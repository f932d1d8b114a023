//! Kinds about the values of one column.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Bound;
use crate::manifest::types::{OneOrMany, Scalar};

column_kind! {
    /// The column is never NULL.
    NotNull {}
}

column_kind! {
    /// The column is always NULL.
    IsNull {}
}

row_kind! {
    /// No two rows have the same values in the columns together. Every row that shares its values counts as failing;
    /// rows with a NULL in one of the columns are skipped.
    Unique {
        /// The column that is the key.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schemars(example = &"order_id")]
        pub column: Option<String>,
        /// The columns that together make the key.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        #[schemars(example = vec!["order_id", "order_item_id"], extend("minItems" = 1))]
        pub columns: Vec<String>,
    }
}

column_kind! {
    /// The values are among the listed ones.
    AcceptedValues {
        /// The values allowed.
        #[schemars(example = vec!["delivered", "shipped"], extend("minItems" = 1))]
        pub values: Vec<Scalar>,
        /// Whether upper and lower case are the same.
        #[serde(default)]
        pub ignore_case: bool,
    }
}

column_kind! {
    /// The values are not among the listed ones.
    RejectedValues {
        /// The values that must not occur.
        #[schemars(example = vec!["unknown", "n/a"], extend("minItems" = 1))]
        pub values: Vec<Scalar>,
        /// Whether upper and lower case are the same.
        #[serde(default)]
        pub ignore_case: bool,
    }
}

column_kind! {
    /// The values lie between two bounds, which are allowed themselves unless `strict_min` or `strict_max` says not.
    Between {
        /// The least value allowed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schemars(example = 1)]
        pub min: Option<Bound>,
        /// The greatest value allowed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schemars(example = 5)]
        pub max: Option<Bound>,
        /// Whether values must be greater than `min`.
        #[serde(default)]
        pub strict_min: bool,
        /// Whether values must be less than `max`.
        #[serde(default)]
        pub strict_max: bool,
    }
}

column_kind! {
    /// Some part of each value matches a regular expression (RE2, as in `REGEXP_CONTAINS`); `^` and `$` hold it to the
    /// whole.
    Regex {
        /// The regular expression, or several, one of which must match.
        #[schemars(example = &"^[0-9a-f]{32}$")]
        pub regex: OneOrMany,
    }
}

column_kind! {
    /// No part of any value matches a regular expression (RE2, as in `REGEXP_CONTAINS`).
    NotRegex {
        /// The regular expression, or several, none of which may match.
        #[schemars(example = &"[0-9]")]
        pub regex: OneOrMany,
    }
}

column_kind! {
    /// Each value matches a LIKE pattern: `%` stands for any text, `_` for any character.
    Like {
        /// The pattern, or several, one of which must match.
        #[schemars(example = &"SKU-%")]
        pub pattern: OneOrMany,
    }
}

column_kind! {
    /// No value matches a LIKE pattern: `%` stands for any text, `_` for any character.
    NotLike {
        /// The pattern, or several, none of which may match.
        #[schemars(example = &"%test%")]
        pub pattern: OneOrMany,
    }
}

column_kind! {
    /// The values have a number of characters (bytes in a BYTES column) within bounds.
    Length {
        /// The fewest characters.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schemars(example = 1)]
        pub min: Option<u64>,
        /// The most characters.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schemars(example = 100)]
        pub max: Option<u64>,
        /// The very number of characters.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schemars(example = 32)]
        pub equals: Option<u64>,
    }
}

/// What a text stands for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum DatePart {
    /// A day.
    #[default]
    Date,
    /// A day and a time of day.
    Datetime,
    /// A point in time.
    Timestamp,
    /// A time of day.
    Time,
}

column_kind! {
    /// Each text is a date or a time of a format.
    DateFormat {
        /// The format, in the elements of `PARSE_DATE`.
        #[schemars(example = &"%Y-%m-%d")]
        pub format: String,
        /// What the text stands for.
        #[serde(default)]
        pub part: DatePart,
    }
}

column_kind! {
    /// Each text is JSON.
    JsonParseable {}
}

column_kind! {
    /// Each text is JSON, or each JSON value is, as a JSON Schema wants it.
    ///
    /// `type`, `enum`, `const`, `properties`, `required`, `items`, `minimum`, `maximum`, `minLength`, `maxLength` and
    /// `pattern` are known; other words of a schema are refused.
    JsonSchemaOf {
        /// The JSON Schema.
        pub schema: IndexMap<String, serde_json::Value>,
    }
}

column_kind! {
    /// From row to row, the values go one way, or stay.
    Monotonic {
        /// The columns that put the rows in order.
        #[schemars(example = vec!["loaded_at"], extend("minItems" = 1))]
        pub order_by: Vec<String>,
        /// Whether they may not stay.
        #[serde(default)]
        pub strict: bool,
        /// Columns of whose values each has rows of its own.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        #[schemars(example = vec!["order_id"])]
        pub partition_by: Vec<String>,
    }
}

column_kind! {
    /// From row to row, the whole numbers go on by one step: none is missing, none comes twice.
    Sequential {
        /// How far it is from one to the next.
        #[serde(default = "one")]
        #[schemars(example = 1)]
        pub step: i64,
        /// Columns of whose values each has numbers of its own.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        #[schemars(example = vec!["order_id"])]
        pub partition_by: Vec<String>,
    }
}

fn one() -> i64 {
    1
}

column_kind! {
    /// No text is empty or of white space only.
    NotEmptyString {
        /// Whether white space counts as nothing.
        #[serde(default = "yes")]
        pub trim: bool,
    }
}

fn yes() -> bool {
    true
}

column_kind! {
    /// No value lies more than so many standard deviations from the mean. Of rows that are all alike none does.
    ZScore {
        /// How many standard deviations are allowed.
        #[schemars(example = 3.0)]
        pub threshold: f64,
        /// Whether values below the mean may lie as far as they like.
        #[serde(default)]
        pub above_only: bool,
    }
}
