//! `check`: expectations on the tables as they are. Writes nothing.

use serde_json::json;

use super::Outcome;
use super::chosen::Chosen;
use super::places::place;
use super::workspace::{Workspace, fault};
use crate::apply::{CheckReport, check_published};
use crate::clock::{Clock, SystemClock};
use crate::diag::{Code, Diagnostic, Diagnostics};
use crate::expectations::{Facts, Verdict};
use crate::view::{checks_text, plural};
use crate::warehouse::Warehouse;
use crate::warehouse::duckdb::Access;

pub(super) fn run(workspace: &Workspace<'_>, chosen: &Chosen, json: bool) -> Result<Outcome, Diagnostics> {
    let loaded = &chosen.loaded;
    let compiled = &loaded.compiled;
    let warehouse = workspace.open(loaded, Access::Read, "pipewright check", "0s")?;
    let objects = warehouse.snapshot().map_err(fault)?.objects;
    let mut session = warehouse.session().map_err(fault)?;
    let now = SystemClock.now().timestamp();
    let mut faults = Diagnostics::new();
    let mut reports: Vec<CheckReport> = Vec::new();
    for address in compiled.order.iter().filter(|address| chosen.contains(address)) {
        let Some(node) = compiled.node(address) else { continue };
        if compiled.audits.get(address).is_none_or(|audit| audit.expectations.is_empty()) {
            continue;
        }
        if !objects.contains_key(&node.relation()) {
            faults.push(
                Diagnostic::error(
                    Code::ExpectationErrored,
                    format!("{} is not in the target", node.relation()),
                )
                .at(node.span.clone(), "nothing to check")
                .about(address.to_string())
                .help("run `pipewright apply` first"),
            );
            continue;
        }
        let audit = compiled.audit_of_published(address)?;
        let columns = compiled.nodes.get(&address.name).map(|node| node.columns.as_slice());
        let facts = Facts { now, columns: columns.unwrap_or_default(), before: None };
        match check_published(&audit, session.as_mut(), &facts) {
            Ok(checks) => reports.extend(checks),
            Err(error) => faults.push(error.diagnostic),
        }
    }
    let count = |verdict| reports.iter().filter(|check| check.outcome.verdict == verdict).count();
    if json {
        let value = json!({ "checks": reports });
        workspace.printer.out(&format!("{value:#}\n"));
    } else {
        let text = checks_text(&reports, &|address| place(compiled, address));
        workspace.printer.out(&text);
        workspace.printer.out(&format!(
            "{}: {} passed, {} warned, {} failed.\n",
            plural(reports.len(), "expectation", "expectations"),
            count(Verdict::Passed),
            count(Verdict::Warned),
            count(Verdict::Failed) + count(Verdict::Errored)
        ));
    }
    faults.into_result(())?;
    let failed = count(Verdict::Failed) + count(Verdict::Errored);
    Ok(if failed > 0 { Outcome::Failed } else { Outcome::Done })
}
