//! `plan`.

use std::collections::BTreeSet;

use super::Outcome;
use super::args::{PlanArgs, PlanScopeArgs};
use super::cost;
use super::workspace::{LoadedProject, Workspace, fault, files, selected};
use crate::diag::Diagnostics;
use crate::plan::{self, Plan, Planning};
use crate::project::Address;
use crate::state::Snapshot;
use crate::view::plan_text;
use crate::warehouse::Access;

pub(super) fn run(workspace: &Workspace<'_>, args: &PlanArgs) -> Result<Outcome, Diagnostics> {
    let loaded = workspace.load()?;
    let warehouse = workspace.open(&loaded, Access::Read, "pipewright plan", &args.lock_timeout)?;
    let snapshot = warehouse.snapshot().map_err(fault)?;
    let mut plan = make(workspace, &loaded, &snapshot, &args.scope)?;
    cost::ask(&loaded, warehouse.as_ref(), &snapshot, &mut plan)?;
    if let Some(path) = &args.out {
        plan::save(&plan, path)?;
    }
    if args.json {
        workspace.printer.out(&plan::text(&plan)?);
    } else {
        workspace.printer.out(&plan_text(&plan));
    }
    cost::refuse_expensive(&loaded, &plan)?;
    let changes = !plan.is_empty() || !plan.orphans.is_empty();
    Ok(if args.detailed_exitcode && changes { Outcome::Changes } else { Outcome::Done })
}

/// The plan for a selection. `state:changed` is answered by a plan for everything.
pub(super) fn make(
    workspace: &Workspace<'_>,
    loaded: &LoadedProject,
    snapshot: &Snapshot,
    scope: &PlanScopeArgs,
) -> Result<Plan, Diagnostics> {
    let compiled = &loaded.compiled;
    let PlanScopeArgs { selection, prune, full_refresh } = scope;
    let (prune, full_refresh) = (*prune, *full_refresh);
    let files = files(&workspace.root, &compiled.project, snapshot)?;
    let planning = Planning { compiled, snapshot, files: &files, selected: None, prune, full_refresh };
    let everything = plan::plan(&planning)?;
    let changed: BTreeSet<Address> = everything.steps.iter().map(|step| step.address.clone()).collect();
    match selected(selection, compiled, Some(&changed))? {
        None => Ok(everything),
        Some(selected) => plan::plan(&Planning { selected: Some(&selected), ..planning }),
    }
}
