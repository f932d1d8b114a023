//! The checks of a node as queries in the target's own SQL.

use super::{Audit, AuditQuery, Check};
use crate::compile::{CompiledNode, CompiledProject, Dialect, audit_sql};
use crate::diag::{Code, Diagnostic};
use crate::expectations::{CheckSql, combine};
use crate::googlesql::names::Ident;
use crate::googlesql::{Column, Type, duckdb, parse};
use crate::manifest::types::Materialization;

/// The audit of a node's table, under the name that is audited: a build or the published table.
///
/// # Errors
/// SQL that compiling should have refused: a fault of Pipewright.
pub fn audit(
    compiled: &CompiledProject,
    node: &CompiledNode,
    table: &str,
    materialization: Materialization,
) -> Result<Audit, Diagnostic> {
    let project = &compiled.project;
    let Some(declared) = project.nodes.get(&node.address.name) else { return Ok(Audit::default()) };
    let quoted = compiled.naming.relation(&declared.dataset, table);
    let relation = |address: &_| compiled.naming.relation_of(project, address);
    let mut checks = Vec::new();
    let mut shared: Vec<(usize, [String; 3])> = Vec::new();
    let mut queries = Vec::new();
    let native = |sql: &str| native(sql, compiled.naming.dialect);
    for check in compiled.checks.get(&node.address).into_iter().flatten() {
        let CheckSql { aggregates, own_query, sample, rule } =
            audit_sql(project, check, &node.columns, &quoted, &relation).map_err(|why| {
                Diagnostic::error(Code::Internal, why.to_string()).about(check.address.clone())
            })?;
        let place = checks.len();
        let sample = sample.map(|sql| native(&sql)).transpose()?;
        checks.push(Check { address: check.address.clone(), severity: check.severity, rule, sample });
        if let Some(aggregates) = aggregates {
            shared.push((place, aggregates));
        }
        if let Some(sql) = own_query {
            queries.push(AuditQuery { sql: native(&sql)?, checks: vec![place], sized: false });
        }
    }
    let sized = materialization == Materialization::Table;
    if sized || !shared.is_empty() {
        let aggregates: Vec<&[String; 3]> = shared.iter().map(|(_, aggregates)| aggregates).collect();
        let mut sql = combine(&quoted, &aggregates);
        if sized {
            let separator = if aggregates.is_empty() { "" } else { ", " };
            let size = format!("SELECT COUNT(*) AS n, {} AS b{separator}", logical_bytes(&node.columns));
            sql = format!("{size}{}", sql.trim_start_matches("SELECT "));
        }
        let places = shared.iter().map(|(place, _)| *place).collect();
        queries.insert(0, AuditQuery { sql: native(&sql)?, checks: places, sized });
    }
    Ok(Audit { queries, checks })
}

/// The bytes of a table as BigQuery counts them, as an aggregate.
///
/// Source: <https://cloud.google.com/bigquery/pricing#data_size_calculation>. NULL counts nothing; types whose
/// size depends on what is in them beside text and bytes count nothing here.
fn logical_bytes(columns: &[Column]) -> String {
    let terms: Vec<String> = columns
        .iter()
        .filter_map(|column| {
            let name = Ident(&column.name);
            Some(match column.data_type {
                Type::Bool => format!("COUNT({name})"),
                Type::Int64 | Type::Float64 | Type::Date | Type::Datetime | Type::Time | Type::Timestamp => {
                    format!("8 * COUNT({name})")
                }
                Type::Numeric | Type::Interval => format!("16 * COUNT({name})"),
                Type::BigNumeric => format!("32 * COUNT({name})"),
                Type::String | Type::Bytes => format!("COALESCE(SUM(2 + BYTE_LENGTH({name})), 0)"),
                _ => return None,
            })
        })
        .collect();
    if terms.is_empty() { "0".to_owned() } else { terms.join(" + ") }
}

fn native(sql: &str, dialect: Dialect) -> Result<String, Diagnostic> {
    if dialect == Dialect::BigQuery {
        return Ok(sql.to_owned());
    }
    let told = |message: String| Diagnostic::error(Code::Internal, format!("{message} in {sql}"));
    let query = parse::query(sql).map_err(|fault| told(fault.message))?;
    duckdb::translate_query(&query, &duckdb::DatasetNames)
        .map_err(|faults| told(faults.into_iter().map(|fault| fault.message).collect::<Vec<_>>().join("; ")))
}
