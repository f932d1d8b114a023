//! Datasets: their names, labels, expiration and grants.

use super::member::Member;
use super::names;
use super::resolve::Resolver;
use crate::diag::{Code, Diagnostic};
use crate::manifest::yaml::escape_pointer;

/// Milliseconds of the shortest expiration that BigQuery takes: an hour.
const LEAST_EXPIRATION: u128 = 3_600_000;

impl Resolver<'_> {
    /// The rules of <https://cloud.google.com/bigquery/docs/labels-intro> and of access entries.
    pub(super) fn datasets(&mut self) {
        let raw = self.raw;
        let document = &raw.pipeline.document;
        for (name, dataset) in &raw.pipeline.content.datasets {
            let pointer = format!("/datasets/{}", escape_pointer(name));
            self.faults.extend(names::check_dataset(name, &document.key_span(&pointer)));
            self.labels(document, &pointer, &dataset.labels);
            if dataset.default_table_expiration.is_some_and(|time| time.0.as_millis() < LEAST_EXPIRATION) {
                self.faults.push(
                    Diagnostic::error(Code::BadValue, "tables cannot expire so soon")
                        .at(document.value_span(&format!("{pointer}/default_table_expiration")), "this time")
                        .help("an hour is the least that BigQuery takes: `1h`"),
                );
            }
            for (index, grant) in dataset.grants.iter().enumerate() {
                for (place, member) in grant.members.iter().enumerate() {
                    let pointer = format!("{pointer}/grants/{index}/members/{place}");
                    let Err((why, help)) = member.parse::<Member>() else { continue };
                    let hidden = document.is_substituted(&pointer);
                    let what =
                        if hidden { "what a variable gives".to_owned() } else { format!("`{member}`") };
                    let help = if hidden { "write it as `user:ana@example.com`".to_owned() } else { help };
                    self.faults.push(
                        Diagnostic::error(
                            Code::BadValue,
                            format!("{what} cannot be granted anything: {why}"),
                        )
                        .at(document.value_span(&pointer), "this member")
                        .help(help),
                    );
                }
            }
        }
    }
}
