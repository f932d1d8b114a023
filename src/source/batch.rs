//! Typed columns of many rows, refilled again and again.

use crate::googlesql::Type;

use super::format::ColumnSpec;
use super::reader::Reject;
use super::value::{self, ValueFault};

/// Texts one after the other in a single allocation.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TextStrings {
    text: String,
    ends: Vec<usize>,
}

impl TextStrings {
    /// The text of a row; empty for a NULL and for a row that is not there.
    pub fn get(&self, row: usize) -> &str {
        self.text.get(range(&self.ends, row)).unwrap_or_default()
    }

    /// All texts one after the other, as bytes.
    pub fn bytes(&self) -> &[u8] {
        self.text.as_bytes()
    }

    /// Where each row's text ends in [`TextStrings::bytes`].
    pub fn ends(&self) -> &[usize] {
        &self.ends
    }

    /// The texts of all rows in order, empty for NULLs.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        (0..self.ends.len()).map(|row| self.get(row))
    }
}

/// Byte strings one after the other in a single allocation.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ByteStrings {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl ByteStrings {
    /// The bytes of a row; empty for a NULL and for a row that is not there.
    pub fn get(&self, row: usize) -> &[u8] {
        self.bytes.get(range(&self.ends, row)).unwrap_or_default()
    }

    /// All byte strings one after the other.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Where each row's bytes end in [`ByteStrings::bytes`].
    pub fn ends(&self) -> &[usize] {
        &self.ends
    }
}

fn range(ends: &[usize], row: usize) -> std::ops::Range<usize> {
    let start = row.checked_sub(1).map_or(0, |before| ends.get(before).copied().unwrap_or(usize::MAX));
    start..ends.get(row).copied().unwrap_or(usize::MAX)
}

/// The values of one column; a NULL has a placeholder (0, false, empty) in its place.
#[derive(Debug, Clone, PartialEq)]
pub enum ColumnData {
    /// STRING.
    Text(TextStrings),
    /// JSON: valid documents, as written.
    Json(TextStrings),
    /// BYTES, decoded.
    Bytes(ByteStrings),
    /// INT64.
    Int64(Vec<i64>),
    /// FLOAT64.
    Float64(Vec<f64>),
    /// NUMERIC, times 10^9.
    Numeric(Vec<i128>),
    /// BOOL.
    Bool(Vec<bool>),
    /// DATE: days since 1970-01-01.
    Date(Vec<i32>),
    /// TIME: microseconds since midnight.
    Time(Vec<i64>),
    /// DATETIME: microseconds since 1970-01-01 00:00:00 of the same calendar and clock, no time zone.
    Datetime(Vec<i64>),
    /// TIMESTAMP: microseconds since 1970-01-01 00:00:00 UTC.
    Timestamp(Vec<i64>),
}

/// One column of a batch.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// The values.
    pub data: ColumnData,
    /// For each row whether it has a value: false is NULL.
    pub valid: Vec<bool>,
    /// Number of NULLs, so that a column without any needs no look at `valid`.
    pub nulls: usize,
}

/// Rows that parsed, by column, and records that did not.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Batch {
    /// One column for each [`ColumnSpec`], in that order, all of the same length.
    pub columns: Vec<Column>,
    /// Number of rows.
    pub rows: usize,
    /// For each row the physical line where its record starts, from 1.
    pub lines: Vec<u64>,
    /// The records that were refused between these rows, in the order of the file.
    pub rejects: Vec<Reject>,
}

impl Batch {
    /// Empties it for columns; allocations are kept when the types are the same as before.
    pub(super) fn reset(&mut self, specs: &[ColumnSpec]) {
        self.rows = 0;
        self.lines.clear();
        self.rejects.clear();
        let same = self.columns.len() == specs.len()
            && self.columns.iter().zip(specs).all(|(column, spec)| column.data.holds(&spec.data_type));
        if same {
            for column in &mut self.columns {
                column.truncate(0);
            }
        } else {
            self.columns = specs.iter().map(|spec| Column::new(&spec.data_type)).collect();
        }
    }

    /// Takes away what was pushed after the last whole row.
    pub(super) fn roll_back(&mut self) {
        for column in &mut self.columns {
            column.truncate(self.rows);
        }
    }
}

impl ColumnData {
    fn new(data_type: &Type) -> Self {
        match data_type {
            Type::Bytes => Self::Bytes(ByteStrings::default()),
            Type::Json => Self::Json(TextStrings::default()),
            Type::Int64 => Self::Int64(Vec::new()),
            Type::Float64 => Self::Float64(Vec::new()),
            Type::Numeric => Self::Numeric(Vec::new()),
            Type::Bool => Self::Bool(Vec::new()),
            Type::Date => Self::Date(Vec::new()),
            Type::Time => Self::Time(Vec::new()),
            Type::Datetime => Self::Datetime(Vec::new()),
            Type::Timestamp => Self::Timestamp(Vec::new()),
            // The other types are refused before a batch is made (`ReadSpec::validate`).
            _ => Self::Text(TextStrings::default()),
        }
    }

    fn holds(&self, data_type: &Type) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(&Self::new(data_type))
    }
}

impl Column {
    fn new(data_type: &Type) -> Self {
        Self { data: ColumnData::new(data_type), valid: Vec::new(), nulls: 0 }
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.valid.len()
    }

    /// Whether it has no row.
    pub fn is_empty(&self) -> bool {
        self.valid.is_empty()
    }

    /// Parses a field and appends it; on a fault the column is as before.
    #[inline]
    pub(super) fn push(&mut self, text: &str) -> Result<(), ValueFault> {
        match &mut self.data {
            ColumnData::Text(strings) => {
                strings.text.push_str(text);
                strings.ends.push(strings.text.len());
            }
            ColumnData::Json(strings) => {
                value::json(text)?;
                strings.text.push_str(text);
                strings.ends.push(strings.text.len());
            }
            ColumnData::Bytes(strings) => {
                value::bytes(text.as_bytes(), &mut strings.bytes)?;
                strings.ends.push(strings.bytes.len());
            }
            ColumnData::Int64(values) => values.push(value::int64(trimmed(text))?),
            ColumnData::Float64(values) => values.push(value::float64(text.trim_ascii())?),
            ColumnData::Numeric(values) => values.push(value::numeric(trimmed(text))?),
            ColumnData::Bool(values) => values.push(value::bool(trimmed(text))?),
            ColumnData::Date(values) => values.push(value::date(trimmed(text))?),
            ColumnData::Time(values) => values.push(value::time(trimmed(text))?),
            ColumnData::Datetime(values) => values.push(value::datetime(trimmed(text))?),
            ColumnData::Timestamp(values) => values.push(value::timestamp(trimmed(text))?),
        }
        self.valid.push(true);
        Ok(())
    }

    /// Whether a field is JSON's own word for no value.
    #[inline]
    pub(super) fn is_json_null(&self, text: &str) -> bool {
        matches!(self.data, ColumnData::Json(_)) && text.trim_ascii() == "null"
    }

    #[inline]
    pub(super) fn push_null(&mut self) {
        match &mut self.data {
            ColumnData::Text(strings) | ColumnData::Json(strings) => strings.ends.push(strings.text.len()),
            ColumnData::Bytes(strings) => strings.ends.push(strings.bytes.len()),
            ColumnData::Int64(values)
            | ColumnData::Time(values)
            | ColumnData::Datetime(values)
            | ColumnData::Timestamp(values) => values.push(0),
            ColumnData::Float64(values) => values.push(0.0),
            ColumnData::Numeric(values) => values.push(0),
            ColumnData::Bool(values) => values.push(false),
            ColumnData::Date(values) => values.push(0),
        }
        self.valid.push(false);
        self.nulls += 1;
    }

    fn truncate(&mut self, rows: usize) {
        match &mut self.data {
            ColumnData::Text(strings) | ColumnData::Json(strings) => {
                strings.ends.truncate(rows);
                strings.text.truncate(strings.ends.last().copied().unwrap_or(0));
            }
            ColumnData::Bytes(strings) => {
                strings.ends.truncate(rows);
                strings.bytes.truncate(strings.ends.last().copied().unwrap_or(0));
            }
            ColumnData::Int64(values)
            | ColumnData::Time(values)
            | ColumnData::Datetime(values)
            | ColumnData::Timestamp(values) => values.truncate(rows),
            ColumnData::Float64(values) => values.truncate(rows),
            ColumnData::Numeric(values) => values.truncate(rows),
            ColumnData::Bool(values) => values.truncate(rows),
            ColumnData::Date(values) => values.truncate(rows),
        }
        let dropped = self.valid.iter().skip(rows).filter(|valid| !**valid).count();
        self.nulls -= dropped;
        self.valid.truncate(rows);
    }
}

/// Blanks around a value that is not text carry no meaning; `1, 2, 3` is a common way to write CSV.
#[inline]
fn trimmed(text: &str) -> &[u8] {
    text.as_bytes().trim_ascii()
}
