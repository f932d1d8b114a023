//! UPDATE, DELETE, MERGE and INSERT … VALUES, as the queries of the rows that they look at.

use sqlparser::ast::{
    Expr, FromTable, MergeAction, MergeInsertKind, MergeUpdateKind, Query, SelectItem, SetExpr, Statement,
    TableFactor, TableWithJoins, UpdateTableFromKind, Value,
};

use crate::googlesql::parse;

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
