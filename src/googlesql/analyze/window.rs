//! OVER: partitions, order, frames and named windows.

use sqlparser::ast::{
    Function as Call, FunctionArguments, Ident, NamedWindowExpr, Spanned, WindowFrame, WindowFrameBound,
    WindowFrameUnits, WindowSpec, WindowType,
};

use super::analyzer::{Analyzer, Context};
use super::coerce::{Verdict, groupable};
use super::expression::span_of;
use super::functions::Function;
use super::scope::same_name;
use super::signature::Kind;
use super::sources::Sources;
use crate::diag::{Code, did_you_mean};
use crate::googlesql::{SqlFault, Type};

impl<'q> Analyzer<'q, '_> {
    /// Checks the OVER of a call and gives the columns that it names.
    pub(super) fn over(&mut self, call: &'q Call, function: &Function, context: &Context<'_, 'q>) -> Sources {
        let Some(over) = &call.over else { return Sources::None };
        let context = Context { windows: false, clause: "a window", ..*context };
        let mut sources = Sources::None;
        let mut ordered = false;
        let mut framed = false;
        match over {
            WindowType::WindowSpec(window) => {
                ordered |= !window.order_by.is_empty();
                framed |= window.window_frame.is_some();
                sources.add(&self.window(window, &context));
                if let Some(name) = &window.window_name {
                    ordered |= self.named_is_ordered(name, &context, 0);
                }
            }
            WindowType::NamedWindow(name) => ordered |= self.named_is_ordered(name, &context, 0),
        }
        let span = call.name.span();
        let name = function.name;
        match function.kind {
            Kind::Ordered if !ordered => {
                let fault =
                    SqlFault::new(Code::SqlAggregation, span, format!("{name} needs ORDER BY in its window"));
                self.fault(fault.help(format!("write {name}(…) OVER (PARTITION BY … ORDER BY …)")));
            }
            Kind::Unordered if ordered => {
                self.wrong(Code::SqlAggregation, span, format!("{name} takes no ORDER BY in its window"));
            }
            _ => {}
        }
        if framed
            && matches!(
                name,
                "ROW_NUMBER"
                    | "RANK"
                    | "DENSE_RANK"
                    | "PERCENT_RANK"
                    | "CUME_DIST"
                    | "NTILE"
                    | "LAG"
                    | "LEAD"
                    | "PERCENTILE_CONT"
                    | "PERCENTILE_DISC"
            )
        {
            self.wrong(
                Code::SqlAggregation,
                span,
                format!("{name} takes no frame (ROWS or RANGE) in its window"),
            );
        }
        let distinct =
            matches!(&call.args, FunctionArguments::List(list) if list.duplicate_treatment.is_some());
        if distinct && ordered {
            let message = format!("{name}(DISTINCT …) takes no ORDER BY in its window");
            self.wrong(Code::SqlAggregation, span, message);
        }
        sources
    }

    /// The expressions of a window.
    pub(super) fn window(&mut self, window: &'q WindowSpec, context: &Context<'_, 'q>) -> Sources {
        let mut sources = Sources::None;
        for key in &window.partition_by {
            let value = self.expression(key, context);
            if groupable(&value.data_type) == Verdict::No || value.data_type == Type::Float64 {
                let fault = SqlFault::new(
                    Code::SqlTypeMismatch,
                    span_of(key),
                    format!("PARTITION BY does not take values of type {}", value.data_type),
                );
                let help = (value.data_type == Type::Float64)
                    .then(|| "CAST(value AS STRING), or as NUMERIC".to_owned());
                self.fault(fault.maybe_help(help));
            }
            sources.add(&value.sources);
        }
        sources.add(&self.order(&window.order_by, context));
        if let Some(frame) = &window.window_frame {
            self.frame(frame, window, context);
        }
        sources
    }

    fn frame(&mut self, frame: &'q WindowFrame, window: &'q WindowSpec, context: &Context<'_, 'q>) {
        let mut bounds = vec![&frame.start_bound];
        bounds.extend(&frame.end_bound);
        let mut measured = None;
        for bound in bounds {
            let (WindowFrameBound::Preceding(Some(distance)) | WindowFrameBound::Following(Some(distance))) =
                bound
            else {
                continue;
            };
            let value = self.expression(distance, context);
            measured = Some(&**distance);
            let fits = match frame.units {
                WindowFrameUnits::Rows => value.data_type == Type::Int64,
                _ => value.data_type.is_numeric(),
            };
            if !fits && !value.is_unknown() {
                let message = format!("the distance of a frame is a number, and this is {}", value.shown());
                self.wrong(Code::SqlTypeMismatch, span_of(distance), message);
            }
        }
        if let (WindowFrameUnits::Range, Some(distance)) = (frame.units, measured)
            && let [key] = window.order_by.as_slice()
        {
            let value = self.expression(&key.expr, context);
            if !value.data_type.is_numeric() && !value.is_unknown() {
                let fault = SqlFault::new(
                    Code::SqlTypeMismatch,
                    span_of(distance),
                    format!("RANGE measures a distance in numbers, and ORDER BY is {}", value.data_type),
                );
                let help = match value.data_type {
                    Type::Date => Some("ORDER BY UNIX_DATE(day) counts in days"),
                    Type::Timestamp => Some("ORDER BY UNIX_SECONDS(timestamp) counts in seconds"),
                    _ => None,
                };
                self.fault(fault.maybe_help(help.map(str::to_owned)));
            }
        }
    }

    /// Whether a named window has an ORDER BY; a fault when there is no such window.
    fn named_is_ordered(&mut self, name: &Ident, context: &Context<'_, 'q>, depth: usize) -> bool {
        let window = context.named_windows.iter().find(|window| same_name(&window.0.value, &name.value));
        match window.map(|window| &window.1) {
            Some(NamedWindowExpr::WindowSpec(window)) => {
                !window.order_by.is_empty()
                    || (depth < context.named_windows.len()
                        && window
                            .window_name
                            .as_ref()
                            .is_some_and(|name| self.named_is_ordered(name, context, depth + 1)))
            }
            Some(NamedWindowExpr::NamedWindow(other)) => {
                depth < context.named_windows.len() && self.named_is_ordered(other, context, depth + 1)
            }
            None => {
                let names = context.named_windows.iter().map(|window| window.0.value.as_str());
                let fault = SqlFault::new(
                    Code::SqlUnknownColumn,
                    name.span,
                    format!("there is no window `{}` here", name.value),
                );
                self.fault(fault.maybe_help(did_you_mean(&name.value, names)));
                // Whether it would have been ordered is anybody's guess.
                true
            }
        }
    }
}
