//! The tables beside a published one, in the embedded engine.

use duckdb::{Connection, OptionalExt};

use super::super::aside::Aside;
use super::super::{Relation, Result};
use super::connection::engine_error;
use super::session::quoted;
use crate::googlesql::duckdb::{TableName, quote};

impl Aside {
    /// Marks a table as Pipewright's.
    pub(super) fn claim(self, connection: &Connection, table: &Relation) -> Result<()> {
        let sql = format!("COMMENT ON TABLE {} IS {}", quoted(&self.of(table)), quote(&self.mark(table)));
        connection.execute_batch(&sql).map_err(|error| engine_error(&error))
    }

    /// Whether it is there and Pipewright's; nothing where something else has its name.
    pub(super) fn is_there(self, connection: &Connection, table: &Relation) -> Result<Option<bool>> {
        let place = self.of(table);
        let found: Option<(bool, Option<String>)> = connection
            .query_row(
                "SELECT table_type = 'BASE TABLE', table_comment FROM information_schema.tables \
                 WHERE table_catalog = current_database() AND table_schema = ? AND table_name = ?",
                [&place.dataset, &place.table],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )
            .optional()
            .map_err(|error| engine_error(&error))?;
        Ok(match found {
            None => Some(false),
            Some((true, Some(comment))) if comment == self.mark(table) => Some(true),
            Some(_) => None,
        })
    }

    /// Drops it, unless something else has its name: then it says no.
    pub(super) fn remove(self, connection: &Connection, table: &Relation) -> Result<bool> {
        match self.is_there(connection, table)? {
            None => Ok(false),
            Some(false) => Ok(true),
            Some(true) => connection
                .execute_batch(&format!("DROP TABLE {}", quoted(&self.of(table))))
                .map(|()| true)
                .map_err(|error| engine_error(&error)),
        }
    }

    /// Gives what stands beside one table to another.
    pub(super) fn hand_over(self, connection: &Connection, from: &Relation, to: &Relation) -> Result<()> {
        self.remove(connection, to)?;
        if self.is_there(connection, from)? == Some(true) {
            let name = TableName::unqualified(self.of(to).table);
            connection
                .execute_batch(&format!("ALTER TABLE {} RENAME TO {name}", quoted(&self.of(from))))
                .map_err(|error| engine_error(&error))?;
            self.claim(connection, to)?;
        }
        Ok(())
    }
}
