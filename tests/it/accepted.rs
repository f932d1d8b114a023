//! All SQL that the shipped pipeline has for BigQuery, put to Google's own analyzer with the schemas of its tables.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::process::{Command, Stdio};

use pipewright::compile::{CompiledProject, compile};
use pipewright::googlesql::Column;
use pipewright::{manifest, project::resolve};
use serde_json::{Value, json};

use super::support::repository;

fn compiled() -> CompiledProject {
    let environment = BTreeMap::<String, String>::new();
    let raw = manifest::load(&repository(), &environment).expect("the shipped manifest is read");
    let (project, _) = resolve(raw).expect("the shipped manifest is right");
    compile(project, "bigquery").expect("the shipped project compiles").0
}

fn columns(columns: &[Column]) -> Value {
    columns.iter().map(|column| json!([column.name, column.data_type.to_string()])).collect()
}

fn question(name: &str, sql: &str, parameters: &Value, columns: &Value) -> Value {
    json!({"name": name, "sql": sql, "parameters": parameters, "columns": columns})
}

/// What the analyzer has against each of the questions.
fn objections(asked: &Value) -> String {
    let interpreter = repository().join(".venv/bin/python");
    assert!(interpreter.is_file(), "{} is not there; scripts/test makes it", interpreter.display());
    let mut judge = Command::new(interpreter)
        .arg(repository().join("tests/differential/accept.py"))
        .env("PYTHONUTF8", "1")
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("Python starts");
    judge.stdin.take().expect("its input").write_all(asked.to_string().as_bytes()).expect("it reads");
    let output = judge.wait_with_output().expect("it ends");
    assert!(output.status.success(), "the judge failed");
    String::from_utf8(output.stdout).expect("text")
}

#[test]
fn all_sql_of_the_shipped_pipeline_is_accepted_with_the_types_that_we_tell() {
    let project = compiled();
    let none = json!({});
    let mut tables = BTreeMap::new();
    let mut questions = Vec::new();
    for node in project.nodes.values() {
        let name = project.naming.relation_of(&project.project, &node.address);
        tables.insert(name.trim_matches('`').to_owned(), columns(&node.columns));
        if let Some(query) = &node.query {
            questions.push(question(
                &node.address.to_string(),
                &query.native,
                &none,
                &columns(&node.columns),
            ));
        }
        let audit = project.audit_of_published(&node.address).expect("an audit");
        for query in &audit.queries {
            questions.push(question(&format!("audit of {}", node.address), &query.sql, &none, &Value::Null));
        }
        for check in &audit.checks {
            if let Some(sample) = &check.sample {
                questions.push(question(&check.address, sample, &none, &Value::Null));
            }
        }
    }
    let parameters: Value = project
        .project
        .dashboards
        .values()
        .flat_map(|dashboard| &dashboard.filters)
        .map(|(name, filter)| (name.clone(), json!(filter.parameter_type().to_string())))
        .collect::<serde_json::Map<_, _>>()
        .into();
    for tile in &project.tiles {
        questions.push(question(&tile.address, &tile.query.native, &parameters, &columns(&tile.columns)));
    }
    let kinds = ["model.", "audit of ", "expectation.", "tile.", "filter."];
    for kind in kinds {
        let found =
            questions.iter().any(|question| question["name"].as_str().unwrap_or("").starts_with(kind));
        assert!(found, "there is no {kind}");
    }
    let objections = objections(&json!({"tables": tables, "questions": questions}));
    assert_eq!(objections, "");

    // The judge objects where there is a reason to.
    let wrong = [
        question("unknown", "SELECT x FROM t", &none, &Value::Null),
        question("type", "SELECT a FROM t", &none, &json!([["a", "STRING"]])),
        question("parameter", "SELECT a + @p AS a FROM t", &json!({"p": "TIMESTAMP"}), &Value::Null),
    ];
    let told = self::objections(&json!({"tables": {"t": [["a", "INT64"]]}, "questions": wrong}));
    let names: Vec<&str> = told.lines().filter_map(|line| line.split(':').next()).collect();
    assert_eq!(names, ["unknown", "type", "parameter"], "{told}");
}
