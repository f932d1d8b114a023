//! What a run did: events while it goes, a report at its end. Data only: `apply` makes it, warehouses keep it, `view`
//! shows it.

mod history;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::expectations::{Outcome, Verdict};
use crate::manifest::types::ExpectationSeverity;
use crate::plan::Bill;
use crate::project::Address;

pub use history::{PastCheck, PastRun, PastStep, Point, Track};

/// How a step or a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Done and published.
    Done,
    /// Failed; what readers see is as it was.
    Failed,
    /// Not run, because something that it needs failed.
    HeldBack,
    /// Stopped on request.
    Interrupted,
}

/// What one step did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StepReport {
    /// What it was about.
    pub address: Address,
    /// `dataset.table`.
    pub relation: String,
    /// `load`, `build`, `append`, `merge`, `overwrite`, `check`, `describe` or `drop`.
    pub action: String,
    /// How it ended.
    pub status: Status,
    /// Rows of the table; nothing for views.
    pub rows: Option<u64>,
    /// Logical bytes of the table; nothing for views.
    pub bytes: Option<u64>,
    /// Rows that were brought into an incremental table.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new_rows: Option<u64>,
    /// Rows rejected while loading.
    pub rejected: u64,
    /// What became of the rows of each file that was loaded.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<FileRows>,
    /// How long it took, in milliseconds.
    pub milliseconds: u64,
    /// How often it was tried.
    pub tries: u32,
    /// Its expectations.
    pub checks: Vec<CheckReport>,
    /// What went wrong.
    pub fault: Option<Fault>,
    /// Where the build is kept that was refused: `marts.daily__failed`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kept: Option<String>,
    /// The steps that it was held back by.
    pub held_back_by: Vec<Address>,
}

/// What became of the rows of one file. The three are counted apart, and the first is the sum of the others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileRows {
    /// Its path as the manifest gave it.
    pub file: String,
    /// Rows read, the header and empty lines not counted.
    pub read: u64,
    /// Rows written into the table.
    pub written: u64,
    /// Rows rejected.
    pub rejected: u64,
}

/// How one expectation came out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CheckReport {
    /// `expectation.dim_orders.not_null_order_key`.
    pub address: String,
    /// What a failure means.
    pub severity: ExpectationSeverity,
    /// The verdict and its numbers.
    #[serde(flatten)]
    pub outcome: Outcome,
    /// Some failing rows.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sample: Vec<Value>,
    /// Where each of them stands: `data/orders.csv:17`, or several of these for a key that several rows have. Empty where
    /// it is not known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub places: Vec<String>,
    /// The query that shows failing rows, in GoogleSQL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sample_sql: Option<String>,
    /// How long the query took that answered it, in milliseconds. Expectations that share a scan share its time: each
    /// tells the whole of it. 0 for what is known without a query.
    pub milliseconds: u64,
}

impl CheckReport {
    /// The failing rows, each with its place where that is known.
    pub fn rows(&self) -> impl Iterator<Item = (Option<&str>, &Value)> {
        let place =
            |index: usize| self.places.get(index).map(String::as_str).filter(|place| !place.is_empty());
        self.sample.iter().enumerate().map(move |(index, row)| (place(index), row))
    }

    /// Whether nothing may be published because of it.
    pub fn refuses(&self) -> bool {
        match self.outcome.verdict {
            Verdict::Errored => true,
            Verdict::Failed => self.severity == ExpectationSeverity::Critical,
            Verdict::Passed | Verdict::Warned => false,
        }
    }

    /// Whether some rows fail, and no more than may.
    pub fn has_exceptions(&self) -> bool {
        self.outcome.verdict == Verdict::Passed && self.outcome.failing > 0
    }
}

/// What went wrong in a step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// The diagnostic's code.
    pub code: String,
    /// What is wrong.
    pub message: String,
    /// How to mend it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
}

/// What a run did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunReport {
    /// The run's name.
    pub run: String,
    /// The pipeline's name.
    pub pipeline: String,
    /// The target's name.
    pub target: String,
    /// When it started, RFC 3339.
    pub started_at: String,
    /// When it ended, RFC 3339.
    pub finished_at: String,
    /// How long it took, in milliseconds.
    pub milliseconds: u64,
    /// How it ended.
    pub status: Status,
    /// What its plan said that it would cost; nothing on targets that bill for nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub estimate: Option<Bill>,
    /// Bytes that all its statements were billed for; nothing on targets that bill for none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub billed: Option<u64>,
    /// Its steps, in the plan's order.
    pub steps: Vec<StepReport>,
}

impl RunReport {
    /// How many expectations came out so.
    pub fn verdicts(&self, verdict: Verdict) -> usize {
        self.steps
            .iter()
            .flat_map(|step| &step.checks)
            .filter(|check| check.outcome.verdict == verdict)
            .count()
    }

    /// How many steps ended so.
    pub fn count(&self, status: Status) -> usize {
        self.steps.iter().filter(|step| step.status == status).count()
    }
}

/// Something that happened in a run. One stream of these is all that others learn while it goes.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event<'a> {
    /// The run starts.
    RunStarted {
        /// Its name.
        run: &'a str,
        /// How many steps it has.
        steps: usize,
    },
    /// A step starts.
    StepStarted {
        /// What it is about.
        address: &'a Address,
        /// What it does.
        action: &'a str,
        /// Bytes that it will read, if known.
        bytes: Option<u64>,
    },
    /// A load goes on.
    StepProgress {
        /// What it is about.
        address: &'a Address,
        /// Rows so far.
        rows: u64,
        /// Bytes so far.
        bytes: u64,
    },
    /// A step failed for a passing reason and is tried again.
    StepRetried {
        /// What it is about.
        address: &'a Address,
        /// What went wrong.
        message: &'a str,
        /// The wait before the next try, in milliseconds.
        wait_ms: u64,
    },
    /// A step ended.
    StepFinished {
        /// What it did.
        step: &'a StepReport,
    },
    /// The run ended.
    RunFinished {
        /// What it did.
        report: &'a RunReport,
    },
}
