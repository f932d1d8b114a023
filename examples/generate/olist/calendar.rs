//! Days and seconds: the civil calendar, the text form of a timestamp, and when people order.

use super::chance::Draws;

/// Seconds of a day.
pub const DAY: i64 = 86_400;
/// Seconds of an hour.
pub const HOUR: i64 = 3_600;

/// Days since 1970-01-01 of a date of the Gregorian calendar (Howard Hinnant's `days_from_civil`).
pub const fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// Year, month and day of days since 1970-01-01 (Howard Hinnant's `civil_from_days`).
pub const fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let month = (month_from_march + 2) % 12 + 1;
    let year = year_of_era + era * 400 + if month <= 2 { 1 } else { 0 };
    (year, month, day_of_year - (153 * month_from_march + 2) / 5 + 1)
}

/// `YYYY-MM-DD HH:MM:SS` of seconds since 1970-01-01.
pub fn timestamp(seconds: i64) -> String {
    let (year, month, day) = civil(seconds.div_euclid(DAY));
    let clock = seconds.rem_euclid(DAY);
    let (hour, minute, second) = (clock / HOUR, clock / 60 % 60, clock % 60);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}")
}

/// The text form, empty for NULL.
pub fn optional_timestamp(seconds: Option<i64>) -> String {
    seconds.map(timestamp).unwrap_or_default()
}

/// Midnight before a moment.
pub const fn midnight(seconds: i64) -> i64 {
    seconds.div_euclid(DAY) * DAY
}

/// The first and the last day with an order.
pub const FIRST_DAY: i64 = days(2016, 9, 4);
pub const LAST_DAY: i64 = days(2018, 10, 17);
/// From here on the shop has closed its books: what is still ordered is cancelled.
pub const CLOSING_DAY: i64 = days(2018, 9, 1);

/// How many orders a month has, roughly, in a hundred thousand: growth, one autumn without any, an abrupt end.
const MONTHS: [(i64, i64, u64); 25] = [
    (2016, 9, 5),
    (2016, 10, 330),
    (2016, 12, 1),
    (2017, 1, 800),
    (2017, 2, 1_800),
    (2017, 3, 2_700),
    (2017, 4, 2_400),
    (2017, 5, 3_700),
    (2017, 6, 3_250),
    (2017, 7, 4_000),
    (2017, 8, 4_350),
    (2017, 9, 4_300),
    (2017, 10, 4_650),
    (2017, 11, 7_500),
    (2017, 12, 5_700),
    (2018, 1, 7_300),
    (2018, 2, 6_750),
    (2018, 3, 7_200),
    (2018, 4, 6_950),
    (2018, 5, 6_900),
    (2018, 6, 6_200),
    (2018, 7, 6_300),
    (2018, 8, 6_500),
    (2018, 9, 16),
    (2018, 10, 4),
];

/// Orders by day of the week, Monday first.
const WEEKDAYS: [u64; 7] = [163, 160, 156, 148, 142, 110, 121];

/// Orders by hour of the day.
const HOURS: [u64; 24] =
    [24, 12, 5, 3, 2, 2, 5, 12, 29, 48, 62, 66, 60, 65, 66, 65, 67, 62, 58, 60, 62, 62, 58, 41];

/// Deliveries by hour of the day: afternoons and evenings.
const DELIVERY_HOURS: [u64; 24] =
    [14, 8, 4, 2, 1, 1, 1, 2, 4, 7, 8, 13, 21, 22, 30, 35, 43, 46, 53, 51, 50, 39, 35, 26];

/// Every day that can have orders, with the weights summed so that a share of all orders names a day.
pub struct Days {
    days: Vec<(u64, i64)>,
    total: u64,
}

impl Days {
    pub fn new() -> Self {
        let mut table = Self { days: Vec::new(), total: 0 };
        for (year, month, orders) in MONTHS {
            let first = days(year, month, 1);
            let after = if month == 12 { days(year + 1, 1, 1) } else { days(year, month + 1, 1) };
            let in_month: u64 = (first..after).map(day_weight).sum();
            for day in first..after {
                table.total += orders * 1_000_000 * day_weight(day) / in_month.max(1);
                table.days.push((table.total, day));
            }
        }
        table
    }

    /// The moment of the order that stands at `place` of `places` in time.
    pub fn moment(&self, place: u64, places: u64, draws: &mut Draws) -> i64 {
        let offset = u128::from(place) * u128::from(self.total) + u128::from(draws.below(self.total));
        let target = u64::try_from(offset / u128::from(places.max(1))).unwrap_or_default();
        let found = self.days.partition_point(|(up_to, _)| *up_to <= target);
        let day = match place {
            0 => FIRST_DAY,
            _ if place + 1 == places => LAST_DAY,
            _ => self.days.get(found).map_or(LAST_DAY, |(_, day)| *day),
        };
        day * DAY + hour_of(draws, &HOURS)
    }
}

/// How busy a day is within its month.
fn day_weight(day: i64) -> u64 {
    let weekday = (day + 3).rem_euclid(7);
    let usual = usize::try_from(weekday).map_or(0, |index| WEEKDAYS[index]);
    match civil(day) {
        // The first months were trials on few days.
        (2016, 9, 5..=14) | (2016, 12, 23) => usual,
        (2016, 9 | 12, _) => 0,
        (2016, 10, date) if !(2..=10).contains(&date) => 0,
        (2018, 10, date) if date > 17 => 0,
        // Black Friday and the day after it.
        (2017, 11, 24) => usual * 6,
        (2017, 11, 25) => usual * 3,
        _ => usual,
    }
}

fn hour_of(draws: &mut Draws, weights: &[u64; 24]) -> i64 {
    let hours: [(i64, u64); 24] = std::array::from_fn(|hour| {
        (i64::try_from(hour).unwrap_or_default(), weights.get(hour).copied().unwrap_or_default())
    });
    draws.weighted(&hours, |(_, weight)| *weight).0 * HOUR + draws.between(0, HOUR - 1)
}

/// A second of the day at which parcels are handed over.
pub fn delivery_second(draws: &mut Draws) -> i64 {
    hour_of(draws, &DELIVERY_HOURS)
}
