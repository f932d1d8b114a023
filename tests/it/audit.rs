//! Nothing is published that was not checked before.

use serde_json::json;

use crate::shop::{ORDERS, applied, built, content, planned, rows};

const DATABASE: &str = "shop.duckdb";

#[test]
fn a_critical_failure_keeps_the_old_table_and_holds_back_what_reads_it() {
    let project = built();
    let before = content(&project, DATABASE, "UTC");
    project.write("data/orders.csv", &format!("{ORDERS}3,2024-01-09,cup,1.00\n"));
    project.write("data/products.csv", "product,colour\npen,green\n");
    let failed = project.run(&["apply", "--json"]).ends_with(1);
    let steps = applied(&failed);
    assert_eq!(steps["source.orders"]["status"], "failed");
    assert_eq!(steps["source.orders"]["fault"]["code"], "PW0701");
    let check = &steps["source.orders"]["checks"][0];
    assert_eq!(
        [&check["verdict"], &check["failing"], &check["checked"]],
        [&json!("failed"), &json!(2), &json!(4)]
    );
    assert!(check["sample"].to_string().contains('3'), "{check:#}");
    assert_eq!(steps["model.clean_orders"]["status"], "held_back");
    assert_eq!(steps["model.clean_orders"]["held_back_by"], json!(["source.orders"]));
    assert_eq!(steps["model.daily_sales"]["status"], "held_back");
    // What does not depend on it goes on.
    assert_eq!(steps["model.catalogue"]["status"], "done");
    let after = content(&project, DATABASE, "UTC");
    for table in ["raw.orders", "marts.clean_orders", "marts.daily_sales"] {
        assert_eq!(after[table], before[table], "{table}");
    }
    let aside = after.keys().filter(|table| !before.contains_key(*table)).collect::<Vec<_>>();
    assert_eq!(aside, ["raw.orders__failed"], "the failing build is kept for a look");
    assert_eq!(rows(&project, "SELECT count(*) FROM raw.orders__failed"), json!([["4"]]));
    assert_eq!(
        rows(&project, "SELECT status FROM pipewright.runs ORDER BY started_at, run DESC LIMIT 1 OFFSET 1"),
        json!([["failed"]])
    );

    let told = project.run(&["apply"]).ends_with(1);
    assert!(told.stdout.contains("unique_id") && told.stdout.contains("held back"), "{told}");

    project.write("data/orders.csv", &format!("{ORDERS}4,2024-01-09,cup,1.00\n"));
    assert_eq!(planned(&project, &[]), ["model.clean_orders", "model.daily_sales", "source.orders"]);
    project.run(&["apply"]).succeeds();
    assert_eq!(rows(&project, "SELECT count(*) FROM marts.daily_sales"), json!([["3"]]));
    assert_eq!(planned(&project, &[]), Vec::<String>::new());
    assert!(
        !content(&project, DATABASE, "UTC").contains_key("raw.orders__failed"),
        "it goes with the next good one"
    );
}

#[test]
fn a_table_does_not_shrink_by_much_unless_it_may() {
    let project = built();
    let apply = |count: usize| {
        let rows: Vec<String> = (1..=count).map(|id| format!("{id},2024-01-01,pen,1.00\n")).collect();
        project.write("data/orders.csv", &format!("id,day,product,amount\n{}", rows.concat()));
        project.run(&["apply"])
    };
    apply(10).succeeds();
    apply(5).succeeds();
    let refused = apply(2).ends_with(1);
    assert!(refused.stdout.contains("PW0708") && refused.stdout.contains("from 5 rows to 2"), "{refused}");
    assert_eq!(rows(&project, "SELECT count(*) FROM raw.orders"), json!([["5"]]));
    project.replace(
        "sources/shop.yaml",
        "files: data/orders.csv\n",
        "files: data/orders.csv\n    max_shrink: 0.6\n",
    );
    apply(2).succeeds();
    assert_eq!(rows(&project, "SELECT count(*) FROM raw.orders"), json!([["2"]]));
}

#[test]
fn a_warning_is_told_and_published() {
    let project = built();
    project.replace("expectations/shop.yaml", "sql: revenue > 0", "sql: revenue > 3, severity: warning");
    project.write("data/orders.csv", &ORDERS.replace("7.00", "8.00"));
    let outcome = project.run(&["apply"]).succeeds();
    assert!(outcome.stdout.contains("warned expectation.daily_sales.revenue_is_positive"), "{outcome}");
    assert_eq!(rows(&project, "SELECT max(revenue) FROM marts.daily_sales"), json!([["10.500000000"]]));
    assert_eq!(
        rows(&project, "SELECT verdict, failing FROM pipewright.expectations WHERE verdict <> 'passed'"),
        json!([["warned", "1"]])
    );
}

#[test]
fn an_expectation_that_errors_is_no_pass() {
    let project = built();
    let before = content(&project, DATABASE, "UTC");
    project.replace("models/clean_orders.sql", "UPPER(product)", "LOWER(product)");
    project.replace(
        "expectations/shop.yaml",
        "sql: revenue > 0",
        "sql: CAST(CAST(day AS STRING) AS INT64) > 0, severity: warning",
    );
    let failed = project.run(&["apply", "--json"]).ends_with(1);
    let steps = applied(&failed);
    assert_eq!(steps["model.daily_sales"]["fault"]["code"], "PW0702", "{}", steps["model.daily_sales"]);
    assert_eq!(content(&project, DATABASE, "UTC")["marts.daily_sales"], before["marts.daily_sales"]);
}

#[test]
fn a_query_that_fails_keeps_the_old_table() {
    let project = built();
    let before = content(&project, DATABASE, "UTC");
    project.replace("models/daily_sales.sql", "SUM(amount)", "SUM(CAST(product AS INT64))");
    let failed = project.run(&["apply"]).ends_with(1);
    assert!(failed.stdout.contains("PW0703") && failed.stdout.contains("model.daily_sales"), "{failed}");
    assert_eq!(content(&project, DATABASE, "UTC"), before);
}
