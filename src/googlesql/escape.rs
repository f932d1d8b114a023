//! Escapes in string and bytes literals, which `sqlparser` reads by another dialect's rules.
//!
//! Source: <https://cloud.google.com/bigquery/docs/reference/standard-sql/lexical#escape_sequences>

/// The text of a string literal whose escapes are still in it.
///
/// # Errors
/// Ends a sentence that starts with "this string literal".
pub fn text(raw: &str) -> Result<String, String> {
    if !raw.contains('\\') {
        return Ok(raw.to_owned());
    }
    let mut result = String::with_capacity(raw.len());
    let mut rest = raw.chars();
    while let Some(character) = rest.next() {
        if character == '\\' {
            let code = escape(&mut rest)?;
            let decoded = char::from_u32(code.value)
                .ok_or_else(|| format!("has an escape for {:#x}, which is no character", code.value))?;
            result.push(decoded);
        } else {
            result.push(character);
        }
    }
    Ok(result)
}

/// The bytes of a bytes literal whose escapes are still in it.
///
/// # Errors
/// Ends a sentence that starts with "this bytes literal".
pub fn bytes(raw: &str) -> Result<Vec<u8>, String> {
    let mut result = Vec::with_capacity(raw.len());
    let mut rest = raw.chars();
    while let Some(character) = rest.next() {
        if character == '\\' {
            let code = escape(&mut rest)?;
            if code.unicode {
                return Err("has a Unicode escape, which only strings have".to_owned());
            }
            result.push(u8::try_from(code.value).map_err(|_| "has an escape beyond one byte".to_owned())?);
        } else {
            result.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
        }
    }
    Ok(result)
}

struct Escape {
    value: u32,
    unicode: bool,
}

fn escape(rest: &mut std::str::Chars<'_>) -> Result<Escape, String> {
    let plain = |value: char| Ok(Escape { value: u32::from(value), unicode: false });
    let Some(kind) = rest.next() else {
        return Err("ends in a backslash".to_owned());
    };
    match kind {
        'a' => plain('\u{7}'),
        'b' => plain('\u{8}'),
        'f' => plain('\u{c}'),
        'n' => plain('\n'),
        'r' => plain('\r'),
        't' => plain('\t'),
        'v' => plain('\u{b}'),
        '\\' | '?' | '"' | '\'' | '`' => plain(kind),
        '0'..='3' => digits(rest, 2, 8, kind.to_digit(8)).map(|value| Escape { value, unicode: false }),
        'x' | 'X' => digits(rest, 2, 16, None).map(|value| Escape { value, unicode: false }),
        'u' => digits(rest, 4, 16, None).map(|value| Escape { value, unicode: true }),
        'U' => digits(rest, 8, 16, None).map(|value| Escape { value, unicode: true }),
        other => Err(format!("has the escape \\{other}, which GoogleSQL does not have")),
    }
}

fn digits(
    rest: &mut std::str::Chars<'_>,
    count: usize,
    radix: u32,
    first: Option<u32>,
) -> Result<u32, String> {
    let mut value = first.unwrap_or(0);
    for _ in 0..count {
        let digit = rest
            .next()
            .and_then(|character| character.to_digit(radix))
            .ok_or_else(|| "has an escape with too few digits".to_owned())?;
        value = value.saturating_mul(radix).saturating_add(digit);
    }
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_bigquerys() {
        assert_eq!(
            text(r#"a\n\t\\\'\"\`\?\x41\101\u00e9\U0001F600\a"#).as_deref(),
            Ok("a\n\t\\'\"`?AA\u{e9}\u{1F600}\u{7}")
        );
        assert_eq!(bytes(r"\xff\001a").as_deref(), Ok(&[255, 1, b'a'][..]));
    }

    #[test]
    fn unknown_escapes_are_faults() {
        for raw in [r"\d", r"\", r"\x4", r"\u12", r"\8", r"\ud800"] {
            assert!(text(raw).is_err(), "{raw}");
        }
        assert!(bytes(r"\u0041").is_err());
    }
}
