//! Expressions whose values were taken from `ZetaSQL`'s reference implementation (`zetasql` 0.1.5 of `PyPI`, in UTC): BigQuery's own
//! semantics for casts, text, numbers, dates and JSON. `zetasql.txt` holds an expression a line and, after ` => `,
//! its value as JSON, or `error`. `refused` goes before values that the embedded engine does not give: it says so.

#![allow(clippy::panic, reason = "a test that reports")]

use duckdb::Connection;
use pipewright::googlesql::duckdb::{DatasetNames, Parameters};
use pipewright::warehouse::duckdb::runtime;
use pipewright::warehouse::duckdb::script::run;
use serde_json::Value;

#[test]
fn values_are_those_of_the_reference_implementation() {
    let connection = Connection::open_in_memory().expect("memory");
    runtime::install(&connection).expect("the runtime installs");
    let mut wrong = Vec::new();
    for line in include_str!("zetasql.txt").lines() {
        let (expression, expected) = line.split_once(" => ").expect(line);
        let answer =
            run(&connection, &format!("SELECT {expression} AS v"), &DatasetNames, &Parameters::default());
        let fits = match (&answer, expected) {
            (Err(_), expected) => expected == "error" || expected.starts_with("refused "),
            (Ok(result), expected) => {
                expected != "error"
                    && !expected.starts_with("refused ")
                    && result.rows[0][0] == serde_json::from_str::<Value>(expected).expect(expected)
            }
        };
        if !fits {
            wrong.push(format!("{expression}: {answer:?} is not {expected}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Arguments that DuckDB cannot see the type of: the same values through aggregates, windows and subqueries.
#[test]
fn a_value_is_the_same_wherever_its_argument_comes_from() {
    let connection = Connection::open_in_memory().expect("memory");
    runtime::install(&connection).expect("the runtime installs");
    connection
        .execute_batch(
            "CREATE SCHEMA ds; CREATE TABLE ds.t (k BIGINT, n BIGINT, v DECIMAL(38,9), f DOUBLE, d DATE, ts TIMESTAMPTZ);
             INSERT INTO ds.t VALUES (1, 7, 2.5, 2.5, DATE '2024-01-31', TIMESTAMPTZ '2024-01-31 10:20:30+00');",
        )
        .expect("a table");
    for expression in [
        "ROUND({v}, 1)",
        "{n} / 2",
        "{v} / {n}",
        "{v} * 0.5",
        "{f} * {n}",
        "{n} * {v}",
        "CAST({v} AS STRING)",
        "CAST({f} AS INT64)",
        "DATE_ADD({d}, INTERVAL 1 MONTH)",
        "DATE_DIFF({d}, DATE '2023-12-31', MONTH)",
        "EXTRACT(DAYOFWEEK FROM {ts})",
        "FORMAT_TIMESTAMP('%d/%m/%Y', {ts})",
        "TIMESTAMP_TRUNC({ts}, MONTH)",
        "{d} - DATE '2024-01-01'",
        "SAFE_DIVIDE({v}, 0)",
        "COALESCE({n}, 0.5)",
        "IF({n} > 1, {v}, 0.5)",
        "GREATEST({n}, {v})",
        "CASE WHEN {d} >= '2024-01-31' THEN 1.5 ELSE {v} END",
        "[{n}, 2][OFFSET(0)]",
    ] {
        let ask = |wrap: &dyn Fn(&str) -> String, tail: &str| {
            let mut text = expression.to_owned();
            for column in ["n", "v", "f", "d", "ts"] {
                text = text.replace(&format!("{{{column}}}"), &wrap(column));
            }
            let sql = format!("SELECT {text} AS x FROM ds.t {tail}");
            let result = run(&connection, &sql, &DatasetNames, &Parameters::default());
            result.unwrap_or_else(|error| panic!("{sql}: {error}"))
        };
        let plain = ask(&|column| column.to_owned(), "");
        for other in [
            ask(&|column| format!("MAX({column})"), ""),
            ask(&|column| format!("ANY_VALUE({column})"), "GROUP BY k"),
            ask(&|column| format!("FIRST_VALUE({column}) OVER (ORDER BY k)"), ""),
            ask(&|column| format!("(SELECT MAX(u.{column}) FROM ds.t AS u)"), ""),
        ] {
            assert_eq!(plain, other, "{expression}");
        }
    }
}

#[test]
fn arguments_fail_outside_of_safe() {
    let connection = Connection::open_in_memory().expect("memory");
    runtime::install(&connection).expect("the runtime installs");
    let ask = |sql: &str| run(&connection, sql, &DatasetNames, &Parameters::default());
    assert!(ask("SELECT SAFE.LN(0)").expect("NULL").rows[0][0].is_null());
    assert!(ask("SELECT SAFE.LN(1 / 0)").is_err());
    assert!(ask("SELECT SAFE.PARSE_DATE('%Y', CONCAT('x', 'y'))").expect("NULL").rows[0][0].is_null());
}

#[test]
fn the_runtime_installs_once() {
    let connection = Connection::open_in_memory().expect("memory");
    runtime::install(&connection).expect("first");
    let count = |connection: &Connection| -> i64 {
        connection
            .query_row("SELECT max(macro.function_oid) FROM duckdb_functions() AS macro WHERE schema_name = 'googlesql'", [], |row| row.get(0))
            .expect("count")
    };
    let before = count(&connection);
    runtime::install(&connection).expect("second");
    assert_eq!(before, count(&connection), "the second time nothing was written");
}
