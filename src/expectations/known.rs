//! What needs no query: the columns of a table, and what has changed since the last run.

use super::verdict::{Before, Facts, grouped};
use crate::diag::quoted;
use crate::googlesql::Column;
use crate::manifest::types::expectation::{ColumnsMode, SchemaChange};
use crate::project::Known;

/// Whether it holds, and what was found.
pub(super) fn judge(known: &Known, rows: u64, facts: &Facts<'_>) -> (bool, String) {
    match known {
        Known::Exists => (true, "the table is there".to_owned()),
        Known::Columns { names, mode } => columns(names, *mode, facts.columns),
        Known::ColumnCount { min, max } => {
            let count = facts.columns.len() as u64;
            let holds = min.is_none_or(|min| count >= min) && max.is_none_or(|max| count <= max);
            (holds, format!("{count} columns"))
        }
        Known::Type { column, types } => {
            match facts.columns.iter().find(|known| known.name.eq_ignore_ascii_case(column)) {
                Some(found) => {
                    let data_type = found.data_type.to_string();
                    (types.contains(&data_type), format!("`{}` is {data_type}", found.name))
                }
                None => (false, format!("there is no column `{column}`")),
            }
        }
        Known::Volume { max_drop, max_growth } => {
            let bounds = (max_drop.map(f64::from_bits), max_growth.map(f64::from_bits));
            volume(bounds, rows, facts.before)
        }
        Known::Schema { allow } => match facts.before {
            None => (true, "there is no run before to compare with".to_owned()),
            Some(before) => schema(allow, before.columns, facts.columns),
        },
    }
}

/// Names are the same in upper and lower case, as they are in BigQuery.
fn columns(names: &[String], mode: ColumnsMode, columns: &[Column]) -> (bool, String) {
    let has = |name: &String| columns.iter().any(|column| column.name.eq_ignore_ascii_case(name));
    let missing: Vec<&str> = names.iter().filter(|name| !has(name)).map(String::as_str).collect();
    let extra: Vec<&str> = columns
        .iter()
        .map(|column| column.name.as_str())
        .filter(|column| !names.iter().any(|name| name.eq_ignore_ascii_case(column)))
        .collect();
    let mut found = Vec::new();
    let mut tell = |what: &str, names: &[&str]| {
        if !names.is_empty() {
            found.push(format!("{what} {}", quoted(names.iter().copied())));
        }
    };
    let holds = match mode {
        ColumnsMode::Ordered | ColumnsMode::Set => {
            tell("missing", &missing);
            tell("not listed", &extra);
            missing.is_empty() && extra.is_empty()
        }
        ColumnsMode::Contain => {
            tell("missing", &missing);
            missing.is_empty()
        }
        ColumnsMode::Exclude => {
            let unwanted: Vec<&str> = names.iter().filter(|name| has(name)).map(String::as_str).collect();
            tell("unwanted", &unwanted);
            unwanted.is_empty()
        }
    };
    if holds && mode == ColumnsMode::Ordered {
        let pair = columns.iter().zip(names).find(|(column, name)| !column.name.eq_ignore_ascii_case(name));
        if let Some((column, name)) = pair {
            return (false, format!("`{}` stands where `{name}` is expected", column.name));
        }
    }
    (holds, if found.is_empty() { format!("{} columns", columns.len()) } else { found.join(", ") })
}

fn volume(
    (max_drop, max_growth): (Option<f64>, Option<f64>),
    rows: u64,
    before: Option<Before<'_>>,
) -> (bool, String) {
    let Some(before) = before.and_then(|before| before.rows) else {
        return (true, format!("{} rows, and no run before to compare with", grouped(rows)));
    };
    #[expect(clippy::cast_precision_loss, reason = "counts of rows lie far below 2^53")]
    let (now, then) = (rows as f64, before as f64);
    let least = max_drop.map_or(0.0, |share| then * (1.0 - share));
    let most = max_growth.map_or(f64::INFINITY, |share| then * (1.0 + share));
    // As exact as shares are written.
    let slack = 1e-9 * then.max(1.0);
    let holds = now >= least - slack && now <= most + slack;
    (holds, format!("{} rows after {}", grouped(rows), grouped(before)))
}

fn schema(allow: &[SchemaChange], before: &[Column], now: &[Column]) -> (bool, String) {
    let find = |columns: &[Column], name: &str| {
        columns
            .iter()
            .find(|column| column.name.eq_ignore_ascii_case(name))
            .map(|column| column.data_type.clone())
    };
    let mut changes: Vec<(SchemaChange, String)> = Vec::new();
    for column in now {
        match find(before, &column.name) {
            None => changes.push((SchemaChange::Add, format!("new `{}`", column.name))),
            Some(was) if was != column.data_type => {
                let told = format!("`{}` was {was} and is {}", column.name, column.data_type);
                changes.push((SchemaChange::Retype, told));
            }
            Some(_) => {}
        }
    }
    for column in before {
        if find(now, &column.name).is_none() {
            changes.push((SchemaChange::Remove, format!("`{}` is gone", column.name)));
        }
    }
    let holds = changes.iter().all(|(change, _)| allow.contains(change));
    let told: Vec<String> = changes.into_iter().map(|(_, told)| told).collect();
    (holds, if told.is_empty() { "the columns are as they were".to_owned() } else { told.join(", ") })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::googlesql::Type;

    fn table(columns: &[(&str, Type)]) -> Vec<Column> {
        columns
            .iter()
            .map(|(name, data_type)| Column { name: (*name).to_owned(), data_type: data_type.clone() })
            .collect()
    }

    #[test]
    fn columns_are_compared_in_four_ways() {
        let known = table(&[("id", Type::Int64), ("Name", Type::String)]);
        let holds = |names: &[&str], mode| {
            let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            columns(&names, mode, &known).0
        };
        assert!(holds(&["ID", "name"], ColumnsMode::Ordered));
        assert!(!holds(&["name", "id"], ColumnsMode::Ordered));
        assert!(!holds(&["id"], ColumnsMode::Ordered));
        assert!(holds(&["name", "id"], ColumnsMode::Set));
        assert!(!holds(&["name", "id", "x"], ColumnsMode::Set));
        assert!(holds(&["id"], ColumnsMode::Contain));
        assert!(!holds(&["x"], ColumnsMode::Contain));
        assert!(holds(&["x"], ColumnsMode::Exclude));
        assert!(!holds(&["x", "id"], ColumnsMode::Exclude));
    }

    #[test]
    fn volume_has_both_its_edges_and_nothing_to_say_at_first() {
        let holds = |drop, growth, rows, before: Option<u64>| {
            volume((drop, growth), rows, before.map(|rows| Before { rows: Some(rows), columns: &[] })).0
        };
        assert!(holds(Some(0.5), None, 50, Some(100)));
        assert!(!holds(Some(0.5), None, 49, Some(100)));
        assert!(holds(None, Some(0.1), 110, Some(100)));
        assert!(!holds(None, Some(0.1), 111, Some(100)));
        assert!(holds(None, None, 0, Some(100)));
        assert!(holds(Some(0.0), Some(0.0), 0, None));
    }

    #[test]
    fn changes_of_columns_are_told_unless_they_are_allowed() {
        let before = table(&[("id", Type::Int64), ("name", Type::String)]);
        let now = table(&[("id", Type::String), ("price", Type::Numeric)]);
        let (holds, found) = schema(&[], &before, &now);
        assert!(!holds);
        assert_eq!(found, "`id` was INT64 and is STRING, new `price`, `name` is gone");
        assert!(schema(&[SchemaChange::Add, SchemaChange::Remove, SchemaChange::Retype], &before, &now).0);
        assert!(schema(&[], &before, &before).0);
    }
}
