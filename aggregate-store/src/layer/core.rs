//! The layers: one open for what comes, at most one frozen, which is being written. Pure; told the time.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use ping::ChunkId;

use super::{Held, HeldSize, Part};

/// All that is held.
#[derive(Debug)]
pub(super) struct Layers {
    writer: [u8; 16],
    frozen: Option<Layer>,
    open: Layer,
    chunks: HashSet<ChunkId>,
    drops: u64,
    /// When the newest batch came.
    newest: Duration,
    view: Arc<Held>,
}

/// Batches that are written together.
#[derive(Clone, Debug)]
pub(super) struct Layer {
    /// Under this number.
    pub(super) number: u64,
    /// Oldest first.
    pub(super) parts: Vec<Arc<Part>>,
    /// When the first one came.
    since: Option<Duration>,
    bytes: usize,
}

impl Layer {
    const fn empty(number: u64) -> Self {
        Self {
            number,
            parts: Vec::new(),
            since: None,
            bytes: 0,
        }
    }

    /// The chunks it holds.
    pub(super) fn chunks(&self) -> Vec<ChunkId> {
        self.parts.iter().flat_map(|part| part.chunks()).collect()
    }
}

impl Layers {
    /// Nothing held; `newest` is the number that this writer wrote last.
    pub(super) fn new(writer: [u8; 16], newest: Option<u64>) -> Self {
        let mut layers = Self {
            writer,
            frozen: None,
            open: Layer::empty(newest.map_or(1, |newest| newest + 1)),
            chunks: HashSet::new(),
            drops: 0,
            newest: Duration::ZERO,
            view: Arc::default(),
        };
        layers.look();
        layers
    }

    /// What readers add to their snapshot.
    pub(super) fn view(&self) -> Arc<Held> {
        Arc::clone(&self.view)
    }

    /// Those of these chunks that are held.
    pub(super) fn held_of(&self, chunks: impl Iterator<Item = ChunkId>) -> Vec<ChunkId> {
        chunks.filter(|chunk| self.chunks.contains(chunk)).collect()
    }

    /// Holds a batch, none of whose chunks is held.
    pub(super) fn push(&mut self, part: Part, now: Duration) {
        self.chunks.extend(part.chunks());
        self.open.since.get_or_insert(now);
        self.newest = now;
        self.open.bytes += part.bytes();
        self.open.parts.push(Arc::new(part));
        self.look();
    }

    /// Whether a layer is being written, or could not be.
    pub(super) const fn is_frozen(&self) -> bool {
        self.frozen.is_some()
    }

    /// The layer to write: the one that was not written yet, else what is held by now. `None` when nothing is.
    pub(super) fn freeze(&mut self) -> Option<Layer> {
        if self.frozen.is_none() && !self.open.parts.is_empty() {
            let next = Layer::empty(self.open.number + 1);
            self.frozen = Some(std::mem::replace(&mut self.open, next));
            self.look();
        }
        self.frozen.clone()
    }

    /// The frozen layer is written: from now on readers find it in the database.
    pub(super) fn written(&mut self) {
        for chunk in self.frozen.take().iter().flat_map(Layer::chunks) {
            self.chunks.remove(&chunk);
        }
        self.look();
    }

    /// Forgets everything held: what came after the frozen layer was folded on top of it. Its number is not used again.
    pub(super) fn drop_all(&mut self) {
        self.frozen = None;
        self.open = Layer::empty(self.open.number + 1);
        self.chunks.clear();
        self.drops += 1;
        self.look();
    }

    /// How much is held.
    pub(super) fn size(&self, now: Duration) -> HeldSize {
        let frozen = self.frozen.as_ref();
        let frozen_bytes = frozen.map_or(0, |frozen| frozen.bytes);
        let since = frozen.and_then(|frozen| frozen.since).or(self.open.since);
        HeldSize {
            bytes: frozen_bytes + self.open.bytes,
            frozen_bytes,
            batches: frozen.map_or(0, |frozen| frozen.parts.len()) + self.open.parts.len(),
            chunks: self.chunks.len(),
            age: since.map(|since| now.saturating_sub(since)),
            quiet: since.map(|_| now.saturating_sub(self.newest)),
            drops: self.drops,
        }
    }

    /// How often everything was dropped.
    pub(super) const fn drops(&self) -> u64 {
        self.drops
    }

    fn look(&mut self) {
        let layers = self.frozen.iter().chain([&self.open]);
        self.view = Arc::new(Held {
            writer: self.writer,
            layers: layers.map(|layer| (layer.number, layer.parts.clone())).collect(),
        });
    }
}
