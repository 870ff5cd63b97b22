//! Copying forward: the pings of rare partitions that pin the oldest segment are logged again, and it is freed.

use std::sync::Arc;

use crate::ledger::Forward;
use crate::log::handle::{Log, ReadError};
use crate::log::message::Copy;
use crate::log::position::Position;
use crate::metrics as names;
use crate::seal::Sealer;
use crate::waiting::Taken;

/// So many bytes are copied at once, so that submissions get their turn in between.
const COPY_BYTES: usize = 1 << 20;

/// A ping that is to be copied, and which of the partitions it is of.
type Owned = (usize, Position);

/// What was read of some pings.
#[derive(Default)]
struct Group {
    owners: Vec<usize>,
    copies: Vec<Copy>,
    /// Pings that can no longer be read, with what is there instead.
    damaged: Vec<(Position, Vec<u8>)>,
    /// How many pings were read so far, those of earlier groups included.
    upto: usize,
}

impl Sealer {
    /// Copies pings forward and gives them back, wherever they lie then. What cannot be copied stays where it is.
    pub(crate) async fn forward(self: &Arc<Self>, forward: Forward) {
        let Forward { number, taken } = forward;
        let pings = taken.iter().enumerate();
        let pings = pings.flat_map(|(owner, taken)| taken.positions.iter().map(move |place| (owner, *place)));
        let pings: Arc<Vec<Owned>> = Arc::new(pings.collect());
        let mut places: Vec<Vec<Position>> = vec![Vec::new(); taken.len()];
        let mut copied = 0;
        while copied < pings.len() {
            match self.copy_group(&pings, copied, &taken, &mut places).await {
                Some(upto) => copied = upto,
                None => break,
            }
        }
        if copied < pings.len() && self.pause(&mut self.backoff()).await.is_err() {
            return; // The process is ending; everything is found in the log again.
        }
        for (owner, position) in &pings[copied..] {
            places[*owner].push(*position);
        }
        for (taken, positions) in taken.into_iter().zip(places) {
            self.ledger.give_back(Taken { positions, ..taken });
        }
        self.ledger.end_seal(number);
    }

    /// Copies some pings, from the one at `from` on, and notes their new places; answers how many are copied by now.
    async fn copy_group(
        self: &Arc<Self>,
        pings: &Arc<Vec<Owned>>,
        from: usize,
        taken: &[Taken],
        places: &mut [Vec<Position>],
    ) -> Option<usize> {
        let (log, list) = (Arc::clone(&self.log), Arc::clone(pings));
        let group = service::task::blocking(move || read_group(&log, &list, from)).await;
        if group.upto == from {
            return None;
        }
        let bytes: usize = group.copies.iter().map(Copy::frame_bytes).sum();
        let copied = match self.log.budget().reserve_on_top(bytes as u64) {
            Some(room) if bytes > 0 => self.log.append_copies(group.copies, room).await.ok()?,
            Some(_) => Vec::new(),
            None => return None,
        };
        metrics::counter!(names::PINGS_COPIED).increment(copied.len() as u64);
        for (owner, place) in group.owners.iter().zip(copied) {
            places[*owner].push(place);
        }
        self.set_aside(&taken[pings[from].0].key, group.damaged).await;
        Some(group.upto)
    }
}

/// Reads pings from the one at `from` on, about [`COPY_BYTES`]; none when the disk answers with an error.
fn read_group(log: &Log, pings: &[Owned], from: usize) -> Group {
    let (mut group, mut bytes) = (Group::default(), 0);
    group.upto = from;
    for (owner, position) in &pings[from..] {
        if bytes >= COPY_BYTES {
            break;
        }
        match log.read_payload(*position) {
            Ok(payload) => {
                bytes += payload.len();
                group.owners.push(*owner);
                group.copies.push(Copy {
                    from: *position,
                    payload,
                });
            }
            Err(ReadError::Damaged { bytes, .. }) => group.damaged.push((*position, bytes)),
            Err(ReadError::Disk(error)) => {
                tracing::warn!(%error, "could not read pings that are to be copied forward; tried again");
                break;
            }
        }
        group.upto += 1;
    }
    group
}
