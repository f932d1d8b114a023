//! What is known of the real files is told with its count, as a warning or for information, and stops nothing.

use super::{Bench, Size};

/// Facts of the files, as found by other means, and the expectations that tell them.
const KNOWN: &[(&str, &str, &str)] = &[
    ("info", "raw_product_category_name_translation.english_name_is_spelt_well", "5 of 71 rows"),
    ("warning", "raw_products.not_null_product_category_name", "111 of 5,460 rows"),
    ("warning", "raw_products.not_null_product_name_lenght", "111 of 5,460 rows"),
    ("warning", "raw_products.not_null_product_description_lenght", "111 of 5,460 rows"),
    ("warning", "raw_products.not_null_product_photos_qty", "111 of 5,460 rows"),
    ("warning", "raw_products.two_categories_lack_a_translation", "2 bad rows"),
    ("info", "stg_category_translation.translation_is_used", "1 of 71 rows"),
    ("info", "raw_geolocation.point_is_told_once", "9,028 bad rows"),
    ("info", "raw_geolocation.city_is_spelt_in_one_way", "2,157 bad rows"),
    ("warning", "stg_geolocation.coordinates_made_null", "2 of 45,928 rows"),
    ("info", "raw_customers.zip_prefix_begins_with_a_zero", "1,995 of 8,135 rows"),
    ("warning", "raw_customers.zip_prefix_is_on_the_map", "29 of 8,135 rows"),
    ("info", "raw_sellers.zip_prefix_begins_with_a_zero", "556 of 1,610 rows"),
    ("warning", "raw_sellers.zip_prefix_is_on_the_map", "4 of 1,610 rows"),
    ("warning", "raw_sellers.city_is_a_name", "12 of 1,610 rows"),
    ("warning", "stg_orders.order_has_items", "775 of 8,135 rows"),
    ("warning", "raw_orders.delivered_order_has_its_delivery", "8 of 5,172 rows"),
    ("warning", "raw_orders.canceled_order_has_no_delivery", "6 of 625 rows"),
    ("warning", "raw_orders.delivered_after_carrier", "3 of 5,170 rows"),
    ("warning", "raw_orders.carrier_after_approval", "77 of 6,353 rows"),
    ("warning", "raw_orders.carrier_after_purchase", "3 of 6,353 rows"),
    ("warning", "raw_orders.order_is_approved", "146 of 8,135 rows"),
    ("info", "raw_orders.order_is_handed_over", "1,782 of 8,135 rows"),
    ("info", "raw_orders.order_is_delivered", "2,965 of 8,135 rows"),
    ("warning", "raw_orders.every_month_has_orders", "2 bad rows"),
    ("warning", "raw_order_payments.value_is_not_zero", "5 of 8,924 rows"),
    ("warning", "raw_order_payments.type_is_defined", "3 of 8,924 rows"),
    ("warning", "raw_order_payments.first_payment_is_number_one", "6 bad rows"),
    ("info", "raw_order_payments.few_payments_for_one_order", "127 of 8,924 rows"),
    ("info", "raw_order_payments.at_most_twelve_instalments", "13 of 8,924 rows"),
    ("warning", "raw_order_payments.order_is_paid_to_the_cent", "26 bad rows"),
    ("warning", "raw_order_reviews.unique_review_id", "62 of 8,225 rows"),
    ("warning", "raw_order_reviews.unique_order_id", "177 of 8,225 rows"),
    ("info", "raw_order_reviews.last_review_is_known", "15 bad rows"),
    ("warning", "raw_order_reviews.asked_after_purchase", "69 bad rows"),
    ("warning", "dim_reviews.reviewed_after_purchase", "59 of 8,135 rows"),
    ("info", "raw_order_reviews.comment_is_one_line", "436 of 8,225 rows"),
    ("info", "raw_order_reviews.comment_without_quotes", "27 of 8,225 rows"),
    ("info", "raw_order_reviews.comment_without_commas", "1,552 of 8,225 rows"),
    ("info", "raw_order_reviews.comment_without_blanks_around_it", "1,036 of 8,225 rows"),
    ("info", "raw_order_reviews.message_is_plain_ascii", "2,797 of 4,113 rows"),
    ("info", "raw_order_reviews.comment_without_emoji", "25 of 8,225 rows"),
    ("info", "raw_order_reviews.comment_is_more_than_white_space", "4 of 8,225 rows"),
];

#[test]
fn what_is_known_of_the_real_files_is_told_with_its_count() {
    let Some(bench) = Bench::new(Size::Full) else { return };
    let checked = |arguments: &[&str]| {
        let mut command = bench.project.command(arguments);
        crate::support::Outcome::of(command.env("OLIST_DATA_DIR", super::DATA))
    };
    fs_err::remove_file(bench.project.path().join(super::DATABASE)).unwrap();
    for outcome in [bench.apply(&[]).succeeds(), checked(&["check"]).succeeds()] {
        assert!(
            !outcome.stdout.contains("warned expectation") && !outcome.stdout.contains("failed expectation"),
            "{outcome}"
        );
        for (severity, name, found) in KNOWN {
            let told = outcome.stdout.lines().any(|line| {
                let mut words = line.split_whitespace();
                words.next() == Some(severity)
                    && words.next() == Some(&format!("expectation.{name}"))
                    && line.contains(&format!("  {found}"))
            });
            assert!(told, "{severity} {name} {found} is not told:\n{outcome}");
        }
    }
}
