//! `check --propose`: bounds that past runs would have passed. Changes nothing: whoever reads it decides.

use std::collections::BTreeMap;

use serde_json::Value;

use super::Outcome;
use super::chosen::Chosen;
use super::places::line;
use super::workspace::{Workspace, fault};
use crate::diag::Diagnostics;
use crate::project::{Expectation, Form};
use crate::view::plural;
use crate::warehouse::Access;

/// How much room a proposal leaves beyond what was seen.
const ROOM: f64 = 0.2;

pub(super) fn run(workspace: &Workspace<'_>, chosen: &Chosen) -> Result<Outcome, Diagnostics> {
    let compiled = &chosen.loaded.compiled;
    let warehouse = workspace.open(&chosen.loaded, Access::Read, "pipewright check", "0s")?;
    let results =
        if warehouse.was_used().map_err(fault)? { warehouse.results().map_err(fault)? } else { Vec::new() };
    let by_address: BTreeMap<&str, &Value> =
        results.iter().filter_map(|result| Some((result["expectation"].as_str()?, result))).collect();
    let mut proposals = 0_usize;
    for expectation in &compiled.project.expectations {
        let address = expectation.address();
        let result = by_address.get(address.as_str()).filter(|_| chosen.contains(&expectation.on));
        let Some(result) = result else { continue };
        if let Some((bounds, why)) = proposal(expectation, result) {
            proposals += 1;
            let place = line(&expectation.span);
            workspace.printer.out(&format!("{address}\n    at {place}\n    {bounds}   # {why}\n"));
        }
    }
    if proposals == 0 {
        workspace.printer.note("Past runs give no reason to change a bound.");
    }
    Ok(Outcome::Done)
}

/// Other bounds in the manifest's words, and what speaks for them; nothing where those that stand are as good.
fn proposal(expectation: &Expectation, result: &Value) -> Option<(String, String)> {
    let runs = usize::try_from(result["runs"].as_u64()?).ok()?;
    let seen = plural(runs, "run", "runs");
    match &expectation.form {
        Form::RowCount { min, max, other: None } => {
            let (least, most) = (result["least_checked"].as_u64()?, result["most_checked"].as_u64()?);
            let (low, high) = (rounded(least, 1.0 - ROOM), rounded(most, 1.0 + ROOM));
            // A bound that is already as tight stays.
            let tighter = min.is_none_or(|min| min < low) || max.is_none_or(|max| max > high);
            let broken = min.is_some_and(|min| least < min) || max.is_some_and(|max| most > max);
            (tighter || broken)
                .then(|| (format!("min: {low}, max: {high}"), format!("{least} to {most} rows in {seen}")))
        }
        Form::Rows { .. } | Form::Unique { .. } => {
            let failing = result["most_failing"].as_f64()?;
            let allowed = 1.0 - expectation.mostly;
            // Three digits: what is proposed is read and written by people.
            let mostly = ((1.0 - failing * (1.0 + ROOM)) * 1000.0).floor() / 1000.0;
            let differs = (mostly - expectation.mostly).abs() > 0.0005;
            let due = failing > allowed || (expectation.mostly < 1.0 && failing * (1.0 + ROOM) < allowed);
            (due && differs).then(|| {
                let percent = failing * 100.0;
                (format!("mostly: {mostly}"), format!("up to {percent:.2} % of the rows failed in {seen}"))
            })
        }
        _ => None,
    }
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "counts of rows lie far below 2^53"
)]
fn rounded(count: u64, factor: f64) -> u64 {
    (count as f64 * factor).round() as u64
}
