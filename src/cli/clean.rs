//! `clean`: everything that Pipewright made in a target, dropped; nothing else.

use super::workspace::{Workspace, fault};
use super::{Outcome, confirm};
use crate::diag::Diagnostics;
use crate::state::mark;
use crate::view::plural;
use crate::warehouse::{Access, Relation};

pub(super) fn run(workspace: &Workspace<'_>, yes: bool) -> Result<Outcome, Diagnostics> {
    let printer = workspace.printer;
    let loaded = workspace.load()?;
    let pipeline = &loaded.compiled.project.name;
    let warehouse = workspace.open(&loaded, Access::Write, "pipewright clean", "0s")?;
    let snapshot = warehouse.snapshot().map_err(fault)?;
    let mut made: Vec<_> = snapshot
        .state
        .nodes
        .iter()
        .filter_map(|(address, state)| {
            let object = snapshot.objects.get(&state.relation)?;
            let ours = object.mark() == Some(mark(pipeline, address, &state.data_hash).as_str());
            ours.then(|| (address.clone(), Relation::parse(&state.relation), object.materialization))
        })
        .collect();
    // Views first: they read tables.
    made.sort_by_key(|(address, _, kind)| (*kind, address.clone()));
    if made.is_empty() {
        printer.note("There is nothing of this pipeline in the target.");
        return Ok(Outcome::Done);
    }
    // As the target names them: there may be others of the same names without its prefix.
    let naming = &loaded.compiled.naming;
    for (_, relation, _) in &made {
        printer.out(&format!("  - {}\n", naming.path(&relation.dataset, &relation.table)));
    }
    if !yes {
        confirm::drops(printer, made.len())?;
    }
    let mut session = warehouse.session().map_err(fault)?;
    session.begin("clean").map_err(fault)?;
    for (address, relation, kind) in &made {
        session.remove(relation, *kind).map_err(fault)?;
        session.remove_rejects(relation).map_err(fault)?;
        session.forget(address).map_err(fault)?;
    }
    session.commit().map_err(fault)?;
    printer.note(&format!("{} dropped.", plural(made.len(), "object", "objects")));
    Ok(Outcome::Done)
}
