//! A project in a temporary folder.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::Outcome;

/// What makes up the shipped project, apart from the program's sources.
const SHIPPED: [&str; 9] = [
    "pipeline.yaml",
    "sources",
    "seeds",
    "macros",
    "models",
    "expectations",
    "dashboards",
    "data",
    "unit_tests",
];

/// A project in a temporary folder, which goes when this does.
pub struct Project {
    folder: TempDir,
}

impl Project {
    /// A folder without a manifest.
    pub fn empty() -> Self {
        let folder = tempfile::Builder::new().prefix("pipewright-").tempdir().expect("a temporary folder");
        Self { folder }
    }

    /// A project of the given files: path and text.
    pub fn of(files: &[(&str, &str)]) -> Self {
        let project = Self::empty();
        for (path, text) in files {
            project.write(path, text);
        }
        project
    }

    /// A copy of a folder of this repository, such as `tests/cases/two_models`.
    pub fn copy_of(folder: &str) -> Self {
        let project = Self::empty();
        copy(&repository().join(folder), project.path());
        project
    }

    /// A copy of the pipeline that this repository ships.
    pub fn shipped() -> Self {
        let project = Self::empty();
        for name in SHIPPED {
            let from = repository().join(name);
            if from.exists() {
                copy(&from, &project.path().join(name));
            }
        }
        project
    }

    /// Its folder.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a file, and the folders that it needs.
    pub fn write(&self, path: &str, text: &str) {
        let path = self.path().join(path);
        fs_err::create_dir_all(path.parent().expect("a path inside the project")).unwrap();
        fs_err::write(path, text).unwrap();
    }

    /// Reads a file.
    pub fn read(&self, path: &str) -> String {
        fs_err::read_to_string(self.path().join(path)).unwrap()
    }

    /// Replaces text that stands exactly once in a file.
    pub fn replace(&self, path: &str, from: &str, to: &str) {
        let text = self.read(path);
        assert_eq!(text.matches(from).count(), 1, "`{from}` should stand once in {path}:\n{text}");
        self.write(path, &text.replacen(from, to, 1));
    }

    /// The program with arguments, run in the project. Nothing of the caller's settings reaches it.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pipewright"));
        command.args(arguments).current_dir(self.path());
        for (name, _) in std::env::vars_os() {
            let text = name.to_string_lossy();
            if text.starts_with("PIPEWRIGHT_") || text.starts_with("OLIST_") || text == "CLICOLOR_FORCE" {
                command.env_remove(name);
            }
        }
        command.env("NO_COLOR", "1").env("COLUMNS", "100").env("TZ", "UTC").env("LC_ALL", "C.UTF-8");
        command
    }

    /// Runs the program with arguments.
    pub fn run(&self, arguments: &[&str]) -> Outcome {
        Outcome::of(&mut self.command(arguments))
    }
}

/// The repository's folder.
pub fn repository() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn copy(from: &Path, to: &Path) {
    for entry in walkdir::WalkDir::new(from).sort_by_file_name() {
        let entry = entry.expect("a folder that can be read");
        let target = to.join(entry.path().strip_prefix(from).expect("an entry below its folder"));
        // `join` of an empty path adds a slash, which a file cannot have.
        let target = if entry.depth() == 0 { to.to_owned() } else { target };
        if entry.file_type().is_dir() {
            fs_err::create_dir_all(target).unwrap();
        } else {
            fs_err::copy(entry.path(), target).unwrap();
        }
    }
}

#[test]
fn copies_hold_the_same_files() {
    let project = Project::of(&[("a/b.txt", "one"), ("c.txt", "two")]);
    let copied = Project::empty();
    copy(project.path(), copied.path());
    copy(&project.path().join("c.txt"), &copied.path().join("d.txt"));
    assert_eq!([copied.read("a/b.txt"), copied.read("c.txt"), copied.read("d.txt")], ["one", "two", "two"]);
}

#[test]
#[should_panic(expected = "should stand once")]
fn replacing_text_that_stands_twice_fails() {
    Project::of(&[("a.txt", "x x")]).replace("a.txt", "x", "y");
}
