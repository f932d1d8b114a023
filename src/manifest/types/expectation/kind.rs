//! What makes one kind of expectation: its own fields, and those that kinds of its form share.

/// A kind with fields that all share: the base of the others.
macro_rules! kind {
    ($(#[doc = $doc:literal])+ $name:ident { $($body:tt)* } $shared:expr) => {
        $(#[doc = $doc])+
        #[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
        #[serde(deny_unknown_fields)]
        pub struct $name {
            $($body)*
            /// A name for reports; made from the kind and the columns unless given.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            #[schemars(example = &"order_id_is_known")]
            pub name: Option<String>,
            /// What a failure means; `defaults.expectations.severity` unless given.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            pub severity: Option<super::ExpectationSeverity>,
            /// Why it must hold.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            #[schemars(example = &"Reports join on it.")]
            pub description: Option<String>,
            /// What else there is to know, such as why some rows are forgiven.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            #[schemars(example = &"28 review ids are shared in the public data set.")]
            pub note: Option<String>,
            /// Who looks after it.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            #[schemars(example = &"sales-data@example.com")]
            pub owner: Option<String>,
            /// The rows that it is about, in a table that new rows are brought into.
            #[serde(default)]
            pub scope: super::Scope,
            /// Words to select it by, beside those of its suite.
            #[serde(default, skip_serializing_if = "Vec::is_empty")]
            #[schemars(example = vec!["finance"])]
            pub tags: Vec<String>,
        }

        impl $name {
            /// What entries of every kind have.
            pub fn common(&self) -> super::Common<'_> {
                let shared: fn(&Self) -> super::Shared<'_> = $shared;
                super::Common {
                    name: self.name.as_ref(),
                    severity: self.severity,
                    description: self.description.as_ref(),
                    note: self.note.as_ref(),
                    owner: self.owner.as_ref(),
                    scope: self.scope,
                    tags: &self.tags,
                    shared: shared(self),
                }
            }
        }
    };
}

/// A kind about rows: some of them may be left out, and some may fail.
macro_rules! row_kind {
    ($(#[doc = $doc:literal])+ $name:ident { $($body:tt)* }) => {
        row_kind! { $(#[doc = $doc])+ $name { $($body)* } |_| None }
    };
    ($(#[doc = $doc:literal])+ $name:ident { $($body:tt)* } $columns:expr) => {
        kind! {
            $(#[doc = $doc])+
            $name {
                $($body)*
                /// Only rows for which this GoogleSQL condition is true are looked at.
                #[serde(rename = "where", default, skip_serializing_if = "Option::is_none")]
                #[schemars(example = &"order_status = 'delivered'")]
                pub filter: Option<String>,
                /// The least share of the rows looked at that must hold, from 0 to 1. Rows where the value is NULL are
                /// not among them, unless the kind is about NULL itself.
                #[serde(default = "super::all_rows")]
                #[schemars(example = 0.98, range(min = 0.0, max = 1.0))]
                pub mostly: f64,
                /// How many rows may fail, if `mostly` is not enough to say it.
                #[serde(default)]
                #[schemars(example = 3)]
                pub allowed: u64,
                /// Columns that tell a failing row apart from others, shown first in samples; the suite's unless given.
                #[serde(default, skip_serializing_if = "Vec::is_empty")]
                #[schemars(example = vec!["order_id"])]
                pub key_columns: Vec<String>,
            }
            |kind| {
                let columns: fn(&Self) -> Option<super::Named<'_>> = $columns;
                super::Shared {
                    filter: kind.filter.as_ref(),
                    tolerance: Some(super::Tolerance { mostly: kind.mostly, allowed: kind.allowed }),
                    key_columns: &kind.key_columns,
                    columns: columns(kind),
                    group_by: &[],
                }
            }
        }
    };
}

/// A kind about the rows of one column; with several columns it is an expectation for each.
macro_rules! column_kind {
    ($(#[doc = $doc:literal])+ $name:ident { $($body:tt)* }) => {
        row_kind! {
            $(#[doc = $doc])+
            $name {
                /// The column.
                #[serde(default, skip_serializing_if = "Option::is_none")]
                #[schemars(example = &"order_id")]
                pub column: Option<String>,
                /// Several columns; each is an expectation of its own.
                #[serde(default, skip_serializing_if = "Vec::is_empty")]
                #[schemars(example = vec!["order_id", "customer_id"], extend("minItems" = 1))]
                pub columns: Vec<String>,
                $($body)*
            }
            |kind| Some((kind.column.as_ref(), &kind.columns))
        }
    };
}

/// A kind about one value that is computed over a column; with several columns it is an expectation for each.
macro_rules! value_kind {
    ($(#[doc = $doc:literal])+ $name:ident { $($body:tt)* }) => {
        kind! {
            $(#[doc = $doc])+
            $name {
                /// The column.
                #[serde(default, skip_serializing_if = "Option::is_none")]
                #[schemars(example = &"price")]
                pub column: Option<String>,
                /// Several columns; each is an expectation of its own.
                #[serde(default, skip_serializing_if = "Vec::is_empty")]
                #[schemars(example = vec!["price", "freight_value"], extend("minItems" = 1))]
                pub columns: Vec<String>,
                $($body)*
                /// Only rows for which this GoogleSQL condition is true are looked at.
                #[serde(rename = "where", default, skip_serializing_if = "Option::is_none")]
                #[schemars(example = &"order_status = 'delivered'")]
                pub filter: Option<String>,
                /// Columns of whose values each has a group of rows: it must hold in every group.
                #[serde(default, skip_serializing_if = "Vec::is_empty")]
                #[schemars(example = vec!["seller_state"])]
                pub group_by: Vec<String>,
            }
            |kind| super::Shared {
                filter: kind.filter.as_ref(),
                tolerance: None,
                key_columns: &[],
                columns: Some((kind.column.as_ref(), &kind.columns)),
                group_by: &kind.group_by,
            }
        }
    };
}

/// A kind about a table as a whole.
macro_rules! table_kind {
    ($(#[doc = $doc:literal])+ $name:ident { $($body:tt)* }) => {
        kind! { $(#[doc = $doc])+ $name { $($body)* } |_| super::Shared::default() }
    };
}

/// A kind whose query gives the bad rows: some of them may be forgiven.
macro_rules! bad_rows_kind {
    // One that compares rows of the table with those of another.
    (compared $(#[doc = $doc:literal])+ $name:ident { $($body:tt)* }) => {
        bad_rows_kind! {
            $(#[doc = $doc])+
            $name {
                $($body)*
                /// Only rows of this table for which this GoogleSQL condition is true are compared, with all rows of
                /// the other one.
                #[serde(rename = "where", default, skip_serializing_if = "Option::is_none")]
                #[schemars(example = &"order_status = 'delivered'")]
                pub filter: Option<String>,
            }
            |kind| kind.filter.as_ref()
        }
    };
    ($(#[doc = $doc:literal])+ $name:ident { $($body:tt)* }) => {
        bad_rows_kind! { $(#[doc = $doc])+ $name { $($body)* } |_| None }
    };
    ($(#[doc = $doc:literal])+ $name:ident { $($body:tt)* } $filter:expr) => {
        kind! {
            $(#[doc = $doc])+
            $name {
                $($body)*
                /// How many bad rows are forgiven.
                #[serde(default)]
                #[schemars(example = 3)]
                pub allowed: u64,
            }
            |kind| {
                let filter: fn(&Self) -> Option<&String> = $filter;
                super::Shared {
                    filter: filter(kind),
                    tolerance: Some(super::Tolerance { mostly: 1.0, allowed: kind.allowed }),
                    ..super::Shared::default()
                }
            }
        }
    };
}
