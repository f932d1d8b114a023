//! A small pipeline whose rows tell which batch they came with: one that is lost, doubled or of another time is seen.

use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

use super::emulator::{Emulator, PROJECT};
use crate::support::{Outcome, Project};

/// Rows of each batch.
pub const BATCH: u64 = 20;

/// Appends the newest batch whatever is there: a batch that is taken in twice stands there twice.
const LOG: &str = "SELECT id, batch, shop, amount FROM {{ source('orders') }}\n\
    {% if is_incremental() %}WHERE batch = (SELECT MAX(batch) FROM {{ source('orders') }}){% endif %}\n";

/// All rows of all tables, in one form.
const ROWS: &str = "SELECT 'orders' AS source, id, batch, CONCAT(shop, note) AS word, amount FROM raw.orders \
    UNION ALL SELECT 'shops', NULL, NULL, CONCAT(shop, ' ', city), NULL FROM raw.shops \
    UNION ALL SELECT 'clean_orders', id, batch, shop, amount FROM marts.clean_orders \
    UNION ALL SELECT 'totals', version, batch, CAST(orders AS STRING), amount FROM marts.totals \
    UNION ALL SELECT 'cities', orders, batch, city, amount FROM marts.cities \
    UNION ALL SELECT 'log', id, batch, shop, amount FROM marts.log \
    UNION ALL SELECT 'latest', orders, batch, shop, NULL FROM marts.latest";

/// Two sources, a view, two tables, and two incremental models.
pub struct Little {
    pub project: Project,
    pub batches: u64,
    version: u64,
}

impl Little {
    /// With one batch, and nothing built.
    pub fn new() -> Self {
        let project = Project::of(&[
            (
                "pipeline.yaml",
                "name: little\n\
                 targets:\n  local: { type: duckdb, path: little.duckdb }\n\
                 \x20 bigquery: { type: bigquery, project: \"${BIGQUERY_PROJECT:-demo}\", endpoint: \"${BIGQUERY_ENDPOINT:-}\" }\n\
                 default_target: local\n\
                 datasets:\n  raw: { description: As it came. }\n  marts: { description: For reports. }\n\
                 defaults:\n  sources: { dataset: raw }\n  models: { dataset: marts }\n\
                 \x20 retries: { attempts: 2, wait: 100ms, max_wait: 1s }\n",
            ),
            (
                "sources/little.yaml",
                "sources:\n\
                 \x20 orders:\n    description: One row for each order.\n    files: data/orders.csv\n    columns:\n\
                 \x20     id: { type: INT64, required: true }\n      batch: { type: INT64 }\n      shop: { type: STRING }\n\
                 \x20     amount: { type: NUMERIC }\n      note: { type: STRING }\n\
                 \x20 shops:\n    description: One row for each shop.\n    files: data/shops.csv\n    columns:\n\
                 \x20     shop: { type: STRING, required: true }\n      city: { type: STRING }\n",
            ),
            (
                "models/little.yaml",
                "models:\n\
                 \x20 clean_orders: { description: Orders with clean names., materialized: view }\n\
                 \x20 totals: { description: One row for each batch. }\n\
                 \x20 cities: { description: One row for each city. }\n\
                 \x20 log: { description: All orders ever., materialized: incremental }\n\
                 \x20 latest: { description: The last batch of each shop., materialized: incremental, incremental: { unique_key: [shop] } }\n",
            ),
            (
                "models/clean_orders.sql",
                "SELECT id, batch, UPPER(shop) AS shop, amount FROM {{ source('orders') }}\n",
            ),
            (
                "models/cities.sql",
                "SELECT city, COUNT(*) AS orders, SUM(amount) AS amount, MAX(batch) AS batch FROM {{ source('orders') }} \
                 JOIN {{ source('shops') }} USING (shop) GROUP BY city\n",
            ),
            ("models/log.sql", LOG),
            (
                "models/latest.sql",
                "SELECT shop, MAX(batch) AS batch, COUNT(*) AS orders FROM {{ source('orders') }} GROUP BY shop\n",
            ),
            (
                "expectations/little.yaml",
                "suites:\n  orders:\n    expectations:\n      - { expect: unique, columns: [id] }\n\
                 \x20 log:\n    expectations:\n      - { expect: unique, columns: [id] }\n",
            ),
            ("data/shops.csv", "shop,city\nnorth,Recife\nsouth,Porto Alegre\nwest,Cuiaba\n"),
        ]);
        let mut little = Self { project, batches: 0, version: 0 };
        little.next_version();
        little.next_batch("-");
        little
    }

    /// More orders arrive. Each has a note at its end.
    pub fn next_batch(&mut self, note: &str) {
        self.batches += 1;
        let mut text = "id,batch,shop,amount,note\n".to_owned();
        for batch in 1..=self.batches {
            for at in 0..BATCH {
                let shop =
                    ["north", "south", "west"][usize::try_from((batch + at) % 3).expect("a small number")];
                let id = batch * 1000 + at;
                writeln!(text, "{id},{batch},{shop},{}.{:02},{note}", id % 97, id % 89).expect("a text");
            }
        }
        self.project.write("data/orders.csv", &text);
    }

    /// A model's SQL changes: all its rows say of which version they are.
    pub fn next_version(&mut self) {
        self.version += 1;
        let version = self.version;
        self.project.write(
            "models/totals.sql",
            &format!(
                "SELECT batch, COUNT(*) AS orders, SUM(amount) AS amount, {version} AS version \
                 FROM {{{{ ref('clean_orders') }}}} GROUP BY batch\n"
            ),
        );
    }

    /// Starts the program against a server and does not wait for it.
    pub fn start(&self, emulator: &Emulator, arguments: &[&str]) -> Child {
        start(emulator.command(&self.project, arguments))
    }

    /// Runs the program against a server.
    pub fn run(&self, emulator: &Emulator, arguments: &[&str]) -> Outcome {
        Outcome::of(&mut emulator.command(&self.project, arguments))
    }

    /// The rows of all tables on the embedded engine, after it has applied what there is.
    #[track_caller]
    pub fn expected(&self) -> Vec<String> {
        self.project.run(&["apply"]).succeeds();
        lines(&self.project.run(&["query", "--format", "jsonl", ROWS]))
    }

    /// What is published on a server must be this, the state must agree with it, and each order must be there once.
    #[track_caller]
    pub fn assert_whole(&self, emulator: &Emulator, expected: &[String], when: &str) {
        assert_eq!(lines(&self.run(emulator, &["query", "--format", "jsonl", ROWS])), expected, "{when}");
        let plan = self.run(emulator, &["plan", "--json"]).succeeds().json();
        assert_eq!(plan["steps"], json!([]), "{when}");
        let ids = query(emulator, "SELECT COUNT(*), COUNT(DISTINCT id) FROM marts.log").expect("rows");
        let all = (self.batches * BATCH).to_string();
        assert_eq!(ids, [[all.clone(), all]], "{when}");
    }
}

/// The lines that a command printed, sorted.
#[track_caller]
fn lines(outcome: &Outcome) -> Vec<String> {
    let mut lines: Vec<String> = outcome.clone().succeeds().stdout.lines().map(str::to_owned).collect();
    lines.sort();
    lines
}

/// Starts a program and does not wait for it.
pub fn start(mut command: Command) -> Child {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts")
}

/// How a started program ended.
pub fn finish(child: Child) -> Outcome {
    let output = child.wait_with_output().expect("its output");
    let text = |bytes| String::from_utf8(bytes).expect("output in UTF-8");
    Outcome { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

/// Tables and views of the pipeline's datasets that are none of its own, sorted.
pub fn left_aside(emulator: &Emulator) -> Vec<String> {
    let own = ["orders", "shops", "clean_orders", "totals", "cities", "log", "latest"];
    let mut found = Vec::new();
    for dataset in ["raw", "marts"] {
        let sql = format!("SELECT table_name FROM {dataset}.INFORMATION_SCHEMA.TABLES");
        let names = query(emulator, &sql).expect("names").into_iter().map(|row| row[0].clone());
        found.extend(
            names.filter(|name| !own.contains(&name.as_str())).map(|name| format!("{dataset}.{name}")),
        );
    }
    found.sort();
    found
}

/// The rows of a query as the server itself tells them, past the program; or what it says is wrong.
pub fn query(emulator: &Emulator, sql: &str) -> Result<Vec<Vec<String>>, String> {
    let body = json!({ "query": sql, "useLegacySql": false, "timeoutMs": 60_000 }).to_string();
    let address = emulator.endpoint();
    let address = address.trim_start_matches("http://");
    let asked = || -> std::io::Result<String> {
        let mut stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(Duration::from_secs(60)))?;
        let length = body.len();
        write!(
            stream,
            "POST /bigquery/v2/projects/{PROJECT}/queries HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\
             Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
        )?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    };
    let answer = asked().map_err(|error| error.to_string())?;
    let (_, body) = answer.split_once("\r\n\r\n").ok_or("no body")?;
    let body: Value = serde_json::from_str(body).map_err(|error| format!("{error}: {answer}"))?;
    if body["jobComplete"] != json!(true) || body["error"].is_object() || body["errors"][0].is_object() {
        return Err(body.to_string());
    }
    let cells = |row: &Value| -> Vec<String> {
        let cells = row["f"].as_array().into_iter().flatten();
        cells.map(|cell| cell["v"].as_str().map_or_else(|| cell["v"].to_string(), str::to_owned)).collect()
    };
    Ok(body["rows"].as_array().into_iter().flatten().map(cells).collect())
}
