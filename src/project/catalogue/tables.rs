//! Kinds about a table as a whole, about several tables, and own SQL.

use super::super::{Address, Against, Form, Fragment, Known, NamedColumn, Needs, OtherCount, Part};
use super::columns::within;
use super::entry::{Entry, Meaning, texts};
use crate::googlesql::Type;
use crate::manifest::types::Scalar;
use crate::manifest::types::expectation::{
    Bounds, Cardinality, ColumnCount, Columns, Freshness, Query, Reconcile, RowCount, SameRows,
    SchemaUnchanged, TypeIs, VolumeChange,
};

fn known(what: impl Into<String>, known: Known) -> Vec<Meaning> {
    vec![Meaning::new(what, Form::Known(known), Vec::new())]
}

pub(super) fn exists() -> Vec<Meaning> {
    known("", Known::Exists)
}

pub(super) fn columns(kind: &Columns) -> Vec<Meaning> {
    known("", Known::Columns { names: kind.columns.clone(), mode: kind.mode })
}

pub(super) fn column_count(entry: &mut Entry<'_, '_>, kind: &ColumnCount) -> Vec<Meaning> {
    let (min, max) = (kind.min.or(kind.equals), kind.max.or(kind.equals));
    if min.is_none() && max.is_none() {
        let help = "give at least one of `equals`, `min` and `max`";
        entry.missing("`column_count` has no bound", help, "no bound here");
        return Vec::new();
    }
    known("", Known::ColumnCount { min, max })
}

pub(super) fn type_is(entry: &mut Entry<'_, '_>, kind: &TypeIs) -> Vec<Meaning> {
    let span = entry.at.value("type");
    let types: Vec<String> = texts(&kind.data_type)
        .into_iter()
        .map(|name| entry.resolver.data_type(name, &span).to_string())
        .collect();
    let column = entry.column(&kind.column, "column", Needs::Any);
    let form = Form::Known(Known::Type { column: kind.column.clone(), types });
    vec![Meaning::new(kind.column.clone(), form, vec![column])]
}

pub(super) fn row_count(entry: &mut Entry<'_, '_>, kind: &RowCount) -> Vec<Meaning> {
    let (min, max) = (kind.min.or(kind.exactly), kind.max.or(kind.exactly));
    let other = match (&kind.equals, &kind.fewer_than) {
        (Some(name), _) => match entry.table(name, "equals") {
            Some(address) => Some((OtherCount::Equal, address)),
            None => return Vec::new(),
        },
        (None, Some(name)) => match entry.table(name, "fewer_than") {
            Some(address) => Some((OtherCount::More, address)),
            None => return Vec::new(),
        },
        (None, None) => None,
    };
    if min.is_none() && max.is_none() && other.is_none() {
        let help = "give `min`, `max`, `exactly`, `equals` or `fewer_than`";
        entry.missing("`row_count` has no bound", help, "no bound here");
    }
    if kind.group_by.is_empty() {
        return vec![Meaning::new("", Form::RowCount { min, max, other }, Vec::new())];
    }
    if other.is_some() {
        let help = "take `group_by` out, or give `min` and `max`";
        entry.wrong("group_by", "groups are not compared with another table", help);
        return Vec::new();
    }
    let bound = |bound: Option<u64>| bound.and_then(|count| i64::try_from(count).ok()).map(Scalar::Integer);
    let (least, most) = (bound(min), bound(max));
    let bounds = Bounds { min: least.as_ref(), max: most.as_ref(), strict_min: false, strict_max: false };
    let itself = Fragment::default().part(Part::Itself);
    let form = Form::Value {
        computed: Vec::new(),
        value: Fragment::default().part(Part::Looked),
        holds: within(&itself, bounds, &Against::Type(Type::Int64), ""),
        what: "the number of rows".to_owned(),
        expected: String::new(),
        group_by: kind.group_by.clone(),
    };
    vec![Meaning::new("", form, entry.list(&kind.group_by, "group_by", Needs::Groups))]
}

pub(super) fn freshness(entry: &mut Entry<'_, '_>, kind: &Freshness) -> Vec<Meaning> {
    let column = entry.column(&kind.column, "column", Needs::Time);
    let form = Form::Freshness { column: kind.column.clone(), max_age: kind.max_age.0 };
    vec![Meaning::new(kind.column.clone(), form, vec![column])]
}

pub(super) fn volume_change(entry: &mut Entry<'_, '_>, kind: &VolumeChange) -> Vec<Meaning> {
    if kind.max_drop.is_none() && kind.max_growth.is_none() {
        let help = "give `max_drop`, `max_growth` or both";
        entry.missing("`volume_change` has no bound", help, "no bound here");
        return Vec::new();
    }
    let form = Known::Volume {
        max_drop: kind.max_drop.map(f64::to_bits),
        max_growth: kind.max_growth.map(f64::to_bits),
    };
    known("", form)
}

pub(super) fn schema_unchanged(kind: &SchemaUnchanged) -> Vec<Meaning> {
    known("", Known::Schema { allow: kind.allow.clone() })
}

pub(super) fn cardinality(entry: &mut Entry<'_, '_>, kind: &Cardinality) -> Vec<Meaning> {
    let Some(to) = entry.table(&kind.to, "to") else { return Vec::new() };
    let field = kind.field.as_ref().unwrap_or(&kind.column);
    let column = entry.column(&kind.column, "column", Needs::Groups);
    let rows = differing(&[(kind.column.clone(), field.clone())], &to);
    let mut meaning = Meaning::new(kind.column.clone(), Form::BadRows { rows }, vec![column]);
    let field_key = if kind.field.is_some() { "field" } else { "column" };
    meaning.other_columns.push((to, entry.column(field, field_key, Needs::Groups)));
    vec![meaning]
}

/// The values of some columns that do not occur equally often here and there, with how much more often they do here.
/// Here, in the rows that are looked at; there, in all.
/// Without any columns, of all that the table has.
fn differing(columns: &[(String, String)], to: &Address) -> Fragment {
    let named = |pick: &dyn Fn(&(String, String)) -> String| {
        let each = columns.iter().enumerate().map(|(index, pair)| {
            Fragment::default().column(&pick(pair)).sql(" AS ").column(&columns[index].0)
        });
        if columns.is_empty() { all_columns() } else { Fragment::default().list(each, ", ") }
    };
    let names: Vec<String> = columns.iter().map(|(name, _)| name.clone()).collect();
    let names = || if columns.is_empty() { all_columns() } else { Fragment::default().columns(&names) };
    Fragment::new("SELECT ")
        .and_then(names())
        .sql(", SUM(pipewright_occurrence) AS more_often_here FROM (SELECT ")
        .and_then(named(&|(here, _)| here.clone()))
        .sql(", 1 AS pipewright_occurrence FROM ")
        .part(Part::This)
        .part(Part::Where)
        .sql(" UNION ALL SELECT ")
        .and_then(named(&|(_, there)| there.clone()))
        .sql(", -1 FROM ")
        .part(Part::Table(to.clone()))
        .sql(") GROUP BY ")
        .and_then(names())
        .sql(" HAVING SUM(pipewright_occurrence) <> 0")
}

fn all_columns() -> Fragment {
    Fragment::default().part(Part::AllColumns)
}

pub(super) fn same_rows(entry: &mut Entry<'_, '_>, kind: &SameRows) -> Vec<Meaning> {
    let Some(to) = entry.table(&kind.to, "to") else { return Vec::new() };
    let pairs: Vec<(String, String)> = kind.columns.iter().map(|name| (name.clone(), name.clone())).collect();
    let columns = entry.list(&kind.columns, "columns", Needs::Groups);
    let mut meaning =
        Meaning::new(to.name.clone(), Form::BadRows { rows: differing(&pairs, &to) }, columns.clone());
    meaning.other_columns = columns.into_iter().map(|column| (to.clone(), column)).collect();
    vec![meaning]
}

/// `WITH this AS (…), raw_orders AS (…) `: the names that own SQL may use.
fn names(entry: &mut Entry<'_, '_>, reads: &[String]) -> Option<Fragment> {
    let mut with = Fragment::new("WITH this AS (SELECT * FROM ").part(Part::This).sql(")");
    for (index, name) in reads.iter().enumerate() {
        let address = entry.table(name, &format!("reads/{index}"))?;
        with = with.sql(", ").column(name).sql(" AS (SELECT * FROM ").part(Part::Table(address)).sql(")");
    }
    Some(with.sql(" "))
}

pub(super) fn query(entry: &mut Entry<'_, '_>, kind: &Query) -> Vec<Meaning> {
    let Some(names) = names(entry, &kind.reads) else { return Vec::new() };
    let own = Fragment::own(entry.at.sql("sql", &kind.sql));
    let rows = names.sql("SELECT * FROM ").and_then(own);
    vec![Meaning::new("", Form::BadRows { rows }, Vec::<NamedColumn>::new())]
}

pub(super) fn reconcile(entry: &mut Entry<'_, '_>, kind: &Reconcile) -> Vec<Meaning> {
    let Some(tables) = names(entry, &kind.reads) else { return Vec::new() };
    let one = Fragment::own(entry.at.sql("sql", &kind.sql));
    let other = Fragment::own(entry.at.sql("equals", &kind.equals));
    vec![Meaning::new("", Form::Equals { tables, one, other, within: kind.within }, Vec::new())]
}
