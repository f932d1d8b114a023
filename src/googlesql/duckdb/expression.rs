//! Expressions: every kind of node is either translated or refused.

use std::fmt::Write as _;

use sqlparser::ast::{
    AccessExpr, Array, ArrayElemTypeDef, CaseWhen, CastFormat, CastKind, CeilFloorKind, DataType, Expr,
    Ident as SqlIdent, Spanned, StructField, Subscript, TrimWhereField, TypedString, Value,
};
use sqlparser::tokenizer::Span;

use super::Translator;
use super::literal::{float_literal, is_bytes_literal, quote, string_literal, string_of};
use super::names::Ident;
use super::operator::{Argument, is_null};
use super::types::cast_macro;
use crate::googlesql::limits::OPERATORS_HELP;

/// How deep expressions may nest: `DuckDB`'s own bound.
///
/// Source: <https://duckdb.org/docs/stable/configuration/overview>, `max_expression_depth`.
const MAX_DEPTH: usize = 1000;

impl Translator<'_> {
    /// An expression. Compound ones print in parentheses, so that precedence is that of the tree.
    pub(super) fn expr(&mut self, expr: &Expr) -> String {
        if self.depth == MAX_DEPTH {
            let place = match expr {
                Expr::BinaryOp { right, .. } => right.span(),
                other => other.span(),
            };
            return self.too_deep(place, "operators", MAX_DEPTH, OPERATORS_HELP);
        }
        self.depth += 1;
        let sql = self.expr_at_depth(expr);
        self.depth -= 1;
        if matches!(expr, Expr::Nested(_)) { sql } else { self.taken(expr, sql) }
    }

    fn expr_at_depth(&mut self, expr: &Expr) -> String {
        match expr {
            Expr::Identifier(name) => self.identifier(name),
            Expr::CompoundIdentifier(parts)
                if parts
                    .first()
                    .is_some_and(|part| part.value.starts_with('@') || self.variable(part).is_some()) =>
            {
                let mut parts = parts.iter();
                let mut sql = parts.next().map_or_else(String::new, |name| self.identifier(name));
                for part in parts {
                    sql = format!("({sql}).{}", Ident::new(&part.value));
                }
                sql
            }
            Expr::CompoundIdentifier(parts)
                if parts.last().is_some_and(|part| part.value.eq_ignore_ascii_case(PARTITION_DATE)) =>
            {
                let table = parts.split_last().map(|(_, table)| table).unwrap_or_default();
                let mut range = String::new();
                for part in table {
                    let _ = write!(range, "{}.", Ident::new(&part.value));
                }
                partition_date(&range)
            }
            Expr::CompoundIdentifier(parts) => {
                let parts: Vec<String> =
                    parts.iter().map(|part| Ident::new(&part.value).to_string()).collect();
                parts.join(".")
            }
            Expr::Nested(inner) => self.expr(inner),
            Expr::Value(value) => self.value(&value.value, value.span),
            Expr::TypedString(TypedString { data_type, value, uses_odbc_syntax: false }) => {
                match string_of(&value.value) {
                    Some(text) => self.typed_literal(data_type, text, value.span),
                    None => self.refuse(value.span, "this literal"),
                }
            }
            Expr::UnaryOp { op, expr } => self.unary(*op, expr),
            Expr::BinaryOp { left, op, right } => self.binary(left, op, right),
            Expr::IsNull(inner) | Expr::IsUnknown(inner) => format!("({} IS NULL)", self.expr(inner)),
            Expr::IsNotNull(inner) | Expr::IsNotUnknown(inner) => {
                format!("({} IS NOT NULL)", self.expr(inner))
            }
            Expr::IsTrue(inner) => format!("({} IS TRUE)", self.expr(inner)),
            Expr::IsNotTrue(inner) => format!("({} IS NOT TRUE)", self.expr(inner)),
            Expr::IsFalse(inner) => format!("({} IS FALSE)", self.expr(inner)),
            Expr::IsNotFalse(inner) => format!("({} IS NOT FALSE)", self.expr(inner)),
            Expr::IsDistinctFrom(left, right) => {
                let (left, right) = self.compared_pair(left, right);
                format!("({left} IS DISTINCT FROM {right})")
            }
            Expr::IsNotDistinctFrom(left, right) => {
                let (left, right) = self.compared_pair(left, right);
                format!("({left} IS NOT DISTINCT FROM {right})")
            }
            Expr::InList { expr, list, negated } => {
                if fields_of(expr).is_some() {
                    return self.in_tuples(expr, list, *negated);
                }
                let others: Vec<&Expr> = list.iter().collect();
                let operand = self.compared(expr, &others);
                let list: Vec<String> = list.iter().map(|item| self.compared(item, &[expr])).collect();
                format!("({operand} {}IN ({}))", not(*negated), list.join(", "))
            }
            Expr::InSubquery { expr, subquery, negated } => {
                let rows = self.subquery(subquery);
                let rows = self.taken_query(subquery, rows);
                format!("({} {}IN ({rows}))", self.expr(expr), not(*negated))
            }
            Expr::InUnnest { expr, array_expr, negated } => {
                let call = self.over("in_array", &[expr, array_expr]);
                if *negated { format!("(NOT {call})") } else { call }
            }
            Expr::Between { expr, negated, low, high } => {
                let operand = self.compared(expr, &[low, high]);
                let (low, high) = (self.compared(low, &[expr]), self.compared(high, &[expr]));
                format!("({operand} {}BETWEEN {low} AND {high})", not(*negated))
            }
            Expr::Like { negated, any, expr, pattern, escape_char: None } => {
                self.like(*negated, *any, expr, pattern)
            }
            Expr::Case { operand, conditions, else_result, .. } => {
                self.case(operand.as_deref(), conditions, else_result.as_deref())
            }
            Expr::Cast { kind, expr, data_type, format } => self.cast(kind, expr, data_type, format.as_ref()),
            Expr::Extract { field, expr: inner, .. } => self.extract(field, inner, expr.span()),
            Expr::Ceil { expr, field } => self.ceil_or_floor("ceil", expr, field),
            Expr::Floor { expr, field } => self.ceil_or_floor("floor", expr, field),
            Expr::Substring { expr, substring_from, substring_for, special: true, .. } => {
                let mut arguments = vec![expr.as_ref()];
                arguments.extend(substring_from.as_deref());
                arguments.extend(substring_for.as_deref());
                self.over("substr", &arguments)
            }
            Expr::Trim { trim_where: None, trim_what: None, expr, trim_characters } => {
                let mut arguments = vec![expr.as_ref()];
                arguments.extend(trim_characters.iter().flatten());
                self.over("trim", &arguments)
            }
            Expr::Trim { trim_where: Some(side), trim_what: None, expr: inner, trim_characters: None } => {
                let name = match side {
                    TrimWhereField::Both => "trim",
                    TrimWhereField::Leading => "ltrim",
                    TrimWhereField::Trailing => "rtrim",
                };
                self.over(name, &[inner])
            }
            Expr::Function(function) => self.function(function),
            Expr::Exists { subquery, negated } => {
                format!("({}EXISTS ({}))", not(*negated), self.subquery(subquery))
            }
            Expr::Subquery(query) => format!("({})", self.subquery(query)),
            Expr::Tuple(items) => {
                let items: Vec<String> = items.iter().map(|item| self.expr(item)).collect();
                format!("row({})", items.join(", "))
            }
            Expr::Struct { values, fields } => self.structure(values, fields, expr.span()),
            Expr::Array(Array { elem, .. }) => {
                let items: Vec<&Expr> = elem.iter().collect();
                format!("[{}]", self.unified(&items).join(", "))
            }
            Expr::Interval(interval) => self.interval(interval),
            Expr::CompoundFieldAccess { root, access_chain } => self.access(root, access_chain),
            Expr::AtTimeZone { .. } => self.refuse(expr.span(), "AT TIME ZONE outside of EXTRACT"),
            Expr::GroupingSets(_) | Expr::Cube(_) | Expr::Rollup(_) => {
                self.refuse(expr.span(), "a grouping outside of GROUP BY")
            }
            Expr::JsonAccess { .. }
            | Expr::IsJson { .. }
            | Expr::IsNormalized { .. }
            | Expr::Like { .. }
            | Expr::ILike { .. }
            | Expr::SimilarTo { .. }
            | Expr::RLike { .. }
            | Expr::AnyOp { .. }
            | Expr::AllOp { .. }
            | Expr::Convert { .. }
            | Expr::Position { .. }
            | Expr::Substring { .. }
            | Expr::Trim { .. }
            | Expr::Overlay { .. }
            | Expr::Collate { .. }
            | Expr::Prefixed { .. }
            | Expr::TypedString(_)
            | Expr::Named { .. }
            | Expr::Dictionary(_)
            | Expr::Map(_)
            | Expr::MatchAgainst { .. }
            | Expr::Wildcard(_)
            | Expr::QualifiedWildcard(..)
            | Expr::OuterJoin(_)
            | Expr::Prior(_)
            | Expr::Lambda(_)
            | Expr::MemberOf(_) => self.refuse(expr.span(), format!("`{expr}`")),
        }
    }

    /// The variable of a script that a name stands for.
    pub(super) fn variable(&self, name: &SqlIdent) -> Option<String> {
        let variables = self.parameters.variables.as_ref()?;
        let lower = name.value.to_lowercase();
        let is_other = if self.parameters.types.is_empty() {
            self.is_range(&lower)
        } else {
            !self.resolved.is_variable(name.span)
        };
        if is_other {
            return None;
        }
        variables.get(&lower).cloned()
    }

    fn identifier(&mut self, name: &SqlIdent) -> String {
        if name.value.starts_with('@') {
            return self.value(&Value::Placeholder(name.value.clone()), name.span);
        }
        match self.aliases.iter().find(|alias| alias.name.eq_ignore_ascii_case(&name.value)) {
            Some(alias) => format!("({})", alias.sql),
            None if self.variable(name).is_some() => self.variable(name).unwrap_or_default(),
            None if name.value.eq_ignore_ascii_case(PARTITION_DATE) => partition_date(""),
            None if self.element(name).is_some() => self.element(name).unwrap_or_default().to_owned(),
            None => Ident::new(&name.value).to_string(),
        }
    }

    fn case(&mut self, operand: Option<&Expr>, conditions: &[CaseWhen], otherwise: Option<&Expr>) -> String {
        let mut results: Vec<&Expr> = conditions.iter().map(|when| &when.result).collect();
        results.extend(otherwise);
        let mut results = self.unified(&results).into_iter();
        let mut sql = String::from("CASE");
        let whens: Vec<&Expr> = conditions.iter().map(|when| &when.condition).collect();
        if let Some(operand) = operand {
            sql.push(' ');
            sql.push_str(&self.compared(operand, &whens));
        }
        for condition in whens {
            let condition = match operand {
                Some(operand) => self.compared(condition, &[operand]),
                None => self.expr(condition),
            };
            let result = results.next().unwrap_or_default();
            let _ = write!(sql, " WHEN {condition} THEN {result}");
        }
        if otherwise.is_some() {
            let _ = write!(sql, " ELSE {}", results.next().unwrap_or_default());
        }
        sql.push_str(" END");
        format!("({sql})")
    }

    fn cast(
        &mut self,
        kind: &CastKind,
        expr: &Expr,
        data_type: &DataType,
        format: Option<&CastFormat>,
    ) -> String {
        let span = expr.span();
        let safe = match kind {
            CastKind::Cast => false,
            CastKind::SafeCast => true,
            CastKind::TryCast | CastKind::DoubleColon => return self.refuse(span, "this form of CAST"),
        };
        if let Some(format) = format {
            let sql = self.cast_with_format(expr, data_type, format, span);
            return if safe { format!("TRY({sql})") } else { sql };
        }
        if is_null(expr) {
            return format!("CAST(NULL AS {})", self.data_type(data_type, span));
        }
        if let Some((base, bounded)) = self.bounded_cast(data_type, span) {
            let argument = self.argument(expr);
            let sql = self.call(base, &[argument]);
            let sql = bounded(&sql);
            return if safe { format!("TRY({sql})") } else { sql };
        }
        if let Some(element) = super::range::Element::of(data_type) {
            let sql = self.cast_to_range(expr, element);
            return if safe { format!("TRY({sql})") } else { sql };
        }
        match cast_macro(data_type) {
            Some("as_timestamp") if super::temporal::timestamp_text(expr).is_some() => {
                super::temporal::timestamp_text(expr).unwrap_or_default()
            }
            Some(name @ "as_bignumeric") if float_literal(expr).is_some() => {
                let digits = quote(&float_literal(expr).unwrap_or_default());
                let name = if safe { format!("safe_{name}") } else { name.to_owned() };
                self.call(&name, &[Argument::constant(digits)])
            }
            // The literal's own digits, not those of the double nearest to it.
            Some("as_numeric") if float_literal(expr).is_some() => {
                format!("CAST('{}' AS DECIMAL(38,9))", float_literal(expr).unwrap_or_default())
            }
            Some(name) => {
                let argument = self.argument(expr);
                let name = if safe { format!("safe_{name}") } else { name.to_owned() };
                self.call(&name, &[argument])
            }
            None => match data_type {
                DataType::Array(_) | DataType::Struct(..) => {
                    let argument = self.argument(expr);
                    let sql = self.deep_cast(&argument.sql, data_type, span);
                    if safe { format!("TRY({sql})") } else { sql }
                }
                other => self.refuse(span, format!("CAST to {other}")),
            },
        }
    }

    /// A cast of what is inside of an array or struct, each part by its own rules; fields go by their places.
    fn deep_cast(&mut self, sql: &str, data_type: &DataType, span: Span) -> String {
        let part = self.fresh("part");
        match data_type {
            DataType::Array(
                ArrayElemTypeDef::AngleBracket(element) | ArrayElemTypeDef::Parenthesis(element),
            ) => {
                let inner = self.deep_cast(&part.to_string(), element, span);
                // The outer cast gives an empty array its type.
                format!(
                    "CAST(list_transform({sql}, lambda {part}: {inner}) AS {})",
                    self.data_type(data_type, span)
                )
            }
            DataType::Struct(fields, _) => {
                let values: Vec<String> = fields
                    .iter()
                    .enumerate()
                    .map(|(index, field)| {
                        let value = format!("struct_extract_at({part}, {})", index + 1);
                        self.deep_cast(&value, &field.field_type, span)
                    })
                    .collect();
                let data_type = self.data_type(data_type, span);
                format!(
                    "list_transform([{sql}], lambda {part}: CASE WHEN {part} IS NOT NULL THEN CAST(row({}) AS {data_type}) END)[1]",
                    values.join(", ")
                )
            }
            _ => match cast_macro(data_type) {
                Some(name) => {
                    self.call(name, &[Argument { sql: sql.to_owned(), opaque: false, constant: false }])
                }
                None => self.refuse(span, format!("CAST to {data_type}")),
            },
        }
    }

    /// LIKE, LIKE ANY and LIKE ALL.
    fn like(&mut self, negated: bool, any: bool, expr: &Expr, pattern: &Expr) -> String {
        let all = match pattern {
            Expr::Function(function) if !any => {
                let name = function.name.to_string().to_ascii_uppercase();
                matches!(name.as_str(), "ALL" | "SOME" | "ANY")
                    .then(|| super::function::positional(function).map(|patterns| (name, patterns)))
                    .flatten()
            }
            _ => None,
        };
        let (quantifier, patterns): (String, Vec<&Expr>) = match (all, pattern) {
            (Some(found), _) => found,
            (None, Expr::Tuple(patterns)) if any => ("ANY".to_owned(), patterns.iter().collect()),
            (None, Expr::Nested(only)) if any => ("ANY".to_owned(), vec![only.as_ref()]),
            (None, _) if any => {
                return self.refuse(pattern.span(), "LIKE ANY with anything but a list of patterns");
            }
            (None, _) => (String::new(), vec![pattern]),
        };
        let operand = self.expr(expr);
        let mut tests = Vec::new();
        for pattern in patterns {
            if is_bytes_literal(pattern)
                && let Some(test) = self.like_of_bytes(expr, pattern)
            {
                tests.push(test);
                continue;
            }
            let escape = match string_literal(pattern) {
                Some(text) if !text.contains('\\') => "",
                _ => " ESCAPE '\\'",
            };
            tests.push(format!("({operand} LIKE {}{escape})", self.expr(pattern)));
        }
        let joined = tests.join(if quantifier == "ALL" { " AND " } else { " OR " });
        match (negated, quantifier.is_empty()) {
            (false, _) => format!("({joined})"),
            (true, true) => format!("(NOT {joined})"),
            // Whether each pattern is negated or the whole is a matter of the analyzer's options.
            (true, false) => self.refuse(expr.span(), format!("NOT LIKE {quantifier}")),
        }
    }

    /// `(a, b) IN ((1, 2), (3, 4))`: DuckDB compares NULLs inside of structs as values.
    fn in_tuples(&mut self, expr: &Expr, list: &[Expr], negated: bool) -> String {
        let Some(fields) = fields_of(expr) else { return "NULL".to_owned() };
        let mut tests = Vec::new();
        for item in list {
            match fields_of(item) {
                Some(others) if others.len() == fields.len() => {
                    tests.push(self.equal_fields(&fields, &others));
                }
                _ => return self.refuse(item.span(), "IN with a struct beside this"),
            }
        }
        format!("({}({}))", not(negated), tests.join(" OR "))
    }

    /// Whether the fields of two structs are equal, each as BigQuery compares it.
    pub(super) fn equal_fields(&mut self, left: &[&Expr], right: &[&Expr]) -> String {
        let tests: Vec<String> = left
            .iter()
            .zip(right)
            .map(|(left, right)| {
                let (left, right) = self.compared_pair(left, right);
                format!("{left} = {right}")
            })
            .collect();
        format!("({})", tests.join(" AND "))
    }

    fn ceil_or_floor(&mut self, name: &str, expr: &Expr, field: &CeilFloorKind) -> String {
        use sqlparser::ast::DateTimeField;
        match field {
            CeilFloorKind::DateTimeField(DateTimeField::NoDateTime) => self.over(name, &[expr]),
            _ => self.refuse(expr.span(), format!("{} with a second argument", name.to_ascii_uppercase())),
        }
    }

    fn structure(&mut self, values: &[Expr], fields: &[StructField], span: Span) -> String {
        if fields.is_empty() {
            let mut packed = Vec::new();
            for (index, value) in values.iter().enumerate() {
                let (name, value) = match value {
                    Expr::Named { expr, name } => (Some(name.value.clone()), expr.as_ref()),
                    other => (implied_name(other), other),
                };
                let name = Ident::new(name.unwrap_or_else(|| format!("_field_{}", index + 1)));
                packed.push(format!("{name} := {}", self.expr(value)));
            }
            return format!("struct_pack({})", packed.join(", "));
        }
        let data_type = DataType::Struct(fields.to_vec(), sqlparser::ast::StructBracketKind::AngleBrackets);
        let data_type = self.data_type(&data_type, span);
        let values: Vec<String> = values.iter().map(|value| self.expr(value)).collect();
        format!("CAST(row({}) AS {data_type})", values.join(", "))
    }

    /// A struct without names, whose fields DuckDB matches by their order, as BigQuery does; where both sides have
    /// names it matches those.
    pub(super) fn row(&mut self, value: &Expr) -> String {
        match value {
            Expr::Nested(inner) => self.row(inner),
            Expr::Struct { values, fields } if fields.is_empty() && !values.is_empty() => {
                let items: Vec<String> = values
                    .iter()
                    .map(|value| match value {
                        Expr::Named { expr, .. } => self.row(expr),
                        other => self.row(other),
                    })
                    .collect();
                format!("row({})", items.join(", "))
            }
            // Structs inside of a tuple take their names from the same place as the tuple itself.
            Expr::Tuple(values) => {
                let items: Vec<String> = values.iter().map(|value| self.row(value)).collect();
                format!("row({})", items.join(", "))
            }
            Expr::Array(Array { elem, .. })
                if elem.iter().any(|item| is_struct(item) || matches!(item, Expr::Tuple(_))) =>
            {
                let items: Vec<String> = elem.iter().map(|item| self.row(item)).collect();
                format!("[{}]", items.join(", "))
            }
            other => self.expr(other),
        }
    }

    fn access(&mut self, root: &Expr, chain: &[AccessExpr]) -> String {
        let mut sql = self.expr(root);
        let mut opaque = self.is_opaque(root);
        for step in chain {
            match step {
                AccessExpr::Dot(Expr::Identifier(field)) => {
                    sql = format!("({sql}).{}", Ident::new(&field.value));
                }
                AccessExpr::Dot(other) => return self.refuse(other.span(), format!("`{other}`")),
                AccessExpr::Subscript(Subscript::Index { index }) => {
                    let (name, index) = match index {
                        Expr::Function(function) => {
                            let name = function.name.to_string().to_ascii_uppercase();
                            let name = match name.as_str() {
                                "OFFSET" => "element_at_offset",
                                "ORDINAL" => "element_at_ordinal",
                                "SAFE_OFFSET" => "safe_element_at_offset",
                                "SAFE_ORDINAL" => "safe_element_at_ordinal",
                                _ => "",
                            };
                            match (name, super::function::positional(function).as_deref()) {
                                ("", _) => ("element_at_offset", index),
                                (name, Some([only])) => (name, *only),
                                _ => return self.refuse(index.span(), format!("`{index}`")),
                            }
                        }
                        _ if string_literal(index).is_some() => {
                            let key = string_literal(index).unwrap_or_default();
                            sql = self.json_key(&sql, key, index.span());
                            continue;
                        }
                        _ => ("element_at_offset", index),
                    };
                    let index = self.argument(index);
                    opaque |= index.opaque;
                    sql = self.call(name, &[Argument { sql, opaque, constant: false }, index]);
                }
                AccessExpr::Subscript(Subscript::Slice { .. }) => {
                    return self.refuse(root.span(), "an array slice");
                }
            }
        }
        sql
    }

    /// A function of a group of alternatives, each of which may be a literal of the others' type.
    pub(super) fn native_unified(&mut self, name: &str, exprs: &[&Expr]) -> String {
        format!("{name}({})", self.unified(exprs).join(", "))
    }
}

/// Whether a struct is written here, without types.
pub(super) fn is_struct(expr: &Expr) -> bool {
    match expr {
        Expr::Nested(inner) => is_struct(inner),
        Expr::Struct { fields, values } => fields.is_empty() && !values.is_empty(),
        _ => false,
    }
}

/// The pseudo-column that holds when a row came into a table partitioned by that; the other is its date.
pub(super) const PARTITION_TIME: &str = "_PARTITIONTIME";
const PARTITION_DATE: &str = "_PARTITIONDATE";

fn partition_date(range: &str) -> String {
    format!("CAST(make_timestamp(epoch_us({range}{})) AS DATE)", Ident::new(PARTITION_TIME))
}

/// The fields of a struct that is written in place without a type.
pub(super) fn fields_of(expr: &Expr) -> Option<Vec<&Expr>> {
    match expr {
        Expr::Nested(inner) => fields_of(inner),
        Expr::Tuple(items) => Some(items.iter().collect()),
        Expr::Struct { values, fields } if fields.is_empty() => Some(
            values
                .iter()
                .map(|value| match value {
                    Expr::Named { expr, .. } => expr.as_ref(),
                    other => other,
                })
                .collect(),
        ),
        _ => None,
    }
}

fn not(negated: bool) -> &'static str {
    if negated { "NOT " } else { "" }
}

/// The name that BigQuery infers for a column without an alias.
pub(super) fn implied_name(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Identifier(name) => (!name.value.starts_with('@')).then(|| name.value.clone()),
        Expr::CompoundIdentifier(parts) => parts.last().map(|part| part.value.clone()),
        Expr::Nested(inner) => implied_name(inner),
        Expr::CompoundFieldAccess { access_chain, .. } => match access_chain.last() {
            Some(AccessExpr::Dot(Expr::Identifier(name))) => Some(name.value.clone()),
            _ => None,
        },
        _ => None,
    }
}
