//! The page of a run: what did not pass with its failing rows, the steps, and the rest folded away.

use minijinja::context;
use minijinja::value::Value as Context;
use serde_json::{Map, Value};

use super::{Page, Site, anchor, paged, run_base, word};
use crate::diag::Diagnostic;
use crate::expectations::{HIDDEN, Verdict};
use crate::report::{PastCheck, PastRun, PastStep};

/// So many expectations that did not pass are told with their rows; of further ones there is a line.
const IN_FULL: usize = 200;

/// How many that passed a page has.
const PASSED: usize = 500;

/// How much of a value is shown.
const LONGEST: usize = 300;

pub(super) fn pages(
    site: &Site<'_>,
    run: &PastRun,
    steps: &[PastStep],
    checks: &[PastCheck],
) -> Result<Vec<Page>, Diagnostic> {
    let (passed, mut open): (Vec<&PastCheck>, Vec<&PastCheck>) =
        checks.iter().partition(|check| check.verdict == Verdict::Passed);
    open.sort_by_key(|check| std::cmp::Reverse(check.verdict));
    let in_full: Vec<Context> = open.iter().take(IN_FULL).map(|check| told(site, check)).collect();
    let in_short: Vec<Context> = open.iter().skip(IN_FULL).map(|check| short(site, check)).collect();
    let steps: Vec<Context> = steps.iter().map(step).collect();
    let title = format!("Run {}", run.run);
    let base = run_base(&run.run);
    let content = |part: &[&PastCheck], pager: Context| {
        let passed: Vec<Context> = part.iter().map(|check| short(site, check)).collect();
        let on_first = pager.get_attr("number").is_ok_and(|number| number == Context::from(1));
        context! {
            run => site.run(run), passed, pager, on_first,
            open => if on_first { in_full.clone() } else { Vec::new() },
            in_short => if on_first { in_short.clone() } else { Vec::new() },
            steps => if on_first { steps.clone() } else { Vec::new() },
        }
    };
    let mut pages = site.list(&base, ("run.html", &title, "runs"), &passed, PASSED, &content)?;
    // Where the first one is, the others are.
    let first = paged(&base, 1);
    pages.sort_by_key(|page| page.path == first);
    Ok(pages)
}

fn short(site: &Site<'_>, check: &PastCheck) -> Context {
    context! {
        address => check.address.strip_prefix("expectation.").unwrap_or(&check.address),
        anchor => anchor(&check.address),
        link => site.links.get(check.address.as_str()).map(String::as_str),
        verdict => word(Some(check.verdict)),
        found => check.found.as_str(),
    }
}

fn told(site: &Site<'_>, check: &PastCheck) -> Context {
    let severity = serde_json::to_value(check.severity).unwrap_or_default();
    let sample =
        check.sample.as_deref().and_then(|text| serde_json::from_str::<Vec<Map<String, Value>>>(text).ok());
    let rows = sample.unwrap_or_default();
    // Rows of one query have the same columns; it puts those that tell rows apart first.
    let mut columns: Vec<&String> = Vec::new();
    for name in rows.iter().flat_map(Map::keys) {
        if !columns.contains(&name) {
            columns.push(name);
        }
    }
    let masked = &site.about.project.masked;
    let cells = |row: &Map<String, Value>| -> Vec<Context> {
        let cell = |name: &&String| cell(row.get(*name), masked.contains(&name.to_lowercase()));
        columns.iter().map(cell).collect()
    };
    context! {
        severity => severity.as_str().unwrap_or_default(),
        sample => rows.iter().map(cells).collect::<Vec<_>>(),
        columns => columns.iter().map(|name| Context::from(name.as_str())).collect::<Vec<_>>(),
        query => check.query.as_deref(),
        ..short(site, check)
    }
}

/// A value: its text, and what kind of text it is.
fn cell(value: Option<&Value>, masked: bool) -> Context {
    let (kind, text) = match value {
        None => ("none", String::new()),
        Some(Value::Null) => ("null", "NULL".to_owned()),
        // Also those that were kept before their column was marked.
        Some(_) if masked => ("hidden", HIDDEN.to_owned()),
        Some(Value::String(text)) if text == HIDDEN => ("hidden", HIDDEN.to_owned()),
        Some(Value::String(text)) if text.is_empty() => ("null", "empty".to_owned()),
        // No identifier or time is broken over lines.
        Some(Value::String(text)) if text.len() <= 40 => ("text short", text.clone()),
        Some(Value::String(text)) => ("text", text.clone()),
        Some(Value::Number(number)) => ("number", number.to_string()),
        Some(other) => ("text", other.to_string()),
    };
    let cut = text.chars().count() > LONGEST;
    let text = if cut { text.chars().take(LONGEST).chain(['…']).collect() } else { text };
    context! { kind, text }
}

fn step(step: &PastStep) -> Context {
    let kind = match step.status.as_str() {
        "done" => "passed",
        "failed" => "failed",
        _ => "warned",
    };
    context! {
        address => step.address.as_str(), action => step.action.as_str(), status => step.status.replace('_', " "), kind,
        rows => step.rows, bytes => step.bytes, rejected => step.rejected, milliseconds => step.milliseconds,
        code => step.code.as_deref(), message => step.message.as_deref(),
    }
}
