//! The parser's dialect: `sqlparser`'s BigQuery, and what it lacks of GoogleSQL's expressions.
//!
//! Source: <https://cloud.google.com/bigquery/docs/reference/standard-sql/lexical>

use std::any::TypeId;
use std::ops::ControlFlow;

use sqlparser::ast::{
    CastKind, Expr, Ident, ObjectName, Statement, TypedString, Value, ValueWithSpan, VisitMut,
    visit_expressions_mut,
};
use sqlparser::dialect::{BigQueryDialect, Dialect};
use sqlparser::keywords::Keyword;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::Token;

/// GoogleSQL. To the parser's own questions it is BigQuery's dialect; what differs is overridden below.
#[derive(Debug, Default, Clone, Copy)]
pub struct GoogleSql;

const BASE: BigQueryDialect = BigQueryDialect;

/// Words that name nothing without back quotes.
///
/// Source: <https://cloud.google.com/bigquery/docs/reference/standard-sql/lexical#reserved_keywords>
const RESERVED: &[&str] = &[
    "ALL",
    "AND",
    "ANY",
    "ARRAY",
    "AS",
    "ASC",
    "ASSERT_ROWS_MODIFIED",
    "AT",
    "BETWEEN",
    "BY",
    "CASE",
    "CAST",
    "COLLATE",
    "CONTAINS",
    "CREATE",
    "CROSS",
    "CUBE",
    "CURRENT",
    "DEFAULT",
    "DEFINE",
    "DESC",
    "DISTINCT",
    "ELSE",
    "END",
    "ENUM",
    "ESCAPE",
    "EXCEPT",
    "EXCLUDE",
    "EXISTS",
    "EXTRACT",
    "FALSE",
    "FETCH",
    "FOLLOWING",
    "FOR",
    "FROM",
    "FULL",
    "GROUP",
    "GROUPING",
    "GROUPS",
    "HASH",
    "HAVING",
    "IF",
    "IGNORE",
    "IN",
    "INNER",
    "INTERSECT",
    "INTERVAL",
    "INTO",
    "IS",
    "JOIN",
    "LATERAL",
    "LEFT",
    "LIKE",
    "LIMIT",
    "LOOKUP",
    "MERGE",
    "NATURAL",
    "NEW",
    "NO",
    "NOT",
    "NULL",
    "NULLS",
    "OF",
    "ON",
    "OR",
    "ORDER",
    "OUTER",
    "OVER",
    "PARTITION",
    "PRECEDING",
    "PROTO",
    "QUALIFY",
    "RANGE",
    "RECURSIVE",
    "RESPECT",
    "RIGHT",
    "ROLLUP",
    "ROWS",
    "SELECT",
    "SET",
    "SOME",
    "STRUCT",
    "TABLESAMPLE",
    "THEN",
    "TO",
    "TREAT",
    "TRUE",
    "UNBOUNDED",
    "UNION",
    "UNNEST",
    "USING",
    "WHEN",
    "WHERE",
    "WINDOW",
    "WITH",
    "WITHIN",
];

/// Whether a word names nothing without back quotes.
pub(crate) fn is_reserved(word: &str) -> bool {
    let upper = word.bytes().map(|byte| byte.to_ascii_uppercase());
    RESERVED.binary_search_by(|reserved| reserved.bytes().cmp(upper.clone())).is_ok()
}

/// Between addition and `&`.
const SHIFT: u8 = 25;

impl Dialect for GoogleSql {
    fn dialect(&self) -> TypeId {
        BASE.dialect()
    }

    fn is_delimited_identifier_start(&self, ch: char) -> bool {
        BASE.is_delimited_identifier_start(ch)
    }

    fn identifier_quote_style(&self, identifier: &str) -> Option<char> {
        BASE.identifier_quote_style(identifier)
    }

    fn is_identifier_start(&self, ch: char) -> bool {
        BASE.is_identifier_start(ch)
    }

    fn is_identifier_part(&self, ch: char) -> bool {
        BASE.is_identifier_part(ch)
    }

    fn supports_projection_trailing_commas(&self) -> bool {
        BASE.supports_projection_trailing_commas()
    }

    fn supports_column_definition_trailing_commas(&self) -> bool {
        BASE.supports_column_definition_trailing_commas()
    }

    fn supports_triple_quoted_string(&self) -> bool {
        BASE.supports_triple_quoted_string()
    }

    fn supports_window_function_null_treatment_arg(&self) -> bool {
        BASE.supports_window_function_null_treatment_arg()
    }

    fn supports_string_literal_backslash_escape(&self) -> bool {
        BASE.supports_string_literal_backslash_escape()
    }

    fn supports_window_clause_named_window_reference(&self) -> bool {
        BASE.supports_window_clause_named_window_reference()
    }

    fn supports_parenthesized_set_variables(&self) -> bool {
        BASE.supports_parenthesized_set_variables()
    }

    fn supports_select_wildcard_except(&self) -> bool {
        BASE.supports_select_wildcard_except()
    }

    fn require_interval_qualifier(&self) -> bool {
        BASE.require_interval_qualifier()
    }

    fn supports_struct_literal(&self) -> bool {
        BASE.supports_struct_literal()
    }

    fn supports_select_expr_star(&self) -> bool {
        BASE.supports_select_expr_star()
    }

    fn supports_from_first_select(&self) -> bool {
        BASE.supports_from_first_select()
    }

    fn supports_execute_immediate(&self) -> bool {
        BASE.supports_execute_immediate()
    }

    fn supports_table_versioning(&self) -> bool {
        BASE.supports_table_versioning()
    }

    fn supports_group_by_expr(&self) -> bool {
        BASE.supports_group_by_expr()
    }

    fn supports_pipe_operator(&self) -> bool {
        BASE.supports_pipe_operator()
    }

    fn supports_create_table_multi_schema_info_sources(&self) -> bool {
        BASE.supports_create_table_multi_schema_info_sources()
    }

    fn supports_select_wildcard_replace(&self) -> bool {
        BASE.supports_select_wildcard_replace()
    }

    /// What the pipe operator RENAME becomes: see `pipe`. Nobody can write it, since `tokens` takes the word away.
    fn supports_select_wildcard_rename(&self) -> bool {
        true
    }

    fn supports_comma_separated_trim(&self) -> bool {
        BASE.supports_comma_separated_trim()
    }

    fn supports_bitwise_shift_operators(&self) -> bool {
        true
    }

    fn is_column_alias(&self, kw: &Keyword, parser: &mut Parser) -> bool {
        BASE.is_column_alias(kw, parser)
    }

    fn get_next_precedence(&self, parser: &Parser) -> Option<Result<u8, ParserError>> {
        matches!(parser.peek_token_ref().token, Token::ShiftLeft | Token::ShiftRight).then_some(Ok(SHIFT))
    }

    fn parse_statement(&self, parser: &mut Parser) -> Option<Result<Statement, ParserError>> {
        BASE.parse_statement(parser)
    }

    fn parse_prefix(&self, parser: &mut Parser) -> Option<Result<Expr, ParserError>> {
        let [first, second, third] = parser.peek_tokens_ref::<3>();
        let Token::Word(word) = &first.token else { return None };
        if word.quote_style.is_some() {
            return None;
        }
        let is = |text: &str| word.value.eq_ignore_ascii_case(text);
        match (&second.token, &third.token) {
            (Token::Period, Token::Word(_)) if is("SAFE") => safe_call(parser),
            (Token::LParen, Token::RParen) if is("STRUCT") => Some(Ok(empty_struct(parser))),
            (Token::Lt, _) if is("ARRAY") => Some(typed_array(parser)),
            // `RANGE<DATE>` has become `RANGE(DATE)`: see `tokens`.
            (Token::LParen, Token::Word(_)) if is("RANGE") => range_literal(parser),
            (Token::LParen, Token::Word(_)) if is("WITH") => Some(with_expression(parser)),
            _ => None,
        }
    }
}

/// `SAFE.f(…)` for functions whose plain call has a syntax of its own, such as SUBSTR and TRIM.
fn safe_call(parser: &mut Parser) -> Option<Result<Expr, ParserError>> {
    if parser.peek_nth_token_ref(3).token != Token::LParen {
        return None;
    }
    let name = (|| {
        let prefix = parser.parse_identifier()?;
        parser.expect_token(&Token::Period)?;
        Ok(ObjectName::from(vec![prefix, parser.parse_identifier()?]))
    })();
    Some(name.and_then(|name| parser.parse_function(name)))
}

fn empty_struct(parser: &mut Parser) -> Expr {
    for _ in 0..3 {
        parser.advance_token();
    }
    Expr::Struct { values: Vec::new(), fields: Vec::new() }
}

/// `ARRAY<T>[…]`: the list, cast to its type.
fn typed_array(parser: &mut Parser) -> Result<Expr, ParserError> {
    let data_type = parser.parse_data_type()?;
    parser.expect_token(&Token::LBracket)?;
    let list = parser.parse_array_expr(true)?;
    Ok(Expr::Cast { kind: CastKind::Cast, expr: Box::new(list), data_type, format: None })
}

/// `RANGE<DATE> '[2024-01-01, UNBOUNDED)'`.
fn range_literal(parser: &mut Parser) -> Option<Result<Expr, ParserError>> {
    let close = &parser.peek_nth_token_ref(3).token;
    let text = parser.peek_nth_token_ref(4).clone();
    let value = match text.token {
        Token::SingleQuotedString(text) => Value::SingleQuotedString(text),
        Token::DoubleQuotedString(text) => Value::DoubleQuotedString(text),
        _ => return None,
    };
    if *close != Token::RParen {
        return None;
    }
    let data_type = parser.parse_data_type();
    parser.advance_token();
    Some(data_type.map(|data_type| {
        Expr::TypedString(TypedString {
            data_type,
            value: ValueWithSpan { value, span: text.span },
            uses_odbc_syntax: false,
        })
    }))
}

/// `WITH(a AS 1, b AS a + 1, a * b)`: the last expression, with the others in the place of their names.
fn with_expression(parser: &mut Parser) -> Result<Expr, ParserError> {
    parser.advance_token();
    parser.expect_token(&Token::LParen)?;
    let mut names: Vec<(Ident, Expr)> = Vec::new();
    loop {
        let defines = matches!(
            parser.peek_tokens_ref::<2>(),
            [name, keyword] if matches!(name.token, Token::Word(_))
                && matches!(&keyword.token, Token::Word(word) if word.keyword == Keyword::AS)
        );
        if !defines {
            let mut result = parser.parse_expr()?;
            parser.expect_token(&Token::RParen)?;
            put_in_place(&mut result, &names);
            return Ok(Expr::Nested(Box::new(result)));
        }
        let name = parser.parse_identifier()?;
        parser.expect_keyword_is(Keyword::AS)?;
        let mut value = parser.parse_expr()?;
        parser.expect_token(&Token::Comma)?;
        put_in_place(&mut value, &names);
        names.push((name, value));
    }
}

/// Puts expressions in the place of their names, the name defined last first.
fn put_in_place(expr: &mut Expr, names: &[(Ident, Expr)]) {
    let known = |name: &Ident| {
        names
            .iter()
            .rev()
            .find(|(known, _)| known.value.eq_ignore_ascii_case(&name.value))
            .map(|(_, value)| value)
    };
    substitute(expr, &known);
}

/// Puts values in the place of names, wherever these stand alone or before a field.
pub(crate) fn substitute<'a>(node: &mut impl VisitMut, value_of: &dyn Fn(&Ident) -> Option<&'a Expr>) {
    let _ = visit_expressions_mut(node, |part| {
        match part {
            Expr::Identifier(name) => {
                if let Some(value) = value_of(name) {
                    *part = Expr::Nested(Box::new(value.clone()));
                }
            }
            Expr::CompoundIdentifier(path) => {
                if let [name, fields @ ..] = path.as_slice()
                    && let Some(value) = value_of(name)
                {
                    *part = Expr::CompoundFieldAccess {
                        root: Box::new(Expr::Nested(Box::new(value.clone()))),
                        access_chain: fields
                            .iter()
                            .map(|field| sqlparser::ast::AccessExpr::Dot(Expr::Identifier(field.clone())))
                            .collect(),
                    };
                }
            }
            _ => {}
        }
        ControlFlow::<()>::Continue(())
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::googlesql::parse;

    #[test]
    fn reserved_words_are_sorted() {
        assert!(RESERVED.is_sorted());
    }

    #[test]
    fn expressions_that_the_parser_lacks_are_read() {
        for (sql, read) in [
            ("SELECT SAFE.SUBSTR('a', 1)", "SELECT SAFE.SUBSTR('a', 1)"),
            ("SELECT SAFE.TRIM(x)", "SELECT SAFE.TRIM(x)"),
            ("SELECT 1 + 2 << 3 & 4", "SELECT 1 + 2 << 3 & 4"),
            ("SELECT ARRAY<STRUCT<a INT64>>[(1)]", "SELECT CAST(ARRAY[(1)] AS ARRAY<STRUCT<a INT64>>)"),
            ("SELECT ARRAY<ARRAY<INT64>>[]", "SELECT CAST(ARRAY[] AS ARRAY<ARRAY<INT64>>)"),
            ("SELECT WITH(a AS 1, b AS a + 1, a * b)", "SELECT ((1) * ((1) + 1))"),
            ("SELECT CAST(x AS RANGE<DATE>)", "SELECT CAST(x AS RANGE(DATE))"),
            ("SELECT RANGE<DATE> '[2024-01-01, UNBOUNDED)'", "SELECT RANGE(DATE) '[2024-01-01, UNBOUNDED)'"),
            (r"SELECT rb'\d', br'x'", r"SELECT B'\\d', B'x'"),
            (
                "SELECT a FROM ds.t, t.items AS a WITH OFFSET o",
                "SELECT a FROM ds.t, UNNEST(t.items) AS a WITH OFFSET o",
            ),
        ] {
            assert_eq!(parse::query(sql).expect(sql).to_string(), read, "{sql}");
        }
    }

    #[test]
    fn shifts_bind_looser_than_sums_and_tighter_than_bits() {
        let query = parse::query("SELECT 1 + 2 << 3 & 4").expect("a query");
        let mut found = Vec::new();
        let _ = sqlparser::ast::visit_expressions(&query, |expr| {
            if let Expr::BinaryOp { op, .. } = expr {
                found.push(op.to_string());
            }
            ControlFlow::<()>::Continue(())
        });
        assert_eq!(found, ["&", "<<", "+"]);
    }

    #[test]
    fn a_reserved_word_names_nothing() {
        for (sql, column) in [
            ("SELECT * FROM FROM t", 15),
            ("SELECT 1 + group FROM t", 12),
            ("SELECT 1 AS order", 13),
            ("SELECT * FROM (SELECT 1 AS hash)", 28),
            ("SELECT 1 UNION ALL SELECT 2 AS new", 32),
            ("WITH set AS (SELECT 1) SELECT 1", 6),
            ("SELECT 1 FROM t AS new", 20),
            ("SELECT 1 FROM (SELECT 1) AS to", 29),
            ("MERGE INTO t AS of USING s ON a = b WHEN MATCHED THEN DELETE", 17),
        ] {
            let fault = parse::script(sql).expect_err(sql);
            assert_eq!(fault.span.start.column, column, "{sql}: {}", fault.message);
        }
        assert!(parse::query("SELECT `from`, t.select FROM `select` AS t WHERE date > value").is_ok());
    }
}
