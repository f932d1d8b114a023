//! Targets on BigQuery: what their jobs are labelled with, and what their datasets are called.

use indexmap::IndexMap;

use super::resolve::Resolver;
use crate::diag::{Code, Diagnostic, Span};
use crate::manifest::types::{BigQueryTarget, Target};
use crate::manifest::yaml::escape_pointer;

/// The most labels of jobs: the rest of BigQuery's 64 is for the pipeline, the run and the node.
const MOST_LABELS: usize = 60;

impl Resolver<'_> {
    /// Gives the places of projects that have no name. They are refused where their target is used: variables of other
    /// targets may be unset.
    pub(super) fn targets(&mut self) -> IndexMap<String, Span> {
        let raw = self.raw;
        let mut without_project = IndexMap::new();
        for (name, target) in &raw.pipeline.content.targets {
            let Target::BigQuery(settings) = target else { continue };
            let pointer = format!("/targets/{}", escape_pointer(name));
            if settings.project.trim().is_empty() {
                let span = raw.pipeline.document.value_span(&format!("{pointer}/project"));
                without_project.insert(name.clone(), span);
            }
            self.labels_of_jobs(&pointer, settings);
            self.dataset_names(&pointer, settings);
        }
        without_project
    }

    fn labels_of_jobs(&mut self, pointer: &str, settings: &BigQueryTarget) {
        let document = &self.raw.pipeline.document;
        self.labels(document, pointer, &settings.labels);
        let pointer = format!("{pointer}/labels");
        // More than BigQuery's own limit are told of already.
        if (MOST_LABELS + 1..=super::labels::MOST).contains(&settings.labels.len()) {
            let message = format!("{} labels leave no room for Pipewright's own", settings.labels.len());
            self.faults.push(
                Diagnostic::error(Code::BadValue, message)
                    .at(document.key_span(&pointer), "these labels")
                    .help(format!(
                        "take some out: a job has {} at most, and Pipewright adds those of the pipeline, the run and the node to \
                         the {MOST_LABELS} that may be given",
                        super::labels::MOST
                    )),
            );
        }
    }

    fn dataset_names(&mut self, pointer: &str, settings: &BigQueryTarget) {
        let raw = self.raw;
        let document = &raw.pipeline.document;
        let prefix = settings.dataset_prefix.as_deref().unwrap_or_default();
        if !prefix.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
            let pointer = format!("{pointer}/dataset_prefix");
            // What a variable gives may be a secret.
            let is_given = document.is_substituted(&pointer);
            let what = if is_given { "what a variable gives".to_owned() } else { format!("`{prefix}`") };
            self.faults.push(
                Diagnostic::error(Code::BadValue, format!("{what} cannot begin the name of a dataset"))
                    .at(document.value_span(&pointer), "this prefix")
                    .help("names of datasets have letters, digits and `_`: `dev_ana_`"),
            );
        }
        let state = &settings.state_dataset;
        if raw.pipeline.content.datasets.contains_key(state) {
            let message = format!("`{state}` is a dataset of the pipeline, and cannot be that of its state");
            self.faults.push(
                Diagnostic::error(Code::BadValue, message)
                    .at(document.value_span(&format!("{pointer}/state_dataset")), "the same dataset")
                    .help("choose a name that no entry of `datasets` has"),
            );
        }
    }
}
