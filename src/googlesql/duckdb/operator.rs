//! Operators, and macros applied to arguments.

use std::ops::ControlFlow;

use sqlparser::ast::{BinaryOperator, Expr, Spanned, UnaryOperator, Value, visit_expressions};

use super::aggregates::is_aggregate;
use super::expression::{fields_of, is_struct};
use super::literal::{
    double, float_literal, int_literal, looks_temporal, plain_number, quote, string_literal,
};
use super::{RUNTIME_SCHEMA, Translator};

/// An argument of a macro.
#[derive(Debug, Clone)]
pub(super) struct Argument {
    /// Its translation.
    pub(super) sql: String,
    /// Whether DuckDB cannot see its type while it chooses between a macro's overloads.
    pub(super) opaque: bool,
    /// Whether it must stay a constant of the call.
    pub(super) constant: bool,
}

impl Argument {
    /// A constant that the translation itself writes.
    pub(super) fn constant(sql: impl Into<String>) -> Self {
        Self { sql: sql.into(), opaque: false, constant: true }
    }
}

/// Macros with overloads that types choose between. A test compares this with the runtime's own text.
pub(crate) const OVERLOADED: &[&str] = &[
    "abs",
    "add",
    "add_interval",
    "add_literal",
    "array_to_string",
    "as_bignumeric",
    "as_bool",
    "as_bytes",
    "as_date",
    "as_datetime",
    "as_float64",
    "as_int64",
    "as_interval",
    "as_numeric",
    "as_string",
    "as_time",
    "as_timestamp",
    "bit_and",
    "bit_count",
    "bit_not",
    "bit_or",
    "bit_xor",
    "byte_length",
    "ceil",
    "clock",
    "difference",
    "div",
    "divide",
    "divide_by_literal",
    "divide_literal_by",
    "edit_distance",
    "ends_with",
    "exp",
    "floor",
    "format_fixed",
    "format_literal",
    "format_plain",
    "generate_array",
    "generate_range_array",
    "hll_value",
    "instr",
    "json_query",
    "json_query_array",
    "left",
    "length",
    "literal_like",
    "ln",
    "log10",
    "lower",
    "lpad",
    "ltrim",
    "md5",
    "minus_interval",
    "mod",
    "multiply",
    "multiply_literal",
    "number_parts",
    "plus_interval",
    "pow",
    "range_contains",
    "replace",
    "reverse",
    "right",
    "round",
    "round_by",
    "round_half_even",
    "rpad",
    "rtrim",
    "safe_add",
    "safe_as_bignumeric",
    "safe_as_bool",
    "safe_as_bytes",
    "safe_as_date",
    "safe_as_datetime",
    "safe_as_float64",
    "safe_as_int64",
    "safe_as_interval",
    "safe_as_numeric",
    "safe_as_string",
    "safe_as_time",
    "safe_as_timestamp",
    "safe_divide",
    "safe_divide_by_literal",
    "safe_divide_literal_by",
    "safe_multiply",
    "safe_negate",
    "safe_subtract",
    "sha1",
    "sha256",
    "sha512",
    "sign",
    "split",
    "sqrt",
    "starts_with",
    "stretch",
    "strpos",
    "substr",
    "subtract",
    "subtract_from_literal",
    "subtract_interval",
    "subtract_literal",
    "text_like",
    "to_code_points",
    "translate",
    "trim",
    "trunc",
    "trunc_by",
    "truncate",
    "truncate_week",
    "upper",
    "week_difference",
];

/// Each overloaded macro binds its arguments twice, so that nesting them costs a power of two: beyond this many
/// calls inside one argument it is bound first, once.
const MAX_NESTED_CALLS: usize = 8;

/// The lambda parameter that stands for an argument bound first. No macro uses this name.
pub(super) const BOUND: &str = "\"arg$\"";

impl Translator<'_> {
    /// An expression as the argument of a macro.
    pub(super) fn argument(&mut self, expr: &Expr) -> Argument {
        let constant =
            matches!(expr, Expr::Value(_)) || int_literal(expr).is_some() || float_literal(expr).is_some();
        Argument { sql: self.expr(expr), opaque: self.is_opaque(expr), constant }
    }

    /// A call of a runtime macro.
    #[expect(clippy::unused_self, reason = "read as part of the translation, `self.call(…)`")]
    pub(super) fn call(&mut self, name: &str, arguments: &[Argument]) -> String {
        let nested = |argument: &Argument| argument.sql.matches(RUNTIME_SCHEMA).count() > MAX_NESTED_CALLS;
        let bind_first = OVERLOADED.binary_search(&name).is_ok()
            && arguments.iter().any(|argument| argument.opaque || nested(argument));
        if !bind_first {
            let list: Vec<&str> = arguments.iter().map(|argument| argument.sql.as_str()).collect();
            return format!("{RUNTIME_SCHEMA}.{name}({})", list.join(", "));
        }
        bound_first(arguments, |list| format!("{RUNTIME_SCHEMA}.{name}({})", list.join(", ")))
    }

    /// Whether DuckDB cannot tell the type of an expression before it has bound the whole query.
    pub(super) fn is_opaque(&self, expr: &Expr) -> bool {
        visit_expressions(expr, |part| {
            let opaque = match part {
                Expr::Subquery(_) | Expr::Exists { .. } | Expr::InSubquery { .. } => true,
                Expr::Function(function) => {
                    function.over.is_some()
                        || function
                            .name
                            .0
                            .last()
                            .and_then(|part| part.as_ident())
                            .is_some_and(|name| is_aggregate(&name.value))
                        || is_aggregate(&function.name.to_string())
                        || matches!(function.args, sqlparser::ast::FunctionArguments::Subquery(_))
                }
                Expr::Identifier(name) => self
                    .aliases
                    .iter()
                    .any(|alias| alias.opaque && alias.name.eq_ignore_ascii_case(&name.value)),
                _ => false,
            };
            if opaque { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })
        .is_break()
    }

    pub(super) fn binary(&mut self, left: &Expr, op: &BinaryOperator, right: &Expr) -> String {
        match op {
            BinaryOperator::And => format!("({} AND {})", self.expr(left), self.expr(right)),
            BinaryOperator::Or => format!("({} OR {})", self.expr(left), self.expr(right)),
            BinaryOperator::Eq
            | BinaryOperator::NotEq
            | BinaryOperator::Lt
            | BinaryOperator::LtEq
            | BinaryOperator::Gt
            | BinaryOperator::GtEq => {
                if let (Some(fields), Some(others)) = (fields_of(left), fields_of(right))
                    && fields.len() == others.len()
                    && matches!(op, BinaryOperator::Eq | BinaryOperator::NotEq)
                {
                    let equal = self.equal_fields(&fields, &others);
                    return if *op == BinaryOperator::Eq { equal } else { format!("(NOT {equal})") };
                }
                let sign = op.to_string();
                let (left, right) = self.compared_pair(left, right);
                format!("({left} {sign} {right})")
            }
            BinaryOperator::StringConcat => format!("({} || {})", self.expr(left), self.expr(right)),
            BinaryOperator::BitwiseAnd => self.over("bit_and", &[left, right]),
            BinaryOperator::BitwiseOr => self.over("bit_or", &[left, right]),
            BinaryOperator::BitwiseXor => self.over("bit_xor", &[left, right]),
            BinaryOperator::PGBitwiseShiftLeft => self.over("shift_left", &[left, right]),
            BinaryOperator::PGBitwiseShiftRight => self.over("shift_right", &[left, right]),
            BinaryOperator::Plus
            | BinaryOperator::Minus
            | BinaryOperator::Multiply
            | BinaryOperator::Divide => self.arithmetic(left, op, right),
            other => {
                let span = left.span().union(&right.span());
                self.refuse(span, format!("the operator {other}"))
            }
        }
    }

    /// Two operands that are compared: a literal beside a value takes that value's type.
    pub(super) fn compared_pair(&mut self, left: &Expr, right: &Expr) -> (String, String) {
        (self.compared(left, &[right]), self.compared(right, &[left]))
    }

    /// An operand of a comparison with others.
    pub(super) fn compared(&mut self, operand: &Expr, others: &[&Expr]) -> String {
        if self.resolved.conversion(operand).is_some() {
            return self.expr(operand);
        }
        if let Some(digits) = float_literal(operand) {
            return plain_number(&digits);
        }
        if let Some(number) = int_literal(operand) {
            return number.to_string();
        }
        if is_struct(operand) {
            return self.row(operand);
        }
        let witness = others.iter().find(|other| string_literal(other).is_none());
        match (string_literal(operand), witness) {
            (Some(text), Some(witness)) if looks_temporal(text) && !is_null(witness) => {
                let text = quote(text);
                let witness = self.argument(witness);
                self.call("text_like", &[witness, Argument::constant(text)])
            }
            _ => self.expr(operand),
        }
    }

    fn arithmetic(&mut self, left: &Expr, op: &BinaryOperator, right: &Expr) -> String {
        match op {
            BinaryOperator::Plus if is_interval(right) => return self.over("plus_interval", &[left, right]),
            BinaryOperator::Plus if is_interval(left) => return self.over("plus_interval", &[right, left]),
            BinaryOperator::Divide if is_interval(left) => {
                return self.over("divide_interval", &[left, right]);
            }
            BinaryOperator::Minus if is_interval(right) => {
                return self.over("minus_interval", &[left, right]);
            }
            _ => {}
        }
        if self.resolved.is_big(left) && self.resolved.is_big(right) {
            let name = match op {
                BinaryOperator::Plus => "add",
                BinaryOperator::Minus => "subtract",
                BinaryOperator::Multiply => "multiply",
                _ => "divide",
            };
            return format!("bignumeric_{name}({}, {})", self.expr(left), self.expr(right));
        }
        match (float_literal(left), float_literal(right)) {
            (None, Some(digits)) if int_literal(left).is_none() => {
                let name = match op {
                    BinaryOperator::Plus => "add_literal",
                    BinaryOperator::Minus => "subtract_literal",
                    BinaryOperator::Multiply => "multiply_literal",
                    _ => "divide_by_literal",
                };
                let left = self.argument(left);
                return self.call(name, &[left, Argument::constant(plain_number(&digits))]);
            }
            (Some(digits), None) if int_literal(right).is_none() => {
                let name = match op {
                    BinaryOperator::Plus => "add_literal",
                    BinaryOperator::Minus => "subtract_from_literal",
                    BinaryOperator::Multiply => "multiply_literal",
                    _ => "divide_literal_by",
                };
                let right = self.argument(right);
                return self.call(name, &[right, Argument::constant(plain_number(&digits))]);
            }
            _ => {}
        }
        match op {
            BinaryOperator::Plus if !is_number(left) && int_literal(right).is_some() => {
                self.over("add", &[left, right])
            }
            BinaryOperator::Plus if !is_number(right) && int_literal(left).is_some() => {
                self.over("add", &[right, left])
            }
            BinaryOperator::Plus => format!("({} + {})", self.expr(left), self.expr(right)),
            // Only the difference of two dates or times needs a macro, and numbers can be told by their shape.
            BinaryOperator::Minus
                if is_number(left) || (is_number(right) && int_literal(right).is_none()) =>
            {
                format!("({} - {})", self.expr(left), self.expr(right))
            }
            BinaryOperator::Minus => self.over("subtract", &[left, right]),
            // A product with an integer keeps the other side's type without help.
            BinaryOperator::Multiply if is_integer(left) || is_integer(right) => {
                format!("({} * {})", self.expr(left), self.expr(right))
            }
            BinaryOperator::Multiply => self.over("multiply", &[left, right]),
            _ => self.over("divide", &[left, right]),
        }
    }

    /// A macro over expressions.
    pub(super) fn over(&mut self, name: &str, exprs: &[&Expr]) -> String {
        let arguments: Vec<Argument> = exprs.iter().map(|expr| self.argument(expr)).collect();
        self.call(name, &arguments)
    }

    pub(super) fn unary(&mut self, op: UnaryOperator, expr: &Expr) -> String {
        match op {
            UnaryOperator::Not => format!("(NOT {})", self.expr(expr)),
            UnaryOperator::Plus => self.expr(expr),
            UnaryOperator::BitwiseNot => self.over("bit_not", &[expr]),
            UnaryOperator::Minus => match expr {
                Expr::Value(value) => match &value.value {
                    Value::Number(digits, false) if float_literal(expr).is_none() => {
                        self.integer(digits, true, value.span)
                    }
                    Value::Number(digits, false) => double(&format!("-{digits}")),
                    _ => format!("(-{})", self.expr(expr)),
                },
                // DuckDB widens the type of a constant that has no negative.
                _ if int_literal(expr) == Some(i64::MIN) => self.invalid(
                    crate::diag::Code::SqlInvalid,
                    expr.span(),
                    "the negation does not fit into INT64",
                ),
                _ if self.resolved.is_big(expr) => self.negated(expr),
                _ => format!("(-{})", self.expr(expr)),
            },
            other => self.refuse(expr.span(), format!("the operator {other}")),
        }
    }

    /// Expressions that become one type (branches, alternatives): a floating-point literal among them takes the
    /// type of the others, which is NUMERIC if one of them is.
    pub(super) fn unified(&mut self, exprs: &[&Expr]) -> Vec<String> {
        if exprs.iter().any(|expr| is_struct(expr)) {
            // The first names the fields of all.
            return exprs
                .iter()
                .enumerate()
                .map(|(index, expr)| if index == 0 { self.expr(expr) } else { self.row(expr) })
                .collect();
        }
        if exprs.iter().any(|expr| self.resolved.conversion(expr).is_some()) {
            return exprs.iter().map(|expr| self.expr(expr)).collect();
        }
        let witnesses: Vec<&Expr> = exprs
            .iter()
            .copied()
            .filter(|expr| float_literal(expr).is_none() && int_literal(expr).is_none() && !is_null(expr))
            .collect();
        let has_literal = exprs.iter().any(|expr| float_literal(expr).is_some());
        if !has_literal || witnesses.is_empty() {
            return exprs.iter().map(|expr| self.expr(expr)).collect();
        }
        let opaque = witnesses.iter().any(|witness| self.is_opaque(witness));
        let witness: Vec<String> = witnesses.iter().map(|witness| self.expr(witness)).collect();
        let witness = Argument {
            sql: match witness.as_slice() {
                [only] => only.clone(),
                several => format!("coalesce({})", several.join(", ")),
            },
            opaque,
            constant: false,
        };
        exprs
            .iter()
            .map(|expr| match float_literal(expr) {
                Some(digits) => {
                    self.call("literal_like", &[witness.clone(), Argument::constant(plain_number(&digits))])
                }
                None => self.expr(expr),
            })
            .collect()
    }
}

/// Binds arguments as the only element of a list and applies `body` to what was bound. DuckDB knows their types
/// there, and evaluates each of them once.
pub(super) fn bound_first(arguments: &[Argument], body: impl FnOnce(&[String]) -> String) -> String {
    let mut fields = Vec::new();
    let mut inside = Vec::new();
    for argument in arguments {
        if argument.constant {
            inside.push(argument.sql.clone());
        } else {
            let name = format!("a{}", fields.len());
            inside.push(format!("struct_extract({BOUND}, '{name}')"));
            fields.push(format!("{name} := {}", argument.sql));
        }
    }
    if fields.is_empty() {
        return body(&inside);
    }
    format!("list_transform([struct_pack({})], lambda {BOUND}: {})[1]", fields.join(", "), body(&inside))
}

/// Whether an expression is the literal NULL.
pub(super) fn is_null(expr: &Expr) -> bool {
    match expr {
        Expr::Value(value) => value.value == Value::Null,
        Expr::Nested(inner) => is_null(inner),
        _ => false,
    }
}

fn is_interval(expr: &Expr) -> bool {
    match expr {
        Expr::Interval(_) => true,
        Expr::Nested(inner) => is_interval(inner),
        _ => false,
    }
}

fn function_name(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Function(function) => Some(function.name.to_string().to_ascii_uppercase()),
        _ => None,
    }
}

/// Whether an expression is an INT64 by its shape.
fn is_integer(expr: &Expr) -> bool {
    match expr {
        Expr::Nested(inner) => is_integer(inner),
        Expr::Function(_) => function_name(expr).is_some_and(|name| {
            matches!(
                name.as_str(),
                "COUNT"
                    | "COUNTIF"
                    | "ROW_NUMBER"
                    | "RANK"
                    | "DENSE_RANK"
                    | "NTILE"
                    | "LENGTH"
                    | "DIV"
                    | "DATE_DIFF"
                    | "TIMESTAMP_DIFF"
                    | "DATETIME_DIFF"
                    | "APPROX_COUNT_DISTINCT"
                    | "ARRAY_LENGTH"
            )
        }),
        Expr::Extract { field, .. } => !matches!(
            field,
            sqlparser::ast::DateTimeField::Date
                | sqlparser::ast::DateTimeField::Time
                | sqlparser::ast::DateTimeField::Datetime
        ),
        _ => int_literal(expr).is_some(),
    }
}

/// Whether an expression is a number of any type by its shape.
fn is_number(expr: &Expr) -> bool {
    match expr {
        Expr::Nested(inner) => is_number(inner),
        Expr::BinaryOp { op, left, right } => match op {
            BinaryOperator::Multiply | BinaryOperator::Divide => true,
            BinaryOperator::Plus | BinaryOperator::Minus => {
                is_number(left) || is_number(right) && int_literal(right).is_none()
            }
            _ => false,
        },
        Expr::UnaryOp { op: UnaryOperator::Minus, .. } | Expr::Ceil { .. } | Expr::Floor { .. } => true,
        _ => {
            is_integer(expr)
                || float_literal(expr).is_some()
                || function_name(expr).is_some_and(|name| {
                    matches!(
                        name.as_str(),
                        "SUM"
                            | "AVG"
                            | "ROUND"
                            | "ABS"
                            | "SQRT"
                            | "POW"
                            | "POWER"
                            | "MOD"
                            | "SAFE_DIVIDE"
                            | "TRUNC"
                    )
                })
        }
    }
}
