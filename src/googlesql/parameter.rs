//! Query parameters as people give them on a command line, in the form of BigQuery's own tool: `name:TYPE:value`.
//!
//! `:INT64:5` is positional, `name::text` a STRING. Arrays and structs are JSON, `NULL` is no value.
//! See <https://cloud.google.com/bigquery/docs/parameterized-queries>.

use serde_json::Value;

use super::Type;
use super::names::{Ident, Text, literal};
use crate::manifest::types::Scalar;

/// A parameter and its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    /// `name` of `@name`; none for the next `?`.
    pub name: Option<String>,
    /// Its type.
    pub data_type: Type,
    /// Its value: texts stand for values of all scalar types.
    pub value: Value,
    /// The same as a constant expression in GoogleSQL.
    pub expression: String,
}

impl Parameter {
    /// Reads `name:TYPE:value`.
    ///
    /// # Errors
    /// In words: that the form, the type or the value is none.
    pub fn parse(text: &str) -> Result<Self, String> {
        let form = || format!("`{text}` is not of the form NAME:TYPE:VALUE");
        let (name, rest) = text.split_once(':').ok_or_else(form)?;
        let (data_type, value) = rest.split_once(':').ok_or_else(form)?;
        let data_type = match data_type {
            "" => Type::String,
            other => Type::parse(other).ok_or_else(|| format!("`{other}` is no type of BigQuery"))?,
        };
        let value = match (&data_type, value) {
            (_, "NULL") => Value::Null,
            (Type::Array(_) | Type::Struct(_), json) => {
                serde_json::from_str(json).map_err(|error| format!("`{json}` is no JSON: {error}"))?
            }
            (_, text) => Value::String(text.to_owned()),
        };
        let name = (!name.is_empty()).then(|| name.to_lowercase());
        let expression = constant(&value, &data_type)?;
        Ok(Self { name, data_type, value, expression })
    }
}

/// A constant expression of a type, in GoogleSQL. JSON's texts stand for values of all scalar types.
///
/// # Errors
/// In words: that the value is none of the type.
pub fn constant(value: &Value, data_type: &Type) -> Result<String, String> {
    let wrong = || format!("`{value}` is no {data_type}");
    Ok(match (data_type, value) {
        (_, Value::Null) => format!("CAST(NULL AS {data_type})"),
        (Type::Array(element), Value::Array(items)) => {
            let items = items.iter().map(|item| constant(item, element)).collect::<Result<Vec<_>, _>>()?;
            format!("{data_type}[{}]", items.join(", "))
        }
        (Type::Struct(fields), Value::Object(entries)) => {
            let known = |name: &String| fields.iter().any(|field| field.name.as_ref() == Some(name));
            if let Some(stranger) = entries.keys().find(|name| !known(name)) {
                return Err(format!("{data_type} has no field `{stranger}`"));
            }
            let mut parts = Vec::new();
            for field in fields {
                let name =
                    field.name.as_deref().ok_or_else(|| format!("{data_type} has a field without name"))?;
                let part = constant(entries.get(name).unwrap_or(&Value::Null), &field.data_type)?;
                parts.push(format!("{part} AS {}", Ident(name)));
            }
            format!("STRUCT({})", parts.join(", "))
        }
        (Type::Array(_) | Type::Struct(_), _) | (_, Value::Array(_) | Value::Object(_)) => {
            return Err(wrong());
        }
        (Type::Bool, Value::Bool(flag)) => literal(&Scalar::Bool(*flag), data_type)?,
        (Type::Bool, Value::String(text)) => match text.to_ascii_lowercase().as_str() {
            "true" => "TRUE".to_owned(),
            "false" => "FALSE".to_owned(),
            _ => return Err(wrong()),
        },
        (Type::Bytes, Value::String(text)) => format!("FROM_BASE64({})", Text(text)),
        (Type::Json, Value::String(text)) => format!("PARSE_JSON({})", Text(text)),
        // Zones and special numbers are read by the cast.
        (Type::Timestamp | Type::Float64, Value::String(text)) => {
            format!("CAST({} AS {data_type})", Text(text))
        }
        (_, Value::String(text)) => literal(&Scalar::Text(text.clone()), data_type)?,
        (_, other) => literal(&Scalar::Text(other.to_string()), data_type)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_read_as_those_of_bq() {
        for (text, name, expected) in [
            ("n:INT64:5", Some("n"), "5"),
            (":INT64:5", None, "5"),
            ("Word::a:b", Some("word"), "'a:b'"),
            ("s:STRING:it's", Some("s"), "'it\\'s'"),
            ("d:DATE:2024-02-29", Some("d"), "DATE '2024-02-29'"),
            ("t:TIMESTAMP:2024-02-29 10:00:00+02", Some("t"), "CAST('2024-02-29 10:00:00+02' AS TIMESTAMP)"),
            ("x:INT64:NULL", Some("x"), "CAST(NULL AS INT64)"),
            ("a:ARRAY<INT64>:[1, 2]", Some("a"), "ARRAY<INT64>[1, 2]"),
            (
                "p:STRUCT<name STRING, age INT64>:{\"age\": 3, \"name\": \"A\"}",
                Some("p"),
                "STRUCT('A' AS `name`, 3 AS `age`)",
            ),
        ] {
            let read = Parameter::parse(text).expect(text);
            assert_eq!((read.name.as_deref(), read.expression.as_str()), (name, expected), "{text}");
        }
    }

    #[test]
    fn what_is_none_is_told() {
        for (text, expected) in [
            ("n", "`n` is not of the form NAME:TYPE:VALUE"),
            ("n:INT64", "`n:INT64` is not of the form NAME:TYPE:VALUE"),
            ("n:INT65:1", "`INT65` is no type of BigQuery"),
            ("n:INT64:1.5", "`1.5` is no INT64"),
            ("a:ARRAY<INT64>:5", "`5` is no ARRAY<INT64>"),
            ("p:STRUCT<a INT64>:{\"b\": 1}", "STRUCT<a INT64> has no field `b`"),
        ] {
            assert_eq!(
                Parameter::parse(text).map(|read| read.expression),
                Err(expected.to_owned()),
                "{text}"
            );
        }
    }
}
