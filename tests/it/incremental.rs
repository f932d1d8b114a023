//! Incremental models: new rows into a table that is there.

use serde_json::{Value, json};

use crate::shop::{ORDERS, by_hand, rows, shop, steps};
use crate::support::{Outcome, Project};

/// The shop with one model more, of a way in which new rows come.
fn incremental(settings: &str, query: &str) -> Project {
    let project = shop();
    project.write(
        "models/log.yaml",
        &format!("models:\n  log:\n    materialized: incremental\n    tags: [log]\n{settings}"),
    );
    project.write("models/log.sql", query);
    project
}

const NEW_DAYS: &str = "SELECT id, day, product, amount FROM {{ source('orders') }}\n\
    {% if is_incremental() %}WHERE day > (SELECT MAX(day) FROM {{ this }}){% endif %}\n";
const ALL_ROWS: &str = "SELECT id, day, product, amount FROM {{ source('orders') }}\n";
const BY_ID: &str = "    incremental: { unique_key: [id] }\n";
const BY_DAY: &str = "    incremental: { strategy: insert_overwrite, partition_by: day }\n";

/// What `apply` did with the model: its action, how many rows are new and how many there are.
fn log_step(project: &Project) -> Value {
    let applied = project.run(&["apply", "--json", "--select", "+log"]).succeeds();
    let last: Value = serde_json::from_str(applied.stdout.trim().lines().last().unwrap()).unwrap();
    let steps = last["report"]["steps"].as_array().or(last["steps"].as_array()).expect("steps").clone();
    let step = steps.iter().find(|step| step["address"] == "model.log").expect("a step of the model");
    json!([step["action"], step["new_rows"], step["rows"]])
}

fn log(project: &Project) -> Value {
    rows(project, "SELECT id, day, product, amount FROM marts.log ORDER BY id, amount")
}

fn refused(project: &Project, told: &[&str]) -> Outcome {
    let refused = project.run(&["apply"]).ends_with(1);
    for told in told {
        assert!(refused.to_string().contains(told), "{told}\n{refused}");
    }
    refused
}

#[test]
fn rows_are_appended_merged_or_replaced_by_partition() {
    // Order 3 has another amount, order 2 is gone, order 4 is new and of the day of order 3.
    let later = "id,day,product,amount\n1,2024-01-01,pen,2.50\n3,2024-01-02,pen,9.00\n4,2024-01-02,cup,7.00\n5,2024-01-03,cup,7.00\n";
    let of_third = "SELECT id, day, product, amount FROM {{ source('orders') }}\n\
        {% if is_incremental() %}WHERE day >= (SELECT MAX(day) FROM {{ this }}){% endif %}\n";
    for (settings, query, step, ids_and_amounts) in [
        ("", NEW_DAYS, json!(["append", 1, 4]), vec![(1, "2.5"), (2, "7.0"), (3, "2.5"), (5, "7.0")]),
        (
            BY_ID,
            ALL_ROWS,
            json!(["merge", 4, 5]),
            vec![(1, "2.5"), (2, "7.0"), (3, "9.0"), (4, "7.0"), (5, "7.0")],
        ),
        (
            BY_DAY,
            of_third,
            json!(["overwrite", 3, 5]),
            vec![(1, "2.5"), (2, "7.0"), (3, "9.0"), (4, "7.0"), (5, "7.0")],
        ),
    ] {
        let project = incremental(settings, query);
        assert_eq!(log_step(&project), json!(["build", null, 3]), "the first time, it is the whole table");
        assert_eq!(steps(&project, &["--select", "+log"]).len(), 0);
        project.write("data/orders.csv", later);
        assert_eq!(steps(&project, &["--select", "+log"])["model.log"], "merge");
        assert_eq!(log_step(&project), step);
        let found = rows(&project, "SELECT id, CAST(amount AS DECIMAL(9, 1)) FROM marts.log ORDER BY id");
        let expected: Vec<[String; 2]> =
            ids_and_amounts.iter().map(|(id, amount)| [id.to_string(), (*amount).to_owned()]).collect();
        assert_eq!(found, json!(expected), "{settings}");
        assert_eq!(steps(&project, &[]).get("model.log"), None, "nothing is left to do");
    }
}

#[test]
fn a_changed_query_and_a_request_build_the_whole_table() {
    let project = incremental("", NEW_DAYS);
    log_step(&project);
    by_hand(&project, "SELECT 1");
    let plan = project.run(&["plan", "--full-refresh", "--select", "log"]).succeeds();
    assert!(plan.stdout.contains("rebuild requested"), "{plan}");
    assert_eq!(steps(&project, &["--full-refresh", "--select", "log"])["model.log"], "build");
    project.replace("models/log.sql", "SELECT id, day", "SELECT id + 0 AS id, day");
    assert_eq!(steps(&project, &["--select", "log"])["model.log"], "build");
    project.replace(
        "models/log.yaml",
        "    tags: [log]\n",
        "    tags: [log]\n    incremental: { on_query_change: keep }\n",
    );
    assert_eq!(steps(&project, &["--select", "log"])["model.log"], "merge");
    project.replace("models/log.yaml", "on_query_change: keep", "unique_key: [id]");
    let plan = project.run(&["plan", "--select", "log"]).succeeds();
    assert!(plan.stdout.contains("SQL changed"), "{plan}");
    assert_eq!(steps(&project, &["--select", "log"])["model.log"], "build");
}

#[test]
fn rows_that_somebody_took_away_stay_away_and_a_table_that_was_changed_is_built_anew() {
    let project = incremental("", NEW_DAYS);
    log_step(&project);
    by_hand(&project, "DELETE FROM marts.log WHERE id = 1");
    let plan = project.run(&["plan", "--select", "+log"]).succeeds();
    let told = "it had 3 rows and has 2; it stays so, unless `--full-refresh` builds it anew";
    assert!(plan.stdout.contains(told), "{plan}");
    project.write("data/orders.csv", &format!("{ORDERS}4,2024-01-03,cup,1.00\n"));
    assert_eq!(log_step(&project), json!(["append", 1, 3]));
    // A column that somebody added costs no rows either, and new ones have no value in it.
    by_hand(&project, "ALTER TABLE marts.log ADD COLUMN note VARCHAR");
    let plan = project.run(&["plan", "--select", "+log"]).succeeds();
    assert!(plan.stdout.contains("columns were added: note; it stays so, unless `--full-refresh`"), "{plan}");
    project.write("data/orders.csv", &format!("{ORDERS}4,2024-01-03,cup,1.00\n5,2024-01-04,cup,1.00\n"));
    assert_eq!(log_step(&project), json!(["append", 1, 4]));
    assert_eq!(rows(&project, "SELECT COUNT(*), COUNT(note) FROM marts.log"), json!([["4", "0"]]));
    assert_eq!(project.run(&["plan", "--json"]).succeeds().json()["drift"], json!([]));
    by_hand(&project, "ALTER TABLE marts.log DROP COLUMN amount");
    assert_eq!(log_step(&project), json!(["build", null, 5]));
}

#[test]
fn a_key_that_is_none_is_never_merged_on() {
    let project = incremental(BY_ID, ALL_ROWS);
    log_step(&project);
    let before = log(&project);
    project.replace("expectations/shop.yaml", "unique, columns: [id]", "row_count, min: 1");
    project.write("data/orders.csv", &format!("{ORDERS}3,2024-01-03,cup,7.00\n4,2024-01-03,cup,1.00\n"));
    refused(&project, &["PW0709", "keys that several rows have: 1", "the published table stays as it was"]);
    assert_eq!(log(&project), before);
    let kept = rows(&project, "SELECT COUNT(*) AS n FROM marts.log__failed");
    assert_eq!(kept, json!([["5"]]), "what was refused can be looked at");

    project.write("data/orders.csv", &format!("{ORDERS}4,2024-01-03,cup,1.00\n"));
    assert_eq!(log_step(&project), json!(["merge", 4, 4]));
    assert_eq!(
        rows(&project, "SELECT COUNT(*) AS n FROM duckdb_tables() WHERE table_name = 'log__failed'"),
        json!([["0"]])
    );

    // The first build is held to the key as well.
    let project = incremental("    incremental: { unique_key: [product] }\n", ALL_ROWS);
    refused(&project, &["model.log", "PW0709"]);
    let project =
        incremental("    incremental: { strategy: insert_overwrite, partition_by: day }\n", ALL_ROWS);
    project.write("data/orders.csv", &format!("{ORDERS}4,,cup,1.00\n"));
    refused(&project, &["model.log", "rows without a value of the key: 1"]);
}

#[test]
fn new_rows_and_the_whole_table_are_both_audited_before_anybody_sees_them() {
    let project = incremental("", NEW_DAYS);
    project.write(
        "expectations/log.yaml",
        "suites:\n  log:\n    expectations:\n\
         \x20     - { expect: between, column: amount, max: 10, scope: new_rows }\n\
         \x20     - { expect: row_count, max: 4 }\n\
         \x20     - { expect: sum, column: amount, max: 1000, severity: warning }\n",
    );
    log_step(&project);
    let before = log(&project);

    // The new rows alone.
    project.write("data/orders.csv", &format!("{ORDERS}4,2024-01-03,cup,11.00\n"));
    refused(&project, &["expectation.log.between_amount failed: 1 of 1 rows"]);
    assert_eq!(log(&project), before);
    assert_eq!(rows(&project, "SELECT id FROM marts.log__failed"), json!([["4"]]));

    // The table with them in it: what was merged is taken back, and the new rows are kept aside.
    project.write("data/orders.csv", &format!("{ORDERS}4,2024-01-03,cup,1.00\n5,2024-01-03,pen,1.00\n"));
    refused(&project, &["expectation.log.row_count failed: 5 rows"]);
    assert_eq!(log(&project), before);
    assert_eq!(rows(&project, "SELECT id FROM marts.log__failed ORDER BY id"), json!([["4"], ["5"]]));

    // An old row that new ones would not be allowed to be is none of their business.
    by_hand(&project, "SELECT 1");
    project.write("data/orders.csv", &format!("{ORDERS}4,2024-01-03,cup,1.00\n"));
    assert_eq!(log_step(&project), json!(["append", 1, 4]));
    let checked = project.run(&["check", "--select", "log"]).succeeds();
    assert!(checked.stderr.contains("1 expectation is about new rows alone"), "{checked}");
    assert!(checked.stdout.contains("2 expectations: 2 passed"), "{checked}");
}

#[test]
fn a_partition_that_comes_back_empty_handed_does_not_shrink_the_table() {
    let orders = |rows: usize| {
        let rows: Vec<String> = (1..=rows).map(|id| format!("{id},2024-01-01,pen,1.00\n")).collect();
        format!("id,day,product,amount\n{}", rows.concat())
    };
    let project = incremental(BY_DAY, ALL_ROWS);
    project.write("data/orders.csv", &orders(10));
    log_step(&project);
    project.write("data/orders.csv", &orders(2));
    project.replace("sources/shop.yaml", "data/orders.csv\n", "data/orders.csv\n    max_shrink: 1\n");
    refused(&project, &["model.log", "PW0708", "it would shrink from 10 rows to 2"]);
    assert_eq!(rows(&project, "SELECT COUNT(*) FROM marts.log"), json!([["10"]]));
    project.run(&["apply", "--allow-shrink"]).succeeds();
    assert_eq!(rows(&project, "SELECT COUNT(*) FROM marts.log"), json!([["2"]]));
}

#[test]
fn columns_that_come_are_added_refused_or_built_anew() {
    let query = "SELECT * FROM {{ source('orders') }}\n\
        {% if is_incremental() %}WHERE day > (SELECT MAX(day) FROM {{ this }}){% endif %}\n";
    for (choice, outcome) in [("rebuild", "build"), ("add", "merge"), ("refuse", "PW0508")] {
        let project = incremental(&format!("    incremental: {{ on_schema_change: {choice} }}\n"), query);
        log_step(&project);
        project.replace(
            "sources/shop.yaml",
            "amount: { type: NUMERIC }",
            "amount: { type: NUMERIC }\n      shop: { type: STRING }",
        );
        project.write(
            "data/orders.csv",
            "id,day,product,amount,shop\n1,2024-01-01,pen,2.50,north\n4,2024-01-03,cup,1.00,south\n",
        );
        if outcome == "PW0508" {
            let refused = project.run(&["plan"]).ends_with(1);
            assert!(refused.stderr.contains("PW0508") && refused.stderr.contains("`shop` new"), "{refused}");
            continue;
        }
        assert_eq!(steps(&project, &["--select", "+log"])["model.log"], outcome);
        project.run(&["apply", "--allow-shrink"]).succeeds();
        let shops = rows(&project, "SELECT id, shop FROM marts.log ORDER BY id");
        let expected = match outcome {
            "build" => json!([["1", "north"], ["4", "south"]]),
            _ => json!([["1", null], ["2", null], ["3", null], ["4", "south"]]),
        };
        assert_eq!(json!(shops), expected, "{choice}");
        assert_eq!(steps(&project, &[]).get("model.log"), None, "nothing is left to do");
    }
}

#[test]
fn a_unit_test_expects_the_table_after_the_merge() {
    let project = incremental(BY_ID, ALL_ROWS);
    project.write(
        "unit_tests/log.yaml",
        "tests:\n  a_later_amount_wins:\n    model: log\n    given:\n\
         \x20     this: { rows: [{ id: 1, amount: 1 }, { id: 2, amount: 2 }] }\n\
         \x20     orders: { rows: [{ id: 2, amount: 5 }, { id: 3, amount: 3 }] }\n\
         \x20   expect: { rows: [{ id: 1, amount: 1 }, { id: 2, amount: 5 }, { id: 3, amount: 3 }] }\n\
         \x20 at_first_it_is_the_query:\n    model: log\n    given:\n\
         \x20     orders: { rows: [{ id: 2, amount: 5 }] }\n\
         \x20   expect: { rows: [{ id: 2, amount: 5 }] }\n",
    );
    project.run(&["test"]).succeeds();
    project.replace(
        "unit_tests/log.yaml",
        "{ id: 2, amount: 5 }, { id: 3, amount: 3 }] }\n  at",
        "{ id: 2, amount: 2 }, { id: 3, amount: 3 }] }\n  at",
    );
    let failed = project.run(&["test"]).ends_with(1);
    assert!(
        failed.stdout.contains("+ {\"amount\":\"5\",\"id\":2}") || failed.stdout.contains("\"id\":2"),
        "{failed}"
    );
    project.replace("unit_tests/log.yaml", "model: log\n    given:\n      this: { rows: [{ id: 1, amount: 1 }, { id: 2, amount: 2 }] }\n      orders:", "model: clean_orders\n    given:\n      this: { rows: [{ id: 1, amount: 1 }] }\n      orders:");
    let refused = project.run(&["test"]).ends_with(1);
    assert!(refused.stderr.contains("`clean_orders` is not incremental"), "{refused}");
}

#[test]
fn an_audit_that_breaks_off_takes_back_what_was_merged() {
    let project = incremental("", NEW_DAYS);
    log_step(&project);
    let before = log(&project);
    project.write("data/orders.csv", &format!("{ORDERS}4,2024-01-03,cup,1.00\n"));
    // The audit of the whole table fails: by then the new rows are in it.
    project.write(
        "expectations/log.yaml",
        "suites:\n  log:\n    expectations:\n      - { expect: expression, sql: \"ERROR('broken') IS NULL\" }\n",
    );
    refused(&project, &["expectation.log.expression", "broken"]);
    assert_eq!(log(&project), before);
}
