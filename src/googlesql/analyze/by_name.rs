//! Set operations whose columns go together by name.

use super::analyzer::Analyzer;
use super::query::{Branch, Item, Output};
use super::scope::same_name;
use super::value::{Form, Value};
use crate::diag::Code;
use crate::googlesql::Type;
use crate::googlesql::by_name::{ByName, place};

impl<'q> Analyzer<'q, '_> {
    /// Gives both queries the columns of the result, in one order; NULL stands for those that a query lacks.
    pub(super) fn by_name(&mut self, by_name: &ByName<'q>, left: &mut Branch<'q>, right: &mut Branch<'q>) {
        if left.output.open || right.output.open {
            return;
        }
        let [own, other] = [&left.output, &right.output].map(names);
        match by_name.result(&own, &other) {
            Ok(columns) => {
                for output in [&mut left.output, &mut right.output] {
                    let items = std::mem::take(&mut output.items);
                    output.items = columns.iter().map(|name| item(&items, name)).collect();
                }
            }
            Err(message) => {
                self.wrong(Code::SqlSetOperation, place(by_name, right.span), message);
                right.output = left.output.clone();
            }
        }
    }
}

fn names<'o>(output: &'o Output<'_>) -> Vec<&'o str> {
    output.items.iter().map(|item| item.name.as_deref().unwrap_or_default()).collect()
}

fn item<'q>(items: &[Item<'q>], name: &str) -> Item<'q> {
    let found = items.iter().find(|item| item.name.as_ref().is_some_and(|own| same_name(own, name)));
    found.cloned().unwrap_or_else(|| Item {
        name: Some(name.into()),
        value: Value::literal(Type::Int64, Form::Null, 0),
        span: items.first().map_or_else(sqlparser::tokenizer::Span::empty, |item| item.span),
    })
}
