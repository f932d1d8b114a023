//! Whether an expectation fits its table: columns that are there, conditions that are BOOL, values of the right type.

use indexmap::IndexMap;

use super::{CompiledNode, sql_diagnostic};
use crate::diag::{Code, Diagnostic, MappedText, did_you_mean, quoted};
use crate::expectations::BadValue;
use crate::googlesql::analyze::{Parameters, analyze_expression};
use crate::googlesql::{Column, SqlFault, Type, parse};
use crate::project::{Address, Expectation, NamedColumn, Needs};

/// What is wrong with an expectation about a table of these columns.
pub(super) fn faults(
    expectation: &Expectation,
    columns: &[Column],
    nodes: &IndexMap<String, CompiledNode>,
) -> Vec<Diagnostic> {
    let mut faults = Vec::new();
    check_columns(expectation, columns, nodes, &mut faults);
    for condition in expectation.conditions() {
        check_condition(expectation, condition, columns, &mut faults);
    }
    for (table, condition) in expectation.conditions_of_others() {
        if let Some(other) = nodes.get(&table.name) {
            check_condition(expectation, condition, &other.columns, &mut faults);
        }
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

/// A view has no rows of its own, so no run remembers how many there were.
pub(super) fn no_volume(expectation: &Expectation) -> Diagnostic {
    Diagnostic::error(
        Code::BadValue,
        format!("`{}` is a view, whose rows no run remembers", expectation.on.name),
    )
    .at(expectation.span.clone(), "compares with the rows of the last run")
    .about(expectation.address())
    .help("put it on a table that the view reads, or make the model a `table`")
}

fn check_columns(
    expectation: &Expectation,
    columns: &[Column],
    nodes: &IndexMap<String, CompiledNode>,
    faults: &mut Vec<Diagnostic>,
) {
    for named in expectation.columns.iter().chain(&expectation.key_columns) {
        match columns.iter().find(|known| known.name.eq_ignore_ascii_case(&named.name)) {
            Some(column) => faults.extend(unfit(named, column, expectation)),
            None => faults.extend(unknown_column(&named.name, &expectation.on, columns).map(|fault| {
                fault.at(named.span.clone(), "not a column of the table").about(expectation.address())
            })),
        }
    }
    if expectation.form.names_all_columns() {
        check_all_columns(expectation, columns, nodes, faults);
    }
    for (address, named) in &expectation.other_columns {
        if let Some(other) = nodes.get(&address.name) {
            faults.extend(unknown_column(&named.name, address, &other.columns).map(|fault| {
                fault.at(named.span.clone(), "not a column of the other table").about(expectation.address())
            }));
        }
    }
}

/// An expectation about all columns of the table needs each of them in the other table too, and all of them in groups.
fn check_all_columns(
    expectation: &Expectation,
    columns: &[Column],
    nodes: &IndexMap<String, CompiledNode>,
    faults: &mut Vec<Diagnostic>,
) {
    let place = || expectation.span.clone();
    for column in columns {
        let (name, needs) = (column.name.clone(), Needs::Groups);
        let fault = unfit(&NamedColumn { name, needs, span: place() }, column, expectation);
        faults.extend(fault.map(|fault| fault.help("list in `columns:` which ones are compared")));
        for address in expectation.reads() {
            let Some(other) = nodes.get(&address.name) else { continue };
            faults.extend(unknown_column(&column.name, address, &other.columns).map(|fault| {
                fault
                    .at(place(), "compares all columns of its table")
                    .about(expectation.address())
                    .help("list in `columns:` which ones are compared")
            }));
        }
    }
}

/// A column that is not good for what the expectation does with it.
fn unfit(named: &NamedColumn, column: &Column, expectation: &Expectation) -> Option<Diagnostic> {
    use Type as T;
    let is = |types: &[Type]| types.contains(&column.data_type);
    let (fits, wanted, help) = match named.needs {
        _ if column.data_type == T::Unknown => return None,
        Needs::Any => return None,
        Needs::Text => (is(&[T::String]), "text", "a STRING column"),
        Needs::TextOrBytes => (is(&[T::String, T::Bytes]), "text", "a STRING or BYTES column"),
        Needs::TextOrJson => (is(&[T::String, T::Json]), "JSON", "a STRING or JSON column"),
        Needs::Number => (
            is(&[T::Int64, T::Float64, T::Numeric, T::BigNumeric]),
            "number",
            "an INT64, FLOAT64, NUMERIC or BIGNUMERIC column",
        ),
        Needs::Integer => (is(&[T::Int64]), "whole number", "an INT64 column"),
        Needs::Time => (
            is(&[T::Date, T::Datetime, T::Timestamp]),
            "point in time",
            "a DATE, DATETIME or TIMESTAMP column",
        ),
        Needs::Partition if column.data_type == T::Float64 => {
            (false, "value that parts rows", "a column that is no FLOAT64 here")
        }
        Needs::Order | Needs::Groups | Needs::Partition => {
            let compound = matches!(column.data_type, T::Json | T::Array(_) | T::Struct(_));
            (!compound, "value that can be compared", "a column of plain values")
        }
    };
    if fits {
        return None;
    }
    let message = format!("`{}` is {}, no {wanted}", column.name, column.data_type);
    Some(
        Diagnostic::error(Code::SqlTypeMismatch, message)
            .at(named.span.clone(), "this column")
            .about(expectation.address())
            .help(format!("`{}` needs {help}", expectation.kind)),
    )
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
