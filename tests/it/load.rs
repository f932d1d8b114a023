//! Files: what is loaded, what is refused, and what stays when a load fails.

use serde_json::{Value, json};

use crate::shop::{ORDERS, applied, built, by_hand, content, planned, rows, shop, text};
use crate::support::Project;

const DATABASE: &str = "shop.duckdb";

/// Writes a file as bytes.
fn write(project: &Project, path: &str, bytes: &[u8]) {
    fs_err::write(project.path().join(path), bytes).unwrap();
}

fn orders(project: &Project) -> Value {
    rows(project, "SELECT id, day, product, amount FROM raw.orders ORDER BY id")
}

fn three() -> Value {
    json!([
        ["1", "2024-01-01", "pen", "2.500000000"],
        ["2", "2024-01-01", "cup", "7.000000000"],
        ["3", "2024-01-02", "pen", "2.500000000"]
    ])
}

#[test]
fn only_content_counts() {
    let project = built();
    assert_eq!(orders(&project), three());
    let file = fs_err::File::options().write(true).open(project.path().join("data/orders.csv")).unwrap();
    file.into_file()
        .set_modified(std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000_000))
        .unwrap();
    assert_eq!(planned(&project, &[]), Vec::<String>::new());
    // The same size, and other content.
    project.write("data/orders.csv", &ORDERS.replace("7.00", "8.00"));
    assert_eq!(planned(&project, &[]), ["model.clean_orders", "model.daily_sales", "source.orders"]);
    project.run(&["apply"]).succeeds();
    assert_eq!(
        rows(&project, "SELECT revenue FROM marts.daily_sales ORDER BY day"),
        json!([["10.500000000"], ["2.500000000"]])
    );
}

#[test]
fn columns_are_matched_by_name() {
    let project = shop();
    project.write(
        "data/orders.csv",
        "amount,product,day,id\n2.50,pen,2024-01-01,1\n7.00,cup,2024-01-01,2\n2.50,pen,2024-01-02,3\n",
    );
    project.run(&["apply"]).succeeds();
    assert_eq!(orders(&project), three());
}

#[test]
fn new_and_missing_columns_go_by_contract() {
    let project = built();
    let before = content(&project, DATABASE, "UTC");
    let wider = ORDERS.replace("amount\n", "amount,note\n").replace("0\n", "0,new\n");
    project.write("data/orders.csv", &wider);
    let failed = project.run(&["apply"]).ends_with(1);
    assert!(failed.stdout.contains("PW0602") && failed.stdout.contains("note"), "{failed}");
    assert_eq!(content(&project, DATABASE, "UTC"), before);

    project.replace(
        "sources/shop.yaml",
        "files: data/orders.csv\n",
        "files: data/orders.csv\n    on_new_column: ignore\n",
    );
    project.run(&["apply"]).succeeds();
    assert_eq!(content(&project, DATABASE, "UTC")["raw.orders"], before["raw.orders"]);

    project.replace("sources/shop.yaml", "on_new_column: ignore", "on_new_column: add");
    project.run(&["apply"]).succeeds();
    assert_eq!(rows(&project, "SELECT DISTINCT note FROM raw.orders"), json!([["new"]]));
    assert_eq!(planned(&project, &[]), Vec::<String>::new());

    project.write("data/orders.csv", "id,day,product\n1,2024-01-01,pen\n");
    let failed = project.run(&["apply"]).ends_with(1);
    assert!(failed.stdout.contains("PW0602") && failed.stdout.contains("amount"), "{failed}");
    assert_eq!(rows(&project, "SELECT count(*) FROM raw.orders"), json!([["3"]]));
    project.replace("sources/shop.yaml", "on_new_column: add\n", "on_missing_column: add\n");
    project.run(&["apply", "--allow-shrink"]).succeeds();
    assert_eq!(orders(&project), json!([["1", "2024-01-01", "pen", null]]));
}

#[test]
fn packed_files_are_unpacked() {
    let project = shop();
    project.replace("sources/shop.yaml", "data/orders.csv", "data/orders.csv.gz");
    let program = "import gzip, sys; gzip.open(sys.argv[1], 'wb').write(sys.argv[2].encode())";
    let path = project.path().join("data/orders.csv.gz");
    crate::support::python(program, &[path.to_str().unwrap(), ORDERS]).succeeds();
    project.run(&["apply"]).succeeds();
    assert_eq!(orders(&project), three());
    // Cut short, as by a broken download.
    let packed = fs_err::read(&path).unwrap();
    write(&project, "data/orders.csv.gz", &packed[..packed.len() / 2]);
    let failed = project.run(&["apply"]).ends_with(1);
    assert!(failed.stdout.contains("orders.csv.gz"), "{failed}");
    assert_eq!(orders(&project), three());
}

#[test]
fn encodings_marks_and_nulls() {
    let project = shop();
    project.replace(
        "sources/shop.yaml",
        "files: data/products.csv\n",
        "files: data/products.csv\n    format: { type: csv, encoding: windows-1252, delimiter: \";\", null_markers: [\"\", \"NULL\"] }\n",
    );
    write(
        &project,
        "data/products.csv",
        b"product;colour\ncaf\xe9;NULL\n\"S\xe3o \x80\";\"a\n\"\"b\"\"\"\nx;\n",
    );
    write(&project, "data/orders.csv", format!("\u{feff}{ORDERS}").as_bytes());
    project.run(&["apply"]).succeeds();
    assert_eq!(orders(&project), three());
    assert_eq!(
        rows(&project, "SELECT product, colour FROM raw.products ORDER BY 1"),
        json!([["São €", "a\n\"b\""], ["café", null], ["x", null]])
    );
}

#[test]
fn a_bad_value_is_told_with_its_place_and_yesterday_stays() {
    let project = built();
    let before = content(&project, DATABASE, "UTC");
    // The third record is in the fifth line: the second one spans two.
    project.write(
        "data/orders.csv",
        "id,day,product,amount\n1,2024-01-01,pen,2.50\n2,2024-01-01,\"c\nup\",7.00\n3,2024-01-02,pen,2;50\n",
    );
    let failed = project.run(&["apply"]).ends_with(1);
    for told in ["PW0603", "data/orders.csv:5", "column `amount`", "`2;50`", "held back"] {
        assert!(failed.stdout.contains(told), "{told}: {failed}");
    }
    assert_eq!(content(&project, DATABASE, "UTC"), before);
    project.write("data/orders.csv", ORDERS);
    assert_eq!(planned(&project, &[]), Vec::<String>::new());
}

#[test]
fn failing_rows_are_told_with_file_and_line() {
    let project = shop();
    project.replace("sources/shop.yaml", "data/orders.csv\n", "data/orders*.csv\n    max_rejects: 1\n");
    project.replace("expectations/shop.yaml", "columns: [id] }\n", "columns: [id] }\n      - { expect: expression, name: is_paid, sql: amount > 0, severity: warning }\n");
    project.replace("expectations/shop.yaml", "sql: revenue > 0", "sql: revenue > -100");
    // A line break inside of quotes, a row that is rejected, and an empty line: none of them may move what follows.
    project.write(
        "data/orders.csv",
        "id,day,product,amount\n1,2024-01-01,\"a\npen\",2.50\nx,,,\n\n2,2024-01-01,cup,-7.00\n",
    );
    project.write("data/orders_2.csv", "id,day,product,amount\n3,2024-01-01,pen,2.50\n2,2024-01-01,pen,0\n");
    let failed = project.run(&["apply"]).ends_with(1);
    for line in [
        "data/orders.csv:6, data/orders_2.csv:3 {\"id\":2,\"rows_with_this_key\":2}",
        "data/orders.csv:6 {\"amount\":\"-7\",\"id\":2,",
        "data/orders_2.csv:3 {\"amount\":\"0\",\"id\":2,",
    ] {
        assert!(failed.stdout.contains(line), "no `{line}` in {failed}");
    }
    assert_eq!(
        rows(&project, "SELECT places FROM pipewright.expectations WHERE address LIKE '%unique_id'"),
        json!([["[\"data/orders.csv:6, data/orders_2.csv:3\"]"]])
    );

    // The same of the published table, as long as the files are those that it was loaded from.
    project.replace("data/orders_2.csv", "2,2024", "4,2024");
    project.run(&["apply"]).succeeds();
    let places = || {
        let checked = project.run(&["check", "--json"]).succeeds().json();
        let checks = checked["checks"].as_array().unwrap().clone();
        checks.into_iter().find(|check| check["address"] == "expectation.orders.is_paid").unwrap()["places"]
            .clone()
    };
    assert_eq!(places(), json!(["data/orders.csv:6", "data/orders_2.csv:3"]));
    project.replace("data/orders_2.csv", "pen,0", "pen,1");
    assert_eq!(places(), Value::Null);
}

#[test]
fn rows_of_own_queries_are_told_with_file_and_line_where_they_are_rows_of_the_table() {
    let project = shop();
    let entries = [
        ("all", "SELECT * FROM this WHERE amount < 5"),
        ("some", "SELECT o.day FROM this AS o WHERE o.amount = (SELECT MAX(amount) FROM this)"),
        (
            "joined",
            "SELECT p.*, this.id AS number FROM this JOIN products AS p ON p.product = this.product WHERE p.product = 'cup'",
        ),
        ("grouped", "SELECT product, COUNT(*) AS orders FROM this GROUP BY product HAVING COUNT(*) > 1"),
        ("computed", "SELECT id + 1 AS next FROM this WHERE id = 3"),
        ("counted", "SELECT COUNT(*) AS n FROM this"),
    ];
    let suite: String = entries.iter().fold("suites:\n  orders:\n    expectations:\n".to_owned(), |suite, (name, sql)| {
        let entry = json!({ "expect": "query", "name": name, "sql": sql, "reads": ["products"], "severity": "warning" });
        format!("{suite}      - {entry}\n")
    });
    project.write("expectations/shop.yaml", &suite);
    let told = |checks: &Value| -> Vec<Value> {
        checks.as_array().unwrap().iter().map(|check| json!([check["places"], check["sample"]])).collect()
    };
    let of_build = applied(&project.run(&["apply", "--json"]).succeeds())["source.orders"]["checks"].clone();
    let expected = [
        json!([
            ["data/orders.csv:2", "data/orders.csv:4"],
            [
                { "id": 1, "day": "2024-01-01", "product": "pen", "amount": "2.5" },
                { "id": 3, "day": "2024-01-02", "product": "pen", "amount": "2.5" }
            ]
        ]),
        json!([["data/orders.csv:3"], [{ "day": "2024-01-01" }]]),
        json!([["data/orders.csv:3"], [{ "product": "cup", "colour": "dark red", "number": 2 }]]),
        json!([null, [{ "product": "pen", "orders": 2 }]]),
        json!([null, [{ "next": 4 }]]),
        json!([null, [{ "n": 3 }]]),
    ];
    assert_eq!(told(&of_build), expected);
    let checked = project.run(&["check", "--json"]).succeeds().json();
    assert_eq!(told(&checked["checks"]), expected);
}

#[test]
fn a_column_that_is_named_as_the_engine_names_its_row_numbers_is_no_harm() {
    let project = shop();
    project.replace("sources/shop.yaml", "data/orders.csv\n", "data/orders.csv\n    on_new_column: add\n");
    project.write(
        "data/orders.csv",
        &ORDERS.replace("amount\n", "amount,rowid\n").replace("0\n", "0,a\n").replace("2,2024", "1,2024"),
    );
    let failed = project.run(&["apply"]).ends_with(1);
    assert!(failed.stdout.contains("        {\"id\":1,\"rows_with_this_key\":2}"), "{failed}");
}

#[test]
fn rows_are_accounted_for_by_file() {
    let project = shop();
    project.replace("sources/shop.yaml", "data/orders.csv\n", "data/orders*.csv\n    max_rejects: 1\n");
    project.write("data/orders_2.csv", "id,day,product,amount\nx,,,\n4,2024-01-01,pen,2.50\n");
    let applied_run = project.run(&["apply"]).succeeds();
    let table = "file               read  written  rejected\ndata/orders.csv       3        3         0\ndata/orders_2.csv     2        1         1\n";
    assert!(applied_run.stdout.contains(table), "{applied_run}");
    let run = project.run(&["runs", "--json"]).succeeds().json()[0]["run"].as_str().unwrap().to_owned();
    // Elsewhere than on a terminal rows stand alone.
    let shown = project.run(&["runs", &run]).succeeds();
    assert!(
        shown.stdout.ends_with("\n\ndata/orders.csv    3  3  0\ndata/orders_2.csv  2  1  1\n"),
        "{shown}"
    );
    let steps = project.run(&["runs", &run, "--json"]).succeeds().json();
    let orders = steps.as_array().unwrap().iter().find(|step| step["address"] == "source.orders").unwrap();
    assert_eq!(
        orders["files"],
        json!([
            { "file": "data/orders.csv", "read": 3, "written": 3, "rejected": 0 },
            { "file": "data/orders_2.csv", "read": 2, "written": 1, "rejected": 1 }
        ])
    );
    // A target that an older version wrote has no such table.
    by_hand(&project, "DROP TABLE pipewright.files; ALTER TABLE pipewright.expectations DROP COLUMN places");
    project.run(&["runs", &run]).succeeds();
    project.write("data/products.csv", "product,colour\npen,green\ncup,red\n");
    project.run(&["apply"]).succeeds();
    assert_eq!(
        rows(&project, "SELECT file, rows_read, rows_written, rows_rejected FROM pipewright.files"),
        json!([["data/products.csv", "2", "2", "0"]])
    );
}

#[test]
fn rejected_rows_are_kept_until_a_clean_load() {
    let project = built();
    project.replace(
        "sources/shop.yaml",
        "files: data/orders.csv\n",
        "files: data/orders.csv\n    max_rejects: 2\n",
    );
    let bad = format!("{ORDERS}four,2024-01-03,pen,1\n5,2024-13-03,pen,1\n");
    project.write("data/orders.csv", &bad);
    let outcome = project.run(&["apply", "--json"]).succeeds();
    let load = &applied(&outcome)["source.orders"];
    assert_eq!([&load["rows"], &load["rejected"]], [&json!(3), &json!(2)]);
    assert_eq!(orders(&project), three());
    let rejects = rows(
        &project,
        "SELECT file, line, row_number, column_name, value, record, reason <> '' FROM raw.orders__rejects ORDER BY line",
    );
    assert_eq!(
        rejects,
        json!([
            ["data/orders.csv", "5", "4", "id", "four", "four,2024-01-03,pen,1", "True"],
            ["data/orders.csv", "6", "5", "day", "2024-13-03", "5,2024-13-03,pen,1", "True"]
        ])
    );
    assert_eq!(planned(&project, &["--prune"]), Vec::<String>::new());

    // One more than may be: the run fails, and table and rejects stay as they were.
    let before = content(&project, DATABASE, "UTC");
    project.write("data/orders.csv", &format!("{bad}six,2024-01-03,pen,1\n"));
    let failed = project.run(&["apply"]).ends_with(1);
    assert!(failed.stdout.contains("PW0604"), "{failed}");
    assert_eq!(content(&project, DATABASE, "UTC"), before);

    project.write("data/orders.csv", ORDERS);
    project.run(&["apply"]).succeeds();
    assert!(!content(&project, DATABASE, "UTC").contains_key("raw.orders__rejects"));
}

#[test]
fn a_table_that_only_looks_like_rejects_stays() {
    let project = shop();
    crate::shop::by_hand(
        &project,
        "CREATE SCHEMA raw; CREATE TABLE raw.orders__rejects AS SELECT 42 AS precious",
    );
    let failed = project.run(&["apply"]).ends_with(1);
    assert!(failed.stdout.contains("PW0501") && failed.stdout.contains("orders__rejects"), "{failed}");
    project.run(&["clean", "--yes"]).succeeds();
    assert_eq!(rows(&project, "SELECT precious FROM raw.orders__rejects"), json!([["42"]]));
}

#[test]
fn empty_files() {
    let project = built();
    let before = content(&project, DATABASE, "UTC");
    project.write("data/orders.csv", "");
    let failed = project.run(&["apply"]).ends_with(1);
    assert!(failed.stdout.contains("PW06") && failed.stdout.contains("data/orders.csv"), "{failed}");
    assert_eq!(content(&project, DATABASE, "UTC"), before);

    project.write("data/orders.csv", "id,day,product,amount\n");
    let shrunk = project.run(&["apply"]).ends_with(1);
    assert!(shrunk.stdout.contains("PW0708") && shrunk.stdout.contains("from 3 rows to 0"), "{shrunk}");
    assert_eq!(content(&project, DATABASE, "UTC")["raw.orders"], before["raw.orders"]);
    project.run(&["apply", "--allow-shrink"]).succeeds();
    assert_eq!(orders(&project), json!([]));

    fs_err::remove_file(project.path().join("data/orders.csv")).unwrap();
    let missing = project.run(&["plan"]).ends_with(1);
    assert!(missing.stderr.contains("PW0601") && missing.stderr.contains("data/orders.csv"), "{missing}");
}

#[test]
fn several_files_make_one_table() {
    let project = shop();
    project.replace("sources/shop.yaml", "data/orders.csv", "data/orders*.csv");
    project.write("data/orders2.csv", "day,id,amount,product\n2024-02-01,9,1,cup\n");
    project.run(&["apply"]).succeeds();
    assert_eq!(rows(&project, "SELECT count(*), max(id) FROM raw.orders"), json!([["4", "9"]]));
    project.write("data/orders3.csv", "day,id,amount,product\n2024-02-02,10,1,cup\n");
    assert_eq!(planned(&project, &[]), ["model.clean_orders", "model.daily_sales", "source.orders"]);
    let told = text(&crate::shop::step(&project, "source.orders")["reasons"][0]);
    assert_eq!(told, "file_changed");
}

#[test]
fn files_that_are_not_on_this_machine_are_refused_at_their_line() {
    let project = shop();
    project.replace("sources/shop.yaml", "files: data/orders.csv", "files: gs://bucket/orders/*.csv");
    project.run(&["validate"]).succeeds();
    let refused = project.run(&["plan"]).ends_with(1);
    for part in [
        "PW0601",
        "sources/shop.yaml:4",
        "`gs://bucket/orders/*.csv` is not on this machine",
        "a target of the type `bigquery` reads such files",
        "gcloud storage cp",
    ] {
        assert!(refused.stderr.contains(part), "{part}: {refused}");
    }
}
