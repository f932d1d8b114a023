//! Unsigned integers of several limbs of 64 bits, the lowest first.

use std::cmp::Ordering;

/// The same number with more limbs; of those that do not fit, nothing is kept.
pub(super) fn widen<const N: usize, const M: usize>(number: &[u64; N]) -> [u64; M] {
    let mut wide = [0; M];
    for (to, from) in wide.iter_mut().zip(number) {
        *to = *from;
    }
    wide
}

/// Which of two numbers is larger.
pub(super) fn compare<const N: usize>(left: &[u64; N], right: &[u64; N]) -> Ordering {
    left.iter().rev().cmp(right.iter().rev())
}

/// The sum, and whether a bit was lost.
pub(super) fn add<const N: usize>(left: &[u64; N], right: &[u64; N]) -> ([u64; N], bool) {
    let (mut sum, mut carry) = ([0; N], false);
    for ((to, left), right) in sum.iter_mut().zip(left).zip(right) {
        let (first, one) = left.overflowing_add(*right);
        let (second, other) = first.overflowing_add(u64::from(carry));
        (*to, carry) = (second, one || other);
    }
    (sum, carry)
}

/// The difference, and whether it is below zero.
pub(super) fn subtract<const N: usize>(left: &[u64; N], right: &[u64; N]) -> ([u64; N], bool) {
    let (mut difference, mut borrow) = ([0; N], false);
    for ((to, left), right) in difference.iter_mut().zip(left).zip(right) {
        let (first, one) = left.overflowing_sub(*right);
        let (second, other) = first.overflowing_sub(u64::from(borrow));
        (*to, borrow) = (second, one || other);
    }
    (difference, borrow)
}

/// The low limb of a number of two, and the high one.
#[expect(clippy::cast_possible_truncation, reason = "the two halves")]
fn halves(number: u128) -> (u64, u64) {
    (number as u64, (number >> 64) as u64)
}

/// The product with one limb, and the limb beyond.
pub(super) fn multiply_small<const N: usize>(number: &[u64; N], factor: u64) -> ([u64; N], u64) {
    let (mut product, mut carry) = ([0; N], 0);
    for (to, limb) in product.iter_mut().zip(number) {
        (*to, carry) = halves(u128::from(*limb) * u128::from(factor) + u128::from(carry));
    }
    (product, carry)
}

/// The product, all of it.
pub(super) fn multiply(left: &[u64; 4], right: &[u64; 4]) -> [u64; 8] {
    let mut product = [0_u64; 8];
    for (at, limb) in left.iter().enumerate() {
        let mut carry = 0;
        for (to, other) in product.iter_mut().skip(at).zip(right.iter().chain(&[0])) {
            (*to, carry) =
                halves(u128::from(*limb) * u128::from(*other) + u128::from(*to) + u128::from(carry));
        }
    }
    product
}

/// The quotient and the rest by one limb; by zero, zero.
pub(super) fn divide_small<const N: usize>(number: &[u64; N], divisor: u64) -> ([u64; N], u64) {
    let (mut quotient, mut rest) = ([0; N], 0_u64);
    for (to, limb) in quotient.iter_mut().zip(number).rev() {
        let part = u128::from(rest) << 64 | u128::from(*limb);
        let by = u128::from(divisor);
        // The rest is less than the divisor, so that the quotient is one limb.
        (*to, rest) =
            (halves(part.checked_div(by).unwrap_or(0)).0, halves(part.checked_rem(by).unwrap_or(0)).0);
    }
    (quotient, rest)
}

/// The quotient and the rest; none by zero.
pub(super) fn divide(dividend: &[u64; 8], divisor: &[u64; 4]) -> Option<([u64; 8], [u64; 4])> {
    let length = divisor.iter().rposition(|limb| *limb != 0)? + 1;
    if length == 1 {
        let (quotient, rest) = divide_small(dividend, divisor[0]);
        return Some((quotient, [rest, 0, 0, 0]));
    }
    // Knuth's algorithm D, The Art of Computer Programming, 4.3.1: the divisor's highest bit is set, so that a quotient
    // of two limbs by its highest one is off by two at most.
    let shift = divisor[length - 1].leading_zeros();
    let by: [u64; 4] = shifted(divisor, shift);
    let mut rest: [u64; 9] = shifted(dividend, shift);
    let mut quotient = [0_u64; 8];
    let (top, second) = (u128::from(by[length - 1]), u128::from(by[length - 2]));
    for at in (0..=8 - length).rev() {
        let high = u128::from(rest[at + length]) << 64 | u128::from(rest[at + length - 1]);
        let (mut guess, mut left) = (high / top, high % top);
        while guess >> 64 != 0 || guess * second > (left << 64 | u128::from(rest[at + length - 2])) {
            guess -= 1;
            left += top;
            if left >> 64 != 0 {
                break;
            }
        }
        let (mut digit, _) = halves(guess);
        if take(&mut rest[at..=at + length], &by[..length], digit) {
            // Too large by one still: the divisor is given back once.
            digit = digit.wrapping_sub(1);
            give(&mut rest[at..=at + length], &by[..length]);
        }
        quotient[at] = digit;
    }
    let [r0, r1, r2, r3, ..] = rest;
    Some((quotient, unshifted([r0, r1, r2, r3], shift)))
}

/// Takes a multiple away; whether it was more than there was.
fn take(from: &mut [u64], number: &[u64], times: u64) -> bool {
    let (mut carry, mut borrow) = (0_u64, false);
    for (to, limb) in from.iter_mut().zip(number.iter().chain(&[0])) {
        let (low, high) = halves(u128::from(*limb) * u128::from(times) + u128::from(carry));
        carry = high;
        let (first, one) = to.overflowing_sub(low);
        let (second, other) = first.overflowing_sub(u64::from(borrow));
        (*to, borrow) = (second, one || other);
    }
    borrow
}

fn give(to: &mut [u64], number: &[u64]) {
    let mut carry = false;
    for (to, limb) in to.iter_mut().zip(number.iter().chain(&[0])) {
        let (first, one) = to.overflowing_add(*limb);
        let (second, other) = first.overflowing_add(u64::from(carry));
        (*to, carry) = (second, one || other);
    }
}

/// A number times a power of two that is less than a limb.
fn shifted<const N: usize, const M: usize>(number: &[u64; N], shift: u32) -> [u64; M] {
    let (mut result, mut carry) = ([0; M], 0);
    for (to, limb) in result.iter_mut().zip(number.iter().chain(&[0])) {
        let (low, high) = halves(u128::from(*limb) << shift);
        *to = low | carry;
        carry = high;
    }
    result
}

fn unshifted(number: [u64; 4], shift: u32) -> [u64; 4] {
    let (mut result, mut above) = ([0; 4], 0_u64);
    for (to, limb) in result.iter_mut().zip(&number).rev() {
        *to = halves((u128::from(above) << 64 | u128::from(*limb)) >> shift).0;
        above = *limb;
    }
    result
}

/// Decimal digits, without leading zeros but for zero itself.
pub(super) fn decimal(number: &[u64; 4]) -> String {
    const CHUNK: u64 = 10_000_000_000_000_000_000;
    let mut chunks = Vec::new();
    let mut rest = *number;
    while rest != [0; 4] {
        let (quotient, chunk) = divide_small(&rest, CHUNK);
        chunks.push(chunk);
        rest = quotient;
    }
    let mut text = chunks.pop().unwrap_or(0).to_string();
    for chunk in chunks.iter().rev() {
        text.push_str(&format!("{chunk:019}"));
    }
    text
}
