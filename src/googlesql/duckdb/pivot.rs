//! PIVOT and UNPIVOT.
//!
//! Source: <https://cloud.google.com/bigquery/docs/reference/standard-sql/query-syntax#pivot_operator>
//!
//! The columns of the table are not known here: the ones that stay are all but those that the operator names.

use std::ops::ControlFlow;

use sqlparser::ast::helpers::attached_token::AttachedToken;
use sqlparser::ast::{
    CaseWhen, Expr, ExprWithAlias, Function, FunctionArg, FunctionArgExpr, FunctionArguments,
    Ident as SqlIdent, NullInclusion, NullTreatment, ObjectName, PivotValueSource, Spanned, TableAlias,
    TableFactor, UnaryOperator, Value, visit_expressions,
};
use sqlparser::tokenizer::Span;

use super::aggregates::ignores_nulls;
use super::literal::{float_literal, int_literal, quote, string_literal, string_of};
use super::names::Ident;
use super::{Frame, Translator};
use crate::diag::Code;

/// A PIVOT as it is written.
pub(super) struct Pivot<'a> {
    pub(super) table: &'a TableFactor,
    pub(super) aggregates: &'a [ExprWithAlias],
    pub(super) columns: &'a [Expr],
    pub(super) values: &'a PivotValueSource,
    pub(super) alias: Option<&'a TableAlias>,
}

/// An UNPIVOT as it is written.
pub(super) struct Unpivot<'a> {
    pub(super) table: &'a TableFactor,
    pub(super) value: &'a Expr,
    pub(super) label: &'a SqlIdent,
    pub(super) columns: &'a [ExprWithAlias],
    pub(super) nulls: Option<&'a NullInclusion>,
    pub(super) alias: Option<&'a TableAlias>,
}

impl Translator<'_> {
    /// `t PIVOT(SUM(n) FOR q IN ('x', 'y'))`: one aggregate for each value, grouped by all other columns.
    pub(super) fn pivot(&mut self, pivot: &Pivot<'_>, span: Span) -> String {
        let PivotValueSource::List(values) = pivot.values else {
            return self.refuse(span, "PIVOT over values that are not listed");
        };
        let [column] = pivot.columns else { return self.refuse(span, "PIVOT by several columns") };
        self.frames.push(Frame::default());
        let source = self.factor(pivot.table).sql;
        let mut used = Vec::new();
        self.names_in(column, &mut used);
        for aggregate in pivot.aggregates {
            self.names_in(&aggregate.expr, &mut used);
        }
        used.extend(self.hidden_columns(None));
        let mut list = vec![format!("* EXCLUDE ({})", used.join(", "))];
        for value in values {
            for aggregate in pivot.aggregates {
                if pivot.aggregates.len() > 1 && aggregate.alias.is_none() {
                    return self.invalid(
                        Code::SqlInvalid,
                        aggregate.expr.span(),
                        "each of several aggregates of PIVOT needs an alias",
                    );
                }
                let Some(name) =
                    value.alias.as_ref().map(|alias| alias.value.clone()).or_else(|| value_name(&value.expr))
                else {
                    return self.invalid(
                        Code::SqlInvalid,
                        value.expr.span(),
                        "this value of PIVOT needs an alias, from which its column takes its name",
                    );
                };
                let name = match &aggregate.alias {
                    Some(alias) => format!("{}_{name}", alias.value),
                    None => name,
                };
                let matches = Expr::IsNotDistinctFrom(Box::new(column.clone()), Box::new(value.expr.clone()));
                let sql = match for_rows(&aggregate.expr, &matches) {
                    Some(aggregate) => self.expr(&aggregate),
                    None => self.refuse(aggregate.expr.span(), format!("PIVOT with {}", aggregate.expr)),
                };
                list.push(format!("{sql} AS {}", Ident::new(name)));
            }
        }
        self.frames.pop();
        format!("(SELECT {} FROM {source} GROUP BY ALL){}", list.join(", "), self.alias(pivot.alias))
    }

    /// `t UNPIVOT(v FOR label IN (a, b))`: a row for each of the columns.
    pub(super) fn unpivot(&mut self, unpivot: &Unpivot<'_>, span: Span) -> String {
        let Some(names) = names_of(unpivot.value) else { return self.refuse(span, "this form of UNPIVOT") };
        self.frames.push(Frame::default());
        let source = self.factor(unpivot.table).sql;
        let mut used = self.hidden_columns(None);
        self.frames.pop();
        let mut rows = Vec::new();
        for column in unpivot.columns {
            let columns = names_of(&column.expr).filter(|columns| columns.len() == names.len());
            let Some(columns) = columns else {
                return self.invalid(
                    Code::SqlInvalid,
                    column.expr.span(),
                    format!("UNPIVOT takes {} here, as many columns as values", counted(names.len())),
                );
            };
            let label = match &column.alias {
                // See `tokens::numeric_labels`.
                Some(alias) if alias.value.bytes().all(|byte| byte.is_ascii_digit()) => {
                    format!("CAST({} AS BIGINT)", alias.value)
                }
                Some(alias) => quote(&alias.value),
                None => {
                    quote(&columns.iter().map(|column| column.value.as_str()).collect::<Vec<_>>().join("_"))
                }
            };
            let mut fields = vec![format!("label := {label}")];
            for (index, column) in columns.iter().enumerate() {
                let column = Ident::new(&column.value).to_string();
                fields.push(format!("v{index} := {column}"));
                used.push(column);
            }
            rows.push(format!("struct_pack({})", fields.join(", ")));
        }
        let entry = self.fresh("unpivot");
        let values: Vec<String> =
            (0..names.len()).map(|index| format!("struct_extract({entry}, 'v{index}')")).collect();
        let mut list = vec![format!("* EXCLUDE ({}, {entry})", used.join(", "))];
        list.extend(
            names.iter().zip(&values).map(|(name, value)| format!("{value} AS {}", Ident::new(&name.value))),
        );
        list.push(format!("struct_extract({entry}, 'label') AS {}", Ident::new(&unpivot.label.value)));
        // Where several columns become one row, only a row of NULLs alone is left out.
        let filter = match unpivot.nulls {
            Some(NullInclusion::IncludeNulls) => String::new(),
            None | Some(NullInclusion::ExcludeNulls) => {
                format!(
                    " WHERE {}",
                    values
                        .iter()
                        .map(|value| format!("{value} IS NOT NULL"))
                        .collect::<Vec<_>>()
                        .join(" OR ")
                )
            }
        };
        format!(
            "(SELECT {} FROM (SELECT *, unnest([{}]) AS {entry} FROM {source}){filter}){}",
            list.join(", "),
            rows.join(", "),
            self.alias(unpivot.alias)
        )
    }

    /// The columns that an expression names, quoted.
    fn names_in(&mut self, expr: &Expr, names: &mut Vec<String>) {
        let ranges = self.frames.last().map(|frame| frame.ranges.clone()).unwrap_or_default();
        let _ = visit_expressions(expr, |part| {
            let name = match part {
                Expr::Identifier(name) if !name.value.starts_with('@') => Some(name),
                Expr::CompoundIdentifier(path) => match path.as_slice() {
                    [range, column, ..] if ranges.contains(&range.value.to_lowercase()) => Some(column),
                    path => path.first(),
                },
                _ => None,
            };
            if let Some(name) = name.map(|name| Ident::new(&name.value).to_string())
                && !names.iter().any(|known| known.eq_ignore_ascii_case(&name))
            {
                names.push(name);
            }
            ControlFlow::<()>::Continue(())
        });
    }
}

fn counted(columns: usize) -> String {
    if columns == 1 { "one column".to_owned() } else { format!("{columns} columns in parentheses") }
}

/// One name, or several in parentheses.
fn names_of(expr: &Expr) -> Option<Vec<&SqlIdent>> {
    match expr {
        Expr::Identifier(name) => Some(vec![name]),
        Expr::Nested(inner) => names_of(inner),
        Expr::Tuple(items) => items
            .iter()
            .map(|item| match item {
                Expr::Identifier(name) => Some(name),
                _ => None,
            })
            .collect(),
        _ => None,
    }
}

/// The aggregate over those rows alone that meet a condition.
fn for_rows(aggregate: &Expr, condition: &Expr) -> Option<Expr> {
    let Expr::Function(function) = aggregate else { return None };
    let mut function = function.clone();
    let name = function.name.to_string().to_ascii_uppercase();
    let FunctionArguments::List(list) = &mut function.args else { return None };
    let ignores_nulls = ignores_nulls(&name)
        || (name == "ARRAY_AGG"
            && (function.null_treatment == Some(NullTreatment::IgnoreNulls)
                || list.clauses.iter().any(|clause| {
                    matches!(
                        clause,
                        sqlparser::ast::FunctionArgumentClause::IgnoreOrRespectNulls(
                            NullTreatment::IgnoreNulls
                        )
                    )
                })));
    if !ignores_nulls || function.over.is_some() {
        return None;
    }
    match list.args.first_mut()? {
        FunctionArg::Unnamed(FunctionArgExpr::Wildcard) if name == "COUNT" => {
            list.args = vec![FunctionArg::Unnamed(FunctionArgExpr::Expr(condition.clone()))];
            function.name = ObjectName::from(vec![SqlIdent::new("COUNTIF")]);
        }
        FunctionArg::Unnamed(FunctionArgExpr::Expr(argument)) => {
            let result = argument.clone();
            *argument = Expr::Case {
                case_token: AttachedToken::empty(),
                end_token: AttachedToken::empty(),
                operand: None,
                conditions: vec![CaseWhen { condition: condition.clone(), result }],
                else_result: None,
            };
        }
        _ => return None,
    }
    Some(Expr::Function(Function { ..function }))
}

/// The name that a value gives its column, where BigQuery does not ask for an alias.
fn value_name(value: &Expr) -> Option<String> {
    if float_literal(value).is_some() {
        return None;
    }
    if let Some(number) = int_literal(value) {
        return Some(if number < 0 {
            format!("minus_{}", number.unsigned_abs())
        } else {
            format!("_{number}")
        });
    }
    if let Some(text) = string_literal(value) {
        return Some(text.to_owned());
    }
    match value {
        Expr::Nested(inner) => value_name(inner),
        Expr::UnaryOp { op: UnaryOperator::Plus, expr } => value_name(expr),
        Expr::Value(literal) => match &literal.value {
            Value::Boolean(truth) => Some(truth.to_string()),
            Value::Null => Some("NULL".to_owned()),
            _ => None,
        },
        Expr::TypedString(literal) => match literal.data_type {
            sqlparser::ast::DataType::Date => {
                string_of(&literal.value.value).map(|text| format!("_{}", text.replace('-', "_")))
            }
            _ => None,
        },
        _ => None,
    }
}
