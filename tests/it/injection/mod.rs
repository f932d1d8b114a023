//! Faults put into copies of the real files and of the shipped models, one at a time: each must be caught by the
//! expectation or diagnostic that is there for it, told with its place, kept away from the marts, and gone for good
//! once the file is mended.

mod columns;
mod cut;
mod file;
mod files;
mod models;
mod quirks;
mod rows;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout};
use std::sync::OnceLock;

use file::File;

use crate::support::{Outcome, Project, shared_dir, start_python};

const DATABASE: &str = "olist.duckdb";

/// The files' folder within the project, as reports name it.
const DATA: &str = "real";

/// A fault and what must become of it.
struct Fault {
    /// What it is, in words.
    name: &'static str,
    /// The file that it is put into: a short name of a data file, or the path of a file of the project.
    file: &'static str,
    change: Change,
    caught: Caught,
}

/// How a file changes.
enum Change {
    /// Fields of some records, counted from 1: record, column, text.
    Fields(&'static [(usize, &'static str, &'static str)]),
    /// Every value of a column.
    Column(&'static str, fn(&str) -> String),
    /// The records, the header first.
    Records(fn(&mut File)),
    /// The bytes.
    Bytes(fn(Vec<u8>) -> Vec<u8>),
    /// A text that stands once in the file.
    Text(&'static str, &'static str),
    /// The file is gone.
    Gone,
}

/// What becomes of a fault.
enum Caught {
    /// It is refused by all of these: expectations by their names, diagnostics by their codes.
    By(&'static [&'static str]),
    /// As before, and a line of the report has all of these words: the place and the value.
    Told(&'static [&'static str], &'static [&'static str]),
    /// As before, and the report names the line of the (first) record that was changed, and this value.
    At(&'static [&'static str], &'static str),
    /// As `By`, of a run that may publish fewer rows: what is there beside the guard against shrinking tables.
    EvenAllowed(&'static [&'static str]),
    /// Published with a warning.
    Warned(&'static [&'static str]),
    /// It is no fault: the marts are as before.
    Accepted,
}

/// The short names of the data files.
const FILES: [&str; 9] = [
    "customers",
    "geolocation",
    "order_items",
    "order_payments",
    "order_reviews",
    "orders",
    "products",
    "sellers",
    "translation",
];

/// The path of a file in the project.
fn path(short: &str) -> String {
    match short {
        "translation" => format!("{DATA}/product_category_name_translation.csv"),
        "customers" | "geolocation" | "order_items" | "order_payments" | "order_reviews" | "orders"
        | "products" | "sellers" => format!("{DATA}/olist_{short}_dataset.csv"),
        path => path.to_owned(),
    }
}

/// The table that a data file is loaded into.
fn table(short: &str) -> String {
    match short {
        "translation" => "olist_raw.raw_product_category_name_translation".to_owned(),
        short => format!("olist_raw.raw_{short}"),
    }
}

/// Digests of the tables of a database file, asked of a Python that stays.
struct Digests {
    program: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

/// Rows and digest of each table of the raw and the marts layer.
type State = BTreeMap<String, (u64, String)>;

impl Digests {
    fn start() -> Self {
        let mut program = start_python("tests/it/injection/digests.py");
        let input = program.stdin.take().expect("its input");
        let output = BufReader::new(program.stdout.take().expect("its output"));
        Self { program, input, output }
    }

    fn of(&mut self, project: &Project) -> State {
        writeln!(self.input, "{}", project.path().join(DATABASE).display()).expect("it reads");
        let mut line = String::new();
        self.output.read_line(&mut line).expect("an answer");
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"))
    }

    /// How many records a CSV file has, by another reader than ours.
    fn records(&mut self, project: &Project, path: &str) -> u64 {
        writeln!(self.input, "{}", project.path().join(path).display()).expect("it reads");
        let mut line = String::new();
        self.output.read_line(&mut line).expect("an answer");
        line.trim().parse().unwrap_or_else(|error| panic!("{error}: {line}"))
    }
}

impl Drop for Digests {
    fn drop(&mut self) {
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}

/// The shipped project over a copy of the real files, after a first good run.
struct Bench {
    project: Project,
    digests: Digests,
    good: State,
    start: &'static Start,
}

/// How much of the real files faults are put into.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Size {
    /// Some hundred orders with all that belongs to them, so that many rounds are quick.
    Cut,
    /// All of it.
    Full,
}

/// What every bench of a size begins with: the data files, and the database after a good run.
struct Start {
    files: Vec<(String, Vec<u8>)>,
    database: Vec<u8>,
    /// Expectations that warn of the good files: a part of them can be odder than the whole.
    warned: Vec<String>,
}

impl Start {
    /// None where the real files are absent.
    fn of(size: Size) -> Option<Self> {
        let data = shared_dir()?.join("data/olist-subset");
        let mut files: BTreeMap<&str, File> = FILES
            .iter()
            .map(|short| {
                let name = path(short).replacen(&format!("{DATA}/"), "", 1);
                (*short, File::read(&fs_err::read(data.join(name)).unwrap()))
            })
            .collect();
        if size == Size::Cut {
            cut::cut(&mut files);
        }
        let files = files.iter().map(|(short, file)| (path(short), file.bytes())).collect();
        let mut start = Self { files, database: Vec::new(), warned: Vec::new() };
        let project = start.project();
        start.warned = warned(&apply(&project, &[]).succeeds().stdout);
        start.database = fs_err::read(project.path().join(DATABASE)).unwrap();
        Some(start)
    }

    fn project(&self) -> Project {
        let project = Project::shipped();
        fs_err::create_dir(project.path().join(DATA)).unwrap();
        for (path, bytes) in &self.files {
            fs_err::write(project.path().join(path), bytes).unwrap();
        }
        project
    }
}

/// The expectations that a report tells as warnings.
fn warned(report: &str) -> Vec<String> {
    let names = report.lines().filter_map(|line| line.strip_prefix("warned expectation.")?.split(':').next());
    names.map(str::to_owned).collect()
}

fn apply(project: &Project, flags: &[&str]) -> Outcome {
    let words: Vec<&str> = ["apply"].iter().chain(flags).copied().collect();
    Outcome::of(project.command(&words).env("OLIST_DATA_DIR", DATA))
}

impl Bench {
    /// None where the real files are absent.
    fn new(size: Size) -> Option<Self> {
        static CUT: OnceLock<Option<Start>> = OnceLock::new();
        static FULL: OnceLock<Option<Start>> = OnceLock::new();
        let start = match size {
            Size::Cut => &CUT,
            Size::Full => &FULL,
        };
        let start = start.get_or_init(|| Start::of(size)).as_ref()?;
        let project = start.project();
        fs_err::write(project.path().join(DATABASE), &start.database).unwrap();
        let mut digests = Digests::start();
        let good = digests.of(&project);
        let bench = Self { project, digests, good, start };
        bench.keep(DATABASE, "good.duckdb");
        Some(bench)
    }

    fn keep(&self, from: &str, to: &str) {
        fs_err::copy(self.project.path().join(from), self.project.path().join(to)).unwrap();
    }

    fn apply(&self, flags: &[&str]) -> Outcome {
        apply(&self.project, flags)
    }

    /// Puts a fault in, looks what becomes of it, takes it out again. What is not as it should be comes back as text.
    fn inject(&mut self, fault: &Fault) -> Result<(), String> {
        let path = path(fault.file);
        let target = self.project.path().join(&path);
        let before = fs_err::read(&target).unwrap();
        self.keep("good.duckdb", DATABASE);
        let (after, line) = changed(&fault.change, &before);
        match &after {
            Some(bytes) => fs_err::write(&target, bytes).unwrap(),
            None => fs_err::remove_file(&target).unwrap(),
        }
        let allow: &[&str] =
            if matches!(fault.caught, Caught::EvenAllowed(_)) { &["--allow-shrink"] } else { &[] };
        let outcome = self.apply(allow);
        let told = judged(fault, &path, line, &self.start.warned, &outcome)
            .and_then(|()| self.kept(fault, after.is_some(), &path))
            .map_err(|why| format!("{}: {why}\n{outcome}", fault.name));

        fs_err::write(&target, &before).unwrap();
        let untouched = told?;
        let mended = self.apply(&[]);
        // A run that does nothing leaves what was looked at a moment ago.
        let idle = untouched && mended.stdout.contains("Nothing to do");
        let recovered = mended.code == Some(0) && (idle || self.digests.of(&self.project) == self.good);
        if recovered { Ok(()) } else { Err(format!("{}: does not recover\n{mended}", fault.name)) }
    }

    /// The marts are those of the last good run, unless the fault may be published; each table of the raw layer is the
    /// old one or has the records of the new file. Says whether all of them are the old ones.
    fn kept(&mut self, fault: &Fault, there: bool, path: &str) -> Result<bool, String> {
        let now = self.digests.of(&self.project);
        let published = matches!(fault.caught, Caught::Warned(_));
        for (name, good) in &self.good {
            let found = now.get(name).ok_or_else(|| format!("{name} is gone"))?;
            if found == good || (published && name.starts_with("olist_marts.")) {
                continue;
            }
            if *name != table(fault.file) {
                return Err(format!("{name} was {good:?} and is {found:?}"));
            }
            let records = if there { self.digests.records(&self.project, path) } else { 0 };
            if found.0 != records {
                return Err(format!("{name} has {} rows, its file has {records} records", found.0));
            }
        }
        if now.len() == self.good.len() {
            Ok(now == self.good)
        } else {
            Err(format!("there are other tables: {now:?}"))
        }
    }
}

/// The changed file, none where it is gone, and the line of the first record that a fault in fields is about.
fn changed(change: &Change, before: &[u8]) -> (Option<Vec<u8>>, Option<usize>) {
    let after = match change {
        Change::Fields(fields) => {
            let mut file = File::read(before);
            for (record, column, text) in *fields {
                file.set(*record, column, text);
            }
            return (Some(file.bytes()), Some(file.line(fields[0].0)));
        }
        Change::Column(name, to) => {
            let mut file = File::read(before);
            let column = file.column(name);
            for record in &mut file.records[1..] {
                record[column] = to(&record[column]);
            }
            file.bytes()
        }
        Change::Records(with) => {
            let mut file = File::read(before);
            with(&mut file);
            file.bytes()
        }
        Change::Bytes(with) => with(before.to_vec()),
        Change::Text(from, to) => {
            let text = std::str::from_utf8(before).expect("UTF-8");
            assert_eq!(text.matches(from).count(), 1, "`{from}` should stand once in:\n{text}");
            text.replacen(from, to, 1).into_bytes()
        }
        Change::Gone => return (None, None),
    };
    assert!(after != before, "the fault changes nothing");
    (Some(after), None)
}

/// Whether a run ended as it should and its report says what it should.
///
/// `known` are the expectations that warn of the good files too.
fn judged(
    fault: &Fault,
    path: &str,
    line: Option<usize>,
    known: &[String],
    outcome: &Outcome,
) -> Result<(), String> {
    let report = format!("{}{}", outcome.stdout, outcome.stderr);
    let code = i32::from(!matches!(fault.caught, Caught::Warned(_) | Caught::Accepted));
    if outcome.code != Some(code) {
        return Err(format!("the exit code is {:?} and should be {code}", outcome.code));
    }
    let on_one_line =
        |words: &[&str]| report.lines().any(|line| words.iter().all(|word| line.contains(word)));
    let by = |names: &[&str], word: &str| {
        for name in names {
            let told = match name.strip_prefix("PW") {
                Some(_) => report.contains(name),
                None => {
                    report.contains(&format!("expectation.{name} {word}:"))
                        || report.contains(&format!("{word} expectation.{name}:"))
                }
            };
            if !told {
                return Err(format!("it is not {word} by {name}"));
            }
        }
        Ok(())
    };
    match &fault.caught {
        Caught::By(names) | Caught::EvenAllowed(names) => by(names, "failed"),
        Caught::Told(names, words) => {
            by(names, "failed")?;
            if on_one_line(words) { Ok(()) } else { Err(format!("no line has {words:?}")) }
        }
        Caught::At(names, value) => {
            by(names, "failed")?;
            let place = format!("{path}:{}", line.expect("a fault in a field"));
            let words = [place.as_str(), *value];
            if on_one_line(&words) { Ok(()) } else { Err(format!("no line has {words:?}")) }
        }
        Caught::Warned(names) => by(names, "warned"),
        Caught::Accepted => match warned(&report).iter().find(|name| !known.contains(name)) {
            Some(name) => Err(format!("{name} warns of it")),
            None => Ok(()),
        },
    }
}

/// Puts in one fault after the other, and tells all that went wrong together.
fn inject(faults: &[Fault]) {
    inject_into(Size::Cut, faults.iter());
}

fn inject_into<'f>(size: Size, faults: impl ExactSizeIterator<Item = &'f Fault>) {
    let Some(mut bench) = Bench::new(size) else { return };
    let count = faults.len();
    let wrong: Vec<String> = faults.filter_map(|fault| bench.inject(fault).err()).collect();
    assert!(wrong.is_empty(), "{} of {count} faults:\n{}", wrong.len(), wrong.join("\n========\n"));
}

/// The same faults on files of full size: there a fault is one row of thousands.
#[test]
fn faults_in_the_full_files() {
    const NAMES: [&str; 8] = [
        "the first customer lost",
        "cut off within a quoted field",
        "all points again, which have no key",
        "a quote that opens and does not close",
        "a review repeated",
        "an item of no product",
        "flags compared with another case",
        "a join that fans out",
    ];
    let all = || files::ALL.iter().chain(rows::ALL).chain(columns::ALL).chain(models::ALL).copied().flatten();
    let chosen: Vec<&Fault> =
        NAMES.iter().filter_map(|name| all().find(|fault| fault.name == *name)).collect();
    assert_eq!(chosen.len(), NAMES.len());
    inject_into(Size::Full, chosen.into_iter());
}

#[test]
fn faults_have_names_of_their_own() {
    let all = || files::ALL.iter().chain(rows::ALL).chain(columns::ALL).chain(models::ALL).copied().flatten();
    let names: std::collections::BTreeSet<&str> = all().map(|fault| fault.name).collect();
    assert_eq!(names.len(), all().count());
}

#[test]
fn a_fault_that_is_not_there_is_not_caught() {
    // The judge must be able to say no.
    let outcome =
        |code, stdout: &str| Outcome { code: Some(code), stdout: stdout.to_owned(), stderr: String::new() };
    let fault = |caught| Fault { name: "x", file: "orders", change: Change::Gone, caught };
    let judge = |caught, code, text: &str| {
        judged(&fault(caught), "a.csv", Some(3), &["c.d".to_owned()], &outcome(code, text)).is_ok()
    };
    let report = "expectation.a.b failed: 1 of 3 rows\n  a.csv:3 {\"x\":-5}\n";
    assert!(judge(Caught::At(&["a.b"], "-5"), 1, report));
    assert!(!judge(Caught::At(&["a.b"], "-5"), 0, report));
    assert!(!judge(Caught::At(&["a.c"], "-5"), 1, report));
    assert!(!judge(Caught::At(&["a.b"], "-6"), 1, report));
    assert!(!judge(Caught::Told(&["a.b"], &["a.csv:4"]), 1, report));
    assert!(
        !judge(Caught::Warned(&["a.b"]), 0, report)
            && judge(Caught::Warned(&["a.b"]), 0, "warned expectation.a.b: 1")
    );
    assert!(judge(Caught::Accepted, 0, "") && !judge(Caught::Accepted, 0, "warned expectation.a.b: 1"));
    assert!(judge(Caught::By(&["PW0602"]), 1, "[PW0602]") && !judge(Caught::By(&["PW0602"]), 1, "[PW0603]"));
}
