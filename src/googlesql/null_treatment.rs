//! IGNORE NULLS and RESPECT NULLS behind an argument that is a call itself: `LAST_VALUE(IF(…) IGNORE NULLS)`.
//!
//! The parser gives them to the inner call. In GoogleSQL they stand within the parentheses of the function that they are
//! for, never behind them.

use std::ops::ControlFlow;

use sqlparser::ast::{
    Expr, Function, FunctionArg, FunctionArgExpr, FunctionArgumentClause, FunctionArguments, NullTreatment,
    VisitMut, VisitorMut,
};
use sqlparser::tokenizer::{Token, TokenWithSpan};

/// Whether a text has any of them.
pub(super) fn occurs(tokens: &[TokenWithSpan]) -> bool {
    tokens.iter().any(|token| match &token.token {
        Token::Word(word) => {
            word.quote_style.is_none()
                && ["IGNORE", "RESPECT"].iter().any(|own| word.value.eq_ignore_ascii_case(own))
        }
        _ => false,
    })
}

/// Gives each to the function whose last argument it stands behind.
pub(super) fn mend(node: &mut impl VisitMut) {
    let _ = node.visit(&mut Mender);
}

struct Mender;

impl VisitorMut for Mender {
    type Break = ();

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        if let Expr::Function(function) = expr
            && let FunctionArguments::List(list) = &mut function.args
            && let Some(FunctionArg::Unnamed(FunctionArgExpr::Expr(last))) = list.args.last_mut()
            && let Some(treatment) = taken(last)
        {
            list.clauses.insert(0, FunctionArgumentClause::IgnoreOrRespectNulls(treatment));
        }
        ControlFlow::Continue(())
    }
}

/// What the call at the end of an expression was given.
fn taken(expr: &mut Expr) -> Option<NullTreatment> {
    match expr {
        Expr::Function(Function { null_treatment, over: None, .. }) => null_treatment.take(),
        Expr::BinaryOp { right, .. } => taken(right),
        Expr::UnaryOp { expr, .. } => taken(expr),
        _ => None,
    }
}
