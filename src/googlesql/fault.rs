//! What can be wrong with a piece of SQL, with its place in that SQL.

use sqlparser::tokenizer::{Location, Span};

use crate::diag::Code;

/// A fault in a SQL text. `compile` turns it into a diagnostic at the model's own file and line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SqlFault {
    /// One of the SQL codes ([`crate::diag::Area::Sql`]).
    pub code: Code,
    /// What is wrong, with the user's own names.
    pub message: String,
    /// Where in the given text; [`Span::empty`] when the parser kept no place.
    pub span: Span,
    /// Why, and how to mend it.
    pub help: Option<String>,
}

impl SqlFault {
    /// A fault at a place.
    pub fn new(code: Code, span: Span, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), span, help: None }
    }

    /// Adds advice.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Adds advice that may be missing.
    #[must_use]
    pub fn maybe_help(mut self, help: Option<String>) -> Self {
        self.help = help.or(self.help);
        self
    }
}

/// The place between two locations, lines and columns from 1.
pub fn span_at(line: u64, column: u64) -> Span {
    let start = Location { line, column };
    Span::new(start, Location { line, column: column + 1 })
}
