//! The edge as a whole: opens the log, takes submissions, seals, tells how it is, ends.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use disk::Disk;
use index_schema::proto::{Header, PingRecord};
use ping::{ClientHash, DimensionSchema, Incarnation, SubmissionDate, Timestamp};
use service::clock::Clock;
use service::current::Current;
use service::random::Random;
use service::shutdown::Trigger;
use service::task::{self, Thread};
use store::Store;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::claim::Claims;
use crate::failure::Failure;
use crate::floor::Floor;
use crate::in_force::InForce;
use crate::intake::{Accepted, Intake, Refusal};
use crate::ledger::Ledger;
use crate::limits::{EdgeLimits, IMPORT_BYTES, IMPORTED_FILES_MAX, RETRY_AFTER_FULL, SEALS_END_WITHIN};
use crate::log::budget::NextSegment;
use crate::log::handle::Log;
use crate::log::message::NewPing;
use crate::partitioning;
use crate::privacy::Privacy;

/// Where the edge keeps what it has, and how much of it.
#[derive(Clone, Debug)]
pub struct EdgeOptions {
    /// The folder of the write-ahead log. The one it lies in is the data directory: the edge watches that both stay where
    /// they are, and the file `lock` beside the log, if there is one.
    pub log_dir: PathBuf,
    /// The folder for chunks that are being written.
    pub staging_dir: PathBuf,
    /// The folder for what a damaged log held.
    pub damaged_dir: PathBuf,
    /// What all chunk keys begin with.
    pub prefix: String,
    /// How much it takes and when it seals.
    pub limits: EdgeLimits,
    /// Whether each start is claimed in the store: where others can reach it, too.
    pub claims: Option<Claims>,
}

/// What the edge is made of.
#[derive(Debug)]
pub struct Parts {
    /// The file system of log and staging.
    pub disk: Arc<dyn Disk>,
    /// Where chunks go.
    pub store: Arc<dyn Store>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// Randomness: salts of segments, jitter.
    pub random: Arc<dyn Random>,
    /// Which dimension values partition chunks.
    pub schema: DimensionSchema,
    /// The identity of the data directory.
    pub incarnation: Incarnation,
    /// By which pings are rewritten on their way into chunks.
    pub privacy: Privacy,
    /// Told the keys of chunks that are in the store. A key that nobody takes is found by the next start's listing.
    pub announce: mpsc::Sender<String>,
}

/// A running edge. Dropping it ends it; what is not in a chunk yet waits in the log.
pub struct Edge {
    pub(crate) log: Arc<Log>,
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) schema: Current<DimensionSchema>,
    pub(crate) privacy: Arc<InForce>,
    /// Pieces of the log that were set aside.
    pub(crate) damaged: Arc<AtomicU64>,
    pub(crate) failure: Failure,
    pub(crate) closing: AtomicBool,
    pub(crate) floor: Floor,
    pub(crate) trigger: Trigger,
    pub(crate) writer: Mutex<Option<Thread<()>>>,
    pub(crate) schedule: Mutex<Option<JoinHandle<()>>>,
}

/// A line of an imported file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportedPing {
    /// The line's number in its file, the first is 1.
    pub line: u64,
    /// When it was received.
    pub received: Timestamp,
    /// The request target.
    pub uri: Bytes,
    /// The stored headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// What stands for its client, where it was stored without the id before.
    pub client_hash: Option<ClientHash>,
    /// The body.
    pub body: Bytes,
}

impl Edge {
    /// Seals everything that waits by now, be it neither old nor large. Returns at once.
    pub fn seal_all(&self) {
        self.ledger.hurry();
    }

    /// Seals everything that waits by now, and returns when it is in the store. While the store is out of reach, that
    /// takes for ever.
    pub async fn wait_until_sealed(&self) {
        let moment = self.ledger.hurry();
        let mut changes = self.ledger.changes();
        while !self.ledger.is_sealed_until(moment) {
            // The ledger, which tells of changes, lives as long as the edge.
            let _ = changes.changed().await;
        }
    }

    /// Takes lines of an imported file, in ascending order, each once however often it is sent; answers how many were
    /// new, once they are on disk. After an error, ask [`Self::import_progress`] where to go on.
    ///
    /// # Errors
    /// [`Refusal::Full`] when the log has no room for them now, [`Refusal::TooLarge`] when one of them never finds room,
    /// [`Refusal::Unavailable`] when the log cannot be written.
    pub async fn import(&self, file: Incarnation, pings: Vec<ImportedPing>) -> Result<u64, Refusal> {
        let (mut added, mut group, mut bytes) = (0, Vec::new(), 0);
        let budget = usize::try_from(self.log.budget().bytes_max()).unwrap_or(usize::MAX);
        for ping in pings {
            let ping = self.imported(file, ping);
            if !ping.fits() || ping.frame_bytes_max() > budget {
                return Err(Refusal::TooLarge);
            }
            if bytes > 0 && bytes + ping.frame_bytes_max() > budget {
                added += self.import_group(std::mem::take(&mut group), bytes).await?;
                bytes = 0;
            }
            bytes += ping.frame_bytes_max();
            group.push(ping);
            if bytes >= IMPORT_BYTES.min(budget / 8) {
                added += self.import_group(std::mem::take(&mut group), bytes).await?;
                bytes = 0;
            }
        }
        if !group.is_empty() {
            added += self.import_group(group, bytes).await?;
        }
        Ok(added)
    }

    /// The highest line of an imported file that is on disk; 0 when there is none.
    pub fn import_progress(&self, file: Incarnation) -> u64 {
        self.ledger.imported(file)
    }

    /// Has other privacy rules in force, and tells pings of other sources apart: for everything that is in no plan yet, when this
    /// returns. Chunks of a plan that is logged are what it says, so that they can be made again; pings that wait stay in the
    /// partition in which they are.
    pub async fn take_up(&self, privacy: Privacy, schema: DimensionSchema) {
        self.privacy.exchange(privacy).await;
        let schema = Arc::new(schema);
        self.ledger.tell_apart_by(Arc::clone(&schema));
        self.schema.exchange(schema);
    }

    /// Takes no ping of a day before this one from now on: nothing of before is indexed any more.
    pub fn set_floor(&self, floor: Option<SubmissionDate>) {
        self.floor.set(floor);
    }

    /// Whether a ping that is received now would be indexed.
    pub(crate) fn takes_today(&self) -> bool {
        let now = Timestamp::from_micros(self.clock.now_micros());
        self.floor.admits(now.submission_date())
    }

    /// Whether lines of this file can be imported: it is known, or fewer than [`IMPORTED_FILES_MAX`] others are.
    pub fn admits_import(&self, file: Incarnation) -> bool {
        self.ledger.imported(file) > 0 || self.ledger.imported_files() < IMPORTED_FILES_MAX
    }

    /// Returns when something ended that must not, with what it was: then the process has to end, non-zero.
    pub async fn failed(&self) -> &'static str {
        self.failure.wait().await
    }

    /// Ends the edge: takes nothing more, finishes what it took, and, if asked, seals everything first. Seals under way
    /// are waited for, for ten seconds at most: what they leave undone is in the log.
    pub async fn shutdown(&self, seal: bool) {
        self.closing.store(true, Ordering::SeqCst);
        if seal {
            self.wait_until_sealed().await;
        }
        self.trigger.pull();
        let schedule = self
            .schedule
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(schedule) = schedule {
            tokio::select! {
                biased;
                // Its panic was told by its guard.
                _ = schedule => {}
                () = task::sleep(SEALS_END_WITHIN) => tracing::warn!(
                    "the store or the disk takes long: seals under way are left, the next start carries them out"
                ),
            }
        }
        self.log.end().await;
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(writer) = writer {
            // Its panic was told by its guard.
            writer.ended().await;
        }
    }

    async fn import_group(&self, pings: Vec<NewPing>, bytes: usize) -> Result<u64, Refusal> {
        self.check_taking()?;
        let reservation = self.log.reserve(bytes, pings.len() as u64);
        let reservation = reservation.ok_or_else(|| self.without_room())?;
        let added = self
            .log
            .append_lines(pings, reservation)
            .await
            .map_err(|_| Refusal::Unavailable)?;
        self.check_kept()?;
        Ok(added)
    }

    /// Whether anything is taken at all.
    fn check_taking(&self) -> Result<(), Refusal> {
        if self.closing.load(Ordering::SeqCst) {
            return Err(Refusal::Unavailable);
        }
        self.check_kept()
    }

    /// Whether what is in the log may be acknowledged: the next process would find it, and no other works on it.
    fn check_kept(&self) -> Result<(), Refusal> {
        match self.failure.told().is_none() && self.log.names().lost().is_none() {
            true => Ok(()),
            false => Err(Refusal::Unavailable),
        }
    }

    /// Why the log gave no room: it is full, or its next segment cannot be made, which is no want of room.
    fn without_room(&self) -> Refusal {
        match self.log.budget().next_segment() {
            NextSegment::Failed => Refusal::Unavailable,
            NextSegment::Ready | NextSegment::NoRoom => Refusal::Full {
                retry_after: RETRY_AFTER_FULL,
            },
        }
    }

    fn imported(&self, file: Incarnation, ping: ImportedPing) -> NewPing {
        let ImportedPing {
            line,
            received,
            uri,
            headers,
            client_hash,
            body,
        } = ping;
        let mut new = self.new_ping(received, Accepted { uri, headers, body });
        if let Some(hash) = client_hash {
            new.head.client_hash = Bytes::copy_from_slice(hash.as_bytes());
        }
        new.head.incarnation = Bytes::copy_from_slice(file.as_bytes());
        new.head.sequence = line;
        new
    }

    fn new_ping(&self, received: Timestamp, accepted: Accepted) -> NewPing {
        let Accepted { uri, headers, body } = accepted;
        let date = received.submission_date();
        let partition = partitioning::partition(&self.schema.get(), &uri, date);
        let head = PingRecord {
            received_us: received.as_micros(),
            submission_date: date.as_yyyymmdd(),
            uri,
            headers: headers
                .into_iter()
                .map(|(name, value)| Header { name, value })
                .collect(),
            received_bytes: body.len() as u64,
            ..PingRecord::default()
        };
        NewPing {
            head,
            body,
            partition,
        }
    }
}

impl Intake for Edge {
    fn admit(&self, body_bytes: u64) -> Result<(), Refusal> {
        self.check_taking()?;
        if !self.takes_today() {
            return Err(Refusal::BelowFloor);
        }
        // What a ping takes beside its body does not matter here: the real question is asked when it is submitted.
        match self
            .log
            .reserve(usize::try_from(body_bytes).unwrap_or(usize::MAX), 1)
        {
            Some(_) => Ok(()),
            None => Err(self.without_room()),
        }
    }

    async fn submit(&self, accepted: Accepted) -> Result<(), Refusal> {
        self.check_taking()?;
        let received = Timestamp::from_micros(self.clock.now_micros());
        if !self.floor.admits(received.submission_date()) {
            return Err(Refusal::BelowFloor);
        }
        let ping = self.new_ping(received, accepted);
        if !ping.fits() {
            return Err(Refusal::TooLarge);
        }
        let reservation = self.log.reserve(ping.frame_bytes_max(), 1);
        let reservation = reservation.ok_or_else(|| self.without_room())?;
        self.log
            .append(ping, reservation)
            .await
            .map_err(|_| Refusal::Unavailable)?;
        self.check_kept()
    }
}

impl std::fmt::Debug for Edge {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Edge")
            .field("log", &self.log)
            .field("ledger", &self.ledger)
            .finish_non_exhaustive()
    }
}
