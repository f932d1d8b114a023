//! What is asked of BigQuery, and what becomes of it when answers fail, are lost or come late.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};

use super::between;
use super::scripted::{Answer, Request, Scripted};
use crate::shop::shop;
use crate::support::{Outcome, Project};

/// The shop with a target `bigquery`.
pub fn shop_there() -> Project {
    let project = shop();
    project.replace(
        "pipeline.yaml",
        "targets:\n",
        "targets:\n  bigquery:\n    type: bigquery\n    project: ${BIGQUERY_PROJECT:-}\n    \
         endpoint: ${BIGQUERY_ENDPOINT:-}\n    location: EU\n    credentials_file: ${KEY_FILE:-}\n",
    );
    project
}

pub fn run(server: &Scripted, project: &Project, arguments: &[&str]) -> Outcome {
    Outcome::of(&mut server.command(project, arguments))
}

/// Jobs of all kinds that were asked for, as their bodies.
fn jobs(asked: &[Request]) -> Vec<Value> {
    asked.iter().filter(|one| one.makes_job() || one.opens_upload()).map(Request::json).collect()
}

#[test]
fn several_files_are_sent_at_a_time_and_all_their_rows_are_counted() {
    let (server, project) = (Scripted::start(), shop_there());
    project.replace("sources/shop.yaml", "files: data/orders.csv", "files: data/orders*.csv");
    project.replace("sources/shop.yaml", "    tags: [sales]\n", "    tags: [sales]\n    max_rejects: 2\n");
    let mut ids = vec![1, 2, 3];
    for part in 1..=9 {
        let mut file = String::from("id,day,product,amount\n");
        for row in 0..5 {
            let id = part * 100 + row;
            writeln!(file, "{id},2024-01-01,pen,1").expect("a text");
            ids.push(id);
        }
        if part % 4 == 0 {
            file.push_str("x,2024-01-01,pen,1\n");
        }
        project.write(&format!("data/orders {part}.csv"), &file);
    }
    let outcome = run(&server, &project, &["apply", "-s", "source.orders"]).succeeds();
    assert!(outcome.stderr.contains("source.orders  48 rows"), "{outcome}");
    assert!(outcome.stdout.contains("2 rejected"), "{outcome}");
    let read = |table: &str, key: &str| -> Vec<String> {
        let sent = String::from_utf8(server.loaded(table)).expect("text");
        let rows = sent.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
        let mut values: Vec<String> = rows.map(|row| row[key].as_str().expect("a text").to_owned()).collect();
        values.sort_by_key(|value| (value.len(), value.clone()));
        values
    };
    assert_eq!(
        read("orders__pipewright_build", "id"),
        ids.iter().map(ToString::to_string).collect::<Vec<_>>()
    );
    assert_eq!(read("orders__pipewright_build__rejects", "file"), ["data/orders 4.csv", "data/orders 8.csv"]);
    let uploads = server.asked().into_iter().filter(|one| {
        one.opens_upload()
            && one.json()["configuration"]["load"]["destinationTable"]["tableId"]
                == "orders__pipewright_build"
    });
    let uploads: Vec<Value> =
        uploads.map(|one| one.json()["configuration"]["load"]["writeDisposition"].clone()).collect();
    assert!(uploads.len() > 1 && uploads.iter().all(|how| how == "WRITE_APPEND"), "{uploads:?}");

    // One that cannot be read ends all of it.
    project.write("data/orders 5.csv", "id,day,product,amount\ny,2024-01-01,pen,1\ny,2024-01-01,pen,1\n");
    let refused = run(&server, &project, &["apply", "-s", "source.orders"]).ends_with(1);
    assert!(refused.stdout.contains("4 of 47 rows cannot be loaded, 2 may be rejected"), "{refused}");
}

#[test]
fn jobs_are_ours_and_say_what_they_are_for() {
    let (server, project) = (Scripted::start(), shop_there());
    run(&server, &project, &["apply"]).succeeds();
    let asked = server.asked();
    let jobs = jobs(&asked);
    let name = regex::Regex::new("^pipewright_[0-9a-f]{32}$").expect("a pattern");
    let mut names = BTreeSet::new();
    for job in &jobs {
        let reference = &job["jobReference"];
        assert_eq!(
            (&reference["projectId"], &reference["location"]),
            (&json!("demo"), &json!("EU")),
            "{job}"
        );
        let id = reference["jobId"].as_str().expect("a name");
        assert!(name.is_match(id) && names.insert(id.to_owned()), "{id} is another's: {job}");
    }
    // Where a job is asked after it is found only with its place.
    let looks = asked.iter().filter(|one| one.path.contains("/jobs/") || one.path.contains("/queries/"));
    assert!(looks.clone().count() > 20);
    assert!(looks.into_iter().all(|one| one.query.get("location").is_some_and(|place| place == "EU")));

    let run = jobs[jobs.len() - 1]["configuration"]["query"]["queryParameters"][0]["parameterValue"]["value"]
        .as_str()
        .expect("the run's name")
        .to_ascii_lowercase();
    let of_node =
        |node: &str| json!({ "pipewright": "shop", "pipewright_node": node, "pipewright_run": run });
    let one = |fits: &dyn Fn(&Value) -> bool| -> Value {
        let found: Vec<&Value> =
            jobs.iter().map(|job| &job["configuration"]).filter(|job| fits(job)).collect();
        assert_eq!(found.len(), 1, "{found:?}");
        found[0].clone()
    };
    let table =
        |dataset: &str, table: &str| json!({ "projectId": "demo", "datasetId": dataset, "tableId": table });
    let field = |name: &str, kind: &str| json!({ "name": name, "type": kind, "mode": "NULLABLE" });
    let load = one(&|job| job["load"]["destinationTable"]["tableId"] == "orders__pipewright_build");
    let fields = [("id", "INT64"), ("day", "DATE"), ("product", "STRING"), ("amount", "NUMERIC")];
    let expected = json!({
        "load": {
            "destinationTable": table("raw", "orders__pipewright_build"),
            "schema": { "fields": fields.map(|(name, kind)| field(name, kind)) },
            "sourceFormat": "NEWLINE_DELIMITED_JSON",
            "writeDisposition": "WRITE_TRUNCATE",
        },
        "labels": of_node("source_orders"),
    });
    assert_eq!(load, expected);
    let sent = String::from_utf8(server.loaded("orders__pipewright_build")).expect("text");
    assert_eq!(
        sent.lines().collect::<Vec<_>>(),
        [
            r#"{"id":"1","day":"2024-01-01","product":"pen","amount":"2.500000000"}"#,
            r#"{"id":"2","day":"2024-01-01","product":"cup","amount":"7.000000000"}"#,
            r#"{"id":"3","day":"2024-01-02","product":"pen","amount":"2.500000000"}"#,
        ]
    );
    let copy = one(&|job| job["copy"]["destinationTable"]["tableId"] == "daily_sales");
    let expected = json!({
        "copy": {
            "sourceTable": table("marts", "daily_sales__pipewright_build"),
            "destinationTable": table("marts", "daily_sales"),
            "writeDisposition": "WRITE_TRUNCATE",
        },
        "labels": of_node("model_daily_sales"),
    });
    assert_eq!(copy, expected);
    let is_build = |job: &Value| {
        job["query"]["query"].as_str().is_some_and(|sql| sql.starts_with("CREATE OR REPLACE TABLE"))
            && job["labels"]["pipewright_node"] == "model_daily_sales"
    };
    let query = one(&is_build);
    let sql = "CREATE OR REPLACE TABLE `demo.marts.daily_sales__pipewright_build` AS SELECT day, SUM(amount) AS revenue \
               FROM `demo.marts.clean_orders` GROUP BY day";
    let expected = json!({ "query": { "query": sql, "useLegacySql": false, "priority": "INTERACTIVE" }, "labels": of_node("model_daily_sales") });
    assert_eq!(query, expected);
    let appended = one(&|job| job["load"]["destinationTable"]["tableId"] == "steps");
    assert_eq!(appended["load"]["writeDisposition"], "WRITE_APPEND");
    assert_eq!(appended["load"]["createDisposition"], "CREATE_NEVER");
    // What Pipewright writes down is the run's, too.
    let written = json!({ "pipewright": "shop", "pipewright_run": run });
    assert_eq!(appended["labels"], written);
    let entries = jobs.iter().map(|job| &job["configuration"]);
    let entries: Vec<&Value> = entries
        .filter(|job| {
            job["query"]["query"]
                .as_str()
                .is_some_and(|sql| sql.starts_with("INSERT INTO `demo.pipewright.nodes`"))
        })
        .collect();
    assert!(entries.len() >= 10 && entries.iter().all(|job| job["labels"] == written), "{entries:?}");

    let again = self::run(&server, &project, &["apply"]).succeeds();
    assert!(again.stdout.contains("Nothing to do"), "{again}");
    assert!(!server.tables().iter().any(|table| table.contains("__")), "{:?}", server.tables());
}

/// The request that builds the table over the orders.
fn builds(request: &Request) -> bool {
    request.sql().starts_with("CREATE OR REPLACE TABLE `demo.marts.daily_sales__pipewright_build`")
}

/// The request that gives readers a table.
fn publishes(request: &Request) -> bool {
    request.json()["configuration"]["copy"].is_object()
}

/// The names that a job was asked for under, one for each time.
fn names(asked: &[Request], fits: impl Fn(&Request) -> bool) -> Vec<String> {
    asked.iter().filter(|one| fits(one)).map(Request::job).collect()
}

/// A run that has one request answered so, and what was asked.
fn applied(
    fits: impl Fn(&Request) -> bool + Send + 'static,
    answers: impl IntoIterator<Item = Answer>,
) -> (Outcome, Vec<Request>) {
    let (server, project) = (Scripted::start(), shop_there());
    // A step that fails is not tried again, so that what is seen are the tries of its requests.
    project.replace("pipeline.yaml", "defaults:\n", "defaults:\n  retries: { attempts: 0 }\n");
    server.on(fits, answers);
    let outcome = run(&server, &project, &["apply"]);
    (outcome, server.asked())
}

#[test]
fn what_may_go_well_in_a_moment_is_tried_again() {
    let answers = [
        Answer::refused(429, "rateLimitExceeded", "Exceeded rate limits"),
        Answer::refused(500, "internalError", "An internal error occurred"),
        Answer::json(502, &json!("<html>Bad Gateway</html>")),
        Answer::refused(503, "backendError", "Error encountered during execution"),
        Answer::refused(403, "rateLimitExceeded", "Exceeded rate limits"),
        Answer::refused(400, "jobRateLimitExceeded", "Job exceeded rate limits"),
    ];
    let tried = answers.len();
    let (outcome, asked) = applied(builds, answers);
    outcome.succeeds();
    let names = names(&asked, builds);
    assert_eq!(names.len(), tried + 1);
    // Each of them may have been taken though its answer was a failure.
    assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), 1, "{names:?}");
}

#[test]
fn what_will_not_go_well_is_not_tried_again() {
    for (status, reason) in
        [(400, "invalid"), (403, "accessDenied"), (404, "notFound"), (403, "quotaExceeded")]
    {
        let (outcome, asked) = applied(builds, [Answer::refused(status, reason, "no")]);
        outcome.ends_with(1);
        assert_eq!(names(&asked, builds).len(), 1, "{status} {reason}");
    }
}

#[test]
fn tries_come_to_an_end() {
    let (server, project) = (Scripted::start(), shop_there());
    server.always(|one| one.is("GET", "/datasets"), Answer::refused(503, "backendError", "try later"));
    let outcome = run(&server, &project, &["plan"]).ends_with(2);
    assert!(outcome.stderr.contains("try later"), "{outcome}");
    assert_eq!(server.asked().len(), 8);
}

#[test]
fn a_job_whose_answer_was_lost_is_looked_up_and_never_run_twice() {
    // Lost after it was taken, and before.
    for (answer, times) in [(Answer::Lost, 1), (Answer::Dropped, 2)] {
        let (outcome, asked) = applied(builds, [answer]);
        outcome.succeeds();
        let names = names(&asked, builds);
        assert_eq!(names.len(), times);
        assert!(names.iter().all(|name| *name == names[0]), "{names:?}");
        let after = asked.iter().position(builds).expect("the job is asked for");
        let looked_up = asked[after + 1..].iter().find(|one| one.path.contains(&names[0]));
        assert!(looked_up.is_some_and(|one| one.is("GET", &format!("/jobs/{}", names[0]))), "{looked_up:?}");
    }
}

#[test]
fn a_job_that_is_there_already_is_taken_as_its_own() {
    // The answer is lost, and the job is not found yet where it is looked up: it is asked for again.
    let (server, project) = (Scripted::start(), shop_there());
    let asked_for = AtomicBool::new(false);
    let looks_too_early = move |one: &Request| {
        let before = asked_for.fetch_or(builds(one), Ordering::SeqCst);
        before && one.method == "GET" && one.path.contains("/jobs/")
    };
    server.on(looks_too_early, [Answer::refused(404, "notFound", "Not found: Job")]);
    server.on(builds, [Answer::Lost]);
    run(&server, &project, &["apply", "--threads", "1"]).succeeds();
    let asked = server.asked();
    let names = names(&asked, builds);
    assert_eq!(names.len(), 2, "{names:?}");
    assert_eq!(names[0], names[1]);
}

#[test]
fn a_job_that_is_known_to_have_failed_is_run_under_another_name() {
    let (outcome, asked) = applied(builds, [Answer::failed("backendError", "try again")]);
    outcome.succeeds();
    let names = names(&asked, builds);
    assert_eq!(names.len(), 2);
    assert_ne!(names[0], names[1]);
    let (outcome, asked) =
        applied(builds, std::iter::repeat_n(Answer::failed("backendError", "try again"), 9));
    outcome.ends_with(1);
    assert_eq!(self::names(&asked, builds).len(), 4);
    let (outcome, asked) = applied(builds, [Answer::failed("invalidQuery", "Division by zero")]);
    outcome.ends_with(1);
    assert_eq!(self::names(&asked, builds).len(), 1);
}

#[test]
fn rows_come_page_by_page() {
    let (server, project) = (Scripted::start(), shop_there());
    let numbers: Vec<String> = (0..12_000).map(|number| number.to_string()).collect();
    let rows: Vec<Vec<&str>> = numbers.iter().map(|number| vec![number.as_str(), "pen"]).collect();
    let rows: Vec<&[&str]> = rows.iter().map(Vec::as_slice).collect();
    let columns = [("id", "INTEGER"), ("product", "STRING")];
    server.on(|one| one.sql().contains("FROM wanted"), [Answer::rows(&columns, &rows)]);
    let sql = "SELECT id, product FROM wanted";
    let told = run(&server, &project, &["query", "--format", "jsonl", sql]).succeeds();
    let expected: Vec<String> =
        numbers.iter().map(|number| format!(r#"{{"id":{number},"product":"pen"}}"#)).collect();
    let lines: Vec<&str> = told.stdout.lines().collect();
    assert!(lines == expected, "{} lines for {}", lines.len(), expected.len());
}

#[test]
fn jobs_are_found_where_their_tables_are() {
    let (server, project) = (Scripted::start(), shop_there());
    project.replace("pipeline.yaml", "    location: EU\n", "");
    run(&server, &project, &["apply"]).succeeds();
    // The job that publishes is done, and the run ends before it can say so.
    project.replace("models/catalogue.sql", "INITCAP(colour)", "UPPER(colour)");
    let published = AtomicBool::new(false);
    let comes_after = move |one: &Request| published.fetch_or(publishes(one), Ordering::SeqCst);
    server.always(comes_after, Answer::refused(403, "accessDenied", "no more"));
    server.on(publishes, [Answer::Lost]);
    run(&server, &project, &["apply"]).ends_with(1);
    server.as_usual();
    let planned = run(&server, &project, &["plan", "--json"]).succeeds().json();
    assert_eq!(planned["steps"].as_array().map(Vec::len), Some(0), "{planned}");
}

/// A run whose publication ended so, and what the server was asked; what the next run finds.
fn published_badly(end: Answer) -> (Scripted, Project, Vec<Request>) {
    let (server, project) = (Scripted::start(), shop_there());
    project.replace("pipeline.yaml", "defaults:\n", "defaults:\n  retries: { attempts: 0 }\n");
    run(&server, &project, &["apply"]).succeeds();
    project.replace("models/catalogue.sql", "INITCAP(colour)", "UPPER(colour)");
    server.asked();
    // A copy that fails in passing is asked for some times.
    server.on(publishes, vec![end; 20]);
    run(&server, &project, &["apply"]).ends_with(1);
    server.as_usual();
    let asked = server.asked();
    (server, project, asked)
}

#[test]
fn what_was_not_published_is_planned_again() {
    let ends = [
        Answer::failed("backendError", "no"),
        Answer::failed("accessDenied", "no"),
        Answer::refused(403, "accessDenied", "no"),
    ];
    for end in ends {
        let (server, project, asked) = published_badly(end.clone());
        let name = names(&asked, publishes).pop().expect("a job");
        let planned = run(&server, &project, &["plan", "--json"]).succeeds().json();
        assert_eq!(planned["steps"][0]["address"], "model.catalogue", "{end:?}: {planned}");
        assert!(server.asked().iter().any(|one| one.is("GET", &format!("/jobs/{name}"))), "{end:?}");
        run(&server, &project, &["apply"]).succeeds();
    }
}

#[test]
fn a_publication_that_fails_in_passing_is_asked_for_again_by_itself() {
    let (server, project) = (Scripted::start(), shop_there());
    server.on(publishes, [Answer::failed("backendError", "no"), Answer::failed("rateLimitExceeded", "no")]);
    run(&server, &project, &["apply", "--threads", "1"]).succeeds();
    let asked = server.asked();
    let of = |one: &Request| one.json()["configuration"]["copy"]["destinationTable"]["tableId"].clone();
    let first = of(asked.iter().find(|one| publishes(one)).expect("a job"));
    let names = names(&asked, |one| publishes(one) && of(one) == first);
    assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), 3, "{names:?}");
    // Each is written down before it is asked for, and what it publishes is built once.
    for name in &names {
        assert!(
            asked
                .iter()
                .any(|one| one.sql().starts_with("INSERT INTO") && one.json().to_string().contains(name))
        );
    }
    let builds = |one: &&Request| {
        let asked = one.json();
        let load = &asked["configuration"]["load"]["destinationTable"]["tableId"];
        let build = format!("{}__pipewright_build", first.as_str().expect("a name"));
        let named = format!(".{build}` ");
        let sql = one.sql();
        one.opens_upload() && *load == build.as_str() || sql.starts_with("CREATE") && sql.contains(&named)
    };
    let built: Vec<String> =
        asked.iter().filter(builds).map(|one| format!("{} {}", one.line(), one.json())).collect();
    assert_eq!(built.len(), 1, "{built:?}");
}

#[test]
fn a_name_that_was_taken_is_no_publication() {
    // The job was never asked for. The next run takes its name, and ends before it has published anything itself.
    let (server, project, asked) = published_badly(Answer::refused(403, "accessDenied", "no"));
    let name = names(&asked, publishes).pop().expect("a job");
    let builds = |one: &Request| {
        one.sql().contains("`demo.marts.catalogue__pipewright_build` AS ") && !one.is_dry_run()
    };
    server.on(builds, [Answer::failed("accessDenied", "no")]);
    run(&server, &project, &["apply"]).ends_with(1);
    assert_eq!(names(&server.asked(), |one| one.sql() == "SELECT 1"), [name]);
    let planned = run(&server, &project, &["plan", "--json"]).succeeds().json();
    assert_eq!(planned["steps"][0]["address"], "model.catalogue", "{planned}");
    run(&server, &project, &["apply"]).succeeds();
    let planned = run(&server, &project, &["plan", "--json"]).succeeds().json();
    assert_eq!(planned["steps"], json!([]), "{planned}");
}

#[test]
fn what_may_have_been_published_is_not_guessed_at() {
    let (server, project, asked) = published_badly(Answer::failed("backendError", "no"));
    let end = format!("/jobs/{}", names(&asked, publishes).pop().expect("a job"));
    server.always(move |one| one.is("GET", &end), Answer::refused(503, "backendError", "later"));
    let refused = run(&server, &project, &["plan"]).ends_with(2);
    assert!(refused.stderr.contains("later"), "{refused}");
}

#[test]
fn who_may_not_ask_for_anothers_job_knows_by_the_table_what_was_published() {
    let denied = || Answer::refused(403, "accessDenied", "not yours");
    // It failed, and the table is as it was.
    let (server, project, asked) = published_badly(Answer::failed("backendError", "no"));
    let end = format!("/jobs/{}", names(&asked, publishes).pop().expect("a job"));
    server.always(move |one| one.is("GET", &end), denied());
    let planned = run(&server, &project, &["plan", "--json"]).succeeds().json();
    assert_eq!(planned["steps"][0]["address"], "model.catalogue", "{planned}");
    // It went well, and who had asked for it could not go on.
    let (server, project) = (Scripted::start(), shop_there());
    run(&server, &project, &["apply"]).succeeds();
    project.replace("models/catalogue.sql", "INITCAP(colour)", "UPPER(colour)");
    server.on(|one| one.is("PATCH", "/tables/catalogue"), [denied()]);
    server.asked();
    run(&server, &project, &["apply"]).ends_with(1);
    let end = format!("/jobs/{}", names(&server.asked(), publishes).pop().expect("a job"));
    server.always(move |one| one.is("GET", &end), denied());
    let planned = run(&server, &project, &["plan", "--json"]).succeeds().json();
    assert_eq!(planned["steps"], json!([]), "{planned}");
    // It is written down though there is nothing else to do, and not asked about again.
    server.asked();
    run(&server, &project, &["apply"]).succeeds();
    assert!(server.asked().iter().any(|one| one.sql().starts_with("INSERT INTO `demo.pipewright.nodes`")));
    run(&server, &project, &["apply"]).succeeds();
    assert!(!server.asked().iter().any(|one| one.sql().starts_with("INSERT")), "once is enough");
}

#[test]
fn a_clustered_table_is_as_it_was_left() {
    let (server, project) = (Scripted::start(), shop_there());
    project.replace(
        "models/shop.yaml",
        "  catalogue:\n",
        "  catalogue:\n    cluster_by: [product, colour]\n",
    );
    run(&server, &project, &["apply"]).succeeds();
    let plan = run(&server, &project, &["plan", "--json"]).succeeds().json();
    assert_eq!((&plan["steps"], &plan["drift"]), (&json!([]), &json!([])), "{plan}");
    // Another layout is another table.
    project.replace("models/shop.yaml", "cluster_by: [product, colour]", "cluster_by: [colour]");
    let plan = run(&server, &project, &["plan"]).succeeds().stdout;
    assert!(plan.contains("clustering changed: the table is replaced"), "{plan}");
}

#[test]
fn a_policy_tag_that_somebody_took_away_is_seen_and_put_back() {
    let (server, project) = (Scripted::start(), shop_there());
    let tag = "projects/demo/locations/us/taxonomies/1/policyTags/2";
    project.replace(
        "models/shop.yaml",
        "  catalogue:\n",
        &format!("  catalogue:\n    columns:\n      Colour: {{ policy_tag: {tag}, description: Hue. }}\n"),
    );
    run(&server, &project, &["apply"]).succeeds();
    let plan = run(&server, &project, &["plan", "--json"]).succeeds().json();
    assert_eq!((&plan["steps"], &plan["drift"]), (&json!([]), &json!([])), "{plan}");
    let columns = ["dataset", "name", "path", "description", "tags"].map(|name| (name, "STRING"));
    let revenue = ["marts", "daily_sales", "revenue", "What was paid.", ""];
    let said = |description: &'static str, tag: &'static str| {
        Answer::rows(&columns, &[&["marts", "catalogue", "colour", description, tag], &revenue])
    };
    let is_asked = |one: &Request| one.sql().contains("COLUMN_FIELD_PATHS");
    // A server that does not know the view has not lost anything.
    server.on(is_asked, [Answer::failed("invalidQuery", "Table-valued function not found")]);
    let plan = run(&server, &project, &["plan", "--json"]).succeeds().json();
    assert_eq!(plan["drift"], json!([]), "{plan}");
    server.always(is_asked, said("Hue.", ""));
    let plan = run(&server, &project, &["plan"]).succeeds().stdout;
    assert!(plan.contains("the policy tag of `Colour` was changed"), "{plan}");
    assert!(plan.contains("1 to check or describe"), "{plan}");
    server.asked();
    run(&server, &project, &["apply"]).succeeds();
    let asked = server.asked();
    let patches: Vec<Value> =
        asked.iter().filter(|one| one.is("PATCH", "/tables/catalogue")).map(Request::json).collect();
    assert_eq!(patches.len(), 1, "{patches:?}");
    assert_eq!(patches[0]["schema"]["fields"][1]["policyTags"]["names"], json!([tag]));
    // So is what a column is said to hold.
    server.as_usual();
    server.always(is_asked, said("Theirs.", tag));
    let plan = run(&server, &project, &["plan"]).succeeds().stdout;
    assert!(plan.contains("the description of `Colour` was changed"), "{plan}");
}

#[test]
fn what_others_set_on_a_view_is_on_the_table_that_took_its_place_at_the_second_try() {
    let (server, project) = (Scripted::start(), shop_there());
    project.replace("models/shop.yaml", "  catalogue:\n", "  catalogue:\n    materialized: view\n");
    run(&server, &project, &["apply"]).succeeds();
    let port = server.endpoint().rsplit(':').next().and_then(|port| port.parse().ok()).expect("a port");
    let line = "PATCH /bigquery/v2/projects/demo/datasets/marts/tables/catalogue".to_owned();
    let body = json!({ "labels": { "theirs": "kept" } }).to_string().into_bytes();
    let headers = vec![("content-length".to_owned(), body.len().to_string())];
    between::ask(&between::Request { line, headers, body }, port).expect("the server");
    project.replace("models/shop.yaml", "  catalogue:\n    materialized: view\n", "  catalogue:\n");
    server.on(publishes, [Answer::refused(403, "accessDenied", "no")]);
    run(&server, &project, &["apply"]).ends_with(1);
    // The view is gone, and nothing has come.
    assert!(!server.tables().contains(&"marts.catalogue".to_owned()));
    server.asked();
    run(&server, &project, &["apply"]).succeeds();
    let asked = server.asked();
    let said =
        asked.iter().rfind(|one| one.is("PATCH", "/tables/catalogue")).expect("it is described").json();
    assert_eq!(said["labels"]["theirs"], "kept", "{said}");
}

#[test]
fn a_lease_whose_answer_was_lost_holds_all_the_same() {
    let (server, project) = (Scripted::start(), shop_there());
    let makes =
        |one: &Request| one.is("POST", "/tables") && one.json()["tableReference"]["tableId"] == "lease_shop";
    server.on(makes, [Answer::Lost]);
    run(&server, &project, &["apply"]).succeeds();
    assert_eq!(server.asked().iter().filter(|one| makes(one)).count(), 2);
}

#[test]
fn what_is_refused_of_a_description_is_refused_before_anything_is_published() {
    let (server, project) = (Scripted::start(), shop_there());
    run(&server, &project, &["apply"]).succeeds();
    project.replace("models/catalogue.sql", "INITCAP(colour)", "UPPER(colour)");
    let says = |one: &Request| one.is("PATCH", "/tables/catalogue__pipewright_build");
    server.on(says, [Answer::refused(400, "invalid", "Description is too long")]);
    server.asked();
    let refused = run(&server, &project, &["apply"]).ends_with(1);
    assert!(refused.stdout.contains("Description is too long"), "{refused}");
    assert!(!server.asked().iter().any(publishes));
    run(&server, &project, &["apply"]).succeeds();
}

#[test]
fn a_load_over_a_table_that_keeps_readers_out_is_guarded_before_its_first_row() {
    let (server, project) = (Scripted::start(), shop_there());
    run(&server, &project, &["apply"]).succeeds();
    let policies = json!({ "rowAccessPolicies": [
        { "rowAccessPolicyReference": { "policyId": "mine" }, "filterPredicate": "TRUE" },
    ] });
    server.always(|one| one.is("GET", "/tables/orders/rowAccessPolicies"), Answer::json(200, &policies));
    let held = json!({ "bindings": [{ "role": "r", "members": ["user:a@example.com"] }] });
    server.always(|one| one.is("POST", "/rowAccessPolicies/mine:getIamPolicy"), Answer::json(200, &held));
    let makes_policy = |one: &Request| one.is("POST", "/tables/orders__pipewright_build/rowAccessPolicies");
    server.always(makes_policy, Answer::json(200, &json!({})));
    project.write(
        "data/orders.csv",
        "id,day,product,amount\n7,2024-01-03,pen,1.00\n8,2024-01-03,pen,1.00\n9,2024-01-03,pen,1.00\n",
    );
    server.asked();
    run(&server, &project, &["apply"]).succeeds();
    let asked = server.asked();
    let first = |fits: &dyn Fn(&Request) -> bool| asked.iter().position(fits).expect("it is asked for");
    let made = first(&|one| {
        one.is("POST", "/raw/tables") && one.json()["tableReference"]["tableId"] == "orders__pipewright_build"
    });
    let loads = |one: &Request| {
        one.opens_upload()
            && one.json()["configuration"]["load"]["destinationTable"]["tableId"]
                == "orders__pipewright_build"
    };
    let (guarded, loaded) = (first(&makes_policy), first(&loads));
    assert!(made < guarded && guarded < loaded, "{made} {guarded} {loaded}");
    assert_eq!(asked[loaded].json()["configuration"]["load"]["writeDisposition"], "WRITE_APPEND");
}

#[test]
fn a_lease_whose_holder_is_gone_is_taken_over_by_one_alone() {
    let word = |until: u64| {
        let word = json!({
            "pid": 1, "host": "elsewhere", "command": "pipewright apply", "since": "2024-01-01T00:00:00Z",
            "until": until, "token": "theirs",
        });
        let table = json!({ "etag": "\"7\"", "description": word.to_string() });
        Answer::json(200, &table)
    };
    let is_lease = |request: &Request| request.path.ends_with("/tables/lease_shop");
    let reads = move |request: &Request| request.method == "GET" && is_lease(request);
    let makes = |request: &Request| {
        request.is("POST", "/tables") && request.json()["tableReference"]["tableId"] == "lease_shop"
    };
    let changes = move |request: &Request| request.method == "PATCH" && is_lease(request);
    let taken = || Answer::refused(409, "duplicate", "Already Exists");
    for (is_first, code) in [(true, 0), (false, 2)] {
        let (server, project) = (Scripted::start(), shop_there());
        run(&server, &project, &["apply"]).succeeds();
        server.asked();
        server.on(makes, [taken(), taken()]);
        server.on(reads, [word(0), word(9_999_999_999_999)]);
        let changed = if is_first {
            Answer::json(200, &json!({}))
        } else {
            Answer::refused(412, "conditionNotMet", "Precondition Failed")
        };
        server.on(changes, [changed]);
        project.replace("models/catalogue.sql", "INITCAP(colour)", "UPPER(colour)");
        let outcome = run(&server, &project, &["apply", "--lock-timeout", "0s"]).ends_with(code);
        let asked = server.asked();
        let change = asked.iter().find(|one| changes(one)).expect("it is asked for");
        assert_eq!(change.headers["if-match"], "\"7\"");
        assert_eq!(outcome.stderr.contains("PW0803"), !is_first, "{outcome}");
    }
}

#[test]
fn what_is_remembered_is_read_without_a_look_at_all_tables() {
    let (server, project) = (Scripted::start(), shop_there());
    for (arguments, told) in [(["runs"], "Nothing was run"), (["results"], "There are no results")] {
        let outcome = run(&server, &project, &arguments).succeeds();
        assert!(outcome.stderr.contains(told), "{outcome}");
        assert!(server.asked().iter().all(|one| !one.makes_job()));
    }
    run(&server, &project, &["apply"]).succeeds();
    for command in ["runs", "results"] {
        server.asked();
        run(&server, &project, &[command, "--json"]).succeeds();
        let asked = server.asked();
        let queries: Vec<String> = asked.iter().map(Request::sql).filter(|sql| !sql.is_empty()).collect();
        assert_eq!(queries.len(), 2, "{queries:?}");
        assert!(queries.iter().all(|sql| !sql.contains("INFORMATION_SCHEMA")), "{queries:?}");
    }
}
