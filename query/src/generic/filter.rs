//! A filter as a parameter says it: one value, a list, or a range.

use aggregate_store::{Dimension, Filter};
use ping::SubmissionDate;
use readers::glean::GleanDimension;

use crate::parameters::decode;
use crate::problem::{Problem, Reason};

/// Between the ends of a range.
const RANGE: &str = "..";

/// The filter on a dimension that a parameter's value asks for: `a`, `a,b` or `a..b`, either end left out. A comma or two dots within a value are
/// percent-encoded once more.
pub(crate) fn filter_of(dimension: &str, value: &str) -> Result<Filter, Problem> {
    if is_list(dimension) {
        return filter_of_list(dimension, value);
    }
    let Some((from, to)) = value.split_once(RANGE) else {
        let values = values_within(value);
        if dimension == Dimension::SUBMISSION_DATE
            && let Some(odd) = values.iter().find(|day| day.parse::<SubmissionDate>().is_err())
        {
            let sentence = format!(
                "`{dimension}={}` is no day: write it as in 20170131.",
                odd.escape_debug()
            );
            return Err(Problem::new(Reason::InvalidParameter, sentence));
        }
        return Ok(Filter::any_of(dimension, values));
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

/// The filter on a dimension that is a list: of pings whose list has one of these items.
fn filter_of_list(dimension: &str, value: &str) -> Result<Filter, Problem> {
    if value.contains(RANGE) {
        let sentence = format!(
            "`{dimension}` is a list: it has no range. Name one of its items, or several with commas."
        );
        return Err(Problem::new(Reason::InvalidParameter, sentence));
    }
    Ok(Filter::any_item_of(dimension, values_within(value)))
}

/// Whether a dimension is a list. No declared one may bear such a name.
pub(crate) fn is_list(dimension: &str) -> bool {
    let mut lists = GleanDimension::ALL.into_iter().filter(|known| known.is_list());
    lists.any(|list| list.name() == dimension)
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

    #[test]
    fn a_day_of_submission_is_a_day() {
        let of = |value: &str| filter_of(Dimension::SUBMISSION_DATE, value);
        assert!(of("20170131").is_ok() && of("20170131,20170201").is_ok() && of("20170131..").is_ok());
        for wrong in ["2017-01-31", "20170231", "today", "", "20170131,x"] {
            let problem = of(wrong).expect_err(wrong);
            assert_eq!(problem.reason, Reason::InvalidParameter, "{wrong}");
        }
    }

    #[test]
    fn a_list_is_asked_for_its_items_and_has_no_range() {
        let of = |value: &str| filter_of("source_tags", value);
        let items = |items: &[&str]| items.iter().map(|item| (*item).to_owned()).collect();
        assert_eq!(of("ci"), Ok(Filter::any_item_of("source_tags", items(&["ci"]))));
        assert_eq!(
            of("ci,lab"),
            Ok(Filter::any_item_of("source_tags", items(&["ci", "lab"])))
        );
        let problem = of("a..b").expect_err("a range");
        assert_eq!(
            (
                problem.status().as_u16(),
                problem.description.contains("no range")
            ),
            (400, true)
        );
    }

    proptest! {
        #[test]
        fn no_value_panics(value in "\\PC{0,30}|[.,%0-9a-f]{0,30}") {
            let _ = filter_of("d", &value);
        }
    }
}
