//! Deliberately broken manifests and models: each gets the right code, file, line and advice.
//!
//! A case is a Markdown file in `tests/diagnostics`: what is wrong and why somebody would do it; `code:` lines that say
//! what must be told and where, each followed by `hint:` lines with a piece of the advice (both written by hand);
//! `refused:` and `scans:` lines for cases that ask a BigQuery, at `${ENDPOINT}`; the files that differ from the base project; and what is printed, byte for byte. `UPDATE_GOLDEN=1` writes the printed
//! text and `docs/diagnostics.md` anew; the lines written by hand are never touched.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use pipewright::diag::{Area, Code};
use serde_json::Value;

use crate::bigquery::scripted::{Answer, Request, Scripted};
use crate::support::{Outcome, Project};

/// One case.
#[derive(Debug, Default)]
struct Case {
    name: String,
    /// The words of the command, without the program.
    command: Vec<String>,
    environment: Vec<(String, String)>,
    /// Where it is not 1 for faults of the project and 0 otherwise.
    exit: Option<i32>,
    faults: Vec<Expected>,
    files: Vec<File>,
    printed: String,
    /// What a BigQuery refuses, with status, reason and message: `GET /datasets 403 accessDenied Access Denied: …`.
    refused: Vec<String>,
    /// How many bytes each query reads there.
    scans: Option<u64>,
}

/// One fault that must be told.
#[derive(Debug)]
struct Expected {
    code: String,
    /// `models/a.yaml:3:5`.
    place: String,
    /// Pieces of the message or of the advice.
    hints: Vec<String>,
}

#[derive(Debug)]
struct File {
    path: String,
    text: String,
    kind: FileKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FileKind {
    Utf8,
    /// Written in ISO 8859-1, as old editors do.
    Latin1,
    /// Taken out of the base project.
    Removed,
}

/// The fence that holds what is printed.
const PRINTED: &str = "```text printed";

impl Case {
    fn read(path: &Path) -> Self {
        let text = fs_err::read_to_string(path).unwrap();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let mut case = Self { name, command: vec!["validate".to_owned()], ..Self::default() };
        let mut lines = text.lines();
        while let Some(line) = lines.next() {
            if let Some(rest) = line.strip_prefix("code: ") {
                let (code, place) = rest.split_once(" at ").unwrap_or((rest, ""));
                case.faults.push(Expected { code: code.into(), place: place.into(), hints: Vec::new() });
            } else if let Some(hint) = line.strip_prefix("hint: ") {
                case.faults.last_mut().expect("a `code:` line above").hints.push(hint.to_owned());
            } else if let Some(command) = line.strip_prefix("command: ") {
                case.command = command.split(' ').map(str::to_owned).collect();
            } else if let Some(exit) = line.strip_prefix("exit: ") {
                case.exit = Some(exit.parse().unwrap());
            } else if let Some(refused) = line.strip_prefix("refused: ") {
                case.refused.push(refused.to_owned());
            } else if let Some(scans) = line.strip_prefix("scans: ") {
                case.scans = Some(scans.parse().unwrap());
            } else if let Some(variable) = line.strip_prefix("env: ") {
                let (name, value) = variable.split_once('=').expect("NAME=VALUE");
                case.environment.push((name.to_owned(), value.to_owned()));
            } else if let Some(fence) = line.strip_prefix("```") {
                let body: String =
                    lines.by_ref().take_while(|line| *line != "```").flat_map(|line| [line, "\n"]).collect();
                let (language, path) = fence.split_once(' ').expect("a language and a path");
                if line == PRINTED {
                    case.printed = body;
                    continue;
                }
                let kind = match language {
                    "latin1" => FileKind::Latin1,
                    "removed" => FileKind::Removed,
                    _ => FileKind::Utf8,
                };
                case.files.push(File { path: path.to_owned(), text: body, kind });
            }
        }
        case
    }

    /// The base project with this case's files over it.
    fn project(&self, base: &Self) -> Project {
        let project = Project::empty();
        for file in base.files.iter().chain(&self.files) {
            match file.kind {
                FileKind::Utf8 => project.write(&file.path, &file.text),
                FileKind::Removed => fs_err::remove_file(project.path().join(&file.path)).unwrap(),
                FileKind::Latin1 => {
                    let bytes: Vec<u8> =
                        file.text.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect();
                    fs_err::write(project.path().join(&file.path), bytes).unwrap();
                }
            }
        }
        project
    }

    /// The BigQuery that it asks, if it does.
    fn server(&self) -> Option<Scripted> {
        let server = (self.scans.is_some() || !self.refused.is_empty()).then(Scripted::start)?;
        for refused in &self.refused {
            let words: Vec<String> = refused.splitn(5, ' ').map(str::to_owned).collect();
            let [method, end, status, reason, message] = words.try_into().expect("five parts");
            let answer = Answer::refused(status.parse().unwrap(), &reason, &message);
            server.always(move |asked| asked.is(&method, &end), answer);
        }
        if let Some(scans) = self.scans {
            server.always(Request::is_dry_run, Answer::processed(scans));
        }
        Some(server)
    }

    fn run(&self, project: &Project, more: &[&str]) -> Outcome {
        let words: Vec<&str> = more.iter().copied().chain(self.command.iter().map(String::as_str)).collect();
        let mut command = project.command(&words);
        command.envs(self.environment.iter().cloned());
        let server = self.server();
        command.envs(server.iter().map(|server| ("ENDPOINT", server.endpoint())));
        let mut outcome = Outcome::of(&mut command);
        for folder in [project.path().canonicalize().unwrap(), project.path().to_owned()] {
            outcome.stderr = outcome.stderr.replace(&folder.display().to_string(), "[PROJECT]");
        }
        outcome
    }

    /// Everything that is not as it should be.
    fn complaints(&self, base: &Self, path: &Path, update: bool) -> Vec<String> {
        let project = self.project(base);
        let human = self.run(&project, &[]);
        let json = self.run(&project, &["--error-format", "json"]);
        let mut complaints = Vec::new();
        let code = self.exit.unwrap_or_else(|| {
            i32::from(self.faults.iter().any(|fault| !fault.code.starts_with("warning ")))
        });
        for outcome in [&human, &json] {
            if outcome.code != Some(code) || outcome.stderr.contains("panicked") {
                complaints.push(format!("exit code {code} and no panic were expected\n{outcome}"));
            }
        }
        if update {
            write_printed(path, &human.stderr);
        } else if human.stderr != self.printed {
            complaints.push(format!("printed:\n{}\nexpected:\n{}", human.stderr, self.printed));
        }
        if self.faults.is_empty() {
            return complaints;
        }
        match serde_json::from_str::<Vec<Value>>(&json.stderr) {
            Ok(told) => self.compare(&told, &human.stderr, &mut complaints),
            Err(error) => complaints.push(format!("not one JSON array: {error}\n{}", json.stderr)),
        }
        complaints
    }

    /// What was told, as data and to people, against what must be told.
    fn compare(&self, told: &[Value], human: &str, complaints: &mut Vec<String>) {
        let places: Vec<String> = told.iter().map(place_of).collect();
        let wanted: Vec<String> = self.faults.iter().map(Expected::line).collect();
        if places != wanted {
            complaints.push(format!(
                "told:\n  {}\nexpected:\n  {}\n{human}",
                places.join("\n  "),
                wanted.join("\n  ")
            ));
            return;
        }
        let printed = squeezed(human);
        for (fault, expected) in told.iter().zip(&self.faults) {
            let message = fault["message"].as_str().unwrap_or_default();
            let help = fault["help"].as_str().unwrap_or_default();
            for hint in &expected.hints {
                let also =
                    fault["also"].as_array().into_iter().flatten().map(|label| {
                        format!("{}: {}", label["text"].as_str().unwrap_or_default(), place(label))
                    });
                let mut told = [message.to_owned(), help.to_owned()].into_iter().chain(also);
                if !told.any(|told| told.contains(hint.as_str())) {
                    complaints.push(format!("`{hint}` is missing in:\n{human}"));
                }
            }
            if expected.hints.is_empty() || help.is_empty() {
                complaints.push(format!("no advice, or none expected: {}\n{human}", expected.line()));
            }
            let severity = fault["severity"].as_str().unwrap_or_default();
            let head = format!("{severity}[{}]: ", fault["code"].as_str().unwrap_or_default());
            let place = expected.place.as_str();
            for piece in [head.as_str(), message, help, place] {
                if !printed.contains(&squeezed(piece)) {
                    complaints.push(format!("JSON tells `{piece}`, and people are not told:\n{human}"));
                }
            }
        }
    }
}

impl Expected {
    fn line(&self) -> String {
        format!("{} at {}", self.code, self.place)
    }
}

/// `PW0102 at models/a.yaml:3:5`, with `warning ` before it for a warning.
fn place_of(fault: &Value) -> String {
    let severity = if fault["severity"] == "warning" { "warning " } else { "" };
    let code = fault["code"].as_str().unwrap_or_default();
    let told = &fault["place"];
    match told["file"].as_str() {
        Some(_) => format!("{severity}{code} at {}", place(told)),
        None => format!("{severity}{code} at "),
    }
}

fn place(place: &Value) -> String {
    format!("{}:{}:{}", place["file"].as_str().unwrap_or_default(), place["line"], place["column"])
}

/// Without line breaks and what draws them.
fn squeezed(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace() && *c != '│').collect()
}

/// Replaces the fence of the printed text, or adds it at the end.
fn write_printed(path: &Path, printed: &str) {
    let text = fs_err::read_to_string(path).unwrap();
    let kept = text.split_once(PRINTED).map_or(text.as_str(), |(before, _)| before);
    fs_err::write(path, format!("{}\n\n{PRINTED}\n{printed}```\n", kept.trim_end())).unwrap();
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/diagnostics")
}

fn update() -> bool {
    std::env::var_os("UPDATE_GOLDEN").is_some_and(|value| value == "1")
}

fn cases() -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = fs_err::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.extension().is_some_and(|extension| extension == "md") && !path.ends_with("base.md")
        })
        .collect();
    paths.sort();
    paths
}

#[test]
fn every_broken_project_is_told_what_is_wrong_and_where() {
    let base = Case::read(&folder().join("base.md"));
    let paths = cases();
    assert!(paths.len() >= 36, "only {} cases", paths.len());
    let mut complaints = String::new();
    for path in &paths {
        let case = Case::read(path);
        assert!(!case.faults.is_empty(), "{} expects nothing", case.name);
        for complaint in case.complaints(&base, path, update()) {
            writeln!(complaints, "==== {}\n{complaint}", case.name).unwrap();
        }
    }
    assert!(complaints.is_empty(), "\n{complaints}");
}

#[test]
fn the_base_project_of_the_cases_is_good() {
    let path = folder().join("base.md");
    let base = Case::read(&path);
    let complaints = base.complaints(&Case::default(), &path, update());
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

#[test]
fn the_reference_of_codes_is_current() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs/diagnostics.md");
    let wanted = reference();
    if update() {
        fs_err::create_dir_all(path.parent().unwrap()).unwrap();
        fs_err::write(&path, &wanted).unwrap();
    }
    let found = fs_err::read_to_string(&path).unwrap_or_default();
    assert_eq!(found, wanted, "write it anew: UPDATE_GOLDEN=1 cargo test --release --test it diagnostics");
}

/// The page of all codes.
fn reference() -> String {
    let mut page = "# Diagnostic codes\n\n\
        Every fault has a code that stays the same, a place (file, line, column), and advice. Codes are never used \
        again for something else. `--error-format json` writes the same faults as data.\n"
        .to_owned();
    let mut area = None;
    for code in Code::ALL {
        if area != Some(code.area()) {
            area = Some(code.area());
            let (title, about) = described(code.area());
            write!(page, "\n## {title}\n\n{about}\n\n| code | means | an example |\n|---|---|---|\n")
                .unwrap();
        }
        writeln!(page, "| `{}` | {} | {} |", code.id(), code.explanation(), example_of(code.id())).unwrap();
    }
    page
}

fn described(area: Area) -> (&'static str, &'static str) {
    match area {
        Area::Manifest => ("Manifest", "The YAML text and the shape of the manifest's files."),
        Area::Reference => ("Reference", "Names, and what they refer to."),
        Area::Template => ("Template", "Templates in SQL files, dashboards and macros."),
        Area::Sql => ("SQL", "GoogleSQL: syntax, names, types."),
        Area::Plan => ("Plan", "Plans, and the target as it is."),
        Area::Load => ("Load", "Loading files."),
        Area::Run => ("Run", "Running and publishing."),
        Area::Environment => ("Environment", "The command line and the machine around it."),
        Area::Target => {
            ("Target", "What a target refuses: the manifest, the account or the project must change.")
        }
        Area::Internal => ("Internal", "Faults of Pipewright itself; please report them."),
    }
}

/// A link to the first case that expects a code.
fn example_of(id: &str) -> String {
    let found = cases().into_iter().find(|path| {
        let faults = Case::read(path).faults;
        faults.first().is_some_and(|fault| fault.code.trim_start_matches("warning ") == id)
    });
    let Some(path) = found else { return String::new() };
    let title = fs_err::read_to_string(&path).unwrap();
    let title = title.lines().next().unwrap_or_default().trim_start_matches("# ").to_owned();
    let file = path.file_name().unwrap().to_string_lossy().into_owned();
    format!("[{title}](../tests/diagnostics/{file})")
}

/// How a file is spoilt.
#[derive(Debug, Clone, Copy)]
enum Spoil {
    Delete,
    Repeat,
    Outdent,
    Truncate,
    Garble(char),
}

const SPOILS: [Spoil; 11] = [
    Spoil::Delete,
    Spoil::Repeat,
    Spoil::Outdent,
    Spoil::Truncate,
    Spoil::Garble('\t'),
    Spoil::Garble('{'),
    Spoil::Garble('"'),
    Spoil::Garble('*'),
    Spoil::Garble('$'),
    Spoil::Garble('\u{e9}'),
    Spoil::Garble('\n'),
];

fn spoilt(text: &str, line: usize, spoil: Spoil, at: usize) -> String {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    match spoil {
        Spoil::Delete => {
            lines.remove(line);
        }
        Spoil::Repeat => lines.insert(line, lines[line].clone()),
        Spoil::Outdent => {
            let outdented = lines[line].trim_start().to_owned();
            lines[line] = outdented;
        }
        Spoil::Truncate => lines.truncate(line),
        Spoil::Garble(character) => {
            let place =
                lines[line].char_indices().map(|(place, _)| place).nth(at).unwrap_or(lines[line].len());
            lines[line].insert(place, character);
        }
    }
    lines.join("\n") + "\n"
}

/// The shipped project's files that people write.
fn shipped_texts(project: &Project) -> Vec<String> {
    let mut paths: Vec<String> = ["sources", "models", "expectations", "dashboards", "macros"]
        .iter()
        .flat_map(|folder| walkdir::WalkDir::new(project.path().join(folder)).sort_by_file_name())
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.file_type().is_file())
        .map(|entry| entry.path().strip_prefix(project.path()).unwrap().display().to_string())
        .collect();
    paths.push("pipeline.yaml".to_owned());
    paths
}

/// What the library says of a project: how many faults; each has its words and, where it has a place, one inside its file.
fn faults_of(project: &Project) -> Result<usize, String> {
    use pipewright::{compile::compile, manifest, project::resolve};

    let environment = std::collections::BTreeMap::<String, String>::new();
    let found = manifest::load(project.path(), &environment)
        .and_then(resolve)
        .and_then(|(resolved, _)| compile(resolved, "local").map(|_| ()));
    let Err(faults) = found else { return Ok(0) };
    for fault in &faults {
        if fault.code == Code::Internal || fault.message.trim().is_empty() {
            return Err(format!("{fault:?}"));
        }
        for label in fault.primary.iter().chain(&fault.secondary) {
            if label.span.range.end > label.span.file.text.len() {
                return Err(format!("outside of its file: {fault:?}"));
            }
        }
    }
    if faults.is_empty() {
        return Err("an error without any fault".to_owned());
    }
    let shown = pipewright::diag::render::graphical(&faults, pipewright::diag::render::Style::default());
    if shown.is_empty() { Err("nothing is shown".to_owned()) } else { Ok(faults.len()) }
}

#[test]
fn spoilt_projects_are_refused_without_a_panic() {
    let project = Project::shipped();
    assert_eq!(faults_of(&project), Ok(0), "the shipped project is good");
    let mut state: u64 = 0x2545_F491_4F6C_DD1D;
    // Xorshift: the same choices in every run.
    let mut next = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % below as u64).unwrap()
    };
    let mut refused = 0;
    let rounds = 12;
    let paths = shipped_texts(&project);
    for path in &paths {
        let text = project.read(path);
        for _ in 0..rounds {
            let (line, spoil) = (next(text.lines().count()), SPOILS[next(SPOILS.len())]);
            let at = next(text.lines().nth(line).unwrap().chars().count() + 1);
            project.write(path, &spoilt(&text, line, spoil, at));
            match std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| faults_of(&project))) {
                Ok(Ok(count)) => refused += usize::from(count > 0),
                Ok(Err(why)) => panic!("{path}, line {}, {spoil:?} at {at}: {why}", line + 1),
                Err(why) => panic!("{path}, line {}, {spoil:?} at {at}: it panicked: {why:?}", line + 1),
            }
        }
        project.write(path, &text);
    }
    let all = rounds * paths.len();
    assert!(refused > all / 4, "only {refused} of {all} spoilt projects were refused: nothing is looked at");
}
