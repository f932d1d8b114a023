//! Dates and times.

use sqlparser::ast::{DateTimeField, Expr, Interval, Spanned};
use sqlparser::tokenizer::Span;

use super::literal::{int_literal, quote, string_literal};
use super::operator::{Argument, is_null};
use std::sync::Arc;

use super::zone::Transitions;
use super::{RUNTIME_SCHEMA, Translator};
use crate::diag::Code;
use crate::googlesql::resolved::span_of;
use crate::googlesql::{Type, clock};

/// A part of a date or time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// One that DuckDB has under this name, of so many microseconds if they are always as many.
    Plain(&'static str, i64),
    /// A week that begins on a day, 0 for Sunday.
    Week(i64),
    /// The date, time or both of a timestamp.
    Whole(&'static str),
    /// The day of the week or year.
    DayOf(&'static str),
}

/// A time zone.
pub(super) enum Zone {
    /// UTC by any of its names.
    Utc,
    /// So many minutes east of UTC.
    Offset(i64),
    /// One with rules.
    Named(Arc<Transitions>),
    /// One that is no literal, as SQL: each row has its own.
    Computed(String),
}

fn plain(name: &str) -> Option<Part> {
    Some(match name {
        "YEAR" => Part::Plain("year", 0),
        "ISOYEAR" => Part::Plain("isoyear", 0),
        "QUARTER" => Part::Plain("quarter", 0),
        "MONTH" => Part::Plain("month", 0),
        "ISOWEEK" => Part::Plain("week", 0),
        "WEEK" => Part::Week(0),
        "DAY" => Part::Plain("day", 86_400_000_000),
        "HOUR" => Part::Plain("hour", 3_600_000_000),
        "MINUTE" => Part::Plain("minute", 60_000_000),
        "SECOND" => Part::Plain("second", 1_000_000),
        "MILLISECOND" => Part::Plain("millisecond", 1_000),
        "MICROSECOND" => Part::Plain("microsecond", 1),
        "DAYOFWEEK" => Part::DayOf("dayofweek"),
        "DAYOFYEAR" => Part::DayOf("dayofyear"),
        "DATE" => Part::Whole("date"),
        "DATETIME" => Part::Whole("datetime"),
        "TIME" => Part::Whole("time"),
        _ => return None,
    })
}

fn weekday(name: &str) -> Option<i64> {
    ["SUNDAY", "MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY"]
        .iter()
        .position(|day| day.eq_ignore_ascii_case(name))
        .and_then(|index| i64::try_from(index).ok())
}

/// Whether a word names a part of a date or time.
pub(super) fn is_part(word: &str) -> bool {
    plain(word).is_some()
}

/// The part that an argument such as `MONTH` or `WEEK(MONDAY)` names.
fn part_of(expr: &Expr) -> Option<Part> {
    match expr {
        Expr::Identifier(word) => plain(&word.value.to_ascii_uppercase()),
        Expr::Function(function) if function.name.to_string().eq_ignore_ascii_case("WEEK") => {
            match super::function::positional(function)?.as_slice() {
                [Expr::Identifier(day)] => weekday(&day.value).map(Part::Week),
                _ => None,
            }
        }
        _ => None,
    }
}

pub(super) fn part_of_field(field: &DateTimeField) -> Option<Part> {
    match field {
        DateTimeField::Week(Some(day)) => weekday(&day.value).map(Part::Week),
        DateTimeField::Week(None) => Some(Part::Week(0)),
        DateTimeField::DayOfWeek => Some(Part::DayOf("dayofweek")),
        DateTimeField::DayOfYear => Some(Part::DayOf("dayofyear")),
        other => plain(&other.to_string().to_ascii_uppercase()),
    }
}

/// Days to move a date by so that weeks that begin on `start` begin on Monday.
fn shift(start: i64) -> String {
    (1 - start).to_string()
}

/// The TIMESTAMP that a text literal stands for, whatever its zone.
pub(super) fn timestamp_text(expr: &Expr) -> Option<String> {
    Translator::temporal_literal(&Type::Timestamp, string_literal(expr)?)
}

/// The TIMESTAMP at which the clocks of a zone show a DATETIME.
fn clock_to_utc(clock: &str, zone: &Zone) -> String {
    match zone {
        Zone::Utc => format!("{RUNTIME_SCHEMA}.utc({clock})"),
        Zone::Offset(minutes) => format!("{RUNTIME_SCHEMA}.utc_clocked({clock} - to_minutes({minutes}))"),
        Zone::Named(zone) => format!(
            "{RUNTIME_SCHEMA}.utc_clocked({RUNTIME_SCHEMA}.clock_of_zone({clock}, {}))",
            zone.to_utc()
        ),
        Zone::Computed(zone) => {
            format!("{RUNTIME_SCHEMA}.utc_clocked(make_timestamp(zone_instant(epoch_us({clock}), {zone})))")
        }
    }
}

/// What a clock in a zone shows when a clock in UTC shows something.
fn clock_of(utc: &str, zone: &Zone) -> String {
    match zone {
        Zone::Utc => utc.to_owned(),
        Zone::Offset(minutes) => format!("({utc} + to_minutes({minutes}))"),
        Zone::Named(zone) => format!("{RUNTIME_SCHEMA}.clock_of_zone({utc}, {})", zone.to_local()),
        Zone::Computed(zone) => format!("make_timestamp(zone_clock(epoch_us({utc}), {zone}))"),
    }
}

impl Translator<'_> {
    /// `EXTRACT(part FROM x [AT TIME ZONE z])`.
    pub(super) fn extract(&mut self, field: &DateTimeField, expr: &Expr, span: Span) -> String {
        if let Some(sql) = self.extract_of_interval(field, expr) {
            return sql;
        }
        let clock = match expr {
            Expr::AtTimeZone { timestamp, time_zone } => match self.zone(time_zone) {
                Some(zone) => self.clock_in(timestamp, &zone),
                None => return "NULL".to_owned(),
            },
            _ => self.over("clock", &[expr]),
        };
        match part_of_field(field) {
            Some(Part::Plain("week", _)) => format!("{RUNTIME_SCHEMA}.extract_isoweek({clock})"),
            Some(Part::Plain(name, _) | Part::DayOf(name) | Part::Whole(name)) => {
                format!("{RUNTIME_SCHEMA}.extract_{name}({clock})")
            }
            Some(Part::Week(start)) => format!("{RUNTIME_SCHEMA}.extract_week({clock}, {start})"),
            None => self.refuse(span, format!("EXTRACT of {field}")),
        }
    }

    /// What a clock in a zone shows at a TIMESTAMP.
    fn clock_in(&mut self, timestamp: &Expr, zone: &Zone) -> String {
        let utc = self.over("clock", &[timestamp]);
        clock_of(&utc, zone)
    }

    /// A time zone's name or offset.
    pub(super) fn zone(&mut self, expr: &Expr) -> Option<Zone> {
        let Some(text) = string_literal(expr) else { return Some(Zone::Computed(self.expr(expr))) };
        if ["UTC", "GMT", "Etc/UTC", "Etc/GMT", "Zulu", "Etc/Zulu", "Universal"]
            .iter()
            .any(|name| name.eq_ignore_ascii_case(text))
        {
            return Some(Zone::Utc);
        }
        match clock::Zone::parse(text) {
            Some(clock::Zone::Offset(offset)) => {
                return Some(Zone::Offset(i64::from(offset.local_minus_utc()) / 60));
            }
            Some(clock::Zone::Named(zone)) => return Some(Zone::Named(Transitions::of(zone))),
            None => {}
        }
        self.invalid(Code::SqlInvalid, expr.span(), format!("there is no time zone `{text}`"));
        None
    }

    /// Functions of dates and times.
    pub(super) fn temporal(&mut self, name: &str, arguments: &[&Expr], span: Span) -> Option<String> {
        let lower = name.to_ascii_lowercase();
        Some(match (name, arguments) {
            ("CURRENT_DATE" | "CURRENT_DATETIME" | "CURRENT_TIME" | "CURRENT_TIMESTAMP", []) => {
                self.call(&lower, &[])
            }
            ("CURRENT_DATE" | "CURRENT_DATETIME" | "CURRENT_TIME", [zone]) => match self.zone(zone)? {
                Zone::Utc => self.call(&lower, &[]),
                zone => {
                    let clock = clock_of(&format!("{RUNTIME_SCHEMA}.current_datetime()"), &zone);
                    format!("{RUNTIME_SCHEMA}.extract_{}({clock})", lower.trim_start_matches("current_"))
                }
            },
            ("TIMESTAMP", [value]) if timestamp_text(value).is_some() => timestamp_text(value)?,
            ("DATE" | "TIME" | "DATETIME" | "TIMESTAMP", [value]) => {
                self.over(&format!("as_{lower}"), &[value])
            }
            ("DATE", [_, _, _]) => self.over("date_of", arguments),
            ("TIME", [_, _, _]) => self.over("time_of", arguments),
            ("DATETIME", [_, _, _, _, _, _]) => self.over("datetime_of", arguments),
            ("DATETIME", [date, time])
                if string_literal(time).is_none()
                    && self.resolved.argument(span_of(date)) != Some(&Type::Timestamp) =>
            {
                self.over("date_and_time", &[date, time])
            }
            ("DATE" | "TIME" | "DATETIME", [value, zone]) => {
                let zone = self.zone(zone)?;
                let clock = self.clock_in(value, &zone);
                format!("{RUNTIME_SCHEMA}.extract_{lower}({clock})")
            }
            ("TIMESTAMP", [value, zone]) => {
                let zone = self.zone(zone)?;
                let clock = self.over("as_datetime", &[value]);
                clock_to_utc(&clock, &zone)
            }
            (
                "DATE_ADD" | "DATETIME_ADD" | "TIMESTAMP_ADD" | "TIME_ADD" | "DATE_SUB" | "DATETIME_SUB"
                | "TIMESTAMP_SUB" | "TIME_SUB",
                [value, Expr::Interval(interval)],
            ) => {
                let by_month = matches!(
                    interval.leading_field.as_ref().and_then(part_of_field),
                    Some(Part::Plain("year" | "quarter" | "month", _))
                );
                if by_month && name.starts_with("TIME") {
                    return Some(self.invalid(
                        Code::SqlInvalid,
                        span,
                        format!("{name} takes no part longer than a day"),
                    ));
                }
                let value = self.temporal_argument(name, value);
                let interval_sql = self.interval(interval);
                let opaque = self.is_opaque(&interval.value);
                let macro_name = if name.ends_with("ADD") { "add_interval" } else { "subtract_interval" };
                self.call(macro_name, &[value, Argument { sql: interval_sql, opaque, constant: false }])
            }
            ("DATE_DIFF" | "DATETIME_DIFF" | "TIMESTAMP_DIFF" | "TIME_DIFF", [left, right, part]) => {
                let part = part_of(part);
                let left = self.temporal_argument(name, left);
                let right = self.temporal_argument(name, right);
                match part {
                    Some(Part::Week(start)) => {
                        self.call("week_difference", &[Argument::constant(shift(start)), left, right])
                    }
                    // DuckDB counts weeks of seven days, and not Mondays.
                    Some(Part::Plain("week", _)) => {
                        self.call("week_difference", &[Argument::constant(shift(1)), left, right])
                    }
                    Some(Part::Plain(part, unit)) => {
                        if name == "TIMESTAMP_DIFF" && unit == 0 {
                            return Some(self.refuse(span, "TIMESTAMP_DIFF by a part longer than a day"));
                        }
                        let part = Argument::constant(quote(part));
                        self.call("difference", &[part, Argument::constant(unit.to_string()), left, right])
                    }
                    _ => self.refuse(span, format!("{name} by this part")),
                }
            }
            ("DATE_TRUNC" | "DATETIME_TRUNC" | "TIMESTAMP_TRUNC" | "TIME_TRUNC", [value, part]) => {
                self.truncate(name, value, part, span)
            }
            ("DATE_TRUNC" | "DATETIME_TRUNC" | "TIMESTAMP_TRUNC", [value, part, zone]) => {
                match self.zone(zone)? {
                    Zone::Utc => self.truncate(name, value, part, span),
                    zone => self.truncate_in_zone(name, value, part, &zone, span),
                }
            }
            ("LAST_DAY", [value]) => {
                let clock = self.over("clock", &[value]);
                format!("{RUNTIME_SCHEMA}.last_day('month', to_months(1), {clock})")
            }
            ("LAST_DAY", [value, part]) => {
                let clock = self.over("clock", &[value]);
                match part_of(part) {
                    Some(Part::Plain("year", _)) => {
                        format!("{RUNTIME_SCHEMA}.last_day('year', to_months(12), {clock})")
                    }
                    Some(Part::Plain("quarter", _)) => {
                        format!("{RUNTIME_SCHEMA}.last_day('quarter', to_months(3), {clock})")
                    }
                    Some(Part::Plain("month", _)) => {
                        format!("{RUNTIME_SCHEMA}.last_day('month', to_months(1), {clock})")
                    }
                    Some(Part::Plain("isoyear", _)) => {
                        format!("{RUNTIME_SCHEMA}.last_day_of_isoyear({clock})")
                    }
                    Some(Part::Plain("week", _)) => format!("{RUNTIME_SCHEMA}.last_day_of_week(0, {clock})"),
                    Some(Part::Week(start)) => {
                        format!("{RUNTIME_SCHEMA}.last_day_of_week({}, {clock})", shift(start))
                    }
                    _ => self.refuse(span, "LAST_DAY of this part"),
                }
            }
            ("FORMAT_DATE" | "FORMAT_DATETIME" | "FORMAT_TIME" | "FORMAT_TIMESTAMP", [format, value]) => {
                let clock = self.over("clock", &[value]);
                self.format_clock(format, &clock, None)
            }
            ("FORMAT_TIMESTAMP", [format, value, zone]) => {
                let zone = self.zone(zone)?;
                let clock = self.clock_in(value, &zone);
                let utc = self.over("clock", &[value]);
                self.format_clock(format, &clock, Some(&utc))
            }
            ("PARSE_DATE" | "PARSE_DATETIME" | "PARSE_TIME" | "PARSE_TIMESTAMP", [format, value]) => {
                self.parse_clock(&lower, format, value)
            }
            ("PARSE_TIMESTAMP", [format, value, zone]) => match self.zone(zone)? {
                Zone::Utc => self.parse_clock(&lower, format, value),
                zone if string_literal(format)
                    .is_some_and(|text| !text.contains('z') && !text.contains("%s")) =>
                {
                    let clock = self.parse_clock("parse_datetime", format, value);
                    clock_to_utc(&clock, &zone)
                }
                _ => self.refuse(format.span(), "PARSE_TIMESTAMP with two time zones"),
            },
            ("STRING", [value, zone]) => self.string_in_zone(value, zone)?,
            (
                "DATE_BUCKET" | "DATETIME_BUCKET" | "TIMESTAMP_BUCKET",
                [value, Expr::Interval(width), origin @ ..],
            ) if origin.len() <= 1 => self.bucket(name, value, width, origin.first().copied(), span),
            ("GENERATE_DATE_ARRAY", [first, last]) => {
                let arguments = [self.argument(first), self.argument(last), Argument::constant("to_days(1)")];
                self.call("generate_date_array", &arguments)
            }
            ("GENERATE_DATE_ARRAY", [_, _, Expr::Interval(_)]) => self.over(&lower, arguments),
            ("GENERATE_TIMESTAMP_ARRAY", [first, last, step @ Expr::Interval(_)]) => {
                let bounds =
                    [self.temporal_argument("TIMESTAMP", first), self.temporal_argument("TIMESTAMP", last)];
                let [first, last] = bounds;
                let step = self.argument(step);
                self.call(&lower, &[first, last, step])
            }
            _ => return None,
        })
    }

    /// An argument whose literal text is read as the function's own type.
    fn temporal_argument(&mut self, name: &str, expr: &Expr) -> Argument {
        if string_literal(expr).is_none() && !is_null(expr) {
            return self.argument(expr);
        }
        let cast = format!("as_{}", name.split('_').next().unwrap_or_default().to_ascii_lowercase());
        Argument { sql: self.over(&cast, &[expr]), opaque: false, constant: false }
    }

    /// `STRING(timestamp, zone)`: the clock of the zone and its distance from UTC.
    fn string_in_zone(&mut self, value: &Expr, zone: &Expr) -> Option<String> {
        let zone = self.zone(zone)?;
        let (clock, utc) = (self.clock_in(value, &zone), self.over("clock", &[value]));
        Some(format!("{RUNTIME_SCHEMA}.zoned_string({clock}, {utc})"))
    }

    /// The start of the bucket of a width, counted from an origin: 1950 without one.
    fn bucket(
        &mut self,
        name: &str,
        value: &Expr,
        width: &Interval,
        origin: Option<&Expr>,
        span: Span,
    ) -> String {
        let (Some(count), Some(part)) = (
            int_literal(&width.value),
            width.leading_field.as_ref().and_then(part_of_field).filter(|_| width.last_field.is_none()),
        ) else {
            return self.refuse(span, format!("{name} by this interval"));
        };
        let (micros, months) = match part {
            Part::Plain("year", _) => (0, 12),
            Part::Plain("quarter", _) => (0, 3),
            Part::Plain("month", _) => (0, 1),
            Part::Week(0) => (7 * 86_400_000_000, 0),
            Part::Plain(_, unit) if unit > 0 => (unit, 0),
            _ => return self.refuse(span, format!("{name} by this interval")),
        };
        let days = micros % 86_400_000_000 == 0;
        if (name.starts_with("DATE_") && !days) || (name.starts_with("TIMESTAMP") && months > 0) {
            return self.invalid(Code::SqlInvalid, span, format!("{name} takes no interval in this part"));
        }
        let (Some(micros), Some(months)) = (count.checked_mul(micros), count.checked_mul(months)) else {
            return self.invalid(Code::SqlInvalid, span, "the interval is too long");
        };
        let value = self.temporal_argument(name, value);
        let clock = self.call("clock", &[value]);
        let origin = match origin {
            Some(origin) => {
                let origin = self.temporal_argument(name, origin);
                self.call("clock", &[origin])
            }
            None => "TIMESTAMP '1950-01-01 00:00:00'".to_owned(),
        };
        let bucket = format!("{RUNTIME_SCHEMA}.bucket({clock}, {origin}, {micros}, {months})");
        match name {
            "DATE_BUCKET" => format!("{RUNTIME_SCHEMA}.dated(CAST({bucket} AS DATE))"),
            "DATETIME_BUCKET" => format!("{RUNTIME_SCHEMA}.clocked({bucket})"),
            _ => format!("{RUNTIME_SCHEMA}.utc_clocked({bucket})"),
        }
    }

    /// A TIMESTAMP at the start of a part by the clocks of a zone.
    fn truncate_in_zone(&mut self, name: &str, value: &Expr, part: &Expr, zone: &Zone, span: Span) -> String {
        let clock = self.clock_in(value, zone);
        match part_of(part) {
            // The clocks of a zone are off by minutes at most: what has passed of the part is taken away.
            Some(Part::Plain(part, unit)) if unit > 0 && unit < 86_400_000_000 => {
                let value = self.argument(value);
                format!("{RUNTIME_SCHEMA}.truncate_clock({}, {clock}, {})", quote(part), value.sql)
            }
            Some(Part::Week(start)) => {
                clock_to_utc(&format!("{RUNTIME_SCHEMA}.truncate_week({}, {clock})", shift(start)), zone)
            }
            Some(Part::Plain(part, _)) => {
                clock_to_utc(&format!("{RUNTIME_SCHEMA}.truncate({}, {clock})", quote(part)), zone)
            }
            _ => self.refuse(span, format!("{name} to this part")),
        }
    }

    fn truncate(&mut self, name: &str, value: &Expr, part: &Expr, span: Span) -> String {
        let value = self.temporal_argument(name, value);
        match part_of(part) {
            Some(Part::Week(start)) => self.call("truncate_week", &[Argument::constant(shift(start)), value]),
            Some(Part::Plain(part, _)) => self.call("truncate", &[Argument::constant(quote(part)), value]),
            _ => self.refuse(span, format!("{name} to this part")),
        }
    }
}
