//! The expectations of several tables at a time, each table in a session of a worker.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use super::workspace::fault;
use crate::apply::{Auditing, Cancel, CheckReport, Origin, Status, StepReport, check_published};
use crate::compile::CompiledProject;
use crate::diag::{Code, Diagnostic, Diagnostics};
use crate::expectations::{Before, Facts, Outcome as Judgement, Verdict};
use crate::plan::Reading;
use crate::project::{Address, Detail, Expectation, Node};
use crate::state::Snapshot;
use crate::warehouse::{Session, Warehouse};

/// A table, and which of its expectations are evaluated.
pub(super) struct Job<'a> {
    pub(super) node: &'a Node,
    /// Their places in the project.
    pub(super) wanted: Vec<usize>,
}

impl Job<'_> {
    /// Its expectations.
    pub(super) fn expectations<'c>(
        &self,
        compiled: &'c CompiledProject,
    ) -> impl Iterator<Item = &'c Expectation> {
        self.wanted.iter().map(|index| &compiled.project.expectations[*index])
    }
}

/// What became of a table's expectations.
pub(super) struct Evaluated {
    pub(super) step: StepReport,
    /// Why they could not be evaluated.
    pub(super) error: Option<Diagnostic>,
}

/// What all tables share.
pub(super) struct Checking<'a> {
    pub(super) compiled: &'a CompiledProject,
    pub(super) warehouse: &'a dyn Warehouse,
    /// The project's folder.
    pub(super) root: &'a Path,
    pub(super) snapshot: &'a Snapshot,
    /// The time of the check, in seconds since 1970.
    pub(super) now: i64,
    /// The way to stop it.
    pub(super) cancel: &'a Cancel,
}

impl Checking<'_> {
    /// What became of all tables, in their order, so many at a time. One that fails stops no other. Once it is to stop,
    /// those that were not begun are left out.
    pub(super) fn all(&self, jobs: &[Job<'_>], threads: usize) -> Vec<Result<Evaluated, Diagnostics>> {
        // The largest first, so that it does not run alone at the end.
        let mut order: Vec<usize> = (0..jobs.len()).collect();
        let bytes = |job: &Job<'_>| self.snapshot.state.nodes.get(&job.node.address)?.bytes;
        order.sort_by_key(|index| std::cmp::Reverse(bytes(&jobs[*index])));
        let (order, next) = (order.as_slice(), &AtomicUsize::new(0));
        let done = &Mutex::new(BTreeMap::new());
        let worker = || {
            let mut session = None;
            while let Some(index) = order.get(next.fetch_add(1, Ordering::Relaxed)) {
                if self.cancel.is_cancelled() {
                    return;
                }
                let evaluated = self.one(&jobs[*index], &mut session);
                done.lock().unwrap_or_else(PoisonError::into_inner).insert(*index, evaluated);
            }
        };
        std::thread::scope(|scope| {
            for _ in 1..threads.clamp(1, jobs.len().max(1)) {
                scope.spawn(worker);
            }
            worker();
        });
        std::mem::take(&mut *done.lock().unwrap_or_else(PoisonError::into_inner)).into_values().collect()
    }

    fn one(&self, job: &Job<'_>, session: &mut Option<Box<dyn Session>>) -> Result<Evaluated, Diagnostics> {
        let (compiled, snapshot, node) = (self.compiled, self.snapshot, job.node);
        let address = &node.address;
        let began = Instant::now();
        let error = if snapshot.objects.contains_key(&node.relation()) {
            let session = match session {
                Some(session) => session,
                None => session.insert(self.warehouse.session().map_err(fault)?),
            };
            let audit = compiled.audit_of_some(address, &job.wanted)?;
            let columns = compiled.nodes.get(&address.name).map(|node| node.columns.as_slice());
            let before = snapshot.state.nodes.get(address);
            let facts = Facts {
                now: self.now,
                columns: columns.unwrap_or_default(),
                before: before.map(|before| Before { rows: before.rows, columns: &before.columns }),
            };
            let loaded_from = reading(compiled, node, snapshot);
            let auditing = Auditing {
                audit: &audit,
                facts,
                origin: loaded_from.as_ref().map(|reading| Origin { reading, root: self.root }),
                cancelled: &|| self.cancel.is_cancelled(),
            };
            let interrupt = session.interrupter();
            let check = || check_published(&auditing, session.as_mut());
            match self.cancel.watch(interrupt.as_ref(), check) {
                Ok(reports) => {
                    let step = step(address, &node.relation(), reports, began);
                    return Ok(Evaluated { step, error: None });
                }
                Err(error) => error.diagnostic,
            }
        } else {
            Diagnostic::error(Code::ExpectationErrored, format!("{} is not in the target", node.relation()))
                .at(node.span.clone(), "nothing to check")
                .about(address.to_string())
                .help("run `pipewright apply` first")
        };
        let reports =
            job.expectations(compiled).map(|expectation| errored(expectation, &error.message)).collect();
        Ok(Evaluated { step: step(address, &node.relation(), reports, began), error: Some(error) })
    }
}

/// What the rows of a source or seed were loaded from; nothing where somebody took rows away or put some in, as what
/// is left can no longer be told by its place.
fn reading(compiled: &CompiledProject, node: &Node, snapshot: &Snapshot) -> Option<Reading> {
    let Detail::Load(load) = &node.detail else { return None };
    let state = snapshot.state.nodes.get(&node.address)?;
    let object = snapshot.objects.get(&node.relation())?;
    if object.rows != state.rows {
        return None;
    }
    let columns = compiled.nodes.get(&node.address.name).map(|node| node.columns.as_slice());
    Some(Reading::new(load, columns.unwrap_or_default(), state.files.clone()))
}

fn errored(expectation: &Expectation, why: &str) -> CheckReport {
    CheckReport {
        address: expectation.address(),
        severity: expectation.severity,
        outcome: Judgement {
            verdict: Verdict::Errored,
            failing: 0,
            checked: 0,
            found: why.to_owned(),
            observed: None,
        },
        sample: Vec::new(),
        places: Vec::new(),
        sample_sql: None,
        milliseconds: 0,
    }
}

fn step(address: &Address, relation: &str, checks: Vec<CheckReport>, began: Instant) -> StepReport {
    let failed =
        checks.iter().any(|check| matches!(check.outcome.verdict, Verdict::Failed | Verdict::Errored));
    StepReport {
        address: address.clone(),
        relation: relation.to_owned(),
        action: "check".to_owned(),
        status: if failed { Status::Failed } else { Status::Done },
        rows: None,
        bytes: None,
        new_rows: None,
        rejected: 0,
        files: Vec::new(),
        milliseconds: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
        tries: 1,
        checks,
        fault: None,
        kept: None,
        held_back_by: Vec::new(),
    }
}
