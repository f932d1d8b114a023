//! Temporary functions of scripts: a call stands for the body, with the arguments in their places.

use std::ops::ControlFlow;

use sqlparser::ast::{
    CastKind, CreateFunction, CreateFunctionBody, DataType, Expr, Function, FunctionReturnType, Ident,
    Spanned, VisitMut, visit_expressions, visit_expressions_mut,
};
use sqlparser::tokenizer::Span;

use super::dialect::substitute;
use super::fault::SqlFault;
use crate::diag::Code;

/// How many expressions the calls of temporary functions may become in one statement.
const MAX_UNFOLDED: usize = 100_000;

/// A function that lasts as long as its script.
#[derive(Debug, Clone, PartialEq)]
pub struct TempFunction {
    name: String,
    arguments: Vec<(Ident, Option<DataType>)>,
    result: Option<DataType>,
    body: Expr,
}

pub(super) fn temp_function(function: &CreateFunction, span: Span) -> Result<TempFunction, SqlFault> {
    let refuse = |what: &str| {
        SqlFault::new(
            Code::SqlNotTranslated,
            span,
            format!("{what} has no translation for the embedded engine"),
        )
    };
    if let Some(language) =
        function.language.as_ref().filter(|language| !language.value.eq_ignore_ascii_case("SQL"))
    {
        return Err(refuse(&format!("a function in {}", language.value))
            .help("write its body in SQL: CREATE TEMP FUNCTION f(x INT64) AS (x + 1)"));
    }
    if !function.temporary {
        return Err(refuse("a function that outlives its script").help("write CREATE TEMP FUNCTION"));
    }
    let body = match &function.function_body {
        Some(CreateFunctionBody::AsBeforeOptions { body, .. } | CreateFunctionBody::AsAfterOptions(body)) => {
            body.clone()
        }
        _ => return Err(refuse("a function without a body in SQL")),
    };
    if !matches!(body, Expr::Nested(_) | Expr::Subquery(_)) {
        return Err(SqlFault::new(
            Code::SqlSyntax,
            body.span(),
            "syntax error: a body in SQL stands in parentheses",
        ));
    }
    let Some(name) = function.name.0.last().and_then(|part| part.as_ident()) else {
        return Err(refuse("this name of a function"));
    };
    let mut arguments = Vec::new();
    for argument in function.args.iter().flatten() {
        let Some(name) = &argument.name else { return Err(refuse("an argument without a name")) };
        let data_type = match &argument.data_type {
            DataType::AnyType => None,
            other => Some(other.clone()),
        };
        arguments.push((name.clone(), data_type));
    }
    let result = match &function.return_type {
        None => None,
        Some(FunctionReturnType::DataType(data_type)) => Some(data_type.clone()),
        Some(FunctionReturnType::SetOf(_)) => return Err(refuse("a function of a set")),
    };
    Ok(TempFunction { name: name.value.to_ascii_uppercase(), arguments, result, body })
}

impl TempFunction {
    /// Puts the body in the place of each call; calls inside of the body are taken from the functions before.
    ///
    /// # Errors
    /// A call with another number of arguments, or calls inside of calls that unfold to too much.
    pub fn inline(functions: &[Self], node: &mut impl VisitMut) -> Result<(), SqlFault> {
        Self::unfold(functions, node, &mut 0)
    }

    fn unfold(functions: &[Self], node: &mut impl VisitMut, unfolded: &mut usize) -> Result<(), SqlFault> {
        let result = visit_expressions_mut(node, |part| {
            let Expr::Function(call) = part else { return ControlFlow::Continue(()) };
            let [sqlparser::ast::ObjectNamePart::Identifier(name)] = call.name.0.as_slice() else {
                return ControlFlow::Continue(());
            };
            let found =
                functions.iter().rposition(|function| function.name.eq_ignore_ascii_case(&name.value));
            let Some(index) = found else { return ControlFlow::Continue(()) };
            match functions[index].applied(call) {
                Ok(mut body) => {
                    // A body knows the functions that were there when it was written.
                    if let Err(fault) = Self::unfold(&functions[..index], &mut body, unfolded) {
                        return ControlFlow::Break(fault);
                    }
                    let _ = visit_expressions(&body, |_| {
                        *unfolded += 1;
                        ControlFlow::<()>::Continue(())
                    });
                    if *unfolded > MAX_UNFOLDED {
                        let message = format!(
                            "calls of {name} inside of each other unfold to more than {MAX_UNFOLDED} expressions"
                        );
                        return ControlFlow::Break(SqlFault::new(Code::SqlInvalid, name.span, message));
                    }
                    *part = body;
                    ControlFlow::Continue(())
                }
                Err(fault) => ControlFlow::Break(fault),
            }
        });
        match result {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(fault) => Err(fault),
        }
    }

    fn applied(&self, call: &Function) -> Result<Expr, SqlFault> {
        let span = call.name.span();
        let given =
            super::duckdb::positional_arguments(call).filter(|given| given.len() == self.arguments.len());
        let Some(given) = given else {
            let message = format!("{} takes {} arguments", self.name, self.arguments.len());
            return Err(SqlFault::new(Code::SqlInvalid, span, message));
        };
        let values: Vec<Expr> = self
            .arguments
            .iter()
            .zip(given)
            .map(|((_, data_type), value)| cast(value.clone(), data_type.as_ref()))
            .collect();
        let mut body = self.body.clone();
        substitute(&mut body, &|name: &Ident| {
            self.arguments
                .iter()
                .position(|(argument, _)| argument.value.eq_ignore_ascii_case(&name.value))
                .and_then(|index| values.get(index))
        });
        Ok(cast(body, self.result.as_ref()))
    }
}

fn cast(value: Expr, data_type: Option<&DataType>) -> Expr {
    match data_type {
        None => Expr::Nested(Box::new(value)),
        Some(data_type) => Expr::Cast {
            kind: CastKind::Cast,
            expr: Box::new(value),
            data_type: data_type.clone(),
            format: None,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::googlesql::script::{Command, read};

    #[test]
    fn calls_inside_of_calls_unfold_so_far() {
        let script = |depth| {
            format!(
                "CREATE TEMP FUNCTION d(x INT64) AS (x + x); SELECT {}1{}",
                "d(".repeat(depth),
                ")".repeat(depth)
            )
        };
        let unfolded = |depth| {
            let commands = read(&script(depth)).expect("a script");
            let [Command::Function(function), Command::Statement(statement)] = commands.as_slice() else {
                panic!("{commands:?}")
            };
            TempFunction::inline(std::slice::from_ref(function.as_ref()), &mut statement.as_ref().clone())
        };
        assert_eq!(unfolded(10), Ok(()));
        assert!(unfolded(40).is_err_and(|fault| fault.message.contains("unfold")));
    }
}
