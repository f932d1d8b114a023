//! Kinds about a table as a whole, about several tables, and own SQL.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::manifest::types::{DurationText, OneOrMany};

table_kind! {
    /// The table is there. It always is before its expectations are checked, so this says that it must be.
    Exists {}
}

/// How the columns of a table relate to those that are listed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ColumnsMode {
    /// They are these, in this order.
    #[default]
    Ordered,
    /// They are these, in any order.
    Set,
    /// These are among them.
    Contain,
    /// None of these is among them.
    Exclude,
}

table_kind! {
    /// The table has columns of these names.
    Columns {
        /// The names.
        #[schemars(example = vec!["order_id", "customer_id"], extend("minItems" = 1))]
        pub columns: Vec<String>,
        /// What must hold of them.
        #[serde(default)]
        pub mode: ColumnsMode,
    }
}

table_kind! {
    /// The table has a number of columns.
    ColumnCount {
        /// The very number.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schemars(example = 8)]
        pub equals: Option<u64>,
        /// The fewest.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schemars(example = 1)]
        pub min: Option<u64>,
        /// The most.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schemars(example = 20)]
        pub max: Option<u64>,
    }
}

table_kind! {
    /// A column has a type.
    TypeIs {
        /// The column.
        #[schemars(example = &"price")]
        pub column: String,
        /// The type as BigQuery names it, or several, one of which it must be.
        #[serde(rename = "type")]
        #[schemars(example = &"NUMERIC")]
        pub data_type: OneOrMany,
    }
}

kind! {
    /// The table has a number of rows within bounds, or compared with another table.
    RowCount {
        /// The fewest rows allowed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schemars(example = 1)]
        pub min: Option<u64>,
        /// The most rows allowed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schemars(example = 1_000_000)]
        pub max: Option<u64>,
        /// The very number of rows.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schemars(example = 27)]
        pub exactly: Option<u64>,
        /// A source, seed or model that must have exactly as many rows.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schemars(example = &"raw_order_items")]
        pub equals: Option<String>,
        /// A source, seed or model that must have more rows.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schemars(example = &"raw_orders")]
        pub fewer_than: Option<String>,
        /// Only rows for which this GoogleSQL condition is true are counted.
        #[serde(rename = "where", default, skip_serializing_if = "Option::is_none")]
        #[schemars(example = &"order_status = 'delivered'")]
        pub filter: Option<String>,
        /// Columns of whose values each has a group of rows: the bounds are those of every group.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        #[schemars(example = vec!["seller_state"])]
        pub group_by: Vec<String>,
    }
    |kind| super::Shared { filter: kind.filter.as_ref(), ..super::Shared::default() }
}

kind! {
    /// The newest value of a DATE, DATETIME or TIMESTAMP column is recent enough. An empty table fails.
    Freshness {
        /// The column.
        #[schemars(example = &"order_purchase_timestamp")]
        pub column: String,
        /// How old the newest value may be.
        #[schemars(example = &"2d")]
        pub max_age: DurationText,
        /// Only rows for which this GoogleSQL condition is true are looked at.
        #[serde(rename = "where", default, skip_serializing_if = "Option::is_none")]
        #[schemars(example = &"source = 'shop'")]
        pub filter: Option<String>,
    }
    |kind| super::Shared { filter: kind.filter.as_ref(), ..super::Shared::default() }
}

table_kind! {
    /// The number of rows has not changed by more than a share since the last run. The first run has nothing to compare.
    VolumeChange {
        /// The greatest share of rows that may be gone: 0.2 for a fifth.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schemars(example = 0.2, range(min = 0.0, max = 1.0))]
        pub max_drop: Option<f64>,
        /// The greatest share of rows that may have come: 1.0 for twice as many.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schemars(example = 1.0, range(min = 0.0))]
        pub max_growth: Option<f64>,
    }
}

/// A change of a table's columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SchemaChange {
    /// A column is new.
    Add,
    /// A column is gone.
    Remove,
    /// A column has another type.
    Retype,
}

table_kind! {
    /// The columns and their types are those of the last run. The first run has nothing to compare.
    SchemaUnchanged {
        /// Changes that may be all the same.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        #[schemars(example = vec!["add"])]
        pub allow: Vec<SchemaChange>,
    }
}

row_kind! {
    /// Each of some columns is never NULL and is found in the dimension that it refers to.
    StarSchema {
        /// The dimension of each column. The column has the same name there; `dim_orders.order_key` names another.
        #[schemars(extend("minProperties" = 1))]
        pub keys: IndexMap<String, String>,
    }
}

bad_rows_kind! {
    compared
    /// Each value of a column occurs as often as it does in a column of another table.
    Cardinality {
        /// The column.
        #[schemars(example = &"order_id")]
        pub column: String,
        /// The other source, seed or model.
        #[schemars(example = &"raw_order_items")]
        pub to: String,
        /// The column there; the same name unless given.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schemars(example = &"order_id")]
        pub field: Option<String>,
    }
}

bad_rows_kind! {
    compared
    /// Another table has the same rows, each as often. The order of rows does not count.
    SameRows {
        /// The other source, seed or model.
        #[schemars(example = &"stg_orders")]
        pub to: String,
        /// The columns that are compared; all of the table's unless given.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        #[schemars(example = vec!["order_id", "price"])]
        pub columns: Vec<String>,
    }
}

table_kind! {
    /// Two queries give the same number.
    ///
    /// In both, `this` is the table and each of `reads` is the table of that name.
    Reconcile {
        /// A query of one number.
        #[schemars(example = &"SELECT SUM(price) FROM this")]
        pub sql: String,
        /// The query that must give the same.
        #[schemars(example = &"SELECT SUM(price) FROM raw_order_items")]
        pub equals: String,
        /// The sources, seeds and models that they read.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        #[schemars(example = vec!["raw_order_items"])]
        pub reads: Vec<String>,
        /// How far apart they may be.
        #[serde(default)]
        #[schemars(example = 0.01)]
        pub within: f64,
    }
}

bad_rows_kind! {
    /// A query gives no rows: those that it gives are the bad ones.
    ///
    /// In it, `this` is the table and each of `reads` is the table of that name. Bad rows of a table that was loaded are
    /// told with file and line where the query is one SELECT from `this` that only lists columns.
    Query {
        /// The query of the bad rows.
        #[schemars(example = &"SELECT * FROM this WHERE shipped_at < ordered_at")]
        pub sql: String,
        /// The sources, seeds and models that it reads.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        #[schemars(example = vec!["raw_orders"])]
        pub reads: Vec<String>,
    }
}
