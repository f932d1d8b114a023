//! What is lost, and what is asked of a server so that it is not.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::sync::atomic::{AtomicI64, AtomicU64};
use std::sync::{Arc, Mutex};

use proptest::prelude::*;

use super::super::api::{Api, Way};
use super::super::credentials::Origin;
use super::super::job::Jobs;
use super::super::locked;
use super::super::place::Place;
use super::super::storage::Storage;
use super::*;
use crate::manifest::types::BigQueryTarget;
use crate::project::ColumnProperties;

fn table() -> Value {
    json!({
        "labels": { "team": "finance", "ours": "x" },
        "resourceTags": { "123/env": "prod" },
        "encryptionConfiguration": { "kmsKeyName": "k" },
        "schema": { "fields": [
            { "name": "id", "type": "INTEGER" },
            { "name": "email", "type": "STRING", "policyTags": { "names": ["t/1"] }, "dataPolicies": [{ "name": "d/1" }] },
            { "name": "home", "type": "RECORD", "fields": [
                { "name": "street", "type": "STRING", "policyTags": { "names": ["t/2"] } },
            ] },
        ] },
    })
}

fn governed() -> Governance {
    let policy = json!({ "bindings": [
        { "role": "roles/bigquery.dataViewer", "members": ["user:a@example.com", "user:b@example.com"] },
        { "role": "roles/bigquery.dataEditor", "members": ["user:a@example.com"], "condition": { "expression": "x" } },
    ] });
    Governance {
        row_policies: Some(BTreeMap::from([("south".to_owned(), "region = 'S'".to_owned())])),
        grants: Some(grants(&policy)),
        ..Governance::of_table(&table())
    }
}

#[test]
fn everything_that_is_lost_is_named() {
    let before = governed();
    let foreign = before.foreign(&Description::default());
    assert_eq!(lost(&before, &foreign, &before), Vec::<String>::new());
    let bare = json!({ "schema": { "fields": [
        { "name": "email" }, { "name": "home", "fields": [{ "name": "street" }] },
    ] } });
    let after = Governance {
        row_policies: Some(BTreeMap::new()),
        grants: Some(BTreeSet::new()),
        ..Governance::of_table(&bare)
    };
    assert_eq!(
        lost(&before, &foreign, &after),
        [
            "the label `ours`",
            "the label `team`",
            "the policy tag of `email`",
            "the policy tag of `home.street`",
            "the resource tag `123/env`",
            "the data policies of `email`",
            "the encryption key",
            "the row access policy `south`",
            "the grant of roles/bigquery.dataEditor to user:a@example.com",
            "the grant of roles/bigquery.dataViewer to user:a@example.com",
            "the grant of roles/bigquery.dataViewer to user:b@example.com",
        ]
    );
}

#[test]
fn what_is_weaker_or_unknown_counts_as_it_is() {
    let before = governed();
    let foreign = before.foreign(&Description::default());
    // Another predicate lets other rows through.
    let other = BTreeMap::from([("south".to_owned(), "TRUE".to_owned())]);
    let after = Governance { row_policies: Some(other), ..before.clone() };
    assert_eq!(lost(&before, &foreign, &after), ["the row access policy `south`"]);
    // Policies that were there and cannot be read any more are not known to be there.
    let after = Governance { row_policies: None, ..before.clone() };
    assert_eq!(lost(&before, &foreign, &after), ["the row access policy `south`"]);
    let after = Governance { grants: None, ..before.clone() };
    assert_eq!(lost(&before, &foreign, &after), Vec::<String>::new());
    // A column that is gone takes its tag with it.
    let after = Governance {
        grants: before.grants.clone(),
        row_policies: before.row_policies.clone(),
        resource_tags: before.resource_tags.clone(),
        key: before.key.clone(),
        ..Governance::of_table(&json!({ "labels": { "team": "finance", "ours": "x" } }))
    };
    assert_eq!(lost(&before, &foreign, &after), Vec::<String>::new());
}

#[test]
fn what_the_manifest_says_is_its_own() {
    let tag = ColumnProperties { description: None, policy_tag: Some("t/9".to_owned()) };
    let description = Description {
        properties: Properties {
            columns: BTreeMap::from([("Email".to_owned(), tag)]),
            ..Properties::default()
        },
        before: Properties {
            labels: BTreeMap::from([("ours".to_owned(), "old".to_owned())]),
            ..Properties::default()
        },
        ..Description::default()
    };
    let foreign = governed().foreign(&description);
    assert_eq!(foreign.labels.keys().collect::<Vec<_>>(), ["team"]);
    assert_eq!(foreign.policy_tags.keys().collect::<Vec<_>>(), ["home.street"]);
}

fn any_grants() -> impl Strategy<Value = BTreeSet<Grant>> {
    let grant =
        ("[a-c]", "[x-z]", prop_oneof![Just(String::new()), Just("{\"expression\":\"e\"}".to_owned())]);
    let grant = grant.prop_map(|(role, member, condition)| Grant { role, member, condition });
    proptest::collection::btree_set(grant, 0..6)
}

proptest! {
    /// Whatever was granted before and after: a policy with what is missing has all of both.
    #[test]
    fn missing_grants_put_back_are_no_loss(had in any_grants(), now in any_grants()) {
        let all: Vec<&Grant> = now.iter().collect();
        let policy = with_grants(&json!({ "etag": "e" }), &all);
        prop_assert_eq!(grants(&policy), now.clone());
        let missing: Vec<&Grant> = had.difference(&now).collect();
        let whole = with_grants(&policy, &missing);
        let union: BTreeSet<Grant> = had.union(&now).cloned().collect();
        prop_assert_eq!(grants(&whole), union.clone());
        let of = |grants: BTreeSet<Grant>| Governance { grants: Some(grants), ..Governance::default() };
        let foreign = Foreign::default();
        prop_assert!(lost(&of(had.clone()), &foreign, &of(union)).is_empty());
        prop_assert_eq!(lost(&of(had.clone()), &foreign, &of(now.clone())).len(), missing.len());
    }

    /// What is put on a table by a description is found on it again, and nothing of it counts as lost.
    #[test]
    fn what_is_put_back_is_no_loss(
        labels in proptest::collection::btree_map("[a-d]", "[a-z]{0,3}", 0..4),
        tagged in proptest::collection::btree_set("[a-d]", 0..4),
    ) {
        let tags = tagged.into_iter().map(|column| (column, vec!["t".to_owned()]));
        let foreign = Foreign { labels, policy_tags: tags.collect(), ..Foreign::default() };
        let bare = json!({ "schema": { "fields": [{ "name": "a" }, { "name": "b" }] } });
        let patch = Description::of(String::new()).patch(&bare, &foreign, 0);
        let before = Governance::default();
        prop_assert!(lost(&before, &foreign, &Governance::of_table(&patch)).is_empty());
    }
}

/// What a server was asked, in order.
type Asked = Arc<Mutex<Vec<String>>>;

/// A server that answers as told, each answer once and the last of a request for good; others it does not know.
fn served(answers: &[(&str, u16, Value)]) -> (Shared, Asked) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let asked = Asked::default();
    let mut answers: Vec<(String, u16, Value)> = answers
        .iter()
        .map(|(request, status, body)| ((*request).to_owned(), *status, body.clone()))
        .collect();
    let log = Arc::clone(&asked);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            let (mut head, mut length) = (String::new(), 0);
            reader.read_line(&mut head).unwrap();
            loop {
                let mut line = String::new();
                reader.read_line(&mut line).unwrap();
                if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
                    length = value.trim().parse().unwrap();
                }
                if line.trim().is_empty() {
                    break;
                }
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body).unwrap();
            let request =
                head.trim_end_matches(" HTTP/1.1\r\n").replace("/bigquery/v2/projects/p/datasets/", "");
            locked(&log).push(format!("{request} {}", String::from_utf8(body).unwrap()));
            let at = answers.iter().position(|(known, ..)| *known == request);
            let (status, body) = match at {
                Some(at) => {
                    let (_, status, body) = answers[at].clone();
                    if answers.iter().filter(|(known, ..)| *known == request).count() > 1 {
                        answers.remove(at);
                    }
                    (status, body)
                }
                None => (405, json!({})),
            };
            let body = body.to_string();
            let answer = format!(
                "HTTP/1.1 {status} X\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
                body.len()
            );
            stream.write_all(answer.as_bytes()).unwrap();
        }
    });
    let way = Way { endpoint: Some(endpoint.clone()), ..Way::default() };
    let origin = Origin::of(Path::new("."), None, Some(&endpoint));
    let api = Arc::new(Api::new(&way, &origin).unwrap());
    let target: BigQueryTarget = serde_json::from_value(json!({ "project": "p" })).unwrap();
    let shared = Shared {
        jobs: Jobs::new(Arc::clone(&api), &target, None),
        storage: Storage::new(api, None, false),
        place: Place { project: "p".to_owned(), prefix: String::new(), state: target.state_dataset },
        location: None,
        datasets: BTreeSet::new(),
        pipeline: "shop".to_owned(),
        state: Mutex::default(),
        halfway: Mutex::default(),
        lease: Mutex::default(),
        serial: AtomicU64::new(0),
        entries: AtomicI64::new(0),
        run: Mutex::default(),
        threads: 1,
    };
    (shared, asked)
}

fn south() -> Value {
    json!({ "rowAccessPolicies": [
        { "rowAccessPolicyReference": { "policyId": "south" }, "filterPredicate": "region = 'S'" },
    ] })
}

#[test]
fn policies_are_on_the_build_before_it_is_published() {
    let held = json!({ "bindings": [
        { "role": "roles/bigquery.filteredDataViewer", "members": ["user:a@example.com"] },
    ] });
    let (shared, asked) = served(&[
        ("GET d/tables/t/rowAccessPolicies", 200, south()),
        ("GET d/tables/build/rowAccessPolicies", 200, json!({})),
        ("POST d/tables/t/rowAccessPolicies/south:getIamPolicy", 200, held),
        ("POST d/tables/build/rowAccessPolicies", 200, json!({})),
    ]);
    let stop = Stop::default();
    let guard = Guard { shared: &shared, stop: &stop };
    let (build, to) = (Relation::parse("d.build"), Relation::parse("d.t"));
    let found = guard.read(&to, &json!({ "type": "TABLE" })).unwrap();
    // The server does not know of grants: nothing is said of them.
    assert_eq!(found.grants, None);
    guard.carry_over((&build, &to), Materialization::Table, &found).unwrap();
    let made = locked(&asked).last().cloned().unwrap();
    let (request, body) = made.split_at("POST d/tables/build/rowAccessPolicies ".len());
    assert_eq!(request, "POST d/tables/build/rowAccessPolicies ");
    let body: Value = serde_json::from_str(body).unwrap();
    assert_eq!(body["rowAccessPolicyReference"]["tableId"], "build");
    assert_eq!(body["grantees"], json!(["user:a@example.com"]));
    assert_eq!(body["filterPredicate"], "region = 'S'");
    let refused = guard.carry_over((&build, &to), Materialization::View, &found).unwrap_err();
    assert_eq!(refused.diagnostic.code, Code::GovernanceLost);
}

#[test]
fn a_policy_that_was_tightened_since_the_build_was_made_is_put_on_it_anew() {
    let held = |member: &str| json!({ "bindings": [{ "role": "roles/bigquery.filteredDataViewer", "members": [member] }] });
    let wider = json!({ "rowAccessPolicies": [
        { "rowAccessPolicyReference": { "policyId": "south" }, "filterPredicate": "TRUE" },
    ] });
    for (on_build, of_build, is_same) in
        [(south(), held("user:a"), true), (wider, held("user:a"), false), (south(), held("user:b"), false)]
    {
        let mut answers = vec![
            ("GET d/tables/t/rowAccessPolicies", 200, south()),
            ("GET d/tables/build/rowAccessPolicies", 200, on_build),
            ("POST d/tables/t/rowAccessPolicies/south:getIamPolicy", 200, held("user:a")),
            ("POST d/tables/build/rowAccessPolicies/south:getIamPolicy", 200, of_build),
        ];
        if !is_same {
            answers.push(("DELETE d/tables/build/rowAccessPolicies/south?force=true", 200, json!({})));
            answers.push(("POST d/tables/build/rowAccessPolicies", 200, json!({})));
        }
        let (shared, asked) = served(&answers);
        let stop = Stop::default();
        let guard = Guard { shared: &shared, stop: &stop };
        let (build, to) = (Relation::parse("d.build"), Relation::parse("d.t"));
        let found = guard.restrictions(&to, &json!({ "type": "TABLE" })).unwrap();
        guard.carry_over((&build, &to), Materialization::Table, &found).unwrap();
        assert_eq!(locked(&asked).len(), answers.len());
    }
}

#[test]
fn nothing_is_published_where_policies_cannot_be_kept() {
    let (shared, _) = served(&[
        ("GET d/tables/t/rowAccessPolicies", 200, south()),
        ("GET d/tables/build/rowAccessPolicies", 200, json!({})),
        (
            "POST d/tables/t/rowAccessPolicies/south:getIamPolicy",
            403,
            json!({ "error": { "message": "no" } }),
        ),
    ]);
    let stop = Stop::default();
    let guard = Guard { shared: &shared, stop: &stop };
    let (build, to) = (Relation::parse("d.build"), Relation::parse("d.t"));
    let found = guard.read(&to, &json!({ "type": "TABLE" })).unwrap();
    let refused = guard.carry_over((&build, &to), Materialization::Table, &found).unwrap_err();
    assert_eq!(refused.diagnostic.message, "d.t would lose its row access policies (`south`): no");
}

#[test]
fn grants_are_put_back() {
    let binding = |member: &str| json!({ "role": "roles/bigquery.dataViewer", "members": [member] });
    let both = json!({ "etag": "2", "bindings": [binding("user:a"), binding("user:b")] });
    let (shared, asked) = served(&[
        ("POST d/tables/t:getIamPolicy", 200, both.clone()),
        ("POST d/tables/t:getIamPolicy", 200, json!({ "etag": "1", "bindings": [binding("user:a")] })),
        ("POST d/tables/t:setIamPolicy", 200, both),
        ("GET d/tables/t/rowAccessPolicies", 403, json!({})),
    ]);
    let stop = Stop::default();
    let guard = Guard { shared: &shared, stop: &stop };
    let to = Relation::parse("d.t");
    let before = guard.read(&to, &json!({ "type": "TABLE" })).unwrap();
    assert_eq!(before.row_policies, None);
    let after = guard.settle(&to, &json!({}), &before).unwrap();
    assert_eq!(lost(&before, &Foreign::default(), &after), Vec::<String>::new());
    let set = locked(&asked).last().cloned().unwrap();
    let body: Value =
        serde_json::from_str(set.split_once(' ').unwrap().1.split_once(' ').unwrap().1).unwrap();
    assert_eq!(body["policy"]["etag"], "1");
    assert_eq!(body["policy"]["bindings"], json!([binding("user:a"), binding("user:b")]));
    assert_eq!(locked(&asked).len(), 4);
}
