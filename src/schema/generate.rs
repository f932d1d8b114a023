//! JSON Schema (draft 2020-12) from the Rust types.

use std::collections::BTreeMap;

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema};
use serde_json::{Map, Value, json};

use super::Kind;
use crate::manifest::types::expectation::aliases::{ALIASES, Alias};
use crate::manifest::types::{
    DashboardsFile, ExpectationsFile, ModelsFile, PipelineFile, SourcesFile, UnitTestsFile,
};

/// The schema of one kind of file.
pub fn schema(kind: Kind) -> Value {
    let schema = match kind {
        Kind::Pipeline => root::<PipelineFile>(),
        Kind::Sources => root::<SourcesFile>(),
        Kind::Models => root::<ModelsFile>(),
        Kind::Expectations => root::<ExpectationsFile>(),
        Kind::Dashboards => root::<DashboardsFile>(),
        Kind::UnitTests => root::<UnitTestsFile>(),
    };
    let mut value = schema.to_value();
    tidy(&mut value);
    if let Value::Object(root) = &mut value {
        root.insert("title".to_owned(), json!(format!("Pipewright {}", kind.name())));
    }
    title_definitions(&mut value);
    if let Some(forms) = value.pointer_mut("/$defs/ExpectationSpec/oneOf").and_then(Value::as_array_mut) {
        let aliases: Vec<Value> = ALIASES.iter().filter_map(|alias| form_of_alias(forms, alias)).collect();
        forms.extend(aliases);
    }
    share_properties(&mut value);
    value
}

/// Properties that many kinds of expectations have alike are written once.
fn share_properties(root: &mut Value) {
    const FORMS: &str = "/$defs/ExpectationSpec/oneOf";
    const MANY: usize = 2;
    let Some(forms) = root.pointer(FORMS).and_then(Value::as_array) else { return };
    let mut seen: BTreeMap<(String, String), usize> = BTreeMap::new();
    for (key, property) in forms.iter().filter_map(|form| form.get("properties")?.as_object()).flatten() {
        *seen.entry((key.clone(), property.to_string())).or_default() += 1;
    }
    let mut shared: Map<String, Value> = Map::new();
    let forms = root.pointer_mut(FORMS).and_then(Value::as_array_mut).into_iter().flatten();
    for (key, property) in forms.filter_map(|form| form.get_mut("properties")?.as_object_mut()).flatten() {
        let many = seen.get(&(key.clone(), property.to_string())).is_some_and(|count| *count >= MANY);
        if key == "expect" || property.get("$ref").is_some() || !many {
            continue;
        }
        // Two keys of one name may differ in what they say.
        let mut name = format!("expectation_{key}");
        while shared.get(&name).is_some_and(|known| known != property) {
            name.push('_');
        }
        let reference = json!({ "$ref": format!("#/$defs/{name}") });
        shared.insert(name, std::mem::replace(property, reference));
    }
    if let Some(definitions) = root.get_mut("$defs").and_then(Value::as_object_mut) {
        definitions.extend(shared);
    }
}

/// The form of a kind under another tool's name: its keys have the other tool's names.
fn form_of_alias(forms: &[Value], alias: &Alias) -> Option<Value> {
    let ours = |form: &&Value| form.pointer("/properties/expect/const") == Some(&json!(alias.kind));
    let mut form = forms.iter().find(ours)?.clone();
    form["title"] = json!(alias.name);
    let map = form.as_object_mut()?;
    let Some(Value::Array(mut required)) = map.remove("required") else { return None };
    let properties = map.get_mut("properties")?.as_object_mut()?;
    properties.insert(
        "expect".to_owned(),
        json!({
            "type": "string",
            "const": alias.name,
            "description": format!("The name that others have for `{}`.", alias.kind),
        }),
    );
    for (key, _) in alias.says {
        properties.shift_remove(*key);
        required.retain(|required| required != key);
    }
    for (theirs, ours) in alias.keys {
        if let Some(property) = properties.get(*ours).cloned() {
            properties.insert((*theirs).to_owned(), property);
            if let Some(name) = required.iter_mut().find(|name| *name == ours) {
                *name = json!(theirs);
            }
            // Under one name or the other, not under both.
            if theirs != ours {
                properties.shift_remove(*ours);
            }
        }
    }
    map.insert("required".to_owned(), Value::Array(required));
    Some(form)
}

fn root<T: JsonSchema>() -> Schema {
    SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<T>()
}

/// Makes the schema say what a manifest means, in the shapes that editors handle best
/// (measured with `yaml-language-server`, see tests/editor):
/// - an optional field may be left out, but not be null: `anyOf: [X, null]` and `type: [x, null]` become `X`;
/// - a default of null, or of structure, is no default worth writing out;
/// - a choice of constants is one `enum` with its descriptions beside it, so that hovering shows the key's own;
/// - a choice of forms (`oneOf` with a discriminator) is an object whose branches are titled and described at
///   their discriminator;
/// - a doc comment's hard line breaks are white space.
fn tidy(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(tidy),
        Value::Object(map) => {
            without_null(map);
            plain_defaults_only(map);
            constants_to_enum(map);
            title_forms(map);
            if let Some(Value::String(text)) = map.get_mut("description") {
                *text = unwrap_lines(text);
            }
            map.values_mut().for_each(tidy);
        }
        _ => {}
    }
}

fn without_null(map: &mut Map<String, Value>) {
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

fn plain_defaults_only(map: &mut Map<String, Value>) {
    if matches!(map.get("default"), Some(Value::Null | Value::Array(_) | Value::Object(_))) {
        map.remove("default");
    }
}

fn constants_to_enum(map: &mut Map<String, Value>) {
    if let Some(Value::Array(choices)) = map.get("oneOf") {
        let constants: Option<Vec<(Value, String)>> = choices
            .iter()
            .map(|choice| {
                let constant = choice.get("const")?.clone();
                let description = choice.get("description").and_then(Value::as_str).unwrap_or_default();
                Some((constant, unwrap_lines(description)))
            })
            .collect();
        if let Some(constants) = constants {
            map.remove("oneOf");
            let (values, descriptions): (Vec<Value>, Vec<String>) = constants.into_iter().unzip();
            map.insert("type".to_owned(), json!("string"));
            map.insert("enum".to_owned(), Value::Array(values));
            map.insert("enumDescriptions".to_owned(), json!(descriptions));
        }
    }
}

fn title_forms(map: &mut Map<String, Value>) {
    let Some(Value::Array(forms)) = map.get_mut("oneOf") else { return };
    for form in forms.iter_mut().filter_map(Value::as_object_mut) {
        let description = form.remove("description");
        let Some(Value::Object(properties)) = form.get_mut("properties") else { continue };
        let Some(discriminator) = properties.values_mut().find_map(|property| {
            let property = property.as_object_mut()?;
            property.contains_key("const").then_some(property)
        }) else {
            continue;
        };
        let title = discriminator.get("const").cloned();
        if let Some(description) = description {
            discriminator.insert("description".to_owned(), description);
        }
        if let Some(title) = title {
            form.insert("title".to_owned(), title);
        }
    }
    map.insert("type".to_owned(), json!("object"));
}

/// Every object type is called by its name in words: `SourceColumn` becomes "Source column".
fn title_definitions(root: &mut Value) {
    let Some(Value::Object(definitions)) = root.get_mut("$defs") else { return };
    for (name, definition) in definitions.iter_mut() {
        if definition.get("type") == Some(&json!("object")) {
            let mut words = String::new();
            for character in name.chars() {
                if character.is_uppercase() && !words.is_empty() {
                    words.push(' ');
                    words.extend(character.to_lowercase());
                } else {
                    words.push(character);
                }
            }
            definition["title"] = json!(words);
        }
    }
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
                let object = map.get("type") == Some(&json!("object")) && map.contains_key("properties");
                if object && map.get("additionalProperties") != Some(&json!(false)) {
                    poor.push(format!("{path} is open"));
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
