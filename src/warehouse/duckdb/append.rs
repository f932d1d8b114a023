//! Batches into a table, column by column, as Arrow arrays.

use std::sync::Arc;

use duckdb::arrow::array::{
    ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int64Array, StringArray,
    Time64MicrosecondArray, TimestampMicrosecondArray,
};
use duckdb::arrow::buffer::{BooleanBuffer, Buffer, NullBuffer, OffsetBuffer};
use duckdb::arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use duckdb::arrow::record_batch::RecordBatch;
use duckdb::{Connection, arrow};

use super::super::{Relation, Result, WarehouseError};
use super::connection::engine_error;
use crate::diag::{Code, Diagnostic};
use crate::googlesql::{Column, Type};
use crate::source::{self, Batch, ColumnData};

/// Writes batches into one table.
pub(super) struct Appender<'a> {
    appender: duckdb::Appender<'a>,
    schema: SchemaRef,
}

impl<'a> Appender<'a> {
    /// An appender for a table with these columns.
    pub(super) fn new(connection: &'a Connection, at: &Relation, columns: &[Column]) -> Result<Self> {
        let fields: Vec<Field> = columns
            .iter()
            .map(|column| Field::new(&column.name, arrow_type(&column.data_type), true))
            .collect();
        let appender =
            connection.appender_to_db(&at.table, &at.dataset).map_err(|error| engine_error(&error))?;
        Ok(Self { appender, schema: Arc::new(Schema::new(fields)) })
    }

    /// Appends a batch.
    pub(super) fn append(&mut self, batch: &Batch) -> Result<()> {
        if batch.rows == 0 {
            return Ok(());
        }
        let arrays: Vec<ArrayRef> =
            batch.columns.iter().map(array).collect::<std::result::Result<_, _>>().map_err(fault)?;
        let record = RecordBatch::try_new(Arc::clone(&self.schema), arrays).map_err(fault)?;
        self.appender.append_record_batch(record).map_err(|error| engine_error(&error))
    }

    /// Hands everything over to the engine.
    pub(super) fn finish(mut self) -> Result<()> {
        self.appender.flush().map_err(|error| engine_error(&error))
    }
}

#[expect(clippy::needless_pass_by_value, reason = "for `map_err`")]
fn fault(error: arrow::error::ArrowError) -> WarehouseError {
    Diagnostic::error(Code::Internal, format!("a batch cannot be handed to the engine: {error}")).into()
}

/// The engine's type for a BigQuery type that files can have.
pub fn native_type(data_type: &Type) -> &'static str {
    match data_type {
        Type::Int64 => "BIGINT",
        Type::Float64 => "DOUBLE",
        Type::Numeric => "DECIMAL(38, 9)",
        Type::Bool => "BOOLEAN",
        Type::Date => "DATE",
        Type::Time => "TIME",
        Type::Datetime => "TIMESTAMP",
        Type::Timestamp => "TIMESTAMP WITH TIME ZONE",
        Type::Bytes => "BLOB",
        Type::Json => "JSON",
        _ => "VARCHAR",
    }
}

fn arrow_type(data_type: &Type) -> DataType {
    match data_type {
        Type::Int64 => DataType::Int64,
        Type::Float64 => DataType::Float64,
        Type::Numeric => DataType::Decimal128(38, 9),
        Type::Bool => DataType::Boolean,
        Type::Date => DataType::Date32,
        Type::Time => DataType::Time64(TimeUnit::Microsecond),
        Type::Datetime => DataType::Timestamp(TimeUnit::Microsecond, None),
        Type::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        Type::Bytes => DataType::Binary,
        _ => DataType::Utf8,
    }
}

fn array(column: &source::Column) -> std::result::Result<ArrayRef, arrow::error::ArrowError> {
    let nulls = (column.nulls > 0).then(|| NullBuffer::new(BooleanBuffer::from(column.valid.as_slice())));
    Ok(match &column.data {
        ColumnData::Text(text) | ColumnData::Json(text) => {
            let offsets = offsets(text.ends())?;
            Arc::new(StringArray::try_new(offsets, Buffer::from(text.bytes()), nulls)?)
        }
        ColumnData::Bytes(bytes) => {
            let offsets = offsets(bytes.ends())?;
            Arc::new(BinaryArray::try_new(offsets, Buffer::from(bytes.bytes()), nulls)?)
        }
        ColumnData::Int64(values) => Arc::new(Int64Array::try_new(values.clone().into(), nulls)?),
        ColumnData::Float64(values) => Arc::new(Float64Array::try_new(values.clone().into(), nulls)?),
        ColumnData::Numeric(values) => {
            Arc::new(Decimal128Array::try_new(values.clone().into(), nulls)?.with_precision_and_scale(38, 9)?)
        }
        ColumnData::Bool(values) => {
            Arc::new(BooleanArray::new(BooleanBuffer::from(values.as_slice()), nulls))
        }
        ColumnData::Date(values) => Arc::new(Date32Array::try_new(values.clone().into(), nulls)?),
        ColumnData::Time(values) => Arc::new(Time64MicrosecondArray::try_new(values.clone().into(), nulls)?),
        ColumnData::Datetime(values) => {
            Arc::new(TimestampMicrosecondArray::try_new(values.clone().into(), nulls)?)
        }
        ColumnData::Timestamp(values) => {
            Arc::new(TimestampMicrosecondArray::try_new(values.clone().into(), nulls)?.with_timezone("UTC"))
        }
    })
}

fn offsets(ends: &[usize]) -> std::result::Result<OffsetBuffer<i32>, arrow::error::ArrowError> {
    let too_long =
        |_| arrow::error::ArrowError::InvalidArgumentError("a batch of more than 2 GiB of text".to_owned());
    let mut offsets = Vec::with_capacity(ends.len() + 1);
    offsets.push(0);
    for end in ends {
        offsets.push(i32::try_from(*end).map_err(too_long)?);
    }
    Ok(OffsetBuffer::new(offsets.into()))
}
