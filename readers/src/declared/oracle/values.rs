//! The values of a metric in a tree.

use ping::{OTHER, SubmissionDate};
use serde_json::Value;

use super::told::Told;
use super::totals::Item;
use crate::dates::{days_between, leading_date};
use crate::declaration::{GivenAs, Metric, Type};
use crate::declared::limits::BIN_SAMPLES_MAX;
use crate::values::Rule;

pub(super) fn read(
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
        // A double beyond 128 bits is held at their ends; -2^63 as a double may be a number below it.
        let number = (number.as_f64().unwrap_or_default() * metric.factor as f64).round() as i128;
        if number == i128::from(i64::MIN) {
            number - 1
        } else {
            number
        }
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
