//! What a plan says after one thing changed, and that `apply` does exactly that.

use serde_json::{Value, json};

use crate::shop::{
    ALL, ORDERS, applied, built, by_hand, content, planned, rows, serial, shop, step, steps, text,
};
use crate::support::Project;

const DATABASE: &str = "shop.duckdb";

/// Plans, applies, and checks that both are about the same steps; afterwards nothing is left to do.
#[track_caller]
fn does_exactly(project: &Project, expected: &[(&str, &str)]) {
    let planned = steps(project, &[]);
    let wanted =
        expected.iter().map(|(address, action)| ((*address).to_owned(), (*action).to_owned())).collect();
    assert_eq!(planned, wanted);
    let outcome = project.run(&["apply", "--json"]).succeeds();
    let done =
        applied(&outcome).into_iter().map(|(address, step)| (address, text(&step["action"]))).collect();
    assert_eq!(planned, done);
    assert_eq!(steps(project, &[]), steps(&shop_like(project), &[]), "nothing is left to do");
}

/// The project itself, where planning must find nothing.
fn shop_like(project: &Project) -> Project {
    assert_eq!(planned(project, &[]), Vec::<String>::new());
    let copy = Project::empty();
    for entry in walkdir::WalkDir::new(project.path()) {
        let entry = entry.unwrap();
        let target = copy.path().join(entry.path().strip_prefix(project.path()).unwrap());
        if entry.file_type().is_dir() {
            fs_err::create_dir_all(target).unwrap();
        } else {
            fs_err::copy(entry.path(), target).unwrap();
        }
    }
    copy
}

#[test]
fn first_run_makes_everything() {
    let project = shop();
    assert_eq!(planned(&project, &[]), ALL);
    assert!(!project.path().join(DATABASE).exists(), "planning writes nothing");
    project.run(&["apply"]).succeeds();
    assert_eq!(planned(&project, &[]), Vec::<String>::new());
}

#[test]
fn comments_and_white_space_rebuild_nothing() {
    let project = built();
    let serial_before = serial(&project);
    project.write(
        "models/daily_sales.sql",
        "-- Sales.\nselect day,\n  sum(amount) /* paid */ as revenue\nfrom {{ ref('clean_orders') }}\ngroup by day\n",
    );
    project.replace("pipeline.yaml", "name: shop\n", "# The shop.\nname:   shop\n");
    assert_eq!(planned(&project, &[]), Vec::<String>::new());
    project.run(&["apply"]).succeeds();
    assert_eq!(serial(&project), serial_before);
}

#[test]
fn a_changed_query_rebuilds_what_reads_it() {
    let project = built();
    project.replace("models/clean_orders.sql", "UPPER(product)", "LOWER(product)");
    assert_eq!(step(&project, "model.clean_orders")["reasons"], json!(["query_changed"]));
    assert_eq!(step(&project, "model.daily_sales")["reasons"], json!(["upstream_changed"]));
    does_exactly(&project, &[("model.clean_orders", "build"), ("model.daily_sales", "build")]);
    assert_eq!(
        rows(&project, "SELECT DISTINCT product FROM marts.clean_orders ORDER BY 1"),
        json!([["cup"], ["pen"]])
    );
}

#[test]
fn a_changed_description_is_written_and_nothing_rebuilt() {
    let project = built();
    let built_at = "SELECT address, built_at FROM pipewright.nodes ORDER BY 1";
    let before = rows(&project, built_at);
    project.replace("models/shop.yaml", "One row for each day.", "One row for each day with orders.");
    project.replace(
        "sources/shop.yaml",
        "One row for each product.",
        "One row for each product; it's small.",
    );
    project.replace(
        "models/shop.yaml",
        "    description: Orders with clean names.\n",
        "    description: Orders with clean names.\n    owner: sales@example.com\n",
    );
    does_exactly(
        &project,
        &[
            ("model.clean_orders", "describe"),
            ("model.daily_sales", "describe"),
            ("source.products", "describe"),
        ],
    );
    assert_eq!(rows(&project, built_at), before);
    let comment = rows(
        &project,
        "SELECT comment FROM duckdb_tables() WHERE table_name IN ('daily_sales', 'products') ORDER BY table_name",
    );
    assert!(
        text(&comment[0][0])
            .starts_with("One row for each day with orders.\n[pipewright shop model.daily_sales "),
        "{comment}"
    );
    assert!(text(&comment[1][0]).starts_with("One row for each product; it's small.\n"), "{comment}");
}

#[test]
fn a_changed_expectation_is_checked_and_nothing_rebuilt() {
    let project = built();
    project.replace("expectations/shop.yaml", "revenue > 0", "revenue >= 2.5");
    does_exactly(&project, &[("model.daily_sales", "check")]);
    // One that does not hold of what is published is told, and told again until it is mended.
    project.replace("expectations/shop.yaml", "revenue >= 2.5", "revenue > 2.5");
    let before = content(&project, DATABASE, "UTC");
    let outcome = project.run(&["apply"]).ends_with(1);
    assert!(outcome.stdout.contains("revenue_is_positive") && outcome.stdout.contains("PW0701"), "{outcome}");
    assert_eq!(content(&project, DATABASE, "UTC"), before);
    assert_eq!(planned(&project, &[]), ["model.daily_sales"]);
}

#[test]
fn a_changed_type_is_told_with_its_readers() {
    let project = built();
    project.replace("sources/shop.yaml", "amount: { type: NUMERIC }", "amount: { type: FLOAT64 }");
    let plan = project.run(&["plan"]).succeeds();
    assert!(plan.stdout.contains("column amount NUMERIC -> FLOAT64"), "{plan}");
    assert!(plan.stdout.contains("read by model.clean_orders"), "{plan}");
    let changed = step(&project, "source.orders");
    assert_eq!(changed["columns"]["retyped"][0][1]["name"], "amount", "{changed:#}");
    does_exactly(
        &project,
        &[("model.clean_orders", "build"), ("model.daily_sales", "build"), ("source.orders", "load")],
    );
    assert_eq!(rows(&project, "SELECT typeof(revenue) FROM marts.daily_sales LIMIT 1"), json!([["DOUBLE"]]));
}

#[test]
fn a_changed_materialization_replaces_a_table_by_a_view_and_back() {
    let project = built();
    project.replace("models/shop.yaml", "materialized: view", "materialized: table");
    let told = project.run(&["plan"]).succeeds();
    assert!(told.stdout.contains("! the view that is there is dropped: a table takes its place\n"), "{told}");
    does_exactly(&project, &[("model.clean_orders", "build"), ("model.daily_sales", "build")]);
    let kind = "SELECT table_type FROM information_schema.tables WHERE table_name = 'clean_orders'";
    assert_eq!(rows(&project, kind), json!([["BASE TABLE"]]));
    project.replace("models/shop.yaml", "materialized: table", "materialized: view");
    does_exactly(&project, &[("model.clean_orders", "build"), ("model.daily_sales", "build")]);
    assert_eq!(rows(&project, kind), json!([["VIEW"]]));
}

#[test]
fn what_a_moved_table_leaves_is_dropped_when_all_that_read_it_reads_the_new_one() {
    for _ in 0..4 {
        let project = built();
        project.replace("models/shop.yaml", "  clean_orders:\n", "  clean_orders:\n    dataset: raw\n");
        project.replace("models/clean_orders.sql", "amount FROM", "amount + 1 AS amount FROM");
        project.run(&["apply", "--prune", "--yes", "--threads", "4"]).succeeds();
        let revenue = "SELECT CAST(SUM(revenue) AS DOUBLE) FROM marts.daily_sales";
        assert_eq!(rows(&project, revenue), json!([["15.0"]]));
        let kinds = "SELECT table_schema FROM information_schema.tables WHERE table_name = 'clean_orders'";
        assert_eq!(rows(&project, kinds), json!([["raw"]]));
    }
}

#[test]
fn nothing_is_dropped_where_something_could_not_be_built() {
    let project = built();
    project.replace("models/shop.yaml", "  clean_orders:\n", "  clean_orders:\n    dataset: raw\n");
    project.replace("models/catalogue.sql", "INITCAP(colour)", "CAST(CAST(colour AS INT64) AS STRING)");
    let failed = project.run(&["apply", "--prune", "--yes"]).ends_with(1);
    assert!(failed.stdout.contains("held back"), "{failed}");
    let kinds = "SELECT COUNT(*) FROM information_schema.tables WHERE table_name = 'clean_orders'";
    assert_eq!(rows(&project, kinds), json!([["2"]]));
}

// Drift.

#[track_caller]
fn drifts(sql: &str, address: &str, what: &str) {
    let project = built();
    let before = content(&project, DATABASE, "UTC");
    by_hand(&project, sql);
    let plan = project.run(&["plan", "--json"]).succeeds().json();
    let drift = plan["drift"].as_array().expect("drift");
    assert_eq!(drift.len(), 1, "{plan:#}");
    assert_eq!(drift[0]["address"], address);
    assert_eq!(drift[0]["what"], what);
    let told = project.run(&["plan"]).succeeds();
    assert!(told.stdout.starts_with("Changed outside of Pipewright since the last run:\n"), "{told}");
    project.run(&["apply"]).succeeds();
    assert_eq!(content(&project, DATABASE, "UTC"), before);
    assert_eq!(planned(&project, &[]), Vec::<String>::new());
}

#[test]
fn a_dropped_table_is_built_again() {
    drifts("DROP TABLE marts.daily_sales", "model.daily_sales", "it is gone");
}

#[test]
fn a_dropped_source_is_loaded_again() {
    drifts("DROP TABLE raw.products", "source.products", "it is gone");
}

#[test]
fn an_added_column_goes() {
    drifts(
        "ALTER TABLE marts.daily_sales ADD COLUMN note VARCHAR",
        "model.daily_sales",
        "columns were added: note",
    );
}

#[test]
fn a_retyped_column_is_mended() {
    drifts(
        "ALTER TABLE marts.catalogue ALTER colour TYPE BLOB USING colour::BLOB",
        "model.catalogue",
        "columns were changed: colour",
    );
}

#[test]
fn a_table_that_somebody_put_in_our_place_is_left_alone() {
    let project = built();
    by_hand(&project, "CREATE OR REPLACE TABLE marts.daily_sales AS SELECT 'mine' AS day");
    for command in ["plan", "apply"] {
        let outcome = project.run(&[command]).ends_with(1);
        assert!(outcome.stderr.contains("PW0501"), "{outcome}");
    }
    assert_eq!(rows(&project, "SELECT day FROM marts.daily_sales"), json!([["mine"]]));
    by_hand(&project, "DROP TABLE marts.daily_sales");
    project.run(&["apply"]).succeeds();
}

#[test]
fn a_table_replaced_by_a_view_is_built_again() {
    drifts(
        "DROP TABLE marts.daily_sales; CREATE VIEW marts.daily_sales AS SELECT 1 AS day",
        "model.daily_sales",
        "it was replaced by a view",
    );
}

#[test]
fn deleted_rows_come_back() {
    drifts(
        "DELETE FROM marts.daily_sales WHERE day = '2024-01-01'",
        "model.daily_sales",
        "it had 2 rows and has 1",
    );
}

#[test]
fn a_replaced_view_is_made_again() {
    drifts(
        "CREATE OR REPLACE VIEW marts.clean_orders AS SELECT id, day, 'x' AS product, amount FROM raw.orders",
        "model.clean_orders",
        "it was replaced, or its comment was changed",
    );
}

#[test]
fn what_pipewright_did_not_make_is_in_the_way_and_stays() {
    let project = shop();
    by_hand(&project, "CREATE SCHEMA marts; CREATE TABLE marts.daily_sales AS SELECT 42 AS precious");
    for command in ["plan", "apply"] {
        let outcome = project.run(&[command]).ends_with(1);
        assert!(
            outcome.stderr.contains("PW0501") && outcome.stderr.contains("marts.daily_sales"),
            "{outcome}"
        );
    }
    assert_eq!(rows(&project, "SELECT precious FROM marts.daily_sales"), json!([["42"]]));
}

#[test]
fn a_node_moves_only_to_a_free_place_and_its_old_table_is_an_orphan() {
    let project = built();
    by_hand(&project, "CREATE SCHEMA archive; CREATE TABLE archive.catalogue AS SELECT 42 AS precious");
    project.replace("pipeline.yaml", "datasets:\n", "datasets:\n  archive: { description: Old. }\n");
    project.replace(
        "models/shop.yaml",
        "    description: Products as they are shown.\n",
        "    description: Products as they are shown.\n    dataset: archive\n",
    );
    let refused = project.run(&["apply"]).ends_with(1);
    assert!(refused.stderr.contains("PW0501"), "{refused}");
    assert_eq!(rows(&project, "SELECT precious FROM archive.catalogue"), json!([["42"]]));

    by_hand(&project, "DROP TABLE archive.catalogue");
    project.run(&["apply"]).succeeds();
    let plan = project.run(&["plan", "--json"]).succeeds().json();
    assert_eq!(plan["orphans"][0]["relation"], "marts.catalogue", "{plan:#}");
    project.run(&["apply", "--prune", "--yes"]).succeeds();
    let places =
        rows(&project, "SELECT table_schema FROM information_schema.tables WHERE table_name = 'catalogue'");
    assert_eq!(places, json!([["archive"]]));
    let plan = project.run(&["plan", "--json", "--prune"]).succeeds().json();
    assert_eq!([&plan["orphans"], &plan["steps"]], [&json!([]), &json!([])]);
}

#[test]
fn pruning_drops_only_what_is_ours_and_only_when_asked() {
    let project = built();
    by_hand(
        &project,
        "CREATE TABLE marts.mine AS SELECT 1 AS x; CREATE OR REPLACE TABLE marts.daily_sales AS SELECT 2 AS x",
    );
    project
        .write("models/shop.yaml", "models:\n  clean_orders: { description: Orders., materialized: view }\n");
    project.write(
        "expectations/shop.yaml",
        "suites:\n  orders:\n    expectations:\n      - { expect: unique, columns: [id] }\n",
    );
    let plan = project.run(&["plan"]).succeeds();
    assert!(plan.stdout.contains("model.catalogue") && plan.stdout.contains("--prune"), "{plan}");
    project.run(&["apply"]).succeeds();
    assert_eq!(rows(&project, "SELECT count(*) FROM marts.catalogue"), json!([["2"]]));

    let refused = project.run(&["apply", "--prune"]).ends_with(1);
    assert!(refused.stderr.contains("PW0504") && refused.stderr.contains("--yes"), "{refused}");
    assert_eq!(rows(&project, "SELECT count(*) FROM marts.catalogue"), json!([["2"]]));

    project.run(&["apply", "--prune", "--yes"]).succeeds();
    let left = rows(
        &project,
        "SELECT table_name FROM information_schema.tables WHERE table_schema = 'marts' ORDER BY 1",
    );
    assert_eq!(left, json!([["clean_orders"], ["daily_sales"], ["mine"]]));
    assert_eq!(rows(&project, "SELECT x FROM marts.daily_sales"), json!([["2"]]));
}

// Saved plans.

#[test]
fn equal_plans_are_equal_bytes() {
    let project = shop();
    project.run(&["plan", "--out", "one.plan"]).succeeds();
    project.run(&["plan", "--out", "two.plan"]).succeeds();
    assert_eq!(project.read("one.plan"), project.read("two.plan"));
    let shipped = Project::shipped();
    let plans: Vec<String> = (0..3).map(|_| shipped.run(&["plan", "--json"]).succeeds().stdout).collect();
    assert!(plans.windows(2).all(|pair| pair[0] == pair[1]), "plans differ from process to process");
}

#[test]
fn a_saved_plan_is_done_exactly() {
    let project = built();
    project.replace("models/clean_orders.sql", "UPPER(product)", "LOWER(product)");
    project.write("data/products.csv", "product,colour\npen,green\n");
    project.run(&["plan", "--select", "clean_orders+", "--out", "p.json"]).succeeds();
    // A touched file is the same file.
    project.write("data/orders.csv", ORDERS);
    let outcome = project.run(&["apply", "p.json", "--json"]).succeeds();
    assert_eq!(
        applied(&outcome).into_keys().collect::<Vec<_>>(),
        ["model.clean_orders", "model.daily_sales"]
    );
    assert_eq!(planned(&project, &[]), ["model.catalogue", "source.products"]);
}

#[track_caller]
fn is_stale(project: &Project, arguments: &[&str], why: &str) {
    let before = content(project, DATABASE, "UTC");
    let words: Vec<&str> = ["apply", "p.json"].iter().chain(arguments).copied().collect();
    let outcome = project.run(&words).ends_with(1);
    assert!(outcome.stderr.contains("PW0502") && outcome.stderr.contains(why), "{outcome}");
    assert_eq!(content(project, DATABASE, "UTC"), before);
}

#[test]
fn a_saved_plan_goes_stale() {
    let project = built();
    project.replace("models/daily_sales.sql", "SUM(amount)", "MAX(amount)");
    project.write("data/products.csv", "product,colour\npen,green\n");
    project.run(&["plan", "--out", "p.json"]).succeeds();

    project.write("data/products.csv", "product,colour\npen,black\n");
    is_stale(&project, &[], "files were changed");
    project.write("data/products.csv", "product,colour\npen,green\n");

    project.replace("models/daily_sales.sql", "MAX(amount)", "MIN(amount)");
    is_stale(&project, &[], "the manifest was changed");
    project.replace("models/daily_sales.sql", "MIN(amount)", "MAX(amount)");

    is_stale(&project, &["--target", "other"], "it is for shop on local");
    fs_err::copy(project.path().join(DATABASE), project.path().join("kept")).unwrap();
    fs_err::remove_file(project.path().join(DATABASE)).unwrap();
    project.run(&["apply", "--select", "source.orders"]).succeeds();
    is_stale(&project, &[], "another database");
    fs_err::rename(project.path().join("kept"), project.path().join(DATABASE)).unwrap();

    by_hand(&project, "DROP TABLE marts.catalogue");
    is_stale(&project, &[], "outside of Pipewright");

    project.run(&["apply", "--select", "+catalogue"]).succeeds();
    is_stale(&project, &[], "another run");

    let broken = [("not JSON", "no"), ("another format", "{\"format\": 99}"), ("no format", "{}")];
    for (what, text) in broken {
        project.write("p.json", text);
        let outcome = project.run(&["apply", "p.json"]).ends_with(1);
        assert!(outcome.stderr.contains("PW0503"), "{what}: {outcome}");
    }
    assert_eq!(rows(&project, "SELECT max(revenue) FROM marts.daily_sales"), json!([["9.500000000"]]));
}

#[test]
fn what_is_refused_for_a_target_without_a_file_makes_none() {
    let project = built();
    let files = || {
        let entries = fs_err::read_dir(project.path()).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.filter(|name| name.contains("duckdb")).collect::<std::collections::BTreeSet<_>>()
    };
    let before = files();
    project.write("data/products.csv", "product,colour\npen,green\n");
    project.run(&["plan", "--out", "p.json"]).succeeds();
    // Of another target, and of the same one in another place.
    is_stale(&project, &["--target", "other"], "it is for shop on local");
    assert_eq!(files(), before);
    project.replace("pipeline.yaml", "path: shop.duckdb", "path: moved.duckdb");
    let moved = project.run(&["apply", "p.json"]).ends_with(1);
    assert!(moved.stderr.contains("PW0502") && moved.stderr.contains("another database"), "{moved}");
    assert_eq!(files(), before);
    // Without a saved plan it is the same.
    fs_err::remove_file(project.path().join("data/orders.csv")).unwrap();
    let missing = project.run(&["apply"]).ends_with(1);
    assert!(missing.stderr.contains("PW0601"), "{missing}");
    assert_eq!(files(), before);
    // A plan for a target that is not made yet is carried out.
    project.write("data/orders.csv", ORDERS);
    project.run(&["plan", "--out", "p.json"]).succeeds();
    project.run(&["apply", "p.json"]).succeeds();
    assert!(files().contains("moved.duckdb"));
}

// Selection.

#[test]
fn selections_choose_steps() {
    let project = built();
    // Everything is changed, so that everything would be built.
    for model in ["catalogue", "clean_orders", "daily_sales"] {
        let path = format!("models/{model}.sql");
        let sql = project.read(&path);
        project.write(&path, &format!("SELECT * FROM ({sql}) AS whole"));
    }
    for file in ["orders", "products"] {
        let path = format!("data/{file}.csv");
        let csv = project.read(&path);
        project.write(
            &path,
            &format!("{csv}{}", csv.lines().last().map(|line| format!("{line}\n")).unwrap_or_default()),
        );
    }
    let of = |arguments: &[&str]| planned(&project, arguments);
    assert_eq!(of(&["--select", "catalogue"]), ["model.catalogue"]);
    assert_eq!(of(&["--select", "+catalogue"]), ["model.catalogue", "source.products"]);
    assert_eq!(of(&["--select", "orders+"]), ["model.clean_orders", "model.daily_sales", "source.orders"]);
    assert_eq!(of(&["--select", "tag:sales"]), ["model.clean_orders", "model.daily_sales", "source.orders"]);
    assert_eq!(
        of(&["--select", "path:models"]),
        ["model.catalogue", "model.clean_orders", "model.daily_sales"]
    );
    assert_eq!(of(&["--select", "path:models,tag:sales"]), ["model.clean_orders", "model.daily_sales"]);
    assert_eq!(
        of(&["--select", "tag:sales", "--exclude", "daily_sales"]),
        ["model.clean_orders", "source.orders"]
    );
    assert_eq!(of(&["--exclude", "products+"]), ["model.clean_orders", "model.daily_sales", "source.orders"]);
    assert_eq!(of(&["--select", "state:changed"]), ALL);
    let wrong = project.run(&["plan", "--select", "catalog"]).ends_with(1);
    assert!(wrong.stderr.contains("catalogue"), "a hint: {wrong}");
}

#[test]
fn what_was_left_out_is_told_and_not_forgotten() {
    let project = built();
    project.replace("models/clean_orders.sql", "UPPER(product)", "LOWER(product)");
    project.replace("models/catalogue.sql", "INITCAP(colour)", "LOWER(colour)");
    assert_eq!(
        planned(&project, &["--select", "state:changed"]),
        ["model.catalogue", "model.clean_orders", "model.daily_sales"]
    );
    let plan = project.run(&["plan", "--select", "catalogue"]).succeeds();
    assert!(plan.stdout.contains("not selected: model.clean_orders"), "{plan}");
    project.run(&["apply", "--select", "catalogue"]).succeeds();
    let nothing = project.run(&["plan", "--select", "catalogue"]).succeeds();
    assert!(!nothing.stdout.contains("as the manifest says"), "{nothing}");
    // Below what was left out: built from what is published, and again once that changes.
    project.replace("models/daily_sales.sql", "SUM(amount)", "MAX(amount)");
    project.run(&["apply", "--select", "daily_sales"]).succeeds();
    does_exactly(&project, &[("model.clean_orders", "build"), ("model.daily_sales", "build")]);
}

#[test]
fn plan_exit_codes_tell_whether_there_is_something_to_do() {
    let project = shop();
    project.run(&["plan"]).ends_with(0);
    project.run(&["plan", "--detailed-exitcode"]).ends_with(2);
    project.run(&["apply"]).succeeds();
    project.run(&["plan", "--detailed-exitcode"]).ends_with(0);
    project.write("models/daily_sales.sql", "SELECT nothing FROM {{ ref('clean_orders') }}\n");
    let broken = project.run(&["plan", "--detailed-exitcode"]).ends_with(1);
    assert_eq!(broken.stdout, "");
    assert_eq!(Value::from(broken.stderr.contains("PW0404")), Value::from(true), "{broken}");
}

#[test]
fn what_holds_on_bigquery_only_is_told_once_on_the_embedded_engine() {
    let project = shop();
    let quiet = project.run(&["plan"]).succeeds();
    assert_eq!(quiet.stderr, "");
    project.replace(
        "pipeline.yaml",
        "marts: { description: For reports. }",
        "marts: { description: For reports., grants: [{ role: reader, members: [\"domain:example.com\"] }] }",
    );
    project.replace(
        "models/shop.yaml",
        "      revenue: { description: What was paid. }",
        "      revenue: { policy_tag: projects/p/locations/eu/taxonomies/1/policyTags/2 }\n    expires_after: 90d",
    );
    let told = "On the target `local` these have no effect, since they hold on BigQuery only: `policy_tag` of 1 column, \
                `grants` of 1 dataset, `expires_after` of 1 table.\n";
    for command in ["plan", "apply", "apply"] {
        let outcome = project.run(&[command]).succeeds();
        assert_eq!(outcome.stderr.matches(told).count(), 1, "{outcome}");
        assert!(!outcome.stdout.contains("BigQuery only"), "{outcome}");
    }
}
