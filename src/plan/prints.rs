//! Fingerprints of nodes, by which it is known what has changed.

use std::collections::BTreeSet;

use super::planner::Planner;
use super::{increment, wanted};
use crate::compile::CompiledNode;
use crate::expectations::Audit;
use crate::fingerprint::Fingerprint;
use crate::manifest::types::Materialization;
use crate::project::{Address, Detail, Layout, Load, Node};

/// Fingerprints of one node.
pub(super) struct Prints {
    pub(super) query: String,
    pub(super) own: String,
    pub(super) data: String,
    pub(super) metadata: String,
    pub(super) audit: String,
    /// What its expectations compare it with; empty where they look at nothing else.
    pub(super) references: String,
}

impl Planner<'_> {
    /// The fingerprints of a node. What it reads has its own by then.
    pub(super) fn prints(&self, node: &Node, compiled: &CompiledNode, audit: Option<&Audit>) -> Prints {
        let query = match (&node.detail, &compiled.query) {
            (Detail::Load(load), _) => load_print(load),
            (Detail::Model(_), Some(query)) => query.hash.clone(),
            (Detail::Model(_), None) => String::new(),
        };
        let own = self.own(node, &query, &wanted::layout(self.planning.compiled, compiled));
        let mut data = Fingerprint::new("data").text(&own);
        if let Some(files) = self.planning.files.get(&node.address) {
            data = data.texts(files.iter().map(|file| file.hash.as_str()));
        }
        for read in self.planning.compiled.graph.upstream(&node.address) {
            data = data.text(&read.to_string()).maybe(self.effective.get(read).map(String::as_str));
        }
        let mut metadata = Fingerprint::new("metadata")
            .maybe(node.description.as_deref())
            .maybe(node.owner.as_deref())
            .texts(node.tags.iter().map(String::as_str));
        match &node.detail {
            Detail::Load(load) => {
                for (name, column) in &load.columns {
                    metadata = metadata.text(name).maybe(column.description.as_deref());
                }
            }
            Detail::Model(model) => {
                for (name, column) in &model.columns {
                    metadata = metadata.text(name).maybe(column.description.as_deref());
                }
            }
        }
        let metadata = wanted::with_properties(metadata, self.planning.compiled, node);
        let mut checks = Fingerprint::new("audit");
        for query in audit.iter().flat_map(|audit| &audit.queries) {
            checks = checks.text(&query.sql);
        }
        for check in audit.iter().flat_map(|audit| &audit.checks) {
            let rule = serde_json::to_string(&(&check.rule, check.severity)).unwrap_or_default();
            checks = checks.text(&check.address).text(&rule);
        }
        Prints {
            query,
            own,
            data: data.finish(),
            metadata: metadata.finish(),
            audit: checks.finish(),
            references: self.references(&node.address),
        }
    }

    /// A fingerprint of a node's own definition, with a layout.
    pub(super) fn own(&self, node: &Node, query: &str, layout: &Layout) -> String {
        let materialization = match node.materialization() {
            Materialization::View => "view",
            Materialization::Table => "table",
        };
        let mut own = Fingerprint::new("own").text(query).text(materialization).text(&node.relation());
        if let Some((settings, _)) = self.planning.compiled.increment(node) {
            own = increment::with_strategy(own, settings);
        }
        wanted::with_layout(own, layout).finish()
    }

    /// The rows of the tables that a node's expectations compare it with. When they change, what held before may hold
    /// no longer: an order that is gone leaves items behind that were loaded long ago.
    fn references(&self, address: &Address) -> String {
        let compiled = self.planning.compiled;
        let expectations = compiled.audits.get(address).map(|audit| audit.expectations.as_slice());
        let read: BTreeSet<&Address> = expectations
            .unwrap_or_default()
            .iter()
            .flat_map(|index| compiled.project.expectations[*index].reads())
            .collect();
        if read.is_empty() {
            return String::new();
        }
        let start = Fingerprint::new("references");
        let each = |print: Fingerprint, read: &&Address| {
            print.text(&read.to_string()).maybe(self.effective.get(*read).map(String::as_str))
        };
        read.iter().fold(start, each).finish()
    }
}

fn load_print(load: &Load) -> String {
    let mut print = Fingerprint::new("load").number(load.columns.len() as u64);
    for (name, column) in &load.columns {
        print = print.text(name).text(&column.data_type.to_string()).number(u64::from(column.required));
    }
    let rest = serde_json::json!([load.format, load.on_new_column, load.on_missing_column, load.max_rejects]);
    print.text(&rest.to_string()).finish()
}
