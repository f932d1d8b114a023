//! What a run that was killed leaves aside: builds that nobody will publish any more.

use std::collections::{BTreeMap, BTreeSet};

use super::super::Relation;
use crate::manifest::types::Materialization;
use crate::state::Object;

/// What stands behind a table's name while it is built; the last is what new rows are brought into.
const SUFFIXES: [&str; 3] = ["__pipewright_build", "__pipewright_build__rejects", "__pipewright_next"];

/// The builds of some tables among all that is in a target. Those of other tables are other pipelines'.
pub(super) fn among(
    objects: &BTreeMap<String, Object>,
    own: &BTreeSet<Relation>,
) -> Vec<(Relation, Materialization)> {
    let builds = own.iter().flat_map(|relation| {
        SUFFIXES.iter().map(|suffix| relation.sibling(format!("{}{suffix}", relation.table)))
    });
    builds
        .filter_map(|build| Some((build.clone(), objects.get(&build.to_string())?.materialization)))
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
            observed: None,
        };
        let objects = BTreeMap::from([
            ("marts.sales".to_owned(), object(Materialization::Table)),
            ("marts.sales__pipewright_build".to_owned(), object(Materialization::View)),
            ("marts.sales__pipewright_next".to_owned(), object(Materialization::Table)),
            ("marts.theirs__pipewright_build".to_owned(), object(Materialization::Table)),
        ]);
        let own = BTreeSet::from([Relation::parse("marts.sales"), Relation::parse("raw.gone")]);
        let found: Vec<(String, Materialization)> =
            among(&objects, &own).into_iter().map(|(relation, kind)| (relation.to_string(), kind)).collect();
        assert_eq!(
            found,
            [
                ("marts.sales__pipewright_build".to_owned(), Materialization::View),
                ("marts.sales__pipewright_next".to_owned(), Materialization::Table),
            ]
        );
    }
}
