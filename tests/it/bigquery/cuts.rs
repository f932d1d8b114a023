//! Connections that break: each run succeeds with the right rows, or says that it did not.
//!
//! `PIPEWRIGHT_CUT_ROUNDS=500 cargo test --release --test it -- cuts` goes on for longer.
//!
//! The emulator gives load jobs names of its own, so that one whose last answer is lost cannot be looked up as on
//! BigQuery: such a load is done anew, and a run whose record is lost so says that it is.

use std::fmt::Write as _;
use std::sync::atomic::Ordering;
use std::time::Duration;

use serde_json::json;

use super::emulator::Emulator;
use super::little::{BATCH, Little, left_aside, query};
use super::proxy::{Proxy, Weather};
use crate::support::{Outcome, Project};

/// How many runs go over a network that fails.
const ROUNDS: u32 = 50;

#[test]
fn over_a_network_that_fails_nothing_is_lost_or_doubled() {
    let Some(emulator) = Emulator::start() else { return };
    let proxy = Proxy::of(&emulator, 7);
    let mut little = Little::new();
    little.expected();
    little.run(&emulator, &["apply"]).succeeds();
    proxy.weather(Weather { cut: 0.03, cut_uploads: 0.3, refuse: 0.03, delay: 0.01 });
    let rounds = std::env::var("PIPEWRIGHT_CUT_ROUNDS").ok().and_then(|rounds| rounds.parse().ok());
    let rounds: u32 = rounds.unwrap_or(ROUNDS);
    let mut failed = Vec::new();
    for round in 0..rounds {
        little.next_batch(&"note ".repeat(20));
        if round % 5 == 0 {
            little.next_version();
        }
        let when = format!("round {round}");
        let ended = Outcome::of(&mut proxy.command(&emulator, &little.project, &["apply"]));
        if ended.code != Some(0) {
            assert!(
                matches!(ended.code, Some(1 | 2)) && ended.to_string().contains("PW0"),
                "{when}: {ended}"
            );
            failed.push(format!("{when}: {ended}"));
            no_table_is_half(&emulator, &failed[failed.len() - 1]);
            little.run(&emulator, &["apply"]).succeeds();
        }
        let expected = little.expected();
        if ended.code == Some(0) && round % 5 != 0 {
            let newest = no_table_is_half(&emulator, &when);
            assert_eq!(newest, [little.batches; 3], "{when}: {ended}");
        } else {
            little.assert_whole(&emulator, &expected, &when);
        }
    }
    proxy.weather(Weather::default());
    little.next_batch("-");
    little.run(&emulator, &["apply"]).succeeds();
    little.assert_whole(&emulator, &little.expected(), "at the end");
    assert_eq!(left_aside(&emulator), Vec::<String>::new());
    let struck = proxy.struck();
    println!("{struck:?}; {} runs failed", failed.len());
    assert!(struck.cuts() > rounds && 2 * struck.uploads_cut.load(Ordering::SeqCst) >= rounds, "{struck:?}");
    assert!(failed.len() < rounds as usize, "no cut is got over");
}

/// Looks that what is published is of one moment; gives the newest batch of each table.
#[track_caller]
fn no_table_is_half(emulator: &Emulator, when: &str) -> [u64; 3] {
    [
        "MAX(batch), COUNT(*) FROM raw.orders",
        "MAX(batch), COUNT(*) FROM marts.log",
        "MAX(batch), SUM(orders) FROM marts.totals",
    ]
    .map(|sql| {
        let found = query(emulator, &format!("SELECT {sql}")).expect("a table");
        let newest: u64 = found[0][0].parse().expect("a number");
        assert_eq!(found[0][1], (newest * BATCH).to_string(), "{sql} {when}");
        newest
    })
}

#[test]
fn a_large_upload_goes_on_where_it_was_cut() {
    let Some(emulator) = Emulator::start() else { return };
    let proxy = Proxy::of(&emulator, 11);
    let project = Project::of(&[
        (
            "pipeline.yaml",
            "name: large\ntargets:\n  local: { type: duckdb, path: large.duckdb }\n\
             \x20 bigquery: { type: bigquery, project: demo, endpoint: \"${BIGQUERY_ENDPOINT:-}\" }\n\
             default_target: local\ndatasets:\n  raw: { description: As it came. }\ndefaults:\n  sources: { dataset: raw }\n\
             \x20 retries: { attempts: 3, wait: 100ms, max_wait: 1s }\n",
        ),
        (
            "sources/large.yaml",
            "sources:\n  letters:\n    description: Long ones.\n    files: data/letters*.csv\n    columns:\n\
             \x20     id: { type: INT64 }\n      round: { type: INT64 }\n      text: { type: STRING }\n",
        ),
    ]);
    let sums = "SELECT COUNT(*) AS n, COUNT(DISTINCT id) AS ids, SUM(id) AS sum, MIN(round) AS first, MAX(round) AS last, \
        SUM(LENGTH(text)) AS size FROM raw.letters";
    proxy.weather(Weather { cut_uploads: 0.6, ..Weather::default() });
    for round in 0..3 {
        // Of several files several are sent at a time.
        for part in 0..3 {
            let mut letters = "id,round,text\n".to_owned();
            for id in (0..20_000).filter(|id| id % 3 == part) {
                writeln!(letters, "{id},{round},{}", format!("{id} and so on ").repeat(50 + id % 11))
                    .unwrap();
            }
            project.write(&format!("data/letters {part}.csv"), &letters);
        }
        project.run(&["apply"]).succeeds();
        let local = project.run(&["query", "--format", "jsonl", sums]).succeeds().stdout;
        let mut tries = 0;
        loop {
            let ended = Outcome::of(&mut proxy.command(&emulator, &project, &["apply"]));
            if ended.code == Some(0) {
                break;
            }
            tries += 1;
            assert!(tries < 5 && ended.to_string().contains("PW0"), "{ended}");
        }
        let remote = Outcome::of(&mut emulator.command(&project, &["query", "--format", "jsonl", sums]));
        assert_eq!(remote.succeeds().stdout, local, "round {round}");
    }
    println!("{:?}", proxy.struck());
    assert!(proxy.struck().uploads_cut.load(Ordering::SeqCst) > 5);
}

#[test]
fn a_publication_whose_answer_was_lost_is_not_done_again() {
    let Some(emulator) = Emulator::start() else { return };
    let proxy = Proxy::of(&emulator, 13);
    let mut little = Little::new();
    // A step that fails waits for longer than the network is down.
    little.project.replace("pipeline.yaml", "wait: 100ms, max_wait: 1s", "wait: 15s, max_wait: 15s");
    little.expected();
    little.run(&emulator, &["apply"]).succeeds();
    little.next_batch("-");
    proxy.go_down_after("\"tableId\":\"log__pipewright_next\"},\"destination", Duration::from_secs(10));
    let ended = Outcome::of(&mut proxy.command(&emulator, &little.project, &["apply", "--threads", "1"]));
    assert!(proxy.has_struck(), "{ended}");
    // Another try would take the rows in once more.
    assert!(ended.code == Some(1) && ended.stdout.contains("it may have been published"), "{ended}");
    let published = query(&emulator, "SELECT COUNT(*), COUNT(DISTINCT id) FROM marts.log").expect("rows");
    assert_eq!(json!(published), json!([[(2 * BATCH).to_string(), (2 * BATCH).to_string()]]), "{ended}");
    little.run(&emulator, &["apply"]).succeeds();
    little.assert_whole(&emulator, &little.expected(), "after the network has come back");
}
