//! Functions: the list of those that have a translation.

use sqlparser::ast::{Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, Spanned};
use sqlparser::tokenizer::Span;

use super::Translator;
use super::literal::{float_literal, int_literal, is_bytes_literal, plain_number, quote, string_literal};
use super::operator::{Argument, BOUND, bound_first};

/// How a scalar function is translated.
#[derive(Debug, Clone, Copy)]
enum Rule {
    /// The runtime's macro of the same name in lower case.
    Macro,
    /// A runtime macro of another name.
    MacroAs(&'static str),
    /// DuckDB's own function, equal in meaning for the types that BigQuery takes.
    Native(&'static str),
    /// DuckDB's own function over FLOAT64.
    Float(&'static str),
}

/// Name, fewest and most arguments, rule. Functions with rules of their own are in [`Translator::special`].
const SCALARS: &[(&str, usize, usize, Rule)] = &[
    ("ABS", 1, 1, Rule::Macro),
    ("ACOS", 1, 1, Rule::Macro),
    ("ACOSH", 1, 1, Rule::Macro),
    ("ARRAY_FIRST", 1, 1, Rule::Macro),
    ("ARRAY_IS_DISTINCT", 1, 1, Rule::Macro),
    ("ARRAY_LAST", 1, 1, Rule::Macro),
    ("ARRAY_LENGTH", 1, 1, Rule::Macro),
    ("ARRAY_REVERSE", 1, 1, Rule::Macro),
    ("ARRAY_SLICE", 3, 3, Rule::Macro),
    ("ARRAY_TO_STRING", 2, 3, Rule::Macro),
    ("ASCII", 1, 1, Rule::Macro),
    ("ASIN", 1, 1, Rule::Macro),
    ("ASINH", 1, 1, Rule::Float("asinh")),
    ("ATAN", 1, 1, Rule::Float("atan")),
    ("ATAN2", 2, 2, Rule::Float("atan2")),
    ("ATANH", 1, 1, Rule::Macro),
    ("BIT_COUNT", 1, 1, Rule::Macro),
    ("BOOL", 1, 1, Rule::MacroAs("json_bool")),
    ("BOOL_ARRAY", 1, 1, Rule::Macro),
    ("BYTE_LENGTH", 1, 1, Rule::Macro),
    ("CBRT", 1, 1, Rule::Float("cbrt")),
    ("CEIL", 1, 1, Rule::Macro),
    ("CEILING", 1, 1, Rule::MacroAs("ceil")),
    ("CHARACTER_LENGTH", 1, 1, Rule::Native("length")),
    ("CHAR_LENGTH", 1, 1, Rule::Native("length")),
    ("CHR", 1, 1, Rule::Macro),
    ("CODE_POINTS_TO_BYTES", 1, 1, Rule::Macro),
    ("CODE_POINTS_TO_STRING", 1, 1, Rule::Macro),
    ("CONTAINS_SUBSTR", 2, 2, Rule::Macro),
    ("COS", 1, 1, Rule::Float("cos")),
    ("COSH", 1, 1, Rule::Macro),
    ("COSINE_DISTANCE", 2, 2, Rule::Macro),
    ("COT", 1, 1, Rule::Macro),
    ("COTH", 1, 1, Rule::Macro),
    ("CSC", 1, 1, Rule::Macro),
    ("CSCH", 1, 1, Rule::Macro),
    ("DATE_FROM_UNIX_DATE", 1, 1, Rule::Macro),
    ("DIV", 2, 2, Rule::Macro),
    ("EDIT_DISTANCE", 2, 2, Rule::Macro),
    ("ENDS_WITH", 2, 2, Rule::Macro),
    ("EUCLIDEAN_DISTANCE", 2, 2, Rule::Macro),
    ("EXP", 1, 1, Rule::Macro),
    ("FARM_FINGERPRINT", 1, 1, Rule::Macro),
    ("FLOAT64", 1, 1, Rule::MacroAs("json_float64")),
    ("FLOAT64_ARRAY", 1, 1, Rule::Macro),
    ("FLOOR", 1, 1, Rule::Macro),
    ("FROM_BASE32", 1, 1, Rule::Macro),
    ("FROM_BASE64", 1, 1, Rule::Macro),
    ("FROM_HEX", 1, 1, Rule::Macro),
    ("GENERATE_ARRAY", 2, 3, Rule::Macro),
    ("IEEE_DIVIDE", 2, 2, Rule::Macro),
    ("INITCAP", 1, 2, Rule::Macro),
    ("INSTR", 2, 4, Rule::Macro),
    ("INT64", 1, 1, Rule::MacroAs("json_int64")),
    ("INT64_ARRAY", 1, 1, Rule::Macro),
    ("IS_INF", 1, 1, Rule::Float("isinf")),
    ("IS_NAN", 1, 1, Rule::Float("isnan")),
    ("JSON_FLATTEN", 1, 1, Rule::Macro),
    ("JSON_TYPE", 1, 1, Rule::MacroAs("json_kind")),
    ("LAX_BOOL", 1, 1, Rule::Macro),
    ("LAX_BOOL_ARRAY", 1, 1, Rule::Macro),
    ("LAX_FLOAT64", 1, 1, Rule::Macro),
    ("LAX_FLOAT64_ARRAY", 1, 1, Rule::Macro),
    ("LAX_INT64", 1, 1, Rule::Macro),
    ("LAX_INT64_ARRAY", 1, 1, Rule::Macro),
    ("LAX_STRING", 1, 1, Rule::Macro),
    ("LAX_STRING_ARRAY", 1, 1, Rule::Macro),
    ("LEFT", 2, 2, Rule::Macro),
    ("LENGTH", 1, 1, Rule::Macro),
    ("LN", 1, 1, Rule::Macro),
    ("LOG10", 1, 1, Rule::Macro),
    ("LOWER", 1, 1, Rule::Macro),
    ("LPAD", 2, 3, Rule::Macro),
    ("LTRIM", 1, 2, Rule::Macro),
    ("MD5", 1, 1, Rule::Macro),
    ("MOD", 2, 2, Rule::Macro),
    ("NET.HOST", 1, 1, Rule::MacroAs("net_host")),
    ("NET.IPV4_FROM_INT64", 1, 1, Rule::MacroAs("net_ipv4_from_int64")),
    ("NET.IPV4_TO_INT64", 1, 1, Rule::MacroAs("net_ipv4_to_int64")),
    ("NET.IP_FROM_STRING", 1, 1, Rule::MacroAs("net_ip_from_string")),
    ("NET.IP_NET_MASK", 2, 2, Rule::MacroAs("net_ip_net_mask")),
    ("NET.IP_TO_STRING", 1, 1, Rule::MacroAs("net_ip_to_string")),
    ("NET.IP_TRUNC", 2, 2, Rule::MacroAs("net_ip_trunc")),
    ("NET.SAFE_IP_FROM_STRING", 1, 1, Rule::MacroAs("net_safe_ip_from_string")),
    ("NULLIF", 2, 2, Rule::Native("nullif")),
    ("NULLIFZERO", 1, 1, Rule::Macro),
    ("OCTET_LENGTH", 1, 1, Rule::MacroAs("byte_length")),
    ("PARSE_BIGNUMERIC", 1, 1, Rule::Macro),
    ("PARSE_JSON", 1, 1, Rule::Macro),
    ("PARSE_NUMERIC", 1, 1, Rule::Macro),
    ("POW", 2, 2, Rule::Macro),
    ("POWER", 2, 2, Rule::MacroAs("pow")),
    ("RANGE_BUCKET", 2, 2, Rule::Macro),
    ("REGEXP_CONTAINS", 2, 2, Rule::Macro),
    ("REGEXP_REPLACE", 3, 3, Rule::Macro),
    ("REPEAT", 2, 2, Rule::Macro),
    ("REPLACE", 3, 3, Rule::Macro),
    ("REVERSE", 1, 1, Rule::Macro),
    ("RIGHT", 2, 2, Rule::Macro),
    ("RPAD", 2, 3, Rule::Macro),
    ("RTRIM", 1, 2, Rule::Macro),
    ("SAFE_ADD", 2, 2, Rule::Macro),
    ("SAFE_CONVERT_BYTES_TO_STRING", 1, 1, Rule::Macro),
    ("SAFE_MULTIPLY", 2, 2, Rule::Macro),
    ("SAFE_NEGATE", 1, 1, Rule::Macro),
    ("SAFE_SUBTRACT", 2, 2, Rule::Macro),
    ("SEC", 1, 1, Rule::Macro),
    ("SECH", 1, 1, Rule::Macro),
    ("SHA1", 1, 1, Rule::Macro),
    ("SHA256", 1, 1, Rule::Macro),
    ("SHA512", 1, 1, Rule::Macro),
    ("SIGN", 1, 1, Rule::Macro),
    ("SIN", 1, 1, Rule::Float("sin")),
    ("SINH", 1, 1, Rule::Macro),
    ("SOUNDEX", 1, 1, Rule::Macro),
    ("SPLIT", 1, 2, Rule::Macro),
    ("SQRT", 1, 1, Rule::Macro),
    ("STARTS_WITH", 2, 2, Rule::Macro),
    ("STRING_ARRAY", 1, 1, Rule::Macro),
    ("STRPOS", 2, 2, Rule::Macro),
    ("SUBSTR", 2, 3, Rule::Macro),
    ("SUBSTRING", 2, 3, Rule::MacroAs("substr")),
    ("TAN", 1, 1, Rule::Float("tan")),
    ("TANH", 1, 1, Rule::Float("tanh")),
    ("TIMESTAMP_FROM_UNIX_MICROS", 1, 1, Rule::MacroAs("timestamp_micros")),
    ("TIMESTAMP_FROM_UNIX_MILLIS", 1, 1, Rule::MacroAs("timestamp_millis")),
    ("TIMESTAMP_FROM_UNIX_SECONDS", 1, 1, Rule::MacroAs("timestamp_seconds")),
    ("TIMESTAMP_MICROS", 1, 1, Rule::Macro),
    ("TIMESTAMP_MILLIS", 1, 1, Rule::Macro),
    ("TIMESTAMP_SECONDS", 1, 1, Rule::Macro),
    ("TO_BASE32", 1, 1, Rule::Macro),
    ("TO_BASE64", 1, 1, Rule::Macro),
    ("TO_CODE_POINTS", 1, 1, Rule::Macro),
    ("TO_HEX", 1, 1, Rule::Macro),
    ("TRANSLATE", 3, 3, Rule::Macro),
    ("TRIM", 1, 2, Rule::Macro),
    ("TYPEOF", 1, 1, Rule::MacroAs("type_of")),
    ("UNICODE", 1, 1, Rule::Macro),
    ("UNIX_DATE", 1, 1, Rule::Macro),
    ("UNIX_MICROS", 1, 1, Rule::Macro),
    ("UNIX_MILLIS", 1, 1, Rule::Macro),
    ("UNIX_SECONDS", 1, 1, Rule::Macro),
    ("UPPER", 1, 1, Rule::Macro),
    ("ZEROIFNULL", 1, 1, Rule::Macro),
];

/// The arguments of a call that has nothing but expressions in parentheses.
pub(super) fn positional(function: &Function) -> Option<Vec<&Expr>> {
    arguments_of(function)?
        .iter()
        .map(|argument| match argument {
            FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Some(expr),
            _ => None,
        })
        .collect()
}

/// The arguments of a call, named ones too; none if it holds anything else.
pub(super) fn arguments_of(function: &Function) -> Option<&[FunctionArg]> {
    match &function.args {
        FunctionArguments::None => Some(&[]),
        FunctionArguments::List(list) if list.duplicate_treatment.is_none() && list.clauses.is_empty() => {
            Some(&list.args)
        }
        _ => None,
    }
}

/// The arguments of `EDIT_DISTANCE(a, b, max_distance => n)`.
fn with_max_distance(function: &Function) -> Option<[&Expr; 3]> {
    let FunctionArguments::List(list) = &function.args else { return None };
    match list.args.as_slice() {
        [
            FunctionArg::Unnamed(FunctionArgExpr::Expr(left)),
            FunctionArg::Unnamed(FunctionArgExpr::Expr(right)),
            FunctionArg::Named { name, arg: FunctionArgExpr::Expr(most), .. },
        ] if name.value.eq_ignore_ascii_case("max_distance") => Some([left, right, most]),
        _ => None,
    }
}

impl Translator<'_> {
    pub(super) fn function(&mut self, function: &Function) -> String {
        let span = function.span();
        let mut path: Vec<String> = function
            .name
            .0
            .iter()
            .map(|part| part.as_ident().map_or_else(String::new, |name| name.value.to_ascii_uppercase()))
            .collect();
        let Some(mut name) = path.pop() else { return self.refuse(span, "this call") };
        if function.uses_odbc_syntax
            || !matches!(function.parameters, FunctionArguments::None)
            || !function.within_group.is_empty()
            || function.filter.is_some()
        {
            return self.refuse(span, format!("this form of {name}"));
        }
        match path.as_slice() {
            [] => {}
            [prefix, ..] if prefix == "SAFE" => {
                let rest = path.get(1..).unwrap_or_default().iter().chain(std::iter::once(&name));
                let name = rest.map(String::as_str).collect::<Vec<_>>().join(".");
                return self.safe(function, &name, span);
            }
            [prefix] if prefix == "NET" => name = format!("NET.{name}"),
            [prefix] if prefix == "HLL_COUNT" => return self.sketch(function, span),
            [prefix, ..] => return self.refuse(span, format!("the function {prefix}.{name}")),
        }
        if self.resolved.is_big_call(span) && !super::reshape::takes_bignumeric(&name) {
            return self.refuse(span, format!("{name} of BIGNUMERIC"));
        }
        if name == "ARRAY"
            && let FunctionArguments::Subquery(query) = &function.args
        {
            return format!("ARRAY({})", self.subquery(query));
        }
        if let Some(sql) = self.aggregate_or_window(&name, function, span) {
            return sql;
        }
        if function.over.is_some() || function.null_treatment.is_some() {
            return self.refuse(span, format!("{name} as a window function"));
        }
        if let Some(sql) = self.json(&name, function, span) {
            return sql;
        }
        if let Some(sql) = self.interval_function(&name, function, span) {
            return sql;
        }
        if let ("EDIT_DISTANCE", Some([left, right, most])) = (name.as_str(), with_max_distance(function)) {
            return self.over("edit_distance", &[left, right, most]);
        }
        let Some(arguments) = positional(function) else {
            return self.refuse(span, format!("this form of {name}"));
        };
        if let Some(sql) = self.temporal(&name, &arguments, span) {
            return sql;
        }
        if let Some(sql) = self.range(&name, &arguments, span) {
            return sql;
        }
        if let Some(sql) = self.special(&name, &arguments, span) {
            return sql;
        }
        self.scalar(&name, &arguments, span)
    }

    pub(super) fn scalar(&mut self, name: &str, arguments: &[&Expr], span: Span) -> String {
        let found =
            SCALARS.binary_search_by_key(&name, |(known, ..)| known).ok().and_then(|at| SCALARS.get(at));
        let Some((_, fewest, most, rule)) = found else {
            return self.refuse(span, format!("the function {name}"));
        };
        if arguments.len() < *fewest || arguments.len() > *most {
            return self.refuse(span, format!("{name} with {} arguments", arguments.len()));
        }
        match rule {
            Rule::Macro => self.over(&name.to_ascii_lowercase(), arguments),
            Rule::MacroAs(other) => self.over(other, arguments),
            Rule::Native(native) => {
                let list: Vec<String> = arguments.iter().map(|argument| self.expr(argument)).collect();
                format!("{native}({})", list.join(", "))
            }
            Rule::Float(native) => {
                let list: Vec<String> = arguments
                    .iter()
                    .map(|argument| format!("CAST({} AS DOUBLE)", self.expr(argument)))
                    .collect();
                format!("{native}({})", list.join(", "))
            }
        }
    }

    /// Functions whose translation depends on the shape of their arguments.
    pub(super) fn special(&mut self, name: &str, arguments: &[&Expr], span: Span) -> Option<String> {
        Some(match (name, arguments) {
            ("IF", [condition, yes, no]) => {
                let condition = self.expr(condition);
                let results = self.unified(&[yes, no]);
                format!("(CASE WHEN {condition} THEN {} ELSE {} END)", results[0], results[1])
            }
            ("IFNULL", [_, _]) | ("COALESCE", [_, ..]) => self.native_unified("coalesce", arguments),
            ("GREATEST" | "LEAST", [_, ..]) => {
                let list = self.unified(arguments).join(", ");
                let name = name.to_ascii_lowercase();
                self.call(&name, &[Argument { sql: format!("[{list}]"), opaque: false, constant: false }])
            }
            ("CONCAT", [_, ..]) => {
                let list: Vec<String> = arguments.iter().map(|argument| self.expr(argument)).collect();
                format!("({})", list.join(" || "))
            }
            ("ROUND" | "TRUNC", [_]) => self.over(&name.to_ascii_lowercase(), arguments),
            ("ROUND" | "TRUNC", [value, digits]) => {
                let name = name.to_ascii_lowercase();
                // The engine's own functions take a constant.
                let name = if int_literal(digits).is_some() { name } else { format!("{name}_by") };
                let (value, digits) = (self.argument(value), self.digits(digits));
                self.call(&name, &[value, digits])
            }
            ("ROUND", [value, digits, mode]) => {
                let name = match string_literal(mode).map(str::to_ascii_uppercase).as_deref() {
                    Some("ROUND_HALF_AWAY_FROM_ZERO") => "round",
                    Some("ROUND_HALF_EVEN") => "round_half_even",
                    Some(other) => {
                        let message = format!("`{other}` is no way to round");
                        return Some(self.invalid(crate::diag::Code::SqlInvalid, mode.span(), message));
                    }
                    None => return Some(self.refuse(mode.span(), "ROUND in a way that is no literal")),
                };
                let (value, digits) = (self.argument(value), self.digits(digits));
                self.call(name, &[value, digits])
            }
            ("SUBSTR" | "SUBSTRING", [value, position, count]) => self.substr(value, position, count),
            ("ARRAY_CONCAT", [first, rest @ ..]) => {
                let mut sql = self.argument(first);
                for array in rest {
                    let array = self.argument(array);
                    let opaque = sql.opaque || array.opaque;
                    sql = Argument { sql: self.call("array_concat", &[sql, array]), opaque, constant: false };
                }
                sql.sql
            }
            ("LOG", [value]) => self.over("ln", &[value]),
            ("LOG", [_, _]) => self.over("log", arguments),
            ("SAFE_DIVIDE", [dividend, divisor]) => self.safe_divide(dividend, divisor),
            (_, [value, pattern, rest @ ..]) if name.starts_with("REGEXP_") && is_bytes_literal(pattern) => {
                self.regexp_of_bytes(name, value, pattern, rest, span)
            }
            (_, [value, pattern, rest @ ..]) if name.starts_with("REGEXP_") => {
                return self.regexp(name, (value, pattern), rest);
            }
            ("NORMALIZE_AND_CASEFOLD", [_, rest @ ..]) if rest.len() <= 1 => {
                let normal = self.special("NORMALIZE", arguments, span)?;
                format!("{}.case_fold({normal})", super::RUNTIME_SCHEMA)
            }
            ("NORMALIZE", [value]) => format!("nfc_normalize({})", self.expr(value)),
            ("NORMALIZE", [value, Expr::Identifier(form)]) => {
                match form.value.to_ascii_uppercase().as_str() {
                    "NFC" => format!("nfc_normalize({})", self.expr(value)),
                    form @ ("NFD" | "NFKC" | "NFKD") => self.over(&form.to_ascii_lowercase(), &[value]),
                    other => self.invalid(
                        crate::diag::Code::SqlInvalid,
                        form.span,
                        format!("`{other}` is not a form of normalization"),
                    ),
                }
            }
            ("FORMAT", [format, values @ ..]) => self.format_text(format, values, span),
            ("STRING", [value]) => self.over("string_of", &[value]),
            ("ERROR", [message]) => {
                // NULL without a type, which fits beside any other value, and is not looked for before it is needed.
                format!("[NULL][CAST('ERROR: ' || coalesce({}, 'NULL') AS BIGINT)]", self.expr(message))
            }
            ("GENERATE_UUID", []) => "CAST(uuid() AS VARCHAR)".to_owned(),
            ("RAND", []) => "random()".to_owned(),
            // Nobody has logged in: a text of the form that BigQuery's has.
            ("SESSION_USER", []) => "'user@localhost'".to_owned(),
            _ => return None,
        })
    }

    /// How many digits a number is rounded to.
    fn digits(&mut self, digits: &Expr) -> Argument {
        match int_literal(digits) {
            Some(digits) => Argument::constant(digits.to_string()),
            None => self.argument(digits),
        }
    }

    /// SUBSTR with both numbers; literals within common bounds need no care.
    pub(super) fn substr(&mut self, value: &Expr, position: &Expr, count: &Expr) -> String {
        const BOUND: i64 = i32::MAX as i64;
        match (int_literal(position), int_literal(count)) {
            (Some(from @ 1..=BOUND), Some(length @ 0..=BOUND)) => {
                let value = self.argument(value);
                let constant = |number: i64| Argument::constant(number.to_string());
                self.call("stretch", &[value, constant(from), constant(length)])
            }
            _ => self.over("substr", &[value, position, count]),
        }
    }

    fn safe_divide(&mut self, dividend: &Expr, divisor: &Expr) -> String {
        match (float_literal(dividend), float_literal(divisor)) {
            (None, Some(digits)) if int_literal(dividend).is_none() => {
                let dividend = self.argument(dividend);
                self.call("safe_divide_by_literal", &[dividend, Argument::constant(plain_number(&digits))])
            }
            (Some(digits), None) if int_literal(divisor).is_none() => {
                let divisor = self.argument(divisor);
                self.call("safe_divide_literal_by", &[divisor, Argument::constant(plain_number(&digits))])
            }
            _ => self.over("safe_divide", &[dividend, divisor]),
        }
    }

    /// `SAFE.f(x)`: a fault inside `f` gives NULL, a fault inside `x` does not.
    fn safe(&mut self, function: &Function, name: &str, span: Span) -> String {
        let mut plain = function.clone();
        let parts = name.split('.').map(sqlparser::ast::Ident::new).collect::<Vec<_>>();
        plain.name = sqlparser::ast::ObjectName::from(parts);
        let Some(arguments) = positional(function) else {
            return self.refuse(span, format!("SAFE.{name} in this form"));
        };
        if function.over.is_some() || super::aggregates::is_aggregate(name) {
            return self.refuse(span, format!("SAFE.{name}"));
        }
        // Arguments that may fail themselves are bound outside of TRY; literals stay, since some must be constants.
        let mut outside = Vec::new();
        let mut replaced = Vec::new();
        for argument in &arguments {
            let simple = matches!(argument, Expr::Value(_) | Expr::TypedString(_) | Expr::Interval(_))
                || int_literal(argument).is_some()
                || float_literal(argument).is_some()
                || (matches!(argument, Expr::Identifier(_) | Expr::CompoundIdentifier(_))
                    && !self.is_opaque(argument)
                    && !is_keyword_argument(name, argument));
            if simple || is_keyword_argument(name, argument) {
                replaced.push((*argument).clone());
            } else {
                let field = format!("a{}", outside.len());
                outside.push(self.argument(argument));
                replaced.push(Expr::Function(struct_field(&field)));
            }
        }
        if let FunctionArguments::List(list) = &mut plain.args {
            list.args =
                replaced.into_iter().map(|expr| FunctionArg::Unnamed(FunctionArgExpr::Expr(expr))).collect();
        }
        let call = self.function(&plain);
        if outside.is_empty() {
            return format!("TRY({call})");
        }
        bound_first(&outside, |_| format!("TRY({call})"))
    }
}

/// A field of the arguments that [`Translator::safe`] bound.
pub(super) fn bound_field(arguments: &[&Expr]) -> Option<String> {
    match arguments {
        [field] => string_literal(field).map(|field| format!("struct_extract({BOUND}, {})", quote(field))),
        _ => None,
    }
}

/// The name under which [`Translator::safe`] hides a bound argument; no user can write it.
pub(super) const BOUND_FIELD: &str = "\u{0}BOUND";

pub(super) fn struct_field(field: &str) -> Function {
    use sqlparser::ast::{FunctionArgumentList, Ident, ObjectName, Value};
    Function {
        name: ObjectName::from(vec![Ident::new(BOUND_FIELD)]),
        uses_odbc_syntax: false,
        parameters: FunctionArguments::None,
        args: FunctionArguments::List(FunctionArgumentList {
            duplicate_treatment: None,
            args: vec![FunctionArg::Unnamed(FunctionArgExpr::Expr(Expr::Value(
                Value::SingleQuotedString(field.to_owned()).with_empty_span(),
            )))],
            clauses: Vec::new(),
        }),
        within_group: Vec::new(),
        filter: None,
        null_treatment: None,
        over: None,
    }
}

/// Whether an argument is a word of the language: the part of a date, the form of a normalization.
fn is_keyword_argument(name: &str, argument: &Expr) -> bool {
    let takes_a_part = name.ends_with("_TRUNC") && name != "TRUNC"
        || name.ends_with("_DIFF")
        || matches!(name, "LAST_DAY" | "NORMALIZE" | "NORMALIZE_AND_CASEFOLD");
    let word = match argument {
        Expr::Identifier(word) => word.value.to_ascii_uppercase(),
        Expr::Function(function) => function.name.to_string().to_ascii_uppercase(),
        _ => return false,
    };
    takes_a_part && (super::temporal::is_part(&word) || word.starts_with("NF"))
}

#[cfg(test)]
mod tests {
    use super::SCALARS;

    #[test]
    fn the_list_is_sorted_and_has_no_function_twice() {
        let names: Vec<_> = SCALARS.iter().map(|(name, ..)| *name).collect();
        let mut sorted = names.clone();
        sorted.sort_unstable();
        sorted.dedup();
        assert_eq!(names, sorted);
    }
}
