//! The most frequent and the heaviest values of a group, and its quantiles, exactly.
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

    /// `APPROX_QUANTILES(value, number)`: the smallest value, and the last one of each of so many equal parts.
    pub(super) fn quantiles(&mut self, value: &Expr, count: &Expr, span: Span) -> String {
        match int_literal(count) {
            Some(count) if (1..=10_000).contains(&count) => {
                #[expect(clippy::cast_precision_loss, reason = "at most 10,000")]
                let fractions: Vec<String> =
                    (0..=count).map(|index| format!("{:?}", index as f64 / count as f64)).collect();
                format!("quantile_disc({}, [{}])", self.expr(value), fractions.join(", "))
            }
            _ => self.refuse(span, "this form of APPROX_QUANTILES"),
        }
    }
}
