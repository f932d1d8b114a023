//! Which step runs when: as soon as all that it waits for is done, the largest first, so many at a time. What goes is dropped
//! when all stands that comes: something may read it until then, or take its place.

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
    let is_drop = |index: &usize| matches!(steps[*index].action, Action::Drop { .. });
    let (drops, rest): (Vec<usize>, Vec<usize>) = (0..steps.len()).partition(is_drop);
    let mut reports = run_some(context, &rest);
    let failed = reports.values().filter(|report| report.status == Status::Failed);
    let failed: Vec<Address> = failed.map(|report| report.address.clone()).collect();
    if failed.is_empty() {
        reports.extend(run_some(context, &drops));
    } else {
        for index in drops {
            let report = StepReport::not_run(&steps[index], Status::HeldBack, failed.clone());
            (context.tell)(&Event::StepFinished { step: &report });
            reports.insert(index, report);
        }
    }
    reports.into_values().collect()
}

/// Runs some of the steps, by their places in the plan.
fn run_some(context: &Context<'_>, some: &[usize]) -> BTreeMap<usize, StepReport> {
    let waits_for = |index: &usize| (*index, context.plan.steps[*index].waits_for.clone());
    let board = Mutex::new(Board {
        waiting: some.iter().map(waits_for).collect(),
        running: 0,
        reports: BTreeMap::new(),
    });
    let changed = Condvar::new();
    let workers = context.running.threads.clamp(1, some.len().max(1));
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| worker(context, &board, &changed));
        }
    });
    board.into_inner().unwrap_or_else(PoisonError::into_inner).reports
}

fn worker(context: &Context<'_>, board: &Mutex<Board>, changed: &Condvar) {
    let mut session = None;
    while let Some(index) = next(context, board, changed) {
        let (report, of_target) = run_step(context, &context.plan.steps[index], &mut session);
        (context.tell)(&Event::StepFinished { step: &report });
        finish(context, board, index, report, of_target);
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

fn finish(context: &Context<'_>, board: &Mutex<Board>, index: usize, report: StepReport, of_target: bool) {
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
    let hold_back = |now: &mut Board, index: usize, cause: &Address| {
        now.waiting.remove(&index);
        let report = StepReport::not_run(&steps[index], Status::HeldBack, vec![cause.clone()]);
        (context.tell)(&Event::StepFinished { step: &report });
        now.reports.insert(index, report);
    };
    // What all would meet is not met by all of them.
    if of_target {
        for index in now.waiting.keys().copied().collect::<Vec<_>>() {
            hold_back(&mut now, index, &address);
        }
        return;
    }
    // What depends on a step that failed is held back, with all that depends on it in turn.
    let mut held: Vec<Address> = vec![address];
    while let Some(cause) = held.pop() {
        let dependents: Vec<usize> =
            now.waiting.iter().filter(|(_, waits)| waits.contains(&cause)).map(|(index, _)| *index).collect();
        for index in dependents {
            hold_back(&mut now, index, &cause);
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
