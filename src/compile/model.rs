//! One model: its query parsed, bound and translated.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use serde::{Deserialize, Serialize};
use sqlparser::ast::{Expr, ObjectNamePart, Query, Statement, visit_expressions_mut};

use super::increment::{RenderedModel, compile_increment};
use super::layout::layout;
use super::template::Rendered;
use super::{Catalog, CompiledNode, Dialect, Naming, sql_diagnostic};
use crate::diag::{Code, Diagnostic, MappedText, did_you_mean, quoted};
use crate::fingerprint::Fingerprint;
use crate::googlesql::analyze::{self, Analysis, Names, Options, Parameters, analyze_query};
use crate::googlesql::{Column, Resolved, SqlFault, duckdb, parse};
use crate::project::{Detail, Model, Node};

/// A query for a target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CompiledQuery {
    /// As rendered, in GoogleSQL.
    pub google: String,
    /// Fingerprint of the same without comments and own formatting.
    pub hash: String,
    /// In the target's own SQL.
    pub native: String,
}

/// A node with what is wrong with it. Nothing is left of a model whose query is faulty.
pub(super) fn compile_node(
    node: &Node,
    rendered: Option<&RenderedModel>,
    catalog: &Catalog<'_>,
    naming: &Naming,
) -> (Option<CompiledNode>, Vec<Diagnostic>) {
    let model = match &node.detail {
        Detail::Load(load) => {
            let address = node.address.clone();
            let columns = load.schema();
            let (layout, faults) = layout(node, &columns);
            let (lineage, query, increment) = (BTreeMap::new(), None, None);
            return (Some(CompiledNode { address, columns, lineage, query, increment, layout }), faults);
        }
        Detail::Model(model) => model,
    };
    let Some(RenderedModel { whole: rendered, increment }) = rendered else { return (None, Vec::new()) };
    let subject = node.address.to_string();
    let told = |faults: Vec<SqlFault>| {
        faults.into_iter().map(|fault| sql_diagnostic(fault, &rendered.sql, &subject)).collect::<Vec<_>>()
    };
    match bind(rendered, catalog, naming) {
        Err(faults) => (None, told(faults)),
        Ok((analysis, query)) => {
            let mut faults = undeclared_tables(rendered, &analysis, catalog, &subject);
            faults.extend(declared_columns(model, &analysis, &subject));
            let lineage = analysis
                .columns
                .iter()
                .map(|output| (output.column.name.clone(), output.lineage.iter().cloned().collect()))
                .collect();
            let open = analysis.open;
            let columns: Vec<Column> = analysis.columns.into_iter().map(|output| output.column).collect();
            // Of a query whose columns are not all known, nothing is concluded.
            let (layout, found) = layout(node, if open { &[] } else { &columns });
            faults.extend(found);
            let (address, query) = (node.address.clone(), Some(query));
            let mut compiled = CompiledNode { address, columns, lineage, query, increment: None, layout };
            if let (Some(settings), Some(rendered)) = (&model.incremental, increment) {
                match compile_increment(node, settings, rendered, &compiled, catalog, naming) {
                    Ok(increment) => compiled.increment = Some(increment),
                    Err(found) => faults.extend(found),
                }
            }
            (Some(compiled), faults)
        }
    }
}

pub(super) fn bind(
    rendered: &Rendered,
    catalog: &dyn analyze::Catalog,
    naming: &Naming,
) -> Result<(Analysis, CompiledQuery), Vec<SqlFault>> {
    let query = parse::query(&rendered.sql.text).map_err(|fault| vec![fault])?;
    let analysis = analyze_query(&query, catalog, &Parameters::new(), Options { names: Names::Table })?;
    let query = translate(&rendered.sql, query, &[], &analysis.resolved, naming)?;
    Ok((analysis, query))
}

/// A parsed query in the target's own SQL. Parameters stay parameters there.
pub(super) fn translate(
    sql: &MappedText,
    query: Query,
    parameters: &[&str],
    resolved: &Resolved,
    naming: &Naming,
) -> Result<CompiledQuery, Vec<SqlFault>> {
    let google = sql.text.trim_end().to_owned();
    let hash = Fingerprint::new("query").text(&canonical(query.clone())).finish();
    match naming.dialect {
        Dialect::BigQuery => Ok(CompiledQuery { native: google.clone(), hash, google }),
        Dialect::DuckDb => {
            let named =
                parameters.iter().map(|name| (name.to_lowercase(), format!("${}", name.to_lowercase())));
            let parameters = duckdb::Parameters { named: named.collect(), ..duckdb::Parameters::default() };
            let statement = Statement::Query(Box::new(query));
            let native =
                duckdb::translate_statement(&statement, &duckdb::DatasetNames, &parameters, resolved)?;
            Ok(CompiledQuery { google, hash, native })
        }
    }
}

/// A query without what its formatting chose: comments, white space, the case of keywords and function names.
fn canonical(mut query: Query) -> String {
    let _ = visit_expressions_mut(&mut query, |expression| {
        if let Expr::Function(function) = expression {
            for part in &mut function.name.0 {
                if let ObjectNamePart::Identifier(name) = part
                    && name.quote_style.is_none()
                {
                    name.value.make_ascii_uppercase();
                }
            }
        }
        ControlFlow::<()>::Continue(())
    });
    query.to_string()
}

/// Tables that the query names without `ref` or `source`: the plan would not know of them.
pub(super) fn undeclared_tables(
    rendered: &Rendered,
    analysis: &Analysis,
    catalog: &Catalog<'_>,
    subject: &str,
) -> Vec<Diagnostic> {
    let declared: BTreeSet<&str> = rendered.reads.iter().map(|address| address.name.as_str()).collect();
    analysis
        .tables
        .iter()
        .filter_map(|(path, span)| {
            let name = catalog.known(path)?;
            let table = name.rsplit('.').next()?;
            (!declared.contains(table)).then(|| {
                let fault = SqlFault::new(
                    Code::SqlUndeclaredTable,
                    *span,
                    format!("`{name}` is used without `ref` or `source`"),
                )
                .help(format!(
                    "write `{{{{ {}('{table}') }}}}`, so that plans know of it",
                    catalog.function(&name)
                ));
                sql_diagnostic(fault, &rendered.sql, subject)
            })
        })
        .collect()
}

/// What the manifest says of the columns against what the query gives.
fn declared_columns(model: &Model, analysis: &Analysis, subject: &str) -> Vec<Diagnostic> {
    let mut faults = Vec::new();
    let given: Vec<&Column> = analysis.columns.iter().map(|output| &output.column).collect();
    for (name, declared) in &model.columns {
        match given.iter().find(|column| column.name.eq_ignore_ascii_case(name)) {
            None if analysis.open => {}
            None => {
                let names = given.iter().map(|column| column.name.as_str());
                let help = did_you_mean(name, names.clone())
                    .unwrap_or_else(|| format!("its query gives {}", quoted(names)));
                faults.push(
                    Diagnostic::error(
                        Code::UnknownDeclaredColumn,
                        format!("the query gives no column `{name}`"),
                    )
                    .at(declared.span.clone(), "declared here")
                    .about(subject)
                    .help(help),
                );
            }
            Some(column) => {
                let Some(wanted) = &declared.data_type else { continue };
                let known = column.data_type != crate::googlesql::Type::Unknown;
                if known && *wanted != column.data_type {
                    faults.push(
                        Diagnostic::error(
                            Code::DeclaredTypeDiffers,
                            format!(
                                "`{name}` is declared {wanted}, and the query gives {}",
                                column.data_type
                            ),
                        )
                        .at(declared.span.clone(), "declared here")
                        .about(subject)
                        .help(format!(
                            "write CAST(… AS {wanted}) in the query, or declare {}",
                            column.data_type
                        )),
                    );
                }
            }
        }
    }
    faults
}
