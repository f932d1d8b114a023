//! The offline check of a query: names, types, function signatures, grouping, and where each column comes from.
//!
//! Three states, and no guess between them: right, wrong (a [`SqlFault`] at its place) and not known
//! ([`Type::Unknown`], with a note in [`Analysis::unchecked`]). The rules are those of Google's own analyzer.
//!
//! ```text
//! query ── from ── select (where, group, having, qualify, order) ── columns with types and lineage
//!   │        └─ scope: what names mean          └─ expression ── path, operator, call, literal
//!   └─ with, set operations                                          └─ signature ── functions/*
//! ```

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use sqlparser::ast::{Expr, Query, Statement};
use sqlparser::tokenizer::Span;

use super::{Column, Resolved, SqlFault, Type};
use analyzer::Analyzer;

mod access;
mod analyzer;
mod by_name;
mod call;
mod cast;
mod coerce;
mod construct;
mod dml;
mod expression;
mod from;
mod functions;
mod grouping;
mod literal;
mod operator;
mod parts;
mod path;
mod pivot;
mod query;
mod scope;
mod select;
mod signature;
mod sources;
mod star;
mod taken;
mod value;
mod window;

#[cfg(test)]
mod tests;

/// The functions of GoogleSQL whose signatures are known, in upper case and sorted: `ABS`, `NET.HOST`.
pub fn function_names() -> Vec<&'static str> {
    functions::names()
}

/// What a table of the catalog looks like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table<'a> {
    /// The name as the catalog writes it, `dataset.table`: the one in lineage.
    pub name: Cow<'a, str>,
    /// Its columns, in order.
    pub columns: Cow<'a, [Column]>,
    /// Whether there may be columns beside these: a model whose own query is faulty has unknown columns, and
    /// nothing is said of queries that use them.
    pub open: bool,
}

/// The tables that queries may use.
pub trait Catalog {
    /// The table of a path, `["dataset", "table"]` or `["project", "dataset", "table"]`.
    fn table(&self, path: &[String]) -> Option<Table<'_>>;

    /// The names of all tables, for advice on misspelt ones.
    fn table_names(&self) -> Vec<String>;
}

/// The query parameters, `@name`, and the variables of a script, with their types.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Parameters {
    named: BTreeMap<String, Type>,
    variables: BTreeMap<String, Type>,
}

impl Parameters {
    /// No parameters.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a parameter; names have no case.
    pub fn insert(&mut self, name: &str, data_type: Type) {
        self.named.insert(name.to_lowercase(), data_type);
    }

    /// With the variables of a script, by their names in lower case.
    #[must_use]
    pub fn with_variables(mut self, variables: BTreeMap<String, Type>) -> Self {
        self.variables = variables;
        self
    }

    /// The type of a variable.
    pub fn variable(&self, name: &str) -> Option<&Type> {
        if self.variables.is_empty() { None } else { self.variables.get(&name.to_lowercase()) }
    }

    /// The type of a parameter.
    pub fn get(&self, name: &str) -> Option<&Type> {
        self.named.get(&name.to_lowercase())
    }

    /// The names, in lower case and in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.named.keys().map(String::as_str)
    }
}

impl<N: AsRef<str>> FromIterator<(N, Type)> for Parameters {
    fn from_iter<I: IntoIterator<Item = (N, Type)>>(iter: I) -> Self {
        let named = iter.into_iter().map(|(name, data_type)| (name.as_ref().to_lowercase(), data_type));
        Self { named: named.collect(), ..Self::default() }
    }
}

/// A column of a table of the catalog.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ColumnRef {
    /// The table's name as the catalog writes it.
    pub table: String,
    /// The column's name as the catalog writes it.
    pub column: String,
}

/// A column of a query's result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutputColumn {
    /// Name and type; columns without name have an empty one.
    pub column: Column,
    /// The columns that the expression of this column names, followed through subqueries to the catalog.
    pub lineage: BTreeSet<ColumnRef>,
}

/// What is known of a query without fault.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Analysis {
    /// The columns of the result, in order.
    pub columns: Vec<OutputColumn>,
    /// Each column of the catalog that is read anywhere, filters and joins too, by table. A table of which no
    /// column is read (`COUNT(*)`) is listed without columns.
    pub reads: BTreeMap<String, BTreeSet<String>>,
    /// Each use of a table of the catalog, by the path as it is written, in order of the text.
    pub tables: Vec<(Vec<String>, Span)>,
    /// What could not be checked, with the reason.
    pub unchecked: Vec<Note>,
    /// Whether there may be columns beside these: `SELECT *` from a table with unknown columns.
    pub open: bool,
    /// What a translation needs to know of names.
    pub resolved: Resolved,
}

/// A part of a query that could not be checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// Why not.
    pub message: String,
    /// Where.
    pub span: Span,
}

/// What is asked of a query beyond being valid.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Options {
    /// What the names of its columns must be.
    pub names: Names,
}

/// What the names of a query's columns must be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Names {
    /// Anything: the query is a part of something.
    #[default]
    Any,
    /// Those that there are differ: rows are shown by them.
    ///
    /// BigQuery: `Duplicate column names in the result are not supported`.
    Distinct,
    /// Each column has one of its own: the rows become a table.
    Table,
}

/// Checks a query.
///
/// # Errors
/// All faults, in order of the text.
pub fn analyze_query(
    query: &Query,
    catalog: &dyn Catalog,
    parameters: &Parameters,
    options: Options,
) -> Result<Analysis, Vec<SqlFault>> {
    let mut analyzer = Analyzer::new(catalog, parameters);
    let output = analyzer.query(query, None);
    analyzer.check_names(&output, options.names);
    analyzer.finish(&output)
}

/// What the names in a statement of DML stand for. Its faults are the engine's to tell: nothing is known then.
pub fn resolve_dml(statement: &Statement, catalog: &dyn Catalog, parameters: &Parameters) -> Resolved {
    let analysis =
        dml::rows_of(statement).map(|query| analyze_query(&query, catalog, parameters, Options::default()));
    let Some(Ok(Analysis { columns, mut resolved, .. })) = analysis else { return Resolved::default() };
    dml::take_written(statement, catalog, &columns, &mut resolved);
    resolved
}

/// What the analysis of a query knows, and how its rows become those of the table that a statement writes them to.
pub fn resolve_written(statement: &Statement, catalog: &dyn Catalog, analysis: Analysis) -> Resolved {
    let Analysis { columns, mut resolved, .. } = analysis;
    dml::take_written(statement, catalog, &columns, &mut resolved);
    resolved
}

/// Checks an expression over the rows of one table, as conditions of expectations are: row by row, without
/// aggregates and without window functions.
///
/// # Errors
/// All faults, in order of the text.
pub fn analyze_expression(
    expression: &Expr,
    columns: &[Column],
    parameters: &Parameters,
) -> Result<Type, Vec<SqlFault>> {
    let catalog = NoCatalog;
    let mut analyzer = Analyzer::new(&catalog, parameters);
    let data_type = analyzer.row_expression(expression, columns);
    analyzer.into_result(data_type)
}

/// The catalog of expressions, which know no tables.
struct NoCatalog;

impl Catalog for NoCatalog {
    fn table(&self, _path: &[String]) -> Option<Table<'_>> {
        None
    }

    fn table_names(&self) -> Vec<String> {
        Vec::new()
    }
}
