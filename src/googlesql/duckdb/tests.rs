use super::*;
use crate::googlesql::parse;

fn sql(text: &str) -> String {
    let query = parse::query(text).expect(text);
    match translate_query(&query, &DatasetNames) {
        Ok(sql) => sql,
        Err(faults) => panic!("{text}: {faults:?}"),
    }
}

fn refused(text: &str) -> SqlFault {
    let query = parse::query(text).expect(text);
    translate_query(&query, &DatasetNames).expect_err(text).remove(0)
}

#[test]
fn names_are_quoted_and_nulls_ordered() {
    assert_eq!(
        sql("SELECT o.order_id FROM `p.ds.orders` AS o ORDER BY order_id DESC, 1"),
        r#"SELECT "o"."order_id" AS "order_id" FROM "ds"."orders" AS "o" ORDER BY "order_id" DESC NULLS LAST, 1 ASC NULLS FIRST"#
    );
}

#[test]
fn a_name_of_the_select_list_goes_before_a_column() {
    assert_eq!(
        sql("SELECT UPPER(x) AS x, COUNT(*) AS n FROM ds.t GROUP BY x HAVING n > 1"),
        r#"SELECT googlesql.upper("x") AS "x", count(*) AS "n" FROM "ds"."t" AS "t" GROUP BY googlesql.upper("x") HAVING ((count(*)) > 1)"#
    );
}

#[test]
fn an_argument_with_an_aggregate_is_bound_first() {
    assert_eq!(
        sql("SELECT ROUND(MAX(x), 2) AS r FROM ds.t"),
        r#"SELECT list_transform([struct_pack(a0 := max("x"))], lambda "arg$": googlesql.round(struct_extract("arg$", 'a0'), 2))[1] AS "r" FROM "ds"."t" AS "t""#
    );
}

#[test]
fn a_float_literal_takes_the_type_beside_it() {
    assert_eq!(
        sql("SELECT x * 1.5 AS y FROM ds.t"),
        r#"SELECT googlesql.multiply_literal("x", 1.5) AS "y" FROM "ds"."t" AS "t""#
    );
    assert_eq!(sql("SELECT 1.5 AS y"), r#"SELECT CAST(1.5 AS DOUBLE) AS "y""#);
}

#[test]
fn a_query_that_ends_in_doubt_is_refused_at_its_place() {
    for (text, column) in [
        ("SELECT NO_SUCH_FUNCTION(1)", 8),
        ("SELECT a FROM ds.t TABLESAMPLE BERNOULLI (10 PERCENT)", 15),
        ("SELECT CAST(1 AS GEOGRAPHY)", 13),
        ("SELECT a FROM ds.t FOR SYSTEM_TIME AS OF TIMESTAMP '2024-01-01'", 15),
    ] {
        let fault = refused(text);
        assert_eq!(fault.code, Code::SqlNotTranslated, "{text}");
        if column > 0 {
            assert_eq!(fault.span.start.column, column, "{text}");
        }
    }
}

#[test]
fn literals_are_read_as_bigquery_reads_them() {
    assert_eq!(
        sql(
            r#"SELECT TIMESTAMP '2024-1-5 1:2:3 America/New_York' AS a, DATE "2024-2-29" AS b, r'\d' AS c, 'it\'s' AS d, b'\xff' AS e"#
        ),
        r#"SELECT TIMESTAMPTZ '2024-01-05 06:02:03.000000+00' AS "a", DATE '2024-02-29' AS "b", '\d' AS "c", 'it''s' AS "d", unhex('FF') AS "e""#
    );
    for text in [
        "SELECT DATE '2023-02-29'",
        "SELECT TIMESTAMP '2020-01-05 10:00'",
        "SELECT NUMERIC '1.0000000001'",
        "SELECT 9223372036854775808",
    ] {
        assert_eq!(refused(text).code, Code::SqlInvalid, "{text}");
    }
}

#[test]
fn arrays_become_rows() {
    assert_eq!(
        sql("SELECT k, e FROM ds.t, UNNEST(t.items) AS e"),
        r#"SELECT "k", "e" FROM "ds"."t" AS "t" CROSS JOIN unnest("t"."items") AS "element$1"("e")"#
    );
    assert_eq!(
        sql("SELECT i FROM ds.t, t.items AS i"),
        r#"SELECT "i" FROM "ds"."t" AS "t" CROSS JOIN unnest("t"."items") AS "element$1"("i")"#
    );
}

#[test]
fn nothing_of_a_long_sum_is_a_macro() {
    let text = format!("SELECT {} AS s FROM ds.t", vec!["x"; 90].join(" + "));
    assert!(!sql(&text).contains("googlesql."));
}
