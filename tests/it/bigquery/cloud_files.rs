//! Files of Cloud Storage: BigQuery reads them itself, and what it cannot judge as we do is read here.

use std::collections::BTreeSet;
use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use super::emulator::Emulator;
use super::protocol::shop_there;
use super::refusals::told;
use super::scripted::{Answer, Request, Scripted};
use crate::shop::ORDERS;
use crate::support::{Outcome, Project};

/// The shop whose orders are in a bucket.
fn shop_in_a_bucket() -> (Scripted, Project) {
    let (server, project) = (Scripted::start(), shop_there());
    let place = "    location: EU\n    storage_endpoint: ${STORAGE_ENDPOINT:-}\n";
    project.replace("pipeline.yaml", "    location: EU\n", place);
    project.replace("pipeline.yaml", "defaults:\n", "defaults:\n  retries: { attempts: 0 }\n");
    project.replace("sources/shop.yaml", "files: data/orders.csv", "files: ${ORDERS:-data}/orders*.csv");
    server.put("shop/in/orders 1.csv", ORDERS);
    server.put("shop/in/orders 2.csv", "id,day,product,amount\n4,2024-01-03,\"a, b\",1\n5,,pen,1\n");
    server.put("shop/in/orders 3.csv", "product,amount,id,day\ncup,7.00,6,2024-01-03\n");
    server.put("shop/in/other.csv", "id\n1\n");
    server.put("shop/in/deeper/orders 4.csv", "id\n1\n");
    (server, project)
}

/// All commands of a test ask this server for both.
fn run(server: &Scripted, project: &Project, arguments: &[&str]) -> Outcome {
    let mut command = server.command(project, arguments);
    command.env("STORAGE_ENDPOINT", server.endpoint()).env("ORDERS", "gs://shop/in");
    Outcome::of(&mut command)
}

const LOAD: [&str; 3] = ["apply", "-s", "source.orders"];

/// A load job that reads files itself.
fn reads_files(request: &Request) -> bool {
    request.json()["configuration"]["load"]["sourceUris"].is_array()
}

/// The settings of the load jobs that read files themselves.
fn loads(asked: &[Request]) -> Vec<Value> {
    asked
        .iter()
        .filter(|one| reads_files(one))
        .map(|one| one.json()["configuration"]["load"].clone())
        .collect()
}

/// Whether the rows of a table were sent.
fn sends(request: &Request, table: &str) -> bool {
    request.opens_upload() && request.json()["configuration"]["load"]["destinationTable"]["tableId"] == table
}

/// The parts of files that were asked for.
fn parts(asked: &[Request]) -> Vec<(String, String)> {
    let media = asked.iter().filter(|one| one.query.get("alt").is_some_and(|alt| alt == "media"));
    media.map(|one| (one.path.clone(), one.headers["range"].clone())).collect()
}

const BUILD: &str = "orders__pipewright_build";

fn rows(text: &[u8]) -> Vec<Value> {
    let text = std::str::from_utf8(text).expect("text");
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

/// The numbers of the orders that were sent, each once, in all runs together.
fn ids(server: &Scripted) -> BTreeSet<String> {
    let sent = rows(&server.loaded(BUILD));
    sent.iter().map(|row| row["id"].as_str().expect("a number").to_owned()).collect()
}

fn numbers(numbers: &[&str]) -> BTreeSet<String> {
    numbers.iter().map(|number| (*number).to_owned()).collect()
}

#[test]
fn bigquery_reads_them_itself_and_only_when_they_changed() {
    let (server, project) = shop_in_a_bucket();
    let plan = run(&server, &project, &["plan", "--json"]).succeeds().json();
    let step =
        plan["steps"].as_array().expect("steps").iter().find(|step| step["address"] == "source.orders");
    let files = step.expect("a step")["action"]["files"].as_array().expect("files").clone();
    let names: Vec<&Value> = files.iter().map(|file| &file["path"]).collect();
    let all = ["gs://shop/in/orders 1.csv", "gs://shop/in/orders 2.csv", "gs://shop/in/orders 3.csv"];
    assert_eq!(names, all);
    assert!(parts(&server.asked()).is_empty(), "a plan reads no content");

    let outcome = run(&server, &project, &LOAD).succeeds();
    assert!(outcome.stderr.contains("source.orders  6 rows"), "{outcome}");
    let asked = server.asked();
    assert!(!asked.iter().any(|one| sends(one, BUILD)), "nothing is sent from here");
    let field = |name: &str, kind: &str| json!({ "name": name, "type": kind, "mode": "NULLABLE" });
    let fields = [("id", "INT64"), ("day", "DATE"), ("product", "STRING"), ("amount", "NUMERIC")];
    let expected = json!({
        "sourceUris": all,
        "destinationTable": { "projectId": "demo", "datasetId": "raw", "tableId": BUILD },
        "schema": { "fields": fields.map(|(name, kind)| field(name, kind)) },
        "sourceFormat": "CSV",
        "encoding": "UTF-8",
        "sourceColumnMatch": "NAME",
        "skipLeadingRows": 1,
        "fieldDelimiter": ",",
        "quote": "\"",
        "nullMarker": "",
        "allowQuotedNewlines": true,
        "allowJaggedRows": false,
        "ignoreUnknownValues": false,
        "maxBadRecords": 0,
        "writeDisposition": "WRITE_TRUNCATE",
    });
    assert_eq!(loads(&asked), [expected]);
    // Of each file the header is read, and no more than its first block.
    assert_eq!(parts(&asked).len(), 3);
    let looked =
        asked.iter().map(Request::sql).find(|sql| sql.contains("@mark")).expect("a look at the table");
    let columns = "COUNTIF(`id` IS NULL), COUNTIF(STRPOS(`product`, @mark) > 0 OR `product` IN (@null_0))";
    assert_eq!(looked, format!("SELECT {columns} FROM `demo.raw.{BUILD}`"));

    let again = run(&server, &project, &LOAD).succeeds();
    assert!(again.stdout.contains("Nothing to do"), "{again}");
    server.put("shop/in/orders 5.csv", ORDERS);
    let plan = run(&server, &project, &["plan", "-s", "source.orders"]).succeeds();
    assert!(plan.stdout.contains("file changed"), "{plan}");
}

#[test]
fn folders_are_listed_only_where_a_pattern_reaches_into_them_and_names_mean_themselves() {
    let (server, project) = shop_in_a_bucket();
    server.put("shop/odd/[a].csv", ORDERS);
    server.put("shop/odd/a.csv", "not,these\n");
    let listed = |pattern: &str| {
        let before = project.read("sources/shop.yaml");
        project.replace("sources/shop.yaml", "${ORDERS:-data}/orders*.csv", pattern);
        server.asked();
        let plan = run(&server, &project, &["plan", "--json"]).succeeds().json();
        fs_err::write(project.path().join("sources/shop.yaml"), before).expect("a file");
        let steps = plan["steps"].as_array().expect("steps");
        let step = steps.iter().find(|step| step["address"] == "source.orders").expect("a step").clone();
        let files = step["action"]["files"].as_array().expect("files").iter();
        let names: Vec<String> =
            files.map(|file| file["path"].as_str().expect("a path").to_owned()).collect();
        let asked = server.asked();
        let list = asked.iter().find(|one| one.path.ends_with("/o")).expect("a list");
        (names, list.query.contains_key("delimiter"))
    };
    let named = |names: &[&str]| names.iter().map(|name| format!("gs://shop/{name}")).collect::<Vec<_>>();
    assert_eq!(listed("gs://shop/odd/[a].csv"), (named(&["odd/[a].csv"]), true));
    assert_eq!(listed("gs://shop/in/*/orders*.csv"), (named(&["in/deeper/orders 4.csv"]), false));
}

#[test]
fn rows_that_do_not_fit_are_told_of_or_kept_where_that_is_allowed() {
    let (server, project) = shop_in_a_bucket();
    let said = "Could not parse 'x' as INT64 for field id (position 0); line_number: 2 column_name: \"id\" value: \"x\" \
                File: gs://shop/in/orders 2.csv";
    server.put("shop/in/orders 2.csv", "id,day,product,amount\nx,2024-01-03,pen,1\n7,2024-01-03,pen,1\n");
    server.always(
        reads_files,
        Answer::failed("invalid", &format!("Error while reading data, error message: {said}")),
    );
    // They are read here then, which tells file, line and column, and whose values are personal.
    let refused = run(&server, &project, &LOAD).ends_with(1);
    told(&project, "rows_of_files_elsewhere", &refused);
    assert!(!server.tables().contains(&"raw.orders".to_owned()));

    project.replace("sources/shop.yaml", "    tags: [sales]\n", "    tags: [sales]\n    max_rejects: 1\n");
    server.asked();
    let outcome = run(&server, &project, &LOAD).succeeds();
    assert!(outcome.stdout.contains("1 rejected"), "{outcome}");
    assert_eq!(ids(&server), numbers(&["1", "2", "3", "6", "7"]));
    let mut rejects = rows(&server.loaded(&format!("{BUILD}__rejects")));
    // The run that was refused had sent it as well.
    rejects.dedup();
    assert_eq!(rejects.len(), 1);
    let expected = json!({
        "file": "gs://shop/in/orders 2.csv", "line": 2, "row_number": 1, "column_name": "id", "value": "x",
        "reason": rejects[0]["reason"], "record": "x,2024-01-03,pen,1",
    });
    assert_eq!(rejects[0], expected);
}

#[test]
fn what_load_jobs_take_without_a_word_is_looked_for() {
    let (server, project) = shop_in_a_bucket();
    let looks = |request: &Request| request.sql().contains("@mark");
    let counts = |lacking: &str, changed: &str| {
        Answer::rows(&[("f0_", "INTEGER"), ("f1_", "INTEGER")], &[&[lacking, changed]])
    };
    // A row without a value that it must have; a character that stands for bytes that are no text, or a marker of NULL in
    // quotes, both of which the file may as well have.
    for found in [counts("2", "0"), counts("0", "1")] {
        server.on(looks, [found]);
        server.asked();
        server.put("shop/in/orders 1.csv", ORDERS);
        run(&server, &project, &LOAD).succeeds();
        let asked = server.asked();
        assert!(loads(&asked).len() == 1 && asked.iter().any(|one| sends(one, BUILD)));
        // What BigQuery had loaded is gone before: all rows would be there twice.
        let removed = |one: &Request| one.is("DELETE", &format!("/tables/{BUILD}"));
        assert!(asked.iter().filter(|one| removed(one)).count() > 1);
        assert_eq!(ids(&server), numbers(&["1", "2", "3", "4", "5", "6"]));
    }
}

#[test]
fn what_bigquery_would_read_otherwise_is_read_here() {
    let mut squeezed = GzEncoder::new(Vec::new(), Compression::default());
    squeezed.write_all(ORDERS.as_bytes()).expect("memory");
    let squeezed = squeezed.finish().expect("memory");
    let marked = [b"\xEF\xBB\xBF", ORDERS.as_bytes()].concat();
    let spaced = ORDERS.replace("id,day", "id, day");
    let cased = ORDERS.replace("id,day", "ID,day");
    let fewer = "id,day,product\n1,2024-01-01,pen\n".to_owned();
    let cases: [(&str, &[u8], &str, &str, bool); 7] = [
        ("orders.csv.gz", &squeezed, "", "", true),
        ("orders.csv", &squeezed, "", "", false),
        ("orders.csv", &marked, "", "", false),
        ("orders.csv", spaced.as_bytes(), "", "", false),
        ("orders.csv", cased.as_bytes(), "", "", false),
        (
            "orders.csv",
            fewer.as_bytes(),
            "    tags: [sales]\n",
            "    tags: [sales]\n    on_missing_column: add\n",
            false,
        ),
        (
            "orders.csv",
            ORDERS.as_bytes(),
            "    tags: [sales]\n",
            "    tags: [sales]\n    format: { type: csv, encoding: windows-1252 }\n",
            false,
        ),
    ];
    for (name, content, before, after, is_direct) in cases {
        let (server, project) = shop_in_a_bucket();
        server.put(&format!("shop/one/{name}"), content);
        project.replace("sources/shop.yaml", "${ORDERS:-data}/orders*.csv", &format!("gs://shop/one/{name}"));
        if !before.is_empty() {
            project.replace("sources/shop.yaml", before, after);
        }
        run(&server, &project, &LOAD).succeeds();
        let asked = server.asked();
        let sent = asked.iter().any(|one| sends(one, BUILD));
        assert_eq!((loads(&asked).len(), sent), (usize::from(is_direct), !is_direct), "{name} {after}");
        if sent {
            let rows = rows(&server.loaded(BUILD));
            assert_eq!((&rows[0]["id"], &rows[0]["product"]), (&json!("1"), &json!("pen")), "{name} {after}");
        }
    }
}

#[test]
fn every_byte_is_read_once_whatever_breaks() {
    let (server, project) = shop_in_a_bucket();
    let mut file = String::from("\u{FEFF}id,day,product,amount\n");
    for id in 0..20_000 {
        file.push_str(&format!("{id},2024-01-01,{},1\n", "x".repeat(1_000)));
    }
    server.put("shop/one/orders.csv", &file);
    project.replace("sources/shop.yaml", "${ORDERS:-data}/orders*.csv", "gs://shop/one/orders.csv");
    let is_part = |request: &Request| request.query.contains_key("alt");
    let busy = || Answer::refused(503, "backendError", "try again");
    server.on(is_part, [busy(), Answer::Usual, Answer::Dropped, Answer::Usual, busy(), Answer::Dropped]);
    let is_list = |request: &Request| request.path.ends_with("/o");
    server.on(is_list, [busy(), Answer::Dropped]);
    run(&server, &project, &LOAD).succeeds();
    let sent = rows(&server.loaded(BUILD));
    assert_eq!(sent.len(), 20_000);
    assert!(sent.iter().enumerate().all(|(at, row)| row["id"] == json!(at.to_string())));
    let parts = parts(&server.asked());
    let times = |range: &str| parts.iter().filter(|(_, asked)| asked == range).count();
    // What failed is asked for again; of the header's reading no more than the first block.
    assert_eq!((times("bytes=0-263167"), times("bytes=263168-1315839")), (4, 3), "{parts:?}");
    assert_eq!((times("bytes=1315840-5510143"), parts.len()), (1, 12), "{parts:?}");
}

#[test]
fn files_that_change_meanwhile_are_not_published() {
    let (server, project) = shop_in_a_bucket();
    run(&server, &project, &["apply"]).succeeds();
    let before = server.tables();
    server.put("shop/in/orders 1.csv", ORDERS);
    let (name, endpoint) = ("orders 1.csv", server.endpoint());
    let other = json!({ "items": [{ "name": format!("in/{name}"), "size": "1", "generation": "99" }] });
    let count = std::sync::atomic::AtomicUsize::new(0);
    // The list of the plan is as it is; the one after the load job tells of another version.
    let is_second_list = move |request: &Request| {
        request.path.ends_with("/o") && count.fetch_add(1, std::sync::atomic::Ordering::SeqCst) >= 2
    };
    server.always(is_second_list, Answer::json(200, &other));
    let refused = run(&server, &project, &LOAD).ends_with(1);
    assert!(
        refused.stdout.contains("gs://shop/in/orders 1.csv changed since the plan was made"),
        "{refused}"
    );
    assert_eq!(server.tables(), before, "{endpoint}");
}

#[test]
fn what_is_not_there_or_may_not_be_read_is_told_of_at_its_line() {
    let (server, project) = shop_in_a_bucket();
    let refused = |what: &str| {
        let outcome = run(&server, &project, &["plan"]).ends_with(1);
        told(&project, what, &outcome);
    };
    let at = |from: &str, to: &str| project.replace("sources/shop.yaml", from, to);
    at("${ORDERS:-data}/orders*.csv", "gs://shop/in/absent*.csv");
    refused("no_such_file_elsewhere");
    at("gs://shop/in/absent*.csv", "gs://shelf/orders.csv");
    refused("no_such_bucket");
    at("gs://shelf/orders.csv", "[gs://shop/in/other.csv, data/orders.csv]");
    refused("files_of_two_places");
    at("[gs://shop/in/other.csv, data/orders.csv]", "gs://shop/in/other.csv");
    let message =
        "demo@demo.iam.gserviceaccount.com does not have storage.objects.list access to the bucket.";
    server.always(|request| request.path.ends_with("/o"), Answer::refused(403, "forbidden", message));
    refused("no_right_to_read_a_bucket");
    assert!(server.tables().is_empty());
}

#[test]
fn they_give_the_rows_that_the_same_files_give_on_this_machine() {
    let folder = tempfile::tempdir().expect("a folder");
    let setting = [("BQEMU_GCS_LOCAL_ROOT", folder.path().to_str().expect("text"))];
    let Some(emulator) = Emulator::with(&setting) else { return };
    let (server, project) = (Scripted::start(), super::shipped());
    let pipeline = project.read("pipeline.yaml");
    let endpoint = pipeline.lines().find(|line| line.contains("endpoint:")).expect("an endpoint").to_owned();
    let storage =
        endpoint.replace("endpoint:", "storage_endpoint:").replace("BIGQUERY_ENDPOINT", "STORAGE_ENDPOINT");
    project.replace("pipeline.yaml", &endpoint, &format!("{endpoint}\n{storage}"));
    for entry in fs_err::read_dir(project.path().join("data/sample")).expect("the sample") {
        let entry = entry.expect("a file");
        let name = entry.file_name().into_string().expect("text");
        let content = fs_err::read(entry.path()).expect("a file that can be read");
        let at = folder.path().join("olist/sample");
        fs_err::create_dir_all(&at).expect("a folder");
        fs_err::write(at.join(&name), &content).expect("a file");
        server.put(&format!("olist/sample/{name}"), content);
    }
    let there = |arguments: &[&str]| {
        let mut command = emulator.command(&project, arguments);
        command.env("STORAGE_ENDPOINT", server.endpoint()).env("OLIST_DATA_DIR", "gs://olist/sample");
        Outcome::of(&mut command)
    };
    let listed: Value = project.run(&["ls", "--json"]).succeeds().json();
    let nodes = listed["nodes"].as_array().expect("nodes").iter();
    let sources: Vec<(&str, &str)> = nodes
        .map(|node| (node["address"].as_str().expect("a name"), node["relation"].as_str().expect("a name")))
        .filter(|(address, _)| !address.starts_with("model."))
        .collect();
    assert!(sources.len() > 5);
    let mut apply = vec!["apply"];
    apply.extend(sources.iter().flat_map(|(address, _)| ["-s", address]));
    project.run(&apply).succeeds();
    there(&apply).succeeds();
    // Of each its first block is asked for once, for the header; one that has a byte order mark is read here.
    let mut first = parts(&server.asked());
    first.retain(|(path, range)| range.starts_with("bytes=0-") && !path.contains("translation"));
    let paths: BTreeSet<&String> = first.iter().map(|(path, _)| path).collect();
    assert_eq!((first.len(), paths.len()), (8, 8), "{first:?}");
    let rows = |run: &dyn Fn(&[&str]) -> Outcome, table: &str| {
        let told = run(&["query", "--format", "jsonl", &format!("SELECT * FROM {table}")]).succeeds();
        let mut rows: Vec<String> = told.stdout.lines().map(str::to_owned).collect();
        rows.sort();
        rows
    };
    for (_, table) in sources {
        let (here, elsewhere) = (rows(&|arguments| project.run(arguments), table), rows(&there, table));
        let differs = here.iter().zip(&elsewhere).find(|(one, two)| one != two);
        assert!(differs.is_none() && here.len() == elsewhere.len(), "{table}: {differs:?}");
    }
}
