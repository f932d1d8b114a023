//! Spoilt GoogleSQL: whatever the text, it is read, analyzed and translated or refused, and never a panic.
//!
//! `PIPEWRIGHT_FUZZ_SECONDS=600 cargo test --release --test it -- fuzz` goes on for ten minutes with a new seed; a
//! failure prints the text.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::panic::catch_unwind;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use pipewright::googlesql::analyze::{
    Catalog, Options, Parameters, Table, analyze_expression, analyze_query, resolve_dml,
};
use pipewright::googlesql::duckdb::{DatasetNames, translate_expression, translate_statement};
use pipewright::googlesql::{Column, Type, duckdb, parse, script};
use rand::seq::IndexedRandom as _;
use rand::{Rng as _, RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use regex::Regex;
use sqlparser::ast::Statement;

use super::support::repository;

/// How long the run takes that is part of the tests.
const SECONDS: u64 = 5;

/// Any table has these columns.
struct Anything(Vec<Column>);

impl Catalog for Anything {
    fn table(&self, path: &[String]) -> Option<Table<'_>> {
        let name = Cow::Owned(path.join("."));
        (path.len() > 1).then(|| Table { name, columns: Cow::Borrowed(&self.0), open: false })
    }

    fn table_names(&self) -> Vec<String> {
        vec!["ds.t".to_owned()]
    }
}

fn catalog() -> Anything {
    let columns = [
        ("a", "INT64"),
        ("b", "STRING"),
        ("c", "ARRAY<STRUCT<x INT64, y STRING>>"),
        ("d", "DATE"),
        ("j", "JSON"),
        ("s", "STRUCT<a FLOAT64, b NUMERIC>"),
        ("ts", "TIMESTAMP"),
    ];
    Anything(columns.map(|(name, kind)| Column::new(name, Type::parse(kind).expect(kind))).to_vec())
}

/// Texts to start from: what the repository has of GoogleSQL.
fn seeds() -> Vec<String> {
    let mut seeds = Vec::new();
    for line in include_str!("zetasql.txt").lines() {
        seeds.push(format!("SELECT {}", line.split(" => ").next().unwrap_or_default()));
    }
    for line in include_str!("../differential/catalogue.txt").lines() {
        if let Some((_, template)) = line.split_once(": ") {
            seeds.push(format!("SELECT {} FROM ds.t", template.replace(['{', '}', '='], " ")));
        }
    }
    for folder in ["models", "expectations", "dashboards", "src/googlesql/analyze/tests", "examples/language"]
    {
        for entry in walkdir::WalkDir::new(repository().join(folder)).into_iter().flatten() {
            if entry.file_type().is_file() {
                let text = fs_err::read_to_string(entry.path()).expect("a text");
                seeds.extend(text.split("\n\n").map(str::to_owned));
            }
        }
    }
    seeds.extend(
        [
            "DECLARE x, y INT64 DEFAULT 1; SET (x, y) = (1, 2); IF x > 1 THEN SELECT 1; ELSEIF TRUE THEN SELECT y; END IF;",
            "BEGIN SELECT 1/0; EXCEPTION WHEN ERROR THEN SELECT @@error.message; END; LOOP BREAK; END LOOP;",
            "FOR r IN (SELECT 1 AS a) DO SELECT r.a; END FOR; WHILE FALSE DO SELECT 1; END WHILE;",
            "CREATE TEMP FUNCTION f(x INT64) AS (x + 1); SELECT f(f(a)) FROM ds.t; EXECUTE IMMEDIATE 'SELECT ?' USING 1;",
            "MERGE ds.t AS t USING ds.s AS s ON t.a = s.a WHEN MATCHED THEN UPDATE SET a = 1 WHEN NOT MATCHED THEN INSERT ROW",
            "CREATE OR REPLACE TABLE ds.u (a INT64 NOT NULL, b ARRAY<STRUCT<x STRING>>) PARTITION BY DATE(ts) CLUSTER BY a OPTIONS(description='x')",
            "SELECT * FROM ds.t PIVOT(SUM(a) AS s FOR b IN ('x' AS y, 'z')) UNPIVOT(v FOR k IN (a, b))",
            "SELECT a, c[OFFSET(0)].x FROM ds.t, UNNEST(c) AS i WITH OFFSET o QUALIFY ROW_NUMBER() OVER w = 1 WINDOW w AS (PARTITION BY a ORDER BY b)",
        ]
        .map(str::to_owned),
    );
    seeds
}

/// What a text is made of: words, numbers, quoted texts and single signs.
fn pieces(text: &str) -> Vec<&str> {
    static PIECE: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r#"[A-Za-z_@]\w*|\d+(?:\.\d+)?|'[^']*'|"[^"]*"|`[^`]*`|\s+|."#).expect("a pattern")
    });
    PIECE.find_iter(text).map(|found| found.as_str()).collect()
}

const ODD: [&str; 34] = [
    "''",
    "'",
    "\"",
    "`",
    "''' '''",
    "b'\\xff'",
    "r'\\",
    "é😀",
    "\u{0}",
    "(",
    ")",
    "[",
    "]",
    "<",
    ">",
    ">>",
    ",",
    ";",
    ".",
    "@",
    "@@",
    "?",
    "--",
    "/*",
    "9223372036854775808",
    "1e999",
    "0x",
    "NULL",
    "*",
    "UNNEST",
    "STRUCT",
    "CASE",
    "OVER ()",
    "::",
];

/// One text from two others: pieces left out, doubled, swapped, put in, cut.
fn spoilt(seeds: &[String], random: &mut ChaCha8Rng) -> String {
    let one = seeds.choose(random).expect("seeds");
    let other = seeds.choose(random).expect("seeds");
    let mut text: Vec<&str> = pieces(one);
    let more = pieces(other);
    for _ in 0..random.random_range(1..8) {
        let at = random.random_range(0..=text.len());
        let piece = match random.random_range(0..6) {
            0 | 1 => more.choose(random).copied(),
            2 => ODD.choose(random).copied(),
            _ => None,
        };
        match piece {
            Some(piece) => text.insert(at, piece),
            None if at < text.len() => match random.random_range(0..4) {
                0 => drop(text.remove(at)),
                1 => text.insert(at, text[at]),
                2 => {
                    let with = random.random_range(0..text.len());
                    text.swap(at, with);
                }
                _ => {
                    let from = random.random_range(0..=more.len());
                    let to = (from + random.random_range(0..20)).min(more.len());
                    text.splice(at..at, more[from..to].iter().copied());
                }
            },
            None => {}
        }
    }
    if random.random_range(0..20) == 0 {
        text.truncate(random.random_range(0..=text.len()));
    }
    text.concat()
}

/// All that the library does with a text. How far it came.
fn run(text: &str, catalog: &Anything) -> &'static str {
    let mut reached = "refused";
    let _ = script::read(text);
    if let Ok(expression) = parse::expression(text) {
        let _ = analyze_expression(&expression, &catalog.0, &Parameters::new());
        let _ = translate_expression(&expression, &DatasetNames);
        reached = "expression";
    }
    for statement in parse::script(text).unwrap_or_default() {
        reached = "statement";
        let mut resolved = resolve_dml(&statement, catalog, &Parameters::new());
        if let Statement::Query(query) = &statement {
            reached = "query";
            if let Ok(analysis) = analyze_query(query, catalog, &Parameters::new(), Options::default()) {
                reached = "analyzed";
                resolved = analysis.resolved;
            }
        }
        let translated =
            translate_statement(&statement, &DatasetNames, &duckdb::Parameters::default(), &resolved);
        if translated.is_ok() && reached == "analyzed" {
            reached = "translated";
        }
    }
    reached
}

#[test]
fn whatever_the_text_there_is_no_panic() {
    let asked = std::env::var("PIPEWRIGHT_FUZZ_SECONDS").ok();
    let seconds = asked.as_ref().map_or(SECONDS, |seconds| seconds.parse().expect("seconds"));
    // A run that is asked for looks where none has looked; the one of the tests says the same each time.
    let seed = if asked.is_some() { rand::rng().next_u64() } else { 7 };
    let until = Instant::now() + Duration::from_secs(seconds);
    let seeds = seeds();
    assert!(seeds.len() > 1000, "{}", seeds.len());
    let catalog = catalog();
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let (mut texts, mut reached) = (0, BTreeSet::new());
    for seed in &seeds {
        reached.insert(run(seed, &catalog));
    }
    while Instant::now() < until {
        let text = spoilt(&seeds, &mut random);
        let stage = catch_unwind(std::panic::AssertUnwindSafe(|| run(&text, &catalog)));
        assert!(stage.is_ok(), "seed {seed}, text {texts}: {text:?}");
        reached.extend(stage);
        texts += 1;
    }
    println!("{texts} texts, seed {seed}; reached: {reached:?}");
    assert!(reached.contains("translated") && reached.contains("refused"), "{reached:?}");
    assert!(texts > 100, "{texts}");
}
