//! BIGNUMERIC as the engine keeps it, and its arithmetic as functions of the engine.
//!
//! A value is an array of four limbs of 64 bits, `UBIGINT[4]`, which no other type of GoogleSQL is: the highest first,
//! with the sign's bit turned over. The order of these arrays is that of the numbers, and each number has one, so that
//! comparison, ORDER BY, GROUP BY, joins, MIN and MAX are the engine's own.
//!
//! The arithmetic is no macro: 256 bits and more are not there to compute with (`docs/adr/0009-bignumeric.md`).

use std::sync::Arc;

use duckdb::Connection;
use duckdb::arrow::array::{
    Array, ArrayRef, AsArray, BooleanBufferBuilder, Decimal128Array, FixedSizeListArray, Float64Array,
    Int64Array, StringArray, UInt64Array,
};
use duckdb::arrow::buffer::NullBuffer;
use duckdb::arrow::datatypes::{DataType, Field, Float64Type, Int64Type, UInt64Type};
use duckdb::core::{DataChunkHandle, LogicalTypeHandle, LogicalTypeId};
use duckdb::vscalar::{ScalarFunctionSignature, VScalar};
use duckdb::vtab::arrow::WritableVector;
use duckdb::vtab::arrow::{data_chunk_to_arrow, write_arrow_array_to_vector};

use crate::googlesql::bignumeric::{BigNumeric, Fault, Rounding};

/// What goes wrong in a function is told in these words.
type Failure = Box<dyn std::error::Error>;

/// How many limbs a value has.
const LIMBS: i32 = 4;

/// The engine's type.
fn kept() -> LogicalTypeHandle {
    LogicalTypeHandle::array(&LogicalTypeId::UBigint.into(), 4)
}

/// The function that is registered before all others.
const FIRST: &str = "bignumeric_of_text";

/// Makes the functions known to a database; those that it knows stay.
///
/// # Errors
/// What the engine says.
pub(super) fn register(connection: &Connection) -> duckdb::Result<()> {
    // The engine refuses a function that is there already. It is not asked beforehand: a list of all functions has the
    // text of every macro in it, and takes longer than all else here.
    if let Err(refused) = connection.register_scalar_function::<FromText>(FIRST) {
        return connection.prepare(&format!("SELECT {FIRST}(NULL)")).map(|_| ()).map_err(|_| refused);
    }
    super::zones::register(connection)?;
    super::computed::register(connection)?;
    connection.register_scalar_function::<FromInt64>("bignumeric_of_int64")?;
    connection.register_scalar_function::<FromFloat64>("bignumeric_of_float64")?;
    connection.register_scalar_function::<ToText>("bignumeric_text")?;
    connection.register_scalar_function::<ToInt64>("bignumeric_int64")?;
    connection.register_scalar_function::<ToNumeric>("bignumeric_numeric")?;
    connection.register_scalar_function::<ToFloat64>("bignumeric_float64")?;
    let unary: &[(&str, UnaryFunction)] = &[
        ("bignumeric_abs", BigNumeric::magnitude),
        ("bignumeric_ceil", |a| a.to_whole(true)),
        ("bignumeric_floor", |a| a.to_whole(false)),
        ("bignumeric_negate", BigNumeric::negated),
        ("bignumeric_sign", |a| Ok(a.sign())),
    ];
    for (name, compute) in unary {
        connection.register_scalar_function_with_state::<Unary>(name, &(*name, *compute))?;
    }
    let binary: &[(&str, BinaryFunction)] = &[
        ("bignumeric_add", BigNumeric::plus),
        ("bignumeric_div", BigNumeric::whole_over),
        ("bignumeric_divide", BigNumeric::over),
        ("bignumeric_mod", BigNumeric::rest_over),
        ("bignumeric_multiply", BigNumeric::times),
        ("bignumeric_subtract", BigNumeric::minus),
    ];
    for (name, compute) in binary {
        connection.register_scalar_function_with_state::<Binary>(name, &(*name, *compute))?;
    }
    let digits: &[(&str, DigitsFunction)] = &[
        ("bignumeric_round", |a, digits| a.rounded(digits, Rounding::HalfAway)),
        ("bignumeric_round_even", |a, digits| a.rounded(digits, Rounding::HalfEven)),
        ("bignumeric_trunc", |a, digits| a.rounded(digits, Rounding::Truncate)),
        // Hundreds of the second argument are the digits before the point.
        ("bignumeric_bounded", |a, bounds| {
            let part = |number: i64| u32::try_from(number).unwrap_or(0);
            a.bounded(part(bounds / 100), part(bounds % 100))
        }),
    ];
    for (name, compute) in digits {
        connection.register_scalar_function_with_state::<WithDigits>(name, &(*name, *compute))?;
    }
    let lists: &[(&str, ListFunction)] = &[
        ("bignumeric_avg", |all| BigNumeric::average(all.iter().copied(), all.len() as u64)),
        ("bignumeric_sum", |all| BigNumeric::sum(all.iter().copied())),
    ];
    for (name, compute) in lists {
        connection.register_scalar_function_with_state::<OfList>(name, &(*name, *compute))?;
    }
    Ok(())
}

/// What an error says.
fn failure(name: &str, fault: Fault) -> Failure {
    let name = match name {
        "bignumeric_bounded" => "CAST".to_owned(),
        other => other.trim_start_matches("bignumeric_").to_uppercase(),
    };
    match fault {
        Fault::Overflow => format!("BIGNUMERIC overflow in {name}").into(),
        Fault::Zero => "division by zero".into(),
    }
}

/// The number of a row.
pub(super) fn number_at(array: &dyn Array, row: usize) -> Option<BigNumeric> {
    let list = array.as_fixed_size_list_opt()?;
    if list.value_length() != LIMBS || list.is_null(row) {
        return None;
    }
    let limbs = list.values().as_primitive_opt::<UInt64Type>()?;
    let start = list.value_offset_at(row);
    let key: [u64; 4] = limbs.values().get(start..start + 4)?.try_into().ok()?;
    Some(BigNumeric::from_key(key))
}

/// Numbers as the engine keeps them.
fn numbers(values: &[Option<BigNumeric>]) -> ArrayRef {
    let mut limbs = Vec::with_capacity(values.len() * 4);
    let mut valid = BooleanBufferBuilder::new(values.len());
    for value in values {
        valid.append(value.is_some());
        limbs.extend(value.unwrap_or_default().to_key());
    }
    let field = Arc::new(Field::new_list_field(DataType::UInt64, true));
    let nulls = Some(NullBuffer::new(valid.finish()));
    Arc::new(FixedSizeListArray::new(field, LIMBS, Arc::new(UInt64Array::from(limbs)), nulls))
}

/// Calls a function for each row of a chunk whose arguments are no NULLs.
fn rows<T>(
    input: &DataChunkHandle,
    mut of: impl FnMut(&[ArrayRef], usize) -> Result<T, Failure>,
) -> Result<Vec<Option<T>>, Failure> {
    let batch = data_chunk_to_arrow(input)?;
    let mut results = Vec::with_capacity(batch.num_rows());
    for row in 0..batch.num_rows() {
        let known = batch.columns().iter().all(|column| !column.is_null(row));
        results.push(if known { Some(of(batch.columns(), row)?) } else { None });
    }
    Ok(results)
}

fn missing() -> Failure {
    "an argument of another type than the function's".into()
}

fn argument(columns: &[ArrayRef], at: usize, row: usize) -> Result<BigNumeric, Failure> {
    columns.get(at).and_then(|column| number_at(column.as_ref(), row)).ok_or_else(missing)
}

/// A function from one type to another.
macro_rules! conversion {
    ($name:ident, $from:expr, $to:expr, $compute:expr, $write:expr) => {
        struct $name;
        impl VScalar for $name {
            type State = ();
            fn invoke(
                (): &(),
                input: &mut DataChunkHandle,
                output: &mut dyn WritableVector,
            ) -> Result<(), Failure> {
                let results = rows(input, $compute)?;
                let array: ArrayRef = $write(results);
                write_arrow_array_to_vector(&array, output)
            }
            fn signatures() -> Vec<ScalarFunctionSignature> {
                vec![ScalarFunctionSignature::exact(vec![$from], $to)]
            }
        }
    };
}

conversion!(
    FromText,
    LogicalTypeId::Varchar.into(),
    kept(),
    |columns, row| {
        let text = columns[0].as_string_opt::<i32>().ok_or_else(missing)?.value(row);
        BigNumeric::parse(text).ok_or_else(|| format!("Invalid BIGNUMERIC value: {text}").into())
    },
    |values: Vec<Option<BigNumeric>>| numbers(&values)
);
conversion!(
    FromInt64,
    LogicalTypeId::Bigint.into(),
    kept(),
    |columns, row| {
        let number = columns[0].as_primitive_opt::<Int64Type>().ok_or_else(missing)?;
        Ok(BigNumeric::from_i64(number.value(row)))
    },
    |values: Vec<Option<BigNumeric>>| numbers(&values)
);
conversion!(
    FromFloat64,
    LogicalTypeId::Double.into(),
    kept(),
    |columns, row| {
        let number = columns[0].as_primitive_opt::<Float64Type>().ok_or_else(missing)?.value(row);
        BigNumeric::from_f64(number).map_err(|_| format!("Invalid BIGNUMERIC value: {number}").into())
    },
    |values: Vec<Option<BigNumeric>>| numbers(&values)
);
conversion!(
    ToText,
    kept(),
    LogicalTypeId::Varchar.into(),
    |columns, row| Ok(argument(columns, 0, row)?.to_string()),
    |values: Vec<Option<String>>| Arc::new(StringArray::from(values))
);
conversion!(
    ToInt64,
    kept(),
    LogicalTypeId::Bigint.into(),
    |columns, row| {
        let number = argument(columns, 0, row)?;
        number.to_i64().map_err(|_| format!("Invalid INT64 value: {number}").into())
    },
    |values: Vec<Option<i64>>| Arc::new(Int64Array::from(values))
);
conversion!(
    ToNumeric,
    kept(),
    LogicalTypeHandle::decimal(38, 9),
    |columns, row| {
        let number = argument(columns, 0, row)?;
        number.to_numeric().map_err(|_| format!("Invalid NUMERIC value: {number}").into())
    },
    |values: Vec<Option<i128>>| {
        let array = Decimal128Array::from(values);
        Arc::new(array.with_data_type(DataType::Decimal128(38, 9)))
    }
);
conversion!(
    ToFloat64,
    kept(),
    LogicalTypeId::Double.into(),
    |columns, row| Ok(argument(columns, 0, row)?.to_f64()),
    |values: Vec<Option<f64>>| Arc::new(Float64Array::from(values))
);

/// Functions whose result is a BIGNUMERIC, each with its name.
macro_rules! computation {
    ($name:ident, $state:ty, $parameters:expr, $compute:expr) => {
        struct $name;
        impl VScalar for $name {
            type State = (&'static str, $state);
            fn invoke(
                state: &Self::State,
                input: &mut DataChunkHandle,
                output: &mut dyn WritableVector,
            ) -> Result<(), Failure> {
                let (name, function) = *state;
                let results = rows(input, |columns, row| $compute(function, columns, row))?;
                let results = results.into_iter().map(Option::transpose).collect::<Result<Vec<_>, Fault>>();
                let results = results.map_err(|fault| failure(name, fault))?;
                let results: Vec<_> = results.into_iter().map(Option::flatten).collect();
                write_arrow_array_to_vector(&numbers(&results), output)
            }
            fn signatures() -> Vec<ScalarFunctionSignature> {
                vec![ScalarFunctionSignature::exact($parameters, kept())]
            }
        }
    };
}

type UnaryFunction = fn(BigNumeric) -> Result<BigNumeric, Fault>;
type BinaryFunction = fn(BigNumeric, BigNumeric) -> Result<BigNumeric, Fault>;
type DigitsFunction = fn(BigNumeric, i64) -> Result<BigNumeric, Fault>;
type ListFunction = fn(&[BigNumeric]) -> Result<BigNumeric, Fault>;
/// A number, NULL or why there is neither.
type Outcome = Result<Result<Option<BigNumeric>, Fault>, Failure>;

computation!(Unary, UnaryFunction, vec![kept()], |function: UnaryFunction,
                                                  columns: &[ArrayRef],
                                                  row|
 -> Outcome {
    Ok(function(argument(columns, 0, row)?).map(Some))
});
computation!(Binary, BinaryFunction, vec![kept(), kept()], |function: BinaryFunction,
                                                            columns: &[ArrayRef],
                                                            row|
 -> Outcome {
    Ok(function(argument(columns, 0, row)?, argument(columns, 1, row)?).map(Some))
});
computation!(
    WithDigits,
    DigitsFunction,
    vec![kept(), LogicalTypeId::Bigint.into()],
    |function: DigitsFunction, columns: &[ArrayRef], row| -> Outcome {
        let digits = columns[1].as_primitive_opt::<Int64Type>().ok_or_else(missing)?.value(row);
        Ok(function(argument(columns, 0, row)?, digits).map(Some))
    }
);
// NULLs in the list do not count; of nothing there is no sum.
computation!(OfList, ListFunction, vec![LogicalTypeHandle::list(&kept())], |function: ListFunction,
                                                                            columns: &[ArrayRef],
                                                                            row|
 -> Outcome {
    let items = columns[0].as_list_opt::<i32>().ok_or_else(missing)?.value(row);
    let all: Vec<BigNumeric> =
        (0..items.len()).filter_map(|index| number_at(items.as_ref(), index)).collect();
    if all.is_empty() {
        return Ok(Ok(None));
    }
    Ok(function(&all).map(Some))
});
