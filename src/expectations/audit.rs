//! The queries that audit one table.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{Hidden, Rule};
use crate::manifest::types::{ExpectationSeverity, as_json};

/// The column of numbered samples that has the rows' numbers.
pub const ROW_NUMBER: &str = "pipewright_row";

/// Checks of one table.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Audit {
    /// Queries that give, for each of their checks in turn, three values: rows looked at, rows failing, what was observed.
    pub queries: Vec<AuditQuery>,
    /// The checks.
    pub checks: Vec<Check>,
    /// Columns whose values are not for everybody's eyes, in lower case.
    pub personal: BTreeSet<String>,
}

/// One pass over a table for some of its checks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditQuery {
    /// The query in the target's own SQL, one row.
    pub sql: String,
    /// Places of its checks in [`Audit::checks`].
    pub checks: Vec<usize>,
    /// Whether its first two numbers are the table's rows and logical bytes.
    pub sized: bool,
}

/// One expectation, ready to be judged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// `expectation.dim_orders.not_null_order_key`.
    pub address: String,
    /// What a failure means.
    pub severity: ExpectationSeverity,
    /// What its numbers have to be.
    #[serde(with = "as_json")]
    pub rule: Rule,
    /// A query that shows failing rows, in GoogleSQL: few are ever asked, so it is translated when it is.
    pub sample: Option<String>,
    /// The same with the number that each row, or each of its rows, had when the table was loaded, as a column
    /// [`ROW_NUMBER`]. Only for loaded tables of engines that know it.
    #[serde(default)]
    pub numbered: Option<String>,
    /// What is not told.
    pub hidden: Hidden,
}
