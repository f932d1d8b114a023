//! Groups of regular expressions in RE2's syntax.

/// What a pattern captures.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Captures {
    /// Capturing groups.
    pub(super) count: usize,
    /// Whether a match may leave one of them out: it is optional, repeated from zero, or one of several alternatives.
    pub(super) may_be_absent: bool,
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
pub(super) fn capturing_groups(pattern: &str) -> Captures {
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

#[cfg(test)]
mod tests {
    use super::capturing_groups;

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
    fn a_group_that_a_match_may_leave_out_is_told() {
        for pattern in [r"a(x)?b", r"a(x)*", r"(x){0,1}", r"a|(b)", r"(?:a(b))?", r"(?:a|(b))c"] {
            assert!(capturing_groups(pattern).may_be_absent, "{pattern}");
        }
        for pattern in [r"a(x)b", r"(a|b)c", r"(x?)", r"(?:a|b)(c)", r"[(|)?](x)", r"(x)+"] {
            assert!(!capturing_groups(pattern).may_be_absent, "{pattern}");
        }
    }
}
