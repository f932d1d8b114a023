//! A part of the real files that refers to nothing outside of it.

use std::collections::{BTreeMap, BTreeSet};

use super::File;

/// Orders from the top of the file.
const ORDERS: usize = 800;

/// Records from the top of each file that stay, so that faults can be put into them by their numbers.
const TOP: usize = 30;

/// Points for each zip prefix.
const POINTS: usize = 3;

/// Leaves so many orders, with all that belongs to them. Records stay in their order, those at the top in their places.
pub fn cut(files: &mut BTreeMap<&str, File>) {
    let top = |file: &str, column: &str, count: usize| -> BTreeSet<String> {
        values(&files[file], column).take(count).cloned().collect()
    };
    let mut orders = top("orders", "order_id", ORDERS);
    for file in ["order_items", "order_payments", "order_reviews"] {
        orders.extend(top(file, "order_id", TOP));
    }
    // The first and the last months have few orders, and are what makes the calendar long.
    let bought = files["orders"].column("order_purchase_timestamp");
    let outside =
        |record: &&Vec<String>| record[bought].as_str() < "2017" || record[bought].as_str() > "2018-09";
    orders.extend(files["orders"].records[1..].iter().filter(outside).map(|record| record[0].clone()));
    // So that the top of the other files is in use.
    let customers = top("customers", "customer_id", TOP);
    orders.extend(of(&files["orders"], "customer_id", &customers, "order_id"));
    for (file, column) in [("products", "product_id"), ("sellers", "seller_id")] {
        for value in top(file, column, TOP) {
            orders.extend(of(&files["order_items"], column, &[value].into(), "order_id").into_iter().take(1));
        }
    }
    orders.extend(oddities(files));

    keep(files, "orders", "order_id", &orders);
    for file in ["order_items", "order_payments", "order_reviews"] {
        keep(files, file, "order_id", &orders);
    }
    for (file, column, by) in [
        ("customers", "customer_id", "orders"),
        ("products", "product_id", "order_items"),
        ("sellers", "seller_id", "order_items"),
    ] {
        let used: BTreeSet<String> = values(&files[by], column).cloned().collect();
        keep(files, file, column, &used);
    }
    let zips: BTreeSet<String> = values(&files["customers"], "customer_zip_code_prefix")
        .chain(values(&files["sellers"], "seller_zip_code_prefix"))
        .chain(values(&files["geolocation"], "geolocation_zip_code_prefix").take(TOP))
        .chain(
            files["geolocation"].records[1..].iter().filter(|point| is_abroad(point)).map(|point| &point[0]),
        )
        .cloned()
        .collect();
    keep(files, "geolocation", "geolocation_zip_code_prefix", &zips);
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    if let Some(file) = files.get_mut("geolocation") {
        file.records.retain(|record| {
            let points = seen.entry(record[0].clone()).or_default();
            *points += 1;
            *points <= POINTS || is_abroad(record)
        });
    }
}

/// Whether a point lies east of Greenwich, which none should.
fn is_abroad(point: &[String]) -> bool {
    !point[2].starts_with('-')
}

/// Orders without which some mistakes would change nothing: of people with several orders, and of products whose
/// category has no translation.
fn oddities(files: &BTreeMap<&str, File>) -> BTreeSet<String> {
    let customers = &files["customers"];
    let mut seen = BTreeSet::new();
    let again: BTreeSet<String> =
        values(customers, "customer_unique_id").filter(|person| !seen.insert(*person)).cloned().collect();
    let rows = of(customers, "customer_unique_id", &again, "customer_id").into_iter().collect();
    let mut orders: BTreeSet<String> =
        of(&files["orders"], "customer_id", &rows, "order_id").into_iter().collect();
    let known: BTreeSet<&String> = values(&files["translation"], "product_category_name").collect();
    let unknown: BTreeSet<String> = values(&files["products"], "product_category_name")
        .filter(|name| !name.is_empty() && !known.contains(name))
        .cloned()
        .collect();
    let products =
        of(&files["products"], "product_category_name", &unknown, "product_id").into_iter().collect();
    orders.extend(of(&files["order_items"], "product_id", &products, "order_id"));
    orders
}

/// The values of a column.
fn values<'f>(file: &'f File, column: &str) -> impl Iterator<Item = &'f String> {
    let column = file.column(column);
    file.records[1..].iter().map(move |record| &record[column])
}

/// What stands in a column where another has one of some values.
fn of(file: &File, column: &str, wanted: &BTreeSet<String>, give: &str) -> Vec<String> {
    let found = values(file, column).zip(values(file, give)).filter(|(value, _)| wanted.contains(*value));
    found.map(|(_, given)| given.clone()).collect()
}

fn keep(files: &mut BTreeMap<&str, File>, name: &str, column: &str, wanted: &BTreeSet<String>) {
    if let Some(file) = files.get_mut(name) {
        let column = file.column(column);
        let header = file.records.remove(0);
        file.records.retain(|record| wanted.contains(&record[column]));
        file.records.insert(0, header);
    }
}
