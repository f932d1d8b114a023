//! Statements of scripts: DDL and DML.
//!
//! What only steers BigQuery's storage (PARTITION BY, CLUSTER BY, OPTIONS, unenforced keys) is dropped: it changes no
//! result. So are the options that ALTER sets; the expiration of a table is among them. A clone, a copy and a snapshot
//! have rows of their own and none of the constraints; a materialized view is a view.

use std::fmt::Write as _;

use sqlparser::ast::{
    AlterColumnOperation, AlterSchema, AlterSchemaOperation, AlterTable, AlterTableOperation, Assignment,
    AssignmentTarget, ColumnDef, ColumnOption, CreateTable, CreateTableLikeKind, CreateTableOptions,
    CreateView, Expr, Insert, ObjectName, ObjectType, Query, RenameTableNameKind, SchemaName, SetExpr,
    Spanned, Statement, TableObject, Truncate, Values,
};
use sqlparser::tokenizer::Span;

use super::Translator;
use super::expression::PARTITION_TIME;
use super::literal::{float_literal, plain_number, quote};
use super::names::Ident;
use crate::diag::Code;

impl Translator<'_> {
    /// One statement of a script.
    pub(super) fn statement(&mut self, statement: &Statement) -> String {
        let span = statement.span();
        match statement {
            Statement::Query(query) => self.query(query),
            Statement::CreateTable(table) => self.create_table(table, span),
            Statement::CreateView(view) => self.create_view(view, span),
            Statement::CreateSchema {
                schema_name: SchemaName::Simple(name),
                or_replace: false,
                if_not_exists,
                with: None,
                default_collate_spec: None,
                clone: None,
                ..
            } => {
                let exists = if *if_not_exists { "IF NOT EXISTS " } else { "" };
                format!("CREATE SCHEMA {exists}{}", last_part(name))
            }
            Statement::AlterSchema(AlterSchema { name, if_exists, operations })
                if operations
                    .iter()
                    .all(|operation| matches!(operation, AlterSchemaOperation::SetOptionsParens { .. })) =>
            {
                schema_must_exist(name, *if_exists)
            }
            Statement::Drop {
                object_type,
                if_exists,
                names,
                cascade,
                purge: false,
                temporary: false,
                table: None,
                ..
            } => self.drop_objects(*object_type, *if_exists, names, *cascade, span),
            Statement::AlterTable(alter) => self.alter_table(alter, span),
            Statement::Truncate(truncate) => self.truncate_table(truncate, span),
            Statement::Insert(insert) => self.insert(insert, span),
            Statement::Update(update) => self.update(update, span),
            Statement::Delete(delete) => self.delete(delete, span),
            Statement::Merge(merge) => self.merge(merge, span),
            Statement::StartTransaction { modes, statements, has_end_keyword: false, .. }
                if modes.is_empty() && statements.is_empty() =>
            {
                "BEGIN TRANSACTION".to_owned()
            }
            Statement::Commit { chain: false, .. } => "COMMIT".to_owned(),
            Statement::Rollback { chain: false, savepoint: None } => "ROLLBACK".to_owned(),
            _ => self.refuse(span, "this statement"),
        }
    }

    pub(super) fn table_of(&mut self, name: &ObjectName) -> String {
        match Self::path(name) {
            Some(path) => self.table_name(&path, name.span()),
            None => self.refuse(name.span(), "this name of a table"),
        }
    }

    fn create_table(&mut self, table: &CreateTable, span: Span) -> String {
        if table.external
            || matches!(table.like, Some(CreateTableLikeKind::Parenthesized(_)))
            || table.version.is_some()
            || table.inherits.is_some()
            || !matches!(table.table_options, CreateTableOptions::None | CreateTableOptions::Options(_))
        {
            return self.refuse(span, "this form of CREATE TABLE");
        }
        let replace = if table.or_replace { "OR REPLACE " } else { "" };
        let exists = if table.if_not_exists { "IF NOT EXISTS " } else { "" };
        let (kind, name) = if table.temporary {
            ("TEMP TABLE", self.temporary_name(&table.name))
        } else {
            ("TABLE", self.table_of(&table.name))
        };
        let head = format!("CREATE {replace}{kind} {exists}{name}");
        if let Some(source) = &table.clone {
            return format!("{head} AS SELECT * FROM {}", self.table_of(source));
        }
        if let Some(CreateTableLikeKind::Plain(like)) = &table.like {
            let source = self.table_of(&like.name);
            return match &table.query {
                None => format!("{head} AS SELECT * FROM {source} LIMIT 0"),
                Some(_) if table.if_not_exists || table.or_replace => {
                    self.refuse(span, "CREATE TABLE … LIKE … AS with OR REPLACE or IF NOT EXISTS")
                }
                Some(query) => format!(
                    "{head} AS SELECT * FROM {source} LIMIT 0; INSERT INTO {name} {}",
                    self.query(query)
                ),
            };
        }
        let ingestion = table.partition_by.as_deref().and_then(ingestion_part);
        match (&table.query, table.columns.is_empty()) {
            (Some(_), _) if ingestion.is_some() => {
                self.refuse(span, "CREATE TABLE with a query and a partition by the time of ingestion")
            }
            (Some(query), true) => format!("{head} AS {}", self.query(query)),
            (Some(query), false) => self.create_typed(&head, &name, &table.columns, query),
            (None, _) => {
                let mut columns: Vec<String> =
                    table.columns.iter().map(|column| self.column_def(column)).collect();
                if let Some(part) = ingestion {
                    // An instant in UTC, by way of text: see the runtime's `utc`.
                    columns.push(format!(
                        "{} TIMESTAMPTZ DEFAULT CAST(CAST(date_trunc('{part}', make_timestamp(epoch_us(now()))) AS VARCHAR) || '+00' AS TIMESTAMPTZ)",
                        Ident::new(PARTITION_TIME)
                    ));
                }
                format!("{head} ({})", columns.join(", "))
            }
        }
    }

    /// A table with both columns and a query: the rows are cast, since DuckDB takes no columns beside a query.
    fn create_typed(&mut self, head: &str, name: &str, columns: &[ColumnDef], query: &Query) -> String {
        let (mut inner, mut list, mut more) = (Vec::new(), Vec::new(), String::new());
        for (index, column) in columns.iter().enumerate() {
            let (own, data_type) =
                (Ident::new(&column.name.value), self.data_type(&column.data_type, column.name.span));
            let source = Ident::new(format!("column${index}"));
            list.push(format!("CAST({source} AS {data_type}) AS {own}"));
            inner.push(source.to_string());
            for option in &column.options {
                match &option.option {
                    ColumnOption::NotNull => {
                        let _ = write!(more, "; ALTER TABLE {name} ALTER COLUMN {own} SET NOT NULL");
                    }
                    ColumnOption::Null | ColumnOption::Options(_) => {}
                    other => {
                        return self
                            .refuse(column.name.span, format!("the column option {other} beside a query"));
                    }
                }
            }
        }
        if !more.is_empty() && head.contains(" IF NOT EXISTS ") {
            return self.refuse(query.span(), "NOT NULL beside IF NOT EXISTS and a query");
        }
        format!(
            "{head} AS SELECT {} FROM ({}) AS \"rows$\"({}){more}",
            list.join(", "),
            self.written_rows(query),
            inner.join(", ")
        )
    }

    /// A temporary table is in no dataset, so that its name stands alone.
    ///
    /// Source: <https://cloud.google.com/bigquery/docs/multi-statement-queries#temporary_tables>
    fn temporary_name(&mut self, name: &ObjectName) -> String {
        match Self::path(name).as_deref() {
            Some([table]) => Ident::new(table).to_string(),
            _ => {
                let message = "the name of a temporary table stands alone, without a dataset";
                self.invalid(Code::SqlInvalid, name.span(), message)
            }
        }
    }

    fn column_def(&mut self, column: &ColumnDef) -> String {
        let span = column.name.span;
        let mut sql =
            format!("{} {}", Ident::new(&column.name.value), self.data_type(&column.data_type, span));
        for option in &column.options {
            match &option.option {
                ColumnOption::NotNull => sql.push_str(" NOT NULL"),
                ColumnOption::Default(value) => {
                    let _ = write!(sql, " DEFAULT {}", self.expr(value));
                }
                ColumnOption::Null | ColumnOption::Options(_) => {}
                other => return self.refuse(span, format!("the column option {other}")),
            }
        }
        sql
    }

    fn create_view(&mut self, view: &CreateView, span: Span) -> String {
        if view.temporary || view.or_alter || view.to.is_some() {
            return self.refuse(span, "this form of CREATE VIEW");
        }
        let replace = if view.or_replace { "OR REPLACE " } else { "" };
        let exists = if view.if_not_exists { "IF NOT EXISTS " } else { "" };
        let columns: Vec<String> =
            view.columns.iter().map(|column| Ident::new(&column.name.value).to_string()).collect();
        let columns = if columns.is_empty() { String::new() } else { format!(" ({})", columns.join(", ")) };
        let name = self.table_of(&view.name);
        format!("CREATE {replace}VIEW {exists}{name}{columns} AS {}", self.query(&view.query))
    }

    fn drop_objects(
        &mut self,
        kind: ObjectType,
        if_exists: bool,
        names: &[ObjectName],
        cascade: bool,
        span: Span,
    ) -> String {
        let exists = if if_exists { "IF EXISTS " } else { "" };
        let [name] = names else { return self.refuse(span, "DROP of several objects") };
        match kind {
            ObjectType::Table => format!("DROP TABLE {exists}{}", self.table_of(name)),
            ObjectType::View => format!("DROP VIEW {exists}{}", self.table_of(name)),
            ObjectType::Schema => {
                format!("DROP SCHEMA {exists}{}{}", last_part(name), if cascade { " CASCADE" } else { "" })
            }
            other => self.refuse(span, format!("DROP {other}")),
        }
    }

    /// Each change is a statement of its own, since DuckDB takes one at a time.
    fn alter_table(&mut self, alter: &AlterTable, span: Span) -> String {
        let exists = if alter.if_exists { "IF EXISTS " } else { "" };
        let head = format!("ALTER TABLE {exists}{}", self.table_of(&alter.name));
        let changes: Vec<String> = alter
            .operations
            .iter()
            .map(|operation| match operation {
                // Nothing that would change a row; the table must be there nevertheless.
                AlterTableOperation::SetOptionsParens { .. }
                | AlterTableOperation::AddConstraint { .. }
                | AlterTableOperation::DropConstraint { .. }
                | AlterTableOperation::DropPrimaryKey { .. } => {
                    if alter.if_exists {
                        "SELECT 1".to_owned()
                    } else {
                        format!("SELECT 1 FROM {} LIMIT 0", self.table_of(&alter.name))
                    }
                }
                _ => format!("{head} {}", self.alteration(operation, span)),
            })
            .collect();
        changes.join("; ")
    }

    fn alteration(&mut self, operation: &AlterTableOperation, span: Span) -> String {
        match operation {
            AlterTableOperation::AddColumn { if_not_exists, column_def, column_position: None, .. } => {
                let exists = if *if_not_exists { "IF NOT EXISTS " } else { "" };
                format!("ADD COLUMN {exists}{}", self.column_def(column_def))
            }
            AlterTableOperation::DropColumn { column_names, if_exists, .. } => {
                match column_names.as_slice() {
                    [column] => {
                        let exists = if *if_exists { "IF EXISTS " } else { "" };
                        format!("DROP COLUMN {exists}{}", Ident::new(&column.value))
                    }
                    _ => self.refuse(span, "DROP COLUMN of several columns"),
                }
            }
            AlterTableOperation::RenameColumn { old_column_name, new_column_name } => format!(
                "RENAME COLUMN {} TO {}",
                Ident::new(&old_column_name.value),
                Ident::new(&new_column_name.value)
            ),
            AlterTableOperation::RenameTable { table_name: RenameTableNameKind::To(name) } => {
                format!("RENAME TO {}", last_part(name))
            }
            AlterTableOperation::AlterColumn { column_name, op: AlterColumnOperation::DropNotNull } => {
                format!("ALTER COLUMN {} DROP NOT NULL", Ident::new(&column_name.value))
            }
            AlterTableOperation::AlterColumn {
                column_name,
                op: AlterColumnOperation::SetDataType { data_type, using: None, .. },
            } => {
                let data_type = self.data_type(data_type, span);
                format!("ALTER COLUMN {} SET DATA TYPE {data_type}", Ident::new(&column_name.value))
            }
            AlterTableOperation::AlterColumn {
                column_name,
                op: AlterColumnOperation::SetDefault { value },
            } => {
                format!("ALTER COLUMN {} SET DEFAULT {}", Ident::new(&column_name.value), self.expr(value))
            }
            AlterTableOperation::AlterColumn { column_name, op: AlterColumnOperation::DropDefault } => {
                format!("ALTER COLUMN {} DROP DEFAULT", Ident::new(&column_name.value))
            }
            _ => self.refuse(span, "this form of ALTER TABLE"),
        }
    }

    fn truncate_table(&mut self, truncate: &Truncate, span: Span) -> String {
        match truncate.table_names.as_slice() {
            [target] if truncate.partitions.is_none() && !truncate.if_exists => {
                format!("DELETE FROM {}", self.table_of(&target.name))
            }
            _ => self.refuse(span, "this form of TRUNCATE"),
        }
    }

    fn insert(&mut self, insert: &Insert, span: Span) -> String {
        let TableObject::TableName(name) = &insert.table else {
            return self.refuse(span, "INSERT into anything but a table");
        };
        if insert.table_alias.is_some()
            || insert.overwrite
            || insert.partitioned.is_some()
            || insert.on.is_some()
            || insert.returning.is_some()
            || !insert.assignments.is_empty()
            || !insert.after_columns.is_empty()
        {
            return self.refuse(span, "this form of INSERT");
        }
        let Some(source) = &insert.source else { return self.refuse(span, "INSERT without values") };
        let table = self.table_of(name);
        let mut columns: Vec<String> =
            insert.columns.iter().map(|column| last_part(column).to_string()).collect();
        if columns.is_empty() {
            let path = Self::path(name).unwrap_or_default();
            let path: Vec<&str> = path.iter().map(String::as_str).collect();
            let all = self.names.ingestion_columns(&path).unwrap_or_default();
            columns.extend(all.into_iter().map(|column| Ident::new(column).to_string()));
        }
        let columns = if columns.is_empty() { String::new() } else { format!(" ({})", columns.join(", ")) };
        let source = match source.body.as_ref() {
            SetExpr::Values(values) if source.with.is_none() => self.values(values),
            _ => self.written_rows(source),
        };
        format!("INSERT INTO {table}{columns} {source}")
    }

    pub(super) fn values(&mut self, values: &Values) -> String {
        let rows: Vec<String> = values
            .rows
            .iter()
            .map(|row| {
                let row: Vec<String> = row.content.iter().map(|value| self.assigned(value)).collect();
                format!("({})", row.join(", "))
            })
            .collect();
        format!("VALUES {}", rows.join(", "))
    }

    /// A value that takes the type of the column it is written to.
    fn assigned(&mut self, value: &Expr) -> String {
        match value {
            Expr::Identifier(word)
                if word.quote_style.is_none() && word.value.eq_ignore_ascii_case("DEFAULT") =>
            {
                "DEFAULT".to_owned()
            }
            _ if self.resolved.conversion(value).is_some() => self.expr(value),
            _ => match float_literal(value) {
                Some(digits) => plain_number(&digits),
                None => self.row(value),
            },
        }
    }

    /// `SET`: a column of the target, which may go by its alias, or a field of a struct in one.
    pub(super) fn assignments(&mut self, assignments: &[Assignment], alias: &str) -> String {
        let list: Vec<String> = assignments
            .iter()
            .map(|assignment| {
                let AssignmentTarget::ColumnName(name) = &assignment.target else {
                    return self.refuse(assignment.value.span(), "SET of several columns at once");
                };
                let path: Vec<&str> = name
                    .0
                    .iter()
                    .filter_map(|part| part.as_ident())
                    .map(|part| part.value.as_str())
                    .collect();
                let path = match path.as_slice() {
                    [first, rest @ ..] if !rest.is_empty() && first.eq_ignore_ascii_case(alias) => rest,
                    path => path,
                };
                let Some((column, fields)) = path.split_first() else {
                    return self.refuse(name.span(), "this target of SET");
                };
                let (column, value) = (Ident::new(*column).to_string(), self.assigned(&assignment.value));
                let whole = format!("{}.{column}", Ident::new(alias));
                format!("{column} = {}", with_field(&whole, fields, &value))
            })
            .collect();
        list.join(", ")
    }
}

/// Nothing, if the dataset is there.
fn schema_must_exist(name: &ObjectName, if_exists: bool) -> String {
    if if_exists {
        return "SELECT 1".to_owned();
    }
    let dataset = last_part(name);
    let message = quote(&format!("Not found: Dataset {}", dataset.as_str()));
    format!(
        "SELECT CASE WHEN count(*) = 0 THEN error({message}) END FROM duckdb_schemas() WHERE schema_name = {}",
        quote(dataset.as_str())
    )
}

/// How long a partition by the time of ingestion is, if a table's partitions are of this kind.
fn ingestion_part(partition_by: &Expr) -> Option<&'static str> {
    match partition_by {
        Expr::Nested(inner) => ingestion_part(inner),
        Expr::Identifier(name) if name.value.eq_ignore_ascii_case("_PARTITIONDATE") => Some("day"),
        Expr::Function(function) => {
            let arguments = super::function::positional(function)?;
            let Expr::Identifier(column) = arguments.first()? else { return None };
            if !column.value.eq_ignore_ascii_case(PARTITION_TIME) {
                return None;
            }
            match arguments.get(1) {
                None => Some("day"),
                Some(Expr::Identifier(part)) => ["hour", "day", "month", "year"]
                    .into_iter()
                    .find(|known| part.value.eq_ignore_ascii_case(known)),
                Some(_) => None,
            }
        }
        _ => None,
    }
}

/// A struct with another value in one of its fields.
fn with_field(whole: &str, fields: &[&str], value: &str) -> String {
    match fields.split_first() {
        None => value.to_owned(),
        Some((field, rest)) => {
            let field = Ident::new(*field);
            let inner = with_field(&format!("{whole}.{field}"), rest, value);
            format!("struct_update({whole}, {field} := {inner})")
        }
    }
}

/// The last part of a path: the column of `t.c`, the dataset of `project.dataset`.
pub(super) fn last_part(name: &ObjectName) -> Ident {
    let last = name.0.last().and_then(|part| part.as_ident()).map_or("", |part| part.value.as_str());
    Ident::new(last.rsplit('.').next().unwrap_or_default())
}
