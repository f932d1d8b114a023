//! GoogleSQL with places for names and values, which are known or quoted only when it is written for one table.

use serde::{Deserialize, Serialize};

use super::Address;
use crate::diag::MappedText;
use crate::googlesql::Type;
use crate::manifest::types::{Scalar, as_json};

/// A piece of GoogleSQL.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Fragment {
    /// Its parts, in order.
    pub parts: Vec<Part>,
}

/// A part of a piece of GoogleSQL.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Part {
    /// Text of Pipewright's own.
    Sql(String),
    /// A column's name.
    Column(String),
    /// A literal of the type of what it is held against.
    Value {
        /// The value.
        #[serde(with = "as_json")]
        value: Scalar,
        /// What it is held against.
        against: Against,
        /// Its key in the entry.
        key: String,
    },
    /// A STRING literal.
    Text(String),
    /// Another table's name.
    Table(Address),
    /// The name of the table under audit.
    This,
    /// A condition or query of the user's.
    Own(MappedText),
    /// A condition of the user's over the columns of another table.
    OwnOf(Address, MappedText),
    /// One of the values that are computed for each row beforehand.
    Computed(usize),
    /// The value that a condition is about.
    Itself,
    /// A column's value in the rows that are looked at, NULL in the others.
    Filtered(String),
    /// How many rows are looked at.
    Looked,
    /// Behind the name of the table under audit: `WHERE` and what holds for the rows that are looked at; nothing where
    /// all are.
    Where,
    /// A column as JSON, parsed where it is text.
    Json(String),
    /// All columns of the table under audit.
    AllColumns,
}

/// What a value is held against.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Against {
    /// The values of a column.
    Column(String),
    /// The values of a column from which on they are too little or too much: those of whole numbers may have a fraction.
    Bound(String),
    /// The mean of a column, or what is between two of its values.
    MeanOf(String),
    /// The sum of a column.
    SumOf(String),
    /// The sum of a row's columns.
    SumOfColumns(Vec<String>),
    /// Values of a type.
    Type(Type),
}

impl Fragment {
    /// Text.
    #[must_use]
    pub fn new(sql: &str) -> Self {
        Self::default().sql(sql)
    }

    /// A column.
    #[must_use]
    pub fn of_column(name: &str) -> Self {
        Self::default().column(name)
    }

    /// A condition of the user's, in brackets.
    #[must_use]
    pub fn own(sql: MappedText) -> Self {
        Self::new("(").part(Part::Own(sql)).sql(")")
    }

    /// A condition of the user's over the columns of another table, in brackets.
    #[must_use]
    pub fn own_of(table: &Address, sql: MappedText) -> Self {
        Self::new("(").part(Part::OwnOf(table.clone(), sql)).sql(")")
    }

    /// Adds a part.
    #[must_use]
    pub fn part(mut self, part: Part) -> Self {
        self.parts.push(part);
        self
    }

    /// Adds text.
    #[must_use]
    pub fn sql(self, sql: &str) -> Self {
        self.part(Part::Sql(sql.to_owned()))
    }

    /// Adds a column's name.
    #[must_use]
    pub fn column(self, name: &str) -> Self {
        self.part(Part::Column(name.to_owned()))
    }

    /// Adds names of columns, with commas between them.
    #[must_use]
    pub fn columns(self, names: &[String]) -> Self {
        self.list(names.iter().map(|name| Self::of_column(name)), ", ")
    }

    /// Adds a STRING literal.
    #[must_use]
    pub fn text(self, text: &str) -> Self {
        self.part(Part::Text(text.to_owned()))
    }

    /// Adds a literal.
    #[must_use]
    pub fn value(self, value: &Scalar, against: Against, key: &str) -> Self {
        self.part(Part::Value { value: value.clone(), against, key: key.to_owned() })
    }

    /// Adds literals, with commas between them, which stand in a list of the entry.
    #[must_use]
    pub fn values(self, values: &[Scalar], against: &Against, key: &str) -> Self {
        let each = values
            .iter()
            .enumerate()
            .map(|(index, value)| Self::default().value(value, against.clone(), &format!("{key}/{index}")));
        self.list(each, ", ")
    }

    /// Adds pieces, with something between them.
    #[must_use]
    pub fn list(mut self, items: impl IntoIterator<Item = Self>, between: &str) -> Self {
        for (index, item) in items.into_iter().enumerate() {
            if index > 0 {
                self = self.sql(between);
            }
            self.parts.extend(item.parts);
        }
        self
    }

    /// Adds another piece.
    #[must_use]
    pub fn and_then(mut self, other: Self) -> Self {
        self.parts.extend(other.parts);
        self
    }

    /// The tables that it names.
    pub fn tables(&self) -> impl Iterator<Item = &Address> {
        self.parts.iter().filter_map(|part| match part {
            Part::Table(address) => Some(address),
            _ => None,
        })
    }

    /// The user's own SQL in it that is about other tables.
    pub fn own_sql_of_others(&self) -> impl Iterator<Item = (&Address, &MappedText)> {
        self.parts.iter().filter_map(|part| match part {
            Part::OwnOf(table, sql) => Some((table, sql)),
            _ => None,
        })
    }

    /// The user's own SQL in it that is about the table under audit.
    pub fn own_sql(&self) -> impl Iterator<Item = &MappedText> {
        self.parts.iter().filter_map(|part| match part {
            Part::Own(sql) => Some(sql),
            _ => None,
        })
    }
}
