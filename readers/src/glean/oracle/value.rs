//! What one value means, by its type.

use ping::{OTHER, UNKNOWN};
use serde_json::Number;
use sketch::Layout;

use super::slow::{Slow, day};
use super::tree::Tree;
use crate::glean::custom_layouts::CustomLayout;
use crate::glean::limits;
use crate::values::Rule;

/// What a value counts.
#[derive(Clone, Debug)]
pub(super) enum Meaning {
    Nothing,
    /// Numbers, by what is appended to the metric's name.
    Numbers(Vec<(&'static str, i64)>),
    Names(Vec<String>),
    Samples {
        layout: Layout,
        sum: i64,
        bins: Vec<(i64, i64)>,
    },
}

/// What a value means, or why it is left out. Faults of parts are noted.
pub(super) fn meaning(slow: &mut Slow<'_>, base: &str, metric: &str, value: &Tree) -> Result<Meaning, Rule> {
    let one = |number: i64| Meaning::Numbers(vec![("", number)]);
    match (base, value) {
        ("boolean", Tree::Bool(value)) => Ok(Meaning::Names(vec![value.to_string()])),
        ("counter" | "quantity", _) => natural(Some(value)).map(one),
        ("string", Tree::Text(text)) => Ok(Meaning::Names(vec![text.clone()])),
        ("string_list", Tree::List(items)) => Ok(Meaning::Names(list(slow, metric, items))),
        ("url", Tree::Text(url)) => {
            let host = host(url).filter(|host| !host.is_empty());
            Ok(Meaning::Names(vec![host.unwrap_or_else(|| UNKNOWN.to_owned())]))
        }
        ("datetime", Tree::Text(text)) => {
            let day = day(text).ok_or(Rule::NotADate)?;
            let micros = slow.received.start().as_micros() - day.start().as_micros();
            Ok(one(micros / 86_400_000_000))
        }
        ("timespan", _) => {
            slow.is_doubled |= value.has_twice(&["time_unit", "value"]);
            let Some(Tree::Text(unit)) = value.get("time_unit") else {
                return Err(Rule::WrongType);
            };
            let units = [
                ("nanosecond", 1),
                ("microsecond", 1_000),
                ("millisecond", 1_000_000),
                ("second", 1_000_000_000),
                ("minute", 60 * 1_000_000_000),
                ("hour", 3_600 * 1_000_000_000),
                ("day", 86_400 * 1_000_000_000),
            ];
            let (_, unit) = units
                .into_iter()
                .find(|(name, _)| name == unit)
                .ok_or(Rule::NotAUnit)?;
            let value = natural(value.get("value"))?;
            i64::try_from(i128::from(value) * unit)
                .map(one)
                .map_err(|_| Rule::NumberTooLarge)
        }
        ("rate", _) => {
            slow.is_doubled |= value.has_twice(&["numerator", "denominator"]);
            let numerator = natural(value.get("numerator"))?;
            let denominator = natural(value.get("denominator"))?;
            Ok(Meaning::Numbers(vec![
                (":numerator", numerator),
                (":denominator", denominator),
            ]))
        }
        ("timing_distribution" | "memory_distribution" | "custom_distribution", _) => {
            distribution(slow, base, metric, value)
        }
        _ => Err(Rule::WrongType),
    }
}

fn natural(value: Option<&Tree>) -> Result<i64, Rule> {
    let Some(Tree::Number(number)) = value else {
        return Err(Rule::WrongType);
    };
    match (number.as_i64(), number.as_u64()) {
        (Some(number), Some(_)) => Ok(number),
        (Some(_), None) => Err(Rule::NumberNegative),
        (None, Some(_)) => Err(Rule::NumberTooLarge),
        (None, None) => {
            // A double beyond 128 bits is held at their ends.
            let double = number.as_f64().unwrap_or_default();
            let whole = double as i128;
            match i64::try_from(whole) {
                _ if double.floor().to_bits() != double.to_bits() => Err(Rule::WrongType),
                _ if whole < 0 => Err(Rule::NumberNegative),
                found => found.map_err(|_| Rule::NumberTooLarge),
            }
        }
    }
}

fn list(slow: &mut Slow<'_>, metric: &str, items: &[Tree]) -> Vec<String> {
    let mut names = Vec::new();
    for (at, item) in items.iter().enumerate() {
        match item {
            Tree::Text(_) if at >= limits::LIST_ITEMS_MAX => {
                slow.totals.count_note(Rule::TooManyValues, metric);
                names.push(OTHER.to_owned());
            }
            Tree::Text(text) => names.push(text.clone()),
            _ => slow.totals.count_note(Rule::WrongType, metric),
        }
    }
    names
}

/// Character by character.
fn host(url: &str) -> Option<String> {
    let at = url.find("://")?;
    let mut host = String::new();
    let mut in_brackets = false;
    let mut in_port = false;
    for character in url[at + 3..].chars() {
        match character {
            '/' | '?' | '#' | '\\' => break,
            '@' => {
                host.clear();
                (in_brackets, in_port) = (false, false);
            }
            _ if in_port => {}
            '[' if host.is_empty() => {
                in_brackets = true;
                host.push('[');
            }
            ']' if in_brackets => {
                host.push(']');
                in_port = true;
            }
            ':' if !in_brackets => in_port = true,
            other => host.push(other),
        }
    }
    // A bracket that is never closed is no address: the host ends at the first colon.
    if in_brackets && !host.ends_with(']') {
        host = host.split(':').next().unwrap_or_default().to_owned();
    }
    Some(host.chars().flat_map(char::to_lowercase).collect())
}

fn distribution(slow: &mut Slow<'_>, base: &str, metric: &str, value: &Tree) -> Result<Meaning, Rule> {
    slow.is_doubled |= value.has_twice(&["sum", "values"]);
    let values = match value.get("values") {
        Some(values) if values.members().is_some() => bins(slow, metric, values),
        _ => Err(Rule::WrongType),
    };
    let mut bins = values?;
    let sum = natural(value.get("sum"))?;
    bins.retain(|(_, samples)| *samples > 0);
    if bins.is_empty() {
        return match slow.values >= limits::VALUES_PER_PING_MAX {
            true => Err(Rule::TooManyMetrics),
            false => Ok(Meaning::Nothing),
        };
    }
    let custom = slow.custom.get(metric).map(CustomLayout::layout);
    let declared = match base {
        "timing_distribution" => Layout::functional(2, 8),
        "memory_distribution" => Layout::functional(2, 16),
        _ => custom.unwrap_or(Layout::KEYS),
    };
    let bounds = declared.lower_bounds();
    let is_declared = declared == Layout::KEYS || bins.iter().all(|(bound, _)| bounds.contains(bound));
    if !is_declared && slow.values < limits::VALUES_PER_PING_MAX {
        slow.totals.count_note(Rule::NotAnEdge, metric);
    }
    let layout = if is_declared { declared } else { Layout::KEYS };
    Ok(Meaning::Samples { layout, sum, bins })
}

fn bins(slow: &mut Slow<'_>, metric: &str, values: &Tree) -> Result<Vec<(i64, i64)>, Rule> {
    let mut bins: Vec<(i64, i64)> = Vec::new();
    for (stated, (key, samples)) in (1_usize..).zip(values.members().unwrap_or_default()) {
        slow.bins += 1;
        if stated > limits::BINS_PER_DISTRIBUTION_MAX || slow.bins > limits::BINS_PER_PING_MAX {
            let rest = values.members().unwrap_or_default().len() - stated;
            slow.bins += rest;
            slow.is_doubled |= twice(&bins);
            return Err(Rule::TooManyBins);
        }
        let Some(bound) = key.parse::<i64>().ok().filter(|bound| bound.to_string() == *key) else {
            slow.totals.count_note(Rule::BinNotANumber, metric);
            continue;
        };
        let number = match samples {
            Tree::Number(number) => Some(number),
            _ => None,
        };
        let samples = match number.map(|number| (Number::as_i64(number), number.as_u64())) {
            Some((Some(samples), Some(_))) if samples <= limits::BIN_SAMPLES_MAX => samples,
            Some((_, Some(_))) => {
                slow.totals.count_note(Rule::BinTooLarge, metric);
                0
            }
            _ => {
                slow.totals.count_note(Rule::BinSamplesNotANumber, metric);
                0
            }
        };
        bins.push((bound, samples));
    }
    slow.is_doubled |= twice(&bins);
    Ok(bins)
}

fn twice(bins: &[(i64, i64)]) -> bool {
    let mut bounds: Vec<i64> = bins.iter().map(|(bound, _)| *bound).collect();
    bounds.sort_unstable();
    bounds.windows(2).any(|pair| pair[0] == pair[1])
}
