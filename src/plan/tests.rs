//! Plans as a table: what was remembered, what the manifest says now, what would be done and why. No database.

mod layout;

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::compile::{CompiledProject, compile};
use crate::project::resolve;
use crate::state::{NodeState, Object, Snapshot};

const ORDERS: &str = "source.orders";
const CLEAN: &str = "model.clean";
const DAILY: &str = "model.daily";

/// A project of one source, a view over it and a table over that, as texts that tests change.
#[derive(Clone)]
pub(super) struct Shop {
    pub(super) files: BTreeMap<&'static str, String>,
    /// The hash of the one file.
    pub(super) content: &'static str,
    pub(super) target: String,
}

impl Shop {
    pub(super) fn new() -> Self {
        let files = [
            (
                "pipeline.yaml",
                "name: shop\ntargets:\n  local: { type: duckdb, path: x.duckdb }\n  cloud: { type: bigquery, project: p }\ndatasets: { raw: {}, marts: {} }\n\
                 defaults:\n  sources: { dataset: raw }\n  models: { dataset: marts }\n",
            ),
            (
                "sources/a.yaml",
                "sources:\n  orders:\n    files: orders.csv\n    columns:\n      id: { type: INT64 }\n      amount: { type: NUMERIC }\n",
            ),
            (
                "models/a.yaml",
                "models:\n  clean: { materialized: view, description: Clean. }\n  daily: { description: Daily. }\n",
            ),
            ("models/clean.sql", "SELECT id, amount FROM {{ source('orders') }}\n"),
            ("models/daily.sql", "SELECT id, SUM(amount) AS amount FROM {{ ref('clean') }} GROUP BY id\n"),
            (
                "expectations/a.yaml",
                "suites:\n  daily:\n    expectations:\n      - { expect: not_null, columns: [id] }\n",
            ),
        ];
        Self {
            files: files.map(|(path, text)| (path, text.to_owned())).into(),
            content: "one",
            target: "local".to_owned(),
        }
    }

    /// With text in a file replaced.
    pub(super) fn with(mut self, path: &str, from: &str, to: &str) -> Self {
        let text = self.files.get_mut(path).unwrap();
        assert_eq!(text.matches(from).count(), 1, "`{from}` should stand once in {path}");
        *text = text.replace(from, to);
        self
    }

    pub(super) fn compiled(&self) -> CompiledProject {
        let folder = tempfile::tempdir().unwrap();
        for (path, text) in &self.files {
            let path = folder.path().join(path);
            fs_err::create_dir_all(path.parent().unwrap()).unwrap();
            fs_err::write(path, text).unwrap();
        }
        let raw = crate::manifest::load(folder.path(), &BTreeMap::new()).unwrap();
        let (project, _) = resolve(raw).unwrap();
        compile(project, &self.target).unwrap().0
    }

    pub(super) fn plan(
        &self,
        snapshot: &Snapshot,
        selected: Option<&[&str]>,
        prune: bool,
    ) -> Result<Plan, String> {
        let file = FileState {
            path: "orders.csv".to_owned(),
            bytes: 100,
            modified: 7,
            hash: self.content.to_owned(),
        };
        let compiled = self.compiled();
        let files = Files::from([(address(ORDERS), vec![file])]);
        let selected: Option<BTreeSet<Address>> =
            selected.map(|selected| selected.iter().map(|text| address(text)).collect());
        let planning = Planning {
            compiled: &compiled,
            snapshot,
            files: &files,
            selected: selected.as_ref(),
            prune,
            full_refresh: false,
            defer: None,
        };
        plan(&planning).map_err(|faults| faults.iter().map(|fault| fault.code.id()).collect())
    }

    /// What a target is after the first run.
    pub(super) fn built(&self) -> Snapshot {
        let mut snapshot = Snapshot::default();
        carry_out(&self.plan(&snapshot, None, false).unwrap(), &mut snapshot);
        snapshot
    }
}

fn address(text: &str) -> Address {
    text.parse().unwrap()
}

/// Does to a snapshot what applying a plan would do to a target.
fn carry_out(plan: &Plan, snapshot: &mut Snapshot) {
    snapshot.state.lineage = Some("lineage".to_owned());
    snapshot.state.serial += 1;
    for step in &plan.steps {
        let (materialization, record, files) = match &step.action {
            Action::Load(load) => (Materialization::Table, &load.publish.record, load.reading.files.clone()),
            Action::Build(build) => (build.materialization, &build.publish.record, Vec::new()),
            Action::Merge(merge) => (Materialization::Table, &merge.publish.record, Vec::new()),
            Action::Check { record, .. } | Action::Describe { record } => {
                let state = snapshot.state.nodes.get_mut(&step.address).unwrap();
                state.metadata_hash.clone_from(&record.metadata_hash);
                state.audit_hash.clone_from(&record.audit_hash);
                state.references_hash.clone_from(&record.references_hash);
                continue;
            }
            Action::Drop { .. } => {
                snapshot.objects.remove(&step.relation);
                snapshot.state.nodes.remove(&step.address);
                continue;
            }
        };
        let rows = (materialization == Materialization::Table).then_some(3);
        let native_columns = vec![("id".to_owned(), "BIGINT".to_owned())];
        let state = NodeState {
            relation: step.relation.clone(),
            materialization,
            data_hash: record.data_hash.clone(),
            own_hash: record.own_hash.clone(),
            query_hash: record.query_hash.clone(),
            metadata_hash: record.metadata_hash.clone(),
            audit_hash: record.audit_hash.clone(),
            references_hash: record.references_hash.clone(),
            columns: record.columns.clone(),
            native_columns: native_columns.clone(),
            layout: record.layout.clone(),
            properties: record.properties.clone(),
            observed: None,
            rows,
            bytes: rows.map(|rows| rows * 8),
            rejected: 0,
            files,
            run: "run".to_owned(),
            built_at: "2025-01-01T00:00:00Z".to_owned(),
        };
        let comment = Some(record.comment.clone());
        snapshot.objects.insert(
            step.relation.clone(),
            Object {
                materialization,
                columns: native_columns,
                comment,
                rows,
                partitions: None,
                observed: None,
            },
        );
        snapshot.state.nodes.insert(step.address.clone(), state);
    }
}

/// `source.orders load FileChanged`, a line for each step.
fn lines(plan: &Plan) -> Vec<String> {
    plan.steps
        .iter()
        .map(|step| {
            let reasons: Vec<String> = step.reasons.iter().map(|reason| format!("{reason:?}")).collect();
            format!("{} {} {}", step.address, step.action.name(), reasons.join("+"))
        })
        .collect()
}

#[test]
fn manifest_changes() {
    let shop = Shop::new;
    let edited = |path, from, to| shop().with(path, from, to);
    let cases: Vec<(&str, Shop, &[&str])> = vec![
        ("nothing", shop(), &[]),
        ("a comment", edited("models/daily.sql", "SELECT", "-- Sums.\nSELECT"), &[]),
        ("formatting", edited("models/daily.sql", "SELECT id, SUM", "select id,\n  sum"), &[]),
        (
            "a query",
            edited("models/clean.sql", "amount FROM", "amount + 1 AS amount FROM"),
            &["model.clean build QueryChanged", "model.daily build UpstreamChanged"],
        ),
        (
            "both queries",
            edited("models/clean.sql", "amount FROM", "amount + 1 AS amount FROM").with(
                "models/daily.sql",
                "SUM",
                "MAX",
            ),
            &["model.clean build QueryChanged", "model.daily build QueryChanged+UpstreamChanged"],
        ),
        ("the last query", edited("models/daily.sql", "SUM", "MAX"), &["model.daily build QueryChanged"]),
        (
            "a view made a table",
            edited("models/a.yaml", "materialized: view", "materialized: table"),
            &["model.clean build ConfigChanged", "model.daily build UpstreamChanged"],
        ),
        (
            "a column's type",
            edited("sources/a.yaml", "NUMERIC", "FLOAT64"),
            &[
                "source.orders load ConfigChanged",
                "model.clean build UpstreamChanged",
                "model.daily build UpstreamChanged",
            ],
        ),
        (
            "a description",
            edited("models/a.yaml", "Daily.", "Each day."),
            &["model.daily describe MetadataChanged"],
        ),
        (
            "an owner",
            edited("models/a.yaml", "Daily.", "Daily., owner: me@example.com"),
            &["model.daily describe MetadataChanged"],
        ),
        (
            "an expectation",
            edited("expectations/a.yaml", "[id]", "[id, amount]"),
            &["model.daily check ExpectationsChanged"],
        ),
        (
            "a severity",
            edited("expectations/a.yaml", "[id]", "[id], severity: warning"),
            &["model.daily check ExpectationsChanged"],
        ),
        (
            "description and expectation",
            edited("expectations/a.yaml", "[id]", "[amount]").with("models/a.yaml", "Daily.", "Each day."),
            &["model.daily check ExpectationsChanged+MetadataChanged"],
        ),
        (
            "the file",
            Shop { content: "two", ..shop() },
            &[
                "source.orders load FileChanged",
                "model.clean build UpstreamChanged",
                "model.daily build UpstreamChanged",
            ],
        ),
    ];
    let before = shop().built();
    for (what, now, expected) in cases {
        let plan = now.plan(&before, None, false).unwrap();
        assert_eq!(lines(&plan), expected, "{what}");
        assert_eq!(plan.unchanged.len() + plan.steps.len(), 3, "{what}");
        let mut after = before.clone();
        carry_out(&plan, &mut after);
        assert_eq!(lines(&now.plan(&after, None, false).unwrap()), Vec::<String>::new(), "after {what}");
    }
}

#[test]
fn a_changed_table_has_those_checked_that_are_compared_with_it() {
    const KNOWN: &str = "model.known";
    let mut shop = Shop::new()
        .with("models/a.yaml", "Daily. }\n", "Daily. }\n  known: { description: Known. }\n")
        .with(
            "expectations/a.yaml",
            "[id] }\n",
            "[id] }\n  known:\n    expectations:\n      - { expect: relationships, column: id, to: orders }\n",
        );
    shop.files.insert("models/known.sql", "SELECT 1 AS id\n".to_owned());
    let before = shop.built();
    let now = Shop { content: "two", ..shop.clone() };
    let plan = now.plan(&before, None, false).unwrap();
    let check = format!("{KNOWN} check ReferencesChanged");
    assert!(lines(&plan).contains(&check) && plan.steps.len() == 4, "{:#?}", lines(&plan));
    let step = plan.steps.iter().find(|step| step.address == address(KNOWN)).unwrap();
    assert_eq!(step.waits_for, BTreeSet::from([address(ORDERS)]));

    // As long as the check has not been carried out it stays in the plan; with the old rows back it is not needed.
    let mut after = before.clone();
    let others = Plan {
        steps: plan.steps.iter().filter(|step| step.address != address(KNOWN)).cloned().collect(),
        ..plan.clone()
    };
    carry_out(&others, &mut after);
    assert_eq!(lines(&now.plan(&after, None, false).unwrap()), [check]);
    let back = lines(&shop.plan(&after, None, false).unwrap());
    assert!(back.len() == 3 && !back.iter().any(|line| line.starts_with(KNOWN)), "{back:#?}");
    carry_out(&plan, &mut after);
    assert_eq!(lines(&now.plan(&after, None, false).unwrap()), Vec::<String>::new());
}

#[test]
fn the_first_plan_is_in_order_and_each_step_waits_for_what_it_reads() {
    let plan = Shop::new().plan(&Snapshot::default(), None, false).unwrap();
    assert_eq!(lines(&plan), ["source.orders load New", "model.clean build New", "model.daily build New"]);
    let waits: Vec<Vec<String>> =
        plan.steps.iter().map(|step| step.waits_for.iter().map(ToString::to_string).collect()).collect();
    // A view stores nothing, so who reads it waits for what it reads as well.
    assert!(waits[0].is_empty() && waits[1] == [ORDERS] && waits[2].contains(&CLEAN.to_owned()), "{waits:?}");
    assert_eq!((plan.lineage, plan.serial), (None, 0));
}

#[test]
fn drift() {
    type Change = fn(&mut BTreeMap<String, Object>);
    let shop = Shop::new();
    let cases: [(&str, Change, &str, &[&str]); 5] = [
        ("gone", |objects| drop(objects.remove("marts.daily")), "it is gone", &["model.daily build Missing"]),
        (
            "another kind",
            |objects| objects.get_mut("marts.daily").unwrap().materialization = Materialization::View,
            "it was replaced by a view",
            &["model.daily build Drifted"],
        ),
        (
            "a column more",
            |objects| {
                objects.get_mut("marts.daily").unwrap().columns.push(("x".to_owned(), "DATE".to_owned()));
            },
            "columns were added: x",
            &["model.daily build Drifted"],
        ),
        (
            "a row less",
            |objects| objects.get_mut("marts.daily").unwrap().rows = Some(2),
            "it had 3 rows and has 2",
            &["model.daily build Drifted"],
        ),
        (
            "below others",
            |objects| objects.get_mut("raw.orders").unwrap().rows = Some(4),
            "it had 3 rows and has 4",
            &["source.orders load Drifted"],
        ),
    ];
    for (name, change, what, expected) in cases {
        let mut snapshot = shop.built();
        change(&mut snapshot.objects);
        let plan = shop.plan(&snapshot, None, false).unwrap();
        assert_eq!(plan.drift.iter().map(|drift| drift.what.as_str()).collect::<Vec<_>>(), [what], "{name}");
        assert_eq!(lines(&plan)[..1], *expected, "{name}");
    }
}

#[test]
fn objects_in_the_way() {
    let shop = Shop::new();
    let foreign = Object {
        materialization: Materialization::Table,
        columns: Vec::new(),
        comment: None,
        rows: None,
        partitions: None,
        observed: None,
    };
    let mut snapshot = Snapshot::default();
    snapshot.objects.insert("marts.daily".to_owned(), foreign.clone());
    assert_eq!(shop.plan(&snapshot, None, false), Err("PW0501".to_owned()));
    // One that is not asked for is in nobody's way.
    assert!(shop.plan(&snapshot, Some(&[ORDERS]), false).is_ok());
    // One with this node's own mark is a run whose memory was lost.
    let made = shop.built().objects["marts.daily"].clone();
    snapshot.objects.insert("marts.daily".to_owned(), made);
    assert!(shop.plan(&snapshot, None, false).is_ok());
    // Somebody put a table of their own where ours was.
    let mut snapshot = shop.built();
    snapshot.objects.insert("marts.daily".to_owned(), foreign.clone());
    assert_eq!(shop.plan(&snapshot, None, false), Err("PW0501".to_owned()));
    // A node that moves finds somebody else's table at its new place.
    let mut snapshot = shop.built();
    snapshot.objects.insert("raw.daily".to_owned(), foreign);
    let moved = shop.with("models/a.yaml", "Daily.", "Daily., dataset: raw");
    assert_eq!(moved.plan(&snapshot, None, false), Err("PW0501".to_owned()));
}

#[test]
fn removed_nodes_are_orphans_until_they_are_pruned() {
    let shop = Shop::new();
    let mut snapshot = shop.built();
    let mut without = shop.clone().with("models/a.yaml", "\n  daily: { description: Daily. }", "");
    without.files.remove("expectations/a.yaml");
    let relations =
        |plan: &Plan| plan.orphans.iter().map(|orphan| orphan.relation.clone()).collect::<Vec<_>>();
    let plan = without.plan(&snapshot, None, false).unwrap();
    assert_eq!((lines(&plan), relations(&plan)), (vec![], vec!["marts.daily".to_owned()]));
    let pruned = without.plan(&snapshot, None, true).unwrap();
    assert_eq!(lines(&pruned), ["model.daily drop Removed"]);
    // Replaced by hand, it is not Pipewright's any more.
    snapshot.objects.get_mut("marts.daily").unwrap().comment = Some("mine".to_owned());
    let plan = without.plan(&snapshot, None, true).unwrap();
    assert_eq!((lines(&plan), relations(&plan)), (vec![], vec![]));
}

#[test]
fn a_moved_table_leaves_an_orphan_until_it_is_pruned() {
    let shop = Shop::new();
    let mut snapshot = shop.built();
    let moved = shop.with("models/a.yaml", "Daily.", "Daily., dataset: raw");
    let plan = moved.plan(&snapshot, None, false).unwrap();
    assert_eq!(lines(&plan), ["model.daily build ConfigChanged"]);
    assert_eq!(plan.orphans.len(), 1);
    carry_out(&plan, &mut snapshot);
    let after = moved.plan(&snapshot, None, false).unwrap();
    assert_eq!((lines(&after), after.orphans), (vec![], plan.orphans));
    assert_eq!(lines(&moved.plan(&snapshot, None, true).unwrap()), ["model.daily drop Removed"]);
}

#[test]
fn what_a_selection_leaves_out_stays_known() {
    let shop = Shop::new();
    let mut snapshot = shop.built();
    let now = Shop { content: "two", ..shop.with("models/daily.sql", "SUM", "MAX") };
    let plan = now.plan(&snapshot, Some(&[DAILY]), false).unwrap();
    assert_eq!(lines(&plan), ["model.daily build QueryChanged"]);
    assert_eq!(plan.left_out, [address(ORDERS)]);
    carry_out(&plan, &mut snapshot);
    assert_eq!(
        lines(&now.plan(&snapshot, None, false).unwrap()),
        [
            "source.orders load FileChanged",
            "model.clean build UpstreamChanged",
            "model.daily build UpstreamChanged"
        ]
    );
}

#[test]
fn plans_survive_their_file() {
    let plan = Shop::new().plan(&Snapshot::default(), None, false).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("p");
    save(&plan, &path).unwrap();
    assert_eq!(load(&path).unwrap(), plan);
    assert_eq!(text(&plan).unwrap(), text(&load(&path).unwrap()).unwrap());
}

#[test]
fn an_incremental_table_takes_new_rows_only_when_nothing_else_has_changed() {
    let shop = || {
        Shop::new()
            .with(
                "models/a.yaml",
                "  daily: { description: Daily. }",
                "  daily: { materialized: incremental, incremental: { unique_key: [id] } }",
            )
            .with("models/daily.sql", "SELECT id, SUM", "SELECT id{# a mark #}, SUM")
    };
    let built = shop().built();
    let daily = |shop: &Shop, snapshot: &Snapshot| -> Option<String> {
        lines(&shop.plan(snapshot, None, false).unwrap()).into_iter().find(|line| line.contains("daily"))
    };
    let newer = |mut shop: Shop| {
        shop.content = "two";
        shop
    };
    assert_eq!(daily(&shop(), &built), None);
    let told = |shop: Shop| daily(&shop, &built).unwrap_or_default();
    assert_eq!(told(newer(shop())), "model.daily merge UpstreamChanged");
    let other_query = || shop().with("models/daily.sql", "SUM(amount)", "MAX(amount)");
    assert_eq!(told(newer(other_query())), "model.daily build QueryChanged+UpstreamChanged");
    let keeping = other_query().with("models/a.yaml", "[id] }", "[id], on_query_change: keep }");
    assert_eq!(told(newer(keeping)), "model.daily merge QueryChanged+UpstreamChanged");
    let by_append = shop().with(
        "models/a.yaml",
        "{ unique_key: [id] }",
        "{ strategy: insert_overwrite, partition_by: id }",
    );
    assert_eq!(told(newer(by_append)), "model.daily build ConfigChanged+UpstreamChanged");
    let as_table = shop().with(
        "models/a.yaml",
        "{ materialized: incremental, incremental: { unique_key: [id] } }",
        "{ materialized: table }",
    );
    assert_eq!(told(newer(as_table)), "model.daily build ConfigChanged+UpstreamChanged");
    let other_rows = shop().with(
        "models/daily.sql",
        "GROUP BY",
        "{% if is_incremental() %} WHERE id > 1 {% endif %} GROUP BY",
    );
    assert_eq!(daily(&other_rows, &built), None, "what new rows are changes nothing of those that are there");
    // Rows that were brought in one run after the other are not given up for some that somebody took away.
    let mut drifted = shop().built();
    drifted.objects.get_mut("marts.daily").unwrap().rows = Some(2);
    assert_eq!(daily(&shop(), &drifted), None);
    assert_eq!(daily(&newer(shop()), &drifted).unwrap(), "model.daily merge UpstreamChanged");
    let plan = newer(shop()).plan(&drifted, None, false).unwrap();
    let told = "it had 3 rows and has 2; it stays so, unless `--full-refresh` builds it anew";
    assert_eq!(plan.drift[0].what, told);
    let step = plan.steps.iter().find(|step| step.address == address(DAILY)).unwrap();
    assert!(matches!(&step.action, Action::Merge(merge) if merge.rows_there == Some(2)));
    drifted.objects.get_mut("marts.daily").unwrap().columns.pop();
    assert_eq!(daily(&newer(shop()), &drifted).unwrap(), "model.daily build Drifted+UpstreamChanged");
}

/// A shop whose datasets have settings.
fn settled() -> Shop {
    Shop::new().with(
        "pipeline.yaml",
        "marts: {} }",
        "marts: { description: Marts., labels: { team: a, env: prod }, default_table_expiration: 2d, grants: [\
         { role: reader, members: [\"group:analysts@example.com\", \"user:Ana@Example.com\"] }] }, spare: { description: None. } }",
    )
}

/// What a plan does with datasets.
fn of_datasets(plan: &Plan) -> serde_json::Value {
    serde_json::json!(plan.dataset_changes)
}

#[test]
fn datasets_are_made_and_changed_as_far_as_they_are_not_as_declared() {
    let shop = settled();
    assert_eq!(shop.built().datasets, None);
    let plan = |snapshot: &Snapshot, selected: Option<&[&str]>| shop.plan(snapshot, selected, false).unwrap();
    assert_eq!(
        of_datasets(&plan(&Snapshot::default(), None)),
        serde_json::json!([]),
        "schemas are only names"
    );

    let nothing = Snapshot { datasets: Some(BTreeMap::new()), ..Snapshot::default() };
    assert_eq!(
        of_datasets(&plan(&nothing, None)),
        serde_json::json!([
            {
                "dataset": "marts",
                "is_new": true,
                "description": { "before": null, "after": "Marts." },
                "labels": { "env": { "before": null, "after": "prod" }, "team": { "before": null, "after": "a" } },
                "default_table_expiration_ms": { "before": null, "after": 172_800_000 },
                "grants": [
                    { "role": "reader", "member": "user:ana@example.com" },
                    { "role": "reader", "member": "group:analysts@example.com" },
                ],
            },
            { "dataset": "raw", "is_new": true },
        ]),
        "nothing is built in the third"
    );

    let mut built = shop.built();
    let marts = crate::state::DatasetObject {
        description: Some("Marts.".to_owned()),
        labels: [("team", "b"), ("env", "prod"), ("other", "x")]
            .map(|(label, value)| (label.to_owned(), value.to_owned()))
            .into(),
        default_table_expiration_ms: Some(172_800_000),
        grants: ["group:analysts@example.com", "user:bob@example.com"]
            .map(|member| crate::project::Grant {
                role: crate::manifest::types::DatasetRole::Reader,
                member: member.parse().unwrap(),
            })
            .into(),
    };
    let there = ["marts", "raw"].map(|name| (name.to_owned(), marts.clone()));
    built.datasets = Some(there.into());
    let lacking = serde_json::json!([{
        "dataset": "marts",
        "is_new": false,
        "labels": { "team": { "before": "b", "after": "a" } },
        "grants": [{ "role": "reader", "member": "user:ana@example.com" }],
    }]);
    let planned = plan(&built, None);
    assert_eq!(of_datasets(&planned), lacking, "of `raw` nothing is declared");
    assert!(planned.steps.is_empty() && !planned.is_empty());
    assert_eq!(of_datasets(&plan(&built, Some(&[DAILY]))), lacking);
    let elsewhere = plan(&built, Some(&[ORDERS]));
    assert_eq!(
        (of_datasets(&elsewhere), elsewhere.datasets_left_out),
        (serde_json::json!([]), vec!["marts".to_owned()])
    );
    // Declared, there, and built in by nobody.
    built.datasets.as_mut().unwrap().insert("spare".to_owned(), marts.clone());
    let spare = &plan(&built, None).dataset_changes[1];
    assert_eq!((spare.dataset.as_str(), spare.is_new), ("spare", false));
}

#[test]
fn a_saved_plan_knows_what_was_declared_of_datasets() {
    let built = settled().built();
    let manifest = |shop: Shop| shop.plan(&built, None, false).unwrap().manifest;
    let same = manifest(settled());
    assert_eq!(manifest(settled()), same);
    for (from, to) in [("team: a", "team: b"), ("2d", "3d"), ("user:Ana@", "user:bob@"), ("Marts.", "All.")] {
        assert_ne!(manifest(settled().with("pipeline.yaml", from, to)), same, "{from}");
    }
    assert_ne!(manifest(Shop::new()), same);
}
