//! Which step runs when: as soon as all that it waits for is done, the largest first, so many at a time.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Condvar, Mutex, PoisonError};

use super::step::{Context, run_step};
use super::{Event, Status, StepReport};
use crate::plan::{Action, Step};
use crate::project::Address;

/// Where the work stands.
struct Board {
    /// Steps that have not started, with the steps that they still wait for.
    waiting: BTreeMap<usize, BTreeSet<Address>>,
    running: usize,
    reports: BTreeMap<usize, StepReport>,
}

/// Runs all steps and reports each, in the plan's order.
pub(super) fn run(context: &Context<'_>) -> Vec<StepReport> {
    let steps = &context.plan.steps;
    let board = Mutex::new(Board {
        waiting: steps.iter().enumerate().map(|(index, step)| (index, step.waits_for.clone())).collect(),
        running: 0,
        reports: BTreeMap::new(),
    });
    let changed = Condvar::new();
    let workers = context.running.threads.clamp(1, steps.len().max(1));
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| worker(context, &board, &changed));
        }
    });
    let board = board.into_inner().unwrap_or_else(PoisonError::into_inner);
    board.reports.into_values().collect()
}

fn worker(context: &Context<'_>, board: &Mutex<Board>, changed: &Condvar) {
    let mut session = None;
    while let Some(index) = next(context, board, changed) {
        let report = run_step(context, &context.plan.steps[index], &mut session);
        (context.tell)(&Event::StepFinished { step: &report });
        finish(context, board, index, report);
        changed.notify_all();
    }
    changed.notify_all();
}

/// The next step to run; nothing when none is left.
fn next(context: &Context<'_>, board: &Mutex<Board>, changed: &Condvar) -> Option<usize> {
    let mut now = board.lock().unwrap_or_else(PoisonError::into_inner);
    loop {
        if context.running.cancel.is_cancelled() {
            let waiting = std::mem::take(&mut now.waiting);
            for index in waiting.into_keys() {
                let report = StepReport::not_run(&context.plan.steps[index], Status::Interrupted, Vec::new());
                now.reports.insert(index, report);
            }
        }
        let ready = now.waiting.iter().filter(|(_, waits)| waits.is_empty()).map(|(index, _)| *index);
        // The largest first, so that it does not run alone at the end; the plan's order among equals.
        let chosen = ready.max_by_key(|index| {
            let bytes = context.plan.steps[*index].estimate.bytes.unwrap_or(0);
            (bytes, std::cmp::Reverse(*index))
        });
        match chosen {
            Some(index) => {
                now.waiting.remove(&index);
                now.running += 1;
                return Some(index);
            }
            None if now.waiting.is_empty() => return None,
            // Nothing runs and nothing can start: what is left waits for something that will not come.
            None if now.running == 0 => {
                for (index, waits) in std::mem::take(&mut now.waiting) {
                    let causes = waits.into_iter().collect();
                    let report = StepReport::not_run(&context.plan.steps[index], Status::HeldBack, causes);
                    now.reports.insert(index, report);
                }
                return None;
            }
            None => now = changed.wait(now).unwrap_or_else(PoisonError::into_inner),
        }
    }
}

fn finish(context: &Context<'_>, board: &Mutex<Board>, index: usize, report: StepReport) {
    let steps = &context.plan.steps;
    let mut now = board.lock().unwrap_or_else(PoisonError::into_inner);
    now.running -= 1;
    let done = report.status == Status::Done;
    let address = steps[index].address.clone();
    now.reports.insert(index, report);
    if done {
        for waits in now.waiting.values_mut() {
            waits.remove(&address);
        }
        return;
    }
    // What depends on a step that failed is held back, with all that depends on it in turn.
    let mut held: Vec<Address> = vec![address];
    while let Some(cause) = held.pop() {
        let dependents: Vec<usize> =
            now.waiting.iter().filter(|(_, waits)| waits.contains(&cause)).map(|(index, _)| *index).collect();
        for index in dependents {
            now.waiting.remove(&index);
            let report = StepReport::not_run(&steps[index], Status::HeldBack, vec![cause.clone()]);
            (context.tell)(&Event::StepFinished { step: &report });
            now.reports.insert(index, report);
            held.push(steps[index].address.clone());
        }
    }
}

impl StepReport {
    /// The report of a step that did not run.
    pub(super) fn not_run(step: &Step, status: Status, held_back_by: Vec<Address>) -> Self {
        Self {
            address: step.address.clone(),
            relation: step.relation.clone(),
            action: step.action.name().to_owned(),
            status,
            rows: None,
            bytes: None,
            new_rows: None,
            rejected: 0,
            files: Vec::new(),
            milliseconds: 0,
            tries: 0,
            checks: Vec::new(),
            fault: None,
            kept: None,
            held_back_by,
        }
    }
}

impl Action {
    /// `load`, `build`, `append`, `merge`, `overwrite`, `check`, `describe` or `drop`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Load(_) => "load",
            Self::Build(_) => "build",
            Self::Merge(merge) => merge.strategy.verb(),
            Self::Check { .. } => "check",
            Self::Describe { .. } => "describe",
            Self::Drop { .. } => "drop",
        }
    }
}
