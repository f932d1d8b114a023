//! `ls`, `graph`, and the line that `validate` ends with.

use serde_json::{Value, json};

use super::Outcome;
use super::args::GraphFormat;
use super::chosen::Chosen;
use super::workspace::Workspace;
use crate::compile::CompiledProject;
use crate::diag::Diagnostics;
use crate::graph;
use crate::manifest::types::{Job, Materialization, Sensor};
use crate::project::{Detail, NodeKind, Project};
use crate::view::{Align, Table, count, hanging, plural};

pub(super) fn run(workspace: &Workspace<'_>, chosen: &Chosen, json: bool) -> Outcome {
    let compiled = &chosen.loaded.compiled;
    let everything = chosen.is_everything();
    let nodes: Vec<_> =
        compiled.project.nodes.values().filter(|node| chosen.contains(&node.address)).collect();
    if json {
        let nodes: Vec<Value> = nodes
            .iter()
            .map(|node| {
                json!({
                    "address": node.address.to_string(),
                    "relation": node.relation(),
                    "materialized": node.materialization(),
                    "description": node.description,
                    "owner": node.owner,
                    "tags": node.tags,
                    "path": node.path,
                    "columns": compiled.nodes.get(node.table()).map(|node| &node.columns),
                    "reads": compiled.graph.upstream(&node.address).iter().map(ToString::to_string).collect::<Vec<_>>(),
                    "expectations": compiled.audits.get(&node.address).map_or(0, |audit| audit.expectations.len()),
                })
            })
            .collect();
        let mut value = json!({ "nodes": nodes });
        if everything {
            let project = &compiled.project;
            value["expectations"] = project
                .expectations
                .iter()
                .map(|expectation| json!({ "address": expectation.address(), "suite": expectation.suite, "on": expectation.on.to_string(), "kind": expectation.kind, "severity": expectation.severity, "mostly": expectation.mostly }))
                .collect();
            value["tiles"] = compiled
                .tiles
                .iter()
                .map(|tile| json!({ "address": tile.address, "title": tile.title, "columns": tile.columns }))
                .collect();
            value["jobs"] = json!(project.jobs);
            value["checkpoints"] = json!(project.checkpoints);
            value["notifications"] = json!(project.notifications);
        }
        workspace.printer.out(&format!("{value:#}\n"));
        return Outcome::Done;
    }
    let looking = workspace.printer.columns().is_some();
    let mut table = Table::with_heads(&[
        ("node", Align::Left),
        ("relation", Align::Left),
        ("kind", Align::Left),
        ("expectations", Align::Right),
        ("tags", Align::Left),
    ]);
    for node in &nodes {
        let kind = match (&node.detail, node.materialization()) {
            (Detail::Load(_), _) => "files",
            (Detail::Model(_), Materialization::View) if node.layout.materialized_view => "materialized view",
            (Detail::Model(_), Materialization::View) => "view",
            (Detail::Model(model), Materialization::Table) if model.incremental.is_some() => "incremental",
            (Detail::Model(_), Materialization::Table) => "table",
        };
        let checks = compiled.audits.get(&node.address).map_or(0, |audit| audit.expectations.len());
        table.row([
            node.address.to_string(),
            node.relation(),
            kind.to_owned(),
            // The head says of what.
            if looking { count(checks as u64) } else { plural(checks, "expectation", "expectations") },
            node.tags.join(" "),
        ]);
    }
    workspace.printer.table(table);
    if everything {
        let mut rest = Table::with_heads(&[("name", Align::Left), ("details", Align::Left)]);
        for (name, job) in &compiled.project.jobs {
            rest.row([format!("job.{name}"), occasions(job)]);
        }
        for (name, checkpoint) in &compiled.project.checkpoints {
            let expectations = compiled.project.expectations.iter();
            let count = expectations.filter(|expectation| Project::belongs(expectation, checkpoint)).count();
            rest.row([format!("checkpoint.{name}"), plural(count, "expectation", "expectations")]);
        }
        for (name, notification) in &compiled.project.notifications {
            let events: Vec<String> = notification
                .events
                .iter()
                .filter_map(|event| serde_json::to_value(event).ok()?.as_str().map(str::to_owned))
                .collect();
            rest.row([format!("notification.{name}"), format!("on {}", events.join(", "))]);
        }
        for (name, dashboard) in &compiled.project.dashboards {
            let tiles: usize = dashboard.tabs.values().map(|tab| tab.tiles.len()).sum();
            let what = format!(
                "{}, {}",
                plural(dashboard.tabs.len(), "tab", "tabs"),
                plural(tiles, "tile", "tiles")
            );
            rest.row([format!("dashboard.{name}"), what]);
        }
        if looking && !rest.is_empty() {
            workspace.printer.out("\n");
        }
        if !rest.is_empty() {
            workspace.printer.table(rest);
        }
    }
    Outcome::Done
}

/// When a job runs: `0 6 * * * America/Sao_Paulo, on new files`.
fn occasions(job: &Job) -> String {
    let schedule = job.schedule.as_ref().map(|schedule| format!("{} {}", schedule.cron, schedule.timezone));
    let sensed = job.sensors.iter().map(|sensor| {
        let (what, of) = match sensor {
            Sensor::Files(files) => ("on new files", &files.sources),
            Sensor::Failure(failure) => ("on failure", &failure.jobs),
        };
        if of.is_empty() { what.to_owned() } else { format!("{what} of {}", of.join(" ")) }
    });
    let all: Vec<String> = schedule.into_iter().chain(sensed).collect();
    if all.is_empty() { "by hand".to_owned() } else { all.join(", ") }
}

pub(super) fn graph(workspace: &Workspace<'_>, format: GraphFormat) -> Result<Outcome, Diagnostics> {
    let loaded = workspace.load()?;
    let graph = &loaded.compiled.graph;
    workspace.printer.out(&match format {
        GraphFormat::Text => match workspace.printer.columns() {
            Some(columns) => below_arrows(&graph::text(graph), columns),
            None => graph::text(graph),
        },
        GraphFormat::Dot => graph::dot(graph),
        GraphFormat::Mermaid => graph::mermaid(graph),
        GraphFormat::Json => format!("{:#}\n", graph::json(graph)),
    });
    Ok(Outcome::Done)
}

fn below_arrows(text: &str, columns: usize) -> String {
    let start = |line: &str| line.find("<- ").map_or(0, |arrow| arrow + 3);
    text.lines().map(|line| hanging(line, start(line), columns) + "\n").collect()
}

/// `olist is valid: 9 sources, 1 seed, 17 models, 272 expectations, 60 dashboard queries.`
pub(super) fn counts(compiled: &CompiledProject) -> String {
    let of = |kind| compiled.project.nodes.values().filter(|node| node.address.kind == kind).count();
    format!(
        "{} is valid for {}: {}, {}, {}, {}, {}.",
        compiled.project.name,
        compiled.target,
        plural(of(NodeKind::Source), "source", "sources"),
        plural(of(NodeKind::Seed), "seed", "seeds"),
        plural(of(NodeKind::Model), "model", "models"),
        plural(compiled.project.expectations.len(), "expectation", "expectations"),
        plural(compiled.tiles.len(), "dashboard query", "dashboard queries"),
    )
}
