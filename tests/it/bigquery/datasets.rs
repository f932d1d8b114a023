//! Settings of datasets: planned, made, changed, and nothing of others taken away.

use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};

use super::between::{Answer, Between, Request};
use super::emulator::{Emulator, PROJECT};
use crate::support::{Outcome, Project};

/// One small table in a dataset of which much is said.
fn project() -> Project {
    Project::of(&[
        (
            "pipeline.yaml",
            "name: shop\n\
             targets:\n  local: { type: duckdb, path: shop.duckdb }\n  bigquery: { type: bigquery, project: '${BIGQUERY_PROJECT:-p}', endpoint: '${BIGQUERY_ENDPOINT:-}', dataset_prefix: dev_ }\n\
             datasets:\n\
             \x20 marts:\n    description: What reports read.\n    labels: { team: analytics }\n    default_table_expiration: 90d\n\
             \x20   grants:\n      - { role: reader, members: [\"group:analysts@example.com\"] }\n",
        ),
        ("models/shop.yaml", "models:\n  one: {}\n"),
        ("models/one.sql", "SELECT 1 AS x\n"),
    ])
}

fn at(endpoint: &str, project: &Project, arguments: &[&str]) -> Outcome {
    let mut command: Command = project.command(arguments);
    command.args(["-t", "bigquery"]).env("BIGQUERY_PROJECT", PROJECT).env("BIGQUERY_ENDPOINT", endpoint);
    Outcome::of(&mut command)
}

const DATASET: &str = "/bigquery/v2/projects/demo/datasets/dev_marts";

/// A request that the test makes itself.
fn asked(endpoint: &str, method: &str, path: &str, body: &Value) -> Value {
    use std::io::{Read, Write};
    let place = endpoint.trim_start_matches("http://");
    let mut stream = std::net::TcpStream::connect(place).expect("a connection");
    let body = body.to_string();
    let length = body.len();
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nhost: {place}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
    )
    .expect("a request");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    serde_json::from_str(answer.split_once("\r\n\r\n").expect("a body").1).expect("JSON")
}

#[test]
fn a_dataset_is_made_as_declared_and_changed_when_it_is_not() {
    let Some(emulator) = Emulator::start() else { return };
    let between = Between::before(emulator.port(), |_| None);
    let (project, endpoint) = (project(), emulator.endpoint());
    let run = |arguments: &[&str]| at(&between.endpoint(), &project, arguments);
    let there = || asked(&endpoint, "GET", DATASET, &Value::Null);

    let planned = run(&["plan"]).succeeds();
    let shown = "In `bigquery`, where names of datasets begin with `dev_`:\n\n\
        \x20 +  dataset marts  dataset  new\n\
        \x20     + description \"What reports read.\"\n\
        \x20     + label team \"analytics\"\n\
        \x20     + default_table_expiration 90d\n\
        \x20     + grant reader to group:analysts@example.com\n\
        \x20 +  model.one      table    new\n\n\
        Plan: 1 dataset to make, 1 to create, 0 to rebuild, 0 to drop, 0 unchanged.\n";
    assert!(planned.stdout.starts_with(shown), "{planned}");
    run(&["plan", "--out", "first.plan"]).succeeds();
    run(&["apply", "first.plan"]).succeeds();
    let made = there();
    assert_eq!(
        (&made["description"], &made["labels"], &made["defaultTableExpirationMs"], &made["access"]),
        (
            &json!("What reports read."),
            &json!({"team": "analytics"}),
            &json!("7776000000"),
            &json!([{"role": "READER", "groupByEmail": "analysts@example.com"}]),
        )
    );
    // BigQuery would take a list that it is made with for the whole of it.
    for request in between.take("POST /bigquery/v2/projects/demo/datasets") {
        assert!(!request.line.ends_with("/datasets") || request.json().get("access").is_none());
    }

    let again = run(&["apply"]).succeeds();
    assert!(again.stdout.contains("Nothing to do: the target is as the manifest says."), "{again}");
    let asked_for = between.take("GET /bigquery/v2/projects/demo/datasets/dev_marts?");
    assert_eq!(asked_for.len(), 1, "{asked_for:?}");

    // What others do, and what the manifest says anew.
    let others = json!([
        {"role": "OWNER", "specialGroup": "projectOwners"},
        {"view": {"projectId": "p", "datasetId": "d", "tableId": "v"}},
    ]);
    asked(&endpoint, "PATCH", DATASET, &json!({"labels": {"cost": "c", "team": "x"}, "access": others}));
    project.replace("pipeline.yaml", "90d", "30d");
    let planned = run(&["plan", "--detailed-exitcode"]).ends_with(2);
    assert_eq!(
        planned.stdout,
        "In `bigquery`, where names of datasets begin with `dev_`:\n\n  ~  dataset marts  dataset  settings changed\n\
         \x20     ~ label team \"x\" -> \"analytics\"\n\
         \x20     ~ default_table_expiration 90d -> 30d\n\
         \x20     + grant reader to group:analysts@example.com\n\
         \x20 = 1 unchanged\n\n\
         Plan: 1 dataset to change, 0 to create, 0 to rebuild, 0 to drop, 1 unchanged.\n\
         Cost: nothing billed for queries; about 52.4 MB for Pipewright's own bookkeeping, $0.0003; at $6.25 a TiB.\n"
    );
    run(&["plan", "--out", "second.plan"]).succeeds();
    let applied = run(&["apply"]).succeeds();
    assert!(applied.stdout.contains("0 steps done"), "{applied}");
    let now = there();
    assert_eq!(
        (&now["description"], &now["labels"], &now["defaultTableExpirationMs"]),
        (&json!("What reports read."), &json!({"cost": "c", "team": "analytics"}), &json!("2592000000"))
    );
    let mut all = others.as_array().expect("a list").clone();
    all.push(json!({"role": "READER", "groupByEmail": "analysts@example.com"}));
    assert_eq!(now["access"], json!(all));

    let stale = run(&["apply", "second.plan"]).ends_with(1);
    assert!(stale.stderr.contains("PW0502"), "{stale}");

    // A selection of something else leaves it out, and says so.
    asked(&endpoint, "PATCH", DATASET, &json!({"description": "Other."}));
    project.replace("pipeline.yaml", "datasets:\n", "datasets:\n  raw: {}\n");
    project.write("models/shop.yaml", "models:\n  one: { dataset: marts }\n  two: { dataset: raw }\n");
    project.write("models/two.sql", "SELECT 2 AS x\n");
    let planned = run(&["plan", "--select", "two"]).succeeds();
    assert_eq!(
        planned.stdout,
        "In `bigquery`, where names of datasets begin with `dev_`:\n\n\
         \x20 +  dataset raw  dataset  new\n\
         \x20 +  model.two    table    new\n\
         \x20 = 1 unchanged\n\
         \x20 . 1 dataset is not as declared, and nothing in it was selected: marts\n\n\
         Plan: 1 dataset to make, 1 to create, 0 to rebuild, 0 to drop, 1 unchanged.\n\
         Cost: nothing billed for queries; about 73.4 MB for Pipewright's own bookkeeping, $0.0004; at $6.25 a TiB.\n"
    );
    asked(&endpoint, "PATCH", DATASET, &json!({"description": "What reports read."}));
    run(&["apply"]).succeeds();

    // Taken out of the manifest, it stays.
    project.replace(
        "pipeline.yaml",
        "\x20   grants:\n      - { role: reader, members: [\"group:analysts@example.com\"] }\n",
        "",
    );
    let planned = run(&["plan"]).succeeds();
    assert!(planned.stdout.contains("\n\n  = 2 unchanged\n\nNothing to do"), "{planned}");
}

#[test]
fn a_plan_is_stale_once_somebody_set_something_of_a_dataset() {
    let Some(emulator) = Emulator::start() else { return };
    let (project, endpoint) = (project(), emulator.endpoint());
    let run = |arguments: &[&str]| at(&endpoint, &project, arguments);
    run(&["apply"]).succeeds();
    project.replace("pipeline.yaml", "90d", "30d");
    run(&["plan", "--out", "saved.plan"]).succeeds();
    asked(&endpoint, "PATCH", DATASET, &json!({"labels": {"team": "x"}}));
    let stale = run(&["apply", "saved.plan"]).ends_with(1);
    assert!(
        stale.stderr.contains("PW0502")
            && stale.stderr.contains("datasets of the target were made or changed"),
        "{stale}"
    );
    assert_eq!(asked(&endpoint, "GET", DATASET, &Value::Null)["defaultTableExpirationMs"], "7776000000");
}

#[test]
fn of_two_who_change_access_at_once_neither_is_lost() {
    let Some(emulator) = Emulator::start() else { return };
    let (project, endpoint) = (project(), emulator.endpoint());
    at(&endpoint, &project, &["apply"]).succeeds();
    // The emulator passes over If-Match: what BigQuery would do is done before it.
    let (came_between, server) = (AtomicBool::new(false), endpoint.clone());
    let answer = move |request: &Request| -> Answer {
        if !request.line.starts_with(&format!("PATCH {DATASET}?")) {
            return None;
        }
        if !came_between.swap(true, Ordering::SeqCst) {
            let bob = json!([
                {"role": "READER", "groupByEmail": "analysts@example.com"},
                {"role": "WRITER", "userByEmail": "bob@example.com"},
            ]);
            asked(&server, "PATCH", DATASET, &json!({ "access": bob }));
        }
        let now = asked(&server, "GET", DATASET, &Value::Null);
        (request.header("if-match") != now["etag"].as_str()).then(|| {
            (412, json!({"error": {"message": "Precondition Failed", "errors": [{"reason": "conditionNotMet"}]}}))
        })
    };
    let between = Between::before(emulator.port(), answer);
    project.replace(
        "pipeline.yaml",
        "analysts@example.com\"]",
        "analysts@example.com\", \"user:ana@example.com\"]",
    );
    at(&between.endpoint(), &project, &["apply"]).succeeds();
    assert_eq!(between.take("PATCH /bigquery/v2/projects/demo/datasets/dev_marts?").len(), 2);
    assert_eq!(
        asked(&endpoint, "GET", DATASET, &Value::Null)["access"],
        json!([
            {"role": "READER", "groupByEmail": "analysts@example.com"},
            {"role": "WRITER", "userByEmail": "bob@example.com"},
            {"role": "READER", "userByEmail": "ana@example.com"},
        ])
    );
}

#[test]
fn who_may_not_change_a_dataset_is_told_what_it_takes() {
    let Some(emulator) = Emulator::start() else { return };
    let (project, endpoint) = (project(), emulator.endpoint());
    at(&endpoint, &project, &["apply"]).succeeds();
    let between = Between::before(emulator.port(), |request| {
        request.line.starts_with("PATCH").then(|| {
            (403, json!({"error": {"message": "Access Denied: Dataset demo:dev_marts", "errors": [{"reason": "accessDenied"}]}}))
        })
    });
    project.replace("pipeline.yaml", "90d", "30d");
    let refused = at(&between.endpoint(), &project, &["apply"]).ends_with(1);
    for part in ["dataset `marts`", "BigQuery Data Owner"] {
        assert!(refused.stderr.contains(part), "{part}: {refused}");
    }
    // It is still to be done, and nothing else is.
    let planned = at(&endpoint, &project, &["plan"]).succeeds();
    assert!(planned.stdout.contains("Plan: 1 dataset to change, 0 to create"), "{planned}");
}

#[test]
fn the_same_manifest_runs_on_the_embedded_engine() {
    let project = project();
    let planned = project.run(&["plan"]).succeeds();
    assert!(!planned.stdout.contains("dataset"), "{planned}");
    project.run(&["apply"]).succeeds();
    let again = project.run(&["plan"]).succeeds();
    assert!(again.stdout.contains("Nothing to do"), "{again}");
}

#[test]
fn whom_bigquery_gives_access_to_a_new_dataset_keeps_it() {
    let Some(emulator) = Emulator::start() else { return };
    let (project, endpoint) = (project(), emulator.endpoint());
    let by_itself = json!([
        {"role": "WRITER", "specialGroup": "projectWriters"},
        {"role": "OWNER", "specialGroup": "projectOwners"},
        {"role": "OWNER", "userByEmail": "maker@example.com"},
        {"role": "READER", "specialGroup": "projectReaders"},
    ]);
    // The emulator gives nobody access. BigQuery does, unless it is told who has it.
    let (given, server) = (by_itself.clone(), endpoint.clone());
    let between = Between::before(emulator.port(), move |request| {
        (request.line == "POST /bigquery/v2/projects/demo/datasets").then(|| {
            let mut body = request.json();
            if body.get("access").is_none() {
                body["access"] = given.clone();
            }
            (200, asked(&server, "POST", "/bigquery/v2/projects/demo/datasets", &body))
        })
    });
    at(&between.endpoint(), &project, &["apply"]).succeeds();
    let mut all = by_itself.as_array().expect("a list").clone();
    all.push(json!({"role": "READER", "groupByEmail": "analysts@example.com"}));
    assert_eq!(asked(&endpoint, "GET", DATASET, &Value::Null)["access"], json!(all));
    let again = at(&between.endpoint(), &project, &["plan"]).succeeds();
    assert!(again.stdout.contains("Nothing to do: the target is as the manifest says."), "{again}");

    // A setting of a dataset is no change of a node.
    project.replace("pipeline.yaml", "90d", "30d");
    let chosen = at(&endpoint, &project, &["plan", "--select", "state:changed"]).succeeds();
    assert_eq!(
        chosen.stdout,
        "In `bigquery`, where names of datasets begin with `dev_`:\n\n  = 1 unchanged\n  . 1 dataset is not as declared, and nothing in it was selected: marts\n\n\
         Nothing to do for what was selected.\n"
    );
}
