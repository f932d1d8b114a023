//! Operators: comparison, arithmetic, logic, concatenation, and the special forms around them.

use sqlparser::ast::{BinaryOperator, Expr, UnaryOperator};
use sqlparser::tokenizer::Span;

use super::analyzer::{Analyzer, Context};
use super::coerce::{Verdict, common, comparable, conversion, orderable};
use super::expression::span_of;
use super::scope::{mix, print_of};
use super::value::{Form, Value};
use crate::diag::Code;
use crate::googlesql::{SqlFault, Type};

/// What a comparison needs of its operands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Need {
    Equality,
    Order,
}

impl<'q> Analyzer<'q, '_> {
    /// Beyond this many operators in a row nothing is said: places of faults are found by recursion.
    const LONGEST_CHAIN: usize = 2_000;

    /// A chain of operators, `a + b + c`, without recursion along its left side.
    pub(super) fn binary(&mut self, expr: &'q Expr, context: &Context<'_, 'q>) -> Value<'q> {
        let mut chain = Vec::new();
        let mut first = expr;
        while let Expr::BinaryOp { left, op, right } = first {
            if *op == BinaryOperator::Arrow {
                // `element -> condition`: the name before the arrow is no column.
                return self.unknown(span_of(left), "lambda expressions are not checked");
            }
            if let Some(value) = self.typed_constructor(left, op, right, context) {
                return self.fold(value, chain, context);
            }
            chain.push((&**left, op, &**right));
            first = left;
        }
        if chain.len() > Self::LONGEST_CHAIN {
            return self.unknown(Span::empty(), "a chain of operators that is too long to check");
        }
        let value = self.expression(first, context);
        self.fold(value, chain, context)
    }

    fn fold(
        &mut self,
        first: Value<'q>,
        chain: Vec<(&'q Expr, &'q BinaryOperator, &'q Expr)>,
        context: &Context<'_, 'q>,
    ) -> Value<'q> {
        let mut result = first;
        for (left, op, right) in chain.into_iter().rev() {
            let value = self.expression(right, context);
            result = self.operate((result, left), op, (value, right));
        }
        result
    }

    /// One operator.
    fn operate(
        &mut self,
        (left, left_place): (Value<'q>, &'q Expr),
        op: &BinaryOperator,
        (right, right_place): (Value<'q>, &'q Expr),
    ) -> Value<'q> {
        use BinaryOperator as Op;
        let places = (left_place, right_place);
        if !matches!(op, Op::And | Op::Or) {
            self.no_null(&left, left_place, &op.to_string());
            self.no_null(&right, right_place, &op.to_string());
        }
        let data_type = match op {
            Op::And | Op::Or => {
                self.boolean(&left, left_place, &op.to_string());
                self.boolean(&right, right_place, &op.to_string());
                Type::Bool
            }
            Op::Eq | Op::NotEq => self.compare((&left, &right), places, &op.to_string(), Need::Equality),
            Op::Lt | Op::LtEq | Op::Gt | Op::GtEq => {
                self.compare((&left, &right), places, &op.to_string(), Need::Order)
            }
            Op::Plus | Op::Minus | Op::Multiply | Op::Divide => match arithmetic(op, &left, &right) {
                Some(Type::Date) => {
                    self.check_text_literal(&left, left_place, &Type::Date);
                    self.check_text_literal(&right, right_place, &Type::Date);
                    Type::Date
                }
                Some(data_type) => {
                    if data_type == Type::BigNumeric {
                        self.resolved.add_big(left_place);
                        self.resolved.add_big(right_place);
                    }
                    self.taken_as(&left, left_place, &data_type);
                    self.taken_as(&right, right_place, &data_type);
                    data_type
                }
                None => self.no_operator(op, (&left, &right), places, None),
            },
            Op::StringConcat => self.concatenate((&left, &right), places),
            Op::BitwiseAnd
            | Op::BitwiseOr
            | Op::BitwiseXor
            | Op::PGBitwiseShiftLeft
            | Op::PGBitwiseShiftRight => match bits(&left, &right) {
                Some(data_type) => data_type,
                None => self.no_operator(op, (&left, &right), places, None),
            },
            Op::Modulo => self.no_operator(op, (&left, &right), places, Some("write MOD(a, b)")),
            Op::Spaceship | Op::DuckIntegerDivide | Op::MyIntegerDivide => {
                self.no_operator(op, (&left, &right), places, Some("write DIV(a, b)"))
            }
            _ => self.no_operator(op, (&left, &right), places, None),
        };
        let mut sources = left.sources;
        sources.add(&right.sources);
        let print = if left.print == 0 || right.print == 0 {
            0
        } else {
            mix(mix(left.print, right.print), print_of(&op.to_string()))
        };
        Value::computed(data_type, sources, print)
    }

    /// NULL as it is written has no place beside an operator.
    pub(super) fn no_null(&mut self, value: &Value<'q>, place: &'q Expr, op: &str) {
        let is_written = matches!(place, Expr::Value(_) | Expr::Nested(_));
        if value.form == Form::Null && is_written {
            let fault = SqlFault::new(Code::SqlInvalid, span_of(place), format!("`{op}` does not take NULL"));
            let help = match op {
                "=" => Some("write IS NULL"),
                "<>" | "!=" => Some("write IS NOT NULL"),
                _ => Some("the result would always be NULL; a typed NULL is CAST(NULL AS INT64)"),
            };
            self.fault(fault.maybe_help(help.map(str::to_owned)));
        }
    }

    fn no_operator(
        &mut self,
        op: &BinaryOperator,
        (left, right): (&Value<'q>, &Value<'q>),
        (left_place, right_place): (&'q Expr, &'q Expr),
        help: Option<&str>,
    ) -> Type {
        let span = span_of(left_place).union(&span_of(right_place));
        let message = format!("there is no operator `{op}` between {} and {}", left.shown(), right.shown());
        let help = help.map(str::to_owned).or_else(|| advice(op, &left.data_type, &right.data_type));
        self.fault(SqlFault::new(Code::SqlTypeMismatch, span, message).maybe_help(help));
        Type::Unknown
    }

    /// A comparison: the operands need a common type that can be compared.
    pub(super) fn compare(
        &mut self,
        (left, right): (&Value<'q>, &Value<'q>),
        (left_place, right_place): (&'q Expr, &'q Expr),
        op: &str,
        need: Need,
    ) -> Type {
        let Some(data_type) = common([left, right].into_iter()) else {
            let span = span_of(left_place).union(&span_of(right_place));
            let message = format!("`{op}` cannot compare {} with {}", left.shown(), right.shown());
            let help = cast_advice(&left.data_type, &right.data_type);
            self.fault(SqlFault::new(Code::SqlTypeMismatch, span, message).maybe_help(help));
            return Type::Bool;
        };
        self.check_text_literal(left, left_place, &data_type);
        self.check_text_literal(right, right_place, &data_type);
        self.taken_as(left, left_place, &data_type);
        self.taken_as(right, right_place, &data_type);
        let span = span_of(left_place);
        self.need(&data_type, need, op, span);
        Type::Bool
    }

    /// Checks that a type can be compared.
    pub(super) fn need(&mut self, data_type: &Type, need: Need, op: &str, span: Span) {
        let verdict = match need {
            Need::Equality => comparable(data_type),
            Need::Order => orderable(data_type),
        };
        match verdict {
            Verdict::No => {
                self.wrong(
                    Code::SqlTypeMismatch,
                    span,
                    format!("values of type {data_type} cannot be compared with `{op}`"),
                );
            }
            Verdict::Unsure if *data_type != Type::Unknown => {
                self.unchecked(span, format!("whether `{op}` takes {data_type} is not checked"));
            }
            _ => {}
        }
    }

    /// Where a text literal is taken for a date or a time, it must be one.
    pub(super) fn check_text_literal(&mut self, value: &Value<'q>, place: &'q Expr, data_type: &Type) {
        if let Form::Text(text) = value.form {
            self.check_text(text, data_type, span_of(place));
            if matches!(data_type, Type::Date | Type::Datetime | Type::Time | Type::Timestamp) {
                self.resolved.add_conversion(place, &Type::String, data_type);
            }
        }
    }

    /// Checks that a value is a BOOL.
    pub(super) fn boolean(&mut self, value: &Value<'q>, place: &'q Expr, user: &str) {
        if conversion(value, &Type::Bool).is_none() {
            let message = format!("{user} takes a condition (BOOL), and this is {}", value.shown());
            self.fault(
                SqlFault::new(Code::SqlTypeMismatch, span_of(place), message)
                    .help("write a comparison, such as … > 0, … = 'text' or … IS NOT NULL"),
            );
        }
    }

    fn concatenate(&mut self, (left, right): (&Value<'q>, &Value<'q>), places: (&'q Expr, &'q Expr)) -> Type {
        if left.is_unknown() || right.is_unknown() {
            return match (&left.data_type, &right.data_type) {
                (Type::String, _) | (_, Type::String) => Type::String,
                (Type::Bytes, _) | (_, Type::Bytes) => Type::Bytes,
                _ => Type::Unknown,
            };
        }
        let textual = |value: &Value<'q>| {
            !matches!(
                value.data_type,
                Type::Array(_) | Type::Struct(_) | Type::Json | Type::Geography | Type::Bytes
            ) || value.form == Form::Null
        };
        match common([left, right].into_iter()) {
            Some(data_type @ (Type::Array(_) | Type::Bytes | Type::String)) => data_type,
            _ if textual(left) && textual(right) => {
                self.taken_as(left, places.0, &Type::String);
                self.taken_as(right, places.1, &Type::String);
                Type::String
            }
            _ => self.no_operator(&BinaryOperator::StringConcat, (left, right), places, None),
        }
    }

    /// `NOT`, `-`, `+`, `~`.
    pub(super) fn unary(
        &mut self,
        op: UnaryOperator,
        operand: &'q Expr,
        context: &Context<'_, 'q>,
    ) -> Value<'q> {
        if let (UnaryOperator::Minus | UnaryOperator::Plus, Expr::Value(literal)) = (op, operand) {
            let value = self.literal(literal, Some(op));
            if value.data_type.is_numeric() {
                let print = if op == UnaryOperator::Minus { mix(value.print, 0x2D) } else { value.print };
                return Value { print, ..value };
            }
        }
        let value = self.expression(operand, context);
        self.no_null(&value, operand, &op.to_string());
        let data_type = match op {
            UnaryOperator::Not => {
                self.boolean(&value, operand, "NOT");
                Type::Bool
            }
            _ if value.is_unknown() => Type::Unknown,
            UnaryOperator::Plus if value.data_type.is_numeric() => value.data_type.clone(),
            UnaryOperator::Minus if value.data_type == Type::BigNumeric => {
                self.resolved.add_big(operand);
                Type::BigNumeric
            }
            UnaryOperator::Minus if value.data_type.is_numeric() || value.data_type == Type::Interval => {
                value.data_type.clone()
            }
            UnaryOperator::BitwiseNot if matches!(value.data_type, Type::Int64 | Type::Bytes) => {
                value.data_type.clone()
            }
            _ => {
                self.wrong(
                    Code::SqlTypeMismatch,
                    span_of(operand),
                    format!("there is no operator `{op}` for {}", value.shown()),
                );
                Type::Unknown
            }
        };
        let print = if value.print == 0 { 0 } else { mix(value.print, print_of(&op.to_string())) };
        Value::computed(data_type, value.sources, print)
    }
}

impl Value<'_> {
    /// The type as messages name it.
    pub(super) fn shown(&self) -> String {
        match self.form {
            Form::Null => "NULL".to_owned(),
            Form::EmptyArray => "[]".to_owned(),
            _ => self.data_type.to_string(),
        }
    }
}

/// The result of `+ - * /`, `None` when there is none.
fn arithmetic(op: &BinaryOperator, left: &Value<'_>, right: &Value<'_>) -> Option<Type> {
    use BinaryOperator::{Divide, Minus, Multiply, Plus};
    use Type::{BigNumeric, Date, Datetime, Float64, Int64, Interval, Numeric, Time, Timestamp, Unknown};
    if left.form == Form::Null || right.form == Form::Null {
        let other = if left.form == Form::Null { right } else { left };
        return Some(match (op, &other.data_type) {
            (Divide, Int64) => Float64,
            (_, data_type) if data_type.is_numeric() => data_type.clone(),
            _ => Unknown,
        });
    }
    let is_number = |data_type: &Type| data_type.is_numeric();
    Some(match (op, &left.data_type, &right.data_type) {
        (Divide, Int64, Int64)
        | (Divide | Multiply, Unknown, Float64)
        | (Divide | Multiply, Float64, Unknown) => Float64,
        (_, Unknown, _) | (_, _, Unknown) => Unknown,
        (_, one, other) if is_number(one) && is_number(other) => {
            // A FLOAT64 literal gives way to a decimal column.
            match common([left, right].into_iter()) {
                Some(data_type @ (Int64 | Float64 | Numeric | BigNumeric)) => data_type,
                _ => return None,
            }
        }
        (Plus | Minus, Date, Int64) | (Plus, Int64, Date) => Date,
        (Minus, Date | Datetime, Date | Datetime)
        | (Minus, Timestamp, Timestamp)
        | (Minus, Time, Time)
        | (Plus | Minus, Interval, Interval)
        | (Multiply | Divide, Interval, Int64)
        | (Multiply, Int64, Interval) => Interval,
        (Plus | Minus, Date | Datetime, Interval) | (Plus, Interval, Date | Datetime) => Datetime,
        (Plus | Minus, Timestamp, Interval) | (Plus, Interval, Timestamp) => Timestamp,
        // A text literal beside a date, a timestamp or an interval stands for a date or a time.
        (Minus, Date | Datetime | Timestamp | Time, Type::String) if right.is_literal() => Interval,
        (Plus | Minus, Type::String, Interval) if left.is_literal() => Datetime,
        (Plus | Minus, Type::String, Int64) if left.is_literal() => Date,
        (Plus, Int64, Type::String) if right.is_literal() => Date,
        (Minus, Type::String, Date | Datetime | Timestamp | Time) if left.is_literal() => Interval,
        _ => return None,
    })
}

/// The result of `& | ^`.
fn bits(left: &Value<'_>, right: &Value<'_>) -> Option<Type> {
    match common([left, right].into_iter()) {
        Some(data_type @ (Type::Int64 | Type::Bytes | Type::Unknown)) => Some(data_type),
        _ if left.data_type == Type::Bytes && right.data_type == Type::Int64 => Some(Type::Bytes),
        _ => None,
    }
}

/// How to mend operands that do not go together.
fn advice(op: &BinaryOperator, left: &Type, right: &Type) -> Option<String> {
    match (op, left, right) {
        (BinaryOperator::Plus, Type::String, Type::String) => Some("texts are joined with `||`".to_owned()),
        (BinaryOperator::Plus | BinaryOperator::Minus, Type::Timestamp | Type::Datetime, Type::Int64) => {
            Some(format!("write {left}_ADD(value, INTERVAL number DAY), or add an INTERVAL"))
        }
        _ => cast_advice(left, right),
    }
}

/// The cast that would make two types comparable.
pub(super) fn cast_advice(left: &Type, right: &Type) -> Option<String> {
    match (left, right) {
        (Type::String, other) | (other, Type::String)
            if !matches!(
                other,
                Type::Array(_) | Type::Struct(_) | Type::Json | Type::Geography | Type::Unknown
            ) =>
        {
            Some(format!(
                "make them one type: CAST(… AS {other}), or SAFE_CAST to get NULL for what is no {other}"
            ))
        }
        (Type::Timestamp, Type::Date | Type::Datetime) | (Type::Date | Type::Datetime, Type::Timestamp) => {
            let other = if *left == Type::Timestamp { right } else { left };
            Some(format!("make them one type: {other}(timestamp), or TIMESTAMP(value)"))
        }
        _ => None,
    }
}
