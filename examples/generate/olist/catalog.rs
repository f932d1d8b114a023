//! Products and the sellers that offer them.

use super::Sample;
use super::categories::{CATEGORIES, UNTRANSLATED};
use super::chance::{Draws, Stream};
use super::dirt::Dirt;
use super::places::Place;

/// A product. Sizes in whole centimetres and grams; `None` is an empty field.
pub struct Product {
    pub id: String,
    pub category: Option<&'static str>,
    /// Length of the name, length of the description, number of photographs.
    pub texts: Option<[i64; 3]>,
    /// Weight, length, height, width.
    pub measures: Option<[i64; 4]>,
    /// Price in cents before any markdown.
    pub price: i64,
    /// The index of the seller who usually sells it.
    pub seller: u64,
}

/// A seller.
pub struct Seller {
    pub id: String,
    pub place: Place,
    pub city: String,
}

/// Quantiles in ten-thousandths, after the real files.
const PRICES: [(i64, i64); 14] = [
    (0, 290),
    (100, 1_000),
    (500, 1_850),
    (1_000, 2_500),
    (2_000, 3_600),
    (3_000, 4_700),
    (4_000, 5_900),
    (5_000, 7_490),
    (6_000, 9_200),
    (7_000, 11_900),
    (8_000, 15_500),
    (9_000, 23_500),
    (9_700, 42_000),
    (10_000, 105_000),
];
/// The price of the dearest item of the public data set, in cents.
const DEAREST: i64 = 673_500;
const NAME_LENGTHS: [(i64, i64); 7] =
    [(0, 7), (100, 20), (1_000, 33), (2_500, 42), (5_000, 51), (9_000, 60), (10_000, 70)];
const DESCRIPTION_LENGTHS: [(i64, i64); 8] = [
    (0, 27),
    (100, 81),
    (1_000, 209),
    (2_500, 356),
    (5_000, 609),
    (7_500, 1_000),
    (9_000, 1_673),
    (10_000, 3_993),
];
const PHOTOGRAPHS: [(i64, i64); 6] = [(0, 1), (4_900, 2), (6_800, 3), (8_200, 4), (9_500, 7), (10_000, 13)];
const WEIGHTS: [(i64, i64); 8] = [
    (0, 50),
    (1_000, 150),
    (2_500, 300),
    (5_000, 700),
    (7_500, 1_900),
    (9_000, 6_250),
    (9_900, 20_900),
    (10_000, 30_001),
];
const LENGTHS: [(i64, i64); 7] =
    [(0, 16), (2_000, 17), (5_000, 25), (7_500, 39), (9_000, 53), (9_900, 100), (10_000, 106)];
const HEIGHTS: [(i64, i64); 7] =
    [(0, 2), (1_000, 4), (2_500, 8), (5_000, 13), (7_500, 21), (9_000, 35), (10_000, 106)];
const WIDTHS: [(i64, i64); 7] =
    [(0, 8), (100, 11), (2_500, 15), (5_000, 20), (7_500, 30), (9_000, 40), (10_000, 106)];

/// Cities that sellers typed in and that are none.
const ODD_CITIES: [&str; 8] = [
    "vendas@lojaexemplo.com.br",
    "caxias do sul, rio grande do sul, brasil",
    "13010040",
    "rj / rj",
    "são paulo",
    "Sorocaba/Sao Paulo",
    "campinas - sp",
    "trancoso (porto seguro)",
];

impl Sample {
    /// One product in three orders, as in the real files.
    pub fn products(&self) -> u64 {
        self.orders.div_ceil(3)
    }

    /// Three sellers to a hundred orders and some forty more, so that a small sample has every region's.
    pub fn sellers(&self) -> u64 {
        (self.orders.saturating_mul(3) / 100 + 40).min(self.products())
    }

    pub fn product_id(&self, index: u64) -> String {
        Draws::new(self.seed, Stream::ProductId, index).hexadecimal()
    }

    pub fn seller_id(&self, index: u64) -> String {
        Draws::new(self.seed, Stream::SellerId, index).hexadecimal()
    }

    pub fn product(&self, index: u64) -> Product {
        let mut draws = Draws::new(self.seed, Stream::Product, index);
        // The first products give every seller something to sell.
        let popular = draws.popular(self.sellers());
        let seller = if index < self.sellers() { index } else { popular };
        let kind = draws.weighted(&CATEGORIES, |category| category.2);
        let price = shelf_price((draws.quantile(&PRICES) * kind.3 / 100).min(DEAREST), &mut draws);
        let texts = [
            draws.quantile(&NAME_LENGTHS),
            draws.quantile(&DESCRIPTION_LENGTHS),
            draws.quantile(&PHOTOGRAPHS),
        ];
        let weight = draws.quantile(&WEIGHTS);
        let weight = if weight > 400 { weight - weight % 50 } else { weight };
        let measures = [weight, draws.quantile(&LENGTHS), draws.quantile(&HEIGHTS), draws.quantile(&WIDTHS)];

        let unnamed = Dirt::ProductWithoutCategory.strikes(self.seed, index).is_some();
        let unmeasured = Dirt::ProductWithoutMeasures.strikes(self.seed, index).is_some();
        let category = match Dirt::CategoryWithoutTranslation.strikes(self.seed, index) {
            Some(block) => Some(UNTRANSLATED[usize::from(block % 2 == 1)]),
            None if unnamed => None,
            None => Some(kind.0),
        };
        Product {
            id: self.product_id(index),
            category,
            texts: category.map(|_| texts),
            measures: (!unmeasured).then_some(measures),
            price,
            seller,
        }
    }

    pub fn seller_place(&self, index: u64) -> Place {
        self.places.workshop(&mut Draws::new(self.seed, Stream::Seller, index))
    }

    pub fn seller(&self, index: u64) -> Seller {
        let place = self.seller_place(index);
        let city = match Dirt::OddSellerCity.strikes(self.seed, index) {
            Some(block) => {
                let kinds = ODD_CITIES.len() as u64;
                ODD_CITIES[usize::try_from(block % kinds).unwrap_or_default()].to_owned()
            }
            None => place.plain_city(),
        };
        Seller { id: self.seller_id(index), place, city }
    }
}

/// A price as shops write it: mostly ending in 90, 00 or 99 cents.
fn shelf_price(cents: i64, draws: &mut Draws) -> i64 {
    let reais = (cents / 100).max(1);
    let endings: [(i64, u64); 7] = [(90, 34), (0, 30), (99, 19), (50, 3), (80, 2), (49, 2), (-1, 10)];
    match draws.weighted(&endings, |(_, weight)| *weight).0 {
        -1 => reais * 100 + draws.between(0, 99),
        ending => reais * 100 + ending,
    }
}
