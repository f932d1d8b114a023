//! Labels, by the rules of <https://cloud.google.com/bigquery/docs/labels-intro>.

use std::collections::BTreeMap;

use indexmap::IndexMap;

use super::resolve::Resolver;
use crate::diag::{Code, Diagnostic};
use crate::manifest::yaml::{Document, escape_pointer};

/// The most labels of one thing.
pub(super) const MOST: usize = 64;
/// How the names of Pipewright's own labels begin.
const OWN: &str = "pipewright";
/// The longest name or value, in characters.
const LONGEST: usize = 63;

impl Resolver<'_> {
    /// The labels of something, by their names.
    pub(super) fn labels(
        &mut self,
        document: &Document,
        pointer: &str,
        labels: &IndexMap<String, String>,
    ) -> BTreeMap<String, String> {
        let pointer = format!("{pointer}/labels");
        if labels.len() > MOST {
            let message = format!("{} labels are more than the {MOST} that BigQuery allows", labels.len());
            self.faults.push(
                Diagnostic::error(Code::BadValue, message)
                    .at(document.key_span(&pointer), "these labels")
                    .help("take some out"),
            );
        }
        for (name, value) in labels {
            let place = format!("{pointer}/{}", escape_pointer(name));
            let help = "labels have lower case letters, digits, `_` and `-`, 63 at most; a name begins with a letter";
            let fault = |message, span| {
                Diagnostic::error(Code::BadValue, message)
                    .at(span, "not of the form that labels have")
                    .help(help)
            };
            if !is_label(name) || !name.starts_with(|first: char| first.is_alphabetic()) {
                let message = format!("`{name}` cannot be the name of a label");
                self.faults.push(fault(message, document.key_span(&place)));
            }
            if name.starts_with(OWN) {
                self.faults.push(
                    Diagnostic::error(
                        Code::BadValue,
                        format!("the label `{name}` is kept for Pipewright's own"),
                    )
                    .at(document.key_span(&place), "this name")
                    .help("choose a name that does not begin with `pipewright`"),
                );
            }
            if !is_label(value) {
                // What a variable gives may be a secret.
                let what = if document.is_substituted(&place) {
                    "what a variable gives".to_owned()
                } else {
                    format!("`{value}`")
                };
                let message = format!("{what} cannot be the value of a label");
                self.faults.push(fault(message, document.value_span(&place)));
            }
        }
        labels.iter().map(|(name, value)| (name.clone(), value.clone())).collect()
    }
}

/// Whether a text may stand in a label: letters of any script, none of them in upper case.
fn is_label(text: &str) -> bool {
    text.chars().count() <= LONGEST
        && text.chars().all(|c| (c.is_alphanumeric() && !c.is_uppercase()) || c == '_' || c == '-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_of_bigquerys_form() {
        for label in ["", "team", "cost-centre_7", "é", &"a".repeat(63)] {
            assert!(is_label(label), "{label}");
        }
        for label in ["Team", "a b", "a.b", &"a".repeat(64)] {
            assert!(!is_label(label), "{label}");
        }
    }
}
