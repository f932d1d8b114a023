//! How tables are laid out and governed: what the manifest says of it, checked as far as no types are needed.

use std::collections::BTreeMap;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use super::LoadColumn;
use super::resolve::Resolver;
use crate::diag::{Code, Diagnostic, Span};
use crate::googlesql::Type;
use crate::manifest::types::{self, Granularity, IntegerRange, Materialized, PartitionBy};
use crate::manifest::yaml::{Document, escape_pointer};

/// How a table is laid out. Another layout is another table.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Layout {
    /// What parts it.
    pub partition: Option<Partition>,
    /// The columns by which rows lie together.
    pub cluster_by: Vec<String>,
    /// Whether it is a view whose result is kept.
    pub materialized_view: bool,
}

impl Layout {
    /// What differs from another layout, in words: `partitioning`, `clustering`.
    pub fn differs(&self, other: &Self) -> Vec<String> {
        let parts = [
            ("partitioning", self.partition != other.partition),
            ("clustering", self.cluster_by != other.cluster_by),
            ("way it is kept", self.materialized_view != other.materialized_view),
        ];
        parts.into_iter().filter(|(_, differs)| *differs).map(|(what, _)| what.to_owned()).collect()
    }
}

/// What parts a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Partition {
    /// The column.
    pub column: String,
    /// Its type.
    pub data_type: Type,
    /// How its values are put together.
    pub parts: Parts,
}

/// How the values of a column are put together into partitions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Parts {
    /// By time.
    By(Granularity),
    /// By number.
    Range(IntegerRange),
}

/// What can be said of a table without building it anew, beside its comment.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Properties {
    /// How long it is kept, in milliseconds.
    pub expires_ms: Option<u64>,
    /// How long its partitions are kept, in milliseconds.
    pub partition_expires_ms: Option<u64>,
    /// Whether queries must say which partitions they read.
    pub require_partition_filter: bool,
    /// Labels by name.
    pub labels: BTreeMap<String, String>,
    /// What is said of columns, by name.
    pub columns: BTreeMap<String, ColumnProperties>,
}

/// What is said of a column.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ColumnProperties {
    /// What it holds.
    pub description: Option<String>,
    /// Who may read it.
    pub policy_tag: Option<String>,
}

/// A layout as it is declared, before the types of its columns are known.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeclaredLayout {
    /// What parts the table.
    pub partition: Option<DeclaredPartition>,
    /// The columns by which rows lie together.
    pub cluster_by: Vec<(String, Span)>,
    /// Whether it is a view whose result is kept.
    pub materialized_view: bool,
}

/// A partition as it is declared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeclaredPartition {
    /// The column.
    pub column: String,
    /// Where it is named.
    pub span: Span,
    /// How its values are put together, if that is said.
    pub parts: Option<Parts>,
    /// Whether it is what `insert_overwrite` replaces: where its type has no days, there are no partitions.
    pub implied: bool,
}

/// BigQuery makes no more partitions than these of one table.
const MOST_PARTITIONS: i128 = 10_000;
/// The most columns that rows are put together by.
const MOST_CLUSTERS: usize = 4;

/// What a model, source or seed says of its layout.
pub(super) struct Settings<'a> {
    pub(super) partition_by: Option<&'a PartitionBy>,
    pub(super) cluster_by: &'a [String],
    pub(super) labels: &'a IndexMap<String, String>,
}

impl<'a> From<&'a types::Source> for Settings<'a> {
    fn from(source: &'a types::Source) -> Self {
        let types::Source { partition_by, cluster_by, labels, .. } = source;
        Self { partition_by: partition_by.as_ref(), cluster_by, labels }
    }
}

impl<'a> From<&'a types::Seed> for Settings<'a> {
    fn from(seed: &'a types::Seed) -> Self {
        let types::Seed { partition_by, cluster_by, labels, .. } = seed;
        Self { partition_by: partition_by.as_ref(), cluster_by, labels }
    }
}

/// A value out of the manifest that makes no sense, with why and what to do.
struct Senseless<'a> {
    pointer: String,
    message: String,
    help: &'a str,
}

impl Resolver<'_> {
    fn senseless(&mut self, document: &Document, fault: Senseless<'_>) {
        self.faults.push(
            Diagnostic::error(Code::BadValue, fault.message)
                .at(document.value_span(&fault.pointer), "here")
                .help(fault.help),
        );
    }

    /// The layout of what a table is declared as.
    pub(super) fn layout(
        &mut self,
        document: &Document,
        pointer: &str,
        settings: &Settings<'_>,
    ) -> DeclaredLayout {
        let partition = settings.partition_by.map(|by| self.partition(document, pointer, by));
        let mut cluster_by: Vec<(String, Span)> = Vec::new();
        for (at, column) in settings.cluster_by.iter().enumerate() {
            let pointer = format!("{pointer}/cluster_by/{at}");
            if cluster_by.iter().any(|(other, _)| other.eq_ignore_ascii_case(column)) {
                let message = format!("the table is clustered by `{column}` twice");
                self.senseless(document, Senseless { pointer, message, help: "name each column once" });
                continue;
            }
            cluster_by.push((column.clone(), document.value_span(&pointer)));
        }
        if cluster_by.len() > MOST_CLUSTERS {
            let (pointer, message) =
                (format!("{pointer}/cluster_by"), "more than four columns to cluster by".to_owned());
            let help = "BigQuery takes four: keep those that queries filter by most";
            self.senseless(document, Senseless { pointer, message, help });
        }
        DeclaredLayout { partition, cluster_by, materialized_view: false }
    }

    fn partition(&mut self, document: &Document, pointer: &str, by: &PartitionBy) -> DeclaredPartition {
        let pointer = format!("{pointer}/partition_by");
        let (place, parts) = match by {
            PartitionBy::Column(_) => (pointer.clone(), None),
            PartitionBy::Parts(parts) => {
                let place = format!("{pointer}/column");
                let parts = match (parts.granularity, parts.range) {
                    (Some(_), Some(range)) => {
                        let message = "a granularity and a range: no column can have both".to_owned();
                        let help = "`granularity` is for DATE, DATETIME and TIMESTAMP, `range` for INT64";
                        self.senseless(
                            document,
                            Senseless { pointer: format!("{pointer}/range"), message, help },
                        );
                        Some(Parts::Range(range))
                    }
                    (Some(granularity), None) => Some(Parts::By(granularity)),
                    (None, Some(range)) => {
                        self.range(document, &format!("{pointer}/range"), range);
                        Some(Parts::Range(range))
                    }
                    (None, None) => None,
                };
                (place, parts)
            }
        };
        let (column, span) = (by.column().to_owned(), document.value_span(&place));
        DeclaredPartition { column, span, parts, implied: false }
    }

    fn range(&mut self, document: &Document, pointer: &str, range: IntegerRange) {
        let IntegerRange { start, end, interval } = range;
        let (key, message) = if interval <= 0 {
            ("interval", "an interval holds at least one number".to_owned())
        } else if end <= start {
            ("end", format!("a range from {start} to {end} holds no number"))
        } else if (i128::from(end) - i128::from(start)) / i128::from(interval) > MOST_PARTITIONS {
            ("interval", "more partitions than BigQuery makes of a table, which is 10,000".to_owned())
        } else {
            return;
        };
        let help = "partitions hold the numbers from `start` to below `end`, `interval` of them each";
        self.senseless(document, Senseless { pointer: format!("{pointer}/{key}"), message, help });
    }

    /// The layout of a source or seed, and what is said of its table beside it.
    pub(super) fn load_layout(
        &mut self,
        document: &Document,
        pointer: &str,
        settings: &Settings<'_>,
        columns: &IndexMap<String, LoadColumn>,
    ) -> (DeclaredLayout, Properties) {
        let layout = self.layout(document, pointer, settings);
        let described = |(name, column): (&String, &LoadColumn)| {
            let description = Some(column.description.clone()?);
            Some((name.clone(), ColumnProperties { description, policy_tag: None }))
        };
        let labels = self.labels(document, pointer, settings.labels);
        let columns = columns.iter().filter_map(described).collect();
        (layout, Properties { labels, columns, ..Properties::default() })
    }

    /// The layout of a model, and what is said of its table beside it.
    pub(super) fn model_layout(
        &mut self,
        document: &Document,
        pointer: &str,
        model: &types::Model,
        kept: Materialized,
    ) -> (DeclaredLayout, Properties) {
        let (partition_by, cluster_by) = (model.partition_by.as_ref(), model.cluster_by.as_slice());
        let settings = Settings { partition_by, cluster_by, labels: &model.labels };
        let mut layout = self.layout(document, pointer, &settings);
        let labels = self.labels(document, pointer, &model.labels);
        layout.materialized_view = kept == Materialized::MaterializedView;
        let mut has_partitions = layout.partition.is_some();
        let overwritten = model.incremental.as_ref().and_then(|settings| settings.partition_by.clone());
        if let (None, Some(column), Materialized::Incremental) = (&layout.partition, overwritten, kept) {
            let span = document.value_span(&format!("{pointer}/incremental/partition_by"));
            layout.partition = Some(DeclaredPartition { column, span, parts: None, implied: true });
            has_partitions = true;
        }
        let given = [
            ("partition_by", model.partition_by.is_some()),
            ("cluster_by", !model.cluster_by.is_empty()),
            ("require_partition_filter", model.require_partition_filter),
            ("partition_expires_after", model.partition_expires_after.is_some()),
        ];
        let of_partitions = ["require_partition_filter", "partition_expires_after"];
        for (key, _) in given.into_iter().filter(|(_, given)| *given) {
            let (message, help) = match kept {
                Materialized::View => (
                    format!("`{key}` is for tables, and this is a view"),
                    "a view stores nothing: set it on the tables that it reads, or take it out",
                ),
                Materialized::MaterializedView if of_partitions.contains(&key) => (
                    format!("`{key}` is for tables, and this is a materialized view"),
                    "set it on the tables that it reads, or take it out",
                ),
                _ if of_partitions.contains(&key) && !has_partitions => {
                    (format!("`{key}` of a table without partitions"), "give `partition_by`, or take it out")
                }
                _ => continue,
            };
            self.senseless(document, Senseless { pointer: format!("{pointer}/{key}"), message, help });
        }
        let range = matches!(&layout.partition, Some(DeclaredPartition { parts: Some(Parts::Range(_)), .. }));
        if model.partition_expires_after.is_some() && range {
            let message = "partitions of numbers do not grow old".to_owned();
            let help = "`partition_expires_after` is for partitions of DATE, DATETIME and TIMESTAMP columns";
            let pointer = format!("{pointer}/partition_expires_after");
            self.senseless(document, Senseless { pointer, message, help });
        }
        let lasting = [
            ("partition_expires_after", model.partition_expires_after),
            ("expires_after", model.expires_after),
        ];
        for (key, duration) in lasting {
            if duration.is_some_and(|duration| duration.0.is_zero()) {
                let (pointer, message) = (format!("{pointer}/{key}"), "it would be gone at once".to_owned());
                let help = "give a time such as `30d`, or take it out";
                self.senseless(document, Senseless { pointer, message, help });
            }
        }
        let mut columns = BTreeMap::new();
        for (name, column) in &model.columns {
            if column.policy_tag.is_some()
                && matches!(kept, Materialized::View | Materialized::MaterializedView)
            {
                let pointer = format!("{pointer}/columns/{}/policy_tag", escape_pointer(name));
                let message = "a policy tag on a column of a view".to_owned();
                let help = "BigQuery keeps policy tags on the columns of tables; those of the tables that a view reads \
                            hold for it too";
                self.senseless(document, Senseless { pointer, message, help });
            }
            let (description, policy_tag) = (column.description.clone(), column.policy_tag.clone());
            if description.is_some() || policy_tag.is_some() {
                columns.insert(name.clone(), ColumnProperties { description, policy_tag });
            }
        }
        let milliseconds = |duration: types::DurationText| u64::try_from(duration.0.as_millis()).ok();
        let properties = Properties {
            expires_ms: model.expires_after.and_then(milliseconds),
            partition_expires_ms: model.partition_expires_after.and_then(milliseconds),
            require_partition_filter: model.require_partition_filter,
            labels,
            columns,
        };
        (layout, properties)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_is_told_in_words() {
        let partition =
            Partition { column: "day".to_owned(), data_type: Type::Date, parts: Parts::By(Granularity::Day) };
        let none = Layout::default();
        let both = Layout { partition: Some(partition), cluster_by: vec!["id".to_owned()], ..none.clone() };
        assert_eq!(both.differs(&none), ["partitioning", "clustering"]);
        assert!(both.differs(&both).is_empty());
        let view = Layout { materialized_view: true, ..none.clone() };
        assert_eq!(none.differs(&view), ["way it is kept"]);
    }
}
