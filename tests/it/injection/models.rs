//! Faults in the SQL and in the reference data: mistakes that give a table of the right shape with wrong rows.

use super::Caught::By;
use super::Change::{Bytes, Text};
use super::{Fault, inject};

const DIMENSIONS: &[Fault] = &[
    Fault {
        name: "flags compared with another case",
        file: "models/marts/dim_payments.sql",
        change: Bytes(|sql| {
            let sql = String::from_utf8(sql).expect("UTF-8");
            let types = ["credit_card", "boleto", "voucher", "debit_card"];
            types
                .iter()
                .fold(sql, |sql, word| {
                    sql.replace(&format!("'{word}'"), &format!("'{}'", word.to_uppercase()))
                })
                .into_bytes()
        }),
        caught: By(&[
            "dim_payments.not_constant_uses_credit_card",
            "dim_payments.not_constant_uses_boleto",
            "dim_payments.not_constant_uses_voucher",
            "dim_payments.not_constant_uses_debit_card",
            "dim_payments.primary_type_is_flagged",
            "dim_payments.flags_and_first_type_are_those_of_the_payments",
        ]),
    },
    Fault {
        name: "a flag that needs all payments to be alike",
        file: "models/marts/dim_payments.sql",
        change: Text("LOGICAL_OR(payment_type = 'voucher')", "LOGICAL_AND(payment_type = 'voucher')"),
        caught: By(&["dim_payments.flags_and_first_type_are_those_of_the_payments"]),
    },
    Fault {
        name: "the greatest number of instalments in place of all",
        file: "models/marts/dim_payments.sql",
        change: Text("SUM(payment_installments)", "MAX(payment_installments)"),
        caught: By(&["dim_payments.transactions_are_those_of_the_file"]),
    },
    Fault {
        name: "payment number 1 in place of the first one",
        file: "models/marts/dim_payments.sql",
        change: Text(
            "QUALIFY ROW_NUMBER() OVER (PARTITION BY order_id ORDER BY payment_sequential) = 1",
            "WHERE payment_sequential = 1",
        ),
        caught: By(&["dim_payments.payments_are_those_of_the_file"]),
    },
    Fault {
        name: "the last payment in place of the first",
        file: "models/marts/dim_payments.sql",
        change: Text("ORDER BY payment_sequential)", "ORDER BY payment_sequential DESC)"),
        caught: By(&["dim_payments.flags_and_first_type_are_those_of_the_payments"]),
    },
    Fault {
        name: "days of the week from 0",
        file: "models/marts/dim_date.sql",
        change: Text(
            "EXTRACT(DAYOFWEEK FROM full_date) AS day_of_week",
            "EXTRACT(DAYOFWEEK FROM full_date) - 1 AS day_of_week",
        ),
        caught: By(&["dim_date.day_of_week_counts_from_a_known_sunday", "dim_date.day_has_its_name"]),
    },
    Fault {
        name: "a weekend of days 0 and 6",
        file: "models/marts/dim_date.sql",
        change: Text("IN (1, 7)", "IN (0, 6)"),
        caught: By(&["dim_date.weekend_is_saturday_and_sunday"]),
    },
    Fault {
        name: "only days with orders",
        file: "models/marts/dim_date.sql",
        change: Text(
            "    SELECT full_date\n    FROM order_days\n    CROSS JOIN UNNEST(GENERATE_DATE_ARRAY(first_day, last_day)) AS full_date\n",
            "    SELECT DISTINCT DATE(order_purchase_timestamp) AS full_date\n    FROM {{ ref('stg_orders') }}\n",
        ),
        caught: By(&["dim_date.no_day_is_missing"]),
    },
    Fault {
        name: "a calendar that begins a day late",
        file: "models/marts/dim_date.sql",
        change: Text(
            "GENERATE_DATE_ARRAY(first_day,",
            "GENERATE_DATE_ARRAY(DATE_ADD(first_day, INTERVAL 1 DAY),",
        ),
        caught: By(&["dim_date.first_day_is_that_of_the_first_order"]),
    },
    Fault {
        name: "the fallback to the Portuguese name lost",
        file: "models/marts/dim_products.sql",
        change: Text("        products.product_category_name,\n        'unknown'", "        'unknown'"),
        caught: By(&["dim_products.category_is_unknown_only_without_one"]),
    },
    Fault {
        name: "the fallback to 'unknown' lost",
        file: "models/marts/dim_products.sql",
        change: Text(",\n        'unknown'\n", "\n"),
        caught: By(&["dim_products.not_null_product_category_english"]),
    },
    Fault {
        name: "a translation that never matches",
        file: "models/marts/dim_products.sql",
        change: Text(
            "ON translations.product_category_name = products.product_category_name",
            "ON translations.product_category_name_english = products.product_category_name",
        ),
        caught: By(&["dim_products.category_is_translated_where_it_can_be"]),
    },
    Fault {
        name: "products without a translation lost",
        file: "models/marts/dim_products.sql",
        change: Text("LEFT JOIN", "INNER JOIN"),
        caught: By(&["dim_products.row_count"]),
    },
    Fault {
        name: "a volume with a side twice",
        file: "models/marts/dim_products.sql",
        change: Text(
            "products.product_length_cm * products.product_height_cm * products.product_width_cm",
            "products.product_length_cm * products.product_height_cm * products.product_height_cm",
        ),
        caught: By(&["dim_products.volume_is_the_product_of_the_sides"]),
    },
    Fault {
        name: "length and width exchanged",
        file: "models/marts/dim_products.sql",
        change: Text(
            "    products.product_length_cm,\n    products.product_height_cm,\n    products.product_width_cm,\n",
            "    products.product_width_cm AS product_length_cm,\n    products.product_height_cm,\n    products.product_length_cm AS product_width_cm,\n",
        ),
        caught: By(&["dim_products.measures_are_those_of_the_file"]),
    },
    Fault {
        name: "the first review in place of the last",
        file: "models/marts/dim_reviews.sql",
        change: Text("ORDER BY review_creation_date DESC,", "ORDER BY review_creation_date,"),
        caught: By(&["dim_reviews.review_is_the_last_of_its_order"]),
    },
    Fault {
        name: "all reviews of an order",
        file: "models/marts/dim_reviews.sql",
        change: Text("        PARTITION BY order_id\n", "        PARTITION BY review_id, order_id\n"),
        caught: By(&["dim_reviews.unique_review_key", "dim_reviews.each_reviewed_order_is_there_once"]),
    },
    Fault {
        name: "days to the review the wrong way round",
        file: "models/marts/dim_reviews.sql",
        change: Text(
            "DATE_DIFF(reviews.review_creation_date, DATE(orders.order_purchase_timestamp), DAY)",
            "DATE_DIFF(DATE(orders.order_purchase_timestamp), reviews.review_creation_date, DAY)",
        ),
        caught: By(&["dim_reviews.days_agree_with_times"]),
    },
    Fault {
        name: "the flag of the title from the message",
        file: "models/marts/dim_reviews.sql",
        change: Text("review_comment_title IS NOT NULL AS", "review_comment_message IS NOT NULL AS"),
        caught: By(&["dim_reviews.comment_flags_are_those_of_the_reviews"]),
    },
    Fault {
        name: "the estimated day counts as late",
        file: "models/marts/dim_orders.sql",
        change: Text("delivery_vs_estimate_days <= 0 AS", "delivery_vs_estimate_days < 0 AS"),
        caught: By(&["dim_orders.on_time_agrees_with_times"]),
    },
    Fault {
        name: "spans of 24 hours in place of days of the calendar",
        file: "models/marts/dim_orders.sql",
        change: Text(
            "DATE_DIFF(DATE(order_delivered_customer_date), DATE(order_purchase_timestamp), DAY)",
            "TIMESTAMP_DIFF(order_delivered_customer_date, order_purchase_timestamp, DAY)",
        ),
        caught: By(&[
            "dim_orders.days_to_delivery_agree_with_times",
            "dim_orders.days_are_those_of_the_calendar_in_utc",
        ]),
    },
    Fault {
        name: "days of the local time zone",
        file: "models/marts/dim_orders.sql",
        change: Text(
            "DATE_DIFF(DATE(order_delivered_customer_date), DATE(order_purchase_timestamp), DAY)",
            "DATE_DIFF(DATE(order_delivered_customer_date, 'America/Sao_Paulo'), DATE(order_purchase_timestamp), DAY)",
        ),
        caught: By(&["dim_orders.days_are_those_of_the_calendar_in_utc"]),
    },
    Fault {
        name: "two times exchanged",
        file: "models/marts/dim_orders.sql",
        change: Text(
            "    order_status,\n    order_purchase_timestamp,\n    order_approved_at,\n    order_delivered_carrier_date,\n",
            "    order_status,\n    order_purchase_timestamp,\n    order_delivered_carrier_date AS order_approved_at,\n    order_approved_at AS order_delivered_carrier_date,\n",
        ),
        caught: By(&["dim_orders.same_rows_stg_orders"]),
    },
    Fault {
        name: "the oldest address in place of the latest",
        file: "models/marts/dim_customers.sql",
        change: Text("orders.order_purchase_timestamp DESC", "orders.order_purchase_timestamp"),
        caught: By(&["dim_customers.address_is_that_of_the_latest_order"]),
    },
    Fault {
        name: "a row for each order in place of each person",
        file: "models/marts/dim_customers.sql",
        change: Text("PARTITION BY customers.customer_unique_id", "PARTITION BY customers.customer_id"),
        caught: By(&["dim_customers.unique_customer_key", "dim_customers.each_person_is_there_once"]),
    },
    Fault {
        name: "a region that is NULL everywhere",
        file: "models/marts/dim_customers.sql",
        change: Text("ON states.state_code = addresses", "ON states.state_name = addresses"),
        caught: By(&["dim_customers.not_null_customer_region"]),
    },
    Fault {
        name: "coordinates that are NULL everywhere",
        file: "models/marts/dim_customers.sql",
        change: Text(
            "ON centres.zip_prefix = addresses.customer_zip_prefix",
            "ON centres.zip_prefix = addresses.customer_state",
        ),
        caught: By(&["dim_customers.coordinates_are_joined"]),
    },
    Fault {
        name: "every point of a zip prefix a row",
        file: "models/marts/dim_customers.sql",
        change: Text(
            "        ROUND(AVG(latitude), 4) AS latitude,\n        ROUND(AVG(longitude), 4) AS longitude\n    FROM {{ ref('stg_geolocation') }}\n    GROUP BY zip_prefix\n",
            "        latitude,\n        longitude\n    FROM {{ ref('stg_geolocation') }}\n",
        ),
        caught: By(&["dim_customers.unique_customer_key"]),
    },
    Fault {
        name: "one region for all sellers",
        file: "models/marts/dim_sellers.sql",
        change: Text("states.region AS", "'Southeast' AS"),
        caught: By(&["dim_sellers.region_is_that_of_the_state", "dim_sellers.not_constant_seller_region"]),
    },
];

const FACTS: &[Fault] = &[
    Fault {
        name: "a join that fans out",
        file: "models/marts/fact_sales.sql",
        change: Bytes(|sql| {
            let sql = String::from_utf8(sql).expect("UTF-8");
            sql.replace("payments.payment_key,", "payments.order_id AS payment_key,")
                .replace("ref('dim_payments')", "ref('stg_order_payments')")
                .replace("ON payments.payment_key =", "ON payments.order_id =")
                .into_bytes()
        }),
        caught: By(&[
            "fact_sales.row_count",
            "fact_sales.unique_sales_key",
            "fact_sales.as_many_items_of_each_order_as_the_file_has",
            "fact_sales.revenue_is_that_of_the_file",
        ]),
    },
    Fault {
        name: "a join that fans out behind a DISTINCT",
        file: "models/marts/fact_sales.sql",
        change: Bytes(|sql| {
            let sql = String::from_utf8(sql).expect("UTF-8");
            sql.replace("ref('dim_reviews')", "ref('stg_order_reviews')")
                .replace("reviews.review_key,", "reviews.review_id AS review_key,")
                .replace("ON reviews.review_key =", "ON reviews.order_id =")
                .replace("SELECT\n    CONCAT", "SELECT DISTINCT\n    CONCAT")
                .into_bytes()
        }),
        caught: By(&["fact_sales.row_count", "fact_sales.payments_and_reviews_are_those_of_the_order"]),
    },
    Fault {
        name: "an inner join that loses rows",
        file: "models/marts/fact_sales.sql",
        change: Text(
            "LEFT JOIN {{ ref('stg_orders') }} AS orders\n    ON orders.order_id = items.order_id",
            "INNER JOIN {{ ref('stg_orders') }} AS orders\n    ON orders.order_id = items.order_id AND orders.order_status = 'delivered'",
        ),
        caught: By(&["fact_sales.row_count", "fact_sales.revenue_is_that_of_the_file"]),
    },
    Fault {
        name: "as many rows as before, and one in place of another",
        file: "models/marts/fact_sales.sql",
        change: Text(
            "FROM {{ ref('stg_order_items') }} AS items\n",
            "FROM (\n    SELECT * FROM {{ ref('stg_order_items') }} WHERE order_id <> '0009792311464db532ff765bf7b182ae'\n    UNION ALL\n    SELECT * FROM {{ ref('stg_order_items') }} WHERE order_id = '000aed2e25dbad2f9ddb70584c5a2ded'\n) AS items\n",
        ),
        caught: By(&[
            "fact_sales.unique_sales_key",
            "fact_sales.as_many_items_of_each_order_as_the_file_has",
        ]),
    },
    Fault {
        name: "an order's payment repeated on each of its items",
        file: "models/marts/fact_sales.sql",
        change: Text("    1 AS quantity\n", "    1 AS quantity,\n    payments.total_payment_value\n"),
        caught: By(&["fact_sales.columns"]),
    },
    Fault {
        name: "a total without freight",
        file: "models/marts/fact_sales.sql",
        change: Text("items.price + items.freight_value AS", "items.price AS"),
        caught: By(&["fact_sales.total_is_price_and_freight", "fact_sales.revenue_is_that_of_the_file"]),
    },
    Fault {
        name: "price and total rounded",
        file: "models/marts/fact_sales.sql",
        change: Bytes(|sql| {
            String::from_utf8(sql)
                .expect("UTF-8")
                .replace("    items.price,\n", "    ROUND(items.price) AS price,\n")
                .replace("items.price + items", "ROUND(items.price) + items")
                .into_bytes()
        }),
        caught: By(&["fact_sales.revenue_is_that_of_the_file"]),
    },
    Fault {
        name: "a customer's row in place of the customer",
        file: "models/marts/fact_sales.sql",
        change: Text("customers.customer_unique_id AS customer_key", "customers.customer_id AS customer_key"),
        caught: By(&["fact_sales.relationships_customer_key"]),
    },
    Fault {
        name: "one customer for all",
        file: "models/marts/fact_sales.sql",
        change: Text("customers.customer_unique_id AS", "MIN(customers.customer_unique_id) OVER () AS"),
        caught: By(&["fact_sales.date_and_customer_are_those_of_the_order"]),
    },
    Fault {
        name: "the day of approval in place of purchase",
        file: "models/marts/fact_sales.sql",
        change: Text(
            "DATE(orders.order_purchase_timestamp)",
            "DATE(COALESCE(orders.order_approved_at, orders.order_purchase_timestamp))",
        ),
        caught: By(&["fact_sales.date_and_customer_are_those_of_the_order"]),
    },
    Fault {
        name: "reviews that are joined to nothing",
        file: "models/marts/fact_sales.sql",
        change: Text("ON reviews.review_key = items.order_id", "ON reviews.review_key = items.product_id"),
        caught: By(&["fact_sales.reviews_are_joined"]),
    },
    Fault {
        name: "payments that are NULL everywhere",
        file: "models/marts/fact_sales.sql",
        change: Text(
            "    payments.payment_key,\n",
            "    NULLIF(payments.payment_key, payments.payment_key) AS payment_key,\n",
        ),
        caught: By(&["fact_sales.payments_are_joined"]),
    },
    Fault {
        name: "no rows at all",
        file: "models/marts/fact_sales.sql",
        change: Text(
            "FROM {{ ref('stg_order_items') }} AS items\n",
            "FROM (SELECT * FROM {{ ref('stg_order_items') }} WHERE FALSE) AS items\n",
        ),
        caught: By(&["fact_sales.row_count"]),
    },
];

const STAGING: &[Fault] = &[
    Fault {
        name: "types of payment in capitals",
        file: "models/staging/stg_order_payments.sql",
        change: Text("lower_code", "upper_code"),
        caught: By(&["stg_order_payments.accepted_values_payment_type"]),
    },
    Fault {
        name: "cancelled orders left out",
        file: "models/staging/stg_orders.sql",
        change: Text(
            "FROM {{ source('raw_orders') }}",
            "FROM {{ source('raw_orders') }}\nWHERE order_status <> 'canceled'",
        ),
        caught: By(&["stg_orders.row_count", "stg_orders.same_rows_raw_orders"]),
    },
    Fault {
        name: "points outside of Brazil left out",
        file: "models/staging/stg_geolocation.sql",
        change: Text("    state\nFROM points", "    state\nFROM points\nWHERE is_in_brazil"),
        caught: By(&["stg_geolocation.row_count"]),
    },
    Fault {
        name: "one point for each zip prefix, as if it were a key",
        file: "models/staging/stg_geolocation.sql",
        change: Text(
            "    state\nFROM points",
            "    state\nFROM points\nQUALIFY ROW_NUMBER() OVER (PARTITION BY zip_prefix ORDER BY geolocation_lat) = 1",
        ),
        caught: By(&["stg_geolocation.row_count"]),
    },
    Fault {
        name: "one row for each review_id, as if it were a key",
        file: "models/staging/stg_order_reviews.sql",
        change: Text(
            "FROM {{ source('raw_order_reviews') }}",
            "FROM {{ source('raw_order_reviews') }}\nQUALIFY ROW_NUMBER() OVER (PARTITION BY review_id ORDER BY order_id) = 1",
        ),
        caught: By(&["stg_order_reviews.row_count", "stg_order_reviews.same_rows_raw_order_reviews"]),
    },
    Fault {
        name: "blanks alone taken off texts",
        file: "models/staging/stg_order_reviews.sql",
        change: Text("{{ clean_text('review_comment_message') }}", "TRIM(review_comment_message, ' ')"),
        caught: By(&["stg_order_reviews.regex_review_comment_message"]),
    },
    Fault {
        name: "days in the local time zone",
        file: "models/staging/stg_order_reviews.sql",
        change: Text("DATE(review_creation_date)", "DATE(review_creation_date, 'America/Sao_Paulo')"),
        caught: By(&["stg_order_reviews.review_days_add_up"]),
    },
    Fault {
        name: "zip prefixes as numbers",
        file: "models/staging/stg_customers.sql",
        change: Text(
            "{{ zip_prefix('customer_zip_code_prefix') }}",
            "CAST(CAST(customer_zip_code_prefix AS INT64) AS STRING)",
        ),
        caught: By(&["stg_customers.zip_prefix_has_five_digits"]),
    },
    Fault {
        name: "cities as they came",
        file: "models/staging/stg_sellers.sql",
        change: Text("{{ normalise_city('seller_city') }}", "UPPER(seller_city)"),
        caught: By(&["stg_sellers.city_is_normalised"]),
    },
    Fault {
        name: "a price rounded to whole reais",
        file: "models/staging/stg_order_items.sql",
        change: Text("    price,\n", "    ROUND(price) AS price,\n"),
        caught: By(&["stg_order_items.same_rows_raw_order_items"]),
    },
    Fault {
        name: "a state that is missing from the list of them",
        file: "seeds/brazil_state_regions.csv",
        change: Bytes(|bytes| {
            let text = String::from_utf8(bytes).expect("UTF-8");
            let lines = text.split_inclusive('\n').filter(|line| !line.starts_with("AC,"));
            lines.collect::<String>().into_bytes()
        }),
        caught: By(&["brazil_state_regions.row_count"]),
    },
];

/// All faults of this file.
pub(super) const ALL: &[&[Fault]] = &[DIMENSIONS, FACTS, STAGING];

#[test]
fn dimensions() {
    inject(DIMENSIONS);
}

#[test]
fn facts() {
    inject(FACTS);
}

#[test]
fn staging() {
    inject(STAGING);
}
