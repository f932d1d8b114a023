//! `unit_tests/**/*.yaml`: what a model must make of given rows.

use indexmap::IndexMap;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// A file that declares unit tests of models.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct UnitTestsFile {
    /// The tests by name.
    pub tests: IndexMap<String, UnitTest>,
}

/// A unit test of a model: given these rows in the tables that it reads, it makes these.
///
/// It runs on an engine in memory and touches no target.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UnitTest {
    /// The model.
    #[schemars(example = &"dim_orders")]
    pub model: String,
    /// What it shows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"An order that was never delivered is not late.")]
    pub description: Option<String>,
    /// The rows of the tables that the model reads, by name; those that are left out are empty. With `this`, the rows
    /// that the table of an incremental model has already: new rows are brought into them, and the whole is expected.
    #[serde(default)]
    pub given: IndexMap<String, Fixture>,
    /// The rows that it must make, or have in its table afterwards, in any order. Only the columns that they name are compared.
    pub expect: Fixture,
}

fn rows(_: &mut SchemaGenerator) -> Schema {
    let value = json_schema!({ "description": "The value of this column, of the column's type. Left empty it is NULL." });
    json_schema!({ "type": "array", "items": { "type": "object", "additionalProperties": value } })
}

/// Rows: as a list, as CSV, or in a file of CSV. Columns that are left out are NULL.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Fixture {
    /// The rows: the value of each column by its name. Arrays are lists, structs are mappings.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "rows", example = serde_json::json!([{"order_id": "a1", "price": 9.9}]))]
    pub rows: Option<Vec<IndexMap<String, serde_json::Value>>>,
    /// The rows as CSV with a header; an empty value is NULL.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"order_id,price\na1,9.90\n")]
    pub csv: Option<String>,
    /// A file of such CSV, relative to the project.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"unit_tests/orders.csv")]
    pub file: Option<String>,
}
