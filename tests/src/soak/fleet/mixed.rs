//! Everything that may befall a fleet, mixed at random.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use loopback_s3::{Fault, Operation};
use postgres_for_tests::{Postgres, Stop};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rustix::process::Signal;

use super::{Fleet, Role};
use crate::program::now;
use crate::soak::{Options, Outcome, conditions, report};

/// What of S3 may fail: what reads, what writes, what lists.
const OPERATIONS: [Operation; 4] = [
    Operation::PutObject,
    Operation::GetObject,
    Operation::HeadObject,
    Operation::ListObjectsV2,
];

/// How S3 fails, each with a name.
const FAULTS: [(&str, Fault); 8] = [
    (
        "S3: SlowDown",
        Fault::Refused {
            status: 503,
            code: "SlowDown",
        },
    ),
    (
        "S3: 500 when all was done",
        Fault::DoneThenRefused {
            status: 500,
            code: "InternalError",
        },
    ),
    ("S3: connections cut", Fault::Cut),
    ("S3: cut when all was done", Fault::DoneThenCut),
    ("S3: cut in the answer", Fault::DoneThenCutInBody),
    ("S3: damage on the way in", Fault::DamagedInUpload),
    ("S3: damage on the way out", Fault::DoneThenDamaged),
    ("S3: slow", Fault::Slow(Duration::from_millis(800))),
];

/// Runs it for as long as the options say, on a fleet of the program of these options, and says what came of it.
///
/// # Errors
/// When the fleet cannot be had here.
pub fn mixed_fleet(options: &Options, program: &std::path::Path) -> anyhow::Result<Outcome> {
    report::say(&format!(
        "soak of a fleet for {} s, HIGHWATER_SEED={} (or --seed); {}",
        options.length.as_secs(),
        options.seed,
        conditions::conditions()
    ));
    let Some(postgres) = Postgres::start(&[]) else {
        anyhow::bail!("no PostgreSQL is installed: `make postgres` installs it");
    };
    let database = postgres.database();
    let fleet = Fleet::over(program, options.seed, Arc::new(postgres), database);
    let mut conductor = Conductor {
        fleet: &fleet,
        dice: ChaCha8Rng::seed_from_u64(options.seed),
        actions: BTreeMap::new(),
    };
    let start = now();
    fleet.under_load(|| {
        while start.elapsed() < options.length {
            conductor.next();
        }
    });
    let actions = conductor.actions;
    let judged = now();
    let wrong = fleet.wrong();
    let mut table = String::new();
    for (action, times) in &actions {
        writeln!(table, "{action:<32} {times}")?;
    }
    writeln!(table, "{:<32} {}", "acknowledged", fleet.acknowledged())?;
    writeln!(
        table,
        "{:<32} {:.1} s",
        "until all was counted and judged",
        judged.elapsed().as_secs_f64()
    )?;
    for words in &wrong {
        writeln!(table, "WRONG  {words}")?;
    }
    Ok(Outcome {
        table,
        acknowledged: fleet.acknowledged(),
        wrong,
    })
}

/// Who does what the dice say.
struct Conductor<'a> {
    fleet: &'a Fleet,
    dice: ChaCha8Rng,
    actions: BTreeMap<&'static str, u64>,
}

impl Conductor<'_> {
    fn next(&mut self) {
        let fleet = self.fleet;
        let pause = self.millis(200, 3_000);
        fleet.pause(pause);
        match self.dice.random_range(0..10) {
            0..3 => {
                let role = Role::ALL[self.dice.random_range(0..Role::ALL.len())];
                self.count("kill -9");
                fleet.kill_and_start(role);
            }
            3 => {
                let role = Role::AGGREGATORS[self.dice.random_range(0..2)];
                self.count("aggregator frozen");
                fleet.signal(role, Signal::STOP);
                let length = self.millis(500, 5_000);
                fleet.pause(length);
                fleet.signal(role, Signal::CONT);
            }
            4 => {
                self.count("PostgreSQL: connections killed");
                for _ in 0..self.dice.random_range(1..10) {
                    fleet.kill_transactions();
                    let pause = self.millis(10, 200);
                    fleet.pause(pause);
                }
            }
            5 => {
                self.count("PostgreSQL: restarted");
                let how = [Stop::Fast, Stop::Immediate][self.dice.random_range(0..2)];
                fleet.postgres.stop(how);
                let length = self.millis(0, 3_000);
                fleet.pause(length);
                fleet.postgres.start_again();
            }
            6 => {
                self.count("PostgreSQL: promoted");
                fleet.postgres.stop(Stop::Immediate);
                fleet.postgres.promote();
            }
            _ => {
                let (name, fault) = &FAULTS[self.dice.random_range(0..FAULTS.len())];
                self.count(name);
                let operation = OPERATIONS[self.dice.random_range(0..OPERATIONS.len())];
                fleet.s3.always(operation, fault.clone());
                let length = self.millis(300, 4_000);
                fleet.pause(length);
                fleet.s3.always(operation, Fault::None);
            }
        }
    }

    fn count(&mut self, action: &'static str) {
        *self.actions.entry(action).or_default() += 1;
    }

    fn millis(&mut self, least: u64, most: u64) -> Duration {
        Duration::from_millis(self.dice.random_range(least..most))
    }
}
