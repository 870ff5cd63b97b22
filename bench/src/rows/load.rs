//! Load: sample pings over many kept connections.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::Result;
use service::task;

use super::client::Client;
use super::partition::uri_in;
use crate::bodies::Sent;

/// Connections at once.
pub(crate) const CONNECTIONS: usize = 64;
/// Consecutive submissions are so many pings apart, so that partitions alternate; a prime.
const STRIDE: usize = 7_919;

/// Pings to send, each to its partition.
pub(crate) struct Load {
    pings: Arc<Vec<Sent>>,
    number: usize,
    partitions: usize,
}

impl Load {
    /// `number` pings, cycling the sample, evenly over `partitions`.
    pub(crate) fn new(sample: &[Sent], number: usize, partitions: usize) -> Self {
        Self {
            pings: Arc::new(sample.to_vec()),
            number,
            partitions,
        }
    }

    /// Sends all of them until each is answered 200. Answers how many were refused before for want of room.
    pub(crate) async fn send(&self, address: &str) -> Result<u64> {
        let next = Arc::new(AtomicUsize::new(0));
        let connections: Vec<_> = (0..CONNECTIONS)
            .map(|_| {
                let (next, pings, address) = (Arc::clone(&next), Arc::clone(&self.pings), address.to_owned());
                let (number, partitions) = (self.number, self.partitions);
                task::spawn("connection", async move {
                    let mut client = Client::connect(&address).await?;
                    let mut refused = 0;
                    loop {
                        let turn = next.fetch_add(1, Ordering::Relaxed);
                        if turn >= number {
                            return anyhow::Ok(refused);
                        }
                        let n = turn * STRIDE % number;
                        let ping = &pings[n % pings.len()];
                        refused += client
                            .submit(&uri_in(&ping.uri, n * partitions / number), ping)
                            .await?;
                    }
                })
            })
            .collect();
        let mut refused = 0;
        for connection in connections {
            refused += connection.await??;
        }
        Ok(refused)
    }
}
