//! `aggregate(value HAVING MAX key)`: over the rows of a group whose key is the largest, or the smallest.
//!
//! Source: <https://cloud.google.com/bigquery/docs/reference/standard-sql/aggregate-function-calls>

use sqlparser::ast::Expr;
use sqlparser::tokenizer::Span;

use super::Translator;
use super::operator::Argument;

impl Translator<'_> {
    /// An aggregate over the values of these rows, which come as a list: rows without a key are none of them.
    pub(super) fn aggregate_having(
        &mut self,
        name: &str,
        exprs: &[&Expr],
        (largest, by): (bool, &Expr),
        ignores_nulls: bool,
        span: Span,
    ) -> String {
        let Some((value, rest)) = exprs.split_first() else {
            return self.refuse(span, format!("this form of {name}"));
        };
        let is_big = self.resolved.is_big_call(span);
        let (value_sql, key) = (self.expr(value), self.expr(by));
        let (group, row) = (self.fresh("group").to_string(), self.fresh("row").to_string());
        let extreme = if largest { "max" } else { "min" };
        let list = format!(
            "list_transform([struct_pack(rows := list(struct_pack(v := {value_sql}, k := {key})) FILTER (WHERE {key} IS NOT NULL), \
             k := {extreme}({key}))], lambda {group}: list_transform(list_filter({group}.rows, lambda {row}: {row}.k = {group}.k), \
             lambda {row}: {row}.v))[1]"
        );
        let known = format!("list_filter({list}, lambda {row}: {row} IS NOT NULL)");
        let count = format!("CAST(coalesce(len({known}), 0) AS BIGINT)");
        let sum = format!("cast_to_type(list_aggregate({list}, 'sum'), ({known})[1])");
        let bound = |sql: String| Argument { sql, opaque: true, constant: false };
        match (name, rest) {
            ("SUM" | "AVG", []) if is_big => format!("bignumeric_{}({list})", name.to_ascii_lowercase()),
            ("SUM", []) => sum,
            ("AVG", []) => self.call("divide", &[bound(sum), bound(format!("nullif({count}, 0)"))]),
            ("COUNT", []) => count,
            ("COUNTIF", []) => {
                format!("CAST(coalesce(len(list_filter({list}, lambda {row}: {row})), 0) AS BIGINT)")
            }
            ("MAX", []) => format!("list_max({list})"),
            ("MIN", []) => format!("list_min({list})"),
            ("LOGICAL_AND", []) => format!("list_aggregate({list}, 'bool_and')"),
            ("LOGICAL_OR", []) => format!("list_aggregate({list}, 'bool_or')"),
            ("BIT_AND" | "BIT_OR" | "BIT_XOR", []) => {
                format!("list_aggregate({list}, '{}')", name.to_ascii_lowercase())
            }
            ("ARRAY_AGG", []) if ignores_nulls => format!("(CASE WHEN len({known}) > 0 THEN {known} END)"),
            ("ARRAY_AGG", []) => list,
            ("STRING_AGG", []) => format!("list_aggregate({list}, 'string_agg', ',')"),
            ("STRING_AGG", [separator]) if super::byte_pattern::text_of_bytes(separator).is_none() => {
                let separator = self.expr(separator);
                format!("list_aggregate({list}, 'string_agg', {separator})")
            }
            _ => self.refuse(span, format!("this form of {name}")),
        }
    }
}
