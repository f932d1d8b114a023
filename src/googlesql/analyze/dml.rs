//! UPDATE, DELETE, MERGE and INSERT … VALUES, as the queries of the rows that they look at.

use sqlparser::ast::{
    AssignmentTarget, Expr, FromTable, MergeAction, MergeInsertKind, MergeUpdateKind, ObjectName, Query,
    SelectItem, SetExpr, Spanned, Statement, TableFactor, TableObject, TableWithJoins, UpdateTableFromKind,
    Value,
};

use super::taken::is_told;
use super::{Catalog, OutputColumn};
use crate::googlesql::{Column, Resolved, Type, parse};

/// A query that has the names of a statement of DML in reach, and its expressions in the SELECT list.
pub(super) fn rows_of(statement: &Statement) -> Option<Query> {
    let (expressions, from, condition): (Vec<&Expr>, Vec<TableWithJoins>, Option<&Expr>) = match statement {
        Statement::Update(update) => {
            let mut from = vec![update.table.clone()];
            if let Some(UpdateTableFromKind::AfterSet(tables) | UpdateTableFromKind::BeforeSet(tables)) =
                &update.from
            {
                from.extend(tables.iter().cloned());
            }
            let values = update.assignments.iter().map(|assignment| &assignment.value).collect();
            (values, from, update.selection.as_ref())
        }
        Statement::Delete(delete) => {
            let (FromTable::WithFromKeyword(from) | FromTable::WithoutKeyword(from)) = &delete.from;
            (Vec::new(), from.clone(), delete.selection.as_ref())
        }
        Statement::Merge(merge) => {
            let mut expressions = vec![merge.on.as_ref()];
            for clause in &merge.clauses {
                expressions.extend(&clause.predicate);
                match &clause.action {
                    MergeAction::Update(update) => {
                        if let MergeUpdateKind::Set(assignments) = &update.kind {
                            expressions.extend(assignments.iter().map(|assignment| &assignment.value));
                        }
                    }
                    MergeAction::Insert(insert) => {
                        if let MergeInsertKind::Values(values) = &insert.kind {
                            expressions.extend(values.rows.iter().flat_map(|row| row.iter()));
                        }
                    }
                    _ => {}
                }
            }
            (expressions, vec![alone(&merge.table), alone(&merge.source)], None)
        }
        Statement::Insert(insert) => match insert.source.as_ref().map(|source| source.body.as_ref()) {
            Some(SetExpr::Values(values)) => {
                (values.rows.iter().flat_map(|row| row.iter()).collect(), Vec::new(), None)
            }
            _ => return None,
        },
        _ => return None,
    };
    let mut query = parse::query("SELECT 1").ok()?;
    let SetExpr::Select(select) = query.body.as_mut() else { return None };
    // DEFAULT is no expression of a query.
    select.projection.extend(
        expressions
            .into_iter()
            .filter(|value| !is_default(value))
            .map(|value| SelectItem::UnnamedExpr(value.clone())),
    );
    select.from = from;
    select.selection = condition.cloned();
    Some(query)
}

fn alone(table: &TableFactor) -> TableWithJoins {
    TableWithJoins { relation: table.clone(), joins: Vec::new() }
}

fn is_default(value: &Expr) -> bool {
    match value {
        Expr::Identifier(word) => word.quote_style.is_none() && word.value.eq_ignore_ascii_case("DEFAULT"),
        Expr::Value(value) => matches!(value.value, Value::Null),
        _ => false,
    }
}

/// Notes which values a statement writes to columns of other types: `columns` are those of the query whose rows are
/// written, or of [`rows_of`].
pub(super) fn take_written(
    statement: &Statement,
    catalog: &dyn Catalog,
    columns: &[OutputColumn],
    resolved: &mut Resolved,
) {
    match statement {
        Statement::Insert(insert) => {
            let (TableObject::TableName(name), Some(source)) = (&insert.table, &insert.source) else {
                return;
            };
            let targets = targets(catalog, name, &insert.columns);
            if let SetExpr::Values(values) = source.body.as_ref() {
                let mut types = columns.iter().skip(1).map(|column| &column.column.data_type);
                for row in &values.rows {
                    take_values(&mut row.iter(), &targets, &mut types, resolved);
                }
            } else {
                take_rows(source, &targets, columns, resolved);
            }
        }
        Statement::CreateTable(table) if !table.columns.is_empty() => {
            let Some(query) = &table.query else { return };
            let targets: Vec<Option<Type>> =
                table.columns.iter().map(|column| Type::parse(&column.data_type.to_string())).collect();
            take_rows(query, &targets, columns, resolved);
        }
        Statement::Update(update) => {
            let TableFactor::Table { name, .. } = &update.table.relation else { return };
            let mut types = columns.iter().skip(1).map(|column| &column.column.data_type);
            for assignment in &update.assignments {
                take_assigned(assignment, catalog, name, &mut types, resolved);
            }
        }
        Statement::Merge(merge) => {
            let TableFactor::Table { name, .. } = &merge.table else { return };
            // The condition comes first.
            let mut types = columns.iter().skip(2).map(|column| &column.column.data_type);
            for clause in &merge.clauses {
                if clause.predicate.as_ref().is_some_and(|predicate| !is_default(predicate)) {
                    types.next();
                }
                match &clause.action {
                    MergeAction::Update(update) => {
                        if let MergeUpdateKind::Set(assignments) = &update.kind {
                            for assignment in assignments {
                                take_assigned(assignment, catalog, name, &mut types, resolved);
                            }
                        }
                    }
                    MergeAction::Insert(insert) => {
                        if let MergeInsertKind::Values(values) = &insert.kind {
                            let targets = targets(catalog, name, &insert.columns);
                            for row in &values.rows {
                                take_values(&mut row.iter(), &targets, &mut types, resolved);
                            }
                        }
                    }
                    _ => {}
                }
            }
        }
        _ => {}
    }
}

/// The types of the columns that are written to; none for those that are not known.
fn targets(catalog: &dyn Catalog, table: &ObjectName, names: &[ObjectName]) -> Vec<Option<Type>> {
    let Some(table) = catalog.table(&path(table)) else { return Vec::new() };
    if names.is_empty() {
        return table.columns.iter().map(|column| Some(column.data_type.clone())).collect();
    }
    names.iter().map(|name| type_of(&table.columns, name)).collect()
}

fn type_of(columns: &[Column], name: &ObjectName) -> Option<Type> {
    let name = name.0.last()?.as_ident()?;
    let found = columns.iter().find(|column| column.name.eq_ignore_ascii_case(&name.value))?;
    Some(found.data_type.clone())
}

fn path(name: &ObjectName) -> Vec<String> {
    let parts = name.0.iter().filter_map(|part| part.as_ident());
    parts.flat_map(|part| part.value.split('.')).map(str::to_owned).collect()
}

fn take_rows(query: &Query, targets: &[Option<Type>], columns: &[OutputColumn], resolved: &mut Resolved) {
    if columns.len() != targets.len() {
        return;
    }
    let columns: Vec<_> = columns
        .iter()
        .zip(targets)
        .map(|(column, to)| {
            let from = &column.column.data_type;
            (column.column.name.clone(), from.clone(), to.clone().unwrap_or_else(|| from.clone()))
        })
        .collect();
    if columns.iter().any(|(_, from, to)| is_told(from, to)) {
        resolved.add_rows(query.span(), columns);
    }
}

fn take_values(
    values: &mut dyn Iterator<Item = &Expr>,
    targets: &[Option<Type>],
    types: &mut dyn Iterator<Item = &Type>,
    resolved: &mut Resolved,
) {
    for (value, to) in values.zip(targets) {
        take_value(value, to.as_ref(), types, resolved);
    }
}

fn take_value(
    value: &Expr,
    to: Option<&Type>,
    types: &mut dyn Iterator<Item = &Type>,
    resolved: &mut Resolved,
) {
    if is_default(value) {
        return;
    }
    let (Some(from), Some(to)) = (types.next(), to) else { return };
    if is_told(from, to) {
        resolved.add_conversion(value, from, to);
    }
}

fn take_assigned(
    assignment: &sqlparser::ast::Assignment,
    catalog: &dyn Catalog,
    table: &ObjectName,
    types: &mut dyn Iterator<Item = &Type>,
    resolved: &mut Resolved,
) {
    let to = match &assignment.target {
        // A column, or the alias and the column; what is longer may be a field of a struct.
        AssignmentTarget::ColumnName(name) if name.0.len() < 3 => {
            catalog.table(&path(table)).and_then(|table| type_of(&table.columns, name))
        }
        _ => None,
    };
    take_value(&assignment.value, to.as_ref(), types, resolved);
}
