//! Other tables put in the place of some in the text of a query. The text keeps its lines, and places in it lead back.

use sqlparser::tokenizer::{Location, Token, TokenWithSpan, Tokenizer};

use super::dialect::{GoogleSql, is_reserved};
use super::names::Ident;

/// What stands in the place of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Instead {
    /// Another table, by its path.
    Table(String),
    /// The rows of a query of one line, under the table's name where the query gives it no other.
    Rows(String),
}

/// A query with some tables replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Substituted {
    /// Its text.
    pub sql: String,
    /// Whether rows stand where GoogleSQL takes only a table: behind them a sample or an earlier time is asked for.
    pub misfit: bool,
    edits: Vec<Edit>,
}

/// A replaced part of one line: where it starts in the new text, and how long it was and is, in characters.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Edit {
    line: u64,
    column: u64,
    was: u64,
    is: u64,
}

impl Substituted {
    /// Where a line and column of the new text stood in the old one, all from 1.
    pub fn original(&self, line: u64, column: u64) -> (u64, u64) {
        let mut shifted = column;
        for edit in self.edits.iter().filter(|edit| edit.line == line && edit.column <= column) {
            let within = column - edit.column;
            // Within what was put there: the start of what it stands for.
            let moved = if within < edit.is { within } else { edit.is };
            shifted -= moved;
            if within >= edit.is {
                shifted += edit.was;
            }
        }
        (line, shifted)
    }
}

/// Puts other tables in the place of those named by one path in back quotes, as Pipewright writes them. A text that
/// cannot be read stays as it is: whoever runs it says what is wrong with it.
pub fn substitute(sql: &str, instead: &dyn Fn(&str) -> Option<Instead>) -> Substituted {
    let mut done = Substituted { sql: String::with_capacity(sql.len()), misfit: false, edits: Vec::new() };
    let tokens = Tokenizer::new(&GoogleSql, sql).with_unescape(false).tokenize_with_location();
    let tokens: Vec<TokenWithSpan> = tokens.unwrap_or_default();
    let lines: Vec<usize> = std::iter::once(0).chain(sql.match_indices('\n').map(|(at, _)| at + 1)).collect();
    let offset = |at: Location| {
        let start = usize::try_from(at.line.saturating_sub(1)).ok().and_then(|line| lines.get(line)).copied();
        let start = start.unwrap_or(sql.len());
        let column = usize::try_from(at.column.saturating_sub(1)).unwrap_or(usize::MAX);
        sql[start..].char_indices().nth(column).map_or(sql.len(), |(at, _)| start + at)
    };
    let mut copied = 0;
    // How much further right the rest of a line stands.
    let mut shift = (0_u64, 0_i64);
    for (index, token) in tokens.iter().enumerate() {
        let Token::Word(word) = &token.token else { continue };
        let Some(other) = word.quote_style.and_then(|_| instead(&word.value)) else { continue };
        let text = match other {
            Instead::Table(path) => Ident(&path).to_string(),
            Instead::Rows(query) => {
                let next =
                    tokens[index + 1..].iter().map(|token| &token.token).find(|token| !is_blank(token));
                done.misfit |= next.is_some_and(|token| is_word(token, &["TABLESAMPLE", "FOR"]));
                let name = word.value.rsplit('.').next().unwrap_or_default();
                let alias = if is_alias(next) { String::new() } else { format!(" AS {}", Ident(name)) };
                format!("({query}){alias}")
            }
        };
        let (from, to) = (offset(token.span.start), offset(token.span.end));
        done.sql.push_str(&sql[copied..from]);
        done.sql.push_str(&text);
        copied = to;
        let line = token.span.start.line;
        if shift.0 != line {
            shift = (line, 0);
        }
        let length = |text: &str| text.chars().count() as u64;
        let (was, is) = (length(&sql[from..to]), length(&text));
        let column = token.span.start.column.saturating_add_signed(shift.1);
        shift.1 += is.cast_signed() - was.cast_signed();
        done.edits.push(Edit { line, column, was, is });
    }
    done.sql.push_str(&sql[copied..]);
    done
}

/// Where a place of a text is in another that differs from it in the names of tables alone.
pub fn same_place(text: &str, other: &str, (line, column): (u64, u64)) -> (u64, u64) {
    let read = |sql: &str| {
        Tokenizer::new(&GoogleSql, sql).with_unescape(false).tokenize_with_location().unwrap_or_default()
    };
    let (tokens, twins) = (read(text), read(other));
    let starts = |token: &TokenWithSpan| (token.span.start.line, token.span.start.column);
    let next = tokens.partition_point(|token| starts(token) <= (line, column));
    let token = next.checked_sub(1).and_then(|at| Some((tokens.get(at)?, twins.get(at)?)));
    match token.filter(|_| tokens.len() == twins.len()) {
        // Within a name that differs: its start.
        Some((token, twin)) if token.token != twin.token => starts(twin),
        Some((token, twin)) => {
            let (start, at) = (starts(token), starts(twin));
            if line == start.0 { (at.0, at.1 + column - start.1) } else { (line, column) }
        }
        None => (line, column),
    }
}

fn is_blank(token: &Token) -> bool {
    matches!(token, Token::Whitespace(_))
}

fn is_word(token: &Token, words: &[&str]) -> bool {
    matches!(token, Token::Word(word)
        if word.quote_style.is_none() && words.iter().any(|known| word.value.eq_ignore_ascii_case(known)))
}

/// Whether what follows a table gives it another name.
fn is_alias(next: Option<&Token>) -> bool {
    match next {
        Some(Token::Word(word)) if word.quote_style.is_some() => true,
        Some(token @ Token::Word(word)) => {
            is_word(token, &["AS"])
                || !(is_reserved(&word.value) || is_word(token, &["PIVOT", "UNPIVOT", "TABLESAMPLE"]))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn replaced(sql: &str) -> Substituted {
        substitute(sql, &|path| match path {
            "p.d.t" => Some(Instead::Rows("SELECT 1 AS a".to_owned())),
            "p.d.u" => Some(Instead::Table("other.d.u".to_owned())),
            _ => None,
        })
    }

    #[test]
    fn tables_are_replaced_and_keep_their_names() {
        for (sql, other) in [
            ("SELECT t.a FROM `p.d.t`", "SELECT t.a FROM (SELECT 1 AS a) AS `t`"),
            ("SELECT x.a FROM `p.d.t` AS x", "SELECT x.a FROM (SELECT 1 AS a) AS x"),
            ("SELECT x.a FROM `p.d.t` x WHERE TRUE", "SELECT x.a FROM (SELECT 1 AS a) x WHERE TRUE"),
            ("FROM `p.d.t`\nWHERE a = 1", "FROM (SELECT 1 AS a) AS `t`\nWHERE a = 1"),
            (
                "FROM `p.d.t` /* `p.d.t` */ JOIN `p.d.u` USING (a)",
                "FROM (SELECT 1 AS a) AS `t` /* `p.d.t` */ JOIN `other.d.u` USING (a)",
            ),
            ("SELECT '`p.d.t`' FROM `p.d.v`", "SELECT '`p.d.t`' FROM `p.d.v`"),
            (
                "MERGE INTO `p.d.u` AS u USING `p.d.t` AS n ON FALSE",
                "MERGE INTO `other.d.u` AS u USING (SELECT 1 AS a) AS n ON FALSE",
            ),
            ("SELECT 'é' FROM `p.d.t`, `p.d.u`", "SELECT 'é' FROM (SELECT 1 AS a) AS `t`, `other.d.u`"),
        ] {
            let done = replaced(sql);
            assert_eq!(done.sql, other);
            assert!(!done.misfit, "{sql}");
        }
        assert!(replaced("SELECT * FROM `p.d.t` TABLESAMPLE SYSTEM (1 PERCENT)").misfit);
        assert!(replaced("SELECT * FROM `p.d.t` FOR SYSTEM_TIME AS OF CURRENT_TIMESTAMP()").misfit);
        assert_eq!(replaced("SELECT 'open FROM `p.d.t`").sql, "SELECT 'open FROM `p.d.t`");
    }

    #[test]
    fn places_are_found_in_a_text_with_other_names() {
        let sql = "SELECT a, b\nFROM `p.d.u` JOIN `p.d.u` AS x USING (é) WHERE x1";
        let other = replaced(sql).sql;
        let place = |text: &str, word: &str| {
            let (line, text) =
                text.lines().enumerate().find(|(_, text)| text.contains(word)).expect("a line");
            let column = text[..text.find(word).expect("a word")].chars().count();
            (line as u64 + 1, column as u64 + 1)
        };
        for word in ["b", "JOIN", "é", "x1"] {
            assert_eq!(same_place(&other, sql, place(&other, word)), place(sql, word), "{word}");
        }
        assert_eq!(same_place(&other, sql, (2, 9)), (2, 6));
        assert_eq!(same_place(sql, "SELECT 1", (2, 9)), (2, 9));
    }

    proptest::proptest! {
        #[test]
        fn places_lead_back(words in proptest::collection::vec(0_usize..5, 1..12)) {
            let parts = ["`p.d.t`", "`p.d.u`", "é", "\n", "x1"];
            let sql = words.iter().map(|word| parts[*word]).collect::<Vec<_>>().join(" ");
            let done = replaced(&sql);
            // Each word that stays is found again at its own place.
            let places = |text: &str| -> Vec<(u64, u64)> {
                let mut found = Vec::new();
                for (line, text) in text.split('\n').enumerate() {
                    for (column, character) in text.chars().enumerate() {
                        if character == 'é' || (character == 'x') {
                            found.push((line as u64 + 1, column as u64 + 1));
                        }
                    }
                }
                found
            };
            let back: Vec<_> = places(&done.sql).into_iter().map(|(line, column)| done.original(line, column)).collect();
            proptest::prop_assert_eq!(back, places(&sql));
        }
    }
}
