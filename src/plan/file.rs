//! Plans as files: what was reviewed is what is applied.

use std::path::Path;

use super::Plan;
use crate::diag::{Code, Diagnostic};

/// Format of plan files.
pub const FORMAT: u32 = 5;

/// A plan as the text of its file. Equal plans give equal bytes.
///
/// # Errors
/// Never for a plan that was made by planning; a fault of Pipewright.
pub fn text(plan: &Plan) -> Result<String, Diagnostic> {
    serde_json::to_string_pretty(plan)
        .map(|text| text + "\n")
        .map_err(|error| Diagnostic::error(Code::Internal, format!("the plan cannot be written: {error}")))
}

/// Writes a plan to a file.
///
/// # Errors
/// When the file cannot be written.
pub fn save(plan: &Plan, path: &Path) -> Result<(), Diagnostic> {
    fs_err::write(path, text(plan)?).map_err(|error| Diagnostic::error(Code::Io, error.to_string()))
}

/// Reads a plan from a file.
///
/// # Errors
/// When it cannot be read, or was written by another version.
pub fn load(path: &Path) -> Result<Plan, Diagnostic> {
    let text = fs_err::read_to_string(path)
        .map_err(|error| Diagnostic::error(Code::BadPlanFile, error.to_string()))?;
    let bad = |why: String| {
        Diagnostic::error(
            Code::BadPlanFile,
            format!("{} is no plan that can be applied: {why}", path.display()),
        )
        .help("make it again with `pipewright plan --out FILE`")
    };
    let value: serde_json::Value = serde_json::from_str(&text).map_err(|error| bad(error.to_string()))?;
    match value.get("format").and_then(serde_json::Value::as_u64) {
        Some(format) if format == u64::from(FORMAT) => {}
        Some(format) => return Err(bad(format!("its format is {format}, this Pipewright reads {FORMAT}"))),
        None => return Err(bad("it has no format".to_owned())),
    }
    serde_json::from_value(value).map_err(|error| bad(error.to_string()))
}
