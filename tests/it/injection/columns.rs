//! Faults in every value of a column: what a changed export or a careless load does.

use super::Caught::{Accepted, By, Told, Warned};
use super::Change::{Column, Records};
use super::{Fault, inject};

const COLUMNS: &[Fault] = &[
    Fault {
        name: "zip prefixes that went through a spreadsheet",
        file: "customers",
        change: Column("customer_zip_code_prefix", |zip| zip.trim_start_matches('0').to_owned()),
        caught: Told(&["raw_customers.zip_prefix_has_five_digits"], &["real/olist_customers_dataset.csv:"]),
    },
    Fault {
        name: "zip prefixes that lost their zeros and were padded at the wrong end",
        file: "customers",
        change: Column("customer_zip_code_prefix", |zip| format!("{:0<5}", zip.trim_start_matches('0'))),
        caught: By(&["raw_customers.some_zip_prefixes_begin_with_a_zero"]),
    },
    Fault {
        name: "every order delivered",
        file: "orders",
        change: Column("order_status", |_| "delivered".to_owned()),
        caught: By(&["stg_orders.delivered_order_has_items"]),
    },
    Fault {
        name: "every payment by card",
        file: "order_payments",
        change: Column("payment_type", |_| "credit_card".to_owned()),
        caught: By(&[
            "dim_payments.not_constant_uses_boleto",
            "dim_payments.not_constant_uses_voucher",
            "dim_payments.not_constant_primary_payment_type",
        ]),
    },
    Fault {
        name: "prices in cents",
        file: "order_items",
        change: Column("price", |price| price.replace('.', "")),
        caught: By(&["raw_order_items.price_within_reason"]),
    },
    Fault {
        name: "prices cut to whole reais",
        file: "order_items",
        change: Column("price", |price| price.split('.').next().unwrap_or_default().to_owned()),
        caught: By(&[
            "raw_order_payments.payments_cover_the_items",
            "raw_order_payments.nearly_every_order_is_paid_to_the_cent",
        ]),
    },
    Fault {
        name: "promised days in the local time zone",
        file: "orders",
        change: Column("order_estimated_delivery_date", |day| day.replace("00:00:00", "03:00:00")),
        caught: By(&["raw_orders.promised_day_is_a_midnight"]),
    },
    Fault {
        name: "every score the same",
        file: "order_reviews",
        change: Column("review_score", |_| "5".to_owned()),
        caught: By(&["dim_reviews.not_constant_review_score"]),
    },
    Fault {
        name: "all comments lost",
        file: "order_reviews",
        change: Column("review_comment_message", |_| String::new()),
        caught: By(&["dim_reviews.not_constant_has_comment_message"]),
    },
    Fault {
        name: "no product has a category",
        file: "products",
        change: Column("product_category_name", |_| String::new()),
        caught: By(&["dim_products.nearly_every_category_is_known"]),
    },
    Fault {
        name: "all customers from one state",
        file: "customers",
        change: Column("customer_state", |_| "SP".to_owned()),
        caught: By(&[
            "dim_customers.not_constant_customer_state",
            "dim_customers.not_constant_customer_region",
        ]),
    },
    Fault {
        name: "one person for all orders",
        file: "customers",
        change: Column("customer_unique_id", |_| "57b2a98a409812fe9618067b6b8ebe4f".to_owned()),
        caught: By(&["raw_customers.unique_share_customer_unique_id"]),
    },
    Fault {
        name: "a tenth of the parcels handed over before their payment was approved",
        file: "orders",
        change: Records(|file| {
            let (carrier, purchase) =
                (file.column("order_delivered_carrier_date"), file.column("order_purchase_timestamp"));
            for record in
                file.records[1..].iter_mut().step_by(10).filter(|record| !record[carrier].is_empty())
            {
                record[carrier] = record[purchase].clone();
            }
        }),
        caught: Warned(&["raw_orders.carrier_after_approval"]),
    },
    Fault {
        name: "many deliveries without their time",
        file: "orders",
        change: Records(|file| {
            let delivered = file.column("order_delivered_customer_date");
            for record in file.records[1..].iter_mut().step_by(50) {
                record[delivered].clear();
            }
        }),
        caught: Warned(&["raw_orders.delivered_order_has_its_delivery"]),
    },
    Fault {
        name: "cities in other letters",
        file: "customers",
        change: Column("customer_city", |city| format!("  {} ", city.to_uppercase())),
        caught: Accepted,
    },
];

/// All faults of this file.
pub(super) const ALL: &[&[Fault]] = &[COLUMNS];

#[test]
fn columns_that_changed_their_meaning() {
    inject(COLUMNS);
}
