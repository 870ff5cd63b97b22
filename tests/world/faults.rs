//! While a part of the fleet fails, and after: every acknowledged ping lies in exactly one chunk, every chunk is indexed, and
//! the aggregates are the oracle's. Each document comes to both edges.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use loopback_s3::{Fault, Operation};
use postgres_for_tests::{Postgres, Stop};
use tests::soak::{Fleet, Role, seed};
use tests::{Signal, SmallDisk};

use crate::PROGRAM;

/// What is done on a bucket.
const ALL: [Operation; 4] = [
    Operation::PutObject,
    Operation::GetObject,
    Operation::HeadObject,
    Operation::ListObjectsV2,
];

fn fleet() -> Option<Fleet> {
    eprintln!("seed {} (HIGHWATER_SEED)", seed());
    Fleet::up(Path::new(PROGRAM), seed())
}

/// One with a server of its own.
fn fleet_with_server() -> Option<Fleet> {
    let postgres = Arc::new(Postgres::start(&[])?);
    let database = postgres.database();
    Some(Fleet::over(Path::new(PROGRAM), seed(), postgres, database))
}

/// So many seconds a disk stays full for somebody to meet it.
const FULL_SECONDS_MAX: u32 = 120;

fn second() -> Duration {
    Duration::from_secs(1)
}

/// Under load, these requests meet this for two seconds; a second goes before, and one comes after.
fn s3_fails(operations: &[Operation], fault: &Fault) {
    let Some(fleet) = fleet() else { return };
    fleet.under_load(|| {
        fleet.pause(second());
        let before: Vec<u64> = operations.iter().map(|op| fleet.s3.calls(*op)).collect();
        for operation in operations {
            fleet.s3.always(*operation, fault.clone());
        }
        fleet.pause(2 * second());
        for operation in operations {
            fleet.s3.always(*operation, Fault::None);
        }
        let after = operations.iter().map(|op| fleet.s3.calls(*op));
        let met = after
            .zip(before)
            .map(|(after, before)| after - before)
            .sum::<u64>();
        assert!(met > 0, "no request met {fault:?}");
        fleet.pause(second());
    });
    fleet.judge();
}

#[test]
fn s3_refuses_connections() {
    s3_fails(&ALL, &Fault::Cut);
}

#[test]
fn s3_is_slow() {
    s3_fails(&ALL, &Fault::Slow(Duration::from_millis(700)));
}

#[test]
fn s3_says_slow_down() {
    let slow_down = Fault::Refused {
        status: 503,
        code: "SlowDown",
    };
    s3_fails(&ALL, &slow_down);
}

#[test]
fn s3_answers_500_after_the_object_was_written() {
    let written = Fault::DoneThenRefused {
        status: 500,
        code: "InternalError",
    };
    s3_fails(&[Operation::PutObject], &written);
}

#[test]
fn s3_cuts_connections_in_the_body() {
    s3_fails(&[Operation::PutObject], &Fault::CutInUpload);
    s3_fails(&[Operation::GetObject], &Fault::DoneThenCutInBody);
}

#[test]
fn s3_gets_and_gives_other_bytes_than_were_sent() {
    s3_fails(&[Operation::PutObject], &Fault::DamagedInUpload);
    s3_fails(&[Operation::GetObject], &Fault::DoneThenDamaged);
}

#[test]
fn s3_repeats_pages_of_its_lists() {
    s3_fails(&[Operation::ListObjectsV2], &Fault::DoneThenLastAnswer);
}

#[test]
fn each_process_is_killed_at_random() {
    let Some(fleet) = fleet() else { return };
    fleet.under_load(|| {
        let mut dice = fleet.seed;
        for role in Role::ALL.into_iter().chain(Role::ALL) {
            dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            fleet.pause(Duration::from_millis(dice >> 55));
            fleet.kill_and_start(role);
        }
    });
    fleet.judge();
}

#[test]
fn the_share_of_a_dead_aggregator_is_taken_over() {
    let Some(fleet) = fleet() else { return };
    fleet.under_load(|| {
        fleet.pause(second());
        fleet.kill(Role::East);
        // Past the end of its leases; the judge would start it again.
        fleet.pause(4 * second());
    });
    let held = fleet.metric(Role::West, "highwater_aggregator_leases");
    assert_eq!(held, Some(64.0), "{}", fleet.log(Role::West));
    fleet.judge();
}

#[test]
fn an_aggregator_is_frozen_past_its_lease_and_woken() {
    let Some(fleet) = fleet() else { return };
    fleet.under_load(|| {
        for role in [Role::East, Role::West, Role::East] {
            fleet.pause(second());
            fleet.signal(role, Signal::STOP);
            // Its leases last for two.
            fleet.pause(Duration::from_millis(3_500));
            fleet.signal(role, Signal::CONT);
        }
    });
    fleet.judge();
}

#[test]
fn postgresql_is_restarted() {
    let Some(fleet) = fleet_with_server() else { return };
    fleet.under_load(|| {
        for how in [Stop::Fast, Stop::Immediate] {
            fleet.pause(second());
            fleet.postgres.stop(how);
            fleet.pause(second());
            fleet.postgres.start_again();
        }
        fleet.pause(second());
    });
    fleet.judge();
}

#[test]
fn connections_to_postgresql_are_killed_in_the_middle_of_transactions() {
    let Some(fleet) = fleet() else { return };
    fleet.under_load(|| {
        for _ in 0..40 {
            fleet.pause(Duration::from_millis(100));
            fleet.kill_transactions();
        }
    });
    fleet.judge();
}

#[test]
fn retention_holds_up_all_aggregators_for_a_moment_and_loses_nothing() {
    let Some(fleet) = fleet() else { return };
    fleet.under_load(|| {
        for days in [60, 45, 30, 3] {
            fleet.import_and_outlive(days, 20);
        }
    });
    fleet.judge();
}

/// The one that is stopped at once has all that was committed, as a synchronous standby has.
#[test]
fn a_standby_of_postgresql_is_promoted() {
    let Some(fleet) = fleet_with_server() else { return };
    fleet.under_load(|| {
        fleet.pause(2 * second());
        fleet.postgres.stop(Stop::Immediate);
        fleet.postgres.promote();
        fleet.pause(2 * second());
    });
    fleet.judge();
    for role in Role::AGGREGATORS {
        let log = fleet.log(role);
        assert!(log.contains("another database server answers"), "{log}");
    }
}

#[test]
fn the_disk_of_postgresql_is_full() {
    let Some(postgres) = Postgres::start(&[]) else {
        return;
    };
    let folder = tempfile::tempdir().expect("a folder");
    let Some(disk) = SmallDisk::mount(&folder.path().join("disk"), 64) else {
        eprintln!("left out: the disk of PostgreSQL is full (a small file system cannot be mounted here)");
        return;
    };
    let database = postgres.database_in(&folder.path().join("disk"));
    let fleet = Fleet::over(Path::new(PROGRAM), seed(), Arc::new(postgres), database);
    let full = |role| fleet.log(role).contains("No space left on device");
    fleet.under_load(|| {
        fleet.pause(second());
        disk.fill();
        for _ in 0..FULL_SECONDS_MAX {
            fleet.pause(second());
            if Role::ALL.into_iter().any(full) {
                break;
            }
        }
        fleet.pause(2 * second());
        disk.free();
        fleet.pause(second());
    });
    assert!(Role::ALL.into_iter().any(full), "nobody met the full disk");
    fleet.judge();
    // The server goes before its disk.
    drop(fleet);
    drop(disk);
}
