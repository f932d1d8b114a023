//! Who may write: one at a time, and what becomes of a run that is told to stop.
#![cfg(unix)]

use std::process::{Child, Command};
use std::time::{Duration, Instant};

use serde_json::json;

use super::emulator::Emulator;
use super::little::{BATCH, Little, finish, left_aside, query, start};
use super::proxy::Proxy;
use crate::support::Outcome;

/// The loser of a race is told who is first, or that what it planned is stale.
#[track_caller]
fn lost(outcome: &Outcome) -> bool {
    match outcome.code {
        Some(0) => false,
        Some(1 | 2) if ["PW0803", "PW0502"].iter().any(|code| outcome.stderr.contains(code)) => true,
        _ => panic!("neither done nor told why: {outcome}"),
    }
}

#[test]
fn of_two_that_apply_at_once_one_is_first() {
    let Some(emulator) = Emulator::start() else { return };
    let mut little = Little::new();
    let mut told = 0;
    for round in 0..6 {
        if round > 0 {
            little.next_batch("-");
        }
        if round % 3 == 2 {
            // What is left of a dead one is there for both to take.
            let mut dead = little.start(&emulator, &["apply"]);
            std::thread::sleep(Duration::from_millis(400));
            dead.kill().expect("kill -9");
            finish(dead);
        }
        let waits: &[&str] = if round % 2 == 0 { &["apply"] } else { &["apply", "--lock-timeout", "5m"] };
        let both = [(); 2].map(|()| little.start(&emulator, waits));
        let [one, other] = both.map(finish);
        let (one_lost, other_lost) = (lost(&one), lost(&other));
        assert!(!(one_lost && other_lost), "round {round}: {one}\n{other}");
        told += u32::from(one_lost || other_lost);
        little.assert_whole(&emulator, &little.expected(), &format!("round {round}: {one}\n{other}"));
        assert_eq!(left_aside(&emulator), Vec::<String>::new(), "round {round}");
    }
    println!("{told} were told");
    assert!(told > 0, "nobody was ever told that another was first");
}

/// Waits until a proxy has seen what it waits for.
fn wait_for(proxy: &Proxy) {
    let started = Instant::now();
    while !proxy.has_struck() {
        assert!(started.elapsed() < Duration::from_secs(120), "the request never came");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn started(proxy: &Proxy, emulator: &Emulator, little: &Little) -> Child {
    start(proxy.command(emulator, &little.project, &["apply", "--threads", "1"]))
}

#[test]
fn an_interrupted_run_cancels_its_job_says_so_and_the_next_one_goes_on() {
    let Some(emulator) = Emulator::start() else { return };
    let mut little = Little::new();
    little.expected();
    little.run(&emulator, &["apply"]).succeeds();
    // In the middle of a build, and in the middle of a publication, which may be done all the same.
    for (name, request) in [
        ("INT", "CREATE OR REPLACE TABLE `demo.marts.totals__pipewright_build`"),
        ("TERM", "\"tableId\":\"log__pipewright_next\"},\"destination"),
    ] {
        little.next_batch("-");
        let proxy = Proxy::of(&emulator, 17);
        proxy.hold_answer_of(request);
        let child = started(&proxy, &emulator, &little);
        wait_for(&proxy);
        std::thread::sleep(Duration::from_millis(300));
        Command::new("kill").args(["-s", name, &child.id().to_string()]).status().expect("kill");
        let stopped = finish(child);
        assert_eq!(stopped.code, Some(2), "{stopped}");
        assert!(stopped.stdout.contains("stopped") && proxy.cancels() > 0, "{stopped}");
        let runs = little.run(&emulator, &["runs", "--json"]).succeeds().json();
        assert_eq!(runs[0]["status"], "interrupted", "{stopped}");
        little.run(&emulator, &["apply"]).succeeds();
        little.assert_whole(&emulator, &little.expected(), name);
        assert_eq!(left_aside(&emulator), Vec::<String>::new(), "{name}");
    }
    let rows = query(&emulator, "SELECT COUNT(*) FROM marts.log").expect("rows");
    assert_eq!(json!(rows), json!([[(3 * BATCH).to_string()]]));
}
