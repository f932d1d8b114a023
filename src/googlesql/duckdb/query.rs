//! Queries: WITH, SELECT, set operations, ORDER BY, LIMIT.

use std::fmt::Write as _;

use sqlparser::ast::{
    Distinct, Expr, GroupByExpr, Ident as SqlIdent, LimitClause, ObjectName, OrderBy, OrderByExpr,
    OrderByKind, Query, RenameSelectItem, Select, SelectFlavor, SelectItem, SelectItemQualifiedWildcardKind,
    SetExpr, SetOperator, SetQuantifier, Spanned, ValueTableMode, WildcardAdditionalOptions, With,
};
use sqlparser::tokenizer::Span;

use super::expression::implied_name;
use super::from::EVERYTHING;
use super::names::Ident;
use super::{Frame, SelectAlias, Translator};
use crate::googlesql::by_name::ByName;
use crate::googlesql::limits::SETS_HELP;
use crate::googlesql::resolved::span_of;

/// How many set operations may hang below each other: what the engine's parser has stack for.
const MAX_SETS: usize = 500;

/// What a query's rows are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rows {
    /// Columns; `SELECT AS STRUCT` gives its fields as columns.
    Columns,
    /// Values of an expression; `SELECT AS STRUCT` gives structs.
    Values,
}

impl Translator<'_> {
    /// A query whose rows are columns.
    pub(super) fn query(&mut self, query: &Query) -> String {
        let tuples = std::mem::take(&mut self.rows_as_tuples);
        let sql = self.without_aliases(|translator| translator.query_of(query, Rows::Columns));
        self.rows_as_tuples = tuples;
        sql
    }

    /// A query inside an expression.
    pub(super) fn subquery(&mut self, query: &Query) -> String {
        let tuples = std::mem::take(&mut self.rows_as_tuples);
        let sql = self.without_aliases(|translator| translator.query_of(query, Rows::Values));
        self.rows_as_tuples = tuples;
        sql
    }

    fn query_of(&mut self, query: &Query, rows: Rows) -> String {
        let span = query.span();
        if query.fetch.is_some()
            || !query.locks.is_empty()
            || query.for_clause.is_some()
            || query.settings.is_some()
            || query.format_clause.is_some()
        {
            return self.refuse(span, "this clause of a query");
        }
        if !query.pipe_operators.is_empty() {
            return self.refuse(span, "pipe syntax");
        }
        self.ctes.push(Vec::new());
        let known = self.cte_columns.len();
        let mut sql = query.with.as_ref().map_or_else(String::new, |with| self.with(with));
        let (body, aliases) = self.set_expr(&query.body, rows);
        sql.push_str(&body);
        if let Some(order_by) = &query.order_by {
            self.aliases = aliases;
            sql.push_str(&self.order_by(order_by));
            self.aliases = Vec::new();
        }
        if let Some(limit) = &query.limit_clause {
            sql.push_str(&self.limit(limit, span));
        }
        self.ctes.pop();
        self.cte_columns.truncate(known);
        sql
    }

    fn with(&mut self, with: &With) -> String {
        let mut list = Vec::new();
        if with.recursive {
            let names = with.cte_tables.iter().map(|cte| cte.alias.name.value.to_lowercase()).collect();
            if let Some(scope) = self.ctes.last_mut() {
                *scope = names;
            }
        }
        for cte in &with.cte_tables {
            if cte.from.is_some() || cte.materialized.is_some() || !cte.alias.columns.is_empty() {
                self.refuse(cte.alias.name.span, "this form of WITH");
            }
            let query = self.query(&cte.query);
            list.push(format!("{} AS ({query})", Ident::new(&cte.alias.name.value)));
            let columns = self.query_names(&cte.query);
            self.cte_columns.push((cte.alias.name.value.clone(), columns));
            if let Some(scope) = self.ctes.last_mut() {
                scope.push(cte.alias.name.value.to_lowercase());
            }
        }
        let recursive = if with.recursive { "RECURSIVE " } else { "" };
        format!("WITH {recursive}{} ", list.join(", "))
    }

    fn set_expr(&mut self, body: &SetExpr, rows: Rows) -> (String, Vec<SelectAlias>) {
        let sql = match body {
            SetExpr::Select(select) => return self.select(select, rows),
            SetExpr::Query(query) => {
                format!("({})", self.without_aliases(|translator| translator.query_of(query, rows)))
            }
            SetExpr::SetOperation {
                left,
                op,
                set_quantifier: quantifier @ (SetQuantifier::AllByName | SetQuantifier::DistinctByName),
                right,
            } => {
                let by_name = ByName::of(right);
                let left_sql = self.operand(left, rows);
                let right_sql = self.operand(by_name.operand, rows);
                self.by_name((left, &left_sql), (&by_name, &right_sql), *op, *quantifier, body.span())
            }
            SetExpr::SetOperation { left, op, set_quantifier, right } => {
                let keyword = match (op, set_quantifier) {
                    (SetOperator::Union, SetQuantifier::All) => "UNION ALL",
                    (SetOperator::Union, SetQuantifier::Distinct) => "UNION",
                    (SetOperator::Intersect, SetQuantifier::Distinct) => "INTERSECT",
                    (SetOperator::Except, SetQuantifier::Distinct) => "EXCEPT",
                    _ => {
                        let what = format!("{op} {set_quantifier}");
                        return (self.refuse(body.span(), what), Vec::new());
                    }
                };
                let left_sql = self.operand(left, rows);
                // The first query names the fields of all structs; DuckDB would match those of one name.
                let before = self.rows_as_tuples;
                self.rows_as_tuples |= rows == Rows::Values;
                let right = self.operand(right, rows);
                self.rows_as_tuples = before;
                format!("{left_sql} {keyword} {right}")
            }
            SetExpr::Values(_)
            | SetExpr::Insert(_)
            | SetExpr::Update(_)
            | SetExpr::Delete(_)
            | SetExpr::Merge(_)
            | SetExpr::Table(_) => self.refuse(body.span(), "this kind of query"),
        };
        (sql, Vec::new())
    }

    fn operand(&mut self, body: &SetExpr, rows: Rows) -> String {
        if self.set_depth == MAX_SETS {
            let place = match body {
                SetExpr::SetOperation { right, .. } => right.span(),
                other => other.span(),
            };
            return self.too_deep(place, "set operations", MAX_SETS, SETS_HELP);
        }
        self.set_depth += 1;
        let (sql, _) = self.set_expr(body, rows);
        self.set_depth -= 1;
        match body {
            SetExpr::SetOperation { .. } => format!("({sql})"),
            _ => match self.resolved.rows(body.span()) {
                Some(columns) if rows == Rows::Columns || (columns.len() == 1 && is_plain(body)) => {
                    let columns = columns.to_vec();
                    self.taken_rows(&sql, &columns)
                }
                _ => sql,
            },
        }
    }

    fn select(&mut self, select: &Select, rows: Rows) -> (String, Vec<SelectAlias>) {
        let span = select.span();
        if !select.optimizer_hints.is_empty()
            || select.select_modifiers.is_some()
            || select.top.is_some()
            || select.exclude.is_some()
            || select.into.is_some()
            || !select.lateral_views.is_empty()
            || select.prewhere.is_some()
            || !select.connect_by.is_empty()
            || !select.cluster_by.is_empty()
            || !select.distribute_by.is_empty()
            || !select.sort_by.is_empty()
            || select.flavor != SelectFlavor::Standard
        {
            return (self.refuse(span, "this form of SELECT"), Vec::new());
        }
        self.frames.push(Frame::default());
        // FROM first: it brings the names that correlated arrays in the SELECT list refer to.
        let from = self.from(&select.from);
        let distinct = match (&select.distinct, &select.value_table_mode) {
            (Some(Distinct::On(_)), _) => self.refuse(span, "DISTINCT ON"),
            (Some(Distinct::Distinct), _)
            | (_, Some(ValueTableMode::DistinctAsStruct | ValueTableMode::DistinctAsValue)) => {
                "DISTINCT ".to_owned()
            }
            (None | Some(Distinct::All), _) => String::new(),
        };
        let as_struct = matches!(
            select.value_table_mode,
            Some(ValueTableMode::AsStruct | ValueTableMode::DistinctAsStruct)
        );
        let as_value = matches!(
            select.value_table_mode,
            Some(ValueTableMode::AsValue | ValueTableMode::DistinctAsValue)
        );
        let (projection, aliases) = if as_struct && rows == Rows::Values {
            (self.packed(&select.projection), Vec::new())
        } else if let ([SelectItem::UnnamedExpr(value) | SelectItem::ExprWithAlias { expr: value, .. }], true) =
            (select.projection.as_slice(), as_value && rows == Rows::Columns)
            && super::expression::is_struct(value)
        {
            // The rows of such a query are the structs, its columns their fields.
            (format!("unnest({})", self.expr(value)), Vec::new())
        } else {
            self.projection(&select.projection)
        };
        let mut sql = format!("SELECT {distinct}{projection}{from}");
        if let Some(condition) = &select.selection {
            let _ = write!(sql, " WHERE {}", self.expr(condition));
        }
        sql.push_str(&self.group_by(&select.group_by, &aliases, span));
        if let Some(condition) = &select.having {
            self.aliases.clone_from(&aliases);
            let _ = write!(sql, " HAVING {}", self.expr(condition));
            self.aliases.clear();
        }
        if !select.named_window.is_empty() {
            let list: Vec<String> = select
                .named_window
                .iter()
                .map(|window| format!("{} AS {}", Ident::new(&window.0.value), self.named_window(&window.1)))
                .collect();
            let _ = write!(sql, " WINDOW {}", list.join(", "));
        }
        if let Some(condition) = &select.qualify {
            self.aliases.clone_from(&aliases);
            let _ = write!(sql, " QUALIFY {}", self.expr(condition));
            self.aliases.clear();
        }
        self.frames.pop();
        (sql, aliases)
    }

    /// The SELECT list and the names it gives. Columns without a name get the one that BigQuery gives them.
    fn projection(&mut self, items: &[SelectItem]) -> (String, Vec<SelectAlias>) {
        let mut list = Vec::new();
        let mut aliases = Vec::new();
        let mut anonymous = 0;
        for item in items {
            let (expr, name) = match item {
                // A variable's value has the variable's name.
                SelectItem::UnnamedExpr(expr @ Expr::Identifier(name)) if self.variable(name).is_some() => {
                    (expr, Some(name.value.clone()))
                }
                SelectItem::UnnamedExpr(expr) => (expr, None),
                SelectItem::ExprWithAlias { expr, alias } => (expr, Some(alias.value.clone())),
                SelectItem::Wildcard(options) => {
                    list.push(self.asterisk(None, options));
                    continue;
                }
                SelectItem::QualifiedWildcard(kind, options)
                    if let Some(fields) = self.fields_of_star(kind, options) =>
                {
                    list.extend(fields);
                    continue;
                }
                SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::ObjectName(name), options) => {
                    list.push(self.asterisk(Some(name), options));
                    continue;
                }
                SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::Expr(expr), options) => {
                    if options.opt_except.is_some() || options.opt_replace.is_some() {
                        list.push(self.refuse(expr.span(), "EXCEPT or REPLACE of an expression's fields"));
                    } else {
                        list.push(format!("unnest({})", self.expr(expr)));
                    }
                    continue;
                }
                SelectItem::ExprWithAliases { expr, .. } => {
                    list.push(self.refuse(expr.span(), "several names for one expression"));
                    continue;
                }
            };
            let sql = self.expr(expr);
            if let Some(name) = name {
                list.push(format!("{sql} AS {}", Ident::new(&name)));
                let same =
                    matches!(expr, Expr::Identifier(column) if column.value.eq_ignore_ascii_case(&name));
                if !same {
                    aliases.push(SelectAlias { name, opaque: self.is_opaque(expr), sql });
                }
            } else {
                let name = implied_name(expr).unwrap_or_else(|| {
                    anonymous += 1;
                    format!("f{}_", anonymous - 1)
                });
                match expr {
                    Expr::Identifier(column) if self.element(column).is_some() => {
                        list.push(format!("{sql} AS {}", Ident::new(&name)));
                        aliases.push(SelectAlias { name, opaque: false, sql });
                    }
                    Expr::Identifier(_) => list.push(sql),
                    _ => list.push(format!("{sql} AS {}", Ident::new(name))),
                }
            }
        }
        (list.join(", "), aliases)
    }

    /// `value.*` of a struct, field by field, so that ORDER BY finds them; none where they are not known.
    fn fields_of_star(
        &mut self,
        kind: &SelectItemQualifiedWildcardKind,
        options: &WildcardAdditionalOptions,
    ) -> Option<Vec<String>> {
        if options.opt_replace.is_some() || options.opt_rename.is_some() {
            return None;
        }
        let (span, path) = match kind {
            SelectItemQualifiedWildcardKind::ObjectName(name) => {
                let parts = name.0.iter().filter_map(|part| part.as_ident()).cloned().collect();
                (name.span(), Some(Expr::CompoundIdentifier(parts)))
            }
            SelectItemQualifiedWildcardKind::Expr(expr) => (span_of(expr), None),
        };
        let except: Vec<&SqlIdent> = options
            .opt_except
            .iter()
            .flat_map(|except| std::iter::once(&except.first_element).chain(&except.additional_elements))
            .collect();
        let fields: Vec<String> = self.resolved.fields(span)?.to_vec();
        let value = match (kind, &path) {
            (SelectItemQualifiedWildcardKind::Expr(expr), _) => self.expr(expr),
            (_, Some(path)) => self.expr(path),
            _ => return None,
        };
        let is_left_out =
            |field: &str| except.iter().any(|out| out.value.to_lowercase() == field.to_lowercase());
        Some(
            fields
                .iter()
                .enumerate()
                .filter(|(_, field)| !is_left_out(field))
                .map(|(index, field)| {
                    format!("struct_extract_at({value}, {}) AS {}", index + 1, Ident::new(field))
                })
                .collect(),
        )
    }

    /// All columns, or all of a table.
    fn asterisk(&mut self, table: Option<&ObjectName>, options: &WildcardAdditionalOptions) -> String {
        let mut sql = String::new();
        let mut range = None;
        for part in table.iter().flat_map(|name| &name.0).filter_map(|part| part.as_ident()) {
            let _ = write!(sql, "{}.", Ident::new(&part.value));
            range = Some(part.value.as_str());
        }
        sql.push('*');
        sql.push_str(&self.wildcard_options(options, range));
        sql
    }

    /// `SELECT AS STRUCT` in an expression.
    fn packed(&mut self, items: &[SelectItem]) -> String {
        let mut fields = Vec::new();
        for (index, item) in items.iter().enumerate() {
            let (expr, name) = match item {
                SelectItem::UnnamedExpr(expr) => (expr, implied_name(expr)),
                SelectItem::ExprWithAlias { expr, alias } => (expr, Some(alias.value.clone())),
                SelectItem::Wildcard(options) => {
                    fields.push(format!("*COLUMNS({})", self.asterisk(None, options)));
                    continue;
                }
                SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::ObjectName(name), options) => {
                    fields.push(format!("*COLUMNS({})", self.asterisk(Some(name), options)));
                    continue;
                }
                other => return self.refuse(other.span(), "this form of SELECT AS STRUCT"),
            };
            let name = name.unwrap_or_else(|| format!("_field_{}", index + 1));
            let value = self.expr(expr);
            fields.push(if self.rows_as_tuples { value } else { format!("{} := {value}", Ident::new(name)) });
        }
        format!("{}({})", if self.rows_as_tuples { "row" } else { "struct_pack" }, fields.join(", "))
    }

    /// The columns, quoted, that an asterisk does not mean, of one table or of all.
    pub(super) fn hidden_columns(&mut self, range: Option<&str>) -> Vec<String> {
        let hidden: Vec<&str> = self
            .frames
            .last()
            .into_iter()
            .flat_map(|frame| &frame.hidden)
            .filter(|hidden| match range {
                Some(range) => range.to_lowercase() == hidden.table,
                None => !hidden.from_table_only,
            })
            .map(|hidden| hidden.column.as_str())
            .collect();
        let everything = hidden.contains(&EVERYTHING);
        let mut columns: Vec<String> = hidden
            .into_iter()
            .filter(|column| *column != EVERYTHING)
            .map(|column| Ident::new(column).to_string())
            .collect();
        columns.sort_unstable();
        columns.dedup();
        if everything {
            self.refuse(
                Span::empty(),
                "an asterisk over a view of INFORMATION_SCHEMA, whose columns are not all known,",
            );
        }
        columns
    }

    fn wildcard_options(&mut self, options: &WildcardAdditionalOptions, range: Option<&str>) -> String {
        if options.opt_ilike.is_some() || options.opt_exclude.is_some() || options.opt_alias.is_some() {
            return self.refuse(options.wildcard_token.0.span, "this form of an asterisk");
        }
        let mut sql = String::new();
        let mut excluded = self.hidden_columns(range);
        if let Some(except) = &options.opt_except {
            excluded.extend(
                std::iter::once(&except.first_element)
                    .chain(&except.additional_elements)
                    .map(|name| Ident::new(&name.value).to_string()),
            );
        }
        if !excluded.is_empty() {
            let _ = write!(sql, " EXCLUDE ({})", excluded.join(", "));
        }
        if let Some(replace) = &options.opt_replace {
            let items: Vec<String> = replace
                .items
                .iter()
                .map(|item| format!("{} AS {}", self.expr(&item.expr), Ident::new(&item.column_name.value)))
                .collect();
            let _ = write!(sql, " REPLACE ({})", items.join(", "));
        }
        if let Some(RenameSelectItem::Multiple(names)) = &options.opt_rename {
            let names: Vec<String> = names
                .iter()
                .map(|name| format!("{} AS {}", Ident::new(&name.ident.value), Ident::new(&name.alias.value)))
                .collect();
            let _ = write!(sql, " RENAME ({})", names.join(", "));
        }
        sql
    }

    fn group_by(&mut self, group_by: &GroupByExpr, aliases: &[SelectAlias], span: Span) -> String {
        let (items, modifiers) = match group_by {
            GroupByExpr::All(modifiers) => (None, modifiers),
            GroupByExpr::Expressions(items, modifiers) => (Some(items), modifiers),
        };
        if !modifiers.is_empty() {
            return self.refuse(span, "this form of GROUP BY");
        }
        let Some(items) = items else { return " GROUP BY ALL".to_owned() };
        if items.is_empty() {
            return String::new();
        }
        let list: Vec<String> = items.iter().map(|item| self.grouping(item, aliases)).collect();
        format!(" GROUP BY {}", list.join(", "))
    }

    fn grouping(&mut self, item: &Expr, aliases: &[SelectAlias]) -> String {
        match item {
            Expr::Rollup(sets) => format!("ROLLUP ({})", self.grouping_sets(sets, aliases)),
            Expr::Cube(sets) => format!("CUBE ({})", self.grouping_sets(sets, aliases)),
            Expr::GroupingSets(sets) => {
                let list: Vec<String> = sets
                    .iter()
                    .map(|set| {
                        let set: Vec<String> = set.iter().map(|item| self.grouping(item, aliases)).collect();
                        format!("({})", set.join(", "))
                    })
                    .collect();
                format!("GROUPING SETS ({})", list.join(", "))
            }
            // A name of the SELECT list goes before a column of the same name; in DuckDB it comes after.
            Expr::Identifier(name) => {
                match aliases.iter().find(|alias| alias.name.eq_ignore_ascii_case(&name.value)) {
                    Some(alias) => alias.sql.clone(),
                    None => self.expr(item),
                }
            }
            // A position in the SELECT list.
            Expr::Value(_) => self.compared(item, &[]),
            Expr::Tuple(items) if items.is_empty() => "()".to_owned(),
            _ => self.expr(item),
        }
    }

    fn grouping_sets(&mut self, sets: &[Vec<Expr>], aliases: &[SelectAlias]) -> String {
        let list: Vec<String> = sets
            .iter()
            .map(|set| {
                let items: Vec<String> = set.iter().map(|item| self.grouping(item, aliases)).collect();
                match items.as_slice() {
                    [only] => only.clone(),
                    several => format!("({})", several.join(", ")),
                }
            })
            .collect();
        list.join(", ")
    }

    fn order_by(&mut self, order_by: &OrderBy) -> String {
        let items = match &order_by.kind {
            OrderByKind::Expressions(items) if order_by.interpolate.is_none() => items,
            _ => return self.refuse(order_by.span(), "this form of ORDER BY"),
        };
        let list: Vec<String> = items.iter().map(|item| self.output_order(item)).collect();
        format!(" ORDER BY {}", list.join(", "))
    }

    /// An item of a query's own ORDER BY: a bare name is the SELECT list's, as it is in DuckDB.
    fn output_order(&mut self, item: &OrderByExpr) -> String {
        match &item.expr {
            Expr::Identifier(_) => self.without_aliases(|translator| translator.order_item(item)),
            _ => self.order_item(item),
        }
    }

    fn limit(&mut self, limit: &LimitClause, span: Span) -> String {
        match limit {
            LimitClause::LimitOffset { limit, offset, limit_by } if limit_by.is_empty() => {
                let mut sql = String::new();
                if let Some(limit) = limit {
                    let _ = write!(sql, " LIMIT {}", self.compared(limit, &[]));
                }
                if let Some(offset) = offset {
                    let _ = write!(sql, " OFFSET {}", self.compared(&offset.value, &[]));
                }
                sql
            }
            _ => self.refuse(span, "this form of LIMIT"),
        }
    }
}

/// Whether the rows of a query are the values of its only column.
fn is_plain(body: &SetExpr) -> bool {
    matches!(body, SetExpr::Select(select) if select.value_table_mode.is_none())
}
