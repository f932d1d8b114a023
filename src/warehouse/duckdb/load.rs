//! Files into a table of the engine, rejected rows kept beside it.

use std::path::Path;

use duckdb::Connection;

use super::super::aside::{Aside, rejects_place_is_taken};
use super::super::input::{Input, Sink};
use super::super::{Loaded, Progress, Relation, Result};
use super::append::{Appender, native_type};
use super::connection::engine_error;
use super::session::quoted;
use crate::googlesql::Column;
use crate::googlesql::duckdb::Ident;
use crate::plan::LoadAction;
use crate::source::{Batch, Reject};

/// Where files go.
pub(super) struct Into<'a> {
    /// The table under its building name.
    pub(super) at: &'a Relation,
    /// The table as readers will see it.
    pub(super) publish_as: &'a Relation,
    /// The project's folder.
    pub(super) root: &'a Path,
}

const REJECT_COLUMNS: &str = "file VARCHAR NOT NULL, line BIGINT NOT NULL, row_number BIGINT NOT NULL, \
    column_name VARCHAR, value VARCHAR, reason VARCHAR NOT NULL, record VARCHAR NOT NULL";

/// Loads all files of a step into a new table.
pub(super) fn load(
    connection: &Connection,
    into: &Into<'_>,
    load: &LoadAction,
    progress: Progress<'_>,
) -> Result<Loaded> {
    let input = Input::open(load, into.root)?;
    let columns = input.columns.clone();
    create(connection, into.at, &columns)?;
    if Aside::Rejects.is_there(connection, into.publish_as)?.is_none() {
        return Err(rejects_place_is_taken(into.publish_as));
    }
    let appender = Appender::new(connection, into.at, &columns)?;
    let mut tables = Tables { connection, at: into.at, appender, rejects_made: false };
    let loaded = input.read(&mut tables, progress)?;
    tables.appender.finish()?;
    Ok(loaded)
}

/// The table that is loaded, and the one beside it for what was refused.
struct Tables<'a> {
    connection: &'a Connection,
    at: &'a Relation,
    appender: Appender<'a>,
    rejects_made: bool,
}

impl Sink for Tables<'_> {
    fn rows(&mut self, batch: &Batch) -> Result<()> {
        self.appender.append(batch)
    }

    fn rejects(&mut self, rejects: &[Reject]) -> Result<()> {
        // They become those of the published table when it does.
        let table = Aside::Rejects.of(self.at);
        if !self.rejects_made {
            self.connection
                .execute_batch(&format!("CREATE TABLE {} ({REJECT_COLUMNS})", quoted(&table)))
                .map_err(|error| engine_error(&error))?;
            Aside::Rejects.claim(self.connection, self.at)?;
            self.rejects_made = true;
        }
        keep(self.connection, &table, rejects)
    }
}

fn create(connection: &Connection, at: &Relation, columns: &[Column]) -> Result<()> {
    let declared: Vec<String> = columns
        .iter()
        .map(|column| format!("{} {}", Ident::new(&column.name), native_type(&column.data_type)))
        .collect();
    connection
        .execute_batch(&format!("CREATE TABLE {} ({})", quoted(at), declared.join(", ")))
        .map_err(|error| engine_error(&error))
}

fn keep(connection: &Connection, table: &Relation, rejects: &[Reject]) -> Result<()> {
    let write = || -> duckdb::Result<()> {
        let mut appender = connection.appender_to_db(&table.table, &table.dataset)?;
        for reject in rejects {
            appender.append_row(duckdb::params![
                reject.file,
                i64::try_from(reject.line).unwrap_or(i64::MAX),
                i64::try_from(reject.row).unwrap_or(i64::MAX),
                reject.column,
                reject.value,
                reject.reason,
                reject.record
            ])?;
        }
        appender.flush()
    };
    write().map_err(|error| engine_error(&error))
}
