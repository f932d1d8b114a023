//! Function signatures: how they are written in the tables under `functions`, and how a call is held against them.
//!
//! One line is one signature: `NAME(parameter, …) RESULT`. A parameter is a pattern, followed by `?` when it may be
//! missing and by `...` when it may repeat; `name: pattern?` can be given as `name => value` only.
//!
//! | pattern | takes |
//! |---|---|
//! | `INT64`, `STRING`, … | that type, and what converts to it by itself |
//! | `T`, `U` | any type, the same at each place |
//! | `O` | any orderable type, the same at each place |
//! | `N` | INT64, NUMERIC, BIGNUMERIC or FLOAT64, the same at each place |
//! | `D` | NUMERIC, BIGNUMERIC or FLOAT64; INT64 becomes FLOAT64 |
//! | `X` | INT64, NUMERIC or BIGNUMERIC |
//! | `S` | STRING or BYTES, the same at each place |
//! | `E` | DATE, DATETIME or TIMESTAMP, the same at each place |
//! | `any` | anything, independently |
//! | `text` | what CAST makes a STRING of |
//! | `ARRAY<…>`, `RANGE<E>`, `STRUCT<name T, …>` | those, of patterns |
//! | `part` | the name of a date part |
//! | `interval` | `INTERVAL number part` |
//! | `word` | a keyword such as NFC |

use super::coerce::{Verdict, common, conversion, groupable, orderable, same};
use super::scope::Print;
use super::sources::Sources;
use super::value::{Form, Value};
use crate::googlesql::{Field, Type};

/// How a function may be called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Row by row.
    Scalar,
    /// Over groups, or over windows with OVER.
    Aggregate,
    /// Over windows only, with ORDER BY.
    Ordered,
    /// Over windows only, ORDER BY is free to choose.
    Window,
    /// Over windows only, without ORDER BY.
    Unordered,
}

/// What a parameter takes, or what a function gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Pattern {
    Fixed(Type),
    Any,
    Text,
    Variable(Variable),
    Array(Box<Pattern>),
    Range(Box<Pattern>),
    Struct(Vec<(String, Pattern)>),
    Part,
    Interval,
    Word,
}

/// A type variable of a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Variable {
    T,
    U,
    O,
    N,
    D,
    X,
    S,
    E,
}

impl Variable {
    const ALL: [Self; 8] = [Self::T, Self::U, Self::O, Self::N, Self::D, Self::X, Self::S, Self::E];

    /// The type that the variable stands for when its arguments have this common type.
    fn admit(self, found: Type) -> Option<Type> {
        use Type::{BigNumeric, Bytes, Date, Datetime, Float64, Int64, Numeric, String, Timestamp};
        let fits = match self {
            _ if found == Type::Unknown => true,
            Self::T | Self::U => true,
            Self::O => orderable(&found) != Verdict::No,
            Self::N => found.is_numeric(),
            Self::D => {
                return match found {
                    Int64 => Some(Float64),
                    Numeric | BigNumeric | Float64 => Some(found),
                    _ => None,
                };
            }
            Self::X => matches!(found, Int64 | Numeric | BigNumeric),
            Self::S => matches!(found, String | Bytes),
            Self::E => matches!(found, Date | Datetime | Timestamp),
        };
        fits.then_some(found)
    }

    /// What it stands for when all arguments are NULL.
    fn of_nulls(self) -> Type {
        match self {
            Self::D => Type::Float64,
            Self::S => Type::String,
            Self::E => Type::Date,
            _ => Type::Int64,
        }
    }
}

/// How often a parameter is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Count {
    Once,
    AtMostOnce,
    /// At least once.
    Repeated,
}

/// One parameter of a signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Parameter {
    pub pattern: Pattern,
    pub count: Count,
    /// The name, for those that are given by name.
    pub name: Option<String>,
}

/// One way to call a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Signature {
    /// As people read it: `DATE_DIFF(DATE, DATE, part) INT64`.
    pub text: &'static str,
    pub parameters: Vec<Parameter>,
    pub result: Pattern,
}

/// A call that fits a signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fit {
    pub price: u32,
    pub result: Type,
    /// What the variables stand for.
    pub solution: Vec<(Variable, Type)>,
}

/// Why a call does not fit a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Misfit {
    /// Too few or too many arguments.
    Count,
    /// The argument of this position, from 0, has the wrong type; `None` when several do not go together.
    Type(Option<usize>),
}

/// An argument as it is given.
#[derive(Debug, Clone)]
pub(super) struct Argument<'q> {
    /// The name before `=>`.
    pub name: Option<&'q str>,
    pub given: Given<'q>,
}

/// What stands at the place of an argument.
#[derive(Debug, Clone)]
pub(super) enum Given<'q> {
    Value(Value<'q>),
    /// A word that is no column: a date part, NFC.
    Word,
    /// `INTERVAL number part`: where the number comes from, and its identity.
    Interval(Sources, Print),
}

impl Signature {
    /// Reads a line of a table; `None` when it is malformed, which a test excludes.
    pub(super) fn parse(text: &'static str) -> Option<(&'static str, Self)> {
        let open = text.find('(')?;
        let name = text.get(..open)?;
        let mut reader = Reader { rest: text.get(open + 1..)? };
        let mut parameters = Vec::new();
        while !reader.eat(")") {
            if !parameters.is_empty() {
                reader.eat(",").then_some(())?;
            }
            parameters.push(reader.parameter()?);
        }
        let result = reader.pattern()?;
        reader.rest.trim().is_empty().then_some((name, Self { text, parameters, result }))
    }

    /// The signature as people read it, with type variables as the types that they stand for.
    pub(super) fn shown(&self) -> String {
        let (name, rest) = self.text.split_at(self.text.find('(').unwrap_or_default());
        let mut shown = name.to_owned();
        let mut word = String::new();
        for next in rest.chars().chain(std::iter::once(' ')) {
            if next.is_ascii_alphanumeric() || next == '_' {
                word.push(next);
                continue;
            }
            shown.push_str(match word.as_str() {
                "O" => "T",
                "N" => "number",
                "D" => "FLOAT64|NUMERIC",
                "X" => "INT64|NUMERIC",
                "S" => "STRING|BYTES",
                "E" => "DATE|DATETIME|TIMESTAMP",
                "text" | "any" => "value",
                "part" => "date part",
                "interval" => "INTERVAL number part",
                other => other,
            });
            word.clear();
            shown.push(next);
        }
        shown.trim_end().replace(") ", "): ")
    }

    /// Whether the argument of a position can be a bare word, which is then no column.
    pub(super) fn takes_word(&self, position: usize) -> bool {
        self.parameters
            .get(position)
            .is_some_and(|parameter| matches!(parameter.pattern, Pattern::Part | Pattern::Word))
    }

    /// Whether the argument of a position can be `INTERVAL number part`.
    pub(super) fn takes_interval(&self, position: usize) -> bool {
        self.parameters.get(position).is_some_and(|parameter| parameter.pattern == Pattern::Interval)
    }

    /// Whether it has a parameter of a name.
    pub(super) fn has_name(&self, name: &str) -> bool {
        self.parameters
            .iter()
            .any(|parameter| parameter.name.as_ref().is_some_and(|own| own.eq_ignore_ascii_case(name)))
    }

    /// Holds arguments against the signature.
    pub(super) fn fit(&self, arguments: &[Argument<'_>]) -> Result<Fit, Misfit> {
        let pairs = self.pair(arguments)?;
        let mut price = 0;
        let mut bound: Vec<(Variable, Value<'_>)> = Vec::new();
        for (position, (parameter, argument)) in pairs.iter().enumerate() {
            let misfit = Misfit::Type(Some(position));
            price += bind(&parameter.pattern, &argument.given, &mut bound).ok_or(misfit)?;
        }
        let mut solution: Vec<(Variable, Type)> = Vec::new();
        for variable in Variable::ALL {
            let values = bound.iter().filter(|(own, _)| *own == variable).map(|(_, value)| value);
            let Some(first) = values.clone().next() else { continue };
            let found = if values.clone().all(|value| value.form == Form::Null) {
                variable.of_nulls()
            } else {
                let found = common(values.clone()).ok_or(Misfit::Type(None))?;
                let single = values.clone().nth(1).is_none();
                let place = pairs.iter().position(|(parameter, _)| mentions(&parameter.pattern, variable));
                variable.admit(found).ok_or(Misfit::Type(if single { place } else { None }))?
            };
            // A variable that is met as it stands is better than one that is converted to.
            price += u32::from(!same(&first.data_type, &found));
            solution.push((variable, found));
        }
        Ok(Fit { price, result: build(&self.result, &solution), solution })
    }

    /// Gives each argument its parameter.
    fn pair<'a, 'q>(
        &'a self,
        arguments: &'a [Argument<'q>],
    ) -> Result<Vec<(&'a Parameter, &'a Argument<'q>)>, Misfit> {
        let named = arguments.iter().filter(|argument| argument.name.is_some()).count();
        let positional = arguments.len() - named;
        let takes = || self.parameters.iter().filter(|parameter| parameter.name.is_none());
        let required = takes().filter(|parameter| parameter.count != Count::AtMostOnce).count();
        let repeats = takes().any(|parameter| parameter.count == Count::Repeated);
        // Positional parameters may be given by name too; only then can there be fewer than required.
        if positional + named < required || (!repeats && positional > takes().count()) {
            return Err(Misfit::Count);
        }
        let mut pairs = Vec::with_capacity(arguments.len());
        let mut places = takes();
        let mut last: Option<&Parameter> = None;
        for argument in arguments {
            let parameter = match argument.name {
                Some(name) => self.parameters.iter().find(|parameter| {
                    parameter.name.as_ref().is_some_and(|own| own.eq_ignore_ascii_case(name))
                }),
                None => match last {
                    Some(parameter) if parameter.count == Count::Repeated => Some(parameter),
                    _ => places.next(),
                },
            };
            let parameter = parameter.ok_or(Misfit::Count)?;
            if argument.name.is_none() {
                last = Some(parameter);
            }
            pairs.push((parameter, argument));
        }
        Ok(pairs)
    }
}

/// Whether a pattern holds a variable.
fn mentions(pattern: &Pattern, variable: Variable) -> bool {
    match pattern {
        Pattern::Variable(own) => *own == variable,
        Pattern::Array(inner) | Pattern::Range(inner) => mentions(inner, variable),
        _ => false,
    }
}

/// Holds one argument against a pattern and gives the price of conversion.
fn bind<'q>(pattern: &Pattern, given: &Given<'q>, bound: &mut Vec<(Variable, Value<'q>)>) -> Option<u32> {
    let value = match (pattern, given) {
        (Pattern::Part | Pattern::Word, Given::Word) | (Pattern::Interval, Given::Interval(..)) => {
            return Some(0);
        }
        (Pattern::Part | Pattern::Word | Pattern::Interval, Given::Value(value)) => {
            return value.is_unknown().then_some(0);
        }
        (_, Given::Value(value)) => value,
        (Pattern::Fixed(Type::Interval) | Pattern::Any, Given::Interval(..)) => return Some(0),
        _ => return None,
    };
    match pattern {
        Pattern::Fixed(data_type) => conversion(value, data_type),
        Pattern::Any | Pattern::Struct(_) => Some(0),
        Pattern::Text => match value.data_type {
            _ if value.form == Form::Null => Some(0),
            Type::Array(_) | Type::Struct(_) | Type::Json | Type::Geography | Type::Bytes => None,
            Type::String | Type::Unknown => Some(0),
            _ => Some(1),
        },
        Pattern::Variable(variable) => {
            bound.push((*variable, value.clone()));
            Some(0)
        }
        Pattern::Array(inner) => {
            let element = match &value.data_type {
                _ if matches!(value.form, Form::Null | Form::EmptyArray) => {
                    Value { form: Form::Null, ..Value::of(Type::Int64) }
                }
                Type::Array(element) => {
                    // Elements of a literal array convert as literals.
                    let form = if value.is_literal() { Form::Literal } else { Form::Computed };
                    Value { form, ..Value::of((**element).clone()) }
                }
                Type::Unknown => Value::unknown(),
                _ => return None,
            };
            // Arrays of columns do not widen element by element.
            if let (Pattern::Fixed(data_type), Form::Computed | Form::Column) = (&**inner, element.form) {
                return same(data_type, &element.data_type).then_some(0);
            }
            bind(inner, &Given::Value(element), bound)
        }
        Pattern::Range(inner) => {
            let element = match &value.data_type {
                _ if value.form == Form::Null => Value { form: Form::Null, ..Value::of(Type::Date) },
                Type::Range(element) => Value::of((**element).clone()),
                Type::Unknown => Value::unknown(),
                _ => return None,
            };
            bind(inner, &Given::Value(element), bound)
        }
        Pattern::Part | Pattern::Interval | Pattern::Word => None,
    }
}

/// The type that a pattern stands for once its variables are known.
fn build(pattern: &Pattern, solution: &[(Variable, Type)]) -> Type {
    match pattern {
        Pattern::Fixed(data_type) => data_type.clone(),
        Pattern::Variable(variable) => solution
            .iter()
            .find(|(own, _)| own == variable)
            .map_or(Type::Unknown, |(_, data_type)| data_type.clone()),
        Pattern::Array(inner) => Type::Array(Box::new(build(inner, solution))),
        Pattern::Range(inner) => Type::Range(Box::new(build(inner, solution))),
        Pattern::Struct(fields) => Type::Struct(
            fields
                .iter()
                .map(|(name, inner)| Field { name: Some(name.clone()), data_type: build(inner, solution) })
                .collect(),
        ),
        Pattern::Text => Type::String,
        Pattern::Any | Pattern::Part | Pattern::Interval | Pattern::Word => Type::Unknown,
    }
}

/// Whether DISTINCT may stand before an argument.
pub(super) fn distinct_takes(data_type: &Type) -> bool {
    groupable(data_type) != Verdict::No
}

/// Reader of signature lines.
struct Reader {
    rest: &'static str,
}

impl Reader {
    fn eat(&mut self, token: &str) -> bool {
        self.rest = self.rest.trim_start();
        match self.rest.strip_prefix(token) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn word(&mut self) -> Option<&'static str> {
        self.rest = self.rest.trim_start();
        let end =
            self.rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        (!word.is_empty()).then_some(word)
    }

    fn parameter(&mut self) -> Option<Parameter> {
        let before = self.rest;
        let name = self.word().map(str::to_owned);
        let name = if name.is_some() && self.eat(":") {
            name
        } else {
            self.rest = before;
            None
        };
        let pattern = self.pattern()?;
        let count = if self.eat("...") {
            Count::Repeated
        } else if self.eat("?") {
            Count::AtMostOnce
        } else {
            Count::Once
        };
        Some(Parameter { pattern, count, name })
    }

    fn pattern(&mut self) -> Option<Pattern> {
        let word = self.word()?;
        Some(match word {
            "any" => Pattern::Any,
            "text" => Pattern::Text,
            "part" => Pattern::Part,
            "interval" => Pattern::Interval,
            "word" => Pattern::Word,
            "T" => Pattern::Variable(Variable::T),
            "U" => Pattern::Variable(Variable::U),
            "O" => Pattern::Variable(Variable::O),
            "N" => Pattern::Variable(Variable::N),
            "D" => Pattern::Variable(Variable::D),
            "X" => Pattern::Variable(Variable::X),
            "S" => Pattern::Variable(Variable::S),
            "E" => Pattern::Variable(Variable::E),
            "ARRAY" | "RANGE" => {
                self.eat("<").then_some(())?;
                let inner = Box::new(self.pattern()?);
                self.eat(">").then_some(())?;
                if word == "ARRAY" { Pattern::Array(inner) } else { Pattern::Range(inner) }
            }
            "STRUCT" => {
                self.eat("<").then_some(())?;
                let mut fields = Vec::new();
                while !self.eat(">") {
                    if !fields.is_empty() {
                        self.eat(",").then_some(())?;
                    }
                    let name = self.word()?.to_owned();
                    fields.push((name, self.pattern()?));
                }
                Pattern::Struct(fields)
            }
            "UNKNOWN" => Pattern::Fixed(Type::Unknown),
            _ => Pattern::Fixed(Type::parse(word)?),
        })
    }
}

/// What the letters and marks of signatures mean, as far as they stand in a text.
pub(super) fn legend(signatures: &str) -> String {
    const LETTERS: [(&str, &str); 8] = [
        ("T", "any type"),
        ("U", "any other type"),
        ("O", "any type with an order"),
        ("N", "a number"),
        ("D", "a number with a fraction"),
        ("X", "INT64, NUMERIC or BIGNUMERIC"),
        ("S", "STRING or BYTES"),
        ("E", "DATE, DATETIME or TIMESTAMP"),
    ];
    let words: Vec<&str> = signatures.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').collect();
    let letters = LETTERS.iter().filter(|(letter, _)| words.contains(letter));
    let mut meanings: Vec<String> =
        letters.map(|(letter, meaning)| format!("{letter} is {meaning}")).collect();
    if signatures.contains('?') {
        meanings.push("`?` may be left out".to_owned());
    }
    if signatures.contains("...") {
        meanings.push("`...` may repeat".to_owned());
    }
    if meanings.is_empty() { String::new() } else { format!(" ({})", meanings.join("; ")) }
}
