//! Dates, times and time zones as texts have them.
//!
//! Source: <https://cloud.google.com/bigquery/docs/reference/standard-sql/lexical-elements#timestamp_literals>

use chrono::{DateTime, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;

/// No clock is put forward by more than this.
const BEFORE_A_CHANGE: TimeDelta = TimeDelta::hours(3);

/// A time zone as a text names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Zone {
    /// A distance from UTC.
    Offset(FixedOffset),
    /// One with rules.
    Named(Tz),
}

impl Zone {
    /// `America/New_York`, `UTC`, `+5:30`, `UTC-3`.
    pub fn parse(text: &str) -> Option<Self> {
        if let Ok(zone) = text.parse::<Tz>() {
            return Some(Self::Named(zone));
        }
        offset(text.strip_prefix("UTC").unwrap_or(text)).map(Self::Offset)
    }

    /// The instant at which the zone's clocks show this. A time that is there twice is the earlier one; one that is
    /// skipped, because a clock is put forward, is read as if the clock had gone on.
    pub fn instant(self, clock: NaiveDateTime) -> Option<NaiveDateTime> {
        match self {
            Self::Offset(offset) => Some(offset.from_local_datetime(&clock).single()?.naive_utc()),
            Self::Named(zone) => {
                let instant: DateTime<Tz> = match zone.from_local_datetime(&clock).earliest() {
                    Some(instant) => instant,
                    None => {
                        let before = clock.checked_sub_signed(BEFORE_A_CHANGE)?;
                        zone.from_local_datetime(&before).earliest()?.checked_add_signed(BEFORE_A_CHANGE)?
                    }
                };
                Some(instant.with_timezone(&Utc).naive_utc())
            }
        }
    }

    /// What the zone's clocks show at an instant.
    pub fn clock(self, instant: NaiveDateTime) -> NaiveDateTime {
        match self {
            Self::Offset(offset) => offset.from_utc_datetime(&instant).naive_local(),
            Self::Named(zone) => zone.from_utc_datetime(&instant).naive_local(),
        }
    }
}

/// `YYYY-M-D`, years from 1 to 9999.
pub fn date(text: &str) -> Option<NaiveDate> {
    let mut parts = text.split('-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    let short = |part: &str| (1..=2).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
    if parts.next().is_some()
        || year.len() != 4
        || !year.bytes().all(|byte| byte.is_ascii_digit())
        || !short(month)
        || !short(day)
    {
        return None;
    }
    let year: i32 = year.parse().ok()?;
    (year > 0).then_some(())?;
    NaiveDate::from_ymd_opt(year, month.parse().ok()?, day.parse().ok()?)
}

/// `H:M:S[.FFFFFF]`.
pub fn time(text: &str) -> Option<NaiveTime> {
    let (clock, fraction) = text.split_once('.').map_or((text, None), |(clock, rest)| (clock, Some(rest)));
    let mut parts = clock.split(':').map(|part| {
        ((1..=2).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit()))
            .then(|| part.parse::<u32>().ok())
            .flatten()
    });
    let (hour, minute, second) = (parts.next()??, parts.next()??, parts.next()??);
    if parts.next().is_some() {
        return None;
    }
    let micros = match fraction {
        None => 0,
        Some(digits)
            if (1..=6).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit()) =>
        {
            format!("{digits:0<6}").parse().ok()?
        }
        Some(_) => return None,
    };
    NaiveTime::from_hms_micro_opt(hour, minute, second, micros)
}

/// A date, with or without a time after a blank or `T`.
pub fn datetime(text: &str) -> Option<NaiveDateTime> {
    match text.split_once([' ', 'T', 't']) {
        Some((day, clock)) => Some(date(day)?.and_time(time(clock)?)),
        None => Some(date(text)?.and_time(NaiveTime::MIN)),
    }
}

/// A date and time with an optional zone: `Z`, an offset, or a name after a blank; UTC without. A date alone takes an
/// offset after a blank, and no name.
pub fn timestamp(text: &str) -> Option<NaiveDateTime> {
    if let Some(plain) = datetime(text) {
        return Some(plain);
    }
    if let Some(plain) = text.strip_suffix(['Z', 'z']) {
        return datetime(plain).filter(|_| text.contains(':'));
    }
    if let Some((clock, zone)) = text.rsplit_once(' ')
        && clock.contains(':') != zone.starts_with(['+', '-'])
        && let (Some(clock), Some(zone)) = (datetime(clock), Zone::parse(zone))
    {
        return zone.instant(clock);
    }
    // The sign of an offset stands behind the date.
    let at = text.get(8..)?.rfind(['+', '-'])? + 8;
    let (clock, zone) = text.split_at(at);
    if !clock.contains(':') {
        return None;
    }
    Zone::Offset(offset(zone)?).instant(datetime(clock)?)
}

/// `+H`, `+HH`, `+HHMM`, `+H:M`, at most 14 hours.
pub fn offset(text: &str) -> Option<FixedOffset> {
    let negative = text.starts_with('-');
    let digits = text.strip_prefix(['+', '-'])?;
    let (hours, minutes) = match digits.split_once(':') {
        Some((hours, minutes)) => (hours, minutes),
        None if digits.len() == 4 => digits.split_at_checked(2)?,
        None => (digits, "0"),
    };
    let number = |part: &str| {
        let plain = (1..=2).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
        plain.then(|| part.parse::<i32>().ok()).flatten()
    };
    let (hours, minutes) = (number(hours)?, number(minutes)?);
    if minutes > 59 || hours * 60 + minutes > 14 * 60 {
        return None;
    }
    let seconds = hours * 3600 + minutes * 60;
    FixedOffset::east_opt(if negative { -seconds } else { seconds })
}

#[cfg(test)]
mod tests {
    use super::timestamp;

    #[test]
    fn a_timestamp_has_a_zone_in_many_forms() {
        for (text, expected) in [
            ("2020-01-01", Some("2020-01-01 00:00:00")),
            ("2020-01-01 00:00:00 America/New_York", Some("2020-01-01 05:00:00")),
            ("2020-01-01T00:00:00.5 Asia/Kolkata", Some("2019-12-31 18:30:00.500")),
            // Skipped, and there twice.
            ("2020-03-08 02:30:00 America/New_York", Some("2020-03-08 07:30:00")),
            ("2020-11-01 01:30:00 America/New_York", Some("2020-11-01 05:30:00")),
            ("2020-01-01 00:00:00 Etc/GMT+3", Some("2020-01-01 03:00:00")),
            ("2020-01-01 00:00:00 UTC+3", Some("2019-12-31 21:00:00")),
            ("2020-01-01 00:00:00 UTC", Some("2020-01-01 00:00:00")),
            ("2020-01-01 00:00:00Z", Some("2020-01-01 00:00:00")),
            ("2020-01-01 00:00:00+0530", Some("2019-12-31 18:30:00")),
            ("2020-01-01 00:00:00+5:3", Some("2019-12-31 18:57:00")),
            ("2020-01-01 00:00:00-8", Some("2020-01-01 08:00:00")),
            ("2020-01-01 +05", Some("2019-12-31 19:00:00")),
            ("2020-01-01+05", None),
            ("2020-01-01 00:00:00 +05", None),
            ("2020-01-01 00:00:00 utc", None),
            ("2020-01-01 UTC", None),
            ("2020-01-01 Europe/Berlin", None),
            ("2020-01-01Z", None),
            ("2020-01-01 00:00:00 Nowhere/City", None),
            ("2020-01-01 00:00:00+14:30", None),
            ("2020-01-01 00:00:00+1é", None),
            ("2020-é1-01 00", None),
        ] {
            assert_eq!(timestamp(text).map(|at| at.to_string()).as_deref(), expected, "{text}");
        }
    }
}
