//! The sample: a number of orders and a seed, and the nine files they stand for.

mod atlas;
mod basket;
mod calendar;
mod catalog;
mod categories;
mod chance;
mod dirt;
mod orders;
mod phrases;
mod places;
mod reviews;

use std::io::{self, Write};
use std::path::Path;

use calendar::{Days, optional_timestamp, timestamp};
use categories::CATEGORIES;
use chance::{Draws, Stream};
use places::Places;

/// A data set, whole: every row of it is a function of these values, and none is kept.
pub struct Sample {
    orders: u64,
    seed: u64,
    /// The order of index `i` stands at `(i * stride + offset) % orders` in time.
    stride: u64,
    offset: u64,
    /// `stride * backstride % orders` is 1.
    backstride: u64,
    places: Places,
    days: Days,
}

/// File names with the rows written, the header not counted.
pub type Written = Vec<(&'static str, u64)>;

type Table = csv::Writer<fs_err::File>;

impl Sample {
    pub fn new(orders: u64, seed: u64) -> Self {
        let mut draws = Draws::new(seed, Stream::Shuffle, orders);
        let modulus = orders.max(1);
        let first_try = modulus / 2 + draws.below(modulus / 2 + 1);
        // Numbers without a common divisor with the modulus are never far apart.
        let (stride, backstride) = (first_try..=first_try + modulus)
            .find_map(|stride| Some((stride, inverse(stride, modulus)?)))
            .unwrap_or((1, 1));
        Self {
            orders,
            seed,
            stride,
            offset: draws.below(modulus),
            backstride,
            places: Places::new(orders, seed),
            days: Days::new(),
        }
    }

    /// The place in time of an order: neighbours by index are far apart in time.
    fn rank_in_time(&self, index: u64) -> u64 {
        (multiply(index, self.stride, self.orders) + self.offset) % self.orders.max(1)
    }

    /// The index of the order just before another in time.
    fn previous_in_time(&self, index: u64) -> Option<u64> {
        let is_first = self.rank_in_time(index) == 0;
        (!is_first).then(|| (index + self.orders - self.backstride) % self.orders.max(1))
    }
}

/// `left * right % modulus` without overflow.
fn multiply(left: u64, right: u64, modulus: u64) -> u64 {
    let product = u128::from(left) * u128::from(right) % u128::from(modulus.max(1));
    u64::try_from(product).unwrap_or_default()
}

/// The number that multiplied by `value` leaves 1 (0 for the modulus 1); none when the two share a divisor.
fn inverse(value: u64, modulus: u64) -> Option<u64> {
    let wide = i128::from(modulus);
    let (mut rest, mut next_rest) = (wide, i128::from(value) % wide);
    let (mut factor, mut next_factor) = (0_i128, 1_i128);
    while next_rest != 0 {
        let quotient = rest / next_rest;
        (rest, next_rest) = (next_rest, rest - quotient * next_rest);
        (factor, next_factor) = (next_factor, factor - quotient * next_factor);
    }
    (rest == 1).then(|| u64::try_from(factor.rem_euclid(wide)).ok()).flatten()
}

/// Writes the nine files into a folder, which is made when it is missing.
pub fn write(sample: &Sample, folder: &Path) -> io::Result<Written> {
    fs_err::create_dir_all(folder)?;
    let mut written = Vec::new();
    write_orders(sample, folder, &mut written)?;
    write_catalogue(sample, folder, &mut written)?;
    write_places(sample, folder, &mut written)?;
    Ok(written)
}

fn write_orders(sample: &Sample, folder: &Path, written: &mut Written) -> io::Result<()> {
    let mut customers = Output::create(
        folder,
        "olist_customers_dataset.csv",
        &["customer_id", "customer_unique_id", "customer_zip_code_prefix", "customer_city", "customer_state"],
    )?;
    let mut orders = Output::create(
        folder,
        "olist_orders_dataset.csv",
        &[
            "order_id",
            "customer_id",
            "order_status",
            "order_purchase_timestamp",
            "order_approved_at",
            "order_delivered_carrier_date",
            "order_delivered_customer_date",
            "order_estimated_delivery_date",
        ],
    )?;
    let mut items = Output::create(
        folder,
        "olist_order_items_dataset.csv",
        &[
            "order_id",
            "order_item_id",
            "product_id",
            "seller_id",
            "shipping_limit_date",
            "price",
            "freight_value",
        ],
    )?;
    let mut payments = Output::create(
        folder,
        "olist_order_payments_dataset.csv",
        &["order_id", "payment_sequential", "payment_type", "payment_installments", "payment_value"],
    )?;
    let mut reviews = Output::create(
        folder,
        "olist_order_reviews_dataset.csv",
        &[
            "review_id",
            "order_id",
            "review_score",
            "review_comment_title",
            "review_comment_message",
            "review_creation_date",
            "review_answer_timestamp",
        ],
    )?;

    for index in 0..sample.orders {
        // The real customers file does not follow the order of the orders file.
        let other = sample.orders - 1 - index;
        let home = sample.home(other);
        customers.row(&[
            &sample.customer_id(other),
            &sample.person_id(other),
            &zip_prefix(home.zip),
            &home.plain_city(),
            home.state.code,
        ])?;

        let order = sample.order(index);
        let order_id = sample.order_id(index);
        orders.row(&[
            &order_id,
            &sample.customer_id(index),
            order.status,
            &timestamp(order.purchase),
            &optional_timestamp(order.approved),
            &optional_timestamp(order.carrier),
            &optional_timestamp(order.delivered),
            &timestamp(order.estimated),
        ])?;

        let basket = sample.items(&order);
        for (position, item) in (1..).zip(&basket) {
            items.row(&[
                &order_id,
                &whole(position),
                &item.product,
                &item.seller,
                &timestamp(item.shipping_limit),
                &money(item.price),
                &money(item.freight),
            ])?;
        }
        for payment in sample.payments(&order, &basket) {
            payments.row(&[
                &order_id,
                &whole(payment.sequential),
                payment.kind,
                &whole(payment.instalments),
                &money(payment.value),
            ])?;
        }
        for review in sample.reviews(&order) {
            reviews.row(&[
                &review.id,
                &order_id,
                &whole(review.score),
                &review.title,
                &review.message,
                &timestamp(review.created),
                &timestamp(review.answered),
            ])?;
        }
    }
    for output in [customers, orders, items, payments, reviews] {
        written.push(output.finish()?);
    }
    Ok(())
}

fn write_catalogue(sample: &Sample, folder: &Path, written: &mut Written) -> io::Result<()> {
    let mut products = Output::create(
        folder,
        "olist_products_dataset.csv",
        &[
            "product_id",
            "product_category_name",
            "product_name_lenght",
            "product_description_lenght",
            "product_photos_qty",
            "product_weight_g",
            "product_length_cm",
            "product_height_cm",
            "product_width_cm",
        ],
    )?;
    for index in 0..sample.products() {
        let product = sample.product(index);
        let texts = product.texts.map(|values| values.map(whole)).unwrap_or_default();
        let measures = product.measures.map(|values| values.map(whole)).unwrap_or_default();
        products.row(&[
            &product.id,
            product.category.unwrap_or_default(),
            &texts[0],
            &texts[1],
            &texts[2],
            &measures[0],
            &measures[1],
            &measures[2],
            &measures[3],
        ])?;
    }
    written.push(products.finish()?);

    let mut sellers = Output::create(
        folder,
        "olist_sellers_dataset.csv",
        &["seller_id", "seller_zip_code_prefix", "seller_city", "seller_state"],
    )?;
    for index in 0..sample.sellers() {
        let seller = sample.seller(index);
        sellers.row(&[&seller.id, &zip_prefix(seller.place.zip), &seller.city, seller.place.state.code])?;
    }
    written.push(sellers.finish()?);
    Ok(())
}

fn write_places(sample: &Sample, folder: &Path, written: &mut Written) -> io::Result<()> {
    let mut geolocation = Output::create(
        folder,
        "olist_geolocation_dataset.csv",
        &[
            "geolocation_zip_code_prefix",
            "geolocation_lat",
            "geolocation_lng",
            "geolocation_city",
            "geolocation_state",
        ],
    )?;
    for point in sample.places.points() {
        geolocation.row(&[
            &zip_prefix(point.zip),
            &point.latitude,
            &point.longitude,
            &point.city,
            point.state,
        ])?;
    }
    written.push(geolocation.finish()?);

    let mut translation = Output::create(
        folder,
        "product_category_name_translation.csv",
        // The public file begins with a byte order mark.
        &["\u{feff}product_category_name", "product_category_name_english"],
    )?;
    for category in &CATEGORIES {
        translation.row(&[category.0, category.1])?;
    }
    written.push(translation.finish()?);
    Ok(())
}

/// A CSV file being written: quotes only where needed, line feeds, as in the public data set.
struct Output {
    name: &'static str,
    table: Table,
    rows: u64,
}

impl Output {
    fn create(folder: &Path, name: &'static str, columns: &[&str]) -> io::Result<Self> {
        let mut table = csv::WriterBuilder::new()
            .buffer_capacity(1 << 16)
            .from_writer(fs_err::File::create(folder.join(name))?);
        table.write_record(columns)?;
        Ok(Self { name, table, rows: 0 })
    }

    fn row(&mut self, fields: &[&str]) -> io::Result<()> {
        self.rows += 1;
        Ok(self.table.write_record(fields)?)
    }

    fn finish(self) -> io::Result<(&'static str, u64)> {
        let mut file = self.table.into_inner().map_err(csv::IntoInnerError::into_error)?;
        file.flush()?;
        Ok((self.name, self.rows))
    }
}

fn zip_prefix(zip: u64) -> String {
    format!("{zip:05}")
}

fn whole(value: i64) -> String {
    value.to_string()
}

/// Cents as the real files have amounts: one decimal at least, no zero after it (`99.9`, `144.0`, `21.99`).
fn money(cents: i64) -> String {
    let (reais, rest) = (cents / 100, cents % 100);
    if rest % 10 == 0 { format!("{reais}.{}", rest / 10) } else { format!("{reais}.{rest:02}") }
}
