//! Views of `INFORMATION_SCHEMA`, made from the engine's own catalog.
//!
//! Source: <https://cloud.google.com/bigquery/docs/information-schema-intro>. Only the columns whose values are known
//! are there; an asterisk is refused.

use sqlparser::tokenizer::Span;

use super::RUNTIME_SCHEMA;
use super::Translator;
use super::expression::PARTITION_TIME;
use super::literal::quote;

impl Translator<'_> {
    /// The query that a path such as `dataset.INFORMATION_SCHEMA.TABLES` stands for; none for other paths.
    pub(super) fn information_schema(&mut self, path: &[String], span: Span) -> Option<String> {
        if let [.., schema, view] = path
            && schema.eq_ignore_ascii_case("INFORMATION_SCHEMA")
            && view.eq_ignore_ascii_case("SCHEMATA")
        {
            return Some(format!(
                "(SELECT schema_name FROM duckdb_schemas() WHERE NOT internal AND database_name = current_database() AND schema_name NOT IN ({}, 'main'))",
                quote(RUNTIME_SCHEMA)
            ));
        }
        let [.., dataset, schema, view] = path else {
            return match path {
                [schema, ..] if schema.eq_ignore_ascii_case("INFORMATION_SCHEMA") => {
                    Some(self.refuse(span, "INFORMATION_SCHEMA without a dataset"))
                }
                _ => None,
            };
        };
        if !schema.eq_ignore_ascii_case("INFORMATION_SCHEMA") {
            return None;
        }
        let dataset = quote(dataset);
        Some(match view.to_ascii_uppercase().as_str() {
            "TABLES" => format!(
                "(SELECT schema_name AS table_schema, table_name, 'BASE TABLE' AS table_type, 'YES' AS is_insertable_into, 'NO' AS is_typed \
                 FROM duckdb_tables() WHERE schema_name = {dataset} \
                 UNION ALL SELECT schema_name, view_name, 'VIEW', 'NO', 'NO' FROM duckdb_views() WHERE schema_name = {dataset} AND NOT internal)"
            ),
            "COLUMNS" => format!(
                "(SELECT schema_name AS table_schema, table_name, column_name, CAST(column_index AS BIGINT) AS ordinal_position, \
                 CASE WHEN is_nullable THEN 'YES' ELSE 'NO' END AS is_nullable, googlesql.type_name(data_type) AS data_type, \
                 'NEVER' AS is_generated, 'NO' AS is_hidden \
                 FROM duckdb_columns() WHERE schema_name = {dataset} AND column_name <> {} AND NOT internal)",
                quote(PARTITION_TIME)
            ),
            "VIEWS" => format!(
                "(SELECT schema_name AS table_schema, view_name AS table_name \
                 FROM duckdb_views() WHERE schema_name = {dataset} AND NOT internal)"
            ),
            _ => self.refuse(span, format!("INFORMATION_SCHEMA.{view}")),
        })
    }
}
