//! GoogleSQL, BigQuery's dialect: the one language of models, expectations and dashboard queries.
//!
//! ```text
//! text --parse--> AST --analyze(catalog)--> columns, types, lineage, faults
//!                  \--duckdb::translate--> the same meaning in DuckDB's SQL
//! ```
//!
//! Nothing here touches a connection, a file or the network. Positions are those of the SQL text given in;
//! `compile` maps them back to the model's own file.

pub mod aliases;
pub mod analyze;
pub mod bignumeric;
mod by_name;
pub mod clock;
mod ddl;
pub mod dialect;
pub mod duckdb;
pub mod escape;
pub mod fault;
mod limbs;
mod limits;
pub mod names;
mod null_treatment;
pub mod parameter;
pub mod parse;
mod pipe;
mod resolved;
pub mod script;
pub mod substitute;
pub mod temp_function;
mod tokens;
pub mod types;

pub use fault::SqlFault;
pub use resolved::Resolved;
pub use types::{Column, Field, Type};
