//! Literals: read by BigQuery's rules, printed in the one form that DuckDB reads without regard to its settings.

use chrono::{DateTime, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime, TimeZone, Utc};
use sqlparser::ast::{DataType, Expr, UnaryOperator, Value};
use sqlparser::tokenizer::Span;

use super::{RUNTIME_SCHEMA, Translator};
use crate::diag::Code;
use crate::googlesql::escape;

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

/// Longer than any gap that a change of the clock leaves but that of a whole day.
const BEFORE_A_CHANGE: chrono::TimeDelta = chrono::TimeDelta::hours(3);

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

    /// `DATE '…'`, `TIMESTAMP '…'`, `NUMERIC '…'` and so on.
    pub(super) fn typed_literal(&mut self, data_type: &DataType, text: &str, span: Span) -> String {
        if let Some(element) = super::range::Element::of(data_type) {
            return self.range_literal(element, text, span);
        }
        let printed = match super::types::cast_macro(data_type) {
            Some("as_date") => date(text).map(|date| format!("DATE '{}'", date.format("%Y-%m-%d"))),
            Some("as_datetime") => datetime(text)
                .map(|datetime| format!("TIMESTAMP '{}'", datetime.format("%Y-%m-%d %H:%M:%S%.6f"))),
            Some("as_timestamp") => timestamp(text)
                .map(|instant| format!("TIMESTAMPTZ '{}+00'", instant.format("%Y-%m-%d %H:%M:%S%.6f"))),
            Some("as_time") => time(text).map(|time| format!("TIME '{}'", time.format("%H:%M:%S%.6f"))),
            Some("as_numeric") => {
                numeric(text).then(|| format!("CAST('{}' AS DECIMAL(38,9))", text.trim().replace('_', "")))
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

/// At most 29 digits before the point and 9 after it.
fn numeric(text: &str) -> bool {
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
    to_i64(significant_fraction.len()) - exponent <= 9 && to_i64(significant_whole.len()) + exponent <= 29
}

/// `YYYY-M-D`, years from 1 to 9999.
pub(super) fn date(text: &str) -> Option<NaiveDate> {
    let mut parts = text.split('-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    let short = |part: &str| (1..=2).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
    if parts.next().is_some()
        || year.len() != 4
        || !year.bytes().all(|byte| byte.is_ascii_digit())
        || !short(month)
        || !short(day)
    {
        return None;
    }
    let year: i32 = year.parse().ok()?;
    (year > 0).then_some(())?;
    NaiveDate::from_ymd_opt(year, month.parse().ok()?, day.parse().ok()?)
}

/// `H:M:S[.FFFFFF]`.
fn time(text: &str) -> Option<NaiveTime> {
    let (clock, fraction) = text.split_once('.').map_or((text, None), |(clock, rest)| (clock, Some(rest)));
    let mut parts = clock.split(':').map(|part| {
        ((1..=2).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit()))
            .then(|| part.parse::<u32>().ok())
            .flatten()
    });
    let (hour, minute, second) = (parts.next()??, parts.next()??, parts.next()??);
    if parts.next().is_some() {
        return None;
    }
    let micros = match fraction {
        None => 0,
        Some(digits)
            if (1..=6).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit()) =>
        {
            format!("{digits:0<6}").parse().ok()?
        }
        Some(_) => return None,
    };
    NaiveTime::from_hms_micro_opt(hour, minute, second, micros)
}

/// A date, with or without a time after a blank or `T`.
fn datetime(text: &str) -> Option<NaiveDateTime> {
    match text.split_once([' ', 'T', 't']) {
        Some((day, clock)) => Some(date(day)?.and_time(time(clock)?)),
        None => Some(date(text)?.and_time(NaiveTime::MIN)),
    }
}

/// A date and time with an optional zone: `Z`, an offset without a blank before it, or a name after a blank; UTC without.
fn timestamp(text: &str) -> Option<NaiveDateTime> {
    if let Some(plain) = datetime(text) {
        return Some(plain);
    }
    if let Some(plain) = text.strip_suffix(['Z', 'z']) {
        return datetime(plain.strip_suffix(' ').unwrap_or(plain)).filter(|_| text.contains(':'));
    }
    if let Some(zone_at) = text.rfind(['+', '-']).filter(|at| text[..*at].contains(':')) {
        let offset = offset(&text[zone_at..])?;
        let local = datetime(&text[..zone_at])?;
        return Some(offset.from_local_datetime(&local).single()?.naive_utc());
    }
    let (local, zone) = text.rsplit_once(' ')?;
    let zone: chrono_tz::Tz = zone.parse().ok()?;
    let local = datetime(local)?;
    let instant: DateTime<chrono_tz::Tz> = match zone.from_local_datetime(&local).earliest() {
        Some(instant) => instant,
        // A clock that is put forward skips this time: it is read as if the clock had gone on.
        None => zone.from_local_datetime(&(local - BEFORE_A_CHANGE)).earliest()? + BEFORE_A_CHANGE,
    };
    Some(instant.with_timezone(&Utc).naive_utc())
}

/// `+H`, `+HH`, `+HHMM`, `+HH:MM`.
pub(super) fn offset(text: &str) -> Option<FixedOffset> {
    let negative = text.starts_with('-');
    let digits = text.strip_prefix(['+', '-'])?;
    let (hours, minutes) = match digits.split_once(':') {
        Some((hours, minutes)) => (hours, minutes),
        None if digits.len() == 4 => digits.split_at(2),
        None => (digits, "00"),
    };
    if !(1..=2).contains(&hours.len()) || minutes.len() != 2 {
        return None;
    }
    let (hours, minutes): (i32, i32) = (hours.parse().ok()?, minutes.parse().ok()?);
    if hours > 14 || minutes > 59 {
        return None;
    }
    let seconds = hours * 3600 + minutes * 60;
    FixedOffset::east_opt(if negative { -seconds } else { seconds })
}
