//! The privacy rules by which pings are rewritten on their way into a chunk, numbered and kept: `privacy/000001.json` and so on.
//!
//! A plan names the number of the rules that its chunk was gathered by, and a chunk is gathered again by those, whatever is declared
//! by then: so its digest is the planned one. A set is durable before a plan can name it, is never changed, and never removed.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use disk::Disk;
use readers::privacy::{ClientHasher, ClientSecret, Declared, Fingerprint, RuleSet, Rules, StoredRulesError};

use crate::limits::PRIVACY_SET_BYTES_MAX;

const ENDING: &str = "json";

/// Why rules cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum PrivacyError {
    /// A kept set cannot be read or written.
    #[error("privacy rules {path}: {source}")]
    Disk {
        /// The file or folder.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// A kept set is of no use.
    #[error("privacy rules {path}: {source}; put it back from a backup, for the write-ahead log may need it")]
    Set {
        /// The file.
        path: String,
        /// Why.
        source: StoredRulesError,
    },
    /// A set is not there that a plan names.
    #[error(
        "privacy rules {path} are missing, and a plan in the write-ahead log names them: put the file back from a backup. If it is \
         lost for good, copy the newest file beside it under this name: then the pings of that plan become another chunk, by the \
         rules of now"
    )]
    Missing {
        /// The file.
        path: String,
    },
    /// There are too many rules to be kept.
    #[error(
        "the privacy rules of all declarations take {bytes} bytes, more than {max}: name fewer paths in `drop`, or one that leads \
         to several"
    )]
    TooMany {
        /// What they take.
        bytes: usize,
        /// What they may take.
        max: usize,
    },
    /// Another secret was in use.
    #[error(
        "clients were hashed with the secret {known}, and {} is given: give back that one, for by another secret each user is \
         counted once more; if it is lost for good, start once with --client-secret-replaces {known}",
        given.map_or_else(|| "none".to_owned(), |given| given.to_string())
    )]
    OtherSecret {
        /// What tells the secret that was in use.
        known: Fingerprint,
        /// What tells the one that is given.
        given: Option<Fingerprint>,
    },
    /// Clients are to be hashed, and there is no secret.
    #[error(
        "a declaration has clients hashed before their pings are stored, and there is no secret to do it with"
    )]
    NoSecret,
}

/// The kept rules, before it is known with which secret they are carried out.
#[derive(Debug)]
pub struct PrivacyFolder {
    disk: Arc<dyn Disk>,
    dir: PathBuf,
    newest: Option<(u32, RuleSet)>,
}

/// The rules in force, and those that plans name.
#[derive(Clone, Debug, Default)]
pub struct Privacy {
    folder: Option<(Arc<dyn Disk>, PathBuf)>,
    secret: Option<ClientSecret>,
    current: Option<Arc<NumberedRules>>,
}

/// Rules that can be carried out.
#[derive(Debug)]
pub(crate) struct NumberedRules {
    /// Their number.
    pub(crate) number: u32,
    /// What they say.
    pub(crate) rules: Rules,
    /// What clients are hashed by.
    pub(crate) secret: Option<ClientSecret>,
    /// The same, ready for those that are hashed alike on all days.
    pub(crate) always: Option<ClientHasher>,
}

/// By what a plan's chunk is gathered again.
#[derive(Clone, Debug)]
pub(crate) enum PlanRules {
    /// By these, or by none.
    Known(Option<Arc<NumberedRules>>),
    /// It cannot be: it was gathered with a secret that is no more.
    OtherSecret,
}

impl PrivacyFolder {
    /// Reads the newest rules that are kept in a folder; there need be none, nor the folder.
    ///
    /// # Errors
    /// See [`PrivacyError`].
    pub fn open(disk: Arc<dyn Disk>, dir: &Path) -> Result<Self, PrivacyError> {
        let entries = match disk.read_dir(dir) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(on_disk(dir, error)),
        };
        let newest = entries.iter().filter_map(|(path, _)| number_of(path)).max();
        let newest = newest.map(|number| Ok((number, read(disk.as_ref(), dir, number)?)));
        Ok(Self {
            disk,
            dir: dir.to_owned(),
            newest: newest.transpose()?,
        })
    }

    /// The rules after what is declared now.
    #[must_use]
    pub fn after(&self, declared: &Declared) -> Rules {
        let newest = self.newest.as_ref();
        newest
            .map_or_else(Rules::default, |(_, set)| set.rules.clone())
            .after(declared)
    }

    /// What tells the secret that clients were hashed with until now.
    #[must_use]
    pub fn secret(&self) -> Option<Fingerprint> {
        self.newest.as_ref().and_then(|(_, set)| set.secret)
    }

    /// Whether these rules can be in force: nothing is kept yet. The secret must be the one of before, unless it replaces that on
    /// purpose.
    ///
    /// # Errors
    /// See [`PrivacyError`].
    pub fn check(
        &self,
        rules: &Rules,
        secret: Option<&ClientSecret>,
        replaces: Option<Fingerprint>,
    ) -> Result<(), PrivacyError> {
        self.set_of(rules.clone(), secret, replaces).map(drop)
    }

    /// Has these rules in force from now on, and keeps them, if they can be; see [`check`](Self::check).
    ///
    /// # Errors
    /// See [`PrivacyError`]. Then nothing is in force.
    pub fn begin(
        self,
        rules: Rules,
        secret: Option<ClientSecret>,
        replaces: Option<Fingerprint>,
    ) -> Result<Privacy, PrivacyError> {
        let (set, text) = self.set_of(rules, secret.as_ref(), replaces)?;
        let number = match &self.newest {
            Some((number, newest)) if *newest == set => {
                self.settle()?;
                *number
            }
            None if set.rules.is_empty() => 0,
            newest => {
                let number = newest.as_ref().map_or(0, |(number, _)| *number) + 1;
                self.keep(number, &text)?;
                number
            }
        };
        let current = (!set.rules.is_empty()).then(|| NumberedRules::new(number, set.rules, secret.as_ref()));
        Ok(Privacy {
            folder: Some((self.disk, self.dir)),
            secret,
            current: current.map(Arc::new),
        })
    }

    /// The set of these rules, and it as it is kept.
    fn set_of(
        &self,
        rules: Rules,
        secret: Option<&ClientSecret>,
        replaces: Option<Fingerprint>,
    ) -> Result<(RuleSet, String), PrivacyError> {
        let (known, given) = (self.secret(), secret.map(ClientSecret::fingerprint));
        let hashes = rules.hash();
        match known {
            Some(known) if given != Some(known) => {
                let is_meant = given.is_some() && replaces == Some(known);
                if (given.is_some() || hashes) && !is_meant {
                    return Err(PrivacyError::OtherSecret { known, given });
                }
            }
            None if hashes && given.is_none() => return Err(PrivacyError::NoSecret),
            _ => {}
        }
        let set = RuleSet {
            secret: match known {
                Some(_) => given.or(known),
                None => given.filter(|_| hashes),
            },
            rules,
        };
        let text = set.to_text();
        if text.len() > PRIVACY_SET_BYTES_MAX {
            return Err(PrivacyError::TooMany {
                bytes: text.len(),
                max: PRIVACY_SET_BYTES_MAX,
            });
        }
        Ok((set, text))
    }

    /// Has the newest set stay: whoever kept it may have been killed before its name was on disk.
    fn settle(&self) -> Result<(), PrivacyError> {
        let dir = self.dir.as_path();
        self.disk.sync_dir(dir).map_err(|error| on_disk(dir, error))
    }

    /// Keeps a set for good: when this returns, a crash cannot lose it.
    fn keep(&self, number: u32, text: &str) -> Result<(), PrivacyError> {
        let (disk, dir) = (self.disk.as_ref(), self.dir.as_path());
        let parent = dir.parent().unwrap_or(dir);
        disk.create_dir(dir).map_err(|error| on_disk(dir, error))?;
        disk.sync_dir(parent).map_err(|error| on_disk(parent, error))?;
        let path = path_of(dir, number);
        disk::replace(disk, &path, text.as_bytes()).map_err(|error| on_disk(&path, error))
    }
}

impl Privacy {
    /// No rules, nor any that were kept: pings are stored as they were sent.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// The rules in force, if there are any.
    pub(crate) const fn current(&self) -> Option<&Arc<NumberedRules>> {
        self.current.as_ref()
    }

    /// Those that a plan names: 0 for none. Blocks.
    pub(crate) fn of_plan(&self, number: u32) -> Result<PlanRules, PrivacyError> {
        if number == 0 {
            return Ok(PlanRules::Known(None));
        }
        if let Some(current) = self.current.as_ref().filter(|rules| rules.number == number) {
            return Ok(PlanRules::Known(Some(Arc::clone(current))));
        }
        let Some((disk, dir)) = &self.folder else {
            return Err(missing(&path_of(Path::new("privacy"), number)));
        };
        let set = read(disk.as_ref(), dir, number)?;
        let given = self.secret.as_ref();
        if set.rules.hash() && set.secret != given.map(ClientSecret::fingerprint) {
            return Ok(PlanRules::OtherSecret);
        }
        let rules = NumberedRules::new(number, set.rules, given);
        Ok(PlanRules::Known(Some(Arc::new(rules))))
    }
}

impl NumberedRules {
    fn new(number: u32, rules: Rules, secret: Option<&ClientSecret>) -> Self {
        let secret = secret.filter(|_| rules.hash());
        Self {
            number,
            always: secret.map(ClientSecret::hasher),
            secret: secret.cloned(),
            rules,
        }
    }
}

fn path_of(dir: &Path, number: u32) -> PathBuf {
    dir.join(format!("{number:06}.{ENDING}"))
}

fn number_of(path: &Path) -> Option<u32> {
    let ends_so = path.extension().is_some_and(|ending| ending == ENDING);
    let number = path.file_stem()?.to_str()?.parse().ok()?;
    ends_so.then_some(number)
}

fn read(disk: &dyn Disk, dir: &Path, number: u32) -> Result<RuleSet, PrivacyError> {
    let path = path_of(dir, number);
    let of_the_disk = |error| on_disk(&path, error);
    let file = match disk.open_read(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(missing(&path)),
        other => other.map_err(of_the_disk)?,
    };
    let length = file.len().map_err(of_the_disk)?;
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    let source = if length > PRIVACY_SET_BYTES_MAX {
        StoredRulesError::Damaged(format!("it has {length} bytes"))
    } else {
        let mut text = vec![0; length];
        let read = file.read_at(&mut text, 0).map_err(of_the_disk)?;
        match RuleSet::parse(&text[..read]) {
            Ok(set) => return Ok(set),
            Err(error) => error,
        }
    };
    Err(PrivacyError::Set {
        path: path.display().to_string(),
        source,
    })
}

fn missing(path: &Path) -> PrivacyError {
    PrivacyError::Missing {
        path: path.display().to_string(),
    }
}

fn on_disk(path: &Path, source: io::Error) -> PrivacyError {
    PrivacyError::Disk {
        path: path.display().to_string(),
        source,
    }
}
