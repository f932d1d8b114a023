//! The sample data and its generator: the same bytes again, no dangling reference, and every promised kind of dirt.
//!
//! The generator is an example, whose binary a test cannot name; so its modules are compiled into the tests.

#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

#[path = "../../examples/generate/olist/mod.rs"]
mod generate;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// The files with their columns, from the description of the public data set.
const FILES: [(&str, &str); 9] = [
    (
        "olist_customers_dataset.csv",
        "customer_id,customer_unique_id,customer_zip_code_prefix,customer_city,customer_state",
    ),
    (
        "olist_orders_dataset.csv",
        "order_id,customer_id,order_status,order_purchase_timestamp,order_approved_at,\
         order_delivered_carrier_date,order_delivered_customer_date,order_estimated_delivery_date",
    ),
    (
        "olist_order_items_dataset.csv",
        "order_id,order_item_id,product_id,seller_id,shipping_limit_date,price,freight_value",
    ),
    (
        "olist_order_payments_dataset.csv",
        "order_id,payment_sequential,payment_type,payment_installments,payment_value",
    ),
    (
        "olist_order_reviews_dataset.csv",
        "review_id,order_id,review_score,review_comment_title,review_comment_message,\
         review_creation_date,review_answer_timestamp",
    ),
    (
        "olist_products_dataset.csv",
        "product_id,product_category_name,product_name_lenght,product_description_lenght,\
         product_photos_qty,product_weight_g,product_length_cm,product_height_cm,product_width_cm",
    ),
    ("olist_sellers_dataset.csv", "seller_id,seller_zip_code_prefix,seller_city,seller_state"),
    (
        "olist_geolocation_dataset.csv",
        "geolocation_zip_code_prefix,geolocation_lat,geolocation_lng,geolocation_city,geolocation_state",
    ),
    ("product_category_name_translation.csv", "product_category_name,product_category_name_english"),
];

fn project() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn generated(orders: u64, seed: u64) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    generate::write(&generate::Sample::new(orders, seed), folder.path()).unwrap();
    folder
}

/// A file as rows of named fields, read by a CSV reader that knows nothing of the generator.
struct Rows {
    columns: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Rows {
    fn read(folder: &Path, file: &str) -> Self {
        let text = fs_err::read_to_string(folder.join(file)).unwrap();
        let mut reader = csv::Reader::from_reader(text.trim_start_matches('\u{feff}').as_bytes());
        let columns = reader.headers().unwrap().iter().map(ToOwned::to_owned).collect();
        let rows = reader.records().map(|row| row.unwrap().iter().map(ToOwned::to_owned).collect()).collect();
        Self { columns, rows }
    }

    fn sample(table: &str) -> Self {
        Self::read(&project().join("data/sample"), &format!("olist_{table}_dataset.csv"))
    }

    fn position(&self, column: &str) -> usize {
        self.columns.iter().position(|name| name == column).unwrap()
    }

    fn column(&self, column: &str) -> impl Iterator<Item = &str> {
        let position = self.position(column);
        self.rows.iter().map(move |row| row[position].as_str())
    }

    fn pairs(&self, left: &str, right: &str) -> impl Iterator<Item = (&str, &str)> {
        self.column(left).zip(self.column(right))
    }

    fn set(&self, column: &str) -> BTreeSet<&str> {
        self.column(column).collect()
    }

    fn counts(&self, column: &str) -> BTreeMap<&str, usize> {
        let mut counts = BTreeMap::new();
        for value in self.column(column) {
            *counts.entry(value).or_default() += 1;
        }
        counts
    }

    /// How many rows satisfy a condition on one column.
    fn where_(&self, column: &str, condition: impl Fn(&str) -> bool) -> usize {
        self.column(column).filter(|value| condition(value)).count()
    }
}

#[track_caller]
fn assert_within(child: &Rows, column: &str, parent: &Rows, key: &str) {
    let known = parent.set(key);
    let orphans: BTreeSet<_> = child.column(column).filter(|value| !known.contains(value)).collect();
    assert!(orphans.is_empty(), "{column} without {key}: {orphans:?}");
}

#[test]
fn the_committed_sample_is_what_the_generator_writes() {
    let folder = generated(2_000, 1);
    for (file, _) in FILES {
        let committed = fs_err::read(project().join("data/sample").join(file)).unwrap();
        let again = fs_err::read(folder.path().join(file)).unwrap();
        assert!(committed == again, "data/sample/{file} differs; see data/sample/README.md for the command");
    }
}

#[test]
fn another_seed_gives_other_rows_and_as_many() {
    let (one, two) = (generated(300, 1), generated(300, 2));
    for file in
        ["customers", "orders", "order_items", "order_payments", "order_reviews", "products", "sellers"]
    {
        let file = format!("olist_{file}_dataset.csv");
        let bytes = |folder: &TempDir| fs_err::read(folder.path().join(&file)).unwrap();
        assert!(bytes(&one) != bytes(&two), "{file}");
    }
    let orders = |folder: &TempDir| Rows::read(folder.path(), "olist_orders_dataset.csv").rows.len();
    assert_eq!((orders(&one), orders(&two)), (300, 300));
}

#[test]
fn columns_are_those_of_the_public_data_set() {
    for orders in [0, 1, 7] {
        let folder = generated(orders, 1);
        for (file, header) in FILES {
            let rows = Rows::read(folder.path(), file);
            assert_eq!(rows.columns.join(","), header, "{file} with {orders} orders");
        }
    }
}

#[test]
fn the_smallest_samples_hang_together() {
    let nothing = generated(0, 1);
    for (file, _) in FILES {
        let expected = if file.starts_with("product_category") { 71 } else { 0 };
        assert_eq!(Rows::read(nothing.path(), file).rows.len(), expected, "{file}");
    }
    for (orders, seed) in [(1, 1), (1, 2), (2, 1), (3, 9), (10, 1)] {
        let folder = generated(orders, seed);
        let read = |table: &str| Rows::read(folder.path(), &format!("olist_{table}_dataset.csv"));
        assert_eq!(read("orders").rows.len() as u64, orders);
        assert_within(&read("orders"), "customer_id", &read("customers"), "customer_id");
        assert_within(&read("order_items"), "product_id", &read("products"), "product_id");
        assert_within(&read("order_items"), "seller_id", &read("sellers"), "seller_id");
    }
}

#[test]
fn references_are_closed() {
    let orders = Rows::sample("orders");
    for child in ["order_items", "order_payments", "order_reviews"] {
        assert_within(&Rows::sample(child), "order_id", &orders, "order_id");
    }
    let items = Rows::sample("order_items");
    assert_within(&items, "product_id", &Rows::sample("products"), "product_id");
    assert_within(&items, "seller_id", &Rows::sample("sellers"), "seller_id");
    assert_within(&orders, "customer_id", &Rows::sample("customers"), "customer_id");
    assert_within(&Rows::sample("customers"), "customer_id", &orders, "customer_id");

    for (table, key) in [
        ("orders", "order_id"),
        ("customers", "customer_id"),
        ("products", "product_id"),
        ("sellers", "seller_id"),
    ] {
        let rows = Rows::sample(table);
        assert_eq!(rows.set(key).len(), rows.rows.len(), "{table}.{key} is a key");
        let hexadecimal = |id: &str| id.len() == 32 && id.chars().all(|c| matches!(c, '0'..='9' | 'a'..='f'));
        assert_eq!(rows.where_(key, hexadecimal), rows.rows.len());
    }
}

#[test]
fn time_spans_the_real_months() {
    let orders = Rows::sample("orders");
    let months: BTreeSet<&str> =
        orders.column("order_purchase_timestamp").map(|moment| &moment[..7]).collect();
    assert_eq!(months.first(), Some(&"2016-09"));
    assert_eq!(months.last(), Some(&"2018-10"));
    assert!(!months.contains("2016-11"));
    let in_month = |month| orders.where_("order_purchase_timestamp", |moment| moment.starts_with(month));
    assert!(in_month("2017-02") < in_month("2017-07") && in_month("2017-07") < in_month("2018-03"));
    let black_friday = orders.where_("order_purchase_timestamp", |moment| moment.starts_with("2017-11-24"));
    assert!(black_friday * 10 > in_month("2017-11"), "{black_friday}");
}

#[test]
fn shares_are_near_the_real_ones() {
    let share = |table: &str, column: &str, value: &str| {
        let rows = Rows::sample(table);
        rows.where_(column, |field| field == value) * 1_000 / rows.rows.len()
    };
    // Per mille. The public data set has 739, 190, 578 and 115.
    assert!((700..780).contains(&share("order_payments", "payment_type", "credit_card")));
    assert!((160..220).contains(&share("order_payments", "payment_type", "boleto")));
    assert!((530..630).contains(&share("order_reviews", "review_score", "5")));
    assert!((90..160).contains(&share("order_reviews", "review_score", "1")));
    assert!((920..980).contains(&share("orders", "order_status", "delivered")));

    let statuses = Rows::sample("orders");
    assert_eq!(
        statuses.set("order_status").into_iter().collect::<Vec<_>>(),
        ["approved", "canceled", "created", "delivered", "invoiced", "processing", "shipped", "unavailable"]
    );
    let customers = Rows::sample("customers");
    let people = customers.set("customer_unique_id").len();
    assert!((1_920..1_960).contains(&people), "three in a hundred come back: {people}");
}

#[test]
fn orders_have_their_dirt() {
    let orders = Rows::sample("orders");
    let field = |row: &Vec<String>, name: &str| row[orders.position(name)].clone();
    let count = |condition: &dyn Fn(&str, [&str; 4]) -> bool| {
        orders
            .rows
            .iter()
            .filter(|row| {
                let moments = [
                    field(row, "order_purchase_timestamp"),
                    field(row, "order_approved_at"),
                    field(row, "order_delivered_carrier_date"),
                    field(row, "order_delivered_customer_date"),
                ];
                condition(&field(row, "order_status"), moments.each_ref().map(String::as_str))
            })
            .count()
    };
    // The text form sorts like the moments themselves; an empty text is NULL.
    let before = |earlier: &str, later: &str| !earlier.is_empty() && earlier < later;
    assert!(count(&|status, [.., delivered]| status == "delivered" && delivered.is_empty()) > 0);
    assert!(count(&|status, [.., delivered]| status == "canceled" && !delivered.is_empty()) > 0);
    assert!(count(&|status, [_, approved, ..]| status == "delivered" && approved.is_empty()) > 0);
    assert!(count(&|_, [_, _, carrier, delivered]| before(delivered, carrier)) > 0);
    assert!(count(&|_, [_, approved, carrier, _]| before(carrier, approved)) > 10);
    assert!(count(&|_, [purchase, _, carrier, _]| before(carrier, purchase)) > 0);

    let items = Rows::sample("order_items");
    let filled = items.set("order_id");
    assert!(orders.where_("order_id", |id| !filled.contains(id)) > 10, "orders without items");
    assert!(items.where_("shipping_limit_date", |date| date > "2020") > 0);
    assert!(items.where_("price", |price| price.starts_with('-') || price == "0.0") == 0);
    assert!(items.where_("price", |price| price.ends_with(".0")) > 100);
}

#[test]
fn payments_have_their_dirt() {
    let payments = Rows::sample("order_payments");
    assert!(payments.where_("payment_value", |value| value == "0.0") > 0);
    assert!(payments.where_("payment_type", |kind| kind == "not_defined") > 0);
    assert!(payments.where_("payment_installments", |count| count == "0") > 0);

    let mut numbers: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (order, sequential) in payments.pairs("order_id", "payment_sequential") {
        numbers.entry(order).or_default().push(sequential.parse().unwrap());
    }
    let least = |list: &Vec<usize>| list.iter().copied().min();
    let most = |list: &Vec<usize>| list.iter().copied().max();
    assert!(numbers.values().any(|list| least(list) == Some(2)), "numbered from 2");
    assert!(
        numbers.values().any(|list| least(list) == Some(1) && most(list) > Some(list.len())),
        "with a gap"
    );
    assert!(numbers.values().any(|list| list.len() > 5), "many payments");
    assert!(numbers.values().any(|list| !list.is_sorted()), "not in the order of their numbers");

    let paid = payments.set("order_id");
    let unpaid = Rows::sample("orders").where_("order_id", |id| !paid.contains(id));
    assert!((1..=3).contains(&unpaid), "{unpaid} orders without payment");
}

#[test]
fn reviews_have_their_dirt() {
    let reviews = Rows::sample("order_reviews");
    let messages = |condition: &dyn Fn(&str) -> bool| reviews.where_("review_comment_message", condition);
    assert!(messages(&|text| text.contains(',')) > 100);
    assert!(messages(&|text| text.contains('"')) > 0);
    assert!(messages(&|text| text.contains("\r\n")) > 50);
    assert!(messages(&|text| text.chars().any(|c| ('\u{c0}'..'\u{250}').contains(&c))) > 100);
    assert!(messages(&|text| text.chars().any(|c| c > '\u{ffff}')) > 0);
    assert!(messages(&|text| !text.trim().is_empty() && text.trim() != text) > 50);
    assert!(messages(&|text| !text.is_empty() && text.trim().is_empty()) > 0);
    assert!(messages(&str::is_empty) > 1_000);
    assert!(reviews.where_("review_comment_title", |text| !text.is_empty()) > 100);

    assert!(reviews.counts("review_id").values().any(|rows| *rows > 1), "a review id that repeats");
    let by_order = reviews.counts("order_id");
    assert!(by_order.values().any(|rows| *rows > 1), "an order with several reviews");
    let orders = Rows::sample("orders");
    assert!(orders.where_("order_id", |id| !by_order.contains_key(id)) > 0, "an order without review");

    let purchases: BTreeMap<_, _> = orders.pairs("order_id", "order_purchase_timestamp").collect();
    let early = reviews.pairs("order_id", "review_creation_date").filter(|(id, date)| *date < purchases[id]);
    assert!(early.count() > 5, "reviews dated before the purchase");
    let created_last =
        reviews.pairs("review_creation_date", "review_answer_timestamp").filter(|(a, b)| a > b);
    assert_eq!(created_last.count(), 0, "no answer before the review");
}

#[test]
fn the_catalogue_has_its_dirt() {
    let products = Rows::sample("products");
    let texts = products.pairs("product_category_name", "product_name_lenght");
    let unnamed = texts.filter(|(category, length)| category.is_empty() && length.is_empty()).count();
    assert!(unnamed > 5);
    assert_eq!(products.where_("product_category_name", str::is_empty), unnamed);
    assert!(products.where_("product_weight_g", str::is_empty) > 0);

    let bytes = fs_err::read(project().join("data/sample/product_category_name_translation.csv")).unwrap();
    assert!(bytes.starts_with(b"\xef\xbb\xbfproduct_category_name,"), "a byte order mark");
    let translation = Rows::read(&project().join("data/sample"), "product_category_name_translation.csv");
    let known = translation.set("product_category_name");
    let used = products.set("product_category_name");
    let lacking: Vec<_> = used.iter().filter(|name| !name.is_empty() && !known.contains(*name)).collect();
    assert_eq!(lacking, [&"pc_gamer", &"portateis_cozinha_e_preparadores_de_alimentos"]);
    assert!(!used.contains("cds_dvds_musicais") && known.contains("cds_dvds_musicais"));

    let sellers = Rows::sample("sellers");
    assert!(sellers.where_("seller_city", |city| city.contains('@')) > 0);
    assert!(sellers.where_("seller_city", |city| city.contains(',')) > 0);
    assert!(sellers.where_("seller_city", |city| city.chars().all(|c| c.is_ascii_digit())) > 0);
}

#[test]
fn places_have_their_dirt() {
    let (customers, points) = (Rows::sample("customers"), Rows::sample("geolocation"));
    let five_digits = |zip: &str| zip.len() == 5 && zip.bytes().all(|digit| digit.is_ascii_digit());
    for (rows, column) in [
        (&customers, "customer_zip_code_prefix"),
        (&points, "geolocation_zip_code_prefix"),
        (&Rows::sample("sellers"), "seller_zip_code_prefix"),
    ] {
        assert_eq!(rows.where_(column, five_digits), rows.rows.len(), "{column}");
        assert!(rows.where_(column, |zip| zip.starts_with('0')) > 10, "{column}");
    }
    let known = points.set("geolocation_zip_code_prefix");
    let unknown = customers.where_("customer_zip_code_prefix", |zip| !known.contains(zip));
    assert!((1..40).contains(&unknown), "{unknown} customers with a zip prefix that has no place");

    assert!(points.where_("geolocation_city", |city| city == "são paulo") > 0);
    assert!(points.where_("geolocation_city", |city| city == "sao paulo") > 0);
    assert!(points.where_("geolocation_city", |city| city != city.to_lowercase()) > 0);
    let distinct: BTreeSet<_> = points.rows.iter().collect();
    assert!(points.rows.len() - distinct.len() > 200, "rows that repeat in full");
    let outside = points.pairs("geolocation_lat", "geolocation_lng").filter(|(latitude, longitude)| {
        let (latitude, longitude): (f64, f64) = (latitude.parse().unwrap(), longitude.parse().unwrap());
        !(-34.0..=5.3).contains(&latitude) || !(-74.0..=-32.0).contains(&longitude)
    });
    assert!((1..=5).contains(&outside.count()), "a few points outside Brazil");
    for states in points.pairs("geolocation_zip_code_prefix", "geolocation_state").fold(
        BTreeMap::<_, BTreeSet<_>>::new(),
        |mut map, (zip, state)| {
            map.entry(zip).or_default().insert(state);
            map
        },
    ) {
        assert_eq!(states.1.len(), 1, "zip prefix {} in several states", states.0);
    }
}

#[test]
fn the_seed_of_states_covers_every_state_once() {
    let states = Rows::read(&project().join("seeds"), "brazil_state_regions.csv");
    assert_eq!(states.columns.join(","), "state_code,state_name,region,economic_zone");
    assert_eq!(states.rows.len(), 27);
    assert_eq!(states.set("state_code").len(), 27);
    assert_within(&Rows::sample("customers"), "customer_state", &states, "state_code");
    assert_within(&Rows::sample("sellers"), "seller_state", &states, "state_code");
    // The statistics office's regions have 7, 9, 4, 4 and 3 states.
    let regions: Vec<_> = states.counts("region").into_iter().collect();
    assert_eq!(
        regions,
        [("Central-West", 4), ("North", 7), ("Northeast", 9), ("South", 3), ("Southeast", 4)]
    );
}
