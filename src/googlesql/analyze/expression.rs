//! Expressions: one function for each form that the parser has.

use sqlparser::ast::{
    CeilFloorKind, DateTimeField, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, Query,
};
use sqlparser::tokenizer::Span;

use super::analyzer::{Analyzer, Context};
use super::coerce::{common, conversion};
use super::operator::Need;
use super::parts::{Use, field_name, is_weekday, parts_of};
use super::scope::{mix, print_of};
use super::sources::Sources;
use super::value::{Form, Value};
use crate::diag::Code;
pub(super) use crate::googlesql::resolved::span_of;
use crate::googlesql::{SqlFault, Type};

/// How deep expressions may nest; the parser's own limit is lower.
const MAX_DEPTH: usize = 400;

impl<'q> Analyzer<'q, '_> {
    /// The type and origin of an expression.
    pub(super) fn expression(&mut self, expr: &'q Expr, context: &Context<'_, 'q>) -> Value<'q> {
        if self.depth >= MAX_DEPTH {
            return self.unknown(Span::empty(), "an expression that nests too deeply to check");
        }
        self.depth += 1;
        let mark = context.scope.recorder.mark();
        let value = self.form(expr, context);
        // GROUP BY is matched by columns, fields of columns, and whole items, as Google's analyzer does.
        if value.form == Form::Column {
            context.scope.recorder.cover(mark, value.print);
        }
        self.depth -= 1;
        value
    }

    fn form(&mut self, expr: &'q Expr, context: &Context<'_, 'q>) -> Value<'q> {
        match expr {
            Expr::Identifier(name) => self.path(std::slice::from_ref(name), context),
            Expr::CompoundIdentifier(parts) => self.path(parts, context),
            Expr::CompoundFieldAccess { root, access_chain } => self.access(root, access_chain, context),
            Expr::Value(literal) => self.literal(literal, None),
            Expr::TypedString(literal) => self.typed_literal(literal),
            Expr::Nested(inner) | Expr::Named { expr: inner, .. } | Expr::Collate { expr: inner, .. } => {
                self.expression(inner, context)
            }
            Expr::BinaryOp { .. } => self.binary(expr, context),
            Expr::UnaryOp { op, expr } => self.unary(*op, expr, context),
            Expr::IsTrue(inner) | Expr::IsFalse(inner) | Expr::IsNotTrue(inner) | Expr::IsNotFalse(inner) => {
                let value = self.expression(inner, context);
                self.boolean(&value, inner, "IS TRUE and IS FALSE");
                derived(Type::Bool, [&value], expr)
            }
            Expr::IsUnknown(inner) | Expr::IsNotUnknown(inner) => {
                let value = self.expression(inner, context);
                self.boolean(&value, inner, "IS UNKNOWN");
                derived(Type::Bool, [&value], expr)
            }
            Expr::IsNull(inner) | Expr::IsNotNull(inner) => {
                let value = self.expression(inner, context);
                derived(Type::Bool, [&value], expr)
            }
            Expr::IsDistinctFrom(left, right) | Expr::IsNotDistinctFrom(left, right) => {
                let (one, other) = (self.expression(left, context), self.expression(right, context));
                self.compare((&one, &other), (left, right), "IS DISTINCT FROM", Need::Equality);
                derived(Type::Bool, [&one, &other], expr)
            }
            Expr::InList { expr: needle, list, .. } => self.in_list(expr, needle, list, context),
            Expr::InSubquery { expr: needle, subquery, .. } => self.in_subquery(needle, subquery, context),
            Expr::InUnnest { expr: needle, array_expr, .. } => {
                self.in_unnest(expr, needle, array_expr, context)
            }
            Expr::Between { expr: value, low, high, .. } => {
                let values = [value, low, high].map(|part| self.expression(part, context));
                let [value_type, low_type, high_type] = &values;
                self.compare((value_type, low_type), (value, low), "BETWEEN", Need::Order);
                self.compare((value_type, high_type), (value, high), "BETWEEN", Need::Order);
                derived(Type::Bool, &values, expr)
            }
            Expr::Like { expr: text, pattern, any, .. } => self.like(expr, text, pattern, *any, context),
            Expr::Case { operand, conditions, else_result, .. } => {
                self.case(expr, operand.as_deref(), conditions, else_result.as_deref(), context)
            }
            Expr::Cast { kind, expr: inner, data_type, .. } => self.cast(kind, inner, data_type, context),
            Expr::Extract { field, expr: inner, .. } => self.extract(field, inner, context),
            Expr::AtTimeZone { timestamp, .. } => {
                let span = span_of(timestamp);
                self.expression(timestamp, context);
                let fault = SqlFault::new(Code::SqlInvalid, span, "AT TIME ZONE stands within EXTRACT only");
                self.fault(fault.help("write DATETIME(timestamp, zone), or DATE(timestamp, zone)"));
                Value::unknown()
            }
            Expr::Ceil { expr: inner, field } => self.rounding("CEIL", inner, field, context),
            Expr::Floor { expr: inner, field } => self.rounding("FLOOR", inner, field, context),
            Expr::Substring { expr: inner, substring_from, substring_for, .. } => {
                let arguments: Vec<&'q Expr> = std::iter::once(&**inner)
                    .chain(substring_from.as_deref())
                    .chain(substring_for.as_deref())
                    .collect();
                self.call_of("SUBSTR", &arguments, expr, context)
            }
            Expr::Trim { trim_what, expr: inner, trim_characters, .. } => {
                let arguments: Vec<&'q Expr> = std::iter::once(&**inner)
                    .chain(trim_what.as_deref())
                    .chain(trim_characters.iter().flatten())
                    .collect();
                self.call_of("TRIM", &arguments, expr, context)
            }
            Expr::Function(call) => self.call(call, context),
            Expr::Exists { subquery, .. } => {
                let output = self.query(subquery, Some(context.scope));
                let mut value = Value::of(Type::Bool);
                output.items.iter().for_each(|item| value.sources.add(&item.value.sources));
                value
            }
            Expr::Subquery(subquery) => self.scalar_subquery(subquery, context),
            Expr::Array(array) => {
                let elements: Vec<&'q Expr> = array.elem.iter().collect();
                self.array(&elements, None, expr, context)
            }
            Expr::Struct { values, fields } => self.structure(values, fields, context),
            Expr::Tuple(values) => self.structure(values, &[], context),
            Expr::Interval(interval) => self.interval(interval, context),
            Expr::Position { expr: part, r#in } => {
                let span = span_of(part).union(&span_of(r#in));
                let fault =
                    SqlFault::new(Code::SqlUnknownFunction, span, "GoogleSQL has no POSITION(part IN text)");
                self.fault(fault.help("write STRPOS(text, part)"));
                Value::of(Type::Int64)
            }
            Expr::ILike { expr: text, .. } => {
                let fault = SqlFault::new(Code::SqlInvalid, span_of(expr), "GoogleSQL has no ILIKE");
                self.expression(text, context);
                self.fault(fault.help("write LOWER(text) LIKE LOWER(pattern)"));
                Value::of(Type::Bool)
            }
            Expr::AnyOp { left, .. } | Expr::AllOp { left, .. } => {
                self.expression(left, context);
                let fault = SqlFault::new(
                    Code::SqlInvalid,
                    span_of(expr),
                    "GoogleSQL compares with ANY and ALL in LIKE only",
                );
                self.fault(fault.help("write IN (…), or compare with the MIN or MAX of a subquery"));
                Value::of(Type::Bool)
            }
            Expr::Wildcard(_) | Expr::QualifiedWildcard(..) => {
                self.wrong(Code::SqlInvalid, span_of(expr), "`*` is no value");
                Value::unknown()
            }
            other => self.unknown(span_of(other), "this form of expression is not checked"),
        }
    }

    fn in_list(
        &mut self,
        expr: &'q Expr,
        needle: &'q Expr,
        list: &'q [Expr],
        context: &Context<'_, 'q>,
    ) -> Value<'q> {
        let value = self.expression(needle, context);
        let mut values = vec![value];
        for item in list {
            let item_value = self.expression(item, context);
            if let Some(value) = values.first() {
                let value = value.clone();
                self.compare((&value, &item_value), (needle, item), "IN", Need::Equality);
            }
            values.push(item_value);
        }
        derived(Type::Bool, &values, expr)
    }

    fn in_subquery(&mut self, needle: &'q Expr, subquery: &'q Query, context: &Context<'_, 'q>) -> Value<'q> {
        let value = self.expression(needle, context);
        let output = self.query(subquery, Some(context.scope));
        let mut result = Value { sources: value.sources.clone(), ..Value::of(Type::Bool) };
        if let Some(found) = self.single(output, subquery, "IN") {
            result.sources.add(&found.sources);
            if let Some(data_type) = common([&value, &found].into_iter()) {
                self.need(&data_type, Need::Equality, "IN", span_of(needle));
                self.taken_as(&value, needle, &data_type);
                self.taken_column(subquery, &found, &data_type);
            } else {
                let message =
                    format!("IN cannot compare {} with the subquery's {}", value.shown(), found.shown());
                let help = super::operator::cast_advice(&value.data_type, &found.data_type);
                self.fault(SqlFault::new(Code::SqlTypeMismatch, span_of(needle), message).maybe_help(help));
            }
        }
        result
    }

    fn in_unnest(
        &mut self,
        expr: &'q Expr,
        needle: &'q Expr,
        array: &'q Expr,
        context: &Context<'_, 'q>,
    ) -> Value<'q> {
        let value = self.expression(needle, context);
        let elements = self.expression(array, context);
        match &elements.data_type {
            _ if elements.form == Form::Null
                || elements.is_unknown()
                || elements.form == Form::EmptyArray => {}
            Type::Array(element) => {
                let form = if elements.is_literal() { Form::Literal } else { Form::Computed };
                let element = Value { form, ..Value::of((**element).clone()) };
                self.compare((&value, &element), (needle, array), "IN UNNEST", Need::Equality);
                // It is the array that is converted, not what it holds.
                if let Some(common) = common([&value, &element].into_iter()) {
                    self.taken_as(&elements, array, &Type::Array(Box::new(common)));
                }
            }
            other => {
                let message = format!("UNNEST takes an array, and this is {other}");
                self.wrong(Code::SqlTypeMismatch, span_of(array), message);
            }
        }
        derived(Type::Bool, [&value, &elements], expr)
    }

    fn like(
        &mut self,
        expr: &'q Expr,
        text: &'q Expr,
        pattern: &'q Expr,
        any: bool,
        context: &Context<'_, 'q>,
    ) -> Value<'q> {
        let value = self.expression(text, context);
        let mut values = vec![value];
        let patterns: Vec<&'q Expr> = match pattern {
            Expr::Tuple(patterns) if any => patterns.iter().collect(),
            Expr::Function(_) if any => {
                self.unchecked(span_of(pattern), "the patterns of LIKE ANY are not checked");
                Vec::new()
            }
            // `LIKE ALL (…)` and `LIKE SOME (…)` are read as functions of these names.
            Expr::Function(call)
                if ["ALL", "SOME"].iter().any(|word| call.name.to_string().eq_ignore_ascii_case(word)) =>
            {
                arguments_of(call)
            }
            single => vec![single],
        };
        // Among several patterns a NULL may stand.
        let alone = matches!(patterns.as_slice(), [only] if std::ptr::eq(*only, pattern));
        if let Some(value) = values.first().cloned() {
            self.no_null(&value, text, "LIKE");
        }
        for pattern in patterns {
            let pattern_value = self.expression(pattern, context);
            if alone {
                self.no_null(&pattern_value, pattern, "LIKE");
            }
            if let Some(value) = values.first().cloned() {
                let fits = common([&value, &pattern_value].into_iter())
                    .is_some_and(|common| matches!(common, Type::String | Type::Bytes | Type::Unknown));
                if !(fits || value.form == Form::Null || pattern_value.form == Form::Null) {
                    let (given, other) = (value.shown(), pattern_value.shown());
                    let span = span_of(text).union(&span_of(pattern));
                    let message =
                        format!("LIKE takes two STRINGs or two BYTES, and these are {given} and {other}");
                    let fault = SqlFault::new(Code::SqlTypeMismatch, span, message);
                    self.fault(fault.help("CAST(value AS STRING) makes a text of it"));
                }
            }
            values.push(pattern_value);
        }
        derived(Type::Bool, &values, expr)
    }

    fn case(
        &mut self,
        expr: &'q Expr,
        operand: Option<&'q Expr>,
        conditions: &'q [sqlparser::ast::CaseWhen],
        otherwise: Option<&'q Expr>,
        context: &Context<'_, 'q>,
    ) -> Value<'q> {
        let subject = operand.map(|operand| (operand, self.expression(operand, context)));
        let mut results: Vec<(Value<'q>, &'q Expr)> = Vec::new();
        let mut sources = Sources::None;
        let mut print = print_of("CASE");
        if let Some((_, subject)) = &subject {
            sources.add(&subject.sources);
            print = join(print, subject.print);
        }
        for branch in conditions {
            let condition = self.expression(&branch.condition, context);
            match &subject {
                Some((place, subject)) => {
                    self.compare((subject, &condition), (place, &branch.condition), "CASE", Need::Equality);
                }
                None => self.boolean(&condition, &branch.condition, "WHEN"),
            }
            let result = self.expression(&branch.result, context);
            sources.add(&condition.sources);
            print = join(join(print, condition.print), result.print);
            results.push((result, &branch.result));
        }
        if let Some(otherwise) = otherwise {
            let result = self.expression(otherwise, context);
            print = join(print, result.print);
            results.push((result, otherwise));
        }
        for (result, _) in &results {
            sources.add(&result.sources);
        }
        let data_type = self.one_type(&results, expr, "the branches of CASE");
        Value::computed(data_type, sources, print)
    }

    /// The common type of values, or a fault at the first that does not go with those before it.
    pub(super) fn one_type(&mut self, values: &[(Value<'q>, &'q Expr)], whole: &'q Expr, what: &str) -> Type {
        let Some(data_type) = common(values.iter().map(|(value, _)| value)) else {
            let place = (1..=values.len())
                .find(|count| common(values.iter().take(*count).map(|(value, _)| value)).is_none())
                .and_then(|count| values.get(count - 1));
            let span = place.map_or_else(|| span_of(whole), |(_, place)| span_of(place));
            let mut shown: Vec<String> = Vec::new();
            for (value, _) in values {
                if !shown.contains(&value.shown()) {
                    shown.push(value.shown());
                }
            }
            let message = format!("{what} have no common type: {}", shown.join(", "));
            self.fault(SqlFault::new(Code::SqlTypeMismatch, span, message).help("CAST them to one type"));
            return Type::Unknown;
        };
        for (value, place) in values {
            self.check_text_literal(value, place, &data_type);
            self.taken_as(value, place, &data_type);
        }
        data_type
    }

    fn extract(&mut self, field: &'q DateTimeField, inner: &'q Expr, context: &Context<'_, 'q>) -> Value<'q> {
        let (source, zone) = match inner {
            Expr::AtTimeZone { timestamp, time_zone } => (&**timestamp, Some(&**time_zone)),
            other => (other, None),
        };
        let value = self.expression(source, context);
        let mut sources = value.sources.clone();
        let (name, weekday) = field_name(field);
        let mut print = join(value.print, print_of(&field.to_string().to_uppercase()));
        if let Some(zone) = zone {
            let zone_value = self.expression(zone, context);
            sources.add(&zone_value.sources);
            print = join(print, zone_value.print);
            if conversion(&zone_value, &Type::String).is_none() {
                let message = format!("a time zone is a text, and this is {}", zone_value.shown());
                self.wrong(Code::SqlTypeMismatch, span_of(zone), message);
            }
            if !value.is_unknown() && value.data_type != Type::Timestamp {
                let message = format!("AT TIME ZONE takes a TIMESTAMP, and this is {}", value.shown());
                self.wrong(Code::SqlTypeMismatch, span_of(source), message);
            }
        }
        let parts = parts_of(&value.data_type, Use::Extraction);
        if value.is_unknown() || value.form == Form::Null {
        } else if parts.is_empty() {
            let fault = SqlFault::new(
                Code::SqlTypeMismatch,
                span_of(source),
                format!("EXTRACT takes a date or a time, and this is {}", value.shown()),
            );
            let help = (value.data_type == Type::String)
                .then_some("CAST(text AS TIMESTAMP), or PARSE_DATE(format, text)");
            self.fault(fault.maybe_help(help.map(str::to_owned)));
        } else if !parts.contains(&name.as_str()) {
            let fault = SqlFault::new(
                Code::SqlTypeMismatch,
                span_of(source),
                format!("EXTRACT finds no {name} in a {}", value.data_type),
            );
            self.fault(fault.help(format!("its parts are {}", parts.join(", "))));
        }
        if let Some(weekday) = weekday.filter(|weekday| !is_weekday(weekday)) {
            self.wrong(Code::SqlInvalid, span_of(source), format!("{weekday} is no day of the week"));
        }
        let data_type = match name.as_str() {
            "DATE" => Type::Date,
            "TIME" => Type::Time,
            "DATETIME" => Type::Datetime,
            _ => Type::Int64,
        };
        Value::computed(data_type, sources, print)
    }

    fn rounding(
        &mut self,
        name: &'static str,
        inner: &'q Expr,
        field: &'q CeilFloorKind,
        context: &Context<'_, 'q>,
    ) -> Value<'q> {
        if !matches!(field, CeilFloorKind::DateTimeField(DateTimeField::NoDateTime)) {
            self.wrong(Code::SqlWrongArguments, span_of(inner), format!("{name} takes one argument"));
        }
        self.call_of(name, &[inner], inner, context)
    }
}

/// The arguments of a call that are plain expressions.
fn arguments_of(call: &Function) -> Vec<&Expr> {
    let FunctionArguments::List(list) = &call.args else { return Vec::new() };
    let plain = list.args.iter().filter_map(|argument| match argument {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Some(expr),
        _ => None,
    });
    plain.collect()
}

/// Joins identities; 0 (none) wins.
pub(super) fn join(left: u64, right: u64) -> u64 {
    if left == 0 || right == 0 { 0 } else { mix(left, right) }
}

/// A value computed from others by an operator whose written form tells it apart.
fn derived<'v, 'q: 'v>(
    data_type: Type,
    values: impl IntoIterator<Item = &'v Value<'q>>,
    expr: &Expr,
) -> Value<'q> {
    let mut sources = Sources::None;
    let mut print = print_of(operator_name(expr));
    for value in values {
        sources.add(&value.sources);
        print = join(print, value.print);
    }
    Value::computed(data_type, sources, print)
}

/// Tells the special operators apart.
fn operator_name(expr: &Expr) -> &'static str {
    match expr {
        Expr::IsTrue(_) => "IS TRUE",
        Expr::IsFalse(_) => "IS FALSE",
        Expr::IsNotTrue(_) => "IS NOT TRUE",
        Expr::IsNotFalse(_) => "IS NOT FALSE",
        Expr::IsUnknown(_) | Expr::IsNull(_) => "IS NULL",
        Expr::IsNotUnknown(_) | Expr::IsNotNull(_) => "IS NOT NULL",
        Expr::IsDistinctFrom(..) => "IS DISTINCT FROM",
        Expr::IsNotDistinctFrom(..) => "IS NOT DISTINCT FROM",
        Expr::InList { negated: true, .. } | Expr::InUnnest { negated: true, .. } => "NOT IN",
        Expr::InList { .. } | Expr::InUnnest { .. } => "IN",
        Expr::Between { negated: true, .. } => "NOT BETWEEN",
        Expr::Between { .. } => "BETWEEN",
        Expr::Like { negated: true, .. } => "NOT LIKE",
        _ => "LIKE",
    }
}
