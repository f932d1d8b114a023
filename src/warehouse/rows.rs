//! Rows of a query, in the form that BigQuery's interface gives them, whichever engine they come from.

use serde_json::{Map, Value};

use crate::diag::Diagnostic;
use crate::googlesql::{Column, SqlFault};

/// Rows of a query.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct QueryResult {
    /// The columns, with BigQuery's types.
    pub columns: Vec<Column>,
    /// The rows, a value for each column.
    ///
    /// NULL is null; INT64 and finite FLOAT64 are numbers; other FLOAT64, NUMERIC, BYTES (base64), dates and times
    /// (a TIMESTAMP with its offset, `+00:00`) and JSON are strings; arrays and structs are nested. A NULL array
    /// is empty, as in BigQuery's results.
    pub rows: Vec<Vec<Value>>,
}

impl QueryResult {
    /// The rows as JSON objects; of columns with one name the last one stays.
    pub fn objects(&self) -> Vec<Value> {
        let object = |row: &Vec<Value>| {
            let names = self.columns.iter().map(|column| column.name.clone());
            Value::Object(names.zip(row.iter().cloned()).collect::<Map<_, _>>())
        };
        self.rows.iter().map(object).collect()
    }
}

/// Why a script did not run.
#[derive(Debug)]
pub enum QueryError {
    /// It is wrong, or cannot be translated.
    Faults(Vec<SqlFault>),
    /// The engine refused a statement.
    Engine(String),
    /// The target refused whoever asks, whatever the script says.
    Target(Box<Diagnostic>),
}

impl std::fmt::Display for QueryError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Faults(faults) => {
                let messages: Vec<&str> = faults.iter().map(|fault| fault.message.as_str()).collect();
                f.write_str(&messages.join("; "))
            }
            Self::Engine(message) => f.write_str(message),
            Self::Target(refusal) => f.write_str(&refusal.message),
        }
    }
}

impl std::error::Error for QueryError {}
