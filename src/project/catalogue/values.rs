//! Kinds about one value that is computed over a column.

use super::super::{Against, Form, Fragment, NamedColumn, Needs, Part};
use super::columns::{bounded, within};
use super::entry::{Entry, Meaning};
use crate::googlesql::Type;
use crate::manifest::types::expectation::{
    AtLeastOne, Bounds, Common, DistinctValues, MostCommon, NotConstant, Quantiles, SetMode,
};

/// A value of a column that must satisfy a condition.
struct Computed {
    /// What it is, in words.
    words: String,
    /// What is computed for each row beforehand.
    beforehand: Vec<Fragment>,
    value: Fragment,
    holds: Fragment,
    expected: String,
}

impl Entry<'_, '_> {
    /// A meaning for each column.
    fn each_value(
        &mut self,
        common: &Common<'_>,
        needs: Needs,
        computed: &dyn Fn(&str) -> Computed,
    ) -> Vec<Meaning> {
        // Quantiles are window functions: see `quantile`.
        let windows = ["median", "quantiles"].contains(&self.at.kind);
        let of_groups = if windows { Needs::Partition } else { Needs::Groups };
        let groups = self.list(common.shared.group_by, "group_by", of_groups);
        let group_by: Vec<String> = common.shared.group_by.to_vec();
        let meaning = |column: NamedColumn| {
            let Computed { words, beforehand, value, holds, expected } = computed(&column.name);
            let form = Form::Value {
                computed: beforehand,
                value,
                holds,
                what: words,
                expected,
                group_by: group_by.clone(),
            };
            let name = column.name.clone();
            Meaning::new(name, form, [column].into_iter().chain(groups.iter().cloned()).collect())
        };
        self.each_column(common, needs).into_iter().map(meaning).collect()
    }

    /// An aggregate of each column that lies within bounds.
    fn bounded_value(
        &mut self,
        common: &Common<'_>,
        bounds: Bounds<'_>,
        needs: Needs,
        words: &'static str,
        value: &dyn Fn(&str) -> (Fragment, Against),
    ) -> Vec<Meaning> {
        if !bounded(self, bounds) {
            return Vec::new();
        }
        self.each_value(common, needs, &|name| {
            let (value, against) = value(name);
            Computed {
                words: format!("{words} of {name}"),
                beforehand: Vec::new(),
                value,
                holds: within(&itself(), bounds, &against, ""),
                expected: told(bounds),
            }
        })
    }
}

fn itself() -> Fragment {
    Fragment::default().part(Part::Itself)
}

/// Bounds in words.
fn told(bounds: Bounds<'_>) -> String {
    let least =
        bounds.min.map(|min| format!("{} {min}", if bounds.strict_min { "more than" } else { "at least" }));
    let most =
        bounds.max.map(|max| format!("{} {max}", if bounds.strict_max { "less than" } else { "at most" }));
    [least, most].into_iter().flatten().collect::<Vec<_>>().join(" and ")
}

/// An aggregate of a column's values in the rows that are looked at.
fn aggregate(function: &str, name: &str) -> Fragment {
    Fragment::new(function).sql("(").part(Part::Filtered(name.to_owned())).sql(")")
}

pub(super) fn min(entry: &mut Entry<'_, '_>, common: &Common<'_>, bounds: Bounds<'_>) -> Vec<Meaning> {
    entry.bounded_value(common, bounds, Needs::Order, "the least value", &|name| {
        (aggregate("MIN", name), Against::Bound(name.to_owned()))
    })
}

pub(super) fn max(entry: &mut Entry<'_, '_>, common: &Common<'_>, bounds: Bounds<'_>) -> Vec<Meaning> {
    entry.bounded_value(common, bounds, Needs::Order, "the greatest value", &|name| {
        (aggregate("MAX", name), Against::Bound(name.to_owned()))
    })
}

pub(super) fn mean(entry: &mut Entry<'_, '_>, common: &Common<'_>, bounds: Bounds<'_>) -> Vec<Meaning> {
    entry.bounded_value(common, bounds, Needs::Number, "the mean", &|name| {
        (aggregate("AVG", name), Against::MeanOf(name.to_owned()))
    })
}

pub(super) fn sum(entry: &mut Entry<'_, '_>, common: &Common<'_>, bounds: Bounds<'_>) -> Vec<Meaning> {
    entry.bounded_value(common, bounds, Needs::Number, "the sum", &|name| {
        (aggregate("SUM", name), Against::SumOf(name.to_owned()))
    })
}

pub(super) fn stdev(entry: &mut Entry<'_, '_>, common: &Common<'_>, bounds: Bounds<'_>) -> Vec<Meaning> {
    entry.bounded_value(common, bounds, Needs::Number, "the standard deviation", &|name| {
        (aggregate("STDDEV_SAMP", name), Against::Type(Type::Float64))
    })
}

pub(super) fn distinct_count(
    entry: &mut Entry<'_, '_>,
    common: &Common<'_>,
    bounds: Bounds<'_>,
) -> Vec<Meaning> {
    entry.bounded_value(common, bounds, Needs::Groups, "the number of different values", &|name| {
        (different(name), Against::Type(Type::Int64))
    })
}

fn different(name: &str) -> Fragment {
    Fragment::new("COUNT(DISTINCT ").part(Part::Filtered(name.to_owned())).sql(")")
}

pub(super) fn unique_share(
    entry: &mut Entry<'_, '_>,
    common: &Common<'_>,
    bounds: Bounds<'_>,
) -> Vec<Meaning> {
    entry.bounded_value(common, bounds, Needs::Groups, "the share of different values", &|name| {
        let value = Fragment::new("SAFE_DIVIDE(")
            .and_then(different(name))
            .sql(", ")
            .and_then(aggregate("COUNT", name))
            .sql(")");
        (value, Against::Type(Type::Float64))
    })
}

pub(super) fn null_share(entry: &mut Entry<'_, '_>, common: &Common<'_>, bounds: Bounds<'_>) -> Vec<Meaning> {
    entry.bounded_value(common, bounds, Needs::Any, "the share of NULL", &|name| {
        let rows = || Fragment::default().part(Part::Looked);
        let value = Fragment::new("SAFE_DIVIDE(")
            .and_then(rows())
            .sql(" - ")
            .and_then(aggregate("COUNT", name))
            .sql(", ")
            .and_then(rows())
            .sql(")");
        (value, Against::Type(Type::Float64))
    })
}

/// BigQuery has exact quantiles as window functions alone: the same for each row of a group.
fn quantile(name: &str, at: f64, group_by: &[String]) -> Fragment {
    let over = Fragment::new(&format!(", {at}) OVER ("));
    let over = if group_by.is_empty() { over } else { over.sql("PARTITION BY ").columns(group_by) };
    Fragment::new("PERCENTILE_CONT(").part(Part::Filtered(name.to_owned())).and_then(over).sql(")")
}

fn any_computed() -> Fragment {
    Fragment::new("ANY_VALUE(").part(Part::Computed(0)).sql(")")
}

pub(super) fn median(entry: &mut Entry<'_, '_>, common: &Common<'_>, bounds: Bounds<'_>) -> Vec<Meaning> {
    if !bounded(entry, bounds) {
        return Vec::new();
    }
    entry.each_value(common, Needs::Number, &|name| Computed {
        words: format!("the median of {name}"),
        beforehand: vec![quantile(name, 0.5, common.shared.group_by)],
        value: any_computed(),
        holds: within(&itself(), bounds, &Against::MeanOf(name.to_owned()), ""),
        expected: told(bounds),
    })
}

pub(super) fn quantiles(entry: &mut Entry<'_, '_>, kind: &Quantiles) -> Vec<Meaning> {
    let common = kind.common();
    let mut all = Vec::new();
    for (index, wanted) in kind.quantiles.iter().enumerate() {
        let bounds = Bounds {
            min: wanted.min.as_ref(),
            max: wanted.max.as_ref(),
            strict_min: false,
            strict_max: false,
        };
        if !bounded(entry, bounds) {
            return Vec::new();
        }
        let of_each = entry.each_value(&common, Needs::Number, &|name| Computed {
            words: format!("the {} quantile of {name}", wanted.at),
            beforehand: vec![quantile(name, wanted.at, &kind.group_by)],
            value: any_computed(),
            holds: within(
                &itself(),
                bounds,
                &Against::MeanOf(name.to_owned()),
                &format!("quantiles/{index}/"),
            ),
            expected: told(bounds),
        });
        for mut meaning in of_each {
            meaning.what = format!("{}_{}", meaning.what, wanted.at.to_string().replace('.', "_"));
            all.push(meaning);
        }
    }
    all
}

pub(super) fn distinct_values(entry: &mut Entry<'_, '_>, kind: &DistinctValues) -> Vec<Meaning> {
    entry.each_value(&kind.common(), Needs::Groups, &|name| {
        let counted = |test: &str| {
            Fragment::new("COUNT(DISTINCT IF(")
                .column(name)
                .sql(test)
                .values(&kind.values, &Against::Column(name.to_owned()), "values")
                .sql("), ")
                .part(Part::Filtered(name.to_owned()))
                .sql(", NULL))")
        };
        let unlisted = || counted(" NOT IN (");
        // Different texts may be the same value, such as two ways to write a time: they are counted as values.
        let missing = || {
            Fragment::new("(SELECT COUNT(DISTINCT listed) FROM UNNEST([")
                .values(&kind.values, &Against::Column(name.to_owned()), "values")
                .sql("]) AS listed) - ")
                .and_then(counted(" IN ("))
        };
        let (words, value) = match kind.mode {
            SetMode::In => (format!("the number of values of {name} that are not listed"), unlisted()),
            SetMode::Contain => (format!("the number of listed values that {name} lacks"), missing()),
            SetMode::Equal => (
                format!("the number of values of {name} that are not listed, or listed and missing,"),
                unlisted().sql(" + ").and_then(missing()),
            ),
        };
        let expected = "0".to_owned();
        Computed { words, beforehand: Vec::new(), value, holds: itself().sql(" = 0"), expected }
    })
}

pub(super) fn not_constant(entry: &mut Entry<'_, '_>, kind: &NotConstant) -> Vec<Meaning> {
    entry.each_value(&kind.common(), Needs::Groups, &|name| Computed {
        words: format!("the number of different values of {name}"),
        beforehand: Vec::new(),
        value: different(name),
        holds: itself().sql(" > 1"),
        expected: "at least 2".to_owned(),
    })
}

pub(super) fn at_least_one(entry: &mut Entry<'_, '_>, kind: &AtLeastOne) -> Vec<Meaning> {
    entry.each_value(&kind.common(), Needs::Any, &|name| Computed {
        words: format!("the number of values of {name}"),
        beforehand: Vec::new(),
        value: aggregate("COUNT", name),
        holds: itself().sql(" > 0"),
        expected: "at least 1".to_owned(),
    })
}

pub(super) fn most_common(entry: &mut Entry<'_, '_>, kind: &MostCommon) -> Vec<Meaning> {
    if !kind.group_by.is_empty() {
        entry.wrong("group_by", "`most_common` has no groups", "take `group_by` out, or use `where`");
        return Vec::new();
    }
    let meaning = |column: NamedColumn| {
        let against = Against::Column(column.name.clone());
        let among =
            Fragment::of_column(&column.name).sql(" IN (").values(&kind.values, &against, "values").sql(")");
        let form = Form::MostCommon { column: column.name.clone(), among, ties_okay: kind.ties_okay };
        Meaning::new(column.name.clone(), form, vec![column])
    };
    entry.each_column(&kind.common(), Needs::Groups).into_iter().map(meaning).collect()
}
