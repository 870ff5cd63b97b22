//! What one ping is about: who sent it, with which build, and when.

use ping::SubmissionDate;

use crate::client::Client;
use crate::dice::Dice;
use crate::release::Build;

/// One session of one client.
pub(crate) struct Session {
    pub(crate) client: Client,
    pub(crate) build: Build,
    pub(crate) document_id: String,
    /// The day the ping was made.
    pub(crate) day: SubmissionDate,
    /// Milliseconds into that day.
    pub(crate) millis: u64,
    /// Seconds it lasted.
    pub(crate) length: u64,
    /// A seed of its own.
    pub(crate) seed: u64,
}

impl Session {
    /// Chance for one section of the ping, whatever the order of sections.
    pub(crate) fn dice(&self, section: &str) -> Dice {
        Dice::new(self.seed, section, 0)
    }

    /// When the ping was made, as RFC 3339 in UTC.
    pub(crate) fn created(&self) -> String {
        let (seconds, millis) = (self.millis / 1_000, self.millis % 1_000);
        format!(
            "{}T{:02}:{:02}:{:02}.{millis:03}Z",
            dashed(self.day),
            seconds / 3_600,
            seconds / 60 % 60,
            seconds % 60
        )
    }

    /// The day as sessions tell it: midnight of the client's time zone.
    pub(crate) fn start_date(&self) -> String {
        format!("{}T00:00:00.0+00:00", dashed(self.day))
    }

    /// Does it have the old shape?
    pub(crate) fn is_old(&self) -> bool {
        self.client.channel.old_shape
    }
}

/// `YYYY-MM-DD`.
fn dashed(day: SubmissionDate) -> String {
    let number = day.as_yyyymmdd();
    format!(
        "{:04}-{:02}-{:02}",
        number / 10_000,
        number / 100 % 100,
        number % 100
    )
}
