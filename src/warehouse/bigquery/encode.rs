//! Batches as lines of JSON that BigQuery reads back as the very values.
//!
//! CSV has no NULL of its own: what stands for one is a matter of each reader's options. In JSON a field that is
//! missing is NULL, and an empty text is one. Types, encodings and rows that do not fit are dealt with before, by the
//! same code as for the embedded engine.

use std::io::Write;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::DateTime;
use serde_json::{Value, json};

use crate::googlesql::Column;
use crate::source::{self, Batch, ColumnData};

/// The content type of it.
pub(super) const CONTENT: &str = "application/json";

/// The format of it, in load jobs.
pub(super) const SOURCE_FORMAT: &str = "NEWLINE_DELIMITED_JSON";

/// Writes batches of some columns.
pub(super) struct Encoder {
    /// For each column its name and what stands behind it: `"order_id":`.
    keys: Vec<String>,
}

impl Encoder {
    pub(super) fn new(columns: &[Column]) -> Self {
        Self { keys: columns.iter().map(|column| format!("{}:", json!(column.name))).collect() }
    }

    /// Appends the rows of a batch.
    pub(super) fn append(&self, batch: &Batch, out: &mut Vec<u8>) {
        for row in 0..batch.rows {
            out.push(b'{');
            let start = out.len();
            for (key, column) in self.keys.iter().zip(&batch.columns) {
                if column.valid.get(row).copied().unwrap_or(false) {
                    if out.len() > start {
                        out.push(b',');
                    }
                    out.extend_from_slice(key.as_bytes());
                    field(column, row, out);
                }
            }
            out.extend_from_slice(b"}\n");
        }
    }
}

/// Appends one record.
pub(super) fn record(record: &Value, out: &mut Vec<u8>) {
    out.extend_from_slice(record.to_string().as_bytes());
    out.push(b'\n');
}

fn field(column: &source::Column, row: usize, out: &mut Vec<u8>) {
    let micros = |micros: i64, form: &str, out: &mut Vec<u8>| match DateTime::from_timestamp_micros(micros) {
        Some(time) => write!(out, "\"{}\"", time.format(form)),
        None => write!(out, "null"),
    };
    // Writing to memory does not fail.
    let _ = match &column.data {
        ColumnData::Text(texts) => serde_json::to_writer(out, texts.get(row)).map_err(Into::into),
        ColumnData::Json(texts) => {
            document(texts.get(row), out);
            Ok(())
        }
        ColumnData::Bytes(bytes) => write!(out, "\"{}\"", STANDARD.encode(bytes.get(row))),
        // As text: of a number beyond 2^53 BigQuery promises nothing
        // (<https://cloud.google.com/bigquery/docs/loading-data-cloud-storage-json#limitations>).
        ColumnData::Int64(values) => write!(out, "\"{}\"", values[row]),
        ColumnData::Float64(values) => float(values[row], out),
        ColumnData::Numeric(values) => numeric(values[row], out),
        ColumnData::Bool(values) => write!(out, "{}", values[row]),
        ColumnData::Date(values) => micros(i64::from(values[row]) * 86_400_000_000, "%Y-%m-%d", out),
        ColumnData::Time(values) => micros(values[row], "%H:%M:%S%.6f", out),
        ColumnData::Datetime(values) => micros(values[row], "%Y-%m-%dT%H:%M:%S%.6f", out),
        ColumnData::Timestamp(values) => micros(values[row], "%Y-%m-%d %H:%M:%S%.6f+00:00", out),
    };
}

/// A document as it was written, on one line: outside of texts a line end is a blank.
fn document(text: &str, out: &mut Vec<u8>) {
    out.extend(text.bytes().map(|byte| if matches!(byte, b'\n' | b'\r') { b' ' } else { byte }));
}

/// As many digits as tell the number from all others.
fn float(value: f64, out: &mut Vec<u8>) -> std::io::Result<()> {
    if value.is_nan() {
        out.write_all(b"\"NaN\"")
    } else if value.is_infinite() {
        out.write_all(if value > 0.0 { b"\"Infinity\"" } else { b"\"-Infinity\"" })
    } else {
        write!(out, "{value:e}")
    }
}

/// A whole number of billionths, as text: a number of JSON may be read as a float.
fn numeric(value: i128, out: &mut Vec<u8>) -> std::io::Result<()> {
    const ONE: u128 = 1_000_000_000;
    let (sign, digits) = (if value < 0 { "-" } else { "" }, value.unsigned_abs());
    write!(out, "\"{sign}{}.{:09}\"", digits / ONE, digits % ONE)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(write: impl Fn(&mut Vec<u8>) -> std::io::Result<()>) -> String {
        let mut out = Vec::new();
        write(&mut out).expect("memory");
        String::from_utf8(out).expect("text")
    }

    #[test]
    fn numbers_keep_all_their_digits() {
        for (value, expected) in [
            (0, "\"0.000000000\""),
            (-1, "\"-0.000000001\""),
            (1_500_000_000, "\"1.500000000\""),
            (i128::from(i64::MAX), "\"9223372036.854775807\""),
        ] {
            assert_eq!(written(|out| numeric(value, out)), expected);
        }
        for value in [0.1, -1e300, f64::MIN_POSITIVE, 1.0, 5e-324] {
            let text = written(|out| float(value, out));
            assert_eq!(text.parse::<f64>().expect("a number").to_bits(), value.to_bits());
            assert!(serde_json::from_str::<Value>(&text).is_ok(), "{text}");
        }
        assert_eq!(written(|out| float(f64::NEG_INFINITY, out)), "\"-Infinity\"");
    }

    #[test]
    fn documents_stay_on_their_line() {
        let mut out = Vec::new();
        document("{\"a\":\r\n \"b\\n\"}", &mut out);
        assert_eq!(out, b"{\"a\":   \"b\\n\"}");
    }
}
