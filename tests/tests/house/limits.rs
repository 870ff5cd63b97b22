//! `docs/limits.md` is made from the `limits.rs` files: every limit with its value and its reason.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use crate::papers::sources_named;

const HEAD: &str = "# Limits

Made from the `limits.rs` files of the source by the test that holds it against them. Settings have theirs in
`highwater serve --help`. What to do when one is met: [operations.md](operations.md).
";

#[test]
fn the_paper_on_limits_says_what_the_sources_say() {
    let project = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the project");
    let mut wanted = HEAD.to_owned();
    for file in sources_named("limits.rs") {
        let text = fs::read_to_string(&file).expect("readable");
        let name = file.strip_prefix(project).expect("inside").display().to_string();
        let rows = rows(&text);
        assert!(!rows.is_empty(), "{name} has no limits");
        let about: Vec<&str> = text.lines().map_while(|line| line.strip_prefix("//! ")).collect();
        write!(
            wanted,
            "\n## `{name}`\n\n{}\n\n| limit | value | reason |\n|---|---|---|\n",
            about.join("\n")
        )
        .expect("text");
        for (limit, value, reason) in rows {
            writeln!(wanted, "| `{limit}` | {value} | {reason} |").expect("text");
        }
    }
    let path = project.join("docs/limits.md");
    if std::env::var_os("HIGHWATER_WRITE_PAPERS").is_some() {
        fs::write(&path, &wanted).expect("written");
    }
    let there = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        there == wanted,
        "docs/limits.md is not what the sources say: HIGHWATER_WRITE_PAPERS=1 cargo test -p tests --test house"
    );
}

/// The limits of a file: constants, and fields of a `Default`, with the comment above each.
fn rows(text: &str) -> Vec<(String, String, String)> {
    let mut rows = Vec::new();
    let mut reasons = std::collections::BTreeMap::new();
    let mut comment: Vec<&str> = Vec::new();
    let mut lines = text.lines().map(str::trim).peekable();
    while let Some(line) = lines.next() {
        if line.starts_with("#[cfg(test)]") {
            break;
        }
        if let Some(part) = line.strip_prefix("///") {
            comment.push(part.trim());
            continue;
        }
        let reason = comment.join(" ").replace('|', "\\|");
        comment.clear();
        let bare = line
            .strip_prefix("pub")
            .map_or(line, |rest| rest.trim_start_matches(|c| c != ' ').trim_start());
        if let Some(constant) = bare
            .strip_prefix("const ")
            .filter(|_| !line.starts_with("const _"))
        {
            let mut whole = constant.to_owned();
            while !whole.ends_with(';') {
                whole.push_str(lines.next().expect("a constant ends"));
            }
            if whole.starts_with("fn ") {
                continue;
            }
            if let Some((head, value)) = whole.trim_end_matches(';').split_once(" = ") {
                let name = head.split(':').next().unwrap_or_default();
                rows.push((name.to_owned(), readable(value), reason));
            }
        } else if line.starts_with("pub ") && line.ends_with(',') {
            let name = bare.split(':').next().unwrap_or_default();
            reasons.insert(name.to_owned(), reason);
        } else if let Some((name, value)) = line.trim_end_matches(',').split_once(": ")
            && let Some(reason) = reasons.remove(name)
        {
            rows.push((name.to_owned(), readable(value), reason));
        }
    }
    rows
}

/// A value as a person reads it: `8 << 20` as `8 MiB` or a plain number, `Duration::from_secs(10)` as `10 s`.
fn readable(value: &str) -> String {
    let shifts = [(" << 10", "Ki"), (" << 20", "Mi"), (" << 30", "Gi")];
    for (shift, unit) in shifts {
        if let Some(number) = value
            .strip_suffix(shift)
            .filter(|number| number.parse::<u64>().is_ok())
        {
            return format!("{number} {unit}");
        }
    }
    for (call, unit) in [("Duration::from_secs(", "s"), ("Duration::from_millis(", "ms")] {
        if let Some(number) = value.strip_prefix(call) {
            return format!("{} {unit}", number.trim_end_matches(')').replace('_', ","));
        }
    }
    let plain = value
        .chars()
        .all(|character| character.is_ascii_digit() || character == '_');
    if plain {
        value.replace('_', ",")
    } else {
        format!("`{value}`")
    }
}
