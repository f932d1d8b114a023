//! How a table is to be laid out and what is to be said of it, where the target has a place for it.

use super::Record;
use crate::compile::{CompiledNode, CompiledProject, Dialect};
use crate::fingerprint::Fingerprint;
use crate::project::{Layout, Node, Properties};
use crate::state::{NodeState, Object};

/// The layout of a node's table.
pub(super) fn layout(project: &CompiledProject, compiled: &CompiledNode) -> Layout {
    match project.naming.dialect {
        Dialect::BigQuery => compiled.layout.clone(),
        Dialect::DuckDb => Layout::default(),
    }
}

/// What is to be said of a node's table.
pub(super) fn properties(project: &CompiledProject, node: &Node) -> Properties {
    match project.naming.dialect {
        Dialect::BigQuery => node.properties.clone(),
        Dialect::DuckDb => Properties::default(),
    }
}

/// A fingerprint with the layout. None leaves it as it was before there were any.
pub(super) fn with_layout(
    print: Fingerprint,
    project: &CompiledProject,
    compiled: &CompiledNode,
) -> Fingerprint {
    let layout = layout(project, compiled);
    if layout == Layout::default() { print } else { print.text(&serde_json::json!(layout).to_string()) }
}

/// A fingerprint with what is to be said.
pub(super) fn with_properties(print: Fingerprint, project: &CompiledProject, node: &Node) -> Fingerprint {
    let properties = properties(project, node);
    if properties == Properties::default() {
        return print;
    }
    print.text(&serde_json::json!(properties).to_string())
}

/// What changes in the layout of a table that is there, because the manifest says so or because somebody else has changed
/// it.
pub(super) fn relaid(
    node: &Node,
    state: Option<&NodeState>,
    object: Option<&Object>,
    record: &Record,
) -> Vec<String> {
    match (state, object) {
        (Some(state), Some(object))
            if state.relation == node.relation() && object.materialization == node.materialization() =>
        {
            let mut changes = record.layout.differs(&state.layout);
            if let (Some(before), Some(now)) = (&state.observed, &object.observed) {
                let others = [
                    ("partitioning", before.partition_by != now.partition_by),
                    ("clustering", before.cluster_by != now.cluster_by),
                ];
                for (what, _) in others.into_iter().filter(|(_, differs)| *differs) {
                    if !changes.iter().any(|known| known == what) {
                        changes.push(what.to_owned());
                    }
                }
            }
            changes
        }
        _ => Vec::new(),
    }
}
