//! Datasets: which there are, what is set of them, and how that is changed without taking anything away.
//!
//! Who may use a dataset is a list that is only ever replaced as a whole. So it is read, added to and sent back with the
//! tag of what was read: of two that change it at once, one is told, and reads it again.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::super::{Result, WarehouseError};
use super::Shared;
use super::api::Stop;
use super::error::ApiError;
use crate::diag::{Code, Diagnostic};
use crate::manifest::types::DatasetRole;
use crate::plan::DatasetChange;
use crate::project::{Grant, Member};
use crate::state::DatasetObject;

/// How often a dataset is read again that others change meanwhile.
const TRIES: u32 = 8;

/// Who may use a dataset under a condition is only told, and kept, in this version of the list.
const CONDITIONS: (&str, &str) = ("accessPolicyVersion", "3");

impl Shared {
    /// The names of the project's datasets. Where those of this pipeline are, jobs are done unless a place was asked for.
    ///
    /// # Errors
    /// What BigQuery says; that they are in several places, where no job could read all of them.
    pub(super) fn datasets(&self) -> Result<BTreeSet<String>> {
        let path = self.datasets_path();
        // Those whose names begin with `_` are told only to who asks for all.
        let mut query = vec![("maxResults", "1000".to_owned()), ("all", "true".to_owned())];
        let (mut names, mut places) = (BTreeSet::new(), BTreeMap::new());
        loop {
            let page = self.jobs.api.persist(&Stop::default(), || self.jobs.api.get(&path, &query))?;
            for found in page["datasets"].as_array().into_iter().flatten() {
                let Some(name) = found["datasetReference"]["datasetId"].as_str() else { continue };
                let place = found["location"].as_str().filter(|_| self.datasets.contains(name));
                places.extend(place.map(|place| (place.to_owned(), name.to_owned())));
                names.insert(name.to_owned());
            }
            match page["nextPageToken"].as_str() {
                Some(token) if !token.is_empty() => {
                    query.truncate(2);
                    query.push(("pageToken", token.to_owned()));
                }
                _ => break,
            }
        }
        let mut places = places.into_iter();
        match (places.next(), places.next()) {
            (Some((one, first)), Some((other, second))) if self.location.is_none() => {
                let message = format!("the dataset `{first}` is in {one}, and `{second}` in {other}");
                return Err(Diagnostic::error(Code::TargetNotFound, message)
                    .help("a job reads and writes in one place: have all of them there, and name it as the `location` of the target")
                    .into());
            }
            (Some((place, _)), None) => self.jobs.found_in(&place),
            _ => {}
        }
        Ok(names)
    }

    /// A refusal of a job that did not find a dataset in its own location, with where that is.
    pub(super) fn located(&self, mut error: WarehouseError) -> WarehouseError {
        let named = error.diagnostic.message.split_once("Dataset ").map(|(_, rest)| rest);
        let named = named.and_then(|rest| rest.split_once(" was not found in location"));
        let Some((_, dataset)) = named.and_then(|(name, _)| name.rsplit_once(':')) else { return error };
        let path = format!("{}/{dataset}", self.datasets_path());
        let found = self.jobs.api.persist(&Stop::default(), || self.jobs.api.get(&path, &[]));
        if let Some(place) = found.ok().as_ref().and_then(|found| found["location"].as_str()) {
            let help =
                format!("the dataset `{dataset}` is in {place}: name that as the `location` of the target");
            error.diagnostic.help = Some(help);
        }
        error
    }

    /// Makes a dataset of which nothing is said, unless it is there.
    pub(super) fn make_dataset(&self, dataset: &str) -> Result<()> {
        self.insert_dataset(dataset, Map::new()).map(|_| ()).map_err(|error| refused(error, dataset, true))
    }

    /// What is set of a dataset; nothing where there is none.
    pub(super) fn observe_dataset(
        &self,
        dataset: &str,
    ) -> std::result::Result<Option<DatasetObject>, ApiError> {
        match self.read_dataset(dataset) {
            Ok(found) => Ok(Some(observed(&found))),
            Err(error) if error.is_missing() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Makes a dataset, or changes one that is there. Done twice, it is done once.
    pub(super) fn settle_dataset(&self, change: &DatasetChange) -> Result<()> {
        let mut made = None;
        if change.is_new {
            made = self
                .insert_dataset(&change.dataset, settings(change))
                .map_err(|error| refused(error, &change.dataset, true))?;
        }
        let path = self.dataset_path(&change.dataset);
        let query = [(CONDITIONS.0, CONDITIONS.1.to_owned())];
        let is_ours = made.is_some();
        let refused = |error| refused(error, &change.dataset, change.is_new);
        let mut tries = 1;
        loop {
            // Who may use it is not told in every answer.
            let is_told = |made: &Value| change.grants.is_empty() || made["access"].is_array();
            let found = match made.take().filter(is_told) {
                Some(found) => found,
                None => self.read_dataset(&change.dataset).map_err(refused)?,
            };
            let Some(patch) = patch(&found, change, is_ours)? else { return Ok(()) };
            let tag = found["etag"].as_str();
            let api = &self.jobs.api;
            match api.persist(&Stop::default(), || api.patch_if(&path, &query, tag, &patch)) {
                Ok(_) => return Ok(()),
                Err(error) if error.is_outdated() && tries < TRIES => tries += 1,
                Err(error) => return Err(refused(error)),
            }
        }
    }

    fn datasets_path(&self) -> String {
        format!("/bigquery/v2/projects/{}/datasets", self.place.project)
    }

    fn dataset_path(&self, dataset: &str) -> String {
        format!("{}/{}", self.datasets_path(), self.place.dataset(dataset))
    }

    fn read_dataset(&self, dataset: &str) -> std::result::Result<Value, ApiError> {
        let path = self.dataset_path(dataset);
        let query = [(CONDITIONS.0, CONDITIONS.1.to_owned())];
        self.jobs.api.persist(&Stop::default(), || self.jobs.api.get(&path, &query))
    }

    /// Makes a dataset; nothing where there is one already.
    fn insert_dataset(
        &self,
        dataset: &str,
        settings: Map<String, Value>,
    ) -> std::result::Result<Option<Value>, ApiError> {
        let path = self.datasets_path();
        let mut body = settings;
        body.insert(
            "datasetReference".to_owned(),
            json!({ "projectId": self.place.project, "datasetId": self.place.dataset(dataset) }),
        );
        if let Some(location) = self.jobs.located() {
            body.insert("location".to_owned(), json!(location));
        }
        let body = Value::Object(body);
        match self.jobs.api.persist(&Stop::default(), || self.jobs.api.post(&path, &body)) {
            Ok(made) => {
                if let Some(place) = made["location"].as_str() {
                    self.jobs.found_in(place);
                }
                Ok(Some(made))
            }
            Err(error) if error.is_duplicate() => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// What a dataset is made with. Not who may use it: a list given here would stand in the place of those whom BigQuery
/// gives access by itself, whoever makes the dataset among them.
fn settings(change: &DatasetChange) -> Map<String, Value> {
    let mut body = Map::new();
    if let Some(description) = &change.description {
        body.insert("description".to_owned(), json!(description.after));
    }
    if !change.labels.is_empty() {
        body.insert("labels".to_owned(), json!(labels(&Value::Null, change)));
    }
    if let Some(expiration) = &change.default_table_expiration_ms {
        body.insert("defaultTableExpirationMs".to_owned(), json!(expiration.after.to_string()));
    }
    body
}

/// What a dataset lacks of a change; nothing where it lacks nothing. In one that was just made, nobody's access can be
/// lost.
fn patch(found: &Value, change: &DatasetChange, is_ours: bool) -> Result<Option<Value>> {
    let mut patch = settings(change);
    patch.retain(|setting, value| found[setting.as_str()] != *value);
    if let Some(all) = patch.get_mut("labels") {
        let merged = json!(labels(&found["labels"], change));
        if merged == found["labels"] {
            patch.remove("labels");
        } else {
            *all = merged;
        }
    }
    if !change.grants.is_empty() {
        let before = match found["access"].as_array() {
            Some(entries) => entries.as_slice(),
            None if is_ours => &[],
            None => return Err(unseen(change)),
        };
        if let Some(entries) = with_grants(before, &change.grants) {
            patch.insert("access".to_owned(), Value::Array(entries));
        }
    }
    Ok((!patch.is_empty()).then_some(Value::Object(patch)))
}

/// The labels that a dataset has, with those of a change.
fn labels(found: &Value, change: &DatasetChange) -> BTreeMap<String, Value> {
    let before = found.as_object().into_iter().flatten();
    let mut labels: BTreeMap<String, Value> =
        before.map(|(label, value)| (label.clone(), value.clone())).collect();
    labels.extend(change.labels.iter().map(|(label, value)| (label.clone(), json!(value.after))));
    labels
}

/// A list of who may use a dataset with further entries; nothing where it has them all.
fn with_grants(before: &[Value], grants: &BTreeSet<Grant>) -> Option<Vec<Value>> {
    let there: BTreeSet<Grant> = before.iter().filter_map(grant).collect();
    let mut lacking = grants.difference(&there).peekable();
    lacking.peek()?;
    Some(before.iter().cloned().chain(lacking.map(entry)).collect())
}

fn observed(found: &Value) -> DatasetObject {
    let labels = found["labels"].as_object().into_iter().flatten();
    DatasetObject {
        description: found["description"].as_str().map(str::to_owned),
        labels: labels
            .filter_map(|(label, value)| Some((label.clone(), value.as_str()?.to_owned())))
            .collect(),
        default_table_expiration_ms: found["defaultTableExpirationMs"]
            .as_str()
            .and_then(|text| text.parse().ok()),
        grants: found["access"].as_array().into_iter().flatten().filter_map(grant).collect(),
    }
}

/// What an entry of the list says; nothing for what the manifest has no words for, such as views that may read the
/// dataset, other roles, and access under a condition.
fn grant(entry: &Value) -> Option<Grant> {
    let role = match entry["role"].as_str()? {
        "READER" | "roles/bigquery.dataViewer" => DatasetRole::Reader,
        "WRITER" | "roles/bigquery.dataEditor" => DatasetRole::Writer,
        "OWNER" | "roles/bigquery.dataOwner" => DatasetRole::Owner,
        _ => return None,
    };
    if !entry["condition"].is_null() {
        return None;
    }
    let text = |key: &str| entry[key].as_str().map(str::to_lowercase);
    let member = text("userByEmail")
        .map(Member::User)
        .or_else(|| text("groupByEmail").map(Member::Group))
        .or_else(|| text("domain").map(Member::Domain))
        .or_else(|| entry["specialGroup"].as_str()?.parse().ok())
        .or_else(|| entry["iamMember"].as_str()?.parse().ok())?;
    Some(Grant { role, member })
}

fn entry(grant: &Grant) -> Value {
    let role = match grant.role {
        DatasetRole::Reader => "READER",
        DatasetRole::Writer => "WRITER",
        DatasetRole::Owner => "OWNER",
    };
    let (key, value) = match &grant.member {
        Member::User(address) => ("userByEmail", address.as_str()),
        Member::Group(address) => ("groupByEmail", address.as_str()),
        Member::Domain(domain) => ("domain", domain.as_str()),
        // No group of BigQuery's own, but a member of the policies of all of Google Cloud.
        Member::Special(word @ "allUsers") => ("iamMember", *word),
        Member::Special(word) => ("specialGroup", *word),
        Member::Principal(text) => ("iamMember", text.as_str()),
    };
    json!({ "role": role, key: value })
}

/// A refusal, with the dataset and what it takes.
fn refused(error: ApiError, dataset: &str, is_new: bool) -> WarehouseError {
    let WarehouseError { mut diagnostic, transient, of_target } = error.into();
    diagnostic.message = format!("the dataset `{dataset}`: {}", diagnostic.message);
    if diagnostic.code == Code::AccessDenied {
        diagnostic.help = Some(if is_new {
            "to make datasets, the account needs the role BigQuery User on the project, or another with the permission \
             `bigquery.datasets.create`; or somebody who has it makes the dataset, and gives the account the role BigQuery \
             Data Editor on it"
                .to_owned()
        } else {
            "to change what is set of it, the account needs the role BigQuery Data Owner on the dataset; or somebody who \
             has it does what `pipewright plan` shows"
                .to_owned()
        });
    }
    WarehouseError { diagnostic, transient, of_target }
}

fn unseen(change: &DatasetChange) -> WarehouseError {
    Diagnostic::error(
        Code::AccessDenied,
        format!("BigQuery does not tell this account who may use the dataset `{}`", change.dataset),
    )
    .help("nothing was granted, since that could take others' access away; give the account the role BigQuery Data Owner on the dataset")
    .into()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::plan::Change;

    fn change(labels: &[(&str, &str)], grants: &[(DatasetRole, &str)]) -> DatasetChange {
        let set = |value: &str| Change { before: None, after: value.to_owned() };
        DatasetChange {
            dataset: "marts".to_owned(),
            is_new: false,
            description: None,
            labels: labels.iter().map(|(label, value)| ((*label).to_owned(), set(value))).collect(),
            default_table_expiration_ms: None,
            grants: grants
                .iter()
                .map(|(role, member)| Grant { role: *role, member: member.parse().unwrap() })
                .collect(),
        }
    }

    #[test]
    fn an_entry_reads_as_the_grant_that_wrote_it() {
        let members = [
            "user:ana@example.com",
            "serviceAccount:loader@my.iam.gserviceaccount.com",
            "group:analysts@example.com",
            "domain:example.com",
            "projectOwners",
            "allAuthenticatedUsers",
            "allUsers",
            "principalSet://iam.googleapis.com/locations/global/workforcePools/P/group/G",
        ];
        for member in members {
            for role in [DatasetRole::Reader, DatasetRole::Writer, DatasetRole::Owner] {
                let given = Grant { role, member: member.parse().unwrap() };
                assert_eq!(grant(&entry(&given)), Some(given));
            }
        }
    }

    #[test]
    fn whom_bigquery_names_otherwise_is_known_all_the_same() {
        let there = [
            json!({"role": "roles/bigquery.dataViewer", "userByEmail": "Ana@Example.com"}),
            json!({"role": "OWNER", "specialGroup": "projectOwners"}),
        ];
        let wanted = [(DatasetRole::Reader, "user:ana@example.com"), (DatasetRole::Owner, "projectOwners")];
        assert_eq!(with_grants(&there, &change(&[], &wanted).grants), None);
    }

    #[test]
    fn what_is_no_grant_of_the_manifests_stays_and_counts_as_none() {
        let view = json!({"projectId": "p", "datasetId": "d", "tableId": "v"});
        let others = [
            json!({"view": view}),
            json!({"role": "roles/bigquery.metadataViewer", "userByEmail": "ana@example.com"}),
            json!({"role": "WRITER", "userByEmail": "ana@example.com"}),
            json!({"role": "READER", "userByEmail": "ana@example.com", "condition": {"expression": "false"}}),
        ];
        let wanted = change(&[], &[(DatasetRole::Reader, "user:ana@example.com")]);
        let now = with_grants(&others, &wanted.grants).unwrap();
        assert_eq!(now[..4], others);
        assert_eq!(now[4..], [json!({"role": "READER", "userByEmail": "ana@example.com"})]);
    }

    #[test]
    fn a_list_that_is_not_shown_is_not_replaced() {
        let wanted = change(&[], &[(DatasetRole::Reader, "user:ana@example.com")]);
        let error = patch(&json!({"etag": "a"}), &wanted, false).unwrap_err();
        assert_eq!(error.diagnostic.code, Code::AccessDenied);
        assert!(patch(&json!({"etag": "a"}), &wanted, true).unwrap().is_some());
        // Where nobody is to be granted anything, the list is not needed.
        assert_eq!(patch(&json!({"etag": "a"}), &change(&[], &[]), false), Ok(None));
    }

    #[test]
    fn only_what_differs_is_sent() {
        let mut wanted = change(&[("team", "b")], &[]);
        wanted.description = Some(Change { before: None, after: "Marts.".to_owned() });
        wanted.default_table_expiration_ms = Some(Change { before: None, after: 3_600_000 });
        let there = json!({"description": "Marts.", "labels": {"team": "a", "cost": "c"}, "defaultTableExpirationMs": "3600000"});
        let sent = patch(&there, &wanted, false).unwrap().unwrap();
        assert_eq!(sent, json!({"labels": {"team": "b", "cost": "c"}}));
    }

    fn any_entry() -> impl Strategy<Value = Value> {
        let who = prop_oneof![
            Just(("userByEmail", json!("ana@example.com"))),
            Just(("userByEmail", json!("Bob@example.com"))),
            Just(("groupByEmail", json!("analysts@example.com"))),
            Just(("specialGroup", json!("projectOwners"))),
            Just(("iamMember", json!("allUsers"))),
            Just(("domain", json!("example.com"))),
            Just(("view", json!({"projectId": "p", "datasetId": "d", "tableId": "v"}))),
            Just(("routine", json!({"projectId": "p", "datasetId": "d", "routineId": "r"}))),
        ];
        let roles =
            ["READER", "WRITER", "OWNER", "roles/bigquery.dataViewer", "roles/bigquery.metadataViewer", ""];
        (who, proptest::sample::select(roles.to_vec()), any::<bool>()).prop_map(
            |((key, who), role, condition)| {
                let mut entry = json!({ key: who });
                if !role.is_empty() {
                    entry["role"] = json!(role);
                }
                if condition {
                    entry["condition"] = json!({"expression": "true"});
                }
                entry
            },
        )
    }

    fn any_grants() -> impl Strategy<Value = Vec<(DatasetRole, &'static str)>> {
        let roles = [DatasetRole::Reader, DatasetRole::Writer, DatasetRole::Owner];
        let members = [
            "user:ana@example.com",
            "user:bob@example.com",
            "group:analysts@example.com",
            "projectOwners",
            "allUsers",
        ];
        let one = (proptest::sample::select(roles.to_vec()), proptest::sample::select(members.to_vec()));
        proptest::collection::vec(one, 0..6)
    }

    proptest! {
        #[test]
        fn nothing_of_others_is_lost_and_twice_is_once(
            access in proptest::collection::vec(any_entry(), 0..8),
            there in proptest::collection::btree_map("[a-d]", "[x-z]", 0..4),
            grants in any_grants(),
            given in proptest::collection::btree_map("[a-d]", "[x-z]", 0..4),
        ) {
            let given: Vec<(&str, &str)> = given.iter().map(|(label, value)| (label.as_str(), value.as_str())).collect();
            let wanted = change(&given, &grants);
            let mut dataset = json!({"access": access, "labels": there});
            if let Some(sent) = patch(&dataset, &wanted, false).unwrap() {
                for (setting, value) in sent.as_object().unwrap() {
                    dataset[setting] = value.clone();
                }
            }
            let now = dataset["access"].as_array().unwrap();
            prop_assert_eq!(&now[..access.len()], &access[..]);
            let has: BTreeSet<Grant> = now.iter().filter_map(grant).collect();
            prop_assert!(wanted.grants.is_subset(&has));
            for (label, value) in &there {
                if !wanted.labels.contains_key(label) {
                    prop_assert_eq!(dataset["labels"][label].as_str(), Some(value.as_str()));
                }
            }
            for (label, value) in &wanted.labels {
                prop_assert_eq!(dataset["labels"][label].as_str(), Some(value.after.as_str()));
            }
            prop_assert_eq!(patch(&dataset, &wanted, false).unwrap(), None);
        }
    }
}
