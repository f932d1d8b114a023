//! What a plan says that it will cost, how near that is, and what limits refuse.

use serde_json::{Value, json};

use super::protocol::{run, shop_there};
use super::scripted::{Answer, Request, Scripted};
use crate::shop::{INCREMENTS, ORDERS, add_increments};
use crate::support::{Project, snapshot_settings};

const GIB: u64 = 1 << 30;
const MIB: u64 = 1 << 20;

/// What a dry run tells of a query over so many tables.
fn told(bytes: u64, tables: usize, accuracy: &str) -> Answer {
    let query = json!({
        "totalBytesProcessed": bytes.to_string(),
        "totalBytesProcessedAccuracy": accuracy,
        "referencedTables": vec![json!({}); tables],
    });
    let statistics = json!({ "totalBytesProcessed": bytes.to_string(), "query": query });
    Answer::json(200, &json!({ "status": { "state": "DONE" }, "statistics": statistics }))
}

fn with_settings(settings: &str) -> Project {
    let project = shop_there();
    project.replace("pipeline.yaml", "    location: EU\n", &format!("    location: EU\n{settings}"));
    project
}

/// Asks what the query of `daily_sales` would read.
fn of_daily_sales(request: &Request) -> bool {
    request.is_dry_run() && request.sql().contains("AS revenue FROM")
}

/// Asks what its audit would read.
fn of_its_audit(request: &Request) -> bool {
    request.is_dry_run() && request.sql().contains("revenue > 0")
}

fn of_catalogue(request: &Request) -> bool {
    request.is_dry_run() && request.sql().contains("INITCAP")
}

fn change_models(project: &Project) {
    project.replace("models/daily_sales.sql", "SUM(amount)", "SUM(amount) + 0");
    project.replace("models/catalogue.sql", "SELECT product", "SELECT DISTINCT product");
}

fn step<'p>(plan: &'p Value, address: &str) -> &'p Value {
    let steps = plan["steps"].as_array().expect("steps");
    steps.iter().find(|step| step["address"] == address).expect("a step")
}

#[test]
fn what_is_refused_of_a_query_that_reads_another_target_is_told_at_its_place() {
    let (server, project) = (Scripted::start(), shop_there());
    let target = "targets:\n  prod:\n    type: bigquery\n    project: another-project-of-a-longer-name\n";
    project.replace("pipeline.yaml", "targets:\n", target);
    let orders = "{{ source('orders') }}";
    let sql = format!(
        "SELECT o.day, SUM(o.amount) AS revenue FROM {orders} AS o JOIN {orders} AS p ON o.id = p.id GROUP BY 1\n"
    );
    project.write("models/daily_sales.sql", &sql);
    let whole = "JOIN `another-project-of-a-longer-name.raw.orders` AS p ON ";
    let refuse = move |request: &Request| request.is_dry_run() && request.sql().contains(whole);
    let asked = format!(
        "SELECT o.day, SUM(o.amount) AS revenue FROM `another-project-of-a-longer-name.raw.orders` AS o {whole}"
    );
    let message = format!("Something is wrong with id at [1:{}]", asked.len() + 3);
    server.always(refuse, Answer::refused(400, "invalidQuery", &message));
    let refused = run(&server, &project, &["plan", "-s", "daily_sales", "--defer", "prod"]).ends_with(1);
    let place = format!("models/daily_sales.sql:1:{}", sql.find("id = p").expect("it is there") + 1);
    assert!(refused.stderr.contains("PW0509") && refused.stderr.contains(&place), "{place}: {refused}");
}

#[test]
fn a_plan_tells_bytes_and_price_by_step_and_in_total() {
    let (server, project) = (Scripted::start(), with_settings("    price_per_tib: 8\n"));
    run(&server, &project, &["apply"]).succeeds();
    change_models(&project);
    server.always(of_daily_sales, told(512 * GIB, 1, "PRECISE"));
    server.always(of_its_audit, told(3 * GIB, 1, "PRECISE"));
    server.always(of_catalogue, told(1, 2, "UPPER_BOUND"));
    let plan = run(&server, &project, &["plan", "--json"]).succeeds().json();
    let cost = |address: &str| step(&plan, address)["estimate"]["cost"].clone();
    // Its audit reads the table as it is now; what will be there is not known.
    let daily = json!({
        "bytes": 515 * GIB, "billed": 515 * GIB, "dearest": 512 * GIB, "dearest_accuracy": "exact",
        "price": 515.0 / 1024.0 * 8.0, "accuracy": "unknown"
    });
    assert_eq!(cost("model.daily_sales"), daily);
    // Ten mebibytes for each table that is read. Clustered ones tell only a bound, and there is no audit beside it.
    let least = 20 * MIB;
    assert_eq!(cost("model.catalogue")["billed"], least);
    assert_eq!(cost("model.catalogue")["accuracy"], "upper_bound");
    assert_eq!(plan["cost"]["billed"], 515 * GIB + least);
    assert_eq!(plan["cost"]["bytes"], 515 * GIB + 1);
    // Two entries for each of two tables, and five tables that every run reads.
    assert_eq!(plan["cost"]["bookkeeping"], 90 * MIB);
    assert_eq!(plan["cost"]["price_per_tib"], 8.0);
    let told = run(&server, &project, &["plan"]).succeeds().stdout;
    snapshot_settings(&project).bind(|| insta::assert_snapshot!("cost_of_a_plan", told));
    // A dry run makes no job: nothing is there to be looked up or given up. Nor is it of what somebody asked before.
    let asked = server.asked();
    let cached = |one: &Request| one.json()["configuration"]["query"]["useQueryCache"] != false;
    assert!(!asked.iter().filter(|one| one.is_dry_run()).any(cached));
    assert!(asked.iter().filter(|one| one.is_dry_run()).all(|one| one.job().is_empty()));
}

#[test]
fn what_is_not_there_yet_is_stood_in_for() {
    let (server, project) = (Scripted::start(), shop_there());
    let plan = run(&server, &project, &["plan", "--json"]).succeeds().json();
    assert_eq!(step(&plan, "model.daily_sales")["estimate"]["cost"]["accuracy"], "lower_bound");
    let asked = server.asked();
    let queries: Vec<String> = asked.iter().filter(|one| of_daily_sales(one)).map(Request::sql).collect();
    assert_eq!(
        queries,
        [
            "SELECT day, SUM(amount) AS revenue FROM (SELECT CAST(NULL AS INT64) AS `id`, CAST(NULL AS DATE) AS `day`, \
          CAST(NULL AS STRING) AS `product`, CAST(NULL AS NUMERIC) AS `amount`) AS `clean_orders` GROUP BY day"
        ]
    );
    let text = run(&server, &project, &["plan"]).succeeds().stdout;
    let told = "Cost: not known yet for queries, which read what this plan makes or changes; about ";
    assert!(text.contains(told), "{text}");

    // A published table is read as it is, also for the audit of the next build.
    run(&server, &project, &["apply"]).succeeds();
    server.asked();
    change_models(&project);
    run(&server, &project, &["plan"]).succeeds();
    let asked = server.asked();
    let audit = asked.iter().find(|one| of_its_audit(one)).expect("a dry run").sql();
    assert!(audit.contains("`demo.marts.daily_sales`") && !audit.contains("__pipewright_build"), "{audit}");
    assert!(asked.iter().any(|one| of_daily_sales(one) && one.sql().contains("`demo.marts.clean_orders`")));
}

#[test]
fn a_query_that_bigquery_refuses_is_told_of_at_its_own_line() {
    let (server, project) = (Scripted::start(), shop_there());
    project.write(
        "models/daily_sales.sql",
        "{# Days without sales are left out. #}\nSELECT day, SUM(amount) AS revenue FROM\n\
         {{ ref('clean_orders') }} AS o\nWHERE amount > 0 GROUP BY day\n",
    );
    // The stand-in's line is longer than the model's, and the name of its table is behind it.
    server.always(of_daily_sales_of_lines, Answer::refused(400, "invalidQuery", "Too much of o at [4:7]"));
    let refused = run(&server, &project, &["plan"]).ends_with(1);
    for part in ["PW0509", "models/daily_sales.sql:4:7", "Too much of o", "model.daily_sales"] {
        assert!(refused.stderr.contains(part), "{part}: {refused}");
    }
    assert!(!refused.stderr.contains("[4:7]"), "{refused}");
    let refused = run(&server, &project, &["apply"]).ends_with(1);
    assert!(refused.stderr.contains("PW0509"), "{refused}");
    assert_eq!(server.tables(), Vec::<String>::new());
}

fn of_daily_sales_of_lines(request: &Request) -> bool {
    request.is_dry_run() && request.sql().contains("AS revenue FROM\n")
}

#[test]
fn more_than_a_limit_is_refused_before_anything_runs() {
    for (settings, message) in [
        (
            "    max_bytes_per_job: 400 GiB\n",
            "a query of it would be billed for 549.8 GB, and `max_bytes_per_job` of the target is 400 GiB",
        ),
        (
            "    max_bytes_per_run: 514 GiB\n",
            "the plan would be billed for about 553.1 GB, Pipewright's own bookkeeping included, and \
             `max_bytes_per_run` of the target is 514 GiB",
        ),
    ] {
        let (server, project) = (Scripted::start(), with_settings(settings));
        run(&server, &project, &["apply"]).succeeds();
        change_models(&project);
        server.always(of_daily_sales, told(512 * GIB, 1, "PRECISE"));
        server.always(of_its_audit, told(3 * GIB, 1, "PRECISE"));
        server.asked();
        let plan = run(&server, &project, &["plan", "--out", "saved.plan"]).ends_with(1);
        assert!(plan.stdout.contains("Cost: about"), "{plan}");
        let apply = |arguments: &[&str]| run(&server, &project, arguments).ends_with(1);
        // What was refused and is saved all the same is refused again.
        for refused in [plan, apply(&["apply"]), apply(&["apply", "saved.plan"])] {
            let told = refused.stderr.replace("\n  │ ", " ");
            assert!(told.contains("PW0810") && told.contains(message), "{refused}");
        }
        let asked = server.asked();
        let ran = asked.iter().filter(|one| one.makes_job() && !one.is_dry_run());
        let written: Vec<String> = ran.map(Request::sql).filter(|sql| !sql.starts_with("SELECT")).collect();
        assert_eq!(written, Vec::<String>::new());
        // What is left is within it.
        run(&server, &project, &["apply", "--select", "catalogue"]).succeeds();
    }
}

#[test]
fn jobs_carry_what_the_target_says_of_them() {
    let (server, project) = (
        Scripted::start(),
        with_settings(
            "    labels: { team: finance }\n    priority: batch\n    job_timeout: 5m\n    max_bytes_per_job: 2 GB\n    \
             state_dataset: bookkeeping\n",
        ),
    );
    run(&server, &project, &["apply"]).succeeds();
    let asked = server.asked();
    let jobs: Vec<Value> = asked.iter().filter(|one| one.makes_job()).map(Request::json).collect();
    assert!(jobs.len() > 10);
    for job in &jobs {
        let configuration = &job["configuration"];
        assert_eq!(configuration["labels"]["team"], "finance", "{job}");
        assert_eq!(configuration["labels"]["pipewright"], "shop", "{job}");
        // What publishes is not given up on the way.
        let publishes = configuration["copy"].is_object()
            || configuration["query"]["query"]
                .as_str()
                .is_some_and(|sql| sql.starts_with("CREATE OR REPLACE VIEW `demo.marts.clean_orders` "));
        let sql = configuration["query"]["query"].as_str().unwrap_or_default();
        let own = sql.contains("`demo.bookkeeping.") || sql.contains("INFORMATION_SCHEMA");
        let timeout = if publishes || own { Value::Null } else { json!("300000") };
        assert_eq!(configuration["jobTimeoutMs"], timeout, "{job}");
        if configuration["query"].is_object() {
            // Others wait for what Pipewright looks up and writes down.
            let priority = if own { "INTERACTIVE" } else { "BATCH" };
            assert_eq!(configuration["query"]["priority"], priority, "{job}");
        }
    }
    let limits: Vec<Value> = asked
        .iter()
        .filter(|one| builds(one))
        .map(|one| one.json()["configuration"]["query"]["maximumBytesBilled"].clone())
        .collect();
    assert_eq!(limits, vec![json!("2000000000"); 3]);
    assert!(asked.iter().any(|one| one.sql().contains("demo.bookkeeping.nodes")));
    assert!(!asked.iter().any(|one| one.sql().contains("demo.pipewright.")));
}

fn builds(request: &Request) -> bool {
    request.sql().contains("__pipewright_build` AS SELECT") && !request.is_dry_run()
}

#[test]
fn what_was_billed_stands_beside_the_estimate_and_ends_a_run_that_has_cost_enough() {
    let (server, project) =
        (Scripted::start(), with_settings("    max_bytes_per_run: 30 GiB\n    threads: 1\n"));
    run(&server, &project, &["apply"]).succeeds();
    change_models(&project);
    server.always(of_daily_sales, told(2 * GIB, 1, "PRECISE"));
    server.on(builds, [Answer::Billed(7 * GIB), Answer::Billed(4 * GIB)]);
    let done = run(&server, &project, &["apply"]).succeeds();
    assert!(done.stdout.contains("billed for 11.8 GB (estimated: about 2.2 GB)"), "{done}");
    let left: Vec<String> = server
        .asked()
        .iter()
        .filter(|one| builds(one))
        .map(|one| {
            one.json()["configuration"]["query"]["maximumBytesBilled"].as_str().unwrap_or_default().to_owned()
        })
        .collect();
    let of_second_run = &left[left.len() - 2..];
    assert_eq!(of_second_run, [(30 * GIB).to_string(), (23 * GIB).to_string()]);

    project.replace("models/daily_sales.sql", "+ 0", "+ 0 + 0");
    project.replace("models/catalogue.sql", "DISTINCT", "ALL");
    server.on(builds, [Answer::Billed(31 * GIB)]);
    let refused = run(&server, &project, &["apply"]).ends_with(1);
    assert!(
        refused.stdout.contains("PW0810") && refused.stdout.contains("all that `max_bytes_per_run` allows"),
        "{refused}"
    );
}

#[test]
fn what_all_queries_are_billed_for_stands_beside_the_estimate_of_all() {
    let (server, project) = (Scripted::start(), shop_there());
    add_increments(&project);
    run(&server, &project, &["apply"]).succeeds();
    project.write("data/orders.csv", &ORDERS.replace("7.00", "8.00"));
    server.always(Request::is_dry_run, told(12 * MIB, 1, "PRECISE"));
    server.always(|one| !one.sql().is_empty() && !one.is_dry_run(), Answer::Billed(12 * MIB));
    let plan = run(&server, &project, &["plan", "--json"]).succeeds().json();
    let merges = |step: &&Value| step["action"]["do"] == "merge";
    let merged: Vec<&Value> = plan["steps"].as_array().expect("steps").iter().filter(merges).collect();
    assert_eq!(merged.len(), INCREMENTS.len(), "{plan:#}");
    server.asked();
    let done = run(&server, &project, &["apply"]).succeeds();
    let asked = server.asked();
    let ran: Vec<String> = asked.iter().filter(|one| one.makes_job()).map(Request::sql).collect();
    let ran: Vec<&String> = ran.iter().filter(|sql| !sql.is_empty()).collect();
    // Audits and the statements that bring new rows in are among them.
    assert!(ran.iter().any(|sql| sql.contains("revenue > 0") && !sql.contains("LIMIT")), "{ran:?}");
    assert!(ran.iter().any(|sql| sql.contains("MERGE ")), "{ran:?}");
    let billed = count(ran.len() as u64 * 12 * MIB);
    let queries = asked.iter().filter(|one| one.is_dry_run()).count() as u64;
    let estimated = plan["cost"]["billed"].as_u64().expect("a number");
    // New rows of a table that is parted by their day read what nobody knows before.
    assert!(estimated <= queries * 12 * MIB && estimated >= 8 * 12 * MIB, "{estimated} of {queries}");
    let all = count(estimated + plan["cost"]["bookkeeping"].as_u64().expect("a number"));
    assert!(done.stdout.contains(&format!("billed for {billed} (estimated: about {all})")), "{all}: {done}");
}

/// Bytes as they are told.
fn count(bytes: u64) -> String {
    pipewright::view::bytes(bytes)
}

#[test]
fn bookkeeping_counts_against_the_limit_of_a_run() {
    // Two entries for each of two tables, and five tables that every run reads.
    for (limit, refused) in [("89 MiB", true), ("90 MiB", false)] {
        let (server, project) = (Scripted::start(), with_settings("    max_bytes_per_run: 1 GiB\n"));
        run(&server, &project, &["apply"]).succeeds();
        project.replace("pipeline.yaml", "1 GiB", limit);
        change_models(&project);
        let plan = run(&server, &project, &["plan"]).ends_with(i32::from(refused));
        assert_eq!(plan.stderr.contains("PW0810"), refused, "{plan}");
    }
}

#[test]
fn what_a_query_may_not_read_is_told_at_each_model_with_what_to_do() {
    let (server, project) = (Scripted::start(), shop_there());
    run(&server, &project, &["apply"]).succeeds();
    project.replace("models/daily_sales.sql", " FROM {{", "\nFROM {{");
    project.replace("models/daily_sales.sql", "SUM(amount)", "SUM(amount) + 0");
    project.replace("models/catalogue.sql", "SELECT product", "SELECT DISTINCT product");
    let denied = "Access Denied: Table demo:marts.clean_orders: User does not have permission to query table \
                  demo:marts.clean_orders, or perhaps it does not exist.";
    let missing = "Not found: Dataset demo:raw was not found in location EU";
    let of_sales = |request: &Request| request.is_dry_run() && request.sql().contains("AS revenue\nFROM");
    server.always(of_sales, Answer::refused(403, "accessDenied", denied));
    server.always(of_catalogue, Answer::refused(404, "notFound", missing));
    let plan = run(&server, &project, &["plan"]).ends_with(1);
    assert_eq!(plan.stderr.matches("error[PW0509]").count(), 2, "{plan}");
    let squeezed: String =
        plan.stderr.split_whitespace().filter(|word| *word != "│").collect::<Vec<_>>().join(" ");
    let column = project.read("models/catalogue.sql").find("{{").expect("it is there") + 1;
    for part in [
        "models/daily_sales.sql:2:6",
        &format!("models/catalogue.sql:1:{column}"),
        "BigQuery Data Viewer",
        "in the `location` of the target",
        denied,
        missing,
    ] {
        assert!(squeezed.contains(part), "{part}: {plan}");
    }

    // What is about the project is told once, and of no model.
    server.as_usual();
    let message =
        "Access Denied: Project demo: User does not have bigquery.jobs.create permission in project demo.";
    server.always(Request::is_dry_run, Answer::refused(403, "accessDenied", message));
    let plan = run(&server, &project, &["plan"]).ends_with(1);
    assert_eq!(plan.stderr.matches("error[").count(), 1, "{plan}");
    assert!(plan.stderr.contains("PW0808") && !plan.stderr.contains("models/"), "{plan}");
}

/// Asks what is known of the build of the orders.
fn of_loaded_build(request: &Request) -> bool {
    request.is("GET", "/tables/orders__pipewright_build")
}

#[test]
fn sizes_are_asked_for_and_not_scanned() {
    let (server, project) = (Scripted::start(), with_settings("    threads: 1\n"));
    project.replace("pipeline.yaml", "defaults:\n", "defaults:\n  retries: { attempts: 0 }\n");
    let done = run(&server, &project, &["apply", "--json"]).succeeds();
    let step = |address: &str| crate::shop::applied(&done)[address].clone();
    assert_eq!((&step("source.orders")["rows"], &step("source.orders")["bytes"]), (&json!(3), &json!(24)));
    let asked = server.asked();
    let reads = |sql: &String| sql.starts_with("SELECT") && !sql.contains("INFORMATION_SCHEMA");
    let read: Vec<String> = asked
        .iter()
        .filter(|one| one.makes_job())
        .map(Request::sql)
        .filter(|sql| reads(sql) && !sql.contains("demo.pipewright."))
        .collect();
    // What is left are the two expectations.
    assert_eq!(read.len(), 2, "{read:?}");

    // Rows are counted on: what is not told is no pass.
    project.write("data/orders.csv", &ORDERS.replace("7.00", "8.00"));
    for (answer, code, message) in [
        (
            json!({ "type": "TABLE", "numRows": "2", "numBytes": "9" }),
            "PW0606",
            "3 rows were written, and the table has 2",
        ),
        (
            json!({ "type": "TABLE", "numBytes": "9" }),
            "PW0804",
            "BigQuery's answer has no number of the rows of the table",
        ),
    ] {
        server.as_usual();
        server.always(of_loaded_build, Answer::json(200, &answer));
        let failed = run(&server, &project, &["apply"]).ends_with(1);
        assert!(failed.stdout.contains(code) && failed.stdout.contains(message), "{message}: {failed}");
    }
}

#[test]
fn a_plan_warns_where_a_whole_table_is_read_to_bring_new_rows_in() {
    let (server, project) = (Scripted::start(), shop_there());
    add_increments(&project);
    run(&server, &project, &["apply"]).succeeds();
    project.write("data/orders.csv", &ORDERS.replace("7.00", "8.00"));
    let plan = run(&server, &project, &["plan", "--json"]).succeeds().json();
    let warned = |step: &&Value| {
        let warnings = step["warnings"].as_array().into_iter().flatten();
        warnings.filter_map(Value::as_str).any(|warning| warning.starts_with("the whole table is read"))
    };
    let steps = plan["steps"].as_array().expect("steps").iter();
    let warned: Vec<&Value> = steps.filter(warned).map(|step| &step["address"]).collect();
    assert_eq!(warned, ["model.merged"], "the others are parted by what tells their rows apart");
}
