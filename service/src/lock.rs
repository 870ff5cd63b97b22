//! The lock of a data directory: who holds it may change what lies there. Readers take none.
//!
//! Locked are the file `lock` and the folder itself, each as what it is and not by its name: a file of that name made anew is
//! another one. So who takes the file away lets nobody in, where the file system locks folders (Linux does, NFS does not),
//! and who holds the lock can see that it was taken away: [`DirectoryLock::check`].

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};

/// The name of the file in a data directory that is locked.
pub const FILE: &str = "lock";

/// How often the file is opened anew when it was taken away between opening and locking it.
const TRIES: usize = 10;

/// The lock, held until this is dropped or the process ends, however it ends.
#[derive(Debug)]
pub struct DirectoryLock {
    root: PathBuf,
    file: File,
    /// None where folders cannot be locked.
    folder: Option<File>,
}

/// Who holds a lock, as it says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// Its process id, as its container numbers processes.
    pub pid: u32,
    /// The name of its host, as it sees it itself; earlier versions did not say.
    pub host: Option<String>,
    /// Its container, if it runs in one.
    pub container: Option<String>,
}

/// A lock that was not taken, or was lost.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another process holds it.
    #[error(
        "the data directory {path} is in use by {holder}: stop that process, or give this one another --data-dir. Leave the \
         file `{FILE}` alone: without it the directory is not free, and the process that uses it takes no more pings and ends",
        path = path.display(),
        holder = holder.as_ref().map_or_else(|| "another process".to_owned(), ToString::to_string)
    )]
    Held {
        /// The data directory.
        path: PathBuf,
        /// Who holds it, unless it has only just begun, or what it said of itself was removed.
        holder: Option<Holder>,
    },
    /// What was locked is no longer what bears the name.
    #[error(
        "the file `{FILE}` of the data directory {path} was removed or replaced, so that another process may use the directory: \
         see that none does, and start again",
        path = path.display()
    )]
    Lost {
        /// The data directory.
        path: PathBuf,
    },
    /// The lock file cannot be used.
    #[error("cannot lock the data directory {path}: {source}; check its permissions", path = path.display())]
    Io {
        /// The data directory.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
}

impl DirectoryLock {
    /// Takes the lock of a data directory, which must be there.
    ///
    /// # Errors
    /// When another process, or another part of this one, holds it; or when the lock file cannot be used.
    pub fn take(root: &Path) -> Result<Self, LockError> {
        let io = |source| LockError::Io {
            path: root.to_owned(),
            source,
        };
        let held = || LockError::Held {
            path: root.to_owned(),
            holder: Holder::read(&root.join(FILE)),
        };
        let folder = File::open(root).map_err(io)?;
        let mut folder = match folder.try_lock() {
            Ok(()) => Some(folder),
            Err(TryLockError::WouldBlock) => return Err(held()),
            Err(TryLockError::Error(error)) => {
                tracing::debug!(%error, "this file system locks no folders: the file alone is locked");
                None
            }
        };
        for _ in 0..TRIES {
            let file = OpenOptions::new()
                .read(true)
                .write(true)
                .create(true)
                .truncate(false)
                .open(root.join(FILE))
                .map_err(io)?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Err(held()),
                Err(TryLockError::Error(source)) => return Err(io(source)),
            }
            let lock = Self {
                root: root.to_owned(),
                file,
                folder,
            };
            match lock.check() {
                Err(LockError::Lost { .. }) => folder = lock.folder,
                Err(error) => return Err(error),
                Ok(()) => {
                    Holder::this().write(&lock.file).map_err(io)?;
                    return Ok(lock);
                }
            }
        }
        Err(LockError::Lost {
            path: root.to_owned(),
        })
    }

    /// Device and inode of the file that is locked: no other file of this machine has both as long as this one is open.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn identity(&self) -> io::Result<(u64, u64)> {
        let metadata = self.file.metadata()?;
        Ok((metadata.dev(), metadata.ino()))
    }

    /// Whether the file that is locked is the one that bears the name.
    ///
    /// # Errors
    /// When it is not, or that cannot be told.
    pub fn check(&self) -> Result<(), LockError> {
        let io = |source| LockError::Io {
            path: self.root.clone(),
            source,
        };
        let locked = self.identity().map_err(io)?;
        match fs::metadata(self.root.join(FILE)) {
            Ok(named) if (named.dev(), named.ino()) == locked => Ok(()),
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(io(error)),
            _ => Err(LockError::Lost {
                path: self.root.clone(),
            }),
        }
    }
}

impl Holder {
    /// This process.
    fn this() -> Self {
        let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
        let of_its_own = fs::read_link("/proc/self/ns/pid")
            .ok()
            .and_then(|namespace| namespace_of_its_own(&namespace.to_string_lossy()));
        let named = container_in(&read("/proc/self/cgroup"), &read("/proc/self/mountinfo"));
        Self {
            pid: std::process::id(),
            host: Some(word(&read("/proc/sys/kernel/hostname"))).filter(|host| !host.is_empty()),
            container: named.or(of_its_own),
        }
    }

    fn read(path: &Path) -> Option<Self> {
        let mut bytes = [0; 1_024];
        let read = File::open(path).ok()?.read_at(&mut bytes, 0).ok()?;
        Self::parse(std::str::from_utf8(&bytes[..read]).ok()?)
    }

    fn parse(text: &str) -> Option<Self> {
        let mut words = text.lines().next()?.split(' ');
        let pid = words.next()?.parse().ok()?;
        let mut known = || Some(words.next()?.to_owned()).filter(|word| word != "-");
        Some(Self {
            pid,
            host: known(),
            container: known(),
        })
    }

    /// Overwrites what an earlier holder left. Who reads meanwhile may see a part of both, and no lock depends on it.
    fn write(&self, file: &File) -> io::Result<()> {
        let or_none = |word: &Option<String>| word.clone().unwrap_or_else(|| "-".to_owned());
        let text = format!(
            "{} {} {}\n",
            self.pid,
            or_none(&self.host),
            or_none(&self.container)
        );
        file.write_all_at(text.as_bytes(), 0)?;
        file.set_len(text.len() as u64)
    }
}

impl std::fmt::Display for Holder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "process {}", self.pid)?;
        if let Some(container) = &self.container {
            write!(f, " of container {container}, which numbers its own processes,")?;
        }
        match &self.host {
            Some(host) => write!(f, " on host {host}"),
            None => Ok(()),
        }
    }
}

/// What can stand as one word in the lock file.
fn word(text: &str) -> String {
    let word = text.trim().chars().filter(char::is_ascii_graphic);
    word.take(253).collect()
}

/// The number of a namespace of process ids, unless it is the first one of the kernel, which is the host's.
fn namespace_of_its_own(namespace: &str) -> Option<String> {
    const OF_THE_HOST: &str = "4026531836";
    let number = namespace.strip_prefix("pid:[")?.strip_suffix(']')?;
    (number != OF_THE_HOST).then(|| format!("pid-namespace-{number}"))
}

/// The id that a container's runtime gave it, where it shows: in the names of its control groups, or in where its file
/// `/etc/hostname` is mounted from.
fn container_in(cgroup: &str, mountinfo: &str) -> Option<String> {
    const SHOWN: usize = 12;
    let hostname = mountinfo
        .lines()
        .find(|line| line.split(' ').nth(4) == Some("/etc/hostname"));
    let id = id_in(cgroup).or_else(|| id_in(hostname?))?;
    Some(id[..SHOWN].to_owned())
}

/// The first 64 hex digits that stand together.
fn id_in(text: &str) -> Option<&str> {
    const DIGITS: usize = 64;
    let mut runs = text.split(|c: char| !c.is_ascii_hexdigit());
    runs.find(|run| run.len() == DIGITS)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host() -> String {
        let host = fs::read_to_string("/proc/sys/kernel/hostname").expect("a host has a name");
        host.trim().to_owned()
    }

    #[test]
    fn the_second_holder_hears_who_the_first_is() {
        let folder = tempfile::tempdir().expect("a folder");
        let first = DirectoryLock::take(folder.path()).expect("the lock");
        let error = DirectoryLock::take(folder.path()).expect_err("held").to_string();
        assert!(
            error.contains(&format!("in use by process {}", std::process::id())),
            "{error}"
        );
        assert!(error.contains(&format!("on host {}", host())), "{error}");
        assert!(error.contains("Leave the file `lock` alone"), "{error}");
        drop(first);
        DirectoryLock::take(folder.path()).expect("the lock is free again");
    }

    #[test]
    fn who_removes_the_lock_file_lets_nobody_in_and_the_holder_sees_it() {
        for round in 0..5 {
            let folder = tempfile::tempdir().expect("a folder");
            let first = DirectoryLock::take(folder.path()).expect("the lock");
            first.check().expect("it is the one that was locked");
            let file = folder.path().join(FILE);
            match round % 2 {
                0 => fs::remove_file(&file).expect("removed"),
                _ => {
                    fs::rename(&file, folder.path().join("elsewhere")).expect("renamed");
                    fs::write(&file, "1\n").expect("made anew");
                }
            }
            assert!(matches!(first.check(), Err(LockError::Lost { .. })));
            for _ in 0..5 {
                let second = DirectoryLock::take(folder.path());
                assert!(matches!(second, Err(LockError::Held { .. })), "{second:?}");
            }
            drop(first);
            let next = DirectoryLock::take(folder.path()).expect("the lock is free again");
            next.check().expect("it is the one that was locked");
        }
    }

    #[test]
    fn where_only_the_file_is_locked_it_is_enough() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = File::create(folder.path().join(FILE)).expect("made");
        file.try_lock().expect("as an earlier version locks it");
        file.write_all_at(b"4711\n", 0).expect("written");
        let error = DirectoryLock::take(folder.path()).expect_err("held").to_string();
        assert!(error.contains("in use by process 4711:"), "{error}");
    }

    #[test]
    fn what_a_dead_holder_left_is_no_lock() {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join(FILE), "4194304000 and more\n".repeat(9)).expect("written");
        let _held = DirectoryLock::take(folder.path()).expect("the lock");
        let text = fs::read_to_string(folder.path().join(FILE)).expect("read");
        assert_eq!(Holder::parse(&text), Some(Holder::this()));
        assert_eq!(text.lines().count(), 1);
    }

    #[test]
    fn a_holder_is_read_as_it_was_written_and_named_by_host_and_container() {
        let holder = |host: Option<&str>, container: Option<&str>| Holder {
            pid: 1,
            host: host.map(str::to_owned),
            container: container.map(str::to_owned),
        };
        let cases = [
            ("1\n", holder(None, None), "process 1"),
            (
                "1 web-3 -\n",
                holder(Some("web-3"), None),
                "process 1 on host web-3",
            ),
            (
                "1 web-3 0123456789ab\n",
                holder(Some("web-3"), Some("0123456789ab")),
                "process 1 of container 0123456789ab, which numbers its own processes, on host web-3",
            ),
        ];
        for (text, holder, words) in cases {
            assert_eq!(Holder::parse(text), Some(holder.clone()));
            assert_eq!(holder.to_string(), words);
        }
        for text in ["", "\n", "x web-3 -\n", "-1\n"] {
            assert_eq!(Holder::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_container_is_found_by_its_control_group_its_hostname_or_its_own_process_numbers() {
        let id = "0123456789abcdef".repeat(4);
        let found = Some("0123456789ab".to_owned());
        for cgroup in [
            format!("12:cpu:/docker/{id}\n"),
            format!("0::/system.slice/docker-{id}.scope\n"),
            format!("0::/kubepods.slice/kubepods-pod1.slice/cri-containerd-{id}.scope\n"),
        ] {
            assert_eq!(container_in(&cgroup, ""), found, "{cgroup}");
        }
        let layers = format!(
            "1 2 0:1 / / rw - overlay overlay lowerdir=/l/{}\n",
            "f".repeat(64)
        );
        let mounted = format!(
            "{layers}3 1 8:1 /var/lib/docker/containers/{id}/hostname /etc/hostname rw - ext4 /dev/sda1 rw\n"
        );
        assert_eq!(container_in("0::/\n", &mounted), found);
        assert_eq!(
            container_in("0::/system.slice/highwater.service\n", &layers),
            None
        );
        assert_eq!(namespace_of_its_own("pid:[4026531836]"), None);
        assert_eq!(
            namespace_of_its_own("pid:[4026532417]"),
            Some("pid-namespace-4026532417".to_owned())
        );
    }
}
