//! Checkpoints, and the forms in which results are told.

use serde_json::json;

use crate::shop::{built, by_hand, by_hand_in, rows};
use crate::support::{Project, snapshot_settings};

const CHECKPOINTS: &str = "checkpoints:
  arrived:
    description: What came in.
    suites: [orders]
    actions:
      - { do: write, to: reports/arrived.xml, format: junit }
      - { do: write, to: reports/alarm.md, format: markdown, when: failure }
      - { do: keep }
  money:
    tags: [money]
";

/// The shop, whose manifest got checkpoints after its first run.
fn with_checkpoints() -> Project {
    let project = built();
    let target = "default_target: local\n";
    project.replace("pipeline.yaml", target, &format!("{target}{CHECKPOINTS}"));
    project
}

/// The shop with checkpoints, and with an order that is there twice behind Pipewright's back.
fn spoilt() -> Project {
    let project = with_checkpoints();
    project.replace(
        "expectations/shop.yaml",
        "name: revenue_is_positive, sql: revenue > 0",
        "name: revenue_is_positive, sql: revenue > 3, severity: warning, tags: [money], note: \"Rare, | but <known>.\"",
    );
    by_hand(&project, "INSERT INTO raw.orders SELECT * FROM raw.orders WHERE id = 1");
    project
}

#[test]
fn results_in_every_form() {
    let project = spoilt();
    for form in ["table", "json", "junit", "markdown"] {
        let told = project.run(&["check", "--format", form]).ends_with(1);
        snapshot_settings(&project)
            .bind(|| insta::assert_snapshot!(format!("results_in_every_form__{form}"), told));
    }
}

#[test]
fn each_result_has_its_own_query() {
    let project = built();
    project.replace(
        "expectations/shop.yaml",
        "      - { expect: unique, columns: [id] }\n",
        "      - { expect: unique, columns: [id] }\n      - { expect: between, column: amount, min: 3, where: id < 3 }\n\
         \x20     - { expect: exists }\n      - { expect: query, sql: \"SELECT * FROM this WHERE id > 2\", severity: info }\n",
    );
    let told = project.run(&["check", "--format", "json"]).ends_with(1).json();
    let checks = told["checks"].as_array().unwrap();
    let sql = |check: &serde_json::Value| check["sql"].as_str().map(str::to_owned);
    let numbers = |check: &serde_json::Value| Some(rows(&project, &sql(check)?)[0].clone());
    let all: Vec<_> = checks.iter().map(numbers).collect();
    // Other clients run them as they are; what is known of the table has none.
    assert_eq!(
        json!(all),
        json!([["3", "0", null], ["2", "1", null], null, ["3", "1", null], ["2", "0", null]])
    );
    for (check, numbers) in checks.iter().zip(&all) {
        let Some(numbers) = numbers else { continue };
        assert_eq!(
            [&check["checked"], &check["failing"]].map(|count| json!(count.to_string())),
            [numbers[0].clone(), numbers[1].clone()]
        );
        assert!(check["milliseconds"].is_u64(), "{check}");
    }
}

#[test]
fn tables_are_checked_side_by_side_and_told_in_order() {
    let project = Project::shipped();
    project.run(&["apply"]).succeeds();
    // One table is gone, another has a key twice: the others are told all the same.
    by_hand_in(
        &project,
        "olist.duckdb",
        "DROP TABLE olist_marts.fact_sales; INSERT INTO olist_marts.dim_customers SELECT * FROM olist_marts.dim_customers LIMIT 1",
    );
    let told = |threads: &str| {
        let told = project.run(&["check", "--format", "json", "--threads", threads]).ends_with(1);
        let mut results = told.json();
        for check in results["checks"].as_array_mut().unwrap() {
            check["milliseconds"] = json!(0);
        }
        (results, told.stderr)
    };
    let (one, several) = (told("1"), told("4"));
    assert_eq!(one, several);
    let count = |word: &str| one.0[word].as_u64().unwrap();
    // The key, and as many rows as the table that it was built from.
    let counts = ["passed", "failed", "errored"].map(count);
    assert!(counts[0] > 300 && counts[1] == 2 && counts[2] > 10, "{counts:?}");
    assert!(one.1.contains("fact_sales is not in the target"), "{}", one.1);
}

#[test]
fn a_checkpoint_looks_at_its_own_and_does_what_it_says() {
    let project = spoilt();
    let money = project.run(&["check", "money", "--format", "json"]).succeeds().json();
    assert_eq!(
        [&money["warned"], &money["checks"][0]["address"], &money["checks"][0]["note"]],
        [&json!(1), &json!("expectation.daily_sales.revenue_is_positive"), &json!("Rare, | but <known>.")]
    );
    assert_eq!(money["checks"].as_array().map(Vec::len), Some(1));

    let read = |file: &str| fs_err::read_to_string(project.path().join(file));
    project.run(&["check", "arrived"]).ends_with(1);
    assert!(read("reports/arrived.xml").unwrap().contains("failures=\"1\""));
    assert!(read("reports/alarm.md").unwrap().contains("**failed**"));
    assert_eq!(
        rows(
            &project,
            "SELECT command, status, verdict, failing FROM pipewright.runs JOIN pipewright.expectations USING (run) \
             WHERE command LIKE 'check%'"
        ),
        json!([["check arrived", "failed", "failed", "2"]])
    );

    by_hand(&project, "DELETE FROM raw.orders WHERE rowid = 3");
    fs_err::remove_file(project.path().join("reports/alarm.md")).unwrap();
    project.run(&["check", "arrived"]).succeeds();
    assert!(read("reports/arrived.xml").unwrap().contains("failures=\"0\""));
    assert!(read("reports/alarm.md").is_err(), "it is for failures only");

    let unknown = project.run(&["check", "arived"]).ends_with(2);
    assert!(unknown.stderr.contains("did you mean `arrived`?"), "{unknown}");
}

#[test]
fn each_run_tells_and_writes_what_its_checkpoints_found() {
    let project = with_checkpoints();
    project.replace(
        "expectations/shop.yaml",
        "name: revenue_is_positive,",
        "name: revenue_is_positive, tags: [money],",
    );
    project.write(
        "data/orders.csv",
        "id,day,product,amount\n1,2024-01-01,pen,1\n1,2024-01-01,cup,2\n2,2024-01-02,pen,1\n",
    );
    let failed = project.run(&["apply"]).ends_with(1);
    assert!(failed.stdout.contains("Checkpoint arrived: 1 expectation: 1 failed."), "{failed}");
    assert!(!failed.stdout.contains("Checkpoint money"), "nothing of it was looked at: {failed}");
    assert!(failed.stdout.contains("kept: what was refused is in raw.orders__failed"), "{failed}");
    let read = |file: &str| fs_err::read_to_string(project.path().join(file));
    assert!(read("reports/arrived.xml").unwrap().contains("failures=\"1\""));
    assert!(read("reports/alarm.md").unwrap().contains("**failed**"));
    let run = project.run(&["runs", "--json"]).succeeds().json()[0]["run"].as_str().unwrap().to_owned();
    let shown = project.run(&["runs", &run]).succeeds();
    assert!(shown.stdout.contains("raw.orders__failed"), "{shown}");

    project.replace("pipeline.yaml", "defaults:\n", "defaults:\n  failed_builds: drop\n");
    let failed = project.run(&["apply"]).ends_with(1);
    assert!(!failed.stdout.contains("kept:"), "{failed}");
}

#[test]
fn what_is_personal_is_hidden_in_samples() {
    let project = built();
    project.replace(
        "sources/shop.yaml",
        "product: { type: STRING }",
        "product: { type: STRING, tags: [personal] }",
    );
    project.run(&["apply"]).succeeds();
    by_hand(
        &project,
        "INSERT INTO raw.orders VALUES (9, '2024-01-01', 'a name', 1), (9, '2024-01-01', 'another', -9)",
    );
    project.replace(
        "expectations/shop.yaml",
        "{ expect: unique, columns: [id] }",
        "{ expect: between, column: amount, min: 0 }",
    );
    let told = project.run(&["check", "--json"]).ends_with(1);
    assert_eq!(told.json()["checks"][0]["sample"][0]["product"], json!("***"));
    assert!(!told.stdout.contains("another"), "{told}");
}

#[test]
fn results_of_all_runs_are_told_together() {
    let project = built();
    let none = project.run(&["results", "--failing"]).succeeds();
    assert_eq!(none.stdout, "");
    by_hand(&project, "DELETE FROM raw.orders");
    project.write("data/orders.csv", "id,day,product,amount\n1,2024-01-01,pen,1\n1,2024-01-01,cup,2\n2,2024-01-02,pen,1\n3,2024-01-02,pen,1\n");
    project.run(&["apply"]).ends_with(1);
    project.write(
        "data/orders.csv",
        "id,day,product,amount\n1,2024-01-01,pen,1\n2,2024-01-02,pen,1\n3,2024-01-02,pen,1\n",
    );
    project.run(&["apply"]).succeeds();
    let results = project.run(&["results", "orders", "--json"]).succeeds().json();
    let only = &results[0];
    assert_eq!(results.as_array().map(Vec::len), Some(1), "{results:#}");
    assert_eq!(
        json!([
            only["expectation"],
            only["runs"],
            only["passed"],
            only["last"],
            only["changes"],
            only["failing_shares"]
        ]),
        json!(["expectation.orders.unique_id", 3, 2, "passed", 2, [0.0, 0.5, 0.0]])
    );
    assert_eq!(only["first_failure"], only["last_failure"]);
    let told = project.run(&["results", "--failing"]).succeeds();
    assert!(told.stdout.contains("unique_id") && told.stdout.contains("▁█▁"), "{told}");
    assert!(!told.stdout.contains("revenue_is_positive"), "{told}");
}

#[test]
fn bounds_are_proposed_from_past_runs_and_never_set() {
    let project = built();
    project.replace(
        "expectations/shop.yaml",
        "      - { expect: unique, columns: [id] }\n",
        "      - { expect: unique, columns: [id], severity: warning }\n      - { expect: row_count, min: 1 }\n",
    );
    let manifest = || fs_err::read_to_string(project.path().join("expectations/shop.yaml")).unwrap();
    let before = manifest();
    project.write(
        "data/orders.csv",
        "id,day,product,amount\n1,2024-01-01,pen,1\n1,2024-01-01,cup,2\n2,2024-01-02,pen,1\n3,2024-01-02,pen,1\n4,2024-01-02,pen,1\n",
    );
    project.run(&["apply"]).succeeds();
    let proposed = project.run(&["check", "--propose"]).succeeds();
    for told in [
        "expectation.orders.row_count\n    at expectations/shop.yaml:5\n    min: 4, max: 6   # 5 to 5 rows in 1 run",
        "mostly: 0.52   # up to 40.00 % of the rows failed in 2 runs",
    ] {
        assert!(proposed.stdout.contains(told), "{told}\n{proposed}");
    }
    assert_eq!(manifest(), before);
}

#[test]
fn old_runs_are_forgotten_with_their_results() {
    let project = built();
    by_hand(&project, "UPDATE pipewright.runs SET started_at = '2020-01-01T00:00:00.000Z'");
    project.replace("pipeline.yaml", "defaults:\n", "defaults:\n  keep_history: 30d\n");
    project.write("data/orders.csv", "id,day,product,amount\n1,2024-01-01,pen,1\n2,2024-01-02,pen,1\n");
    project.run(&["apply"]).succeeds();
    let left = rows(
        &project,
        "SELECT (SELECT count(*) FROM pipewright.runs), (SELECT count(DISTINCT run) FROM pipewright.steps), \
         (SELECT count(DISTINCT run) FROM pipewright.expectations)",
    );
    assert_eq!(left, json!([["1", "1", "1"]]));
}
