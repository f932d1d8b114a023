//! Checkpoints, and the forms in which results are told.

use serde_json::json;

use crate::shop::{built, by_hand, rows};
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

/// The shop with checkpoints, and with an order that is there twice behind Pipewright's back.
fn spoilt() -> Project {
    let project = built();
    project.replace(
        "pipeline.yaml",
        "default_target: local\n",
        &format!("default_target: local\n{CHECKPOINTS}"),
    );
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
