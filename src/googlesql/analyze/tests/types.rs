//! Valid queries and the columns that Google's analyzer gives them (`types.txt`: a query, and its columns indented).

use super::{analyze, analyze_with};
use crate::googlesql::analyze::{Names, Options, Parameters, analyze_expression};
use crate::googlesql::{Column, Type, parse};

/// The cases of a file: a query, and the indented lines behind it.
pub(super) fn cases(text: &'static str) -> Vec<(&'static str, Vec<&'static str>)> {
    let mut cases: Vec<(&'static str, Vec<&'static str>)> = Vec::new();
    for line in text.lines() {
        match (line.strip_prefix("    "), cases.last_mut()) {
            (Some(expected), Some((_, lines))) => lines.push(expected),
            _ => cases.push((line, Vec::new())),
        }
    }
    cases
}

#[test]
fn columns_have_the_names_and_types_of_googles_analyzer() {
    let cases = cases(include_str!("types.txt"));
    assert!(cases.len() > 200);
    let mut problems = Vec::new();
    for (sql, expected) in cases {
        let ours = match analyze(sql) {
            Ok(analysis) => analysis
                .columns
                .iter()
                .map(|output| {
                    let name = if output.column.name.is_empty() { "?" } else { &output.column.name };
                    format!("{name} {}", output.column.data_type)
                })
                .collect::<Vec<_>>()
                .join(", "),
            Err(faults) => format!("{faults:?}"),
        };
        if [ours.as_str()] != expected.as_slice() {
            problems.push(format!("{sql}\n  ours:   {ours}\n  google: {}", expected.join("\n")));
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn what_is_not_known_is_said_and_is_no_fault() {
    for (sql, note) in [
        ("SELECT ds.my_function(i) AS x FROM ds.t", "DS.MY_FUNCTION"),
        ("SELECT ST_GEOGPOINT(f, f) AS x FROM ds.t", "ST_GEOGPOINT"),
        ("SELECT ARRAY_FILTER(ai, e -> e > 1) AS x FROM ds.t", "ARRAY_FILTER"),
        ("SELECT ai = ai AS x FROM ds.t", "ARRAY<INT64>"),
        ("SELECT @@project_id AS x", "@@project_id"),
        ("SELECT id FROM `ds.events_*`", "events_"),
        ("SELECT table_name FROM ds.INFORMATION_SCHEMA.TABLES", "INFORMATION_SCHEMA"),
        ("SELECT rb'a'", ""),
    ] {
        let analysis = analyze(sql).unwrap_or_else(|faults| panic!("{sql}: {faults:?}"));
        assert!(
            note.is_empty() || analysis.unchecked.iter().any(|own| own.message.contains(note)),
            "{sql}: {:?}",
            analysis.unchecked
        );
    }
}

#[test]
fn a_table_with_unknown_columns_raises_no_alarm() {
    let analysis = analyze("SELECT anything, t.more + 1 AS x, * FROM `ds.events_*` AS t WHERE whatever")
        .expect("no fault");
    assert!(analysis.open);
    assert_eq!(analysis.columns[0].column.data_type, Type::Unknown);
}

#[test]
fn a_table_needs_names() {
    let faults = |sql| analyze_with(sql, Options { names: Names::Table }).expect_err(sql);
    let [unnamed] = &faults("SELECT i + 1 FROM ds.u")[..] else { panic!() };
    assert_eq!(
        (unnamed.code.id(), unnamed.message.as_str()),
        ("PW0410", "column 1 of the result has no name")
    );
    let [double] = &faults("SELECT * FROM ds.u AS a JOIN shop.items ON TRUE, (SELECT 1 AS V)")[..] else {
        panic!()
    };
    assert_eq!(double.message, "the result has two columns `V`");
    assert!(analyze_with("SELECT i, k FROM ds.u", Options { names: Names::Table }).is_ok());
    assert!(analyze("SELECT i, i FROM ds.u").is_ok());
}

#[test]
fn conditions_on_rows_are_checked_over_one_table() {
    let columns = [Column::new("price", Type::Numeric), Column::new("state", Type::String)];
    let check = |condition: &str| {
        let query = parse::query(&format!("SELECT {condition}")).expect(condition);
        let sqlparser::ast::SetExpr::Select(select) = *query.body else { panic!() };
        let sqlparser::ast::SelectItem::UnnamedExpr(expr) = &select.projection[0] else { panic!() };
        analyze_expression(expr, &columns, &Parameters::new())
    };
    assert_eq!(check("price > 0 AND state IN ('SP', 'RJ')"), Ok(Type::Bool));
    assert_eq!(check("price * 2"), Ok(Type::Numeric));
    for (condition, message) in [
        ("SUM(price) > 0", "the aggregate SUM cannot stand in a condition on rows"),
        ("ROW_NUMBER() OVER () = 1", "a window function cannot stand in a condition on rows"),
        ("prise > 0", "there is no column `prise` here"),
        ("price = 'a'", "`=` cannot compare NUMERIC with STRING"),
    ] {
        let faults = check(condition).expect_err(condition);
        assert_eq!(faults[0].message, message);
    }
}
