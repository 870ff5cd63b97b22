//! All lists of a store in one text.

use std::collections::BTreeSet;

use super::samples::sources;
use crate::{AggregateStore, DateClock};

/// All lists, as far as they depend on cells.
pub(super) async fn lists<S: AggregateStore + ?Sized>(store: &S) -> String {
    let mut text = String::new();
    for source in sources() {
        for channel in store
            .channels(&source, usize::MAX)
            .await
            .expect("channels")
            .values
        {
            let mut versions = BTreeSet::new();
            for clock in [DateClock::BuildDate, DateClock::SubmissionDate] {
                let dates = store.dates(&source, clock, &channel, usize::MAX).await;
                let dates = dates.expect("dates").values;
                versions.extend(dates.iter().map(|date| date.version.clone()));
                text.push_str(&format!("{source} {channel} {dates:?}\n"));
            }
            for version in versions {
                let options = store
                    .filter_options(&source, &channel, &version, usize::MAX)
                    .await;
                text.push_str(&format!("{:?}\n", options.expect("options")));
            }
        }
    }
    text
}
