//! Time zones with rules, written into the SQL: DuckDB has none of its own without ICU.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use chrono::{DateTime, Offset, TimeZone, Utc};
use chrono_tz::Tz;

/// The years for which a zone's rules are written down: from before the first time zones to 2100. What lies behind
/// raises, if the zone's clocks still change then.
const YEARS: (i32, i32) = (1800, 2101);

/// Zones that were asked for: finding the changes of one takes some milliseconds.
static KNOWN: LazyLock<Mutex<HashMap<Tz, Arc<Transitions>>>> = LazyLock::new(Mutex::default);

/// When a zone's distance from UTC changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Transitions {
    /// Seconds east of UTC before the first change.
    first: i64,
    /// The second of each change, and the distance from then on.
    changes: Vec<(i64, i64)>,
}

impl Transitions {
    /// The changes of a zone.
    pub(super) fn of(zone: Tz) -> Arc<Self> {
        let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(known.entry(zone).or_insert_with(|| Arc::new(Self::found(zone))))
    }

    /// The changes of a zone, found by looking at every day and then for the second.
    fn found(zone: Tz) -> Self {
        const DAY: i64 = 86_400;
        let start = Utc.with_ymd_and_hms(YEARS.0, 1, 1, 0, 0, 0).single().map_or(0, |at| at.timestamp());
        let end = Utc.with_ymd_and_hms(YEARS.1, 1, 1, 0, 0, 0).single().map_or(0, |at| at.timestamp());
        let first = distance(zone, start);
        let mut changes = Vec::new();
        let mut at = start;
        let mut current = first;
        while at < end {
            let next = at + DAY;
            if distance(zone, next) == current {
                at = next;
            } else {
                let (mut before, mut after) = (at, next);
                while after - before > 1 {
                    let middle = before + (after - before) / 2;
                    if distance(zone, middle) == current { before = middle } else { after = middle }
                }
                current = distance(zone, after);
                changes.push((after, current));
                // What is left of the day is looked at again: two changes may be a day apart.
                at = after;
            }
        }
        Self { first, changes }
    }

    /// Arguments of the macro `clock_of_zone` from UTC: seconds of the changes, and what to add in each stretch.
    pub(super) fn to_local(&self) -> String {
        let at = self.changes.iter().map(|(second, _)| *second);
        let add = std::iter::once(self.first).chain(self.changes.iter().map(|(_, distance)| *distance));
        self.arguments(at, add)
    }

    /// The first second whose distance is not known: never, if the zone's clocks have come to rest.
    fn last(&self) -> i64 {
        let end = Utc.with_ymd_and_hms(YEARS.1 - 1, 1, 1, 0, 0, 0).single().map_or(0, |at| at.timestamp());
        let restless = self.changes.last().is_some_and(|(second, _)| *second > end - 2 * 31_557_600);
        if restless { end } else { i64::MAX }
    }

    /// Arguments of the macro `clock_of_zone` to UTC. A clock time that exists twice is the earlier one, and one
    /// that was skipped goes by the old distance, as in BigQuery: the new one counts from the later of both.
    pub(super) fn to_utc(&self) -> String {
        let mut old = self.first;
        let mut at = Vec::new();
        for (second, new) in &self.changes {
            at.push(second + old.max(*new));
            old = *new;
        }
        let add = std::iter::once(-self.first).chain(self.changes.iter().map(|(_, distance)| -distance));
        self.arguments(at.into_iter(), add)
    }

    fn arguments(&self, at: impl Iterator<Item = i64>, add: impl Iterator<Item = i64>) -> String {
        let print = |numbers: Vec<String>| numbers.join(", ");
        format!(
            "CAST([{}] AS BIGINT[]), [{}], {}",
            print(at.map(|number| number.to_string()).collect()),
            print(add.map(|number| number.to_string()).collect()),
            self.last()
        )
    }
}

fn distance(zone: Tz, second: i64) -> i64 {
    DateTime::<Utc>::from_timestamp(second, 0)
        .map_or(0, |at| i64::from(zone.offset_from_utc_datetime(&at.naive_utc()).fix().local_minus_utc()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_hour_of_a_century_is_told_as_the_zone_tells_it() {
        for zone in
            [Tz::America__New_York, Tz::America__Sao_Paulo, Tz::Asia__Kathmandu, Tz::Africa__Casablanca]
        {
            let transitions = Transitions::found(zone);
            let mut second = -1_000_000_000;
            while second < 3_000_000_000 {
                let stretch = transitions.changes.iter().filter(|(at, _)| *at <= second).count();
                let told = if stretch == 0 { transitions.first } else { transitions.changes[stretch - 1].1 };
                assert_eq!(told, distance(zone, second), "{zone} at {second}");
                second += 3_607;
            }
        }
    }

    #[test]
    fn a_zone_without_changes_has_one_stretch() {
        assert_eq!(
            Transitions::of(Tz::Etc__GMTPlus3).to_local(),
            "CAST([] AS BIGINT[]), [-10800], 9223372036854775807"
        );
    }
}
