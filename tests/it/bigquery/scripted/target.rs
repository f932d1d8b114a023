//! A BigQuery without an engine: it remembers what is made and loaded, and what Pipewright remembers of it. What a query
//! selects is nought, in one row.

use std::collections::BTreeMap;

use pipewright::googlesql::parse;
use regex::Regex;
use serde_json::{Value, json};
use sqlparser::ast::{Expr, SelectItem, SetExpr, Statement};

use super::bucket::Buckets;
use super::{Answer, Request};

/// How many rows of a result are told at a time.
const PAGE: usize = 5_000;

/// What the server of uploads keeps of one that was cut off is whole multiples of this.
const UNIT: usize = 256 * 1024;

/// Status, headers and body.
type Told = (u16, Vec<(String, String)>, String);

#[derive(Default)]
pub(super) struct Target {
    datasets: BTreeMap<String, Value>,
    /// By `dataset.table`, as they are described.
    tables: BTreeMap<String, Value>,
    jobs: BTreeMap<String, Job>,
    uploads: Vec<Upload>,
    /// Pipewright's own state: keys and values, and the parameters of each entry.
    meta: BTreeMap<String, String>,
    nodes: Vec<BTreeMap<String, Value>>,
}

struct Job {
    described: Value,
    schema: Value,
    rows: Vec<Value>,
}

struct Upload {
    job: Value,
    received: Vec<u8>,
    /// The job, once all is there.
    made: Option<Value>,
}

/// A schema of names with types.
pub(super) fn schema(columns: &[(&str, &str)]) -> Value {
    let fields = columns.iter().map(|(name, kind)| json!({ "name": name, "type": kind, "mode": "NULLABLE" }));
    json!({ "fields": fields.collect::<Vec<_>>() })
}

fn told(body: &Value) -> Told {
    (200, Vec::new(), body.to_string())
}

fn refused(status: u16, reason: &str, message: &str) -> Told {
    match Answer::refused(status, reason, message) {
        Answer::Given { status, headers, body } => (status, headers, body),
        _ => unreachable!("a refusal is given"),
    }
}

impl Target {
    pub(super) fn names(&self) -> Vec<String> {
        self.tables.keys().cloned().collect()
    }

    pub(super) fn loaded(&self, table: &str) -> Vec<u8> {
        let of = |upload: &&Upload| {
            upload.job["configuration"]["load"]["destinationTable"]["tableId"] == table
                && upload.made.is_some()
        };
        self.uploads.iter().filter(of).flat_map(|upload| upload.received.clone()).collect()
    }

    /// Answers a request; a job ends as the script says.
    pub(super) fn answer(&mut self, request: &Request, end: &Answer, buckets: &Buckets, port: u16) -> Told {
        let parts: Vec<&str> = request.path.trim_start_matches('/').split('/').collect();
        match (request.method.as_str(), parts.as_slice()) {
            ("POST", ["token"]) => {
                told(&json!({ "access_token": "first", "token_type": "Bearer", "expires_in": 3600 }))
            }
            ("POST", ["upload", _, _, "projects", _, "jobs"]) => {
                self.uploads.push(Upload { job: request.json(), received: Vec::new(), made: None });
                let place = format!("http://127.0.0.1:{port}/session/{}", self.uploads.len() - 1);
                (200, vec![("Location".to_owned(), place)], String::new())
            }
            ("PUT", ["session", number]) => self.put(number.parse().expect("a number"), request),
            (method, ["bigquery", "v2", "projects", _, rest @ ..]) => {
                self.resource(method, rest, request, end, buckets)
            }
            _ => refused(404, "notFound", &format!("nothing is known of {}", request.line())),
        }
    }

    fn resource(
        &mut self,
        method: &str,
        rest: &[&str],
        request: &Request,
        end: &Answer,
        buckets: &Buckets,
    ) -> Told {
        match (method, rest) {
            ("GET", ["datasets"]) => {
                let each =
                    self.datasets.keys().map(|name| json!({ "datasetReference": { "datasetId": name } }));
                told(&json!({ "datasets": each.collect::<Vec<_>>() }))
            }
            ("POST", ["datasets"]) => {
                let dataset = request.json();
                let name = dataset["datasetReference"]["datasetId"].as_str().expect("a name").to_owned();
                if self.datasets.contains_key(&name) {
                    return refused(409, "duplicate", "Already Exists");
                }
                self.datasets.insert(name, dataset.clone());
                told(&dataset)
            }
            (method, ["datasets", dataset]) => {
                let Some(found) = self.datasets.get_mut(*dataset) else {
                    return refused(404, "notFound", &format!("Not found: Dataset demo:{dataset}"));
                };
                if method == "PATCH" {
                    for (key, value) in request.json().as_object().expect("an object") {
                        found[key] = value.clone();
                    }
                }
                told(found)
            }
            ("POST", ["datasets", dataset, "tables"]) => {
                let table = request.json();
                let name =
                    format!("{dataset}.{}", table["tableReference"]["tableId"].as_str().expect("a name"));
                if self.tables.contains_key(&name) {
                    return refused(409, "duplicate", &format!("Already Exists: Table {name}"));
                }
                self.tables.insert(name, table.clone());
                told(&table)
            }
            (method, ["datasets", dataset, "tables", table]) => {
                let name = format!("{dataset}.{table}");
                let Some(found) = self.tables.get_mut(&name) else {
                    return refused(404, "notFound", &format!("Not found: Table demo:{name}"));
                };
                match method {
                    "DELETE" => {
                        self.tables.remove(&name);
                        (204, Vec::new(), String::new())
                    }
                    "PATCH" => {
                        for (key, value) in request.json().as_object().expect("an object") {
                            found[key] = value.clone();
                        }
                        told(&sized(found))
                    }
                    _ => told(&sized(found)),
                }
            }
            ("POST", ["jobs"]) => self.insert(&request.json(), end, buckets),
            ("GET", ["jobs", name]) => match self.job(name, request) {
                Ok(job) => told(&job.described),
                Err(missing) => missing,
            },
            ("POST", ["jobs", _, "cancel"]) => told(&json!({})),
            ("GET", ["queries", name]) => self.results(name, request),
            _ => refused(404, "notFound", &format!("nothing is known of {}", request.line())),
        }
    }

    /// A job, which is found only where it is.
    fn job(&self, name: &str, request: &Request) -> Result<&Job, Told> {
        let found = self.jobs.get(name);
        let there = |job: &&Job| {
            job.described["jobReference"]["location"].as_str()
                == request.query.get("location").map(String::as_str)
        };
        found.filter(there).ok_or_else(|| refused(404, "notFound", &format!("Not found: Job demo:{name}")))
    }

    fn results(&self, name: &str, request: &Request) -> Told {
        let job = match self.job(name, request) {
            Ok(job) => job,
            Err(missing) => return missing,
        };
        if let Some(error) = job.described["status"]["errorResult"].as_object() {
            let text = |key: &str| error[key].as_str().unwrap_or_default();
            return refused(400, text("reason"), text("message"));
        }
        let number = |key: &str| request.query.get(key).and_then(|value| value.parse::<usize>().ok());
        let (from, most) = (number("pageToken").unwrap_or(0), number("maxResults").unwrap_or(PAGE).min(PAGE));
        let cell = |value: &Value| json!({ "v": value });
        let rows: Vec<Value> = job.rows[from..job.rows.len().min(from + most)]
            .iter()
            .map(|row| json!({ "f": row.as_array().into_iter().flatten().map(cell).collect::<Vec<_>>() }))
            .collect();
        let after = from + rows.len();
        let mut page = json!({ "jobComplete": true, "schema": job.schema, "rows": rows });
        if most > 0 && after < job.rows.len() {
            page["pageToken"] = json!(after.to_string());
        }
        told(&page)
    }

    /// Takes a job: it is running when it is answered and done when it is looked at, as most are.
    fn insert(&mut self, asked: &Value, end: &Answer, buckets: &Buckets) -> Told {
        let name = asked["jobReference"]["jobId"].as_str().unwrap_or_default().to_owned();
        if asked["configuration"]["dryRun"] == true {
            let Answer::Given { body, .. } = Answer::processed(0) else { unreachable!("it is given") };
            return (200, Vec::new(), body);
        }
        if self.jobs.contains_key(&name) {
            return refused(409, "duplicate", &format!("Already Exists: Job demo:{name}"));
        }
        let mut job = asked.clone();
        settle(&mut job);
        job["status"] = json!({ "state": "RUNNING" });
        let running = told(&job);
        let (schema, rows) = match end {
            Answer::Rows(schema, rows) => (schema.clone(), rows.clone()),
            Answer::Failed(reason, message) => {
                job["status"]["errorResult"] = json!({ "reason": reason, "message": message });
                (Value::Null, Vec::new())
            }
            Answer::Ends(statements) => {
                let script = job["configuration"]["query"]["query"].as_str().unwrap_or_default();
                let done: Vec<&str> = script.split("; ").take(*statements).collect();
                self.rename(&done.join("; "));
                job["status"]["errorResult"] = json!({ "reason": "backendError", "message": "it ended" });
                (Value::Null, Vec::new())
            }
            _ => self.run(&mut job, buckets),
        };
        if let Answer::Billed(bytes) = end {
            job["statistics"]["query"]["totalBytesBilled"] = json!(bytes.to_string());
        }
        job["status"]["state"] = json!("DONE");
        self.jobs.insert(name, Job { described: job, schema, rows });
        running
    }

    fn run(&mut self, job: &mut Value, buckets: &Buckets) -> (Value, Vec<Value>) {
        let configuration = job["configuration"].clone();
        if let Some(sql) = configuration["query"]["query"].as_str() {
            let of = |parameter: &Value| {
                let name = parameter["name"].as_str().unwrap_or_default().to_owned();
                (name, parameter["parameterValue"]["value"].clone())
            };
            let given = configuration["query"]["queryParameters"].as_array().into_iter().flatten().map(of);
            let (schema, rows) = self.statement(sql, given.collect());
            if schema.is_null() {
                job["statistics"] = json!({ "query": { "numDmlAffectedRows": "1" } });
            }
            return (schema, rows);
        }
        let name = |table: &Value| {
            format!(
                "{}.{}",
                table["datasetId"].as_str().expect("a name"),
                table["tableId"].as_str().expect("a name")
            )
        };
        let load = &configuration["load"];
        if load.is_object() {
            let addresses = load["sourceUris"].as_array().expect("addresses");
            let lines = |address: &Value| {
                let content =
                    buckets.at(address.as_str().expect("an address")).expect("a file that is there");
                // One stands above them.
                content.split(|byte| *byte == b'\n').count() - 2
            };
            let rows: usize = addresses.iter().map(lines).sum();
            job["statistics"] = json!({
                "load": { "outputRows": rows.to_string(), "inputFiles": addresses.len().to_string() }
            });
            let to = name(&load["destinationTable"]);
            let before = match self.tables.get(&to) {
                Some(table) if load["writeDisposition"] == "WRITE_APPEND" => {
                    rows_of(table).parse().expect("a number")
                }
                _ => 0,
            };
            let all = (before + rows).to_string();
            self.tables.insert(to, json!({ "type": "TABLE", "schema": load["schema"], "numRows": all }));
        }
        let copy = &configuration["copy"];
        if copy.is_object() {
            let from =
                self.tables.get(&name(&copy["sourceTable"])).cloned().expect("the table that is copied");
            self.tables.insert(name(&copy["destinationTable"]), from);
        }
        (Value::Null, Vec::new())
    }

    /// What a statement of Pipewright's leaves, and the rows of a query.
    fn statement(&mut self, sql: &str, parameters: BTreeMap<String, Value>) -> (Value, Vec<Value>) {
        let nothing = (Value::Null, Vec::new());
        let text = |key: &str| parameters[key].as_str().unwrap_or_default().to_owned();
        if sql.contains("AS what, key AS name") {
            return self.state();
        }
        if sql.contains("INFORMATION_SCHEMA.TABLES") {
            return self.objects(sql);
        }
        if sql.contains("INFORMATION_SCHEMA.COLUMN_FIELD_PATHS") {
            return self.said_of_columns(sql);
        }
        if sql.contains("INFORMATION_SCHEMA.PARTITIONS") {
            return self.counted(sql);
        }
        if sql.starts_with("INSERT INTO") && sql.contains(".nodes`") {
            self.nodes.push(parameters);
            return nothing;
        }
        if sql.starts_with("INSERT INTO") && sql.contains(".meta`") {
            self.meta = BTreeMap::from(["format", "lineage"].map(|key| (key.to_owned(), text(key))));
            self.meta.insert("serial".to_owned(), text("next"));
            return nothing;
        }
        if sql.starts_with("UPDATE") && sql.contains(".meta`") {
            self.meta.insert("serial".to_owned(), text("next"));
            return nothing;
        }
        let made = Regex::new(
            r"CREATE (?:OR REPLACE )?(TABLE|VIEW|MATERIALIZED VIEW) (?:IF NOT EXISTS )?`[^`.]+\.([^`.]+\.[^`]+)`(?: (?:PARTITION|CLUSTER) BY .*?)?(?: OPTIONS\(description = .*?\))? ?(AS|CLONE|\()([^;]*)",
        );
        if sql.contains(" RENAME TO ") {
            self.rename(sql);
            return nothing;
        }
        let dropped = Regex::new(r"^DROP (?:TABLE|MATERIALIZED VIEW|VIEW) (?:IF EXISTS )?`[^`.]+\.([^`]+)`")
            .expect("a pattern");
        let drop = |tables: &mut BTreeMap<String, Value>, sql: &str| {
            if let Some(found) = dropped.captures(sql) {
                tables.remove(&found[1]);
            }
        };
        drop(&mut self.tables, sql);
        let clustered = Regex::new("CLUSTER BY ((?:`[^`]+`(?:, )?)+)").expect("a pattern");
        let mut is_query = true;
        for [kind, name, how, what] in
            made.expect("a pattern").captures_iter(sql).map(|found| found.extract().1)
        {
            is_query = false;
            let columns = if how == "AS" { selected(what) } else { Vec::new() };
            let columns: Vec<(&str, &str)> = columns.iter().map(|name| (name.as_str(), "STRING")).collect();
            let mut table = json!({ "type": kind.replace(' ', "_"), "schema": schema(&columns) });
            match kind {
                "VIEW" => table["view"] = json!({ "query": what.trim() }),
                "MATERIALIZED VIEW" => table["materializedView"] = json!({ "query": what.trim() }),
                _ => {}
            }
            if let Some(found) = clustered.captures(sql) {
                let names: Vec<&str> = found[1].split(", ").map(|name| name.trim_matches('`')).collect();
                table["clustering"] = json!({ "fields": names });
            }
            self.tables.insert(name.to_owned(), table);
        }
        // What is only tried goes again.
        for sql in sql.split("; ").filter(|sql| !is_query && sql.contains("__pipewright_relaid")) {
            drop(&mut self.tables, sql);
        }
        let is_query = is_query && (sql.starts_with("SELECT") || sql.starts_with("WITH"));
        if !is_query {
            return nothing;
        }
        let columns = selected(sql);
        let typed: Vec<(&str, &str)> = columns.iter().map(|name| (name.as_str(), "INTEGER")).collect();
        let of = self.tables.iter().find(|(name, _)| sql.contains(&format!(".{name}`")));
        let rows = of.map_or("0", |(_, table)| rows_of(table));
        let row = columns.iter().map(|name| if name == COUNT { json!(rows) } else { json!("0") });
        (schema(&typed), vec![row.collect()])
    }

    /// A script of copies, new names and drops, each of which needs what it names.
    fn rename(&mut self, script: &str) {
        let path = r"`[^`.]+\.([^`.]+)\.([^`]+)`";
        let form = |text: &str| Regex::new(&text.replace("PATH", path)).expect("a pattern");
        let (copy, rename, drop) = (
            form("^CREATE TABLE PATH COPY PATH$"),
            form("^ALTER TABLE PATH RENAME TO `([^`]+)`$"),
            form("^DROP TABLE (IF EXISTS )?PATH$"),
        );
        for sql in script.split("; ").filter(|sql| !sql.is_empty()) {
            if let Some(found) = copy.captures(sql) {
                let table = self.tables[&format!("{}.{}", &found[3], &found[4])].clone();
                self.tables.insert(format!("{}.{}", &found[1], &found[2]), table);
            } else if let Some(found) = rename.captures(sql) {
                let table = self.tables.remove(&format!("{}.{}", &found[1], &found[2])).expect("a table");
                let taken = self.tables.insert(format!("{}.{}", &found[1], &found[3]), table);
                assert!(taken.is_none(), "{sql}");
            } else if let Some(found) = drop.captures(sql) {
                let gone = self.tables.remove(&format!("{}.{}", &found[2], &found[3]));
                assert!(gone.is_some() || found.get(1).is_some(), "{sql}");
            } else {
                panic!("not known here: {sql}");
            }
        }
    }

    fn counted(&self, sql: &str) -> (Value, Vec<Value>) {
        let rows = self.tables.iter().filter_map(|(whole, table)| {
            let (dataset, name) = whole.split_once('.')?;
            let is_asked = sql.contains(&format!("'{dataset}'")) && sql.contains(&format!("'{name}'"));
            (is_asked && rows_of(table) != "0").then(|| json!([dataset, name, rows_of(table)]))
        });
        (schema(&[("dataset", "STRING"), ("name", "STRING"), ("counted", "INTEGER")]), rows.collect())
    }

    fn said_of_columns(&self, sql: &str) -> (Value, Vec<Value>) {
        let types = ["dataset", "name", "path", "description", "tags"].map(|name| (name, "STRING"));
        let mut rows = Vec::new();
        for (whole, table) in &self.tables {
            let (dataset, name) = whole.split_once('.').expect("two parts");
            if !sql.contains(&format!(".{dataset}`.INFORMATION_SCHEMA")) {
                continue;
            }
            for field in table["schema"]["fields"].as_array().into_iter().flatten() {
                let description = field["description"].as_str().unwrap_or_default();
                let tags = field["policyTags"]["names"][0].as_str().unwrap_or_default();
                rows.push(json!([dataset, name, field["name"], description, tags]));
            }
        }
        (schema(&types), rows)
    }

    fn state(&self) -> (Value, Vec<Value>) {
        let columns = ["what", "name", "record", "entry", "status", "job", "comment", "governed"];
        let types = columns.map(|name| (name, if name == "entry" { "INTEGER" } else { "STRING" }));
        let mut rows: Vec<Value> =
            self.meta.iter().map(|(key, value)| json!(["meta", key, value, "0", "", "", "", null])).collect();
        let mut newest = BTreeMap::new();
        for node in &self.nodes {
            newest.insert((node["address"].as_str(), node["status"] == "publishing"), node);
        }
        rows.extend(newest.values().map(|node| {
            let keys = ["address", "record", "entry", "status", "job", "comment"];
            let told = keys.map(|key| if node[key].is_null() { json!("") } else { node[key].clone() });
            let mut row = vec![json!("node")];
            row.extend(told);
            row.push(node["governed"].clone());
            Value::from(row)
        }));
        (schema(&types), rows)
    }

    fn objects(&self, sql: &str) -> (Value, Vec<Value>) {
        let columns = ["dataset", "what", "name", "one", "other", "place"];
        let types =
            columns.map(|name| (name, if matches!(name, "what" | "place") { "INTEGER" } else { "STRING" }));
        let mut rows = Vec::new();
        for (whole, table) in &self.tables {
            let (dataset, name) = whole.split_once('.').expect("two parts");
            if !sql.contains(&format!(".{dataset}`.INFORMATION_SCHEMA")) {
                continue;
            }
            let kind = match table["type"].as_str() {
                Some("VIEW") => "VIEW",
                Some("MATERIALIZED_VIEW") => "MATERIALIZED VIEW",
                _ => "BASE TABLE",
            };
            rows.push(json!([dataset, "0", name, kind, "", "0"]));
            if table["description"].is_string() {
                rows.push(json!([dataset, "1", name, table["description"].to_string(), "", "0"]));
            }
            let labels = table["labels"].as_object().into_iter().flatten();
            let labels: Vec<String> =
                labels.map(|(key, value)| format!("STRUCT(\"{key}\", {value})")).collect();
            if !labels.is_empty() {
                rows.push(json!([dataset, "1", name, format!("[{}]", labels.join(", ")), "labels", "0"]));
            }
            if let Some(query) = table["view"]["query"].as_str() {
                rows.push(json!([dataset, "4", name, query, "", "0"]));
            }
            for (at, field) in table["schema"]["fields"].as_array().into_iter().flatten().enumerate() {
                rows.push(json!([dataset, "2", name, field["name"], field["type"], (at + 1).to_string()]));
            }
            let clustered = table["clustering"]["fields"].as_array().into_iter().flatten();
            for (at, column) in clustered.enumerate().filter(|_| sql.contains("clustering_ordinal_position"))
            {
                rows.push(json!([dataset, "3", name, column, "NO", (at + 1).to_string()]));
            }
        }
        (schema(&types), rows)
    }

    /// A part of an upload, or a question of how much there is.
    fn put(&mut self, number: usize, request: &Request) -> Told {
        let range = request.headers["content-range"].trim_start_matches("bytes ").to_owned();
        let (part, total) = range.split_once('/').expect("a range and a size");
        let upload = &mut self.uploads[number];
        if let Some(job) = &upload.made {
            return told(job);
        }
        if let Some((from, _)) = part.split_once('-') {
            if from.parse() != Ok(upload.received.len()) {
                return refused(400, "invalid", &format!("{from} is not {}", upload.received.len()));
            }
            upload.received.extend_from_slice(&request.body);
        }
        let received = upload.received.len();
        if total.parse() != Ok(received) {
            let range = (received > 0).then(|| ("Range".to_owned(), format!("bytes=0-{}", received - 1)));
            return (308, range.into_iter().collect(), String::new());
        }
        let rows = upload.received.split(|byte| *byte == b'\n').count() - 1;
        let mut job = upload.job.clone();
        let load = job["configuration"]["load"].clone();
        let to = &load["destinationTable"];
        let name = format!(
            "{}.{}",
            to["datasetId"].as_str().expect("a name"),
            to["tableId"].as_str().expect("a name")
        );
        job["status"] = json!({ "state": "DONE" });
        settle(&mut job);
        job["statistics"] = json!({ "load": { "outputRows": rows.to_string() } });
        upload.made = Some(job.clone());
        let before = self.tables.get(&name).filter(|_| load["writeDisposition"] == "WRITE_APPEND");
        let before: usize = before.map_or(0, |table| rows_of(table).parse().expect("a number"));
        let all = (before + rows).to_string();
        self.tables.insert(name, json!({ "type": "TABLE", "schema": load["schema"], "numRows": all }));
        let done = Job { described: job.clone(), schema: Value::Null, rows: Vec::new() };
        self.jobs.insert(job["jobReference"]["jobId"].as_str().expect("a name").to_owned(), done);
        told(&job)
    }

    /// What came of a part whose connection was cut.
    pub(super) fn cut(&mut self, request: &Request) {
        let number = request.path.strip_prefix("/session/").and_then(|number| number.parse::<usize>().ok());
        if let Some(upload) = number.and_then(|number| self.uploads.get_mut(number)) {
            let whole = request.body.len() / UNIT * UNIT;
            upload.received.extend_from_slice(&request.body[..whole]);
        }
    }
}

/// A job that says nothing of it is done where its tables are.
fn settle(job: &mut Value) {
    let place = &mut job["jobReference"]["location"];
    if place.is_null() {
        *place = json!("southamerica-east1");
    }
}

/// How many rows a table has: as many as were loaded.
fn rows_of(table: &Value) -> &str {
    table["numRows"].as_str().unwrap_or("0")
}

/// A table as it is described: with its rows, and what they take if each is one whole number.
fn sized(table: &Value) -> Value {
    let rows: u64 = rows_of(table).parse().expect("a number");
    let mut table = table.clone();
    table["numRows"] = json!(rows.to_string());
    table["numBytes"] = json!((8 * rows).to_string());
    table
}

/// What a column is called that counts rows.
const COUNT: &str = "COUNT(*)";

/// The names of what a query selects.
fn selected(sql: &str) -> Vec<String> {
    let Ok(statements) = parse::script(sql) else { return vec!["x".to_owned()] };
    let Some(Statement::Query(query)) = statements.into_iter().next() else { return vec!["x".to_owned()] };
    let mut body = *query.body;
    loop {
        match body {
            SetExpr::Query(inner) => body = *inner.body,
            SetExpr::SetOperation { left, .. } => body = *left,
            SetExpr::Select(select) => {
                let name = |(at, item): (usize, SelectItem)| match item {
                    SelectItem::UnnamedExpr(Expr::Function(call)) if call.to_string() == COUNT => {
                        COUNT.to_owned()
                    }
                    SelectItem::ExprWithAlias { expr: Expr::Function(call), .. }
                        if call.to_string() == COUNT =>
                    {
                        COUNT.to_owned()
                    }
                    SelectItem::ExprWithAlias { alias, .. } => alias.value,
                    SelectItem::UnnamedExpr(Expr::Identifier(name)) => name.value,
                    SelectItem::UnnamedExpr(Expr::CompoundIdentifier(mut names)) => {
                        names.pop().map(|name| name.value).unwrap_or_default()
                    }
                    _ => format!("f{at}_"),
                };
                return select.projection.into_iter().enumerate().map(name).collect();
            }
            _ => return vec!["x".to_owned()],
        }
    }
}
