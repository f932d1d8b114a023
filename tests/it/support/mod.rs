//! What the tests share: projects in temporary folders, the program's outcome, steady snapshots, outside data, Python.

#![allow(dead_code, reason = "helpers wait for the tests that will use them")]

mod outcome;
mod outside;
mod project;
mod snapshot;

#[allow(unused_imports, reason = "the tests' vocabulary, whole")]
pub use self::{
    outcome::Outcome,
    outside::{python, python_answers, shared_dir, start_python},
    project::{Project, repository},
    snapshot::snapshot_settings,
};
