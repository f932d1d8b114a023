//! What counts mean: passed, warned, failed or errored.

use serde::{Deserialize, Serialize};

use crate::manifest::types::ExpectationSeverity;

/// What the counts of an expectation have to be.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "rule", rename_all = "snake_case")]
pub enum Rule {
    /// A share of the rows looked at must hold.
    Rows {
        /// The share, as the bits of an `f64`: plans are compared for equality.
        mostly: u64,
    },
    /// The number of rows lies within bounds, or equals the observed number of another table's rows.
    RowCount {
        /// The fewest rows.
        min: Option<u64>,
        /// The most rows.
        max: Option<u64>,
        /// Whether it must equal the observed number.
        equals: bool,
    },
    /// The observed number, seconds since 1970, is recent.
    Freshness {
        /// How old it may be.
        max_age_seconds: u64,
    },
}

/// The numbers that a check's query gave.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Observed {
    /// Rows looked at.
    pub checked: i64,
    /// Rows that fail.
    pub failing: i64,
    /// The number that is compared, if the rule compares one.
    pub value: Option<i64>,
}

/// How an expectation came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// It holds.
    Passed,
    /// It does not hold, and is only a warning.
    Warned,
    /// It does not hold, and is critical.
    Failed,
    /// It could not be evaluated: never a pass.
    Errored,
}

/// A verdict with what it was drawn from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// The verdict.
    pub verdict: Verdict,
    /// Rows that count as failing.
    pub failing: u64,
    /// Rows looked at.
    pub checked: u64,
    /// What was found, in a few words: `12 of 8,135 rows (0.15 %)`.
    pub found: String,
}

/// Draws the verdict. `now` is the time of the run in seconds since 1970.
pub fn judge(rule: &Rule, severity: ExpectationSeverity, observed: Observed, now: i64) -> Outcome {
    let checked = u64::try_from(observed.checked).unwrap_or(0);
    let failing = u64::try_from(observed.failing).unwrap_or(0);
    let (holds, failing, found) = match rule {
        Rule::Rows { mostly } => rows(f64::from_bits(*mostly), checked, failing),
        Rule::RowCount { min, max, equals } => {
            let other = observed.value.and_then(|value| u64::try_from(value).ok());
            let within = min.is_none_or(|min| checked >= min) && max.is_none_or(|max| checked <= max);
            let equal = !equals || other == Some(checked);
            let found = match (equals, other) {
                (true, Some(other)) => {
                    format!("{} rows, the other table has {}", grouped(checked), grouped(other))
                }
                _ => format!("{} rows", grouped(checked)),
            };
            (within && equal, 0, found)
        }
        Rule::Freshness { max_age_seconds } => match observed.value {
            Some(newest) => {
                let age = now.saturating_sub(newest);
                let fresh = age <= i64::try_from(*max_age_seconds).unwrap_or(i64::MAX);
                (fresh, 0, format!("the newest value is {} old", duration(age)))
            }
            None => (false, 0, "there is no value".to_owned()),
        },
    };
    let verdict = match (holds, severity) {
        (true, _) => Verdict::Passed,
        (false, ExpectationSeverity::Warning) => Verdict::Warned,
        (false, ExpectationSeverity::Critical) => Verdict::Failed,
    };
    Outcome { verdict, failing, checked, found }
}

/// At least `mostly` of the rows looked at must hold; a table without any has nothing that fails.
fn rows(mostly: f64, checked: u64, failing: u64) -> (bool, u64, String) {
    #[expect(clippy::cast_precision_loss, reason = "counts of rows lie far below 2^53")]
    let (checked_share, failing_share) = (checked as f64, failing as f64);
    let holds = checked_share - failing_share >= mostly * checked_share - 1e-9 * checked_share.max(1.0);
    // A single failing row of billions is not nothing: only `mostly` below 1 forgives.
    let holds = holds && (mostly < 1.0 || failing == 0);
    let percent = if checked == 0 { 0.0 } else { failing_share * 100.0 / checked_share };
    let found = if failing == 0 {
        format!("none of {} rows", grouped(checked))
    } else {
        format!("{} of {} rows ({percent:.2} %)", grouped(failing), grouped(checked))
    };
    (holds, failing, found)
}

/// A count with its thousands marked.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

fn duration(seconds: i64) -> String {
    match seconds {
        s if s < 0 => format!("{} s in the future, not", s.unsigned_abs()),
        s if s < 120 => format!("{s} s"),
        s if s < 7_200 => format!("{} min", s / 60),
        s if s < 172_800 => format!("{} h", s / 3_600),
        s => format!("{} days", s / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(mostly: f64, checked: i64, failing: i64) -> Verdict {
        let observed = Observed { checked, failing, value: None };
        judge(&Rule::Rows { mostly: mostly.to_bits() }, ExpectationSeverity::Critical, observed, 0).verdict
    }

    #[test]
    fn mostly_counts_from_its_very_threshold() {
        assert_eq!(verdict(1.0, 100, 0), Verdict::Passed);
        assert_eq!(verdict(1.0, 100, 1), Verdict::Failed);
        assert_eq!(verdict(1.0, 10_000_000_000, 1), Verdict::Failed);
        assert_eq!(verdict(0.98, 100, 2), Verdict::Passed);
        assert_eq!(verdict(0.98, 100, 3), Verdict::Failed);
        assert_eq!(verdict(0.9, 10, 1), Verdict::Passed);
        assert_eq!(verdict(0.0, 10, 10), Verdict::Passed);
        assert_eq!(verdict(1.0, 0, 0), Verdict::Passed);
    }

    #[test]
    fn severity_decides_what_a_failure_is() {
        let observed = Observed { checked: 5, failing: 0, value: Some(6) };
        let rule = Rule::RowCount { min: None, max: None, equals: true };
        assert_eq!(judge(&rule, ExpectationSeverity::Critical, observed, 0).verdict, Verdict::Failed);
        let outcome = judge(&rule, ExpectationSeverity::Warning, observed, 0);
        assert_eq!(
            (outcome.verdict, outcome.found.as_str()),
            (Verdict::Warned, "5 rows, the other table has 6")
        );
    }

    #[test]
    fn row_counts_and_ages_have_both_their_edges() {
        let count = |checked, min, max| {
            let observed = Observed { checked, failing: 0, value: None };
            judge(&Rule::RowCount { min, max, equals: false }, ExpectationSeverity::Critical, observed, 0)
                .verdict
        };
        assert_eq!(count(5, Some(5), Some(5)), Verdict::Passed);
        assert_eq!(count(4, Some(5), None), Verdict::Failed);
        assert_eq!(count(6, None, Some(5)), Verdict::Failed);
        let fresh = |value| {
            let observed = Observed { checked: 1, failing: 0, value };
            judge(&Rule::Freshness { max_age_seconds: 60 }, ExpectationSeverity::Critical, observed, 1_000)
                .verdict
        };
        assert_eq!(fresh(Some(940)), Verdict::Passed);
        assert_eq!(fresh(Some(939)), Verdict::Failed);
        assert_eq!(fresh(None), Verdict::Failed);
    }

    #[test]
    fn counts_are_grouped() {
        assert_eq!([0, 999, 1_000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
    }
}
