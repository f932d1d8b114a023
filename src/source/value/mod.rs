//! Text into values, by the rules of BigQuery's CSV load jobs.
//!
//! All functions are pure, allocate nothing and read the whole text. They take it without the blanks around it.
//!
//! Source: <https://cloud.google.com/bigquery/docs/loading-data-cloud-storage-csv#data_types>

mod civil;
mod number;

pub use civil::{date, datetime, time, timestamp};
pub use number::{float64, int64, numeric};

/// Why a text is no value of a type. Its `Display` is a sentence without the full stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ValueFault {
    /// Not decimal digits with an optional sign.
    #[error("it is not an INT64: that is a whole number in decimal digits")]
    Int64,
    /// Beyond 64 bits.
    #[error("it is out of INT64's range, -9223372036854775808 to 9223372036854775807")]
    Int64Range,
    /// Not a number.
    #[error("it is not a FLOAT64: that is a number such as -1.5 or 2e10, inf or nan")]
    Float64,
    /// A finite number that only infinity could stand for.
    #[error("it is out of FLOAT64's range, about -1.8e308 to 1.8e308")]
    Float64Range,
    /// Not a decimal number.
    #[error("it is not a NUMERIC: that is a number such as -1.5 or 2e10")]
    Numeric,
    /// A digit would be lost.
    #[error("it has more than the 9 decimals of NUMERIC, and is not rounded")]
    NumericScale,
    /// More than 29 digits before the point.
    #[error("it is out of NUMERIC's range: at most 29 digits before the point")]
    NumericRange,
    /// None of the accepted words.
    #[error("it is not a BOOL: that is true or false, t or f, yes or no, y or n, 1 or 0")]
    Bool,
    /// Not year, month and day.
    #[error("it is not a DATE: that is written YYYY-MM-DD")]
    Date,
    /// A date that no calendar has, or outside of years 1 to 9999.
    #[error("there is no such day: the calendar goes from 0001-01-01 to 9999-12-31")]
    NoSuchDay,
    /// Not hours, minutes and seconds.
    #[error("it is not a TIME: that is written HH:MM:SS, with up to 6 decimals")]
    Time,
    /// An hour, minute or second that no clock shows.
    #[error("there is no such time of day: it goes from 00:00:00 to 23:59:59.999999")]
    NoSuchTime,
    /// A digit after the microseconds would be lost.
    #[error("it has fractions of a microsecond, which BigQuery does not keep, and is not rounded")]
    Nanoseconds,
    /// Not a date and a time.
    #[error(
        "it is not a DATETIME: that is written YYYY-MM-DD HH:MM:SS, with up to 6 decimals and no time zone"
    )]
    Datetime,
    /// Not a date and a time with an optional zone.
    #[error(
        "it is not a TIMESTAMP: that is written YYYY-MM-DD HH:MM:SS, with up to 6 decimals and a time zone (Z, \
         +01:00, ` Europe/Berlin`) or none for UTC"
    )]
    Timestamp,
    /// A bare number.
    #[error(
        "a number is no TIMESTAMP here, since seconds, milliseconds and microseconds look alike: declare INT64 \
         and use TIMESTAMP_SECONDS or its like in a model"
    )]
    EpochNumber,
    /// No such zone.
    #[error(
        "its time zone is unknown: use Z, an offset such as -03:00, or a name such as ` America/Sao_Paulo`"
    )]
    Zone,
    /// In UTC it is before year 1 or after 9999.
    #[error("in UTC it is out of range: 0001-01-01 to 9999-12-31")]
    TimestampRange,
    /// Not base64.
    #[error("it is not BYTES: that is written in base64, padded with `=`")]
    Bytes,
    /// Not JSON.
    #[error("it is not a JSON document")]
    Json,
}

/// BOOL: true/false, t/f, yes/no, y/n, 1/0 in any case.
pub fn bool(text: &[u8]) -> Result<bool, ValueFault> {
    let is_one_of = |words: [&str; 5]| words.iter().any(|word| text.eq_ignore_ascii_case(word.as_bytes()));
    if is_one_of(["true", "1", "t", "yes", "y"]) {
        Ok(true)
    } else if is_one_of(["false", "0", "f", "no", "n"]) {
        Ok(false)
    } else {
        Err(ValueFault::Bool)
    }
}

/// JSON: any valid document, at most 128 levels deep.
pub fn json(text: &str) -> Result<(), ValueFault> {
    let is_document = serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok();
    // Half of a pair of surrogates is no character, and nobody who skips the texts sees it.
    if is_document && !has_half_a_pair(text) { Ok(()) } else { Err(ValueFault::Json) }
}

/// Whether a JSON document has an escape of half a pair of surrogates.
///
/// Source: <https://www.rfc-editor.org/rfc/rfc8259#section-7>
fn has_half_a_pair(text: &str) -> bool {
    let code = |at: usize| {
        let digits = text.get(at..at + 6).and_then(|escape| escape.strip_prefix("\\u"))?;
        u32::from_str_radix(digits, 16).ok()
    };
    let mut at = 0;
    while let Some(found) = text.get(at..).and_then(|rest| rest.find('\\')) {
        at += found;
        at += match code(at) {
            Some(0xD800..=0xDBFF) if matches!(code(at + 6), Some(0xDC00..=0xDFFF)) => 12,
            Some(0xD800..=0xDFFF) => return true,
            Some(_) => 6,
            None => 2,
        };
    }
    false
}

/// BYTES: base64 with the standard alphabet and padding, appended to `output`. Nothing is appended on a fault.
///
/// Source: <https://www.rfc-editor.org/rfc/rfc4648#section-4>
pub fn bytes(text: &[u8], output: &mut Vec<u8>) -> Result<(), ValueFault> {
    let start = output.len();
    let (groups, rest) = text.as_chunks::<4>();
    for (index, group) in groups.iter().enumerate() {
        let padding = group.iter().rev().take_while(|&&byte| byte == b'=').count();
        if padding > 2 || (padding > 0 && index + 1 < groups.len()) {
            output.truncate(start);
            return Err(ValueFault::Bytes);
        }
        let mut bits = 0_u32;
        for &byte in &group[..4 - padding] {
            let Some(value) = base64_value(byte) else {
                output.truncate(start);
                return Err(ValueFault::Bytes);
            };
            bits = bits << 6 | u32::from(value);
        }
        bits <<= 6 * padding;
        let [_, decoded @ ..] = bits.to_be_bytes();
        let (kept, unused) = decoded.split_at(3 - padding);
        if unused.iter().any(|&byte| byte != 0) {
            output.truncate(start);
            return Err(ValueFault::Bytes);
        }
        output.extend_from_slice(kept);
    }
    if rest.is_empty() {
        Ok(())
    } else {
        output.truncate(start);
        Err(ValueFault::Bytes)
    }
}

const fn base64_value(byte: u8) -> Option<u8> {
    match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
