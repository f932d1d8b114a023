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

use super::super::aside::{Aside, rejects_place_is_taken};
use super::super::{Interrupt, Loaded, Progress, Relation, Result, Session, Wanted, WarehouseError, input};
use super::api::Stop;
use super::error::ApiError;
use super::governance::{Guard, lost, told};
use super::job::{Jobs, Labels};
use super::layout::{self, Description};
use super::load::Loading;
use super::place::Place;
use super::results;
use super::store::{Entry, label};
use super::{Shared, now_ms};
use crate::diag::{Code, Diagnostic};
use crate::manifest::types::Materialization;
use crate::plan::{LoadAction, Publish, Reading, Record};
use crate::project::{Address, Properties};
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
    /// Tables as BigQuery described them when they were finished.
    finished: BTreeMap<Relation, Value>,
    publications: Vec<Publication>,
    entries: Vec<Entry>,
    later: Vec<Later>,
    /// Whether the manifest says who may read some column of it.
    tagged: bool,
}

impl Unit {
    /// Takes down how a table is laid out now.
    fn observe(&mut self, relation: &Relation, table: &Value) {
        let name = relation.to_string();
        let states = self.entries.iter_mut().filter_map(|entry| entry.state.as_mut());
        for state in states.filter(|state| state.relation == name) {
            state.observed = Some(layout::observed(table));
        }
    }
}

/// Something that readers will see.
struct Publication {
    from: Relation,
    to: Relation,
    kind: Materialization,
    /// Whether something stands in its place.
    replaces: bool,
    description: Description,
}

/// What a job does that publishes something.
enum Making {
    /// It copies a table over another.
    Copy(Value),
    /// It runs a statement.
    Statement(String),
}

impl Publication {
    /// The job that publishes it, with the query of a view.
    fn job(&self, place: &Place, query: Option<&String>, relaid: bool) -> Result<Making> {
        let (from, to) = (place.path(&self.from), place.path(&self.to));
        let sql = match (self.kind, query) {
            (Materialization::View, Some(query)) if self.description.layout.materialized_view => {
                let clauses = layout::clauses(&self.description.layout, &Properties::default());
                let made = format!("MATERIALIZED VIEW {to}{clauses} AS {query}");
                if relaid {
                    format!("DROP MATERIALIZED VIEW IF EXISTS {to}; CREATE {made}")
                } else {
                    format!("CREATE OR REPLACE {made}")
                }
            }
            (Materialization::View, Some(query)) => format!("CREATE OR REPLACE VIEW {to} AS {query}"),
            (Materialization::View, None) => {
                let message = format!("nothing is known of the view {}", self.from);
                return Err(Diagnostic::error(Code::Internal, message).into());
            }
            // Nothing replaces a table by one of another layout in one statement. As one job, it is done as a whole
            // whatever becomes of us.
            (Materialization::Table, _) if relaid => {
                format!("DROP TABLE IF EXISTS {to}; CREATE TABLE {to} COPY {from}")
            }
            // All rows and columns at once, and without cost.
            (Materialization::Table, _) => {
                let copy = json!({
                    "sourceTable": place.reference(&self.from),
                    "destinationTable": place.reference(&self.to),
                    "writeDisposition": "WRITE_TRUNCATE",
                });
                return Ok(Making::Copy(copy));
            }
        };
        Ok(Making::Statement(sql))
    }

    /// What BigQuery calls a thing of its kind.
    fn type_name(&self) -> &'static str {
        match self.kind {
            Materialization::Table => "TABLE",
            Materialization::View if self.description.layout.materialized_view => "MATERIALIZED_VIEW",
            Materialization::View => "VIEW",
        }
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

    /// What a record says of a table.
    fn description(&self, at: &Relation, record: &Record) -> Description {
        Description {
            comment: record.comment.clone(),
            layout: record.layout.clone(),
            properties: record.properties.clone(),
            before: self.shared.said(at),
        }
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

    /// Publishes one thing by a job of a name. Says what of its governance was lost.
    fn publish_as(&mut self, publication: &Publication, job: &str) -> Result<Vec<String>> {
        let shared = Arc::clone(&self.shared);
        let guard = Guard { shared: &shared, stop: &self.stop };
        let Publication { from, to, kind, description, .. } = publication;
        let there = if publication.replaces { shared.table(&self.stop, to)? } else { None };
        let before = match &there {
            Some(table) => Some(guard.read(to, table)?),
            None => None,
        };
        let foreign = before.as_ref().map(|before| before.foreign(description)).unwrap_or_default();
        let finished = self.unit.finished.get(from).cloned().unwrap_or_default();
        // What keeps rows and columns from readers is on the build before they see it.
        if let Some(before) = &before {
            guard.carry_over((from, to), *kind, before)?;
        }
        if *kind == Materialization::Table && description.has_policy_tags(&foreign) {
            let fields = description.fields(&finished, &foreign);
            shared.patch(&self.stop, from, &json!({ "schema": { "fields": fields } }))?;
        }
        let there_as = there.as_ref().and_then(|table| table["type"].as_str());
        let other_kind = there_as.filter(|kind| *kind != publication.type_name());
        if let Some(kind) = other_kind {
            self.run(&format!("DROP {} IF EXISTS {}", kind.replace('_', " "), self.path(to)))?;
        }
        // The build of a view is a plain one, of no layout.
        let laid = match kind {
            Materialization::Table => finished.clone(),
            Materialization::View => json!(layout::settings(&description.layout)),
        };
        let relaid = there.as_ref().is_some_and(|table| !layout::alike(table, &laid)) && other_kind.is_none();
        let query = self.unit.aside.get(from).and_then(Option::as_ref);
        let configuration = match publication.job(&shared.place, query, relaid)? {
            Making::Copy(copy) => shared.jobs.configuration("copy", &copy, &self.labels),
            Making::Statement(sql) => shared.jobs.statement(&sql, &[], &self.labels),
        };
        match shared.jobs.run_as(&self.stop, job, &configuration) {
            // What is known to have failed has changed nothing; a table that was to be replaced may be gone, and another
            // try would not know what governed it.
            Err(error) if error.is_transient_of_job() && !relaid && other_kind.is_none() => {
                return Err(error.into());
            }
            done => done.map_err(unsettled)?,
        };
        let description = description.patch(&finished, &foreign, now_ms());
        let table = shared.patch(&self.stop, to, &description).map_err(unsettled)?;
        self.unit.observe(to, &table);
        Ok(match before {
            Some(before) => lost(&before, &foreign, &guard.settle(to, &table, &before).map_err(unsettled)?),
            None => Vec::new(),
        })
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
        if !self.unit.publications.is_empty() {
            self.shared.hold()?;
            let jobs: Vec<String> = self.unit.publications.iter().map(|_| Jobs::name()).collect();
            for entry in &self.unit.entries {
                let of = entry.state.as_ref().map(|state| state.relation.as_str()).unwrap_or_default();
                let published = self.unit.publications.iter().zip(&jobs);
                if let Some((publication, job)) =
                    published.into_iter().find(|(one, _)| one.to.to_string() == of)
                {
                    let pending = Some((job.as_str(), publication.description.comment.as_str()));
                    store.add(entry, self.shared.next_entry(), pending, serial)?;
                }
            }
            for (publication, job) in std::mem::take(&mut self.unit.publications).iter().zip(&jobs) {
                let gone = self.publish_as(publication, job)?;
                if !gone.is_empty() {
                    faults.push(told(&publication.to, &gone));
                }
            }
        }
        for later in std::mem::take(&mut self.unit.later) {
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
                self.run(&sql)
            }
            done => done,
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
        let Shared { jobs, storage, place, .. } = self.shared.as_ref();
        let loading = Loading { jobs, storage, place, stop: &self.stop, labels: &self.labels };
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
            replaces: publish.replaces.is_some(),
            description: self.description(as_, &publish.record),
        });
        Ok(())
    }

    fn prepare_merge(&mut self, of: &Relation, into: &Relation, publish: &Publish) -> Result<()> {
        self.unit.aside.insert(into.clone(), None);
        // What an earlier run has left.
        self.discard(&self.stop, into, Materialization::Table)?;
        self.run(&format!("CREATE TABLE {} CLONE {}", self.path(into), self.path(of)))?;
        // It is changed and audited as a whole.
        if publish.record.properties.require_partition_filter {
            self.shared.patch(&self.stop, into, &json!({ "requirePartitionFilter": false }))?;
        }
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
        let description = Description::of(Aside::Rejects.mark(as_));
        let (kind, replaces) = (Materialization::Table, false);
        self.unit.publications.push(Publication { from, to, kind, replaces, description });
        Ok(())
    }

    fn keep_failed(&mut self, build: &Relation, of: &Relation, kind: Materialization) -> Result<bool> {
        let Some(to) = self.own_aside(Aside::Failed, of)?.filter(|_| kind == Materialization::Table) else {
            return Ok(false);
        };
        // What readers are kept from in the table they would see there.
        let published = self.shared.table(&self.stop, of)?;
        let guard = Guard { shared: &self.shared, stop: &self.stop };
        let governed = match &published {
            Some(table) => guard.read(of, table)?.keeps_readers_out(),
            None => false,
        };
        if governed || self.unit.tagged {
            return Ok(false);
        }
        // What an earlier one left may be laid out otherwise.
        self.discard(&self.stop, &to, kind)?;
        // Of all that the unit was to do only this is left.
        self.unit.publications.clear();
        self.unit.entries.clear();
        self.unit.later.clear();
        let description = Description::of(Aside::Failed.mark(of));
        let (from, replaces) = (build.clone(), false);
        self.unit.publications.push(Publication { from, to, kind, replaces, description });
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::Layout;

    fn publication(kind: Materialization, layout: Layout) -> Publication {
        let description = Description { layout, ..Description::default() };
        let (from, to) = (Relation::parse("d.t__build"), Relation::parse("d.t"));
        Publication { from, to, kind, replaces: true, description }
    }

    #[test]
    fn each_kind_is_published_by_one_job() {
        let state = "pipewright".to_owned();
        let place = Place { project: "p".to_owned(), prefix: String::new(), state };
        let query = "SELECT 1 AS `a`".to_owned();
        let job = |publication: &Publication, query: Option<&String>, relaid: bool| {
            publication.job(&place, query, relaid).unwrap()
        };
        let sql = |job: &Making| match job {
            Making::Statement(sql) => sql.clone(),
            Making::Copy(copy) => copy.to_string(),
        };
        let table = publication(Materialization::Table, Layout::default());
        let Making::Copy(copy) = job(&table, None, false) else { panic!("rows are copied") };
        assert_eq!(copy["writeDisposition"], "WRITE_TRUNCATE");
        assert_eq!(copy["destinationTable"]["tableId"], "t");
        // BigQuery replaces no table by one that is laid out otherwise.
        let replaced = sql(&job(&table, None, true));
        assert_eq!(replaced, "DROP TABLE IF EXISTS `p.d.t`; CREATE TABLE `p.d.t` COPY `p.d.t__build`");
        let view = publication(Materialization::View, Layout::default());
        let made = sql(&job(&view, Some(&query), false));
        assert_eq!(made, "CREATE OR REPLACE VIEW `p.d.t` AS SELECT 1 AS `a`");
        let cluster_by = vec!["a".to_owned()];
        let kept = Layout { materialized_view: true, cluster_by, ..Layout::default() };
        let kept = publication(Materialization::View, kept);
        assert_eq!(kept.type_name(), "MATERIALIZED_VIEW");
        let made = sql(&job(&kept, Some(&query), false));
        assert_eq!(made, "CREATE OR REPLACE MATERIALIZED VIEW `p.d.t` CLUSTER BY `a` AS SELECT 1 AS `a`");
        let made = sql(&job(&kept, Some(&query), true));
        assert!(
            made.starts_with("DROP MATERIALIZED VIEW IF EXISTS `p.d.t`; CREATE MATERIALIZED VIEW `p.d.t` ")
        );
        assert!(view.job(&place, None, false).is_err());
    }
}
