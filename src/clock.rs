//! The one place that reads the clock.

use chrono::{DateTime, SecondsFormat, Utc};

/// Where the time of day comes from.
pub trait Clock: Sync {
    /// Now.
    fn now(&self) -> DateTime<Utc>;
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the one place")]
    fn now(&self) -> DateTime<Utc> {
        Utc::now()
    }
}

/// A point in time as state and reports have it: RFC 3339, UTC, milliseconds.
pub fn rfc3339(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// A time so long before another, RFC 3339; nothing before time began.
pub fn before(time: DateTime<Utc>, by: std::time::Duration) -> Option<String> {
    let by = chrono::Duration::from_std(by).ok()?;
    time.checked_sub_signed(by).map(rfc3339)
}
