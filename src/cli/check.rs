//! `check`: expectations on the tables as they are. Writes nothing, unless a checkpoint says so.

use std::time::Instant;

use chrono::{DateTime, Utc};

use super::Outcome;
use super::apply::who;
use super::args::{CheckArgs, CheckFormat};
use super::checkpoint::{Found, any_failed, due, find, shown, write, write_sites};
use super::chosen::Chosen;
use super::propose;
use super::workspace::{Workspace, fault};
use crate::apply::{Auditing, CheckReport, Origin, Status, StepReport, check_published, run_id};
use crate::clock::{Clock, SystemClock, before, rfc3339};
use crate::compile::CompiledProject;
use crate::diag::{Code, Diagnostic, Diagnostics};
use crate::expectations::{Before, Facts, Outcome as Judgement, Verdict};
use crate::manifest::types::expectation::Scope;
use crate::manifest::types::{Checkpoint, CheckpointAction, ResultsFormat};
use crate::plan::Reading;
use crate::project::{Address, Detail, Expectation, Node, Project};
use crate::report::RunReport;
use crate::state::Snapshot;
use crate::view::{Checked, plural, results_text};
use crate::warehouse::duckdb::Access;
use crate::warehouse::{RunHeader, Warehouse};

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
    let mut session = warehouse.session().map_err(fault)?;
    for address in compiled.order.iter().filter(|address| chosen.contains(address)) {
        let (wanted, of_new_rows) = wanted(compiled, address, checkpoint);
        passed_over += of_new_rows;
        let (Some(node), [_, ..]) = (compiled.node(address), wanted.as_slice()) else { continue };
        let expectations = || wanted.iter().map(|index| &compiled.project.expectations[*index]);
        let began = Instant::now();
        let error = if snapshot.objects.contains_key(&node.relation()) {
            let audit = compiled.audit_of_some(address, &wanted)?;
            let columns = compiled.nodes.get(&address.name).map(|node| node.columns.as_slice());
            let before = snapshot.state.nodes.get(address);
            let facts = Facts {
                now: started.timestamp(),
                columns: columns.unwrap_or_default(),
                before: before.map(|before| Before { rows: before.rows, columns: &before.columns }),
            };
            let loaded_from = reading(compiled, node, &snapshot);
            let auditing = Auditing {
                audit: &audit,
                facts,
                origin: loaded_from.as_ref().map(|reading| Origin { reading, root: &workspace.root }),
                cancelled: &|| false,
            };
            match check_published(&auditing, session.as_mut()) {
                Ok(reports) => {
                    steps.push(step(address, &node.relation(), &reports, began));
                    let told = expectations().zip(reports);
                    checked.extend(told.map(|(expectation, report)| shown(expectation, report)));
                    continue;
                }
                Err(error) => error.diagnostic,
            }
        } else {
            Diagnostic::error(Code::ExpectationErrored, format!("{} is not in the target", node.relation()))
                .at(node.span.clone(), "nothing to check")
                .about(address.to_string())
                .help("run `pipewright apply` first")
        };
        let reports: Vec<CheckReport> =
            expectations().map(|expectation| errored(expectation, &error.message)).collect();
        steps.push(step(address, &node.relation(), &reports, began));
        // For people the fault is told once, below; other readers look for each expectation.
        if format(args) != ResultsFormat::Table {
            let told = expectations().zip(reports);
            checked.extend(told.map(|(expectation, report)| shown(expectation, report)));
        }
        faults.push(error);
    }
    drop(session);

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
                warehouse.begin_run(&header, &[]).map_err(fault)?;
                let kept = compiled.project.keep_history.and_then(|kept| before(started, kept));
                warehouse.finish_run(&report, kept.as_deref()).map_err(fault)?;
            }
            CheckpointAction::Write(_) | CheckpointAction::Keep(_) | CheckpointAction::Site(_) => {}
        }
    }
    // Last, so that what was kept is in them.
    write_sites(workspace, compiled, &warehouse, checkpoint, failed)?;
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

/// What the rows of a source or seed were loaded from; nothing where somebody took rows away or put some in, as what
/// is left can no longer be told by its place.
fn reading(compiled: &CompiledProject, node: &Node, snapshot: &Snapshot) -> Option<Reading> {
    let Detail::Load(load) = &node.detail else { return None };
    let state = snapshot.state.nodes.get(&node.address)?;
    let object = snapshot.objects.get(&node.relation())?;
    if object.rows != state.rows {
        return None;
    }
    let columns = compiled.nodes.get(&node.address.name).map(|node| node.columns.as_slice());
    Some(Reading::new(load, columns.unwrap_or_default(), state.files.clone()))
}

fn errored(expectation: &Expectation, why: &str) -> CheckReport {
    CheckReport {
        address: expectation.address(),
        severity: expectation.severity,
        outcome: Judgement {
            verdict: Verdict::Errored,
            failing: 0,
            checked: 0,
            found: why.to_owned(),
            observed: None,
        },
        sample: Vec::new(),
        places: Vec::new(),
        sample_sql: None,
        milliseconds: 0,
    }
}

fn step(address: &Address, relation: &str, checks: &[CheckReport], began: Instant) -> StepReport {
    let failed =
        checks.iter().any(|check| matches!(check.outcome.verdict, Verdict::Failed | Verdict::Errored));
    StepReport {
        address: address.clone(),
        relation: relation.to_owned(),
        action: "check".to_owned(),
        status: if failed { Status::Failed } else { Status::Done },
        rows: None,
        bytes: None,
        new_rows: None,
        rejected: 0,
        files: Vec::new(),
        milliseconds: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
        tries: 1,
        checks: checks.to_vec(),
        fault: None,
        kept: None,
        held_back_by: Vec::new(),
    }
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
        steps,
    }
}
