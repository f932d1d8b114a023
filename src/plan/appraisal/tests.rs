//! What is asked about a plan, and what the answers make of it. No target.

use super::super::tests::Shop;
use super::*;
use crate::expectations::AuditQuery;
use crate::state::FileState;

const DAILY: &str = "model.daily";
const MEBIBYTE: u64 = 1 << 20;

/// The shop on BigQuery with settings of its table.
fn cloud(settings: &str) -> Shop {
    let settings = format!("daily: {{ description: Daily., {settings} }}");
    let shop = Shop::new().with("models/a.yaml", "daily: { description: Daily. }", &settings);
    Shop { target: "cloud".to_owned(), ..shop }
}

/// What there is to ask about the change of a shop that was built, once its file is another.
struct Asked {
    compiled: CompiledProject,
    plan: Plan,
    questions: Vec<Question>,
}

impl Asked {
    fn of(built: &Shop, now: &Shop) -> Self {
        let (snapshot, now) = (built.built(), Shop { content: "two", ..now.clone() });
        let (compiled, plan) = (now.compiled(), now.plan(&snapshot, None, false).unwrap());
        let questions = questions(&plan, &compiled, &snapshot);
        Self { compiled, plan, questions }
    }

    /// The questions about the table.
    fn of_daily(&self) -> Vec<&Question> {
        let is_daily = |question: &&Question| self.plan.steps[question.step].address.to_string() == DAILY;
        self.questions.iter().filter(is_daily).collect()
    }

    /// The plan with each question answered by what this says of its query.
    fn answered(mut self, say: &dyn Fn(&str) -> Answer) -> Result<Plan, Diagnostics> {
        let answers: Vec<(Question, Option<Answer>)> = std::mem::take(&mut self.questions)
            .into_iter()
            .map(|question| {
                let answer = question.sql().map(say);
                (question, answer)
            })
            .collect();
        appraise(&mut self.plan, &self.compiled, 8.0, &answers).map(|()| self.plan)
    }
}

fn cost_of(plan: &Plan, address: &str) -> Cost {
    let step = plan.steps.iter().find(|step| step.address.to_string() == address).unwrap();
    step.estimate.cost.unwrap()
}

fn read(mebibytes: u64) -> Scanned {
    Scanned { bytes: mebibytes * MEBIBYTE, tables: 1, ..Scanned::default() }
}

const BY_KEY: &str = "materialized: incremental, incremental: { unique_key: [id] }";

#[test]
fn a_merge_is_asked_about_by_its_query_its_key_its_audits_and_its_table() {
    let shop = cloud(BY_KEY);
    let asked = Asked::of(&shop, &shop);
    let told: Vec<(Part, Option<&str>, Accuracy)> = asked
        .of_daily()
        .into_iter()
        .map(|question| (question.part, question.sql(), question.nearest))
        .collect();
    let parts: Vec<Part> = told.iter().map(|(part, ..)| *part).collect();
    let (rows, audit) = (Part::Rows { increment: true }, Part::Audit);
    // That the key has a value is asked of the new rows by its proof, and of the whole table by the expectation.
    assert_eq!(parts, [rows, audit, Part::Merge, audit], "{told:?}");
    // The table in which the new rows are to be is there as it is without them.
    let (_, of_whole, nearest) = told[3];
    assert!(of_whole.unwrap().contains("`p.marts.daily`"), "{told:?}");
    assert_eq!(nearest, Accuracy::Unknown);
    assert_eq!(told[2].1, Some("SELECT * FROM `p.marts.daily`"));

    let plan = asked.answered(&|_| Ok(read(20))).unwrap();
    let cost = cost_of(&plan, DAILY);
    assert_eq!((cost.billed, cost.dearest), (80 * MEBIBYTE, 20 * MEBIBYTE));
    assert_eq!((cost.accuracy, cost.dearest_accuracy), (Accuracy::Unknown, Accuracy::Unknown));
}

#[test]
fn a_table_with_a_column_that_comes_is_stood_in_for() {
    let shop = cloud(
        "materialized: incremental, incremental: { unique_key: [id], on_schema_change: add, on_query_change: keep }",
    );
    let more = shop
        .clone()
        .with("models/daily.sql", "SUM(amount) AS amount", "SUM(amount) AS amount, COUNT(*) AS orders")
        .with("expectations/a.yaml", "columns: [id]", "columns: [id, orders]");
    let asked = Asked::of(&shop, &more);
    let audit = asked.of_daily().pop().unwrap();
    assert!(matches!(asked.plan.steps[audit.step].action, Action::Merge(_)), "{:?}", asked.plan.steps);
    let sql = audit.sql().unwrap();
    // The rows that are there cost what they cost.
    let widened =
        "(SELECT *, CAST(NULL AS INT64) AS `orders` FROM `p.marts.daily`) AS `daily__pipewright_next`";
    assert!(sql.contains(widened), "{sql}");
    assert_eq!(audit.nearest, Accuracy::Unknown);
}

#[test]
fn columns_that_go_or_change_are_left_out_of_what_stands_in() {
    let column = |name: &str, data_type: Type| Column { name: name.to_owned(), data_type };
    let there = [("a".to_owned(), "INT64".to_owned()), ("b".to_owned(), "STRING".to_owned())];
    let changes = ColumnChanges {
        added: vec![column("c", Type::Date)],
        removed: vec![column("A", Type::Int64)],
        retyped: Vec::new(),
    };
    let query = with_columns("`p.d.t`", &changes, &there);
    assert_eq!(query.as_deref(), Some("SELECT * EXCEPT (`A`), CAST(NULL AS DATE) AS `c` FROM `p.d.t`"));
    let retyped = vec![(column("b", Type::String), column("b", Type::Int64))];
    let query = with_columns(
        "`p.d.t`",
        &ColumnChanges { retyped: retyped.clone(), ..ColumnChanges::default() },
        &there,
    );
    assert_eq!(query.as_deref(), Some("SELECT * EXCEPT (`b`), CAST(NULL AS INT64) AS `b` FROM `p.d.t`"));
    // Nothing is left of it.
    assert_eq!(with_columns("`p.d.t`", &ColumnChanges { retyped, ..changes }, &there), None);
}

#[test]
fn a_table_that_must_be_asked_by_partitions_is_asked_about_all_of_them() {
    let by = "partition_by: { column: id, range: { start: 0, end: 9, interval: 1 } }, require_partition_filter: true";
    for settings in [by.to_owned(), format!("{by}, {BY_KEY}")] {
        let shop = cloud(&settings);
        let asked = Asked::of(&shop, &shop);
        let of_daily = asked.of_daily();
        let merges = matches!(asked.plan.steps[of_daily[0].step].action, Action::Merge(_));
        assert_eq!(merges, settings.contains("incremental"));
        let published: Vec<&str> = of_daily
            .iter()
            .filter_map(|question| question.sql())
            .filter(|sql| sql.contains("`p.marts.daily`"))
            .collect();
        assert!(!published.is_empty());
        let all = "FROM `p.marts.daily` WHERE `id` >= -9223372036854775808 OR `id` IS NULL)";
        assert!(published.iter().all(|sql| sql.contains(all)), "{published:?}");
    }
}

#[test]
fn a_view_reads_nothing_when_it_is_made_and_is_asked_about_all_the_same() {
    let shop = cloud("max_shrink: 1.0");
    let other = shop.clone().with("models/clean.sql", "SELECT id, amount", "SELECT id, amount + 1 AS amount");
    let asked = Asked::of(&shop, &other);
    let plan = asked.answered(&|_| Ok(read(20))).unwrap();
    let view = cost_of(&plan, "model.clean");
    assert_eq!((view.bytes, view.billed, view.accuracy), (0, 0, Accuracy::Exact));

    let refusal = Refusal { message: "no".to_owned(), place: Some((1, 8)), help: Some("ask".to_owned()) };
    let asked = Asked::of(&shop, &other);
    let say = |sql: &str| if sql.contains("amount + 1") { Err(refusal.clone()) } else { Ok(read(20)) };
    let faults = asked.answered(&say).unwrap_err();
    let faults: Vec<&Diagnostic> = faults.iter().collect();
    assert_eq!(faults.len(), 1);
    assert_eq!(faults[0].code, Code::QueryRefused);
    assert_eq!(faults[0].help.as_deref(), Some("ask; nothing has run"));
}

#[test]
fn the_audit_of_a_build_has_no_scan_of_its_own_for_what_bigquery_knows() {
    let shop = cloud("max_shrink: 1.0");
    let asked = Asked::of(&shop, &shop);
    let queries = |plan: &Plan| -> Vec<AuditQuery> {
        let publish = plan.steps.iter().filter_map(|step| step.action.publish());
        publish.flat_map(|publish| publish.audit.queries.clone()).collect()
    };
    let found = queries(&asked.plan);
    assert!(found.iter().all(|query| !query.sized && !query.checks.is_empty()), "{found:?}");
    let local = Shop::new();
    let local = local.plan(&Snapshot::default(), None, false).unwrap();
    assert_eq!(queries(&local).iter().filter(|query| query.sized).count(), 2);
}

#[test]
fn files_that_the_target_loads_by_itself_are_looked_over() {
    let shop = cloud("max_shrink: 1.0");
    let load = |path: &str, data_type: &str| -> LoadAction {
        let shop = shop.clone().with(
            "sources/a.yaml",
            "id: { type: INT64 }",
            &format!("id: {{ type: {data_type} }}"),
        );
        let plan = shop.plan(&Snapshot::default(), None, false).unwrap();
        let mut load = plan.steps.into_iter().find_map(|step| match step.action {
            Action::Load(load) => Some(*load),
            _ => None,
        });
        let load_action = load.as_mut().unwrap();
        let file =
            FileState { path: path.to_owned(), bytes: 12 * MEBIBYTE, ..load_action.reading.files[0].clone() };
        load_action.reading.files = vec![file.clone(), file];
        load.unwrap()
    };
    let cost = look_over(&load("gs://bucket/a.csv", "STRING"), 8.0);
    assert_eq!((cost.billed, cost.accuracy), (24 * MEBIBYTE, Accuracy::Unknown));
    // Numbers have been judged by whoever read them.
    assert_eq!(look_over(&load("gs://bucket/a.csv", "INT64"), 8.0), Cost::default());
    assert_eq!(look_over(&load("a.csv", "STRING"), 8.0), Cost::default());
}

#[test]
fn what_is_written_down_is_billed_by_run_and_by_step() {
    let shop = cloud("max_shrink: 1.0");
    let first = shop.plan(&Snapshot::default(), None, false).unwrap();
    // Two entries each of a load, a view and a table; nothing is there to be looked up.
    assert_eq!(bookkeeping(&first, true), 60 * MEBIBYTE);
    let again = Shop { content: "two", ..shop.clone() }.plan(&shop.built(), None, false).unwrap();
    let entries = 2 * again.steps.len() as u64;
    assert_eq!(bookkeeping(&again, false), (entries + 5) * 10 * MEBIBYTE);
    assert_eq!(bookkeeping(&again, true), (entries + 12) * 10 * MEBIBYTE);
    let mut described = again;
    for step in &mut described.steps {
        step.action = Action::Drop { materialization: Materialization::Table };
    }
    assert_eq!(bookkeeping(&described, false), (entries / 2 + 5) * 10 * MEBIBYTE);
}
