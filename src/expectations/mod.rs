//! Expectations as SQL, and what their counts mean. Never touches a connection.
//!
//! ```text
//! Expectation --sql--> counts (GoogleSQL) --warehouse--> Observed --verdict--> Outcome
//! ```
//! All expectations of a table that can be counted in one pass over it share one query: on BigQuery each
//! pass is billed, and locally it is time. Only those that fail ask for sample rows.

mod audit;
mod combine;
mod hidden;
mod known;
mod numbered;
mod sql;
mod verdict;

pub use audit::{Audit, AuditQuery, Check, ROW_NUMBER};
pub use combine::{groups, pass};
pub use hidden::{HIDDEN, Hidden, said};
pub use sql::{Audited, BadValue, CheckSql, Counting, Counts, Groups, check};
pub(crate) use verdict::grouped;
pub use verdict::{Before, Facts, Observed, Outcome, Rule, Verdict, judge, judge_hidden};
