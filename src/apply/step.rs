//! One step: built aside, audited, published, remembered; all in one transaction.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::audit::{Auditing, Origin, evaluate};
use super::cancel::watched;
use super::merge::{perform_merge, prove};
use super::{Cancel, CheckReport, Event, Fault, Running, Status, StepReport};
use crate::diag::{Code, Diagnostic};
use crate::expectations::{Audit, Before, Facts, grouped, said};
use crate::googlesql::Column;
use crate::manifest::types::{DurationText, Materialization};
use crate::plan::{Action, BuildAction, FAILED_SUFFIX, LoadAction, Plan, Publish, Reading, Record, Step};
use crate::project::NodeKind;
use crate::report::FileRows;
use crate::state::NodeState;
use crate::warehouse::{Interrupt, Loaded, Relation, Result, Session, UNSETTLED, WarehouseError};

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
pub(super) struct Work {
    pub(super) rows: Option<u64>,
    pub(super) bytes: Option<u64>,
    /// Of an increment.
    pub(super) new_rows: Option<u64>,
    rejected: u64,
    files: Vec<FileRows>,
    checks: Vec<CheckReport>,
    /// Where a build that was refused is kept.
    kept: Option<String>,
    /// A finished build, while it may turn out not to be fit to be published.
    pub(super) refused: Option<Refused>,
    /// Set when the step is to stop, for work that no engine can interrupt.
    stopping: Arc<AtomicBool>,
}

/// A finished build that is not fit to be published.
pub(super) struct Refused {
    pub(super) build: Relation,
    /// The place of its table.
    pub(super) of: Relation,
    pub(super) kind: Materialization,
    /// The query that builds it again, where more than the build has been done since.
    pub(super) again: Option<String>,
}

impl Refused {
    /// What to keep if it is refused; nothing where the manifest says so.
    pub(super) fn new(
        build: &Relation,
        of: &Relation,
        kind: Materialization,
        publish: &Publish,
    ) -> Option<Self> {
        publish.keep_failed.then(|| Self { build: build.clone(), of: of.clone(), kind, again: None })
    }
}

/// Runs a step with its retries; never fails, but reports. Says whether any other step would fail alike.
pub(super) fn run_step(
    context: &Context<'_>,
    step: &Step,
    session: &mut Option<Box<dyn Session>>,
) -> (StepReport, bool) {
    let started = Instant::now();
    (context.tell)(&Event::StepStarted {
        address: &step.address,
        action: step.action.name(),
        bytes: step.estimate.bytes,
    });
    let mut report = StepReport::not_run(step, Status::Done, Vec::new());
    let retries = &context.plan.retries;
    let mut wait = retries.wait.0;
    let mut of_target = false;
    loop {
        report.tries += 1;
        let mut work = Work::default();
        let result = one_try(context, step, session, &mut work);
        report.checks = work.checks;
        report.rejected = work.rejected;
        report.kept = work.kept;
        report.files = work.files;
        match result {
            Ok(()) => {
                report.rows = work.rows;
                report.bytes = work.bytes;
                report.new_rows = work.new_rows;
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
                of_target = error.of_target;
                break;
            }
        }
    }
    report.milliseconds = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    (report, of_target)
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
    let interrupt = session.interrupter();
    let done = within(context.running.cancel, limit, interrupt.as_ref(), &stopping, || {
        session.begin(&step.address.to_string())?;
        perform(context, step, session.as_mut(), work).and_then(|()| session.commit())
    });
    // Out of the watchdog's reach: an interrupted rollback would leave the transaction open.
    let Err(error) = done else { return Ok(()) };
    let kept = match (&work.refused, error.transient || context.running.cancel.is_cancelled()) {
        // Where it cannot be kept, the failure is still the one to tell.
        (Some(refused), false) => keep_failed(session.as_mut(), refused).unwrap_or(None),
        _ => None,
    };
    if kept.is_none() {
        session.rollback();
    }
    work.kept = kept;
    Err(error)
}

/// Keeps a build that was refused, and nothing else of what the step did. Gives its place.
fn keep_failed(session: &mut dyn Session, refused: &Refused) -> Result<Option<String>> {
    if let Some(query) = refused.again.as_ref().filter(|_| !session.still_has(&refused.build)) {
        session.rollback();
        session.begin(&refused.of.to_string())?;
        session.build(&refused.build, refused.kind, query, None)?;
    }
    let kept = session.keep_failed(&refused.build, &refused.of, refused.kind)?;
    if !kept {
        return Ok(None);
    }
    session.commit()?;
    Ok(Some(format!("{}{FAILED_SUFFIX}", refused.of)))
}

/// Runs work that is interrupted when the run is stopped or when it takes longer than it may.
fn within(
    cancel: &Cancel,
    limit: Option<Duration>,
    interrupt: &dyn Interrupt,
    stopping: &AtomicBool,
    work: impl FnOnce() -> Result<()>,
) -> Result<()> {
    let started = Instant::now();
    let timed_out = AtomicBool::new(false);
    let is_to_stop = || {
        if limit.is_some_and(|limit| started.elapsed() >= limit) {
            timed_out.store(true, Ordering::SeqCst);
        }
        let stops = timed_out.load(Ordering::SeqCst) || cancel.is_cancelled();
        if stops {
            stopping.store(true, Ordering::SeqCst);
        }
        stops
    };
    let result = watched(limit.unwrap_or(Duration::MAX), &is_to_stop, interrupt, work);
    match (result, timed_out.load(Ordering::SeqCst), limit) {
        (Err(error), true, Some(limit)) if !cancel.is_cancelled() => {
            let message = format!("it took longer than {} and was stopped", DurationText(limit));
            let is_unsettled = error.diagnostic.help.as_deref() == Some(UNSETTLED);
            let cheaper =
                "raise `timeout` of the model or `step_timeout` in `defaults`, or make the query cheaper";
            let help = if is_unsettled { UNSETTLED } else { cheaper };
            Err(Diagnostic::error(Code::TimedOut, message).help(help).into())
        }
        (result, _, _) => result,
    }
}

fn perform(context: &Context<'_>, step: &Step, session: &mut dyn Session, work: &mut Work) -> Result<()> {
    let relation = Relation::parse(&step.relation);
    match &step.action {
        Action::Build(build) => perform_build(context, step, &relation, build, session, work),
        Action::Merge(merge) => perform_merge(context, step, &relation, merge, session, work),
        Action::Load(load) => perform_load(context, step, &relation, load, session, work),
        Action::Check { audit, reading, record } => {
            let before = session.recall(&step.address)?;
            let is_table = |before: &NodeState| before.materialization == Materialization::Table;
            let table = before.as_ref().filter(|before| is_table(before)).map(|_| &relation);
            let of =
                Of { table, columns: &record.columns, before: before.as_ref(), reading: reading.as_deref() };
            let size = check(context, audit, &of, session, work)?;
            refuse_failures(work)?;
            if let Some(before) = before {
                work.rows = size.map(|(rows, _)| rows);
                work.bytes = size.map(|(_, bytes)| bytes);
                let state = NodeState {
                    audit_hash: record.audit_hash.clone(),
                    references_hash: record.references_hash.clone(),
                    metadata_hash: record.metadata_hash.clone(),
                    properties: record.properties.clone(),
                    ..before
                };
                session.describe(&relation, state.materialization, record)?;
                session.remember(&step.address, &state)?;
            }
            Ok(())
        }
        Action::Describe { record } => {
            if let Some(before) = session.recall(&step.address)? {
                let state = NodeState {
                    metadata_hash: record.metadata_hash.clone(),
                    properties: record.properties.clone(),
                    ..before
                };
                session.describe(&relation, state.materialization, record)?;
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
    let personal = &build.publish.audit.personal;
    let (kind, record) = (build.materialization, Some(&build.publish.record));
    session
        .build(&at, kind, &build.native, record)
        .map_err(unsaid(&build.native, personal))
        .map_err(|error| placed(context, step, error, &(&at, kind, record)))?;
    let before = session.recall(&step.address)?;
    let table = (build.materialization == Materialization::Table).then_some(&at);
    let columns = &build.publish.record.columns;
    let of = Of { table, columns, before: before.as_ref(), reading: None };
    let size = check(context, &build.publish.audit, &of, session, work)?;
    work.refused = Refused::new(&at, relation, build.materialization, &build.publish);
    refuse_failures(work).map_err(|error| match build.materialization {
        Materialization::Table => error,
        // Its definition is what is not published. What it reads has been.
        Materialization::View => error.diagnostic.help(
            "the view stays as it was defined, and shows what the tables have that it reads; mend the data or the query, or make \
             it a table, which shows nothing that has not passed",
        ).into(),
    })?;
    prove(session, build.proof.as_deref())?;
    refuse_shrinking(context, &build.publish, size, before.as_ref())?;
    work.refused = None;
    let finished = Built { kind: build.materialization, size, loaded: None };
    publish(context, step, session, relation, &build.publish, &finished, work)
}

/// A build, how it is kept, and what is wanted of it.
pub(super) type Asked<'a> = (&'a Relation, Materialization, Option<&'a Record>);

/// What the target says of a query, told at its place in the user's own file where it is known.
pub(super) fn placed(
    context: &Context<'_>,
    step: &Step,
    error: WarehouseError,
    (at, kind, wanted): &Asked<'_>,
) -> WarehouseError {
    let Running { warehouse, place, .. } = context.running;
    let found = warehouse.place_in_query(&error.diagnostic.message, at, *kind, *wanted);
    let told = found.and_then(|(message, found)| Some(format!("{message} at {}", place(step, found)?)));
    match told {
        Some(message) => {
            let help = Some("`pipewright compile` prints the query as it is sent".to_owned());
            WarehouseError { diagnostic: Diagnostic { message, help, ..error.diagnostic }, ..error }
        }
        None => error,
    }
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
    work.files.clone_from(&loaded.files);
    let of = Of {
        table: Some(&at),
        columns: &loaded.columns,
        before: before.as_ref(),
        reading: Some(&load.reading),
    };
    let size = check(context, &load.publish.audit, &of, session, work)?;
    if let Some((rows, _)) = size.filter(|(rows, _)| *rows != loaded.rows) {
        return Err(Diagnostic::error(
            Code::RowsLost,
            format!("{} rows were written, and the table has {rows}", loaded.rows),
        )
        .help("nothing was published; this is a fault of Pipewright, please report it")
        .into());
    }
    work.refused = Refused::new(&at, relation, Materialization::Table, &load.publish);
    refuse_failures(work)?;
    refuse_shrinking(context, &load.publish, size, before.as_ref())?;
    work.refused = None;
    session.publish_rejects(&at, relation)?;
    let built = Built { kind: Materialization::Table, size, loaded: Some(loaded) };
    publish(context, step, session, relation, &load.publish, &built, work)
}

/// An engine's error of a query, without the values of personal columns that it may quote.
pub(super) fn unsaid(sql: &str, personal: &BTreeSet<String>) -> impl Fn(WarehouseError) -> WarehouseError {
    move |mut error| {
        error.diagnostic.message = said(&error.diagnostic.message, sql, personal);
        error
    }
}

/// A table that is empty all at once, or has lost much of what it had, is more often a fault upstream than the truth.
pub(super) fn refuse_shrinking(
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
    let mut state = remembered(context, step, &publish.record, built.kind, native_columns, work);
    if let Some(loaded) = &built.loaded {
        state.columns.clone_from(&loaded.columns);
    }
    if let Action::Load(load) = &step.action {
        state.files.clone_from(&load.reading.files);
    }
    session.remember(&step.address, &state)
}

/// What is remembered of a node after this step.
pub(super) fn remembered(
    context: &Context<'_>,
    step: &Step,
    record: &Record,
    kind: Materialization,
    native_columns: Vec<(String, String)>,
    work: &Work,
) -> NodeState {
    let Record {
        data_hash,
        own_hash,
        query_hash,
        metadata_hash,
        audit_hash,
        references_hash,
        columns,
        layout,
        properties,
        ..
    } = record.clone();
    NodeState {
        relation: step.relation.clone(),
        materialization: kind,
        data_hash,
        own_hash,
        query_hash,
        metadata_hash,
        audit_hash,
        references_hash,
        columns,
        native_columns,
        layout,
        properties,
        observed: None,
        rows: work.rows,
        bytes: work.bytes,
        rejected: work.rejected,
        files: Vec::new(),
        run: context.run.to_owned(),
        built_at: context.started_at.to_owned(),
    }
}

pub(super) fn check(
    context: &Context<'_>,
    audit: &Audit,
    of: &Of<'_>,
    session: &mut dyn Session,
    work: &mut Work,
) -> Result<Option<(u64, u64)>> {
    let before = of.before.map(|before| Before { rows: before.rows, columns: &before.columns });
    let facts = Facts { now: context.now, columns: of.columns, before };
    let auditing = Auditing {
        audit,
        facts,
        origin: of.reading.map(|reading| Origin { reading, root: context.running.root }),
        cancelled: &|| context.running.cancel.is_cancelled() || work.stopping.load(Ordering::SeqCst),
    };
    let audited = evaluate(&auditing, session)?;
    work.checks.extend(audited.checks);
    match of.table {
        Some(table) if audited.size.is_none() => session.size(table),
        _ => Ok(audited.size),
    }
}

/// The table that is audited.
pub(super) struct Of<'a> {
    /// Where it is; nothing for a view, which has no size.
    pub(super) table: Option<&'a Relation>,
    pub(super) columns: &'a [Column],
    /// What is remembered of it.
    pub(super) before: Option<&'a NodeState>,
    /// What its rows were loaded from.
    pub(super) reading: Option<&'a Reading>,
}

/// Nothing is published while a critical expectation fails.
pub(super) fn refuse_failures(work: &Work) -> Result<()> {
    let failed: Vec<&CheckReport> = work.checks.iter().filter(|check| check.refuses()).collect();
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
