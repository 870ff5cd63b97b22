//! Which crates of the workspace stand on one of them, by `cargo metadata`.

use std::collections::BTreeSet;

use anyhow::Context;
use serde::Deserialize;

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    dependencies: Vec<Dependency>,
}

#[derive(Deserialize)]
struct Dependency {
    name: String,
}

/// This crate and all that depend on it, directly or not, also for their tests.
///
/// # Errors
/// When the text is not what `cargo metadata` says, or names no such crate.
pub fn dependents(metadata: &str, name: &str) -> anyhow::Result<BTreeSet<String>> {
    let metadata: Metadata = serde_json::from_str(metadata).context("not what `cargo metadata` says")?;
    anyhow::ensure!(
        metadata.packages.iter().any(|package| package.name == name),
        "no crate of the workspace is named {name}"
    );
    let mut found = BTreeSet::from([name.to_owned()]);
    loop {
        let known = found.len();
        for package in &metadata.packages {
            if package
                .dependencies
                .iter()
                .any(|dependency| found.contains(&dependency.name))
            {
                found.insert(package.name.clone());
            }
        }
        if found.len() == known {
            return Ok(found);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_stands_on_it_is_found_through_others() {
        let package = |name: &str, uses: &[&str]| {
            let uses: Vec<_> = uses
                .iter()
                .map(|name| serde_json::json!({"name": name}))
                .collect();
            serde_json::json!({"name": name, "dependencies": uses})
        };
        let metadata = serde_json::json!({"packages": [
            package("tests", &["highwater"]), package("highwater", &["edge", "serde"]), package("edge", &["ping"]),
            package("query", &["ping"]), package("ping", &[])
        ]})
        .to_string();
        let all: Vec<String> = dependents(&metadata, "edge")
            .expect("known")
            .into_iter()
            .collect();
        assert_eq!(all, ["edge", "highwater", "tests"]);
        assert_eq!(dependents(&metadata, "ping").expect("known").len(), 5);
        assert!(dependents(&metadata, "serde").is_err());
    }
}
