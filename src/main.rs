//! The `pipewright` program.

use std::process::ExitCode;

/// The allocator of all of Pipewright's own code; DuckDB's C++ keeps the system's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    pipewright::cli::run(std::env::args_os())
}
