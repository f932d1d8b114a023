//! Pipewright's own tables in the target: state, runs, results. Public to read, written only here.
//!
//! They are written by adding rows alone: steps that end at the same time do not wait for each other, as they would if
//! they changed rows. What is newest holds. The one row that is changed is the serial of a pipeline, by whoever still
//! knows its value: of two runs that were planned on the same state one goes on.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::super::{Relation, Result, RunHeader, WarehouseError};
use super::api::Stop;
use super::encode::{CONTENT, SOURCE_FORMAT, record};
use super::error::ApiError;
use super::governance::Governed;
use super::job::{Jobs, Labels};
use super::parameter::{maybe_text, number, signed, text};
use super::place::Place;
use super::upload::Upload;
use crate::diag::{Code, Diagnostic};
use crate::project::Address;
use crate::report::{RunReport, Status};
use crate::state::{FORMAT, NodeState, State};

/// The status of a run that has not said how it ended.
pub(super) const RUNNING: &str = "running";

/// The status of a run that was stopped, or whose process ended before it could say how.
pub(super) const INTERRUPTED: &str = "interrupted";

/// The tables and their columns.
const TABLES: [(&str, &str); 6] = [
    ("meta", "pipeline STRING NOT NULL, key STRING NOT NULL, value STRING NOT NULL"),
    (
        "nodes",
        "pipeline STRING NOT NULL, address STRING NOT NULL, entry INT64 NOT NULL, status STRING NOT NULL, job STRING, \
         comment STRING, governed STRING, relation STRING NOT NULL, `rows` INT64, bytes INT64, rejected INT64, run STRING, built_at STRING, record STRING",
    ),
    (
        "runs",
        "run STRING NOT NULL, command STRING NOT NULL, pipeline STRING NOT NULL, started_by STRING NOT NULL, \
         started_at STRING NOT NULL, finished_at STRING, milliseconds INT64, status STRING NOT NULL",
    ),
    (
        "steps",
        "run STRING NOT NULL, place INT64 NOT NULL, address STRING NOT NULL, relation STRING NOT NULL, \
         action STRING NOT NULL, status STRING NOT NULL, `rows` INT64, bytes INT64, rejected INT64 NOT NULL, \
         milliseconds INT64 NOT NULL, tries INT64 NOT NULL, code STRING, message STRING, new_rows INT64, kept STRING",
    ),
    (
        "expectations",
        "run STRING NOT NULL, place INT64 NOT NULL, address STRING NOT NULL, node STRING NOT NULL, \
         severity STRING NOT NULL, verdict STRING NOT NULL, checked INT64 NOT NULL, failing INT64 NOT NULL, \
         found STRING NOT NULL, sample STRING, query STRING, places STRING, observed FLOAT64, \
         milliseconds INT64",
    ),
    (
        "files",
        "run STRING NOT NULL, place INT64 NOT NULL, address STRING NOT NULL, file STRING NOT NULL, \
         rows_read INT64 NOT NULL, rows_written INT64 NOT NULL, rows_rejected INT64 NOT NULL",
    ),
];

/// The status of an entry whose publishing was about to begin.
const PUBLISHING: &str = "publishing";
/// The status of an entry that holds.
const PUBLISHED: &str = "published";
/// The status of an entry that says that there is nothing any more.
const FORGOTTEN: &str = "forgotten";

/// The tables of a target.
pub(super) struct Store<'a> {
    pub(super) jobs: &'a Jobs,
    pub(super) place: &'a Place,
    pub(super) pipeline: &'a str,
    pub(super) labels: Labels,
}

/// A change of what is remembered of a node.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) address: Address,
    /// Nothing for a node that is forgotten.
    pub(super) state: Option<NodeState>,
}

/// What was about to be published when a run ended without a word.
#[derive(Debug, Clone)]
pub(super) struct Pending {
    pub(super) entry: i64,
    pub(super) address: Address,
    pub(super) state: NodeState,
    /// The job that publishes it.
    pub(super) job: String,
    /// What its table is then described as.
    pub(super) comment: String,
    /// What governed the table that it replaces.
    pub(super) governed: Option<Governed>,
}

/// What is about to be published.
#[derive(Debug, Clone, Copy)]
pub(super) struct Announced<'a> {
    /// The job that does it.
    pub(super) job: &'a str,
    /// What the table is described as after it.
    pub(super) comment: &'a str,
    /// What governs the table that it replaces, if there is one.
    pub(super) governed: Option<&'a Governed>,
}

/// What is read of the state.
#[derive(Debug, Default)]
pub(super) struct Remembered {
    pub(super) state: State,
    pub(super) pending: Vec<Pending>,
}

impl Store<'_> {
    /// One of the tables, for SQL.
    pub(super) fn table(&self, table: &str) -> String {
        self.place.path(&Relation { dataset: self.place.state.clone(), table: table.to_owned() })
    }

    pub(super) fn rows(&self, sql: &str, parameters: &[Value]) -> Result<Vec<Value>> {
        Ok(self.jobs.look_up(&self.labels, sql, parameters)?.objects())
    }

    fn write(&self, sql: &str, parameters: &[Value]) -> std::result::Result<Option<u64>, ApiError> {
        Ok(self.jobs.note(&self.labels, sql, parameters)?.affected())
    }

    /// Everything that is remembered of the pipeline.
    pub(super) fn read(&self) -> Result<Remembered> {
        let sql = format!(
            "SELECT 'meta' AS what, key AS name, value AS record, 0 AS entry, '' AS status, '' AS job, '' AS comment, \
             CAST(NULL AS STRING) AS governed FROM {meta} \
             WHERE pipeline = @pipeline \
             UNION ALL SELECT 'node', address, IFNULL(record, ''), entry, status, IFNULL(job, ''), IFNULL(comment, ''), governed FROM ( \
             SELECT *, ROW_NUMBER() OVER (PARTITION BY address, status = '{PUBLISHING}' ORDER BY entry DESC) AS age \
             FROM {nodes} WHERE pipeline = @pipeline) WHERE age = 1 ORDER BY 1, 2, 4",
            meta = self.table("meta"),
            nodes = self.table("nodes"),
        );
        let rows = self.rows(&sql, &[text("pipeline", self.pipeline)])?;
        let mut remembered = Remembered::default();
        let mut newest: BTreeMap<Address, i64> = BTreeMap::new();
        for row in &rows {
            let told = |key: &str| row[key].as_str().unwrap_or_default();
            if told("what") == "meta" {
                match told("name") {
                    "format" => known_format(told("record"))?,
                    "lineage" => remembered.state.lineage = Some(told("record").to_owned()),
                    "serial" => remembered.state.serial = told("record").parse().unwrap_or(0),
                    _ => {}
                }
                continue;
            }
            let address: Address =
                told("name").parse().map_err(|why: String| unreadable(told("name"), &why))?;
            let entry = row["entry"].as_i64().unwrap_or(0);
            let parse = || {
                serde_json::from_str::<NodeState>(told("record"))
                    .map_err(|error| unreadable(told("name"), &error.to_string()))
            };
            match told("status") {
                FORGOTTEN => {
                    newest.insert(address, entry);
                }
                PUBLISHED => {
                    remembered.state.nodes.insert(address.clone(), parse()?);
                    newest.insert(address, entry);
                }
                _ => {
                    let (job, comment) = (told("job").to_owned(), told("comment").to_owned());
                    // What another version wrote is as if it had not been written.
                    let governed = row["governed"].as_str().and_then(|text| serde_json::from_str(text).ok());
                    remembered.pending.push(Pending {
                        entry,
                        address,
                        state: parse()?,
                        job,
                        comment,
                        governed,
                    });
                }
            }
        }
        // One that is followed by an entry that holds is settled.
        remembered
            .pending
            .retain(|pending| newest.get(&pending.address).is_none_or(|at| *at < pending.entry));
        Ok(remembered)
    }

    /// Makes the tables that are not there.
    pub(super) fn make(&self) -> Result<()> {
        let statements: Vec<String> = TABLES
            .iter()
            .map(|(table, columns)| format!("CREATE TABLE IF NOT EXISTS {} ({columns})", self.table(table)))
            .collect();
        self.write(&statements.join(";\n"), &[])?;
        Ok(())
    }

    /// Takes the serial that was read and makes the next of it. Whoever comes second is told.
    pub(super) fn advance(&self, run: &RunHeader, before: &State) -> Result<u64> {
        let (next, meta) = (before.serial + 1, self.table("meta"));
        let pipeline = || text("pipeline", self.pipeline);
        let affected = if before.lineage.is_some() {
            self.write(
                &format!(
                    "UPDATE {meta} SET value = @next WHERE pipeline = @pipeline AND key = 'serial' AND value = @before"
                ),
                &[
                    pipeline(),
                    text("next", &next.to_string()),
                    text("before", &before.serial.to_string()),
                ],
            )?
        } else {
            let lineage = blake3::hash(format!("{} {}", run.id, run.by).as_bytes()).to_hex();
            self.write(
                &format!(
                    "INSERT INTO {meta} (pipeline, key, value) SELECT pipeline, key, value FROM ( \
                     SELECT @pipeline AS pipeline, 'format' AS key, @format AS value \
                     UNION ALL SELECT @pipeline, 'lineage', @lineage UNION ALL SELECT @pipeline, 'serial', @next) \
                     WHERE NOT EXISTS (SELECT 1 FROM {meta} WHERE pipeline = @pipeline)"
                ),
                &[
                    pipeline(),
                    text("format", &FORMAT.to_string()),
                    text("lineage", &lineage[..32]),
                    text("next", &next.to_string()),
                ],
            )?
        };
        if affected == Some(0) { Err(overtaken()) } else { Ok(next) }
    }

    /// Adds a run's row.
    pub(super) fn add_run(&self, run: &RunHeader, ended: Option<&RunReport>) -> Result<()> {
        let sql = format!(
            "INSERT INTO {} (run, command, pipeline, started_by, started_at, finished_at, milliseconds, status) \
             VALUES (@run, @command, @pipeline, @by, @started_at, @finished_at, @milliseconds, @status)",
            self.table("runs")
        );
        let parameters = vec![
            text("run", &run.id),
            text("command", &run.command),
            text("pipeline", &run.pipeline),
            text("by", &run.by),
            text("started_at", &run.started_at),
            maybe_text("finished_at", ended.map(|report| report.finished_at.as_str())),
            number("milliseconds", ended.map(|report| report.milliseconds)),
            text("status", ended.map_or(RUNNING, |report| status(report.status))),
        ];
        self.write(&sql, &parameters)?;
        Ok(())
    }

    /// Adds an entry, unless another run has begun since this one did.
    ///
    /// One that is announced holds once its job is done.
    pub(super) fn add(
        &self,
        entry: &Entry,
        number_of: i64,
        announced: Option<Announced<'_>>,
        serial: u64,
    ) -> Result<()> {
        let record = match &entry.state {
            Some(state) => Some(serde_json::to_string(state).map_err(|error| {
                Diagnostic::error(Code::Internal, format!("state cannot be written: {error}"))
            })?),
            None => None,
        };
        let sql = format!(
            "INSERT INTO {nodes} (pipeline, address, entry, status, job, comment, governed, relation, `rows`, bytes, rejected, \
             run, built_at, record) SELECT @pipeline, @address, @entry, @status, @job, @comment, @governed, @relation, @rows, \
             @bytes, @rejected, @run, @built_at, @record FROM {meta} WHERE pipeline = @pipeline AND key = 'serial' AND value = @serial",
            nodes = self.table("nodes"),
            meta = self.table("meta"),
        );
        let state = entry.state.as_ref();
        let governed = announced.and_then(|announced| serde_json::to_string(announced.governed?).ok());
        let status = match (state, announced) {
            (None, _) => FORGOTTEN,
            (Some(_), Some(_)) => PUBLISHING,
            (Some(_), None) => PUBLISHED,
        };
        let parameters = vec![
            text("pipeline", self.pipeline),
            text("address", &entry.address.to_string()),
            signed("entry", number_of),
            text("status", status),
            maybe_text("job", announced.map(|announced| announced.job)),
            maybe_text("comment", announced.map(|announced| announced.comment)),
            maybe_text("governed", governed.as_deref()),
            text("relation", state.map(|state| state.relation.as_str()).unwrap_or_default()),
            number("rows", state.and_then(|state| state.rows)),
            number("bytes", state.and_then(|state| state.bytes)),
            number("rejected", state.map(|state| state.rejected)),
            maybe_text("run", state.map(|state| state.run.as_str())),
            maybe_text("built_at", state.map(|state| state.built_at.as_str())),
            maybe_text("record", record.as_deref()),
            text("serial", &serial.to_string()),
        ];
        if self.write(&sql, &parameters)? == Some(0) { Err(overtaken()) } else { Ok(()) }
    }
}

impl Store<'_> {
    /// Takes away the entries that others have followed: all that a plan reads is what holds.
    pub(super) fn forget_followed(&self) -> Result<()> {
        let nodes = self.table("nodes");
        let sql = format!(
            "MERGE INTO {nodes} AS old USING (SELECT address, MAX(entry) AS newest FROM {nodes} \
             WHERE pipeline = @pipeline AND status != '{PUBLISHING}' GROUP BY address) AS now \
             ON old.pipeline = @pipeline AND old.address = now.address AND old.entry < now.newest WHEN MATCHED THEN DELETE"
        );
        self.write(&sql, &[text("pipeline", self.pipeline)])?;
        Ok(())
    }
}

/// The results of a run, as rows of the tables that keep them.
impl Store<'_> {
    /// Adds a run's steps, with their files and expectations: a load job for each table, which costs nothing.
    pub(super) fn add_results(&self, report: &RunReport) -> Result<()> {
        let (mut steps, mut files, mut expectations) = (Vec::new(), Vec::new(), Vec::new());
        for (place, step) in report.steps.iter().enumerate() {
            steps.push(json!({
                "run": report.run, "place": place, "address": step.address.to_string(), "relation": step.relation,
                "action": step.action, "status": status(step.status), "rows": step.rows, "bytes": step.bytes,
                "rejected": step.rejected, "milliseconds": step.milliseconds, "tries": step.tries,
                "code": step.fault.as_ref().map(|fault| &fault.code),
                "message": step.fault.as_ref().map(|fault| &fault.message),
                "new_rows": step.new_rows, "kept": step.kept,
            }));
            for file in &step.files {
                files.push(json!({
                    "run": report.run, "place": files.len(), "address": step.address.to_string(), "file": file.file,
                    "rows_read": file.read, "rows_written": file.written, "rows_rejected": file.rejected,
                }));
            }
            for check in &step.checks {
                let list = |values: Vec<Value>| (!values.is_empty()).then(|| Value::from(values).to_string());
                expectations.push(json!({
                    "run": report.run, "place": expectations.len(), "address": check.address,
                    "node": step.address.to_string(), "severity": check.severity, "verdict": check.outcome.verdict,
                    "checked": check.outcome.checked, "failing": check.outcome.failing, "found": check.outcome.found,
                    "sample": list(check.sample.clone()), "query": check.sample_sql,
                    "places": list(check.places.iter().cloned().map(Into::into).collect()),
                    "observed": check.outcome.observed, "milliseconds": check.milliseconds,
                }));
            }
        }
        for (table, rows) in [("steps", steps), ("files", files), ("expectations", expectations)] {
            if !rows.is_empty() {
                self.append(table, &rows)?;
            }
        }
        Ok(())
    }

    fn append(&self, table: &str, rows: &[Value]) -> Result<()> {
        let columns = TABLES.iter().find(|(name, _)| *name == table).map(|(_, columns)| fields(columns));
        let load = json!({
            "destinationTable":
                self.place.reference(&Relation { dataset: self.place.state.clone(), table: table.to_owned() }),
            "schema": { "fields": columns },
            "sourceFormat": SOURCE_FORMAT,
            "writeDisposition": "WRITE_APPEND",
            "createDisposition": "CREATE_NEVER",
        });
        let configuration = self.jobs.configuration("load", &load, &self.labels);
        let stop = Stop::default();
        let mut upload = Upload::open(self.jobs, &stop, &configuration, CONTENT)?;
        for row in rows {
            record(row, upload.buffer());
            upload.flow()?;
        }
        upload.finish()?;
        Ok(())
    }

    /// Forgets the runs of the pipeline that started before a time, with their results.
    pub(super) fn forget_runs(&self, before: &str) -> Result<()> {
        let runs = self.table("runs");
        let old = format!("SELECT run FROM {runs} WHERE pipeline = @pipeline AND started_at < @before");
        for table in ["steps", "files", "expectations", "runs"] {
            let sql = match table {
                "runs" => format!("DELETE FROM {runs} WHERE pipeline = @pipeline AND started_at < @before"),
                table => format!("DELETE FROM {} WHERE run IN ({old})", self.table(table)),
            };
            self.write(&sql, &[text("pipeline", self.pipeline), text("before", before)])?;
        }
        Ok(())
    }
}

/// The columns of a table of [`TABLES`], for a load job.
fn fields(columns: &str) -> Vec<Value> {
    let field = |column: &str| {
        let mut words = column.split_whitespace();
        let name = words.next().unwrap_or_default().trim_matches('`');
        let mode = if column.ends_with("NOT NULL") { "REQUIRED" } else { "NULLABLE" };
        json!({ "name": name, "type": words.next(), "mode": mode })
    };
    columns.split(", ").map(field).collect()
}

fn known_format(format: &str) -> Result<()> {
    match format.parse::<u32>() {
        Ok(format) if format > FORMAT => Err(Diagnostic::error(
            Code::NewerState,
            format!("the target was written by a newer Pipewright (state format {format}, this one knows {FORMAT})"),
        )
        .help("install the newer version")
        .into()),
        _ => Ok(()),
    }
}

fn unreadable(address: &str, why: &str) -> WarehouseError {
    Diagnostic::error(Code::TargetUnavailable, format!("the state of `{address}` cannot be read: {why}"))
        .help("delete its rows in pipewright.nodes to have it built anew")
        .into()
}

/// What the one is told that comes second.
pub(super) fn overtaken() -> WarehouseError {
    Diagnostic::error(Code::StalePlan, "another run has changed the target since this one was planned")
        .help("plan again")
        .into()
}

/// The word of a status.
pub(super) fn status(status: Status) -> &'static str {
    match status {
        Status::Done => "done",
        Status::Failed => "failed",
        Status::HeldBack => "held_back",
        Status::Interrupted => INTERRUPTED,
    }
}

/// A text as the value of a label: what labels cannot have becomes `_`.
pub(super) fn label(text: &str) -> String {
    let fits = |character: char| match character {
        'a'..='z' | '0'..='9' | '_' | '-' => character,
        'A'..='Z' => character.to_ascii_lowercase(),
        _ => '_',
    };
    text.chars().take(63).map(fits).collect()
}
