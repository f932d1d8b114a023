//! Expectations with their tables looked up.

use std::time::Duration;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use super::{Address, Fragment, Part};
use crate::diag::{MappedText, Span};
use crate::manifest::types::ExpectationSeverity;
use crate::manifest::types::expectation::{ColumnsMode, SchemaChange, Scope};

/// One thing that must hold of one table.
#[derive(Debug, Serialize, Deserialize)]
pub struct Expectation {
    /// Its name, unique among the expectations of its table: `not_null_order_id`.
    pub name: String,
    /// The word that the manifest has for its kind.
    pub kind: String,
    /// The suite that declares it.
    pub suite: String,
    /// The table that it is about.
    pub on: Address,
    /// What must hold.
    pub form: Form,
    /// What a failure means.
    pub severity: ExpectationSeverity,
    /// The rows that it is about.
    pub scope: Scope,
    /// Condition for the rows that are looked at.
    pub filter: Option<MappedText>,
    /// The least share of the rows looked at that must hold.
    pub mostly: f64,
    /// The most of them that may fail, if `mostly` says less.
    pub allowed: u64,
    /// Why it must hold.
    pub description: Option<String>,
    /// What else there is to know.
    pub note: Option<String>,
    /// Who looks after it.
    pub owner: Option<String>,
    /// How many failing rows are kept.
    pub sample_rows: u32,
    /// The columns that samples begin with.
    pub key_columns: Vec<NamedColumn>,
    /// Words to select it by.
    pub tags: Vec<String>,
    /// Where it is declared.
    pub span: Span,
    /// The columns that it names, besides those in SQL of the user's.
    pub columns: Vec<NamedColumn>,
    /// The columns of other tables that it names: the table, the column, and where it is named.
    pub other_columns: Vec<(Address, NamedColumn)>,
    /// Where its other values stand, by key: `min`, `values/0`.
    pub key_spans: IndexMap<String, Span>,
}

/// A column as an expectation names it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct NamedColumn {
    /// Its name.
    pub name: String,
    /// What it must be good for.
    pub needs: Needs,
    /// Where it is named.
    pub span: Span,
}

/// What the type of a column must be good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Needs {
    /// Nothing in particular.
    Any,
    /// Functions of texts.
    Text,
    /// Functions of texts or bytes.
    TextOrBytes,
    /// Texts or JSON.
    TextOrJson,
    /// Arithmetic.
    Number,
    /// Counting by ones.
    Integer,
    /// More and less.
    Order,
    /// Being put into groups.
    Groups,
    /// Parting the rows of a window, which FLOAT64 cannot in BigQuery.
    Partition,
    /// Being a point in time.
    Time,
}

/// What must hold, by the way it is checked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Form {
    /// A condition holds for each row.
    Rows {
        /// What must be there for a row to be looked at.
        present: Vec<Fragment>,
        /// What is computed for each row from several rows beforehand.
        computed: Vec<Fragment>,
        /// The condition.
        holds: Fragment,
    },
    /// No two rows have the same values in these columns.
    Unique {
        /// The key's columns.
        columns: Vec<String>,
    },
    /// A condition holds for a value that is computed over all rows, or over those of each group.
    Value {
        /// What is computed for each row beforehand.
        computed: Vec<Fragment>,
        /// An aggregate.
        value: Fragment,
        /// The condition, about [`super::Part::Itself`].
        holds: Fragment,
        /// What the value is, in words: `the mean of price`.
        what: String,
        /// What it has to be, in words: `at least 1 and at most 5`.
        expected: String,
        /// What parts the rows into groups.
        group_by: Vec<String>,
    },
    /// The value that occurs most often is among some.
    MostCommon {
        /// The column.
        column: String,
        /// A condition about the column.
        among: Fragment,
        /// Whether one of several that occur equally often is enough.
        ties_okay: bool,
    },
    /// The number of rows is within bounds.
    RowCount {
        /// The fewest rows.
        min: Option<u64>,
        /// The most rows.
        max: Option<u64>,
        /// Another table's number of rows, and how it compares.
        other: Option<(OtherCount, Address)>,
    },
    /// The newest value is recent.
    Freshness {
        /// The column.
        column: String,
        /// How old the newest value may be.
        max_age: Duration,
    },
    /// A query gives no rows but bad ones.
    BadRows {
        /// The query.
        rows: Fragment,
    },
    /// Two numbers are equal.
    Equals {
        /// The tables that both may name: `this` and those that are read.
        tables: Fragment,
        /// A query of one number.
        one: Fragment,
        /// A query of the other.
        other: Fragment,
        /// How far apart they may be.
        within: f64,
    },
    /// Something is known of the table without asking it.
    Known(Known),
}

/// How the number of a table's rows compares with that of another's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OtherCount {
    /// They are equal.
    Equal,
    /// The other has more.
    More,
}

/// The query that answers an expectation in an audit of its table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scan {
    /// One over the table's rows, for all that look at rows.
    Rows,
    /// One over groups of its rows, for all that look at groups.
    Groups,
    /// Its own.
    Own,
    /// None: it is known without a query.
    Nothing,
}

/// What is known of a table without asking it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Known {
    /// It is there.
    Exists,
    /// Names of columns.
    Columns {
        /// The names.
        names: Vec<String>,
        /// How they relate to those of the table.
        mode: ColumnsMode,
    },
    /// The number of columns.
    ColumnCount {
        /// The fewest.
        min: Option<u64>,
        /// The most.
        max: Option<u64>,
    },
    /// A column's type.
    Type {
        /// The column.
        column: String,
        /// The types that it may have.
        types: Vec<String>,
    },
    /// The number of rows against that of the last run.
    Volume {
        /// The greatest share that may be gone, as the bits of an `f64`: plans are compared for equality.
        max_drop: Option<u64>,
        /// The greatest share that may have come, likewise.
        max_growth: Option<u64>,
    },
    /// The columns against those of the last run.
    Schema {
        /// Changes that may be.
        allow: Vec<SchemaChange>,
    },
}

impl Expectation {
    /// `expectation.dim_orders.not_null_order_key`.
    pub fn address(&self) -> String {
        format!("expectation.{}.{}", self.on.name, self.name)
    }

    /// The other tables that it reads.
    pub fn reads(&self) -> Vec<&Address> {
        match &self.form {
            Form::RowCount { other: Some((_, address)), .. } => vec![address],
            form => form.fragments().into_iter().flat_map(Fragment::tables).collect(),
        }
    }

    /// The user's own conditions over the table's columns.
    pub fn conditions(&self) -> Vec<&MappedText> {
        let own = match &self.form {
            Form::Rows { holds, .. } => holds.own_sql().collect(),
            _ => Vec::new(),
        };
        self.filter.iter().chain(own).collect()
    }

    /// The user's own conditions over the columns of other tables.
    pub fn conditions_of_others(&self) -> Vec<(&Address, &MappedText)> {
        self.form.fragments().into_iter().flat_map(Fragment::own_sql_of_others).collect()
    }
}

impl Form {
    /// The query that answers it in an audit.
    pub fn scan(&self) -> Scan {
        match self {
            Self::Value { group_by, .. } if !group_by.is_empty() => Scan::Groups,
            Self::Unique { .. } | Self::MostCommon { .. } => Scan::Groups,
            Self::Rows { .. }
            | Self::Value { .. }
            | Self::RowCount { .. }
            | Self::Freshness { .. }
            | Self::Known(Known::Volume { .. }) => Scan::Rows,
            Self::BadRows { .. } | Self::Equals { .. } => Scan::Own,
            Self::Known(_) => Scan::Nothing,
        }
    }

    /// Whether it is about all columns of the table, whatever they are.
    pub fn names_all_columns(&self) -> bool {
        self.fragments()
            .into_iter()
            .flat_map(|fragment| &fragment.parts)
            .any(|part| *part == Part::AllColumns)
    }

    /// The SQL in it.
    pub(super) fn fragments(&self) -> Vec<&Fragment> {
        match self {
            Self::Rows { present, computed, holds } => {
                present.iter().chain(computed).chain([holds]).collect()
            }
            Self::Value { computed, value, holds, .. } => computed.iter().chain([value, holds]).collect(),
            Self::MostCommon { among, .. } => vec![among],
            Self::BadRows { rows } => vec![rows],
            Self::Equals { tables, one, other, .. } => vec![tables, one, other],
            Self::Unique { .. } | Self::RowCount { .. } | Self::Freshness { .. } | Self::Known(_) => {
                Vec::new()
            }
        }
    }
}
