//! The runtime library: GoogleSQL's meaning as DuckDB macros, kept in the schema `googlesql` of the database file.
//!
//! Being in the file, they are there for any DuckDB client that reads a view. They rely on DuckDB's settings as it
//! ships them: `error_on_division_by_zero`, `ieee_floating_point_ops` and the binary `default_collation`.
//! The session's `TimeZone` and `default_null_order` have no say.

mod prepared;

use std::fmt::Write as _;

use duckdb::Connection;

use super::bignumeric;
use crate::googlesql::duckdb::RUNTIME_SCHEMA;

/// The families, in an order in which each finds the macros it calls.
const FAMILIES: &[&str] = &[
    include_str!("arithmetic.sql"),
    include_str!("casts.sql"),
    include_str!("strings.sql"),
    include_str!("network.sql"),
    include_str!("fingerprint.sql"),
    include_str!("dates.sql"),
    include_str!("intervals.sql"),
    include_str!("ranges.sql"),
    include_str!("arrays.sql"),
    include_str!("approximate.sql"),
    include_str!("format.sql"),
    include_str!("json.sql"),
    include_str!("json_build.sql"),
    include_str!("hash.sql"),
    include_str!("normalize.sql"),
    include_str!("language.sql"),
];

/// A digest of the macros, by which a database file tells whether it holds these.
pub fn version() -> String {
    let mut hasher = blake3::Hasher::new();
    for family in FAMILIES {
        hasher.update(family.as_bytes());
    }
    hasher.finalize().to_hex()[..16].to_owned()
}

/// Puts the macros into the database, unless they are there already: one small query then.
///
/// # Errors
/// What DuckDB says, as when the database is open for reading only and its macros are of another version.
pub fn install(connection: &Connection) -> duckdb::Result<()> {
    bignumeric::register(connection)?;
    let version = version();
    if installed(connection).is_some_and(|installed| installed == version)
        || prepared::copy(connection, &version)
    {
        return Ok(());
    }
    write(connection, &version)
}

/// The version of the macros that are there.
fn installed(connection: &Connection) -> Option<String> {
    // The schema first: for a macro that is not there, the engine looks at all others for one of a like name.
    let sql =
        "SELECT count(*) FROM duckdb_schemas() WHERE database_name = current_database() AND schema_name = ?";
    let schemas: i64 = connection.query_row(sql, [RUNTIME_SCHEMA], |row| row.get(0)).ok()?;
    if schemas == 0 {
        return None;
    }
    connection.query_row(&format!("SELECT {RUNTIME_SCHEMA}.runtime_version()"), [], |row| row.get(0)).ok()
}

/// Writes the macros from their text.
fn write(connection: &Connection, version: &str) -> duckdb::Result<()> {
    let mut script = format!("BEGIN; CREATE SCHEMA IF NOT EXISTS {RUNTIME_SCHEMA};\n");
    for family in FAMILIES {
        script.push_str(family);
    }
    let _ =
        write!(script, "CREATE OR REPLACE MACRO {RUNTIME_SCHEMA}.runtime_version() AS '{version}'; COMMIT;");
    let written = connection.execute_batch(&script);
    if written.is_err() {
        // Without a transaction there is nothing to take back, and that is all a failure here can mean.
        let _ = connection.execute_batch("ROLLBACK");
    }
    written
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::FAMILIES;
    use crate::googlesql::duckdb::OVERLOADED;

    #[test]
    fn no_macro_takes_the_place_of_another() {
        let head = regex::Regex::new(r"CREATE OR REPLACE MACRO googlesql\.(\w+)\s*\(").expect("a pattern");
        let mut seen = BTreeSet::new();
        for name in FAMILIES.iter().flat_map(|family| head.captures_iter(family)) {
            assert!(seen.insert(name[1].to_owned()), "{} is there twice", &name[1]);
        }
        assert!(seen.len() > 300, "{}", seen.len());
    }

    #[test]
    fn the_translation_knows_which_macros_choose_by_type() {
        let head = regex::Regex::new(r"CREATE OR REPLACE MACRO googlesql\.(\w+)\(").expect("a pattern");
        let typed = regex::Regex::new(
            r"\((?:[a-z_0-9]+(?: [A-Z][A-Z0-9(),\[\]]*)?(?: := [^,()]*)?, )*[a-z_0-9]+ (?:STRUCT\([^()]*\)|[A-Z][A-Z0-9(),\[\]]*)(?:, [a-z_0-9]+(?: [A-Z][A-Z0-9(),\[\]]*)?(?: := [^,()]*)?)*\) AS",
        )
        .expect("a pattern");
        let mut overloaded = BTreeSet::new();
        for statement in FAMILIES.iter().flat_map(|family| family.split(";\n")) {
            if let Some(name) = head.captures(statement)
                && typed.find_iter(statement).count() > 1
            {
                overloaded.insert(name[1].to_owned());
            }
        }
        let known: BTreeSet<String> = OVERLOADED.iter().map(|name| (*name).to_owned()).collect();
        assert_eq!(overloaded, known);
    }
}
