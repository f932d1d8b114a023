//! Questions answered by real BigQuery, put to the embedded engine.
//!
//! The recording is not part of the repository: `PIPEWRIGHT_SHARED` names the folder that holds
//! `conformance/bigquery-recorded.jsonl`, `../shared` if unset.

#![allow(clippy::panic, clippy::print_stdout, reason = "a test that reports")]

use std::collections::BTreeMap;
use std::path::PathBuf;

use duckdb::Connection;
use pipewright::googlesql::duckdb::Parameters;
use pipewright::googlesql::{Column, Type};
use pipewright::warehouse::QueryResult;
use pipewright::warehouse::duckdb::catalog::DatabaseNames;
use pipewright::warehouse::duckdb::runtime;
use pipewright::warehouse::duckdb::script::run;
use serde_json::{Value, json};

/// How many of the questions are answered as BigQuery does. It only rises.
const FLOOR: usize = 404;

fn recording() -> Option<String> {
    let shared = std::env::var_os("PIPEWRIGHT_SHARED")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared"), PathBuf::from);
    let file = shared.join("conformance/bigquery-recorded.jsonl");
    match fs_err::read_to_string(&file) {
        Ok(text) => Some(text),
        Err(error) if std::env::var("CI").is_ok_and(|value| value == "true") => {
            panic!("the recorded answers are not there: {error}")
        }
        Err(error) => {
            println!("skipped: {error}");
            None
        }
    }
}

/// A parameter's value as DuckDB reads it.
fn parameter(data_type: &Value, value: &Value) -> String {
    let name = data_type.as_str().or_else(|| data_type["type"].as_str()).unwrap_or_default();
    match name {
        "ARRAY" => {
            let items: Vec<String> = value
                .as_array()
                .into_iter()
                .flatten()
                .map(|item| parameter(&data_type["arrayType"]["type"], item))
                .collect();
            format!("[{}]", items.join(", "))
        }
        "STRUCT" => {
            let fields: Vec<String> = data_type["structTypes"]
                .as_array()
                .into_iter()
                .flatten()
                .map(|field| {
                    let name = field["name"].as_str().unwrap_or_default();
                    format!("\"{name}\" := {}", parameter(&field["type"], &value[name]))
                })
                .collect();
            format!("struct_pack({})", fields.join(", "))
        }
        _ => {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned).replace('\'', "''");
            let target = match name {
                "INT64" => "BIGINT",
                "FLOAT64" => "DOUBLE",
                "NUMERIC" => "DECIMAL(38,9)",
                _ => "VARCHAR",
            };
            format!("CAST('{text}' AS {target})")
        }
    }
}

fn parameters(recorded: &Value) -> Parameters {
    let mut parameters = Parameters::default();
    for entry in recorded["parameters"].as_array().into_iter().flatten() {
        let value = parameter(&entry["type"], &entry["value"]);
        match entry["name"].as_str() {
            Some(name) => {
                parameters.named.insert(name.to_lowercase(), value);
            }
            None => parameters.positional.push(value),
        }
    }
    parameters
}

/// A column in the words of BigQuery's interface.
fn schema_field(column: &Column) -> Value {
    let (data_type, mode) = match &column.data_type {
        Type::Array(element) => (element.as_ref(), "REPEATED"),
        other => (other, "NULLABLE"),
    };
    let name = match data_type {
        Type::Int64 => "INTEGER".to_owned(),
        Type::Float64 => "FLOAT".to_owned(),
        Type::Bool => "BOOLEAN".to_owned(),
        Type::Struct(_) => "RECORD".to_owned(),
        other => other.to_string(),
    };
    let mut field = json!({"name": column.name, "type": name, "mode": mode});
    if let Type::Struct(fields) = data_type {
        field["fields"] = fields
            .iter()
            .map(|field| {
                schema_field(&Column::new(field.name.clone().unwrap_or_default(), field.data_type.clone()))
            })
            .collect();
    }
    field
}

fn rows(result: &QueryResult) -> Value {
    result
        .rows
        .iter()
        .map(|row| {
            result
                .columns
                .iter()
                .zip(row)
                .map(|(column, value)| (column.name.clone(), value.clone()))
                .collect::<Value>()
        })
        .collect()
}

/// What went wrong, if the answer is not BigQuery's.
fn ask(connection: &Connection, question: &Value) -> Result<(), String> {
    connection.execute_batch("DROP SCHEMA IF EXISTS ds CASCADE").map_err(|error| error.to_string())?;
    let name = question["name"].as_str().unwrap_or_default();
    let query = question["query"].as_str().unwrap_or_default();
    // The recorder made the dataset `ds`, but for questions about making it.
    if !query.contains("CREATE SCHEMA") {
        connection.execute_batch("CREATE SCHEMA ds").map_err(|error| error.to_string())?;
    }
    if let Some(setup) = question["setup"].as_str().filter(|setup| !setup.starts_with("DROP SCHEMA")) {
        run(connection, setup, &DatabaseNames(connection), &Parameters::default())
            .map_err(|error| format!("setup: {error}"))?;
    }
    let answer = run(connection, query, &DatabaseNames(connection), &parameters(&question["parameters"]));
    if !question["error"].is_null() {
        return match answer {
            Ok(_) => Err(format!("no error: {}", question["error"]["message"])),
            Err(_) => Ok(()),
        };
    }
    let answer = answer.map_err(|error| error.to_string())?;
    let is_query = !name.contains("/ddl_result_");
    let schema: Value = answer.columns.iter().map(schema_field).collect();
    let expected = &question["schema"];
    if is_query && &schema != expected {
        return Err(format!("schema {schema} is not {expected}"));
    }
    let expected = question["rows"].clone();
    let actual = rows(&answer);
    if actual == expected { Ok(()) } else { Err(format!("rows {actual} are not {expected}")) }
}

/// The recording holds bare `NaN` and `Infinity`, which our results hold as strings.
fn readable(line: &str) -> Value {
    serde_json::from_str(line)
        .or_else(|_| {
            let line = line
                .replace(": NaN", ": \"NaN\"")
                .replace(": Infinity", ": \"Infinity\"")
                .replace(": -Infinity", ": \"-Infinity\"");
            serde_json::from_str(&line)
        })
        .unwrap_or_else(|error| panic!("{error}: {line}"))
}

#[test]
fn bigquery_answers() {
    let Some(text) = recording() else { return };
    let connection = Connection::open_in_memory().expect("memory");
    runtime::install(&connection).expect("the runtime installs");
    let mut families: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    let mut passed = 0;
    for line in text.lines() {
        let question = readable(line);
        let name = question["name"].as_str().unwrap_or_default();
        let family = families
            .entry(name.split('/').nth(1).unwrap_or(name).split('_').next().unwrap_or_default().to_owned())
            .or_default();
        family.1 += 1;
        match ask(&connection, &question) {
            Ok(()) => {
                family.0 += 1;
                passed += 1;
            }
            Err(reason) => println!("{name}: {}", reason.replace('\n', " ")),
        }
    }
    for (family, (passed, all)) in &families {
        println!("{family}: {passed} of {all}");
    }
    println!("{passed} answers are BigQuery's");
    assert!(passed >= FLOOR, "{passed} answers are BigQuery's, {FLOOR} were");
}
