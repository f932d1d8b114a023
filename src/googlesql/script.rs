//! Scripts: statements and what steers them.
//!
//! Source: <https://cloud.google.com/bigquery/docs/reference/standard-sql/procedural-language>. The parser knows
//! statements of SQL; blocks and loops are read here, over the same tokens, so that places stay those of the script.

use sqlparser::ast::{
    DataType, DeclareAssignment, Expr, Ident, Query, RaiseStatementValue, Set, Spanned, Statement,
};
use sqlparser::tokenizer::{Span, Token, TokenWithSpan};

use super::fault::SqlFault;
use super::parse;
use super::temp_function::{TempFunction, temp_function};
use crate::diag::Code;

/// One step of a script.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// A statement of SQL.
    Statement(Box<Statement>),
    /// `DECLARE a, b INT64 DEFAULT 1`.
    Declare {
        /// The variables.
        names: Vec<Ident>,
        /// Their type; that of the value if none is given.
        data_type: Option<DataType>,
        /// Their first value, NULL if none is given.
        default: Option<Expr>,
    },
    /// `SET a = 1`, `SET (a, b) = (1, 2)`.
    Set {
        /// The variables.
        names: Vec<Ident>,
        /// A value for each, or one struct with as many fields.
        values: Vec<Expr>,
    },
    /// `IF … THEN … ELSEIF … ELSE … END IF`.
    If {
        /// Conditions and what they lead to, in order.
        branches: Vec<(Expr, Vec<Command>)>,
        /// What is done if none is true.
        otherwise: Vec<Command>,
    },
    /// `BEGIN … EXCEPTION WHEN ERROR THEN … END`.
    Block {
        /// What is done.
        body: Vec<Command>,
        /// What is done if that fails.
        handler: Option<Vec<Command>>,
    },
    /// `WHILE … DO … END WHILE`; `LOOP … END LOOP`, which has no condition.
    While {
        /// Tried before each round.
        condition: Option<Expr>,
        /// A round.
        body: Vec<Command>,
    },
    /// `REPEAT … UNTIL … END REPEAT`.
    Repeat {
        /// A round.
        body: Vec<Command>,
        /// Ends the loop, tried after each round.
        until: Expr,
    },
    /// `FOR row IN (query) DO … END FOR`.
    For {
        /// The variable that holds a row.
        name: Ident,
        /// The rows.
        query: Box<Query>,
        /// A round.
        body: Vec<Command>,
    },
    /// BREAK and LEAVE.
    Break,
    /// CONTINUE and ITERATE.
    Continue,
    /// RETURN.
    Return,
    /// `RAISE USING MESSAGE = '…'`; without a message the error at hand.
    Raise(Option<Expr>),
    /// `EXECUTE IMMEDIATE '…' INTO a USING 1`.
    Execute {
        /// The text of a statement.
        sql: Expr,
        /// The variables that take the columns of its one row.
        into: Vec<Ident>,
        /// Its parameters, with names if they have them.
        using: Vec<(Option<Ident>, Expr)>,
    },
    /// `ASSERT condition AS 'message'`.
    Assert {
        /// What must be true.
        condition: Box<Expr>,
        /// What to say if it is not.
        message: Option<Expr>,
    },
    /// `CREATE TEMP FUNCTION`.
    Function(Box<TempFunction>),
}

/// How deep blocks, conditions and loops may nest, as in BigQuery:
/// <https://cloud.google.com/bigquery/quotas#query_jobs>.
const MAX_DEPTH: usize = 50;

/// Reads a script.
///
/// # Errors
/// A syntax fault at its place, or a statement of scripts that is not supported.
pub fn read(sql: &str) -> Result<Vec<Command>, SqlFault> {
    let tokens: Vec<TokenWithSpan> = parse::tokens(sql)?
        .into_iter()
        .filter(|token| !matches!(token.token, Token::Whitespace(_)))
        .collect();
    if !steers(&tokens) {
        // The parser's own faults, which name what follows a statement.
        return parse::script(sql)?.into_iter().map(command).collect();
    }
    let mut reader = Reader { sql, tokens, at: 0, depth: 0 };
    let commands = reader.commands(&[])?;
    match reader.word() {
        None if reader.at >= reader.tokens.len() => Ok(commands),
        _ => Err(reader.unexpected("a statement")),
    }
}

/// Whether a statement begins with a word that only this module knows.
fn steers(tokens: &[TokenWithSpan]) -> bool {
    let mut first = true;
    for token in tokens {
        if let (true, Token::Word(word)) = (first, &token.token) {
            let word = word.value.to_ascii_uppercase();
            if matches!(
                word.as_str(),
                "IF" | "BEGIN" | "WHILE" | "LOOP" | "REPEAT" | "FOR" | "RAISE" | "BREAK"
            ) {
                return true;
            }
        }
        first = token.token == Token::SemiColon;
    }
    false
}

struct Reader<'a> {
    sql: &'a str,
    /// Without blanks.
    tokens: Vec<TokenWithSpan>,
    at: usize,
    /// How many blocks are open.
    depth: usize,
}

impl Reader<'_> {
    fn word(&self) -> Option<String> {
        self.word_at(self.at)
    }

    fn word_at(&self, at: usize) -> Option<String> {
        match &self.tokens.get(at)?.token {
            Token::Word(word) if word.quote_style.is_none() => Some(word.value.to_ascii_uppercase()),
            _ => None,
        }
    }

    fn unexpected(&self, expected: &str) -> SqlFault {
        let last = self.tokens.last().map_or_else(Span::empty, |token| token.span);
        let (span, found) = match self.tokens.get(self.at) {
            Some(token) => (token.span, token.token.to_string()),
            None => (last, "the end".to_owned()),
        };
        SqlFault::new(Code::SqlSyntax, span, format!("syntax error: expected {expected} and found {found}"))
            .help("look at the words that open and close the blocks around it: IF … END IF, BEGIN … END")
    }

    fn expect(&mut self, words: &[&str]) -> Result<(), SqlFault> {
        for word in words {
            if self.word().as_deref() != Some(word) {
                return Err(self.unexpected(&words.join(" ")));
            }
            self.at += 1;
        }
        Ok(())
    }

    fn end_of_statement(&mut self) -> Result<(), SqlFault> {
        match self.tokens.get(self.at) {
            Some(token) if token.token == Token::SemiColon => {
                self.at += 1;
                Ok(())
            }
            None => Ok(()),
            Some(_) => Err(self.unexpected(";")),
        }
    }

    /// The commands up to one of the words, which is left to the caller.
    fn commands(&mut self, until: &[&str]) -> Result<Vec<Command>, SqlFault> {
        if self.depth == MAX_DEPTH {
            let span = self.tokens.get(self.at).map_or_else(Span::empty, |token| token.span);
            return Err(SqlFault::new(
                Code::SqlSyntax,
                span,
                format!("the script's blocks nest deeper than {MAX_DEPTH} levels"),
            ));
        }
        self.depth += 1;
        let mut commands = Vec::new();
        while let Some(token) = self.tokens.get(self.at) {
            if token.token == Token::SemiColon {
                self.at += 1;
                continue;
            }
            let word = self.word();
            if word.as_deref().is_some_and(|word| until.contains(&word)) {
                break;
            }
            commands.push(self.command(word.as_deref().unwrap_or_default())?);
        }
        self.depth -= 1;
        Ok(commands)
    }

    fn command(&mut self, word: &str) -> Result<Command, SqlFault> {
        let command = match word {
            "IF" => self.if_command()?,
            "BEGIN" if !self.is_transaction() => {
                self.at += 1;
                let body = self.commands(&["EXCEPTION", "END"])?;
                let handler = if self.word().as_deref() == Some("EXCEPTION") {
                    self.expect(&["EXCEPTION", "WHEN", "ERROR", "THEN"])?;
                    Some(self.commands(&["END"])?)
                } else {
                    None
                };
                self.expect(&["END"])?;
                Command::Block { body, handler }
            }
            "WHILE" => {
                self.at += 1;
                let condition = Some(self.expression(&["DO"])?);
                self.expect(&["DO"])?;
                let body = self.commands(&["END"])?;
                self.expect(&["END", "WHILE"])?;
                Command::While { condition, body }
            }
            "LOOP" => {
                self.at += 1;
                let body = self.commands(&["END"])?;
                self.expect(&["END", "LOOP"])?;
                Command::While { condition: None, body }
            }
            "REPEAT" => {
                self.at += 1;
                let body = self.commands(&["UNTIL"])?;
                self.expect(&["UNTIL"])?;
                let until = self.expression(&["END"])?;
                self.expect(&["END", "REPEAT"])?;
                Command::Repeat { body, until }
            }
            "FOR" => self.for_command()?,
            "BREAK" | "LEAVE" => {
                self.at += 1;
                Command::Break
            }
            "CONTINUE" | "ITERATE" => {
                self.at += 1;
                Command::Continue
            }
            "RETURN" => {
                self.at += 1;
                Command::Return
            }
            _ => {
                let tokens = self.slice(&[]);
                command(self.statement(tokens)?)?
            }
        };
        self.end_of_statement()?;
        Ok(command)
    }

    fn if_command(&mut self) -> Result<Command, SqlFault> {
        let mut branches = Vec::new();
        let mut otherwise = Vec::new();
        loop {
            self.at += 1;
            let condition = self.expression(&["THEN"])?;
            self.expect(&["THEN"])?;
            branches.push((condition, self.commands(&["ELSEIF", "ELSE", "END"])?));
            match self.word().as_deref() {
                Some("ELSEIF") => {}
                Some("ELSE") => {
                    self.at += 1;
                    otherwise = self.commands(&["END"])?;
                    break;
                }
                _ => break,
            }
        }
        self.expect(&["END", "IF"])?;
        Ok(Command::If { branches, otherwise })
    }

    fn for_command(&mut self) -> Result<Command, SqlFault> {
        self.at += 1;
        let name = match self.tokens.get(self.at).map(|token| (&token.token, token.span)) {
            Some((Token::Word(word), span)) => word.clone().into_ident(span),
            _ => return Err(self.unexpected("the name of a row")),
        };
        self.at += 1;
        self.expect(&["IN"])?;
        let tokens = self.slice(&["DO"]);
        let query = match self.statement(tokens)? {
            Statement::Query(query) => query,
            other => {
                return Err(SqlFault::new(Code::SqlSyntax, other.span(), "syntax error: FOR takes a query"));
            }
        };
        self.expect(&["DO"])?;
        let body = self.commands(&["END"])?;
        self.expect(&["END", "FOR"])?;
        Ok(Command::For { name, query, body })
    }

    fn is_transaction(&self) -> bool {
        self.word_at(self.at + 1).as_deref() == Some("TRANSACTION")
            || self.tokens.get(self.at + 1).is_none_or(|token| token.token == Token::SemiColon)
    }

    /// The tokens up to a semicolon or one of the words, outside of parentheses and CASE.
    fn slice(&mut self, until: &[&str]) -> Vec<TokenWithSpan> {
        let start = self.at;
        let (mut depth, mut cases) = (0_usize, 0_usize);
        while let Some(token) = self.tokens.get(self.at) {
            let word = self.word();
            match (&token.token, word.as_deref()) {
                (Token::LParen, _) => depth += 1,
                (Token::RParen, _) => depth = depth.saturating_sub(1),
                (Token::SemiColon, _) => break,
                (_, Some(word)) if depth == 0 && cases == 0 && until.contains(&word) => break,
                (_, Some("CASE")) => cases += 1,
                (_, Some("END")) => cases = cases.saturating_sub(1),
                _ => {}
            }
            self.at += 1;
        }
        self.tokens[start..self.at].to_vec()
    }

    fn expression(&mut self, until: &[&str]) -> Result<Expr, SqlFault> {
        let tokens = self.slice(until);
        if tokens.is_empty() {
            return Err(self.unexpected("a condition"));
        }
        parse::expression_of(tokens)
    }

    fn statement(&mut self, tokens: Vec<TokenWithSpan>) -> Result<Statement, SqlFault> {
        let mut statements = parse::statements_of(self.sql, tokens)?;
        match (statements.pop(), statements.is_empty()) {
            (Some(statement), true) => Ok(statement),
            _ => Err(self.unexpected("a statement")),
        }
    }
}

/// A statement that steers as the command that it is.
fn command(statement: Statement) -> Result<Command, SqlFault> {
    let span = statement.span();
    let unsupported = |what: &str| {
        SqlFault::new(
            Code::SqlNotTranslated,
            span,
            format!("{what} has no translation for the embedded engine"),
        )
        .help("write it in plain statements, or run the script on BigQuery")
    };
    Ok(match statement {
        Statement::Declare { stmts } => {
            let [declaration] = stmts.as_slice() else { return Err(unsupported("this DECLARE")) };
            let default = match &declaration.assignment {
                None => None,
                Some(DeclareAssignment::Default(value)) => Some(value.as_ref().clone()),
                Some(_) => return Err(unsupported("this DECLARE")),
            };
            Command::Declare {
                names: declaration.names.clone(),
                data_type: declaration.data_type.clone(),
                default,
            }
        }
        Statement::Set(Set::SingleAssignment { variable, values, .. }) => {
            match variable.0.last().and_then(|part| part.as_ident()) {
                Some(name) if variable.0.len() == 1 => Command::Set { names: vec![name.clone()], values },
                _ => return Err(unsupported("SET of a system variable")),
            }
        }
        Statement::Set(Set::ParenthesizedAssignments { variables, values }) => {
            let names = variables
                .iter()
                .filter_map(|name| name.0.last().and_then(|part| part.as_ident()).cloned())
                .collect();
            Command::Set { names, values }
        }
        Statement::Set(_) => return Err(unsupported("this SET")),
        Statement::Raise(raise) => Command::Raise(match raise.value {
            None => None,
            Some(RaiseStatementValue::UsingMessage(message)) => Some(message),
            Some(RaiseStatementValue::Expr(_)) => return Err(unsupported("this RAISE")),
        }),
        Statement::Execute { immediate: true, parameters, into, using, .. } => {
            let [sql] = parameters.as_slice() else { return Err(unsupported("this EXECUTE IMMEDIATE")) };
            let using = using.into_iter().map(|value| (value.alias, value.expr)).collect();
            Command::Execute { sql: sql.clone(), into, using }
        }
        Statement::Assert { condition, message } => {
            Command::Assert { condition: Box::new(condition), message }
        }
        Statement::Return(_) => Command::Return,
        Statement::CreateFunction(function) => Command::Function(Box::new(temp_function(&function, span)?)),
        other => Command::Statement(Box::new(other)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_read_to_their_end() {
        let commands = read(
            "DECLARE x INT64 DEFAULT 0; WHILE x < 3 DO SET x = x + 1; IF x = CASE WHEN TRUE THEN 2 END THEN BREAK; \
             ELSE SELECT 1; END IF; END WHILE; BEGIN SELECT 1; EXCEPTION WHEN ERROR THEN SELECT 2; END; SELECT x",
        )
        .expect("a script");
        assert_eq!(commands.len(), 4);
        assert!(matches!(&commands[1], Command::While { condition: Some(_), body } if body.len() == 2));
        assert!(matches!(&commands[2], Command::Block { handler: Some(_), .. }));
    }

    #[test]
    fn a_block_without_its_end_is_a_fault_at_its_place() {
        for (sql, line) in [
            ("IF TRUE THEN\nSELECT 1;", 2),
            ("WHILE TRUE\nSELECT 1; END WHILE", 2),
            ("BEGIN SELECT 1;\nEND IF;", 2),
            ("SELECT 1;\nIF THEN SELECT 1; END IF", 2),
        ] {
            let fault = read(sql).expect_err(sql);
            assert_eq!(
                (fault.code, fault.span.start.line),
                (Code::SqlSyntax, line),
                "{sql}: {}",
                fault.message
            );
        }
    }

    #[test]
    fn functions_in_other_languages_are_refused() {
        let fault = read("CREATE TEMP FUNCTION f(x FLOAT64) RETURNS FLOAT64 LANGUAGE js AS 'return x;'")
            .expect_err("js");
        assert_eq!(fault.code, Code::SqlNotTranslated);
        assert!(fault.message.contains("js"), "{}", fault.message);
    }
}
