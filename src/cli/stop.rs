//! Ctrl-C and TERM: what runs is stopped cleanly.

use std::sync::Arc;

use crate::apply::Cancel;
use crate::diag::{Code, Diagnostic};

/// From now on the first signal stops the work, and the second ends the process at once. Until then, signals end it as
/// usual: nothing is done yet that would have to be taken back.
pub(super) fn on_signal() -> Arc<Cancel> {
    let cancel = Arc::new(Cancel::new());
    let told = Arc::clone(&cancel);
    let handler = move || {
        if told.is_cancelled() {
            std::process::abort();
        }
        told.cancel();
    };
    // A process has one handler; a second run in it keeps the first.
    let _ = ctrlc::set_handler(handler);
    cancel
}

/// That something was stopped: `the query`.
pub(super) fn stopped(what: &str) -> Diagnostic {
    Diagnostic::error(Code::Interrupted, format!("{what} was stopped"))
}
