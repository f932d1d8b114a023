//! The queries that count and show failing rows.

use std::fmt::Write;

use crate::googlesql::names::{Ident, literal};
use crate::googlesql::{Column, Type};
use crate::manifest::types::Scalar;
use crate::project::{Address, Expectation, ExpectationKind};

use super::Rule;

/// A table under audit: its name in GoogleSQL, its columns, and the names of the others.
pub struct Audited<'a> {
    /// The table's quoted name: the build that is audited, or the published table.
    pub table: &'a str,
    /// Its columns.
    pub columns: &'a [Column],
    /// Quoted names of other tables.
    pub relation: &'a dyn Fn(&Address) -> String,
}

/// One expectation as GoogleSQL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckSql {
    /// Aggregates over the table that give rows looked at, rows failing, and an observed number (NULL where
    /// there is none), each INT64; or nothing, where the counts need a query of their own.
    pub aggregates: Option<[String; 3]>,
    /// A query of one row with those three, where they need one.
    pub own_query: Option<String>,
    /// A query that shows failing rows.
    pub sample: Option<String>,
    /// What the three numbers mean.
    pub rule: Rule,
}

/// A value of the manifest that does not fit its column.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct BadValue {
    /// Its key in the expectation: `min`, `values/0`.
    pub key: String,
    /// What does not fit.
    pub message: String,
}

/// The SQL of an expectation.
///
/// # Errors
/// A value of the manifest that does not fit its column, in words.
pub fn checks(expectation: &Expectation, audited: &Audited<'_>) -> Result<CheckSql, BadValue> {
    let literal = |key: &str, value: &Scalar, data_type: &Type| {
        literal(value, data_type).map_err(|message| BadValue { key: key.to_owned(), message })
    };
    let filter = expectation.filter.as_ref().map(|sql| format!("({})", sql.text.trim()));
    let writer = Writer { expectation, audited, filter };
    match &expectation.kind {
        ExpectationKind::NotNull { column } => {
            let column = Ident(column);
            Ok(writer.rows(None, &format!("{column} IS NOT NULL")))
        }
        ExpectationKind::AcceptedValues { column, values } => {
            let data_type = audited.type_of(column);
            let values: Vec<String> = values
                .iter()
                .enumerate()
                .map(|(index, value)| literal(&format!("values/{index}"), value, &data_type))
                .collect::<Result<_, _>>()?;
            let column = Ident(column);
            Ok(writer
                .rows(Some(format!("{column} IS NOT NULL")), &format!("{column} IN ({})", values.join(", "))))
        }
        ExpectationKind::Between { column, min, max } => {
            let data_type = audited.type_of(column);
            let column = Ident(column);
            let mut bounds = Vec::new();
            for (key, operator, bound) in [("min", ">=", min), ("max", "<=", max)] {
                if let Some(bound) = bound {
                    bounds.push(format!("{column} {operator} {}", literal(key, bound, &data_type)?));
                }
            }
            Ok(writer.rows(Some(format!("{column} IS NOT NULL")), &bounds.join(" AND ")))
        }
        ExpectationKind::Expression { sql } => {
            let condition = format!("({})", sql.text.trim());
            Ok(writer.rows(Some(format!("{condition} IS NOT NULL")), &condition))
        }
        ExpectationKind::Unique { columns } => Ok(writer.unique(columns)),
        ExpectationKind::Relationships { column, to, field } => Ok(writer.relationships(column, to, field)),
        ExpectationKind::RowCount { min, max, equals } => Ok(CheckSql {
            aggregates: Some([
                "COUNT(*)".to_owned(),
                "0".to_owned(),
                match equals {
                    Some(other) => format!("(SELECT COUNT(*) FROM {})", (audited.relation)(other)),
                    None => "CAST(NULL AS INT64)".to_owned(),
                },
            ]),
            own_query: None,
            sample: None,
            rule: Rule::RowCount { min: *min, max: *max, equals: equals.is_some() },
        }),
        ExpectationKind::Freshness { column, max_age } => {
            let newest = match audited.type_of(column) {
                Type::Timestamp => format!("MAX({})", Ident(column)),
                _ => format!("TIMESTAMP(MAX({}))", Ident(column)),
            };
            Ok(CheckSql {
                aggregates: Some(["COUNT(*)".to_owned(), "0".to_owned(), format!("UNIX_SECONDS({newest})")]),
                own_query: None,
                sample: None,
                rule: Rule::Freshness { max_age_seconds: max_age.as_secs() },
            })
        }
    }
}

impl Audited<'_> {
    fn type_of(&self, name: &str) -> Type {
        self.columns
            .iter()
            .find(|column| column.name.eq_ignore_ascii_case(name))
            .map_or(Type::Unknown, |column| column.data_type.clone())
    }
}

struct Writer<'a> {
    expectation: &'a Expectation,
    audited: &'a Audited<'a>,
    filter: Option<String>,
}

impl Writer<'_> {
    /// A condition on each row; rows outside of `looked_at` are skipped.
    fn rows(&self, looked_at: Option<String>, holds: &str) -> CheckSql {
        let looked_at: Vec<String> = self.filter.iter().cloned().chain(looked_at).collect();
        let checked = match looked_at.as_slice() {
            [] => "COUNT(*)".to_owned(),
            conditions => format!("COUNTIF({})", conditions.join(" AND ")),
        };
        let failing: Vec<String> = looked_at.iter().cloned().chain([format!("NOT ({holds})")]).collect();
        let failing = failing.join(" AND ");
        CheckSql {
            aggregates: Some([checked, format!("COUNTIF({failing})"), "CAST(NULL AS INT64)".to_owned()]),
            own_query: None,
            sample: Some(format!(
                "SELECT * FROM {} WHERE {failing} LIMIT {}",
                self.audited.table, self.expectation.sample_rows
            )),
            rule: self.rule(),
        }
    }

    fn unique(&self, columns: &[String]) -> CheckSql {
        let keys: Vec<String> = columns.iter().map(|column| Ident(column).to_string()).collect();
        let list = keys.join(", ");
        let conditions: Vec<String> =
            self.filter.iter().cloned().chain(keys.iter().map(|key| format!("{key} IS NOT NULL"))).collect();
        let table = self.audited.table;
        let conditions = conditions.join(" AND ");
        CheckSql {
            aggregates: None,
            own_query: Some(format!(
                "SELECT COALESCE(SUM(n), 0) AS c0, COALESCE(SUM(IF(n > 1, n, 0)), 0) AS f0, CAST(NULL AS INT64) AS o0 \
                 FROM (SELECT COUNT(*) AS n FROM {table} WHERE {conditions} GROUP BY {list})"
            )),
            sample: Some(format!(
                "SELECT {list}, COUNT(*) AS rows_with_this_key FROM {table} WHERE {conditions} GROUP BY {list} \
                 HAVING COUNT(*) > 1 ORDER BY rows_with_this_key DESC, {list} LIMIT {}",
                self.expectation.sample_rows
            )),
            rule: self.rule(),
        }
    }

    fn relationships(&self, column: &str, to: &Address, field: &str) -> CheckSql {
        let (column, field) = (Ident(column), Ident(field));
        let other = (self.audited.relation)(to);
        let table = self.audited.table;
        let mut conditions = self.filter.iter().cloned().collect::<Vec<_>>();
        conditions.push(format!("{column} IS NOT NULL"));
        let looked_at = conditions.join(" AND ");
        let known = format!("{column} IN (SELECT {field} FROM {other} WHERE {field} IS NOT NULL)");
        CheckSql {
            aggregates: None,
            own_query: Some(format!(
                "SELECT COUNT(*) AS c0, COUNTIF(NOT known) AS f0, CAST(NULL AS INT64) AS o0 \
                 FROM (SELECT {known} AS known FROM {table} WHERE {looked_at})"
            )),
            sample: Some(format!(
                "SELECT * FROM {table} WHERE {looked_at} AND NOT ({known}) LIMIT {}",
                self.expectation.sample_rows
            )),
            rule: self.rule(),
        }
    }

    fn rule(&self) -> Rule {
        Rule::Rows { mostly: self.expectation.mostly.to_bits() }
    }
}

/// One query for all checks that aggregate over the table: columns `c0, f0, o0, c1, …` by their place.
pub fn combine(table: &str, aggregates: &[&[String; 3]]) -> String {
    let mut sql = String::from("SELECT ");
    for (index, [checked, failing, observed]) in aggregates.iter().enumerate() {
        let comma = if index == 0 { "" } else { ", " };
        // Writing to a string cannot fail.
        let _ = write!(sql, "{comma}{checked} AS c{index}, {failing} AS f{index}, {observed} AS o{index}");
    }
    let _ = write!(sql, " FROM {table}");
    sql
}
