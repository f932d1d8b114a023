//! Values that are taken as another type than their own, where the engine would not convert them as BigQuery does: it
//! knows no BIGNUMERIC, and gives the fields of one struct to those of another by their names.

use sqlparser::ast::{Expr, Query, Spanned};

use sqlparser::tokenizer::Span;

use super::analyzer::Analyzer;
use super::query::{Item, Output};
use super::signature::{Fit, Given, Pattern};
use super::value::{Form, Value};
use crate::googlesql::Type;
use crate::googlesql::resolved::TakenColumn;

/// Functions whose translation hangs on the types of their arguments.
pub(super) const TAKE_ANY: &[&str] = &[
    "AVG",
    "BIT_AND",
    "BIT_OR",
    "BIT_XOR",
    "CONTAINS_SUBSTR",
    "DATETIME",
    "FORMAT",
    "JSON_ARRAY",
    "JSON_OBJECT",
    "JSON_SET",
    "SUM",
    "TO_JSON",
    "TO_JSON_STRING",
];

/// Whether the engine has to be told how a value of one type becomes one of another.
pub(super) fn is_told(from: &Type, to: &Type) -> bool {
    match (from, to) {
        (Type::BigNumeric, Type::Float64 | Type::String)
        | (Type::Int64 | Type::Numeric | Type::Float64, Type::BigNumeric) => true,
        (Type::Array(from), Type::Array(to)) => is_told(from, to),
        (Type::Struct(from), Type::Struct(to)) if from.len() == to.len() => {
            from.iter().zip(to).enumerate().any(|(index, (from, to))| {
                let name = |name: &Option<String>| match name {
                    Some(name) => name.to_lowercase(),
                    None => format!("_field_{}", index + 1),
                };
                name(&from.name) != name(&to.name) || is_told(&from.data_type, &to.data_type)
            })
        }
        _ => false,
    }
}

impl<'q> Analyzer<'q, '_> {
    /// Notes what a value is taken as.
    pub(super) fn taken_as(&mut self, value: &Value<'q>, place: &'q Expr, data_type: &Type) {
        // A struct or an array that is written in place takes the names from where it stands.
        let is_plain = value.parts.is_none() || !matches!(data_type, Type::Struct(_));
        if is_plain
            && !matches!(value.form, Form::Null | Form::EmptyArray)
            && is_told(&value.data_type, data_type)
        {
            self.resolved.add_conversion(place, &value.data_type, data_type);
        }
    }

    /// Notes what an argument of a function is taken as.
    pub(super) fn taken_argument(
        &mut self,
        given: &Given<'q>,
        place: &'q Expr,
        (pattern, fit): (&Pattern, &Fit),
        call: Span,
    ) {
        let Given::Value(value) = given else { return };
        let data_type = match pattern {
            Pattern::Fixed(data_type) => data_type,
            Pattern::Text => &Type::String,
            Pattern::Variable(variable) => match fit.solution.iter().find(|(own, _)| own == variable) {
                Some((_, data_type)) => data_type,
                None => return,
            },
            Pattern::Array(element) => {
                if let Pattern::Variable(variable) = element.as_ref()
                    && let Some((_, element)) = fit.solution.iter().find(|(own, _)| own == variable)
                {
                    self.taken_as(value, place, &Type::Array(Box::new(element.clone())));
                }
                return;
            }
            _ => &value.data_type,
        };
        self.taken_as(value, place, data_type);
        if *data_type == Type::BigNumeric {
            self.resolved.add_big_call(call);
        }
    }

    /// Notes what the only column of a subquery is taken as.
    pub(super) fn taken_column(&mut self, subquery: &Query, found: &Value<'q>, data_type: &Type) {
        if is_told(&found.data_type, data_type) {
            let column = (String::new(), found.data_type.clone(), data_type.clone());
            self.resolved.add_rows(subquery.span(), vec![column]);
        }
    }

    /// Notes what the columns of a query are taken as, if any is taken as another type than its own.
    pub(super) fn taken_rows<'a>(
        &mut self,
        query: Span,
        columns: impl Iterator<Item = &'a BranchColumn>,
        output: &Output<'q>,
    ) {
        let columns: Vec<TakenColumn> = columns
            .zip(&output.items)
            .map(|(column, item)| {
                let to = if column.is_null { &column.data_type } else { &item.value.data_type };
                (column.name.clone(), column.data_type.clone(), to.clone())
            })
            .collect();
        if columns.iter().any(|(_, from, to)| is_told(from, to)) {
            self.resolved.add_rows(query, columns);
        }
    }
}

/// A column before it is combined with those of other queries.
pub(super) struct BranchColumn {
    name: String,
    data_type: Type,
    /// Whether it is nothing but NULL.
    is_null: bool,
}

impl BranchColumn {
    pub(super) fn of(item: &Item<'_>) -> Self {
        Self {
            name: item.name.as_deref().unwrap_or_default().to_owned(),
            data_type: item.value.data_type.clone(),
            is_null: matches!(item.value.form, Form::Null | Form::EmptyArray),
        }
    }
}
