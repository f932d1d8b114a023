//! Publications that end on the way, at each request and each statement: the table is there, with what governs it.
#![cfg(unix)]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};

use super::between::{Answer as Told, Between, Request, ask};
use super::emulator::Emulator;
use super::little::{Little, finish, left_aside, start};
use super::protocol::shop_there;
use super::scripted::{Answer, Scripted};
use crate::support::Outcome;

/// Where a run is held, to be killed: at which request, counted from the one that publishes a table.
#[derive(Default)]
struct Hold {
    table: &'static str,
    /// How many requests are let through; nothing where none is held.
    left: Option<usize>,
    /// Whether the request is done before it is held: then its answer alone is lost.
    is_done: bool,
    /// Whether the table is being published.
    publishes: bool,
    /// Whether one is held.
    holds: bool,
}

type Shared = Arc<Mutex<Hold>>;

fn path(table: &str) -> String {
    let dataset = if table == "shops" { "raw" } else { "marts" };
    format!("datasets/{dataset}/tables/{table}")
}

/// Whether a request copies a build over a table.
fn copies_to(request: &Request, table: &str) -> Option<String> {
    let asked: Value = serde_json::from_slice(&request.body).unwrap_or_default();
    let copy = &asked["configuration"]["copy"];
    (request.line.starts_with("POST ")
        && request.line.ends_with("/jobs")
        && copy["destinationTable"]["tableId"] == table)
        .then(|| copy["sourceTable"]["tableId"].as_str().unwrap_or_default().to_owned())
}

/// Does a copy as BigQuery does it: the table has the labels and row access policies of what is copied, and no others. The
/// emulator leaves it those that it has.
fn copy_all(request: &Request, server: u16, (from, to): (&str, &str)) -> (u16, Value) {
    let done = ask(request, server).expect("the emulator");
    let tell = |method: &str, path: &str, body: Option<Value>| {
        let line = format!("{method} /bigquery/v2/projects/demo/{path}");
        let body = body.map(|body| body.to_string().into_bytes()).unwrap_or_default();
        let length = ("content-length".to_owned(), body.len().to_string());
        let kind = ("content-type".to_owned(), "application/json".to_owned());
        ask(&Request { line, headers: vec![kind, length], body }, server).expect("the emulator").1
    };
    let (from, to) = (path(from), path(to));
    let labels = |of: &str| tell("GET", of, None)["labels"].as_object().cloned().unwrap_or_default();
    let (new, mut old) = (labels(&from), labels(&to));
    old.values_mut().for_each(|value| *value = Value::Null);
    old.extend(new);
    tell("PATCH", &to, Some(json!({ "labels": old })));
    let policies = |of: &str| -> Vec<String> {
        let listed = tell("GET", &format!("{of}/rowAccessPolicies"), None);
        let listed = listed["rowAccessPolicies"].as_array().cloned().unwrap_or_default();
        let name =
            |policy: &Value| policy["rowAccessPolicyReference"]["policyId"].as_str().map(str::to_owned);
        listed.iter().filter_map(name).collect()
    };
    let new = policies(&from);
    for gone in policies(&to).iter().filter(|policy| !new.contains(policy)) {
        tell("DELETE", &format!("{to}/rowAccessPolicies/{gone}"), None);
    }
    done
}

/// A server before the emulator that copies as BigQuery does, and holds the request that it is told to.
fn before(emulator: &Emulator, hold: &Shared) -> Between {
    let (server, hold) = (emulator.port(), Arc::clone(hold));
    Between::before(server, move |request| -> Told {
        let mut now = hold.lock().expect("nobody panicked");
        let table = if now.table.is_empty() { "totals" } else { now.table };
        let from = copies_to(request, table);
        now.publishes |= from.is_some();
        let is_last = now.publishes && now.left == Some(0);
        if now.publishes {
            now.left = now.left.and_then(|left| left.checked_sub(1));
        }
        let is_done = now.is_done;
        drop(now);
        // Whom a policy lets see rows is told at its own place, which the emulator has not.
        let grantees =
            request.line.contains("/rowAccessPolicies/") && request.line.ends_with(":getIamPolicy");
        let binding = json!({ "role": "roles/bigquery.filteredDataViewer", "members": ["allUsers"] });
        let answer = || match &from {
            Some(from) => Some(copy_all(request, server, (from, table))),
            None if grantees => Some((200, json!({ "bindings": [binding] }))),
            None => is_last.then(|| ask(request, server).expect("the emulator")),
        };
        if !is_last {
            return answer();
        }
        if is_done {
            answer();
        }
        hold.lock().expect("nobody panicked").holds = true;
        // Whoever asked is killed by then.
        while hold.lock().expect("nobody panicked").holds {
            std::thread::sleep(Duration::from_millis(10));
        }
        Some((503, json!({})))
    })
}

/// Lets somebody else set a label and a row access policy on a table.
fn govern(emulator: &Emulator, table: &str) {
    let path = path(table);
    let mut labels = emulator.ask("GET", &path, None)["labels"].clone();
    labels["theirs"] = json!("kept");
    emulator.ask("PATCH", &path, Some(&json!({ "labels": labels })));
    let policy = json!({
        "rowAccessPolicyReference": {
            "projectId": "demo", "datasetId": "marts", "tableId": table, "policyId": "all_of_it",
        },
        "filterPredicate": "TRUE",
        "grantees": ["allUsers"],
    });
    emulator.ask("POST", &format!("{path}/rowAccessPolicies"), Some(&policy));
}

#[track_caller]
fn assert_governed(emulator: &Emulator, table: &str, when: &str) {
    let path = path(table);
    let found = emulator.ask("GET", &path, None);
    assert_eq!(found["labels"]["theirs"], "kept", "{when}: {found}");
    let policies = emulator.ask("GET", &format!("{path}/rowAccessPolicies"), None);
    let policy = &policies["rowAccessPolicies"][0];
    assert_eq!(
        (&policy["filterPredicate"], &policy["grantees"]),
        (&json!("TRUE"), &json!(["allUsers"])),
        "{when}"
    );
}

/// How many requests there are from the one that publishes to the one that writes down that it is done, and some more.
const REQUESTS: usize = 10;

#[test]
fn a_run_that_is_killed_at_any_request_of_a_publication_takes_nothing_away() {
    let Some(emulator) = Emulator::start() else { return };
    let hold = Shared::default();
    let between = before(&emulator, &hold);
    let mut little = Little::new();
    little.run(&emulator, &["apply"]).succeeds();
    for table in ["totals", "log"] {
        govern(&emulator, table);
    }
    let command = |little: &Little| {
        let mut command = emulator.command(&little.project, &["apply", "--threads", "1"]);
        command.env("BIGQUERY_ENDPOINT", between.endpoint());
        command
    };
    for (table, is_done) in [("totals", false), ("totals", true), ("log", true)] {
        for at in 0..REQUESTS {
            if table == "log" {
                little.next_batch("-");
            } else {
                little.next_version();
            }
            *hold.lock().unwrap() = Hold { table, left: Some(at), is_done, ..Hold::default() };
            let mut child = start(command(&little));
            let when = format!("{table}, request {at}, done: {is_done}");
            while !hold.lock().unwrap().holds && child.try_wait().unwrap().is_none() {
                std::thread::sleep(Duration::from_millis(10));
            }
            let is_held = hold.lock().unwrap().holds;
            if is_held {
                child.kill().expect("kill -9");
            }
            *hold.lock().unwrap() = Hold { table, ..Hold::default() };
            let ended = finish(child);
            assert!(is_held && ended.code.is_none(), "{when}: {ended}");
            // What it left aside bears the marks of tables, and is no table that the manifest no longer has.
            let plan = little.run(&emulator, &["plan", "--json"]).succeeds().json();
            assert_eq!(plan["orphans"], json!([]), "{when}: {plan}");
            Outcome::of(command(&little).args(["--prune", "--yes"])).succeeds();
            little.assert_whole(&emulator, &little.expected(), &when);
            assert_eq!(left_aside(&emulator), Vec::<String>::new(), "{when}");
            for table in ["totals", "log"] {
                assert_governed(&emulator, table, &when);
            }
        }
    }
}

#[test]
fn a_script_that_ends_behind_any_statement_leaves_the_table() {
    for statements in 0..6 {
        let (server, project) = (Scripted::start(), shop_there());
        let run = |arguments: &[&str]| Outcome::of(&mut server.command(&project, arguments));
        let of_catalogue = || -> Vec<String> {
            server.tables().into_iter().filter(|name| name.contains("catalogue")).collect()
        };
        project.replace(
            "models/shop.yaml",
            "  catalogue:\n",
            "  catalogue:\n    cluster_by: [product, colour]\n",
        );
        project.write("models/hues.yaml", "models:\n  hues: { description: Colours alone. }\n");
        project.write("models/hues.sql", "SELECT colour FROM {{ ref('catalogue') }}\n");
        run(&["apply"]).succeeds();
        project.replace("models/shop.yaml", "cluster_by: [product, colour]", "cluster_by: [colour]");
        server.on(|asked| asked.sql().contains(" RENAME TO "), [Answer::Ends(statements)]);
        let ended = run(&["apply"]).ends_with(1);
        assert!(ended.stdout.contains("it ended"), "{ended}");
        let (left, when) = (of_catalogue(), format!("behind {statements} statements"));
        // Between two of them there is none of that name.
        assert_eq!(left.contains(&"marts.catalogue".to_owned()), statements != 4, "{when}: {left:?}");
        assert_eq!(
            left.contains(&"marts.catalogue__pipewright_replaced".to_owned()),
            statements >= 4,
            "{left:?}"
        );
        // It has its name as good as back: who plans hears nothing of a table that is gone, also where something reads it.
        if statements == 4 {
            let missing = "Not found: Table demo:marts.catalogue was not found in location EU";
            server.always(
                |asked| asked.is_dry_run() && asked.sql().contains("`demo.marts.catalogue`"),
                Answer::refused(404, "notFound", missing),
            );
        }
        let planned = run(&["plan", "--json"]).succeeds().json();
        if statements < 5 {
            let found = (&planned["drift"], &planned["steps"][0]["reasons"]);
            assert_eq!(found, (&json!([]), &json!(["layout_changed"])), "{when}: {planned}");
        }
        run(&["apply"]).succeeds();
        server.as_usual();
        assert_eq!(of_catalogue(), ["marts.catalogue"], "{when}");
        let planned = run(&["plan", "--json"]).succeeds().json();
        assert_eq!((&planned["steps"], &planned["drift"]), (&json!([]), &json!([])), "{when}: {planned}");
    }
}
