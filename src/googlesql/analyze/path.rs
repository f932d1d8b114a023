//! What a name or a dotted path stands for: a column, a table's row, a field, a parameter.

use std::borrow::Borrow;

use sqlparser::ast::Ident;
use sqlparser::tokenizer::Span;

use super::analyzer::{Analyzer, Context};
use super::scope::{Attribute, Found, Lookup, Origin, Relation, Scope, mix, print_of, same_name};
use super::sources::Sources;
use super::value::{Form, Value};
use crate::diag::{Code, did_you_mean, nearest};
use crate::googlesql::{Field, SqlFault, Type};

/// Columns that tables have beside their own.
const PSEUDO_COLUMNS: &[(&str, Type)] = &[
    ("_PARTITIONTIME", Type::Timestamp),
    ("_PARTITIONDATE", Type::Date),
    ("_TABLE_SUFFIX", Type::String),
    ("_FILE_NAME", Type::String),
    ("_CHANGE_TYPE", Type::String),
    ("_CHANGE_TIMESTAMP", Type::Timestamp),
];

/// How many names help lists at most.
const LISTED: usize = 12;

impl<'q> Analyzer<'q, '_> {
    /// The value of a path: column or table first, fields behind.
    pub(super) fn path<P: Borrow<Ident>>(&mut self, parts: &[P], context: &Context<'_, 'q>) -> Value<'q> {
        let Some(first) = parts.first().map(Borrow::borrow) else { return Value::unknown() };
        if first.quote_style.is_none() && first.value.starts_with('@') {
            return self.parameter(parts);
        }
        let mark = context.scope.recorder.mark();
        let (mut value, used) = self.resolve(parts, context);
        for field in parts.get(used..).unwrap_or_default() {
            context.scope.recorder.cover(mark, value.print);
            value = self.field(value, field.borrow());
        }
        value
    }

    fn parameter<P: Borrow<Ident>>(&mut self, parts: &[P]) -> Value<'q> {
        let Some(first) = parts.first().map(Borrow::borrow) else { return Value::unknown() };
        let name = first.value.trim_start_matches('@');
        if first.value.starts_with("@@") {
            return self.unknown(
                first.span,
                format!("the type of the system variable `{}` is not known", first.value),
            );
        }
        if name.is_empty() {
            return self.unknown(first.span, "a parameter without name");
        }
        let mut value = if let Some(data_type) = self.parameters.get(name) {
            Value::literal(data_type.clone(), Form::Parameter, mix(print_of(&name.to_lowercase()), 0x40))
        } else {
            let help = nearest(name, self.parameters.names()).map_or_else(
                || {
                    "parameters are the `filters` of a dashboard; anywhere else a template's `var('name')` gives a value"
                        .to_owned()
                },
                |known| format!("did you mean `@{known}`?"),
            );
            let fault = SqlFault::new(
                Code::SqlUnknownParameter,
                first.span,
                format!("nothing declares the query parameter `@{name}`"),
            );
            self.fault(fault.help(help));
            Value::unknown()
        };
        for field in parts.get(1..).unwrap_or_default() {
            value = self.field(value, field.borrow());
        }
        value
    }

    /// The value of the first parts of a path, and how many they are.
    fn resolve<P: Borrow<Ident>>(&mut self, parts: &[P], context: &Context<'_, 'q>) -> (Value<'q>, usize) {
        let Some(first) = parts.first().map(Borrow::borrow) else { return (Value::unknown(), 0) };
        let mut level = Some(context.scope);
        while let Some(scope) = level {
            if let Some(found) = self.resolve_in(parts, first, scope, context) {
                return found;
            }
            level = scope.parent;
        }
        // A name that no table in reach has is that of a variable.
        if let Some(data_type) = self.parameters.variable(&first.value).cloned() {
            self.resolved.add_variable(first.span);
            return (Value::of(data_type), 1);
        }
        self.unknown_name(parts, first, context);
        (Value::unknown(), parts.len())
    }

    fn resolve_in<P: Borrow<Ident>>(
        &mut self,
        parts: &[P],
        first: &Ident,
        scope: &Scope<'_, 'q>,
        context: &Context<'_, 'q>,
    ) -> Option<(Value<'q>, usize)> {
        if let Some(value) = self.alias(first, scope, context) {
            return Some((value, 1));
        }
        if let Some(relation) = scope.from.relation(&first.value) {
            return Some(match parts.get(1) {
                None => {
                    if relation.kind == Origin::Array {
                        self.resolved.add_element(first.span);
                    }
                    (self.row(relation, first, scope), 1)
                }
                Some(second) => (self.qualified(relation, first, second.borrow(), scope), 2),
            });
        }
        match scope.from.column(&first.value) {
            Lookup::Column(hit) => {
                let print = match hit.relation {
                    Some(relation) => relation.print(hit.attribute),
                    None => hit.attribute.print,
                };
                let attribute = hit.attribute.clone();
                Some((self.column_value(&attribute, print, first.span, scope), 1))
            }
            Lookup::Ambiguous => {
                self.ambiguous(first, scope);
                Some((Value::unknown(), parts.len()))
            }
            Lookup::Unknown => Some((Value::unknown(), parts.len())),
            Lookup::Nothing => {
                let pseudo = pseudo_column(&first.value)?;
                scope
                    .from
                    .relations
                    .iter()
                    .any(|relation| relation.kind == Origin::Catalog)
                    .then(|| (Value::of(pseudo), 1))
            }
        }
    }

    /// A name of the select list.
    fn alias(&mut self, name: &Ident, scope: &Scope<'_, 'q>, context: &Context<'_, 'q>) -> Option<Value<'q>> {
        let mut hits = scope.aliases.iter().filter(|alias| same_name(&alias.name, &name.value));
        let hit = hits.next()?;
        if hits.any(|other| other.item != hit.item) {
            self.wrong(
                Code::SqlAmbiguousColumn,
                name.span,
                format!("several columns of the select list are called `{}`", name.value),
            );
            return Some(Value::unknown());
        }
        let what = match (hit.aggregate && !context.aggregates, hit.window && !context.windows) {
            (true, _) => Some("an aggregate"),
            (_, true) => Some("a window function"),
            _ => None,
        };
        if let Some(what) = what {
            let message =
                format!("`{}` is {what} here, which cannot stand in {}", name.value, context.clause);
            let fault = SqlFault::new(Code::SqlAggregation, name.span, message);
            self.fault(
                fault.help("in this clause, names of the select list come before those of the tables"),
            );
        }
        Some(Value { form: Form::Column, ..hit.value.clone() })
    }

    /// A table's row as a value.
    fn row(&mut self, relation: &Relation, name: &Ident, scope: &Scope<'_, 'q>) -> Value<'q> {
        if let Some(row) = &relation.row {
            let print = relation.print(row);
            return self.column_value(row, print, name.span, scope);
        }
        let mut sources = Sources::None;
        let mut fields = Vec::with_capacity(relation.columns.list.len());
        for attribute in &relation.columns.list {
            self.mark_read(attribute);
            sources.add(&attribute.sources);
            fields.push(Field {
                name: attribute.name.as_ref().map(ToString::to_string),
                data_type: attribute.data_type.clone(),
            });
        }
        let data_type = if relation.columns.open { Type::Unknown } else { Type::Struct(fields) };
        let print = mix(relation.salt, 0x0052_4F57);
        scope.recorder.reference(&name.value.as_str().into(), name.span, print);
        Value::column(data_type, sources, print)
    }

    /// A column of a named table.
    fn qualified(
        &mut self,
        relation: &Relation,
        table: &Ident,
        name: &Ident,
        scope: &Scope<'_, 'q>,
    ) -> Value<'q> {
        match relation.columns.find(&name.value) {
            Found::One(position) => {
                let Some(attribute) = relation.columns.list.get(position) else { return Value::unknown() };
                let span = table.span.union(&name.span);
                let print = relation.print(attribute);
                self.column_value(attribute, print, span, scope)
            }
            Found::Several => {
                self.wrong(
                    Code::SqlAmbiguousColumn,
                    name.span,
                    format!("`{}` has several columns called `{}`", table.value, name.value),
                );
                Value::unknown()
            }
            Found::None if relation.columns.open => Value::unknown(),
            Found::None => {
                if let Some(row) = relation.row.clone() {
                    let value = self.column_value(&row, relation.print(&row), table.span, scope);
                    return self.field(value, name);
                }
                if let (true, Some(pseudo)) = (relation.kind == Origin::Catalog, pseudo_column(&name.value)) {
                    return Value::of(pseudo);
                }
                let names: Vec<&str> = names(&relation.columns.list).collect();
                let fault = SqlFault::new(
                    Code::SqlUnknownColumn,
                    name.span,
                    format!("`{}` has no column `{}`", table.value, name.value),
                );
                self.fault(fault.maybe_help(column_help(&name.value, &names)));
                Value::unknown()
            }
        }
    }

    /// A field of a struct, or a key of a JSON object.
    pub(super) fn field(&mut self, value: Value<'q>, name: &Ident) -> Value<'q> {
        let print = if value.print == 0 { 0 } else { mix(value.print, print_of(&name.value.to_lowercase())) };
        let data_type = match &value.data_type {
            _ if value.is_unknown() => Type::Unknown,
            Type::Json => Type::Json,
            Type::Struct(fields) => {
                let is_named =
                    |field: &&Field| field.name.as_ref().is_some_and(|own| same_name(own, &name.value));
                let mut hits = fields.iter().filter(is_named);
                match (hits.next(), hits.next()) {
                    (Some(field), None) => field.data_type.clone(),
                    (Some(_), Some(_)) => {
                        self.wrong(
                            Code::SqlAmbiguousColumn,
                            name.span,
                            format!("the struct has several fields called `{}`", name.value),
                        );
                        Type::Unknown
                    }
                    _ => {
                        let names: Vec<&str> =
                            fields.iter().filter_map(|field| field.name.as_deref()).collect();
                        let fault = SqlFault::new(
                            Code::SqlUnknownColumn,
                            name.span,
                            format!("there is no field `{}` in {}", name.value, value.data_type),
                        );
                        self.fault(fault.maybe_help(did_you_mean(&name.value, names)));
                        Type::Unknown
                    }
                }
            }
            other => {
                let fault = SqlFault::new(
                    Code::SqlTypeMismatch,
                    name.span,
                    format!("a value of type {other} has no field `{}`", name.value),
                );
                let help = matches!(other, Type::Array(_)).then_some(
                    "an array has elements: take one with [OFFSET(0)], or all with UNNEST in FROM",
                );
                self.fault(fault.maybe_help(help.map(str::to_owned)));
                Type::Unknown
            }
        };
        Value { form: value.form_of_part(), ..Value::computed(data_type, value.sources, print) }
    }

    fn ambiguous(&mut self, name: &Ident, scope: &Scope<'_, 'q>) {
        let tables: Vec<String> = scope
            .from
            .relations
            .iter()
            .filter(|relation| relation.columns.find(&name.value) != Found::None)
            .filter_map(|relation| relation.alias.as_ref())
            .map(|alias| format!("`{alias}.{}`", name.value))
            .collect();
        let fault = SqlFault::new(
            Code::SqlAmbiguousColumn,
            name.span,
            format!("several tables here have a column `{}`", name.value),
        );
        let help = (!tables.is_empty()).then(|| format!("say which one: {}", tables.join(" or ")));
        self.fault(fault.maybe_help(help));
    }

    fn unknown_name<P: Borrow<Ident>>(&mut self, parts: &[P], first: &Ident, context: &Context<'_, 'q>) {
        let scope = context.scope;
        let span = parts.iter().fold(Span::empty(), |span, part| span.union(&part.borrow().span));
        if let Some(last) = parts.get(1).and(parts.last()).map(Borrow::borrow) {
            let aliases: Vec<&str> =
                scope.from.relations.iter().filter_map(|relation| relation.alias.as_deref()).collect();
            // `dataset.table.column`, or a table that has an alias here.
            let renamed = scope.from.relations.iter().find(|relation| {
                relation.alias.is_some() && relation.columns.find(&last.value) != Found::None
            });
            let help = match (did_you_mean(&first.value, aliases.iter().copied()), renamed) {
                (Some(help), _) => Some(help),
                (None, Some(Relation { alias: Some(alias), .. })) => {
                    Some(format!("`{}` is a column of `{alias}` here", last.value))
                }
                _ if aliases.is_empty() => None,
                _ => Some(format!("the tables here are {}", listed(&aliases))),
            };
            let message = format!("no table, alias or column here is called `{}`", first.value);
            self.fault(SqlFault::new(Code::SqlUnknownColumn, first.span, message).maybe_help(help));
            return;
        }
        let message = format!("there is no column `{}` here", first.value);
        let fault = SqlFault::new(Code::SqlUnknownColumn, span, message);
        if context.hidden.iter().any(|alias| same_name(alias, &first.value)) {
            let help = format!(
                "`{}` is an alias of the select list, which {} does not see: repeat the expression, or name it in \
                 a subquery",
                first.value, context.clause
            );
            self.fault(fault.help(help));
            return;
        }
        let mut known: Vec<&str> = Vec::new();
        let mut level = Some(scope);
        while let Some(scope) = level {
            known.extend(scope.aliases.iter().map(|alias| &*alias.name));
            for relation in &scope.from.relations {
                known.extend(names(&relation.columns.list));
                known.extend(relation.alias.as_deref());
            }
            level = scope.parent;
        }
        self.fault(fault.maybe_help(column_help(&first.value, &known)));
    }
}

/// The type of a pseudo-column.
fn pseudo_column(name: &str) -> Option<Type> {
    PSEUDO_COLUMNS
        .iter()
        .find(|(own, _)| own.eq_ignore_ascii_case(name))
        .map(|(_, data_type)| data_type.clone())
}

fn names(attributes: &[Attribute]) -> impl Iterator<Item = &str> {
    attributes.iter().filter_map(|attribute| attribute.name.as_deref())
}

/// The nearest name, or all of them.
pub(super) fn column_help(wrong: &str, known: &[&str]) -> Option<String> {
    // Of names with one or two letters each is near to each.
    let near = (wrong.chars().count() > 2).then(|| did_you_mean(wrong, known.iter().copied())).flatten();
    near.or_else(|| (!known.is_empty()).then(|| format!("the columns here are {}", listed(known))))
}

/// Names as a sentence lists them.
pub(super) fn listed(names: &[&str]) -> String {
    let mut seen: Vec<&str> = Vec::new();
    for name in names {
        if !seen.contains(name) && seen.len() <= LISTED {
            seen.push(name);
        }
    }
    let shown = seen.iter().take(LISTED).map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    if seen.len() > LISTED { format!("{shown}, …") } else { shown }
}
