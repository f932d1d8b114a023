//! The functions that BigQuery has.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::signature::{Kind, Signature};
use crate::diag::nearest;

mod aggregate;
mod datetime;
mod foreign;
mod number;
mod other;
mod text;
mod window;

/// A function and the ways to call it.
#[derive(Debug)]
pub(super) struct Function {
    /// Upper case.
    pub name: &'static str,
    pub kind: Kind,
    pub signatures: Vec<Signature>,
}

/// What is known of a function's name.
#[derive(Debug, Clone, Copy)]
pub(super) enum Known {
    /// A function with signatures.
    Signed(&'static Function),
    /// A function that exists (or may), whose signatures are not kept here.
    Unsigned,
    /// None of BigQuery's.
    Unknown,
}

static FUNCTIONS: LazyLock<HashMap<&'static str, Function>> = LazyLock::new(|| {
    let mut functions: HashMap<&'static str, Function> = HashMap::new();
    for (kind, table) in families() {
        for (name, signature) in table.lines().filter_map(Signature::parse) {
            functions
                .entry(name)
                .or_insert_with(|| Function { name, kind, signatures: Vec::new() })
                .signatures
                .push(signature);
        }
    }
    functions
});

fn families() -> impl Iterator<Item = (Kind, &'static str)> {
    [aggregate::TABLES, datetime::TABLES, number::TABLES, other::TABLES, text::TABLES, window::TABLES]
        .into_iter()
        .flatten()
        .copied()
}

/// Namespaces whose functions are kept here: an unknown name in them is a fault and not a user's function.
const NAMESPACES: &[&str] = &["NET", "HLL_COUNT", "KLL_QUANTILES", "KEYS", "AEAD"];

/// Looks up a function by its upper-case name, `NET.HOST`.
pub(super) fn find(name: &str) -> Known {
    if let Some(function) = FUNCTIONS.get(name) {
        return Known::Signed(function);
    }
    let unsigned = match name.split_once('.') {
        Some((namespace, _)) => !NAMESPACES.contains(&namespace),
        None => foreign::UNSIGNED.contains(&name) || name.starts_with("ST_") || name.starts_with("S2_"),
    };
    if unsigned { Known::Unsigned } else { Known::Unknown }
}

/// The names of all functions that have signatures, sorted.
pub(super) fn names() -> Vec<&'static str> {
    let mut names: Vec<&str> = FUNCTIONS.keys().copied().collect();
    names.sort_unstable();
    names
}

/// Advice for a function that BigQuery does not have: its name there, or the nearest one.
pub(super) fn advice(name: &str) -> Option<String> {
    if let Some((_, advice)) = foreign::HINTS.iter().find(|(foreign, _)| *foreign == name) {
        return Some(format!("in GoogleSQL: {advice}"));
    }
    nearest(name, names()).map(|near| format!("did you mean `{near}`?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_tables_is_a_signature() {
        for (_, table) in families() {
            for line in table.lines().filter(|line| !line.trim().is_empty()) {
                assert!(Signature::parse(line).is_some(), "{line}");
            }
        }
    }

    #[test]
    fn a_foreign_name_leads_to_ours() {
        assert!(advice("DATEDIFF").is_some_and(|advice| advice.contains("DATE_DIFF")));
        assert_eq!(advice("COALESE").as_deref(), Some("did you mean `COALESCE`?"));
        assert!(matches!(find("NVL"), Known::Unknown));
        assert!(matches!(find("NET.HOTS"), Known::Unknown));
        assert!(matches!(find("MY_DATASET.F"), Known::Unsigned));
        for (foreign, _) in foreign::HINTS {
            assert!(matches!(find(foreign), Known::Unknown), "{foreign} is a function of BigQuery");
        }
        for name in foreign::UNSIGNED {
            assert!(!FUNCTIONS.contains_key(name), "{name} has signatures");
        }
    }
}
