//! When an incremental table takes new rows, and when it is built anew.

use super::planner::Planning;
use super::{ColumnChanges, MergeAction, Publish, Reason, diff};
use crate::compile::CompiledNode;
use crate::diag::{Code, Diagnostic, Diagnostics};
use crate::expectations::Audit;
use crate::fingerprint::Fingerprint;
use crate::googlesql::Column;
use crate::manifest::types::{OnQueryChange, OnSchemaChange, Strategy};
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

/// What brings new rows into a table that is there.
pub(super) struct NewRows {
    strategy: Strategy,
    native: String,
    proof: Option<String>,
    audit_of_new: Audit,
    audit_of_table: Audit,
    into: String,
    statements: Vec<String>,
    /// What one should know of it.
    pub(super) warning: Option<String>,
}

impl NewRows {
    /// The step of it.
    pub(super) fn action(self, publish: Publish, rows_there: Option<u64>) -> MergeAction {
        let Self { strategy, native, proof, audit_of_new, audit_of_table, into, statements, warning: _ } =
            self;
        let publish = Publish { audit: audit_of_table, ..publish };
        MergeAction { strategy, native, audit_of_new, proof, into, statements, rows_there, publish }
    }
}

/// The new rows of a table that is to change for some reasons; nothing where it must be built anew.
///
/// # Errors
/// Columns that have changed in a way that the manifest does not allow.
pub(super) fn new_rows(
    planning: &Planning<'_>,
    node: &Node,
    compiled: &CompiledNode,
    reasons: &[Reason],
    before: &[Column],
) -> Result<Option<NewRows>, Diagnostics> {
    let Some((settings, increment)) = planning.compiled.increment(node) else { return Ok(None) };
    let goes_on = |reason: &Reason| match reason {
        // The rows that are there are laid out anew.
        Reason::UpstreamChanged | Reason::LayoutChanged => true,
        // Where that is a reason to build, it is only to check what is built.
        Reason::ExpectationsChanged | Reason::ReferencesChanged => true,
        Reason::QueryChanged => settings.on_query_change == OnQueryChange::Keep,
        _ => false,
    };
    if !reasons.iter().all(goes_on) {
        return Ok(None);
    }
    let changes = diff::columns(before, &compiled.columns);
    let mut statements = match settings.on_schema_change {
        _ if changes.is_empty() => Vec::new(),
        OnSchemaChange::Add if changes.removed.is_empty() && changes.retyped.is_empty() => {
            vec![planning.compiled.adding(node, &changes.added)?]
        }
        OnSchemaChange::Rebuild if settings.on_query_change == OnQueryChange::Rebuild => return Ok(None),
        _ => return Err(refused(node, &changes).into()),
    };
    statements.extend(increment.statements.iter().map(|statement| statement.native.clone()));
    let (audit_of_new, audit_of_table) = planning.compiled.audits_of_increment(&node.address)?;
    Ok(Some(NewRows {
        strategy: settings.strategy,
        native: increment.query.native.clone(),
        proof: proof(compiled),
        audit_of_new,
        audit_of_table,
        into: planning.compiled.naming.merged(node),
        statements,
        warning: increment.reads_whole_table.then(|| {
            let why = match settings.strategy {
                Strategy::InsertOverwrite => {
                    "BigQuery makes no partitions by the column of `incremental.partition_by`"
                }
                Strategy::Append | Strategy::Merge => "`partition_by` names no column of `unique_key`",
            };
            format!("the whole table is read to bring new rows in: {why}")
        }),
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
