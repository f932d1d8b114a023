//! `check`: expectations on the tables as they are. Writes nothing, unless a checkpoint says so.

use chrono::{DateTime, Utc};

use super::Outcome;
use super::apply::{threads, who};
use super::args::{CheckArgs, CheckFormat};
use super::checkpoint::{Found, any_failed, due, find, shown, write, write_sites};
use super::chosen::Chosen;
use super::evaluate::{Checking, Evaluated, Job};
use super::workspace::{Workspace, fault};
use super::{propose, stop};
use crate::apply::{Status, StepReport, run_id};
use crate::clock::{Clock, SystemClock, before, rfc3339};
use crate::compile::CompiledProject;
use crate::diag::Diagnostics;
use crate::manifest::types::expectation::Scope;
use crate::manifest::types::{Checkpoint, CheckpointAction, ResultsFormat};
use crate::project::{Address, Expectation, Project};
use crate::report::RunReport;
use crate::view::{Checked, plural, results_text};
use crate::warehouse::{Access, RunHeader};

pub(super) fn run(workspace: &Workspace<'_>, args: &CheckArgs) -> Result<Outcome, Diagnostics> {
    let chosen = Chosen::load(workspace, &args.selection)?;
    if args.propose {
        return propose::run(workspace, &chosen);
    }
    let compiled = &chosen.loaded.compiled;
    let checkpoint = args.checkpoint.as_deref().map(|name| find(compiled, name)).transpose()?;
    let nothing = Checkpoint::default();
    let (name, checkpoint) = checkpoint.unwrap_or(("check", &nothing));
    let keeps = checkpoint.actions.iter().any(|action| matches!(action, CheckpointAction::Keep(_)));
    let access = if keeps { Access::Write } else { Access::Read };
    let warehouse = workspace.open(&chosen.loaded, access, "pipewright check", "0s")?;
    let started = SystemClock.now();

    let mut faults = Diagnostics::new();
    let mut checked: Vec<Checked<'_>> = Vec::new();
    let mut steps: Vec<StepReport> = Vec::new();
    let snapshot = warehouse.snapshot().map_err(fault)?;
    let mut passed_over = 0_usize;
    let mut jobs: Vec<Job<'_>> = Vec::new();
    for address in compiled.order.iter().filter(|address| chosen.contains(address)) {
        let (wanted, of_new_rows) = wanted(compiled, address, checkpoint);
        passed_over += of_new_rows;
        if let (Some(node), false) = (compiled.node(address), wanted.is_empty()) {
            jobs.push(Job { node, wanted });
        }
    }
    let cancel = stop::on_signal();
    let checking = Checking {
        compiled,
        warehouse: warehouse.as_ref(),
        root: &workspace.root,
        snapshot: &snapshot,
        now: started.timestamp(),
        cancel: &cancel,
    };
    let threads = threads(args.threads, chosen.loaded.compiled.target_settings());
    let all = checking.all(&jobs, threads);
    if cancel.is_cancelled() {
        return Err(stop::stopped("the check").help("nothing was written").into());
    }
    for (job, evaluated) in jobs.iter().zip(all) {
        let Evaluated { step, error } = evaluated?;
        // For people the fault is told once, below; other readers look for each expectation.
        if error.is_none() || format(args) != ResultsFormat::Table {
            let told = job.expectations(compiled).zip(step.checks.iter().cloned());
            checked.extend(told.map(|(expectation, report)| shown(expectation, report)));
        }
        steps.push(step);
        faults.extend(error);
    }

    if passed_over > 0 {
        let what = plural(passed_over, "expectation is", "expectations are");
        workspace.printer.note(&format!("{what} about new rows alone, and checked when they come in."));
    }
    let sql_of = |expectation: &Expectation| compiled.sql_of(expectation);
    workspace.printer.out(&results_text(format(args), name, &checked, &sql_of));
    let failed = !faults.is_empty() || any_failed(&checked);
    write(workspace, compiled, &Found { name, checkpoint, checked: &checked, failed })?;
    for action in &checkpoint.actions {
        match action {
            CheckpointAction::Keep(keep) if due(keep.when, failed) => {
                let report = run_report(compiled, started, std::mem::take(&mut steps), failed);
                let header = RunHeader {
                    id: report.run.clone(),
                    command: format!("check {name}"),
                    started_at: report.started_at.clone(),
                    pipeline: report.pipeline.clone(),
                    by: who(),
                };
                warehouse.begin_run(&header, &[], &[]).map_err(fault)?;
                let kept = compiled.project.keep_history.and_then(|kept| before(started, kept));
                warehouse.finish_run(&report, kept.as_deref()).map_err(fault)?;
            }
            CheckpointAction::Write(_) | CheckpointAction::Keep(_) | CheckpointAction::Site(_) => {}
        }
    }
    // Last, so that what was kept is in them.
    write_sites(workspace, compiled, warehouse.as_ref(), checkpoint, failed)?;
    faults.into_result(())?;
    Ok(if failed { Outcome::Failed } else { Outcome::Done })
}

fn format(args: &CheckArgs) -> ResultsFormat {
    match args.format {
        _ if args.json => ResultsFormat::Json,
        CheckFormat::Table => ResultsFormat::Table,
        CheckFormat::Json => ResultsFormat::Json,
        CheckFormat::Junit => ResultsFormat::Junit,
        CheckFormat::Markdown => ResultsFormat::Markdown,
    }
}

/// The expectations of a node that belong to a checkpoint, by their places in the project; and how many of them are
/// about new rows alone, which a table that is there does not tell from others.
fn wanted(compiled: &CompiledProject, address: &Address, checkpoint: &Checkpoint) -> (Vec<usize>, usize) {
    let of_node = compiled.audits.get(address).map(|audit| audit.expectations.as_slice());
    let declared = |index: &usize| &compiled.project.expectations[*index];
    let belongs = |index: &&usize| Project::belongs(declared(index), checkpoint);
    let all: Vec<usize> = of_node.unwrap_or_default().iter().filter(belongs).copied().collect();
    let incremental = compiled.node(address).is_some_and(|node| compiled.increment(node).is_some());
    let (of_new, wanted): (Vec<usize>, Vec<usize>) =
        all.iter().partition(|index| incremental && declared(index).scope == Scope::NewRows);
    (wanted, of_new.len())
}

fn run_report(
    compiled: &CompiledProject,
    started: DateTime<Utc>,
    steps: Vec<StepReport>,
    failed: bool,
) -> RunReport {
    let ended = SystemClock.now();
    RunReport {
        run: run_id(&compiled.project.name, started),
        pipeline: compiled.project.name.clone(),
        target: compiled.target.clone(),
        started_at: rfc3339(started),
        finished_at: rfc3339(ended),
        milliseconds: u64::try_from((ended - started).num_milliseconds()).unwrap_or(0),
        status: if failed { Status::Failed } else { Status::Done },
        estimate: None,
        billed: None,
        steps,
    }
}
