//! One worker: build aside, audit, publish, remember.
//!
//! BigQuery has no transaction over whole tables. What a step builds stands aside until [`Session::commit`], which
//!
//! 1. writes down what is about to be published, with the names of the jobs that will do it,
//! 2. publishes: each table by one job that replaces it as a whole,
//! 3. writes down that it is so.
//!
//! Whoever finds the first without the third asks for the job, which has an answer for months.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use serde_json::{Value, json};

use super::super::{Interrupt, Loaded, Progress, Relation, Result, Session, Wanted, WarehouseError, input};
use super::Shared;
use super::api::Stop;
use super::error::ApiError;
use super::job::{Jobs, Labels};
use super::load::Loading;
use super::results;
use super::store::{Entry, label};
use crate::diag::{Code, Diagnostic};
use crate::manifest::types::Materialization;
use crate::plan::{FAILED_SUFFIX, LoadAction, Publish, Reading};
use crate::project::Address;
use crate::source::Place as FilePlace;
use crate::state::NodeState;

/// A worker's way to a target.
pub(super) struct BigQuerySession {
    shared: Arc<Shared>,
    stop: Arc<Stop>,
    labels: Labels,
    unit: Unit,
}

/// What a unit of work has done aside, and is to do when it is committed.
#[derive(Default)]
struct Unit {
    /// Tables and views that nobody is to see, with the query of a view.
    aside: BTreeMap<Relation, Option<String>>,
    publications: Vec<Publication>,
    entries: Vec<Entry>,
    later: Vec<Later>,
}

/// Something that readers will see.
struct Publication {
    from: Relation,
    to: Relation,
    kind: Materialization,
    /// What of another kind stands in its place.
    instead_of: Option<Materialization>,
    comment: String,
}

/// What is done once what was published is written down.
enum Later {
    Describe(Relation, String),
    Remove(Relation, Materialization),
}

impl BigQuerySession {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self { shared, stop: Arc::new(Stop::default()), labels: Labels::new(), unit: Unit::default() }
    }

    fn run(&self, sql: &str) -> Result<()> {
        self.shared.jobs.execute(&self.stop, &self.labels, sql)?;
        Ok(())
    }

    fn path(&self, relation: &Relation) -> String {
        self.shared.place.path(relation)
    }

    fn discard(
        &self,
        stop: &Stop,
        relation: &Relation,
        kind: Materialization,
    ) -> std::result::Result<(), ApiError> {
        self.shared.discard(stop, &self.labels, relation, kind)
    }

    /// What stands beside a table, unless something that is not Pipewright's has its name: then nothing.
    fn own_aside(&self, beside: Aside, table: &Relation) -> Result<Option<Relation>> {
        let at = beside.of(table);
        match self.shared.table(&self.stop, &at)? {
            None => Ok(Some(at)),
            Some(found) if found["description"].as_str() == Some(&beside.mark(table)) => Ok(Some(at)),
            Some(_) => Ok(None),
        }
    }

    /// Publishes one thing by a job of a name.
    fn publish_as(&self, publication: &Publication, job: &str) -> Result<()> {
        let Shared { jobs, place, .. } = self.shared.as_ref();
        let to = self.path(&publication.to);
        if let Some(kind) = publication.instead_of {
            self.run(&format!("DROP {} IF EXISTS {to}", keyword(kind)))?;
        }
        let query = self.unit.aside.get(&publication.from).and_then(Option::as_ref);
        let configuration = match (publication.kind, query) {
            (Materialization::View, Some(query)) => {
                let sql = format!("CREATE OR REPLACE VIEW {to} AS {query}");
                Jobs::statement(&sql, &[], &self.labels)
            }
            (Materialization::View, None) => {
                let message = format!("nothing is known of the view {}", publication.from);
                return Err(Diagnostic::error(Code::Internal, message).into());
            }
            // All rows and columns at once, and without cost.
            (Materialization::Table, _) => {
                let copy = json!({
                    "sourceTable": place.reference(&publication.from),
                    "destinationTable": place.reference(&publication.to),
                    "writeDisposition": "WRITE_TRUNCATE",
                });
                Jobs::configuration("copy", &copy, &self.labels)
            }
        };
        match jobs.run_as(&self.stop, job, &configuration) {
            // What is known to have failed has changed nothing.
            Err(error) if error.is_transient_of_job() => return Err(error.into()),
            done => done.map_err(unsettled)?,
        };
        self.shared.describe(&self.stop, &publication.to, &publication.comment).map_err(unsettled)
    }
}

/// A failure after which something may have been published. Another try would begin from what is remembered, and could
/// take new rows in twice: whoever plans next finds out first.
fn unsettled(error: impl Into<WarehouseError>) -> WarehouseError {
    let WarehouseError { diagnostic, transient } = error.into();
    if !transient {
        return WarehouseError { diagnostic, transient };
    }
    diagnostic.help("it may have been published; the next run finds out and goes on from there").into()
}

/// What stands beside a table.
#[derive(Debug, Clone, Copy)]
enum Aside {
    Rejects,
    Failed,
}

impl Aside {
    fn of(self, table: &Relation) -> Relation {
        let suffix = match self {
            Self::Rejects => "__rejects",
            Self::Failed => FAILED_SUFFIX,
        };
        table.sibling(format!("{}{suffix}", table.table))
    }

    fn mark(self, table: &Relation) -> String {
        match self {
            Self::Rejects => format!("[pipewright rejects of {table}]"),
            Self::Failed => format!("[pipewright failed build of {table}]"),
        }
    }
}

fn keyword(kind: Materialization) -> &'static str {
    match kind {
        Materialization::Table => "TABLE",
        Materialization::View => "VIEW",
    }
}

impl Session for BigQuerySession {
    fn begin(&mut self, about: &str) -> Result<()> {
        self.stop.reset();
        self.unit = Unit::default();
        self.labels = self.shared.labels();
        self.labels.insert("pipewright_node".to_owned(), label(about));
        Ok(())
    }

    fn commit(&mut self) -> Result<()> {
        let store = self.shared.store();
        let serial = self.shared.serial();
        if !self.unit.publications.is_empty() {
            self.shared.hold()?;
            let jobs: Vec<String> = self.unit.publications.iter().map(|_| Jobs::name()).collect();
            for entry in &self.unit.entries {
                let of = entry.state.as_ref().map(|state| state.relation.as_str()).unwrap_or_default();
                let published = self.unit.publications.iter().zip(&jobs);
                if let Some((publication, job)) =
                    published.into_iter().find(|(one, _)| one.to.to_string() == of)
                {
                    let pending = Some((job.as_str(), publication.comment.as_str()));
                    store.add(entry, self.shared.next_entry(), pending, serial)?;
                }
            }
            for (publication, job) in self.unit.publications.iter().zip(&jobs) {
                self.publish_as(publication, job)?;
            }
        }
        for later in &self.unit.later {
            match later {
                Later::Describe(at, comment) => self.shared.describe(&self.stop, at, comment),
                Later::Remove(at, kind) => self.discard(&self.stop, at, *kind),
            }
            .map_err(unsettled)?;
        }
        for entry in std::mem::take(&mut self.unit.entries) {
            store.add(&entry, self.shared.next_entry(), None, serial).map_err(unsettled)?;
            self.shared.remembered(entry);
        }
        self.rollback();
        Ok(())
    }

    fn rollback(&mut self) {
        let unit = std::mem::take(&mut self.unit);
        for (relation, query) in &unit.aside {
            let kind = if query.is_some() { Materialization::View } else { Materialization::Table };
            // Not by the handle that may have stopped the work. What is left is replaced by the next build.
            let _ = self.discard(&Stop::default(), relation, kind);
        }
    }

    fn build(&mut self, at: &Relation, kind: Materialization, query: &str) -> Result<()> {
        self.unit.aside.insert(at.clone(), (kind == Materialization::View).then(|| query.to_owned()));
        self.run(&format!("CREATE OR REPLACE {} {} AS {query}", keyword(kind), self.path(at)))
    }

    fn execute(&mut self, sql: &str) -> Result<()> {
        self.run(sql)
    }

    fn load(
        &mut self,
        at: &Relation,
        publish_as: &Relation,
        load: &LoadAction,
        root: &Path,
        progress: Progress<'_>,
    ) -> Result<Loaded> {
        if self.own_aside(Aside::Rejects, publish_as)?.is_none() {
            let taken = Aside::Rejects.of(publish_as);
            let message = format!("`{taken}` is in the target already, and Pipewright did not make it");
            return Err(Diagnostic::error(Code::ForeignObject, message)
                .help("rejected rows would go there; rename it or drop it yourself")
                .into());
        }
        let rejects_at = Aside::Rejects.of(at);
        self.unit.aside.insert(at.clone(), None);
        self.unit.aside.insert(rejects_at.clone(), None);
        let Shared { jobs, place, .. } = self.shared.as_ref();
        let loading = Loading { jobs, place, stop: &self.stop, labels: &self.labels };
        loading.load(at, &rejects_at, load, root, progress)
    }

    fn answers(&mut self, sql: &str) -> Result<Vec<Option<String>>> {
        let result = self.shared.jobs.query(&self.stop, &self.labels, sql, &[])?;
        let text = |value: Value| match value {
            Value::Null => None,
            Value::String(text) => Some(text),
            other => Some(other.to_string()),
        };
        Ok(result.rows.into_iter().next().unwrap_or_default().into_iter().map(text).collect())
    }

    fn rows(&mut self, sql: &str) -> Result<Vec<Value>> {
        Ok(self.shared.jobs.query(&self.stop, &self.labels, sql, &[])?.objects())
    }

    fn locate(
        &mut self,
        reading: &Reading,
        root: &Path,
        wanted: &Wanted<'_>,
    ) -> Result<BTreeMap<u64, FilePlace>> {
        input::locate(reading, root, wanted)
    }

    fn columns(&mut self, of: &Relation) -> Result<Vec<(String, String)>> {
        let table = self.shared.table(&self.stop, of)?.unwrap_or_default();
        let columns = results::columns(&table["schema"]).into_iter();
        Ok(columns.map(|column| (column.name, column.data_type.to_string())).collect())
    }

    fn publish(
        &mut self,
        build: &Relation,
        as_: &Relation,
        kind: Materialization,
        publish: &Publish,
    ) -> Result<()> {
        self.unit.publications.push(Publication {
            from: build.clone(),
            to: as_.clone(),
            kind,
            instead_of: publish.replaces.filter(|old| *old != kind),
            comment: publish.record.comment.clone(),
        });
        Ok(())
    }

    fn prepare_merge(&mut self, of: &Relation, into: &Relation) -> Result<()> {
        self.unit.aside.insert(into.clone(), None);
        // What an earlier run has left.
        self.discard(&self.stop, into, Materialization::Table)?;
        self.run(&format!("CREATE TABLE {} CLONE {}", self.path(into), self.path(of)))
    }

    fn publish_merge(&mut self, into: &Relation, as_: &Relation, publish: &Publish) -> Result<()> {
        self.publish(into, as_, Materialization::Table, publish)
    }

    fn describe(&mut self, at: &Relation, _kind: Materialization, comment: &str) -> Result<()> {
        self.unit.later.push(Later::Describe(at.clone(), comment.to_owned()));
        Ok(())
    }

    fn remove(&mut self, at: &Relation, kind: Materialization) -> Result<()> {
        if !self.unit.aside.contains_key(at) {
            self.unit.later.push(Later::Remove(at.clone(), kind));
        }
        Ok(())
    }

    fn remove_rejects(&mut self, of: &Relation) -> Result<()> {
        let own = self.own_aside(Aside::Rejects, of)?;
        self.unit.later.extend(own.map(|own| Later::Remove(own, Materialization::Table)));
        Ok(())
    }

    fn publish_rejects(&mut self, build: &Relation, as_: &Relation) -> Result<()> {
        let (from, to) = (Aside::Rejects.of(build), Aside::Rejects.of(as_));
        if self.shared.table(&self.stop, &from)?.is_none() {
            return self.remove_rejects(as_);
        }
        let (kind, instead_of) = (Materialization::Table, None);
        let comment = Aside::Rejects.mark(as_);
        self.unit.publications.push(Publication { from, to, kind, instead_of, comment });
        Ok(())
    }

    fn keep_failed(&mut self, build: &Relation, of: &Relation, kind: Materialization) -> Result<bool> {
        let Some(to) = self.own_aside(Aside::Failed, of)?.filter(|_| kind == Materialization::Table) else {
            return Ok(false);
        };
        // Of all that the unit was to do only this is left.
        self.unit.publications.clear();
        self.unit.entries.clear();
        self.unit.later.clear();
        let comment = Aside::Failed.mark(of);
        self.unit.publications.push(Publication { from: build.clone(), to, kind, instead_of: None, comment });
        Ok(true)
    }

    fn remove_failed(&mut self, of: &Relation) -> Result<()> {
        let own = self.own_aside(Aside::Failed, of)?;
        self.unit.later.extend(own.map(|own| Later::Remove(own, Materialization::Table)));
        Ok(())
    }

    fn remember(&mut self, address: &Address, state: &NodeState) -> Result<()> {
        self.unit.entries.push(Entry { address: address.clone(), state: Some(state.clone()) });
        Ok(())
    }

    fn recall(&mut self, address: &Address) -> Result<Option<NodeState>> {
        let own = self.unit.entries.iter().rev().find(|entry| entry.address == *address);
        Ok(match own {
            Some(entry) => entry.state.clone(),
            None => self.shared.recalled(address),
        })
    }

    fn forget(&mut self, address: &Address) -> Result<()> {
        self.unit.entries.push(Entry { address: address.clone(), state: None });
        Ok(())
    }

    fn interrupter(&self) -> Arc<dyn Interrupt> {
        let stop: Arc<dyn Interrupt> = self.stop.clone();
        stop
    }
}

impl Drop for BigQuerySession {
    fn drop(&mut self) {
        self.rollback();
    }
}
