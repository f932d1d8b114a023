//! The rules of the source tree that neither the compiler nor a lint holds: who may use what, how long files are, and
//! that the documentation names things that exist.

use std::collections::BTreeSet;
use std::path::Path;

use pipewright::diag::Code;
use regex::Regex;
use walkdir::WalkDir;

use super::support::repository;

/// The modules of the crate from the bottom up: each may use those before it.
const LAYERS: [&str; 19] = [
    "diag",
    "clock",
    "manifest",
    "schema",
    "googlesql",
    "source",
    "project",
    "graph",
    "expectations",
    "fingerprint",
    "compile",
    "cache",
    "state",
    "plan",
    "report",
    "warehouse",
    "apply",
    "view",
    "cli",
];

/// Uses that go upwards all the same: from, to, why.
const UPWARDS: [(&str, &str, &str); 2] = [
    ("schema", "googlesql", "types of other databases are told by the name that BigQuery has for them"),
    (
        "manifest",
        "schema",
        "a file is held against its schema while it is read, and the schema is made from the types",
    ),
];

/// Modules that compute and nothing else: same input, same output, no engine, no terminal, no clock.
const PURE: [&str; 9] =
    ["manifest", "project", "graph", "plan", "expectations", "googlesql", "compile", "fingerprint", "state"];

/// What may stand only in some places: what it is, a pattern of code, and the folders and files of `src` that may.
const CONFINED: [(&str, &str, &[&str]); 9] = [
    ("arguments", r"\bclap(_complete)?::", &["cli/"]),
    ("progress bars", r"\bindicatif::", &["view/"]),
    ("colours", r"\bconsole::", &["view/"]),
    ("printing", r"\bio::(stdout|stderr)\(|\be?print(ln)?!\(|\.print\(\)", &["view/", "cli/mod.rs"]),
    ("the time of day", r"\b(Utc|Local|SystemTime)::now\(", &["clock.rs"]),
    ("a stopwatch", r"\bInstant::now\(", &["apply/", "cli/"]),
    // Google's clients agree on where credentials are named.
    (
        "environment variables",
        r"\benv::vars?(_os)?\(",
        &["manifest/env.rs", "cli/", "warehouse/bigquery/credentials.rs"],
    ),
    (
        "files",
        r"\bfs_err\b|\bstd::fs\b",
        &["manifest/load.rs", "schema/mod.rs", "source/", "cache.rs", "plan/file.rs", "warehouse/", "cli/"],
    ),
    ("the network", r"\b(reqwest|tokio|yup_oauth2)::", &["warehouse/bigquery/"]),
];

/// Where the engine's crate may be named.
const ENGINE: [&str; 2] = [
    "warehouse/duckdb/",
    // `query` hands a connection through; it calls nothing of it.
    "cli/query.rs",
];

const MOST_LINES: usize = 600;

/// Files that are longer, and why they may be.
const LONG: [(&str, &str); 0] = [];

/// A Rust file of `src` as the rules see it: without comments and without its unit tests.
struct Source {
    /// Relative to `src`, with forward slashes.
    path: String,
    lines: usize,
    code: Vec<String>,
}

impl Source {
    fn module(&self) -> &str {
        self.path.split('/').next().unwrap_or_default().trim_end_matches(".rs")
    }

    fn is_in(&self, places: &[&str]) -> bool {
        places.iter().any(|place| match place.strip_suffix('/') {
            Some(_) => self.path.starts_with(place),
            None => self.path == *place,
        })
    }

    /// Lines that a pattern matches, as `path: line`.
    fn matching(&self, pattern: &Regex) -> Vec<String> {
        let found = self.code.iter().filter(|line| pattern.is_match(line));
        found.map(|line| format!("src/{}: {}", self.path, line.trim())).collect()
    }
}

fn sources() -> Vec<Source> {
    let root = repository().join("src");
    let mut sources = Vec::new();
    for entry in WalkDir::new(&root).sort_by_file_name() {
        let entry = entry.expect("a source tree that can be read");
        let path = relative(entry.path(), &root);
        let tests = path.contains("/tests/") || path.ends_with("/tests.rs");
        if !entry.file_type().is_file() || !path.ends_with(".rs") || tests {
            continue;
        }
        let text = fs_err::read_to_string(entry.path()).unwrap();
        let own = text.split("\n#[cfg(test)]\nmod tests").next().unwrap_or_default();
        let code =
            own.lines().filter(|line| !line.trim_start().starts_with("//")).map(str::to_owned).collect();
        sources.push(Source { path, lines: text.lines().count(), code });
    }
    assert!(sources.len() > 100, "only {} files were found in {}", sources.len(), root.display());
    sources
}

fn relative(path: &Path, root: &Path) -> String {
    let parts = path.strip_prefix(root).expect("a path below its root").components();
    parts.map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/")
}

#[track_caller]
fn none(found: &[String], rule: &str) {
    assert!(found.is_empty(), "{rule}:\n  {}", found.join("\n  "));
}

/// The crate's modules that a line of code names: `crate::plan`, or each of `crate::{plan, state}`.
fn named_modules(line: &str) -> Vec<String> {
    let word = |text: &str| -> String {
        text.trim_start().chars().take_while(|c| c.is_ascii_lowercase() || *c == '_').collect()
    };
    let mut named = Vec::new();
    for rest in line.split("crate::").skip(1) {
        match rest.strip_prefix('{') {
            Some(several) => named.extend(several.split(',').map(word)),
            None => named.push(word(rest)),
        }
    }
    named.retain(|name| !name.is_empty());
    named
}

#[test]
fn modules_use_only_those_below_them() {
    let height = |module: &str| LAYERS.iter().position(|layer| *layer == module);
    let mut upwards = Vec::new();
    let mut needed = BTreeSet::new();
    for source in sources() {
        if ["main.rs", "lib.rs"].contains(&source.path.as_str()) {
            continue;
        }
        let own = height(source.module());
        assert!(own.is_some(), "`{}` has no place in LAYERS", source.module());
        for line in &source.code {
            for used in named_modules(line).iter().filter(|used| height(used) > own) {
                match UPWARDS.iter().position(|(from, to, _)| *from == source.module() && *to == used) {
                    Some(exception) => {
                        needed.insert(exception);
                    }
                    None => upwards.push(format!("src/{}: {}", source.path, line.trim())),
                }
            }
        }
    }
    none(&upwards, "a module uses one above it");
    assert_eq!(needed.len(), UPWARDS.len(), "an exception of UPWARDS that nothing needs is taken off");
}

#[test]
fn imports_are_seen_in_every_form() {
    assert_eq!(named_modules("use crate::plan::{Plan, Step};"), ["plan"]);
    assert_eq!(named_modules("    let text = crate::view::plural(1, crate::diag::x());"), ["view", "diag"]);
    assert_eq!(named_modules("use crate::{plan, state::State};"), ["plan", "state"]);
    assert!(named_modules("use super::plan;").is_empty());
}

#[test]
fn what_touches_the_world_stands_in_its_place() {
    let sources = sources();
    for (what, pattern, places) in CONFINED {
        let pattern = Regex::new(pattern).unwrap();
        let (within, outside): (Vec<_>, Vec<_>) = sources.iter().partition(|source| source.is_in(places));
        let stray: Vec<String> = outside.iter().flat_map(|source| source.matching(&pattern)).collect();
        none(&stray, &format!("{what} outside of {}", places.join(", ")));
        let used = within.iter().any(|source| !source.matching(&pattern).is_empty());
        assert!(used, "{what} are found nowhere: the pattern sees nothing");
    }
}

#[test]
fn only_the_embedded_warehouse_names_the_engine() {
    // `duckdb` is also the name of modules of ours; where one is imported by that name, the crate is out of reach.
    let crate_name = Regex::new(r"(^|[^:\w])(::)?duckdb::\w").unwrap();
    let shadow = Regex::new(r"^\s*(pub )?(use crate::.*\bduckdb\b\s*[,;}]|mod duckdb;)").unwrap();
    let stray: Vec<String> = sources()
        .iter()
        .filter(|source| !source.is_in(&ENGINE) && !source.code.iter().any(|line| shadow.is_match(line)))
        .flat_map(|source| source.matching(&crate_name))
        .collect();
    none(&stray, "the engine's crate is named outside of its place");
    for line in ["use duckdb::Connection;", "fn f(c: &duckdb::Connection)", "use ::duckdb::Config;"] {
        assert!(crate_name.is_match(line), "{line}");
    }
    for line in ["use crate::googlesql::duckdb::Ident;", "use super::duckdb::names;"] {
        assert!(!crate_name.is_match(line), "{line}");
    }
}

#[test]
fn pure_modules_take_time_and_files_from_their_callers() {
    let effects = Regex::new(
        r"\bInstant::now\(|\bthread::(sleep|spawn)\(|\bCommand::new\(|\bTcp(Stream|Listener)\b|\brand::",
    )
    .unwrap();
    let found: Vec<String> = sources()
        .iter()
        .filter(|source| PURE.contains(&source.module()))
        .flat_map(|source| source.matching(&effects))
        .collect();
    none(&found, "a module that only computes reaches out");
}

#[test]
fn files_are_short_enough_to_read() {
    let long: Vec<Source> = sources().into_iter().filter(|source| source.lines > MOST_LINES).collect();
    let allowed = |source: &Source| LONG.iter().any(|(path, _)| *path == source.path);
    let unlisted = long.iter().filter(|source| !allowed(source));
    let unlisted: Vec<String> =
        unlisted.map(|source| format!("src/{}: {} lines", source.path, source.lines)).collect();
    none(&unlisted, &format!("files of more than {MOST_LINES} lines are split"));
    for (path, _) in LONG {
        assert!(long.iter().any(|source| source.path == path), "src/{path} is short again: take it off LONG");
    }
}

#[test]
fn every_diagnostic_code_is_raised_somewhere() {
    // To compare with a code, or to write it, is not to raise it.
    let uses = Regex::new(r"([=!]= )?\bCode::(\w+)(\.id\(\))?").unwrap();
    let mut raised = BTreeSet::new();
    for source in sources().iter().filter(|source| source.path != "diag/code.rs") {
        for found in source.code.iter().flat_map(|line| uses.captures_iter(line)) {
            if found.get(1).is_none() && found.get(3).is_none() {
                raised.insert(found[2].to_owned());
            }
        }
    }
    let idle: Vec<String> = Code::ALL
        .iter()
        .filter(|code| !raised.contains(&format!("{code:?}")))
        .map(|code| format!("{code} {code:?}"))
        .collect();
    none(&idle, "codes that nothing raises are taken off the catalogue");
}

/// The repository's own text files: path relative to it, and text.
fn repository_files() -> Vec<(String, String)> {
    const FOREIGN: [&str; 7] =
        [".git", "target", "node_modules", ".venv", ".venv-emulator", ".pipewright", "proptest-regressions"];
    let root = repository();
    let own = |entry: &walkdir::DirEntry| !FOREIGN.contains(&entry.file_name().to_string_lossy().as_ref());
    let files = WalkDir::new(&root).sort_by_file_name().into_iter().filter_entry(own);
    files
        .map(|entry| entry.expect("a repository that can be read"))
        .filter(|entry| {
            entry.file_type().is_file() && !entry.file_name().to_string_lossy().contains(".duckdb")
        })
        .map(|entry| {
            let bytes = fs_err::read(entry.path()).unwrap();
            (relative(entry.path(), &root), String::from_utf8_lossy(&bytes).into_owned())
        })
        .collect()
}

fn documentation() -> Vec<(String, String)> {
    let files: Vec<_> = repository_files().into_iter().filter(|(path, _)| path.ends_with(".md")).collect();
    assert!(files.iter().any(|(path, _)| path == "README.md"), "no documentation was found");
    files
}

#[test]
fn codes_in_the_documentation_exist() {
    let pattern = Regex::new(r"\bPW\d{4}\b").unwrap();
    let known: BTreeSet<&str> = Code::ALL.iter().map(|code| code.id()).collect();
    let mut unknown = Vec::new();
    let mut mentioned = 0;
    for (path, text) in documentation() {
        for code in pattern.find_iter(&text) {
            mentioned += 1;
            if !known.contains(code.as_str()) {
                unknown.push(format!("{path}: {}", code.as_str()));
            }
        }
    }
    none(&unknown, "diagnostic codes that the program does not have");
    assert!(mentioned > 0, "the documentation mentions no code: the pattern sees nothing");
}

#[test]
fn paths_in_the_documentation_exist() {
    let links = Regex::new(r"\]\(([^)#\s]+)").unwrap();
    let named = Regex::new(r"`((?:src|docs|tests|scripts|schema|macros|examples)/[\w./-]+)`").unwrap();
    let root = repository();
    let mut absent = Vec::new();
    let mut found = 0;
    for (path, text) in documentation() {
        let folder = root.join(&path).parent().expect("a file has a folder").to_path_buf();
        let linked = links.captures_iter(&text).map(|link| link[1].to_owned());
        let linked = linked.filter(|link| !link.contains("://")).map(|link| (folder.join(&link), link));
        let named = named.captures_iter(&text).map(|name| (root.join(&name[1]), name[1].to_owned()));
        for (target, word) in linked.chain(named) {
            found += 1;
            if !target.exists() {
                absent.push(format!("{path}: {word}"));
            }
        }
    }
    none(&absent, "the documentation names files that are not there");
    assert!(found > 0, "the documentation names no file: the patterns see nothing");
}

#[test]
fn nothing_tells_where_or_how_the_repository_was_made() {
    // Put together here, so that this file does not hold what it looks for.
    let folders = ["work", "root", "home", "Users"].join("|");
    let paths = Regex::new(&format!(r#"(^|[\s"'`=(:])/({folders})/\w"#)).unwrap();
    let makers = [["clau", "de"], ["anthro", "pic"], ["open", "ai"], ["chat", "gpt"], ["co", "pilot"]]
        .map(|word| word.concat());
    let makers = Regex::new(&format!(r"(?i)\b({})\b", makers.join("|"))).unwrap();
    let mut found = Vec::new();
    for (path, text) in repository_files() {
        for (number, line) in text.lines().enumerate() {
            if paths.is_match(line) || makers.is_match(line) {
                found.push(format!("{path}:{}: {}", number + 1, line.trim()));
            }
        }
    }
    none(&found, "traces of a machine or a maker");
}

#[test]
fn lock_files_name_no_registry_but_the_public_one() {
    let cargo = fs_err::read_to_string(repository().join("Cargo.lock")).unwrap();
    let sources: BTreeSet<&str> = cargo.lines().filter_map(|line| line.strip_prefix("source = ")).collect();
    let public = "\"registry+https://github.com/rust-lang/crates.io-index\"";
    assert_eq!(sources.into_iter().collect::<Vec<_>>(), [public]);
    let npm = fs_err::read_to_string(repository().join("tests/editor/package-lock.json")).unwrap();
    let resolved: Vec<String> =
        npm.lines().filter(|line| line.contains("\"resolved\"")).map(str::to_owned).collect();
    none(&resolved, "tests/editor/package-lock.json names the registry it was made with");
}
