//! A run while it goes: bars on a terminal, lines elsewhere, JSON for machines.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use console::style;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::{Printer, count, duration, plural};
use crate::apply::{Event, Status, StepReport};
use crate::expectations::Verdict;

/// Tells what happens in a run.
pub struct Reporter {
    form: Form,
}

enum Form {
    Bars { all: MultiProgress, total: ProgressBar, running: Mutex<BTreeMap<String, ProgressBar>> },
    Lines,
    Json,
}

impl Reporter {
    /// A reporter for whoever is looking.
    pub fn new(printer: Printer, json: bool) -> Self {
        let form = if json {
            Form::Json
        } else if printer.interactive() {
            let all = MultiProgress::new();
            let total = all.add(ProgressBar::new(0));
            total.set_style(bar("{spinner:.green} {pos}/{len} steps  {elapsed}"));
            total.enable_steady_tick(Duration::from_millis(120));
            Form::Bars { all, total, running: Mutex::new(BTreeMap::new()) }
        } else {
            Form::Lines
        };
        Self { form }
    }

    /// Takes an event.
    pub fn event(&self, event: &Event<'_>) {
        match &self.form {
            Form::Json => {
                if let Ok(line) = serde_json::to_string(event) {
                    let _ = writeln!(std::io::stdout().lock(), "{line}");
                }
            }
            Form::Lines => {
                if let Some(line) = line(event) {
                    let _ = writeln!(std::io::stderr().lock(), "{line}");
                }
            }
            Form::Bars { all, total, running } => {
                let mut running = running.lock().unwrap_or_else(PoisonError::into_inner);
                match event {
                    Event::RunStarted { steps, .. } => total.set_length(*steps as u64),
                    Event::StepStarted { address, action, bytes } => {
                        let one = all.insert_before(total, ProgressBar::new(bytes.unwrap_or(0)));
                        let known = *action == "load" && bytes.is_some();
                        one.set_style(bar(if known {
                            "  {msg:40} {bar:24} {decimal_bytes}/{decimal_total_bytes}"
                        } else {
                            "  {msg:40} {spinner}"
                        }));
                        one.set_message(address.to_string());
                        one.enable_steady_tick(Duration::from_millis(120));
                        running.insert(address.to_string(), one);
                    }
                    Event::StepProgress { address, bytes, .. } => {
                        if let Some(one) = running.get(&address.to_string()) {
                            one.set_position(*bytes);
                        }
                    }
                    Event::StepFinished { step } => {
                        if let Some(one) = running.remove(&step.address.to_string()) {
                            one.finish_and_clear();
                        }
                        total.inc(1);
                    }
                    Event::StepRetried { .. } => {}
                    Event::RunFinished { .. } => total.finish_and_clear(),
                }
                if let Some(line) = line(event) {
                    // A terminal that went away is no reason to stop a run.
                    let _ = all.println(line);
                }
            }
        }
    }
}

fn bar(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

/// The line that an event leaves behind.
fn line(event: &Event<'_>) -> Option<String> {
    match event {
        Event::StepFinished { step } => Some(step_line(step)),
        Event::StepRetried { address, message, wait_ms } => {
            let first = message.lines().next().unwrap_or_default();
            Some(format!("  again {address} in {}: {first}", duration(*wait_ms)))
        }
        _ => None,
    }
}

fn step_line(step: &StepReport) -> String {
    let word = match step.status {
        Status::Done => style("ok").green(),
        Status::Failed => style("FAILED").red(),
        Status::HeldBack => style("held back").yellow(),
        Status::Interrupted => style("stopped").yellow(),
    };
    let warned = step.checks.iter().filter(|check| check.outcome.verdict == Verdict::Warned).count();
    let mut facts = Vec::new();
    if let Some(rows) = step.rows {
        facts.push(format!("{} rows", count(rows)));
    }
    if step.rejected > 0 {
        facts.push(format!("{} rejected", count(step.rejected)));
    }
    if !step.checks.is_empty() {
        facts.push(plural(step.checks.len(), "check", "checks"));
    }
    if warned > 0 {
        facts.push(format!("{warned} warned"));
    }
    if step.tries > 0 {
        facts.push(duration(step.milliseconds));
    }
    if !step.held_back_by.is_empty() {
        let causes: Vec<String> = step.held_back_by.iter().map(ToString::to_string).collect();
        facts.push(format!("by {}", causes.join(", ")));
    }
    let facts = if facts.is_empty() { String::new() } else { format!("  {}", facts.join(", ")) };
    format!("  {word} {} {}{facts}", step.action, step.address)
}
