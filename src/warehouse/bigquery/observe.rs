//! What is in the target, whoever made it: a few queries for all of it, however many tables there are.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use sqlparser::ast::{Expr, Value as Literal};

use super::super::{Relation, Result};
use super::job::{Jobs, Labels};
use super::layout;
use super::place::Place;
use crate::googlesql::names::{Ident, Text};
use crate::googlesql::parse;
use crate::manifest::types::{Granularity, Materialization};
use crate::project::ColumnProperties;
use crate::state::{Object, Observed};

/// BigQuery counts the rows of a thousand tables at a time.
const COUNTED_AT_A_TIME: usize = 900;

/// All tables and views of some datasets, by `dataset.table` as the manifest calls them.
pub(super) fn objects(
    jobs: &Jobs,
    labels: &Labels,
    place: &Place,
    datasets: &BTreeSet<String>,
) -> Result<BTreeMap<String, Object>> {
    let mut objects = BTreeMap::new();
    if datasets.is_empty() {
        return Ok(objects);
    }
    let view = |dataset: &str, view: &str| view_of(place, dataset, view);
    let parts: Vec<String> = datasets
        .iter()
        .map(|dataset| {
            let name = Text(dataset);
            format!(
                "SELECT {name} AS dataset, 0 AS what, table_name AS name, table_type AS one, '' AS other, 0 AS place \
                 FROM {tables} UNION ALL \
                 SELECT {name}, 1, table_name, option_value, option_name, 0 FROM {options} WHERE option_name IN \
                 ('description', 'labels', 'require_partition_filter', 'partition_expiration_days', 'expiration_timestamp') \
                 UNION ALL SELECT {name}, 2, table_name, column_name, data_type, ordinal_position FROM {columns} \
                 UNION ALL SELECT {name}, 3, table_name, column_name, is_partitioning_column, \
                 IFNULL(clustering_ordinal_position, 0) FROM {columns} \
                 WHERE is_partitioning_column = 'YES' OR clustering_ordinal_position IS NOT NULL \
                 UNION ALL SELECT {name}, 4, table_name, view_definition, '', 0 FROM {views}",
                views = view(dataset, "VIEWS"),
                tables = view(dataset, "TABLES"),
                options = view(dataset, "TABLE_OPTIONS"),
                columns = view(dataset, "COLUMNS"),
            )
        })
        .collect();
    let sql = format!("{} ORDER BY 1, 3, 2, 6", parts.join(" UNION ALL "));
    for row in jobs.look_up(labels, &sql, &[])?.objects() {
        let told = |key: &str| row[key].as_str().unwrap_or_default();
        let name = format!("{}.{}", told("dataset"), told("name"));
        match row["what"].as_i64() {
            Some(0) => {
                let materialization =
                    if told("one").contains("VIEW") { Materialization::View } else { Materialization::Table };
                let materialized_view = told("one").starts_with("MATERIALIZED");
                let observed = Some(Observed { materialized_view, ..Observed::default() });
                let (columns, comment, rows, partitions) = (Vec::new(), None, None, None);
                objects
                    .insert(name, Object { materialization, columns, comment, rows, partitions, observed });
            }
            Some(1) => {
                if let Some(object) = objects.get_mut(&name) {
                    option(object, told("other"), told("one"));
                }
            }
            Some(3) => {
                if let Some(observed) = objects.get_mut(&name).and_then(|object| object.observed.as_mut()) {
                    if told("other") == "YES" {
                        observed.partition_by = Some(told("one").to_owned());
                    }
                    // They come in their order.
                    if row["place"].as_i64().is_some_and(|place| place > 0) {
                        observed.cluster_by.push(told("one").to_owned());
                    }
                }
            }
            Some(4) => {
                if let Some(observed) = objects.get_mut(&name).and_then(|object| object.observed.as_mut()) {
                    observed.query = Some(layout::query_print(told("one")));
                }
            }
            _ => {
                if let Some(object) = objects.get_mut(&name) {
                    object.columns.push((told("one").to_owned(), told("other").to_owned()));
                }
            }
        }
    }
    count(jobs, labels, &view, &mut objects)?;
    Ok(objects)
}

fn view_of(place: &Place, dataset: &str, view: &str) -> String {
    let path = format!("{}.{}", place.project, place.dataset(dataset));
    format!("{}.INFORMATION_SCHEMA.{view}", Ident(&path))
}

/// Looks at what is said of the columns of all tables and views of some datasets. A server that has no view of it is asked in
/// vain: then nothing is known of it.
pub(super) fn columns(
    jobs: &Jobs,
    labels: &Labels,
    place: &Place,
    datasets: &BTreeSet<String>,
    objects: &mut BTreeMap<String, Object>,
) -> Result<()> {
    let parts: Vec<String> = datasets
        .iter()
        .map(|dataset| {
            format!(
                "SELECT {} AS dataset, table_name AS name, field_path AS path, IFNULL(description, '') AS description, \
                 IFNULL(ARRAY_TO_STRING(policy_tags, ','), '') AS tags FROM {} \
                 WHERE description IS NOT NULL OR ARRAY_LENGTH(policy_tags) > 0",
                Text(dataset),
                view_of(place, dataset, "COLUMN_FIELD_PATHS")
            )
        })
        .collect();
    if parts.is_empty() {
        return Ok(());
    }
    let said = match jobs.look_up(labels, &parts.join(" UNION ALL "), &[]) {
        Ok(said) => said,
        Err(error) if error.is_of_query() => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    let observed = objects.values_mut().map(|object| object.observed.get_or_insert_default());
    observed.for_each(|observed| observed.columns = Some(BTreeMap::new()));
    for row in said.objects() {
        let told = |key: &str| row[key].as_str().map(str::to_owned).filter(|text| !text.is_empty());
        let (Some(dataset), Some(name), Some(path)) = (told("dataset"), told("name"), told("path")) else {
            continue;
        };
        let observed =
            objects.get_mut(&format!("{dataset}.{name}")).and_then(|object| object.observed.as_mut());
        let columns = observed.and_then(|observed| observed.columns.as_mut());
        let said = ColumnProperties { description: told("description"), policy_tag: told("tags") };
        columns.map(|columns| columns.insert(path.to_lowercase(), said));
    }
    Ok(())
}

/// What an option of a table says, which is given as the literal that it was written as.
fn option(object: &mut Object, name: &str, literal: &str) {
    let observed = object.observed.get_or_insert_default();
    match name {
        "require_partition_filter" => {
            observed.require_partition_filter = literal.eq_ignore_ascii_case("true");
        }
        "partition_expiration_days" => {
            observed.partition_expires_ms = layout::milliseconds_of_days(literal);
        }
        "expiration_timestamp" => observed.expires = true,
        "labels" => {
            observed.labels = layout::labels_in(literal);
            observed.mark = observed.labels.get(layout::MARK).cloned();
        }
        _ => object.comment = Some(unquoted(literal)),
    }
}

fn is_marked(object: &Object) -> bool {
    object.mark().is_some() || object.observed.as_ref().is_some_and(|observed| observed.mark.is_some())
}

/// The rows and partitions of the tables that Pipewright made, and when they were last written. Partitions have names of their
/// time, but for those of rows without one, `__NULL__`.
fn count(
    jobs: &Jobs,
    labels: &Labels,
    view: &dyn Fn(&str, &str) -> String,
    objects: &mut BTreeMap<String, Object>,
) -> Result<()> {
    let made: Vec<Relation> = objects
        .iter()
        .filter(|(_, object)| object.materialization == Materialization::Table && is_marked(object))
        .map(|(name, _)| Relation::parse(name))
        .collect();
    for some in made.chunks(COUNTED_AT_A_TIME) {
        let mut by_dataset: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for relation in some {
            let names = by_dataset.entry(&relation.dataset).or_default();
            names.push(Text(&relation.table).to_string());
        }
        let parts: Vec<String> = by_dataset
            .iter()
            .map(|(dataset, tables)| {
                format!(
                    "SELECT {} AS dataset, table_name AS name, SUM(total_rows) AS counted, \
                     UNIX_MILLIS(MAX(last_modified_time)) AS written, COUNT(partition_id) AS parts, \
                     MAX(IF(STARTS_WITH(partition_id, '_'), NULL, LENGTH(partition_id))) AS digits FROM {} WHERE table_name IN ({}) GROUP BY table_name",
                    Text(dataset),
                    view(dataset, "PARTITIONS"),
                    tables.join(", ")
                )
            })
            .collect();
        let sql = parts.join(" UNION ALL ");
        for row in jobs.look_up(labels, &sql, &[])?.objects() {
            let told = |key: &str| row[key].as_str().unwrap_or_default();
            let object = objects.get_mut(&format!("{}.{}", told("dataset"), told("name")));
            if let Some(object) = object {
                object.rows = counted(&row["counted"]);
                object.partitions = counted(&row["parts"]).filter(|parts| *parts > 0);
                let observed = object.observed.get_or_insert_default();
                observed.written_ms = counted(&row["written"]);
                observed.granularity = counted(&row["digits"]).and_then(Granularity::from_digits);
            }
        }
        // A table without a row may have no partition to count.
        for relation in some {
            if let Some(object) = objects.get_mut(&relation.to_string()) {
                object.rows.get_or_insert(0);
            }
        }
    }
    Ok(())
}

fn counted(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}

/// The text of an option, which is given as the literal that it was written as.
fn unquoted(literal: &str) -> String {
    match parse::expression(literal) {
        Ok(Expr::Value(value)) => match value.value {
            Literal::SingleQuotedString(text)
            | Literal::DoubleQuotedString(text)
            | Literal::TripleSingleQuotedString(text)
            | Literal::TripleDoubleQuotedString(text) => text,
            _ => literal.to_owned(),
        },
        _ => literal.to_owned(),
    }
}
