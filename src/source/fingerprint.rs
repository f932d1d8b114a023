//! Content hashes of files, so that an unchanged file is not loaded twice.

use std::io::Read;
use std::time::UNIX_EPOCH;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::error::SourceError;
use super::files::{Content, InputFile};

/// What a file held when it was hashed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileStamp {
    /// The file's name, see [`InputFile::name`].
    pub name: String,
    /// Its size in bytes as stored (compressed, if it is).
    pub bytes: u64,
    /// When it was last modified, in nanoseconds since 1970 in UTC; 0 where the system cannot tell.
    pub modified: i64,
    /// BLAKE3 of the stored bytes, as 64 hexadecimal digits.
    pub blake3: String,
}

/// The files of a source with their hashes, in the order of reading.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct FileSet {
    /// One stamp for each file.
    pub files: Vec<FileStamp>,
}

impl FileSet {
    /// The stamp of a file.
    pub fn get(&self, name: &str) -> Option<&FileStamp> {
        self.files.iter().find(|stamp| stamp.name == name)
    }

    /// A hash over all names and contents; times of modification do not enter it.
    pub fn digest(&self) -> String {
        let mut hasher = blake3::Hasher::new();
        for stamp in &self.files {
            // Lengths first, so that no two lists of names and hashes run together into the same bytes.
            hasher.update(&(stamp.name.len() as u64).to_le_bytes());
            hasher.update(stamp.name.as_bytes());
            hasher.update(stamp.blake3.as_bytes());
        }
        hasher.finalize().to_hex().to_string()
    }
}

/// Hashes files; a hash in `known` is used again when name, size and time of modification are the same.
///
/// The time is as fine as the file system keeps it (nanoseconds on the usual ones): a file rewritten with the
/// same size within one tick after it was hashed passes as unchanged. Give an empty `known` to hash all.
pub fn fingerprint_files(files: &[InputFile], known: &FileSet) -> Result<FileSet, SourceError> {
    let stamps: Result<Vec<_>, _> = files.par_iter().map(|file| stamp(file, known.get(&file.name))).collect();
    Ok(FileSet { files: stamps? })
}

fn stamp(file: &InputFile, known: Option<&FileStamp>) -> Result<FileStamp, SourceError> {
    let fail = |source| SourceError::Read { file: file.name.clone(), source };
    // Files of other places are told apart by what those say of them.
    let Content::Here(path) = &file.content else {
        return Err(SourceError::Elsewhere { address: file.name.clone() });
    };
    let mut opened = fs_err::File::open(path).map_err(fail)?;
    let before = opened.metadata().map_err(fail)?;
    let (bytes, modified) = (before.len(), modified(&before));
    if let Some(known) = known
        && known.bytes == bytes
        && known.modified == modified
        && modified != 0
    {
        return Ok(known.clone());
    }
    let mut hasher = blake3::Hasher::new();
    let mut buffer = vec![0; 1 << 20];
    let mut read = 0;
    loop {
        let count = opened.read(&mut buffer).map_err(fail)?;
        if count == 0 {
            break;
        }
        read += count as u64;
        hasher.update(&buffer[..count]);
    }
    let after = opened.metadata().map_err(fail)?;
    if after.len() != bytes || self::modified(&after) != modified || read != bytes {
        return Err(SourceError::Changed { file: file.name.clone() });
    }
    Ok(FileStamp { name: file.name.clone(), bytes, modified, blake3: hasher.finalize().to_hex().to_string() })
}

fn modified(metadata: &std::fs::Metadata) -> i64 {
    let Ok(time) = metadata.modified() else { return 0 };
    match time.duration_since(UNIX_EPOCH) {
        Ok(since) => i64::try_from(since.as_nanos()).unwrap_or(i64::MAX),
        Err(before) => i64::try_from(before.duration().as_nanos()).map_or(i64::MIN, |nanos| -nanos),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contents_decide_and_times_only_save_work() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.csv");
        fs_err::write(&path, "id\n1\n").unwrap();
        let files = [InputFile::new(&path)];
        let first = fingerprint_files(&files, &FileSet::default()).unwrap();
        assert_eq!(first.files[0].bytes, 5);
        assert_eq!(first.files[0].blake3, blake3::hash(b"id\n1\n").to_hex().to_string());

        // A recorded hash is believed while size and time agree: shown by recording a wrong one.
        let mut recorded = first.clone();
        recorded.files[0].blake3 = "0".repeat(64);
        assert_eq!(fingerprint_files(&files, &recorded).unwrap(), recorded);

        // Another time of modification: hashed again, to the same content.
        recorded.files[0].modified -= 1;
        assert_eq!(fingerprint_files(&files, &recorded).unwrap(), first);

        fs_err::write(&path, "id\n12\n").unwrap();
        let second = fingerprint_files(&files, &first).unwrap();
        assert_ne!(second.files[0].blake3, first.files[0].blake3);
        assert_ne!(second.digest(), first.digest());
    }

    #[test]
    fn the_digest_ignores_times_and_minds_names_and_order() {
        let stamp = |name: &str, hash: &str, modified| FileStamp {
            name: name.to_owned(),
            bytes: 1,
            modified,
            blake3: hash.to_owned(),
        };
        let set = |files: &[FileStamp]| FileSet { files: files.to_vec() }.digest();
        let (a, b) = (stamp("a", "1", 1), stamp("b", "2", 1));
        assert_eq!(set(&[a.clone(), b.clone()]), set(&[stamp("a", "1", 9), b.clone()]));
        assert_ne!(set(&[a.clone(), b.clone()]), set(&[b.clone(), a.clone()]));
        assert_ne!(set(std::slice::from_ref(&a)), set(&[stamp("c", "1", 1)]));
        assert_ne!(set(&[stamp("ab", "1", 1)]), set(&[stamp("a", "b1", 1)]));
    }

    #[test]
    fn an_absent_file_is_named() {
        let error = fingerprint_files(&[InputFile::new("absent.csv")], &FileSet::default()).unwrap_err();
        assert!(error.to_string().contains("absent.csv"), "{error}");
    }
}
