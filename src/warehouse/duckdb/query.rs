//! Rows of a query, in the form that BigQuery's interface gives them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use duckdb::Connection;
use duckdb::arrow::array::{
    Array, AsArray, BinaryArray, BooleanArray, Date32Array, Decimal128Array, Float32Array, Float64Array,
    Int8Array, Int16Array, Int32Array, Int64Array, IntervalMonthDayNanoArray, LargeBinaryArray,
    LargeStringArray, StringArray, Time64MicrosecondArray, TimestampMicrosecondArray, UInt8Array,
    UInt16Array, UInt32Array, UInt64Array,
};
use duckdb::core::{LogicalTypeHandle, LogicalTypeId};
use serde_json::{Map, Value, json};

use super::super::rows::{QueryError, QueryResult};
use super::bignumeric::number_at;
use crate::googlesql::{Column, Field, Type};

/// Runs one query of DuckDB's own SQL.
///
/// # Errors
/// What the engine says.
pub fn fetch(connection: &Connection, sql: &str) -> Result<QueryResult, QueryError> {
    let mut statement = connection.prepare(sql).map_err(|error| engine(&error))?;
    let types = types(&statement);
    if let Some(index) = types.iter().position(unknown) {
        return Err(QueryError::Engine(format!(
            "column {} has a type that BigQuery does not have",
            index + 1
        )));
    }
    let mut batches = statement.stream_arrow([]).map_err(|error| engine(&error))?;
    let columns = named(&batches, types);
    let mut rows = Vec::new();
    for batch in &mut batches {
        let batch = batch.map_err(|error| engine(&error))?;
        for row in 0..batch.num_rows() {
            rows.push(
                columns
                    .iter()
                    .zip(batch.columns())
                    .map(|(column, array)| value_at(array.as_ref(), row, &column.data_type))
                    .collect(),
            );
        }
    }
    Ok(QueryResult { columns, rows })
}

/// The columns of a query of DuckDB's own SQL; types that BigQuery does not have are unknown.
pub(super) fn columns(connection: &Connection, sql: &str) -> Result<Vec<Column>, QueryError> {
    let mut statement = connection.prepare(sql).map_err(|error| engine(&error))?;
    let types = types(&statement);
    let batches = statement.stream_arrow([]).map_err(|error| engine(&error))?;
    Ok(named(&batches, types))
}

fn types(statement: &duckdb::Statement<'_>) -> Vec<Type> {
    (0..statement.column_count()).map(|index| type_of(&statement.column_logical_type(index))).collect()
}

fn named(batches: &duckdb::ArrowStream<'_>, types: Vec<Type>) -> Vec<Column> {
    let schema = batches.get_schema();
    let names = schema.fields().iter().map(|field| field.name().clone());
    names.zip(types).map(|(name, data_type)| Column::new(name, data_type)).collect()
}

/// Whether a type, or one inside of it, is one that BigQuery does not have.
fn unknown(data_type: &Type) -> bool {
    match data_type {
        Type::Unknown => true,
        Type::Array(element) => unknown(element),
        Type::Struct(fields) => fields.iter().any(|field| unknown(&field.data_type)),
        _ => false,
    }
}

/// How the texts begin that the runtime raises by a cast that cannot succeed.
const RAISED: &[&str] = &[
    "division by zero",
    "Argument to ",
    "Array index ",
    "Bad ",
    "Bitwise shift ",
    "ERROR: ",
    "Floating point error ",
    "HLL_COUNT.",
    "INFORMATION_SCHEMA ",
    "Invalid ",
    "NORMALIZE ",
    "Negative count ",
    "Sequence step ",
    "TO_JSON ",
    "TO_JSON_STRING ",
    "The number of ",
    "The provided JSON ",
];

/// How the errors begin of functions that are no macros.
const COMPUTED: &[&str] = &["BIGNUMERIC overflow", "Invalid ", "division by zero"];

/// The engine's message; a fault that the runtime raises speaks for itself.
pub(super) fn engine(error: &duckdb::Error) -> QueryError {
    let text = match error {
        duckdb::Error::DuckDBFailure(_, Some(message)) => message.clone(),
        other => other.to_string(),
    };
    // What follows shows the translated SQL, which nobody wrote.
    let text = text.split("\n\nLINE ").next().unwrap_or(&text).trim_end();
    let quoted = text
        .split_once(['\'', '"'])
        .and_then(|(_, rest)| RAISED.iter().any(|start| rest.starts_with(start)).then_some(rest))
        .and_then(|rest| rest.rsplit_once(['\'', '"']).or_else(|| rest.split_once("\", expected")));
    QueryError::Engine(match quoted {
        Some((raised, _)) if text.starts_with("Conversion Error") => {
            raised.split("\", expected format").next().unwrap_or(raised).to_owned()
        }
        _ => match text.strip_prefix("Invalid Input Error: ") {
            Some(raised) if COMPUTED.iter().any(|start| raised.starts_with(start)) => raised.to_owned(),
            _ => text.to_owned(),
        },
    })
}

/// BigQuery's type of a column.
fn type_of(handle: &LogicalTypeHandle) -> Type {
    // JSON is text with another name.
    if handle.get_alias().as_deref() == Some("JSON") {
        return Type::Json;
    }
    match handle.id() {
        LogicalTypeId::Boolean => Type::Bool,
        LogicalTypeId::Tinyint
        | LogicalTypeId::Smallint
        | LogicalTypeId::Integer
        | LogicalTypeId::Bigint
        | LogicalTypeId::UTinyint
        | LogicalTypeId::USmallint
        | LogicalTypeId::UInteger
        | LogicalTypeId::UBigint
        // NULL without a type is an INT64 in BigQuery.
        | LogicalTypeId::SqlNull => Type::Int64,
        LogicalTypeId::Float | LogicalTypeId::Double => Type::Float64,
        LogicalTypeId::Array if handle.child(0).id() == LogicalTypeId::UBigint => Type::BigNumeric,
        LogicalTypeId::Decimal => Type::Numeric,
        LogicalTypeId::Varchar => Type::String,
        LogicalTypeId::Blob => Type::Bytes,
        LogicalTypeId::Date => Type::Date,
        LogicalTypeId::Time => Type::Time,
        LogicalTypeId::Timestamp => Type::Datetime,
        LogicalTypeId::TimestampTZ => Type::Timestamp,
        LogicalTypeId::Interval => Type::Interval,
        LogicalTypeId::List => Type::Array(Box::new(type_of(&handle.child(0)))),
        // A RANGE: see `range` of the translation.
        LogicalTypeId::Struct if handle.num_children() == 2 && handle.child_name(0) == "range$start" => {
            Type::Range(Box::new(type_of(&handle.child(0))))
        }
        LogicalTypeId::Struct => Type::Struct(
            (0..handle.num_children())
                .map(|index| Field {
                    name: Some(handle.child_name(index)),
                    data_type: type_of(&handle.child(index)),
                })
                .collect(),
        ),
        _ => Type::Unknown,
    }
}

macro_rules! integer {
    ($array:expr, $row:expr, $($kind:ty),+) => {{
        let array: &dyn Array = $array;
        None$(.or_else(|| array.as_any().downcast_ref::<$kind>().map(|array| json!(array.value($row)))))+
    }};
}

/// One value.
fn value_at(array: &dyn Array, row: usize, data_type: &Type) -> Value {
    if let Type::Array(element) = data_type {
        if array.is_null(row) {
            return json!([]);
        }
        let Some(list) = array.as_list_opt::<i32>() else { return Value::Null };
        let items = list.value(row);
        return (0..items.len()).map(|index| value_at(items.as_ref(), index, element)).collect();
    }
    if array.is_null(row) {
        return Value::Null;
    }
    match data_type {
        Type::Struct(fields) => array.as_struct_opt().map(|array| {
            let object: Map<String, Value> = fields
                .iter()
                .zip(array.columns())
                .map(|(field, column)| {
                    (field.name.clone().unwrap_or_default(), value_at(column.as_ref(), row, &field.data_type))
                })
                .collect();
            Value::Object(object)
        }),
        Type::Range(element) => array.as_struct_opt().map(|array| {
            let bounds: Vec<String> =
                array.columns().iter().map(|column| bound(column.as_ref(), row, element)).collect();
            json!(format!("[{})", bounds.join(", ")))
        }),
        Type::Bool => array.as_any().downcast_ref::<BooleanArray>().map(|array| json!(array.value(row))),
        Type::Int64 => integer!(
            array,
            row,
            Int64Array,
            Int32Array,
            Int16Array,
            Int8Array,
            UInt64Array,
            UInt32Array,
            UInt16Array,
            UInt8Array
        ),
        Type::Float64 => array
            .as_any()
            .downcast_ref::<Float64Array>()
            .map(|array| array.value(row))
            .or_else(|| {
                array.as_any().downcast_ref::<Float32Array>().map(|array| f64::from(array.value(row)))
            })
            .map(float),
        Type::BigNumeric => number_at(array, row).map(|number| json!(number.to_string())),
        Type::Numeric => array
            .as_any()
            .downcast_ref::<Decimal128Array>()
            .map(|array| json!(decimal(array.value(row), array.scale()))),
        Type::String => text_at(array, row).map(|text| json!(text)),
        Type::Json => text_at(array, row).map(|text| json!(spaced_json(text))),
        Type::Bytes => bytes_at(array, row).map(|bytes| json!(STANDARD.encode(bytes))),
        Type::Date => array
            .as_any()
            .downcast_ref::<Date32Array>()
            .and_then(|array| array.value_as_date(row))
            .map(|date| json!(date.format("%Y-%m-%d").to_string())),
        Type::Time => array
            .as_any()
            .downcast_ref::<Time64MicrosecondArray>()
            .and_then(|array| array.value_as_time(row))
            .map(|time| json!(trim_fraction(time.format("%H:%M:%S%.6f").to_string()))),
        Type::Interval => array
            .as_any()
            .downcast_ref::<IntervalMonthDayNanoArray>()
            .map(|array| array.value(row))
            .map(|value| json!(interval(value.months, value.days, value.nanoseconds))),
        Type::Datetime | Type::Timestamp => array
            .as_any()
            .downcast_ref::<TimestampMicrosecondArray>()
            .and_then(|array| array.value_as_datetime(row))
            .map(|clock| {
                let text = trim_fraction(clock.format("%Y-%m-%dT%H:%M:%S%.6f").to_string());
                json!(if *data_type == Type::Timestamp { format!("{text}+00:00") } else { text })
            }),
        _ => None,
    }
    .unwrap_or(Value::Null)
}

/// The start or end of a range: an infinite value is none.
fn bound(array: &dyn Array, row: usize, element: &Type) -> String {
    let infinite = match array.as_any().downcast_ref::<Date32Array>() {
        Some(dates) => dates.value(row).abs() == i32::MAX,
        None => array
            .as_any()
            .downcast_ref::<TimestampMicrosecondArray>()
            .is_some_and(|clocks| clocks.value(row).abs() == i64::MAX),
    };
    match value_at(array, row, element) {
        Value::String(text) if !infinite => text,
        _ => "UNBOUNDED".to_owned(),
    }
}

fn text_at(array: &dyn Array, row: usize) -> Option<&str> {
    array
        .as_any()
        .downcast_ref::<StringArray>()
        .map(|array| array.value(row))
        .or_else(|| array.as_any().downcast_ref::<LargeStringArray>().map(|array| array.value(row)))
}

fn bytes_at(array: &dyn Array, row: usize) -> Option<&[u8]> {
    array
        .as_any()
        .downcast_ref::<BinaryArray>()
        .map(|array| array.value(row))
        .or_else(|| array.as_any().downcast_ref::<LargeBinaryArray>().map(|array| array.value(row)))
}

fn float(value: f64) -> Value {
    if value.is_nan() {
        json!("NaN")
    } else if value.is_infinite() {
        json!(if value > 0.0 { "Infinity" } else { "-Infinity" })
    } else {
        json!(value)
    }
}

/// A decimal's shortest form: `1.50` is `1.5`, `100.00` is `100`.
fn decimal(value: i128, scale: i8) -> String {
    let scale = usize::try_from(scale).unwrap_or(0);
    let digits = format!("{:0>width$}", value.unsigned_abs(), width = scale + 1);
    let (whole, fraction) = digits.split_at(digits.len() - scale);
    let fraction = fraction.trim_end_matches('0');
    let sign = if value < 0 { "-" } else { "" };
    if fraction.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
}

/// `years-months days hours:minutes:seconds`, each group with its own sign.
fn interval(months: i32, days: i32, nanoseconds: i64) -> String {
    let sign = |negative: bool| if negative { "-" } else { "" };
    let micros = nanoseconds / 1_000;
    let (all, clock) = (months.unsigned_abs(), micros.unsigned_abs());
    let seconds = clock / 1_000_000;
    let fraction = format!(".{:06}", clock % 1_000_000);
    format!(
        "{}{}-{} {days} {}{}:{}:{}{}",
        sign(months < 0),
        all / 12,
        all % 12,
        sign(micros < 0),
        seconds / 3_600,
        seconds / 60 % 60,
        seconds % 60,
        if clock % 1_000_000 == 0 { "" } else { &fraction }
    )
}

/// A fraction of a second that is zero is not printed.
fn trim_fraction(text: String) -> String {
    text.strip_suffix(".000000").map(str::to_owned).unwrap_or(text)
}

/// JSON with a blank after each comma and colon.
fn spaced_json(text: &str) -> String {
    struct Spaced;
    impl serde_json::ser::Formatter for Spaced {
        fn begin_array_value<W: ?Sized + std::io::Write>(
            &mut self,
            writer: &mut W,
            first: bool,
        ) -> std::io::Result<()> {
            if first { Ok(()) } else { writer.write_all(b", ") }
        }
        fn begin_object_key<W: ?Sized + std::io::Write>(
            &mut self,
            writer: &mut W,
            first: bool,
        ) -> std::io::Result<()> {
            if first { Ok(()) } else { writer.write_all(b", ") }
        }
        fn begin_object_value<W: ?Sized + std::io::Write>(&mut self, writer: &mut W) -> std::io::Result<()> {
            writer.write_all(b": ")
        }
    }
    let Ok(value) = serde_json::from_str::<Value>(text) else { return text.to_owned() };
    let mut buffer = Vec::new();
    let mut serializer = serde_json::Serializer::with_formatter(&mut buffer, Spaced);
    match serde::Serialize::serialize(&value, &mut serializer) {
        Ok(()) => String::from_utf8(buffer).unwrap_or_else(|_| text.to_owned()),
        Err(_) => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_print_without_idle_zeros() {
        for (value, scale, text) in [
            (1_500_000_000, 9, "1.5"),
            (-1, 9, "-0.000000001"),
            (0, 9, "0"),
            (100, 0, "100"),
            (12_340, 2, "123.4"),
        ] {
            assert_eq!(decimal(value, scale), text);
        }
        assert_eq!(decimal(-(10_i128.pow(38) - 1), 9), "-99999999999999999999999999999.999999999");
    }

    #[test]
    fn what_the_runtime_raises_speaks_for_itself() {
        let message = |text: &str| {
            let error = duckdb::Error::DuckDBFailure(duckdb::ffi::Error::new(1), Some(text.to_owned()));
            engine(&error).to_string()
        };
        for (text, shown) in [
            (
                "Conversion Error: Could not convert string 'Bad int64 value: x' to INT64",
                "Bad int64 value: x",
            ),
            (
                "Conversion Error: Could not convert string \"division by zero\" to DECIMAL(38,9)",
                "division by zero",
            ),
            (
                "Conversion Error: Could not convert string 'ERROR: boom' to INT64\n\nLINE 1: SELECT 'NULL'",
                "ERROR: boom",
            ),
            (
                "Conversion Error: invalid timestamp field format: \"Invalid timestamp: x\", expected format is (Y)",
                "Invalid timestamp: x",
            ),
        ] {
            assert_eq!(message(text), shown);
        }
        let other = "Conversion Error: Could not convert string 'not_an_int' to INT64";
        assert_eq!(message(other), other);
        assert_eq!(message("Catalog Error: no t\n\nLINE 1: SELECT \"x\"\n   ^"), "Catalog Error: no t");
    }

    #[test]
    fn bytes_print_as_the_rfc_has_them() {
        for (bytes, text) in
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")]
        {
            assert_eq!(STANDARD.encode(bytes.as_bytes()), text);
        }
    }
}
