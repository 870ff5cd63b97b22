//! The way from the edge to the indexer, on which announcements are lost, doubled, late and out of order.

use std::sync::atomic::Ordering;
use std::time::Duration;

use service::task;
use tokio::sync::mpsc;

use crate::life::Life;

/// How often it is looked whether there is an index again.
const LOOK: Duration = Duration::from_secs(5);

/// Passes announcements on, more or less.
pub(crate) async fn pass_on(mut from: mpsc::Receiver<String>, to: mpsc::Sender<String>, life: Life) {
    let mut dice = life.dice("announcements");
    let odd = life.plan.odds.announcement;
    loop {
        // Nobody listens while there is no index.
        while life.no_database.load(Ordering::SeqCst) {
            task::sleep(LOOK).await;
        }
        let Some(key) = from.recv().await else { return };
        let times = if dice.happens(odd) { dice.from(0..3) } else { 1 };
        match times {
            0 => life.befalls("announcements lost"),
            1 => {}
            _ => life.befalls("announcements doubled"),
        }
        for _ in 0..times {
            let late = dice
                .happens(odd)
                .then(|| dice.time(Duration::from_millis(1), Duration::from_secs(900)));
            let (to, key) = (to.clone(), key.clone());
            let arrive = async move {
                if let Some(late) = late {
                    task::sleep(late).await;
                }
                // The indexer may have ended by then.
                let _ = to.send(key).await;
            };
            match late {
                Some(_) => {
                    life.befalls("announcements late");
                    drop(task::spawn("announcement", arrive));
                }
                None => arrive.await,
            }
        }
    }
}
