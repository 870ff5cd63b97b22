//! The slow, obvious reader that tests compare with: a tree of values, and each declared path looked up in it alone.

use std::collections::{BTreeMap, BTreeSet};

use ping::{OTHER, SubmissionDate};
use serde_json::Value;
use sketch::Layout;

use super::limits::{
    BIN_SAMPLES_MAX, CLIENT_BYTES_MAX, LABEL_BYTES_MAX, LABELS_PER_METRIC_MAX, VALUES_PER_METRIC_MAX,
};
use crate::dates::{build_date, days_between, leading_date};
use crate::declaration::{Clients, Declaration, Dimension, Form, From, GivenAs, Metric, Path, Step, Type};
use crate::values::{Kind, Rule};

/// Bins and exact sum, by metric, label and layout.
pub(super) type Numbers = BTreeMap<(String, Option<String>, Kind, Layout), (i64, BTreeMap<i64, i64>)>;

/// What a ping tells.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Told {
    pub(super) client: Option<String>,
    pub(super) dimensions: BTreeMap<String, String>,
    pub(super) numbers: Numbers,
    /// How many times, by metric, label and value.
    pub(super) categories: BTreeMap<(String, Option<String>, String), i64>,
    /// How many notes, by what they are about.
    pub(super) notes: BTreeMap<(String, Rule), u32>,
}

impl Told {
    pub(super) fn note(&mut self, subject: &str, rule: Rule) {
        *self.notes.entry((subject.to_owned(), rule)).or_default() += 1;
    }
}

/// Reads a body of the source at this place.
pub(super) fn read(
    declaration: &Declaration,
    place: usize,
    body: &Value,
    received: SubmissionDate,
    header: &dyn Fn(&str) -> Option<String>,
) -> Told {
    let mut told = Told::default();
    let counts = declaration.privacy[place].clients != Clients::None;
    if let Some(path) = declaration.client_id.as_ref().filter(|_| counts) {
        match found(body, path).first().map(|(value, _)| *value) {
            Some(Value::String(id)) if id.len() > CLIENT_BYTES_MAX => told.note("client", Rule::TextTooLong),
            Some(Value::String(id)) => told.client = Some(id.clone()),
            None | Some(Value::Null) => {}
            Some(_) => told.note("client", Rule::WrongType),
        }
    }
    for dimension in &declaration.dimensions {
        read_dimension(dimension, body, header, &mut told);
    }
    for metric in &declaration.metrics {
        if metric.is_of(&declaration.sources[place]) {
            read_metric(metric, body, received, &mut told);
        }
    }
    told
}

/// Every value that a path leads to, in the order of the body, with the keys that its `*` stand for.
fn found<'a>(body: &'a Value, path: &Path) -> Vec<(&'a Value, Vec<&'a str>)> {
    let mut found = vec![(body, Vec::new())];
    for step in path.steps() {
        let mut next = Vec::new();
        for (value, keys) in found {
            match (step, value) {
                (Step::Member(key), Value::Object(members)) => {
                    next.extend(members.get(key).map(|value| (value, keys)));
                }
                (Step::Member(key), Value::Array(items)) => {
                    for (number, item) in items.iter().enumerate() {
                        if number.to_string() == *key {
                            next.push((item, keys.clone()));
                        }
                    }
                }
                (Step::Any, Value::Object(members)) => {
                    for (key, value) in members {
                        let mut keys = keys.clone();
                        keys.push(key.as_str());
                        next.push((value, keys));
                    }
                }
                (Step::Any, Value::Array(items)) => {
                    next.extend(items.iter().map(|item| (item, keys.clone())));
                }
                _ => {}
            }
        }
        found = next;
    }
    found
}

fn read_dimension(
    dimension: &Dimension,
    body: &Value,
    header: &dyn Fn(&str) -> Option<String>,
    told: &mut Told,
) {
    let value = match &dimension.from {
        From::Header(name) => header(name).map(Value::String),
        From::Path(path) => found(body, path).first().map(|(value, _)| (*value).clone()),
    };
    let sent = match value.unwrap_or_default() {
        Value::String(text) => text,
        Value::Bool(value) => value.to_string(),
        Value::Number(number) if number.is_i64() => number.to_string(),
        Value::Null => String::new(),
        _ => return told.note(&dimension.name, Rule::WrongType),
    };
    if sent.is_empty() {
        if let Some(default) = &dimension.default {
            told.dimensions.insert(dimension.name.clone(), default.clone());
        }
        return;
    }
    let leading = |text: &str| -> String { text.chars().take_while(char::is_ascii_digit).collect() };
    let formed = match dimension.form {
        Form::Text => Ok(sent),
        Form::Lower => Ok(sent.chars().flat_map(char::to_lowercase).collect()),
        Form::Date => leading_date(&sent)
            .or_else(|| build_date(&sent))
            .map(|date| date.to_string())
            .ok_or(Rule::NotADate),
        Form::Host => host(&sent).ok_or(Rule::NoHost),
        Form::Major | Form::MajorMinor => {
            let mut parts = sent.split('.');
            let major = parts.next().map(leading).unwrap_or_default();
            let whole = sent
                .strip_prefix(&major)
                .is_some_and(|rest| rest.starts_with('.'));
            let minor = parts
                .next()
                .map(leading)
                .filter(|minor| !minor.is_empty() && whole);
            match (dimension.form, minor) {
                _ if major.is_empty() => Err(Rule::NotAVersion),
                (Form::MajorMinor, Some(minor)) => Ok(format!("{major}.{minor}")),
                _ => Ok(major),
            }
        }
    };
    let (value, rule) = match formed {
        Err(rule) => return told.note(&dimension.name, rule),
        Ok(value) if value.len() > 128 => (OTHER.to_owned(), Some(Rule::TextTooLong)),
        Ok(value) if !dimension.values.is_empty() && !dimension.values.contains(&value) => {
            (OTHER.to_owned(), Some(Rule::ValueNotDeclared))
        }
        Ok(value) => (value, None),
    };
    told.dimensions.insert(dimension.name.clone(), value);
    if let Some(rule) = rule {
        told.note(&dimension.name, rule);
    }
}

fn host(text: &str) -> Option<String> {
    let begin = text.find("://")? + 3;
    let authority: String = text[begin..]
        .chars()
        .take_while(|sign| !"/?#\\".contains(*sign))
        .collect();
    let behind_user = authority.rfind('@').map_or(0, |at| at + 1);
    let host = &authority[behind_user..];
    let end = match (host.starts_with('['), host.find(']')) {
        (true, Some(end)) => end + 1,
        _ => host.find(':').unwrap_or(host.len()),
    };
    let host: String = host[..end].chars().flat_map(char::to_lowercase).collect();
    (!host.is_empty()).then_some(host)
}

/// One value with its label, in the order of the body.
enum Item {
    Category(Option<String>, String),
    /// Value, samples.
    Number(String, Option<String>, i64, i64),
}

fn read_metric(metric: &Metric, body: &Value, received: SubmissionDate, told: &mut Told) {
    let mut items = Vec::new();
    for (value, keys) in found(body, &metric.path) {
        let label = if metric.labeled {
            match label_of(metric, &keys, told) {
                None => continue,
                label => label,
            }
        } else {
            None
        };
        read_value(metric, value, label.as_deref(), received, &mut items, told);
    }
    limit_labels(metric, &mut items, told);
    add_numbers(metric, &items, told);
    add_categories(metric, items, told);
}

fn label_of(metric: &Metric, keys: &[&str], told: &mut Told) -> Option<String> {
    if keys.is_empty() {
        told.note(&metric.name, Rule::NoLabel);
        return None;
    }
    let joins = metric.path.stars() > 1;
    let mut encoded = keys.iter().map(|key| {
        if joins {
            key.replace('%', "%25").replace('/', "%2F")
        } else {
            (*key).to_owned()
        }
    });
    let label = encoded.by_ref().collect::<Vec<_>>().join("/");
    if label.len() > LABEL_BYTES_MAX {
        told.note(&metric.name, Rule::LabelTooLong);
        return Some(OTHER.to_owned());
    }
    if !metric.labels.is_empty() && !metric.labels.contains(&label) {
        told.note(&metric.name, Rule::ValueNotDeclared);
        return Some(OTHER.to_owned());
    }
    Some(label)
}

fn read_value(
    metric: &Metric,
    value: &Value,
    label: Option<&str>,
    received: SubmissionDate,
    items: &mut Vec<Item>,
    told: &mut Told,
) {
    let own = label.map(str::to_owned);
    let name = metric.name.as_str();
    match (metric.kind, value) {
        (_, Value::Null) => {}
        (Type::Boolean, Value::Bool(value)) => items.push(Item::Category(own, value.to_string())),
        (Type::Text, value) => items.extend(read_text(metric, value, own, told)),
        (Type::TextList, Value::Array(values)) => {
            for value in values {
                items.extend(read_text(metric, value, own.clone(), told));
            }
        }
        (Type::TextList, value) if metric.path.stars() > 0 => {
            items.extend(read_text(metric, value, own, told));
        }
        (Type::Datetime, Value::String(text)) => match leading_date(text) {
            Some(date) => items.push(Item::Number(
                name.to_owned(),
                own,
                days_between(date, received),
                1,
            )),
            None => told.note(name, Rule::NotADate),
        },
        (Type::Rate, Value::Object(members)) => {
            for part in ["numerator", "denominator"] {
                let part_name = format!("{name}:{part}");
                let number = number_of(metric, members.get(part).unwrap_or(&Value::Null));
                push(number, &part_name, own.clone(), items, told);
            }
        }
        (Type::Counter | Type::Quantity | Type::Timespan, value) => {
            push(number_of(metric, value), name, own, items, told);
        }
        (Type::TimingDistribution | Type::MemoryDistribution | Type::CustomDistribution, value) => {
            read_distribution(metric, value, label, items, told);
        }
        _ => told.note(name, Rule::WrongType),
    }
}

fn read_text(metric: &Metric, value: &Value, label: Option<String>, told: &mut Told) -> Option<Item> {
    let rule = match value {
        Value::Null => return None,
        Value::String(text) if text.chars().count() > metric.max_length => Rule::TextTooLong,
        Value::String(text) if !metric.values.is_empty() && !metric.values.contains(text) => {
            Rule::ValueNotDeclared
        }
        Value::String(text) => return Some(Item::Category(label, text.clone())),
        _ => {
            told.note(&metric.name, Rule::WrongType);
            return None;
        }
    };
    told.note(&metric.name, rule);
    Some(Item::Category(label, OTHER.to_owned()))
}

fn number_of(metric: &Metric, value: &Value) -> Result<Option<i64>, Rule> {
    let number = match value {
        Value::Null => return Ok(None),
        Value::Number(number) => number,
        _ => return Err(Rule::WrongType),
    };
    let whole: i128 = if let Some(whole) = number.as_i64() {
        i128::from(whole) * i128::from(metric.factor)
    } else if let Some(whole) = number.as_u64() {
        i128::from(whole)
    } else {
        // A double beyond 128 bits is held at their ends.
        (number.as_f64().unwrap_or_default() * metric.factor as f64).round() as i128
    };
    match i64::try_from(whole) {
        Err(_) => Err(Rule::NumberTooLarge),
        Ok(whole) if whole < 0 && !metric.kind.may_be_negative() => Err(Rule::NumberNegative),
        Ok(whole) => Ok(Some(whole)),
    }
}

fn push(
    number: Result<Option<i64>, Rule>,
    name: &str,
    label: Option<String>,
    items: &mut Vec<Item>,
    told: &mut Told,
) {
    match number {
        Ok(Some(number)) => items.push(Item::Number(name.to_owned(), label, number, 1)),
        Ok(None) => {}
        Err(rule) => told.note(name.split(':').next().unwrap_or(name), rule),
    }
}

fn read_distribution(
    metric: &Metric,
    value: &Value,
    label: Option<&str>,
    items: &mut Vec<Item>,
    told: &mut Told,
) {
    let own = || label.map(str::to_owned);
    let name = metric.name.as_str();
    let mut bin = |value: Option<&Value>, samples: &Value, told: &mut Told| {
        let value = match number_of(metric, value.unwrap_or(&Value::Null)) {
            Ok(Some(value)) => value,
            Ok(None) | Err(Rule::WrongType) => return told.note(name, Rule::BinNotANumber),
            Err(rule) => return told.note(name, rule),
        };
        match samples.as_u64().map(i64::try_from) {
            None => told.note(name, Rule::BinSamplesNotANumber),
            Some(Ok(0)) => {}
            Some(Ok(samples @ 0..=BIN_SAMPLES_MAX)) => {
                items.push(Item::Number(name.to_owned(), own(), value, samples));
            }
            Some(_) => told.note(name, Rule::BinTooLarge),
        }
    };
    match (metric.given_as, value) {
        (GivenAs::Samples, Value::Array(values)) => {
            for value in values {
                push(number_of(metric, value), name, own(), items, told);
            }
        }
        (GivenAs::Samples, value) => push(number_of(metric, value), name, own(), items, told),
        (GivenAs::Map, Value::Object(members)) => {
            for (key, samples) in members {
                let has_space = key.chars().any(char::is_whitespace);
                let key: Option<Value> = serde_json::from_str(key).ok().filter(|_| !has_space);
                bin(key.filter(Value::is_number).as_ref(), samples, told);
            }
        }
        (GivenAs::Pairs, Value::Array(pairs)) => {
            for pair in pairs {
                match pair.as_array().map(Vec::as_slice) {
                    Some([value, samples]) => bin(Some(value), samples, told),
                    _ if pair.is_null() => {}
                    _ => told.note(name, Rule::WrongType),
                }
            }
        }
        (GivenAs::Arrays, Value::Object(members)) => {
            let column = |name: &str| members.get(name).and_then(Value::as_array);
            match (column("bins"), column("counts")) {
                (Some(values), Some(counts)) if values.len() == counts.len() => {
                    for (value, samples) in values.iter().zip(counts) {
                        bin(Some(value), samples, told);
                    }
                }
                _ => told.note(name, Rule::WrongType),
            }
        }
        _ => told.note(name, Rule::WrongType),
    }
}

/// The first labels keep their names.
fn limit_labels(metric: &Metric, items: &mut [Item], told: &mut Told) {
    let mut known: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for item in items {
        let (name, label) = match item {
            Item::Category(label, _) => (metric.name.clone(), label),
            Item::Number(name, label, ..) => (name.clone(), label),
        };
        let Some(text) = label.clone().filter(|text| text != OTHER) else {
            continue;
        };
        let known = known.entry(name).or_default();
        if known.len() < LABELS_PER_METRIC_MAX || known.contains(&text) {
            known.insert(text);
        } else {
            *label = Some(OTHER.to_owned());
            told.note(&metric.name, Rule::TooManyLabels);
        }
    }
}

fn add_numbers(metric: &Metric, items: &[Item], told: &mut Told) {
    let mut sums: BTreeMap<_, (i128, BTreeMap<i64, i64>)> = BTreeMap::new();
    for item in items {
        if let Item::Number(name, label, value, samples) = item {
            let key = (name.clone(), label.clone(), metric.kind.kind(), metric.layout);
            let (sum, bins) = sums.entry(key).or_default();
            *sum += i128::from(*value) * i128::from(*samples);
            *bins.entry(metric.layout.bin_of(*value)).or_default() += samples;
        }
    }
    for (key, (sum, bins)) in sums {
        match i64::try_from(sum) {
            Ok(sum) => {
                told.numbers.insert(key, (sum, bins));
            }
            Err(_) => told.note(&metric.name, Rule::NumberTooLarge),
        }
    }
}

fn add_categories(metric: &Metric, items: Vec<Item>, told: &mut Told) {
    let mut known: BTreeMap<Option<String>, BTreeSet<String>> = BTreeMap::new();
    for item in items {
        let Item::Category(label, mut value) = item else {
            continue;
        };
        let known = known.entry(label.clone()).or_default();
        if value == OTHER || known.len() < VALUES_PER_METRIC_MAX || known.contains(&value) {
            if value != OTHER {
                known.insert(value.clone());
            }
        } else {
            OTHER.clone_into(&mut value);
            told.note(&metric.name, Rule::TooManyValues);
        }
        let key = (metric.name.clone(), label, value);
        *told.categories.entry(key).or_default() += 1;
    }
}
