//! Which generated pings are still unsent: a number in the data directory, raised before pings are sent, so that no run
//! sends what another one sent.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// So many numbers are taken at once.
const BLOCK: u64 = 1_000;

/// Hands out numbers of pings.
#[derive(Debug)]
pub(super) struct Numbers {
    path: PathBuf,
    next: u64,
    taken_up_to: u64,
    first: u64,
}

impl Numbers {
    /// Goes on where the last run ended.
    pub(super) fn open(data_dir: &Path) -> io::Result<Self> {
        let path = data_dir.join("demo-next-ping");
        let first = match fs::read_to_string(&path) {
            Ok(text) => text
                .trim()
                .parse()
                .map_err(|_| io::Error::other(format!("{} holds no number", path.display())))?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => 0,
            Err(error) => return Err(error),
        };
        Ok(Self {
            path,
            next: first,
            taken_up_to: first,
            first,
        })
    }

    /// The first number of this run. A ping that repeats an earlier one is not this run's.
    pub(super) const fn first(&self) -> u64 {
        self.first
    }

    /// The next number.
    pub(super) fn take(&mut self) -> io::Result<u64> {
        if self.next == self.taken_up_to {
            self.taken_up_to += BLOCK;
            fs::write(&self.path, format!("{}\n", self.taken_up_to))?;
        }
        self.next += 1;
        Ok(self.next - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_run_hands_out_a_number_of_another() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut seen = std::collections::BTreeSet::new();
        for count in [3, 1_000, 1_001, 1] {
            let mut numbers = Numbers::open(folder.path()).expect("opened");
            for _ in 0..count {
                let number = numbers.take().expect("a number");
                assert!(number >= numbers.first() && seen.insert(number), "{number}");
            }
        }
    }
}
