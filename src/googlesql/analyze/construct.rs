//! What makes values: arrays, structs, intervals, ranges, and subqueries.

use sqlparser::ast::{BinaryOperator, Expr, Query, Spanned, StructField};
use sqlparser::tokenizer::Span;

use super::analyzer::{Analyzer, Context};
use super::coerce::conversion;
use super::expression::{join, span_of};
use super::parts::field_name;
use super::query::{Output, ValueTable};
use super::scope::print_of;
use super::sources::Sources;
use super::value::{Form, Value};
use crate::diag::Code;
use crate::googlesql::{Field, SqlFault, Type};

impl<'q> Analyzer<'q, '_> {
    /// `INTERVAL 3 DAY`.
    pub(super) fn interval(
        &mut self,
        interval: &'q sqlparser::ast::Interval,
        context: &Context<'_, 'q>,
    ) -> Value<'q> {
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
                self.taken_as(value, place, &element_type);
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

    /// `STRUCT(…)`, with or without types, and `(a, b)`.
    pub(super) fn structure(
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
                    self.taken_as(&value, inner, &data_type);
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
        output: Output<'q>,
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

    /// A subquery that stands for a value.
    pub(super) fn scalar_subquery(&mut self, subquery: &'q Query, context: &Context<'_, 'q>) -> Value<'q> {
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
