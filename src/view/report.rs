//! A finished run as people read it.

use std::collections::BTreeSet;

use console::{StyledObject, style};
use serde_json::Value;

use super::{Align, Table, bytes, count, duration, plural};
use crate::apply::{CheckReport, RunReport, Status, StepReport};
use crate::diag::Code;
use crate::expectations::Verdict;
use crate::manifest::types::ExpectationSeverity;
use crate::report::FileRows;

/// Tells where the manifest has what an address names: `expectations/orders.yaml:12`.
pub type Place<'a> = &'a dyn Fn(&str) -> Option<String>;

/// The summary of a run: a line for each step, what is wrong, one line that sums it up.
pub fn run_text(report: &RunReport, place: Place<'_>) -> String {
    let mut out = String::new();
    let mut table = Table::new(&[
        Align::Left,
        Align::Left,
        Align::Left,
        Align::Right,
        Align::Right,
        Align::Right,
        Align::Right,
    ]);
    let heads = ["node", "step", "result", "rows", "bytes", "checks", "time"];
    table.row(heads.map(|head| style(head).bold().to_string()));
    for step in &report.steps {
        table.row([
            step.address.to_string(),
            step.action.clone(),
            result(step),
            step.rows.map(count).unwrap_or_default(),
            step.bytes.map(bytes).unwrap_or_default(),
            passed(step),
            if step.tries == 0 { String::new() } else { duration(step.milliseconds) },
        ]);
    }
    // A run may have been about datasets alone.
    if !report.steps.is_empty() {
        out.push_str(&table.to_string());
    }
    // What is wrong comes last, where it is seen.
    for told in [files_text(report), exceptions_text(report.steps.iter().flat_map(|step| &step.checks))] {
        if !told.is_empty() {
            out.push_str(&format!("\n{told}"));
        }
    }
    let mut seen = BTreeSet::new();
    for step in &report.steps {
        let (stopping, rest): (Vec<&CheckReport>, Vec<&CheckReport>) =
            step.checks.iter().partition(|check| stops(check));
        let mut untold = rest;
        if let Some(fault) = &step.fault {
            let alike = alike(report, step);
            // What several have met is told once.
            if !seen.insert(alike.first().map_or(&step.address, |first| &first.address)) {
                continue;
            }
            let names = names(&alike);
            out.push_str(&format!("\n{} {names} [{}]\n", style("failed").red(), fault.code));
            if fault.code == Code::ExpectationFailed.id() && !stopping.is_empty() {
                for check in stopping {
                    out.push_str(&format!("    {} {}", check.address, word(check)));
                    out.push_str(&findings(check, place, 8));
                }
            } else {
                out.push_str(&format!("    {}\n", fault.message.replace('\n', "\n    ")));
                // Some faults tell a nearer one themselves.
                let of_step = place(&step.address.to_string()).filter(|_| alike.len() == 1);
                out.push_str(&at(of_step.filter(|place| !fault.message.contains(place.as_str())), 4));
                untold.extend(stopping);
            }
            if let Some(help) = &fault.help {
                out.push_str(&format!("    help: {}\n", help.replace('\n', "\n          ")));
            }
            if let Some(kept) = &step.kept {
                out.push_str(&format!("    kept: what was refused is in {kept} until the next good one\n"));
            }
        } else {
            untold.extend(stopping);
        }
        let told = checks_text(untold, place);
        if !told.is_empty() {
            out.push_str(&format!("\n{told}"));
        }
    }
    out.push_str(&format!("\n{}\n", summary(report)));
    out
}

/// The steps that failed with the very same words, about no expectation of theirs; else the step alone.
fn alike<'a>(report: &'a RunReport, step: &'a StepReport) -> Vec<&'a StepReport> {
    let is_plain = |step: &StepReport| step.checks.is_empty() && step.kept.is_none();
    if !is_plain(step) {
        return vec![step];
    }
    report.steps.iter().filter(|other| other.fault == step.fault && is_plain(other)).collect()
}

/// `model.a, model.b and 5 more`.
fn names(steps: &[&StepReport]) -> String {
    const MOST: usize = 4;
    let mut names: Vec<String> = steps.iter().take(MOST).map(|step| step.address.to_string()).collect();
    let more = steps.len() - names.len();
    if more > 0 {
        let last = names.pop().unwrap_or_default();
        names.push(format!("{last} and {more} more"));
    }
    names.join(", ")
}

/// What became of the rows of each file, for tables of several files and where rows were rejected.
fn files_text(report: &RunReport) -> String {
    let files = report.steps.iter().filter(|step| step.files.len() > 1 || step.rejected > 0);
    let table = files_table(files.flat_map(|step| &step.files));
    if table.is_empty() { String::new() } else { table.for_terminal(usize::MAX) }
}

/// Rows read, written and rejected of each file.
pub fn files_table<'a>(files: impl IntoIterator<Item = &'a FileRows>) -> Table {
    let mut table = Table::with_heads(&[
        ("file", Align::Left),
        ("read", Align::Right),
        ("written", Align::Right),
        ("rejected", Align::Right),
    ]);
    for file in files {
        table.row([file.file.clone(), count(file.read), count(file.written), count(file.rejected)]);
    }
    table
}

/// Expectations that some rows do not meet, and no more than may: what is known of the data and forgiven.
pub fn exceptions_text<'a>(reports: impl IntoIterator<Item = &'a CheckReport>) -> String {
    let mut table = Table::new(&[Align::Left, Align::Left, Align::Left]).indent(4);
    for check in reports.into_iter().filter(|check| check.has_exceptions()) {
        let word = match check.severity {
            ExpectationSeverity::Critical => "critical",
            ExpectationSeverity::Warning => "warning",
            ExpectationSeverity::Info => "info",
        };
        table.row([word.to_owned(), check.address.clone(), check.outcome.found.clone()]);
    }
    if table.is_empty() { String::new() } else { format!("known exceptions, within their limits\n{table}") }
}

/// What is told of expectations: those that did not pass.
pub fn checks_text<'a>(reports: impl IntoIterator<Item = &'a CheckReport>, place: Place<'_>) -> String {
    let mut out = String::new();
    for check in reports.into_iter().filter(|check| check.outcome.verdict != Verdict::Passed) {
        out.push_str(&format!("{} {}", word(check), check.address));
        out.push_str(&findings(check, place, 4));
    }
    out
}

/// Whether a step cannot be published because of it.
fn stops(check: &CheckReport) -> bool {
    matches!(check.outcome.verdict, Verdict::Failed | Verdict::Errored)
}

fn word(check: &CheckReport) -> StyledObject<&'static str> {
    let verdict = check.outcome.verdict;
    let word = style(verdict.word());
    match verdict {
        Verdict::Passed => word.green(),
        Verdict::Warned => word.yellow(),
        Verdict::Failed | Verdict::Errored => word.red(),
    }
}

/// What was found, behind the name of an expectation: in numbers, where it is declared, some rows.
fn findings(check: &CheckReport, place: Place<'_>, indent: usize) -> String {
    let mut out = format!(": {}\n{}", check.outcome.found, at(place(&check.address), indent));
    for (place, row) in check.rows() {
        let place = place.map(|place| format!("{place} ")).unwrap_or_default();
        out.push_str(&format!("{:indent$}{place}{}\n", "", shortened(row)));
    }
    out
}

fn at(place: Option<String>, indent: usize) -> String {
    place.map(|place| format!("{:indent$}at {place}\n", "")).unwrap_or_default()
}

fn shortened(row: &Value) -> String {
    let text = row.to_string();
    if text.chars().count() <= 200 { text } else { text.chars().take(199).chain(['…']).collect() }
}

fn result(step: &StepReport) -> String {
    match step.status {
        Status::Done if step.rejected > 0 => format!("ok, {} rejected", count(step.rejected)),
        Status::Done => match step.new_rows {
            Some(rows) => format!("ok, {} new", count(rows)),
            None => "ok".to_owned(),
        },
        Status::Failed => style("failed").red().to_string(),
        Status::HeldBack => style("held back").yellow().to_string(),
        Status::Interrupted => style("stopped").yellow().to_string(),
    }
}

fn passed(step: &StepReport) -> String {
    if step.checks.is_empty() {
        return String::new();
    }
    let passed = step.checks.iter().filter(|check| check.outcome.verdict == Verdict::Passed).count();
    format!("{passed}/{}", step.checks.len())
}

fn summary(report: &RunReport) -> String {
    let done = report.count(Status::Done);
    let mut parts = vec![format!("{} done", plural(done, "step", "steps"))];
    for (status, word) in
        [(Status::Failed, "failed"), (Status::HeldBack, "held back"), (Status::Interrupted, "stopped")]
    {
        let number = report.count(status);
        if number > 0 {
            parts.push(format!("{number} {word}"));
        }
    }
    let mut ends = vec![parts.join(", ")];
    let checks: usize = report.steps.iter().map(|step| step.checks.len()).sum();
    if checks > 0 {
        let found: Vec<String> = [
            (Verdict::Passed, "passed"),
            (Verdict::Warned, "warned"),
            (Verdict::Failed, "failed"),
            (Verdict::Errored, "errored"),
        ]
        .into_iter()
        .map(|(verdict, word)| (report.verdicts(verdict), word))
        .filter(|(number, _)| *number > 0)
        .map(|(number, word)| format!("{number} {word}"))
        .collect();
        ends.push(format!("{}: {}", plural(checks, "expectation", "expectations"), found.join(", ")));
    }
    if let Some(billed) = report.billed {
        let estimate = report
            .estimate
            .map(|bill| format!(" (estimated: {}{})", bill.accuracy().words(), bytes(bill.billed())));
        ends.push(format!("billed for {}{}", bytes(billed), estimate.unwrap_or_default()));
    }
    ends.push(duration(report.milliseconds));
    format!("Run {}: {}.", report.run, ends.join("; "))
}
