//! `highwater product`: what a product's declaration promises; and how its file is read.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use anyhow::Context;
use readers::declaration::{Declaration, Fault, From};
use readers::explain::promises;

use crate::cli::Product;

/// Runs the command.
pub(crate) fn run(command: &Product) -> anyhow::Result<()> {
    let Product::Privacy(privacy) = command;
    let declaration = read(&privacy.file)?;
    let mut out = io::stdout().lock();
    write!(out, "{}", promises(&declaration))?;
    Ok(())
}

/// Reads a declaration. The error says all that is wrong, a line each.
pub(crate) fn read(path: &Path) -> anyhow::Result<Declaration> {
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    parsed(path, &text)
}

/// The declaration in the text of a file. The error says all that is wrong, a line each.
pub(crate) fn parsed(file: &Path, text: &str) -> anyhow::Result<Declaration> {
    told(file, Declaration::read(text))
}

/// The same of a text that was accepted, maybe by a program that refused less.
pub(crate) fn in_force(file: &Path, text: &str) -> anyhow::Result<Declaration> {
    told(file, Declaration::in_force(text))
}

fn told(file: &Path, read: Result<Declaration, Vec<Fault>>) -> anyhow::Result<Declaration> {
    let name = file.display();
    read.map_err(|faults| {
        let faults: Vec<String> = faults.iter().map(|fault| format!("{name}: {fault}")).collect();
        anyhow::anyhow!("{}", faults.join("\n"))
    })
}

/// What this version cannot do that a declaration asks for: what it promises must be true.
pub(crate) fn asks_too_much(declaration: &Declaration) -> Vec<String> {
    let mut asked = Vec::new();
    for dimension in &declaration.dimensions {
        if let From::Header(header) = &dimension.from
            && !edge::stores_header(header)
        {
            asked.push(format!(
                "dimension `{}` is the header `{header}`, which is not stored with a ping",
                dimension.name
            ));
        }
    }
    asked
}
