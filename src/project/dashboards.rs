//! Dashboards, with the places of their queries.

use indexmap::IndexMap;

use super::resolve::Resolver;
use super::{Dashboard, Filter, Tab, Tile};
use crate::diag::{Code, Diagnostic, MappedText};
use crate::manifest::Loaded;
use crate::manifest::types::DashboardsFile;
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
            if dashboards.contains_key(name) {
                self.faults.push(
                    Diagnostic::error(
                        Code::DuplicateName,
                        format!("the dashboard `{name}` is declared twice"),
                    )
                    .at(document.key_span(&pointer), "declared again"),
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
                        chart_span: document.value_span(&format!("{pointer}/chart")),
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
