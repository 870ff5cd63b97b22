//! What can be wrong with settings, said so that it can be mended.

use std::path::PathBuf;

/// Settings that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The command line is wrong, or asks for help or version. Let `clap::Error::exit` end the process.
    #[error(transparent)]
    Usage(#[from] Box<clap::Error>),
    /// The settings file cannot be read.
    #[error("cannot read the settings file {path}: {source}; check --config", path = path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The settings file is no TOML.
    #[error("{path}:{line}: {message}", path = path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong there.
        message: String,
    },
    /// A key that does not exist.
    #[error("{path}:{line}: unknown key {key:?}; {hint}", path = path.display())]
    UnknownKey {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// The key as written.
        key: String,
        /// The nearest right key.
        hint: String,
    },
    /// A value that its key cannot have.
    #[error("{origin}: {message}")]
    Value {
        /// File and line, or the variable of the environment.
        origin: String,
        /// What is wrong with it.
        message: String,
    },
}

impl From<clap::Error> for SettingsError {
    fn from(error: clap::Error) -> Self {
        Self::Usage(Box::new(error))
    }
}

impl SettingsError {
    /// Prints the error, or the help that was asked for, and ends the process: 0 after help, else 2.
    pub fn exit(self) -> ! {
        match self {
            Self::Usage(error) => error.exit(),
            other => {
                use std::io::Write;
                let _ = writeln!(std::io::stderr(), "error: {other}");
                std::process::exit(2)
            }
        }
    }
}
