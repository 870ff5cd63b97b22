//! Loopback addresses to listen on, which nothing else takes between the asking and the listening.
//!
//! A port that the kernel gave for port 0 is free again once it is let go of, and the next client of any test that runs
//! beside this one may leave from it. So ports lie outside of the range that clients leave from. They are given out by
//! blocks: a process that listens on the first port of a block has the rest of it, for as long as it lives, and no other
//! process that asks here is given one of them.

use std::net::TcpListener;
use std::ops::RangeInclusive;
use std::sync::{Mutex, PoisonError};

/// Where ports are taken from when the kernel does not say which ones clients leave from: Linux' own is 32768 to 60999.
const CLIENTS: RangeInclusive<u32> = 32_768..=60_999;
/// Below it are ports that other services are likely to listen on.
const LOWEST: u32 = 12_000;
/// Ports of a block, its first one included.
const OF_A_BLOCK: u32 = 60;

/// The blocks that this process has, and what it was given of the last one.
#[derive(Debug)]
struct Blocks {
    /// Listens on the first port of each.
    held: Vec<TcpListener>,
    next: u32,
    end: u32,
}

static BLOCKS: Mutex<Blocks> = Mutex::new(Blocks {
    held: Vec::new(),
    next: 0,
    end: 0,
});

/// A loopback address with a [`free_port`].
///
/// # Panics
/// When there is none.
pub fn free_address() -> String {
    address(free_port())
}

/// A port on loopback that nobody listens on, that no client leaves from, and that neither this process nor another one that
/// still lives was given before: who was given it may listen, stop, and listen again.
///
/// # Panics
/// When there is none.
pub fn free_port() -> u32 {
    let mut blocks = BLOCKS.lock().unwrap_or_else(PoisonError::into_inner);
    loop {
        if blocks.next >= blocks.end {
            blocks.take();
        }
        let port = blocks.next;
        blocks.next += 1;
        if listen(port).is_some() {
            return port;
        }
    }
}

impl Blocks {
    /// Takes a further block, from a place on that differs by process: those that begin at once need not try all.
    fn take(&mut self) {
        let highest = *clients().start();
        let count = (highest - LOWEST) / OF_A_BLOCK;
        let first = std::process::id() % count;
        for number in 0..count {
            let start = LOWEST + (first + number) % count * OF_A_BLOCK;
            if let Some(held) = listen(start) {
                self.held.push(held);
                (self.next, self.end) = (start + 1, start + OF_A_BLOCK);
                return;
            }
        }
        panic!("no block of ports is free from {LOWEST} to {highest}");
    }
}

fn address(port: u32) -> String {
    format!("127.0.0.1:{port}")
}

fn listen(port: u32) -> Option<TcpListener> {
    TcpListener::bind(address(port)).ok()
}

/// The ports from which clients leave.
fn clients() -> RangeInclusive<u32> {
    let text = std::fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").unwrap_or_default();
    let mut ends = text.split_whitespace().map_while(|end| end.parse().ok());
    match (ends.next(), ends.next()) {
        (Some(start), Some(end)) if start > LOWEST + OF_A_BLOCK => start..=end,
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
        for address in &given {
            let (_, port) = address.rsplit_once(':').expect("host:port");
            assert!(!clients().contains(&port.parse().expect("a number")));
        }
        // More than one block: each is held as long as this process lives, so that no other one is given it.
        let blocks = BLOCKS.lock().expect("nobody panics holding it");
        assert_eq!(blocks.held.len(), 2);
        for held in &blocks.held {
            let start = u32::from(held.local_addr().expect("it listens").port());
            assert!(listen(start).is_none() && (start - LOWEST).is_multiple_of(OF_A_BLOCK));
        }
    }
}
