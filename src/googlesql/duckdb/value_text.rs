//! Structs and arrays as text, member by member: what their types are is known from the analysis.
//!
//! Sources: <https://cloud.google.com/bigquery/docs/reference/standard-sql/json_functions#json_encodings>,
//! <https://cloud.google.com/bigquery/docs/reference/standard-sql/string_functions#t_and_t_behavior>

use sqlparser::ast::Expr;

use super::literal::quote;
use super::{RUNTIME_SCHEMA, Translator};
use crate::googlesql::Type;
use crate::googlesql::resolved::span_of;

/// What the text is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TextOf {
    /// `TO_JSON_STRING`.
    JsonString,
    /// `TO_JSON`.
    Json,
    /// `%t` of FORMAT.
    Plain,
    /// `%T` of FORMAT.
    Literal,
}

impl TextOf {
    /// The macro for a value that is neither a struct nor an array.
    fn leaf(self) -> &'static str {
        match self {
            Self::JsonString => "to_json_string",
            Self::Json => "to_json",
            Self::Plain => "format_plain",
            Self::Literal => "format_literal",
        }
    }

    fn is_json(self) -> bool {
        matches!(self, Self::Json | Self::JsonString)
    }
}

impl Translator<'_> {
    /// The text of a struct, an array or an interval; none for other values and where the type is not known.
    pub(super) fn value_text(&mut self, what: TextOf, value: &Expr) -> Option<String> {
        let data_type = self.resolved.argument(span_of(value))?.clone();
        let is_rich = match &data_type {
            Type::Struct(_) | Type::Array(_) | Type::BigNumeric => true,
            Type::Interval | Type::Json => !what.is_json(),
            _ => false,
        };
        if !is_rich || !is_known(&data_type) {
            return None;
        }
        let sql = self.expr(value);
        Some(self.text_of(what, &data_type, &sql))
    }

    fn text_of(&mut self, what: TextOf, data_type: &Type, sql: &str) -> String {
        let name = self.fresh("part").to_string();
        let null = if what.is_json() { "'null'" } else { "'NULL'" };
        let text = match data_type {
            Type::Struct(fields) => {
                let mut members = Vec::new();
                for (index, field) in fields.iter().enumerate() {
                    let member = format!("struct_extract_at({name}, {})", index + 1);
                    let text = self.text_of(what, &field.data_type, &member);
                    let key = serde_json::Value::from(field.name.clone().unwrap_or_default());
                    members.push(if what.is_json() {
                        format!("{} || {text}", quote(&format!("{key}:")))
                    } else {
                        text
                    });
                }
                let (open, between, close) = match what {
                    TextOf::Json | TextOf::JsonString => ("{", ",", "}"),
                    TextOf::Literal if fields.len() < 2 => ("STRUCT(", ", ", ")"),
                    TextOf::Literal | TextOf::Plain => ("(", ", ", ")"),
                };
                let between = format!(" || {} || ", quote(between));
                let members = if members.is_empty() { "''".to_owned() } else { members.join(&between) };
                format!("{} || {members} || {}", quote(open), quote(close))
            }
            Type::Array(element) => {
                let each = self.fresh("each").to_string();
                let text = self.text_of(what, element, &each);
                let between = if what.is_json() { "','" } else { "', '" };
                format!(
                    "'[' || coalesce(list_aggregate(list_transform({name}, lambda {each}: {text}), 'string_agg', \
                     {between}), '') || ']'"
                )
            }
            Type::Interval if what == TextOf::Plain => {
                return format!("coalesce({RUNTIME_SCHEMA}.interval_string({sql}), {null})");
            }
            Type::Interval if what == TextOf::Literal => {
                return format!(
                    "coalesce('INTERVAL \"' || {RUNTIME_SCHEMA}.interval_string({sql}) || '\" YEAR TO SECOND', {null})"
                );
            }
            Type::BigNumeric if what == TextOf::JsonString => {
                return format!("{RUNTIME_SCHEMA}.bignumeric_json_string({sql})");
            }
            Type::BigNumeric if what == TextOf::Json => {
                return format!("{RUNTIME_SCHEMA}.bignumeric_json({sql})");
            }
            Type::BigNumeric if what == TextOf::Plain => {
                return format!("coalesce(bignumeric_text({sql}), {null})");
            }
            Type::BigNumeric => {
                return format!("coalesce('BIGNUMERIC \"' || bignumeric_text({sql}) || '\"', {null})");
            }
            Type::Json if what == TextOf::Literal => {
                return format!("coalesce('JSON ''' || CAST({sql} AS VARCHAR) || '''', {null})");
            }
            Type::Json => return format!("coalesce(CAST({sql} AS VARCHAR), {null})"),
            _ => return format!("CAST({RUNTIME_SCHEMA}.{}({sql}) AS VARCHAR)", what.leaf()),
        };
        format!(
            "list_transform([{sql}], lambda {name}: CASE WHEN {name} IS NULL THEN {null} ELSE {text} END)[1]"
        )
    }
}

/// Whether a type is known to its last member, and each member has a text.
fn is_known(data_type: &Type) -> bool {
    match data_type {
        Type::Unknown | Type::Range(_) => false,
        Type::Array(element) => is_known(element),
        Type::Struct(fields) => fields.iter().all(|field| is_known(&field.data_type)),
        _ => true,
    }
}
