//! Who holds a target, for whoever comes second.

use serde::{Deserialize, Serialize};

use crate::clock::{Clock, SystemClock, rfc3339};
use crate::diag::{Code, Diagnostic};

/// Who holds a target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// Its process.
    pub pid: u32,
    /// Its machine.
    pub host: String,
    /// Its command.
    pub command: String,
    /// Since when, RFC 3339.
    pub since: String,
}

impl Holder {
    /// This process.
    pub fn this(command: &str) -> Self {
        Self {
            pid: std::process::id(),
            host: gethostname::gethostname().to_string_lossy().into_owned(),
            command: command.to_owned(),
            since: rfc3339(SystemClock.now()),
        }
    }

    /// What the second one is told.
    pub fn fault(holder: Option<&Self>, what: &str) -> Diagnostic {
        let who = match holder {
            Some(Self { pid, host, command, since }) => {
                format!("`{command}`, process {pid} on {host}, since {since}")
            }
            None => "another process".to_owned(),
        };
        Diagnostic::error(Code::Locked, format!("{what} is in use by {who}"))
            .help("wait until it is done, or give `--lock-timeout 5m` to wait for it")
    }
}
