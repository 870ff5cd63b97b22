//! Use counters: a page that used a feature sends true, one that did not sends nothing, so the false bin is what the
//! number of documents leaves over. Only `USE_COUNTER2_*` are completed, as in the original.

use std::collections::BTreeMap;

use super::answer::{Answer, Buckets, DataPoint};

/// Whether a metric's false bin is taken from a denominator.
pub fn is_use_counter(metric: &str) -> bool {
    metric.starts_with("USE_COUNTER2_")
}

/// The metric that counts the documents which a use counter could have been counted in.
pub fn denominator_of(metric: &str) -> &'static str {
    if metric.ends_with("_DOCUMENT") {
        "[[COUNT]]_CONTENT_DOCUMENTS_DESTROYED"
    } else {
        "[[COUNT]]_TOP_LEVEL_CONTENT_DOCUMENTS_DESTROYED"
    }
}

/// Completes the false bins of a use counter's answer with the documents destroyed, by date.
///
/// Only the false bin changes (documents - true - third); without a denominator for a date the row is unchanged, and a
/// negative false bin is shown as it is. A date with a denominator but no row under these filters gets
/// `[destroyed, 0, 0]`, if `dates_with_rows` (dates that have a row of the use counter under other filters) holds it.
pub fn with_denominator(
    answer: &mut Answer,
    destroyed: &BTreeMap<String, (i64, i64)>,
    dates_with_rows: &[String],
) {
    answer.buckets = Buckets::Bounds(vec![0, 1, 2]);
    for point in &mut answer.data {
        if let Some((documents, _)) = destroyed.get(&point.date) {
            let [_, yes, third] = three(&point.histogram);
            point.histogram = vec![documents.saturating_sub(yes).saturating_sub(third), yes, third];
        }
    }
    for (date, (documents, count)) in destroyed {
        let present = answer.data.iter().any(|point| point.date == *date);
        if !present && dates_with_rows.contains(date) {
            answer.data.push(DataPoint {
                date: date.clone(),
                label: String::new(),
                histogram: vec![*documents, 0, 0],
                sum: 0,
                count: *count,
            });
        }
    }
    answer
        .data
        .sort_by(|a, b| (&a.date, &a.label).cmp(&(&b.date, &b.label)));
}

fn three(histogram: &[i64]) -> [i64; 3] {
    [0, 1, 2].map(|at| histogram.get(at).copied().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(data: Vec<DataPoint>) -> Answer {
        let buckets = Buckets::Bounds(vec![0, 1, 2]);
        Answer {
            buckets,
            kind: "boolean",
            description: String::new(),
            data,
            other_layouts: Vec::new(),
            samples_left_out: 0,
        }
    }

    fn point(date: &str, histogram: [i64; 3], sum: i64, count: i64) -> DataPoint {
        DataPoint {
            date: date.to_owned(),
            label: String::new(),
            histogram: histogram.to_vec(),
            sum,
            count,
        }
    }

    #[test]
    fn the_false_bin_is_what_the_documents_leave_over() {
        let mut counted = answer(vec![point("a", [5, 11, 1], 11, 1), point("b", [0, 3, 0], 3, 1)]);
        let destroyed = [("a".to_owned(), (348, 9)), ("c".to_owned(), (7, 2))].into();
        with_denominator(&mut counted, &destroyed, &["a".to_owned(), "c".to_owned()]);
        assert_eq!(
            counted.data,
            [
                point("a", [336, 11, 1], 11, 1),
                point("b", [0, 3, 0], 3, 1),
                point("c", [7, 0, 0], 0, 2)
            ]
        );
    }

    #[test]
    fn a_date_without_any_row_of_the_counter_stays_absent() {
        let mut counted = answer(Vec::new());
        with_denominator(&mut counted, &[("c".to_owned(), (7, 2))].into(), &[]);
        assert!(counted.data.is_empty());
    }

    #[test]
    fn the_denominator_is_chosen_by_the_name() {
        assert_eq!(
            denominator_of("USE_COUNTER2_X_DOCUMENT"),
            "[[COUNT]]_CONTENT_DOCUMENTS_DESTROYED"
        );
        assert_eq!(
            denominator_of("USE_COUNTER2_X_PAGE"),
            "[[COUNT]]_TOP_LEVEL_CONTENT_DOCUMENTS_DESTROYED"
        );
        assert!(!is_use_counter("USE_COUNTER_X_PAGE"));
    }
}
