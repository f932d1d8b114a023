//! What the manifest declares that holds on BigQuery only.

use super::workspace::Workspace;
use crate::compile::{CompiledProject, Dialect};
use crate::project::Project;
use crate::view::plural;

/// Says once of protections and expirations that this target knows none of them: nobody is to rely on what is not there.
pub(super) fn tell(workspace: &Workspace<'_>, compiled: &CompiledProject) {
    let unheld = match compiled.naming.dialect {
        Dialect::DuckDb => unheld(&compiled.project),
        Dialect::BigQuery => Vec::new(),
    };
    if !unheld.is_empty() {
        workspace.printer.note(&format!(
            "On the target `{}` these have no effect, since they hold on BigQuery only: {}.",
            compiled.target,
            unheld.join(", ")
        ));
    }
}

/// The words of the manifest, with how often each stands there.
fn unheld(project: &Project) -> Vec<String> {
    let properties = || project.nodes.values().map(|node| &node.properties);
    let datasets = || project.datasets.values();
    let tags = properties().flat_map(|one| one.columns.values()).filter(|one| one.policy_tag.is_some());
    let counts = [
        ("policy_tag", tags.count(), ("column", "columns")),
        ("grants", datasets().filter(|one| !one.grants.is_empty()).count(), ("dataset", "datasets")),
        (
            "default_table_expiration",
            datasets().filter(|one| one.default_table_expiration.is_some()).count(),
            ("dataset", "datasets"),
        ),
        ("expires_after", properties().filter(|one| one.expires_ms.is_some()).count(), ("table", "tables")),
        (
            "partition_expires_after",
            properties().filter(|one| one.partition_expires_ms.is_some()).count(),
            ("table", "tables"),
        ),
    ];
    let found = counts.into_iter().filter(|(_, count, _)| *count > 0);
    found.map(|(word, count, (one, many))| format!("`{word}` of {}", plural(count, one, many))).collect()
}
