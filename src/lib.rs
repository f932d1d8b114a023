//! Pipewright.

pub mod diag;
pub mod googlesql;
