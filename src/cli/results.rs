//! `results`: what became of expectations in past runs.

use serde_json::Value;

use super::args::ResultsArgs;
use super::workspace::{Workspace, fault};
use super::{Outcome, site};
use crate::diag::Diagnostics;
use crate::view::{Align, Table, count, trend};
use crate::warehouse::Access;

pub(super) fn run(workspace: &Workspace<'_>, args: &ResultsArgs) -> Result<Outcome, Diagnostics> {
    let ResultsArgs { names, failing, json, site } = args;
    let loaded = workspace.load()?;
    let warehouse = workspace.open(&loaded, Access::Read, "pipewright results", "0s")?;
    if let Some(folder) = site {
        site::write(workspace, &loaded.compiled, warehouse.as_ref(), folder)?;
        return Ok(Outcome::Done);
    }
    let mut results =
        if warehouse.was_used().map_err(fault)? { warehouse.results().map_err(fault)? } else { Vec::new() };
    let hidden = site::hidden(&loaded.compiled);
    for result in &mut results {
        let hidden = result["expectation"].as_str().and_then(|address| hidden.get(address));
        if let (Some(hidden), Some(mut found)) = (hidden, result["found"].as_str().map(str::to_owned)) {
            hidden.hide_found(&mut found);
            result["found"] = found.into();
        }
    }
    results.retain(|result| (names.is_empty() || is_among(result, names)) && (!*failing || open(result)));
    if *json {
        workspace.printer.out(&format!("{:#}\n", Value::from(results)));
        return Ok(Outcome::Done);
    }
    if results.is_empty() {
        workspace.printer.note("There are no results of such expectations on this target.");
        return Ok(Outcome::Done);
    }
    let mut table = Table::with_heads(&[
        ("expectation", Align::Left),
        ("runs", Align::Right),
        ("passed", Align::Right),
        ("last", Align::Left),
        ("first failure", Align::Left),
        ("last failure", Align::Left),
        ("changes", Align::Right),
        ("failing", Align::Left),
    ]);
    for result in &results {
        let text = |key: &str| result[key].as_str().unwrap_or_default().to_owned();
        let number = |key: &str| result[key].as_u64().map(count).unwrap_or_default();
        let shares = result["failing_shares"].as_array().into_iter().flatten().filter_map(Value::as_f64);
        table.row([
            text("expectation"),
            number("runs"),
            number("passed"),
            text("last"),
            text("first_failure"),
            text("last_failure"),
            number("changes"),
            trend(&shares.collect::<Vec<_>>()),
        ]);
    }
    workspace.printer.table(table);
    Ok(Outcome::Done)
}

fn open(result: &Value) -> bool {
    result["runs"] != result["passed"]
}

/// Whether a result is of an expectation or a node of these names, with or without their kind.
fn is_among(result: &Value, names: &[String]) -> bool {
    ["expectation", "node"].iter().filter_map(|key| result[*key].as_str()).any(|address| {
        let short = address.split_once('.').map_or(address, |(_, short)| short);
        names.iter().any(|name| name == address || name == short)
    })
}
