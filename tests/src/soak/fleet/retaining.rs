//! Pings of days that are long past, and retention that deletes them beside the load.

use std::fs;
use std::sync::PoisonError;
use std::time::Duration;

use ping::Timestamp;
use serde_json::json;
use service::clock::SystemClock;

use super::Fleet;
use crate::program::{now, thread_sleep};
use crate::soak::document::{IMPORTED, plain};

/// How long it may take until an import is indexed.
const INDEXED_MAX: Duration = Duration::from_secs(600);

impl Fleet {
    /// Imports so many pings of one partition and of a day so long past, and has retention delete them, as a person would.
    ///
    /// # Panics
    /// When they are not deleted.
    pub fn import_and_outlive(&self, days_ago: u16, pings: u64) {
        let mut gone = self.gone.lock().unwrap_or_else(PoisonError::into_inner);
        let now_micros = SystemClock::shared().now_micros();
        let day = Timestamp::from_micros(now_micros).submission_date();
        let day = day.plus_days(-i64::from(days_ago)).to_string();
        let line = |number| {
            let mut ping = plain(number);
            (ping.version, ping.channel) = ("50.0a1".to_owned(), "nightly".to_owned());
            let line = json!({"submissionDate": day, "uri": ping.uri(), "body": ping.json()});
            format!("{line}\n")
        };
        let first = IMPORTED + *gone;
        let file = self.folder.path().join(format!("{days_ago}.ndjson"));
        fs::write(&file, (first..first + pings).map(line).collect::<String>()).expect("written");
        let data = self.folder.path().join("imported").display().to_string();
        let import = ["import", &file.display().to_string(), "--data-dir", &data];
        let imported = self.processes().run_over_store(&import);
        assert!(imported.success, "{}", imported.stderr);
        let age = format!("{}d", days_ago - 1);
        let deleted = format!("deleted: 1 chunks with {pings} pings");
        let (start, mut said) = (now(), String::new());
        while !said.contains(&deleted) {
            assert!(start.elapsed() < INDEXED_MAX, "not {deleted:?}: {said}");
            thread_sleep(Duration::from_millis(100));
            said = self.run(&["retain", "--yes", "--keep-pings", &age, "--keep-aggregates", &age]);
        }
        *gone += pings;
    }
}
