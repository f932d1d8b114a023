//! Results of unit tests.

use console::style;
use serde::Serialize;
use serde_json::Value;

use super::markup::escaped;
use super::{duration, plural};

/// What became of a unit test.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TestReport {
    /// Its name.
    pub name: String,
    /// The model.
    pub model: String,
    /// Where it is declared.
    pub place: String,
    /// How long it took, in milliseconds.
    pub milliseconds: u64,
    /// What is wrong, if anything.
    #[serde(flatten)]
    pub outcome: TestOutcome,
}

/// What a model made that it must not, and what it did not make.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct TestOutcome {
    /// Rows that were expected and are not there.
    pub missing: Vec<Value>,
    /// Rows that are there and were not expected.
    pub extra: Vec<Value>,
    /// Why there are no rows at all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

impl TestReport {
    /// Whether the model made what it must.
    pub fn passed(&self) -> bool {
        self.outcome.error.is_none() && self.outcome.missing.is_empty() && self.outcome.extra.is_empty()
    }

    /// What is wrong, a line for each thing.
    fn findings(&self) -> Vec<String> {
        let missing = self.outcome.missing.iter().map(|row| format!("- {row}"));
        let extra = self.outcome.extra.iter().map(|row| format!("+ {row}"));
        missing.chain(extra).chain(self.outcome.error.clone()).collect()
    }
}

/// For people: a line for each test, and for each that failed the rows that it lacks (`-`) and has too many (`+`).
pub fn tests_text(reports: &[TestReport]) -> String {
    let mut out = String::new();
    for report in reports {
        let word = if report.passed() { style("ok").green() } else { style("FAILED").red() };
        out.push_str(&format!(
            "{word} {} of {}, {}\n",
            report.name,
            report.model,
            duration(report.milliseconds)
        ));
        if !report.passed() {
            out.push_str(&format!("    at {}\n", report.place));
            for line in report.findings() {
                let shown = match line.get(..1) {
                    Some("-") => style(line).red().to_string(),
                    Some("+") => style(line).green().to_string(),
                    _ => line,
                };
                out.push_str(&format!("    {shown}\n"));
            }
        }
    }
    let passed = reports.iter().filter(|report| report.passed()).count();
    out.push_str(&format!(
        "{}: {passed} passed, {} failed.\n",
        plural(reports.len(), "unit test", "unit tests"),
        reports.len() - passed
    ));
    out
}

/// JUnit's XML.
pub fn junit_of_tests(reports: &[TestReport]) -> String {
    let errors = reports.iter().filter(|report| report.outcome.error.is_some()).count();
    let failures = reports.iter().filter(|report| !report.passed()).count() - errors;
    let numbers = format!("tests=\"{}\" failures=\"{failures}\" errors=\"{errors}\"", reports.len());
    let mut out = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"test\" {numbers}>\n  <testsuite name=\"test\" {numbers}>\n"
    );
    for report in reports {
        #[expect(clippy::cast_precision_loss, reason = "milliseconds of a test are few")]
        let seconds = report.milliseconds as f64 / 1000.0;
        let case = format!(
            "    <testcase classname=\"{}\" name=\"{}\" time=\"{seconds:.3}\"",
            escaped(&report.model),
            escaped(&report.name)
        );
        if report.passed() {
            out.push_str(&format!("{case}/>\n"));
        } else {
            let found = escaped(&report.findings().join("\n"));
            let within = match report.outcome.error {
                Some(_) => format!("<error message=\"it could not be run\">{found}</error>"),
                None => format!("<failure message=\"other rows\">{found}</failure>"),
            };
            out.push_str(&format!("{case}>\n      {within}\n    </testcase>\n"));
        }
    }
    out.push_str("  </testsuite>\n</testsuites>\n");
    out
}
