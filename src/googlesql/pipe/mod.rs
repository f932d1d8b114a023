//! Pipe syntax, `FROM t |> WHERE … |> SELECT …`: each chain of operators becomes nested queries before the parser reads
//! it, so that everything behind the parser sees queries of the standard syntax. Tokens keep their places.
//!
//! Source: <https://cloud.google.com/bigquery/docs/reference/standard-sql/pipe-syntax>
//!
//! Operators gather in one query as long as they can: WHERE, ORDER BY and LIMIT behind each other are one SELECT. The
//! names of tables stay in reach behind EXTEND, SET, DROP and RENAME; a name that a later operator uses rides along as
//! a column of whole rows, which no asterisk means.

use sqlparser::tokenizer::{Span, Token, TokenWithSpan};

mod reading;

use super::fault::SqlFault;
use reading::{
    check, direction_start, fault, is, is_any, items, missing_pipe, names, position, query_start, ranges,
    resets, same, set_columns, unfinished, unknown, with_length,
};

type Tokens = Vec<TokenWithSpan>;

/// Whether some query may be written with pipes, or starts with FROM.
pub(super) fn occurs(tokens: &[TokenWithSpan]) -> bool {
    let mut first = true;
    for token in tokens {
        match &token.token {
            Token::Whitespace(_) => {}
            Token::VerticalBarRightAngleBracket => return true,
            Token::LParen | Token::SemiColon => first = true,
            _ if first && is(token, "FROM") => return true,
            _ => first = false,
        }
    }
    false
}

/// The tokens with all chains of operators unfolded.
///
/// # Errors
/// An operator that is not known, or one that has a part too few.
pub(super) fn unfolded(tokens: Tokens) -> Result<Tokens, SqlFault> {
    // What is open, from the outermost parenthesis to the innermost.
    let mut open: Vec<Tokens> = vec![Vec::new()];
    let mut done: Tokens = Vec::new();
    for token in tokens {
        match &token.token {
            Token::Whitespace(_) => {}
            Token::LParen => open.push(vec![token]),
            Token::RParen if open.len() > 1 => {
                let mut inner = open.pop().unwrap_or_default();
                let head = inner.remove(0);
                let query = chain(inner, true)?;
                if let Some(outer) = open.last_mut() {
                    outer.push(head);
                    outer.extend(query);
                    outer.push(token);
                }
            }
            Token::SemiColon if open.len() == 1 => {
                let statement = std::mem::take(&mut open[0]);
                done.extend(chain(statement, false)?);
                done.push(token);
            }
            _ => {
                if let Some(outer) = open.last_mut() {
                    outer.push(token);
                }
            }
        }
    }
    // Parentheses that are left open are the parser's to tell of.
    let last = open.len() == 1;
    for part in open {
        done.extend(if last { chain(part, false)? } else { part });
    }
    Ok(done)
}

/// The query of a part between parentheses or semicolons, which may stand behind other words of its statement.
fn chain(tokens: Tokens, nested: bool) -> Result<Tokens, SqlFault> {
    let piped = tokens.iter().any(|token| token.token == Token::VerticalBarRightAngleBracket);
    if !piped && !tokens.first().is_some_and(|token| is(token, "FROM")) {
        return Ok(tokens);
    }
    let start = if nested { 0 } else { query_start(&tokens) };
    let mut tokens = tokens;
    let query = tokens.split_off(start);
    let mut parts = query.split(|token| token.token == Token::VerticalBarRightAngleBracket);
    let end = query.last().map_or_else(Span::empty, |token| token.span);
    let mut pipeline = Pipeline::new(parts.next().unwrap_or_default())?;
    let operators: Vec<&[TokenWithSpan]> = parts.collect();
    for (index, operator) in operators.iter().enumerate() {
        let Some((name, arguments)) = operator.split_first() else {
            return Err(fault(end, "syntax error: there is no operator behind this |>"));
        };
        let rest = operators.get(index + 1..).unwrap_or_default();
        pipeline.operator(name, arguments, rest)?;
    }
    tokens.extend(pipeline.finished());
    Ok(tokens)
}

/// What an operator's query reads.
enum Source {
    /// The items of a FROM.
    From(Tokens),
    /// A query, which is the result so far.
    Query(Tokens),
}

/// The operators so far.
struct Pipeline {
    with: Tokens,
    source: Source,
    filters: Vec<Tokens>,
    order: Tokens,
    limit: Tokens,
    /// The names of tables in reach.
    ranges: Vec<TokenWithSpan>,
    /// The names of tables that have become columns.
    hidden: Vec<TokenWithSpan>,
    /// Where the operator in hand stands.
    span: Span,
}

impl Pipeline {
    fn new(query: &[TokenWithSpan]) -> Result<Self, SqlFault> {
        let (with, body) = query.split_at(with_length(query));
        let span = query.first().map_or_else(Span::empty, |token| token.span);
        let mut pipeline = Self {
            with: with.to_vec(),
            source: Source::Query(body.to_vec()),
            filters: Vec::new(),
            order: Vec::new(),
            limit: Vec::new(),
            ranges: Vec::new(),
            hidden: Vec::new(),
            span,
        };
        if let Some((from, tables)) = body.split_first()
            && is(from, "FROM")
        {
            // DuckDB's `FROM t SELECT …` is no GoogleSQL.
            let foreign = &["SELECT", "WHERE", "GROUP", "HAVING", "QUALIFY", "WINDOW", "ORDER", "LIMIT"];
            if let Some(at) = position(tables, foreign) {
                return Err(missing_pipe(&tables[at]));
            }
            pipeline.ranges = ranges(tables);
            pipeline.source = Source::From(tables.to_vec());
        }
        Ok(pipeline)
    }

    fn finished(mut self) -> Tokens {
        let query = self.result();
        self.with.extend(query);
        self.with
    }

    fn word(&self, text: &str) -> TokenWithSpan {
        self.sign(Token::make_word(text, None))
    }

    fn sign(&self, token: Token) -> TokenWithSpan {
        TokenWithSpan { token, span: self.span }
    }

    fn in_parentheses(&self, tokens: Tokens) -> Tokens {
        let mut result = vec![self.sign(Token::LParen)];
        result.extend(tokens);
        result.push(self.sign(Token::RParen));
        result
    }

    fn separated(&self, list: impl IntoIterator<Item = Tokens>) -> Tokens {
        let mut result = Vec::new();
        for item in list {
            if !result.is_empty() {
                result.push(self.sign(Token::Comma));
            }
            result.extend(item);
        }
        result
    }

    fn is_pending(&self) -> bool {
        !self.filters.is_empty() || self.is_cut()
    }

    /// Whether rows are in an order or cut off, which must come before what follows.
    fn is_cut(&self) -> bool {
        !self.order.is_empty() || !self.limit.is_empty()
    }

    /// A query with a select list over all that is at hand; `tail` stands behind WHERE.
    fn select(&mut self, list: Tokens, tail: Tokens) -> Tokens {
        let mut sql = vec![self.word("SELECT")];
        sql.extend(list);
        sql.push(self.word("FROM"));
        sql.extend(self.tables());
        let filters = std::mem::take(&mut self.filters);
        let several = filters.len() > 1;
        for (index, filter) in filters.into_iter().enumerate() {
            sql.push(self.word(if index == 0 { "WHERE" } else { "AND" }));
            sql.extend(if several { self.in_parentheses(filter) } else { filter });
        }
        sql.extend(tail);
        sql.append(&mut self.order);
        sql.append(&mut self.limit);
        sql
    }

    /// What stands behind FROM.
    fn tables(&mut self) -> Tokens {
        match std::mem::replace(&mut self.source, Source::From(Vec::new())) {
            Source::From(tables) => tables,
            Source::Query(query) => self.in_parentheses(query),
        }
    }

    /// `*` without the tables that ride along.
    fn star(&self) -> Tokens {
        let mut star = vec![self.sign(Token::Mul)];
        if !self.hidden.is_empty() {
            star.push(self.word("EXCEPT"));
            let names = self.separated(self.hidden.iter().map(|name| vec![name.clone()]));
            star.extend(self.in_parentheses(names));
        }
        star
    }

    /// The rows so far as a query; no table is in reach behind it.
    fn result(&mut self) -> Tokens {
        let done = !self.is_pending() && self.hidden.is_empty();
        self.ranges.clear();
        let query = match &mut self.source {
            Source::Query(query) if done => std::mem::take(query),
            _ => {
                let star = self.star();
                self.select(star, Vec::new())
            }
        };
        self.hidden.clear();
        query
    }

    fn becomes(&mut self, query: Tokens) {
        self.source = Source::Query(query);
        self.ranges.clear();
    }

    /// The tables in reach that later operators name, each as a further column.
    fn carried(&mut self, rest: &[&[TokenWithSpan]]) -> Tokens {
        let mut columns = Vec::new();
        for range in std::mem::take(&mut self.ranges) {
            if names(rest, &range) {
                columns.push(self.sign(Token::Comma));
                columns.push(range.clone());
                self.hidden.push(range);
            }
        }
        columns
    }

    /// The rows so far as a query that can be built upon, with its tables still in reach.
    fn settle(&mut self, rest: &[&[TokenWithSpan]]) {
        if let ([range], true) = (self.ranges.as_slice(), self.hidden.is_empty())
            && names(rest, range)
        {
            let range = range.clone();
            let query = self.select(vec![self.sign(Token::Mul)], Vec::new());
            let mut tables = self.in_parentheses(query);
            tables.push(self.word("AS"));
            tables.push(range);
            self.source = Source::From(tables);
            return;
        }
        let mut list = vec![self.sign(Token::Mul)];
        list.extend(self.carried(rest));
        let query = self.select(list, Vec::new());
        self.becomes(query);
    }

    /// An operator that changes columns: `change` is the select list, behind which the tables ride along.
    fn change(&mut self, change: Tokens, rest: &[&[TokenWithSpan]]) {
        let mut list = change;
        list.extend(self.carried(rest));
        let query = self.select(list, Vec::new());
        self.becomes(query);
    }

    fn operator(
        &mut self,
        name: &TokenWithSpan,
        arguments: &[TokenWithSpan],
        rest: &[&[TokenWithSpan]],
    ) -> Result<(), SqlFault> {
        self.span = name.span;
        let Token::Word(word) = &name.token else { return Err(unknown(name)) };
        let operator = word.value.to_ascii_uppercase();
        check(&operator, arguments)?;
        if arguments.is_empty() && operator != "DISTINCT" && operator != "AGGREGATE" {
            return Err(fault(name.span, format!("syntax error: {operator} needs something behind it")));
        }
        // With the rows that the operator itself names.
        let mut later: Vec<&[TokenWithSpan]> = vec![arguments];
        if !resets(&operator) {
            later.extend(rest);
        }
        if self.is_cut() && !matches!(operator.as_str(), "ORDER" | "LIMIT") {
            self.settle(&later);
        }
        match operator.as_str() {
            "WHERE" => self.filters.push(arguments.to_vec()),
            "ORDER" => {
                if self.is_cut() {
                    self.settle(&later);
                }
                self.order = [std::slice::from_ref(name), arguments].concat();
            }
            "LIMIT" => {
                if !self.limit.is_empty() {
                    self.settle(&later);
                }
                self.limit = [std::slice::from_ref(name), arguments].concat();
            }
            "SELECT" => {
                let (list, tail) =
                    arguments.split_at(position(arguments, &["WINDOW"]).unwrap_or(arguments.len()));
                let list = self.without_hidden(list);
                let query = self.select(list, tail.to_vec());
                self.hidden.clear();
                self.becomes(query);
            }
            "EXTEND" | "WINDOW" => {
                let (list, tail) =
                    arguments.split_at(position(arguments, &["WINDOW"]).unwrap_or(arguments.len()));
                let mut all = vec![self.sign(Token::Mul), self.sign(Token::Comma)];
                all.extend(self.separated(items(list).into_iter().map(<[_]>::to_vec)));
                all.extend(self.carried(rest));
                let query = self.select(all, tail.to_vec());
                self.becomes(query);
            }
            "SET" => {
                let mut list = Vec::new();
                for item in items(arguments) {
                    let [column, equals, value @ ..] = item else { return Err(unfinished(item, self.span)) };
                    if equals.token != Token::Eq || value.is_empty() {
                        return Err(fault(equals.span, "syntax error: expected `column = value`"));
                    }
                    list.push([value, &[self.word("AS"), column.clone()]].concat());
                }
                self.change_star("REPLACE", list, rest);
            }
            "DROP" => {
                let list = items(arguments).into_iter().map(<[_]>::to_vec).collect();
                self.change_star("EXCEPT", list, rest);
            }
            "RENAME" => {
                let mut list = Vec::new();
                for item in items(arguments) {
                    match item {
                        [old, new] => list.push(vec![old.clone(), self.word("AS"), new.clone()]),
                        [_, keyword, _] if is(keyword, "AS") => list.push(item.to_vec()),
                        _ => return Err(unfinished(item, self.span)),
                    }
                }
                self.change_star("RENAME", list, rest);
            }
            "AS" => {
                let [alias] = arguments else { return Err(unfinished(arguments, self.span)) };
                let query = self.result();
                let mut tables = self.in_parentheses(query);
                tables.extend([self.word("AS"), alias.clone()]);
                self.source = Source::From(tables);
                self.ranges = vec![alias.clone()];
            }
            "DISTINCT" => {
                let mut list = vec![self.word("DISTINCT")];
                list.extend(self.star());
                let query = self.select(list, Vec::new());
                self.hidden.clear();
                self.becomes(query);
            }
            "AGGREGATE" => self.aggregate(arguments)?,
            "JOIN" | "INNER" | "LEFT" | "RIGHT" | "FULL" | "CROSS"
                if position(arguments, &["UNION", "INTERSECT", "EXCEPT"]).is_none() =>
            {
                if self.is_pending() {
                    self.settle(&later);
                }
                let mut tables = self.tables();
                tables.push(name.clone());
                tables.extend_from_slice(arguments);
                let joined = if is(name, "JOIN") {
                    arguments
                } else {
                    position(arguments, &["JOIN"]).and_then(|at| arguments.get(at + 1..)).unwrap_or_default()
                };
                self.ranges.extend(ranges(joined));
                self.source = Source::From(tables);
            }
            "UNION" | "INTERSECT" | "EXCEPT" | "INNER" | "LEFT" | "FULL" => {
                self.set_operation(name, arguments)?;
            }
            "PIVOT" | "UNPIVOT" | "TABLESAMPLE" => {
                let query = self.result();
                let mut tables = self.in_parentheses(query);
                tables.push(name.clone());
                tables.extend_from_slice(arguments);
                self.source = Source::From(tables);
                self.ranges = match arguments {
                    [.., close, alias] if close.token == Token::RParen => vec![alias.clone()],
                    [.., close, keyword, alias] if close.token == Token::RParen && is(keyword, "AS") => {
                        vec![alias.clone()]
                    }
                    _ => Vec::new(),
                };
            }
            "WITH" => {
                let tables = match arguments {
                    [tables @ .., comma] if comma.token == Token::Comma => tables,
                    tables => tables,
                };
                let separator = if self.with.is_empty() { name.clone() } else { self.sign(Token::Comma) };
                self.with.push(separator);
                self.with.extend_from_slice(tables);
            }
            _ => return Err(unknown(name)),
        }
        Ok(())
    }

    /// `* REPLACE (…)` and the like.
    fn change_star(&mut self, keyword: &str, list: Vec<Tokens>, rest: &[&[TokenWithSpan]]) {
        let mut star = vec![self.sign(Token::Mul), self.word(keyword)];
        let list = self.separated(list);
        star.extend(self.in_parentheses(list));
        self.change(star, rest);
    }

    /// A select list whose asterisks do not mean the tables that ride along.
    fn without_hidden(&self, list: &[TokenWithSpan]) -> Tokens {
        if self.hidden.is_empty() {
            return list.to_vec();
        }
        let mut distinct = 0;
        while list.get(distinct).is_some_and(|token| is_any(token, &["DISTINCT", "ALL", "AS", "STRUCT"])) {
            distinct += 1;
        }
        let (head, list) = list.split_at(distinct);
        let written = items(list).into_iter().map(|item| match item {
            [star, except, open, rest @ ..] if star.token == Token::Mul && is(except, "EXCEPT") => {
                let mut all = vec![star.clone(), except.clone(), open.clone()];
                for name in &self.hidden {
                    all.extend([name.clone(), self.sign(Token::Comma)]);
                }
                all.extend_from_slice(rest);
                all
            }
            [star, rest @ ..] if star.token == Token::Mul => [&self.star(), rest].concat(),
            other => other.to_vec(),
        });
        [head, &self.separated(written)].concat()
    }

    /// `AGGREGATE … GROUP BY …`: the keys come first, and what has ASC or DESC behind it is sorted by.
    fn aggregate(&mut self, arguments: &[TokenWithSpan]) -> Result<(), SqlFault> {
        let at = position(arguments, &["GROUP"]).unwrap_or(arguments.len());
        let (aggregates, group) = arguments.split_at(at);
        let (keys, sorted) = match group {
            [] => (group, false),
            [_, by, keys @ ..] if is(by, "BY") => (keys, false),
            [_, and, order, by, keys @ ..] if is(and, "AND") && is(order, "ORDER") && is(by, "BY") => {
                (keys, true)
            }
            [group, ..] => return Err(fault(group.span, "syntax error: expected GROUP BY")),
        };
        if aggregates.is_empty() && keys.is_empty() {
            return Err(fault(self.span, "syntax error: AGGREGATE needs something behind it"));
        }
        let (mut list, mut groups, mut order) = (Vec::new(), Vec::new(), Vec::new());
        for key in items(keys) {
            if let [open, inner @ .., close] = key
                && open.token == Token::LParen
                && close.token == Token::RParen
                && inner.is_empty()
            {
                groups.push(key.to_vec());
                continue;
            }
            if key.first().is_some_and(|word| is_any(word, &["ROLLUP", "CUBE", "GROUPING"])) {
                for column in set_columns(key) {
                    let known = list.iter().any(|other: &Tokens| same(other, column));
                    if !known {
                        list.push(column.to_vec());
                    }
                }
                groups.push(key.to_vec());
                continue;
            }
            let (key, direction) = key.split_at(direction_start(key));
            if let [number] = key
                && matches!(number.token, Token::Number(..))
            {
                return Err(fault(number.span, "AGGREGATE takes no positions behind GROUP BY"));
            }
            list.push(key.to_vec());
            groups.push(vec![self.number(list.len())]);
            if sorted || !direction.is_empty() {
                order.push([&[self.number(list.len())], direction].concat());
            }
        }
        for aggregate in items(aggregates) {
            let (aggregate, direction) = aggregate.split_at(direction_start(aggregate));
            list.push(aggregate.to_vec());
            if !direction.is_empty() {
                order.push([&[self.number(list.len())], direction].concat());
            }
        }
        let mut tail = Vec::new();
        for (keyword, parts) in [("GROUP", groups), ("ORDER", order)] {
            if !parts.is_empty() {
                tail.extend([self.word(keyword), self.word("BY")]);
                tail.extend(self.separated(parts));
            }
        }
        let list = self.separated(list);
        let query = self.select(list, tail);
        self.hidden.clear();
        self.becomes(query);
        Ok(())
    }

    fn number(&self, position: usize) -> TokenWithSpan {
        self.sign(Token::Number(position.to_string(), false))
    }

    /// `UNION ALL (…), (…)`.
    fn set_operation(&mut self, name: &TokenWithSpan, arguments: &[TokenWithSpan]) -> Result<(), SqlFault> {
        // BY NAME ON and CORRESPONDING BY have columns in parentheses.
        let columns = position(arguments, &["ON"]).or_else(|| {
            position(arguments, &["CORRESPONDING"])
                .map(|at| at + 1)
                .filter(|at| arguments.get(*at).is_some_and(|token| is(token, "BY")))
        });
        let from = columns.and_then(|at| {
            arguments.iter().skip(at).position(|token| token.token == Token::RParen).map(|close| at + close)
        });
        let skipped = from.map_or(0, |at| at + 1);
        let Some(open) = arguments.iter().skip(skipped).position(|token| token.token == Token::LParen) else {
            return Err(fault(self.span, "syntax error: expected a query in parentheses")
                .help("write |> UNION ALL (SELECT …)"));
        };
        let (head, queries) = arguments.split_at(skipped + open);
        let left = self.result();
        let mut sql = self.in_parentheses(left);
        for query in items(queries) {
            sql.push(name.clone());
            sql.extend_from_slice(head);
            sql.extend_from_slice(query);
        }
        self.becomes(sql);
        Ok(())
    }
}
