//! Past runs as they are read to be shown: [`super::store`] writes them.

use duckdb::{Connection, params, params_from_iter};
use serde::de::DeserializeOwned;

use super::super::Result;
use super::connection::engine_error;
use super::store::{INTERRUPTED, RUNNING};
use crate::diag::{Code, Diagnostic};
use crate::report::{PastCheck, PastRun, PastStep, Track};

/// All runs of a pipeline, newest first.
pub(super) fn runs(connection: &Connection, pipeline: &str, nobody_runs: bool) -> Result<Vec<PastRun>> {
    let sql = "
        WITH verdicts AS (
            SELECT run, count(*) FILTER (verdict = 'passed') AS passed, count(*) FILTER (verdict = 'warned') AS warned,
                count(*) FILTER (verdict = 'failed') AS failed, count(*) FILTER (verdict = 'errored') AS errored
            FROM pipewright.expectations GROUP BY run
        ), steps AS (
            SELECT run, count(*) AS steps, count(*) FILTER (status <> 'done') AS steps_undone
            FROM pipewright.steps GROUP BY run
        )
        SELECT to_json(one)::VARCHAR FROM (
            SELECT run, command, started_by, started_at, finished_at, milliseconds,
                if(status = ? AND ?, ?, status) AS status,
                coalesce(passed, 0) AS passed, coalesce(warned, 0) AS warned, coalesce(failed, 0) AS failed,
                coalesce(errored, 0) AS errored, coalesce(steps, 0) AS steps, coalesce(steps_undone, 0) AS steps_undone
            FROM pipewright.runs LEFT JOIN verdicts USING (run) LEFT JOIN steps USING (run)
            WHERE pipeline = ? ORDER BY started_at DESC, run DESC
        ) AS one";
    rows(connection, sql, params![RUNNING, nobody_runs, INTERRUPTED, pipeline])
}

/// What became of each expectation, with its last runs.
pub(super) fn tracks(connection: &Connection, pipeline: &str, last: u32) -> Result<Vec<Track>> {
    let observed = column_or_null(connection, "observed")?;
    let milliseconds = column_or_null(connection, "milliseconds")?;
    let sql = format!(
        "
        WITH told AS (
            SELECT e.rowid AS place, address, node, verdict, checked, failing, found, {observed} AS observed,
                {milliseconds} AS milliseconds, e.run, started_at, verdict <> 'passed' AS open,
                row_number() OVER (PARTITION BY address ORDER BY e.rowid DESC) AS back,
                max(e.rowid) FILTER (verdict = 'passed') OVER (PARTITION BY address) AS last_passed
            FROM pipewright.expectations AS e JOIN pipewright.runs USING (run)
            WHERE pipeline = ?
        )
        SELECT to_json(one)::VARCHAR FROM (
            SELECT address AS expectation, arg_max(node, place) AS node, count(*) AS runs,
                count(*) FILTER (NOT open) AS passed, min(started_at) FILTER (open) AS first_failure,
                max(started_at) FILTER (open) AS last_failure,
                min(started_at) FILTER (place > coalesce(last_passed, -1)) AS failing_since,
                list({{'run': run, 'started_at': started_at, 'verdict': verdict, 'checked': checked,
                    'failing': failing, 'observed': observed, 'found': found,
                    'milliseconds': milliseconds}} ORDER BY place)
                    FILTER (back <= ?) AS points
            FROM told GROUP BY address ORDER BY address
        ) AS one"
    );
    rows(connection, &sql, params![pipeline, last])
}

/// A column of the results that files of earlier versions lack, or what stands for it there: reading adds none.
pub(super) fn column_or_null(connection: &Connection, name: &str) -> Result<String> {
    let is_there: bool = connection
        .query_row(
            "SELECT count(*) > 0 FROM duckdb_columns() WHERE schema_name = 'pipewright' \
             AND table_name = 'expectations' AND column_name = ? AND database_name = current_database()",
            [name],
            |row| row.get(0),
        )
        .map_err(|error| engine_error(&error))?;
    // Behind the table's name: a run has milliseconds too.
    Ok(if is_there { format!("e.{name}") } else { "NULL".to_owned() })
}

/// The expectations of some runs, each run's together and in its order.
pub(super) fn checks(connection: &Connection, runs: &[&str]) -> Result<Vec<PastCheck>> {
    of_runs(connection, "run, address, severity, verdict, found, sample, query", "expectations", runs)
}

/// The steps of some runs, each run's together and in its order.
pub(super) fn steps(connection: &Connection, runs: &[&str]) -> Result<Vec<PastStep>> {
    let columns = "run, address, action, status, rows, bytes, rejected, milliseconds, code, message";
    of_runs(connection, columns, "steps", runs)
}

fn of_runs<T: DeserializeOwned>(
    connection: &Connection,
    columns: &str,
    table: &str,
    runs: &[&str],
) -> Result<Vec<T>> {
    let places = vec!["?"; runs.len()].join(", ");
    let sql = format!(
        "SELECT to_json(one)::VARCHAR FROM \
         (SELECT {columns} FROM pipewright.{table} WHERE run IN ({places}) ORDER BY run, rowid) AS one"
    );
    rows(connection, &sql, params_from_iter(runs))
}

fn rows<T: DeserializeOwned>(
    connection: &Connection,
    sql: &str,
    parameters: impl duckdb::Params,
) -> Result<Vec<T>> {
    let mut statement = connection.prepare(sql).map_err(|error| engine_error(&error))?;
    let rows = statement
        .query_map(parameters, |row| row.get::<_, String>(0))
        .map_err(|error| engine_error(&error))?;
    rows.map(|row| {
        let text = row.map_err(|error| engine_error(&error))?;
        serde_json::from_str(&text).map_err(|error| {
            Diagnostic::error(Code::Internal, format!("a run's record cannot be read: {error}")).into()
        })
    })
    .collect()
}
