//! `soak`: everything that may befall the program, mixed at random on real processes, verified in the end.
//!
//! Exit code 1: something is wrong; the data directory is left where the output says.

use std::process::ExitCode;

use tests::soak::{Options, mixed, mixed_fleet, partitions};

#[expect(clippy::print_stdout, reason = "the table is what it is for")]
fn main() -> anyhow::Result<ExitCode> {
    let options = Options::parse(std::env::args().skip(1))?;
    let outcome = match (&options.fleet, options.partitions) {
        (Some(program), _) => mixed_fleet(&options, program)?,
        (None, Some(number)) => partitions(&options, number)?,
        (None, None) => mixed(&options),
    };
    println!("\n{}", outcome.table);
    Ok(if outcome.wrong.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
