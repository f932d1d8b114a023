//! Time zones that are no literals, as functions of the engine: those that are stand in the SQL with their rules.

use std::sync::Arc;

use chrono::{DateTime, NaiveDateTime};
use duckdb::Connection;
use duckdb::arrow::array::{Array, ArrayRef, AsArray, Int64Array};
use duckdb::arrow::datatypes::Int64Type;
use duckdb::core::{DataChunkHandle, LogicalTypeId};
use duckdb::vscalar::{ScalarFunctionSignature, VScalar};
use duckdb::vtab::arrow::{WritableVector, data_chunk_to_arrow, write_arrow_array_to_vector};

use crate::googlesql::clock::Zone;

/// What a clock shows, or an instant in UTC, as the other.
type Turn = fn(Zone, NaiveDateTime) -> Option<NaiveDateTime>;

/// Makes the functions known to a database.
///
/// # Errors
/// What the engine says.
pub(super) fn register(connection: &Connection) -> duckdb::Result<()> {
    let clock: Turn = |zone, instant| Some(zone.clock(instant));
    connection.register_scalar_function_with_state::<InZone>("zone_clock", &clock)?;
    let instant: Turn = |zone, clock| zone.instant(clock);
    connection.register_scalar_function_with_state::<InZone>("zone_instant", &instant)
}

/// Microseconds from 1970 in a zone.
struct InZone;

impl VScalar for InZone {
    type State = Turn;

    fn invoke(
        turn: &Turn,
        input: &mut DataChunkHandle,
        output: &mut dyn WritableVector,
    ) -> Result<(), Box<dyn std::error::Error>> {
        let batch = data_chunk_to_arrow(input)?;
        let (Some(micros), Some(zones)) =
            (batch.column(0).as_primitive_opt::<Int64Type>(), batch.column(1).as_string_opt::<i32>())
        else {
            return Err("an argument of another type than the function's".into());
        };
        let mut known: Option<(&str, Zone)> = None;
        let mut results = Vec::with_capacity(batch.num_rows());
        for row in 0..batch.num_rows() {
            if micros.is_null(row) || zones.is_null(row) {
                results.push(None);
                continue;
            }
            let name = zones.value(row);
            let zone = match known {
                Some((own, zone)) if own == name => zone,
                _ => Zone::parse(name).ok_or_else(|| format!("Invalid time zone: {name}"))?,
            };
            known = Some((name, zone));
            let at = DateTime::from_timestamp_micros(micros.value(row)).map(|at| at.naive_utc());
            let turned = at.and_then(|at| turn(zone, at)).ok_or("Invalid timestamp: out of range")?;
            results.push(Some(turned.and_utc().timestamp_micros()));
        }
        let array: ArrayRef = Arc::new(Int64Array::from(results));
        write_arrow_array_to_vector(&array, output)
    }

    fn signatures() -> Vec<ScalarFunctionSignature> {
        let parameters = vec![LogicalTypeId::Bigint.into(), LogicalTypeId::Varchar.into()];
        vec![ScalarFunctionSignature::exact(parameters, LogicalTypeId::Bigint.into())]
    }
}
