//! Reading the manifest: YAML text, positions, environment variables, schema, typed values.

pub mod types;
