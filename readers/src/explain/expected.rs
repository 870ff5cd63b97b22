//! Whether a ping became what an example says it must.

use super::listing::{Counted, Explained, Samples};
use crate::declaration::{Expected, nearest};

/// Why an expectation is not met; none if it is.
#[must_use]
pub fn unmet(expected: &Expected, explained: &Explained) -> Option<String> {
    if let Some(error) = &explained.error {
        return Some(format!("the body cannot be read: {error}"));
    }
    for (name, wanted) in &expected.dimensions {
        let is = explained.dimensions.iter().find(|(known, _)| known == name);
        let is = is.map_or("", |(_, value)| value.as_str());
        if is != wanted {
            return Some(format!("{name} is `{is}`, and `{wanted}` is expected"));
        }
    }
    let Some(metric) = &expected.metric else {
        let asks = expected.label.is_some() || expected.value.is_some();
        let asks = asks || expected.sum.is_some() || expected.samples.is_some();
        return asks.then(|| "say of which `metric` that is".to_owned());
    };
    let of_metric: Vec<&Counted> = explained
        .counted
        .iter()
        .filter(|counted| counted.metric == *metric)
        .collect();
    if of_metric.is_empty() {
        return Some(format!("{metric} counts nothing"));
    }
    if of_metric.iter().any(|counted| meets(counted, expected)) {
        return None;
    }
    let mut words = format!("{metric} counts otherwise:");
    for counted in of_metric.iter().take(5) {
        words.push_str(&format!(" {counted};"));
    }
    if let Some(label) = &expected.label
        && let Some(near) = nearest(
            label,
            of_metric.iter().filter_map(|counted| counted.label.as_deref()),
        )
        && near != label
    {
        words.push_str(&format!(" did you mean the label `{near}`?"));
    }
    Some(words.trim_end_matches(';').to_owned())
}

fn meets(counted: &Counted, expected: &Expected) -> bool {
    let (value, sum, samples) = match &counted.samples {
        Samples::Category { value, times } => (Some(value.as_str()), None, *times),
        Samples::Numbers { sum, bins, .. } => (None, Some(*sum), bins.iter().map(|bin| bin.1).sum()),
    };
    expected
        .label
        .as_ref()
        .is_none_or(|label| counted.label.as_ref() == Some(label))
        && expected
            .value
            .as_deref()
            .is_none_or(|wanted| value == Some(wanted))
        && expected.sum.is_none_or(|wanted| sum == Some(wanted))
        && expected.samples.is_none_or(|wanted| samples == wanted)
}
