//! The state of one analysis: catalog, tables loaded so far, faults, notes.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use sqlparser::ast::Expr;
use sqlparser::tokenizer::Span;

use super::query::{Cte, Output};
use super::scope::{Attribute, Columns, From, Origin, Recorder, Relation, Scope, mix};
use super::sources::Sources;
use super::value::Value;
use super::{Analysis, Catalog, ColumnRef, Note, OutputColumn, Parameters};
use crate::diag::Code;
use crate::googlesql::{Column, Resolved, SqlFault, Type};

/// A table of the catalog, loaded once for a query however often it is used.
#[derive(Debug)]
pub(super) struct Loaded {
    pub columns: Rc<Columns>,
    pub name: Rc<str>,
}

/// One analysis.
pub(super) struct Analyzer<'q, 'c> {
    pub catalog: &'c dyn Catalog,
    pub parameters: &'c Parameters,
    pub ctes: Vec<Cte<'q>>,
    pub depth: usize,
    pub resolved: Resolved,
    faults: Vec<SqlFault>,
    unchecked: Vec<Note>,
    tables: BTreeMap<Vec<String>, Option<Rc<Loaded>>>,
    /// Table and column of each source number.
    stored: Vec<(Rc<str>, Rc<str>)>,
    read: Vec<bool>,
    /// Tables used, by the catalog's name.
    used_names: BTreeSet<Rc<str>>,
    used: Vec<(Vec<String>, Span)>,
    salt: u64,
}

/// What stands around an expression.
#[derive(Debug, Clone, Copy)]
pub(super) struct Context<'s, 'q> {
    pub scope: &'s Scope<'s, 'q>,
    /// The clause, as messages name it.
    pub clause: &'static str,
    pub aggregates: bool,
    pub windows: bool,
    /// The named windows of the query.
    pub named_windows: &'q [sqlparser::ast::NamedWindowDefinition],
    /// Aliases of the select list that are not visible here, for advice.
    pub hidden: &'s [&'q str],
}

impl<'s, 'q> Context<'s, 'q> {
    /// A place where rows are looked at one by one.
    pub(super) fn row(scope: &'s Scope<'s, 'q>, clause: &'static str) -> Self {
        Self { scope, clause, aggregates: false, windows: false, named_windows: &[], hidden: &[] }
    }
}

impl<'q, 'c> Analyzer<'q, 'c> {
    pub(super) fn new(catalog: &'c dyn Catalog, parameters: &'c Parameters) -> Self {
        Self {
            catalog,
            parameters,
            ctes: Vec::new(),
            depth: 0,
            resolved: Resolved::default(),
            faults: Vec::new(),
            unchecked: Vec::new(),
            tables: BTreeMap::new(),
            stored: Vec::new(),
            read: Vec::new(),
            used_names: BTreeSet::new(),
            used: Vec::new(),
            salt: 0,
        }
    }

    /// Records a fault.
    pub(super) fn fault(&mut self, fault: SqlFault) {
        self.faults.push(fault);
    }

    /// Records a fault of a code at a place.
    pub(super) fn wrong(&mut self, code: Code, span: Span, message: impl Into<String>) {
        self.faults.push(SqlFault::new(code, span, message));
    }

    /// Records that something could not be checked.
    pub(super) fn unchecked(&mut self, span: Span, message: impl Into<String>) {
        self.unchecked.push(Note { message: message.into(), span });
    }

    /// A value that nothing is known of, with a note why.
    pub(super) fn unknown(&mut self, span: Span, message: impl Into<String>) -> Value<'q> {
        self.unchecked(span, message);
        Value::unknown()
    }

    /// A number that no other thing of this analysis has.
    pub(super) fn fresh(&mut self) -> u64 {
        self.salt += 1;
        mix(self.salt, 0x5EED)
    }

    /// Notes that a stored column is read.
    pub(super) fn mark_read(&mut self, attribute: &Attribute) {
        if attribute.stored {
            for id in attribute.sources.as_slice() {
                if let Some(read) = self.read.get_mut(usize::try_from(*id).unwrap_or(usize::MAX)) {
                    *read = true;
                }
            }
        }
    }

    /// Notes the use of a table.
    pub(super) fn mark_used(&mut self, path: Vec<String>, span: Span, name: &Rc<str>) {
        self.used_names.insert(Rc::clone(name));
        self.used.push((path, span));
    }

    /// A table of the catalog.
    pub(super) fn load(&mut self, path: &[String]) -> Option<Rc<Loaded>> {
        if let Some(loaded) = self.tables.get(path) {
            return loaded.clone();
        }
        let loaded = self.catalog.table(path).map(|table| {
            let name: Rc<str> = table.name.into();
            let columns = self.attributes(&name, &table.columns);
            Rc::new(Loaded { columns: Rc::new(Columns::new(columns, table.open)), name })
        });
        self.tables.insert(path.to_vec(), loaded.clone());
        loaded
    }

    fn attributes(&mut self, table: &Rc<str>, columns: &[Column]) -> Vec<Attribute> {
        let mut attributes = Vec::with_capacity(columns.len());
        for column in columns {
            let id = u32::try_from(self.stored.len()).unwrap_or(u32::MAX);
            let name: Rc<str> = column.name.as_str().into();
            self.stored.push((Rc::clone(table), Rc::clone(&name)));
            self.read.push(false);
            attributes.push(Attribute {
                name: Some(name),
                data_type: column.data_type.clone(),
                sources: Sources::One(id),
                print: mix(u64::from(id), 1),
                stored: true,
            });
        }
        attributes
    }

    /// Checks an expression over one table.
    pub(super) fn row_expression(&mut self, expression: &'q Expr, columns: &[Column]) -> Type {
        let attributes = self.attributes(&"".into(), columns);
        let salt = self.fresh();
        let mut from = From::default();
        from.push(Relation {
            alias: None,
            columns: Rc::new(Columns::new(attributes, false)),
            row: None,
            salt,
            kind: Origin::Query,
        });
        let recorder = Recorder::default();
        recorder.set_off(true);
        let scope = Scope { parent: None, from: &from, aliases: &[], recorder: &recorder };
        let value = self.expression(expression, &Context::row(&scope, "a condition on rows"));
        value.data_type
    }

    /// The faults in order of the text, each once, or else the value.
    pub(super) fn into_result<T>(mut self, value: T) -> Result<T, Vec<SqlFault>> {
        if self.faults.is_empty() {
            return Ok(value);
        }
        self.faults.sort_by_key(|fault| (fault.span.start.line, fault.span.start.column));
        self.faults.dedup();
        Err(self.faults)
    }

    /// What is known of the whole query.
    pub(super) fn finish(mut self, output: &Output<'q>) -> Result<Analysis, Vec<SqlFault>> {
        let columns = output
            .items
            .iter()
            .map(|item| OutputColumn {
                column: Column::new(item.name.as_deref().unwrap_or_default(), item.value.data_type.clone()),
                lineage: self.lineage(&item.value.sources),
            })
            .collect();
        let mut reads: BTreeMap<String, BTreeSet<String>> =
            self.used_names.iter().map(|name| (name.to_string(), BTreeSet::new())).collect();
        for ((table, column), read) in self.stored.iter().zip(&self.read) {
            if *read {
                reads.entry(table.to_string()).or_default().insert(column.to_string());
            }
        }
        let mut tables = std::mem::take(&mut self.used);
        tables.sort_by_key(|(_, span)| (span.start.line, span.start.column));
        let unchecked = std::mem::take(&mut self.unchecked);
        let resolved = std::mem::take(&mut self.resolved);
        self.into_result(Analysis { columns, reads, tables, unchecked, open: output.open, resolved })
    }

    fn lineage(&self, sources: &Sources) -> BTreeSet<ColumnRef> {
        let stored = |id: &u32| self.stored.get(usize::try_from(*id).ok()?);
        sources
            .as_slice()
            .iter()
            .filter_map(stored)
            .map(|(table, column)| ColumnRef { table: table.to_string(), column: column.to_string() })
            .collect()
    }

    /// The value of a column.
    pub(super) fn column_value(
        &mut self,
        attribute: &Attribute,
        print: u64,
        span: Span,
        scope: &Scope<'_, 'q>,
    ) -> Value<'q> {
        self.mark_read(attribute);
        let name = attribute.name.clone().unwrap_or_default();
        scope.recorder.reference(&name, span, print);
        Value::column(attribute.data_type.clone(), attribute.sources.clone(), print)
    }
}
