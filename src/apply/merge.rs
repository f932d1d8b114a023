//! New rows into an incremental table: built aside, proven, audited, brought in, the whole audited, remembered; all in
//! one transaction.

use super::step::{
    Context, Of, Refused, Work, check, placed, refuse_failures, refuse_shrinking, remembered, unsaid,
};
use crate::diag::{Code, Diagnostic};
use crate::expectations::grouped;
use crate::manifest::types::{Materialization, Strategy};
use crate::plan::{MergeAction, Step};
use crate::warehouse::{Relation, Result, Session};

pub(super) fn perform_merge(
    context: &Context<'_>,
    step: &Step,
    relation: &Relation,
    merge: &MergeAction,
    session: &mut dyn Session,
    work: &mut Work,
) -> Result<()> {
    let at = relation.sibling(&merge.publish.build_name);
    let record = &merge.publish.record;
    let personal = &merge.publish.audit.personal;
    session
        .build(&at, Materialization::Table, &merge.native, None)
        .map_err(unsaid(&merge.native, personal))
        .map_err(|error| placed(context, step, error, &(&at, Materialization::Table, None)))?;
    let Some(before) = session.recall(&step.address)? else {
        return Err(Diagnostic::error(Code::StalePlan, "nothing is remembered of the table any more")
            .help("plan again: it is built anew then")
            .into());
    };
    let of = Of { table: Some(&at), columns: &record.columns, before: Some(&before), reading: None };
    let new = check(context, &merge.audit_of_new, &of, session, work)?;
    work.refused = Refused::new(&at, relation, Materialization::Table, &merge.publish);
    refuse_failures(work)?;
    prove(session, merge.proof.as_deref())?;
    // From here on the published table is touched: a refusal takes all of that back first.
    work.refused = work.refused.take().map(|kept| Refused { again: Some(merge.native.clone()), ..kept });
    let into = relation.sibling(&merge.into);
    session.prepare_merge(relation, &into, &merge.publish)?;
    for statement in &merge.statements {
        session.execute(statement)?;
    }
    let of = Of { table: Some(&into), ..of };
    let size = check(context, &merge.publish.audit, &of, session, work)?;
    refuse_failures(work)?;
    refuse_shrinking(context, &merge.publish, size, Some(&before))?;
    work.refused = None;
    let new_rows = new.map(|(rows, _)| rows);
    // Partitions that have grown old since have taken their rows with them.
    let expires = before.properties.partition_expires_ms.is_some()
        || before.observed.as_ref().is_some_and(|observed| observed.partition_expires_ms.is_some());
    let counted = merge.rows_there.or(before.rows).filter(|_| !expires);
    account(merge.strategy, counted, new_rows, size.map(|(rows, _)| rows))?;
    session.remove(&at, Materialization::Table)?;
    let columns = session.columns(&into)?;
    session.publish_merge(&into, relation, &merge.publish)?;
    if merge.publish.failed_before {
        session.remove_failed(relation)?;
    }
    work.rows = size.map(|(rows, _)| rows);
    work.bytes = size.map(|(_, bytes)| bytes);
    work.new_rows = new_rows;
    let state = remembered(context, step, record, Materialization::Table, columns, work);
    session.remember(&step.address, &state)
}

/// A key that is no key would lose rows without a word.
pub(super) fn prove(session: &mut dyn Session, proof: Option<&str>) -> Result<()> {
    let Some(sql) = proof else { return Ok(()) };
    let answers = session.answers(sql)?;
    let count = |at: usize| answers.get(at).cloned().flatten().and_then(|count| count.parse::<u64>().ok());
    let (lacking, repeated) = match (count(0), count(1)) {
        (Some(0), Some(0)) => return Ok(()),
        (Some(lacking), Some(repeated)) => (lacking, repeated),
        _ => {
            let message = "the query that proves the key gave no counts";
            return Err(Diagnostic::error(Code::Internal, message).into());
        }
    };
    let message = match (lacking, repeated) {
        (0, repeated) => format!("keys that several rows have: {}", grouped(repeated)),
        (lacking, 0) => format!("rows without a value of the key: {}", grouped(lacking)),
        (lacking, repeated) => format!(
            "rows without a value of the key: {}; keys that several rows have: {}",
            grouped(lacking),
            grouped(repeated)
        ),
    };
    Err(Diagnostic::error(Code::KeyNotUnique, message)
        .help(
            "the published table stays as it was; make the query give one row for each key, or name the columns that do \
             tell rows apart",
        )
        .into())
}

/// Rows before, new rows and rows after must agree, as far as the strategy says how.
fn account(strategy: Strategy, before: Option<u64>, new: Option<u64>, after: Option<u64>) -> Result<()> {
    let (Some(before), Some(new), Some(after)) = (before, new, after) else { return Ok(()) };
    let agrees = match strategy {
        Strategy::Append => after == before + new,
        Strategy::Merge => after >= before.max(new) && after <= before + new,
        Strategy::InsertOverwrite => after >= new && after <= before + new,
    };
    if agrees {
        return Ok(());
    }
    let message = format!(
        "the table had {} rows, {} new ones came, and it has {}",
        grouped(before),
        grouped(new),
        grouped(after)
    );
    Err(Diagnostic::error(Code::RowsLost, message)
        .help("nothing was published; this is a fault of Pipewright, please report it")
        .into())
}
