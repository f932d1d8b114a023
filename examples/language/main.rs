//! What the language costs, measured: reading and translating a model of a hundred lines, and putting the runtime
//! library into a new database. Prints one JSON object, for `scripts/bench`.

#![allow(clippy::print_stdout, reason = "a program that reports")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use duckdb::Connection;
use pipewright::googlesql::duckdb::{DatasetNames, translate_query};
use pipewright::googlesql::parse;
use pipewright::warehouse::duckdb::runtime;

/// As in the program itself.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const MODEL: &str = include_str!("model.sql");
const REPETITIONS: usize = 1000;
const INSTALLATIONS: usize = 20;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let query = parse::query(MODEL).map_err(|fault| fault.message)?;
    translate_query(&query, &DatasetNames).map_err(|faults| format!("{faults:?}"))?;
    let parsing = sorted(REPETITIONS, || timed(|| parse::query(black_box(MODEL)).is_ok()));
    let translating =
        sorted(REPETITIONS, || timed(|| translate_query(black_box(&query), &DatasetNames).is_ok()));
    // The first one makes the prepared file, if it is not there yet.
    runtime::install(&Connection::open_in_memory()?)?;
    let mut installing = Vec::new();
    for _ in 0..INSTALLATIONS {
        let connection = Connection::open_in_memory()?;
        let started = Instant::now();
        runtime::install(&connection)?;
        installing.push(started.elapsed());
    }
    installing.sort();
    let report = serde_json::json!({
        "lines": MODEL.lines().count(),
        "parse": spread(&parsing),
        "translate": spread(&translating),
        "install": spread(&installing),
    });
    println!("{report}");
    Ok(())
}

fn timed<T>(work: impl FnOnce() -> T) -> Duration {
    let started = Instant::now();
    black_box(work());
    started.elapsed()
}

fn sorted(repetitions: usize, mut once: impl FnMut() -> Duration) -> Vec<Duration> {
    let mut times: Vec<Duration> = (0..repetitions).map(|_| once()).collect();
    times.sort();
    times
}

/// Seconds: the median, and the tenth and the ninetieth in a hundred.
fn spread(sorted: &[Duration]) -> [f64; 3] {
    [50, 10, 90].map(|percent| sorted.get(sorted.len() * percent / 100).map_or(0.0, Duration::as_secs_f64))
}
