//! Reading the manifest: YAML text, positions, environment variables, schema, typed values.

pub mod env;
pub mod types;
pub mod yaml;
