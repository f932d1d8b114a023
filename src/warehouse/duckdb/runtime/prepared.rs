//! A database file with nothing but the macros, made once on a machine for each version of them.
//!
//! The engine takes a third of a second to read and bind the macros' text, and hundredths to copy them from
//! another database. The file lies in the user's cache folder; where it cannot be made or read, the text is read as
//! if there were none: it saves time and decides nothing.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use duckdb::Connection;
use etcetera::base_strategy::{BaseStrategy, choose_base_strategy};

use super::{RUNTIME_SCHEMA, bignumeric, write};
use crate::googlesql::duckdb::{Ident, quote};

/// The name that the file goes by while it is attached.
const ATTACHED: &str = "pipewright_runtime";

/// Tells apart the threads of a process that make the file at the same time.
static PARTS: AtomicUsize = AtomicUsize::new(0);

/// Copies the macros from the file, which is made if need be. Whether it did; if not, nothing has changed.
pub(super) fn copy(connection: &Connection, version: &str) -> bool {
    let Some(file) = file(connection, version) else { return false };
    if !file.is_file() && !prepare(&file, version) {
        return false;
    }
    let copied = copy_from(connection, &file).is_ok();
    if !copied {
        // It may be damaged: the next one to need it makes it anew.
        let _ = fs_err::remove_file(&file);
    }
    copied
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
        let (name, process) = (file.file_name()?.to_string_lossy(), std::process::id());
        let part = folder.join(format!("{name}.{process}-{}.part", PARTS.fetch_add(1, Ordering::Relaxed)));
        let made = Connection::open(&part).and_then(|connection| {
            bignumeric::register(&connection)?;
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

fn copy_from(connection: &Connection, file: &Path) -> duckdb::Result<()> {
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
    copied.and(detached)
}

#[cfg(test)]
mod tests {
    use duckdb::Connection;

    use super::{copy_from, prepare};
    use crate::warehouse::duckdb::runtime::{bignumeric, write};

    /// A database in memory that knows the functions that macros call.
    fn memory() -> Connection {
        let connection = Connection::open_in_memory().expect("memory");
        bignumeric::register(&connection).expect("the functions");
        connection
    }

    /// Every macro with its parameters, their types and what it stands for.
    fn macros(connection: &Connection) -> Vec<String> {
        let sql = "SELECT concat_ws(' ', function_name, parameters, parameter_types, macro_definition) \
                   FROM duckdb_functions() WHERE schema_name = 'googlesql' ORDER BY ALL";
        let mut statement = connection.prepare(sql).expect("a query");
        let rows = statement.query_map([], |row| row.get(0)).expect("rows");
        rows.collect::<duckdb::Result<_>>().expect("texts")
    }

    #[test]
    fn what_is_copied_is_what_is_written() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("it's.duckdb");
        assert!(prepare(&file, "1"));
        let left: Vec<_> = fs_err::read_dir(folder.path()).expect("the folder").collect();
        assert_eq!(left.len(), 1, "{left:?}");
        let (written, copied) = (memory(), memory());
        write(&written, "1").expect("the macros");
        // What an older version left gives way.
        copied.execute_batch("CREATE SCHEMA googlesql; CREATE MACRO googlesql.old() AS 1").expect("a macro");
        copy_from(&copied, &file).expect("the copy");
        assert!(macros(&written).len() > 300);
        assert_eq!(macros(&copied), macros(&written));
    }

    #[test]
    fn a_damaged_file_changes_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("runtime.duckdb");
        fs_err::write(&file, "no database").expect("a file");
        let connection = memory();
        assert!(copy_from(&connection, &file).is_err());
        assert!(macros(&connection).is_empty());
        write(&connection, "1").expect("the connection still works");
    }
}
