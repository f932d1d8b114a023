//! What is asked of BigQuery, and what becomes of it when answers fail, are lost or come late.

use super::scripted::{Answer, Request, Scripted};
use crate::shop::shop;
use crate::support::{Outcome, Project};

/// The shop with a target `bigquery`.
pub fn shop_there() -> Project {
    let project = shop();
    project.replace(
        "pipeline.yaml",
        "targets:\n",
        "targets:\n  bigquery:\n    type: bigquery\n    project: ${BIGQUERY_PROJECT:-}\n    endpoint: ${BIGQUERY_ENDPOINT:-}\n    location: EU\n",
    );
    project
}

pub fn run(server: &Scripted, project: &Project, arguments: &[&str]) -> Outcome {
    Outcome::of(&mut server.command(project, arguments))
}

#[test]
fn a_small_project_goes_through() {
    let (server, project) = (Scripted::start(), shop_there());
    let applied = run(&server, &project, &["apply"]).succeeds();
    println!("{applied}");
    for one in server.asked() {
        println!("{} {:?} {}", one.line(), one.query, String::from_utf8_lossy(&one.body));
    }
    let again = run(&server, &project, &["apply"]).succeeds();
    assert!(again.stdout.contains("Nothing to do"), "{again}");
}
