//! Unit tests of models as scripts of GoogleSQL: tables with the rows that are given, and two queries, one for what the
//! model makes and one for what it must make.

use indexmap::IndexMap;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::{CompiledNode, Naming};
use crate::diag::{Code, Diagnostic, Diagnostics, did_you_mean, quoted};
use crate::googlesql::names::Ident;
use crate::googlesql::parameter::constant;
use crate::googlesql::{Column, Type};
use crate::graph::Graph;
use crate::project::{Address, Node, Project, Rows, UnitTest};

/// A unit test that is known to fit its model.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CompiledTest {
    /// Its name.
    pub name: String,
    /// The model.
    pub model: Address,
    /// The tables that it reads, and the query of what it makes of them.
    pub actual: String,
    /// The query of what it must make.
    pub expected: String,
}

pub(super) fn compile_tests(
    project: &Project,
    nodes: &IndexMap<String, CompiledNode>,
    graph: &Graph,
    naming: &Naming,
    faults: &mut Diagnostics,
) -> Vec<CompiledTest> {
    let compiled: Vec<Result<CompiledTest, Vec<Diagnostic>>> = project
        .unit_tests
        .par_iter()
        .filter_map(|test| {
            Some(compile_test(test, nodes.get(&test.model.name)?, nodes, graph, project, naming))
        })
        .collect();
    let mut tests = Vec::new();
    for test in compiled {
        match test {
            Ok(test) => tests.push(test),
            Err(found) => faults.extend(found),
        }
    }
    tests
}

fn compile_test(
    test: &UnitTest,
    model: &CompiledNode,
    nodes: &IndexMap<String, CompiledNode>,
    graph: &Graph,
    project: &Project,
    naming: &Naming,
) -> Result<CompiledTest, Vec<Diagnostic>> {
    let mut faults = Vec::new();
    let subject = format!("test.{}", test.name);
    let reads = graph.upstream(&test.model);
    for (address, rows) in &test.given {
        if !reads.contains(&address) {
            let names = || reads.iter().map(|read| read.name.as_str());
            let message = format!("`{}` does not read `{}`", test.model.name, address.name);
            faults.push(
                Diagnostic::error(Code::UnknownReference, message)
                    .at(rows.span.clone(), "rows that nobody reads")
                    .about(&subject)
                    .help(format!("it reads {}", quoted(names()))),
            );
        }
    }
    let mut actual = String::new();
    for address in reads {
        let Some(node) = nodes.get(&address.name) else { continue };
        let given = test.given.iter().find(|(of, _)| of == address).map(|(_, rows)| rows);
        let relation = naming.relation_of(project, address);
        match table(given, &node.columns, &address.name) {
            Ok(query) => actual.push_str(&format!("CREATE TABLE {relation} AS {query};\n")),
            Err(found) => faults.extend(found),
        }
    }
    let compared = compared(&test.expect, &model.columns);
    let names: Vec<String> = compared.iter().map(|column| Ident(&column.name).to_string()).collect();
    match (&test.this, project.nodes.get(&test.model.name)) {
        (Some(this), Some(node)) => match merged(this, node, model, naming, &names) {
            Ok(script) => actual.push_str(&script),
            Err(found) => faults.extend(found),
        },
        _ => {
            let google = model.query.as_ref().map(|query| query.google.as_str()).unwrap_or_default();
            actual.push_str(&format!("SELECT {} FROM (\n{google}\n)", names.join(", ")));
        }
    }
    let expected = table(Some(&test.expect), &model.columns, &test.model.name);
    match expected {
        Ok(query) if faults.is_empty() => Ok(CompiledTest {
            name: test.name.clone(),
            model: test.model.clone(),
            actual,
            expected: format!("SELECT {} FROM ({query})", names.join(", ")),
        }),
        Ok(_) => Err(faults.into_iter().map(|fault| fault.about(&subject)).collect()),
        Err(found) => Err(faults.into_iter().chain(found).map(|fault| fault.about(&subject)).collect()),
    }
}

/// A script that makes the model's table, brings its new rows into it, and asks for all of them.
fn merged(
    this: &Rows,
    node: &Node,
    model: &CompiledNode,
    naming: &Naming,
    names: &[String],
) -> Result<String, Vec<Diagnostic>> {
    let Some(increment) = &model.increment else {
        return Err(vec![
            Diagnostic::error(
                Code::UnknownReference,
                format!("`{}` is not incremental: it has no rows before it is built", node.table()),
            )
            .at(this.span.clone(), "rows that nobody reads")
            .help("take `this` out, or write `materialized: incremental`"),
        ]);
    };
    let relation = naming.relation(&node.dataset, node.table());
    let build = naming.relation(&node.dataset, &node.build_name());
    let rows = table(Some(this), &model.columns, node.table())?;
    let new = &increment.query.google;
    let mut script = format!("CREATE TABLE {relation} AS {rows};\nCREATE TABLE {build} AS\n{new}\n;\n");
    for statement in &increment.statements {
        script.push_str(&format!("{};\n", statement.google));
    }
    script.push_str(&format!("SELECT {} FROM {relation}", names.join(", ")));
    Ok(script)
}

/// The columns that expected rows name; all of them where there is no row.
fn compared<'c>(expect: &Rows, columns: &'c [Column]) -> Vec<&'c Column> {
    let named = |column: &&Column| {
        expect.rows.iter().any(|row| row.keys().any(|name| name.eq_ignore_ascii_case(&column.name)))
    };
    if expect.rows.is_empty() { columns.iter().collect() } else { columns.iter().filter(named).collect() }
}

/// A query that gives some rows, with all columns of a table.
fn table(rows: Option<&Rows>, columns: &[Column], of: &str) -> Result<String, Vec<Diagnostic>> {
    let mut faults = Vec::new();
    let mut items = Vec::new();
    for (index, row) in rows.into_iter().flat_map(|rows| rows.rows.iter().enumerate()) {
        let span = || rows.map(|rows| rows.spans.get(index).unwrap_or(&rows.span).clone());
        for name in row.keys() {
            let names = || columns.iter().map(|column| column.name.as_str());
            if !names().any(|known| known.eq_ignore_ascii_case(name)) {
                let help =
                    did_you_mean(name, names()).unwrap_or_else(|| format!("`{of}` has {}", quoted(names())));
                faults.push(
                    Diagnostic::error(Code::SqlUnknownColumn, format!("`{of}` has no column `{name}`"))
                        .maybe_at(span(), "in this row")
                        .help(help),
                );
            }
        }
        let mut values = Vec::new();
        for column in columns {
            let value = row.iter().find(|(name, _)| name.eq_ignore_ascii_case(&column.name));
            let value = value.map_or(&serde_json::Value::Null, |(_, value)| value);
            match constant(value, &column.data_type) {
                Ok(constant) => values.push(format!("{constant} AS {}", Ident(&column.name))),
                Err(why) => faults.push(
                    Diagnostic::error(Code::SqlTypeMismatch, format!("`{}`: {why}", column.name))
                        .maybe_at(span(), "in this row")
                        .help(format!("`{}` of `{of}` is {}", column.name, column.data_type)),
                ),
            }
        }
        items.push(format!("STRUCT({})", values.join(", ")));
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    if items.is_empty() {
        let nothing = columns
            .iter()
            .map(|column| format!("CAST(NULL AS {}) AS {}", typed(&column.data_type), Ident(&column.name)));
        return Ok(format!("SELECT {} LIMIT 0", nothing.collect::<Vec<_>>().join(", ")));
    }
    Ok(format!("SELECT * FROM UNNEST([{}])", items.join(", ")))
}

/// A type as it is written; what is not known is text.
fn typed(data_type: &Type) -> String {
    match data_type {
        Type::Unknown => Type::String.to_string(),
        other => other.to_string(),
    }
}
