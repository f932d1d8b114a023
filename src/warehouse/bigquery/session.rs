//! One worker: build aside, audit, publish, remember.
//!
//! BigQuery has no transaction over whole tables. What a step builds stands aside until [`Session::commit`], which
//!
//! 1. writes down what is about to be published, with the names of the jobs that will do it,
//! 2. publishes: each table by one job that replaces it as a whole,
//! 3. writes down that it is so.
//!
//! Whoever finds the first without the third asks for the job, which has an answer for months. A publication that takes
//! several steps is not stopped, and what any is made from stays until its end is known.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use serde_json::{Value, json};

use super::super::aside::{Aside, rejects_place_is_taken};
use super::super::{Interrupt, Loaded, Progress, Relation, Result, Session, Wanted, input};
use super::Shared;
use super::api::Stop;
use super::error::ApiError;
use super::governance::{Governed, Guard, told};
use super::job::Labels;
use super::layout::{self, Description};
use super::leftover::RELAID;
use super::load::{Loading, Shield};
use super::publish::{Publication, rejects_would_show, shield, unsettled};
use super::results;
use super::store::{Announced, Entry, label};
use crate::diag::{Code, Diagnostic};
use crate::manifest::types::Materialization;
use crate::plan::{LoadAction, Publish, Reading, Record};
use crate::project::Address;
use crate::source::Place as FilePlace;
use crate::state::NodeState;

/// A worker's way to a target.
pub(super) struct BigQuerySession {
    pub(super) shared: Arc<Shared>,
    pub(super) stop: Arc<Stop>,
    pub(super) labels: Labels,
    pub(super) unit: Unit,
}

/// What a unit of work has done aside, and is to do when it is committed.
#[derive(Default)]
pub(super) struct Unit {
    /// Tables and views that nobody is to see, with the query of a view.
    pub(super) aside: BTreeMap<Relation, Option<String>>,
    /// Tables as BigQuery described them when they were finished.
    pub(super) finished: BTreeMap<Relation, Value>,
    /// Copies of published tables that new rows are brought into.
    merged: BTreeSet<Relation>,
    publications: Vec<Publication>,
    entries: Vec<Entry>,
    later: Vec<Later>,
    /// Whether the manifest says who may read some column of it.
    tagged: bool,
}

impl Unit {
    /// Takes down how a table is laid out now.
    pub(super) fn observe(&mut self, relation: &Relation, table: &Value) {
        let name = relation.to_string();
        let states = self.entries.iter_mut().filter_map(|entry| entry.state.as_mut());
        for state in states.filter(|state| state.relation == name) {
            state.observed = Some(layout::observed(table));
        }
    }
}

/// What is done once what was published is written down.
enum Later {
    Describe(Relation, Box<Description>),
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

    pub(super) fn path(&self, relation: &Relation) -> String {
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

    /// What a record says of a table.
    fn description(&self, at: &Relation, record: &Record) -> Description {
        Description {
            comment: record.comment.clone(),
            layout: record.layout.clone(),
            properties: record.properties.clone(),
            before: self.shared.said(at),
        }
    }

    /// Makes a copy of a published table that is changed and read as a whole, whatever the manifest says of the table.
    fn copy_to_change(&mut self, of: &Relation, at: &Relation) -> Result<()> {
        self.unit.aside.insert(at.clone(), None);
        // What an earlier run has left.
        self.discard(&self.stop, at, Materialization::Table)?;
        self.run(&format!("CREATE TABLE {} CLONE {}", self.path(at), self.path(of)))?;
        let clone = self.shared.table(&self.stop, at)?.unwrap_or_default();
        if layout::observed(&clone).require_partition_filter {
            self.shared.patch(&self.stop, at, &json!({ "requirePartitionFilter": false }))?;
        }
        Ok(())
    }

    /// Rows that a row access policy keeps from this account are missing in what was selected from a table, without a word.
    fn refuse_hidden_rows(&self, of: &Relation, into: &Relation) -> Result<()> {
        let Some(table) = self.shared.table(&self.stop, of)? else { return Ok(()) };
        let guard = Guard { shared: &self.shared, stop: &self.stop };
        if !guard.restrictions(of, &table)?.has_row_policies() {
            return Ok(());
        }
        let written = self.shared.table(&self.stop, into)?.unwrap_or_default();
        if table["numRows"] == written["numRows"] {
            return Ok(());
        }
        let message = format!("{of} has rows that its row access policies keep from this account");
        Err(Diagnostic::error(Code::RowsLost, message)
            .help("nothing was published; give the account a policy of its own with `FILTER USING (TRUE)`")
            .into())
    }

    /// Writes down what is about to be published, and by which job.
    pub(super) fn announce(
        &self,
        publication: &Publication,
        governed: Option<&Governed>,
        job: &str,
    ) -> Result<()> {
        let of = publication.to.to_string();
        let is_of = |entry: &&Entry| entry.state.as_ref().is_some_and(|state| state.relation == of);
        let Some(entry) = self.unit.entries.iter().find(is_of) else { return Ok(()) };
        let announced = Announced { job, comment: &publication.description.comment, governed };
        let number = self.shared.next_entry();
        self.shared.store().add(entry, number, Some(announced), self.shared.serial())
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
        let shared = Arc::clone(&self.shared);
        let store = shared.store();
        let serial = self.shared.serial();
        let mut faults = Vec::new();
        self.shared.hold()?;
        for publication in std::mem::take(&mut self.unit.publications) {
            let gone = self.publish_one(&publication)?;
            if !gone.is_empty() {
                faults.push(told(&publication.to, &gone));
            }
        }
        for later in std::mem::take(&mut self.unit.later) {
            self.shared.hold()?;
            match later {
                Later::Describe(at, description) => self
                    .shared
                    .describe(&self.stop, &at, &description)
                    .map(|table| self.unit.observe(&at, &table)),
                Later::Remove(at, kind) => self.discard(&self.stop, &at, kind),
            }
            .map_err(unsettled)?;
        }
        for entry in std::mem::take(&mut self.unit.entries) {
            store.add(&entry, self.shared.next_entry(), None, serial).map_err(unsettled)?;
            self.shared.remembered(entry);
        }
        self.rollback();
        // It is published, and so it is remembered: what was lost is told all the same.
        match faults.into_iter().next() {
            Some(fault) => Err(fault.into()),
            None => Ok(()),
        }
    }

    fn rollback(&mut self) {
        let unit = std::mem::take(&mut self.unit);
        // Builds of these names are another run's by then.
        if self.shared.hold().is_err() {
            return;
        }
        for (relation, query) in &unit.aside {
            let kind = if query.is_some() { Materialization::View } else { Materialization::Table };
            // Not by the handle that may have stopped the work. What is left is replaced by the next build.
            let _ = self.discard(&Stop::default(), relation, kind);
        }
    }

    fn build(
        &mut self,
        at: &Relation,
        kind: Materialization,
        query: &str,
        wanted: Option<&Record>,
    ) -> Result<()> {
        self.unit.aside.insert(at.clone(), (kind == Materialization::View).then(|| query.to_owned()));
        self.unit.tagged |= wanted.is_some_and(|record| {
            record.properties.columns.values().any(|column| column.policy_tag.is_some())
        });
        // A view is audited as a plain one, also where its result is to be kept.
        let clauses = match (kind, wanted) {
            (Materialization::Table, Some(record)) => layout::clauses(&record.layout, &record.properties),
            _ => String::new(),
        };
        let sql = format!("CREATE OR REPLACE {} {}{clauses} AS {query}", kind.keyword(), self.path(at));
        match self.run(&sql) {
            // What an earlier run has left is laid out otherwise.
            Err(error) if error.diagnostic.message.contains("Cannot replace a table with a different") => {
                self.discard(&self.stop, at, kind)?;
                self.run(&sql)?;
            }
            done => done?,
        }
        match kind {
            Materialization::Table => self.shield(at, wanted.map(|record| &record.properties)),
            // It shows no more than who asks may see of what it reads.
            Materialization::View => Ok(()),
        }
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
            return Err(rejects_place_is_taken(publish_as));
        }
        let rejects_at = Aside::Rejects.of(at);
        // What an earlier run has left may be laid out otherwise.
        self.discard(&self.stop, at, Materialization::Table)?;
        self.unit.aside.insert(at.clone(), None);
        self.unit.aside.insert(rejects_at.clone(), None);
        let properties = Some(&load.publish.record.properties);
        let shield = |at: &Relation| shield(&self.shared, &self.stop, at, properties);
        let guarded =
            if self.is_governed(publish_as)? { Some((publish_as, &shield as Shield<'_>)) } else { None };
        let Shared { jobs, storage, place, .. } = self.shared.as_ref();
        let loading = Loading { jobs, storage, place, stop: &self.stop, labels: &self.labels, guarded };
        let loaded = loading.load(at, &rejects_at, load, root, progress)?;
        self.shield(at, properties)?;
        Ok(loaded)
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

    fn size(&mut self, of: &Relation) -> Result<Option<(u64, u64)>> {
        let Some(table) = self.shared.table(&self.stop, of)? else {
            return Err(Diagnostic::error(Code::StalePlan, format!("{of} is not there any more"))
                .help("plan again")
                .into());
        };
        let told = |key: &str| table[key].as_str().and_then(|number| number.parse::<u64>().ok());
        // Not every server keeps the number up to date where statements have changed rows: the emulator does not. BigQuery
        // counts them without reading any.
        let rows = if self.unit.merged.contains(of) {
            let counted = self.answers(&format!("SELECT COUNT(*) FROM {}", self.path(of)))?;
            counted.into_iter().next().flatten().and_then(|number| number.parse().ok())
        } else {
            told("numRows")
        };
        // Without its rows nobody knows whether some were lost.
        let rows = rows.ok_or_else(|| ApiError::lacks("number of the rows of the table"))?;
        let bytes = told("numBytes").ok_or_else(|| ApiError::lacks("size of the table"))?;
        Ok(Some((rows, bytes)))
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
        self.unit.finished.insert(of.clone(), table);
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
            description: self.description(as_, &publish.record),
        });
        Ok(())
    }

    fn prepare_merge(&mut self, of: &Relation, into: &Relation, publish: &Publish) -> Result<()> {
        self.unit.merged.insert(into.clone());
        if publish.relaid.is_empty() {
            self.copy_to_change(of, into)?;
            return self.shield(into, None);
        }
        // Another layout is another table: the rows that are there are written into one, by way of a copy that may be read
        // as a whole.
        let copy = of.sibling(format!("{}{RELAID}", of.table));
        self.copy_to_change(of, &copy)?;
        self.shield(&copy, None)?;
        self.unit.aside.insert(into.clone(), None);
        self.discard(&self.stop, into, Materialization::Table)?;
        let clauses = layout::clauses(&publish.record.layout, &publish.record.properties);
        let (from, to) = (self.path(&copy), self.path(into));
        self.run(&format!("CREATE TABLE {to}{clauses} AS SELECT * FROM {from}"))?;
        self.shield(into, Some(&publish.record.properties))?;
        self.refuse_hidden_rows(of, into)?;
        self.discard(&self.stop, &copy, Materialization::Table)?;
        self.unit.aside.remove(&copy);
        Ok(())
    }

    fn publish_merge(&mut self, into: &Relation, as_: &Relation, publish: &Publish) -> Result<()> {
        self.publish(into, as_, Materialization::Table, publish)
    }

    fn describe(&mut self, at: &Relation, _kind: Materialization, record: &Record) -> Result<()> {
        let description = Box::new(self.description(at, record));
        self.unit.later.push(Later::Describe(at.clone(), description));
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
        if self.is_governed(as_)? {
            return Err(rejects_would_show(as_));
        }
        let (kind, description) = (Materialization::Table, Description::of(Aside::Rejects.mark(as_)));
        self.unit.publications.push(Publication { from, to, kind, description });
        Ok(())
    }

    fn still_has(&self, build: &Relation) -> bool {
        self.unit.aside.contains_key(build)
    }

    fn keep_failed(&mut self, build: &Relation, of: &Relation, kind: Materialization) -> Result<bool> {
        let Some(to) = self.own_aside(Aside::Failed, of)?.filter(|_| kind == Materialization::Table) else {
            return Ok(false);
        };
        // What readers are kept from in the table they would see there.
        if self.unit.tagged || self.is_governed(of)? {
            return Ok(false);
        }
        // What an earlier one left may be laid out otherwise.
        self.discard(&self.stop, &to, kind)?;
        // Of all that the unit was to do only this is left.
        self.unit.publications.clear();
        self.unit.entries.clear();
        self.unit.later.clear();
        let description = Description::of(Aside::Failed.mark(of));
        self.unit.publications.push(Publication { from: build.clone(), to, kind, description });
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
