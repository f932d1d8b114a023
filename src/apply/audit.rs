//! The audit of one table: its queries asked, its verdicts drawn, some failing rows fetched with their places.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Instant;

use serde_json::Value;

use super::CheckReport;
use crate::diag::{Code, Diagnostic};
use crate::expectations::{
    Audit, Facts, Observed, Outcome, ROW_NUMBER, Rule, Verdict, judge, judge_hidden, said,
};
use crate::plan::Reading;
use crate::source::Place;
use crate::warehouse::{Result, Session, Wanted, WarehouseError};

/// An audit, and what is known beside it.
pub struct Auditing<'a> {
    /// The audit.
    pub audit: &'a Audit,
    /// What is known of the table.
    pub facts: Facts<'a>,
    /// Where its rows came from.
    pub origin: Option<Origin<'a>>,
    /// Whether nobody waits for it any more.
    pub cancelled: &'a dyn Fn() -> bool,
}

/// Files that a table was loaded from.
#[derive(Debug, Clone, Copy)]
pub struct Origin<'a> {
    /// The files.
    pub reading: &'a Reading,
    /// The project's folder.
    pub root: &'a Path,
}

/// What an audit gave.
pub(super) struct Audited {
    /// The table's rows and logical bytes, where they were counted.
    pub(super) size: Option<(u64, u64)>,
    /// What became of each expectation.
    pub(super) checks: Vec<CheckReport>,
}

/// Evaluates the audit of a published table, without touching it.
///
/// # Errors
/// When a query fails.
pub fn check_published(auditing: &Auditing<'_>, session: &mut dyn Session) -> Result<Vec<CheckReport>> {
    evaluate(auditing, session).map(|audited| audited.checks)
}

/// Evaluates an audit.
pub(super) fn evaluate(auditing: &Auditing<'_>, session: &mut dyn Session) -> Result<Audited> {
    let audit = auditing.audit;
    let (size, answers) = answers(auditing, session)?;
    // A column of that name stands before the engine's own.
    let hidden = auditing.facts.columns.iter().any(|column| column.name.eq_ignore_ascii_case("rowid"));
    let numbers_known = auditing.origin.is_some() && !hidden;
    let mut checks = Vec::with_capacity(audit.checks.len());
    let mut unsampled = None;
    // For each failing row of a sample the numbers that it or its rows had when the table was loaded.
    let mut numbers: Vec<Vec<Vec<u64>>> = Vec::with_capacity(audit.checks.len());
    for (check, answer) in audit.checks.iter().zip(answers) {
        let Answer { outcome, milliseconds } = answer;
        let outcome = outcome.unwrap_or_else(|| Outcome {
            verdict: Verdict::Errored,
            failing: 0,
            checked: 0,
            found: "it was not evaluated".to_owned(),
            observed: None,
        });
        let failing = outcome.verdict != Verdict::Passed;
        let numbered = check.numbered.as_ref().filter(|_| numbers_known);
        let mut rows = match (numbered.or(check.sample.as_ref()), failing) {
            (Some(sql), true) => match session.rows(sql) {
                Ok(rows) => rows,
                Err(error) if (auditing.cancelled)() => return Err(error),
                Err(error) => {
                    unsampled.get_or_insert((check, error));
                    Vec::new()
                }
            },
            _ => Vec::new(),
        };
        let of_sample =
            if numbered.is_some() { rows.iter_mut().map(take_numbers).collect() } else { Vec::new() };
        numbers.push(of_sample);
        check.hidden.hide(&mut rows);
        checks.push(CheckReport {
            address: check.address.clone(),
            severity: check.severity,
            sample_sql: check.sample.clone().filter(|_| failing),
            milliseconds,
            outcome,
            sample: rows,
            places: Vec::new(),
        });
    }
    // An engine's transaction may not go on after an error. Verdicts that refuse the build are told instead of it.
    if let Some((check, error)) = unsampled {
        if checks.iter().any(CheckReport::refuses) {
            return Ok(Audited { size, checks });
        }
        let sql = check.sample.as_deref().unwrap_or_default();
        let why = said(&error.diagnostic.message, sql, &audit.personal);
        let message = format!("the rows that fail {} could not be read: {why}", check.address);
        return Err(WarehouseError {
            diagnostic: Diagnostic::error(Code::ExpectationErrored, message)
                .maybe_help(check.sample.as_ref().map(|sql| format!("its query is\n{sql}"))),
            ..error
        });
    }
    if let Some(origin) = &auditing.origin {
        let rows: BTreeSet<u64> = numbers.iter().flatten().flatten().copied().collect();
        let places = if rows.is_empty() {
            BTreeMap::new()
        } else {
            let wanted = Wanted { rows: &rows, stopped: auditing.cancelled };
            // That a row is wrong is worth telling even where the file can no longer be read.
            session.locate(origin.reading, origin.root, &wanted).unwrap_or_default()
        };
        for (check, numbers) in checks.iter_mut().zip(&numbers) {
            if numbers.iter().flatten().any(|number| places.contains_key(number)) {
                check.places = numbers.iter().map(|of_row| places_text(of_row, &places)).collect();
            }
        }
    }
    Ok(Audited { size, checks })
}

/// What the queries of an audit said of one of its checks.
#[derive(Debug, Clone, Default)]
struct Answer {
    /// The verdict; none where no query answered.
    outcome: Option<Outcome>,
    /// How long its query took.
    milliseconds: u64,
}

type Counted = (Option<(u64, u64)>, Vec<Answer>);

/// The table's size, and what became of each check.
fn answers(auditing: &Auditing<'_>, session: &mut dyn Session) -> Result<Counted> {
    let (audit, facts) = (auditing.audit, &auditing.facts);
    let mut size = None;
    let mut told: Vec<Answer> = vec![Answer::default(); audit.checks.len()];
    for query in &audit.queries {
        let began = Instant::now();
        let answers = match session.answers(&query.sql) {
            Ok(answers) => answers,
            Err(error) if query.checks.is_empty() || (auditing.cancelled)() => return Err(error),
            Err(error) => {
                let why = said(&error.diagnostic.message, &query.sql, &audit.personal);
                // An engine's transaction may not go on after an error, so nothing else can be asked.
                let named = query.checks.first().map(|place| audit.checks[*place].address.clone());
                return Err(WarehouseError {
                    diagnostic: Diagnostic::error(
                        Code::ExpectationErrored,
                        format!("{} could not be evaluated: {why}", named.unwrap_or_default()),
                    )
                    .help(format!("an expectation that errors is never a pass; its query is\n{}", query.sql)),
                    ..error
                });
            }
        };
        let milliseconds = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        let mut answers = answers.into_iter();
        let mut answer = || answers.next().flatten();
        let count = |answer: Option<String>| answer.and_then(|count| count.parse::<u64>().ok());
        if query.sized {
            size = count(answer()).zip(count(answer()));
        }
        for place in &query.checks {
            let (checked, failing, value) = (count(answer()), count(answer()), answer());
            let check = &audit.checks[*place];
            // Without its counts it was not evaluated, and is no pass.
            let outcome = checked.zip(failing).map(|(checked, failing)| {
                let judge = if check.hidden.observed { judge_hidden } else { judge };
                judge(&check.rule, check.severity, &Observed { checked, failing, value }, facts)
            });
            told[*place] = Answer { outcome, milliseconds };
        }
    }
    // What a query was to count and did not stays without an outcome.
    let asked: BTreeSet<usize> =
        audit.queries.iter().flat_map(|query| query.checks.iter().copied()).collect();
    for (place, (check, answer)) in audit.checks.iter().zip(&mut told).enumerate() {
        if !asked.contains(&place) && matches!(check.rule, Rule::Known { .. }) {
            answer.outcome = Some(judge(&check.rule, check.severity, &Observed::default(), facts));
        }
    }
    Ok((size, told))
}

/// Takes the numbers out of a row of a numbered sample.
fn take_numbers(row: &mut Value) -> Vec<u64> {
    let taken = row.as_object_mut().and_then(|row| row.shift_remove(ROW_NUMBER));
    match taken {
        Some(Value::Array(numbers)) => numbers.iter().filter_map(Value::as_u64).collect(),
        Some(number) => number.as_u64().into_iter().collect(),
        None => Vec::new(),
    }
}

/// Places as people read them: `data/orders.csv:17`.
fn places_text(numbers: &[u64], places: &BTreeMap<u64, Place>) -> String {
    let known = numbers.iter().filter_map(|number| places.get(number));
    known.map(|place| format!("{}:{}", place.file, place.line)).collect::<Vec<_>>().join(", ")
}
