//! Values of one type as those of another that the engine does not convert as BigQuery does: BIGNUMERIC, and structs,
//! whose fields go together by their places.

use sqlparser::ast::{Expr, Query, Spanned};

use super::literal::{float_literal, string_literal};
use super::names::Ident;
use super::operator::Argument;
use super::{RUNTIME_SCHEMA, Translator};
use crate::googlesql::Type;
use crate::googlesql::resolved::TakenColumn;

/// Functions of BIGNUMERIC that have a translation.
const BIG: &[&str] = &[
    "ABS",
    "ANY_VALUE",
    "APPROX_COUNT_DISTINCT",
    "ARRAY_AGG",
    "AVG",
    "CEIL",
    "CEILING",
    "COALESCE",
    "CORR",
    "COUNT",
    "COVAR_POP",
    "COVAR_SAMP",
    "DIV",
    "FIRST_VALUE",
    "FLOOR",
    "FORMAT",
    "GREATEST",
    "GROUPING",
    "IF",
    "IFNULL",
    "LAG",
    "LAST_VALUE",
    "LEAD",
    "LEAST",
    "MAX",
    "MAX_BY",
    "MIN",
    "MIN_BY",
    "MOD",
    "NTH_VALUE",
    "NULLIF",
    "PERCENTILE_DISC",
    "ROUND",
    "SAFE_ADD",
    "SAFE_DIVIDE",
    "SAFE_MULTIPLY",
    "SAFE_NEGATE",
    "SAFE_SUBTRACT",
    "SIGN",
    "STDDEV",
    "STDDEV_POP",
    "STDDEV_SAMP",
    "SUM",
    "TO_JSON",
    "TO_JSON_STRING",
    "TRUNC",
    "TYPEOF",
    "VARIANCE",
    "VAR_POP",
    "VAR_SAMP",
];

/// Whether a function takes BIGNUMERIC here.
pub(super) fn takes_bignumeric(name: &str) -> bool {
    BIG.binary_search(&name).is_ok()
}

/// The macro that makes a scalar of a type; none where the engine converts by itself.
fn cast_to(from: &Type, to: &Type) -> Option<&'static str> {
    Some(match (from, to) {
        (Type::BigNumeric, Type::BigNumeric) => return None,
        (_, Type::BigNumeric) => "as_bignumeric",
        (Type::BigNumeric, Type::Float64) => "as_float64",
        (Type::BigNumeric, Type::String) => "as_string",
        _ => return None,
    })
}

impl Translator<'_> {
    /// An expression, as what it is taken as where it stands.
    pub(super) fn taken(&mut self, expr: &Expr, sql: String) -> String {
        let Some((from, to)) = self.resolved.conversion(expr).cloned() else { return sql };
        if let (Type::BigNumeric, Some(digits)) = (&to, float_literal(expr)) {
            return format!("bignumeric_of_text('{digits}')");
        }
        if let Some(text) = string_literal(expr) {
            // A text that is none is the engine's to tell of.
            return Self::temporal_literal(&to, text).unwrap_or(sql);
        }
        let opaque = self.is_opaque(expr);
        self.reshaped(&sql, opaque, &from, &to)
    }

    fn reshaped(&mut self, sql: &str, opaque: bool, from: &Type, to: &Type) -> String {
        match (from, to) {
            (Type::Struct(own), Type::Struct(fields)) if own.len() == fields.len() => {
                let part = self.fresh("part").to_string();
                let values: Vec<String> = own
                    .iter()
                    .zip(fields)
                    .enumerate()
                    .map(|(index, (from, to))| {
                        let value = format!("struct_extract_at({part}, {})", index + 1);
                        let value = self.reshaped(&value, false, &from.data_type, &to.data_type);
                        let name = to.name.clone().unwrap_or_else(|| format!("_field_{}", index + 1));
                        format!("{} := {value}", Ident::new(name))
                    })
                    .collect();
                format!(
                    "list_transform([{sql}], lambda {part}: CASE WHEN {part} IS NOT NULL THEN struct_pack({}) END)[1]",
                    values.join(", ")
                )
            }
            (Type::Array(own), Type::Array(element)) if own != element => {
                let part = self.fresh("part").to_string();
                let value = self.reshaped(&part, false, own, element);
                if value == part {
                    sql.to_owned()
                } else {
                    format!("list_transform({sql}, lambda {part}: {value})")
                }
            }
            _ => match cast_to(from, to) {
                Some(name) => self.call(name, &[Argument { sql: sql.to_owned(), opaque, constant: false }]),
                None => sql.to_owned(),
            },
        }
    }

    /// A query whose rows are written to a table.
    pub(super) fn written_rows(&mut self, query: &Query) -> String {
        let sql = self.query(query);
        self.taken_query(query, sql)
    }

    /// A query, each of its columns as what it is taken as.
    pub(super) fn taken_query(&mut self, query: &Query, sql: String) -> String {
        match self.resolved.rows(query.span()).map(<[TakenColumn]>::to_vec) {
            Some(columns) => self.taken_rows(&sql, &columns),
            None => sql,
        }
    }

    /// The rows of a query, each column as what it is taken as.
    pub(super) fn taken_rows(&mut self, sql: &str, columns: &[TakenColumn]) -> String {
        let names: Vec<String> =
            (1..=columns.len()).map(|index| Ident::new(format!("c{index}")).to_string()).collect();
        let list: Vec<String> = columns
            .iter()
            .zip(&names)
            .map(|((name, from, to), own)| {
                let value = self.reshaped(own, false, from, to);
                if name.is_empty() { value } else { format!("{value} AS {}", Ident::new(name)) }
            })
            .collect();
        let rows = self.fresh("rows");
        format!("SELECT {} FROM ({sql}) AS {rows}({})", list.join(", "), names.join(", "))
    }

    /// `-value` of BIGNUMERIC.
    pub(super) fn negated(&mut self, operand: &Expr) -> String {
        format!("bignumeric_negate({})", self.expr(operand))
    }

    /// The sum or the average of BIGNUMERICs: of all of them as a list.
    pub(super) fn big_total(&mut self, name: &str, value: &Expr, distinct: &str, window: &str) -> String {
        let value = self.expr(value);
        format!("bignumeric_{}(list({distinct}{value}){window})", name.to_ascii_lowercase())
    }

    /// A value as a FLOAT64, for functions that compute with nothing else.
    pub(super) fn as_double(&mut self, expr: &Expr, is_big: bool) -> String {
        let sql = self.expr(expr);
        if is_big { format!("{RUNTIME_SCHEMA}.as_float64({sql})") } else { format!("CAST({sql} AS DOUBLE)") }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_list_is_sorted() {
        assert!(super::BIG.is_sorted());
    }
}
