//! Files by number: how places are written to a cache and read from one.
//!
//! Many places share few files, and a file's text is read anew. serde cannot hand a table down to the values inside
//! of a value, so the table belongs to the thread for as long as one value is written or read.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::SourceFile;

#[derive(Default)]
struct Table {
    files: Vec<Arc<SourceFile>>,
    /// The place in `files` by the file's place in memory.
    numbers: BTreeMap<usize, usize>,
}

thread_local! {
    static TABLE: RefCell<Table> = RefCell::default();
}

/// Writes something whose places become numbers: the result, and the files in the order of their numbers.
pub fn writing<T>(write: impl FnOnce() -> T) -> (T, Vec<Arc<SourceFile>>) {
    TABLE.take();
    let written = write();
    (written, TABLE.take().files)
}

/// Reads something whose places are numbers of these files.
pub fn reading<T>(files: Vec<Arc<SourceFile>>, read: impl FnOnce() -> T) -> T {
    TABLE.replace(Table { files, numbers: BTreeMap::new() });
    let read = read();
    TABLE.take();
    read
}

/// For `#[serde(with = "…")]` on a file.
pub mod file {
    use std::sync::Arc;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::{SourceFile, TABLE};

    /// Writes a file's number.
    pub fn serialize<S: Serializer>(file: &Arc<SourceFile>, serializer: S) -> Result<S::Ok, S::Error> {
        let number = TABLE.with_borrow_mut(|table| {
            let next = table.files.len();
            let number = *table.numbers.entry(Arc::as_ptr(file).addr()).or_insert(next);
            if number == next {
                table.files.push(Arc::clone(file));
            }
            number
        });
        number.serialize(serializer)
    }

    /// The file of a number.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Arc<SourceFile>, D::Error> {
        let number = usize::deserialize(deserializer)?;
        TABLE
            .with_borrow(|table| table.files.get(number).cloned())
            .ok_or_else(|| serde::de::Error::custom("a place in a file that is not there"))
    }
}

/// For `#[serde(with = "…")]` on a list of files.
pub mod files {
    use std::sync::Arc;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::{SourceFile, file};

    #[derive(Serialize, Deserialize)]
    struct One(#[serde(with = "file")] Arc<SourceFile>);

    /// Writes the files' numbers.
    pub fn serialize<S: Serializer>(files: &[Arc<SourceFile>], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(files.iter().map(|file| One(Arc::clone(file))))
    }

    /// The files of some numbers.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Arc<SourceFile>>, D::Error> {
        Ok(Vec::<One>::deserialize(deserializer)?.into_iter().map(|one| one.0).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diag::Span;

    #[test]
    fn places_come_back_with_the_files_given() {
        let files = [SourceFile::new("a", "aaaa"), SourceFile::new("b", "bbbb")];
        let spans = [Span::new(&files[1], 1..2), Span::new(&files[0], 0..4), Span::new(&files[1], 3..4)];
        let (bytes, table) = writing(|| postcard::to_stdvec(&spans).unwrap());
        assert_eq!(table, [Arc::clone(&files[1]), Arc::clone(&files[0])]);
        let read: [Span; 3] = reading(table.clone(), || postcard::from_bytes(&bytes).unwrap());
        assert_eq!(read, spans);
        let lost: Result<[Span; 3], _> = reading(table[..1].to_vec(), || postcard::from_bytes(&bytes));
        assert!(lost.is_err());
    }
}
