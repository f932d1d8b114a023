//! The names that a statement gives: what they hide is not looked up elsewhere.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use sqlparser::ast::{
    Expr, Ident, ObjectName, Query, Select, SelectItem, SetExpr, TableAlias, TableFactor, Visit, Visitor,
};

/// Names of a statement, and the paths of the tables that it names.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Names {
    /// Aliases of columns, tables and common table expressions, in lower case.
    pub aliases: BTreeSet<String>,
    /// The tables, part by part.
    pub tables: BTreeSet<Vec<String>>,
}

impl Names {
    /// Those of a statement, a query or an expression with all that is inside of it.
    pub fn of(node: &impl Visit) -> Self {
        let mut names = Self::default();
        let _ = node.visit(&mut names);
        names
    }

    fn add(&mut self, name: &Ident) {
        self.aliases.insert(name.value.to_lowercase());
    }

    fn add_alias(&mut self, alias: &TableAlias) {
        self.add(&alias.name);
        for column in &alias.columns {
            self.add(&column.name);
        }
    }

    fn select(&mut self, select: &Select) {
        for item in &select.projection {
            match item {
                SelectItem::ExprWithAlias { alias, .. } => self.add(alias),
                // A path gives its last part.
                SelectItem::UnnamedExpr(Expr::CompoundIdentifier(path)) => {
                    if let Some(last) = path.last() {
                        self.add(last);
                    }
                }
                _ => {}
            }
        }
    }

    fn set(&mut self, body: &SetExpr) {
        match body {
            SetExpr::Select(select) => self.select(select),
            SetExpr::SetOperation { left, right, .. } => {
                self.set(left);
                self.set(right);
            }
            _ => {}
        }
    }
}

impl Visitor for Names {
    type Break = ();

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        for cte in query.with.iter().flat_map(|with| &with.cte_tables) {
            self.add_alias(&cte.alias);
        }
        self.set(&query.body);
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<()> {
        let alias = match factor {
            TableFactor::UNNEST { alias, with_offset_alias, with_offset, .. } => {
                match with_offset_alias {
                    Some(name) => self.add(name),
                    None if *with_offset => self.add(&Ident::new("offset")),
                    None => {}
                }
                alias
            }
            TableFactor::Table { alias, name, .. } => {
                // `FROM t.items` is an array of `t`, and goes by its last part.
                if let Some(last) = name.0.last().and_then(|part| part.as_ident()) {
                    self.add(last);
                }
                alias
            }
            TableFactor::Derived { alias, .. }
            | TableFactor::Pivot { alias, .. }
            | TableFactor::Unpivot { alias, .. } => alias,
            _ => &None,
        };
        if let Some(alias) = alias {
            self.add_alias(alias);
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_relation(&mut self, table: &ObjectName) -> ControlFlow<()> {
        let path = table.0.iter().filter_map(|part| part.as_ident()).map(|part| part.value.clone()).collect();
        self.tables.insert(path);
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        if let Expr::Named { name, .. } = expr {
            self.add(name);
        }
        ControlFlow::Continue(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::googlesql::parse;

    #[test]
    fn names_are_those_of_columns_tables_and_ctes() {
        let query = parse::query(
            "WITH c AS (SELECT 1 AS One) SELECT t.a, x + 1, STRUCT(y AS Z) FROM ds.t JOIN `p.ds.u` AS u USING (k), \
             UNNEST(u.items) AS i WITH OFFSET AS o, (SELECT q FROM c) AS d UNION ALL SELECT 2 AS last",
        )
        .expect("a query");
        let names = Names::of(&query);
        let aliases: Vec<&str> = names.aliases.iter().map(String::as_str).collect();
        assert_eq!(aliases, ["a", "c", "d", "i", "last", "o", "one", "t", "u", "z"]);
        assert_eq!(names.tables.len(), 3);
    }
}
