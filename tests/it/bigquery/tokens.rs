//! Credentials and the tokens that they give: granted, refused, ended before their time.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::protocol::shop_there;
use super::refusals::told;
use super::scripted::{Answer, Request, Scripted};
use crate::shop::ORDERS;
use crate::support::{Outcome, Project};

/// A key that was made for these tests and opens nothing.
const KEY: &str = include_str!("key.pem");

/// A service account's key file whose tokens the server grants.
fn service_account(server: &Scripted) -> Value {
    json!({
        "type": "service_account",
        "project_id": "demo",
        "private_key_id": "1",
        "private_key": KEY,
        "client_email": "pipewright@demo.iam.gserviceaccount.com",
        "client_id": "1",
        "auth_uri": format!("{}/auth", server.endpoint()),
        "token_uri": format!("{}/token", server.endpoint()),
        "auth_provider_x509_cert_url": "",
        "client_x509_cert_url": "",
    })
}

/// Workload identity federation: another's token, from a file, is exchanged.
fn federated(server: &Scripted, project: &Project) -> Value {
    project.write("token.txt", "theirs");
    json!({
        "type": "external_account",
        "audience": "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/ci/providers/ci",
        "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
        "token_url": format!("{}/token", server.endpoint()),
        "credential_source": { "file": project.path().join("token.txt") },
    })
}

fn asks_for_token(request: &Request) -> bool {
    request.is("POST", "/token")
}

fn granted(token: &str) -> Answer {
    Answer::json(200, &json!({ "access_token": token, "token_type": "Bearer", "expires_in": 3600 }))
}

/// The program with a file of credentials.
fn with(server: &Scripted, project: &Project, credentials: &str, arguments: &[&str]) -> Outcome {
    project.write("key.json", credentials);
    let mut command = server.command(project, arguments);
    Outcome::of(command.env("KEY_FILE", "key.json"))
}

fn bearer(request: &Request) -> &str {
    request.headers.get("authorization").map_or("", |given| given.trim_start_matches("Bearer "))
}

#[test]
fn a_token_that_ends_before_its_time_is_asked_for_anew() {
    let (server, project) = (Scripted::start(), shop_there());
    let key = service_account(&server).to_string();
    server.on(asks_for_token, [granted("first"), granted("second")]);
    // From here on nobody takes the first token.
    let over = Answer::refused(401, "authError", "Invalid Credentials");
    let ended = std::sync::atomic::AtomicBool::new(false);
    let is_late = move |one: &Request| {
        let is_build = one.sql().starts_with("CREATE OR REPLACE TABLE");
        (ended.fetch_or(is_build, std::sync::atomic::Ordering::SeqCst) || is_build) && bearer(one) == "first"
    };
    server.always(is_late, over);
    with(&server, &project, &key, &["apply", "--threads", "1"]).succeeds();
    let asked = server.asked();
    let tokens: Vec<&Request> = asked.iter().filter(|one| asks_for_token(one)).collect();
    assert_eq!(tokens.len(), 2);
    let form = String::from_utf8_lossy(&tokens[0].body);
    assert!(
        form.starts_with("grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion="),
        "{form}"
    );
    let used: Vec<&str> = asked.iter().filter(|one| !asks_for_token(one)).map(bearer).collect();
    let (first, second) =
        used.split_at(used.iter().position(|token| *token == "second").expect("it is used"));
    assert!(
        first.iter().all(|token| *token == "first") && second.iter().all(|token| *token == "second"),
        "{used:?}"
    );
    // The job was refused under one name and taken under the same.
    let builds: Vec<String> = asked
        .iter()
        .filter(|one| one.sql().starts_with("CREATE OR REPLACE TABLE `demo.marts.catalogue"))
        .map(Request::job)
        .collect();
    assert!(builds.len() == 2 && builds[0] == builds[1], "{builds:?}");
}

#[test]
fn a_token_is_asked_for_once_and_again_only_when_it_is_about_to_end() {
    for (lasts, at_most) in [(3600, 1), (10, usize::MAX)] {
        let (server, project) = (Scripted::start(), shop_there());
        let token = json!({ "access_token": "theirs", "token_type": "Bearer", "expires_in": lasts });
        server.always(asks_for_token, Answer::json(200, &token));
        let file = federated(&server, &project).to_string();
        with(&server, &project, &file, &["plan"]).succeeds();
        with(&server, &project, &file, &["apply", "-s", "source.orders"]).succeeds();
        let asked = server.asked();
        let tokens = asked.iter().filter(|one| asks_for_token(one)).count();
        let processes = 2;
        assert!(tokens >= processes && tokens <= at_most.saturating_mul(processes), "{lasts}: {tokens}");
        assert!(lasts > 60 || tokens > 10, "{tokens}");
        let used: BTreeSet<&str> = asked.iter().filter(|one| !asks_for_token(one)).map(bearer).collect();
        assert_eq!(used, BTreeSet::from(["theirs"]));
    }
}

#[test]
fn files_of_cloud_storage_are_asked_for_with_a_token_of_their_own() {
    let (server, project) = (Scripted::start(), shop_there());
    let place = "    location: EU\n";
    project.replace(
        "pipeline.yaml",
        place,
        &format!("{place}    storage_endpoint: ${{BIGQUERY_ENDPOINT:-}}\n"),
    );
    let key = service_account(&server).to_string();
    let asks_for = |scope: &'static str| {
        move |request: &Request| {
            let form = String::from_utf8_lossy(&request.body).into_owned();
            let claims =
                form.rsplit("assertion=").next().and_then(|token| token.split('.').nth(1)).map(str::to_owned);
            let claims = claims
                .and_then(|claims| URL_SAFE_NO_PAD.decode(claims.trim_end_matches("%3D")).ok())
                .unwrap_or_default();
            asks_for_token(request) && String::from_utf8_lossy(&claims).contains(scope)
        }
    };
    server.always(asks_for("auth/devstorage.read_only\""), granted("of files"));
    server.always(asks_for("auth/bigquery\""), granted("of tables"));
    with(&server, &project, &key, &["plan"]).succeeds();
    assert!(server.asked().iter().filter(|one| !asks_for_token(one)).all(|one| bearer(one) == "of tables"));

    server.put("shop/orders.csv", ORDERS);
    project.replace("sources/shop.yaml", "files: data/orders.csv", "files: gs://shop/orders.csv");
    with(&server, &project, &key, &["apply", "-s", "source.orders"]).succeeds();
    let asked = server.asked();
    let (files, tables): (Vec<_>, Vec<_>) =
        asked.iter().filter(|one| !asks_for_token(one)).partition(|one| one.path.starts_with("/storage/"));
    assert!(files.len() > 2 && files.iter().all(|one| bearer(one) == "of files"));
    assert!(tables.iter().all(|one| bearer(one) == "of tables"));
}

#[test]
fn who_grants_tokens_may_be_busy() {
    let (server, project) = (Scripted::start(), shop_there());
    let key = service_account(&server).to_string();
    let gateway = Answer::Given { status: 503, headers: Vec::new(), body: "<html>busy</html>".to_owned() };
    server.on(asks_for_token, [gateway, Answer::Dropped, granted("late")]);
    with(&server, &project, &key, &["plan"]).succeeds();
    assert_eq!(server.asked().iter().filter(|one| asks_for_token(one)).count(), 3);
}

#[test]
fn credentials_that_are_of_no_use_are_told_of_without_their_content() {
    let (server, project) = (Scripted::start(), shop_there());
    let key = service_account(&server).to_string();
    let revoked =
        json!({ "error": "invalid_grant", "error_description": "Token has been expired or revoked." });
    let cases = [
        ("credentials_that_were_revoked", key.clone()),
        ("credentials_that_are_cut_off", key[..key.len() / 2].to_owned()),
        ("credentials_of_another_kind", json!({ "type": "gdch_service_account" }).to_string()),
    ];
    server.always(asks_for_token, Answer::json(400, &revoked));
    for (name, credentials) in cases {
        let outcome = with(&server, &project, &credentials, &["plan"]).ends_with(1);
        assert_eq!(outcome.stderr.matches("error[PW0807]").count(), 1, "{outcome}");
        assert!(!outcome.stderr.contains(&KEY[40..60]), "{outcome}");
        told(&project, name, &outcome);
    }
    let mut command = server.command(&project, &["plan"]);
    let outcome = Outcome::of(command.env("KEY_FILE", "nowhere.json")).ends_with(1);
    told(&project, "credentials_that_are_not_there", &outcome);
    // Nobody but who grants tokens was asked.
    assert!(server.asked().iter().all(asks_for_token));
}

#[test]
fn credentials_that_end_in_the_middle_of_a_run_are_told_of_once() {
    let (server, project) = (Scripted::start(), shop_there());
    let key = service_account(&server).to_string();
    with(&server, &project, &key, &["apply"]).succeeds();
    let before = server.tables();
    project.replace("models/daily_sales.sql", "SUM(amount) AS revenue", "SUM(2 * amount) AS revenue");
    project.replace("models/catalogue.sql", "INITCAP(colour)", "UPPER(colour)");
    let revoked =
        json!({ "error": "invalid_grant", "error_description": "Token has been expired or revoked." });
    server.on(asks_for_token, [granted("first"), Answer::json(400, &revoked)]);
    let ended = std::sync::atomic::AtomicBool::new(false);
    let is_late = move |one: &Request| {
        let is_copy = one.json()["configuration"]["copy"].is_object();
        (ended.fetch_or(is_copy, std::sync::atomic::Ordering::SeqCst) || is_copy) && !asks_for_token(one)
    };
    server.always(is_late, Answer::refused(401, "authError", "Invalid Credentials"));
    server.always(asks_for_token, Answer::json(400, &revoked));
    let outcome = with(&server, &project, &key, &["apply", "--threads", "1"]).ends_with(1);
    assert_eq!(outcome.stderr.matches("error[PW0807]").count(), 1, "{outcome}");
    assert!(outcome.stderr.contains("gcloud auth application-default login"), "{outcome}");
    told(&project, "credentials_that_end_in_a_run", &outcome);
    // What stood aside cannot be taken away without them; what is published is whole, and the next run does the rest.
    let after = server.tables().into_iter();
    let published: Vec<String> =
        after.filter(|table| !table.contains("__") && !table.contains("lease_")).collect();
    assert_eq!(published, before);
    server.as_usual();
    with(&server, &project, &key, &["apply"]).succeeds();
    assert_eq!(server.tables(), before);
}
