//! `CAST(number AS STRING FORMAT '…')`: digits, a point, groups, a sign and a currency.
//!
//! Source: <https://cloud.google.com/bigquery/docs/reference/standard-sql/format-elements#format_numeric_type_as_string>

use sqlparser::ast::Expr;

use super::operator::Argument;
use super::{RUNTIME_SCHEMA, Translator};

/// Where the sign stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sign {
    /// Before a negative number, and a blank before others.
    Plain,
    Before,
    After,
    /// A minus behind a negative number, and a blank behind others.
    Minus,
    Brackets,
}

/// A picture of a number.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Picture {
    /// Digits before the point and behind it.
    whole: usize,
    fraction: usize,
    /// So many digits before the point are shown even where they are zeros.
    zeros: usize,
    /// After which of the digits before the point a comma stands, counted from 1.
    commas: Vec<usize>,
    point: bool,
    currency: bool,
    sign: Sign,
}

impl Picture {
    /// Reads a picture; none if it has an element of another kind, or is not valid.
    pub(super) fn read(text: &str) -> Option<Self> {
        let mut picture = Self {
            whole: 0,
            fraction: 0,
            zeros: 0,
            commas: Vec::new(),
            point: false,
            currency: false,
            sign: Sign::Plain,
        };
        let upper = text.to_ascii_uppercase();
        let mut rest = upper.as_str();
        let mut first_zero = None;
        while let Some(next) = rest.chars().next() {
            let digits = picture.whole + picture.fraction;
            let mut length = 1;
            match next {
                // A sign of two letters, or one behind the digits, ends them.
                _ if matches!(picture.sign, Sign::After | Sign::Minus | Sign::Brackets) => return None,
                '0' | '9' if picture.point => picture.fraction += 1,
                '0' | '9' => {
                    picture.whole += 1;
                    if next == '0' && first_zero.is_none() {
                        first_zero = Some(picture.whole);
                    }
                }
                ',' | 'G' if digits > 0 && !picture.point && !picture.commas.contains(&picture.whole) => {
                    picture.commas.push(picture.whole);
                }
                '.' | 'D' if !picture.point => picture.point = true,
                '$' if !picture.currency => picture.currency = true,
                'S' if picture.sign == Sign::Plain => {
                    picture.sign = if digits == 0 && !picture.point { Sign::Before } else { Sign::After };
                }
                'M' | 'P' if picture.sign == Sign::Plain && digits > 0 => {
                    length = 2;
                    picture.sign = match rest.get(..2)? {
                        "MI" => Sign::Minus,
                        "PR" => Sign::Brackets,
                        _ => return None,
                    };
                }
                _ => return None,
            }
            rest = rest.get(length..)?;
        }
        picture.zeros = first_zero.map_or(0, |first| picture.whole + 1 - first);
        (picture.whole + picture.fraction > 0).then_some(picture)
    }

    fn width(&self) -> usize {
        let sign = if self.sign == Sign::Brackets { 2 } else { 1 };
        self.whole
            + self.fraction
            + self.commas.len()
            + usize::from(self.point)
            + usize::from(self.currency)
            + sign
    }
}

impl Translator<'_> {
    /// A number as text by a picture.
    pub(super) fn format_number(&mut self, expr: &Expr, picture: &Picture) -> String {
        let number = self.argument(expr);
        let fraction = picture.fraction;
        let constant = |sql: String| Argument::constant(sql);
        let parts = self.call(
            "number_parts",
            &[
                Argument { constant: false, ..number },
                constant(fraction.to_string()),
                constant(fraction.min(9).to_string()),
                constant(format!("'{{:.{fraction}f}}'")),
            ],
        );
        let commas: Vec<String> = picture.commas.iter().map(ToString::to_string).collect();
        let (before, other, after, behind) = match picture.sign {
            Sign::Plain => ("-", "", "", ""),
            Sign::Before => ("-", "+", "", ""),
            Sign::After => ("", "", "-", "+"),
            Sign::Minus => ("", "", "-", " "),
            Sign::Brackets => ("<", "", ">", " "),
        };
        format!(
            "{RUNTIME_SCHEMA}.number_picture({parts}, {}, {}, {fraction}, CAST([{}] AS BIGINT[]), '{}', '{}', ['{before}', '{other}', '{after}', '{behind}'], {})",
            picture.whole,
            picture.zeros,
            commas.join(", "),
            if picture.point { "." } else { "" },
            if picture.currency { "$" } else { "" },
            picture.width()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::Picture;

    #[test]
    fn pictures_of_numbers_are_told_from_those_of_dates() {
        for text in ["999.99", "$9,990.00MI", "S0G000D9", ".9", "9.", "999PR", "999$"] {
            assert!(Picture::read(text).is_some(), "{text}");
        }
        for text in
            ["", "S", "YYYY", "DD", ",999", "9.9,9", "9-9", "9MI9", "MI9", "XXX", "9.9EEEE", "S9S", "9.9.9"]
        {
            assert_eq!(Picture::read(text), None, "{text}");
        }
    }
}
