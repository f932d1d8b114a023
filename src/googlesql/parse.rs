//! GoogleSQL text to syntax tree.

use sqlparser::ast::{Query, Statement};
use sqlparser::dialect::BigQueryDialect;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::{Span, Token, TokenWithSpan, Tokenizer};

use super::escape;
use super::fault::{SqlFault, span_at};
use crate::diag::Code;

/// How deep expressions and subqueries may nest.
const MAX_DEPTH: usize = 100;

/// Reads a script: statements divided by semicolons.
///
/// # Errors
/// A syntax fault at its place.
pub fn script(sql: &str) -> Result<Vec<Statement>, SqlFault> {
    let tokens = tokens(sql)?;
    Parser::new(&BigQueryDialect)
        .with_recursion_limit(MAX_DEPTH)
        .with_tokens_with_locations(tokens)
        .parse_statements()
        .map_err(|error| syntax_fault(&error))
}

/// The tokens, with the escapes of string literals read by GoogleSQL's rules. Bytes literals keep theirs, since
/// not all bytes are text.
fn tokens(sql: &str) -> Result<Vec<TokenWithSpan>, SqlFault> {
    let mut tokens = Tokenizer::new(&BigQueryDialect, sql)
        .with_unescape(false)
        .tokenize_with_location()
        .map_err(|error| syntax_fault(&error.into()))?;
    for token in &mut tokens {
        // The tokenizer reads a doubled quote as one string, as other dialects do.
        let doubled = match &token.token {
            Token::SingleQuotedString(text) => text.contains("''").then_some('\''),
            Token::DoubleQuotedString(text) => text.contains("\"\"").then_some('"'),
            _ => None,
        };
        if let Some(quote) = doubled {
            let message = "syntax error: two string literals stand side by side";
            return Err(SqlFault::new(Code::SqlSyntax, token.span, message)
                .help(format!("a quote inside of a string is written \\{quote}")));
        }
        if let Token::SingleQuotedString(text)
        | Token::DoubleQuotedString(text)
        | Token::TripleSingleQuotedString(text)
        | Token::TripleDoubleQuotedString(text) = &mut token.token
        {
            *text = escape::text(text).map_err(|reason| {
                SqlFault::new(
                    Code::SqlSyntax,
                    token.span,
                    format!("syntax error: this string literal {reason}"),
                )
            })?;
        }
    }
    Ok(tokens)
}

/// Reads exactly one query (`SELECT …`, `WITH …`), as a model must be.
///
/// # Errors
/// A syntax fault, or that the text is empty, several statements, or not a query.
pub fn query(sql: &str) -> Result<Query, SqlFault> {
    use sqlparser::ast::Spanned;

    let mut statements = script(sql)?;
    match (statements.len(), statements.pop()) {
        (1, Some(Statement::Query(query))) => Ok(*query),
        (0, _) => Err(SqlFault::new(Code::SqlNotAQuery, span_at(1, 1), "there is no SQL here")
            .help("a model is one SELECT statement")),
        (1, Some(other)) => {
            Err(SqlFault::new(Code::SqlNotAQuery, other.span(), "this statement is not a query")
                .help("a model is one SELECT statement; Pipewright writes CREATE, INSERT and MERGE itself"))
        }
        (count, _) => {
            let place = statements.get(1).map_or_else(Span::empty, Spanned::span);
            Err(SqlFault::new(Code::SqlNotAQuery, place, format!("there are {count} statements here"))
                .help("a model is one SELECT statement"))
        }
    }
}

/// Turns the parser's message, which ends in ` at Line: 3, Column: 14`, into a fault at that place.
pub(crate) fn syntax_fault(error: &ParserError) -> SqlFault {
    let text = match error {
        ParserError::TokenizerError(text) | ParserError::ParserError(text) => text.clone(),
        ParserError::RecursionLimitExceeded => {
            return SqlFault::new(
                Code::SqlSyntax,
                Span::empty(),
                format!("the SQL nests deeper than {MAX_DEPTH} levels"),
            )
            .help("split the query with WITH");
        }
    };
    let (message, span) = match text.rsplit_once(" at Line: ") {
        Some((message, place)) => {
            let mut numbers =
                place.split(", Column: ").filter_map(|number| number.trim().parse::<u64>().ok());
            match (numbers.next(), numbers.next()) {
                (Some(line), Some(column)) => (message, span_at(line, column)),
                _ => (text.as_str(), Span::empty()),
            }
        }
        None => (text.as_str(), Span::empty()),
    };
    SqlFault::new(Code::SqlSyntax, span, format!("syntax error: {message}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_syntax_error_has_its_place() {
        let fault = query("SELECT a\n  FROM t WHERE )").expect_err("not SQL");
        assert_eq!(fault.code, Code::SqlSyntax);
        assert_eq!(fault.span.start.line, 2);
    }

    #[test]
    fn strings_are_read_as_googlesql_reads_them() {
        use sqlparser::ast::Value;
        for (sql, text) in [
            (r"'\x41\u00e9'", "A\u{e9}"),
            (r"'it\'s'", "it's"),
            (r#""a\"b""#, "a\"b"),
            (r"r'\d'", r"\d"),
            ("'''it's'''", "it's"),
        ] {
            let parsed = query(&format!("SELECT {sql}")).expect(sql);
            let mut found = Vec::new();
            let _ = sqlparser::ast::visit_expressions(&parsed, |expr| {
                if let sqlparser::ast::Expr::Value(value) = expr {
                    found.push(match &value.value {
                        Value::SingleQuotedString(text)
                        | Value::DoubleQuotedString(text)
                        | Value::TripleSingleQuotedString(text)
                        | Value::SingleQuotedRawStringLiteral(text) => text.clone(),
                        other => other.to_string(),
                    });
                }
                std::ops::ControlFlow::<()>::Continue(())
            });
            assert_eq!(found, [text], "{sql}");
        }
        for sql in [r"'\d'", "'a''b'", r#""a""b""#, r"'\u12'"] {
            let fault = query(&format!("SELECT {sql}")).expect_err(sql);
            assert_eq!((fault.code, fault.span.start.column), (Code::SqlSyntax, 8), "{sql}");
        }
    }

    #[test]
    fn only_one_query_is_a_model() {
        for sql in ["", "SELECT 1; SELECT 2", "DROP TABLE t", "-- nothing"] {
            assert_eq!(query(sql).expect_err(sql).code, Code::SqlNotAQuery, "{sql}");
        }
        assert!(query("SELECT 1 AS one").is_ok());
    }
}
