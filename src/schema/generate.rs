//! JSON Schema (draft 2020-12) from the Rust types.

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema};
use serde_json::{Map, Value, json};

use super::Kind;
use crate::manifest::types::{DashboardsFile, ExpectationsFile, ModelsFile, PipelineFile, SourcesFile};

/// The schema of one kind of file.
pub fn schema(kind: Kind) -> Value {
    let schema = match kind {
        Kind::Pipeline => root::<PipelineFile>(),
        Kind::Sources => root::<SourcesFile>(),
        Kind::Models => root::<ModelsFile>(),
        Kind::Expectations => root::<ExpectationsFile>(),
        Kind::Dashboards => root::<DashboardsFile>(),
    };
    let mut value = schema.to_value();
    tidy(&mut value);
    if let Value::Object(root) = &mut value {
        root.insert("title".to_owned(), json!(format!("Pipewright {} file", kind.name())));
    }
    value
}

fn root<T: JsonSchema>() -> Schema {
    SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<T>()
}

/// Makes the schema say what a manifest means, for the validator and for editors alike:
/// - an optional field may be left out, but not be null: `anyOf: [X, null]` and `type: [x, null]` become `X`;
/// - a default of null is no default;
/// - a choice of constants (`oneOf` of `const`) is one `enum` with its descriptions kept beside it;
/// - a doc comment's hard line breaks are white space.
fn tidy(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(tidy),
        Value::Object(map) => {
            without_null(map);
            constants_to_enum(map);
            if map.contains_key("enum") {
                // One fault for a wrong value, not two.
                map.remove("type");
            }
            if let Some(Value::String(text)) = map.get_mut("description") {
                *text = unwrap_lines(text);
            }
            map.values_mut().for_each(tidy);
        }
        _ => {}
    }
}

fn without_null(map: &mut Map<String, Value>) {
    if map.get("default") == Some(&Value::Null) {
        map.remove("default");
    }
    if let Some(Value::Array(types)) = map.get_mut("type") {
        types.retain(|name| name != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            map.insert("type".to_owned(), only);
        }
    }
    if let Some(Value::Array(choices)) = map.get_mut("anyOf") {
        choices.retain(|choice| choice != &json!({ "type": "null" }));
        if let [Value::Object(only)] = choices.as_slice() {
            let only = only.clone();
            map.remove("anyOf");
            for (key, value) in only {
                map.entry(key).or_insert(value);
            }
        }
    }
}

fn constants_to_enum(map: &mut Map<String, Value>) {
    let Some(Value::Array(choices)) = map.get("oneOf") else { return };
    let constants: Option<Vec<(Value, String)>> = choices
        .iter()
        .map(|choice| {
            let constant = choice.get("const")?.clone();
            let description = choice.get("description").and_then(Value::as_str).unwrap_or_default();
            Some((constant, unwrap_lines(description)))
        })
        .collect();
    let Some(constants) = constants else { return };
    map.remove("oneOf");
    let (values, descriptions): (Vec<Value>, Vec<String>) = constants.into_iter().unzip();
    map.insert("enum".to_owned(), Value::Array(values));
    map.insert("markdownEnumDescriptions".to_owned(), json!(descriptions));
}

fn unwrap_lines(text: &str) -> String {
    text.split("\n\n").map(|paragraph| paragraph.replace('\n', " ")).collect::<Vec<_>>().join("\n\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every property of every object: described, and with an example, an enum, a default, or structure below it.
    #[test]
    fn every_field_is_described_and_shown_by_example() {
        let mut poor = Vec::new();
        for kind in Kind::ALL {
            let schema = schema(kind);
            walk(&schema, &schema, &format!("{}:", kind.name()), &mut poor);
        }
        assert!(poor.is_empty(), "{poor:#?}");
    }

    fn walk(value: &Value, root: &Value, path: &str, poor: &mut Vec<String>) {
        match value {
            Value::Object(map) => {
                if map.get("type") == Some(&json!("object")) && map.contains_key("properties") {
                    if map.get("additionalProperties") != Some(&json!(false)) {
                        poor.push(format!("{path} is open"));
                    }
                }
                if let Some(Value::Object(properties)) = map.get("properties") {
                    for (name, property) in properties {
                        judge(property, root, &format!("{path}/{name}"), poor);
                    }
                }
                for (key, child) in map {
                    walk(child, root, &format!("{path}/{key}"), poor);
                }
            }
            Value::Array(items) => items.iter().for_each(|item| walk(item, root, path, poor)),
            _ => {}
        }
    }

    fn judge(property: &Value, root: &Value, path: &str, poor: &mut Vec<String>) {
        if property.get("const").is_some() {
            return;
        }
        let target = property
            .get("$ref")
            .and_then(Value::as_str)
            .and_then(|reference| root.pointer(reference.trim_start_matches('#')));
        let has =
            |key: &str| property.get(key).is_some() || target.is_some_and(|target| target.get(key).is_some());
        if !has("description") {
            poor.push(format!("{path} has no description"));
        }
        let shown = ["examples", "enum", "default", "properties", "oneOf", "additionalProperties"];
        let list_of_things = property.pointer("/items/$ref").is_some();
        if !shown.iter().any(|key| has(key)) && !list_of_things {
            poor.push(format!("{path} has neither example nor default nor enum"));
        }
    }

    #[test]
    fn no_field_takes_null() {
        for kind in Kind::ALL {
            let text = schema(kind).to_string();
            assert!(!text.contains("\"null\"") && !text.contains(":null"), "{}", kind.name());
        }
    }
}
