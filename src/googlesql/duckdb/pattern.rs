//! Groups of regular expressions in RE2's syntax.

/// What a pattern captures.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Captures {
    /// Capturing groups.
    pub count: usize,
    /// Whether a match may leave one of them out: it is optional, repeated from zero, or one of several alternatives.
    pub may_be_absent: bool,
}

/// A parenthesis that is open, or the whole pattern.
#[derive(Default)]
struct Level {
    /// Whether a capturing group lies inside (or is this very one).
    captures: bool,
    /// Whether this one captures.
    is_capture: bool,
    /// Whether alternatives stand directly inside.
    alternatives: bool,
}

/// Reads the groups of an RE2 pattern.
pub fn capturing_groups(pattern: &str) -> Captures {
    let mut result = Captures::default();
    let mut levels = vec![Level::default()];
    let mut in_class = false;
    let mut characters = pattern.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            // `\Q…\E` quotes all between.
            '\\' => {
                let escaped = characters.next();
                if escaped == Some('Q') {
                    let mut previous = ' ';
                    for quoted in characters.by_ref() {
                        if previous == '\\' && quoted == 'E' {
                            break;
                        }
                        previous = quoted;
                    }
                }
            }
            '[' if !in_class => {
                in_class = true;
                // A bracket right after `[` or `[^` means itself.
                if characters.peek() == Some(&'^') {
                    characters.next();
                }
                if characters.peek() == Some(&']') {
                    characters.next();
                }
            }
            ']' => in_class = false,
            '(' if !in_class => {
                let captures = if characters.peek() == Some(&'?') {
                    characters.next();
                    match characters.peek() {
                        Some('P') => {
                            characters.next();
                            characters.peek() == Some(&'<')
                        }
                        other => other == Some(&'<'),
                    }
                } else {
                    true
                };
                result.count += usize::from(captures);
                levels.push(Level { captures, is_capture: captures, alternatives: false });
            }
            '|' if !in_class => {
                if let Some(level) = levels.last_mut() {
                    level.alternatives = true;
                }
            }
            ')' if !in_class && levels.len() > 1 => {
                let Some(closed) = levels.pop() else { continue };
                let optional = matches!(characters.peek(), Some('?' | '*' | '{'));
                if closed.captures && (optional || closed.alternatives && !closed.is_capture) {
                    result.may_be_absent = true;
                }
                if let Some(level) = levels.last_mut() {
                    level.captures |= closed.captures;
                }
            }
            _ => {}
        }
    }
    if levels.iter().any(|level| level.captures && level.alternatives && !level.is_capture) {
        result.may_be_absent = true;
    }
    result
}

/// Whether a pattern may match the empty text. In doubt it may.
pub fn matches_nothing(pattern: &str) -> bool {
    let characters: Vec<char> = pattern.chars().collect();
    let mut at = 0;
    let empty = alternatives_match_nothing(&characters, &mut at);
    empty || at < characters.len()
}

/// Reads alternatives up to the closing parenthesis or the end.
fn alternatives_match_nothing(pattern: &[char], at: &mut usize) -> bool {
    let (mut any, mut branch) = (false, true);
    while let Some(character) = pattern.get(*at) {
        *at += 1;
        let atom = match character {
            ')' => {
                *at -= 1;
                break;
            }
            '|' => {
                any |= branch;
                branch = true;
                continue;
            }
            '^' | '$' => true,
            '(' => {
                // `(?:`, `(?P<name>`, `(?i:` and `(?i)`: what stands before the group's own pattern.
                if pattern.get(*at) == Some(&'?') {
                    while pattern.get(*at).is_some_and(|next| !matches!(next, ':' | '>' | ')')) {
                        *at += 1;
                    }
                    *at += usize::from(pattern.get(*at) != Some(&')'));
                }
                let inner = alternatives_match_nothing(pattern, at);
                *at += 1;
                inner
            }
            '[' => {
                *at += usize::from(pattern.get(*at) == Some(&'^'));
                *at += usize::from(pattern.get(*at) == Some(&']'));
                while pattern.get(*at).is_some_and(|next| *next != ']') {
                    *at += if pattern.get(*at) == Some(&'\\') { 2 } else { 1 };
                }
                *at += 1;
                false
            }
            '\\' => {
                *at += 1;
                // Places between characters; quoted text is not worth reading.
                pattern.get(*at - 1).is_none_or(|escaped| matches!(escaped, 'b' | 'B' | 'A' | 'z' | 'Q'))
            }
            _ => false,
        };
        let optional = match pattern.get(*at) {
            Some('*' | '?') => true,
            Some('{') => pattern.get(*at + 1).is_none_or(|least| matches!(least, '0' | ',')),
            _ => false,
        };
        if pattern.get(*at) == Some(&'{') {
            while pattern.get(*at).is_some_and(|next| *next != '}') {
                *at += 1;
            }
        }
        while matches!(pattern.get(*at), Some('*' | '?' | '+' | '}')) {
            *at += 1;
        }
        branch &= atom || optional;
    }
    any || branch
}

#[cfg(test)]
mod tests {
    use super::{capturing_groups, matches_nothing};

    #[test]
    fn groups_are_counted_as_re2_does() {
        for (pattern, groups) in [
            (r"a(b)c", 1),
            (r"a(?:b)c", 0),
            (r"(?P<x>a)(?i)b", 1),
            (r"(?<x>a)", 1),
            (r"\(a\)", 0),
            (r"[(](a)", 1),
            (r"[])(](a)(b)", 2),
            (r"\Q(a)\E(b)", 1),
            (r"\\(a)", 1),
        ] {
            assert_eq!(capturing_groups(pattern).count, groups, "{pattern}");
        }
    }

    #[test]
    fn patterns_that_match_nothing_are_told() {
        for pattern in ["", "a*", "$", r"\b", "(a|)", "x?", "(?i)", "a{0,2}", "(a*|b)*"] {
            assert!(matches_nothing(pattern), "{pattern}");
        }
        for pattern in [
            "a",
            "a+",
            r"\bfoo\b",
            "[a-z]+",
            "(a|b)",
            r"\d{2}",
            "(?i)a",
            "(?P<n>x)y*",
            r"[]\]]",
            "a*b",
            r"(\w+)@",
        ] {
            assert!(!matches_nothing(pattern), "{pattern}");
        }
    }

    #[test]
    fn a_group_that_a_match_may_leave_out_is_told() {
        for pattern in [r"a(x)?b", r"a(x)*", r"(x){0,1}", r"a|(b)", r"(?:a(b))?", r"(?:a|(b))c"] {
            assert!(capturing_groups(pattern).may_be_absent, "{pattern}");
        }
        for pattern in [r"a(x)b", r"(a|b)c", r"(x?)", r"(?:a|b)(c)", r"[(|)?](x)", r"(x)+"] {
            assert!(!capturing_groups(pattern).may_be_absent, "{pattern}");
        }
    }
}
