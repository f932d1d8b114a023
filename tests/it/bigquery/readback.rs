//! What is remembered of runs: the same on both engines, but for names, times and durations.

use std::collections::BTreeMap;

use regex::Regex;

use super::emulator::Emulator;
use super::little::Little;
use crate::support::Outcome;

/// A text without what differs from run to run.
fn steady(text: &str) -> String {
    let mut text = text.to_owned();
    for (pattern, word) in [
        (r"\b\d{8}T\d{6}Z-[0-9a-f]{8}\b", "[RUN]"),
        (r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?( ?UTC|Z|\+00:00)?", "[TIME]"),
        (r"\b\d+ min \d+ s\b|\b\d+(\.\d+)? (ms|s|min)\b", "[DURATION]"),
        (r#"("milliseconds": )\d+"#, "${1}0"),
        // The emulator does not know what its tables take.
        (r"\b\d+(\.\d+)? k?B\b", "[SIZE]"),
        (r#"("bytes": )\d+"#, "${1}0"),
        // The names of the targets.
        (r"\b(bigquery|local)\b", "[TARGET]"),
        // The project of a path.
        ("`demo\\.", "`"),
        // What the target runs is in its own SQL.
        (r#""(?:sample_)?sql": "(?:[^"\\]|\\.)*""#, r#""sql": """#),
        // Columns are as wide as what they hold.
        (" {2,}", "  "),
        // What a plan tells beforehand and what is paid afterwards are the target's own.
        (r"(?s)^.*?\n\nPlan: .*?\n(?:Cost: .*?\n)?\n", ""),
        ("; billed for [^;]*;", ";"),
    ] {
        text = Regex::new(pattern).expect("a pattern").replace_all(&text, word).into_owned();
    }
    text
}

#[test]
fn history_is_read_back_as_on_the_embedded_engine() {
    let Some(emulator) = Emulator::start() else { return };
    let mut little = Little::new();
    little.project.write(
        "expectations/more.yaml",
        "suites:\n  totals:\n    expectations:\n      - { expect: expression, name: few_orders, sql: orders < 1000 }\n\
         \x20     - { expect: expression, name: small, sql: amount < 900, severity: warning }\n\
         \x20     - { expect: row_count, min: 1, max: 3 }\n\
         \x20 cities:\n    expectations:\n      - { expect: not_null, columns: [city], severity: info }\n",
    );
    both(&little, &emulator, &["runs", "--json"]);
    both(&little, &emulator, &["apply", "--threads", "1"]);
    for batch in 2..6 {
        little.next_batch("-");
        let (here, _) = both(&little, &emulator, &["apply", "--threads", "1"]);
        // With a fourth batch there are more rows than there may be.
        assert_eq!(here.code, Some(i32::from(batch > 3)), "{here}");
    }

    both(&little, &emulator, &["runs"]);
    let (here, there) = both(&little, &emulator, &["runs", "--json"]);
    let names = |outcome: &Outcome| -> Vec<String> {
        let runs = outcome.json();
        runs.as_array()
            .expect("runs")
            .iter()
            .map(|run| run["run"].as_str().expect("a name").to_owned())
            .collect()
    };
    let (here, there) = (names(&here), names(&there));
    assert_eq!((here.len(), there.len()), (5, 5));
    for (one, other) in here.iter().zip(&there) {
        for json in [&["--json"][..], &[]] {
            let of = |run| [&["runs", run], json].concat();
            same(&of(one), &little.project.run(&of(one)), &little.run(&emulator, &of(other)));
        }
    }
    for arguments in [
        &["results"][..],
        &["results", "--failing"],
        &["results", "--json"],
        &["check"],
        &["check", "--json"],
    ] {
        both(&little, &emulator, arguments);
    }

    little.project.run(&["results", "--site", "here"]).succeeds();
    little.run(&emulator, &["results", "--site", "there"]).succeeds();
    let (here, there) = (pages(&little, "here", &here), pages(&little, "there", &there));
    assert!(here.len() > 3, "{:?}", here.keys());
    assert_eq!(there.keys().collect::<Vec<_>>(), here.keys().collect::<Vec<_>>());
    for (page, text) in &here {
        let differs = there[page].lines().zip(text.lines()).find(|(one, two)| one != two);
        assert!(there[page] == *text, "{page}: {differs:?}");
    }
}

/// Runs a command on the embedded engine and on a server: it must say the same.
#[track_caller]
fn both(little: &Little, emulator: &Emulator, arguments: &[&str]) -> (Outcome, Outcome) {
    let (here, there) = (little.project.run(arguments), little.run(emulator, arguments));
    same(arguments, &here, &there);
    (here, there)
}

#[track_caller]
fn same(arguments: &[&str], here: &Outcome, there: &Outcome) {
    assert_eq!(there.code, here.code, "{arguments:?}: {there}\n{here}");
    assert_eq!(steady(&there.stdout), steady(&here.stdout), "{arguments:?}");
}

/// The files of a site, without what differs from run to run.
fn pages(little: &Little, folder: &str, runs: &[String]) -> BTreeMap<String, String> {
    let numbered = |text: &str| {
        let each = runs.iter().enumerate();
        each.fold(text.to_owned(), |text, (at, run)| text.replace(run, &format!("[RUN {at}]")))
    };
    let root = little.project.path().join(folder);
    let files = walkdir::WalkDir::new(&root).into_iter().map(|entry| entry.expect("an entry"));
    files
        .filter(|entry| entry.file_type().is_file())
        .map(|entry| {
            let name = entry.path().strip_prefix(&root).expect("a page").display().to_string();
            let text = String::from_utf8_lossy(&fs_err::read(entry.path()).expect("a page")).into_owned();
            (steady(&numbered(&name)), steady(&numbered(&text)))
        })
        .collect()
}

#[test]
fn what_is_steady_says_what_it_hides() {
    let text =
        "run 20181017T173018Z-1a2b3c4d at 2018-10-17T17:30:18.123Z in 1 min 3 s, 12 ms; 5 rows, 1.5 kB";
    assert_eq!(steady(text), "run [RUN] at [TIME] in [DURATION], [DURATION]; 5 rows, [SIZE]");
}
