//! Which histograms and numbers count.

use sketch::{HistogramKind, Layout};

use super::totals::Sums;
use super::tree::{Entries, Tree, get};
use crate::limits::{BIN_SAMPLES_MAX, BINS_PER_HISTOGRAM_MAX, RANGE_MAX};

/// A bin's key as an integer, if it is written as a program writes it.
pub(super) fn bound(key: &str) -> Option<i64> {
    key.parse::<i64>().ok().filter(|bound| bound.to_string() == key)
}

/// A number to count, or why it is refused; `None` when it is no number.
pub(super) fn number(value: &Tree) -> Option<Result<i64, &'static str>> {
    match value {
        Tree::Bool(value) => Some(Ok((*value).into())),
        Tree::Integer(number) if *number < 0 => Some(Err("number_negative")),
        Tree::Integer(number) => Some(i64::try_from(*number).map_err(|_| "number_too_large")),
        Tree::Fraction(number) if *number < 0.0 => Some(Err("number_negative")),
        Tree::Fraction(number) if number.trunc() >= 2f64.powi(63) => Some(Err("number_too_large")),
        Tree::Fraction(number) => Some(Ok(number.trunc() as i64)),
        _ => None,
    }
}

/// A histogram that counts. A layout of `None` stands for type count.
pub(super) struct Accepted {
    pub(super) layout: Option<Layout>,
    pub(super) sums: Sums,
    pub(super) odd: Vec<&'static str>,
}

/// What a histogram adds, or why it is refused.
pub(super) fn accept(histogram: &Entries) -> Result<Accepted, &'static str> {
    let kind = match get(histogram, "histogram_type").ok_or("type_missing")? {
        Tree::Integer(code) => u8::try_from(*code)
            .ok()
            .and_then(|code| HistogramKind::try_from(code).ok()),
        _ => None,
    };
    let kind = kind.ok_or("type_unknown")?;
    let sum = match get(histogram, "sum").ok_or("sum_missing")? {
        Tree::Integer(sum) if *sum < 0 => return Err("sum_negative"),
        Tree::Integer(sum) if *sum > i64::MAX.into() => return Err("sum_too_large"),
        Tree::Integer(sum) => *sum,
        _ => return Err("sum_not_an_integer"),
    };
    let Tree::Object(values) = get(histogram, "values").ok_or("values_missing")? else {
        return Err("values_not_an_object");
    };
    if values.len() > BINS_PER_HISTOGRAM_MAX {
        return Err("histogram_too_many_bins");
    }
    let mut odd = Vec::new();
    let mut sums = Sums {
        count: 1,
        sum,
        ..Sums::default()
    };
    let (mut negative, mut too_large) = (false, false);
    for (key, value) in values {
        match (bound(&key.text), value) {
            (None, _) => odd.push("bin_key_not_an_integer"),
            (Some(bound), Tree::Integer(samples)) => {
                negative |= *samples < 0;
                too_large |= *samples > BIN_SAMPLES_MAX.into();
                sums.bins.insert(bound, *samples);
            }
            (Some(_), _) => odd.push("bin_value_not_an_integer"),
        }
    }
    if negative {
        return Err("bin_negative");
    }
    if too_large {
        return Err("bin_too_large");
    }
    sums.bins.retain(|_, samples| *samples != 0);
    let layout = layout(histogram, kind)?;
    Ok(Accepted { layout, sums, odd })
}

fn layout(histogram: &Entries, kind: HistogramKind) -> Result<Option<Layout>, &'static str> {
    const OUT: &str = "layout_out_of_range";
    let count = || match get(histogram, "bucket_count") {
        Some(Tree::Integer(count @ 1..=10_000)) => Ok(*count as u32),
        _ => Err(OUT),
    };
    let with = |min, max, bin_count| {
        Ok(Some(Layout {
            kind,
            min,
            max,
            bin_count,
        }))
    };
    match kind {
        HistogramKind::Count => Ok(None),
        HistogramKind::Boolean | HistogramKind::Flag => with(1, 2, 3),
        HistogramKind::Categorical => with(1, (i64::from(count()?) - 1).max(1), count()?),
        HistogramKind::Exponential | HistogramKind::Linear => match get(histogram, "range") {
            Some(Tree::List(ends)) => match ends[..] {
                [Tree::Integer(min), Tree::Integer(max)]
                    if 0 <= min && min <= max && max <= RANGE_MAX.into() =>
                {
                    with(min as i64, max as i64, count()?)
                }
                _ => Err(OUT),
            },
            _ => Err(OUT),
        },
        // No telemetry ping states these.
        HistogramKind::Functional
        | HistogramKind::GleanLinear
        | HistogramKind::Keys
        | HistogramKind::Categories
        | HistogramKind::ExponentialNumbers
        | HistogramKind::LinearNumbers => Err(OUT),
    }
}
