//! Where the manifest says what a report is about.

use crate::compile::CompiledProject;
use crate::diag::Span;
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

/// A place as people write it: `expectations/orders.yaml:12`.
pub(super) fn line(span: &Span) -> String {
    format!("{}:{}", span.file.name, span.position().0)
}
