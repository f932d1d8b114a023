//! GoogleSQL text to syntax tree.

use std::ops::ControlFlow;

use sqlparser::ast::{
    Expr, Ident, ObjectName, Query, SelectItem, SetExpr, Statement, TableFactor, Visit, Visitor,
};
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::{Span, Token, TokenWithSpan, Tokenizer};

use super::dialect::{GoogleSql, is_reserved};
use super::fault::{SqlFault, span_at};
use super::{by_name, ddl, escape, limits, null_treatment, pipe, tokens as mend};
use crate::diag::Code;

/// How deep expressions and subqueries may nest.
const MAX_DEPTH: usize = 100;

/// Reads a script: statements divided by semicolons.
///
/// # Errors
/// A syntax fault at its place.
pub fn script(sql: &str) -> Result<Vec<Statement>, SqlFault> {
    statements_of(sql, tokens(sql)?)
}

/// The statements of a part of a script.
pub(super) fn statements_of(sql: &str, tokens: Vec<TokenWithSpan>) -> Result<Vec<Statement>, SqlFault> {
    let mends = null_treatment::occurs(&tokens);
    let mut statements =
        parser(tokens).parse_statements().map_err(|error| unexpected_clause(sql, syntax_fault(&error)))?;
    if mends {
        null_treatment::mend(&mut statements);
    }
    no_reserved_names(&statements)?;
    Ok(statements)
}

/// Reads one expression, such as an expectation's condition.
///
/// # Errors
/// A syntax fault at its place.
pub fn expression(sql: &str) -> Result<Expr, SqlFault> {
    expression_of(tokens(sql)?)
}

/// The expression that some tokens are.
pub(super) fn expression_of(tokens: Vec<TokenWithSpan>) -> Result<Expr, SqlFault> {
    let mends = null_treatment::occurs(&tokens);
    let mut parser = parser(tokens);
    let mut expr = parser
        .parse_expr()
        .and_then(|expr| parser.expect_token(&Token::EOF).map(|_| expr))
        .map_err(|error| syntax_fault(&error))?;
    if mends {
        null_treatment::mend(&mut expr);
    }
    no_reserved_names(&expr)?;
    Ok(expr)
}

fn parser(tokens: Vec<TokenWithSpan>) -> Parser<'static> {
    Parser::new(&GoogleSql).with_recursion_limit(MAX_DEPTH).with_tokens_with_locations(tokens)
}

/// The parser takes nearly any word for a name; GoogleSQL reserves some.
fn no_reserved_names(node: &impl Visit) -> Result<(), SqlFault> {
    match node.visit(&mut ReservedNames) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(name) => Err(SqlFault::new(
            Code::SqlSyntax,
            name.span,
            format!("syntax error: {} is a reserved word", name.value.to_uppercase()),
        )
        .help("look for a word too much before it, or put it in back quotes if it is a name")),
    }
}

/// Stops at a name that is a reserved word.
struct ReservedNames;

impl ReservedNames {
    fn look_at(name: &Ident) -> ControlFlow<Ident> {
        // DEFAULT stands for a value in INSERT and UPDATE.
        let taken = name.quote_style.is_none()
            && is_reserved(&name.value)
            && !name.value.eq_ignore_ascii_case("DEFAULT");
        if taken { ControlFlow::Break(name.clone()) } else { ControlFlow::Continue(()) }
    }
}

impl ReservedNames {
    /// The names that a query gives: of its columns, and of the queries before it.
    fn given(body: &SetExpr) -> ControlFlow<Ident> {
        match body {
            SetExpr::Select(select) => select.projection.iter().try_for_each(|item| match item {
                SelectItem::ExprWithAlias { alias, .. } => Self::look_at(alias),
                _ => ControlFlow::Continue(()),
            }),
            SetExpr::SetOperation { left, right, .. } => {
                Self::given(left)?;
                Self::given(right)
            }
            _ => ControlFlow::Continue(()),
        }
    }
}

impl Visitor for ReservedNames {
    type Break = Ident;

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<Ident> {
        let named = query.with.iter().flat_map(|with| &with.cte_tables).map(|cte| &cte.alias.name);
        named.into_iter().try_for_each(Self::look_at)?;
        Self::given(&query.body)
    }

    fn pre_visit_table_factor(&mut self, table: &TableFactor) -> ControlFlow<Ident> {
        match table {
            TableFactor::Table { alias: Some(alias), .. }
            | TableFactor::Derived { alias: Some(alias), .. }
            | TableFactor::UNNEST { alias: Some(alias), .. }
            | TableFactor::NestedJoin { alias: Some(alias), .. } => Self::look_at(&alias.name),
            _ => ControlFlow::Continue(()),
        }
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<Ident> {
        match expr {
            Expr::Identifier(name) => Self::look_at(name),
            _ => ControlFlow::Continue(()),
        }
    }

    fn pre_visit_relation(&mut self, table: &ObjectName) -> ControlFlow<Ident> {
        match table.0.first().and_then(|part| part.as_ident()) {
            Some(name) => Self::look_at(name),
            None => ControlFlow::Continue(()),
        }
    }
}

/// The parser takes ORDER, GROUP and PARTITION for a name where GoogleSQL has them reserved, and stops at BY: the
/// fault is the clause, where it starts.
fn unexpected_clause(sql: &str, fault: SqlFault) -> SqlFault {
    let Ok(tokens) = tokens(sql) else { return fault };
    let words: Vec<&TokenWithSpan> =
        tokens.iter().filter(|token| !matches!(token.token, Token::Whitespace(_))).collect();
    let Some(at) = words.iter().position(|word| word.span.start == fault.span.start) else { return fault };
    let [Some(first), Some(by)] = [at.checked_sub(1).and_then(|at| words.get(at)), words.get(at)] else {
        return fault;
    };
    let [opening, by_word] = [&first.token, &by.token].map(|token| token.to_string().to_uppercase());
    if by_word != "BY" || !["ORDER", "GROUP", "PARTITION"].contains(&opening.as_str()) {
        return fault;
    }
    let message = format!("syntax error: {opening} BY cannot stand here");
    SqlFault::new(Code::SqlSyntax, first.span.union(&by.span), message).help(
        "something is missing before it, or a word too much: an operator without its right side, a comma",
    )
}

/// The tokens, with the escapes of string literals read by GoogleSQL's rules. Bytes literals keep theirs, since
/// not all bytes are text.
pub(super) fn tokens(sql: &str) -> Result<Vec<TokenWithSpan>, SqlFault> {
    // Room for a token of every three bytes, as most texts have: the list need not be moved as it grows.
    let mut tokens = Vec::with_capacity(sql.len() / 3);
    Tokenizer::new(&GoogleSql, sql)
        .with_unescape(false)
        .tokenize_with_location_into_buf(&mut tokens)
        .map_err(|error| syntax_fault(&error.into()))?;
    limits::check(&tokens)?;
    tokens = mend::mended(tokens);
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
    if ddl::occurs(&tokens) {
        tokens = ddl::known(tokens)?;
    }
    if pipe::occurs(&tokens) {
        tokens = pipe::unfolded(tokens)?;
    }
    if by_name::occurs(&tokens) {
        tokens = by_name::marked(tokens);
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
        (count, last) => {
            let second = statements.get(1).or(last.as_ref());
            let place = second.map_or_else(Span::empty, Spanned::span);
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
    let message = message.trim_start_matches("sql parser error: ").replacen("Expected: ", "expected ", 1);
    let message = message.replacen(", found: ", " and found ", 1);
    SqlFault::new(Code::SqlSyntax, span, format!("syntax error: {message}")).help(
        "look at this word and at the one before it: a comma, a parenthesis or a keyword too few or too many",
    )
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
