//! Tables laid out and described: what the manifest says of it, what somebody else has said, and what follows.

use super::super::diff::{Alteration, Remedy};
use super::*;
use crate::manifest::types::Granularity;
use crate::state::{Observed, label_of_mark, mark};

/// The shop on BigQuery, its table laid out.
fn laid_out(target: &str) -> Shop {
    let settings = "daily: { description: Daily., cluster_by: [id], labels: { team: a }, max_shrink: 1.0 }";
    let shop = Shop::new().with("models/a.yaml", "daily: { description: Daily. }", settings);
    Shop { target: target.to_owned(), ..shop }
}

#[test]
fn another_layout_is_another_table_and_what_is_said_of_one_is_not() {
    let shop = laid_out("cloud");
    let snapshot = shop.built();
    assert!(shop.plan(&snapshot, None, false).unwrap().is_empty());
    let range = "partition_by: { column: id, range: { start: 0, end: 9, interval: 1 } }, ";
    for (from, to, reason, relaid) in [
        ("cluster_by: [id]", "cluster_by: [amount, id]", Reason::LayoutChanged, vec!["clustering"]),
        ("cluster_by: [id], ", "", Reason::LayoutChanged, vec!["clustering"]),
        ("cluster_by: [id], ", range, Reason::LayoutChanged, vec!["partitioning", "clustering"]),
        ("team: a", "team: b", Reason::MetadataChanged, vec![]),
        ("team: a }", "team: a }, expires_after: 9d", Reason::MetadataChanged, vec![]),
        ("max_shrink: 1.0", "columns: { id: { description: Key. } }", Reason::MetadataChanged, vec![]),
    ] {
        let plan = shop.clone().with("models/a.yaml", from, to).plan(&snapshot, None, false).unwrap();
        let steps: Vec<_> =
            plan.steps.iter().map(|step| (step.address.to_string(), step.reasons.clone())).collect();
        assert_eq!(steps, [(DAILY.to_owned(), vec![reason])], "{to}");
        let publish = plan.steps[0].action.publish();
        assert_eq!(publish.map(|publish| publish.relaid.clone()).unwrap_or_default(), relaid, "{to}");
    }
    // The embedded engine has no layouts.
    let local = laid_out("local");
    let snapshot = local.built();
    let other = local.with("models/a.yaml", "cluster_by: [id], labels: { team: a }", "cluster_by: [amount]");
    assert!(other.plan(&snapshot, None, false).unwrap().is_empty());
}

#[test]
fn partitions_that_are_published_too_often_are_told() {
    let by = "partition_by: { column: id, range: { start: 0, end: 9999, interval: 1 } }";
    let told = |target: &str, partitions: u64| {
        let shop = laid_out(target).with("models/a.yaml", "cluster_by: [id]", by);
        let mut snapshot = shop.built();
        snapshot.objects.get_mut("marts.daily").unwrap().partitions = Some(partitions);
        let other = shop.with("models/daily.sql", "SUM(amount)", "SUM(amount) + 1");
        other.plan(&snapshot, None, false).unwrap().steps[0].warnings.clone()
    };
    assert_eq!(
        told("cloud", 2_500),
        [
            "publishing it changes all of its 2500 partitions; BigQuery lets 30000 of a table be changed in a day: it can be \
          published 12 times"
        ]
    );
    assert_eq!(told("cloud", 1_250), Vec::<String>::new());
    assert_eq!(told("local", 2_500), Vec::<String>::new());
}

#[test]
fn a_layout_that_was_changed_outside_is_put_right() {
    let shop = laid_out("cloud");
    let mut snapshot = shop.built();
    // What is not known is not compared.
    snapshot.objects.get_mut("marts.daily").unwrap().observed = Some(Observed::default());
    assert!(shop.plan(&snapshot, None, false).unwrap().is_empty());
    let granularity = Some(Granularity::Day);
    let seen = Observed { cluster_by: vec!["id".to_owned()], granularity, ..Observed::default() };
    snapshot.state.nodes.get_mut(&address(DAILY)).unwrap().observed = Some(seen.clone());
    let by_id = Observed { partition_by: Some("id".to_owned()), ..seen.clone() };
    let by_month = Observed { granularity: Some(Granularity::Month), ..seen.clone() };
    for (now, told, relaid) in [
        (Observed { cluster_by: Vec::new(), ..seen.clone() }, "its clustering was changed", "clustering"),
        (by_id, "its partitioning was changed", "partitioning"),
        (by_month, "its partitioning was changed", "partitioning"),
    ] {
        snapshot.objects.get_mut("marts.daily").unwrap().observed = Some(now);
        let plan = shop.plan(&snapshot, None, false).unwrap();
        assert_eq!(plan.drift[0].what, told);
        assert_eq!(plan.steps[0].reasons, [Reason::Drifted]);
        assert_eq!(plan.steps[0].action.publish().unwrap().relaid, [relaid]);
    }
    // What is only said of a table is said again.
    let other = Observed { require_partition_filter: true, ..seen.clone() };
    snapshot.objects.get_mut("marts.daily").unwrap().observed = Some(other);
    let plan = shop.plan(&snapshot, None, false).unwrap();
    assert_eq!(plan.drift[0].what, "its `require_partition_filter` was changed");
    assert_eq!(plan.steps[0].reasons, [Reason::Redescribed]);
    assert!(matches!(plan.steps[0].action, Action::Describe { .. }));
    // How long partitions are kept is others' where the manifest says nothing of it.
    let other = Observed { partition_expires_ms: Some(1), ..seen.clone() };
    snapshot.objects.get_mut("marts.daily").unwrap().observed = Some(other.clone());
    assert!(shop.plan(&snapshot, None, false).unwrap().drift.is_empty());
    snapshot.state.nodes.get_mut(&address(DAILY)).unwrap().properties.partition_expires_ms = Some(2);
    let plan = shop.plan(&snapshot, None, false).unwrap();
    assert_eq!(plan.drift[0].what, "how long it keeps partitions was changed");
    snapshot.state.nodes.get_mut(&address(DAILY)).unwrap().properties.partition_expires_ms = None;
    // Of an empty table the partitions are not seen.
    let empty = Observed { granularity: None, ..seen.clone() };
    snapshot.objects.get_mut("marts.daily").unwrap().observed = Some(empty);
    assert!(shop.plan(&snapshot, None, false).unwrap().drift.is_empty());
    // Labels of others are theirs; those of the manifest are put back, with the mark among them.
    let labels = |label: &[(&str, &str)]| {
        label
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect::<BTreeMap<_, _>>()
    };
    let marked = Observed { mark: Some("m".to_owned()), labels: labels(&[("team", "a")]), ..seen };
    snapshot.state.nodes.get_mut(&address(DAILY)).unwrap().observed = Some(marked.clone());
    for (now, is_told) in [
        (Observed { labels: labels(&[("team", "a"), ("theirs", "b")]), ..marked.clone() }, false),
        (Observed { labels: labels(&[("team", "b")]), ..marked.clone() }, true),
        (Observed { labels: labels(&[("theirs", "a")]), ..marked.clone() }, true),
        (Observed { mark: None, ..marked.clone() }, true),
    ] {
        snapshot.objects.get_mut("marts.daily").unwrap().observed = Some(now);
        let plan = shop.plan(&snapshot, None, false).unwrap();
        let told: Vec<&str> = plan.drift.iter().map(|drift| drift.what.as_str()).collect();
        assert_eq!(told, if is_told { vec!["its labels were changed"] } else { Vec::new() });
        let reasons: Vec<_> = plan.steps.iter().map(|step| step.reasons.clone()).collect();
        assert_eq!(reasons, if is_told { vec![vec![Reason::Redescribed]] } else { Vec::new() });
    }
}

#[test]
fn a_table_that_must_be_asked_by_partitions_is_checked_by_naming_all_of_them() {
    let by = "partition_by: { column: id, range: { start: 0, end: 9, interval: 1 } }, require_partition_filter: true";
    let checked = |target: &str, still: &str| {
        let shop = laid_out(target).with("models/a.yaml", "cluster_by: [id]", by);
        let mut snapshot = shop.built();
        let observed = Some(Observed { require_partition_filter: true, ..Observed::default() });
        snapshot.state.nodes.get_mut(&address(DAILY)).unwrap().observed = observed.clone();
        snapshot.objects.get_mut("marts.daily").unwrap().observed = observed;
        let more = shop.with("models/a.yaml", "require_partition_filter: true", still).with(
            "expectations/a.yaml",
            "columns: [id]",
            "columns: [id, amount]",
        );
        let plan = more.plan(&snapshot, None, false).unwrap();
        assert!(plan.steps[0].reasons.contains(&Reason::ExpectationsChanged));
        let Action::Check { audit, .. } = &plan.steps[0].action else { panic!("{:?}", plan.steps[0]) };
        audit.queries.iter().map(|query| query.sql.clone()).collect::<String>()
    };
    let named =
        "(SELECT * FROM `p.marts.daily` WHERE `id` >= -9223372036854775808 OR `id` IS NULL) AS `daily`";
    // Also where the manifest no longer says so: the table does, until it is described after the check.
    for still in ["require_partition_filter: true", "require_partition_filter: false"] {
        let sql = checked("cloud", still);
        assert_eq!(sql.matches("`p.marts.daily`").count(), sql.matches(named).count(), "{sql}");
        assert!(sql.contains(named), "{sql}");
        assert!(!checked("local", still).contains("-9223372036854775808"));
    }
}

#[test]
fn what_somebody_did_to_a_gathered_table_costs_it_no_rows() {
    let by_key = "materialized: incremental, incremental: { unique_key: [id] }, max_shrink: 1.0";
    let shop = laid_out("cloud").with("models/a.yaml", "max_shrink: 1.0", by_key);
    let mut snapshot = shop.built();
    let was = Observed { cluster_by: vec!["id".to_owned()], written_ms: Some(1), ..Observed::default() };
    snapshot.state.nodes.get_mut(&address(DAILY)).unwrap().observed = Some(was.clone());
    let object = |snapshot: &mut Snapshot, now: &Observed| {
        let object = snapshot.objects.get_mut("marts.daily").unwrap();
        object.observed = Some(now.clone());
    };
    // It is laid out as it was, with the rows that it has.
    object(&mut snapshot, &Observed { cluster_by: Vec::new(), ..was.clone() });
    let plan = shop.plan(&snapshot, None, false).unwrap();
    assert_eq!(plan.drift[0].what, "its clustering was changed");
    assert_eq!(plan.steps[0].reasons, [Reason::LayoutChanged]);
    let Action::Merge(merge) = &plan.steps[0].action else { panic!("{:?}", plan.steps) };
    assert_eq!(merge.publish.relaid, ["clustering"]);
    // Rows and columns of others stay; what is said of it is said again all the same.
    let stays = "it stays so, unless `--full-refresh` builds it anew";
    object(&mut snapshot, &Observed { written_ms: Some(2), ..was.clone() });
    let plan = shop.plan(&snapshot, None, false).unwrap();
    assert_eq!(plan.drift[0].what, format!("its rows were changed; {stays}"));
    assert!(plan.steps.is_empty());
    object(&mut snapshot, &Observed { require_partition_filter: true, ..was });
    let added = ("note".to_owned(), "STRING".to_owned());
    snapshot.objects.get_mut("marts.daily").unwrap().columns.push(added);
    let plan = shop.plan(&snapshot, None, false).unwrap();
    let told = format!("its `require_partition_filter` was changed; columns were added: note; {stays}");
    assert_eq!(plan.drift[0].what, told);
    assert_eq!(plan.steps[0].reasons, [Reason::Redescribed]);
}

#[test]
fn partitions_that_grew_old_are_not_missed() {
    let mut snapshot = laid_out("cloud").built();
    let (node, object) = (address(DAILY), "marts.daily");
    snapshot.objects.get_mut(object).unwrap().rows = Some(1);
    let drift = |snapshot: &Snapshot| {
        super::super::diff::drift(
            "shop",
            &node,
            &snapshot.state.nodes[&node],
            snapshot.objects.get(object),
            false,
        )
    };
    let of_rows = |what: &str| Some(Alteration { what: what.to_owned(), remedy: Remedy::Rebuild });
    assert_eq!(drift(&snapshot), of_rows("it had 3 rows and has 1"));
    snapshot.state.nodes.get_mut(&node).unwrap().properties.partition_expires_ms = Some(1);
    assert_eq!(drift(&snapshot), None);
    snapshot.objects.get_mut(object).unwrap().rows = Some(4);
    assert_eq!(drift(&snapshot), of_rows("it had 3 rows and has 4"));
}

#[test]
fn a_table_whose_description_somebody_wrote_is_still_known_by_its_label() {
    let shop = laid_out("cloud");
    let mut snapshot = shop.built();
    let hash = snapshot.state.nodes[&address(DAILY)].data_hash.clone();
    let label = label_of_mark(&mark("shop", &address(DAILY), &hash));
    let object = snapshot.objects.get_mut("marts.daily").unwrap();
    object.comment = Some("The steward's words.".to_owned());
    object.observed = Some(Observed { mark: Some(label.clone()), ..Observed::default() });
    let plan = shop.plan(&snapshot, None, false).unwrap();
    assert_eq!(plan.drift[0].what, "its description was changed");
    assert_eq!(plan.steps[0].reasons, [Reason::Redescribed]);
    assert!(matches!(plan.steps[0].action, Action::Describe { .. }));
    // Another build's label is no better than none: a table without either is somebody else's.
    let object = snapshot.objects.get_mut("marts.daily").unwrap();
    object.observed = Some(Observed { mark: Some(label_of_mark("other")), ..Observed::default() });
    assert!(shop.plan(&snapshot, None, false).is_err());
}

#[test]
fn what_somebody_did_to_rows_or_to_the_query_of_a_view_is_seen() {
    let shop = laid_out("cloud");
    let mut snapshot = shop.built();
    let was = Observed { written_ms: Some(10), query: Some("a".to_owned()), ..Observed::default() };
    snapshot.state.nodes.get_mut(&address(DAILY)).unwrap().observed = Some(was.clone());
    for (now, told) in [
        (Observed { written_ms: Some(11), ..was.clone() }, Some("its rows were changed")),
        (Observed { written_ms: Some(9), ..was.clone() }, None),
        (Observed { query: Some("b".to_owned()), ..was.clone() }, Some("its query was changed")),
        (Observed { query: None, written_ms: None, ..was.clone() }, None),
    ] {
        snapshot.objects.get_mut("marts.daily").unwrap().observed = Some(now);
        let plan = shop.plan(&snapshot, None, false).unwrap();
        assert_eq!(plan.drift.first().map(|drift| drift.what.as_str()), told);
        assert_eq!(plan.steps.first().map(|step| step.reasons.clone()), told.map(|_| vec![Reason::Drifted]));
    }
}
