//! Names that users know from Great Expectations and dbt, and what they are here.

use serde_json::{Map, Value, json};

/// A kind under a name of another tool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Alias {
    /// The other tool's name.
    pub name: &'static str,
    /// Ours.
    pub kind: &'static str,
    /// The other tool's parameters and what they are here.
    pub keys: &'static [(&'static str, &'static str)],
    /// What the name says that is a parameter here: key and JSON.
    pub says: &'static [(&'static str, &'static str)],
}

const COLUMN_LIST: &[(&str, &str)] = &[("column_list", "columns"), ("row_condition", "where")];
const CONDITION: &[(&str, &str)] = &[("row_condition", "where"), ("notes", "note")];
const SET: &[(&str, &str)] = &[("value_set", "values"), ("row_condition", "where"), ("notes", "note")];
const BOUNDS: &[(&str, &str)] =
    &[("min_value", "min"), ("max_value", "max"), ("row_condition", "where"), ("notes", "note")];
const PAIR: &[(&str, &str)] =
    &[("column_A", "column"), ("column_B", "other"), ("row_condition", "where"), ("notes", "note")];
const COMBINATION: &[(&str, &str)] = &[("combination_of_columns", "columns")];

const fn alias(
    name: &'static str,
    kind: &'static str,
    keys: &'static [(&'static str, &'static str)],
) -> Alias {
    Alias { name, kind, keys, says: &[] }
}

/// All of them. Where another tool's name takes what has no meaning here, its entry is refused by the schema.
///
/// Sources: <https://greatexpectations.io/expectations>, <https://docs.getdbt.com/docs/build/data-tests>,
/// <https://github.com/dbt-labs/dbt-utils>.
pub const ALIASES: &[Alias] = &[
    // Great Expectations.
    alias("expect_column_values_to_not_be_null", "not_null", CONDITION),
    alias("expect_column_values_to_be_null", "is_null", CONDITION),
    alias("expect_column_values_to_be_unique", "unique", CONDITION),
    alias("expect_compound_columns_to_be_unique", "unique", COLUMN_LIST),
    alias("expect_select_column_values_to_be_unique_within_record", "unique_within_row", COLUMN_LIST),
    alias("expect_column_values_to_be_in_set", "accepted_values", SET),
    alias("expect_column_values_to_not_be_in_set", "rejected_values", SET),
    alias("expect_column_values_to_be_between", "between", BOUNDS),
    alias("expect_column_values_to_match_regex", "regex", CONDITION),
    alias(
        "expect_column_values_to_match_regex_list",
        "regex",
        &[("regex_list", "regex"), ("row_condition", "where")],
    ),
    alias("expect_column_values_to_not_match_regex", "not_regex", CONDITION),
    alias(
        "expect_column_values_to_not_match_regex_list",
        "not_regex",
        &[("regex_list", "regex"), ("row_condition", "where")],
    ),
    alias(
        "expect_column_values_to_match_like_pattern",
        "like",
        &[("like_pattern", "pattern"), ("row_condition", "where")],
    ),
    alias(
        "expect_column_values_to_match_like_pattern_list",
        "like",
        &[("like_pattern_list", "pattern"), ("row_condition", "where")],
    ),
    alias(
        "expect_column_values_to_not_match_like_pattern",
        "not_like",
        &[("like_pattern", "pattern"), ("row_condition", "where")],
    ),
    alias("expect_column_value_lengths_to_be_between", "length", BOUNDS),
    alias(
        "expect_column_value_lengths_to_equal",
        "length",
        &[("value", "equals"), ("row_condition", "where")],
    ),
    alias("expect_column_values_to_be_of_type", "type", &[("type_", "type")]),
    alias("expect_column_values_to_be_in_type_list", "type", &[("type_list", "type")]),
    alias(
        "expect_column_values_to_match_strftime_format",
        "date_format",
        &[("strftime_format", "format"), ("row_condition", "where")],
    ),
    alias("expect_column_values_to_be_json_parseable", "json_parseable", CONDITION),
    alias(
        "expect_column_values_to_match_json_schema",
        "json_schema",
        &[("json_schema", "schema"), ("row_condition", "where")],
    ),
    alias("expect_column_min_to_be_between", "min", BOUNDS),
    alias("expect_column_max_to_be_between", "max", BOUNDS),
    alias("expect_column_mean_to_be_between", "mean", BOUNDS),
    alias("expect_column_median_to_be_between", "median", BOUNDS),
    alias("expect_column_sum_to_be_between", "sum", BOUNDS),
    alias("expect_column_stdev_to_be_between", "stdev", BOUNDS),
    alias("expect_column_unique_value_count_to_be_between", "distinct_count", BOUNDS),
    alias("expect_column_proportion_of_unique_values_to_be_between", "unique_share", BOUNDS),
    alias("expect_column_most_common_value_to_be_in_set", "most_common", SET),
    Alias {
        name: "expect_column_distinct_values_to_be_in_set",
        kind: "distinct_values",
        keys: SET,
        says: &[("mode", "\"in\"")],
    },
    Alias {
        name: "expect_column_distinct_values_to_contain_set",
        kind: "distinct_values",
        keys: SET,
        says: &[("mode", "\"contain\"")],
    },
    Alias {
        name: "expect_column_distinct_values_to_equal_set",
        kind: "distinct_values",
        keys: SET,
        says: &[("mode", "\"equal\"")],
    },
    alias("expect_column_pair_values_to_be_equal", "equal", PAIR),
    alias("expect_column_pair_values_a_to_be_greater_than_b", "greater_than", PAIR),
    alias(
        "expect_column_pair_values_to_be_in_set",
        "pair_in_set",
        &[
            ("column_A", "column"),
            ("column_B", "other"),
            ("value_pairs_set", "values"),
            ("row_condition", "where"),
        ],
    ),
    alias(
        "expect_multicolumn_sum_to_equal",
        "sum_equals",
        &[("column_list", "columns"), ("sum_total", "equals"), ("row_condition", "where")],
    ),
    alias("expect_table_row_count_to_be_between", "row_count", BOUNDS),
    alias("expect_table_row_count_to_equal", "row_count", &[("value", "exactly")]),
    alias("expect_table_row_count_to_equal_other_table", "row_count", &[("other_table_name", "equals")]),
    alias("expect_table_column_count_to_be_between", "column_count", BOUNDS),
    alias("expect_table_column_count_to_equal", "column_count", &[("value", "equals")]),
    alias("expect_table_columns_to_match_ordered_list", "columns", &[("column_list", "columns")]),
    Alias {
        name: "expect_table_columns_to_match_set",
        kind: "columns",
        keys: &[("column_set", "columns")],
        says: &[("mode", "\"set\"")],
    },
    alias("unexpected_rows_expectation", "query", &[("unexpected_rows_query", "sql")]),
    // dbt and its packages.
    alias("dbt_utils.unique_combination_of_columns", "unique", COMBINATION),
    alias("unique_combination_of_columns", "unique", COMBINATION),
    alias("unique_combination", "unique", &[]),
    alias("compound_unique", "unique", &[]),
    alias("dbt_utils.accepted_range", "between", BOUNDS),
    alias("accepted_range", "between", BOUNDS),
    alias("dbt_utils.not_accepted_values", "rejected_values", &[]),
    alias("not_accepted_values", "rejected_values", &[]),
    alias("dbt_utils.expression_is_true", "expression", &[("expression", "sql")]),
    alias("expression_is_true", "expression", &[("expression", "sql")]),
    alias("dbt_utils.not_empty_string", "not_empty_string", &[("trim_whitespace", "trim")]),
    alias("dbt_utils.not_constant", "not_constant", &[("group_by_columns", "group_by")]),
    alias("dbt_utils.at_least_one", "at_least_one", &[("group_by_columns", "group_by")]),
    alias(
        "dbt_utils.relationships_where",
        "relationships",
        &[("from_condition", "where"), ("to_condition", "to_where")],
    ),
    alias("dbt_utils.equal_rowcount", "row_count", &[("compare_model", "equals")]),
    alias("dbt_utils.fewer_rows_than", "row_count", &[("compare_model", "fewer_than")]),
    alias("dbt_utils.equality", "same_rows", &[("compare_model", "to"), ("compare_columns", "columns")]),
    alias("dbt_utils.cardinality_equality", "cardinality", &[]),
    alias(
        "dbt_utils.sequential_values",
        "sequential",
        &[("interval", "step"), ("group_by_columns", "partition_by")],
    ),
    alias(
        "dbt_utils.mutually_exclusive_ranges",
        "mutually_exclusive_ranges",
        &[("lower_bound_column", "lower"), ("upper_bound_column", "upper")],
    ),
    // Shorter and longer words for the same.
    alias("matches_regex", "regex", &[]),
    alias("not_matches_regex", "not_regex", &[]),
    alias("recency", "freshness", &[]),
];

/// The alias of a name.
pub fn find(name: &str) -> Option<&'static Alias> {
    ALIASES.iter().find(|alias| alias.name == name)
}

/// The key that an entry has for one of ours: another tool's where the entry has its name.
pub fn key_in<'k>(kind: &str, has: &dyn Fn(&str) -> bool, key: &'k str) -> &'k str {
    if has(key) {
        return key;
    }
    ALIASES
        .iter()
        .filter(|alias| alias.kind == kind)
        .flat_map(|alias| alias.keys)
        .find(|(theirs, ours)| *ours == key && has(theirs))
        .map_or(key, |(theirs, _)| theirs)
}

/// Gives an entry our names.
pub(super) fn to_ours(entry: &mut Map<String, Value>) {
    let alias = entry.get("expect").and_then(Value::as_str).and_then(find);
    let Some(alias) = alias else { return };
    entry.insert("expect".to_owned(), json!(alias.kind));
    for (theirs, ours) in alias.keys {
        if let Some(value) = entry.remove(*theirs) {
            entry.insert((*ours).to_owned(), value);
        }
    }
    for (key, value) in alias.says {
        if let Ok(value) = serde_json::from_str(value) {
            entry.insert((*key).to_owned(), value);
        }
    }
}
