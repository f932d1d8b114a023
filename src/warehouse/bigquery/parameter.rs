//! Parameters of queries, as BigQuery's interface takes them.

use serde_json::{Value, json};

use crate::googlesql::parameter::Parameter;
use crate::googlesql::{Field, Type};

/// A parameter of the command line.
pub(super) fn given(parameter: &Parameter) -> Value {
    let mut given = json!({
        "parameterType": type_of(&parameter.data_type),
        "parameterValue": value_of(&parameter.value),
    });
    if let Some(name) = &parameter.name {
        given["name"] = json!(name);
    }
    given
}

/// A named parameter of the type STRING.
pub(super) fn text(name: &str, value: &str) -> Value {
    scalar(name, "STRING", &json!(value))
}

/// The same of a text that may be missing.
pub(super) fn maybe_text(name: &str, value: Option<&str>) -> Value {
    scalar(name, "STRING", &json!(value))
}

/// A named parameter of the type INT64, which may be missing.
pub(super) fn number(name: &str, value: Option<u64>) -> Value {
    scalar(name, "INT64", &json!(value.map(|value| value.to_string())))
}

/// A named parameter of the type INT64.
pub(super) fn signed(name: &str, value: i64) -> Value {
    scalar(name, "INT64", &json!(value.to_string()))
}

fn scalar(name: &str, data_type: &str, value: &Value) -> Value {
    json!({ "name": name, "parameterType": { "type": data_type }, "parameterValue": value_of(value) })
}

fn type_of(data_type: &Type) -> Value {
    match data_type {
        Type::Array(element) => json!({ "type": "ARRAY", "arrayType": type_of(element) }),
        Type::Struct(fields) => {
            let field = |field: &Field| json!({ "name": field.name, "type": type_of(&field.data_type) });
            json!({ "type": "STRUCT", "structTypes": fields.iter().map(field).collect::<Vec<_>>() })
        }
        other => json!({ "type": other.to_string() }),
    }
}

/// NULL is a value that is not given.
fn value_of(value: &Value) -> Value {
    match value {
        Value::Null => json!({}),
        Value::Array(items) => json!({ "arrayValues": items.iter().map(value_of).collect::<Vec<_>>() }),
        Value::Object(fields) => {
            let fields = fields.iter().map(|(name, value)| (name.clone(), value_of(value)));
            json!({ "structValues": Value::Object(fields.collect()) })
        }
        Value::String(text) => json!({ "value": text }),
        other => json!({ "value": other.to_string() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_of_all_shapes() {
        let told = |text: &str| given(&Parameter::parse(text).expect("a parameter"));
        assert_eq!(
            told("n:INT64:5"),
            json!({"name": "n", "parameterType": {"type": "INT64"}, "parameterValue": {"value": "5"}})
        );
        assert_eq!(told(":ARRAY<INT64>:[1,2]")["parameterValue"]["arrayValues"][1]["value"], "2");
        let both = told("s:STRUCT<a INT64, b STRING>:{\"a\": 1, \"b\": null}");
        assert_eq!(both["parameterType"]["structTypes"][1]["name"], "b");
        assert_eq!(both["parameterValue"]["structValues"]["a"]["value"], "1");
        assert!(both["parameterValue"]["structValues"]["b"].get("value").is_none());
    }
}
