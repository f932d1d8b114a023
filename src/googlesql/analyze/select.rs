//! One SELECT: its clauses in the order in which names become visible.

use std::collections::BTreeSet;

use sqlparser::ast::{
    Distinct, Expr, GroupByExpr, NamedWindowExpr, OrderBy, OrderByKind, Select, SelectItem, Spanned,
    ValueTableMode,
};

use super::analyzer::{Analyzer, Context};
use super::coerce::{Verdict, groupable};
use super::expression::span_of;
use super::path::listed;
use super::query::{Item, Ordinal, Output, ValueTable};
use super::scope::{Alias, Recorder, Scope};
use super::value::Form;
use crate::diag::Code;
use crate::googlesql::{Field, SqlFault, Type};

/// An item of the select list, with what else is known of it.
#[derive(Debug)]
pub(super) struct Listed<'q> {
    pub item: Item<'q>,
    /// The identity of the item itself, for GROUP BY by number or alias.
    pub cover: u64,
    pub aggregate: bool,
    pub window: bool,
}

/// What is left of a SELECT when its list is known.
#[derive(Clone, Copy)]
pub(super) struct Rest<'s, 'q> {
    pub select: &'q Select,
    pub scope: Scope<'s, 'q>,
    pub list: &'s [Listed<'q>],
    pub hidden: &'s [&'q str],
}

impl<'q> Analyzer<'q, '_> {
    /// The result of a SELECT.
    pub(super) fn select(
        &mut self,
        select: &'q Select,
        order: Option<&'q OrderBy>,
        parent: Option<&Scope<'_, 'q>>,
    ) -> Output<'q> {
        self.foreign_clauses(select);
        let from = self.tables_of(&select.from, parent);
        let hidden: Vec<&'q str> = select
            .projection
            .iter()
            .filter_map(|item| match item {
                SelectItem::ExprWithAlias { alias, .. } => Some(alias.value.as_str()),
                _ => None,
            })
            .collect();
        let unrecorded = Recorder::default();
        unrecorded.set_off(true);
        let scope = Scope { parent, from: &from, aliases: &[], recorder: &unrecorded };
        if let Some(condition) = &select.selection {
            let context = Context { hidden: &hidden, ..Context::row(&scope, "WHERE") };
            let value = self.expression(condition, &context);
            self.boolean(&value, condition, "WHERE");
        }
        let recorder = Recorder::default();
        let scope = Scope { recorder: &recorder, ..scope };
        let context = Context {
            scope: &scope,
            clause: "the select list",
            aggregates: true,
            windows: true,
            named_windows: &select.named_window,
            hidden: &hidden,
        };
        let mut open = false;
        let list = self.select_list(select, &context, &mut open);
        for window in &select.named_window {
            if let NamedWindowExpr::WindowSpec(window) = &window.1 {
                self.window(window, &Context { windows: false, clause: "a window", ..context });
            }
        }
        let aliases: Vec<Alias<'q>> = list
            .iter()
            .enumerate()
            .filter_map(|(item, listed)| {
                Some(Alias {
                    name: listed.item.name.clone()?,
                    value: listed.item.value.clone(),
                    item,
                    aggregate: listed.aggregate,
                    window: listed.window,
                })
            })
            .collect();
        let rest = Rest { select, scope: Scope { aliases: &aliases, ..scope }, list: &list, hidden: &hidden };
        let groups = self.group_by(rest);
        let in_list = recorder.calls();
        let grouped = groups.present || in_list.0 > 0;
        let having = self.having(rest, grouped);
        let qualify = self.qualify(rest, in_list.1 > 0);
        let ordering = order.map(|order| self.order_by(order, rest, grouped));
        if grouped {
            for own in
                [Some(&recorder), having.as_ref(), qualify.as_ref(), ordering.as_ref()].into_iter().flatten()
            {
                self.ungrouped(own, &groups.keys);
            }
        }
        if select.from.is_empty() {
            self.without_from(select, &list, order);
        }
        if let Some(Distinct::Distinct) = &select.distinct {
            self.distinct_rows(&list);
            if let (Some(ordering), false) = (&ordering, grouped) {
                self.hidden_by_distinct(ordering, &list);
            }
        }
        self.value_table(
            select,
            Output {
                items: list.into_iter().map(|listed| listed.item).collect(),
                open,
                value_table: ValueTable::No,
            },
        )
    }

    /// Without FROM there is one row, and nothing to filter, group or order.
    fn without_from(&mut self, select: &'q Select, list: &[Listed<'q>], order: Option<&'q OrderBy>) {
        for listed in list.iter().filter(|listed| listed.aggregate || listed.window) {
            let what = if listed.aggregate { "an aggregate" } else { "a window function" };
            self.wrong(Code::SqlAggregation, listed.item.span, format!("{what} needs a FROM"));
        }
        let mut clauses: Vec<(&str, sqlparser::tokenizer::Span)> = Vec::new();
        clauses.extend(select.selection.iter().map(|condition| ("WHERE", span_of(condition))));
        clauses.extend(select.having.iter().map(|condition| ("HAVING", span_of(condition))));
        clauses.extend(order.iter().map(|order| ("ORDER BY", order.span())));
        if matches!(&select.group_by, GroupByExpr::Expressions(keys, _) if !keys.is_empty()) {
            clauses.push(("GROUP BY", select.group_by.span()));
        }
        for (clause, span) in clauses {
            self.wrong(Code::SqlInvalid, span, format!("{clause} needs a FROM"));
        }
    }

    /// Clauses that the parser knows and GoogleSQL does not.
    fn foreign_clauses(&mut self, select: &'q Select) {
        let span = select.select_token.0.span;
        let mut foreign = |present: bool, what: &str, help: &str| {
            if present {
                self.fault(
                    SqlFault::new(Code::SqlInvalid, span, format!("GoogleSQL has no {what}")).help(help),
                );
            }
        };
        foreign(select.top.is_some(), "TOP", "write LIMIT count at the end");
        foreign(
            matches!(select.distinct, Some(Distinct::On(_))),
            "DISTINCT ON",
            "keep one row a key with QUALIFY ROW_NUMBER() OVER (PARTITION BY … ORDER BY …) = 1",
        );
        foreign(!select.lateral_views.is_empty(), "LATERAL VIEW", "write CROSS JOIN UNNEST(array)");
        foreign(select.into.is_some(), "SELECT INTO", "a model's result becomes its table");
        foreign(!select.connect_by.is_empty(), "CONNECT BY", "write WITH RECURSIVE");
        foreign(!select.sort_by.is_empty(), "SORT BY", "write ORDER BY");
        foreign(
            !select.cluster_by.is_empty(),
            "CLUSTER BY in a query",
            "cluster the table in its configuration",
        );
    }

    fn having(&mut self, rest: Rest<'_, 'q>, grouped: bool) -> Option<Recorder> {
        let condition = rest.select.having.as_ref()?;
        let recorder = Recorder::default();
        let scope = Scope { recorder: &recorder, ..rest.scope };
        let context = Context {
            scope: &scope,
            clause: "HAVING",
            aggregates: true,
            windows: false,
            named_windows: &[],
            hidden: rest.hidden,
        };
        let value = self.expression(condition, &context);
        self.boolean(&value, condition, "HAVING");
        if !grouped {
            let fault = SqlFault::new(
                Code::SqlAggregation,
                span_of(condition),
                "HAVING filters groups, and this query has no GROUP BY and no aggregate in its select list",
            );
            self.fault(fault.help("filter rows with WHERE"));
        }
        Some(recorder)
    }

    fn qualify(&mut self, rest: Rest<'_, 'q>, windows: bool) -> Option<Recorder> {
        let condition = rest.select.qualify.as_ref()?;
        let recorder = Recorder::default();
        let scope = Scope { recorder: &recorder, ..rest.scope };
        let context = Context {
            scope: &scope,
            clause: "QUALIFY",
            aggregates: true,
            windows: true,
            named_windows: &rest.select.named_window,
            hidden: rest.hidden,
        };
        let value = self.expression(condition, &context);
        self.boolean(&value, condition, "QUALIFY");
        if !windows && recorder.calls().1 == 0 {
            let fault = SqlFault::new(
                Code::SqlAggregation,
                span_of(condition),
                "QUALIFY filters on a window function, and this query has none",
            );
            self.fault(fault.help("filter rows with WHERE"));
        }
        Some(recorder)
    }

    fn order_by(&mut self, order: &'q OrderBy, rest: Rest<'_, 'q>, grouped: bool) -> Recorder {
        let recorder = Recorder::default();
        let OrderByKind::Expressions(keys) = &order.kind else {
            self.wrong(Code::SqlInvalid, rest.select.span(), "GoogleSQL has no ORDER BY ALL");
            return recorder;
        };
        let scope = Scope { recorder: &recorder, ..rest.scope };
        let context = Context {
            scope: &scope,
            clause: "ORDER BY",
            aggregates: true,
            windows: true,
            named_windows: &rest.select.named_window,
            hidden: &[],
        };
        for key in keys {
            match self.ordinal(&key.expr, rest.list.len(), "ORDER BY") {
                Ordinal::Item(position) => {
                    if let Some(listed) = rest.list.get(position) {
                        self.check_orderable(&listed.item.value, &key.expr, "ORDER BY");
                    }
                }
                Ordinal::Wrong => {}
                Ordinal::No => {
                    let mark = recorder.mark();
                    let value = self.expression(&key.expr, &context);
                    recorder.cover(mark, value.print);
                    self.check_orderable(&value, &key.expr, "ORDER BY");
                }
            }
            if !grouped && recorder.calls().0 > 0 {
                self.wrong(
                    Code::SqlAggregation,
                    span_of(&key.expr),
                    "ORDER BY takes an aggregate only where the query has GROUP BY or an aggregate in its select list",
                );
                break;
            }
        }
        recorder
    }

    /// Columns that are neither in GROUP BY nor within an aggregate.
    fn ungrouped(&mut self, recorder: &Recorder, keys: &BTreeSet<u64>) {
        let uncovered = recorder.uncovered(keys);
        // One `*` can stand for many columns: one fault for each place.
        for same_place in uncovered.chunk_by(|one, other| one.span == other.span) {
            let names: Vec<&str> = same_place.iter().map(|reference| &*reference.name).collect();
            let [first, ..] = same_place else { continue };
            let (message, help) = if let [name] = names.as_slice() {
                (
                    format!("`{name}` is neither grouped nor aggregated"),
                    format!("name it in GROUP BY, or wrap it in an aggregate: ANY_VALUE({name})"),
                )
            } else {
                (
                    format!(
                        "`*` stands for columns that are neither grouped nor aggregated: {}",
                        listed(&names)
                    ),
                    "select the columns of GROUP BY by name".to_owned(),
                )
            };
            self.fault(SqlFault::new(Code::SqlAggregation, first.span, message).help(help));
        }
    }

    fn distinct_rows(&mut self, list: &[Listed<'q>]) {
        for listed in list {
            if groupable(&listed.item.value.data_type) == Verdict::No {
                let message =
                    format!("SELECT DISTINCT does not take a column of type {}", listed.item.value.data_type);
                self.wrong(Code::SqlTypeMismatch, listed.item.span, message);
            }
        }
    }

    /// Behind SELECT DISTINCT, ORDER BY sees the select list only.
    fn hidden_by_distinct(&mut self, ordering: &Recorder, list: &[Listed<'q>]) {
        let columns: BTreeSet<u64> = list
            .iter()
            .filter(|listed| listed.item.value.form == Form::Column)
            .map(|listed| listed.item.value.print)
            .collect();
        for reference in ordering.uncovered(&columns) {
            let message = format!("ORDER BY does not see `{}` behind SELECT DISTINCT", reference.name);
            let fault = SqlFault::new(Code::SqlUnknownColumn, reference.span, message);
            self.fault(fault.help("name it in the select list, or order by a column of that list"));
        }
    }

    /// SELECT AS STRUCT and SELECT AS VALUE.
    fn value_table(&mut self, select: &'q Select, mut output: Output<'q>) -> Output<'q> {
        match select.value_table_mode {
            Some(ValueTableMode::AsStruct | ValueTableMode::DistinctAsStruct) => {
                let fields = output.items.iter().map(|item| Field {
                    name: item.name.as_ref().map(ToString::to_string),
                    data_type: item.value.data_type.clone(),
                });
                let data_type = if output.open { Type::Unknown } else { Type::Struct(fields.collect()) };
                output.value_table = ValueTable::Struct(data_type);
            }
            Some(ValueTableMode::AsValue | ValueTableMode::DistinctAsValue) => {
                let count = output.items.len();
                match (count, output.items.first()) {
                    (1, Some(item)) => {
                        if let Type::Struct(fields) = item.value.data_type.clone() {
                            let whole = item.clone();
                            output.items = fields
                                .into_iter()
                                .map(|field| Item {
                                    name: field.name.map(Into::into),
                                    value: super::value::Value {
                                        data_type: field.data_type,
                                        form: Form::Computed,
                                        print: 0,
                                        ..whole.value.clone()
                                    },
                                    span: whole.span,
                                })
                                .collect();
                            output.value_table = ValueTable::Struct(whole.value.data_type);
                        } else {
                            output.value_table = ValueTable::Value;
                        }
                    }
                    _ if output.open => {}
                    _ => {
                        let message = format!("SELECT AS VALUE gives one column, and here are {count}");
                        self.wrong(Code::SqlInvalid, select.select_token.0.span, message);
                    }
                }
            }
            None => {}
        }
        output
    }
}

/// The name that an expression gives its column.
pub(super) fn implicit_name(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::Identifier(name) if name.value.starts_with('@') => None,
        Expr::Identifier(name) => Some(&name.value),
        Expr::CompoundIdentifier(parts) => parts.last().map(|part| part.value.as_str()),
        Expr::CompoundFieldAccess { access_chain, .. } => match access_chain.last() {
            Some(sqlparser::ast::AccessExpr::Dot(inner)) => implicit_name(inner),
            _ => None,
        },
        Expr::Nested(inner) => implicit_name(inner),
        _ => None,
    }
}
