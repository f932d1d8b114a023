//! Kinds about the values of one column.

use super::super::{Against, Form, Fragment, NamedColumn, Needs, Part};
use super::entry::{Entry, Meaning, texts};
use crate::manifest::types::Scalar;
use crate::manifest::types::expectation::{
    AcceptedValues, Between, Bounds, Common, DateFormat, DatePart, IsNull, JsonParseable, Length, Like,
    Monotonic, NotEmptyString, NotLike, NotNull, NotRegex, Regex, RejectedValues, Sequential, Unique, ZScore,
};

pub(super) fn not_null(entry: &mut Entry<'_, '_>, kind: &NotNull) -> Vec<Meaning> {
    null_or_not(entry, &kind.common(), " IS NOT NULL")
}

pub(super) fn is_null(entry: &mut Entry<'_, '_>, kind: &IsNull) -> Vec<Meaning> {
    null_or_not(entry, &kind.common(), " IS NULL")
}

/// All rows are looked at.
fn null_or_not(entry: &mut Entry<'_, '_>, common: &Common<'_>, test: &str) -> Vec<Meaning> {
    let columns = entry.each_column(common, Needs::Any);
    let meaning = |column: NamedColumn| {
        let holds = Fragment::of_column(&column.name).sql(test);
        let form = Form::Rows { present: Vec::new(), computed: Vec::new(), holds };
        Meaning::new(column.name.clone(), form, vec![column])
    };
    columns.into_iter().map(meaning).collect()
}

pub(super) fn unique(entry: &mut Entry<'_, '_>, kind: &Unique) -> Vec<Meaning> {
    let columns: Vec<NamedColumn> = kind
        .column
        .iter()
        .map(|name| entry.column(name, "column", Needs::Groups))
        .chain(entry.list(&kind.columns, "columns", Needs::Groups))
        .collect();
    if columns.is_empty() {
        let help = "add `column:` or `columns:` below it";
        entry.missing("`unique` names no column", help, "no column here");
        return Vec::new();
    }
    let names: Vec<String> = columns.iter().map(|column| column.name.clone()).collect();
    vec![Meaning::new(names.join("_"), Form::Unique { columns: names }, columns)]
}

pub(super) fn accepted_values(entry: &mut Entry<'_, '_>, kind: &AcceptedValues) -> Vec<Meaning> {
    among(entry, &kind.common(), &kind.values, kind.ignore_case, " IN (")
}

pub(super) fn rejected_values(entry: &mut Entry<'_, '_>, kind: &RejectedValues) -> Vec<Meaning> {
    among(entry, &kind.common(), &kind.values, kind.ignore_case, " NOT IN (")
}

fn among(
    entry: &mut Entry<'_, '_>,
    common: &Common<'_>,
    values: &[Scalar],
    ignore_case: bool,
    test: &str,
) -> Vec<Meaning> {
    let needs = if ignore_case { Needs::Text } else { Needs::Groups };
    let meaning = |column: NamedColumn| {
        let name = &column.name;
        let against = Against::Column(name.clone());
        let holds = if ignore_case {
            let lower = |(index, value): (usize, &Scalar)| {
                let key = format!("values/{index}");
                Fragment::new("LOWER(").value(value, against.clone(), &key).sql(")")
            };
            let values = values.iter().enumerate().map(lower);
            Fragment::new("LOWER(").column(name).sql(")").sql(test).list(values, ", ")
        } else {
            Fragment::of_column(name).sql(test).values(values, &against, "values")
        };
        Meaning::of_rows(column, holds.sql(")"))
    };
    entry.each_column(common, needs).into_iter().map(meaning).collect()
}

pub(super) fn between(entry: &mut Entry<'_, '_>, kind: &Between) -> Vec<Meaning> {
    let bounds = Bounds {
        min: kind.min.as_ref(),
        max: kind.max.as_ref(),
        strict_min: kind.strict_min,
        strict_max: kind.strict_max,
    };
    if !bounded(entry, bounds) {
        return Vec::new();
    }
    let meaning = |column: NamedColumn| {
        let value = Fragment::of_column(&column.name);
        let holds = within(&value, bounds, &Against::Bound(column.name.clone()), "");
        Meaning::of_rows(column, holds)
    };
    entry.each_column(&kind.common(), Needs::Order).into_iter().map(meaning).collect()
}

/// Whether there is a bound at all; a fault unless there is.
pub(super) fn bounded(entry: &mut Entry<'_, '_>, bounds: Bounds<'_>) -> bool {
    let bounded = bounds.min.is_some() || bounds.max.is_some();
    if !bounded {
        let message = format!("`{}` has neither `min` nor `max`", entry.at.kind);
        entry.missing(&message, "give at least one of them", "no bound here");
    }
    bounded
}

/// That a value lies within bounds, whose keys stand below `path`.
pub(super) fn within(value: &Fragment, bounds: Bounds<'_>, against: &Against, path: &str) -> Fragment {
    let least = bounds.min.map(|min| ("min", min, if bounds.strict_min { " > " } else { " >= " }));
    let most = bounds.max.map(|max| ("max", max, if bounds.strict_max { " < " } else { " <= " }));
    let each = [least, most].into_iter().flatten().map(|(key, bound, sign)| {
        value.clone().sql(sign).value(bound, against.clone(), &format!("{path}{key}"))
    });
    Fragment::default().list(each, " AND ")
}

pub(super) fn regex(entry: &mut Entry<'_, '_>, kind: &Regex) -> Vec<Meaning> {
    matching(entry, &kind.common(), &texts(&kind.regex), false, &contains)
}

pub(super) fn not_regex(entry: &mut Entry<'_, '_>, kind: &NotRegex) -> Vec<Meaning> {
    matching(entry, &kind.common(), &texts(&kind.regex), true, &contains)
}

pub(super) fn like(entry: &mut Entry<'_, '_>, kind: &Like) -> Vec<Meaning> {
    matching(entry, &kind.common(), &texts(&kind.pattern), false, &is_like)
}

pub(super) fn not_like(entry: &mut Entry<'_, '_>, kind: &NotLike) -> Vec<Meaning> {
    matching(entry, &kind.common(), &texts(&kind.pattern), true, &is_like)
}

fn contains(column: &str, pattern: &str) -> Fragment {
    Fragment::new("REGEXP_CONTAINS(").column(column).sql(", ").text(pattern).sql(")")
}

fn is_like(column: &str, pattern: &str) -> Fragment {
    Fragment::of_column(column).sql(" LIKE ").text(pattern)
}

/// That one of some patterns matches, or that none does.
fn matching(
    entry: &mut Entry<'_, '_>,
    common: &Common<'_>,
    patterns: &[&str],
    never: bool,
    test: &dyn Fn(&str, &str) -> Fragment,
) -> Vec<Meaning> {
    let meaning = |column: NamedColumn| {
        let any = patterns.iter().map(|pattern| test(&column.name, pattern));
        let any = Fragment::new(if never { "NOT (" } else { "(" }).list(any, " OR ").sql(")");
        Meaning::of_rows(column, any)
    };
    entry.each_column(common, Needs::Text).into_iter().map(meaning).collect()
}

pub(super) fn length(entry: &mut Entry<'_, '_>, kind: &Length) -> Vec<Meaning> {
    let tests = [("min", kind.min, " >= "), ("max", kind.max, " <= "), ("equals", kind.equals, " = ")];
    if tests.iter().all(|(_, bound, _)| bound.is_none()) {
        let help = "give at least one of `min`, `max` and `equals`";
        entry.missing("`length` has no bound", help, "no bound here");
        return Vec::new();
    }
    let meaning = |column: NamedColumn| {
        let each = tests.iter().filter_map(|(_, bound, sign)| {
            let length = Fragment::new("LENGTH(").column(&column.name).sql(")");
            Some(length.sql(&format!("{sign}{}", (*bound)?)))
        });
        let holds = Fragment::default().list(each, " AND ");
        Meaning::of_rows(column, holds)
    };
    entry.each_column(&kind.common(), Needs::TextOrBytes).into_iter().map(meaning).collect()
}

pub(super) fn date_format(entry: &mut Entry<'_, '_>, kind: &DateFormat) -> Vec<Meaning> {
    let function = match kind.part {
        DatePart::Date => "SAFE.PARSE_DATE(",
        DatePart::Datetime => "SAFE.PARSE_DATETIME(",
        DatePart::Timestamp => "SAFE.PARSE_TIMESTAMP(",
        DatePart::Time => "SAFE.PARSE_TIME(",
    };
    let meaning = |column: NamedColumn| {
        let parsed = Fragment::new(function).text(&kind.format).sql(", ").column(&column.name);
        Meaning::of_rows(column, parsed.sql(") IS NOT NULL"))
    };
    entry.each_column(&kind.common(), Needs::Text).into_iter().map(meaning).collect()
}

pub(super) fn json_parseable(entry: &mut Entry<'_, '_>, kind: &JsonParseable) -> Vec<Meaning> {
    let meaning = |column: NamedColumn| {
        let holds = Fragment::new("SAFE.PARSE_JSON(").column(&column.name).sql(") IS NOT NULL");
        Meaning::of_rows(column, holds)
    };
    entry.each_column(&kind.common(), Needs::Text).into_iter().map(meaning).collect()
}

/// `PARTITION BY …` in front of the rest of a window.
fn partition(by: &[String]) -> Fragment {
    if by.is_empty() { Fragment::default() } else { Fragment::new("PARTITION BY ").columns(by).sql(" ") }
}

/// Each value compared with the last one before it that is not NULL.
pub(super) fn monotonic(entry: &mut Entry<'_, '_>, kind: &Monotonic, strict_sign: &str) -> Vec<Meaning> {
    let (order_by, partition_by) = (&kind.order_by, &kind.partition_by);
    let sign = if kind.strict { strict_sign.to_owned() } else { format!("{strict_sign}=") };
    let mut others = entry.list(order_by, "order_by", Needs::Order);
    others.extend(entry.list(partition_by, "partition_by", Needs::Partition));
    let meaning = |column: NamedColumn| {
        let name = column.name.clone();
        // In brackets of its own: a parser may take IGNORE NULLS behind a call for a part of that call.
        let before = Fragment::new("LAST_VALUE((")
            .part(Part::Filtered(name.clone()))
            .sql(") IGNORE NULLS) OVER (")
            .and_then(partition(partition_by))
            .sql("ORDER BY ")
            .columns(order_by)
            .sql(" ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)");
        let form = Form::Rows {
            present: vec![Fragment::of_column(&name), Fragment::default().part(Part::Computed(0))],
            computed: vec![before],
            holds: Fragment::of_column(&name).sql(&format!(" {sign} ")).part(Part::Computed(0)),
        };
        Meaning::new(name, form, [column].into_iter().chain(others.iter().cloned()).collect())
    };
    entry.each_column(&kind.common(), Needs::Order).into_iter().map(meaning).collect()
}

pub(super) fn sequential(entry: &mut Entry<'_, '_>, kind: &Sequential) -> Vec<Meaning> {
    let others = entry.list(&kind.partition_by, "partition_by", Needs::Partition);
    // Downwards, the one before is the next greater one.
    let (nearest, direction) = if kind.step < 0 { ("MIN(", " DESC") } else { ("MAX(", "") };
    let meaning = |column: NamedColumn| {
        let name = column.name.clone();
        let before = Fragment::new(nearest)
            .part(Part::Filtered(name.clone()))
            .sql(") OVER (")
            .and_then(partition(&kind.partition_by))
            .sql("ORDER BY ")
            .column(&name)
            .sql(direction)
            .sql(" ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)");
        let form = Form::Rows {
            present: vec![Fragment::of_column(&name), Fragment::default().part(Part::Computed(0))],
            computed: vec![before],
            holds: Fragment::of_column(&name)
                .sql(" - ")
                .part(Part::Computed(0))
                .sql(&format!(" = {}", kind.step)),
        };
        Meaning::new(name, form, [column].into_iter().chain(others.iter().cloned()).collect())
    };
    entry.each_column(&kind.common(), Needs::Integer).into_iter().map(meaning).collect()
}

pub(super) fn not_empty_string(entry: &mut Entry<'_, '_>, kind: &NotEmptyString) -> Vec<Meaning> {
    let meaning = |column: NamedColumn| {
        let text = Fragment::of_column(&column.name);
        let text = if kind.trim { Fragment::new("TRIM(").and_then(text).sql(")") } else { text };
        Meaning::of_rows(column, text.sql(" <> ''"))
    };
    entry.each_column(&kind.common(), Needs::Text).into_iter().map(meaning).collect()
}

pub(super) fn z_score(entry: &mut Entry<'_, '_>, kind: &ZScore) -> Vec<Meaning> {
    let meaning = |column: NamedColumn| {
        let name = column.name.clone();
        let value = || Fragment::new("CAST(").part(Part::Filtered(name.clone())).sql(" AS FLOAT64)");
        let score = Fragment::new("SAFE_DIVIDE(")
            .and_then(value())
            .sql(" - AVG(")
            .and_then(value())
            .sql(") OVER (), STDDEV_SAMP(")
            .and_then(value())
            .sql(") OVER ())");
        let score_of = Fragment::default().part(Part::Computed(0));
        let threshold = format!(" <= {}", kind.threshold);
        let holds = if kind.above_only {
            score_of.sql(&threshold)
        } else {
            Fragment::new("ABS(").and_then(score_of).sql(")").sql(&threshold)
        };
        let form = Form::Rows { present: vec![Fragment::of_column(&name)], computed: vec![score], holds };
        Meaning::new(name, form, vec![column])
    };
    entry.each_column(&kind.common(), Needs::Number).into_iter().map(meaning).collect()
}
