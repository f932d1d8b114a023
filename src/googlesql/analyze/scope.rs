//! What names mean at a place in a query: tables and their columns, aliases of the select list, outer queries.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;

use sqlparser::tokenizer::Span;

use super::sources::Sources;
use super::value::Value;
use crate::googlesql::Type;

/// The identity of an expression, for "is this the expression of GROUP BY?"; 0 when it has none.
pub(super) type Print = u64;

/// Joins two identities to one (Fibonacci hashing; collisions are as rare as of any 64-bit hash).
pub(super) fn mix(left: u64, right: u64) -> Print {
    let mixed = (left.rotate_left(23) ^ right).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (mixed ^ (mixed >> 29)).max(1)
}

/// The identity of a text.
pub(super) fn print_of(text: &str) -> Print {
    text.bytes()
        .fold(0xCBF2_9CE4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3))
}

/// A column that a table or a subquery offers.
#[derive(Debug, Clone)]
pub(super) struct Attribute {
    /// Its name; `None` for `SELECT 1` and for a column named twice over.
    pub name: Option<Rc<str>>,
    /// Its type.
    pub data_type: Type,
    /// The catalog columns that it comes from.
    pub sources: Sources,
    /// Its identity within its table.
    pub print: Print,
    /// Whether naming it reads a column of the catalog, and not of a subquery that has read it already.
    pub stored: bool,
}

/// The columns of a table or a subquery, shared by all uses of it.
#[derive(Debug, Default)]
pub(super) struct Columns {
    /// In order.
    pub list: Vec<Attribute>,
    /// Whether there may be columns that nothing is known of.
    pub open: bool,
    index: OnceCell<HashMap<String, Found>>,
}

/// What a name finds among columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// Nothing.
    None,
    /// One column.
    One(usize),
    /// More than one.
    Several,
}

impl Columns {
    /// Above this many columns names are looked up in a table instead of one by one.
    const SCAN_LIMIT: usize = 16;

    pub(super) fn new(list: Vec<Attribute>, open: bool) -> Self {
        Self { list, open, index: OnceCell::new() }
    }

    /// The column of a name, without regard to case.
    pub(super) fn find(&self, name: &str) -> Found {
        if self.list.len() > Self::SCAN_LIMIT {
            let index = self.index.get_or_init(|| {
                let mut index = HashMap::with_capacity(self.list.len());
                for (position, attribute) in self.list.iter().enumerate() {
                    if let Some(name) = &attribute.name {
                        index
                            .entry(name.to_lowercase())
                            .and_modify(|found| *found = Found::Several)
                            .or_insert(Found::One(position));
                    }
                }
                index
            });
            return index.get(&name.to_lowercase()).copied().unwrap_or(Found::None);
        }
        let mut found = Found::None;
        for (position, attribute) in self.list.iter().enumerate() {
            if attribute.name.as_ref().is_some_and(|own| same_name(own, name)) {
                if found != Found::None {
                    return Found::Several;
                }
                found = Found::One(position);
            }
        }
        found
    }
}

/// Whether two names are the same to BigQuery, which compares names without case.
pub(super) fn same_name(left: &str, right: &str) -> bool {
    left.eq_ignore_ascii_case(right)
        || (!left.is_ascii() && !right.is_ascii() && left.to_lowercase() == right.to_lowercase())
}

/// One table of a FROM clause.
#[derive(Debug, Clone)]
pub(super) struct Relation {
    /// The name that its columns may be qualified with.
    pub alias: Option<Rc<str>>,
    /// Its columns.
    pub columns: Rc<Columns>,
    /// What the alias alone stands for, when that is not a struct of the columns: an element of UNNEST.
    pub row: Option<Attribute>,
    /// Tells two uses of one table apart; 0 for subqueries, whose columns keep their identity.
    pub salt: u64,
    pub kind: Origin,
}

/// Where a table of FROM comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// The catalog; such tables have pseudo-columns.
    Catalog,
    /// A subquery or WITH.
    Query,
    /// An array; joins with it need no condition.
    Array,
}

impl Relation {
    /// The identity of one of its columns.
    pub(super) fn print(&self, attribute: &Attribute) -> Print {
        if self.salt == 0 { attribute.print } else { mix(self.salt, attribute.print) }
    }
}

/// A column that USING has made of two.
#[derive(Debug, Clone)]
pub(super) struct Merged {
    pub attribute: Attribute,
    /// The columns (table, column) that it stands for.
    pub hidden: Vec<(usize, usize)>,
}

/// An entry of `SELECT *`, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Star {
    Column(usize, usize),
    Merged(usize),
}

/// The tables of a FROM clause.
#[derive(Debug, Clone, Default)]
pub(super) struct From {
    pub relations: Vec<Relation>,
    pub merged: Vec<Merged>,
    pub star: Vec<Star>,
}

impl From {
    /// Adds a table behind the others.
    pub(super) fn push(&mut self, relation: Relation) {
        let table = self.relations.len();
        self.star.extend((0..relation.columns.list.len()).map(|column| Star::Column(table, column)));
        self.relations.push(relation);
    }

    /// The table of an alias.
    pub(super) fn relation(&self, alias: &str) -> Option<&Relation> {
        self.relations
            .iter()
            .find(|relation| relation.alias.as_ref().is_some_and(|own| same_name(own, alias)))
    }

    /// The column that an unqualified name means.
    pub(super) fn column(&self, name: &str) -> Lookup<'_> {
        self.column_between(name, 0, self.relations.len())
    }

    /// The column that an unqualified name means among the tables from `first` on and before `end`.
    pub(super) fn column_between(&self, name: &str, first: usize, end: usize) -> Lookup<'_> {
        let mut hits: Vec<Hit<'_>> = Vec::new();
        for (index, merged) in self.merged.iter().enumerate() {
            if merged.attribute.name.as_ref().is_some_and(|own| same_name(own, name))
                && merged.hidden.iter().any(|(table, _)| (first..end).contains(table))
            {
                hits.push(Hit { entry: Star::Merged(index), attribute: &merged.attribute, relation: None });
            }
        }
        let mut open = false;
        for (table, relation) in self.relations.iter().enumerate().take(end).skip(first) {
            match relation.columns.find(name) {
                Found::One(column) => {
                    let hidden = self.merged.iter().any(|merged| merged.hidden.contains(&(table, column)));
                    if let (false, Some(attribute)) = (hidden, relation.columns.list.get(column)) {
                        let entry = Star::Column(table, column);
                        hits.push(Hit { entry, attribute, relation: Some(relation) });
                    }
                }
                Found::Several => return Lookup::Ambiguous,
                Found::None => open |= relation.columns.open,
            }
        }
        match (hits.len(), hits.pop()) {
            (1, Some(hit)) => Lookup::Column(hit),
            (0, _) if open => Lookup::Unknown,
            (0, _) => Lookup::Nothing,
            _ => Lookup::Ambiguous,
        }
    }

    /// The identity of an entry of `SELECT *`, and the column itself.
    pub(super) fn entry(&self, entry: Star) -> Option<(&Attribute, Print)> {
        match entry {
            Star::Column(table, column) => {
                let relation = self.relations.get(table)?;
                let attribute = relation.columns.list.get(column)?;
                Some((attribute, relation.print(attribute)))
            }
            Star::Merged(index) => {
                self.merged.get(index).map(|merged| (&merged.attribute, merged.attribute.print))
            }
        }
    }
}

/// A column found by name.
#[derive(Debug, Clone, Copy)]
pub(super) struct Hit<'f> {
    pub entry: Star,
    pub attribute: &'f Attribute,
    /// `None` for columns merged by USING.
    pub relation: Option<&'f Relation>,
}

/// What an unqualified name means.
#[derive(Debug, Clone, Copy)]
pub(super) enum Lookup<'f> {
    Column(Hit<'f>),
    Ambiguous,
    /// A table with unknown columns may have it.
    Unknown,
    Nothing,
}

/// A name of the select list, visible in GROUP BY, HAVING, QUALIFY and ORDER BY.
#[derive(Debug, Clone)]
pub(super) struct Alias<'q> {
    pub name: Rc<str>,
    pub value: Value<'q>,
    /// Which item of the select list it is, from 0.
    pub item: usize,
    pub aggregate: bool,
    pub window: bool,
}

/// A use of a column outside of aggregate functions, to be held against GROUP BY once that is known.
#[derive(Debug, Clone)]
pub(super) struct Reference {
    pub name: Rc<str>,
    pub span: Span,
}

/// The uses of columns in one clause, and the expressions around them.
#[derive(Debug, Default)]
pub(super) struct Recorder {
    off: Cell<bool>,
    references: RefCell<Vec<Reference>>,
    covers: RefCell<Vec<(usize, usize, Print)>>,
    aggregates: Cell<u32>,
    windows: Cell<u32>,
}

impl Recorder {
    /// How many uses there are so far: the mark for [`Recorder::cover`].
    pub(super) fn mark(&self) -> usize {
        self.references.borrow().len()
    }

    /// Notes the use of a column.
    pub(super) fn reference(&self, name: &Rc<str>, span: Span, print: Print) {
        if self.off.get() {
            return;
        }
        let start = self.mark();
        self.references.borrow_mut().push(Reference { name: Rc::clone(name), span });
        self.cover(start, print);
    }

    /// Notes that all uses since the mark stand within one expression.
    pub(super) fn cover(&self, mark: usize, print: Print) {
        let end = self.mark();
        if print != 0 && end > mark {
            self.covers.borrow_mut().push((mark, end, print));
        }
    }

    /// Switches notes off (within an aggregate) or on again; returns how it was.
    pub(super) fn set_off(&self, off: bool) -> bool {
        self.off.replace(off)
    }

    pub(super) fn saw_aggregate(&self) {
        self.aggregates.set(self.aggregates.get() + 1);
    }

    pub(super) fn saw_window(&self) {
        self.windows.set(self.windows.get() + 1);
    }

    /// How many aggregates and window functions were seen so far.
    pub(super) fn calls(&self) -> (u32, u32) {
        (self.aggregates.get(), self.windows.get())
    }

    /// The uses that lie within none of the given expressions.
    pub(super) fn uncovered(&self, keys: &BTreeSet<Print>) -> Vec<Reference> {
        let references = self.references.borrow();
        let mut covered = vec![false; references.len()];
        for (start, end, print) in self.covers.borrow().iter() {
            if keys.contains(print)
                && let Some(range) = covered.get_mut(*start..*end)
            {
                range.fill(true);
            }
        }
        references.iter().zip(covered).filter(|(_, covered)| !covered).map(|(own, _)| own.clone()).collect()
    }
}

/// What is visible at a place, and around it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scope<'s, 'q> {
    /// The query around, whose names are visible too.
    pub parent: Option<&'s Scope<'s, 'q>>,
    pub from: &'s From,
    /// Names of the select list, where they are visible.
    pub aliases: &'s [Alias<'q>],
    pub recorder: &'s Recorder,
}
