//! A dimension, read from a tree.

use ping::OTHER;
use serde_json::Value;

use super::identifiers::is_kept_out;
use super::paths::found;
use super::told::Told;
use crate::dates::{build_date, leading_date};
use crate::declaration::{Dimension, Form, From};
use crate::values::Rule;

pub(super) fn read(
    dimension: &Dimension,
    body: &Value,
    beside: &dyn Fn(&From) -> Option<String>,
    told: &mut Told,
) {
    let value = match &dimension.from {
        from @ (From::Header(_) | From::Uri(_)) => beside(from).map(Value::String),
        From::Path(path) => found(body, path).first().map(|(value, _)| (*value).clone()),
    };
    let sent = match value.unwrap_or_default() {
        Value::String(text) => text,
        Value::Bool(value) => value.to_string(),
        Value::Number(number) if number.is_i64() => number.to_string(),
        Value::Number(number) if number.to_string() == "-0.0" => "0".to_owned(),
        Value::Null => String::new(),
        _ => return told.note(&dimension.name, Rule::WrongType),
    };
    if sent.is_empty() {
        if let Some(default) = &dimension.default {
            told.dimensions.insert(dimension.name.clone(), default.clone());
        }
        return;
    }
    let is_kept_out = is_kept_out(dimension, &sent);
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
        Ok(_) if is_kept_out => (OTHER.to_owned(), Some(Rule::LooksLikeAnId)),
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
