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

/// What people are told, without line breaks.
fn whole(outcome: &Outcome) -> String {
    outcome.stderr.split_whitespace().filter(|word| *word != "│").collect::<Vec<_>>().join(" ")
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
    // One step met it, and the others would have.
    assert_eq!(outcome.to_string().matches("gcloud auth application-default login").count(), 1, "{outcome}");
    assert_eq!(outcome.to_string().matches("Token has been expired or revoked").count(), 1, "{outcome}");
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

/// What `gcloud auth application-default login` leaves, with the server to be asked for tokens.
fn logged_in(server: &Scripted) -> Value {
    json!({
        "account": "",
        "client_id": "gcloud",
        "client_secret": "not so secret",
        "quota_project_id": "of-the-file",
        "refresh_token": "a secret",
        "token_uri": format!("{}/token", server.endpoint()),
        "type": "authorized_user",
        "universe_domain": "googleapis.com",
    })
}

/// The same with `--impersonate-service-account`.
fn impersonated(server: &Scripted, source: &Value) -> Value {
    let name = "loader@demo.iam.gserviceaccount.com";
    json!({
        "delegates": ["between@demo.iam.gserviceaccount.com"],
        "service_account_impersonation_url":
            format!("{}/v1/projects/-/serviceAccounts/{name}:generateAccessToken", server.endpoint()),
        "source_credentials": source,
        "type": "impersonated_service_account",
    })
}

fn impersonates(request: &Request) -> bool {
    request.is("POST", "loader@demo.iam.gserviceaccount.com:generateAccessToken")
}

/// The project that a request counts for.
fn counts_for(request: &Request) -> Option<&str> {
    request.headers.get("x-goog-user-project").map(String::as_str)
}

#[test]
fn who_has_logged_in_is_granted_tokens_and_asks_for_the_project_of_their_file() {
    let (server, project) = (Scripted::start(), shop_there());
    let place = "    location: EU\n";
    project.replace("pipeline.yaml", place, &format!("{place}    quota_project: ${{QUOTA:-}}\n"));
    let file = logged_in(&server).to_string();
    project.write("key.json", &file);
    server.always(asks_for_token, granted("theirs"));
    let cases: [(&[(&str, &str)], &str); 4] = [
        (&[], "of-the-file"),
        (&[("GOOGLE_CLOUD_QUOTA_PROJECT", "")], "of-the-file"),
        (&[("GOOGLE_CLOUD_QUOTA_PROJECT", "of-the-environment")], "of-the-environment"),
        (
            &[("GOOGLE_CLOUD_QUOTA_PROJECT", "of-the-environment"), ("QUOTA", "of-the-target")],
            "of-the-target",
        ),
    ];
    for (environment, expected) in cases {
        let mut command = server.command(&project, &["plan"]);
        command.env("KEY_FILE", "key.json").envs(environment.iter().copied());
        Outcome::of(&mut command).succeeds();
        let asked = server.asked();
        let (tokens, others): (Vec<_>, Vec<_>) = asked.iter().partition(|one| asks_for_token(one));
        assert_eq!(tokens.len(), 1);
        let form = String::from_utf8_lossy(&tokens[0].body);
        assert!(
            form.contains("grant_type=refresh_token") && form.contains("refresh_token=a+secret"),
            "{form}"
        );
        assert_eq!(counts_for(tokens[0]), None);
        assert!(!others.is_empty() && others.iter().all(|one| bearer(one) == "theirs"));
        assert!(others.iter().all(|one| counts_for(one) == Some(expected)), "{expected}");
    }
}

#[test]
fn a_service_account_is_spoken_as_by_whoever_may() {
    for is_person in [true, false] {
        let (server, project) = (Scripted::start(), shop_there());
        let source = if is_person { logged_in(&server) } else { service_account(&server) };
        let file = impersonated(&server, &source).to_string();
        server.always(asks_for_token, granted("own"));
        let answer = json!({ "accessToken": "of the account", "expireTime": "2100-01-01T00:00:00Z" });
        server.always(impersonates, Answer::json(200, &answer));
        with(&server, &project, &file, &["apply"]).succeeds();
        let asked = server.asked();
        let speaking: Vec<&Request> = asked.iter().filter(|one| impersonates(one)).collect();
        assert_eq!(speaking.len(), 1);
        assert_eq!(bearer(speaking[0]), "own");
        let expected = json!({
            "scope": ["https://www.googleapis.com/auth/bigquery"],
            "lifetime": "3600s",
            "delegates": ["projects/-/serviceAccounts/between@demo.iam.gserviceaccount.com"],
        });
        assert_eq!(speaking[0].json(), expected);
        let others: Vec<&Request> =
            asked.iter().filter(|one| !impersonates(one) && !asks_for_token(one)).collect();
        assert!(others.len() > 20 && others.iter().all(|one| bearer(one) == "of the account"));
    }
}

#[test]
fn who_may_not_speak_as_an_account_is_told_what_it_takes() {
    let denied = json!({ "error": {
        "code": 403,
        "message": "Permission 'iam.serviceAccounts.getAccessToken' denied on resource (or it may not exist).",
        "status": "PERMISSION_DENIED",
    } });
    for name in ["credentials_that_may_not_speak_as_another", "federation_that_may_not_speak_as_another"] {
        let (server, project) = (Scripted::start(), shop_there());
        let mut file = impersonated(&server, &logged_in(&server));
        if name.starts_with("federation") {
            let address = file["service_account_impersonation_url"].take();
            file = federated(&server, &project);
            file["service_account_impersonation_url"] = address;
        }
        server.always(asks_for_token, granted("own"));
        server.always(impersonates, Answer::json(403, &denied));
        let outcome = with(&server, &project, &file.to_string(), &["plan"]).ends_with(1);
        assert!(whole(&outcome).contains("Service Account Token Creator"), "{outcome}");
        told(&project, name, &outcome);
        assert_eq!(server.asked().len(), 2, "{name}");
    }
}

#[test]
fn federation_that_is_not_understood_is_told_apart_from_what_is_no_file_of_credentials() {
    let (server, project) = (Scripted::start(), shop_there());
    let cases = [
        ("what AWS has signed", json!({ "environment_id": "aws1", "url": "http://169.254.169.254/latest" })),
        ("what a program prints", json!({ "executable": { "command": "/bin/token" } })),
        ("a certificate", json!({ "certificate": { "use_default_certificate_config": true } })),
        (
            "a field of a file of JSON",
            json!({ "file": "token.json", "format": { "type": "json", "subject_token_field_name": "token" } }),
        ),
    ];
    for (what, from) in cases {
        let mut file = federated(&server, &project);
        file["credential_source"] = from;
        let outcome = with(&server, &project, &file.to_string(), &["plan"]).ends_with(1);
        assert!(outcome.stderr.contains("PW0807") && whole(&outcome).contains(what), "{outcome}");
        if what == "what AWS has signed" {
            told(&project, "federation_that_is_not_understood", &outcome);
        }
    }
    for kind in ["external_account_authorized_user", "gdch_service_account"] {
        let file = impersonated(&server, &json!({ "type": kind }));
        for file in [file["source_credentials"].clone(), file] {
            let outcome = with(&server, &project, &file.to_string(), &["plan"]).ends_with(1);
            assert!(
                whole(&outcome).contains(kind) && whole(&outcome).contains("are understood"),
                "{outcome}"
            );
        }
    }
    assert_eq!(server.asked().len(), 0);
}

#[test]
fn another_s_token_may_come_from_an_address() {
    let (server, project) = (Scripted::start(), shop_there());
    let mut file = federated(&server, &project);
    file["credential_source"] = json!({ "url": format!("{}/identity", server.endpoint()) });
    let theirs = Answer::Given { status: 200, headers: Vec::new(), body: "theirs".to_owned() };
    server.always(|one| one.is("GET", "/identity"), theirs);
    server.always(asks_for_token, granted("exchanged"));
    with(&server, &project, &file.to_string(), &["plan"]).succeeds();
    let asked = server.asked();
    let exchanged = asked.iter().find(|one| asks_for_token(one)).expect("an exchange");
    assert!(String::from_utf8_lossy(&exchanged.body).contains("subject_token=theirs&"));
    assert!(asked.iter().any(|one| bearer(one) == "exchanged"));
}

/// `plan` against Google's own BigQuery, with only these of the variables that name credentials.
fn with_variables(project: &Project, variables: &[(&str, &str)]) -> Outcome {
    let mut command = project.command(&["plan", "-t", "bigquery"]);
    for name in ["GOOGLE_APPLICATION_CREDENTIALS", "CLOUDSDK_CONFIG", "GCE_METADATA_HOST", "APPDATA"] {
        command.env_remove(name);
    }
    command.env("BIGQUERY_PROJECT", "demo").env("HOME", project.path());
    Outcome::of(command.envs(variables.iter().copied()))
}

#[test]
fn credentials_are_found_where_googles_own_programs_leave_them() {
    let (server, project) = (Scripted::start(), shop_there());
    let revoked = json!({ "error": "invalid_grant", "error_description": "Token has been revoked." });
    server.always(asks_for_token, Answer::json(400, &revoked));
    let file = logged_in(&server).to_string();
    let left = "application_default_credentials.json";
    let folder = project.path().to_str().expect("a path").to_owned();
    let named = [("GOOGLE_APPLICATION_CREDENTIALS", format!("{folder}/named.json"))];
    let configured = [
        ("GOOGLE_APPLICATION_CREDENTIALS", String::new()),
        ("CLOUDSDK_CONFIG", format!("{folder}/configured")),
    ];
    let cases: [(String, &[(&str, String)]); 3] = [
        ("named.json".to_owned(), &named),
        (format!("configured/{left}"), &configured),
        (format!(".config/gcloud/{left}"), &[]),
    ];
    for (place, variables) in cases {
        project.write(&place, &file);
        let variables: Vec<(&str, &str)> =
            variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let outcome = with_variables(&project, &variables).ends_with(1);
        assert!(whole(&outcome).contains("invalid_grant: Token has been revoked."), "{place}: {outcome}");
        assert_eq!(server.asked().len(), 1, "{place}");
        fs_err::remove_file(project.path().join(&place)).expect("the file");
    }
}

#[test]
fn a_machine_without_credentials_is_told_what_was_looked_for() {
    let (server, project) = (Scripted::start(), shop_there());
    let port = std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("its address");
    let nobody = port.to_string();
    let variables = [("GOOGLE_APPLICATION_CREDENTIALS", ""), ("GCE_METADATA_HOST", nobody.as_str())];
    let outcome = with_variables(&project, &variables).ends_with(1);
    assert!(outcome.stderr.contains("error[PW0807]"), "{outcome}");
    assert!(outcome.stderr.contains("gcloud auth application-default login"), "{outcome}");
    told(&project, "no_credentials_at_all", &outcome);

    let flavor = ("Metadata-Flavor".to_owned(), "Google".to_owned());
    let none = Answer::Given { status: 404, headers: vec![flavor], body: String::new() };
    server.always(|one| one.path.starts_with("/computeMetadata/"), none);
    let host = server.endpoint().replace("http://", "");
    let outcome = with_variables(&project, &[("GCE_METADATA_HOST", &host)]).ends_with(1);
    assert!(whole(&outcome).contains("has no service account"), "{outcome}");
    assert_eq!(server.asked().len(), 1);
}
