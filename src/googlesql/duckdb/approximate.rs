//! The most frequent and the heaviest values of a group, exactly.
//!
//! Source: <https://cloud.google.com/bigquery/docs/reference/standard-sql/approximate_aggregate_functions>

use sqlparser::ast::{Expr, Spanned};
use sqlparser::tokenizer::Span;

use super::literal::int_literal;
use super::{RUNTIME_SCHEMA, Translator};
use crate::diag::Code;

impl Translator<'_> {
    /// `APPROX_TOP_COUNT(value, number)` and `APPROX_TOP_SUM(value, weight, number)`. Of equal ones the smaller value
    /// comes first, where BigQuery leaves the order open.
    pub(super) fn top(&mut self, name: &str, arguments: &[&Expr], count: &Expr, span: Span) -> String {
        let Some(number) = int_literal(count) else {
            return self.refuse(count.span(), format!("{name} of a number that is no literal"));
        };
        if number < 1 {
            return self.invalid(Code::SqlInvalid, count.span(), format!("{name} takes a positive number"));
        }
        match (name, arguments) {
            ("APPROX_TOP_COUNT", [value, _]) => format!(
                "{RUNTIME_SCHEMA}.approx_top_count(histogram(struct_pack(\"value\" := {})), {number})",
                self.expr(value)
            ),
            ("APPROX_TOP_SUM", [value, weight, _]) => format!(
                "{RUNTIME_SCHEMA}.approx_top_sum(list(struct_pack(v := {}, w := {})), {number})",
                self.expr(value),
                self.expr(weight)
            ),
            _ => self.refuse(span, format!("{name} with {} arguments", arguments.len())),
        }
    }
}
