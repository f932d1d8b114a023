//! Queries of the user's whose rows are rows of the table, so that each can be told by its number.
//!
//! Only where nothing else than one more column comes of it: a plain list of columns of `this` and of what is joined to
//! it. Groups, sums, DISTINCT and set operations make rows that are no longer those of the table.

use std::ops::ControlFlow;

use sqlparser::ast::{
    Expr, GroupByExpr, Ident, ObjectName, Query, Select, SelectFlavor, SelectItem,
    SelectItemQualifiedWildcardKind, SetExpr, TableFactor, Visit, Visitor,
};
use sqlparser::tokenizer::Location;

use super::ROW_NUMBER;
use crate::googlesql::parse;

/// The name that the user's SQL has for the table.
const THIS: &str = "this";

/// A query with the numbers of its rows as one more column, where it reads them from a table that has them; nothing
/// where its rows are not rows of the table.
pub(super) fn numbered(sql: &str, numbered_table: &str) -> Option<String> {
    let query = parse::query(sql).ok()?;
    let select = plain_select(&query)?;
    let TableFactor::Table { name, alias, args: None, version: None, sample: None, .. } =
        &select.from.first()?.relation
    else {
        return None;
    };
    let table = name.0.first()?.as_ident().filter(|table| name.0.len() == 1 && is(table, THIS))?;
    let called = match alias {
        Some(alias) if alias.columns.is_empty() && alias.at.is_none() => &alias.name,
        Some(_) => return None,
        None => table,
    };
    if query.visit(&mut WholeRow(called)).is_break() {
        return None;
    }
    let mut wildcards = 0;
    for item in &select.projection {
        wildcards += usize::from(covers(item, called)?);
    }
    let (from, select_at) = (offset(sql, table.span.start)?, offset(sql, select.select_token.0.span.end)?);
    let (before, behind) = (sql.get(..from)?, sql.get(offset(sql, table.span.end)?..)?);
    // Spans of what the parser mended may lie elsewhere.
    let written = sql.get(from..sql.len() - behind.len())?;
    if !written.trim_matches('`').eq_ignore_ascii_case(THIS) {
        return None;
    }
    let renamed = if alias.is_none() { format!(" AS {THIS}") } else { String::new() };
    let column = match wildcards {
        0 => format!(" {called}.{ROW_NUMBER},"),
        1 => String::new(),
        _ => return None,
    };
    let (head, rest) = before.split_at_checked(select_at)?;
    Some(format!("{head}{column}{rest}{numbered_table}{renamed}{behind}"))
}

/// The one SELECT of a query that gives a row for each that it reads.
fn plain_select(query: &Query) -> Option<&Select> {
    // Places in ORDER BY would mean other columns.
    let bare = query.with.is_none() && query.order_by.is_none() && query.pipe_operators.is_empty();
    let SetExpr::Select(select) = query.body.as_ref() else { return None };
    let ungrouped = match &select.group_by {
        GroupByExpr::Expressions(keys, modifiers) => keys.is_empty() && modifiers.is_empty(),
        GroupByExpr::All(_) => false,
    };
    let plain = bare
        && ungrouped
        && select.distinct.is_none()
        && select.top.is_none()
        && select.having.is_none()
        && select.value_table_mode.is_none()
        && select.flavor == SelectFlavor::Standard;
    plain.then_some(select)
}

/// Whether an item of the list is a wildcard that has the columns of the table; nothing where it is neither a wildcard
/// nor a column, and might be an aggregate.
fn covers(item: &SelectItem, called: &Ident) -> Option<bool> {
    match item {
        SelectItem::Wildcard(_) => Some(true),
        SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::ObjectName(ObjectName(of)), _) => {
            let [of] = of.as_slice() else { return None };
            Some(of.as_ident().is_some_and(|of| is(of, &called.value)))
        }
        SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } => {
            matches!(expr, Expr::Identifier(_) | Expr::CompoundIdentifier(_)).then_some(false)
        }
        SelectItem::QualifiedWildcard(..) | SelectItem::ExprWithAliases { .. } => None,
    }
}

/// Stops at the table's name as a value: a whole row, which would have the number in it.
struct WholeRow<'a>(&'a Ident);

impl Visitor for WholeRow<'_> {
    type Break = ();

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        match expr {
            Expr::Identifier(name) if is(name, &self.0.value) => ControlFlow::Break(()),
            _ => ControlFlow::Continue(()),
        }
    }
}

fn is(name: &Ident, word: &str) -> bool {
    name.value.eq_ignore_ascii_case(word)
}

/// The place in a text of a line and a column, both from 1; columns are characters.
fn offset(text: &str, at: Location) -> Option<usize> {
    let line = usize::try_from(at.line).ok()?.checked_sub(1)?;
    let column = usize::try_from(at.column).ok()?.checked_sub(1)?;
    let start: usize = text.split_inclusive('\n').take(line).map(str::len).sum();
    let rest = text.get(start..)?;
    let places = rest.char_indices().map(|(place, _)| place).chain([rest.len()]);
    places.into_iter().nth(column).map(|place| start + place)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_the_table_keep_their_numbers() {
        for (sql, expected) in [
            ("SELECT * FROM this WHERE id < 0", "SELECT * FROM (N) AS this WHERE id < 0"),
            ("select\n  a, t.b AS `é` from `This` t", "select t.pipewright_row,\n  a, t.b AS `é` from (N) t"),
            (
                "SELECT this.*, o.x FROM this JOIN other AS o ON o.id = this.id",
                "SELECT this.*, o.x FROM (N) AS this JOIN other AS o ON o.id = this.id",
            ),
            (
                "SELECT o.* FROM this, other AS o WHERE a IN (SELECT MAX(a) FROM this)",
                "SELECT this.pipewright_row, o.* FROM (N) AS this, other AS o WHERE a IN (SELECT MAX(a) FROM this)",
            ),
        ] {
            assert_eq!(numbered(sql, "(N)").as_deref(), Some(expected));
        }
    }

    #[test]
    fn other_rows_have_no_number() {
        for sql in [
            "SELECT a FROM other",
            "SELECT COUNT(*) AS n FROM this",
            "SELECT a, b + 1 AS c FROM this",
            "SELECT DISTINCT a FROM this",
            "SELECT a FROM this GROUP BY a",
            "SELECT a FROM this HAVING COUNT(*) > 1",
            "SELECT a FROM this UNION ALL SELECT a FROM this",
            "SELECT a FROM this ORDER BY 1",
            "SELECT AS STRUCT a FROM this",
            "WITH x AS (SELECT * FROM this) SELECT * FROM x",
            "SELECT *, this.* FROM this",
            "SELECT this FROM this",
            "SELECT a FROM this WHERE TO_JSON_STRING(this) = '{}'",
            "SELECT a FROM (SELECT * FROM this)",
            "SELECT a FROM this TABLESAMPLE SYSTEM (10 PERCENT)",
            "FROM this |> SELECT a",
            "SELECT a FROM",
        ] {
            assert_eq!(numbered(sql, "(N)"), None, "{sql}");
        }
    }
}
