//! Unit tests of models, with their tables looked up and their rows read.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::resolve::Resolver;
use super::{Address, NodeKind};
use crate::diag::{Code, Diagnostic, Span};
use crate::manifest::Loaded;
use crate::manifest::types::{Fixture, UnitTestsFile, as_json};
use crate::manifest::yaml::{Document, escape_pointer};

/// A unit test of a model.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct UnitTest {
    /// Its name.
    pub name: String,
    /// The model.
    pub model: Address,
    /// Where it is declared.
    pub span: Span,
    /// The rows of tables that the model reads.
    pub given: Vec<(Address, Rows)>,
    /// The rows that the table of an incremental model has already.
    pub this: Option<Rows>,
    /// The rows that it must make.
    pub expect: Rows,
}

/// Rows of a table.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Rows {
    /// Where they are given.
    pub span: Span,
    /// Each row with its place.
    #[serde(with = "as_json")]
    pub rows: Vec<IndexMap<String, Value>>,
    /// The rows' places, where they have some of their own.
    pub spans: Vec<Span>,
}

/// The table of the model itself, as its template calls it.
const THIS: &str = "this";

impl Resolver<'_> {
    /// All unit tests of a file.
    pub(super) fn unit_tests(
        &mut self,
        file: &Loaded<UnitTestsFile>,
        tests: &mut IndexMap<String, UnitTest>,
    ) {
        let document = &file.document;
        for (name, test) in &file.content.tests {
            let pointer = format!("/tests/{}", escape_pointer(name));
            let span = document.key_span(&pointer);
            let Some(model) = self.address(&test.model, &document.value_span(&format!("{pointer}/model")))
            else {
                continue;
            };
            if model.kind != NodeKind::Model {
                let message = format!("`{}` is no model: there is no query to test", test.model);
                let fault = Diagnostic::error(Code::UnknownReference, message)
                    .at(document.value_span(&format!("{pointer}/model")), "not a model")
                    .help("test a model that reads it");
                self.faults.push(fault);
                continue;
            }
            let mut given = Vec::new();
            let mut this = None;
            for (table, fixture) in &test.given {
                let pointer = format!("{pointer}/given/{}", escape_pointer(table));
                if table == THIS {
                    this = self.rows(fixture, document, &pointer);
                    continue;
                }
                let Some(address) = self.address(table, &document.key_span(&pointer)) else { continue };
                if let Some(rows) = self.rows(fixture, document, &pointer) {
                    given.push((address, rows));
                }
            }
            let Some(expect) = self.rows(&test.expect, document, &format!("{pointer}/expect")) else {
                continue;
            };
            let read = UnitTest { name: name.clone(), model, span: span.clone(), given, this, expect };
            if let Some(first) = tests.insert(name.clone(), read) {
                let fault = Diagnostic::error(
                    Code::DuplicateName,
                    format!("the unit test `{name}` is declared twice"),
                )
                .at(span, "declared again")
                .also(first.span, "first declared here")
                .help("rename one");
                self.faults.push(fault);
            }
        }
    }

    fn rows(&mut self, fixture: &Fixture, document: &Document, pointer: &str) -> Option<Rows> {
        let span = document.value_span(pointer);
        match (&fixture.rows, &fixture.csv, &fixture.file) {
            (Some(rows), None, None) => {
                let spans =
                    (0..rows.len()).map(|index| document.value_span(&format!("{pointer}/rows/{index}")));
                Some(Rows { span, rows: rows.clone(), spans: spans.collect() })
            }
            (None, Some(text), None) => self.csv(text, document.value_span(&format!("{pointer}/csv"))),
            (None, None, Some(path)) => {
                let span = document.value_span(&format!("{pointer}/file"));
                match self.raw.fixtures.iter().find(|file| file.name == *path) {
                    Some(file) => self.csv(&file.text, span),
                    // That it cannot be read is told where it is read.
                    None => None,
                }
            }
            _ => {
                let message = "rows are given in one way of three";
                let fault = Diagnostic::error(Code::MissingKey, message)
                    .at(span, "here")
                    .help("give `rows`, `csv` or `file`");
                self.faults.push(fault);
                None
            }
        }
    }

    fn csv(&mut self, text: &str, span: Span) -> Option<Rows> {
        let mut reader = csv::ReaderBuilder::new().from_reader(text.as_bytes());
        let read = || -> Result<Vec<IndexMap<String, Value>>, csv::Error> {
            let heads = reader.headers()?.clone();
            let mut rows = Vec::new();
            for record in reader.records() {
                let record = record?;
                let value = |text: &str| if text.is_empty() { Value::Null } else { Value::from(text) };
                rows.push(heads.iter().map(str::to_owned).zip(record.iter().map(value)).collect());
            }
            Ok(rows)
        };
        let mut read = read;
        match read() {
            Ok(rows) => Some(Rows { span, rows, spans: Vec::new() }),
            Err(error) => {
                let fault = Diagnostic::error(Code::BadValue, format!("this is no CSV: {error}"))
                    .at(span, "these rows")
                    .help("a header, then a line for each row with as many values");
                self.faults.push(fault);
                None
            }
        }
    }
}
