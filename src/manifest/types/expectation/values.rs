//! Kinds about one value that is computed over a column. Without a value, as over an empty table, they do not hold.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Bound;
use crate::manifest::types::Scalar;

/// A kind about a value between bounds.
macro_rules! bounded_kind {
    ($(#[doc = $doc:literal])+ $name:ident) => {
        value_kind! {
            $(#[doc = $doc])+
            $name {
                /// The least it may be.
                #[serde(default, skip_serializing_if = "Option::is_none")]
                #[schemars(example = 1)]
                pub min: Option<Bound>,
                /// The most it may be.
                #[serde(default, skip_serializing_if = "Option::is_none")]
                #[schemars(example = 100)]
                pub max: Option<Bound>,
                /// Whether it must be greater than `min`.
                #[serde(default)]
                pub strict_min: bool,
                /// Whether it must be less than `max`.
                #[serde(default)]
                pub strict_max: bool,
            }
        }

        impl $name {
            /// Its bounds.
            pub fn bounds(&self) -> Bounds<'_> {
                Bounds {
                    min: self.min.as_ref(),
                    max: self.max.as_ref(),
                    strict_min: self.strict_min,
                    strict_max: self.strict_max,
                }
            }
        }
    };
}

/// What a value must lie between.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bounds<'a> {
    /// The least.
    pub min: Option<&'a Bound>,
    /// The most.
    pub max: Option<&'a Bound>,
    /// Whether the least is too little.
    pub strict_min: bool,
    /// Whether the most is too much.
    pub strict_max: bool,
}

bounded_kind! {
    /// The least value lies within bounds.
    Min
}

bounded_kind! {
    /// The greatest value lies within bounds.
    Max
}

bounded_kind! {
    /// The mean lies within bounds.
    Mean
}

bounded_kind! {
    /// The median lies within bounds: the middle value, or the mean of the two in the middle.
    Median
}

bounded_kind! {
    /// The sum lies within bounds.
    Sum
}

bounded_kind! {
    /// The standard deviation of the sample lies within bounds.
    Stdev
}

bounded_kind! {
    /// The number of different values lies within bounds. NULL is none.
    DistinctCount
}

bounded_kind! {
    /// The share of values that are different from all others before them lies within bounds: the number of different
    /// values by the number of values.
    UniqueShare
}

bounded_kind! {
    /// The share of rows that are NULL lies within bounds.
    NullShare
}

/// A quantile and what it lies between.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Quantile {
    /// Which share of the values lies at or below it, from 0 to 1.
    #[schemars(example = 0.9, range(min = 0.0, max = 1.0))]
    pub at: f64,
    /// The least it may be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = 1)]
    pub min: Option<Bound>,
    /// The most it may be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = 100)]
    pub max: Option<Bound>,
}

value_kind! {
    /// Quantiles lie within bounds, interpolated between the two values beside them.
    Quantiles {
        /// The quantiles.
        #[schemars(extend("minItems" = 1))]
        pub quantiles: Vec<Quantile>,
    }
}

/// How the values that occur relate to those that are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SetMode {
    /// Nothing else occurs.
    In,
    /// All of them occur.
    Contain,
    /// They occur, and nothing else.
    Equal,
}

value_kind! {
    /// The set of values that occur relates to a list.
    DistinctValues {
        /// The values.
        #[schemars(example = vec!["delivered", "canceled"], extend("minItems" = 1))]
        pub values: Vec<Scalar>,
        /// How.
        pub mode: SetMode,
    }
}

value_kind! {
    /// The value that occurs most often is among the listed ones.
    MostCommon {
        /// The values.
        #[schemars(example = vec!["delivered"], extend("minItems" = 1))]
        pub values: Vec<Scalar>,
        /// Whether it is enough that one of several that occur equally often is listed; all of them must be otherwise.
        #[serde(default)]
        pub ties_okay: bool,
    }
}

value_kind! {
    /// At least two different values occur.
    NotConstant {}
}

value_kind! {
    /// At least one row has a value.
    AtLeastOne {}
}
