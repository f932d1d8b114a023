//! CAST, and types as queries write them.

use sqlparser::ast::{ArrayElemTypeDef, CastKind, DataType, Expr};
use sqlparser::tokenizer::Span;

use super::analyzer::{Analyzer, Context};
use super::coerce::castable;
use super::expression::{join, span_of};
use super::scope::{mix, print_of};
use super::value::{Form, Value};
use crate::diag::{Code, did_you_mean};
use crate::googlesql::types::{TYPE_NAMES, foreign_type};
use crate::googlesql::{SqlFault, Type};

impl<'q> Analyzer<'q, '_> {
    /// `CAST`, `SAFE_CAST`, and the casts of other databases.
    pub(super) fn cast(
        &mut self,
        kind: &CastKind,
        inner: &'q Expr,
        data_type: &'q DataType,
        context: &Context<'_, 'q>,
    ) -> Value<'q> {
        let value = self.expression(inner, context);
        let span = span_of(inner);
        if *kind == CastKind::DoubleColon || *kind == CastKind::TryCast {
            let (message, help) = if *kind == CastKind::TryCast {
                ("GoogleSQL has no TRY_CAST", "write SAFE_CAST(value AS type)")
            } else {
                ("GoogleSQL has no `::`", "write CAST(value AS type)")
            };
            self.fault(SqlFault::new(Code::SqlInvalid, span, message).help(help));
        }
        let Some(target) = self.written_type(data_type, span) else { return Value::unknown() };
        if !castable(&value.data_type, &target)
            && !matches!(value.form, Form::Null | Form::EmptyArray)
            && !self.is_literal_of(inner, &target, context)
        {
            let fault = SqlFault::new(
                Code::SqlTypeMismatch,
                span,
                format!("there is no CAST from {} to {target}", value.shown()),
            );
            let help = match (&value.data_type, &target) {
                (Type::Json, Type::String) => {
                    Some("TO_JSON_STRING(json), or JSON_VALUE(json, path) for one value")
                }
                (Type::String, Type::Json) => Some("PARSE_JSON(text)"),
                (Type::Int64, Type::Timestamp) => Some("TIMESTAMP_SECONDS(number), or _MILLIS, or _MICROS"),
                (Type::Int64, Type::Date) => {
                    Some("PARSE_DATE('%Y%m%d', CAST(number AS STRING)), or DATE_FROM_UNIX_DATE(number)")
                }
                (Type::Timestamp, Type::Int64) => Some("UNIX_SECONDS(timestamp)"),
                (Type::Date, Type::Int64) => {
                    Some("UNIX_DATE(day), or CAST(FORMAT_DATE('%Y%m%d', day) AS INT64)")
                }
                (Type::Float64 | Type::Numeric | Type::BigNumeric, Type::Bool) => {
                    Some("compare with zero: value <> 0")
                }
                (Type::Array(_), Type::String) => {
                    Some("ARRAY_TO_STRING(array, ', '), or TO_JSON_STRING(array)")
                }
                (_, Type::String) => Some("TO_JSON_STRING(value)"),
                _ => None,
            };
            self.fault(fault.maybe_help(help.map(str::to_owned)));
        }
        let safe = if *kind == CastKind::SafeCast { "SAFE_CAST" } else { "CAST" };
        let print = join(value.print, mix(print_of(&target.to_string()), print_of(safe)));
        Value::computed(target, value.sources, print)
    }

    /// Whether a list or a tuple, as it is written, holds nothing but what its type takes: a NULL in it, or an empty list,
    /// has no type of its own, though the list as a whole has one.
    fn is_literal_of(&mut self, expr: &'q Expr, target: &Type, context: &Context<'_, 'q>) -> bool {
        match (expr, target) {
            (Expr::Nested(inner), _) => self.is_literal_of(inner, target, context),
            (Expr::Array(list), Type::Array(element)) => {
                list.elem.iter().all(|item| self.fits(item, element, context))
            }
            (Expr::Tuple(values) | Expr::Struct { values, .. }, Type::Struct(fields)) => {
                let named = |value: &'q Expr| match value {
                    Expr::Named { expr, .. } => &**expr,
                    other => other,
                };
                values.len() == fields.len()
                    && values
                        .iter()
                        .zip(fields)
                        .all(|(value, field)| self.fits(named(value), &field.data_type, context))
            }
            _ => false,
        }
    }

    fn fits(&mut self, expr: &'q Expr, target: &Type, context: &Context<'_, 'q>) -> bool {
        let value = self.expression(expr, context);
        matches!(value.form, Form::Null | Form::EmptyArray)
            || castable(&value.data_type, target)
            || self.is_literal_of(expr, target, context)
    }

    /// A type as a query writes it; a fault for those of other databases.
    pub(super) fn written_type(&mut self, data_type: &DataType, span: Span) -> Option<Type> {
        let text = data_type.to_string();
        if let Some(known) = Type::parse(&text) {
            return Some(known);
        }
        if let DataType::Array(ArrayElemTypeDef::SquareBracket(..) | ArrayElemTypeDef::Parenthesis(_)) =
            data_type
        {
            self.wrong(Code::SqlInvalid, span, format!("GoogleSQL has no type {text}: write ARRAY<type>"));
            return None;
        }
        let name = text.split(['(', '<', ' ']).next().unwrap_or_default().to_uppercase();
        let help = match foreign_type(&name) {
            Some(ours) => Some(format!("write {ours}")),
            None => did_you_mean(&name, TYPE_NAMES),
        };
        let fault = SqlFault::new(Code::SqlInvalid, span, format!("GoogleSQL has no type {text}"));
        self.fault(fault.maybe_help(help));
        None
    }
}
