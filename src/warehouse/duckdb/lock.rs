//! One writer at a time, and its name for whoever comes second.

use std::fs::{File, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};

use super::super::Holder;
use crate::diag::{Code, Diagnostic};

/// A lock on a database file, held until it is dropped. The operating system gives it back when the process
/// ends, however it ends.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock for writing and leaves word of who holds it.
    ///
    /// # Errors
    /// Who holds it already.
    pub fn exclusive(database: &Path, command: &str) -> Result<Self, Diagnostic> {
        let path = lock_path(database);
        if let Some(folder) = path.parent() {
            fs_err::create_dir_all(folder).map_err(|error| Diagnostic::error(Code::Io, error.to_string()))?;
        }
        let mut file = open(&path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(held(&mut file, database)),
            Err(TryLockError::Error(error)) => return Err(io_fault(&path, &error)),
        }
        let holder = Holder::this(command);
        let text = serde_json::to_string(&holder).unwrap_or_default();
        file.set_len(0)
            .and_then(|()| file.rewind())
            .and_then(|()| file.write_all(text.as_bytes()))
            .map_err(|error| io_fault(&path, &error))?;
        Ok(Self { _file: file })
    }

    /// Takes the lock for reading, beside other readers; nothing where it cannot be made, as on a disk that is
    /// read-only.
    ///
    /// # Errors
    /// Who is writing.
    pub fn shared(database: &Path) -> Result<Option<Self>, Diagnostic> {
        let path = lock_path(database);
        let Ok(mut file) = open(&path) else { return Ok(None) };
        match file.try_lock_shared() {
            Ok(()) => Ok(Some(Self { _file: file })),
            Err(TryLockError::WouldBlock) => Err(held(&mut file, database)),
            Err(TryLockError::Error(error)) => Err(io_fault(&path, &error)),
        }
    }
}

fn lock_path(database: &Path) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(".lock");
    PathBuf::from(name)
}

fn open(path: &Path) -> Result<File, Diagnostic> {
    File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)
        .map_err(|error| io_fault(path, &error))
}

fn io_fault(path: &Path, error: &std::io::Error) -> Diagnostic {
    Diagnostic::error(Code::Io, format!("{}: {error}", path.display()))
}

fn held(file: &mut File, database: &Path) -> Diagnostic {
    let mut text = String::new();
    let holder = file.read_to_string(&mut text).ok().and_then(|_| serde_json::from_str::<Holder>(&text).ok());
    Holder::fault(holder.as_ref(), &database.display().to_string())
}
