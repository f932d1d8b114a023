//! Unit tests of models.

use serde_json::json;

use crate::shop::shop;
use crate::support::Project;

const TESTS: &str = "tests:
  revenue_is_added_up_by_day:
    model: daily_sales
    given:
      clean_orders:
        rows:
          - { day: 2024-01-01, amount: 2.5 }
          - { day: 2024-01-01, amount: 1 }
          - { day: 2024-01-02, amount: null }
    expect:
      rows:
        - { day: 2024-01-01, revenue: 3.5 }
        - { day: 2024-01-02, revenue: null }
  no_orders_no_days:
    model: daily_sales
    expect: { rows: [] }
  names_are_upper_case:
    model: clean_orders
    given:
      orders: { file: unit_tests/orders.csv }
    expect:
      csv: |
        product
        PEN
        \"A, B\"
";

fn tested() -> Project {
    let project = shop();
    project.write("unit_tests/shop.yaml", TESTS);
    project.write("unit_tests/orders.csv", "id,product\n1,pen\n2,\"a, b\"\n");
    project
}

#[test]
fn what_a_model_makes_is_held_against_what_it_must_make() {
    let project = tested();
    let passed = project.run(&["test"]).succeeds();
    assert!(passed.stdout.contains("3 unit tests: 3 passed, 0 failed."), "{passed}");
    assert!(!project.path().join("shop.duckdb").exists(), "no target is touched");

    project.replace("models/daily_sales.sql", "SUM(amount)", "MAX(amount)");
    let failed = project.run(&["test"]).ends_with(1);
    for told in [
        "FAILED revenue_is_added_up_by_day of daily_sales",
        "at unit_tests/shop.yaml:2",
        "- {\"day\":\"2024-01-01\",\"revenue\":\"3.5\"}",
        "+ {\"day\":\"2024-01-01\",\"revenue\":\"2.5\"}",
        "3 unit tests: 2 passed, 1 failed.",
    ] {
        assert!(failed.stdout.contains(told), "{told}\n{failed}");
    }
    assert!(!failed.stdout.contains("2024-01-02"), "what is as it must be is not told: {failed}");

    let chosen =
        project.run(&["test", "clean_orders", "no_orders_no_days", "--format", "json"]).succeeds().json();
    let names: Vec<&str> =
        chosen["tests"].as_array().unwrap().iter().map(|test| test["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["no_orders_no_days", "names_are_upper_case"]);
    let junit = project.run(&["test", "--format", "junit"]).ends_with(1);
    assert!(junit.stdout.contains("tests=\"3\" failures=\"1\""), "{junit}");
    let unknown = project.run(&["test", "daily_sale"]).ends_with(2);
    assert!(unknown.stderr.contains("did you mean `daily_sales`?"), "{unknown}");
}

#[test]
fn a_row_too_often_is_a_row_too_many() {
    let project = tested();
    project.replace(
        "models/clean_orders.sql",
        "FROM {{ source('orders') }}",
        "FROM {{ source('orders') }}, UNNEST([1, 2])",
    );
    let failed = project.run(&["test", "names_are_upper_case", "--format", "json"]).ends_with(1).json();
    let test = &failed["tests"][0];
    assert_eq!(test["missing"], json!([]));
    assert_eq!(test["extra"], json!([{ "product": "A, B" }, { "product": "PEN" }]));
}

#[test]
fn tests_that_do_not_fit_are_told_at_their_places() {
    for (from, to, told) in [
        ("amount: 1 }", "amout: 1 }", "did you mean `amount`?"),
        ("amount: 1 }", "amount: much }", "`much` is no NUMERIC"),
        ("      clean_orders:\n", "      products:\n", "`daily_sales` does not read `products`"),
        ("      clean_orders:\n", "      clean_order:\n", "clean_order"),
        ("model: daily_sales\n    given", "model: orders\n    given", "`orders` is no model"),
        ("revenue: 3.5", "revenu: 3.5", "did you mean `revenue`?"),
        ("expect: { rows: [] }", "expect: {}", "give `rows`, `csv` or `file`"),
        (
            "file: unit_tests/orders.csv",
            "file: unit_tests/order.csv",
            "there is no file `unit_tests/order.csv`",
        ),
        ("        PEN\n", "        PEN,1\n", "this is no CSV"),
    ] {
        let project = tested();
        project.replace("unit_tests/shop.yaml", from, to);
        let refused = project.run(&["validate"]).ends_with(1);
        assert!(refused.stderr.contains(told), "{told}\n{refused}");
        assert!(refused.stderr.contains("unit_tests/shop.yaml:"), "{refused}");
    }
}

/// The shipped models make of the shipped tests' rows what these expect.
#[test]
fn the_shipped_unit_tests_pass() {
    let outcome = Project::shipped().run(&["test"]).succeeds();
    assert!(outcome.stdout.contains(", 0 failed."), "{outcome}");
}
