//! `${NAME}` and `${NAME:-default}` in string leaves.
//!
//! The YAML is parsed first and substituted afterwards, so a value can never change the manifest's structure
//! and every fault still has its place.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use serde_json::Value;

use super::yaml::{Document, escape_pointer};
use crate::diag::{Code, Diagnostic, Diagnostics};

/// Where values of environment variables come from.
pub trait Environment {
    /// The value of a variable; an empty one counts as unset, as in a shell's `:-`.
    fn get(&self, name: &str) -> Option<String>;
}

/// The environment of this process.
#[derive(Debug, Clone, Copy, Default)]
pub struct ProcessEnvironment;

impl Environment for ProcessEnvironment {
    fn get(&self, name: &str) -> Option<String> {
        std::env::var(name).ok()
    }
}

impl Environment for BTreeMap<String, String> {
    fn get(&self, name: &str) -> Option<String> {
        BTreeMap::get(self, name).cloned()
    }
}

/// An environment that remembers what it was asked for.
pub struct Recorder<'a> {
    environment: &'a (dyn Environment + Sync),
    asked: Mutex<BTreeMap<String, Option<String>>>,
}

impl<'a> Recorder<'a> {
    /// A recorder of what another environment is asked for.
    pub fn new(environment: &'a (dyn Environment + Sync)) -> Self {
        Self { environment, asked: Mutex::default() }
    }

    /// The names that were asked for, with their values.
    pub fn asked(self) -> BTreeMap<String, Option<String>> {
        self.asked.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Environment for Recorder<'_> {
    fn get(&self, name: &str) -> Option<String> {
        let value = self.environment.get(name);
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned(), value.clone());
        value
    }
}

/// Substitutes in all string leaves of a document and notes which leaves were touched.
pub fn substitute(document: &mut Document, environment: &dyn Environment) -> Diagnostics {
    let mut found = Walk { environment, touched: Vec::new(), faults: Vec::new() };
    let mut value = std::mem::take(&mut document.value);
    found.value(&mut value, "");
    document.value = value;
    let faults = found
        .faults
        .into_iter()
        .map(|fault| {
            Diagnostic::error(fault.code, fault.message)
                .at(document.value_span(&fault.pointer), "used here")
                .help(fault.help)
        })
        .collect();
    document.substituted = found.touched;
    faults
}

struct Walk<'a> {
    environment: &'a dyn Environment,
    touched: Vec<String>,
    faults: Vec<Fault>,
}

struct Fault {
    code: Code,
    pointer: String,
    message: String,
    help: String,
}

impl Walk<'_> {
    fn value(&mut self, value: &mut Value, pointer: &str) {
        match value {
            Value::String(text) if text.contains("${") => {
                match expand(text, self.environment) {
                    Ok(expanded) => *text = expanded,
                    Err((code, message, help)) => {
                        self.faults.push(Fault { code, pointer: pointer.to_owned(), message, help });
                    }
                }
                self.touched.push(pointer.to_owned());
            }
            Value::Array(items) => {
                for (index, item) in items.iter_mut().enumerate() {
                    self.value(item, &format!("{pointer}/{index}"));
                }
            }
            Value::Object(entries) => {
                for (key, item) in entries.iter_mut() {
                    self.value(item, &format!("{pointer}/{}", escape_pointer(key)));
                }
            }
            _ => {}
        }
    }
}

/// One text with its variables replaced. `$${` stands for a literal `${`.
fn expand(text: &str, environment: &dyn Environment) -> Result<String, (Code, String, String)> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find("${") {
        if rest[..start].ends_with('$') {
            out.push_str(&rest[..start - 1]);
            out.push_str("${");
            rest = &rest[start + 2..];
            continue;
        }
        out.push_str(&rest[..start]);
        let inside = &rest[start + 2..];
        let end = inside.find('}').ok_or_else(|| {
            (
                Code::BadSubstitution,
                "a `${` without its `}`".to_owned(),
                "write `${NAME}` or `${NAME:-default}`; `$${` for the characters themselves".to_owned(),
            )
        })?;
        let (name, default) = match inside[..end].split_once(":-") {
            Some((name, default)) => (name, Some(default)),
            None => (&inside[..end], None),
        };
        let well_formed = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if !well_formed {
            return Err((
                Code::BadSubstitution,
                format!("`{name}` is no name of an environment variable"),
                "names have letters, digits and `_`; write `${NAME}` or `${NAME:-default}`".to_owned(),
            ));
        }
        match environment.get(name).filter(|value| !value.is_empty()).or(default.map(str::to_owned)) {
            Some(value) => out.push_str(&value),
            None => {
                return Err((
                    Code::UnsetVariable,
                    format!("the environment variable `{name}` is not set"),
                    format!("set it, or give a default: `${{{name}:-value}}`"),
                ));
            }
        }
        rest = &inside[end + 1..];
    }
    out.push_str(rest);
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diag::SourceFile;

    fn environment() -> BTreeMap<String, String> {
        BTreeMap::from([("DIR".to_owned(), "/data".to_owned()), ("EMPTY".to_owned(), String::new())])
    }

    #[test]
    fn values_defaults_and_escapes() {
        for (text, expected) in [
            ("${DIR}/a", "/data/a"),
            ("${NO:-data/sample}/a", "data/sample/a"),
            ("${EMPTY:-x}", "x"),
            ("${NO:-}", ""),
            ("a $${DIR} $5", "a ${DIR} $5"),
            ("${DIR}${DIR}", "/data/data"),
        ] {
            assert_eq!(expand(text, &environment()).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn a_value_is_never_expanded_again_and_never_yaml() {
        let environment = BTreeMap::from([("A".to_owned(), "${B}: [x]".to_owned())]);
        assert_eq!(expand("${A}", &environment).as_deref(), Ok("${B}: [x]"));
    }

    #[test]
    fn faults_stand_at_their_leaf() {
        let file = SourceFile::new("a.yaml", "a: ok\nb:\n  - ${NO}\n  - ${1x}\n  - ${open\n");
        let mut document = Document::parse(&file).unwrap();
        let faults = substitute(&mut document, &environment());
        let found: Vec<_> = faults
            .sorted()
            .iter()
            .map(|fault| (fault.code, fault.primary.as_ref().unwrap().span.position()))
            .collect();
        assert_eq!(
            found,
            [(Code::UnsetVariable, (3, 5)), (Code::BadSubstitution, (4, 5)), (Code::BadSubstitution, (5, 5))]
        );
        assert!(
            document.is_substituted("/b/0")
                && document.is_substituted("/b")
                && !document.is_substituted("/a")
        );
    }
}
