//! What is sent with each ticket: a function of seed and ticket, so that it can be sent again and looked for later.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use sample_pings::mutate;

use crate::{SmallPing, gzip};

/// A repeat lies at most so many tickets behind its original.
const BACK: u64 = 300;

/// Numbers of documents in imported files begin here: no ticket gets so far.
pub(super) const IMPORTED: u64 = 1 << 40;

/// What kind of submission it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A good ping, or one whose content is broken; posted as a client does.
    Ping,
    /// The same, byte by some bytes.
    Slow,
    /// A request that the contract refuses: the URI is the whole of it.
    Hostile,
}

/// A submission.
#[derive(Clone, Debug)]
pub(super) struct Document {
    /// Stands in its document id.
    pub(super) number: u64,
    pub(super) kind: Kind,
    pub(super) uri: String,
    pub(super) gzipped: bool,
    pub(super) body: Vec<u8>,
}

/// What ticket number `ticket` sends.
pub(super) fn document(seed: u64, ticket: u64) -> Document {
    let mut dice = ChaCha8Rng::seed_from_u64(seed ^ ticket.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let mut ping = plain(ticket + 1);
    ping.filling = dice.random_range(0..3_000);
    let packed = |ping: &SmallPing, body: &[u8]| Document {
        number: ticket + 1,
        kind: Kind::Ping,
        uri: ping.uri(),
        gzipped: true,
        body: gzip(body),
    };
    match dice.random_range(0..100) {
        0..12 if ticket > 0 => document(seed, ticket - dice.random_range(1..=ticket.min(BACK))),
        12..15 if ticket > 0 => {
            // Another content under an earlier ping's id.
            let number = ticket + 1 - dice.random_range(1..=ticket.min(BACK));
            let mut other = plain(number);
            other.bins = vec![(1, 3), (10, dice.random_range(0..50))];
            Document {
                number,
                ..packed(&other, &other.body())
            }
        }
        15..24 => packed(&ping, &mutate(seed ^ ticket, &ping.body()).1),
        24..28 => broken(&mut dice, packed(&ping, b"no JSON {")),
        28..32 => {
            let stored_only = ping.uri().replace("/main/", "/event/");
            Document {
                uri: stored_only,
                ..packed(&ping, &ping.body())
            }
        }
        32..34 => Document {
            kind: Kind::Slow,
            ..packed(&ping, &ping.body())
        },
        34..37 => Document {
            kind: Kind::Hostile,
            uri: hostile(&mut dice),
            ..packed(&ping, b"")
        },
        37..42 => {
            // As it is, so that the log fills.
            ping.filling = dice.random_range(50_000..400_000);
            Document {
                gzipped: false,
                body: ping.body(),
                ..packed(&ping, b"")
            }
        }
        _ => packed(&ping, &ping.body()),
    }
}

/// A good ping; everything in it but the filling follows from its number.
pub(super) fn plain(number: u64) -> SmallPing {
    let mut ping = SmallPing::numbered(number);
    ping.version = format!("{}.0a1", 50 + number % 7);
    ping.channel = ["nightly", "beta"][usize::from(number.is_multiple_of(5))].to_owned();
    ping.bins = vec![(1, 1), (7, (number % 5).cast_signed())];
    ping
}

/// The number in a document id of a URI, if it is one of those made here.
pub(super) fn number_in(uri: &str) -> Option<u64> {
    let id = uri.split('/').nth(3)?;
    let digits = id.strip_prefix("00000000-0000-4000-8000-")?;
    u64::from_str_radix(digits, 16).ok()
}

fn broken(dice: &mut ChaCha8Rng, document: Document) -> Document {
    let mut body = document.body.clone();
    match dice.random_range(0..3) {
        0 => {}
        1 => body.truncate(body.len() / 2),
        _ => body = vec![0x1f, 0x8b, 8, 0, 1, 2, 3],
    }
    Document { body, ..document }
}

fn hostile(dice: &mut ChaCha8Rng) -> String {
    let long = "x".repeat(3_000);
    match dice.random_range(0..6) {
        0 => "DELETE /submit/telemetry/x HTTP/1.1\r\nHost: x\r\n\r\n".to_owned(),
        1 => "POST /submit/telemetry/x/main HTTP/1.1\r\nHost: x\r\n\r\n".to_owned(),
        2 => format!("POST /submit/telemetry/{long} HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{{}}"),
        3 => "POST /elsewhere HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}".to_owned(),
        4 => "POST /submit/telemetry/x/main HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 9\r\n\r\n{}".to_owned(),
        _ => "\u{16}\u{3}\u{1} hello\r\n\r\n".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_ticket_is_the_same_submission_and_its_number_stands_in_its_uri() {
        for ticket in 0..2_000 {
            let (one, other) = (document(7, ticket), document(7, ticket));
            assert_eq!((&one.uri, &one.body), (&other.uri, &other.body));
            if one.kind != Kind::Hostile {
                assert_eq!(number_in(&one.uri), Some(one.number));
            }
        }
    }
}
