//! Pipewright.

pub mod diag;
pub mod googlesql;
pub mod manifest;
pub mod project;
pub mod schema;
