//! The reader of one file: batches, rejects, and the count of both.

use std::io::Read;

use encoding_rs::UTF_8;
use serde::{Deserialize, Serialize};

use super::batch::Batch;
use super::error::SourceError;
use super::files::InputFile;
use super::format::{ColumnSpec, NewColumn, ReadSpec};
use super::header::Header;
use super::input::{self, Input};
use super::record::Records;
use super::row::{Refusal, RowReader};

/// A batch ends early once its records have this many bytes, so that wide rows do not make it huge.
const BATCH_BYTES: usize = 32 * 1024 * 1024;

/// A batch ends early once it has this many rejects: a file of nothing else does not fill the memory.
const BATCH_REJECTS: usize = 4096;

/// A record that is not a row of the table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reject {
    /// The file's name, see [`InputFile::name`].
    pub file: String,
    /// Physical line where the record starts, from 1; the header is on line 1 as a rule.
    pub line: u64,
    /// Number of the record in its file, from 1, the header and empty lines not counted.
    pub row: u64,
    /// The column at fault; `None` when it is the record as a whole.
    pub column: Option<String>,
    /// The value at fault, its first 200 characters.
    pub value: Option<String>,
    /// What is wrong, a sentence without its full stop.
    pub reason: String,
    /// Whether the borders of the record's fields are in doubt: the value may then hold what belongs to other columns.
    pub torn: bool,
    /// The whole text of the record without its line end; bytes that cannot be decoded stand as `\xHH`.
    pub record: String,
}

/// What became of a file's records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Accounting {
    /// Records taken from the file, the header and empty lines not counted.
    pub rows_read: u64,
    /// Rows put into batches.
    pub rows_good: u64,
    /// Records put into rejects.
    pub rows_rejected: u64,
    /// Bytes taken from the file after decompression, as UTF-8, line ends included.
    pub bytes: u64,
}

impl Accounting {
    /// Whether every record is accounted for. The three numbers are counted apart.
    pub fn is_balanced(&self) -> bool {
        self.rows_read == self.rows_good + self.rows_rejected
    }
}

impl std::ops::AddAssign for Accounting {
    fn add_assign(&mut self, other: Self) {
        self.rows_read += other.rows_read;
        self.rows_good += other.rows_good;
        self.rows_rejected += other.rows_rejected;
        self.bytes += other.bytes;
    }
}

/// Reads one file. It can be sent to another thread, so several files are read at once by several readers.
pub struct Reader {
    file: String,
    records: Records,
    rows: RowReader,
    batch_rows: usize,
    accounting: Accounting,
}

impl Reader {
    /// Opens a file and reads its header. The columns of `spec` should come from [`super::plan_columns`].
    pub fn open(file: &InputFile, spec: &ReadSpec) -> Result<Self, SourceError> {
        spec.validate()?;
        Self::start(&file.name, input::open(file, spec.format.encoding)?, spec)
    }

    /// Reads from any stream of bytes under a name, as [`Reader::open`] does from a file.
    pub fn from_stream(
        name: &str,
        bytes: impl Read + Send + 'static,
        spec: &ReadSpec,
    ) -> Result<Self, SourceError> {
        spec.validate()?;
        let named_gzip = name.to_ascii_lowercase().ends_with(".gz");
        let input = input::prepare(Box::new(bytes), named_gzip, spec.format.encoding)
            .map_err(|source| SourceError::Read { file: name.to_owned(), source })?;
        Self::start(name, input, spec)
    }

    fn start(name: &str, input: Input, spec: &ReadSpec) -> Result<Self, SourceError> {
        let mut records = Records::new(name, input.bytes, spec);
        let header = Header::read(&mut records, name)?;
        let sources = header.sources(spec)?;
        // The table's columns are fixed by now: a column that should have been added and was not planned came
        // after the plan was made.
        let unplanned = header.additions(spec)?;
        if spec.contract.on_new_column == NewColumn::Add && !unplanned.is_empty() {
            let columns = unplanned.into_iter().map(|column| column.name).collect();
            return Err(SourceError::NewColumns { file: name.to_owned(), columns });
        }
        let rows = RowReader::new(spec, header, sources, input.encoding != UTF_8);
        Ok(Self {
            file: name.to_owned(),
            records,
            rows,
            batch_rows: spec.batch_rows.max(1),
            accounting: Accounting::default(),
        })
    }

    /// The columns that batches have, in order.
    pub fn columns(&self) -> &[ColumnSpec] {
        self.rows.columns()
    }

    /// What became of the records so far.
    pub fn accounting(&self) -> Accounting {
        Accounting { bytes: self.records.consumed(), ..self.accounting }
    }

    /// Refills a batch, keeping its allocations. False at the end of the file, with an empty batch.
    ///
    /// A batch may hold rejects and no rows, and fewer rows than the spec allows when they are long.
    pub fn next_batch(&mut self, batch: &mut Batch) -> Result<bool, SourceError> {
        batch.reset(self.rows.columns());
        let mut bytes = 0;
        while batch.rows < self.batch_rows && bytes < BATCH_BYTES && batch.rejects.len() < BATCH_REJECTS {
            let Some(record) = self.records.next()? else { break };
            self.accounting.rows_read += 1;
            bytes += record.bytes.len();
            match self.rows.push(&record, &mut batch.columns) {
                Ok(()) => {
                    batch.rows += 1;
                    batch.lines.push(record.line);
                    self.accounting.rows_good += 1;
                }
                Err(Refusal { column, value, reason, torn }) => {
                    batch.roll_back();
                    batch.rejects.push(Reject {
                        file: self.file.clone(),
                        line: record.line,
                        row: self.accounting.rows_read,
                        column,
                        value,
                        reason,
                        torn,
                        record: self.rows.text(record.bytes),
                    });
                    self.accounting.rows_rejected += 1;
                }
            }
        }
        Ok(batch.rows > 0 || !batch.rejects.is_empty())
    }
}

impl std::fmt::Debug for Reader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reader")
            .field("file", &self.file)
            .field("accounting", &self.accounting())
            .finish_non_exhaustive()
    }
}
