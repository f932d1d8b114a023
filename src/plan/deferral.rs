//! Reads from another target of what this one does not have: a developer builds one model and reads the rest where it is
//! built already.

use std::collections::BTreeMap;

use super::Action;
use crate::compile::Naming;
use crate::expectations::Audit;
use crate::googlesql::substitute::{Instead, substitute};
use crate::project::{Address, Node};

/// Another target of the same kind, from which is read what neither this one has nor the plan builds.
#[derive(Debug, Clone)]
pub struct Deferral {
    /// Its name.
    pub target: String,
    /// How tables are called there.
    pub naming: Naming,
}

impl Deferral {
    /// What stands for the fingerprint of a table that is read there: what it is made from is not known here.
    pub(super) fn fingerprint(&self) -> String {
        format!("deferred to {}", self.target)
    }

    /// Lets the queries of an action read some tables there.
    pub(super) fn rewrite<'n>(
        &self,
        action: &mut Action,
        own: &Naming,
        nodes: impl Iterator<Item = &'n Node>,
    ) {
        let paths: BTreeMap<String, String> = nodes
            .map(|node| {
                let path = |naming: &Naming| naming.path(&node.dataset, node.table());
                (path(own), path(&self.naming))
            })
            .collect();
        if paths.is_empty() {
            return;
        }
        let there = |sql: &mut String| {
            *sql = substitute(sql, &|path| paths.get(path).cloned().map(Instead::Table)).sql;
        };
        let audit = |audit: &mut Audit| {
            audit.queries.iter_mut().for_each(|query| there(&mut query.sql));
            for check in &mut audit.checks {
                check.sample.iter_mut().chain(&mut check.numbered).for_each(there);
            }
        };
        match action {
            Action::Build(build) => {
                there(&mut build.native);
                audit(&mut build.publish.audit);
            }
            Action::Merge(merge) => {
                there(&mut merge.native);
                audit(&mut merge.audit_of_new);
                audit(&mut merge.publish.audit);
            }
            Action::Load(load) => audit(&mut load.publish.audit),
            Action::Check { audit: checks, .. } => audit(checks),
            Action::Describe { .. } | Action::Drop { .. } => {}
        }
    }
}

/// A table that is read from another target.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub struct Deferred {
    /// What it is.
    pub address: Address,
    /// The target.
    pub target: String,
}
