//! Suites: what is expected, what became of it, and how that went over the runs.

use std::collections::BTreeMap;

use minijinja::context;
use minijinja::value::Value as Context;

use super::chart::{Mark, Trend, Unit};
use super::{Page, Site, Suite, TOLD, Tally, Told, anchor, time, word};
use crate::diag::Diagnostic;
use crate::expectations::Verdict;
use crate::project::{Expectation, Form, Known, Scan};
use crate::report::{Point, Track};

/// How many of its queries a suite tells the times of.
const SLOWEST: usize = 5;

/// From so many changes of its verdict within a trend on, an expectation is called flaky.
const FLAKY: usize = 4;

impl Site<'_> {
    /// The pages of a suite.
    pub(super) fn suite_pages(&self, suite: &Suite<'_>) -> Result<Vec<Page>, Diagnostic> {
        let tally = Tally::of(&suite.expectations).context();
        let untold = |one: &&Told<'_>| matches!(one.verdict(), Some(verdict) if verdict != Verdict::Passed);
        let open: Vec<Context> = suite
            .expectations
            .iter()
            .filter(untold)
            .map(|one| {
                context! { name => name(one), verdict => word(one.verdict()), link => self.beside(one) }
            })
            .collect();
        let queries = self.slowest(suite);
        let content = |part: &[Told<'_>], pager: Context| {
            let told: Vec<Context> = part.iter().map(|one| self.told(one)).collect();
            context! {
                name => suite.name, description => suite.description, on => suite.on.as_deref(),
                tally => tally.clone(), open => open.clone(),
                queries => queries.clone(), told, pager,
            }
        };
        let title = match suite.on {
            Some(_) => format!("Suite {}", suite.name),
            None => suite.name.to_owned(),
        };
        self.list(&suite.path(), ("suite.html", &title, "suites"), &suite.expectations, TOLD, &content)
    }

    /// The queries of a suite that took longest when they were last asked. One scan answers many expectations.
    fn slowest(&self, suite: &Suite<'_>) -> Vec<Context> {
        let mut queries: BTreeMap<(&str, Scan, &str), (u64, usize, &Told<'_>)> = BTreeMap::new();
        for one in &suite.expectations {
            let (Some(expectation), Some(point)) = (one.expectation, last(one)) else { continue };
            let Some(milliseconds) = point.milliseconds else { continue };
            let scan = expectation.form.scan();
            let alone = if scan == Scan::Own { one.address } else { "" };
            if scan != Scan::Nothing {
                let query =
                    queries.entry((point.run.as_str(), scan, alone)).or_insert((milliseconds, 0, one));
                query.1 += 1;
            }
        }
        let mut queries: Vec<_> = queries.into_iter().collect();
        queries.sort_by_key(|(_, (milliseconds, ..))| std::cmp::Reverse(*milliseconds));
        let told =
            |((_, scan, _), (milliseconds, count, one)): &((&str, Scan, &str), (u64, usize, &Told<'_>))| {
                let words = match scan {
                    Scan::Rows => "a scan of the rows",
                    Scan::Groups => "a scan of groups of rows",
                    Scan::Own | Scan::Nothing => "a query of its own",
                };
                context! { milliseconds, count, words, name => name(one), link => self.beside(one) }
            };
        queries.iter().take(SLOWEST).map(told).collect()
    }

    /// Where an expectation is told, from a page of its suite.
    fn beside(&self, one: &Told<'_>) -> &str {
        let link = self.links.get(one.address).map(String::as_str).unwrap_or_default();
        link.strip_prefix("suites/").unwrap_or(link)
    }

    /// An expectation with its trend.
    fn told(&self, one: &Told<'_>) -> Context {
        let points = one.track.map(|track| track.points.as_slice()).unwrap_or_default();
        let changes = points.windows(2).filter(|pair| is_open(&pair[0]) != is_open(&pair[1])).count();
        let measure = Measure::of(one.expectation, points);
        let values: Vec<Context> = points
            .iter()
            .rev()
            .map(|point| {
                context! {
                    link => Self::run_path(&point.run), at => point.started_at.as_str(),
                    verdict => word(Some(point.verdict)), found => point.found.as_str(),
                }
            })
            .collect();
        let last = points.last();
        let chart = (!points.is_empty()).then(|| measure.trend(points).svg());
        let declared = one.expectation.map(|expectation| self.declared(expectation));
        context! {
            address => one.address,
            anchor => anchor(one.address),
            name => name(one),
            declared,
            node => one.track.map(|track| track.node.as_str()),
            verdict => word(one.verdict()),
            found => last.map(|point| point.found.as_str()),
            last => last.map(|point| context! {
                link => Self::run_path(&point.run), at => point.started_at.as_str(), open => is_open(point),
            }),
            history => one.track.map(history),
            flaky => changes >= FLAKY,
            changes,
            bounded => chart.as_ref().is_some_and(|chart| chart.contains("class=\"bound\"")),
            chart => chart.map(Context::from_safe_string),
            label => (measure.unit == Unit::Share && !points.is_empty()).then_some("Failing:"),
            constant => measure.constant(points),
            measure => measure.title,
            values,
        }
    }

    /// What the manifest says of it.
    #[expect(clippy::unused_self, reason = "beside what belongs together")]
    fn declared(&self, expectation: &Expectation) -> Context {
        let share = (expectation.mostly < 1.0).then(|| Unit::Share.text(expectation.mostly));
        let severity = serde_json::to_value(expectation.severity).unwrap_or_default();
        context! {
            kind => expectation.kind.as_str(),
            severity => severity.as_str().unwrap_or_default(),
            description => expectation.description.as_deref(),
            note => expectation.note.as_deref(),
            owner => expectation.owner.as_deref(),
            tags => expectation.tags.clone(),
            place => format!("{}:{}", expectation.span.file.name, expectation.span.position().0),
            filter => expectation.filter.as_ref().map(|sql| sql.text.trim().to_owned()),
            mostly => share,
            allowed => expectation.allowed,
            columns => expectation.columns.iter().map(|column| Context::from(column.name.as_str())).collect::<Vec<_>>(),
            condition => match &expectation.form {
                // An entry that is SQL of the user's says itself what must hold.
                Form::Rows { holds, .. } if expectation.kind == "expression" => {
                    holds.own_sql().next().map(|sql| sql.text.trim().to_owned())
                }
                _ => None,
            },
        }
    }
}

/// What became of it last.
fn last<'t>(one: &Told<'t>) -> Option<&'t Point> {
    one.track.and_then(|track| track.points.last())
}

fn is_open(point: &Point) -> bool {
    point.verdict != Verdict::Passed
}

/// Its name without that of its table, which the suite tells.
fn name<'t>(one: &Told<'t>) -> &'t str {
    let short = one.address.strip_prefix("expectation.").unwrap_or(one.address);
    match one.expectation {
        Some(expectation) => &expectation.name,
        None => short,
    }
}

fn history(track: &Track) -> Context {
    context! {
        runs => track.runs, passed => track.passed, first_failure => track.first_failure.as_deref(),
        last_failure => track.last_failure.as_deref(), failing_since => track.failing_since.as_deref(),
    }
}

/// What is followed over the runs.
struct Measure {
    title: String,
    unit: Unit,
    bounds: [Option<f64>; 2],
    value: fn(&Point) -> Option<f64>,
}

impl Measure {
    fn of(expectation: Option<&Expectation>, points: &[Point]) -> Self {
        let failing = |bounds| Self {
            title: "Share of failing rows".to_owned(),
            unit: Unit::Share,
            bounds,
            value: share,
        };
        let number = |title: &str, unit, bounds| Self {
            title: title.to_owned(),
            unit,
            bounds,
            value: |point| point.observed,
        };
        let Some(expectation) = expectation else {
            let observed = points.iter().any(|point| point.observed.is_some());
            let unknown = || number("Observed value", Unit::Number, [None, None]);
            return if observed { unknown() } else { failing([None, None]) };
        };
        match &expectation.form {
            Form::Value { group_by, what, .. } if group_by.is_empty() => {
                let what = what.strip_prefix("the ").unwrap_or(what);
                let mut letters = what.chars();
                let first = letters.next().map(|first| first.to_uppercase().to_string());
                let title = format!("{}{}", first.unwrap_or_default(), letters.as_str());
                number(&title, Unit::Number, [None, None])
            }
            Form::RowCount { min, max, .. } => Self {
                title: "Rows".to_owned(),
                unit: Unit::Count,
                bounds: [min, max].map(|bound| bound.map(as_f64)),
                value: |point| (point.verdict != Verdict::Errored).then(|| as_f64(point.checked)),
            },
            Form::Freshness { max_age, .. } => {
                number("Age of the newest value", Unit::Age, [None, Some(max_age.as_secs_f64())])
            }
            Form::Known(Known::Volume { .. }) => number("Rows", Unit::Count, [None, None]),
            Form::Known(Known::ColumnCount { min, max }) => {
                number("Columns", Unit::Count, [min, max].map(|bound| bound.map(as_f64)))
            }
            Form::Equals { .. } | Form::Known(_) => number("Observed value", Unit::Number, [None, None]),
            Form::BadRows { .. } => Self {
                title: "Bad rows".to_owned(),
                unit: Unit::Count,
                bounds: [None, None],
                value: |point| (point.verdict != Verdict::Errored).then(|| as_f64(point.failing)),
            },
            Form::Rows { .. } | Form::Unique { .. } => {
                failing([None, (expectation.mostly < 1.0).then_some(1.0 - expectation.mostly)])
            }
            Form::Value { .. } | Form::MostCommon { .. } => failing([None, None]),
        }
    }

    fn trend(&self, points: &[Point]) -> Trend {
        let marks = points.iter().map(|point| Mark {
            value: (self.value)(point),
            verdict: point.verdict,
            tip: format!("{}: {}, {}", time(&point.started_at), word(Some(point.verdict)), point.found),
        });
        Trend { title: self.title.clone(), marks: marks.collect(), bounds: self.bounds, unit: self.unit }
    }

    /// The value where it was the same in all runs that had one.
    fn constant(&self, points: &[Point]) -> Option<String> {
        let mut values = points.iter().filter_map(self.value);
        let first = values.next()?;
        values.all(|value| value.to_bits() == first.to_bits()).then(|| self.unit.text(first))
    }
}

fn share(point: &Point) -> Option<f64> {
    (point.verdict != Verdict::Errored).then(|| as_f64(point.failing) / as_f64(point.checked.max(1)))
}

#[expect(clippy::cast_precision_loss, reason = "counts of rows lie far below 2^53")]
fn as_f64(count: u64) -> f64 {
    count as f64
}
