//! Incremental models: the same tables as on the embedded engine, batch after batch.

use serde_json::{Value, json};

use super::emulator::Emulator;
use super::little::Little;
use super::proxy::Proxy;
use crate::support::Outcome;

/// What `apply` did with the models of a tag: how rows came in, how many, and how many there are.
#[track_caller]
fn steps(outcome: &Outcome) -> Vec<Value> {
    let lines = outcome.clone().succeeds().stdout;
    let events = lines.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    let mut steps: Vec<Value> = events
        .filter(|event| event["event"] == "step_finished")
        .map(|event| {
            let step = &event["step"];
            json!([step["address"], step["action"], step["status"], step["new_rows"], step["rows"]])
        })
        .collect();
    steps.sort_by_key(ToString::to_string);
    steps
}

fn rows(outcome: Outcome) -> Vec<String> {
    let mut rows: Vec<String> = outcome.succeeds().stdout.lines().map(str::to_owned).collect();
    rows.sort();
    rows
}

const MODELS: [&str; 8] =
    ["appended", "merged", "replaced", "widened", "in_parts", "by_day", "by_month", "by_range"];

#[test]
fn new_rows_come_as_on_the_embedded_engine() {
    let Some(emulator) = Emulator::start() else { return };
    let proxy = Proxy::of(&emulator, 19);
    let little = Little::new();
    little.project.write(
        "models/ways.yaml",
        "models:\n\
         \x20 appended: { description: One after the other., materialized: incremental }\n\
         \x20 merged: { description: By key., materialized: incremental, incremental: { unique_key: [id] } }\n\
         \x20 replaced:\n    description: Day by day.\n    materialized: incremental\n\
         \x20   incremental: { strategy: insert_overwrite, partition_by: day }\n\
         \x20 widened:\n    description: With columns that come.\n    materialized: incremental\n\
         \x20   incremental: { unique_key: [id], on_schema_change: add }\n\
         \x20 in_parts:\n    description: By key within days.\n    materialized: incremental\n\
         \x20   incremental: { unique_key: [id, day] }\n    partition_by: day\n\
         \x20 by_day:\n    description: Moments, a day at a time.\n    materialized: incremental\n\
         \x20   incremental: { strategy: insert_overwrite, partition_by: moment }\n\
         \x20 by_month:\n    description: Moments, a month at a time.\n    materialized: incremental\n\
         \x20   incremental: { strategy: insert_overwrite, partition_by: moment }\n\
         \x20   partition_by: { column: moment, granularity: month }\n\
         \x20 by_range:\n    description: Numbers, ten at a time.\n    materialized: incremental\n\
         \x20   incremental: { strategy: insert_overwrite, partition_by: number }\n\
         \x20   partition_by: { column: number, range: { start: 0, end: 100, interval: 10 } }\n",
    );
    little.project.write(
        "sources/moments.yaml",
        "sources:\n  moments:\n    description: What happened.\n    files: data/moments.csv\n    columns:\n\
         \x20     id: { type: INT64 }\n      moment: { type: TIMESTAMP }\n      number: { type: INT64 }\n",
    );
    for model in ["by_day", "by_month", "by_range"] {
        little.project.write(&format!("models/{model}.sql"), "SELECT * FROM {{ source('moments') }}\n");
    }
    little.project.write(
        "models/in_parts.sql",
        "SELECT id, DATE(moment) AS day, number FROM {{ source('moments') }}\n",
    );
    little.project.write(
        "sources/days.yaml",
        "sources:\n  days:\n    description: What was sold.\n    files: data/days.csv\n    columns:\n\
         \x20     id: { type: INT64 }\n      day: { type: DATE }\n      amount: { type: NUMERIC }\n",
    );
    let newer = "{% if is_incremental() %}WHERE day > (SELECT MAX(day) FROM {{ this }}){% endif %}";
    let newest = "{% if is_incremental() %}WHERE day >= (SELECT MAX(day) FROM {{ this }}){% endif %}";
    for (model, when) in [("appended", newer), ("merged", ""), ("replaced", newest), ("widened", newest)] {
        little.project.write(
            &format!("models/{model}.sql"),
            &format!("SELECT * FROM {{{{ source('days') }}}} {when}\n"),
        );
    }
    let batches = [
        "id,day,amount\n1,2024-01-01,2.50\n2,2024-01-01,7.00\n3,2024-01-02,2.50\n",
        // Order 3 has another amount, order 2 is gone, 4 and 5 are new.
        "id,day,amount\n1,2024-01-01,2.50\n3,2024-01-02,9.00\n4,2024-01-02,7.00\n5,2024-01-03,7.00\n",
        "id,day,amount\n5,2024-01-03,1.25\n6,2024-01-03,\n7,2024-01-04,0.01\n",
        "id,day,amount\n7,2024-01-04,0.02\n8,2024-01-05,3.00\n",
    ];
    // Corrected times take the place of those of the same day, month and range.
    let moments = [
        "1,2024-01-01 08:00:00,5\n2,2024-01-01 09:00:00,15\n3,2024-01-20 10:00:00,25\n",
        "1,2024-01-01 08:30:00,6\n4,2024-02-01 00:00:00,15\n",
        "4,2024-02-29 23:59:59.999999,17\n5,2024-12-31 23:59:59.999999,99\n",
        "5,2024-12-01 00:00:00,100\n6,2025-01-01 00:00:00,-1\n",
    ];
    let left = [
        ("by_day", ["1 2 3", "1 3 4", "1 3 4 4 5", "1 3 4 4 5 5 6"]),
        ("by_month", ["1 2 3", "1 4", "1 4 5", "1 4 5 6"]),
        ("by_range", ["1 2 3", "1 3 4", "1 3 4 5", "1 3 4 5 5 6"]),
    ];
    let compare = |when: &str| {
        let (here, there) = (
            little.project.run(&["apply", "--json", "--allow-shrink"]),
            Outcome::of(&mut proxy.command(
                &emulator,
                &little.project,
                &["apply", "--json", "--allow-shrink"],
            )),
        );
        assert_eq!(steps(&there), steps(&here), "{when}");
        for model in MODELS {
            let sql = format!("SELECT * FROM marts.{model}");
            let query = ["query", "--format", "jsonl", &sql];
            let (here, there) = (rows(little.project.run(&query)), rows(little.run(&emulator, &query)));
            assert_eq!(there, here, "{when}: {model}");
        }
        let plan = little.run(&emulator, &["plan", "--json"]).succeeds().json();
        assert_eq!(plan["steps"], json!([]), "{when}");
    };
    for (at, batch) in batches.iter().enumerate() {
        little.project.write("data/days.csv", batch);
        little.project.write("data/moments.csv", &format!("id,moment,number\n{}", moments[at]));
        compare(&format!("batch {at}"));
        for (model, ids) in &left {
            let sql =
                format!("SELECT STRING_AGG(CAST(id AS STRING), ' ' ORDER BY id) AS ids FROM marts.{model}");
            let told = rows(little.run(&emulator, &["query", "--format", "jsonl", &sql]));
            assert_eq!(told, [json!({ "ids": ids[at] }).to_string()], "batch {at}: {model}");
        }
    }
    // A column comes: the one takes it in, and the others are built anew.
    proxy.mend_copies();
    little.project.replace(
        "sources/days.yaml",
        "amount: { type: NUMERIC }",
        "amount: { type: NUMERIC }\n      shop: { type: STRING }",
    );
    little
        .project
        .write("data/days.csv", "id,day,amount,shop\n8,2024-01-05,3.50,north\n9,2024-01-06,1.00,south\n");
    compare("a column more");
    let widened =
        little.run(&emulator, &["query", "--format", "jsonl", "SELECT id, shop FROM marts.widened"]);
    let widened = rows(widened);
    assert_eq!(widened.len(), 9);
    assert_eq!(widened.iter().filter(|row| row.contains("null")).count(), 7, "{widened:?}");
}
