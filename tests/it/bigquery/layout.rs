//! How tables are laid out, described and governed on BigQuery.

use serde_json::{Value, json};

use super::between::{Answer, Between, Request, ask};
use super::emulator::Emulator;
use crate::shop::shop;
use crate::support::{Outcome, Project};

const MODELS: &str = "\
models:
  clean_orders:
    description: Orders with clean names.
    materialized: view
    labels: { team: sales }
    columns:
      amount: { description: In reais. }
  daily_sales:
    description: One row for each day.
    partition_by: { column: day, granularity: month }
    cluster_by: [revenue]
    require_partition_filter: true
    labels: { team: sales, cost-centre: \"17\" }
    columns:
      revenue: { description: What was paid. }
  catalogue:
    description: Products as they are shown.
    cluster_by: [colour, product]
    labels: { team: goods }
";

/// A model that takes in the orders that it has not.
const LOG: &str = "\
SELECT id, day FROM {{ source('orders') }}
{% if is_incremental() %}WHERE id > (SELECT MAX(id) FROM {{ this }}){% endif %}
";

/// The shop with a target on the emulator, and its tables laid out.
fn laid_out() -> Project {
    let project = shop();
    project.replace(
        "pipeline.yaml",
        "default_target",
        "\x20 bigquery: { type: bigquery, location: US, project: \"${BIGQUERY_PROJECT:-none}\", endpoint: \"${BIGQUERY_ENDPOINT:-}\" }\n\
         default_target",
    );
    project.write("models/shop.yaml", MODELS);
    project.replace(
        "sources/shop.yaml",
        "    tags: [sales]\n",
        "    tags: [sales]\n    partition_by: day\n    cluster_by: [product]\n    labels: { team: raw }\n",
    );
    project
}

/// The steps of a plan: address, what is done, reasons.
fn steps(outcome: Outcome) -> Vec<String> {
    let plan = outcome.succeeds().json();
    assert!(plan["drift"].as_array().is_some_and(Vec::is_empty), "{}", plan["drift"]);
    let steps = plan["steps"].as_array().expect("steps").iter();
    let told = |step: &Value| {
        let reasons: Vec<&str> =
            step["reasons"].as_array().expect("reasons").iter().filter_map(Value::as_str).collect();
        format!(
            "{} {} {}",
            step["address"].as_str().unwrap_or(""),
            step["action"]["do"].as_str().unwrap_or(""),
            reasons.join(" ")
        )
    };
    steps.map(told).collect()
}

/// The labels of a table, beside the one by which Pipewright knows it.
#[track_caller]
fn labels(table: &Value) -> Value {
    let mut labels = table["labels"].clone();
    let mark = labels.as_object_mut().and_then(|labels| labels.remove("pipewright"));
    assert!(mark.is_some_and(|mark| mark.as_str().is_some_and(|mark| mark.len() == 32)), "{table}");
    labels
}

#[test]
fn tables_are_laid_out_and_described_and_stay_so() {
    let Some(emulator) = Emulator::start() else { return };
    let project = laid_out();
    let run = |arguments: &[&str]| Outcome::of(&mut emulator.command(&project, arguments));
    let table = |name: &str| emulator.ask("GET", &format!("datasets/marts/tables/{name}"), None);
    run(&["apply"]).succeeds();
    let daily = table("daily_sales");
    assert_eq!(labels(&daily), json!({ "team": "sales", "cost-centre": "17" }));
    assert!(
        daily["description"]
            .as_str()
            .is_some_and(|text| text.starts_with("One row for each day.\n[pipewright "))
    );
    assert_eq!(daily["schema"]["fields"][1]["description"], "What was paid.", "{daily}");
    let view = table("clean_orders");
    assert_eq!((&view["type"], &view["labels"]["team"]), (&json!("VIEW"), &json!("sales")));
    assert_eq!(view["schema"]["fields"][3]["description"], "In reais.", "{view}");
    let orders = emulator.ask("GET", "datasets/raw/tables/orders", None);
    assert_eq!(labels(&orders), json!({ "team": "raw" }));
    assert_eq!(steps(run(&["plan", "--json"])), Vec::<String>::new());

    // What is said of a table is changed without building it.
    project.replace("models/shop.yaml", "What was paid.", "What was paid in all.");
    project.replace(
        "models/shop.yaml",
        "    cluster_by: [revenue]\n",
        "    cluster_by: [revenue]\n    expires_after: 30d\n",
    );
    project.replace("models/shop.yaml", "cost-centre: \"17\"", "cost-centre: \"18\"");
    assert_eq!(steps(run(&["plan", "--json"])), ["model.daily_sales describe metadata_changed"]);
    run(&["apply"]).succeeds();
    let daily = table("daily_sales");
    assert_eq!(daily["labels"]["cost-centre"], "18");
    assert_eq!(daily["schema"]["fields"][1]["description"], "What was paid in all.");
    assert_eq!(steps(run(&["plan", "--json"])), Vec::<String>::new());

    // Another layout is another table.
    project.replace("models/shop.yaml", "granularity: month", "granularity: year");
    project.replace("models/shop.yaml", "cluster_by: [revenue]", "cluster_by: [day]");
    assert_eq!(steps(run(&["plan", "--json"])), ["model.daily_sales build layout_changed"]);
    let told = run(&["plan"]).succeeds();
    assert!(told.stdout.contains("! partitioning and clustering changed: the table is replaced"), "{told}");
    run(&["apply"]).succeeds();
    assert_eq!(steps(run(&["plan", "--json"])), Vec::<String>::new());

    // A view of one kind is no view of the other.
    project.replace("models/shop.yaml", "materialized: view", "materialized: materialized_view");
    let expected = ["model.clean_orders build layout_changed", "model.daily_sales build upstream_changed"];
    assert_eq!(steps(run(&["plan", "--json"])), expected);
    run(&["apply"]).succeeds();
    // Its type cannot be asked for: the emulator calls it a view once it is described.
    assert_eq!(table("clean_orders")["labels"]["team"], "sales");
    assert_eq!(steps(run(&["plan", "--json"])), Vec::<String>::new());

    // None of it is of any concern to the embedded engine.
    project.run(&["apply"]).succeeds();
    project.replace("models/shop.yaml", "granularity: year", "granularity: day");
    assert!(project.run(&["apply"]).succeeds().stdout.contains("Nothing to do"));
}

/// Refuses queries that read the table of days without naming partitions, which the emulator answers.
fn asks_for_partitions(request: &Request) -> Answer {
    let sql = if request.line.starts_with("POST ") && request.line.contains("/jobs") {
        request.json()["configuration"]["query"]["query"].as_str().unwrap_or_default().to_owned()
    } else {
        String::new()
    };
    let read = sql.matches("FROM `demo.marts.daily_sales`").count();
    let named = sql.matches("FROM `demo.marts.daily_sales` WHERE `day` >= DATE '0001-01-01'").count();
    let message = "Cannot query over table 'marts.daily_sales' without a filter over column(s) 'day' that can be used for \
                   partition elimination";
    let refusal = json!({ "error": { "message": message, "errors": [{ "reason": "invalidQuery" }] } });
    (read > named).then_some((400, refusal))
}

#[test]
fn tables_that_must_be_asked_by_partitions_are_checked_and_compared_with() {
    let Some(emulator) = Emulator::start() else { return };
    let project = laid_out();
    project.write(
        "expectations/more.yaml",
        "suites:\n  catalogue:\n    expectations:\n      - { expect: row_count, equals: daily_sales }\n",
    );
    let between = Between::before(emulator.port(), asks_for_partitions);
    let run = |arguments: &[&str]| {
        let mut command = emulator.command(&project, arguments);
        Outcome::of(command.env("BIGQUERY_ENDPOINT", between.endpoint()))
    };
    // The emulator shows that they are refused, and that all rows are looked at.
    run(&["apply"]).succeeds();
    run(&["query", "SELECT * FROM `demo.marts.daily_sales`"]).ends_with(1);
    let told = run(&["check"]).succeeds();
    assert!(told.stdout.contains("3 expectations: 3 passed"), "{told}");
    project.replace("expectations/shop.yaml", "revenue > 0", "revenue > 3");
    assert_eq!(steps(run(&["plan", "--json"])), ["model.daily_sales check expectations_changed"]);
    run(&["apply"]).ends_with(1);
}

#[test]
fn what_others_set_on_a_table_survives_its_being_built_anew() {
    let Some(emulator) = Emulator::start() else { return };
    let project = laid_out();
    let run = |arguments: &[&str]| Outcome::of(&mut emulator.command(&project, arguments));
    run(&["apply"]).succeeds();
    let path = "datasets/marts/tables/catalogue";
    emulator.ask("PATCH", path, Some(&json!({ "labels": { "team": "goods", "theirs": "kept" } })));
    let reference =
        json!({ "projectId": "demo", "datasetId": "marts", "tableId": "catalogue", "policyId": "blue_only" });
    let policy = json!({
        "rowAccessPolicyReference": reference,
        "filterPredicate": "colour = 'Blue'",
        "grantees": ["user:somebody@example.com"],
    });
    emulator.ask("POST", &format!("{path}/rowAccessPolicies"), Some(&policy));
    let policies =
        || emulator.ask("GET", &format!("{path}/rowAccessPolicies"), None)["rowAccessPolicies"].clone();
    let before = policies();
    assert_eq!(before[0]["filterPredicate"], "colour = 'Blue'", "{before}");
    project.replace("models/catalogue.sql", "INITCAP(colour)", "UPPER(colour)");
    run(&["apply"]).succeeds();
    let table = emulator.ask("GET", path, None);
    assert_eq!(labels(&table), json!({ "team": "goods", "theirs": "kept" }), "{table}");
    assert_eq!(policies()[0]["filterPredicate"], "colour = 'Blue'");

    // A view has no row access policies: its readers would see all rows.
    project.replace("models/shop.yaml", "    cluster_by: [colour, product]\n", "    materialized: view\n");
    let refused = run(&["apply"]).ends_with(1);
    assert!(
        refused.stdout.contains("marts.catalogue would lose its row access policies (`blue_only`)"),
        "{refused}"
    );
    assert_eq!(emulator.ask("GET", path, None)["type"], "TABLE");
}

#[test]
fn an_incremental_table_of_another_layout_keeps_its_rows() {
    let Some(emulator) = Emulator::start() else { return };
    let project = laid_out();
    project.write(
        "models/log.yaml",
        "models:\n  log: { materialized: incremental, incremental: { strategy: append, on_query_change: keep } }\n",
    );
    project.write("models/log.sql", LOG);
    // The emulator knows no statement that copies a table to a new one.
    let server = emulator.port();
    let between = Between::before(server, move |request| {
        let mut job: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        let script =
            job["configuration"]["query"]["query"].as_str().filter(|sql| sql.contains(" RENAME TO "))?;
        assert!(script.contains(
            "CREATE TABLE `demo.marts.log__pipewright_relaid` COPY `demo.marts.log__pipewright_next`"
        ));
        let same = "DROP TABLE `demo.marts.log`; CREATE TABLE `demo.marts.log` CLONE `demo.marts.log__pipewright_next`";
        job["configuration"]["query"]["query"] = json!(same);
        let body = job.to_string().into_bytes();
        let length = ("content-length".to_owned(), body.len().to_string());
        let mut headers = request.headers.clone();
        headers.retain(|(name, _)| name != "content-length");
        headers.push(length);
        Some(ask(&Request { line: request.line.clone(), headers, body }, server).expect("the emulator"))
    });
    let run = |arguments: &[&str]| {
        let mut command = emulator.command(&project, arguments);
        Outcome::of(command.env("BIGQUERY_ENDPOINT", between.endpoint()))
    };
    run(&["apply"]).succeeds();
    // What it was made from is gone.
    project.write("data/orders.csv", "id,day,product,amount\n4,2024-01-03,pen,2.50\n");
    run(&["apply", "--allow-shrink"]).succeeds();
    let ids =
        || run(&["query", "--format", "jsonl", "SELECT id FROM marts.log ORDER BY id"]).succeeds().stdout;
    let all = "{\"id\":1}\n{\"id\":2}\n{\"id\":3}\n{\"id\":4}\n";
    assert_eq!(ids(), all);
    project.replace("models/log.yaml", "log: {", "log: { cluster_by: [id], partition_by: day,");
    assert_eq!(steps(run(&["plan", "--json"])), ["model.log merge layout_changed"]);
    let told = run(&["plan"]).succeeds();
    let words = "! partitioning and clustering changed: the table is replaced, and keeps its rows";
    assert!(told.stdout.contains(words), "{told}");
    run(&["apply"]).succeeds();
    assert_eq!(ids(), all);
    assert_eq!(steps(run(&["plan", "--json"])), Vec::<String>::new());
}

#[test]
fn an_incremental_table_that_nobody_remembers_is_not_built_anew_without_being_asked() {
    let Some(emulator) = Emulator::start() else { return };
    let project = laid_out();
    project.write("models/log.yaml", "models:\n  log: { materialized: incremental }\n");
    project.write("models/log.sql", LOG);
    let run = |arguments: &[&str]| Outcome::of(&mut emulator.command(&project, arguments));
    run(&["apply"]).succeeds();
    emulator.ask("DELETE", "datasets/pipewright?deleteContents=true", None);
    let refused = run(&["apply"]).ends_with(1);
    assert!(
        refused.stderr.contains("PW0501") && refused.stderr.contains("nothing is remembered"),
        "{refused}"
    );
    assert!(refused.stderr.contains("--full-refresh"), "{refused}");
    let told = run(&["plan", "--full-refresh"]).succeeds();
    assert!(told.stdout.contains("there, and nothing is remembered of it"), "{told}");
    assert!(told.stdout.contains("Plan: 0 to create, 6 to rebuild"), "{told}");
    run(&["apply", "--full-refresh"]).succeeds();
    assert_eq!(steps(run(&["plan", "--json"])), Vec::<String>::new());
}

#[test]
fn a_column_whose_type_nobody_knows_lays_out_no_table() {
    let project = super::protocol::shop_there();
    project.write("models/shop.yaml", "models:\n  by_day: { partition_by: day, cluster_by: [id] }\n");
    project.write("models/by_day.sql", "SELECT id, tools.day_of(id) AS day FROM {{ source('orders') }}\n");
    project.write("expectations/shop.yaml", "suites: {}\n");
    let there = |arguments: &[&str]| {
        let mut command = project.command(arguments);
        Outcome::of(command.args(["-t", "bigquery"]).env("BIGQUERY_PROJECT", "demo"))
    };
    let refused = there(&["compile"]).ends_with(1);
    assert!(refused.stderr.contains("the type of `day` is not known"), "{refused}");
    assert!(refused.stderr.contains("CAST(… AS DATE) AS day"), "{refused}");
    project.replace("models/by_day.sql", "tools.day_of(id)", "CAST(tools.day_of(id) AS DATE)");
    there(&["compile"]).succeeds();
}

/// A shop whose table `catalogue` somebody has labelled, and is about to be built anew.
fn labelled(emulator: &Emulator) -> Project {
    let project = laid_out();
    Outcome::of(&mut emulator.command(&project, &["apply"])).succeeds();
    let table = emulator.ask("GET", CATALOGUE, None);
    let mut all = table["labels"].clone();
    all["theirs"] = json!("kept");
    emulator.ask("PATCH", CATALOGUE, Some(&json!({ "labels": all })));
    project.replace("models/catalogue.sql", "INITCAP(colour)", "UPPER(colour)");
    project
}

const CATALOGUE: &str = "datasets/marts/tables/catalogue";

/// `apply` by way of a server that answers itself when the published table is described.
fn applied_by_way_of(emulator: &Emulator, project: &Project, status: u16, told: Value) -> Outcome {
    let between = Between::before(emulator.port(), move |request| {
        let describes = request.line.starts_with("PATCH ") && request.line.ends_with("/tables/catalogue");
        describes.then(|| (status, told.clone()))
    });
    let mut command = emulator.command(project, &["apply"]);
    Outcome::of(command.env("BIGQUERY_ENDPOINT", between.endpoint()))
}

#[test]
fn what_is_lost_all_the_same_fails_the_step() {
    let Some(emulator) = Emulator::start() else { return };
    let project = labelled(&emulator);
    let bare = json!({ "type": "TABLE", "schema": { "fields": [] }, "labels": {} });
    let refused = applied_by_way_of(&emulator, &project, 200, bare).ends_with(1);
    assert!(refused.stdout.contains("PW0710"), "{refused}");
    assert!(
        refused.stdout.contains("marts.catalogue was published, and lost the label `theirs`"),
        "{refused}"
    );
}

#[test]
fn what_a_run_that_ended_halfway_took_away_the_next_one_puts_back() {
    let Some(emulator) = Emulator::start() else { return };
    let project = labelled(&emulator);
    let no = json!({ "error": { "message": "no", "errors": [{ "reason": "accessDenied" }] } });
    applied_by_way_of(&emulator, &project, 403, no).ends_with(1);
    // It is published, and what others had set went with the table that was there.
    let halfway = emulator.ask("GET", CATALOGUE, None);
    emulator.ask("PATCH", CATALOGUE, Some(&json!({ "labels": { "team": "goods" } })));
    let next = Outcome::of(&mut emulator.command(&project, &["apply"])).succeeds();
    let table = emulator.ask("GET", CATALOGUE, None);
    assert_eq!(labels(&table), json!({ "team": "goods", "theirs": "kept" }), "{halfway}\n{table}\n{next}");
}
