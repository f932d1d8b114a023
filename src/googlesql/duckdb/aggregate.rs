//! Aggregate and window functions.

use sqlparser::ast::{
    DuplicateTreatment, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArgumentClause,
    FunctionArguments, HavingBoundKind, NamedWindowExpr, NullTreatment, OrderByExpr, Spanned, WindowFrame,
    WindowFrameBound, WindowFrameUnits, WindowSpec, WindowType,
};
use sqlparser::tokenizer::Span;

use super::Translator;
use super::aggregates::is_aggregate;
use super::byte_pattern::text_of_bytes;
use super::literal::{float_literal, int_literal, plain_number, quote};
use super::names::Ident;
use super::operator::Argument;
use crate::googlesql::Type;
use crate::googlesql::resolved::span_of;

/// Functions over windows only.
const WINDOWS: &[&str] = &[
    "CUME_DIST",
    "DENSE_RANK",
    "FIRST_VALUE",
    "LAG",
    "LAST_VALUE",
    "LEAD",
    "NTH_VALUE",
    "NTILE",
    "PERCENT_RANK",
    "RANK",
    "ROW_NUMBER",
];

/// What may stand in the parentheses of an aggregate beside its arguments, and after them.
#[derive(Default)]
struct Clauses<'a> {
    distinct: bool,
    nulls: Option<NullTreatment>,
    order_by: &'a [OrderByExpr],
    limit: Option<&'a Expr>,
    having: Option<(bool, &'a Expr)>,
}

/// A function's arguments, `None` standing for `*`.
type Arguments<'a> = Vec<Option<&'a Expr>>;

impl Translator<'_> {
    /// The translation, if the name is that of an aggregate or a window function.
    pub(super) fn aggregate_or_window(
        &mut self,
        name: &str,
        function: &Function,
        span: Span,
    ) -> Option<String> {
        if name == super::function::BOUND_FIELD {
            return super::function::positional(function)
                .and_then(|arguments| super::function::bound_field(&arguments));
        }
        let is_window = WINDOWS.contains(&name);
        if !is_window && !is_aggregate(name) {
            return None;
        }
        // Arguments of aggregates are columns of the rows before grouping: no SELECT alias is in reach.
        Some(self.without_aliases(|translator| {
            let Some((arguments, clauses)) = parts(function) else {
                return translator.refuse(span, format!("this form of {name}"));
            };
            let over = function.over.as_ref().map(|over| translator.window_type(over));
            if is_window && over.is_none() {
                return translator.refuse(span, format!("{name} without OVER"));
            }
            if is_window {
                translator.window_function(
                    name,
                    &arguments,
                    &clauses,
                    over.as_deref().unwrap_or_default(),
                    span,
                )
            } else {
                translator.aggregate(name, &arguments, &clauses, over.as_deref(), span)
            }
        }))
    }

    fn window_function(
        &mut self,
        name: &str,
        arguments: &Arguments<'_>,
        clauses: &Clauses<'_>,
        over: &str,
        span: Span,
    ) -> String {
        if clauses.distinct
            || !clauses.order_by.is_empty()
            || clauses.limit.is_some()
            || clauses.having.is_some()
        {
            return self.refuse(span, format!("this form of {name}"));
        }
        let Some(exprs) = arguments.iter().copied().collect::<Option<Vec<&Expr>>>() else {
            return self.refuse(span, format!("{name}(*)"));
        };
        let nulls = match clauses.nulls {
            None => "",
            Some(NullTreatment::IgnoreNulls) => " IGNORE NULLS",
            Some(NullTreatment::RespectNulls) => " RESPECT NULLS",
        };
        let takes_nulls = matches!(name, "FIRST_VALUE" | "LAST_VALUE" | "NTH_VALUE");
        if !nulls.is_empty() && !takes_nulls {
            return self.refuse(span, format!("{name} with{nulls}"));
        }
        let native = name.to_ascii_lowercase();
        match (name, exprs.as_slice()) {
            ("ROW_NUMBER" | "RANK" | "DENSE_RANK" | "PERCENT_RANK" | "CUME_DIST", []) => {
                format!("{native}() OVER {over}")
            }
            ("NTILE", [count]) => format!("ntile({}) OVER {over}", self.expr(count)),
            ("FIRST_VALUE" | "LAST_VALUE", [value]) => {
                format!("{native}({}{nulls}) OVER {over}", self.expr(value))
            }
            ("NTH_VALUE", [value, position]) => {
                format!("nth_value({}, {}{nulls}) OVER {over}", self.expr(value), self.expr(position))
            }
            ("LAG" | "LEAD", [value]) => format!("{native}({}) OVER {over}", self.expr(value)),
            ("LAG" | "LEAD", [value, offset]) => {
                format!("{native}({}, {}) OVER {over}", self.expr(value), self.expr(offset))
            }
            ("LAG" | "LEAD", [value, offset, default]) => {
                let both = self.unified(&[value, default]);
                format!("{native}({}, {}, {}) OVER {over}", both[0], self.expr(offset), both[1])
            }
            _ => self.refuse(span, format!("{name} with {} arguments", exprs.len())),
        }
    }

    fn aggregate(
        &mut self,
        name: &str,
        arguments: &Arguments<'_>,
        clauses: &Clauses<'_>,
        over: Option<&str>,
        span: Span,
    ) -> String {
        let takes_order = matches!(name, "ARRAY_AGG" | "STRING_AGG" | "ARRAY_CONCAT_AGG");
        let takes_nulls = matches!(name, "ARRAY_AGG" | "PERCENTILE_CONT" | "PERCENTILE_DISC")
            || (name == "APPROX_QUANTILES" && clauses.nulls == Some(NullTreatment::IgnoreNulls));
        if (!takes_order && (!clauses.order_by.is_empty() || clauses.limit.is_some()))
            || (!takes_nulls && clauses.nulls.is_some())
            || (clauses.having.is_some()
                && (clauses.distinct
                    || over.is_some()
                    || !clauses.order_by.is_empty()
                    || clauses.limit.is_some()))
        {
            return self.refuse(span, format!("this form of {name}"));
        }
        let distinct = if clauses.distinct { "DISTINCT " } else { "" };
        let window = over.map_or_else(String::new, |over| format!(" OVER {over}"));
        if let ("COUNT", [None]) = (name, arguments.as_slice()) {
            return format!("count(*){window}");
        }
        let Some(exprs) = arguments.iter().copied().collect::<Option<Vec<&Expr>>>() else {
            return self.refuse(span, format!("{name}(*)"));
        };
        if let Some(having) = clauses.having.filter(|_| name != "ANY_VALUE") {
            let ignores_nulls = clauses.nulls == Some(NullTreatment::IgnoreNulls);
            return self.aggregate_having(name, &exprs, having, ignores_nulls, span);
        }
        match (name, exprs.as_slice()) {
            ("COUNT", [value]) => format!("count({distinct}{}){window}", self.expr(value)),
            // DuckDB's `count_if` is NULL where all conditions are.
            ("COUNTIF", [condition]) => {
                format!("count({distinct}CASE WHEN {} THEN TRUE END){window}", self.expr(condition))
            }
            ("SUM" | "AVG", [value]) if self.resolved.argument(span_of(value)) == Some(&Type::Interval) => {
                self.interval_total(name, value, distinct, &window)
            }
            ("SUM" | "AVG", [value]) if self.resolved.is_big_call(span) => {
                self.big_total(name, value, distinct, &window)
            }
            // DuckDB adds INT64 up in 128 bits; the witness brings the sum back, or raises an overflow.
            ("SUM", [value]) => {
                let value = self.expr(value);
                format!("cast_to_type(sum({distinct}{value}){window}, max({value}){window})")
            }
            ("AVG", [value]) => self.average(value, distinct, &window),
            ("MIN" | "MAX", [value]) => {
                format!("{}({}){window}", name.to_ascii_lowercase(), self.expr(value))
            }
            ("ANY_VALUE", [value]) => match clauses.having {
                None => format!("any_value({}){window}", self.expr(value)),
                Some((largest, by)) => {
                    let native = if largest { "arg_max_null" } else { "arg_min_null" };
                    format!("{native}({}, {}){window}", self.expr(value), self.expr(by))
                }
            },
            ("MAX_BY", [value, by]) => {
                format!("arg_max_null({}, {}){window}", self.expr(value), self.expr(by))
            }
            ("MIN_BY", [value, by]) => {
                format!("arg_min_null({}, {}){window}", self.expr(value), self.expr(by))
            }
            ("LOGICAL_AND", [value]) => format!("bool_and({}){window}", self.expr(value)),
            ("LOGICAL_OR", [value]) => format!("bool_or({}){window}", self.expr(value)),
            ("BIT_AND" | "BIT_OR" | "BIT_XOR", [value])
                if self.resolved.argument(span_of(value)) == Some(&Type::Bytes) =>
            {
                let (value, name) = (self.expr(value), name.to_ascii_lowercase());
                format!(
                    "list_reduce(list({distinct}{value}) FILTER (WHERE {value} IS NOT NULL){window}, \
                     lambda \"bits$1\", \"bits$2\": {}.{name}(\"bits$1\", \"bits$2\"))",
                    super::RUNTIME_SCHEMA
                )
            }
            ("BIT_AND" | "BIT_OR" | "BIT_XOR", [value]) => {
                format!("{}({distinct}{}){window}", name.to_ascii_lowercase(), self.expr(value))
            }
            // Exact, which is within the error that BigQuery allows itself.
            ("APPROX_COUNT_DISTINCT", [value]) => format!("count(DISTINCT {}){window}", self.expr(value)),
            ("APPROX_QUANTILES", [value, count]) if !clauses.distinct => self.quantiles(value, count, span),
            ("APPROX_TOP_COUNT" | "APPROX_TOP_SUM", [_, .., count])
                if over.is_none() && distinct.is_empty() =>
            {
                self.top(name, &exprs, count, span)
            }
            ("STDDEV" | "STDDEV_SAMP", [value]) => {
                self.statistic("stddev_samp", distinct, &[value], &window, span)
            }
            ("STDDEV_POP", [value]) => self.statistic("stddev_pop", distinct, &[value], &window, span),
            ("VARIANCE" | "VAR_SAMP", [value]) => {
                self.statistic("var_samp", distinct, &[value], &window, span)
            }
            ("VAR_POP", [value]) => self.statistic("var_pop", distinct, &[value], &window, span),
            ("CORR", [left, right]) if distinct.is_empty() => {
                // NULL for fewer than two pairs, where DuckDB gives NaN.
                let pairs = self.statistic("regr_count", distinct, &[left, right], &window, span);
                let value = self.statistic("corr", distinct, &[left, right], &window, span);
                format!("(CASE WHEN {pairs} > 1 THEN {value} END)")
            }
            ("COVAR_POP" | "COVAR_SAMP", [left, right]) => {
                self.statistic(&name.to_ascii_lowercase(), distinct, &[left, right], &window, span)
            }
            ("GROUPING", [value]) => format!("CAST(grouping({}) AS BIGINT)", self.expr(value)),
            ("PERCENTILE_CONT" | "PERCENTILE_DISC", [value, fraction]) => {
                self.percentile(name, value, fraction, clauses, over, span)
            }
            ("ARRAY_AGG", [value]) => self.array_agg(value, clauses, distinct, &window, span),
            ("ARRAY_CONCAT_AGG", [value]) if !clauses.distinct => {
                let list = self.array_agg(
                    value,
                    &Clauses { nulls: Some(NullTreatment::IgnoreNulls), ..copy(clauses) },
                    "",
                    &window,
                    span,
                );
                format!("flatten({list})")
            }
            ("STRING_AGG", [value]) => self.string_agg(value, None, clauses, distinct, &window),
            ("STRING_AGG", [value, separator]) => {
                self.string_agg(value, Some(separator), clauses, distinct, &window)
            }
            _ => self.refuse(span, format!("{name} with {} arguments", exprs.len())),
        }
    }

    /// AVG of NUMERIC is a NUMERIC, exact to its ninth digit; DuckDB's own average of decimals is a double.
    fn average(&mut self, value: &Expr, distinct: &str, window: &str) -> String {
        let value = self.expr(value);
        let sum = format!("cast_to_type(sum({distinct}{value}){window}, max({value}){window})");
        let count = format!("nullif(count({distinct}{value}){window}, 0)");
        let bound = |sql: String| Argument { sql, opaque: true, constant: false };
        self.call("divide", &[bound(sum), bound(count)])
    }

    /// `HLL_COUNT.…`: sketches in BigQuery's own format.
    pub(super) fn sketch(&mut self, function: &Function, span: Span) -> String {
        let name = function.name.to_string().to_ascii_uppercase();
        let Some((arguments, clauses)) = parts(function) else {
            return self.refuse(span, format!("this form of {name}"));
        };
        let plain = !clauses.distinct
            && clauses.nulls.is_none()
            && clauses.order_by.is_empty()
            && clauses.limit.is_none()
            && clauses.having.is_none();
        let arguments: Vec<&Expr> = arguments.into_iter().flatten().collect();
        if !plain || function.over.is_some() {
            return self.refuse(span, format!("this form of {name}"));
        }
        self.without_aliases(|translator| match (name.as_str(), arguments.as_slice()) {
            ("HLL_COUNT.EXTRACT", [sketch]) => translator.over("hll_extract", &[sketch]),
            ("HLL_COUNT.MERGE", [sketch]) => {
                format!("{}.hll_merge(list({}))", super::RUNTIME_SCHEMA, translator.expr(sketch))
            }
            ("HLL_COUNT.MERGE_PARTIAL", [sketch]) => {
                format!("{}.hll_merge_partial(list({}))", super::RUNTIME_SCHEMA, translator.expr(sketch))
            }
            ("HLL_COUNT.INIT", [value, precision @ ..]) => {
                let digits = match precision {
                    [] => Some(15),
                    [only] => int_literal(only).filter(|digits| (10..=24).contains(digits)),
                    _ => None,
                };
                let Some(digits) = digits else {
                    return translator.refuse(span, "this precision of HLL_COUNT.INIT");
                };
                let argument = translator.argument(value);
                let sql = argument.sql.clone();
                let entry = translator.call("hll_value", &[argument, Argument::constant(digits.to_string())]);
                format!(
                    "{}.hll_init(list(DISTINCT {entry}) FILTER (WHERE {sql} IS NOT NULL), count({sql}), {digits}, typeof(any_value({sql})))",
                    super::RUNTIME_SCHEMA
                )
            }
            _ => translator.refuse(span, format!("the function {name}")),
        })
    }

    fn statistic(
        &mut self,
        native: &str,
        distinct: &str,
        exprs: &[&Expr],
        window: &str,
        span: Span,
    ) -> String {
        let is_big = self.resolved.is_big_call(span);
        let list: Vec<String> = exprs.iter().map(|expr| self.as_double(expr, is_big)).collect();
        format!("{native}({distinct}{}){window}", list.join(", "))
    }

    fn percentile(
        &mut self,
        name: &str,
        value: &Expr,
        fraction: &Expr,
        clauses: &Clauses<'_>,
        over: Option<&str>,
        span: Span,
    ) -> String {
        let fraction =
            float_literal(fraction).or_else(|| int_literal(fraction).map(|number| number.to_string()));
        match (fraction, over, clauses.nulls) {
            (Some(fraction), Some(over), None | Some(NullTreatment::IgnoreNulls)) if !clauses.distinct => {
                let value = self.expr(value);
                let fraction = plain_number(&fraction);
                if name == "PERCENTILE_CONT" {
                    percentile_cont(&value, &fraction, over)
                } else {
                    format!("quantile_disc({value}, {fraction}) OVER {over}")
                }
            }
            _ => self.refuse(span, format!("this form of {name}")),
        }
    }

    fn array_agg(
        &mut self,
        value: &Expr,
        clauses: &Clauses<'_>,
        distinct: &str,
        window: &str,
        span: Span,
    ) -> String {
        if clauses.limit.is_some() && !window.is_empty() {
            return self.refuse(span, "ARRAY_AGG with LIMIT over a window");
        }
        let value = self.expr(value);
        let order = self.order_within(clauses.order_by);
        let filter = match clauses.nulls {
            Some(NullTreatment::IgnoreNulls) => format!(" FILTER (WHERE {value} IS NOT NULL)"),
            _ => String::new(),
        };
        let list = format!("array_agg({distinct}{value}{order}){filter}{window}");
        self.limited(list, clauses)
    }

    fn string_agg(
        &mut self,
        value: &Expr,
        separator: Option<&Expr>,
        clauses: &Clauses<'_>,
        distinct: &str,
        window: &str,
    ) -> String {
        let bytes = separator.and_then(text_of_bytes);
        let value = if bytes.is_some() { self.over("text_of_bytes", &[value]) } else { self.expr(value) };
        let separator = match (&bytes, separator) {
            (Some(text), _) => quote(text),
            (None, Some(separator)) => self.expr(separator),
            (None, None) => "','".to_owned(),
        };
        let order = self.order_within(clauses.order_by);
        let joined = if clauses.limit.is_none() {
            format!("string_agg({distinct}{value}, {separator}{order}){window}")
        } else {
            let list = format!("array_agg({distinct}{value}{order}) FILTER (WHERE {value} IS NOT NULL)");
            format!("list_aggregate({}, 'string_agg', {separator})", self.limited(list, clauses))
        };
        if bytes.is_some() { format!("{}.bytes_of_text({joined})", super::RUNTIME_SCHEMA) } else { joined }
    }

    fn limited(&mut self, list: String, clauses: &Clauses<'_>) -> String {
        match clauses.limit {
            Some(limit) => {
                let limit = self.argument(limit);
                self.call("first_elements", &[Argument { sql: list, opaque: true, constant: false }, limit])
            }
            None => list,
        }
    }

    fn order_within(&mut self, order_by: &[OrderByExpr]) -> String {
        if order_by.is_empty() {
            return String::new();
        }
        let order: Vec<String> = order_by.iter().map(|item| self.order_item(item)).collect();
        format!(" ORDER BY {}", order.join(", "))
    }

    /// What stands after OVER.
    pub(super) fn window_type(&mut self, over: &WindowType) -> String {
        match over {
            WindowType::NamedWindow(name) => Ident::new(&name.value).to_string(),
            WindowType::WindowSpec(spec) => self.window_spec(spec),
        }
    }

    /// The definition of a named window.
    pub(super) fn named_window(&mut self, window: &NamedWindowExpr) -> String {
        match window {
            NamedWindowExpr::NamedWindow(name) => format!("({})", Ident::new(&name.value)),
            NamedWindowExpr::WindowSpec(spec) => self.window_spec(spec),
        }
    }

    fn window_spec(&mut self, spec: &WindowSpec) -> String {
        let mut parts = Vec::new();
        if let Some(name) = &spec.window_name {
            parts.push(Ident::new(&name.value).to_string());
        }
        if !spec.partition_by.is_empty() {
            let list: Vec<String> = spec.partition_by.iter().map(|expr| self.expr(expr)).collect();
            parts.push(format!("PARTITION BY {}", list.join(", ")));
        }
        if !spec.order_by.is_empty() {
            let list: Vec<String> = spec.order_by.iter().map(|item| self.order_item(item)).collect();
            parts.push(format!("ORDER BY {}", list.join(", ")));
        }
        if let Some(frame) = &spec.window_frame {
            parts.push(self.frame(frame));
        }
        format!("({})", parts.join(" "))
    }

    fn frame(&mut self, frame: &WindowFrame) -> String {
        let units = match frame.units {
            WindowFrameUnits::Rows => "ROWS",
            WindowFrameUnits::Range => "RANGE",
            WindowFrameUnits::Groups => return self.refuse(Span::empty(), "a window frame in GROUPS"),
        };
        let start = self.bound(&frame.start_bound);
        match &frame.end_bound {
            Some(end) => format!("{units} BETWEEN {start} AND {}", self.bound(end)),
            None => format!("{units} {start}"),
        }
    }

    fn bound(&mut self, bound: &WindowFrameBound) -> String {
        match bound {
            WindowFrameBound::CurrentRow => "CURRENT ROW".to_owned(),
            WindowFrameBound::Preceding(None) => "UNBOUNDED PRECEDING".to_owned(),
            WindowFrameBound::Following(None) => "UNBOUNDED FOLLOWING".to_owned(),
            WindowFrameBound::Preceding(Some(distance)) => {
                format!("{} PRECEDING", self.compared(distance, &[]))
            }
            WindowFrameBound::Following(Some(distance)) => {
                format!("{} FOLLOWING", self.compared(distance, &[]))
            }
        }
    }

    /// One item of ORDER BY: NULLs come first in ascending order and last in descending order.
    pub(super) fn order_item(&mut self, item: &OrderByExpr) -> String {
        use sqlparser::ast::OrderBySort;
        if let Some(fill) = &item.with_fill {
            let _ = fill;
            return self.refuse(item.expr.span(), "ORDER BY with FILL");
        }
        let sql = self.compared(&item.expr, &[]);
        let descending = match &item.options.sort {
            None | Some(OrderBySort::Asc) => false,
            Some(OrderBySort::Desc) => true,
            Some(_) => return self.refuse(item.expr.span(), "ORDER BY with USING"),
        };
        let direction = if descending { "DESC" } else { "ASC" };
        let nulls_first = item.options.nulls_first.unwrap_or(!descending);
        format!("{sql} {direction} NULLS {}", if nulls_first { "FIRST" } else { "LAST" })
    }
}

/// How many of the smallest values `PERCENTILE_CONT` looks at; for rows beyond, DuckDB's own function stands in, which may
/// differ in the last bit.
const EXACT_VALUES: u32 = 256;

/// `PERCENTILE_CONT` over a window. BigQuery finds the place between two values in exact arithmetic, where the fraction is
/// a FLOAT64, `mantissa / 2^exponent`. The interpolated value of a NUMERIC is a FLOAT64 in BigQuery too.
fn percentile_cont(value: &str, fraction: &str, over: &str) -> String {
    let value = format!("CAST({value} AS DOUBLE)");
    let near = format!("quantile_cont({value}, {fraction}) OVER {over}");
    match fraction.parse::<f64>().ok().and_then(binary_fraction) {
        Some((mantissa, exponent)) => format!(
            "{}.percentile_cont(min({value}, {EXACT_VALUES}) OVER {over}, count({value}) OVER {over}, {mantissa}, {exponent}, {near})",
            super::RUNTIME_SCHEMA
        ),
        None => near,
    }
}

/// A number from 0 to 1 as `mantissa / 2^exponent`, if products of the mantissa with a count fit into INT64.
fn binary_fraction(number: f64) -> Option<(u64, u64)> {
    if !(0.0..=1.0).contains(&number) {
        return None;
    }
    let bits = number.to_bits();
    let (stored, field) = (bits & ((1 << 52) - 1), bits >> 52);
    if number == 0.0 || field == 0 {
        return (stored == 0).then_some((0, 0));
    }
    // The number is `mantissa * 2^(field - 1075)`.
    let mantissa = stored | 1 << 52;
    let idle = u64::from(mantissa.trailing_zeros());
    let exponent = 1075_u64.checked_sub(field)?.checked_sub(idle)?;
    (exponent <= 62).then_some((mantissa >> idle, exponent))
}

fn copy<'a>(clauses: &Clauses<'a>) -> Clauses<'a> {
    Clauses {
        distinct: clauses.distinct,
        nulls: clauses.nulls,
        order_by: clauses.order_by,
        limit: clauses.limit,
        having: clauses.having,
    }
}

/// Takes a call apart; none if it has a clause that no aggregate of BigQuery has.
fn parts(function: &Function) -> Option<(Arguments<'_>, Clauses<'_>)> {
    let mut clauses = Clauses { nulls: function.null_treatment, ..Clauses::default() };
    let list = match &function.args {
        FunctionArguments::None => return Some((Vec::new(), clauses)),
        FunctionArguments::Subquery(_) => return None,
        FunctionArguments::List(list) => list,
    };
    clauses.distinct = matches!(list.duplicate_treatment, Some(DuplicateTreatment::Distinct));
    for clause in &list.clauses {
        match clause {
            FunctionArgumentClause::IgnoreOrRespectNulls(treatment) => clauses.nulls = Some(*treatment),
            FunctionArgumentClause::OrderBy(order_by) => clauses.order_by = order_by,
            FunctionArgumentClause::Limit(limit) => clauses.limit = Some(limit),
            FunctionArgumentClause::Having(bound) => {
                clauses.having = Some((matches!(bound.0, HavingBoundKind::Max), &bound.1));
            }
            FunctionArgumentClause::Where(_)
            | FunctionArgumentClause::OnOverflow(_)
            | FunctionArgumentClause::Separator(_)
            | FunctionArgumentClause::JsonNullClause(_)
            | FunctionArgumentClause::JsonReturningClause(_) => return None,
        }
    }
    let arguments = list
        .args
        .iter()
        .map(|argument| match argument {
            FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Some(Some(expr)),
            FunctionArg::Unnamed(FunctionArgExpr::Wildcard) => Some(None),
            _ => None,
        })
        .collect::<Option<Vec<_>>>()?;
    Some((arguments, clauses))
}
