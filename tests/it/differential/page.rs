//! The page that says which functions run locally and how.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::{Known, Outcome};

const HEAD: &str = "\
# GoogleSQL on the embedded engine

Models are written in BigQuery's SQL and run on DuckDB without change. This page is written by a test, which puts every function
and operator to Google's reference evaluator (ZetaSQL) and to the embedded engine, over generated inputs: edges of each
type, leap days, ISO weeks, NULL, NaN, empty and non-Latin text. Value, type and error must be the same.

*Same* means: for all inputs. Everything else is listed with its reason. What is *refused* is said when the manifest is checked, at its
line, and never run. A function that is missing here is refused too.

";

/// The page's text.
pub fn page(outcomes: &[Outcome], known: &Known) -> String {
    let inputs: usize =
        outcomes.iter().flat_map(|outcome| &outcome.templates).map(|(_, tally)| tally.asked).sum();
    let compared = outcomes.iter().filter(|outcome| !outcome.templates.is_empty()).count();
    let same = outcomes
        .iter()
        .filter(|outcome| {
            !outcome.templates.is_empty()
                && outcome.templates.iter().all(|(_, tally)| tally.differences.is_empty())
        })
        .count();
    let mut page = String::from(HEAD);
    let _ = writeln!(
        page,
        "{compared} functions and operators, {inputs} inputs; {same} are the same throughout."
    );
    let mut family = "";
    for outcome in outcomes {
        if outcome.family != family {
            family = &outcome.family;
            let _ = write!(page, "\n## {family}\n\n| Function | Inputs | Answer |\n|---|--:|---|\n");
        }
        let inputs: usize = outcome.templates.iter().map(|(_, tally)| tally.asked).sum();
        let inputs = if inputs == 0 { String::new() } else { inputs.to_string() };
        let _ = writeln!(
            page,
            "| `{}` | {inputs} | {} |",
            escaped(&outcome.function),
            escaped(&answer(outcome, known))
        );
    }
    page
}

fn escaped(text: &str) -> String {
    text.replace('|', "\\|")
}

fn answer(outcome: &Outcome, known: &Known) -> String {
    if outcome.refused {
        return "refused".to_owned();
    }
    let differing = outcome.templates.iter().filter(|(_, tally)| !tally.differences.is_empty()).count();
    if differing == 0 {
        return "same".to_owned();
    }
    let mut reasons = BTreeSet::new();
    for (template, tally) in &outcome.templates {
        for difference in tally.differences.keys() {
            let place = (template.clone(), difference.word().to_owned());
            let reason = known.iter().find(|(_, places)| places.contains_key(&place));
            reasons.insert(reason.map_or("not explained", |(reason, _)| reason.as_str()));
        }
    }
    let reasons = reasons.into_iter().collect::<Vec<_>>().join("; ");
    if outcome.templates.iter().all(|(_, tally)| tally.refused()) {
        return format!("refused: {reasons}");
    }
    if outcome.templates.iter().all(|(_, tally)| !tally.judged()) {
        return format!("not compared: {reasons}");
    }
    format!("same, except: {reasons}")
}
