//! Functions and operators against Google's own reference evaluator, over generated inputs.
//!
//! `tests/differential/catalogue.txt` has the functions with the kinds of their arguments, `inputs.py` the values of
//! each kind, and `judge.py` asks the reference evaluator (`ZetaSQL`, as `zetasql` of `PyPI`). Each question is put
//! to the embedded engine too; value, type and whether there is an error must be the same. What differs stands in
//! `differences.txt` with its reason and number. `docs/googlesql.md` is written from the outcome.
//!
//! `UPDATE_GOLDEN=1` writes the numbers of known differences anew, drops those that are gone, adds new ones under a
//! heading that fails the test until somebody explains them, and writes the page.

mod compare;
mod mistakes;
mod page;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};

use pipewright::googlesql::analyze::function_names;
use pipewright::warehouse::QueryError;

use self::compare::{Engine, Line, Tally};
use crate::support::{repository, start_python};

/// The heading of differences that nobody has explained.
const UNEXPLAINED: &str = "not explained yet";

/// So many functions and operators are run and compared at least, each on so many inputs. They only rise.
const FUNCTIONS: usize = 270;
const INPUTS: usize = 50;

/// What a function's templates came to, in the order of the catalogue.
#[derive(Debug, Default)]
pub struct Outcome {
    pub family: String,
    pub function: String,
    /// Whether the engine is known to refuse it.
    pub refused: bool,
    pub templates: Vec<(String, Tally)>,
}

/// A template and the word for how it differs.
type Place = (String, String);

#[test]
fn functions_answer_as_the_reference_does() {
    let outcomes = outcomes();
    let found: BTreeMap<Place, (usize, Vec<String>)> = outcomes
        .iter()
        .flat_map(|outcome| &outcome.templates)
        .flat_map(|(template, tally)| {
            tally.differences.iter().map(|(difference, (count, examples))| {
                ((template.clone(), difference.word().to_owned()), (*count, examples.clone()))
            })
        })
        .collect();
    let file = repository().join("tests/differential/differences.txt");
    let mut known = known(&fs_err::read_to_string(&file).expect("the list of differences"));
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        known = renewed(&known, &found);
        fs_err::write(&file, printed(&known)).expect("the list is written");
    }
    let mut wrong = Vec::new();
    for (reason, places) in &known {
        if reason == UNEXPLAINED {
            wrong.push(format!("{} differences are not explained in {}", places.len(), file.display()));
        }
        for (place, count) in places {
            match found.get(place) {
                None => {
                    wrong.push(format!("{} {}: listed, and it does not occur any more", place.1, place.0));
                }
                Some((now, examples)) if now != count => {
                    wrong.push(format!(
                        "{} {}: {count} are listed, {now} occur\n  {}",
                        place.1,
                        place.0,
                        examples.join("\n  ")
                    ));
                }
                Some(_) => {}
            }
        }
    }
    for (place, (count, examples)) in &found {
        if !known.iter().any(|(_, places)| places.contains_key(place)) {
            wrong.push(format!(
                "{} {}: {count} are not listed\n  {}",
                place.1,
                place.0,
                examples.join("\n  ")
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));

    let compared = outcomes.iter().filter(|outcome| {
        let run = |tally: &Tally| tally.judged() && !tally.refused();
        let inputs = outcome.templates.iter().filter(|(_, tally)| run(tally)).map(|(_, tally)| tally.asked);
        inputs.sum::<usize>() >= INPUTS
    });
    let compared = compared.count();
    assert!(
        compared >= FUNCTIONS,
        "only {compared} functions and operators were run on {INPUTS} inputs or more"
    );

    let page = page::page(&outcomes, &known);
    let file = repository().join("docs/googlesql.md");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs_err::write(&file, &page).expect("the page is written");
    }
    assert_eq!(
        fs_err::read_to_string(&file).expect("the page"),
        page,
        "docs/googlesql.md is not current: UPDATE_GOLDEN=1"
    );
}

/// A function that the checker knows is one that the comparison knows, so that the page is complete.
#[test]
fn every_function_is_in_the_catalogue() {
    let catalogue = include_str!("../../differential/catalogue.txt");
    let listed: Vec<&str> = catalogue
        .lines()
        .filter(|line| !line.starts_with('#') && !line.starts_with('['))
        .map(|line| line.split([':', '@', '#', '!', '~']).next().unwrap_or_default())
        .collect();
    // Words of the subscript operator, which stand in its templates.
    let subscripts = ["OFFSET", "ORDINAL"];
    let missing: Vec<&str> = function_names()
        .into_iter()
        .filter(|name| !listed.contains(name) && !subscripts.contains(name))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}

/// Asks the judge and the engine.
fn outcomes() -> Vec<Outcome> {
    let mut judge = start_python("tests/differential/judge.py");
    let lines = BufReader::new(judge.stdout.take().expect("its output")).lines();
    let engine = Engine::new();
    let mut outcomes: Vec<Outcome> = Vec::new();
    for line in lines {
        let line = line.expect("text");
        let line: Line = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{line}: {error}"));
        let (Some(family), Some(function)) = (&line.family, &line.function) else {
            engine.create(line.table.as_deref().expect("a table"), &line.sql);
            continue;
        };
        let index =
            outcomes.iter().position(|outcome| outcome.function == *function && outcome.family == *family);
        let index = index.unwrap_or_else(|| {
            outcomes.push(Outcome {
                family: family.clone(),
                function: function.clone(),
                ..Outcome::default()
            });
            outcomes.len() - 1
        });
        let outcome = &mut outcomes[index];
        if line.refused {
            outcome.refused = true;
            assert_refused(&engine, function);
            continue;
        }
        let template = line.template.clone().expect("a template");
        if outcome.templates.last().is_none_or(|(last, _)| *last != template) {
            outcome.templates.push((template, Tally::default()));
        }
        engine.put(&line, &mut outcome.templates.last_mut().expect("a template").1);
    }
    assert!(judge.wait().expect("the judge ends").success(), "the judge failed");
    outcomes
}

/// What the engine does not run is said at its place, never passed through.
fn assert_refused(engine: &Engine, function: &str) {
    match engine.run(&format!("SELECT {function}('x')")) {
        // The analyzer may find something else wrong with the question before the translator refuses the function.
        Err(QueryError::Faults(_)) => {}
        other => panic!("{function} is not refused: {other:?}"),
    }
}

type Known = Vec<(String, BTreeMap<Place, usize>)>;

/// Reads `= reason` and, below it, `kind number | template`.
fn known(text: &str) -> Known {
    let mut known: Known = Vec::new();
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        if let Some(reason) = line.strip_prefix("= ") {
            known.push((reason.to_owned(), BTreeMap::new()));
            continue;
        }
        let (head, template) = line.split_once(" | ").expect(line);
        let (kind, count) = head.split_once(' ').expect(line);
        let places = &mut known.last_mut().expect("a reason").1;
        let before = places.insert((template.to_owned(), kind.to_owned()), count.parse().expect(line));
        assert!(before.is_none(), "twice: {line}");
    }
    known
}

/// The list brought to what is found, with the reasons that it has.
fn renewed(known: &Known, found: &BTreeMap<Place, (usize, Vec<String>)>) -> Known {
    let mut renewed: Known = Vec::new();
    for (reason, places) in known.iter().filter(|(reason, _)| reason != UNEXPLAINED) {
        let now: BTreeMap<Place, usize> = places
            .keys()
            .filter_map(|place| found.get(place).map(|(count, _)| (place.clone(), *count)))
            .collect();
        if !now.is_empty() {
            renewed.push((reason.clone(), now));
        }
    }
    let rest: BTreeMap<Place, usize> = found
        .iter()
        .filter(|(place, _)| !renewed.iter().any(|(_, places)| places.contains_key(*place)))
        .map(|(place, (count, _))| (place.clone(), *count))
        .collect();
    if !rest.is_empty() {
        renewed.push((UNEXPLAINED.to_owned(), rest));
    }
    renewed
}

fn printed(known: &Known) -> String {
    let mut text = String::from(
        "# Where the embedded engine differs from the reference evaluator, and why. Below each reason: how it differs, how\n\
         # many of the inputs do, and the template of the catalogue.\n\
         #\n\
         # refused: said at its line, never run. raises: an error where the reference has a value. gives: a value where the\n\
         # reference raises. value, type: another one. broken: the engine does not understand the translation.\n\
         # unjudged: the reference evaluator lacks it.\n",
    );
    for (reason, places) in known {
        text.push_str(&format!("\n= {reason}\n"));
        for ((template, kind), count) in places {
            text.push_str(&format!("{kind} {count} | {template}\n"));
        }
    }
    text
}
