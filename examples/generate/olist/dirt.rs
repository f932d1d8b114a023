//! The dirt of the real files, dosed: each kind strikes one thing in every block of so many.
//!
//! Blocks instead of plain chance, so that a small sample surely has every kind and a large one keeps the shares.
//! The shares are those of the real files where the sample stays large enough to show them, and near one in a
//! thousand where the real share is smaller still.

use super::chance::{Draws, Stream};

/// A kind of dirt. The number keeps the kinds apart in the draws and must never change its meaning.
#[derive(Clone, Copy)]
pub enum Dirt {
    /// Order: delivered, without a delivery date.
    DeliveredWithoutDate = 1,
    /// Order: cancelled, with a delivery date.
    CanceledWithDate = 2,
    /// Order: delivered, never approved.
    ApprovalMissing = 3,
    /// Order: with the customer before the carrier had it.
    DeliveredBeforeCarrier = 4,
    /// Order: with the carrier before its approval.
    CarrierBeforeApproval = 5,
    /// Order: with the carrier before its purchase.
    CarrierBeforePurchase = 6,
    /// Order: in the status `created`.
    Created = 7,
    /// Order: in the status `approved`.
    Approved = 8,
    /// Order: shipping limit years later.
    ShippingLimitFarOff = 9,
    /// Order: cancelled before paying; one payment of type `not_defined` and value zero.
    PaymentNotDefined = 10,
    /// Order: no payment at all.
    PaymentMissing = 11,
    /// Order: a voucher of value zero beside the real payment.
    PaymentOfZero = 12,
    /// Order: the only payment has sequential 2.
    PaymentStartsLate = 13,
    /// Order: payments numbered 1 and 3.
    PaymentGap = 14,
    /// Order: paid with many vouchers.
    ManyVouchers = 15,
    /// Order: paid amount differs from items and freight.
    PaymentDiffers = 16,
    /// Order: card payment with zero instalments.
    NoInstalments = 17,
    /// Order: no review.
    ReviewMissing = 18,
    /// Order: a second review.
    SecondReview = 19,
    /// Order: its review is the review of the order before it in time, with the same id.
    ReviewShared = 20,
    /// Order: review dated before the purchase.
    ReviewBeforePurchase = 21,
    /// Review: message of white space only.
    BlankMessage = 22,
    /// Review: message with a double quote.
    QuotedMessage = 23,
    /// Review: message with a character beyond the basic plane.
    EmojiMessage = 24,
    /// Product: no category, name, description or photographs.
    ProductWithoutCategory = 25,
    /// Product: category that the translation file lacks.
    CategoryWithoutTranslation = 26,
    /// Product: no measures.
    ProductWithoutMeasures = 27,
    /// Seller: city that is none.
    OddSellerCity = 28,
    /// Zip prefix: unknown to the geolocation file.
    ZipUnknown = 29,
    /// Geolocation row: far outside Brazil.
    PointOutside = 30,
}

impl Dirt {
    /// How many things a block has, of which one is struck. Beside each, the share in the real files.
    const fn block(self) -> u64 {
        match self {
            Self::CarrierBeforeApproval | Self::SecondReview => 95, // 1.0 %
            Self::ReviewMissing | Self::ReviewBeforePurchase => 125, // 0.8 %
            Self::ReviewShared => 240,                              // 0.8 % of the rows, two to an id
            Self::PaymentDiffers | Self::ZipUnknown => 250,         // 0.4 %
            Self::QuotedMessage | Self::EmojiMessage | Self::CategoryWithoutTranslation => 300, // 0.3 %, 0.1 %
            Self::ManyVouchers => 350, // some 0.6 % with three or more payments
            Self::Created => 650,      // 0.06 %
            Self::DeliveredWithoutDate => 850, // 0.1 %
            Self::CanceledWithDate | Self::Approved => 900, // 0.07 %, 0.02 %
            Self::BlankMessage => 950, // 0.05 %
            Self::ApprovalMissing
            | Self::DeliveredBeforeCarrier
            | Self::CarrierBeforePurchase
            | Self::PaymentNotDefined
            | Self::PaymentOfZero
            | Self::PaymentStartsLate
            | Self::PaymentGap => 1_000, // each between 0.01 % and 0.07 %
            Self::ShippingLimitFarOff | Self::NoInstalments => 1_500, // 0.02 %
            Self::PaymentMissing => 2_000, // a single order
            Self::ProductWithoutCategory => 50, // 2.0 %
            Self::ProductWithoutMeasures => 600, // two products
            Self::OddSellerCity => 25, // 1.1 %, but each kind should show
            Self::PointOutside => 1_200, // 0.005 %
        }
    }

    /// Whether the thing of this index is struck; then the number of its block, to vary the kind.
    pub fn strikes(self, seed: u64, index: u64) -> Option<u64> {
        let size = self.block();
        let block = index / size;
        let mut draws = Draws::new(seed ^ ((self as u64) << 56), Stream::Dirt, block);
        (draws.below(size) == index % size).then_some(block)
    }
}
