//! Faults in single rows of the files: told with file, line and value.

use super::Caught::{Accepted, At, By, Told, Warned};
use super::Change::{Fields, Records};
use super::{Fault, inject};

const NOBODY: &str = "00000000000000000000000000000000";

const KEYS: &[Fault] = &[
    Fault {
        name: "a customer's key twice",
        file: "customers",
        change: Fields(&[(20, "customer_id", "5e274e7a0c3809e14aba7ad5aae0d407")]),
        caught: Told(
            &["raw_customers.unique_customer_id"],
            &[
                "real/olist_customers_dataset.csv:2, real/olist_customers_dataset.csv:21 ",
                "5e274e7a0c3809e14aba7ad5aae0d407",
            ],
        ),
    },
    Fault {
        name: "an order's key twice",
        file: "orders",
        change: Fields(&[(10, "order_id", "a4591c265e18cb1dcee52889e2d8acc3")]),
        caught: Told(
            &["raw_orders.unique_order_id"],
            &[
                "real/olist_orders_dataset.csv:2, real/olist_orders_dataset.csv:11 ",
                "a4591c265e18cb1dcee52889e2d8acc3",
            ],
        ),
    },
    Fault {
        name: "two orders of one customer row",
        file: "orders",
        change: Fields(&[(10, "customer_id", "503740e9ca751ccdda7ba28e9ab8f608")]),
        caught: By(&["raw_orders.unique_customer_id", "raw_orders.each_customer_row_has_its_order"]),
    },
    Fault {
        name: "an item's key twice",
        file: "order_items",
        change: Records(|file| file.records.push(file.records[3].clone())),
        caught: Told(
            &["raw_order_items.unique_order_id_order_item_id"],
            &["real/olist_order_items_dataset.csv:4, real/olist_order_items_dataset.csv:"],
        ),
    },
    Fault {
        name: "a payment twice",
        file: "order_payments",
        change: Records(|file| file.records.push(file.records[3].clone())),
        caught: Told(
            &["raw_order_payments.unique_order_id_payment_sequential"],
            &["real/olist_order_payments_dataset.csv:4, ", "d0a945f85ba1074b60aac97ade7e240e"],
        ),
    },
    Fault {
        name: "a review repeated",
        file: "order_reviews",
        change: Records(|file| file.records.push(file.records[2].clone())),
        caught: Told(
            &["raw_order_reviews.unique_review_id_order_id"],
            &["real/olist_order_reviews_dataset.csv:3, ", "540e7bbb2d06cfb7f85f3a88ba7ac97f"],
        ),
    },
    Fault {
        name: "a translation in other letters",
        file: "translation",
        change: Records(|file| file.records.push(vec!["Beleza_Saude".into(), "beauty".into()])),
        caught: By(&["raw_product_category_name_translation.unique_whatever_its_case"]),
    },
    Fault {
        name: "a customer without a key",
        file: "customers",
        change: Fields(&[(7, "customer_id", "")]),
        caught: At(&["PW0603"], "`customer_id`"),
    },
    Fault {
        name: "an order without a key, in quotes",
        file: "orders",
        change: Fields(&[(7, "order_id", "\"\"")]),
        caught: At(&["PW0603"], "`order_id`"),
    },
    Fault {
        name: "an order without a customer",
        file: "orders",
        change: Fields(&[(7, "customer_id", "")]),
        caught: At(&["raw_orders.not_null_customer_id"], "null"),
    },
    Fault {
        name: "a key cut short",
        file: "orders",
        change: Fields(&[(10, "order_id", "e37797aedc7cd4ef82278fbc169eeca")]),
        caught: At(&["raw_orders.ids_are_32_hexadecimal_characters"], "\"e37797aedc7cd4ef82278fbc169eeca\""),
    },
    Fault {
        name: "a key in capitals",
        file: "order_items",
        change: Fields(&[(10, "seller_id", "70C27847ECA8195C983ED7E798C56743")]),
        caught: At(
            &["raw_order_items.ids_are_32_hexadecimal_characters", "raw_order_items.relationships_seller_id"],
            "70C27847ECA8195C983ED7E798C56743",
        ),
    },
    Fault {
        name: "a blank behind a key",
        file: "customers",
        change: Fields(&[(1, "customer_id", "5e274e7a0c3809e14aba7ad5aae0d407 ")]),
        caught: At(&["raw_customers.ids_are_32_hexadecimal_characters"], "5e274e7a0c3809e14aba7ad5aae0d407 "),
    },
    Fault {
        name: "an item of no order",
        file: "order_items",
        change: Fields(&[(10, "order_id", NOBODY)]),
        caught: At(&["raw_order_items.relationships_order_id"], NOBODY),
    },
    Fault {
        name: "an item of no product",
        file: "order_items",
        change: Fields(&[(10, "product_id", NOBODY)]),
        caught: At(&["raw_order_items.relationships_product_id"], NOBODY),
    },
    Fault {
        name: "an item of no seller",
        file: "order_items",
        change: Fields(&[(10, "seller_id", NOBODY)]),
        caught: At(&["raw_order_items.relationships_seller_id"], NOBODY),
    },
    Fault {
        name: "a payment of no order",
        file: "order_payments",
        change: Fields(&[(5, "order_id", NOBODY)]),
        caught: At(&["raw_order_payments.relationships_order_id"], NOBODY),
    },
    Fault {
        name: "a review of no order",
        file: "order_reviews",
        change: Fields(&[(25, "order_id", NOBODY)]),
        caught: At(&["raw_order_reviews.relationships_order_id"], NOBODY),
    },
    Fault {
        name: "an order of no customer",
        file: "orders",
        change: Fields(&[(10, "customer_id", NOBODY)]),
        caught: At(&["raw_orders.relationships_customer_id"], NOBODY),
    },
    Fault {
        name: "a customer without an order",
        file: "customers",
        change: Records(|file| {
            let mut record = file.records[1].clone();
            NOBODY.clone_into(&mut record[0]);
            file.records.push(record);
        }),
        caught: Told(&["raw_orders.each_customer_row_has_its_order"], &[NOBODY]),
    },
];

const MONEY: &[Fault] = &[
    Fault {
        name: "a negative price",
        file: "order_items",
        change: Fields(&[(6, "price", "-94.9")]),
        caught: At(&["raw_order_items.price_is_positive"], "\"-94.9\""),
    },
    Fault {
        name: "a price of zero",
        file: "order_items",
        change: Fields(&[(6, "price", "0.00")]),
        caught: At(&["raw_order_items.price_is_positive"], "\"price\":\"0\""),
    },
    Fault {
        name: "an absurd price",
        file: "order_items",
        change: Fields(&[(6, "price", "949000.0")]),
        caught: At(&["raw_order_items.price_within_reason"], "\"949000\""),
    },
    Fault {
        name: "no price",
        file: "order_items",
        change: Fields(&[(6, "price", "")]),
        caught: At(&["raw_order_items.not_null_price"], "\"price\":null"),
    },
    Fault {
        name: "a word for a price",
        file: "order_items",
        change: Fields(&[(6, "price", "free")]),
        caught: At(&["PW0603"], "`free`"),
    },
    Fault {
        name: "a decimal comma in quotes",
        file: "order_items",
        change: Fields(&[(6, "price", "\"94,90\"")]),
        caught: At(&["PW0603"], "`94,90`"),
    },
    Fault {
        name: "a decimal comma without quotes",
        file: "order_items",
        change: Fields(&[(6, "price", "94,90")]),
        caught: At(&["PW0603"], "8 fields"),
    },
    Fault {
        name: "a mark between thousands",
        file: "order_payments",
        change: Fields(&[(2, "payment_value", "\"1,188.73\"")]),
        caught: At(&["PW0603"], "`1,188.73`"),
    },
    Fault {
        name: "a price of three decimals",
        file: "order_items",
        change: Fields(&[(6, "price", "94.901")]),
        caught: At(&["raw_order_items.money_has_two_decimals"], "\"94.901\""),
    },
    Fault {
        name: "a negative payment",
        file: "order_payments",
        change: Fields(&[(2, "payment_value", "-188.73")]),
        caught: At(&["raw_order_payments.value_is_not_negative"], "\"-188.73\""),
    },
    Fault {
        name: "an absurd payment",
        file: "order_payments",
        change: Fields(&[(2, "payment_value", "188730")]),
        caught: At(&["raw_order_payments.value_within_reason"], "\"188730\""),
    },
    Fault {
        name: "99 instalments",
        file: "order_payments",
        change: Fields(&[(2, "payment_installments", "99")]),
        caught: At(&["raw_order_payments.between_payment_installments"], "99"),
    },
    Fault {
        name: "a payment of an unknown type",
        file: "order_payments",
        change: Fields(&[(2, "payment_type", "pix")]),
        caught: At(&["raw_order_payments.accepted_values_payment_type"], "\"pix\""),
    },
    Fault {
        name: "a type of payment in capitals",
        file: "order_payments",
        change: Fields(&[(2, "payment_type", "CREDIT_CARD")]),
        caught: At(&["raw_order_payments.accepted_values_payment_type"], "\"CREDIT_CARD\""),
    },
];

const TIMES: &[Fault] = &[
    Fault {
        name: "a date to come",
        file: "orders",
        change: Fields(&[(10, "order_delivered_customer_date", "2031-05-14 18:55:59")]),
        caught: At(&["raw_orders.between_order_delivered_customer_date"], "2031-05-14"),
    },
    Fault {
        name: "a date before there was a shop",
        file: "orders",
        change: Fields(&[(10, "order_purchase_timestamp", "2015-05-08 22:12:34")]),
        caught: At(&["raw_orders.between_order_purchase_timestamp"], "2015-05-08"),
    },
    Fault {
        name: "purchase and approval exchanged",
        file: "orders",
        change: Fields(&[
            (10, "order_purchase_timestamp", "2018-05-08 22:31:43"),
            (10, "order_approved_at", "2018-05-08 22:12:34"),
        ]),
        caught: At(&["raw_orders.approved_after_purchase"], "2018-05-08T22:31:43"),
    },
    Fault {
        name: "purchase and promised day exchanged",
        file: "orders",
        change: Fields(&[
            (10, "order_purchase_timestamp", "2018-05-23 00:00:00"),
            (10, "order_estimated_delivery_date", "2018-05-08 22:12:34"),
        ]),
        caught: At(
            &["raw_orders.promised_after_purchase", "raw_orders.promised_day_is_a_midnight"],
            "2018-05-23",
        ),
    },
    Fault {
        name: "a promise years ahead",
        file: "orders",
        change: Fields(&[(3, "order_estimated_delivery_date", "2019-09-28 00:00:00")]),
        caught: At(&["raw_orders.promised_within_a_year"], "2019-09-28"),
    },
    Fault {
        name: "day, month and year",
        file: "orders",
        change: Fields(&[(10, "order_purchase_timestamp", "08/05/2018 22:12:34")]),
        caught: At(&["PW0603"], "`08/05/2018 22:12:34`"),
    },
    Fault {
        name: "a day that there is not",
        file: "orders",
        change: Fields(&[(10, "order_purchase_timestamp", "2018-02-30 10:00:00")]),
        caught: At(&["PW0603"], "`2018-02-30 10:00:00`"),
    },
    Fault {
        name: "the number of a spreadsheet's day",
        file: "order_items",
        change: Fields(&[(6, "shipping_limit_date", "43228.51032")]),
        caught: At(&["PW0603"], "`43228.51032`"),
    },
    Fault {
        name: "the same time, as ISO 8601 writes it",
        file: "orders",
        change: Fields(&[(10, "order_purchase_timestamp", "2018-05-08T22:12:34Z")]),
        caught: Accepted,
    },
    Fault {
        name: "an order without its time",
        file: "orders",
        change: Fields(&[(10, "order_purchase_timestamp", "")]),
        caught: At(&["raw_orders.not_null_order_purchase_timestamp"], "null"),
    },
    Fault {
        name: "an answer before its question",
        file: "order_reviews",
        change: Fields(&[(6, "review_answer_timestamp", "2018-04-11 11:56:19")]),
        caught: At(&["raw_order_reviews.answered_after_creation"], "2018-04-11T11:56:19"),
    },
    Fault {
        name: "the columns of one row shifted",
        file: "orders",
        change: Records(|file| file.records[10].rotate_left(1)),
        caught: Told(
            &["PW0603"],
            &["real/olist_orders_dataset.csv:11, column `order_estimated_delivery_date`"],
        ),
    },
    Fault {
        name: "the text columns of one row shifted",
        file: "customers",
        change: Records(|file| file.records[10].rotate_left(1)),
        caught: Told(
            &["raw_customers.ids_are_32_hexadecimal_characters", "raw_customers.zip_prefix_has_five_digits"],
            &["real/olist_customers_dataset.csv:11 "],
        ),
    },
];

const VALUES: &[Fault] = &[
    Fault {
        name: "an unknown status",
        file: "orders",
        change: Fields(&[(10, "order_status", "lost")]),
        caught: At(&["raw_orders.accepted_values_order_status"], "\"lost\""),
    },
    Fault {
        name: "a status in capitals",
        file: "orders",
        change: Fields(&[(10, "order_status", "DELIVERED")]),
        caught: At(&["raw_orders.accepted_values_order_status"], "\"DELIVERED\""),
    },
    Fault {
        name: "an unknown state",
        file: "customers",
        change: Fields(&[(10, "customer_state", "XX")]),
        caught: At(&["raw_customers.relationships_customer_state"], "\"XX\""),
    },
    Fault {
        name: "a zip prefix without its zero",
        file: "sellers",
        change: Fields(&[(2, "seller_zip_code_prefix", "4726")]),
        caught: At(&["raw_sellers.zip_prefix_has_five_digits"], "\"4726\""),
    },
    Fault {
        name: "a zip code that is no prefix",
        file: "geolocation",
        change: Fields(&[(2, "geolocation_zip_code_prefix", "01027-000")]),
        caught: At(&["raw_geolocation.zip_prefix_has_five_digits"], "\"01027-000\""),
    },
    Fault {
        name: "a score of 0",
        file: "order_reviews",
        change: Fields(&[(25, "review_score", "0")]),
        caught: At(&["raw_order_reviews.between_review_score"], "\"review_score\":0"),
    },
    Fault {
        name: "a score of 6",
        file: "order_reviews",
        change: Fields(&[(25, "review_score", "6")]),
        caught: At(&["raw_order_reviews.between_review_score"], "\"review_score\":6"),
    },
    Fault {
        name: "a quote that opens and does not close",
        file: "order_reviews",
        change: Fields(&[(25, "review_comment_title", "\"Recomendo")]),
        caught: At(&["PW0603"], "a quote is opened here"),
    },
    Fault {
        name: "a quote inside of a field",
        file: "sellers",
        change: Fields(&[(6, "seller_city", "santa barbara d\"oeste")]),
        caught: At(&["PW0603"], "santa barbara d\"oeste"),
    },
    Fault {
        name: "a negative weight",
        file: "products",
        change: Fields(&[(3, "product_weight_g", "-3600")]),
        caught: At(&["raw_products.between_product_weight_g"], "-3600"),
    },
    Fault {
        name: "an absurd weight",
        file: "products",
        change: Fields(&[(3, "product_weight_g", "3600000")]),
        caught: At(&["raw_products.between_product_weight_g"], "3600000"),
    },
    Fault {
        name: "a category that nobody knows",
        file: "products",
        change: Fields(&[(3, "product_category_name", "malas_acessorioss")]),
        caught: Warned(&[
            "raw_products.further_category_has_a_translation",
            "raw_products.two_categories_lack_a_translation",
        ]),
    },
    Fault {
        name: "a latitude beyond the pole",
        file: "geolocation",
        change: Fields(&[(3, "geolocation_lat", "-235.4032")]),
        caught: At(&["raw_geolocation.between_geolocation_lat"], "-235.4032"),
    },
    Fault {
        name: "a translation without its word",
        file: "translation",
        change: Fields(&[(3, "product_category_name_english", "")]),
        caught: At(&["PW0603"], "`product_category_name_english`"),
    },
    Fault {
        name: "two categories translated alike",
        file: "translation",
        change: Fields(&[(3, "product_category_name_english", "health_beauty")]),
        caught: By(&["raw_product_category_name_translation.unique_product_category_name_english"]),
    },
    Fault {
        name: "two faults in one file",
        file: "order_items",
        change: Fields(&[(6, "price", "-94.9"), (9, "product_id", NOBODY)]),
        caught: At(
            &["raw_order_items.price_is_positive", "raw_order_items.relationships_product_id"],
            "\"-94.9\"",
        ),
    },
    Fault {
        name: "two rows that cannot be read",
        file: "order_items",
        change: Fields(&[(6, "price", "free"), (9, "shipping_limit_date", "soon")]),
        caught: Told(&["PW0603"], &["real/olist_order_items_dataset.csv:10", "`soon`"]),
    },
];

/// All faults of this file.
pub(super) const ALL: &[&[Fault]] = &[KEYS, MONEY, TIMES, VALUES];

#[test]
fn keys_that_are_none_and_rows_without_their_like() {
    inject(KEYS);
}

#[test]
fn money() {
    inject(MONEY);
}

#[test]
fn times() {
    inject(TIMES);
}

#[test]
fn values_that_cannot_be() {
    inject(VALUES);
}
