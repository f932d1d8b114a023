//! The embedded engine.

mod append;
mod aside;
mod bignumeric;
pub mod catalog;
mod computed;
mod connection;
mod history;
mod load;
mod lock;
mod observe;
pub mod query;
pub mod runtime;
pub mod script;
mod session;
mod store;
mod target;
mod variable;
mod zones;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use duckdb::Connection;

use self::catalog::DatabaseNames;
use super::{
    Access, History, Interrupt, QueryError, QueryResult, Relation, Result, RunHeader, Session, Warehouse,
    not_read,
};
use crate::googlesql::duckdb::{DatasetNames, Parameters, translate_value};
use crate::googlesql::parameter::Parameter;
use crate::googlesql::parse;
use crate::manifest::types::{DuckDbTarget, Materialization};
use crate::plan::{Answer, DatasetChange, Record};
use crate::report::{PastCheck, PastRun, PastStep, RunReport, Track};
use crate::state::{FileState, Snapshot};

pub use append::native_type;
pub use connection::{engine_error, in_memory, interrupter};
pub use lock::Lock;

/// An embedded database file, open for one command.
pub struct DuckDb {
    connection: Mutex<Connection>,
    /// The file is not there, and the runtime library not yet installed in the empty database that stands for it:
    /// plans do not need it.
    bare: AtomicBool,
    /// Whether the file is there.
    exists: bool,
    /// Whose state it is: several pipelines may share a file.
    pipeline: String,
    lock: Option<Lock>,
    /// The query of nobody's session, as long as it runs.
    querying: Arc<Querying>,
}

/// Stops a query that runs.
#[derive(Default)]
struct Querying(Mutex<Option<Arc<dyn Interrupt>>>);

impl Querying {
    fn set(&self, query: Option<Arc<dyn Interrupt>>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = query;
    }
}

impl Interrupt for Querying {
    fn interrupt(&self) {
        if let Some(query) = self.0.lock().unwrap_or_else(PoisonError::into_inner).as_ref() {
            query.interrupt();
        }
    }
}

/// What a target is opened for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Opening<'a> {
    /// Reading or writing.
    pub access: Access,
    /// The command, for whoever finds the target locked.
    pub command: &'a str,
}

impl DuckDb {
    /// Opens a target's file. Reading a file that is not there gives an empty target.
    ///
    /// # Errors
    /// When another process holds it, or the engine cannot open it.
    pub fn open(root: &Path, target: &DuckDbTarget, pipeline: &str, opening: Opening<'_>) -> Result<Self> {
        let Opening { access, command } = opening;
        let path = file(root, target);
        let lock = match access {
            Access::Write => Some(Lock::exclusive(&path, command)?),
            Access::Read if path.exists() => Lock::shared(&path)?,
            Access::Read => None,
        };
        let exists = access == Access::Write || path.exists();
        let connection = connection::open(&path, target, access)?;
        Ok(Self {
            connection: Mutex::new(connection),
            bare: AtomicBool::new(!exists),
            exists,
            pipeline: pipeline.to_owned(),
            lock,
            querying: Arc::default(),
        })
    }

    /// Another connection to the same database.
    ///
    /// # Errors
    /// When the engine refuses.
    pub fn connection(&self) -> Result<Connection> {
        let connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        if self.bare.swap(false, Ordering::Relaxed) {
            runtime::install(&connection).map_err(|error| engine_error(&error))?;
        }
        connection.try_clone().map_err(|error| engine_error(&error))
    }
}

impl History for DuckDb {
    fn was_used(&self) -> Result<bool> {
        Ok(self.exists && store::read(&self.connection()?, &self.pipeline)?.lineage.is_some())
    }

    fn history(&self, run: Option<&str>, limit: u32) -> Result<Vec<serde_json::Value>> {
        let mut history = store::history(&self.connection()?, run, limit)?;
        // A run holds the lock as long as it goes.
        if self.lock.is_some() {
            for row in history.iter_mut().filter(|row| row["status"] == store::RUNNING) {
                row["status"] = store::INTERRUPTED.into();
            }
        }
        Ok(history)
    }

    fn results(&self) -> Result<Vec<serde_json::Value>> {
        store::results(&self.connection()?, &self.pipeline)
    }

    fn past_runs(&self) -> Result<Vec<PastRun>> {
        history::runs(&self.connection()?, &self.pipeline, self.lock.is_some())
    }

    fn tracks(&self, last: u32) -> Result<Vec<Track>> {
        history::tracks(&self.connection()?, &self.pipeline, last)
    }

    fn past_checks(&self, runs: &[&str]) -> Result<Vec<PastCheck>> {
        history::checks(&self.connection()?, runs)
    }

    fn past_steps(&self, runs: &[&str]) -> Result<Vec<PastStep>> {
        history::steps(&self.connection()?, runs)
    }
}

/// The database file of a target.
pub fn file(root: &Path, target: &DuckDbTarget) -> PathBuf {
    root.join(&target.path)
}

impl Warehouse for DuckDb {
    fn snapshot(&self) -> Result<Snapshot> {
        if !self.exists {
            return Ok(Snapshot::default());
        }
        let connection = self.connection()?;
        let state = store::read(&connection, &self.pipeline)?;
        let objects = observe::objects(&connection)?;
        Ok(Snapshot { state, objects, datasets: None })
    }

    fn files_at(&self, addresses: &[String]) -> Result<Vec<FileState>> {
        Err(not_read(addresses))
    }

    fn session(&self) -> Result<Box<dyn Session>> {
        Ok(Box::new(session::DuckDbSession::new(self.connection()?, &self.pipeline)))
    }

    fn begin_run(
        &self,
        run: &RunHeader,
        datasets: &[String],
        // Schemas are only names.
        _changes: &[DatasetChange],
    ) -> Result<()> {
        store::begin_run(&self.connection()?, run, datasets)
    }

    fn finish_run(&self, report: &RunReport, forget_before: Option<&str>) -> Result<()> {
        store::finish_run(&self.connection()?, report, forget_before)
    }

    fn dry_run(&self, _: &[&str]) -> Result<Vec<Answer>> {
        Ok(Vec::new())
    }

    fn billed(&self) -> Option<u64> {
        None
    }

    fn query(&self, script: &str, parameters: &[Parameter]) -> std::result::Result<QueryResult, QueryError> {
        let parameters = query_parameters(parameters)?;
        let connection = self.connection().map_err(|error| QueryError::Engine(error.diagnostic.message))?;
        self.querying.set(Some(interrupter(&connection)));
        let result = script::run(&connection, script, &DatabaseNames(&connection), &parameters);
        self.querying.set(None);
        result
    }

    fn place_in_query(
        &self,
        _: &str,
        _: &Relation,
        _: Materialization,
        _: Option<&Record>,
    ) -> Option<(String, (u64, u64))> {
        // What it is told was translated from the query, and stands elsewhere in it.
        None
    }

    fn interrupter(&self) -> Arc<dyn Interrupt> {
        let querying: Arc<dyn Interrupt> = self.querying.clone();
        querying
    }
}

/// Parameters as the engine reads them.
///
/// # Errors
/// A value that cannot be translated.
pub fn query_parameters(given: &[Parameter]) -> std::result::Result<Parameters, QueryError> {
    let mut parameters = Parameters::default();
    for parameter in given {
        let value = parse::expression(&parameter.expression)
            .map_err(|fault| vec![fault])
            .and_then(|value| translate_value(&value, &DatasetNames, &Parameters::default()))
            .map_err(QueryError::Faults)?;
        match &parameter.name {
            Some(name) => {
                parameters.named.insert(name.clone(), value);
            }
            None => parameters.positional.push(value),
        }
    }
    Ok(parameters)
}
