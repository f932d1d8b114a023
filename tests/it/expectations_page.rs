//! `docs/expectations.md`: the catalogue as a page, written from the JSON Schema, the cases and the compiler.
//!
//! `UPDATE_GOLDEN=1` writes it anew.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use pipewright::compile::{CompiledProject, compile};
use pipewright::manifest::types::expectation::aliases::ALIASES;
use pipewright::{manifest, project::resolve, schema};
use serde_json::{Map, Value};

use crate::catalogue::{first_cases, project_of};
use crate::shop::text;
use crate::support::repository;

/// Keys that entries of all kinds have.
const OF_ALL: [&str; 7] = ["name", "severity", "description", "note", "owner", "scope", "tags"];

/// A schema with what it refers to in its place.
fn whole<'s>(root: &'s Value, schema: &'s Value) -> &'s Value {
    match schema["$ref"].as_str().and_then(|path| path.strip_prefix('#')) {
        Some(path) => root.pointer(path).expect("a definition"),
        None => schema,
    }
}

/// The description of a key: its own, or that of what it refers to.
fn described(root: &Value, schema: &Value) -> String {
    let own = schema["description"].as_str();
    own.or_else(|| whole(root, schema)["description"].as_str()).unwrap_or_default().replace('\n', " ")
}

fn key_line(root: &Value, name: &str, schema: &Value, required: bool) -> String {
    let here = |key: &str| schema.get(key).or_else(|| whole(root, schema).get(key));
    let mut line = format!("- `{name}`");
    if required {
        line.push_str(" (required)");
    }
    let _ = write!(line, ": {}", described(root, schema));
    if let Some(default) = here("default").filter(|default| !default.is_null()) {
        let _ = write!(line, " `{default}` unless given.");
    }
    line.push('\n');
    line
}

/// An entry as people write it.
fn yaml(entry: &Map<String, Value>) -> String {
    let lines = serde_yaml::to_string(entry).expect("YAML");
    let lines: Vec<&str> = lines.trim_end().lines().collect();
    format!("- {}", lines.join("\n  "))
}

/// The SQL of the only expectation about a table.
fn sql(compiled: &CompiledProject, kind: &str) -> Option<String> {
    let expectation =
        compiled.project.expectations.iter().find(|one| one.kind == kind).expect("its expectation");
    compiled.sql_of(expectation)
}

/// What a case says of a table in a sentence.
fn told(is: &str) -> String {
    match is.split_once(" of ") {
        Some(("0", of)) => format!("holds ({of} looked at)"),
        Some((bad, of)) => format!("fails ({bad} bad, {of} looked at)"),
        None => {
            let (verdict, value) = is.split_once(' ').unwrap_or((is, ""));
            let verdict = if verdict == "passed" { "holds" } else { "fails" };
            if value.is_empty() { verdict.to_owned() } else { format!("{verdict} (the value is {value})") }
        }
    }
}

fn page() -> String {
    let root = schema::schema(schema::Kind::Expectations);
    let kinds = root["$defs"]["ExpectationSpec"]["oneOf"].as_array().expect("kinds");
    let ours: Vec<&Value> = kinds
        .iter()
        // Other tools' names are patterns.
        .filter(|kind| kind["properties"]["expect"]["const"].is_string())
        .collect();
    let cases = first_cases();
    let mut page = format!(
        "# The catalogue of expectations\n\n\
         {} kinds. Rows whose value is NULL are not looked at unless the kind is about NULL; what is said of a table of \
         nothing but NULL (three rows) and of an empty one stands with each kind. Kinds with `mostly` and `allowed` are \
         about rows: the share that must hold, of those looked at, and the number that may fail all the same, whichever \
         forgives more. Kinds with `group_by` are about a value, which must be right in every group.\n\n\
         The SQL is what a BigQuery target runs for the example: rows looked at, rows (or groups) failing, and what was \
         observed. Entries about one table share a scan. On the embedded engine the same SQL is translated.\n\n\
         Entries of all kinds have:\n\n",
        ours.len()
    );
    for name in OF_ALL {
        let of_first = &ours[0]["properties"][name];
        page.push_str(&key_line(&root, name, of_first, false));
    }
    for kind in ours {
        let word = text(&kind["properties"]["expect"]["const"]);
        let case = &cases[&word];
        let _ = write!(page, "\n## `{word}`\n\n{}\n\n", described(&root, &kind["properties"]["expect"]));
        let required: Vec<&str> =
            kind["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        for (name, of_key) in kind["properties"].as_object().expect("keys") {
            if name != "expect" && !OF_ALL.contains(&name.as_str()) {
                page.push_str(&key_line(&root, name, of_key, required.contains(&name.as_str())));
            }
        }
        let _ = write!(page, "\n```yaml\n{}\n```\n\n", yaml(&case.entry));
        let _ = writeln!(
            page,
            "Over nothing but NULL it {}; over an empty table it {}.\n",
            told(&case.is["nulls"]),
            told(&case.is["empty"])
        );
        let project = project_of(&word);
        let environment = BTreeMap::<String, String>::new();
        let raw = manifest::load(project.path(), &environment).expect("a manifest");
        let compiled = compile(resolve(raw).expect("a project").0, "bigquery").expect("it compiles").0;
        match sql(&compiled, &word) {
            Some(sql) => {
                let _ = writeln!(page, "```sql\n{sql}\n```");
            }
            None => page.push_str("No query: it is known from the table's columns.\n"),
        }
        let names: Vec<String> = ALIASES
            .iter()
            .filter(|alias| alias.kind == word)
            .map(|alias| format!("`{}`", alias.name))
            .collect();
        if !names.is_empty() {
            let _ = writeln!(page, "\nAlso written {}.", names.join(", "));
        }
    }
    page
}

#[test]
fn the_reference_of_expectations_is_current() {
    let page = page();
    let file = repository().join("docs/expectations.md");
    if std::env::var_os("UPDATE_GOLDEN").is_some_and(|value| value == "1") {
        fs_err::write(&file, &page).expect("the page is written");
    }
    let written = fs_err::read_to_string(&file).expect("the page");
    assert!(written == page, "docs/expectations.md is not current: UPDATE_GOLDEN=1");
}
