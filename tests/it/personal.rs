//! What is personal is told nowhere: values that can be recognised are put into columns with that tag, expectations of
//! all kinds that tell values fail on them, files and queries too, and no output may have them.

use serde_json::{Value, json};

use crate::shop::{applied, built, by_hand, rows, text};
use crate::support::{Outcome, Project, python};

/// What stands in personal columns, and what comes of it: a text, a day, a time, a number, half of it, its deviation.
const SECRETS: [&str; 6] = ["secret.person", "1987-06-05", "2019-03-04", "918273", "459136", "649317"];

const PIPELINE: &str = "name: shop\n\
    targets: { local: { type: duckdb, path: shop.duckdb } }\n\
    datasets: { raw: {}, marts: {} }\n\
    defaults:\n  sources: { dataset: raw }\n  models: { dataset: marts }\n  expectations: { severity: warning }\n\
    checkpoints:\n  all:\n    actions:\n\
    \x20     - { do: write, to: reports/all.xml, format: junit }\n      - { do: write, to: reports/all.md, format: markdown }\n\
    \x20     - { do: write, to: reports/all.json, format: json }\n      - { do: write, to: reports/all.txt, format: table }\n\
    \x20     - { do: keep }\n      - { do: site, to: reports/site }\n";

const SOURCES: &str = "sources:\n  people:\n    files: data/people.csv\n    columns:\n\
    \x20     id: { type: INT64 }\n      email: { type: STRING, tags: [personal] }\n      born: { type: DATE, tags: [personal] }\n\
    \x20     seen: { type: TIMESTAMP, tags: [personal] }\n      points: { type: INT64, tags: [personal] }\n      contact: { type: STRING }\n\
    \x20 book:\n    files: data/book.csv\n    columns: { email: { type: STRING }, contact: { type: STRING } }\n";

/// Entries that fail, of all kinds that tell something of values.
const ENTRIES: &str = "
      - { expect: min, column: points, min: 1 }
      - { expect: max, column: points, max: 1 }
      - { expect: max, columns: [email, born, seen], max: '1900-01-01' }
      - { expect: min, column: points, min: 1000000, group_by: [id] }
      - { expect: mean, column: points, max: 1 }
      - { expect: median, column: points, max: 1 }
      - { expect: sum, column: points, max: 1 }
      - { expect: stdev, column: points, max: 1 }
      - { expect: quantiles, column: points, quantiles: [{ at: 0.5, max: 1 }, { at: 1, max: 1 }] }
      - { expect: distinct_count, column: email, min: 5 }
      - { expect: unique_share, column: email, max: 0.1 }
      - { expect: distinct_values, column: email, values: [nobody], mode: in }
      - { expect: most_common, column: email, values: [nobody] }
      - { expect: unique, columns: [email] }
      - { expect: accepted_values, column: email, values: [nobody] }
      - { expect: rejected_values, column: born, values: [1987-06-05] }
      - { expect: between, column: points, max: 1 }
      - { expect: between, column: seen, max: '1999-01-01 00:00:00' }
      - { expect: regex, column: email, regex: '^x' }
      - { expect: like, column: email, pattern: 'x%' }
      - { expect: length, column: email, max: 3 }
      - { expect: date_format, column: email, format: '%Y' }
      - { expect: json_parseable, column: email }
      - { expect: increasing, column: points, order_by: [id] }
      - { expect: z_score, column: points, threshold: 0.1 }
      - { expect: equal, column: email, other: contact }
      - { expect: unique_within_row, columns: [email, copy] }
      - { expect: sum_equals, columns: [points, id], total: id }
      - { expect: expression, sql: points < 1 AND email > 'x', key_columns: [email] }
      - { expect: expression, sql: LENGTH(contact) > 100 }
      - { expect: relationships, column: email, to: book, field: contact }
      - { expect: star_schema, keys: { email: book.contact } }
      - { expect: freshness, column: seen, max_age: 1d }
      - { expect: cardinality, column: contact, to: book, field: email }
      - { expect: cardinality, column: email, to: book }
      - { expect: same_rows, to: book, columns: [email, contact] }
      - { expect: query, sql: SELECT * FROM this }
      - { expect: query, sql: \"SELECT id, UPPER(email) AS x, LOWER(email) AS contact FROM this\" }
      - { expect: query, reads: [book], sql: \"SELECT TO_JSON_STRING(book) AS line FROM book\" }
      - { expect: query, reads: [book], sql: \"SELECT [STRUCT(this.email)] AS list, TO_JSON_STRING(book) AS line FROM this, book\" }
      - { expect: query, sql: \"SELECT [STRUCT(email)] AS contact FROM this\" }
      - { expect: reconcile, sql: SELECT MAX(points) FROM this, equals: SELECT 1 }
";

fn project() -> Project {
    let project = Project::of(&[
        ("pipeline.yaml", PIPELINE),
        ("sources/people.yaml", SOURCES),
        (
            "models/people.yaml",
            "models:\n  everyone:\n    description: All people.\n    columns: { copy: { tags: [personal] } }\n",
        ),
        (
            "models/everyone.sql",
            "SELECT id, email, born, seen, points, contact, email AS copy FROM {{ source('people') }}\n",
        ),
        (
            "data/people.csv",
            "id,email,born,seen,points,contact\n\
             1,secret.person@example.org,1987-06-05,2019-03-04 05:06:07,918273,desk\n\
             2,secret.person@example.org,1987-06-05,2019-03-04 05:06:07,0,desk\n",
        ),
        ("data/book.csv", "email,contact\nsecret.person@example.com,desk\n"),
    ]);
    let entries = |without: &str| {
        let lines = ENTRIES.lines().filter(|line| without.is_empty() || !line.contains(without));
        lines.collect::<Vec<_>>().join("\n") + "\n"
    };
    project.write(
        "expectations/people.yaml",
        &format!(
            "suites:\n  people:\n    expectations:{}  everyone:\n    expectations:{}",
            entries("unique_within_row"),
            entries("")
        ),
    );
    project
}

/// Everything in Pipewright's own tables, as text.
fn remembered(project: &Project) -> String {
    let program = "import duckdb, sys\n\
        connection = duckdb.connect(sys.argv[1], read_only=True)\n\
        for table in ['runs', 'steps', 'files', 'expectations']:\n\
        \x20   print(connection.execute(f'SELECT * FROM pipewright.{table}').fetchall())";
    let path = project.path().join("shop.duckdb");
    python(program, &[path.to_str().unwrap()]).succeeds().stdout
}

/// The texts of all files in a folder.
fn files(project: &Project, folder: &str) -> String {
    let entries = walkdir::WalkDir::new(project.path().join(folder)).into_iter().map(|entry| entry.unwrap());
    let files = entries.filter(|entry| entry.file_type().is_file());
    files.map(|entry| fs_err::read_to_string(entry.path()).unwrap()).collect()
}

#[track_caller]
fn silent(text: &str) {
    for secret in SECRETS {
        let at = text.to_lowercase().find(secret);
        let around = at.map(|at| text.chars().skip(at.saturating_sub(300)).take(600).collect::<String>());
        assert_eq!(around, None, "{secret} is told");
    }
}

#[track_caller]
fn silent_outcome(outcome: &Outcome) {
    silent(&outcome.stdout);
    silent(&outcome.stderr);
}

/// `rejected_values` has the day in the manifest, so that its SQL does.
fn without_sql(mut results: Value) -> String {
    for check in results["checks"].as_array_mut().unwrap() {
        check.as_object_mut().unwrap().retain(|key, _| key != "sql" && key != "sample_sql");
    }
    results.to_string()
}

#[test]
fn no_expectation_tells_a_personal_value() {
    let project = project();
    silent_outcome(&project.run(&["apply"]).succeeds());
    for form in ["table", "junit", "markdown"] {
        silent_outcome(&project.run(&["check", "--format", form]).succeeds());
    }
    let told = project.run(&["check", "all", "--json"]).succeeds();
    silent(&without_sql(told.json()));
    let checks = told.json()["checks"].as_array().unwrap().clone();
    // All were asked and do not hold: what passes has nothing to tell.
    assert_eq!(checks.len(), 89, "{checks:#?}");
    let holding: Vec<&Value> = checks.iter().filter(|check| check["verdict"] != "warned").collect();
    assert!(holding.is_empty(), "{holding:#?}");
    let found = |name: &str| {
        let address = format!("expectation.people.{name}");
        checks.iter().find(|check| check["address"] == address).expect(name).clone()
    };
    assert_eq!(found("max_points")["found"], "the greatest value of points is ***, expected at most 1");
    assert_eq!(found("max_points")["observed"], Value::Null);
    assert_eq!(found("freshness_seen")["found"], "the newest value is *** old");
    assert_eq!(found("min_points_2")["sample"][0], json!({ "id": 1, "value": "***" }));
    assert_eq!(found("distinct_count_email")["observed"], json!(1.0));
    assert_eq!(found("query_2")["sample"][0], json!({ "id": 1, "x": "***", "contact": "***" }));
    assert_eq!(found("query_5")["sample"][0], json!({ "contact": "***" }));
    assert_eq!(found("reconcile")["found"], "the comparison is ***, expected the same");

    for command in
        [&["results"][..], &["results", "--json"], &["results", "--failing"], &["check", "--propose"]]
    {
        silent_outcome(&project.run(command).succeeds());
    }
    let run = text(&project.run(&["runs", "--json"]).succeeds().json()[0]["run"]);
    silent_outcome(&project.run(&["runs", &run]).succeeds());
    let sql = "UPDATE pipewright.expectations SET query = ''";
    by_hand(&project, sql);
    silent(&remembered(&project));
    project.run(&["results", "--site", "site"]).succeeds();
    silent(&files(&project, "site"));
    silent(&["xml", "md", "txt"].map(|end| project.read(&format!("reports/all.{end}"))).concat());
    silent(&without_sql(serde_json::from_str(&project.read("reports/all.json")).unwrap()));
}

#[test]
fn no_fault_of_a_file_tells_a_personal_value() {
    let project = project();
    project.write("expectations/people.yaml", "suites: {}\n");
    let header = "id,email,born,seen,points,contact\n";
    let bad = [
        "1,a,1987-06-05,,918273 secret.person,desk\n",
        "1,a,5 June 1987-06-05,,1,desk\n",
        "1,\"secret.person\" 918273,,,1,desk\n",
        // What is opened in a column that is not personal swallows the next ones.
        "\"1,secret.person,,,1,desk\n",
        "1,secret.person\u{0},,,1,desk\n",
        "1,2,3,4,5,6,secret.person\u{0}\n",
    ];
    for (number, line) in bad.iter().enumerate() {
        for limit in ["0", "1"] {
            project.write(
                "sources/people.yaml",
                &SOURCES.replace(
                    "    files: data/people.csv\n",
                    &format!("    files: data/people.csv\n    max_rejects: {limit}\n"),
                ),
            );
            project.write("data/people.csv", &format!("{header}{}", line.repeat(2)));
            let told = project.run(&["apply"]).ends_with(1);
            let code = if limit == "0" { "PW0603" } else { "PW0604" };
            assert!(told.stdout.contains(code), "{number}: {told}");
            silent_outcome(&told);
            silent_outcome(&project.run(&["apply", "--json"]).ends_with(1));
        }
    }
    silent(&remembered(&project));
    let run = text(&project.run(&["runs", "--json"]).succeeds().json()[0]["run"]);
    silent_outcome(&project.run(&["runs", &run]).ends_with(0));
    project.run(&["results", "--site", "site"]).succeeds();
    silent(&files(&project, "site"));

    // Columns that are not personal are told, and the rejects table has all as it came.
    project.write("data/people.csv", &format!("{header}x7,secret.person,,,1,desk\n1,b,,,1,desk\n"));
    project.write("sources/people.yaml", SOURCES);
    let told = project.run(&["apply"]).ends_with(1);
    assert!(told.stdout.contains("column `id`: `x7` it is not an INT64"), "{told}");
    silent_outcome(&told);
    project.write(
        "sources/people.yaml",
        &SOURCES.replace("    files: data/people.csv\n", "    files: data/people.csv\n    max_rejects: 1\n"),
    );
    project.write("data/people.csv", &format!("{header}1,secret.person,,,x,desk\n1,b,,,1,desk\n"));
    silent_outcome(&project.run(&["apply"]).succeeds());
    assert_eq!(
        rows(&project, "SELECT value, record, reason FROM raw.people__rejects"),
        json!([[
            "x",
            "1,secret.person,,,x,desk",
            "it is not an INT64: that is a whole number in decimal digits"
        ]])
    );
}

#[test]
fn no_fault_of_the_engine_tells_a_personal_value() {
    let project = project();
    let suite = |entry: &str| {
        project.write(
            "expectations/people.yaml",
            &format!("suites:\n  people:\n    expectations: [{{ {entry} }}]\n"),
        );
    };
    suite("expect: exists");
    project.run(&["apply"]).succeeds();
    for entry in [
        "expect: expression, sql: CAST(email AS INT64) > 0",
        "expect: query, sql: SELECT CAST(this.email AS INT64) AS n FROM this",
        "expect: reconcile, sql: SELECT MAX(CAST(email AS DATE)) FROM this, equals: SELECT 1",
    ] {
        suite(entry);
        for form in ["table", "json", "junit", "markdown"] {
            let told = project.run(&["check", "--format", form]).ends_with(1);
            let words: Vec<&str> = told.stderr.split(|c: char| c.is_whitespace() || c == '│').collect();
            let said = words.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
            assert!(said.contains("*** (it may quote values of personal columns)"), "{told}");
            silent_outcome(&told);
        }
        silent_outcome(&project.run(&["apply"]).ends_with(1));
    }
    suite("expect: exists");
    project.replace("models/everyone.sql", "email AS copy", "CAST(email AS INT64) AS copy");
    let told = project.run(&["apply", "--json"]).ends_with(1);
    let step = &applied(&told)["model.everyone"];
    assert!(text(&step["fault"]["message"]).contains("*** (it may quote"), "{step}");
    silent_outcome(&told);
    silent(&remembered(&project));
}

#[test]
fn what_became_personal_is_hidden_in_results_that_are_there() {
    let project = built();
    project.replace(
        "expectations/shop.yaml",
        "{ expect: unique, columns: [id] }",
        "{ expect: max, column: amount, max: 1, severity: warning }",
    );
    project.run(&["apply"]).succeeds();
    let told = |hidden: bool| {
        project.run(&["results", "--site", "site"]).succeeds();
        let pages = files(&project, "site");
        let found = project.run(&["results", "orders", "--json"]).succeeds().json()[0]["found"].clone();
        assert_eq!(pages.contains("the greatest value of amount is 7"), !hidden);
        found
    };
    assert_eq!(told(false), json!("the greatest value of amount is 7, expected at most 1"));
    project.replace(
        "sources/shop.yaml",
        "amount: { type: NUMERIC }",
        "amount: { type: NUMERIC, tags: [personal] }",
    );
    assert_eq!(told(true), json!("***"));
}
