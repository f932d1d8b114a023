//! Diagnostics as data: what is wrong, where, why, and how to mend it.
//!
//! Every stage returns [`Diagnostics`] instead of stopping at the first fault; only [`render`] decides
//! how they look, and only the command line prints them. Order is fixed once, when they are shown.

pub mod code;
pub mod render;
pub mod source;
pub mod table;
pub mod text;

pub use code::{Area, Code};
pub use source::{SourceFile, Span};
pub use text::MappedText;

use serde::{Deserialize, Serialize};

/// How much a diagnostic weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The command cannot go on.
    Error,
    /// Worth knowing; the command goes on.
    Warning,
}

/// A marked place with an optional word on what stands there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Label {
    /// The marked range.
    pub span: Span,
    /// Text shown at the mark; may be empty.
    pub text: String,
}

/// One fault, complete enough to be mended without reading the code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Diagnostic {
    /// Stable identifier, one per kind of fault.
    pub code: Code,
    /// Error or warning.
    pub severity: Severity,
    /// What is wrong, in one line, with the user's own names.
    pub message: String,
    /// The node it concerns (`model.dim_orders`), if any.
    pub subject: Option<String>,
    /// The place to look at first.
    pub primary: Option<Label>,
    /// Other places that matter (the first definition of a duplicate name).
    pub secondary: Vec<Label>,
    /// Why it is wrong, and how to mend it.
    pub help: Option<String>,
}

impl Diagnostic {
    /// An error without a place; add one with [`Diagnostic::at`].
    pub fn error(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            severity: Severity::Error,
            message: message.into(),
            subject: None,
            primary: None,
            secondary: Vec::new(),
            help: None,
        }
    }

    /// A warning without a place.
    pub fn warning(code: Code, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, message) }
    }

    /// Marks the place to look at first, with a word on what stands there.
    #[must_use]
    pub fn at(mut self, span: Span, text: impl Into<String>) -> Self {
        self.primary = Some(Label { span, text: text.into() });
        self
    }

    /// Like [`Diagnostic::at`] for a place that may be unknown.
    #[must_use]
    pub fn maybe_at(self, span: Option<Span>, text: impl Into<String>) -> Self {
        match span {
            Some(span) => self.at(span, text),
            None => self,
        }
    }

    /// Marks a further place.
    #[must_use]
    pub fn also(mut self, span: Span, text: impl Into<String>) -> Self {
        self.secondary.push(Label { span, text: text.into() });
        self
    }

    /// Says why, and how to mend it.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Like [`Diagnostic::help`] for advice that may be missing.
    #[must_use]
    pub fn maybe_help(mut self, help: Option<String>) -> Self {
        self.help = help.or(self.help);
        self
    }

    /// Names the node it concerns.
    #[must_use]
    pub fn about(mut self, subject: impl Into<String>) -> Self {
        self.subject = Some(subject.into());
        self
    }
}

/// All that a stage found wrong.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Diagnostics(Vec<Diagnostic>);

impl Diagnostics {
    /// Nothing wrong so far.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        self.0.push(diagnostic);
    }

    /// Adds many.
    pub fn extend(&mut self, other: impl IntoIterator<Item = Diagnostic>) {
        self.0.extend(other);
    }

    /// Whether there is none at all.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether any of them stops the command.
    pub fn has_errors(&self) -> bool {
        self.0.iter().any(|diagnostic| diagnostic.severity == Severity::Error)
    }

    /// All of them in the order in which they are shown: by file, place, code.
    pub fn sorted(&self) -> Vec<&Diagnostic> {
        let mut all: Vec<&Diagnostic> = self.0.iter().collect();
        all.sort_by_key(|d| {
            let place = d
                .primary
                .as_ref()
                .map(|label| (label.span.file.name.clone(), label.span.range.start, label.span.range.end));
            (d.severity, place.is_none(), place, d.code, d.message.clone())
        });
        all
    }

    /// Makes one of those that tell the same of the same place: a fault of a macro is found by every template that
    /// uses it, one of a default by every node that it applies to.
    #[must_use]
    pub fn merged(self) -> Self {
        let mut merged: Vec<Diagnostic> = Vec::with_capacity(self.0.len());
        for diagnostic in self.0 {
            let same = |known: &&mut Diagnostic| {
                diagnostic.primary.is_some()
                    && (known.code, &known.message, &known.primary, &known.help)
                        == (diagnostic.code, &diagnostic.message, &diagnostic.primary, &diagnostic.help)
            };
            match merged.iter_mut().find(same) {
                Some(known) => {
                    if known.subject != diagnostic.subject {
                        known.subject = None;
                    }
                    let new: Vec<_> =
                        diagnostic.secondary.into_iter().filter(|l| !known.secondary.contains(l)).collect();
                    known.secondary.extend(new);
                }
                None => merged.push(diagnostic),
            }
        }
        Self(merged)
    }

    /// The diagnostics as they were found.
    pub fn iter(&self) -> std::slice::Iter<'_, Diagnostic> {
        self.0.iter()
    }

    /// `Ok(value)` when nothing stops the command, all faults otherwise. Warnings are lost on the way out:
    /// callers that show them look at them first.
    pub fn into_result<T>(self, value: T) -> Result<T, Self> {
        if self.has_errors() { Err(self) } else { Ok(value) }
    }
}

impl From<Diagnostic> for Diagnostics {
    fn from(diagnostic: Diagnostic) -> Self {
        Self(vec![diagnostic])
    }
}

impl FromIterator<Diagnostic> for Diagnostics {
    fn from_iter<I: IntoIterator<Item = Diagnostic>>(iter: I) -> Self {
        Self(iter.into_iter().collect())
    }
}

impl IntoIterator for Diagnostics {
    type Item = Diagnostic;
    type IntoIter = std::vec::IntoIter<Diagnostic>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a> IntoIterator for &'a Diagnostics {
    type Item = &'a Diagnostic;
    type IntoIter = std::slice::Iter<'a, Diagnostic>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

/// Names in backticks with commas between: `` `a`, `b` ``; the first twenty, and how many there are beyond.
pub fn quoted<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    const SHOWN: usize = 20;
    let names: Vec<&str> = names.into_iter().collect();
    let shown = names.iter().take(SHOWN).map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

/// The known name nearest to a misspelt one, if one is near enough to be meant.
///
/// Distance is Damerau-Levenshtein on lower-cased text, at most a third of the longer name (at least one).
pub fn nearest<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let lowered = wrong.to_lowercase();
    known
        .into_iter()
        .map(|name| (strsim::damerau_levenshtein(&lowered, &name.to_lowercase()), name))
        .filter(|(distance, name)| {
            *distance <= (name.chars().count().max(lowered.chars().count()) / 3).max(1)
        })
        .min()
        .map(|(_, name)| name)
}

/// "Did you mean `x`?" for the nearest known name.
pub fn did_you_mean<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    nearest(wrong, known).map(|name| format!("did you mean `{name}`?"))
}
