//! Values and labels that nothing in a ping can become: whoever names one expects numbers that never come.

use super::dimension::{Dimension, Form};
use super::fault::{Fault, short};
use super::form::apply;
use super::metric::Metric;
use super::node::{Node, Value};
use super::product::Declaration;
use super::table::{Faults, Table};
use crate::declared::limits::LABEL_BYTES_MAX;

/// Says which declared values and labels can never be.
pub(super) fn check(declaration: &Declaration, table: Table<'_>, faults: &mut Faults) {
    for dimension in &declaration.dimensions {
        let node = member(table.get("dimensions"), &dimension.name);
        if let Some(values) = member(node, "values") {
            of_dimension(dimension, values, faults);
        }
    }
    for metric in &declaration.metrics {
        let Some((document_type, name)) = metric.name.split_once('.') else {
            continue;
        };
        let node = member(member(table.get("metrics"), document_type), name);
        if let Some(values) = member(node, "values") {
            of_texts(metric, values, faults);
        }
        if let Some(labels) = member(node, "labels") {
            of_labels(metric, labels, faults);
        }
    }
}

fn member<'a>(node: Option<&'a Node>, key: &str) -> Option<&'a Node> {
    let Value::Map(entries) = &node?.value else {
        return None;
    };
    let found = entries.iter().find(|(word, _)| word.text == key)?;
    Some(&found.1)
}

/// The texts of a list, each with its place in the file. A list of none is told.
fn texts<'a>(node: &'a Node, what: &str, faults: &mut Faults) -> Vec<(&'a Node, String)> {
    let items = match &node.value {
        Value::List(items) => items.as_slice(),
        _ => &[],
    };
    if items.is_empty() && matches!(node.value, Value::List(_)) {
        let words = format!("`{what}` names none: leave it out where all count");
        faults.push(Fault::new(node.at, words));
    }
    let texts = items.iter().filter_map(|item| {
        let text = match &item.value {
            Value::Text(text) => text.clone(),
            Value::Whole(number) => number.to_string(),
            Value::Bool(value) => value.to_string(),
            _ => return None,
        };
        Some((item, text))
    });
    texts.collect()
}

fn of_dimension(dimension: &Dimension, values: &Node, faults: &mut Faults) {
    for (item, value) in texts(values, "values", faults) {
        if !is_made(dimension.form, &value) {
            faults.push(Fault::new(item.at, never_made(dimension.form, &value)));
        }
    }
}

/// Whether `as` makes this of some text. Every form but one makes of what it made the same again.
fn is_made(form: Form, value: &str) -> bool {
    apply(form, &sample(form, value), &mut String::new()).is_ok_and(|made| made == value)
}

/// A text of which a form makes this value, if it makes it of any.
fn sample(form: Form, value: &str) -> String {
    match form {
        Form::Host => format!("https://{value}"),
        _ => value.to_owned(),
    }
}

fn never_made(form: Form, value: &str) -> String {
    let (word, example) = match form {
        Form::Text => ("text", "as it is sent"),
        Form::Major => ("major", "`12`"),
        Form::MajorMinor => ("major_minor", "`12.3`"),
        Form::Date => ("date", "`20261001`"),
        Form::Lower => ("lower", "small letters"),
        Form::Host => ("host", "`example.org`"),
    };
    let made = |text: &str| apply(form, text, &mut String::new()).map(str::to_owned).ok();
    let meant = made(value).or_else(|| made(&sample(form, value)));
    let meant = match meant {
        Some(meant) => format!("did you mean `{}`?", short(&meant)),
        None => format!("it makes {example}"),
    };
    format!("`as: {word}` never makes `{}`: {meant}", short(value))
}

fn of_texts(metric: &Metric, values: &Node, faults: &mut Faults) {
    for (item, value) in texts(values, "values", faults) {
        let (length, most) = (value.chars().count(), metric.max_length);
        if length > most {
            let words = format!(
                "`{}` has {length} characters and would be OTHER, as all above `max_length` are: that is {most} here",
                short(&value)
            );
            faults.push(Fault::new(item.at, words));
        }
    }
}

fn of_labels(metric: &Metric, labels: &Node, faults: &mut Faults) {
    for (item, label) in texts(labels, "labels", faults) {
        if label.len() > LABEL_BYTES_MAX {
            let words = format!(
                "`{}` has more than {LABEL_BYTES_MAX} bytes, and longer labels are OTHER",
                short(&label)
            );
            faults.push(Fault::new(item.at, words));
        } else if let Some(meant) = joined(&label, metric.path.stars()) {
            let words = format!(
                "`{}` is no label here: keys are joined by `/`, one for each `*` at most; inside them stands `%2F` for `/`, and `%25` for `%`{meant}",
                short(&label)
            );
            faults.push(Fault::new(item.at, words));
        }
    }
}

/// What is to be said more of a label that so many keys cannot be joined to; `None` if they can.
fn joined(label: &str, stars: usize) -> Option<String> {
    if stars < 2 {
        return None;
    }
    let rest = label.replace("%25", "").replace("%2F", "");
    let is_whole = !rest.contains('%');
    if is_whole && label.matches('/').count() < stars {
        return None;
    }
    Some(match is_whole {
        true => String::new(),
        false => format!(": did you mean `{}`?", short(&label.replace('%', "%25"))),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::dimension::FORMS;
    use super::*;

    fn read(dimension: &str, metric: &str) -> Result<Declaration, String> {
        let text = format!(
            "$highwater: product/1\nsources: [inky/a]\ndimensions:\n  d: {{ path: /d, {dimension} }}\nmetrics:\n  all:\n    m: {{ {metric} }}\n"
        );
        assert!(Declaration::in_force(&text).is_ok(), "{text}");
        Declaration::read(&text).map_err(|faults| faults.iter().map(|fault| format!("{fault}\n")).collect())
    }

    const STRING: &str = "type: string, path: /m";

    #[test]
    fn a_value_that_as_never_makes_is_refused_with_the_one_that_was_meant() {
        for (dimension, words) in [
            (
                "as: lower, values: [köln, Bonn]",
                "line 4, column 44: `as: lower` never makes `Bonn`: did you mean `bonn`?",
            ),
            (
                "as: major_minor, values: [\"3.14.2\"]",
                "`as: major_minor` never makes `3.14.2`: did you mean `3.14`?",
            ),
            ("as: major, values: [\"3\", \"3.1\"]", "did you mean `3`?"),
            (
                "as: major, values: [v3]",
                "`as: major` never makes `v3`: it makes `12`",
            ),
            ("as: date, values: [\"2026-10-01\"]", "did you mean `20261001`?"),
            (
                "as: date, values: [20261301]",
                "never makes `20261301`: it makes `20261001`",
            ),
            (
                "as: host, values: [\"https://Example.org/a\"]",
                "did you mean `example.org`?",
            ),
            ("as: host, values: [Example.org]", "did you mean `example.org`?"),
            (
                "as: host, values: [\"example.org:80\"]",
                "did you mean `example.org`?",
            ),
            (
                "as: host, values: [\"/a\"]",
                "never makes `/a`: it makes `example.org`",
            ),
            (
                "values: []",
                "line 4, column 26: `values` names none: leave it out where all count",
            ),
        ] {
            let said = read(dimension, STRING).expect_err(dimension);
            assert!(
                said.contains(words) && said.lines().count() == 1,
                "{dimension}: {said}"
            );
        }
    }

    #[test]
    fn a_value_or_label_that_would_be_other_is_refused() {
        let (long, label) = ("ä".repeat(101), "l".repeat(129));
        for (metric, words) in [
            (
                "type: string, path: /m, values: [no, never], max_length: 4",
                "line 7, column 47: `never` has 5 characters and would be OTHER",
            ),
            (
                &format!("type: string, path: /m, values: [{long}]"),
                "that is 100 here",
            ),
            ("type: string_list, path: /m, values: []", "`values` names none"),
            (
                "type: labeled_counter, path: \"/m/*\", labels: []",
                "`labels` names none",
            ),
            (
                &format!("type: labeled_counter, path: \"/m/*\", labels: [{label}]"),
                "has more than 128 bytes",
            ),
            (
                "type: labeled_counter, path: \"/m/*/*\", labels: [a/b, 50%]",
                "did you mean `50%25`?",
            ),
            (
                "type: labeled_counter, path: \"/m/*/*\", labels: [a/b/c]",
                "one for each `*` at most",
            ),
        ] {
            let said = read("as: text", metric).expect_err(metric);
            assert!(
                said.contains(words) && said.lines().count() == 1,
                "{metric}: {said}"
            );
        }
        for metric in [
            &format!("type: string, path: /m, max_length: 101, values: [{long}]"),
            "type: labeled_counter, path: \"/m/*\", labels: [50%, a/b]",
            "type: labeled_counter, path: \"/m/*/*\", labels: [50%25, a%2Fx/b]",
        ] {
            assert!(read("as: text", metric).is_ok(), "{metric}");
        }
    }

    proptest! {
        #[test]
        fn a_value_is_accepted_exactly_if_as_makes_it_of_some_text(
            form in 0..FORMS.len(),
            value in prop_oneof![
                "[0-9]{1,3}(\\.[0-9]{0,2}){0,2}", "20[0-9]{6}", "2026-1[0-2]-01", "[a-zA-ZäÖßİẞ.]{1,6}", "[\\[\\]a@:/?#.%A]{1,8}",
            ],
        ) {
            let (word, form) = FORMS[form];
            let is_accepted = read(&format!("as: {word}, values: ['{value}']"), STRING).is_ok();
            let around = ["", "x://", "https://me@", "x://["];
            let behind = ["", ".1", "-01", "/", ":80", "]", "T00:00"];
            let mut texts = around.iter().flat_map(|before| behind.map(|behind| format!("{before}{value}{behind}")));
            let upper = value.to_uppercase();
            let is_made = texts.any(|text| apply(form, &text, &mut String::new()) == Ok(&value))
                || apply(form, &upper, &mut String::new()) == Ok(&value);
            prop_assert_eq!(is_accepted, is_made, "{} of {}", word, value);
        }
    }
}
