//! Expectations with their tables looked up.

use std::time::Duration;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use super::Address;
use crate::diag::{MappedText, Span};
use crate::manifest::types::{ExpectationSeverity, Scalar, as_json};

/// One thing that must hold of one table.
#[derive(Debug, Serialize, Deserialize)]
pub struct Expectation {
    /// Its name, unique among the expectations of its table: `not_null_order_id`.
    pub name: String,
    /// The suite that declares it.
    pub suite: String,
    /// The table that it is about.
    pub on: Address,
    /// What must hold.
    pub kind: ExpectationKind,
    /// What a failure means.
    pub severity: ExpectationSeverity,
    /// Condition for the rows that are looked at.
    pub filter: Option<MappedText>,
    /// The least share of the rows looked at that must hold.
    pub mostly: f64,
    /// Why it must hold.
    pub description: Option<String>,
    /// How many failing rows are kept.
    pub sample_rows: u32,
    /// Words to select it by.
    pub tags: Vec<String>,
    /// Where it is declared.
    pub span: Span,
    /// Where its columns are named, in the order of [`Expectation::columns`].
    pub column_spans: Vec<Span>,
    /// Where its other values stand, by key: `min`, `values/0`, `field`. Of a key that is not given, the whole entry.
    pub key_spans: IndexMap<String, Span>,
}

impl Expectation {
    /// `expectation.dim_orders.not_null_order_key`.
    pub fn address(&self) -> String {
        format!("expectation.{}.{}", self.on.name, self.name)
    }

    /// The other tables that it reads.
    pub fn reads(&self) -> Option<&Address> {
        match &self.kind {
            ExpectationKind::Relationships { to, .. } => Some(to),
            ExpectationKind::RowCount { equals, .. } => equals.as_ref(),
            _ => None,
        }
    }

    /// The columns that it names, besides those in SQL conditions.
    pub fn columns(&self) -> Vec<&str> {
        match &self.kind {
            ExpectationKind::NotNull { column }
            | ExpectationKind::AcceptedValues { column, .. }
            | ExpectationKind::Relationships { column, .. }
            | ExpectationKind::Between { column, .. }
            | ExpectationKind::Freshness { column, .. } => vec![column],
            ExpectationKind::Unique { columns } => columns.iter().map(String::as_str).collect(),
            ExpectationKind::Expression { .. } | ExpectationKind::RowCount { .. } => Vec::new(),
        }
    }
}

/// What must hold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum ExpectationKind {
    /// The column is never NULL.
    NotNull {
        /// The column.
        column: String,
    },
    /// No two rows have the same values.
    Unique {
        /// The key's columns.
        columns: Vec<String>,
    },
    /// Values are among the listed ones.
    AcceptedValues {
        /// The column.
        column: String,
        /// The values.
        #[serde(with = "as_json")]
        values: Vec<Scalar>,
    },
    /// Values are found in another table.
    Relationships {
        /// The column.
        column: String,
        /// The other table.
        to: Address,
        /// The column there.
        field: String,
    },
    /// Values lie between bounds.
    Between {
        /// The column.
        column: String,
        /// The least value.
        #[serde(with = "as_json")]
        min: Option<Scalar>,
        /// The greatest value.
        #[serde(with = "as_json")]
        max: Option<Scalar>,
    },
    /// A condition holds for every row.
    Expression {
        /// The condition.
        sql: MappedText,
    },
    /// The number of rows is within bounds.
    RowCount {
        /// The fewest rows.
        min: Option<u64>,
        /// The most rows.
        max: Option<u64>,
        /// A table with exactly as many rows.
        equals: Option<Address>,
    },
    /// The newest value is recent.
    Freshness {
        /// The column.
        column: String,
        /// How old the newest value may be.
        max_age: Duration,
    },
}

impl ExpectationKind {
    /// The word that the manifest has for it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::NotNull { .. } => "not_null",
            Self::Unique { .. } => "unique",
            Self::AcceptedValues { .. } => "accepted_values",
            Self::Relationships { .. } => "relationships",
            Self::Between { .. } => "between",
            Self::Expression { .. } => "expression",
            Self::RowCount { .. } => "row_count",
            Self::Freshness { .. } => "freshness",
        }
    }
}
