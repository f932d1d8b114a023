//! INT64, FLOAT64 and NUMERIC.

use super::ValueFault;

/// Decimals of NUMERIC.
const SCALE: usize = 9;

/// Digits of NUMERIC in all.
const PRECISION: usize = 38;

/// Digits that a `u64` holds for certain.
const SAFE_DIGITS: usize = 19;

const POWERS: [u64; SCALE + 1] =
    [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000, 1_000_000_000];

/// INT64: decimal digits with an optional sign. Hexadecimal, which CAST takes, is refused as in load jobs.
#[inline]
pub fn int64(text: &[u8]) -> Result<i64, ValueFault> {
    let (negative, digits) = sign(text);
    if digits.is_empty() {
        return Err(ValueFault::Int64);
    }
    let mut value = 0_u64;
    if digits.len() < SAFE_DIGITS {
        for &byte in digits {
            value = value * 10 + u64::from(digit(byte).ok_or(ValueFault::Int64)?);
        }
    } else {
        if !digits.iter().all(u8::is_ascii_digit) {
            return Err(ValueFault::Int64);
        }
        for &byte in digits {
            value = value
                .checked_mul(10)
                .and_then(|tens| tens.checked_add(u64::from(byte - b'0')))
                .ok_or(ValueFault::Int64Range)?;
        }
    }
    let signed = if negative { 0_i64.checked_sub_unsigned(value) } else { 0_i64.checked_add_unsigned(value) };
    signed.ok_or(ValueFault::Int64Range)
}

/// FLOAT64: decimal or scientific notation, `inf`, `infinity` and `nan` in any case; the nearest double.
///
/// A number too large is refused: it would become infinity.
#[inline]
pub fn float64(text: &str) -> Result<f64, ValueFault> {
    let value: f64 = text.parse().map_err(|_| ValueFault::Float64)?;
    if value.is_infinite() && text.bytes().any(|byte| byte.is_ascii_digit()) {
        return Err(ValueFault::Float64Range);
    }
    Ok(value)
}

/// NUMERIC times 10^9: 29 digits before the point and 9 after it, scientific notation too.
///
/// A digit that would be lost is refused and not rounded; zeros beyond the ninth decimal lose nothing.
///
/// Source: <https://cloud.google.com/bigquery/docs/reference/standard-sql/data-types#decimal_types>
#[inline]
pub fn numeric(text: &[u8]) -> Result<i128, ValueFault> {
    let (negative, unsigned) = sign(text);
    let scaled = match short_numeric(unsigned) {
        Some(scaled) => scaled,
        None => long_numeric(unsigned)?,
    };
    Ok(if negative { -scaled } else { scaled })
}

/// The usual case: up to 18 digits, up to 9 decimals, no exponent. `None` means only that it is not that.
#[inline]
fn short_numeric(unsigned: &[u8]) -> Option<i128> {
    if unsigned.len() > SAFE_DIGITS {
        return None;
    }
    let mut value = 0_u64;
    let mut point = None;
    for (index, &byte) in unsigned.iter().enumerate() {
        match digit(byte) {
            Some(digit) => value = value * 10 + u64::from(digit),
            None if byte == b'.' && point.is_none() => point = Some(index),
            None => return None,
        }
    }
    let decimals = point.map_or(0, |index| unsigned.len() - index - 1);
    let digits = unsigned.len() - usize::from(point.is_some());
    if digits == 0 || digits >= SAFE_DIGITS || decimals > SCALE {
        return None;
    }
    Some(i128::from(value) * i128::from(POWERS[SCALE - decimals]))
}

#[cold]
fn long_numeric(unsigned: &[u8]) -> Result<i128, ValueFault> {
    let (mantissa, exponent) = match unsigned.iter().position(|byte| matches!(byte, b'e' | b'E')) {
        Some(at) => (&unsigned[..at], exponent(&unsigned[at + 1..])?),
        None => (unsigned, 0),
    };
    let (whole, decimals) = match mantissa.iter().position(|&byte| byte == b'.') {
        Some(at) => (&mantissa[..at], &mantissa[at + 1..]),
        None => (mantissa, &mantissa[mantissa.len()..]),
    };
    let digits = || whole.iter().chain(decimals);
    if digits().next().is_none() || !digits().all(u8::is_ascii_digit) {
        return Err(ValueFault::Numeric);
    }
    let count = whole.len() + decimals.len();
    let leading = digits().take_while(|&&byte| byte == b'0').count();
    if leading == count {
        return Ok(0);
    }
    let trailing = digits().rev().take_while(|&&byte| byte == b'0').count();
    let significant = count - leading - trailing;
    // The value times 10^9 is the significant digits times 10^shift.
    let length = |count: usize| i64::try_from(count).unwrap_or(i64::MAX / 4);
    let shift = (length(SCALE) + exponent + length(trailing)) - length(decimals.len());
    let Ok(shift) = usize::try_from(shift) else { return Err(ValueFault::NumericScale) };
    if significant + shift > PRECISION {
        return Err(ValueFault::NumericRange);
    }
    let value = digits()
        .skip(leading)
        .take(significant)
        .fold(0_i128, |value, &byte| value * 10 + i128::from(byte - b'0'));
    // At most 37 zeros follow, since there is at least one digit and 38 in all.
    Ok((0..shift).fold(value, |value, _| value * 10))
}

/// The number after `e`. One so large that only zero could stand it is cut to a size that cannot overflow.
fn exponent(text: &[u8]) -> Result<i64, ValueFault> {
    const LARGEST: i64 = i64::MAX / 4;
    let (negative, digits) = sign(text);
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return Err(ValueFault::Numeric);
    }
    let value = digits.iter().fold(0_i64, |value, &byte| {
        value.saturating_mul(10).saturating_add(i64::from(byte - b'0')).min(LARGEST)
    });
    Ok(if negative { -value } else { value })
}

#[inline]
fn sign(text: &[u8]) -> (bool, &[u8]) {
    match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    }
}

#[inline]
fn digit(byte: u8) -> Option<u8> {
    let value = byte.wrapping_sub(b'0');
    (value < 10).then_some(value)
}
