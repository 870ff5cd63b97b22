//! The page's files, built into the program.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use crate::problem::{Problem, Reason};
use crate::reply::{Reply, tag_of};

/// A file by its name, with its bytes.
macro_rules! files {
    ($($name:literal),+ $(,)?) => {
        &[$(($name, include_bytes!(concat!("../../page/", $name)))),+]
    };
}

/// Every file of the folder `page/`, by name.
const FILES: &[(&str, &[u8])] = files![
    "absence.js",
    "address.js",
    "answer.js",
    "api.js",
    "choice.js",
    "combobox.js",
    "controls.js",
    "distribution.js",
    "evolution.js",
    "filters.js",
    "firefox.js",
    "groups.js",
    "health.css",
    "health.html",
    "health.js",
    "health_page.js",
    "index.html",
    "main.js",
    "manual.html",
    "manual.js",
    "markdown.js",
    "page.js",
    "partitions.js",
    "product.js",
    "products.js",
    "rows.js",
    "search.js",
    "sources.js",
    "statistics.js",
    "style.css",
    "svg.js",
    "tree.js",
    "users.js",
    "words.js",
];

/// The manual, as it was when the program was built.
const MANUAL: (&str, &[u8]) = ("operations.md", include_bytes!("../../../docs/operations.md"));

/// The tag of each file, by its name.
static TAGS: LazyLock<BTreeMap<&str, String>> = LazyLock::new(|| {
    let files = FILES.iter().chain([&MANUAL]);
    files.map(|(name, bytes)| (*name, tag_of(bytes))).collect()
});

/// A file of the page.
pub(crate) fn answer(name: &str) -> Result<Reply, Problem> {
    let found = FILES.iter().chain([&MANUAL]).find(|(file, _)| *file == name);
    let (name, bytes) =
        found.ok_or_else(|| Problem::new(Reason::NotFound, "The page has no such file: begin at /."))?;
    let tag = TAGS.get(name).map(String::as_str).unwrap_or_default();
    Ok(Reply::page(content_type(name), bytes, tag))
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("md") => "text/plain; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::Path;

    /// Texts in quotes that end in `.js` or `.css`, as imports and links name files.
    fn files_named_in(text: &str) -> BTreeSet<String> {
        let quoted = text.split(['"', '\'']).skip(1).step_by(2);
        quoted
            .filter(|quoted| quoted.ends_with(".js") || quoted.ends_with(".css"))
            .map(|path| path.rsplit('/').next().unwrap_or(path).to_owned())
            .collect()
    }

    #[test]
    fn every_file_of_the_folder_is_served_and_no_other() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("page");
        let there: BTreeSet<String> = fs::read_dir(folder)
            .expect("readable")
            .map(|entry| {
                entry
                    .expect("an entry")
                    .file_name()
                    .into_string()
                    .expect("a name")
            })
            .collect();
        let served: BTreeSet<String> = FILES.iter().map(|(name, _)| (*name).to_owned()).collect();
        assert_eq!(
            served, there,
            "FILES in this file must name every file of query/page/"
        );
    }

    #[test]
    fn every_file_that_another_one_loads_is_served() {
        let mut loaded = BTreeSet::new();
        for (name, bytes) in FILES {
            let text = std::str::from_utf8(bytes).expect("text");
            for line in text
                .lines()
                .filter(|line| line.contains("import") || line.contains("page/"))
            {
                loaded.extend(files_named_in(line).into_iter().map(|file| (*name, file)));
            }
        }
        assert!(loaded.len() > 20, "the search found only {loaded:?}");
        for (name, file) in loaded {
            assert!(
                answer(&file).is_ok(),
                "{name} loads {file}, which is not in query/page/"
            );
        }
    }

    #[test]
    fn nothing_outside_the_folder_is_served() {
        for name in ["", "..", "../Cargo.toml", "main.js.map", "MAIN.JS", "%6dain.js"] {
            assert!(answer(name).is_err(), "{name}");
        }
    }
}
