//! What a run that was killed leaves aside: builds that nobody will publish any more, and a table that was about to be
//! replaced by one of another layout.

use std::collections::{BTreeMap, BTreeSet};

use super::super::Relation;
use crate::manifest::types::Materialization;
use crate::state::Object;

/// What stands behind a table's name while it is built; the third is what new rows are brought into.
const SUFFIXES: [&str; 5] = [BUILD, "__pipewright_build__rejects", NEXT, RELAID, REPLACED];

/// What stands behind a table's name while it is built.
const BUILD: &str = "__pipewright_build";

/// What stands behind the name of a table that new rows are brought into.
const NEXT: &str = "__pipewright_next";

/// The table that something is to take the place of, if it is built for that.
pub(super) fn to_replace(build: &Relation) -> Option<Relation> {
    let name = [BUILD, NEXT, RELAID].iter().find_map(|suffix| build.table.strip_suffix(suffix))?;
    Some(build.sibling(name))
}

/// What stands behind the name of a table of another layout that is about to take the place of one.
pub(super) const RELAID: &str = "__pipewright_relaid";

/// What stands behind the name of a table while one of another layout takes its place.
pub(super) const REPLACED: &str = "__pipewright_replaced";

/// Whether a table has taken the place of another, which stands beside it still.
pub(super) fn is_replaced(objects: &BTreeMap<String, Object>, table: &Relation) -> bool {
    let old = table.sibling(format!("{}{REPLACED}", table.table));
    objects.contains_key(&table.to_string()) && objects.contains_key(&old.to_string())
}

/// Something that was left aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Leftover {
    pub(super) at: Relation,
    pub(super) kind: Materialization,
    /// The table that it was, where nothing has taken its place.
    pub(super) belongs_to: Option<Relation>,
}

/// What was left aside of some tables, among all that is in a target. What is of other tables is other pipelines'.
pub(super) fn among(objects: &BTreeMap<String, Object>, own: &BTreeSet<Relation>) -> Vec<Leftover> {
    let aside = own.iter().flat_map(|relation| {
        SUFFIXES.iter().map(move |suffix| {
            let is_gone = *suffix == REPLACED && !objects.contains_key(&relation.to_string());
            (relation.sibling(format!("{}{suffix}", relation.table)), is_gone.then(|| relation.clone()))
        })
    });
    aside
        .filter_map(|(at, belongs_to)| {
            let kind = objects.get(&at.to_string())?.materialization;
            Some(Leftover { at, kind, belongs_to })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn builds_of_own_tables_alone_are_leftovers() {
        let object = |materialization| Object {
            materialization,
            columns: Vec::new(),
            comment: None,
            rows: None,
            partitions: None,
            observed: None,
        };
        let objects = BTreeMap::from([
            ("marts.sales".to_owned(), object(Materialization::Table)),
            ("marts.sales__pipewright_build".to_owned(), object(Materialization::View)),
            ("marts.sales__pipewright_next".to_owned(), object(Materialization::Table)),
            ("marts.sales__pipewright_replaced".to_owned(), object(Materialization::Table)),
            ("raw.gone__pipewright_replaced".to_owned(), object(Materialization::Table)),
            ("marts.theirs__pipewright_build".to_owned(), object(Materialization::Table)),
        ]);
        let own = BTreeSet::from([Relation::parse("marts.sales"), Relation::parse("raw.gone")]);
        let left = |at: &str, kind: Materialization, belongs_to: Option<&str>| Leftover {
            at: Relation::parse(at),
            kind,
            belongs_to: belongs_to.map(Relation::parse),
        };
        assert_eq!(
            among(&objects, &own),
            [
                left("marts.sales__pipewright_build", Materialization::View, None),
                left("marts.sales__pipewright_next", Materialization::Table, None),
                left("marts.sales__pipewright_replaced", Materialization::Table, None),
                left("raw.gone__pipewright_replaced", Materialization::Table, Some("raw.gone")),
            ]
        );
    }
}
