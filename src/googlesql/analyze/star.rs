//! The select list, and what `*` stands for in it.

use std::rc::Rc;

use sqlparser::ast::{
    Expr, Ident, IdentWithAlias, RenameSelectItem, Select, SelectItem, SelectItemQualifiedWildcardKind,
    Spanned, WildcardAdditionalOptions,
};
use sqlparser::tokenizer::Span;

use super::analyzer::{Analyzer, Context};
use super::expression::span_of;
use super::literal::text_of;
use super::path::column_help;
use super::query::Item;
use super::scope::{Star, mix, print_of, same_name};
use super::select::{Listed, implicit_name};
use super::value::{Form, Value};
use crate::diag::Code;
use crate::googlesql::{SqlFault, Type};

/// A column that `*` stands for.
struct Expanded<'q> {
    name: Option<Rc<str>>,
    value: Value<'q>,
}

impl<'q> Analyzer<'q, '_> {
    /// The items of the select list, with `*` written out.
    pub(super) fn select_list(
        &mut self,
        select: &'q Select,
        context: &Context<'_, 'q>,
        open: &mut bool,
    ) -> Vec<Listed<'q>> {
        let mut list = Vec::with_capacity(select.projection.len());
        for item in &select.projection {
            match item {
                SelectItem::UnnamedExpr(expr) => {
                    let name = implicit_name(expr).map(Into::into);
                    list.push(self.listed(expr, name, span_of(expr), context));
                }
                SelectItem::ExprWithAlias { expr, alias } => {
                    list.push(self.aliased(expr, alias, context));
                }
                SelectItem::Wildcard(options) => {
                    let span = options.wildcard_token.0.span;
                    let columns = self.all_columns(span, context, open);
                    self.expand(columns, options, span, context, &mut list, *open);
                }
                SelectItem::QualifiedWildcard(kind, options) => {
                    let span = kind_span(kind);
                    let mut inner_open = false;
                    let columns = self.columns_of(kind, span, context, &mut inner_open);
                    *open |= inner_open;
                    self.expand(columns, options, span, context, &mut list, inner_open);
                }
                SelectItem::ExprWithAliases { expr, .. } => {
                    self.wrong(Code::SqlInvalid, span_of(expr), "an expression has one alias");
                }
            }
        }
        list
    }

    fn aliased(&mut self, expr: &'q Expr, alias: &'q Ident, context: &Context<'_, 'q>) -> Listed<'q> {
        if let Some('\'' | '"') = alias.quote_style {
            if let Expr::Identifier(prefix) = expr
                && Self::is_raw_bytes(prefix, alias)
            {
                let cover = self.fresh();
                let value = Value::literal(Type::Bytes, Form::Literal, mix(print_of(&alias.value), 0x59));
                let item = Item { name: None, value, span: prefix.span };
                return Listed { item, cover, aggregate: false, window: false };
            }
            if matches!(expr, Expr::Value(literal) if text_of(&literal.value).is_some()) {
                // `'a' 'b'` is one text in two pieces.
                return self.listed(expr, None, span_of(expr), context);
            }
            let fault =
                SqlFault::new(Code::SqlInvalid, span_of(expr), "an alias is a name, and quotes make a text");
            self.fault(fault.help(format!("write AS {0}, or AS `{0}`", alias.value)));
        }
        self.listed(expr, Some(alias.value.as_str().into()), alias.span, context)
    }

    fn listed(
        &mut self,
        expr: &'q Expr,
        name: Option<Rc<str>>,
        span: Span,
        context: &Context<'_, 'q>,
    ) -> Listed<'q> {
        let recorder = context.scope.recorder;
        let (mark, before) = (recorder.mark(), recorder.calls());
        let value = self.expression(expr, context);
        let after = recorder.calls();
        let cover = self.fresh();
        recorder.cover(mark, cover);
        recorder.cover(mark, value.print);
        Listed {
            item: Item { name, value, span },
            cover,
            aggregate: after.0 > before.0,
            window: after.1 > before.1,
        }
    }

    /// The columns of `*`.
    fn all_columns(&mut self, span: Span, context: &Context<'_, 'q>, open: &mut bool) -> Vec<Expanded<'q>> {
        let from = context.scope.from;
        if from.relations.is_empty() {
            self.wrong(Code::SqlInvalid, span, "`SELECT *` needs a FROM");
        }
        *open |= from.relations.iter().any(|relation| relation.columns.open);
        from.star.iter().filter_map(|entry| self.expanded(*entry, span, context)).collect()
    }

    fn expanded(&mut self, entry: Star, span: Span, context: &Context<'_, 'q>) -> Option<Expanded<'q>> {
        let (attribute, print) = context.scope.from.entry(entry)?;
        let value = self.column_value(attribute, print, span, context.scope);
        Some(Expanded { name: attribute.name.clone(), value })
    }

    /// The columns of `table.*` and the fields of `struct.*`.
    fn columns_of(
        &mut self,
        kind: &'q SelectItemQualifiedWildcardKind,
        span: Span,
        context: &Context<'_, 'q>,
        open: &mut bool,
    ) -> Vec<Expanded<'q>> {
        let value = match kind {
            SelectItemQualifiedWildcardKind::ObjectName(name) => {
                let parts: Vec<&Ident> = name.0.iter().filter_map(|part| part.as_ident()).collect();
                if let [table] = parts.as_slice() {
                    let mut level = Some(context.scope);
                    while let Some(scope) = level {
                        let position = scope.from.relations.iter().position(|relation| {
                            relation.alias.as_ref().is_some_and(|alias| same_name(alias, &table.value))
                        });
                        if let Some(position) = position {
                            let inner = Context { scope, ..*context };
                            let Some(relation) = scope.from.relations.get(position) else { break };
                            *open |= relation.columns.open;
                            return (0..relation.columns.list.len())
                                .filter_map(|column| {
                                    self.expanded(Star::Column(position, column), span, &inner)
                                })
                                .collect();
                        }
                        level = scope.parent;
                    }
                }
                self.path(&parts, context)
            }
            SelectItemQualifiedWildcardKind::Expr(expr) => self.expression(expr, context),
        };
        if let Type::Struct(fields) = &value.data_type
            && let Some(names) = fields.iter().map(|field| field.name.clone()).collect()
        {
            self.resolved.add_fields(span, names);
        }
        match &value.data_type {
            Type::Struct(fields) => fields
                .iter()
                .map(|field| Expanded {
                    name: field.name.as_deref().map(Into::into),
                    value: Value {
                        form: value.form_of_part(),
                        ..Value::computed(
                            field.data_type.clone(),
                            value.sources.clone(),
                            match (&field.name, value.print) {
                                (Some(name), print) if print != 0 => {
                                    mix(print, print_of(&name.to_lowercase()))
                                }
                                _ => 0,
                            },
                        )
                    },
                })
                .collect(),
            Type::Unknown => {
                *open = true;
                Vec::new()
            }
            other => {
                let message = format!("`.*` takes a table or a STRUCT, and this is {other}");
                self.wrong(Code::SqlTypeMismatch, span, message);
                Vec::new()
            }
        }
    }

    /// EXCEPT and REPLACE, and the list that results.
    fn expand(
        &mut self,
        columns: Vec<Expanded<'q>>,
        options: &'q WildcardAdditionalOptions,
        span: Span,
        context: &Context<'_, 'q>,
        list: &mut Vec<Listed<'q>>,
        open: bool,
    ) {
        let mut left_out: Vec<&Ident> = Vec::new();
        if let Some(except) = &options.opt_except {
            left_out.push(&except.first_element);
            left_out.extend(&except.additional_elements);
        }
        let is_named = |column: &Expanded<'q>, name: &Ident| {
            column.name.as_ref().is_some_and(|own| same_name(own, &name.value))
        };
        let known = || -> Vec<&str> { columns.iter().filter_map(|column| column.name.as_deref()).collect() };
        for name in &left_out {
            if !open && !columns.iter().any(|column| is_named(column, name)) {
                let message = format!("EXCEPT names `{}`, which `*` does not have", name.value);
                let fault = SqlFault::new(Code::SqlUnknownColumn, name.span, message);
                self.fault(fault.maybe_help(column_help(&name.value, &known())));
            }
        }
        let mut replaced = Vec::new();
        for element in options.opt_replace.iter().flat_map(|replace| &replace.items) {
            let name = &element.column_name;
            if !open && !columns.iter().any(|column| is_named(column, name)) {
                let message = format!("REPLACE names `{}`, which `*` does not have", name.value);
                let fault = SqlFault::new(Code::SqlUnknownColumn, name.span, message);
                self.fault(fault.maybe_help(column_help(&name.value, &known())));
            }
            replaced.push((
                name,
                self.listed(&element.expr, Some(name.value.as_str().into()), name.span, context),
            ));
        }
        // What the pipe operator RENAME has become.
        let renamed: &'q [IdentWithAlias] = match &options.opt_rename {
            Some(RenameSelectItem::Multiple(names)) => names,
            _ => &[],
        };
        for name in renamed {
            if !open && !columns.iter().any(|column| is_named(column, &name.ident)) {
                let message = format!("RENAME names `{}`, which is no column here", name.ident.value);
                let fault = SqlFault::new(Code::SqlUnknownColumn, name.ident.span, message);
                self.fault(fault.maybe_help(column_help(&name.ident.value, &known())));
            }
        }
        let foreign = options.opt_exclude.is_some() || options.opt_ilike.is_some();
        if foreign {
            let fault = SqlFault::new(
                Code::SqlInvalid,
                span,
                "GoogleSQL has `* EXCEPT (…)` and `* REPLACE (…)` only",
            );
            self.fault(fault);
        }
        for column in columns {
            if left_out.iter().any(|name| is_named(&column, name)) {
                continue;
            }
            if let Some(position) = replaced.iter().position(|(name, _)| is_named(&column, name)) {
                list.push(replaced.swap_remove(position).1);
                continue;
            }
            let cover = if column.value.print == 0 { self.fresh() } else { column.value.print };
            let new = renamed.iter().find(|name| is_named(&column, &name.ident));
            let name = new.map_or(column.name, |new| Some(new.alias.value.as_str().into()));
            let item = Item { name, value: column.value, span };
            list.push(Listed { item, cover, aggregate: false, window: false });
        }
    }
}

fn kind_span(kind: &SelectItemQualifiedWildcardKind) -> Span {
    match kind {
        SelectItemQualifiedWildcardKind::ObjectName(name) => name.span(),
        SelectItemQualifiedWildcardKind::Expr(expr) => span_of(expr),
    }
}
