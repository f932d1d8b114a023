//! Checks that share a scan: one query for all that aggregate over the rows, one for all that look at groups.

use std::fmt::Write;

use super::sql::{Counts, Groups, WITHIN, from};

/// One query for checks that aggregate over the table; `size` are aggregates that come first.
///
/// Gives columns `c0, f0, o0, c1, …` by the checks' place.
pub fn pass(table: &str, computed: &[(String, String)], size: Option<&str>, checks: &[&Counts]) -> String {
    let mut sql = String::from("SELECT ");
    sql.push_str(size.unwrap_or_default());
    for (index, counts) in checks.iter().enumerate() {
        let comma = if index == 0 && size.is_none() { "" } else { ", " };
        sql.push_str(comma);
        triple(&mut sql, index, counts);
    }
    let _ = write!(sql, " FROM {}", from(table, computed));
    sql
}

fn triple(sql: &mut String, index: usize, [checked, failing, observed]: &Counts) {
    // Writing to a string cannot fail.
    let _ = write!(sql, "{checked} AS c{index}, {failing} AS f{index}, {observed} AS o{index}");
}

/// One query for checks that look at groups of the table's rows. Several kinds of groups are made in one scan by
/// GROUPING SETS; each check then looks at its own.
pub fn groups(table: &str, checks: &[&Groups]) -> String {
    let mut sets: Vec<&[String]> = Vec::new();
    let mut keys: Vec<&str> = Vec::new();
    let mut computed: Vec<(String, String)> = Vec::new();
    for check in checks {
        if !sets.contains(&check.keys.as_slice()) {
            sets.push(&check.keys);
        }
        for key in &check.keys {
            if !keys.contains(&key.as_str()) {
                keys.push(key);
            }
        }
        computed.extend(check.computed.iter().cloned());
    }
    let several = sets.len() > 1;
    let mut inner: Vec<String> = keys.iter().map(|key| (*key).to_owned()).collect();
    if several {
        inner.extend(
            keys.iter().enumerate().map(|(index, key)| format!("GROUPING({key}) AS pipewright_g{index}")),
        );
    }
    // Where all look at the same rows, the others are left out beforehand.
    let shared = match checks {
        [only] => only.looked_at.as_deref(),
        _ => None,
    };
    for check in checks {
        let size = match &check.looked_at {
            Some(condition) if shared.is_none() => format!("COUNTIF({condition})"),
            _ => "COUNT(*)".to_owned(),
        };
        inner.push(format!("{size} AS {}", check.size));
        inner.extend(check.inner.iter().map(|(name, sql)| format!("{sql} AS {name}")));
    }
    let mut sql = String::from("SELECT ");
    for (index, check) in checks.iter().enumerate() {
        let within = if several {
            let each = keys.iter().enumerate().map(|(number, key)| {
                let away = u8::from(!check.keys.iter().any(|own| own == key));
                format!("pipewright_g{number} = {away}")
            });
            format!("({})", each.collect::<Vec<_>>().join(" AND "))
        } else {
            "TRUE".to_owned()
        };
        if index > 0 {
            sql.push_str(", ");
        }
        triple(&mut sql, index, &check.counts.clone().map(|count| count.replace(WITHIN, &within)));
    }
    let by = if several {
        let sets: Vec<String> = sets.iter().map(|set| format!("({})", set.join(", "))).collect();
        format!("GROUPING SETS ({})", sets.join(", "))
    } else {
        keys.join(", ")
    };
    let filter = shared.map(|condition| format!(" WHERE {condition}")).unwrap_or_default();
    let _ = write!(
        sql,
        " FROM (SELECT {} FROM {}{filter} GROUP BY {by})",
        inner.join(", "),
        from(table, &computed)
    );
    sql
}
