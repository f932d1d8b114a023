//! Pipewright's own tables in the database file: state, runs, results. Public to read, written only here.

use duckdb::{Connection, OptionalExt, params};

use super::super::{Result, RunHeader, WarehouseError};
use super::connection::engine_error;
use super::history::column_or_null;
use crate::diag::{Code, Diagnostic};
use crate::googlesql::duckdb::Ident;
use crate::project::Address;
use crate::report::{RunReport, Status};
use crate::state::{FORMAT, NodeState, State};

/// The schema that holds them.
pub(super) const SCHEMA: &str = "pipewright";

/// The status of a run that has not said how it ended.
pub(super) const RUNNING: &str = "running";

/// The status of a run that was stopped, or whose process ended before it could say how.
pub(super) const INTERRUPTED: &str = "interrupted";

const TABLES: &str = "
CREATE SCHEMA IF NOT EXISTS pipewright;
CREATE TABLE IF NOT EXISTS pipewright.meta (key VARCHAR NOT NULL, value VARCHAR NOT NULL);
CREATE TABLE IF NOT EXISTS pipewright.nodes (
    pipeline VARCHAR NOT NULL, address VARCHAR NOT NULL, relation VARCHAR NOT NULL, rows UBIGINT, bytes UBIGINT, rejected UBIGINT NOT NULL,
    run VARCHAR NOT NULL, built_at VARCHAR NOT NULL, record VARCHAR NOT NULL
);
CREATE TABLE IF NOT EXISTS pipewright.runs (
    run VARCHAR NOT NULL, command VARCHAR NOT NULL, pipeline VARCHAR NOT NULL, started_by VARCHAR NOT NULL,
    started_at VARCHAR NOT NULL, finished_at VARCHAR, milliseconds UBIGINT, status VARCHAR NOT NULL
);
CREATE TABLE IF NOT EXISTS pipewright.steps (
    run VARCHAR NOT NULL, address VARCHAR NOT NULL, relation VARCHAR NOT NULL, action VARCHAR NOT NULL,
    status VARCHAR NOT NULL, rows UBIGINT, bytes UBIGINT, rejected UBIGINT NOT NULL, milliseconds UBIGINT NOT NULL,
    tries UINTEGER NOT NULL, code VARCHAR, message VARCHAR, new_rows UBIGINT, kept VARCHAR
);
CREATE TABLE IF NOT EXISTS pipewright.expectations (
    run VARCHAR NOT NULL, address VARCHAR NOT NULL, node VARCHAR NOT NULL, severity VARCHAR NOT NULL,
    verdict VARCHAR NOT NULL, checked UBIGINT NOT NULL, failing UBIGINT NOT NULL, found VARCHAR NOT NULL,
    sample VARCHAR, query VARCHAR, places VARCHAR, observed DOUBLE, milliseconds UBIGINT
);
CREATE TABLE IF NOT EXISTS pipewright.files (
    run VARCHAR NOT NULL, address VARCHAR NOT NULL, file VARCHAR NOT NULL,
    rows_read UBIGINT NOT NULL, rows_written UBIGINT NOT NULL, rows_rejected UBIGINT NOT NULL
);
-- Columns that tables of an earlier Pipewright lack, in the order of those above.
ALTER TABLE pipewright.steps ADD COLUMN IF NOT EXISTS new_rows UBIGINT;
ALTER TABLE pipewright.steps ADD COLUMN IF NOT EXISTS kept VARCHAR;
ALTER TABLE pipewright.expectations ADD COLUMN IF NOT EXISTS places VARCHAR;
ALTER TABLE pipewright.expectations ADD COLUMN IF NOT EXISTS observed DOUBLE;
ALTER TABLE pipewright.expectations ADD COLUMN IF NOT EXISTS milliseconds UBIGINT;
";

/// Everything that is remembered; nothing of a file that Pipewright never wrote to.
pub(super) fn read(connection: &Connection, pipeline: &str) -> Result<State> {
    let exists: bool = connection
        .query_row(
            "SELECT count(*) > 0 FROM duckdb_tables() WHERE schema_name = ? AND table_name = 'nodes'",
            params![SCHEMA],
            |row| row.get(0),
        )
        .map_err(|error| engine_error(&error))?;
    if !exists {
        return Ok(State::default());
    }
    let format = meta(connection, "format")?.and_then(|text| text.parse::<u32>().ok()).unwrap_or(FORMAT);
    if format > FORMAT {
        return Err(Diagnostic::error(
            Code::NewerState,
            format!("the target was written by a newer Pipewright (state format {format}, this one knows {FORMAT})"),
        )
        .help("install the newer version")
        .into());
    }
    let mut state = State {
        lineage: meta(connection, "lineage")?,
        serial: meta(connection, "serial")?.and_then(|text| text.parse().ok()).unwrap_or(0),
        nodes: std::collections::BTreeMap::new(),
    };
    let mut statement = connection
        .prepare("SELECT address, record FROM pipewright.nodes WHERE pipeline = ? ORDER BY address")
        .map_err(|error| engine_error(&error))?;
    let rows = statement
        .query_map([pipeline], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))
        .map_err(|error| engine_error(&error))?;
    for row in rows {
        let (address, record) = row.map_err(|error| engine_error(&error))?;
        let (address, node) = parse(&address, &record)?;
        state.nodes.insert(address, node);
    }
    Ok(state)
}

fn parse(address: &str, record: &str) -> Result<(Address, NodeState)> {
    let bad = |why: String| -> WarehouseError {
        Diagnostic::error(Code::TargetUnavailable, format!("the state of `{address}` cannot be read: {why}"))
            .help("restore the database file, or delete its row in pipewright.nodes to have it built anew")
            .into()
    };
    let parsed = address.parse().map_err(bad)?;
    let node = serde_json::from_str(record).map_err(|error| bad(error.to_string()))?;
    Ok((parsed, node))
}

fn meta(connection: &Connection, key: &str) -> Result<Option<String>> {
    connection
        .query_row("SELECT value FROM pipewright.meta WHERE key = ?", params![key], |row| row.get(0))
        .optional()
        .map_err(|error| engine_error(&error))
}

/// Writes down that a run starts, and makes what it needs.
pub(super) fn begin_run(connection: &Connection, run: &RunHeader, datasets: &[String]) -> Result<()> {
    in_transaction(connection, || {
        connection.execute_batch(TABLES)?;
        for dataset in datasets {
            connection.execute_batch(&format!("CREATE SCHEMA IF NOT EXISTS {}", Ident::new(dataset)))?;
        }
        let lineage = blake3::hash(format!("{} {}", run.id, run.by).as_bytes()).to_hex();
        for (key, value) in
            [("format", FORMAT.to_string()), ("lineage", lineage[..32].to_owned()), ("serial", "0".into())]
        {
            connection.execute(
                "INSERT INTO pipewright.meta SELECT ?, ? WHERE NOT EXISTS (FROM pipewright.meta WHERE key = ?)",
                params![key, value, key],
            )?;
        }
        connection.execute(
            "UPDATE pipewright.meta SET value = CAST(CAST(value AS UBIGINT) + 1 AS VARCHAR) WHERE key = 'serial'",
            [],
        )?;
        // The lock says that nobody else is running: a run without an end was killed.
        connection.execute(
            "UPDATE pipewright.runs SET status = ? WHERE status = ?",
            params![INTERRUPTED, RUNNING],
        )?;
        connection.execute(
            "INSERT INTO pipewright.runs VALUES (?, ?, ?, ?, ?, NULL, NULL, ?)",
            params![run.id, run.command, run.pipeline, run.by, run.started_at, RUNNING],
        )?;
        Ok(())
    })
}

/// Writes down how a run ended.
pub(super) fn finish_run(
    connection: &Connection,
    report: &RunReport,
    forget_before: Option<&str>,
) -> Result<()> {
    in_transaction(connection, || {
        if let Some(time) = forget_before {
            let old = "SELECT run FROM pipewright.runs WHERE pipeline = ? AND started_at < ?";
            for table in ["steps", "files", "expectations", "runs"] {
                connection.execute(
                    &format!("DELETE FROM pipewright.{table} WHERE run IN ({old})"),
                    params![report.pipeline, time],
                )?;
            }
        }
        connection.execute(
            "UPDATE pipewright.runs SET finished_at = ?, milliseconds = ?, status = ? WHERE run = ?",
            params![report.finished_at, report.milliseconds, status(report.status), report.run],
        )?;
        let mut steps = connection.appender_to_db("steps", SCHEMA)?;
        let mut files = connection.appender_to_db("files", SCHEMA)?;
        let mut expectations = connection.appender_to_db("expectations", SCHEMA)?;
        for step in &report.steps {
            steps.append_row(params![
                report.run,
                step.address.to_string(),
                step.relation,
                step.action,
                status(step.status),
                step.rows,
                step.bytes,
                step.rejected,
                step.milliseconds,
                step.tries,
                step.fault.as_ref().map(|fault| fault.code.clone()),
                step.fault.as_ref().map(|fault| fault.message.clone()),
                step.new_rows,
                step.kept,
            ])?;
            for file in &step.files {
                files.append_row(params![
                    report.run,
                    step.address.to_string(),
                    file.file,
                    file.read,
                    file.written,
                    file.rejected,
                ])?;
            }
            for check in &step.checks {
                let list = |values: Vec<serde_json::Value>| {
                    (!values.is_empty()).then(|| serde_json::Value::from(values).to_string())
                };
                let sample = list(check.sample.clone());
                let places = list(check.places.iter().cloned().map(Into::into).collect());
                expectations.append_row(params![
                    report.run,
                    check.address,
                    step.address.to_string(),
                    word(&check.severity),
                    word(&check.outcome.verdict),
                    check.outcome.checked,
                    check.outcome.failing,
                    check.outcome.found,
                    sample,
                    check.sample_sql,
                    places,
                    check.outcome.observed,
                    check.milliseconds,
                ])?;
            }
        }
        steps.flush()?;
        files.flush()?;
        expectations.flush()
    })
}

/// Writes or replaces what is remembered of a node, in the transaction that is open.
pub(super) fn remember(
    connection: &Connection,
    pipeline: &str,
    address: &Address,
    node: &NodeState,
) -> Result<()> {
    let record = serde_json::to_string(node)
        .map_err(|error| Diagnostic::error(Code::Internal, format!("state cannot be written: {error}")))?;
    forget(connection, pipeline, address)?;
    connection
        .execute(
            "INSERT INTO pipewright.nodes VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            params![
                pipeline,
                address.to_string(),
                node.relation,
                node.rows,
                node.bytes,
                node.rejected,
                node.run,
                node.built_at,
                record
            ],
        )
        .map(|_| ())
        .map_err(|error| engine_error(&error))
}

/// What is remembered of a node.
pub(super) fn recall(
    connection: &Connection,
    pipeline: &str,
    address: &Address,
) -> Result<Option<NodeState>> {
    let record: Option<String> = connection
        .query_row(
            "SELECT record FROM pipewright.nodes WHERE pipeline = ? AND address = ?",
            params![pipeline, address.to_string()],
            |row| row.get(0),
        )
        .optional()
        .map_err(|error| engine_error(&error))?;
    record.map(|record| parse(&address.to_string(), &record).map(|(_, node)| node)).transpose()
}

/// Forgets a node, in the transaction that is open.
pub(super) fn forget(connection: &Connection, pipeline: &str, address: &Address) -> Result<()> {
    connection
        .execute(
            "DELETE FROM pipewright.nodes WHERE pipeline = ? AND address = ?",
            params![pipeline, address.to_string()],
        )
        .map(|_| ())
        .map_err(|error| engine_error(&error))
}

/// Past runs, newest first; or the steps of one.
pub(super) fn history(
    connection: &Connection,
    run: Option<&str>,
    limit: u32,
) -> Result<Vec<serde_json::Value>> {
    let (sql, parameter) = match run {
        None => (
            "SELECT to_json(r)::VARCHAR FROM (SELECT * FROM pipewright.runs ORDER BY started_at DESC, run DESC LIMIT ?) AS r",
            limit.to_string(),
        ),
        Some(run) if has_files(connection)? => (
            "SELECT to_json(s)::VARCHAR FROM (
                SELECT steps.*, coalesce((
                    SELECT list({file: file, read: rows_read, written: rows_written, rejected: rows_rejected} ORDER BY files.rowid)
                    FROM pipewright.files WHERE files.run = steps.run AND files.address = steps.address
                ), []) AS files
                FROM pipewright.steps WHERE run = ? ORDER BY steps.rowid
            ) AS s",
            run.to_owned(),
        ),
        Some(run) => ("SELECT to_json(s)::VARCHAR FROM pipewright.steps AS s WHERE run = ?", run.to_owned()),
    };
    let mut statement = connection.prepare(sql).map_err(|error| engine_error(&error))?;
    let rows = statement
        .query_map([parameter], |row| row.get::<_, String>(0))
        .map_err(|error| engine_error(&error))?;
    rows.map(|row| parsed(row.map_err(|error| engine_error(&error))?)).collect()
}

/// Whether the target knows of the files of its runs: one that was last written by an older version does not.
fn has_files(connection: &Connection) -> Result<bool> {
    connection
        .query_row(
            "SELECT count(*) > 0 FROM duckdb_tables() WHERE schema_name = ? AND table_name = 'files'",
            params![SCHEMA],
            |row| row.get(0),
        )
        .map_err(|error| engine_error(&error))
}

/// What became of each expectation in all runs of a pipeline: counts, the last verdict, the first and the last run in which
/// it did not pass, how often that changed, and the shares of failing rows of the last twenty runs.
pub(super) fn results(connection: &Connection, pipeline: &str) -> Result<Vec<serde_json::Value>> {
    let milliseconds = column_or_null(connection, "milliseconds")?;
    let sql = format!(
        "
        WITH told AS (
            SELECT e.rowid AS place, address, node, verdict, checked, failing, found, {milliseconds} AS milliseconds,
                runs.started_at, verdict <> 'passed' AS open,
                lag(verdict <> 'passed') OVER (PARTITION BY address ORDER BY e.rowid) AS before
            FROM pipewright.expectations AS e JOIN pipewright.runs USING (run)
            WHERE runs.pipeline = ?
        )
        SELECT to_json(one)::VARCHAR FROM (
            SELECT address AS expectation, any_value(node) AS node, count(*) AS runs,
                count(*) FILTER (WHERE NOT open) AS passed, arg_max(verdict, place) AS last,
                arg_max(found, place) AS found, min(started_at) FILTER (WHERE open) AS first_failure,
                max(started_at) FILTER (WHERE open) AS last_failure,
                count(*) FILTER (WHERE before <> open) AS changes,
                min(checked) AS least_checked, max(checked) AS most_checked,
                max(failing / greatest(checked, 1)) AS most_failing,
                list(failing / greatest(checked, 1) ORDER BY place)[-20:] AS failing_shares,
                arg_max_null(milliseconds, place)::UBIGINT AS milliseconds
            FROM told GROUP BY address ORDER BY address
        ) AS one"
    );
    let mut statement = connection.prepare(&sql).map_err(|error| engine_error(&error))?;
    let rows = statement
        .query_map([pipeline], |row| row.get::<_, String>(0))
        .map_err(|error| engine_error(&error))?;
    rows.map(|row| parsed(row.map_err(|error| engine_error(&error))?)).collect()
}

#[expect(clippy::needless_pass_by_value, reason = "for `map`")]
fn parsed(text: String) -> Result<serde_json::Value> {
    serde_json::from_str(&text).map_err(|error| {
        Diagnostic::error(Code::Internal, format!("a run's record is no JSON: {error}")).into()
    })
}

fn in_transaction(connection: &Connection, work: impl FnOnce() -> duckdb::Result<()>) -> Result<()> {
    connection.execute_batch("BEGIN").map_err(|error| engine_error(&error))?;
    let done = work().and_then(|()| connection.execute_batch("COMMIT"));
    done.map_err(|error| {
        // The first error is the one to tell; an aborted transaction is gone either way.
        let _ = connection.execute_batch("ROLLBACK");
        engine_error(&error)
    })
}

fn status(status: Status) -> &'static str {
    match status {
        Status::Done => "done",
        Status::Failed => "failed",
        Status::HeldBack => "held_back",
        Status::Interrupted => INTERRUPTED,
    }
}

/// The word that an enumeration has in JSON.
fn word<T: serde::Serialize>(value: &T) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(text)) => text,
        _ => String::new(),
    }
}
