//! The catalogue of expectations: what each kind means, as GoogleSQL with places for names and values.
//!
//! ```text
//! ExpectationSpec (as it is written) -- one of these, by family --> Meaning (a Form, and the columns that it names)
//! ```
//! One entry may be several expectations, such as one for each of its columns.

mod columns;
mod entry;
mod json_schema;
mod rows;
mod tables;
mod values;

pub(super) use entry::{Entry, Meaning, Place, keys};

use crate::manifest::types::ExpectationSpec as Spec;

/// What an entry means; nothing where it is at fault, which is told.
pub(super) fn meanings(entry: &mut Entry<'_, '_>, spec: &Spec) -> Vec<Meaning> {
    match spec {
        Spec::NotNull(kind) => columns::not_null(entry, kind),
        Spec::IsNull(kind) => columns::is_null(entry, kind),
        Spec::Unique(kind) => columns::unique(entry, kind),
        Spec::AcceptedValues(kind) => columns::accepted_values(entry, kind),
        Spec::RejectedValues(kind) => columns::rejected_values(entry, kind),
        Spec::Between(kind) => columns::between(entry, kind),
        Spec::Regex(kind) => columns::regex(entry, kind),
        Spec::NotRegex(kind) => columns::not_regex(entry, kind),
        Spec::Like(kind) => columns::like(entry, kind),
        Spec::NotLike(kind) => columns::not_like(entry, kind),
        Spec::Length(kind) => columns::length(entry, kind),
        Spec::DateFormat(kind) => columns::date_format(entry, kind),
        Spec::JsonParseable(kind) => columns::json_parseable(entry, kind),
        Spec::JsonSchema(kind) => json_schema::json_schema(entry, kind),
        Spec::Increasing(kind) => columns::monotonic(entry, kind, ">"),
        Spec::Decreasing(kind) => columns::monotonic(entry, kind, "<"),
        Spec::Sequential(kind) => columns::sequential(entry, kind),
        Spec::NotEmptyString(kind) => columns::not_empty_string(entry, kind),
        Spec::ZScore(kind) => columns::z_score(entry, kind),
        Spec::Min(kind) => values::min(entry, &kind.common(), kind.bounds()),
        Spec::Max(kind) => values::max(entry, &kind.common(), kind.bounds()),
        Spec::Mean(kind) => values::mean(entry, &kind.common(), kind.bounds()),
        Spec::Median(kind) => values::median(entry, &kind.common(), kind.bounds()),
        Spec::Sum(kind) => values::sum(entry, &kind.common(), kind.bounds()),
        Spec::Stdev(kind) => values::stdev(entry, &kind.common(), kind.bounds()),
        Spec::Quantiles(kind) => values::quantiles(entry, kind),
        Spec::DistinctCount(kind) => values::distinct_count(entry, &kind.common(), kind.bounds()),
        Spec::UniqueShare(kind) => values::unique_share(entry, &kind.common(), kind.bounds()),
        Spec::NullShare(kind) => values::null_share(entry, &kind.common(), kind.bounds()),
        Spec::DistinctValues(kind) => values::distinct_values(entry, kind),
        Spec::MostCommon(kind) => values::most_common(entry, kind),
        Spec::NotConstant(kind) => values::not_constant(entry, kind),
        Spec::AtLeastOne(kind) => values::at_least_one(entry, kind),
        Spec::Equal(kind) => rows::pair(entry, &kind.column, &kind.other, "="),
        Spec::GreaterThan(kind) => {
            rows::pair(entry, &kind.column, &kind.other, if kind.or_equal { ">=" } else { ">" })
        }
        Spec::PairInSet(kind) => rows::pair_in_set(entry, kind),
        Spec::UniqueWithinRow(kind) => rows::unique_within_row(entry, kind),
        Spec::SumEquals(kind) => rows::sum_equals(entry, kind),
        Spec::Expression(kind) => rows::expression(entry, kind),
        Spec::MutuallyExclusiveRanges(kind) => rows::mutually_exclusive_ranges(entry, kind),
        Spec::Relationships(kind) => rows::relationships(entry, kind),
        Spec::StarSchema(kind) => rows::star_schema(entry, kind),
        Spec::Cardinality(kind) => tables::cardinality(entry, kind),
        Spec::SameRows(kind) => tables::same_rows(entry, kind),
        Spec::Reconcile(kind) => tables::reconcile(entry, kind),
        Spec::Query(kind) => tables::query(entry, kind),
        Spec::Exists(_) => tables::exists(),
        Spec::Columns(kind) => tables::columns(kind),
        Spec::ColumnCount(kind) => tables::column_count(entry, kind),
        Spec::Type(kind) => tables::type_is(entry, kind),
        Spec::RowCount(kind) => tables::row_count(entry, kind),
        Spec::Freshness(kind) => tables::freshness(entry, kind),
        Spec::VolumeChange(kind) => tables::volume_change(entry, kind),
        Spec::SchemaUnchanged(kind) => tables::schema_unchanged(kind),
    }
}
