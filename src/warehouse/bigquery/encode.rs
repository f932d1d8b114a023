//! Batches as CSV that BigQuery reads back as the very values.
//!
//! One form whatever the files look like: UTF-8, commas, every text quoted, NULL a word that no value is written as.
//! Types, encodings and rows that do not fit are dealt with before, by the same code as for the embedded engine.

use std::io::Write;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::DateTime;

use crate::source::{Batch, Column, ColumnData};

/// What stands for NULL: no value is written as this, since texts are quoted.
pub(super) const NULL: &str = "\\N";

/// The content type of it.
pub(super) const CONTENT: &str = "text/csv";

/// Appends the rows of a batch.
pub(super) fn append(batch: &Batch, out: &mut Vec<u8>) {
    for row in 0..batch.rows {
        for (at, column) in batch.columns.iter().enumerate() {
            if at > 0 {
                out.push(b',');
            }
            field(column, row, out);
        }
        out.push(b'\n');
    }
}

/// Appends one record of texts.
pub(super) fn record(fields: &[Option<&str>], out: &mut Vec<u8>) {
    for (at, field) in fields.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        match field {
            Some(text) => quoted(text, out),
            None => out.extend_from_slice(NULL.as_bytes()),
        }
    }
    out.push(b'\n');
}

fn field(column: &Column, row: usize, out: &mut Vec<u8>) {
    if !column.valid.get(row).copied().unwrap_or(false) {
        out.extend_from_slice(NULL.as_bytes());
        return;
    }
    // Writing to memory does not fail.
    let _ = match &column.data {
        ColumnData::Text(texts) | ColumnData::Json(texts) => {
            quoted(texts.get(row), out);
            Ok(())
        }
        ColumnData::Bytes(bytes) => {
            out.extend_from_slice(STANDARD.encode(bytes.get(row)).as_bytes());
            Ok(())
        }
        ColumnData::Int64(values) => write!(out, "{}", values[row]),
        ColumnData::Float64(values) => float(values[row], out),
        ColumnData::Numeric(values) => numeric(values[row], out),
        ColumnData::Bool(values) => write!(out, "{}", values[row]),
        ColumnData::Date(values) => match DateTime::from_timestamp(i64::from(values[row]) * 86_400, 0) {
            Some(date) => write!(out, "{}", date.format("%Y-%m-%d")),
            None => Ok(()),
        },
        ColumnData::Time(values) => match DateTime::from_timestamp_micros(values[row]) {
            Some(time) => write!(out, "{}", time.format("%H:%M:%S%.6f")),
            None => Ok(()),
        },
        ColumnData::Datetime(values) => match DateTime::from_timestamp_micros(values[row]) {
            Some(time) => write!(out, "{}", time.format("%Y-%m-%d %H:%M:%S%.6f")),
            None => Ok(()),
        },
        ColumnData::Timestamp(values) => match DateTime::from_timestamp_micros(values[row]) {
            Some(time) => write!(out, "{}", time.format("%Y-%m-%d %H:%M:%S%.6f+00:00")),
            None => Ok(()),
        },
    };
}

fn quoted(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    let mut parts = text.split('"');
    if let Some(first) = parts.next() {
        out.extend_from_slice(first.as_bytes());
    }
    for part in parts {
        out.extend_from_slice(b"\"\"");
        out.extend_from_slice(part.as_bytes());
    }
    out.push(b'"');
}

/// As many digits as tell the number from all others.
fn float(value: f64, out: &mut Vec<u8>) -> std::io::Result<()> {
    if value.is_nan() {
        out.write_all(b"NaN")
    } else if value.is_infinite() {
        out.write_all(if value > 0.0 { b"Infinity" } else { b"-Infinity" })
    } else {
        write!(out, "{value:e}")
    }
}

/// A whole number of billionths.
fn numeric(value: i128, out: &mut Vec<u8>) -> std::io::Result<()> {
    const ONE: u128 = 1_000_000_000;
    let (sign, digits) = (if value < 0 { "-" } else { "" }, value.unsigned_abs());
    write!(out, "{sign}{}.{:09}", digits / ONE, digits % ONE)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(write: impl Fn(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).expect("text")
    }

    #[test]
    fn texts_are_told_from_null() {
        for (text, expected) in [("", "\"\""), ("a,b", "\"a,b\""), ("\"", "\"\"\"\""), ("\\N", "\"\\N\"")] {
            assert_eq!(written(|out| quoted(text, out)), expected);
        }
    }

    #[test]
    fn numbers_keep_all_their_digits() {
        for (value, expected) in [
            (0, "0.000000000"),
            (-1, "-0.000000001"),
            (1_500_000_000, "1.500000000"),
            (i128::from(i64::MAX), "9223372036.854775807"),
        ] {
            assert_eq!(written(|out| numeric(value, out).expect("memory")), expected);
        }
        for value in [0.1, -1e300, f64::MIN_POSITIVE, 1.0, 5e-324] {
            let text = written(|out| float(value, out).expect("memory"));
            assert_eq!(text.parse::<f64>().expect("a number").to_bits(), value.to_bits());
        }
        assert_eq!(written(|out| float(f64::NEG_INFINITY, out).expect("memory")), "-Infinity");
    }
}
