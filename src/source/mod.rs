//! Files as declared: CSV into typed column batches, with every row accounted for.
//!
//! ```text
//! glob --files--> InputFile --input--> UTF-8 bytes --record--> fields --row--> Batch + Reject + Accounting
//!                     \--fingerprint--> FileStamp            header --columns--> Vec<ColumnSpec>
//! ```
//!
//! Nothing is guessed: names come from the header, types from the declaration. Nothing is lost: a record
//! is either a row of a [`Batch`] or a [`Reject`] that keeps its text, and [`Accounting`] counts the three
//! apart, so that `read = good + rejected` is a check and not a definition.
//!
//! Nothing here knows a warehouse or the manifest. The accepted spellings of values are those of BigQuery's
//! CSV load jobs, <https://cloud.google.com/bigquery/docs/loading-data-cloud-storage-csv#data_types>; where
//! we are stricter or laxer, the function says so.

pub mod batch;
pub mod bucket;
pub mod error;
pub mod files;
pub mod fingerprint;
pub mod format;
pub mod header;
mod input;
pub mod locate;
pub mod reader;
mod record;
mod row;
mod scan;
pub mod value;

pub use batch::{Batch, ByteStrings, Column, ColumnData, TextStrings};
pub use bucket::{BucketFiles, address_of, bucket_and_name};
pub use error::SourceError;
pub use files::{Content, InputFile, Remote, expand, is_address};
pub use fingerprint::{FileSet, FileStamp, fingerprint_files};
pub use format::{ColumnSpec, Contract, CsvFormat, MissingColumn, NewColumn, ReadSpec};
pub use header::{Survey, plan_columns, survey};
pub use locate::{Place, locate};
pub use reader::{Accounting, Reader, Reject};

#[cfg(test)]
mod tests;
