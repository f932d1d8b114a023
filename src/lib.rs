//! Pipewright: one YAML manifest for sources, SQL models, expectations, schedules and dashboards.
//!
//! Data flows one way, and the folders are named after the stations:
//!
//! ```text
//! RawManifest -> Project -> CompiledProject -> Plan -> RunReport
//!  manifest      project     compile           plan    apply
//! ```
//!
//! Each arrow is a function from one type to the next; a later stage cannot be called with an earlier type.
//!
//! | module | what it is for |
//! |---|---|
//! | [`manifest`] | YAML text, places, environment variables, typed values |
//! | [`schema`] | JSON Schemas from the types, and their faults in words |
//! | [`project`] | names looked up, defaults applied, rules checked |
//! | [`compile`] | templates rendered, SQL bound to columns and translated |
//! | [`cache`] | a compiled project, kept between commands |
//! | [`googlesql`] | BigQuery's dialect: parse, analyze, translate |
//! | [`graph`] | what reads what: order, cycles, selection |
//! | [`expectations`] | what must hold, as SQL and verdicts |
//! | [`fingerprint`], [`state`] | what was built from what |
//! | [`plan`] | what will happen and why; pure |
//! | [`apply`] | carries a plan out |
//! | [`report`] | what a run did, as data |
//! | [`view`] | what people and machines see; the only place that prints |
//! | [`cli`] | words to settings, settings to stages, outcome to exit code |
//! | [`source`] | files as declared, every row accounted for |
//! | [`warehouse`] | where pipelines run |
//! | [`diag`] | faults as data, and how they look |
//! | [`clock`] | the one place that reads the time |

pub mod apply;
pub mod cache;
pub mod cli;
pub mod clock;
pub mod compile;
pub mod diag;
pub mod expectations;
pub mod fingerprint;
pub mod googlesql;
pub mod graph;
pub mod manifest;
pub mod plan;
pub mod project;
pub mod report;
pub mod schema;
pub mod source;
pub mod state;
pub mod view;
pub mod warehouse;
