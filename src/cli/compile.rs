//! `compile`: the SQL that runs on a target.

use super::workspace::Workspace;
use super::{Outcome, usage};
use crate::compile::CompiledQuery;
use crate::diag::{Diagnostics, did_you_mean};

pub(super) fn run(workspace: &Workspace<'_>, names: &[String], google: bool) -> Result<Outcome, Diagnostics> {
    let loaded = workspace.load()?;
    let compiled = &loaded.compiled;
    let models = compiled
        .nodes
        .values()
        .filter_map(|node| Some((node.address.to_string(), node.address.name.clone(), node.query.as_ref()?)));
    let tiles = compiled.tiles.iter().map(|tile| (tile.address.clone(), tile.address.clone(), &tile.query));
    let all: Vec<(String, String, &CompiledQuery)> = models.chain(tiles).collect();
    let mut chosen = Vec::new();
    for wanted in names {
        match all.iter().find(|(address, name, _)| address == wanted || name == wanted) {
            Some(found) => chosen.push(found),
            None => {
                let known = all.iter().map(|(address, name, _)| if address == name { address } else { name });
                return Err(usage(format!("there is no model or tile `{wanted}`"))
                    .maybe_help(did_you_mean(wanted, known.map(String::as_str)))
                    .into());
            }
        }
    }
    if names.is_empty() {
        chosen.extend(all.iter().filter(|(address, _, _)| address.starts_with("model.")));
    }
    for (index, (address, _, query)) in chosen.iter().enumerate() {
        let sql = if google { &query.google } else { &query.native };
        let gap = if index == 0 { "" } else { "\n" };
        workspace.printer.out(&format!("{gap}-- {address}\n{};\n", sql.trim_end()));
    }
    Ok(Outcome::Done)
}
