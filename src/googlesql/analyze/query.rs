//! Queries: WITH, set operations, ORDER BY and LIMIT behind them.

use std::collections::BTreeSet;
use std::rc::Rc;

use sqlparser::ast::{
    Cte as Written, Expr, LimitClause, OrderBy, OrderByKind, Query, SetExpr, SetOperator, SetQuantifier,
    Spanned, With,
};
use sqlparser::tokenizer::Span;

use super::Names;
use super::analyzer::{Analyzer, Context};
use super::coerce::{Verdict, common, conversion, groupable};
use super::expression::span_of;
use super::scope::{Attribute, Columns, From, Origin, Recorder, Relation, Scope};
use super::taken::BranchColumn;
use super::value::{Form, Value};
use crate::diag::Code;
use crate::googlesql::by_name::ByName;
use crate::googlesql::{SqlFault, Type};

/// A column of a query's result.
#[derive(Debug, Clone)]
pub(super) struct Item<'q> {
    pub name: Option<Rc<str>>,
    pub value: Value<'q>,
    pub span: Span,
}

/// Whether a query gives rows of columns, or values.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) enum ValueTable {
    #[default]
    No,
    /// `SELECT AS STRUCT`, or AS VALUE of a struct.
    Struct(Type),
    /// `SELECT AS VALUE`.
    Value,
}

/// The result of a query.
#[derive(Debug, Clone, Default)]
pub(super) struct Output<'q> {
    pub items: Vec<Item<'q>>,
    /// Whether there may be columns beside these.
    pub open: bool,
    pub value_table: ValueTable,
}

/// A table of WITH.
#[derive(Debug, Clone)]
pub(super) struct Cte<'q> {
    pub name: &'q str,
    pub columns: Rc<Columns>,
    pub row: Option<Attribute>,
}

/// What a key of ORDER BY or GROUP BY is when it may be a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ordinal {
    /// No number but an expression.
    No,
    /// A literal that means no column, which is a fault already.
    Wrong,
    /// This item of the select list, from 0.
    Item(usize),
}

/// A query of a set operation, evaluated.
pub(super) struct Branch<'q> {
    pub output: Output<'q>,
    pub span: Span,
}

impl<'q> Analyzer<'q, '_> {
    /// The result of a query.
    pub(super) fn query(&mut self, query: &'q Query, parent: Option<&Scope<'_, 'q>>) -> Output<'q> {
        let outer = self.ctes.len();
        if let Some(with) = &query.with {
            self.with(with, parent);
        }
        let mut output = match &*query.body {
            SetExpr::Select(select) => self.select(select, query.order_by.as_ref(), parent),
            body => {
                let output = self.set_expression(body, parent);
                if let Some(order) = &query.order_by {
                    self.order_result(order, &output, parent);
                }
                output
            }
        };
        if let Some(limit) = &query.limit_clause {
            self.limit(limit);
        }
        if let Some(fetch) = &query.fetch {
            let span = fetch.quantity.as_ref().map_or_else(Span::empty, span_of);
            self.fault(
                SqlFault::new(Code::SqlInvalid, span, "GoogleSQL has no FETCH").help("write LIMIT count"),
            );
        }
        if !query.pipe_operators.is_empty() {
            self.unchecked(query.span(), "pipe syntax is not checked");
            output = Output { open: true, ..Output::default() };
        }
        self.ctes.truncate(outer);
        output
    }

    fn with(&mut self, with: &'q With, parent: Option<&Scope<'_, 'q>>) {
        let mut seen: BTreeSet<String> = BTreeSet::new();
        let first = self.ctes.len();
        if with.recursive {
            // All of them see each other; what is not known yet may have any column.
            for written in &with.cte_tables {
                let columns = Rc::new(Columns::new(Vec::new(), true));
                self.ctes.push(Cte { name: &written.alias.name.value, columns, row: None });
            }
        }
        for (position, written) in with.cte_tables.iter().enumerate() {
            let name = &written.alias.name;
            if !seen.insert(name.value.to_lowercase()) {
                self.wrong(Code::SqlInvalid, name.span, format!("WITH defines `{}` twice", name.value));
            }
            let output = match &*written.query.body {
                SetExpr::SetOperation { op: SetOperator::Union, .. } if with.recursive => {
                    self.recursive(written, first + position, parent)
                }
                _ => self.query(&written.query, parent),
            };
            let cte = self.cte(written, &output);
            if with.recursive {
                if let Some(place) = self.ctes.get_mut(first + position) {
                    *place = cte;
                }
            } else {
                self.ctes.push(cte);
            }
        }
    }

    fn cte(&mut self, written: &'q Written, output: &Output<'q>) -> Cte<'q> {
        let mut attributes = self.attributes_of(output);
        if !written.alias.columns.is_empty() {
            self.unchecked(
                written.alias.name.span,
                "column names behind the name of a WITH query are not checked",
            );
            for (attribute, column) in attributes.iter_mut().zip(&written.alias.columns) {
                attribute.name = Some(column.name.value.as_str().into());
            }
        }
        let row = Self::row_of(output, &attributes);
        Cte { name: &written.alias.name.value, columns: Rc::new(Columns::new(attributes, output.open)), row }
    }

    /// A query of WITH RECURSIVE: the last part of the UNION sees the result of those before it.
    fn recursive(
        &mut self,
        written: &'q Written,
        place: usize,
        parent: Option<&Scope<'_, 'q>>,
    ) -> Output<'q> {
        let outer = self.ctes.len();
        if let Some(with) = &written.query.with {
            self.with(with, parent);
        }
        let output = match &*written.query.body {
            SetExpr::SetOperation { left, right, op, set_quantifier } => {
                let base = self.set_expression(left, parent);
                let cte = self.cte(written, &base);
                if let Some(own) = self.ctes.get_mut(place) {
                    *own = cte;
                }
                let step = self.set_expression(right, parent);
                self.quantifier(*op, *set_quantifier, right.span());
                self.check_step(&base, &step, right.span());
                let mut output = base;
                for (item, step) in output.items.iter_mut().zip(&step.items) {
                    item.value.sources.add(&step.value.sources);
                    item.value.print = 0;
                }
                output
            }
            other => self.set_expression(other, parent),
        };
        self.ctes.truncate(outer);
        output
    }

    fn check_step(&mut self, base: &Output<'q>, step: &Output<'q>, span: Span) {
        if base.open || step.open {
            return;
        }
        if base.items.len() != step.items.len() {
            let message = format!(
                "the recursive part has {} columns, and the part before it has {}",
                step.items.len(),
                base.items.len()
            );
            self.wrong(Code::SqlSetOperation, span, message);
            return;
        }
        for (own, item) in base.items.iter().zip(&step.items) {
            if conversion(&item.value, &own.value.data_type).is_none() {
                let message = format!(
                    "the recursive part gives {} where the part before it gives {}",
                    item.value.shown(),
                    own.value.shown()
                );
                let fault = SqlFault::new(Code::SqlSetOperation, item.span, message);
                self.fault(fault.help(format!("CAST it to {}", own.value.data_type)));
            }
        }
    }

    /// SELECT, a query in parentheses, or queries joined by UNION, EXCEPT and INTERSECT.
    fn set_expression(&mut self, body: &'q SetExpr, parent: Option<&Scope<'_, 'q>>) -> Output<'q> {
        match body {
            SetExpr::Select(select) => self.select(select, None, parent),
            SetExpr::Query(query) => self.query(query, parent),
            SetExpr::SetOperation { .. } => self.set_operation(body, parent),
            SetExpr::Values(values) => {
                let fault = SqlFault::new(Code::SqlInvalid, values.span(), "VALUES is no query in GoogleSQL");
                self.fault(fault.help("write SELECT * FROM UNNEST([STRUCT(1 AS id, 'a' AS name), …])"));
                Output { open: true, ..Output::default() }
            }
            other => {
                self.unchecked(other.span(), "this form of query is not checked");
                Output { open: true, ..Output::default() }
            }
        }
    }

    fn set_operation(&mut self, body: &'q SetExpr, parent: Option<&Scope<'_, 'q>>) -> Output<'q> {
        // A chain of UNION ALL leans to the left as deep as it is long: no recursion along it.
        let mut chain = Vec::new();
        let mut first = body;
        while let SetExpr::SetOperation { left, right, op, set_quantifier } = first {
            chain.push((*op, *set_quantifier, &**right));
            first = left;
        }
        let mut result = Branch { output: self.set_expression(first, parent), span: first.span() };
        let mut branches: Vec<Branch<'q>> = Vec::new();
        let mut current: Option<(SetOperator, SetQuantifier)> = None;
        for (op, quantifier, right) in chain.into_iter().rev() {
            let span = right.span();
            self.quantifier(op, quantifier, span);
            if matches!(right, SetExpr::SetOperation { .. }) {
                self.mixed(span);
            }
            if current.is_some_and(|current| current != (op, quantifier)) {
                self.mixed(span);
                result = self.combine(result, &std::mem::take(&mut branches), current);
            }
            current = Some((op, quantifier));
            if matches!(quantifier, SetQuantifier::AllByName | SetQuantifier::DistinctByName) {
                let by_name = ByName::of(right);
                let mut other = Branch { output: self.set_expression(by_name.operand, parent), span };
                self.by_name(&by_name, &mut result, &mut other);
                result = self.combine(result, &[other], current);
                continue;
            }
            branches.push(Branch { output: self.set_expression(right, parent), span });
        }
        self.combine(result, &branches, current).output
    }

    /// Different set operations in a row have no order of their own.
    fn mixed(&mut self, span: Span) {
        let fault = SqlFault::new(
            Code::SqlSetOperation,
            span,
            "different set operations follow each other without parentheses",
        );
        self.fault(fault.help("put the part that comes first into parentheses"));
    }

    /// UNION, EXCEPT and INTERSECT say whether they keep duplicates.
    fn quantifier(&mut self, op: SetOperator, quantifier: SetQuantifier, span: Span) {
        use SetQuantifier::{All, AllByName, ByName, Distinct, DistinctByName, None};
        let help = match (op, quantifier) {
            (SetOperator::Union, All | Distinct | AllByName | DistinctByName)
            | (SetOperator::Except | SetOperator::Intersect, Distinct | DistinctByName) => return,
            (SetOperator::Union, None | ByName) => "write UNION ALL, or UNION DISTINCT to drop duplicates",
            (SetOperator::Except | SetOperator::Minus, _) => "write EXCEPT DISTINCT",
            (SetOperator::Intersect, _) => "write INTERSECT DISTINCT",
        };
        let shown = if quantifier == All { format!("{op} ALL") } else { format!("{op} alone") };
        let message = format!("GoogleSQL has no {shown}");
        self.fault(SqlFault::new(Code::SqlSetOperation, span, message).help(help));
    }

    fn combine(
        &mut self,
        first: Branch<'q>,
        others: &[Branch<'q>],
        operator: Option<(SetOperator, SetQuantifier)>,
    ) -> Branch<'q> {
        let Some((op, quantifier)) = operator.filter(|_| !others.is_empty()) else { return first };
        let span = others.iter().fold(first.span, |span, other| span.union(&other.span));
        if first.output.open || others.iter().any(|other| other.output.open) {
            let mut output = first.output;
            output.open = true;
            output.items.iter_mut().for_each(|item| {
                item.value = Value { sources: item.value.sources.clone(), ..Value::unknown() };
            });
            return Branch { output, span };
        }
        let count = first.output.items.len();
        for other in others {
            if other.output.items.len() != count {
                let message = format!(
                    "{op} needs queries with the same number of columns: the first has {count}, this one {}",
                    other.output.items.len()
                );
                self.fault(
                    SqlFault::new(Code::SqlSetOperation, other.span, message)
                        .help("columns go together by position: add the missing ones, NULL AS name for those without a value"),
                );
            }
        }
        let distinct = matches!(quantifier, SetQuantifier::Distinct | SetQuantifier::DistinctByName);
        let mut output = Output { items: Vec::with_capacity(count), ..Output::default() };
        let mut types = Vec::with_capacity(count);
        for (position, item) in first.output.items.into_iter().enumerate() {
            let column: Vec<&Item<'q>> =
                others.iter().filter_map(|other| other.output.items.get(position)).collect();
            types.push(
                std::iter::once(&item)
                    .chain(column.iter().copied())
                    .map(BranchColumn::of)
                    .collect::<Vec<_>>(),
            );
            output.items.push(self.combined(item, &column, op, position));
        }
        let spans = std::iter::once(first.span).chain(others.iter().map(|other| other.span));
        for (at, branch) in spans.enumerate() {
            self.taken_rows(branch, types.iter().filter_map(|column| column.get(at)), &output);
        }
        if distinct {
            for item in &output.items {
                if groupable(&item.value.data_type) == Verdict::No {
                    let message =
                        format!("{op} DISTINCT does not take a column of type {}", item.value.data_type);
                    self.wrong(Code::SqlSetOperation, item.span, message);
                }
            }
        }
        Branch { output, span }
    }

    /// One column of a set operation.
    fn combined(
        &mut self,
        first: Item<'q>,
        others: &[&Item<'q>],
        op: SetOperator,
        position: usize,
    ) -> Item<'q> {
        let values = std::iter::once(&first.value).chain(others.iter().map(|item| &item.value));
        let data_type = if let Some(data_type) = common(values.clone()) {
            for item in std::iter::once(&first).chain(others.iter().copied()) {
                if let Form::Text(text) = item.value.form {
                    self.check_text(text, &data_type, item.span);
                }
            }
            data_type
        } else {
            let odd = (1..=others.len()).find(|count| common(values.clone().take(count + 1)).is_none());
            let odd = odd.and_then(|count| others.get(count - 1));
            let name =
                first.name.as_ref().map_or_else(|| (position + 1).to_string(), |name| format!("`{name}`"));
            let (span, shown) =
                odd.map_or((first.span, String::new()), |item| (item.span, item.value.shown()));
            let message = format!(
                "column {name} of {op} is {} in the first query and {shown} in this one",
                first.value.shown()
            );
            self.fault(SqlFault::new(Code::SqlSetOperation, span, message).help("CAST them to one type"));
            Type::Unknown
        };
        let mut sources = first.value.sources.clone();
        for item in others {
            sources.add(&item.value.sources);
        }
        Item { value: Value { sources, ..Value::of(data_type) }, ..first }
    }

    /// ORDER BY behind a set operation, which sees the columns of the result only.
    fn order_result(&mut self, order: &'q OrderBy, output: &Output<'q>, parent: Option<&Scope<'_, 'q>>) {
        let OrderByKind::Expressions(keys) = &order.kind else { return };
        let columns = Columns::new(self.attributes_of(output), output.open);
        let mut from = From::default();
        from.push(Relation {
            alias: None,
            columns: Rc::new(columns),
            row: None,
            salt: 0,
            kind: Origin::Query,
        });
        let recorder = Recorder::default();
        let scope = Scope { parent, from: &from, aliases: &[], recorder: &recorder };
        let context = Context::row(&scope, "the ORDER BY of a set operation");
        for key in keys {
            if self.ordinal(&key.expr, output.items.len(), "ORDER BY") == Ordinal::No {
                let value = self.expression(&key.expr, &context);
                self.check_orderable(&value, &key.expr, "ORDER BY");
            }
        }
    }

    /// The column that `ORDER BY 2` and `GROUP BY 2` mean; a fault when there is none.
    pub(super) fn ordinal(&mut self, key: &'q Expr, count: usize, clause: &str) -> Ordinal {
        let Expr::Value(written) = key else { return Ordinal::No };
        let sqlparser::ast::Value::Number(digits, _) = &written.value else {
            let message = format!("{clause} does not take a literal");
            let help = "name a column, or give its number in the select list";
            self.fault(SqlFault::new(Code::SqlInvalid, written.span, message).help(help));
            return Ordinal::Wrong;
        };
        match digits.parse::<usize>() {
            Ok(position) if (1..=count).contains(&position) => Ordinal::Item(position - 1),
            _ => {
                let message = format!("{clause} {digits}: the select list has {count} columns");
                self.wrong(Code::SqlInvalid, written.span, message);
                Ordinal::Wrong
            }
        }
    }

    fn limit(&mut self, limit: &'q LimitClause) {
        let counts: Vec<&'q Expr> = match limit {
            LimitClause::LimitOffset { limit, offset, .. } => {
                limit.iter().chain(offset.iter().map(|offset| &offset.value)).collect()
            }
            LimitClause::OffsetCommaLimit { offset, limit } => {
                let fault = SqlFault::new(
                    Code::SqlInvalid,
                    span_of(offset),
                    "GoogleSQL has no `LIMIT offset, count`",
                );
                self.fault(fault.help("write LIMIT count OFFSET offset"));
                vec![limit]
            }
        };
        let (from, recorder) = (From::default(), Recorder::default());
        let scope = Scope { parent: None, from: &from, aliases: &[], recorder: &recorder };
        for count in counts {
            let value = self.expression(count, &Context::row(&scope, "LIMIT"));
            if conversion(&value, &Type::Int64).is_none() {
                let message = format!("LIMIT and OFFSET take a whole number, and this is {}", value.shown());
                self.wrong(Code::SqlTypeMismatch, span_of(count), message);
            }
        }
    }

    /// The columns of a result as a table has them.
    pub(super) fn attributes_of(&mut self, output: &Output<'q>) -> Vec<Attribute> {
        let mut attributes = Vec::with_capacity(output.items.len());
        for item in &output.items {
            let is_column = item.value.form == Form::Column && item.value.print != 0;
            attributes.push(Attribute {
                name: item.name.clone(),
                data_type: item.value.data_type.clone(),
                sources: item.value.sources.clone(),
                print: if is_column { item.value.print } else { self.fresh() },
                stored: false,
            });
        }
        attributes
    }

    /// What the alias of a value table stands for.
    pub(super) fn row_of(output: &Output<'q>, attributes: &[Attribute]) -> Option<Attribute> {
        match output.value_table {
            ValueTable::Value => attributes.first().cloned(),
            _ => None,
        }
    }

    /// Checks that a result can become a table: each column has a name of its own.
    pub(super) fn check_names(&mut self, output: &Output<'q>, names: Names) {
        if names == Names::Any {
            return;
        }
        let mut seen: BTreeSet<String> = BTreeSet::new();
        for (position, item) in output.items.iter().enumerate() {
            match &item.name {
                None if names == Names::Distinct => {}
                None => {
                    let message = format!("column {} of the result has no name", position + 1);
                    self.fault(
                        SqlFault::new(Code::SqlColumnNames, item.span, message)
                            .help("give it one: … AS name"),
                    );
                }
                Some(name) if !seen.insert(name.to_lowercase()) => {
                    let message = format!("the result has two columns `{name}`");
                    let fault = SqlFault::new(Code::SqlColumnNames, item.span, message);
                    self.fault(fault.help("rename one with AS, or leave it out with `* EXCEPT (…)`"));
                }
                Some(_) => {}
            }
        }
    }
}
