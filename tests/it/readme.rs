//! The manifest that the README shows is a manifest: its blocks, put into files, are valid and run.

use super::support::Project;

const README: &str = include_str!("../../README.md");

/// The blocks of YAML that follow a line naming their file, and the queries of the models in them.
fn files() -> Vec<(String, String)> {
    let mut files = Vec::new();
    let mut named = None;
    let mut queries = ["models/daily_sales.sql", "models/order_log.sql"].into_iter();
    let mut lines = README.lines();
    while let Some(line) = lines.next() {
        if let Some(rest) = line.strip_prefix('`').filter(|_| line.ends_with(':')) {
            named = rest.split('`').next().map(str::to_owned);
        }
        let path = match line {
            "```yaml" => named.take(),
            "```sql" => queries.next().map(str::to_owned),
            _ => None,
        };
        if let Some(path) = path {
            let body: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
            files.push((path, body.join("\n") + "\n"));
        }
    }
    files
}

#[test]
fn the_manifest_of_the_readme_runs() {
    let files = files();
    let shown: Vec<&str> = files.iter().map(|(path, _)| path.as_str()).collect();
    assert_eq!(
        shown,
        [
            "pipeline.yaml",
            "sources/shop.yaml",
            "models/shop.yaml",
            "models/daily_sales.sql",
            "models/log.yaml",
            "models/order_log.sql",
            "expectations/shop.yaml",
            "unit_tests/shop.yaml",
            "dashboards/shop.yaml",
        ]
    );
    let project = Project::empty();
    for (path, text) in &files {
        project.write(path, text);
    }
    let orders = "order_id;ordered_at;status;country;amount\n1;2024-05-01 10:00:00;open;de;3.5\n2;2024-05-02 11:30:00;paid;de;4\n";
    project.write("data/orders_2024.csv", orders);
    project.write("seeds/countries.csv", "code,name\nde,Germany\n");
    project.run(&["validate"]).succeeds();
    project.run(&["test"]).succeeds();
    project.run(&["apply"]).succeeds();
    let rows =
        project.run(&["query", "--format", "csv", "SELECT * FROM shop_marts.daily_sales ORDER BY day"]);
    assert_eq!(rows.succeeds().stdout, "day,revenue\n2024-05-01,3.5\n2024-05-02,4\n");
    project.write(
        "data/orders_2024_06.csv",
        "order_id;ordered_at;status;country;amount\n2;2024-05-02 11:30:00;open;de;5\n",
    );
    project.replace("data/orders_2024.csv", "2;2024-05-02 11:30:00;paid;de;4\n", "");
    let applied = project.run(&["apply"]).succeeds();
    assert!(applied.stdout.contains("ok, 2 new"), "{applied}");
    project.run(&["check", "post_ingestion"]).succeeds();
    assert!(project.path().join("reports/raw.xml").is_file());
    assert!(project.path().join("reports/site/index.html").is_file());
}
