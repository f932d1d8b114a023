//! The target BigQuery, against a server that speaks its interface.

mod between;
mod cloud_files;
mod cost;
mod cuts;
mod datasets;
mod defer;
mod emulator;
mod halfway;
mod increments;
mod kills;
mod layout;
mod little;
mod protocol;
mod proxy;
mod readback;
mod real;
mod refusals;
mod requests;
pub mod scripted;
mod statements;
mod stops;
mod subset;
mod tokens;
mod uploads;
mod writers;

use std::collections::BTreeMap;

use crate::support::{Outcome, Project};
use emulator::Emulator;

/// The rows of each table and view of the shipped pipeline, sorted: whole and exact.
fn content(run: &dyn Fn(&[&str]) -> Outcome) -> BTreeMap<String, Vec<String>> {
    let listed: serde_json::Value =
        serde_json::from_str(&run(&["ls", "--json"]).succeeds().stdout).expect("JSON");
    let relations = listed["nodes"].as_array().expect("nodes").iter();
    relations
        .map(|node| {
            let relation = node["relation"].as_str().expect("a name").to_owned();
            let sql = format!("SELECT * FROM {relation}");
            let told = run(&["query", "--format", "jsonl", &sql]).succeeds();
            let mut rows: Vec<String> = told.stdout.lines().map(str::to_owned).collect();
            rows.sort();
            (relation, rows)
        })
        .collect()
}

/// The tables of two targets must have the same rows.
#[track_caller]
fn assert_same(local: &BTreeMap<String, Vec<String>>, remote: &BTreeMap<String, Vec<String>>) {
    assert_eq!(local.keys().collect::<Vec<_>>(), remote.keys().collect::<Vec<_>>());
    for (relation, rows) in local {
        let other = &remote[relation];
        let differs = rows.iter().zip(other).find(|(one, two)| one != two);
        assert!(differs.is_none() && rows.len() == other.len(), "{relation}: {differs:?}");
    }
}

/// The shipped pipeline as the emulator can run it: its TRIM takes blanks away and leaves other white space, which
/// BigQuery's and ours do not.
fn shipped() -> Project {
    let project = Project::shipped();
    let trim = regex::Regex::new(r"\bTRIM\(([^()]+)\)").expect("a pattern");
    for path in ["macros/text.sql", "expectations/raw.yaml", "expectations/marts.yaml"] {
        let text = project.read(path);
        let other = trim.replace_all(&text, r"REGEXP_REPLACE($1, r'^[\s\pZ]+|[\s\pZ]+$$', '')");
        assert_ne!(text, other, "{path}");
        project.write(path, &other);
    }
    project
}

#[test]
fn the_shipped_sample_is_the_same_as_on_the_embedded_engine() {
    let Some(emulator) = Emulator::start() else { return };
    let project = shipped();
    project.run(&["apply"]).succeeds();
    let there = |arguments: &[&str]| Outcome::of(&mut emulator.command(&project, arguments));
    there(&["apply"]).succeeds();
    let (local, remote) = (content(&|arguments| project.run(arguments)), content(&there));
    assert_same(&local, &remote);

    let again = there(&["apply"]).succeeds();
    assert!(again.stdout.contains("Nothing to do"), "{again}");

    project.replace(
        "models/staging/stg_orders.sql",
        "{{ lower_code('order_status') }}",
        "TRIM(LOWER(order_status))",
    );
    let planned = |outcome: Outcome| -> Vec<String> {
        let plan: serde_json::Value = serde_json::from_str(&outcome.succeeds().stdout).expect("a plan");
        let steps = plan["steps"].as_array().expect("steps").iter();
        steps.map(|step| format!("{} {}", step["address"], step["action"]["do"])).collect()
    };
    assert_eq!(planned(there(&["plan", "--json"])), planned(project.run(&["plan", "--json"])));
    there(&["apply"]).succeeds();
    let again = there(&["apply"]).succeeds();
    assert!(again.stdout.contains("Nothing to do"), "{again}");
}
