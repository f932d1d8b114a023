//! Identifiers and literals in GoogleSQL text: the only way by which names and values reach it.

use std::fmt;

use super::Type;
use crate::manifest::types::Scalar;

/// A quoted identifier: `` `order_id` ``.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ident<'a>(pub &'a str);

impl fmt::Display for Ident<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("`")?;
        escape(self.0, '`', f)?;
        f.write_str("`")
    }
}

/// A quoted text: `'it\'s'`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Text<'a>(pub &'a str);

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("'")?;
        escape(self.0, '\'', f)?;
        f.write_str("'")
    }
}

fn escape(text: &str, quote: char, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    use fmt::Write;

    for character in text.chars() {
        match character {
            '\\' => f.write_str("\\\\")?,
            '\n' => f.write_str("\\n")?,
            '\r' => f.write_str("\\r")?,
            '\t' => f.write_str("\\t")?,
            c if c == quote => write!(f, "\\{c}")?,
            c if c.is_control() => write!(f, "\\u{:04x}", u32::from(c))?,
            c => f.write_char(c)?,
        }
    }
    Ok(())
}

/// A value of the manifest as a literal of a column's type.
///
/// # Errors
/// That the value is none of the type, in words.
pub fn literal(value: &Scalar, data_type: &Type) -> Result<String, String> {
    let text = value.to_string();
    let wrong = || format!("`{text}` is no {data_type}");
    match (data_type, value) {
        (Type::String | Type::Unknown, Scalar::Text(_)) | (Type::String, _) => Ok(Text(&text).to_string()),
        (Type::Unknown, _) => Ok(text),
        (Type::Int64, _) => text.parse::<i64>().map(|number| number.to_string()).map_err(|_| wrong()),
        (Type::Float64, _) => text
            .parse::<f64>()
            .ok()
            .filter(|number| number.is_finite())
            .map(|_| format!("CAST({} AS FLOAT64)", Text(&text)))
            .ok_or_else(wrong),
        (Type::Numeric | Type::BigNumeric, _) => {
            let digits = text.strip_prefix('-').unwrap_or(&text);
            let plain = digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
                && digits.bytes().filter(|byte| *byte == b'.').count() <= 1
                && digits.bytes().any(|byte| byte.is_ascii_digit());
            if plain { Ok(format!("{data_type} {}", Text(&text))) } else { Err(wrong()) }
        }
        (Type::Bool, Scalar::Bool(value)) => Ok(if *value { "TRUE" } else { "FALSE" }.to_owned()),
        (Type::Date, Scalar::Text(_)) => parsed(data_type, &text, &["%Y-%m-%d"]).ok_or_else(wrong),
        (Type::Datetime | Type::Timestamp, Scalar::Text(_)) => {
            parsed(data_type, &text, &["%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d"])
                .ok_or_else(wrong)
        }
        (Type::Time, Scalar::Text(_)) => chrono::NaiveTime::parse_from_str(&text, "%H:%M:%S%.f")
            .map(|_| format!("TIME {}", Text(&text)))
            .map_err(|_| wrong()),
        _ => Err(wrong()),
    }
}

fn parsed(data_type: &Type, text: &str, forms: &[&str]) -> Option<String> {
    let fits = forms.iter().any(|form| {
        chrono::NaiveDateTime::parse_from_str(text, form).is_ok()
            || chrono::NaiveDate::parse_from_str(text, form).is_ok()
    });
    fits.then(|| format!("{data_type} {}", Text(text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_texts_cannot_end_early() {
        assert_eq!(Ident("a`b\\").to_string(), "`a\\`b\\\\`");
        assert_eq!(Text("it's \\ \n").to_string(), "'it\\'s \\\\ \\n'");
    }

    proptest::proptest! {
        /// Whatever the text, the parser reads back one literal with that very text.
        #[test]
        fn texts_read_back(text in "\\PC{0,40}") {
            let parsed = crate::googlesql::parse::query(&format!("SELECT {} AS x", Text(&text)));
            let printed = parsed.map(|query| query.to_string());
            proptest::prop_assert!(printed.is_ok(), "{printed:?}");
        }
    }

    #[test]
    fn literals_have_the_columns_type_or_are_refused() {
        let text = |text: &str| Scalar::Text(text.to_owned());
        for (value, data_type, expected) in [
            (text("x"), Type::String, Some("'x'")),
            (Scalar::Integer(5), Type::String, Some("'5'")),
            (Scalar::Integer(5), Type::Int64, Some("5")),
            (Scalar::Float(0.5), Type::Int64, None),
            (Scalar::Float(0.5), Type::Numeric, Some("NUMERIC '0.5'")),
            (text("-12.50"), Type::Numeric, Some("NUMERIC '-12.50'")),
            (text("1; DROP"), Type::Numeric, None),
            (text("2016-01-01"), Type::Date, Some("DATE '2016-01-01'")),
            (text("2016-13-01"), Type::Date, None),
            (text("2016-01-01"), Type::Timestamp, Some("TIMESTAMP '2016-01-01'")),
            (text("2016-01-01 10:00:00"), Type::Datetime, Some("DATETIME '2016-01-01 10:00:00'")),
            (Scalar::Bool(true), Type::Bool, Some("TRUE")),
            (text("yes"), Type::Bool, None),
            (text("{}"), Type::Json, None),
        ] {
            assert_eq!(literal(&value, &data_type).ok().as_deref(), expected, "{value} as {data_type}");
        }
    }
}
