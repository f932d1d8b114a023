//! Where pipelines run: small traits, and the engines behind them.
//!
//! A [`Warehouse`] is looked at with [`Warehouse::snapshot`] and worked on through [`Session`]s, one for each
//! worker. What a session does between [`Session::begin`] and [`Session::commit`] readers see at once or never.
//! What became of past runs is read through [`History`].

mod aside;
pub mod bigquery;
pub mod duckdb;
mod holder;
mod input;
mod rows;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use serde_json::Value;

use crate::diag::Diagnostic;
use crate::googlesql::parameter::Parameter;
use crate::manifest::types::Materialization;
use crate::plan::{Answer, DatasetChange, LoadAction, Publish, Reading, Record};
use crate::project::Address;
use crate::report::{FileRows, PastCheck, PastRun, PastStep, Track};
use crate::source::Place;
use crate::state::{FileState, NodeState, Snapshot};

pub use holder::Holder;
pub use input::{not_read, source_fault};
pub use rows::{QueryError, QueryResult};

/// A table's place: dataset and name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Relation {
    /// The dataset.
    pub dataset: String,
    /// The table's name.
    pub table: String,
}

impl Relation {
    /// Reads `dataset.table`.
    pub fn parse(text: &str) -> Self {
        let (dataset, table) = text.split_once('.').unwrap_or(("", text));
        Self { dataset: dataset.to_owned(), table: table.to_owned() }
    }

    /// Another table of the same dataset.
    #[must_use]
    pub fn sibling(&self, table: impl Into<String>) -> Self {
        Self { dataset: self.dataset.clone(), table: table.into() }
    }
}

impl std::fmt::Display for Relation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.dataset, self.table)
    }
}

/// What went wrong in a warehouse.
#[derive(Debug, Clone, PartialEq)]
pub struct WarehouseError {
    /// What the engine said, or what is wrong with the data.
    pub diagnostic: Diagnostic,
    /// Whether trying again may help.
    pub transient: bool,
    /// Whether it is about the target as a whole, so that any other step would meet it: who asks, the project and its
    /// quotas, the way there.
    pub of_target: bool,
}

impl std::fmt::Display for WarehouseError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.diagnostic.message)
    }
}

impl std::error::Error for WarehouseError {}

impl From<Diagnostic> for WarehouseError {
    fn from(diagnostic: Diagnostic) -> Self {
        Self { diagnostic, transient: false, of_target: false }
    }
}

/// What helps after a failure that may have come too late to keep something from being published.
pub const UNSETTLED: &str = "it may have been published; the next run finds out and goes on from there";

/// Shorthand for results of warehouses.
pub type Result<T> = std::result::Result<T, WarehouseError>;

/// A run as it is written down when it starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunHeader {
    /// Its name.
    pub id: String,
    /// The command.
    pub command: String,
    /// When it started, RFC 3339.
    pub started_at: String,
    /// The pipeline's name.
    pub pipeline: String,
    /// Who runs it and where: `user@host`.
    pub by: String,
}

/// What a target is opened for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Reading.
    Read,
    /// Writing, which one process does at a time.
    Write,
}

/// A place where pipelines run.
pub trait Warehouse: History + Sync {
    /// The target as it is.
    fn snapshot(&self) -> Result<Snapshot>;

    /// The files at addresses of another place, `gs://bucket/orders/*.csv`, in the order of their names.
    ///
    /// # Errors
    /// That there are none, that this target reads none there, and what the other place says.
    fn files_at(&self, addresses: &[String]) -> Result<Vec<FileState>>;

    /// A session of its own for a worker.
    fn session(&self) -> Result<Box<dyn Session>>;

    /// Writes down that a run starts: the state's serial moves on. Makes the datasets that are needed, and changes those
    /// that are not as the manifest says.
    fn begin_run(&self, run: &RunHeader, datasets: &[String], changes: &[DatasetChange]) -> Result<()>;

    /// Whether an earlier run has left something halfway, which the next one brings to its end though it may have nothing
    /// else to do.
    fn is_left_halfway(&self) -> bool {
        false
    }

    /// Writes down how a run ended.
    ///
    /// Runs that started before a time, RFC 3339, are forgotten with their results.
    fn finish_run(&self, report: &crate::report::RunReport, forget_before: Option<&str>) -> Result<()>;

    /// What queries in the target's own SQL would read and give, in their order, without running one. Nothing where
    /// reading is not billed.
    fn dry_run(&self, queries: &[&str]) -> Result<Vec<Answer>>;

    /// Bytes billed since it was opened; nothing where reading is not billed.
    fn billed(&self) -> Option<u64>;

    /// The rows of the last statement of a GoogleSQL script.
    fn query(&self, script: &str, parameters: &[Parameter]) -> std::result::Result<QueryResult, QueryError>;

    /// What the engine said of building something ([`Session::build`]), and at which line and column of its query, from
    /// 1; nothing where it did not say.
    fn place_in_query(
        &self,
        message: &str,
        at: &Relation,
        kind: Materialization,
        wanted: Option<&Record>,
    ) -> Option<(String, (u64, u64))>;

    /// A handle to stop a [`Self::query`] from elsewhere.
    fn interrupter(&self) -> Arc<dyn Interrupt>;
}

/// What became of the runs of a pipeline. All of it needs a target that was written to before.
pub trait History {
    /// Whether the target was written to before.
    fn was_used(&self) -> Result<bool>;

    /// Past runs, newest first; or the steps of one.
    ///
    /// A run that is still called running, though nobody holds the target, is not: its process ended before it could
    /// say so.
    fn history(&self, run: Option<&str>, limit: u32) -> Result<Vec<Value>>;

    /// What became of each expectation in all runs: counts, the last verdict, the first and the last failure, changes
    /// and the shares of failing rows.
    fn results(&self) -> Result<Vec<Value>>;

    /// All runs, newest first, none of them running as in [`History::history`].
    fn past_runs(&self) -> Result<Vec<PastRun>>;

    /// What became of each expectation, with so many of its last runs.
    fn tracks(&self, last: u32) -> Result<Vec<Track>>;

    /// The expectations of some runs, each run's together and in its order.
    fn past_checks(&self, runs: &[&str]) -> Result<Vec<PastCheck>>;

    /// The steps of some runs, each run's together and in its order.
    fn past_steps(&self, runs: &[&str]) -> Result<Vec<PastStep>>;
}

/// Stops what a session is doing, from another thread.
pub trait Interrupt: Send + Sync {
    /// Asks the engine to give up its current statement.
    fn interrupt(&self);
}

/// What loading gave.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Loaded {
    /// Rows written.
    pub rows: u64,
    /// Rows rejected.
    pub rejected: u64,
    /// The table's columns with those that the files added.
    pub columns: Vec<crate::googlesql::Column>,
    /// What became of the rows of each file.
    pub files: Vec<FileRows>,
}

/// Rows whose places are wanted.
pub struct Wanted<'a> {
    /// Their numbers, from 0 in the order in which they were loaded.
    pub rows: &'a BTreeSet<u64>,
    /// Whether nobody waits for them any more.
    pub stopped: &'a dyn Fn() -> bool,
}

/// Told how far loading is, rows and bytes so far; says whether it goes on.
pub type Progress<'a> = &'a mut dyn FnMut(u64, u64) -> ControlFlow<()>;

/// One worker's way to a warehouse.
pub trait Session: Send {
    /// Starts a unit of work on something, which jobs and logs are named after.
    fn begin(&mut self, about: &str) -> Result<()>;
    /// Publishes everything since `begin`.
    fn commit(&mut self) -> Result<()>;
    /// Forgets everything since `begin`; nothing without a transaction.
    fn rollback(&mut self);
    /// Builds a table or view from a query in the target's own SQL, laid out as is wanted of it.
    fn build(
        &mut self,
        at: &Relation,
        kind: Materialization,
        query: &str,
        wanted: Option<&Record>,
    ) -> Result<()>;
    /// Runs a statement in the target's own SQL.
    fn execute(&mut self, sql: &str) -> Result<()>;
    /// Loads files into a new table; rejected rows go into `<table>__rejects` beside `publish_as`.
    fn load(
        &mut self,
        at: &Relation,
        publish_as: &Relation,
        load: &LoadAction,
        root: &Path,
        progress: Progress<'_>,
    ) -> Result<Loaded>;
    /// The one row of an audit's query: whole numbers and texts, all as text.
    fn answers(&mut self, sql: &str) -> Result<Vec<Option<String>>>;
    /// A table's rows and logical bytes, where the engine knows them; nothing where its audit is to count them.
    fn size(&mut self, of: &Relation) -> Result<Option<(u64, u64)>>;
    /// The rows of a query in GoogleSQL as JSON objects.
    fn rows(&mut self, sql: &str) -> Result<Vec<Value>>;
    /// Where rows of a loaded table stand in their files, by their numbers; nothing for files that have changed since.
    fn locate(&mut self, reading: &Reading, root: &Path, wanted: &Wanted<'_>)
    -> Result<BTreeMap<u64, Place>>;
    /// Names and native types of a table's columns.
    fn columns(&mut self, of: &Relation) -> Result<Vec<(String, String)>>;
    /// Puts a build in the place of what readers see.
    fn publish(
        &mut self,
        build: &Relation,
        as_: &Relation,
        kind: Materialization,
        publish: &Publish,
    ) -> Result<()>;
    /// Makes the table that new rows of a published one are brought into, unless it is that one itself.
    fn prepare_merge(&mut self, of: &Relation, into: &Relation, publish: &Publish) -> Result<()>;
    /// Gives readers a table that new rows were brought into.
    fn publish_merge(&mut self, into: &Relation, as_: &Relation, publish: &Publish) -> Result<()>;
    /// Writes what is said of a table or view: its comment, and what of its properties the engine has a place for.
    fn describe(&mut self, at: &Relation, kind: Materialization, record: &Record) -> Result<()>;
    /// Drops a table or view.
    fn remove(&mut self, at: &Relation, kind: Materialization) -> Result<()>;
    /// Drops the table of rejected rows beside a source's table, if Pipewright made it.
    fn remove_rejects(&mut self, of: &Relation) -> Result<()>;
    /// Gives the rejected rows of a build to the table that it becomes; earlier ones go.
    fn publish_rejects(&mut self, build: &Relation, as_: &Relation) -> Result<()>;
    /// Whether what a unit of work has built is still there although the unit went on from it: then it need not be built
    /// again to be kept.
    fn still_has(&self, _build: &Relation) -> bool {
        false
    }
    /// Keeps a build that is not published as `<table>__failed`, in the place of an earlier one; says no where it
    /// cannot be kept.
    fn keep_failed(&mut self, build: &Relation, of: &Relation, kind: Materialization) -> Result<bool>;
    /// Drops the build that was kept when it could not be published, if there is one.
    fn remove_failed(&mut self, of: &Relation) -> Result<()>;
    /// Remembers what a node is now.
    fn remember(&mut self, address: &Address, state: &NodeState) -> Result<()>;
    /// What is remembered of a node.
    fn recall(&mut self, address: &Address) -> Result<Option<NodeState>>;
    /// Forgets a node.
    fn forget(&mut self, address: &Address) -> Result<()>;
    /// A handle to stop this session from elsewhere.
    fn interrupter(&self) -> Arc<dyn Interrupt>;
}
