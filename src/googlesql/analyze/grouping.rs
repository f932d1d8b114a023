//! GROUP BY: columns, expressions, numbers, aliases, ALL, ROLLUP, CUBE and GROUPING SETS.

use std::collections::BTreeSet;

use sqlparser::ast::{Expr, GroupByExpr, GroupByWithModifier};

use super::analyzer::{Analyzer, Context};
use super::coerce::{Verdict, groupable};
use super::expression::span_of;
use super::query::Ordinal;
use super::scope::{Recorder, Scope, same_name};
use super::select::{Listed, Rest};
use crate::diag::Code;
use crate::googlesql::{SqlFault, Type};

/// What a query is grouped by.
#[derive(Debug, Default)]
pub(super) struct Groups {
    /// The identities of the expressions.
    pub keys: BTreeSet<u64>,
    /// Whether there is a GROUP BY.
    pub present: bool,
}

impl<'q> Analyzer<'q, '_> {
    /// The GROUP BY of a SELECT.
    pub(super) fn group_by(&mut self, rest: Rest<'_, 'q>) -> Groups {
        let mut groups = Groups::default();
        let (keys, modifiers) = match &rest.select.group_by {
            GroupByExpr::All(modifiers) => {
                groups.present = true;
                self.group_all(rest.list, &mut groups);
                (&[][..], modifiers)
            }
            GroupByExpr::Expressions(keys, modifiers) => (keys.as_slice(), modifiers),
        };
        groups.present |= !keys.is_empty() || !modifiers.is_empty();
        for key in keys {
            self.group_key(key, rest, &mut groups, 0);
        }
        for modifier in modifiers {
            match modifier {
                GroupByWithModifier::GroupingSets(sets) => self.group_key(sets, rest, &mut groups, 0),
                other => {
                    let span = keys.first().map_or(rest.select.select_token.0.span, span_of);
                    let fault =
                        SqlFault::new(Code::SqlInvalid, span, format!("GoogleSQL has no GROUP BY … {other}"));
                    self.fault(fault.help("write GROUP BY ROLLUP (…) or GROUP BY CUBE (…)"));
                }
            }
        }
        groups
    }

    /// GROUP BY ALL takes each item without aggregate.
    fn group_all(&mut self, list: &[Listed<'q>], groups: &mut Groups) {
        for listed in list.iter().filter(|listed| !listed.aggregate && !listed.window) {
            self.check_groupable(&listed.item.value.data_type, listed.item.span);
            groups
                .keys
                .extend([listed.cover, listed.item.value.print].into_iter().filter(|print| *print != 0));
        }
    }

    fn group_key(&mut self, key: &'q Expr, rest: Rest<'_, 'q>, groups: &mut Groups, depth: usize) {
        match key {
            Expr::Rollup(sets) | Expr::Cube(sets) | Expr::GroupingSets(sets) if depth < 8 => {
                for key in sets.iter().flatten() {
                    self.group_key(key, rest, groups, depth + 1);
                }
                return;
            }
            Expr::Tuple(keys) if depth < 8 => {
                for key in keys {
                    self.group_key(key, rest, groups, depth + 1);
                }
                return;
            }
            Expr::Nested(inner) => return self.group_key(inner, rest, groups, depth),
            _ => {}
        }
        match self.ordinal(key, rest.list.len(), "GROUP BY") {
            Ordinal::No => {}
            Ordinal::Wrong => return,
            Ordinal::Item(position) => {
                if let Some(listed) = rest.list.get(position) {
                    self.group_item(key, listed, groups);
                }
                return;
            }
        }
        if let Expr::Identifier(name) = key {
            let mut hits = rest.scope.aliases.iter().filter(|alias| same_name(&alias.name, &name.value));
            if let Some(hit) = hits.next() {
                let same = hits.all(|other| other.value.print != 0 && other.value.print == hit.value.print);
                if !same {
                    let message = format!("several columns of the select list are called `{}`", name.value);
                    self.wrong(Code::SqlAmbiguousColumn, name.span, message);
                } else if let Some(listed) = rest.list.get(hit.item) {
                    self.group_item(key, listed, groups);
                }
                return;
            }
        }
        let recorder = Recorder::default();
        recorder.set_off(true);
        let scope = Scope { aliases: &[], recorder: &recorder, ..rest.scope };
        let context = Context { hidden: rest.hidden, ..Context::row(&scope, "GROUP BY") };
        let value = self.expression(key, &context);
        self.check_groupable(&value.data_type, span_of(key));
        if value.print != 0 {
            groups.keys.insert(value.print);
        }
    }

    /// A key that is an item of the select list.
    fn group_item(&mut self, key: &'q Expr, listed: &Listed<'q>, groups: &mut Groups) {
        let what = if listed.aggregate {
            Some("an aggregate")
        } else if listed.window {
            Some("a window function")
        } else {
            None
        };
        if let Some(what) = what {
            let message = format!("`{key}` is {what}, which GROUP BY does not take");
            self.wrong(Code::SqlAggregation, span_of(key), message);
        }
        self.check_groupable(&listed.item.value.data_type, span_of(key));
        groups.keys.insert(listed.cover);
        if listed.item.value.print != 0 {
            groups.keys.insert(listed.item.value.print);
        }
    }

    fn check_groupable(&mut self, data_type: &Type, span: sqlparser::tokenizer::Span) {
        if groupable(data_type) == Verdict::No {
            let fault = SqlFault::new(
                Code::SqlAggregation,
                span,
                format!("GROUP BY does not take values of type {data_type}"),
            );
            let help = (*data_type == Type::Json).then(|| "TO_JSON_STRING(json) can be grouped".to_owned());
            self.fault(fault.maybe_help(help));
        }
    }
}
