//! `query`: what is wrong with a query is told as it is of a model, and what would run is never refused.

use crate::shop::{built, by_hand};
use crate::support::{Outcome, Project};

fn ephemeral(sql: &str) -> Outcome {
    Project::empty().run(&["query", "--ephemeral", "--format", "csv", sql])
}

#[track_caller]
fn refused(outcome: Outcome, says: &[&str]) {
    let outcome = outcome.ends_with(1);
    for text in says {
        assert!(outcome.stderr.contains(text), "`{text}` is missing\n{outcome}");
    }
}

#[test]
fn faults_have_the_code_the_place_and_the_advice_that_a_model_gets() {
    let project = built();
    let cases: [(&str, &[&str]); 7] = [
        ("SELECT DATEADD(DAY, 1, day) FROM raw.orders", &["PW0406", "query:1:8", "DATE_ADD"]),
        ("SELECT NVL(product, '') FROM raw.orders", &["PW0406", "query:1:8", "COALESCE"]),
        ("SELECT id,\n  produkt\nFROM raw.orders", &["PW0404", "query:2:3", "did you mean `product`?"]),
        ("SELECT id FROM raw.order", &["PW0403", "query:1:16", "did you mean `raw.orders`?"]),
        ("SELECT id FROM orders", &["PW0403", "did you mean `raw.orders`?"]),
        ("SELECT day + '1' FROM raw.orders", &["PW0407"]),
        ("SELECT revenu FROM marts.daily_sales", &["PW0404", "did you mean `revenue`?"]),
    ];
    for (sql, says) in cases {
        refused(project.run(&["query", sql]), says);
    }
    // The same query as a model has the same code and the same advice.
    project
        .write("models/catalogue.sql", "SELECT NVL(product, '') AS product FROM {{ source('products') }}\n");
    refused(project.run(&["validate"]), &["PW0406", "COALESCE"]);
}

#[test]
fn all_faults_of_queries_side_by_side_are_told_before_one_runs() {
    let outcome = ephemeral("SELECT NVL(1, 2);\nSELECT 1 AS x;\nSELECT y FROM (SELECT 1 AS x)");
    assert_eq!(outcome.stdout, "");
    refused(outcome, &["query:1:8", "query:3:8"]);
}

#[test]
fn a_query_sees_what_the_statements_before_it_made() {
    let script = "CREATE SCHEMA d; CREATE TABLE d.t (a INT64);
        INSERT INTO d.t (a) VALUES (1), (2); CREATE VIEW d.v AS SELECT a * 2 AS b FROM d.t;
        ALTER TABLE d.t RENAME COLUMN a TO c; DROP VIEW d.v; CREATE VIEW d.v AS SELECT SUM(c) AS b FROM d.t;";
    let sum = ephemeral(&format!("{script} SELECT b FROM d.v")).succeeds();
    assert_eq!(sum.stdout, "b\n3\n");
    refused(ephemeral(&format!("{script} SELECT a FROM d.t")), &["PW0404", "query:3:117", "`a`"]);
    refused(ephemeral(&format!("{script} CREATE TABLE d.w AS SELECT b, c FROM d.v")), &["PW0404", "`c`"]);
    refused(
        ephemeral(&format!("{script} INSERT INTO d.t SELECT NVL(b, 1) FROM d.v")),
        &["PW0406", "COALESCE"],
    );
}

#[test]
fn tables_that_nothing_is_known_of_are_no_false_alarm() {
    let project = built();
    by_hand(
        &project,
        "CREATE TABLE marts.strange AS SELECT MAP {'a': 1} AS pairs, 1::HUGEINT AS large, 'x'::ENUM ('x') AS kind, \
         uuid() AS id, {'a': 1} AS parts, [1, 2] AS items",
    );
    let rows = |sql: &str| project.run(&["query", "--format", "csv", sql]).succeeds().stdout;
    assert_eq!(rows("SELECT COUNT(*) AS n FROM Marts.STRANGE WHERE id IS NOT NULL"), "n\n1\n");
    assert_eq!(rows("SELECT CAST(large AS INT64) AS n, kind = 'x' AS x FROM marts.strange"), "n,x\n1,true\n");
    assert_eq!(rows("SELECT parts.a, item FROM marts.strange AS s, s.items AS item"), "a,item\n1,1\n1,2\n");
    assert_eq!(rows("SELECT COUNT(*) AS n FROM pipewright.runs WHERE status = 'done'"), "n\n1\n");
    // A view of something that is gone is there; what is wrong with it, the engine tells.
    by_hand(&project, "CREATE VIEW marts.broken AS SELECT * FROM marts.strange");
    by_hand(&project, "DROP TABLE marts.strange");
    let broken = project.run(&["query", "SELECT id FROM marts.broken"]).ends_with(1);
    assert!(broken.stderr.contains("strange") && !broken.stderr.contains("PW0403"), "{broken}");
}

#[test]
fn what_is_remembered_of_a_target_can_be_read() {
    let project = built();
    for (table, least) in [("nodes", 5), ("runs", 1), ("steps", 5), ("expectations", 2), ("meta", 3)] {
        let sql = format!("SELECT * FROM pipewright.{table}");
        let rows = project.run(&["query", "--format", "json", &sql]).succeeds().json();
        assert_eq!(rows["rows"].as_array().map(Vec::len), Some(least), "{table}");
    }
}

#[test]
fn temporary_tables_go_by_their_name() {
    let cases = [
        ("CREATE TEMP TABLE t AS SELECT 1 AS a; SELECT * FROM t", "a\n1\n"),
        (
            "CREATE TEMPORARY TABLE t (a INT64); INSERT INTO t (a) VALUES (1), (2); SELECT a FROM T ORDER BY a",
            "a\n1\n2\n",
        ),
        (
            "CREATE TEMP TABLE t (a INT64, b STRING); INSERT t VALUES (1, 'x'), (2, 'y'); UPDATE t SET b = 'z' WHERE a = 1; DELETE FROM t WHERE a = 2; SELECT a, b FROM t",
            "a,b\n1,z\n",
        ),
        (
            "CREATE TEMP TABLE t AS SELECT 1 AS a; CREATE OR REPLACE TEMP TABLE t AS SELECT a + 1 AS b FROM t; SELECT b FROM _SESSION.t",
            "b\n2\n",
        ),
        (
            "CREATE TEMP TABLE t AS SELECT 1 AS a; CREATE TEMP TABLE u AS SELECT a, 2 AS b FROM t; SELECT t.a, u.b FROM t JOIN u USING (a)",
            "a,b\n1,2\n",
        ),
        (
            "CREATE TEMP TABLE t AS SELECT 1 AS a; MERGE t USING (SELECT 1 AS a) AS s ON t.a = s.a WHEN MATCHED THEN UPDATE SET a = 5; SELECT a FROM t",
            "a\n5\n",
        ),
        ("CREATE TEMP TABLE t AS SELECT 1 AS a; WITH t AS (SELECT 7 AS a) SELECT a FROM t", "a\n7\n"),
        (
            "CREATE TEMP TABLE t AS SELECT 1 AS a; TRUNCATE TABLE t; DROP TABLE t; CREATE TEMP TABLE IF NOT EXISTS t AS SELECT 3 AS a; SELECT a FROM t",
            "a\n3\n",
        ),
    ];
    for (script, rows) in cases {
        let outcome = ephemeral(script).succeeds();
        assert_eq!(outcome.stdout, rows, "{script}");
    }
    refused(ephemeral("CREATE TEMP TABLE t AS SELECT 1 AS a; SELECT b FROM t"), &["PW0404", "query:1:46"]);
    refused(ephemeral("CREATE TEMP TABLE t AS SELECT 1 AS a; DROP TABLE t; SELECT a FROM t"), &["PW0403"]);
    refused(ephemeral("CREATE TEMP TABLE d.t AS SELECT 1 AS a"), &["PW0414", "stands alone"]);
    refused(ephemeral("CREATE TABLE t (a INT64)"), &["PW0403", "dataset"]);
}

#[test]
fn temporary_tables_leave_a_target_as_it_is() {
    let project = built();
    let lock = fs_err::read_to_string(project.path().join("shop.duckdb.lock")).unwrap();
    let script = "CREATE TEMP TABLE t AS SELECT id FROM raw.orders; INSERT INTO t (id) VALUES (9); SELECT SUM(id) AS s FROM t";
    assert_eq!(project.run(&["query", "--format", "csv", script]).succeeds().stdout, "s\n15\n");
    assert_eq!(fs_err::read_to_string(project.path().join("shop.duckdb.lock")).unwrap(), lock);
    refused(project.run(&["query", "SELECT * FROM t"]), &["PW0403"]);
}

#[test]
fn variables_of_scripts_stand_where_no_column_has_their_name() {
    let cases = [
        ("DECLARE x INT64 DEFAULT 0; WHILE x < 3 DO SET x = x + 1; END WHILE; SELECT x AS n", "n\n3\n"),
        ("DECLARE x STRING; SET x = (SELECT 'abc'); SELECT UPPER(x) AS u", "u\nABC\n"),
        ("DECLARE a, b INT64 DEFAULT 2; SET (a, b) = (b + 1, a + 5); SELECT a, b", "a,b\n3,7\n"),
        // A column goes before a variable of its name, an alias too.
        ("DECLARE x INT64 DEFAULT 9; SELECT x FROM (SELECT 1 AS x)", "x\n1\n"),
        ("DECLARE x INT64 DEFAULT 9; SELECT v.x + x AS s FROM (SELECT 1 AS x) AS v", "s\n2\n"),
        ("DECLARE x INT64 DEFAULT 9; SELECT y + x AS s FROM (SELECT 1 AS y)", "s\n10\n"),
        ("DECLARE x INT64 DEFAULT 9; SELECT x + 1 AS x", "x\n10\n"),
        (
            "DECLARE x INT64 DEFAULT 2; CREATE TEMP TABLE t AS SELECT 1 AS k UNION ALL SELECT 2; DELETE FROM t WHERE k = x; \
             UPDATE t SET k = k + x * 10 WHERE TRUE; INSERT INTO t (k) VALUES (x + 1); SELECT k FROM t ORDER BY k",
            "k\n3\n21\n",
        ),
        (
            "DECLARE x INT64 DEFAULT 7; CREATE TEMP TABLE t AS SELECT 1 AS x, 5 AS k; SELECT k + x AS s FROM t",
            "s\n6\n",
        ),
        ("DECLARE s STRUCT<a INT64, b STRING>; SET s = (1, 'x'); SELECT s.a, s.b", "a,b\n1,x\n"),
        (
            "DECLARE total INT64 DEFAULT 0; FOR r IN (SELECT n FROM UNNEST([1, 2, 3]) AS n) DO SET total = total + r.n; \
             END FOR; IF total > 5 THEN SELECT total AS t; ELSE SELECT -1; END IF",
            "t\n6\n",
        ),
        (
            "DECLARE x INT64; BEGIN SET x = CAST('a' AS INT64); EXCEPTION WHEN ERROR THEN SELECT @@error.message AS m; END",
            "m\nBad int64 value: a\n",
        ),
    ];
    for (script, rows) in cases {
        let outcome = ephemeral(script).succeeds();
        assert_eq!(outcome.stdout, rows, "{script}");
    }
    refused(ephemeral("DECLARE x INT64; DECLARE x STRING"), &["declared twice"]);
    refused(ephemeral("SET y = 1"), &["`y` is not declared"]);
}

#[test]
fn parameters_are_given_on_the_command_line() {
    let run = |parameters: &[&str], sql: &str| {
        let mut words = vec!["query", "--ephemeral", "--format", "csv", sql];
        for parameter in parameters {
            words.extend(["--parameter", parameter]);
        }
        Project::empty().run(&words)
    };
    let rows = |parameters: &[&str], sql: &str| run(parameters, sql).succeeds().stdout;
    assert_eq!(rows(&["n:INT64:42"], "SELECT @n + 0.5 AS x"), "x\n42.5\n");
    assert_eq!(rows(&["s::it's"], "SELECT @s AS s"), "s\nit's\n");
    assert_eq!(rows(&[":INT64:1", ":DATE:2024-02-29"], "SELECT ? AS a, ? AS b"), "a,b\n1,2024-02-29\n");
    assert_eq!(rows(&["ids:ARRAY<INT64>:[3,1]"], "SELECT v FROM UNNEST(@ids) AS v ORDER BY v"), "v\n1\n3\n");
    assert_eq!(
        rows(&["p:STRUCT<name STRING, age INT64>:{\"name\":\"A\",\"age\":3}"], "SELECT @p.name, @p.age"),
        "name,age\nA,3\n"
    );
    assert_eq!(rows(&["n:INT64:NULL"], "SELECT @n IS NULL AS x"), "x\ntrue\n");
    let wrong = run(&["n:INT64:x"], "SELECT @n").ends_with(2);
    assert!(
        wrong.stderr.contains("`x` is no INT64") && wrong.stderr.contains("--parameter n:INT64:5"),
        "{wrong}"
    );
    refused(run(&["n:INT64:1"], "SELECT @m"), &["@m"]);
}

#[test]
fn a_dataset_is_there_with_its_first_table_only_in_an_ephemeral_database() {
    assert_eq!(
        ephemeral("CREATE TABLE ds.t AS SELECT 1 AS a; SELECT a FROM ds.t").succeeds().stdout,
        "a\n1\n"
    );
    let project = built();
    project.run(&["query", "CREATE TABLE elsewhere.t AS SELECT 1 AS a"]).ends_with(1);
    // The rows are those of the last statement, and a table that is made has none.
    assert_eq!(ephemeral("SELECT 1 AS a; CREATE TABLE ds.t (a INT64)").succeeds().stdout, "");
}

#[test]
fn statements_that_change_tables_do_as_in_bigquery() {
    let cases = [
        (
            "CREATE TABLE d.t (id INT64, s STRUCT<a INT64, b STRUCT<c STRING>>, a INT64); \
             INSERT INTO d.t VALUES (1, STRUCT(2, STRUCT('x')), 7); UPDATE d.t SET s.a = 9, id = 4 WHERE id = 1; \
             UPDATE d.t AS q SET q.s.b.c = 'y', q.a = 3 WHERE TRUE; SELECT id, s.a AS sa, s.b.c, a FROM d.t",
            "id,sa,c,a\n4,9,y,3\n",
        ),
        (
            "CREATE TABLE d.t (id INT64, v INT64); INSERT INTO d.t VALUES (1, 1); MERGE d.t AS t \
             USING (SELECT 1 AS id UNION ALL SELECT 2) AS s ON t.id = s.id WHEN MATCHED THEN UPDATE SET t.v = 5 \
             WHEN NOT MATCHED THEN INSERT (id) VALUES (s.id); SELECT id, v FROM d.t ORDER BY id",
            "id,v\n1,5\n2,\n",
        ),
        (
            "CREATE TABLE d.t (id INT64 NOT NULL, b INT64, c INT64); INSERT INTO d.t VALUES (3, 1, 1); \
             ALTER TABLE d.t ADD COLUMN e STRING, DROP COLUMN b, DROP COLUMN c, ALTER COLUMN id DROP NOT NULL, \
             ALTER COLUMN id SET DATA TYPE NUMERIC; INSERT INTO d.t VALUES (NULL, 'x'); SELECT id / 2 AS h, e FROM d.t ORDER BY 1",
            "h,e\n,x\n1.5,\n",
        ),
        (
            "CREATE TABLE d.t (a INT64); BEGIN TRANSACTION; INSERT INTO d.t VALUES (1); ROLLBACK TRANSACTION; \
             BEGIN; INSERT INTO d.t VALUES (2); COMMIT; SELECT a FROM d.t",
            "a\n2\n",
        ),
    ];
    for (script, rows) in cases {
        let outcome = ephemeral(script).succeeds();
        assert_eq!(outcome.stdout, rows, "{script}");
    }
    refused(ephemeral("SELECT ERROR('boom')"), &["ERROR: boom\n"]);
}
