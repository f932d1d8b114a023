//! What queries read and what that costs.

use serde::{Deserialize, Serialize};

use super::{Action, Plan};

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
    /// How near that part is.
    pub dearest_accuracy: Accuracy,
    /// The price of what is billed, in US dollars.
    pub price: f64,
    /// How near the numbers are.
    pub accuracy: Accuracy,
}

impl Cost {
    /// Of a query that reads bytes of so many tables, where a tebibyte has a price.
    pub fn of_query(bytes: u64, tables: u64, accuracy: Accuracy, per_tebibyte: f64) -> Self {
        let (billed, accuracy) = billed(bytes, tables, accuracy);
        let price = price(billed, per_tebibyte);
        Self { bytes, billed, dearest: billed, dearest_accuracy: accuracy, price, accuracy }
    }

    /// Both together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let dearer = if other.dearest > self.dearest { &other } else { &self };
        Self {
            bytes: self.bytes.saturating_add(other.bytes),
            billed: self.billed.saturating_add(other.billed),
            dearest: dearer.dearest,
            dearest_accuracy: dearer.dearest_accuracy,
            price: self.price + other.price,
            accuracy: self.accuracy.and(other.accuracy),
        }
    }
}

/// What a plan costs as a whole.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Bill {
    /// The queries of all steps.
    #[serde(flatten)]
    pub queries: Cost,
    /// Bytes that are billed for what Pipewright looks up and writes down beside them: about as many.
    pub bookkeeping: u64,
    /// The price that a tebibyte is counted with, in US dollars.
    pub price_per_tib: f64,
}

impl Bill {
    /// Bytes that are billed for all of it.
    pub fn billed(&self) -> u64 {
        self.queries.billed.saturating_add(self.bookkeeping)
    }

    /// How near that is. What is sure to be read stays sure with what is added to it, and a nought that may become anything
    /// adds nothing yet.
    pub fn accuracy(&self) -> Accuracy {
        match self.queries.accuracy {
            Accuracy::LowerBound => Accuracy::LowerBound,
            Accuracy::Unknown if self.queries.billed == 0 => Accuracy::LowerBound,
            accuracy => accuracy.and(Accuracy::Unknown),
        }
    }
}

/// What is billed for the bookkeeping of a run: the least of a table, for each that one of its queries reads, since what is
/// in these tables is little. What is only written to is not billed, nor are load jobs, by which results are added.
pub(super) fn bookkeeping(plan: &Plan, forgets_runs: bool) -> u64 {
    let entries = plan.steps.iter().map(|step| match &step.action {
        // What is about to be published is written down before and after it.
        Action::Load(_) | Action::Build(_) | Action::Merge(_) => 2,
        Action::Check { .. } | Action::Describe { .. } | Action::Drop { .. } => 1,
    });
    // Before the first run there is nothing to look up. Later the state is read from two tables; two queries of
    // INFORMATION_SCHEMA, each of which is billed as one of a table
    // (<https://cloud.google.com/bigquery/docs/information-schema-intro#pricing>), tell what is there; and one table
    // has the serial, which is moved on.
    let of_run = match plan.lineage {
        None => 0,
        Some(_) if !forgets_runs => 5,
        // Three tables lose the rows of runs that another names, which loses its own after that.
        Some(_) => 5 + 7,
    };
    (entries.sum::<u64>() + of_run).saturating_mul(LEAST_OF_A_TABLE)
}

const MEBIBYTE: u64 = 1 << 20;

/// The least that is billed for a table that a query reads.
const LEAST_OF_A_TABLE: u64 = 10 * MEBIBYTE;

/// What BigQuery bills for a query, and how near that is: whole mebibytes, and ten of them at least for each table that it
/// names, unless it reads nothing (<https://cloud.google.com/bigquery/pricing#on_demand_pricing>).
///
/// What each table has of the bytes is not told. If they are more than the least of one, the others may have a part in
/// them or be billed beside them: then a number that is to be no less takes the one, and any other number the other.
fn billed(bytes: u64, tables: u64, accuracy: Accuracy) -> (u64, Accuracy) {
    if bytes == 0 {
        return (0, accuracy);
    }
    let whole = bytes.div_ceil(MEBIBYTE).saturating_mul(MEBIBYTE);
    let least = whole.max(tables.max(1).saturating_mul(LEAST_OF_A_TABLE));
    if tables <= 1 || bytes <= LEAST_OF_A_TABLE || accuracy == Accuracy::LowerBound {
        return (least, accuracy);
    }
    let most = whole.saturating_add((tables - 1).saturating_mul(LEAST_OF_A_TABLE));
    (most, accuracy.and(Accuracy::UpperBound))
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
        let exact = |bytes, tables| billed(bytes, tables, Accuracy::Exact);
        assert_eq!(exact(0, 3), (0, Accuracy::Exact));
        assert_eq!(exact(1, 0), (10 * MEBIBYTE, Accuracy::Exact));
        assert_eq!(exact(10 * MEBIBYTE + 1, 1), (11 * MEBIBYTE, Accuracy::Exact));
        assert!((price(1 << 40, 6.25) - 6.25).abs() < 1e-9);
        assert!((price(10 * MEBIBYTE, 6.25) - 0.000_059_6).abs() < 1e-7);
    }

    #[test]
    fn what_is_billed_for_several_tables_is_known_only_where_none_can_have_more_than_the_least() {
        let of = |bytes, accuracy| billed(bytes, 3, accuracy);
        assert_eq!(of(1, Accuracy::Exact), (30 * MEBIBYTE, Accuracy::Exact));
        assert_eq!(of(10 * MEBIBYTE, Accuracy::Exact), (30 * MEBIBYTE, Accuracy::Exact));
        // One of them may have all but a byte, or each a third.
        assert_eq!(of(10 * MEBIBYTE + 1, Accuracy::Exact), (31 * MEBIBYTE, Accuracy::UpperBound));
        assert_eq!(of(50 * MEBIBYTE + 1, Accuracy::UpperBound), (71 * MEBIBYTE, Accuracy::UpperBound));
        assert_eq!(of(50 * MEBIBYTE + 1, Accuracy::Unknown), (71 * MEBIBYTE, Accuracy::Unknown));
        // What is to be no less is no less.
        assert_eq!(of(20 * MEBIBYTE, Accuracy::LowerBound), (30 * MEBIBYTE, Accuracy::LowerBound));
        assert_eq!(of(50 * MEBIBYTE, Accuracy::LowerBound), (50 * MEBIBYTE, Accuracy::LowerBound));
    }

    #[test]
    fn the_dearest_query_keeps_its_own_accuracy() {
        let of = |bytes, accuracy| Cost::of_query(bytes, 1, accuracy, 1.0);
        let (little, much) = (of(1, Accuracy::LowerBound), of(1 << 40, Accuracy::UpperBound));
        for sum in [little.and(much), much.and(little)] {
            assert_eq!((sum.dearest, sum.dearest_accuracy), (1 << 40, Accuracy::UpperBound));
            assert_eq!(sum.accuracy, Accuracy::Unknown);
        }
    }

    #[test]
    fn a_bill_is_at_least_what_is_known_of_it() {
        use Accuracy::{Exact, LowerBound, Unknown, UpperBound};
        let of = |bytes, accuracy| {
            let queries = Cost::of_query(bytes, 1, accuracy, 1.0);
            let bill = Bill { queries, bookkeeping: 5 * MEBIBYTE, price_per_tib: 1.0 };
            (bill.billed() / MEBIBYTE, bill.accuracy())
        };
        assert_eq!(of(20 * MEBIBYTE, LowerBound), (25, LowerBound));
        for accuracy in [Exact, UpperBound, Unknown] {
            assert_eq!(of(20 * MEBIBYTE, accuracy), (25, Unknown));
        }
        assert_eq!(of(0, Unknown), (5, LowerBound));
        assert_eq!(of(0, Exact), (5, Unknown));
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
