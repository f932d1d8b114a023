//! What a plan costs, asked of the target without running anything.
//!
//! ```text
//! Plan --questions--> queries --dry runs--> answers --appraise--> Plan with costs and warnings, or faults
//! ```
//! A query can be asked about only when all that it reads is there. For what this plan will build first, rows of the
//! columns that it will have stand in; for what it changes, the table as it is now, with the columns that it will have. The
//! answer is labelled so.

use std::collections::BTreeMap;

use super::cost::{Accuracy, Bill, Cost, bookkeeping};
use super::{Action, ColumnChanges, LoadAction, Plan, Reason, Step};
use crate::compile::{CompiledProject, Whole};
use crate::diag::{Code, Diagnostic, Diagnostics};
use crate::expectations::Audit;
use crate::googlesql::names::Ident;
use crate::googlesql::substitute::{Instead, Substituted, same_place, substitute};
use crate::googlesql::{Column, Type};
use crate::manifest::types::{Materialization, Strategy};
use crate::project::{Address, Node};
use crate::state::Snapshot;

/// A query of a plan to be asked about.
#[derive(Debug, Clone)]
pub struct Question {
    /// The place of its step in the plan.
    step: usize,
    part: Part,
    /// The query, or nothing where no stand-in fits it.
    substituted: Option<Substituted>,
    /// How near an answer can be.
    nearest: Accuracy,
}

impl Question {
    /// The query to ask about; nothing where nothing can be learnt.
    pub fn sql(&self) -> Option<&str> {
        self.substituted.as_ref().map(|done| done.sql.as_str())
    }
}

/// What a query is to its step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    /// The query of a view: it reads nothing when the view is made.
    View,
    /// The query of the rows.
    Rows {
        /// Whether it is that of new rows alone.
        increment: bool,
    },
    /// The table that new rows are brought into, where all of it is read.
    Merge,
    /// A query about what was built.
    Audit,
}

/// What the target says of a query.
pub type Answer = Result<Scanned, Refusal>;

/// What a query would read and give.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scanned {
    /// Bytes.
    pub bytes: u64,
    /// Tables that it reads.
    pub tables: u64,
    /// How near the bytes are.
    pub accuracy: Accuracy,
    /// The columns that it gives.
    pub columns: Vec<Column>,
}

/// Why a query would not run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// In the target's words.
    pub message: String,
    /// Line and column of the query, from 1.
    pub place: Option<(u64, u64)>,
    /// What to do about it, where that is known.
    pub help: Option<String>,
}

/// The queries of a plan.
pub fn questions(plan: &Plan, compiled: &CompiledProject, snapshot: &Snapshot) -> Vec<Question> {
    let stand_ins = StandIns::new(plan, compiled, snapshot);
    let mut questions = Vec::new();
    for (step, planned) in plan.steps.iter().enumerate() {
        let Some(node) = compiled.node(&planned.address) else { continue };
        // Which partitions new rows are in, nobody knows yet.
        let parted = compiled.increment(node).is_some_and(|(_, increment)| !increment.reads_whole_table);
        let is_relaid = planned.action.publish().is_some_and(|publish| !publish.relaid.is_empty());
        let mut ask = |part: Part, sql: &str| {
            let (substituted, nearest) = match part {
                Part::Merge if parted && !is_relaid => (None, Accuracy::LowerBound),
                _ => stand_ins.fit(node, sql),
            };
            questions.push(Question { step, part, substituted, nearest });
        };
        let audited = match &planned.action {
            Action::Build(build) => {
                // A materialized view is filled when it is made.
                let part = match build.materialization {
                    Materialization::View if !build.publish.record.layout.materialized_view => Part::View,
                    _ => Part::Rows { increment: false },
                };
                ask(part, &build.native);
                build.proof.iter().for_each(|proof| ask(Part::Audit, proof));
                Some(&build.publish.audit)
            }
            Action::Merge(merge) => {
                ask(Part::Rows { increment: true }, &merge.native);
                merge.proof.iter().for_each(|proof| ask(Part::Audit, proof));
                for query in &merge.audit_of_new.queries {
                    ask(Part::Audit, &query.sql);
                }
                // Statements that change rows are not asked about: not every server that is told to look at one does no
                // more than that. What they read is the table.
                if merge.strategy != Strategy::Append || is_relaid {
                    let table = compiled.naming.relation(&node.dataset, node.table());
                    ask(Part::Merge, &stand_ins.whole.within(format!("SELECT * FROM {table}")));
                }
                Some(&merge.publish.audit)
            }
            Action::Load(load) => Some(&load.publish.audit),
            Action::Check { audit, .. } => Some(audit),
            Action::Describe { .. } | Action::Drop { .. } => None,
        };
        for query in audited.iter().flat_map(|audit: &&Audit| &audit.queries) {
            ask(Part::Audit, &query.sql);
        }
    }
    questions
}

/// What stands in for tables that are not there, or not as they will be.
struct StandIns<'a> {
    compiled: &'a CompiledProject,
    snapshot: &'a Snapshot,
    /// Nodes by the path of their tables in SQL.
    nodes: BTreeMap<String, &'a Node>,
    /// Steps that change rows.
    steps: BTreeMap<&'a Address, &'a Step>,
    whole: Whole,
}

impl<'a> StandIns<'a> {
    fn new(plan: &'a Plan, compiled: &'a CompiledProject, snapshot: &'a Snapshot) -> Self {
        let nodes = compiled.project.nodes.values();
        let changes =
            |step: &&Step| matches!(step.action, Action::Build(_) | Action::Merge(_) | Action::Load(_));
        Self {
            compiled,
            snapshot,
            nodes: nodes.map(|node| (compiled.naming.path(&node.dataset, node.table()), node)).collect(),
            steps: plan.steps.iter().filter(changes).map(|step| (&step.address, step)).collect(),
            whole: compiled.whole(),
        }
    }

    /// A query of a node's step as it can be asked about now, and how near the answer will be.
    fn fit(&self, about: &Node, sql: &str) -> (Option<Substituted>, Accuracy) {
        let naming = &self.compiled.naming;
        let build = naming.path(&about.dataset, &about.build_name());
        let merged = naming.path(&about.dataset, &naming.merged(about));
        let nearest = std::cell::Cell::new(Accuracy::Exact);
        let unfit = std::cell::Cell::new(false);
        let further = |accuracy: Accuracy| nearest.set(nearest.get().and(accuracy));
        let rows = |node: &Node| {
            further(Accuracy::LowerBound);
            let columns = self.compiled.nodes.get(node.table()).map(|node| node.columns.as_slice());
            let rows = rows_of(columns.unwrap_or_default());
            unfit.set(unfit.get() || rows.is_none());
            rows.map(Instead::Rows)
        };
        let published = |node: &Node| naming.path(&node.dataset, node.table());
        // The rows that are there, with the columns that there will be: what they cost is near what it will be.
        let widened = |node: &Node| {
            let changes = &self.steps.get(&node.address).filter(|step| !is_foreign(step))?.columns;
            let path = published(node);
            let there = self
                .whole
                .query(&path)
                .map_or_else(|| Ident(&path).to_string(), |query| format!("({query})"));
            let query = with_columns(&there, changes, &self.snapshot.objects.get(&node.relation())?.columns)?;
            further(Accuracy::Unknown);
            Some(Instead::Rows(query))
        };
        let done = substitute(sql, &|path| {
            if path == build || path == merged {
                // The table as the last run left it, where there is one.
                return if !self.is_there(about) {
                    rows(about)
                } else if self.changes_columns(about) {
                    widened(about).or_else(|| rows(about))
                } else {
                    further(Accuracy::Unknown);
                    let published = published(about);
                    // What is built aside may be read without naming partitions, and what is published may not.
                    Some(match self.whole.query(&published) {
                        Some(query) => Instead::Rows(query.to_owned()),
                        None => Instead::Table(published),
                    })
                };
            }
            let node = *self.nodes.get(path)?;
            if node.address == about.address {
                return None;
            }
            if !self.is_there(node) {
                return rows(node);
            }
            if self.changes_columns(node) {
                return widened(node).or_else(|| rows(node));
            }
            if self.steps.contains_key(&node.address) {
                further(Accuracy::Unknown);
            }
            None
        });
        let fits = !done.misfit && !unfit.get();
        (fits.then_some(done), nearest.get())
    }

    fn is_there(&self, node: &Node) -> bool {
        self.snapshot.objects.contains_key(&node.relation())
    }

    fn changes_columns(&self, node: &Node) -> bool {
        self.steps.get(&node.address).is_some_and(|step| !step.columns.is_empty() || is_foreign(step))
    }
}

/// What somebody else has changed may have any columns.
fn is_foreign(step: &Step) -> bool {
    step.reasons.iter().any(|reason| matches!(reason, Reason::Drifted | Reason::Forgotten | Reason::New))
}

/// A query of the rows of a table as they would be with other columns, without values in those; nothing where none of those
/// that are there stays.
fn with_columns(table: &str, changes: &ColumnChanges, there: &[(String, String)]) -> Option<String> {
    let gone: Vec<&Column> =
        changes.removed.iter().chain(changes.retyped.iter().map(|(old, _)| old)).collect();
    if there.iter().all(|(name, _)| gone.iter().any(|column| column.name.eq_ignore_ascii_case(name))) {
        return None;
    }
    let except: Vec<String> = gone.iter().map(|column| Ident(&column.name).to_string()).collect();
    let except = if except.is_empty() { String::new() } else { format!(" EXCEPT ({})", except.join(", ")) };
    let new = changes.added.iter().chain(changes.retyped.iter().map(|(_, new)| new));
    let new = new.map(without_value).collect::<Option<Vec<String>>>()?;
    let columns = [vec![format!("*{except}")], new].concat().join(", ");
    Some(format!("SELECT {columns} FROM {table}"))
}

/// A column that has no value; nothing for a type that is not known here.
fn without_value(column: &Column) -> Option<String> {
    let known = Type::parse(&column.data_type.to_string())?;
    Some(format!("CAST(NULL AS {known}) AS {}", Ident(&column.name)))
}

/// A query of one row with some columns, which reads nothing.
fn rows_of(columns: &[Column]) -> Option<String> {
    let columns: Vec<String> = columns.iter().map(without_value).collect::<Option<_>>()?;
    (!columns.is_empty()).then(|| format!("SELECT {}", columns.join(", ")))
}

/// Writes into a plan what was answered, each answer to the question of its place: those without a query have none.
///
/// # Errors
/// Queries that the target refuses, at their places in the models' own files.
pub fn appraise(
    plan: &mut Plan,
    compiled: &CompiledProject,
    per_tebibyte: f64,
    answers: &[(Question, Option<Answer>)],
) -> Result<(), Diagnostics> {
    let mut faults = Diagnostics::new();
    let mut costs: BTreeMap<usize, Cost> = BTreeMap::new();
    for (question, answer) in answers {
        let Some(step) = plan.steps.get_mut(question.step) else { continue };
        let cost = match answer {
            None => Cost { accuracy: Accuracy::LowerBound, ..Cost::default() },
            Some(Ok(scanned)) => {
                if let Part::View | Part::Rows { .. } = question.part {
                    step.warnings.extend(other_columns(compiled, &step.address, &scanned.columns));
                }
                let accuracy = scanned.accuracy.and(question.nearest);
                let bytes = if question.part == Part::View { 0 } else { scanned.bytes };
                let accuracy = match question.part {
                    Part::View => Accuracy::Exact,
                    // The new rows, which nobody has counted yet, are read beside it.
                    Part::Merge => Accuracy::Unknown,
                    Part::Rows { .. } | Part::Audit => accuracy,
                };
                Cost::of_query(bytes, scanned.tables, accuracy, per_tebibyte)
            }
            Some(Err(refusal)) => {
                match question.part {
                    Part::View => faults.push(refused(compiled, question, step, false, refusal)),
                    Part::Rows { increment } => {
                        faults.push(refused(compiled, question, step, increment, refusal));
                    }
                    // They are written by Pipewright, about tables that may be stood in for: whether they run shows
                    // when they do.
                    Part::Merge | Part::Audit => {
                        let message = &refusal.message;
                        step.warnings
                            .push(format!("what it costs beside its query cannot be told: {message}"));
                    }
                }
                Cost { accuracy: Accuracy::LowerBound, ..Cost::default() }
            }
        };
        costs.entry(question.step).and_modify(|sum| *sum = sum.and(cost)).or_insert(cost);
    }
    let mut queries = Cost::default();
    for (index, step) in plan.steps.iter_mut().enumerate() {
        let mut cost = costs.remove(&index).unwrap_or_default();
        if let Action::Load(load) = &step.action {
            cost = cost.and(look_over(load, per_tebibyte));
        }
        step.estimate.cost = Some(cost);
        step.warnings.dedup();
        queries = queries.and(cost);
    }
    let forgets_runs = compiled.project.keep_history.is_some();
    let bookkeeping = bookkeeping(plan, forgets_runs);
    plan.cost = Some(Bill { queries, bookkeeping, price_per_tib: per_tebibyte });
    faults.into_result(())
}

/// What is read to look over files that the target has loaded by itself: their texts, and what must have a value. Nobody
/// knows yet how much of the files that is, nor whether there is anything to be read here instead.
fn look_over(load: &LoadAction, per_tebibyte: f64) -> Cost {
    let looked_at = |(column, required): &(Column, bool)| {
        *required || matches!(column.data_type, Type::String | Type::Json)
    };
    if !load.reading.is_elsewhere() || !load.reading.columns.iter().any(looked_at) {
        return Cost::default();
    }
    let bytes = load.reading.files.iter().map(|file| file.bytes).sum();
    Cost::of_query(bytes, 1, Accuracy::Unknown, per_tebibyte)
}

/// Where the target gives a query other columns than are planned with.
fn other_columns(compiled: &CompiledProject, address: &Address, given: &[Column]) -> Option<String> {
    let planned = compiled.nodes.get(&address.name)?.columns.as_slice();
    let same = |one: &Column, other: &Column| {
        one.name.eq_ignore_ascii_case(&other.name)
            && (one.data_type == other.data_type
                || one.data_type == Type::Unknown
                || other.data_type == Type::Unknown)
    };
    if given.is_empty()
        || given.len() == planned.len() && given.iter().zip(planned).all(|(one, other)| same(one, other))
    {
        return None;
    }
    let told = |column: &Column| format!("`{}` {}", column.name, column.data_type);
    let differing = match given.iter().zip(planned).find(|(one, other)| !same(one, other)) {
        Some((one, other)) => format!("{} where {} is planned", told(one), told(other)),
        None => format!("{} columns where {} are planned", given.len(), planned.len()),
    };
    Some(format!("the target gives it {differing}"))
}

/// The query of a step.
fn native(step: &Step) -> Option<&str> {
    match &step.action {
        Action::Build(build) => Some(&build.native),
        Action::Merge(merge) => Some(&merge.native),
        _ => None,
    }
}

fn refused(
    compiled: &CompiledProject,
    question: &Question,
    step: &Step,
    increment: bool,
    refusal: &Refusal,
) -> Diagnostic {
    let address = &step.address;
    let place = refusal.place.zip(question.substituted.as_ref());
    let place = place.map(|((line, column), done)| done.original(line, column));
    // Tables that are read from another target have other names in the step than in the query.
    let place = match (place, native(step), compiled.native(address, increment)) {
        (Some(place), Some(asked), Some(own)) => Some(same_place(asked, own, place)),
        _ => place,
    };
    let span = compiled.place_in_query(address, increment, place);
    let help = match &refusal.help {
        Some(help) => format!("{help}; nothing has run"),
        None => "nothing has run; what BigQuery calls wrong here would have failed in `apply`".to_owned(),
    };
    Diagnostic::error(Code::QueryRefused, refusal.message.clone())
        .maybe_at(span, "BigQuery refuses this")
        .about(address.to_string())
        .help(help)
}

#[cfg(test)]
mod tests;
