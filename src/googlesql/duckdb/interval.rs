//! Intervals: literals of one part and of several, and the functions that make and mend them.
//!
//! Source: <https://cloud.google.com/bigquery/docs/reference/standard-sql/interval_functions>

use sqlparser::ast::{DateTimeField, Expr, Function, FunctionArg, FunctionArgExpr, Interval, Spanned};
use sqlparser::tokenizer::Span;

use super::literal::{int_literal, string_literal};
use super::temporal::{Part, part_of_field};
use super::{RUNTIME_SCHEMA, Translator};

/// The parts of an interval from the largest to the smallest.
const PARTS: [&str; 6] = ["year", "month", "day", "hour", "minute", "second"];

/// A constant interval: months, days and microseconds, none of which becomes another.
#[derive(Debug, Default, PartialEq, Eq)]
struct Length {
    months: i64,
    days: i64,
    micros: i64,
}

impl Length {
    /// Reads `1-2 3 4:5:6.789` of the parts `from` to `to`: years and months with their sign, days with theirs, and the
    /// time with its own.
    fn read(text: &str, from: &str, to: &str) -> Option<Self> {
        let place = |part: &str| PARTS.iter().position(|known| *known == part);
        let (from, to) = (place(from)?, place(to)?);
        if from >= to {
            return None;
        }
        let mut length = Self::default();
        let mut words = text.split(' ');
        if from < 2 {
            // YEAR TO MONTH has both; YEAR TO DAY and MONTH TO DAY begin with them as well.
            let (sign, digits) = signed(words.next()?);
            let (years, months) = match (from, to) {
                (0, _) => digits.split_once('-')?,
                _ => ("0", digits),
            };
            length.months = sign * (number(years)?.checked_mul(12)?.checked_add(number(months)?)?);
        }
        if from <= 2 && to >= 2 {
            let (sign, digits) = signed(words.next()?);
            length.days = sign * number(digits)?;
        }
        if to >= 3 {
            let (sign, digits) = signed(words.next()?);
            let parts: Vec<&str> = digits.split(':').collect();
            let first = from.max(3);
            if parts.len() != to - first + 1 {
                return None;
            }
            for (part, digits) in (first..).zip(parts) {
                let micros = match part {
                    3 => number(digits)?.checked_mul(3_600_000_000)?,
                    4 => number(digits)?.checked_mul(60_000_000)?,
                    _ => seconds(digits)?,
                };
                length.micros = length.micros.checked_add(micros)?;
            }
            length.micros *= sign;
        }
        words.next().is_none().then_some(length)
    }

    /// Reads the number of one part; seconds may have a fraction.
    fn of_part(text: &str, part: Part) -> Option<Self> {
        let (sign, digits) = signed(text);
        let times = |unit: i64| number(digits)?.checked_mul(unit * sign);
        Some(match part {
            Part::Plain("year", _) => Self { months: times(12)?, ..Self::default() },
            Part::Plain("quarter", _) => Self { months: times(3)?, ..Self::default() },
            Part::Plain("month", _) => Self { months: times(1)?, ..Self::default() },
            Part::Week(0) => Self { days: times(7)?, ..Self::default() },
            Part::Plain("day", _) => Self { days: times(1)?, ..Self::default() },
            Part::Plain("second", _) => Self { micros: sign * seconds(digits)?, ..Self::default() },
            Part::Plain(_, unit) if unit > 0 => Self { micros: times(unit)?, ..Self::default() },
            _ => return None,
        })
    }

    fn sql(&self) -> String {
        format!(
            "(to_months(CAST({} AS INTEGER)) + to_days(CAST({} AS INTEGER)) + to_microseconds({}))",
            self.months, self.days, self.micros
        )
    }
}

fn signed(text: &str) -> (i64, &str) {
    match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    }
}

fn number(digits: &str) -> Option<i64> {
    (!digits.is_empty() && digits.len() <= 9 && digits.bytes().all(|byte| byte.is_ascii_digit()))
        .then(|| digits.parse().ok())?
}

/// Seconds with up to six digits of a fraction, in microseconds.
fn seconds(digits: &str) -> Option<i64> {
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let fraction = (fraction.len() <= 6).then(|| format!("{fraction:0<6}"))?;
    number(whole)?.checked_mul(1_000_000)?.checked_add(number(&fraction)?)
}

/// Whether an expression is an interval by its shape.
pub(super) fn is_interval(expr: &Expr) -> bool {
    match expr {
        Expr::Interval(_) => true,
        Expr::Nested(inner) => is_interval(inner),
        Expr::Function(function) => matches!(
            function.name.to_string().to_ascii_uppercase().as_str(),
            "MAKE_INTERVAL" | "JUSTIFY_DAYS" | "JUSTIFY_HOURS" | "JUSTIFY_INTERVAL"
        ),
        _ => false,
    }
}

impl Translator<'_> {
    /// An INTERVAL literal.
    pub(super) fn interval(&mut self, interval: &Interval) -> String {
        let span = interval.value.span();
        if interval.leading_precision.is_some() || interval.fractional_seconds_precision.is_some() {
            return self.refuse(span, "an interval with a precision");
        }
        let Some(field) = &interval.leading_field else {
            return self.refuse(span, "an interval without a part");
        };
        if let Some(last) = &interval.last_field {
            return self.long_interval(&interval.value, field, last);
        }
        if let Some(text) = string_literal(&interval.value) {
            return match part_of_field(field).and_then(|part| Length::of_part(text, part)) {
                Some(length) => length.sql(),
                None => {
                    let message = format!("`{text}` is no interval in {field}");
                    self.invalid(crate::diag::Code::SqlInvalid, span, message)
                }
            };
        }
        let number = match int_literal(&interval.value) {
            Some(number) => number.to_string(),
            None => self.expr(&interval.value),
        };
        match part_of_field(field) {
            Some(Part::Plain("year", _)) => format!("to_months(12 * CAST({number} AS INTEGER))"),
            Some(Part::Plain("quarter", _)) => format!("to_months(3 * CAST({number} AS INTEGER))"),
            Some(Part::Plain("month", _)) => format!("to_months(CAST({number} AS INTEGER))"),
            Some(Part::Week(0)) => format!("to_days(7 * CAST({number} AS INTEGER))"),
            Some(Part::Plain("day", _)) => format!("to_days(CAST({number} AS INTEGER))"),
            Some(Part::Plain(_, unit)) if unit > 0 => {
                format!("to_microseconds({unit} * CAST({number} AS BIGINT))")
            }
            _ => self.refuse(span, format!("an interval in {field}")),
        }
    }

    /// The sum or the average of intervals, part by part.
    pub(super) fn interval_total(
        &mut self,
        name: &str,
        value: &Expr,
        distinct: &str,
        window: &str,
    ) -> String {
        let value = self.expr(value);
        let part =
            |part: &str| format!("sum({distinct}{RUNTIME_SCHEMA}.interval_parts({value}).{part}){window}");
        let parts = format!("{}, {}, {}", part("m"), part("d"), part("u"));
        if name == "SUM" {
            return format!("{RUNTIME_SCHEMA}.interval_of({parts})");
        }
        format!("{RUNTIME_SCHEMA}.interval_over({parts}, nullif(count({distinct}{value}){window}, 0))")
    }

    /// `INTERVAL '1-2 3 4:5:6' YEAR TO SECOND`.
    fn long_interval(&mut self, value: &Expr, from: &DateTimeField, to: &DateTimeField) -> String {
        let Some(text) = string_literal(value) else {
            return self.refuse(value.span(), "an interval of several parts that is no literal");
        };
        let names = [from, to].map(|field| field.to_string().to_ascii_lowercase());
        match Length::read(text, &names[0], &names[1]) {
            Some(length) => length.sql(),
            None => {
                let message = format!("`{text}` is no interval of {from} TO {to}");
                self.invalid(crate::diag::Code::SqlInvalid, value.span(), message)
            }
        }
    }

    /// `MAKE_INTERVAL([[year =>] 1] [, [month =>] 2] …)` and the functions that turn days into months.
    pub(super) fn interval_function(
        &mut self,
        name: &str,
        function: &Function,
        span: Span,
    ) -> Option<String> {
        let arguments = super::function::arguments_of(function)?;
        match (name, arguments) {
            (
                "JUSTIFY_DAYS" | "JUSTIFY_HOURS" | "JUSTIFY_INTERVAL",
                [FunctionArg::Unnamed(FunctionArgExpr::Expr(value))],
            ) => Some(self.over(&name.to_ascii_lowercase(), &[value])),
            ("MAKE_INTERVAL", arguments) => {
                let mut parts = vec!["0".to_owned(); PARTS.len()];
                for (place, argument) in arguments.iter().enumerate() {
                    let (place, value) = match argument {
                        FunctionArg::Unnamed(FunctionArgExpr::Expr(value)) => (Some(place), value),
                        FunctionArg::Named { name, arg: FunctionArgExpr::Expr(value), .. } => {
                            (PARTS.iter().position(|part| name.value.eq_ignore_ascii_case(part)), value)
                        }
                        _ => return Some(self.refuse(span, "this form of MAKE_INTERVAL")),
                    };
                    match place.and_then(|place| parts.get_mut(place)) {
                        Some(part) => *part = self.expr(value),
                        None => return Some(self.refuse(span, "this form of MAKE_INTERVAL")),
                    }
                }
                Some(format!("{RUNTIME_SCHEMA}.make_interval({})", parts.join(", ")))
            }
            _ => None,
        }
    }

    /// `EXTRACT(part FROM interval)`; none if the value is no interval as far as its shape tells.
    pub(super) fn extract_of_interval(&mut self, field: &DateTimeField, expr: &Expr) -> Option<String> {
        if !is_interval(expr) {
            return None;
        }
        let part = field.to_string().to_ascii_lowercase();
        Some(match part.as_str() {
            "year" | "month" | "day" | "hour" | "minute" | "second" | "millisecond" | "microsecond" => {
                self.over(&format!("interval_{part}"), &[expr])
            }
            _ => self.refuse(expr.span(), format!("EXTRACT of {field} from an interval")),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Length;

    #[test]
    fn long_intervals_are_read_part_by_part() {
        let length = |months, days, micros| Some(Length { months, days, micros });
        for (text, from, to, expected) in [
            ("1-2", "year", "month", length(14, 0, 0)),
            ("-1-2 3 -4:5:6.5", "year", "second", length(-14, 3, -14_706_500_000)),
            ("1-2 -3", "year", "day", length(14, -3, 0)),
            ("2 3", "month", "day", length(2, 3, 0)),
            ("10:30", "minute", "second", length(0, 0, 630_000_000)),
            ("10:30", "hour", "minute", length(0, 0, 37_800_000_000)),
            ("5 1", "day", "hour", length(0, 5, 3_600_000_000)),
            ("1:2:3.000001", "hour", "second", length(0, 0, 3_723_000_001)),
            ("1", "year", "month", None),
            ("1-2 3", "year", "month", None),
            ("1:2:3.0000001", "hour", "second", None),
            ("1-2", "month", "year", None),
            ("", "day", "hour", None),
        ] {
            assert_eq!(Length::read(text, from, to), expected, "{text} {from} {to}");
        }
    }
}
