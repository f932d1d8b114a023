//! What is in the database file, whoever made it.

use std::collections::BTreeMap;

use duckdb::Connection;

use super::super::{Relation, Result};
use super::connection::engine_error;
use super::session::quoted;
use super::store::SCHEMA;
use crate::googlesql::duckdb::RUNTIME_SCHEMA;
use crate::manifest::types::Materialization;
use crate::state::Object;

/// All tables and views outside of Pipewright's own schemas, by `dataset.table`.
pub(super) fn objects(connection: &Connection) -> Result<BTreeMap<String, Object>> {
    let mut objects = BTreeMap::new();
    let tables = "SELECT schema_name, table_name, comment FROM duckdb_tables() \
                  WHERE NOT internal AND NOT temporary AND database_name = current_database()";
    let views = "SELECT schema_name, view_name, comment FROM duckdb_views() \
                 WHERE NOT internal AND NOT temporary AND database_name = current_database()";
    for (sql, materialization) in [(tables, Materialization::Table), (views, Materialization::View)] {
        let mut statement = connection.prepare(sql).map_err(|error| engine_error(&error))?;
        let rows = statement
            .query_map([], |row| {
                let schema: String = row.get(0)?;
                let name: String = row.get(1)?;
                let comment: Option<String> = row.get(2)?;
                Ok((schema, name, comment))
            })
            .map_err(|error| engine_error(&error))?;
        for row in rows {
            let (schema, name, comment) = row.map_err(|error| engine_error(&error))?;
            if schema == SCHEMA || schema == RUNTIME_SCHEMA {
                continue;
            }
            let mut object = Object {
                materialization,
                columns: Vec::new(),
                comment,
                rows: None,
                partitions: None,
                observed: None,
            };
            if materialization == Materialization::Table && object.mark().is_some() {
                object.rows =
                    Some(count(connection, &Relation { dataset: schema.clone(), table: name.clone() })?);
            }
            objects.insert(format!("{schema}.{name}"), object);
        }
    }
    columns(connection, &mut objects)?;
    Ok(objects)
}

/// A table's rows, counted: the engine's own estimate still has deleted ones in it. No column is read for it.
fn count(connection: &Connection, table: &Relation) -> Result<u64> {
    connection
        .query_row(&format!("SELECT count(*) FROM {}", quoted(table)), [], |row| row.get(0))
        .map_err(|error| engine_error(&error))
}

fn columns(connection: &Connection, objects: &mut BTreeMap<String, Object>) -> Result<()> {
    let sql = "SELECT schema_name, table_name, column_name, data_type FROM duckdb_columns() \
               WHERE NOT internal AND database_name = current_database() \
               ORDER BY schema_name, table_name, column_index";
    let mut statement = connection.prepare(sql).map_err(|error| engine_error(&error))?;
    let rows = statement
        .query_map([], |row| {
            Ok((
                row.get::<_, String>(0)?,
                row.get::<_, String>(1)?,
                row.get::<_, String>(2)?,
                row.get::<_, String>(3)?,
            ))
        })
        .map_err(|error| engine_error(&error))?;
    for row in rows {
        let (schema, table, column, data_type) = row.map_err(|error| engine_error(&error))?;
        if let Some(object) = objects.get_mut(&format!("{schema}.{table}")) {
            object.columns.push((column, data_type));
        }
    }
    Ok(())
}
