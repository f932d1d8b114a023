//! Functions of scripts, temporary ones and those of a dataset: a call stands for the body, with the arguments in their
//! places.

use std::ops::ControlFlow;

use sqlparser::ast::{
    CastKind, CreateFunction, CreateFunctionBody, DataType, Expr, Function, FunctionReturnType, Ident,
    ObjectName, Spanned, VisitMut, visit_expressions, visit_expressions_mut,
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
    /// In upper case; that of a dataset's function has both parts.
    name: String,
    /// Where the name of a function stands that outlives its script, as one that is not temporary does.
    pub lasting: Option<Span>,
    /// Whether it takes the place of one with its name.
    pub replaces: bool,
    /// Whether one with its name stays.
    pub if_not_exists: bool,
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
    let Some(name) = key(&function.name) else {
        return Err(refuse("this name of a function"));
    };
    if !function.temporary && !name.contains('.') {
        let message = "a function that is not temporary needs a dataset";
        return Err(SqlFault::new(Code::SqlInvalid, function.name.span(), message)
            .help("write dataset.name, or CREATE TEMP FUNCTION"));
    }
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
    Ok(TempFunction {
        name,
        lasting: (!function.temporary).then(|| function.name.span()),
        replaces: function.or_replace,
        if_not_exists: function.if_not_exists,
        arguments,
        result,
        body,
    })
}

/// The name of a function without its project, in upper case.
pub fn key(name: &ObjectName) -> Option<String> {
    let mut parts = Vec::new();
    for part in &name.0 {
        parts.extend(part.as_ident()?.value.split('.').map(str::to_ascii_uppercase));
    }
    let project = parts.len().saturating_sub(2);
    Some(parts.split_off(project).join("."))
}

impl TempFunction {
    /// Its name in upper case: `F`, or `DATASET.F`.
    pub fn name(&self) -> &str {
        &self.name
    }

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
            let Some(name) = key(&call.name) else { return ControlFlow::Continue(()) };
            let found = functions.iter().rposition(|function| function.name == name);
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
                        return ControlFlow::Break(SqlFault::new(
                            Code::SqlInvalid,
                            call.name.span(),
                            message,
                        ));
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
