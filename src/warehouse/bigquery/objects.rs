//! Files of Cloud Storage into a table: BigQuery reads them itself where it reads them as we do.
//!
//! ```text
//! files --headers--> plain? --yes--> load job --all rows good--> counted, looked at --> the table
//!                      \--no-------------\--some may be rejected--> read here, row by row, and sent
//! ```
//! Its load jobs are free, and nothing passes through this machine. They match columns by name as we do
//! (`sourceColumnMatch`), and read values by the rules that ours follow. What they do not do, telling which rows are bad
//! and keeping them, is done here where the manifest allows any. Values that they change without a word, bytes that are
//! no UTF-8, are looked for afterwards.

use serde_json::{Value, json};

use super::super::input::{Input, changed_file};
use super::super::{Loaded, Progress, Relation, Result, WarehouseError};
use super::error::ApiError;
use super::load::{Loading, said_of_rows};
use super::parameter::text;
use crate::diag::{Code, Diagnostic};
use crate::googlesql::Type;
use crate::googlesql::names::Ident;
use crate::manifest::types::{CsvOptions, Format};
use crate::plan::LoadAction;
use crate::report::FileRows;

/// How many files one job may read (<https://cloud.google.com/bigquery/quotas#load_jobs>).
const MOST_FILES: usize = 10_000;

/// What stands for bytes that were no text.
const REPLACEMENT: &str = "\u{FFFD}";

impl Loading<'_> {
    /// Loads files that are not on this machine.
    ///
    /// # Errors
    /// As [`Loading::load`], and files that changed since they were planned.
    pub(super) fn load_elsewhere(
        &self,
        at: &Relation,
        rejects_at: &Relation,
        load: &LoadAction,
        progress: Progress<'_>,
    ) -> Result<Loaded> {
        let files = &load.reading.files;
        let opened = files.iter().map(|file| self.storage.file(self.stop, file)).collect();
        let input = Input::of(load, opened)?;
        let loaded = match self.read_there(at, load, &input, progress)? {
            Some(loaded) => loaded,
            None => self.send(at, rejects_at, load, input, progress)?,
        };
        // Load jobs and blocks name files and not versions of them.
        match self.storage.changed(self.stop, files)? {
            Some(changed) => Err(changed_file(&changed)),
            None => Ok(loaded),
        }
    }

    /// Has BigQuery read the files. Nothing where they are to be read here: because it would read them otherwise than we
    /// do, or because there are rows to reject.
    fn read_there(
        &self,
        at: &Relation,
        load: &LoadAction,
        input: &Input<'_>,
        progress: Progress<'_>,
    ) -> Result<Option<Loaded>> {
        let Format::Csv(options) = &load.reading.format;
        let is_plain_text = input.is_plain && input.is_utf8();
        // In an address `*` stands for any text, and nothing takes that away.
        let are_names = load.reading.files.iter().all(|file| !file.path.contains('*'));
        // Where none is named the empty text is one.
        if !is_plain_text || !are_names || options.null_markers.is_empty() {
            return Ok(None);
        }
        let may_reject = load.max_rejects.allowed(u64::MAX) > 0;
        let mut settings = self.settings(at, &input.columns, &load.publish.record.layout);
        for (setting, value) in as_written(options) {
            settings[setting] = value;
        }
        let mut rows = 0;
        for files in load.reading.files.chunks(MOST_FILES) {
            settings["sourceUris"] = files.iter().map(|file| json!(file.path)).collect();
            let done =
                match self.jobs.run(self.stop, &self.jobs.configuration("load", &settings, self.labels)) {
                    Err(error) if error.is_of_rows() && may_reject => return Ok(None),
                    Err(error) if error.is_of_rows() => return Err(bad_rows(&error, load)),
                    done => done?,
                };
            if let Some(read) = done.files().filter(|read| *read != files.len() as u64) {
                let message = format!("{at}: BigQuery read {read} files of {}", files.len());
                return Err(Diagnostic::error(Code::RowsLost, message)
                    .help("nothing was published; plan again")
                    .into());
            }
            rows += done.loaded().ok_or_else(|| ApiError::lacks("number of the rows that were loaded"))?;
            settings["writeDisposition"] = json!("WRITE_APPEND");
        }
        if !self.look_at(at, load, input, may_reject)? {
            return Ok(None);
        }
        let bytes = load.reading.files.iter().map(|file| file.bytes).sum();
        if progress(rows, bytes).is_break() {
            return Err(Diagnostic::error(Code::Interrupted, "loading was stopped").into());
        }
        // Of several files BigQuery tells what they had together.
        let files = match load.reading.files.as_slice() {
            [file] => vec![FileRows { file: file.path.clone(), read: rows, written: rows, rejected: 0 }],
            _ => Vec::new(),
        };
        Ok(Some(Loaded { rows, rejected: 0, columns: input.columns.clone(), files }))
    }

    /// Looks for what a load job takes without a word: rows that lack a value they must have, and bytes that were no text.
    /// Says whether there is none.
    fn look_at(&self, at: &Relation, load: &LoadAction, input: &Input<'_>, may_reject: bool) -> Result<bool> {
        let required =
            load.reading.columns.iter().filter(|(_, required)| *required).map(|(column, _)| &column.name);
        let required: Vec<&String> = required.collect();
        let texts =
            input.columns.iter().filter(|column| matches!(column.data_type, Type::String | Type::Json));
        let is_null = required.iter().map(|name| format!("COUNTIF({} IS NULL)", Ident(name)));
        let is_changed = texts.map(|column| match column.data_type {
            Type::Json => format!("COUNTIF(STRPOS(TO_JSON_STRING({}), @mark) > 0)", Ident(&column.name)),
            _ => format!("COUNTIF(STRPOS({}, @mark) > 0)", Ident(&column.name)),
        });
        let counted: Vec<String> = is_null.chain(is_changed).collect();
        if counted.is_empty() {
            return Ok(true);
        }
        let sql = format!("SELECT {} FROM {}", counted.join(", "), self.place.path(at));
        let given = (counted.len() > required.len()).then(|| text("mark", REPLACEMENT));
        let marks: Vec<Value> = given.into_iter().collect();
        let answer = self.jobs.query(self.stop, self.labels, &sql, &marks)?;
        let row = answer.rows.first().ok_or_else(|| ApiError::lacks("row of counts"))?;
        let is_some = |value: &Value| value.as_str() != Some("0") && value.as_i64() != Some(0);
        let lacking = required.iter().zip(row).find(|(_, count)| is_some(count));
        match lacking {
            Some((column, count)) if !may_reject => {
                let count = count.as_str().map_or_else(|| count.to_string(), str::to_owned);
                let message = format!("{count} rows have no value in `{column}`, which is required");
                Err(Diagnostic::error(Code::BadRow, message).help(HELP).into())
            }
            _ => Ok(!row.iter().any(is_some)),
        }
    }
}

/// What to do about rows that do not fit.
const HELP: &str = "mend the file, declare another type, or allow some rows to go into the rejects table with `max_rejects`: \
                    they are then told by file and line";

/// How files are written, in the words of load jobs.
fn as_written(options: &CsvOptions) -> Vec<(&'static str, Value)> {
    let mut settings = vec![
        ("sourceFormat", json!("CSV")),
        ("encoding", json!("UTF-8")),
        ("skipLeadingRows", json!(1)),
        ("sourceColumnMatch", json!("NAME")),
        ("fieldDelimiter", json!(options.delimiter)),
        ("quote", json!(options.quote)),
        ("allowQuotedNewlines", json!(true)),
        ("allowJaggedRows", json!(false)),
        ("ignoreUnknownValues", json!(false)),
        ("maxBadRecords", json!(0)),
    ];
    match options.null_markers.as_slice() {
        [one] => settings.push(("nullMarker", json!(one))),
        several => settings.push(("nullMarkers", json!(several))),
    }
    settings
}

/// What BigQuery says of rows that do not fit.
fn bad_rows(error: &ApiError, load: &LoadAction) -> WarehouseError {
    let message = format!("rows cannot be loaded, and none may be rejected\n{}", said_of_rows(error, load));
    Diagnostic::error(Code::BadRow, message).help(HELP).into()
}
