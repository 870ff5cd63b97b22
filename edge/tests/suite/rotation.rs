//! One log segment follows another under load, and nobody is refused meanwhile.

use std::sync::Arc;

use disk::RealDisk;
use edge::{Edge, EdgeLimits, EdgeOptions};

use crate::support::*;

/// Submits from several sides at once; answers how many were refused.
async fn refused(edge: &Arc<Edge>) -> usize {
    let sender = |side: u64| {
        let edge = Arc::clone(edge);
        service::task::spawn("sender", async move {
            let mut refused = 0;
            for number in 0..150 {
                let taken = submit(&edge, side * 1_000 + number, "release", &[b' '; 8_000]).await;
                refused += usize::from(taken.is_err());
            }
            refused
        })
    };
    let senders: Vec<_> = (0..8).map(sender).collect();
    let mut all = 0;
    for sender in senders {
        all += sender.await.expect("no panic");
    }
    all
}

#[test]
fn nobody_is_refused_while_one_segment_follows_another() {
    run(async {
        let folder = tempfile::tempdir().expect("a folder");
        let limits = EdgeLimits {
            log_bytes: 512 << 20,
            segment_bytes: 128 << 10,
            ..limits()
        };
        let options = EdgeOptions {
            claims: None,
            log_dir: folder.path().join("log"),
            staging_dir: folder.path().join("staging"),
            damaged_dir: folder.path().join("damaged"),
            ..options(limits)
        };
        std::fs::create_dir(folder.path().join("staging")).expect("made");
        let running = open(RealDisk::shared(), memory(), system_clock(), options)
            .await
            .expect("opens");
        assert_eq!(refused(&running.edge).await, 0);
        assert_eq!(running.edge.status().accepted, 8 * 150);
        running.edge.shutdown(false).await;
    });
}
