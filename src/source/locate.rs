//! Where rows of a table came from: found by reading the files again, so that loading need not remember it.

use std::collections::{BTreeMap, BTreeSet};

use super::batch::Batch;
use super::error::SourceError;
use super::files::InputFile;
use super::format::ReadSpec;
use super::reader::Reader;

/// Where a row stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file's name, see [`InputFile::name`].
    pub file: String,
    /// Physical line where its record starts, from 1.
    pub line: u64,
}

/// The places of rows by their numbers: from 0, in the order in which reading the files gives them, rejected records
/// not counted. Rows that the files do not have are left out, and all that were not reached before `stopped`.
///
/// # Errors
/// A file that cannot be read, or whose header does not fit.
pub fn locate(
    files: &[InputFile],
    spec: &ReadSpec,
    rows: &BTreeSet<u64>,
    stopped: &dyn Fn() -> bool,
) -> Result<BTreeMap<u64, Place>, SourceError> {
    let mut places = BTreeMap::new();
    let mut batch = Batch::default();
    let mut first = 0;
    for file in files {
        let mut reader = Reader::open(file, spec)?;
        loop {
            let Some(last) = rows.last().filter(|last| **last >= first) else { return Ok(places) };
            if stopped() || !reader.next_batch(&mut batch)? {
                break;
            }
            let end = first + batch.rows as u64;
            for row in rows.range(first..end.min(last + 1)) {
                let within = usize::try_from(row - first).unwrap_or(usize::MAX);
                if let Some(line) = batch.lines.get(within) {
                    places.insert(*row, Place { file: file.name.clone(), line: *line });
                }
            }
            first = end;
        }
    }
    Ok(places)
}
