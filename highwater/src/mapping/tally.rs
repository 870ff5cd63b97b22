//! What is said once for all pings: what is never there, and what is there and not declared.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use readers::explain::{Explained, short};

/// Paths that are listed.
const PATHS_SHOWN: usize = 50;

/// Sums over pings.
#[derive(Default)]
pub(super) struct Tally {
    pub(super) read: usize,
    pub(super) unreadable: usize,
    /// Pings of sources that are not declared.
    pub(super) of_others: usize,
    /// Declared paths that were in no ping yet, by source.
    absent: BTreeMap<String, BTreeSet<String>>,
    /// By path, in how many pings it stands.
    undeclared: BTreeMap<String, usize>,
}

impl Tally {
    /// Adds a ping.
    pub(super) fn add(&mut self, source: &str, explained: &Explained) {
        if explained.error.is_some() {
            self.unreadable += 1;
            return;
        }
        self.read += 1;
        match self.absent.get_mut(source) {
            Some(absent) => absent.retain(|path| explained.absent.contains(path)),
            None => {
                self.absent.insert(source.to_owned(), explained.absent.clone());
            }
        }
        for (path, _) in &explained.undeclared {
            *self.undeclared.entry(path.clone()).or_default() += 1;
        }
    }

    /// Says it.
    pub(super) fn write(&self, out: &mut impl Write) -> io::Result<()> {
        let Self {
            read,
            unreadable,
            of_others,
            ..
        } = self;
        if read + unreadable + of_others == 0 {
            return Ok(());
        }
        writeln!(
            out,
            "\npings: {read} read, {unreadable} that cannot be read, {of_others} of sources that are not declared"
        )?;
        for (source, paths) in &self.absent {
            for path in paths.iter().take(PATHS_SHOWN) {
                writeln!(out, "never there    {source}: {path}")?;
            }
            more(out, paths.len())?;
        }
        let mut undeclared: Vec<_> = self.undeclared.iter().collect();
        undeclared.sort_by_key(|(path, pings)| (std::cmp::Reverse(**pings), *path));
        for (path, pings) in undeclared.iter().take(PATHS_SHOWN) {
            writeln!(
                out,
                "not declared   {}, in {pings} of {read}",
                short(path.as_bytes())
            )?;
        }
        more(out, undeclared.len())
    }
}

fn more(out: &mut impl Write, paths: usize) -> io::Result<()> {
    if paths > PATHS_SHOWN {
        writeln!(out, "               and {} paths more", paths - PATHS_SHOWN)?;
    }
    Ok(())
}
