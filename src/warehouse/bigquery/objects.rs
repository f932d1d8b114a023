//! Files of Cloud Storage into a table: BigQuery reads them itself where it reads them as we do.
//!
//! ```text
//! files --headers--> plain? --yes--> load jobs --all rows good--> looked at --> the table
//!                      \--no-------------\--some are not--------------\--> read here, row by row, and sent
//! ```
//! Its load jobs are free, and nothing passes through this machine. They match columns by name as we do
//! (`sourceColumnMatch`). What they do not do, telling which rows are bad and keeping them, is done here as soon as they
//! find one: it may be one that they refuse and we do not, such as a date where a time may follow. What they take
//! and we do not is kept from them (numbers as times) or looked for afterwards (bytes that are no text, NULL in quotes).

use serde_json::{Value, json};

use super::super::input::{Input, changed_file, stopped};
use super::super::{Loaded, Progress, Relation, Result, WarehouseError};
use super::error::ApiError;
use super::job::Done;
use super::load::Loading;
use super::parameter::text;
use crate::diag::{Code, Diagnostic};
use crate::googlesql::Type;
use crate::googlesql::names::Ident;
use crate::manifest::types::{CsvOptions, Format};
use crate::plan::LoadAction;
use crate::report::FileRows;
use crate::source::bucket_and_name;
use crate::state::FileState;

/// How many files one job may read (<https://cloud.google.com/bigquery/quotas#load_jobs>).
const MOST_FILES: usize = 10_000;

/// How long the addresses of one job's files may be together: its request may have ten megabytes.
const MOST_ADDRESSES: usize = 5_000_000;

/// The longest file that is read in one piece, as those are that are compressed or may have line ends in quotes
/// (<https://cloud.google.com/bigquery/quotas#load_jobs>).
const MOST_IN_ONE_PIECE: u64 = 4 << 30;

/// What stands for bytes that were no text.
const REPLACEMENT: &str = "\u{FFFD}";

/// The one form in which load jobs take times: without it they take numbers, too, whose unit is a guess.
const TIMESTAMPS: &str = "YYYY-MM-DD HH24:MI:SS";

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
            None => {
                // What it has read before it gave up.
                self.remove(at)?;
                self.send(at, rejects_at, load, input, progress)?
            }
        };
        // Load jobs and blocks name files and not versions of them.
        match self.storage.changed(self.stop, files)? {
            Some(changed) => Err(changed_file(&changed)),
            None => Ok(loaded),
        }
    }

    /// Has BigQuery read the files. Nothing where they are to be read here: because it would read them otherwise than we
    /// do, or because it cannot read some row.
    fn read_there(
        &self,
        at: &Relation,
        load: &LoadAction,
        input: &Input<'_>,
        progress: Progress<'_>,
    ) -> Result<Option<Loaded>> {
        let (Format::Csv(options), files) = (&load.reading.format, &load.reading.files);
        // Where no marker is named the empty text is one.
        let is_read_alike = input.is_plain && input.is_utf8() && !options.null_markers.is_empty();
        if !is_read_alike || !files.iter().all(is_taken) {
            return Ok(None);
        }
        let mut settings = self.settings(at, &input.columns, &load.publish.record.layout);
        for (setting, value) in as_written(options) {
            settings[setting] = value;
        }
        if input.columns.iter().any(|column| column.data_type == Type::Timestamp) {
            settings["timestampFormat"] = json!(TIMESTAMPS);
        }
        settings["writeDisposition"] = json!(self.ready(at, &input.columns, &load.publish.record.layout)?);
        let mut rows = 0;
        for files in jobs_of(files) {
            settings["sourceUris"] = files.iter().map(|file| json!(file.path)).collect();
            settings["allowQuotedNewlines"] = json!(!files.iter().any(|file| is_long(file)));
            let configuration = self.jobs.configuration("load", &settings, self.labels);
            let done = match self.jobs.run(self.stop, &configuration) {
                Err(error) if error.is_of_rows() => return Ok(None),
                done => done.map_err(|error| elsewhere(error, &files))?,
            };
            rows += read(&done, at, &files)?;
            settings["writeDisposition"] = json!("WRITE_APPEND");
        }
        if !self.is_as_read_here(at, load, input, options)? {
            return Ok(None);
        }
        let bytes = files.iter().map(|file| file.bytes).sum();
        if progress(rows, bytes).is_break() {
            return Err(stopped());
        }
        // Of several files BigQuery tells what they had together.
        let files = match files.as_slice() {
            [file] => vec![FileRows { file: file.path.clone(), read: rows, written: rows, rejected: 0 }],
            _ => Vec::new(),
        };
        Ok(Some(Loaded { rows, rejected: 0, columns: input.columns.clone(), files }))
    }

    /// Looks for what a load job takes without a word: rows that lack a value they must have, bytes that were no text,
    /// markers of NULL in quotes, which it keeps as texts, and JSON's own, which it keeps as JSON. Says whether there is none.
    fn is_as_read_here(
        &self,
        at: &Relation,
        load: &LoadAction,
        input: &Input<'_>,
        options: &CsvOptions,
    ) -> Result<bool> {
        let required = load.reading.columns.iter().filter(|(_, required)| *required);
        let is_null = required.map(|(column, _)| format!("{} IS NULL", Ident(&column.name)));
        let marks: Vec<String> = (0..options.null_markers.len()).map(|at| format!("@null_{at}")).collect();
        let marks = marks.join(", ");
        let is_other = input.columns.iter().filter_map(|column| {
            let name = Ident(&column.name);
            Some(match column.data_type {
                Type::String => format!("STRPOS({name}, @mark) > 0 OR {name} IN ({marks})"),
                Type::Json => {
                    format!("STRPOS(TO_JSON_STRING({name}), @mark) > 0 OR JSON_TYPE({name}) = 'null'")
                }
                Type::Bytes => format!("TO_BASE64({name}) IN ({marks})"),
                _ => return None,
            })
        });
        let counted: Vec<String> = is_null.chain(is_other).map(|is| format!("COUNTIF({is})")).collect();
        if counted.is_empty() {
            return Ok(true);
        }
        let sql = format!("SELECT {} FROM {}", counted.join(", "), self.place.path(at));
        let mut given = vec![text("mark", REPLACEMENT)];
        let marks = options.null_markers.iter().enumerate();
        given.extend(marks.map(|(at, marker)| text(&format!("null_{at}"), marker)));
        let named = |parameter: &Value| {
            parameter["name"].as_str().is_some_and(|name| sql.contains(&format!("@{name}")))
        };
        given.retain(named);
        let answer = self.jobs.query(self.stop, self.labels, &sql, &given)?;
        let row = answer.rows.first().ok_or_else(|| ApiError::lacks("row of counts"))?;
        Ok(row.iter().all(|count| count.as_str() == Some("0") || count.as_i64() == Some(0)))
    }
}

/// Whether a file can be named in a load job: in an address `*` stands for any text, several slashes for one, and nothing
/// takes that away. What is compressed is read in one piece.
fn is_taken(file: &FileState) -> bool {
    let is_name =
        bucket_and_name(&file.path).is_some_and(|(_, name)| !name.contains('*') && !name.contains("//"));
    is_name && !(is_compressed(file) && file.bytes > MOST_IN_ONE_PIECE)
}

/// As its name says; that it says so is what makes it plain.
fn is_compressed(file: &FileState) -> bool {
    file.path.rsplit_once('.').is_some_and(|(_, extension)| extension.eq_ignore_ascii_case("gz"))
}

fn is_long(file: &FileState) -> bool {
    file.bytes > MOST_IN_ONE_PIECE
}

/// The files of each job: compressed ones apart from others, and long ones from those that may have line ends in quotes.
fn jobs_of(files: &[FileState]) -> Vec<Vec<&FileState>> {
    let mut jobs: Vec<Vec<&FileState>> = Vec::new();
    for kind in [(false, false), (false, true), (true, false)] {
        let mut addresses = 0;
        let mut of_kind: Vec<Vec<&FileState>> = Vec::new();
        for file in files.iter().filter(|file| (is_compressed(file), is_long(file)) == kind) {
            addresses += file.path.len();
            match of_kind.last_mut() {
                Some(job) if job.len() < MOST_FILES && addresses <= MOST_ADDRESSES => job.push(file),
                _ => {
                    addresses = file.path.len();
                    of_kind.push(vec![file]);
                }
            }
        }
        jobs.append(&mut of_kind);
    }
    jobs
}

/// The rows that a job read, of all the files that it was to read.
fn read(done: &Done, at: &Relation, files: &[&FileState]) -> Result<u64> {
    if let Some(read) = done.files().filter(|read| *read != files.len() as u64) {
        let message = format!("{at}: BigQuery read {read} files of {}", files.len());
        let lost = Diagnostic::error(Code::RowsLost, message);
        return Err(lost.help("nothing was published; plan again").into());
    }
    Ok(done.loaded().ok_or_else(|| ApiError::lacks("number of the rows that were loaded"))?)
}

/// A failure, with what to do where the files are in another place than the tables.
fn elsewhere(error: ApiError, files: &[&FileState]) -> WarehouseError {
    let is_elsewhere = error.message.contains("different locations");
    let buckets = files.first().and_then(|file| bucket_and_name(&file.path));
    let mut told = WarehouseError::from(error);
    if let (true, Some((bucket, _))) = (is_elsewhere, buckets) {
        told.diagnostic.help = Some(format!(
            "the bucket `{bucket}` must be in the location of the dataset: copy its files into a bucket there, or choose another \
             `location` for the target"
        ));
    }
    told
}

/// How files are written, in the words of load jobs.
fn as_written(options: &CsvOptions) -> Vec<(&'static str, Value)> {
    let mut settings = vec![
        ("sourceFormat", json!("CSV")),
        ("encoding", json!("UTF-8")),
        ("skipLeadingRows", json!(1)),
        ("sourceColumnMatch", json!("NAME")),
        ("fieldDelimiter", json!(options.delimiter)),
        ("quote", json!(options.quote)),
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

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, bytes: u64) -> FileState {
        FileState { path: path.to_owned(), bytes, modified: 0, hash: String::new() }
    }

    #[test]
    fn files_that_one_job_cannot_read_together_are_read_by_several() {
        let files = [
            file("gs://b/a.csv", 1),
            file("gs://b/b.csv.gz", 1),
            file("gs://b/c.csv", MOST_IN_ONE_PIECE + 1),
            file("gs://b/d.CSV", 1),
        ];
        let jobs = jobs_of(&files);
        let names: Vec<Vec<&str>> =
            jobs.iter().map(|job| job.iter().map(|file| &file.path["gs://b/".len()..]).collect()).collect();
        assert_eq!(names, [vec!["a.csv", "d.CSV"], vec!["c.csv"], vec!["b.csv.gz"]]);
        let many: Vec<FileState> = (0..10_001).map(|at| file(&format!("gs://b/{at}.csv"), 1)).collect();
        let sizes: Vec<usize> = jobs_of(&many).iter().map(Vec::len).collect();
        assert_eq!(sizes, [10_000, 1]);
        let name = "x".repeat(1_000);
        let long: Vec<FileState> = (0..6_000).map(|at| file(&format!("gs://b/{name}{at}.csv"), 1)).collect();
        assert_eq!(jobs_of(&long).len(), 2);
        assert_eq!(jobs_of(&long).iter().map(Vec::len).sum::<usize>(), 6_000);
    }

    #[test]
    fn names_that_mean_something_else_are_not_given_to_jobs() {
        for (path, bytes, taken) in [
            ("gs://b/a.csv", MOST_IN_ONE_PIECE + 1, true),
            ("gs://b/a.csv.gz", MOST_IN_ONE_PIECE + 1, false),
            ("gs://b/a.csv.gz", MOST_IN_ONE_PIECE, true),
            ("gs://b/a*.csv", 1, false),
            ("gs://b/in//a.csv", 1, false),
        ] {
            assert_eq!(is_taken(&file(path, bytes)), taken, "{path}");
        }
    }
}
