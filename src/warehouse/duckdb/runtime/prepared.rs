//! A database file with nothing but the macros, made once on a machine for each version of them.
//!
//! The engine takes a third of a second to read and bind the macros' text, and hundredths to copy them from
//! another database. The file lies in the user's cache folder; where it cannot be made or read, the text is read as
//! if there were none: it saves time and decides nothing.

use std::path::{Path, PathBuf};

use duckdb::Connection;
use etcetera::base_strategy::{BaseStrategy, choose_base_strategy};

use super::{RUNTIME_SCHEMA, installed, write};
use crate::googlesql::duckdb::{Ident, quote};

/// The name that the file goes by while it is attached.
const ATTACHED: &str = "pipewright_runtime";

/// Copies the macros from the file, which is made if need be. Whether it did; if not, nothing has changed.
pub(super) fn copy(connection: &Connection, version: &str) -> bool {
    let Some(file) = file(connection, version) else { return false };
    (file.is_file() || prepare(&file, version))
        && copy_from(connection, &file, version).is_ok_and(|done| done)
}

/// Where the file is, whether or not it is there. Its form is the engine's, so its version is part of the name.
fn file(connection: &Connection, version: &str) -> Option<PathBuf> {
    let engine: String = connection.query_row("SELECT version()", [], |row| row.get(0)).ok()?;
    let folder = choose_base_strategy().ok()?.cache_dir().join("pipewright");
    Some(folder.join(format!("runtime-{version}-{engine}.duckdb")))
}

/// Makes the file under another name first, so that whoever finds it finds it whole.
fn prepare(file: &Path, version: &str) -> bool {
    let Some(folder) = file.parent() else { return false };
    let make = || -> Option<()> {
        fs_err::create_dir_all(folder).ok()?;
        let part =
            folder.join(format!("{}.{}.part", file.file_name()?.to_string_lossy(), std::process::id()));
        let made = Connection::open(&part).and_then(|connection| {
            write(&connection, version)?;
            connection.close().map_err(|(_, error)| error)
        });
        let moved = made.is_ok() && fs_err::rename(&part, file).is_ok();
        if !moved {
            // Whatever is left of it is of no use; if it cannot be removed, it does no harm.
            let _ = fs_err::remove_file(&part);
        }
        moved.then_some(())
    };
    make().is_some()
}

fn copy_from(connection: &Connection, file: &Path, version: &str) -> duckdb::Result<bool> {
    let target: String = connection.query_row("SELECT current_database()", [], |row| row.get(0))?;
    let (attached, target, path) = (Ident::new(ATTACHED), Ident::new(target), file.to_string_lossy());
    let path = quote(&path);
    connection.execute_batch(&format!("ATTACH {path} AS {attached} (READ_ONLY)"))?;
    let copied = connection.execute_batch(&format!(
        "BEGIN; DROP SCHEMA IF EXISTS {target}.{RUNTIME_SCHEMA} CASCADE; \
         COPY FROM DATABASE {attached} TO {target} (SCHEMA); COMMIT;"
    ));
    if copied.is_err() {
        // Without a transaction there is nothing to take back, and that is all a failure here can mean.
        let _ = connection.execute_batch("ROLLBACK");
    }
    let detached = connection.execute_batch(&format!("DETACH {attached}"));
    copied.and(detached)?;
    Ok(installed(connection).is_some_and(|installed| installed == version))
}
