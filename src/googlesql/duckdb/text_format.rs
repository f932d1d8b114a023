//! FORMAT: a format that is a literal, element by element.
//!
//! Source: <https://cloud.google.com/bigquery/docs/reference/standard-sql/string_functions#format_string>

use sqlparser::ast::{Expr, Spanned};
use sqlparser::tokenizer::Span;

use super::literal::{quote, string_literal};
use super::operator::{Argument, is_null};
use super::value_text::TextOf;
use super::{RUNTIME_SCHEMA, Translator};

/// What stands between `%` and the letter.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "one for each flag of the format")]
struct Spec {
    left: bool,
    plus: bool,
    blank: bool,
    zero: bool,
    alternative: bool,
    thousands: bool,
    width: Option<usize>,
    precision: Option<usize>,
}

/// A stretch of the format.
#[derive(Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    Element(Spec, char),
}

fn pieces(format: &str) -> Result<Vec<Piece>, String> {
    let mut pieces = Vec::new();
    let mut text = String::new();
    let mut rest = format.chars().peekable();
    while let Some(character) = rest.next() {
        if character != '%' {
            text.push(character);
            continue;
        }
        let mut spec = Spec::default();
        loop {
            match rest.peek() {
                Some('-') => spec.left = true,
                Some('+') => spec.plus = true,
                Some(' ') => spec.blank = true,
                Some('0') => spec.zero = true,
                Some('#') => spec.alternative = true,
                Some('\'') => spec.thousands = true,
                _ => break,
            }
            rest.next();
        }
        let number = |rest: &mut std::iter::Peekable<std::str::Chars<'_>>| {
            let mut digits = String::new();
            while let Some(digit) = rest.next_if(char::is_ascii_digit) {
                digits.push(digit);
            }
            digits
        };
        spec.width = number(&mut rest).parse().ok();
        if rest.next_if_eq(&'.').is_some() {
            spec.precision = Some(number(&mut rest).parse().unwrap_or(0));
        }
        match rest.next() {
            None => return Err("a lone %".to_owned()),
            Some('%') => text.push('%'),
            Some(letter) => {
                if !text.is_empty() {
                    pieces.push(Piece::Text(std::mem::take(&mut text)));
                }
                pieces.push(Piece::Element(spec, letter));
            }
        }
    }
    if !text.is_empty() {
        pieces.push(Piece::Text(text));
    }
    Ok(pieces)
}

impl Spec {
    /// The element in the syntax of DuckDB's `format`, for a number.
    fn native(&self, letter: char) -> String {
        let sign = if self.plus {
            "+"
        } else if self.blank {
            " "
        } else {
            ""
        };
        let alternative = if self.alternative { "#" } else { "" };
        let (align, zero) = match (self.left, self.zero) {
            (true, _) => ("<", ""),
            (false, true) => ("", "0"),
            (false, false) => ("", ""),
        };
        let width = self.width.map_or_else(String::new, |width| width.to_string());
        let thousands = if self.thousands { "," } else { "" };
        let precision = self.precision.map_or_else(String::new, |digits| format!(".{digits}"));
        let letter = if self.thousands { String::new() } else { letter.to_string() };
        format!("{{:{align}{sign}{alternative}{zero}{width}{thousands}{precision}{letter}}}")
    }

    /// Text brought to the width, never cut.
    fn padded(&self, text: &str) -> String {
        match self.width {
            Some(width) => {
                let align = if self.left { '<' } else { '>' };
                format!("format('{{:{align}{width}}}', {text})")
            }
            None => text.to_owned(),
        }
    }

    fn is_plain(&self) -> bool {
        !(self.plus || self.blank || self.zero || self.alternative || self.thousands)
    }
}

impl Translator<'_> {
    /// `FORMAT('%05d of %s', …)`.
    pub(super) fn format_text(&mut self, format: &Expr, values: &[&Expr], span: Span) -> String {
        let Some(text) = string_literal(format) else {
            return self.refuse(format.span(), "FORMAT by a format that is no literal");
        };
        let pieces = match pieces(text) {
            Ok(pieces) => pieces,
            Err(what) => return self.refuse(format.span(), format!("FORMAT with {what}")),
        };
        let mut values = values.iter();
        let mut parts = Vec::new();
        for piece in &pieces {
            match piece {
                Piece::Text(text) => parts.push(quote(text)),
                Piece::Element(spec, letter) => {
                    let Some(value) = values.next() else {
                        return self.refuse(span, "FORMAT with fewer values than elements");
                    };
                    match self.format_element(spec, *letter, value) {
                        Some(part) => parts.push(part),
                        None => {
                            return self.refuse(
                                format.span(),
                                format!("the element %{letter} of FORMAT in this form"),
                            );
                        }
                    }
                }
            }
        }
        if values.next().is_some() {
            return self.refuse(span, "FORMAT with more values than elements");
        }
        if parts.is_empty() {
            return "''".to_owned();
        }
        format!("({})", parts.join(" || "))
    }

    fn format_element(&mut self, spec: &Spec, letter: char, value: &Expr) -> Option<String> {
        if is_null(value) && !matches!(letter, 't' | 'T') {
            return Some("CAST(NULL AS VARCHAR)".to_owned());
        }
        let argument = self.argument(value);
        Some(match letter {
            'd' | 'i' if spec.precision.is_none() && !spec.alternative => {
                format!("format({}, CAST({} AS BIGINT))", quote(&spec.native('d')), argument.sql)
            }
            'x' | 'X' | 'o' if spec.precision.is_none() && !spec.thousands => {
                format!("format({}, CAST({} AS BIGINT))", quote(&spec.native(letter)), argument.sql)
            }
            'f' | 'F' if spec.is_plain() => {
                let digits = spec.precision.unwrap_or(6);
                let native = Spec { precision: Some(digits), ..Spec::default() }.native(letter);
                let fixed = self.call(
                    "format_fixed",
                    &[
                        argument,
                        Argument::constant(digits.to_string()),
                        Argument::constant(digits.min(9).to_string()),
                        Argument::constant(quote(&native)),
                    ],
                );
                spec.padded(&fixed)
            }
            'f' | 'F' | 'e' | 'E' | 'g' | 'G' if !spec.thousands && !spec.alternative => {
                let spec = Spec { precision: Some(spec.precision.unwrap_or(6)), ..spec.clone() };
                format!("format({}, CAST({} AS DOUBLE) + 0)", quote(&spec.native(letter)), argument.sql)
            }
            'p' if spec.is_plain() && spec.precision.is_none() => {
                spec.padded(&format!("CAST({} AS VARCHAR)", argument.sql))
            }
            'P' if spec.is_plain() && spec.precision.is_none() => {
                spec.padded(&format!("{RUNTIME_SCHEMA}.json_pretty(CAST({} AS VARCHAR))", argument.sql))
            }
            's' if spec.is_plain() => {
                let text = match spec.precision {
                    Some(length) => format!("left({}, {length})", argument.sql),
                    None => argument.sql,
                };
                spec.padded(&text)
            }
            't' | 'T' if spec.is_plain() && spec.precision.is_none() => {
                let (name, what) = if letter == 't' {
                    ("format_plain", TextOf::Plain)
                } else {
                    ("format_literal", TextOf::Literal)
                };
                let text = self.value_text(what, value).unwrap_or_else(|| self.call(name, &[argument]));
                spec.padded(&text)
            }
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Piece, Spec, pieces};

    #[test]
    fn a_format_falls_into_pieces() {
        let spec = |width, precision| Spec { width, precision, ..Spec::default() };
        assert_eq!(
            pieces("a%%b %-5.2f%d").expect("a format"),
            [
                Piece::Text("a%b ".to_owned()),
                Piece::Element(Spec { left: true, ..spec(Some(5), Some(2)) }, 'f'),
                Piece::Element(Spec::default(), 'd'),
            ]
        );
        assert!(pieces("100%").is_err());
    }

    #[test]
    fn an_element_is_written_as_the_engine_writes_it() {
        let spec = |zero, left, width| Spec { zero, left, width: Some(width), ..Spec::default() };
        assert_eq!(spec(true, false, 5).native('d'), "{:05d}");
        assert_eq!(spec(false, true, 5).native('x'), "{:<5x}");
        assert_eq!(Spec { thousands: true, ..Spec::default() }.native('d'), "{:,}");
    }
}
