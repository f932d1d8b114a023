//! Pipewright.

pub mod compile;
pub mod diag;
pub mod expectations;
pub mod googlesql;
pub mod graph;
pub mod manifest;
pub mod project;
pub mod schema;
