//! What the tests' own scripts rely on.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::sources::{project, rust_files};

/// Nothing runs examples in comments: `make test` would pass over one that does not compile.
#[test]
fn what_is_fenced_in_a_comment_is_text() {
    let mut files = Vec::new();
    rust_files(project(), &mut files);
    for file in files {
        let text = fs::read_to_string(&file).expect("readable");
        let mut open = false;
        for line in text.lines() {
            let line = line.trim_start();
            let comment = line.strip_prefix("//!").or_else(|| line.strip_prefix("///"));
            let Some(fence) = comment.and_then(|line| line.trim_start().strip_prefix("```")) else {
                continue;
            };
            assert!(open || fence == "text", "{}: ```{fence}", file.display());
            open = !open;
        }
    }
}

#[test]
fn the_digest_of_a_release_covers_every_crate_that_the_lambda_links() {
    let listed = Command::new(env!("CARGO"))
        .args([
            "tree",
            "--offline",
            "--locked",
            "--package",
            "lambda-indexer",
            "--features",
            "lambda",
        ])
        .args(["--edges", "normal", "--prefix", "none", "--format", "{p}"])
        .current_dir(project())
        .output()
        .expect("cargo runs");
    assert!(
        listed.status.success(),
        "{}",
        String::from_utf8_lossy(&listed.stderr)
    );
    let listed = String::from_utf8(listed.stdout).expect("text");
    let linked: BTreeSet<&str> = listed
        .lines()
        .filter(|line| line.contains("(/"))
        .filter_map(|line| line.split(' ').next())
        .collect();
    let script = fs::read_to_string(project().join("infra/test/release-digest.sh")).expect("readable");
    let named = script.lines().find_map(|line| line.strip_prefix("crates=\""));
    let named: BTreeSet<&str> = named
        .expect("a line of crates")
        .trim_end_matches('"')
        .split(' ')
        .collect();
    assert_eq!(named, linked);
}

#[test]
fn what_is_checked_on_the_street_is_there() {
    let text = fs::read_to_string(project().join("infra/test/street")).expect("readable");
    let street = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/street");
    let is_there = |path: PathBuf| path.exists();
    for line in text.lines() {
        let (name, parts) = line.split_once(": ").expect("a crate and its parts");
        assert!(
            is_there(project().join(name).join("Cargo.toml")),
            "{name} is no crate"
        );
        for part in parts.split(' ').filter(|part| *part != "none") {
            let part = part.replace("::", "/");
            let found = is_there(street.join(&part)) || is_there(street.join(&part).with_extension("rs"));
            assert!(found, "the street has no {part}");
        }
    }
}
