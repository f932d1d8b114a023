//! Text inside of HTML and XML.

/// Text between tags or in quotes. Control characters have no meaning there, and in XML no place.
///
/// Line ends and tabs are written as references: in an attribute they would be read as spaces.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\n' => out.push_str("&#10;"),
            '\t' => out.push_str("&#9;"),
            character if character.is_control() || matches!(character, '\u{fffe}' | '\u{ffff}') => {
                out.push('\u{fffd}');
            }
            character => out.push(character),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn what_is_no_markup_does_not_become_it() {
        assert_eq!(escaped("a<b & \"c\"\u{1}\n>\t'"), "a&lt;b &amp; &quot;c&quot;\u{fffd}&#10;&gt;&#9;&#39;");
    }
}
