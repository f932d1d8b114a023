//! The shipped pipeline over its sample, and over the real data where it is.

use std::collections::BTreeSet;

use crate::shop::{applied, content, planned, rows_in, text};
use crate::support::{Project, shared_dir};

const DATABASE: &str = "olist.duckdb";

#[test]
fn shipped_sample_builds_once_and_reads_alike_anywhere() {
    let project = Project::shipped();
    let first = project.run(&["apply"]).succeeds();
    assert!(!first.stdout.contains("failed") && !first.stdout.contains("warned"), "{first}");

    let utc = content(&project, DATABASE, "UTC");
    let expected: BTreeSet<String> = [
        "raw.raw_customers raw.raw_orders raw.raw_order_items raw.raw_order_payments raw.raw_order_reviews",
        "raw.raw_products raw.raw_sellers raw.raw_geolocation raw.raw_product_category_name_translation",
        "staging.brazil_state_regions staging.stg_customers staging.stg_orders staging.stg_order_items",
        "staging.stg_order_payments staging.stg_order_reviews staging.stg_products staging.stg_sellers",
        "staging.stg_geolocation staging.stg_category_translation",
        "marts.dim_customers marts.dim_products marts.dim_sellers marts.dim_date marts.dim_orders",
        "marts.dim_payments marts.dim_reviews marts.fact_sales",
    ]
    .iter()
    .flat_map(|names| names.split(' '))
    .map(|name| format!("olist_{name}"))
    .collect();
    assert_eq!(utc.keys().cloned().collect::<BTreeSet<_>>(), expected);
    assert!(utc.values().all(|(rows, _)| *rows > 0), "{utc:?}");
    assert_eq!(content(&project, DATABASE, "America/Sao_Paulo"), utc);
    let views = rows_in(
        &project,
        DATABASE,
        "SELECT count(*) FROM duckdb_views() WHERE NOT internal AND schema_name = 'olist_staging'",
    );
    assert_eq!(views[0][0], "9");

    let before = fs_err::read(project.path().join(DATABASE)).unwrap();
    let second = project.run(&["apply"]).succeeds();
    assert!(second.stdout.contains("Nothing to do"), "{second}");
    assert!(before == fs_err::read(project.path().join(DATABASE)).unwrap(), "the file changed");
}

#[test]
fn one_staging_model_rebuilds_itself_and_what_reads_it() {
    let project = Project::shipped();
    project.run(&["apply"]).succeeds();
    let before = content(&project, DATABASE, "UTC");
    project.replace(
        "models/staging/stg_orders.sql",
        "{{ lower_code('order_status') }}",
        "UPPER(order_status)",
    );
    // What reads it, after the SQL files.
    let expected = [
        "model.dim_customers",
        "model.dim_date",
        "model.dim_orders",
        // Reads it in its expectations alone.
        "model.dim_payments",
        "model.dim_reviews",
        "model.fact_sales",
        "model.stg_orders",
    ];
    assert_eq!(planned(&project, &[]), expected);
    // Upper case is refused before anything is made of it.
    let refused = applied(&project.run(&["apply", "--json"]).ends_with(1));
    assert_eq!(refused.keys().collect::<Vec<_>>(), expected);
    assert_eq!(refused["model.stg_orders"]["fault"]["code"], "PW0701");
    assert_eq!(
        content(&project, DATABASE, "UTC")["olist_marts.dim_orders"],
        before["olist_marts.dim_orders"]
    );

    project.replace("models/staging/stg_orders.sql", "UPPER(order_status)", "TRIM(LOWER(order_status))");
    assert_eq!(planned(&project, &[]), expected);
    let outcome = project.run(&["apply", "--json"]).succeeds();
    assert_eq!(applied(&outcome).into_keys().collect::<Vec<_>>(), expected);
    assert_eq!(content(&project, DATABASE, "UTC"), before);
}

#[test]
fn real_data_gives_the_known_numbers() {
    let Some(shared) = shared_dir() else { return };
    let project = Project::shipped();
    let data = shared.join("data/olist-subset");
    let run = |arguments: &[&str]| {
        crate::support::Outcome::of(project.command(arguments).env("OLIST_DATA_DIR", &data))
    };
    let outcome = run(&["apply", "--json"]).succeeds();
    let mut warned = Vec::new();
    for (address, step) in applied(&outcome) {
        assert_eq!(step["status"], "done", "{address}");
        for check in step["checks"].as_array().expect("checks") {
            if check["verdict"] != "passed" {
                assert_eq!(check["severity"], "warning", "{check:#}");
                warned.push(text(&check["address"]));
            }
        }
    }
    insta::assert_snapshot!(warned.join("\n"), @"");

    let numbers = rows_in(
        &project,
        DATABASE,
        "SELECT (SELECT count(*) FROM olist_raw.raw_orders), \
                (SELECT count(*) FROM olist_marts.fact_sales), \
                (SELECT sum(price) FROM olist_marts.fact_sales), \
                (SELECT sum(freight_value) FROM olist_marts.fact_sales), \
                (SELECT count(*) FROM olist_marts.dim_customers), \
                (SELECT sum(total_payment_value) FROM olist_marts.dim_payments), \
                (SELECT count(*) FROM olist_raw.raw_customers WHERE starts_with(customer_zip_code_prefix, '0')), \
                (SELECT count(*) FROM olist_staging.stg_customers WHERE customer_zip_prefix LIKE '0____')",
    );
    let known = [
        "8135",
        "8365",
        "1093264.350000000",
        "172288.390000000",
        "8016",
        "1428602.810000000",
        "1995",
        "1995",
    ];
    assert_eq!(numbers[0], serde_json::json!(known));
    let delivered = rows_in(
        &project,
        DATABASE,
        "SELECT is_delivered_on_time, count(*) FROM olist_marts.dim_orders \
         WHERE is_delivered_on_time IS NOT NULL GROUP BY 1 ORDER BY 1",
    );
    assert_eq!(delivered, serde_json::json!([["False", "343"], ["True", "4827"]]));
    assert!(run(&["apply"]).succeeds().stdout.contains("Nothing to do"));
}
