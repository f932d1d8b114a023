//! `dashboards/*.yaml`: questions over the tables, and how their answers look.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Scalar;

/// A file that declares dashboards.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct DashboardsFile {
    /// The dashboards by name.
    pub dashboards: IndexMap<String, Dashboard>,
}

/// Pages of tiles over the tables.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Dashboard {
    /// The heading.
    #[schemars(example = &"Olist sales")]
    pub title: String,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"How the marketplace sells, month by month.")]
    pub description: Option<String>,
    /// Choices for the whole dashboard; queries read one as `@name`.
    #[serde(default)]
    pub filters: IndexMap<String, Filter>,
    /// Its pages, in order.
    #[schemars(extend("minProperties" = 1))]
    pub tabs: IndexMap<String, Tab>,
}

/// A choice that queries read as a parameter, NULL while nothing is chosen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Filter {
    /// The label.
    #[schemars(example = &"Year")]
    pub label: String,
    /// The parameter's type.
    #[serde(rename = "type", default)]
    pub data_type: FilterType,
    /// A query whose first column gives the choices.
    #[schemars(example = &"SELECT DISTINCT year FROM {{ ref('dim_date') }} ORDER BY year")]
    pub sql: String,
    /// What is chosen at first; nothing unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = 2018)]
    pub default: Option<Scalar>,
}

/// The type of a filter's parameter.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum FilterType {
    /// Text.
    #[default]
    String,
    /// A whole number.
    Int64,
    /// A day.
    Date,
}

/// One page of a dashboard.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tab {
    /// The heading.
    #[schemars(example = &"Monthly sales")]
    pub title: String,
    /// The question that the page answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"How do sales develop?")]
    pub question: Option<String>,
    /// Its tiles, in order.
    #[schemars(extend("minProperties" = 1))]
    pub tiles: IndexMap<String, Tile>,
}

/// One query and how its answer is shown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tile {
    /// The heading.
    #[schemars(example = &"Revenue by month")]
    pub title: String,
    /// What one should know to read it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"Price and freight of all items, by month of purchase.")]
    pub description: Option<String>,
    /// How it is drawn.
    pub chart: Chart,
    /// The GoogleSQL query, a template like a model's.
    #[schemars(example = &"SELECT SUM(price) AS revenue FROM {{ ref('fact_sales') }}")]
    pub sql: String,
}

/// How a number is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum NumberFormat {
    /// As it is.
    #[default]
    Plain,
    /// A whole number with thousands marked.
    Integer,
    /// Money, two decimals.
    Currency,
    /// A share as a percentage.
    Percent,
}

/// How a query's answer is drawn. Fields name columns of the query.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "lowercase", deny_unknown_fields)]
pub enum Chart {
    /// One number.
    Kpi {
        /// The column with the number.
        #[schemars(example = &"revenue")]
        value: String,
        /// How it is written.
        #[serde(default)]
        format: NumberFormat,
    },
    /// Lines over an axis.
    Line {
        /// Column of the horizontal axis.
        #[schemars(example = &"month")]
        x: String,
        /// Column of the vertical axis.
        #[schemars(example = &"revenue")]
        y: String,
        /// Column that makes a line for each of its values.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schemars(example = &"customer_region")]
        series: Option<String>,
    },
    /// Bars.
    Bar {
        /// Column of the categories.
        #[schemars(example = &"category")]
        x: String,
        /// Column of the lengths.
        #[schemars(example = &"revenue")]
        y: String,
        /// Column that makes a bar for each of its values.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schemars(example = &"customer_region")]
        series: Option<String>,
    },
    /// Shares of a whole, as a ring.
    Donut {
        /// Column of the names.
        #[schemars(example = &"payment_type")]
        label: String,
        /// Column of the sizes.
        #[schemars(example = &"orders")]
        value: String,
    },
    /// Points.
    Scatter {
        /// Column of the horizontal axis.
        #[schemars(example = &"orders")]
        x: String,
        /// Column of the vertical axis.
        #[schemars(example = &"revenue")]
        y: String,
        /// Column that colours the points.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schemars(example = &"seller_region")]
        series: Option<String>,
    },
    /// Distribution of values by group: median, quartiles, outliers.
    Box {
        /// Column of the groups.
        #[schemars(example = &"customer_region")]
        x: String,
        /// Column of the values.
        #[schemars(example = &"days_to_delivery")]
        y: String,
    },
    /// How often values occur.
    Histogram {
        /// Column of the values.
        #[schemars(example = &"order_value")]
        x: String,
        /// Column of the counts.
        #[schemars(example = &"orders")]
        y: String,
    },
    /// Parts within parts, as areas.
    Treemap {
        /// Columns from the outermost group inwards.
        #[schemars(example = vec!["region", "state"], extend("minItems" = 1))]
        path: Vec<String>,
        /// Column of the sizes.
        #[schemars(example = &"revenue")]
        value: String,
    },
    /// A grid coloured by value.
    Heatmap {
        /// Column of the horizontal axis.
        #[schemars(example = &"customer_region")]
        x: String,
        /// Column of the vertical axis.
        #[schemars(example = &"seller_region")]
        y: String,
        /// Column of the colours.
        #[schemars(example = &"revenue")]
        value: String,
    },
    /// Points on a map.
    Map {
        /// Column with the latitude in degrees.
        #[schemars(example = &"latitude")]
        latitude: String,
        /// Column with the longitude in degrees.
        #[schemars(example = &"longitude")]
        longitude: String,
        /// Column with the name of the place.
        #[schemars(example = &"state")]
        label: String,
        /// Column of the sizes.
        #[schemars(example = &"revenue")]
        value: String,
    },
    /// The rows themselves.
    Table {
        /// The columns to show; all unless given.
        #[serde(default)]
        #[schemars(example = vec!["month", "revenue"])]
        columns: Vec<String>,
    },
}
