//! When an incremental table takes new rows, and when it is built anew.

use super::planner::Planning;
use super::{ColumnChanges, MergeAction, Publish, Reason, diff};
use crate::compile::CompiledNode;
use crate::diag::{Code, Diagnostic, Diagnostics};
use crate::fingerprint::Fingerprint;
use crate::googlesql::Column;
use crate::manifest::types::{OnQueryChange, OnSchemaChange};
use crate::project::{Increment, Node};

/// A fingerprint with the way that new rows take into a table. Their query is not in it: rows that are there do not come
/// from it.
pub(super) fn with_strategy(print: Fingerprint, settings: &Increment) -> Fingerprint {
    let key = settings.key.iter().map(|(name, _)| name.as_str());
    print.text(settings.strategy.verb()).texts(key)
}

/// The query that proves a key of what was built.
pub(super) fn proof(compiled: &CompiledNode) -> Option<String> {
    compiled.increment.as_ref()?.proof.as_ref().map(|proof| proof.native.clone())
}

/// The step that brings new rows into a table, or the way to publish a whole one back where it must be built anew.
///
/// # Errors
/// Columns that have changed in a way that the manifest does not allow.
pub(super) fn merge(
    planning: &Planning<'_>,
    node: &Node,
    compiled: &CompiledNode,
    reasons: &[Reason],
    before: &[Column],
    mut publish: Publish,
) -> Result<Result<MergeAction, Publish>, Diagnostics> {
    let Some((settings, increment)) = planning.compiled.increment(node) else { return Ok(Err(publish)) };
    let goes_on = |reason: &Reason| match reason {
        Reason::UpstreamChanged => true,
        Reason::QueryChanged => settings.on_query_change == OnQueryChange::Keep,
        _ => false,
    };
    if !reasons.iter().all(goes_on) {
        return Ok(Err(publish));
    }
    let changes = diff::columns(before, &compiled.columns);
    let added = match settings.on_schema_change {
        _ if changes.is_empty() => Vec::new(),
        OnSchemaChange::Add if changes.removed.is_empty() && changes.retyped.is_empty() => {
            planning.compiled.adding(node, &changes.added)?
        }
        OnSchemaChange::Rebuild if settings.on_query_change == OnQueryChange::Rebuild => {
            return Ok(Err(publish));
        }
        _ => return Err(refused(node, &changes).into()),
    };
    let (audit_of_new, audit) = planning.compiled.audits_of_increment(&node.address)?;
    publish.audit = audit;
    Ok(Ok(MergeAction {
        strategy: settings.strategy,
        native: increment.query.native.clone(),
        audit_of_new,
        proof: proof(compiled),
        statements: added
            .into_iter()
            .chain(increment.statements.iter().map(|statement| statement.native.clone()))
            .collect(),
        publish,
    }))
}

fn refused(node: &Node, changes: &ColumnChanges) -> Diagnostic {
    let name = |column: &Column| format!("`{}`", column.name);
    let told = [
        ("new", changes.added.iter().map(name).collect::<Vec<_>>()),
        ("gone", changes.removed.iter().map(name).collect()),
        ("of another type", changes.retyped.iter().map(|(column, _)| name(column)).collect()),
    ];
    let told: Vec<String> = told
        .into_iter()
        .filter(|(_, names)| !names.is_empty())
        .map(|(what, names)| format!("{} {what}", names.join(", ")))
        .collect();
    Diagnostic::error(Code::IncrementRefused, format!("its columns have changed: {}", told.join("; ")))
        .at(node.span.clone(), "the table keeps its rows")
        .about(node.address.to_string())
        .help(
            "`on_schema_change: add` takes further columns in; `pipewright apply --full-refresh --select NAME` builds \
             the table anew",
        )
}
