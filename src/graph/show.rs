//! The graph as text, Graphviz dot, Mermaid and JSON. Equal graphs give equal bytes.

use serde_json::{Value, json};

use super::Graph;
use crate::project::NodeKind;

/// One line for each node: its name and what it reads.
pub fn text(graph: &Graph) -> String {
    let width = graph.nodes().iter().map(|address| address.to_string().len()).max().unwrap_or(0);
    let mut out = String::new();
    for address in graph.nodes() {
        let reads: Vec<String> = graph.upstream(address).iter().map(ToString::to_string).collect();
        let line = format!("{:width$}  {}", address.to_string(), prefixed(&reads.join(", ")));
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

fn prefixed(reads: &str) -> String {
    if reads.is_empty() { String::new() } else { format!("<- {reads}") }
}

/// Graphviz.
pub fn dot(graph: &Graph) -> String {
    let mut out = "digraph pipeline {\n  rankdir=LR;\n  node [fontname=\"Helvetica\"];\n".to_owned();
    for address in graph.nodes() {
        let shape = match address.kind {
            NodeKind::Source => "cylinder",
            NodeKind::Seed => "note",
            NodeKind::Model => "box",
        };
        out.push_str(&format!("  \"{address}\" [label=\"{}\", shape={shape}];\n", address.name));
    }
    for address in graph.nodes() {
        for read in graph.upstream(address) {
            out.push_str(&format!("  \"{read}\" -> \"{address}\";\n"));
        }
    }
    out.push_str("}\n");
    out
}

/// Mermaid.
pub fn mermaid(graph: &Graph) -> String {
    let mut out = "flowchart LR\n".to_owned();
    for address in graph.nodes() {
        let (open, close) = match address.kind {
            NodeKind::Source => ("[(", ")]"),
            NodeKind::Seed => ("([", "])"),
            NodeKind::Model => ("[", "]"),
        };
        out.push_str(&format!("  {address}{open}\"{}\"{close}\n", address.name));
    }
    for address in graph.nodes() {
        for read in graph.upstream(address) {
            out.push_str(&format!("  {read} --> {address}\n"));
        }
    }
    out
}

/// `{"nodes": [{"address", "kind", "reads"}]}`.
pub fn json(graph: &Graph) -> Value {
    let nodes: Vec<Value> = graph
        .nodes()
        .iter()
        .map(|address| {
            json!({
                "address": address.to_string(),
                "kind": address.kind.name(),
                "name": address.name,
                "reads": graph.upstream(address).iter().map(ToString::to_string).collect::<Vec<_>>(),
            })
        })
        .collect();
    json!({ "nodes": nodes })
}
