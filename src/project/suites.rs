//! Suites of expectations, with their tables looked up.

use indexmap::IndexMap;

use super::catalogue::{self, Entry, Meaning, Place};
use super::resolve::Resolver;
use super::{Address, Expectation, NamedColumn, Needs};
use crate::diag::{Code, Diagnostic, Span};
use crate::manifest::Loaded;
use crate::manifest::types::expectation::Tolerance;
use crate::manifest::types::{ExpectationSpec, ExpectationsFile, Suite};
use crate::manifest::yaml::{Document, escape_pointer};

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
                let pointer = format!("{pointer}/expectations/{index}");
                let at = Place { document: &file.document, pointer, kind: spec.kind() };
                let meanings = catalogue::meanings(&mut Entry { resolver: self, at: &at }, spec);
                for meaning in meanings {
                    expectations.push(self.expectation((name, suite), &on, spec, meaning, &at));
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

    fn expectation(
        &mut self,
        (suite_name, suite): (&str, &Suite),
        on: &Address,
        spec: &ExpectationSpec,
        meaning: Meaning,
        at: &Place<'_>,
    ) -> Expectation {
        let common = spec.common();
        let Meaning { what, form, columns, other_columns } = meaning;
        let made = match what.as_str() {
            "" => spec.kind().to_owned(),
            what => format!("{}_{what}", spec.kind()),
        };
        let name = self.expectation_name(on, common.name.cloned().unwrap_or(made));
        let defaults = &self.raw.pipeline.content.defaults.expectations;
        let tolerance = common.shared.tolerance.unwrap_or(Tolerance { mostly: 1.0, allowed: 0 });
        let keys = |names: &[String], place: &dyn Fn(usize) -> Span| -> Vec<NamedColumn> {
            let named = |(index, name): (usize, &String)| NamedColumn {
                name: name.clone(),
                needs: Needs::Any,
                span: place(index),
            };
            names.iter().enumerate().map(named).collect()
        };
        let key_columns = match common.shared.key_columns {
            [] => {
                let suite_at = format!("/suites/{}/key_columns", escape_pointer(suite_name));
                keys(&suite.key_columns, &|index| at.document.value_span(&format!("{suite_at}/{index}")))
            }
            own => keys(own, &|index| at.value(&format!("key_columns/{index}"))),
        };
        Expectation {
            name,
            kind: spec.kind().to_owned(),
            suite: suite_name.to_owned(),
            on: on.clone(),
            severity: common.severity.unwrap_or(defaults.severity),
            scope: common.scope,
            filter: common.shared.filter.map(|sql| at.sql("where", sql)),
            mostly: tolerance.mostly,
            allowed: tolerance.allowed,
            description: common.description.cloned(),
            note: common.note.cloned(),
            owner: common.owner.cloned(),
            sample_rows: defaults.sample_rows,
            key_columns,
            tags: suite.tags.iter().chain(common.tags).cloned().collect(),
            span: at.whole(),
            columns,
            other_columns,
            key_spans: catalogue::keys(&form)
                .into_iter()
                .map(|key| (key.to_owned(), at.value(key)))
                .collect(),
            form,
        }
    }

    /// A name that no other expectation of the table has: a repeated one gets a number.
    fn expectation_name(&mut self, on: &Address, name: String) -> String {
        let count = self.expectation_names.entry((on.clone(), name.clone())).or_insert(0);
        *count += 1;
        if *count == 1 { name } else { format!("{name}_{count}") }
    }
}
