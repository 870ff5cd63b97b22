//! Which partitions may open that were not seen before. Who sends pings names their partitions, and each makes folders and
//! rows that stay: so new names are admitted at a bounded rate, and beyond it their pings are kept under `OTHER`, where every
//! selection finds them. Pure, told the time.
//!
//! What was seen is remembered without its day, so that midnight is no news; after a start it is learned anew, of which the
//! first ten minutes' share is admitted at once.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use ping::Dimension;

use crate::partition_key::PartitionKey;

/// A minute in microseconds.
const MINUTE_US: i64 = 60_000_000;

/// So many minutes' share is admitted at once.
const MINUTES_AT_ONCE: i64 = 10;

/// A new product for so many new partitions: there are far fewer.
const PARTITIONS_PER_PRODUCT: u32 = 10;

/// The dimensions that make no product.
const WITHIN_PRODUCT: [Dimension; 3] = [
    Dimension::AppUpdateChannel,
    Dimension::AppVersion,
    Dimension::AppBuildId,
];

/// What new versions and builds lose first.
pub(crate) const FIRST: [Dimension; 2] = [Dimension::AppVersion, Dimension::AppBuildId];

/// Which partitions were seen, and how many more may be.
#[derive(Debug)]
pub(crate) struct Admission {
    partitions: Kind,
    products: Kind,
}

/// Names of one kind.
#[derive(Debug)]
struct Kind {
    /// Hashes of names: those seen of late, and those before.
    seen: [HashSet<u64>; 2],
    /// More are not remembered.
    seen_max: usize,
    /// What one costs, in microseconds.
    cost_us: i64,
    /// What has been saved up.
    credit_us: i64,
    last_us: Option<i64>,
}

impl Admission {
    /// Nothing was seen. So many new partitions are admitted each minute, and so many names remembered of late.
    pub(crate) fn new(partitions_per_minute: u32, seen_max: usize) -> Self {
        Self {
            partitions: Kind::new(partitions_per_minute, seen_max),
            products: Kind::new(partitions_per_minute / PARTITIONS_PER_PRODUCT, seen_max),
        }
    }

    /// What a partition is opened as: as it is, else under a more general name that costs nothing.
    pub(crate) fn admitted(&mut self, key: &PartitionKey, now_us: i64) -> PartitionKey {
        if !self.products.admits(&key.generalised(&WITHIN_PRODUCT), now_us) {
            return key.generalised(&Dimension::ALL[1..]);
        }
        let general = key.generalised(&FIRST);
        if self.partitions.admits(key, now_us) {
            self.partitions.note(&general);
            return key.clone();
        }
        if self.partitions.knows(&general) {
            return general;
        }
        key.generalised(&WITHIN_PRODUCT)
    }
}

impl Kind {
    fn new(per_minute: u32, seen_max: usize) -> Self {
        let cost_us = MINUTE_US / i64::from(per_minute.max(1));
        Self {
            seen: Default::default(),
            seen_max: seen_max.max(1),
            cost_us,
            credit_us: MINUTE_US * MINUTES_AT_ONCE,
            last_us: None,
        }
    }

    /// Whether it was seen, or may be from now on.
    fn admits(&mut self, key: &PartitionKey, now_us: i64) -> bool {
        if self.knows(key) {
            return true;
        }
        // Pings that are found in the log waited since before this process: no time passes with them.
        let last = *self.last_us.get_or_insert(now_us);
        let saved = self.credit_us.saturating_add(now_us.saturating_sub(last).max(0));
        self.credit_us = saved.min(MINUTE_US * MINUTES_AT_ONCE);
        self.last_us = Some(now_us.max(last));
        if self.credit_us < self.cost_us {
            return false;
        }
        self.credit_us -= self.cost_us;
        self.note(key);
        true
    }

    fn knows(&mut self, key: &PartitionKey) -> bool {
        let hash = hash_of(key);
        if self.seen[0].contains(&hash) {
            return true;
        }
        let is_known = self.seen[1].contains(&hash);
        if is_known {
            self.remember(hash);
        }
        is_known
    }

    fn note(&mut self, key: &PartitionKey) {
        self.remember(hash_of(key));
    }

    fn remember(&mut self, hash: u64) {
        if self.seen[0].len() >= self.seen_max {
            self.seen[1] = std::mem::take(&mut self.seen[0]);
        }
        self.seen[0].insert(hash);
    }
}

/// Names that share a hash count as one: then one more is admitted, by chance.
fn hash_of(key: &PartitionKey) -> u64 {
    let mut hasher = DefaultHasher::new();
    key.without_day().hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use index_schema::ChunkKind;
    use ping::{OTHER, Partition};

    fn key(day: u32, values: [String; 7]) -> PartitionKey {
        let [name, source_version, doc_type, app, channel, version, build] = values;
        let all = [
            day.to_string(),
            name,
            source_version,
            doc_type,
            app,
            channel,
            version,
            build,
        ];
        PartitionKey::new(ChunkKind::Pings, &Partition::new(all))
    }

    fn of_namespace(day: u32, number: u32) -> PartitionKey {
        key(day, [(); 7].map(|()| format!("n{number}")))
    }

    fn of_build(day: u32, number: u32) -> PartitionKey {
        let values = ["telemetry", "4", "main", "Firefox", "nightly"].map(str::to_owned);
        let [name, source_version, doc_type, app, channel] = values;
        let (version, build) = (format!("{}.0", number / 5), format!("2017{number}"));
        key(
            day,
            [name, source_version, doc_type, app, channel, version, build],
        )
    }

    fn opened(
        admission: &mut Admission,
        keys: impl Iterator<Item = PartitionKey>,
        now_us: i64,
    ) -> HashSet<PartitionKey> {
        keys.map(|key| admission.admitted(&key, now_us)).collect()
    }

    #[test]
    fn any_number_of_new_namespaces_opens_a_bounded_number_of_partitions() {
        let mut admission = Admission::new(200, 100_000);
        let first = opened(
            &mut admission,
            (0..50_000).map(|n| of_namespace(20_170_101, n)),
            5,
        );
        assert_eq!(first.len(), 200 + 1);
        // Each minute a tenth of that.
        for minute in 1..4 {
            let now = 5 + minute * MINUTE_US;
            let from = u32::try_from(minute).expect("a minute") * 50_000;
            let more = opened(
                &mut admission,
                (from..from + 50_000).map(|n| of_namespace(20_170_101, n)),
                now,
            );
            assert_eq!(more.len(), 20 + 1);
        }
        // What was admitted stays so, on all days.
        assert_eq!(
            admission.admitted(&of_namespace(20_170_205, 3), 6),
            of_namespace(20_170_205, 3)
        );
        let other = admission
            .admitted(&of_namespace(20_170_205, 49_999), 6)
            .partition();
        assert!(
            Dimension::ALL[1..]
                .iter()
                .all(|dimension| other.get(*dimension) == OTHER)
        );
    }

    #[test]
    fn new_builds_of_a_known_product_lose_version_and_build_and_keep_their_channel() {
        let mut admission = Admission::new(200, 100_000);
        let first = opened(&mut admission, (0..30_000).map(|n| of_build(20_170_101, n)), 0);
        assert_eq!(first.len(), 2_000 + 1);
        let general = of_build(20_170_101, 0).generalised(&FIRST);
        assert!(first.contains(&general));
        assert_eq!(general.partition().get(Dimension::AppUpdateChannel), "nightly");
        // A day of as many again costs nothing.
        let again = opened(&mut admission, (0..2_000).map(|n| of_build(20_170_102, n)), 0);
        assert_eq!(again.len(), 2_000);
    }

    #[test]
    fn what_is_remembered_is_bounded_and_what_comes_often_is_never_forgotten() {
        let mut admission = Admission::new(u32::MAX, 100);
        for number in 0..10_000 {
            let often = of_build(20_170_101, 0);
            assert_eq!(admission.admitted(&often, 0), often);
            admission.admitted(&of_build(20_170_101, number), 0);
            assert!(admission.partitions.seen.iter().all(|seen| seen.len() <= 100));
        }
        assert!(admission.partitions.knows(&of_build(20_170_101, 0)));
    }
}
