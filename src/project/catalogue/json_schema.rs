//! JSON Schemas as conditions of GoogleSQL.
//!
//! Source of what the words mean: <https://json-schema.org/draft/2020-12/json-schema-validation>.

use serde_json::{Map, Value};

use super::super::{Fragment, Needs, Part};
use super::entry::{Entry, Meaning};
use crate::manifest::types::expectation::JsonSchemaOf;

/// The words that are known.
const WORDS: [&str; 16] = [
    "$schema",
    "title",
    "description",
    "type",
    "enum",
    "const",
    "properties",
    "required",
    "items",
    "minimum",
    "maximum",
    "minLength",
    "maxLength",
    "pattern",
    "examples",
    "default",
];

pub(super) fn json_schema(entry: &mut Entry<'_, '_>, kind: &JsonSchemaOf) -> Vec<Meaning> {
    let columns = entry.each_column(&kind.common(), Needs::TextOrJson);
    let schema: Map<String, Value> =
        kind.schema.iter().map(|(key, value)| (key.clone(), value.clone())).collect();
    let mut all = Vec::new();
    for column in columns {
        let value = Fragment::default().part(Part::Json(column.name.clone()));
        match condition(&value, &schema, 0) {
            Ok(condition) => {
                let holds = value.sql(" IS NOT NULL AND COALESCE(").and_then(condition).sql(", FALSE)");
                all.push(Meaning::of_rows(column, holds));
            }
            Err(why) => {
                let help = "write it with the words that are known, or as an `expression`";
                entry.wrong("schema", &why, help);
                return Vec::new();
            }
        }
    }
    all
}

/// That a JSON value is as a schema wants it.
fn condition(value: &Fragment, schema: &Map<String, Value>, depth: usize) -> Result<Fragment, String> {
    if let Some(unknown) = schema.keys().find(|word| !WORDS.contains(&word.as_str())) {
        return Err(format!("the word `{unknown}` of JSON Schema is not known here"));
    }
    if depth > 20 {
        return Err("the schema nests deeper than 20 levels".to_owned());
    }
    let mut all = vec![Fragment::new("TRUE")];
    match schema.get("type") {
        None => {}
        Some(Value::String(name)) => all.push(of_type(value, name)?),
        Some(Value::Array(names)) => {
            let any: Result<Vec<Fragment>, String> =
                names.iter().map(|name| of_type(value, name.as_str().unwrap_or_default())).collect();
            all.push(Fragment::new("(").list(any?, " OR ").sql(")"));
        }
        Some(_) => return Err("`type` is a name or a list of names".to_owned()),
    }
    let listed = match (schema.get("enum"), schema.get("const")) {
        (Some(Value::Array(values)), _) => Some(values.clone()),
        (Some(_), _) => return Err("`enum` is a list".to_owned()),
        (None, Some(only)) => Some(vec![only.clone()]),
        (None, None) => None,
    };
    if let Some(values) = listed {
        let texts = values.iter().map(|value| Fragment::default().text(&value.to_string()));
        all.push(
            Fragment::new("TO_JSON_STRING(").and_then(value.clone()).sql(") IN (").list(texts, ", ").sql(")"),
        );
    }
    let is = |name: &str| Fragment::new("JSON_TYPE(").and_then(value.clone()).sql(&format!(") = '{name}'"));
    // What is about values of one type holds for all others.
    let only = |name: &str, condition: Fragment| {
        Fragment::new("(NOT ").and_then(is(name)).sql(" OR ").and_then(condition).sql(")")
    };
    for (word, sign) in [("minimum", ">="), ("maximum", "<=")] {
        if let Some(bound) = number(schema, word)? {
            let number =
                Fragment::new("LAX_FLOAT64(").and_then(value.clone()).sql(&format!(") {sign} {bound}"));
            all.push(only("number", number));
        }
    }
    for (word, sign) in [("minLength", ">="), ("maxLength", "<=")] {
        if let Some(bound) = number(schema, word)? {
            let length = Fragment::new("CHAR_LENGTH(LAX_STRING(")
                .and_then(value.clone())
                .sql(&format!(")) {sign} {bound}"));
            all.push(only("string", length));
        }
    }
    match schema.get("pattern") {
        None => {}
        Some(Value::String(pattern)) => {
            let text = Fragment::new("REGEXP_CONTAINS(LAX_STRING(").and_then(value.clone()).sql("), ");
            all.push(only("string", text.text(pattern).sql(")")));
        }
        Some(_) => return Err("`pattern` is a text".to_owned()),
    }
    match schema.get("required") {
        None => {}
        Some(Value::Array(names)) => {
            for name in names {
                let member = member(value, name.as_str().ok_or("`required` is a list of names")?)?;
                all.push(only("object", member.sql(" IS NOT NULL")));
            }
        }
        Some(_) => return Err("`required` is a list of names".to_owned()),
    }
    if let Some(properties) = schema.get("properties") {
        for (name, of_member) in properties.as_object().ok_or("`properties` is a mapping")? {
            let of_member = of_member.as_object().ok_or("a schema is a mapping")?;
            let member = member(value, name)?;
            let holds = condition(&member, of_member, depth + 1)?;
            all.push(Fragment::new("(").and_then(member).sql(" IS NULL OR ").and_then(holds).sql(")"));
        }
    }
    if let Some(items) = schema.get("items") {
        let items = items.as_object().ok_or("a schema is a mapping")?;
        let name = format!("pipewright_item_{depth}");
        let holds = condition(&Fragment::new(&name), items, depth + 1)?;
        let each = Fragment::new("NOT EXISTS (SELECT 1 FROM UNNEST(JSON_QUERY_ARRAY(")
            .and_then(value.clone())
            .sql(&format!(")) AS {name} WHERE NOT COALESCE("))
            .and_then(holds)
            .sql(", FALSE))");
        all.push(only("array", each));
    }
    Ok(Fragment::new("(").list(all, " AND ").sql(")"))
}

fn number(schema: &Map<String, Value>, word: &str) -> Result<Option<String>, String> {
    match schema.get(word) {
        None => Ok(None),
        Some(Value::Number(number)) => Ok(Some(number.to_string())),
        Some(_) => Err(format!("`{word}` is a number")),
    }
}

fn of_type(value: &Fragment, name: &str) -> Result<Fragment, String> {
    let type_of = Fragment::new("JSON_TYPE(").and_then(value.clone()).sql(")");
    Ok(match name {
        "object" | "array" | "string" | "boolean" | "number" | "null" => type_of.sql(&format!(" = '{name}'")),
        "integer" => {
            let number = || Fragment::new("LAX_FLOAT64(").and_then(value.clone()).sql(")");
            Fragment::new("(")
                .and_then(type_of)
                .sql(" = 'number' AND ")
                .and_then(number())
                .sql(" = TRUNC(")
                .and_then(number())
                .sql("))")
        }
        other => return Err(format!("`{other}` is no type of JSON")),
    })
}

/// A member of an object.
fn member(value: &Fragment, name: &str) -> Result<Fragment, String> {
    if name.contains(['"', '\\', '\'']) {
        return Err(format!("the name `{name}` has quotes in it"));
    }
    Ok(Fragment::new("JSON_QUERY(").and_then(value.clone()).sql(", ").text(&format!("$.\"{name}\"")).sql(")"))
}
