//! Whether an expectation fits its table: columns that are there, conditions that are BOOL, values of the right type.

use indexmap::IndexMap;

use super::{CompiledNode, sql_diagnostic};
use crate::diag::{Code, Diagnostic, MappedText, did_you_mean, quoted};
use crate::expectations::BadValue;
use crate::googlesql::analyze::{Parameters, analyze_expression};
use crate::googlesql::{Column, SqlFault, Type, parse};
use crate::project::{Address, Expectation, ExpectationKind};

/// What is wrong with an expectation about a table of these columns.
pub(super) fn faults(
    expectation: &Expectation,
    columns: &[Column],
    nodes: &IndexMap<String, CompiledNode>,
) -> Vec<Diagnostic> {
    let mut faults = Vec::new();
    check_columns(expectation, columns, nodes, &mut faults);
    let own_condition = match &expectation.kind {
        ExpectationKind::Expression { sql } => Some(sql),
        _ => None,
    };
    for condition in expectation.filter.iter().chain(own_condition) {
        check_condition(expectation, condition, columns, &mut faults);
    }
    faults
}

/// A value of the manifest that does not fit its column, as a fault at its place.
pub(super) fn bad_value(expectation: &Expectation, why: &BadValue) -> Diagnostic {
    let place = expectation.key_spans.get(&why.key).unwrap_or(&expectation.span).clone();
    Diagnostic::error(Code::SqlTypeMismatch, &why.message)
        .at(place, "not of the column's type")
        .about(expectation.address())
        .help("give a value of the column's type")
}

fn check_columns(
    expectation: &Expectation,
    columns: &[Column],
    nodes: &IndexMap<String, CompiledNode>,
    faults: &mut Vec<Diagnostic>,
) {
    let whole = || expectation.span.clone();
    for (index, name) in expectation.columns().into_iter().enumerate() {
        let span = expectation.column_spans.get(index).cloned().unwrap_or_else(whole);
        faults.extend(
            unknown_column(name, &expectation.on, columns).map(|fault| {
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
        let found = columns.iter().find(|known| known.name.eq_ignore_ascii_case(column));
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
    faults: &mut Vec<Diagnostic>,
) {
    let subject = expectation.address();
    let found = match parse::expression(&sql.text) {
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
        Err(fault) => vec![fault],
    };
    faults.extend(found.into_iter().map(|fault| sql_diagnostic(fault, sql, &subject)));
}
