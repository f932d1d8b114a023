//! How long a statement may be. The parser bounds how deep brackets nest; operators side by side make a tree as deep,
//! which no thread's stack would hold if there are ten thousands of them, so they are counted before there is a tree.

use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::{Token, TokenWithSpan};

use super::fault::SqlFault;
use crate::diag::Code;

/// How deep the operators of one expression may hang below each other.
const MAX_OPERATORS: usize = 5000;

/// The same of the set operations of one query, each of which takes more of the stack.
const MAX_SETS: usize = 3000;

/// What else can be written.
pub(super) const OPERATORS_HELP: &str =
    "put the values into an array or a table: `x IN UNNEST([…])`, a join, a seed";

/// What else can be written.
pub(super) const SETS_HELP: &str = "put the rows into an array, `SELECT * FROM UNNEST([…])`, or a seed";

/// Operators from loose to tight: <https://cloud.google.com/bigquery/docs/reference/standard-sql/operators>.
const TIGHTEST: usize = 10;

/// What hangs below each other at the end of one level of brackets.
#[derive(Default)]
struct Level {
    /// Operators by how tight they bind: a looser one closes what the tighter ones before it made.
    operators: [usize; TIGHTEST + 1],
    /// UNION, INTERSECT, EXCEPT.
    sets: usize,
}

/// Refuses what would make too deep a tree.
///
/// # Errors
/// The operator that is one too many.
pub(super) fn check(tokens: &[TokenWithSpan]) -> Result<(), SqlFault> {
    let mut outer: Vec<Level> = Vec::new();
    let mut level = Level::default();
    for token in tokens {
        let rank = match &token.token {
            Token::LParen | Token::LBracket => {
                outer.push(std::mem::take(&mut level));
                continue;
            }
            Token::RParen | Token::RBracket => {
                level = outer.pop().unwrap_or_default();
                continue;
            }
            Token::SemiColon => {
                level = Level::default();
                continue;
            }
            Token::Comma => {
                level.operators = Default::default();
                continue;
            }
            // Quoted words are no keywords to the tokenizer.
            Token::Word(word) => match word.keyword {
                Keyword::NoKeyword => continue,
                Keyword::UNION | Keyword::INTERSECT | Keyword::EXCEPT => {
                    level.sets += 1;
                    if level.sets > MAX_SETS {
                        return Err(too_deep(token, MAX_SETS, "set operations", SETS_HELP));
                    }
                    continue;
                }
                Keyword::SELECT
                | Keyword::FROM
                | Keyword::WHERE
                | Keyword::GROUP
                | Keyword::HAVING
                | Keyword::QUALIFY
                | Keyword::WINDOW
                | Keyword::ORDER
                | Keyword::LIMIT
                | Keyword::ON
                | Keyword::JOIN
                | Keyword::WHEN
                | Keyword::THEN
                | Keyword::ELSE
                | Keyword::SET
                | Keyword::VALUES => {
                    level.operators = Default::default();
                    continue;
                }
                keyword => keyword_rank(keyword),
            },
            other => symbol_rank(other),
        };
        if let Some(rank) = rank
            && level.count(rank) > MAX_OPERATORS
        {
            return Err(too_deep(token, MAX_OPERATORS, "operators", OPERATORS_HELP));
        }
    }
    Ok(())
}

fn too_deep(token: &TokenWithSpan, most: usize, what: &str, help: &str) -> SqlFault {
    SqlFault::new(Code::SqlSyntax, token.span, format!("more than {most} {what} hang below each other"))
        .help(help)
}

impl Level {
    /// Counts an operator; gives how many hang below each other now.
    fn count(&mut self, rank: usize) -> usize {
        if let Some((own, tighter)) = self.operators.get_mut(rank..).and_then(|ranks| ranks.split_first_mut())
        {
            *own += 1;
            tighter.fill(0);
        }
        self.operators.iter().sum()
    }
}

fn keyword_rank(keyword: Keyword) -> Option<usize> {
    match keyword {
        Keyword::OR => Some(0),
        Keyword::AND => Some(1),
        Keyword::NOT => Some(2),
        Keyword::LIKE | Keyword::IN | Keyword::BETWEEN | Keyword::IS => Some(3),
        _ => None,
    }
}

fn symbol_rank(token: &Token) -> Option<usize> {
    match token {
        Token::Eq | Token::Neq | Token::Lt | Token::LtEq | Token::Gt | Token::GtEq => Some(3),
        Token::Pipe => Some(4),
        Token::Caret => Some(5),
        Token::Ampersand => Some(6),
        Token::ShiftLeft | Token::ShiftRight => Some(7),
        Token::Plus | Token::Minus => Some(8),
        Token::Mul | Token::Div | Token::StringConcat => Some(9),
        Token::DoubleColon | Token::Tilde => Some(TIGHTEST),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use crate::googlesql::{parse, script};

    fn refused(sql: &str) -> bool {
        parse::script(sql).is_err_and(|fault| fault.message.contains("below each other"))
    }

    #[test]
    fn long_chains_are_refused_before_they_are_a_tree() {
        for (link, first) in [
            (" + 1", "SELECT 1"),
            (" || 'a'", "SELECT 'a'"),
            (" OR TRUE", "SELECT TRUE"),
            (" IS NULL", "SELECT 1"),
            (" LIKE 'a'", "SELECT 'a'"),
            (" << 1", "SELECT 1"),
            ("::INT64", "SELECT 1"),
            (" UNION ALL SELECT 1", "SELECT 1"),
            (" = 1 OR x + 1", "SELECT x"),
        ] {
            assert!(refused(&(first.to_owned() + &link.repeat(100_000))), "{link}");
            let short = first.to_owned() + &link.repeat(2400);
            assert!(!refused(&short), "{link}");
        }
        assert!(refused(&format!("SELECT f(1, ({}1))", "1 * ".repeat(5001))));
    }

    #[test]
    fn what_lies_side_by_side_is_no_chain() {
        let list = "a + b = 1 AND c, ".repeat(5000);
        assert!(!refused(&format!("SELECT {list}1 FROM t")));
        let cases = "WHEN a = 1 AND b = 2 THEN c + 1 ".repeat(3000);
        assert!(!refused(&format!("SELECT CASE {cases} END FROM t")));
        assert!(!refused(&format!("SELECT x IN ({}0) FROM t", "-1, ".repeat(5000))));
        assert!(!refused(&"SELECT 1 + 1;".repeat(3000)));
        // Each comparison closes before the next OR.
        assert!(!refused(&format!("SELECT {}TRUE", "a = 1 + 1 OR ".repeat(4900))));
    }

    #[test]
    fn blocks_nest_so_deep() {
        for (open, close) in [("BEGIN ", " END;"), ("IF TRUE THEN ", " END IF;"), ("LOOP ", " END LOOP;")] {
            let script = |depth| format!("{}SELECT 1;{}", open.repeat(depth), close.repeat(depth));
            assert!(script::read(&script(40)).is_ok(), "{open}");
            let fault = script::read(&script(5000)).expect_err(open);
            assert!(fault.message.contains("nest"), "{}", fault.message);
        }
    }
}
