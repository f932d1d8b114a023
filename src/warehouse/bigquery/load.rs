//! Files into a table: read and judged as for the embedded engine, sent as one load job.

use std::path::Path;
use std::sync::Arc;

use serde_json::{Value, json};

use super::super::input::{Input, Sink, personal_of};
use super::super::{Loaded, Progress, Relation, Result, WarehouseError};
use super::api::Stop;
use super::encode::{CONTENT, Encoder, SOURCE_FORMAT, record};
use super::error::ApiError;
use super::job::{Done, Jobs, Labels};
use super::lanes;
use super::layout;
use super::place::Place;
use super::publish::rejects_would_show;
use super::storage::Storage;
use super::upload::Upload;
use crate::diag::{Code, Diagnostic};
use crate::googlesql::{Column, Type};
use crate::plan::LoadAction;
use crate::project::Layout;
use crate::source::{Batch, Reject};

/// What load jobs are made with.
pub(super) struct Loading<'a> {
    pub(super) jobs: &'a Jobs,
    pub(super) place: &'a Place,
    pub(super) storage: &'a Storage,
    pub(super) stop: &'a Arc<Stop>,
    pub(super) labels: &'a Labels,
    /// The published table, where it keeps readers from some of its rows or columns, and what keeps them from those of a
    /// build: it is there before the first row.
    pub(super) guarded: Option<(&'a Relation, Shield<'a>)>,
}

/// Keeps readers from what they may not see of a build.
pub(super) type Shield<'a> = &'a (dyn Fn(&Relation) -> Result<()> + Sync);

/// The columns of a table of rejected rows.
const REJECT_COLUMNS: [(&str, Type); 7] = [
    ("file", Type::String),
    ("line", Type::Int64),
    ("row_number", Type::Int64),
    ("column_name", Type::String),
    ("value", Type::String),
    ("reason", Type::String),
    ("record", Type::String),
];

impl Loading<'_> {
    /// Loads all files of a step into a new table, and what was refused into another, if there is any. Files of this
    /// machine are sent; see [`super::objects`] for others.
    ///
    /// # Errors
    /// As [`Input::open`] and [`Input::read`], and what BigQuery says.
    pub(super) fn load(
        &self,
        at: &Relation,
        rejects_at: &Relation,
        load: &LoadAction,
        root: &Path,
        progress: Progress<'_>,
    ) -> Result<Loaded> {
        if load.reading.is_elsewhere() {
            self.load_elsewhere(at, rejects_at, load, progress)
        } else {
            self.send(at, rejects_at, load, Input::open(load, root)?, progress)
        }
    }

    /// Reads files here, several at a time, and sends their rows.
    ///
    /// # Errors
    /// As [`Input::read`], and what BigQuery says.
    pub(super) fn send(
        &self,
        at: &Relation,
        rejects_at: &Relation,
        load: &LoadAction,
        input: Input<'_>,
        progress: Progress<'_>,
    ) -> Result<Loaded> {
        let layout = &load.publish.record.layout;
        if input.count() == 1 {
            let disposition = self.ready(at, &input.columns, layout)?;
            let mut sent = self.sent(at, rejects_at, &input.columns, layout, disposition)?;
            let loaded = input.read(&mut sent, progress)?;
            sent.finish(load)?;
            return Ok(loaded);
        }
        // Each lane has a job of its own, which adds its rows to a table that is there.
        let columns = input.columns.clone();
        self.make(at, &columns, layout)?;
        self.ready(at, &columns, layout)?;
        let counted = lanes::read(&input, progress, &|read| {
            let mut sent = self.sent(at, rejects_at, &columns, layout, "WRITE_APPEND")?;
            read(&mut sent)?;
            sent.finish(load)
        })?;
        input.judge(counted)
    }

    /// A way for rows into a table.
    fn sent<'l>(
        &'l self,
        at: &'l Relation,
        rejects_at: &'l Relation,
        columns: &[Column],
        layout: &'l Layout,
        disposition: &'static str,
    ) -> Result<Sent<'l>> {
        let rows = self.open(at, columns, layout, disposition)?;
        let encoder = Encoder::new(columns);
        let (good, rejected) = (0, 0);
        let columns = columns.to_vec();
        let rejects = None;
        Ok(Sent {
            loading: self,
            encoder,
            rows,
            at,
            good,
            rejects,
            rejects_at,
            rejected,
            disposition,
            columns,
            layout,
        })
    }

    fn open(
        &self,
        at: &Relation,
        columns: &[Column],
        layout: &Layout,
        disposition: &str,
    ) -> Result<Upload<'_>> {
        let mut load = self.settings(at, columns, layout);
        load["sourceFormat"] = json!(SOURCE_FORMAT);
        load["writeDisposition"] = json!(disposition);
        let configuration = self.jobs.configuration("load", &load, self.labels);
        Ok(Upload::open(self.jobs, self.stop, &configuration, CONTENT)?)
    }

    /// Removes a table, if it is there.
    pub(super) fn remove(&self, at: &Relation) -> Result<()> {
        let (api, path) = (&self.jobs.api, self.place.address(at));
        match api.persist(self.stop, || api.delete(&path)) {
            Err(error) if error.is_missing() => Ok(()),
            done => Ok(done.map(drop)?),
        }
    }

    /// Makes a table that readers are to be kept from, and keeps them from it. Gives what the first job does with the table.
    pub(super) fn ready(&self, at: &Relation, columns: &[Column], layout: &Layout) -> Result<&'static str> {
        let Some((_, shield)) = self.guarded else { return Ok("WRITE_TRUNCATE") };
        self.make(at, columns, layout)?;
        shield(at)?;
        Ok("WRITE_APPEND")
    }

    /// Makes a table without rows, unless it is there.
    fn make(&self, at: &Relation, columns: &[Column], layout: &Layout) -> Result<()> {
        let mut table = json!({ "tableReference": self.place.reference(at), "schema": fields(columns) });
        for (setting, value) in layout::settings(layout) {
            table[setting] = value;
        }
        let (api, path) = (&self.jobs.api, self.place.tables(&at.dataset));
        match api.persist(self.stop, || api.post(&path, &table)) {
            Err(error) if error.is_duplicate() => Ok(()),
            made => Ok(made.map(drop)?),
        }
    }

    /// What a load job is asked for that fills a new table, whatever its files are.
    pub(super) fn settings(&self, at: &Relation, columns: &[Column], layout: &Layout) -> Value {
        let mut load = json!({
            "destinationTable": self.place.reference(at),
            "schema": fields(columns),
            "writeDisposition": "WRITE_TRUNCATE",
        });
        for (setting, value) in layout::settings(layout) {
            load[setting] = value;
        }
        load
    }
}

/// Columns as a schema.
fn fields(columns: &[Column]) -> Value {
    let fields = columns.iter().map(
        |column| json!({ "name": column.name, "type": column.data_type.to_string(), "mode": "NULLABLE" }),
    );
    json!({ "fields": fields.collect::<Vec<_>>() })
}

/// The two uploads of a load, or of a lane of one, with what was sent.
struct Sent<'a> {
    loading: &'a Loading<'a>,
    encoder: Encoder,
    rows: Upload<'a>,
    at: &'a Relation,
    good: u64,
    rejects: Option<Upload<'a>>,
    rejects_at: &'a Relation,
    rejected: u64,
    disposition: &'static str,
    columns: Vec<Column>,
    layout: &'a Layout,
}

impl Sent<'_> {
    /// Has all that was sent loaded, and counted on the other side.
    fn finish(self, load: &LoadAction) -> Result<()> {
        // Nothing is no upload: whether one of no bytes is over, servers tell in different ways.
        if self.good == 0 {
            self.loading.make(self.at, &self.columns, self.layout)?;
            return match self.rejects {
                Some(rejects) => {
                    let done = rejects.finish().map_err(|error| refused(error, load))?;
                    written(&done, self.rejects_at, self.rejected, self.disposition != "WRITE_APPEND")
                }
                None => Ok(()),
            };
        }
        let finish = |upload: Upload<'_>| upload.finish().map_err(|error| refused(error, load));
        let is_alone = self.disposition != "WRITE_APPEND";
        written(&finish(self.rows)?, self.at, self.good, is_alone)?;
        match self.rejects {
            Some(rejects) => written(&finish(rejects)?, self.rejects_at, self.rejected, is_alone),
            None => Ok(()),
        }
    }
}

impl Sink for Sent<'_> {
    fn rows(&mut self, batch: &Batch) -> Result<()> {
        self.encoder.append(batch, self.rows.buffer());
        self.good += batch.rows as u64;
        Ok(self.rows.flow()?)
    }

    fn rejects(&mut self, rejects: &[Reject]) -> Result<()> {
        if let Some((table, _)) = self.loading.guarded {
            return Err(rejects_would_show(table));
        }
        let upload = match &mut self.rejects {
            Some(upload) => upload,
            None => {
                let columns = REJECT_COLUMNS.map(|(name, data_type)| Column::new(name, data_type));
                let (at, layout) = (self.rejects_at, Layout::default());
                if self.disposition == "WRITE_APPEND" {
                    self.loading.make(at, &columns, &layout)?;
                }
                self.rejects.insert(self.loading.open(at, &columns, &layout, self.disposition)?)
            }
        };
        for reject in rejects {
            let told = json!({
                "file": reject.file, "line": reject.line, "row_number": reject.row, "column_name": reject.column,
                "value": reject.value, "reason": reject.reason, "record": reject.record,
            });
            record(&told, upload.buffer());
        }
        self.rejected += rejects.len() as u64;
        Ok(upload.flow()?)
    }
}

/// What the load job counted must be what was sent. Where others add to the same table, there are servers that count what
/// these have added; in the end the table is held against all that was sent.
fn written(done: &Done, at: &Relation, sent: u64, is_alone: bool) -> Result<()> {
    match done.loaded() {
        Some(written) if written < sent || is_alone && written != sent => Err(Diagnostic::error(
            Code::RowsLost,
            format!("{at}: {sent} rows were sent, and BigQuery wrote {written}"),
        )
        .help("nothing was published; this is a fault of Pipewright, please report it")
        .into()),
        _ => Ok(()),
    }
}

/// What is wrong with a load job of rows that were judged good here.
fn refused(error: ApiError, load: &LoadAction) -> WarehouseError {
    if !error.is_of_rows() {
        return error.into();
    }
    let message = if personal_of(load).is_empty() {
        format!("BigQuery cannot read rows that were sent\n{}", error.rows.join("\n"))
    } else {
        "BigQuery cannot read rows that were sent; what it says of them may have personal values".to_owned()
    };
    Diagnostic::error(Code::BadRow, message)
        .help("nothing was published; this is a fault of Pipewright, please report it")
        .into()
}
