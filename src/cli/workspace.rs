//! From a folder to a compiled project and an open target: what most commands start with.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::cache::Cache;
use crate::compile::{CompiledProject, compile};
use crate::diag::{Code, Diagnostic, Diagnostics, did_you_mean};
use crate::graph::{Selectable, Selection};
use crate::manifest::Survey;
use crate::manifest::env::{ProcessEnvironment, Recorder};
use crate::manifest::types::{DurationText, Scalar, Target};
use crate::plan::Files;
use crate::project::{Address, Detail, Project, resolve};
use crate::source::{FileSet, FileStamp, SourceError, expand, fingerprint_files, is_address};
use crate::state::{FileState, Snapshot};
use crate::view::Printer;
use crate::warehouse::bigquery::BigQuery;
use crate::warehouse::duckdb::{DuckDb, Opening};
use crate::warehouse::{Access, Warehouse, WarehouseError, not_read, source_fault};

use super::args::{Global, SelectionArgs};
use super::usage;

/// What all commands know.
pub(super) struct Workspace<'a> {
    pub(super) root: PathBuf,
    pub(super) printer: Printer,
    global: &'a Global,
}

/// A project that is whole.
pub(super) struct LoadedProject {
    pub(super) compiled: CompiledProject,
}

impl<'a> Workspace<'a> {
    pub(super) fn new(global: &'a Global, printer: Printer) -> Self {
        Self { root: global.project.clone(), printer, global }
    }

    /// Reads, resolves and compiles the project, unless an earlier command left it compiled; shows warnings.
    pub(super) fn load(&self) -> Result<LoadedProject, Diagnostics> {
        let survey = Survey::new(&self.root, &ProcessEnvironment)?;
        let target = self.global.target.as_deref().or(survey.pipeline.content.default_target.as_deref());
        let cache = Cache::new(&survey, target.unwrap_or("default"), &self.global.vars);
        let cache = cache.filter(|_| !self.global.no_cache);
        let kept = cache.as_ref().and_then(|cache| cache.read(&survey, &ProcessEnvironment));
        if let Some((mut compiled, warnings)) = kept {
            self.override_vars(&mut compiled.project)?;
            self.printer.faults(&warnings);
            return Ok(LoadedProject { compiled });
        }
        let environment = Recorder::new(&ProcessEnvironment);
        let raw = survey.read(&environment)?;
        let files = raw.files();
        let (mut project, mut warnings) = resolve(raw)?;
        let compiled = self.override_vars(&mut project).map_err(Diagnostics::from).and_then(|()| {
            let target = self.global.target.clone().unwrap_or_else(|| project.default_target.clone());
            compile(project, &target)
        });
        // Faults and warnings are one report: in JSON that is one array.
        match compiled {
            Ok((compiled, more)) => {
                warnings.extend(more);
                if let Some(cache) = cache {
                    cache.write(&compiled, &warnings, &files, &environment.asked());
                }
                self.printer.faults(&warnings);
                Ok(LoadedProject { compiled })
            }
            Err(mut faults) => {
                faults.extend(warnings);
                Err(faults)
            }
        }
    }

    fn override_vars(&self, project: &mut Project) -> Result<(), Diagnostic> {
        for given in &self.global.vars {
            let Some((name, value)) = given.split_once('=') else {
                return Err(usage(format!("`--var {given}` is not of the form NAME=VALUE")));
            };
            if !project.vars.contains_key(name) {
                let known = did_you_mean(name, project.vars.keys().map(String::as_str));
                return Err(Diagnostic::error(Code::UnknownVar, format!("there is no variable `{name}`"))
                    .maybe_help(
                        known.or_else(|| Some("declare it under `vars:` in pipeline.yaml".to_owned())),
                    ));
            }
            project.vars.insert(name.to_owned(), scalar(value));
        }
        Ok(())
    }

    /// Opens the target of a project; waits for whoever holds it as long as was asked.
    pub(super) fn open(
        &self,
        loaded: &LoadedProject,
        access: Access,
        command: &str,
        lock_timeout: &str,
    ) -> Result<Box<dyn Warehouse>, Diagnostics> {
        let wait = DurationText::parse(lock_timeout)
            .ok_or_else(|| usage(format!("`{lock_timeout}` is not a time such as `30s` or `5m`")))?
            .0;
        let project = &loaded.compiled.project;
        let open = || -> Result<Box<dyn Warehouse>, WarehouseError> {
            Ok(match loaded.compiled.target_settings() {
                Some(Target::DuckDb(settings)) => {
                    let opening = Opening { access, command };
                    Box::new(DuckDb::open(&self.root, settings, &project.name, opening)?)
                }
                Some(Target::BigQuery(settings)) => {
                    Box::new(BigQuery::open(&self.root, settings, project, access, command)?)
                }
                // Compiling has refused a target that is not there.
                None => return Err(Diagnostic::error(Code::Internal, "there is no target").into()),
            })
        };
        let started = Instant::now();
        loop {
            match open() {
                Err(error) if error.diagnostic.code == Code::Locked && started.elapsed() < wait => {
                    std::thread::sleep(Duration::from_millis(200));
                }
                opened => return opened.map_err(fault),
            }
        }
    }
}

/// A warehouse's error as faults.
pub(super) fn fault(error: WarehouseError) -> Diagnostics {
    error.diagnostic.into()
}

fn scalar(text: &str) -> Scalar {
    if let Ok(value) = text.parse::<bool>() {
        Scalar::Bool(value)
    } else if let Ok(value) = text.parse::<i64>() {
        Scalar::Integer(value)
    } else if let Ok(value) = text.parse::<f64>() {
        Scalar::Float(value)
    } else {
        Scalar::Text(text.to_owned())
    }
}

/// The files of all sources and seeds, hashed as far as they changed since they were remembered. Those of other places the
/// target knows, once it is open.
pub(super) fn files(
    root: &Path,
    project: &Project,
    snapshot: &Snapshot,
    target: Option<&dyn Warehouse>,
) -> Result<Files, Diagnostics> {
    let mut files = Files::new();
    let mut faults = Diagnostics::new();
    for node in project.nodes.values() {
        let Detail::Load(load) = &node.detail else { continue };
        let known =
            snapshot.state.nodes.get(&node.address).map(|state| state.files.as_slice()).unwrap_or_default();
        let known = FileSet { files: known.iter().map(stamp).collect() };
        let (addresses, paths): (Vec<_>, Vec<_>) =
            load.files.iter().cloned().partition(|path| is_address(path));
        let found = match (addresses.first(), paths.first()) {
            (None, _) => expand(root, &paths)
                .and_then(|found| fingerprint_files(&found, &known))
                .map(|found| found.files.into_iter().map(remembered).collect())
                .map_err(source_fault),
            (Some(_), None) => {
                target.map_or_else(|| Err(not_read(&addresses)), |target| target.files_at(&addresses))
            }
            (Some(address), Some(here)) => {
                Err(source_fault(SourceError::TwoPlaces { here: here.clone(), address: address.clone() }))
            }
        };
        match found {
            Ok(found) => {
                files.insert(node.address.clone(), found);
            }
            Err(error) => faults.push(
                error.diagnostic.at(load.files_span.clone(), "these files").about(node.address.to_string()),
            ),
        }
    }
    faults.into_result(files)
}

fn stamp(file: &FileState) -> FileStamp {
    FileStamp {
        name: file.path.clone(),
        bytes: file.bytes,
        modified: file.modified,
        blake3: file.hash.clone(),
    }
}

fn remembered(stamp: FileStamp) -> FileState {
    FileState { path: stamp.name, bytes: stamp.bytes, modified: stamp.modified, hash: stamp.blake3 }
}

/// The nodes that a selection means; nothing without a selection.
pub(super) fn selected(
    args: &SelectionArgs,
    compiled: &CompiledProject,
    changed: Option<&BTreeSet<Address>>,
) -> Result<Option<BTreeSet<Address>>, Diagnostics> {
    let selection = Selection { select: args.select.clone(), exclude: args.exclude.clone() };
    if selection.is_everything() {
        return Ok(None);
    }
    let about = About { compiled, changed };
    selection.resolve(&compiled.graph, &about).map(Some).map_err(|wrong| {
        Diagnostic::error(Code::EmptySelection, format!("`{}`: {}", wrong.term, wrong.message))
            .help(wrong.help)
            .into()
    })
}

struct About<'a> {
    compiled: &'a CompiledProject,
    changed: Option<&'a BTreeSet<Address>>,
}

impl Selectable for About<'_> {
    fn tags(&self, address: &Address) -> Vec<String> {
        self.compiled.project.tags_of(address).to_vec()
    }

    fn paths(&self, address: &Address) -> Vec<String> {
        self.compiled.project.paths_of(address)
    }

    fn changed(&self, address: &Address) -> Option<bool> {
        self.changed.map(|changed| changed.contains(address))
    }
}
