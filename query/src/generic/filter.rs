//! A filter as a parameter says it: one value, a list, or a range.

use aggregate_store::Filter;

use crate::parameters::decode;
use crate::problem::{Problem, Reason};

/// Between the ends of a range.
const RANGE: &str = "..";

/// The filter that a parameter's value asks for: `a`, `a,b` or `a..b`, either end left out. A comma or two dots within a value are
/// percent-encoded once more.
pub(crate) fn filter_of(dimension: &str, value: &str) -> Result<Filter, Problem> {
    let Some((from, to)) = value.split_once(RANGE) else {
        return Ok(Filter::any_of(dimension, values_within(value)));
    };
    let invalid = |what: &str| {
        let sentence = format!("`{dimension}={}` is no range: {what}.", value.escape_debug());
        Problem::new(Reason::InvalidParameter, sentence)
    };
    if to.contains(RANGE) || from.contains(',') || to.contains(',') {
        let what = "it has two ends, as in `20170101..20170131`; encode commas and dots of a value once more (%2C, %2E)";
        return Err(invalid(what));
    }
    let [from, to] = [from, to].map(|end| Some(decode(end)).filter(|end| !end.is_empty()));
    if from.is_none() && to.is_none() {
        return Err(invalid("one of its ends is needed"));
    }
    if let (Some(from), Some(to)) = (&from, &to) {
        let is_number = |text: &String| text.bytes().all(|byte| byte.is_ascii_digit());
        if is_number(from) && is_number(to) && from.len() != to.len() {
            return Err(invalid(
                "ends are compared as texts, so numbers need equally many digits; name the values as a list",
            ));
        }
    }
    Ok(Filter::between(dimension, from, to))
}

/// The values of a list.
pub(crate) fn values_within(list: &str) -> Vec<String> {
    list.split(',').map(decode).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_filter_is_a_value_a_list_or_a_range() {
        let of = |value: &str| filter_of("d", value).expect("a filter");
        let any =
            |values: &[&str]| Filter::any_of("d", values.iter().map(|value| (*value).to_owned()).collect());
        let between = |from: &str, to: &str| {
            let end = |end: &str| Some(end.to_owned()).filter(|end| !end.is_empty());
            Filter::between("d", end(from), end(to))
        };
        assert_eq!(of("Linux"), any(&["Linux"]));
        assert_eq!(of("54,55"), any(&["54", "55"]));
        assert_eq!(of(""), any(&[""]));
        assert_eq!(of("a%2Cb,c%2E.d"), any(&["a,b", "c..d"]));
        assert_eq!(of("20170101..20170131"), between("20170101", "20170131"));
        assert_eq!((of("a.."), of("..b")), (between("a", ""), between("", "b")));
        for wrong in ["..", "a..b..c", "a,b..c", "9..54"] {
            let problem = filter_of("d", wrong).expect_err(wrong);
            assert_eq!(problem.reason, Reason::InvalidParameter, "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn no_value_panics(value in "\\PC{0,30}|[.,%0-9a-f]{0,30}") {
            let _ = filter_of("d", &value);
        }
    }
}
