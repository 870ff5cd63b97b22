//! `highwater product`: what a product's declaration promises; and how its file is read.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use anyhow::Context;
use readers::declaration::Declaration;
use readers::explain::promises;

use crate::cli::Product;

/// What this version does not do yet.
const NOT_YET: &str = "This is what the declaration promises. This version of Highwater checks declarations and explains pings by them; it \
                       does not yet count declared products, and does not yet drop, hash or delete by them.";

/// Runs the command.
pub(crate) fn run(command: &Product) -> anyhow::Result<()> {
    let Product::Privacy(privacy) = command;
    let declaration = read(&privacy.file)?;
    let mut out = io::stdout().lock();
    write!(out, "{}", promises(&declaration))?;
    writeln!(out, "\n{NOT_YET}")?;
    Ok(())
}

/// Reads a declaration. The error says all that is wrong, a line each.
pub(crate) fn read(path: &Path) -> anyhow::Result<Declaration> {
    let name = path.display();
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {name}"))?;
    Declaration::read(&text).map_err(|faults| {
        let faults: Vec<String> = faults.iter().map(|fault| format!("{name}: {fault}")).collect();
        anyhow::anyhow!("{}", faults.join("\n"))
    })
}
