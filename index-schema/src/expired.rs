//! A walk over the objects whose deletion is decided, in slices. It has a place of its own, so that objects that cannot be
//! deleted hide none behind them.

/// An object that is to be deleted: below the floor, or forgotten on purpose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expired {
    /// Its key.
    pub key: String,
    /// Records in it; 0 when that is not known.
    pub records: u64,
    /// Bytes as stored; 0 when that is not known.
    pub stored_bytes: u64,
}

/// Where a walk goes on. The default is its beginning.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExpiredPlace(pub(crate) Part);

/// What is walked, in this order, each after the last object that was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// Chunks below the floor of their kind: day, channel, version and key of the last one.
    Chunks([String; 4]),
    /// Unreadable objects below the floor: the key of the last one.
    Unreadable(String),
    /// What was forgotten: the key of the last one.
    Forgotten(String),
}

/// The next objects of a walk.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExpiredSlice {
    /// At most as many as were asked for; perhaps none though more follow.
    pub objects: Vec<Expired>,
    /// Where to go on; `None` at the end.
    pub next: Option<ExpiredPlace>,
}

impl Default for Part {
    fn default() -> Self {
        Self::Chunks(Default::default())
    }
}

impl ExpiredSlice {
    /// What was read of one part, at most `limit` objects, each with the place after it.
    pub(crate) fn of(part: &Part, rows: Vec<(Expired, Part)>, limit: usize) -> Self {
        let is_full = rows.len() >= limit;
        let last = rows.last().map(|(_, place)| place.clone());
        let after = match part {
            Part::Chunks(_) => Some(Part::Unreadable(String::new())),
            Part::Unreadable(_) => Some(Part::Forgotten(String::new())),
            Part::Forgotten(_) => None,
        };
        Self {
            objects: rows.into_iter().map(|(expired, _)| expired).collect(),
            next: if is_full { last.or(after) } else { after }.map(ExpiredPlace),
        }
    }
}
