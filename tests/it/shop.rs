//! A small project that the tests change, and ways to look into its database with another DuckDB client.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::support::{Outcome, Project, python};

/// Two sources, a view over each, a table over the first, and what must hold of them.
pub fn shop() -> Project {
    Project::of(&[
        (
            "pipeline.yaml",
            "name: shop\n\
             targets:\n  local: { type: duckdb, path: shop.duckdb }\n  other: { type: duckdb, path: other.duckdb }\n\
             default_target: local\n\
             datasets:\n  raw: { description: As it came. }\n  marts: { description: For reports. }\n\
             defaults:\n  sources: { dataset: raw }\n  models: { dataset: marts }\n",
        ),
        (
            "sources/shop.yaml",
            "sources:\n\
             \x20 orders:\n    description: One row for each order.\n    files: data/orders.csv\n    tags: [sales]\n    columns:\n\
             \x20     id: { type: INT64, required: true }\n      day: { type: DATE }\n      product: { type: STRING }\n\
             \x20     amount: { type: NUMERIC }\n\
             \x20 products:\n    description: One row for each product.\n    files: data/products.csv\n    columns:\n\
             \x20     product: { type: STRING, required: true }\n      colour: { type: STRING }\n",
        ),
        (
            "models/shop.yaml",
            "models:\n\
             \x20 clean_orders:\n    description: Orders with clean names.\n    materialized: view\n    tags: [sales]\n\
             \x20 daily_sales:\n    description: One row for each day.\n    tags: [sales]\n    columns:\n      revenue: { description: What was paid. }\n\
             \x20 catalogue:\n    description: Products as they are shown.\n",
        ),
        (
            "models/clean_orders.sql",
            "SELECT id, day, UPPER(product) AS product, amount FROM {{ source('orders') }}\n",
        ),
        (
            "models/daily_sales.sql",
            "SELECT day, SUM(amount) AS revenue FROM {{ ref('clean_orders') }} GROUP BY day\n",
        ),
        ("models/catalogue.sql", "SELECT product, INITCAP(colour) AS colour FROM {{ source('products') }}\n"),
        (
            "expectations/shop.yaml",
            "suites:\n  orders:\n    expectations:\n      - { expect: unique, columns: [id] }\n\
             \x20 daily_sales:\n    expectations:\n      - { expect: expression, name: revenue_is_positive, sql: revenue > 0 }\n",
        ),
        ("data/orders.csv", ORDERS),
        ("data/products.csv", "product,colour\npen,blue\ncup,dark red\n"),
    ])
}

/// The shop's orders.
pub const ORDERS: &str =
    "id,day,product,amount\n1,2024-01-01,pen,2.50\n2,2024-01-01,cup,7.00\n3,2024-01-02,pen,2.50\n";

/// The names of all that the shop's first run makes.
pub const ALL: [&str; 5] =
    ["model.catalogue", "model.clean_orders", "model.daily_sales", "source.orders", "source.products"];

/// The models that [`add_increments`] adds.
pub const INCREMENTS: [&str; 8] = [
    "added",
    "merged",
    "replaced",
    "merged_in_parts",
    "replaced_by_moment",
    "replaced_by_month",
    "replaced_by_hour",
    "replaced_by_range",
];

/// A model for each way that new rows take into a table.
pub fn add_increments(project: &Project) {
    let replaced = |by: &str, parts: &str| {
        format!("incremental: {{ strategy: insert_overwrite, partition_by: {by} }}{parts}")
    };
    let by = |column: &str, parts: &str| format!(", partition_by: {{ column: {column}, {parts} }}");
    let ways = [
        (
            "incremental: { strategy: append, on_schema_change: add }".to_owned(),
            "WHERE day > (SELECT MAX(day) FROM {{ this }})",
        ),
        ("incremental: { unique_key: [id, day] }".to_owned(), ""),
        (replaced("day", ""), ""),
        ("incremental: { unique_key: [id, day] }, partition_by: day, cluster_by: [id], labels: { team: a }".to_owned(), ""),
        (replaced("moment", ""), ""),
        (replaced("moment", &by("moment", "granularity: month")), ""),
        (replaced("clock", &by("clock", "granularity: hour")), ""),
        (replaced("id", &by("id", "range: { start: 0, end: 100, interval: 10 }")), ""),
    ];
    let mut models = String::from("models:\n");
    for (name, (settings, condition)) in INCREMENTS.into_iter().zip(ways) {
        models.push_str(&format!("  {name}: {{ materialized: incremental, {settings} }}\n"));
        project.write(
            &format!("models/{name}.sql"),
            &format!("SELECT id, day, amount, TIMESTAMP(day) AS moment, DATETIME(day) AS clock FROM {{{{ source('orders') }}}}\n{{% if is_incremental() %}}{condition}{{% endif %}}\n"),
        );
    }
    project.write("models/ways.yaml", &models);
}

/// The shop after its first run.
pub fn built() -> Project {
    let project = shop();
    project.run(&["apply"]).succeeds();
    project
}

/// What `plan` would do: address and action, sorted by address.
#[track_caller]
pub fn steps(project: &Project, arguments: &[&str]) -> BTreeMap<String, String> {
    let words: Vec<&str> = ["plan", "--json"].iter().chain(arguments).copied().collect();
    let plan = project.run(&words).succeeds().json();
    let steps = plan["steps"].as_array().expect("steps");
    steps.iter().map(|step| (text(&step["address"]), text(&step["action"]["do"]))).collect()
}

/// Addresses of what `plan` would do, sorted.
#[track_caller]
pub fn planned(project: &Project, arguments: &[&str]) -> Vec<String> {
    steps(project, arguments).into_keys().collect()
}

/// A step of `plan --json`.
#[track_caller]
pub fn step(project: &Project, address: &str) -> Value {
    let plan = project.run(&["plan", "--json"]).succeeds().json();
    let steps = plan["steps"].as_array().expect("steps");
    steps
        .iter()
        .find(|step| step["address"] == address)
        .unwrap_or_else(|| panic!("no step for {address} in {plan:#}"))
        .clone()
}

/// The finished steps of `apply --json`, by address.
#[track_caller]
pub fn applied(outcome: &Outcome) -> BTreeMap<String, Value> {
    outcome
        .stdout
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .filter(|event| event["event"] == "step_finished")
        .map(|event| (text(&event["step"]["address"]), event["step"].clone()))
        .collect()
}

/// A JSON string's text.
#[track_caller]
pub fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}

/// Rows of a query, as another DuckDB client reads them from a database file, every value as text.
#[track_caller]
pub fn rows_in(project: &Project, file: &str, sql: &str) -> Value {
    let program = "import duckdb, json, sys\n\
        connection = duckdb.connect(sys.argv[1], read_only=True)\n\
        rows = connection.execute(sys.argv[2]).fetchall()\n\
        print(json.dumps([[None if value is None else str(value) for value in row] for row in rows]))";
    let path = project.path().join(file);
    python(program, &[path.to_str().expect("a path in UTF-8"), sql]).succeeds().json()
}

/// Rows of a query on the default target.
#[track_caller]
pub fn rows(project: &Project, sql: &str) -> Value {
    rows_in(project, "shop.duckdb", sql)
}

/// Changes the database by hand.
#[track_caller]
pub fn by_hand(project: &Project, sql: &str) {
    by_hand_in(project, "shop.duckdb", sql);
}

/// Changes a database file by hand.
#[track_caller]
pub fn by_hand_in(project: &Project, file: &str, sql: &str) {
    let program =
        "import duckdb, sys\nwith duckdb.connect(sys.argv[1]) as connection: connection.execute(sys.argv[2])";
    let path = project.path().join(file);
    python(program, &[path.to_str().expect("a path in UTF-8"), sql]).succeeds();
}

/// All tables and views with a digest of their rows, as another DuckDB client reads them under a time zone.
#[track_caller]
pub fn content(project: &Project, file: &str, zone: &str) -> BTreeMap<String, (u64, String)> {
    let program = r#"
import duckdb, json, sys
with duckdb.connect(sys.argv[1], read_only=True) as connection:
    connection.execute(f"SET TimeZone='{sys.argv[2]}'")
    found = connection.execute("SELECT table_schema, table_name FROM information_schema.tables "
        "WHERE table_schema NOT IN ('pipewright', 'googlesql') ORDER BY ALL").fetchall()
    result = {}
    for schema, name in found:
        columns = connection.execute("SELECT column_name, data_type FROM information_schema.columns "
            "WHERE table_schema = ? AND table_name = ? ORDER BY ordinal_position", [schema, name]).fetchall()
        # Digests of the values and not of their texts, which depend on the zone for instants.
        digest = connection.execute(f'''SELECT count(*), sum(hash(t)::HUGEINT)::VARCHAR FROM "{schema}"."{name}" AS t''').fetchone()
        result[f"{schema}.{name}"] = [digest[0], f"{columns} {digest[1]}"]
print(json.dumps(result))
"#;
    let path = project.path().join(file);
    let found = python(program, &[path.to_str().expect("a path in UTF-8"), zone]).succeeds();
    serde_json::from_str(&found.stdout).expect("tables with their digests")
}

/// The number of the last run that wrote.
#[track_caller]
pub fn serial(project: &Project) -> Value {
    rows(project, "SELECT value FROM pipewright.meta WHERE key = 'serial'")[0][0].clone()
}
