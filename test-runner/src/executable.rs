//! Which test executables and programs cargo built, by what it says with `--message-format json`.

use std::io::BufRead;
use std::path::{Path, PathBuf};

use anyhow::Context;
use serde::Deserialize;

/// A test executable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Executable {
    /// Its package.
    pub package: String,
    /// Its target: the name of the library or program whose unit tests it holds, or of a folder of tests.
    pub target: String,
    /// Whether it holds unit tests.
    pub is_unit: bool,
    /// Whether these are a program's.
    pub is_program: bool,
    /// Where it lies.
    pub path: PathBuf,
    /// The package's folder, in which cargo runs it.
    pub folder: PathBuf,
}

/// What one call of cargo built.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Built {
    /// Test executables, in the order in which they were done.
    pub executables: Vec<Executable>,
    /// The program `highwater`, if it was built.
    pub program: Option<PathBuf>,
    /// Crates that were compiled or found compiled: one of each package, target and profile.
    pub crates: usize,
}

/// One line of cargo's; of other reasons, only the reason.
#[derive(Deserialize)]
struct Message {
    reason: String,
    #[serde(default)]
    manifest_path: PathBuf,
    target: Option<Target>,
    profile: Option<Profile>,
    executable: Option<PathBuf>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
    kind: Vec<String>,
}

#[derive(Deserialize)]
struct Profile {
    test: bool,
}

impl Executable {
    /// How it is called in what is printed, no two alike: `edge (unit)` for a library's unit tests, `tests soak (unit)` for a
    /// program's, `edge suite` for others.
    pub fn name(&self) -> String {
        match (self.is_unit, self.is_program) {
            (true, false) => format!("{} (unit)", self.package),
            (true, true) => format!("{} {} (unit)", self.package, self.target),
            (false, _) => format!("{} {}", self.package, self.target),
        }
    }
}

impl Built {
    /// Reads what cargo said.
    ///
    /// # Errors
    /// When a line cannot be read, or is none of cargo's.
    pub fn read(lines: impl BufRead) -> anyhow::Result<Self> {
        let mut built = Self::default();
        for line in lines.lines() {
            let line = line.context("cargo's messages cannot be read")?;
            if !line.starts_with('{') {
                continue;
            }
            let message: Message =
                serde_json::from_str(&line).with_context(|| format!("no message of cargo's: {line}"))?;
            built.add(message);
        }
        Ok(built)
    }

    /// The same of a file.
    ///
    /// # Errors
    /// When it cannot be read, or holds something else.
    pub fn of_file(path: &Path) -> anyhow::Result<Self> {
        let file = std::fs::File::open(path)
            .with_context(|| format!("cannot read {}: `make test` makes it", path.display()))?;
        Self::read(std::io::BufReader::new(file))
    }

    fn add(&mut self, message: Message) {
        let (Some(target), Some(profile)) = (message.target, message.profile) else {
            return;
        };
        if message.reason != "compiler-artifact" {
            return;
        }
        self.crates += 1;
        let is_program = target.kind.iter().any(|kind| kind == "bin");
        let Some(path) = message.executable else { return };
        if !profile.test {
            if is_program && target.name == "highwater" {
                self.program = Some(path);
            }
            return;
        }
        let folder = message
            .manifest_path
            .parent()
            .map(Path::to_owned)
            .unwrap_or_default();
        let package = folder
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        self.executables.push(Executable {
            package,
            is_unit: !target.kind.iter().any(|kind| kind == "test"),
            is_program,
            target: target.name,
            path,
            folder,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAID: &str = r#"{"reason":"build-script-executed","package_id":"x"}
{"reason":"compiler-artifact","manifest_path":"/p/edge/Cargo.toml","target":{"kind":["lib"],"name":"edge"},"profile":{"test":false},"executable":null}
{"reason":"compiler-artifact","manifest_path":"/p/edge/Cargo.toml","target":{"kind":["lib"],"name":"edge"},"profile":{"test":true},"executable":"/t/edge-1"}
{"reason":"compiler-artifact","manifest_path":"/p/edge/Cargo.toml","target":{"kind":["test"],"name":"door"},"profile":{"test":true},"executable":"/t/door-1"}
{"reason":"compiler-artifact","manifest_path":"/p/highwater/Cargo.toml","target":{"kind":["bin"],"name":"highwater"},"profile":{"test":false},"executable":"/t/highwater"}
{"reason":"compiler-artifact","manifest_path":"/p/edge/Cargo.toml","target":{"kind":["bin"],"name":"edge"},"profile":{"test":true},"executable":"/t/edge-2"}
{"reason":"build-finished","success":true}
"#;

    #[test]
    fn executables_and_the_program_are_found_by_what_cargo_says() {
        let built = Built::read(SAID.as_bytes()).expect("read");
        let names: Vec<String> = built.executables.iter().map(Executable::name).collect();
        assert_eq!(names, ["edge (unit)", "edge door", "edge edge (unit)"]);
        assert_eq!(built.executables[1].folder, Path::new("/p/edge"));
        assert_eq!(built.program, Some("/t/highwater".into()));
        assert_eq!(built.crates, 5);
    }

    #[test]
    fn a_line_that_is_no_message_is_refused_with_the_line() {
        let error = Built::read(&b"{\"reason\":"[..]).expect_err("half a line");
        assert!(format!("{error:#}").contains("{\"reason\":"), "{error:#}");
    }
}
