//! GoogleSQL's syntax tree to DuckDB's SQL with the same meaning.
//!
//! The translation stays small and syntactic: names are quoted, NULLs are ordered, aliases are resolved as
//! BigQuery resolves them, and functions become macros of the schema `googlesql`, in which the meaning lives
//! (`warehouse::duckdb::runtime`). What is not known here is a fault at its place; nothing is passed through.
//!
//! What comes out calls DuckDB's own functions and persisted macros alone, so that any DuckDB client can read a
//! view of it from the database file; but for BIGNUMERIC and for time zones that are no literals, which are computed
//! by functions that Pipewright registers (`docs/adr/0009-bignumeric.md`).
//!
//! # Known differences
//!
//! `docs/googlesql.md` has them function by function, written by a test against Google's reference evaluator
//! (`tests/differential`). Refused, so never wrong: GEOGRAPHY, time travel, formats that are no literals, and every
//! function that is not listed. Other results than BigQuery's, by
//! DuckDB's nature:
//! * NaN equals itself and is the largest number, where in BigQuery it equals nothing and is the smallest.
//! * A FLOAT64 product or sum beyond the range is infinite, where BigQuery raises.
//! * NUMERIC products and quotients whose exact value passes 10^19 raise. SQRT, EXP, LN, LOG10 and POW of NUMERIC have
//!   the 15 digits of a FLOAT64, and raise where these do not do.
//! * Structs in columns compare as values: a NULL field equals a NULL field, where BigQuery gives NULL.
//! * Numbers inside of JSON are printed anew (`1.50` as `1.5`).
//! * Text that is no literal and names a time zone (`… Europe/Berlin`) raises where it becomes a TIMESTAMP, in `SAFE_CAST` too.
//! * `SELECT *` after JOIN USING keeps the common columns in their place, where BigQuery puts them first.
//! * RANGE is kept as a struct of two values, an infinite one for UNBOUNDED: other clients see that.
//! * `SESSION_USER()` is always `user@localhost`.
//! * `APPROX_` functions are exact; of equally frequent values `APPROX_TOP_COUNT` gives the smaller ones first.
//!   `PERCENTILE_CONT` may differ in its last digits.
//! * A table made by LIKE, COPY or CLONE has the columns of the other and neither its constraints nor its defaults. A
//!   materialized view is a view. Options that ALTER sets are dropped, the expiration of a table among them.
//! * A function of a dataset is there for the rest of its script, and only in a database that is as short-lived.
//! * A table column of NUMERIC(p, s) is not bounded by p and s, one of STRING(n) not by n; casts are.
//!
//! Types are not known here. DuckDB chooses between a macro's overloads by the types of the arguments, but it
//! cannot see the type of an argument that holds an aggregate, a window function or a subquery. Such arguments
//! are bound first, as the only element of a list, and the macro is applied inside: see [`Translator::call`].

mod aggregate;
mod aggregates;
mod approximate;
mod by_name;
mod byte_pattern;
mod cast_format;
mod date_format;
mod dml;
mod expression;
mod from;
mod function;
mod having;
mod information_schema;
mod interval;
mod json;
mod literal;
pub mod names;
mod number_format;
mod operator;
mod pattern;
mod pivot;
mod query;
mod range;
mod regexp;
mod reshape;
mod statement;
mod temporal;
mod text_format;
mod types;
mod value_text;
mod zone;

use std::collections::BTreeMap;

use sqlparser::ast::{Expr, Query, Statement};
use sqlparser::tokenizer::Span;

pub use literal::quote;
pub use names::{DatasetNames, Ident, TableName, TableNames};
#[cfg(test)]
pub(crate) use operator::OVERLOADED;
pub use pattern::{capturing_groups, matches_nothing};

use super::fault::SqlFault;
use super::resolved::Resolved;
use crate::diag::Code;

/// The arguments of a call that has nothing but expressions in parentheses.
pub(super) fn positional_arguments(function: &sqlparser::ast::Function) -> Option<Vec<&Expr>> {
    function::positional(function)
}

/// The schema that holds the runtime's macros.
pub const RUNTIME_SCHEMA: &str = "googlesql";

/// Values of query parameters as DuckDB expressions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Parameters {
    /// `@name`, in lower case.
    pub named: BTreeMap<String, String>,
    /// `?`, in order.
    pub positional: Vec<String>,
    /// What names stand for that a script has declared, in lower case; none where nothing is declared.
    pub variables: Option<BTreeMap<String, String>>,
    /// The types of the variables, for an analysis that tells them from columns; none where it is not asked.
    pub types: BTreeMap<String, crate::googlesql::Type>,
}

/// Translates one query.
///
/// # Errors
/// Every construct and function without a known translation, at its place.
pub fn translate_query(query: &Query, names: &dyn TableNames) -> Result<String, Vec<SqlFault>> {
    run(names, &Parameters::default(), &Resolved::default(), |translator| translator.query(query))
}

/// Translates one statement of a script: a query, DDL or DML, with what the analysis of its query has found out.
///
/// # Errors
/// As [`translate_query`].
pub fn translate_statement(
    statement: &Statement,
    names: &dyn TableNames,
    parameters: &Parameters,
    resolved: &Resolved,
) -> Result<String, Vec<SqlFault>> {
    run(names, parameters, resolved, |translator| translator.statement(statement))
}

/// A type as DuckDB writes it.
///
/// # Errors
/// As [`translate_query`].
pub fn translate_type(data_type: &sqlparser::ast::DataType, span: Span) -> Result<String, Vec<SqlFault>> {
    run(&DatasetNames, &Parameters::default(), &Resolved::default(), |translator| {
        translator.data_type(data_type, span)
    })
}

/// Translates an expression of a script, which no table is in reach of.
///
/// # Errors
/// As [`translate_query`].
pub fn translate_value(
    expr: &Expr,
    names: &dyn TableNames,
    parameters: &Parameters,
) -> Result<String, Vec<SqlFault>> {
    run(names, parameters, &Resolved::default(), |translator| translator.expr(expr))
}

/// Translates an expression over columns that the caller brings into scope, such as an expectation's condition.
///
/// # Errors
/// As [`translate_query`].
pub fn translate_expression(expr: &Expr, names: &dyn TableNames) -> Result<String, Vec<SqlFault>> {
    run(names, &Parameters::default(), &Resolved::default(), |translator| translator.expr(expr))
}

fn run(
    names: &dyn TableNames,
    parameters: &Parameters,
    resolved: &Resolved,
    translate: impl FnOnce(&mut Translator<'_>) -> String,
) -> Result<String, Vec<SqlFault>> {
    let mut translator = Translator::new(names, parameters, resolved);
    let sql = translate(&mut translator);
    if translator.faults.is_empty() { Ok(sql) } else { Err(translator.faults) }
}

/// A name that the SELECT list gives, in reach of HAVING, QUALIFY and ORDER BY.
#[derive(Debug, Clone)]
struct SelectAlias {
    name: String,
    sql: String,
    opaque: bool,
}

/// A column that an asterisk does not mean.
#[derive(Debug)]
struct Hidden {
    /// The name of its table, in lower case.
    table: String,
    column: String,
    /// Whether an asterisk without a table means it all the same: the offset of UNNEST, which is no column of the
    /// element.
    from_table_only: bool,
}

/// What a FROM clause brings into scope.
#[derive(Debug, Default)]
struct Frame {
    /// Its names, in lower case.
    ranges: Vec<String>,
    hidden: Vec<Hidden>,
    /// The elements of arrays, by their names in lower case.
    elements: Vec<(String, String)>,
}

/// The state of one translation.
struct Translator<'a> {
    names: &'a dyn TableNames,
    parameters: &'a Parameters,
    resolved: &'a Resolved,
    next_positional: usize,
    faults: Vec<SqlFault>,
    /// Names of WITH that are in scope, innermost last, in lower case.
    ctes: Vec<Vec<String>>,
    /// The columns of these, innermost last, where they can be told.
    cte_columns: Vec<(String, Option<Vec<String>>)>,
    /// What is in scope by FROM, innermost last.
    frames: Vec<Frame>,
    /// Whether SELECT AS STRUCT is a later part of a set operation.
    rows_as_tuples: bool,
    /// What an unqualified name may stand for instead of a column.
    aliases: Vec<SelectAlias>,
    /// Numbers the names that the translation invents.
    next_name: usize,
    /// How deep the expression in hand nests.
    depth: usize,
    /// How deep the set operation in hand nests.
    set_depth: usize,
}

impl<'a> Translator<'a> {
    fn new(names: &'a dyn TableNames, parameters: &'a Parameters, resolved: &'a Resolved) -> Self {
        Self {
            names,
            parameters,
            resolved,
            next_positional: 0,
            faults: Vec::new(),
            ctes: Vec::new(),
            cte_columns: Vec::new(),
            frames: Vec::new(),
            rows_as_tuples: false,
            aliases: Vec::new(),
            next_name: 0,
            depth: 0,
            set_depth: 0,
        }
    }

    /// Records a construct without translation; the text returned never reaches DuckDB.
    fn refuse(&mut self, span: Span, what: impl AsRef<str>) -> String {
        let fault = SqlFault::new(
            Code::SqlNotTranslated,
            span,
            format!("{} has no translation for the embedded engine", what.as_ref()),
        )
        .help("write it with other functions, or run this project on a BigQuery target");
        self.faults.push(fault);
        "NULL".to_owned()
    }

    /// Records what nests deeper than the engine takes.
    fn too_deep(&mut self, span: Span, what: &str, most: usize, help: &str) -> String {
        let message =
            format!("more than {most} {what} hang below each other, too many for the embedded engine");
        self.faults.push(SqlFault::new(Code::SqlNotTranslated, span, message).help(help));
        "NULL".to_owned()
    }

    /// Records a fault of the SQL itself.
    fn invalid(&mut self, code: Code, span: Span, message: impl Into<String>) -> String {
        self.faults.push(SqlFault::new(code, span, message));
        "NULL".to_owned()
    }

    /// Whether a name, in lower case, is that of a table in reach.
    fn is_range(&self, name: &str) -> bool {
        self.frames.iter().flat_map(|frame| &frame.ranges).any(|range| range == name)
    }

    /// The element of an array that a name stands for.
    fn element(&self, name: &sqlparser::ast::Ident) -> Option<&str> {
        if !self.resolved.is_element(name.span) {
            return None;
        }
        let lower = name.value.to_lowercase();
        let mut known = self.frames.iter().rev().flat_map(|frame| frame.elements.iter().rev());
        known.find(|(own, _)| *own == lower).map(|(_, sql)| sql.as_str())
    }

    /// A name that no user's column has.
    fn fresh(&mut self, stem: &str) -> Ident {
        self.next_name += 1;
        Ident::new(format!("{stem}${}", self.next_name))
    }

    /// Runs a part of the translation in which SELECT aliases are out of reach.
    fn without_aliases<T>(&mut self, part: impl FnOnce(&mut Self) -> T) -> T {
        let aliases = std::mem::take(&mut self.aliases);
        let result = part(self);
        self.aliases = aliases;
        result
    }
}

#[cfg(test)]
mod tests;
