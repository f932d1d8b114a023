//! Statements of scripts, held against the tables that are there.

use std::borrow::Cow;
use std::collections::BTreeSet;

use duckdb::Connection;
use sqlparser::ast::{Ident, SetExpr, Statement, Visit};

use super::query::columns;
use crate::googlesql::aliases::Names;
use crate::googlesql::analyze::{self, Options, Table, analyze_query, resolve_dml, resolve_written};
use crate::googlesql::duckdb::{Parameters, RUNTIME_SCHEMA, TableName, TableNames, translate_statement};
use crate::googlesql::{Resolved, SqlFault, Type};

/// A statement in the engine's SQL, once its query was found to be right.
pub(super) fn bind(
    statement: &Statement,
    target: &Target<'_>,
    parameters: &Parameters,
) -> Result<String, Vec<SqlFault>> {
    let query = match statement {
        Statement::Query(query) => Some(query),
        Statement::CreateTable(table) => table.query.as_ref(),
        Statement::CreateView(view) => Some(&view.query),
        // Values take the types of the columns that they are written to.
        Statement::Insert(insert) => {
            insert.source.as_ref().filter(|source| !matches!(*source.body, SetExpr::Values(_)))
        }
        _ => None,
    };
    // Values arrive as SQL of the engine, so that their types are not known.
    let known: analyze::Parameters = parameters.named.keys().map(|name| (name, Type::Unknown)).collect();
    let known = known.with_variables(parameters.types.clone());
    let resolved = match query {
        // Which names are variables is not asked: see `Script::bound`.
        _ if parameters.variables.is_some() && parameters.types.is_empty() => Resolved::default(),
        Some(query) => {
            let names = match statement {
                Statement::Query(_) => analyze::Names::Distinct,
                _ if names_columns(statement) => analyze::Names::Table,
                _ => analyze::Names::Any,
            };
            let options = Options { names };
            resolve_written(statement, target, analyze_query(query, target, &known, options)?)
        }
        None => resolve_dml(statement, target, &known),
    };
    translate_statement(statement, target, parameters, &resolved)
}

/// How the variables of something are told from columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// By its analysis.
    Analyzed,
    /// By the engine, which binds the statement.
    Statement,
    /// By the engine, which binds a query of the value.
    Value,
}

impl Kind {
    pub(super) fn of(statement: &Statement) -> Self {
        if is_analyzed(statement) { Self::Analyzed } else { Self::Statement }
    }
}

/// The dataset of a table or view that a statement makes.
pub(super) fn dataset_of_new(statement: &Statement) -> Option<Ident> {
    let name = match statement {
        Statement::CreateTable(table) if !table.temporary => &table.name,
        Statement::CreateView(view) => &view.name,
        _ => return None,
    };
    let [.., dataset, _] = name.0.as_slice() else { return None };
    dataset.as_ident().cloned()
}

/// Whether the analysis of a statement tells its variables from its columns.
fn is_analyzed(statement: &Statement) -> bool {
    match statement {
        Statement::Query(_) | Statement::CreateView(_) => true,
        Statement::CreateTable(table) => table.query.is_some(),
        Statement::Insert(insert) => {
            insert.source.as_ref().is_some_and(|source| !matches!(*source.body, SetExpr::Values(_)))
        }
        _ => false,
    }
}

/// Whether the columns of a new table or view are those of its query, so that each needs a name of its own.
fn names_columns(statement: &Statement) -> bool {
    match statement {
        Statement::CreateTable(table) => table.columns.is_empty() && table.like.is_none(),
        Statement::CreateView(view) => view.columns.is_empty(),
        _ => false,
    }
}

/// The tables that are there, with the session's own.
pub(super) struct Target<'a> {
    pub(super) connection: &'a Connection,
    pub(super) names: &'a dyn TableNames,
}

impl Target<'_> {
    /// The temporary table of a name, as the engine writes it.
    fn temporary(&self, name: &str) -> Option<TableName> {
        let sql = "SELECT table_name FROM duckdb_tables() WHERE temporary AND lower(table_name) = lower(?)";
        let found: String = self.connection.query_row(sql, [name], |row| row.get(0)).ok()?;
        Some(TableName::unqualified(found))
    }

    /// Names that may be columns somewhere in a statement: those it gives, and those that its tables have. Lower case.
    pub(super) fn hidden_by(&self, node: &impl Visit) -> BTreeSet<String> {
        let names = Names::of(node);
        let mut hidden = names.aliases;
        for path in names.tables {
            if let Some(table) = analyze::Catalog::table(self, &split(&path)) {
                hidden.extend(table.columns.iter().map(|column| column.name.to_lowercase()));
            }
        }
        hidden
    }

    /// All tables and views as `dataset.table`, temporary ones by their name alone.
    fn all(&self) -> Vec<String> {
        let sql = "SELECT CASE WHEN temporary THEN '' ELSE schema_name || '.' END || name FROM ( \
                   SELECT schema_name, table_name AS name, temporary FROM duckdb_tables() \
                   UNION ALL SELECT schema_name, view_name, temporary FROM duckdb_views() WHERE NOT internal \
                   ) WHERE schema_name <> ? ORDER BY ALL";
        let all = self.connection.prepare(sql).and_then(|mut statement| {
            statement.query_map([RUNTIME_SCHEMA], |row| row.get(0))?.collect::<duckdb::Result<Vec<String>>>()
        });
        // Names are for advice; without them there is none.
        all.unwrap_or_default()
    }
}

impl TableNames for Target<'_> {
    fn table(&self, path: &[&str]) -> Option<TableName> {
        match path {
            [name] => self.temporary(name).or_else(|| self.names.table(path)),
            [session, name] if session.eq_ignore_ascii_case("_SESSION") => self.temporary(name),
            _ => self.names.table(path),
        }
    }

    fn wildcard(&self, path: &[&str]) -> Option<Vec<(String, TableName)>> {
        self.names.wildcard(path)
    }

    fn columns(&self, path: &[&str]) -> Option<Vec<String>> {
        let path: Vec<String> = path.iter().map(|part| (*part).to_owned()).collect();
        let table = analyze::Catalog::table(self, &path).filter(|table| !table.open)?;
        Some(table.columns.iter().map(|column| column.name.clone()).collect())
    }

    fn ingestion_columns(&self, path: &[&str]) -> Option<Vec<String>> {
        self.names.ingestion_columns(path)
    }
}

impl analyze::Catalog for Target<'_> {
    fn table(&self, path: &[String]) -> Option<Table<'_>> {
        let written: Vec<&str> = path.iter().map(String::as_str).collect();
        if path.iter().any(|part| part.eq_ignore_ascii_case("INFORMATION_SCHEMA")) {
            let name = Cow::Owned(written.join("."));
            return Some(Table { name, columns: Cow::Borrowed(&[]), open: true });
        }
        let table = TableNames::table(self, &written)?;
        match columns(self.connection, &format!("SELECT * FROM {table} LIMIT 0")) {
            Ok(columns) => {
                Some(Table { name: Cow::Owned(written.join(".")), columns: Cow::Owned(columns), open: false })
            }
            // A table that is there and cannot be read is the engine's to tell of: a view of something that is gone.
            Err(_) => {
                let name = match &table.schema {
                    Some(schema) => format!("{}.{}", schema.as_str(), table.table.as_str()),
                    None => table.table.as_str().to_owned(),
                };
                self.all().iter().any(|known| known.eq_ignore_ascii_case(&name)).then_some(Table {
                    name: Cow::Owned(name),
                    columns: Cow::Borrowed(&[]),
                    open: true,
                })
            }
        }
    }

    fn table_names(&self) -> Vec<String> {
        self.all()
    }
}

/// A path with the parts that stand together in back quotes: `` `project.dataset.table` ``.
fn split(path: &[String]) -> Vec<String> {
    path.iter().flat_map(|part| part.split('.')).map(str::to_owned).collect()
}
