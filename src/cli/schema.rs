//! `schema`.

use std::path::Path;

use super::Outcome;
use crate::diag::{Code, Diagnostic, Diagnostics};
use crate::schema;
use crate::view::Printer;

pub(super) fn run(printer: Printer, folder: &Path, check: bool) -> Result<Outcome, Diagnostics> {
    if check {
        let outdated = schema::outdated(folder);
        if outdated.is_empty() {
            printer.note(&format!("The schemas in {} are current.", folder.display()));
            return Ok(Outcome::Done);
        }
        return Err(Diagnostic::error(
            Code::Outdated,
            format!("out of date in {}: {}", folder.display(), outdated.join(", ")),
        )
        .help("run `pipewright schema` and commit what it writes")
        .into());
    }
    schema::write(folder).map_err(|error| Diagnostic::error(Code::Io, error.to_string()))?;
    printer.note(&format!("Wrote the schemas to {}.", folder.display()));
    Ok(Outcome::Done)
}
