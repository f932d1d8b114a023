//! The manifest's JSON Schemas: made from the Rust types, committed under `schema/`, always enforced.

mod explain;
mod generate;

use std::path::Path;
use std::sync::LazyLock;

use jsonschema::Validator;
use serde_json::Value;

use crate::diag::{Code, Diagnostic, Diagnostics};
use crate::manifest::yaml::Document;

pub use generate::schema;

/// The kinds of YAML file that a manifest is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// `pipeline.yaml`.
    Pipeline,
    /// `sources/*.yaml`.
    Sources,
    /// `models/**/*.yaml`.
    Models,
    /// `expectations/*.yaml`.
    Expectations,
    /// `dashboards/*.yaml`.
    Dashboards,
    /// `unit_tests/**/*.yaml`.
    UnitTests,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 6] =
        [Self::Pipeline, Self::Sources, Self::Models, Self::Expectations, Self::Dashboards, Self::UnitTests];

    /// Its name, as in `schema/<name>.schema.json`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pipeline => "pipeline",
            Self::Sources => "sources",
            Self::Models => "models",
            Self::Expectations => "expectations",
            Self::Dashboards => "dashboards",
            Self::UnitTests => "unit_tests",
        }
    }

    fn rules(self) -> &'static Result<Rules, String> {
        static RULES: [LazyLock<Result<Rules, String>>; 6] = [
            LazyLock::new(|| Rules::new(Kind::Pipeline)),
            LazyLock::new(|| Rules::new(Kind::Sources)),
            LazyLock::new(|| Rules::new(Kind::Models)),
            LazyLock::new(|| Rules::new(Kind::Expectations)),
            LazyLock::new(|| Rules::new(Kind::Dashboards)),
            LazyLock::new(|| Rules::new(Kind::UnitTests)),
        ];
        &RULES[self as usize]
    }
}

/// A schema and the validator compiled from it.
struct Rules {
    schema: Value,
    validator: Validator,
}

impl Rules {
    fn new(kind: Kind) -> Result<Self, String> {
        let schema = schema(kind);
        let validator = jsonschema::draft202012::new(&schema).map_err(|error| error.to_string())?;
        Ok(Self { schema, validator })
    }
}

/// Holds a document against its kind's schema; every fault at its place.
pub fn check(kind: Kind, document: &Document) -> Diagnostics {
    match kind.rules() {
        Ok(rules) if rules.validator.is_valid(&document.value) => Diagnostics::new(),
        Ok(rules) => {
            let explainer = explain::Explainer { document, schema: &rules.schema };
            let mut faults = Diagnostics::new();
            for error in rules.validator.iter_errors(&document.value) {
                explainer.explain(&error, &mut faults);
            }
            faults
        }
        Err(error) => {
            Diagnostic::error(Code::Internal, format!("the {} schema is invalid: {error}", kind.name()))
                .help("this is a fault of Pipewright; please report it")
                .into()
        }
    }
}

/// The committed text of a kind's schema: pretty-printed JSON and a final newline.
pub fn text(kind: Kind) -> String {
    format!("{:#}\n", schema(kind))
}

/// Writes all schemas into a folder.
///
/// # Errors
/// When a file cannot be written.
pub fn write(folder: &Path) -> std::io::Result<()> {
    fs_err::create_dir_all(folder)?;
    for kind in Kind::ALL {
        fs_err::write(folder.join(file_name(kind)), text(kind))?;
    }
    Ok(())
}

/// The schema files of a folder that are missing or differ from the types.
pub fn outdated(folder: &Path) -> Vec<String> {
    Kind::ALL
        .into_iter()
        .filter(|kind| {
            fs_err::read_to_string(folder.join(file_name(*kind))).map_or(true, |found| found != text(*kind))
        })
        .map(file_name)
        .collect()
}

/// `pipeline.schema.json`.
pub fn file_name(kind: Kind) -> String {
    format!("{}.schema.json", kind.name())
}
