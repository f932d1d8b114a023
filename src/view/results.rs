//! Results of expectations, for people and for other programs.

use std::collections::HashMap;

use serde_json::json;

use super::markup::escaped;
use super::{checks_text, exceptions_text, plural};
use crate::expectations::Verdict;
use crate::manifest::types::ResultsFormat;
use crate::project::Expectation;
use crate::report::CheckReport;

/// An expectation with what became of it.
#[derive(Debug)]
pub struct Checked<'a> {
    /// The expectation.
    pub expectation: &'a Expectation,
    /// Where it is declared: `expectations/orders.yaml:12`.
    pub place: String,
    /// What became of it.
    pub report: CheckReport,
}

impl Checked<'_> {
    fn verdict(&self) -> Verdict {
        self.report.outcome.verdict
    }
}

/// The query of an expectation alone, in the SQL of the target that ran.
pub type SqlOf<'a> = &'a dyn Fn(&Expectation) -> Option<String>;

/// The results under a name, as text of a format.
pub fn results_text(format: ResultsFormat, name: &str, results: &[Checked<'_>], sql_of: SqlOf<'_>) -> String {
    match format {
        ResultsFormat::Table => table(results),
        ResultsFormat::Json => format!("{:#}\n", json(name, results, sql_of)),
        ResultsFormat::Junit => junit(name, results),
        ResultsFormat::Markdown => markdown(name, results),
    }
}

fn count(results: &[Checked<'_>], verdicts: &[Verdict]) -> usize {
    results.iter().filter(|one| verdicts.contains(&one.verdict())).count()
}

/// How many there are, and how many of each verdict.
pub fn results_summary(results: &[Checked<'_>]) -> String {
    let all = plural(results.len(), "expectation", "expectations");
    let told: Vec<String> = [
        ("passed", [Verdict::Passed].as_slice()),
        ("warned", &[Verdict::Warned]),
        ("failed", &[Verdict::Failed, Verdict::Errored]),
    ]
    .into_iter()
    .map(|(word, verdicts)| (count(results, verdicts), word))
    .filter(|(number, _)| *number > 0)
    .map(|(number, word)| format!("{number} {word}"))
    .collect();
    if told.is_empty() { all } else { format!("{all}: {}", told.join(", ")) }
}

fn table(results: &[Checked<'_>]) -> String {
    let places: HashMap<&str, &String> =
        results.iter().map(|one| (one.report.address.as_str(), &one.place)).collect();
    let place = |address: &str| places.get(address).map(|place| (*place).clone());
    let reports = || results.iter().map(|one| &one.report);
    let exceptions = exceptions_text(reports());
    let exceptions = if exceptions.is_empty() { exceptions } else { format!("{exceptions}\n") };
    format!("{exceptions}{}{}.\n", checks_text(reports(), &place), results_summary(results))
}

fn json(name: &str, results: &[Checked<'_>], sql_of: SqlOf<'_>) -> serde_json::Value {
    let checks: Vec<serde_json::Value> = results
        .iter()
        .map(|one| {
            let mut value = json!(one.report);
            value["kind"] = json!(one.expectation.kind);
            value["suite"] = json!(one.expectation.suite);
            value["on"] = json!(one.expectation.on.to_string());
            value["place"] = json!(one.place);
            for (key, text) in [
                ("sql", &sql_of(one.expectation)),
                ("description", &one.expectation.description),
                ("note", &one.expectation.note),
                ("owner", &one.expectation.owner),
            ] {
                if let Some(text) = text {
                    value[key] = json!(text);
                }
            }
            value
        })
        .collect();
    json!({
        "checkpoint": name,
        "passed": count(results, &[Verdict::Passed]),
        "warned": count(results, &[Verdict::Warned]),
        "failed": count(results, &[Verdict::Failed]),
        "errored": count(results, &[Verdict::Errored]),
        "checks": checks,
    })
}

/// The results by suite, in the order of the first of each.
fn suites<'r, 'a>(results: &'r [Checked<'a>]) -> Vec<(&'r str, Vec<&'r Checked<'a>>)> {
    let mut suites: Vec<(&str, Vec<&Checked<'a>>)> = Vec::new();
    for one in results {
        match suites.iter_mut().find(|(name, _)| *name == one.expectation.suite) {
            Some((_, of_suite)) => of_suite.push(one),
            None => suites.push((&one.expectation.suite, vec![one])),
        }
    }
    suites
}

/// JUnit's XML. Warnings pass there, with what was found as output.
///
/// Source: <https://github.com/testmoapp/junitxml>.
fn junit(name: &str, results: &[Checked<'_>]) -> String {
    let numbers = |of: &[&Checked<'_>]| {
        let count = |verdict| of.iter().filter(|one| one.verdict() == verdict).count();
        format!(
            "tests=\"{}\" failures=\"{}\" errors=\"{}\"",
            of.len(),
            count(Verdict::Failed),
            count(Verdict::Errored)
        )
    };
    let all: Vec<&Checked<'_>> = results.iter().collect();
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    out.push_str(&format!("<testsuites name=\"{}\" {}>\n", escaped(name), numbers(&all)));
    for (suite, of_suite) in suites(results) {
        out.push_str(&format!("  <testsuite name=\"{}\" {}>\n", escaped(suite), numbers(&of_suite)));
        for one in of_suite {
            let (file, line) = one.place.rsplit_once(':').unwrap_or((&one.place, ""));
            let case = format!(
                "    <testcase classname=\"{}\" name=\"{}\" file=\"{}\" line=\"{}\" time=\"{}\"",
                escaped(&one.expectation.on.to_string()),
                escaped(&one.expectation.name),
                escaped(file),
                escaped(line),
                seconds(one.report.milliseconds)
            );
            let found = escaped(&one.report.outcome.found);
            let mut details = String::new();
            for (place, row) in one.report.rows() {
                details.push_str(&escaped(&place.map(|place| format!("{place} ")).unwrap_or_default()));
                details.push_str(&escaped(&row.to_string()));
                details.push('\n');
            }
            let within = match one.verdict() {
                Verdict::Passed => String::new(),
                Verdict::Warned => format!("      <system-out>warning: {found}\n{details}</system-out>\n"),
                Verdict::Failed => format!("      <failure message=\"{found}\">{details}</failure>\n"),
                Verdict::Errored => format!("      <error message=\"{found}\">{details}</error>\n"),
            };
            match within.as_str() {
                "" => out.push_str(&format!("{case}/>\n")),
                within => out.push_str(&format!("{case}>\n{within}    </testcase>\n")),
            }
        }
        out.push_str("  </testsuite>\n");
    }
    out.push_str("</testsuites>\n");
    out
}

/// A time as JUnit has it, in seconds: `0.012`.
fn seconds(milliseconds: u64) -> String {
    format!("{}.{:03}", milliseconds / 1_000, milliseconds % 1_000)
}

fn markdown(name: &str, results: &[Checked<'_>]) -> String {
    let mut out = format!("## {}\n\n{}.\n", cell(name), results_summary(results));
    let untold: Vec<&Checked<'_>> = results.iter().filter(|one| one.verdict() != Verdict::Passed).collect();
    if !untold.is_empty() {
        out.push_str("\n| | Expectation | Found | Declared |\n|---|---|---|---|\n");
        for one in &untold {
            let word = match one.verdict() {
                verdict @ (Verdict::Failed | Verdict::Errored) => format!("**{}**", verdict.word()),
                verdict => verdict.word().to_owned(),
            };
            let (address, found) = (cell(&one.report.address), cell(&one.report.outcome.found));
            out.push_str(&format!("| {word} | `{address}` | {found} | {} |\n", cell(&one.place)));
        }
    }
    for one in untold.iter().filter(|one| !one.report.sample.is_empty()) {
        out.push_str(&format!("\n<details><summary>{}</summary>\n\n", escaped(&one.report.address)));
        let places: Vec<&str> = one.report.rows().filter_map(|(place, _)| place).collect();
        if !places.is_empty() {
            out.push_str(&format!("{}\n\n", escaped(&places.join(", "))));
        }
        out.push_str("```json\n");
        for row in &one.report.sample {
            // A fence inside of a text would end the block.
            out.push_str(&format!("{}\n", row.to_string().replace("```", "\\u0060\\u0060\\u0060")));
        }
        out.push_str("```\n\n</details>\n");
    }
    out
}

/// Text inside of a cell of a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace(['\n', '\r'], " ")
}

/// Shares between 0 and 1 as a line of bars, the latest last; nothing where all are 0.
pub fn trend(shares: &[f64]) -> String {
    const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let most = shares.iter().copied().fold(0.0, f64::max);
    if most <= 0.0 {
        return String::new();
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to 7")]
    let bar = |share: &f64| BARS[(share / most * 7.0).round().clamp(0.0, 7.0) as usize];
    shares.iter().map(bar).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_seconds_with_all_their_digits() {
        assert_eq!([0, 12, 1_000, 61_234].map(seconds), ["0.000", "0.012", "1.000", "61.234"]);
    }

    #[test]
    fn a_trend_goes_from_nothing_to_the_most() {
        assert_eq!(trend(&[0.0, 0.05, 0.1]), "▁▅█");
        assert_eq!(trend(&[0.0, 0.0]), "");
    }
}
