//! Target: `metrics.yaml` and `pings.yaml`. A fault has a place and words; what is read is known by the names under which it
//! counts, and its layouts are bounded.

use readers::definitions::Definitions;
use readers::glean::CustomLayout;
use sketch::BIN_COUNT_MAX;

/// The text of a file.
pub fn target(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let definitions = match Definitions::read(&text) {
        Ok(definitions) => definitions,
        Err(faults) => {
            assert!(!faults.is_empty(), "a refusal says why");
            for fault in faults {
                assert!(fault.at.line > 0 && !fault.words.is_empty(), "{fault}");
            }
            return;
        }
    };
    for (name, metric) in &definitions.metrics {
        for (counted, kind) in metric.counted_as(name) {
            assert_eq!(kind, metric.metric_type.kind());
            assert!(definitions.metric(&counted).is_some(), "{counted} is defined");
        }
        if let Some(layout) = metric.layout {
            assert!(layout.lower_bounds().len() <= BIN_COUNT_MAX as usize);
            let custom = definitions.custom_layouts();
            assert_eq!(custom.get(name).map(CustomLayout::layout), Some(layout));
        }
    }
    let mut twice = definitions.clone();
    let is_empty = definitions.metrics.is_empty() && definitions.pings.is_empty();
    assert_eq!(
        twice.add(definitions).is_ok(),
        is_empty,
        "nothing is defined twice"
    );
}

/// One of each kind of file.
pub fn seeds() -> Vec<Vec<u8>> {
    let metrics = "$schema: moz://mozilla.org/schemas/glean/metrics/2-0-0\n$tags: [x]\na.b:\n  c: &c\n    type: counter\n    \
                   description: a\n    expires: never\n    send_in_pings: [default]\n  d:\n    type: custom_distribution\n    \
                   range_max: 100\n    bucket_count: 12\n    histogram_type: linear\n  e: {type: event, extra_keys: {k: {description: x, \
                   type: boolean}}}\n  f: {type: rate, labels: [x], lifetime: user}\n  g: *c\n";
    let pings = "$schema: moz://mozilla.org/schemas/glean/pings/1-0-0\nusage:\n  description: |\n    many\n    lines\n  \
                 include_client_id: false\n  reasons: {daily: each day}\n  metadata: {include_info_sections: false}\n";
    [metrics, pings, "a: [\n", ""]
        .map(|text| text.as_bytes().to_vec())
        .to_vec()
}
