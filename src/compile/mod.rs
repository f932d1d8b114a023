//! [`Project`] to [`CompiledProject`]: templates rendered, SQL parsed, bound and translated.
//!
//! ```text
//! template --render--> GoogleSQL --parse--> AST --analyze--> columns, lineage
//!                                            \--translate--> the target's SQL
//! ```
//! Nothing here needs data or a connection: upstream columns are those declared of files and derived of models.

mod audit;
mod binding;
mod catalog;
mod dashboard;
mod increment;
mod layout;
mod marks;
mod model;
pub(crate) mod partition;
pub mod template;
mod unit_test;
mod whole;

use std::collections::{BTreeMap, BTreeSet};

use indexmap::IndexMap;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::diag::{Code, Diagnostic, Diagnostics, MappedText, Span};
use crate::googlesql::analyze::ColumnRef;
use crate::googlesql::{Column, SqlFault};
use crate::graph::{Graph, Selection};
use crate::manifest::types::Target;
use crate::project::{Address, Detail, Layout, Node, NodeKind, Project};
use increment::RenderedModel;
use template::Renderer;

pub use audit::CompiledAudit;
pub use catalog::{Catalog, Dialect, Naming};
pub use dashboard::CompiledTile;
pub use increment::{CompiledIncrement, CompiledStatement};
pub use model::CompiledQuery;
pub use unit_test::CompiledTest;
pub(crate) use whole::Whole;

/// A project whose queries are known to fit together, for one target.
#[derive(Debug, Serialize, Deserialize)]
pub struct CompiledProject {
    /// The project.
    pub project: Project,
    /// The target's name.
    pub target: String,
    /// How tables are called there.
    pub naming: Naming,
    /// What reads what: the data's way.
    pub graph: Graph,
    /// Nodes in an order in which each comes after all that it reads, its audit's tables included.
    pub order: Vec<Address>,
    /// What each node waits for: what it reads, and what its expectations read.
    pub waits_for: BTreeMap<Address, BTreeSet<Address>>,
    /// Nodes by name.
    pub nodes: IndexMap<String, CompiledNode>,
    /// What must hold of each node's table.
    pub audits: BTreeMap<Address, CompiledAudit>,
    /// The queries of dashboards.
    pub tiles: Vec<CompiledTile>,
    /// Unit tests of models.
    pub tests: Vec<CompiledTest>,
}

/// A node with its columns known.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CompiledNode {
    /// The node.
    pub address: Address,
    /// Its columns; for files those declared.
    pub columns: Vec<Column>,
    /// Where each column's values come from, by column: nothing for files.
    pub lineage: BTreeMap<String, Vec<ColumnRef>>,
    /// A model's query.
    pub query: Option<CompiledQuery>,
    /// How new rows come into the table of an incremental model.
    pub increment: Option<CompiledIncrement>,
    /// How its table is laid out.
    pub layout: Layout,
}

impl CompiledProject {
    /// A node of the project.
    pub fn node(&self, address: &Address) -> Option<&Node> {
        self.project.nodes.get(&address.name)
    }

    /// The settings of the target.
    pub fn target_settings(&self) -> Option<&Target> {
        self.project.targets.get(&self.target)
    }

    /// A model's query in the target's own SQL, or that of its new rows.
    pub fn native(&self, address: &Address, increment: bool) -> Option<&str> {
        let node = self.nodes.get(&address.name)?;
        let whole = || node.query.as_ref();
        let of_new = || node.increment.as_ref().map(|increment| &increment.query);
        let query = if increment { of_new() } else { whole() };
        query.map(|query| query.native.as_str())
    }

    /// Where a line and column of a model's query, both from 1, stand in the model's file; the model's query where it
    /// is not known. It is rendered anew for that: places are asked for where something is wrong.
    pub fn place_in_query(
        &self,
        address: &Address,
        increment: bool,
        place: Option<(u64, u64)>,
    ) -> Option<Span> {
        let node = self.node(address)?;
        let Detail::Model(model) = &node.detail else { return Some(node.span.clone()) };
        let relation = |address: &Address| self.naming.relation_of(&self.project, address);
        let renderer = Renderer::new(&self.project, &self.target, &relation);
        let this = self.naming.relation(&node.dataset, node.table());
        let rendered = increment::render(&renderer, model, &this).ok()?;
        let rendered = if increment { rendered.increment? } else { rendered.whole };
        match place {
            Some((line, column)) => rendered.sql.span_between((line, column), (line, column + 1)),
            None => rendered.sql.span(0..rendered.sql.text.trim_end().len().max(1)),
        }
    }
}

/// Compiles a project for a target, and tells warnings beside it.
///
/// # Errors
/// All faults of all models, expectations and dashboards together. A model whose own query is faulty does not
/// make those that read it faulty too.
pub fn compile(project: Project, target: &str) -> Result<(CompiledProject, Diagnostics), Diagnostics> {
    let naming = Naming::new(&project, target)?;
    let mut faults = Diagnostics::new();
    let rendered = render(&project, target, &naming, &mut faults);
    let reads = |node: &Node| -> BTreeSet<Address> {
        rendered.get(&node.address.name).map(RenderedModel::reads).unwrap_or_default()
    };
    let graph = Graph::new(project.nodes.values().map(|node| (node.address.clone(), reads(node))));
    let waits_for = waits_for(&project, &graph);
    let layers = match Graph::new(waits_for.clone()).layers() {
        Ok(layers) => layers.into_iter().map(|layer| layer.into_iter().cloned().collect()).collect(),
        Err(chains) => {
            faults.extend(chains.iter().map(|chain| cycle_fault(&project, &graph, chain)));
            return Err(faults.merged());
        }
    };
    let layers: Vec<Vec<Address>> = in_project_order(&project, layers);
    let mut catalog = Catalog::new(&naming);
    for node in project.nodes.values() {
        if let Detail::Load(load) = &node.detail {
            catalog.insert(&node.relation(), load.schema(), false);
            if node.address.kind == NodeKind::Source {
                catalog.mark_source(&node.relation());
            }
        }
    }
    let mut nodes = IndexMap::new();
    for layer in &layers {
        let compiled: Vec<_> = layer
            .par_iter()
            .filter_map(|address| project.nodes.get(&address.name))
            .map(|node| (node, model::compile_node(node, rendered.get(node.table()), &catalog, &naming)))
            .collect();
        for (node, (compiled, found)) in compiled {
            faults.extend(found);
            if let Some(compiled) = compiled {
                catalog.insert(&node.relation(), compiled.columns.clone(), false);
                nodes.insert(node.table().to_owned(), compiled);
            } else {
                catalog.insert(&node.relation(), Vec::new(), true);
            }
        }
    }
    let audits = audit::compile_audits(&project, &nodes, &naming, &mut faults);
    let renderer = Renderer::new(&project, target, &|address| naming.relation_of(&project, address));
    let tiles = dashboard::compile_tiles(&project, &renderer, &catalog, &naming, &mut faults);
    let tests = unit_test::compile_tests(&project, &nodes, &graph, &naming, &mut faults);
    check_jobs(&project, &graph, &mut faults);
    if !faults.has_errors() {
        let laid = nodes.iter().filter_map(|(name, compiled)| project.nodes.get(name).zip(Some(compiled)));
        faults.extend(laid.filter_map(|(node, compiled)| layout::unsettled(node, &compiled.layout)));
    }
    let order = layers.into_iter().flatten().collect();
    let faults = faults.merged();
    let warnings = faults.iter().filter(|_| !faults.has_errors()).cloned().collect();
    let target = target.to_owned();
    faults.into_result(())?;
    Ok((
        CompiledProject { project, target, naming, graph, order, waits_for, nodes, audits, tiles, tests },
        warnings,
    ))
}

/// What jobs select must be there.
fn check_jobs(project: &Project, graph: &Graph, faults: &mut Diagnostics) {
    for (name, job) in &project.jobs {
        if job.select.is_empty() {
            continue;
        }
        let selection = Selection { select: job.select.clone(), exclude: Vec::new() };
        if let Err(wrong) = selection.resolve(graph, project) {
            faults.push(
                Diagnostic::error(Code::EmptySelection, format!("`{}`: {}", wrong.term, wrong.message))
                    .maybe_at(project.job_spans.get(name).cloned(), "this job selects it")
                    .about(format!("job.{name}"))
                    .help(wrong.help),
            );
        }
    }
}

/// All models' templates, by model.
fn render(
    project: &Project,
    target: &str,
    naming: &Naming,
    faults: &mut Diagnostics,
) -> BTreeMap<String, RenderedModel> {
    let models: Vec<(&Node, &crate::project::Model)> = project
        .nodes
        .values()
        .filter_map(|node| match &node.detail {
            Detail::Model(model) => Some((node, model)),
            Detail::Load(_) => None,
        })
        .collect();
    let relation = |address: &Address| naming.relation_of(project, address);
    // A thread renders many templates with one environment: making one costs more than a template.
    let share = models.len().div_ceil(rayon::current_num_threads()).max(1);
    let rendered: Vec<_> = models
        .par_chunks(share)
        .flat_map_iter(|models| {
            let renderer = Renderer::new(project, target, &relation);
            let done: Vec<_> = models
                .iter()
                .map(|(node, model)| {
                    let this = naming.relation(&node.dataset, node.table());
                    (node.table().to_owned(), increment::render(&renderer, model, &this))
                })
                .collect();
            done
        })
        .collect();
    faults.extend(Renderer::new(project, target, &relation).check_macros());
    let mut by_name = BTreeMap::new();
    for (name, result) in rendered {
        match result {
            Ok(rendered) => {
                by_name.insert(name, rendered);
            }
            Err(fault) => faults.push(fault.about(format!("model.{name}"))),
        }
    }
    by_name
}

fn waits_for(project: &Project, graph: &Graph) -> BTreeMap<Address, BTreeSet<Address>> {
    let mut waits: BTreeMap<Address, BTreeSet<Address>> = graph
        .nodes()
        .iter()
        .map(|address| (address.clone(), graph.upstream(address).into_iter().cloned().collect()))
        .collect();
    for expectation in &project.expectations {
        if let Some(waits) = waits.get_mut(&expectation.on) {
            waits.extend(expectation.reads().into_iter().cloned());
        }
    }
    waits
}

fn in_project_order(project: &Project, layers: Vec<Vec<Address>>) -> Vec<Vec<Address>> {
    layers
        .into_iter()
        .map(|mut layer| {
            layer.sort_by_key(|address| project.nodes.get_index_of(&address.name));
            layer
        })
        .collect()
}

fn cycle_fault(project: &Project, graph: &Graph, chain: &[Address]) -> Diagnostic {
    if let [only, _] = chain {
        return Diagnostic::error(Code::Cycle, format!("`{}` reads itself", only.name))
            .maybe_at(project.nodes.get(&only.name).map(|node| node.span.clone()), "this one")
            .help(if graph.upstream(only).contains(&only) {
                "take the reference out; a query reads the tables that are there before it"
            } else {
                "an expectation of the table is about the table itself: write a condition on its columns"
            });
    }
    let told = chain.iter().map(|address| address.name.as_str()).collect::<Vec<_>>().join(" -> ");
    let by_queries = chain.windows(2).all(|link| graph.upstream(&link[0]).contains(&&link[1]));
    let help = if by_queries {
        "each reads the next; take one of the references out"
    } else {
        "each reads the next in its query or in its expectations; move one of the expectations to the other table"
    };
    let mut fault =
        Diagnostic::error(Code::Cycle, format!("these refer to each other in a circle: {told}")).help(help);
    let once = &chain[..chain.len().saturating_sub(1)];
    for (index, node) in once.iter().filter_map(|a| project.nodes.get(&a.name)).enumerate() {
        fault = if index == 0 {
            fault.at(node.span.clone(), "part of the circle")
        } else {
            fault.also(node.span.clone(), "and this")
        };
    }
    fault
}

/// A fault in rendered SQL as a diagnostic at the place that the SQL came from.
pub(crate) fn sql_diagnostic(fault: SqlFault, sql: &MappedText, subject: &str) -> Diagnostic {
    let place = |at: sqlparser::tokenizer::Location| (at.line, at.column);
    let span = if fault.span.start.line == 0 {
        sql.span(0..sql.text.trim_end().len().max(1))
    } else {
        sql.span_between(place(fault.span.start), place(fault.span.end))
    };
    let told = Diagnostic::error(fault.code, fault.message).maybe_at(span, "here").maybe_help(fault.help);
    if subject.is_empty() { told } else { told.about(subject) }
}
