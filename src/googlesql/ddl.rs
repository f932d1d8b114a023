//! Statements that the parser does not know, over the tokens: put into words that it knows where these mean the same,
//! or refused by their name.
//!
//! Source: <https://cloud.google.com/bigquery/docs/reference/standard-sql/data-definition-language>

use sqlparser::tokenizer::{Token, TokenWithSpan};

use super::fault::SqlFault;
use crate::diag::Code;

/// Statements of BigQuery's that stand for something outside of a database, or for who may see it.
const FOREIGN: &[&[&str]] = &[
    &["LOAD", "DATA"],
    &["EXPORT", "DATA"],
    &["EXPORT", "MODEL"],
    &["UNDROP"],
    &["GRANT"],
    &["REVOKE"],
    &["CREATE", "ROW", "ACCESS", "POLICY"],
    &["CREATE", "SEARCH", "INDEX"],
    &["CREATE", "VECTOR", "INDEX"],
    &["CREATE", "MODEL"],
    &["CREATE", "PROCEDURE"],
    &["CREATE", "TABLE", "FUNCTION"],
    &["CREATE", "AGGREGATE", "FUNCTION"],
    &["CREATE", "EXTERNAL", "TABLE"],
    &["CREATE", "RESERVATION"],
    &["CREATE", "ASSIGNMENT"],
    &["CREATE", "CAPACITY"],
    &["DROP", "ROW", "ACCESS", "POLICY"],
    &["DROP", "SEARCH", "INDEX"],
    &["DROP", "VECTOR", "INDEX"],
    &["DROP", "TABLE", "FUNCTION"],
];

fn is(token: Option<&TokenWithSpan>, text: &str) -> bool {
    token.is_some_and(|token| {
        matches!(&token.token, Token::Word(word) if word.quote_style.is_none() && word.value.eq_ignore_ascii_case(text))
    })
}

/// Whether some statement is no query.
pub(super) fn occurs(tokens: &[TokenWithSpan]) -> bool {
    tokens.iter().any(|token| {
        ["CREATE", "DROP", "ALTER", "LOAD", "EXPORT", "UNDROP", "GRANT", "REVOKE"]
            .iter()
            .any(|word| is(Some(token), word))
    })
}

/// The tokens with statements in words that the parser knows.
///
/// # Errors
/// A statement that only BigQuery itself can carry out.
pub(super) fn known(mut tokens: Vec<TokenWithSpan>) -> Result<Vec<TokenWithSpan>, SqlFault> {
    tokens.retain(|token| !matches!(token.token, Token::Whitespace(_)));
    let mut at = 0;
    while at < tokens.len() {
        let first = at == 0
            || tokens.get(at - 1).is_some_and(|token| token.token == Token::SemiColon)
            || ["BEGIN", "THEN", "ELSE", "DO", "LOOP", "REPEAT"]
                .iter()
                .any(|word| is(tokens.get(at - 1), word));
        if first {
            statement(&mut tokens, at)?;
        }
        at += 1;
    }
    Ok(tokens)
}

fn statement(tokens: &mut Vec<TokenWithSpan>, start: usize) -> Result<(), SqlFault> {
    // CREATE OR REPLACE is as CREATE.
    let head: Vec<usize> = if is(tokens.get(start + 1), "OR") && is(tokens.get(start + 2), "REPLACE") {
        std::iter::once(start).chain(start + 3..start + 6).collect()
    } else {
        (start..start + 4).collect()
    };
    for words in FOREIGN {
        if words.iter().zip(&head).all(|(word, at)| is(tokens.get(*at), word)) {
            let last = head.get(words.len() - 1).and_then(|at| tokens.get(*at));
            let span = last.map_or(tokens[start].span, |last| tokens[start].span.union(&last.span));
            let message = format!("{} has no translation for the embedded engine", words.join(" "));
            return Err(SqlFault::new(Code::SqlNotTranslated, span, message).help("run it on BigQuery"));
        }
    }
    let end = tokens.iter().skip(start).position(|token| token.token == Token::SemiColon);
    let end = end.map_or(tokens.len(), |length| start + length);
    if is(tokens.get(start), "CREATE") {
        // CREATE TABLE … COPY makes rows of its own, as CLONE does here.
        let position = (start..end).take(12).find(|at| is(tokens.get(*at), "COPY"));
        if let Some(at) = position
            && (start..at).any(|at| is(tokens.get(at), "TABLE"))
            && !(start..at).any(|at| is(tokens.get(at), "AS") || tokens[at].token == Token::LParen)
        {
            tokens[at].token = Token::make_word("CLONE", None);
        }
    }
    if is(tokens.get(start), "DROP") {
        let kind = start + 1;
        let storage = ["SNAPSHOT", "EXTERNAL"].iter().any(|word| is(tokens.get(kind), word))
            && is(tokens.get(kind + 1), "TABLE");
        let view = is(tokens.get(kind), "MATERIALIZED") && is(tokens.get(kind + 1), "VIEW");
        if storage || view {
            tokens.remove(kind);
        }
    }
    if is(tokens.get(start), "ALTER") {
        options(tokens, start, end);
    }
    Ok(())
}

/// `ALTER VIEW v SET OPTIONS (…)` and `ALTER COLUMN c SET OPTIONS (…)` change no row: `ALTER TABLE v SET (…)`.
fn options(tokens: &mut Vec<TokenWithSpan>, start: usize, end: usize) {
    let mut kind = start + 1;
    if is(tokens.get(kind), "MATERIALIZED") && is(tokens.get(kind + 1), "VIEW") {
        kind += 1;
    }
    if !is(tokens.get(kind), "TABLE") && !is(tokens.get(kind), "VIEW") {
        return;
    }
    let found = (kind..end).filter(|at| is(tokens.get(*at), "SET") && is(tokens.get(at + 1), "OPTIONS"));
    for at in found.collect::<Vec<_>>().into_iter().rev() {
        tokens.remove(at + 1);
        let column = at.saturating_sub(3);
        if is(tokens.get(column), "ALTER") && is(tokens.get(column + 1), "COLUMN") {
            tokens.drain(column..at);
        }
        if is(tokens.get(kind), "VIEW") {
            tokens[kind].token = Token::make_word("TABLE", None);
            if kind > start + 1 {
                tokens.remove(start + 1);
                kind -= 1;
            }
        }
    }
}
