//! Numbering and navigation functions, which need OVER.
//!
//! Source: <https://cloud.google.com/bigquery/docs/reference/standard-sql/navigation_functions> and
//! <https://cloud.google.com/bigquery/docs/reference/standard-sql/numbering_functions>.

use crate::googlesql::analyze::signature::Kind;

/// The signatures of each kind.
pub(super) const TABLES: &[(Kind, &str)] = &[
    (
        Kind::Ordered,
        "
CUME_DIST() FLOAT64
DENSE_RANK() INT64
FIRST_VALUE(T) T
LAG(T, INT64?, T?) T
LAST_VALUE(T) T
LEAD(T, INT64?, T?) T
NTH_VALUE(T, INT64) T
NTILE(INT64) INT64
PERCENT_RANK() FLOAT64
RANK() INT64
",
    ),
    (
        Kind::Window,
        "
ROW_NUMBER() INT64
",
    ),
    (
        Kind::Unordered,
        "
PERCENTILE_CONT(D, D) D
PERCENTILE_DISC(O, D) O
",
    ),
];
