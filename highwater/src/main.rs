//! The one binary. What lives here: the command line and the wiring. What does not: any work of its own.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::SUCCESS
}
