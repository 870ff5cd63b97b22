//! Where PostgreSQL's programs lie, and as whom they run: PostgreSQL refuses to run as root.

use std::fs;
use std::os::unix::fs::{MetadataExt, chown};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where Debian puts each major version's programs, which are not in the search path.
const DEBIAN: &str = "/usr/lib/postgresql";

/// PostgreSQL's programs of one version.
#[derive(Clone, Debug)]
pub(crate) struct Programs {
    folder: PathBuf,
    /// The user and group to run as, when this process is root.
    unprivileged: Option<(u32, u32)>,
}

impl Programs {
    /// The newest version that is installed, if there is one.
    ///
    /// # Panics
    /// When there is none, and the variable `HIGHWATER_POSTGRES` says `required`.
    pub(crate) fn find() -> Option<Self> {
        let found = newest().or_else(configured);
        if found.is_none() {
            let word = std::env::var("HIGHWATER_POSTGRES");
            assert!(
                word.as_deref() != Ok("required"),
                "there is no PostgreSQL: install Debian's `postgresql` (infra/install/postgres.sh)"
            );
            eprintln!("left out: there is no PostgreSQL here (infra/install/postgres.sh installs it)");
        }
        let own = fs::metadata("/proc/self").map_or(1, |metadata| metadata.uid());
        Some(Self {
            folder: found?,
            unprivileged: (own == 0).then(unprivileged),
        })
    }

    /// The path of a program.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// A command for a program that root may not run.
    pub(crate) fn command(&self, program: &Path) -> Command {
        let Some((user, group)) = self.unprivileged else {
            return Command::new(program);
        };
        let mut command = Command::new("setpriv");
        command
            .args([format!("--reuid={user}"), format!("--regid={group}")])
            .arg("--clear-groups")
            .arg(program);
        command
    }

    /// Gives a folder to whom the programs run as.
    pub(crate) fn give(&self, folder: &Path) {
        if let Some((user, group)) = self.unprivileged {
            chown(folder, Some(user), Some(group)).expect("root may give a folder away");
        }
    }
}

fn newest() -> Option<PathBuf> {
    let versions = fs::read_dir(DEBIAN).ok()?.filter_map(Result::ok);
    let version = |path: &PathBuf| path.file_name()?.to_str()?.parse::<u32>().ok();
    versions
        .map(|entry| entry.path())
        .filter(|path| version(path).is_some() && path.join("bin/initdb").exists())
        .max_by_key(version)
        .map(|path| path.join("bin"))
}

fn configured() -> Option<PathBuf> {
    let output = Command::new("pg_config").arg("--bindir").output().ok()?;
    let folder = PathBuf::from(String::from_utf8(output.stdout).ok()?.trim());
    folder.join("initdb").exists().then_some(folder)
}

/// The ids of Debian's user `postgres`, else of `nobody`.
fn unprivileged() -> (u32, u32) {
    let users = fs::read_to_string("/etc/passwd").expect("the users are readable");
    let ids = |name: &str| {
        let line = users.lines().find(|line| line.split(':').next() == Some(name))?;
        let mut fields = line.split(':').skip(2);
        Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
    };
    ids("postgres")
        .or_else(|| ids("nobody"))
        .expect("there is a user without rights")
}
