//! The command line: words to settings, settings to stages, outcome to exit code. No logic of its own.

mod apply;
pub mod args;
mod check;
mod checkpoint;
mod chosen;
mod clean;
mod compile;
mod confirm;
mod cost;
mod evaluate;
mod init;
mod ls;
mod places;
mod plan;
mod propose;
mod query;
mod results;
mod runs;
mod schema;
mod site;
mod stop;
mod test;
mod unheld;
mod workspace;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{CommandFactory, Parser};

use crate::diag::{Area, Code, Diagnostic, Diagnostics, Severity};
use crate::view::Printer;
use args::{Cli, Color, Command, ErrorFormat};
use chosen::Chosen;
use workspace::Workspace;

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Done.
    Done,
    /// The user's manifest, data or expectation failed, or the target refused what they ask for.
    Failed,
    /// Anything else: the machine, the network, a fault of Pipewright.
    Unexpected,
    /// `plan --detailed-exitcode` found something to do.
    Changes,
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> Self {
        Self::from(match outcome {
            Outcome::Done => 0,
            Outcome::Failed => 1,
            Outcome::Unexpected | Outcome::Changes => 2,
        })
    }
}

/// The stack of each thread that compiles, in bytes: it holds the tree of the longest expression that is taken, which
/// the usual two MiB do not.
const WORKER_STACK: usize = 32 << 20;

/// Runs a command line.
pub fn run(words: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(words) {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are data and a success; everything else is a fault of the command line.
            let _ = error.print();
            return if error.use_stderr() { Outcome::Unexpected } else { Outcome::Done }.into();
        }
    };
    let color = match cli.global.color {
        Color::Auto => None,
        Color::Always => Some(true),
        Color::Never => Some(false),
    };
    // It fails where a caller of the library has made the pool already: theirs to size, then.
    let _ = rayon::ThreadPoolBuilder::new().stack_size(WORKER_STACK).build_global();
    let printer = Printer::new(cli.global.error_format == ErrorFormat::Json, color);
    let workspace = Workspace::new(&cli.global, printer);
    let result = match cli.command {
        Command::Init { folder } => init::run(printer, &folder),
        Command::Validate => workspace.load().map(|loaded| {
            printer.note(&ls::counts(&loaded.compiled));
            Outcome::Done
        }),
        Command::Schema { check, out } => schema::run(printer, &out, check),
        Command::Plan(args) => plan::run(&workspace, &args).or_else(|faults| {
            // With detailed exit codes 2 means changes, so that every fault is 1.
            if !args.detailed_exitcode {
                return Err(faults);
            }
            printer.faults(&faults);
            Ok(Outcome::Failed)
        }),
        Command::Apply(args) => apply::run(&workspace, &args),
        Command::Check(args) => check::run(&workspace, &args),
        Command::Results(args) => results::run(&workspace, &args),
        Command::Test(args) => test::run(&workspace, &args),
        Command::Ls { selection, json } => {
            Chosen::load(&workspace, &selection).map(|chosen| ls::run(&workspace, &chosen, json))
        }
        Command::Graph { format } => ls::graph(&workspace, format),
        Command::Query(args) => query::run(&workspace, &args),
        Command::Compile { names, google } => compile::run(&workspace, &names, google),
        Command::Runs { run, json, limit } => runs::run(&workspace, run.as_deref(), json, limit),
        Command::Clean { yes } => clean::run(&workspace, yes),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "pipewright", &mut script);
            printer.out(&String::from_utf8_lossy(&script));
            Ok(Outcome::Done)
        }
    };
    match result {
        Ok(outcome) => outcome.into(),
        Err(faults) => {
            let outcome = outcome_of(&faults);
            printer.faults(&faults);
            outcome.into()
        }
    }
}

/// The user's own faults are told apart from those of the world around.
fn outcome_of(faults: &Diagnostics) -> Outcome {
    let own = faults
        .iter()
        .filter(|fault| fault.severity == Severity::Error && fault.code != Code::Interrupted)
        .any(|fault| !matches!(fault.code.area(), Area::Environment | Area::Internal));
    if own { Outcome::Failed } else { Outcome::Unexpected }
}

/// A fault of the command line's own words.
fn usage(message: impl Into<String>) -> Diagnostic {
    Diagnostic::error(Code::Usage, message)
}
