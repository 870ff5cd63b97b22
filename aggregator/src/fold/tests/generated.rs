//! Generated pings: the fold against the oracle, and against the generator's own ledger.

use std::collections::{BTreeMap, BTreeSet};

use sample_pings::{MetricKey, Options, Population, Truth};

use super::{day, fold, oracle};
use crate::fold::oracle::Totals;

#[test]
fn generated_pings_add_what_the_oracle_and_their_ledger_say() {
    let population = Population::new(7, Options::default());
    let pings: Vec<_> = (0..60).map(|n| population.ping(n, day().start())).collect();
    let mut truth = Truth::default();
    let mut expected = Totals::default();
    let mut documents = BTreeSet::new();
    let mut counted: Vec<(&[u8], i64)> = Vec::new();
    for ping in &pings {
        truth.add(ping);
        if documents.insert(&ping.document_id) {
            expected.add(&oracle(&ping.body).expect("a good ping"), 1);
            counted.push((&ping.body, 1));
        }
    }
    let folded = fold(&counted).expect("good pings");
    assert_eq!(folded, expected);
    let mut sums: BTreeMap<MetricKey, (i128, i128)> = BTreeMap::new();
    for ((_, metric, process, label, _), cell) in folded.cells {
        let sum = sums
            .entry(MetricKey {
                metric,
                process,
                label,
            })
            .or_default();
        sum.0 += cell.count;
        sum.1 += cell.sum;
    }
    assert!(truth.sums().len() > 500);
    for (key, contribution) in truth.sums() {
        let sum = i128::try_from(contribution.sum).expect("small");
        assert_eq!(sums.get(key), Some(&(contribution.count.into(), sum)), "{key:?}");
    }
    assert!(folded.refused.is_empty(), "{:?}", folded.refused);
}
