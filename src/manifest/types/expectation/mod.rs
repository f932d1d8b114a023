//! `expectations/*.yaml`: what must hold before a table is published.
//!
//! Each kind is a type of its own, by family; [`ExpectationSpec`] is the catalogue. Names and parameters that users
//! know from Great Expectations and dbt are accepted too: see [`aliases`].

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Scalar;

#[macro_use]
mod kind;

pub mod aliases;
mod catalogue;
mod columns;
mod rows;
mod tables;
mod values;

pub use catalogue::ExpectationSpec;
pub use columns::*;
pub use rows::*;
pub use tables::*;
pub use values::*;

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
    /// Columns that tell a failing row apart from others, shown first in samples.
    #[serde(default)]
    #[schemars(example = vec!["order_id"])]
    pub key_columns: Vec<String>,
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
    /// It is reported as a warning, and the run goes on.
    Warning,
    /// It is reported as worth knowing, and the run goes on.
    Info,
}

/// The rows that an expectation is about, where a table is incremental. In all others every row is new.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// All rows of the table, with the new ones in it.
    #[default]
    Table,
    /// The new rows alone, before they are brought into the table: cheaper, and silent about what is there already.
    NewRows,
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
    /// What else there is to know of it.
    pub note: Option<&'a String>,
    /// Who looks after it.
    pub owner: Option<&'a String>,
    /// The rows that it is about.
    pub scope: Scope,
    /// Words to select it by.
    pub tags: &'a [String],
    /// What only kinds of some forms have.
    pub shared: Shared<'a>,
}

/// What entries of the kinds of one form have.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Shared<'a> {
    /// The rows that are looked at.
    pub filter: Option<&'a String>,
    /// How many of them may fail; nothing for kinds that are not about rows.
    pub tolerance: Option<Tolerance>,
    /// What tells rows apart.
    pub key_columns: &'a [String],
    /// Of kinds about one column: which.
    pub columns: Option<Named<'a>>,
    /// What parts the rows into groups.
    pub group_by: &'a [String],
}

/// `column` and `columns` of an entry.
pub type Named<'a> = (Option<&'a String>, &'a [String]);

/// How many of the rows looked at may fail: as many as the more forgiving of the two says.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tolerance {
    /// The least share that must hold.
    pub mostly: f64,
    /// The most rows that may fail.
    pub allowed: u64,
}

fn all_rows() -> f64 {
    1.0
}
