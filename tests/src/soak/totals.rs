//! What the stored pings must add up to, by the oracle, and whether a dump says so.

use std::collections::BTreeSet;
use std::path::Path;

use aggregator::fold::oracle::{self, Totals};

use super::stored::{Stored, each_record};

/// Pings that are added up before they go to the sum of all: adding costs by the size of what is added to.
const PART: usize = 500;

/// What is wrong with the cells of a dump; nothing where they are the oracle's.
pub(super) fn differs(data: &Path, stored: &Stored, dump: &str) -> Result<Option<String>, String> {
    let (mut all, mut part, mut pings) = (Totals::default(), Totals::default(), 0_usize);
    each_record(data, |record| {
        if !stored.counted.contains(&record.id) {
            return;
        }
        let ping = oracle::read(record.body, record.submission_date).expect("it counts");
        part.add(&ping.totals, 1);
        pings += 1;
        if pings.is_multiple_of(PART) {
            all.add(&std::mem::take(&mut part), 1);
        }
    })?;
    all.add(&part, 1);
    let expected: BTreeSet<String> = simulation::cell_lines(&all).collect();
    let found: BTreeSet<String> = dump
        .lines()
        .filter(|line| line.contains("\"cell\""))
        .map(simulation::normal)
        .collect();
    let odd: Vec<_> = found.symmetric_difference(&expected).collect();
    Ok((!odd.is_empty()).then(|| {
        format!(
            "{} cells of {} differ from the oracle's, such as {}",
            odd.len(),
            expected.len(),
            odd[0]
        )
    }))
}
