//! Percentiles by the arithmetic of Mozilla's telemetry.js, for who compares with its numbers: inside the first bin at which more
//! than that share of samples is reached, with the width, or the ratio, of the layout's last bin, whatever the bin's own is. Pure.

use sketch::HistogramKind;

/// The value below which a share (0 to 1) of samples lies, as telemetry.js says; `None` without samples, and where the layout has no last
/// bin with a bound before it.
#[expect(clippy::cast_precision_loss, reason = "its numbers are doubles")]
pub(crate) fn telemetryjs(
    kind: HistogramKind,
    bounds: &[i64],
    bins: &[(i64, i128)],
    share: f64,
) -> Option<f64> {
    let &[.., before, last] = bounds else {
        return None;
    };
    let positive = || bins.iter().filter(|(_, count)| *count > 0);
    let samples: i128 = positive().map(|(_, count)| count).sum();
    let mut left = samples as f64 * share;
    let mut found = None;
    for &(low, count) in positive() {
        let count = count as f64;
        found = Some((low as f64, left / count));
        if left < count {
            break;
        }
        left -= count;
    }
    let (low, part) = found?;
    let value = match kind {
        HistogramKind::Exponential | HistogramKind::Functional | HistogramKind::Count => {
            low * (last as f64 / before as f64).powf(part.min(1.0))
        }
        _ => low + (last as f64 - before as f64) * part.min(1.0),
    };
    Some(if value.is_finite() { value } else { low })
}

#[cfg(test)]
mod tests {
    use super::*;
    use sketch::Layout;

    /// Bin by bin, those without samples, too, as the original's loop goes.
    fn slowly(kind: HistogramKind, bounds: &[i64], values: &[i32], share: f64) -> f64 {
        let n = bounds.len();
        let (width, ratio) = (
            (bounds[n - 1] - bounds[n - 2]) as f64,
            bounds[n - 1] as f64 / bounds[n - 2] as f64,
        );
        let mut hits = f64::from(values.iter().sum::<i32>()) * share;
        let mut at = 0;
        while hits >= 0.0 {
            hits -= f64::from(values[at]);
            at += 1;
        }
        at -= 1;
        hits += f64::from(values[at]);
        let part = hits / f64::from(values[at]);
        match kind {
            HistogramKind::Linear => bounds[at] as f64 + width * part,
            _ => bounds[at] as f64 * ratio.powf(part),
        }
    }

    #[test]
    fn it_is_the_arithmetic_of_the_original_by_hand_and_in_a_loop() {
        // Of four samples the second lies in the middle of a bin from 10, and bins are taken to be as wide as the last: 10.
        let by_hand = telemetryjs(
            HistogramKind::Linear,
            &[0, 10, 20, 30],
            &[(0, 1), (10, 2), (20, 1)],
            0.5,
        );
        assert_eq!(by_hand, Some(15.0));
        for layout in [Layout::linear(7, 90, 12), Layout::exponential(1, 9_000, 12)] {
            let bounds = layout.lower_bounds();
            let values: Vec<i32> = (0..bounds.len()).map(|at| [3, 0, 5, 1][at % 4]).collect();
            let bins = bounds.iter().zip(&values).filter(|(_, count)| **count > 0);
            let bins: Vec<(i64, i128)> = bins.map(|(low, count)| (*low, i128::from(*count))).collect();
            for percent in 0..100 {
                let share = f64::from(percent) / 100.0;
                let expected = slowly(layout.kind, &bounds, &values, share);
                let found = telemetryjs(layout.kind, &bounds, &bins, share).expect("samples");
                // That loop takes a bin's samples away and adds them again, which rounds.
                let is_close = (found - expected).abs() <= 1e-9 * expected.abs().max(1.0);
                assert!(is_close, "{layout} {percent}: {found} and {expected}");
            }
        }
    }

    #[test]
    fn what_has_no_answer_there_has_none_here_or_the_lower_bound() {
        assert_eq!(telemetryjs(HistogramKind::Keys, &[], &[(3, 1)], 0.5), None);
        assert_eq!(telemetryjs(HistogramKind::Linear, &[0, 1], &[], 0.5), None);
        assert_eq!(
            telemetryjs(HistogramKind::Exponential, &[0, 1], &[(1, 4)], 0.5),
            Some(1.0)
        );
        assert_eq!(
            telemetryjs(HistogramKind::Linear, &[0, 5], &[(5, 4)], 1.0),
            Some(10.0)
        );
    }
}
