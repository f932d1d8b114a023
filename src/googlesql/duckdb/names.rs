//! Names as DuckDB reads them: every identifier is quoted, always by these two types.

use std::fmt;

/// One identifier; prints in double quotes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ident(String);

impl Ident {
    /// An identifier of any text.
    pub fn new(name: impl Into<String>) -> Self {
        Self(name.into())
    }

    /// The name without quotes.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Ident {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.0.replace('"', "\"\""))
    }
}

/// A table or view: schema (BigQuery's dataset) and name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TableName {
    /// The schema; none for a table that only the session has.
    pub schema: Option<Ident>,
    /// The table.
    pub table: Ident,
}

impl TableName {
    /// A table in a schema.
    pub fn new(schema: impl Into<String>, table: impl Into<String>) -> Self {
        Self { schema: Some(Ident::new(schema)), table: Ident::new(table) }
    }

    /// A table without a schema.
    pub fn unqualified(table: impl Into<String>) -> Self {
        Self { schema: None, table: Ident::new(table) }
    }
}

impl fmt::Display for TableName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.schema {
            Some(schema) => write!(f, "{schema}.{}", self.table),
            None => write!(f, "{}", self.table),
        }
    }
}

/// Where BigQuery's tables are in DuckDB.
pub trait TableNames {
    /// The table that a path of one to three parts (`project`, `dataset`, `table`) stands for; none if there is none.
    fn table(&self, path: &[&str]) -> Option<TableName>;

    /// The tables of a path that ends in `*`, each with the text that the asterisk stands for (`_TABLE_SUFFIX`);
    /// none if the target cannot list its tables.
    fn wildcard(&self, path: &[&str]) -> Option<Vec<(String, TableName)>> {
        let _ = path;
        None
    }

    /// The names of a table's columns, in order; none if they are not known here.
    fn columns(&self, path: &[&str]) -> Option<Vec<String>> {
        let _ = path;
        None
    }

    /// The columns of a table that is partitioned by the time of ingestion, without the pseudo-column
    /// `_PARTITIONTIME` that the table holds at its end; none for other tables.
    fn ingestion_columns(&self, path: &[&str]) -> Option<Vec<String>> {
        let _ = path;
        None
    }
}

/// A dataset is a schema of the same name; the project is dropped, a bare table name unknown.
#[derive(Debug, Clone, Copy, Default)]
pub struct DatasetNames;

impl TableNames for DatasetNames {
    fn table(&self, path: &[&str]) -> Option<TableName> {
        match path {
            [.., dataset, table] => Some(TableName::new(*dataset, *table)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_inside_a_name_are_doubled() {
        assert_eq!(Ident::new("a\"b").to_string(), "\"a\"\"b\"");
        assert_eq!(TableName::new("ds", "my table").to_string(), "\"ds\".\"my table\"");
    }

    #[test]
    fn a_project_is_dropped_and_a_bare_name_unknown() {
        assert_eq!(DatasetNames.table(&["p", "d", "t"]), Some(TableName::new("d", "t")));
        assert_eq!(DatasetNames.table(&["t"]), None);
    }
}
