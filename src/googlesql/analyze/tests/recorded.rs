//! Questions that BigQuery answered, with the types of its answers: none of them may be called wrong, and no type may
//! differ where one is given. The file is beside the project, not in it.

use std::borrow::Cow;
use std::path::PathBuf;

use serde_json::Value;
use sqlparser::ast::{
    AlterTable, AlterTableOperation, CreateTable, ObjectName, RenameTableNameKind, Statement,
};

use super::Tables;
use crate::diag::Code;
use crate::googlesql::analyze::{Names, Options, Parameters, analyze_query};
use crate::googlesql::{Column, Type, parse};

/// Faults that show only when a query runs, or in the service: their questions are right in our eyes.
const AT_RUN_TIME: &[&str] = &["division by zero", "Invalid time zone", "Not found", "Access Denied"];

fn questions() -> Option<Vec<Value>> {
    let shared = std::env::var_os("PIPEWRIGHT_SHARED")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared"), PathBuf::from);
    let path = shared.join("conformance/bigquery-recorded.jsonl");
    let Ok(text) = fs_err::read_to_string(&path) else {
        assert!(std::env::var("CI").as_deref() != Ok("true"), "{} is missing", path.display());
        println!("skipped: {} is missing", path.display());
        return None;
    };
    // Rows hold NaN and Infinity, which JSON has not; the rows do not matter here.
    let clean =
        text.replace(": NaN", ": null").replace(": Infinity", ": null").replace(": -Infinity", ": null");
    Some(clean.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect())
}

/// The tables that a script creates.
fn catalog(setup: &str) -> Tables {
    let mut tables = Tables::default();
    for statement in parse::script(setup).expect("the setup parses") {
        let (name, columns) = match statement {
            Statement::CreateTable(CreateTable { name, columns, query: None, .. }) => {
                let columns = columns.iter().map(|column| {
                    let data_type = column.data_type.to_string();
                    let data_type = Type::parse(&data_type).unwrap_or_else(|| panic!("{data_type}"));
                    Column::new(column.name.value.clone(), data_type)
                });
                (name, columns.collect())
            }
            Statement::CreateTable(CreateTable { name, query: Some(query), .. }) => {
                (name, columns_of(&query, &tables))
            }
            Statement::AlterTable(change) => {
                rename(&change, &mut tables);
                continue;
            }
            Statement::CreateView(view) => (view.name, columns_of(&view.query, &tables)),
            _ => continue,
        };
        tables.0.insert(dotted(&name), columns);
    }
    tables
}

fn dotted(name: &ObjectName) -> String {
    let path: Vec<&str> = name.0.iter().filter_map(|part| Some(part.as_ident()?.value.as_str())).collect();
    path.join(".")
}

/// `ALTER TABLE … RENAME TO …`; the new name stands without dataset.
fn rename(change: &AlterTable, tables: &mut Tables) {
    for operation in &change.operations {
        if let AlterTableOperation::RenameTable { table_name: RenameTableNameKind::To(to) } = operation {
            let old = dotted(&change.name);
            let columns = tables.0.remove(&old).expect("the table is there");
            let dataset = old.rsplit_once('.').map_or("", |(dataset, _)| dataset);
            tables.0.insert(format!("{dataset}.{}", dotted(to)), columns);
        }
    }
}

fn columns_of(query: &sqlparser::ast::Query, tables: &Tables) -> Vec<Column> {
    let analysis = analyze_query(query, tables, &Parameters::new(), Options { names: Names::Table });
    analysis.expect("a table of the setup").columns.into_iter().map(|output| output.column).collect()
}

fn parameters(question: &Value) -> Parameters {
    let list = question["parameters"]["parameters"].as_array().map(Vec::as_slice).unwrap_or_default();
    list.iter()
        .filter_map(|parameter| Some((parameter["name"].as_str()?, parameter_type(&parameter["type"]))))
        .collect()
}

fn parameter_type(written: &Value) -> Type {
    let text = |written: &Value| parameter_type(written).to_string();
    let full: Cow<'_, str> = match (written.as_str(), written["type"].as_str()) {
        (Some(name), _) => name.into(),
        (None, Some("ARRAY")) => format!("ARRAY<{}>", text(&written["arrayType"])).into(),
        (None, Some("STRUCT")) => {
            let fields = written["structTypes"].as_array().expect("fields");
            let fields: Vec<String> = fields
                .iter()
                .map(|field| format!("{} {}", field["name"].as_str().expect("a name"), text(&field["type"])))
                .collect();
            format!("STRUCT<{}>", fields.join(", ")).into()
        }
        (None, Some(name)) => name.to_owned().into(),
        _ => panic!("{written}"),
    };
    Type::parse(&full).unwrap_or_else(|| panic!("{full}"))
}

/// A type as BigQuery's answers write it, in the names of its older dialect.
fn answer_type(field: &Value) -> String {
    let name = match field["type"].as_str().expect("a type") {
        "INTEGER" => "INT64",
        "FLOAT" => "FLOAT64",
        "BOOLEAN" => "BOOL",
        "RECORD" => {
            let fields: Vec<String> = field["fields"]
                .as_array()
                .expect("fields")
                .iter()
                .map(|field| format!("{} {}", field["name"].as_str().expect("a name"), answer_type(field)))
                .collect();
            return wrap(format!("STRUCT<{}>", fields.join(", ")), field);
        }
        other => other,
    };
    wrap(name.to_owned(), field)
}

fn wrap(name: String, field: &Value) -> String {
    if field["mode"] == "REPEATED" { format!("ARRAY<{name}>") } else { name }
}

#[test]
fn no_answered_question_is_called_wrong_and_no_type_differs() {
    let Some(questions) = questions() else { return };
    let mut problems = Vec::new();
    let (mut answered, mut typed) = (0, 0);
    for question in &questions {
        let name = question["name"].as_str().expect("a name");
        let sql = question["query"].as_str().expect("a query");
        let query = match parse::query(sql) {
            Ok(query) => query,
            Err(fault) => {
                if question.get("error").is_none() && fault.code != Code::SqlNotAQuery {
                    problems.push(format!("{name}: {sql}\n  {fault:?}"));
                }
                continue;
            }
        };
        let tables = catalog(question["setup"].as_str().unwrap_or_default());
        let result = analyze_query(&query, &tables, &parameters(question), Options::default());
        if let Some(error) = question["error"]["message"].as_str() {
            let visible = !AT_RUN_TIME.iter().any(|known| error.contains(known));
            if visible && result.is_ok() {
                problems.push(format!("{name}: {sql}\n  BigQuery says: {error}"));
            }
            continue;
        }
        answered += 1;
        let analysis = match result {
            Ok(analysis) => analysis,
            Err(faults) => {
                problems.push(format!("{name}: {sql}\n  {faults:#?}"));
                continue;
            }
        };
        if analysis.open {
            println!("{name}: columns unknown: {:?}", analysis.unchecked);
            continue;
        }
        let schema = question["schema"].as_array().expect("a schema");
        let ours: Vec<String> =
            analysis.columns.iter().map(|output| output.column.data_type.to_string()).collect();
        let theirs: Vec<String> = schema.iter().map(answer_type).collect();
        let differs = ours.len() != theirs.len()
            || ours.iter().zip(&theirs).any(|(ours, theirs)| ours != theirs && !ours.contains("UNKNOWN"));
        if differs {
            problems.push(format!("{name}: {sql}\n  ours: {ours:?}\n  theirs: {theirs:?}"));
        }
        for (output, field) in analysis.columns.iter().zip(schema) {
            let theirs = field["name"].as_str().expect("a name");
            if output.column.name != theirs && !theirs.starts_with("f0_") {
                problems.push(format!("{name}: {sql}\n  ours: {}, theirs: {theirs}", output.column.name));
            }
        }
        if !analysis.unchecked.is_empty() {
            println!("{name}: {sql}\n  {:?}", analysis.unchecked);
        }
        typed += usize::from(!ours.iter().any(|ours| ours.contains("UNKNOWN")));
    }
    println!("{answered} answered questions, {typed} of them with all types known");
    assert!(problems.is_empty(), "{} problems:\n{}", problems.len(), problems.join("\n"));
    assert!(typed * 100 >= answered * 95, "only {typed} of {answered} questions are typed");
}
