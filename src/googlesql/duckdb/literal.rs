//! Literals: read by BigQuery's rules, printed in the one form that DuckDB reads without regard to its settings.

use sqlparser::ast::{DataType, Expr, UnaryOperator, Value};
use sqlparser::tokenizer::Span;

use super::{RUNTIME_SCHEMA, Translator};
use crate::diag::Code;
use crate::googlesql::clock::{date, datetime, time, timestamp};
use crate::googlesql::{Type, escape};

/// Text as a DuckDB string literal. Backslashes mean themselves there.
pub fn quote(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// A string literal of any characters. DuckDB's parser ends at a NUL, its strings do not.
fn text_literal(text: &str) -> String {
    if text.contains('\0') {
        let parts: Vec<String> = text.split('\0').map(quote).collect();
        return format!("({})", parts.join(" || chr(0) || "));
    }
    quote(text)
}

/// Whether it is a literal of BYTES, of any quoting.
pub(super) fn is_bytes_literal(expr: &Expr) -> bool {
    let Expr::Value(value) = expr else { return false };
    matches!(
        value.value,
        Value::SingleQuotedByteStringLiteral(_)
            | Value::DoubleQuotedByteStringLiteral(_)
            | Value::TripleSingleQuotedByteStringLiteral(_)
            | Value::TripleDoubleQuotedByteStringLiteral(_)
    )
}

/// The text of a string literal of any quoting.
pub(super) fn string_of(value: &Value) -> Option<&str> {
    match value {
        Value::SingleQuotedString(text)
        | Value::DoubleQuotedString(text)
        | Value::TripleSingleQuotedString(text)
        | Value::TripleDoubleQuotedString(text)
        | Value::SingleQuotedRawStringLiteral(text)
        | Value::DoubleQuotedRawStringLiteral(text)
        | Value::TripleSingleQuotedRawStringLiteral(text)
        | Value::TripleDoubleQuotedRawStringLiteral(text) => Some(text),
        _ => None,
    }
}

/// The text of an expression that is a string literal.
pub(super) fn string_literal(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::Value(value) => string_of(&value.value),
        Expr::Nested(inner) => string_literal(inner),
        _ => None,
    }
}

/// The digits of a literal that BigQuery gives the type FLOAT64 (it holds a point or an exponent), with its sign.
pub(super) fn float_literal(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Value(value) => match &value.value {
            Value::Number(digits, false) if digits.contains(['.', 'e', 'E']) && !digits.starts_with("0x") => {
                Some(digits.clone())
            }
            _ => None,
        },
        Expr::Nested(inner) => float_literal(inner),
        Expr::UnaryOp { op: UnaryOperator::Minus, expr } => {
            float_literal(expr).map(|digits| format!("-{digits}"))
        }
        Expr::UnaryOp { op: UnaryOperator::Plus, expr } => float_literal(expr),
        _ => None,
    }
}

/// An integer literal's value, with its sign.
pub(super) fn int_literal(expr: &Expr) -> Option<i64> {
    match expr {
        Expr::Value(value) => match &value.value {
            Value::Number(digits, false) => parse_int(digits, false),
            Value::HexStringLiteral(digits) => parse_int(&format!("0x{digits}"), false),
            _ => None,
        },
        Expr::Nested(inner) => int_literal(inner),
        Expr::UnaryOp { op: UnaryOperator::Minus, expr } => match expr.as_ref() {
            Expr::Value(value) => match &value.value {
                Value::Number(digits, false) => parse_int(digits, true),
                _ => None,
            },
            other => int_literal(other)?.checked_neg(),
        },
        _ => None,
    }
}

fn parse_int(digits: &str, negative: bool) -> Option<i64> {
    let magnitude = match digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
        Some(hex) => i128::from_str_radix(hex, 16).ok()?,
        None => digits.parse::<i128>().ok()?,
    };
    i64::try_from(if negative { -magnitude } else { magnitude }).ok()
}

/// Whether text looks like the start of a date: a literal like this takes the type of what it is compared with.
pub(super) fn looks_temporal(text: &str) -> bool {
    let bytes = text.as_bytes();
    (bytes.len() >= 8 && bytes[..4].iter().all(u8::is_ascii_digit) && bytes[4] == b'-')
        || (bytes.len() >= 5 && bytes[0].is_ascii_digit() && text.split(':').count() == 3)
}

/// A FLOAT64 literal where nothing beside it can give it another type.
pub(super) fn double(digits: &str) -> String {
    let number = plain_number(digits);
    // A decimal has no negative zero.
    if number.starts_with('-') && !number.contains(|digit| matches!(digit, '1'..='9')) {
        return "CAST('-0' AS DOUBLE)".to_owned();
    }
    format!("CAST({number} AS DOUBLE)")
}

/// Digits as DuckDB reads them: `1.` and `.5` get their zeros.
pub(super) fn plain_number(digits: &str) -> String {
    let (sign, digits) = digits.strip_prefix('-').map_or(("", digits), |rest| ("-", rest));
    let (mantissa, exponent) = digits
        .split_once(['e', 'E'])
        .map_or((digits, String::new()), |(mantissa, exponent)| (mantissa, format!("e{exponent}")));
    let mantissa = match mantissa.split_once('.') {
        Some(("", fraction)) => format!("0.{fraction}"),
        Some((whole, "")) => format!("{whole}.0"),
        _ => mantissa.to_owned(),
    };
    // DuckDB gives a literal of more digits than a decimal holds the type DOUBLE; so do we for all but plain ones.
    format!("{sign}{mantissa}{exponent}")
}

impl Translator<'_> {
    /// A literal that stands alone.
    pub(super) fn value(&mut self, value: &Value, span: Span) -> String {
        if let Some(text) = string_of(value) {
            return text_literal(text);
        }
        match value {
            Value::Number(digits, false) if digits.contains(['.', 'e', 'E']) && !digits.starts_with("0x") => {
                double(digits)
            }
            Value::Number(digits, false) => self.integer(digits, false, span),
            // How `0x1F` is tokenized.
            Value::HexStringLiteral(digits) => self.integer(&format!("0x{digits}"), false, span),
            Value::Boolean(true) => "TRUE".to_owned(),
            Value::Boolean(false) => "FALSE".to_owned(),
            Value::Null => "NULL".to_owned(),
            Value::SingleQuotedByteStringLiteral(raw)
            | Value::DoubleQuotedByteStringLiteral(raw)
            | Value::TripleSingleQuotedByteStringLiteral(raw)
            | Value::TripleDoubleQuotedByteStringLiteral(raw) => match escape::bytes(raw) {
                Ok(bytes) => {
                    use std::fmt::Write;
                    let mut hex = String::with_capacity(bytes.len() * 2);
                    for byte in bytes {
                        let _ = write!(hex, "{byte:02X}");
                    }
                    format!("unhex('{hex}')")
                }
                Err(reason) => self.invalid(Code::SqlSyntax, span, format!("this bytes literal {reason}")),
            },
            Value::Placeholder(name) => self.placeholder(name, span),
            other => self.refuse(span, format!("the literal {other}")),
        }
    }

    /// An INT64 literal; it keeps its type beside NUMERIC and FLOAT64, which both take it as theirs.
    pub(super) fn integer(&mut self, digits: &str, negative: bool, span: Span) -> String {
        match parse_int(digits, negative) {
            // The most negative number has no positive counterpart for DuckDB to negate.
            Some(i64::MIN) => format!("CAST('{}' AS BIGINT)", i64::MIN),
            Some(number) => format!("CAST({number} AS BIGINT)"),
            None => {
                self.invalid(Code::SqlInvalid, span, format!("the number {digits} does not fit into INT64"))
            }
        }
    }

    fn placeholder(&mut self, name: &str, span: Span) -> String {
        let value = if let Some(name) = name.strip_prefix('@') {
            self.parameters.named.get(&name.to_ascii_lowercase()).cloned()
        } else {
            self.next_positional += 1;
            self.parameters.positional.get(self.next_positional - 1).cloned()
        };
        value.unwrap_or_else(|| {
            self.invalid(Code::SqlUnknownParameter, span, format!("the query parameter {name} has no value"))
        })
    }

    /// A text literal that is taken for a date or a time; none if it is neither.
    pub(super) fn temporal_literal(data_type: &Type, text: &str) -> Option<String> {
        Some(match data_type {
            Type::Date => format!("DATE '{}'", date(text)?.format("%Y-%m-%d")),
            Type::Datetime => format!("TIMESTAMP '{}'", datetime(text)?.format("%Y-%m-%d %H:%M:%S%.6f")),
            Type::Timestamp => {
                format!("TIMESTAMPTZ '{}+00'", timestamp(text)?.format("%Y-%m-%d %H:%M:%S%.6f"))
            }
            Type::Time => format!("TIME '{}'", time(text)?.format("%H:%M:%S%.6f")),
            _ => return None,
        })
    }

    /// `DATE '…'`, `TIMESTAMP '…'`, `NUMERIC '…'` and so on.
    pub(super) fn typed_literal(&mut self, data_type: &DataType, text: &str, span: Span) -> String {
        if let Some(element) = super::range::Element::of(data_type) {
            return self.range_literal(element, text, span);
        }
        let printed = match super::types::cast_macro(data_type) {
            Some("as_date") => Self::temporal_literal(&Type::Date, text),
            Some("as_datetime") => Self::temporal_literal(&Type::Datetime, text),
            Some("as_timestamp") => Self::temporal_literal(&Type::Timestamp, text),
            Some("as_time") => Self::temporal_literal(&Type::Time, text),
            Some("as_numeric") => decimal(text, 29, 9)
                .then(|| format!("CAST('{}' AS DECIMAL(38,9))", text.trim().replace('_', ""))),
            Some("as_bignumeric") => {
                decimal(text, 39, 38).then(|| format!("bignumeric_of_text({})", quote(text.trim())))
            }
            _ => match data_type {
                DataType::JSON => serde_json::from_str::<serde_json::Value>(text)
                    .is_ok()
                    .then(|| format!("{RUNTIME_SCHEMA}.json_sorted(CAST({} AS JSON))", quote(text))),
                other => return self.refuse(span, format!("a literal of the type {other}")),
            },
        };
        printed.unwrap_or_else(|| {
            self.invalid(Code::SqlInvalid, span, format!("`{text}` is not a value of the type {data_type}"))
        })
    }
}

/// At most so many digits before the point and behind it.
fn decimal(text: &str, before: i64, behind: i64) -> bool {
    let text = text.trim();
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (mantissa, exponent) = digits.split_once(['e', 'E']).unwrap_or((digits, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if !all_digits(whole) || !all_digits(fraction) || whole.len() + fraction.len() == 0 {
        return false;
    }
    let Ok(exponent) = exponent.parse::<i64>() else { return false };
    let significant_fraction = fraction.trim_end_matches('0');
    let significant_whole = whole.trim_start_matches('0');
    let to_i64 = |length: usize| i64::try_from(length).unwrap_or(i64::MAX);
    to_i64(significant_fraction.len()) - exponent <= behind
        && to_i64(significant_whole.len()) + exponent <= before
}
