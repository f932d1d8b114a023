//! The one integration binary: each module drives the real `pipewright` program over a project in a temporary folder.
//!
//! One binary, because each one links all of DuckDB.

#![allow(
    clippy::case_sensitive_file_extension_comparisons,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test stops at the first thing that is not as it should be"
)]

mod accepted;
mod architecture;
mod audit;
mod bigquery;
mod cache;
mod catalogue;
mod checkpoints;
mod commands;
mod conformance;
mod diagnostics;
mod differential;
mod expectations_page;
mod faults;
mod fuzz;
mod great_expectations;
mod incremental;
mod injection;
mod load;
mod personal;
mod pipeline;
mod plan;
mod query;
mod query_statements;
mod readme;
mod sample_data;
mod shop;
mod site;
mod support;
mod unit_tests;
mod zetasql;

use support::Project;

#[test]
fn version_names_the_program_and_its_version() {
    let outcome = Project::empty().run(&["--version"]).succeeds();
    assert_eq!(outcome.stdout, format!("pipewright {}\n", env!("CARGO_PKG_VERSION")));
    assert_eq!(outcome.stderr, "");
}
