//! How tables are laid out and described, in BigQuery's words: clauses of statements, settings of load jobs, the body of
//! the request that describes a table, and the way back. Pure.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::compile::partition;
use crate::googlesql::names::{Ident, Text};
use crate::manifest::types::{Granularity, IntegerRange};
use crate::project::{ColumnProperties, Layout, Partition, Parts, Properties};
use crate::state::{Observed, label_of};

const DAY: f64 = 86_400_000.0;

/// What stands between the name of a table and its query.
pub(super) fn clauses(layout: &Layout, properties: &Properties) -> String {
    let mut clauses = String::new();
    if let Some(partition) = &layout.partition {
        clauses.push_str(&format!(" PARTITION BY {}", partition::common(partition)));
    }
    if !layout.cluster_by.is_empty() {
        let columns: Vec<String> = layout.cluster_by.iter().map(|name| Ident(name).to_string()).collect();
        clauses.push_str(&format!(" CLUSTER BY {}", columns.join(", ")));
    }
    let mut options = Vec::new();
    // Rows that are too old are gone before they are audited, as they are from the published table.
    if let (Some(expires), Some(_)) = (properties.partition_expires_ms, &layout.partition) {
        options.push(format!("partition_expiration_days = {}", days(expires)));
    }
    if !properties.labels.is_empty() {
        let label = |(name, value): (&String, &String)| format!("({}, {})", Text(name), Text(value));
        let labels: Vec<String> = properties.labels.iter().map(label).collect();
        options.push(format!("labels = [{}]", labels.join(", ")));
    }
    if !options.is_empty() {
        clauses.push_str(&format!(" OPTIONS({})", options.join(", ")));
    }
    clauses
}

/// What a statement says of what it makes beside its layout: whose it is.
pub(super) fn said(comment: &str) -> String {
    let label = label_of(comment).map(|label| format!(", labels = [({}, {})]", Text(MARK), Text(&label)));
    format!(" OPTIONS(description = {}{})", Text(comment), label.unwrap_or_default())
}

/// A number of milliseconds as days, which options count in.
fn days(milliseconds: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "lengths of time lie far below 2^53 milliseconds")]
    let milliseconds = milliseconds as f64;
    milliseconds / DAY
}

/// The same for a load job.
pub(super) fn settings(layout: &Layout) -> Map<String, Value> {
    let mut settings = Map::new();
    match &layout.partition {
        Some(Partition { column, parts: Parts::Range(range), .. }) => {
            let IntegerRange { start, end, interval } = range;
            // Whole numbers of 64 bits are texts in JSON.
            let range = json!({
                "start": start.to_string(), "end": end.to_string(), "interval": interval.to_string(),
            });
            settings.insert("rangePartitioning".to_owned(), json!({ "field": column, "range": range }));
        }
        Some(Partition { column, parts: Parts::By(granularity), .. }) => {
            let by = json!({ "type": granularity.keyword(), "field": column });
            settings.insert("timePartitioning".to_owned(), by);
        }
        None => {}
    }
    if !layout.cluster_by.is_empty() {
        settings.insert("clustering".to_owned(), json!({ "fields": layout.cluster_by }));
    }
    settings
}

/// Whether two tables, as BigQuery describes them, are laid out alike, so that one can be copied over the other.
pub(super) fn alike(one: &Value, other: &Value) -> bool {
    let time = |table: &Value| {
        let by = &table["timePartitioning"];
        (by["type"].clone(), by["field"].clone())
    };
    let same = |key: &str| one[key] == other[key];
    time(one) == time(other) && same("rangePartitioning") && same("clustering")
}

/// How a table is laid out, as BigQuery describes it.
pub(super) fn observed(table: &Value) -> Observed {
    let (time, range) = (&table["timePartitioning"], &table["rangePartitioning"]);
    let fields = table["clustering"]["fields"].as_array().into_iter().flatten();
    let milliseconds = &time["expirationMs"];
    let labels = table["labels"].as_object().into_iter().flatten();
    Observed {
        partition_by: time["field"].as_str().or_else(|| range["field"].as_str()).map(str::to_owned),
        granularity: time["type"].as_str().and_then(Granularity::from_keyword),
        cluster_by: fields.filter_map(Value::as_str).map(str::to_owned).collect(),
        partition_expires_ms: milliseconds.as_u64().or_else(|| milliseconds.as_str()?.parse().ok()),
        require_partition_filter: [&table["requirePartitionFilter"], &time["requirePartitionFilter"]]
            .contains(&&json!(true)),
        expires: !table["expirationTime"].is_null(),
        materialized_view: table["type"] == "MATERIALIZED_VIEW",
        labels: labels.filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned()))).collect(),
        columns: None,
        mark: table["labels"][MARK].as_str().map(str::to_owned),
        query: table["view"]["query"].as_str().map(query_print),
        // Beside its rows what is said of it is meant: no earlier than the last of them.
        written_ms: table["lastModifiedTime"].as_str().and_then(|time| time.parse().ok()),
    }
}

/// The label that has the mark of what Pipewright made: people who describe a table leave it alone, and whoever replaces
/// the table takes it away.
pub(super) const MARK: &str = "pipewright";

/// The labels of a table, given as the literal that they were written as: `[STRUCT("team", "a"), STRUCT("cost", "7")]`. Neither
/// names nor values have quotes in them.
pub(super) fn labels_in(literal: &str) -> BTreeMap<String, String> {
    let quoted: Vec<&str> = literal.split('"').skip(1).step_by(2).collect();
    quoted.chunks_exact(2).map(|pair| (pair[0].to_owned(), pair[1].to_owned())).collect()
}

/// A fingerprint of a view's query, whose white space at its ends is nobody's.
pub(super) fn query_print(query: &str) -> String {
    blake3::hash(query.trim().trim_end_matches(';').trim_end().as_bytes()).to_hex()[..32].to_owned()
}

/// Milliseconds of an option that counts days.
pub(super) fn milliseconds_of_days(days: &str) -> Option<u64> {
    let milliseconds = (days.parse::<f64>().ok()? * DAY).round();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a length of time is positive and far below 2^53 milliseconds"
    )]
    let whole = milliseconds as u64;
    (milliseconds >= 0.0).then_some(whole)
}

/// What is to be said of a table, and what was said of it by the manifest before.
#[derive(Debug, Clone, Default)]
pub(super) struct Description {
    pub(super) comment: String,
    pub(super) layout: Layout,
    pub(super) properties: Properties,
    pub(super) before: Properties,
}

/// What others have said of a table, which the manifest leaves alone.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Foreign {
    pub(super) labels: BTreeMap<String, String>,
    /// Policy tags by the path of their column.
    pub(super) policy_tags: BTreeMap<String, Vec<String>>,
    /// Resource tags, which the manifest has no words for.
    #[serde(default)]
    pub(super) resource_tags: BTreeMap<String, String>,
}

impl Description {
    /// A comment alone.
    pub(super) fn of(comment: String) -> Self {
        Self { comment, ..Self::default() }
    }

    /// Whether anything is said of columns.
    pub(super) fn is_about_columns(&self) -> bool {
        !self.properties.columns.is_empty() || !self.before.columns.is_empty()
    }

    /// Whether what the table has now must be known to say it.
    pub(super) fn needs_table(&self) -> bool {
        let expires = |properties: &Properties| properties.partition_expires_ms.is_some();
        self.is_about_columns() || expires(&self.properties) || expires(&self.before)
    }

    /// Whether a policy tag is to stand on any column.
    pub(super) fn has_policy_tags(&self, foreign: &Foreign) -> bool {
        let tagged = |column: &ColumnProperties| column.policy_tag.is_some();
        self.properties.columns.values().any(tagged) || !foreign.policy_tags.is_empty()
    }

    /// The body of the request that says it, of a table that is as given.
    pub(super) fn patch(&self, table: &Value, foreign: &Foreign, now_ms: u64) -> Value {
        let (wanted, before) = (&self.properties, &self.before);
        let mut patch = Map::from_iter([("description".to_owned(), json!(self.comment))]);
        let mut labels: Map<String, Value> = Map::new();
        labels.extend(before.labels.keys().map(|name| (name.clone(), Value::Null)));
        labels.extend(foreign.labels.iter().map(|(name, value)| (name.clone(), json!(value))));
        labels.extend(wanted.labels.iter().map(|(name, value)| (name.clone(), json!(value))));
        labels.extend(label_of(&self.comment).map(|label| (MARK.to_owned(), json!(label))));
        if !labels.is_empty() {
            patch.insert("labels".to_owned(), Value::Object(labels));
        }
        if !foreign.resource_tags.is_empty() {
            patch.insert("resourceTags".to_owned(), json!(foreign.resource_tags));
        }
        match (wanted.expires_ms, before.expires_ms) {
            (Some(after), _) => {
                let at = now_ms.saturating_add(after).to_string();
                patch.insert("expirationTime".to_owned(), json!(at));
            }
            (None, Some(_)) => {
                patch.insert("expirationTime".to_owned(), Value::Null);
            }
            (None, None) => {}
        }
        if self.layout.partition.is_some() {
            patch.insert("requirePartitionFilter".to_owned(), json!(wanted.require_partition_filter));
            let expires = wanted.partition_expires_ms.or(before.partition_expires_ms);
            if let (Some(_), Some(by)) = (expires, table["timePartitioning"].as_object()) {
                let mut by = by.clone();
                // Told of at two places, and taken at the other.
                by.remove("requirePartitionFilter");
                let expires = wanted.partition_expires_ms.map(|milliseconds| milliseconds.to_string());
                by.insert("expirationMs".to_owned(), json!(expires));
                patch.insert("timePartitioning".to_owned(), Value::Object(by));
            }
        }
        if self.is_about_columns() || !foreign.policy_tags.is_empty() {
            let fields = self.fields(table, foreign);
            if !fields.is_empty() {
                patch.insert("schema".to_owned(), json!({ "fields": fields }));
            }
        }
        Value::Object(patch)
    }

    /// The columns of a table with what is said of them.
    pub(super) fn fields(&self, table: &Value, foreign: &Foreign) -> Vec<Value> {
        let find = |columns: &BTreeMap<String, ColumnProperties>, name: &str| {
            let found = columns.iter().find(|(column, _)| column.eq_ignore_ascii_case(name));
            found.map(|(_, said)| said.clone()).unwrap_or_default()
        };
        let mut fields = table["schema"]["fields"].as_array().cloned().unwrap_or_default();
        for field in &mut fields {
            let name = field["name"].as_str().unwrap_or_default().to_owned();
            keep_tags(field, &name, foreign);
            let (wanted, before) = (find(&self.properties.columns, &name), find(&self.before.columns, &name));
            match (wanted.description, before.description) {
                (Some(description), _) => field["description"] = json!(description),
                (None, Some(_)) => field["description"] = json!(""),
                (None, None) => {}
            }
            match (wanted.policy_tag, before.policy_tag) {
                (Some(tag), _) => field["policyTags"] = json!({ "names": [tag] }),
                (None, Some(_)) => field["policyTags"] = json!({ "names": [] }),
                (None, None) => {}
            }
        }
        fields
    }
}

/// Puts the policy tags of others on a column and on what is in it.
fn keep_tags(field: &mut Value, path: &str, foreign: &Foreign) {
    if let Some(names) = foreign.policy_tags.get(&path.to_lowercase()) {
        field["policyTags"] = json!({ "names": names });
    }
    for inner in field.get_mut("fields").and_then(Value::as_array_mut).into_iter().flatten() {
        let path = format!("{path}.{}", inner["name"].as_str().unwrap_or_default());
        keep_tags(inner, &path, foreign);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::googlesql::Type;

    fn partition(data_type: Type, parts: Parts) -> Layout {
        let partition = Partition { column: "at".to_owned(), data_type, parts };
        Layout { partition: Some(partition), ..Layout::default() }
    }

    #[test]
    fn partitions_are_written_as_their_column_needs_it() {
        use Granularity::{Day, Hour, Month};
        let range = IntegerRange { start: 0, end: 100, interval: 10 };
        for (data_type, parts, expected) in [
            (Type::Date, Parts::By(Day), "`at`"),
            (Type::Date, Parts::By(Month), "DATE_TRUNC(`at`, MONTH)"),
            (Type::Datetime, Parts::By(Hour), "DATETIME_TRUNC(`at`, HOUR)"),
            (Type::Timestamp, Parts::By(Day), "TIMESTAMP_TRUNC(`at`, DAY)"),
            (Type::Int64, Parts::Range(range), "RANGE_BUCKET(`at`, GENERATE_ARRAY(0, 100, 10))"),
        ] {
            let layout = partition(data_type, parts);
            assert_eq!(clauses(&layout, &Properties::default()), format!(" PARTITION BY {expected}"));
        }
    }

    #[test]
    fn options_are_quoted_and_days_may_have_fractions() {
        let layout = Layout {
            cluster_by: vec!["a".to_owned(), "b`c".to_owned()],
            ..partition(Type::Date, Parts::By(Granularity::Day))
        };
        let properties = Properties {
            partition_expires_ms: Some(129_600_000),
            labels: BTreeMap::from([("team".to_owned(), "it's".to_owned())]),
            require_partition_filter: true,
            ..Properties::default()
        };
        // Whether it may be read as a whole is not for the build, which is audited as a whole.
        assert_eq!(
            clauses(&layout, &properties),
            " PARTITION BY `at` CLUSTER BY `a`, `b\\`c` \
             OPTIONS(partition_expiration_days = 1.5, labels = [('team', 'it\\'s')])"
        );
        assert_eq!(clauses(&Layout::default(), &Properties::default()), "");
    }

    #[test]
    fn load_jobs_have_the_same_layout() {
        let mut layout = partition(Type::Timestamp, Parts::By(Granularity::Month));
        layout.cluster_by = vec!["id".to_owned()];
        let expected = json!({
            "timePartitioning": { "type": "MONTH", "field": "at" }, "clustering": { "fields": ["id"] },
        });
        assert_eq!(json!(settings(&layout)), expected);
        let range = IntegerRange { start: 0, end: 9, interval: 3 };
        let table = json!(settings(&partition(Type::Int64, Parts::Range(range))));
        assert_eq!(table["rangePartitioning"]["range"]["end"], "9");
        assert_eq!(observed(&table).partition_by.as_deref(), Some("at"));
    }

    #[test]
    fn tables_are_alike_whatever_is_not_their_layout() {
        let table = |kind: &str, expires: &str| {
            json!({
                "timePartitioning": { "type": kind, "field": "at", "expirationMs": expires },
                "clustering": { "fields": ["id"] },
            })
        };
        assert!(alike(&table("DAY", "1"), &table("DAY", "2")));
        assert!(!alike(&table("DAY", "1"), &table("MONTH", "1")));
        assert!(!alike(&table("DAY", "1"), &json!({ "clustering": { "fields": ["id"] } })));
        assert!(alike(&json!({}), &json!({ "schema": {} })));
        let seen = observed(&table("DAY", "86400000"));
        assert_eq!(seen.granularity, Some(Granularity::Day));
        let labels = labels_in("[STRUCT(\"team\", \"a\"), STRUCT(\"cost\", \"\")]");
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(labels, BTreeMap::from([pair("team", "a"), pair("cost", "")]));
        assert_eq!(labels_in("[]"), BTreeMap::new());
        assert_eq!((seen.partition_expires_ms, seen.cluster_by), (Some(86_400_000), vec!["id".to_owned()]));
        assert_eq!(milliseconds_of_days("1.5"), Some(129_600_000));
        assert_eq!(milliseconds_of_days("x"), None);
    }

    #[test]
    fn what_the_manifest_no_longer_says_is_taken_back_and_what_others_said_stays() {
        let said = |description: Option<&str>, tag: Option<&str>| ColumnProperties {
            description: description.map(str::to_owned),
            policy_tag: tag.map(str::to_owned),
        };
        let label = |name: &str| (name.to_owned(), "x".to_owned());
        let description = Description {
            comment: "c".to_owned(),
            layout: partition(Type::Date, Parts::By(Granularity::Day)),
            properties: Properties {
                labels: BTreeMap::from([label("new")]),
                columns: BTreeMap::from([("ID".to_owned(), said(Some("Key."), Some("t1")))]),
                ..Properties::default()
            },
            before: Properties {
                expires_ms: Some(1),
                partition_expires_ms: Some(5),
                require_partition_filter: true,
                labels: BTreeMap::from([label("old"), label("new")]),
                columns: BTreeMap::from([("name".to_owned(), said(Some("Was."), Some("t0")))]),
            },
        };
        let table = json!({
            "timePartitioning": { "type": "DAY", "field": "at", "expirationMs": "5" },
            "schema": { "fields": [
                { "name": "id", "type": "INTEGER" },
                { "name": "name", "type": "STRING", "description": "Was.", "policyTags": { "names": ["t0"] } },
                { "name": "more", "type": "RECORD", "fields": [{ "name": "in", "type": "STRING" }] },
            ] },
        });
        let foreign = Foreign {
            labels: BTreeMap::from([label("theirs")]),
            policy_tags: BTreeMap::from([("more.in".to_owned(), vec!["t9".to_owned()])]),
            resource_tags: BTreeMap::from([("123/env".to_owned(), "prod".to_owned())]),
        };
        let expected = json!({
            "description": "c",
            "labels": { "old": null, "new": "x", "theirs": "x" },
            "resourceTags": { "123/env": "prod" },
            "expirationTime": null,
            "requirePartitionFilter": false,
            "timePartitioning": { "type": "DAY", "field": "at", "expirationMs": null },
            "schema": { "fields": [
                { "name": "id", "type": "INTEGER", "description": "Key.", "policyTags": { "names": ["t1"] } },
                { "name": "name", "type": "STRING", "description": "", "policyTags": { "names": [] } },
                { "name": "more", "type": "RECORD", "fields": [
                    { "name": "in", "type": "STRING", "policyTags": { "names": ["t9"] } },
                ] },
            ] },
        });
        assert_eq!(description.patch(&table, &foreign, 1_000), expected);
        let lasting = Description {
            properties: Properties { expires_ms: Some(500), ..Properties::default() },
            ..Description::of("c".to_owned())
        };
        let expected = json!({ "description": "c", "expirationTime": "1500" });
        assert_eq!(lasting.patch(&Value::Null, &Foreign::default(), 1_000), expected);
    }
}
