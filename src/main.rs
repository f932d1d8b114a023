//! The `pipewright` program.

use std::process::ExitCode;

/// The allocator of the whole program: its feature `override` gives it to the engine's C++ as well.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    pipewright::cli::run(std::env::args_os())
}
