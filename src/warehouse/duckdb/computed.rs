//! Functions of the engine for arguments that are no literals: what the translation finds out of a literal, they find out
//! of each row's value.

use std::sync::Arc;

use duckdb::Connection;
use duckdb::arrow::array::{Array, ArrayRef, AsArray, Float64Array, Int64Array, ListBuilder, StringBuilder};
use duckdb::arrow::datatypes::{Float64Type, Int64Type};
use duckdb::core::{DataChunkHandle, LogicalTypeHandle, LogicalTypeId};
use duckdb::vscalar::{ScalarFunctionSignature, VScalar};
use duckdb::vtab::arrow::{WritableVector, data_chunk_to_arrow, write_arrow_array_to_vector};
use serde_json::Value;

use crate::googlesql::duckdb::{capturing_groups, matches_nothing};

type Failure = Box<dyn std::error::Error>;

/// Makes the functions known to a database.
///
/// # Errors
/// What the engine says.
pub(super) fn register(connection: &Connection) -> duckdb::Result<()> {
    connection.register_scalar_function_with_state::<Pattern>("pattern_group", &Use::Extract)?;
    connection.register_scalar_function_with_state::<Pattern>("pattern_of_all", &Use::ExtractAll)?;
    connection.register_scalar_function_with_state::<Rounded>("round_float64", &true)?;
    connection.register_scalar_function_with_state::<Rounded>("trunc_float64", &false)?;
    connection.register_scalar_function::<JsonFlatten>("json_flatten")
}

fn missing() -> Failure {
    "an argument of another type than the function's".into()
}

/// What a regular expression is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Use {
    Extract,
    ExtractAll,
}

/// The group of a regular expression that is extracted: 0 for the whole match, 1 for the only one that it has.
///
/// An error for patterns whose matches the engine gives otherwise than BigQuery: with several groups, with one that may
/// take no part, and, where all matches are asked for, those that match the empty text.
struct Pattern;

impl VScalar for Pattern {
    type State = Use;

    fn invoke(
        usage: &Use,
        input: &mut DataChunkHandle,
        output: &mut dyn WritableVector,
    ) -> Result<(), Failure> {
        let batch = data_chunk_to_arrow(input)?;
        let patterns = batch.column(0).as_string_opt::<i32>().ok_or_else(missing)?;
        let mut results = Vec::with_capacity(patterns.len());
        for pattern in patterns {
            let Some(pattern) = pattern else {
                results.push(None);
                continue;
            };
            let groups = capturing_groups(pattern);
            if groups.count > 1 {
                return Err(format!("Invalid pattern: {pattern} has several capturing groups").into());
            }
            if groups.count == 1 && groups.may_be_absent {
                return Err(format!("Invalid pattern here: the group of {pattern} may take no part").into());
            }
            if *usage == Use::ExtractAll && matches_nothing(pattern) {
                return Err(format!("Invalid pattern here: {pattern} matches the empty text").into());
            }
            results.push(i64::try_from(groups.count).ok());
        }
        let array: ArrayRef = Arc::new(Int64Array::from(results));
        write_arrow_array_to_vector(&array, output)
    }

    fn signatures() -> Vec<ScalarFunctionSignature> {
        vec![ScalarFunctionSignature::exact(
            vec![LogicalTypeId::Varchar.into()],
            LogicalTypeId::Bigint.into(),
        )]
    }
}

/// `ROUND` and `TRUNC` of a FLOAT64: the number itself is rounded, half away from zero, and not its product with a power
/// of ten.
struct Rounded;

impl VScalar for Rounded {
    /// Whether to the nearest; towards zero, else.
    type State = bool;

    fn invoke(
        nearest: &bool,
        input: &mut DataChunkHandle,
        output: &mut dyn WritableVector,
    ) -> Result<(), Failure> {
        let batch = data_chunk_to_arrow(input)?;
        let numbers = batch.column(0).as_primitive_opt::<Float64Type>().ok_or_else(missing)?;
        let digits = batch.column(1).as_primitive_opt::<Int64Type>().ok_or_else(missing)?;
        let results = numbers.iter().zip(digits).map(|pair| match pair {
            (Some(number), Some(digits)) => Some(rounded(number, digits, *nearest)),
            _ => None,
        });
        let array: ArrayRef = Arc::new(results.collect::<Float64Array>());
        write_arrow_array_to_vector(&array, output)
    }

    fn signatures() -> Vec<ScalarFunctionSignature> {
        let parameters = vec![LogicalTypeId::Double.into(), LogicalTypeId::Bigint.into()];
        vec![ScalarFunctionSignature::exact(parameters, LogicalTypeId::Double.into())]
    }
}

/// A number with so many digits behind the point, or as many zeros before it.
fn rounded(number: f64, digits: i64, nearest: bool) -> f64 {
    // No FLOAT64 has more digits behind the point than these, nor more before it than 309.
    if !number.is_finite() || digits > 1_074 {
        return number;
    }
    if digits < -310 {
        return 0.0_f64.copysign(number);
    }
    let text = format!("{:.1075}", number.abs());
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let all: Vec<u8> = whole.bytes().chain(fraction.bytes()).map(|digit| digit - b'0').collect();
    // A zero in front takes what is carried; digits before the first are zeros.
    let kept = i64::try_from(whole.len()).unwrap_or(0) + digits;
    let mut result = vec![0_u8];
    result.extend(all.iter().take(usize::try_from(kept.max(0)).unwrap_or(0)));
    let next = usize::try_from(kept).ok().and_then(|kept| all.get(kept)).copied().unwrap_or(0);
    if nearest && next >= 5 {
        for digit in result.iter_mut().rev() {
            *digit += 1;
            if *digit < 10 {
                break;
            }
            *digit = 0;
        }
    }
    let decimal: String = result.iter().map(|digit| char::from(b'0' + digit)).collect();
    let near: f64 = format!("{decimal}e{}", -digits).parse().unwrap_or(number);
    near.copysign(number)
}

/// `JSON_FLATTEN(json)`: what is in arrays, and in arrays within them, one by one.
struct JsonFlatten;

impl VScalar for JsonFlatten {
    type State = ();

    fn invoke((): &(), input: &mut DataChunkHandle, output: &mut dyn WritableVector) -> Result<(), Failure> {
        let batch = data_chunk_to_arrow(input)?;
        let texts = batch.column(0).as_string_opt::<i32>().ok_or_else(missing)?;
        let mut lists = ListBuilder::new(StringBuilder::new());
        for text in texts {
            match text {
                Some(text) => {
                    let mut items = Vec::new();
                    flatten(serde_json::from_str(text)?, &mut items);
                    for item in &items {
                        lists.values().append_value(item);
                    }
                    lists.append(true);
                }
                None => lists.append(false),
            }
        }
        let array: ArrayRef = Arc::new(lists.finish());
        write_arrow_array_to_vector(&array, output)
    }

    fn signatures() -> Vec<ScalarFunctionSignature> {
        vec![ScalarFunctionSignature::exact(
            vec![LogicalTypeId::Varchar.into()],
            LogicalTypeHandle::list(&LogicalTypeId::Varchar.into()),
        )]
    }
}

/// The parser bounds how deep arrays nest.
fn flatten(value: Value, items: &mut Vec<String>) {
    match value {
        Value::Array(inner) => inner.into_iter().for_each(|item| flatten(item, items)),
        other => items.push(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::rounded;

    #[test]
    fn a_float_is_rounded_as_the_number_that_it_is() {
        for (number, digits, nearest, cut) in [
            (2.5, 0, 3.0, 2.0),
            (-2.5, 0, -3.0, -2.0),
            // A little less than it looks.
            (2.675, 2, 2.67, 2.67),
            (1.005, 2, 1.0, 1.0),
            (0.5, 0, 1.0, 0.0),
            (99.95, 0, 100.0, 99.0),
            (125.0, -1, 130.0, 120.0),
            (500.0, -3, 1000.0, 0.0),
            (499.0, -3, 0.0, 0.0),
            (5.0, -2, 0.0, 0.0),
            (1e300, 5, 1e300, 1e300),
            (5e-324, 300, 0.0, 0.0),
            (5e-324, 1_074, 5e-324, 5e-324),
            (1.5, i64::MAX, 1.5, 1.5),
            (1.5, i64::MIN, 0.0, 0.0),
        ] {
            assert_eq!(rounded(number, digits, true).to_bits(), f64::to_bits(nearest), "{number} {digits}");
            assert_eq!(rounded(number, digits, false).to_bits(), f64::to_bits(cut), "{number} {digits}");
        }
        assert!(rounded(f64::NAN, 1, true).is_nan());
    }
}
