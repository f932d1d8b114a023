//! Invalid queries with the faults that are found, each at its place (`faults.txt`: a query, and its faults indented).
//! Google's analyzer refuses every one of them too.

use proptest::prelude::*;

use super::analyze;
use super::types::cases;
use crate::diag::Code;
use crate::googlesql::SqlFault;

fn shown(fault: &SqlFault) -> String {
    let start = fault.span.start;
    format!("{} {}:{} {}", fault.code, start.line, start.column, fault.message)
}

#[test]
fn faults_are_found_at_their_places() {
    let cases = cases(include_str!("faults.txt"));
    assert!(cases.len() > 200);
    let mut problems = Vec::new();
    for (sql, expected) in cases {
        let ours: Vec<String> = match analyze(sql) {
            Ok(_) => Vec::new(),
            Err(faults) => faults.iter().map(shown).collect(),
        };
        let same = ours.len() == expected.len()
            && ours.iter().zip(&expected).all(|(ours, expected)| ours.starts_with(expected));
        if !same {
            problems.push(format!("{sql}\n  found:    {ours:#?}\n  expected: {expected:#?}"));
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

/// Where BigQuery's documents say no and the analyzer that Google publishes says yes: it has types and features that
/// BigQuery lacks. Source: "Data type properties" in the reference, and the pages of the functions.
#[test]
fn json_has_no_order_no_equality_and_no_groups() {
    for (sql, expected) in [
        ("SELECT j = j FROM ds.t", "PW0407 1:8"),
        ("SELECT DISTINCT j FROM ds.t", "PW0407 1:17"),
        ("SELECT j, COUNT(*) FROM ds.t GROUP BY j", "PW0409 1:39"),
        ("SELECT i FROM ds.t ORDER BY j", "PW0407 1:29"),
        ("SELECT MAX(j) FROM ds.t", "PW0407 1:12"),
        ("SELECT COUNT(DISTINCT j) FROM ds.t", "PW0407 1:23"),
        ("SELECT j FROM ds.t UNION DISTINCT SELECT j FROM ds.t", "PW0411 1:8"),
        ("SELECT PERCENTILE_CONT(i, 0.5) FROM ds.t", "PW0409 1:8"),
    ] {
        let faults = analyze(sql).expect_err(sql);
        assert!(shown(&faults[0]).starts_with(expected), "{sql}: {faults:?}");
    }
}

#[test]
fn help_names_what_was_meant() {
    for (sql, help) in [
        ("SELECT order_idd FROM shop.orders", "did you mean `order_id`?"),
        ("SELECT o.statuss FROM shop.orders AS o", "did you mean `status`?"),
        ("SELECT orders.status FROM shop.orders AS o", "`status` is a column of `o` here"),
        ("SELECT order_id FROM shop.order", "did you mean `shop.orders`?"),
        ("SELECT order_id FROM sales.orders", "did you mean `shop.orders`?"),
        (
            "SELECT order_id FROM shop.orders JOIN shop.items ON TRUE",
            "say which one: `orders.order_id` or `items.order_id`",
        ),
        (
            "SELECT price AS p FROM shop.items WHERE p > 1",
            "`p` is an alias of the select list, which WHERE does not see",
        ),
        ("SELECT COALESE(price, 0) FROM shop.items", "did you mean `COALESCE`?"),
        ("SELECT LISTAGG(status, ',') FROM shop.orders", "STRING_AGG"),
        ("SELECT DATE_TRUNC(placed_at, MONT) FROM shop.orders", "the parts of a TIMESTAMP are MICROSECOND"),
        ("SELECT CAST(price AS VARCHAR) FROM shop.items", "write STRING"),
        ("SELECT 'a' = price FROM shop.items", "CAST(… AS NUMERIC)"),
        ("SELECT @pp", "did you mean `@p`?"),
    ] {
        let faults = analyze(sql).expect_err(sql);
        let found = faults[0].help.as_deref().unwrap_or_default();
        assert!(found.contains(help), "{sql}: {found}");
    }
}

#[test]
fn all_faults_are_found_together_and_in_order() {
    let sql = "SELECT nope, UPPER(price),\n  NVL(freight, 0)\nFROM shop.items\nWHERE order_id + 1 > 2";
    let faults = analyze(sql).expect_err(sql);
    let places: Vec<_> =
        faults.iter().map(|fault| (fault.span.start.line, fault.span.start.column)).collect();
    assert_eq!(places, [(1, 8), (1, 20), (2, 3), (4, 7)]);
}

#[test]
fn a_fault_does_not_breed_others() {
    for sql in [
        "SELECT o.anything, o.more + 1, UPPER(o.text) FROM shop.missing AS o WHERE o.x = 1 GROUP BY o.y",
        "WITH a AS (SELECT nope AS x FROM shop.orders) SELECT x + 1, UPPER(x), SUM(x) OVER (ORDER BY x) FROM a",
        "SELECT NVL(status, 'a') || 'b' FROM shop.orders",
    ] {
        let faults = analyze(sql).expect_err(sql);
        let codes: Vec<_> = faults.iter().map(|fault| fault.code.id()).filter(|id| *id != "PW0409").collect();
        assert_eq!(codes.len(), 1, "{sql}: {faults:#?}");
    }
}

#[test]
fn long_and_deep_queries_do_not_overflow() {
    let sum = format!("SELECT {} AS x", vec!["1"; 1_500].join(" + "));
    assert!(analyze(&sum).is_ok());
    let longer = format!("SELECT {} AS x", vec!["1"; 5_000].join(" + "));
    assert!(!analyze(&longer).expect("no fault").unchecked.is_empty());
    let union = vec!["SELECT 1 AS x"; 3_000].join(" UNION ALL ");
    assert!(analyze(&union).is_ok());
    for (open, close) in [("(", ")"), ("UPPER(", ")"), ("(SELECT ", ")"), ("NOT ", ""), ("[", "][OFFSET(0)]")]
    {
        // As deep as the parser lets them be, found by trying.
        let deepest = (1..120)
            .map(|depth| format!("SELECT {}'a'{} AS x", open.repeat(depth), close.repeat(depth)))
            .take_while(|sql| crate::googlesql::parse::query(sql).is_ok())
            .last();
        let _ = analyze(&deepest.expect("one level parses"));
    }
}

proptest! {
    /// Whatever parses is analysed without panic, and twice alike.
    #[test]
    fn any_query_is_analysed_twice_alike(words in prop::collection::vec(prop::sample::select(WORDS), 1..40)) {
        let sql = format!("SELECT {}", words.join(" "));
        let once = format!("{:?}", analyze(&sql));
        prop_assert_eq!(once, format!("{:?}", analyze(&sql)));
    }
}

const WORDS: &[&str] = &[
    "i",
    "s",
    "d",
    "t",
    "u",
    "t.i",
    "st.x",
    "ai",
    "ast",
    "j",
    "*",
    "t.*",
    "nope",
    "ds.t",
    "ds.u",
    "(",
    ")",
    ",",
    "+",
    "=",
    "||",
    "AND",
    "NOT",
    "NULL",
    "1",
    "2.5",
    "'a'",
    "DATE '2024-01-01'",
    "FROM",
    "WHERE",
    "GROUP BY",
    "ORDER BY",
    "HAVING",
    "QUALIFY",
    "JOIN",
    "ON",
    "USING",
    "AS",
    "x",
    "SUM(",
    "COUNT(*)",
    "UPPER(",
    "DATE_TRUNC(d, MONTH)",
    "ROW_NUMBER() OVER (",
    "PARTITION BY",
    "UNNEST(",
    "[",
    "]",
    "[OFFSET(",
    "STRUCT(",
    "ARRAY(SELECT",
    "(SELECT",
    "UNION ALL SELECT",
    "CASE WHEN",
    "THEN",
    "ELSE",
    "END",
    "IN",
    "BETWEEN",
    "LIKE",
    "EXCEPT (i)",
    "DISTINCT",
    "@p",
    "LIMIT",
    "CAST(",
    "AS STRING)",
    "EXTRACT(YEAR FROM",
    "INTERVAL 1 DAY",
    "WITH OFFSET",
    "ROLLUP (",
];

#[test]
fn what_is_written_without_a_type_takes_that_of_its_place() {
    for sql in [
        "SELECT ARRAY<DATE>[NULL] AS x",
        "SELECT ARRAY<STRUCT<a INT64, `b c` DATE>>[(1, NULL), (NULL, '2024-01-01')] AS x",
        "SELECT ARRAY<STRUCT<a INT64, b STRUCT<c DATE>>>[(1, STRUCT(NULL))] AS x",
        "SELECT ARRAY<STRUCT<a INT64, b ARRAY<DATE>>>[(1, [])] AS x",
    ] {
        assert!(analyze(sql).is_ok(), "{sql}");
    }
    for sql in ["SELECT ARRAY<DATE>[5] AS x", "SELECT ARRAY<STRUCT<a INT64, b DATE>>[(1, 5)] AS x"] {
        assert_eq!(analyze(sql).expect_err(sql)[0].code, Code::SqlTypeMismatch, "{sql}");
    }
}
