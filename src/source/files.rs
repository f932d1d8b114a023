//! From declared paths and patterns to files, in a fixed order.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use globset::{GlobBuilder, GlobMatcher};
use walkdir::WalkDir;

use super::error::SourceError;

/// A file to read.
#[derive(Debug, Clone)]
pub struct InputFile {
    /// Its name for people and for state: as declared, relative to the root, with forward slashes.
    pub name: String,
    /// Its bytes.
    pub content: Content,
}

/// Where the bytes of a file are.
#[derive(Debug, Clone)]
pub enum Content {
    /// At a path of this machine.
    Here(PathBuf),
    /// At another place.
    Elsewhere(Arc<dyn Remote>),
}

/// A file of another place.
pub trait Remote: std::fmt::Debug + Send + Sync {
    /// Its bytes from the first on, as they are stored.
    ///
    /// # Errors
    /// That the place cannot be reached or does not give it.
    fn open(&self) -> io::Result<Box<dyn Read + Send>>;
}

impl InputFile {
    /// A file under the name that its path has.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        Self { name: path.to_string_lossy().into_owned(), content: Content::Here(path) }
    }
}

/// Expands paths and glob patterns, relative to `root`, into files sorted by name, each once.
///
/// `*`, `?`, `[…]` and `{a,b}` stay within one folder, `**` crosses folders. As in a shell, a name that begins
/// with a dot is matched only when the pattern's last part does too. A path that exists is taken as it is, even
/// when it contains characters of patterns. A pattern that matches nothing is an error: a source that silently
/// reads no file looks like an empty table.
pub fn expand(root: &Path, patterns: &[String]) -> Result<Vec<InputFile>, SourceError> {
    let mut files = BTreeMap::new();
    for pattern in patterns {
        if is_address(pattern) {
            return Err(SourceError::Elsewhere { address: pattern.clone() });
        }
        let whole = root.join(pattern);
        if whole.is_dir() {
            return Err(SourceError::IsFolder { path: pattern.clone() });
        }
        if whole.is_file() {
            files.insert(pattern.clone(), whole);
            continue;
        }
        let before = files.len();
        walk(root, pattern, &mut files)?;
        if files.len() == before && !any_matches(root, pattern)? {
            return Err(SourceError::NoFiles {
                pattern: pattern.clone(),
                root: root.to_string_lossy().into_owned(),
            });
        }
    }
    Ok(files.into_iter().map(|(name, path)| InputFile { name, content: Content::Here(path) }).collect())
}

/// Whether a path begins as the address of another place does, `gs://`. A folder's name with a colon and two slashes
/// behind it can be written with one slash.
pub fn is_address(path: &str) -> bool {
    path.split_once("://").is_some_and(|(scheme, _)| {
        scheme.len() > 1 && scheme.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'))
    })
}

/// Whether a pattern matches at all; asked only when it added nothing to what others matched before.
fn any_matches(root: &Path, pattern: &str) -> Result<bool, SourceError> {
    let mut files = BTreeMap::new();
    walk(root, pattern, &mut files)?;
    Ok(!files.is_empty())
}

fn walk(root: &Path, pattern: &str, files: &mut BTreeMap<String, PathBuf>) -> Result<(), SourceError> {
    let fixed = fixed_folder(pattern);
    let rest = &pattern[fixed.len()..];
    let names =
        Names::of(rest).map_err(|reason| SourceError::BadPattern { pattern: pattern.to_owned(), reason })?;
    let folder = root.join(fixed);
    if !folder.is_dir() {
        return Ok(());
    }
    let depth = if rest.contains("**") { usize::MAX } else { rest.split('/').count() };
    for entry in WalkDir::new(&folder).min_depth(1).max_depth(depth).follow_links(true) {
        let entry = entry.map_err(|error| SourceError::Read {
            file: error.path().unwrap_or(&folder).to_string_lossy().into_owned(),
            source: error.into(),
        })?;
        if !entry.file_type().is_file() {
            continue;
        }
        let Ok(relative) = entry.path().strip_prefix(&folder) else { continue };
        if names.have(relative) {
            let relative = relative.to_string_lossy().replace(std::path::MAIN_SEPARATOR, "/");
            files.insert(format!("{fixed}{relative}"), entry.path().to_path_buf());
        }
    }
    Ok(())
}

/// The names that a pattern matches.
#[derive(Debug, Clone)]
pub(super) struct Names {
    matcher: GlobMatcher,
    with_hidden: bool,
}

impl Names {
    /// # Errors
    /// What is wrong with the pattern.
    pub(super) fn of(pattern: &str) -> Result<Self, String> {
        let glob = GlobBuilder::new(pattern).literal_separator(true).backslash_escape(true).build();
        let matcher = glob.map_err(|error| error.kind().to_string())?.compile_matcher();
        let with_hidden = pattern.rsplit('/').next().is_some_and(|last| last.starts_with('.'));
        Ok(Self { matcher, with_hidden })
    }

    /// Whether a name is one of them.
    pub(super) fn have(&self, name: &Path) -> bool {
        let hidden = name.file_name().is_some_and(|last| last.to_string_lossy().starts_with('.'));
        self.matcher.is_match(name) && (!hidden || self.with_hidden)
    }
}

/// Where the first character of a pattern is that stands for others; its length where there is none.
pub(super) fn first_special(pattern: &str) -> usize {
    pattern.find(['*', '?', '[', '{', '\\']).unwrap_or(pattern.len())
}

/// The folders at a pattern's start that contain no pattern characters, with the last slash.
fn fixed_folder(pattern: &str) -> &str {
    let end = pattern[..first_special(pattern)].rfind('/').map_or(0, |slash| slash + 1);
    &pattern[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for name in ["b.csv", "a.csv", "a.txt", ".hidden.csv", "sub/c.csv", "sub/deep/d.csv", "od[d].csv"] {
            let path = folder.path().join(name);
            fs_err::create_dir_all(path.parent().unwrap()).unwrap();
            fs_err::write(path, "x\n").unwrap();
        }
        folder
    }

    fn names(patterns: &[&str]) -> Result<Vec<String>, SourceError> {
        let folder = tree();
        let patterns: Vec<String> = patterns.iter().map(|&text| text.to_owned()).collect();
        expand(folder.path(), &patterns).map(|files| files.into_iter().map(|file| file.name).collect())
    }

    #[test]
    fn patterns_stay_in_their_folder_and_come_sorted_and_once() {
        assert_eq!(names(&["*.csv"]).unwrap(), ["a.csv", "b.csv", "od[d].csv"]);
        assert_eq!(names(&["b.csv", "*.csv"]).unwrap(), ["a.csv", "b.csv", "od[d].csv"]);
        assert_eq!(names(&["*.csv", "b.*"]).unwrap(), ["a.csv", "b.csv", "od[d].csv"]);
        assert_eq!(names(&["*/*.csv"]).unwrap(), ["sub/c.csv"]);
        assert_eq!(
            names(&["**/*.csv"]).unwrap(),
            ["a.csv", "b.csv", "od[d].csv", "sub/c.csv", "sub/deep/d.csv"]
        );
        assert_eq!(names(&["sub/**/d.csv"]).unwrap(), ["sub/deep/d.csv"]);
        assert_eq!(names(&["{a,b}.csv"]).unwrap(), ["a.csv", "b.csv"]);
    }

    #[test]
    fn dot_files_and_names_with_brackets_are_reachable_when_meant() {
        assert_eq!(names(&[".*.csv"]).unwrap(), [".hidden.csv"]);
        assert_eq!(names(&["od[d].csv"]).unwrap(), ["od[d].csv"]);
    }

    #[test]
    fn nothing_found_a_folder_and_a_broken_pattern_are_errors() {
        assert!(
            matches!(names(&["a.csv", "*.json"]), Err(SourceError::NoFiles { pattern, .. }) if pattern == "*.json")
        );
        for address in ["gs://bucket/orders/*.csv", "s3://b/o.csv", "https://example.com/o.csv"] {
            assert!(matches!(names(&[address]), Err(SourceError::Elsewhere { .. })), "{address}");
        }
        assert!(matches!(names(&["absent/*.csv"]), Err(SourceError::NoFiles { .. })));
        assert!(matches!(names(&["sub/"]), Err(SourceError::IsFolder { .. })));
        assert!(matches!(names(&["a[.csv"]), Err(SourceError::BadPattern { .. })));
    }
}
