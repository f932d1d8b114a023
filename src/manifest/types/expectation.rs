//! `expectations/*.yaml`: what must hold before a table is published.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{DurationText, Scalar};

/// A file that declares suites of expectations.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ExpectationsFile {
    /// The suites by name.
    pub suites: IndexMap<String, Suite>,
}

/// Expectations of one table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Suite {
    /// The source, seed or model that they are about; the one that the suite is named after unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"raw_orders")]
    pub table: Option<String>,
    /// What the suite looks after.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"Every order is whole before anything is built from it.")]
    pub description: Option<String>,
    /// Words to select its expectations by.
    #[serde(default)]
    #[schemars(example = vec!["post_ingestion"])]
    pub tags: Vec<String>,
    /// The expectations. Each is checked on the table before it is published.
    #[schemars(extend("minItems" = 1))]
    pub expectations: Vec<ExpectationSpec>,
}

/// What a failed expectation means.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ExpectationSeverity {
    /// The table is not published and what depends on it is held back.
    #[default]
    Critical,
    /// It is reported, and the run goes on.
    Warning,
}

/// The least or greatest value allowed: a number, a date or other text.
pub type Bound = Scalar;

/// What entries of every kind have.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Common<'a> {
    /// A name for reports.
    pub name: Option<&'a String>,
    /// What a failure means.
    pub severity: Option<ExpectationSeverity>,
    /// Why it must hold.
    pub description: Option<&'a String>,
    /// The rows that are looked at; kinds about tables have none.
    pub filter: Option<&'a String>,
    /// The least share of them that must hold.
    pub mostly: f64,
}

/// One kind of expectation with its own fields and the fields that all share.
macro_rules! kind {
    ($(#[doc = $doc:literal])+ $name:ident { $($body:tt)* } $filter:expr, $mostly:expr) => {
        $(#[doc = $doc])+
        ///
        /// Rows where the value is NULL are skipped, unless the kind is about NULL itself.
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
        #[serde(deny_unknown_fields)]
        pub struct $name {
            $($body)*
            /// A name for reports; made from the kind and the columns unless given.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            #[schemars(example = &"order_id_is_known")]
            pub name: Option<String>,
            /// What a failure means; `defaults.expectations.severity` unless given.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub severity: Option<ExpectationSeverity>,
            /// Why it must hold.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            #[schemars(example = &"Reports join on it.")]
            pub description: Option<String>,
        }

        impl $name {
            fn common(&self) -> Common<'_> {
                let filter: fn(&Self) -> Option<&String> = $filter;
                let mostly: fn(&Self) -> f64 = $mostly;
                Common {
                    name: self.name.as_ref(),
                    severity: self.severity,
                    description: self.description.as_ref(),
                    filter: filter(self),
                    mostly: mostly(self),
                }
            }
        }
    };
}

/// One kind about rows: it has `where` and `mostly` too.
macro_rules! row_kind {
    ($(#[doc = $doc:literal])+ $name:ident { $($body:tt)* }) => {
        kind! {
            $(#[doc = $doc])+
            $name {
                $($body)*
                /// Only rows for which this GoogleSQL condition is true are looked at.
                #[serde(rename = "where", default, skip_serializing_if = "Option::is_none")]
                #[schemars(example = &"order_status = 'delivered'")]
                pub filter: Option<String>,
                /// The least share of the rows looked at that must hold, from 0 to 1.
                #[serde(default = "all_rows")]
                #[schemars(example = 0.98, range(min = 0.0, max = 1.0))]
                pub mostly: f64,
            }
            |kind| kind.filter.as_ref(), |kind| kind.mostly
        }
    };
}

/// One kind about a table as a whole.
macro_rules! table_kind {
    ($(#[doc = $doc:literal])+ $name:ident { $($body:tt)* }) => {
        kind! { $(#[doc = $doc])+ $name { $($body)* } |_| None, |_| 1.0 }
    };
}

fn all_rows() -> f64 {
    1.0
}

row_kind! {
    /// The columns are never NULL.
    NotNull {
        /// The columns; each is an expectation of its own.
        #[schemars(example = vec!["order_id"], extend("minItems" = 1))]
        pub columns: Vec<String>,
    }
}

row_kind! {
    /// No two rows have the same values in the columns together. Every row that shares its values counts as failing;
    /// rows with a NULL in one of the columns are skipped.
    Unique {
        /// The columns that together make the key.
        #[schemars(example = vec!["order_id", "order_item_id"], extend("minItems" = 1))]
        pub columns: Vec<String>,
    }
}

row_kind! {
    /// The column's values are among the listed ones.
    AcceptedValues {
        /// The column.
        #[schemars(example = &"order_status")]
        pub column: String,
        /// The values allowed.
        #[schemars(example = vec!["delivered", "shipped"], extend("minItems" = 1))]
        pub values: Vec<Scalar>,
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
    }
}

row_kind! {
    /// The columns' values lie between two bounds, both allowed.
    Between {
        /// The columns; each is an expectation of its own.
        #[schemars(example = vec!["review_score"], extend("minItems" = 1))]
        pub columns: Vec<String>,
        /// The least value allowed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schemars(example = 1)]
        pub min: Option<Bound>,
        /// The greatest value allowed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schemars(example = 5)]
        pub max: Option<Bound>,
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

table_kind! {
    /// The table has a number of rows within bounds, or as many as another table.
    RowCount {
        /// The fewest rows allowed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schemars(example = 1)]
        pub min: Option<u64>,
        /// The most rows allowed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schemars(example = 1_000_000)]
        pub max: Option<u64>,
        /// A source, seed or model that must have exactly as many rows.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schemars(example = &"raw_order_items")]
        pub equals: Option<String>,
    }
}

table_kind! {
    /// The newest value of a DATE, DATETIME or TIMESTAMP column is recent enough. An empty table fails.
    Freshness {
        /// The column.
        #[schemars(example = &"order_purchase_timestamp")]
        pub column: String,
        /// How old the newest value may be.
        #[schemars(example = &"2d")]
        pub max_age: DurationText,
    }
}

/// One thing that must hold; `expect` says of which kind.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "expect", rename_all = "snake_case")]
pub enum ExpectationSpec {
    /// The columns are never NULL.
    NotNull(NotNull),
    /// No two rows have the same key.
    Unique(Unique),
    /// Values are among the listed ones.
    AcceptedValues(AcceptedValues),
    /// Values are found in another table.
    Relationships(Relationships),
    /// Values lie between bounds.
    Between(Between),
    /// A condition holds for every row.
    Expression(Expression),
    /// The number of rows is within bounds.
    RowCount(RowCount),
    /// The newest value is recent.
    Freshness(Freshness),
}

impl ExpectationSpec {
    /// What entries of every kind have.
    pub fn common(&self) -> Common<'_> {
        match self {
            Self::NotNull(kind) => kind.common(),
            Self::Unique(kind) => kind.common(),
            Self::AcceptedValues(kind) => kind.common(),
            Self::Relationships(kind) => kind.common(),
            Self::Between(kind) => kind.common(),
            Self::Expression(kind) => kind.common(),
            Self::RowCount(kind) => kind.common(),
            Self::Freshness(kind) => kind.common(),
        }
    }
}
