//! Commands beside `apply` that are told to stop: their job is given up, and they say so.
#![cfg(unix)]

use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use serde_json::json;

use super::little::finish;
use super::protocol::{run, shop_there};
use super::scripted::{Answer, Request, Scripted};

/// Has the job of each statement that has a text in it never end.
fn never_ends(server: &Scripted, text: &'static str) {
    let job = Mutex::new(String::new());
    let fits = move |one: &Request| {
        let mut job = job.lock().expect("nobody panics here");
        if one.sql().contains(text) {
            *job = one.job();
        }
        one.method == "GET" && !job.is_empty() && one.path.ends_with(job.as_str())
    };
    let running = json!({
        "jobComplete": false,
        "jobReference": { "location": "EU" },
        "configuration": { "query": {} },
        "status": { "state": "RUNNING" },
    });
    server.always(fits, Answer::json(200, &running));
}

#[test]
fn a_query_and_a_check_that_are_stopped_cancel_their_job_and_say_so() {
    let (server, project) = (Scripted::start(), shop_there());
    run(&server, &project, &["apply"]).succeeds();
    let cases: [(&[&str], &str, &str, &str); 3] = [
        (&["query", "SELECT 1 AS endless"], "AS endless", "INT", "the query was stopped"),
        (&["check", "-s", "daily_sales"], "`demo.marts.daily_sales`", "INT", "the check was stopped"),
        (&["check", "-s", "daily_sales"], "`demo.marts.daily_sales`", "TERM", "the check was stopped"),
    ];
    for (arguments, text, signal, message) in cases {
        never_ends(&server, text);
        server.asked();
        let mut command = server.command(&project, arguments);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = command.spawn().expect("the program starts");
        let (started, mut asked) = (Instant::now(), Vec::new());
        let is_of_it = |one: &Request| one.sql().contains(text);
        while !asked.iter().any(is_of_it) {
            assert!(started.elapsed() < Duration::from_secs(60), "it never asked");
            std::thread::sleep(Duration::from_millis(20));
            asked.extend(server.asked());
        }
        std::thread::sleep(Duration::from_millis(200));
        Command::new("kill").args(["-s", signal, &child.id().to_string()]).status().expect("kill");
        let stopped = finish(child);
        asked.extend(server.asked());
        assert_eq!(stopped.code, Some(2), "{stopped}");
        assert!(stopped.stdout.is_empty() && stopped.stderr.contains("PW0706"), "{stopped}");
        assert!(stopped.stderr.contains(message), "{stopped}");
        let job = asked.iter().find(|one| is_of_it(one)).map(Request::job).expect("a job");
        let end = format!("/jobs/{job}/cancel");
        let cancels: Vec<&Request> = asked.iter().filter(|one| one.is("POST", &end)).collect();
        assert_eq!(cancels.len(), 1, "{stopped}");
        assert_eq!(cancels[0].query["location"], "EU");
        server.as_usual();
        run(&server, &project, &["check", "-s", "daily_sales"]).succeeds();
    }
}
