//! What the validator found, in words: which key, which value, what is allowed, which name was meant.

use jsonschema::error::{TypeKind, ValidationError, ValidationErrorKind};
use serde_json::Value;

use crate::diag::{Code, Diagnostic, Diagnostics, did_you_mean, quoted};
use crate::googlesql::types::foreign_type;
use crate::manifest::yaml::{Document, escape_pointer};

/// More options than these are only listed where none of them is near.
const MOST_OPTIONS: usize = 16;

/// Turns findings on one document into diagnostics.
pub(super) struct Explainer<'a> {
    pub(super) document: &'a Document,
    pub(super) schema: &'a Value,
}

impl Explainer<'_> {
    /// Adds the diagnostics for one finding; several where the chosen form of a choice has several faults.
    pub(super) fn explain(&self, error: &ValidationError<'_>, faults: &mut Diagnostics) {
        let pointer = error.instance_path().to_string();
        match error.kind() {
            ValidationErrorKind::AdditionalProperties { unexpected }
            | ValidationErrorKind::UnevaluatedProperties { unexpected } => {
                for key in unexpected {
                    faults.push(self.unknown_key(error, &pointer, key));
                }
            }
            ValidationErrorKind::Required { property } => {
                faults.push(self.missing_key(&pointer, property.as_str().unwrap_or_default()));
            }
            // A value of the wrong type is not among the values either: one fault for it, not two.
            ValidationErrorKind::Type { .. }
                if self.owner(error).is_some_and(|owner| owner.get("enum").is_some()) => {}
            ValidationErrorKind::Type { .. }
                if self.owner(error).is_some_and(|owner| owner.get("oneOf").is_some()) => {}
            ValidationErrorKind::Type { kind } => {
                let found = type_name(error.instance());
                faults.push(
                    Diagnostic::error(
                        Code::WrongType,
                        format!("{} must be {}, not {found}", Self::place_name(&pointer), wanted(kind)),
                    )
                    .at(self.document.value_span(&pointer), format!("this is {found}"))
                    .maybe_help(self.type_hint(error, kind)),
                );
            }
            ValidationErrorKind::Enum { options } => {
                faults.push(self.not_among(&pointer, error.instance(), &listed(options)));
            }
            ValidationErrorKind::OneOfNotValid { context } | ValidationErrorKind::AnyOf { context } => {
                self.choice(error, context, faults);
            }
            ValidationErrorKind::Pattern { pattern } => {
                let help = self.examples(error).map_or_else(
                    || format!("it must match `{pattern}`"),
                    |examples| format!("write it like {examples}"),
                );
                let place = Self::place_name(&pointer);
                let shown = error.instance().as_str().filter(|_| !self.document.is_substituted(&pointer));
                let message = match shown {
                    Some(text) => format!("`{text}` is no value of {place}"),
                    None => format!("this is no value of {place}"),
                };
                faults.push(
                    Diagnostic::error(Code::BadValue, message)
                        .at(self.document.value_span(&pointer), "not of the form that it takes")
                        .help(help),
                );
            }
            _ => faults.push(
                Diagnostic::error(
                    Code::BadValue,
                    format!("{} {}", Self::place_name(&pointer), broken_rule(error)),
                )
                .at(self.document.value_span(&pointer), "this value")
                .maybe_help(self.examples(error).map(|examples| format!("for example {examples}"))),
            ),
        }
    }

    fn unknown_key(&self, error: &ValidationError<'_>, pointer: &str, key: &str) -> Diagnostic {
        let known = self.known_keys(error);
        let place = self.document.key_span(&format!("{pointer}/{}", escape_pointer(key)));
        let help = did_you_mean(key, known.iter().map(String::as_str))
            .unwrap_or_else(|| format!("known here: {}", quoted(known.iter().map(String::as_str))));
        Diagnostic::error(Code::UnknownKey, format!("unknown key `{key}` in {}", Self::place_name(pointer)))
            .at(place, "not a key of the manifest")
            .help(help)
    }

    fn missing_key(&self, pointer: &str, key: &str) -> Diagnostic {
        Diagnostic::error(Code::MissingKey, format!("{} lacks the key `{key}`", Self::place_name(pointer)))
            .at(self.document.key_span(pointer), format!("`{key}` is missing here"))
            .help(format!("add `{key}:` below it"))
    }

    fn not_among(&self, pointer: &str, found: &Value, options: &[String]) -> Diagnostic {
        let shown = if self.document.is_substituted(pointer) { None } else { found.as_str() };
        let message = match shown {
            Some(text) => format!("`{text}` is no value of {}", Self::place_name(pointer)),
            None => format!("this is no value of {}", Self::place_name(pointer)),
        };
        let all = format!("one of {}", quoted(options.iter().map(String::as_str)));
        let foreign = shown
            .and_then(foreign_type)
            .filter(|ours| options.iter().any(|option| option == ours))
            .map(|ours| format!("did you mean `{ours}`?"));
        let near = shown.and_then(|text| did_you_mean(text, options.iter().map(String::as_str)));
        let meant = near.or(foreign);
        Diagnostic::error(Code::BadValue, message)
            .at(self.document.value_span(pointer), "not among the values")
            .help(match meant {
                Some(meant) if options.len() > MOST_OPTIONS => meant,
                Some(meant) => format!("{meant} ({all})"),
                None => all,
            })
    }

    /// A choice between forms: the form that its discriminator names is the one that was meant, and its faults
    /// are told; a wrong or missing discriminator is the fault otherwise.
    fn choice(
        &self,
        error: &ValidationError<'_>,
        forms: &[Vec<ValidationError<'static>>],
        faults: &mut Diagnostics,
    ) {
        let pointer = error.instance_path().to_string();
        let Some(key) = self.discriminator(error) else {
            let found = type_name(error.instance());
            faults.push(
                Diagnostic::error(
                    Code::WrongType,
                    format!("{} fits none of its forms", Self::place_name(&pointer)),
                )
                .at(self.document.value_span(&pointer), format!("this is {found}")),
            );
            return;
        };
        if !error.instance().is_object() {
            let found = type_name(error.instance());
            faults.push(
                Diagnostic::error(
                    Code::WrongType,
                    format!("{} must be a mapping, not {found}", Self::place_name(&pointer)),
                )
                .at(self.document.value_span(&pointer), format!("this is {found}"))
                .help(format!("write a mapping with the key `{key}`")),
            );
            return;
        }
        let key_pointer = format!("{pointer}/{key}");
        let meant =
            forms.iter().find(|form| !form.iter().any(|fault| is_discriminator(fault, &key_pointer, &key)));
        match meant {
            Some(form) => form.iter().for_each(|fault| self.explain(fault, faults)),
            None => {
                let options = self.discriminator_values(error, &key);
                match error.instance().get(&key) {
                    Some(found) => faults.push(self.not_among(&key_pointer, found, &options)),
                    None => faults.push(self.missing_key(&pointer, &key).help(format!(
                        "add `{key}:` with one of {}",
                        quoted(options.iter().map(String::as_str))
                    ))),
                }
            }
        }
    }

    /// The key whose constant tells the forms of a choice apart.
    fn discriminator(&self, error: &ValidationError<'_>) -> Option<String> {
        let forms = self.forms(error)?;
        let properties = self.resolved(forms.first()?)?.get("properties")?.as_object()?;
        properties.iter().find(|(_, property)| property.get("const").is_some()).map(|(key, _)| key.clone())
    }

    fn discriminator_values(&self, error: &ValidationError<'_>, key: &str) -> Vec<String> {
        let forms = self.forms(error).map(Vec::as_slice).unwrap_or_default();
        forms
            .iter()
            .filter_map(|form| self.resolved(form)?.get("properties")?.get(key)?.get("const")?.as_str())
            .map(str::to_owned)
            .collect()
    }

    fn forms(&self, error: &ValidationError<'_>) -> Option<&Vec<Value>> {
        self.schema.pointer(&error.schema_path().to_string())?.as_array()
    }

    fn resolved<'v>(&'v self, schema: &'v Value) -> Option<&'v Value> {
        match schema.get("$ref").and_then(Value::as_str) {
            Some(reference) => self.schema.pointer(reference.trim_start_matches('#')),
            None => Some(schema),
        }
    }

    /// The schema that holds the keyword which failed.
    fn owner(&self, error: &ValidationError<'_>) -> Option<&Value> {
        let path = error.schema_path().to_string();
        self.schema.pointer(path.rsplit_once('/')?.0)
    }

    fn known_keys(&self, error: &ValidationError<'_>) -> Vec<String> {
        self.owner(error)
            .and_then(|owner| owner.get("properties")?.as_object())
            .map(|properties| properties.keys().cloned().collect())
            .unwrap_or_default()
    }

    fn examples(&self, error: &ValidationError<'_>) -> Option<String> {
        let examples = self.owner(error)?.get("examples")?.as_array()?;
        Some(examples.iter().map(|example| format!("`{}`", plain(example))).collect::<Vec<_>>().join(", "))
    }

    fn type_hint(&self, error: &ValidationError<'_>, kind: &TypeKind) -> Option<String> {
        if let (Value::Number(_) | Value::Bool(_), true) = (&**error.instance(), wanted(kind) == "a text") {
            return Some("put it in quotes".to_owned());
        }
        if let (Value::Array(_), "a mapping") = (&**error.instance(), wanted(kind).as_str()) {
            return Some(
                "write `name: value` lines without `-`; where things have names, the names are the keys"
                    .to_owned(),
            );
        }
        self.examples(error).map(|examples| format!("for example {examples}")).or_else(|| {
            match wanted(kind).as_str() {
                "a mapping" => Some("write `key: value` lines".to_owned()),
                "a list" => Some("write each entry on a line of its own behind `- `".to_owned()),
                _ => None,
            }
        })
    }

    /// What people call the place: `model stg_orders`, `source raw_orders, column order_id`, or the dotted path.
    fn place_name(pointer: &str) -> String {
        let path: Vec<String> =
            pointer.split('/').skip(1).map(|part| part.replace("~1", "/").replace("~0", "~")).collect();
        if path.is_empty() {
            return "the file".to_owned();
        }
        let mut name = String::new();
        for part in path {
            if part.parse::<usize>().is_ok() {
                name.push_str(&format!("[{part}]"));
            } else {
                if !name.is_empty() {
                    name.push('.');
                }
                name.push_str(&part);
            }
        }
        format!("`{name}`")
    }
}

fn is_discriminator(fault: &ValidationError<'_>, key_pointer: &str, key: &str) -> bool {
    match fault.kind() {
        // Other tools' names are patterns: see `generate`.
        ValidationErrorKind::Constant { .. } | ValidationErrorKind::Pattern { .. } => {
            fault.instance_path().to_string() == key_pointer
        }
        ValidationErrorKind::Required { property } => property.as_str() == Some(key),
        _ => false,
    }
}

/// What a value breaks, without showing the value: it may be a secret.
fn broken_rule(error: &ValidationError<'_>) -> String {
    match error.kind() {
        ValidationErrorKind::Minimum { limit } => format!("must be {} or more", number(limit)),
        ValidationErrorKind::Maximum { limit } => format!("must be {} or less", number(limit)),
        ValidationErrorKind::MinItems { limit: 1 } => "must not be empty".to_owned(),
        ValidationErrorKind::MinItems { limit } => format!("must have {limit} entries or more"),
        ValidationErrorKind::MaxItems { limit } => format!("must have {limit} entries or fewer"),
        ValidationErrorKind::MinProperties { limit: 1 } => "must not be empty".to_owned(),
        ValidationErrorKind::MinLength { limit } => format!("must have {limit} characters or more"),
        ValidationErrorKind::MaxLength { limit } => format!("must have {limit} characters or fewer"),
        ValidationErrorKind::Constant { expected_value } => format!("must be `{}`", plain(expected_value)),
        ValidationErrorKind::UniqueItems => "has the same entry twice".to_owned(),
        other => format!("breaks the rule `{}`", other.keyword()),
    }
}

/// A bound without the `.0` that a float's JSON has.
fn number(limit: &Value) -> String {
    let text = limit.to_string();
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}

fn wanted(kind: &TypeKind) -> String {
    let name = |name: &str| match name {
        "object" => "a mapping",
        "array" => "a list",
        "string" => "a text",
        "integer" => "a whole number",
        "number" => "a number",
        "boolean" => "true or false",
        _ => "empty",
    };
    match kind {
        TypeKind::Single(single) => name(&single.to_string()).to_owned(),
        TypeKind::Multiple(several) => {
            several.iter().map(|one| name(&one.to_string())).collect::<Vec<_>>().join(" or ")
        }
    }
}

fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "empty",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a mapping",
    }
}

fn listed(options: &Value) -> Vec<String> {
    options.as_array().map(|options| options.iter().map(plain).collect()).unwrap_or_default()
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diag::SourceFile;
    use crate::schema::{Kind, check};

    /// Code, line, and a piece of message or help that must be told.
    fn expect(kind: Kind, yaml: &str, expected: &[(Code, usize, &str)]) {
        let document = Document::parse(&SourceFile::new("a.yaml", yaml)).unwrap();
        let faults = check(kind, &document);
        let found = faults.sorted();
        assert_eq!(found.len(), expected.len(), "{found:#?}");
        for (fault, (code, line, piece)) in found.iter().zip(expected) {
            let told = format!("{} {}", fault.message, fault.help.clone().unwrap_or_default());
            assert_eq!(
                (fault.code, fault.primary.as_ref().unwrap().span.position().0),
                (*code, *line),
                "{told}"
            );
            assert!(told.contains(piece), "{told}");
        }
    }

    const SOURCE: &str = "sources:\n  raw:\n    files: a.csv\n    columns:\n      a: {type: STRING}\n";

    #[test]
    fn a_good_file_has_no_fault() {
        expect(Kind::Sources, SOURCE, &[]);
        expect(Kind::Models, "models:\n  a: {}\n", &[]);
    }

    #[test]
    fn all_faults_are_told_with_place_and_advice() {
        expect(
            Kind::Sources,
            "sources:\n  raw:\n    file: a.csv\n    columns:\n      a: {type: STRNG}\n      b: 5\n    on_new_column: 3\n",
            &[
                (Code::MissingKey, 2, "`files`"),
                (Code::UnknownKey, 3, "did you mean `files`?"),
                (Code::BadValue, 5, "did you mean `STRING`?"),
                (Code::WrongType, 6, "must be a mapping, not a number"),
                (Code::BadValue, 7, "one of `add`, `ignore`, `fail`"),
            ],
        );
    }

    #[test]
    fn a_choice_is_judged_by_the_form_that_was_meant() {
        let suite = |line: &str| format!("suites:\n  s:\n    table: t\n    expectations:\n      - {line}\n");
        expect(
            Kind::Expectations,
            &suite("{expect: not_nul, columns: [a]}"),
            &[(Code::BadValue, 5, "did you mean `not_null`?")],
        );
        expect(Kind::Expectations, &suite("{columns: [a]}"), &[(Code::MissingKey, 5, "`expect`")]);
        expect(
            Kind::Expectations,
            &suite("{expect: accepted_values, column: a, value: [x]}"),
            &[(Code::MissingKey, 5, "`values`"), (Code::UnknownKey, 5, "did you mean `values`?")],
        );
        expect(
            Kind::Expectations,
            &suite("{expect: between, columns: [a], mostly: 2}"),
            &[(Code::BadValue, 5, "1 or less")],
        );
        expect(Kind::Expectations, &suite("not_null"), &[(Code::WrongType, 5, "must be a mapping")]);
    }
}
