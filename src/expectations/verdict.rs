//! What counts mean: passed, warned, failed or errored.

use serde::{Deserialize, Serialize};

use super::{HIDDEN, known};
use crate::googlesql::Column;
use crate::manifest::types::ExpectationSeverity;
use crate::project::{Known, OtherCount};

/// What the numbers of an expectation have to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "rule", rename_all = "snake_case")]
pub enum Rule {
    /// Most of the rows looked at must hold.
    Rows {
        /// The least share, as the bits of an `f64`: plans are compared for equality.
        mostly: u64,
        /// The most rows that may fail all the same.
        allowed: u64,
    },
    /// A query may give no rows.
    BadRows {
        /// The most that it may give all the same.
        allowed: u64,
    },
    /// A value must satisfy a condition: nothing may fail.
    Value {
        /// What it is, in words.
        what: String,
        /// What it has to be, in words.
        expected: String,
    },
    /// A value of each group must satisfy a condition: nothing may fail.
    Groups {
        /// What it is, in words.
        what: String,
        /// What it has to be, in words.
        expected: String,
    },
    /// The number of rows lies within bounds, and compares with the observed number of another table's rows.
    RowCount {
        /// The fewest rows.
        min: Option<u64>,
        /// The most rows.
        max: Option<u64>,
        /// How it compares with the other.
        other: Option<OtherCount>,
    },
    /// The observed number, seconds since 1970, is recent.
    Freshness {
        /// How old it may be.
        max_age_seconds: u64,
    },
    /// Something is known of the table.
    Known {
        /// What.
        known: Known,
    },
}

/// The numbers that a check's query gave.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Observed {
    /// Rows looked at, or groups of them.
    pub checked: u64,
    /// Rows that fail, or groups of them.
    pub failing: u64,
    /// What was observed beside.
    pub value: Option<String>,
}

/// What is known of a table when its expectations are judged.
#[derive(Debug, Clone, Copy, Default)]
pub struct Facts<'a> {
    /// The time of the run in seconds since 1970.
    pub now: i64,
    /// The table's columns.
    pub columns: &'a [Column],
    /// What the last run left.
    pub before: Option<Before<'a>>,
}

/// A table as the last run left it.
#[derive(Debug, Clone, Copy)]
pub struct Before<'a> {
    /// Its rows; nothing where they were not counted.
    pub rows: Option<u64>,
    /// Its columns.
    pub columns: &'a [Column],
}

/// How an expectation came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// It holds.
    Passed,
    /// It does not hold, and is only a warning or worth knowing.
    Warned,
    /// It does not hold, and is critical.
    Failed,
    /// It could not be evaluated: never a pass.
    Errored,
}

impl Verdict {
    /// Its word, as in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Warned => "warned",
            Self::Failed => "failed",
            Self::Errored => "errored",
        }
    }
}

/// A verdict with what it was drawn from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// The verdict.
    pub verdict: Verdict,
    /// Rows that count as failing.
    pub failing: u64,
    /// Rows looked at.
    pub checked: u64,
    /// What was found, in a few words: `12 of 8,135 rows (0.15 %)`.
    pub found: String,
    /// The number that was held against bounds, where it is neither of the counts: a mean, an age in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed: Option<f64>,
}

/// Draws the verdict.
pub fn judge(rule: &Rule, severity: ExpectationSeverity, observed: &Observed, facts: &Facts<'_>) -> Outcome {
    let (checked, failing) = (observed.checked, observed.failing);
    let value = observed.value.as_deref();
    let (holds, failing, found) = match rule {
        Rule::Rows { mostly, allowed } => rows(f64::from_bits(*mostly), *allowed, checked, failing),
        Rule::BadRows { allowed } => {
            let found = match failing {
                0 => "no bad rows".to_owned(),
                1 => "1 bad row".to_owned(),
                _ => format!("{} bad rows", grouped(failing)),
            };
            (failing <= *allowed, failing, found)
        }
        Rule::Value { what, expected } => {
            (failing == 0, 0, format!("{what} is {}, expected {expected}", value.unwrap_or("NULL")))
        }
        Rule::Groups { what, expected } => {
            let expected = if expected.is_empty() { String::new() } else { format!(", expected {expected}") };
            let found = match failing {
                0 => format!("{what} holds in all of {} groups{expected}", grouped(checked)),
                _ => format!("{what} fails in {} of {} groups{expected}", grouped(failing), grouped(checked)),
            };
            (failing == 0, failing, found)
        }
        Rule::RowCount { min, max, other } => {
            let counted = value.and_then(|value| value.parse::<u64>().ok());
            let within = min.is_none_or(|min| checked >= min) && max.is_none_or(|max| checked <= max);
            let compares = match other {
                None => true,
                Some(OtherCount::Equal) => counted == Some(checked),
                Some(OtherCount::More) => counted.is_some_and(|counted| checked < counted),
            };
            let found = match (other, counted) {
                (Some(_), Some(counted)) => {
                    format!("{} rows, the other table has {}", grouped(checked), grouped(counted))
                }
                _ => format!("{} rows", grouped(checked)),
            };
            (within && compares, 0, found)
        }
        Rule::Freshness { max_age_seconds } => match value.and_then(|value| value.parse::<i64>().ok()) {
            Some(newest) => {
                let age = facts.now.saturating_sub(newest);
                let fresh = age <= i64::try_from(*max_age_seconds).unwrap_or(i64::MAX);
                (fresh, 0, format!("the newest value is {} old", duration(age)))
            }
            None => (false, 0, "there is no value".to_owned()),
        },
        Rule::Known { known } => {
            let (holds, found) = known::judge(known, checked, facts);
            (holds, 0, found)
        }
    };
    let verdict = match (holds, severity) {
        (true, _) => Verdict::Passed,
        (false, ExpectationSeverity::Warning | ExpectationSeverity::Info) => Verdict::Warned,
        (false, ExpectationSeverity::Critical) => Verdict::Failed,
    };
    Outcome { verdict, failing, checked, found, observed: number(rule, observed, facts) }
}

/// Draws the same verdict and does not tell what was observed. That there is no value is told.
pub fn judge_hidden(
    rule: &Rule,
    severity: ExpectationSeverity,
    observed: &Observed,
    facts: &Facts<'_>,
) -> Outcome {
    let outcome = judge(rule, severity, observed, facts);
    let found = match (rule, &observed.value) {
        // The engine has judged it: its text is only told.
        (Rule::Value { .. }, Some(_)) => {
            let hidden = Observed { value: Some(HIDDEN.to_owned()), ..observed.clone() };
            judge(rule, severity, &hidden, facts).found
        }
        (Rule::Freshness { .. }, Some(_)) => format!("the newest value is {HIDDEN} old"),
        _ => outcome.found,
    };
    Outcome { found, observed: None, ..outcome }
}

/// The number that a rule holds against bounds, for those who follow it over the runs.
fn number(rule: &Rule, observed: &Observed, facts: &Facts<'_>) -> Option<f64> {
    let value = observed.value.as_deref();
    #[expect(clippy::cast_precision_loss, reason = "counts and ages lie far below 2^53")]
    let number = match rule {
        Rule::Value { .. } => value?.parse::<f64>().ok()?,
        Rule::Freshness { .. } => facts.now.saturating_sub(value?.parse::<i64>().ok()?) as f64,
        Rule::Known { known: Known::Volume { .. } } => observed.checked as f64,
        Rule::Known { known: Known::ColumnCount { .. } } => facts.columns.len() as f64,
        Rule::Known {
            known: Known::Exists | Known::Columns { .. } | Known::Type { .. } | Known::Schema { .. },
        }
        | Rule::Rows { .. }
        | Rule::BadRows { .. }
        | Rule::Groups { .. }
        | Rule::RowCount { .. } => return None,
    };
    number.is_finite().then_some(number)
}

/// At least `mostly` of the rows looked at must hold, or no more than `allowed` fail; a table without any has nothing
/// that fails.
fn rows(mostly: f64, allowed: u64, checked: u64, failing: u64) -> (bool, u64, String) {
    #[expect(clippy::cast_precision_loss, reason = "counts of rows lie far below 2^53")]
    let (checked_share, failing_share) = (checked as f64, failing as f64);
    let holds = checked_share - failing_share >= mostly * checked_share - 1e-9 * checked_share.max(1.0);
    // A single failing row of billions is not nothing: only `mostly` below 1 forgives.
    let holds = failing <= allowed || holds && mostly < 1.0;
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

    fn judged(rule: &Rule, severity: ExpectationSeverity, observed: (u64, u64, Option<&str>)) -> Outcome {
        let (checked, failing, value) = observed;
        let observed = Observed { checked, failing, value: value.map(str::to_owned) };
        judge(rule, severity, &observed, &Facts { now: 1_000, ..Facts::default() })
    }

    fn verdict(mostly: f64, allowed: u64, checked: u64, failing: u64) -> Verdict {
        let rule = Rule::Rows { mostly: mostly.to_bits(), allowed };
        judged(&rule, ExpectationSeverity::Critical, (checked, failing, None)).verdict
    }

    #[test]
    fn mostly_counts_from_its_very_threshold() {
        assert_eq!(verdict(1.0, 0, 100, 0), Verdict::Passed);
        assert_eq!(verdict(1.0, 0, 100, 1), Verdict::Failed);
        assert_eq!(verdict(1.0, 0, 10_000_000_000, 1), Verdict::Failed);
        assert_eq!(verdict(0.98, 0, 100, 2), Verdict::Passed);
        assert_eq!(verdict(0.98, 0, 100, 3), Verdict::Failed);
        assert_eq!(verdict(0.9, 0, 10, 1), Verdict::Passed);
        assert_eq!(verdict(0.0, 0, 10, 10), Verdict::Passed);
        assert_eq!(verdict(1.0, 0, 0, 0), Verdict::Passed);
    }

    #[test]
    fn some_rows_may_be_allowed_to_fail() {
        assert_eq!(verdict(1.0, 3, 100, 3), Verdict::Passed);
        assert_eq!(verdict(1.0, 3, 100, 4), Verdict::Failed);
        assert_eq!(verdict(0.9, 3, 100, 10), Verdict::Passed);
    }

    #[test]
    fn severity_decides_what_a_failure_is() {
        let rule = Rule::RowCount { min: None, max: None, other: Some(OtherCount::Equal) };
        let observed = (5, 0, Some("6"));
        assert_eq!(judged(&rule, ExpectationSeverity::Critical, observed).verdict, Verdict::Failed);
        assert_eq!(judged(&rule, ExpectationSeverity::Info, observed).verdict, Verdict::Warned);
        let outcome = judged(&rule, ExpectationSeverity::Warning, observed);
        assert_eq!(
            (outcome.verdict, outcome.found.as_str()),
            (Verdict::Warned, "5 rows, the other table has 6")
        );
    }

    #[test]
    fn row_counts_and_ages_have_both_their_edges() {
        let count = |checked, min, max| {
            let rule = Rule::RowCount { min, max, other: None };
            judged(&rule, ExpectationSeverity::Critical, (checked, 0, None)).verdict
        };
        assert_eq!(count(5, Some(5), Some(5)), Verdict::Passed);
        assert_eq!(count(4, Some(5), None), Verdict::Failed);
        assert_eq!(count(6, None, Some(5)), Verdict::Failed);
        let fewer = |other| {
            let rule = Rule::RowCount { min: None, max: None, other: Some(OtherCount::More) };
            judged(&rule, ExpectationSeverity::Critical, (5, 0, Some(other))).verdict
        };
        assert_eq!((fewer("6"), fewer("5")), (Verdict::Passed, Verdict::Failed));
        let fresh = |value| {
            let rule = Rule::Freshness { max_age_seconds: 60 };
            judged(&rule, ExpectationSeverity::Critical, (1, 0, value)).verdict
        };
        assert_eq!(fresh(Some("940")), Verdict::Passed);
        assert_eq!(fresh(Some("939")), Verdict::Failed);
        assert_eq!(fresh(None), Verdict::Failed);
    }

    #[test]
    fn hidden_values_have_the_same_verdict() {
        let judged = |rule: &Rule, failing, value: Option<&str>| {
            let observed = Observed { checked: 3, failing, value: value.map(str::to_owned) };
            let facts = Facts { now: 1_000, ..Facts::default() };
            let hidden = judge_hidden(rule, ExpectationSeverity::Critical, &observed, &facts);
            assert_eq!(hidden.verdict, judge(rule, ExpectationSeverity::Critical, &observed, &facts).verdict);
            assert_eq!(hidden.observed, None);
            (hidden.verdict, hidden.found)
        };
        let least = Rule::Value { what: "the least".into(), expected: "at least 1".into() };
        assert_eq!(
            judged(&least, 1, Some("0.5")),
            (Verdict::Failed, "the least is ***, expected at least 1".to_owned())
        );
        assert_eq!(judged(&least, 1, None).1, "the least is NULL, expected at least 1");
        let fresh = Rule::Freshness { max_age_seconds: 60 };
        assert_eq!(judged(&fresh, 0, Some("940")), (Verdict::Passed, "the newest value is *** old".into()));
        assert_eq!(judged(&fresh, 0, Some("939")), (Verdict::Failed, "the newest value is *** old".into()));
        assert_eq!(judged(&fresh, 0, None).1, "there is no value");
    }

    #[test]
    fn the_number_that_bounds_are_about_is_kept() {
        let told = |rule: &Rule, observed| judged(rule, ExpectationSeverity::Critical, observed).observed;
        let mean = Rule::Value { what: "the mean".into(), expected: "at least 1".into() };
        assert_eq!(told(&mean, (9, 0, Some("1.5"))), Some(1.5));
        // What JSON has no number for is none.
        assert_eq!([Some("NaN"), Some("red"), None].map(|value| told(&mean, (9, 0, value))), [None; 3]);
        assert_eq!(told(&Rule::Freshness { max_age_seconds: 60 }, (1, 0, Some("940"))), Some(60.0));
        assert_eq!(told(&Rule::Rows { mostly: 1.0_f64.to_bits(), allowed: 0 }, (9, 3, None)), None);
    }

    #[test]
    fn counts_are_grouped() {
        assert_eq!([0, 999, 1_000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
    }
}
