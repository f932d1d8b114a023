//! The yardstick of `scripts/bench`: the SQL of a project, run by nothing but DuckDB in one process.
//!
//! `bare script PROJECT FILE` compiles the project and writes its statements down; `bare run FILE DATABASE` opens a
//! database with the settings that Pipewright uses, runs them one by one, and exits. Files are read with DuckDB's
//! own `read_csv` and the declared types.

use std::error::Error;
use std::path::Path;

use pipewright::compile::compile;
use pipewright::googlesql::duckdb::{Ident, TableName};
use pipewright::manifest::env::ProcessEnvironment;
use pipewright::manifest::types::Format;
use pipewright::project::{Detail, Load, Node, resolve};
use pipewright::warehouse::duckdb::{native_type, runtime};
use serde::{Deserialize, Serialize};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// What a process without Pipewright has to run.
#[derive(Default, Serialize, Deserialize)]
struct Script {
    /// Makes something.
    makes: Vec<String>,
    /// For each of `makes` what is asked of it.
    asks: Vec<Vec<String>>,
}

fn main() -> Result<()> {
    let words: Vec<String> = std::env::args().collect();
    match words.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [_, "script", project, file] => script(Path::new(project), Path::new(file)),
        [_, "run", file, database] => run(Path::new(file), Path::new(database)),
        _ => Err("bare script PROJECT FILE | bare run FILE DATABASE".into()),
    }
}

fn script(root: &Path, file: &Path) -> Result<()> {
    let told = |faults: pipewright::diag::Diagnostics| format!("{faults:#?}");
    let raw = pipewright::manifest::load::load(root, &ProcessEnvironment).map_err(told)?;
    let (project, _) = resolve(raw).map_err(told)?;
    let target = project.default_target.clone();
    let (compiled, _) = compile(project, &target).map_err(told)?;
    let mut script = Script::default();
    for dataset in compiled.project.datasets.keys() {
        script.makes.push(format!("CREATE SCHEMA {}", Ident::new(dataset)));
        script.asks.push(Vec::new());
    }
    for address in &compiled.order {
        let (Some(node), Some(bound)) = (compiled.node(address), compiled.nodes.get(&address.name)) else {
            continue;
        };
        let kind = node.materialization().keyword();
        let query = match (&node.detail, &bound.query) {
            (Detail::Load(load), _) => read_csv(root, load)?,
            (Detail::Model(_), Some(query)) => query.native.clone(),
            (Detail::Model(_), None) => continue,
        };
        script.makes.push(format!("CREATE {kind} {} AS {query}", name(node)));
        let audit = compiled.audit_of_published(address).map_err(|faults| format!("{faults:#?}"))?;
        script.asks.push(audit.queries.into_iter().map(|query| query.sql).collect());
    }
    fs_err::write(file, serde_json::to_string(&script)?)?;
    Ok(())
}

fn name(node: &Node) -> TableName {
    TableName::new(node.dataset.clone(), node.table().to_owned())
}

fn read_csv(root: &Path, load: &Load) -> Result<String> {
    let text = |text: &str| format!("'{}'", text.replace('\'', "''"));
    let files = pipewright::source::expand(root, &load.files)?;
    let files: Vec<String> =
        files.iter().map(|file| text(&root.join(&file.name).to_string_lossy())).collect();
    let columns: Vec<String> = load
        .columns
        .iter()
        .map(|(name, column)| format!("{}: {}", text(name), text(native_type(&column.data_type))))
        .collect();
    let Format::Csv(options) = &load.format;
    Ok(format!(
        "SELECT * FROM read_csv([{}], header = true, auto_detect = false, delim = {}, quote = {}, escape = '\"', \
         columns = {{{}}})",
        files.join(", "),
        text(&options.delimiter),
        text(&options.quote),
        columns.join(", ")
    ))
}

fn run(file: &Path, database: &Path) -> Result<()> {
    let script: Script = serde_json::from_slice(&std::fs::read(file)?)?;
    let config = duckdb::Config::default()
        .enable_autoload_extension(false)?
        .with("autoinstall_known_extensions", "false")?;
    let connection = duckdb::Connection::open_with_flags(database, config)?;
    // The translated SQL calls these macros, so they are part of it.
    runtime::install(&connection)?;
    for (make, asks) in script.makes.iter().zip(&script.asks) {
        connection.execute_batch(make)?;
        for ask in asks {
            let mut statement = connection.prepare(ask)?;
            let mut rows = statement.query([])?;
            rows.next()?.ok_or("an audit without an answer")?;
        }
    }
    Ok(())
}
