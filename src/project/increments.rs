//! How new rows come into incremental tables, checked.

use super::Increment;
use super::resolve::Resolver;
use crate::diag::{Code, Diagnostic, Span};
use crate::manifest::types::{Materialized, Model, Strategy};
use crate::manifest::yaml::Document;

impl Resolver<'_> {
    /// What a model declares of it; nothing for models that are always built as a whole.
    pub(super) fn increment(
        &mut self,
        model: &Model,
        kept: Materialized,
        document: &Document,
        pointer: &str,
    ) -> Option<Increment> {
        let pointer = format!("{pointer}/incremental");
        if kept != Materialized::Incremental {
            if model.incremental.is_some() {
                self.faults.push(
                    Diagnostic::error(Code::BadValue, "`incremental` is for models that are kept so")
                        .at(document.key_span(&pointer), "nothing would look at it")
                        .help("write `materialized: incremental`, or take it out"),
                );
            }
            return None;
        }
        let settings = model.incremental.clone().unwrap_or_default();
        let strategy = settings.strategy.unwrap_or(match settings.unique_key.as_slice() {
            [] => Strategy::Append,
            _ => Strategy::Merge,
        });
        let keys: Vec<(String, Span)> = settings
            .unique_key
            .iter()
            .enumerate()
            .map(|(at, name)| (name.clone(), document.value_span(&format!("{pointer}/unique_key/{at}"))))
            .collect();
        let partition = settings
            .partition_by
            .clone()
            .map(|name| (name, document.value_span(&format!("{pointer}/partition_by"))));
        let mut refuse = |code: Code, key: &str, message: &str, help: &str| {
            self.faults.push(
                Diagnostic::error(code, message)
                    .at(document.value_span(&format!("{pointer}/{key}")), "here")
                    .help(help),
            );
        };
        let key = match strategy {
            Strategy::Merge => {
                if keys.is_empty() {
                    let message = "`merge` needs the columns that tell rows apart";
                    refuse(Code::MissingKey, "strategy", message, "give `unique_key`");
                }
                keys
            }
            Strategy::InsertOverwrite => {
                if partition.is_none() {
                    let message = "`insert_overwrite` needs the column whose values part the table";
                    refuse(Code::MissingKey, "strategy", message, "give `partition_by`");
                }
                partition.into_iter().collect()
            }
            Strategy::Append => {
                if !keys.is_empty() {
                    let message = "`append` looks at no key";
                    refuse(
                        Code::BadValue,
                        "unique_key",
                        message,
                        "take `unique_key` out, or take the strategy `merge`",
                    );
                }
                Vec::new()
            }
        };
        Some(Increment {
            strategy,
            key,
            on_schema_change: settings.on_schema_change,
            on_query_change: settings.on_query_change,
        })
    }
}
