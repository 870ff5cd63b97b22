//! Bodies as a client sends them, ready for every row: the yardstick and ours take the same bytes.

use sample_pings::{Population, gzip};

use ping::Timestamp;

/// A generated ping, and its body as it comes over the wire.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    /// The path and query.
    pub(crate) uri: String,
    /// The headers.
    pub(crate) headers: Vec<(&'static str, String)>,
    /// The body, not compressed.
    pub(crate) body: Vec<u8>,
    /// The body as sent: gzip, level 6.
    pub(crate) gzip: Vec<u8>,
}

impl Sent {
    /// Ping `n` of a population.
    pub(crate) fn generate(population: &Population, n: u64, received: Timestamp) -> Self {
        let ping = population.ping(n, received);
        let gzip = gzip(&ping.body, 6);
        Self {
            uri: ping.uri,
            headers: ping.headers,
            body: ping.body,
            gzip,
        }
    }
}
