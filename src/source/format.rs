//! How a source is declared: dialect, columns, contract.

use encoding_rs::Encoding;

use super::error::SourceError;
use super::header;
use crate::googlesql::Type;

/// Rows of one batch unless told otherwise: eight of DuckDB's vectors of 2,048.
pub const DEFAULT_BATCH_ROWS: usize = 8 * 2048;

/// A record of more bytes than this is an error: BigQuery's limit for a CSV row and for a cell.
///
/// Source: <https://cloud.google.com/bigquery/quotas#load_jobs>
pub const DEFAULT_RECORD_LIMIT: usize = 100 * 1024 * 1024;

/// The dialect of a CSV file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CsvFormat {
    /// The byte between fields: ASCII, neither a letter, a digit nor a line break.
    pub delimiter: u8,
    /// The byte around fields that contain delimiters, quotes (doubled) or line breaks; `None` when a quote
    /// is a character like any other.
    pub quote: Option<u8>,
    /// How bytes become characters. A byte order mark in the file wins over this.
    pub encoding: &'static Encoding,
    /// Fields that mean NULL, compared after quotes are taken away, in columns of every type. An empty field,
    /// quoted or not, is NULL only when `""` is among them; if it is not, an empty field is an empty STRING
    /// or BYTES and a fault in a column of another type, as in BigQuery's `nullMarkers`.
    ///
    /// Source: <https://cloud.google.com/bigquery/docs/reference/rest/v2/Job#JobConfigurationLoad>
    pub null_markers: Vec<String>,
}

impl Default for CsvFormat {
    fn default() -> Self {
        Self {
            delimiter: b',',
            quote: Some(b'"'),
            encoding: encoding_rs::UTF_8,
            null_markers: vec![String::new()],
        }
    }
}

impl CsvFormat {
    /// Sets the encoding by one of the labels of the WHATWG standard (`utf-8`, `utf-16le`, `latin1`,
    /// `windows-1252`, `shift_jis`); `latin1` and `iso-8859-1` mean windows-1252 there.
    ///
    /// Source: <https://encoding.spec.whatwg.org/#names-and-labels>
    pub fn with_encoding_label(mut self, label: &str) -> Result<Self, SourceError> {
        self.encoding = Encoding::for_label_no_replacement(label.as_bytes())
            .ok_or_else(|| SourceError::UnknownEncoding { label: label.to_owned() })?;
        Ok(self)
    }

    /// Refuses a dialect that cannot be read unambiguously.
    pub fn validate(&self) -> Result<(), SourceError> {
        check_separator("delimiter", self.delimiter)?;
        if let Some(quote) = self.quote {
            check_separator("quote", quote)?;
            if quote == self.delimiter {
                return Err(SourceError::Format {
                    reason: "the delimiter and the quote are the same character".to_owned(),
                });
            }
        }
        Ok(())
    }
}

/// Letters and digits are refused because undecodable bytes are carried as hexadecimal digits.
fn check_separator(role: &str, byte: u8) -> Result<(), SourceError> {
    let reason = if !byte.is_ascii() {
        "is not an ASCII character"
    } else if byte.is_ascii_alphanumeric() {
        "is a letter or a digit, which values contain"
    } else if matches!(byte, b'\r' | b'\n' | 0) {
        "is a line break or NUL, which end a record or mean a wrong encoding"
    } else {
        return Ok(());
    };
    Err(SourceError::Format { reason: format!("the {role} `{}` {reason}", byte.escape_ascii()) })
}

/// A column of the table that is loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnSpec {
    /// Its name; matched with the header without regard to case, as BigQuery compares names.
    pub name: String,
    /// Its type: STRING, INT64, FLOAT64, NUMERIC, BOOL, DATE, DATETIME, TIME, TIMESTAMP, BYTES or JSON.
    pub data_type: Type,
    /// Whether NULL is refused, row by row.
    pub required: bool,
    /// Whether the user declared it. A column that only came with some file may be missing from another
    /// one without any breach of the contract.
    pub declared: bool,
}

impl ColumnSpec {
    /// A declared column that may hold NULL.
    pub fn new(name: impl Into<String>, data_type: Type) -> Self {
        Self { name: name.into(), data_type, required: false, declared: true }
    }

    /// The same column, refusing NULL.
    #[must_use]
    pub fn required(mut self) -> Self {
        self.required = true;
        self
    }

    /// A STRING column that was found in a file's header and not declared.
    pub fn found(name: impl Into<String>) -> Self {
        Self { declared: false, ..Self::new(name, Type::String) }
    }
}

/// What happens to a column of a file that is not declared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum NewColumn {
    /// It is loaded as STRING, after the declared columns.
    Add,
    /// It is not loaded.
    Ignore,
    /// The file is refused.
    #[default]
    Fail,
}

/// What happens when a declared column is missing from a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MissingColumn {
    /// It is NULL in every row; refused when the column is required.
    Add,
    /// The file is refused.
    #[default]
    Fail,
}

/// What a file's header may differ in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Contract {
    /// Columns in the file that are not declared.
    pub on_new_column: NewColumn,
    /// Declared columns that are not in the file.
    pub on_missing_column: MissingColumn,
}

/// Everything that reading a file depends on, besides the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadSpec {
    /// The dialect.
    pub format: CsvFormat,
    /// The table's columns in order: for [`super::plan_columns`] the declared ones, for [`super::Reader`]
    /// what it returned.
    pub columns: Vec<ColumnSpec>,
    /// What a header may differ in.
    pub contract: Contract,
    /// Rows of one batch at most.
    pub batch_rows: usize,
    /// Bytes of one record at most, after decompression and as UTF-8.
    pub record_limit: usize,
}

impl ReadSpec {
    /// The default dialect and contract for columns.
    pub fn new(columns: Vec<ColumnSpec>) -> Self {
        Self {
            format: CsvFormat::default(),
            columns,
            contract: Contract::default(),
            batch_rows: DEFAULT_BATCH_ROWS,
            record_limit: DEFAULT_RECORD_LIMIT,
        }
    }

    /// Refuses a declaration that no file can satisfy: dialect, types, names given twice.
    pub fn validate(&self) -> Result<(), SourceError> {
        self.format.validate()?;
        let mut seen = std::collections::BTreeSet::new();
        for column in &self.columns {
            if !is_supported(&column.data_type) {
                return Err(SourceError::UnsupportedType {
                    column: column.name.clone(),
                    data_type: column.data_type.clone(),
                });
            }
            if !seen.insert(header::fold(&column.name)) {
                return Err(SourceError::DuplicateDeclared { column: column.name.clone() });
            }
        }
        Ok(())
    }
}

/// The types that a CSV value can be read into.
pub fn is_supported(data_type: &Type) -> bool {
    matches!(
        data_type,
        Type::String
            | Type::Int64
            | Type::Float64
            | Type::Numeric
            | Type::Bool
            | Type::Date
            | Type::Datetime
            | Type::Time
            | Type::Timestamp
            | Type::Bytes
            | Type::Json
    )
}
