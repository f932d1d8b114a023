//! What tests use from outside of the repository: data that it does not hold, and Python.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use super::Outcome;
use super::project::repository;

/// The folder of data that tests read and the repository does not hold: `PIPEWRIGHT_SHARED`, or `shared` beside the
/// repository.
///
/// None where it is absent, which is said on standard error past the test runner's capture; CI always has it, so there
/// its absence fails the test.
pub fn shared_dir() -> Option<PathBuf> {
    let folder =
        std::env::var_os("PIPEWRIGHT_SHARED").map_or_else(|| repository().join("../shared"), PathBuf::from);
    if folder.is_dir() {
        return Some(folder.canonicalize().expect("a folder that can be read"));
    }
    let absent = format!("{} is no folder; name the shared data in PIPEWRIGHT_SHARED", folder.display());
    assert!(std::env::var_os("CI").is_none_or(|value| value != "true"), "{absent}");
    let test = std::thread::current().name().unwrap_or("a test").to_owned();
    writeln!(std::io::stderr(), "LEFT OUT: {test}: {absent}").expect("a standard error stream");
    None
}

/// The Python with the packages of `tests/requirements.txt`.
fn interpreter() -> Command {
    let interpreter = repository().join(".venv/bin/python");
    assert!(
        interpreter.is_file(),
        "{} is not there; scripts/test makes it and installs tests/requirements.txt",
        interpreter.display()
    );
    let mut command = Command::new(interpreter);
    command.env("PYTHONUTF8", "1").env("PYTHONDONTWRITEBYTECODE", "1");
    command
}

/// Runs a Python program given as text.
pub fn python(program: &str, arguments: &[&str]) -> Outcome {
    Outcome::of(interpreter().arg("-c").arg(program).args(arguments))
}

/// A Python program of this repository that is started with its input and output at hand, such as
/// `tests/differential/judge.py`.
pub fn start_python(path: &str) -> Child {
    interpreter()
        .arg(repository().join(path))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("Python starts")
}

/// What a Python program of this repository answers to some input.
pub fn python_answers(path: &str, input: &str) -> String {
    let mut program = start_python(path);
    program.stdin.take().expect("its input").write_all(input.as_bytes()).expect("it reads");
    let output = program.wait_with_output().expect("it ends");
    assert!(output.status.success(), "{path} failed");
    String::from_utf8(output.stdout).expect("text")
}

#[test]
fn python_has_the_pinned_duckdb() {
    let outcome = python("import duckdb, sys; print(duckdb.__version__, sys.argv[1])", &["é"]).succeeds();
    let installed =
        format!("duckdb=={}", outcome.stdout.trim().strip_suffix(" é").expect("the argument, whole"));
    let pinned = include_str!("../../requirements.txt");
    assert!(
        pinned.lines().any(|line| line == installed),
        "{installed} is installed and pinned is:\n{pinned}"
    );
}
