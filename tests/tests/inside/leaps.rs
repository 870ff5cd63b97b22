//! A clock is off by months from a start on, ahead or behind, where a day is kept, and is right again at the next start; the
//! process dies at any call of these. Nothing goes that is young by a right clock.

use std::time::Duration;

use disk::Moment;

use crate::client::{Client, FEW};
use crate::crashes::{Course, MOMENTS, at_database_call, at_store_call};
use crate::life::{Process, alive, run, sent};
use crate::verdict::go_on_retaining;
use crate::world::World;

const DAY: Duration = Duration::from_secs(86_400);

/// Before the clock leaps, while it is off, and after.
const SENT: [usize; 3] = [10, 20, FEW];

/// How the clock leaps, and what there was before.
#[derive(Clone, Copy, Debug)]
struct Leap {
    days: i64,
    /// Days of pings before it: of three, one is deleted, so that there is a floor.
    before: usize,
}

const LEAPS: [Leap; 4] = [
    Leap { days: 200, before: 1 },
    Leap { days: 200, before: 3 },
    Leap {
        days: -200,
        before: 1,
    },
    Leap {
        days: -200,
        before: 3,
    },
];

impl Leap {
    /// Whether the edge knows that what it would take lies below a floor.
    const fn is_refused(self) -> bool {
        self.days < 0 && self.before == 3
    }

    /// `None` when a process died.
    async fn live(self, world: &World, client: &mut Client) -> Option<()> {
        let Self { days, before } = self;
        let mut process = alive(world, Process::start(world).await)?;
        for day in 1..=before {
            sent(
                client
                    .send(&process.edge, &world.clock, 0..SENT[0] * day / before)
                    .await,
            )?;
            process.work().await?;
            process.retain().await?;
            if day < before {
                world.clock.advance(DAY);
            }
        }
        process.end().await;
        world.leap(days);
        let mut process = alive(world, Process::start(world).await)?;
        process.reconcile().await?;
        let (_, retained) = process.retain().await?;
        assert_eq!(retained.gone.objects, 0, "{self:?}: the clock alone deletes");
        assert_eq!(days > 0, !retained.held.is_empty(), "{self:?}: {retained:?}");
        let taken = client.send(&process.edge, &world.clock, 0..SENT[1]).await;
        if world.disk.is_off() {
            return None;
        }
        assert_eq!(taken, !self.is_refused(), "{self:?}");
        process.work().await?;
        process.retain().await?;
        process.end().await;
        world.leap(0);
        let mut process = alive(world, Process::start(world).await)?;
        process.reconcile().await?;
        process.retain().await?;
        sent(client.send(&process.edge, &world.clock, 0..SENT[2]).await)?;
        process.work().await?;
        process.retain().await?;
        process.end().await;
        (!world.disk.is_off()).then_some(())
    }

    fn world(self) -> (World, Client) {
        (World::keeping_a_day(&[self.days]), Client::new(FEW))
    }
}

#[test]
fn a_clock_that_is_off_for_one_process_deletes_nothing_young() {
    for leap in LEAPS {
        let (world, mut client) = leap.world();
        assert!(run(leap.live(&world, &mut client)).is_some(), "{leap:?}");
        assert_eq!(!world.deletions.chunks().is_empty(), leap.before == 3, "{leap:?}");
        let verdict = run(go_on_retaining(&world.found(world.disk.kill()), client));
        assert!(verdict.is_fine(), "{leap:?}: {verdict:#?}");
    }
}

/// One leap dies before calls of one kind, the other one after them.
fn enumerate(what: &str, choose: &dyn Fn(&mut World, u64, Moment), leaps: [Leap; 2]) {
    for (leap, moment) in leaps.into_iter().zip(MOMENTS) {
        let kind = format!("{what}, {leap:?}");
        let course = Course {
            kind: &kind,
            begin: &|| leap.world(),
            choose,
            cuts: 0,
            is_killed: true,
        };
        course.enumerate(
            &[moment],
            &async |world, client| leap.live(world, client).await,
            &go_on_retaining,
        );
    }
}

#[test]
fn a_death_at_any_call_of_a_database_while_the_clock_is_off_deletes_nothing_young() {
    enumerate("database calls", &at_database_call, [LEAPS[1], LEAPS[2]]);
}

#[test]
fn a_death_at_any_call_of_the_store_while_the_clock_is_off_deletes_nothing_young() {
    enumerate("store calls", &at_store_call, [LEAPS[3], LEAPS[0]]);
}
