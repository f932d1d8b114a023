//! A plan as people read it.

use console::style;

use super::{Align, Table, bytes, count, plural};
use crate::manifest::types::Materialization;
use crate::plan::{Action, Plan, Reason, Step};

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
    let mut table =
        Table::new(&[Align::Left, Align::Left, Align::Left, Align::Left, Align::Right, Align::Right])
            .indent(2);
    for step in &plan.steps {
        let reasons = step.reasons.iter().map(|reason| reason.words()).collect::<Vec<_>>().join(", ");
        table.row([
            symbol(step),
            step.address.to_string(),
            verb(&step.action).to_owned(),
            reasons,
            step.estimate.rows.map(|rows| format!("~{} rows", count(rows))).unwrap_or_default(),
            step.estimate.bytes.map(bytes).unwrap_or_default(),
        ]);
    }
    for orphan in &plan.orphans {
        table.row([
            style("-").red().to_string(),
            orphan.address.to_string(),
            "keep".to_owned(),
            "no longer in the manifest; `--prune` drops it".to_owned(),
            String::new(),
            String::new(),
        ]);
    }
    let lines = table.lines();
    for (step, line) in plan.steps.iter().zip(&lines) {
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
    if !out.is_empty() {
        out.push('\n');
    }
    out.push_str(&summary(plan));
    out.push('\n');
    out
}

/// `Plan: 3 to create, 2 to change, 1 to drop, 12 unchanged; about 120 MB to read.`
fn summary(plan: &Plan) -> String {
    if plan.is_empty() && !plan.left_out.is_empty() {
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
    let mut parts = vec![format!("{new} to create"), format!("{changes} to rebuild")];
    if light > 0 {
        parts.push(format!("{light} to check or describe"));
    }
    parts.push(format!("{drops} to drop"));
    parts.push(format!("{} unchanged", plan.unchanged.len()));
    let known: Vec<u64> = plan.steps.iter().filter_map(|step| step.estimate.bytes).collect();
    let reading = match known.len() {
        0 => String::new(),
        some if some == plan.steps.len() => format!("; {} to read", bytes(known.iter().sum())),
        _ => format!("; at least {} to read", bytes(known.iter().sum())),
    };
    format!("Plan: {}{reading}.", parts.join(", "))
}

fn symbol(step: &Step) -> String {
    match &step.action {
        Action::Drop { .. } => style("-").red().to_string(),
        _ if step.reasons.contains(&Reason::New) => style("+").green().to_string(),
        _ => style("~").yellow().to_string(),
    }
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
    if let Some(publish) = step.action.publish().filter(|publish| !publish.relaid.is_empty()) {
        let what = publish.relaid.join(" and ");
        out.push_str(&format!("      {} {what} changed: the table is replaced\n", style("!").yellow()));
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

fn shortened(names: impl ExactSizeIterator<Item = String>, most: usize) -> String {
    let all = names.len();
    let mut shown: Vec<String> = names.take(most).collect();
    if all > most {
        shown.push(format!("{} more", all - most));
    }
    shown.join(", ")
}
