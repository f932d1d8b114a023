//! BigQuery's types as DuckDB's.

use sqlparser::ast::{ArrayElemTypeDef, DataType, ExactNumberInfo, Spanned, TimezoneInfo};
use sqlparser::tokenizer::Span;

use super::names::Ident;
use super::{RUNTIME_SCHEMA, Translator};
use crate::diag::Code;

/// BIGNUMERIC as the engine keeps it: see `warehouse::duckdb::bignumeric`.
const BIGNUMERIC: &str = "UBIGINT[4]";

/// A type without parameters or parts, by the name of its cast macro.
pub(super) fn cast_macro(data_type: &DataType) -> Option<&'static str> {
    Some(match data_type {
        DataType::Int64
        | DataType::Int(None)
        | DataType::Integer(None)
        | DataType::BigInt(None)
        | DataType::SmallInt(None)
        | DataType::TinyInt(None) => "as_int64",
        DataType::Float64 | DataType::Float(ExactNumberInfo::None) => "as_float64",
        DataType::Numeric(ExactNumberInfo::None) | DataType::Decimal(ExactNumberInfo::None) => "as_numeric",
        DataType::BigNumeric(ExactNumberInfo::None) | DataType::BigDecimal(ExactNumberInfo::None) => {
            "as_bignumeric"
        }
        DataType::String(None) => "as_string",
        DataType::Bytes(None) => "as_bytes",
        DataType::Bool | DataType::Boolean => "as_bool",
        DataType::Date => "as_date",
        DataType::Time(None, TimezoneInfo::None) => "as_time",
        DataType::Datetime(None) => "as_datetime",
        DataType::Timestamp(None, TimezoneInfo::None) => "as_timestamp",
        DataType::Interval { fields: None, precision: None } => "as_interval",
        DataType::Custom(name, parameters) if parameters.is_empty() => {
            match name.to_string().to_ascii_uppercase().as_str() {
                "INT64" | "BYTEINT" => "as_int64",
                "FLOAT64" => "as_float64",
                "NUMERIC" => "as_numeric",
                "BIGNUMERIC" => "as_bignumeric",
                "STRING" => "as_string",
                "BYTES" => "as_bytes",
                _ => return None,
            }
        }
        _ => return None,
    })
}

/// The macro that casts to a type's kind, and what holds the result within the type's parameters.
type Bounded = (&'static str, Box<dyn Fn(&str) -> String>);

impl Translator<'_> {
    /// A cast to a type with parameters: `STRING(10)`, `NUMERIC(10, 2)`.
    pub(super) fn bounded_cast(&mut self, data_type: &DataType, span: Span) -> Option<Bounded> {
        if let DataType::BigNumeric(bounds) | DataType::BigDecimal(bounds) = data_type {
            return self.bounded_bignumeric(data_type, bounds, span);
        }
        let (digits, scale) = match data_type {
            DataType::String(Some(length)) => {
                let length = *length;
                return Some((
                    "as_string",
                    Box::new(move |sql| format!("{RUNTIME_SCHEMA}.bounded_text({sql}, {length})")),
                ));
            }
            DataType::Bytes(Some(length)) => {
                let length = *length;
                return Some((
                    "as_bytes",
                    Box::new(move |sql| format!("{RUNTIME_SCHEMA}.bounded_bytes({sql}, {length})")),
                ));
            }
            DataType::Numeric(ExactNumberInfo::Precision(digits))
            | DataType::Decimal(ExactNumberInfo::Precision(digits)) => (*digits, 0),
            DataType::Numeric(ExactNumberInfo::PrecisionAndScale(digits, scale))
            | DataType::Decimal(ExactNumberInfo::PrecisionAndScale(digits, scale)) => (*digits, *scale),
            _ => return None,
        };
        let whole = i64::try_from(digits).ok().and_then(|digits| usize::try_from(digits - scale).ok());
        let Some(whole) = whole.filter(|whole| *whole <= 29 && (0..=9).contains(&scale)) else {
            self.invalid(
                Code::SqlInvalid,
                span,
                format!("NUMERIC has at most 29 digits before the point and 9 behind it, and {data_type} asks for others"),
            );
            return None;
        };
        let bound = format!("1{}", "0".repeat(whole));
        Some((
            "as_numeric",
            Box::new(move |sql| format!("{RUNTIME_SCHEMA}.bounded_numeric({sql}, {scale}, {bound})")),
        ))
    }

    /// A cast to BIGNUMERIC(p, s).
    fn bounded_bignumeric(
        &mut self,
        data_type: &DataType,
        bounds: &ExactNumberInfo,
        span: Span,
    ) -> Option<Bounded> {
        let (digits, scale) = match bounds {
            ExactNumberInfo::None => return None,
            ExactNumberInfo::Precision(digits) => (*digits, 0),
            ExactNumberInfo::PrecisionAndScale(digits, scale) => (*digits, *scale),
        };
        let whole = i64::try_from(digits).ok().map(|digits| digits - scale);
        let Some(whole) = whole.filter(|whole| (0..=38).contains(whole) && (0..=38).contains(&scale)) else {
            let message = format!(
                "BIGNUMERIC has at most 38 digits before the point and 38 behind it, and {data_type} asks for others"
            );
            self.invalid(Code::SqlInvalid, span, message);
            return None;
        };
        let bounds = whole * 100 + scale;
        Some((
            "as_bignumeric",
            Box::new(move |sql| format!("bignumeric_bounded({sql}, CAST({bounds} AS BIGINT))")),
        ))
    }

    /// A type in a position where it is stored or cast to. Lengths of STRING and BYTES are dropped where a
    /// column is declared (they bound values and not operations) and refused in casts by the caller.
    pub(super) fn data_type(&mut self, data_type: &DataType, span: Span) -> String {
        if let Some(name) = cast_macro(data_type) {
            return match name {
                "as_int64" => "BIGINT",
                "as_float64" => "DOUBLE",
                "as_numeric" => "DECIMAL(38,9)",
                "as_bignumeric" => BIGNUMERIC,
                "as_string" => "VARCHAR",
                "as_bytes" => "BLOB",
                "as_bool" => "BOOLEAN",
                "as_date" => "DATE",
                "as_time" => "TIME",
                "as_datetime" => "TIMESTAMP",
                "as_interval" => "INTERVAL",
                _ => "TIMESTAMPTZ",
            }
            .to_owned();
        }
        match data_type {
            DataType::String(Some(_)) => "VARCHAR".to_owned(),
            DataType::Bytes(Some(_)) => "BLOB".to_owned(),
            // The parameters bound the values that may be written, the type of every expression is NUMERIC.
            DataType::Numeric(_) | DataType::Decimal(_) => "DECIMAL(38,9)".to_owned(),
            DataType::JSON => "JSON".to_owned(),
            DataType::Array(
                ArrayElemTypeDef::AngleBracket(element) | ArrayElemTypeDef::Parenthesis(element),
            ) => {
                format!("{}[]", self.data_type(element, span))
            }
            DataType::Struct(fields, _) => {
                let fields: Vec<String> = fields
                    .iter()
                    .enumerate()
                    .map(|(index, field)| {
                        let name = field.field_name.as_ref().map_or_else(
                            || Ident::new(format!("_field_{}", index + 1)),
                            |name| Ident::new(&name.value),
                        );
                        format!("{name} {}", self.data_type(&field.field_type, span))
                    })
                    .collect();
                format!("STRUCT({})", fields.join(", "))
            }
            DataType::BigNumeric(_) | DataType::BigDecimal(_) => BIGNUMERIC.to_owned(),
            DataType::Custom(name, _) => {
                if let Some(element) = super::range::Element::of(data_type) {
                    return element.data_type();
                }
                let place = name.span();
                self.refuse(place, format!("the type {name}"))
            }
            other => self.refuse(span, format!("the type {other}")),
        }
    }
}
