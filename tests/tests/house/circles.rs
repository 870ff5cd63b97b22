//! The files of a crate name each other one way, as crates do: no circle of them, but for files that are one noun.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use super::sources::{project, rust_files};

/// Arrows that close a circle and stay, and why.
const STAY: [(&str, &str); 14] = [
    ("disk: group -> real", "one open file of the machine, and many"),
    (
        "disk: simulated::disk -> simulated::handle",
        "a disk, a file of it",
    ),
    ("edge: claim::take -> claim::watch", "a claim is taken and kept"),
    ("edge: gathering -> seal", "an `impl` of the sealer"),
    ("edge: log::find -> log::open", "the first step of opening"),
    ("edge: log::names -> log::chain", "segments and their names"),
    ("edge: log::probe -> log::handle", "looks that the log wishes for"),
    ("edge: put -> seal", "an `impl` of the sealer"),
    ("edge: stuck -> seal", "an `impl` of the sealer"),
    ("service: directory::error -> directory::identity", "its version"),
    ("sketch: bounds -> layout", "the formulas of a layout"),
    ("store: directory::queue -> directory::door", "its own queue"),
    ("tests: soak::fleet::processes -> soak::fleet", "its processes"),
    ("tests: soak::report -> soak::mixed", "its bound of memory"),
];

/// What the `use` lines of a file name, without those of its tests and what it only hands on.
fn named(file: &Path) -> Vec<String> {
    let text = fs::read_to_string(file).expect("readable");
    let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let statements = code.split(';').filter_map(|code| code.rsplit_once("use "));
    let lines = statements.filter(|(before, _)| before.trim_end_matches(' ').ends_with('\n'));
    lines.flat_map(|(_, tree)| paths(tree)).collect()
}

/// The paths of a tree such as `a::{b, c::{d, e}}`.
fn paths(tree: &str) -> Vec<String> {
    let (mut begins, mut paths) = (Vec::new(), Vec::new());
    for piece in format!("{tree},").split_inclusive(['{', ',', '}']) {
        let (path, sign) = piece.split_at(piece.len() - 1);
        let path = path.split(" as ").next().unwrap_or_default().trim();
        match sign {
            "{" => begins.push(path.to_owned()),
            _ if path.is_empty() => {}
            _ => paths.push(begins.concat() + path),
        }
        if sign == "}" {
            begins.pop();
        }
    }
    paths
}

/// The files of a crate by their modules, `a::b`, with what each names; its root has the empty name.
fn modules(sources: &Path) -> BTreeMap<String, Vec<String>> {
    let mut files = Vec::new();
    rust_files(sources, &mut files);
    let name = |file: &Path| {
        let module = file.strip_prefix(sources).expect("below").with_extension("");
        let mut words: Vec<_> = module.iter().map(|word| word.to_string_lossy()).collect();
        words.pop_if(|last| ["mod", "lib", "main"].contains(&last.as_ref()));
        words.join("::")
    };
    let mut modules: BTreeMap<_, _> = files.iter().map(|file| (name(file), named(file))).collect();
    modules.retain(|name, _| !["tests", "conformance"].iter().any(|word| name.contains(word)));
    modules
}

/// The file that a path, read in a module, leads to, if it is one of this crate.
fn file_of(modules: &BTreeMap<String, Vec<String>>, module: &str, path: &str) -> Option<String> {
    let (mut lies, mut rest) = (module.to_owned(), path);
    while let Some((first @ ("crate" | "self" | "super"), further)) = rest.split_once("::") {
        rest = further;
        match first {
            "crate" => lies.clear(),
            "super" => lies.truncate(lies.rfind("::").unwrap_or_default()),
            _ => {}
        }
    }
    let mut found = (rest != path).then(|| lies.clone());
    for word in rest.split("::") {
        lies = format!("{lies}::{word}").trim_start_matches("::").to_owned();
        if !modules.contains_key(&lies) {
            break;
        }
        found = Some(lies.clone());
    }
    found
}

/// Leaves out what nothing leads to, and what leads nowhere, as long as there is any: what is left goes round.
fn circles(mut arrows: BTreeSet<[String; 2]>) -> BTreeSet<[String; 2]> {
    loop {
        let begins: BTreeSet<_> = arrows.iter().map(|[from, _]| from.clone()).collect();
        let ends: BTreeSet<_> = arrows.iter().map(|[_, to]| to.clone()).collect();
        let before = arrows.len();
        arrows.retain(|[from, to]| ends.contains(from) && begins.contains(to));
        if arrows.len() == before {
            return arrows;
        }
    }
}

#[test]
fn no_files_of_a_crate_name_each_other_in_a_circle() {
    let mut stay: BTreeSet<_> = STAY.into_iter().map(|(arrow, _)| arrow).collect();
    let folders = fs::read_dir(project()).expect("readable");
    for folder in folders.map(|folder| folder.expect("readable").path()) {
        if !folder.join("src").is_dir() {
            continue;
        }
        let name = folder.file_name().unwrap_or_default().to_string_lossy();
        let modules = modules(&folder.join("src"));
        let mut arrows = BTreeSet::new();
        for (from, named) in &modules {
            let to = named.iter().filter_map(|path| file_of(&modules, from, path));
            arrows.extend(to.filter(|to| to != from).map(|to| [from.clone(), to]));
        }
        arrows.retain(|[from, to]| !stay.remove(format!("{name}: {from} -> {to}").as_str()));
        let circles = circles(arrows);
        assert!(
            circles.is_empty(),
            "files of {name} name each other in a circle: move what both need into a file of its own. {circles:?}"
        );
    }
    assert!(
        stay.is_empty(),
        "these arrows are no more: take them out of STAY. {stay:?}"
    );
}
