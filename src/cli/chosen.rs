//! A project and the nodes of it that a command is about.

use std::collections::BTreeSet;

use super::args::SelectionArgs;
use super::workspace::{LoadedProject, Workspace, selected};
use crate::diag::Diagnostics;
use crate::project::Address;

/// A project and the nodes of it that a command is about.
pub(super) struct Chosen {
    pub(super) loaded: LoadedProject,
    /// All, where nothing is.
    nodes: Option<BTreeSet<Address>>,
}

impl Chosen {
    /// Loads the project and looks the selection up in it.
    pub(super) fn load(workspace: &Workspace<'_>, selection: &SelectionArgs) -> Result<Self, Diagnostics> {
        let loaded = workspace.load()?;
        let nodes = selected(selection, &loaded.compiled, None)?;
        Ok(Self { loaded, nodes })
    }

    /// Whether nothing was selected, so that the command is about the whole project.
    pub(super) fn is_everything(&self) -> bool {
        self.nodes.is_none()
    }

    /// Whether a node is among them.
    pub(super) fn contains(&self, address: &Address) -> bool {
        self.nodes.as_ref().is_none_or(|nodes| nodes.contains(address))
    }
}
