//! `query`: pipe syntax, set operations by name, and statements that define things.

use crate::support::{Outcome, Project};

fn ephemeral(sql: &str) -> Outcome {
    Project::empty().run(&["query", "--ephemeral", "--format", "csv", sql])
}

#[track_caller]
fn gives(cases: &[(&str, &str)]) {
    for (sql, rows) in cases {
        let outcome = ephemeral(sql).succeeds();
        let (_, found) = outcome.stdout.split_once('\n').expect("a header");
        assert_eq!(found.trim_end().replace('\n', " / "), *rows, "{sql}");
    }
}

#[track_caller]
fn refuses(cases: &[(&str, &[&str])]) {
    for (sql, says) in cases {
        let outcome = ephemeral(sql).ends_with(1);
        for text in *says {
            assert!(outcome.stderr.contains(text), "{sql}: `{text}` is missing\n{outcome}");
        }
    }
}

// The rows are those of Google's reference evaluator.
#[test]
fn pipe_operators_follow_each_other() {
    let orders = "WITH o AS (SELECT 1 AS id, 10 AS amt, 'x' AS c UNION ALL SELECT 2, 20, 'y' UNION ALL SELECT 3, 30, 'x'), \
                  k AS (SELECT 'x' AS c, 'Ex' AS name)";
    for (pipe, rows) in [
        (
            "FROM o |> WHERE amt > 5 |> AGGREGATE SUM(amt) AS total, COUNT(*) AS n GROUP BY c |> ORDER BY total DESC |> LIMIT 1",
            "x,40,2",
        ),
        (
            "FROM o AS a |> LEFT JOIN k AS b ON a.c = b.c |> EXTEND a.amt * 2 AS twice |> WHERE b.name IS NOT NULL \
             |> AGGREGATE SUM(twice) AS s GROUP BY b.name",
            "Ex,80",
        ),
        ("FROM o |> WHERE amt > 5 |> JOIN k USING (c) |> SELECT o.id, k.name |> ORDER BY id", "1,Ex / 3,Ex"),
        (
            "FROM o |> EXTEND SUM(amt) OVER (ORDER BY id) AS run |> SET amt = amt + 1 |> RENAME id AS key |> DROP c |> ORDER BY key",
            "1,11,10 / 2,21,30 / 3,31,60",
        ),
        ("FROM o |> SET amt = 7 |> SELECT amt, o.amt AS old |> ORDER BY old |> LIMIT 1", "7,10"),
        ("FROM o |> AS t |> WHERE NOT EXISTS(FROM o |> WHERE o.id > t.id) |> SELECT t.id", "3"),
        ("FROM o |> EXTEND amt AS more |> SELECT * EXCEPT (c), o.c AS d |> LIMIT 1", "1,10,10,x"),
        ("FROM o |> SELECT DISTINCT c |> EXCEPT DISTINCT (SELECT 'x')", "y"),
        ("FROM o |> AGGREGATE SUM(amt) AS s DESC GROUP BY c", "x,40 / y,20"),
        ("FROM o |> AGGREGATE COUNT(*) AS n GROUP AND ORDER BY MOD(id, 2) AS odd", "0,1 / 1,2"),
        ("FROM o |> AGGREGATE SUM(amt) AS s GROUP BY ROLLUP(c) |> ORDER BY s", "y,20 / x,40 / NULL,60"),
        (
            "FROM o |> PIVOT (COUNT(id) FOR c IN ('x' AS x, 'y' AS y)) |> AGGREGATE SUM(x) AS x, SUM(y) AS y",
            "2,1",
        ),
        ("FROM o |> WITH z AS (SELECT 2 AS b) |> JOIN z ON z.b = o.id |> SELECT id", "2"),
        ("SELECT id FROM o |> UNION ALL (SELECT 8), (SELECT 9) |> AGGREGATE SUM(id)", "23"),
        ("FROM o |> ORDER BY id DESC |> LIMIT 2 |> WHERE id < 3", "2,20,y"),
        ("SELECT (FROM o |> AGGREGATE MAX(amt)) AS top", "30"),
    ] {
        let sql = format!("{orders} {pipe}");
        let outcome = ephemeral(&sql).succeeds();
        let (_, found) = outcome.stdout.split_once('\n').expect("a header");
        let found = found.trim_end().replace('\n', " / ");
        assert_eq!(found.replace("/ ,", "/ NULL,"), rows, "{pipe}");
    }
}

#[test]
fn a_wrong_pipe_is_told_at_its_place() {
    refuses(&[
        ("FROM UNNEST([1]) AS x |> WHERE x > 1 GROUP BY x", &["query:1:38", "GROUP cannot stand here"]),
        ("FROM UNNEST([1]) AS x |> FROB x", &["query:1:26", "no pipe operator FROB"]),
        ("FROM UNNEST([1]) AS x |> WHERE", &["query:1:26", "WHERE needs something"]),
        ("FROM UNNEST([1]) AS x WHERE x > 1", &["query:1:23", "|> WHERE"]),
        ("FROM UNNEST([1]) AS x |> DROP y", &["PW0404", "query:1:31"]),
        ("FROM UNNEST([1]) AS x |> RENAME y AS z", &["PW0404", "query:1:33"]),
        ("FROM UNNEST([1]) AS x |> AGGREGATE COUNT(*) AS n GROUP BY 1", &["takes no positions"]),
        ("SELECT * RENAME (a AS b) FROM (SELECT 1 AS a)", &["PW0401"]),
    ]);
}

// The rows are those of Google's reference evaluator.
#[test]
fn set_operations_go_by_name() {
    let two =
        "WITH a AS (SELECT 1 AS x, 'p' AS y), b AS (SELECT 'q' AS y, 2 AS x, TRUE AS z) SELECT * FROM a";
    gives(&[
        ("SELECT 1 AS a, 2 AS b UNION ALL BY NAME SELECT 3 AS B, 4 AS a", "1,2 / 4,3"),
        ("SELECT 1 AS a, 2 AS b FULL OUTER UNION ALL BY NAME SELECT 3 AS b, 4 AS c", "1,2, / ,3,4"),
        ("SELECT 1 AS a, 2 AS b LEFT UNION ALL BY NAME SELECT 3 AS b, 4 AS c", "1,2 / ,3"),
        ("SELECT 1 AS a, 2 AS b INNER UNION ALL BY NAME SELECT 3 AS b, 4 AS c", "2 / 3"),
        ("SELECT 1 AS a, 2 AS b UNION ALL CORRESPONDING SELECT 3 AS b, 4 AS c", "2 / 3"),
        ("SELECT 1 AS a, 2 AS b FULL UNION ALL BY NAME ON (b, c) SELECT 3 AS b, 4 AS c", "2, / 3,4"),
        ("SELECT 1 AS a, 2 AS b INTERSECT DISTINCT BY NAME SELECT 2 AS b, 1 AS a", "1,2"),
        (&format!("{two} LEFT UNION ALL BY NAME SELECT * FROM b"), "1,p / 2,q"),
        (&format!("{two} INNER UNION DISTINCT BY NAME SELECT * FROM b ORDER BY 1 DESC"), "2,q / 1,p"),
    ]);
    refuses(&[
        ("SELECT 1 AS a, 2 AS b UNION ALL BY NAME SELECT 3 AS b, 4 AS c", &["PW0411", "`a`"]),
        ("SELECT 1 AS a INNER UNION ALL BY NAME SELECT 2 AS b", &["no column in common"]),
    ]);
}

#[test]
fn tables_are_made_of_other_tables() {
    let setup = "CREATE SCHEMA ds; CREATE TABLE ds.t (id INT64, s STRING NOT NULL); INSERT ds.t VALUES (1, 'a'), (2, 'b');";
    let cases: Vec<(String, &str)> = [
        ("CREATE TABLE ds.u LIKE ds.t; SELECT COUNT(*) AS n FROM ds.u", "0"),
        ("CREATE TABLE ds.u LIKE ds.t AS SELECT 5, 'q'; SELECT * FROM ds.u", "5,q"),
        ("CREATE TABLE ds.u COPY ds.t; SELECT id FROM ds.u ORDER BY id", "1 / 2"),
        ("CREATE SNAPSHOT TABLE ds.u CLONE ds.t; DELETE ds.t WHERE TRUE; SELECT COUNT(*) AS n FROM ds.u", "2"),
        ("CREATE TABLE ds.u (id STRING, n INT64) AS SELECT id, 3 FROM ds.t; SELECT * FROM ds.u ORDER BY id", "1,3 / 2,3"),
        ("CREATE MATERIALIZED VIEW ds.m AS SELECT MAX(id) AS id FROM ds.t; SELECT * FROM ds.m", "2"),
        ("ALTER TABLE ds.t SET OPTIONS (description = 'x', labels = [('a', 'b')]); SELECT COUNT(*) AS n FROM ds.t", "2"),
        ("ALTER TABLE ds.t ALTER COLUMN id SET DEFAULT 7; INSERT ds.t (s) VALUES ('z'); SELECT MAX(id) AS id FROM ds.t", "7"),
        ("ALTER TABLE ds.t ADD PRIMARY KEY (id) NOT ENFORCED; SELECT COUNT(*) AS n FROM ds.t", "2"),
        ("ALTER SCHEMA ds SET OPTIONS (description = 'x'); SELECT 1 AS one", "1"),
        ("DROP MATERIALIZED VIEW IF EXISTS ds.m; DROP SNAPSHOT TABLE IF EXISTS ds.u; SELECT 1 AS one", "1"),
        ("SELECT COUNT(*) AS n FROM ds.t TABLESAMPLE SYSTEM (100 PERCENT)", "2"),
        ("SELECT schema_name FROM INFORMATION_SCHEMA.SCHEMATA", "ds"),
        ("UPDATE ds.t SET id = 3 WHERE id = 2; SELECT @@row_count AS n, @@time_zone AS zone", "1,UTC"),
    ]
    .into_iter()
    .map(|(sql, rows)| (format!("{setup} {sql}"), rows))
    .collect();
    for (sql, rows) in &cases {
        gives(&[(sql, rows)]);
    }
    refuses(&[
        ("ALTER TABLE ds.none SET OPTIONS (description = 'x')", &["none"]),
        ("LOAD DATA INTO ds.t FROM FILES (format = 'CSV', uris = ['gs://x'])", &["PW0412", "LOAD DATA"]),
        ("SELECT * FROM ds.t FOR SYSTEM_TIME AS OF CURRENT_TIMESTAMP()", &["PW0403"]),
    ]);
}

#[test]
fn functions_of_a_dataset_last_as_long_as_the_script() {
    gives(&[
        ("CREATE FUNCTION ds.f(x INT64) AS (x + 1); SELECT ds.f(2) AS y, `ds.f`(3) AS z", "3,4"),
        (
            "CREATE FUNCTION ds.f(x ANY TYPE) AS (x * 2); CREATE OR REPLACE FUNCTION ds.f(x ANY TYPE) AS (x * 3); SELECT ds.f(2) AS y",
            "6",
        ),
        (
            "CREATE FUNCTION ds.f() AS (1); CREATE FUNCTION IF NOT EXISTS ds.f() AS (2); SELECT ds.f() AS y",
            "1",
        ),
    ]);
    refuses(&[
        ("CREATE FUNCTION ds.f() AS (1); CREATE FUNCTION ds.f() AS (2)", &["there already"]),
        ("DROP FUNCTION ds.f", &["no function DS.F"]),
        ("CREATE FUNCTION f() AS (1)", &["needs a dataset"]),
    ]);
}

#[test]
fn structs_inside_of_later_tuples_have_the_names_of_the_first() {
    gives(&[(
        "SELECT o.ok, i.sku, i.qty FROM UNNEST([STRUCT(1 AS ok, [STRUCT('a' AS sku, 2 AS qty)] AS items), \
         (2, [STRUCT('b', 3)]), (3, [('c', 4), ('d', 5)])]) AS o, UNNEST(o.items) AS i ORDER BY 1, 2",
        "1,a,2 / 2,b,3 / 3,c,4 / 3,d,5",
    )]);
}

// The rows are those of Google's reference evaluator, where there is no table.
#[test]
fn fields_of_structs_in_arrays_are_columns() {
    let orders = "CREATE TABLE d.o (id INT64, items ARRAY<STRUCT<sku STRING, price INT64>>); \
                  INSERT INTO d.o VALUES (1, [STRUCT('a', 5), ('b', 7)]), (2, []);";
    for (query, rows) in [
        ("SELECT id, sku FROM d.o CROSS JOIN UNNEST(o.items) WHERE price < 6", "1,a"),
        (
            "SELECT id, (SELECT STRING_AGG(sku ORDER BY sku) FROM UNNEST(items)) FROM d.o ORDER BY id",
            "1,\"a,b\" / 2,",
        ),
        ("SELECT id, items.sku, price FROM d.o, o.items ORDER BY price", "1,a,5 / 1,b,7"),
        (
            "SELECT id, i IS NULL, COUNT(i) FROM d.o LEFT JOIN UNNEST(items) AS i GROUP BY 1, 2 ORDER BY 1",
            "1,false,2 / 2,true,0",
        ),
        (
            "SELECT * EXCEPT (items) FROM d.o, UNNEST(items) AS i WITH OFFSET AS n ORDER BY n",
            "1,a,5,0 / 1,b,7,1",
        ),
        ("SELECT i.* FROM d.o, UNNEST(items) AS i WITH OFFSET ORDER BY offset DESC", "b,7 / a,5"),
        (
            "SELECT ARRAY(SELECT AS STRUCT * EXCEPT (sku) FROM UNNEST(items))[SAFE_OFFSET(1)].price FROM d.o WHERE id = 1",
            "7",
        ),
        ("SELECT id FROM d.o WHERE EXISTS (SELECT 1 FROM UNNEST(items) WHERE sku = 'b')", "1"),
    ] {
        gives(&[(&format!("{orders} {query}"), rows)]);
    }
    for (change, rows) in [
        (
            "UPDATE d.o SET items = ARRAY(SELECT AS STRUCT sku, price * 10 AS price FROM UNNEST(items) WHERE price > 5) WHERE TRUE",
            "1,b,70",
        ),
        ("DELETE FROM d.o WHERE EXISTS (SELECT 1 FROM UNNEST(items) WHERE sku = 'b')", ""),
    ] {
        gives(&[(&format!("{orders} {change}; SELECT id, sku, price FROM d.o, o.items"), rows)]);
    }
    gives(&[
        ("SELECT v FROM (SELECT [1, 2] AS v), UNNEST(v) AS v ORDER BY v DESC", "2 / 1"),
        (
            "SELECT v, COUNT(*) FROM (SELECT [1, 2] AS v) JOIN UNNEST(v) AS v GROUP BY v ORDER BY v",
            "1,1 / 2,1",
        ),
        ("SELECT * FROM UNNEST([STRUCT(1 AS a, 2 AS b)]) AS i WITH OFFSET AS n", "1,2,0"),
        (
            "SELECT t.* FROM (SELECT ARRAY_AGG(o ORDER BY n DESC LIMIT 1)[OFFSET(0)] AS t FROM \
             (SELECT 1 AS id, 5 AS n UNION ALL SELECT 1, 6 UNION ALL SELECT 2, 3) AS o GROUP BY id) ORDER BY id",
            "1,6 / 2,3",
        ),
    ]);
}

#[test]
fn structs_have_a_text_whatever_is_in_them() {
    gives(&[
        (
            "SELECT TO_JSON_STRING(t) FROM (SELECT TIMESTAMP '2020-01-01' AS ts, NUMERIC '1.5' AS n, [1.5, NULL] AS f) AS t",
            r#""{""ts"":""2020-01-01T00:00:00Z"",""n"":""1.5"",""f"":[1.5,null]}""#,
        ),
        ("SELECT TO_JSON_STRING((SELECT AS STRUCT t.*)) FROM (SELECT 1 AS a) AS t", r#""{""a"":1}""#),
        ("SELECT TO_JSON_STRING(STRUCT([1] AS a), TRUE)", r#""{ /   ""a"": [ /     1 /   ] / }""#),
        (
            "SELECT FORMAT('%t', STRUCT(1, 'x')), FORMAT('%T', STRUCT('x')), FORMAT('%T', [NUMERIC '1.5'])",
            r#""(1, x)","STRUCT(""x"")","[NUMERIC ""1.5""]""#,
        ),
        (
            "SELECT FORMAT('%t', INTERVAL 3 DAY), SUM(i) FROM UNNEST([INTERVAL 1 DAY, INTERVAL 2 HOUR]) AS i",
            "0-0 3 0:0:0,0-0 1 2:0:0",
        ),
        ("SELECT TIMESTAMP '2024-03-10 02:30:00 America/New_York'", "2024-03-10T07:30:00+00:00"),
    ]);
}

#[test]
fn changes_say_which_rows_and_tables_have_named_columns() {
    let table = "CREATE TABLE d.t (id INT64, v INT64); INSERT INTO d.t VALUES (1, 1);";
    gives(&[(
        &format!(
            "{table} MERGE d.t USING (SELECT 2 AS a, 3 AS b) AS s ON FALSE WHEN NOT MATCHED THEN INSERT (v, id) ROW; SELECT id, v FROM d.t ORDER BY id"
        ),
        "1,1 / 3,2",
    )]);
    for (sql, says) in [
        ("UPDATE d.t SET v = 1", "UPDATE needs a WHERE"),
        ("DELETE FROM d.t", "DELETE needs a WHERE"),
        ("CREATE TABLE d.u AS SELECT 1 AS a, 2 AS a", "two columns `a`"),
        ("CREATE TABLE d.u AS SELECT 1", "has no name"),
    ] {
        refuses(&[(&format!("{table} {sql}"), &[says])]);
    }
}

// The rows are those of Google's reference evaluator, but for the tables, which it does not have.
#[test]
fn bignumeric_is_a_type_of_columns_and_values() {
    gives(&[
        (
            "CREATE TABLE ds.t (id INT64, b BIGNUMERIC, s STRUCT<x BIGNUMERIC, y INT64>); \
             INSERT INTO ds.t VALUES (1, 1.5, (1, 2)), (2, BIGNUMERIC '12345678901234567890123456789012345678.5', NULL); \
             INSERT INTO ds.t (id, b) SELECT 3, NUMERIC '4'; UPDATE ds.t SET b = id * 2 WHERE id = 3; \
             MERGE ds.t AS t USING (SELECT 4 AS id, 7 AS v) AS u ON t.id = u.id \
             WHEN NOT MATCHED THEN INSERT (id, b) VALUES (u.id, u.v); \
             SELECT t.id, t.b, t.s.x, SUM(t.b) OVER (ORDER BY t.id) FROM ds.t AS t JOIN ds.t AS u USING (b) ORDER BY t.b DESC",
            "2,12345678901234567890123456789012345678.5,,12345678901234567890123456789012345680 / \
             4,7,,12345678901234567890123456789012345693 / 3,6,,12345678901234567890123456789012345686 / 1,1.5,1,1.5",
        ),
        ("SELECT 1 UNION ALL SELECT BIGNUMERIC '2.5'", "1 / 2.5"),
        ("DECLARE b BIGNUMERIC DEFAULT 1.5; SELECT b * b, b IN (1, 1.5), CONCAT(b, 'x')", "2.25,true,1.5x"),
    ]);
    refuses(&[
        ("SELECT SQRT(BIGNUMERIC '2')", &["PW0412", "SQRT of BIGNUMERIC"]),
        ("SELECT BIGNUMERIC '5e38' * 2", &["BIGNUMERIC overflow"]),
        ("SELECT CAST(BIGNUMERIC '99.95' AS BIGNUMERIC(3, 1))", &["BIGNUMERIC overflow"]),
    ]);
}

#[test]
fn fields_of_structs_go_together_by_position() {
    gives(&[
        (
            "SELECT s.a, s.b FROM (SELECT STRUCT(1 AS a, 2 AS b) AS s UNION ALL SELECT STRUCT(3 AS b, 4 AS a)) ORDER BY 1",
            "1,2 / 3,4",
        ),
        (
            "SELECT IF(FALSE, s, t).a, s = t, s IN (SELECT t), t IN UNNEST([s]) \
             FROM (SELECT STRUCT(3 AS a, 4 AS b) AS s, STRUCT(3 AS b, 4 AS a) AS t)",
            "3,true,true,true",
        ),
    ]);
}

#[test]
fn names_in_queries_of_scripts_are_columns_before_they_are_variables() {
    gives(&[
        (
            "DECLARE x INT64 DEFAULT 5; DECLARE y INT64 DEFAULT 1; SELECT x, y FROM UNNEST([1, 2]) AS x WHERE x > y",
            "2,1",
        ),
        (
            "DECLARE n INT64 DEFAULT 2; CREATE TEMP TABLE t AS SELECT n AS k, 1 AS n; SELECT n, k FROM t WHERE k = 2",
            "1,2",
        ),
    ]);
    refuses(&[
        ("DECLARE z INT64; SELECT nope FROM (SELECT 1 AS a)", &["PW0404", "nope"]),
        ("DECLARE z INT64; CREATE TEMP TABLE t AS SELECT 1 AS a, z AS a", &["PW0410"]),
    ]);
}

#[test]
fn aggregates_take_the_rows_of_the_largest_key_and_nulls_as_told() {
    gives(&[
        (
            "SELECT SUM(x HAVING MAX y), COUNT(x HAVING MIN y), AVG(x HAVING MAX y) \
             FROM (SELECT 1 AS x, 2 AS y UNION ALL SELECT 5, 2 UNION ALL SELECT 9, NULL)",
            "6,2,3.0",
        ),
        (
            "SELECT LAST_VALUE(IF(x > 2, NULL, x) IGNORE NULLS) OVER (ORDER BY x ROWS BETWEEN UNBOUNDED PRECEDING AND \
             UNBOUNDED FOLLOWING) FROM UNNEST([1, 2, 3]) AS x LIMIT 1",
            "2",
        ),
    ]);
}
