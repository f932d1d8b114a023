//! The question before something is dropped.

use std::io::{BufRead, IsTerminal};

use crate::diag::{Code, Diagnostic};
use crate::view::{Printer, plural};

/// Asks whether so many objects may be dropped.
///
/// # Errors
/// When nobody can be asked, or the answer is not `yes`.
pub(super) fn drops(printer: Printer, objects: usize) -> Result<(), Diagnostic> {
    let what = plural(objects, "object", "objects");
    let refused =
        |how: &str| Diagnostic::error(Code::DropNotAllowed, format!("{what} would be dropped")).help(how);
    if !std::io::stdin().is_terminal() {
        return Err(refused("give `--yes` where nobody can be asked"));
    }
    printer.note(&format!("{what} will be dropped; there is no undo. Only `yes` goes on:"));
    let mut answer = String::new();
    let read = std::io::stdin().lock().read_line(&mut answer);
    if read.is_ok() && answer.trim() == "yes" { Ok(()) } else { Err(refused("nothing was done")) }
}
