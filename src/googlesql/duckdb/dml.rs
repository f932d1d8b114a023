//! DML: UPDATE, DELETE and MERGE.

use std::fmt::Write as _;

use sqlparser::ast::{
    Delete, FromTable, Merge, MergeAction, MergeClause, MergeClauseKind, MergeInsertKind, MergeUpdateKind,
    Spanned, TableFactor, Update, UpdateTableFromKind,
};
use sqlparser::tokenizer::Span;

use super::names::Ident;
use super::statement::last_part;
use super::{Frame, Translator};
use crate::diag::Code;
use crate::googlesql::SqlFault;

impl Translator<'_> {
    fn target(&mut self, factor: &TableFactor) -> String {
        match factor {
            TableFactor::Table { name, .. } => {
                let table = self.table_of(name);
                format!("{table} AS {}", Ident::new(target_alias(factor)))
            }
            other => self.refuse(other.span(), "this target"),
        }
    }

    pub(super) fn update(&mut self, update: &Update, span: Span) -> String {
        if !update.table.joins.is_empty()
            || update.returning.is_some()
            || update.or.is_some()
            || !update.order_by.is_empty()
            || update.limit.is_some()
        {
            return self.refuse(span, "this form of UPDATE");
        }
        let target = self.target(&update.table.relation);
        let alias = target_alias(&update.table.relation);
        self.frames.push(Frame::default());
        let from = match &update.from {
            None => String::new(),
            Some(UpdateTableFromKind::AfterSet(tables) | UpdateTableFromKind::BeforeSet(tables)) => {
                self.from(tables)
            }
        };
        if update.selection.is_none() {
            return self.without_where("UPDATE", span);
        }
        let mut sql = format!("UPDATE {target} SET {}{from}", self.assignments(&update.assignments, &alias));
        if let Some(condition) = &update.selection {
            let _ = write!(sql, " WHERE {}", self.expr(condition));
        }
        self.frames.pop();
        sql
    }

    pub(super) fn delete(&mut self, delete: &Delete, span: Span) -> String {
        let (FromTable::WithFromKeyword(from) | FromTable::WithoutKeyword(from)) = &delete.from;
        let [table] = from.as_slice() else { return self.refuse(span, "DELETE from several tables") };
        if !table.joins.is_empty()
            || !delete.tables.is_empty()
            || delete.using.is_some()
            || delete.returning.is_some()
            || !delete.order_by.is_empty()
            || delete.limit.is_some()
        {
            return self.refuse(span, "this form of DELETE");
        }
        if delete.selection.is_none() {
            return self.without_where("DELETE", span);
        }
        let mut sql = format!("DELETE FROM {}", self.target(&table.relation));
        if let Some(condition) = &delete.selection {
            let _ = write!(sql, " WHERE {}", self.expr(condition));
        }
        sql
    }

    /// BigQuery changes all rows only if told so.
    ///
    /// Source: <https://cloud.google.com/bigquery/docs/reference/standard-sql/dml-syntax#delete_statement>
    fn without_where(&mut self, what: &str, span: Span) -> String {
        let fault = SqlFault::new(Code::SqlInvalid, span, format!("{what} needs a WHERE"));
        self.faults.push(fault.help("WHERE TRUE means all rows"));
        "NULL".to_owned()
    }

    pub(super) fn merge(&mut self, merge: &Merge, span: Span) -> String {
        if merge.output.is_some() {
            return self.refuse(span, "MERGE with OUTPUT");
        }
        let target = self.target(&merge.table);
        let alias = target_alias(&merge.table);
        self.frames.push(Frame::default());
        let source = match &merge.source {
            TableFactor::Table { .. } => self.target(&merge.source),
            other => self
                .from(&[sqlparser::ast::TableWithJoins { relation: other.clone(), joins: Vec::new() }])
                .trim_start_matches(" FROM ")
                .to_owned(),
        };
        let mut sql = format!("MERGE INTO {target} USING {source} ON {}", self.expr(&merge.on));
        for clause in &merge.clauses {
            sql.push_str(&self.merge_clause(clause, &alias, &merge.source, span));
        }
        self.frames.pop();
        sql
    }

    fn merge_clause(
        &mut self,
        clause: &MergeClause,
        alias: &str,
        source: &TableFactor,
        span: Span,
    ) -> String {
        let when = match clause.clause_kind {
            MergeClauseKind::Matched => "MATCHED",
            MergeClauseKind::NotMatched | MergeClauseKind::NotMatchedByTarget => "NOT MATCHED",
            MergeClauseKind::NotMatchedBySource => "NOT MATCHED BY SOURCE",
        };
        let mut sql = format!(" WHEN {when}");
        if let Some(condition) = &clause.predicate {
            let _ = write!(sql, " AND {}", self.expr(condition));
        }
        sql.push_str(" THEN ");
        match &clause.action {
            MergeAction::Delete { .. } => sql.push_str("DELETE"),
            MergeAction::Update(update)
                if update.update_predicate.is_none() && update.delete_predicate.is_none() =>
            {
                match &update.kind {
                    MergeUpdateKind::Set(assignments) => {
                        let _ = write!(sql, "UPDATE SET {}", self.assignments(assignments, alias));
                    }
                    MergeUpdateKind::Wildcard => return self.refuse(span, "MERGE with UPDATE *"),
                }
            }
            MergeAction::Insert(insert) if insert.insert_predicate.is_none() => {
                let columns: Vec<String> =
                    insert.columns.iter().map(|column| last_part(column).to_string()).collect();
                let columns =
                    if columns.is_empty() { String::new() } else { format!(" ({})", columns.join(", ")) };
                match &insert.kind {
                    MergeInsertKind::Values(values) => {
                        let _ = write!(sql, "INSERT{columns} {}", self.values(values));
                    }
                    MergeInsertKind::Row if insert.columns.is_empty() => sql.push_str("INSERT *"),
                    MergeInsertKind::Row => {
                        let Some(names) = self.factor_columns(source) else {
                            return self.refuse(
                                span,
                                "INSERT ROW with columns of the target, where those of the source are not known,",
                            );
                        };
                        let source = Ident::new(target_alias(source));
                        let values: Vec<String> =
                            names.into_iter().map(|name| format!("{source}.{}", Ident::new(name))).collect();
                        let _ = write!(sql, "INSERT{columns} VALUES ({})", values.join(", "));
                    }
                    MergeInsertKind::Wildcard => return self.refuse(span, "MERGE with INSERT *"),
                }
            }
            _ => return self.refuse(span, "this action of MERGE"),
        }
        sql
    }
}

/// The name that the target of UPDATE, DELETE or MERGE goes by, or the source: its alias, or the last part of its path.
pub(super) fn target_alias(factor: &TableFactor) -> String {
    match factor {
        TableFactor::Table { alias: Some(alias), .. } | TableFactor::Derived { alias: Some(alias), .. } => {
            alias.name.value.clone()
        }
        TableFactor::Table { name, .. } => {
            Translator::path(name).and_then(|mut path| path.pop()).unwrap_or_default()
        }
        _ => String::new(),
    }
}
