//! What datasets and tables of the manifest are called in BigQuery.

use gcp_bigquery_client::model::table_reference::TableReference;

use super::super::Relation;
use crate::googlesql::names::Ident;

/// A project, and what stands before the names of datasets in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) project: String,
    pub(super) prefix: String,
}

impl Place {
    /// The name of a dataset.
    pub(super) fn dataset(&self, dataset: &str) -> String {
        format!("{}{dataset}", self.prefix)
    }

    /// A table, for requests.
    pub(super) fn reference(&self, relation: &Relation) -> TableReference {
        TableReference {
            project_id: self.project.clone(),
            dataset_id: self.dataset(&relation.dataset),
            table_id: relation.table.clone(),
        }
    }

    /// Where a table is described, below the endpoint.
    pub(super) fn address(&self, relation: &Relation) -> String {
        let (project, dataset) = (&self.project, self.dataset(&relation.dataset));
        format!("/bigquery/v2/projects/{project}/datasets/{dataset}/tables/{}", relation.table)
    }

    /// A table, for SQL: one quoted path.
    pub(super) fn path(&self, relation: &Relation) -> String {
        Ident(&format!("{}.{}.{}", self.project, self.dataset(&relation.dataset), relation.table)).to_string()
    }
}
