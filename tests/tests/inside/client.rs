//! The client: pings that it sends, in order, until each is answered 200.

use std::collections::BTreeSet;
use std::time::Duration;

use edge::Edge;
use edge::intake::Intake;
use service::clock::HandClock;
use simulation::Sent;
use tests::{SmallPing, gzip};

/// Pings of a run that is short enough for every commit.
pub(crate) const FEW: usize = 30;

/// How many pings: a few, or as the soak wants.
pub(crate) fn pings() -> usize {
    if std::env::var_os("HIGHWATER_SOAK").is_some() {
        200
    } else {
        FEW
    }
}

/// All pings of a run.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    pub(crate) sent: Vec<Sent>,
}

impl Client {
    /// Pings of about 2 KB: main pings of three channels, of which every seventh repeats an earlier document with other
    /// content; every thirtieth does not inflate, another is no JSON, another of a type that is not folded.
    pub(crate) fn new(pings: usize) -> Self {
        Self {
            sent: (0..pings).map(ping).collect(),
        }
    }

    /// Sends some of the pings that are not answered 200 yet, a second apart, until one is not taken. Whether all were.
    pub(crate) async fn send(
        &mut self,
        edge: &Edge,
        clock: &HandClock,
        which: std::ops::Range<usize>,
    ) -> bool {
        for sent in self.sent[which].iter_mut().filter(|sent| !sent.taken) {
            clock.advance(Duration::from_secs(1));
            sent.attempts += 1;
            sent.taken = edge.submit(sent.accepted()).await.is_ok();
            if !sent.taken {
                return false;
            }
        }
        true
    }
}

fn ping(number: usize) -> Sent {
    let id = number as u64;
    let mut ping = SmallPing::numbered(if number % 7 == 6 { id - 5 } else { id });
    // What identifies a submission, whatever its document id.
    ping.bins = vec![(1, 1), (7, i64::from(id as u32 % 5)), (60, id as i64 + 1)];
    ping.channel = ["nightly", "beta", "release"][number % 3].to_owned();
    ping.filling = 1_400;
    let body = ping.body();
    match number % 30 {
        10 => Sent::broken(ping.uri(), gzip(&body)[..200].to_vec()),
        11 => Sent::plain(ping.uri(), format!("no JSON {number}").repeat(150).into_bytes()),
        12 => Sent::plain(ping.uri().replace("/main/", "/event/"), body),
        other if other % 2 == 1 => Sent::packed(ping.uri(), body),
        _ => Sent::plain(ping.uri(), body),
    }
}

#[test]
fn no_two_pings_of_a_run_are_equal() {
    let client = Client::new(200);
    let distinct: BTreeSet<_> = client.sent.iter().map(|sent| (&sent.uri, &sent.stored)).collect();
    assert_eq!(distinct.len(), 200);
}
