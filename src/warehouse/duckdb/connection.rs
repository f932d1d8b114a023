//! Opening the engine: its settings, and what its errors mean.

use std::path::Path;
use std::sync::Arc;

use duckdb::{AccessMode, Config, Connection, InterruptHandle};

use super::super::{Access, Interrupt, Result, WarehouseError};
use super::{bignumeric, runtime};
use crate::diag::{Code, Diagnostic};
use crate::manifest::types::DuckDbTarget;

/// Opens a target's file; where a file that is only read is missing, an empty database in memory, without the
/// runtime library.
pub(super) fn open(path: &Path, target: &DuckDbTarget, access: Access) -> Result<Connection> {
    let config = |read_only: bool| -> duckdb::Result<Config> {
        let mut config = settings()?;
        if let Some(threads) = target.threads {
            config = config.threads(i64::from(threads))?;
        }
        if let Some(memory) = &target.memory_limit {
            config = config.max_memory(memory)?;
        }
        if read_only {
            config = config.access_mode(AccessMode::ReadOnly)?;
        }
        Ok(config)
    };
    let opened = match access {
        Access::Read if !path.exists() => config(false).and_then(Connection::open_in_memory_with_flags),
        Access::Read => config(true).and_then(|config| Connection::open_with_flags(path, config)),
        Access::Write => {
            if let Some(folder) = path.parent() {
                fs_err::create_dir_all(folder)
                    .map_err(|error| Diagnostic::error(Code::Io, error.to_string()))?;
            }
            config(false).and_then(|config| Connection::open_with_flags(path, config))
        }
    };
    let connection = opened.map_err(|error| WarehouseError {
        diagnostic: Diagnostic::error(
            Code::TargetUnavailable,
            format!("{} cannot be opened: {}", path.display(), first_line(&error.to_string())),
        )
        .help("is it a DuckDB file, and does no other program hold it open?"),
        transient: false,
        of_target: true,
    })?;
    let known = match access {
        Access::Write => runtime::install(&connection),
        // Views may call the functions, though the macros are not to be written.
        Access::Read => bignumeric::register(&connection),
    };
    known.map_err(|error| engine_error(&error))?;
    Ok(connection)
}

/// A handle to stop from elsewhere what a connection does.
pub fn interrupter(connection: &Connection) -> Arc<dyn Interrupt> {
    Arc::new(Stop(connection.interrupt_handle()))
}

struct Stop(Arc<InterruptHandle>);

impl Interrupt for Stop {
    fn interrupt(&self) {
        self.0.interrupt();
    }
}

/// A database in memory with the whole runtime library.
///
/// # Errors
/// When the engine refuses.
pub fn in_memory() -> Result<Connection> {
    let connection =
        settings().and_then(Connection::open_in_memory_with_flags).map_err(|error| engine_error(&error))?;
    runtime::install(&connection).map_err(|error| engine_error(&error))?;
    Ok(connection)
}

/// Settings that every connection has: nothing is fetched from a network, and nothing depends on the machine.
fn settings() -> duckdb::Result<Config> {
    Config::default()
        .enable_autoload_extension(false)?
        .with("autoinstall_known_extensions", "false")?
        .custom_user_agent("pipewright")
}

/// An error of the engine, with what can be told of it.
pub fn engine_error(error: &duckdb::Error) -> WarehouseError {
    let message = error.to_string();
    let transient = ["Transaction conflict", "write-write conflict", "Failed to commit"]
        .iter()
        .any(|sign| message.contains(sign))
        && !message.contains("Constraint");
    WarehouseError {
        diagnostic: Diagnostic::error(Code::StepFailed, message.trim().to_owned()),
        transient,
        of_target: false,
    }
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or(text)
}
