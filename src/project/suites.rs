//! Suites of expectations, with their tables looked up.

use indexmap::IndexMap;

use super::resolve::Resolver;
use super::{Address, Expectation, ExpectationKind};
use crate::diag::{Code, Diagnostic, Span};
use crate::manifest::Loaded;
use crate::manifest::types::{ExpectationSpec, ExpectationsFile, Suite};
use crate::manifest::yaml::{Document, escape_pointer};

/// Where an entry stands.
struct Place<'a> {
    document: &'a Document,
    pointer: String,
}

impl Place<'_> {
    fn value(&self, key: &str) -> Span {
        self.document.value_span(&format!("{}/{key}", self.pointer))
    }

    fn whole(&self) -> Span {
        self.document.value_span(&self.pointer)
    }
}

/// What an entry says, by column where it is about several.
struct Said {
    kind: ExpectationKind,
    /// What its name is made from, behind the kind.
    what: String,
    /// Keys of the entry that name its columns.
    columns: Vec<String>,
}

impl Resolver<'_> {
    /// All expectations of a file.
    pub(super) fn suites(
        &mut self,
        file: &Loaded<ExpectationsFile>,
        suites: &mut IndexMap<String, Span>,
        expectations: &mut Vec<Expectation>,
    ) {
        for (name, suite) in &file.content.suites {
            let pointer = format!("/suites/{}", escape_pointer(name));
            let span = file.document.key_span(&pointer);
            if let Some(first) = suites.insert(name.clone(), span.clone()) {
                self.faults.push(
                    Diagnostic::error(Code::DuplicateName, format!("the suite `{name}` is declared twice"))
                        .at(span, "declared again")
                        .also(first.clone(), "first declared here")
                        .help(
                            "rename one: a suite named otherwise says with `table:` which table it is about",
                        ),
                );
            }
            let Some(on) = self.suite_table(name, suite, &file.document, &pointer) else { continue };
            for (index, spec) in suite.expectations.iter().enumerate() {
                let at =
                    Place { document: &file.document, pointer: format!("{pointer}/expectations/{index}") };
                for said in self.said(spec, &at) {
                    expectations.push(self.expectation(name, suite, &on, spec, said, &at));
                }
            }
        }
    }

    /// The table of a suite: the one that it names, or the one that it is named after.
    fn suite_table(
        &mut self,
        name: &str,
        suite: &Suite,
        document: &Document,
        pointer: &str,
    ) -> Option<Address> {
        match &suite.table {
            Some(table) => self.address(table, &document.value_span(&format!("{pointer}/table"))),
            None => self.address(name, &document.key_span(pointer)),
        }
    }

    /// One entry of a suite; an entry about several columns is an expectation for each.
    fn said(&mut self, spec: &ExpectationSpec, at: &Place<'_>) -> Vec<Said> {
        let of_column = |kind, column: &str, key: &str| {
            vec![Said { kind, what: column.to_owned(), columns: vec![key.to_owned()] }]
        };
        let of_table = |kind| vec![Said { kind, what: String::new(), columns: Vec::new() }];
        let of_each = |columns: &[String], kind: &dyn Fn(String) -> ExpectationKind| {
            let said = |(index, column): (usize, &String)| Said {
                kind: kind(column.clone()),
                what: column.clone(),
                columns: vec![format!("columns/{index}")],
            };
            columns.iter().enumerate().map(said).collect()
        };
        match spec {
            ExpectationSpec::NotNull(spec) => {
                of_each(&spec.columns, &|column| ExpectationKind::NotNull { column })
            }
            ExpectationSpec::Unique(spec) => vec![Said {
                kind: ExpectationKind::Unique { columns: spec.columns.clone() },
                what: spec.columns.join("_"),
                columns: (0..spec.columns.len()).map(|index| format!("columns/{index}")).collect(),
            }],
            ExpectationSpec::AcceptedValues(spec) => {
                let (column, values) = (spec.column.clone(), spec.values.clone());
                of_column(ExpectationKind::AcceptedValues { column, values }, &spec.column, "column")
            }
            ExpectationSpec::Relationships(spec) => {
                let Some(to) = self.address(&spec.to, &at.value("to")) else { return Vec::new() };
                let field = spec.field.clone().unwrap_or_else(|| spec.column.clone());
                let kind = ExpectationKind::Relationships { column: spec.column.clone(), to, field };
                of_column(kind, &spec.column, "column")
            }
            ExpectationSpec::Between(spec) => {
                if spec.min.is_none() && spec.max.is_none() {
                    self.no_bound("`between` has neither `min` nor `max`", "give at least one of them", at);
                }
                of_each(&spec.columns, &|column| ExpectationKind::Between {
                    column,
                    min: spec.min.clone(),
                    max: spec.max.clone(),
                })
            }
            ExpectationSpec::Expression(spec) => {
                let sql = at.document.text(&format!("{}/sql", at.pointer), &spec.sql);
                of_table(ExpectationKind::Expression { sql })
            }
            ExpectationSpec::RowCount(spec) => {
                let equals = match &spec.equals {
                    Some(name) => match self.address(name, &at.value("equals")) {
                        Some(address) => Some(address),
                        None => return Vec::new(),
                    },
                    None => None,
                };
                if spec.min.is_none() && spec.max.is_none() && equals.is_none() {
                    self.no_bound("`row_count` has no bound", "give `min`, `max` or `equals`", at);
                }
                of_table(ExpectationKind::RowCount { min: spec.min, max: spec.max, equals })
            }
            ExpectationSpec::Freshness(spec) => {
                let kind =
                    ExpectationKind::Freshness { column: spec.column.clone(), max_age: spec.max_age.0 };
                of_column(kind, &spec.column, "column")
            }
        }
    }

    fn no_bound(&mut self, message: &str, help: &str, at: &Place<'_>) {
        self.faults
            .push(Diagnostic::error(Code::MissingKey, message).at(at.whole(), "no bound here").help(help));
    }

    fn expectation(
        &mut self,
        suite_name: &str,
        suite: &Suite,
        on: &Address,
        spec: &ExpectationSpec,
        said: Said,
        at: &Place<'_>,
    ) -> Expectation {
        let common = spec.common();
        let made = match said.what.as_str() {
            "" => said.kind.name().to_owned(),
            what => format!("{}_{what}", said.kind.name()),
        };
        let name = self.expectation_name(on, common.name.cloned().unwrap_or(made));
        let defaults = &self.raw.pipeline.content.defaults.expectations;
        Expectation {
            name,
            suite: suite_name.to_owned(),
            on: on.clone(),
            severity: common.severity.unwrap_or(defaults.severity),
            filter: common.filter.map(|sql| at.document.text(&format!("{}/where", at.pointer), sql)),
            mostly: common.mostly,
            description: common.description.cloned(),
            sample_rows: defaults.sample_rows,
            tags: suite.tags.clone(),
            span: at.whole(),
            column_spans: said.columns.iter().map(|key| at.value(key)).collect(),
            key_spans: key_spans(&said.kind, at),
            kind: said.kind,
        }
    }

    /// A name that no other expectation of the table has: a repeated one gets a number.
    fn expectation_name(&mut self, on: &Address, name: String) -> String {
        let count = self.expectation_names.entry((on.clone(), name.clone())).or_insert(0);
        *count += 1;
        if *count == 1 { name } else { format!("{name}_{count}") }
    }
}

/// Places of the values that are held against a column's type, and of the other table's column.
fn key_spans(kind: &ExpectationKind, at: &Place<'_>) -> IndexMap<String, Span> {
    let keys: Vec<String> = match kind {
        ExpectationKind::AcceptedValues { values, .. } => {
            (0..values.len()).map(|index| format!("values/{index}")).collect()
        }
        ExpectationKind::Relationships { .. } => vec!["field".to_owned()],
        ExpectationKind::Between { .. } => vec!["min".to_owned(), "max".to_owned()],
        _ => Vec::new(),
    };
    keys.into_iter()
        .map(|key| {
            let span = at.value(&key);
            (key, span)
        })
        .collect()
}
