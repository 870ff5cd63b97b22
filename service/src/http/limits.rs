//! What a connection and a body may cost, each default with its reason. Values only; who keeps them is elsewhere.

use std::time::Duration;

/// What connections may cost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectionLimits {
    /// Connections open at once. For each request more, one that waits for its client yields, if it has for over a
    /// second: the longest silent, else the one with the slowest body. Each costs a file descriptor and between 10 and
    /// 64 KB.
    pub connections: usize,
    /// Connections beside these, for heartbeats. Any other request that comes by one of them waits until a connection
    /// of the others is free, and is refused when it was the longest to wait and the next one comes.
    pub heartbeat_seats: usize,
    /// From the connection's start, or from the first byte of a later request, to the end of its headers.
    pub header_timeout: Duration,
    /// How long a connection may lie idle between requests: longer than the 60 s for which load balancers keep theirs,
    /// so that the side that closes is the one that knows.
    pub idle_timeout: Duration,
    /// How long a client may take no byte of an answer.
    pub write_timeout: Duration,
    /// How long requests in flight may take once the shutdown is wished; then their connections are cut.
    pub drain_timeout: Duration,
    /// How long a connection that was answered is read on for what the client still sends, so that its answer is not
    /// lost in a reset.
    pub linger_timeout: Duration,
    /// Whether a client that has closed its side still gets its answer. On the network that looks like a client that is
    /// gone: where this is false, what is done for it ends.
    pub answer_half_closed: bool,
}

impl Default for ConnectionLimits {
    fn default() -> Self {
        Self {
            connections: 4096,
            heartbeat_seats: 64,
            header_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(75),
            write_timeout: Duration::from_secs(30),
            drain_timeout: Duration::from_secs(20),
            linger_timeout: Duration::from_secs(2),
            answer_half_closed: true,
        }
    }
}

/// What one body may cost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BodyLimits {
    /// The longest body, in bytes.
    pub bytes_max: u64,
    /// From the first wish for the body to its end.
    pub timeout: Duration,
    /// How long a body may be slower than the minimum rate: a radio may need some seconds to wake up.
    pub grace: Duration,
    /// The minimum rate, in bytes per second, averaged over the time after the grace.
    pub bytes_per_second_min: u32,
}

impl Default for BodyLimits {
    fn default() -> Self {
        Self {
            bytes_max: 8 << 20,
            timeout: Duration::from_secs(60),
            grace: Duration::from_secs(10),
            bytes_per_second_min: 1024,
        }
    }
}

impl BodyLimits {
    /// When, counted from the first wish for the body, more than `received` bytes must be there.
    pub fn deadline(&self, received: u64) -> Duration {
        let rate = u64::from(self.bytes_per_second_min.max(1));
        let earned = Duration::from_millis(received.saturating_mul(1000) / rate);
        self.timeout.min(self.grace.saturating_add(earned))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_earns_time_up_to_the_absolute_end() {
        let limits = BodyLimits::default();
        assert_eq!(limits.deadline(0), Duration::from_secs(10));
        assert_eq!(limits.deadline(1024), Duration::from_secs(11));
        assert_eq!(limits.deadline(50 * 1024), Duration::from_secs(60));
        assert_eq!(limits.deadline(u64::MAX), Duration::from_secs(60));
    }
}
