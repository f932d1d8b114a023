//! What queries read and what that costs.

use serde::{Deserialize, Serialize};

/// How near a number of bytes is to what will be billed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Accuracy {
    /// It is the number.
    #[default]
    Exact,
    /// It will be no more: how much is left out, clustered tables tell only when they are read.
    UpperBound,
    /// It will be no less: some tables are not there yet.
    LowerBound,
    /// It is the number for tables that this plan changes, as they are now; or it takes parts of several kinds.
    Unknown,
}

impl Accuracy {
    /// How near the sum of two numbers is.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Exact, other) => other,
            (own, Self::Exact) => own,
            (own, other) if own == other => own,
            _ => Self::Unknown,
        }
    }

    /// The sign before such a number.
    pub fn sign(self) -> &'static str {
        match self {
            Self::Exact => "",
            Self::UpperBound => "≤ ",
            Self::LowerBound => "≥ ",
            Self::Unknown => "~ ",
        }
    }

    /// The words before such a number.
    pub fn words(self) -> &'static str {
        match self {
            Self::Exact => "",
            Self::UpperBound => "at most ",
            Self::LowerBound => "at least ",
            Self::Unknown => "about ",
        }
    }
}

/// What queries read, and what is billed for it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Cost {
    /// Bytes that are read.
    pub bytes: u64,
    /// Bytes that are billed for it: whole mebibytes, and ten of them at least for each table that a query names.
    pub billed: u64,
    /// The part of that which the dearest query has.
    pub dearest: u64,
    /// The price of what is billed, in US dollars.
    pub price: f64,
    /// How near the numbers are.
    pub accuracy: Accuracy,
}

impl Cost {
    /// Of a query that reads bytes of so many tables, where a tebibyte has a price.
    pub fn of_query(bytes: u64, tables: u64, accuracy: Accuracy, per_tebibyte: f64) -> Self {
        let billed = billed(bytes, tables);
        Self { bytes, billed, dearest: billed, price: price(billed, per_tebibyte), accuracy }
    }

    /// Both together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            bytes: self.bytes.saturating_add(other.bytes),
            billed: self.billed.saturating_add(other.billed),
            dearest: self.dearest.max(other.dearest),
            price: self.price + other.price,
            accuracy: self.accuracy.and(other.accuracy),
        }
    }
}

const MEBIBYTE: u64 = 1 << 20;

/// What BigQuery bills for a query: whole mebibytes, and ten of them at least for each table that it names, unless
/// it reads nothing (<https://cloud.google.com/bigquery/pricing#on_demand_pricing>).
fn billed(bytes: u64, tables: u64) -> u64 {
    if bytes == 0 {
        return 0;
    }
    let whole = bytes.div_ceil(MEBIBYTE).saturating_mul(MEBIBYTE);
    whole.max(tables.max(1).saturating_mul(10 * MEBIBYTE))
}

/// The price of billed bytes where a tebibyte has one.
pub fn price(billed: u64, per_tebibyte: f64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "2^53 bytes cost more than any budget")]
    let tebibytes = billed as f64 / (1_u64 << 40) as f64;
    tebibytes * per_tebibyte
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_billed_is_whole_and_no_less_than_ten_mebibytes_a_table() {
        assert_eq!(billed(0, 3), 0);
        assert_eq!(billed(1, 0), 10 * MEBIBYTE);
        assert_eq!(billed(1, 3), 30 * MEBIBYTE);
        assert_eq!(billed(50 * MEBIBYTE + 1, 3), 51 * MEBIBYTE);
        assert!((price(1 << 40, 6.25) - 6.25).abs() < 1e-9);
        assert!((price(10 * MEBIBYTE, 6.25) - 0.000_059_6).abs() < 1e-7);
    }

    #[test]
    fn sums_are_as_near_as_their_parts() {
        use Accuracy::{Exact, LowerBound, Unknown, UpperBound};
        assert_eq!(Exact.and(Exact), Exact);
        assert_eq!(Exact.and(UpperBound), UpperBound);
        assert_eq!(LowerBound.and(LowerBound), LowerBound);
        assert_eq!(LowerBound.and(UpperBound), Unknown);
        assert_eq!(Unknown.and(Exact), Unknown);
    }
}
