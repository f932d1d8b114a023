//! The statements that Pipewright itself writes for BigQuery, as they are sent, put to Google's own analyzer.

use std::collections::{BTreeMap, BTreeSet};

use regex::Regex;
use serde_json::{Map, Value, json};

use super::protocol::{run, shop_there};
use super::scripted::{Answer, Request, Scripted};
use crate::accepted::{asked_of, compiled_for, objections, of_script};
use crate::shop::add_increments;
use crate::support::Project;

/// What each recording must hold, so that nothing is left out without a word.
const KINDS: [&str; 43] = [
    "CREATE TABLE IF NOT EXISTS `demo.pipewright.nodes`",
    "INSERT INTO `demo.pipewright.meta`",
    "UPDATE `demo.pipewright.meta`",
    "INSERT INTO `demo.pipewright.runs`",
    "INSERT INTO `demo.pipewright.nodes`",
    "DELETE FROM `demo.pipewright.steps`",
    "DELETE FROM `demo.pipewright.files`",
    "DELETE FROM `demo.pipewright.expectations`",
    "DELETE FROM `demo.pipewright.runs`",
    "AS what, key AS name",
    "INFORMATION_SCHEMA.TABLE_OPTIONS",
    "INFORMATION_SCHEMA.PARTITIONS",
    "INFORMATION_SCHEMA.COLUMN_FIELD_PATHS",
    "CREATE OR REPLACE TABLE",
    "CREATE OR REPLACE VIEW",
    "CLONE",
    "MERGE INTO",
    "DELETE FROM `demo.marts.replaced",
    "ON present.`day` BETWEEN ",
    "TIMESTAMP_TRUNC(`moment`, DAY) IN",
    "TIMESTAMP_TRUNC(`moment`, MONTH) IN",
    "DATETIME_TRUNC(`clock`, HOUR) IN",
    "RANGE_BUCKET(`id`, GENERATE_ARRAY(0, 100, 10)) IN",
    " PARTITION BY `day` CLUSTER BY `id` OPTIONS(labels = [('team', 'a')]) AS ",
    " PARTITION BY TIMESTAMP_TRUNC(`moment`, MONTH) AS ",
    " PARTITION BY RANGE_BUCKET(`id`, GENERATE_ARRAY(0, 100, 10)) AS ",
    "CREATE OR REPLACE MATERIALIZED VIEW `demo.marts.",
    "DROP MATERIALIZED VIEW IF EXISTS `demo.marts.",
    "` COPY `demo.marts.",
    "RENAME TO `",
    "partition_expiration_days = 9000",
    " WHERE `day` >= DATE '0001-01-01' OR `day` IS NULL) AS `parted`",
    "INFORMATION_SCHEMA.VIEWS",
    "ADD COLUMN `till` STRING",
    "WHEN MATCHED THEN DELETE",
    "DROP VIEW IF EXISTS",
    "DROP TABLE IF EXISTS",
    "ORDER BY started_at DESC, run DESC LIMIT",
    "FROM `demo.pipewright.files` WHERE run = @run",
    "AS failing_shares",
    "WITH verdicts AS",
    "last_good AS",
    "STRPOS(TO_JSON_STRING(`tags`), @mark)",
];

/// Views of a dataset that tell what is in it, as the documentation lists their columns.
const VIEWS: [(&str, &[(&str, &str)]); 6] = [
    ("TABLES", &[("table_name", "STRING"), ("table_type", "STRING")]),
    ("TABLE_OPTIONS", &[("table_name", "STRING"), ("option_name", "STRING"), ("option_value", "STRING")]),
    (
        "COLUMNS",
        &[
            ("table_name", "STRING"),
            ("column_name", "STRING"),
            ("ordinal_position", "INT64"),
            ("data_type", "STRING"),
            ("is_partitioning_column", "STRING"),
            ("clustering_ordinal_position", "INT64"),
        ],
    ),
    (
        "PARTITIONS",
        &[
            ("table_name", "STRING"),
            ("partition_id", "STRING"),
            ("total_rows", "INT64"),
            ("last_modified_time", "TIMESTAMP"),
        ],
    ),
    ("VIEWS", &[("table_name", "STRING"), ("view_definition", "STRING")]),
    (
        "COLUMN_FIELD_PATHS",
        &[
            ("table_name", "STRING"),
            ("field_path", "STRING"),
            ("description", "STRING"),
            ("policy_tags", "ARRAY<STRING>"),
        ],
    ),
];

/// A project whose runs write statements of all kinds.
fn project() -> Project {
    let project = shop_there();
    project.replace("pipeline.yaml", "defaults:\n", "defaults:\n  keep_history: 1d\n");
    add_increments(&project);
    let endpoint = "    location: EU\n";
    project.replace(
        "pipeline.yaml",
        endpoint,
        &format!("{endpoint}    storage_endpoint: ${{BIGQUERY_ENDPOINT:-}}\n"),
    );
    project.write(
        "sources/elsewhere.yaml",
        "sources:\n  visits:\n    files: gs://shop/visits.csv\n    columns:\n      id: { type: INT64, required: true }\n\
         \x20     page: { type: STRING }\n      tags: { type: JSON }\n",
    );
    project.write(
        "models/kept.yaml",
        "models:\n  kept: { materialized: materialized_view, cluster_by: [product] }\n\
         \x20 parted: { partition_by: day, require_partition_filter: true, partition_expires_after: 9000d,\n\
         \x20   columns: { day: { description: When. } } }\n",
    );
    project.write("models/parted.sql", "SELECT id, day FROM {{ source('orders') }}\n");
    project.write(
        "expectations/parted.yaml",
        "suites:\n  parted:\n    expectations:\n      - { expect: unique, columns: [id] }\n      - { expect: not_null, columns: [day] }\n\
         \x20 kept:\n    expectations:\n      - { expect: row_count, fewer_than: parted, severity: info }\n",
    );
    project.write(
        "models/kept.sql",
        "SELECT product, COUNT(*) AS orders FROM {{ source('orders') }} GROUP BY product\n",
    );
    project
}

/// Each statement of a job, with the types of its parameters.
fn recorded(server: &Scripted) -> BTreeSet<(String, String)> {
    let mut statements = BTreeSet::new();
    for job in server.asked().iter().filter(|one| one.makes_job() || one.is_dry_run()).map(Request::json) {
        let query = &job["configuration"]["query"];
        let given = query["queryParameters"].as_array().into_iter().flatten();
        let types: Map<String, Value> = given
            .map(|one| {
                (one["name"].as_str().expect("a name").to_owned(), one["parameterType"]["type"].clone())
            })
            .collect();
        let script = query["query"].as_str().unwrap_or_default();
        let publishes = script.starts_with("DROP ") || script.contains("__pipewright_relaid`");
        for sql in script.split(if publishes { "; " } else { ";\n" }).filter(|sql| !sql.is_empty()) {
            for (sql, types) in of_script(sql, &types) {
                statements.insert((sql, Value::from(types).to_string()));
            }
        }
    }
    statements
}

#[test]
fn all_that_is_sent_is_accepted() {
    let (server, project) = (Scripted::start(), project());
    server.put("shop/visits.csv", "id,page,tags\n1,home,{}\n");
    let there = |arguments: &[&str]| run(&server, &project, arguments);
    there(&["apply"]).succeeds();
    // New rows and further columns, and a view and a table in each other's place.
    let added = project.read("models/added.sql");
    project.write("models/added.sql", &added.replace("SELECT id", "SELECT product AS till, id"));
    let added = "incremental: { strategy: append, on_schema_change: add";
    project.replace("models/ways.yaml", added, &format!("{added}, on_query_change: keep"));
    let orders = format!("{}4,2024-01-03,cup,7.00\n", project.read("data/orders.csv"));
    project.write("data/orders.csv", &orders);
    project.replace("models/shop.yaml", "    materialized: view\n", "");
    project.replace("models/shop.yaml", "  catalogue:\n", "  catalogue:\n    materialized: view\n");
    there(&["apply"]).succeeds();
    there(&["check"]).succeeds();
    project.replace("models/kept.yaml", "cluster_by: [product]", "cluster_by: [orders]");
    project.replace("models/ways.yaml", "cluster_by: [id]", "cluster_by: [day]");
    // The state is cleared of what does not hold any more after some runs.
    for _ in 3..=16 {
        let orders = format!("{}9,2024-01-03,cup,7.00\n", project.read("data/orders.csv"));
        project.write("data/orders.csv", &orders);
        there(&["apply", "-s", "source.orders"]).succeeds();
    }
    there(&["apply"]).succeeds();
    let text = |names: &[&'static str]| names.iter().map(|name| (*name, "STRING")).collect::<Vec<_>>();
    let runs = text(&["run", "command", "started_by", "started_at", "finished_at", "status"]);
    let numbers = ["milliseconds", "passed", "warned", "failed", "errored", "steps", "steps_undone"];
    let columns: Vec<(&str, &str)> = runs.into_iter().chain(numbers.map(|name| (name, "INTEGER"))).collect();
    let time = "2024-01-01T00:00:00Z";
    let row = ["r", "apply", "me", time, time, "done", "1", "1", "0", "0", "0", "1", "0"];
    server.on(|one| one.sql().starts_with("WITH verdicts"), [Answer::rows(&columns, &[&row])]);
    server.always(|one| one.sql().contains("last_good AS"), Answer::rows(&[("expectation", "STRING")], &[]));
    server.always(|one| one.sql().contains("WHERE run IN ("), Answer::rows(&[("run", "STRING")], &[]));
    there(&["results", "--site", "site"]).succeeds();
    for command in [["runs"].as_slice(), &["runs", "r"], &["results"], &["check"]] {
        // What the rows mean is not told by this server.
        there(command);
    }
    let statements = recorded(&server);
    for kind in KINDS {
        assert!(statements.iter().any(|(sql, _)| sql.contains(kind)), "nothing has {kind}");
    }
    for table in ["steps", "expectations"] {
        let kind = format!("FROM `demo.pipewright.{table}` WHERE run IN (");
        assert!(statements.iter().any(|(sql, _)| sql.contains(&kind)), "nothing has {kind}");
    }

    let environment = BTreeMap::from([("BIGQUERY_PROJECT".to_owned(), "demo".to_owned())]);
    let (mut tables, _) = asked_of(&compiled_for(project.path(), &environment));
    let made = Regex::new(r"^CREATE TABLE IF NOT EXISTS `([^`]+)` \((.*)\)$").expect("a pattern");
    for (sql, _) in &statements {
        let Some(found) = made.captures(sql) else { continue };
        let column = |text: &str| {
            let mut words = text.split(' ');
            json!([words.next().map(|name| name.trim_matches('`')), words.next()])
        };
        tables.insert(found[1].to_owned(), found[2].split(", ").map(column).collect());
    }
    // What stands beside a table has its columns.
    let aside = Regex::new("`((demo[.][^`]+?)__[^`]+)`").expect("a pattern");
    for (sql, _) in &statements {
        for found in aside.captures_iter(sql) {
            let columns =
                tables.get(&found[2]).unwrap_or_else(|| panic!("{} is beside nothing", &found[1])).clone();
            tables.insert(found[1].to_owned(), columns);
        }
    }
    let views: Vec<Value> = ["raw", "marts"]
        .iter()
        .flat_map(|dataset| {
            VIEWS.map(|(view, columns)| {
                json!([[format!("demo.{dataset}"), "INFORMATION_SCHEMA", view], columns])
            })
        })
        .collect();
    let of = |(sql, types): &(String, String)| {
        let types: Value = serde_json::from_str(types).expect("JSON");
        json!([sql, sql, types])
    };
    // Tables are known here with the columns that they have in the end; further ones are judged beside the ways that new
    // rows take.
    let is_judged = |(sql, _): &&(String, String)| !sql.contains(" ADD COLUMN ");
    let asked: Vec<Value> = statements.iter().filter(is_judged).map(of).collect();
    let judged = |statements: &[Value]| {
        objections(&json!({ "tables": tables, "views": views, "questions": [], "statements": statements }))
    };
    assert_eq!(judged(&asked), "");
    // The judge objects where there is a reason to.
    let wrong = [
        ("a column", "SELECT no_column FROM `demo.pipewright.runs`", json!({})),
        ("a view", "SELECT no_column FROM `demo.raw`.INFORMATION_SCHEMA.TABLES", json!({})),
        ("a parameter", "DELETE FROM `demo.pipewright.runs` WHERE run = @run", json!({ "run": "INT64" })),
        ("a table", "CREATE TABLE `demo.marts.a` CLONE `demo.marts.b`", json!({})),
    ];
    let wrong: Vec<Value> = wrong.iter().map(|(name, sql, types)| json!([name, sql, types])).collect();
    let told = judged(&wrong);
    let names: Vec<&str> =
        told.lines().filter_map(|line| line.split_once(": [").map(|(name, _)| name)).collect();
    assert_eq!(names, ["a column", "a view", "a parameter", "a table"], "{told}");
}
