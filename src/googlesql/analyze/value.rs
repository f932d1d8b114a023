//! What is known of an expression.

use std::rc::Rc;

use super::scope::Print;
use super::sources::Sources;
use crate::googlesql::Type;

/// The written form of an expression, as far as implicit conversion depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Form<'q> {
    /// Computed.
    #[default]
    Computed,
    /// A column as it is.
    Column,
    /// `NULL`, which takes any type.
    Null,
    /// A literal other than text.
    Literal,
    /// A text literal, which may stand for a date, a time or bytes.
    Text(&'q str),
    /// A query parameter, which converts as a literal of its type does.
    Parameter,
    /// `[]`, an array of anything.
    EmptyArray,
}

/// An expression's type and origin.
#[derive(Debug, Clone)]
pub(super) struct Value<'q> {
    pub data_type: Type,
    pub form: Form<'q>,
    /// The catalog columns that it is computed from.
    pub sources: Sources,
    /// Its identity, 0 when it has none (subqueries, volatile functions).
    pub print: Print,
    /// The values of a struct as it is written, which convert one by one.
    pub parts: Option<Rc<[Value<'q>]>>,
}

impl<'q> Value<'q> {
    /// A value of a type without origin.
    pub(super) fn of(data_type: Type) -> Self {
        Self { data_type, form: Form::Computed, sources: Sources::None, print: 0, parts: None }
    }

    /// A value computed from columns.
    pub(super) fn computed(data_type: Type, sources: Sources, print: Print) -> Self {
        Self { data_type, form: Form::Computed, sources, print, parts: None }
    }

    /// A column, or a field of one.
    pub(super) fn column(data_type: Type, sources: Sources, print: Print) -> Self {
        Self { form: Form::Column, ..Self::computed(data_type, sources, print) }
    }

    /// A value that nothing is known of.
    pub(super) fn unknown() -> Self {
        Self::of(Type::Unknown)
    }

    /// A literal.
    pub(super) fn literal(data_type: Type, form: Form<'q>, print: Print) -> Self {
        Self { data_type, form, sources: Sources::None, print, parts: None }
    }

    /// Whether nothing is known of its type.
    pub(super) fn is_unknown(&self) -> bool {
        self.data_type == Type::Unknown && self.form != Form::Null
    }

    /// Whether it converts as a literal does.
    pub(super) fn is_literal(&self) -> bool {
        !matches!(self.form, Form::Computed | Form::Column)
    }

    /// The form of a field or an element of this value: a field of a column is as good as a column.
    pub(super) fn form_of_part(&self) -> Form<'q> {
        if self.form == Form::Column { Form::Column } else { Form::Computed }
    }
}
