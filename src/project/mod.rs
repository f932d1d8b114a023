//! The manifest with every name looked up: [`Project`].
//!
//! A project's references are typed addresses that are known to exist, its defaults are applied, and all
//! rules that need more than one place of the manifest have been checked. Later stages cannot be called with
//! anything less.

mod address;
mod catalogue;
mod dashboards;
mod datasets;
mod expectation;
mod fragment;
mod increments;
mod labels;
mod layout;
mod member;
mod names;
mod resolve;
mod suites;
mod targets;
mod unit_tests;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use crate::diag::{MappedText, SourceFile, Span, table};
use crate::googlesql::{Column, Type};
use crate::manifest::types::{
    Chart, Checkpoint, Dataset, FailedBuilds, FilterType, Format, Job, Materialization, MissingColumn,
    NewColumn, Notification, OnQueryChange, OnSchemaChange, PipelineFile, RejectLimit, Retries, Scalar,
    Strategy, Target, as_json,
};

pub use address::{Address, NodeKind};
pub use expectation::{Expectation, Form, Known, NamedColumn, Needs, OtherCount, Scan};
pub use fragment::{Against, Fragment, Part};
pub use layout::{ColumnProperties, DeclaredLayout, DeclaredPartition, Layout, Partition, Parts, Properties};
pub use member::{Grant, Member, SPECIAL_MEMBERS};
pub use resolve::resolve;
pub use unit_tests::{Rows, UnitTest};

/// A manifest whose names all resolve.
///
/// What `pipeline.yaml` itself says is left out where a project is written down, and taken from the file again
/// ([`Project::settle`]): it may hold secrets.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Project {
    /// The pipeline's name.
    #[serde(skip)]
    pub name: String,
    /// What it is for.
    #[serde(skip)]
    pub description: Option<String>,
    /// The folder of `pipeline.yaml`.
    #[serde(skip)]
    pub root: PathBuf,
    /// Values for `var()`.
    #[serde(skip)]
    pub vars: IndexMap<String, Scalar>,
    /// Targets by name; never empty.
    #[serde(skip)]
    pub targets: IndexMap<String, Target>,
    /// The target used without `-t`.
    pub default_target: String,
    /// Targets of BigQuery whose project is empty, with the place of it.
    pub without_project: IndexMap<String, Span>,
    /// Datasets by name.
    #[serde(skip)]
    pub datasets: IndexMap<String, Dataset>,
    /// Sources, seeds and models by name: names are unique among all three.
    pub nodes: IndexMap<String, Node>,
    /// Unit tests of models.
    pub unit_tests: Vec<UnitTest>,
    /// Names of columns whose values are hidden in samples, in lower case.
    pub masked: BTreeSet<String>,
    /// Suites of expectations by name, with what they look after.
    pub suites: IndexMap<String, Option<String>>,
    /// Expectations, in the order of their files.
    pub expectations: Vec<Expectation>,
    /// Dashboards by name.
    pub dashboards: IndexMap<String, Dashboard>,
    /// Jobs by name.
    #[serde(skip)]
    pub jobs: IndexMap<String, Job>,
    /// Where each job is declared.
    pub job_spans: IndexMap<String, Span>,
    /// Checkpoints by name.
    #[serde(skip)]
    pub checkpoints: IndexMap<String, Checkpoint>,
    /// Notifications by name.
    #[serde(skip)]
    pub notifications: IndexMap<String, Notification>,
    /// Files of template macros.
    #[serde(with = "table::files")]
    pub macros: Vec<Arc<SourceFile>>,
    /// How failing steps are tried again.
    #[serde(skip)]
    pub retries: Retries,
    /// How long a step may take.
    #[serde(skip)]
    pub step_timeout: Option<std::time::Duration>,
    /// How long runs are remembered.
    #[serde(skip)]
    pub keep_history: Option<std::time::Duration>,
    /// The greatest share of its rows that a table may lose.
    #[serde(skip)]
    pub max_shrink: f64,
    /// What becomes of a build that was refused.
    #[serde(skip)]
    pub failed_builds: FailedBuilds,
}

impl Project {
    /// Takes over what `pipeline.yaml` says of the whole.
    pub fn settle(&mut self, root: PathBuf, pipeline: PipelineFile) {
        self.root = root;
        self.name = pipeline.name;
        self.description = pipeline.description;
        self.vars = pipeline.vars;
        self.targets = pipeline.targets;
        self.datasets = pipeline.datasets;
        self.jobs = pipeline.jobs;
        self.checkpoints = pipeline.checkpoints;
        self.notifications = pipeline.notifications;
        self.retries = pipeline.defaults.retries;
        self.step_timeout = pipeline.defaults.step_timeout.map(|duration| duration.0);
        self.keep_history = pipeline.defaults.keep_history.map(|duration| duration.0);
        self.max_shrink = pipeline.defaults.max_shrink;
        self.failed_builds = pipeline.defaults.failed_builds;
    }

    /// Whether an expectation belongs to a checkpoint.
    pub fn belongs(expectation: &Expectation, checkpoint: &Checkpoint) -> bool {
        let (suites, tags) = (&checkpoint.suites, &checkpoint.tags);
        (suites.is_empty() && tags.is_empty())
            || suites.contains(&expectation.suite)
            || expectation.tags.iter().any(|tag| tags.contains(tag))
    }

    /// Words that mark a node.
    pub fn tags_of(&self, address: &Address) -> &[String] {
        self.nodes.get(&address.name).map(|node| node.tags.as_slice()).unwrap_or_default()
    }

    /// The files that declare a node, relative to the project: its YAML file and its SQL file.
    pub fn paths_of(&self, address: &Address) -> Vec<String> {
        let Some(node) = self.nodes.get(&address.name) else { return Vec::new() };
        match &node.detail {
            Detail::Model(model) => vec![node.path.clone(), model.sql.name.clone()],
            Detail::Load(_) => vec![node.path.clone()],
        }
    }
}

/// A table or view that the manifest describes.
#[derive(Debug, Serialize, Deserialize)]
pub struct Node {
    /// What it is, by kind and name.
    pub address: Address,
    /// The dataset that it is built in.
    pub dataset: String,
    /// What it holds.
    pub description: Option<String>,
    /// Who answers for it.
    pub owner: Option<String>,
    /// Words to select it by.
    pub tags: Vec<String>,
    /// The file that declares it, relative to the project.
    pub path: String,
    /// Where its name stands.
    pub span: Span,
    /// The greatest share of its rows that it may lose, if it has a bound of its own.
    pub max_shrink: Option<f64>,
    /// How it is laid out, as far as that is declared.
    pub layout: DeclaredLayout,
    /// What is said of its table beside its description.
    pub properties: Properties,
    /// What is particular to its kind.
    pub detail: Detail,
}

impl Node {
    /// Its table's name: nodes are named as their tables.
    pub fn table(&self) -> &str {
        &self.address.name
    }

    /// `dataset.table`.
    pub fn relation(&self) -> String {
        format!("{}.{}", self.dataset, self.table())
    }

    /// Its declared columns with the words that mark them.
    pub fn column_tags(&self) -> Vec<(&str, &[String])> {
        match &self.detail {
            Detail::Load(load) => {
                load.columns.iter().map(|(name, column)| (name.as_str(), column.tags.as_slice())).collect()
            }
            Detail::Model(model) => {
                model.columns.iter().map(|(name, column)| (name.as_str(), column.tags.as_slice())).collect()
            }
        }
    }

    /// The name under which it is built: beside its table, so that publishing is a rename.
    pub fn build_name(&self) -> String {
        format!("{}__pipewright_build", self.table())
    }

    /// How it is kept in the target: files always become tables.
    pub fn materialization(&self) -> Materialization {
        match &self.detail {
            Detail::Model(model) => model.materialization,
            Detail::Load(_) => Materialization::Table,
        }
    }
}

/// What is particular to a kind of node.
#[derive(Debug, Serialize, Deserialize)]
pub enum Detail {
    /// A source or seed: files.
    Load(Load),
    /// A model: a query.
    Model(Model),
}

/// Files that become a table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Load {
    /// Paths and patterns, relative to the project.
    pub files: Vec<String>,
    /// Where the files are named.
    pub files_span: Span,
    /// How they are written.
    #[serde(with = "as_json")]
    pub format: Format,
    /// The declared columns.
    pub columns: IndexMap<String, LoadColumn>,
    /// What to do with further columns.
    pub on_new_column: NewColumn,
    /// What to do with missing ones.
    pub on_missing_column: MissingColumn,
    /// How many rows may be rejected.
    #[serde(with = "as_json")]
    pub max_rejects: RejectLimit,
}

impl Load {
    /// The declared columns' names and types.
    pub fn schema(&self) -> Vec<Column> {
        self.columns.iter().map(|(name, column)| Column::new(name, column.data_type.clone())).collect()
    }
}

/// A column of files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoadColumn {
    /// Its type.
    pub data_type: Type,
    /// Whether an empty value rejects its row.
    pub required: bool,
    /// What it holds.
    pub description: Option<String>,
    /// Words that mark it.
    pub tags: Vec<String>,
}

/// A query that becomes a table or view.
#[derive(Debug, Serialize, Deserialize)]
pub struct Model {
    /// Its query, a template.
    #[serde(with = "table::file")]
    pub sql: Arc<SourceFile>,
    /// How it is kept.
    pub materialization: Materialization,
    /// How new rows come into it; nothing for what is always built as a whole.
    pub incremental: Option<Increment>,
    /// What is declared of its columns.
    pub columns: IndexMap<String, ModelColumn>,
    /// How long building it may take.
    pub timeout: Option<std::time::Duration>,
}

/// How new rows come into a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Increment {
    /// What becomes of rows that are there.
    pub strategy: Strategy,
    /// The columns that no two new rows may have the same values in, or that no new row may lack; with their places.
    pub key: Vec<(String, Span)>,
    /// What to do when the columns have changed.
    pub on_schema_change: OnSchemaChange,
    /// What to do when the query has changed.
    pub on_query_change: OnQueryChange,
}

/// What is declared of a model's column.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ModelColumn {
    /// What it holds.
    pub description: Option<String>,
    /// The type that the query must give.
    pub data_type: Option<Type>,
    /// Words that mark it.
    pub tags: Vec<String>,
    /// Where it is declared.
    pub span: Span,
}

/// A dashboard with its queries' places.
#[derive(Debug, Serialize, Deserialize)]
pub struct Dashboard {
    /// The heading.
    pub title: String,
    /// What it is for.
    pub description: Option<String>,
    /// The file that declares it.
    pub path: String,
    /// Choices by name; queries read one as `@name`.
    pub filters: IndexMap<String, Filter>,
    /// Pages by name.
    pub tabs: IndexMap<String, Tab>,
}

/// A choice that queries read as a parameter.
#[derive(Debug, Serialize, Deserialize)]
pub struct Filter {
    /// The label.
    pub label: String,
    /// The parameter's type.
    pub data_type: FilterType,
    /// The query for the choices, a template.
    pub sql: MappedText,
    /// What is chosen at first.
    #[serde(with = "as_json")]
    pub default: Option<Scalar>,
}

impl Filter {
    /// The parameter's type in GoogleSQL.
    pub fn parameter_type(&self) -> Type {
        match self.data_type {
            FilterType::String => Type::String,
            FilterType::Int64 => Type::Int64,
            FilterType::Date => Type::Date,
        }
    }
}

/// One page of a dashboard.
#[derive(Debug, Serialize, Deserialize)]
pub struct Tab {
    /// The heading.
    pub title: String,
    /// The question that it answers.
    pub question: Option<String>,
    /// Tiles by name.
    pub tiles: IndexMap<String, Tile>,
}

/// One query of a dashboard.
#[derive(Debug, Serialize, Deserialize)]
pub struct Tile {
    /// The heading.
    pub title: String,
    /// What one should know to read it.
    pub description: Option<String>,
    /// How it is drawn.
    #[serde(with = "as_json")]
    pub chart: Chart,
    /// The query, a template.
    pub sql: MappedText,
    /// The columns that the chart draws, and where it names them.
    pub chart_columns: Vec<(String, Span)>,
}
