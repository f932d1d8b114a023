//! The variables of a script as the engine has them.

use crate::googlesql::duckdb::quote;

/// What a variable holds, in DuckDB.
pub(super) fn variable(key: &str) -> String {
    format!("getvariable({})", quote(&stored(key)))
}

/// The same, with the type that it was declared with.
pub(super) fn value_of(key: &str, native: &str) -> String {
    format!("CAST({} AS {native})", variable(key))
}

/// A value as one of a variable's type: to BIGNUMERIC the engine has no cast of its own.
pub(super) fn taken_as(value: &str, native: &str) -> String {
    if native == "UBIGINT[4]" {
        return format!("googlesql.as_bignumeric({value})");
    }
    format!("CAST({value} AS {native})")
}

/// The name of a variable in DuckDB, apart from those that users set there.
pub(super) fn stored(key: &str) -> String {
    format!("script${key}")
}

/// The column that the engine does not find.
pub(super) fn missing_name(message: &str) -> Option<String> {
    let (_, rest) =
        message.split_once("Referenced column \"").or_else(|| message.split_once("Referenced table \""))?;
    rest.split_once('"').map(|(name, _)| name.to_lowercase())
}
