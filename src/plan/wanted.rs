//! How a table is to be laid out and what is to be said of it, where the target has a place for it.

use super::diff::{is_kept_otherwise, is_parted_otherwise};
use super::{Publish, Record};
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

/// A fingerprint with a layout. None leaves it as it was before there were any.
pub(super) fn with_layout(print: Fingerprint, layout: &Layout) -> Fingerprint {
    if *layout == Layout::default() { print } else { print.text(&serde_json::json!(layout).to_string()) }
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
                    ("partitioning", is_parted_otherwise(before, now)),
                    ("clustering", before.cluster_by != now.cluster_by),
                    ("way it is kept", is_kept_otherwise(before, now, &state.layout)),
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

/// BigQuery changes no more partitions of a table in a day.
///
/// Source: <https://cloud.google.com/bigquery/quotas#partitioned_tables>.
const CHANGED_A_DAY: u64 = 30_000;

/// BigQuery writes no more partitions in one go.
///
/// Source: as above.
const WRITTEN_AT_ONCE: u64 = 4_000;

/// Who builds every hour publishes so often.
const OFTEN: u64 = 24;

/// What is to be known of a table that is published over one with as many partitions as there are: all of them are changed,
/// and, where it is built anew, written.
pub(super) fn seldom(publish: &Publish, object: Option<&Object>, is_built_anew: bool) -> Option<String> {
    let is_parted = publish.relaid.is_empty() && publish.record.layout.partition.is_some();
    let partitions = object?.partitions.filter(|_| is_parted)?;
    if is_built_anew && partitions > WRITTEN_AT_ONCE {
        return Some(format!(
            "it has {partitions} partitions, and BigQuery writes {WRITTEN_AT_ONCE} in one go: building it anew may be refused"
        ));
    }
    let times = CHANGED_A_DAY / partitions.max(1);
    (times < OFTEN).then(|| {
        format!(
            "publishing it changes all of its {partitions} partitions; BigQuery lets {CHANGED_A_DAY} of a table be changed in a \
             day: it can be published {times} times"
        )
    })
}
