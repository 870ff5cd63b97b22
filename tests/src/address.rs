//! Loopback addresses to listen on, which nothing else takes between the asking and the listening.
//!
//! A port that the kernel gave for port 0 is free again once it is let go of, and the next client of any test that runs
//! beside this one may leave from it. So ports lie outside of the range that clients leave from, and no process asks for
//! one twice.

use std::net::TcpListener;
use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicU32, Ordering};

/// Where ports are taken from when the kernel does not say which ones clients leave from: Linux' own is 32768 to 60999.
const CLIENTS: RangeInclusive<u32> = 32_768..=60_999;
/// Below it are ports that other services are likely to listen on.
const LOWEST: u32 = 12_000;
/// Ports that one process has before the next one's begin, as long as there are any.
const OF_A_PROCESS: u32 = 256;

/// A loopback address that nobody listens on, that no client leaves from, and that this process was not given before.
///
/// # Panics
/// When there is none.
pub fn free_address() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let ports = LOWEST..*clients().start();
    let first = std::process::id().wrapping_mul(OF_A_PROCESS);
    for _ in ports.clone() {
        let number = first.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed));
        let port = ports.start + number % (ports.end - ports.start);
        let address = format!("127.0.0.1:{port}");
        if TcpListener::bind(&address).is_ok() {
            return address;
        }
    }
    panic!("no port is free among {ports:?}");
}

/// The ports from which clients leave.
fn clients() -> RangeInclusive<u32> {
    let text = std::fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").unwrap_or_default();
    let mut ends = text.split_whitespace().map_while(|end| end.parse().ok());
    match (ends.next(), ends.next()) {
        (Some(start), Some(end)) if start > LOWEST + OF_A_PROCESS => start..=end,
        _ => CLIENTS,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_address_is_given_twice_and_no_client_leaves_from_one() {
        let given: std::collections::BTreeSet<String> = (0..100).map(|_| free_address()).collect();
        assert_eq!(given.len(), 100);
        for address in given {
            let (_, port) = address.rsplit_once(':').expect("host:port");
            assert!(!clients().contains(&port.parse().expect("a number")));
        }
    }
}
