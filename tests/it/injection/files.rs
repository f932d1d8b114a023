//! Faults of whole files: cut off, doubled, mislabelled, in another encoding or dialect, gone.

use super::Caught::{Accepted, At, By, EvenAllowed, Told};
use super::Change::{Bytes, Fields, Gone, Records};
use super::{Fault, inject};

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).expect("UTF-8")
}

/// Without the last bytes.
fn cut(mut bytes: Vec<u8>, count: usize) -> Vec<u8> {
    bytes.truncate(bytes.len() - count);
    bytes
}

/// Each character as two bytes, the lower one first, behind a mark that says so or not.
fn utf_16(bytes: Vec<u8>, mark: bool) -> Vec<u8> {
    let mark: &[u8] = if mark { b"\xFF\xFE" } else { b"" };
    mark.iter().copied().chain(text(bytes).encode_utf16().flat_map(u16::to_le_bytes)).collect()
}

const HEADERS: &[Fault] = &[
    Fault {
        name: "a header of another file",
        file: "orders",
        change: Records(|file| {
            file.records[0] = ["a", "b", "c", "d", "e", "f", "g", "h"].map(str::to_owned).to_vec();
        }),
        caught: Told(&["PW0602"], &["real/olist_orders_dataset.csv", "order_id"]),
    },
    Fault {
        name: "no header",
        file: "customers",
        change: Records(|file| drop(file.records.remove(0))),
        caught: Told(&["PW0602"], &["real/olist_customers_dataset.csv", "customer_id"]),
    },
    Fault {
        name: "a column renamed",
        file: "order_items",
        change: Records(|file| {
            let price = file.column("price");
            "preis".clone_into(&mut file.records[0][price]);
        }),
        caught: Told(&["PW0602"], &["real/olist_order_items_dataset.csv", "price"]),
    },
    Fault {
        name: "a column is missing",
        file: "order_payments",
        change: Records(|file| {
            let gone = file.column("payment_value");
            file.records.iter_mut().for_each(|record| drop(record.remove(gone)));
        }),
        caught: Told(&["PW0602"], &["real/olist_order_payments_dataset.csv", "payment_value"]),
    },
    Fault {
        name: "a column more",
        file: "order_reviews",
        change: Records(|file| {
            file.records[0].push("source".to_owned());
            file.records[1..].iter_mut().for_each(|record| record.push("app".to_owned()));
        }),
        caught: Told(&["PW0602"], &["real/olist_order_reviews_dataset.csv", "source"]),
    },
    Fault {
        name: "a column twice",
        file: "sellers",
        change: Records(|file| {
            let twice = file.column("seller_id");
            for record in &mut file.records {
                record.push(record[twice].clone());
            }
        }),
        caught: Told(&["PW0602"], &["real/olist_sellers_dataset.csv", "seller_id"]),
    },
    Fault {
        name: "columns in another order, with their names",
        file: "order_items",
        change: Records(|file| file.records.iter_mut().for_each(|record| record.reverse())),
        caught: Accepted,
    },
    Fault {
        name: "the names of two columns of dates exchanged",
        file: "orders",
        change: Records(|file| {
            let (one, other) = (file.column("order_purchase_timestamp"), file.column("order_approved_at"));
            file.records[0].swap(one, other);
        }),
        caught: By(&["raw_orders.approved_after_purchase"]),
    },
    Fault {
        name: "the names of latitude and longitude exchanged",
        file: "geolocation",
        change: Records(|file| {
            let (one, other) = (file.column("geolocation_lat"), file.column("geolocation_lng"));
            file.records[0].swap(one, other);
        }),
        caught: Told(
            &["raw_geolocation.lies_in_brazil"],
            &["real/olist_geolocation_dataset.csv:2 ", "-46.63"],
        ),
    },
    Fault {
        name: "the names of price and freight exchanged",
        file: "order_items",
        change: Records(|file| {
            let (one, other) = (file.column("price"), file.column("freight_value"));
            file.records[0].swap(one, other);
        }),
        // Some items are sent for nothing.
        caught: By(&["raw_order_items.price_is_positive"]),
    },
];

const CUT: &[Fault] = &[
    Fault {
        name: "cut off in the middle of a row",
        file: "order_items",
        change: Bytes(|bytes| cut(bytes, 60)),
        caught: Told(&["PW0603"], &["real/olist_order_items_dataset.csv:", "the record has"]),
    },
    Fault {
        name: "cut off within a quoted field",
        file: "order_reviews",
        change: Bytes(|mut bytes| {
            let middle = bytes.len() / 2;
            let quote = middle + bytes[middle..].windows(2).position(|pair| pair == b",\"").expect("a quote");
            bytes.truncate(quote + 12);
            bytes
        }),
        caught: Told(
            &["PW0603"],
            &["real/olist_order_reviews_dataset.csv:", "a quote is opened here and never closed"],
        ),
    },
    Fault {
        name: "cut off at the end of a row",
        file: "orders",
        change: Records(|file| file.records.truncate(file.records.len() * 9 / 10)),
        caught: By(&["raw_orders.each_customer_row_has_its_order"]),
    },
    Fault {
        name: "an empty file",
        file: "sellers",
        change: Bytes(|_| Vec::new()),
        caught: Told(&["PW0602"], &["real/olist_sellers_dataset.csv"]),
    },
    Fault {
        name: "a header and nothing else",
        file: "products",
        change: Records(|file| file.records.truncate(1)),
        caught: By(&["raw_products.row_count"]),
    },
    Fault {
        name: "the translations emptied",
        file: "translation",
        change: Records(|file| file.records.truncate(1)),
        caught: By(&["raw_product_category_name_translation.row_count"]),
    },
    Fault {
        name: "a file is not there",
        file: "geolocation",
        change: Gone,
        caught: Told(&["PW0601"], &["real/olist_geolocation_dataset.csv"]),
    },
    Fault {
        name: "a page that says that there is no such file",
        file: "customers",
        change: Bytes(|_| b"<!DOCTYPE html>\n<html><body>404 Not Found</body></html>\n".to_vec()),
        caught: Told(&["PW0602"], &["real/olist_customers_dataset.csv"]),
    },
    Fault {
        name: "text behind the last row",
        file: "order_items",
        change: Bytes(|bytes| [bytes, b"-- 8365 rows exported --\n".to_vec()].concat()),
        caught: Told(
            &["PW0603"],
            &["real/olist_order_items_dataset.csv:", "the record has 1 field, the header has 7"],
        ),
    },
    Fault {
        name: "empty lines at the end",
        file: "order_items",
        change: Bytes(|bytes| [bytes, b"\n\n\n".to_vec()].concat()),
        caught: Accepted,
    },
    Fault {
        name: "no line end at the end",
        file: "sellers",
        change: Bytes(|bytes| cut(bytes, 1)),
        caught: Accepted,
    },
];

fn every_row_twice(file: &mut super::File) {
    let rows = file.records.split_off(1);
    file.records.extend(rows.into_iter().flat_map(|row| [row.clone(), row]));
}

/// As when a file is appended to itself.
fn all_rows_again(file: &mut super::File) {
    let rows = file.records[1..].to_vec();
    file.records.extend(rows);
}

const DOUBLED: &[Fault] = &[
    Fault {
        name: "every order twice",
        file: "orders",
        change: Records(every_row_twice),
        caught: Told(
            &["raw_orders.unique_order_id"],
            &["real/olist_orders_dataset.csv:", "\"rows_with_this_key\":2"],
        ),
    },
    Fault {
        name: "all items again",
        file: "order_items",
        change: Records(all_rows_again),
        caught: By(&[
            "raw_order_items.unique_order_id_order_item_id",
            "raw_order_items.items_are_numbered_from_one",
        ]),
    },
    Fault {
        name: "every payment twice",
        file: "order_payments",
        change: Records(every_row_twice),
        caught: By(&[
            "raw_order_payments.unique_order_id_payment_sequential",
            "raw_order_payments.payments_cover_the_items",
        ]),
    },
    Fault {
        name: "all points again, which have no key",
        file: "geolocation",
        change: Records(all_rows_again),
        caught: By(&["raw_geolocation.points_are_not_loaded_twice"]),
    },
    Fault {
        name: "every translation twice",
        file: "translation",
        change: Records(every_row_twice),
        caught: By(&["raw_product_category_name_translation.unique_product_category_name"]),
    },
];

fn first_row(file: &mut super::File) {
    file.records.remove(1);
}

fn last_row(file: &mut super::File) {
    file.records.pop();
}

fn every_other_row(file: &mut super::File) {
    let mut number = 0;
    file.records.retain(|_| {
        number += 1;
        number == 1 || number % 2 == 0
    });
}

const LOST: &[Fault] = &[
    // What a first load would see too, which has nothing to compare the number of rows with.
    Fault {
        name: "the first order lost",
        file: "orders",
        change: Records(first_row),
        caught: EvenAllowed(&["raw_orders.each_customer_row_has_its_order"]),
    },
    Fault {
        name: "the last order lost",
        file: "orders",
        change: Records(last_row),
        caught: EvenAllowed(&["raw_orders.each_customer_row_has_its_order"]),
    },
    Fault {
        name: "the first customer lost",
        file: "customers",
        change: Records(first_row),
        caught: EvenAllowed(&["raw_orders.relationships_customer_id"]),
    },
    Fault {
        name: "the first product lost",
        file: "products",
        change: Records(first_row),
        caught: EvenAllowed(&["raw_order_items.relationships_product_id"]),
    },
    Fault {
        name: "the first seller lost",
        file: "sellers",
        change: Records(first_row),
        caught: EvenAllowed(&["raw_order_items.relationships_seller_id"]),
    },
    Fault {
        name: "the only item of the first order lost",
        file: "order_items",
        change: Records(first_row),
        caught: EvenAllowed(&["stg_orders.delivered_order_has_items"]),
    },
    Fault {
        name: "the first of an order's items lost",
        file: "order_items",
        change: Records(|file| {
            let number = file.column("order_item_id");
            let second = file.records.iter().position(|record| record[number] == "2").expect("a second item");
            file.records.remove(second - 1);
        }),
        caught: EvenAllowed(&["raw_order_items.items_are_numbered_from_one"]),
    },
    Fault {
        name: "every other order lost",
        file: "orders",
        change: Records(every_other_row),
        caught: EvenAllowed(&["raw_orders.each_customer_row_has_its_order"]),
    },
    Fault {
        name: "every other payment lost",
        file: "order_payments",
        change: Records(every_other_row),
        caught: EvenAllowed(&["raw_order_payments.payments_cover_the_items"]),
    },
    Fault {
        name: "the later half of the points lost",
        file: "geolocation",
        change: Records(|file| file.records.truncate(file.records.len() / 2)),
        caught: By(&["PW0708"]),
    },
    // What has no expectation of its own: one row of many that nothing refers to.
    Fault {
        name: "the first payment lost",
        file: "order_payments",
        change: Records(first_row),
        caught: By(&["PW0708"]),
    },
    Fault {
        name: "the last review lost",
        file: "order_reviews",
        change: Records(last_row),
        caught: By(&["PW0708"]),
    },
    Fault {
        name: "the first point lost",
        file: "geolocation",
        change: Records(first_row),
        caught: By(&["PW0708"]),
    },
    Fault {
        name: "the first translation lost",
        file: "translation",
        change: Records(first_row),
        caught: By(&["PW0708"]),
    },
];

const ENCODINGS: &[Fault] = &[
    Fault {
        name: "UTF-16 with a byte order mark",
        file: "order_reviews",
        change: Bytes(|bytes| utf_16(bytes, true)),
        caught: Accepted,
    },
    Fault {
        name: "UTF-16 without a byte order mark",
        file: "order_reviews",
        change: Bytes(|bytes| utf_16(bytes, false)),
        caught: Told(&["PW0602"], &["real/olist_order_reviews_dataset.csv"]),
    },
    Fault {
        name: "UTF-8 with a byte order mark",
        file: "translation",
        change: Bytes(|bytes| [b"\xEF\xBB\xBF".to_vec(), bytes].concat()),
        caught: Accepted,
    },
    Fault {
        name: "windows-1252 in place of UTF-8",
        file: "order_reviews",
        change: Bytes(|bytes| {
            let byte = |letter: char| u8::try_from(u32::from(letter)).unwrap_or(b'?');
            text(bytes).chars().map(byte).collect()
        }),
        caught: Told(
            &["PW0603"],
            &["real/olist_order_reviews_dataset.csv:2,", "not text in the declared encoding"],
        ),
    },
    Fault {
        name: "UTF-8 that was taken for windows-1252 and written as UTF-8 again",
        file: "order_reviews",
        change: Bytes(|bytes| bytes.iter().map(|byte| char::from(*byte)).collect::<String>().into_bytes()),
        caught: Told(
            &["raw_order_reviews.comment_is_decoded_well"],
            &["real/olist_order_reviews_dataset.csv:2 "],
        ),
    },
    Fault {
        name: "characters that could not be decoded, and were replaced",
        file: "order_reviews",
        change: Fields(&[(1, "review_comment_message", "P\u{fffd}ssimo")]),
        caught: At(&["raw_order_reviews.comment_is_decoded_well"], ""),
    },
    Fault {
        name: "one byte that is no UTF-8",
        file: "customers",
        change: Bytes(|mut bytes| {
            let at = bytes.windows(9).position(|part| part == b"sao paulo").expect("a city");
            bytes[at + 1] = 0xE3;
            bytes
        }),
        caught: Told(
            &["PW0603"],
            &["real/olist_customers_dataset.csv:", "not text in the declared encoding"],
        ),
    },
    Fault {
        name: "a NUL byte",
        file: "sellers",
        change: Fields(&[(5, "seller_city", "sao\0paulo")]),
        caught: At(&["PW0603"], "NUL"),
    },
    Fault {
        name: "semicolons between fields",
        file: "order_items",
        change: Bytes(|bytes| text(bytes).replace(',', ";").into_bytes()),
        caught: Told(&["PW0602"], &["real/olist_order_items_dataset.csv"]),
    },
    Fault {
        name: "CR and LF at the ends of lines",
        file: "order_items",
        change: Bytes(|bytes| text(bytes).replace('\n', "\r\n").into_bytes()),
        caught: Accepted,
    },
    Fault {
        name: "quotes around each field",
        file: "order_payments",
        change: Records(|file| {
            for field in file.records.iter_mut().flatten() {
                *field = format!("\"{field}\"");
            }
        }),
        caught: Accepted,
    },
];

/// All faults of this file.
pub(super) const ALL: &[&[Fault]] = &[HEADERS, CUT, DOUBLED, LOST, ENCODINGS];

#[test]
fn headers_of_another_shape() {
    inject(HEADERS);
}

#[test]
fn files_cut_off_or_exchanged() {
    inject(CUT);
}

#[test]
fn files_doubled() {
    inject(DOUBLED);
}

#[test]
fn rows_lost_on_the_way() {
    inject(LOST);
}

#[test]
fn encodings_and_dialects() {
    inject(ENCODINGS);
}
