//! Reviews: when they were asked for, how many stars, and whether anything was written.

use super::Sample;
use super::calendar::{DAY, HOUR, days, midnight};
use super::chance::{Draws, Stream};
use super::dirt::Dirt;
use super::orders::Order;
use super::phrases;

/// A review. Both moments are seconds since 1970-01-01.
pub struct Review {
    pub id: String,
    pub score: i64,
    pub title: String,
    pub message: String,
    pub created: i64,
    pub answered: i64,
}

/// Hours until the answer.
const ANSWER_HOURS: [(i64, i64); 9] = [
    (0, 3),
    (1_000, 12),
    (2_500, 21),
    (5_000, 38),
    (7_500, 72),
    (9_000, 117),
    (9_900, 590),
    (9_990, 2_500),
    (10_000, 7_000),
];

/// Scores in a hundred reviews: in time, late, never arrived.
const SCORES: [(i64, [u64; 3]); 5] =
    [(5, [62, 20, 9]), (4, [20, 13, 6]), (3, [8, 12, 8]), (2, [3, 9, 7]), (1, [7, 46, 70])];

/// Brazil's clocks went forward at midnight of these days, and the real reviews of these days begin at one o'clock.
const SHORT_DAYS: [i64; 2] = [days(2016, 10, 16), days(2017, 10, 15)];

impl Sample {
    /// The reviews of an order: one, as a rule.
    pub fn reviews(&self, order: &Order) -> Vec<Review> {
        let struck = |dirt: Dirt| dirt.strikes(self.seed, order.index).is_some();
        if struck(Dirt::ReviewMissing) {
            return Vec::new();
        }
        if struck(Dirt::ReviewShared)
            && let Some(earlier) = self.previous_in_time(order.index)
        {
            // The same review, with the same id, on two orders of about the same day.
            return vec![self.review(&self.order(earlier), 0)];
        }
        let first = self.review(order, 0);
        if !struck(Dirt::SecondReview) {
            return vec![first];
        }
        let mut second = self.review(order, 1);
        if Draws::new(self.seed, Stream::Review, order.index).chance(1_800) {
            // Some pairs tie on everything but the time of the answer.
            second.answered += first.created - second.created;
            second.created = first.created;
            second.score = first.score;
        }
        vec![first, second]
    }

    fn review(&self, order: &Order, number: u64) -> Review {
        let key = order.index.wrapping_mul(2) + number;
        let mut draws = Draws::new(self.seed, Stream::Review, key | 1 << 62);
        let late = order.delivered.is_some_and(|moment| midnight(moment) > order.estimated);
        let mood = match order.delivered {
            Some(_) if late => 1,
            Some(_) => 0,
            None => 2,
        };
        let score = draws.weighted(&SCORES, |(_, weights)| weights[mood]).0;

        // Asked for the day after delivery, or two days after the promised day when nothing had come by then.
        let patience = if draws.chance(7_800) { 2 } else { 3 };
        let asked = match order.delivered {
            Some(moment) if midnight(moment) <= order.estimated + DAY => {
                midnight(moment) + if draws.chance(9_500) { DAY } else { 0 }
            }
            _ => order.estimated + patience * DAY,
        };
        let asked = asked + number.cast_signed() * draws.between(0, 12) * DAY;
        let hasty = Dirt::ReviewBeforePurchase.strikes(self.seed, order.index).is_some();
        let mut created =
            if hasty { midnight(order.purchase) - draws.between(1, 40) * DAY } else { midnight(asked) };
        if SHORT_DAYS.contains(&created.div_euclid(DAY)) {
            created += HOUR;
        }
        let answered = created + draws.quantile(&ANSWER_HOURS) * HOUR + draws.between(0, HOUR - 1);
        let id = Draws::new(self.seed, Stream::ReviewId, key).hexadecimal();
        let mut words = Draws::new(self.seed, Stream::ReviewText, key);
        let title = phrases::title(score, &mut words);
        let message = phrases::message(score, self.mischief(order.index), &mut words);
        Review { id, score, title, message, created, answered }
    }

    fn mischief(&self, index: u64) -> Option<phrases::Mischief> {
        let struck = |dirt: Dirt| dirt.strikes(self.seed, index).is_some();
        if struck(Dirt::BlankMessage) {
            Some(phrases::Mischief::Blank)
        } else if struck(Dirt::QuotedMessage) {
            Some(phrases::Mischief::Quoted)
        } else if struck(Dirt::EmojiMessage) {
            Some(phrases::Mischief::Emoji)
        } else {
            None
        }
    }
}
