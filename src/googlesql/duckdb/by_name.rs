//! Set operations by name. DuckDB has `UNION BY NAME`, whose columns are those of either query; where BigQuery means
//! fewer, they are chosen from its result.

use sqlparser::ast::{
    Query, SelectItem, SetExpr, SetOperator, SetQuantifier, Spanned, TableFactor, TableWithJoins,
};
use sqlparser::tokenizer::Span;

use super::Translator;
use super::expression::implied_name;
use super::names::Ident;
use crate::diag::Code;
use crate::googlesql::by_name::{self, ByName, Mode};

impl Translator<'_> {
    /// A set operation by name over two queries that are translated already.
    pub(super) fn by_name(
        &mut self,
        (left, left_sql): (&SetExpr, &str),
        (by_name, right_sql): (&ByName<'_>, &str),
        op: SetOperator,
        quantifier: SetQuantifier,
        span: Span,
    ) -> String {
        let columns = self.output_names(left);
        let others = self.output_names(by_name.operand);
        let mut result = None;
        if let (Some(columns), Some(others)) = (&columns, &others) {
            let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
            let others: Vec<&str> = others.iter().map(String::as_str).collect();
            match by_name.result(&columns, &others) {
                Ok(names) => result = Some(names),
                Err(message) => {
                    let place = by_name::place(by_name, by_name.operand.span());
                    return self.invalid(Code::SqlSetOperation, place, message);
                }
            }
        } else if !by_name.columns.is_empty() {
            result = Some(by_name.columns.iter().map(|column| column.value.clone()).collect());
        } else if matches!(by_name.mode, Mode::Left | Mode::Strict) {
            result = columns;
        }
        let list = |names: &[String]| {
            names.iter().map(|name| Ident::new(name).to_string()).collect::<Vec<_>>().join(", ")
        };
        let distinct = quantifier == SetQuantifier::DistinctByName;
        let whole = by_name.columns.is_empty() && matches!(by_name.mode, Mode::Strict | Mode::Full);
        match (op, result) {
            (SetOperator::Union, _) if whole => {
                format!("{left_sql} UNION{} BY NAME {right_sql}", if distinct { "" } else { " ALL" })
            }
            (SetOperator::Union, Some(names)) => {
                let distinct = if distinct { "DISTINCT " } else { "" };
                format!("SELECT {distinct}{} FROM ({left_sql} UNION ALL BY NAME {right_sql})", list(&names))
            }
            (SetOperator::Intersect | SetOperator::Except, Some(names))
                if distinct && matches!(by_name.mode, Mode::Strict | Mode::Inner) =>
            {
                let names = list(&names);
                format!("SELECT {names} FROM ({left_sql}) {op} SELECT {names} FROM ({right_sql})")
            }
            (SetOperator::Union, None) => self
                .refuse(span, "BY NAME over columns that an asterisk stands for and that are not known here"),
            _ => self.refuse(span, format!("{op} BY NAME in this form")),
        }
    }

    /// The names of a query's columns, where they can be told.
    pub(super) fn output_names(&self, body: &SetExpr) -> Option<Vec<String>> {
        match body {
            SetExpr::Select(select) => {
                let mut names = Vec::new();
                for item in &select.projection {
                    match item {
                        SelectItem::UnnamedExpr(expr) => names.push(implied_name(expr)?),
                        SelectItem::ExprWithAlias { alias, .. } => names.push(alias.value.clone()),
                        SelectItem::Wildcard(options) if options.opt_rename.is_none() => {
                            let [table] = select.from.as_slice() else { return None };
                            let except: Vec<&str> = options
                                .opt_except
                                .iter()
                                .flat_map(|except| {
                                    std::iter::once(&except.first_element).chain(&except.additional_elements)
                                })
                                .map(|name| name.value.as_str())
                                .collect();
                            names.extend(
                                self.table_columns(table)?
                                    .into_iter()
                                    .filter(|name| !except.iter().any(|out| out.eq_ignore_ascii_case(name))),
                            );
                        }
                        _ => return None,
                    }
                }
                Some(names)
            }
            SetExpr::Query(query) => self.query_names(query),
            SetExpr::SetOperation { left, right, set_quantifier, .. } => {
                let columns = self.output_names(left)?;
                if !matches!(set_quantifier, SetQuantifier::AllByName | SetQuantifier::DistinctByName) {
                    return Some(columns);
                }
                let by_name = ByName::of(right);
                let others = self.output_names(by_name.operand)?;
                let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
                let others: Vec<&str> = others.iter().map(String::as_str).collect();
                by_name.result(&columns, &others).ok()
            }
            _ => None,
        }
    }

    pub(super) fn query_names(&self, query: &Query) -> Option<Vec<String>> {
        // Names of a WITH inside might stand for other tables than those known here.
        if query.with.is_some() { None } else { self.output_names(&query.body) }
    }

    fn table_columns(&self, table: &TableWithJoins) -> Option<Vec<String>> {
        if !table.joins.is_empty() {
            return None;
        }
        self.factor_columns(&table.relation)
    }

    /// The names of an item of FROM, where they can be told.
    pub(super) fn factor_columns(&self, factor: &TableFactor) -> Option<Vec<String>> {
        match factor {
            TableFactor::Derived { subquery, alias, .. }
                if alias.as_ref().is_none_or(|alias| alias.columns.is_empty()) =>
            {
                self.query_names(subquery)
            }
            TableFactor::Table { name, args: None, .. } => {
                let path = Self::path(name)?;
                if let [name] = path.as_slice()
                    && let Some((_, columns)) =
                        self.cte_columns.iter().rev().find(|(cte, _)| cte.eq_ignore_ascii_case(name))
                {
                    return columns.clone();
                }
                let path: Vec<&str> = path.iter().map(String::as_str).collect();
                self.names.columns(&path)
            }
            _ => None,
        }
    }
}
