//! FORMAT: a format that is a literal, element by element.
//!
//! Source: <https://cloud.google.com/bigquery/docs/reference/standard-sql/string_functions#format_string>

use sqlparser::ast::{Expr, Spanned};
use sqlparser::tokenizer::Span;

use super::Translator;
use super::literal::{quote, string_literal};
use super::operator::is_null;

impl Translator<'_> {
    /// `FORMAT('%05d of %s', …)`. `%t` and `%T`, which print any type, and `%'d` are refused.
    pub(super) fn format_text(&mut self, format: &Expr, values: &[&Expr], span: Span) -> String {
        let Some(text) = string_literal(format) else {
            return self.refuse(format.span(), "FORMAT by a format that is no literal");
        };
        let mut rest = text.chars().peekable();
        let mut values = values.iter();
        let mut arguments = Vec::new();
        while let Some(character) = rest.next() {
            if character != '%' {
                continue;
            }
            while rest.next_if(|flag| matches!(flag, '-' | '+' | ' ' | '0' | '#')).is_some() {}
            while rest.next_if(|digit| digit.is_ascii_digit() || *digit == '.').is_some() {}
            let Some(element) = rest.next() else {
                return self.refuse(format.span(), "FORMAT with a lone %");
            };
            if element == '%' {
                continue;
            }
            let Some(value) = values.next() else {
                return self.refuse(span, "FORMAT with fewer values than elements");
            };
            let sql = self.expr(value);
            arguments.push(match element {
                _ if is_null(value) => "CAST(NULL AS BIGINT)".to_owned(),
                'd' | 'i' | 'x' | 'X' | 'o' => format!("CAST({sql} AS BIGINT)"),
                'f' | 'F' | 'e' | 'E' | 'g' | 'G' => format!("CAST({sql} AS DOUBLE)"),
                's' => sql,
                other => return self.refuse(format.span(), format!("the element %{other} of FORMAT")),
            });
        }
        if values.next().is_some() {
            return self.refuse(span, "FORMAT with more values than elements");
        }
        // `%i` is `%d`; the other elements mean the same in both.
        let format = quote(&text.replace("%i", "%d"));
        if arguments.is_empty() {
            return format!("printf({format})");
        }
        format!("printf({format}, {})", arguments.join(", "))
    }
}
