//! Set operations whose columns go together by name: `FULL OUTER UNION ALL BY NAME ON (a, b)` and CORRESPONDING.
//!
//! Source: <https://cloud.google.com/bigquery/docs/reference/standard-sql/query-syntax#by_name_or_corresponding>
//!
//! The parser knows `UNION ALL BY NAME` alone. What else belongs to it is written down over the tokens as a WITH of the
//! query on the right, under a name that nobody gives, and read from there again.

use sqlparser::ast::{Expr, Ident, SelectItem, SetExpr};
use sqlparser::tokenizer::{Span, Token, TokenWithSpan};

/// How the name starts that holds the mode.
const MARK: &str = "by name$";

/// Which columns the result has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// Both queries have the same ones.
    Strict,
    /// Those of either.
    Full,
    /// Those of the query on the left.
    Left,
    /// Those that both have.
    Inner,
}

/// A set operation by name.
#[derive(Debug, Clone)]
pub(super) struct ByName<'q> {
    pub mode: Mode,
    /// The columns that are named behind ON.
    pub columns: Vec<&'q Ident>,
    /// The query on the right.
    pub operand: &'q SetExpr,
}

impl<'q> ByName<'q> {
    /// What is written down at the query on the right of a set operation by name.
    pub(super) fn of(right: &'q SetExpr) -> Self {
        let plain = Self { mode: Mode::Strict, columns: Vec::new(), operand: right };
        let SetExpr::Query(query) = right else { return plain };
        let Some([cte]) = query.with.as_ref().map(|with| with.cte_tables.as_slice()) else { return plain };
        let Some(mode) = cte.alias.name.value.strip_prefix(MARK) else { return plain };
        let columns = match &*cte.query.body {
            SetExpr::Select(select) => select
                .projection
                .iter()
                .filter_map(|item| match item {
                    SelectItem::UnnamedExpr(Expr::Identifier(name)) => Some(name),
                    _ => None,
                })
                .collect(),
            _ => Vec::new(),
        };
        let mode = match mode {
            "FULL" => Mode::Full,
            "LEFT" => Mode::Left,
            "INNER" => Mode::Inner,
            _ => Mode::Strict,
        };
        Self { mode, columns, operand: &query.body }
    }

    /// The columns of the result in order, by those of both queries; what is wrong with them otherwise.
    pub(super) fn result(&self, left: &[&str], right: &[&str]) -> Result<Vec<String>, String> {
        let has = |list: &[&str], name: &str| list.iter().any(|own| own.eq_ignore_ascii_case(name));
        let all = |list: &[&str]| list.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        if left.iter().chain(right).any(|name| name.is_empty()) {
            return Err("BY NAME needs names for all columns, and one has none".to_owned());
        }
        let named: Vec<&str> = self.columns.iter().map(|column| column.value.as_str()).collect();
        if named.is_empty() {
            return match self.mode {
                Mode::Strict => {
                    for (list, other, which) in [(left, right, "second"), (right, left, "first")] {
                        if let Some(name) = list.iter().find(|name| !has(other, name)) {
                            return Err(format!("BY NAME finds no column `{name}` in the {which} query"));
                        }
                    }
                    Ok(all(left))
                }
                Mode::Full => {
                    let more = right.iter().filter(|name| !has(left, name)).copied();
                    Ok(left.iter().copied().chain(more).map(str::to_owned).collect())
                }
                Mode::Left | Mode::Inner => {
                    let common: Vec<&str> = left.iter().copied().filter(|name| has(right, name)).collect();
                    if common.is_empty() {
                        return Err("the queries of BY NAME have no column in common".to_owned());
                    }
                    Ok(all(if self.mode == Mode::Left { left } else { &common }))
                }
            };
        }
        for name in &named {
            let missing = match self.mode {
                Mode::Strict | Mode::Inner => [(left, "first"), (right, "second")]
                    .into_iter()
                    .find_map(|(list, which)| (!has(list, name)).then_some(which)),
                Mode::Left => (!has(left, name)).then_some("first"),
                Mode::Full => (!has(left, name) && !has(right, name)).then_some("first"),
            };
            if let Some(which) = missing {
                return Err(format!("BY NAME finds no column `{name}` in the {which} query"));
            }
        }
        if self.mode == Mode::Strict
            && let Some(name) = left.iter().chain(right).find(|name| !has(&named, name))
        {
            return Err(format!("BY NAME ON does not name the column `{name}`"));
        }
        Ok(all(&named))
    }
}

/// Whether some set operation may have more to it than `UNION ALL BY NAME`.
pub(super) fn occurs(tokens: &[TokenWithSpan]) -> bool {
    tokens.iter().any(|token| is(token, "NAME") || is(token, "CORRESPONDING"))
}

fn is(token: &TokenWithSpan, text: &str) -> bool {
    matches!(&token.token, Token::Word(word) if word.quote_style.is_none() && word.value.eq_ignore_ascii_case(text))
}

/// Writes down the modes and the columns.
pub(super) fn marked(mut tokens: Vec<TokenWithSpan>) -> Vec<TokenWithSpan> {
    tokens.retain(|token| !matches!(token.token, Token::Whitespace(_)));
    // From the last to the first, so that what is found stays where it is.
    for at in (0..tokens.len()).rev() {
        mark(&mut tokens, at);
    }
    tokens
}

/// Writes down the set operation at a place, if there is one by name.
fn mark(tokens: &mut Vec<TokenWithSpan>, at: usize) {
    let word = |index: usize, text: &str| tokens.get(index).is_some_and(|token| is(token, text));
    if !is_set(tokens, at) || !(word(at + 1, "ALL") || word(at + 1, "DISTINCT")) {
        return;
    }
    let mut next = at + 2;
    let strict = word(next, "STRICT");
    next += usize::from(strict);
    let list = if word(next, "BY") && word(next + 1, "NAME") {
        next += 2;
        "ON"
    } else if word(next, "CORRESPONDING") {
        next += 1;
        "BY"
    } else {
        return;
    };
    let mut columns = Vec::new();
    if word(next, list) && tokens.get(next + 1).is_some_and(|token| token.token == Token::LParen) {
        let close = tokens.iter().skip(next).position(|token| token.token == Token::RParen);
        let Some(close) = close.map(|close| next + close) else { return };
        columns = tokens.get(next + 2..close).unwrap_or_default().to_vec();
        next = close + 1;
    }
    let before = at.checked_sub(1);
    let outer = before.is_some_and(|before| word(before, "OUTER"));
    let place = if outer { at.checked_sub(2) } else { before };
    let written = place.and_then(|place| {
        ["INNER", "LEFT", "FULL"].into_iter().find(|mode| word(place, mode)).map(|mode| (place, mode))
    });
    let (start, mode) = match written {
        Some((place, mode)) => (place, mode),
        None if list == "BY" && !strict => (at, "INNER"),
        None => (at, "STRICT"),
    };
    let end = operand_end(tokens, next);
    let span = tokens[at].span;
    let sign = |token: Token| TokenWithSpan { token, span };
    let keyword = |text: &str| sign(Token::make_word(text, None));
    let mut written = vec![tokens[at].clone(), tokens[at + 1].clone(), keyword("BY"), keyword("NAME")];
    let operand = tokens.get(next..end).unwrap_or_default().to_vec();
    if mode == "STRICT" && columns.is_empty() {
        written.extend(operand);
    } else {
        let name = format!("{MARK}{mode}");
        written.extend([
            sign(Token::LParen),
            keyword("WITH"),
            sign(Token::make_word(&name, Some('`'))),
            keyword("AS"),
            sign(Token::LParen),
            keyword("SELECT"),
        ]);
        if columns.is_empty() {
            columns.push(sign(Token::Number("1".to_owned(), false)));
        }
        written.append(&mut columns);
        written.push(sign(Token::RParen));
        written.extend(operand);
        written.push(sign(Token::RParen));
    }
    tokens.splice(start..end, written);
}

fn is_set(tokens: &[TokenWithSpan], at: usize) -> bool {
    let quantified =
        |at: usize| tokens.get(at).is_some_and(|token| is(token, "ALL") || is(token, "DISTINCT"));
    tokens.get(at).is_some_and(|token| {
        is(token, "UNION") || is(token, "INTERSECT") || (is(token, "EXCEPT") && quantified(at + 1))
    })
}

/// Where the query that starts at a place ends.
fn operand_end(tokens: &[TokenWithSpan], start: usize) -> usize {
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate().skip(start) {
        match token.token {
            Token::LParen => depth += 1,
            Token::RParen if depth == 0 => return at,
            Token::RParen => depth -= 1,
            Token::SemiColon => return at,
            _ if depth > 0 => {}
            _ if is(token, "ORDER") || is(token, "LIMIT") || is_set(tokens, at) => return at,
            _ if ["INNER", "LEFT", "FULL"].iter().any(|mode| is(token, mode)) => {
                let outer = tokens.get(at + 1).is_some_and(|token| is(token, "OUTER"));
                if is_set(tokens, at + 1 + usize::from(outer)) {
                    return at;
                }
            }
            _ => {}
        }
    }
    tokens.len()
}

/// Where the columns stand that a set operation names, for faults.
pub(super) fn place(by_name: &ByName<'_>, otherwise: Span) -> Span {
    by_name.columns.first().map_or(otherwise, |column| column.span)
}
