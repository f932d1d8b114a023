//! A developer's own copy of one model, which reads the rest where it is built already.

use super::emulator::Emulator;
use crate::shop::shop;
use crate::support::{Outcome, Project};

/// The shop with a target that all share, and a developer's own.
fn shop_of_two() -> Project {
    let project = shop();
    let target =
        "    type: bigquery\n    project: ${BIGQUERY_PROJECT:-}\n    endpoint: ${BIGQUERY_ENDPOINT:-}\n";
    let targets = format!("targets:\n  prod:\n{target}  bigquery:\n{target}    dataset_prefix: dev_ana_\n");
    project.replace("pipeline.yaml", "targets:\n", &targets);
    project
}

#[test]
fn what_is_not_built_is_read_from_another_target() {
    let Some(emulator) = Emulator::start() else { return };
    let project = shop_of_two();
    let there = |arguments: &[&str]| Outcome::of(&mut emulator.command(&project, arguments));
    let prod = |arguments: &[&str]| {
        let mut command = project.command(arguments);
        command
            .args(["-t", "prod"])
            .env("BIGQUERY_PROJECT", "demo")
            .env("BIGQUERY_ENDPOINT", emulator.endpoint());
        Outcome::of(&mut command)
    };
    prod(&["apply"]).succeeds();
    let daily = ["--select", "daily_sales"];
    let refused = there(&["plan", daily[0], daily[1]]).ends_with(1);
    assert!(refused.stderr.contains("PW0507"), "{refused}");

    project.replace("models/daily_sales.sql", "SUM(amount)", "SUM(amount) * 2");
    let deferred = ["--select", "daily_sales", "--defer", "prod"];
    let told = there(&[&["plan"], &deferred[..]].concat()).succeeds().stdout;
    assert!(told.contains("< 1 read from `prod`: model.clean_orders"), "{told}");
    there(&[&["apply"], &deferred[..]].concat()).succeeds();
    let read = |outcome: Outcome| outcome.succeeds().stdout.lines().map(str::to_owned).collect::<Vec<_>>();
    let query = |dataset: &str| format!("SELECT day, revenue FROM {dataset}.daily_sales ORDER BY day");
    // A query names datasets as BigQuery does.
    let csv = |sql: &str| read(there(&["query", "--format", "csv", sql]));
    assert_eq!(csv(&query("dev_ana_marts")), ["day,revenue", "2024-01-01,19", "2024-01-02,5"]);
    // The other target stays as it was, and nothing else was built.
    let of_prod = read(prod(&["query", "--format", "csv", &query("marts")]));
    assert_eq!(of_prod, ["day,revenue", "2024-01-01,9.5", "2024-01-02,2.5"]);
    let again = there(&[&["plan"], &deferred[..]].concat()).succeeds().stdout;
    assert!(again.contains("Nothing to do"), "{again}");

    // Once what it reads is built here, it is built anew from that.
    let told = there(&["plan", "--select", "+daily_sales"]).succeeds().stdout;
    assert!(told.contains("model.daily_sales") && told.contains("upstream changed"), "{told}");
    there(&["apply", "--select", "+daily_sales"]).succeeds();
    let again = there(&["plan", "--select", "+daily_sales"]).succeeds().stdout;
    assert!(again.contains("Nothing to do"), "{again}");
}

#[test]
fn only_another_target_of_bigquery_can_be_read_from() {
    let project = shop_of_two();
    for (arguments, message) in [
        (&["plan", "--defer", "prod"][..], "are read from one target of BigQuery for another"),
        (&["plan", "--defer", "nowhere"], "there is no target `nowhere`"),
        (&["plan", "-t", "prod", "--defer", "prod"], "names the place that the plan is for"),
    ] {
        let mut command = project.command(arguments);
        // Nobody listens there: what is refused is refused before.
        command.env("BIGQUERY_PROJECT", "demo").env("BIGQUERY_ENDPOINT", "http://127.0.0.1:9");
        let refused = Outcome::of(&mut command);
        assert!(refused.code != Some(0) && refused.stderr.contains(message), "{message}: {refused}");
    }
}
