//! What Pipewright remembers of a target: what it built, from what, when.
//!
//! State lives in the target beside the data and changes in the transaction that publishes a table, so that
//! the two can never disagree. Planning sees it only as part of a [`Snapshot`], which it cannot write.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::googlesql::Column;
use crate::manifest::types::{Granularity, Materialization};
use crate::project::{Address, ColumnProperties, Grant, Layout, Properties};

/// Format of the state; a newer one is refused.
pub const FORMAT: u32 = 1;

/// A target as it is: what is remembered, and what is there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// What is remembered.
    pub state: State,
    /// What is there, by `dataset.table`.
    pub objects: BTreeMap<String, Object>,
    /// Datasets that are there, by their names in the manifest; nothing where datasets are only names.
    pub datasets: Option<BTreeMap<String, DatasetObject>>,
}

/// A dataset that is in the target, with what is set of it where the manifest says anything of that.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DatasetObject {
    /// What it is said to hold.
    pub description: Option<String>,
    /// Its labels, whoever gave them.
    pub labels: BTreeMap<String, String>,
    /// How long tables stay that are made in it, in milliseconds; for ever unless given.
    pub default_table_expiration_ms: Option<u64>,
    /// Who may use it, as far as the manifest could have said so.
    pub grants: BTreeSet<Grant>,
}

/// What is remembered of a pipeline's target.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// Made once for a target; a plan for another one does not fit. Nothing before the first run.
    pub lineage: Option<String>,
    /// Counts the runs that wrote; a plan made before the last one is stale.
    pub serial: u64,
    /// What was built, by address.
    pub nodes: BTreeMap<Address, NodeState>,
}

/// What is remembered of one table or view.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeState {
    /// `dataset.table`.
    pub relation: String,
    /// How it is kept.
    pub materialization: Materialization,
    /// Fingerprint of what its rows are made from.
    pub data_hash: String,
    /// Fingerprint of its own definition, without what it reads.
    pub own_hash: String,
    /// Fingerprint of its own query or file declaration's text, to tell a changed query from a changed setting.
    pub query_hash: String,
    /// Fingerprint of descriptions, owner and tags.
    pub metadata_hash: String,
    /// Fingerprint of its expectations.
    pub audit_hash: String,
    /// Fingerprint of the tables that its expectations compared it with; empty where there were none.
    #[serde(default)]
    pub references_hash: String,
    /// Its columns in BigQuery's types.
    pub columns: Vec<Column>,
    /// Its columns as the engine had them right after the build: name and native type.
    pub native_columns: Vec<(String, String)>,
    /// How it was asked to be laid out.
    #[serde(default)]
    pub layout: Layout,
    /// What was said of it beside its comment.
    #[serde(default)]
    pub properties: Properties,
    /// How the engine had it laid out right after the build; nothing where that is not known.
    #[serde(default)]
    pub observed: Option<Observed>,
    /// Its rows; nothing for views.
    pub rows: Option<u64>,
    /// Its logical bytes, as BigQuery counts them; nothing for views.
    pub bytes: Option<u64>,
    /// Rows that were rejected while loading.
    pub rejected: u64,
    /// The files it was loaded from.
    pub files: Vec<FileState>,
    /// The run that built it.
    pub run: String,
    /// When it was built, RFC 3339 in UTC.
    pub built_at: String,
}

/// A file as it was when it was loaded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileState {
    /// Its path as the manifest gave it.
    pub path: String,
    /// Its size.
    pub bytes: u64,
    /// When it was modified, in nanoseconds since 1970.
    pub modified: i64,
    /// BLAKE3 of its content, hexadecimal.
    pub hash: String,
}

/// A table or view that is in the target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// What it is.
    pub materialization: Materialization,
    /// Its columns: name and native type.
    pub columns: Vec<(String, String)>,
    /// Its comment, with Pipewright's mark at the end if Pipewright made it.
    pub comment: Option<String>,
    /// Its rows; nothing for views and for what Pipewright did not make.
    pub rows: Option<u64>,
    /// Its partitions, as far as it has any and they were counted with its rows.
    pub partitions: Option<u64>,
    /// How it is laid out; nothing where the engine has no layouts.
    pub observed: Option<Observed>,
}

/// How a table is laid out, as its engine says it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Observed {
    /// The column that parts it.
    pub partition_by: Option<String>,
    /// The time that one of its partitions holds; nothing where it is parted by numbers or that is not known.
    #[serde(default)]
    pub granularity: Option<Granularity>,
    /// The columns by which rows lie together.
    pub cluster_by: Vec<String>,
    /// How long its partitions are kept, in milliseconds.
    pub partition_expires_ms: Option<u64>,
    /// Whether queries must say which partitions they read.
    pub require_partition_filter: bool,
    /// Whether there is a time at which it goes.
    #[serde(default)]
    pub expires: bool,
    /// Whether it is a view whose result is kept.
    #[serde(default)]
    pub materialized_view: bool,
    /// All labels that it has, whoever gave them.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// What is said of its columns, by their names in small letters; nothing where that was not looked at. What is remembered
    /// of it are the properties.
    #[serde(skip)]
    pub columns: Option<BTreeMap<String, ColumnProperties>>,
    /// The mark of what Pipewright made at a place where people who describe it do not write, see [`label_of`].
    #[serde(default)]
    pub mark: Option<String>,
    /// Fingerprint of the query of a view.
    #[serde(default)]
    pub query: Option<String>,
    /// When its rows were last written, in milliseconds since 1970 by the engine's clock; in what is remembered, when that
    /// was certainly over.
    #[serde(default)]
    pub written_ms: Option<u64>,
}

impl Object {
    /// The mark in its comment.
    pub fn mark(&self) -> Option<&str> {
        mark_in(self.comment.as_deref()?)
    }
}

fn mark_in(comment: &str) -> Option<&str> {
    let start = comment.rfind("[pipewright ")?;
    comment[start..].strip_prefix("[pipewright ")?.strip_suffix(']')
}

/// The mark of a comment as the value of a label, which has no room for the whole of it.
pub fn label_of(comment: &str) -> Option<String> {
    Some(label_of_mark(mark_in(comment)?))
}

/// The same of a mark.
pub fn label_of_mark(mark: &str) -> String {
    blake3::hash(mark.as_bytes()).to_hex()[..32].to_owned()
}

/// The comment of an object: its description, and the mark by which Pipewright knows what it made.
pub fn marked_comment(
    description: Option<&str>,
    pipeline: &str,
    address: &Address,
    data_hash: &str,
) -> String {
    let mark = format!("[pipewright {}]", mark(pipeline, address, data_hash));
    match description {
        Some(description) => format!("{}\n{mark}", description.trim()),
        None => mark,
    }
}

/// What stands in the mark of an object: pipeline, address and the start of its fingerprint.
pub fn mark(pipeline: &str, address: &Address, data_hash: &str) -> String {
    format!("{pipeline} {address} {}", data_hash.get(..16).unwrap_or(data_hash))
}
