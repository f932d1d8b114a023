//! Function calls: which function, which signature, and what it needs around it.

use sqlparser::ast::{
    DuplicateTreatment, Expr, Function as Call, FunctionArg, FunctionArgExpr, FunctionArgumentClause,
    FunctionArguments, Interval, ObjectNamePart, OrderByExpr, Spanned,
};
use sqlparser::tokenizer::Span;

use super::analyzer::{Analyzer, Context};
use super::coerce::{Verdict, conversion, orderable};
use super::expression::{join, span_of};
use super::functions::{Function, Known, advice, find};
use super::parts::{Use, argument_name, field_name, is_part, is_weekday, parts_of};
use super::scope::print_of;
use super::signature::{
    Argument, Count, Fit, Given, Kind, Misfit, Pattern, Signature, distinct_takes, legend,
};
use super::sources::Sources;
use super::taken::TAKE_ANY;
use super::value::{Form, Value};
use crate::diag::Code;
use crate::googlesql::{SqlFault, Type};

/// Arguments and their places.
#[derive(Default)]
struct Placed<'q> {
    arguments: Vec<Argument<'q>>,
    places: Vec<&'q Expr>,
}

impl<'q> Placed<'q> {
    fn push(&mut self, argument: Argument<'q>, place: &'q Expr) {
        self.arguments.push(argument);
        self.places.push(place);
    }

    fn iter(&self) -> impl Iterator<Item = (&Argument<'q>, &'q Expr)> {
        self.arguments.iter().zip(self.places.iter().copied())
    }
}

/// The second argument of NORMALIZE.
const NORMAL_FORMS: &[&str] = &["NFC", "NFKC", "NFD", "NFKD"];

/// Functions whose results differ from call to call.
const VOLATILE: &[&str] = &["RAND", "GENERATE_UUID"];

impl<'q> Analyzer<'q, '_> {
    /// A call in function form.
    pub(super) fn call(&mut self, call: &'q Call, context: &Context<'_, 'q>) -> Value<'q> {
        let mut parts: Vec<&str> = call
            .name
            .0
            .iter()
            .map(|part| match part {
                ObjectNamePart::Identifier(name) => name.value.as_str(),
                ObjectNamePart::Function(function) => function.name.value.as_str(),
            })
            .collect();
        if parts.len() > 1 && parts.first().is_some_and(|first| first.eq_ignore_ascii_case("SAFE")) {
            parts.remove(0);
        }
        let name = parts.join(".").to_uppercase();
        let span = call.name.span();
        match (&call.args, name.as_str()) {
            (FunctionArguments::Subquery(subquery), "ARRAY") => {
                return self.array_subquery(subquery, context);
            }
            (FunctionArguments::Subquery(subquery), _) => {
                let output = self.query(subquery, Some(context.scope));
                let value = self.single(output, subquery, "a function").unwrap_or_else(Value::unknown);
                return Value {
                    sources: value.sources,
                    ..self.unknown(span, "a call with a subquery is not checked")
                };
            }
            (_, "UNNEST") => {
                let fault = SqlFault::new(Code::SqlInvalid, span, "UNNEST stands in FROM, or behind IN");
                self.fault(fault);
                return Value::unknown();
            }
            _ => {}
        }
        let known = find(&name);
        let Known::Signed(function) = known else {
            let sources = self.loose_arguments(call, context);
            let value = if let Known::Unsigned = known {
                self.unknown(span, format!("the result of {name} is not known"))
            } else {
                let fault = SqlFault::new(
                    Code::SqlUnknownFunction,
                    span,
                    format!("GoogleSQL has no function {name}"),
                );
                self.fault(fault.maybe_help(advice(&name)));
                Value::unknown()
            };
            return Value { sources, ..value };
        };
        self.check_filter(call, function);
        let inner = self.enter(function, call, context);
        // Columns within an aggregate need not be grouped.
        let was_off = (function.kind == Kind::Aggregate && call.over.is_none())
            .then(|| context.scope.recorder.set_off(true));
        let value = self.signed(call, function, span, &inner);
        if let Some(was_off) = was_off {
            context.scope.recorder.set_off(was_off);
        }
        let mut value = value;
        if call.over.is_some() {
            value.sources.add(&self.over(call, function, context));
        }
        if function.kind != Kind::Scalar {
            value.print = 0;
        }
        value
    }

    /// What stands around the arguments of a function, after checking that it may stand here at all.
    fn enter<'s>(
        &mut self,
        function: &Function,
        call: &'q Call,
        context: &Context<'s, 'q>,
    ) -> Context<'s, 'q> {
        let span = call.name.span();
        let name = function.name;
        if function.kind == Kind::Scalar {
            if call.over.is_some() {
                let message = format!("{name} is no window function: it takes no OVER");
                self.wrong(Code::SqlAggregation, span, message);
            }
            return *context;
        }
        if call.over.is_some() {
            context.scope.recorder.saw_window();
            if !context.windows {
                let fault = SqlFault::new(
                    Code::SqlAggregation,
                    span,
                    format!("a window function cannot stand in {}", context.clause),
                );
                let help = match context.clause {
                    "WHERE" | "HAVING" => Some("filter on it with QUALIFY"),
                    "GROUP BY" => Some("compute it in a subquery"),
                    _ => None,
                };
                self.fault(fault.maybe_help(help.map(str::to_owned)));
            }
            return Context { windows: false, clause: "the arguments of a window function", ..*context };
        }
        if function.kind != Kind::Aggregate {
            let fault = SqlFault::new(Code::SqlAggregation, span, format!("{name} needs OVER (…)"));
            self.fault(fault.help(format!("write {name}(…) OVER (PARTITION BY … ORDER BY …)")));
            return *context;
        }
        context.scope.recorder.saw_aggregate();
        if !context.aggregates {
            let nested = context.clause == "the arguments of an aggregate";
            let message = if nested {
                format!("{name} cannot stand in the arguments of another aggregate")
            } else {
                format!("the aggregate {name} cannot stand in {}", context.clause)
            };
            let help = match context.clause {
                "WHERE" => Some("filter groups with HAVING"),
                "the arguments of an aggregate" => Some("compute the inner one in a subquery"),
                "GROUP BY" | "JOIN … ON" => Some("compute it in a subquery"),
                _ => None,
            };
            let fault = SqlFault::new(Code::SqlAggregation, span, message);
            self.fault(fault.maybe_help(help.map(str::to_owned)));
        }
        Context { aggregates: false, windows: false, clause: "the arguments of an aggregate", ..*context }
    }

    /// A call of a function with signatures.
    fn signed(
        &mut self,
        call: &'q Call,
        function: &'static Function,
        span: Span,
        context: &Context<'_, 'q>,
    ) -> Value<'q> {
        let FunctionArguments::List(list) = &call.args else {
            // CURRENT_DATE without parentheses.
            return self.matched(function, &Placed::default(), span);
        };
        let orders = matches!(function.name, "ARRAY_AGG" | "STRING_AGG" | "ARRAY_CONCAT_AGG");
        let ordered = |clause: &&FunctionArgumentClause| {
            matches!(clause, FunctionArgumentClause::OrderBy(_) | FunctionArgumentClause::Limit(_))
        };
        if !orders && list.clauses.iter().any(|clause| ordered(&clause)) {
            let message = format!("{} takes no ORDER BY and no LIMIT in its parentheses", function.name);
            self.wrong(Code::SqlInvalid, span, message);
        }
        let mut clause_sources = Sources::None;
        for clause in &list.clauses {
            clause_sources.add(&self.clause(clause, context));
        }
        if let ("COUNT", [FunctionArg::Unnamed(FunctionArgExpr::Wildcard)]) =
            (function.name, list.args.as_slice())
        {
            return Value { print: 0, ..Value::of(Type::Int64) };
        }
        let mut placed = Placed::default();
        for argument in &list.args {
            let (name, inner) = match argument {
                FunctionArg::Named { name, arg, .. } => (Some(name.value.as_str()), arg),
                FunctionArg::ExprNamed { arg, .. } => (Some(""), arg),
                FunctionArg::Unnamed(arg) => (None, arg),
            };
            let FunctionArgExpr::Expr(place) = inner else {
                self.wrong(Code::SqlWrongArguments, span, format!("{} does not take `*`", function.name));
                return Value::unknown();
            };
            let given = self.given(function, placed.places.len(), place, context);
            placed.push(Argument { name, given }, place);
        }
        if list.duplicate_treatment == Some(DuplicateTreatment::Distinct) {
            self.distinct(function, &placed, span);
        }
        let mut value = self.matched(function, &placed, span);
        value.sources.add(&clause_sources);
        value
    }

    /// A call in a special form, `SUBSTRING(text FROM 2)`, as the function it stands for.
    pub(super) fn call_of(
        &mut self,
        name: &'static str,
        arguments: &[&'q Expr],
        whole: &'q Expr,
        context: &Context<'_, 'q>,
    ) -> Value<'q> {
        let Known::Signed(function) = find(name) else { return Value::unknown() };
        let mut placed = Placed::default();
        for place in arguments {
            let given = self.given(function, placed.places.len(), place, context);
            placed.push(Argument { name: None, given }, place);
        }
        self.matched(function, &placed, span_of(whole))
    }

    /// What stands at the place of an argument.
    fn given(
        &mut self,
        function: &Function,
        position: usize,
        place: &'q Expr,
        context: &Context<'_, 'q>,
    ) -> Given<'q> {
        let takes = |test: fn(&Signature, usize) -> bool| {
            function.signatures.iter().any(|signature| test(signature, position))
        };
        if takes(Signature::takes_word) && argument_name(place).is_some() {
            return Given::Word;
        }
        if takes(Signature::takes_interval)
            && let Expr::Interval(interval) = place
            && interval.last_field.is_none()
        {
            let value = self.expression(&interval.value, context);
            let whole_text = matches!(value.form, Form::Text(text) if text.trim().parse::<i64>().is_ok());
            if !whole_text && conversion(&value, &Type::Int64).is_none() {
                let message = format!(
                    "INTERVAL takes a whole number (INT64) in {}, and this is {}",
                    function.name,
                    value.shown()
                );
                self.wrong(Code::SqlTypeMismatch, span_of(&interval.value), message);
            }
            return Given::Interval(value.sources, value.print);
        }
        let value = self.expression(place, context);
        if TAKE_ANY.contains(&function.name) {
            self.resolved.add_argument(span_of(place), &value.data_type);
        }
        Given::Value(value)
    }

    /// The best signature for the arguments.
    fn matched(&mut self, function: &'static Function, placed: &Placed<'q>, span: Span) -> Value<'q> {
        let arguments = &placed.arguments;
        let mut sources = Sources::None;
        let mut print = if VOLATILE.contains(&function.name) { 0 } else { print_of(function.name) };
        let mut unsure = false;
        for (argument, place) in placed.iter() {
            match &argument.given {
                Given::Value(value) => {
                    sources.add(&value.sources);
                    print = join(print, value.print);
                    unsure |= value.is_unknown();
                }
                Given::Word => print = join(print, print_of(&place.to_string().to_uppercase())),
                Given::Interval(interval, inner) => {
                    sources.add(interval);
                    print = join(join(print, *inner), print_of(&place.to_string().to_uppercase()));
                }
            }
        }
        let unnamed = |argument: &&Argument<'q>| {
            argument.name.is_some_and(|name| !function.signatures.iter().any(|own| own.has_name(name)))
        };
        if arguments.iter().find(unnamed).is_some() {
            let message = format!("arguments by name are not checked for {}", function.name);
            return Value { sources, ..self.unknown(span, message) };
        }
        let mut best: Option<(&'static Signature, Fit)> = None;
        let mut misfit = Misfit::Count;
        let mut several = false;
        for signature in &function.signatures {
            match signature.fit(arguments) {
                Ok(fit) => {
                    several |= best.as_ref().is_some_and(|(_, other)| other.result != fit.result);
                    if best.as_ref().is_none_or(|(_, other)| fit.price < other.price) {
                        best = Some((signature, fit));
                    }
                }
                Err(other) => misfit = misfit.max(other),
            }
        }
        let Some((signature, fit)) = best else {
            self.misfit(function, placed, span, misfit);
            return Value { sources, ..Value::unknown() };
        };
        self.check_arguments(function, signature, &fit, placed, span);
        if let ("ARRAY_AGG", Some((Argument { given: Given::Value(value), .. }, place))) =
            (function.name, placed.iter().next())
            && matches!(value.data_type, Type::Array(_))
        {
            let fault = SqlFault::new(Code::SqlTypeMismatch, span_of(place), "an array cannot hold arrays");
            self.fault(fault.help("ARRAY_CONCAT_AGG joins arrays to one"));
        }
        let data_type = if unsure && several { Type::Unknown } else { fit.result };
        let form = if function.name == "ERROR" { Form::Null } else { Form::Computed };
        Value { form, ..Value::computed(data_type, sources, print) }
    }

    /// The fault of a call that fits no signature.
    fn misfit(&mut self, function: &'static Function, placed: &Placed<'q>, span: Span, misfit: Misfit) {
        let given: Vec<String> = placed
            .iter()
            .map(|(argument, place)| match &argument.given {
                Given::Value(value) => value.shown(),
                Given::Word | Given::Interval(..) => place.to_string(),
            })
            .collect();
        let near = |signature: &&Signature| {
            misfit == Misfit::Count || signature.fit(&placed.arguments) != Err(Misfit::Count)
        };
        let signatures: Vec<String> = function.signatures.iter().filter(near).map(Signature::shown).collect();
        let shown = signatures.iter().take(4).map(String::as_str).collect::<Vec<_>>().join(", or ");
        let more = if signatures.len() > 4 { ", …" } else { "" };
        let help = format!("it is {shown}{more}{}", legend(&shown));
        let (code, span, message) = match misfit {
            Misfit::Count => (
                Code::SqlWrongArguments,
                span,
                match placed.places.len() {
                    0 => format!("{} takes arguments, and here is none", function.name),
                    count => format!(
                        "{} does not take {count} argument{}: ({})",
                        function.name,
                        if count == 1 { "" } else { "s" },
                        given.join(", ")
                    ),
                },
            ),
            Misfit::Type(position) => (
                Code::SqlTypeMismatch,
                position
                    .and_then(|position| placed.places.get(position))
                    .map_or(span, |place| span_of(place)),
                format!("{} does not take ({})", function.name, given.join(", ")),
            ),
        };
        self.fault(SqlFault::new(code, span, message).help(help));
    }

    /// Checks that date parts fit the type, and that text literals are what they are taken for.
    fn check_arguments(
        &mut self,
        function: &Function,
        signature: &Signature,
        fit: &Fit,
        placed: &Placed<'q>,
        span: Span,
    ) {
        let subject = signature.parameters.iter().find_map(|parameter| match &parameter.pattern {
            Pattern::Fixed(data_type) if !parts_of(data_type, Use::Truncation).is_empty() => Some(data_type),
            _ => None,
        });
        let last = signature.parameters.last().filter(|last| last.count == Count::Repeated);
        let parameters =
            signature.parameters.iter().chain(std::iter::repeat_n(last, placed.places.len()).flatten());
        for ((argument, place), parameter) in placed.iter().zip(parameters) {
            self.taken_argument(&argument.given, place, (&parameter.pattern, fit), span);
            match (&argument.given, &parameter.pattern) {
                (Given::Value(value), Pattern::Fixed(data_type)) => {
                    self.check_text_literal(value, place, data_type);
                }
                (Given::Value(value), Pattern::Variable(variable)) => {
                    if let Some((_, data_type)) = fit.solution.iter().find(|(own, _)| own == variable) {
                        self.check_text_literal(value, place, data_type);
                    }
                }
                (Given::Word, Pattern::Part) => {
                    let Some((part, weekday)) = argument_name(place) else { continue };
                    self.check_part(function, subject, (&part, weekday.as_deref()), span_of(place));
                }
                (Given::Word, Pattern::Word) => {
                    let word = place.to_string().to_uppercase();
                    if !NORMAL_FORMS.contains(&word.as_str()) {
                        let fault = SqlFault::new(
                            Code::SqlInvalid,
                            span_of(place),
                            format!("{} knows no form {word}", function.name),
                        );
                        self.fault(fault.help(format!("the forms are {}", NORMAL_FORMS.join(", "))));
                    }
                }
                (Given::Interval(..), Pattern::Interval) => {
                    let Expr::Interval(Interval { leading_field: Some(field), value, .. }) = place else {
                        continue;
                    };
                    let (part, weekday) = field_name(field);
                    self.check_part(function, subject, (&part, weekday.as_deref()), span_of(value));
                }
                _ => {}
            }
        }
    }

    fn check_part(
        &mut self,
        function: &Function,
        subject: Option<&Type>,
        (part, weekday): (&str, Option<&str>),
        span: Span,
    ) {
        if !is_part(part) {
            let fault = SqlFault::new(Code::SqlInvalid, span, format!("{part} is no date part"));
            self.fault(fault.maybe_help(subject.map(|subject| {
                format!("the parts of a {subject} are {}", parts_of(subject, Use::Truncation).join(", "))
            })));
            return;
        }
        if let Some(weekday) = weekday.filter(|weekday| part != "WEEK" || !is_weekday(weekday)) {
            self.wrong(Code::SqlInvalid, span, format!("{part}({weekday}) is no date part"));
            return;
        }
        let usage = match function.name {
            "LAST_DAY" => Use::LastDay,
            name if name.ends_with("_DIFF") => Use::Difference,
            name if name.ends_with("_TRUNC") => Use::Truncation,
            _ => Use::Step,
        };
        let Some(subject) = subject else { return };
        let parts = parts_of(subject, usage);
        if !parts.contains(&part) {
            let fault = SqlFault::new(
                Code::SqlTypeMismatch,
                span,
                format!("{} of a {subject} has no part {part}", function.name),
            );
            self.fault(fault.help(format!("its parts are {}", parts.join(", "))));
        }
    }

    /// DISTINCT needs values that can be grouped.
    fn distinct(&mut self, function: &Function, placed: &Placed<'q>, span: Span) {
        if function.kind == Kind::Scalar {
            self.wrong(Code::SqlInvalid, span, format!("{} takes no DISTINCT", function.name));
        }
        for (argument, place) in placed.iter() {
            if let Given::Value(value) = &argument.given
                && !distinct_takes(&value.data_type)
            {
                let message = format!("DISTINCT does not take values of type {}", value.data_type);
                self.wrong(Code::SqlTypeMismatch, span_of(place), message);
            }
        }
    }

    /// ORDER BY, LIMIT and HAVING within the parentheses of an aggregate.
    fn clause(&mut self, clause: &'q FunctionArgumentClause, context: &Context<'_, 'q>) -> Sources {
        match clause {
            FunctionArgumentClause::OrderBy(order) => {
                for key in order.iter().filter(|key| matches!(key.expr, Expr::Value(_))) {
                    self.wrong(Code::SqlInvalid, span_of(&key.expr), "ORDER BY does not take a literal here");
                }
                self.order(order, context)
            }
            FunctionArgumentClause::Having(bound) => {
                let value = self.expression(&bound.1, context);
                self.check_orderable(&value, &bound.1, "HAVING MAX and HAVING MIN");
                value.sources
            }
            FunctionArgumentClause::Limit(count) => {
                let value = self.expression(count, context);
                if conversion(&value, &Type::Int64).is_none() {
                    let message = format!("LIMIT takes a whole number, and this is {}", value.shown());
                    self.wrong(Code::SqlTypeMismatch, span_of(count), message);
                }
                Sources::None
            }
            FunctionArgumentClause::Where(condition) => {
                let value = self.expression(condition, context);
                self.boolean(&value, condition, "WHERE");
                value.sources
            }
            _ => Sources::None,
        }
    }

    /// The expressions of an ORDER BY within a function or a window.
    pub(super) fn order(&mut self, order: &'q [OrderByExpr], context: &Context<'_, 'q>) -> Sources {
        let mut sources = Sources::None;
        for key in order {
            let value = self.expression(&key.expr, context);
            self.check_orderable(&value, &key.expr, "ORDER BY");
            sources.add(&value.sources);
        }
        sources
    }

    /// Checks that values of a type have an order.
    pub(super) fn check_orderable(&mut self, value: &Value<'q>, place: &'q Expr, user: &str) {
        match orderable(&value.data_type) {
            Verdict::No => {
                let message = format!("{user} does not take values of type {}", value.data_type);
                self.wrong(Code::SqlTypeMismatch, span_of(place), message);
            }
            Verdict::Unsure if !value.is_unknown() => {
                self.unchecked(
                    span_of(place),
                    format!("whether {user} takes {} is not checked", value.data_type),
                );
            }
            _ => {}
        }
    }

    /// FILTER and WITHIN GROUP, which other databases have.
    fn check_filter(&mut self, call: &'q Call, function: &Function) {
        if let Some(filter) = &call.filter {
            let fault = SqlFault::new(Code::SqlInvalid, span_of(filter), "GoogleSQL has no FILTER (WHERE …)");
            self.fault(
                fault.help(format!(
                    "write {}(IF(condition, value, NULL)), or COUNTIF(condition)",
                    function.name
                )),
            );
        }
        if let Some(order) = call.within_group.first() {
            let fault =
                SqlFault::new(Code::SqlInvalid, span_of(&order.expr), "GoogleSQL has no WITHIN GROUP");
            self.fault(
                fault
                    .help(format!("write the order within the parentheses: {}(… ORDER BY …)", function.name)),
            );
        }
    }

    /// The arguments of a function that nothing is known of.
    fn loose_arguments(&mut self, call: &'q Call, context: &Context<'_, 'q>) -> Sources {
        let mut sources = Sources::None;
        let FunctionArguments::List(list) = &call.args else { return sources };
        for argument in &list.args {
            let inner = match argument {
                FunctionArg::Named { arg, .. }
                | FunctionArg::ExprNamed { arg, .. }
                | FunctionArg::Unnamed(arg) => arg,
            };
            let FunctionArgExpr::Expr(place) = inner else { continue };
            // A date part is no column.
            let is_bare = argument_name(place).is_some_and(|(word, _)| is_part(&word) || is_weekday(&word));
            if !is_bare {
                sources.add(&self.expression(place, context).sources);
            }
        }
        sources
    }
}
