//! The first page, and the lists of all suites and all runs.

use minijinja::context;
use minijinja::value::Value as Context;

use super::{ENTRIES, Page, Site, Suite, TREND, Tally, Told, chart, word};
use crate::diag::Diagnostic;
use crate::expectations::Verdict;
use crate::project::Project;
use crate::report::PastRun;

/// How many entries of each list the first page has.
const SHOWN: usize = 12;

/// How many expectations that do not pass the first page has.
const OPEN: usize = 50;

impl Site<'_> {
    /// The first page: the state of the data now.
    pub(super) fn index(&self) -> Result<Page, Diagnostic> {
        let tally = Tally::of(self.all());
        let mut open: Vec<&Told<'_>> = self
            .all()
            .filter(|one| matches!(one.verdict(), Some(verdict) if verdict != Verdict::Passed))
            .collect();
        open.sort_by_key(|one| std::cmp::Reverse(one.verdict()));
        let more = open.len().saturating_sub(OPEN);
        let shown: Vec<Context> = open.iter().take(OPEN).map(|one| self.open(one)).collect();
        let suites = self.sorted_suites();
        let latest = &self.about.runs[..self.about.runs.len().min(TREND as usize)];
        let oldest_first: Vec<&PastRun> = latest.iter().rev().collect();
        let bars = chart::bars(&oldest_first, &|run| Self::run_path(&run.run));
        let content = context! {
            description => self.about.project.description.as_deref(),
            tally => tally.context(),
            last => self.about.runs.first().map(|run| self.run(run)),
            owned => open.iter().any(|one| one.expectation.is_some_and(|expectation| expectation.owner.is_some())),
            open => shown,
            more,
            bars => (!latest.is_empty()).then(|| Context::from_safe_string(bars)),
            trend => oldest_first.len(),
            from => oldest_first.first().map(|run| run.started_at.as_str()),
            suites => suites.iter().take(SHOWN).map(|suite| self.suite(suite)).collect::<Vec<_>>(),
            all_suites => suites.len(),
            checkpoints => self.checkpoints(),
            runs => self.about.runs.iter().take(SHOWN).map(|run| self.run(run)).collect::<Vec<_>>(),
            all_runs => self.about.runs.len(),
            gone => (!self.gone.expectations.is_empty()).then_some(self.gone.expectations.len()),
        };
        self.page("index.html".to_owned(), "index.html", "Results", "overview", content)
    }

    /// All suites, those that do not pass first.
    pub(super) fn suite_lists(&self) -> Result<Vec<Page>, Diagnostic> {
        let content = |part: &[&Suite<'_>], pager: Context| {
            let gone = (!self.gone.expectations.is_empty()).then_some(self.gone.expectations.len());
            let suites: Vec<Context> = part.iter().map(|suite| self.suite(suite)).collect();
            context! { suites, pager, gone, all => self.suites.len() }
        };
        let suites = self.sorted_suites();
        self.list("suites/index", ("suites.html", "Suites", "suites"), &suites, ENTRIES, &content)
    }

    /// All runs, newest first.
    pub(super) fn run_lists(&self) -> Result<Vec<Page>, Diagnostic> {
        let content = |part: &[PastRun], pager: Context| {
            let runs: Vec<Context> = part.iter().map(|run| self.run(run)).collect();
            context! { runs, pager, all => self.about.runs.len() }
        };
        self.list("runs/index", ("runs.html", "Runs", "runs"), self.about.runs, ENTRIES, &content)
    }

    fn all(&self) -> impl Iterator<Item = &Told<'_>> {
        self.suites.iter().flat_map(|suite| &suite.expectations)
    }

    fn sorted_suites(&self) -> Vec<&Suite<'_>> {
        let worst = |suite: &&Suite<'_>| {
            let tally = Tally::of(&suite.expectations);
            std::cmp::Reverse((tally.errored > 0, tally.failed > 0, tally.warned > 0))
        };
        let mut suites: Vec<&Suite<'_>> = self.suites.iter().collect();
        suites.sort_by_key(worst);
        suites
    }

    fn open(&self, one: &Told<'_>) -> Context {
        context! {
            address => one.address.strip_prefix("expectation.").unwrap_or(one.address),
            link => self.links.get(one.address).map(String::as_str),
            verdict => word(one.verdict()),
            found => one.track.and_then(|track| track.points.last()).map(|point| point.found.as_str()),
            since => one.track.and_then(|track| track.failing_since.as_deref()),
            owner => one.expectation.and_then(|expectation| expectation.owner.as_deref()),
        }
    }

    #[expect(clippy::unused_self, reason = "beside what belongs together")]
    fn suite(&self, suite: &Suite<'_>) -> Context {
        let last =
            suite.expectations.iter().filter_map(|one| one.track).filter_map(|track| track.points.last());
        context! {
            name => suite.name,
            on => suite.on.as_deref(),
            link => format!("{}.html", suite.path()),
            tally => Tally::of(&suite.expectations).context(),
            last => last.map(|point| point.started_at.as_str()).max(),
        }
    }

    /// A run for lists.
    #[expect(clippy::unused_self, reason = "beside what belongs together")]
    pub(super) fn run(&self, run: &PastRun) -> Context {
        let PastRun { passed, warned, failed, errored, .. } = *run;
        context! {
            run => run.run.as_str(), command => run.command.as_str(), by => run.started_by.as_str(), at => run.started_at.as_str(),
            milliseconds => run.milliseconds, status => run.status.as_str(), link => Self::run_path(&run.run),
            passed, warned, failed, errored, all => run.checks(), steps => run.steps,
            steps_undone => run.steps_undone,
            told => chart::told(run),
        }
    }

    /// Each checkpoint with how its expectations stand now, and its last run of its own.
    fn checkpoints(&self) -> Vec<Context> {
        let told = |(name, checkpoint): (&String, &crate::manifest::types::Checkpoint)| {
            let belongs = |one: &&Told<'_>| {
                one.expectation.is_some_and(|expectation| Project::belongs(expectation, checkpoint))
            };
            let command = format!("check {name}");
            let last = self.about.runs.iter().find(|run| run.command == command);
            context! {
                name => name.as_str(),
                description => checkpoint.description.as_deref(),
                tally => Tally::of(self.all().filter(belongs)).context(),
                last => last.map(|run| self.run(run)),
            }
        };
        self.about.project.checkpoints.iter().map(told).collect()
    }
}
