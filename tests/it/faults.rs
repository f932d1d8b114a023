//! Faults put in on purpose: killed, interrupted, overtaken, too slow.
#![cfg(unix)]

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::json;

use crate::shop::{applied, built, by_hand, content, planned, rows, shop, text};
use crate::support::{Outcome, Project};

const DATABASE: &str = "shop.duckdb";

/// A query that no machine finishes while a test waits.
const ENDLESS: &str = "SELECT COUNT(*) AS revenue FROM UNNEST(GENERATE_ARRAY(1, 1000000)) AS a, \
    UNNEST(GENERATE_ARRAY(1, 1000000)) AS b, UNNEST(GENERATE_ARRAY(1, 1000)) AS c WHERE MOD(a * b + c, 7) = 3\n";

/// Starts the program and does not wait for it.
fn start(project: &Project, arguments: &[&str]) -> Child {
    project
        .command(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts")
}

/// How a started program ended.
fn finish(child: Child) -> Outcome {
    let output = child.wait_with_output().expect("its output");
    let text = |bytes| String::from_utf8(bytes).expect("output in UTF-8");
    Outcome { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

fn signal(child: &Child, name: &str) {
    Command::new("kill").args(["-s", name, &child.id().to_string()]).status().expect("kill");
}

/// Waits until a process says in the lock file that it holds the database.
fn wait_until_held(project: &Project, child: &Child) {
    let started = Instant::now();
    let sign = format!("\"pid\":{},", child.id());
    let lock = project.path().join("shop.duckdb.lock");
    while !fs_err::read_to_string(&lock).is_ok_and(|text| text.contains(&sign)) {
        assert!(started.elapsed() < Duration::from_secs(60), "it never took the lock");
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn copy_database(project: &Project, from: &str, to: &str) {
    for end in ["", ".wal"] {
        let (from, to) =
            (project.path().join(format!("{from}{end}")), project.path().join(format!("{to}{end}")));
        if from.exists() {
            fs_err::copy(from, to).unwrap();
        } else {
            let _ = fs_err::remove_file(to);
        }
    }
}

/// Orders of many days, so that a run takes a while.
fn many_orders(count: u32, amount: &str) -> String {
    let line = |id: u32| {
        let (month, day, product) = (id % 12 + 1, id % 28 + 1, id % 1000);
        format!("{id},2024-{month:02}-{day:02},product {product},{amount}\n")
    };
    ["id,day,product,amount\n".to_owned()].into_iter().chain((0..count).map(line)).collect()
}

#[test]
fn killed_at_any_moment_every_table_is_whole_and_the_next_run_finishes() {
    const KILLS: u32 = 25;
    let project = shop();
    project.replace("models/shop.yaml", "materialized: view", "materialized: table");
    project.write("data/orders.csv", &many_orders(40_000, "1.00"));
    project.run(&["apply"]).succeeds();
    let old = content(&project, DATABASE, "UTC");
    copy_database(&project, DATABASE, "old");

    project.write("data/orders.csv", &many_orders(45_000, "2.00"));
    project.write("data/products.csv", "product,colour\npen,green\n");
    let started = Instant::now();
    project.run(&["apply"]).succeeds();
    let whole_run = started.elapsed();
    let new = content(&project, DATABASE, "UTC");
    assert!(old.keys().eq(new.keys()) && old.iter().all(|(table, rows)| new[table] != *rows));

    let (mut killed, mut before_run, mut halfway) = (0, 0, 0);
    for round in 0..KILLS {
        copy_database(&project, "old", DATABASE);
        let mut child = start(&project, &["apply", "--json"]);
        std::thread::sleep(whole_run * (round + 1) / KILLS);
        child.kill().expect("kill -9");
        let ended = finish(child);
        killed += u32::from(ended.code.is_none());

        // Reading commands see a whole database before anybody has mended it.
        project.run(&["plan"]).succeeds();
        project.run(&["query", "SELECT COUNT(*) AS n FROM raw.orders"]).succeeds();
        let now = content(&project, DATABASE, "UTC");
        assert!(old.keys().eq(now.keys()), "round {round}: {:?}", now.keys());
        for (table, found) in &now {
            assert!(
                *found == old[table] || *found == new[table],
                "round {round}: {table} is neither old nor new"
            );
        }
        halfway += u32::from(now != old && now != new);
        let running = rows(&project, "SELECT run FROM pipewright.runs WHERE status = 'running'");
        before_run += u32::from(running == json!([]));
        if running != json!([]) {
            // Told right away, and by reading alone.
            let runs = project.run(&["runs", "--json"]).succeeds().json();
            assert_eq!([&runs[0]["run"], &runs[0]["status"]], [&running[0][0], &json!("interrupted")]);
            assert_eq!(rows(&project, "SELECT run FROM pipewright.runs WHERE status = 'running'"), running);
        }

        project.run(&["apply"]).succeeds();
        assert_eq!(content(&project, DATABASE, "UTC"), new, "round {round}");
        if running != json!([]) {
            let runs = project.run(&["runs", "--json"]).succeeds().json();
            let marked = runs.as_array().unwrap().iter().find(|run| run["run"] == running[0][0]).unwrap();
            assert_eq!(marked["status"], "interrupted", "round {round}");
        }
    }
    assert!(
        killed > 0 && before_run < KILLS,
        "{killed} killed, {before_run} before their run, {halfway} halfway"
    );
}

#[test]
fn a_second_writer_is_told_who_is_first_or_waits() {
    let project = built();
    project.write("models/daily_sales.sql", ENDLESS);
    project.write("expectations/shop.yaml", "suites: {}\n");
    let first = start(&project, &["apply"]);
    wait_until_held(&project, &first);
    for command in [&["apply"][..], &["plan"], &["runs"]] {
        let second = project.run(command).ends_with(2);
        let who = format!("`pipewright apply`, process {}", first.id());
        assert!(second.stderr.contains("PW0803") && second.stderr.contains(&who), "{second}");
    }
    let waiting = start(&project, &["plan", "--json", "--lock-timeout", "5m"]);
    std::thread::sleep(Duration::from_millis(500));
    signal(&first, "INT");
    let first = finish(first);
    assert_eq!(first.code, Some(2), "{first}");
    let waited = finish(waiting).succeeds().json();
    assert_eq!(waited["steps"][0]["address"], "model.daily_sales");
}

#[test]
fn an_interrupted_run_says_so_and_the_next_one_goes_on() {
    for name in ["INT", "TERM"] {
        let project = built();
        let before = content(&project, DATABASE, "UTC");
        project.write("models/daily_sales.sql", ENDLESS);
        project.write("data/products.csv", "product,colour\npen,green\n");
        project.write("expectations/shop.yaml", "suites: {}\n");
        let child = start(&project, &["apply", "--threads", "1", "--select", "daily_sales", "catalogue"]);
        wait_until_held(&project, &child);
        std::thread::sleep(Duration::from_millis(1500));
        signal(&child, name);
        let stopped = finish(child);
        assert_eq!(stopped.code, Some(2), "{stopped}");
        assert!(stopped.stdout.contains("stopped"), "{stopped}");
        assert_eq!(content(&project, DATABASE, "UTC")["marts.daily_sales"], before["marts.daily_sales"]);
        let status = "SELECT status FROM pipewright.runs ORDER BY started_at DESC, run DESC LIMIT 1";
        assert_eq!(rows(&project, status), json!([["interrupted"]]));

        project
            .write("models/daily_sales.sql", "SELECT COUNT(*) AS revenue FROM {{ ref('clean_orders') }}\n");
        project.run(&["apply"]).succeeds();
        assert_eq!(rows(&project, "SELECT revenue FROM marts.daily_sales"), json!([["3"]]));
        assert_eq!(planned(&project, &[]), Vec::<String>::new());
    }
}

#[test]
fn a_step_that_takes_too_long_is_stopped_and_the_old_table_stays() {
    let project = built();
    let before = content(&project, DATABASE, "UTC");
    project.write("models/daily_sales.sql", ENDLESS);
    project.write("expectations/shop.yaml", "suites: {}\n");
    for limit in ["1ms", "300ms"] {
        project.write(
            "models/shop.yaml",
            &format!(
                "models:\n  clean_orders: {{ description: Orders with clean names., materialized: view, tags: [sales] }}\n\
                 \x20 daily_sales: {{ description: Days., timeout: {limit} }}\n  catalogue: {{ description: Products as they are shown. }}\n"
            ),
        );
        let late = applied(&project.run(&["apply", "--json", "--select", "daily_sales"]).ends_with(1));
        let fault = &late["model.daily_sales"]["fault"];
        assert_eq!(fault["code"], "PW0705", "{fault:#}");
        assert!(text(&fault["message"]).contains(limit), "{fault:#}");
        assert_eq!(content(&project, DATABASE, "UTC")["marts.daily_sales"], before["marts.daily_sales"]);
    }
}

#[test]
fn a_load_can_be_stopped_too() {
    let project = shop();
    project.replace("pipeline.yaml", "defaults:\n", "defaults:\n  step_timeout: 1ms\n");
    project.write("data/orders.csv", &many_orders(100_000, "1.00"));
    let late = applied(&project.run(&["apply", "--json", "--select", "orders"]).ends_with(1));
    assert_eq!(late["source.orders"]["fault"]["code"], "PW0705", "{}", late["source.orders"]);
    assert_eq!(content(&project, DATABASE, "UTC").len(), 0);
}

#[test]
fn files_that_are_no_database_or_newer_ones_are_refused() {
    let project = shop();
    project.write(DATABASE, "this is no database");
    for command in ["plan", "apply"] {
        let outcome = project.run(&[command]).ends_with(2);
        assert!(outcome.stderr.contains("PW0804") && outcome.stderr.contains(DATABASE), "{outcome}");
    }
    assert_eq!(project.read(DATABASE), "this is no database");

    let project = built();
    by_hand(&project, "UPDATE pipewright.meta SET value = '99' WHERE key = 'format'");
    for command in ["plan", "apply"] {
        let outcome = project.run(&[command]).ends_with(1);
        assert!(outcome.stderr.contains("PW0505"), "{outcome}");
    }
}

#[test]
fn an_interrupted_check_ends_at_once_and_leaves_nothing() {
    let project = built();
    let before = content(&project, DATABASE, "UTC");
    project.write(
        "expectations/shop.yaml",
        &format!(
            "suites:\n  orders:\n    expectations:\n      - {{ expect: query, sql: {:?} }}\n\
             \x20 daily_sales:\n    expectations:\n      - {{ expect: row_count, min: 1 }}\n",
            ENDLESS.trim()
        ),
    );
    project.replace(
        "pipeline.yaml",
        "default_target: local\n",
        "default_target: local\ncheckpoints: { all: { actions: [{ do: keep }] } }\n",
    );
    let child = start(&project, &["check", "all", "--threads", "2"]);
    wait_until_held(&project, &child);
    std::thread::sleep(Duration::from_millis(1500));
    let told = Instant::now();
    signal(&child, "TERM");
    let stopped = finish(child);
    assert_eq!(stopped.code, Some(2), "{stopped}");
    assert!(told.elapsed() < Duration::from_secs(30) && stopped.stdout.is_empty(), "{stopped}");
    assert!(stopped.stderr.contains("error[PW0706]: the check was stopped"), "{stopped}");
    assert_eq!(content(&project, DATABASE, "UTC"), before);
    project.replace(
        "expectations/shop.yaml",
        &format!("sql: {:?}", ENDLESS.trim()),
        "sql: SELECT * FROM this WHERE id < 0",
    );
    project.run(&["check", "all"]).succeeds();
}

#[test]
fn an_interrupted_query_ends_at_once_and_says_so() {
    let project = built();
    let script = format!("CREATE TABLE raw.made AS SELECT 1 AS n; {}", ENDLESS.trim());
    let there = start(&project, &["query", &script]);
    wait_until_held(&project, &there);
    let in_memory = start(&project, &["query", "--ephemeral", ENDLESS]);
    std::thread::sleep(Duration::from_millis(2500));
    for (child, name) in [(there, "INT"), (in_memory, "TERM")] {
        let told = Instant::now();
        signal(&child, name);
        let stopped = finish(child);
        assert_eq!(stopped.code, Some(2), "{stopped}");
        assert!(told.elapsed() < Duration::from_secs(30) && stopped.stdout.is_empty(), "{stopped}");
        assert!(stopped.stderr.contains("error[PW0706]: the query was stopped"), "{stopped}");
    }
    project.run(&["plan"]).succeeds();
}
