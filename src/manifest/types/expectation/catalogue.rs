//! The catalogue: every kind of expectation by the word that the manifest has for it.

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use super::{Common, aliases, columns, rows, tables, values};

/// The catalogue as an enumeration, and what is the same for all of its kinds.
macro_rules! catalogue {
    ($($(#[doc = $doc:literal])+ $variant:ident($kind:path) $word:literal,)+) => {
        /// One thing that must hold; `expect` says of which kind.
        #[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
        #[serde(tag = "expect")]
        pub enum ExpectationSpec {
            $($(#[doc = $doc])+ #[serde(rename = $word)] $variant($kind),)+
        }

        /// As it is read once its names are ours.
        #[derive(Deserialize)]
        #[serde(tag = "expect")]
        enum Known {
            $(#[serde(rename = $word)] $variant($kind),)+
        }

        impl From<Known> for ExpectationSpec {
            fn from(known: Known) -> Self {
                match known {
                    $(Known::$variant(kind) => Self::$variant(kind),)+
                }
            }
        }

        impl ExpectationSpec {
            /// The word that the manifest has for its kind.
            pub fn kind(&self) -> &'static str {
                match self {
                    $(Self::$variant(_) => $word,)+
                }
            }

            /// What entries of every kind have.
            pub fn common(&self) -> Common<'_> {
                match self {
                    $(Self::$variant(kind) => kind.common(),)+
                }
            }
        }
    };
}

catalogue! {
    /// The column is never NULL.
    NotNull(columns::NotNull) "not_null",
    /// The column is always NULL.
    IsNull(columns::IsNull) "is_null",
    /// No two rows have the same key.
    Unique(columns::Unique) "unique",
    /// Values are among the listed ones.
    AcceptedValues(columns::AcceptedValues) "accepted_values",
    /// Values are not among the listed ones.
    RejectedValues(columns::RejectedValues) "rejected_values",
    /// Values lie between bounds.
    Between(columns::Between) "between",
    /// Values match a regular expression.
    Regex(columns::Regex) "regex",
    /// Values do not match a regular expression.
    NotRegex(columns::NotRegex) "not_regex",
    /// Values match a LIKE pattern.
    Like(columns::Like) "like",
    /// Values do not match a LIKE pattern.
    NotLike(columns::NotLike) "not_like",
    /// Values have a number of characters within bounds.
    Length(columns::Length) "length",
    /// Texts are dates or times of a format.
    DateFormat(columns::DateFormat) "date_format",
    /// Texts are JSON.
    JsonParseable(columns::JsonParseable) "json_parseable",
    /// JSON is as a JSON Schema wants it.
    JsonSchema(columns::JsonSchemaOf) "json_schema",
    /// Values grow from row to row.
    Increasing(columns::Monotonic) "increasing",
    /// Values fall from row to row.
    Decreasing(columns::Monotonic) "decreasing",
    /// Whole numbers go on by one step.
    Sequential(columns::Sequential) "sequential",
    /// No text is empty.
    NotEmptyString(columns::NotEmptyString) "not_empty_string",
    /// No value lies far from the mean.
    ZScore(columns::ZScore) "z_score",
    /// The least value lies within bounds.
    Min(values::Min) "min",
    /// The greatest value lies within bounds.
    Max(values::Max) "max",
    /// The mean lies within bounds.
    Mean(values::Mean) "mean",
    /// The median lies within bounds.
    Median(values::Median) "median",
    /// The sum lies within bounds.
    Sum(values::Sum) "sum",
    /// The standard deviation lies within bounds.
    Stdev(values::Stdev) "stdev",
    /// Quantiles lie within bounds.
    Quantiles(values::Quantiles) "quantiles",
    /// The number of different values lies within bounds.
    DistinctCount(values::DistinctCount) "distinct_count",
    /// The share of different values lies within bounds.
    UniqueShare(values::UniqueShare) "unique_share",
    /// The share of NULL lies within bounds.
    NullShare(values::NullShare) "null_share",
    /// The set of values relates to a list.
    DistinctValues(values::DistinctValues) "distinct_values",
    /// The most common value is among the listed ones.
    MostCommon(values::MostCommon) "most_common",
    /// At least two different values occur.
    NotConstant(values::NotConstant) "not_constant",
    /// At least one row has a value.
    AtLeastOne(values::AtLeastOne) "at_least_one",
    /// Two columns are equal.
    Equal(rows::Equal) "equal",
    /// One column is greater than another.
    GreaterThan(rows::GreaterThan) "greater_than",
    /// Two columns make a pair of a list.
    PairInSet(rows::PairInSet) "pair_in_set",
    /// Columns of a row differ.
    UniqueWithinRow(rows::UniqueWithinRow) "unique_within_row",
    /// Columns add up.
    SumEquals(rows::SumEquals) "sum_equals",
    /// A condition holds for every row.
    Expression(rows::Expression) "expression",
    /// Ranges do not overlap.
    MutuallyExclusiveRanges(rows::MutuallyExclusiveRanges) "mutually_exclusive_ranges",
    /// Values are found in another table.
    Relationships(rows::Relationships) "relationships",
    /// Keys are found in their dimensions.
    StarSchema(tables::StarSchema) "star_schema",
    /// Values occur as often as in another table.
    Cardinality(tables::Cardinality) "cardinality",
    /// Another table has the same rows.
    SameRows(tables::SameRows) "same_rows",
    /// Two queries give the same number.
    Reconcile(tables::Reconcile) "reconcile",
    /// A query gives no bad rows.
    Query(tables::Query) "query",
    /// The table is there.
    Exists(tables::Exists) "exists",
    /// The table has columns of these names.
    Columns(tables::Columns) "columns",
    /// The number of columns is within bounds.
    ColumnCount(tables::ColumnCount) "column_count",
    /// A column has a type.
    Type(tables::TypeIs) "type",
    /// The number of rows is within bounds.
    RowCount(tables::RowCount) "row_count",
    /// The newest value is recent.
    Freshness(tables::Freshness) "freshness",
    /// The number of rows has not changed too much.
    VolumeChange(tables::VolumeChange) "volume_change",
    /// The columns are those of the last run.
    SchemaUnchanged(tables::SchemaUnchanged) "schema_unchanged",
}

impl<'de> Deserialize<'de> for ExpectationSpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut entry = serde_json::Map::deserialize(deserializer)?;
        aliases::to_ours(&mut entry);
        Known::deserialize(serde_json::Value::Object(entry)).map(Self::from).map_err(serde::de::Error::custom)
    }
}
