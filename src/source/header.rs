//! Headers: names to columns. Position never decides, since a reordered file would load wrong data silently.

use std::collections::BTreeSet;

use indexmap::IndexMap;
use rayon::prelude::*;

use super::error::SourceError;
use super::files::InputFile;
use super::format::{ColumnSpec, MissingColumn, NewColumn, ReadSpec};
use super::input;
use super::record::{Record, Records};
use super::row;
use super::scan::QuoteFault;

/// Longest name of a BigQuery column, in characters.
const LONGEST_NAME: usize = 300;

/// Prefixes that BigQuery keeps for itself, in any case.
const RESERVED_PREFIXES: [&str; 9] = [
    "_TABLE_",
    "_FILE_",
    "_PARTITION",
    "_ROW_TIMESTAMP",
    "__ROOT__",
    "_COLIDENTIFIER",
    "_CHANGE_SEQUENCE_NUMBER",
    "_CHANGE_TYPE",
    "_CHANGE_TIMESTAMP",
];

/// A name as names are compared: without regard to case, like BigQuery's columns.
///
/// Source: <https://cloud.google.com/bigquery/docs/schemas#column_names>
pub(super) fn fold(name: &str) -> String {
    name.to_lowercase()
}

/// What the headers of files say.
#[derive(Debug)]
pub struct Survey {
    /// The columns of the table: those that were declared first, then, under [`NewColumn::Add`], the others as STRING in
    /// the order in which the files bring them.
    pub columns: Vec<ColumnSpec>,
    /// Whether each file has these columns and no others, in any order and spelled alike, has no byte order mark, and is
    /// compressed if its name says so and not otherwise.
    pub is_plain: bool,
}

/// Reads the header of every file, several files at a time.
///
/// # Errors
/// All faults of all files together, in the order of the files.
pub fn survey(files: &[InputFile], spec: &ReadSpec) -> Result<Survey, Vec<SourceError>> {
    spec.validate().map_err(|error| vec![error])?;
    let read = |file: &InputFile| {
        let input = input::open(file, spec.format.encoding)?;
        let is_plain = input.is_plain;
        Ok((Header::read(&mut Records::new(&file.name, input.bytes, spec), &file.name)?, is_plain))
    };
    let headers: Vec<Result<(Header, bool), SourceError>> = files.par_iter().map(read).collect();
    let mut planned = ReadSpec { columns: spec.columns.clone(), ..spec.clone() };
    let (mut faults, mut plain) = (Vec::new(), Vec::new());
    for header in headers {
        match header.and_then(|(header, is_plain)| {
            header.sources(spec)?;
            Ok((header.additions(&planned)?, (header, is_plain)))
        }) {
            Ok((additions, header)) => {
                planned.columns.extend(additions);
                plain.push(header);
            }
            Err(fault) => faults.push(fault),
        }
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    let is_plain = plain.iter().all(|(header, is_plain)| *is_plain && header.is_of(&planned.columns));
    Ok(Survey { columns: planned.columns, is_plain })
}

/// The columns of the table, as [`survey`] finds them.
///
/// # Errors
/// As [`survey`].
pub fn plan_columns(files: &[InputFile], spec: &ReadSpec) -> Result<Vec<ColumnSpec>, Vec<SourceError>> {
    survey(files, spec).map(|survey| survey.columns)
}

/// The header of one file.
#[derive(Debug)]
pub(super) struct Header {
    file: String,
    line: u64,
    /// The names, blanks around them taken away.
    pub(super) names: Vec<String>,
    /// Whether there were no such blanks.
    is_tight: bool,
}

impl Header {
    /// Takes the first record as the header.
    pub(super) fn read(records: &mut Records, file: &str) -> Result<Self, SourceError> {
        let Some(record) = records.next()? else {
            return Err(SourceError::NoHeader { file: file.to_owned() });
        };
        let line = record.line;
        let mut names = names(&record).map_err(|reason| SourceError::BadHeader {
            file: file.to_owned(),
            line,
            reason,
        })?;
        let is_tight = names.iter().all(|name| name.trim() == name);
        for name in &mut names {
            *name = name.trim().to_owned();
        }
        let header = Self { file: file.to_owned(), line, names, is_tight };
        header.check_names()?;
        Ok(header)
    }

    fn check_names(&self) -> Result<(), SourceError> {
        let mut seen = IndexMap::new();
        for (index, name) in self.names.iter().enumerate() {
            let (file, position) = (self.file.clone(), index + 1);
            if name.is_empty() {
                return Err(SourceError::UnnamedColumn { file, line: self.line, position });
            }
            if let Some(first) = seen.insert(fold(name), position) {
                let column = name.clone();
                return Err(SourceError::DuplicateColumn {
                    file,
                    line: self.line,
                    column,
                    first,
                    second: position,
                });
            }
        }
        Ok(())
    }

    /// Whether it has these columns and no others, spelled alike.
    fn is_of(&self, columns: &[ColumnSpec]) -> bool {
        let names: BTreeSet<&str> = columns.iter().map(|column| column.name.as_str()).collect();
        self.is_tight
            && self.names.len() == names.len()
            && self.names.iter().all(|name| names.contains(name.as_str()))
    }

    /// For each column of the table its field in a record; `None` where the file has no such column.
    pub(super) fn sources(&self, spec: &ReadSpec) -> Result<Vec<Option<usize>>, SourceError> {
        let positions: IndexMap<String, usize> =
            self.names.iter().enumerate().map(|(index, name)| (fold(name), index)).collect();
        let sources: Vec<_> =
            spec.columns.iter().map(|column| positions.get(&fold(&column.name)).copied()).collect();
        let missing: Vec<_> = spec
            .columns
            .iter()
            .zip(&sources)
            .filter(|(column, source)| column.declared && source.is_none())
            .map(|(column, _)| column)
            .collect();
        let refused: Vec<_> = match spec.contract.on_missing_column {
            MissingColumn::Fail => missing,
            MissingColumn::Add => missing.into_iter().filter(|column| column.required).collect(),
        };
        if !refused.is_empty() {
            return Err(SourceError::MissingColumns {
                file: self.file.clone(),
                missing: refused.iter().map(|column| column.name.clone()).collect(),
                found: self.names.clone(),
                required: spec.contract.on_missing_column == MissingColumn::Add,
            });
        }
        Ok(sources)
    }

    /// The columns of the file that the table lacks, as far as the contract adds them.
    pub(super) fn additions(&self, spec: &ReadSpec) -> Result<Vec<ColumnSpec>, SourceError> {
        let known: Vec<String> = spec.columns.iter().map(|column| fold(&column.name)).collect();
        let new: Vec<_> = self.names.iter().filter(|name| !known.contains(&fold(name))).cloned().collect();
        match spec.contract.on_new_column {
            _ if new.is_empty() => Ok(Vec::new()),
            NewColumn::Ignore => Ok(Vec::new()),
            NewColumn::Fail => Err(SourceError::NewColumns { file: self.file.clone(), columns: new }),
            NewColumn::Add => new.into_iter().map(|name| self.addition(name)).collect(),
        }
    }

    fn addition(&self, name: String) -> Result<ColumnSpec, SourceError> {
        match check_column_name(&name) {
            Ok(()) => Ok(ColumnSpec::found(name)),
            Err(reason) => {
                Err(SourceError::InvalidColumnName { file: self.file.clone(), column: name, reason })
            }
        }
    }
}

fn names(record: &Record<'_>) -> Result<Vec<String>, String> {
    if let Some(fault) = record.fault {
        let what = match fault.kind {
            QuoteFault::Unclosed => "a quote is opened and not closed",
            _ if record.cut => "a quote is opened and not closed on this line",
            QuoteFault::TextAfterQuote => "text follows a closing quote",
            QuoteFault::InsideUnquoted => "a quote stands inside an unquoted name",
        };
        return Err(format!("{what} in name {}", fault.field + 1));
    }
    let Ok(text) = std::str::from_utf8(record.bytes) else {
        return Err("it has bytes that are not text in the declared encoding".to_owned());
    };
    if text.contains('\0') {
        return Err("it contains NUL characters, as UTF-16 read in another encoding does".to_owned());
    }
    let mut name = String::new();
    Ok(record
        .fields
        .iter()
        .map(|field| {
            let content = text.get(field.start..field.end).unwrap_or_default();
            row::unescape(content, field.doubled.then_some(record.quote), &mut name).to_owned()
        })
        .collect())
}

/// Refuses a name that no BigQuery table can have without its "flexible column names".
///
/// Source: <https://cloud.google.com/bigquery/docs/schemas#column_names>
pub fn check_column_name(name: &str) -> Result<(), String> {
    let mut characters = name.chars();
    let first = characters.next().is_some_and(|first| first.is_ascii_alphabetic() || first == '_');
    if !first || !characters.all(|other| other.is_ascii_alphanumeric() || other == '_') {
        return Err("a name has letters (a-z), digits and underscores only, and no digit first".to_owned());
    }
    if name.len() > LONGEST_NAME {
        return Err(format!("a name has at most {LONGEST_NAME} characters"));
    }
    let upper = name.to_ascii_uppercase();
    match RESERVED_PREFIXES.iter().find(|prefix| upper.starts_with(**prefix)) {
        Some(prefix) => Err(format!("BigQuery keeps names that begin with `{prefix}` for itself")),
        None => Ok(()),
    }
}
