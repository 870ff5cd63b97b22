//! Glean's bin layouts: those recorded from its SDK, and where its formulas part from telemetry's.

use std::path::Path;

use serde_json::Value;
use sketch::{HistogramKind, Layout};

/// The layout that a recorded list's heading describes, such as `linear min 1 max 100 buckets 12`.
fn layout_of(heading: &str) -> Option<Layout> {
    let words: Vec<&str> = heading.split_whitespace().collect();
    let number = |name: &str| {
        let at = words.iter().position(|word| *word == name)?;
        words.get(at + 1)?.parse::<i64>().ok()
    };
    let range = || {
        Some((
            number("min")?,
            number("max")?,
            u32::try_from(number("buckets")?).ok()?,
        ))
    };
    match *words.first()? {
        "timing_distribution" => Some(Layout::NUMBER),
        "memory_distribution" => Some(Layout::MEMORY),
        "linear" => range().map(|(min, max, bins)| Layout::glean_linear(min, max, bins)),
        "exponential" => range().map(|(min, max, bins)| Layout::exponential(min, max, bins)),
        _ => None,
    }
}

#[test]
fn every_recorded_layout_of_the_sdk_is_met() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let beside =
        |folder: &Path| Some(folder.join("shared/data/glean/layouts.json")).filter(|file| file.is_file());
    let Some(file) = here.ancestors().find_map(beside) else {
        return println!("left out: ../shared is absent");
    };
    let text = std::fs::read_to_string(file).expect("the recorded layouts");
    let recorded: serde_json::Map<String, Value> = serde_json::from_str(&text).expect("lists by heading");
    for (heading, list) in &recorded {
        let layout = layout_of(heading).unwrap_or_else(|| panic!("what is {heading}?"));
        let list: Vec<i64> = serde_json::from_value(list.clone()).expect("a list of bounds");
        let bounds = layout.lower_bounds();
        let from_zero = bounds.iter().position(|bound| *bound == 0).expect("0 is a bound");
        assert_eq!(bounds[from_zero..][..list.len()], list, "{heading}");
        if layout.kind != HistogramKind::Functional {
            assert_eq!(bounds, list, "{heading}");
        }
    }
    assert!(recorded.len() >= 8, "{}", recorded.len());
}

/// As the SDK computes it, in the order of its statements.
fn exponential_by_the_sdk(min: u64, max: u64, bins: usize) -> Vec<i64> {
    let mut current = min.max(1);
    let mut bounds = vec![0, current];
    for i in 2..bins {
        let ln = (current as f64).ln();
        let next = (ln + ((max as f64).ln() - ln) / (bins - i) as f64).exp().round() as u64;
        current = if next > current { next } else { current + 1 };
        bounds.push(current);
    }
    bounds.into_iter().map(|bound| bound as i64).collect()
}

#[test]
fn exponential_bounds_of_glean_are_those_of_telemetry() {
    let large = [1_u64 << 20, (1 << 31) - 1, 1 << 40].into_iter();
    for max in (1..=120).chain((200..60_000).step_by(977)).chain(large) {
        for min in [0, 1, 2, 3, 7, 20, max / 2, max] {
            for bins in (2..=40).chain([50, 99, 100]) {
                let (low, high) = (min.min(max) as i64, max as i64);
                let ours = Layout::exponential(low, high, bins as u32).lower_bounds();
                assert_eq!(
                    ours,
                    exponential_by_the_sdk(min.min(max), max, bins),
                    "{min}..{max} in {bins}"
                );
            }
        }
    }
}

#[test]
fn linear_bounds_of_glean_are_often_others_than_telemetrys() {
    let (mut same, mut other) = (0, 0);
    for max in 1..=60_i64 {
        for min in 0..=max {
            for bins in 3..=30 {
                let ours = Layout::glean_linear(min, max, bins).lower_bounds();
                // In whole numbers, a bound that repeats the one before it left out.
                let (low, n) = (min.max(1), i64::from(bins));
                let mut slow: Vec<i64> = (1..n)
                    .map(|i| (low * (n - 1 - i) + max * (i - 1)) / (n - 2))
                    .collect();
                slow.insert(0, 0);
                slow.dedup();
                assert_eq!(ours, slow, "{min}..{max} in {bins}");
                let telemetrys = Layout::linear(min, max, bins).lower_bounds();
                *if ours == telemetrys { &mut same } else { &mut other } += 1;
            }
        }
    }
    assert!(
        same > 10_000 && other > 10_000,
        "{same} layouts are the same, {other} are not"
    );
    assert_ne!(
        Layout::glean_linear(1, 100, 12).lower_bounds(),
        Layout::linear(1, 100, 12).lower_bounds()
    );
}
