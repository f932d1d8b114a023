//! Expressions: one function for each form that the parser has.

use sqlparser::ast::{
    ArrayElemTypeDef, BinaryOperator, CastKind, CeilFloorKind, DataType, DateTimeField, Expr, Query, Spanned,
    StructField,
};
use sqlparser::tokenizer::Span;

use super::analyzer::{Analyzer, Context};
use super::coerce::{castable, common, conversion};
use super::operator::Need;
use super::parts::{Use, field_name, is_weekday, parts_of};
use super::query::ValueTable;
use super::scope::{mix, print_of};
use super::sources::Sources;
use super::value::{Form, Value};
use crate::diag::{Code, did_you_mean};
use crate::googlesql::{Field, SqlFault, Type};

/// How deep expressions may nest; the parser's own limit is lower.
const MAX_DEPTH: usize = 400;

/// The place of an expression, also of those that the parser gives none.
pub(super) fn span_of(expr: &Expr) -> Span {
    match expr {
        Expr::Struct { values, .. } => {
            values.iter().fold(Span::empty(), |span, value| span.union(&span_of(value)))
        }
        Expr::Named { expr, name } => span_of(expr).union(&name.span),
        _ => expr.span(),
    }
}

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
            Expr::Nested(inner) => self.expression(inner, context),
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
            Expr::Named { expr: inner, .. } => self.expression(inner, context),
            Expr::Collate { expr: inner, .. } => self.expression(inner, context),
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
            match common([&value, &found].into_iter()) {
                Some(data_type) => self.need(&data_type, Need::Equality, "IN", span_of(needle)),
                None => {
                    let message =
                        format!("IN cannot compare {} with the subquery's {}", value.shown(), found.shown());
                    let help = super::operator::cast_advice(&value.data_type, &found.data_type);
                    self.fault(
                        SqlFault::new(Code::SqlTypeMismatch, span_of(needle), message).maybe_help(help),
                    );
                }
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
            // `LIKE ALL (…)` is read as a function of that name.
            Expr::Function(call) if call.name.to_string().eq_ignore_ascii_case("ALL") => Vec::new(),
            single => vec![single],
        };
        if let Some(value) = values.first().cloned() {
            self.no_null(&value, text, "LIKE");
        }
        for pattern in patterns {
            let pattern_value = self.expression(pattern, context);
            self.no_null(&pattern_value, pattern, "LIKE");
            if let Some(value) = values.first().cloned() {
                let fits = common([&value, &pattern_value].into_iter())
                    .is_some_and(|common| matches!(common, Type::String | Type::Bytes | Type::Unknown));
                if !fits && !(value.form == Form::Null || pattern_value.form == Form::Null) {
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
    fn one_type(&mut self, values: &[(Value<'q>, &'q Expr)], whole: &'q Expr, what: &str) -> Type {
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
        }
        data_type
    }

    fn cast(
        &mut self,
        kind: &CastKind,
        inner: &'q Expr,
        data_type: &'q DataType,
        context: &Context<'_, 'q>,
    ) -> Value<'q> {
        let value = self.expression(inner, context);
        let span = span_of(inner);
        if *kind == CastKind::DoubleColon || *kind == CastKind::TryCast {
            let (message, help) = if *kind == CastKind::TryCast {
                ("GoogleSQL has no TRY_CAST", "write SAFE_CAST(value AS type)")
            } else {
                ("GoogleSQL has no `::`", "write CAST(value AS type)")
            };
            self.fault(SqlFault::new(Code::SqlInvalid, span, message).help(help));
        }
        let Some(target) = self.written_type(data_type, span) else { return Value::unknown() };
        if !castable(&value.data_type, &target) && !matches!(value.form, Form::Null | Form::EmptyArray) {
            let fault = SqlFault::new(
                Code::SqlTypeMismatch,
                span,
                format!("there is no CAST from {} to {target}", value.shown()),
            );
            let help = match (&value.data_type, &target) {
                (Type::Json, Type::String) => {
                    Some("TO_JSON_STRING(json), or JSON_VALUE(json, path) for one value")
                }
                (Type::String, Type::Json) => Some("PARSE_JSON(text)"),
                (Type::Int64, Type::Timestamp) => Some("TIMESTAMP_SECONDS(number), or _MILLIS, or _MICROS"),
                (Type::Int64, Type::Date) => {
                    Some("PARSE_DATE('%Y%m%d', CAST(number AS STRING)), or DATE_FROM_UNIX_DATE(number)")
                }
                (Type::Timestamp, Type::Int64) => Some("UNIX_SECONDS(timestamp)"),
                (Type::Date, Type::Int64) => {
                    Some("UNIX_DATE(day), or CAST(FORMAT_DATE('%Y%m%d', day) AS INT64)")
                }
                (Type::Float64 | Type::Numeric | Type::BigNumeric, Type::Bool) => {
                    Some("compare with zero: value <> 0")
                }
                (Type::Array(_), Type::String) => {
                    Some("ARRAY_TO_STRING(array, ', '), or TO_JSON_STRING(array)")
                }
                (_, Type::String) => Some("TO_JSON_STRING(value)"),
                _ => None,
            };
            self.fault(fault.maybe_help(help.map(str::to_owned)));
        }
        let safe = if *kind == CastKind::SafeCast { "SAFE_CAST" } else { "CAST" };
        let print = join(value.print, mix(print_of(&target.to_string()), print_of(safe)));
        Value::computed(target, value.sources, print)
    }

    /// A type as a query writes it; a fault for those of other databases.
    pub(super) fn written_type(&mut self, data_type: &DataType, span: Span) -> Option<Type> {
        let text = data_type.to_string();
        if let Some(known) = Type::parse(&text) {
            return Some(known);
        }
        if let DataType::Array(ArrayElemTypeDef::SquareBracket(..) | ArrayElemTypeDef::Parenthesis(_)) =
            data_type
        {
            self.wrong(Code::SqlInvalid, span, format!("GoogleSQL has no type {text}: write ARRAY<type>"));
            return None;
        }
        let name = text.split(['(', '<', ' ']).next().unwrap_or_default().to_uppercase();
        let ours = match name.as_str() {
            "VARCHAR" | "TEXT" | "CHAR" | "CHARACTER" | "NVARCHAR" => Some("STRING"),
            "DOUBLE" | "REAL" | "FLOAT8" | "FLOAT4" | "FLOAT32" => Some("FLOAT64"),
            "INT4" | "INT8" | "INT2" | "INT32" | "UINT64" | "HUGEINT" | "MEDIUMINT" => Some("INT64"),
            "DEC" => Some("NUMERIC"),
            "BLOB" | "BINARY" | "VARBINARY" | "BYTEA" => Some("BYTES"),
            "TIMESTAMPTZ" => Some("TIMESTAMP"),
            "TIMESTAMP_NTZ" => Some("DATETIME"),
            "JSONB" => Some("JSON"),
            _ => None,
        };
        let help = match ours {
            Some(ours) => Some(format!("write {ours}")),
            None => did_you_mean(
                &name,
                [
                    "INT64",
                    "FLOAT64",
                    "NUMERIC",
                    "BIGNUMERIC",
                    "STRING",
                    "BYTES",
                    "BOOL",
                    "DATE",
                    "DATETIME",
                    "TIME",
                    "TIMESTAMP",
                    "INTERVAL",
                    "JSON",
                    "GEOGRAPHY",
                ],
            ),
        };
        let fault = SqlFault::new(Code::SqlInvalid, span, format!("GoogleSQL has no type {text}"));
        self.fault(fault.maybe_help(help));
        None
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
                .then(|| "CAST(text AS TIMESTAMP), or PARSE_DATE(format, text)");
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

    fn interval(&mut self, interval: &'q sqlparser::ast::Interval, context: &Context<'_, 'q>) -> Value<'q> {
        let value = self.expression(&interval.value, context);
        let text = matches!(value.form, Form::Text(_));
        if !text && conversion(&value, &Type::Int64).is_none() {
            let message = format!("INTERVAL takes a whole number (INT64), and this is {}", value.shown());
            let help = "CAST(value AS INT64), or MAKE_INTERVAL(…) for parts of it";
            self.fault(SqlFault::new(Code::SqlTypeMismatch, span_of(&interval.value), message).help(help));
        }
        let unit = interval.leading_field.as_ref().map(|field| field_name(field).0).unwrap_or_default();
        let print = join(value.print, print_of(&unit));
        Value::computed(Type::Interval, value.sources, print)
    }

    /// An array constructor, with or without element type.
    pub(super) fn array(
        &mut self,
        elements: &[&'q Expr],
        element_type: Option<Type>,
        whole: &'q Expr,
        context: &Context<'_, 'q>,
    ) -> Value<'q> {
        let mut values = Vec::with_capacity(elements.len());
        let mut sources = Sources::None;
        let mut print = print_of("ARRAY");
        for element in elements {
            let value = self.expression(element, context);
            sources.add(&value.sources);
            print = join(print, value.print);
            values.push((value, *element));
        }
        if let Some(element_type) = element_type {
            for (value, place) in &values {
                if conversion(value, &element_type).is_none() {
                    let message = format!("the array holds {element_type}, and this is {}", value.shown());
                    self.wrong(Code::SqlTypeMismatch, span_of(place), message);
                }
                self.check_text_literal(value, place, &element_type);
            }
            return Value::computed(Type::Array(Box::new(element_type)), sources, print);
        }
        let data_type = self.one_type(&values, whole, "the elements of the array");
        if let Type::Array(_) = data_type {
            let fault = SqlFault::new(Code::SqlInvalid, span_of(whole), "an array cannot hold arrays");
            self.fault(fault.help("wrap the inner arrays: [STRUCT([1, 2] AS items), …]"));
        }
        let form = if values.is_empty() {
            Form::EmptyArray
        } else if values.iter().all(|(value, _)| value.is_literal()) {
            Form::Literal
        } else {
            Form::Computed
        };
        Value { form, ..Value::computed(Type::Array(Box::new(data_type)), sources, print) }
    }

    fn structure(
        &mut self,
        values: &'q [Expr],
        types: &'q [StructField],
        context: &Context<'_, 'q>,
    ) -> Value<'q> {
        let mut sources = Sources::None;
        let mut print = print_of("STRUCT");
        let mut fields = Vec::with_capacity(values.len());
        let mut literal = !values.is_empty();
        let mut parts = Vec::with_capacity(values.len());
        if !types.is_empty() && types.len() != values.len() {
            let span = values.iter().fold(Span::empty(), |span, value| span.union(&span_of(value)));
            let message =
                format!("the STRUCT has {} fields, and here are {} values", types.len(), values.len());
            self.wrong(Code::SqlWrongArguments, span, message);
        }
        for (position, item) in values.iter().enumerate() {
            let (inner, name) = match item {
                Expr::Named { expr, name } => (&**expr, Some(name.value.clone())),
                Expr::Identifier(name) if !name.value.starts_with('@') => (item, Some(name.value.clone())),
                Expr::CompoundIdentifier(parts) => (item, parts.last().map(|part| part.value.clone())),
                Expr::CompoundFieldAccess { access_chain, .. } => {
                    (item, super::access::last_field(access_chain))
                }
                other => (other, None),
            };
            let value = self.expression(inner, context);
            sources.add(&value.sources);
            print = join(print, value.print);
            literal &= value.is_literal();
            let field = match types.get(position) {
                Some(declared) => {
                    let data_type =
                        self.written_type(&declared.field_type, span_of(inner)).unwrap_or(Type::Unknown);
                    if conversion(&value, &data_type).is_none() {
                        let message = format!("the field is a {data_type}, and this is {}", value.shown());
                        self.wrong(Code::SqlTypeMismatch, span_of(inner), message);
                    }
                    Field { name: declared.field_name.as_ref().map(|name| name.value.clone()), data_type }
                }
                None => Field {
                    name: if matches!(item, Expr::Named { .. }) || types.is_empty() { name } else { None },
                    data_type: value.data_type.clone(),
                },
            };
            fields.push(field);
            parts.push(value);
        }
        let form = if literal && types.is_empty() { Form::Literal } else { Form::Computed };
        Value {
            form,
            parts: types.is_empty().then(|| parts.into()),
            ..Value::computed(Type::Struct(fields), sources, print)
        }
    }

    /// `ARRAY<INT64>[1, 2]` and `RANGE<DATE> '[…)'`, which the parser takes for comparisons.
    pub(super) fn typed_constructor(
        &mut self,
        left: &'q Expr,
        op: &BinaryOperator,
        right: &'q Expr,
        context: &Context<'_, 'q>,
    ) -> Option<Value<'q>> {
        if *op != BinaryOperator::Gt {
            return None;
        }
        let Expr::BinaryOp { left: keyword, op: BinaryOperator::Lt, right: element } = left else {
            return None;
        };
        let Expr::Identifier(keyword) = &**keyword else { return None };
        let word = keyword.value.to_uppercase();
        if keyword.quote_style.is_some() || (word != "ARRAY" && word != "RANGE") {
            return None;
        }
        let Some(element_type) = Type::parse(&element.to_string()) else {
            return Some(self.unknown(keyword.span, "the type of this constructor is not known"));
        };
        match right {
            Expr::Array(array) if word == "ARRAY" => {
                let elements: Vec<&'q Expr> = array.elem.iter().collect();
                Some(self.array(&elements, Some(element_type), right, context))
            }
            Expr::CompoundFieldAccess { root, access_chain } if word == "ARRAY" => {
                let Expr::Array(array) = &**root else { return None };
                let elements: Vec<&'q Expr> = array.elem.iter().collect();
                let value = self.array(&elements, Some(element_type), root, context);
                Some(self.follow(value, access_chain, root, context))
            }
            Expr::Value(_) if word == "RANGE" => Some(Value::of(Type::Range(Box::new(element_type)))),
            other => {
                self.expression(other, context);
                Some(self.unknown(keyword.span, "what follows this constructor is not checked"))
            }
        }
    }

    /// The one column of a subquery that stands for a value.
    pub(super) fn single(
        &mut self,
        output: super::query::Output<'q>,
        subquery: &'q Query,
        user: &str,
    ) -> Option<Value<'q>> {
        if let ValueTable::Struct(data_type) = output.value_table {
            let mut value = Value::of(data_type);
            output.items.iter().for_each(|item| value.sources.add(&item.value.sources));
            return Some(value);
        }
        if output.open {
            return Some(Value::unknown());
        }
        let count = output.items.len();
        if count == 1 {
            return output.items.into_iter().next().map(|item| Value { print: 0, ..item.value });
        }
        let fault = SqlFault::new(
            Code::SqlInvalid,
            subquery.span(),
            format!("a subquery of {user} gives one column, and this one gives {count}"),
        );
        self.fault(fault.help("SELECT AS STRUCT makes one value of several columns"));
        None
    }

    fn scalar_subquery(&mut self, subquery: &'q Query, context: &Context<'_, 'q>) -> Value<'q> {
        let output = self.query(subquery, Some(context.scope));
        match self.single(output, subquery, "this kind") {
            Some(value) => Value { form: Form::Computed, ..value },
            None => Value::unknown(),
        }
    }

    /// `ARRAY(SELECT …)`.
    pub(super) fn array_subquery(&mut self, subquery: &'q Query, context: &Context<'_, 'q>) -> Value<'q> {
        let output = self.query(subquery, Some(context.scope));
        let Some(value) = self.single(output, subquery, "ARRAY(…)") else { return Value::unknown() };
        if let Type::Array(_) = value.data_type {
            let fault = SqlFault::new(Code::SqlInvalid, subquery.span(), "an array cannot hold arrays");
            self.fault(fault.help("SELECT AS STRUCT wraps the inner array"));
        }
        let data_type = Type::Array(Box::new(value.data_type));
        Value::computed(data_type, value.sources, 0)
    }
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
