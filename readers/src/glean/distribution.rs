//! Distributions: `{"sum":…,"values":{key: samples}}`. No layout travels with them: timings and memory have one each, a
//! custom one that of its definition.

use sketch::Layout;

use super::arena::Span;
use super::limits::{BIN_SAMPLES_MAX, BINS_PER_DISTRIBUTION_MAX, BINS_PER_PING_MAX};
use super::section::Base;
use super::work::{Scratch, Target, Work, begin, members, natural, place};
use crate::json::{Cursor, JsonError, Leaf, Once};
use crate::values::{Rule, Values};

/// Reads a distribution and stages it; one without samples does not contribute.
pub(super) fn read_distribution<S: Values>(
    work: &mut Work<'_, S>,
    base: Base,
    target: Target,
    json: &mut Cursor<'_>,
) -> Result<Result<(), Rule>, JsonError> {
    let from = begin(json)?;
    let first = work.scratch.staged.bins().len();
    let (mut sum, mut values) = (Err(Rule::WrongType), Err(Rule::WrongType));
    let mut once = Once::default();
    let mut doubled = false;
    let other = members(json, |key, json| {
        match key.text {
            "sum" => {
                doubled |= once.again(0);
                sum = natural(json.leaf()?);
            }
            "values" => {
                doubled |= once.again(1);
                values = read_bins(work, target.metric, json)?;
            }
            _ => json.skip()?,
        }
        Ok(())
    })?;
    work.is_doubled |= doubled;
    let room = work.room();
    let bins = work.scratch.staged.bins();
    bins[first..].sort_unstable();
    work.is_doubled |= bins[first..].windows(2).any(|pair| pair[0].0 == pair[1].0);
    let read = match other {
        Some(_) => Err(Rule::WrongType),
        None => values.and(sum).and_then(|sum| room.map(|()| sum)),
    };
    // Older SDKs fill gaps with zeros: they are no samples, and say nothing of the layout.
    drop_zeros(bins, if read.is_ok() { first } else { bins.len() }, first);
    let sum = match read {
        Ok(sum) if bins.len() > first => sum,
        Ok(_) => return Ok(Ok(())),
        Err(rule) => return Ok(Err(rule)),
    };
    let layout = layout(work, base, target.metric, first);
    if layout.is_none() {
        work.note(Rule::NotAnEdge, target.metric, place(from, json));
    }
    let Target { metric, label } = target;
    let layout = layout.unwrap_or(Layout::KEYS);
    work.scratch
        .staged
        .distribution(metric, label, layout, sum, first);
    Ok(Ok(()))
}

/// Cuts the bins to those before `first` and those from `kept` on that have samples.
fn drop_zeros(bins: &mut Vec<(i64, i64)>, kept: usize, first: usize) {
    let mut end = first;
    for at in kept..bins.len() {
        if bins[at].1 != 0 {
            bins[end] = bins[at];
            end += 1;
        }
    }
    bins.truncate(end);
}

/// The layout that these bins are of; none when one of them begins at no edge of the layout that is declared.
fn layout<S: Values>(work: &mut Work<'_, S>, base: Base, metric: Span, first: usize) -> Option<Layout> {
    let custom = match base {
        Base::Custom => work.custom.get(work.scratch.arena.get(metric)),
        _ => None,
    };
    let Scratch { staged, edges, .. } = &mut *work.scratch;
    let mut bounds = staged.bins()[first..].iter().map(|(bound, _)| *bound);
    let (are_bounds, layout) = match (base, custom) {
        (Base::Timing, _) => (bounds.all(|bound| edges.timing(bound)), Layout::NUMBER),
        (Base::Memory, _) => (bounds.all(|bound| edges.memory(bound)), Layout::MEMORY),
        (_, None) => (true, Layout::KEYS),
        (_, Some(custom)) => (bounds.all(|bound| custom.has_bound(bound)), custom.layout()),
    };
    are_bounds.then_some(layout)
}

/// Gathers the bins of `values` behind those of the distributions before. A faulty bin is told and left out alone.
fn read_bins<S: Values>(
    work: &mut Work<'_, S>,
    metric: Span,
    json: &mut Cursor<'_>,
) -> Result<Result<(), Rule>, JsonError> {
    if !json.enter_object()? {
        return json.skip().map(|()| Err(Rule::WrongType));
    }
    let mut stated = 0;
    let mut is_full = false;
    if json.closes(b'}')? {
        return Ok(Ok(()));
    }
    loop {
        let from = begin(json)?;
        let (bound, samples) = match json.plain_bin() {
            Some((bound, samples)) => (Some(bound), Leaf::Whole(samples)),
            None => {
                let key = json.key()?;
                (whole(key.as_key().text), json.leaf()?)
            }
        };
        stated += 1;
        work.scratch.bins_stated += 1;
        is_full |= stated > BINS_PER_DISTRIBUTION_MAX || work.scratch.bins_stated > BINS_PER_PING_MAX;
        if !is_full {
            let rule = match bound {
                None => Some(Rule::BinNotANumber),
                Some(bound) => {
                    let samples = samples_of(samples);
                    work.scratch.staged.bins().push((bound, samples.unwrap_or(0)));
                    samples.err()
                }
            };
            if let Some(rule) = rule {
                work.note(rule, metric, place(from, json));
            }
        }
        if !json.goes_on(b'}')? {
            return Ok(if is_full { Err(Rule::TooManyBins) } else { Ok(()) });
        }
    }
}

fn samples_of(leaf: Leaf) -> Result<i64, Rule> {
    match leaf {
        Leaf::Whole(samples @ 0..=BIN_SAMPLES_MAX) => Ok(samples),
        Leaf::Whole(samples) if samples > BIN_SAMPLES_MAX => Err(Rule::BinTooLarge),
        Leaf::Beyond => Err(Rule::BinTooLarge),
        _ => Err(Rule::BinSamplesNotANumber),
    }
}

/// The integer that a bin's key is, as a program writes it: no plus sign, no leading zero. So each bin has one key.
fn whole(key: &str) -> Option<i64> {
    let digits = key.strip_prefix('-').unwrap_or(key);
    let canonical = match digits.as_bytes() {
        [b'0'] => digits.len() == key.len(),
        [b'1'..=b'9', ..] => true,
        _ => false,
    };
    if canonical { key.parse().ok() } else { None }
}
