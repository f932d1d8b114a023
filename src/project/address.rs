//! Names of nodes that say what they name.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What kind of node an address names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NodeKind {
    /// A table loaded from files outside of the project.
    Source,
    /// A table loaded from a file of the project.
    Seed,
    /// A table or view made by a query.
    Model,
}

impl NodeKind {
    /// `source`, `seed`, `model`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Seed => "seed",
            Self::Model => "model",
        }
    }
}

/// A node by kind and name: `model.dim_orders`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address {
    /// The kind.
    pub kind: NodeKind,
    /// The name, unique among all kinds.
    pub name: String,
}

impl Address {
    /// An address.
    pub fn new(kind: NodeKind, name: impl Into<String>) -> Self {
        Self { kind, name: name.into() }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.kind.name(), self.name)
    }
}

impl std::str::FromStr for Address {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let kinds = [NodeKind::Source, NodeKind::Seed, NodeKind::Model];
        text.split_once('.')
            .and_then(|(kind, name)| {
                kinds.into_iter().find(|known| known.name() == kind).map(|kind| Self::new(kind, name))
            })
            .ok_or_else(|| format!("`{text}` is no address such as `model.dim_orders`"))
    }
}

impl Serialize for Address {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Address {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}
