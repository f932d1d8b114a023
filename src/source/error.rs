//! What stops the reading of a source, as opposed to a single bad row.

use std::fmt::Write;
use std::io;

use crate::googlesql::Type;

/// A fault of a source as a whole. A row that does not parse is no error but a [`super::Reject`].
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// A pattern matched nothing.
    #[error("no file matches `{pattern}` in `{root}`")]
    NoFiles {
        /// The pattern as declared.
        pattern: String,
        /// The folder it is relative to.
        root: String,
    },
    /// A pattern is no valid glob.
    #[error("`{pattern}` is not a valid file pattern: {reason}")]
    BadPattern {
        /// The pattern as declared.
        pattern: String,
        /// What the glob parser says.
        reason: String,
    },
    /// A declared path is a folder.
    #[error("`{path}` is a folder, and a source reads files")]
    IsFolder {
        /// The path as declared.
        path: String,
    },
    /// A declared path is the address of something that is read neither here nor by the target.
    #[error("`{address}` is not on this machine, and only files on it are read")]
    Elsewhere {
        /// The address as declared.
        address: String,
    },
    /// A table is to be read from two places.
    #[error("`{here}` is on this machine and `{address}` is not: all files of a table are at one place")]
    TwoPlaces {
        /// A path as declared.
        here: String,
        /// An address as declared.
        address: String,
    },
    /// The operating system refused a read, or a compressed file is damaged.
    #[error("cannot read `{file}`: {source}")]
    Read {
        /// The file's name.
        file: String,
        /// The cause.
        source: io::Error,
    },
    /// A file was written to while its hash was computed.
    #[error("`{file}` changed while it was read")]
    Changed {
        /// The file's name.
        file: String,
    },
    /// The dialect is ambiguous.
    #[error("{reason}")]
    Format {
        /// A sentence without its full stop.
        reason: String,
    },
    /// No encoding has that label.
    #[error("`{label}` is not the name of a known text encoding")]
    UnknownEncoding {
        /// The label as declared.
        label: String,
    },
    /// No CSV value can be read into that type.
    #[error("column `{column}` is declared as {data_type}, which cannot be read from CSV")]
    UnsupportedType {
        /// The column.
        column: String,
        /// Its declared type.
        data_type: Type,
    },
    /// A column is declared twice; names are compared without case.
    #[error("column `{column}` is declared twice")]
    DuplicateDeclared {
        /// The second declaration.
        column: String,
    },
    /// The file has not a single record.
    #[error("`{file}` is empty: it has no header line")]
    NoHeader {
        /// The file's name.
        file: String,
    },
    /// The header record itself is damaged.
    #[error("the header of `{file}` (line {line}) cannot be read: {reason}")]
    BadHeader {
        /// The file's name.
        file: String,
        /// Physical line where the header starts, from 1.
        line: u64,
        /// What is wrong with it.
        reason: String,
    },
    /// A column of the header has no name.
    #[error("column {position} of `{file}` has no name in the header (line {line})")]
    UnnamedColumn {
        /// The file's name.
        file: String,
        /// Physical line where the header starts, from 1.
        line: u64,
        /// Which column, from 1.
        position: usize,
    },
    /// Two columns of the header have the same name, case apart.
    #[error(
        "the header of `{file}` (line {line}) names column `{column}` twice, at positions {first} and {second}"
    )]
    DuplicateColumn {
        /// The file's name.
        file: String,
        /// Physical line where the header starts, from 1.
        line: u64,
        /// The name where it stands the second time.
        column: String,
        /// First position, from 1.
        first: usize,
        /// Second position, from 1.
        second: usize,
    },
    /// Declared columns that the file lacks.
    #[error("`{file}` lacks {}; its header has {}", names("column", missing), names("", found))]
    MissingColumns {
        /// The file's name.
        file: String,
        /// The declared columns that are not in the header.
        missing: Vec<String>,
        /// The header.
        found: Vec<String>,
        /// Whether the contract lets columns be missing, but these are required.
        required: bool,
    },
    /// Columns of the file that are not declared.
    #[error("`{file}` has {} that {} not declared", names("column", columns), if columns.len() == 1 { "is" } else { "are" })]
    NewColumns {
        /// The file's name.
        file: String,
        /// The undeclared columns.
        columns: Vec<String>,
    },
    /// A column that would be added has a name that no table can have.
    #[error("column `{column}` of `{file}` cannot be added to the table: {reason}")]
    InvalidColumnName {
        /// The file's name.
        file: String,
        /// The column as the header names it.
        column: String,
        /// Which rule it breaks.
        reason: String,
    },
    /// A record grew past the limit without an end of line.
    #[error("the record of `{file}` at line {line} is longer than {limit} bytes")]
    RecordTooLong {
        /// The file's name.
        file: String,
        /// Physical line where the record starts, from 1.
        line: u64,
        /// The limit in bytes.
        limit: usize,
    },
}

impl SourceError {
    /// Why it is wrong and how to mend it, for the kinds where that is not plain.
    pub fn help(&self) -> Option<String> {
        let text = match self {
            Self::NoFiles { .. } => {
                "check the spelling and the folder; `*` matches within one folder, `**` across folders, \
                 and names that begin with a dot are matched only by a pattern that does"
            }
            Self::IsFolder { path } => {
                return Some(format!("name the files in it: `{}/*.csv`", path.trim_end_matches('/')));
            }
            Self::Elsewhere { address } if address.starts_with("gs://") => {
                return Some(format!(
                    "a target of the type `bigquery` reads such files (`gs://BUCKET/NAME`) where they are. For this one \
                     copy them, `gcloud storage cp \"{address}\" FOLDER`, and let a variable choose: \
                     `files: ${{ORDERS:-FOLDER}}/*.csv`"
                ));
            }
            Self::Elsewhere { .. } => "copy the files here or to Cloud Storage first, and name the copies",
            Self::TwoPlaces { .. } => "make two sources of them, and one model over both",
            Self::Changed { .. } => {
                "run again once the writer is done; let writers rename a finished file into place"
            }
            Self::UnknownEncoding { .. } => {
                "use a label of the WHATWG encoding standard, such as utf-8, utf-16le, windows-1252 or shift_jis"
            }
            Self::UnsupportedType { .. } => {
                "declare it as STRING and convert it in a model, or use one of STRING, INT64, FLOAT64, NUMERIC, \
                 BOOL, DATE, DATETIME, TIME, TIMESTAMP, BYTES, JSON"
            }
            Self::DuplicateDeclared { .. } => {
                "names are compared without regard to case: remove or rename one"
            }
            Self::NoHeader { .. } => {
                "columns are matched by the names in the first line, so even a file without rows needs that line"
            }
            Self::BadHeader { .. } => "check the declared delimiter, quote and encoding against the file",
            Self::UnnamedColumn { .. } => {
                "give it a name in the file; a trailing delimiter in the header also makes an unnamed column"
            }
            Self::DuplicateColumn { .. } => {
                "names are compared without regard to case, as in BigQuery: rename one of them in the file"
            }
            Self::MissingColumns { required: true, .. } => {
                "the columns are declared as required, so they cannot be filled with NULL: mend the file, or \
                 declare them without `required`"
            }
            Self::MissingColumns { .. } => {
                "mend the file or the declaration (check the delimiter too), or set `on_missing_column: add` \
                 to fill them with NULL"
            }
            Self::NewColumns { .. } => {
                "declare them, or set `on_new_column` to `add` (loaded as STRING) or `ignore`"
            }
            Self::InvalidColumnName { .. } => {
                "rename it in the file (letters, digits and underscores, no digit first), or set \
                 `on_new_column: ignore`"
            }
            Self::RecordTooLong { .. } => {
                "no line break was found: check that the file is text in the declared encoding"
            }
            Self::BadPattern { .. } | Self::Read { .. } | Self::Format { .. } => return None,
        };
        Some(text.to_owned())
    }
}

/// "column `a`", "columns `a`, `b`", "`a`, `b`", at most twenty of them.
fn names(noun: &str, names: &[String]) -> String {
    const SHOWN: usize = 20;
    let mut text = match (noun, names.len()) {
        ("", _) => String::new(),
        (_, 1) => format!("{noun} "),
        _ => format!("{noun}s "),
    };
    for (index, name) in names.iter().take(SHOWN).enumerate() {
        if index > 0 {
            text.push_str(", ");
        }
        text.push('`');
        text.push_str(name);
        text.push('`');
    }
    if names.len() > SHOWN {
        // Writing to a String cannot fail.
        let _ = write!(text, " and {} more", names.len() - SHOWN);
    }
    text
}
