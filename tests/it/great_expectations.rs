//! The catalogue against Great Expectations, over generated tables: the same entries, under its names, are put to both.
//!
//! Where Great Expectations differs by design, the entry says why and what it is asked instead, or that its numbers are
//! others.

use std::collections::BTreeMap;

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use serde_json::{Map, Value, json};

use crate::shop::{applied, text};
use crate::support::{Project, python_answers};

const TABLES: [&str; 4] = ["clean", "holes", "dirty", "tiny"];

/// Entries under the names of Great Expectations.
const ENTRIES: &str = r#"
- { expect: expect_column_values_to_not_be_null, column: i, mostly: 0.9 }
- { expect: expect_column_values_to_be_null, column: f, mostly: 0.01 }
- { expect: expect_column_values_to_be_unique, column: i }
- { expect: expect_column_values_to_be_unique, column: id }
- { expect: expect_select_column_values_to_be_unique_within_record, column_list: [a, b, i] }
- { expect: expect_column_values_to_be_in_set, column: s, value_set: [red, green], mostly: 0.5 }
- { expect: expect_column_values_to_be_in_set, column: i, value_set: [1, 2, 3] }
- { expect: expect_column_values_to_not_be_in_set, column: s, value_set: [odd one] }
- { expect: expect_column_values_to_be_between, column: i, min_value: 0, max_value: 50 }
- { expect: expect_column_values_to_be_between, column: f, min_value: 0.5, strict_min: true, mostly: 0.3 }
- { expect: expect_column_values_to_match_regex, column: s, regex: "^[a-z]+$" }
- { expect: expect_column_values_to_match_regex_list, column: s, regex_list: ["^r", "n$"] }
- { expect: expect_column_values_to_not_match_regex, column: s, regex: "[ 0-9]" }
- { expect: expect_column_values_to_not_match_regex_list, column: s, regex_list: ["odd", "red"] }
- { expect: expect_column_value_lengths_to_be_between, column: s, min_value: 3, max_value: 5 }
- { expect: expect_column_value_lengths_to_equal, column: s, value: 3, mostly: 0.2 }
- { expect: expect_column_values_to_match_strftime_format, column: day, strftime_format: "%Y-%m-%d" }
- { expect: expect_column_values_to_be_json_parseable, column: js }
- { expect: expect_column_values_to_match_json_schema, column: jv, json_schema: { type: object, required: [x], properties: { x: { type: integer, minimum: 2 } } } }
- { expect: expect_column_min_to_be_between, column: i, min_value: 0 }
- { expect: expect_column_max_to_be_between, column: i, max_value: 50 }
- { expect: expect_column_mean_to_be_between, column: f, min_value: 0, max_value: 0.6 }
- { expect: expect_column_median_to_be_between, column: i, max_value: 25 }
- { expect: expect_column_sum_to_be_between, column: i, max_value: 5000 }
- { expect: expect_column_stdev_to_be_between, column: f, max_value: 0.4 }
- { expect: expect_column_unique_value_count_to_be_between, column: s, min_value: 3, max_value: 4 }
- { expect: expect_column_proportion_of_unique_values_to_be_between, column: i, min_value: 0.2 }
- { expect: expect_column_most_common_value_to_be_in_set, column: s, value_set: [red, green, blue], ties_okay: true }
- { expect: expect_column_distinct_values_to_be_in_set, column: s, value_set: [red, green, blue] }
- { expect: expect_column_distinct_values_to_contain_set, column: s, value_set: [red, green] }
- { expect: expect_column_distinct_values_to_equal_set, column: s, value_set: [red, green, blue] }
- { expect: expect_column_pair_values_to_be_equal, column_A: a, column_B: b }
- { expect: expect_column_pair_values_a_to_be_greater_than_b, column_A: b, column_B: a, or_equal: true }
- { expect: expect_column_pair_values_to_be_in_set, column_A: a, column_B: b, value_pairs_set: [[1, 1], [2, 2], [3, 3]] }
- { expect: expect_multicolumn_sum_to_equal, column_list: [a, b], sum_total: 4 }
- { expect: expect_compound_columns_to_be_unique, column_list: [a, i] }
- { expect: expect_table_row_count_to_be_between, min_value: 10, max_value: 500 }
- { expect: expect_table_row_count_to_equal, value: 200 }
- { expect: expect_table_column_count_to_equal, value: 10 }
- { expect: expect_table_column_count_to_be_between, max_value: 9 }
- { expect: expect_table_columns_to_match_set, column_set: [day, id, i, f, s, js, jv, a, b, only] }
- { expect: expect_table_columns_to_match_ordered_list, column_list: [day, id, i, f, s, js, jv, a, b, only] }
"#;

/// What Great Expectations is told besides, so that it asks the same: name, key and value, why.
///
/// A row with a NULL in one of several columns is skipped here, for it says nothing of them; Great Expectations looks at
/// it unless told otherwise.
const BESIDES: [(&str, &str, &str); 6] = [
    ("expect_column_pair_values_to_be_equal", "ignore_row_if", "either_value_is_missing"),
    ("expect_column_pair_values_a_to_be_greater_than_b", "ignore_row_if", "either_value_is_missing"),
    ("expect_column_pair_values_to_be_in_set", "ignore_row_if", "either_value_is_missing"),
    ("expect_multicolumn_sum_to_equal", "ignore_row_if", "any_value_is_missing"),
    ("expect_compound_columns_to_be_unique", "ignore_row_if", "any_value_is_missing"),
    ("expect_select_column_values_to_be_unique_within_record", "ignore_row_if", "any_value_is_missing"),
];

/// Entries about several columns, of which Great Expectations tells all rows as looked at, those with NULL as well.
fn counts_all_rows(name: &str) -> bool {
    BESIDES.iter().any(|(known, ..)| *known == name)
}

/// Tables by columns; none is NULL.
type Table = Vec<(&'static str, Vec<Value>)>;

fn table(name: &str) -> Table {
    let mut random = ChaCha8Rng::seed_from_u64(name.len() as u64 * 31 + u64::from(name.as_bytes()[0]));
    let rows = if name == "tiny" { 5 } else { 200 };
    let (holes, dirt) = match name {
        "clean" => (0, 0),
        "holes" => (15, 0),
        _ => (10, 7),
    };
    let columns = ["id", "i", "f", "s", "day", "js", "jv", "a", "b", "only"];
    let mut table: Table = columns.iter().map(|column| (*column, Vec::new())).collect();
    for row in 0..rows {
        for (column, values) in &mut table {
            let bad = random.random_range(0..100) < dirt;
            let hole = random.random_range(0..100) < holes && *column != "id";
            let number: i32 = random.random_range(1..=50);
            let small = number % 3 + 1;
            values.push(match *column {
                _ if hole => Value::Null,
                "id" => json!(row),
                "i" => json!(if bad { number * 100 } else { number }),
                "f" => json!(f64::from(number) / if bad { 0.25 } else { 64.0 }),
                "s" if bad => json!("odd one"),
                "s" => json!(["red", "green", "blue"][usize::try_from(small - 1).expect("small")]),
                "day" if bad => json!("2024-02-30"),
                "day" => json!(format!("2024-03-{:02}", number % 28 + 1)),
                "js" if bad => json!("{\"x\": "),
                "js" => json!(format!("{{\"x\": {number}}}")),
                "jv" if bad => json!("{\"y\": 1}"),
                "jv" => json!(format!("{{\"x\": {number}, \"y\": \"z\"}}")),
                "a" | "b" => json!(small),
                _ => json!(1),
            });
        }
    }
    table
}

fn csv(table: &Table) -> String {
    let names: Vec<&str> = table.iter().map(|(name, _)| *name).collect();
    let mut out = names.join(",") + "\n";
    for row in 0..table[0].1.len() {
        let cell = |value: &Value| match value {
            Value::Null => String::new(),
            Value::String(text) => format!("\"{}\"", text.replace('"', "\"\"")),
            other => other.to_string(),
        };
        let cells: Vec<String> = table.iter().map(|(_, values)| cell(&values[row])).collect();
        out.push_str(&(cells.join(",") + "\n"));
    }
    out
}

/// `expect_column_values_to_be_null` as a class.
fn class(name: &str) -> String {
    name.split('_')
        .map(|word| {
            let (first, rest) = word.split_at(1);
            first.to_uppercase() + rest
        })
        .collect()
}

/// The tables as sources with all entries about each; their names are made from their places.
fn project(tables: &BTreeMap<&str, Table>, entries: &[Map<String, Value>]) -> Project {
    let project = Project::of(&[(
        "pipeline.yaml",
        "name: both\ntargets: { local: { type: duckdb, path: both.duckdb } }\ndatasets: { raw: {} }\n\
         defaults: { sources: { dataset: raw } }\ninclude: { sources: [s.yaml], expectations: [e.yaml] }\n",
    )]);
    let (mut sources, mut suites) = (String::from("sources:\n"), String::from("suites:\n"));
    for (name, table) in tables {
        project.write(&format!("data/{name}.csv"), &csv(table));
        let columns: Map<String, Value> = table
            .iter()
            .map(|(column, _)| {
                let data_type = match *column {
                    "f" => "FLOAT64",
                    "s" | "day" | "js" | "jv" => "STRING",
                    _ => "INT64",
                };
                ((*column).to_owned(), json!({ "type": data_type }))
            })
            .collect();
        sources.push_str(&format!(
            "  {name}: {}\n",
            json!({"files": format!("data/{name}.csv"), "columns": columns})
        ));
        suites.push_str(&format!("  {name}:\n    expectations:\n"));
        for (index, entry) in entries.iter().enumerate() {
            let mut entry = entry.clone();
            entry.insert("name".to_owned(), json!(format!("e{index}_{name}")));
            entry.insert("severity".to_owned(), json!("warning"));
            suites.push_str(&format!("      - {}\n", json!(entry)));
        }
    }
    project.write("s.yaml", &sources);
    project.write("e.yaml", &suites);
    project
}

/// The number that was observed, where one is told.
fn observed(found: &str) -> Option<f64> {
    let value = match found.split_once(" is ") {
        Some((_, rest)) => rest.split_once(", expected")?.0,
        None => found.strip_suffix(" rows").or_else(|| found.strip_suffix(" columns"))?,
    };
    value.replace(',', "").parse().ok()
}

fn complaint(name: &str, ours: &Value, theirs: &Value) -> Option<String> {
    if theirs.get("error").is_some() {
        return Some("it has no answer".to_owned());
    }
    if (ours["verdict"] == "passed") != (theirs["success"] == true) {
        return Some("the verdicts differ".to_owned());
    }
    if let Some(values) = name.strip_prefix("expect_column_distinct_values_") {
        // It tells how many values are not listed; here those that are listed and missing count too.
        let unlisted = theirs["unexpected"].as_f64();
        let differ = values == "to_be_in_set" && unlisted != observed(&text(&ours["found"]));
        return differ.then(|| "the numbers of values differ".to_owned());
    }
    if let Some(unexpected) = theirs.get("unexpected") {
        let rows = counts_all_rows(name) || ours["checked"] == theirs["checked"];
        return (*unexpected != ours["failing"] || !rows).then(|| "the rows differ".to_owned());
    }
    let number = theirs["observed"].as_f64()?;
    // What is not a number is compared by its verdict: the values that occur, the names of columns.
    let ours = observed(&text(&ours["found"]))?;
    ((ours - number).abs() > 1e-9 * number.abs().max(1.0)).then(|| "the values differ".to_owned())
}

#[test]
fn great_expectations_says_the_same() {
    let entries: Vec<Map<String, Value>> = serde_yaml::from_str(ENTRIES).expect("entries");
    let tables: BTreeMap<&str, Table> = TABLES.iter().map(|name| (*name, table(name))).collect();
    let project = project(&tables, &entries);
    let steps = applied(&project.run(&["apply", "--json"]).succeeds());
    let mut ours: BTreeMap<String, Value> = BTreeMap::new();
    for check in steps.values().flat_map(|step| step["checks"].as_array().expect("checks")) {
        let name = text(&check["address"]);
        ours.insert(name.rsplit('.').next().expect("a name").to_owned(), check.clone());
    }
    let mut questions = Vec::new();
    for table in tables.keys() {
        for entry in &entries {
            let mut arguments = entry.clone();
            let name = text(&arguments.remove("expect").expect("a name"));
            for (_, key, value) in BESIDES.iter().filter(|(known, ..)| *known == name) {
                arguments.insert((*key).to_owned(), json!(value));
            }
            questions.push(json!({"table": table, "kind": class(&name), "arguments": arguments}));
        }
    }
    let columns: BTreeMap<&str, Map<String, Value>> = tables
        .iter()
        .map(|(name, table)| {
            (*name, table.iter().map(|(column, values)| ((*column).to_owned(), json!(values))).collect())
        })
        .collect();
    let asked = json!({"tables": columns, "questions": questions, "times": []});
    let theirs: Vec<Value> =
        serde_json::from_str(&python_answers("tests/expectations/gx.py", &asked.to_string()))
            .expect("answers");
    assert_eq!(theirs.len(), questions.len());
    let mut wrong = Vec::new();
    let (mut failing, mut holding) = (0, 0);
    for (at, answer) in theirs.iter().enumerate() {
        let (table, entry) = (at / entries.len(), at % entries.len());
        let table = tables.keys().nth(table).expect("a table");
        let check = &ours[&format!("e{entry}_{table}")];
        *(if answer["success"] == true { &mut holding } else { &mut failing }) += 1;
        if let Some(why) = complaint(&text(&entries[entry]["expect"]), check, answer) {
            wrong
                .push(format!("{table}: {why}: {}\n  here {check}\n  there {answer}", json!(entries[entry])));
        }
    }
    assert!(wrong.is_empty(), "{} of {} differ:\n{}", wrong.len(), theirs.len(), wrong.join("\n"));
    assert!(failing > 30 && holding > 30, "both sides are compared: {failing} fail, {holding} hold");

    // A difference is seen where there is one.
    let told = json!({"verdict": "passed", "failing": 1, "checked": 9, "found": "the mean of x is 2.5, expected at most 3"});
    let differs = |answer: Value| complaint("expect_column_values_to_be_unique", &told, &answer).is_some();
    assert!(!differs(json!({"success": true, "unexpected": 1, "checked": 9})));
    assert!(!differs(json!({"success": true, "observed": 2.5})));
    assert!(differs(json!({"success": false, "unexpected": 1, "checked": 9})));
    assert!(differs(json!({"success": true, "unexpected": 2, "checked": 9})));
    assert!(differs(json!({"success": true, "unexpected": 1, "checked": 8})));
    assert!(differs(json!({"success": true, "observed": 2.6})));
    assert!(differs(json!({"error": "none"})));
}
