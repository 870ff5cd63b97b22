//! The lower bounds of a histogram's bins, as the browser computes them from the histogram's own parameters.

/// How a histogram's bins lie; the discriminant is the `histogram_type` of the ping.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Exponential = 0,
    Linear = 1,
    Boolean = 2,
    Flag = 3,
    Count = 4,
    Categorical = 5,
}

/// The lower bounds, ascending from 0; `bins` of them, three for boolean, flag and count.
pub(crate) fn lower_bounds(kind: Kind, low: u64, high: u64, bins: u64) -> Vec<u64> {
    match kind {
        Kind::Boolean | Kind::Flag | Kind::Count => vec![0, 1, 2],
        Kind::Categorical => (0..bins).collect(),
        Kind::Linear => linear(low, high, bins),
        Kind::Exponential => exponential(low, high, bins),
    }
}

/// The bounds from 1 to `bins - 1` divide `low..=high` evenly.
fn linear(low: u64, high: u64, bins: u64) -> Vec<u64> {
    let bound = |i: u64| {
        let weighted = (low * (bins - 1 - i) + high * (i - 1)) as f64;
        (weighted / (bins - 2) as f64 + 0.5) as u64
    };
    std::iter::once(0).chain((1..bins).map(bound)).collect()
}

/// Each bound divides what is left to `high` evenly on the logarithmic scale, and lies above the one before.
fn exponential(low: u64, high: u64, bins: u64) -> Vec<u64> {
    let mut bounds = vec![0, low];
    let mut current = low;
    for i in 2..bins {
        let log_current = (current as f64).ln();
        let step = ((high as f64).ln() - log_current) / (bins - i) as f64;
        let next = ((log_current + step).exp() + 0.5).floor() as u64;
        current = if next > current { next } else { current + 1 };
        bounds.push(current);
    }
    bounds
}
