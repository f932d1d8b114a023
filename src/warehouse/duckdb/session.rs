//! One worker's connection: build, audit, publish, remember.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use duckdb::Connection;
use duckdb::types::ValueRef;
use serde_json::Value;

use super::super::aside::Aside;
use super::super::{Interrupt, Loaded, Progress, Relation, Result, Session, Wanted, input};
use super::connection::{engine_error, interrupter};
use super::{load, query, store};
use crate::diag::{Code, Diagnostic};
use crate::googlesql::duckdb::{DatasetNames, TableName, quote, translate_query};
use crate::googlesql::parse;
use crate::manifest::types::Materialization;
use crate::plan::{LoadAction, Publish, Reading, Record};
use crate::project::Address;
use crate::source::Place;
use crate::state::NodeState;

/// A connection of its own.
pub(super) struct DuckDbSession {
    connection: Connection,
    pipeline: String,
}

impl DuckDbSession {
    pub(super) fn new(connection: Connection, pipeline: &str) -> Self {
        Self { connection, pipeline: pipeline.to_owned() }
    }

    fn run(&self, sql: &str) -> Result<()> {
        self.connection.execute_batch(sql).map_err(|error| engine_error(&error))
    }
}

/// A table's quoted name.
pub(super) fn quoted(relation: &Relation) -> TableName {
    TableName::new(relation.dataset.clone(), relation.table.clone())
}

impl Session for DuckDbSession {
    fn begin(&mut self, _about: &str) -> Result<()> {
        self.run("BEGIN")
    }

    fn commit(&mut self) -> Result<()> {
        self.run("COMMIT")
    }

    fn rollback(&mut self) {
        // Without a transaction there is nothing to give up.
        let _ = self.connection.execute_batch("ROLLBACK");
    }

    fn build(
        &mut self,
        at: &Relation,
        kind: Materialization,
        query: &str,
        _wanted: Option<&Record>,
    ) -> Result<()> {
        self.run(&format!("CREATE {} {} AS {query}", kind.keyword(), quoted(at)))
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
        load::load(&self.connection, &load::Into { at, publish_as, root }, load, progress)
    }

    fn answers(&mut self, sql: &str) -> Result<Vec<Option<String>>> {
        let mut statement = self.connection.prepare(sql).map_err(|error| engine_error(&error))?;
        let mut rows = statement.query([]).map_err(|error| engine_error(&error))?;
        let Some(row) = rows.next().map_err(|error| engine_error(&error))? else { return Ok(Vec::new()) };
        let width = row.as_ref().column_count();
        (0..width)
            .map(|index| match row.get_ref(index).map_err(|error| engine_error(&error))? {
                ValueRef::Null => Ok(None),
                ValueRef::Text(_) => row.get(index).map_err(|error| engine_error(&error)),
                _ => row
                    .get(index)
                    .map(|number: i64| Some(number.to_string()))
                    .map_err(|error| engine_error(&error)),
            })
            .collect()
    }

    fn size(&mut self, _of: &Relation) -> Result<Option<(u64, u64)>> {
        // It shares a scan with the expectations.
        Ok(None)
    }

    fn rows(&mut self, sql: &str) -> Result<Vec<Value>> {
        let failed = |why: String| Diagnostic::error(Code::StepFailed, why);
        let query = parse::query(sql).map_err(|fault| failed(fault.message))?;
        let native = translate_query(&query, &DatasetNames).map_err(|faults| {
            failed(faults.into_iter().map(|fault| fault.message).collect::<Vec<_>>().join("; "))
        })?;
        let result = query::fetch(&self.connection, &native).map_err(|error| failed(error.to_string()))?;
        Ok(result.objects())
    }

    fn locate(
        &mut self,
        reading: &Reading,
        root: &Path,
        wanted: &Wanted<'_>,
    ) -> Result<BTreeMap<u64, Place>> {
        input::locate(reading, root, wanted)
    }

    fn columns(&mut self, of: &Relation) -> Result<Vec<(String, String)>> {
        let mut statement = self
            .connection
            .prepare(
                "SELECT column_name, data_type FROM duckdb_columns() \
                 WHERE schema_name = ? AND table_name = ? AND database_name = current_database() ORDER BY column_index",
            )
            .map_err(|error| engine_error(&error))?;
        let rows = statement
            .query_map([&of.dataset, &of.table], |row| Ok((row.get(0)?, row.get(1)?)))
            .map_err(|error| engine_error(&error))?;
        rows.map(|row| row.map_err(|error| engine_error(&error))).collect()
    }

    fn publish(
        &mut self,
        build: &Relation,
        as_: &Relation,
        kind: Materialization,
        publish: &Publish,
    ) -> Result<()> {
        self.describe(build, kind, &publish.record)?;
        if let Some(old) = publish.replaces {
            self.run(&format!("DROP {} IF EXISTS {}", old.keyword(), quoted(as_)))?;
        }
        let name = TableName::unqualified(as_.table.clone());
        self.run(&format!("ALTER {} {} RENAME TO {name}", kind.keyword(), quoted(build)))
    }

    fn prepare_merge(&mut self, _of: &Relation, _into: &Relation, _publish: &Publish) -> Result<()> {
        // The transaction keeps the published table from readers until all is well.
        Ok(())
    }

    fn publish_merge(&mut self, _into: &Relation, as_: &Relation, publish: &Publish) -> Result<()> {
        self.describe(as_, Materialization::Table, &publish.record)
    }

    fn describe(&mut self, at: &Relation, kind: Materialization, record: &Record) -> Result<()> {
        let comment = quote(&record.comment);
        self.run(&format!("COMMENT ON {} {} IS {comment}", kind.keyword(), quoted(at)))
    }

    fn remove(&mut self, at: &Relation, kind: Materialization) -> Result<()> {
        self.run(&format!("DROP {} IF EXISTS {}", kind.keyword(), quoted(at)))
    }

    fn remove_rejects(&mut self, of: &Relation) -> Result<()> {
        Aside::Rejects.remove(&self.connection, of).map(|_| ())
    }

    fn publish_rejects(&mut self, build: &Relation, as_: &Relation) -> Result<()> {
        Aside::Rejects.hand_over(&self.connection, build, as_)
    }

    fn keep_failed(&mut self, build: &Relation, of: &Relation, kind: Materialization) -> Result<bool> {
        if kind == Materialization::View || !Aside::Failed.remove(&self.connection, of)? {
            return Ok(false);
        }
        Aside::Rejects.remove(&self.connection, build)?;
        let name = TableName::unqualified(Aside::Failed.of(of).table);
        self.run(&format!("ALTER TABLE {} RENAME TO {name}", quoted(build)))?;
        Aside::Failed.claim(&self.connection, of)?;
        Ok(true)
    }

    fn remove_failed(&mut self, of: &Relation) -> Result<()> {
        Aside::Failed.remove(&self.connection, of).map(|_| ())
    }

    fn remember(&mut self, address: &Address, state: &NodeState) -> Result<()> {
        store::remember(&self.connection, &self.pipeline, address, state)
    }

    fn recall(&mut self, address: &Address) -> Result<Option<NodeState>> {
        store::recall(&self.connection, &self.pipeline, address)
    }

    fn forget(&mut self, address: &Address) -> Result<()> {
        store::forget(&self.connection, &self.pipeline, address)
    }

    fn interrupter(&self) -> Arc<dyn Interrupt> {
        interrupter(&self.connection)
    }
}
