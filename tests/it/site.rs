//! The site of results: what stands in it, that nothing gets out of its place, and that only what changed is written.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::shop::{built, by_hand, shop};
use crate::support::{Outcome, Project, python, repository, snapshot_settings};

const SITE: [&str; 3] = ["results", "--site", "site"];

/// All pages, by path, without the style that each has.
fn pages(project: &Project, folder: &str) -> BTreeMap<String, String> {
    let root = project.path().join(folder);
    let style = regex::Regex::new("<style>.*?</style>").unwrap();
    let files = walkdir::WalkDir::new(&root).sort_by_file_name();
    let files = files.into_iter().map(|entry| entry.unwrap()).filter(|entry| entry.file_type().is_file());
    files
        .map(|entry| {
            let path = entry.path().strip_prefix(&root).unwrap().to_string_lossy().into_owned();
            let text = fs_err::read_to_string(entry.path()).unwrap();
            (path, style.replace_all(&text, "<style></style>").into_owned())
        })
        .filter(|(path, _)| path.ends_with(".html"))
        .collect()
}

/// Nothing is wrong with the pages in a folder, by the judge of `tests/site`.
#[track_caller]
fn sound(project: &Project, folder: &str) {
    let judge = fs_err::read_to_string(repository().join("tests/site/judge.py")).unwrap();
    let folder = project.path().join(folder);
    let wrong = python(&judge, &[folder.to_str().expect("a path in UTF-8")]).succeeds().json();
    assert_eq!(wrong, json!([]));
}

#[test]
fn the_judge_sees_what_is_wrong() {
    let project = Project::empty();
    project.write("site/a.html", "<h1>a</h1><p><a href=\"b.html#here\">b</a></p><svg><path></svg>");
    project.write("site/b.html", "<h3><b>x</h3><script>1</script><a href=\"c.html\">c</a><table></table>");
    let judge = fs_err::read_to_string(repository().join("tests/site/judge.py")).unwrap();
    let folder = project.path().join("site");
    let told = python(&judge, &[folder.to_str().unwrap()]).succeeds().json();
    let told: Vec<&str> = told.as_array().unwrap().iter().filter_map(Value::as_str).collect();
    for wrong in [
        "a.html: b.html#here leads to no place of its page",
        "a.html: a picture without words",
        "b.html: c.html leads nowhere",
        "b.html: <script> {} is run or loaded",
        "b.html: </h3> closes ['b']",
        "b.html: a table without heads",
        "b.html: 0 headings of the first level",
    ] {
        assert!(told.contains(&wrong), "{wrong}: {told:#?}");
    }
}

#[track_caller]
fn written(outcome: &Outcome) -> [usize; 3] {
    let numbers = regex::Regex::new(r": ([\d,]+) pages? written, (\d+) as they were, (\d+) removed").unwrap();
    let found = numbers.captures(&outcome.stderr).unwrap_or_else(|| panic!("{outcome}"));
    [1, 2, 3].map(|group| found[group].replace(',', "").parse().unwrap())
}

/// The names of runs, oldest first.
fn runs(project: &Project) -> Vec<String> {
    let listed = project.run(&["runs", "--json"]).succeeds().json();
    let mut names: Vec<String> =
        listed.as_array().unwrap().iter().map(|run| run["run"].as_str().unwrap().to_owned()).collect();
    names.reverse();
    names
}

/// Each run gets a name, a time and a user that are the same on every machine.
fn settle(project: &Project) {
    let mut sql = String::new();
    for (number, run) in runs(project).iter().enumerate() {
        let name = format!("2024020{}T060000Z-0000000{number}", number + 1);
        for table in ["runs", "steps", "expectations"] {
            sql.push_str(&format!("UPDATE pipewright.{table} SET run = '{name}' WHERE run = '{run}';"));
        }
        sql.push_str(&format!(
            "UPDATE pipewright.runs SET started_at = '2024-02-0{}T06:00:00.000Z' WHERE run = '{name}';",
            number + 1
        ));
    }
    sql.push_str("UPDATE pipewright.runs SET started_by = 'ann@shop', milliseconds = 1234;");
    sql.push_str("UPDATE pipewright.steps SET milliseconds = 56;");
    sql.push_str("UPDATE pipewright.expectations SET milliseconds = 7;");
    by_hand(project, &sql);
}

/// The shop after four runs: good, with a warning, with hostile rows twice under one number, good but for the warning.
fn eventful() -> Project {
    let project = shop();
    project.write(
        "expectations/shop.yaml",
        "suites:\n\
         \x20 orders:\n    description: What came in is whole.\n    tags: [arrived]\n    key_columns: [product]\n    expectations:\n\
         \x20     - { expect: unique, columns: [id], owner: \"Ann <ann@example.com>\", note: \"Numbers 'may' & \\\"will\\\" wrap.\", tags: [money] }\n\
         \x20     - { expect: expression, name: numbers_are_low, sql: id < 9 }\n\
         \x20     - { expect: row_count, min: 1, max: 5 }\n\
         \x20     - { expect: mean, column: amount, max: 4, severity: warning }\n\
         \x20 daily_sales:\n    expectations:\n\
         \x20     - { expect: expression, name: revenue_is_positive, description: Nobody pays us to take it., sql: revenue > 0 }\n",
    );
    project.replace(
        "pipeline.yaml",
        "default_target: local\n",
        "default_target: local\ncheckpoints:\n  arrived: { description: What came in., tags: [arrived] }\n",
    );
    let apply = |rows: &str| {
        project.write("data/orders.csv", &format!("id,day,product,amount\n{rows}"));
        project.run(&["apply", "--threads", "1"])
    };
    apply("1,2024-01-01,pen,2.50\n2,2024-01-01,cup,4.00\n").succeeds();
    apply("1,2024-01-01,pen,2.50\n2,2024-01-01,cup,7.00\n3,2024-01-02,pen,8.50\n").succeeds();
    apply("9,2024-01-01,<script>alert(1)</script>,2.50\n9,2024-01-01,\"\"\" onload='x'><b>&\",7.00\n")
        .ends_with(1);
    apply("1,2024-01-01,pen,2.50\n2,2024-01-01,cup,7.00\n").succeeds();
    settle(&project);
    project
}

#[test]
fn the_site_of_an_eventful_week() {
    let project = eventful();
    assert_eq!(written(&project.run(&SITE).succeeds()), [9, 0, 0]);
    sound(&project, "site");
    let pages = pages(&project, "site");
    snapshot_settings(&project).bind(|| {
        for (name, path) in [
            ("index", "index.html"),
            ("suite", "suites/orders.html"),
            ("run", "runs/20240203T060000Z-00000002.html"),
        ] {
            insta::assert_snapshot!(format!("the_site_of_an_eventful_week__{name}"), pages[path]);
        }
    });
    // The same bytes in another folder.
    project.run(&["results", "--site", "elsewhere"]).succeeds();
    assert_eq!(self::pages(&project, "elsewhere"), pages);
}

#[test]
fn what_is_hostile_stays_text() {
    let project = built();
    let name = "\"><img src=x onerror=alert(1)> & 'co' ../../x";
    project.write(
        "expectations/shop.yaml",
        &format!(
            "suites:\n  {suite}:\n    table: orders\n    description: {text}\n    tags: [{text}]\n    expectations:\n\
             \x20     - {{ expect: expression, name: {text}, description: {text}, note: {text}, owner: {text}, where: {shown}, sql: {condition} }}\n",
            suite = json!(name),
            text = json!("</style></title><script>alert('1')</script>\u{1}\u{202e}"),
            shown = json!("product <> '</code><script>alert(1)</script>'"),
            condition = json!("product = '</code><script>alert(2)</script>'"),
        ),
    );
    project.replace(
        "pipeline.yaml",
        "default_target: local\n",
        "description: \"<script>1</script>\"\ndefault_target: local\ncheckpoints:\n  \"<script>\": { description: \"<script>\" }\n",
    );
    project.write(
        "data/orders.csv",
        "id,day,product,amount\n1,2024-01-01,<script>alert(1)</script>,1\n2,2024-01-01,\"'\"\"><svg/onload=x>\",1\n",
    );
    project.run(&["apply"]).ends_with(1);
    // Columns may have any name in other engines' files.
    by_hand(
        &project,
        "UPDATE pipewright.expectations SET sample = '[{\"<script>\":\"</td><script>\",\"b\":[\"<i>\"],\"c\":\"\",\"d\":null}]' \
         WHERE verdict = 'failed'; UPDATE pipewright.steps SET message = '<script>' WHERE status = 'failed'; \
         UPDATE pipewright.runs SET command = '<script>', started_by = '<script>'",
    );
    project.run(&SITE).succeeds();
    sound(&project, "site");
    let pages = pages(&project, "site");
    for (path, text) in &pages {
        for never in ["<script", "<img", "onerror=alert", "<svg/", "<i>[", "\u{1}"] {
            let place = text.find(never).filter(|_| never != "onerror=alert" || text.contains("<img"));
            assert!(place.is_none(), "{path}: {never} in {text}");
        }
        assert!(!path.contains(['<', '>', '"', '\'', ' ']) && !path.contains(".."), "{path}");
    }
    let run = &pages[&format!("runs/{}.html", runs(&project)[1])];
    for shown in
        ["&lt;/td&gt;&lt;script&gt;", "<th scope=\"col\">&lt;script&gt;</th>", "[&quot;&lt;i&gt;&quot;]"]
    {
        assert!(run.contains(shown), "{shown}: {run}");
    }
}

#[test]
fn only_what_changed_is_written() {
    let project = eventful();
    project.run(&SITE).succeeds();
    let path = |run: &str| format!("site/runs/{run}.html");
    let names = runs(&project);
    let marked = |run: &str| project.read(&path(run)).contains("<!-- as it was -->");
    let mark = |run: &str| {
        let text = project.read(&path(run));
        project.write(&path(run), &format!("{text}<!-- as it was -->"));
    };
    for run in &names {
        mark(run);
    }
    assert_eq!(written(&project.run(&SITE).succeeds()), [0, 9, 0]);
    assert!(names.iter().all(|run| marked(run)));

    // A page that is gone comes back, and the others stay.
    fs_err::remove_file(project.path().join(path(&names[1]))).unwrap();
    assert_eq!(written(&project.run(&SITE).succeeds()), [1, 8, 0]);
    assert_eq!(names.iter().map(|run| marked(run)).collect::<Vec<_>>(), [true, false, true, true]);

    // Another run is one page more, and changes what tells of all runs.
    project.write("data/orders.csv", "id,day,product,amount\n1,2024-01-01,pen,2.50\n2,2024-01-01,cup,1.00\n");
    project.run(&["apply"]).succeeds();
    assert_eq!(written(&project.run(&SITE).succeeds()), [6, 4, 0]);
    assert!(marked(&names[0]) && path(&runs(&project)[4]).ends_with(".html"));
    sound(&project, "site");

    // What is forgotten loses its page; what is not ours stays.
    project.write("site/notes.html", "mine");
    by_hand(
        &project,
        &["runs", "steps", "expectations"]
            .map(|table| format!("DELETE FROM pipewright.{table} WHERE run = '{}';", names[0]))
            .concat(),
    );
    let [_, _, removed] = written(&project.run(&SITE).succeeds());
    assert_eq!(removed, 1);
    assert!(!project.path().join(path(&names[0])).exists() && marked(&names[2]));
    assert_eq!(project.read("site/notes.html"), "mine");
}

#[test]
fn links_follow_an_expectation_that_moves() {
    let project = eventful();
    project.run(&SITE).succeeds();
    let run = format!("runs/{}.html", runs(&project)[2]);
    assert!(pages(&project, "site")[&run].contains("href=\"../suites/orders.html#orders.unique_id\""));
    // The suite has another name, and one expectation is gone.
    project.replace("expectations/shop.yaml", "  orders:\n", "  incoming:\n    table: orders\n");
    project.replace("expectations/shop.yaml", "      - { expect: row_count, min: 1, max: 5 }\n", "");
    let [_, _, removed] = written(&project.run(&SITE).succeeds());
    assert_eq!(removed, 1);
    sound(&project, "site");
    let pages = pages(&project, "site");
    assert!(pages[&run].contains("href=\"../suites/incoming.html#orders.unique_id\""));
    assert!(
        pages["gone.html"].contains("id=\"orders.row_count\"") && !pages.contains_key("suites/orders.html")
    );
}

#[test]
fn what_became_personal_is_hidden_in_pages_that_are_there() {
    let project = eventful();
    project.run(&SITE).succeeds();
    let run = format!("runs/{}.html", runs(&project)[2]);
    let shown = |text: &str| pages(&project, "site")[&run].contains(text);
    assert!(shown("alert(1)"));
    project.replace(
        "sources/shop.yaml",
        "      product: { type: STRING }\n      amount",
        "      product: { type: STRING, tags: [personal] }\n      amount",
    );
    project.run(&SITE).succeeds();
    assert!(!shown("alert(1)") && shown("<td class=\"hidden\">***</td>"));
}

#[test]
fn long_lists_have_pages() {
    let project = built();
    let run = "printf('20230101T000000Z-%08x', n)";
    by_hand(
        &project,
        &format!(
            "INSERT INTO pipewright.runs SELECT {run}, 'apply', 'shop', 'ann@shop', \
             strftime(TIMESTAMP '2023-01-01' + n * INTERVAL 1 HOUR, '%Y-%m-%dT%H:%M:%S.000Z'), NULL, 5, 'done' FROM range(120) AS r(n); \
             INSERT INTO pipewright.expectations SELECT {run}, 'expectation.orders.old_' || m, 'source.orders', 'critical', \
             if(m < 300 AND n = 7, 'failed', 'passed'), 10, 1, 'so', NULL, NULL, NULL, NULL, NULL FROM range(7, 9) AS r(n), range(1100) AS s(m)",
        ),
    );
    project.run(&SITE).succeeds();
    sound(&project, "site");
    let pages = pages(&project, "site");
    let paths =
        |start: &str| pages.keys().filter(|path| path.starts_with(start)).cloned().collect::<Vec<_>>();
    assert_eq!(paths("runs/index"), ["runs/index.html", "runs/index~2.html", "runs/index~3.html"]);
    assert_eq!(paths("gone").len(), 11, "1,100 expectations, a hundred on each");
    // 800 passed; those that failed are all on the first page, the first 200 of them in full.
    let failing = paths("runs/20230101T000000Z-00000007");
    assert_eq!(failing.len(), 2);
    let first = &pages[&failing[0]];
    assert_eq!((first.matches("<article").count(), first.matches("<tr id=").count()), (200, 100));
    assert_eq!(paths("runs/20230101T000000Z-00000008").len(), 3);
    // Further pages are the run's too.
    by_hand(
        &project,
        "DELETE FROM pipewright.runs WHERE run LIKE '2023%'; DELETE FROM pipewright.expectations WHERE run LIKE '2023%'",
    );
    assert_eq!(written(&project.run(&SITE).succeeds())[2], 120 + 1 + 2 + 2 + 11);
}

#[test]
fn a_folder_of_other_things_is_refused() {
    let project = built();
    project.write("public/index.html", "mine");
    let refused = project.run(&["results", "--site", "public"]).ends_with(2);
    assert!(refused.stderr.contains("holds other files"), "{refused}");
    assert_eq!(project.read("public/index.html"), "mine");
    project.run(&["results", "orders", "--site", "site"]).ends_with(2);
}

#[test]
fn a_target_without_runs_has_a_site() {
    let project = shop();
    project.run(&SITE).succeeds();
    sound(&project, "site");
    assert!(pages(&project, "site")["index.html"].contains("Nothing was evaluated yet"));
    assert!(!project.path().join("shop.duckdb").exists());
}

#[test]
fn a_checkpoint_writes_it_with_its_own_run() {
    let project = built();
    project.replace(
        "pipeline.yaml",
        "default_target: local\n",
        "default_target: local\ncheckpoints:\n  all:\n    actions:\n      - { do: site, to: reports/site, when: failure }\n      - { do: keep }\n",
    );
    project.run(&["check", "all"]).succeeds();
    assert!(!project.path().join("reports").exists(), "it is for failures only");
    by_hand(&project, "INSERT INTO raw.orders SELECT * FROM raw.orders WHERE id = 1");
    project.run(&["check", "all"]).ends_with(1);
    sound(&project, "reports/site");
    let last = runs(&project).pop().unwrap();
    let pages = pages(&project, "reports/site");
    assert!(pages["index.html"].contains(&last) && pages.contains_key(&format!("runs/{last}.html")));
}

#[test]
fn files_of_earlier_versions_are_read_and_brought_forward() {
    let project = eventful();
    by_hand(
        &project,
        "ALTER TABLE pipewright.expectations DROP COLUMN observed; \
         ALTER TABLE pipewright.expectations DROP COLUMN milliseconds",
    );
    project.run(&SITE).succeeds();
    sound(&project, "site");
    assert!(!pages(&project, "site")["suites/orders.html"].contains("Slowest queries"), "no time is known");
    let results = project.run(&["results", "--json"]).succeeds().json();
    assert_eq!(results[0]["milliseconds"], Value::Null, "{results:#}");
    project.write("data/orders.csv", "id,day,product,amount\n1,2024-01-01,pen,2.50\n2,2024-01-01,cup,1.00\n");
    project.run(&["apply"]).succeeds();
    let observed = crate::shop::rows(
        &project,
        "SELECT observed FROM pipewright.expectations WHERE address LIKE '%mean%' ORDER BY rowid DESC LIMIT 2",
    );
    assert_eq!(observed, json!([["1.75"], [Value::Null]]));
    let measured = crate::shop::rows(
        &project,
        "SELECT milliseconds IS NOT NULL, count(DISTINCT run) FROM pipewright.expectations GROUP BY ALL ORDER BY ALL",
    );
    assert_eq!(measured, json!([["False", "4"], ["True", "1"]]));
    let results = project.run(&["results", "--json"]).succeeds().json();
    assert!(results[0]["milliseconds"].is_u64(), "{results:#}");
}
