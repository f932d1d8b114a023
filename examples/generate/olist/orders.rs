//! Customers and the course of an order in time.

use super::Sample;
use super::calendar::{CLOSING_DAY, DAY, HOUR, delivery_second, midnight};
use super::chance::{Draws, Stream};
use super::dirt::Dirt;
use super::places::Place;

/// How an order is mainly paid, which also decides how fast it is approved.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Tender {
    CreditCard,
    Boleto,
    Voucher,
    DebitCard,
}

/// An order. Moments are seconds since 1970-01-01.
pub struct Order {
    pub index: u64,
    pub status: &'static str,
    pub tender: Tender,
    pub home: Place,
    pub purchase: i64,
    pub approved: Option<i64>,
    pub carrier: Option<i64>,
    pub delivered: Option<i64>,
    pub estimated: i64,
}

/// Minutes from purchase to approval by card, and hours by boleto.
const CARD_MINUTES: [(i64, i64); 6] =
    [(0, 8), (3_000, 13), (6_000, 17), (8_000, 40), (9_500, 1_500), (10_000, 3_000)];
const BOLETO_HOURS: [(i64, i64); 5] = [(0, 8), (3_000, 20), (6_000, 32), (9_000, 62), (10_000, 130)];
/// Hours from approval to the carrier.
const HANDLING_HOURS: [(i64, i64); 9] = [
    (0, 3),
    (1_000, 11),
    (2_500, 21),
    (5_000, 44),
    (7_000, 76),
    (9_000, 145),
    (9_500, 201),
    (9_900, 450),
    (10_000, 1_100),
];
/// Time from carrier to customer, in hundredths of the state's median.
const TRANSIT_HUNDREDTHS: [(i64, i64); 8] =
    [(0, 15), (1_000, 35), (2_500, 60), (5_000, 95), (7_500, 140), (9_000, 200), (9_800, 340), (10_000, 800)];
/// Days that the promise differs from the state's median.
const PROMISE_DAYS: [(i64, i64); 7] =
    [(0, -10), (1_000, -6), (2_500, -3), (5_000, 0), (7_500, 5), (9_500, 14), (10_000, 40)];

/// Statuses in ten thousand: the public data set's, with the rare ones a little stronger.
const STATUSES: [(&str, u64); 6] = [
    ("delivered", 9_500),
    ("shipped", 150),
    ("canceled", 115),
    ("unavailable", 110),
    ("invoiced", 65),
    ("processing", 60),
];

impl Sample {
    pub fn order_id(&self, index: u64) -> String {
        Draws::new(self.seed, Stream::OrderId, index).hexadecimal()
    }

    pub fn customer_id(&self, index: u64) -> String {
        Draws::new(self.seed, Stream::CustomerId, index).hexadecimal()
    }

    pub fn person_id(&self, order: u64) -> String {
        Draws::new(self.seed, Stream::PersonId, self.person(order)).hexadecimal()
    }

    /// Who placed an order, named by the index of an order of theirs: three in a hundred came back.
    fn person(&self, order: u64) -> u64 {
        let mut person = order;
        loop {
            let mut draws = Draws::new(self.seed, Stream::Repeat, person);
            if person == 0 || !draws.chance(330) {
                return person;
            }
            person = draws.below(person);
        }
    }

    /// Where the customer lived at the time of an order.
    pub fn home(&self, order: u64) -> Place {
        let person = self.person(order);
        let mut moved = Draws::new(self.seed, Stream::Moved, order);
        if person != order && moved.chance(600) {
            return self.places.home(&mut moved);
        }
        self.places.home(&mut Draws::new(self.seed, Stream::Home, person))
    }

    pub fn purchase(&self, index: u64, draws: &mut Draws) -> i64 {
        self.days.moment(self.rank_in_time(index), self.orders, draws)
    }

    pub fn order(&self, index: u64) -> Order {
        let struck = |dirt: Dirt| dirt.strikes(self.seed, index).is_some();
        let mut draws = Draws::new(self.seed, Stream::Timeline, index);
        let purchase = self.purchase(index, &mut draws);
        let home = self.home(index);
        let status = self.status(index, purchase, &mut draws);
        let tender = draws
            .weighted(
                &[
                    (Tender::CreditCard, 7_660),
                    (Tender::Boleto, 1_980),
                    (Tender::Voucher, 200),
                    (Tender::DebitCard, 160),
                ],
                |(_, weight)| *weight,
            )
            .0;

        // Everything is drawn before anything is left out: a change to one rule then moves few other values.
        let wait = if tender == Tender::Boleto {
            draws.quantile(&BOLETO_HOURS) * HOUR + draws.between(0, HOUR - 1)
        } else {
            draws.quantile(&CARD_MINUTES) * 60 + draws.between(0, 59)
        };
        let mut approval = purchase + wait;
        let mut pickup = approval + draws.quantile(&HANDLING_HOURS) * HOUR + draws.between(0, HOUR - 1);
        let transit = home.state.transit_tenths * DAY / 10 * draws.quantile(&TRANSIT_HUNDREDTHS) / 100;
        let mut delivery = midnight(pickup + transit) + delivery_second(&mut draws);
        if delivery <= pickup {
            delivery += DAY;
        }
        let promise = (home.state.promise_days + draws.quantile(&PROMISE_DAYS)).max(4);
        let estimated = midnight(purchase) + promise * DAY;
        let paid = status != "created"
            && (status != "canceled" || draws.chance(7_700))
            && !struck(Dirt::PaymentNotDefined);
        let sent = matches!(status, "delivered" | "shipped")
            || (status == "canceled" && paid && draws.chance(1_400));

        if struck(Dirt::CarrierBeforeApproval) {
            approval = pickup + draws.between(1, 40) * HOUR;
        }
        if struck(Dirt::CarrierBeforePurchase) {
            pickup = purchase - draws.between(1, 20) * HOUR;
        }
        if struck(Dirt::DeliveredBeforeCarrier) {
            delivery = pickup - draws.between(2, 40) * HOUR;
        }
        let arrived = match status {
            "delivered" => !struck(Dirt::DeliveredWithoutDate),
            "canceled" => struck(Dirt::CanceledWithDate),
            _ => false,
        };
        let sent = sent || arrived;
        Order {
            index,
            status,
            tender,
            home,
            purchase,
            approved: ((paid || sent) && !struck(Dirt::ApprovalMissing)).then_some(approval),
            carrier: sent.then_some(pickup),
            delivered: arrived.then_some(delivery),
            estimated,
        }
    }

    fn status(&self, index: u64, purchase: i64, draws: &mut Draws) -> &'static str {
        let usual = draws.weighted(&STATUSES, |(_, weight)| *weight).0;
        let struck = |dirt: Dirt| dirt.strikes(self.seed, index).is_some();
        let delivered = [
            Dirt::DeliveredWithoutDate,
            Dirt::ApprovalMissing,
            Dirt::DeliveredBeforeCarrier,
            Dirt::CarrierBeforeApproval,
            Dirt::CarrierBeforePurchase,
        ];
        if struck(Dirt::CanceledWithDate) || struck(Dirt::PaymentNotDefined) {
            "canceled"
        } else if delivered.into_iter().any(struck) {
            "delivered"
        } else if purchase >= CLOSING_DAY * DAY {
            "canceled"
        } else if struck(Dirt::Created) {
            "created"
        } else if struck(Dirt::Approved) {
            "approved"
        } else {
            usual
        }
    }
}
