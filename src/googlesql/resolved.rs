//! What the analysis of a query knows and its translation needs: the meaning of names, by the place where they stand.

use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeMap, BTreeSet};
use std::hash::{Hash, Hasher};

use sqlparser::ast::{Expr, Spanned};
use sqlparser::tokenizer::Span;

use super::Type;

/// Line and column, from 1.
type Place = (u64, u64);

/// Names of one query whose meaning hangs on types and columns. Of a query that was not analyzed nothing is known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Resolved {
    struct_arrays: BTreeSet<Place>,
    elements: BTreeSet<Place>,
    /// Arguments of functions, by where they start and end; none if one place has several types, as the body of a
    /// function may have.
    arguments: BTreeMap<(Place, Place), Option<Type>>,
    /// The fields of structs that an asterisk stands for.
    fields: BTreeMap<(Place, Place), Vec<String>>,
    /// Values that are taken as another type than they have, where the engine would not convert them by itself.
    conversions: BTreeMap<Key, (Type, Type)>,
    /// The columns of queries whose rows are taken as others, by the place of the query.
    rows: BTreeMap<(Place, Place), Vec<TakenColumn>>,
    /// Operands of arithmetic in BIGNUMERIC.
    big: BTreeSet<Key>,
    /// Names that stand for variables of a script.
    variables: BTreeSet<Place>,
    /// Functions that take a BIGNUMERIC, by where their names start.
    big_calls: BTreeSet<Place>,
}

/// A column of a query: its name, its type, and the type that it is taken as.
pub type TakenColumn = (String, Type, Type);

/// Where an expression stands and of which form it is: a cast begins and ends with its value.
type Key = (Place, Place, u64);

impl Resolved {
    /// Notes an array in FROM whose elements are structs: their fields are columns.
    pub fn add_structs(&mut self, array: Span) {
        self.struct_arrays.extend(place(array));
    }

    /// Whether the elements of an array in FROM are structs.
    pub fn has_structs(&self, array: Span) -> bool {
        place(array).is_some_and(|place| self.struct_arrays.contains(&place))
    }

    /// Notes a name that stands for a whole element of an array in FROM.
    pub fn add_element(&mut self, name: Span) {
        self.elements.extend(place(name));
    }

    /// Whether a name stands for a whole element of an array in FROM.
    pub fn is_element(&self, name: Span) -> bool {
        place(name).is_some_and(|place| self.elements.contains(&place))
    }

    /// Notes the type of an argument.
    pub fn add_argument(&mut self, argument: Span, data_type: &Type) {
        if let Some(key) = ends(argument) {
            self.arguments
                .entry(key)
                .and_modify(|known| {
                    if known.as_ref() != Some(data_type) {
                        *known = None;
                    }
                })
                .or_insert_with(|| Some(data_type.clone()));
        }
    }

    /// Notes the type that a value is taken as.
    pub fn add_conversion(&mut self, value: &Expr, from: &Type, to: &Type) {
        if let Some(key) = key(value) {
            self.conversions.insert(key, (from.clone(), to.clone()));
        }
    }

    /// The type of a value and the one that it is taken as.
    pub fn conversion(&self, value: &Expr) -> Option<&(Type, Type)> {
        if self.conversions.is_empty() { None } else { self.conversions.get(&key(value)?) }
    }

    /// Notes what the columns of a query are taken as.
    pub fn add_rows(&mut self, query: Span, columns: Vec<TakenColumn>) {
        if let Some(key) = ends(query) {
            self.rows.insert(key, columns);
        }
    }

    /// What the columns of a query are taken as, where that differs from what they are.
    pub fn rows(&self, query: Span) -> Option<&[TakenColumn]> {
        if self.rows.is_empty() { None } else { self.rows.get(&ends(query)?).map(Vec::as_slice) }
    }

    /// Notes an operand of arithmetic in BIGNUMERIC.
    pub fn add_big(&mut self, operand: &Expr) {
        self.big.extend(key(operand));
    }

    /// Whether an operand stands in arithmetic in BIGNUMERIC.
    pub fn is_big(&self, operand: &Expr) -> bool {
        !self.big.is_empty() && key(operand).is_some_and(|key| self.big.contains(&key))
    }

    /// Notes a name that stands for a variable of a script.
    pub fn add_variable(&mut self, name: Span) {
        self.variables.extend(place(name));
    }

    /// Whether a name stands for a variable of a script.
    pub fn is_variable(&self, name: Span) -> bool {
        place(name).is_some_and(|place| self.variables.contains(&place))
    }

    /// Notes a function that takes a BIGNUMERIC.
    pub fn add_big_call(&mut self, call: Span) {
        self.big_calls.extend(place(call));
    }

    /// Whether a function takes a BIGNUMERIC.
    pub fn is_big_call(&self, call: Span) -> bool {
        !self.big_calls.is_empty() && place(call).is_some_and(|place| self.big_calls.contains(&place))
    }

    /// Notes the fields of `value.*`.
    pub fn add_fields(&mut self, value: Span, fields: Vec<String>) {
        if let Some(key) = ends(value) {
            self.fields.insert(key, fields);
        }
    }

    /// The fields of `value.*`, each with a name.
    pub fn fields(&self, value: Span) -> Option<&[String]> {
        self.fields.get(&ends(value)?).map(Vec::as_slice)
    }

    /// The type of an argument of a function that takes values of any type.
    pub fn argument(&self, argument: Span) -> Option<&Type> {
        self.arguments.get(&ends(argument)?)?.as_ref()
    }
}

/// Parentheses are no form of their own.
fn key(expr: &Expr) -> Option<Key> {
    let mut inner = expr;
    while let Expr::Nested(next) = inner {
        inner = next;
    }
    let mut hasher = DefaultHasher::new();
    std::mem::discriminant(inner).hash(&mut hasher);
    match inner {
        Expr::Cast { data_type, kind, .. } => (data_type.to_string(), kind).hash(&mut hasher),
        Expr::UnaryOp { op, .. } => op.hash(&mut hasher),
        _ => {}
    }
    let (start, end) = ends(span_of(inner))?;
    Some((start, end, hasher.finish()))
}

fn ends(span: Span) -> Option<(Place, Place)> {
    Some((place(span)?, (span.end.line, span.end.column)))
}

/// Where something starts; none for what the translation made up.
fn place(span: Span) -> Option<Place> {
    (span.start.line > 0).then_some((span.start.line, span.start.column))
}

/// The place of an expression, also of those that the parser gives none.
pub(super) fn span_of(expr: &Expr) -> Span {
    let all = |items: &[Expr]| items.iter().fold(Span::empty(), |span, item| span.union(&span_of(item)));
    match expr {
        Expr::Struct { values, .. } => all(values),
        Expr::Array(array) => all(&array.elem),
        Expr::Nested(inner) => span_of(inner),
        Expr::Named { expr, name } => span_of(expr).union(&name.span),
        _ => expr.span(),
    }
}
