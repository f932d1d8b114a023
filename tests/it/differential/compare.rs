//! Questions that the judge answered, put to the embedded engine.

use std::collections::BTreeMap;

use duckdb::Connection;
use pipewright::googlesql::Type;
use pipewright::googlesql::duckdb::{DatasetNames, Parameters};
use pipewright::warehouse::duckdb::runtime;
use pipewright::warehouse::duckdb::script::run;
use pipewright::warehouse::{QueryError, QueryResult};
use serde::Deserialize;
use serde_json::Value;

/// How an answer differs from the reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Difference {
    /// Refused when it was translated: said at its line, and never run.
    Refused,
    /// Another value.
    Value,
    /// A value of another type.
    Type,
    /// An error where the reference has a value.
    Raises,
    /// A value where the reference raises.
    Gives,
    /// SQL that the engine cannot bind: a fault of the translation.
    Broken,
    /// The reference does not take the question.
    Unjudged,
}

impl Difference {
    /// Its word in the list of differences.
    pub fn word(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Value => "value",
            Self::Type => "type",
            Self::Raises => "raises",
            Self::Gives => "gives",
            Self::Broken => "broken",
            Self::Unjudged => "unjudged",
        }
    }
}

/// A line of the judge.
#[derive(Debug, Deserialize)]
pub struct Line {
    pub family: Option<String>,
    pub function: Option<String>,
    pub template: Option<String>,
    pub table: Option<String>,
    #[serde(default)]
    pub sql: String,
    #[serde(default)]
    ulps: u64,
    by: Option<String>,
    #[serde(default)]
    whole: bool,
    #[serde(rename = "type")]
    data_type: Option<String>,
    #[serde(default, deserialize_with = "present")]
    value: Option<Value>,
    rows: Option<Vec<(i64, Value)>>,
    error: Option<String>,
    #[serde(default)]
    invalid: bool,
    #[serde(default)]
    pub refused: bool,
}

/// A field that is there, even as null.
fn present<'de, D: serde::Deserializer<'de>>(reader: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(reader).map(Some)
}

/// What one template came to.
#[derive(Debug, Default)]
pub struct Tally {
    /// Inputs that were compared.
    pub asked: usize,
    /// Differences with their number and the first few of them.
    pub differences: BTreeMap<Difference, (usize, Vec<String>)>,
}

impl Tally {
    /// Whether the engine does not run it.
    pub fn refused(&self) -> bool {
        self.differences.contains_key(&Difference::Refused)
            || self.differences.contains_key(&Difference::Broken)
    }

    /// Whether the reference answered at all.
    pub fn judged(&self) -> bool {
        !self.differences.contains_key(&Difference::Unjudged)
    }

    fn note(&mut self, difference: Difference, count: usize, example: impl FnOnce() -> String) {
        let (number, examples) = self.differences.entry(difference).or_default();
        *number += count;
        if examples.len() < 4 {
            examples.push(example());
        }
    }
}

/// The engine with the tables of the questions.
pub struct Engine(Connection);

type Row = (i64, Result<Value, String>);

impl Engine {
    pub fn new() -> Self {
        let connection = Connection::open_in_memory().expect("memory");
        runtime::install(&connection).expect("the runtime installs");
        connection.execute_batch("CREATE SCHEMA ds").expect("a schema");
        Self(connection)
    }

    pub fn run(&self, sql: &str) -> Result<QueryResult, QueryError> {
        run(&self.0, sql, &DatasetNames, &Parameters::default())
    }

    pub fn create(&self, table: &str, query: &str) {
        self.run(&format!("CREATE TABLE ds.{table} AS {query}"))
            .unwrap_or_else(|error| panic!("{query}: {error}"));
    }

    /// Puts a question and counts the differences.
    pub fn put(&self, line: &Line, tally: &mut Tally) {
        if line.invalid {
            tally.asked += 1;
            let said = line.error.clone().unwrap_or_default();
            match self.run(&self.located(line, "TRUE")) {
                Err(QueryError::Faults(_)) if line.table.is_some() => {
                    tally.note(Difference::Unjudged, 1, || format!("{}: refused; {said}", line.sql));
                }
                Err(_) => {}
                Ok(_) => tally.note(Difference::Unjudged, 1, || format!("{}: {said}", line.sql)),
            }
            return;
        }
        match &line.rows {
            Some(rows) => self.put_rows(line, rows, tally),
            None => self.put_value(line, tally),
        }
    }

    fn put_value(&self, line: &Line, tally: &mut Tally) {
        tally.asked += 1;
        match self.run(&line.sql) {
            Err(QueryError::Faults(faults)) => {
                // A fault in a literal is the reference's error, found earlier.
                if line.error.is_none() {
                    let said: Vec<&str> = faults.iter().map(|fault| fault.message.as_str()).collect();
                    tally.note(Difference::Refused, 1, || format!("{}: {}", line.sql, said.join("; ")));
                }
            }
            Err(QueryError::Target(refusal)) => panic!("the engine asks nobody: {refusal:?}"),
            Err(QueryError::Engine(said)) => {
                if is_broken(&said) {
                    tally.note(Difference::Broken, 1, || format!("{}: {said}", line.sql));
                } else if line.error.is_none() {
                    tally.note(Difference::Raises, 1, || format!("{}: {said}", line.sql));
                }
            }
            Ok(result) => {
                let ours = &result.rows[0][0];
                let Some(expected) = &line.value else {
                    tally.note(Difference::Gives, 1, || format!("{}: {ours}", line.sql));
                    return;
                };
                let data_type = &result.columns[0].data_type;
                self.compare_type(line, data_type, tally);
                if !same(ours, expected, data_type, line.ulps) {
                    tally.note(Difference::Value, 1, || format!("{}: {ours} for {expected}", line.sql));
                }
            }
        }
    }

    #[expect(clippy::unused_self, reason = "one of its kin")]
    fn compare_type(&self, line: &Line, data_type: &Type, tally: &mut Tally) {
        let ours = plain_type(data_type);
        let expected = line.data_type.as_deref().unwrap_or_default();
        if ours != expected {
            tally.note(Difference::Type, 1, || format!("{}: {ours} for {expected}", line.sql));
        }
    }

    /// The query over the rows of a table that fulfil a condition.
    #[expect(clippy::unused_self, reason = "one of its kin")]
    fn located(&self, line: &Line, condition: &str) -> String {
        let Some(table) = &line.table else { return line.sql.clone() };
        let place = format!(" FROM {table}");
        line.sql.replacen(&place, &format!(" FROM ds.{table} WHERE {condition}"), 1)
    }

    fn put_rows(&self, line: &Line, expected: &[(i64, Value)], tally: &mut Tally) {
        tally.asked += expected.len();
        let mut data_type = None;
        let keys: Vec<i64> = expected.iter().map(|(key, _)| *key).collect();
        let answers = match self.rows(line, &keys, &mut data_type) {
            Ok(answers) => answers,
            Err((difference, said)) => {
                tally.note(difference, expected.len(), || format!("{}: {said}", line.sql));
                return;
            }
        };
        let data_type = data_type.unwrap_or(Type::Unknown);
        if data_type != Type::Unknown {
            self.compare_type(line, &data_type, tally);
        }
        for ((key, expected), (own_key, ours)) in expected.iter().zip(&answers) {
            assert_eq!(key, own_key, "{}", line.sql);
            let fails = expected.get("error").is_some();
            let input = || self.input(line, *key);
            match ours {
                Ok(ours) if fails => {
                    tally.note(Difference::Gives, 1, || format!("{} {}: {ours}", line.sql, input()));
                }
                Ok(ours) => {
                    if !same(ours, expected, &data_type, line.ulps) {
                        tally.note(Difference::Value, 1, || {
                            format!("{} {}: {ours} for {expected}", line.sql, input())
                        });
                    }
                }
                Err(said) if !fails => {
                    tally.note(Difference::Raises, 1, || {
                        format!("{} {}: {said} for {expected}", line.sql, input())
                    });
                }
                Err(_) => {}
            }
        }
    }

    /// The columns of an input row, for messages.
    fn input(&self, line: &Line, key: i64) -> String {
        let (Some(table), Some(by)) = (&line.table, &line.by) else { return String::new() };
        let rows =
            self.run(&format!("SELECT * FROM ds.{table} WHERE {by} = {key} ORDER BY i")).expect("an input");
        let rows: Vec<Value> = rows.rows.into_iter().map(|row| Value::Array(row[2..].to_vec())).collect();
        let text = Value::Array(rows).to_string();
        text.chars().take(240).collect()
    }

    /// The answers for some rows: all at once, or in halves where one raises.
    fn rows(
        &self,
        line: &Line,
        keys: &[i64],
        data_type: &mut Option<Type>,
    ) -> Result<Vec<Row>, (Difference, String)> {
        let by = line.by.as_deref().unwrap_or("i");
        let (first, last) = (keys.first().copied().unwrap_or(0), keys.last().copied().unwrap_or(-1));
        match self.run(&self.located(line, &format!("{by} BETWEEN {first} AND {last}"))) {
            Ok(result) => {
                *data_type = Some(result.columns[1].data_type.clone());
                Ok(result
                    .rows
                    .into_iter()
                    .map(|mut row| (row[0].as_i64().unwrap_or(i64::MIN), Ok(row.swap_remove(1))))
                    .collect())
            }
            Err(QueryError::Faults(faults)) => Err((
                Difference::Refused,
                faults.iter().map(|fault| fault.message.clone()).collect::<Vec<_>>().join("; "),
            )),
            Err(QueryError::Target(refusal)) => panic!("the engine asks nobody: {refusal:?}"),
            Err(QueryError::Engine(said)) if is_broken(&said) => Err((Difference::Broken, said)),
            Err(QueryError::Engine(said)) if line.whole => Err((Difference::Raises, said)),
            Err(QueryError::Engine(said)) if keys.len() == 1 => Ok(vec![(first, Err(said))]),
            Err(QueryError::Engine(_)) => {
                let (head, tail) = keys.split_at(keys.len() / 2);
                let mut answers = self.rows(line, head, data_type)?;
                answers.extend(self.rows(line, tail, data_type)?);
                Ok(answers)
            }
        }
    }
}

/// Whether the engine did not understand the SQL, as against failing to compute it.
fn is_broken(said: &str) -> bool {
    ["Binder Error", "Parser Error", "Catalog Error", "INTERNAL Error", "column "]
        .iter()
        .any(|start| said.starts_with(start))
}

/// A type without the names that BigQuery does not give to fields.
fn plain_type(data_type: &Type) -> String {
    let text = data_type.to_string();
    text.replace("_field_1 ", "").replace("_field_2 ", "").replace("_field_3 ", "")
}

/// Whether two values are one; FLOAT64 up to so many units in the last place.
fn same(ours: &Value, expected: &Value, data_type: &Type, ulps: u64) -> bool {
    match (data_type, ours, expected) {
        (_, Value::Null, Value::Null) => true,
        (Type::Array(element), Value::Array(ours), Value::Array(expected)) => {
            ours.len() == expected.len() && ours.iter().zip(expected).all(|(a, b)| same(a, b, element, ulps))
        }
        (Type::Struct(fields), Value::Object(ours), Value::Array(expected)) => {
            fields.len() == expected.len()
                && ours.len() == expected.len()
                && fields
                    .iter()
                    .zip(ours.values())
                    .zip(expected)
                    .all(|((field, a), b)| same(a, b, &field.data_type, ulps))
        }
        (Type::Float64, ours, Value::String(expected)) => {
            let expected: f64 = expected.parse().expect("a number");
            let ours = ours.as_f64().or_else(|| ours.as_str().and_then(|text| text.parse().ok()));
            ours.is_some_and(|ours| near(ours, expected, ulps))
        }
        // Documents, not their spelling: TO_JSON_STRING is compared as text.
        (Type::Json, Value::String(ours), Value::String(expected)) => {
            let read = |text: &str| serde_json::from_str::<Value>(text);
            ours == expected
                || read(ours).is_ok_and(|ours| read(expected).is_ok_and(|expected| ours == expected))
        }
        _ => ours == expected,
    }
}

fn near(ours: f64, expected: f64, ulps: u64) -> bool {
    if ours.is_nan() || expected.is_nan() {
        return ours.is_nan() && expected.is_nan();
    }
    let place = |number: f64| {
        let bits = number.to_bits().cast_signed();
        i128::from(if bits < 0 { i64::MIN - bits } else { bits })
    };
    if ulps == 0 {
        return ours.to_bits() == expected.to_bits();
    }
    (place(ours) - place(expected)).unsigned_abs() <= u128::from(ulps)
}
