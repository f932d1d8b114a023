//! What stands where in a chain of pipe operators.

use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::{Span, Token, TokenWithSpan};

use crate::diag::Code;
use crate::googlesql::fault::SqlFault;

pub(super) fn is(token: &TokenWithSpan, text: &str) -> bool {
    matches!(&token.token, Token::Word(word) if word.quote_style.is_none() && word.value.eq_ignore_ascii_case(text))
}

pub(super) fn is_any(token: &TokenWithSpan, words: &[&str]) -> bool {
    words.iter().any(|word| is(token, word))
}

pub(super) fn fault(span: Span, message: impl Into<String>) -> SqlFault {
    SqlFault::new(Code::SqlSyntax, span, message)
}

/// Where the query of a statement starts: `CREATE TABLE t AS FROM …`.
pub(super) fn query_start(tokens: &[TokenWithSpan]) -> usize {
    let mut depth = 0_usize;
    for (index, token) in tokens.iter().enumerate() {
        match &token.token {
            Token::LParen => {
                let opens = index == 0
                    || is_any(&tokens[index - 1], &["AS", "THEN", "ELSE", "DO", "BEGIN", "LOOP", "REPEAT"]);
                if depth == 0 && opens {
                    return index;
                }
                depth += 1;
            }
            Token::RParen => depth = depth.saturating_sub(1),
            _ if depth == 0 && is_any(token, &["FROM", "SELECT", "WITH"]) => return index,
            _ => {}
        }
    }
    0
}

/// The parts between the commas outside of parentheses.
pub(super) fn items(tokens: &[TokenWithSpan]) -> Vec<&[TokenWithSpan]> {
    let mut depth = 0_usize;
    let mut list: Vec<&[TokenWithSpan]> = tokens
        .split(|token| {
            match token.token {
                Token::LParen | Token::LBracket => depth += 1,
                Token::RParen | Token::RBracket => depth = depth.saturating_sub(1),
                _ => {}
            }
            depth == 0 && token.token == Token::Comma
        })
        .collect();
    // A comma may stand behind the last.
    if list.last().is_some_and(|last| last.is_empty()) {
        list.pop();
    }
    list
}

/// The first of some words outside of parentheses.
pub(super) fn position(tokens: &[TokenWithSpan], words: &[&str]) -> Option<usize> {
    let mut depth = 0_usize;
    tokens.iter().position(|token| {
        match token.token {
            Token::LParen | Token::LBracket => depth += 1,
            Token::RParen | Token::RBracket => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth == 0 && is_any(token, words)
    })
}

/// How long the WITH clause is that a query starts with.
pub(super) fn with_length(query: &[TokenWithSpan]) -> usize {
    if !query.first().is_some_and(|token| is(token, "WITH")) {
        return 0;
    }
    let mut depth = 0_usize;
    for (index, token) in query.iter().enumerate() {
        match token.token {
            Token::LParen => depth += 1,
            Token::RParen => {
                depth = depth.saturating_sub(1);
                let next = query.get(index + 1);
                let goes_on = next.is_none_or(|next| next.token == Token::Comma || is(next, "AS"));
                if depth == 0 && !goes_on {
                    return index + 1;
                }
            }
            _ => {}
        }
    }
    query.len()
}

/// Words that follow a table and are no alias.
const BEHIND_TABLE: &[&str] = &[
    "ON",
    "USING",
    "JOIN",
    "INNER",
    "LEFT",
    "RIGHT",
    "FULL",
    "CROSS",
    "WITH",
    "PIVOT",
    "UNPIVOT",
    "TABLESAMPLE",
    "FOR",
    "WHERE",
];

/// The names that the tables of a FROM go by.
pub(super) fn ranges(tables: &[TokenWithSpan]) -> Vec<TokenWithSpan> {
    let mut names = Vec::new();
    let mut rest = tables;
    loop {
        // A table is a path or something in parentheses, and its alias behind it.
        let mut depth = 0_usize;
        let mut name: Option<&TokenWithSpan> = None;
        let mut length = 0;
        for token in rest {
            let word = matches!(token.token, Token::Word(_));
            match token.token {
                Token::LParen | Token::LBracket => depth += 1,
                Token::RParen | Token::RBracket => depth = depth.saturating_sub(1),
                Token::Comma if depth == 0 => break,
                _ if depth == 0 && is_any(token, BEHIND_TABLE) => break,
                _ if depth == 0 && word && !is_any(token, &["AS", "UNNEST"]) => name = Some(token),
                _ => {}
            }
            length += 1;
        }
        names.extend(name.map(last_of_path));
        let Some((_, behind)) = rest.split_at_checked(length) else { break };
        // On to what follows a comma or a JOIN outside of parentheses.
        let mut depth = 0_usize;
        let next = behind.iter().position(|token| {
            match token.token {
                Token::LParen | Token::LBracket => depth += 1,
                Token::RParen | Token::RBracket => depth = depth.saturating_sub(1),
                _ => {}
            }
            depth == 0 && (token.token == Token::Comma || is(token, "JOIN"))
        });
        match next.and_then(|at| behind.get(at + 1..)) {
            Some(next) => rest = next,
            None => break,
        }
    }
    names
}

/// The last part of a path that stands in back quotes as one word.
pub(super) fn last_of_path(token: &TokenWithSpan) -> TokenWithSpan {
    match &token.token {
        Token::Word(word) if word.value.contains('.') => {
            let last = word.value.rsplit('.').next().unwrap_or_default();
            TokenWithSpan { token: Token::make_word(last, Some('`')), span: token.span }
        }
        _ => token.clone(),
    }
}

/// Operators behind which no table of before is in reach.
pub(super) fn resets(operator: &str) -> bool {
    matches!(
        operator,
        "SELECT" | "AGGREGATE" | "AS" | "DISTINCT" | "PIVOT" | "UNPIVOT" | "UNION" | "INTERSECT" | "EXCEPT"
    )
}

/// Whether some operators name a table, up to the one behind which it is out of reach.
pub(super) fn names(operators: &[&[TokenWithSpan]], range: &TokenWithSpan) -> bool {
    let Token::Word(range) = &range.token else { return false };
    for operator in operators {
        let found = operator.windows(2).any(|pair| {
            pair[1].token == Token::Period
                && matches!(&pair[0].token, Token::Word(word) if word.value.eq_ignore_ascii_case(&range.value))
        });
        if found {
            return true;
        }
        if operator.first().is_some_and(
            |name| matches!(&name.token, Token::Word(word) if resets(&word.value.to_ascii_uppercase())),
        ) {
            return false;
        }
    }
    false
}

/// Where ASC, DESC and NULLS begin behind an expression.
pub(super) fn direction_start(item: &[TokenWithSpan]) -> usize {
    position(item, &["ASC", "DESC"]).unwrap_or(item.len())
}

/// The columns of ROLLUP, CUBE and GROUPING SETS.
pub(super) fn set_columns(key: &[TokenWithSpan]) -> Vec<&[TokenWithSpan]> {
    let open = key.iter().position(|token| token.token == Token::LParen);
    let Some(inner) = open.and_then(|open| key.get(open + 1..key.len().saturating_sub(1))) else {
        return Vec::new();
    };
    let nested = |item: &[TokenWithSpan]| {
        item.first().is_some_and(|first| first.token == Token::LParen || is_any(first, &["ROLLUP", "CUBE"]))
    };
    items(inner)
        .into_iter()
        .flat_map(|item| if nested(item) { set_columns(item) } else { vec![item] })
        .filter(|item| !item.is_empty())
        .collect()
}

pub(super) fn same(one: &[TokenWithSpan], other: &[TokenWithSpan]) -> bool {
    one.len() == other.len() && one.iter().zip(other).all(|(one, other)| one.token == other.token)
}

/// Clauses of the standard syntax have no place behind an operator.
pub(super) fn check(operator: &str, arguments: &[TokenWithSpan]) -> Result<(), SqlFault> {
    let mut clauses = vec!["FROM", "SELECT", "WHERE", "HAVING", "QUALIFY", "LIMIT"];
    if operator != "AGGREGATE" {
        clauses.push("GROUP");
        clauses.push("ORDER");
    }
    match position(arguments, &clauses) {
        Some(at) => Err(missing_pipe(&arguments[at])),
        None => Ok(()),
    }
}

pub(super) fn missing_pipe(token: &TokenWithSpan) -> SqlFault {
    let clause = token.token.to_string().to_uppercase();
    fault(token.span, format!("syntax error: {clause} cannot stand here"))
        .help(format!("each operator of a pipe begins with |>: write |> {clause} …, AGGREGATE … GROUP BY …"))
}

pub(super) fn unfinished(item: &[TokenWithSpan], span: Span) -> SqlFault {
    let span = item.first().map_or(span, |token| token.span);
    fault(span, "syntax error: this operator is not complete")
}

pub(super) fn unknown(name: &TokenWithSpan) -> SqlFault {
    let known = matches!(&name.token, Token::Word(word) if word.keyword == Keyword::CALL || ["ASSERT", "LOG", "TEE", "IF"].iter().any(|known| word.value.eq_ignore_ascii_case(known)));
    if known {
        let operator = name.token.to_string().to_uppercase();
        return SqlFault::new(
            Code::SqlNotTranslated,
            name.span,
            format!("the pipe operator {operator} is not supported"),
        );
    }
    fault(name.span, format!("syntax error: there is no pipe operator {}", name.token))
        .help("WHERE, SELECT, EXTEND, SET, DROP, RENAME, AS, AGGREGATE, DISTINCT, JOIN, ORDER BY, LIMIT, UNION, INTERSECT, EXCEPT, PIVOT, UNPIVOT, TABLESAMPLE and WITH are operators")
}
