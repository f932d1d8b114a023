//! RANGE: a struct of two values with names that nobody writes, in which an infinite value stands for UNBOUNDED.
//!
//! Source: <https://cloud.google.com/bigquery/docs/reference/standard-sql/range-functions>

use sqlparser::ast::{DataType, Expr, Spanned};
use sqlparser::tokenizer::Span;

use super::interval::is_interval;
use super::literal::{quote, string_literal};
use super::operator::{Argument, is_null};
use super::{RUNTIME_SCHEMA, Translator};
use crate::diag::Code;

/// A type that ranges are made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Element {
    Date,
    Datetime,
    Timestamp,
}

impl Element {
    /// The element of `RANGE<T>`, which the parser knows as `RANGE(T)`.
    pub(super) fn of(data_type: &DataType) -> Option<Self> {
        let DataType::Custom(name, parameters) = data_type else { return None };
        if !name.to_string().eq_ignore_ascii_case("RANGE") {
            return None;
        }
        match parameters.as_slice() {
            [only] => match only.to_ascii_uppercase().as_str() {
                "DATE" => Some(Self::Date),
                "DATETIME" => Some(Self::Datetime),
                "TIMESTAMP" => Some(Self::Timestamp),
                _ => None,
            },
            _ => None,
        }
    }

    /// The range as DuckDB's type.
    pub(super) fn data_type(self) -> String {
        let element = self.native();
        format!("STRUCT(\"range$start\" {element}, \"range$end\" {element})")
    }

    fn native(self) -> &'static str {
        match self {
            Self::Date => "DATE",
            Self::Datetime => "TIMESTAMP",
            Self::Timestamp => "TIMESTAMPTZ",
        }
    }

    fn cast(self) -> &'static str {
        match self {
            Self::Date => "as_date",
            Self::Datetime => "as_datetime",
            Self::Timestamp => "as_timestamp",
        }
    }

    fn type_of_element(self) -> DataType {
        match self {
            Self::Date => DataType::Date,
            Self::Datetime => DataType::Datetime(None),
            Self::Timestamp => DataType::Timestamp(None, sqlparser::ast::TimezoneInfo::None),
        }
    }
}

impl Translator<'_> {
    /// `RANGE<DATE> '[2024-01-01, UNBOUNDED)'`.
    pub(super) fn range_literal(&mut self, element: Element, text: &str, span: Span) -> String {
        let bounds = text
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(')'))
            .and_then(|inside| inside.split_once(','))
            .map(|(first, last)| [first.trim(), last.trim()]);
        let Some(bounds) = bounds else {
            return self.invalid(
                Code::SqlInvalid,
                span,
                format!("`{text}` is no range: write it as `[start, end)`"),
            );
        };
        let [first, last] = bounds.map(|bound| {
            if ["UNBOUNDED", "NULL"].iter().any(|word| word.eq_ignore_ascii_case(bound)) {
                format!("CAST(NULL AS {})", element.native())
            } else {
                self.typed_literal(&element.type_of_element(), bound, span)
            }
        });
        format!("{RUNTIME_SCHEMA}.range_of({first}, {last})")
    }

    /// A CAST of text to a range.
    pub(super) fn cast_to_range(&mut self, expr: &Expr, element: Element) -> String {
        let value = self.argument(expr);
        super::operator::bound_first(&[Argument { constant: false, ..value }], |list| {
            let text = list.join("");
            let [first, last] = [1, 2].map(|place| {
                format!("{RUNTIME_SCHEMA}.{}({RUNTIME_SCHEMA}.range_text({text}, {place}))", element.cast())
            });
            format!("CASE WHEN {text} IS NOT NULL THEN {RUNTIME_SCHEMA}.range_of({first}, {last}) END")
        })
    }

    /// Functions of ranges.
    pub(super) fn range(&mut self, name: &str, arguments: &[&Expr], span: Span) -> Option<String> {
        Some(match (name, arguments) {
            ("RANGE", [first, last]) if is_null(first) && is_null(last) => {
                format!("{RUNTIME_SCHEMA}.range_of(CAST(NULL AS DATE), CAST(NULL AS DATE))")
            }
            ("RANGE", [_, _]) => self.over("range_of", arguments),
            ("RANGE_START" | "RANGE_END", [_]) | ("RANGE_OVERLAPS" | "RANGE_INTERSECT", [_, _]) => {
                self.over(&name.to_ascii_lowercase(), arguments)
            }
            ("RANGE_CONTAINS", [range, value]) => {
                let range = self.argument(range);
                let value = match string_literal(value) {
                    Some(text) => Argument {
                        sql: format!(
                            "cast_to_type({}, {RUNTIME_SCHEMA}.range_last({}))",
                            quote(text),
                            range.sql
                        ),
                        opaque: range.opaque,
                        constant: false,
                    },
                    None => self.argument(value),
                };
                self.call("range_contains", &[range, value])
            }
            ("GENERATE_RANGE_ARRAY", [range, step, rest @ ..]) if rest.len() <= 1 => {
                if !is_interval(step) {
                    return Some(self.refuse(
                        step.span(),
                        "GENERATE_RANGE_ARRAY by an interval that is not written here",
                    ));
                }
                let partial = rest.first().map_or_else(|| "TRUE".to_owned(), |partial| self.expr(partial));
                let range = self.argument(range);
                let step = Argument::constant(self.expr(step));
                self.call("generate_range_array", &[range, step, Argument::constant(partial)])
            }
            (
                "RANGE"
                | "RANGE_START"
                | "RANGE_END"
                | "RANGE_OVERLAPS"
                | "RANGE_INTERSECT"
                | "RANGE_CONTAINS"
                | "GENERATE_RANGE_ARRAY",
                _,
            ) => self.refuse(span, format!("{name} with {} arguments", arguments.len())),
            _ => return None,
        })
    }
}
