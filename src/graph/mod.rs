//! Which node needs which: order, cycles, selection, text forms. Knows names and edges, nothing else.

mod select;
mod show;

use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

use petgraph::algo::tarjan_scc;
use petgraph::graph::DiGraph;

use crate::project::Address;

pub use select::{Selectable, Selection, SelectionFault};
pub use show::{dot, json, mermaid, text};

/// A directed graph of nodes; edges lead from what is read to what reads it.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Graph {
    names: Vec<Address>,
    index: BTreeMap<Address, usize>,
    upstream: Vec<BTreeSet<usize>>,
    downstream: Vec<BTreeSet<usize>>,
}

impl Graph {
    /// A graph of nodes in their given order, and for each what it reads.
    pub fn new(nodes: impl IntoIterator<Item = (Address, BTreeSet<Address>)>) -> Self {
        let mut graph = Self::default();
        let nodes: Vec<_> = nodes.into_iter().collect();
        for (address, _) in &nodes {
            graph.index.insert(address.clone(), graph.names.len());
            graph.names.push(address.clone());
        }
        graph.upstream = vec![BTreeSet::new(); graph.names.len()];
        graph.downstream = vec![BTreeSet::new(); graph.names.len()];
        for (reader, (_, reads)) in nodes.iter().enumerate() {
            for read in reads.iter().filter_map(|address| graph.index.get(address).copied()) {
                graph.upstream[reader].insert(read);
                graph.downstream[read].insert(reader);
            }
        }
        graph
    }

    /// All nodes in their given order.
    pub fn nodes(&self) -> &[Address] {
        &self.names
    }

    /// What a node reads.
    pub fn upstream(&self, address: &Address) -> Vec<&Address> {
        self.neighbours(address, &self.upstream)
    }

    /// What reads a node.
    pub fn downstream(&self, address: &Address) -> Vec<&Address> {
        self.neighbours(address, &self.downstream)
    }

    fn neighbours<'a>(&'a self, address: &Address, edges: &[BTreeSet<usize>]) -> Vec<&'a Address> {
        let Some(index) = self.index.get(address) else { return Vec::new() };
        edges[*index].iter().map(|index| &self.names[*index]).collect()
    }

    /// Everything that can be reached downstream, nearest first, without the start.
    pub fn descendants(&self, address: &Address) -> Vec<&Address> {
        self.reachable(address, &self.downstream)
    }

    /// Everything that can be reached upstream, nearest first, without the start.
    pub fn ancestors(&self, address: &Address) -> Vec<&Address> {
        self.reachable(address, &self.upstream)
    }

    fn reachable<'a>(&'a self, address: &Address, edges: &[BTreeSet<usize>]) -> Vec<&'a Address> {
        let Some(start) = self.index.get(address).copied() else { return Vec::new() };
        let mut seen = BTreeSet::from([start]);
        let mut found = std::collections::VecDeque::from([start]);
        let mut order = Vec::new();
        while let Some(node) = found.pop_front() {
            for next in &edges[node] {
                if seen.insert(*next) {
                    order.push(&self.names[*next]);
                    found.push_back(*next);
                }
            }
        }
        order
    }

    /// Nodes in layers: each reads only nodes of earlier layers. Within a layer the given order holds.
    ///
    /// # Errors
    /// The circles, each as a chain that ends where it starts.
    pub fn layers(&self) -> Result<Vec<Vec<&Address>>, Vec<Vec<Address>>> {
        let mut missing: Vec<usize> = self.upstream.iter().map(BTreeSet::len).collect();
        let mut ready: Vec<usize> = (0..self.names.len()).filter(|node| missing[*node] == 0).collect();
        let mut layers = Vec::new();
        let mut placed = 0;
        while !ready.is_empty() {
            placed += ready.len();
            let mut next = BTreeSet::new();
            for node in &ready {
                for reader in &self.downstream[*node] {
                    missing[*reader] -= 1;
                    if missing[*reader] == 0 {
                        next.insert(*reader);
                    }
                }
            }
            layers.push(ready.iter().map(|node| &self.names[*node]).collect());
            ready = next.into_iter().collect();
        }
        if placed == self.names.len() { Ok(layers) } else { Err(self.cycles()) }
    }

    /// One chain for each knot of nodes that read each other.
    fn cycles(&self) -> Vec<Vec<Address>> {
        let edges = self
            .upstream
            .iter()
            .enumerate()
            .flat_map(|(reader, reads)| reads.iter().map(move |r| (reader, *r)));
        let graph = DiGraph::<(), (), usize>::from_edges(edges);
        let mut chains: Vec<Vec<Address>> = tarjan_scc(&graph)
            .into_iter()
            .map(|knot| knot.into_iter().map(petgraph::graph::NodeIndex::index).collect::<BTreeSet<usize>>())
            .filter(|knot| knot.len() > 1 || knot.iter().all(|node| self.upstream[*node].contains(node)))
            .filter_map(|knot| self.chain(&knot))
            .collect();
        chains.sort();
        chains
    }

    /// The shortest way from the first node of a knot back to itself, along what each reads.
    fn chain(&self, knot: &BTreeSet<usize>) -> Option<Vec<Address>> {
        let start = *knot.first()?;
        let mut came_from: BTreeMap<usize, usize> = BTreeMap::new();
        let mut found = std::collections::VecDeque::from([start]);
        while let Some(node) = found.pop_front() {
            for next in self.upstream[node].iter().filter(|next| knot.contains(next)) {
                if *next == start {
                    let mut back = vec![start, node];
                    while let Some(before) = back.last().and_then(|last| came_from.get(last)) {
                        back.push(*before);
                    }
                    if back.last() != Some(&start) {
                        back.push(start);
                    }
                    if node == start {
                        back = vec![start, start];
                    }
                    back.reverse();
                    return Some(back.into_iter().map(|node| self.names[node].clone()).collect());
                }
                if *next != start && !came_from.contains_key(next) {
                    came_from.insert(*next, node);
                    found.push_back(*next);
                }
            }
        }
        None
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::project::NodeKind;

    pub(crate) fn model(name: &str) -> Address {
        Address::new(NodeKind::Model, name)
    }

    /// `"b: a; c: a b"` is a graph in which `b` reads `a`, and `c` reads `a` and `b`.
    pub(crate) fn graph(text: &str) -> Graph {
        Graph::new(text.split(';').map(|line| {
            let (node, reads) = line.split_once(':').unwrap_or((line, ""));
            (model(node.trim()), reads.split_whitespace().map(model).collect())
        }))
    }

    fn names(addresses: &[&Address]) -> String {
        addresses.iter().map(|address| address.name.as_str()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn layers_follow_the_edges_and_keep_the_order() {
        let graph = graph("d: b c; c: a; b: a; a");
        let layers = graph.layers().unwrap();
        assert_eq!(layers.iter().map(|layer| names(layer)).collect::<Vec<_>>(), ["a", "c b", "d"]);
        assert_eq!(names(&graph.descendants(&model("a"))), "c b d");
        assert_eq!(names(&graph.ancestors(&model("d"))), "c b a");
    }

    #[test]
    fn a_cycle_is_the_chain_of_what_reads_what() {
        let chains = graph("a: c; b: a; c: b; d: d; e: a").layers().unwrap_err();
        let told: Vec<String> = chains.iter().map(|chain| names(&chain.iter().collect::<Vec<_>>())).collect();
        assert_eq!(told, ["a c b a", "d d"]);
    }

    proptest::proptest! {
        /// Every node stands in exactly one layer, after all that it reads; or there is a chain whose every link is an edge.
        #[test]
        fn order_or_cycle(edges in proptest::collection::vec((0usize..12, 0usize..12), 0..30)) {
            let nodes = (0..12).map(|node| {
                let reads = edges.iter().filter(|(reader, _)| *reader == node).map(|(_, read)| model(&read.to_string()));
                (model(&node.to_string()), reads.collect())
            });
            let graph = Graph::new(nodes);
            match graph.layers() {
                Ok(layers) => {
                    let mut seen = BTreeSet::new();
                    for layer in layers {
                        for node in &layer {
                            assert!(graph.upstream(node).iter().all(|read| seen.contains(*read)));
                        }
                        seen.extend(layer.into_iter().cloned());
                    }
                    assert_eq!(seen.len(), 12);
                }
                Err(chains) => {
                    assert!(!chains.is_empty());
                    for chain in chains {
                        assert!(chain.len() >= 2 && chain.first() == chain.last());
                        for link in chain.windows(2) {
                            assert!(graph.upstream(&link[0]).contains(&&link[1]), "{chain:?}");
                        }
                    }
                }
            }
        }
    }
}
