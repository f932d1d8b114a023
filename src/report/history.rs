//! What is remembered of runs that are over.

use serde::Deserialize;
use serde_json::Value;

use crate::expectations::{Hidden, Verdict};
use crate::manifest::types::ExpectationSeverity;

/// A run as it is remembered, with how many of its expectations came out how.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct PastRun {
    /// Its name.
    pub run: String,
    /// The command.
    pub command: String,
    /// Who ran it and where: `user@host`.
    pub started_by: String,
    /// When it started, RFC 3339.
    pub started_at: String,
    /// When it ended, RFC 3339; nothing while it runs, and where it was killed.
    pub finished_at: Option<String>,
    /// How long it took, in milliseconds.
    pub milliseconds: Option<u64>,
    /// How it ended: `done`, `failed`, `interrupted`; `running` where it has not said so yet.
    pub status: String,
    /// Expectations that passed.
    pub passed: u64,
    /// Expectations that did not hold and are only warnings.
    pub warned: u64,
    /// Critical expectations that did not hold.
    pub failed: u64,
    /// Expectations that could not be evaluated.
    pub errored: u64,
    /// Steps.
    pub steps: u64,
    /// Steps that were not done.
    pub steps_undone: u64,
}

impl PastRun {
    /// Whether nothing will be added to it any more.
    pub fn is_over(&self) -> bool {
        self.status != "running"
    }

    /// How many expectations it evaluated.
    pub fn checks(&self) -> u64 {
        self.passed + self.warned + self.failed + self.errored
    }
}

/// A step of a past run.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct PastStep {
    /// The run.
    pub run: String,
    /// What it was about.
    pub address: String,
    /// `load`, `build`, `check`, `describe` or `drop`.
    pub action: String,
    /// `done`, `failed`, `held_back` or `interrupted`.
    pub status: String,
    /// Rows of the table.
    pub rows: Option<u64>,
    /// Logical bytes of the table.
    pub bytes: Option<u64>,
    /// Rows rejected while loading.
    pub rejected: u64,
    /// How long it took, in milliseconds.
    pub milliseconds: u64,
    /// The code of what went wrong.
    pub code: Option<String>,
    /// What went wrong.
    pub message: Option<String>,
}

/// An expectation in a past run.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct PastCheck {
    /// The run.
    pub run: String,
    /// `expectation.dim_orders.not_null_order_key`.
    pub address: String,
    /// What a failure meant.
    pub severity: ExpectationSeverity,
    /// How it came out.
    pub verdict: Verdict,
    /// What was found, in a few words.
    pub found: String,
    /// Some failing rows, a JSON array of objects.
    pub sample: Option<String>,
    /// The query that shows failing rows.
    pub query: Option<String>,
}

impl PastCheck {
    /// Hides what is hidden now, also where it was kept before its column was marked.
    pub fn hide(&mut self, hidden: &Hidden) {
        hidden.hide_found(&mut self.found);
        let rows = self.sample.as_deref().and_then(|text| serde_json::from_str::<Vec<Value>>(text).ok());
        if let Some(mut rows) = rows {
            hidden.hide(&mut rows);
            self.sample = Some(Value::from(rows).to_string());
        }
    }
}

/// What became of an expectation over the runs.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Track {
    /// `expectation.dim_orders.not_null_order_key`.
    pub expectation: String,
    /// What it was about: `model.dim_orders`.
    pub node: String,
    /// In how many runs it was evaluated.
    pub runs: u64,
    /// In how many of them it passed.
    pub passed: u64,
    /// The first run in which it did not pass: when it started.
    pub first_failure: Option<String>,
    /// The last one.
    pub last_failure: Option<String>,
    /// The first one since it last passed; nothing while it passes.
    pub failing_since: Option<String>,
    /// Its last runs, the latest last.
    pub points: Vec<Point>,
}

impl Track {
    /// Hides what is hidden now, as [`PastCheck::hide`].
    pub fn hide(&mut self, hidden: &Hidden) {
        for point in &mut self.points {
            hidden.hide_found(&mut point.found);
            point.observed = point.observed.filter(|_| !hidden.observed);
        }
    }
}

/// An expectation in one of several runs.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Point {
    /// The run.
    pub run: String,
    /// When it started, RFC 3339.
    pub started_at: String,
    /// How the expectation came out.
    pub verdict: Verdict,
    /// Rows looked at, or groups of them.
    pub checked: u64,
    /// Rows that failed, or groups of them.
    pub failing: u64,
    /// The number that was held against bounds, where it is neither of them.
    pub observed: Option<f64>,
    /// What was found, in a few words.
    pub found: String,
    /// How long its query took, in milliseconds; nothing for what versions wrote that did not measure it.
    pub milliseconds: Option<u64>,
}
