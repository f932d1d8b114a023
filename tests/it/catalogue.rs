//! Every kind of the catalogue against what somebody worked out by hand, and against plain SQL in another program.
//!
//! `tests/expectations/cases.yaml` has the tables and the cases, and says how they are written.

use std::collections::{BTreeMap, BTreeSet};

use duckdb::Connection;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use pipewright::compile::compile;
use pipewright::{manifest, project::resolve, schema};

use crate::shop::{applied, text};
use crate::support::{Project, python, repository};

const DATABASE: &str = "kinds.duckdb";

#[derive(Deserialize)]
struct Cases {
    tables: BTreeMap<String, String>,
    cases: Vec<Case>,
}

/// An entry, and what it says of each table.
#[derive(Deserialize)]
pub struct Case {
    pub entry: Map<String, Value>,
    pub is: BTreeMap<String, String>,
    #[serde(default)]
    found: BTreeMap<String, String>,
    sql: String,
}

/// What must come out.
#[derive(Debug, Clone, PartialEq)]
enum Expected {
    /// So many bad rows of so many that are looked at.
    Rows { bad: u32, of: u32 },
    /// A verdict, and what is observed.
    Value { holds: bool, value: Option<String> },
}

impl Expected {
    fn read(text: &str) -> Self {
        let (first, rest) = text.split_once(' ').unwrap_or((text, ""));
        match (first, rest.strip_prefix("of ")) {
            ("passed" | "failed", _) => {
                Self::Value { holds: first == "passed", value: (!rest.is_empty()).then(|| rest.to_owned()) }
            }
            (bad, Some(of)) => Self::Rows { bad: bad.parse().expect(text), of: of.parse().expect(text) },
            _ => panic!("{text} is neither `BAD of ALL` nor `passed VALUE`"),
        }
    }

    fn holds(&self) -> bool {
        match self {
            Self::Rows { bad, .. } => *bad == 0,
            Self::Value { holds, .. } => *holds,
        }
    }
}

const KEPT: &str = "id <> 8";

/// An expectation of the project, and what must come of it.
struct Put {
    name: String,
    table: &'static str,
    entry: Map<String, Value>,
    holds: bool,
    expected: Expected,
    found: Option<String>,
    /// The same in DuckDB's SQL.
    sql: String,
}

fn cases() -> Cases {
    let file = repository().join("tests/expectations/cases.yaml");
    serde_yaml::from_str(&fs_err::read_to_string(file).expect("the cases")).expect("cases in YAML")
}

/// All that is asked for a case.
fn put(number: usize, case: &Case, kinds: &BTreeMap<String, BTreeSet<String>>) -> Vec<Put> {
    let mut all = Vec::new();
    for (at, table) in
        [("ten", "ten"), ("kept", "ten"), ("clean", "clean"), ("nulls", "nulls"), ("empty", "empty")]
    {
        let Some(is) = case.is.get(at) else { continue };
        let expected = Expected::read(is);
        let found = case.found.get(at).cloned();
        let mut add = |suffix: &str, more: &[(&str, Value)], holds: bool| {
            let mut entry = case.entry.clone();
            let name = format!("c{number}_{at}{suffix}");
            entry.insert("name".to_owned(), json!(name));
            entry.insert("severity".to_owned(), json!("warning"));
            let mut of = format!("raw.{table}");
            if at == "kept" {
                entry.insert("where".to_owned(), json!(KEPT));
                of = format!("(SELECT * FROM {of} WHERE {KEPT})");
            }
            entry.extend(more.iter().map(|(key, value)| ((*key).to_owned(), value.clone())));
            let (expected, found) = (expected.clone(), found.clone());
            all.push(Put { name, table, entry, holds, expected, found, sql: case.sql.replace("{t}", &of) });
        };
        add("", &[], expected.holds());
        let Expected::Rows { bad, of } = expected else { continue };
        let tolerates = &kinds[case.entry["expect"].as_str().expect("a kind")];
        if bad == 0 || at != "ten" || case.entry.contains_key("group_by") {
            continue;
        }
        if tolerates.contains("allowed") {
            add("_allowed", &[("allowed", json!(bad))], true);
            add("_not_allowed", &[("allowed", json!(bad - 1))], false);
        }
        if tolerates.contains("mostly") {
            let share = f64::from(of - bad) / f64::from(of);
            add("_mostly", &[("mostly", json!(share))], true);
            add("_not_mostly", &[("mostly", json!((share + 0.001).min(1.0)))], false);
        }
    }
    all
}

fn all(cases: &Cases) -> Vec<Put> {
    let kinds = kinds();
    cases.cases.iter().enumerate().flat_map(|(number, case)| put(number, case, &kinds)).collect()
}

/// The kinds of the catalogue, under our names, with the keys that each has.
pub fn kinds() -> BTreeMap<String, BTreeSet<String>> {
    let schema = schema::schema(schema::Kind::Expectations);
    let all =
        schema["$defs"]["ExpectationSpec"]["oneOf"].as_array().expect("kinds").iter().filter_map(|kind| {
            let keys = kind["properties"].as_object().expect("properties").keys().cloned().collect();
            // Other tools' names are patterns.
            Some((kind["properties"]["expect"]["const"].as_str()?.to_owned(), keys))
        });
    all.collect()
}

/// Keys with a type for each, so that every kind has a column that suits it.
const TYPES: [(&str, &str); 14] = [
    ("id", "INT64"),
    ("n", "INT64"),
    ("m", "INT64"),
    ("w", "INT64"),
    ("price", "NUMERIC"),
    ("ratio", "FLOAT64"),
    ("d", "DATE"),
    ("ts", "TIMESTAMP"),
    ("lo", "DATE"),
    ("hi", "DATE"),
    ("a", "INT64"),
    ("b", "INT64"),
    ("one", "INT64"),
    ("rare", "INT64"),
];

/// Columns that are numbers as well; all others are texts.
const NUMBERS: [&str; 3] = ["c", "inv", "t"];

/// The tables of the cases, each a load, with what must hold of each.
fn project(cases: &Cases, put: &[Put]) -> Project {
    let header = &cases.tables["header"];
    let columns: Map<String, Value> = header
        .split(',')
        .map(|name| {
            let known = TYPES.iter().find(|(column, _)| *column == name).map(|(_, data_type)| *data_type);
            let data_type = known.unwrap_or(if NUMBERS.contains(&name) { "INT64" } else { "STRING" });
            (name.to_owned(), json!({ "type": data_type }))
        })
        .collect();
    let mut sources =
        String::from("sources:\n  known: { files: data/known.csv, columns: { code: { type: STRING } } }\n");
    let project = Project::of(&[
        (
            "pipeline.yaml",
            "name: kinds\ntargets: { local: { type: duckdb, path: kinds.duckdb }, bigquery: { type: bigquery, project: p } }\n\
             default_target: local\ndatasets: { raw: {} }\ndefaults: { sources: { dataset: raw } }\n\
             include: { sources: [s.yaml], expectations: [e.yaml] }\n",
        ),
        ("data/known.csv", "code\nk1\nk2\nk3\nk4\nk5\nk6\nk7\nk8\nk9\n"),
    ]);
    for table in ["ten", "clean", "nulls", "empty", "again"] {
        let rows = &cases.tables[if table == "again" { "clean" } else { table }];
        project.write(&format!("data/{table}.csv"), &format!("{header}\n{rows}"));
        let source = json!({
            "files": format!("data/{table}.csv"), "columns": columns, "format": { "type": "csv", "null_markers": ["NULL"] },
            "max_shrink": 1.0,
        });
        sources.push_str(&format!("  {table}: {source}\n"));
    }
    project.write("s.yaml", &sources);
    let mut suites = String::from("suites:\n");
    let tables: BTreeSet<&str> = put.iter().map(|one| one.table).collect();
    for table in tables {
        suites.push_str(&format!("  {table}:\n    expectations:\n"));
        for one in put.iter().filter(|one| one.table == table) {
            suites.push_str(&format!("      - {}\n", json!(one.entry)));
        }
    }
    project.write("e.yaml", &suites);
    project
}

/// The project with each entry of the cases about one table, with and without `where`. What else is put to the other
/// tables has the same SQL.
pub fn project_of_all_cases() -> Project {
    let cases = cases();
    let mut put = all(&cases);
    put.retain(|one| one.name.ends_with("_ten") || one.name.ends_with("_kept"));
    project(&cases, &put)
}

/// The first case of each kind.
pub fn first_cases() -> BTreeMap<String, Case> {
    let mut first = BTreeMap::new();
    for case in cases().cases {
        first.entry(text(&case.entry["expect"])).or_insert(case);
    }
    first
}

/// A project with the first case of a kind alone.
pub fn project_of(kind: &str) -> Project {
    let cases = cases();
    let mut put = all(&cases);
    put.retain(|one| one.entry["expect"] == kind && one.table == "clean");
    put.truncate(1);
    project(&cases, &put)
}

/// What was told of each expectation, by the name of its entry.
fn checks(steps: &BTreeMap<String, Value>) -> BTreeMap<String, Value> {
    let all = steps.values().flat_map(|step| step["checks"].as_array().cloned().unwrap_or_default());
    all.map(|check| (text(&check["address"]).rsplit('.').next().expect("a name").to_owned(), check)).collect()
}

/// The one value of each query, as another DuckDB client reads it, as text.
fn asked(project: &Project, queries: &[&str]) -> Vec<String> {
    let program = "import duckdb, json, sys\n\
        connection = duckdb.connect(sys.argv[1], read_only=True)\n\
        connection.execute(\"SET TimeZone = 'UTC'\")\n\
        queries = json.load(open(sys.argv[2], encoding='utf-8'))\n\
        ask = lambda sql: connection.execute(f'SELECT CAST(({sql}) AS VARCHAR)').fetchone()[0]\n\
        print(json.dumps(['NULL' if value is None else value for value in map(ask, queries)]))";
    project.write("asked.json", &json!(queries).to_string());
    let paths = [DATABASE, "asked.json"].map(|name| project.path().join(name).display().to_string());
    let told = python(program, &[&paths[0], &paths[1]]).succeeds().json();
    told.as_array().expect("values").iter().map(text).collect()
}

/// Whether two values are the same, numbers as far as they are written.
fn same(one: &str, other: &str) -> bool {
    match (one.parse::<f64>(), other.parse::<f64>()) {
        (Ok(one), Ok(other)) => (one - other).abs() < 1e-6,
        _ => one == other,
    }
}

/// What is wrong with what came of an expectation.
fn complaint(one: &Put, check: &Value, independent: &str) -> Option<String> {
    let (told, found) = (&check["verdict"], text(&check["found"]));
    let mut wrong = Vec::new();
    if *told != json!(if one.holds { "passed" } else { "warned" }) {
        wrong.push(format!("it should {}", if one.holds { "hold" } else { "fail" }));
    }
    match &one.expected {
        Expected::Rows { bad, of } => {
            if [&check["failing"], &check["checked"]] != [&json!(bad), &json!(of)] {
                wrong.push(format!("{bad} of {of} were expected"));
            }
            if independent != bad.to_string() {
                wrong.push(format!("DuckDB says {independent}, {bad} is written"));
            }
        }
        Expected::Value { holds, value: None } => {
            if (independent == "true") != *holds {
                wrong.push(format!("DuckDB says {independent}"));
            }
        }
        Expected::Value { value: Some(value), .. } => {
            let observed = found.split_once(" is ").and_then(|(_, rest)| rest.split_once(", expected"));
            if !observed.is_some_and(|(observed, _)| same(observed, value)) {
                wrong.push(format!("{value} was expected"));
            }
            if !same(independent, value) {
                wrong.push(format!("DuckDB says {independent}, {value} is written"));
            }
        }
    }
    if let Some(words) = one.found.as_ref().filter(|words| !found.contains(*words)) {
        wrong.push(format!("`{words}` was expected"));
    }
    if wrong.is_empty() {
        return None;
    }
    Some(format!("{} {}\n  told {check}\n  {}", one.name, json!(one.entry), wrong.join("; ")))
}

#[test]
fn every_kind_says_what_is_worked_out_by_hand() {
    let cases = cases();
    let put = all(&cases);
    let project = project(&cases, &put);
    let steps = applied(&project.run(&["apply", "--json"]).succeeds());
    let checks = checks(&steps);
    let queries: Vec<&str> = put.iter().map(|one| one.sql.as_str()).collect();
    let told = asked(&project, &queries);
    let wrong: Vec<String> = put
        .iter()
        .zip(&told)
        .filter_map(|(one, told)| match checks.get(&one.name) {
            Some(check) => complaint(one, check, told),
            None => Some(format!("{} was not checked", one.name)),
        })
        .collect();
    assert!(wrong.is_empty(), "{} of {} are wrong:\n{}", wrong.len(), put.len(), wrong.join("\n"));
    assert_eq!(checks.len(), put.len(), "others were checked too");
}

/// Kinds that cannot fail on a first run: the table is there, and there is nothing to compare with.
const NEVER_FAIL_AT_FIRST: [&str; 3] = ["exists", "schema_unchanged", "volume_change"];

#[test]
fn every_kind_has_cases_on_both_sides() {
    let cases = cases();
    let put = all(&cases);
    let mut wrong = Vec::new();
    let kinds = kinds();
    assert!(kinds.len() >= 54, "the catalogue is not read: {kinds:?}");
    for (kind, keys) in &kinds {
        let of_kind: Vec<&Put> = put.iter().filter(|one| one.entry["expect"] == **kind).collect();
        let mut must = |what: &str, is: &dyn Fn(&Put) -> bool| {
            if !of_kind.iter().any(|one| is(one)) {
                wrong.push(format!("{kind} has no case {what}"));
            }
        };
        must("that holds", &|one| one.holds);
        if !NEVER_FAIL_AT_FIRST.contains(&kind.as_str()) {
            must("that fails", &|one| !one.holds);
        }
        must("on NULL", &|one| one.table == "nulls");
        must("on an empty table", &|one| one.table == "empty");
        for key in ["where", "mostly", "allowed", "group_by"] {
            if keys.contains(key) && !(key == "group_by" && PARTLY_GROUPED.contains(&kind.as_str())) {
                must(&format!("with {key}"), &|one| one.entry.contains_key(key));
            }
        }
        if keys.contains("allowed") {
            must("with one bad row too many", &|one| one.name.ends_with("_not_allowed"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Kinds whose groups come about as those of others do, so that cases of those speak for them.
const PARTLY_GROUPED: [&str; 7] =
    ["min", "max", "sum", "stdev", "distinct_count", "unique_share", "most_common"];

#[test]
fn changes_since_the_last_run_are_noticed() {
    let project = Project::of(&[
        (
            "pipeline.yaml",
            "name: kinds\ntargets: { local: { type: duckdb, path: kinds.duckdb } }\ndatasets: { raw: {} }\n\
             defaults: { sources: { dataset: raw } }\ninclude: { sources: [s.yaml], expectations: [e.yaml] }\n",
        ),
        (
            "e.yaml",
            "suites:\n  t:\n    expectations:\n\
             \x20     - { expect: volume_change, name: half, max_drop: 0.5, max_growth: 1.0, severity: warning }\n\
             \x20     - { expect: volume_change, name: tenth, max_drop: 0.1, max_growth: 0.1, severity: warning }\n\
             \x20     - { expect: schema_unchanged, name: same, severity: warning }\n\
             \x20     - { expect: schema_unchanged, name: more, allow: [add], severity: warning }\n",
        ),
    ]);
    let load = |rows: usize, columns: &str| {
        project.write(
            "s.yaml",
            &format!("sources: {{ t: {{ files: t.csv, max_shrink: 1.0, columns: {{ {columns} }} }} }}\n"),
        );
        let header: Vec<&str> = columns.split(", ").filter_map(|column| column.split(':').next()).collect();
        let row = format!("{}\n", vec!["1"; header.len()].join(","));
        project.write("t.csv", &format!("{}\n{}", header.join(","), row.repeat(rows)));
        let checks = checks(&applied(&project.run(&["apply", "--json"]).succeeds()));
        ["half", "tenth", "same", "more"].map(|name| checks[name]["verdict"] == "passed")
    };
    let both = "a: { type: INT64 }, b: { type: INT64 }";
    assert_eq!(load(10, both), [true, true, true, true], "at first there is nothing to compare with");
    assert_eq!(load(5, both), [true, false, true, true]);
    assert_eq!(load(10, both), [true, false, true, true]);
    assert_eq!(load(11, both), [true, true, true, true]);
    assert_eq!(load(5, both), [false, false, true, true], "6 of 11 are gone");
    assert_eq!(load(11, both), [false, false, true, true], "6 have come to 5");
    assert_eq!(load(11, "a: { type: INT64 }, b: { type: STRING }"), [true, true, false, false]);
    assert_eq!(
        load(11, "a: { type: INT64 }, b: { type: STRING }, c: { type: INT64 }"),
        [true, true, false, true]
    );
    assert_eq!(load(11, "a: { type: INT64 }, b: { type: STRING }"), [true, true, false, false]);
}

/// How often the queries read tables, by DuckDB's own profile.
fn scans(database: &Connection, sql: &str, table: &str) -> usize {
    let explained: String = database
        .query_row(&format!("EXPLAIN (ANALYZE, FORMAT json) {sql}"), [], |row| row.get(1))
        .unwrap_or_else(|error| panic!("{error}: {sql}"));
    let plan: Value = serde_json::from_str(&explained).unwrap_or_else(|error| panic!("{error}: {explained}"));
    let mut found = 0;
    let mut waiting = vec![&plan];
    while let Some(node) = waiting.pop() {
        waiting.extend(["operator", "children"].iter().filter_map(|key| node[*key].as_array()).flatten());
        let read = &node["extra_info"]["Table"];
        found += usize::from(read.as_str().is_some_and(|read| read.rsplit('.').next() == Some(table)));
    }
    found
}

#[test]
fn twenty_checks_of_a_table_read_it_twice_at_most() {
    let cases = cases();
    let mut put = all(&cases);
    let kinds = [
        "not_null",
        "unique",
        "accepted_values",
        "between",
        "regex",
        "length",
        "date_format",
        "increasing",
        "sequential",
        "z_score",
        "min",
        "mean",
        "median",
        "quantiles",
        "distinct_values",
        "most_common",
        "not_constant",
        "expression",
        "equal",
        "row_count",
        "freshness",
        "volume_change",
        "json_schema",
    ];
    put.retain(|one| {
        one.table == "ten" && !one.entry.contains_key("equals") && !one.entry.contains_key("fewer_than")
    });
    put.retain(|one| kinds.iter().any(|kind| one.entry["expect"] == *kind));
    assert!(put.len() >= 20 && put.iter().any(|one| one.entry.contains_key("group_by")));
    let project = project(&cases, &put);
    project.run(&["apply"]).succeeds();
    let environment = BTreeMap::<String, String>::new();
    let raw = manifest::load(project.path(), &environment).expect("a manifest");
    let (compiled, _) = compile(resolve(raw).expect("a project").0, "local").expect("it compiles");
    let address = compiled.nodes["ten"].address.clone();
    let audit = compiled.audit_of_published(&address).expect("an audit");
    let database = Connection::open(project.path().join(DATABASE)).expect("the database");
    let each: Vec<usize> = audit.queries.iter().map(|query| scans(&database, &query.sql, "ten")).collect();
    assert_eq!(each, [1, 1], "one scan for rows and one for groups");
    // The count sees a scan where there is one more.
    assert_eq!(scans(&database, "SELECT count(*) FROM raw.ten AS a CROSS JOIN raw.ten AS b", "ten"), 2);
}
