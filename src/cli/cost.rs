//! What a plan costs: asked of targets that bill for reading, held against their limits.

use super::workspace::{LoadedProject, fault};
use crate::compile::CompiledProject;
use crate::diag::{Code, Diagnostic, Diagnostics};
use crate::manifest::types::{BigQueryTarget, Target};
use crate::plan::{Plan, appraise, questions};
use crate::state::Snapshot;
use crate::view::bytes;
use crate::warehouse::Warehouse;

/// Writes into a plan what its steps will cost; nothing on targets that bill for nothing.
///
/// # Errors
/// Queries that the target refuses, or that it cannot be asked.
pub(super) fn ask(
    loaded: &LoadedProject,
    warehouse: &dyn Warehouse,
    snapshot: &Snapshot,
    plan: &mut Plan,
) -> Result<(), Diagnostics> {
    let compiled = &loaded.compiled;
    let Some(Target::BigQuery(settings)) = compiled.target_settings() else { return Ok(()) };
    if plan.is_empty() {
        return Ok(());
    }
    let questions = questions(plan, compiled, snapshot);
    let queries: Vec<&str> = questions.iter().filter_map(|question| question.sql()).collect();
    let mut answers = warehouse.dry_run(&queries).map_err(fault)?.into_iter();
    let answered: Vec<_> = questions
        .into_iter()
        .map(|question| {
            let answer = question.sql().is_some().then(|| answers.next()).flatten();
            (question, answer)
        })
        .collect();
    appraise(plan, compiled, settings.price_per_tib, &answered)
}

/// Refuses a plan that costs more than it may.
///
/// # Errors
/// Each step that is too expensive, and the whole if it is.
pub(super) fn refuse_expensive(loaded: &LoadedProject, plan: &Plan) -> Result<(), Diagnostics> {
    match loaded.compiled.target_settings() {
        Some(Target::BigQuery(settings)) => over_limits(plan, &loaded.compiled, settings).into_result(()),
        _ => Ok(()),
    }
}

/// What a plan may not cost.
fn over_limits(plan: &Plan, compiled: &CompiledProject, limits: &BigQueryTarget) -> Diagnostics {
    let mut faults = Diagnostics::new();
    if let Some(limit) = limits.max_bytes_per_job {
        for step in &plan.steps {
            let Some(cost) = step.estimate.cost.filter(|cost| cost.dearest > limit.0) else { continue };
            let span = compiled.node(&step.address).map(|node| node.span.clone());
            let message = format!(
                "a query of it would be billed for {}{}, and `max_bytes_per_job` of the target is {limit}",
                cost.dearest_accuracy.words(),
                bytes(cost.dearest)
            );
            faults.push(
                Diagnostic::error(Code::TooExpensive, message)
                    .maybe_at(span, "too expensive")
                    .about(step.address.to_string())
                    .help("make it read less (partitions, fewer columns), or raise the limit"),
            );
        }
    }
    let (limit, bill) = (limits.max_bytes_per_run, plan.cost.unwrap_or_default());
    if let Some(limit) = limit.filter(|limit| bill.billed() > limit.0) {
        let message = format!(
            "the plan would be billed for {}{}, Pipewright's own bookkeeping included, and `max_bytes_per_run` of the \
             target is {limit}",
            bill.accuracy().words(),
            bytes(bill.billed())
        );
        faults.push(
            Diagnostic::error(Code::TooExpensive, message)
                .help("apply a part of it with `--select`, make its queries read less, or raise the limit"),
        );
    }
    faults
}
