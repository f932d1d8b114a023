//! How many requests it takes.

use std::fmt::Write as _;

use super::protocol::{run, shop_there};
use super::scripted::Scripted;

#[test]
fn a_plan_of_a_thousand_models_that_are_up_to_date_takes_few_requests() {
    let (server, project) = (Scripted::start(), shop_there());
    let mut models = String::from("models:\n");
    for number in 0..997 {
        let tag = "projects/demo/locations/eu/taxonomies/1/policyTags/2";
        writeln!(
            models,
            "  model_{number}: {{ description: 'Number {number}.', columns: {{ id: {{ policy_tag: {tag} }} }} }}"
        )
        .expect("a text");
        let sql = "SELECT id, day, product, amount FROM {{ source('orders') }}\n";
        project.write(&format!("models/model_{number}.sql"), sql);
    }
    project.write("models/many.yaml", &models);
    // A dataset of which something is said is asked for, since who may use it is told nowhere else.
    for number in 0..6 {
        let dataset = format!("datasets:\n  more_{number}: {{ description: More. }}\n");
        project.replace("pipeline.yaml", "datasets:\n", &dataset);
    }
    run(&server, &project, &["apply", "--threads", "8"]).succeeds();
    server.asked();
    let planned = run(&server, &project, &["plan", "--json"]).succeeds().json();
    assert_eq!(planned["steps"].as_array().map(Vec::len), Some(0), "{planned}");
    let asked = server.asked();
    let told: Vec<String> = asked.iter().map(|one| format!("{} {:?}", one.line(), one.query)).collect();
    assert!(asked.len() < 30, "{} requests:\n{}", asked.len(), told.join("\n"));
}
