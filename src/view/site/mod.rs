//! The results as a site of static pages: no scripts, nothing from elsewhere, each page whole by itself.
//!
//! Templates escape all that they are given: names, notes and above all values from the data may hold anything. A page
//! of a run tells only what is remembered of that run, so that it need not be written again; the only things in it that
//! later runs or another manifest could change are its links ([`Site::links`]).

mod chart;
mod overview;
mod run;
mod suite;

use std::collections::{BTreeMap, BTreeSet};

use minijinja::syntax::SyntaxConfig;
use minijinja::value::Value as Context;
use minijinja::{Environment, UndefinedBehavior, context, escape_formatter};

use crate::diag::{Code, Diagnostic};
use crate::expectations::Verdict;
use crate::project::{Expectation, Project};
use crate::report::{PastCheck, PastRun, PastStep, Track};
use crate::view::markup::escaped;

/// The pages' templates by name. The first holds what all have.
const TEMPLATES: [(&str, &str); 8] = [
    ("page.html", include_str!("page.html")),
    ("parts.html", include_str!("parts.html")),
    ("index.html", include_str!("index.html")),
    ("suites.html", include_str!("suites.html")),
    ("suite.html", include_str!("suite.html")),
    ("expectation.html", include_str!("expectation.html")),
    ("runs.html", include_str!("runs.html")),
    ("run.html", include_str!("run.html")),
];

const STYLE: &str = include_str!("style.css");

/// How many entries a list has on a page.
const ENTRIES: usize = 50;

/// How many expectations are told on a page, each with its trend.
const TOLD: usize = 100;

/// How many runs a trend has.
pub const TREND: u32 = 50;

/// A file of the site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// Its path below the site's folder, with forward slashes.
    pub path: String,
    /// Its text.
    pub text: String,
}

/// What the site is about.
#[derive(Debug, Clone, Copy)]
pub struct About<'a> {
    /// The manifest.
    pub project: &'a Project,
    /// The target's name.
    pub target: &'a str,
    /// Its runs, newest first.
    pub runs: &'a [PastRun],
    /// What became of each expectation that was ever evaluated, by address.
    pub tracks: &'a [Track],
}

/// A suite with its expectations.
struct Suite<'a> {
    name: &'a str,
    description: Option<&'a str>,
    /// The table that it is about; nothing for what the manifest no longer has.
    on: Option<String>,
    expectations: Vec<Told<'a>>,
}

/// An expectation with what became of it.
#[derive(Clone, Copy)]
struct Told<'a> {
    address: &'a str,
    /// Nothing where the manifest no longer has it.
    expectation: Option<&'a Expectation>,
    /// Nothing where it was never evaluated.
    track: Option<&'a Track>,
}

impl Told<'_> {
    /// Its last verdict.
    fn verdict(&self) -> Option<Verdict> {
        self.track.and_then(|track| track.points.last()).map(|point| point.verdict)
    }
}

/// How many expectations came out how.
#[derive(Debug, Clone, Copy, Default)]
struct Tally {
    passed: usize,
    warned: usize,
    failed: usize,
    errored: usize,
    unknown: usize,
}

impl Tally {
    fn of<'t>(told: impl IntoIterator<Item = &'t Told<'t>>) -> Self {
        let mut tally = Self::default();
        for one in told {
            match one.verdict() {
                Some(Verdict::Passed) => tally.passed += 1,
                Some(Verdict::Warned) => tally.warned += 1,
                Some(Verdict::Failed) => tally.failed += 1,
                Some(Verdict::Errored) => tally.errored += 1,
                None => tally.unknown += 1,
            }
        }
        tally
    }

    /// The worst of them, as a word.
    fn worst(self) -> &'static str {
        match self {
            Self { errored: 1.., .. } => "errored",
            Self { failed: 1.., .. } => "failed",
            Self { warned: 1.., .. } => "warned",
            Self { passed: 1.., .. } => "passed",
            _ => "unknown",
        }
    }

    /// For templates.
    fn context(self) -> Context {
        let Self { passed, warned, failed, errored, unknown } = self;
        let all = passed + warned + failed + errored + unknown;
        // Rounded down: 100 % says that all of them do.
        let share = (passed * 100).checked_div(all);
        context! { passed, warned, failed, errored, unknown, all, share, worst => self.worst() }
    }
}

/// The word of a verdict, if there is one.
fn word(verdict: Option<Verdict>) -> &'static str {
    verdict.map_or("unknown", Verdict::word)
}

/// The site of a pipeline's results on one target.
pub struct Site<'a> {
    about: About<'a>,
    environment: Environment<'static>,
    suites: Vec<Suite<'a>>,
    /// What history has and the manifest does not.
    gone: Suite<'a>,
    /// Where each expectation is told, from the site's folder.
    links: BTreeMap<&'a str, String>,
}

impl<'a> Site<'a> {
    /// The site; `addresses` are those of the project's expectations, in its order.
    ///
    /// # Errors
    /// When a template is wrong.
    pub fn new(about: About<'a>, addresses: &'a [String]) -> Result<Self, Diagnostic> {
        let tracks: BTreeMap<&str, &Track> =
            about.tracks.iter().map(|track| (track.expectation.as_str(), track)).collect();
        let mut suites: Vec<Suite<'a>> = Vec::new();
        let mut places: BTreeMap<&str, usize> = BTreeMap::new();
        for (address, expectation) in addresses.iter().zip(&about.project.expectations) {
            let name = expectation.suite.as_str();
            let place = *places.entry(name).or_insert_with(|| {
                let description = about.project.suites.get(name).and_then(Option::as_deref);
                let on = Some(expectation.on.to_string());
                suites.push(Suite { name, description, on, expectations: Vec::new() });
                suites.len() - 1
            });
            let track = tracks.get(address.as_str()).copied();
            suites[place].expectations.push(Told { address, expectation: Some(expectation), track });
        }
        let known: BTreeSet<&str> = addresses.iter().map(String::as_str).collect();
        let gone = about.tracks.iter().filter(|track| !known.contains(track.expectation.as_str()));
        let gone = gone
            .map(|track| Told { address: &track.expectation, expectation: None, track: Some(track) })
            .collect();
        let gone = Suite {
            name: "No longer in the manifest",
            description: Some("Expectations that past runs evaluated and the manifest does not have."),
            on: None,
            expectations: gone,
        };
        let mut links = BTreeMap::new();
        for suite in suites.iter().chain([&gone]) {
            for (place, one) in suite.expectations.iter().enumerate() {
                let page = paged(&suite.path(), place / TOLD + 1);
                links.insert(one.address, format!("{page}#{}", anchor(one.address)));
            }
        }
        Ok(Self { about, environment: environment().map_err(|error| wrong(&error))?, suites, gone, links })
    }

    /// What the form of all pages is made from: pages that another form has are written anew.
    pub fn form() -> String {
        let mut hasher = blake3::Hasher::new();
        hasher.update(env!("CARGO_PKG_VERSION").as_bytes());
        for text in TEMPLATES.iter().map(|(_, text)| *text).chain([STYLE]) {
            hasher.update(&(text.len() as u64).to_le_bytes());
            hasher.update(text.as_bytes());
        }
        hasher.finalize().to_hex()[..32].to_owned()
    }

    /// Where each expectation is told: pages of runs link there.
    pub fn links(&self) -> &BTreeMap<&'a str, String> {
        &self.links
    }

    /// The first page of a run; further ones are `runs/<run>~2.html` and so on.
    pub fn run_path(run: &str) -> String {
        paged(&run_base(run), 1)
    }

    /// Whether a page is one of a run.
    pub fn is_of_run(path: &str, run: &str) -> bool {
        path.strip_prefix(&run_base(run)).is_some_and(|rest| rest.starts_with(['.', '~']))
    }

    /// All pages but those of runs.
    ///
    /// # Errors
    /// When a template is wrong.
    pub fn pages(&self) -> Result<Vec<Page>, Diagnostic> {
        let mut pages = vec![self.index()?];
        pages.extend(self.suite_lists()?);
        pages.extend(self.run_lists()?);
        let gone = (!self.gone.expectations.is_empty()).then_some(&self.gone);
        for suite in self.suites.iter().chain(gone) {
            pages.extend(self.suite_pages(suite)?);
        }
        Ok(pages)
    }

    /// The pages of a run, the first one last: where it is, the others are.
    ///
    /// # Errors
    /// When a template is wrong.
    pub fn run_pages(
        &self,
        run: &PastRun,
        steps: &[PastStep],
        checks: &[PastCheck],
    ) -> Result<Vec<Page>, Diagnostic> {
        run::pages(self, run, steps, checks)
    }

    /// A page from its template. `at` is the entry of the menu that it belongs to.
    fn page(
        &self,
        path: String,
        template: &str,
        title: &str,
        at: &str,
        content: Context,
    ) -> Result<Page, Diagnostic> {
        let project = self.about.project;
        let root = "../".repeat(path.matches('/').count());
        let all = context! {
            title, at, root, content,
            pipeline => project.name.as_str(),
            target => self.about.target,
        };
        let text = self.environment.get_template(template).and_then(|template| template.render(all));
        Ok(Page { path, text: text.map_err(|error| wrong(&error))? })
    }

    /// A list over as many pages as it needs; there is always a first one.
    fn list<T>(
        &self,
        base: &str,
        (template, title, at): (&str, &str, &str),
        entries: &[T],
        size: usize,
        content: &dyn Fn(&[T], Context) -> Context,
    ) -> Result<Vec<Page>, Diagnostic> {
        let parts: Vec<&[T]> = match entries {
            [] => vec![entries],
            entries => entries.chunks(size).collect(),
        };
        let count = parts.len();
        let page = |(index, part): (usize, &&[T])| {
            let number = index + 1;
            let title = if number == 1 { title.to_owned() } else { format!("{title}, page {number}") };
            let pager = pager(base, number, count);
            self.page(paged(base, number), template, &title, at, content(part, pager))
        };
        parts.iter().enumerate().map(page).collect()
    }
}

/// Which pages a list has: names within its folder, for templates.
fn pager(base: &str, number: usize, count: usize) -> Context {
    let name = |number: usize| {
        let path = paged(base, number);
        path.rsplit('/').next().unwrap_or_default().to_owned()
    };
    context! {
        number, count,
        newer => (number > 1).then(|| name(number - 1)),
        older => (number < count).then(|| name(number + 1)),
        first => (number > 2).then(|| name(1)),
        last => (number + 1 < count).then(|| name(count)),
    }
}

impl Suite<'_> {
    /// Its page without the ending.
    fn path(&self) -> String {
        match self.on {
            Some(_) => format!("suites/{}", file_name(self.name)),
            None => "gone".to_owned(),
        }
    }
}

fn run_base(run: &str) -> String {
    // Names of runs hold capitals, and differ in more than those.
    let plain = !run.is_empty() && run.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    format!("runs/{}", if plain { run.to_owned() } else { file_name(run) })
}

/// The name of a page of several.
fn paged(base: &str, number: usize) -> String {
    if number <= 1 { format!("{base}.html") } else { format!("{base}~{number}.html") }
}

/// A name as a file may have it on every system. Where something had to be replaced, a digest keeps names apart.
fn file_name(name: &str) -> String {
    safe(name, |c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_'))
}

/// The place of an expectation on a page.
fn anchor(address: &str) -> String {
    let short = address.strip_prefix("expectation.").unwrap_or(address);
    safe(short, |c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
}

fn safe(name: &str, may: impl Fn(char) -> bool) -> String {
    const LONGEST: usize = 100;
    let kept: String = name.chars().take(LONGEST).map(|c| if may(c) { c } else { '-' }).collect();
    if kept == name && !name.is_empty() && name != "index" {
        return kept;
    }
    format!("{kept}-{}", &blake3::hash(name.as_bytes()).to_hex()[..8])
}

fn environment() -> Result<Environment<'static>, minijinja::Error> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_syntax(SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build()?);
    environment.set_formatter(|out, state, value| match value.as_str() {
        Some(text) if !value.is_safe() => {
            out.write_str(&escaped(text))?;
            Ok(())
        }
        _ => escape_formatter(out, state, value),
    });
    environment.add_filter("count", super::count);
    environment.add_filter("bytes", super::bytes);
    environment.add_filter("duration", super::duration);
    environment.add_filter("time", |text: &str| time(text));
    environment.add_global("style", STYLE.lines().map(str::trim).collect::<String>());
    for (name, text) in TEMPLATES {
        environment.add_template(name, text)?;
    }
    Ok(environment)
}

/// The templates are ours.
fn wrong(error: &minijinja::Error) -> Diagnostic {
    Diagnostic::error(Code::Internal, format!("a page cannot be written: {error:#}"))
}

/// A point in time as people read it: `2018-10-17 17:30 UTC`. What is no such text stays as it is.
fn time(rfc3339: &str) -> String {
    match (rfc3339.get(..10), rfc3339.get(11..16), rfc3339.ends_with('Z')) {
        (Some(day), Some(minute), true) => format!("{day} {minute} UTC"),
        _ => rfc3339.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_files_that_differ() {
        assert_eq!(file_name("raw_orders-2"), "raw_orders-2");
        assert_eq!(anchor("expectation.orders.not_null_Id"), "orders.not_null_Id");
        let same = ["Orders", "orders", "or/ders", "or ders", "../orders", "index", "", "örders", "orders~2"];
        let names: BTreeSet<String> = same.iter().map(|name| file_name(name).to_lowercase()).collect();
        assert_eq!(names.len(), same.len());
        assert!(
            names.iter().all(|name| !name.contains(['/', '.', '~', ' ']) && name != "index"),
            "{names:?}"
        );
        assert!(file_name(&"x".repeat(500)).len() < 120);
    }

    #[test]
    fn pages_of_a_run_are_known_by_their_names() {
        assert_eq!(Site::run_path("20181017T173018Z-1a2b3c4d"), "runs/20181017T173018Z-1a2b3c4d.html");
        assert!(Site::is_of_run("runs/a-1~2.html", "a-1") && Site::is_of_run("runs/a-1.html", "a-1"));
        assert!(!Site::is_of_run("runs/a-12.html", "a-1"));
    }

    #[test]
    fn shares_are_rounded_down() {
        let tally = |passed, failed| Tally { passed, failed, ..Tally::default() };
        let share = |tally: Tally| tally.context().get_attr("share").map(|share| share.to_string());
        assert_eq!(share(tally(999, 1)).ok().as_deref(), Some("99"));
        assert_eq!(share(tally(3, 0)).ok().as_deref(), Some("100"));
        assert_eq!((tally(3, 1).worst(), Tally::default().worst()), ("failed", "unknown"));
    }
}
