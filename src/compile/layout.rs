//! How a table is laid out, once the types of its columns are known.

use crate::diag::{Code, Diagnostic, Span, did_you_mean, quoted};
use crate::googlesql::{Column, Type};
use crate::manifest::types::Granularity;
use crate::project::{DeclaredPartition, Layout, Node, Partition, Parts};

/// The layout of a node with what is wrong with it.
pub(super) fn layout(node: &Node, columns: &[Column]) -> (Layout, Vec<Diagnostic>) {
    let mut faults = Vec::new();
    let declared = &node.layout;
    let of_partitions =
        node.properties.require_partition_filter || node.properties.partition_expires_ms.is_some();
    let mut find = |name: &str, span: &Span| -> Option<&Column> {
        let found = columns.iter().find(|column| column.name.eq_ignore_ascii_case(name));
        if found.is_none() && !columns.is_empty() {
            let names = || columns.iter().map(|column| column.name.as_str());
            let help = did_you_mean(name, names()).unwrap_or_else(|| format!("it has {}", quoted(names())));
            faults.push(
                Diagnostic::error(Code::UnknownDeclaredColumn, format!("the table has no column `{name}`"))
                    .at(span.clone(), "not a column of the table")
                    .help(help),
            );
        }
        found
    };
    let partition = declared.partition.as_ref().and_then(|one| {
        // What new rows replace is checked where new rows are.
        if one.implied && !columns.iter().any(|column| column.name.eq_ignore_ascii_case(&one.column)) {
            return None;
        }
        Some((one, find(&one.column, &one.span)?))
    });
    let clusters: Vec<(&Span, &Column)> =
        declared.cluster_by.iter().filter_map(|(name, span)| Some((span, find(name, span)?))).collect();
    let partition = partition.and_then(|(declared, column)| match parted(declared, column) {
        Ok(partition) => Some(partition),
        Err(_) if declared.implied && !of_partitions => None,
        Err(fault) => {
            faults.extend(fault);
            None
        }
    });
    for (span, column) in &clusters {
        if !clusters_by(&column.data_type) {
            faults.push(
                Diagnostic::error(
                    Code::BadValue,
                    format!("`{}` is {}: no rows can be put together by it", column.name, column.data_type),
                )
                .at((*span).clone(), "this column")
                .help(
                    "BigQuery clusters by BIGNUMERIC, BOOL, DATE, DATETIME, GEOGRAPHY, INT64, NUMERIC, RANGE, STRING and \
                     TIMESTAMP",
                ),
            );
        }
    }
    let cluster_by = clusters.into_iter().map(|(_, column)| column.name.clone()).collect();
    let told = faults.into_iter().map(|fault| fault.about(node.address.to_string())).collect();
    (Layout { partition, cluster_by, materialized_view: declared.materialized_view }, told)
}

/// What is declared and cannot be told to hold, in a project in which nothing else is wrong: the table would be laid out
/// otherwise without a word.
pub(super) fn unsettled(node: &Node, layout: &Layout) -> Option<Diagnostic> {
    let declared = &node.layout;
    let partition = declared.partition.as_ref().filter(|one| !one.implied && layout.partition.is_none());
    let settled = |name: &str| layout.cluster_by.iter().any(|column| column.eq_ignore_ascii_case(name));
    let cluster = declared.cluster_by.iter().find(|(name, _)| !settled(name));
    let partition = partition.map(|one| (&one.column, &one.span));
    let (name, span) = partition.or(cluster.map(|(name, span)| (name, span)))?;
    Some(
        Diagnostic::error(
            Code::BadValue,
            format!("the type of `{name}` is not known: no table can be laid out by it"),
        )
        .at(span.clone(), "this column")
        .about(node.address.to_string())
        .help(format!("say it in the query: `CAST(… AS DATE) AS {name}`")),
    )
}

/// The partitions of a column; nothing of what is wrong where its type is not known, which is told elsewhere.
fn parted(declared: &DeclaredPartition, column: &Column) -> Result<Partition, Option<Diagnostic>> {
    let (name, data_type) = (&column.name, &column.data_type);
    let refuse = |message: String, help: &str| {
        Err(Some(
            Diagnostic::error(Code::BadValue, message).at(declared.span.clone(), "this column").help(help),
        ))
    };
    let parts = match (data_type, declared.parts) {
        (Type::Unknown, _) => return Err(None),
        (Type::Int64, Some(parts @ Parts::Range(_))) => parts,
        (Type::Int64, _) => {
            return refuse(
                format!("`{name}` is INT64: its partitions are ranges of numbers"),
                "give `partition_by: {column: …, range: {start: …, end: …, interval: …}}`",
            );
        }
        (Type::Date | Type::Datetime | Type::Timestamp, Some(Parts::Range(_))) => {
            return refuse(
                format!("`{name}` is {data_type}: ranges of numbers are for INT64"),
                "give `granularity` instead of `range`",
            );
        }
        (Type::Date, Some(Parts::By(Granularity::Hour))) => {
            return refuse(
                format!("`{name}` is DATE, which has no hours"),
                "take the granularity `day`, `month` or `year`",
            );
        }
        (Type::Date | Type::Datetime | Type::Timestamp, parts) => {
            parts.unwrap_or(Parts::By(Granularity::Day))
        }
        _ => {
            return refuse(
                format!("`{name}` is {data_type}: no table can be parted by it"),
                "BigQuery parts tables by DATE, DATETIME, TIMESTAMP and INT64",
            );
        }
    };
    Ok(Partition { column: name.clone(), data_type: data_type.clone(), parts })
}

fn clusters_by(data_type: &Type) -> bool {
    !matches!(
        data_type,
        Type::Float64
            | Type::Bytes
            | Type::Json
            | Type::Time
            | Type::Interval
            | Type::Array(_)
            | Type::Struct(_)
    )
}
