//! One step: built aside, audited, published, remembered; all in one transaction.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use super::{Cancel, CheckReport, Event, Fault, Running, Status, StepReport};
use serde_json::Value;

use crate::diag::{Code, Diagnostic};
use crate::expectations::{Audit, Before, Facts, Observed, Outcome, Rule, Verdict, grouped, judge};
use crate::googlesql::Column;
use crate::manifest::types::{DurationText, ExpectationSeverity, Materialization};
use crate::plan::{Action, BuildAction, LoadAction, Plan, Publish, Record, Step};
use crate::project::NodeKind;
use crate::state::NodeState;
use crate::warehouse::{Interrupt, Loaded, Relation, Result, Session, WarehouseError};

/// What all steps of a run share.
pub(super) struct Context<'a> {
    pub(super) plan: &'a Plan,
    pub(super) running: &'a Running<'a>,
    pub(super) run: &'a str,
    pub(super) started_at: &'a str,
    /// The time of the run, in seconds since 1970: what ages are measured against.
    pub(super) now: i64,
    pub(super) tell: &'a (dyn Fn(&Event<'_>) + Sync),
}

/// What a try of a step gave, beside its success.
#[derive(Default)]
struct Work {
    rows: Option<u64>,
    bytes: Option<u64>,
    rejected: u64,
    checks: Vec<CheckReport>,
    /// A finished build that is not fit to be published: its place, that of its table, and what it is.
    refused: Option<(Relation, Relation, Materialization)>,
    /// Set when the step is to stop, for work that no engine can interrupt.
    stopping: Arc<AtomicBool>,
}

/// Runs a step with its retries; never fails, but reports.
pub(super) fn run_step(
    context: &Context<'_>,
    step: &Step,
    session: &mut Option<Box<dyn Session>>,
) -> StepReport {
    let started = Instant::now();
    (context.tell)(&Event::StepStarted {
        address: &step.address,
        action: step.action.name(),
        bytes: step.estimate.bytes,
    });
    let mut report = StepReport::not_run(step, Status::Done, Vec::new());
    let retries = &context.plan.retries;
    let mut wait = retries.wait.0;
    loop {
        report.tries += 1;
        let mut work = Work::default();
        let result = one_try(context, step, session, &mut work);
        report.checks = work.checks;
        report.rejected = work.rejected;
        match result {
            Ok(()) => {
                report.rows = work.rows;
                report.bytes = work.bytes;
                break;
            }
            Err(error) if context.running.cancel.is_cancelled() => {
                // What the engine says of its being interrupted is of no use to anybody.
                report.status = Status::Interrupted;
                drop(error);
                break;
            }
            Err(error) if error.transient && report.tries <= retries.attempts => {
                let wait_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
                let message = &error.diagnostic.message;
                (context.tell)(&Event::StepRetried { address: &step.address, message, wait_ms });
                pause(wait, context);
                wait = (wait * 2).min(retries.max_wait.0);
            }
            Err(error) => {
                report.status = Status::Failed;
                report.fault = Some(fault(&error.diagnostic));
                break;
            }
        }
    }
    report.milliseconds = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    report
}

/// Waits, but not for a run that is to stop.
fn pause(wait: Duration, context: &Context<'_>) {
    let until = Instant::now() + wait;
    while Instant::now() < until && !context.running.cancel.is_cancelled() {
        std::thread::sleep(Duration::from_millis(50).min(until.saturating_duration_since(Instant::now())));
    }
}

fn fault(diagnostic: &Diagnostic) -> Fault {
    Fault {
        code: diagnostic.code.id().to_owned(),
        message: diagnostic.message.clone(),
        help: diagnostic.help.clone(),
    }
}

fn one_try(
    context: &Context<'_>,
    step: &Step,
    session: &mut Option<Box<dyn Session>>,
    work: &mut Work,
) -> Result<()> {
    let session = match session {
        Some(session) => session,
        None => session.insert(context.running.warehouse.session()?),
    };
    let stopping = Arc::clone(&work.stopping);
    let limit = step.timeout_ms.map(Duration::from_millis);
    let done = within(context.running.cancel, limit, session.interrupter(), &stopping, || {
        session.begin()?;
        perform(context, step, session.as_mut(), work).and_then(|()| session.commit())
    });
    // Out of the watchdog's reach: an interrupted rollback would leave the transaction open.
    let Err(error) = done else { return Ok(()) };
    let kept = match (&work.refused, error.transient || context.running.cancel.is_cancelled()) {
        // Nothing but the build was made so far. Where it cannot be kept, the failure is still the one to tell.
        (Some((build, relation, kind)), false) => {
            session.keep_failed(build, relation, *kind).unwrap_or(false) && session.commit().is_ok()
        }
        _ => false,
    };
    if !kept {
        session.rollback();
    }
    Err(error)
}

/// How often a session that is to stop is told so: an interruption between two statements reaches neither.
const TELL_AGAIN: Duration = Duration::from_millis(20);

/// Runs work that is interrupted when the run is stopped or when it takes longer than it may.
fn within(
    cancel: &Cancel,
    limit: Option<Duration>,
    interrupt: Arc<dyn Interrupt>,
    stopping: &AtomicBool,
    work: impl FnOnce() -> Result<()>,
) -> Result<()> {
    let started = Instant::now();
    let late = || limit.is_some_and(|limit| started.elapsed() >= limit);
    let (done, watching) = channel::<()>();
    std::thread::scope(|scope| {
        let watchdog = scope.spawn(move || {
            let mut timed_out = false;
            loop {
                let left = limit.map_or(TELL_AGAIN, |limit| limit.saturating_sub(started.elapsed()));
                let pause = left.clamp(Duration::from_millis(1), TELL_AGAIN);
                if watching.recv_timeout(pause) != Err(RecvTimeoutError::Timeout) {
                    return timed_out;
                }
                timed_out = timed_out || late();
                if timed_out || cancel.is_cancelled() {
                    stopping.store(true, Ordering::SeqCst);
                    interrupt.interrupt();
                }
            }
        });
        let result = work();
        drop(done);
        match (result, watchdog.join().unwrap_or(false), limit) {
            (Err(_), true, Some(limit)) if !cancel.is_cancelled() => Err(Diagnostic::error(
                Code::TimedOut,
                format!("it took longer than {} and was stopped", DurationText(limit)),
            )
            .help("raise `timeout` of the model or `step_timeout` in `defaults`, or make the query cheaper")
            .into()),
            (result, _, _) => result,
        }
    })
}

fn perform(context: &Context<'_>, step: &Step, session: &mut dyn Session, work: &mut Work) -> Result<()> {
    let relation = Relation::parse(&step.relation);
    match &step.action {
        Action::Build(build) => perform_build(context, step, &relation, build, session, work),
        Action::Load(load) => perform_load(context, step, &relation, load, session, work),
        Action::Check { audit, record } => {
            let before = session.recall(&step.address)?;
            let size = check(context, audit, &record.columns, before.as_ref(), session, work)?;
            refuse_failures(work)?;
            if let Some(before) = before {
                work.rows = size.map(|(rows, _)| rows);
                work.bytes = size.map(|(_, bytes)| bytes);
                let state = NodeState {
                    audit_hash: record.audit_hash.clone(),
                    metadata_hash: record.metadata_hash.clone(),
                    ..before
                };
                session.describe(&relation, state.materialization, &record.comment)?;
                session.remember(&step.address, &state)?;
            }
            Ok(())
        }
        Action::Describe { record } => {
            if let Some(before) = session.recall(&step.address)? {
                let state = NodeState { metadata_hash: record.metadata_hash.clone(), ..before };
                session.describe(&relation, state.materialization, &record.comment)?;
                session.remember(&step.address, &state)?;
            }
            Ok(())
        }
        Action::Drop { materialization } => {
            session.remove(&relation, *materialization)?;
            session.remove_failed(&relation)?;
            if step.address.kind == NodeKind::Source {
                session.remove_rejects(&relation)?;
            }
            // A node that moved is remembered at its new place by now.
            match session.recall(&step.address)? {
                Some(state) if state.relation == step.relation => session.forget(&step.address),
                _ => Ok(()),
            }
        }
    }
}

fn perform_build(
    context: &Context<'_>,
    step: &Step,
    relation: &Relation,
    build: &BuildAction,
    session: &mut dyn Session,
    work: &mut Work,
) -> Result<()> {
    let at = relation.sibling(&build.publish.build_name);
    session.build(&at, build.materialization, &build.native)?;
    let before = session.recall(&step.address)?;
    let (audit, columns) = (&build.publish.audit, &build.publish.record.columns);
    let size = check(context, audit, columns, before.as_ref(), session, work)?;
    work.refused = Some((at, relation.clone(), build.materialization));
    refuse_failures(work)?;
    refuse_shrinking(context, &build.publish, size, before.as_ref())?;
    work.refused = None;
    let finished = Built { kind: build.materialization, size, loaded: None };
    publish(context, step, session, relation, &build.publish, &finished, work)
}

fn perform_load(
    context: &Context<'_>,
    step: &Step,
    relation: &Relation,
    load: &LoadAction,
    session: &mut dyn Session,
    work: &mut Work,
) -> Result<()> {
    let at = relation.sibling(&load.publish.build_name);
    let stopping = Arc::clone(&work.stopping);
    let mut progress = |rows: u64, bytes: u64| {
        (context.tell)(&Event::StepProgress { address: &step.address, rows, bytes });
        if stopping.load(Ordering::SeqCst) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let loaded = session.load(&at, relation, load, context.running.root, &mut progress)?;
    work.rejected = loaded.rejected;
    let before = session.recall(&step.address)?;
    let size = check(context, &load.publish.audit, &loaded.columns, before.as_ref(), session, work)?;
    if let Some((rows, _)) = size.filter(|(rows, _)| *rows != loaded.rows) {
        return Err(Diagnostic::error(
            Code::RowsLost,
            format!("{} rows were written, and the table has {rows}", loaded.rows),
        )
        .help("nothing was published; this is a fault of Pipewright, please report it")
        .into());
    }
    work.refused = Some((at.clone(), relation.clone(), Materialization::Table));
    refuse_failures(work)?;
    refuse_shrinking(context, &load.publish, size, before.as_ref())?;
    work.refused = None;
    session.publish_rejects(&at, relation)?;
    let built = Built { kind: Materialization::Table, size, loaded: Some(loaded) };
    publish(context, step, session, relation, &load.publish, &built, work)
}

/// A table that is empty all at once, or has lost much of what it had, is more often a fault upstream than the truth.
fn refuse_shrinking(
    context: &Context<'_>,
    publish: &Publish,
    size: Option<(u64, u64)>,
    before: Option<&NodeState>,
) -> Result<()> {
    let (Some((rows, _)), Some(before)) = (size, before.and_then(|before| before.rows)) else {
        return Ok(());
    };
    #[expect(clippy::cast_precision_loss, reason = "counts of rows lie far below 2^53")]
    let least = before as f64 * (1.0 - publish.max_shrink);
    #[expect(clippy::cast_precision_loss, reason = "counts of rows lie far below 2^53")]
    let enough =
        rows as f64 >= least - 1e-9 * least && (rows > 0 || before == 0 || publish.max_shrink >= 1.0);
    if enough || context.running.allow_shrink {
        return Ok(());
    }
    let message = format!("it would shrink from {} rows to {}", grouped(before), grouped(rows));
    Err(Diagnostic::error(Code::Shrunk, message)
        .help(
            "the published table stays as it was; if this is right, run `pipewright apply --allow-shrink`, or set \
             `max_shrink` in the manifest",
        )
        .into())
}

/// A finished build.
struct Built {
    kind: Materialization,
    size: Option<(u64, u64)>,
    loaded: Option<Loaded>,
}

fn publish(
    context: &Context<'_>,
    step: &Step,
    session: &mut dyn Session,
    relation: &Relation,
    publish: &Publish,
    built: &Built,
    work: &mut Work,
) -> Result<()> {
    let at = relation.sibling(&publish.build_name);
    let native_columns = session.columns(&at)?;
    session.publish(&at, relation, built.kind, publish)?;
    if publish.failed_before {
        session.remove_failed(relation)?;
    }
    work.rows = built.size.map(|(rows, _)| rows);
    work.bytes = built.size.map(|(_, bytes)| bytes);
    let Record { data_hash, own_hash, query_hash, metadata_hash, audit_hash, columns, .. } =
        publish.record.clone();
    let files = match &step.action {
        Action::Load(load) => load.files.clone(),
        _ => Vec::new(),
    };
    let state = NodeState {
        relation: step.relation.clone(),
        materialization: built.kind,
        data_hash,
        own_hash,
        query_hash,
        metadata_hash,
        audit_hash,
        columns: built.loaded.as_ref().map_or(columns, |loaded| loaded.columns.clone()),
        native_columns,
        rows: work.rows,
        bytes: work.bytes,
        rejected: work.rejected,
        files,
        run: context.run.to_owned(),
        built_at: context.started_at.to_owned(),
    };
    session.remember(&step.address, &state)
}

fn check(
    context: &Context<'_>,
    audit: &Audit,
    columns: &[Column],
    before: Option<&NodeState>,
    session: &mut dyn Session,
    work: &mut Work,
) -> Result<Option<(u64, u64)>> {
    let before = before.map(|before| Before { rows: before.rows, columns: &before.columns });
    let facts = Facts { now: context.now, columns, before };
    evaluate(audit, session, &facts, &|| context.running.cancel.is_cancelled(), work)
}

/// Evaluates an audit; gives the table's rows and logical bytes where its query counts them.
fn evaluate(
    audit: &Audit,
    session: &mut dyn Session,
    facts: &Facts<'_>,
    cancelled: &dyn Fn() -> bool,
    work: &mut Work,
) -> Result<Option<(u64, u64)>> {
    let mut size = None;
    let mut outcomes: Vec<Option<Outcome>> = vec![None; audit.checks.len()];
    for query in &audit.queries {
        let answers = match session.answers(&query.sql) {
            Ok(answers) => answers,
            Err(error) if query.checks.is_empty() || cancelled() => return Err(error),
            Err(error) => {
                // An engine's transaction may not go on after an error, so nothing else can be asked.
                let named = query.checks.first().map(|place| audit.checks[*place].address.clone());
                return Err(WarehouseError {
                    diagnostic: Diagnostic::error(
                        Code::ExpectationErrored,
                        format!(
                            "{} could not be evaluated: {}",
                            named.unwrap_or_default(),
                            error.diagnostic.message
                        ),
                    )
                    .help(format!("an expectation that errors is never a pass; its query is\n{}", query.sql)),
                    ..error
                });
            }
        };
        let mut answers = answers.into_iter();
        let mut answer = || answers.next().flatten();
        let count = |answer: Option<String>| answer.and_then(|count| count.parse::<u64>().ok());
        if query.sized {
            size = count(answer()).zip(count(answer()));
        }
        for place in &query.checks {
            let (checked, failing, value) = (count(answer()), count(answer()), answer());
            let check = &audit.checks[*place];
            // Without its counts it was not evaluated, and is no pass.
            outcomes[*place] = checked.zip(failing).map(|(checked, failing)| {
                judge(&check.rule, check.severity, &Observed { checked, failing, value }, facts)
            });
        }
    }
    // What a query was to count and did not stays without an outcome.
    let asked: BTreeSet<usize> =
        audit.queries.iter().flat_map(|query| query.checks.iter().copied()).collect();
    for (place, (check, outcome)) in audit.checks.iter().zip(&mut outcomes).enumerate() {
        if !asked.contains(&place) && matches!(check.rule, Rule::Known { .. }) {
            *outcome = Some(judge(&check.rule, check.severity, &Observed::default(), facts));
        }
    }
    let mut unsampled = None;
    for (check, outcome) in audit.checks.iter().zip(outcomes) {
        let outcome = outcome.unwrap_or_else(|| Outcome {
            verdict: Verdict::Errored,
            failing: 0,
            checked: 0,
            found: "it was not evaluated".to_owned(),
            observed: None,
        });
        let failing = outcome.verdict != Verdict::Passed;
        let sample = match (&check.sample, failing) {
            (Some(sql), true) => match session.rows(sql) {
                Ok(rows) => masked(rows, &check.masked),
                Err(error) if cancelled() => return Err(error),
                Err(error) => {
                    unsampled.get_or_insert((check, error));
                    Vec::new()
                }
            },
            _ => Vec::new(),
        };
        work.checks.push(CheckReport {
            address: check.address.clone(),
            severity: check.severity,
            sql: check.sample.clone().filter(|_| failing),
            outcome,
            sample,
        });
    }
    // An engine's transaction may not go on after an error. Verdicts that refuse the build are told instead of it.
    match unsampled {
        Some((check, error)) if refuse_failures(work).is_ok() => {
            let why = &error.diagnostic.message;
            let message = format!("the rows that fail {} could not be read: {why}", check.address);
            Err(WarehouseError {
                diagnostic: Diagnostic::error(Code::ExpectationErrored, message)
                    .maybe_help(check.sample.as_ref().map(|sql| format!("its query is\n{sql}"))),
                ..error
            })
        }
        _ => Ok(size),
    }
}

/// Rows without what is not for everybody's eyes.
fn masked(mut rows: Vec<Value>, columns: &BTreeSet<String>) -> Vec<Value> {
    for (name, value) in rows.iter_mut().filter_map(Value::as_object_mut).flatten() {
        if columns.contains(&name.to_lowercase()) && !value.is_null() {
            *value = Value::from("***");
        }
    }
    rows
}

/// Nothing is published while a critical expectation fails.
fn refuse_failures(work: &Work) -> Result<()> {
    let failed: Vec<&CheckReport> = work
        .checks
        .iter()
        .filter(|check| {
            check.outcome.verdict == Verdict::Errored
                || (check.outcome.verdict == Verdict::Failed
                    && check.severity == ExpectationSeverity::Critical)
        })
        .collect();
    let Some(first) = failed.first() else { return Ok(()) };
    let more = match failed.len() {
        1 => String::new(),
        2 => " (and one more)".to_owned(),
        count => format!(" (and {} more)", count - 1),
    };
    Err(Diagnostic::error(
        Code::ExpectationFailed,
        format!("{} failed: {}{more}", first.address, first.outcome.found),
    )
    .help("the published table stays as it was; mend the data or the query, or lower the severity")
    .into())
}

/// Evaluates the audit of a published table, without touching it.
///
/// # Errors
/// When a query fails.
pub fn check_published(
    audit: &Audit,
    session: &mut dyn Session,
    facts: &Facts<'_>,
) -> Result<Vec<CheckReport>> {
    let mut work = Work::default();
    evaluate(audit, session, facts, &|| false, &mut work)?;
    Ok(work.checks)
}
