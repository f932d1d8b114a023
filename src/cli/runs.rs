//! `runs`: what was done to a target.

use serde::Deserialize;
use serde_json::Value;

use super::Outcome;
use super::workspace::{Workspace, fault};
use crate::diag::{Code, Diagnostic, Diagnostics};
use crate::report::FileRows;
use crate::view::{Align, Table, bytes, count, duration, files_table};
use crate::warehouse::Access;

pub(super) fn run(
    workspace: &Workspace<'_>,
    run: Option<&str>,
    json: bool,
    limit: u32,
) -> Result<Outcome, Diagnostics> {
    let loaded = workspace.load()?;
    let warehouse = workspace.open(&loaded, Access::Read, "pipewright runs", "0s")?;
    if !warehouse.was_used().map_err(fault)? {
        if json {
            workspace.printer.out("[]\n");
        } else {
            workspace.printer.note("Nothing was run on this target yet.");
        }
        return Ok(Outcome::Done);
    }
    let history = warehouse.history(run, limit).map_err(fault)?;
    if let (Some(run), true) = (run, history.is_empty()) {
        return Err(Diagnostic::error(Code::Usage, format!("there is no run `{run}`"))
            .help("`pipewright runs` lists them")
            .into());
    }
    if json {
        workspace.printer.out(&format!("{:#}\n", Value::from(history)));
        return Ok(Outcome::Done);
    }
    let text = |row: &Value, key: &str| row[key].as_str().unwrap_or_default().to_owned();
    let number = |row: &Value, key: &str| row[key].as_u64();
    if run.is_none() {
        let mut table = Table::with_heads(&[
            ("run", Align::Left),
            ("status", Align::Left),
            ("command", Align::Left),
            ("by", Align::Left),
            ("time", Align::Right),
        ]);
        for row in &history {
            let time = number(row, "milliseconds").map(duration).unwrap_or_default();
            table.row([
                text(row, "run"),
                text(row, "status"),
                text(row, "command"),
                text(row, "started_by"),
                time,
            ]);
        }
        workspace.printer.table(table);
        return Ok(Outcome::Done);
    }
    let mut table = Table::with_heads(&[
        ("node", Align::Left),
        ("step", Align::Left),
        ("status", Align::Left),
        ("rows", Align::Right),
        ("bytes", Align::Right),
        ("time", Align::Right),
    ]);
    for row in &history {
        table.row([
            text(row, "address"),
            text(row, "action"),
            text(row, "status"),
            number(row, "rows").map(count).unwrap_or_default(),
            number(row, "bytes").map(bytes).unwrap_or_default(),
            number(row, "milliseconds").map(duration).unwrap_or_default(),
        ]);
    }
    workspace.printer.table(table);
    let mut files: Vec<FileRows> = Vec::new();
    for row in &history {
        let of_step = Vec::<FileRows>::deserialize(&row["files"]).unwrap_or_default();
        if of_step.len() > 1 || of_step.iter().any(|file| file.rejected > 0) {
            files.extend(of_step);
        }
    }
    if !files.is_empty() {
        workspace.printer.out("\n");
        workspace.printer.table(files_table(&files));
    }
    for row in history.iter().filter(|row| row["message"].is_string()) {
        workspace.printer.out(&format!(
            "\n{} [{}]\n{}\n",
            text(row, "address"),
            text(row, "code"),
            text(row, "message")
        ));
        if row["kept"].is_string() {
            workspace.printer.out(&format!("kept in {} until the next good build\n", text(row, "kept")));
        }
    }
    Ok(Outcome::Done)
}
