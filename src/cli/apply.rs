//! `apply`.

use std::path::Path;

use super::args::{ApplyArgs, PlanScopeArgs};
use super::places::{place, place_in_query};
use super::plan::{deferral, make, told};
use super::workspace::{LoadedProject, Workspace, fault};
use super::{Outcome, checkpoint, confirm, cost, stop, unheld, usage};
use crate::apply::{Ended, Running, Status, apply};
use crate::clock::SystemClock;
use crate::diag::{Code, Diagnostic, Diagnostics};
use crate::manifest::types::Target;
use crate::plan::{self, DatasetChange, Plan};
use crate::state::{FileState, Snapshot};
use crate::view::{Reporter, run_text};
use crate::warehouse::duckdb::file as database;
use crate::warehouse::{Access, Warehouse};

pub(super) fn run(workspace: &Workspace<'_>, args: &ApplyArgs) -> Result<Outcome, Diagnostics> {
    let printer = workspace.printer;
    let loaded = workspace.load()?;
    deferral(&loaded.compiled, &args.scope)?;
    let saved = args.plan.as_deref().map(|path| saved_plan(args, path)).transpose()?;
    let decided = |snapshot: &Snapshot, target: Option<&dyn Warehouse>| -> Result<Plan, Diagnostics> {
        let now = make(workspace, &loaded, snapshot, target, &args.scope)?;
        match &saved {
            Some(saved) => refuse_stale(saved, &now).map(|()| saved.clone()).map_err(Diagnostics::from),
            None => Ok(now),
        }
    };
    // Opening makes the file: what is refused for a target without one is refused before.
    let unmade = Snapshot::default();
    let early = if has_file(workspace, &loaded) { None } else { Some(decided(&unmade, None)?) };
    let warehouse = workspace.open(&loaded, Access::Write, "pipewright apply", &args.lock_timeout)?;
    let snapshot = warehouse.snapshot().map_err(fault)?;
    let mut plan = match early {
        Some(plan) if snapshot == unmade => plan,
        _ => decided(&snapshot, Some(warehouse.as_ref()))?,
    };
    if saved.is_none() {
        cost::ask(&loaded, warehouse.as_ref(), &snapshot, &mut plan)?;
    }
    unheld::tell(workspace, &loaded.compiled);
    if plan.is_empty() && !warehouse.is_left_halfway() {
        if !args.json {
            printer.out(&told(&loaded.compiled, &plan));
        }
        return Ok(Outcome::Done);
    }
    if !args.json {
        printer.out(&told(&loaded.compiled, &plan));
        printer.out("\n");
    }
    cost::refuse_expensive(&loaded, &plan)?;
    let drops = plan.drops().count();
    if drops > 0 && !args.yes {
        confirm::drops(printer, drops)?;
    }
    let cancel = stop::on_signal();
    let reporter = Reporter::new(printer, args.json);
    let Ended { report, unrecorded } = apply(
        &plan,
        &Running {
            warehouse: warehouse.as_ref(),
            root: &workspace.root,
            threads: threads(args.threads, loaded.compiled.target_settings()),
            command: "apply",
            by: &who(),
            clock: &SystemClock,
            cancel: &cancel,
            keep_history: loaded.compiled.project.keep_history,
            allow_shrink: args.allow_shrink,
            place: &|step, place| place_in_query(&loaded.compiled, step, place),
            listener: &|event| reporter.event(event),
        },
    )
    .map_err(fault)?;
    if !args.json {
        printer.out(&run_text(&report, &|address| place(&loaded.compiled, address)));
    }
    if let Some(error) = unrecorded {
        return Err(fault(error));
    }
    let checkpoints = checkpoint::after_run(workspace, &loaded.compiled, warehouse.as_ref(), &report)?;
    if !args.json {
        printer.out(&checkpoints);
    }
    Ok(match report.status {
        Status::Done => Outcome::Done,
        Status::Failed | Status::HeldBack => Outcome::Failed,
        Status::Interrupted => Outcome::Unexpected,
    })
}

fn saved_plan(args: &ApplyArgs, path: &Path) -> Result<Plan, Diagnostics> {
    let PlanScopeArgs { selection, prune, full_refresh, defer } = &args.scope;
    let selects = !selection.select.is_empty() || !selection.exclude.is_empty();
    if selects || *prune || *full_refresh || defer.is_some() {
        return Err(usage("a saved plan is carried out as it is")
            .help("give the selection to `plan`")
            .into());
    }
    Ok(plan::load(path)?)
}

/// Whether the target is there already. One that no file is made for counts as being there.
fn has_file(workspace: &Workspace<'_>, loaded: &LoadedProject) -> bool {
    match loaded.compiled.target_settings() {
        Some(Target::DuckDb(settings)) => database(&workspace.root, settings).exists(),
        _ => true,
    }
}

/// A saved plan fits only the state, the manifest and the files that it was made from.
fn refuse_stale(saved: &Plan, now: &Plan) -> Result<(), Diagnostic> {
    let why = if saved.pipeline != now.pipeline || saved.target != now.target {
        format!(
            "it is for {} on {}, not for {} on {}",
            saved.pipeline, saved.target, now.pipeline, now.target
        )
    } else if saved.lineage != now.lineage {
        "it was made for another database".to_owned()
    } else if saved.serial != now.serial {
        "the target was changed by another run since".to_owned()
    } else if saved.manifest != now.manifest {
        "the manifest was changed since".to_owned()
    } else if saved.drift != now.drift {
        "the target was changed outside of Pipewright since".to_owned()
    } else if !same_datasets(saved, now) {
        "datasets of the target were made or changed outside of Pipewright since".to_owned()
    } else {
        let files = |plan: &Plan| -> Vec<_> {
            plan.steps
                .iter()
                .filter_map(|step| match &step.action {
                    // A file that was only touched is the same file.
                    plan::Action::Load(load) => {
                        let same = |file: &FileState| (file.path.clone(), file.hash.clone());
                        Some((step.address.clone(), load.reading.files.iter().map(same).collect::<Vec<_>>()))
                    }
                    _ => None,
                })
                .collect()
        };
        let (planned, found) = (files(saved), files(now));
        if planned.iter().all(|step| found.contains(step)) {
            return Ok(());
        }
        "files were changed since".to_owned()
    };
    // It may be what is wanted, and only not said.
    if saved.pipeline == now.pipeline && saved.target != now.target {
        return Err(Diagnostic::error(Code::StalePlan, format!("the saved plan is another target's: {why}"))
            .help(format!("name its target: `pipewright apply -t {} FILE`", saved.target)));
    }
    Err(Diagnostic::error(Code::StalePlan, format!("the saved plan is stale: {why}"))
        .help("look at a new plan: `pipewright plan --out FILE`"))
}

/// Whether datasets are as they were planned with. Those that a selection left out are not: they were not, either.
fn same_datasets(saved: &Plan, now: &Plan) -> bool {
    let left_out = |change: &&DatasetChange| !saved.datasets_left_out.contains(&change.dataset);
    now.dataset_changes.iter().filter(left_out).eq(&saved.dataset_changes)
}

/// The most steps at a time: what was asked for, else what the target is fit for.
pub(super) fn threads(asked: Option<usize>, target: Option<&Target>) -> usize {
    asked.unwrap_or_else(|| match target {
        Some(Target::BigQuery(settings)) => usize::try_from(settings.threads).unwrap_or(1),
        _ => std::thread::available_parallelism().map_or(1, usize::from),
    })
}

/// Who runs this, and where.
pub(super) fn who() -> String {
    let user =
        std::env::var("USER").or_else(|_| std::env::var("USERNAME")).unwrap_or_else(|_| "unknown".to_owned());
    format!("{user}@{}", gethostname::gethostname().to_string_lossy())
}
