//! Literals: their types, and whether what they say exists.

use sqlparser::ast::{Ident, TypedString, UnaryOperator, Value as Written, ValueWithSpan};
use sqlparser::tokenizer::Span;

use super::analyzer::Analyzer;
use super::scope::{mix, print_of};
use super::value::{Form, Value};
use crate::diag::Code;
use crate::googlesql::clock::timestamp;
use crate::googlesql::{SqlFault, Type};

/// The text between the quotes of a string literal.
pub(super) fn text_of(value: &Written) -> Option<&str> {
    match value {
        Written::SingleQuotedString(text)
        | Written::DoubleQuotedString(text)
        | Written::TripleSingleQuotedString(text)
        | Written::TripleDoubleQuotedString(text)
        | Written::SingleQuotedRawStringLiteral(text)
        | Written::DoubleQuotedRawStringLiteral(text)
        | Written::TripleSingleQuotedRawStringLiteral(text)
        | Written::TripleDoubleQuotedRawStringLiteral(text) => Some(text),
        _ => None,
    }
}

impl<'q> Analyzer<'q, '_> {
    /// A literal without type name.
    pub(super) fn literal(&mut self, value: &'q ValueWithSpan, sign: Option<UnaryOperator>) -> Value<'q> {
        if let Some(text) = text_of(&value.value) {
            return Value::literal(Type::String, Form::Text(text), mix(print_of(text), 0x53));
        }
        match &value.value {
            Written::Number(digits, _) => self.number(digits, value.span, sign),
            Written::HexStringLiteral(digits) => {
                let sign = if sign == Some(UnaryOperator::Minus) { -1 } else { 1 };
                match i128::from_str_radix(digits, 16).map(|number| sign * number) {
                    Ok(number) if i64::try_from(number).is_ok() => {}
                    _ => self.bad_integer(digits, value.span),
                }
                Value::literal(Type::Int64, Form::Literal, mix(print_of(digits), 0x58))
            }
            Written::Boolean(truth) => {
                Value::literal(Type::Bool, Form::Literal, mix(u64::from(*truth), 0x42))
            }
            Written::Null => Value::literal(Type::Int64, Form::Null, mix(0, 0x4E)),
            Written::SingleQuotedByteStringLiteral(text)
            | Written::DoubleQuotedByteStringLiteral(text)
            | Written::TripleSingleQuotedByteStringLiteral(text)
            | Written::TripleDoubleQuotedByteStringLiteral(text) => {
                Value::literal(Type::Bytes, Form::Literal, mix(print_of(text), 0x59))
            }
            other => self.unknown(value.span, format!("the literal {other} is not known")),
        }
    }

    fn number(&mut self, digits: &str, span: Span, sign: Option<UnaryOperator>) -> Value<'q> {
        let print = mix(print_of(digits), 0x23);
        if digits.contains(['.', 'e', 'E']) {
            if !digits.parse::<f64>().is_ok_and(f64::is_finite) {
                self.wrong(Code::SqlInvalid, span, format!("{digits} is no number that FLOAT64 has"));
            }
            return Value::literal(Type::Float64, Form::Literal, print);
        }
        let number = digits.parse::<i128>().map(|n| if sign == Some(UnaryOperator::Minus) { -n } else { n });
        if !number.is_ok_and(|number| i64::try_from(number).is_ok()) {
            self.bad_integer(digits, span);
        }
        Value::literal(Type::Int64, Form::Literal, print)
    }

    fn bad_integer(&mut self, digits: &str, span: Span) {
        let fault = SqlFault::new(Code::SqlInvalid, span, format!("{digits} is beyond what INT64 holds"));
        self.fault(fault.help(format!("write NUMERIC '{digits}' or BIGNUMERIC '{digits}'")));
    }

    /// A literal with type name, `DATE '2024-02-29'`.
    pub(super) fn typed_literal(&mut self, literal: &'q TypedString) -> Value<'q> {
        let span = literal.value.span;
        let Some(data_type) = self.written_type(&literal.data_type, span) else { return Value::unknown() };
        let Some(text) = text_of(&literal.value.value) else {
            return self.unknown(span, "a typed literal without text");
        };
        if !matches!(
            data_type,
            Type::Date
                | Type::Datetime
                | Type::Time
                | Type::Timestamp
                | Type::Numeric
                | Type::BigNumeric
                | Type::Json
                | Type::Range(_)
        ) {
            let fault = SqlFault::new(
                Code::SqlInvalid,
                span,
                format!("GoogleSQL has no literals of type {data_type}"),
            );
            self.fault(fault.help(format!("write CAST('{text}' AS {data_type})")));
            return Value::of(data_type);
        }
        self.check_text(text, &data_type, span);
        let print = mix(print_of(text), print_of(&data_type.to_string()));
        Value::literal(data_type, Form::Literal, print)
    }

    /// Whether a text can stand for a value of a type; a fault if not.
    pub(super) fn check_text(&mut self, text: &str, data_type: &Type, span: Span) {
        let (good, like) = match data_type {
            Type::Date => (is_date(text), "2024-02-29"),
            Type::Datetime => (is_datetime(text), "2024-02-29 12:30:00"),
            Type::Time => (is_time(text), "12:30:00"),
            Type::Timestamp => (is_timestamp(text) || timestamp(text).is_some(), "2024-02-29 12:30:00+00"),
            Type::Numeric => (is_decimal(text, 29), "12.34"),
            Type::BigNumeric => (is_decimal(text, 39), "12.34"),
            Type::Json => (serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok(), r#"{"key": 1}"#),
            _ => (true, ""),
        };
        if !good {
            let fault = SqlFault::new(Code::SqlInvalid, span, format!("'{text}' is no {data_type}"));
            self.fault(fault.help(format!("a {data_type} is written like '{like}'")));
        }
    }

    /// `rb'…'`, which the parser takes for a column `rb` with the alias `'…'`.
    pub(super) fn is_raw_bytes(name: &Ident, alias: &Ident) -> bool {
        name.quote_style.is_none()
            && matches!(alias.quote_style, Some('\'' | '"'))
            && (name.value.eq_ignore_ascii_case("rb") || name.value.eq_ignore_ascii_case("br"))
    }
}

/// `2024-2-29`, year of four digits, and the day exists.
fn is_date(text: &str) -> bool {
    let mut numbers = text.split('-');
    let (Some(year), Some(month), Some(day), None) =
        (numbers.next(), numbers.next(), numbers.next(), numbers.next())
    else {
        return false;
    };
    let number = |text: &str, most: usize| {
        (!text.is_empty() && text.len() <= most && text.bytes().all(|byte| byte.is_ascii_digit()))
            .then(|| text.parse::<u32>().ok())
            .flatten()
    };
    let (Some(year), Some(month), Some(day)) = (number(year, 4), number(month, 2), number(day, 2)) else {
        return false;
    };
    year > 0
        && i32::try_from(year).is_ok_and(|year| chrono::NaiveDate::from_ymd_opt(year, month, day).is_some())
}

/// `12:30`, `12:30:00.123456`.
fn is_time(text: &str) -> bool {
    let (clock, fraction) = text.split_once('.').map_or((text, None), |(clock, rest)| (clock, Some(rest)));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if fraction.is_some_and(|fraction| !fraction.is_empty() && (!digits(fraction) || fraction.len() > 9)) {
        return false;
    }
    let limits = [23_u32, 59, 60];
    let numbers: Vec<&str> = clock.split(':').collect();
    numbers.len() == 3
        && numbers.iter().zip(limits).all(|(number, limit)| {
            digits(number) && number.len() <= 2 && number.parse::<u32>().is_ok_and(|number| number <= limit)
        })
}

/// A date alone, or a date and a time.
fn is_datetime(text: &str) -> bool {
    match text.split_once([' ', 'T', 't']) {
        Some((date, time)) => is_date(date) && is_time(time),
        None => is_date(text),
    }
}

/// A datetime with an offset, `Z`, or a time zone's name.
fn is_timestamp(text: &str) -> bool {
    if is_datetime(text) {
        return true;
    }
    if let Some(rest) = text.strip_suffix(['Z', 'z']) {
        return is_datetime(rest);
    }
    if let Some((rest, zone)) = text.rsplit_once(' ')
        && zone.starts_with(|c: char| c.is_ascii_alphabetic())
    {
        // Names of zones are checked when the query runs: the database of them grows.
        return is_datetime(rest);
    }
    // The sign of an offset stands behind the date.
    let Some(place) = text.get(8..).and_then(|rest| rest.rfind(['+', '-'])).map(|place| place + 8) else {
        return false;
    };
    let (rest, offset) = text.split_at(place);
    let mut numbers = offset.trim_start_matches(['+', '-']).split(':');
    let hours = numbers.next().and_then(|hours| hours.parse::<u32>().ok());
    let minutes = numbers.next().map_or(Some(0), |minutes| minutes.parse::<u32>().ok());
    is_datetime(rest.trim_end())
        && numbers.next().is_none()
        && hours.is_some_and(|hours| hours <= 14)
        && minutes.is_some_and(|minutes| minutes <= 59)
}

/// A decimal number with at most so many digits before the point.
fn is_decimal(text: &str, whole_digits: usize) -> bool {
    let text = text.trim();
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => match exponent.parse::<i64>() {
            Ok(exponent) => (mantissa, exponent),
            Err(_) => return false,
        },
        None => (unsigned, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let significant = whole.trim_start_matches('0').len();
    let too_large = significant > 0
        && i64::try_from(significant).unwrap_or(i64::MAX).saturating_add(exponent)
            > i64::try_from(whole_digits).unwrap_or(i64::MAX);
    digits(whole) && digits(fraction) && !(whole.is_empty() && fraction.is_empty()) && !too_large
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_and_times_exist_or_not() {
        for good in ["2024-02-29", "2024-2-9", "0001-01-01", "9999-12-31"] {
            assert!(is_date(good), "{good}");
        }
        for bad in
            ["2023-02-29", "2024-13-01", "2024-01", "2024-01-01 00:00:00", "", "20240101", "0000-01-01"]
        {
            assert!(!is_date(bad), "{bad}");
        }
        assert!(is_time("23:59:59.999999") && is_time("1:2:3") && !is_time("24:00:00") && !is_time("a:b:c"));
        for good in [
            "2024-01-01",
            "2024-01-01T00:00:00Z",
            "2024-01-01 00:00:00+00",
            "2024-01-01 00:00:00.5-03:30",
            "2024-01-01 00:00:00 America/Sao_Paulo",
            "2024-01-01+01",
        ] {
            assert!(is_timestamp(good), "{good}");
        }
        for bad in ["2024-01-01 00:00:00+25", "yesterday", "2024-02-30 00:00:00Z", ""] {
            assert!(!is_timestamp(bad), "{bad}");
        }
    }

    #[test]
    fn decimals_fit_or_not() {
        for good in ["1", "-1.5", ".5", "1e28", "99999999999999999999999999999"] {
            assert!(is_decimal(good, 29), "{good}");
        }
        for bad in ["", "abc", "1e40", "1.2.3", "999999999999999999999999999999"] {
            assert!(!is_decimal(bad, 29), "{bad}");
        }
    }
}
