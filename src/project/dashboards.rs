//! Dashboards, with the places of their queries.

use indexmap::IndexMap;

use super::resolve::Resolver;
use super::{Dashboard, Filter, Tab, Tile};
use crate::diag::{Code, Diagnostic, MappedText};
use crate::manifest::Loaded;
use crate::manifest::types::{Chart, DashboardsFile};
use crate::manifest::yaml::escape_pointer;

impl Resolver<'_> {
    /// All dashboards of a file.
    pub(super) fn dashboards(
        &mut self,
        file: &Loaded<DashboardsFile>,
        dashboards: &mut IndexMap<String, Dashboard>,
    ) {
        let document = &file.document;
        for (name, dashboard) in &file.content.dashboards {
            let pointer = format!("/dashboards/{}", escape_pointer(name));
            if let Some(first) = self.dashboard_spans.insert(name.clone(), document.key_span(&pointer)) {
                self.faults.push(
                    Diagnostic::error(
                        Code::DuplicateName,
                        format!("the dashboard `{name}` is declared twice"),
                    )
                    .at(document.key_span(&pointer), "declared again")
                    .also(first, "first declared here")
                    .help("rename one, or put their tabs together"),
                );
            }
            let sql =
                |pointer: &str, sql: &str| -> MappedText { document.text(&format!("{pointer}/sql"), sql) };
            let filters = dashboard.filters.iter().map(|(filter_name, filter)| {
                let pointer = format!("{pointer}/filters/{}", escape_pointer(filter_name));
                let filter = Filter {
                    label: filter.label.clone(),
                    data_type: filter.data_type,
                    sql: sql(&pointer, &filter.sql),
                    default: filter.default.clone(),
                };
                (filter_name.clone(), filter)
            });
            let tabs = dashboard.tabs.iter().map(|(tab_name, tab)| {
                let pointer = format!("{pointer}/tabs/{}", escape_pointer(tab_name));
                let tiles = tab.tiles.iter().map(|(tile_name, tile)| {
                    let pointer = format!("{pointer}/tiles/{}", escape_pointer(tile_name));
                    let tile = Tile {
                        title: tile.title.clone(),
                        description: tile.description.clone(),
                        chart: tile.chart.clone(),
                        sql: sql(&pointer, &tile.sql),
                        chart_columns: chart_columns(&tile.chart)
                            .into_iter()
                            .map(|(key, column)| {
                                (column.to_owned(), document.value_span(&format!("{pointer}/chart/{key}")))
                            })
                            .collect(),
                    };
                    (tile_name.clone(), tile)
                });
                let tab =
                    Tab { title: tab.title.clone(), question: tab.question.clone(), tiles: tiles.collect() };
                (tab_name.clone(), tab)
            });
            dashboards.insert(
                name.clone(),
                Dashboard {
                    title: dashboard.title.clone(),
                    description: dashboard.description.clone(),
                    path: document.file.name.clone(),
                    filters: filters.collect(),
                    tabs: tabs.collect(),
                },
            );
        }
    }
}

/// The columns that a chart draws, each with its key in the chart.
fn chart_columns(chart: &Chart) -> Vec<(String, &str)> {
    fn list<'c>(key: &str, columns: &'c [String]) -> Vec<(String, &'c str)> {
        columns
            .iter()
            .enumerate()
            .map(|(index, column)| (format!("{key}/{index}"), column.as_str()))
            .collect()
    }
    let named: Vec<(&str, &String)> = match chart {
        Chart::Kpi { value, .. } => vec![("value", value)],
        Chart::Line { x, y, series } | Chart::Bar { x, y, series } | Chart::Scatter { x, y, series } => {
            [("x", x), ("y", y)].into_iter().chain(series.as_ref().map(|series| ("series", series))).collect()
        }
        Chart::Donut { label, value } => vec![("label", label), ("value", value)],
        Chart::Box { x, y } | Chart::Histogram { x, y } => vec![("x", x), ("y", y)],
        Chart::Heatmap { x, y, value } => vec![("x", x), ("y", y), ("value", value)],
        Chart::Map { latitude, longitude, label, value } => {
            vec![("latitude", latitude), ("longitude", longitude), ("label", label), ("value", value)]
        }
        Chart::Treemap { path, value } => {
            let mut columns = list("path", path);
            columns.push(("value".to_owned(), value));
            return columns;
        }
        Chart::Table { columns } => return list("columns", columns),
    };
    named.into_iter().map(|(key, column)| (key.to_owned(), column.as_str())).collect()
}
