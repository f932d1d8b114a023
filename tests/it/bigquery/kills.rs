//! Runs that are killed: nothing is lost, doubled or left half.
//!
//! `PIPEWRIGHT_KILL_ROUNDS=500 cargo test --release --test it -- kills` goes on for longer.
#![cfg(unix)]

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use super::emulator::Emulator;
use super::little::{BATCH, Little, finish, left_aside, query};

/// How often a run is killed in the tests.
const ROUNDS: u32 = 50;

#[test]
fn killed_at_any_moment_nothing_is_lost_or_doubled() {
    let Some(emulator) = Emulator::start() else { return };
    let rounds = std::env::var("PIPEWRIGHT_KILL_ROUNDS").ok().and_then(|rounds| rounds.parse().ok());
    let rounds: u32 = rounds.unwrap_or(ROUNDS);
    let mut random = ChaCha8Rng::seed_from_u64(u64::from(rounds));
    let mut little = Little::new();
    little.expected();
    little.run(&emulator, &["apply"]).succeeds();

    little.next_batch("-");
    little.next_version();
    let started = Instant::now();
    little.run(&emulator, &["apply"]).succeeds();
    let whole_run = started.elapsed();
    little.assert_whole(&emulator, &little.expected(), "before any kill");
    assert_eq!(left_aside(&emulator), Vec::<String>::new());

    let (done, mut tally) = (AtomicBool::new(false), Tally::default());
    let read = std::thread::scope(|scope| {
        let _end = End(&done);
        let reader = scope.spawn(|| read_until(&emulator, &done));
        let mut round = 0;
        // Until so many were killed: a run that was quicker does not count.
        while tally.killed < rounds {
            // Every other time the run that would have mended is killed as well.
            if round % 2 == 0 {
                little.next_batch("-");
                if round % 6 == 0 {
                    little.next_version();
                }
                if round % 8 == 0 {
                    let city = format!("shop,city\nnorth,Recife {round}\nsouth,Porto Alegre\nwest,Cuiaba\n");
                    little.project.write("data/shops.csv", &city);
                }
            }
            let mut child = little.start(&emulator, &["apply"]);
            std::thread::sleep(whole_run.mul_f64(random.random_range(0.0..1.1)));
            child.kill().expect("kill -9");
            let ended = finish(child);
            tally.killed += u32::from(ended.code.is_none());
            tally.halfway += u32::from(ended.code.is_none() && ended.stderr.contains("  ok "));
            round += 1;
            assert!(round < 3 * rounds, "runs are quicker than they are killed: {tally:?}");
            if round % 2 == 1 && tally.killed < rounds {
                continue;
            }
            let mended = little.run(&emulator, &["apply"]).succeeds();
            let idle = mended.stdout.contains("Nothing to do");
            tally.mended += u32::from(!idle);
            let when = format!("round {round}");
            little.assert_whole(&emulator, &little.expected(), &when);
            // Also by a run that has nothing else to do.
            assert_eq!(left_aside(&emulator), Vec::<String>::new(), "{when}");
        }
        done.store(true, Ordering::SeqCst);
        reader.join().expect("the reader saw whole tables at all times")
    });
    little.next_batch("-");
    little.run(&emulator, &["apply"]).succeeds();
    little.assert_whole(&emulator, &little.expected(), "at the end");
    assert_eq!(left_aside(&emulator), Vec::<String>::new());
    println!("{tally:?}, {read} looks, one run takes {whole_run:?}");
    assert!(
        tally.killed >= rounds && tally.mended > rounds / 4 && read > u64::from(rounds),
        "{tally:?}, {read}"
    );
}

/// What the kills hit.
#[derive(Debug, Default)]
struct Tally {
    killed: u32,
    /// With steps done and others not.
    halfway: u32,
    /// That left something to do.
    mended: u32,
}

/// Tells the reader to end, also when the test fails.
struct End<'a>(&'a AtomicBool);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// Looks at the published tables until it is told to end: each is there and of one moment. Gives how often it looked.
fn read_until(emulator: &Emulator, done: &AtomicBool) -> u64 {
    let mut looks = 0;
    let number = |cell: &String| cell.parse::<u64>().unwrap_or_else(|_| panic!("no number: {cell}"));
    while !done.load(Ordering::SeqCst) {
        for (table, sql) in [
            ("orders", "SELECT MAX(batch), COUNT(*), 1 FROM raw.orders"),
            ("clean_orders", "SELECT MAX(batch), COUNT(*), 1 FROM marts.clean_orders"),
            ("log", "SELECT MAX(batch), COUNT(*), 1 FROM marts.log"),
            ("totals", "SELECT MAX(batch), SUM(orders), COUNT(DISTINCT version) FROM marts.totals"),
            ("cities", "SELECT MAX(batch), SUM(orders), 1 FROM marts.cities"),
        ] {
            let found = query(emulator, sql).unwrap_or_else(|error| panic!("{table}: {error}"));
            let row: Vec<u64> = found[0].iter().map(number).collect();
            assert!(
                row[0] > 0 && row[1] == row[0] * BATCH && row[2] == 1,
                "{table} is of several moments: {found:?}"
            );
            looks += 1;
            std::thread::sleep(Duration::from_millis(40));
        }
    }
    looks
}
