//! [`RawManifest`] to [`Project`]: the semantic rules, all of them, all faults together.

use std::collections::BTreeSet;
use std::path::Path;
use std::str::FromStr;

use indexmap::IndexMap;
use rayon::prelude::*;

use super::layout::Settings;
use super::{
    Address, Detail, Expectation, Load, LoadColumn, Model, ModelColumn, Node, NodeKind, Project, names,
};
use crate::diag::{Code, Diagnostic, Diagnostics, SourceFile, Span, did_you_mean, quoted};
use crate::googlesql::Type;
use crate::googlesql::types::{TYPE_NAMES, foreign_type};
use crate::manifest::load::{slashed, source_file};
use crate::manifest::types::{
    self, Materialization, Materialized, MissingColumn, ModelsFile, NewColumn, OneOrMany, RejectLimit,
    Sensor, SourceColumn, SourcesFile,
};
use crate::manifest::yaml::{Document, escape_pointer};
use crate::manifest::{Loaded, RawManifest};

/// Looks up every name of a manifest and applies its defaults.
///
/// # Errors
/// All faults together: duplicate and malformed names, references to nothing, bad types, schedules, files.
pub fn resolve(raw: RawManifest) -> Result<(Project, Diagnostics), Diagnostics> {
    let mut resolver = Resolver {
        raw: &raw,
        faults: Diagnostics::new(),
        nodes: IndexMap::new(),
        expectation_names: IndexMap::new(),
        dashboard_spans: IndexMap::new(),
    };
    resolver.pipeline();
    for file in &raw.sources {
        resolver.sources(file);
    }
    for file in &raw.models {
        resolver.models(file);
    }
    resolver.sensors();
    let mut expectations = Vec::new();
    let mut suites = IndexMap::new();
    for file in &raw.expectations {
        resolver.suites(file, &mut suites, &mut expectations);
    }
    resolver.checkpoints(&suites, &expectations);
    let suites = raw.expectations.iter().flat_map(|file| &file.content.suites);
    let suites = suites.map(|(name, suite)| (name.clone(), suite.description.clone())).collect();
    let mut unit_tests = IndexMap::new();
    for file in &raw.unit_tests {
        resolver.unit_tests(file, &mut unit_tests);
    }
    let unit_tests = unit_tests.into_values().collect();
    let mut dashboards = IndexMap::new();
    for file in &raw.dashboards {
        resolver.dashboards(file, &mut dashboards);
    }
    if !resolver.faults.has_errors() {
        resolver.orphan_sql();
    }
    let default_target = resolver.default_target();
    let without_project = resolver.targets();
    let Resolver { faults, nodes, .. } = resolver;
    let mut faults = faults.merged();
    faults.extend(raw.warnings.iter().cloned());
    let warnings = faults.iter().filter(|_| !faults.has_errors()).cloned().collect();
    let job_spans = raw
        .pipeline
        .content
        .jobs
        .keys()
        .map(|name| {
            (name.clone(), raw.pipeline.document.key_span(&format!("/jobs/{}", escape_pointer(name))))
        })
        .collect();
    faults.into_result(())?;
    let mask = &raw.pipeline.content.defaults.expectations.mask;
    let masked = nodes
        .values()
        .flat_map(Node::column_tags)
        .filter(|(_, tags)| tags.iter().any(|tag| mask.contains(tag)))
        .map(|(name, _)| name.to_lowercase())
        .collect();
    let macros = raw.macros;
    let mut project = Project {
        default_target,
        without_project,
        nodes,
        unit_tests,
        masked,
        suites,
        expectations,
        dashboards,
        job_spans,
        macros,
        ..Project::default()
    };
    project.settle(raw.root, raw.pipeline.content);
    Ok((project, warnings))
}

/// What resolving works on.
pub(super) struct Resolver<'a> {
    pub(super) raw: &'a RawManifest,
    pub(super) faults: Diagnostics,
    nodes: IndexMap<String, Node>,
    /// How often a table's expectations have had a name.
    pub(super) expectation_names: IndexMap<(Address, String), usize>,
    /// Where each dashboard is declared.
    pub(super) dashboard_spans: IndexMap<String, Span>,
}

/// What source and seed entries have in common.
struct LoadEntry<'a> {
    kind: NodeKind,
    name: &'a str,
    pointer: String,
    dataset: Option<&'a String>,
    description: Option<&'a String>,
    owner: Option<&'a String>,
    tags: &'a [String],
    files: Vec<String>,
    files_key: &'static str,
    format: &'a types::Format,
    columns: &'a IndexMap<String, SourceColumn>,
    on_new_column: NewColumn,
    on_missing_column: MissingColumn,
    max_rejects: RejectLimit,
    max_shrink: Option<f64>,
    settings: Settings<'a>,
}

impl Resolver<'_> {
    fn pipeline(&mut self) {
        let raw = self.raw;
        let document = &raw.pipeline.document;
        self.datasets();
        for (name, job) in &raw.pipeline.content.jobs {
            if let Some(schedule) = &job.schedule {
                let pointer = format!("/jobs/{}/schedule", escape_pointer(name));
                self.faults.extend(check_cron(&schedule.cron, document, &pointer));
                self.faults.extend(check_time_zone(&schedule.timezone, document, &pointer));
            }
        }
        for (name, notification) in &raw.pipeline.content.notifications {
            for (index, job) in notification.jobs.iter().enumerate() {
                let pointer = format!("/notifications/{}/jobs/{index}", escape_pointer(name));
                self.known("job", job, raw.pipeline.content.jobs.keys(), &document.value_span(&pointer));
            }
        }
    }

    /// Checkpoints name suites that there are, and hold at least one expectation.
    fn checkpoints(&mut self, suites: &IndexMap<String, Span>, expectations: &[Expectation]) {
        let raw = self.raw;
        let document = &raw.pipeline.document;
        for (name, checkpoint) in &raw.pipeline.content.checkpoints {
            let pointer = format!("/checkpoints/{}", escape_pointer(name));
            for (index, suite) in checkpoint.suites.iter().enumerate() {
                let span = document.value_span(&format!("{pointer}/suites/{index}"));
                self.known("suite", suite, suites.keys(), &span);
            }
            let tags: BTreeSet<String> =
                expectations.iter().flat_map(|expectation| expectation.tags.iter().cloned()).collect();
            for (index, tag) in checkpoint.tags.iter().enumerate() {
                let span = document.value_span(&format!("{pointer}/tags/{index}"));
                self.known("expectation with the tag", tag, tags.iter(), &span);
            }
        }
    }

    fn default_target(&mut self) -> String {
        let pipeline = &self.raw.pipeline;
        match &pipeline.content.default_target {
            Some(name) => {
                let span = pipeline.document.value_span("/default_target");
                self.known("target", name, pipeline.content.targets.keys(), &span);
                name.clone()
            }
            None => pipeline.content.targets.keys().next().cloned().unwrap_or_default(),
        }
    }

    fn sources(&mut self, file: &Loaded<SourcesFile>) {
        for (name, source) in &file.content.sources {
            let files = match &source.files {
                OneOrMany::One(one) => vec![one.clone()],
                OneOrMany::Many(many) => many.clone(),
            };
            self.load(
                &file.document,
                LoadEntry {
                    kind: NodeKind::Source,
                    name,
                    pointer: format!("/sources/{}", escape_pointer(name)),
                    dataset: source.dataset.as_ref(),
                    description: source.description.as_ref(),
                    owner: source.owner.as_ref(),
                    tags: &source.tags,
                    files,
                    files_key: "files",
                    format: &source.format,
                    columns: &source.columns,
                    on_new_column: source.on_new_column,
                    on_missing_column: source.on_missing_column,
                    max_rejects: source.max_rejects.clone(),
                    max_shrink: source.max_shrink,
                    settings: source.into(),
                },
            );
        }
        for (name, seed) in &file.content.seeds {
            self.load(
                &file.document,
                LoadEntry {
                    kind: NodeKind::Seed,
                    name,
                    pointer: format!("/seeds/{}", escape_pointer(name)),
                    dataset: seed.dataset.as_ref(),
                    description: seed.description.as_ref(),
                    owner: seed.owner.as_ref(),
                    tags: &seed.tags,
                    files: vec![seed.file.clone()],
                    files_key: "file",
                    format: &seed.format,
                    columns: &seed.columns,
                    on_new_column: NewColumn::Fail,
                    on_missing_column: MissingColumn::Fail,
                    max_rejects: RejectLimit::default(),
                    max_shrink: seed.max_shrink,
                    settings: seed.into(),
                },
            );
        }
    }

    fn load(&mut self, document: &Document, entry: LoadEntry<'_>) {
        let span = document.key_span(&entry.pointer);
        let pipeline = &self.raw.pipeline;
        let dataset = self.dataset(
            (document, &entry.pointer),
            &[
                (document, &entry.pointer, entry.dataset),
                (&pipeline.document, "/defaults/sources", pipeline.content.defaults.sources.dataset.as_ref()),
            ],
        );
        let mut columns = IndexMap::new();
        for (name, column) in entry.columns {
            let pointer = format!("{}/columns/{}", entry.pointer, escape_pointer(name));
            let key = document.key_span(&pointer);
            self.faults.extend(names::check("column", name, &key));
            let same = columns.keys().find(|known: &&String| known.eq_ignore_ascii_case(name));
            if let Some(same) = same {
                self.faults.push(
                    Diagnostic::error(
                        Code::DuplicateName,
                        format!("the columns `{same}` and `{name}` differ only in case"),
                    )
                    .at(key, "BigQuery compares column names without case")
                    .help("rename one of them in the files, or leave one out with `on_new_column: ignore`"),
                );
            }
            let data_type =
                self.data_type(&column.data_type, &document.value_span(&format!("{pointer}/type")));
            columns.insert(
                name.clone(),
                LoadColumn {
                    data_type,
                    required: column.required,
                    description: column.description.clone(),
                    tags: column.tags.clone(),
                },
            );
        }
        let (layout, properties) = self.load_layout(document, &entry.pointer, &entry.settings, &columns);
        let types::Format::Csv(options) = entry.format;
        self.encoding(document, &entry.pointer, &options.encoding);
        let detail = Detail::Load(Load {
            files: entry.files,
            files_span: document.value_span(&format!("{}/{}", entry.pointer, entry.files_key)),
            format: entry.format.clone(),
            columns,
            on_new_column: entry.on_new_column,
            on_missing_column: entry.on_missing_column,
            max_rejects: entry.max_rejects,
        });
        self.node(Node {
            address: Address::new(entry.kind, entry.name),
            dataset,
            description: entry.description.cloned(),
            owner: entry.owner.cloned(),
            max_shrink: entry.max_shrink,
            tags: entry.tags.to_vec(),
            path: document.file.name.clone(),
            span,
            layout,
            properties,
            detail,
        });
    }

    /// What jobs wait for must be there, and a job that waits for its own failure would never end.
    fn sensors(&mut self) {
        let document = &self.raw.pipeline.document;
        let jobs = &self.raw.pipeline.content.jobs;
        let sources: Vec<String> = self
            .nodes
            .values()
            .filter(|node| node.address.kind == NodeKind::Source)
            .map(|node| node.table().to_owned())
            .collect();
        for (name, job) in jobs {
            for (index, sensor) in job.sensors.iter().enumerate() {
                let pointer = format!("/jobs/{}/sensors/{index}", escape_pointer(name));
                let (what, named, known): (_, _, Vec<&String>) = match sensor {
                    Sensor::Files(files) => ("sources", &files.sources, sources.iter().collect()),
                    Sensor::Failure(failure) => {
                        ("jobs", &failure.jobs, jobs.keys().filter(|job| *job != name).collect())
                    }
                };
                for (place, wanted) in named.iter().enumerate() {
                    let span = document.value_span(&format!("{pointer}/{what}/{place}"));
                    let kind = if what == "jobs" { "other job" } else { "source" };
                    self.known(kind, wanted, known.iter().copied(), &span);
                }
            }
        }
    }

    fn encoding(&mut self, document: &Document, pointer: &str, label: &str) {
        if encoding_rs::Encoding::for_label(label.as_bytes()).is_none() {
            self.faults.push(
                Diagnostic::error(Code::BadValue, format!("`{label}` is no encoding"))
                    .at(document.value_span(&format!("{pointer}/format/encoding")), "this encoding")
                    .help("use a WHATWG name such as `utf-8`, `windows-1252`, `utf-16le`"),
            );
        }
    }

    fn models(&mut self, file: &Loaded<ModelsFile>) {
        let folder = Path::new(&file.document.file.name).parent().unwrap_or(Path::new("")).to_path_buf();
        let root = &self.raw.root;
        let texts: Vec<Result<std::sync::Arc<SourceFile>, Diagnostic>> = file
            .content
            .models
            .iter()
            .collect::<Vec<_>>()
            .par_iter()
            .map(|(name, model)| {
                let path = folder.join(model.sql.clone().unwrap_or_else(|| format!("{name}.sql")));
                source_file(root, &path)
            })
            .collect();
        for ((name, model), text) in file.content.models.iter().zip(texts) {
            let pointer = format!("/models/{}", escape_pointer(name));
            let span = file.document.key_span(&pointer);
            match text {
                Ok(sql) => self.model(file, name, model, sql, &pointer, span),
                Err(fault) => {
                    let place = match model.sql {
                        Some(_) => file.document.value_span(&format!("{pointer}/sql")),
                        None => span.clone(),
                    };
                    let path = folder.join(model.sql.clone().unwrap_or_else(|| format!("{name}.sql")));
                    self.faults.push(if fault.primary.is_some() {
                        fault.also(place, "its query").about(format!("model.{name}"))
                    } else {
                        Diagnostic::error(
                            Code::MissingSqlFile,
                            format!("model `{name}` has no query: {}", fault.message),
                        )
                        .at(place, "its query")
                        .help(match model.sql {
                            Some(_) => "paths are relative to this file; without `sql:` the file is named as the model".to_owned(),
                            None => format!("write its query to `{}`, or name the file with `sql:`", slashed(&path)),
                        })
                    });
                    // What refers to the model has no fault of its own.
                    let none = SourceFile::new(slashed(&path), "");
                    self.model(file, name, model, none, &pointer, span);
                }
            }
        }
    }

    /// SQL files beside models that no model names: most often one that was forgotten.
    fn orphan_sql(&mut self) {
        let named: BTreeSet<&str> = self
            .nodes
            .values()
            .filter_map(|node| match &node.detail {
                Detail::Model(model) => Some(model.sql.name.as_str()),
                Detail::Load(_) => None,
            })
            .collect();
        let orphans: Vec<Diagnostic> = self
            .raw
            .model_sql
            .iter()
            .filter(|path| !named.contains(path.as_str()))
            .map(|path| {
                Diagnostic::warning(Code::OrphanSqlFile, format!("no model names {path}"))
                    .help("declare a model of its name in the YAML file beside it, or delete it")
            })
            .collect();
        self.faults.extend(orphans);
    }

    fn model(
        &mut self,
        file: &Loaded<ModelsFile>,
        name: &str,
        model: &types::Model,
        sql: std::sync::Arc<SourceFile>,
        pointer: &str,
        span: Span,
    ) {
        let document = &file.document;
        let of_file = &file.content.defaults;
        let of_project = &self.raw.pipeline.content.defaults.models;
        let kept =
            model.materialized.or(of_file.materialized).or(of_project.materialized).unwrap_or_default();
        let incremental = self.increment(model, kept, document, pointer);
        let (layout, properties) = self.model_layout(document, pointer, model, kept);
        let dataset = self.dataset(
            (document, pointer),
            &[
                (document, pointer, model.dataset.as_ref()),
                (document, "/defaults", of_file.dataset.as_ref()),
                (&self.raw.pipeline.document, "/defaults/models", of_project.dataset.as_ref()),
            ],
        );
        let mut columns = IndexMap::new();
        for (column_name, column) in &model.columns {
            let pointer = format!("{pointer}/columns/{}", escape_pointer(column_name));
            let data_type = column
                .data_type
                .as_ref()
                .map(|text| self.data_type(text, &document.value_span(&format!("{pointer}/type"))));
            columns.insert(
                column_name.clone(),
                ModelColumn {
                    description: column.description.clone(),
                    data_type,
                    tags: column.tags.clone(),
                    span: document.key_span(&pointer),
                },
            );
        }
        let mut tags = of_file.tags.clone();
        tags.extend(model.tags.iter().filter(|tag| !of_file.tags.contains(tag)).cloned());
        let detail = Detail::Model(Model {
            sql,
            materialization: match kept {
                Materialized::View | Materialized::MaterializedView => Materialization::View,
                Materialized::Table | Materialized::Incremental => Materialization::Table,
            },
            incremental,
            columns,
            timeout: model.timeout.map(|timeout| timeout.0),
        });
        self.node(Node {
            address: Address::new(NodeKind::Model, name),
            dataset,
            description: model.description.clone(),
            owner: model.owner.clone().or(of_file.owner.clone()),
            max_shrink: model.max_shrink,
            tags,
            path: document.file.name.clone(),
            span,
            layout,
            properties,
            detail,
        });
    }

    fn node(&mut self, node: Node) {
        self.faults.extend(names::check("table", node.table(), &node.span));
        match self.nodes.get(node.table()) {
            Some(first) => self.faults.push(
                Diagnostic::error(Code::DuplicateName, format!("`{}` is declared twice", node.table()))
                    .at(node.span.clone(), format!("declared again as {}", node.address.kind.name()))
                    .also(
                        first.span.clone(),
                        format!("first declared here, as {}", first.address.kind.name()),
                    )
                    .help("sources, seeds and models share their names: rename one, or take it out"),
            ),
            None => {
                self.nodes.insert(node.table().to_owned(), node);
            }
        }
    }

    /// The dataset of an entry: the first that is named, in its own settings or in defaults; the only one otherwise.
    fn dataset(
        &mut self,
        (document, pointer): (&Document, &str),
        named: &[(&Document, &str, Option<&String>)],
    ) -> String {
        let datasets = &self.raw.pipeline.content.datasets;
        let first = named.iter().find_map(|(document, pointer, name)| Some((document, pointer, (*name)?)));
        match first {
            Some((document, pointer, name)) => {
                let span = document.value_span(&format!("{pointer}/dataset"));
                self.known("dataset", name, datasets.keys(), &span);
                name.clone()
            }
            None if datasets.len() == 1 => datasets.keys().next().cloned().unwrap_or_default(),
            None => {
                self.faults.push(
                    Diagnostic::error(Code::MissingKey, "there is no dataset to build this in")
                        .at(document.key_span(pointer), "no `dataset` here, nor in `defaults`")
                        .help("add `dataset:` here, or to `defaults`"),
                );
                String::new()
            }
        }
    }

    pub(super) fn data_type(&mut self, text: &str, span: &Span) -> Type {
        Type::parse(text).unwrap_or_else(|| {
            let hint = foreign_type(text)
                .map(|ours| format!("write {ours}"))
                .or_else(|| did_you_mean(text, TYPE_NAMES))
                .unwrap_or_else(|| format!("BigQuery's types are {}", TYPE_NAMES.join(", ")));
            self.faults.push(
                Diagnostic::error(Code::BadType, format!("`{text}` is no type of BigQuery"))
                    .at(span.clone(), "this type")
                    .help(hint),
            );
            Type::Unknown
        })
    }

    /// Reports a name that is not among the known ones.
    fn known<'n>(
        &mut self,
        what: &str,
        name: &str,
        known: impl Iterator<Item = &'n String>,
        span: &Span,
    ) -> bool {
        let known: Vec<&str> = known.map(String::as_str).collect();
        if known.contains(&name) {
            return true;
        }
        let help = did_you_mean(name, known.iter().copied()).unwrap_or_else(|| match known.as_slice() {
            [] => format!("the manifest has no {what}"),
            some => format!("the manifest has {}", quoted(some.iter().copied())),
        });
        self.faults.push(
            Diagnostic::error(Code::UnknownReference, format!("there is no {what} `{name}`"))
                .at(span.clone(), "not in the manifest")
                .help(help),
        );
        false
    }

    /// The node of a name; a fault where there is none.
    pub(super) fn address(&mut self, name: &str, span: &Span) -> Option<Address> {
        if let Some(node) = self.nodes.get(name) {
            return Some(node.address.clone());
        }
        let names: Vec<String> = self.nodes.keys().cloned().collect();
        self.known("source, seed or model", name, names.iter(), span);
        None
    }
}
fn check_cron(cron: &str, document: &Document, pointer: &str) -> Option<Diagnostic> {
    croner::Cron::from_str(cron).err().map(|error| {
        let why = match cron.split_whitespace().count() {
            5 => error.to_string(),
            fields => format!("it has {fields} field{}", if fields == 1 { "" } else { "s" }),
        };
        Diagnostic::error(Code::BadCron, format!("`{cron}` is no cron expression: {why}"))
            .at(document.value_span(&format!("{pointer}/cron")), "this schedule")
            .help("five fields: minute, hour, day of month, month, day of week; `0 6 * * *` is every day at six")
    })
}

fn check_time_zone(zone: &str, document: &Document, pointer: &str) -> Option<Diagnostic> {
    if chrono_tz::Tz::from_str(zone).is_ok() {
        return None;
    }
    let meant = did_you_mean(zone, chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name()));
    Some(
        Diagnostic::error(Code::BadTimeZone, format!("`{zone}` is no time zone"))
            .at(document.value_span(&format!("{pointer}/timezone")), "this zone")
            .help(meant.unwrap_or_else(|| "use an IANA name such as `America/Sao_Paulo`".to_owned())),
    )
}
