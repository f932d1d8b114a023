//! The manifest as people write it: one Rust type for each thing in YAML.
//!
//! These types are the source of the JSON Schema: doc comments become descriptions, so they are written for
//! the person at the editor. Unknown keys are refused everywhere. Names of things are the keys of mappings.

pub mod as_json;
mod checkpoint;
mod dashboard;
mod dataset;
pub mod expectation;
mod layout;
mod model;
mod orchestration;
mod pipeline;
mod scalar;
mod source;
mod unit_test;

pub use checkpoint::{Checkpoint, CheckpointAction, ResultsFormat, When};
pub use dashboard::{Chart, Dashboard, DashboardsFile, Filter, FilterType, NumberFormat, Tab, Tile};
pub use dataset::{Dataset, DatasetGrant, DatasetRole};
pub use expectation::{ExpectationSeverity, ExpectationSpec, ExpectationsFile, Suite};
pub use layout::{Granularity, IntegerRange, PartitionBy, Partitioning};
pub use model::{
    Incremental, Materialization, Materialized, Model, ModelColumn, ModelDefaults, ModelsFile, OnQueryChange,
    OnSchemaChange, Strategy,
};
pub use orchestration::{
    Channel, Email, FailureSensor, FileSensor, Job, JobCommand, Notification, NotificationEvent, Retries,
    Schedule, Sensor, Webhook, WebhookFormat,
};
pub use pipeline::{
    BigQueryTarget, Defaults, DuckDbTarget, ExpectationDefaults, FailedBuilds, Include, ModelSettings,
    PipelineFile, Priority, SourceDefaults, Target,
};
pub use scalar::{ByteSize, DurationText, OneOrMany, Scalar, Secret};
pub use source::{
    CsvOptions, Format, MissingColumn, NewColumn, RejectLimit, Seed, Source, SourceColumn, SourcesFile,
};
pub use unit_test::{Fixture, UnitTest, UnitTestsFile};
