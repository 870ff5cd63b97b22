//! `highwater product`: what a product's declaration promises; and how its file is read.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use aggregator::fold::Products;
use anyhow::Context;
use index_schema::SOURCE_FLOORS_MAX;
use readers::declaration::{Declaration, From, between};
use readers::explain::promises;
use retention::{RetentionRule, RulesBySource, SourceRules};

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
    Ok(read_with_text(path)?.0)
}

fn read_with_text(path: &Path) -> anyhow::Result<(Declaration, String)> {
    let name = path.display();
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {name}"))?;
    let declaration = Declaration::read(&text).map_err(|faults| {
        let faults: Vec<String> = faults.iter().map(|fault| format!("{name}: {fault}")).collect();
        anyhow::anyhow!("{}", faults.join("\n"))
    })?;
    Ok((declaration, text))
}

/// Files of declarations in one folder, at most: more is a folder that was not meant.
const FILES_MAX: usize = 1_000;

/// The products of these files, and of the `.yaml` files of these folders, for the fold.
pub(crate) fn folded(given: &[PathBuf]) -> anyhow::Result<Products> {
    let declared = declared(given)?.into_iter();
    let declarations: Vec<_> = declared
        .map(|(_, declaration, text)| (declaration, text))
        .collect();
    Ok(Products::of(&declarations))
}

/// What is kept of sources whose declarations have `keep`, by `<namespace>/<document type>`.
///
/// # Errors
/// When the declarations cannot be carried out, or there are too many of such sources.
pub(crate) fn kept(given: &[PathBuf]) -> anyhow::Result<RulesBySource> {
    let mut by_source = RulesBySource::new();
    for (_, declaration, _) in declared(given)? {
        for (source, privacy) in declaration.sources.iter().zip(&declaration.privacy) {
            let rules = SourceRules {
                chunks: for_days(privacy.keep_pings),
                aggregates: for_days(privacy.keep_aggregates),
            };
            if rules != SourceRules::default() {
                by_source.insert(source.to_string(), rules);
            }
        }
    }
    anyhow::ensure!(
        by_source.len() <= SOURCE_FLOORS_MAX,
        "--products: {} sources have `keep`, and at most {SOURCE_FLOORS_MAX} may",
        by_source.len()
    );
    Ok(by_source)
}

fn for_days(days: Option<i64>) -> RetentionRule {
    let days = days.and_then(|days| u64::try_from(days).ok());
    RetentionRule {
        age: days.map(|days| Duration::from_secs(days * 86_400)),
        bytes: None,
    }
}

/// The declarations of these files and folders, which can be carried out and do not contradict each other, each with its file and
/// its text.
pub(crate) fn declared(given: &[PathBuf]) -> anyhow::Result<Vec<(PathBuf, Declaration, String)>> {
    let mut files = Vec::new();
    for path in given {
        files.extend(files_of(path)?);
    }
    let mut declarations = Vec::new();
    for file in &files {
        let (declaration, text) = read_with_text(file)?;
        let asked = asks_too_much(&declaration);
        anyhow::ensure!(asked.is_empty(), "{}: {}", file.display(), asked.join("; "));
        declarations.push((declaration, text));
    }
    let clashes = between(
        &declarations
            .iter()
            .map(|(declaration, _)| declaration)
            .collect::<Vec<_>>(),
    );
    let clashes: Vec<String> = clashes
        .iter()
        .map(|clash| {
            let (file, other) = (files[clash.file].display(), files[clash.other].display());
            format!("{file}: {} (declared in {other}, too)", clash.fault)
        })
        .collect();
    anyhow::ensure!(clashes.is_empty(), "{}", clashes.join("\n"));
    let named = files.into_iter().zip(declarations);
    Ok(named
        .map(|(file, (declaration, text))| (file, declaration, text))
        .collect())
}

fn files_of(path: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let name = || format!("--products: cannot read {}", path.display());
    if !fs::metadata(path).with_context(name)?.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut files = Vec::new();
    for entry in fs::read_dir(path).with_context(name)? {
        let file = entry.with_context(name)?.path();
        if file
            .extension()
            .is_some_and(|ending| ending == "yaml" || ending == "yml")
        {
            files.push(file);
        }
        anyhow::ensure!(
            files.len() <= FILES_MAX,
            "--products: {} has more than {FILES_MAX} files",
            path.display()
        );
    }
    files.sort_unstable();
    Ok(files)
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
