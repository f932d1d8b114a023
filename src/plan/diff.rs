//! What differs between what is remembered, what is there and what the manifest says.

use super::{ColumnChanges, Reason};
use crate::googlesql::Column;
use crate::project::{ColumnProperties, Layout};
use crate::state::{NodeState, Object, Observed, label_of_mark, mark};

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

/// What is to be done about something that somebody changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Remedy {
    /// It is built anew.
    Rebuild,
    /// It is laid out anew, with the rows that it has.
    LayOut,
    /// It is said again what was said of it.
    Describe,
    /// It stays so: rows that were brought in one run after the other cannot be made again.
    Keep,
}

/// What somebody did to an object since it was built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Alteration {
    /// In words.
    pub(super) what: String,
    pub(super) remedy: Remedy,
}

impl Alteration {
    /// Why something is built or laid out anew for it; nothing where it is not.
    pub(super) fn reason(&self, is_there: bool) -> Option<Reason> {
        match self.remedy {
            Remedy::Rebuild if is_there => Some(Reason::Drifted),
            Remedy::Rebuild => Some(Reason::Missing),
            Remedy::LayOut => Some(Reason::LayoutChanged),
            Remedy::Describe | Remedy::Keep => None,
        }
    }
}

/// What somebody did to an object since it was built, if anything. One that is gathered has rows of earlier runs, which its
/// query does not give any more.
pub(super) fn drift(
    pipeline: &str,
    address: &crate::project::Address,
    state: &NodeState,
    object: Option<&Object>,
    is_gathered: bool,
) -> Option<Alteration> {
    let change = |what: String, remedy: Remedy| Some(Alteration { what, remedy });
    let Some(object) = object else { return change("it is gone".to_owned(), Remedy::Rebuild) };
    if object.materialization != state.materialization {
        let kind = match object.materialization {
            crate::manifest::types::Materialization::View => "view",
            crate::manifest::types::Materialization::Table => "table",
        };
        return change(format!("it was replaced by a {kind}"), Remedy::Rebuild);
    }
    let mark = mark(pipeline, address, &state.data_hash);
    let is_described = object.mark() == Some(mark.as_str());
    let is_labelled =
        object.observed.as_ref().and_then(|now| now.mark.as_ref()) == Some(&label_of_mark(&mark));
    if !is_described && !is_labelled {
        return change("it was replaced, or its comment was changed".to_owned(), Remedy::Rebuild);
    }
    let (of_columns, are_added) = match &object.columns {
        now if *now == state.native_columns => (None, false),
        now => {
            let are_added = state.native_columns.iter().all(|column| now.contains(column));
            (Some(column_drift(&state.native_columns, now)), are_added)
        }
    };
    if let Some(what) = of_columns.clone().filter(|_| !(is_gathered && are_added)) {
        return change(what, Remedy::Rebuild);
    }
    let observed = state.observed.as_ref().zip(object.observed.as_ref());
    if let Some(what) = observed.and_then(|(before, now)| layout_drift(before, now, state)) {
        return change(what.to_owned(), Remedy::Rebuild);
    }
    if observed.is_some_and(|(before, now)| before.cluster_by != now.cluster_by) {
        let remedy = if is_gathered { Remedy::LayOut } else { Remedy::Rebuild };
        return change("its clustering was changed".to_owned(), remedy);
    }
    let of_rows = row_drift(state, object);
    if let Some(what) = of_rows.clone().filter(|_| !is_gathered) {
        return change(what, Remedy::Rebuild);
    }
    // What is only said of it is said again, whatever stays so beside.
    let said = if is_described { None } else { Some("its description was changed".to_owned()) };
    let said = said.or_else(|| observed.and_then(|(before, now)| settings_drift(before, now, state)));
    let stays = |what: String| format!("{what}; it stays so, unless `--full-refresh` builds it anew");
    match (said, of_columns.or(of_rows).map(stays)) {
        (None, None) => None,
        (None, Some(kept)) => change(kept, Remedy::Keep),
        (Some(said), None) => change(said, Remedy::Describe),
        (Some(said), Some(kept)) => change(format!("{said}; {kept}"), Remedy::Describe),
    }
}

/// What somebody did to the rows of a table.
fn row_drift(state: &NodeState, object: &Object) -> Option<String> {
    let observed = state.observed.as_ref().zip(object.observed.as_ref());
    // Partitions that have grown old take their rows with them.
    let expires = state.properties.partition_expires_ms.is_some()
        || state.observed.as_ref().is_some_and(|before| before.partition_expires_ms.is_some());
    match (state.rows, object.rows) {
        (Some(before), Some(now)) if now < before && expires => {}
        (Some(before), Some(now)) if before != now => {
            return Some(format!("it had {before} rows and has {now}"));
        }
        _ => {}
    }
    let written = |(before, now): (&Observed, &Observed)| before.written_ms.zip(now.written_ms);
    let (before, now) = observed.and_then(written)?;
    (now > before).then(|| "its rows were changed".to_owned())
}

/// Whether an object has the mark of a pipeline's node, of whichever build. What is remembered of the node, if it was built
/// at this place, tells the one that its label has.
pub(super) fn is_ours(
    pipeline: &str,
    address: &crate::project::Address,
    state: Option<&NodeState>,
    object: &Object,
) -> bool {
    let ours = format!("{pipeline} {address} ");
    let label = object.observed.as_ref().and_then(|now| now.mark.as_ref());
    let is_labelled = label
        .zip(state)
        .is_some_and(|(label, state)| *label == label_of_mark(&mark(pipeline, address, &state.data_hash)));
    is_labelled || object.mark().is_some_and(|mark| mark.starts_with(&ours))
}

/// What no description mends.
fn layout_drift(before: &Observed, now: &Observed, state: &NodeState) -> Option<&'static str> {
    let other_query =
        before.query.as_ref().zip(now.query.as_ref()).is_some_and(|(before, now)| before != now);
    let kind = if now.materialized_view {
        "it was replaced by a materialized view"
    } else {
        "it was replaced by a plain view"
    };
    let told = [
        (is_kept_otherwise(before, now, &state.layout), kind),
        (other_query, "its query was changed"),
        (is_parted_otherwise(before, now), "its partitioning was changed"),
    ];
    told.into_iter().find_map(|(changed, what)| changed.then_some(what))
}

/// Whether a table has other partitions than it had. How much time those of an empty one would hold is not seen.
pub(super) fn is_parted_otherwise(before: &Observed, now: &Observed) -> bool {
    let of_time = before.granularity.zip(now.granularity);
    before.partition_by != now.partition_by || of_time.is_some_and(|(before, now)| before != now)
}

/// Whether a view keeps its result that did not, or the other way round.
pub(super) fn is_kept_otherwise(before: &Observed, now: &Observed, made_as: &Layout) -> bool {
    // Not every server that makes materialized views calls them so.
    let is_known = before.materialized_view == made_as.materialized_view;
    is_known && now.materialized_view != before.materialized_view
}

/// What the manifest says of a table and somebody has said otherwise.
fn settings_drift(before: &Observed, now: &Observed, state: &NodeState) -> Option<String> {
    let said = |(name, wanted): (&String, &ColumnProperties)| {
        let now = now.columns.as_ref()?.get(&name.to_lowercase()).cloned().unwrap_or_default();
        let what = if wanted.policy_tag.is_some() && wanted.policy_tag != now.policy_tag {
            "policy tag"
        } else if wanted.description.as_ref().is_some_and(|text| !text.is_empty())
            && wanted.description != now.description
        {
            "description"
        } else {
            return None;
        };
        Some(format!("the {what} of `{name}` was changed"))
    };
    let of_columns = state.properties.columns.iter().find_map(said);
    if of_columns.is_some() {
        return of_columns;
    }
    let expires = state.properties.partition_expires_ms.is_some();
    let labels = &state.properties.labels;
    let are_there = labels.iter().all(|(name, value)| now.labels.get(name) == Some(value));
    let told = [
        (before.mark.is_some() && (now.mark.is_none() || !are_there), "its labels were changed"),
        (
            state.properties.expires_ms.is_some() && before.expires && !now.expires,
            "when it expires was changed",
        ),
        (
            expires && before.partition_expires_ms != now.partition_expires_ms,
            "how long it keeps partitions was changed",
        ),
        (
            before.require_partition_filter != now.require_partition_filter,
            "its `require_partition_filter` was changed",
        ),
    ];
    told.into_iter().find_map(|(changed, what)| changed.then(|| what.to_owned()))
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
