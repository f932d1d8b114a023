//! Parameters of queries, as BigQuery's interface takes them.

use gcp_bigquery_client::model::query_parameter::QueryParameter;
use gcp_bigquery_client::model::query_parameter_type::QueryParameterType;
use gcp_bigquery_client::model::query_parameter_type_struct_types::QueryParameterTypeStructTypes;
use gcp_bigquery_client::model::query_parameter_value::QueryParameterValue;
use serde_json::Value;

use crate::googlesql::Type;
use crate::googlesql::parameter::Parameter;

/// A parameter of the command line.
pub(super) fn given(parameter: &Parameter) -> QueryParameter {
    QueryParameter {
        name: parameter.name.clone(),
        parameter_type: Some(type_of(&parameter.data_type)),
        parameter_value: Some(value_of(&parameter.value)),
    }
}

/// A named parameter of the type STRING.
pub(super) fn text(name: &str, value: &str) -> QueryParameter {
    scalar(name, "STRING", Some(value.to_owned()))
}

/// The same of a text that may be missing.
pub(super) fn maybe_text(name: &str, value: Option<String>) -> QueryParameter {
    scalar(name, "STRING", value)
}

/// A named parameter of the type INT64, which may be missing.
pub(super) fn number(name: &str, value: Option<u64>) -> QueryParameter {
    scalar(name, "INT64", value.map(|value| value.to_string()))
}

/// A named parameter of the type INT64.
pub(super) fn signed(name: &str, value: i64) -> QueryParameter {
    scalar(name, "INT64", Some(value.to_string()))
}

fn scalar(name: &str, data_type: &str, value: Option<String>) -> QueryParameter {
    QueryParameter {
        name: Some(name.to_owned()),
        parameter_type: Some(simple(data_type)),
        parameter_value: Some(QueryParameterValue { array_values: None, struct_values: None, value }),
    }
}

fn simple(data_type: &str) -> QueryParameterType {
    QueryParameterType { array_type: None, struct_types: None, r#type: data_type.to_owned() }
}

fn type_of(data_type: &Type) -> QueryParameterType {
    match data_type {
        Type::Array(element) => {
            QueryParameterType { array_type: Some(Box::new(type_of(element))), ..simple("ARRAY") }
        }
        Type::Struct(fields) => {
            let field = |field: &crate::googlesql::Field| QueryParameterTypeStructTypes {
                description: None,
                name: field.name.clone(),
                r#type: Some(type_of(&field.data_type)),
            };
            QueryParameterType { struct_types: Some(fields.iter().map(field).collect()), ..simple("STRUCT") }
        }
        other => simple(&other.to_string()),
    }
}

fn value_of(value: &Value) -> QueryParameterValue {
    let nothing = || QueryParameterValue { array_values: None, struct_values: None, value: None };
    match value {
        Value::Null => nothing(),
        Value::Array(items) => {
            QueryParameterValue { array_values: Some(items.iter().map(value_of).collect()), ..nothing() }
        }
        Value::Object(fields) => {
            let fields = fields.iter().map(|(name, value)| (name.clone(), value_of(value)));
            QueryParameterValue { struct_values: Some(fields.collect()), ..nothing() }
        }
        Value::String(text) => QueryParameterValue { value: Some(text.clone()), ..nothing() },
        other => QueryParameterValue { value: Some(other.to_string()), ..nothing() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_of_all_shapes() {
        let told = |text: &str| {
            serde_json::to_value(given(&Parameter::parse(text).expect("a parameter"))).expect("JSON")
        };
        assert_eq!(
            told("n:INT64:5"),
            serde_json::json!({"name": "n", "parameterType": {"type": "INT64"}, "parameterValue": {"value": "5"}})
        );
        assert_eq!(told(":ARRAY<INT64>:[1,2]")["parameterValue"]["arrayValues"][1]["value"], "2");
        let both = told("s:STRUCT<a INT64, b STRING>:{\"a\": 1, \"b\": null}");
        assert_eq!(both["parameterType"]["structTypes"][1]["name"], "b");
        assert_eq!(both["parameterValue"]["structValues"]["a"]["value"], "1");
        assert!(both["parameterValue"]["structValues"]["b"].get("value").is_none());
    }
}
