//! Past runs as they are read to be shown: [`super::store`] writes them.

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::super::Result;
use super::parameter::text;
use super::store::{INTERRUPTED, RUNNING, Store};
use crate::diag::{Code, Diagnostic};
use crate::googlesql::names::Text;
use crate::report::{PastCheck, PastRun, PastStep, Track};

/// The newest row of each run: one is added when it starts and another when it ends.
fn runs_sql(store: &Store<'_>, nobody_runs: bool) -> String {
    let status = if nobody_runs {
        format!("IF(status = '{RUNNING}', '{INTERRUPTED}', status)")
    } else {
        "status".to_owned()
    };
    format!(
        "SELECT run, command, pipeline, started_by, started_at, finished_at, milliseconds, {status} AS status FROM ( \
         SELECT *, ROW_NUMBER() OVER (PARTITION BY run ORDER BY finished_at IS NULL) AS age FROM {} \
         WHERE pipeline = @pipeline) WHERE age = 1",
        store.table("runs")
    )
}

/// Past runs, newest first; or the steps of one.
pub(super) fn history(
    store: &Store<'_>,
    run: Option<&str>,
    limit: u32,
    nobody_runs: bool,
) -> Result<Vec<Value>> {
    let pipeline = || text("pipeline", store.pipeline);
    match run {
        None => store.rows(
            &format!("{} ORDER BY started_at DESC, run DESC LIMIT {limit}", runs_sql(store, nobody_runs)),
            &[pipeline()],
        ),
        Some(run) => {
            let steps = format!(
                "SELECT run, address, relation, action, status, `rows`, bytes, rejected, milliseconds, tries, code, \
                 message, new_rows, kept FROM {} WHERE run = @run ORDER BY place",
                store.table("steps")
            );
            let files = format!(
                "SELECT address, file, rows_read AS read, rows_written AS written, rows_rejected AS rejected FROM {} \
                 WHERE run = @run ORDER BY place",
                store.table("files")
            );
            let mut steps = store.rows(&steps, &[text("run", run)])?;
            let files = store.rows(&files, &[text("run", run)])?;
            for step in &mut steps {
                let own = files.iter().filter(|file| file["address"] == step["address"]).cloned();
                step["files"] = own
                    .map(|mut file| {
                        file.as_object_mut().map(|file| file.shift_remove("address"));
                        file
                    })
                    .collect();
            }
            Ok(steps)
        }
    }
}

/// The results of a pipeline's runs with their times, oldest first.
fn told_sql(store: &Store<'_>) -> String {
    format!(
        "told AS (SELECT e.*, r.started_at, e.verdict <> 'passed' AS is_open, \
         ROW_NUMBER() OVER (PARTITION BY address ORDER BY r.started_at DESC, e.run DESC) AS back, \
         ROW_NUMBER() OVER (PARTITION BY address ORDER BY r.started_at, e.run) AS turn, \
         LAG(verdict <> 'passed') OVER (PARTITION BY address ORDER BY r.started_at, e.run) AS was_open \
         FROM {} AS e JOIN ({}) AS r USING (run))",
        store.table("expectations"),
        runs_sql(store, false)
    )
}

/// What became of each expectation in all runs.
pub(super) fn results(store: &Store<'_>) -> Result<Vec<Value>> {
    let sql = format!(
        "WITH {} SELECT address AS expectation, ANY_VALUE(node) AS node, COUNT(*) AS runs, \
         COUNTIF(NOT is_open) AS passed, MAX(IF(back = 1, verdict, NULL)) AS last, \
         MAX(IF(back = 1, found, NULL)) AS found, MIN(IF(is_open, started_at, NULL)) AS first_failure, \
         MAX(IF(is_open, started_at, NULL)) AS last_failure, COUNTIF(was_open <> is_open) AS changes, \
         MIN(checked) AS least_checked, MAX(checked) AS most_checked, \
         MAX(failing / GREATEST(checked, 1)) AS most_failing, \
         ARRAY_AGG(IF(back <= 20, failing / GREATEST(checked, 1), NULL) IGNORE NULLS ORDER BY turn) AS failing_shares, \
         MAX(IF(back = 1, milliseconds, NULL)) AS milliseconds FROM told GROUP BY address ORDER BY address",
        told_sql(store)
    );
    store.rows(&sql, &[text("pipeline", store.pipeline)])
}

/// All runs of a pipeline, newest first.
pub(super) fn runs(store: &Store<'_>, nobody_runs: bool) -> Result<Vec<PastRun>> {
    let sql = format!(
        "WITH verdicts AS (SELECT run, COUNTIF(verdict = 'passed') AS passed, COUNTIF(verdict = 'warned') AS warned, \
         COUNTIF(verdict = 'failed') AS failed, COUNTIF(verdict = 'errored') AS errored FROM {expectations} GROUP BY run), \
         steps AS (SELECT run, COUNT(*) AS steps, COUNTIF(status <> 'done') AS steps_undone FROM {steps} GROUP BY run) \
         SELECT r.run, command, started_by, started_at, finished_at, milliseconds, status, IFNULL(passed, 0) AS passed, \
         IFNULL(warned, 0) AS warned, IFNULL(failed, 0) AS failed, IFNULL(errored, 0) AS errored, \
         IFNULL(s.steps, 0) AS steps, IFNULL(steps_undone, 0) AS steps_undone FROM ({runs}) AS r \
         LEFT JOIN verdicts AS v ON v.run = r.run LEFT JOIN steps AS s ON s.run = r.run \
         ORDER BY started_at DESC, r.run DESC",
        expectations = store.table("expectations"),
        steps = store.table("steps"),
        runs = runs_sql(store, nobody_runs),
    );
    parsed(store.rows(&sql, &[text("pipeline", store.pipeline)])?)
}

/// What became of each expectation, with its last runs.
pub(super) fn tracks(store: &Store<'_>, last: u32) -> Result<Vec<Track>> {
    let sql = format!(
        "WITH {}, last_good AS (SELECT address, MAX(IF(is_open, NULL, turn)) AS turn FROM told GROUP BY address) \
         SELECT told.address AS expectation, MAX(IF(back = 1, node, NULL)) AS node, COUNT(*) AS runs, \
         COUNTIF(NOT is_open) AS passed, MIN(IF(is_open, started_at, NULL)) AS first_failure, \
         MAX(IF(is_open, started_at, NULL)) AS last_failure, \
         MIN(IF(told.turn > IFNULL(last_good.turn, 0), started_at, NULL)) AS failing_since, \
         ARRAY_AGG(IF(back <= {last}, STRUCT(run AS run, started_at AS started_at, verdict AS verdict, \
         checked AS checked, failing AS failing, observed AS observed, found AS found, milliseconds AS milliseconds), NULL) IGNORE NULLS \
         ORDER BY told.turn) AS points FROM told JOIN last_good ON last_good.address = told.address \
         GROUP BY told.address ORDER BY told.address",
        told_sql(store)
    );
    parsed(store.rows(&sql, &[text("pipeline", store.pipeline)])?)
}

/// The expectations of some runs, each run's together and in its order.
pub(super) fn checks(store: &Store<'_>, runs: &[&str]) -> Result<Vec<PastCheck>> {
    of_runs(store, "run, address, severity, verdict, found, sample, query", "expectations", runs)
}

/// The steps of some runs, each run's together and in its order.
pub(super) fn steps(store: &Store<'_>, runs: &[&str]) -> Result<Vec<PastStep>> {
    let columns = "run, address, action, status, `rows`, bytes, rejected, milliseconds, code, message";
    of_runs(store, columns, "steps", runs)
}

fn of_runs<T: DeserializeOwned>(
    store: &Store<'_>,
    columns: &str,
    table: &str,
    runs: &[&str],
) -> Result<Vec<T>> {
    let names: Vec<String> = runs.iter().map(|run| Text(run).to_string()).collect();
    let sql = format!(
        "SELECT {columns} FROM {} WHERE run IN ({}) ORDER BY run, place",
        store.table(table),
        names.join(", ")
    );
    parsed(store.rows(&sql, &[])?)
}

fn parsed<T: DeserializeOwned>(rows: Vec<Value>) -> Result<Vec<T>> {
    let parse = |row| {
        serde_json::from_value(row).map_err(|error| {
            Diagnostic::error(Code::Internal, format!("a run's record cannot be read: {error}")).into()
        })
    };
    rows.into_iter().map(parse).collect()
}
