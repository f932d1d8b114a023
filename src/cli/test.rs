//! `test`: unit tests of models, on engines in memory. No target is touched.

use std::collections::BTreeMap;
use std::time::Instant;

use rayon::prelude::*;
use serde_json::{Value, json};

use super::Outcome;
use super::args::{TestArgs, TestFormat};
use super::places::line;
use super::workspace::Workspace;
use crate::compile::{CompiledTest, Dialect};
use crate::diag::{Code, Diagnostic, Diagnostics, did_you_mean, quoted};
use crate::googlesql::duckdb::Parameters;
use crate::view::{TestOutcome, TestReport, junit_of_tests, tests_text};
use crate::warehouse::duckdb::{in_memory, script};
use crate::warehouse::{QueryError, QueryResult};

pub(super) fn run(workspace: &Workspace<'_>, args: &TestArgs) -> Result<Outcome, Diagnostics> {
    let loaded = workspace.load()?;
    let compiled = &loaded.compiled;
    if compiled.naming.dialect == Dialect::BigQuery {
        let message = format!(
            "the target `{}` is BigQuery, and unit tests run on the embedded engine",
            compiled.target
        );
        return Err(Diagnostic::error(Code::Usage, message).help("name a DuckDB target with `-t`").into());
    }
    let tests = chosen(&compiled.tests, &args.names)?;
    let reports: Vec<TestReport> = tests
        .into_par_iter()
        .map(|test| {
            let started = Instant::now();
            let outcome = outcome(test)
                .unwrap_or_else(|why| TestOutcome { error: Some(why), ..TestOutcome::default() });
            let milliseconds = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
            let place = compiled.project.unit_tests.iter().find(|declared| declared.name == test.name);
            let place = place.map(|declared| line(&declared.span));
            let place = place.unwrap_or_default();
            TestReport {
                name: test.name.clone(),
                model: test.model.name.clone(),
                place,
                milliseconds,
                outcome,
            }
        })
        .collect();
    let text = match args.format {
        TestFormat::Table => tests_text(&reports),
        TestFormat::Json => format!("{:#}\n", json!({ "tests": reports })),
        TestFormat::Junit => junit_of_tests(&reports),
    };
    workspace.printer.out(&text);
    Ok(if reports.iter().all(TestReport::passed) { Outcome::Done } else { Outcome::Failed })
}

/// The tests of some names, which are those of tests or of models; all where there is no name.
fn chosen<'t>(tests: &'t [CompiledTest], names: &[String]) -> Result<Vec<&'t CompiledTest>, Diagnostics> {
    for name in names {
        if !tests.iter().any(|test| test.name == *name || test.model.name == *name) {
            let known = || tests.iter().flat_map(|test| [test.name.as_str(), test.model.name.as_str()]);
            let help = did_you_mean(name, known()).unwrap_or_else(|| {
                format!("there are {}", quoted(tests.iter().map(|test| test.name.as_str())))
            });
            let message = format!("there is no unit test `{name}`, and none of a model of that name");
            return Err(Diagnostic::error(Code::Usage, message).help(help).into());
        }
    }
    let wanted = |test: &&CompiledTest| {
        names.is_empty() || names.iter().any(|name| test.name == *name || test.model.name == *name)
    };
    Ok(tests.iter().filter(wanted).collect())
}

fn outcome(test: &CompiledTest) -> Result<TestOutcome, String> {
    let connection = in_memory().map_err(|error| error.diagnostic.message)?;
    let run = |sql: &str| -> Result<QueryResult, String> {
        script::run_ephemeral(&connection, sql, &Parameters::default()).map_err(|error| match error {
            QueryError::Engine(message) => message,
            QueryError::Target(refusal) => refusal.message,
            QueryError::Faults(faults) => {
                faults.into_iter().map(|fault| fault.message).collect::<Vec<_>>().join("; ")
            }
        })
    };
    let (actual, expected) = (run(&test.actual)?, run(&test.expected)?);
    let mut counts: BTreeMap<String, (i64, Value)> = BTreeMap::new();
    for (rows, step) in [(expected.objects(), 1), (actual.objects(), -1)] {
        for row in rows {
            counts.entry(row.to_string()).or_insert((0, row)).0 += step;
        }
    }
    let (mut missing, mut extra) = (Vec::new(), Vec::new());
    for (count, row) in counts.into_values() {
        let (side, times) = if count > 0 { (&mut missing, count) } else { (&mut extra, -count) };
        side.extend((0..times).map(|_| row.clone()));
    }
    Ok(TestOutcome { missing, extra, error: None })
}
