//! Each command as a user meets it: exit code, what goes where, and how it reads.

use std::io::Write;
use std::process::Stdio;

use serde_json::{Value, json};

use crate::shop::{built, by_hand, content, planned, shop};
use crate::support::{Outcome, Project, snapshot_settings};

/// Shows what a command prints.
macro_rules! shows {
    ($name:literal, $project:expr, $arguments:expr) => {
        snapshot_settings(&$project).bind(|| insta::assert_snapshot!($name, $project.run(&$arguments)));
    };
}

/// Times stand in the last column, whose width they change.
fn without_times(text: &str) -> String {
    let time = regex::Regex::new(r"(?m) +(time|[\d.]+ m?s)$").unwrap();
    let told = |found: &regex::Captures<'_>| match &found[1] {
        "time" => "  time",
        _ => "  [DURATION]",
    };
    time.replace_all(text, told).into_owned()
}

#[test]
fn the_first_plan_and_run() {
    let project = shop();
    shows!("the_first_plan_and_run__validate", project, ["validate"]);
    shows!("the_first_plan_and_run__plan", project, ["plan"]);
    let mut applied = project.run(&["apply", "--threads", "1"]).succeeds();
    applied.stdout = without_times(&applied.stdout);
    snapshot_settings(&project).bind(|| insta::assert_snapshot!("the_first_plan_and_run", applied));
    shows!("the_first_plan_and_run__apply", project, ["apply"]);
    shows!("the_first_plan_and_run__check", project, ["check"]);
}

#[test]
fn a_plan_with_everything_in_it() {
    let project = built();
    project.replace("sources/shop.yaml", "amount: { type: NUMERIC }", "amount: { type: FLOAT64 }");
    project.write("data/products.csv", "product,colour\npen,green\n");
    project.replace(
        "models/shop.yaml",
        "  catalogue:\n    description: Products as they are shown.\n",
        "  colours:\n    description: All colours.\n",
    );
    project.write("models/colours.sql", "SELECT DISTINCT colour FROM {{ source('products') }}\n");
    by_hand(&project, "DELETE FROM marts.daily_sales");
    shows!("a_plan_with_everything_in_it__plan_exclude_products", project, ["plan", "--exclude", "products"]);
    shows!("a_plan_with_everything_in_it__plan_prune", project, ["plan", "--prune"]);
}

#[test]
fn a_run_that_fails() {
    let project = built();
    project.write("data/orders.csv", "id,day,product,amount\n1,2024-01-01,pen,0\n1,2024-01-01,cup,-1\n");
    let mut failed = project.run(&["apply", "--threads", "1"]).ends_with(1);
    failed.stdout = without_times(&failed.stdout);
    snapshot_settings(&project).bind(|| insta::assert_snapshot!("a_run_that_fails", failed));
    by_hand(&project, "INSERT INTO raw.orders SELECT * FROM raw.orders WHERE id = 1");
    shows!("a_run_that_fails__check", project, ["check"]);
    project.run(&["check"]).ends_with(1);
    project.run(&["check", "--select", "catalogue"]).succeeds();
}

#[test]
fn lists_and_graphs() {
    let project = shop();
    shows!("lists_and_graphs__ls", project, ["ls"]);
    shows!("lists_and_graphs__ls_select_orders_below", project, ["ls", "--select", "orders+"]);
    shows!("lists_and_graphs__graph", project, ["graph"]);
    shows!("lists_and_graphs__graph_format_dot", project, ["graph", "--format", "dot"]);
    shows!("lists_and_graphs__graph_format_mermaid", project, ["graph", "--format", "mermaid"]);
    let graph = project.run(&["graph", "--format", "json"]).succeeds().json();
    assert!(graph.to_string().contains("model.daily_sales"), "{graph:#}");
    let list = project.run(&["ls", "--json"]).succeeds().json();
    assert_eq!(list["nodes"].as_array().map(Vec::len), Some(5));
    assert!(!project.path().join("shop.duckdb").exists());
}

#[test]
fn compiled_sql_for_both_targets() {
    let project = shop();
    project.replace(
        "pipeline.yaml",
        "default_target",
        "  cloud: { type: bigquery, project: my-project, location: US }\ndefault_target",
    );
    shows!("compiled_sql_for_both_targets__compile_daily_sales", project, ["compile", "daily_sales"]);
    shows!(
        "compiled_sql_for_both_targets__compile_clean_orders_target_cloud",
        project,
        ["compile", "clean_orders", "--target", "cloud"]
    );
    let all = project.run(&["compile"]).succeeds();
    assert_eq!(all.stdout.matches("-- model.").count(), 3, "{all}");
    let wrong = project.run(&["compile", "daily_sale"]).ends_with(2);
    assert!(wrong.stdout.is_empty() && wrong.stderr.contains("daily_sales"), "{wrong}");
    // Nobody answers there.
    let endpoint = "location: US, endpoint: 'http://127.0.0.1:1' }";
    project.replace("pipeline.yaml", "location: US }", endpoint);
    let cloud = project.run(&["plan", "--target", "cloud"]).ends_with(2);
    assert!(cloud.stderr.contains("PW0804") && cloud.stderr.contains("`endpoint`"), "{cloud}");
}

#[test]
fn queries_in_every_form() {
    let project = built();
    let sql = "SELECT id, product, amount, NULL AS nothing FROM raw.orders ORDER BY id LIMIT 2";
    let of = |format: &str| project.run(&["query", "--format", format, sql]).succeeds();
    insta::assert_snapshot!("queries_in_every_form__table", of("table"));
    insta::assert_snapshot!("queries_in_every_form__csv", of("csv"));
    insta::assert_snapshot!("queries_in_every_form__jsonl", of("jsonl"));
    let table = of("json").json();
    assert_eq!(table["rows"][1]["amount"], "7");
    assert_eq!(table["schema"][0], json!({ "name": "id", "type": "INTEGER", "mode": "NULLABLE" }));

    project.write("q.sql", sql);
    assert_eq!(project.run(&["query", "--file", "q.sql"]).succeeds().stdout, of("table").stdout);
    let mut child =
        project.command(&["query", "-"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(sql.as_bytes()).unwrap();
    let piped = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8(piped.stdout).unwrap(), of("table").stdout);

    let script = "CREATE SCHEMA d; CREATE TABLE d.t (x INT64); INSERT INTO d.t (x) VALUES (1), (2), (3); SELECT SUM(x) AS total FROM d.t;";
    let alone = Project::empty().run(&["query", "--ephemeral", "--format", "csv", script]).succeeds();
    assert_eq!(alone.stdout, "total\n6\n");
    let wrong = project.run(&["query", "SELECT nothing FROM raw.orders"]).ends_with(1);
    assert!(wrong.stdout.is_empty() && !wrong.stderr.is_empty(), "{wrong}");
    project.run(&["query"]).ends_with(2);
}

#[test]
fn runs_are_listed_and_shown() {
    let project = shop();
    let none = project.run(&["runs"]).succeeds();
    assert_eq!(none.stdout, "");
    assert_eq!(project.run(&["runs", "--json"]).succeeds().json(), json!([]));
    project.run(&["apply"]).succeeds();
    let listed = project.run(&["runs", "--json"]).succeeds().json();
    assert_eq!(
        [&listed[0]["status"], &listed[0]["command"]],
        [&json!("done"), &json!("apply")],
        "{listed:#}"
    );
    let id = listed[0]["run"].as_str().unwrap();
    let shown = project.run(&["runs", id]).succeeds();
    assert!(shown.stdout.contains("source.orders") && shown.stdout.lines().count() == 5, "{shown}");
    assert_eq!(project.run(&["runs", id, "--json"]).succeeds().json().as_array().map(Vec::len), Some(5));
    project.run(&["runs", "no-such-run"]).ends_with(2);
}

/// Runs a program on a terminal of a width and gives what it shows there.
#[cfg(unix)]
fn on_a_terminal(project: &Project, columns: u16, arguments: &[&str]) -> Outcome {
    const TERMINAL: &str = "
import fcntl, os, pty, struct, sys, termios
folder, columns, *command = sys.argv[1:]
child, terminal = pty.fork()
if child == 0:
    os.chdir(folder)
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack('HHHH', 40, int(columns), 0, 0))
    os.execve(command[0], command, {'NO_COLOR': '1', 'TERM': 'xterm', 'TZ': 'UTC', 'LC_ALL': 'C.UTF-8', 'USER': 'ann'})
shown = b''
while True:
    try:
        part = os.read(terminal, 65536)
    except OSError:
        break
    if not part:
        break
    shown += part
sys.stdout.write(shown.decode().replace('\\r\\n', '\\n'))
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
";
    let (folder, columns) = (project.path().display().to_string(), columns.to_string());
    let head = [folder.as_str(), &columns, env!("CARGO_BIN_EXE_pipewright")];
    crate::support::python(TERMINAL, &[&head, arguments].concat())
}

#[test]
#[cfg(unix)]
fn tables_on_a_terminal_have_heads_and_fit() {
    let project = shop();
    project.replace(
        "models/shop.yaml",
        "  catalogue:",
        "  catalogue_of_everything_that_there_is_in_the_shop:",
    );
    fs_err::rename(
        project.path().join("models/catalogue.sql"),
        project.path().join("models/catalogue_of_everything_that_there_is_in_the_shop.sql"),
    )
    .unwrap();
    project.run(&["apply"]).succeeds();
    let show = |columns, arguments: &[&str]| on_a_terminal(&project, columns, arguments).succeeds().stdout;
    snapshot_settings(&project).bind(|| {
        insta::assert_snapshot!("tables_on_a_terminal_have_heads_and_fit__ls", show(90, &["ls"]));
    });
    let runs = show(100, &["runs"]);
    assert!(runs.starts_with("run                        status  command  by "), "{runs}");
    let id = runs.lines().nth(1).and_then(|line| line.split(' ').next()).unwrap();
    let steps = show(60, &["runs", id]);
    assert!(steps.starts_with("node ") && steps.lines().count() == 6, "{steps}");
    for (columns, text) in [(90, show(90, &["ls"])), (100, runs.clone()), (60, steps)] {
        assert!(text.lines().all(|line| line.chars().count() <= columns), "{text}");
    }
    // Elsewhere the rows are whole and alone, for other programs.
    let piped = project.run(&["ls"]).succeeds();
    assert!(piped.stdout.starts_with("source.orders ") && !piped.stdout.contains('…'), "{piped}");
    assert!(project.run(&["runs"]).succeeds().stdout.starts_with(id));
}

#[test]
fn clean_drops_what_is_ours() {
    let project = built();
    by_hand(&project, "CREATE TABLE marts.mine AS SELECT 1 AS x");
    let refused = project.run(&["clean"]).ends_with(1);
    assert!(refused.stderr.contains("PW0504"), "{refused}");
    assert_eq!(content(&project, "shop.duckdb", "UTC").len(), 6);
    project.run(&["clean", "--yes"]).succeeds();
    assert_eq!(content(&project, "shop.duckdb", "UTC").into_keys().collect::<Vec<_>>(), ["marts.mine"]);
    assert_eq!(planned(&project, &[]), crate::shop::ALL);
    project.run(&["apply"]).succeeds();
}

#[test]
fn a_new_project_works_at_once() {
    let project = Project::empty();
    project.run(&["init"]).succeeds();
    project.run(&["validate"]).succeeds();
    project.run(&["schema", "--check"]).succeeds();
    project.run(&["apply"]).succeeds();
    assert!(project.run(&["apply"]).succeeds().stdout.contains("Nothing to do"));
    let sales =
        project.run(&["query", "--format", "csv", "SELECT COUNT(*) AS n FROM marts.daily_sales"]).succeeds();
    assert_ne!(sales.stdout, "n\n0\n");
    // Never over what is there.
    let before = project.read("pipeline.yaml");
    project.write("pipeline.yaml", "name: mine\n");
    let again = project.run(&["init"]);
    assert_ne!(again.code, Some(0), "{again}");
    assert_eq!(project.read("pipeline.yaml"), "name: mine\n");
    assert_ne!(before, "name: mine\n");
}

#[test]
fn exit_codes_and_streams() {
    let project = shop();
    project.run(&["validate"]).ends_with(0);
    project.run(&["no-such-command"]).ends_with(2);
    project.run(&["plan", "--no-such-option"]).ends_with(2);
    let nowhere = Project::empty().run(&["plan"]).ends_with(2);
    assert!(nowhere.stderr.contains("PW0801") && nowhere.stdout.is_empty(), "{nowhere}");
    project.write("pipeline.yaml", "name: [\n");
    for command in ["validate", "plan", "apply", "ls", "graph", "check", "compile"] {
        let broken = project.run(&[command]).ends_with(1);
        assert!(broken.stdout.is_empty() && broken.stderr.contains("PW01"), "{command}: {broken}");
        let told = project.run(&[command, "--error-format", "json"]).ends_with(1);
        let faults: Value =
            serde_json::from_str(&told.stderr).unwrap_or_else(|error| panic!("{error}: {told}"));
        assert!(faults.as_array().is_some_and(|faults| !faults.is_empty()), "{told}");
    }
}

#[test]
fn completions_for_shells() {
    let project = Project::empty();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = project.run(&["completions", shell]).succeeds();
        assert!(script.stdout.contains("pipewright") && script.stdout.contains("apply"), "{shell}");
        assert_eq!(script.stderr, "");
    }
}

#[test]
fn secrets_stay_where_they_are() {
    const MARK: &str = "s3cr3t-m4rker";
    let project = Project::shipped();
    let run = |arguments: &[&str]| {
        let mut command = project.command(arguments);
        command
            .env("SLACK_WEBHOOK_URL", format!("https://hooks.example.com/{MARK}"))
            .env("RUN_WEBHOOK_URL", format!("https://{MARK}.example.com/"))
            .env("RUN_WEBHOOK_TOKEN", MARK)
            .env("SMTP_URL", format!("smtps://user:{MARK}@mail.example.com"));
        Outcome::of(&mut command)
    };
    let commands: [&[&str]; 9] = [
        &["validate"],
        &["plan", "--out", "saved.plan"],
        &["plan", "--json"],
        &["apply", "saved.plan"],
        &["ls"],
        &["ls", "--json"],
        &["check", "--json"],
        &["compile"],
        &["runs", "--json"],
    ];
    for arguments in commands {
        let outcome = run(arguments).succeeds();
        assert!(!outcome.to_string().contains(MARK), "{arguments:?}: {outcome}");
    }
    // A manifest that is wrong just where the secret stands.
    project.replace(
        "pipeline.yaml",
        "url: ${SLACK_WEBHOOK_URL:-}",
        "url: 'not a url ${SLACK_WEBHOOK_URL:-}'\n      wrong: ${RUN_WEBHOOK_TOKEN:-}",
    );
    for format in ["human", "json"] {
        let outcome = run(&["validate", "--error-format", format]).ends_with(1);
        assert!(!outcome.to_string().contains(MARK), "{outcome}");
    }
    for entry in walkdir::WalkDir::new(project.path()) {
        let entry = entry.unwrap();
        if entry.file_type().is_file() {
            let bytes = fs_err::read(entry.path()).unwrap();
            let found = bytes.windows(MARK.len()).any(|window| window == MARK.as_bytes());
            assert!(!found, "{} holds it", entry.path().display());
        }
    }
    assert_eq!(
        crate::shop::rows_in(&project, "olist.duckdb", "SELECT count(*) FROM pipewright.runs"),
        json!([["1"]])
    );
}

/// What programs write has lines of any length.
#[test]
fn a_fault_far_into_a_line_is_told_in_words() {
    let project = Project::empty();
    let filler = "x".repeat(100_000);
    project.write(
        "pipeline.yaml",
        &format!("{{name: far, description: {filler}, targets: {{local: {{type: duckdb, path: a}}}}, nothing: 1}}\n"),
    );
    let told = project.run(&["validate"]).ends_with(1);
    assert!(told.stderr.contains("error[PW0102]: unknown key `nothing`"), "{}", told.stderr.len());
    assert!(told.stderr.contains("  at pipeline.yaml:1:100"), "{}", told.stderr.len());
}
