//! Rows of BigQuery's answers in the form that all engines give them.

use chrono::DateTime;
use serde_json::{Map, Value, json};

use crate::googlesql::bignumeric::BigNumeric;
use crate::googlesql::{Column, Field, Type};

/// The columns of an answer's schema.
pub(super) fn columns(schema: &Value) -> Vec<Column> {
    let fields = schema["fields"].as_array().into_iter().flatten();
    fields.map(|field| Column::new(field["name"].as_str().unwrap_or_default(), data_type(field))).collect()
}

/// The type of a column as BigQuery's interface describes it, in the words of legacy SQL or of GoogleSQL.
pub(super) fn data_type(field: &Value) -> Type {
    let element = match field["type"].as_str().unwrap_or_default() {
        "INTEGER" => Type::Int64,
        "FLOAT" => Type::Float64,
        "BOOLEAN" => Type::Bool,
        "RECORD" | "STRUCT" => {
            let fields = field["fields"].as_array().into_iter().flatten();
            Type::Struct(
                fields
                    .map(|field| Field {
                        name: field["name"].as_str().filter(|name| !name.is_empty()).map(str::to_owned),
                        data_type: data_type(field),
                    })
                    .collect(),
            )
        }
        "RANGE" => Type::Range(Box::new(data_type(&field["rangeElementType"]))),
        other => Type::parse(other).unwrap_or(Type::Unknown),
    };
    if field["mode"] == "REPEATED" { Type::Array(Box::new(element)) } else { element }
}

/// One row of an answer.
pub(super) fn row(row: &Value, columns: &[Column]) -> Vec<Value> {
    columns.iter().enumerate().map(|(at, column)| value(&row["f"][at]["v"], &column.data_type)).collect()
}

fn value(given: &Value, data_type: &Type) -> Value {
    match (data_type, given) {
        (Type::Array(element), Value::Array(items)) => {
            items.iter().map(|item| value(&item["v"], element)).collect()
        }
        (Type::Array(_), _) => json!([]),
        (_, Value::Null) => Value::Null,
        (Type::Struct(fields), _) => {
            let each = fields.iter().enumerate().map(|(at, field)| {
                (field.name.clone().unwrap_or_default(), value(&given["f"][at]["v"], &field.data_type))
            });
            Value::Object(each.collect::<Map<_, _>>())
        }
        (data_type, Value::String(text)) => scalar(text, data_type),
        (_, other) => other.clone(),
    }
}

fn scalar(text: &str, data_type: &Type) -> Value {
    match data_type {
        Type::Int64 => text.parse::<i64>().map_or_else(|_| json!(text), |number| json!(number)),
        Type::Float64 => match text.parse::<f64>() {
            Ok(number) if number.is_finite() => json!(number),
            Ok(number) if number.is_nan() => json!("NaN"),
            Ok(number) => json!(if number > 0.0 { "Infinity" } else { "-Infinity" }),
            Err(_) => json!(text),
        },
        Type::Bool => json!(text == "true"),
        // Servers write `1.5` and `1.500000000`, `0` and `0E-9`.
        Type::Numeric | Type::BigNumeric => match BigNumeric::parse(text) {
            Some(number) => json!(number.to_string()),
            None => json!(text),
        },
        Type::Datetime => json!(fraction(text.replacen(' ', "T", 1))),
        Type::Time => json!(fraction(text.to_owned())),
        Type::Timestamp => text
            .parse::<i64>()
            .ok()
            .and_then(DateTime::from_timestamp_micros)
            .map_or_else(|| json!(text), |time| json!(format!("{}+00:00", clock(time)))),
        _ => json!(text),
    }
}

/// With all six digits of a second's fraction, or none.
fn clock(time: DateTime<chrono::Utc>) -> String {
    let whole = time.timestamp_subsec_micros() == 0;
    time.format(if whole { "%Y-%m-%dT%H:%M:%S" } else { "%Y-%m-%dT%H:%M:%S%.6f" }).to_string()
}

/// The same of a text.
fn fraction(text: String) -> String {
    match text.split_once('.') {
        Some((whole, digits)) if digits.bytes().all(|digit| digit == b'0') => whole.to_owned(),
        Some((whole, digits)) => format!("{whole}.{digits:0<6}"),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_all_shapes() {
        let schema = json!({"fields": [
            {"name": "i", "type": "INTEGER"}, {"name": "f", "type": "FLOAT"}, {"name": "b", "type": "BOOLEAN"},
            {"name": "t", "type": "TIMESTAMP"}, {"name": "d", "type": "DATETIME"},
            {"name": "l", "type": "STRING", "mode": "REPEATED"},
            {"name": "s", "type": "RECORD", "fields": [{"name": "n", "type": "NUMERIC"}, {"name": "x", "type": "INT64"}]},
            {"name": "r", "type": "RANGE", "rangeElementType": {"type": "DATE"}},
        ]});
        let columns = columns(&schema);
        let types: Vec<String> = columns.iter().map(|column| column.data_type.to_string()).collect();
        assert_eq!(
            types,
            [
                "INT64",
                "FLOAT64",
                "BOOL",
                "TIMESTAMP",
                "DATETIME",
                "ARRAY<STRING>",
                "STRUCT<n NUMERIC, x INT64>",
                "RANGE<DATE>"
            ]
        );
        let given = json!({"f": [
            {"v": "-5"}, {"v": "NaN"}, {"v": "true"}, {"v": "1514764800123000"}, {"v": "2018-01-01T00:00:00"},
            {"v": [{"v": "a"}, {"v": null}]}, {"v": {"f": [{"v": "1.5"}, {"v": null}]}},
            {"v": "[2020-01-01, UNBOUNDED)"},
        ]});
        let told = row(&given, &columns);
        assert_eq!(
            told,
            vec![
                json!(-5),
                json!("NaN"),
                json!(true),
                json!("2018-01-01T00:00:00.123000+00:00"),
                json!("2018-01-01T00:00:00"),
                json!(["a", null]),
                json!({"n": "1.5", "x": null}),
                json!("[2020-01-01, UNBOUNDED)"),
            ]
        );
        for (text, expected) in
            [("1.500000000", "1.5"), ("0E-9", "0"), ("-7", "-7"), ("0.000000001", "0.000000001")]
        {
            assert_eq!(scalar(text, &Type::Numeric), json!(expected));
        }
        let empty = json!({"f": [{"v": null}, {}, {}, {}, {}, {"v": null}, {"v": null}, {"v": null}]});
        assert_eq!(row(&empty, &columns)[5..7], [json!([]), Value::Null]);
    }
}
