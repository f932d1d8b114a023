//! Elements and fields: `array[OFFSET(0)]`, `struct.field`, `json['key']`.

use sqlparser::ast::{
    AccessExpr, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, Ident, Subscript,
};

use super::analyzer::{Analyzer, Context};
use super::coerce::conversion;
use super::expression::{join, span_of};
use super::scope::print_of;
use super::value::Value;
use crate::diag::Code;
use crate::googlesql::{SqlFault, Type};

/// The name of a field at the end of a chain, which is the name of the column it makes.
pub(super) fn last_field(chain: &[AccessExpr]) -> Option<String> {
    match chain.last() {
        Some(AccessExpr::Dot(Expr::Identifier(name))) => Some(name.value.clone()),
        Some(AccessExpr::Dot(Expr::CompoundIdentifier(parts))) => parts.last().map(|part| part.value.clone()),
        _ => None,
    }
}

impl<'q> Analyzer<'q, '_> {
    /// A chain of fields and elements behind a value.
    pub(super) fn access(
        &mut self,
        root: &'q Expr,
        chain: &'q [AccessExpr],
        context: &Context<'_, 'q>,
    ) -> Value<'q> {
        // `t.items[0]`: leading fields belong to the path, since `t` may be a table.
        if let Expr::Identifier(first) = root {
            let fields = chain.iter().map_while(|step| match step {
                AccessExpr::Dot(Expr::Identifier(name)) => Some(name),
                _ => None,
            });
            let names: Vec<&'q Ident> = std::iter::once(first).chain(fields).collect();
            let value = self.path(&names, context);
            let rest = chain.get(names.len() - 1..).unwrap_or_default();
            return self.follow(value, rest, root, context);
        }
        let value = self.expression(root, context);
        self.follow(value, chain, root, context)
    }

    /// Follows the steps of a chain from a value on.
    pub(super) fn follow(
        &mut self,
        mut value: Value<'q>,
        chain: &'q [AccessExpr],
        root: &'q Expr,
        context: &Context<'_, 'q>,
    ) -> Value<'q> {
        for step in chain {
            value = match step {
                AccessExpr::Dot(Expr::Identifier(name)) => self.field(value, name),
                AccessExpr::Dot(Expr::CompoundIdentifier(names)) => {
                    names.iter().fold(value, |value, name| self.field(value, name))
                }
                AccessExpr::Dot(other) => {
                    self.unknown(span_of(other), "this form of field access is not checked")
                }
                AccessExpr::Subscript(Subscript::Index { index }) => {
                    self.element(&value, index, root, context)
                }
                AccessExpr::Subscript(Subscript::Slice { .. }) => {
                    let fault =
                        SqlFault::new(Code::SqlInvalid, span_of(root), "GoogleSQL has no slices `[from:to]`");
                    self.fault(fault.help("write ARRAY_SLICE(array, from, to)"));
                    Value::unknown()
                }
            };
        }
        value
    }

    /// One element of an array, or one entry of a JSON value.
    fn element(
        &mut self,
        value: &Value<'q>,
        index: &'q Expr,
        root: &'q Expr,
        context: &Context<'_, 'q>,
    ) -> Value<'q> {
        let (index, keyword) = match index {
            Expr::Function(call) => position_keyword(call).unwrap_or((index, "")),
            other => (other, ""),
        };
        let position = self.expression(index, context);
        let mut sources = value.sources.clone();
        sources.add(&position.sources);
        let print = join(join(value.print, position.print), print_of(keyword) | 1);
        let is_whole = conversion(&position, &Type::Int64).is_some();
        let data_type = match &value.data_type {
            _ if value.is_unknown() => Type::Unknown,
            Type::Json => {
                if !is_whole && conversion(&position, &Type::String).is_none() {
                    let message =
                        format!("JSON is indexed with INT64 or STRING, and this is {}", position.shown());
                    self.wrong(Code::SqlTypeMismatch, span_of(index), message);
                }
                Type::Json
            }
            Type::Array(element) => {
                if !is_whole {
                    let message = format!("arrays are indexed with INT64, and this is {}", position.shown());
                    self.wrong(Code::SqlTypeMismatch, span_of(index), message);
                }
                (**element).clone()
            }
            other => {
                let fault = SqlFault::new(
                    Code::SqlTypeMismatch,
                    span_of(root),
                    format!("a value of type {other} has no elements"),
                );
                let help = (*other == Type::String)
                    .then(|| "SUBSTR(text, position, 1) takes one character".to_owned());
                self.fault(fault.maybe_help(help));
                Type::Unknown
            }
        };
        Value { form: value.form_of_part(), ..Value::computed(data_type, sources, print) }
    }
}

/// The index within `OFFSET(…)`, `ORDINAL(…)` and their SAFE_ forms.
fn position_keyword(call: &Function) -> Option<(&Expr, &'static str)> {
    let name = call.name.to_string().to_uppercase();
    let keyword =
        ["OFFSET", "ORDINAL", "SAFE_OFFSET", "SAFE_ORDINAL"].into_iter().find(|keyword| *keyword == name)?;
    let FunctionArguments::List(list) = &call.args else { return None };
    match list.args.as_slice() {
        [FunctionArg::Unnamed(FunctionArgExpr::Expr(index))] => Some((index, keyword)),
        _ => None,
    }
}
