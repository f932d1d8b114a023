//! The real BigQuery, where somebody names a project for it: what no emulator and no scripted server can show.
//!
//! `PIPEWRIGHT_TEST_PROJECT=my-project cargo test --release --locked --test it -- bigquery::real` runs it, with the
//! account's own credentials. It makes datasets with a prefix of its own, reads a few kilobytes, and drops what it made;
//! `PIPEWRIGHT_TEST_LOCATION` says where, `PIPEWRIGHT_TEST_ENDPOINT` by which way, if not Google's own. Its empty datasets stay: Pipewright drops none.

use std::io::Write;
use std::process::Command;

use serde_json::Value;

use super::content;
use crate::shop::shop;
use crate::support::{Outcome, Project};

/// The project to use; none where nobody names one, which is said.
fn named() -> Option<String> {
    let project = std::env::var("PIPEWRIGHT_TEST_PROJECT").ok().filter(|name| !name.is_empty());
    if project.is_none() {
        let test = std::thread::current().name().unwrap_or("a test").to_owned();
        writeln!(std::io::stderr(), "LEFT OUT: {test}: PIPEWRIGHT_TEST_PROJECT names no project of BigQuery")
            .expect("a standard error stream");
    }
    project
}

/// A target of the project, whose datasets nobody else has.
struct Real {
    project: Project,
}

impl Real {
    fn new(project: Project, name: &str) -> Self {
        let location = std::env::var("PIPEWRIGHT_TEST_LOCATION").unwrap_or_else(|_| "EU".to_owned());
        let prefix = format!("pipewright_test_{}_", std::process::id());
        let endpoint = std::env::var("PIPEWRIGHT_TEST_ENDPOINT").unwrap_or_default();
        let target = format!(
            "targets:\n  real:\n    type: bigquery\n    project: {name}\n    location: {location}\n    \
             endpoint: \"{endpoint}\"\n    dataset_prefix: {prefix}\n    max_bytes_per_job: 1 GB\n"
        );
        project.replace("pipeline.yaml", "targets:\n", &target);
        Self { project }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.project.command(arguments);
        command.args(["-t", "real"]);
        command
    }

    fn run(&self, arguments: &[&str]) -> Outcome {
        Outcome::of(&mut self.command(arguments))
    }
}

impl Drop for Real {
    fn drop(&mut self) {
        let _ = self.command(&["clean", "--yes"]).output();
    }
}

#[test]
fn the_shipped_sample_is_the_same_as_on_the_embedded_engine() {
    let Some(name) = named() else { return };
    let real = Real::new(Project::shipped(), &name);
    real.project.run(&["apply"]).succeeds();
    let plan = real.run(&["plan", "--json"]).succeeds().json();
    assert!(plan["steps"].as_array().is_some_and(|steps| steps.len() > 20), "{plan}");
    real.run(&["apply"]).succeeds();
    let again = real.run(&["plan", "--json"]).succeeds().json();
    assert_eq!(again["steps"], Value::Array(Vec::new()));
    // Datasets are named as BigQuery names them.
    let prefix = format!("pipewright_test_{}_", std::process::id());
    let there = |arguments: &[&str]| match arguments {
        [rest @ .., sql] if sql.starts_with("SELECT * FROM ") => {
            let sql = sql.replace("FROM ", &format!("FROM {prefix}"));
            real.run(&[rest, &[sql.as_str()]].concat())
        }
        arguments => real.run(arguments),
    };
    let (local, remote) = (content(&|arguments| real.project.run(arguments)), content(&there));
    assert_eq!(local.keys().collect::<Vec<_>>(), remote.keys().collect::<Vec<_>>());
    for (relation, rows) in &local {
        let differs = rows.iter().zip(&remote[relation]).find(|(one, two)| one != two);
        assert!(differs.is_none() && rows.len() == remote[relation].len(), "{relation}: {differs:?}");
    }
}

#[test]
fn tables_are_laid_out_and_cost_what_the_plan_says() {
    let Some(name) = named() else { return };
    let project = shop();
    project.replace(
        "models/shop.yaml",
        "  daily_sales:\n",
        "  daily_sales:\n    materialized: incremental\n    incremental: { unique_key: [day] }\n    partition_by: day\n    \
         cluster_by: [revenue]\n    labels: { team: tests }\n",
    );
    let real = Real::new(project, &name);
    real.run(&["apply"]).succeeds();
    let orders = format!("{}4,2024-01-02,cup,7.00\n", real.project.read("data/orders.csv"));
    real.project.write("data/orders.csv", &orders);
    let plan = real.run(&["plan", "--json"]).succeeds().json();
    assert!(plan["cost"]["billed"].as_u64().is_some_and(|bytes| bytes > 0), "{plan}");
    let done = real.run(&["apply"]).succeeds();
    assert!(done.stdout.contains("billed for"), "{done}");
    let again = real.run(&["plan", "--json"]).succeeds().json();
    assert_eq!(
        again["steps"],
        Value::Array(Vec::new()),
        "a layout that is reported otherwise than it was asked for"
    );
    // Another layout is another table, and the same rows.
    real.project.replace("models/shop.yaml", "    cluster_by: [revenue]\n", "");
    let relaid = real.run(&["apply"]).succeeds();
    assert!(relaid.stdout.contains("the table is replaced"), "{relaid}");
    // What was billed is what was told: the queries as it was told, and the bookkeeping about so much.
    real.project.replace("models/catalogue.sql", "INITCAP(colour)", "UPPER(colour)");
    let plan = real.run(&["plan", "--json", "--select", "catalogue"]).succeeds().json();
    let number = |key: &str| plan["cost"][key].as_u64().unwrap_or_else(|| panic!("{key}: {plan}"));
    let (queries, bookkeeping) = (number("billed"), number("bookkeeping"));
    assert_eq!(plan["cost"]["accuracy"], "exact", "{plan}");
    let done = real.run(&["apply", "--json", "--select", "catalogue"]).succeeds().json();
    let billed = done["billed"].as_u64().unwrap_or_else(|| panic!("{done}"));
    assert!(
        (queries..=queries + 2 * bookkeeping).contains(&billed),
        "billed {billed}; told {queries} and about {bookkeeping}"
    );
    let refused = real.run(&["query", "SELECT no_such_column FROM UNNEST([1]) AS x"]).ends_with(1);
    assert!(refused.stderr.contains("no_such_column"), "{refused}");
}
