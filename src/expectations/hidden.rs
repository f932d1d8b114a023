//! Values that are not for everybody's eyes: where an expectation would tell them, and what is told instead.
//!
//! Columns are hidden by name. SQL of the user's may make other columns and numbers out of hidden ones, so that what it
//! gives is hidden as soon as it names one, unless it is a column that the tables have under that name.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::googlesql::Column;
use crate::project::{Expectation, Form, Fragment};

/// What stands for a hidden value.
pub const HIDDEN: &str = "***";

/// The column of a sample that has the value of each group.
pub(super) const GROUP_VALUE: &str = "value";

/// Kinds whose value is a number of rows or of different values, or a share of them: it tells none of them.
const COUNTING_KINDS: [&str; 7] = [
    "at_least_one",
    "distinct_count",
    "distinct_values",
    "not_constant",
    "null_share",
    "row_count",
    "unique_share",
];

/// Functions that make one text out of a whole row, which names no column.
const WHOLE_ROWS: [&str; 3] = ["to_json", "to_json_string", "format"];

/// What the engine calls faults that have nothing to do with values.
const WITHOUT_VALUES: [&str; 7] = [
    "Binder Error",
    "Catalog Error",
    "INTERRUPT Error",
    "IO Error",
    "Out of Memory Error",
    "Parser Error",
    "TransactionContext Error",
];

/// What an expectation does not tell.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hidden {
    /// Whether what was observed is hidden.
    pub observed: bool,
    /// Columns whose values are hidden in samples, in lower case.
    pub columns: BTreeSet<String>,
    /// The only columns that are shown in samples, in lower case; nothing where all others are.
    pub all_but: Option<BTreeSet<String>>,
}

impl Hidden {
    /// What an expectation does not tell where columns of some names, in lower case, are personal. `tables` are the
    /// columns of its table and of those that it reads.
    pub fn of(expectation: &Expectation, personal: &BTreeSet<String>, tables: &[&[Column]]) -> Self {
        let mut hidden = Self { columns: personal.clone(), ..Self::default() };
        let is_personal = |name: &str| personal.contains(&name.to_lowercase());
        match &expectation.form {
            Form::Value { group_by, .. } if !COUNTING_KINDS.contains(&expectation.kind.as_str()) => {
                // The value's own column comes first, those of the groups behind it.
                let of_value = expectation.columns.first();
                if of_value.is_some_and(|column| is_personal(&column.name)) {
                    hidden.observed = true;
                    if !group_by.is_empty() {
                        hidden.columns.insert(GROUP_VALUE.to_owned());
                    }
                }
            }
            Form::Freshness { column, .. } => hidden.observed = is_personal(column),
            Form::BadRows { rows } => {
                // Values of a column may come from one of another name in another table.
                let pairs = expectation.columns.iter().zip(&expectation.other_columns);
                let paired = pairs.filter(|(_, (_, other))| is_personal(&other.name));
                hidden.columns.extend(paired.map(|(own, _)| own.name.to_lowercase()));
                hidden.all_but = shown_by(rows, personal, tables);
            }
            Form::Equals { one, other, .. } => {
                hidden.observed = [one, other].iter().any(|sql| shown_by(sql, personal, tables).is_some());
            }
            Form::Rows { .. }
            | Form::Unique { .. }
            | Form::Value { .. }
            | Form::MostCommon { .. }
            | Form::RowCount { .. }
            | Form::Known(_) => {}
        }
        hidden
    }

    /// Whether a column of a sample is hidden.
    pub fn covers(&self, column: &str) -> bool {
        let column = column.to_lowercase();
        self.columns.contains(&column) || self.all_but.as_ref().is_some_and(|shown| !shown.contains(&column))
    }

    /// What was found in a past run, which may be from before its column was marked.
    pub fn hide_found(&self, found: &mut String) {
        if self.observed && !found.contains(HIDDEN) {
            HIDDEN.clone_into(found);
        }
    }

    /// Rows of a sample without what is hidden. That there is no value is told.
    pub fn hide(&self, rows: &mut [Value]) {
        for (name, value) in rows.iter_mut().filter_map(Value::as_object_mut).flatten() {
            if !self.covers(name) {
                hide_fields(&self.columns, value);
            } else if !value.is_null() {
                *value = Value::from(HIDDEN);
            }
        }
    }
}

/// Hides fields of these names in what stands within a value.
fn hide_fields(names: &BTreeSet<String>, value: &mut Value) {
    match value {
        Value::Array(values) => values.iter_mut().for_each(|value| hide_fields(names, value)),
        Value::Object(fields) => {
            for (name, value) in fields {
                if names.contains(&name.to_lowercase()) && !value.is_null() {
                    *value = Value::from(HIDDEN);
                } else {
                    hide_fields(names, value);
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// The columns that the user's own SQL may show: all, told as nothing, unless it names a personal column.
fn shown_by(sql: &Fragment, personal: &BTreeSet<String>, tables: &[&[Column]]) -> Option<BTreeSet<String>> {
    let columns = || tables.iter().copied().flatten().map(|column| column.name.to_lowercase());
    let reads_personal = || columns().any(|name| personal.contains(&name));
    let told = |text: &str| {
        names(text, personal)
            || words(text).any(|word| WHOLE_ROWS.contains(&word.as_str())) && reads_personal()
    };
    if !sql.own_sql().any(|own| told(&own.text)) {
        return None;
    }
    let mut shown: BTreeSet<String> = columns().filter(|name| !personal.contains(name)).collect();
    // A name that is given anew may stand for anything.
    for own in sql.own_sql() {
        let aliases = words(&own.text).zip(words(&own.text).skip(1)).filter(|(word, _)| word == "as");
        for (_, alias) in aliases {
            shown.remove(&alias);
        }
    }
    Some(shown)
}

fn words(sql: &str) -> impl Iterator<Item = String> {
    let words = sql.split(|letter: char| !is_of_word(letter)).filter(|word| !word.is_empty());
    words.map(str::to_lowercase)
}

fn is_of_word(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

/// Whether SQL names one of these columns, which are in lower case.
pub fn names(sql: &str, columns: &BTreeSet<String>) -> bool {
    if columns.is_empty() {
        return false;
    }
    let unusual = |name: &&String| !name.chars().all(is_of_word);
    words(sql).any(|word| columns.contains(&word))
        || columns.iter().filter(unusual).any(|name| sql.to_lowercase().contains(name.as_str()))
}

/// What an engine says of SQL that failed: only the kind of the fault where it may quote values of personal columns.
pub fn said(message: &str, sql: &str, personal: &BTreeSet<String>) -> String {
    if !names(sql, personal) {
        return message.to_owned();
    }
    let kind = message.split_once(':').map(|(kind, _)| kind);
    let is_kind =
        |kind: &&str| kind.ends_with("Error") && kind.chars().all(|c| c.is_alphabetic() || c == ' ');
    match kind.filter(is_kind) {
        Some(kind) if WITHOUT_VALUES.contains(&kind) => message.to_owned(),
        Some(kind) => format!("{kind}: {HIDDEN} (it may quote values of personal columns)"),
        None => format!("{HIDDEN} (it may quote values of personal columns)"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn set(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn columns_are_found_in_sql_as_whole_words() {
        let personal = set(&["email", "last-name"]);
        for sql in ["SELECT EMAIL FROM this", "lower(this.`Email`)", "\"email\" > 'x'", "`Last-Name`"] {
            assert!(names(sql, &personal), "{sql}");
        }
        for sql in ["SELECT emails", "e_mail", "email_2 + my_email", "last_name"] {
            assert!(!names(sql, &personal), "{sql}");
        }
        assert!(!names("anything", &set(&[])));
    }

    #[test]
    fn rows_are_hidden_by_the_names_in_them() {
        let hidden =
            Hidden { columns: set(&["email"]), all_but: Some(set(&["id", "tags"])), observed: false };
        let mut rows = vec![json!({
            "id": 1, "Email": "a", "other": "a", "none": null, "tags": [{ "email": "a", "n": 1 }]
        })];
        hidden.hide(&mut rows);
        assert_eq!(
            rows[0],
            json!({ "id": 1, "Email": "***", "other": "***", "none": null, "tags": [{ "email": "***", "n": 1 }] })
        );
    }

    #[test]
    fn of_a_fault_its_kind_is_told() {
        let personal = set(&["email"]);
        let said = |message, sql| said(message, sql, &personal);
        let fault = "Conversion Error: Could not convert string 'a@b: c' to INT64";
        assert_eq!(said(fault, "SELECT id"), fault);
        assert_eq!(
            said(fault, "SELECT \"email\""),
            "Conversion Error: *** (it may quote values of personal columns)"
        );
        assert_eq!(said("a@b: c", "email"), "*** (it may quote values of personal columns)");
        let harmless = "Catalog Error: Table with name x does not exist!";
        assert_eq!(said(harmless, "SELECT email"), harmless);
    }
}
