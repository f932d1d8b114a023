//! DATE, TIME, DATETIME and TIMESTAMP.
//!
//! Years have four digits; months, days, hours, minutes and seconds one or two, as in GoogleSQL's canonical
//! forms, <https://cloud.google.com/bigquery/docs/reference/standard-sql/data-types#canonical_format_for_timestamp_literals>.

use chrono::offset::{MappedLocalTime, Offset, TimeZone};
use chrono::{DateTime, NaiveDateTime, TimeDelta};

use super::ValueFault;

const SECOND: i64 = 1_000_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// Offsets go from -14:00 to +14:00.
///
/// Source: `IsValidTimeZone` of <https://github.com/google/googlesql/blob/master/googlesql/public/functions/date_time_util.cc>
const LARGEST_OFFSET: i64 = 14 * HOUR;

/// 0001-01-01 00:00:00 UTC.
const EARLIEST: i64 = -719_162 * DAY;

/// 10000-01-01 00:00:00 UTC, the first instant that is out of range.
const AFTER_LATEST: i64 = 2_932_897 * DAY;

/// DATE as days since 1970-01-01: `YYYY-MM-DD` or `YYYY-M-D`, 0001-01-01 to 9999-12-31.
#[inline]
pub fn date(text: &[u8]) -> Result<i32, ValueFault> {
    let mut rest = Cursor { rest: text };
    let days = rest.date(false)?.ok_or(ValueFault::Date)?;
    if rest.rest.is_empty() { Ok(days) } else { Err(ValueFault::Date) }
}

/// TIME as microseconds since midnight: `HH:MM:SS[.ffffff]`.
#[inline]
pub fn time(text: &[u8]) -> Result<i64, ValueFault> {
    let mut rest = Cursor { rest: text };
    let micros = rest.time(false)?.ok_or(ValueFault::Time)?;
    if rest.rest.is_empty() { Ok(micros) } else { Err(ValueFault::Time) }
}

/// DATETIME as microseconds since 1970-01-01 00:00:00: `YYYY-MM-DD[( |T)HH:MM:SS[.ffffff]]`, no time zone.
#[inline]
pub fn datetime(text: &[u8]) -> Result<i64, ValueFault> {
    let mut rest = Cursor { rest: text };
    let days = rest.date(false)?.ok_or(ValueFault::Datetime)?;
    let micros = if rest.rest.is_empty() {
        0
    } else if rest.time_follows() {
        rest.time(false)?.ok_or(ValueFault::Datetime)?
    } else {
        return Err(ValueFault::Datetime);
    };
    if rest.rest.is_empty() { Ok(i64::from(days) * DAY + micros) } else { Err(ValueFault::Datetime) }
}

/// TIMESTAMP as microseconds since 1970-01-01 00:00:00 UTC:
/// `YYYY-MM-DD[( |T)HH:MM[:SS[.ffffff]]][zone]`, the date also as `YYYY/MM/DD`.
///
/// The zone is `Z`, `UTC`, an offset `±H[H][:M[M]]`, each with or without a blank before it, or an IANA name after
/// a blank; without one it is UTC. A local time that a change of clocks skips or repeats is read with the offset
/// from before the change, as BigQuery does. Laxer than a load job: the time may be missing, which means midnight.
/// Stricter: a bare number (Unix time) is refused, because its unit would be a guess.
#[inline]
pub fn timestamp(text: &[u8]) -> Result<i64, ValueFault> {
    let mut rest = Cursor { rest: text };
    let Some(days) = rest.date(true)? else {
        let number = text.iter().any(u8::is_ascii_digit)
            && std::str::from_utf8(text).is_ok_and(|text| super::float64(text).is_ok());
        return Err(if number { ValueFault::EpochNumber } else { ValueFault::Timestamp });
    };
    let mut local = i64::from(days) * DAY;
    if rest.time_follows() {
        local += rest.time(true)?.ok_or(ValueFault::Timestamp)?;
    }
    if rest.rest.is_empty() {
        return Ok(local);
    }
    let instant = local - offset(rest.rest, local)?;
    if (EARLIEST..AFTER_LATEST).contains(&instant) { Ok(instant) } else { Err(ValueFault::TimestampRange) }
}

/// The offset from UTC, in microseconds, of the zone written at a timestamp's end.
fn offset(text: &[u8], local: i64) -> Result<i64, ValueFault> {
    let blank = text.starts_with(b" ");
    let name = if blank { &text[1..] } else { text };
    match name {
        [b'+' | b'-', digits @ ..] => {
            let size = offset_size(digits).ok_or(ValueFault::Zone)?;
            Ok(if name[0] == b'-' { -size } else { size })
        }
        _ if name.eq_ignore_ascii_case(b"Z") || name.eq_ignore_ascii_case(b"UTC") => Ok(0),
        [b'a'..=b'z' | b'A'..=b'Z', ..] if blank => {
            let name = std::str::from_utf8(name).map_err(|_| ValueFault::Zone)?;
            let zone: chrono_tz::Tz = name.parse().map_err(|_| ValueFault::Zone)?;
            zone_offset(zone, local).ok_or(ValueFault::Zone)
        }
        [b'a'..=b'z' | b'A'..=b'Z', ..] => Err(ValueFault::Zone),
        _ => Err(ValueFault::Timestamp),
    }
}

fn offset_size(digits: &[u8]) -> Option<i64> {
    let mut rest = Cursor { rest: digits };
    let hours = rest.number(1, 2)?;
    let minutes = if rest.rest.is_empty() {
        0
    } else {
        rest.eat(b':')?;
        rest.number(1, 2)?
    };
    let size = i64::from(hours) * HOUR + i64::from(minutes) * MINUTE;
    (rest.rest.is_empty() && minutes < 60 && size <= LARGEST_OFFSET).then_some(size)
}

fn zone_offset(zone: chrono_tz::Tz, local: i64) -> Option<i64> {
    let clock = DateTime::from_timestamp_micros(local)?.naive_utc();
    let at = |clock: &NaiveDateTime| match zone.offset_from_local_datetime(clock) {
        MappedLocalTime::Single(offset) => Some(offset),
        // The earlier instant has the offset from before the change.
        MappedLocalTime::Ambiguous(earlier, _) => Some(earlier),
        MappedLocalTime::None => None,
    };
    // In a gap the offset from before it holds: go back, hour by hour, until the clock exists. The longest gap is
    // the day that Samoa and Tokelau left out in 2011.
    let offset = (0..=25).find_map(|hours| at(&clock.checked_sub_signed(TimeDelta::hours(hours))?))?;
    Some(i64::from(offset.fix().local_minus_utc()) * SECOND)
}

struct Cursor<'a> {
    rest: &'a [u8],
}

impl Cursor<'_> {
    /// Days since 1970-01-01. `None` when it is not written as a date.
    #[inline]
    fn date(&mut self, slashes: bool) -> Result<Option<i32>, ValueFault> {
        let Some((year, month, day)) = self.date_parts(slashes) else { return Ok(None) };
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let last = match month {
            2 if leap => 29,
            2 => 28,
            4 | 6 | 9 | 11 => 30,
            1..=12 => 31,
            _ => return Err(ValueFault::NoSuchDay),
        };
        if year == 0 || day == 0 || day > last {
            return Err(ValueFault::NoSuchDay);
        }
        Ok(Some(days_since_epoch(year, month, day)))
    }

    #[inline]
    fn date_parts(&mut self, slashes: bool) -> Option<(i32, i32, i32)> {
        let year = self.number(4, 4)?;
        let separator = match self.rest.first() {
            Some(b'/') if slashes => b'/',
            _ => b'-',
        };
        self.eat(separator)?;
        let month = self.number(1, 2)?;
        self.eat(separator)?;
        let day = self.number(1, 2)?;
        Some((year, month, day))
    }

    /// Whether a blank or `T` and a digit come next; if so, the blank or `T` is taken.
    #[inline]
    fn time_follows(&mut self) -> bool {
        match self.rest {
            [b' ' | b'T' | b't', b'0'..=b'9', ..] => {
                self.rest = &self.rest[1..];
                true
            }
            _ => false,
        }
    }

    /// Microseconds since midnight. `None` when it is not written as a time.
    #[inline]
    fn time(&mut self, seconds_optional: bool) -> Result<Option<i64>, ValueFault> {
        let Some(hour) = self.number(1, 2) else { return Ok(None) };
        let Some(minute) = self.eat(b':').and_then(|()| self.number(1, 2)) else { return Ok(None) };
        let (mut second, mut fraction) = (0, 0);
        if self.rest.first() == Some(&b':') || !seconds_optional {
            let Some(number) = self.eat(b':').and_then(|()| self.number(1, 2)) else { return Ok(None) };
            second = number;
            if self.eat(b'.').is_some() {
                let Some(number) = self.fraction()? else { return Ok(None) };
                fraction = number;
            }
        }
        if hour > 23 || minute > 59 || second > 59 {
            return Err(ValueFault::NoSuchTime);
        }
        let whole = i64::from(hour) * HOUR + i64::from(minute) * MINUTE + i64::from(second) * SECOND;
        Ok(Some(whole + fraction))
    }

    /// Microseconds from the digits after the point. Zeros beyond the sixth digit lose nothing and are taken.
    #[inline]
    fn fraction(&mut self) -> Result<Option<i64>, ValueFault> {
        let count = self.rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (digits, rest) = self.rest.split_at(count);
        self.rest = rest;
        if digits.iter().skip(6).any(|&byte| byte != b'0') {
            return Err(ValueFault::Nanoseconds);
        }
        let micros = (0..6)
            .fold(0, |value, index| value * 10 + i64::from(digits.get(index).map_or(0, |byte| byte - b'0')));
        Ok((count > 0).then_some(micros))
    }

    /// A number of `least` to `most` digits; `most` is at most 9.
    #[inline]
    fn number(&mut self, least: usize, most: usize) -> Option<i32> {
        let mut value = 0;
        let mut count = 0;
        while count < most
            && let Some(byte @ b'0'..=b'9') = self.rest.get(count)
        {
            value = value * 10 + i32::from(byte - b'0');
            count += 1;
        }
        self.rest = self.rest.get(count..)?;
        (count >= least).then_some(value)
    }

    #[inline]
    fn eat(&mut self, byte: u8) -> Option<()> {
        let (&first, rest) = self.rest.split_first()?;
        (first == byte).then(|| self.rest = rest)
    }
}

/// Days since 1970-01-01 of a date in the Gregorian calendar, year 1 or later.
///
/// Years begin in March, so that the leap day is the last one: <https://howardhinnant.github.io/date_algorithms.html>
#[inline]
fn days_since_epoch(year: i32, month: i32, day: i32) -> i32 {
    let year = if month <= 2 { year - 1 } else { year };
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    year * 365 + year / 4 - year / 100 + year / 400 + day_of_year - 719_468
}
