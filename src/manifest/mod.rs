//! Reading the manifest: YAML text, positions, environment variables, schema, typed values.
//!
//! ```text
//! text --yaml--> Document (value + places) --env--> … --schema--> … --serde--> RawManifest
//! ```

pub mod env;
pub mod load;
pub mod types;
pub mod yaml;

pub use load::{Loaded, RawManifest, Survey, load};
