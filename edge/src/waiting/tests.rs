//! Open chunks against a slow list of all pings.

use super::*;
use index_schema::ChunkKind;
use ping::Partition;
use proptest::prelude::*;

const LIMITS: SealLimits = SealLimits {
    age_us: 1_000,
    stored_bytes: 2_000,
    pings: 20,
    partitions: 4,
    new_partitions: u32::MAX,
};

fn key(number: usize) -> PartitionKey {
    let mut values = Dimension::ALL.map(|dimension| dimension.name().to_owned());
    values[Dimension::AppBuildId.position()] = number.to_string();
    PartitionKey::new(ChunkKind::Pings, &Partition::new(values))
}

fn position(number: usize, length: usize) -> Position {
    Position::new(number as u32 / 8, 8 * number as u64, length)
}

#[derive(Clone, Debug)]
enum Step {
    Push { key: usize, length: usize },
    Take { how: How, give_back: usize },
    Wait(i64),
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum How {
    Due,
    Hurry,
    Most,
    Largest,
    Segment,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (0..6_usize, 1..400_usize).prop_map(|(key, length)| Step::Push { key, length }),
        2 => (prop_oneof![Just(How::Due), Just(How::Hurry), Just(How::Most), Just(How::Largest), Just(How::Segment)], 0..5_usize)
            .prop_map(|(how, give_back)| Step::Take { how, give_back }),
        1 => (0..700_i64).prop_map(Step::Wait),
    ];
    proptest::collection::vec(step, 0..120)
}

/// The oldest segment and its bytes, the slow way.
fn slow_oldest_segment(slow: &[(Position, i64)]) -> Option<(u32, u64)> {
    let oldest = slow.iter().map(|(position, _)| position.segment).min()?;
    let there = slow.iter().filter(|(position, _)| position.segment == oldest);
    Some((
        oldest,
        there.map(|(position, _)| u64::from(position.length)).sum(),
    ))
}

proptest! {
    #[test]
    fn every_ping_is_taken_once_and_in_time(steps in steps()) {
        let (mut open, mut now) = (OpenChunks::new(LIMITS, Arc::default()), 0);
        // The slow way: all pings in one list, in order, with the key they were filed under.
        let mut slow: Vec<(Position, i64)> = Vec::new();
        let mut pushed = 0;
        for step in steps {
            match step {
                Step::Push { key: number, length } => {
                    pushed += 1;
                    open.push(&key(number), position(pushed, length), now);
                    slow.push((position(pushed, length), now));
                }
                Step::Wait(time) => now += time,
                Step::Take { how, give_back } => {
                    let oldest = slow.iter().map(|(_, since)| *since).min();
                    prop_assert_eq!(open.oldest_us(), oldest);
                    let segment = open.by_segment().oldest();
                    prop_assert_eq!(segment, slow_oldest_segment(&slow));
                    let (segment, bytes) = segment.unwrap_or_default();
                    let taken: Vec<Taken> = match how {
                        How::Due => open.take_due(now, i64::MIN).into_iter().collect(),
                        How::Hurry => open.take_due(now, now).into_iter().collect(),
                        How::Most => open.take_most().into_iter().collect(),
                        How::Largest => open.take_largest(segment, 0).into_iter().collect(),
                        How::Segment => open.take_segment(segment),
                    };
                    let due = oldest.is_some_and(|oldest| how != How::Due || now - oldest >= LIMITS.age_us);
                    prop_assert!(!taken.is_empty() || !due);
                    let all: Vec<_> = taken.iter().flat_map(|taken| taken.positions.clone()).collect();
                    match how {
                        How::Segment => prop_assert!(
                            logged_bytes(&all) == bytes && all.iter().all(|position| position.segment == segment)
                        ),
                        How::Largest => prop_assert!(slow.is_empty() || oldest_of(&all) == segment),
                        _ => {}
                    }
                    for mut taken in taken {
                        let kept = taken.positions.len() - give_back.min(taken.positions.len());
                        let mut rest = taken.positions.split_off(if how == How::Segment { 0 } else { kept });
                        if how == How::Segment {
                            // All of them are copied to the newest segment.
                            let newest = open.by_segment().newest();
                            for position in &mut rest {
                                let copy = Position::new(newest, position.offset(), position.length as usize);
                                slow.retain(|(slow, _)| slow != position);
                                slow.push((copy, taken.since_us));
                                *position = copy;
                            }
                        }
                        slow.retain(|(position, _)| !taken.positions.contains(position));
                        // What is given back waits as long as the oldest of its chunk has.
                        for (position, since) in &mut slow {
                            if rest.contains(position) {
                                *since = taken.since_us;
                            }
                        }
                        open.give_back(Taken { positions: rest, ..taken });
                    }
                }
            }
        }
        while let Some(taken) = open.take_due(now, now) {
            slow.retain(|(position, _)| !taken.positions.contains(position));
        }
        prop_assert!(slow.is_empty(), "{slow:?} are lost");
        prop_assert_eq!((open.partitions(), open.next_deadline()), (0, None));
    }
}

#[test]
fn a_chunk_is_full_by_its_learned_size_or_its_number() {
    let mut open = OpenChunks::new(LIMITS, Arc::default());
    for number in 0..19 {
        open.push(&key(0), position(number, 100), 0);
        assert_eq!(open.next_deadline(), Some(1_000));
    }
    open.push(&key(0), position(19, 100), 0);
    assert_eq!(
        open.take_due(0, i64::MIN).map(|taken| taken.positions.len()),
        Some(20)
    );
    // A tenth is stored of what is logged: now the number decides.
    for _ in 0..50 {
        open.learn(10, 100);
    }
    for number in 0..19 {
        open.push(&key(0), position(number, 500), 0);
    }
    assert_eq!(open.take_due(0, i64::MIN), None);
    open.push(&key(0), position(19, 500), 0);
    assert!(open.take_due(0, i64::MIN).is_some());
}

#[test]
fn the_number_of_open_partitions_is_bounded() {
    let mut open = OpenChunks::new(LIMITS, Arc::default());
    for number in 0..5_000 {
        let mut values = Dimension::ALL.map(|_| number.to_string());
        values[0] = "20261123".to_owned();
        open.push(
            &PartitionKey::new(ChunkKind::Pings, &Partition::new(values)),
            position(number, 1),
            0,
        );
    }
    assert_eq!(open.partitions(), LIMITS.partitions + PARTITIONS_BEYOND_CAP + 1);
}

#[test]
fn a_source_that_is_told_apart_is_so_beyond_every_cap() {
    let schema = DimensionSchema::default().telling_apart([("acme".to_owned(), "usage".to_owned())]);
    let limits = SealLimits {
        partitions: 1,
        new_partitions: 1,
        ..LIMITS
    };
    let mut open = OpenChunks::new(limits, Arc::new(schema));
    let of = |kind: &str, number: usize| {
        let mut values = Dimension::ALL.map(|dimension| format!("{dimension} {number}"));
        values[Dimension::SourceName.position()] = "acme".to_owned();
        values[Dimension::DocType.position()] = kind.to_owned();
        PartitionKey::new(ChunkKind::Pings, &Partition::new(values))
    };
    for number in 0..3 * PARTITIONS_BEYOND_CAP {
        open.push(&of("usage", number), position(number, 1), 1_000);
        open.push(&of("install", number), position(number, 1), 1_000);
    }
    let (mut told, mut others) = (0, 0);
    while let Some(taken) = open.take_due(i64::MAX, 0) {
        let partition = taken.key.partition();
        match partition.get(Dimension::DocType) {
            "usage" => told += taken.positions.len(),
            _ => others += taken.positions.len(),
        }
    }
    assert_eq!(told, 3 * PARTITIONS_BEYOND_CAP, "none of them lies under OTHER");
    assert_eq!(others, 3 * PARTITIONS_BEYOND_CAP);
}

/// Prints what each ping costs the schedule that looks whether anything is due.
#[test]
fn looking_for_what_is_due_does_not_grow_with_open_partitions_soak() {
    if std::env::var_os("HIGHWATER_SOAK").is_none() {
        return;
    }
    let clock = service::clock::SystemClock::shared();
    for partitions in [10, 1_000, 100_000] {
        let mut open = OpenChunks::new(
            SealLimits {
                partitions,
                pings: usize::MAX,
                stored_bytes: u64::MAX,
                ..LIMITS
            },
            Arc::default(),
        );
        let keys: Vec<_> = (0..partitions).map(key).collect();
        let (rounds, before) = (1_000_000, clock.monotonic());
        for number in 0..rounds {
            open.push(&keys[number % partitions], position(number, 100), 1_000);
            assert!(open.take_due(1_001, 0).is_none());
            assert!(open.next_deadline().is_some() && open.oldest_us().is_some());
        }
        let nanoseconds = (clock.monotonic() - before).as_nanos() / rounds as u128;
        println!(
            "{partitions} open partitions: {nanoseconds} ns a ping, to file it and to look for what is due"
        );
    }
}
