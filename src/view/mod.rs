//! What people and machines see. The only place that writes to the terminal.
//!
//! Standard output carries what was asked for; progress and faults go to standard error.

mod markup;
mod plan;
mod progress;
mod report;
mod results;
pub mod site;
mod table;
mod tests_report;

use std::io::{IsTerminal, Write};

use crate::diag::{Diagnostics, render};

pub use plan::plan_text;
pub use progress::Reporter;
pub use report::{Place, checks_text, exceptions_text, files_table, run_text};
pub use results::{Checked, SqlOf, results_summary, results_text, trend};
pub use table::{Align, Table};
pub use tests_report::{TestOutcome, TestReport, junit_of_tests, tests_text};

/// Writes to the terminal.
#[derive(Debug, Clone, Copy)]
pub struct Printer {
    json_errors: bool,
    color: Option<bool>,
}

impl Printer {
    /// A printer that writes faults as JSON or for people, with colours always, never, or where a terminal shows them.
    pub fn new(json_errors: bool, color: Option<bool>) -> Self {
        if let Some(color) = color {
            console::set_colors_enabled(color);
            console::set_colors_enabled_stderr(color);
        }
        Self { json_errors, color }
    }

    /// Writes data. A reader that closed its end has all that it wanted.
    pub fn out(self, text: &str) {
        let _ = std::io::stdout().lock().write_all(text.as_bytes());
    }

    /// Writes a table: with heads and as wide as the terminal where somebody is looking, elsewhere its whole rows.
    pub fn table(self, table: Table) {
        self.out(&match self.columns() {
            Some(columns) => table.for_terminal(columns),
            None => table.to_string(),
        });
    }

    /// How many columns standard output has, if it is a terminal.
    pub fn columns(self) -> Option<usize> {
        let terminal = std::io::stdout().is_terminal();
        terminal.then(|| usize::from(console::Term::stdout().size().1).max(40))
    }

    /// Writes a line beside the data; not where standard error is for machines.
    pub fn note(self, text: &str) {
        if self.json_errors {
            return;
        }
        let _ = writeln!(std::io::stderr().lock(), "{text}");
    }

    /// Writes faults.
    pub fn faults(self, faults: &Diagnostics) {
        if faults.is_empty() {
            return;
        }
        let text = if self.json_errors {
            format!("{:#}\n", render::json(faults))
        } else {
            render::graphical(faults, self.style())
        };
        let _ = std::io::stderr().lock().write_all(text.as_bytes());
    }

    /// Whether somebody is looking at standard error.
    pub fn interactive(self) -> bool {
        std::io::stderr().is_terminal()
    }

    fn style(self) -> render::Style {
        let terminal = std::io::stderr().is_terminal();
        let color = self.color.unwrap_or(terminal && console::colors_enabled_stderr());
        let width = if terminal { usize::from(console::Term::stderr().size().1).clamp(60, 140) } else { 100 };
        render::Style { color, unicode: true, width }
    }
}

/// A size in bytes with a unit: `1.3 MB` (decimal units, as BigQuery's bill has them).
pub fn bytes(count: u64) -> String {
    const UNITS: [&str; 5] = ["B", "kB", "MB", "GB", "TB"];
    #[expect(clippy::cast_precision_loss, reason = "shown with one decimal")]
    let mut size = count as f64;
    let mut unit = 0;
    while size >= 999.5 && unit + 1 < UNITS.len() {
        size /= 1000.0;
        unit += 1;
    }
    if unit == 0 { format!("{count} B") } else { format!("{size:.1} {}", UNITS[unit]) }
}

/// A time with a unit: `12 ms`, `3.4 s`, `2 min 5 s`.
pub fn duration(milliseconds: u64) -> String {
    match milliseconds {
        0..1_000 => format!("{milliseconds} ms"),
        1_000..60_000 => {
            let tenths = milliseconds / 100;
            format!("{}.{} s", tenths / 10, tenths % 10)
        }
        _ => format!("{} min {} s", milliseconds / 60_000, milliseconds % 60_000 / 1_000),
    }
}

/// A list of words in one line, broken behind commas so that no line is longer than a width; further lines begin
/// below the column that the list starts at.
pub fn hanging(line: &str, start: usize, width: usize) -> String {
    let mut out = String::with_capacity(line.len() + 16);
    let mut column = 0;
    for (index, part) in line.split_inclusive(", ").enumerate() {
        let length = part.trim_end().chars().count();
        if index > 0 && column + length > width {
            out.truncate(out.trim_end().len());
            out.push_str(&format!("\n{:start$}", ""));
            column = start;
        }
        out.push_str(part);
        column += part.chars().count();
    }
    out
}

/// A count with its thousands marked: `8,135`.
pub fn count(number: u64) -> String {
    crate::expectations::grouped(number)
}

/// `1 table`, `2 tables`.
pub fn plural(number: usize, one: &str, many: &str) -> String {
    format!("{} {}", count(number as u64), if number == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_list_goes_on_below_its_start() {
        let line = "a <- model.bcd, model.efg, model.hij";
        assert_eq!(hanging(line, 5, 36), line);
        assert_eq!(hanging(line, 5, 35), "a <- model.bcd, model.efg,\n     model.hij");
        assert_eq!(hanging(line, 5, 15), "a <- model.bcd,\n     model.efg,\n     model.hij");
        // Words are never broken.
        assert_eq!(hanging("a <- model.bcd", 5, 3), "a <- model.bcd");
    }

    #[test]
    fn sizes_and_times() {
        assert_eq!(
            [0, 999, 1_000, 1_250_000, 3_400_000_000].map(bytes),
            ["0 B", "999 B", "1.0 kB", "1.2 MB", "3.4 GB"]
        );
        assert_eq!(
            [0, 999, 1_000, 59_999, 125_000].map(duration),
            ["0 ms", "999 ms", "1.0 s", "59.9 s", "2 min 5 s"]
        );
    }
}
