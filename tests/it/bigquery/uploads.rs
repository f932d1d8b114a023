//! Uploads whose connections break: every byte arrives once.

use std::fmt::Write as _;

use serde_json::json;

use super::protocol::{run, shop_there};
use super::scripted::{Answer, Request, Scripted};
use crate::support::Project;

/// What is sent at a time.
const CHUNK: usize = 8 << 20;

/// What the server keeps whole multiples of.
const UNIT: usize = 256 << 10;

const LOAD: [&str; 5] = ["apply", "--threads", "1", "-s", "source.orders"];

/// The shop with orders that are more than one chunk, and what is sent of them.
fn many_orders() -> (Project, Vec<u8>) {
    let project = shop_there();
    project.replace("pipeline.yaml", "defaults:\n", "defaults:\n  retries: { attempts: 0 }\n");
    let (mut file, mut sent) = (String::from("id,day,product,amount\n"), String::new());
    for id in 0..9_000 {
        let product = format!("{id}{}", "x".repeat(1_000));
        writeln!(file, "{id},2024-01-01,{product},1").expect("a text");
        writeln!(sent, r#"{{"id":"{id}","day":"2024-01-01","product":"{product}","amount":"1.000000000"}}"#)
            .expect("a text");
    }
    project.write("data/orders.csv", &file);
    assert!(sent.len() > CHUNK && sent.len() < 2 * CHUNK, "two chunks");
    (project, sent.into_bytes())
}

/// A part of the orders' upload, which is the first.
fn is_part(request: &Request) -> bool {
    request.is("PUT", "/session/0") && !request.body.is_empty()
}

fn is_first(request: &Request) -> bool {
    request.is("PUT", "/session/0") && request.headers["content-range"].starts_with("bytes 0-")
}

fn is_last(request: &Request) -> bool {
    request.is("PUT", "/session/0")
        && !request.headers["content-range"].ends_with("/*")
        && request.headers["content-length"] != "0"
}

fn asks(request: &Request) -> bool {
    request.is("PUT", "/session/0") && request.headers["content-range"].starts_with("bytes */")
}

fn busy() -> Answer {
    Answer::refused(503, "backendError", "try again")
}

#[test]
fn every_byte_arrives_once_whatever_breaks() {
    type Script = fn(&Scripted);
    let ways: [(&str, Script, &[&str]); 9] = [
        ("nothing breaks", |_| {}, &["0-8388607/*", "8388608-END/ALL"]),
        (
            "the connection is cut in the middle of a chunk",
            |server| server.on(is_first, [Answer::Cut(3 * UNIT + 100)]),
            &["0-8388607/*", "*/*", "786432-9175039/*", "9175040-END/ALL"],
        ),
        (
            "the connection is cut before anything is kept",
            |server| server.on(is_first, [Answer::Cut(100)]),
            &["0-8388607/*", "*/*", "0-8388607/*", "8388608-END/ALL"],
        ),
        (
            "a chunk is refused for now",
            |server| server.on(is_first, [busy()]),
            &["0-8388607/*", "*/*", "0-8388607/*", "8388608-END/ALL"],
        ),
        (
            "the answer to a chunk is lost",
            |server| server.on(is_first, [Answer::Lost]),
            &["0-8388607/*", "*/*", "8388608-END/ALL"],
        ),
        (
            "the last chunk is cut",
            |server| server.on(is_last, [Answer::Cut(UNIT)]),
            &["0-8388607/*", "8388608-END/ALL", "*/ALL", "8650752-END/ALL"],
        ),
        (
            "the last answer is lost",
            |server| server.on(is_last, [Answer::Lost]),
            &["0-8388607/*", "8388608-END/ALL", "*/ALL"],
        ),
        (
            "the last answer is lost, and the session is over",
            |server| {
                server.on(is_last, [Answer::Lost]);
                server.on(asks, [Answer::json(404, &json!("Not Found"))]);
            },
            &["0-8388607/*", "8388608-END/ALL", "*/ALL"],
        ),
        (
            "the session's own answer is lost",
            |server| server.on(Request::opens_upload, [Answer::Lost]),
            &["0-8388607/*", "8388608-END/ALL"],
        ),
    ];
    let (project, expected) = many_orders();
    for (what, script, ranges) in ways {
        let server = Scripted::start();
        script(&server);
        run(&server, &project, &LOAD).succeeds();
        let (sent, asked) = (server.loaded("orders__pipewright_build"), server.asked());
        assert!(sent == expected, "{what}: {} bytes arrived of {}", sent.len(), expected.len());
        let session = if what.starts_with("the session's") { "/session/1" } else { "/session/0" };
        let put = asked.iter().filter(|one| one.is("PUT", session));
        let told: Vec<String> = put.map(|one| one.headers["content-range"].clone()).collect();
        let (end, all) = ((expected.len() - 1).to_string(), expected.len().to_string());
        let wanted: Vec<String> = ranges
            .iter()
            .map(|range| format!("bytes {}", range.replace("END", &end).replace("ALL", &all)))
            .collect();
        assert_eq!(told, wanted, "{what}");
        // One load, under one name.
        let opened: Vec<String> = asked
            .iter()
            .filter(|one| {
                let table = &one.json()["configuration"]["load"]["destinationTable"]["tableId"];
                one.opens_upload() && *table == "orders__pipewright_build"
            })
            .map(Request::job)
            .collect();
        assert!(!opened.is_empty() && opened.iter().all(|name| *name == opened[0]), "{what}: {opened:?}");
        assert!(server.tables().contains(&"raw.orders".to_owned()), "{what}");
    }
}

/// What a load that does not get on leaves, and how often its first chunk was put.
fn tries(answer: Answer) -> usize {
    let (server, (project, _)) = (Scripted::start(), many_orders());
    server.always(is_part, answer);
    let outcome = run(&server, &project, &LOAD).ends_with(1);
    assert!(outcome.stdout.contains("failed source.orders"), "{outcome}");
    assert!(!server.tables().iter().any(|table| table.contains("orders")), "{:?}", server.tables());
    server.asked().iter().filter(|one| is_first(one)).count()
}

#[test]
fn a_chunk_that_is_always_refused_is_given_up() {
    assert_eq!(tries(busy()), 8);
}

#[test]
fn a_server_that_takes_nothing_is_given_up() {
    assert_eq!(tries(Answer::json(308, &json!({}))), 8);
}
