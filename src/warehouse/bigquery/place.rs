//! What datasets and tables of the manifest are called in BigQuery.

use serde_json::{Value, json};

use super::super::Relation;
use crate::googlesql::names::Ident;

/// A project, and what stands before the names of datasets in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) project: String,
    pub(super) prefix: String,
    /// The dataset of what is remembered, without the prefix.
    pub(super) state: String,
}

impl Place {
    /// The name of a dataset.
    pub(super) fn dataset(&self, dataset: &str) -> String {
        format!("{}{dataset}", self.prefix)
    }

    /// A table, for requests.
    pub(super) fn reference(&self, relation: &Relation) -> Value {
        json!({
            "projectId": self.project,
            "datasetId": self.dataset(&relation.dataset),
            "tableId": relation.table,
        })
    }

    /// Where the tables of a dataset are made, below the endpoint.
    pub(super) fn tables(&self, dataset: &str) -> String {
        format!("/bigquery/v2/projects/{}/datasets/{}/tables", self.project, self.dataset(dataset))
    }

    /// Where a table is described, below the endpoint.
    pub(super) fn address(&self, relation: &Relation) -> String {
        format!("{}/{}", self.tables(&relation.dataset), relation.table)
    }

    /// A table, for SQL: one quoted path.
    pub(super) fn path(&self, relation: &Relation) -> String {
        Ident(&self.named(relation)).to_string()
    }

    /// The same without quotes.
    pub(super) fn named(&self, relation: &Relation) -> String {
        format!("{}.{}.{}", self.project, self.dataset(&relation.dataset), relation.table)
    }
}
