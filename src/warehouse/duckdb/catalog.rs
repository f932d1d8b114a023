//! The tables that are there, for the translation of scripts.

use duckdb::Connection;

use crate::googlesql::duckdb::{DatasetNames, TableName, TableNames};

/// The tables of a database: a dataset is a schema, and wildcards and tables partitioned by the time of ingestion are
/// looked up.
#[derive(Debug, Clone, Copy)]
pub struct DatabaseNames<'a>(pub &'a Connection);

impl DatabaseNames<'_> {
    /// The first column of a query's rows; nothing if it fails.
    fn texts(self, sql: &str, parameters: &[&str]) -> Vec<String> {
        let read = || -> duckdb::Result<Vec<String>> {
            let mut statement = self.0.prepare(sql)?;
            let rows = statement.query_map(duckdb::params_from_iter(parameters), |row| row.get(0))?;
            rows.collect()
        };
        read().unwrap_or_default()
    }
}

impl TableNames for DatabaseNames<'_> {
    fn table(&self, path: &[&str]) -> Option<TableName> {
        DatasetNames.table(path)
    }

    fn wildcard(&self, path: &[&str]) -> Option<Vec<(String, TableName)>> {
        let [.., schema, pattern] = path else { return None };
        let prefix = pattern.strip_suffix('*')?;
        let names = self.texts(
            "SELECT table_name FROM duckdb_tables() WHERE schema_name = ? ORDER BY table_name",
            &[schema],
        );
        Some(
            names
                .iter()
                .filter_map(|name| {
                    Some((name.strip_prefix(prefix)?.to_owned(), TableName::new(*schema, name)))
                })
                .collect(),
        )
    }

    fn ingestion_columns(&self, path: &[&str]) -> Option<Vec<String>> {
        let [.., schema, table] = path else { return None };
        let mut names = self.texts(
            "SELECT column_name FROM duckdb_columns() WHERE schema_name = ? AND table_name = ? ORDER BY column_index",
            &[schema, table],
        );
        (names.pop()? == "_PARTITIONTIME").then_some(names)
    }
}
