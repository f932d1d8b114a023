//! What people are told when BigQuery refuses: one message that says what to do, exit code 1, and no table left halfway.

use std::net::TcpListener;

use super::protocol::{run, shop_there};
use super::scripted::{Answer, Request, Scripted};
use crate::support::{Outcome, Project, snapshot_settings};

/// A way to be refused.
struct Case {
    name: &'static str,
    command: &'static [&'static str],
    /// Whether it happens on a target that was built before, where something has changed.
    later: bool,
    fits: fn(&Request) -> bool,
    answer: Answer,
    hints: &'static [&'static str],
}

const APPLY: &[&str] = &["apply", "--threads", "1"];

fn lists_datasets(request: &Request) -> bool {
    request.is("GET", "/datasets")
}

fn builds(request: &Request) -> bool {
    request.sql().starts_with("CREATE OR REPLACE TABLE `demo.marts.daily_sales__pipewright_build`")
}

fn cases() -> Vec<Case> {
    let case = |name, command, fits, answer, hints| Case { name, command, later: false, fits, answer, hints };
    let later = |name, command, fits, answer, hints| Case { name, command, later: true, fits, answer, hints };
    vec![
        case(
            "a_project_that_is_not_there",
            &["plan"],
            lists_datasets,
            Answer::refused(404, "notFound", "Not found: Project demo"),
            &["PW0811", "`project`"],
        ),
        case(
            "a_project_without_bigquery",
            &["plan"],
            lists_datasets,
            Answer::refused(400, "invalid", "The project demo has not enabled BigQuery."),
            &["PW0811", "enable the BigQuery API"],
        ),
        case(
            "no_right_to_list_datasets",
            APPLY,
            lists_datasets,
            Answer::refused(
                403,
                "accessDenied",
                "Access Denied: Project demo: User does not have bigquery.datasets.get permission in project demo.",
            ),
            &["PW0808", "BigQuery Job User", "BigQuery Data Editor"],
        ),
        case(
            "no_right_to_make_datasets",
            APPLY,
            |one| one.is("POST", "/datasets"),
            Answer::refused(
                403,
                "accessDenied",
                "Access Denied: Project demo: User does not have bigquery.datasets.create permission in project demo.",
            ),
            &["PW0808", "`bigquery.datasets.create`", "BigQuery User on the project"],
        ),
        case(
            "no_right_to_make_tables",
            APPLY,
            builds,
            Answer::failed(
                "accessDenied",
                "Access Denied: Dataset demo:marts: Permission bigquery.tables.create denied on dataset demo:marts (or it may not exist).",
            ),
            &["PW0808", "BigQuery Data Editor"],
        ),
        later(
            "another_location",
            &["plan"],
            |one| one.sql().contains("AS what, key AS name"),
            Answer::failed("notFound", "Not found: Dataset demo:pipewright was not found in location US"),
            &["PW0811", "the dataset `pipewright` is in EU", "`location`"],
        ),
        case(
            "a_location_that_is_none",
            APPLY,
            |one| one.is("POST", "/datasets"),
            Answer::refused(400, "invalid", "Invalid location: EU"),
            &["PW0811", "`location`"],
        ),
        case(
            "a_token_that_is_refused",
            &["plan"],
            lists_datasets,
            Answer::refused(
                401,
                "authError",
                "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid authentication credential.",
            ),
            &["PW0807", "gcloud auth application-default login"],
        ),
        case(
            "a_quota_that_is_used_up",
            APPLY,
            builds,
            Answer::refused(
                403,
                "quotaExceeded",
                "Custom quota exceeded: Your usage exceeded the custom quota for QueryUsagePerDay, which is set by your administrator.",
            ),
            &["PW0809", "quota"],
        ),
        later(
            "a_query_that_reads_too_much",
            APPLY,
            builds,
            Answer::failed(
                "bytesBilledLimitExceeded",
                "Query exceeded limit for bytes billed: 1000000. 10485760 or higher required.",
            ),
            &["PW0810", "read less"],
        ),
        later(
            "a_query_that_is_wrong_there",
            APPLY,
            builds,
            Answer::failed("invalidQuery", "No matching signature for aggregate function SUM at [1:83]"),
            // The user's own place, and not that of the statement that the query is sent in.
            &["PW0703", "model.daily_sales", "SUM at models/daily_sales.sql:1:13"],
        ),
        later(
            "a_script_that_is_wrong",
            &["query", "SELECT 1 AS one,\n  SUMM(2) AS two"],
            |one| one.sql().contains("SUMM(2)"),
            Answer::failed("invalidQuery", "Function not found: SUMM; Did you mean sum? at [2:3]"),
            &["PW0707", "[query:2:3]", "Function not found: SUMM; Did you mean sum?"],
        ),
        later(
            "a_query_that_is_wrong_there_when_it_is_asked_for",
            &["query", "SELECT 1 AS one"],
            |one| one.sql() == "SELECT 1 AS one",
            Answer::refused(
                403,
                "accessDenied",
                "Access Denied: Project demo: User does not have bigquery.jobs.create permission in project demo.",
            ),
            &["PW0808", "BigQuery Job User"],
        ),
    ]
}

/// A case's outcome in a snapshot of its name.
pub fn told(project: &Project, name: &str, outcome: &Outcome) {
    let mut settings = snapshot_settings(project);
    settings.add_filter(r"127\.0\.0\.1:\d+", "[SERVER]");
    // A column is as wide as the longest time.
    settings.add_filter(r" +(\[DURATION\]|time\n)", " $1");
    settings.set_snapshot_path("snapshots");
    settings.bind(|| insta::assert_snapshot!(format!("refused__{name}"), outcome));
}

#[test]
fn a_refusal_is_told_once_with_what_to_do_and_leaves_nothing_halfway() {
    for case in cases() {
        let (server, project) = (Scripted::start(), shop_there());
        if case.later {
            run(&server, &project, &["apply"]).succeeds();
            project.replace("models/daily_sales.sql", "SUM(amount) AS revenue", "SUM(2 * amount) AS revenue");
        }
        let before = server.tables();
        server.always(case.fits, case.answer);
        let outcome = run(&server, &project, case.command).ends_with(1);
        let whole = format!("{}{}", outcome.stdout, outcome.stderr);
        let messages = whole.matches("error[PW").count() + whole.matches("failed model.").count();
        assert_eq!(messages, 1, "{}: {outcome}", case.name);
        let squeezed: String =
            whole.split_whitespace().filter(|word| *word != "│").collect::<Vec<_>>().join(" ");
        for hint in case.hints {
            assert!(squeezed.contains(hint), "{}: `{hint}` is missing: {outcome}", case.name);
        }
        told(&project, case.name, &outcome);
        let after = server.tables();
        let halfway = |table: &&String| table.contains("__") || table.starts_with("pipewright.lease");
        assert!(!after.iter().any(|table| halfway(&table)), "{}: {after:?}", case.name);
        assert!(case.later || !after.contains(&"marts.daily_sales".to_owned()), "{}: {after:?}", case.name);
        if case.later {
            assert_eq!(before, after, "{}", case.name);
            // Nothing that was refused is in the way of the next run.
            server.as_usual();
            run(&server, &project, &["apply"]).succeeds();
        }
    }
}

#[test]
fn a_network_that_is_down_is_no_refusal() {
    let project = shop_there();
    let port = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("its address").port();
    let mut command = project.command(&["plan", "-t", "bigquery"]);
    command.env("BIGQUERY_PROJECT", "demo").env("BIGQUERY_ENDPOINT", format!("http://127.0.0.1:{port}"));
    let outcome = Outcome::of(&mut command).ends_with(2);
    assert!(outcome.stderr.contains("PW0804") && outcome.stderr.contains("`endpoint`"), "{outcome}");
    told(&project, "by_nobody", &outcome);
}
