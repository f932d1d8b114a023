//! The list of the aggregates.

/// What a NULL is to an aggregate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Nulls {
    /// As if its row were not there.
    Ignored,
    /// It may change the result, or hangs on what the call says.
    Count,
}

/// Functions over groups or windows.
const AGGREGATES: &[(&str, Nulls)] = &[
    ("ANY_VALUE", Nulls::Ignored),
    ("APPROX_COUNT_DISTINCT", Nulls::Ignored),
    ("APPROX_QUANTILES", Nulls::Count),
    ("APPROX_TOP_COUNT", Nulls::Count),
    ("APPROX_TOP_SUM", Nulls::Count),
    ("ARRAY_AGG", Nulls::Count),
    ("ARRAY_CONCAT_AGG", Nulls::Count),
    ("AVG", Nulls::Ignored),
    ("BIT_AND", Nulls::Ignored),
    ("BIT_OR", Nulls::Ignored),
    ("BIT_XOR", Nulls::Ignored),
    ("CORR", Nulls::Ignored),
    ("COUNT", Nulls::Ignored),
    ("COUNTIF", Nulls::Ignored),
    ("COVAR_POP", Nulls::Ignored),
    ("COVAR_SAMP", Nulls::Ignored),
    ("GROUPING", Nulls::Count),
    ("HLL_COUNT.INIT", Nulls::Count),
    ("HLL_COUNT.MERGE", Nulls::Count),
    ("HLL_COUNT.MERGE_PARTIAL", Nulls::Count),
    ("LOGICAL_AND", Nulls::Ignored),
    ("LOGICAL_OR", Nulls::Ignored),
    ("MAX", Nulls::Ignored),
    ("MAX_BY", Nulls::Count),
    ("MIN", Nulls::Ignored),
    ("MIN_BY", Nulls::Count),
    ("PERCENTILE_CONT", Nulls::Count),
    ("PERCENTILE_DISC", Nulls::Count),
    ("STDDEV", Nulls::Ignored),
    ("STDDEV_POP", Nulls::Ignored),
    ("STDDEV_SAMP", Nulls::Ignored),
    ("STRING_AGG", Nulls::Ignored),
    ("SUM", Nulls::Ignored),
    ("VARIANCE", Nulls::Ignored),
    ("VAR_POP", Nulls::Ignored),
    ("VAR_SAMP", Nulls::Ignored),
];

fn find(name: &str) -> Option<Nulls> {
    let upper = name.bytes().map(|byte| byte.to_ascii_uppercase());
    let at = AGGREGATES.binary_search_by(|(known, _)| known.bytes().cmp(upper.clone())).ok()?;
    AGGREGATES.get(at).map(|(_, nulls)| *nulls)
}

/// Whether a function is computed over a group.
pub(super) fn is_aggregate(name: &str) -> bool {
    find(name).is_some()
}

/// Whether an aggregate is the same without the rows in which its argument is NULL.
pub(super) fn ignores_nulls(name: &str) -> bool {
    find(name) == Some(Nulls::Ignored)
}
