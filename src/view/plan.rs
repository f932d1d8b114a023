//! A plan as people read it.

use std::time::Duration;

use console::style;

use super::{Align, Table, bytes, count, plural};
use crate::manifest::types::{DurationText, Materialization};
use crate::plan::{Accuracy, Action, Bill, Change, Cost, DatasetChange, Plan, Reason, Step, price};

/// The plan: drift first, then each step with symbol and reason, then one line that sums it up.
pub fn plan_text(plan: &Plan) -> String {
    let mut out = String::new();
    if !plan.drift.is_empty() {
        out.push_str("Changed outside of Pipewright since the last run:\n");
        let mut table = Table::new(&[Align::Left, Align::Left]).indent(2);
        for drift in &plan.drift {
            table.row([format!("{} {}", style("!").yellow(), drift.relation), drift.what.clone()]);
        }
        out.push_str(&format!("{table}\n"));
    }
    let left = [Align::Left; 4];
    let right: &[Align] = if plan.cost.is_some() { &[Align::Right; 3] } else { &[Align::Right; 2] };
    let mut table = Table::new(&[&left, right].concat()).indent(2);
    let wide = |mut row: Vec<String>| {
        row.resize(left.len() + right.len(), String::new());
        row
    };
    for change in &plan.dataset_changes {
        table.cells(wide(vec![
            sign(change.is_new),
            format!("dataset {}", change.dataset),
            "dataset".to_owned(),
            if change.is_new { "new" } else { "settings changed" }.to_owned(),
        ]));
    }
    for step in &plan.steps {
        let reasons = step.reasons.iter().map(|reason| reason.words()).collect::<Vec<_>>().join(", ");
        let mut row = vec![
            symbol(step),
            step.address.to_string(),
            verb(&step.action).to_owned(),
            reasons,
            step.estimate.rows.map(|rows| format!("~{} rows", count(rows))).unwrap_or_default(),
        ];
        match step.estimate.cost {
            // Loading is not billed, and what it reads is known: its files.
            Some(cost) if matches!(step.action, Action::Load(_)) => {
                let [_, price] = cost_cells(&cost);
                row.extend([step.estimate.bytes.map(bytes).unwrap_or_default(), price]);
            }
            Some(cost) => row.extend(cost_cells(&cost)),
            None => row.push(step.estimate.bytes.map(bytes).unwrap_or_default()),
        }
        table.cells(row);
    }
    for orphan in &plan.orphans {
        table.cells(wide(vec![
            style("-").red().to_string(),
            orphan.address.to_string(),
            "keep".to_owned(),
            "no longer in the manifest; `--prune` drops it".to_owned(),
        ]));
    }
    let lines = table.lines();
    let (of_datasets, lines) = lines.split_at(plan.dataset_changes.len());
    for (change, line) in plan.dataset_changes.iter().zip(of_datasets) {
        out.push_str(line);
        out.push('\n');
        settings(change, &mut out);
    }
    for (step, line) in plan.steps.iter().zip(lines) {
        out.push_str(line);
        out.push('\n');
        details(step, &mut out);
    }
    for line in &lines[plan.steps.len()..] {
        out.push_str(line);
        out.push('\n');
    }
    if !plan.unchanged.is_empty() {
        out.push_str(&format!("  = {} unchanged\n", count(plan.unchanged.len() as u64)));
    }
    if !plan.left_out.is_empty() {
        let names = shortened(plan.left_out.iter().map(ToString::to_string), 8);
        out.push_str(&format!(
            "  . {} changed, but not selected: {names}\n",
            count(plan.left_out.len() as u64)
        ));
    }
    if !plan.datasets_left_out.is_empty() {
        let (datasets, named) = (plan.datasets_left_out.len(), plan.datasets_left_out.iter().cloned());
        out.push_str(&format!(
            "  . {} not as declared, and nothing in {} selected: {}\n",
            plural(datasets, "dataset is", "datasets are"),
            if datasets == 1 { "it was" } else { "them was" },
            shortened(named, 8)
        ));
    }
    if let Some(first) = plan.deferred.first() {
        let names = shortened(plan.deferred.iter().map(|read| read.address.to_string()), 8);
        out.push_str(&format!(
            "  < {} read from `{}`: {names}\n",
            count(plan.deferred.len() as u64),
            first.target
        ));
    }
    if !out.is_empty() {
        out.push('\n');
    }
    out.push_str(&summary(plan));
    out.push('\n');
    if let Some(bill) = &plan.cost {
        out.push_str(&bill_line(bill));
    }
    out
}

/// `Cost: at most 2.1 GB billed for queries, $0.0119; about 52.4 MB for Pipewright's own bookkeeping, $0.0003; at $6.25 a TiB.`
fn bill_line(bill: &Bill) -> String {
    let Bill { queries, bookkeeping, price_per_tib } = bill;
    let of_queries = if queries.billed == 0 {
        match queries.accuracy {
            Accuracy::Exact | Accuracy::UpperBound => "nothing billed for queries".to_owned(),
            Accuracy::LowerBound | Accuracy::Unknown => {
                "not known yet for queries, which read what this plan makes or changes".to_owned()
            }
        }
    } else {
        let (words, billed) = (queries.accuracy.words(), bytes(queries.billed));
        format!("{words}{billed} billed for queries, {}", dollars(queries.price))
    };
    let of_own = dollars(price(*bookkeeping, *price_per_tib));
    format!(
        "Cost: {of_queries}; about {} for Pipewright's own bookkeeping, {of_own}; at {} a TiB.\n",
        bytes(*bookkeeping),
        dollars(*price_per_tib)
    )
}

/// Bytes that are read and what is paid for them; nothing for what reads nothing.
fn cost_cells(cost: &Cost) -> [String; 2] {
    if cost.bytes == 0 {
        return match cost.accuracy {
            Accuracy::Exact | Accuracy::UpperBound => [String::new(), String::new()],
            // A nought that may become anything says nothing.
            Accuracy::LowerBound | Accuracy::Unknown => ["not known yet".to_owned(), String::new()],
        };
    }
    let sign = cost.accuracy.sign();
    let price = dollars(cost.price);
    let of_price = if price.starts_with('<') { "" } else { sign };
    [format!("{sign}{}", bytes(cost.bytes)), format!("{of_price}{price}")]
}

/// An amount of money with its two first digits at least.
fn dollars(amount: f64) -> String {
    match amount {
        0.0 => "$0".to_owned(),
        0.0..0.0001 => "< $0.0001".to_owned(),
        0.0..1.0 => format!("${amount:.4}"),
        _ => format!("${amount:.2}"),
    }
}

/// `Plan: 3 to create, 2 to change, 1 to drop, 12 unchanged; about 120 MB to read.`
fn summary(plan: &Plan) -> String {
    if plan.is_empty() && !(plan.left_out.is_empty() && plan.datasets_left_out.is_empty()) {
        return "Nothing to do for what was selected.".to_owned();
    }
    if plan.is_empty() {
        return match plan.orphans.len() {
            0 => "Nothing to do: the target is as the manifest says.".to_owned(),
            orphans => format!(
                "Nothing to do, but {} left from an earlier manifest.",
                plural(orphans, "object is", "objects are")
            ),
        };
    }
    let new = plan.steps.iter().filter(|step| step.reasons.contains(&Reason::New)).count();
    let drops = plan.drops().count();
    let light = |step: &&Step| matches!(step.action, Action::Check { .. } | Action::Describe { .. });
    let light = plan.steps.iter().filter(light).count();
    let changes = plan.steps.len() - new - drops - light;
    let mut parts = Vec::new();
    let made = plan.dataset_changes.iter().filter(|change| change.is_new).count();
    for (datasets, what) in [(made, "to make"), (plan.dataset_changes.len() - made, "to change")] {
        if datasets > 0 {
            parts.push(format!("{} {what}", plural(datasets, "dataset", "datasets")));
        }
    }
    parts.extend([format!("{new} to create"), format!("{changes} to rebuild")]);
    if light > 0 {
        parts.push(format!("{light} to check or describe"));
    }
    parts.push(format!("{drops} to drop"));
    parts.push(format!("{} unchanged", plan.unchanged.len()));
    let known: Vec<u64> = plan.steps.iter().filter_map(|step| step.estimate.bytes).collect();
    let reading = match known.len() {
        // What is read is told with its cost.
        _ if plan.cost.is_some() => String::new(),
        0 => String::new(),
        some if some == plan.steps.len() => format!("; {} to read", bytes(known.iter().sum())),
        _ => format!("; at least {} to read", bytes(known.iter().sum())),
    };
    format!("Plan: {}{reading}.", parts.join(", "))
}

fn symbol(step: &Step) -> String {
    match &step.action {
        Action::Drop { .. } => style("-").red().to_string(),
        _ => sign(step.reasons.contains(&Reason::New)),
    }
}

fn sign(is_new: bool) -> String {
    if is_new { style("+").green().to_string() } else { style("~").yellow().to_string() }
}

/// What of a dataset becomes different, a line for each setting.
fn settings(change: &DatasetChange, out: &mut String) {
    let mut line = |before: Option<String>, what: &str, after: &str| {
        let from = before.as_ref().map(|before| format!("{before} -> ")).unwrap_or_default();
        out.push_str(&format!("      {} {what} {from}{after}\n", sign(before.is_none())));
    };
    if let Some(Change { before, after }) = &change.description {
        line(before.as_deref().map(quoted), "description", &quoted(after));
    }
    for (label, Change { before, after }) in &change.labels {
        line(before.as_deref().map(quoted), &format!("label {label}"), &quoted(after));
    }
    if let Some(Change { before, after }) = &change.default_table_expiration_ms {
        let time = |milliseconds| DurationText(Duration::from_millis(milliseconds)).to_string();
        line(before.map(time), "default_table_expiration", &time(*after));
    }
    for grant in &change.grants {
        line(None, "grant", &format!("{} to {}", grant.role.word(), grant.member));
    }
}

/// A text on one line.
fn quoted(text: &str) -> String {
    serde_json::json!(text).to_string()
}

fn verb(action: &Action) -> &'static str {
    match action {
        Action::Load(_) => "load",
        Action::Build(build) => match build.materialization {
            Materialization::View => "view",
            Materialization::Table => "table",
        },
        Action::Merge(merge) => merge.strategy.verb(),
        Action::Check { .. } => "check",
        Action::Describe { .. } => "describe",
        Action::Drop { .. } => "drop",
    }
}

fn details(step: &Step, out: &mut String) {
    for warning in &step.warnings {
        out.push_str(&format!("      {} {warning}\n", style("!").yellow()));
    }
    if let Some(replaced) = replaced(step) {
        out.push_str(&format!("      {} {replaced}\n", style("!").yellow()));
    }
    for column in &step.columns.added {
        out.push_str(&format!("      {} column {} {}\n", style("+").green(), column.name, column.data_type));
    }
    for column in &step.columns.removed {
        out.push_str(&format!("      {} column {} {}\n", style("-").red(), column.name, column.data_type));
    }
    for (before, after) in &step.columns.retyped {
        out.push_str(&format!(
            "      {} column {} {} -> {}\n",
            style("~").yellow(),
            before.name,
            before.data_type,
            after.data_type
        ));
    }
    if !step.columns.is_empty() && !step.touches.is_empty() {
        out.push_str(&format!("      read by {}\n", shortened(step.touches.iter().cloned(), 6)));
    }
}

/// That something is not changed where it is, but another thing takes its place.
fn replaced(step: &Step) -> Option<String> {
    let publish = step.action.publish()?;
    let made = match &step.action {
        Action::Build(build) => build.materialization,
        _ => Materialization::Table,
    };
    let noun = |kind: Materialization| kind.keyword().to_lowercase();
    match publish.replaces {
        Some(there) if there != made => {
            Some(format!("the {} that is there is dropped: a {} takes its place", noun(there), noun(made)))
        }
        _ if publish.relaid.is_empty() => None,
        _ => {
            let keeps = if matches!(step.action, Action::Merge(_)) { ", and keeps its rows" } else { "" };
            Some(format!("{} changed: the {} is replaced{keeps}", publish.relaid.join(" and "), noun(made)))
        }
    }
}

fn shortened(names: impl ExactSizeIterator<Item = String>, most: usize) -> String {
    let all = names.len();
    let mut shown: Vec<String> = names.take(most).collect();
    if all > most {
        shown.push(format!("{} more", all - most));
    }
    shown.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    const GIB: u64 = 1 << 30;

    fn cost(bytes: u64, accuracy: Accuracy) -> Cost {
        Cost::of_query(bytes, 1, accuracy, 6.25)
    }

    #[test]
    fn each_label_is_told_by_a_sign_in_its_row_and_in_words_below() {
        for (accuracy, sign, words) in [
            (Accuracy::Exact, "", ""),
            (Accuracy::UpperBound, "≤ ", "at most "),
            (Accuracy::LowerBound, "≥ ", "at least "),
            (Accuracy::Unknown, "~ ", "about "),
        ] {
            let queries = cost(512 * GIB, accuracy);
            assert_eq!(cost_cells(&queries), [format!("{sign}549.8 GB"), format!("{sign}$3.12")]);
            let line = bill_line(&Bill { queries, bookkeeping: 90 << 20, price_per_tib: 6.25 });
            assert_eq!(
                line,
                format!(
                    "Cost: {words}549.8 GB billed for queries, $3.12; about 94.4 MB for Pipewright's own bookkeeping, \
                     $0.0005; at $6.25 a TiB.\n"
                )
            );
        }
        // What is less than a price can be told has no bound to it.
        assert_eq!(cost_cells(&cost(1, Accuracy::UpperBound)), ["≤ 1 B", "< $0.0001"]);
    }

    #[test]
    fn a_nought_is_told_only_where_it_is_one() {
        for (accuracy, cell, words) in [
            (Accuracy::Exact, "", "nothing billed for queries"),
            (Accuracy::UpperBound, "", "nothing billed for queries"),
            (
                Accuracy::LowerBound,
                "not known yet",
                "not known yet for queries, which read what this plan makes or changes",
            ),
            (
                Accuracy::Unknown,
                "not known yet",
                "not known yet for queries, which read what this plan makes or changes",
            ),
        ] {
            let queries = cost(0, accuracy);
            assert_eq!(cost_cells(&queries), [cell, ""]);
            let line = bill_line(&Bill { queries, bookkeeping: 0, price_per_tib: 0.0 });
            assert_eq!(
                line,
                format!("Cost: {words}; about 0 B for Pipewright's own bookkeeping, $0; at $0 a TiB.\n")
            );
        }
    }
}
