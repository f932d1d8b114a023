//! Files of a source, read batch by batch, every row counted on both sides; where they go is the engine's.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::{Loaded, Progress, Result, Wanted, WarehouseError};
use crate::diag::{Code, Diagnostic};
use crate::expectations::HIDDEN;
use crate::googlesql::Column;
use crate::manifest::types::{Format, MissingColumn, NewColumn};
use crate::plan::{LoadAction, Reading};
use crate::report::FileRows;
use crate::source::{
    self, Accounting, Batch, ColumnSpec, Content, FileSet, FileStamp, InputFile, Place, ReadSpec, Reader,
    Reject, SourceError,
};
use crate::state::FileState;

/// Where rows go.
pub(super) trait Sink {
    /// Takes the good rows of a batch.
    fn rows(&mut self, batch: &Batch) -> Result<()>;
    /// Takes records that were refused; never none.
    fn rejects(&mut self, rejects: &[Reject]) -> Result<()>;
}

/// Files as they were planned, their headers read.
pub(super) struct Input<'a> {
    load: &'a LoadAction,
    files: Vec<InputFile>,
    spec: ReadSpec,
    /// The columns with those that the files add.
    pub(super) columns: Vec<Column>,
    /// Whether the files have these columns and are plain, see [`source::Survey`].
    pub(super) is_plain: bool,
}

impl<'a> Input<'a> {
    /// Opens the files of a step.
    ///
    /// # Errors
    /// Files that changed since they were planned, or whose headers do not fit.
    pub(super) fn open(load: &'a LoadAction, root: &Path) -> Result<Self> {
        let reading = &load.reading;
        let files = input_files(reading, root);
        if let Some(changed) = changed_since(reading, &files)? {
            return Err(changed_file(&changed));
        }
        Self::of(load, files)
    }

    /// The files of a step from wherever they are: known to be as they were planned.
    ///
    /// # Errors
    /// Files whose headers do not fit.
    pub(super) fn of(load: &'a LoadAction, files: Vec<InputFile>) -> Result<Self> {
        let mut spec = read_spec(&load.reading).map_err(source_fault)?;
        let survey = source::survey(&files, &spec).map_err(header_faults)?;
        spec.columns = survey.columns;
        let columns = spec.columns.iter();
        let columns = columns.map(|column| Column::new(&column.name, column.data_type.clone())).collect();
        Ok(Self { load, files, spec, columns, is_plain: survey.is_plain })
    }

    /// Whether they are text in UTF-8, if they are as they were declared.
    pub(super) fn is_utf8(&self) -> bool {
        self.spec.format.encoding == encoding_rs::UTF_8
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.files.len()
    }

    /// Reads all of them, one after the other.
    ///
    /// # Errors
    /// More rows that cannot be loaded than may be, what the sink says, or that it was stopped.
    pub(super) fn read(self, sink: &mut dyn Sink, progress: Progress<'_>) -> Result<Loaded> {
        let mut before = Accounting::default();
        let mut counted = Vec::with_capacity(self.files.len());
        for at in 0..self.files.len() {
            let one = self.read_one(at, sink, &mut |rows, bytes| {
                progress(before.rows_read + rows, before.bytes + bytes)
            })?;
            before += one.landed;
            counted.push(one);
        }
        self.judge(counted)
    }

    /// Reads one of them, by its place. Whoever reads several at a time has all of them judged in the end.
    ///
    /// # Errors
    /// What the sink says, or that it was stopped.
    pub(super) fn read_one(&self, at: usize, sink: &mut dyn Sink, progress: Progress<'_>) -> Result<Counted> {
        let file = &self.files[at];
        let mut reader = Reader::open(file, &self.spec).map_err(source_fault)?;
        let (mut batch, mut refused) = (Batch::default(), Vec::new());
        let (mut written, mut rejected) = (0u64, 0u64);
        while reader.next_batch(&mut batch).map_err(source_fault)? {
            sink.rows(&batch)?;
            written += batch.rows as u64;
            rejected += batch.rejects.len() as u64;
            if !batch.rejects.is_empty() {
                sink.rejects(&batch.rejects)?;
                let room = SHOWN.saturating_sub(refused.len());
                refused.extend(batch.rejects.iter().take(room).cloned());
            }
            let now = reader.accounting();
            if progress(now.rows_read, now.bytes).is_break() {
                return Err(stopped());
            }
        }
        let read = reader.accounting();
        let landed = Accounting { rows_good: written, rows_rejected: rejected, ..read };
        if !read.is_balanced() || !landed.is_balanced() {
            return Err(lost(&file.name, landed));
        }
        let rows = FileRows { file: file.name.clone(), read: read.rows_read, written, rejected };
        Ok(Counted { rows, landed, refused })
    }

    /// What came of all of them, in their order.
    ///
    /// # Errors
    /// More rows that cannot be loaded than may be.
    pub(super) fn judge(self, counted: Vec<Counted>) -> Result<Loaded> {
        let mut total = Accounting::default();
        let (mut refused, mut files) = (Vec::new(), Vec::with_capacity(counted.len()));
        for one in counted {
            total += one.landed;
            files.push(one.rows);
            refused.extend(one.refused);
        }
        refused.truncate(SHOWN);
        let allowed = self.load.max_rejects.allowed(total.rows_read);
        if total.rows_rejected > allowed {
            return Err(too_many(&refused, total, allowed, &personal_of(self.load)));
        }
        let (rows, rejected) = (total.rows_good, total.rows_rejected);
        Ok(Loaded { rows, rejected, columns: self.columns, files })
    }
}

/// What became of the rows of one file.
pub(super) struct Counted {
    rows: FileRows,
    /// Rows and bytes, counted where they arrived.
    pub(super) landed: Accounting,
    /// The first that were refused.
    refused: Vec<Reject>,
}

/// How many refused rows are told of.
const SHOWN: usize = 5;

/// That somebody has stopped it.
pub(super) fn stopped() -> WarehouseError {
    Diagnostic::error(Code::Interrupted, "loading was stopped").into()
}

/// Where rows of a table that was loaded stand in its files; nothing of files that are not on this machine.
pub(super) fn locate(reading: &Reading, root: &Path, wanted: &Wanted<'_>) -> Result<BTreeMap<u64, Place>> {
    if reading.is_elsewhere() {
        return Ok(BTreeMap::new());
    }
    let files = input_files(reading, root);
    if changed_since(reading, &files)?.is_some() {
        return Ok(BTreeMap::new());
    }
    let mut spec = read_spec(reading).map_err(source_fault)?;
    spec.columns = source::plan_columns(&files, &spec).map_err(header_faults)?;
    source::locate(&files, &spec, wanted.rows, wanted.stopped).map_err(source_fault)
}

fn input_files(reading: &Reading, root: &Path) -> Vec<InputFile> {
    let input = |file: &FileState| InputFile {
        name: file.path.clone(),
        content: Content::Here(root.join(&file.path)),
    };
    reading.files.iter().map(input).collect()
}

fn read_spec(load: &Reading) -> std::result::Result<ReadSpec, SourceError> {
    let columns = load
        .columns
        .iter()
        .map(|(column, required)| {
            let spec = ColumnSpec::new(&column.name, column.data_type.clone());
            if *required { spec.required() } else { spec }
        })
        .collect();
    let mut spec = ReadSpec::new(columns);
    let Format::Csv(options) = &load.format;
    spec.format = spec.format.with_encoding_label(&options.encoding)?;
    if let Some(delimiter) = options.delimiter.bytes().next() {
        spec.format.delimiter = delimiter;
    }
    spec.format.quote = options.quote.bytes().next();
    spec.format.null_markers.clone_from(&options.null_markers);
    spec.contract.on_new_column = match load.on_new_column {
        NewColumn::Add => source::NewColumn::Add,
        NewColumn::Ignore => source::NewColumn::Ignore,
        NewColumn::Fail => source::NewColumn::Fail,
    };
    spec.contract.on_missing_column = match load.on_missing_column {
        MissingColumn::Add => source::MissingColumn::Add,
        MissingColumn::Fail => source::MissingColumn::Fail,
    };
    Ok(spec)
}

/// The first file that is not what it was when the plan was made: such a file is not what was planned.
fn changed_since(reading: &Reading, files: &[InputFile]) -> Result<Option<String>> {
    let known = FileSet {
        files: reading
            .files
            .iter()
            .map(|file| FileStamp {
                name: file.path.clone(),
                bytes: file.bytes,
                modified: file.modified,
                blake3: file.hash.clone(),
            })
            .collect(),
    };
    // Only a file that was touched is hashed again.
    let found = source::fingerprint_files(files, &known).map_err(source_fault)?;
    let mut pairs = reading.files.iter().zip(&found.files);
    Ok(pairs.find(|(planned, found)| found.blake3 != planned.hash).map(|(planned, _)| planned.path.clone()))
}

/// That a target reads files on this machine only.
pub fn not_read(addresses: &[String]) -> WarehouseError {
    source_fault(SourceError::Elsewhere { address: addresses.first().cloned().unwrap_or_default() })
}

/// A file that is not what was planned.
pub(super) fn changed_file(name: &str) -> WarehouseError {
    Diagnostic::error(Code::StalePlan, format!("{name} changed since the plan was made"))
        .help("plan again")
        .into()
}

/// What is wrong with files or with how they are declared.
#[expect(clippy::needless_pass_by_value, reason = "for `map_err`")]
pub fn source_fault(error: SourceError) -> WarehouseError {
    // What a target said when it was asked for a file.
    if let SourceError::Read { file, source } = &error
        && let Some(said) = source.get_ref().and_then(|source| source.downcast_ref::<WarehouseError>())
    {
        let mut said = said.clone();
        said.diagnostic.message = format!("cannot read `{file}`: {}", said.diagnostic.message);
        return said;
    }
    let code = match &error {
        SourceError::NoFiles { .. }
        | SourceError::BadPattern { .. }
        | SourceError::IsFolder { .. }
        | SourceError::Elsewhere { .. }
        | SourceError::TwoPlaces { .. } => Code::NoSourceFile,
        SourceError::Read { .. } | SourceError::Changed { .. } => Code::UnreadableFile,
        SourceError::RecordTooLong { .. } => Code::BadRow,
        _ => Code::HeaderMismatch,
    };
    Diagnostic::error(code, error.to_string()).maybe_help(error.help()).into()
}

fn header_faults(errors: Vec<SourceError>) -> WarehouseError {
    let mut errors = errors.into_iter();
    let Some(first) = errors.next() else {
        return Diagnostic::error(Code::HeaderMismatch, "the files' headers do not fit together").into();
    };
    let mut fault = source_fault(first);
    for error in errors {
        fault.diagnostic.message = format!("{}; {error}", fault.diagnostic.message);
    }
    fault
}

fn lost(what: &str, counted: Accounting) -> WarehouseError {
    let Accounting { rows_read, rows_good, rows_rejected, .. } = counted;
    let message =
        format!("{what}: {rows_read} rows were read, {rows_good} written and {rows_rejected} rejected");
    Diagnostic::error(Code::RowsLost, message)
        .help("nothing was published; this is a fault of Pipewright, please report it")
        .into()
}

/// The personal columns that a load declares.
pub(super) fn personal_of(load: &LoadAction) -> BTreeSet<String> {
    let names = load.reading.columns.iter().map(|(column, _)| column.name.to_lowercase());
    names.filter(|name| load.publish.audit.personal.contains(name)).collect()
}

/// The rejects table has the values as the files have them; messages go to logs and to people who may not see them all.
fn too_many(
    refused: &[Reject],
    total: Accounting,
    allowed: u64,
    personal: &BTreeSet<String>,
) -> WarehouseError {
    let mut message = format!(
        "{} of {} rows cannot be loaded, {allowed} may be rejected",
        total.rows_rejected, total.rows_read
    );
    for reject in refused {
        let column = reject.column.as_ref().map(|column| format!(", column `{column}`")).unwrap_or_default();
        let is_personal = |column: &String| personal.contains(&column.to_lowercase());
        let hidden = reject.torn && !personal.is_empty() || reject.column.as_ref().is_some_and(is_personal);
        let shown = |value: &String| if hidden { HIDDEN.to_owned() } else { value.clone() };
        let value = reject.value.as_ref().map(|value| format!(" `{}`", shown(value))).unwrap_or_default();
        message.push_str(&format!("\n{}:{}{column}:{value} {}", reject.file, reject.line, reject.reason));
    }
    let code = if allowed == 0 { Code::BadRow } else { Code::TooManyRejects };
    Diagnostic::error(code, message)
        .help("mend the file, declare another type, or allow some rows to go into the rejects table with `max_rejects`")
        .into()
}
