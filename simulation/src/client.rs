//! The clients: pings that they send until each is answered 200, giving up now and then before the answer comes.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use edge::Edge;
use edge::intake::{Intake, Refusal};
use service::task;

use crate::dice::Dice;
use crate::life::Life;
use crate::{Sent, SmallPing, gzip};

/// Clients that send at the same time; each has every third ping.
pub(crate) const CLIENTS: usize = 3;

/// All pings of a run, and what their clients know of them. It outlives processes; clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Pings {
    sent: Arc<Mutex<Vec<Sent>>>,
    /// The lines of a file that is imported.
    lines: Arc<Mutex<Vec<Sent>>>,
}

impl Pings {
    /// Main pings of three channels, of which every seventh repeats an earlier document with other content; every
    /// thirtieth does not inflate, another is no JSON, another of a type that is not folded.
    pub(crate) fn new(pings: usize, lines: usize) -> Self {
        let all = pings..pings + lines;
        Self {
            sent: Arc::new(Mutex::new((0..pings).map(ping).collect())),
            lines: Arc::new(Mutex::new(all.map(ping).collect())),
        }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Vec<Sent>> {
        self.sent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn lines(&self) -> MutexGuard<'_, Vec<Sent>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next of a client's first pings that was not answered 200.
    fn next(&self, client: usize, share: usize) -> Option<usize> {
        let sent = self.lock();
        (client..share)
            .step_by(CLIENTS)
            .find(|number| !sent[*number].taken)
    }

    /// Sends until all of this client's pings are taken.
    pub(crate) async fn send(self, client: usize, share: usize, edge: Arc<Edge>, life: Life, mut dice: Dice) {
        let (millisecond, second) = (Duration::from_millis(1), Duration::from_secs(1));
        while let Some(number) = self.next(client, share) {
            task::sleep(dice.time(millisecond, 8 * second)).await;
            let accepted = {
                let sent = &mut self.lock()[number];
                sent.attempts += 1;
                sent.accepted()
            };
            life.note(format_args!("client {client} sends {number}"));
            let patience = if dice.happens(life.plan.odds.impatient) {
                dice.time(Duration::from_micros(1), second)
            } else {
                600 * second
            };
            let taken = tokio::select! {
                biased;
                answer = edge.submit(accepted) => Some(answer),
                () = task::sleep(patience) => None,
            };
            life.note(format_args!("client {client}: {number} is answered {taken:?}"));
            if life.disk.is_off() {
                // The answer was made by a dead process.
                return;
            }
            match taken {
                Some(Ok(())) => {
                    self.lock()[number].taken = true;
                    continue;
                }
                // Nothing of it may be stored.
                Some(Err(Refusal::Full { .. })) => {
                    life.befalls("submissions refused for want of room");
                    self.lock()[number].attempts -= 1;
                }
                Some(Err(Refusal::TooLarge)) => return life.is_wrong("a small ping is called too large"),
                Some(Err(Refusal::BelowFloor)) if life.is_behind() => {
                    life.befalls("submissions refused below a floor");
                    self.lock()[number].attempts -= 1;
                }
                Some(Err(Refusal::BelowFloor)) => {
                    return life.is_wrong("a ping of today is called one below the floor");
                }
                Some(Err(Refusal::Unavailable)) => life.befalls("submissions that fail"),
                None => life.befalls("submissions given up"),
            }
            task::sleep(dice.time(millisecond, 60 * second)).await;
        }
    }
}

fn ping(number: usize) -> Sent {
    let id = number as u64;
    let mut ping = SmallPing::numbered(if number % 7 == 6 { id - 5 } else { id });
    // What identifies a submission, whatever its document id.
    ping.bins = vec![(1, 1), (7, i64::from(id as u32 % 5)), (60, id as i64 + 1)];
    ping.channel = ["nightly", "beta", "release"][number / CLIENTS % 3].to_owned();
    ping.filling = number * 37 % 1_400;
    let body = ping.body();
    match number % 30 {
        10 => {
            let packed = gzip(&body);
            Sent::broken(ping.uri(), packed[..packed.len() / 2].to_vec())
        }
        11 => Sent::plain(ping.uri(), format!("no JSON {number}").repeat(50).into_bytes()),
        12 => Sent::plain(ping.uri().replace("/main/", "/event/"), body),
        other if other % 2 == 1 => Sent::packed(ping.uri(), body),
        _ => Sent::plain(ping.uri(), body),
    }
}
