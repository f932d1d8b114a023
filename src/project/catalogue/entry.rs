//! One entry of a suite while it is read: its places, its faults, and what it comes to mean.

use super::super::resolve::Resolver;
use super::super::{Address, Form, Fragment, NamedColumn, Needs, Part};
use crate::diag::{Code, Diagnostic, MappedText, Span};
use crate::manifest::types::OneOrMany;
use crate::manifest::types::expectation::{Common, aliases};
use crate::manifest::yaml::Document;

/// Where an entry stands.
pub(in crate::project) struct Place<'a> {
    pub(in crate::project) document: &'a Document,
    pub(in crate::project) pointer: String,
    /// Our word for its kind.
    pub(in crate::project) kind: &'static str,
}

impl Place<'_> {
    /// The value of a key, which may stand under another tool's name.
    pub(in crate::project) fn value(&self, key: &str) -> Span {
        self.document.value_span(&self.at(key))
    }

    pub(in crate::project) fn whole(&self) -> Span {
        self.document.value_span(&self.pointer)
    }

    /// The user's SQL under a key.
    pub(in crate::project) fn sql(&self, key: &str, sql: &str) -> MappedText {
        self.document.text(&self.at(key), sql)
    }

    fn at(&self, key: &str) -> String {
        let has = |key: &str| self.document.has(&format!("{}/{key}", self.pointer));
        let (first, rest) = key.split_once('/').map_or((key, None), |(first, rest)| (first, Some(rest)));
        let first = aliases::key_in(self.kind, &has, first);
        match rest {
            Some(rest) => format!("{}/{first}/{rest}", self.pointer),
            None => format!("{}/{first}", self.pointer),
        }
    }
}

/// An entry that is being read.
pub(in crate::project) struct Entry<'e, 'r> {
    pub(in crate::project) resolver: &'e mut Resolver<'r>,
    pub(in crate::project) at: &'e Place<'e>,
}

/// One expectation of an entry.
pub(in crate::project) struct Meaning {
    /// What its name is made from, behind the kind.
    pub(in crate::project) what: String,
    pub(in crate::project) form: Form,
    pub(in crate::project) columns: Vec<NamedColumn>,
    pub(in crate::project) other_columns: Vec<(Address, NamedColumn)>,
}

impl Meaning {
    pub(super) fn new(what: impl Into<String>, form: Form, columns: Vec<NamedColumn>) -> Self {
        Self { what: what.into(), form, columns, other_columns: Vec::new() }
    }

    /// A condition on the rows in which a column has a value.
    pub(super) fn of_rows(column: NamedColumn, holds: Fragment) -> Self {
        let present = vec![Fragment::of_column(&column.name)];
        let form = Form::Rows { present, computed: Vec::new(), holds };
        Self::new(column.name.clone(), form, vec![column])
    }
}

impl Entry<'_, '_> {
    /// A column that a key names.
    pub(super) fn column(&self, name: &str, key: &str, needs: Needs) -> NamedColumn {
        NamedColumn { name: name.to_owned(), needs, span: self.at.value(key) }
    }

    /// The columns of a list.
    pub(super) fn list(&self, names: &[String], key: &str, needs: Needs) -> Vec<NamedColumn> {
        let each = names.iter().enumerate();
        each.map(|(index, name)| self.column(name, &format!("{key}/{index}"), needs)).collect()
    }

    /// The columns of an entry that is an expectation for each.
    pub(super) fn each_column(&mut self, common: &Common<'_>, needs: Needs) -> Vec<NamedColumn> {
        let Some((one, several)) = common.shared.columns else { return Vec::new() };
        let columns: Vec<NamedColumn> = one
            .map(|name| self.column(name, "column", needs))
            .into_iter()
            .chain(self.list(several, "columns", needs))
            .collect();
        if columns.is_empty() {
            let message = format!("`{}` names no column", self.at.kind);
            self.missing(&message, "add `column:` or `columns:` below it", "no column here");
        }
        columns
    }

    /// A table that a key names; a fault unless there is one.
    pub(super) fn table(&mut self, name: &str, key: &str) -> Option<Address> {
        self.resolver.address(name, &self.at.value(key))
    }

    /// Tells that something is missing.
    pub(super) fn missing(&mut self, message: &str, help: &str, label: &str) {
        let fault = Diagnostic::error(Code::MissingKey, message).at(self.at.whole(), label).help(help);
        self.resolver.faults.push(fault);
    }

    /// Tells that a value is wrong.
    pub(super) fn wrong(&mut self, key: &str, message: &str, help: &str) {
        let fault =
            Diagnostic::error(Code::BadValue, message).at(self.at.value(key), "this value").help(help);
        self.resolver.faults.push(fault);
    }
}

/// What is written as one text or several, with the key of each.
pub(super) fn texts(texts: &OneOrMany) -> Vec<&str> {
    match texts {
        OneOrMany::One(text) => vec![text],
        OneOrMany::Many(texts) => texts.iter().map(String::as_str).collect(),
    }
}

/// The keys of the values in a form.
pub(in crate::project) fn keys(form: &Form) -> Vec<&str> {
    form.fragments()
        .into_iter()
        .flat_map(|fragment| &fragment.parts)
        .filter_map(|part| match part {
            Part::Value { key, .. } => Some(key.as_str()),
            _ => None,
        })
        .collect()
}
