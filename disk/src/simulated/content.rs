//! The bytes of a file: sparse pages, shared between copies until one is written to, so that a crash copies no data.

use std::collections::BTreeMap;
use std::sync::Arc;

const PAGE_BYTES: usize = 4096;
type Page = [u8; PAGE_BYTES];

/// Bytes and a length. A page that is not there is zeros.
#[derive(Clone, Debug, Default)]
pub(super) struct Content {
    len: u64,
    pages: BTreeMap<u64, Arc<Page>>,
}

impl Content {
    pub(super) const fn len(&self) -> u64 {
        self.len
    }

    /// Puts bytes where they belong without changing the length: behind the end they are not seen.
    pub(super) fn write(&mut self, mut bytes: &[u8], mut offset: u64) {
        while !bytes.is_empty() {
            let (page, within) = place(offset);
            let (piece, rest) = bytes.split_at(bytes.len().min(PAGE_BYTES - within));
            let page = self
                .pages
                .entry(page)
                .or_insert_with(|| Arc::new([0; PAGE_BYTES]));
            Arc::make_mut(page)[within..within + piece.len()].copy_from_slice(piece);
            offset += piece.len() as u64;
            bytes = rest;
        }
    }

    /// Reads what lies before the end.
    pub(super) fn read(&self, buffer: &mut [u8], offset: u64) -> usize {
        let left = usize::try_from(self.len.saturating_sub(offset)).unwrap_or(usize::MAX);
        let wanted = buffer.len().min(left);
        let mut filled = 0;
        while filled < wanted {
            let (page, within) = place(offset + filled as u64);
            let take = (wanted - filled).min(PAGE_BYTES - within);
            let target = &mut buffer[filled..filled + take];
            match self.pages.get(&page) {
                Some(page) => target.copy_from_slice(&page[within..within + take]),
                None => target.fill(0),
            }
            filled += take;
        }
        wanted
    }

    /// Makes the file at least this long.
    pub(super) fn grow(&mut self, len: u64) {
        self.len = self.len.max(len);
    }

    /// Makes the file exactly this long; what is cut off reads as zeros should it grow again.
    pub(super) fn set_len(&mut self, len: u64) {
        self.len = len;
        self.trim();
    }

    /// Forgets what lies behind the end.
    pub(super) fn trim(&mut self) {
        let (last, within) = place(self.len);
        drop(self.pages.split_off(&(last + 1)));
        if let Some(page) = self.pages.get_mut(&last) {
            Arc::make_mut(page)[within..].fill(0);
        }
    }
}

fn place(offset: u64) -> (u64, usize) {
    let page = PAGE_BYTES as u64;
    let within = usize::try_from(offset % page).expect("a remainder of 4096 is an index");
    (offset / page, within)
}
