//! What differs between what is remembered, what is there and what the manifest says.

use super::ColumnChanges;
use crate::googlesql::Column;
use crate::state::{NodeState, Object, Observed, mark};

/// How columns change from one list to the other; names are compared without case.
pub(super) fn columns(before: &[Column], after: &[Column]) -> ColumnChanges {
    let find = |columns: &[Column], name: &str| {
        columns.iter().find(|column| column.name.eq_ignore_ascii_case(name)).cloned()
    };
    ColumnChanges {
        added: after.iter().filter(|column| find(before, &column.name).is_none()).cloned().collect(),
        removed: before.iter().filter(|column| find(after, &column.name).is_none()).cloned().collect(),
        retyped: before
            .iter()
            .filter_map(|old| {
                let new = find(after, &old.name)?;
                (new.data_type != old.data_type).then(|| (old.clone(), new))
            })
            .collect(),
    }
}

/// What somebody did to an object since it was built, in words.
pub(super) fn drift(
    pipeline: &str,
    address: &crate::project::Address,
    state: &NodeState,
    object: Option<&Object>,
) -> Option<String> {
    let Some(object) = object else { return Some("it is gone".to_owned()) };
    if object.materialization != state.materialization {
        let kind = match object.materialization {
            crate::manifest::types::Materialization::View => "view",
            crate::manifest::types::Materialization::Table => "table",
        };
        return Some(format!("it was replaced by a {kind}"));
    }
    if object.mark() != Some(mark(pipeline, address, &state.data_hash).as_str()) {
        return Some("it was replaced, or its comment was changed".to_owned());
    }
    if object.columns != state.native_columns {
        return Some(column_drift(&state.native_columns, &object.columns));
    }
    if let (Some(before), Some(now)) = (&state.observed, &object.observed)
        && let Some(what) = layout_drift(before, now)
    {
        return Some(what.to_owned());
    }
    match (state.rows, object.rows) {
        // Partitions that have grown old take their rows with them.
        (Some(before), Some(now)) if now < before && state.properties.partition_expires_ms.is_some() => None,
        (Some(before), Some(now)) if before != now => Some(format!("it had {before} rows and has {now}")),
        _ => None,
    }
}

/// Whether an object has the mark of a pipeline's node, of whichever build.
pub(super) fn is_ours(pipeline: &str, address: &crate::project::Address, object: &Object) -> bool {
    let ours = format!("{pipeline} {address} ");
    object.mark().is_some_and(|mark| mark.starts_with(&ours))
}

fn layout_drift(before: &Observed, now: &Observed) -> Option<&'static str> {
    let told = [
        (before.partition_by != now.partition_by, "its partitioning was changed"),
        (before.cluster_by != now.cluster_by, "its clustering was changed"),
        (before.partition_expires_ms != now.partition_expires_ms, "how long it keeps partitions was changed"),
        (
            before.require_partition_filter != now.require_partition_filter,
            "whether it may be read as a whole was changed",
        ),
    ];
    told.into_iter().find_map(|(changed, what)| changed.then_some(what))
}

fn column_drift(before: &[(String, String)], now: &[(String, String)]) -> String {
    let missing: Vec<&str> =
        before.iter().filter(|column| !now.contains(column)).map(|(name, _)| name.as_str()).collect();
    let new: Vec<&str> =
        now.iter().filter(|column| !before.contains(column)).map(|(name, _)| name.as_str()).collect();
    match (missing.as_slice(), new.as_slice()) {
        ([], []) => "the order of its columns was changed".to_owned(),
        ([], new) => format!("columns were added: {}", new.join(", ")),
        (missing, []) => format!("columns were removed: {}", missing.join(", ")),
        (missing, _) => format!("columns were changed: {}", missing.join(", ")),
    }
}
