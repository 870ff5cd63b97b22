//! Several thousand simulated clients, and the pings they send one after another.

use ping::{SubmissionDate, Timestamp};

use crate::body::Body;
use crate::catalogue::Catalogue;
use crate::client::Client;
use crate::dice::Dice;
use crate::measurement::Measurements;
use crate::release::{BUILDS, Build};
use crate::sample_ping::{SamplePing, browser_headers};
use crate::session::Session;

/// The share of pings that are an earlier one sent again, and how far back that lies at most.
const REPEATS: f64 = 0.015;
const REPEAT_WITHIN: u64 = 400;

/// The share of pings that come from a build long replaced.
const LATE: f64 = 0.03;

/// What the simulated world is like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// How many clients there are, at least 1.
    pub clients: u64,
    /// The day of the newest build on every channel; the oldest is [`BUILDS`] - 1 days older.
    pub newest_build: SubmissionDate,
}

impl Default for Options {
    /// 6,000 clients, builds up to 20 April 2017.
    fn default() -> Self {
        Self {
            clients: 6_000,
            newest_build: SubmissionDate::from_yyyymmdd(20_170_420).expect("a day of the calendar"),
        }
    }
}

/// Clients with their pings, all from a seed.
pub struct Population {
    seed: u64,
    options: Options,
    catalogue: Catalogue,
    measurements: Measurements,
}

impl Population {
    /// The population of this seed. The same seed and options give the same pings.
    pub fn new(seed: u64, options: Options) -> Self {
        Self {
            seed,
            options,
            catalogue: Catalogue::new(),
            measurements: Measurements::new(),
        }
    }

    /// Ping `n`, received at `received`, on which only its date header and submission date depend.
    pub fn ping(&self, n: u64, received: Timestamp) -> SamplePing {
        let session = self.session(self.original(n));
        let body = Body {
            session: &session,
            catalogue: &self.catalogue,
            measurements: &self.measurements,
        };
        let body = body.write().into_bytes();
        let Session {
            client,
            build,
            document_id,
            ..
        } = session;
        SamplePing {
            uri: format!(
                "/submit/telemetry/{document_id}/main/Firefox/{}/{}/{}?v=4",
                build.version, client.channel.name, build.id
            ),
            headers: browser_headers(received),
            body,
            client_id: client.id,
            document_id,
            submission_date: received.submission_date(),
        }
    }

    /// The ping that number `n` sends again, or `n` itself: then it is the first with its document id.
    pub fn original(&self, n: u64) -> u64 {
        let mut number = n;
        loop {
            let mut dice = Dice::new(self.seed, "repeat", number);
            if number == 0 || !dice.chance(REPEATS) {
                return number;
            }
            number -= 1 + dice.below(number.min(REPEAT_WITHIN));
        }
    }

    fn session(&self, number: u64) -> Session {
        let mut dice = Dice::new(self.seed, "session", number);
        let client = (dice.unit().powf(1.4) * self.options.clients as f64) as u64;
        let client = Client::new(self.seed, client);
        let (build, delay) = self.build(&client, &mut dice);
        Session {
            document_id: dice.uuid(),
            day: build.date.plus_days(delay),
            millis: dice.below(86_400_000),
            length: 60 + dice.log_normal(4_000.0, 1.2) as u64,
            seed: dice.bits(),
            client,
            build,
        }
    }

    /// The build a session ran on, recent ones more often, and how many days after it the ping was made.
    fn build(&self, client: &Client, dice: &mut Dice) -> (Build, i64) {
        let age = (dice.unit().powf(1.6) * BUILDS as f64) as usize;
        let number = BUILDS - 1 - age.min(BUILDS - 1);
        let build = |number| client.channel.build(number, self.options.newest_build);
        if dice.chance(LATE) {
            let late = 4 + dice.below(8);
            return (build(number.saturating_sub(late as usize)), late as i64);
        }
        (build(number), dice.below(2) as i64)
    }
}
