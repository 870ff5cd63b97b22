//! A commit group: what will have happened once its one write is synced, and who is to be told.

use index_schema::proto::PlanDone;
use ping::{Incarnation, RecordId};

use super::budget::Reservation;
use super::message::{LoggedPing, NotLogged, Reply};
use super::position::Position;

/// What a commit group will have done once it is synced.
#[derive(Default)]
pub(crate) struct Group {
    pub(crate) pings: Vec<LoggedPing>,
    pub(crate) done: Vec<(PlanDone, Vec<(u32, u64)>)>,
    /// Entries that were copied forward, by segment.
    pub(crate) copied: Vec<(u32, u64)>,
    pub(crate) answers: Vec<Answer>,
    pub(crate) imports_before: Vec<(Incarnation, u64)>,
    pub(crate) pins: u64,
}

/// Who is to be answered, and what if all goes well. Reservations live as long as this.
pub(crate) enum Answer {
    Id(Reply<RecordId>, RecordId, Reservation),
    Added(Reply<u64>, u64, Reservation),
    Places(Reply<Vec<Position>>, Vec<Position>, Reservation),
    Segment(Reply<u32>, u32),
    Done(Reply<()>),
}

impl Answer {
    /// Nobody may be waiting any more: what was logged stays logged.
    pub(crate) fn yes(self) {
        match self {
            Self::Id(reply, id, room) => answer(reply, id, Some(room)),
            Self::Added(reply, added, room) => answer(reply, added, Some(room)),
            Self::Places(reply, places, room) => answer(reply, places, Some(room)),
            Self::Segment(reply, segment) => answer(reply, segment, None),
            Self::Done(reply) => answer(reply, (), None),
        }
    }

    pub(crate) fn no(self) {
        match self {
            Self::Id(reply, ..) => drop(reply.send(Err(NotLogged))),
            Self::Added(reply, ..) => drop(reply.send(Err(NotLogged))),
            Self::Places(reply, ..) => drop(reply.send(Err(NotLogged))),
            Self::Segment(reply, _) => drop(reply.send(Err(NotLogged))),
            Self::Done(reply) => drop(reply.send(Err(NotLogged))),
        }
    }
}

/// Gives the room back first: what was logged is counted by now, and whoever hears of it may ask for more at once.
fn answer<T>(reply: Reply<T>, what: T, room: Option<Reservation>) {
    drop(room);
    drop(reply.send(Ok(what)));
}
