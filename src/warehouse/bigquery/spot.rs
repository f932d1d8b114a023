//! Where BigQuery finds what is wrong with a statement: its messages end in `at [LINE:COLUMN]`. Pure.

use super::super::Relation;
use super::layout;
use super::place::Place;
use crate::manifest::types::Materialization;
use crate::plan::Record;

/// A message, and the line and column that it ended in, from 1.
pub(super) fn split(message: &str) -> Option<(&str, (u64, u64))> {
    let (message, end) = message.rsplit_once(" at [")?;
    let (line, column) = end.strip_suffix(']')?.split_once(':')?;
    Some((message, (line.parse().ok()?, column.parse().ok()?)))
}

/// Where a place of the statement that builds something is in its query; nothing for what stands before that.
pub(super) fn in_query(
    of: &Place,
    at: &Relation,
    kind: Materialization,
    wanted: Option<&Record>,
    (line, column): (u64, u64),
) -> Option<(u64, u64)> {
    let clauses = match (kind, wanted) {
        (Materialization::Table, Some(record)) => layout::clauses(&record.layout, &record.properties),
        _ => String::new(),
    };
    let before = format!("CREATE OR REPLACE {} {}{clauses} AS ", kind.keyword(), of.path(at));
    let before = u64::try_from(before.chars().count()).ok()?;
    match line {
        1 => column.checked_sub(before).filter(|column| *column > 0).map(|column| (1, column)),
        // It begins where the query does: names and clauses have no lines.
        _ => Some((line, column)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_end_in_their_places() {
        assert_eq!(split("Unrecognized name: a at [3:14]"), Some(("Unrecognized name: a", (3, 14))));
        assert_eq!(split("Syntax error: Unexpected \"]\""), None);
        assert_eq!(split("a at [3]"), None);
    }

    #[test]
    fn a_place_of_a_statement_is_told_as_one_of_its_query() {
        let place = Place { project: "p".to_owned(), prefix: "dev_".to_owned(), state: "s".to_owned() };
        let at = Relation::parse("d.t__build");
        let found = |kind, place_of_it| in_query(&place, &at, kind, None, place_of_it);
        let table = u64::try_from("CREATE OR REPLACE TABLE `p.dev_d.t__build` AS ".len()).unwrap();
        assert_eq!(found(Materialization::Table, (1, table + 1)), Some((1, 1)));
        assert_eq!(found(Materialization::Table, (1, table)), None);
        assert_eq!(found(Materialization::View, (1, table)), Some((1, 1)));
        assert_eq!(found(Materialization::Table, (7, 3)), Some((7, 3)));
    }
}
