//! What is mended between tokenizer and parser: each rule is a function over the tokens that keeps their places.

use sqlparser::tokenizer::{Span, Token, TokenWithSpan, Word};

/// Applies the rules whose words or signs occur: most texts need none, and each rule copies all tokens.
pub(super) fn mended(mut tokens: Vec<TokenWithSpan>) -> Vec<TokenWithSpan> {
    let any = |tokens: &[TokenWithSpan], words: &[&str]| {
        tokens.iter().filter_map(word).any(|found| words.iter().any(|word| found.eq_ignore_ascii_case(word)))
    };
    if any(&tokens, &["rb", "br"]) {
        tokens = raw_bytes(tokens);
    }
    if any(&tokens, &["RANGE"]) || tokens.iter().any(|token| token.token == Token::ShiftRight) {
        tokens = angle_brackets(tokens);
    }
    if any(&tokens, &["OFFSET"]) {
        tokens = offset_of_path(tokens);
    }
    if any(&tokens, &["UNPIVOT"]) {
        tokens = numeric_labels(tokens);
    }
    if any(&tokens, &["RENAME"]) {
        foreign_rename(&mut tokens);
    }
    tokens
}

/// `* RENAME (…)` is other dialects'; the word is no keyword for the parser behind an asterisk.
fn foreign_rename(tokens: &mut [TokenWithSpan]) {
    let mut after_star = false;
    for token in tokens.iter_mut().filter(|token| !is_blank(token)) {
        if after_star && is_word(Some(token), "RENAME") {
            token.token = Token::make_word("RENAME", Some('`'));
        }
        after_star = token.token == Token::Mul;
    }
}

fn word(token: &TokenWithSpan) -> Option<&str> {
    match &token.token {
        Token::Word(word) if word.quote_style.is_none() => Some(&word.value),
        _ => None,
    }
}

fn is_word(token: Option<&TokenWithSpan>, text: &str) -> bool {
    token.and_then(word).is_some_and(|word| word.eq_ignore_ascii_case(text))
}

fn is_blank(token: &TokenWithSpan) -> bool {
    matches!(token.token, Token::Whitespace(_))
}

fn new_word(text: &str, span: Span) -> TokenWithSpan {
    TokenWithSpan { token: Token::make_word(text, None), span }
}

/// `rb'…'` and `br'…'`, of which the tokenizer makes a name and a string: a bytes literal without escapes.
fn raw_bytes(tokens: Vec<TokenWithSpan>) -> Vec<TokenWithSpan> {
    let mut result: Vec<TokenWithSpan> = Vec::with_capacity(tokens.len());
    for token in tokens {
        let is_prefix = result.last().is_some_and(|last| {
            last.span.end == token.span.start
                && word(last)
                    .is_some_and(|word| ["rb", "br"].iter().any(|prefix| word.eq_ignore_ascii_case(prefix)))
        });
        let literal = match &token.token {
            _ if !is_prefix => None,
            Token::SingleQuotedString(text) => Some(Token::SingleQuotedByteStringLiteral(escaped(text))),
            Token::DoubleQuotedString(text) => Some(Token::DoubleQuotedByteStringLiteral(escaped(text))),
            Token::TripleSingleQuotedString(text) => {
                Some(Token::TripleSingleQuotedByteStringLiteral(escaped(text)))
            }
            Token::TripleDoubleQuotedString(text) => {
                Some(Token::TripleDoubleQuotedByteStringLiteral(escaped(text)))
            }
            _ => None,
        };
        match (literal, result.last_mut()) {
            (Some(literal), Some(prefix)) => {
                *prefix = TokenWithSpan { token: literal, span: prefix.span.union(&token.span) };
            }
            _ => result.push(token),
        }
    }
    result
}

fn escaped(raw: &str) -> String {
    raw.replace('\\', "\\\\")
}

/// Closing brackets of nested types are one each, where the tokenizer reads `>>` as a shift; and `RANGE<T>`, which the
/// parser does not know, becomes `RANGE(T)`, a type with a parameter.
fn angle_brackets(tokens: Vec<TokenWithSpan>) -> Vec<TokenWithSpan> {
    let mut result: Vec<TokenWithSpan> = Vec::with_capacity(tokens.len());
    // For each open bracket, whether it is that of a range.
    let mut open: Vec<bool> = Vec::new();
    for token in tokens {
        let last_word = result.iter().rev().find(|token| !is_blank(token));
        match &token.token {
            Token::Lt if is_word(last_word, "RANGE") => {
                open.push(true);
                result.push(TokenWithSpan { token: Token::LParen, span: token.span });
            }
            Token::Lt if is_word(last_word, "ARRAY") || is_word(last_word, "STRUCT") => {
                open.push(false);
                result.push(token);
            }
            Token::Gt => match open.pop() {
                Some(true) => result.push(TokenWithSpan { token: Token::RParen, span: token.span }),
                _ => result.push(token),
            },
            Token::ShiftRight if !open.is_empty() => {
                let mut middle = token.span.start;
                middle.column += 1;
                let halves = [Span::new(token.span.start, middle), Span::new(middle, token.span.end)];
                for span in halves {
                    let token = if open.pop() == Some(true) { Token::RParen } else { Token::Gt };
                    result.push(TokenWithSpan { token, span });
                }
            }
            // What no type holds: a bracket that was left open was a comparison.
            Token::SemiColon => {
                open.clear();
                result.push(token);
            }
            _ => result.push(token),
        }
    }
    result
}

/// `, t.items AS x WITH OFFSET`: the parser reads WITH OFFSET only after UNNEST, which a path in FROM implies.
fn offset_of_path(tokens: Vec<TokenWithSpan>) -> Vec<TokenWithSpan> {
    let words: Vec<usize> = (0..tokens.len()).filter(|index| !is_blank(&tokens[*index])).collect();
    let token = |at: usize| words.get(at).map(|index| &tokens[*index]);
    // Where `UNNEST(` goes, where `)` goes, and the name that the path implies.
    let mut edits: Vec<(usize, usize, Option<TokenWithSpan>)> = Vec::new();
    for at in 1..words.len() {
        if !(is_word(token(at), "WITH") && is_word(token(at + 1), "OFFSET")) {
            continue;
        }
        let is_name = |at: usize| {
            token(at).is_some_and(|token| {
                matches!(&token.token, Token::Word(word)
                if word.quote_style.is_some() || !super::dialect::is_reserved(&word.value))
            })
        };
        let is_period = |at: usize| token(at).is_some_and(|token| token.token == Token::Period);
        // Backwards: an alias, if it is not a part of the path, then the path.
        let mut last = at - 1;
        let mut alias = false;
        if is_name(last) && last >= 2 && !is_period(last - 1) {
            alias = true;
            last -= if is_word(token(last - 1), "AS") { 2 } else { 1 };
        }
        if !is_name(last) {
            continue;
        }
        let mut first = last;
        while first >= 2 && is_period(first - 1) && is_name(first - 2) {
            first -= 2;
        }
        let starts_item = first >= 1
            && (token(first - 1).is_some_and(|token| token.token == Token::Comma)
                || is_word(token(first - 1), "JOIN")
                || is_word(token(first - 1), "FROM"));
        if starts_item && first < last {
            let implied = if alias { None } else { token(last).cloned() };
            edits.push((words[first], words[last], implied));
        }
    }
    if edits.is_empty() {
        return tokens;
    }
    let mut result = Vec::with_capacity(tokens.len() + edits.len() * 4);
    for (index, token) in tokens.into_iter().enumerate() {
        let span = token.span;
        if edits.iter().any(|(first, ..)| *first == index) {
            result.push(new_word("UNNEST", span));
            result.push(TokenWithSpan { token: Token::LParen, span });
        }
        result.push(token);
        if let Some((_, _, implied)) = edits.iter().find(|(_, last, _)| *last == index) {
            result.push(TokenWithSpan { token: Token::RParen, span });
            result.extend(implied.clone());
        }
    }
    result
}

/// `IN (q1 AS 1)` of UNPIVOT: the parser takes only a name for a label. No user can write a name of digits alone.
fn numeric_labels(mut tokens: Vec<TokenWithSpan>) -> Vec<TokenWithSpan> {
    let mut depth = 0_usize;
    // How deep the parentheses were at each UNPIVOT that is open.
    let mut unpivots: Vec<usize> = Vec::new();
    let mut awaits = false;
    let mut after_as = false;
    for token in tokens.iter_mut().filter(|token| !matches!(token.token, Token::Whitespace(_))) {
        match &token.token {
            Token::LParen => {
                if std::mem::take(&mut awaits) {
                    unpivots.push(depth);
                }
                depth += 1;
            }
            Token::RParen => {
                depth = depth.saturating_sub(1);
                if unpivots.last() == Some(&depth) {
                    unpivots.pop();
                }
            }
            Token::Number(digits, false) if after_as && !unpivots.is_empty() => {
                let word = Word {
                    value: digits.clone(),
                    quote_style: None,
                    keyword: sqlparser::keywords::Keyword::NoKeyword,
                };
                token.token = Token::Word(word);
            }
            _ => awaits |= is_word(Some(token), "UNPIVOT"),
        }
        after_as = is_word(Some(token), "AS");
    }
    tokens
}
