//! Regular expressions and LIKE over BYTES: each byte becomes the character of its number, and back.
//!
//! Source: <https://cloud.google.com/bigquery/docs/reference/standard-sql/string_functions#regexp_contains>

use sqlparser::ast::{Expr, Spanned, Value};
use sqlparser::tokenizer::Span;

use super::function::struct_field;
use super::operator::{Argument, bound_first};
use super::{RUNTIME_SCHEMA, Translator};
use crate::googlesql::escape;

/// A literal of BYTES with each byte as the character of its number.
pub(super) fn text_of_bytes(expr: &Expr) -> Option<String> {
    let Expr::Value(value) = expr else { return None };
    match &value.value {
        Value::SingleQuotedByteStringLiteral(raw)
        | Value::DoubleQuotedByteStringLiteral(raw)
        | Value::TripleSingleQuotedByteStringLiteral(raw)
        | Value::TripleDoubleQuotedByteStringLiteral(raw) => {
            Some(escape::bytes(raw).ok()?.into_iter().map(char::from).collect())
        }
        _ => None,
    }
}

/// A literal of BYTES as one of such text.
fn as_text(expr: &Expr) -> Option<Expr> {
    let text = text_of_bytes(expr)?;
    Some(Expr::Value(Value::SingleQuotedString(text).with_span(expr.span())))
}

impl Translator<'_> {
    /// `REGEXP_…(value, rb'pattern', …)`.
    pub(super) fn regexp_of_bytes(
        &mut self,
        name: &str,
        value: &Expr,
        pattern: &Expr,
        rest: &[&Expr],
        span: Span,
    ) -> String {
        let Some(pattern_text) = as_text(pattern) else {
            return self.refuse(pattern.span(), format!("{name} by this pattern"));
        };
        let mut replaced = vec![Expr::Function(struct_field("a0")), pattern_text];
        for argument in rest {
            match as_text(argument) {
                Some(text) => replaced.push(text),
                None if name == "REGEXP_REPLACE" => {
                    return self.refuse(argument.span(), "REGEXP_REPLACE of BYTES by what is no literal");
                }
                None => replaced.push((*argument).clone()),
            }
        }
        let text = Argument { sql: self.over("text_of_bytes", &[value]), opaque: true, constant: false };
        let arguments: Vec<&Expr> = replaced.iter().collect();
        let call = match self.special(name, &arguments, span) {
            Some(sql) => sql,
            None => self.scalar(name, &arguments, span),
        };
        let part = self.fresh("part");
        bound_first(&[text], |_| match name {
            "REGEXP_CONTAINS" | "REGEXP_INSTR" => call,
            "REGEXP_EXTRACT_ALL" => {
                format!("list_transform({call}, lambda {part}: {RUNTIME_SCHEMA}.bytes_of_text({part}))")
            }
            _ => format!("{RUNTIME_SCHEMA}.bytes_of_text({call})"),
        })
    }

    /// What LIKE compares: the operand, and the pattern if it is a literal of BYTES.
    pub(super) fn like_of_bytes(&mut self, operand: &Expr, pattern: &Expr) -> Option<String> {
        let text = as_text(pattern)?;
        let operand = self.over("text_of_bytes", &[operand]);
        Some(format!("({operand} LIKE {} ESCAPE '\\')", self.expr(&text)))
    }
}
