//! A finished run as people read it.

use console::style;
use serde_json::Value;

use super::{Align, Table, bytes, count, duration, plural};
use crate::apply::{CheckReport, RunReport, Status, StepReport};
use crate::expectations::Verdict;

/// The summary of a run: a line for each step, what is wrong, one line that sums it up.
pub fn run_text(report: &RunReport) -> String {
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
            checks(step),
            if step.tries == 0 { String::new() } else { duration(step.milliseconds) },
        ]);
    }
    out.push_str(&table.to_string());
    for step in &report.steps {
        if let Some(fault) = &step.fault {
            let body = fault.message.replace('\n', "\n    ");
            out.push_str(&format!(
                "\n{} {} [{}]\n    {body}\n",
                style("failed").red(),
                step.address,
                fault.code
            ));
            if let Some(help) = &fault.help {
                out.push_str(&format!("    help: {}\n", help.replace('\n', "\n          ")));
            }
        }
        out.push_str(&checks_text(&step.checks, false));
    }
    out.push_str(&format!("\n{}\n", summary(report)));
    out
}

/// What is told of expectations: those that did not pass, or all of them.
pub fn checks_text(checks: &[CheckReport], all: bool) -> String {
    let mut out = String::new();
    for check in checks.iter().filter(|check| all || check.outcome.verdict != Verdict::Passed) {
        let word = match check.outcome.verdict {
            Verdict::Passed => style("passed").green(),
            Verdict::Warned => style("warned").yellow(),
            Verdict::Failed => style("failed").red(),
            Verdict::Errored => style("errored").red(),
        };
        out.push_str(&format!("{word} {}: {}\n", check.address, check.outcome.found));
        for row in &check.sample {
            out.push_str(&format!("    {}\n", shortened(row)));
        }
    }
    if out.is_empty() { out } else { format!("\n{out}") }
}

fn shortened(row: &Value) -> String {
    let text = row.to_string();
    if text.chars().count() <= 200 { text } else { text.chars().take(199).chain(['…']).collect() }
}

fn result(step: &StepReport) -> String {
    match step.status {
        Status::Done if step.rejected > 0 => format!("ok, {} rejected", count(step.rejected)),
        Status::Done => "ok".to_owned(),
        Status::Failed => style("failed").red().to_string(),
        Status::HeldBack => style("held back").yellow().to_string(),
        Status::Interrupted => style("stopped").yellow().to_string(),
    }
}

fn checks(step: &StepReport) -> String {
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
    let checks: usize = report.steps.iter().map(|step| step.checks.len()).sum();
    let warned = report.verdicts(Verdict::Warned);
    let checked = match warned {
        0 => plural(checks, "expectation", "expectations"),
        _ => format!("{}, {warned} warned", plural(checks, "expectation", "expectations")),
    };
    format!("Run {}: {}; {checked}; {}.", report.run, parts.join(", "), duration(report.milliseconds))
}
