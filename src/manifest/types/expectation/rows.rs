//! Kinds about the rows of a table: how their columns relate to each other and to other rows.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::manifest::types::Scalar;

row_kind! {
    /// Two columns have the same value. Rows with a NULL in one of them are skipped.
    Equal {
        /// The one column.
        #[schemars(example = &"billed_state")]
        pub column: String,
        /// The other.
        #[schemars(example = &"shipped_state")]
        pub other: String,
    }
}

row_kind! {
    /// One column is greater than another. Rows with a NULL in one of them are skipped.
    GreaterThan {
        /// The greater column.
        #[schemars(example = &"delivered_at")]
        pub column: String,
        /// The lesser column.
        #[schemars(example = &"shipped_at")]
        pub other: String,
        /// Whether they may be equal.
        #[serde(default)]
        pub or_equal: bool,
    }
}

row_kind! {
    /// The values of two columns together are a pair of a list. Rows with a NULL in one of them are skipped.
    PairInSet {
        /// The one column.
        #[schemars(example = &"state")]
        pub column: String,
        /// The other.
        #[schemars(example = &"region")]
        pub other: String,
        /// The pairs allowed.
        #[schemars(example = vec![["SP", "Southeast"]], extend("minItems" = 1))]
        pub values: Vec<(Scalar, Scalar)>,
    }
}

row_kind! {
    /// Within each row, the columns have different values. Rows with a NULL in one of them are skipped.
    UniqueWithinRow {
        /// The columns.
        #[schemars(example = vec!["home_phone", "work_phone"], extend("minItems" = 2))]
        pub columns: Vec<String>,
    }
}

row_kind! {
    /// The columns add up to a number or to another column. Rows with a NULL in one of them are skipped.
    SumEquals {
        /// The columns that are added.
        #[schemars(example = vec!["price", "freight_value"], extend("minItems" = 2))]
        pub columns: Vec<String>,
        /// The number that they make.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schemars(example = 100)]
        pub equals: Option<f64>,
        /// The column that they make.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schemars(example = &"total_item_value")]
        pub total: Option<String>,
        /// How far off they may be.
        #[serde(default)]
        #[schemars(example = 0.01)]
        pub within: f64,
    }
}

row_kind! {
    /// A GoogleSQL condition holds for every row. Rows for which it is NULL are skipped.
    Expression {
        /// The condition over the table's columns.
        #[schemars(example = &"total_item_value = price + freight_value")]
        pub sql: String,
    }
}

/// Whether ranges may have room between them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Gaps {
    /// They may.
    #[default]
    Allowed,
    /// Each starts where the one before it ends.
    NotAllowed,
    /// Each starts later than the one before it ends.
    Required,
}

row_kind! {
    /// Ranges do not overlap. A range holds its lower bound and not its upper one; an upper bound that is NULL is open.
    MutuallyExclusiveRanges {
        /// The column of lower bounds.
        #[schemars(example = &"valid_from")]
        pub lower: String,
        /// The column of upper bounds.
        #[schemars(example = &"valid_to")]
        pub upper: String,
        /// Columns of whose values each has ranges of its own.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        #[schemars(example = vec!["customer_id"])]
        pub partition_by: Vec<String>,
        /// Whether there may be room between ranges.
        #[serde(default)]
        pub gaps: Gaps,
    }
}

row_kind! {
    /// Every value is found in a column of another table.
    Relationships {
        /// The column.
        #[schemars(example = &"order_id")]
        pub column: String,
        /// The source, seed or model that holds the known values.
        #[schemars(example = &"raw_orders")]
        pub to: String,
        /// The column there; the same name unless given.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schemars(example = &"order_id")]
        pub field: Option<String>,
        /// Only rows there for which this GoogleSQL condition is true count.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schemars(example = &"deleted_at IS NULL")]
        pub to_where: Option<String>,
    }
}
