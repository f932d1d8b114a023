//! One expectation as GoogleSQL: what counts its rows, and what shows those that fail.

use crate::googlesql::names::{Ident, Text, literal};
use crate::googlesql::{Column, Type};
use crate::manifest::types::Scalar;
use crate::project::{Address, Against, Expectation, Form, Fragment, Known, OtherCount, Part};

use super::hidden::GROUP_VALUE;
use super::numbered::numbered;
use super::{ROW_NUMBER, Rule};

/// A table under audit: its name in GoogleSQL, its columns, and the names of the others.
pub struct Audited<'a> {
    /// The table's quoted name: the build that is audited, or the published table.
    pub table: &'a str,
    /// Its columns.
    pub columns: &'a [Column],
    /// Quoted names of other tables.
    pub relation: &'a dyn Fn(&Address) -> String,
    /// Whether its rows can be told by the numbers that they had when they were loaded.
    pub numbered: bool,
}

/// One expectation as GoogleSQL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckSql {
    /// How its numbers come about.
    pub counting: Counting,
    /// A query that shows failing rows.
    pub sample: Option<String>,
    /// The same with the numbers of these rows, see [`super::Check::numbered`].
    pub numbered: Option<String>,
    /// What the numbers mean.
    pub rule: Rule,
}

/// Three numbers: rows looked at, rows failing, and what was observed as text (NULL where there is nothing to tell).
pub type Counts = [String; 3];

/// How the numbers of an expectation come about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Counting {
    /// By aggregates over the table, in one pass with others.
    Pass {
        /// What is computed for each row beforehand: a name and an expression.
        computed: Vec<(String, String)>,
        /// The aggregates.
        counts: Counts,
    },
    /// By groups of rows, in one pass with others.
    Groups(Groups),
    /// By a query of its own that gives one row with the three.
    Own(String),
    /// It is known without asking.
    Known,
}

/// Numbers over groups of rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Groups {
    /// The columns of whose values each has a group, quoted.
    pub keys: Vec<String>,
    /// What is computed for each row beforehand: a name and an expression.
    pub computed: Vec<(String, String)>,
    /// What holds for the rows that are looked at; nothing for all of them.
    pub looked_at: Option<String>,
    /// What is computed for each group beside the number of rows looked at, which is called [`Groups::size`].
    pub inner: Vec<(String, String)>,
    /// The name of the number of rows looked at.
    pub size: String,
    /// The aggregates over the groups; [`WITHIN`] stands for the condition that a row is one of these groups.
    pub counts: Counts,
}

/// A value of the manifest that does not fit its column.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct BadValue {
    /// Its key in the expectation: `min`, `values/0`.
    pub key: String,
    /// What does not fit.
    pub message: String,
}

/// Stands in aggregates over groups for the condition that a row is one of them. No literal has such characters in it:
/// they are written as escapes there.
pub(super) const WITHIN: &str = "\u{1}within\u{1}";

/// Of how many rows with one key the places are told.
const PLACES_OF_A_KEY: usize = 3;

const NOTHING: &str = "CAST(NULL AS STRING)";

/// The SQL of an expectation; `place` is its number in the audit, from which the names that it invents are made.
///
/// # Errors
/// A value of the manifest that does not fit its column, in words.
pub fn check(expectation: &Expectation, place: usize, audited: &Audited<'_>) -> Result<CheckSql, BadValue> {
    let filter = expectation.filter.as_ref().map(|sql| format!("({})", own(&sql.text)));
    let writer = Writer { expectation, audited, filter, place };
    match &expectation.form {
        Form::Rows { present, computed, holds } => writer.rows(present, computed, holds),
        Form::Unique { columns } => Ok(writer.unique(columns)),
        Form::Value { computed, value, holds, what, expected, group_by } => {
            let rule = (what.as_str(), expected.as_str());
            if group_by.is_empty() {
                writer.value(computed, value, holds, rule)
            } else {
                writer.value_of_groups(computed, value, holds, rule, group_by)
            }
        }
        Form::MostCommon { column, among, ties_okay } => writer.most_common(column, among, *ties_okay),
        Form::RowCount { min, max, other } => Ok(writer.row_count(*min, *max, other.as_ref())),
        Form::Freshness { column, max_age } => Ok(writer.freshness(column, max_age.as_secs())),
        Form::BadRows { rows } => writer.bad_rows(rows),
        Form::Equals { tables, one, other, within } => writer.equals(tables, one, other, *within),
        Form::Known(known) => Ok(Writer::known(known)),
    }
}

struct Writer<'a> {
    expectation: &'a Expectation,
    audited: &'a Audited<'a>,
    filter: Option<String>,
    place: usize,
}

impl Writer<'_> {
    /// A condition on each row.
    fn rows(
        &self,
        present: &[Fragment],
        computed: &[Fragment],
        holds: &Fragment,
    ) -> Result<CheckSql, BadValue> {
        let computed = self.computed(computed)?;
        let holds = self.text(holds, "")?;
        let mut looked_at: Vec<String> = self.filter.iter().cloned().collect();
        for fragment in present {
            looked_at.push(format!("{} IS NOT NULL", self.text(fragment, "")?));
        }
        let checked = match looked_at.as_slice() {
            [] => "COUNT(*)".to_owned(),
            conditions => format!("COUNTIF({})", conditions.join(" AND ")),
        };
        let failing: Vec<String> = looked_at.into_iter().chain([format!("NOT ({holds})")]).collect();
        let failing = failing.join(" AND ");
        let (shown, limit) = (self.shown(&computed), self.expectation.sample_rows);
        let sample = format!(
            "SELECT {shown} FROM {} WHERE {failing} LIMIT {limit}",
            from(self.audited.table, &computed)
        );
        let numbered = self.numbered_table().map(|table| {
            format!(
                "SELECT {shown}, {ROW_NUMBER} FROM {} WHERE {failing} ORDER BY {ROW_NUMBER} LIMIT {limit}",
                from(&table, &computed)
            )
        });
        let counts = [checked, format!("COUNTIF({failing})"), NOTHING.to_owned()];
        Ok(CheckSql { numbered, ..self.check(Counting::Pass { computed, counts }, Some(sample)) })
    }

    fn check(&self, counting: Counting, sample: Option<String>) -> CheckSql {
        CheckSql { counting, sample, numbered: None, rule: self.rows_rule() }
    }

    /// The table with a number for each of its rows, from 0 in the order in which they were loaded. A table that was
    /// loaded in one go has them in this order, though not from 0 before its transaction is done.
    fn numbered_table(&self) -> Option<String> {
        let table = self.audited.table;
        self.audited.numbered.then(|| {
            format!("(SELECT *, rowid - (SELECT MIN(rowid) FROM {table}) AS {ROW_NUMBER} FROM {table})")
        })
    }

    fn rows_rule(&self) -> Rule {
        Rule::Rows { mostly: self.expectation.mostly.to_bits(), allowed: self.expectation.allowed }
    }

    /// The columns of a sample: where some tell rows apart, those and the ones that it is about; all of them
    /// otherwise, and these first.
    fn shown(&self, computed: &[(String, String)]) -> String {
        let (keys, named) = (&self.expectation.key_columns, &self.expectation.columns);
        let mut first: Vec<&str> = Vec::new();
        let own = self.mentioned();
        for name in keys.iter().chain(named).map(|column| column.name.as_str()).chain(own) {
            if !first.iter().any(|other| other.eq_ignore_ascii_case(name)) {
                first.push(name);
            }
        }
        let first: Vec<String> = first.into_iter().map(|name| Ident(name).to_string()).collect();
        if !keys.is_empty() && !named.is_empty() {
            return first.join(", ");
        }
        let invented = computed.iter().map(|(name, _)| name.clone());
        let except: Vec<String> = first.iter().cloned().chain(invented).collect();
        // A list of exceptions may not leave nothing.
        let known = self.audited.columns;
        if !known.is_empty() && first.len() >= known.len() {
            return first.join(", ");
        }
        let rest =
            if except.is_empty() { "*".to_owned() } else { format!("* EXCEPT ({})", except.join(", ")) };
        first.into_iter().chain([rest]).collect::<Vec<_>>().join(", ")
    }

    /// The columns that stand in the user's own conditions: what somebody who looks at a failing row wants to see.
    fn mentioned(&self) -> Vec<&str> {
        let mut found = Vec::new();
        for condition in self.expectation.conditions() {
            let word = |letter: char| letter.is_alphanumeric() || letter == '_';
            for name in condition.text.split(|letter| !word(letter)) {
                let column =
                    self.audited.columns.iter().find(|column| column.name.eq_ignore_ascii_case(name));
                found.extend(column.map(|column| column.name.as_str()));
            }
        }
        found
    }

    fn unique(&self, columns: &[String]) -> CheckSql {
        let keys: Vec<String> = columns.iter().map(|column| Ident(column).to_string()).collect();
        let conditions: Vec<String> =
            self.filter.iter().cloned().chain(keys.iter().map(|key| format!("{key} IS NOT NULL"))).collect();
        let conditions = conditions.join(" AND ");
        let list = keys.join(", ");
        let doubled = |numbers: &str, table: &str| {
            format!(
                "SELECT {list}, COUNT(*) AS rows_with_this_key{numbers} FROM {table} WHERE {conditions} GROUP BY {list} \
                 HAVING COUNT(*) > 1 ORDER BY rows_with_this_key DESC, {list} LIMIT {}",
                self.expectation.sample_rows
            )
        };
        let sample = doubled("", self.audited.table);
        let numbers = format!(
            ", ARRAY_AGG({ROW_NUMBER} ORDER BY {ROW_NUMBER} LIMIT {PLACES_OF_A_KEY}) AS {ROW_NUMBER}"
        );
        let numbered = self.numbered_table().map(|table| doubled(&numbers, &table));
        let size = self.name("n");
        let groups = Groups {
            keys,
            computed: Vec::new(),
            looked_at: Some(conditions),
            inner: Vec::new(),
            counts: [
                format!("COALESCE(SUM(IF({WITHIN}, {size}, 0)), 0)"),
                format!("COALESCE(SUM(IF({WITHIN} AND {size} > 1, {size}, 0)), 0)"),
                NOTHING.to_owned(),
            ],
            size,
        };
        CheckSql { numbered, ..self.check(Counting::Groups(groups), Some(sample)) }
    }

    fn value(
        &self,
        computed: &[Fragment],
        value: &Fragment,
        holds: &Fragment,
        (what, expected): (&str, &str),
    ) -> Result<CheckSql, BadValue> {
        let computed = self.computed(computed)?;
        let value = self.text(value, "")?;
        let holds = self.text(holds, &value)?;
        let counts = [
            self.looked(),
            format!("IF(COALESCE({holds}, FALSE), 0, 1)"),
            format!("CAST({value} AS STRING)"),
        ];
        let rule = Rule::Value { what: what.to_owned(), expected: expected.to_owned() };
        Ok(CheckSql { counting: Counting::Pass { computed, counts }, sample: None, numbered: None, rule })
    }

    fn value_of_groups(
        &self,
        computed: &[Fragment],
        value: &Fragment,
        holds: &Fragment,
        (what, expected): (&str, &str),
        group_by: &[String],
    ) -> Result<CheckSql, BadValue> {
        let computed = self.computed(computed)?;
        let value = self.text(value, "")?;
        let (size, result) = (self.name("n"), self.name("v"));
        let fails = format!("NOT COALESCE({}, FALSE)", self.text(holds, &result)?);
        let keys: Vec<String> = group_by.iter().map(|column| Ident(column).to_string()).collect();
        let list = keys.join(", ");
        let sample = format!(
            "SELECT {list}, {result} AS {GROUP_VALUE} FROM (SELECT {list}, {} AS {size}, {value} AS {result} FROM {} GROUP BY {list}) \
             WHERE {size} > 0 AND {fails} ORDER BY {list} LIMIT {}",
            self.looked(),
            from(self.audited.table, &computed),
            self.expectation.sample_rows
        );
        let groups = Groups {
            keys,
            computed,
            looked_at: self.filter.clone(),
            inner: vec![(result, value)],
            counts: [
                format!("COUNTIF({WITHIN} AND {size} > 0)"),
                format!("COUNTIF({WITHIN} AND {size} > 0 AND {fails})"),
                NOTHING.to_owned(),
            ],
            size,
        };
        let rule = Rule::Groups { what: what.to_owned(), expected: expected.to_owned() };
        Ok(CheckSql { counting: Counting::Groups(groups), sample: Some(sample), numbered: None, rule })
    }

    fn most_common(&self, column: &str, among: &Fragment, ties_okay: bool) -> Result<CheckSql, BadValue> {
        let key = Ident(column).to_string();
        let among = self.text(among, "")?;
        let looked_at: Vec<String> =
            self.filter.iter().cloned().chain([format!("{key} IS NOT NULL")]).collect();
        let looked_at = looked_at.join(" AND ");
        let size = self.name("n");
        let most =
            |condition: &str| format!("MAX(IF({WITHIN} AND {size} > 0 AND {condition}, {size}, NULL))");
        let (listed, unlisted) = (most(&format!("({among})")), most(&format!("NOT ({among})")));
        let sign = if ties_okay { ">=" } else { ">" };
        let groups = Groups {
            keys: vec![key.clone()],
            computed: Vec::new(),
            looked_at: Some(looked_at.clone()),
            inner: Vec::new(),
            counts: [
                format!("COALESCE(SUM(IF({WITHIN}, {size}, 0)), 0)"),
                format!("IF(COALESCE({listed} {sign} COALESCE({unlisted}, 0), FALSE), 0, 1)"),
                format!(
                    "CONCAT(CAST(COALESCE({listed}, 0) AS STRING), ' times a listed value, ', CAST(COALESCE({unlisted}, 0) AS STRING), ' times another')"
                ),
            ],
            size,
        };
        let sample = format!(
            "SELECT {key}, COUNT(*) AS rows_with_this_value FROM {} WHERE {looked_at} GROUP BY {key} \
             ORDER BY rows_with_this_value DESC, {key} LIMIT {}",
            self.audited.table, self.expectation.sample_rows
        );
        let rule = Rule::Value {
            what: format!("the most common value of {column}"),
            expected: "a listed one".to_owned(),
        };
        Ok(CheckSql { counting: Counting::Groups(groups), sample: Some(sample), numbered: None, rule })
    }

    fn row_count(
        &self,
        min: Option<u64>,
        max: Option<u64>,
        other: Option<&(OtherCount, Address)>,
    ) -> CheckSql {
        let counted = match other {
            Some((_, other)) => {
                format!("CAST((SELECT COUNT(*) FROM {}) AS STRING)", (self.audited.relation)(other))
            }
            None => NOTHING.to_owned(),
        };
        let counts = [self.looked(), "0".to_owned(), counted];
        CheckSql {
            counting: Counting::Pass { computed: Vec::new(), counts },
            sample: None,
            numbered: None,
            rule: Rule::RowCount { min, max, other: other.map(|(how, _)| *how) },
        }
    }

    fn freshness(&self, column: &str, max_age_seconds: u64) -> CheckSql {
        let newest = format!("MAX({})", self.filtered(column));
        let newest = match self.audited.type_of(column) {
            Type::Timestamp => newest,
            _ => format!("TIMESTAMP({newest})"),
        };
        let counts = [self.looked(), "0".to_owned(), format!("CAST(UNIX_SECONDS({newest}) AS STRING)")];
        CheckSql {
            counting: Counting::Pass { computed: Vec::new(), counts },
            sample: None,
            numbered: None,
            rule: Rule::Freshness { max_age_seconds },
        }
    }

    fn bad_rows(&self, bad: &Fragment) -> Result<CheckSql, BadValue> {
        let rows = self.text(bad, "")?;
        let own = format!(
            "SELECT (SELECT {} FROM {}) AS c, COUNT(*) AS f, {NOTHING} AS o FROM ({rows})",
            self.looked(),
            self.audited.table
        );
        let sample = format!("SELECT * FROM ({rows}) LIMIT {}", self.expectation.sample_rows);
        let rule = Rule::BadRows { allowed: self.expectation.allowed };
        let numbered = self.numbered_rows(bad)?;
        Ok(CheckSql { counting: Counting::Own(own), sample: Some(sample), numbered, rule })
    }

    /// The sample of a query of the user's with the numbers of its rows, where they are rows of the table.
    fn numbered_rows(&self, bad: &Fragment) -> Result<Option<String>, BadValue> {
        let (Some(table), Some(sql)) = (self.numbered_table(), bad.own_sql().next()) else { return Ok(None) };
        let Some(with_numbers) = numbered(&sql.text, &table) else { return Ok(None) };
        let mut bad = bad.clone();
        for part in &mut bad.parts {
            if matches!(part, Part::Own(_)) {
                *part = Part::Sql(own(&with_numbers));
            }
        }
        let rows = self.text(&bad, "")?;
        Ok(Some(format!("SELECT * FROM ({rows}) LIMIT {}", self.expectation.sample_rows)))
    }

    fn equals(
        &self,
        tables: &Fragment,
        one: &Fragment,
        other: &Fragment,
        within: f64,
    ) -> Result<CheckSql, BadValue> {
        let (tables, one, other) = (self.text(tables, "")?, self.text(one, "")?, self.text(other, "")?);
        let equal =
            if within == 0.0 { "one = other".to_owned() } else { format!("ABS(one - other) <= {within}") };
        let own = format!(
            "SELECT 1 AS c, IF(COALESCE({equal}, FALSE), 0, 1) AS f, \
             CONCAT(COALESCE(CAST(one AS STRING), 'NULL'), ' against ', COALESCE(CAST(other AS STRING), 'NULL')) AS o \
             FROM ({tables}SELECT {one} AS one, {other} AS other)"
        );
        let expected = if within == 0.0 { "the same".to_owned() } else { format!("at most {within} apart") };
        let rule = Rule::Value { what: "the comparison".to_owned(), expected };
        Ok(CheckSql { counting: Counting::Own(own), sample: None, numbered: None, rule })
    }

    fn known(known: &Known) -> CheckSql {
        let counting = match known {
            Known::Volume { .. } => Counting::Pass {
                computed: Vec::new(),
                counts: ["COUNT(*)".to_owned(), "0".to_owned(), NOTHING.to_owned()],
            },
            _ => Counting::Known,
        };
        CheckSql { counting, sample: None, numbered: None, rule: Rule::Known { known: known.clone() } }
    }

    /// The values that are computed beforehand, with their names.
    fn computed(&self, fragments: &[Fragment]) -> Result<Vec<(String, String)>, BadValue> {
        let named = |(index, fragment)| Ok((self.computed_name(index), self.text(fragment, "")?));
        fragments.iter().enumerate().map(named).collect()
    }

    fn computed_name(&self, index: usize) -> String {
        self.name(&format!("x{index}_"))
    }

    /// A name that no user's column has.
    fn name(&self, stem: &str) -> String {
        format!("pipewright_{stem}{}", self.place)
    }

    /// How many rows are looked at.
    fn looked(&self) -> String {
        match &self.filter {
            Some(filter) => format!("COUNTIF({filter})"),
            None => "COUNT(*)".to_owned(),
        }
    }

    /// A column's value in the rows that are looked at.
    fn filtered(&self, column: &str) -> String {
        match &self.filter {
            Some(filter) => format!("IF({filter}, {}, NULL)", Ident(column)),
            None => Ident(column).to_string(),
        }
    }

    /// A fragment as text; `itself` is the value that it is about.
    fn text(&self, fragment: &Fragment, itself: &str) -> Result<String, BadValue> {
        let mut out = String::new();
        for part in &fragment.parts {
            match part {
                Part::Sql(sql) => out.push_str(sql),
                Part::Column(name) => out.push_str(&Ident(name).to_string()),
                Part::Value { value, against, key } => {
                    let data_type = self.audited.type_against(against, value);
                    let literal = literal(value, &data_type)
                        .map_err(|message| BadValue { key: key.clone(), message })?;
                    out.push_str(&literal);
                }
                Part::Text(text) => out.push_str(&Text(text).to_string()),
                Part::Table(address) => out.push_str(&(self.audited.relation)(address)),
                Part::This => out.push_str(self.audited.table),
                Part::Own(sql) | Part::OwnOf(_, sql) => out.push_str(&own(&sql.text)),
                Part::Computed(index) => out.push_str(&self.computed_name(*index)),
                Part::Itself => out.push_str(itself),
                Part::Filtered(name) => out.push_str(&self.filtered(name)),
                Part::Looked => out.push_str(&self.looked()),
                Part::Where => {
                    out.extend(self.filter.iter().flat_map(|filter| [" WHERE ", filter.as_str()]));
                }
                Part::AllColumns => {
                    let names = self.audited.columns.iter().map(|column| Ident(&column.name).to_string());
                    out.push_str(&names.collect::<Vec<_>>().join(", "));
                }
                Part::Json(name) => match self.audited.type_of(name) {
                    Type::Json => out.push_str(&Ident(name).to_string()),
                    _ => out.push_str(&format!("SAFE.PARSE_JSON({})", Ident(name))),
                },
            }
        }
        Ok(out)
    }
}

/// SQL of the user's for within brackets. A remark at its end must not swallow what closes them.
fn own(sql: &str) -> String {
    let sql = sql.trim();
    let last = sql.lines().next_back().unwrap_or_default();
    if last.contains("--") || last.contains('#') { format!("{sql}\n") } else { sql.to_owned() }
}

/// A table with what is computed for each of its rows beforehand.
pub(super) fn from(table: &str, computed: &[(String, String)]) -> String {
    if computed.is_empty() {
        return table.to_owned();
    }
    let each: Vec<String> = computed.iter().map(|(name, sql)| format!("{sql} AS {name}")).collect();
    format!("(SELECT *, {} FROM {table})", each.join(", "))
}

impl Audited<'_> {
    fn type_of(&self, name: &str) -> Type {
        self.columns
            .iter()
            .find(|column| column.name.eq_ignore_ascii_case(name))
            .map_or(Type::Unknown, |column| column.data_type.clone())
    }

    /// The type of what a value is held against.
    ///
    /// Source: <https://cloud.google.com/bigquery/docs/reference/standard-sql/aggregate_functions>.
    fn type_against(&self, against: &Against, value: &Scalar) -> Type {
        let fraction = matches!(value, Scalar::Float(number) if number.fract() != 0.0);
        match against {
            Against::Column(name) => self.type_of(name),
            Against::Bound(name) | Against::SumOf(name) => match self.type_of(name) {
                Type::Int64 if fraction => Type::Float64,
                other => other,
            },
            Against::MeanOf(name) => match self.type_of(name) {
                Type::Int64 => Type::Float64,
                other => other,
            },
            Against::SumOfColumns(names) => {
                // The widest of them, in the order in which GoogleSQL widens numbers.
                let order = [Type::Int64, Type::Numeric, Type::BigNumeric, Type::Float64];
                let types = names.iter().map(|name| self.type_of(name));
                let widest = types.max_by_key(|known| order.iter().position(|wide| wide == known));
                match widest.unwrap_or(Type::Float64) {
                    Type::Int64 if fraction => Type::Float64,
                    other => other,
                }
            }
            Against::Type(data_type) => data_type.clone(),
        }
    }
}
