//! Google BigQuery.
//!
//! ```text
//! Session, Warehouse --> job (named, waited for) --> api (retries, one runtime) --> BigQuery
//!      |-- load --> input (files judged as everywhere) --> encode --> upload (resumable)
//!      |-- objects (files of Cloud Storage) --> job, or as load --> storage (listed and read)
//!      \-- store (state, runs, results), lease (one writer), observe (what is there)
//! ```
//! All of it waits: the asynchronous runtime of the client stays in [`api`].

mod api;
mod credentials;
mod dataset;
mod dry_run;
mod encode;
mod error;
mod governance;
mod halfway;
mod history;
mod job;
mod lanes;
mod layout;
mod lease;
mod leftover;
mod load;
mod objects;
mod observe;
mod parameter;
mod place;
mod publish;
mod results;
mod session;
mod several;
mod spot;
mod storage;
mod store;
mod token;
mod upload;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;
use sqlparser::tokenizer::{Location, Span};

use self::api::{Api, Backoff, Stop, Way};
use self::credentials::Origin;
use self::error::ApiError;
use self::halfway::Halfway;
use self::job::{Jobs, Labels};
use self::layout::{Description, Foreign};
use self::lease::Lease;
use self::place::Place;
use self::session::BigQuerySession;
use self::storage::Storage;
use self::store::{Entry, Store, label};
use super::{
    Access, History, Interrupt, QueryError, QueryResult, Relation, Result, RunHeader, Session, Warehouse,
    WarehouseError,
};
use crate::clock::{Clock, SystemClock};
use crate::diag::{Code, Diagnostic};
use crate::googlesql::SqlFault;
use crate::googlesql::parameter::Parameter;
use crate::googlesql::substitute::{Instead, substitute};
use crate::manifest::types::{BigQueryTarget, Dataset, Materialization};
use crate::plan::{Answer, DatasetChange, Record};
use crate::project::{Address, Project, Properties};
use crate::report::{PastCheck, PastRun, PastStep, RunReport, Track};
use crate::state::{DatasetObject, FileState, NodeState, Snapshot, State};

/// A project of BigQuery, open for one command.
pub struct BigQuery {
    shared: Arc<Shared>,
    /// The tables and views that the manifest has.
    relations: BTreeSet<Relation>,
    /// The datasets that the manifest declares, and whether it says anything of them.
    declared: BTreeMap<String, bool>,
    command: String,
    run: Mutex<Option<RunHeader>>,
    /// The way to stop a query of nobody's session.
    stop: Arc<Stop>,
}

/// What all sessions share.
struct Shared {
    jobs: Jobs,
    storage: Storage,
    place: Place,
    location: Option<String>,
    /// The datasets of the pipeline and of what is remembered, as BigQuery names them.
    datasets: BTreeSet<String>,
    pipeline: String,
    /// What is remembered, as it was read and as this run has changed it.
    state: Mutex<State>,
    /// What runs that ended on the way have left.
    halfway: Mutex<Halfway>,
    lease: Mutex<Option<Lease>>,
    serial: AtomicU64,
    entries: AtomicI64,
    run: Mutex<Option<String>>,
    /// The most requests at a time.
    threads: usize,
}

/// After how many runs the entries of the state that others have followed are taken away, and the runs that are too old.
const FOLLOWED: u64 = 16;

/// Now, in milliseconds since 1970.
fn now_ms() -> u64 {
    u64::try_from(SystemClock.now().timestamp_millis()).unwrap_or_default()
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    fn store(&self) -> Store<'_> {
        Store { jobs: &self.jobs, place: &self.place, pipeline: &self.pipeline, labels: self.labels() }
    }

    fn serial(&self) -> u64 {
        self.serial.load(Ordering::SeqCst)
    }

    /// The number of the next entry: greater than all of earlier runs, since serials grow.
    fn next_entry(&self) -> i64 {
        let serial = i64::try_from(self.serial()).unwrap_or(i64::MAX / 2_000_000);
        serial * 1_000_000 + self.entries.fetch_add(1, Ordering::SeqCst)
    }

    fn labels(&self) -> Labels {
        let mut labels = Labels::from([("pipewright".to_owned(), label(&self.pipeline))]);
        if let Some(run) = locked(&self.run).as_deref() {
            labels.insert("pipewright_run".to_owned(), label(run));
        }
        labels
    }

    fn hold(&self) -> Result<()> {
        locked(&self.lease).as_ref().map_or(Ok(()), Lease::hold)
    }

    /// What is remembered, where there are these datasets.
    fn remembered_among(&self, datasets: &BTreeSet<String>) -> Result<store::Remembered> {
        if !datasets.contains(&self.place.dataset(&self.place.state)) {
            return Ok(store::Remembered::default());
        }
        match self.store().read() {
            // A dataset of that name without the tables.
            Err(WarehouseError { diagnostic, .. }) if diagnostic.message.contains("ot found: Table") => {
                Ok(store::Remembered::default())
            }
            read => read.map_err(|error| self.located(error)),
        }
    }

    fn remembered(&self, entry: Entry) {
        let mut state = locked(&self.state);
        match entry.state {
            Some(node) => state.nodes.insert(entry.address, node),
            None => state.nodes.remove(&entry.address),
        };
    }

    fn recalled(&self, address: &Address) -> Option<NodeState> {
        locked(&self.state).nodes.get(address).cloned()
    }

    /// A table or view as BigQuery describes it; nothing where there is none.
    fn table(&self, stop: &Stop, relation: &Relation) -> std::result::Result<Option<Value>, ApiError> {
        let path = self.place.address(relation);
        match self.jobs.api.persist(stop, || self.jobs.api.get(&path, &[])) {
            Ok(table) => Ok(Some(table)),
            Err(error) if error.is_missing() => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn delete(&self, stop: &Stop, relation: &Relation) -> std::result::Result<(), ApiError> {
        let path = self.place.address(relation);
        let deleted = self.jobs.api.persist(stop, || self.jobs.api.delete(&path)).map(|_| ());
        match deleted {
            Err(error) if error.is_missing() => Ok(()),
            deleted => deleted,
        }
    }

    /// Removes a table by a request, which is the quickest, and a view by a statement: not every server takes views away
    /// otherwise.
    fn discard(
        &self,
        stop: &Stop,
        labels: &Labels,
        relation: &Relation,
        kind: Materialization,
    ) -> std::result::Result<(), ApiError> {
        match kind {
            Materialization::Table => self.delete(stop, relation),
            Materialization::View => {
                let sql = format!("DROP VIEW IF EXISTS {}", self.place.path(relation));
                match self.jobs.execute(stop, labels, &sql) {
                    // A materialized view is none.
                    Err(error) if error.is_of_query() => self.delete(stop, relation),
                    done => done.map(|_| ()),
                }
            }
        }
    }

    /// Says what is to be said of a table that is otherwise as it should be. Gives the table as it is then.
    fn describe(
        &self,
        stop: &Stop,
        relation: &Relation,
        description: &Description,
    ) -> std::result::Result<Value, ApiError> {
        let table = if description.needs_table() { self.table(stop, relation)? } else { None };
        let table = table.unwrap_or_default();
        self.patch(stop, relation, &description.patch(&table, &Foreign::default(), now_ms()))
    }

    /// Changes what a table says of itself. Gives the table as it is then.
    fn patch(&self, stop: &Stop, relation: &Relation, body: &Value) -> std::result::Result<Value, ApiError> {
        let path = self.place.address(relation);
        self.jobs.api.persist(stop, || self.jobs.api.patch(&path, body))
    }

    /// What the manifest said of a table when it was last described.
    fn said(&self, relation: &Relation) -> Properties {
        let (state, name) = (locked(&self.state), relation.to_string());
        let node = state.nodes.values().find(|node| node.relation == name);
        node.map(|node| node.properties.clone()).unwrap_or_default()
    }
}

impl BigQuery {
    /// Opens a target. For writing, the lease is taken if the target was written to before; else when a run begins.
    ///
    /// # Errors
    /// Credentials that cannot be used, what BigQuery says, or who holds the target.
    pub fn open(
        root: &Path,
        target: &BigQueryTarget,
        project: &Project,
        access: Access,
        command: &str,
    ) -> Result<Self> {
        // A variable without a value leaves nothing.
        let given = |setting: &Option<String>| setting.clone().filter(|text| !text.is_empty());
        let (endpoint, location) = (given(&target.endpoint), given(&target.location));
        let way = Way {
            endpoint: endpoint.clone(),
            quota_project: given(&target.quota_project),
            backoff: Backoff::default(),
        };
        let origin = Origin::of(root, given(&target.credentials_file).as_deref(), endpoint.as_deref());
        let api = Arc::new(Api::new(&way, &origin)?);
        let jobs = Jobs::new(Arc::clone(&api), target, location.clone());
        let storage =
            Storage::new(api, given(&target.storage_endpoint), given(&target.credentials_file).is_some());
        let place = Place {
            project: target.project.clone(),
            prefix: target.dataset_prefix.clone().unwrap_or_default(),
            state: target.state_dataset.clone(),
        };
        let relations: BTreeSet<Relation> =
            project.nodes.values().map(|node| Relation::parse(&node.relation())).collect();
        let datasets = relations.iter().map(|relation| &relation.dataset).chain(project.datasets.keys());
        let datasets = datasets.chain([&place.state]).map(|dataset| place.dataset(dataset)).collect();
        let shared = Shared {
            jobs,
            storage,
            datasets,
            place,
            location,
            pipeline: project.name.clone(),
            state: Mutex::default(),
            halfway: Mutex::default(),
            lease: Mutex::default(),
            serial: AtomicU64::new(0),
            entries: AtomicI64::new(0),
            run: Mutex::default(),
            threads: usize::try_from(target.threads).unwrap_or(1),
        };
        let declared =
            project.datasets.iter().map(|(name, declared)| (name.clone(), *declared != Dataset::default()));
        let warehouse = Self {
            shared: Arc::new(shared),
            relations,
            declared: declared.collect(),
            command: command.to_owned(),
            run: Mutex::default(),
            stop: Arc::default(),
        };
        let shared = &warehouse.shared;
        if access == Access::Write && shared.datasets()?.contains(&shared.place.dataset(&shared.place.state))
        {
            warehouse.take()?;
        }
        Ok(warehouse)
    }

    fn take(&self) -> Result<()> {
        let shared = &self.shared;
        let mut lease = locked(&shared.lease);
        if lease.is_none() {
            *lease = Some(Lease::take(&shared.jobs.api, &shared.place, &shared.pipeline, &self.command)?);
        }
        Ok(())
    }
}

impl Warehouse for BigQuery {
    fn snapshot(&self) -> Result<Snapshot> {
        let shared = &self.shared;
        let there = shared.datasets()?;
        let is_there = |dataset: &String| there.contains(&shared.place.dataset(dataset));
        let remembered = shared.remembered_among(&there)?;
        let mut state = remembered.state;
        let known = state.nodes.values().map(|node| &node.relation);
        let known = known.chain(remembered.pending.iter().map(|pending| &pending.state.relation));
        let known = known.map(|relation| Relation::parse(relation));
        let own: BTreeSet<Relation> = self.relations.iter().cloned().chain(known).collect();
        let datasets = own.iter().map(|relation| relation.dataset.clone()).filter(is_there).collect();
        // What is still going on is waited for, before it is looked at what is there.
        let ends = shared.ends_of(&remembered.pending);
        let mut objects = observe::objects(&shared.jobs, &shared.labels(), &shared.place, &datasets)
            .map_err(|error| shared.located(error))?;
        let halfway = Halfway::find(remembered.pending, ends, &own, &mut state, &mut objects)?;
        shared.serial.store(state.serial, Ordering::SeqCst);
        *locked(&shared.state) = state.clone();
        *locked(&shared.halfway) = halfway;
        let says = |node: &NodeState| !node.properties.columns.is_empty();
        if state.nodes.values().any(says) {
            observe::columns(&shared.jobs, &shared.labels(), &shared.place, &datasets, &mut objects)?;
        }
        let declared: Vec<(&String, &bool)> =
            self.declared.iter().filter(|(dataset, _)| is_there(dataset)).collect();
        let datasets = several::each(shared.threads, &declared, |(dataset, has_settings)| {
            let object = if **has_settings {
                shared.observe_dataset(dataset)?
            } else {
                Some(DatasetObject::default())
            };
            Ok::<_, ApiError>(object.map(|object| ((*dataset).clone(), object)))
        })?;
        Ok(Snapshot { state, objects, datasets: Some(datasets.into_iter().flatten().collect()) })
    }

    fn files_at(&self, addresses: &[String]) -> Result<Vec<FileState>> {
        self.shared.storage.files(&Stop::default(), addresses)
    }

    fn session(&self) -> Result<Box<dyn Session>> {
        Ok(Box::new(BigQuerySession::new(Arc::clone(&self.shared))))
    }

    fn begin_run(&self, run: &RunHeader, datasets: &[String], changes: &[DatasetChange]) -> Result<()> {
        let shared = &self.shared;
        let there = shared.datasets()?;
        let is_there = |dataset: &str| there.contains(&shared.place.dataset(dataset));
        if !is_there(&shared.place.state) {
            shared.make_dataset(&shared.place.state)?;
        }
        let before = locked(&shared.state).clone();
        if before.lineage.is_none() {
            shared.store().make()?;
        }
        self.take()?;
        let serial = shared.store().advance(run, &before)?;
        shared.serial.store(serial, Ordering::SeqCst);
        // Not before the serial is ours: of two runs that were planned on one state, one changes something.
        for change in changes {
            shared.settle_dataset(change)?;
        }
        for dataset in datasets {
            if !is_there(dataset) && !changes.iter().any(|change| change.dataset == *dataset) {
                shared.make_dataset(dataset)?;
            }
        }
        *locked(&shared.run) = Some(run.id.clone());
        *locked(&self.run) = Some(run.clone());
        shared.store().add_run(run, None)?;
        shared.put_right(serial)
    }

    fn is_left_halfway(&self) -> bool {
        locked(&self.shared.halfway).is_something()
    }

    fn finish_run(&self, report: &RunReport, forget_before: Option<&str>) -> Result<()> {
        let store = self.shared.store();
        // Nor is it looked each time whether a run has grown too old.
        if let Some(time) = forget_before.filter(|_| self.shared.serial() % FOLLOWED == 1) {
            store.forget_runs(time)?;
        }
        let results = store.add_results(report);
        // Not in each run: it costs as much as reading them.
        if self.shared.serial().is_multiple_of(FOLLOWED) && self.shared.hold().is_ok() {
            // What is not taken away now is taken away later.
            let _ = store.forget_followed();
        }
        // How it ended is told of a run whose results are lost, too.
        let end = locked(&self.run).as_ref().map_or(Ok(()), |run| store.add_run(run, Some(report)));
        results.and(end).map_err(|error| {
            let message =
                format!("the run has ended, and its record is incomplete: {}", error.diagnostic.message);
            WarehouseError { diagnostic: Diagnostic { message, ..error.diagnostic }, ..error }
        })
    }

    fn dry_run(&self, queries: &[&str]) -> Result<Vec<Answer>> {
        let (shared, place) = (&self.shared, &self.shared.place);
        let renamed: BTreeMap<String, String> = locked(&shared.halfway)
            .renamed()
            .into_iter()
            .map(|(table, now)| (place.named(&table), place.named(&now)))
            .collect();
        if renamed.is_empty() {
            return dry_run::all(&shared.jobs, &shared.labels(), queries, shared.threads);
        }
        // What has its name back by the time that they run is asked about under the one that it has.
        let instead = |path: &str| renamed.get(path).cloned().map(Instead::Table);
        let asked: Vec<String> = queries.iter().map(|sql| substitute(sql, &instead).sql).collect();
        let queries: Vec<&str> = asked.iter().map(String::as_str).collect();
        dry_run::all(&shared.jobs, &shared.labels(), &queries, shared.threads)
    }

    fn billed(&self) -> Option<u64> {
        Some(self.shared.jobs.billed())
    }

    fn query(&self, script: &str, parameters: &[Parameter]) -> std::result::Result<QueryResult, QueryError> {
        let shared = &self.shared;
        let parameters: Vec<Value> = parameters.iter().map(parameter::given).collect();
        shared.jobs.query(&self.stop, &shared.labels(), script, &parameters).map_err(|error| {
            match WarehouseError::from(error).diagnostic {
                failed if failed.code == Code::StepFailed => match spot::split(&failed.message) {
                    Some((message, (line, column))) => {
                        let start = Location::new(line, column);
                        let span = Span::new(start, Location::new(line, column + 1));
                        QueryError::Faults(vec![SqlFault::new(Code::QueryFailed, span, message)])
                    }
                    None => QueryError::Engine(failed.message),
                },
                refusal => QueryError::Target(Box::new(refusal)),
            }
        })
    }

    fn place_in_query(
        &self,
        message: &str,
        at: &Relation,
        kind: Materialization,
        wanted: Option<&Record>,
    ) -> Option<(String, (u64, u64))> {
        let (message, place) = spot::split(message)?;
        let place = spot::in_query(&self.shared.place, at, kind, wanted, place)?;
        Some((message.to_owned(), place))
    }

    fn interrupter(&self) -> Arc<dyn Interrupt> {
        let stop: Arc<dyn Interrupt> = self.stop.clone();
        stop
    }
}

impl History for BigQuery {
    fn was_used(&self) -> Result<bool> {
        // Not by a look at all tables that are there, which would be billed.
        let remembered = self.shared.remembered_among(&self.shared.datasets()?)?;
        Ok(remembered.state.lineage.is_some())
    }

    fn history(&self, run: Option<&str>, limit: u32) -> Result<Vec<Value>> {
        history::history(&self.shared.store(), run, limit, self.nobody_runs())
    }

    fn results(&self) -> Result<Vec<Value>> {
        history::results(&self.shared.store())
    }

    fn past_runs(&self) -> Result<Vec<PastRun>> {
        history::runs(&self.shared.store(), self.nobody_runs())
    }

    fn tracks(&self, last: u32) -> Result<Vec<Track>> {
        history::tracks(&self.shared.store(), last)
    }

    fn past_checks(&self, runs: &[&str]) -> Result<Vec<PastCheck>> {
        history::checks(&self.shared.store(), runs)
    }

    fn past_steps(&self, runs: &[&str]) -> Result<Vec<PastStep>> {
        history::steps(&self.shared.store(), runs)
    }
}

impl BigQuery {
    /// Whether a run that is still called running is not: its lease is over.
    fn nobody_runs(&self) -> bool {
        let held = locked(&self.shared.lease).is_some();
        held || !Lease::is_taken(&self.shared.jobs.api, &self.shared.place, &self.shared.pipeline)
    }
}
