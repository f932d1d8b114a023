//! Tables in partitions, read as a whole by naming all of them: by checks, which are about all rows, and for which a table
//! that no query may read without naming some is no exception.

use std::collections::BTreeMap;

use indexmap::IndexMap;

use super::{CompiledNode, Dialect, Naming, partition};
use crate::googlesql::names::Ident;
use crate::googlesql::substitute::{Instead, substitute};
use crate::project::Project;

/// What each table in partitions of a project is read by.
pub(crate) struct Whole {
    /// Queries of all rows, by the path of the table.
    queries: BTreeMap<String, String>,
}

impl Whole {
    pub(crate) fn new(project: &Project, nodes: &IndexMap<String, CompiledNode>, naming: &Naming) -> Self {
        // Whether it must be asked so, the table knows and not the manifest, which may say otherwise by now. It does no harm
        // where it need not.
        let asked = project.nodes.values().filter(|_| naming.dialect == Dialect::BigQuery);
        let queries = asked.filter_map(|node| {
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
