//! Expectations bound to the columns of their tables.

use std::collections::BTreeMap;

use indexmap::IndexMap;
use sqlparser::dialect::BigQueryDialect;
use sqlparser::parser::Parser;

use super::{CompiledNode, Dialect, Naming, sql_diagnostic};
use crate::diag::{Code, Diagnostic, Diagnostics, MappedText, did_you_mean, quoted};
use crate::expectations::{Audited, BadValue, CheckSql, checks};
use crate::googlesql::analyze::{Parameters, analyze_expression};
use crate::googlesql::{Column, SqlFault, Type, duckdb, parse};
use crate::manifest::types::ExpectationSeverity;
use crate::project::{Address, Expectation, ExpectationKind, Project};

/// An expectation that is known to fit its table; its SQL is written for the table that is audited.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompiledCheck {
    /// Its place among the project's expectations.
    pub index: usize,
    /// `expectation.dim_orders.not_null_order_key`.
    pub address: String,
    /// What a failure means.
    pub severity: ExpectationSeverity,
}

/// Binds all expectations; those that do not fit are faults.
pub(super) fn compile_checks(
    project: &Project,
    nodes: &IndexMap<String, CompiledNode>,
    naming: &Naming,
    faults: &mut Diagnostics,
) -> BTreeMap<Address, Vec<CompiledCheck>> {
    let mut by_node: BTreeMap<Address, Vec<CompiledCheck>> = BTreeMap::new();
    for (index, expectation) in project.expectations.iter().enumerate() {
        // A table whose own query is faulty has no columns to hold expectations against.
        let Some(node) = nodes.get(&expectation.on.name) else { continue };
        let before = faults.len();
        check_columns(expectation, node, nodes, faults);
        let conditions = expectation.filter.iter().chain(match &expectation.kind {
            ExpectationKind::Expression { sql } => Some(sql),
            _ => None,
        });
        for condition in conditions {
            check_condition(expectation, condition, &node.columns, faults);
        }
        if faults.len() > before {
            continue;
        }
        let relation = |address: &Address| naming.relation_of(project, address);
        let table = relation(&expectation.on);
        match sql_of(expectation, &node.columns, &table, &relation) {
            Ok(sql) => match translatable(&sql, &table, naming) {
                Ok(()) => by_node.entry(expectation.on.clone()).or_default().push(CompiledCheck {
                    index,
                    address: expectation.address(),
                    severity: expectation.severity,
                }),
                Err(fault) => faults.push(
                    Diagnostic::error(fault.code, fault.message)
                        .at(expectation.span.clone(), "this expectation")
                        .about(expectation.address())
                        .maybe_help(fault.help),
                ),
            },
            Err(why) => faults.push(
                Diagnostic::error(Code::SqlTypeMismatch, &why.message)
                    .at(
                        expectation.key_spans.get(&why.key).unwrap_or(&expectation.span).clone(),
                        "not of the column's type",
                    )
                    .about(expectation.address())
                    .help("give a value of the column's type"),
            ),
        }
    }
    by_node
}

/// The GoogleSQL of a compiled check for the table that is audited.
///
/// # Errors
/// A value that does not fit its column; compiled checks have none.
pub fn audit_sql(
    project: &Project,
    check: &CompiledCheck,
    columns: &[Column],
    table: &str,
    relation: &dyn Fn(&Address) -> String,
) -> Result<CheckSql, BadValue> {
    sql_of(&project.expectations[check.index], columns, table, relation)
}

fn sql_of(
    expectation: &Expectation,
    columns: &[Column],
    table: &str,
    relation: &dyn Fn(&Address) -> String,
) -> Result<CheckSql, BadValue> {
    checks(expectation, &Audited { table, columns, relation })
}

fn translatable(sql: &CheckSql, table: &str, naming: &Naming) -> Result<(), SqlFault> {
    if naming.dialect == Dialect::BigQuery {
        return Ok(());
    }
    let aggregates =
        sql.aggregates.as_ref().map(|aggregates| crate::expectations::combine(table, &[aggregates]));
    for text in aggregates.iter().chain(&sql.own_query).chain(&sql.sample) {
        let query = parse::query(text)?;
        duckdb::translate_query(&query, &duckdb::DatasetNames)
            .map_err(|mut faults| faults.pop().unwrap_or_else(|| untold(text)))?;
    }
    Ok(())
}

fn untold(text: &str) -> SqlFault {
    SqlFault::new(
        Code::SqlNotTranslated,
        sqlparser::tokenizer::Span::empty(),
        format!("no translation for {text}"),
    )
}

fn check_columns(
    expectation: &Expectation,
    node: &CompiledNode,
    nodes: &IndexMap<String, CompiledNode>,
    faults: &mut Diagnostics,
) {
    let whole = || expectation.span.clone();
    for (index, name) in expectation.columns().into_iter().enumerate() {
        let span = expectation.column_spans.get(index).cloned().unwrap_or_else(whole);
        faults.extend(
            unknown_column(name, &expectation.on, &node.columns).map(|fault| {
                fault.at(span.clone(), "not a column of the table").about(expectation.address())
            }),
        );
    }
    if let ExpectationKind::Relationships { to, field, .. } = &expectation.kind
        && let Some(other) = nodes.get(&to.name)
    {
        faults.extend(unknown_column(field, to, &other.columns).map(|fault| {
            let span = expectation.key_spans.get("field").cloned().unwrap_or_else(whole);
            fault.at(span, "not a column of the other table").about(expectation.address())
        }));
    }
    if let ExpectationKind::Freshness { column, .. } = &expectation.kind {
        let found = node.columns.iter().find(|known| known.name.eq_ignore_ascii_case(column));
        let temporal = |column: &Column| {
            matches!(column.data_type, Type::Date | Type::Datetime | Type::Timestamp | Type::Unknown)
        };
        if let Some(column) = found.filter(|column| !temporal(column)) {
            faults.push(
                Diagnostic::error(
                    Code::SqlTypeMismatch,
                    format!("`{}` is {}, no point in time", column.name, column.data_type),
                )
                .at(expectation.column_spans.first().cloned().unwrap_or_else(whole), "this column")
                .about(expectation.address())
                .help("`freshness` needs a DATE, DATETIME or TIMESTAMP column"),
            );
        }
    }
}

fn unknown_column(name: &str, of: &Address, columns: &[Column]) -> Option<Diagnostic> {
    let names = || columns.iter().map(|column| column.name.as_str());
    if names().any(|known| known.eq_ignore_ascii_case(name)) {
        return None;
    }
    let help =
        did_you_mean(name, names()).unwrap_or_else(|| format!("`{}` has {}", of.name, quoted(names())));
    Some(
        Diagnostic::error(Code::SqlUnknownColumn, format!("`{}` has no column `{name}`", of.name)).help(help),
    )
}

fn check_condition(
    expectation: &Expectation,
    sql: &MappedText,
    columns: &[Column],
    faults: &mut Diagnostics,
) {
    let subject = expectation.address();
    let parsed = Parser::new(&BigQueryDialect).try_with_sql(&sql.text).and_then(|mut parser| {
        let expression = parser.parse_expr()?;
        parser.expect_token(&sqlparser::tokenizer::Token::EOF)?;
        Ok(expression)
    });
    let found = match parsed {
        Ok(expression) => match analyze_expression(&expression, columns, &Parameters::new()) {
            Ok(Type::Bool | Type::Unknown) => Vec::new(),
            Ok(other) => vec![
                SqlFault::new(
                    Code::SqlTypeMismatch,
                    sqlparser::tokenizer::Span::empty(),
                    format!("this condition is {other}, not BOOL"),
                )
                .help("write a condition such as `price > 0`"),
            ],
            Err(faults) => faults,
        },
        Err(error) => vec![parse::syntax_fault(&error)],
    };
    faults.extend(found.into_iter().map(|fault| sql_diagnostic(fault, sql, &subject)));
}
