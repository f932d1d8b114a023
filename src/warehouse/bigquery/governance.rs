//! Who may read a table, and what others have said of it: kept when the table is published anew.
//!
//! A copy over a table brings the labels, policy tags and row access policies of the copied one, which is none
//! (<https://cloud.google.com/bigquery/docs/using-row-level-security-with-features>). So what keeps rows and columns from
//! readers is put on the build before it is copied: nobody sees more for a moment, or for good. The rest is put back
//! afterwards, and what is lost all the same is told.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::super::{Relation, Result};
use super::Shared;
use super::api::Stop;
use super::error::ApiError;
use super::layout::{Description, Foreign, MARK};
use crate::diag::{Code, Diagnostic, quoted};
use crate::manifest::types::Materialization;
use crate::project::Properties;

/// What governs a table. What the account may not read, or the server does not know, is nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Governance {
    pub(super) labels: BTreeMap<String, String>,
    /// Policy tags by the path of their column.
    pub(super) policy_tags: BTreeMap<String, Vec<String>>,
    /// The columns that there are, by path.
    pub(super) columns: BTreeSet<String>,
    /// Row access policies: what each lets through, by name.
    pub(super) row_policies: Option<BTreeMap<String, String>>,
    /// Who was granted what on the table itself.
    pub(super) grants: Option<BTreeSet<Grant>>,
    /// Resource tags, which conditions of grants and policies of the organisation go by.
    #[serde(default)]
    pub(super) resource_tags: BTreeMap<String, String>,
    /// Data policies, which mask a column, by its path.
    #[serde(default)]
    pub(super) data_policies: BTreeMap<String, String>,
    /// The key that it is encrypted with, if that is its own.
    #[serde(default)]
    pub(super) key: Option<String>,
}

/// A role that was granted on a table.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Grant {
    pub(super) role: String,
    pub(super) member: String,
    /// Under which condition, as JSON; empty without one.
    pub(super) condition: String,
}

/// What a publication found at its place. It is written down before, so that whoever comes after a run that ended on the
/// way can put it back.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Governed {
    pub(super) before: Governance,
    pub(super) foreign: Foreign,
}

impl Governance {
    /// What a table says of itself.
    pub(super) fn of_table(table: &Value) -> Self {
        let mut found = Self::default();
        for (name, value) in table["labels"].as_object().into_iter().flatten() {
            found.labels.insert(name.clone(), value.as_str().unwrap_or_default().to_owned());
        }
        for (name, value) in table["resourceTags"].as_object().into_iter().flatten() {
            found.resource_tags.insert(name.clone(), value.as_str().unwrap_or_default().to_owned());
        }
        found.key = table["encryptionConfiguration"]["kmsKeyName"].as_str().map(str::to_owned);
        found.add_columns(&table["schema"]["fields"], "");
        found
    }

    fn add_columns(&mut self, fields: &Value, prefix: &str) {
        for field in fields.as_array().into_iter().flatten() {
            // Case tells no columns apart.
            let path = format!("{prefix}{}", field["name"].as_str().unwrap_or_default().to_lowercase());
            let names = field["policyTags"]["names"].as_array().into_iter().flatten();
            let names: Vec<String> = names.filter_map(Value::as_str).map(str::to_owned).collect();
            if !names.is_empty() {
                self.policy_tags.insert(path.clone(), names);
            }
            if field["dataPolicies"].as_array().is_some_and(|policies| !policies.is_empty()) {
                self.data_policies.insert(path.clone(), field["dataPolicies"].to_string());
            }
            self.add_columns(&field["fields"], &format!("{path}."));
            self.columns.insert(path);
        }
    }

    /// Whether some readers see less of it than others.
    pub(super) fn keeps_readers_out(&self) -> bool {
        !self.policy_tags.is_empty()
            || self.row_policies.as_ref().is_some_and(|policies| !policies.is_empty())
    }

    /// What of it the manifest says nothing of, now or before.
    pub(super) fn foreign(&self, description: &Description) -> Foreign {
        let managed = [&description.properties, &description.before];
        let labels = self
            .labels
            .iter()
            .filter(|(name, _)| *name != MARK && !managed.iter().any(|said| said.labels.contains_key(*name)));
        let tags =
            self.policy_tags.iter().filter(|(path, _)| !managed.iter().any(|said| tags_column(said, path)));
        Foreign {
            labels: labels.map(|(name, value)| (name.clone(), value.clone())).collect(),
            policy_tags: tags.map(|(path, names)| (path.clone(), names.clone())).collect(),
            resource_tags: self.resource_tags.clone(),
        }
    }

    pub(super) fn has_row_policies(&self) -> bool {
        self.row_policies.as_ref().is_some_and(|policies| !policies.is_empty())
    }
}

/// Whether the manifest has a policy tag for a column.
fn tags_column(properties: &Properties, path: &str) -> bool {
    let tagged = |(name, column): (&String, &crate::project::ColumnProperties)| {
        column.policy_tag.is_some() && name.eq_ignore_ascii_case(path)
    };
    properties.columns.iter().any(tagged)
}

/// What others had said of a table and is gone, in words. A column that is gone took its tag with it.
pub(super) fn lost(before: &Governance, foreign: &Foreign, after: &Governance) -> Vec<String> {
    let mut lost = Vec::new();
    for (name, value) in &foreign.labels {
        if after.labels.get(name) != Some(value) {
            lost.push(format!("the label `{name}`"));
        }
    }
    for (path, names) in &foreign.policy_tags {
        let gone = after.policy_tags.get(path) != Some(names);
        if gone && after.columns.contains(path) {
            lost.push(format!("the policy tag of `{path}`"));
        }
    }
    for (name, value) in &before.resource_tags {
        if after.resource_tags.get(name) != Some(value) {
            lost.push(format!("the resource tag `{name}`"));
        }
    }
    for (path, policies) in &before.data_policies {
        if after.data_policies.get(path) != Some(policies) && after.columns.contains(path) {
            lost.push(format!("the data policies of `{path}`"));
        }
    }
    if before.key.is_some() && before.key != after.key {
        lost.push("the encryption key".to_owned());
    }
    for (name, predicate) in before.row_policies.iter().flatten() {
        if after.row_policies.as_ref().and_then(|policies| policies.get(name)) != Some(predicate) {
            lost.push(format!("the row access policy `{name}`"));
        }
    }
    if let (Some(before), Some(after)) = (&before.grants, &after.grants) {
        for Grant { role, member, .. } in before.difference(after) {
            lost.push(format!("the grant of {role} to {member}"));
        }
    }
    lost
}

/// The failure of a step that published a table and lost something of it.
pub(super) fn told(relation: &Relation, lost: &[String]) -> Diagnostic {
    let message = format!("{relation} was published, and lost {}", lost.join(", "));
    Diagnostic::error(Code::GovernanceLost, message)
        .help("readers see the new rows; set it again in BigQuery, or in the manifest where it has a place")
}

/// Looks at and sets what governs tables.
pub(super) struct Guard<'a> {
    pub(super) shared: &'a Shared,
    pub(super) stop: &'a Stop,
}

impl Guard<'_> {
    /// What keeps readers from rows and columns of a table that is there.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub(super) fn restrictions(
        &self,
        at: &Relation,
        table: &Value,
    ) -> std::result::Result<Governance, ApiError> {
        let mut found = Governance::of_table(table);
        // Views have no row access policies.
        if table["type"] == "TABLE" {
            found.row_policies = self.row_policies(at)?;
        }
        Ok(found)
    }

    /// What governs a table that is there.
    ///
    /// # Errors
    /// What BigQuery says, unless it is that it does not tell.
    pub(super) fn read(&self, at: &Relation, table: &Value) -> std::result::Result<Governance, ApiError> {
        let mut found = self.restrictions(at, table)?;
        found.grants = self.policy(at)?.as_ref().map(grants);
        Ok(found)
    }

    fn api_get(&self, path: &str, query: &[(&str, String)]) -> std::result::Result<Option<Value>, ApiError> {
        let api = &self.shared.jobs.api;
        unless_untold(api.persist(self.stop, || api.get(path, query)))
    }

    fn api_post(&self, path: &str, body: &Value) -> std::result::Result<Value, ApiError> {
        let api = &self.shared.jobs.api;
        api.persist(self.stop, || api.post(path, body))
    }

    fn row_policies(&self, at: &Relation) -> std::result::Result<Option<BTreeMap<String, String>>, ApiError> {
        let path = format!("{}/rowAccessPolicies", self.shared.place.address(at));
        let mut named = BTreeMap::new();
        let mut page = Vec::new();
        loop {
            let Some(answer) = self.api_get(&path, &page)? else { return Ok(None) };
            for policy in answer["rowAccessPolicies"].as_array().into_iter().flatten() {
                if let Some(name) = policy["rowAccessPolicyReference"]["policyId"].as_str() {
                    let predicate = policy["filterPredicate"].as_str().unwrap_or_default();
                    named.insert(name.to_owned(), predicate.to_owned());
                }
            }
            match answer["nextPageToken"].as_str() {
                Some(token) if !token.is_empty() => page = vec![("pageToken", token.to_owned())],
                _ => return Ok(Some(named)),
            }
        }
    }

    /// The grants on a table, as BigQuery keeps them.
    fn policy(&self, at: &Relation) -> std::result::Result<Option<Value>, ApiError> {
        let path = format!("{}:getIamPolicy", self.shared.place.address(at));
        // Of version 3 are those with conditions.
        let body = json!({ "options": { "requestedPolicyVersion": 3 } });
        unless_untold(self.api_post(&path, &body))
    }

    /// Puts the row access policies of a published table on the build that takes its place.
    ///
    /// # Errors
    /// That one of them cannot be: nothing has been published then.
    pub(super) fn carry_over(
        &self,
        (build, to): (&Relation, &Relation),
        kind: Materialization,
        governance: &Governance,
    ) -> Result<()> {
        if !governance.has_row_policies() {
            return Ok(());
        }
        let policies = governance.row_policies.clone().unwrap_or_default();
        let refused = |why: String| {
            let names = quoted(policies.keys().map(String::as_str));
            let message = format!("{to} would lose its row access policies ({names}): {why}");
            Diagnostic::error(Code::GovernanceLost, message).help(
                "nothing was published; give the account the role BigQuery Data Owner on the table and a policy of its own \
                 with `FILTER USING (TRUE)`, or drop the policies yourself",
            )
        };
        if kind == Materialization::View {
            return Err(refused("it becomes a view, which has none".to_owned()).into());
        }
        // A copy of the published table, into which new rows were brought, may have them already; so may a build that was given
        // them when it was made, since when somebody may have changed them.
        let there = self.row_policies(build)?.unwrap_or_default();
        let place = &self.shared.place;
        for (name, predicate) in &policies {
            let grantees = self.grantees(to, name).map_err(|error| refused(error.message))?;
            if let Some(known) = there.get(name) {
                let same = self.grantees(build, name).map_err(|error| refused(error.message))? == grantees;
                if same && known == predicate {
                    continue;
                }
                let path = format!("{}/rowAccessPolicies/{name}?force=true", place.address(build));
                let api = &self.shared.jobs.api;
                let gone = api.persist(self.stop, || api.delete(&path));
                drop(gone.map_err(|error| refused(error.message))?);
            }
            let mut reference = place.reference(build);
            reference["policyId"] = json!(name);
            let body = json!({
                "rowAccessPolicyReference": reference, "filterPredicate": predicate, "grantees": grantees,
            });
            let path = format!("{}/rowAccessPolicies", place.address(build));
            match self.api_post(&path, &body) {
                // Its answer was lost, and it was asked for again.
                Err(error) if error.is_duplicate() => {}
                done => drop(done.map_err(|error| refused(error.message))?),
            }
        }
        Ok(())
    }

    /// Who sees the rows that a row access policy lets through.
    fn grantees(&self, of: &Relation, policy: &str) -> std::result::Result<BTreeSet<String>, ApiError> {
        let path = format!("{}/rowAccessPolicies/{policy}:getIamPolicy", self.shared.place.address(of));
        let held = self.api_post(&path, &json!({}))?;
        Ok(grants(&held).into_iter().map(|grant| grant.member).collect())
    }

    /// What governs a table that was published anew and is described as given, with the grants that it had put back.
    ///
    /// # Errors
    /// What BigQuery says.
    pub(super) fn settle(
        &self,
        at: &Relation,
        table: &Value,
        before: &Governance,
    ) -> std::result::Result<Governance, ApiError> {
        let mut after = Governance::of_table(table);
        if before.has_row_policies() {
            after.row_policies = self.row_policies(at)?;
        }
        let had = before.grants.as_ref().filter(|grants| !grants.is_empty());
        let now = match had {
            Some(_) => self.policy(at)?,
            None => None,
        };
        let (Some(had), Some(now)) = (had, now) else {
            after.grants.clone_from(&before.grants);
            return Ok(after);
        };
        let missing: Vec<&Grant> = had.iter().filter(|grant| !grants(&now).contains(grant)).collect();
        after.grants = Some(grants(&now));
        if !missing.is_empty() {
            let path = format!("{}:setIamPolicy", self.shared.place.address(at));
            let body = json!({ "policy": with_grants(&now, &missing) });
            if let Some(now) = unless_untold(self.api_post(&path, &body))? {
                after.grants = Some(grants(&now));
            }
        }
        Ok(after)
    }
}

/// What was told; nothing where the account may not know, or the server does not.
fn unless_untold<T>(answer: std::result::Result<T, ApiError>) -> std::result::Result<Option<T>, ApiError> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        // Only a refusal to tell is one: where a quota is used up, what there is goes unseen for the moment.
        Err(error) if error.is_denied() || matches!(error.status, Some(404 | 405 | 501)) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The grants of a policy, one by one.
fn grants(policy: &Value) -> BTreeSet<Grant> {
    let mut grants = BTreeSet::new();
    for binding in policy["bindings"].as_array().into_iter().flatten() {
        for member in binding["members"].as_array().into_iter().flatten() {
            grants.insert(Grant {
                role: binding["role"].as_str().unwrap_or_default().to_owned(),
                member: member.as_str().unwrap_or_default().to_owned(),
                condition: match &binding["condition"] {
                    Value::Null => String::new(),
                    condition => condition.to_string(),
                },
            });
        }
    }
    grants
}

/// A policy with further grants.
fn with_grants(policy: &Value, more: &[&Grant]) -> Value {
    let mut bindings: Vec<Value> = policy["bindings"].as_array().cloned().unwrap_or_default();
    for Grant { role, member, condition } in more {
        let mut binding = json!({ "role": role, "members": [member] });
        if !condition.is_empty() {
            binding["condition"] = serde_json::from_str(condition).unwrap_or_default();
        }
        bindings.push(binding);
    }
    json!({ "version": 3, "etag": policy["etag"], "bindings": bindings })
}

#[cfg(test)]
mod tests;
