//! BigQuery's data types, and columns that have them.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A data type of GoogleSQL as BigQuery has them.
///
/// Source: <https://cloud.google.com/bigquery/docs/reference/standard-sql/data-types>
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Type {
    /// TRUE or FALSE.
    Bool,
    /// 64-bit signed integer.
    Int64,
    /// IEEE 754 double.
    Float64,
    /// Decimal with 38 digits, 9 after the point.
    Numeric,
    /// Decimal with 76 digits, 38 after the point.
    BigNumeric,
    /// Unicode text.
    String,
    /// Binary data.
    Bytes,
    /// Calendar date without time zone.
    Date,
    /// Calendar date and time of day without time zone, microseconds.
    Datetime,
    /// Time of day, microseconds.
    Time,
    /// A point in time, microseconds, UTC.
    Timestamp,
    /// Duration of months, days and microseconds.
    Interval,
    /// A JSON document.
    Json,
    /// Points, lines and areas on the Earth.
    Geography,
    /// Contiguous span of DATE, DATETIME or TIMESTAMP.
    Range(Box<Type>),
    /// Ordered list; elements are never arrays themselves.
    Array(Box<Type>),
    /// Ordered fields, names optional.
    Struct(Vec<Field>),
    /// Not known: the third state between right and wrong. Nothing is concluded from it.
    Unknown,
}

/// One field of a [`Type::Struct`].
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Field {
    /// Its name; fields of `STRUCT(1, 2)` have none.
    pub name: Option<String>,
    /// Its type.
    pub data_type: Type,
}

/// A named column of a table or of a query's result.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Column {
    /// Name as written; BigQuery compares names without case.
    pub name: String,
    /// Its type.
    #[serde(rename = "type")]
    pub data_type: Type,
}

impl Column {
    /// A column of a type.
    pub fn new(name: impl Into<String>, data_type: Type) -> Self {
        Self { name: name.into(), data_type }
    }
}

impl Type {
    /// Whether it is one of INT64, NUMERIC, BIGNUMERIC, FLOAT64.
    pub fn is_numeric(&self) -> bool {
        matches!(self, Self::Int64 | Self::Numeric | Self::BigNumeric | Self::Float64)
    }

    /// Reads a type as written in BigQuery: `INT64`, `NUMERIC(10, 2)`, `ARRAY<STRUCT<a STRING, b DATE>>`.
    /// Aliases (INTEGER, DECIMAL, BOOLEAN, FLOAT, RECORD's angle form) are known; parameters are read and
    /// dropped, since they bound values and not operations.
    pub fn parse(text: &str) -> Option<Self> {
        let mut reader = TypeReader { rest: text };
        let parsed = reader.data_type()?;
        reader.rest.trim().is_empty().then_some(parsed)
    }
}

/// Recursive reader for [`Type::parse`]; depth is bounded by [`TypeReader::MAX_DEPTH`].
struct TypeReader<'a> {
    rest: &'a str,
}

impl TypeReader<'_> {
    const MAX_DEPTH: usize = 15;

    fn data_type(&mut self) -> Option<Type> {
        self.nested(0)
    }

    fn nested(&mut self, depth: usize) -> Option<Type> {
        if depth > Self::MAX_DEPTH {
            return None;
        }
        let name = self.word()?.to_ascii_uppercase();
        let data_type = match name.as_str() {
            "BOOL" | "BOOLEAN" => Type::Bool,
            "INT64" | "INT" | "SMALLINT" | "INTEGER" | "BIGINT" | "TINYINT" | "BYTEINT" => Type::Int64,
            "FLOAT64" | "FLOAT" => Type::Float64,
            "NUMERIC" | "DECIMAL" => Type::Numeric,
            "BIGNUMERIC" | "BIGDECIMAL" => Type::BigNumeric,
            "STRING" => Type::String,
            "BYTES" => Type::Bytes,
            "DATE" => Type::Date,
            "DATETIME" => Type::Datetime,
            "TIME" => Type::Time,
            "TIMESTAMP" => Type::Timestamp,
            "INTERVAL" => Type::Interval,
            "JSON" => Type::Json,
            "GEOGRAPHY" => Type::Geography,
            "ARRAY" => {
                self.expect('<')?;
                let element = self.nested(depth + 1)?;
                self.expect('>')?;
                Type::Array(Box::new(element))
            }
            "RANGE" => {
                // `RANGE(DATE)` is how the parser of SQL prints it.
                let close = if self.eat('(') { ')' } else { '>' };
                if close == '>' {
                    self.expect('<')?;
                }
                let element = self.nested(depth + 1)?;
                self.expect(close)?;
                Type::Range(Box::new(element))
            }
            "STRUCT" => self.fields(depth)?,
            _ => return None,
        };
        self.parameters()?;
        Some(data_type)
    }

    fn fields(&mut self, depth: usize) -> Option<Type> {
        self.expect('<')?;
        let mut fields = Vec::new();
        while !self.eat('>') {
            if !fields.is_empty() {
                self.expect(',')?;
            }
            // A field is `name TYPE` or `TYPE`: two words in a row mean that the first is the name.
            let before = self.rest;
            if self.eat('`') {
                let (name, rest) = self.rest.split_once('`')?;
                self.rest = rest;
                fields.push(Field { name: Some(name.to_owned()), data_type: self.nested(depth + 1)? });
                continue;
            }
            let first = self.word()?.to_owned();
            let named = self.rest.trim_start().starts_with(|c: char| c.is_ascii_alphabetic());
            let name = if named {
                Some(first)
            } else {
                self.rest = before;
                None
            };
            fields.push(Field { name, data_type: self.nested(depth + 1)? });
        }
        Some(Type::Struct(fields))
    }

    /// `(10)`, `(10, 2)`, `(MAX)` after a type's name.
    fn parameters(&mut self) -> Option<()> {
        if self.eat('(') {
            let end = self.rest.find(')')?;
            let inside = &self.rest[..end];
            if inside.contains(['<', '>', '(']) || inside.trim().is_empty() {
                return None;
            }
            self.rest = &self.rest[end + 1..];
        }
        Some(())
    }

    fn word(&mut self) -> Option<&str> {
        let trimmed = self.rest.trim_start();
        let end = trimmed.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(trimmed.len());
        if end == 0 {
            return None;
        }
        let (word, rest) = trimmed.split_at(end);
        self.rest = rest;
        Some(word)
    }

    fn eat(&mut self, token: char) -> bool {
        match self.rest.trim_start().strip_prefix(token) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn expect(&mut self, token: char) -> Option<()> {
        self.eat(token).then_some(())
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self {
            Self::Bool => "BOOL",
            Self::Int64 => "INT64",
            Self::Float64 => "FLOAT64",
            Self::Numeric => "NUMERIC",
            Self::BigNumeric => "BIGNUMERIC",
            Self::String => "STRING",
            Self::Bytes => "BYTES",
            Self::Date => "DATE",
            Self::Datetime => "DATETIME",
            Self::Time => "TIME",
            Self::Timestamp => "TIMESTAMP",
            Self::Interval => "INTERVAL",
            Self::Json => "JSON",
            Self::Geography => "GEOGRAPHY",
            Self::Unknown => "UNKNOWN",
            Self::Range(element) => return write!(f, "RANGE<{element}>"),
            Self::Array(element) => return write!(f, "ARRAY<{element}>"),
            Self::Struct(fields) => {
                write!(f, "STRUCT<")?;
                for (index, field) in fields.iter().enumerate() {
                    if index > 0 {
                        write!(f, ", ")?;
                    }
                    if let Some(name) = &field.name {
                        write!(f, "{name} ")?;
                    }
                    write!(f, "{}", field.data_type)?;
                }
                return write!(f, ">");
            }
        };
        f.write_str(name)
    }
}

impl Serialize for Type {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Type {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text == "UNKNOWN" {
            return Ok(Self::Unknown);
        }
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom(format!("unknown type `{text}`")))
    }
}

/// The names of BigQuery's types, for advice on misspelt ones.
pub const TYPE_NAMES: [&str; 17] = [
    "BOOL",
    "INT64",
    "FLOAT64",
    "NUMERIC",
    "BIGNUMERIC",
    "STRING",
    "BYTES",
    "DATE",
    "DATETIME",
    "TIME",
    "TIMESTAMP",
    "INTERVAL",
    "JSON",
    "GEOGRAPHY",
    "ARRAY<…>",
    "STRUCT<…>",
    "RANGE<…>",
];

/// GoogleSQL's type for a type name of another database, in any case.
pub fn foreign_type(name: &str) -> Option<&'static str> {
    match name.to_ascii_uppercase().as_str() {
        "VARCHAR" | "TEXT" | "CHAR" | "CHARACTER" | "NVARCHAR" => Some("STRING"),
        "DOUBLE" | "REAL" | "FLOAT" | "FLOAT8" | "FLOAT4" | "FLOAT32" => Some("FLOAT64"),
        "INT" | "INTEGER" | "BIGINT" | "SMALLINT" | "TINYINT" | "INT4" | "INT8" | "INT2" | "INT32"
        | "UINT64" | "HUGEINT" | "MEDIUMINT" => Some("INT64"),
        "DEC" | "DECIMAL" => Some("NUMERIC"),
        "BLOB" | "BINARY" | "VARBINARY" | "BYTEA" => Some("BYTES"),
        "TIMESTAMPTZ" => Some("TIMESTAMP"),
        "TIMESTAMP_NTZ" => Some("DATETIME"),
        "JSONB" => Some("JSON"),
        "BOOLEAN" => Some("BOOL"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_read_back_as_they_print() {
        for text in
            ["INT64", "ARRAY<STRUCT<a STRING, b ARRAY<DATE>>>", "STRUCT<INT64, x BOOL>", "RANGE<DATE>"]
        {
            assert_eq!(Type::parse(text).map(|t| t.to_string()).as_deref(), Some(text));
        }
    }

    #[test]
    fn aliases_and_parameters_are_known_and_rubbish_is_not() {
        assert_eq!(Type::parse("decimal(10, 2)"), Some(Type::Numeric));
        assert_eq!(Type::parse("STRING(MAX)"), Some(Type::String));
        for text in ["", "VARCHAR", "ARRAY", "ARRAY<INT64", "INT64 INT64", "STRUCT<a>", "NUMERIC("] {
            assert_eq!(Type::parse(text), None, "{text}");
        }
        assert_eq!(Type::parse(&"ARRAY<".repeat(100_000)), None);
    }
}
