//! How tables are called on a target, and which columns they have.

use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use crate::diag::{Code, Diagnostic, did_you_mean};
use crate::googlesql::Column;
use crate::googlesql::analyze::{self, Table};
use crate::googlesql::names::Ident;
use crate::manifest::types::Target;
use crate::project::{Address, Node, Project};

/// The SQL that a target speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Dialect {
    /// The embedded engine: GoogleSQL is translated.
    DuckDb,
    /// BigQuery: GoogleSQL as it is.
    BigQuery,
}

/// How datasets and tables of the manifest are called in a target's SQL.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Naming {
    /// The SQL of the target.
    pub dialect: Dialect,
    project: Option<String>,
    prefix: String,
}

impl Naming {
    /// The naming of one of a project's targets.
    ///
    /// # Errors
    /// That there is no such target, or that nothing is said of where it is.
    pub fn new(project: &Project, target: &str) -> Result<Self, Diagnostic> {
        if let Some(span) = project.without_project.get(target) {
            let message = format!("the target `{target}` has no project");
            return Err(Diagnostic::error(Code::BadValue, message)
                .at(span.clone(), "empty")
                .help("write the project's name, or set the variable that it is taken from"));
        }
        match project.targets.get(target) {
            Some(Target::DuckDb(_)) => {
                Ok(Self { dialect: Dialect::DuckDb, project: None, prefix: String::new() })
            }
            Some(Target::BigQuery(settings)) => Ok(Self {
                dialect: Dialect::BigQuery,
                project: Some(settings.project.clone()),
                prefix: settings.dataset_prefix.clone().unwrap_or_default(),
            }),
            None => {
                let known = project.targets.keys().map(String::as_str);
                let all = known.clone().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
                Err(Diagnostic::error(Code::UnknownReference, format!("there is no target `{target}`"))
                    .help(did_you_mean(target, known).unwrap_or_else(|| format!("the manifest has {all}"))))
            }
        }
    }

    /// A table as GoogleSQL names it: one quoted path.
    pub fn relation(&self, dataset: &str, table: &str) -> String {
        Ident(&self.path(dataset, table)).to_string()
    }

    /// The same without quotes.
    pub fn path(&self, dataset: &str, table: &str) -> String {
        match &self.project {
            Some(project) => format!("{project}.{}{dataset}.{table}", self.prefix),
            None => format!("{dataset}.{table}"),
        }
    }

    /// The name of the table that new rows of an incremental one are brought into.
    pub fn merged(&self, node: &Node) -> String {
        match self.dialect {
            Dialect::DuckDb => node.table().to_owned(),
            // There is no transaction over whole tables: a copy is published as a new build is.
            Dialect::BigQuery => format!("{}__pipewright_next", node.table()),
        }
    }

    /// A node's table as GoogleSQL names it.
    pub fn relation_of(&self, project: &Project, address: &Address) -> String {
        project
            .nodes
            .get(&address.name)
            .map(|node: &Node| self.relation(&node.dataset, node.table()))
            .unwrap_or_default()
    }

    /// `dataset.table` of the manifest for a path of SQL; nothing for another project's tables.
    fn known_name(&self, path: &[String]) -> Option<String> {
        let (dataset, table) = match (path, &self.project) {
            ([dataset, table], _) => (dataset, table),
            ([project, dataset, table], Some(own)) if project == own => (dataset, table),
            _ => return None,
        };
        let dataset = dataset.strip_prefix(&self.prefix)?;
        Some(format!("{dataset}.{table}"))
    }
}

/// The columns of the manifest's tables, as far as they are known yet.
#[derive(Debug)]
pub struct Catalog<'a> {
    naming: &'a Naming,
    tables: BTreeMap<String, (Vec<Column>, bool)>,
    sources: BTreeSet<String>,
}

impl<'a> Catalog<'a> {
    /// A catalog without tables.
    pub fn new(naming: &'a Naming) -> Self {
        Self { naming, tables: BTreeMap::new(), sources: BTreeSet::new() }
    }

    /// Adds a table by `dataset.table`; an open one may have further columns.
    pub fn insert(&mut self, relation: &str, columns: Vec<Column>, open: bool) {
        self.tables.insert(relation.to_owned(), (columns, open));
    }

    /// Notes that a table, by `dataset.table`, is a source: templates name it with `source`.
    pub fn mark_source(&mut self, relation: &str) {
        self.sources.insert(relation.to_owned());
    }

    /// The template function that names a table: `source` or `ref`.
    pub fn function(&self, relation: &str) -> &'static str {
        if self.sources.contains(relation) { "source" } else { "ref" }
    }

    /// `dataset.table` of the manifest that a path of SQL names.
    pub fn known(&self, path: &[String]) -> Option<String> {
        self.naming.known_name(path).filter(|name| self.tables.contains_key(name))
    }
}

/// A catalog with one table more.
#[derive(Debug)]
pub(super) struct With<'c> {
    pub(super) catalog: &'c Catalog<'c>,
    /// `dataset.table`.
    pub(super) name: String,
    pub(super) columns: &'c [Column],
}

impl analyze::Catalog for With<'_> {
    fn table(&self, path: &[String]) -> Option<Table<'_>> {
        if self.catalog.naming.known_name(path).as_ref() == Some(&self.name) {
            let (name, columns) = (Cow::Borrowed(self.name.as_str()), Cow::Borrowed(self.columns));
            return Some(Table { name, columns, open: false });
        }
        self.catalog.table(path)
    }

    fn table_names(&self) -> Vec<String> {
        self.catalog.table_names().into_iter().chain([self.name.clone()]).collect()
    }
}

impl analyze::Catalog for Catalog<'_> {
    fn table(&self, path: &[String]) -> Option<Table<'_>> {
        let name = self.naming.known_name(path)?;
        let (name, (columns, open)) = self.tables.get_key_value(&name)?;
        Some(Table { name: Cow::Borrowed(name), columns: Cow::Borrowed(columns), open: *open })
    }

    fn table_names(&self) -> Vec<String> {
        self.tables.keys().cloned().collect()
    }
}
