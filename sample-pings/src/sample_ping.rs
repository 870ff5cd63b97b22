//! A generated ping, ready to be sent. What does not live here: sending it.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use ping::{SubmissionDate, Timestamp};

/// A generated ping.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SamplePing {
    /// The path and query to POST to.
    pub uri: String,
    /// The headers a browser sends besides the length; `Content-Encoding` says gzip, so send [`gzip`] of the body.
    pub headers: Vec<(&'static str, String)>,
    /// Compact JSON, about 97 KB.
    pub body: Vec<u8>,
    /// The body's `clientId`.
    pub client_id: String,
    /// The URI's document id, a UUID in lower case.
    pub document_id: String,
    /// The UTC day on which it is received, as told to the generator. Nothing in the body depends on it.
    pub submission_date: SubmissionDate,
}

/// `body` compressed as a browser does it (level 6), or at another `level` from 0 to 9.
pub fn gzip(body: &[u8], level: u32) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(body.len() / 4), Compression::new(level.min(9)));
    encoder
        .write_all(body)
        .expect("a vector takes whatever is written");
    encoder.finish().expect("a vector takes whatever is written")
}

/// The headers of a browser that sends at `now`.
pub(crate) fn browser_headers(now: Timestamp) -> Vec<(&'static str, String)> {
    vec![
        ("content-type", "application/json; charset=UTF-8".to_owned()),
        ("content-encoding", "gzip".to_owned()),
        ("date", http_date(now)),
        ("user-agent", "pingsender/1.0".to_owned()),
        ("x-pingsender-version", "1.0".to_owned()),
    ]
}

/// The date as RFC 9110 writes it: `Mon, 30 Jan 2017 23:31:40 GMT`.
fn http_date(now: Timestamp) -> String {
    const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let seconds = now.as_micros().div_euclid(1_000_000);
    let weekday = DAYS[seconds.div_euclid(86_400).rem_euclid(7) as usize];
    let date = now.submission_date().as_yyyymmdd();
    let month = MONTHS[(date / 100 % 100) as usize - 1];
    let time = seconds.rem_euclid(86_400);
    format!(
        "{weekday}, {:02} {month} {:04} {:02}:{:02}:{:02} GMT",
        date % 100,
        date / 10_000,
        time / 3_600,
        time / 60 % 60,
        time % 60
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_date_header_names_the_day_of_the_week() {
        let moment = "20170130".parse::<SubmissionDate>().expect("a date").start();
        let moment = moment.saturating_add_micros(84_700 * 1_000_000 + 999_999);
        assert_eq!(http_date(moment), "Mon, 30 Jan 2017 23:31:40 GMT");
    }
}
