//! Which names may be used for what.

use crate::diag::{Code, Diagnostic, Span};

/// Datasets that the engines or Pipewright itself use.
const RESERVED_DATASETS: [&str; 7] =
    ["pipewright", "googlesql", "information_schema", "pg_catalog", "main", "temp", "system"];
/// BigQuery allows 1,024 bytes for a table and 300 characters for a column; the lesser holds for all.
const MAX_LENGTH: usize = 300;

/// A table's, model's or column's name: a letter or `_`, then letters, digits and `_`, so that it means the
/// same unquoted on every target.
pub(super) fn check(what: &str, name: &str, span: &Span) -> Option<Diagnostic> {
    let well_formed = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && name.len() <= MAX_LENGTH;
    if !well_formed {
        return Some(
            Diagnostic::error(Code::BadName, format!("`{name}` cannot be the name of a {what}"))
                .at(span.clone(), "this name")
                .help("use letters, digits and `_`, not starting with a digit, 300 characters at most"),
        );
    }
    (name.ends_with("__rejects") || name.contains("__pipewright_")).then(|| {
        Diagnostic::error(Code::BadName, format!("the name `{name}` is kept for Pipewright's own tables"))
            .at(span.clone(), "this name")
            .help("names that end in `__rejects` or hold `__pipewright_` are taken")
    })
}

/// A dataset's name.
pub(super) fn check_dataset(name: &str, span: &Span) -> Option<Diagnostic> {
    if RESERVED_DATASETS.contains(&name.to_ascii_lowercase().as_str()) {
        return Some(
            Diagnostic::error(
                Code::BadName,
                format!("the dataset name `{name}` is taken by the engine or by Pipewright"),
            )
            .at(span.clone(), "this name")
            .help(format!("choose another, for example `{name}_data`")),
        );
    }
    check("dataset", name, span)
}
