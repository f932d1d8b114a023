//! Chance without state: a stream of draws is a function of the seed, the kind of thing and its index.
//!
//! Only whole numbers are used. Floating-point logarithms and powers differ in their last bits between
//! platforms, so distributions are tables of quantiles with straight lines between them.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// What a stream of draws is for. A number must never change its meaning: it is part of the recipe.
#[derive(Clone, Copy)]
pub enum Stream {
    OrderId = 1,
    CustomerId = 2,
    PersonId = 3,
    ProductId = 4,
    SellerId = 5,
    ReviewId = 6,
    Shuffle = 7,
    Dirt = 8,
    Repeat = 9,
    Home = 10,
    Moved = 11,
    Timeline = 12,
    Basket = 13,
    Payment = 14,
    Review = 15,
    ReviewText = 16,
    Product = 17,
    Seller = 18,
    Zip = 19,
    Point = 20,
    ZipCentre = 21,
    ZipBoundary = 22,
}

/// One hundred per cent of the quantile tables and of [`Draws::chance`].
pub const WHOLE: i64 = 10_000;

/// A stream of draws.
pub struct Draws(ChaCha8Rng);

impl Draws {
    /// The stream of one thing. Equal arguments give equal draws.
    pub fn new(seed: u64, stream: Stream, index: u64) -> Self {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&seed.to_le_bytes());
        key[8..16].copy_from_slice(&(stream as u64).to_le_bytes());
        key[16..24].copy_from_slice(&index.to_le_bytes());
        key[24..].copy_from_slice(b"olist/v1");
        Self(ChaCha8Rng::from_seed(key))
    }

    /// A whole number in `0..bound`; 0 when the bound is 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        // Multiply and shift: no division, and a bias far below anything a sample could show.
        let wide = u128::from(self.0.next_u64()) * u128::from(bound);
        u64::try_from(wide >> 64).unwrap_or_default()
    }

    /// A whole number in `low..=high`; `low` when the range is empty.
    pub fn between(&mut self, low: i64, high: i64) -> i64 {
        let width = (high - low + 1).max(0);
        low + self.below(width.cast_unsigned()).cast_signed()
    }

    /// True in `share` of [`WHOLE`] cases.
    pub fn chance(&mut self, share: i64) -> bool {
        self.between(0, WHOLE - 1) < share
    }

    /// A whole number near 0, at most `reach` away: the sum of three draws, so that the middle is likeliest.
    pub fn around_zero(&mut self, reach: i64) -> i64 {
        (0..3).map(|_| self.between(-(reach / 3), reach / 3)).sum()
    }

    /// One of the choices, each as likely as the next.
    pub fn pick<'a, T>(&mut self, choices: &'a [T]) -> &'a T {
        let chosen = self.below(choices.len() as u64);
        &choices[usize::try_from(chosen).unwrap_or_default()]
    }

    /// One of the choices, each as likely as its weight says.
    pub fn weighted<'a, T>(&mut self, choices: &'a [T], weight: impl Fn(&T) -> u64) -> &'a T {
        let mut left = self.below(choices.iter().map(&weight).sum());
        for choice in choices {
            let share = weight(choice);
            if left < share {
                return choice;
            }
            left -= share;
        }
        &choices[0]
    }

    /// A value of a distribution given by quantiles: `(share of WHOLE, value)`, rising, from 0 to [`WHOLE`].
    pub fn quantile(&mut self, table: &[(i64, i64)]) -> i64 {
        // A hundred steps within one ten-thousandth keep the far tail from clumping.
        let share = self.between(0, WHOLE * 100 - 1);
        for pair in table.windows(2) {
            let ((from, low), (to, high)) = (pair[0], pair[1]);
            if share < to * 100 {
                return low + (high - low) * (share - from * 100) / ((to - from) * 100);
            }
        }
        table[table.len() - 1].1
    }

    /// An index below `count` of which the first are the most popular: six draws in ten crowd towards 0.
    pub fn popular(&mut self, count: u64) -> u64 {
        let index = self.below(count);
        if !self.chance(6_000) {
            return index;
        }
        let nearer = self.below(index + 1);
        self.below(nearer + 1)
    }

    /// 128 bits as 32 lower-case hexadecimal characters.
    pub fn hexadecimal(&mut self) -> String {
        format!("{:016x}{:016x}", self.0.next_u64(), self.0.next_u64())
    }
}
