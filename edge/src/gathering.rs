//! Having pings gathered, in what room there is, until it works.

use std::path::Path;
use std::sync::Arc;

use chunk::WriteError;
use disk::Disk;
use ping::{ChunkId, Timestamp};

use crate::fit::{ChunkBuffer, Fit, Misfit};
use crate::gather::{GatherError, Gathered};
use crate::gatherers::Job;
use crate::log::position::Position;
use crate::partition_key::PartitionKey;
use crate::privacy::NumberedRules;
use crate::put::Tries;
use crate::seal::{Ended, Sealer};
use crate::staging::is_beyond_extent;
use crate::staging_room::TakenRoom;
use crate::stuck::SealPermit;

/// What is to be gathered.
pub(crate) struct Wanted {
    /// The identity of the chunk.
    pub(crate) id: ChunkId,
    /// Its kind and partition.
    pub(crate) key: PartitionKey,
    /// Its pings.
    pub(crate) positions: Arc<Vec<Position>>,
    /// The time of sealing.
    pub(crate) sealed: Timestamp,
    /// All of them, or none: they are a plan's. Else as many as there is room for.
    pub(crate) whole: bool,
    /// By which they are rewritten, if any are.
    pub(crate) rules: Option<Arc<NumberedRules>>,
}

impl Sealer {
    /// Gathers at one of a few gatherers, until it works. With a plan's pings, `None` when that gives way to others.
    pub(crate) async fn gather(
        &self,
        wanted: &Wanted,
        permit: &mut SealPermit,
        tries: &mut Tries,
    ) -> Result<Option<Gathered>, Ended> {
        let mut fit = Fit::first(self.room.sizes(), &wanted.positions, wanted.whole);
        loop {
            let room = self.take_room(&mut fit, wanted).await?;
            let pings = fit.pings(&wanted.positions);
            let job = Job {
                id: wanted.id,
                key: wanted.key.clone(),
                positions: Arc::clone(&wanted.positions),
                pings,
                sealed: wanted.sealed,
                extent: room.extent,
                stored_bytes: self.stored_bytes(wanted.whole, fit.buffer()),
                rules: wanted.rules.clone(),
            };
            let error = match self.gatherers.gather(job).await {
                Ok(gathered) => return Ok(Some(with_room(gathered, room))),
                Err(error) => error,
            };
            drop(room);
            if misfit(&error).is_some_and(|misfit| fit.after(misfit, pings)) {
                tracing::debug!(%error, chunk = %wanted.id, next = ?fit.buffer(), "gathered elsewhere");
                continue;
            }
            tracing::warn!(%error, chunk = %wanted.id, "could not gather a chunk; tried again");
            tries.fail();
            if self.stuck.gives_way(permit, tries.failures()) && wanted.whole {
                return Ok(None);
            }
            self.tell_aside(permit, wanted);
            self.pause_between(tries, permit, wanted).await?;
            fit = Fit::first(self.room.sizes(), &wanted.positions, wanted.whole);
        }
    }

    /// Pings that cannot be gathered for long let others have their place. They are no plan yet, and are tried on here.
    fn tell_aside(&self, permit: &SealPermit, wanted: &Wanted) {
        if permit.is_stuck()
            && let Some(number) = permit.number()
            && self.ledger.set_stuck(number)
        {
            tracing::error!(
                chunk = %wanted.id,
                pings = wanted.positions.len(),
                "these pings cannot be gathered from the write-ahead log for long: others are sealed meanwhile, the log is not freed beyond them; tried on for ever"
            );
        }
    }

    async fn pause_between(
        &self,
        tries: &mut Tries,
        permit: &SealPermit,
        wanted: &Wanted,
    ) -> Result<(), Ended> {
        // A plan that stands aside keeps the others that do from their tries.
        if permit.is_stuck() && !wanted.whole {
            tries.wait().up_to(self.longest_stuck_wait());
        }
        self.pause(tries.wait()).await
    }

    async fn take_room(&self, fit: &mut Fit, wanted: &Wanted) -> Result<TakenRoom, Ended> {
        let mut waited = false;
        loop {
            if matches!(fit.buffer(), ChunkBuffer::File(_))
                && let Some(free) = self.free_bytes().await
            {
                fit.free(free);
            }
            if matches!(fit.buffer(), ChunkBuffer::Large) {
                if let Some(room) = self.room.try_large() {
                    return Ok(room);
                }
                fit.be_small();
            }
            tokio::select! {
                biased;
                () = self.shutdown.wished() => return Err(Ended),
                room = self.room.take(fit.buffer(), wanted.whole) => return Ok(room),
                // Whoever has the room waits for a store that answers nothing: what goes on does so in memory.
                () = service::task::sleep(self.first_wait * crate::put::BACKOFF_GROWTH), if !waited => {}
            }
            waited = true;
            fit.after(Misfit::NoFile, wanted.positions.len());
        }
    }

    /// Where a chunk ends.
    fn stored_bytes(&self, whole: bool, buffer: ChunkBuffer) -> u64 {
        let sizes = self.room.sizes();
        match buffer {
            ChunkBuffer::File(_) if !whole => sizes.largest_file(),
            // What there is room for in memory is not known before it is compressed.
            _ => sizes.chunk_bytes,
        }
    }

    async fn free_bytes(&self) -> Option<u64> {
        let (disk, dir) = (Arc::clone(&self.disk), self.gatherers.staging_dir().to_owned());
        service::task::blocking(move || free_bytes(disk.as_ref(), &dir)).await
    }
}

fn free_bytes(disk: &dyn Disk, dir: &Path) -> Option<u64> {
    // Who is not told tries.
    disk.free_bytes(dir).ok()
}

fn with_room(mut gathered: Gathered, mut room: TakenRoom) -> Gathered {
    if let Some(chunk) = &mut gathered.chunk {
        room.keep(chunk.staged.file_bytes());
        chunk.room = Some(room);
    }
    gathered
}

/// Whether a chunk could not be gathered for want of room.
fn misfit(error: &GatherError) -> Option<Misfit> {
    match error {
        GatherError::Write(WriteError::Io(error)) if is_beyond_extent(error) => Some(Misfit::Larger),
        GatherError::Write(WriteError::Io(error)) if disk::is_want_of_room(error) => Some(Misfit::NoFile),
        GatherError::Write(WriteError::Full(_)) => Some(Misfit::OnePing),
        GatherError::Read(_) | GatherError::Write(_) => None,
    }
}
