//! Dashboard queries bound to the tables that they read.

use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

use super::template::Renderer;
use super::{Catalog, CompiledQuery, Naming, model, sql_diagnostic};
use crate::diag::{Code, Diagnostic, Diagnostics, MappedText, did_you_mean, quoted};
use crate::googlesql::analyze::{Analysis, Names, Options, Parameters, analyze_query};
use crate::googlesql::{Column, parse};
use crate::project::{Address, Dashboard, Project, Tile};

/// A dashboard's query that is known to fit the tables that it reads.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CompiledTile {
    /// `tile.olist.monthly_sales.revenue`, or `filter.olist.year`.
    pub address: String,
    /// What it is called for people.
    pub title: String,
    /// What it reads.
    pub reads: BTreeSet<Address>,
    /// Each column that it reads, by `dataset.table`.
    pub columns_read: BTreeMap<String, BTreeSet<String>>,
    /// The columns of its answer.
    pub columns: Vec<Column>,
    /// The query.
    pub query: CompiledQuery,
}

pub(super) fn compile_tiles(
    project: &Project,
    renderer: &Renderer<'_>,
    catalog: &Catalog<'_>,
    naming: &Naming,
    faults: &mut Diagnostics,
) -> Vec<CompiledTile> {
    let mut compiler = Compiler { renderer, catalog, naming, faults, tiles: Vec::new() };
    for (name, dashboard) in &project.dashboards {
        let parameters = parameters(dashboard);
        for (filter_name, filter) in &dashboard.filters {
            let address = format!("filter.{name}.{filter_name}");
            compiler.query(address, &filter.label, &filter.sql, &Parameters::new());
        }
        for (tab_name, tab) in &dashboard.tabs {
            for (tile_name, tile) in &tab.tiles {
                compiler.tile(&format!("tile.{name}.{tab_name}.{tile_name}"), tile, &parameters);
            }
        }
    }
    compiler.tiles
}

fn parameters(dashboard: &Dashboard) -> Parameters {
    dashboard.filters.iter().map(|(name, filter)| (name, filter.parameter_type())).collect()
}

struct Compiler<'a, 'p> {
    renderer: &'a Renderer<'p>,
    catalog: &'a Catalog<'a>,
    naming: &'a Naming,
    faults: &'a mut Diagnostics,
    tiles: Vec<CompiledTile>,
}

impl Compiler<'_, '_> {
    fn tile(&mut self, address: &str, tile: &Tile, parameters: &Parameters) {
        let Some(analysis) = self.query(address.to_owned(), &tile.title, &tile.sql, parameters) else {
            return;
        };
        if analysis.open {
            return;
        }
        let names: Vec<&str> = analysis.columns.iter().map(|output| output.column.name.as_str()).collect();
        for (wanted, span) in &tile.chart_columns {
            if !names.iter().any(|name| name.eq_ignore_ascii_case(wanted)) {
                let help = did_you_mean(wanted, names.iter().copied())
                    .unwrap_or_else(|| format!("the query gives {}", quoted(names.iter().copied())));
                self.faults.push(
                    Diagnostic::error(
                        Code::UnknownDeclaredColumn,
                        format!("the query gives no column `{wanted}`"),
                    )
                    .at(span.clone(), "drawn here")
                    .about(address)
                    .help(help),
                );
            }
        }
    }

    fn query(
        &mut self,
        address: String,
        title: &str,
        sql: &MappedText,
        parameters: &Parameters,
    ) -> Option<Analysis> {
        let rendered = match self.renderer.render(sql) {
            Ok(rendered) => rendered,
            Err(fault) => {
                self.faults.push(fault.about(address));
                return None;
            }
        };
        let bound = parse::query(&rendered.sql.text).map_err(|fault| vec![fault]).and_then(|query| {
            let analysis = analyze_query(&query, self.catalog, parameters, Options { names: Names::Table })?;
            let names: Vec<&str> = parameters.names().collect();
            let compiled = model::translate(&rendered.sql, query, &names, &analysis.resolved, self.naming)?;
            Ok((analysis, compiled))
        });
        match bound {
            Ok((analysis, query)) => {
                self.tiles.push(CompiledTile {
                    address,
                    title: title.to_owned(),
                    reads: rendered.reads,
                    columns_read: analysis.reads.clone(),
                    columns: analysis.columns.iter().map(|output| output.column.clone()).collect(),
                    query,
                });
                Some(analysis)
            }
            Err(faults) => {
                let told = faults.into_iter().map(|fault| sql_diagnostic(fault, &rendered.sql, &address));
                self.faults.extend(told);
                None
            }
        }
    }
}
