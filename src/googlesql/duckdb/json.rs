//! JSON: paths, and functions whose translation follows a path or a list of pairs.
//!
//! Source: <https://cloud.google.com/bigquery/docs/reference/standard-sql/json_functions>

use sqlparser::ast::{Array, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArgOperator};
use sqlparser::ast::{FunctionArguments, Spanned};
use sqlparser::tokenizer::Span;

use super::literal::{quote, string_literal};
use super::names::Ident;
use super::operator::Argument;
use super::value_text::TextOf;
use super::{RUNTIME_SCHEMA, Translator};
use crate::diag::Code;

/// One step of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Key(String),
    Index(u32),
}

/// The steps of a JSON path; `legacy` paths are those of `JSON_EXTRACT`, with keys as `['a b']` instead of `."a b"`.
fn steps(path: &str, legacy: bool) -> Option<Vec<Step>> {
    let mut rest = path.strip_prefix('$')?;
    let mut steps = Vec::new();
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix('.') {
            if let Some(quoted) = after.strip_prefix('"') {
                let (key, tail) = quoted.split_once('"')?;
                steps.push(Step::Key(key.to_owned()));
                rest = tail;
            } else {
                let end = after.find(['.', '[']).unwrap_or(after.len());
                let (key, tail) = after.split_at(end);
                if key.is_empty() || key.contains(['"', '\'', ']', '*', ' ']) {
                    return None;
                }
                steps.push(Step::Key(key.to_owned()));
                rest = tail;
            }
        } else {
            let (inside, tail) = rest.strip_prefix('[')?.split_once(']')?;
            if let Some(key) =
                inside.strip_prefix('\'').and_then(|key| key.strip_suffix('\'')).filter(|_| legacy)
            {
                steps.push(Step::Key(key.to_owned()));
            } else if inside.bytes().all(|byte| byte.is_ascii_digit()) {
                steps.push(Step::Index(inside.parse().ok()?));
            } else {
                return None;
            }
            rest = tail;
        }
    }
    Some(steps)
}

/// The path as DuckDB reads it; none if it has no way to write a key.
fn native(steps: &[Step]) -> Option<String> {
    let mut path = String::from("$");
    for step in steps {
        match step {
            Step::Key(key) if key.contains('"') || key == "*" => return None,
            Step::Key(key) => path.push_str(&format!(".\"{key}\"")),
            Step::Index(index) => path.push_str(&format!("[{index}]")),
        }
    }
    Some(path)
}

/// Arguments in order, and `name => value`.
pub(super) type Named<'a> = (Vec<&'a Expr>, Vec<(String, &'a Expr)>);

/// The arguments of a call, with those that are named.
pub(super) fn named(function: &Function) -> Option<Named<'_>> {
    let FunctionArguments::List(list) = &function.args else {
        return matches!(function.args, FunctionArguments::None).then(|| (Vec::new(), Vec::new()));
    };
    if list.duplicate_treatment.is_some() || !list.clauses.is_empty() {
        return None;
    }
    let (mut positional, mut options) = (Vec::new(), Vec::new());
    for argument in &list.args {
        match argument {
            FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) if options.is_empty() => positional.push(expr),
            FunctionArg::Named {
                name,
                arg: FunctionArgExpr::Expr(expr),
                operator: FunctionArgOperator::RightArrow,
            } => {
                options.push((name.value.to_ascii_lowercase(), expr));
            }
            _ => return None,
        }
    }
    Some((positional, options))
}

impl Translator<'_> {
    /// Functions of JSON; none if the name is that of another function.
    pub(super) fn json(&mut self, name: &str, function: &Function, span: Span) -> Option<String> {
        let known = matches!(
            name,
            "JSON_ARRAY"
                | "JSON_ARRAY_APPEND"
                | "JSON_ARRAY_INSERT"
                | "JSON_EXTRACT"
                | "JSON_EXTRACT_ARRAY"
                | "JSON_EXTRACT_SCALAR"
                | "JSON_EXTRACT_STRING_ARRAY"
                | "JSON_KEYS"
                | "JSON_OBJECT"
                | "JSON_QUERY"
                | "JSON_QUERY_ARRAY"
                | "JSON_REMOVE"
                | "JSON_SET"
                | "JSON_STRIP_NULLS"
                | "JSON_VALUE"
                | "JSON_VALUE_ARRAY"
                | "TO_JSON"
                | "TO_JSON_STRING"
        );
        if !known {
            return None;
        }
        let Some((arguments, options)) = named(function) else {
            return Some(self.refuse(span, format!("this form of {name}")));
        };
        let mut flags = Vec::new();
        for (option, value) in options {
            match value {
                Expr::Value(value) if matches!(value.value, sqlparser::ast::Value::Boolean(_)) => {
                    flags.push((option, value.value == sqlparser::ast::Value::Boolean(true)));
                }
                other => {
                    return Some(self.refuse(other.span(), format!("{option} of {name} that is no literal")));
                }
            }
        }
        let known: &[&str] = match name {
            "JSON_SET" => &["create_if_missing"],
            "JSON_STRIP_NULLS" => &["include_arrays", "remove_empty"],
            "JSON_ARRAY_APPEND" => &["append_each_element"],
            "JSON_ARRAY_INSERT" => &["insert_each_element"],
            "TO_JSON" => &["stringify_wide_numbers"],
            _ => &[],
        };
        if let Some((option, _)) = flags.iter().find(|(option, _)| !known.contains(&option.as_str())) {
            return Some(self.refuse(span, format!("{option} of {name}")));
        }
        let flag = |option: &str, unset: bool| {
            flags.iter().find(|(name, _)| name == option).map_or(unset, |(_, value)| *value)
        };
        Some(match (name, arguments.as_slice()) {
            ("JSON_QUERY" | "JSON_VALUE" | "JSON_QUERY_ARRAY" | "JSON_VALUE_ARRAY", [value, path @ ..]) => {
                self.json_part(&name.to_ascii_lowercase(), value, path, false)
            }
            ("JSON_EXTRACT", [value, path @ ..]) => self.json_part("json_query", value, path, true),
            ("JSON_EXTRACT_SCALAR", [value, path @ ..]) => self.json_part("json_value", value, path, true),
            ("JSON_EXTRACT_ARRAY", [value, path @ ..]) => {
                self.json_part("json_query_array", value, path, true)
            }
            ("JSON_EXTRACT_STRING_ARRAY", [value, path @ ..]) => {
                self.json_part("json_value_array", value, path, true)
            }
            ("TO_JSON", [value]) if !flag("stringify_wide_numbers", false) => self.json_of(value),
            ("TO_JSON_STRING", [value]) => self.json_string(value),
            ("TO_JSON_STRING", [value, pretty]) if boolean(pretty) == Some(false) => self.json_string(value),
            ("TO_JSON_STRING", [value, pretty]) if boolean(pretty) == Some(true) => {
                format!("{RUNTIME_SCHEMA}.json_pretty({})", self.json_string(value))
            }
            ("JSON_ARRAY", values) => {
                let items: Vec<String> = values.iter().map(|value| self.json_of(value)).collect();
                format!("{RUNTIME_SCHEMA}.json_list(CAST([{}] AS JSON[]))", items.join(", "))
            }
            ("JSON_OBJECT", [keys, items])
                if matches!(keys, Expr::Array(_))
                    || matches!(items, Expr::Array(_)) && string_literal(keys).is_none() =>
            {
                self.over("json_of_arrays", &[keys, items])
            }
            ("JSON_OBJECT", pairs) if pairs.len() % 2 == 0 => self.json_object(pairs),
            ("JSON_KEYS", [value]) => {
                let value = self.expr(value);
                format!("{RUNTIME_SCHEMA}.json_keys({value}, TRUE)")
            }
            ("JSON_KEYS", [value, depth]) if super::literal::int_literal(depth) == Some(1) => {
                let value = self.expr(value);
                format!("{RUNTIME_SCHEMA}.json_keys({value}, FALSE)")
            }
            ("JSON_STRIP_NULLS", [value, path @ ..]) if path.len() <= 1 => {
                let (arrays, empty) = (flag("include_arrays", true), flag("remove_empty", false));
                if !arrays && empty {
                    return Some(
                        self.refuse(span, "JSON_STRIP_NULLS that removes what is empty but not in arrays"),
                    );
                }
                let strip = |part: &str| {
                    if arrays {
                        format!("{RUNTIME_SCHEMA}.json_strip({part}, {empty})")
                    } else {
                        format!("json_strip_nulls({part})")
                    }
                };
                let value = self.expr(value);
                match path.first() {
                    None => format!("{RUNTIME_SCHEMA}.json_sorted({})", strip(&value)),
                    Some(path) => match self.json_path(path) {
                        Some((_, path)) => self.changed(&value, |json| {
                            let part = format!("json_extract({json}, {})", quote(&path));
                            format!(
                                "CASE WHEN {part} IS NULL THEN {json} ELSE json_set({json}, {}, {}) END",
                                quote(&path),
                                strip(&part)
                            )
                        }),
                        None => "NULL".to_owned(),
                    },
                }
            }
            ("JSON_REMOVE", [value, paths @ ..]) if !paths.is_empty() => {
                let mut sql = self.expr(value);
                for path in paths {
                    match self.json_path(path) {
                        Some((steps, _)) if steps.is_empty() => {
                            self.invalid(
                                Code::SqlInvalid,
                                path.span(),
                                "JSON_REMOVE cannot remove the whole, `$`",
                            );
                        }
                        Some((_, path)) => sql = format!("json_remove({sql}, {})", quote(&path)),
                        None => {}
                    }
                }
                format!("{RUNTIME_SCHEMA}.json_sorted({sql})")
            }
            ("JSON_SET" | "JSON_ARRAY_APPEND" | "JSON_ARRAY_INSERT", [value, pairs @ ..])
                if !pairs.is_empty() && pairs.len() % 2 == 0 =>
            {
                let each = flag("append_each_element", true) && flag("insert_each_element", true);
                let create = flag("create_if_missing", true);
                let mut sql = self.expr(value);
                for pair in pairs.chunks(2) {
                    let [path, value] = pair else { continue };
                    let Some((steps, path)) = self.json_path(path) else { continue };
                    sql = match name {
                        "JSON_SET" => {
                            let value = self.json_of(value);
                            if create {
                                self.changed(&sql, |json| set(json, &steps, &value, 0))
                            } else {
                                format!("json_replace({sql}, {}, {value})", quote(&path))
                            }
                        }
                        _ => {
                            let value = self.argument(value);
                            let values =
                                self.call("json_inserted", &[value, Argument::constant(each.to_string())]);
                            self.changed(&sql, |json| insert(name, json, &steps, &values))
                        }
                    };
                }
                format!("{RUNTIME_SCHEMA}.json_sorted({sql})")
            }
            _ => self.refuse(span, format!("this form of {name}")),
        })
    }

    /// A part of JSON, or of text that holds JSON.
    fn json_part(&mut self, name: &str, value: &Expr, path: &[&Expr], legacy: bool) -> String {
        let path = match path {
            [] => quote("$"),
            [path] => match string_literal(path) {
                Some(text) => match steps(text, legacy).map(|steps| native(&steps)) {
                    Some(Some(path)) => quote(&path),
                    Some(None) => return self.refuse(path.span(), "a JSON path with this key"),
                    None => {
                        return self.invalid(
                            Code::SqlInvalid,
                            path.span(),
                            format!("`{text}` is not a JSON path"),
                        );
                    }
                },
                None if matches!(path, Expr::Value(_) | Expr::Identifier(_)) && is_parameter(path) => {
                    self.expr(path)
                }
                None => return self.refuse(path.span(), "a JSON path that is no literal"),
            },
            [_, more, ..] => return self.refuse(more.span(), "a third argument of a JSON function"),
        };
        let value = self.argument(value);
        self.call(name, &[value, Argument::constant(path)])
    }

    /// The path that a literal holds, in steps and as DuckDB reads it.
    fn json_path(&mut self, path: &Expr) -> Option<(Vec<Step>, String)> {
        let Some(text) = string_literal(path) else {
            self.refuse(path.span(), "a JSON path that is no literal");
            return None;
        };
        let Some(steps) = steps(text, false) else {
            self.invalid(Code::SqlInvalid, path.span(), format!("`{text}` is not a JSON path"));
            return None;
        };
        match native(&steps) {
            Some(native) => Some((steps, native)),
            None => {
                self.refuse(path.span(), "a JSON path with this key");
                None
            }
        }
    }

    /// A change of a JSON value that is bound first; SQL's NULL stays.
    #[expect(clippy::unused_self, reason = "read as part of the translation")]
    fn changed(&mut self, json: &str, change: impl FnOnce(&str) -> String) -> String {
        let name = "\"json$0\"";
        format!(
            "list_transform([{json}], lambda {name}: CASE WHEN {name} IS NOT NULL THEN {} END)[1]",
            change(name)
        )
    }

    /// A value as JSON.
    fn json_of(&mut self, value: &Expr) -> String {
        match self.value_text(TextOf::Json, value).or_else(|| self.json_text("to_json", value)) {
            Some(text) => format!("{RUNTIME_SCHEMA}.json_sorted(CAST({text} AS JSON))"),
            None => self.over("to_json", &[value]),
        }
    }

    fn json_string(&mut self, value: &Expr) -> String {
        self.value_text(TextOf::JsonString, value)
            .or_else(|| self.json_text("to_json_string", value))
            .unwrap_or_else(|| self.over("to_json_string", &[value]))
    }

    /// The text of a struct or array of structs that is written in place, member by member; none for other values.
    fn json_text(&mut self, name: &str, value: &Expr) -> Option<String> {
        match value {
            Expr::Nested(inner) => self.json_text(name, inner),
            Expr::Struct { values, fields } if fields.is_empty() => {
                let mut members = Vec::new();
                for value in values {
                    let (key, value) = match value {
                        Expr::Named { expr, name } => (name.value.clone(), expr.as_ref()),
                        other => (super::expression::implied_name(other).unwrap_or_default(), other),
                    };
                    let key = serde_json::Value::String(key).to_string();
                    members.push(format!(
                        "{} || {}",
                        quote(&format!("{key}:")),
                        self.json_member(name, value)
                    ));
                }
                Some(format!("('{{' || {} || '}}')", members.join(" || ',' || ")))
            }
            Expr::Array(Array { elem, .. })
                if elem.first().is_some_and(
                    |first| matches!(first, Expr::Struct { fields, .. } if fields.is_empty()),
                ) =>
            {
                // The first struct names the fields of all.
                let names: Vec<Option<String>> = match elem.first() {
                    Some(Expr::Struct { values, .. }) => values
                        .iter()
                        .map(|value| match value {
                            Expr::Named { name, .. } => Some(name.value.clone()),
                            other => super::expression::implied_name(other),
                        })
                        .collect(),
                    _ => Vec::new(),
                };
                let alike = elem.iter().all(|item| match item {
                    Expr::Struct { values, fields } => {
                        fields.is_empty()
                            && values.len() == names.len()
                            && values.iter().zip(&names).all(|(value, first)| match value {
                                Expr::Named { name, .. } => Some(&name.value) == first.as_ref(),
                                other => super::expression::implied_name(other) == *first,
                            })
                    }
                    _ => false,
                });
                if !alike {
                    return None;
                }
                let items: Vec<String> = elem.iter().map(|item| self.json_member(name, item)).collect();
                Some(format!("('[' || {} || ']')", items.join(" || ',' || ")))
            }
            _ => None,
        }
    }

    fn json_member(&mut self, name: &str, value: &Expr) -> String {
        self.json_text(name, value)
            .unwrap_or_else(|| format!("CAST({} AS VARCHAR)", self.over(name, &[value])))
    }

    fn json_object(&mut self, pairs: &[&Expr]) -> String {
        let mut keys: Vec<String> = Vec::new();
        let mut members = Vec::new();
        for pair in pairs.chunks(2) {
            let [key, value] = pair else { continue };
            let key = self.expr(key);
            let value = self.json_of(value);
            // Of members with one key the first stays.
            if !keys.contains(&key) {
                members.push(format!("{key}, {value}"));
                keys.push(key);
            }
        }
        format!("{RUNTIME_SCHEMA}.json_sorted(json_object({}))", members.join(", "))
    }

    /// `value['key']`, which only JSON has.
    pub(super) fn json_key(&mut self, value: &str, key: &str, span: Span) -> String {
        match native(&[Step::Key(key.to_owned())]) {
            Some(path) => format!("json_extract({value}, {})", quote(&path)),
            None => self.refuse(span, "a JSON subscript with this key"),
        }
    }
}

fn boolean(expr: &Expr) -> Option<bool> {
    match expr {
        Expr::Value(value) => match value.value {
            sqlparser::ast::Value::Boolean(value) => Some(value),
            _ => None,
        },
        _ => None,
    }
}

fn is_parameter(expr: &Expr) -> bool {
    match expr {
        Expr::Identifier(name) => name.value.starts_with('@'),
        Expr::Value(value) => matches!(value.value, sqlparser::ast::Value::Placeholder(_)),
        _ => false,
    }
}

/// `json` with `value` at the end of the steps: what is missing on the way is made, what is of another kind stays.
fn set(json: &str, steps: &[Step], value: &str, depth: usize) -> String {
    let Some((step, rest)) = steps.split_first() else { return value.to_owned() };
    let missing = set("CAST(NULL AS JSON)", rest, value, depth + 1);
    let name = Ident::new(format!("json${}", depth + 1));
    let below = |part: String| {
        if rest.is_empty() {
            value.to_owned()
        } else {
            format!(
                "list_transform([{part}], lambda {name}: {})[1]",
                set(&name.to_string(), rest, value, depth + 1)
            )
        }
    };
    let is_missing = format!("{json} IS NULL OR json_type({json}) = 'NULL'");
    match step {
        Step::Key(key) => {
            let path = quote(&native(std::slice::from_ref(step)).unwrap_or_default());
            format!(
                "CASE WHEN {is_missing} THEN json_object({}, {missing}) \
                 WHEN json_type({json}) = 'OBJECT' THEN json_set({json}, {path}, {}) ELSE {json} END",
                quote(key),
                below(format!("json_extract({json}, {path})"))
            )
        }
        Step::Index(index) => format!(
            "CASE WHEN {is_missing} THEN {RUNTIME_SCHEMA}.json_put(CAST([] AS JSON[]), {index}, {missing}) \
             WHEN json_type({json}) = 'ARRAY' THEN {RUNTIME_SCHEMA}.json_put({RUNTIME_SCHEMA}.json_items({json}), {index}, {}) \
             ELSE {json} END",
            below(format!("json_extract({json}, '$[{index}]')"))
        ),
    }
}

/// `json` with more elements in the array that the steps lead to; nothing happens where there is none.
fn insert(name: &str, json: &str, steps: &[Step], values: &str) -> String {
    let (target, index) = match (name, steps) {
        ("JSON_ARRAY_APPEND", steps) => (steps, None),
        (_, [target @ .., Step::Index(index)]) => (target, Some(*index)),
        _ => return json.to_owned(),
    };
    let path = quote(&native(target).unwrap_or_default());
    let items = format!("{RUNTIME_SCHEMA}.json_items(json_extract({json}, {path}))");
    let put = |items: &str| match index {
        None => format!("{RUNTIME_SCHEMA}.json_append({items}, {values})"),
        Some(index) => format!("{RUNTIME_SCHEMA}.json_insert({items}, {index}, {values})"),
    };
    format!(
        "CASE json_type({json}, {path}) WHEN 'ARRAY' THEN json_set({json}, {path}, {}) \
         WHEN 'NULL' THEN json_set({json}, {path}, {}) ELSE {json} END",
        put(&items),
        put("CAST([] AS JSON[])")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_read_strictly() {
        let key = |text: &str| Step::Key(text.to_owned());
        assert_eq!(steps("$.a.b[2]", false), Some(vec![key("a"), key("b"), Step::Index(2)]));
        assert_eq!(steps("$.\"a b\"", false), Some(vec![key("a b")]));
        assert_eq!(steps("$['a b'][0]", true), Some(vec![key("a b"), Step::Index(0)]));
        for path in ["a", "$a", "$.", "$.*", "$[*]", "$[-1]", "$['a']", "$..a", "$.a[", "lax $.a"] {
            assert_eq!(steps(path, false), None, "{path}");
        }
    }
}
