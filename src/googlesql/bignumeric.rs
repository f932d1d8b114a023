//! BIGNUMERIC: decimals with 38 digits behind the point, kept as 256-bit integers of 10^-38.
//!
//! Results are exact, or rounded half away from zero; what is beyond the range is an error.
//!
//! Source: <https://cloud.google.com/bigquery/docs/reference/standard-sql/data-types#decimal_types>

use std::cmp::Ordering;
use std::fmt;

use super::limbs::{add, compare, decimal, divide, multiply, multiply_small, subtract, widen};

/// Digits behind the point.
const SCALE: u32 = 38;
/// One, in units of the last digit.
const ONE: u128 = 10_u128.pow(SCALE);
/// Digits behind the point that NUMERIC lacks.
const BEYOND_NUMERIC: u32 = SCALE - 9;
/// The most digits that a value has, in units of the last one.
const DIGITS: usize = 77;

/// A number of the type BIGNUMERIC. Its order is that of the numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BigNumeric {
    /// Never of zero.
    negative: bool,
    /// The magnitude, the lowest limb first.
    limbs: [u64; 4],
}

/// Why there is no result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It is beyond the range.
    Overflow,
    /// Something was divided by zero.
    Zero,
}

/// How what lies between two numbers is rounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rounding {
    /// To the nearer one; from the middle, to the one with the larger magnitude.
    HalfAway,
    /// To the nearer one; from the middle, to the even one.
    HalfEven,
    /// Towards zero.
    Truncate,
}

impl Rounding {
    /// Whether a quotient becomes larger by one.
    fn goes_up<const N: usize>(self, quotient: &[u64; 8], rest: &[u64; N], divisor: &[u64; N]) -> bool {
        if self == Self::Truncate {
            return false;
        }
        // `2 * rest` against the divisor, without a bit more than there is.
        match compare(rest, &subtract(divisor, rest).0) {
            Ordering::Less => false,
            Ordering::Equal => self == Self::HalfAway || quotient[0] % 2 == 1,
            Ordering::Greater => true,
        }
    }
}

/// A magnitude that is not yet known to be within the range.
fn checked(negative: bool, wide: &[u64; 8]) -> Result<BigNumeric, Fault> {
    let [a, b, c, d, rest @ ..] = *wide;
    let limbs = [a, b, c, d];
    // The lowest number has no positive counterpart.
    let lowest = limbs == [0, 0, 0, 1 << 63] && negative;
    if rest != [0; 4] || (d >> 63 == 1 && !lowest) {
        return Err(Fault::Overflow);
    }
    Ok(BigNumeric { negative: negative && limbs != [0; 4], limbs })
}

fn rounded_quotient(dividend: &[u64; 8], divisor: &[u64; 4], rounding: Rounding) -> Result<[u64; 8], Fault> {
    let (quotient, rest) = divide(dividend, divisor).ok_or(Fault::Zero)?;
    if rounding.goes_up(&quotient, &rest, divisor) {
        let (larger, carry) = add(&quotient, &widen(&[1]));
        return if carry { Err(Fault::Overflow) } else { Ok(larger) };
    }
    Ok(quotient)
}

fn limbs_of(number: u128) -> [u64; 4] {
    #[expect(clippy::cast_possible_truncation, reason = "the two halves")]
    [number as u64, (number >> 64) as u64, 0, 0]
}

/// A power of ten that has at most 77 digits.
fn power_of_ten(exponent: u32) -> [u64; 4] {
    let mut power = [1, 0, 0, 0];
    for _ in 0..exponent {
        power = multiply_small(&power, 10).0;
    }
    power
}

impl BigNumeric {
    /// A whole number.
    pub fn from_i64(number: i64) -> Self {
        let wide = multiply(&limbs_of(u128::from(number.unsigned_abs())), &limbs_of(ONE));
        // 63 bits and 127 bits are less than 255.
        checked(number < 0, &wide).unwrap_or_default()
    }

    /// The number nearest to a FLOAT64.
    ///
    /// # Errors
    /// When it is beyond the range, infinite or no number.
    pub fn from_f64(number: f64) -> Result<Self, Fault> {
        if !number.is_finite() {
            return Err(Fault::Overflow);
        }
        let bits = number.to_bits();
        let (stored, field) = (bits & ((1 << 52) - 1), (bits >> 52) & 0x7ff);
        // The number is `mantissa * 2^exponent`.
        let (mantissa, exponent) = if field == 0 {
            (stored, -1074)
        } else {
            (stored | 1 << 52, i64::try_from(field).unwrap_or(0) - 1075)
        };
        let mut wide = multiply(&[mantissa, 0, 0, 0], &limbs_of(ONE));
        if exponent > 127 {
            return if mantissa == 0 { Ok(Self::default()) } else { Err(Fault::Overflow) };
        }
        for _ in 0..exponent.max(0) {
            wide = add(&wide, &wide).0;
        }
        let halvings = (-exponent).max(0);
        if halvings > 0 {
            // 180 bits, so that 200 halvings leave nothing that could be rounded up.
            if halvings > 200 {
                return Ok(Self::default());
            }
            let mut divisor = [1, 0, 0, 0];
            for _ in 0..halvings {
                divisor = add(&divisor, &divisor).0;
            }
            wide = rounded_quotient(&wide, &divisor, Rounding::HalfAway)?;
        }
        checked(number < 0.0, &wide)
    }

    /// Reads a decimal number, with or without an exponent; none if it is no number or beyond the range. Digits
    /// behind the 38th are rounded.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim_matches(|c: char| c.is_ascii_whitespace() || c == '\u{b}');
        let (negative, unsigned) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, read_exponent(exponent)?),
            None => (unsigned, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if whole.len() + fraction.len() == 0 || !all_digits(whole) || !all_digits(fraction) {
            return None;
        }
        let digits = format!("{whole}{fraction}");
        let digits = digits.trim_start_matches('0');
        // The digits stand for `digits * 10^shift` units of the last digit.
        let shift =
            exponent.checked_add(i64::from(SCALE))?.checked_sub(i64::try_from(fraction.len()).ok()?)?;
        let length = i64::try_from(digits.len()).ok()?;
        if digits.is_empty() || length + shift < 0 {
            return Some(Self::default());
        }
        let kept = usize::try_from(length + shift.min(0)).ok()?;
        let zeros = usize::try_from(shift.max(0)).ok()?;
        if kept.checked_add(zeros)? > DIGITS {
            return None;
        }
        let mut wide = [0_u64; 8];
        for digit in digits.bytes().take(kept).chain(std::iter::repeat_n(b'0', zeros)) {
            wide = add(&multiply_small(&wide, 10).0, &widen(&[u64::from(digit - b'0')])).0;
        }
        if digits.as_bytes().get(kept).is_some_and(|next| *next >= b'5') {
            wide = add(&wide, &widen(&[1])).0;
        }
        checked(negative, &wide).ok()
    }

    /// Four limbs, the highest first, whose order is that of the numbers.
    pub fn to_key(self) -> [u64; 4] {
        let [a, b, c, d] = if self.negative { subtract(&[0; 4], &self.limbs).0 } else { self.limbs };
        [d ^ 1 << 63, c, b, a]
    }

    /// The number of [`Self::to_key`].
    pub fn from_key([d, c, b, a]: [u64; 4]) -> Self {
        let limbs = [a, b, c, d ^ 1 << 63];
        let negative = limbs[3] >> 63 == 1;
        Self { negative, limbs: if negative { subtract(&[0; 4], &limbs).0 } else { limbs } }
    }

    /// The FLOAT64 nearest to it.
    pub fn to_f64(self) -> f64 {
        // Rust reads decimals exactly.
        self.to_string().parse().unwrap_or(f64::NAN)
    }

    /// The whole number nearest to it.
    ///
    /// # Errors
    /// When INT64 does not hold it.
    pub fn to_i64(self) -> Result<i64, Fault> {
        let whole = rounded_quotient(&widen(&self.limbs), &limbs_of(ONE), Rounding::HalfAway)?;
        let magnitude = u64::try_from(small(&whole)?).map_err(|_| Fault::Overflow)?;
        let number = if self.negative { -i128::from(magnitude) } else { i128::from(magnitude) };
        i64::try_from(number).map_err(|_| Fault::Overflow)
    }

    /// The NUMERIC nearest to it, in units of its ninth digit.
    ///
    /// # Errors
    /// When NUMERIC does not hold it.
    pub fn to_numeric(self) -> Result<i128, Fault> {
        let divisor = limbs_of(10_u128.pow(BEYOND_NUMERIC));
        let rounded = rounded_quotient(&widen(&self.limbs), &divisor, Rounding::HalfAway)?;
        let magnitude = small(&rounded)?;
        if magnitude >= ONE {
            return Err(Fault::Overflow);
        }
        let number = i128::try_from(magnitude).map_err(|_| Fault::Overflow)?;
        Ok(if self.negative { -number } else { number })
    }

    /// `a + b`.
    ///
    /// # Errors
    /// Overflow, as of all that follow.
    pub fn plus(self, other: Self) -> Result<Self, Fault> {
        if self.negative == other.negative {
            return checked(self.negative, &add(&widen(&self.limbs), &widen(&other.limbs)).0);
        }
        match compare(&self.limbs, &other.limbs) {
            Ordering::Less => checked(other.negative, &widen(&subtract(&other.limbs, &self.limbs).0)),
            _ => checked(self.negative, &widen(&subtract(&self.limbs, &other.limbs).0)),
        }
    }

    /// `a - b`.
    pub fn minus(self, other: Self) -> Result<Self, Fault> {
        // Not by negation: the lowest number has none.
        let other = Self { negative: !other.negative, ..other };
        self.plus(other)
    }

    /// `-a`.
    pub fn negated(self) -> Result<Self, Fault> {
        checked(!self.negative, &widen(&self.limbs))
    }

    /// `ABS(a)`.
    pub fn magnitude(self) -> Result<Self, Fault> {
        checked(false, &widen(&self.limbs))
    }

    /// `SIGN(a)`.
    #[must_use]
    pub fn sign(self) -> Self {
        Self::from_i64(match (self.negative, self.limbs) {
            (_, [0, 0, 0, 0]) => 0,
            (true, _) => -1,
            (false, _) => 1,
        })
    }

    /// `a * b`.
    pub fn times(self, other: Self) -> Result<Self, Fault> {
        let product = multiply(&self.limbs, &other.limbs);
        let scaled = rounded_quotient(&product, &limbs_of(ONE), Rounding::HalfAway)?;
        checked(self.negative != other.negative, &scaled)
    }

    /// `a / b`.
    pub fn over(self, other: Self) -> Result<Self, Fault> {
        let dividend = multiply(&self.limbs, &limbs_of(ONE));
        let quotient = rounded_quotient(&dividend, &other.limbs, Rounding::HalfAway)?;
        checked(self.negative != other.negative, &quotient)
    }

    /// `DIV(a, b)`.
    pub fn whole_over(self, other: Self) -> Result<Self, Fault> {
        let quotient = rounded_quotient(&widen(&self.limbs), &other.limbs, Rounding::Truncate)?;
        let [a, b, c, d, ..] = quotient;
        checked(self.negative != other.negative, &multiply(&[a, b, c, d], &limbs_of(ONE)))
    }

    /// `MOD(a, b)`.
    pub fn rest_over(self, other: Self) -> Result<Self, Fault> {
        let (_, rest) = divide(&widen(&self.limbs), &other.limbs).ok_or(Fault::Zero)?;
        checked(self.negative, &widen(&rest))
    }

    /// To so many digits behind the point; before it, if negative.
    pub fn rounded(self, digits: i64, rounding: Rounding) -> Result<Self, Fault> {
        let idle = i64::from(SCALE).saturating_sub(digits);
        let Ok(idle) = u32::try_from(idle.max(0)) else { return Ok(Self::default()) };
        match idle {
            0 => Ok(self),
            // No number reaches half of a unit of 78 digits.
            _ if idle as usize > DIGITS => Ok(Self::default()),
            _ => {
                let unit = power_of_ten(idle);
                let [a, b, c, d, ..] = rounded_quotient(&widen(&self.limbs), &unit, rounding)?;
                checked(self.negative, &multiply(&[a, b, c, d], &unit))
            }
        }
    }

    /// `CEIL(a)` or `FLOOR(a)`.
    pub fn to_whole(self, up: bool) -> Result<Self, Fault> {
        let towards_zero = self.rounded(0, Rounding::Truncate)?;
        if towards_zero == self || self.negative == up {
            return Ok(towards_zero);
        }
        towards_zero.plus(Self::from_i64(if up { 1 } else { -1 }))
    }

    /// Within BIGNUMERIC(p, s): rounded to `scale` digits, at most `whole` before the point.
    pub fn bounded(self, whole: u32, scale: u32) -> Result<Self, Fault> {
        let rounded = self.rounded(i64::from(scale), Rounding::HalfAway)?;
        let digits = whole + SCALE;
        if digits as usize > DIGITS || compare(&rounded.limbs, &power_of_ten(digits)) == Ordering::Less {
            return Ok(rounded);
        }
        Err(Fault::Overflow)
    }

    /// The sum of numbers; what lies between does not overflow.
    pub fn sum(numbers: impl Iterator<Item = Self>) -> Result<Self, Fault> {
        let (negative, magnitude) = total(numbers);
        checked(negative, &magnitude)
    }

    /// The average of so many numbers.
    pub fn average(numbers: impl Iterator<Item = Self>, count: u64) -> Result<Self, Fault> {
        let (negative, magnitude) = total(numbers);
        checked(negative, &rounded_quotient(&magnitude, &[count, 0, 0, 0], Rounding::HalfAway)?)
    }
}

/// The sum of numbers, its sign and magnitude: fewer than 2^64 numbers of 256 bits.
fn total(numbers: impl Iterator<Item = BigNumeric>) -> (bool, [u64; 8]) {
    let (mut above, mut below) = ([0_u64; 8], [0_u64; 8]);
    for number in numbers {
        let part = if number.negative { &mut below } else { &mut above };
        *part = add(part, &widen(&number.limbs)).0;
    }
    match compare(&above, &below) {
        Ordering::Less => (true, subtract(&below, &above).0),
        _ => (false, subtract(&above, &below).0),
    }
}

/// A number of at most 128 bits.
fn small(wide: &[u64; 8]) -> Result<u128, Fault> {
    let [low, high, rest @ ..] = *wide;
    if rest == [0; 6] { Ok(u128::from(high) << 64 | u128::from(low)) } else { Err(Fault::Overflow) }
}

/// An exponent; those that no number of any length needs are brought to one that is as good.
fn read_exponent(text: &str) -> Option<i64> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let magnitude = digits.parse::<i64>().unwrap_or(i64::MAX).min(1 << 40);
    Some(if text.starts_with('-') { -magnitude } else { magnitude })
}

impl fmt::Display for BigNumeric {
    /// The shortest decimal, without an exponent.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let places = SCALE as usize;
        let digits = format!("{:0>width$}", decimal(&self.limbs), width = places + 1);
        let (whole, fraction) = digits.split_at(digits.len() - places);
        let fraction = fraction.trim_end_matches('0');
        let sign = if self.negative { "-" } else { "" };
        if fraction.is_empty() { write!(f, "{sign}{whole}") } else { write!(f, "{sign}{whole}.{fraction}") }
    }
}

impl PartialOrd for BigNumeric {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for BigNumeric {
    fn cmp(&self, other: &Self) -> Ordering {
        self.to_key().cmp(&other.to_key())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LARGEST: &str = "578960446186580977117854925043439539266.34992332820282019728792003956564819967";
    const LOWEST: &str = "-578960446186580977117854925043439539266.34992332820282019728792003956564819968";

    fn number(text: &str) -> BigNumeric {
        BigNumeric::parse(text).unwrap_or_else(|| panic!("{text}"))
    }

    fn shown(result: Result<BigNumeric, Fault>) -> String {
        result.map_or_else(|fault| format!("{fault:?}"), |number| number.to_string())
    }

    #[test]
    fn text_reads_and_prints() {
        for (text, printed) in [
            ("0", "0"),
            ("-0.0", "0"),
            (" +1.50 ", "1.5"),
            (".5", "0.5"),
            ("5.", "5"),
            ("1e3", "1000"),
            ("-12.5e-3", "-0.0125"),
            ("1e-38", "0.00000000000000000000000000000000000001"),
            ("5e-39", "0.00000000000000000000000000000000000001"),
            ("4.9e-39", "0"),
            ("1e-99999999999999999999", "0"),
            ("0e99999999999999999999", "0"),
            (LARGEST, LARGEST),
            (LOWEST, LOWEST),
        ] {
            assert_eq!(number(text).to_string(), printed, "{text}");
        }
        for text in ["", ".", "e5", "1e", "1.2.3", "--1", "1 2", "0x1", "1e99999999999999999999", "inf", "é"]
        {
            assert_eq!(BigNumeric::parse(text), None, "{text}");
        }
        let beyond = LARGEST.replace("967", "968");
        assert_eq!(BigNumeric::parse(&beyond), None);
    }

    #[test]
    fn the_edges_of_the_range_hold() {
        let (largest, lowest, least) = (number(LARGEST), number(LOWEST), number("1e-38"));
        assert_eq!(shown(largest.plus(least)), "Overflow");
        assert_eq!(shown(lowest.minus(least)), "Overflow");
        assert_eq!(shown(lowest.plus(largest)), "-0.00000000000000000000000000000000000001");
        assert_eq!(shown(lowest.minus(lowest)), "0");
        assert_eq!(shown(lowest.negated()), "Overflow");
        assert_eq!(shown(lowest.magnitude()), "Overflow");
        assert_eq!(shown(lowest.over(number("-1"))), "Overflow");
        assert_eq!(shown(largest.over(number("0"))), "Zero");
        assert_eq!(shown(lowest.over(lowest)), "1");
        assert_eq!(shown(largest.rounded(0, Rounding::HalfAway)), "578960446186580977117854925043439539266");
        assert_eq!(shown(largest.rounded(-39, Rounding::HalfAway)), "Overflow");
        assert_eq!(shown(largest.rounded(-39, Rounding::Truncate)), "0");
        assert_eq!(shown(largest.rounded(i64::MIN, Rounding::HalfAway)), "0");
        assert_eq!(shown(largest.rounded(i64::MAX, Rounding::HalfAway)), LARGEST);
        assert_eq!(largest.to_key().cmp(&lowest.to_key()), Ordering::Greater);
        let edges = [largest, lowest, largest, lowest];
        assert_eq!(shown(BigNumeric::sum(edges.into_iter())), "-0.00000000000000000000000000000000000002");
        assert_eq!(shown(BigNumeric::average([lowest, lowest].into_iter(), 2)), LOWEST);
        assert_eq!(BigNumeric::from_f64(1.7e308), Err(Fault::Overflow));
        assert_eq!(BigNumeric::from_f64(f64::NAN), Err(Fault::Overflow));
        assert_eq!(shown(BigNumeric::from_f64(5e-324)), "0");
        assert_eq!(shown(BigNumeric::from_f64(-0.1)), "-0.10000000000000000555111512312578270212");
        assert_eq!(number("9223372036854775807.4").to_i64(), Ok(i64::MAX));
        assert_eq!(number("-9223372036854775808.4").to_i64(), Ok(i64::MIN));
        assert_eq!(number("9223372036854775807.5").to_i64(), Err(Fault::Overflow));
        assert_eq!(number("1e29").to_numeric(), Err(Fault::Overflow));
        assert_eq!(number("1.0000000005").to_numeric(), Ok(1_000_000_001));
    }

    #[test]
    fn halves_go_where_the_rounding_says() {
        for (text, digits, away, even, cut) in [
            ("2.5", 0, "3", "2", "2"),
            ("-2.5", 0, "-3", "-2", "-2"),
            ("3.5", 0, "4", "4", "3"),
            ("2.51", 0, "3", "3", "2"),
            ("1.005", 2, "1.01", "1", "1"),
            ("150", -2, "200", "200", "100"),
            ("250", -2, "300", "200", "200"),
        ] {
            for (rounding, expected) in
                [(Rounding::HalfAway, away), (Rounding::HalfEven, even), (Rounding::Truncate, cut)]
            {
                assert_eq!(shown(number(text).rounded(digits, rounding)), expected, "{text} {rounding:?}");
            }
        }
        for (text, up, down) in
            [("1.2", "2", "1"), ("-1.2", "-1", "-2"), ("3", "3", "3"), ("-0.5", "0", "-1")]
        {
            assert_eq!(shown(number(text).to_whole(true)), up);
            assert_eq!(shown(number(text).to_whole(false)), down);
        }
        assert_eq!(shown(number("99.95").bounded(2, 1)), "Overflow");
        assert_eq!(shown(number("99.94").bounded(2, 1)), "99.9");
        assert_eq!(shown(number(LARGEST).bounded(39, 38)), LARGEST);
    }

    proptest! {
        /// On numbers that 128 bits hold, all is as integers have it.
        #[test]
        fn small_numbers_are_integers(a in -10_i128.pow(15)..10_i128.pow(15), b in -10_i128.pow(15)..10_i128.pow(15)) {
            let big = |n: i128| number(&n.to_string());
            prop_assert_eq!(shown(big(a).plus(big(b))), (a + b).to_string());
            prop_assert_eq!(shown(big(a).minus(big(b))), (a - b).to_string());
            prop_assert_eq!(shown(big(a).times(big(b))), (a * b).to_string());
            if b != 0 {
                prop_assert_eq!(shown(big(a).whole_over(big(b))), (a / b).to_string());
                prop_assert_eq!(shown(big(a).rest_over(big(b))), (a % b).to_string());
            }
            prop_assert_eq!(big(a).cmp(&big(b)), a.cmp(&b));
            prop_assert_eq!(big(a).to_i64().map(i128::from), Ok(a));
        }

        /// `a = DIV(a, b) * b + MOD(a, b)`, and a quotient is off by at most half of its last digit.
        #[test]
        fn division_takes_multiplication_back(a in any::<[u64; 4]>(), b in any::<[u64; 4]>(), cut in 0_usize..4) {
            let a = BigNumeric::from_key(a);
            let mut divisor = BigNumeric::from_key(b);
            for limb in divisor.limbs.iter_mut().skip(cut + 1) {
                *limb = 0;
            }
            prop_assume!(divisor.limbs != [0; 4]);
            let rest = a.rest_over(divisor).expect("a rest");
            prop_assert!(compare(&rest.limbs, &divisor.limbs) == Ordering::Less);
            let (quotient, _) = divide(&widen(&a.limbs), &divisor.limbs).expect("no zero");
            let [q0, q1, q2, q3, ..] = quotient;
            let product = multiply(&[q0, q1, q2, q3], &divisor.limbs);
            prop_assert_eq!(add(&product, &widen(&rest.limbs)).0, widen(&a.limbs));
        }

        /// Keys keep order and value, and text does.
        #[test]
        fn keys_and_texts_come_back(a in any::<[u64; 4]>(), b in any::<[u64; 4]>()) {
            let (one, other) = (BigNumeric::from_key(a), BigNumeric::from_key(b));
            prop_assert_eq!(one.to_key(), a);
            prop_assert_eq!(number(&one.to_string()), one);
            prop_assert_eq!(shown(one.minus(other)) == "0", one == other);
            if let (Ok(sum), Ok(difference)) = (one.plus(other), one.minus(other)) {
                prop_assert_eq!(shown(sum.plus(difference)), shown(one.plus(one)));
            }
        }

        /// A FLOAT64 of moderate size comes back.
        #[test]
        fn floats_come_back(mantissa in -1e15..1e15_f64) {
            prop_assert_eq!(BigNumeric::from_f64(mantissa).map(BigNumeric::to_f64), Ok(mantissa));
        }
    }
}
