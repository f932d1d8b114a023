//! Writes a synthetic Olist data set: the nine CSV files of the public Brazilian e-commerce data, with their
//! shape, their distributions and their dirt, and with nobody's data in them.
//!
//! ```text
//! cargo run --release --example generate -- --orders 2000 --seed 1 --out data/sample
//! ```
//!
//! The same number of orders and the same seed give byte-identical files on every machine. Memory stays flat:
//! every row is a function of the seed, the kind of thing and its index.

mod olist;

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

/// Write a synthetic Olist data set: nine CSV files.
#[derive(Parser)]
#[command(name = "generate")]
struct Arguments {
    /// How many orders; everything else scales with them. The public data set has 99,441.
    #[arg(long, default_value_t = 2000)]
    orders: u64,
    /// The seed: the same orders and seed give the same bytes.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The folder to write to; it is made when it is missing, and files of the same names are replaced.
    #[arg(long)]
    out: PathBuf,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let outcome = olist::write(&olist::Sample::new(arguments.orders, arguments.seed), &arguments.out);
    // A closed pipe is no reason to fail: the files are what was asked for.
    match outcome {
        Ok(written) => {
            let mut output = std::io::stdout().lock();
            for (file, rows) in written {
                let _ = writeln!(output, "{rows:>9} rows  {file}");
            }
            ExitCode::SUCCESS
        }
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "The data set could not be written: {error}.");
            ExitCode::FAILURE
        }
    }
}
