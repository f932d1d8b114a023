//! Implicit conversion, common types, CAST, and which types can be compared, grouped and ordered.
//!
//! Source: <https://cloud.google.com/bigquery/docs/reference/standard-sql/conversion_rules> and
//! <https://cloud.google.com/bigquery/docs/reference/standard-sql/data-types#data_type_properties>.

use super::value::{Form, Value};
use crate::googlesql::{Field, Type};

/// The price of a conversion; the signature with the lowest price is taken.
const EXACT: u32 = 0;
const LITERAL: u32 = 1;
const WIDENING: u32 = 100;

/// The price of converting a value to a type, `None` when it does not convert by itself.
pub(super) fn conversion(value: &Value<'_>, to: &Type) -> Option<u32> {
    if value.is_unknown() || *to == Type::Unknown {
        return Some(EXACT);
    }
    if let (Some(parts), Type::Struct(fields)) = (&value.parts, to) {
        if parts.len() != fields.len() {
            return None;
        }
        return parts
            .iter()
            .zip(fields)
            .map(|(part, field)| conversion(part, &field.data_type))
            .try_fold(0, |worst, price| Some(price?.max(worst)));
    }
    match value.form {
        Form::Null => Some(LITERAL),
        Form::EmptyArray if matches!(to, Type::Array(_)) => Some(LITERAL),
        Form::Computed | Form::Column => widening(&value.data_type, to),
        _ => literal(&value.data_type, to),
    }
}

/// Conversion of any expression of a type.
fn widening(from: &Type, to: &Type) -> Option<u32> {
    match (from, to) {
        (left, right) if same(left, right) => Some(EXACT),
        (Type::Unknown, _) | (_, Type::Unknown) => Some(EXACT),
        (Type::Int64, Type::Float64) | (Type::Date, Type::Datetime) => Some(WIDENING),
        (Type::Int64, Type::Numeric) | (Type::Numeric, Type::BigNumeric) => Some(WIDENING + 1),
        (Type::Int64, Type::BigNumeric) => Some(WIDENING + 2),
        (Type::Numeric | Type::BigNumeric, Type::Float64) => Some(WIDENING + 3),
        (Type::Struct(left), Type::Struct(right)) if left.len() == right.len() => left
            .iter()
            .zip(right)
            .map(|(left, right)| widening(&left.data_type, &right.data_type))
            .try_fold(0, |worst, price| Some(price?.max(worst))),
        _ => None,
    }
}

/// Conversion of a literal or parameter beyond what any expression converts to.
fn literal(from: &Type, to: &Type) -> Option<u32> {
    if let Some(price) = widening(from, to) {
        // Among literals, too, an INT64 is a FLOAT64 before it is a NUMERIC.
        return Some(if price == EXACT { EXACT } else { LITERAL + price - WIDENING });
    }
    match (from, to) {
        (
            Type::String,
            Type::Date | Type::Datetime | Type::Time | Type::Timestamp | Type::Bytes | Type::Range(_),
        )
        | (Type::Float64, Type::Numeric | Type::BigNumeric) => Some(LITERAL + 10),
        (Type::Array(left), Type::Array(right)) => literal(left, right),
        (Type::Struct(left), Type::Struct(right)) if left.len() == right.len() => left
            .iter()
            .zip(right)
            .map(|(left, right)| literal(&left.data_type, &right.data_type))
            .try_fold(0, |worst, price| Some(price?.max(worst))),
        _ => None,
    }
}

/// Whether two types are the same but for the names of struct fields; unknown parts are the same as any.
pub(super) fn same(left: &Type, right: &Type) -> bool {
    match (left, right) {
        (Type::Unknown, _) | (_, Type::Unknown) => true,
        (Type::Array(left), Type::Array(right)) | (Type::Range(left), Type::Range(right)) => {
            same(left, right)
        }
        (Type::Struct(left), Type::Struct(right)) => {
            left.len() == right.len()
                && left.iter().zip(right).all(|(left, right)| same(&left.data_type, &right.data_type))
        }
        _ => left == right,
    }
}

/// The common type of values, as of the branches of CASE or the elements of an array.
///
/// `None` when there is none. Literals give way to columns: a NUMERIC column and `1.5` are NUMERIC.
pub(super) fn common<'v, 'q: 'v>(values: impl Iterator<Item = &'v Value<'q>> + Clone) -> Option<Type> {
    if values.clone().any(|value| value.parts.is_some()) {
        return common_struct(values);
    }
    let mut result: Option<Type> = None;
    let mut firm = false;
    for value in values.clone().filter(|value| !value.is_literal()) {
        result = Some(match result {
            None => value.data_type.clone(),
            Some(so_far) => common_of_two(&so_far, &value.data_type)?,
        });
        firm = true;
    }
    let mut empty = false;
    for value in values.filter(|value| value.is_literal()) {
        match (value.form, result.take()) {
            (Form::Null, so_far) => result = so_far,
            (Form::EmptyArray, so_far) => {
                empty = true;
                result = so_far;
            }
            (_, None) => result = Some(value.data_type.clone()),
            (_, Some(so_far)) => result = Some(common_with_literal(so_far, &value.data_type, firm)?),
        }
    }
    match result {
        // `[]` is an array of whatever the others hold.
        Some(Type::Array(_) | Type::Unknown) | None if empty => {
            Some(result.unwrap_or_else(|| Type::Array(Box::new(Type::Int64))))
        }
        Some(_) if empty => None,
        Some(result) => Some(result),
        None => Some(Type::Int64),
    }
}

/// The common type of structs, some of them as they are written: field by field.
fn common_struct<'v, 'q: 'v>(values: impl Iterator<Item = &'v Value<'q>> + Clone) -> Option<Type> {
    let structs = values.filter(|value| value.form != Form::Null);
    if structs.clone().any(Value::is_unknown) {
        return Some(Type::Unknown);
    }
    let model = structs.clone().find(|value| !value.is_literal()).or_else(|| structs.clone().next())?;
    let Type::Struct(names) = &model.data_type else { return None };
    let mut columns: Vec<Vec<Value<'q>>> = vec![Vec::new(); names.len()];
    for value in structs {
        let Type::Struct(fields) = &value.data_type else { return None };
        if fields.len() != names.len() {
            return None;
        }
        for (position, (column, field)) in columns.iter_mut().zip(fields).enumerate() {
            let part = value.parts.as_ref().and_then(|parts| parts.get(position)).cloned();
            let form = if value.is_literal() { Form::Literal } else { Form::Computed };
            column.push(part.unwrap_or_else(|| Value { form, ..Value::of(field.data_type.clone()) }));
        }
    }
    let fields = names
        .iter()
        .zip(&columns)
        .map(|(field, column)| Some(Field { name: field.name.clone(), data_type: common(column.iter())? }));
    fields.collect::<Option<Vec<_>>>().map(Type::Struct)
}

/// The common type of what is known so far and a literal; `firm` when a column is among what is known.
fn common_with_literal(so_far: Type, next: &Type, firm: bool) -> Option<Type> {
    // `1.5` gives way to a NUMERIC, even to one that is a literal too.
    if !firm && so_far == Type::Float64 && matches!(next, Type::Numeric | Type::BigNumeric) {
        return Some(next.clone());
    }
    if literal(next, &so_far).is_some() {
        return Some(so_far);
    }
    if let (Type::Struct(ours), Type::Struct(theirs)) = (&so_far, next)
        && ours.len() == theirs.len()
    {
        let fields = ours.iter().zip(theirs).map(|(ours, theirs)| {
            let data_type = common_with_literal(ours.data_type.clone(), &theirs.data_type, firm)?;
            Some(Field { name: ours.name.clone(), data_type })
        });
        return fields.collect::<Option<Vec<_>>>().map(Type::Struct);
    }
    if !firm && literal(&so_far, next).is_some() {
        return Some(next.clone());
    }
    common_of_two(&so_far, next)
}

/// The common type of two expressions that are no literals.
pub(super) fn common_of_two(left: &Type, right: &Type) -> Option<Type> {
    match (left, right) {
        (Type::Unknown, _) | (_, Type::Unknown) => Some(Type::Unknown),
        (Type::Struct(ours), Type::Struct(theirs)) if ours.len() == theirs.len() => {
            let fields = ours.iter().zip(theirs).map(|(ours, theirs)| {
                let data_type = common_of_two(&ours.data_type, &theirs.data_type)?;
                Some(Field { name: ours.name.clone(), data_type })
            });
            fields.collect::<Option<Vec<_>>>().map(Type::Struct)
        }
        _ if widening(right, left).is_some() => Some(left.clone()),
        _ if widening(left, right).is_some() => Some(right.clone()),
        _ => None,
    }
}

/// Whether BigQuery has a CAST from one type to another; values may still fail at run time.
pub(super) fn castable(from: &Type, to: &Type) -> bool {
    use Type::{
        Array, BigNumeric, Bool, Bytes, Date, Datetime, Float64, Int64, Interval, Numeric, Range, String,
        Struct, Time, Timestamp, Unknown,
    };
    match (from, to) {
        (Unknown, _) | (_, Unknown) => true,
        (Array(from), Array(to)) => castable(from, to),
        (Struct(from), Struct(to)) => {
            from.len() == to.len()
                && from.iter().zip(to).all(|(from, to)| castable(&from.data_type, &to.data_type))
        }
        (left, right) if same(left, right) => true,
        (
            String,
            Bool | Int64 | Numeric | BigNumeric | Float64 | Bytes | Date | Datetime | Time | Timestamp
            | Interval | Range(_),
        )
        | (Int64, Bool | Numeric | BigNumeric | Float64 | String)
        | (Numeric, Int64 | BigNumeric | Float64 | String)
        | (BigNumeric, Int64 | Numeric | Float64 | String)
        | (Float64, Int64 | Numeric | BigNumeric | String)
        | (Bool, Int64 | String)
        | (Bytes | Time | Interval | Range(_), String)
        | (Date, String | Datetime | Timestamp)
        | (Datetime | Timestamp, String | Date | Time | Timestamp | Datetime) => true,
        _ => false,
    }
}

/// Whether something can be done with values of a type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Yes,
    No,
    /// Documents and practice disagree, or the type is not known.
    Unsure,
}

/// Whether `=` is defined for a type.
pub(super) fn comparable(data_type: &Type) -> Verdict {
    match data_type {
        Type::Geography | Type::Json => Verdict::No,
        Type::Array(_) | Type::Unknown => Verdict::Unsure,
        Type::Struct(fields) => worst(fields.iter().map(|field| comparable(&field.data_type))),
        _ => Verdict::Yes,
    }
}

/// Whether GROUP BY, DISTINCT and PARTITION BY take a type.
pub(super) fn groupable(data_type: &Type) -> Verdict {
    match data_type {
        Type::Geography | Type::Json => Verdict::No,
        Type::Unknown => Verdict::Unsure,
        Type::Array(element) => groupable(element),
        Type::Struct(fields) => worst(fields.iter().map(|field| groupable(&field.data_type))),
        _ => Verdict::Yes,
    }
}

/// Whether ORDER BY, `<`, MIN and MAX take a type.
pub(super) fn orderable(data_type: &Type) -> Verdict {
    match data_type {
        Type::Geography | Type::Json | Type::Struct(_) => Verdict::No,
        Type::Array(_) | Type::Unknown => Verdict::Unsure,
        _ => Verdict::Yes,
    }
}

fn worst(verdicts: impl Iterator<Item = Verdict>) -> Verdict {
    verdicts.fold(Verdict::Yes, |worst, next| match (worst, next) {
        (Verdict::No, _) | (_, Verdict::No) => Verdict::No,
        (Verdict::Unsure, _) | (_, Verdict::Unsure) => Verdict::Unsure,
        _ => Verdict::Yes,
    })
}
