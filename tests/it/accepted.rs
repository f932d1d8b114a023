//! All SQL that the shipped pipeline and all kinds of expectations have for BigQuery, put to Google's own analyzer with the schemas of its tables.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use pipewright::compile::{CompiledProject, compile};
use pipewright::googlesql::Column;
use pipewright::{manifest, project::resolve};
use regex::Regex;
use serde_json::{Map, Value, json};

use super::catalogue;
use super::shop::{INCREMENTS, add_increments, shop};
use super::support::{python_answers, repository};

fn compiled(folder: &Path) -> CompiledProject {
    compiled_for(folder, &BTreeMap::new())
}

/// A project as its BigQuery target runs it, with some variables of the environment.
pub fn compiled_for(folder: &Path, environment: &BTreeMap<String, String>) -> CompiledProject {
    let raw = manifest::load(folder, environment).expect("the manifest is read");
    let (project, _) = resolve(raw).expect("the manifest is right");
    compile(project, "bigquery").expect("the project compiles").0
}

fn columns(columns: &[Column]) -> Value {
    columns.iter().map(|column| json!([column.name, column.data_type.to_string()])).collect()
}

fn question(name: &str, sql: &str, parameters: &Value, columns: &Value) -> Value {
    json!({"name": name, "sql": sql, "parameters": parameters, "columns": columns})
}

/// What the analyzer has against each of the questions.
pub fn objections(asked: &Value) -> String {
    python_answers("tests/differential/accept.py", &asked.to_string())
}

/// A statement within bounds, as the analyzer can judge it: the queries of the bounds, and the statement with parameters
/// for them. Anything else as it is, with the types that it has.
pub fn of_script(sql: &str, types: &Map<String, Value>) -> Vec<(String, Map<String, Value>)> {
    let script = Regex::new(
        r"^DECLARE pipewright_first (\w+) DEFAULT (\(.*?\)); DECLARE pipewright_last (\w+) DEFAULT (\(.*?\)); (.*)$",
    )
    .expect("a pattern");
    let Some(found) = script.captures(sql) else { return vec![(sql.to_owned(), types.clone())] };
    let bounds = [("pipewright_first", &found[1]), ("pipewright_last", &found[3])];
    let bounds = bounds.map(|(name, data_type)| (name.to_owned(), json!(data_type))).into_iter().collect();
    let statement =
        found[5].replace("pipewright_", "@pipewright_").replace("__@pipewright_", "__pipewright_");
    vec![
        (format!("SELECT {}", &found[2]), Map::new()),
        (format!("SELECT {}", &found[4]), Map::new()),
        (statement, bounds),
    ]
}

/// The tables of a project, and its questions about models and expectations.
pub fn asked_of(project: &CompiledProject) -> (BTreeMap<String, Value>, Vec<Value>) {
    let none = json!({});
    let mut tables = BTreeMap::new();
    let mut questions = Vec::new();
    for node in project.nodes.values() {
        let name = project.naming.relation_of(&project.project, &node.address);
        tables.insert(name.trim_matches('`').to_owned(), columns(&node.columns));
        if let Some(query) = &node.query {
            let expected = columns(&node.columns);
            questions.push(question(&node.address.to_string(), &query.native, &none, &expected));
        }
        let audit = project.audit_of_published(&node.address).expect("an audit");
        for query in &audit.queries {
            let about: Vec<&str> = match query.checks.as_slice() {
                // A query of one check alone is named after it.
                [check] => vec![&audit.checks[*check].address],
                _ => Vec::new(),
            };
            let name = format!("audit of {} {}", node.address, about.join(" "));
            questions.push(question(name.trim_end(), &query.sql, &none, &Value::Null));
        }
        for check in &audit.checks {
            if let Some(sample) = &check.sample {
                questions.push(question(&check.address, sample, &none, &Value::Null));
            }
        }
    }
    (tables, questions)
}

#[test]
fn all_sql_of_every_kind_of_expectation_is_accepted() {
    let project = catalogue::project_of_all_cases();
    let compiled = compiled(project.path());
    let (tables, questions) = asked_of(&compiled);
    let kinds: BTreeSet<&str> =
        compiled.project.expectations.iter().map(|expectation| expectation.kind.as_str()).collect();
    assert_eq!(kinds.len(), catalogue::kinds().len(), "each kind has an expectation");
    assert_eq!(objections(&json!({"tables": tables, "questions": questions})), "");
}

#[test]
fn all_sql_of_the_shipped_pipeline_is_accepted_with_the_types_that_we_tell() {
    let project = compiled(&repository());
    let none = json!({});
    let (tables, mut questions) = asked_of(&project);
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

#[test]
fn what_brings_new_rows_into_tables_is_accepted() {
    let project = shop();
    add_increments(&project);
    let local = "targets:\n";
    project.replace(
        "pipeline.yaml",
        local,
        &format!("{local}  bigquery: {{ type: bigquery, project: demo }}\n"),
    );
    let compiled = compiled(project.path());
    let (mut tables, mut questions) = asked_of(&compiled);
    let mut statements = Vec::new();
    for name in INCREMENTS {
        let node = &compiled.project.nodes[name];
        let increment = compiled.nodes[name].increment.as_ref().expect("an increment");
        let build = compiled.naming.relation(&node.dataset, &node.build_name());
        let merged = compiled.naming.relation(&node.dataset, &compiled.naming.merged(node));
        for table in [build, merged] {
            tables.insert(table.trim_matches('`').to_owned(), columns(&compiled.nodes[name].columns));
        }
        let expected = columns(&compiled.nodes[name].columns);
        questions.push(question(name, &increment.query.native, &json!({}), &expected));
        questions.extend(
            increment.proof.as_ref().map(|proof| question(name, &proof.native, &json!({}), &Value::Null)),
        );
        for statement in &increment.statements {
            let parts = of_script(&statement.native, &Map::new());
            statements.extend(parts.into_iter().map(|(sql, types)| json!([name, sql, types])));
        }
        let more = ["shop", "till"].map(|name| Column::new(name, pipewright::googlesql::Type::String));
        let adding = compiled.adding(node, &more).expect("a statement");
        statements.push(json!([name, adding]));
    }
    assert_eq!(
        statements.len(),
        1 + 1 + 4 + 3 + 4 * 4 + 8,
        "an INSERT, a MERGE, a DELETE with an INSERT, a MERGE and four DELETEs with INSERTs, all of them within bounds, and \
         columns for each"
    );
    let asked = json!({"tables": tables, "questions": questions, "statements": statements});
    assert_eq!(objections(&asked), "");
    let wrong = json!([["wrong", "DELETE FROM `demo.marts.added`"]]);
    let told = objections(&json!({"tables": tables, "questions": [], "statements": wrong}));
    assert!(told.starts_with("wrong: "), "a DELETE without WHERE is none: {told}");
}
