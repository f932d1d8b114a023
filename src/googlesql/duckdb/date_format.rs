//! Format strings of `FORMAT_DATE`, `PARSE_TIMESTAMP` and their like.
//!
//! Source: <https://cloud.google.com/bigquery/docs/reference/standard-sql/format-elements#format_elements_date_time>

use sqlparser::ast::{Expr, Spanned};
use sqlparser::tokenizer::Span;

use super::literal::{quote, string_literal};
use super::operator::{Argument, BOUND};
use super::{RUNTIME_SCHEMA, Translator};

/// A stretch of the output.
enum Piece {
    /// A format that `strftime` knows.
    Native(String),
    /// An expression over `{clock}` and `{utc}`.
    Computed(&'static str),
}

/// The year has as many digits as it needs.
const YEAR: &str = "CAST(year({clock}) AS VARCHAR)";

/// Elements that are others in short.
fn expand(element: &str) -> Option<&'static str> {
    Some(match element {
        "T" | "X" => "%H:%M:%S",
        "R" => "%H:%M",
        "D" | "x" => "%m/%d/%y",
        "h" => "%b",
        "r" => "%I:%M:%S %p",
        "c" => "%a %b %e %H:%M:%S %E4Y",
        // Digits of other scripts do not exist here.
        "OH" => "%H",
        "OM" => "%M",
        "OS" => "%S",
        "OI" => "%I",
        "Od" => "%d",
        "Om" => "%m",
        "Oy" => "%y",
        _ => return None,
    })
}

/// A format with each element written out that is short for others. `%F` has a year of four digits, unlike `%Y`.
fn expanded(format: &str) -> Result<Vec<Result<char, String>>, String> {
    let mut parts = Vec::new();
    for part in elements(format)? {
        match part {
            Err(short) if short == "F" => parts.extend(elements("%E4Y-%m-%d")?),
            Err(short) => match expand(&short) {
                Some(long) => parts.extend(elements(long)?),
                None => parts.push(Err(short)),
            },
            character => parts.push(character),
        }
    }
    Ok(parts)
}

/// Splits a format into literal text and elements (`E*S` counts as one).
fn elements(format: &str) -> Result<Vec<Result<char, String>>, String> {
    let mut parts = Vec::new();
    let mut rest = format.chars();
    while let Some(character) = rest.next() {
        if character != '%' {
            parts.push(Ok(character));
            continue;
        }
        let mut element = String::from(rest.next().ok_or("a lone % at the end")?);
        if matches!(element.as_str(), "^" | "~") {
            element.push(rest.next().ok_or("an element without its letter")?);
        }
        if element == "E" || element == "O" {
            let next = rest.next().ok_or("an element without its letter")?;
            element.push(next);
            if next.is_ascii_digit() || next == '*' {
                element.push(rest.next().ok_or("an element without its letter")?);
            }
        }
        parts.push(Err(element));
    }
    Ok(parts)
}

fn output_pieces(format: &str) -> Result<Vec<Piece>, String> {
    let mut pieces: Vec<Piece> = Vec::new();
    let mut native = String::new();
    for part in expanded(format)? {
        let computed = match &part {
            Ok(character) => {
                native.push(*character);
                continue;
            }
            Err(element) => match element.as_str() {
                "m" | "d" | "H" | "I" | "M" | "S" | "y" | "b" | "B" | "a" | "A" | "j" | "p" | "U" | "W"
                | "V" | "G" | "u" | "w" | "%" => {
                    native.push('%');
                    native.push_str(element);
                    continue;
                }
                "n" => {
                    native.push('\n');
                    continue;
                }
                "t" => {
                    native.push('\t');
                    continue;
                }
                "E4Y" => {
                    native.push_str("%Y");
                    continue;
                }
                "E6S" => {
                    native.push_str("%S.%f");
                    continue;
                }
                "E3S" => {
                    native.push_str("%S.%g");
                    continue;
                }
                "E0S" => {
                    native.push_str("%S");
                    continue;
                }
                "E1S" | "E2S" | "E4S" | "E5S" => {
                    flush(&mut native, &mut pieces);
                    pieces.push(Piece::Computed(match element.as_str() {
                        "E1S" => "left(strftime({clock}, '%S.%f'), 4)",
                        "E2S" => "left(strftime({clock}, '%S.%f'), 5)",
                        "E4S" => "left(strftime({clock}, '%S.%f'), 7)",
                        _ => "left(strftime({clock}, '%S.%f'), 8)",
                    }));
                    continue;
                }
                "Y" => YEAR,
                "g" => "strftime(make_date(isoyear({clock}), 7, 1), '%y')",
                "C" => "lpad(CAST(year({clock}) // 100 AS VARCHAR), 2, '0')",
                "e" => "lpad(CAST(day({clock}) AS VARCHAR), 2, ' ')",
                "k" => "lpad(CAST(hour({clock}) AS VARCHAR), 2, ' ')",
                "l" => "lpad(strftime({clock}, '%-I'), 2, ' ')",
                "P" => "lower(strftime({clock}, '%p'))",
                // Those below are of pictures only.
                "^B" => "upper(strftime({clock}, '%B'))",
                "~B" => "lower(strftime({clock}, '%B'))",
                "^b" => "upper(strftime({clock}, '%b'))",
                "~b" => "lower(strftime({clock}, '%b'))",
                "^A" => "upper(strftime({clock}, '%A'))",
                "~A" => "lower(strftime({clock}, '%A'))",
                "^a" => "upper(strftime({clock}, '%a'))",
                "~a" => "lower(strftime({clock}, '%a'))",
                "^P" => "replace(strftime({clock}, '%p'), 'M', '.M.')",
                "~P" => "lower(replace(strftime({clock}, '%p'), 'M', '.M.'))",
                "^D" => "CAST(dayofweek({clock}) + 1 AS VARCHAR)",
                "^S" => {
                    "lpad(CAST(hour({clock}) * 3600 + minute({clock}) * 60 + second({clock}) AS VARCHAR), 5, '0')"
                }
                "Q" => "CAST(quarter({clock}) AS VARCHAR)",
                "E*S" => "rtrim(rtrim(strftime({clock}, '%S.%f'), '0'), '.')",
                "s" => "CAST(epoch_us(date_trunc('second', {utc})) // 1000000 AS VARCHAR)",
                "z" => {
                    "(CASE WHEN {clock} < {utc} THEN '-' ELSE '+' END || strftime(TIMESTAMP '1970-01-01' + to_microseconds(abs(epoch_us({clock}) - epoch_us({utc}))), '%H%M'))"
                }
                "Ez" => {
                    "(CASE WHEN {clock} < {utc} THEN '-' ELSE '+' END || strftime(TIMESTAMP '1970-01-01' + to_microseconds(abs(epoch_us({clock}) - epoch_us({utc}))), '%H:%M'))"
                }
                "Z" => "googlesql.zone_text((epoch_us({clock}) - epoch_us({utc})) // 1000000)",
                other => return Err(format!("the element %{other}")),
            },
        };
        flush(&mut native, &mut pieces);
        pieces.push(Piece::Computed(computed));
    }
    flush(&mut native, &mut pieces);
    Ok(pieces)
}

fn flush(native: &mut String, pieces: &mut Vec<Piece>) {
    if !native.is_empty() {
        pieces.push(Piece::Native(std::mem::take(native)));
    }
}

/// A format as `strptime` reads it, in each of the forms that an optional fraction allows; whether it holds a zone.
fn input_formats(format: &str) -> Result<(Vec<String>, bool), String> {
    let mut formats = vec![String::new()];
    let mut zone = false;
    let push = |formats: &mut Vec<String>, text: &str| {
        for format in formats.iter_mut() {
            format.push_str(text);
        }
    };
    for part in expanded(format)? {
        match part {
            Ok(character) => push(&mut formats, &character.to_string()),
            Err(element) => match element.as_str() {
                "Y" | "m" | "d" | "H" | "I" | "M" | "S" | "y" | "b" | "B" | "a" | "A" | "j" | "p" | "%" => {
                    push(&mut formats, &format!("%{element}"));
                }
                "E4Y" => push(&mut formats, "%Y"),
                "e" => push(&mut formats, "%d"),
                "k" => push(&mut formats, "%H"),
                "l" => push(&mut formats, "%I"),
                "P" => push(&mut formats, "%p"),
                "E*S" | "E6S" | "E3S" => {
                    let mut with_fraction = formats.clone();
                    push(&mut formats, "%S");
                    push(&mut with_fraction, "%S.%f");
                    formats.extend(with_fraction);
                }
                "z" | "Ez" => {
                    zone = true;
                    push(&mut formats, "%z");
                }
                other => return Err(format!("the element %{other}")),
            },
        }
    }
    Ok((formats, zone))
}

impl Translator<'_> {
    /// What a clock shows, written by a format. `utc` is the same instant in UTC, if the clock is of another zone.
    pub(super) fn format_clock(&mut self, format: &Expr, clock: &str, utc: Option<&str>) -> String {
        match string_literal(format) {
            Some(text) if ["%^", "%~"].iter().any(|own| text.contains(own)) => {
                self.refuse(format.span(), "this date format")
            }
            Some(text) => self.format_clock_by(text, format.span(), clock, utc),
            None => self.refuse(format.span(), "a date format that is no literal"),
        }
    }

    /// As [`Self::format_clock`], by the text of a format.
    pub(super) fn format_clock_by(
        &mut self,
        format: &str,
        span: Span,
        clock: &str,
        utc: Option<&str>,
    ) -> String {
        let pieces = match output_pieces(format) {
            Ok(pieces) => pieces,
            Err(what) => return self.refuse(span, format!("{what} of a date format")),
        };
        match pieces.as_slice() {
            [] => return format!("(CASE WHEN {clock} IS NOT NULL THEN '' END)"),
            [Piece::Native(native)] => return format!("strftime({clock}, {})", quote(native)),
            // The common case of a year that comes first: its zeros are the first ones.
            [Piece::Computed(YEAR)] => return format!("CAST(year({clock}) AS VARCHAR)"),
            [Piece::Computed(YEAR), Piece::Native(rest)] => {
                return format!("ltrim(strftime({clock}, {}), '0')", quote(&format!("%Y{rest}")));
            }
            _ => {}
        }
        let write = |clock: &str, utc: &str| {
            let pieces: Vec<String> = pieces
                .iter()
                .map(|piece| match piece {
                    Piece::Native(native) => format!("strftime({clock}, {})", quote(native)),
                    Piece::Computed(template) => template.replace("{clock}", clock).replace("{utc}", utc),
                })
                .collect();
            format!("({})", pieces.join(" || "))
        };
        // The clock is read several times, and bound once.
        let fields = match utc {
            Some(utc) => format!("struct_pack(a0 := {clock}, a1 := {utc})"),
            None => format!("struct_pack(a0 := {clock})"),
        };
        let clock = format!("struct_extract({BOUND}, 'a0')");
        let instant = if utc.is_some() { format!("struct_extract({BOUND}, 'a1')") } else { clock.clone() };
        format!("list_transform([{fields}], lambda {BOUND}: {})[1]", write(&clock, &instant))
    }

    /// Text read by a format, for the macro `name`.
    pub(super) fn parse_clock(&mut self, name: &str, format: &Expr, value: &Expr) -> String {
        match string_literal(format) {
            Some(text) => self.parse_clock_by(name, text, format.span(), value),
            None => self.refuse(format.span(), "a date format that is no literal"),
        }
    }

    /// As [`Self::parse_clock`], by the text of a format.
    pub(super) fn parse_clock_by(&mut self, name: &str, text: &str, span: Span, value: &Expr) -> String {
        if name == "parse_timestamp" && text == "%s" {
            let seconds = self.over("as_int64", &[value]);
            return format!("{RUNTIME_SCHEMA}.timestamp_seconds({seconds})");
        }
        if name == "parse_datetime" && text == "%s" {
            let seconds = self.over("as_int64", &[value]);
            return format!("make_timestamp(epoch_us({RUNTIME_SCHEMA}.timestamp_seconds({seconds})))");
        }
        match input_formats(text) {
            Ok((_, true)) if name != "parse_timestamp" => {
                self.refuse(span, "a time zone in the format of anything but a timestamp")
            }
            Ok((formats, zone)) => {
                let list: Vec<String> = formats.iter().map(|format| quote(format)).collect();
                let list = match list.as_slice() {
                    [only] => only.clone(),
                    several => format!("[{}]", several.join(", ")),
                };
                let value = self.argument(value);
                let name = if zone { "parse_zoned_timestamp" } else { name };
                self.call(name, &[Argument::constant(list), value])
            }
            Err(what) => self.refuse(span, format!("{what} of a date format")),
        }
    }
}
