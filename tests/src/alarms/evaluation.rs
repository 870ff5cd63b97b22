//! What an expression is over what was scraped, at the time of the last scrape, by the rules of Prometheus.

use std::collections::BTreeMap;

use super::expression::{Expression, Selector};
use super::scrapes::{Labels, NAME, Point, Scrapes};

/// An evaluation at one time.
pub(super) struct Evaluation<'a>(&'a Scrapes);

#[derive(Clone, Debug)]
enum Value {
    Scalar(f64),
    Vector(Vec<(Labels, f64)>),
}

impl<'a> Evaluation<'a> {
    pub(super) fn of(scrapes: &'a Scrapes) -> Self {
        Self(scrapes)
    }

    /// The labels of all that a condition leaves.
    pub(super) fn vector(&self, expression: &Expression) -> Vec<Labels> {
        match self.value(expression) {
            Value::Vector(left) => left.into_iter().map(|(labels, _)| labels).collect(),
            Value::Scalar(number) => panic!("a number, {number}, is no condition"),
        }
    }

    fn value(&self, expression: &Expression) -> Value {
        match expression {
            Expression::Number(number) => Value::Scalar(*number),
            Expression::Selector(selector) => {
                assert!(
                    selector.range.is_none(),
                    "{selector:?}: a range outside of a function"
                );
                let at = self.0.last();
                let now = |points: &[Point]| points.last().filter(|point| point.0 >= at).map(|point| point.1);
                Value::Vector(
                    self.selected(selector)
                        .filter_map(|(labels, points)| Some((labels.clone(), now(points)?)))
                        .collect(),
                )
            }
            Expression::Call(name, arguments) => self.call(name, arguments),
            Expression::Sum(by, inner) => {
                let mut sums: BTreeMap<Labels, f64> = BTreeMap::new();
                for (labels, value) in self.value(inner).into_vector() {
                    *sums.entry(only(&labels, by)).or_default() += value;
                }
                Value::Vector(sums.into_iter().collect())
            }
            Expression::Binary {
                operator,
                on,
                left,
                right,
            } => binary(operator, on.as_deref(), self.value(left), self.value(right)),
        }
    }

    fn selected(&self, selector: &Selector) -> impl Iterator<Item = (&'a Labels, &'a [Point])> {
        self.0.series().filter(move |(labels, _)| {
            let of = |label: &str| labels.get(label).cloned().unwrap_or_default();
            let matches = selector
                .matchers
                .iter()
                .all(|matcher| matcher.values.contains(&of(&matcher.label)) != matcher.is_not);
            labels[NAME] == selector.name && matches
        })
    }

    fn call(&self, name: &str, arguments: &[Expression]) -> Value {
        let at = self.0.last();
        let (selector, ahead) = match (name, arguments) {
            ("time", []) => return Value::Scalar(at),
            ("rate" | "increase" | "deriv", [Expression::Selector(selector)]) => (selector, 0.0),
            ("predict_linear", [Expression::Selector(selector), Expression::Number(ahead)]) => {
                (selector, *ahead)
            }
            _ => panic!("{name} of {arguments:?} is not known"),
        };
        let range = selector.range.expect("a range");
        let series = self.selected(selector).filter_map(|(labels, points)| {
            let points: Vec<Point> = points
                .iter()
                .copied()
                .filter(|point| point.0 > at - range)
                .collect();
            // Prometheus answers nothing of a single point either.
            let points = Some(points).filter(|points| points.len() > 1)?;
            let value = match name {
                "increase" => increase(&points, at, range),
                "rate" => increase(&points, at, range) / range,
                "deriv" => line(&points, at).0,
                _ => {
                    let (slope, now) = line(&points, at);
                    now + slope * ahead
                }
            };
            Some((without_name(labels), value))
        });
        Value::Vector(series.collect())
    }
}

impl Value {
    fn into_vector(self) -> Vec<(Labels, f64)> {
        match self {
            Self::Vector(vector) => vector,
            Self::Scalar(number) => panic!("a number, {number}, where series are expected"),
        }
    }
}

fn without_name(labels: &Labels) -> Labels {
    let mut labels = labels.clone();
    labels.remove(NAME);
    labels
}

fn only(labels: &Labels, names: &[String]) -> Labels {
    let mut labels = labels.clone();
    labels.retain(|name, _| names.contains(name));
    labels
}

/// By how much a counter rose, extended to the ends of the range as Prometheus does: by half a step at most where the points
/// begin or end far from them, and not below 0.
fn increase(points: &[Point], at: f64, range: f64) -> f64 {
    let (first, last) = (points[0], points[points.len() - 1]);
    let resets: f64 = points
        .windows(2)
        .filter(|pair| pair[1].1 < pair[0].1)
        .map(|pair| pair[0].1)
        .sum();
    let rise = last.1 - first.1 + resets;
    let sampled = last.0 - first.0;
    let step = sampled / (points.len() - 1) as f64;
    let extended = |gap: f64| if gap < step * 1.1 { gap } else { step / 2.0 };
    let mut before = extended(first.0 - (at - range));
    if rise > 0.0 {
        before = before.min(sampled * first.1 / rise);
    }
    rise * (sampled + before + extended(at - last.0)) / sampled
}

/// The line through points by least squares: how steep it is, and where it is at this time.
fn line(points: &[Point], at: f64) -> (f64, f64) {
    let count = points.len() as f64;
    let x = points.iter().map(|point| point.0 - at).sum::<f64>() / count;
    let y = points.iter().map(|point| point.1).sum::<f64>() / count;
    let above: f64 = points
        .iter()
        .map(|point| (point.0 - at - x) * (point.1 - y))
        .sum();
    let below: f64 = points.iter().map(|point| (point.0 - at - x).powi(2)).sum();
    (above / below, y - above / below * x)
}

fn compute(operator: &str, left: f64, right: f64) -> Option<f64> {
    match operator {
        "+" => Some(left + right),
        "-" => Some(left - right),
        "*" => Some(left * right),
        "==" => (left == right).then_some(left),
        "<" => (left < right).then_some(left),
        ">" => (left > right).then_some(left),
        _ => panic!("{operator} is not known"),
    }
}

fn binary(operator: &str, on: Option<&[String]>, left: Value, right: Value) -> Value {
    let is_comparison = ["==", "<", ">"].contains(&operator);
    let kept = |labels: &Labels| match is_comparison {
        true => labels.clone(),
        false => without_name(labels),
    };
    match (left, right) {
        (Value::Scalar(left), Value::Scalar(right)) => {
            assert!(!is_comparison, "a comparison of two numbers");
            Value::Scalar(compute(operator, left, right).expect("arithmetic"))
        }
        (Value::Vector(left), Value::Scalar(right)) => Value::Vector(
            left.into_iter()
                .filter_map(|(labels, value)| Some((kept(&labels), compute(operator, value, right)?)))
                .collect(),
        ),
        (Value::Scalar(left), Value::Vector(right)) => {
            assert!(!is_comparison, "a number compared with series");
            Value::Vector(
                right
                    .into_iter()
                    .filter_map(|(labels, value)| Some((kept(&labels), compute(operator, left, value)?)))
                    .collect(),
            )
        }
        (Value::Vector(left), Value::Vector(right)) => {
            let key = |labels: &Labels| on.map_or_else(|| without_name(labels), |names| only(labels, names));
            if operator == "and" {
                let there: Vec<Labels> = right.iter().map(|(labels, _)| key(labels)).collect();
                return Value::Vector(
                    left.into_iter()
                        .filter(|(labels, _)| there.contains(&key(labels)))
                        .collect(),
                );
            }
            let mut by_key: BTreeMap<Labels, f64> = BTreeMap::new();
            for (labels, value) in &right {
                let before = by_key.insert(key(labels), *value);
                assert!(before.is_none(), "two series on the right for {:?}", key(labels));
            }
            let mut met = Vec::new();
            let mut answer = Vec::new();
            for (labels, value) in left {
                let Some(right) = by_key.get(&key(&labels)) else {
                    continue;
                };
                assert!(
                    !met.contains(&key(&labels)),
                    "two series on the left for {:?}",
                    key(&labels)
                );
                met.push(key(&labels));
                answer.extend(compute(operator, value, *right).map(|value| (kept(&labels), value)));
            }
            Value::Vector(answer)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scraped each 15 seconds for so many times.
    fn scraped(times: u32, answer: impl Fn(f64) -> String) -> Scrapes {
        let mut scrapes = Scrapes::default();
        for number in 0..times {
            let at = 1_000.0 + 15.0 * f64::from(number);
            scrapes.add(at, Some(&answer(at)));
        }
        scrapes
    }

    fn numbers(scrapes: &Scrapes, text: &str) -> Vec<f64> {
        let value = Evaluation::of(scrapes).value(&Expression::parse(text));
        value.into_vector().into_iter().map(|(_, value)| value).collect()
    }

    fn assert_near(found: &[f64], expected: &[f64]) {
        let is_near = |(one, other): (&f64, &f64)| (one - other).abs() < 1e-6;
        assert!(
            found.len() == expected.len() && found.iter().zip(expected).all(is_near),
            "{found:?}, not {expected:?}"
        );
    }

    #[test]
    fn a_line_has_its_slope_and_is_foretold() {
        let scrapes = scraped(20, |at| format!("a {}\n", 5_000.0 - 2.0 * (at - 1_000.0)));
        assert_near(&numbers(&scrapes, "deriv(a[10m])"), &[-2.0]);
        assert_near(
            &numbers(&scrapes, "predict_linear(a[10m], 100)"),
            &[5_000.0 - 2.0 * 385.0],
        );
    }

    #[test]
    fn a_counter_rises_over_its_range_and_over_a_new_start() {
        // 21 points cover 300 s; the one at the range's very beginning is outside of it.
        let scrapes = scraped(41, |at| format!("a {}\n", at - 900.0));
        assert_near(&numbers(&scrapes, "rate(a[5m])"), &[1.0]);
        assert_near(&numbers(&scrapes, "increase(a[5m])"), &[300.0]);
        // It begins again at 1,500, five seconds behind a scrape: of the 285 s between the points these are not seen.
        let anew = scraped(41, |at| {
            format!("a {}\n", if at < 1_500.0 { at } else { at - 1_500.0 })
        });
        assert_near(&numbers(&anew, "rate(a[5m])"), &[280.0 / 285.0]);
        // Two points of a long range: half a step is added on the far side, and not below 0.
        let young = scraped(2, |at| format!("a {}\n", at - 1_000.0));
        assert_near(&numbers(&young, "increase(a[5m])"), &[15.0]);
        assert!(numbers(&scraped(1, |_| "a 7\n".to_owned()), "rate(a[5m])").is_empty());
    }

    #[test]
    fn series_are_chosen_summed_and_matched_by_their_labels() {
        let scrapes = scraped(1, |_| {
            "a{r=\"x\"} 3\na{r=\"y\"} 4\na{r=\"z\"} 50\nb 10\n".to_owned()
        });
        assert_near(&numbers(&scrapes, "a{r=~\"x|y\"}"), &[3.0, 4.0]);
        assert_near(&numbers(&scrapes, "a{r!~\"x|y\"}"), &[50.0]);
        assert_near(
            &numbers(&scrapes, "sum by (instance) (a{r!=\"z\"}) + 0.5 * 2"),
            &[8.0],
        );
        assert_near(&numbers(&scrapes, "a{r=\"z\"} > on (instance) 4 * b"), &[50.0]);
        assert!(numbers(&scrapes, "a{r=\"z\"} > on (instance) 5 * b").is_empty());
        assert_near(
            &numbers(&scrapes, "a > 3 and on (instance) b == 10"),
            &[4.0, 50.0],
        );
        assert!(numbers(&scrapes, "a and on (instance) b < 10").is_empty());
        assert_near(&numbers(&scrapes, "time() - b"), &[990.0]);
    }

    #[test]
    fn nothing_is_there_of_what_the_last_scrape_did_not_answer() {
        let mut scrapes = scraped(3, |_| "a 1\n".to_owned());
        assert_near(&numbers(&scrapes, "up == 1"), &[1.0]);
        scrapes.add(2_000.0, None);
        assert!(numbers(&scrapes, "a").is_empty());
        assert_near(&numbers(&scrapes, "up{job=\"highwater\"} == 0"), &[0.0]);
    }
}
