//! What is in the target, whoever made it: a few queries for all of it, however many tables there are.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use sqlparser::ast::{Expr, Value as Literal};

use super::super::{Relation, Result};
use super::api::Stop;
use super::job::{Jobs, Labels};
use super::place::Place;
use crate::googlesql::names::{Ident, Text};
use crate::googlesql::parse;
use crate::manifest::types::Materialization;
use crate::state::Object;

/// BigQuery counts the rows of a thousand tables at a time.
const COUNTED_AT_A_TIME: usize = 900;

/// All tables and views of some datasets, by `dataset.table` as the manifest calls them.
pub(super) fn objects(
    jobs: &Jobs,
    place: &Place,
    datasets: &BTreeSet<String>,
) -> Result<BTreeMap<String, Object>> {
    let mut objects = BTreeMap::new();
    if datasets.is_empty() {
        return Ok(objects);
    }
    let view = |dataset: &str, view: &str| {
        let path = format!("{}.{}", place.project, place.dataset(dataset));
        format!("{}.INFORMATION_SCHEMA.{view}", Ident(&path))
    };
    let parts: Vec<String> = datasets
        .iter()
        .map(|dataset| {
            let name = Text(dataset);
            format!(
                "SELECT {name} AS dataset, 0 AS what, table_name AS name, table_type AS one, '' AS other, 0 AS place \
                 FROM {tables} UNION ALL \
                 SELECT {name}, 1, table_name, option_value, '', 0 FROM {options} WHERE option_name = 'description' \
                 UNION ALL SELECT {name}, 2, table_name, column_name, data_type, ordinal_position FROM {columns}",
                tables = view(dataset, "TABLES"),
                options = view(dataset, "TABLE_OPTIONS"),
                columns = view(dataset, "COLUMNS"),
            )
        })
        .collect();
    let sql = format!("{} ORDER BY 1, 3, 2, 6", parts.join(" UNION ALL "));
    let (stop, labels) = (Stop::default(), Labels::new());
    for row in jobs.query(&stop, &labels, &sql, &[])?.objects() {
        let told = |key: &str| row[key].as_str().unwrap_or_default();
        let name = format!("{}.{}", told("dataset"), told("name"));
        match row["what"].as_i64() {
            Some(0) => {
                let materialization =
                    if told("one").contains("VIEW") { Materialization::View } else { Materialization::Table };
                objects
                    .insert(name, Object { materialization, columns: Vec::new(), comment: None, rows: None });
            }
            Some(1) => {
                if let Some(object) = objects.get_mut(&name) {
                    object.comment = Some(unquoted(told("one")));
                }
            }
            _ => {
                if let Some(object) = objects.get_mut(&name) {
                    object.columns.push((told("one").to_owned(), told("other").to_owned()));
                }
            }
        }
    }
    count(jobs, &view, &mut objects)?;
    Ok(objects)
}

/// The rows of the tables that Pipewright made.
fn count(
    jobs: &Jobs,
    view: &dyn Fn(&str, &str) -> String,
    objects: &mut BTreeMap<String, Object>,
) -> Result<()> {
    let made: Vec<Relation> = objects
        .iter()
        .filter(|(_, object)| object.materialization == Materialization::Table && object.mark().is_some())
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
                    "SELECT {} AS dataset, table_name AS name, SUM(total_rows) AS counted FROM {} \
                     WHERE table_name IN ({}) GROUP BY table_name",
                    Text(dataset),
                    view(dataset, "PARTITIONS"),
                    tables.join(", ")
                )
            })
            .collect();
        let sql = parts.join(" UNION ALL ");
        for row in jobs.query(&Stop::default(), &Labels::new(), &sql, &[])?.objects() {
            let told = |key: &str| row[key].as_str().unwrap_or_default();
            let object = objects.get_mut(&format!("{}.{}", told("dataset"), told("name")));
            if let (Some(object), Some(rows)) = (object, counted(&row["counted"])) {
                object.rows = Some(rows);
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
