//! Where the manifest says what a report is about.

use crate::compile::CompiledProject;
use crate::diag::Span;
use crate::googlesql::substitute::same_place;
use crate::plan::{Action, Step};
use crate::project::Detail;

/// The place of an expectation or a node, by its address: `expectations/orders.yaml:12`, or a model's SQL file.
pub(super) fn place(compiled: &CompiledProject, address: &str) -> Option<String> {
    let project = &compiled.project;
    if let Some(expectation) = project.expectations.iter().find(|one| one.address() == address) {
        return Some(line(&expectation.span));
    }
    let node = project.nodes.values().find(|node| node.address.to_string() == address)?;
    Some(match &node.detail {
        Detail::Model(model) => model.sql.name.clone(),
        Detail::Load(_) => line(&node.span),
    })
}

/// Where a line and column of the query of a step stand in the model's file: `models/orders.sql:3:14`.
pub(super) fn place_in_query(compiled: &CompiledProject, step: &Step, place: (u64, u64)) -> Option<String> {
    let (asked, increment) = match &step.action {
        Action::Build(build) => (&build.native, false),
        Action::Merge(merge) => (&merge.native, true),
        Action::Load(_) | Action::Check { .. } | Action::Describe { .. } | Action::Drop { .. } => {
            return None;
        }
    };
    // Tables that are read from another target have other names in the step than in the query.
    let own = compiled.native(&step.address, increment);
    let place = own.map_or(place, |own| same_place(asked, own, place));
    let span = compiled.place_in_query(&step.address, increment, Some(place))?;
    let (line, column) = span.position();
    Some(format!("{}:{line}:{column}", span.file.name))
}

/// A place as people write it: `expectations/orders.yaml:12`.
pub(super) fn line(span: &Span) -> String {
    format!("{}:{}", span.file.name, span.position().0)
}
