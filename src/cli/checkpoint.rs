//! What checkpoints do with results: after `check`, and after each `apply` with the results of that run.

use std::collections::HashMap;

use super::places::line;
use super::site;
use super::workspace::Workspace;
use crate::compile::CompiledProject;
use crate::diag::{Code, Diagnostic, Diagnostics, did_you_mean, quoted};
use crate::expectations::Verdict;
use crate::manifest::types::{Checkpoint, CheckpointAction, When};
use crate::project::{Expectation, Project};
use crate::report::{CheckReport, RunReport};
use crate::view::{Checked, results_summary, results_text};
use crate::warehouse::Warehouse;

/// The checkpoint of a name.
///
/// # Errors
/// That there is none.
pub(super) fn find<'c>(
    compiled: &'c CompiledProject,
    name: &str,
) -> Result<(&'c str, &'c Checkpoint), Diagnostics> {
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

/// An expectation beside what became of it.
pub(super) fn shown(expectation: &Expectation, report: CheckReport) -> Checked<'_> {
    Checked { expectation, place: line(&expectation.span), report }
}

/// Whether something does not hold that must.
pub(super) fn any_failed(checked: &[Checked<'_>]) -> bool {
    checked.iter().any(|one| matches!(one.report.outcome.verdict, Verdict::Failed | Verdict::Errored))
}

/// Whether an action is due after this outcome.
pub(super) fn due(when: When, failed: bool) -> bool {
    when == When::Always || failed
}

/// What a checkpoint found.
pub(super) struct Found<'a> {
    /// Its name.
    pub(super) name: &'a str,
    /// The checkpoint.
    pub(super) checkpoint: &'a Checkpoint,
    /// Its expectations.
    pub(super) checked: &'a [Checked<'a>],
    /// Whether something does not hold that must.
    pub(super) failed: bool,
}

/// Writes results to the files that a checkpoint names.
///
/// # Errors
/// When one cannot be written.
pub(super) fn write(
    workspace: &Workspace<'_>,
    compiled: &CompiledProject,
    found: &Found<'_>,
) -> Result<(), Diagnostics> {
    let sql_of = |expectation: &Expectation| compiled.sql_of(expectation);
    for action in &found.checkpoint.actions {
        if let CheckpointAction::Write(write) = action
            && due(write.when, found.failed)
        {
            let text = results_text(write.format, found.name, found.checked, &sql_of);
            write_file(workspace, &write.to, &text)?;
        }
    }
    Ok(())
}

/// Writes the sites that a checkpoint names, of all results that the target has.
///
/// # Errors
/// When one cannot be written.
pub(super) fn write_sites(
    workspace: &Workspace<'_>,
    compiled: &CompiledProject,
    warehouse: &dyn Warehouse,
    checkpoint: &Checkpoint,
    failed: bool,
) -> Result<(), Diagnostics> {
    for action in &checkpoint.actions {
        if let CheckpointAction::Site(write) = action
            && due(write.when, failed)
        {
            site::write(workspace, compiled, warehouse, &workspace.root.join(&write.to))?;
        }
    }
    Ok(())
}

/// Each checkpoint of which a run looked at something: a line about it, and the files that it names. The run has kept
/// the results already.
///
/// # Errors
/// When a file cannot be written.
pub(super) fn after_run(
    workspace: &Workspace<'_>,
    compiled: &CompiledProject,
    warehouse: &dyn Warehouse,
    report: &RunReport,
) -> Result<String, Diagnostics> {
    let checkpoints = &compiled.project.checkpoints;
    if checkpoints.is_empty() {
        return Ok(String::new());
    }
    let declared: HashMap<String, &Expectation> = compiled
        .project
        .expectations
        .iter()
        .map(|expectation| (expectation.address(), expectation))
        .collect();
    let mut told = String::new();
    for (name, checkpoint) in checkpoints {
        let checked: Vec<Checked<'_>> = report
            .steps
            .iter()
            .flat_map(|step| &step.checks)
            .filter_map(|check| Some((*declared.get(&check.address)?, check)))
            .filter(|(expectation, _)| Project::belongs(expectation, checkpoint))
            .map(|(expectation, check)| shown(expectation, check.clone()))
            .collect();
        if !checked.is_empty() {
            told.push_str(&format!("Checkpoint {name}: {}.\n", results_summary(&checked)));
            let failed = any_failed(&checked);
            write(workspace, compiled, &Found { name, checkpoint, checked: &checked, failed })?;
            write_sites(workspace, compiled, warehouse, checkpoint, failed)?;
        }
    }
    Ok(told)
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
