//! Carries out a plan: that very list, in parallel as far as its steps allow.
//!
//! ```text
//! Plan --schedule--> worker: begin, build aside, audit, publish, remember, commit --> StepReport
//!                      \-- events while it goes                                     \-> RunReport
//! ```

mod audit;
mod cancel;
mod merge;
mod schedule;
mod step;

use std::path::Path;
use std::sync::Mutex;
use std::time::Instant;

use crate::clock::{Clock, before, rfc3339};
use crate::plan::{Plan, Step};
use crate::warehouse::{RunHeader, Warehouse, WarehouseError};

pub use crate::report::{CheckReport, Event, Fault, RunReport, Status, StepReport};
pub use audit::{Auditing, Origin, check_published};
pub use cancel::Cancel;

/// Finds the place of a line and a column of a step's query.
pub type Placing<'a> = &'a (dyn Fn(&Step, (u64, u64)) -> Option<String> + Sync);

/// What a run needs beside its plan.
pub struct Running<'a> {
    /// Where it runs.
    pub warehouse: &'a dyn Warehouse,
    /// The project's folder: files of sources are relative to it.
    pub root: &'a Path,
    /// The most steps at a time.
    pub threads: usize,
    /// The command, for the record.
    pub command: &'a str,
    /// Who runs it, for the record.
    pub by: &'a str,
    /// The time of day.
    pub clock: &'a dyn Clock,
    /// The way to stop it.
    pub cancel: &'a Cancel,
    /// How long runs are remembered; for ever unless given.
    pub keep_history: Option<std::time::Duration>,
    /// Whether tables may be published that have lost more rows than they may.
    pub allow_shrink: bool,
    /// Where a line and column of the query of a step stand in the user's file: `models/orders.sql:3:14`.
    pub place: Placing<'a>,
    /// Who is told what happens. Called from several threads, one call at a time.
    pub listener: &'a (dyn Fn(&Event<'_>) + Sync),
}

/// A run that has ended.
pub struct Ended {
    /// What became of it.
    pub report: RunReport,
    /// Why its end could not be written down, if it could not.
    pub unrecorded: Option<WarehouseError>,
}

/// Carries out a plan.
///
/// # Errors
/// When its begin cannot be written down; faults of steps are in the report.
pub fn apply(plan: &Plan, running: &Running<'_>) -> Result<Ended, WarehouseError> {
    let started = Instant::now();
    let now = running.clock.now();
    let started_at = rfc3339(now);
    let run = run_id(&format!("{:?} {}", plan.lineage, plan.serial), now);
    let header = RunHeader {
        id: run.clone(),
        command: running.command.to_owned(),
        started_at: started_at.clone(),
        pipeline: plan.pipeline.clone(),
        by: running.by.to_owned(),
    };
    let datasets: Vec<String> = plan.datasets.iter().cloned().collect();
    running.warehouse.begin_run(&header, &datasets, &plan.dataset_changes)?;
    let telling = Mutex::new(());
    let tell = |event: &Event<'_>| {
        let _one_at_a_time = telling.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        (running.listener)(event);
    };
    tell(&Event::RunStarted { run: &run, steps: plan.steps.len() });
    let context = step::Context {
        plan,
        running,
        run: &run,
        started_at: &started_at,
        now: now.timestamp(),
        tell: &tell,
    };
    let steps = schedule::run(&context);
    let status = if steps.iter().any(|step| step.status == Status::Failed) {
        Status::Failed
    } else if running.cancel.is_cancelled() && steps.iter().any(|step| step.status == Status::Interrupted) {
        Status::Interrupted
    } else {
        Status::Done
    };
    let mut report = RunReport {
        run: run.clone(),
        pipeline: plan.pipeline.clone(),
        target: plan.target.clone(),
        started_at,
        finished_at: rfc3339(running.clock.now()),
        milliseconds: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
        status,
        estimate: plan.cost,
        billed: None,
        steps,
    };
    let forget_before = running.keep_history.and_then(|kept| before(now, kept));
    let unrecorded = running.warehouse.finish_run(&report, forget_before.as_deref()).err();
    let unrecorded = unrecorded.map(|error| told_once(error, &report));
    // What remembering all of this was billed for is in it.
    report.billed = running.warehouse.billed();
    tell(&Event::RunFinished { report: &report });
    Ok(Ended { report, unrecorded })
}

/// `20181017T173018Z-1a2b3c4d`: sorts by time, and differs between runs of the same second.
pub fn run_id(seed: &str, now: chrono::DateTime<chrono::Utc>) -> String {
    let seed = format!("{seed} {} {}", rfc3339(now), std::process::id());
    let hash = blake3::hash(seed.as_bytes()).to_hex();
    format!("{}-{}", now.format("%Y%m%dT%H%M%SZ"), &hash[..8])
}

/// What the run's own record met, without the words that a step has met before.
fn told_once(mut error: WarehouseError, report: &RunReport) -> WarehouseError {
    let faults = report.steps.iter().filter_map(|step| step.fault.as_ref());
    for fault in faults.filter(|fault| !fault.message.is_empty()) {
        let Some(start) = error.diagnostic.message.strip_suffix(&format!(": {}", fault.message)) else {
            continue;
        };
        error.diagnostic.message = format!("{start}, for the same reason");
        error.diagnostic.help = None;
        break;
    }
    error
}
