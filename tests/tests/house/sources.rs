//! What holds for every source file.

use std::fs;
use std::path::{Path, PathBuf};

pub(crate) fn project() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the crate lies in the project")
}

pub(crate) fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) {
    files(folder, &["rs"], found);
}

/// Files with one of these endings, less what is built and installed.
fn files(folder: &Path, endings: &[&str], found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a readable folder") {
        let path = entry.expect("a readable entry").path();
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or_default();
        if path.is_dir() && !name.starts_with('.') && name != "target" && name != "node_modules" {
            files(&path, endings, found);
        } else if path
            .extension()
            .is_some_and(|extension| endings.iter().any(|ending| extension == *ending))
        {
            found.push(path);
        }
    }
}

/// A merge that was committed with its conflicts shows in no compiler where papers and scripts are concerned.
#[test]
fn no_mark_of_a_merge_stands_in_any_file() {
    let mut all = Vec::new();
    let endings = [
        "rs", "md", "toml", "sh", "sql", "yaml", "py", "js", "css", "html", "proto",
    ];
    files(project(), &endings, &mut all);
    for file in all {
        let text = fs::read_to_string(&file).unwrap_or_default();
        let marks = ['<', '>'].map(|sign| format!("{} ", sign.to_string().repeat(7)));
        let marked = text
            .lines()
            .find(|line| marks.iter().any(|mark| line.starts_with(mark)));
        assert_eq!(marked, None, "{}", file.display());
    }
}

#[test]
fn every_rust_file_opens_by_saying_what_lives_in_it() {
    let mut files = Vec::new();
    rust_files(project(), &mut files);
    assert!(files.len() > 30, "the walk found only {} files", files.len());
    for file in files {
        let text = fs::read_to_string(&file).expect("readable");
        let opens = text.starts_with("//!") || text.starts_with("// This file is @generated");
        assert!(opens, "{} does not open with a `//!` line", file.display());
    }
}

#[test]
fn no_logic_lives_in_a_crate_root_or_module_root() {
    let mut files = Vec::new();
    rust_files(project(), &mut files);
    for file in files
        .iter()
        .filter(|file| !file.components().any(|part| part.as_os_str() == "tests"))
    {
        let name = file
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or_default();
        if name == "lib.rs" || name == "mod.rs" {
            let text = fs::read_to_string(file).expect("readable");
            let function = text
                .lines()
                .find(|line| line.trim_start().starts_with("fn ") || line.contains("pub fn "));
            assert_eq!(
                function,
                None,
                "{} holds logic: move it to a module with a noun",
                file.display()
            );
        }
    }
}

#[test]
fn only_the_simulation_enters_a_simulation() {
    let mut files = Vec::new();
    rust_files(project(), &mut files);
    for file in files {
        let text = fs::read_to_string(&file).expect("readable");
        let name = ["simulated", "::enter("].concat();
        let inside = file.starts_with(project().join("simulation"));
        assert!(
            inside || !text.contains(&name),
            "{} enters a simulation: a process that serves never does",
            file.display()
        );
    }
}
