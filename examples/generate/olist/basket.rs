//! What an order holds and how it is paid. Money is in cents.

use super::Sample;
use super::calendar::{DAY, days};
use super::catalog::Product;
use super::chance::{Draws, Stream};
use super::dirt::Dirt;
use super::orders::{Order, Tender};

/// An order item.
pub struct Item {
    pub product: String,
    pub seller: String,
    pub shipping_limit: i64,
    pub price: i64,
    pub freight: i64,
}

/// A payment.
pub struct Payment {
    pub sequential: i64,
    pub kind: &'static str,
    pub instalments: i64,
    pub value: i64,
}

/// Items of an order, in ten thousand orders.
const ITEM_COUNTS: [(u64, u64); 8] =
    [(1, 9_000), (2, 765), (3, 134), (4, 52), (5, 21), (6, 20), (8, 5), (12, 3)];

/// Where shipping limits go astray to, as in the real files: years after the last order.
const FAR_OFF: i64 = days(2020, 2, 1);

/// Days from approval to the shipping limit, in ten thousand items.
const LIMIT_DAYS: [(i64, u64); 9] =
    [(2, 400), (3, 550), (4, 1_500), (5, 1_600), (6, 3_300), (7, 850), (9, 800), (12, 700), (18, 300)];

/// Instalments by card, in a thousand, for small, middling and large amounts.
const INSTALMENTS: [(i64, [u64; 3]); 18] = [
    (1, [520, 250, 180]),
    (2, [200, 165, 90]),
    (3, [125, 160, 95]),
    (4, [70, 115, 80]),
    (5, [45, 90, 70]),
    (6, [20, 70, 70]),
    (7, [8, 28, 28]),
    (8, [6, 40, 140]),
    (9, [2, 8, 12]),
    (10, [3, 68, 210]),
    (11, [0, 1, 1]),
    (12, [1, 2, 10]),
    (13, [0, 1, 1]),
    (15, [0, 1, 5]),
    (18, [0, 1, 3]),
    (20, [0, 0, 3]),
    (21, [0, 0, 1]),
    (24, [0, 0, 1]),
];

impl Sample {
    /// The items of an order; orders that never came to be have none.
    pub fn items(&self, order: &Order) -> Vec<Item> {
        let struck = |dirt: Dirt| dirt.strikes(self.seed, order.index).is_some();
        let mut draws = Draws::new(self.seed, Stream::Basket, order.index);
        let empty = match order.status {
            "unavailable" => !draws.chance(100),
            "created" => true,
            "canceled" => order.carrier.is_none() && draws.chance(3_400),
            _ => false,
        };
        if empty || struck(Dirt::PaymentNotDefined) {
            return Vec::new();
        }

        // Every third order begins with the next product of the catalogue, so that every product is sold.
        let popular = draws.popular(self.products());
        let mut number = if order.index.is_multiple_of(3) { order.index / 3 } else { popular };
        let mut product = self.product(number);
        let mut seller = self.seller_of(&product, &mut draws);
        let wait = draws.weighted(&LIMIT_DAYS, |(_, weight)| *weight).0;
        let mut shipping_limit = order.approved.unwrap_or(order.purchase) + wait * DAY;
        if struck(Dirt::ShippingLimitFarOff) {
            shipping_limit = (FAR_OFF + wait) * DAY + shipping_limit.rem_euclid(DAY);
        }

        let count = draws.weighted(&ITEM_COUNTS, |(_, weight)| *weight).0;
        let mut items: Vec<Item> = Vec::new();
        for position in 0..count {
            if position > 0 && draws.chance(3_500) {
                number = draws.popular(self.products());
                product = self.product(number);
                if draws.chance(8_500) {
                    seller = self.seller_of(&product, &mut draws);
                }
            }
            items.push(Item {
                product: product.id.clone(),
                seller: self.seller_id(seller),
                shipping_limit,
                price: self.price_on(&product, number, order.purchase),
                freight: self.freight(order, &product, seller, &mut draws),
            });
        }
        items
    }

    /// A few products have a second seller.
    fn seller_of(&self, product: &Product, draws: &mut Draws) -> u64 {
        if draws.chance(50) { draws.popular(self.sellers()) } else { product.seller }
    }

    /// Some products get cheaper or dearer at the turn of a half-year.
    fn price_on(&self, product: &Product, number: u64, purchase: i64) -> i64 {
        let half_year = (purchase / (182 * DAY)).cast_unsigned();
        let mut draws = Draws::new(self.seed, Stream::Product, number | half_year << 40);
        if !draws.chance(1_500) {
            return product.price;
        }
        // Whole reais, so that the cents keep their ending.
        (product.price + product.price * draws.between(-15, 12) / 10_000 * 100).max(100)
    }

    /// Freight grows with the distance, in steps, and with the weight.
    fn freight(&self, order: &Order, product: &Product, seller: u64, draws: &mut Draws) -> i64 {
        let from = self.seller_place(seller).state;
        let to = order.home.state;
        let near = from.code == to.code;
        let base = match (near, to.code) {
            (true, "SP") => 900,
            (true, _) => 1_180,
            (false, _) => to.freight_cents.max(from.freight_cents * 9 / 10) - 90,
        };
        let grams = product.measures.map_or(500, |measures| measures[0]);
        let by_weight = grams * if near { 110 } else { 270 } / 1_000;
        let varied = base + by_weight + draws.around_zero(base / 4).max(-base / 8);
        if draws.chance(25) { 0 } else { varied }
    }

    /// The payments of an order, in the order of the file, which is not always the order of their numbers.
    pub fn payments(&self, order: &Order, items: &[Item]) -> Vec<Payment> {
        let struck = |dirt: Dirt| dirt.strikes(self.seed, order.index).is_some();
        let mut draws = Draws::new(self.seed, Stream::Payment, order.index);
        if struck(Dirt::PaymentNotDefined) {
            return vec![Payment { sequential: 1, kind: "not_defined", instalments: 1, value: 0 }];
        }
        if struck(Dirt::PaymentMissing) {
            return Vec::new();
        }
        let invoiced: i64 = items.iter().map(|item| item.price + item.freight).sum();
        // An order that lost its items was still paid.
        let never_shipped = self.product(draws.below(self.products())).price + draws.between(900, 3_000);
        let mut total = if invoiced > 0 { invoiced } else { never_shipped };
        if struck(Dirt::PaymentDiffers) {
            total += total * draws.between(1, 6) / 100 + 2;
        }

        let mut payments = if struck(Dirt::PaymentOfZero) {
            vec![by_card(1, total, &mut draws), voucher(2, 0)]
        } else if struck(Dirt::PaymentStartsLate) {
            let debit = Payment { sequential: 2, kind: "debit_card", instalments: 1, value: total };
            vec![if draws.chance(6_000) { debit } else { by_card(2, total, &mut draws) }]
        } else if struck(Dirt::PaymentGap) {
            let part = total * draws.between(20, 80) / 100;
            vec![by_card(1, total - part, &mut draws), voucher(3, part)]
        } else if struck(Dirt::ManyVouchers) {
            let shortest = draws.between(3, 12);
            let count = if draws.chance(1_000) { draws.between(13, 29) } else { shortest };
            in_parts(total, count).map(|(number, value)| voucher(number, value)).collect()
        } else {
            usual(order.tender, total, &mut draws)
        };
        if struck(Dirt::NoInstalments) {
            payments = vec![Payment { sequential: 1, kind: "credit_card", instalments: 0, value: total }];
        }
        if draws.chance(4_000) {
            payments.reverse();
        }
        payments
    }
}

/// One payment in most cases, two in three of a hundred.
fn usual(tender: Tender, total: i64, draws: &mut Draws) -> Vec<Payment> {
    let whole = |kind| vec![Payment { sequential: 1, kind, instalments: 1, value: total }];
    let part = total * draws.between(15, 85) / 100;
    match tender {
        Tender::Boleto => whole("boleto"),
        Tender::DebitCard => whole("debit_card"),
        Tender::Voucher if draws.chance(1_200) => vec![voucher(1, total - part), voucher(2, part)],
        Tender::Voucher => whole("voucher"),
        Tender::CreditCard if draws.chance(270) => {
            vec![by_card(1, total - part, draws), voucher(2, part)]
        }
        Tender::CreditCard if draws.chance(55) => {
            vec![by_card(1, total - part, draws), by_card(2, part, draws)]
        }
        Tender::CreditCard => vec![by_card(1, total, draws)],
    }
}

fn by_card(sequential: i64, value: i64, draws: &mut Draws) -> Payment {
    let size = match value {
        ..9_000 => 0,
        9_000..22_000 => 1,
        _ => 2,
    };
    let instalments = draws.weighted(&INSTALMENTS, |(_, weights)| weights[size]).0;
    Payment { sequential, kind: "credit_card", instalments, value }
}

fn voucher(sequential: i64, value: i64) -> Payment {
    Payment { sequential, kind: "voucher", instalments: 1, value }
}

/// A sum in nearly equal parts, numbered from 1; no part is smaller than the even share rounded down.
fn in_parts(total: i64, count: i64) -> impl Iterator<Item = (i64, i64)> {
    (1..=count).map(move |number| (number, total * number / count - total * (number - 1) / count))
}
