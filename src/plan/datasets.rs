//! What changes of datasets: which are made, and what the manifest says of them and the target does not have.
//!
//! Nothing is taken away. What others set of a dataset and the manifest does not name stays, and so does what an
//! earlier manifest named.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::Planning;
use crate::fingerprint::Fingerprint;
use crate::manifest::types::Dataset;
use crate::project::{Grant, Project};
use crate::state::DatasetObject;

/// A dataset that is made or changed before the steps run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatasetChange {
    /// Its name in the manifest.
    pub dataset: String,
    /// Whether it is made.
    pub is_new: bool,
    /// What it is said to hold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<Change<String>>,
    /// Labels that come or get another value.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, Change<String>>,
    /// How long tables stay that are made in it from now on, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_table_expiration_ms: Option<Change<u64>>,
    /// Access that is added.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub grants: BTreeSet<Grant>,
}

/// A setting that gets a value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change<T> {
    /// The value that it has; nothing where it has none.
    pub before: Option<T>,
    /// The value that it gets.
    pub after: T,
}

impl<T: PartialEq + Clone> Change<T> {
    fn between(before: Option<&T>, after: T) -> Option<Self> {
        (before != Some(&after)).then(|| Self { before: before.cloned(), after })
    }
}

/// The changes of the datasets that are built in or that the manifest declares; and the names of those that differ and
/// in which nothing is selected.
pub(super) fn changes(
    planning: &Planning<'_>,
    built_in: &BTreeSet<String>,
) -> (Vec<DatasetChange>, Vec<String>) {
    let Some(there) = &planning.snapshot.datasets else { return (Vec::new(), Vec::new()) };
    let project = &planning.compiled.project;
    let is_chosen = |name: &String| {
        let Some(selected) = planning.selected else { return true };
        let mut nodes = project.nodes.values();
        nodes.any(|node| node.dataset == *name && selected.contains(&node.address))
    };
    let mut declared: Vec<(&String, &Dataset)> = project.datasets.iter().collect();
    declared.sort_by_key(|(name, _)| *name);
    let changes = declared.into_iter().filter_map(|(name, dataset)| match there.get(name) {
        Some(object) => Some(change(name, dataset, object)).filter(|change| !change.is_empty()),
        None if built_in.contains(name) => {
            Some(DatasetChange { is_new: true, ..change(name, dataset, &DatasetObject::default()) })
        }
        None => None,
    });
    let (chosen, left_out): (Vec<_>, Vec<_>) =
        changes.partition(|change| built_in.contains(&change.dataset) || is_chosen(&change.dataset));
    (chosen, left_out.into_iter().map(|change| change.dataset).collect())
}

impl DatasetChange {
    fn is_empty(&self) -> bool {
        self.description.is_none()
            && self.labels.is_empty()
            && self.default_table_expiration_ms.is_none()
            && self.grants.is_empty()
    }
}

fn change(name: &str, declared: &Dataset, there: &DatasetObject) -> DatasetChange {
    // A variable without a value leaves nothing, and a block of YAML a line break at its end.
    let description = declared.description.as_deref().map(str::trim).filter(|text| !text.is_empty());
    let labels = declared.labels.iter().filter_map(|(label, value)| {
        Some((label.clone(), Change::between(there.labels.get(label), value.clone())?))
    });
    let expiration = declared.default_table_expiration.map(milliseconds);
    DatasetChange {
        dataset: name.to_owned(),
        is_new: false,
        description: description
            .and_then(|text| Change::between(there.description.as_ref(), text.to_owned())),
        labels: labels.collect(),
        default_table_expiration_ms: expiration
            .and_then(|time| Change::between(there.default_table_expiration_ms.as_ref(), time)),
        grants: granted(declared).filter(|grant| !there.grants.contains(grant)).collect(),
    }
}

fn milliseconds(time: crate::manifest::types::DurationText) -> u64 {
    u64::try_from(time.0.as_millis()).unwrap_or(u64::MAX)
}

fn granted(dataset: &Dataset) -> impl Iterator<Item = Grant> {
    // Resolving has refused members that cannot be read.
    let of_one = |grant: &crate::manifest::types::DatasetGrant| {
        let role = grant.role;
        let members = grant.members.iter().filter_map(|text| text.parse().ok());
        members.map(move |member| Grant { role, member }).collect::<Vec<_>>()
    };
    dataset.grants.iter().flat_map(of_one)
}

/// What the manifest says of its datasets, as a part of its fingerprint.
pub(super) fn with_settings(mut print: Fingerprint, project: &Project) -> Fingerprint {
    for (name, dataset) in &project.datasets {
        let change = change(name, dataset, &DatasetObject::default());
        if !change.is_empty() {
            print = print.text(name).text(&serde_json::json!(change).to_string());
        }
    }
    print
}
