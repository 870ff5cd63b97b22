//! What `make test` and `make lambda` have put into `.cache` and `target` for the tests on LocalStack.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The programs and files that are needed.
#[derive(Clone, Debug)]
pub struct Tools {
    /// The Python that has LocalStack.
    pub(super) python: PathBuf,
    /// The Lambda: as `cargo lambda build` made it, or as the workspace's own build did.
    pub(super) zip: PathBuf,
}

/// Names another zip of the Lambda than the released one.
const ZIP: &str = "HIGHWATER_LAMBDA_ZIP";

/// Where `make lambda` puts what is released.
fn released() -> PathBuf {
    project().join("target/lambda/lambda-indexer/bootstrap.zip")
}

pub(super) fn project() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the crate lies in the project")
}

impl Tools {
    /// All of them; or prints one line that says what is missing. `HIGHWATER_LOCALSTACK=required` makes that a failure.
    ///
    /// # Panics
    /// When something required is missing.
    #[expect(clippy::print_stdout, reason = "a test says what it leaves out")]
    pub fn find() -> Option<Self> {
        let tools = Self {
            python: project().join(".cache/localstack/python/bin/python"),
            zip: std::env::var_os(ZIP).map_or_else(released, PathBuf::from),
        };
        let missing = if !tools.python.exists() {
            "LocalStack is not installed (`make localstack`; it needs CPython 3.11 on x86-64 Linux)"
        } else if !tools.zip.exists() {
            "the Lambda is not built (`make lambda`; `make test` names another one in HIGHWATER_LAMBDA_ZIP)"
        } else {
            return Some(tools);
        };
        assert!(
            std::env::var("HIGHWATER_LOCALSTACK").as_deref() != Ok("required"),
            "{missing}"
        );
        println!("left out: {missing}");
        None
    }
}

impl Tools {
    /// The same, where the Lambda is the one that is released: made by cargo-lambda. Else prints that it is another one.
    ///
    /// # Panics
    /// As [`find`](Self::find).
    #[expect(clippy::print_stdout, reason = "a test says what it leaves out")]
    pub fn find_released() -> Option<Self> {
        let tools = Self::find()?;
        if tools.zip != released() {
            println!(
                "left out: the zip that cargo-lambda makes (`make release-check`, where what it is made from changed)"
            );
            return None;
        }
        Some(tools)
    }

    /// The Lambda's zip.
    pub fn zip(&self) -> &Path {
        &self.zip
    }

    /// Unzips the Lambda's program into a folder; answers where it is.
    ///
    /// # Panics
    /// When the zip has none.
    pub fn bootstrap(&self, folder: &Path) -> PathBuf {
        // Python's own, for unzip may not be installed.
        let unzipped = self
            .python()
            .args(["-m", "zipfile", "-e"])
            .arg(&self.zip)
            .arg(folder)
            .status();
        assert!(unzipped.expect("Python runs").success(), "the zip is one");
        let program = folder.join("bootstrap");
        fs::set_permissions(&program, Permissions::from_mode(0o755)).expect("the zip has a bootstrap");
        program
    }

    /// The Python that has LocalStack.
    pub fn python(&self) -> Command {
        Command::new(&self.python)
    }

    /// cfn-lint on the templates.
    pub fn cfn_lint(&self) -> Command {
        let mut command = Command::new(self.python.with_file_name("cfn-lint"));
        for template in ["template.yaml", "services.yaml"] {
            command.arg(project().join("infra/aws").join(template));
        }
        command
    }
}

/// The installed cargo-lambda; `None` where there is none.
pub fn cargo_lambda() -> Option<PathBuf> {
    let program = project().join(".cache/cargo-lambda/bin/cargo-lambda");
    program.exists().then_some(program)
}
