//! Kinds about the rows of a table: how their columns relate to each other, to other rows and to other tables.

use super::super::{Address, Against, Form, Fragment, NamedColumn, Needs, Part};
use super::entry::{Entry, Meaning};
use crate::manifest::types::Scalar;
use crate::manifest::types::expectation::{
    Expression, Gaps, MutuallyExclusiveRanges, PairInSet, Relationships, StarSchema, SumEquals,
    UniqueWithinRow,
};

/// A condition on the rows in which all of some columns have a value.
fn of_columns(columns: Vec<NamedColumn>, holds: Fragment) -> Meaning {
    let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
    let what = names.join("_");
    let present = names.into_iter().map(Fragment::of_column).collect();
    Meaning::new(what, Form::Rows { present, computed: Vec::new(), holds }, columns)
}

pub(super) fn pair(entry: &mut Entry<'_, '_>, column: &str, other: &str, sign: &str) -> Vec<Meaning> {
    let needs = if sign == "=" { Needs::Groups } else { Needs::Order };
    let columns = vec![entry.column(column, "column", needs), entry.column(other, "other", needs)];
    vec![of_columns(columns, Fragment::of_column(column).sql(&format!(" {sign} ")).column(other))]
}

pub(super) fn pair_in_set(entry: &mut Entry<'_, '_>, kind: &PairInSet) -> Vec<Meaning> {
    let (column, other) = (&kind.column, &kind.other);
    let columns =
        vec![entry.column(column, "column", Needs::Groups), entry.column(other, "other", Needs::Groups)];
    let pairs = kind.values.iter().enumerate().map(|(index, (one, two))| {
        let value = |name: &str, value: &Scalar, place: usize| {
            let against = Against::Column(name.to_owned());
            Fragment::of_column(name).sql(" = ").value(value, against, &format!("values/{index}/{place}"))
        };
        value(column, one, 0).sql(" AND ").and_then(value(other, two, 1))
    });
    let holds = Fragment::new("(").list(pairs, " OR ").sql(")");
    vec![of_columns(columns, holds)]
}

pub(super) fn unique_within_row(entry: &mut Entry<'_, '_>, kind: &UniqueWithinRow) -> Vec<Meaning> {
    let pairs = kind.columns.iter().enumerate().flat_map(|(index, one)| {
        kind.columns[index + 1..].iter().map(|other| Fragment::of_column(one).sql(" <> ").column(other))
    });
    let holds = Fragment::default().list(pairs.collect::<Vec<_>>(), " AND ");
    vec![of_columns(entry.list(&kind.columns, "columns", Needs::Groups), holds)]
}

pub(super) fn sum_equals(entry: &mut Entry<'_, '_>, kind: &SumEquals) -> Vec<Meaning> {
    let mut columns = entry.list(&kind.columns, "columns", Needs::Number);
    let terms = kind.columns.iter().map(|name| Fragment::of_column(name));
    let sum = Fragment::new("(").list(terms, " + ").sql(")");
    let against = Against::SumOfColumns(kind.columns.clone());
    let total = match (&kind.total, kind.equals) {
        (Some(total), None) => {
            columns.push(entry.column(total, "total", Needs::Number));
            Fragment::of_column(total)
        }
        (None, Some(number)) => Fragment::default().value(&Scalar::Float(number), against.clone(), "equals"),
        _ => {
            let help = "give `equals`, a number, or `total`, a column";
            entry.missing("`sum_equals` needs one thing that the columns add up to", help, "here");
            return Vec::new();
        }
    };
    let holds = if kind.within == 0.0 {
        sum.sql(" = ").and_then(total)
    } else {
        let within = Scalar::Float(kind.within);
        let off = Fragment::new("ABS(").and_then(sum).sql(" - ").and_then(total).sql(") <= ");
        off.value(&within, against, "within")
    };
    vec![of_columns(columns, holds)]
}

pub(super) fn expression(entry: &mut Entry<'_, '_>, kind: &Expression) -> Vec<Meaning> {
    let condition = Fragment::own(entry.at.sql("sql", &kind.sql));
    let form = Form::Rows { present: vec![condition.clone()], computed: Vec::new(), holds: condition };
    vec![Meaning::new("", form, Vec::new())]
}

pub(super) fn mutually_exclusive_ranges(
    entry: &mut Entry<'_, '_>,
    kind: &MutuallyExclusiveRanges,
) -> Vec<Meaning> {
    let mut columns = vec![
        entry.column(&kind.lower, "lower", Needs::Order),
        entry.column(&kind.upper, "upper", Needs::Order),
    ];
    columns.extend(entry.list(&kind.partition_by, "partition_by", Needs::Partition));
    let partition = match kind.partition_by.as_slice() {
        [] => Fragment::default(),
        by => Fragment::new("PARTITION BY ").columns(by).sql(" "),
    };
    let next = Fragment::new("MIN(")
        .part(Part::Filtered(kind.lower.clone()))
        .sql(") OVER (")
        .and_then(partition)
        .sql("ORDER BY ")
        .column(&kind.lower)
        .sql(", ")
        .column(&kind.upper)
        .sql(" ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING)");
    let sign = match kind.gaps {
        Gaps::Allowed => " <= ",
        Gaps::NotAllowed => " = ",
        Gaps::Required => " < ",
    };
    let (lower, upper) = (Fragment::of_column(&kind.lower), Fragment::of_column(&kind.upper));
    let next_lower = || Fragment::default().part(Part::Computed(0));
    let holds = Fragment::new("(")
        .and_then(upper.clone())
        .sql(" IS NULL OR ")
        .and_then(lower.clone())
        .sql(" <= ")
        .and_then(upper.clone())
        .sql(") AND (")
        .and_then(next_lower())
        .sql(" IS NULL OR COALESCE(")
        .and_then(upper)
        .sql(sign)
        .and_then(next_lower())
        .sql(", FALSE))");
    let form = Form::Rows { present: vec![lower], computed: vec![next], holds };
    vec![Meaning::new(format!("{}_{}", kind.lower, kind.upper), form, columns)]
}

pub(super) fn relationships(entry: &mut Entry<'_, '_>, kind: &Relationships) -> Vec<Meaning> {
    let Some(to) = entry.table(&kind.to, "to") else { return Vec::new() };
    let field = kind.field.as_ref().unwrap_or(&kind.column);
    let condition = kind.to_where.as_ref().map(|sql| Fragment::own_of(&to, entry.at.sql("to_where", sql)));
    let column = entry.column(&kind.column, "column", Needs::Groups);
    let holds = found_in(&kind.column, &to, field, condition);
    let mut meaning = Meaning::of_rows(column, holds);
    let field_key = if kind.field.is_some() { "field" } else { "column" };
    meaning.other_columns.push((to, entry.column(field, field_key, Needs::Groups)));
    vec![meaning]
}

/// That a column's value is one of another table's.
fn found_in(column: &str, to: &Address, field: &str, condition: Option<Fragment>) -> Fragment {
    let known = Fragment::of_column(column)
        .sql(" IN (SELECT ")
        .column(field)
        .sql(" FROM ")
        .part(Part::Table(to.clone()))
        .sql(" WHERE ")
        .column(field)
        .sql(" IS NOT NULL");
    match condition {
        Some(condition) => known.sql(" AND ").and_then(condition),
        None => known,
    }
    .sql(")")
}

pub(super) fn star_schema(entry: &mut Entry<'_, '_>, kind: &StarSchema) -> Vec<Meaning> {
    let mut all = Vec::new();
    for (name, dimension) in &kind.keys {
        let key = format!("keys/{}", crate::manifest::yaml::escape_pointer(name));
        let (table, field) = dimension.split_once('.').unwrap_or((dimension, name));
        let Some(to) = entry.table(table, &key) else { continue };
        let holds = Fragment::of_column(name).sql(" IS NOT NULL AND ");
        let holds = holds.and_then(found_in(name, &to, field, None));
        let form = Form::Rows { present: Vec::new(), computed: Vec::new(), holds };
        let column = entry.column(name, &key, Needs::Groups);
        let other = entry.column(field, &key, Needs::Groups);
        let mut meaning = Meaning::new(name.clone(), form, vec![column]);
        meaning.other_columns.push((to, other));
        all.push(meaning);
    }
    all
}
