//! From files to the [`RawManifest`]: every file read, every value held against its schema.

use std::path::{Path, PathBuf};

use globset::{GlobBuilder, GlobMatcher};
use rayon::prelude::*;
use serde::de::DeserializeOwned;
use walkdir::WalkDir;

use super::env::{Environment, substitute};
use super::types::{DashboardsFile, ExpectationsFile, ModelsFile, PipelineFile, SourcesFile, UnitTestsFile};
use super::yaml::{Document, escape_pointer};
use crate::diag::{Code, Diagnostic, Diagnostics, SourceFile, Span};
use crate::schema::{self, Kind};

/// The manifest as written: typed, but with its names not yet looked up.
#[derive(Debug)]
pub struct RawManifest {
    /// The project's folder: the one that holds `pipeline.yaml`.
    pub root: PathBuf,
    /// `pipeline.yaml`.
    pub pipeline: Loaded<PipelineFile>,
    /// Files of sources and seeds, by path.
    pub sources: Vec<Loaded<SourcesFile>>,
    /// Files of models, by path.
    pub models: Vec<Loaded<ModelsFile>>,
    /// Files of expectations, by path.
    pub expectations: Vec<Loaded<ExpectationsFile>>,
    /// Files of dashboards, by path.
    pub dashboards: Vec<Loaded<DashboardsFile>>,
    /// Files of unit tests, by path.
    pub unit_tests: Vec<Loaded<UnitTestsFile>>,
    /// Files of rows that unit tests name.
    pub fixtures: Vec<std::sync::Arc<SourceFile>>,
    /// SQL files that lie beside files of models, by path.
    pub model_sql: Vec<String>,
    /// Files of template macros, by path.
    pub macros: Vec<std::sync::Arc<SourceFile>>,
    /// What is worth knowing and stops nothing.
    pub warnings: Diagnostics,
}

/// A YAML file's typed content, and the document that knows its places.
#[derive(Debug)]
pub struct Loaded<T> {
    /// Places of everything in it.
    pub document: Document,
    /// Its content.
    pub content: T,
}

/// The files of a manifest: found, and all but `pipeline.yaml` not yet read.
#[derive(Debug)]
pub struct Survey {
    /// The project's folder.
    pub root: PathBuf,
    /// `pipeline.yaml`.
    pub pipeline: Loaded<PipelineFile>,
    sources: Vec<PathBuf>,
    models: Vec<PathBuf>,
    expectations: Vec<PathBuf>,
    dashboards: Vec<PathBuf>,
    unit_tests: Vec<PathBuf>,
    macros: Vec<PathBuf>,
    model_sql: Vec<String>,
    faults: Diagnostics,
}

/// Reads the manifest whose root is `folder/pipeline.yaml`.
///
/// # Errors
/// All faults of all files together.
pub fn load(folder: &Path, environment: &(dyn Environment + Sync)) -> Result<RawManifest, Diagnostics> {
    Survey::new(folder, environment)?.read(environment)
}

impl Survey {
    /// Reads `folder/pipeline.yaml` and finds the files that it includes.
    ///
    /// # Errors
    /// Faults of this file. Those of its patterns are kept, to be told with those of the files.
    pub fn new(folder: &Path, environment: &dyn Environment) -> Result<Self, Diagnostics> {
        if !folder.join("pipeline.yaml").is_file() {
            return Err(Diagnostic::error(
                Code::ProjectNotFound,
                format!("there is no pipeline.yaml in {}", folder.display()),
            )
            .help(
                "go to the project's folder or name it with `--project`; `pipewright init` starts a new project",
            )
            .into());
        }
        let pipeline: Loaded<PipelineFile> =
            read(folder, Path::new("pipeline.yaml"), Kind::Pipeline, environment)?;
        let mut faults = Diagnostics::new();
        let include = &pipeline.content.include;
        let mut find = |key: &str, patterns: &[String]| {
            find_files(folder, &pipeline.document, key, patterns, &mut faults)
        };
        let sources = find("sources", &include.sources);
        let models = find("models", &include.models);
        let expectations = find("expectations", &include.expectations);
        let dashboards = find("dashboards", &include.dashboards);
        let unit_tests = find("unit_tests", &include.unit_tests);
        let macros = find("macros", &include.macros);
        let model_sql = sql_beside(folder, &models);
        let root = folder.to_path_buf();
        Ok(Self {
            root,
            pipeline,
            sources,
            models,
            expectations,
            dashboards,
            unit_tests,
            macros,
            model_sql,
            faults,
        })
    }

    /// Every file that was found, by what it is, with forward slashes.
    pub fn listing(&self) -> impl Iterator<Item = (&'static str, String)> {
        let yaml = [
            ("sources", &self.sources),
            ("models", &self.models),
            ("expectations", &self.expectations),
            ("dashboards", &self.dashboards),
            ("unit_tests", &self.unit_tests),
            ("macros", &self.macros),
        ];
        let found =
            yaml.into_iter().flat_map(|(what, paths)| paths.iter().map(move |path| (what, slashed(path))));
        found.chain(self.model_sql.iter().map(|path| ("sql", path.clone())))
    }

    /// Reads all files.
    ///
    /// # Errors
    /// All faults of all files together.
    pub fn read(self, environment: &(dyn Environment + Sync)) -> Result<RawManifest, Diagnostics> {
        let Self { root, pipeline, mut faults, .. } = self;
        let reader = Reader { folder: &root, environment };
        let sources = reader.all(&self.sources, Kind::Sources, &mut faults);
        let models = reader.all(&self.models, Kind::Models, &mut faults);
        let expectations = reader.all(&self.expectations, Kind::Expectations, &mut faults);
        let dashboards = reader.all(&self.dashboards, Kind::Dashboards, &mut faults);
        let unit_tests: Vec<Loaded<UnitTestsFile>> =
            reader.all(&self.unit_tests, Kind::UnitTests, &mut faults);
        let fixtures = fixtures(&root, &unit_tests, &mut faults);
        let macros = self
            .macros
            .iter()
            .filter_map(|path| source_file(&root, path).map_err(|fault| faults.push(fault)).ok())
            .collect();
        let warnings = faults.iter().filter(|_| !faults.has_errors()).cloned().collect();
        let model_sql = self.model_sql;
        faults.into_result(())?;
        Ok(RawManifest {
            root,
            pipeline,
            sources,
            models,
            expectations,
            dashboards,
            unit_tests,
            fixtures,
            model_sql,
            macros,
            warnings,
        })
    }
}

impl RawManifest {
    /// The files that were read.
    pub fn files(&self) -> Vec<std::sync::Arc<SourceFile>> {
        let documents = std::iter::once(&self.pipeline.document)
            .chain(self.sources.iter().map(|file| &file.document))
            .chain(self.models.iter().map(|file| &file.document))
            .chain(self.expectations.iter().map(|file| &file.document))
            .chain(self.dashboards.iter().map(|file| &file.document))
            .chain(self.unit_tests.iter().map(|file| &file.document));
        let files = documents.map(|document| &document.file);
        files.chain(&self.macros).chain(&self.fixtures).cloned().collect()
    }
}

/// The files of rows that unit tests name, each once.
fn fixtures(
    folder: &Path,
    tests: &[Loaded<UnitTestsFile>],
    faults: &mut Diagnostics,
) -> Vec<std::sync::Arc<SourceFile>> {
    let mut files: Vec<std::sync::Arc<SourceFile>> = Vec::new();
    for file in tests {
        for (name, test) in &file.content.tests {
            let given = test.given.iter().map(|(table, fixture)| (format!("given/{table}"), fixture));
            for (key, fixture) in given.chain([("expect".to_owned(), &test.expect)]) {
                let Some(path) = &fixture.file else { continue };
                if files.iter().any(|known| known.name == *path) {
                    continue;
                }
                match source_file(folder, Path::new(path)) {
                    Ok(read) => files.push(read),
                    Err(fault) => {
                        let pointer = format!("/tests/{}/{key}/file", escape_pointer(name));
                        faults.push(fault.at(file.document.value_span(&pointer), "named here"));
                    }
                }
            }
        }
    }
    files
}

/// A file of the project as text.
///
/// # Errors
/// When it cannot be read, or is not UTF-8.
pub fn source_file(folder: &Path, path: &Path) -> Result<std::sync::Arc<SourceFile>, Diagnostic> {
    match fs_err::read(folder.join(path)) {
        Ok(bytes) => match String::from_utf8(bytes) {
            Ok(text) => {
                let text = text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text);
                Ok(SourceFile::new(slashed(path), text))
            }
            Err(error) => {
                let at = error.utf8_error().valid_up_to();
                let shown = SourceFile::new(slashed(path), String::from_utf8_lossy(error.as_bytes()));
                Err(Diagnostic::error(Code::UnreadableInclude, format!("`{}` is not UTF-8", slashed(path)))
                    .at(Span::new(&shown, at..at + '\u{fffd}'.len_utf8()), "the first byte that is not")
                    .help("save the file as UTF-8"))
            }
        },
        Err(error) => {
            let path = slashed(path);
            let message = match error.kind() {
                std::io::ErrorKind::NotFound => format!("there is no file `{path}`"),
                kind => format!("`{path}` cannot be read: {kind}"),
            };
            Err(Diagnostic::error(Code::UnreadableInclude, message))
        }
    }
}

/// A relative path with forward slashes, as people see it.
pub fn slashed(path: &Path) -> String {
    path.components().map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/")
}

/// SQL files in the folders of some files.
fn sql_beside(folder: &Path, files: &[PathBuf]) -> Vec<String> {
    let folders: std::collections::BTreeSet<&Path> = files.iter().filter_map(|file| file.parent()).collect();
    let mut found = Vec::new();
    for beside in folders {
        for entry in WalkDir::new(folder.join(beside)).max_depth(1).sort_by_file_name().into_iter().flatten()
        {
            if entry.path().extension().is_some_and(|extension| extension == "sql") {
                found.push(slashed(&beside.join(entry.file_name())));
            }
        }
    }
    found
}

struct Reader<'a> {
    folder: &'a Path,
    environment: &'a (dyn Environment + Sync),
}

impl Reader<'_> {
    fn all<T: DeserializeOwned + Send>(
        &self,
        paths: &[PathBuf],
        kind: Kind,
        faults: &mut Diagnostics,
    ) -> Vec<Loaded<T>> {
        let read: Vec<_> =
            paths.par_iter().map(|path| read(self.folder, path, kind, self.environment)).collect();
        read.into_iter().filter_map(|file| file.map_err(|found| faults.extend(found)).ok()).collect()
    }
}

fn read<T: DeserializeOwned>(
    folder: &Path,
    path: &Path,
    kind: Kind,
    environment: &dyn Environment,
) -> Result<Loaded<T>, Diagnostics> {
    let file = source_file(folder, path)?;
    let mut document = Document::parse(&file)?;
    let mut faults = substitute(&mut document, environment);
    faults.extend(schema::check(kind, &document));
    if faults.has_errors() {
        return Err(faults);
    }
    let value = std::mem::take(&mut document.value);
    match serde_json::from_value(value) {
        Ok(content) => Ok(Loaded { document, content }),
        // The schema is made from the same types, so this is a value that only the type itself can judge.
        Err(error) => Err(Diagnostic::error(Code::BadValue, error.to_string())
            .at(document.value_span(""), "somewhere in this file")
            .into()),
    }
}

/// The files that some patterns match, each once, by path.
fn find_files(
    folder: &Path,
    document: &Document,
    key: &str,
    patterns: &[String],
    faults: &mut Diagnostics,
) -> Vec<PathBuf> {
    let mut found = std::collections::BTreeSet::new();
    for (index, pattern) in patterns.iter().enumerate() {
        let pointer = format!("/include/{key}/{index}");
        match matcher(pattern) {
            Ok(matcher) => {
                let before = found.len();
                let start = folder.join(literal_folder(pattern));
                for entry in WalkDir::new(start).sort_by_file_name().into_iter().flatten() {
                    let Ok(path) = entry.path().strip_prefix(folder) else { continue };
                    if entry.file_type().is_file() && matcher.is_match(path) {
                        found.insert(path.to_path_buf());
                    }
                }
                // The default patterns may match nothing; one that somebody wrote should not.
                let written = document.has(&pointer);
                if found.len() == before && written {
                    faults.push(
                        Diagnostic::warning(Code::EmptyInclude, format!("`{pattern}` matches no file"))
                            .at(document.value_span(&pointer), "no such file")
                            .help("paths are relative to pipeline.yaml; `*` stays within a folder, `**` does not"),
                    );
                }
            }
            Err(why) => faults.push(
                Diagnostic::error(
                    Code::UnreadableInclude,
                    format!("`{pattern}` is no usable pattern: {why}"),
                )
                .at(document.value_span(&pointer), "this pattern")
                .help(
                    "paths are relative to pipeline.yaml, below its folder; `*` stays within a folder, `**` does not, \
                     `[a-z]` is one character, `{a,b}` one of these",
                ),
            ),
        }
    }
    found.into_iter().collect()
}

fn matcher(pattern: &str) -> Result<GlobMatcher, String> {
    if Path::new(pattern).is_absolute() || pattern.split('/').any(|part| part == "..") {
        return Err("it leads out of the project's folder".to_owned());
    }
    GlobBuilder::new(pattern)
        .literal_separator(true)
        .build()
        .map(|glob| glob.compile_matcher())
        .map_err(|error| error.kind().to_string())
}

/// The folders before the first wildcard: nothing else needs to be searched.
fn literal_folder(pattern: &str) -> PathBuf {
    let parts: Vec<&str> = pattern.split('/').collect();
    let literal = parts.iter().take_while(|part| !part.contains(['*', '?', '[', '{'])).count();
    parts[..literal.min(parts.len().saturating_sub(1))].iter().collect()
}
