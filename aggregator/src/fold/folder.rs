//! The fold as the rest sees it: read a body, then add it or take it away; at the end of a batch, take the sums.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use aggregate_store::{Batch, DimensionSet};
use ping::{ClientHash, ClientId, SubmissionDate};
use readers::declared::{BodyError, Room, Submitted};
use readers::glean::{CustomLayouts, GleanError, GleanReader, Received};

use super::caps::Caps;
use super::parse;
use super::ping_error::PingError;
use super::products::Product;
use super::shape::Shapes;
use super::staged::Stage;
use super::tables::Tables;
use super::told::ToldPing;

/// Takes a body apart into a stage that was cleared.
pub(super) type ReadPing = fn(&[u8], &mut Stage) -> Result<(), PingError>;

/// Folds pings into one batch's sums.
#[derive(Debug)]
pub struct Folder {
    read: ReadPing,
    glean: GleanReader,
    room: Room,
    stage: Stage,
    tables: Tables,
}

impl Default for Folder {
    fn default() -> Self {
        Self::new()
    }
}

impl Folder {
    /// Empty sums, of pings within the default caps.
    pub fn new() -> Self {
        Self::within(Caps::default())
    }

    /// Empty sums, of pings within these caps.
    pub fn within(caps: Caps) -> Self {
        Self {
            stage: Stage::new(caps),
            ..Self::reading_by(parse::read)
        }
    }

    /// The same sums, of pings in which the texts of these scalars count.
    #[must_use]
    pub fn counting(mut self, strings: Arc<BTreeSet<String>>) -> Self {
        self.stage.strings = strings;
        self
    }

    /// Empty sums of pings that are taken apart by `read`: for tests of what becomes of pings on which that panics.
    pub(super) fn reading_by(read: ReadPing) -> Self {
        Self {
            read,
            glean: GleanReader::default(),
            room: Room::default(),
            stage: Stage::new(Caps::default()),
            tables: Tables::default(),
        }
    }

    /// Takes a body apart, in place of the one before. Adds nothing yet.
    ///
    /// # Errors
    /// When the ping is an errored one. Nothing of it may then be added. A panic is caught and is such an error.
    pub fn read(&mut self, body: &[u8], submission_date: SubmissionDate) -> Result<(), PingError> {
        self.stage.clear(Shapes::MAIN, submission_date);
        let (read, stage) = (self.read, &mut self.stage);
        let read = caught(AssertUnwindSafe(|| read(body, stage)));
        match read {
            Ok(()) => self.stage.count_itself(),
            Err(_) => self.stage.clear(Shapes::MAIN, submission_date),
        }
        read
    }

    /// The same with a body that may be a ping of Glean's. False when it is none: then nothing of it may be added, either.
    ///
    /// # Errors
    /// As for [`read`](Self::read).
    pub fn read_glean(&mut self, body: &[u8], received: &Received<'_>) -> Result<bool, PingError> {
        let stage = &mut self.stage;
        let shape = stage.shapes.glean(received.namespace, received.document_type);
        stage.clear(shape, received.date);
        let (glean, custom) = (&mut self.glean, CustomLayouts::default());
        let read = caught(AssertUnwindSafe(|| {
            let mut sink = ToldPing::new(stage, &[]);
            match glean.read(body, received, &custom, &mut sink) {
                Ok(()) => {
                    sink.count_itself();
                    stage.error.map_or(Ok(true), Err)
                }
                Err(GleanError::DeletionRequest | GleanError::NotGlean) => Ok(false),
                Err(GleanError::Json(error)) => Err(error.into()),
                Err(GleanError::NotAnObject) => Err(PingError::NotAnObject),
                Err(GleanError::DuplicateKey) => Err(PingError::DuplicateKey),
            }
        }));
        if read != Ok(true) {
            self.stage.clear(shape, received.date);
        }
        read
    }

    /// The same with a ping of a declared product, and what stands for its client, if the id is not stored.
    ///
    /// # Errors
    /// As for [`read`](Self::read).
    pub(crate) fn read_declared(
        &mut self,
        body: &[u8],
        product: &Product,
        submitted: Submitted<'_>,
        client_hash: Option<ClientHash>,
    ) -> Result<(), PingError> {
        let stage = &mut self.stage;
        let shape = stage.shapes.declared(product);
        stage.clear(shape, submitted.received);
        let room = &mut self.room;
        let read = caught(AssertUnwindSafe(|| {
            let mut sink = ToldPing::new(stage, &product.metrics);
            match product.reader.read(body, submitted, room, &mut sink) {
                Ok(()) => {
                    sink.count_itself();
                    stage.error.map_or(Ok(()), Err)
                }
                Err(BodyError::Json(error)) => Err(error.into()),
                Err(BodyError::NotAnObject) => Err(PingError::NotAnObject),
                Err(BodyError::DuplicateKey) => Err(PingError::DuplicateKey),
            }
        }));
        if read.is_err() {
            self.stage.clear(shape, submitted.received);
        } else if product.counts_users {
            self.stage.client_hash = client_hash;
        }
        read
    }

    /// Adds the ping that was read last.
    pub fn add(&mut self) {
        self.tables.add(&self.stage, 1);
    }

    /// Takes the ping that was read last away.
    pub fn subtract(&mut self) {
        self.tables.add(&self.stage, -1);
    }

    /// Counts the client of the ping that was read last among the users of its day, if it names one.
    pub fn note_user(&mut self) {
        self.tables.note_user(&self.stage);
    }

    /// The dimensions of the ping that was read last.
    pub(crate) fn dimensions(&self) -> DimensionSet {
        self.stage.shapes.set(self.stage.dimensions.clone())
    }

    /// The client that the ping which was read last counts for, where its id is stored.
    pub(crate) const fn client(&self) -> Option<&ClientId> {
        self.stage.client.as_ref()
    }

    /// About how much memory the sums take, names included.
    pub fn bytes(&self) -> usize {
        self.tables.bytes() + self.stage.vocabulary.bytes() + self.stage.shapes.bytes()
    }

    /// The sums, without zeros, and the refused parts of what they are made of: as a batch of which nothing else is
    /// filled in. The folder is empty afterwards.
    pub fn take(&mut self) -> Batch {
        let mut empty = Stage::new(self.stage.caps);
        empty.strings = Arc::clone(&self.stage.strings);
        let Stage {
            vocabulary, shapes, ..
        } = std::mem::replace(&mut self.stage, empty);
        let mut batch = Batch {
            metrics: vocabulary.metrics.texts(),
            processes: vocabulary.processes.texts(),
            labels: vocabulary.labels.texts(),
            layouts: vocabulary.layouts().to_vec(),
            ..Batch::default()
        };
        std::mem::take(&mut self.tables).write_into(&shapes, &mut batch);
        batch
    }
}

/// What `work` answers; a panic in it is a [`PingError::Panic`].
fn caught<T>(work: impl FnOnce() -> Result<T, PingError> + std::panic::UnwindSafe) -> Result<T, PingError> {
    catch_unwind(work).unwrap_or(Err(PingError::Panic))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A fold with a defect: it panics in the middle of a ping whose body says so.
    fn read_or_panic(body: &[u8], stage: &mut Stage) -> Result<(), PingError> {
        let read = parse::read(body, stage);
        assert!(
            !body.windows(7).any(|window| window == b"\"PANIC\""),
            "on purpose"
        );
        read
    }

    impl Folder {
        /// A folder that panics on pings that hold the text `PANIC`.
        pub(crate) fn with_a_defect() -> Self {
            Self::reading_by(read_or_panic)
        }
    }

    #[test]
    fn a_panic_while_a_ping_is_read_makes_it_an_errored_one() {
        let panicked = caught(|| {
            assert!(std::hint::black_box(false), "on purpose");
            Ok(())
        });
        assert_eq!(panicked, Err(PingError::Panic));
        assert_eq!(caught(|| Ok(())), Ok(()));
    }
}
