//! Date parts: their names, and which of them a type has.
//!
//! Source: the `part` argument in <https://cloud.google.com/bigquery/docs/reference/standard-sql/date_functions> and
//! the pages beside it.

use sqlparser::ast::{DateTimeField, Expr, FunctionArg, FunctionArgExpr, FunctionArguments};

use crate::googlesql::Type;

/// What is done with a date part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    /// `DATE_ADD`, `DATE_SUB`, arrays of dates.
    Step,
    /// `DATE_DIFF`.
    Difference,
    /// `DATE_TRUNC`.
    Truncation,
    /// `LAST_DAY`.
    LastDay,
    /// `EXTRACT`.
    Extraction,
}

const TIMES: &[&str] = &["MICROSECOND", "MILLISECOND", "SECOND", "MINUTE", "HOUR"];
const STEPS: &[&str] = &["DAY", "WEEK", "MONTH", "QUARTER", "YEAR"];
const CALENDAR: &[&str] = &["DAY", "WEEK", "ISOWEEK", "MONTH", "QUARTER", "YEAR", "ISOYEAR"];
const PERIODS: &[&str] = &["WEEK", "ISOWEEK", "MONTH", "QUARTER", "YEAR", "ISOYEAR"];
const DAYS_OF: &[&str] = &["DAYOFWEEK", "DAYOFYEAR"];
const WEEKDAYS: &[&str] = &["SUNDAY", "MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY"];

/// The parts that a type has for a use.
pub(super) fn parts_of(data_type: &Type, usage: Use) -> Vec<&'static str> {
    let groups: &[&[&'static str]] = match (data_type, usage) {
        (Type::Date | Type::Datetime, Use::LastDay) => &[PERIODS],
        (Type::Date, Use::Step) => &[STEPS],
        (Type::Date, Use::Difference | Use::Truncation) => &[CALENDAR],
        (Type::Date, Use::Extraction) => &[CALENDAR, DAYS_OF],
        (Type::Datetime, Use::Step) => &[TIMES, STEPS],
        (Type::Timestamp, Use::Step | Use::Difference) => &[TIMES, &["DAY"]],
        (Type::Time, _) => &[TIMES],
        (Type::Datetime, Use::Difference) | (Type::Datetime | Type::Timestamp, Use::Truncation) => {
            &[TIMES, CALENDAR]
        }
        (Type::Datetime, Use::Extraction) => &[TIMES, CALENDAR, DAYS_OF, &["DATE", "TIME"]],
        (Type::Timestamp, Use::Extraction) => &[TIMES, CALENDAR, DAYS_OF, &["DATE", "TIME", "DATETIME"]],
        (Type::Interval, Use::Extraction) => &[TIMES, &["DAY", "MONTH", "YEAR"]],
        _ => &[],
    };
    groups.concat()
}

/// Whether a word is the name of some date part.
pub(super) fn is_part(word: &str) -> bool {
    [TIMES, CALENDAR, DAYS_OF, &["DATE", "TIME", "DATETIME", "NANOSECOND"]].concat().contains(&word)
}

/// The upper-case name of the part of EXTRACT and INTERVAL, and the weekday that weeks begin with.
pub(super) fn field_name(field: &DateTimeField) -> (String, Option<String>) {
    match field {
        DateTimeField::Week(day) => ("WEEK".to_owned(), day.as_ref().map(|day| day.value.to_uppercase())),
        DateTimeField::Custom(word) => (word.value.to_uppercase(), None),
        DateTimeField::DayOfWeek => ("DAYOFWEEK".to_owned(), None),
        DateTimeField::DayOfYear => ("DAYOFYEAR".to_owned(), None),
        DateTimeField::IsoWeek => ("ISOWEEK".to_owned(), None),
        DateTimeField::Isoyear => ("ISOYEAR".to_owned(), None),
        other => (other.to_string().to_uppercase(), None),
    }
}

/// The name of a part given as an argument: `DAY`, `WEEK(MONDAY)`.
pub(super) fn argument_name(argument: &Expr) -> Option<(String, Option<String>)> {
    match argument {
        Expr::Identifier(word) if word.quote_style.is_none() => Some((word.value.to_uppercase(), None)),
        Expr::Function(call) => {
            let FunctionArguments::List(list) = &call.args else { return None };
            match list.args.as_slice() {
                [FunctionArg::Unnamed(FunctionArgExpr::Expr(Expr::Identifier(day)))] => {
                    Some((call.name.to_string().to_uppercase(), Some(day.value.to_uppercase())))
                }
                _ => None,
            }
        }
        _ => None,
    }
}

/// Whether weeks can begin with a day.
pub(super) fn is_weekday(word: &str) -> bool {
    WEEKDAYS.contains(&word)
}
