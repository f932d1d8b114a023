//! Regular expressions. Those that are no literals are looked at row by row, by functions of Pipewright's.
//!
//! Source: <https://cloud.google.com/bigquery/docs/reference/standard-sql/string_functions#regexp_extract>

use sqlparser::ast::{Expr, Spanned};

use super::Translator;
use super::literal::{int_literal, string_literal};
use super::operator::Argument;
use super::pattern::{capturing_groups, matches_nothing};

impl Translator<'_> {
    /// Functions that extract by a regular expression; none for the others.
    pub(super) fn regexp(
        &mut self,
        name: &str,
        (value, pattern): (&Expr, &Expr),
        rest: &[&Expr],
    ) -> Option<String> {
        Some(match (name, rest) {
            ("REGEXP_EXTRACT" | "REGEXP_SUBSTR", rest)
                if rest.len() <= 2 && string_literal(pattern).is_none() =>
            {
                let group = format!("pattern_group({})", self.expr(pattern));
                let (all, only) = (
                    self.regexp_extract(value, pattern, rest, 0),
                    self.regexp_extract(value, pattern, rest, 1),
                );
                format!("(CASE {group} WHEN 0 THEN {all} WHEN 1 THEN {only} END)")
            }
            ("REGEXP_EXTRACT" | "REGEXP_SUBSTR", rest) if rest.len() <= 2 => {
                let capture = self.capture(pattern);
                self.regexp_extract(value, pattern, rest, capture)
            }
            ("REGEXP_EXTRACT_ALL", []) if string_literal(pattern).is_none() => {
                let group = format!("pattern_of_all({})", self.expr(pattern));
                let arguments = [self.argument(value), self.argument(pattern)];
                let [all, only] = [0, 1].map(|capture| {
                    let [value, pattern] = arguments.clone();
                    self.call(
                        "regexp_extract_all",
                        &[value, pattern, Argument::constant(capture.to_string())],
                    )
                });
                format!("(CASE {group} WHEN 0 THEN {all} WHEN 1 THEN {only} END)")
            }
            ("REGEXP_EXTRACT_ALL", []) => {
                let capture = self.capture(pattern);
                if string_literal(pattern).is_some_and(matches_nothing) {
                    // DuckDB finds one match more, behind the last character.
                    self.refuse(
                        pattern.span(),
                        "REGEXP_EXTRACT_ALL by a pattern that matches the empty text",
                    );
                }
                let (value, pattern) = (self.argument(value), self.argument(pattern));
                self.call("regexp_extract_all", &[value, pattern, Argument::constant(capture.to_string())])
            }
            ("REGEXP_INSTR", rest) if rest.len() <= 3 => self.regexp_instr(value, pattern, rest),
            _ => return None,
        })
    }

    /// The capturing group that BigQuery extracts: the first if the pattern has one, else the whole match.
    fn capture(&mut self, pattern: &Expr) -> usize {
        let Some(text) = string_literal(pattern) else { return 0 };
        let groups = capturing_groups(text);
        if groups.count > 1 {
            self.invalid(
                crate::diag::Code::SqlInvalid,
                pattern.span(),
                format!(
                    "the pattern has {} capturing groups, and BigQuery extracts at most one",
                    groups.count
                ),
            );
        }
        if groups.count == 1 && groups.may_be_absent {
            // BigQuery gives NULL for a group that took no part in the match, DuckDB an empty string.
            self.refuse(pattern.span(), "an extraction by a group that may take no part in the match");
        }
        groups.count.min(1)
    }

    fn regexp_extract(&mut self, value: &Expr, pattern: &Expr, rest: &[&Expr], capture: usize) -> String {
        let capture = Argument::constant(capture.to_string());
        let (value, pattern) = (self.argument(value), self.argument(pattern));
        if rest.is_empty() {
            return self.call("regexp_extract", &[value, pattern, capture]);
        }
        let position = self.argument(rest[0]);
        let occurrence = rest.get(1).map_or_else(|| Argument::constant("1"), |expr| self.argument(expr));
        self.call("regexp_extract_nth", &[value, pattern, capture, position, occurrence])
    }

    /// `REGEXP_INSTR(text, pattern, position, occurrence, place)`: 0 for the match's start, 1 for the place behind it.
    fn regexp_instr(&mut self, value: &Expr, pattern: &Expr, rest: &[&Expr]) -> String {
        match string_literal(pattern) {
            None => {}
            Some(text) if capturing_groups(text).count > 0 => {
                return self.refuse(pattern.span(), "REGEXP_INSTR by a pattern with a capturing group");
            }
            Some(text) if matches_nothing(text) => {
                return self.refuse(pattern.span(), "REGEXP_INSTR by a pattern that matches the empty text");
            }
            Some(_) => {}
        }
        let pattern_expr = pattern;
        let behind = match rest.get(2).map(|place| int_literal(place)) {
            None | Some(Some(0)) => "FALSE",
            Some(Some(1)) => "TRUE",
            Some(_) => return self.refuse(rest[2].span(), "this place of REGEXP_INSTR"),
        };
        let value = self.argument(value);
        let pattern = self.argument(pattern);
        let mut number =
            |at: usize| rest.get(at).map_or_else(|| Argument::constant("1"), |expr| self.argument(expr));
        let (position, occurrence) = (number(0), number(1));
        let written = string_literal(pattern_expr).is_some();
        let group =
            if written { String::new() } else { format!("pattern_of_all({})", self.expr(pattern_expr)) };
        let place =
            self.call("regexp_instr", &[value, pattern, position, occurrence, Argument::constant(behind)]);
        if written { place } else { format!("(CASE WHEN {group} = 0 THEN {place} END)") }
    }
}
