//! The partitions that rows are in, as GoogleSQL: the same on every target, whether it keeps tables in parts or not.

use crate::googlesql::Type;
use crate::googlesql::names::Ident;
use crate::manifest::types::{Granularity, IntegerRange};
use crate::project::{Partition, Parts};

/// The last moment of a day.
const LAST_MOMENT: &str = "TIME '23:59:59.999999'";

/// What the rows of one partition have in common. Numbers out of the range are two partitions, those below and those
/// above.
pub(crate) fn common(partition: &Partition) -> String {
    let column = Ident(&partition.column);
    match (partition.parts, &partition.data_type) {
        (Parts::Range(IntegerRange { start, end, interval }), _) => {
            format!("RANGE_BUCKET({column}, GENERATE_ARRAY({start}, {end}, {interval}))")
        }
        (Parts::By(Granularity::Day), Type::Date) => column.to_string(),
        (Parts::By(granularity), data_type) => {
            format!("{data_type}_TRUNC({column}, {})", granularity.keyword())
        }
    }
}

/// What holds of each row, in words that say which partitions are read: all of them. BigQuery takes any predicate on the
/// partitioning column alone.
///
/// Source: <https://cloud.google.com/bigquery/docs/querying-partitioned-tables#require_a_partition_filter_in_queries>.
pub(super) fn any(partition: &Partition) -> String {
    let column = Ident(&partition.column);
    let least = match (partition.parts, &partition.data_type) {
        (Parts::Range(_), _) => i64::MIN.to_string(),
        (Parts::By(_), Type::Date) => "DATE '0001-01-01'".to_owned(),
        (Parts::By(_), Type::Datetime) => "DATETIME '0001-01-01 00:00:00'".to_owned(),
        (Parts::By(_), _) => "TIMESTAMP '0001-01-01 00:00:00+00'".to_owned(),
    };
    format!("{column} >= {least} OR {column} IS NULL")
}

/// The first and the last value that the partitions of a table's rows may have, as aggregates.
pub(super) fn bounds(partition: &Partition) -> (String, String) {
    let column = Ident(&partition.column);
    let (least, most) = (format!("MIN({column})"), format!("MAX({column})"));
    match (partition.parts, &partition.data_type) {
        (Parts::Range(IntegerRange { start, end, interval }), _) => {
            let within = |value: &str| format!("{value} - MOD({value} - {start}, {interval})");
            (
                format!("IF({least} < {start}, {}, {})", i64::MIN, within(&least)),
                format!("IF({most} >= {end}, {}, {} + {})", i64::MAX, within(&most), interval - 1),
            )
        }
        (Parts::By(Granularity::Day), Type::Date) => (least, most),
        (Parts::By(granularity), data_type) => {
            let of = granularity.keyword();
            let last = match (granularity, data_type) {
                (_, Type::Date) => format!("LAST_DAY({most}, {of})"),
                (Granularity::Hour, _) => {
                    format!(
                        "{data_type}_ADD({data_type}_TRUNC({most}, HOUR), INTERVAL 3599999999 MICROSECOND)"
                    )
                }
                (_, data_type) => {
                    // No day after it is asked for: there is none after the last one.
                    let day = match granularity {
                        Granularity::Day => format!("DATE({most})"),
                        _ => format!("LAST_DAY(DATE({most}), {of})"),
                    };
                    let moment = format!("DATETIME({day}, {LAST_MOMENT})");
                    if *data_type == Type::Datetime { moment } else { format!("TIMESTAMP({moment})") }
                }
            };
            (format!("{data_type}_TRUNC({least}, {of})"), last)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parted(data_type: Type, parts: Parts) -> Partition {
        Partition { column: "at".to_owned(), data_type, parts }
    }

    #[test]
    fn any_row_is_asked_for_by_its_partition() {
        let by_day = |data_type| any(&parted(data_type, Parts::By(Granularity::Day)));
        assert_eq!(by_day(Type::Date), "`at` >= DATE '0001-01-01' OR `at` IS NULL");
        assert_eq!(by_day(Type::Datetime), "`at` >= DATETIME '0001-01-01 00:00:00' OR `at` IS NULL");
        assert_eq!(by_day(Type::Timestamp), "`at` >= TIMESTAMP '0001-01-01 00:00:00+00' OR `at` IS NULL");
        let range = IntegerRange { start: 5, end: 100, interval: 10 };
        // Numbers below the range are in a partition of their own.
        let of_range = any(&parted(Type::Int64, Parts::Range(range)));
        assert_eq!(of_range, "`at` >= -9223372036854775808 OR `at` IS NULL");
    }

    #[test]
    fn bounds_take_in_whole_partitions() {
        use Granularity::{Day, Month};
        let (first, last) = bounds(&parted(Type::Date, Parts::By(Day)));
        assert_eq!((first.as_str(), last.as_str()), ("MIN(`at`)", "MAX(`at`)"));
        let (first, last) = bounds(&parted(Type::Timestamp, Parts::By(Month)));
        assert_eq!(first, "TIMESTAMP_TRUNC(MIN(`at`), MONTH)");
        assert_eq!(last, "TIMESTAMP(DATETIME(LAST_DAY(DATE(MAX(`at`)), MONTH), TIME '23:59:59.999999'))");
        let (_, last) = bounds(&parted(Type::Datetime, Parts::By(Day)));
        assert_eq!(last, "DATETIME(DATE(MAX(`at`)), TIME '23:59:59.999999')");
        let range = IntegerRange { start: 5, end: 100, interval: 10 };
        let (first, last) = bounds(&parted(Type::Int64, Parts::Range(range)));
        assert_eq!(first, "IF(MIN(`at`) < 5, -9223372036854775808, MIN(`at`) - MOD(MIN(`at`) - 5, 10))");
        assert_eq!(last, "IF(MAX(`at`) >= 100, 9223372036854775807, MAX(`at`) - MOD(MAX(`at`) - 5, 10) + 9)");
    }
}
