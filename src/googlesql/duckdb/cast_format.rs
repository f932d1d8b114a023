//! `CAST … FORMAT`: dates and times by a picture such as `YYYY-MM-DD HH24:MI:SS`, bytes as text of some base; numbers are
//! in `number_format`.
//!
//! Source: <https://cloud.google.com/bigquery/docs/reference/standard-sql/format-elements>. A picture becomes a
//! format of `FORMAT_DATE`, with elements of our own (`%^B` is the month in capitals) where that has none.

use sqlparser::ast::{CastFormat, DataType, Expr};
use sqlparser::tokenizer::Span;

use super::Translator;
use super::literal::string_of;
use super::number_format::Picture;

/// A word of a picture.
enum Element {
    /// A name: of the month or the day, in full or short.
    Name(char),
    /// Part of a date or time, as `FORMAT_DATE` has it, and whether a text can be read by it.
    Part(&'static str, bool),
    /// AM or PM, with periods or without.
    Meridian { periods: bool },
}

/// Elements, the longer ones of the same beginning first.
const ELEMENTS: &[(&str, Element)] = &[
    ("YYYY", Element::Part("%E4Y", true)),
    ("RRRR", Element::Part("%E4Y", false)),
    ("YY", Element::Part("%y", false)),
    ("RR", Element::Part("%y", false)),
    ("MONTH", Element::Name('B')),
    ("MON", Element::Name('b')),
    ("MM", Element::Part("%m", true)),
    ("MI", Element::Part("%M", true)),
    ("DDD", Element::Part("%j", false)),
    ("DD", Element::Part("%d", true)),
    ("DAY", Element::Name('A')),
    ("DY", Element::Name('a')),
    ("D", Element::Part("%^D", false)),
    ("HH24", Element::Part("%H", true)),
    ("HH12", Element::Part("%I", true)),
    ("HH", Element::Part("%I", true)),
    ("SSSSS", Element::Part("%^S", false)),
    ("SS", Element::Part("%S", true)),
    ("A.M.", Element::Meridian { periods: true }),
    ("P.M.", Element::Meridian { periods: true }),
    ("AM", Element::Meridian { periods: false }),
    ("PM", Element::Meridian { periods: false }),
    ("TZH:TZM", Element::Part("%Ez", true)),
];

/// A picture as a format; the word that has no counterpart otherwise.
fn format_of(picture: &str, reading: bool) -> Result<String, String> {
    let mut format = String::new();
    let mut rest = picture;
    while let Some(first) = rest.chars().next() {
        if let Some(text) = rest.strip_prefix('"') {
            let (literal, after) = text.split_once('"').ok_or("a quote that is not closed")?;
            format.push_str(&literal.replace('%', "%%"));
            rest = after;
            continue;
        }
        if "-./,;: ".contains(first) {
            format.push(first);
            rest = rest.get(1..).unwrap_or_default();
            continue;
        }
        let found = ELEMENTS
            .iter()
            .find(|(word, _)| rest.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word)));
        let Some((word, element)) = found else {
            return Err(format!("the element `{}`", rest.split([' ', '-', '/', ':']).next().unwrap_or(rest)));
        };
        let (own, after) = rest.split_at(word.len());
        match element {
            Element::Part(_, false) if reading => return Err(format!("the element `{own}`")),
            Element::Part(part, _) => format.push_str(part),
            Element::Name(letter) if reading => match letter {
                'B' | 'b' => format.extend(['%', *letter]),
                _ => return Err(format!("the element `{own}`")),
            },
            Element::Name(letter) => {
                format.push('%');
                let mut letters = own.chars();
                match (letters.next(), letters.next()) {
                    (Some(first), _) if first.is_ascii_lowercase() => format.push('~'),
                    (_, Some(second)) if second.is_ascii_uppercase() => format.push('^'),
                    _ => {}
                }
                format.push(*letter);
            }
            Element::Meridian { .. } if reading => return Err(format!("the element `{own}`")),
            Element::Meridian { periods } => {
                format.push_str(match (periods, first.is_ascii_lowercase()) {
                    (false, false) => "%p",
                    (false, true) => "%P",
                    (true, false) => "%^P",
                    (true, true) => "%~P",
                });
            }
        }
        rest = after;
    }
    Ok(format)
}

/// What a text must hold to be read: without a part, BigQuery takes that of the current date.
fn complete(format: &str, date: bool) -> bool {
    let has = |parts: &[&str]| parts.iter().any(|part| format.contains(part));
    let clock = !format.contains("%I");
    clock && (!date || has(&["%E4Y"]) && has(&["%m", "%b", "%B"]) && has(&["%d"]))
}

impl Translator<'_> {
    /// `CAST(expr AS data_type FORMAT format)`.
    pub(super) fn cast_with_format(
        &mut self,
        expr: &Expr,
        data_type: &DataType,
        format: &CastFormat,
        span: Span,
    ) -> String {
        let CastFormat::Value(value) = format else {
            return self.refuse(span, "CAST with FORMAT in a time zone");
        };
        let Some(picture) = string_of(&value.value) else {
            return self.refuse(value.span, "a FORMAT that is no literal");
        };
        let base = picture.to_ascii_uppercase();
        let parse = match (data_type, base.as_str()) {
            (DataType::String(None), "HEX") => return self.over("to_hex", &[expr]),
            (DataType::String(None), "BASE64") => return self.over("to_base64", &[expr]),
            (DataType::String(None), "UTF-8" | "UTF8") => return self.over("as_string", &[expr]),
            (DataType::Bytes(None), "HEX") => return self.over("from_hex", &[expr]),
            (DataType::Bytes(None), "BASE64") => return self.over("from_base64", &[expr]),
            (DataType::Bytes(None), "UTF-8" | "UTF8") => return self.over("as_bytes", &[expr]),
            (DataType::String(None), _) if let Some(picture) = Picture::read(picture) => {
                return self.format_number(expr, &picture);
            }
            (DataType::String(None), _) => {
                return match format_of(picture, false) {
                    Ok(format) => {
                        let clock = self.over("clock", &[expr]);
                        self.format_clock_by(&format, value.span, &clock, None)
                    }
                    Err(what) => self.refuse(value.span, format!("{what} of a FORMAT")),
                };
            }
            (DataType::Date, _) => "parse_date",
            (DataType::Datetime(None), _) => "parse_datetime",
            (DataType::Time(None, _), _) => "parse_time",
            (DataType::Timestamp(None, _), _) => "parse_timestamp",
            _ => return self.refuse(span, "CAST with this FORMAT"),
        };
        match format_of(picture, true) {
            Ok(format) if complete(&format, parse != "parse_time") => {
                self.parse_clock_by(parse, &format, value.span, expr)
            }
            Ok(_) => self.refuse(value.span, "a FORMAT that leaves parts of the date or time out"),
            Err(what) => self.refuse(value.span, format!("{what} of a FORMAT")),
        }
    }
}
