//! Percentiles of a distribution: between which edges one surely lies, and where inside by interpolation. Pure.

use serde::Serialize;
use serde_json::{Value, json};

use super::form::Edges;
use crate::problem::{Problem, Reason};

/// Digits after the point of a percentile that is asked for, at most.
const DECIMALS_MAX: usize = 4;

/// A percentile that is asked for, as it was written, in ten-thousandths.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Percentile {
    /// As it was written.
    pub(crate) text: String,
    parts: i128,
}

/// Where a percentile lies; written in the order of names.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Place {
    /// Where its bin ends; none where that is open or not known.
    high: Option<i64>,
    low: i64,
    pub(crate) value: Value,
}

/// Ten-thousandths in a hundred.
const HUNDRED: i128 = 1_000_000;

impl Percentile {
    /// Reads one, from 0 to 100.
    pub(crate) fn parse(text: &str) -> Result<Self, Problem> {
        let invalid = || {
            let sentence = format!(
                "`{}` is no percentile: give numbers from 0 to 100 with up to {DECIMALS_MAX} decimals, such as 5,50,99.9.",
                text.escape_debug()
            );
            Problem::new(Reason::InvalidParameter, sentence)
        };
        let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
        let is_plain = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty()
            || whole.len() > 3
            || decimals.len() > DECIMALS_MAX
            || text.ends_with('.')
            || !is_plain(whole)
            || !is_plain(decimals)
        {
            return Err(invalid());
        }
        let parts: i128 = format!("{whole}{decimals:0<4}").parse().map_err(|_| invalid())?;
        match parts <= HUNDRED {
            true => Ok(Self {
                text: text.to_owned(),
                parts,
            }),
            false => Err(invalid()),
        }
    }

    /// As a part of the whole.
    #[expect(clippy::cast_precision_loss, reason = "at most seven digits")]
    pub(crate) fn share(&self) -> f64 {
        self.parts as f64 / HUNDRED as f64
    }

    /// The rank of its sample, counting from 1.
    fn rank(&self, samples: i128) -> i128 {
        let exact = self.parts.saturating_mul(samples);
        let (whole, over) = (exact / HUNDRED, exact % HUNDRED);
        (whole + i128::from(over > 0)).max(1)
    }

    /// Its place among these bins; `None` without samples.
    pub(crate) fn among(&self, bins: &[(i64, i128)], edges: &Edges) -> Option<Place> {
        let positive = || bins.iter().filter(|(_, count)| *count > 0);
        let samples: i128 = positive().map(|(_, count)| count).sum();
        let rank = self.rank(samples);
        let mut before = 0;
        for &(low, count) in positive() {
            if rank <= before + count {
                let high = edges.after(low);
                let value = high.map_or_else(|| json!(low), |high| inside(low, high, rank - before, count));
                return Some(Place { high, low, value });
            }
            before += count;
        }
        None
    }
}

/// Where the sample of a rank, counted from 1 within its bin, lies if samples are spread evenly. A bin of one whole number has that one.
#[expect(clippy::cast_precision_loss, reason = "an estimate inside a bin")]
fn inside(low: i64, high: i64, rank: i128, count: i128) -> Value {
    let width = i128::from(high) - i128::from(low);
    if width <= 1 {
        return json!(low);
    }
    let share = (rank as f64 - 0.5) / count as f64;
    let value = low as f64 + width as f64 * share;
    match value < high as f64 {
        true => json!(value),
        false => json!(low),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sketch::Layout;

    #[test]
    fn a_rank_is_the_share_of_samples_rounded_up() {
        let rank = |text: &str, samples| Percentile::parse(text).expect("one").rank(samples);
        assert_eq!((rank("50", 5), rank("50", 4), rank("100", 7)), (3, 2, 7));
        assert_eq!(
            (rank("0", 5), rank("99.9", 1_000), rank("99.91", 1_000)),
            (1, 999, 1_000)
        );
        assert_eq!((rank("0.0001", 9), rank("5", 100), rank("5", 101)), (1, 5, 6));
    }

    #[test]
    fn what_is_no_percentile_is_refused() {
        for wrong in [
            "", "-1", "101", "100.1", "a", "5.", ".5", "1.00001", "1e1", "1000",
        ] {
            assert!(Percentile::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_percentile_lies_in_the_bin_of_its_sample() {
        // By hand: samples 0, 1, 1, and five in [10, 100).
        let layout = Layout::linear(10, 100, 3);
        let edges = Edges::of(&layout);
        let bins = [(0, 3), (10, 5)];
        let among = |text: &str, bins: &[(i64, i128)]| {
            let place = Percentile::parse(text).expect("one").among(bins, &edges);
            place.map(|place| json!(place))
        };
        let of = |text: &str| among(text, &bins);
        assert_eq!(of("25"), Some(json!({"value": 5.0, "low": 0, "high": 10})));
        assert_eq!(of("50"), Some(json!({"value": 19.0, "low": 10, "high": 100})));
        let open = [(100, 2)];
        assert_eq!(
            among("50", &open),
            Some(json!({"value": 100, "low": 100, "high": null}))
        );
        assert_eq!(among("50", &[]), None);
    }
}
