//! In how much room a chunk is gathered: what is tried first, and what after that failed. Pure.
//!
//! Chunks above a size in memory are gathered in files of the staging folder, whose room lies inside the budget of the disk. A
//! disk that is full all the same must not stop the draining of the log: then fewer pings are gathered, in memory.

use crate::log::position::Position;

/// Bytes that one chunk at a time may take in memory where there is no file for it: any single ping fits, whatever it
/// inflates to.
pub(crate) const LARGE_BYTES: u64 = chunk::limits::RECORD_RAW_BYTES_MAX as u64 + (2 << 20);

/// What a chunk takes beside its records, at most a few KB.
const CHUNK_BYTES: u64 = 8 << 10;

/// How much there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sizes {
    /// What each seal may hold in memory.
    pub(crate) memory_bytes: u64,
    /// What all files may take together; 0 where there is no room for any.
    pub(crate) file_bytes: u64,
    /// No chunk is larger.
    pub(crate) chunk_bytes: u64,
}

/// Where a chunk is gathered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ChunkBuffer {
    /// In memory, as each seal may.
    Small,
    /// In a file of at most so many bytes.
    File(u64),
    /// In memory, one chunk at a time: at most [`LARGE_BYTES`].
    Large,
}

/// Why it did not fit where it was tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Misfit {
    /// The disk has no room for the file, or others hold the room for files for long.
    NoFile,
    /// It takes more than was thought.
    Larger,
    /// Not even the first ping fits into a chunk of this size.
    OnePing,
}

/// Where the pings of a seal are gathered, and how many of them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fit {
    sizes: Sizes,
    /// All of them or none: they are a plan's.
    whole: bool,
    buffer: ChunkBuffer,
    /// No more pings than this.
    most: usize,
    /// Whether there was no room for a file.
    no_file: bool,
    /// Whether a file was made shorter than was thought to be needed, for the disk has no room for more.
    shortened: bool,
}

impl Fit {
    /// Where these are tried first.
    pub(crate) fn first(sizes: Sizes, positions: &[Position], whole: bool) -> Self {
        let estimate = estimate(positions);
        let buffer = if estimate <= sizes.memory_bytes {
            ChunkBuffer::Small
        } else if sizes.file_bytes == 0 && !whole {
            ChunkBuffer::Large
        } else {
            ChunkBuffer::File(estimate.min(sizes.largest_file()))
        };
        Self {
            sizes,
            whole,
            buffer,
            most: positions.len(),
            no_file: sizes.file_bytes == 0,
            shortened: false,
        }
    }

    /// Where they are gathered now.
    pub(crate) const fn buffer(&self) -> ChunkBuffer {
        self.buffer
    }

    /// How many of these are gathered, from the first on: at least one.
    pub(crate) fn pings(&self, positions: &[Position]) -> usize {
        if self.whole {
            return positions.len();
        }
        let fitting = match self.buffer {
            ChunkBuffer::Small => fitting(positions, self.sizes.memory_bytes),
            // The chunk's own limit ends it, where it is less than all of them.
            ChunkBuffer::File(bytes) if bytes == self.sizes.largest_file() => positions.len(),
            ChunkBuffer::File(bytes) => fitting(positions, bytes),
            ChunkBuffer::Large => fitting(positions, LARGE_BYTES),
        };
        fitting.min(self.most).max(1)
    }

    /// So many bytes are free on the disk: a file that would not fit is made shorter, or not at all.
    pub(crate) fn free(&mut self, free_bytes: u64) {
        if let ChunkBuffer::File(bytes) = self.buffer
            && bytes > free_bytes
            && !self.whole
        {
            // The other half is for what else is written meanwhile.
            let half = free_bytes / 2;
            self.buffer = if half > self.sizes.memory_bytes {
                self.shortened = true;
                ChunkBuffer::File(half)
            } else {
                self.no_file = true;
                ChunkBuffer::Large
            };
        }
    }

    /// The place for one large chunk is taken: if it may, this becomes a small one.
    pub(crate) fn be_small(&mut self) -> bool {
        let may = !self.whole && self.most > 1;
        if may {
            self.buffer = ChunkBuffer::Small;
        }
        may
    }

    /// Chooses the next place after this; `false` when there is no other. However the disk's room changes meanwhile, there is none after
    /// a few dozen: from files it goes to memory and never back, and there to ever fewer pings.
    pub(crate) fn after(&mut self, misfit: Misfit, tried: usize) -> bool {
        if misfit == Misfit::NoFile && self.no_file && !matches!(self.buffer, ChunkBuffer::File(_)) {
            return false;
        }
        // A longer file than the disk has room for would be made as short again.
        let too_short =
            misfit == Misfit::Larger && self.shortened && matches!(self.buffer, ChunkBuffer::File(_));
        self.no_file |= misfit == Misfit::NoFile || too_short;
        let largest = if self.no_file {
            0
        } else {
            self.sizes.largest_file()
        };
        let next = match (self.buffer, misfit) {
            (ChunkBuffer::Small | ChunkBuffer::File(_), Misfit::NoFile) => Some(ChunkBuffer::Large),
            (ChunkBuffer::File(_), Misfit::Larger) if too_short && tried > 1 => Some(ChunkBuffer::Large),
            (ChunkBuffer::File(bytes), Misfit::Larger) if bytes < largest => Some(ChunkBuffer::File(largest)),
            (ChunkBuffer::Small, Misfit::Larger) if largest > 0 => Some(ChunkBuffer::File(largest)),
            (ChunkBuffer::Small | ChunkBuffer::File(_), Misfit::Larger | Misfit::OnePing) if !self.whole => {
                self.most = 1;
                Some(ChunkBuffer::Large)
            }
            (ChunkBuffer::Large, Misfit::Larger) if !self.whole && tried > 1 => {
                self.most = tried / 2;
                Some(ChunkBuffer::Large)
            }
            _ => None,
        };
        self.buffer = next.unwrap_or(self.buffer);
        next.is_some()
    }
}

impl Sizes {
    /// A chunk is due when it would be so long.
    pub(crate) fn longest_chunk(&self) -> u64 {
        match self.file_bytes {
            0 => self.chunk_bytes.min(LARGE_BYTES),
            _ => self.largest_file(),
        }
    }

    /// The longest file of one chunk.
    pub(crate) fn largest_file(&self) -> u64 {
        self.file_bytes.min(self.chunk_bytes)
    }
}

/// About what a chunk of these takes, rather more: pings lie in the log as they were sent, mostly compressed one by one.
fn estimate(positions: &[Position]) -> u64 {
    let logged = crate::waiting::logged_bytes(positions);
    logged + logged / 8 + CHUNK_BYTES
}

/// How many of these, from the first on, are thought to fit into so many bytes.
fn fitting(positions: &[Position], bytes: u64) -> usize {
    let mut logged = 0;
    positions
        .iter()
        .take_while(|position| {
            logged += u64::from(position.length);
            logged + logged / 8 + CHUNK_BYTES <= bytes
        })
        .count()
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::option;
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::*;

    const SIZES: Sizes = Sizes {
        memory_bytes: 1 << 20,
        file_bytes: 64 << 20,
        chunk_bytes: 300 << 20,
    };

    fn pings(count: usize, bytes: usize) -> Vec<Position> {
        (0..count)
            .map(|number| Position::new(1, (number * bytes) as u64, bytes))
            .collect()
    }

    #[test]
    fn little_is_gathered_in_memory_and_much_in_a_file() {
        let few = pings(10, 10_000);
        assert_eq!(Fit::first(SIZES, &few, false).buffer(), ChunkBuffer::Small);
        let many = pings(400, 10_000);
        let fit = Fit::first(SIZES, &many, false);
        assert!(matches!(fit.buffer(), ChunkBuffer::File(bytes) if bytes > 4_000_000 && bytes < 5_000_000));
        let huge = pings(30_000, 10_000);
        let fit = Fit::first(SIZES, &huge, false);
        assert_eq!(
            (fit.buffer(), fit.pings(&huge)),
            (ChunkBuffer::File(64 << 20), 30_000)
        );
    }

    #[test]
    fn on_a_disk_with_little_room_fewer_pings_are_gathered_until_none_needs_it() {
        let many = pings(3_000, 10_000);
        let mut fit = Fit::first(SIZES, &many, false);
        fit.free(10 << 20);
        assert_eq!(fit.buffer(), ChunkBuffer::File(5 << 20));
        let some = fit.pings(&many);
        assert!((400..500).contains(&some), "{some}");
        assert!(fit.after(Misfit::NoFile, some));
        assert_eq!((fit.buffer(), fit.pings(&many)), (ChunkBuffer::Large, 3_000));
        assert!(fit.be_small());
        assert!((80..100).contains(&fit.pings(&many)));
        let mut fit = Fit::first(SIZES, &many, false);
        fit.free(1 << 20);
        assert_eq!(fit.buffer(), ChunkBuffer::Large);
    }

    #[test]
    fn a_plan_is_gathered_whole_or_not_at_all() {
        let many = pings(3_000, 10_000);
        let mut fit = Fit::first(SIZES, &many, true);
        let file = fit.buffer();
        fit.free(0);
        assert_eq!((fit.buffer(), fit.pings(&many)), (file, 3_000));
        assert!(fit.after(Misfit::NoFile, 3_000), "in memory, if it fits there");
        assert!(!fit.be_small());
        assert_eq!((fit.buffer(), fit.pings(&many)), (ChunkBuffer::Large, 3_000));
        assert!(!fit.after(Misfit::Larger, 3_000));
    }

    #[test]
    fn what_takes_more_than_was_thought_gets_more_until_it_is_one_ping() {
        let bombs = pings(5, 20_000);
        let mut fit = Fit::first(SIZES, &bombs, false);
        for (buffer, pings) in [
            (ChunkBuffer::Small, 5),
            (ChunkBuffer::File(64 << 20), 5),
            (ChunkBuffer::Large, 1),
        ] {
            assert_eq!((fit.buffer(), fit.pings(&bombs)), (buffer, pings));
            let more = fit.after(Misfit::Larger, pings);
            assert_eq!(more, pings > 1);
        }
        assert!(
            !fit.be_small(),
            "a ping that fits nowhere else waits for the buffer of a large one"
        );
    }

    /// What is met at a place: the bytes that are free, whether the one large chunk is another's, and why it did not fit.
    fn any_meeting() -> impl Strategy<Value = (u64, bool, Misfit)> {
        let misfits = [Misfit::NoFile, Misfit::Larger, Misfit::Larger, Misfit::OnePing];
        (
            (0..36_u32).prop_map(|bits| 1 << bits),
            any::<bool>(),
            select(misfits.to_vec()),
        )
    }

    fn any_sizes() -> impl Strategy<Value = Sizes> {
        (0..24_u32, option::of(0..30_u32), 0..30_u32).prop_map(|(memory, file, chunk)| Sizes {
            memory_bytes: 1 << memory,
            file_bytes: file.map_or(0, |bits| 1 << bits),
            chunk_bytes: 1 << chunk,
        })
    }

    proptest! {
        /// As on a disk whose room comes and goes while pings take more than was thought: what is met is met again and again.
        #[test]
        fn whatever_room_there_is_places_come_to_an_end(
            sizes in any_sizes(),
            (count, bytes) in (1..3_000_usize, 1..100_000_usize),
            whole in any::<bool>(),
            met in vec(any_meeting(), 1..4),
        ) {
            let positions = pings(count, bytes);
            let mut fit = Fit::first(sizes, &positions, whole);
            let goes_on = met.iter().cycle().take(64).all(|(free, is_taken, misfit)| {
                fit.free(*free);
                if *is_taken && fit.buffer() == ChunkBuffer::Large {
                    fit.be_small();
                }
                let tried = fit.pings(&positions);
                fit.after(*misfit, tried)
            });
            prop_assert!(!goes_on, "{fit:?}");
        }
    }

    #[test]
    fn a_file_that_was_shortened_and_too_short_is_not_tried_again() {
        let many = pings(3_000, 10_000);
        let mut fit = Fit::first(SIZES, &many, false);
        fit.free(10 << 20);
        let tried = fit.pings(&many);
        assert!(fit.after(Misfit::Larger, tried));
        fit.free(10 << 20);
        assert_eq!(fit.buffer(), ChunkBuffer::Large);
    }

    #[test]
    fn a_log_too_small_for_files_gathers_in_memory_alone() {
        let sizes = Sizes {
            file_bytes: 0,
            ..SIZES
        };
        let many = pings(30_000, 10_000);
        let mut fit = Fit::first(sizes, &many, false);
        assert_eq!(fit.buffer(), ChunkBuffer::Large);
        assert!(fit.pings(&many) > 5_000);
        assert!(fit.after(Misfit::Larger, 6_000));
        assert_eq!((fit.buffer(), fit.pings(&many)), (ChunkBuffer::Large, 3_000));
    }
}
