//! FROM: tables, subqueries, joins and arrays.

use sqlparser::ast::{
    Array, Expr, Ident as SqlIdent, Join, JoinConstraint, JoinOperator, ObjectName, Spanned, TableAlias,
    TableFactor, TableSampleKind, TableSampleMethod, TableSampleQuantity, TableSampleUnit, TableWithJoins,
};
use sqlparser::tokenizer::Span;

use super::expression::PARTITION_TIME;
use super::names::Ident;
use super::pivot::{Pivot, Unpivot};
use super::{Hidden, Translator};
use crate::diag::Code;
use crate::googlesql::SqlFault;
use crate::googlesql::resolved::span_of;

/// The pseudo-column of a wildcard table.
pub(super) const TABLE_SUFFIX: &str = "_TABLE_SUFFIX";
/// The element of an array beside the columns of its fields.
const ELEMENT: &str = "value$";
/// Stands for columns that an asterisk means and that are not known.
pub(super) const EVERYTHING: &str = "*";

/// How an item of FROM prints, and whether it reads the columns of items before it.
pub(super) struct Item {
    pub(super) sql: String,
    lateral: bool,
}

impl Translator<'_> {
    /// The FROM clause. Commas print as CROSS JOIN, since BigQuery lets a later ON reach across them.
    pub(super) fn from(&mut self, tables: &[TableWithJoins]) -> String {
        let mut sql = String::new();
        for (index, table) in tables.iter().enumerate() {
            let item = self.factor(&table.relation);
            sql.push_str(if index == 0 { " FROM " } else { " CROSS JOIN " });
            sql.push_str(&item.sql);
            for join in &table.joins {
                sql.push_str(&self.join(join));
            }
        }
        sql
    }

    fn join(&mut self, join: &Join) -> String {
        let span = join.relation.span();
        let item = self.factor(&join.relation);
        if join.global {
            return self.refuse(span, "GLOBAL JOIN");
        }
        let (keyword, constraint) = match &join.join_operator {
            JoinOperator::Join(constraint) | JoinOperator::Inner(constraint) => ("INNER JOIN", constraint),
            JoinOperator::Left(constraint) | JoinOperator::LeftOuter(constraint) => ("LEFT JOIN", constraint),
            JoinOperator::Right(constraint) | JoinOperator::RightOuter(constraint) => {
                ("RIGHT JOIN", constraint)
            }
            JoinOperator::FullOuter(constraint) => ("FULL JOIN", constraint),
            JoinOperator::CrossJoin(constraint) => ("CROSS JOIN", constraint),
            _ => return self.refuse(span, "this kind of join"),
        };
        match constraint {
            JoinConstraint::On(condition) => {
                let condition = self.expr(condition);
                format!(" {keyword} {} ON {condition}", item.sql)
            }
            JoinConstraint::Using(columns) => {
                let columns: Vec<String> = columns
                    .iter()
                    .filter_map(|name| name.0.last().and_then(|part| part.as_ident()))
                    .map(|name| Ident::new(&name.value).to_string())
                    .collect();
                format!(" {keyword} {} USING ({})", item.sql, columns.join(", "))
            }
            JoinConstraint::None if keyword == "CROSS JOIN" || (keyword == "INNER JOIN" && item.lateral) => {
                format!(" CROSS JOIN {}", item.sql)
            }
            JoinConstraint::None if keyword == "LEFT JOIN" && item.lateral => {
                format!(" LEFT JOIN {} ON TRUE", item.sql)
            }
            JoinConstraint::None | JoinConstraint::Natural => self.refuse(span, "a join without a condition"),
        }
    }

    pub(super) fn factor(&mut self, factor: &TableFactor) -> Item {
        let span = factor.span();
        let sql = match factor {
            TableFactor::Table {
                name,
                alias,
                args: None,
                with_hints,
                version: None,
                with_ordinality: false,
                partitions,
                json_path: None,
                sample,
                index_hints,
            } if with_hints.is_empty() && partitions.is_empty() && index_hints.is_empty() => {
                let mut item = self.table_or_array(name, alias.as_ref());
                item.sql.push_str(&self.sample(sample.as_ref(), span));
                return item;
            }
            TableFactor::Table { version: Some(_), .. } => self.refuse(span, "a table as of another time"),
            TableFactor::Table { args: Some(_), .. } => self.refuse(span, "a table function"),
            TableFactor::Table { .. } => self.refuse(span, "this form of a table"),
            TableFactor::Derived { lateral: false, subquery, alias, sample } => {
                let query = self.query(subquery);
                let alias = self.alias(alias.as_ref());
                format!("({query}){alias}{}", self.sample(sample.as_ref(), span))
            }
            TableFactor::UNNEST {
                alias,
                array_exprs,
                with_offset,
                with_offset_alias,
                with_ordinality: false,
            } => {
                let [array] = array_exprs.as_slice() else {
                    let sql = self.refuse(span, "UNNEST of several arrays");
                    return Item { sql, lateral: false };
                };
                let name = alias.as_ref().map(|alias| &alias.name);
                let offset = with_offset
                    .then(|| with_offset_alias.as_ref().map_or("offset", |alias| alias.value.as_str()));
                let sql = self.unnest(array, (name, offset), span_of(array));
                return Item { sql, lateral: true };
            }
            TableFactor::NestedJoin { table_with_joins, alias: None } => {
                let item = self.factor(&table_with_joins.relation);
                let mut sql = item.sql;
                for join in &table_with_joins.joins {
                    sql.push_str(&self.join(join));
                }
                format!("({sql})")
            }
            TableFactor::Derived { .. } => self.refuse(span, "this form of a subquery"),
            TableFactor::Pivot {
                table,
                aggregate_functions,
                value_column,
                value_source,
                default_on_null: None,
                alias,
            } => {
                let pivot = Pivot {
                    table,
                    aggregates: aggregate_functions,
                    columns: value_column,
                    values: value_source,
                    alias: alias.as_ref(),
                };
                self.pivot(&pivot, span)
            }
            TableFactor::Unpivot { table, value, name, columns, null_inclusion, alias } => {
                let unpivot = Unpivot {
                    table,
                    value,
                    label: name,
                    columns,
                    nulls: null_inclusion.as_ref(),
                    alias: alias.as_ref(),
                };
                self.unpivot(&unpivot, span)
            }
            TableFactor::Pivot { .. } | TableFactor::UnpivotExpr { .. } => {
                self.refuse(span, "this form of PIVOT or UNPIVOT")
            }
            TableFactor::TableFunction { .. } | TableFactor::Function { .. } => {
                self.refuse(span, "a table function")
            }
            TableFactor::UNNEST { .. }
            | TableFactor::NestedJoin { .. }
            | TableFactor::JsonTable { .. }
            | TableFactor::OpenJsonTable { .. }
            | TableFactor::MatchRecognize { .. }
            | TableFactor::XmlTable { .. }
            | TableFactor::SemanticView { .. } => self.refuse(span, "this item of FROM"),
        };
        Item { sql, lateral: false }
    }

    /// `TABLESAMPLE SYSTEM (n PERCENT)`: other rows each time, chosen by blocks as BigQuery does.
    ///
    /// Source: <https://cloud.google.com/bigquery/docs/reference/standard-sql/query-syntax#tablesample_operator>
    fn sample(&mut self, sample: Option<&TableSampleKind>, span: Span) -> String {
        let Some(TableSampleKind::BeforeTableAlias(sample) | TableSampleKind::AfterTableAlias(sample)) =
            sample
        else {
            return String::new();
        };
        match (&sample.name, &sample.quantity) {
            (
                Some(TableSampleMethod::System),
                Some(TableSampleQuantity {
                    value: Expr::Value(value),
                    unit: Some(TableSampleUnit::Percent),
                    ..
                }),
            ) if sample.seed.is_none() && sample.bucket.is_none() && sample.offset.is_none() => {
                match value.value.to_string().parse::<f64>() {
                    Ok(percent) if (0.0..=100.0).contains(&percent) => {
                        format!(" TABLESAMPLE SYSTEM ({percent} PERCENT)")
                    }
                    _ => self.invalid(Code::SqlInvalid, span, "TABLESAMPLE takes 0 to 100 PERCENT"),
                }
            }
            _ => self.refuse(span, "TABLESAMPLE in another form than SYSTEM (n PERCENT)"),
        }
    }

    /// ` AS "x"`, which also brings the name into scope.
    pub(super) fn alias(&mut self, alias: Option<&TableAlias>) -> String {
        match alias {
            None => String::new(),
            Some(alias) if !alias.columns.is_empty() || alias.at.is_some() => {
                self.refuse(alias.name.span, "names of columns beside a table's")
            }
            Some(alias) => {
                self.enter(&alias.name.value);
                format!(" AS {}", Ident::new(&alias.name.value))
            }
        }
    }

    fn enter(&mut self, name: &str) {
        if let Some(frame) = self.frames.last_mut() {
            frame.ranges.push(name.to_lowercase());
        }
    }

    /// The parts of a table's path; one back-quoted part may hold several.
    pub(super) fn path(name: &ObjectName) -> Option<Vec<String>> {
        let mut path = Vec::new();
        for part in &name.0 {
            let part = part.as_ident()?;
            path.extend(part.value.split('.').map(str::to_owned));
        }
        Some(path)
    }

    fn table_or_array(&mut self, name: &ObjectName, alias: Option<&TableAlias>) -> Item {
        let span = name.span();
        let Some(path) = Self::path(name) else {
            return Item { sql: self.refuse(span, "this name of a table"), lateral: false };
        };
        let first = path.first().map(|part| part.to_lowercase()).unwrap_or_default();
        if path.len() > 1 && self.is_range(&first) {
            // `FROM t, t.items`: an array of the row at hand.
            let array = Expr::CompoundIdentifier(path.iter().map(SqlIdent::new).collect());
            let implied = path.last().map(SqlIdent::new);
            let name = alias.map(|alias| &alias.name).or(implied.as_ref());
            let sql = self.unnest(&array, (name, None), span);
            return Item { sql, lateral: true };
        }
        let mut hidden = None;
        let sql = if path.len() == 1 && self.ctes.iter().flatten().any(|cte| *cte == first) {
            Ident::new(&path[0]).to_string()
        } else if path.last().is_some_and(|table| table.ends_with('*')) {
            hidden = Some(TABLE_SUFFIX);
            self.wildcard_table(&path, span)
        } else if let Some(view) = self.information_schema(&path, span) {
            hidden = Some(EVERYTHING);
            view
        } else {
            let parts: Vec<&str> = path.iter().map(String::as_str).collect();
            hidden = self.names.ingestion_columns(&parts).map(|_| PARTITION_TIME);
            self.table_name(&path, span)
        };
        if let (Some(hidden), Some(frame)) = (hidden, self.frames.last_mut()) {
            let name = alias.map(|alias| &alias.name.value).or(path.last()).cloned().unwrap_or_default();
            frame.hidden.push(Hidden {
                table: name.to_lowercase(),
                column: hidden.to_owned(),
                from_table_only: false,
            });
        }
        let alias = if alias.is_some() {
            self.alias(alias)
        } else {
            let implied = path.last().cloned().unwrap_or_default();
            self.enter(&implied);
            format!(" AS {}", Ident::new(implied))
        };
        Item { sql: format!("{sql}{alias}"), lateral: false }
    }

    /// The table that a path stands for.
    pub(super) fn table_name(&mut self, path: &[String], span: Span) -> String {
        let parts: Vec<&str> = path.iter().map(String::as_str).collect();
        match self.names.table(&parts) {
            Some(table) => table.to_string(),
            None => {
                let fault = SqlFault::new(
                    Code::SqlUnknownTable,
                    span,
                    format!("there is no table `{}`", path.join(".")),
                );
                let bare = path.len() == 1;
                self.faults.push(fault.maybe_help(
                    bare.then(|| "name it with its dataset; only temporary tables go without".to_owned()),
                ));
                "NULL".to_owned()
            }
        }
    }

    fn wildcard_table(&mut self, path: &[String], span: Span) -> String {
        let parts: Vec<&str> = path.iter().map(String::as_str).collect();
        match self.names.wildcard(&parts) {
            Some(tables) if !tables.is_empty() => {
                let list: Vec<String> = tables
                    .iter()
                    .map(|(suffix, table)| {
                        format!(
                            "SELECT *, {} AS \"{TABLE_SUFFIX}\" FROM {table}",
                            super::literal::quote(suffix)
                        )
                    })
                    .collect();
                format!("({})", list.join(" UNION ALL BY NAME "))
            }
            Some(_) => {
                self.invalid(Code::SqlUnknownTable, span, format!("no table matches `{}`", path.join(".")))
            }
            None => self.refuse(span, "a wildcard table"),
        }
    }

    /// The elements of an array as rows. The element is a column of its own name, so that fields of structs are
    /// reached as `x.field`; where elements are known to be structs, their fields are columns too.
    fn unnest(
        &mut self,
        array: &Expr,
        (name, offset): (Option<&SqlIdent>, Option<&str>),
        span: Span,
    ) -> String {
        let sql = self.without_aliases(|translator| translator.expr(array));
        let hidden = self.fresh("element");
        if let Some(name) = name {
            self.enter(&name.value);
        }
        if self.resolved.has_structs(span) || (is_struct_array(array) && name.is_none()) {
            return self.unnest_structs(&sql, name, offset, hidden);
        }
        let column = name.map_or_else(|| hidden.clone(), |name| Ident::new(&name.value));
        if let Some(name) = name {
            self.enter_element(&name.value, format!("{hidden}.{column}"));
        }
        if is_struct_array(array) && offset.is_none() {
            // Not analyzed: the name stands for the row.
            return format!("(SELECT unnest({sql}, max_depth := 2)) AS {column}");
        }
        match offset {
            None if calls_macros(&sql) => {
                format!("LATERAL (SELECT unnest({sql}) AS {column}) AS {hidden}")
            }
            None => format!("unnest({sql}) AS {hidden}({column})"),
            Some(offset) => {
                let (value, position) = (Ident::new("value$"), Ident::new("position$"));
                let offset = Ident::new(offset);
                let source = elements_of(&sql);
                format!(
                    "LATERAL (SELECT {value} AS {column}, {position} - 1 AS {offset} \
                     FROM {source} WITH ORDINALITY AS {hidden}({value}, {position})) AS {hidden}"
                )
            }
        }
    }

    /// The elements of an array of structs: a table of their fields, which goes by the element's name. A hidden column
    /// is the element itself, for a row that LEFT JOIN adds is NULL, and not a struct of NULLs.
    fn unnest_structs(
        &mut self,
        array: &str,
        name: Option<&SqlIdent>,
        offset: Option<&str>,
        hidden: Ident,
    ) -> String {
        let table = name.map_or(hidden, |name| Ident::new(&name.value));
        if let Some(frame) = self.frames.last_mut() {
            let table = table.as_str().to_lowercase();
            frame.hidden.extend(offset.map(|offset| Hidden {
                table: table.clone(),
                column: offset.to_owned(),
                from_table_only: true,
            }));
            frame.hidden.push(Hidden { table, column: ELEMENT.to_owned(), from_table_only: false });
        }
        if let Some(name) = name {
            self.enter_element(&name.value, format!("{table}.\"{ELEMENT}\""));
        }
        let offset = offset.map_or_else(String::new, |offset| {
            format!(", unnest(range(len(\"list$\"))) AS {}", Ident::new(offset))
        });
        format!(
            "LATERAL (SELECT unnest(\"list$\") AS \"{ELEMENT}\", unnest(\"list$\", max_depth := 2){offset} \
             FROM (SELECT {array} AS \"list$\")) AS {table}"
        )
    }

    fn enter_element(&mut self, name: &str, sql: String) {
        if let Some(frame) = self.frames.last_mut() {
            frame.elements.push((name.to_lowercase(), sql));
        }
    }
}

/// Whether an array is computed by macros of the runtime. In the parentheses of a table function, DuckDB takes the
/// fields of their lambdas' parameters for text.
fn calls_macros(sql: &str) -> bool {
    sql.contains(super::RUNTIME_SCHEMA)
}

/// The elements of an array in FROM, where ORDINALITY may follow.
fn elements_of(sql: &str) -> String {
    if calls_macros(sql) {
        format!("(SELECT {sql} AS \"list$\") AS \"array$\", unnest(\"array$\".\"list$\")")
    } else {
        format!("unnest({sql})")
    }
}

/// Whether an array is written as a list of structs.
fn is_struct_array(array: &Expr) -> bool {
    match array {
        Expr::Nested(inner) => is_struct_array(inner),
        Expr::Array(Array { elem, .. }) => {
            elem.first().is_some_and(|first| matches!(first, Expr::Struct { .. }))
        }
        _ => false,
    }
}
