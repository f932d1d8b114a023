//! What will happen, step by step, each with its reason and its final SQL. Pure: no connection, no clock.
//!
//! `plan` prints this list and `apply` carries out this list.

mod appraisal;
mod cost;
mod datasets;
mod deferral;
mod diff;
mod file;
mod increment;
mod planner;
mod prints;
#[cfg(test)]
mod tests;
mod wanted;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::expectations::Audit;
use crate::googlesql::Column;
use crate::manifest::types::{
    Format, Materialization, MissingColumn, NewColumn, RejectLimit, Retries, Strategy,
};
use crate::project::{Address, Layout, Load, Properties};
use crate::source::is_address;
use crate::state::FileState;

pub use appraisal::{Answer, Question, Refusal, Scanned, appraise, questions};
pub use cost::{Accuracy, Bill, Cost, price};
pub use datasets::{Change, DatasetChange};
pub use deferral::{Deferral, Deferred};
pub use file::{FORMAT, load, save, text};
pub use planner::{Files, Planning, plan};

/// The steps that lead from a target as it is to what the manifest says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// Format of this structure.
    pub format: u32,
    /// The version of Pipewright that made it.
    pub writer: String,
    /// The pipeline's name.
    pub pipeline: String,
    /// The target's name.
    pub target: String,
    /// Fingerprint of everything in the manifest that the plan was made from.
    pub manifest: String,
    /// Whose target it was made for; nothing before the first run.
    pub lineage: Option<String>,
    /// The state that it was made on.
    pub serial: u64,
    /// What was changed from outside since the last run.
    pub drift: Vec<Drift>,
    /// What will be done, in an order in which each step comes after those that it waits for.
    pub steps: Vec<Step>,
    /// What the manifest no longer has and this plan leaves in place, because it was not asked to drop it.
    pub orphans: Vec<Orphan>,
    /// What stays as it is.
    pub unchanged: Vec<Address>,
    /// What was left out by a selection although it differs.
    pub left_out: Vec<Address>,
    /// Datasets that steps build in.
    pub datasets: BTreeSet<String>,
    /// Datasets that are made or changed before the steps, where the target has settings of them.
    pub dataset_changes: Vec<DatasetChange>,
    /// Datasets that are not as declared and in which nothing was selected.
    pub datasets_left_out: Vec<String>,
    /// What is read from another target, because neither this one has it nor a step builds it.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub deferred: BTreeSet<Deferred>,
    /// How failing steps are tried again.
    pub retries: Retries,
    /// What all of it will cost, where the target bills for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<Bill>,
}

impl Plan {
    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty() && self.dataset_changes.is_empty()
    }

    /// Steps that drop something.
    pub fn drops(&self) -> impl Iterator<Item = &Step> {
        self.steps.iter().filter(|step| matches!(step.action, Action::Drop { .. }))
    }
}

/// One thing to do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// What it is about.
    pub address: Address,
    /// `dataset.table`.
    pub relation: String,
    /// Why.
    pub reasons: Vec<Reason>,
    /// What exactly.
    pub action: Action,
    /// How the columns change.
    pub columns: ColumnChanges,
    /// Models that read it, and tiles that read it or something below it. Models further down have steps of their own.
    pub touches: Vec<String>,
    /// What it will take.
    pub estimate: Estimate,
    /// Steps of this plan that must have succeeded before.
    pub waits_for: BTreeSet<Address>,
    /// How long it may take, in milliseconds.
    pub timeout_ms: Option<u64>,
    /// What one should know of it before it is carried out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

/// Why a step is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// It is not in the target, and never was.
    New,
    /// It was built, and is gone.
    Missing,
    /// Somebody changed or replaced it.
    Drifted,
    /// It is there, made by this pipeline, and nothing is remembered of it.
    Forgotten,
    /// Its query changed.
    QueryChanged,
    /// Another setting of it changed.
    ConfigChanged,
    /// How its table is laid out changed, and nothing else.
    LayoutChanged,
    /// The content of its files changed.
    FileChanged,
    /// Something that it reads is built anew.
    UpstreamChanged,
    /// A rebuild was asked for.
    Requested,
    /// Its expectations changed.
    ExpectationsChanged,
    /// A table that its expectations compare it with changed.
    ReferencesChanged,
    /// Its description, owner or tags changed.
    MetadataChanged,
    /// Somebody said otherwise of it what a description puts right.
    Redescribed,
    /// The manifest no longer has it.
    Removed,
}

impl Reason {
    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Missing => "missing in the target",
            Self::Drifted => "changed outside of Pipewright",
            Self::Forgotten => "there, and nothing is remembered of it",
            Self::QueryChanged => "SQL changed",
            Self::ConfigChanged => "config changed",
            Self::LayoutChanged => "layout changed",
            Self::FileChanged => "file changed",
            Self::UpstreamChanged => "upstream changed",
            Self::Requested => "rebuild requested",
            Self::ExpectationsChanged => "expectations changed",
            Self::ReferencesChanged => "what it is checked against changed",
            Self::MetadataChanged => "description changed",
            Self::Redescribed => "described otherwise outside of Pipewright",
            Self::Removed => "no longer in the manifest",
        }
    }
}

/// What a step does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum Action {
    /// Load files into a table.
    Load(Box<LoadAction>),
    /// Build a table or view from a query.
    Build(Box<BuildAction>),
    /// Bring new rows into an incremental table.
    Merge(Box<MergeAction>),
    /// Check a published table that is otherwise as it should be.
    Check {
        /// The checks.
        audit: Audit,
        /// What its rows were loaded from, to tell where those stand that fail; nothing for models.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reading: Option<Box<Reading>>,
        /// What is remembered afterwards.
        record: Record,
    },
    /// Write a table's description.
    Describe {
        /// What is remembered afterwards.
        record: Record,
    },
    /// Drop what the manifest no longer has.
    Drop {
        /// What it is in the target.
        materialization: Materialization,
    },
}

impl Action {
    /// How what it makes is published; nothing where it makes nothing.
    pub fn publish(&self) -> Option<&Publish> {
        match self {
            Self::Load(load) => Some(&load.publish),
            Self::Build(build) => Some(&build.publish),
            Self::Merge(merge) => Some(&merge.publish),
            Self::Check { .. } | Self::Describe { .. } | Self::Drop { .. } => None,
        }
    }
}

/// Files into a table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LoadAction {
    /// What is read.
    #[serde(flatten)]
    pub reading: Reading,
    /// How many rows may be rejected.
    pub max_rejects: RejectLimit,
    /// How it is published.
    pub publish: Publish,
}

/// Files, and how they are read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reading {
    /// The files as they were planned, or as they were loaded.
    pub files: Vec<FileState>,
    /// How they are written.
    pub format: Format,
    /// The declared columns, and which of them must have values.
    pub columns: Vec<(Column, bool)>,
    /// What to do with further columns.
    pub on_new_column: NewColumn,
    /// What to do with missing ones.
    pub on_missing_column: MissingColumn,
}

impl Reading {
    /// Whether the files are not on this machine.
    pub fn is_elsewhere(&self) -> bool {
        self.files.iter().any(|file| is_address(&file.path))
    }

    /// Files read as a source or seed declares it.
    pub fn new(load: &Load, columns: &[Column], files: Vec<FileState>) -> Self {
        let required = |column: &Column| load.columns.get(&column.name).is_some_and(|column| column.required);
        Self {
            files,
            format: load.format.clone(),
            columns: columns.iter().map(|column| (column.clone(), required(column))).collect(),
            on_new_column: load.on_new_column,
            on_missing_column: load.on_missing_column,
        }
    }
}

/// A query into a table or view.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BuildAction {
    /// How it is kept.
    pub materialization: Materialization,
    /// The query in the target's own SQL.
    pub native: String,
    /// Counts rows without a key and keys that several rows have, where there is a key.
    pub proof: Option<String>,
    /// How it is published.
    pub publish: Publish,
}

/// New rows into a table that is there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MergeAction {
    /// What becomes of rows that are there.
    pub strategy: Strategy,
    /// The query of the new rows in the target's own SQL.
    pub native: String,
    /// What must hold of them where they are built, beside [`BuildAction::proof`].
    pub audit_of_new: Audit,
    /// As [`BuildAction::proof`].
    pub proof: Option<String>,
    /// The name of the table that they are brought into: the published one itself where a transaction keeps it from
    /// readers, else a copy of it.
    pub into: String,
    /// What gives that table further columns, and then the rows.
    pub statements: Vec<String>,
    /// Its rows when the plan was made, where they are not as many as are remembered.
    pub rows_there: Option<u64>,
    /// What must hold of the table with them in it, and what is remembered.
    pub publish: Publish,
}

/// What the name of a build that was not published ends in, behind that of its table.
pub const FAILED_SUFFIX: &str = "__failed";

/// The way from a finished build to what readers see.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Publish {
    /// The name under which it is built and audited.
    pub build_name: String,
    /// What must hold before.
    pub audit: Audit,
    /// What stands in its place now.
    pub replaces: Option<Materialization>,
    /// What of its layout changes, in words: another layout is another table, which takes the place of this one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub relaid: Vec<String>,
    /// Whether an earlier build that was not published is kept beside it.
    pub failed_before: bool,
    /// Whether it is kept aside when it is refused.
    pub keep_failed: bool,
    /// The greatest share of the published table's rows that may be gone.
    pub max_shrink: f64,
    /// What is remembered afterwards.
    pub record: Record,
}

/// The part of a node's state that is known before the step runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Fingerprint of what its rows are made from.
    pub data_hash: String,
    /// Fingerprint of its own definition.
    pub own_hash: String,
    /// Fingerprint of its query alone.
    pub query_hash: String,
    /// Fingerprint of descriptions, owner and tags.
    pub metadata_hash: String,
    /// Fingerprint of its expectations.
    pub audit_hash: String,
    /// Fingerprint of the tables that its expectations compare it with; empty where there are none.
    #[serde(default)]
    pub references_hash: String,
    /// Its columns.
    pub columns: Vec<Column>,
    /// Its comment in the target.
    pub comment: String,
    /// How it is laid out.
    #[serde(default)]
    pub layout: Layout,
    /// What is said of it beside its comment.
    #[serde(default)]
    pub properties: Properties,
}

/// How a table's columns change.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ColumnChanges {
    /// Columns that come.
    pub added: Vec<Column>,
    /// Columns that go.
    pub removed: Vec<Column>,
    /// Columns that change their type: before and after.
    pub retyped: Vec<(Column, Column)>,
}

impl ColumnChanges {
    /// Whether the columns stay as they are.
    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.removed.is_empty() && self.retyped.is_empty()
    }
}

/// What a step will take, as far as can be said without running it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// Rows that it will write.
    pub rows: Option<u64>,
    /// Bytes that it will read.
    pub bytes: Option<u64>,
    /// What its queries will read and cost, where the target bills for it: its own, and those of its audit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<Cost>,
}

/// Something that an earlier manifest made and this one no longer has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Orphan {
    /// What it was.
    pub address: Address,
    /// `dataset.table`.
    pub relation: String,
    /// What it is in the target.
    pub materialization: Materialization,
}

/// Something in the target that is not as the last run left it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drift {
    /// What it was.
    pub address: Address,
    /// `dataset.table`.
    pub relation: String,
    /// What happened to it, in words.
    pub what: String,
}
