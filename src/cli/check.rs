//! `check`: expectations on the tables as they are. Writes nothing, unless a checkpoint says so.

use std::time::Instant;

use chrono::{DateTime, Utc};

use super::Outcome;
use super::apply::who;
use super::args::{CheckArgs, CheckFormat};
use super::chosen::Chosen;
use super::places::line;
use super::propose;
use super::site;
use super::workspace::{Workspace, fault};
use crate::apply::{CheckReport, Status, StepReport, check_published, run_id};
use crate::clock::{Clock, SystemClock, before, rfc3339};
use crate::compile::CompiledProject;
use crate::diag::{Code, Diagnostic, Diagnostics, did_you_mean, quoted};
use crate::expectations::{Before, Facts, Outcome as Judgement, Verdict};
use crate::manifest::types::{Checkpoint, CheckpointAction, ResultsFormat, When};
use crate::project::{Address, Expectation, Project};
use crate::report::RunReport;
use crate::view::{Checked, results_text};
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
    let mut session = warehouse.session().map_err(fault)?;
    for address in compiled.order.iter().filter(|address| chosen.contains(address)) {
        let wanted = wanted(compiled, address, checkpoint);
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
            match check_published(&audit, session.as_mut(), &facts) {
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

    workspace.printer.out(&results_text(format(args), name, &checked));
    let failed = !faults.is_empty()
        || checked.iter().any(|one| matches!(one.report.outcome.verdict, Verdict::Failed | Verdict::Errored));
    let due = |when: When| when == When::Always || failed;
    for action in &checkpoint.actions {
        match action {
            CheckpointAction::Write(write) if due(write.when) => {
                write_file(workspace, &write.to, &results_text(write.format, name, &checked))?;
            }
            CheckpointAction::Keep(keep) if due(keep.when) => {
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
    for action in &checkpoint.actions {
        match action {
            CheckpointAction::Site(site) if due(site.when) => {
                site::write(workspace, compiled, &warehouse, &workspace.root.join(&site.to))?;
            }
            CheckpointAction::Site(_) | CheckpointAction::Write(_) | CheckpointAction::Keep(_) => {}
        }
    }
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

fn find<'c>(compiled: &'c CompiledProject, name: &str) -> Result<(&'c str, &'c Checkpoint), Diagnostics> {
    let checkpoints = &compiled.project.checkpoints;
    if let Some((name, checkpoint)) = checkpoints.get_key_value(name) {
        return Ok((name, checkpoint));
    }
    let names = || checkpoints.keys().map(String::as_str);
    let help = did_you_mean(name, names()).unwrap_or_else(|| match checkpoints.len() {
        0 => "the manifest has no `checkpoints`; `--select` takes nodes".to_owned(),
        _ => format!("the manifest has {}; `--select` takes nodes", quoted(names())),
    });
    Err(Diagnostic::error(Code::Usage, format!("there is no checkpoint `{name}`")).help(help).into())
}

/// The expectations of a node that belong to a checkpoint, by their places in the project.
fn wanted(compiled: &CompiledProject, address: &Address, checkpoint: &Checkpoint) -> Vec<usize> {
    let of_node = compiled.audits.get(address).map(|audit| audit.expectations.as_slice());
    let belongs = |index: &&usize| Project::belongs(&compiled.project.expectations[**index], checkpoint);
    of_node.unwrap_or_default().iter().filter(belongs).copied().collect()
}

fn shown(expectation: &Expectation, report: CheckReport) -> Checked<'_> {
    Checked { expectation, place: line(&expectation.span), report }
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
        sql: None,
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
        rejected: 0,
        milliseconds: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
        tries: 1,
        checks: checks.to_vec(),
        fault: None,
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

fn write_file(workspace: &Workspace<'_>, to: &str, text: &str) -> Result<(), Diagnostics> {
    let path = workspace.root.join(to);
    let written =
        path.parent().map_or(Ok(()), fs_err::create_dir_all).and_then(|()| fs_err::write(&path, text));
    written.map_err(|error| {
        Diagnostic::error(Code::Io, format!("the results cannot be written: {error}"))
            .help("give the action another `to:`, or make room there")
            .into()
    })
}
