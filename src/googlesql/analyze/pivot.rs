//! PIVOT and UNPIVOT.
//!
//! Source: <https://cloud.google.com/bigquery/docs/reference/standard-sql/query-syntax#pivot_operator>.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::rc::Rc;

use sqlparser::ast::{
    Expr, ExprWithAlias, Ident, PivotValueSource, Spanned, TableFactor, UnaryOperator, Value as Written,
    visit_expressions,
};

use super::analyzer::{Analyzer, Context};
use super::coerce::{conversion, same};
use super::expression::span_of;
use super::literal::text_of;
use super::query::{Item, Output};
use super::scope::{From, Lookup, Recorder, Scope, same_name};
use super::value::Value;
use crate::diag::Code;
use crate::googlesql::{SqlFault, Type};

impl<'q> Analyzer<'q, '_> {
    /// The columns of a table behind PIVOT or UNPIVOT; `None` when they are not known.
    pub(super) fn reshape(
        &mut self,
        factor: &'q TableFactor,
        from: &From,
        parent: Option<&Scope<'_, 'q>>,
    ) -> Option<Output<'q>> {
        let recorder = Recorder::default();
        recorder.set_off(true);
        let scope = Scope { parent, from, aliases: &[], recorder: &recorder };
        if from.relations.iter().any(|relation| relation.columns.open) {
            return None;
        }
        match factor {
            TableFactor::Pivot { aggregate_functions, value_column, value_source, .. } => {
                let PivotValueSource::List(values) = value_source else { return None };
                let [column] = value_column.as_slice() else { return None };
                self.pivot(aggregate_functions, column, values, &scope)
            }
            TableFactor::Unpivot { value, name, columns, .. } => self.unpivot(value, name, columns, &scope),
            _ => None,
        }
    }

    fn pivot(
        &mut self,
        aggregates: &'q [ExprWithAlias],
        column: &'q Expr,
        values: &'q [ExprWithAlias],
        scope: &Scope<'_, 'q>,
    ) -> Option<Output<'q>> {
        let row = Context::row(scope, "PIVOT");
        let context = Context { aggregates: true, ..row };
        let pivoted = self.expression(column, &row);
        let mut used = BTreeSet::new();
        names_in(column, &mut used);
        let mut results = Vec::with_capacity(aggregates.len());
        for aggregate in aggregates {
            let before = scope.recorder.calls();
            let result = self.expression(&aggregate.expr, &context);
            if scope.recorder.calls() == before {
                let fault =
                    SqlFault::new(Code::SqlAggregation, span_of(&aggregate.expr), "PIVOT takes aggregates");
                self.fault(fault.help("write PIVOT (SUM(value) FOR column IN (…))"));
            }
            names_in(&aggregate.expr, &mut used);
            results.push((result, aggregate.alias.as_ref()));
        }
        let mut items = self.columns_but(&used, column, scope);
        for value in values {
            let given = self.expression(&value.expr, &row);
            if conversion(&given, &pivoted.data_type).is_none() {
                let message =
                    format!("PIVOT looks for {} in a column of type {}", given.shown(), pivoted.data_type);
                self.wrong(Code::SqlTypeMismatch, span_of(&value.expr), message);
            }
            let name = match &value.alias {
                Some(alias) => alias.value.clone(),
                None => value_name(&value.expr)?,
            };
            for (result, alias) in &results {
                let name = match alias {
                    Some(alias) => format!("{}_{name}", alias.value),
                    None => name.clone(),
                };
                let mut result = Value { print: 0, ..result.clone() };
                result.sources.add(&pivoted.sources);
                items.push(Item {
                    name: Some(name.into()),
                    value: Value::computed(result.data_type, result.sources, 0),
                    span: span_of(&value.expr),
                });
            }
        }
        Some(Output { items, ..Output::default() })
    }

    fn unpivot(
        &mut self,
        value: &'q Expr,
        name: &'q Ident,
        columns: &'q [ExprWithAlias],
        scope: &Scope<'_, 'q>,
    ) -> Option<Output<'q>> {
        let Expr::Identifier(value_name) = value else { return None };
        let row = Context::row(scope, "UNPIVOT");
        let mut used = BTreeSet::new();
        let mut result: Option<Value<'q>> = None;
        for column in columns {
            let Expr::Identifier(_) = &column.expr else { return None };
            names_in(&column.expr, &mut used);
            let given = self.expression(&column.expr, &row);
            match &mut result {
                None => result = Some(given),
                Some(first) => {
                    if !same(&first.data_type, &given.data_type) {
                        let message = format!(
                            "UNPIVOT takes columns of one type: the first is {} and this one {}",
                            first.data_type, given.data_type
                        );
                        let fault = SqlFault::new(Code::SqlTypeMismatch, span_of(&column.expr), message);
                        self.fault(fault.help("CAST them to one type in a subquery"));
                    }
                    first.sources.add(&given.sources);
                }
            }
        }
        let result = result?;
        // The labels are texts, unless numbers are given for them.
        let label = match columns.iter().find_map(|column| column.alias.as_ref()) {
            Some(alias) if alias.quote_style.is_none() => Type::Unknown,
            _ => Type::String,
        };
        let mut items = self.columns_but(&used, value, scope);
        let span = value_name.span;
        let own = |name: &Ident| Some(Rc::from(name.value.as_str()));
        items.push(Item {
            name: own(value_name),
            value: Value::computed(result.data_type, result.sources, 0),
            span,
        });
        items.push(Item { name: own(name), value: Value::of(label), span: name.span });
        Some(Output { items, ..Output::default() })
    }

    /// The columns of the table without those that are used up.
    fn columns_but(&mut self, used: &BTreeSet<String>, place: &Expr, scope: &Scope<'_, 'q>) -> Vec<Item<'q>> {
        let mut items = Vec::new();
        for entry in &scope.from.star {
            let Some((attribute, print)) = scope.from.entry(*entry) else { continue };
            let name = attribute.name.as_deref().unwrap_or_default();
            if used.iter().any(|used| same_name(used, name))
                && matches!(scope.from.column(name), Lookup::Column(_))
            {
                continue;
            }
            let value = self.column_value(attribute, print, place.span(), scope);
            items.push(Item { name: attribute.name.clone(), value, span: place.span() });
        }
        items
    }
}

/// The names in an expression that may be columns.
fn names_in(expr: &Expr, names: &mut BTreeSet<String>) {
    let visited = visit_expressions(expr, |inner| {
        match inner {
            Expr::Identifier(name) => {
                names.insert(name.value.clone());
            }
            Expr::CompoundIdentifier(parts) => names.extend(parts.iter().map(|part| part.value.clone())),
            _ => {}
        }
        ControlFlow::<()>::Continue(())
    });
    debug_assert!(visited.is_continue(), "nothing breaks off");
}

/// The name that a value gives its column: `a` for 'a', `_1` for 1. Others are not known here.
fn value_name(value: &Expr) -> Option<String> {
    match value {
        Expr::Value(literal) => match &literal.value {
            Written::Number(digits, _) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                Some(format!("_{digits}"))
            }
            Written::Boolean(truth) => Some(truth.to_string()),
            Written::Null => Some("NULL".to_owned()),
            other => {
                let text = text_of(other)?;
                let plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
                let starts = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
                (plain && starts).then(|| text.to_owned())
            }
        },
        Expr::UnaryOp { op: UnaryOperator::Minus, expr } => Some(format!("minus{}", value_name(expr)?)),
        _ => None,
    }
}
