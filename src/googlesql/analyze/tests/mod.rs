//! Tests of the analysis: tables of queries with what Google's analyzer says of them, lineage, and the questions
//! recorded from BigQuery.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::{Analysis, Catalog, Options, Parameters, Table, analyze_query};
use crate::googlesql::{Column, SqlFault, Type, parse};

mod faults;
mod lineage;
mod recorded;
mod types;

/// A catalog in memory.
#[derive(Debug, Default)]
pub(super) struct Tables(BTreeMap<String, Vec<Column>>);

impl Tables {
    fn add(&mut self, name: &str, columns: &[(&str, &str)]) {
        let columns = columns
            .iter()
            .map(|(name, data_type)| Column::new(*name, Type::parse(data_type).expect("a type")))
            .collect();
        self.0.insert(name.to_owned(), columns);
    }
}

impl Catalog for Tables {
    fn table(&self, path: &[String]) -> Option<Table<'_>> {
        let tail = path.get(path.len().saturating_sub(2)..)?.join(".");
        let (name, columns) = self.0.get_key_value(&tail)?;
        Some(Table { name: Cow::Borrowed(name), columns: Cow::Borrowed(columns), open: false })
    }

    fn table_names(&self) -> Vec<String> {
        self.0.keys().cloned().collect()
    }
}

/// One table with a column of each type, and two of a shop.
fn tables() -> Tables {
    let mut tables = Tables::default();
    tables.add(
        "ds.t",
        &[
            ("i", "INT64"),
            ("f", "FLOAT64"),
            ("n", "NUMERIC"),
            ("bn", "BIGNUMERIC"),
            ("s", "STRING"),
            ("b", "BYTES"),
            ("d", "DATE"),
            ("dt", "DATETIME"),
            ("tm", "TIME"),
            ("ts", "TIMESTAMP"),
            ("iv", "INTERVAL"),
            ("j", "JSON"),
            ("g", "GEOGRAPHY"),
            ("bo", "BOOL"),
            ("ai", "ARRAY<INT64>"),
            ("as_", "ARRAY<STRING>"),
            ("st", "STRUCT<x INT64, y STRING>"),
            ("ast", "ARRAY<STRUCT<x INT64, y STRING>>"),
            ("rd", "RANGE<DATE>"),
        ],
    );
    tables.add("ds.u", &[("i", "INT64"), ("k", "STRING"), ("v", "FLOAT64")]);
    tables.add(
        "shop.orders",
        &[
            ("order_id", "STRING"),
            ("customer_id", "STRING"),
            ("placed_at", "TIMESTAMP"),
            ("status", "STRING"),
        ],
    );
    tables.add("shop.items", &[("order_id", "STRING"), ("price", "NUMERIC"), ("freight", "NUMERIC")]);
    tables
}

fn analyze_with(sql: &str, options: Options) -> Result<Analysis, Vec<SqlFault>> {
    let parameters: Parameters =
        [("p", Type::String), ("pi", Type::Int64), ("pd", Type::Date)].into_iter().collect();
    let query = parse::query(sql).map_err(|fault| vec![fault])?;
    analyze_query(&query, &tables(), &parameters, options)
}

fn analyze(sql: &str) -> Result<Analysis, Vec<SqlFault>> {
    analyze_with(sql, Options::default())
}
