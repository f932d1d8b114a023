//! Mistakes that other translations of BigQuery's SQL make without a word, each seen on real data.

use duckdb::Connection;
use pipewright::googlesql::duckdb::{DatasetNames, Parameters};
use pipewright::warehouse::duckdb::runtime;
use pipewright::warehouse::duckdb::script::run;
use serde_json::{Value, json};

use super::compare::Engine;
use crate::support::python;

fn rows(sql: &str) -> Vec<Vec<Value>> {
    Engine::new().run(sql).unwrap_or_else(|error| panic!("{sql}: {error}")).rows
}

/// DuckDB counts from 0, BigQuery from 1, and both begin on Sunday: 93 weekend days became 177.
#[test]
fn a_week_goes_from_1_on_sunday_to_7_on_saturday() {
    let days = rows(
        "SELECT EXTRACT(DAYOFWEEK FROM day), FORMAT_DATE('%A', day)
         FROM UNNEST(GENERATE_DATE_ARRAY('2018-08-26', '2018-09-01')) AS day ORDER BY day",
    );
    let names = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
    let expected: Vec<Vec<Value>> =
        names.iter().enumerate().map(|(index, name)| vec![json!(index + 1), json!(name)]).collect();
    assert_eq!(days, expected);
}

/// DuckDB strips blanks only: 140 of 8,225 texts differed, and three flags flipped.
#[test]
fn trim_strips_all_white_space_of_unicode() {
    let spaces = [
        0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x20, 0x85, 0xa0, 0x1680, 0x2000, 0x2001, 0x2002, 0x2003, 0x2004,
        0x2005, 0x2006, 0x2007, 0x2008, 0x2009, 0x200a, 0x2028, 0x2029, 0x202f, 0x205f, 0x3000,
    ];
    for space in spaces {
        let sql = format!("SELECT TRIM(CONCAT(CHR({space}), 'a b', CHR({space}))), TRIM(CHR({space})) = ''");
        assert_eq!(rows(&sql), [[json!("a b"), json!(true)]], "U+{space:04X}");
    }
    // No white space to Unicode.
    for other in [0x200b, 0x2060, 0xfeff] {
        assert_eq!(
            rows(&format!("SELECT LENGTH(TRIM(CONCAT(CHR({other}), 'a')))")),
            [[json!(2)]],
            "U+{other:04X}"
        );
    }
}

/// A bare DECIMAL is DECIMAL(18,3) to DuckDB: what was rounded to three places cannot be found again.
#[test]
fn numeric_keeps_nine_decimals_wherever_it_is_named() {
    let engine = Engine::new();
    for sql in [
        "CREATE TABLE ds.declared (x NUMERIC, y DECIMAL)",
        "INSERT INTO ds.declared (x, y) VALUES (NUMERIC '1.123456789', CAST('2.987654321' AS DECIMAL))",
        "CREATE TABLE ds.computed AS SELECT CAST('0.000000001' AS NUMERIC) AS x, SUM(y) AS y, AVG(x) AS z FROM ds.declared",
    ] {
        engine.run(sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
    }
    let text = |sql: &str| engine.run(sql).expect(sql).rows;
    assert_eq!(
        text("SELECT CAST(x AS STRING), CAST(y AS STRING) FROM ds.declared"),
        [[json!("1.123456789"), json!("2.987654321")]]
    );
    assert_eq!(
        text("SELECT x, y, z FROM ds.computed"),
        [[json!("0.000000001"), json!("2.987654321"), json!("1.123456789")]]
    );
}

/// A TIMESTAMP read from text, and its date, do not depend on who looks: another client with another time zone reads
/// the same from the views in the file.
#[test]
fn timestamps_and_their_dates_are_those_of_utc_in_any_session() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("file.duckdb");
    {
        let connection = Connection::open(&file).expect("a database");
        runtime::install(&connection).expect("the runtime installs");
        let sql = "CREATE SCHEMA ds; CREATE VIEW ds.v AS SELECT
            CAST(DATE(TIMESTAMP(text)) AS STRING) AS day,
            CAST(TIMESTAMP(text) AS STRING) AS told,
            FORMAT_TIMESTAMP('%F %T', CAST(text AS TIMESTAMP)) AS written,
            CAST(EXTRACT(HOUR FROM TIMESTAMP(text)) AS STRING) AS hour,
            CAST(TIMESTAMP_TRUNC(TIMESTAMP(text), DAY) AS STRING) AS start,
            CAST(UNIX_SECONDS(PARSE_TIMESTAMP('%Y-%m-%d %H:%M:%S', text)) AS STRING) AS second
          FROM (SELECT '2018-08-31 23:30:00' AS text)";
        run(&connection, sql, &DatasetNames, &Parameters::default()).expect("a view");
    }
    let program = "
import duckdb, sys
for zone in ['UTC', 'America/Sao_Paulo', 'Asia/Tokyo']:
    connection = duckdb.connect(sys.argv[1], read_only=True)
    connection.execute(f\"SET TimeZone = '{zone}'\")
    print(*connection.execute('SELECT * FROM ds.v').fetchone(), sep='|')
    connection.close()
";
    let outcome = python(program, &[file.to_str().expect("a path")]).succeeds();
    let expected =
        "2018-08-31|2018-08-31 23:30:00+00|2018-08-31 23:30:00|23|2018-08-31 00:00:00+00|1535758200";
    assert_eq!(outcome.stdout.lines().collect::<Vec<_>>(), [expected; 3]);
}

/// DuckDB has no LIMIT in an aggregate, and some translations drop it.
#[test]
fn the_first_of_an_ordered_group_is_one() {
    let sql = "SELECT k, ARRAY_AGG(v ORDER BY v DESC LIMIT 1)[OFFSET(0)], ARRAY_LENGTH(ARRAY_AGG(v ORDER BY v LIMIT 2))
        FROM UNNEST([STRUCT(1 AS k, 5 AS v), (1, 9), (1, 7), (2, 3)]) GROUP BY k ORDER BY k";
    assert_eq!(rows(sql), [[json!(1), json!(9), json!(2)], [json!(2), json!(3), json!(1)]]);
}

/// In the parentheses of a table function, DuckDB takes `v.field` of a lambda's parameter for the text `v.field`.
#[test]
fn arrays_in_from_are_computed_as_elsewhere() {
    for (array, expected) in [
        ("[RANGE(NULL, DATE '2024-01-01')]", json!("[UNBOUNDED, 2024-01-01)")),
        ("ARRAY_SLICE([1, 2, 3], 1, 1)", json!(2)),
        ("[1 << 3]", json!(8)),
        ("[ARRAY_TO_STRING(['a', 'b'], ',')]", json!("a,b")),
    ] {
        assert_eq!(rows(&format!("SELECT x FROM UNNEST({array}) AS x")), [[expected.clone()]], "{array}");
        let sql = format!("SELECT x, place FROM UNNEST({array}) AS x WITH OFFSET AS place");
        assert_eq!(rows(&sql), [[expected.clone(), json!(0)]], "{array}");
        let sql = format!("SELECT x FROM (SELECT 1 AS k) LEFT JOIN UNNEST({array}) AS x");
        assert_eq!(rows(&sql), [[expected]], "{array}");
    }
}
