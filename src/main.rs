//! The `pipewright` program.

use std::process::ExitCode;

fn main() -> ExitCode {
    pipewright::cli::run(std::env::args_os())
}
