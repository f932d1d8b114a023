//! Tables that no query may read without naming partitions, read as a whole all the same by naming all of them: by checks,
//! which are about all rows.

use std::collections::BTreeMap;

use indexmap::IndexMap;

use super::{CompiledNode, Dialect, Naming, partition};
use crate::expectations::Audit;
use crate::googlesql::names::Ident;
use crate::googlesql::substitute::{Instead, substitute};
use crate::project::{Node, Project};

/// What each such table of a project is read by.
pub(crate) struct Whole {
    /// Queries of all rows, by the path of the table.
    queries: BTreeMap<String, String>,
}

impl Whole {
    /// Of those that must be asked so. Elsewhere than on BigQuery none is.
    pub(crate) fn new(
        project: &Project,
        nodes: &IndexMap<String, CompiledNode>,
        naming: &Naming,
        must: impl Fn(&Node) -> bool,
    ) -> Self {
        if naming.dialect != Dialect::BigQuery {
            return Self { queries: BTreeMap::new() };
        }
        let queries = project.nodes.values().filter(|node| must(node)).filter_map(|node| {
            let partition = nodes.get(node.table())?.layout.partition.as_ref()?;
            let path = naming.path(&node.dataset, node.table());
            let query = format!("SELECT * FROM {} WHERE {}", Ident(&path), partition::any(partition));
            Some((path, query))
        });
        Self { queries: queries.collect() }
    }

    /// The query of all rows of a table, by its path; nothing where its name is enough.
    pub(crate) fn query(&self, path: &str) -> Option<&str> {
        self.queries.get(path).map(String::as_str)
    }

    /// An audit that may run.
    pub(crate) fn within_audit(&self, mut audit: Audit) -> Audit {
        for query in &mut audit.queries {
            query.sql = self.within(std::mem::take(&mut query.sql));
        }
        for check in &mut audit.checks {
            check.sample = check.sample.take().map(|sql| self.within(sql));
        }
        audit
    }

    /// A query that names tables as any other, as one that may run.
    pub(crate) fn within(&self, sql: String) -> String {
        if self.queries.is_empty() {
            return sql;
        }
        let done = substitute(&sql, &|path| self.query(path).map(|query| Instead::Rows(query.to_owned())));
        // Behind a table of an earlier time or a sample of it there can be no query: who wrote that names partitions.
        if done.misfit { sql } else { done.sql }
    }
}
