//! `plan`.

use std::collections::BTreeSet;

use super::args::{PlanArgs, PlanScopeArgs};
use super::cost;
use super::workspace::{LoadedProject, Workspace, fault, files, selected};
use super::{Outcome, unheld, usage};
use crate::compile::{CompiledProject, Dialect, Naming};
use crate::diag::{Diagnostic, Diagnostics};
use crate::manifest::types::Target;
use crate::plan::{self, Deferral, Plan, Planning};
use crate::project::Address;
use crate::state::Snapshot;
use crate::view::plan_text;
use crate::warehouse::{Access, Warehouse};

pub(super) fn run(workspace: &Workspace<'_>, args: &PlanArgs) -> Result<Outcome, Diagnostics> {
    let loaded = workspace.load()?;
    deferral(&loaded.compiled, &args.scope)?;
    let warehouse = workspace.open(&loaded, Access::Read, "pipewright plan", &args.lock_timeout)?;
    let snapshot = warehouse.snapshot().map_err(fault)?;
    let mut plan = make(workspace, &loaded, &snapshot, Some(warehouse.as_ref()), &args.scope)?;
    cost::ask(&loaded, warehouse.as_ref(), &snapshot, &mut plan)?;
    if let Some(path) = &args.out {
        plan::save(&plan, path)?;
    }
    unheld::tell(workspace, &loaded.compiled);
    if args.json {
        workspace.printer.out(&plan::text(&plan)?);
    } else {
        workspace.printer.out(&told(&loaded.compiled, &plan));
    }
    cost::refuse_expensive(&loaded, &plan)?;
    let changes = !plan.is_empty() || !plan.orphans.is_empty();
    Ok(if args.detailed_exitcode && changes { Outcome::Changes } else { Outcome::Done })
}

/// A plan as people read it. What is done in a sandbox is told as such: its datasets have other names than the manifest's.
pub(super) fn told(compiled: &CompiledProject, plan: &Plan) -> String {
    let prefix = match compiled.target_settings() {
        Some(Target::BigQuery(settings)) => settings.dataset_prefix.clone().unwrap_or_default(),
        _ => String::new(),
    };
    let text = plan_text(plan);
    if prefix.is_empty() {
        return text;
    }
    format!("In `{}`, where names of datasets begin with `{prefix}`:\n\n{text}", compiled.target)
}

/// The plan for a selection, for a target that may not be open yet. `state:changed` is answered by a plan for everything.
pub(super) fn make(
    workspace: &Workspace<'_>,
    loaded: &LoadedProject,
    snapshot: &Snapshot,
    target: Option<&dyn Warehouse>,
    scope: &PlanScopeArgs,
) -> Result<Plan, Diagnostics> {
    let compiled = &loaded.compiled;
    let PlanScopeArgs { selection, prune, full_refresh, defer: _ } = scope;
    let defer = deferral(compiled, scope)?;
    let defer = defer.as_ref();
    let (prune, full_refresh) = (*prune, *full_refresh);
    let files = files(&workspace.root, &compiled.project, snapshot, target)?;
    let planning = Planning { compiled, snapshot, files: &files, selected: None, prune, full_refresh, defer };
    let everything = plan::plan(&planning)?;
    let changed: BTreeSet<Address> = everything.steps.iter().map(|step| step.address.clone()).collect();
    match selected(selection, compiled, Some(&changed))? {
        None => Ok(everything),
        Some(selected) => plan::plan(&Planning { selected: Some(&selected), ..planning }),
    }
}

/// The other target to read from, if one was named.
///
/// # Errors
/// That it is none from which this one can read.
pub(super) fn deferral(
    compiled: &CompiledProject,
    scope: &PlanScopeArgs,
) -> Result<Option<Deferral>, Diagnostic> {
    let Some(target) = scope.defer.as_deref() else { return Ok(None) };
    let naming = Naming::new(&compiled.project, target)?;
    if naming.dialect != Dialect::BigQuery || compiled.naming.dialect != Dialect::BigQuery {
        let message = format!("`--defer {target}`: tables are read from one target of BigQuery for another");
        return Err(usage(message).help("the embedded engine builds what is missing: `--select +NAME`"));
    }
    if naming == compiled.naming {
        return Err(usage(format!("`--defer {target}` names the place that the plan is for")));
    }
    Ok(Some(Deferral { target: target.to_owned(), naming }))
}
