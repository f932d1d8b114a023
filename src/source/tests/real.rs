//! The real data that is shared between checkouts.

use std::path::PathBuf;

use super::*;

/// The shared data, or `None` (with a message) where it is absent; in CI it must be there.
fn shared() -> Option<PathBuf> {
    let folder = std::env::var_os("PIPEWRIGHT_SHARED")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared"), PathBuf::from);
    let data = folder.join("data/olist-subset");
    if data.is_dir() {
        return Some(data);
    }
    assert!(std::env::var_os("CI").is_none_or(|ci| ci != "true"), "no shared data in {}", folder.display());
    println!("skipped: no shared data in {}", folder.display());
    None
}

fn subset(data: &std::path::Path, name: &str, types: &[(&str, Type)]) -> Yield {
    let files = expand(data, &[name.to_owned()]).unwrap();
    let spec = spec(types);
    assert_eq!(plan_columns(&files, &spec).unwrap(), spec.columns);
    drain(Reader::open(&files[0], &spec).unwrap()).unwrap()
}

#[test]
fn the_real_reviews_have_their_line_breaks_and_nulls() {
    let Some(data) = shared() else { return };
    let all = subset(
        &data,
        "olist_order_reviews_dataset.csv",
        &[
            ("review_id", Type::String),
            ("order_id", Type::String),
            ("review_score", Type::Int64),
            ("review_comment_title", Type::String),
            ("review_comment_message", Type::String),
            ("review_creation_date", Type::Timestamp),
            ("review_answer_timestamp", Type::Timestamp),
        ],
    );
    assert_eq!(all.rejects, []);
    assert_eq!(all.accounting.rows_read, 8225);
    let with = |wanted: fn(char) -> bool| {
        all.rows.iter().filter(|row| row.iter().flatten().any(|value| value.contains(wanted))).count()
    };
    assert_eq!(with(|c| c == '\n'), 436);
    assert_eq!(with(|c| c > '\u{FFFF}'), 25);
}

#[test]
fn every_file_of_the_real_subset_reads_like_the_csv_crate_reads_it() {
    let Some(data) = shared() else { return };
    let mut rows = 0;
    for file in expand(&data, &["*.csv".to_owned()]).unwrap() {
        let path = data.join(&file.name);
        let mut reader = csv::ReaderBuilder::new().from_path(&path).unwrap();
        let names: Vec<String> = reader.headers().unwrap().iter().map(str::to_owned).collect();
        let expected: Vec<Vec<Option<String>>> = reader
            .records()
            .map(|record| {
                record.unwrap().iter().map(|value| (!value.is_empty()).then(|| value.to_owned())).collect()
            })
            .collect();
        let spec = texts(&names.iter().map(String::as_str).collect::<Vec<_>>());
        let all = drain(Reader::open(&file, &spec).unwrap()).unwrap();
        assert_eq!(all.rejects, []);
        assert!(all.rows == expected, "{}", file.name);
        assert_eq!(all.accounting.bytes, fs_err::metadata(&path).unwrap().len());
        rows += all.accounting.rows_good;
    }
    assert_eq!(rows, 94_853);
}

#[test]
fn the_real_payments_add_up() {
    let Some(data) = shared() else { return };
    let types = [
        ("order_id", Type::String),
        ("payment_sequential", Type::Int64),
        ("payment_type", Type::String),
        ("payment_installments", Type::Int64),
        ("payment_value", Type::Numeric),
    ];
    let all = subset(&data, "olist_order_payments_dataset.csv", &types);
    let values = || all.rows.iter().filter_map(|row| row[4].as_deref()?.parse::<i128>().ok());
    assert_eq!(values().sum::<i128>(), 1_428_602_810_000_000);
    assert_eq!(values().filter(|&value| value == 0).count(), 5);
}
