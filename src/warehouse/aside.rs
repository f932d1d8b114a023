//! Tables that stand beside a published one and are Pipewright's own, which their comments tell.

use super::{Relation, WarehouseError};
use crate::diag::{Code, Diagnostic};
use crate::plan::FAILED_SUFFIX;

/// What stands beside a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Aside {
    /// The rows that loading rejected.
    Rejects,
    /// The last build that was not published.
    Failed,
}

impl Aside {
    /// Its place.
    pub(super) fn of(self, table: &Relation) -> Relation {
        let suffix = match self {
            Self::Rejects => "__rejects",
            Self::Failed => FAILED_SUFFIX,
        };
        table.sibling(format!("{}{suffix}", table.table))
    }

    /// The comment that tells it is Pipewright's.
    pub(super) fn mark(self, table: &Relation) -> String {
        match self {
            Self::Rejects => format!("[pipewright rejects of {table}]"),
            Self::Failed => format!("[pipewright failed build of {table}]"),
        }
    }
}

/// Where rejected rows of a table would go stands something else.
pub(super) fn rejects_place_is_taken(table: &Relation) -> WarehouseError {
    let taken = Aside::Rejects.of(table);
    Diagnostic::error(
        Code::ForeignObject,
        format!("`{taken}` is in the target already, and Pipewright did not make it"),
    )
    .help("rejected rows would go there; rename it or drop it yourself")
    .into()
}
