//! The shape of an identifier, looked for sign by sign.

use std::net::Ipv6Addr;

use crate::declaration::{Dimension, Form, From, Step};

/// Whether a value of this dimension is kept out of it.
pub(super) fn is_kept_out(dimension: &Dimension, sent: &str) -> bool {
    let may_be_anything = dimension.values.is_empty() && [Form::Text, Form::Lower].contains(&dimension.form);
    may_be_anything && looks_like_one(sent, is_of_versions(dimension))
}

fn is_of_versions(dimension: &Dimension) -> bool {
    let place = match &dimension.from {
        From::Header(name) => name.clone(),
        From::Uri(part) => part.word().to_owned(),
        From::Path(path) => match path.steps().last() {
            Some(Step::Member(key)) => key.clone(),
            _ => String::new(),
        },
    };
    let names = format!("{} {}", dimension.name, place.to_lowercase());
    names.contains("version") || names.contains("release") || names.contains("build")
}

pub(in crate::declared) fn looks_like_one(text: &str, is_version: bool) -> bool {
    let around = ['{', '}', '(', ')', '[', ']', '<', '>', '"', '\'', ' '];
    let bare: Vec<char> = text.trim_matches(around).chars().collect();
    let bare_text: String = bare.iter().collect();
    let all: Vec<char> = text.chars().collect();
    let digits = bare.iter().filter(|sign| sign.is_ascii_digit()).count();
    let is_hex = bare.iter().all(char::is_ascii_hexdigit);
    let hex = is_hex && (bare.len() >= 32 || bare.len() >= 16 && digits > 0 && digits < bare.len());
    let uuid = (0..all.len()).any(|from| fits(&all[from..], "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx", false));
    let mac = ["xx:xx:xx:xx:xx:xx", "xx-xx-xx-xx-xx-xx"]
        .iter()
        .any(|form| fits(&bare, form, true));
    let without_zone = bare_text.split('%').next().unwrap_or_default();
    let with_port = match text.rsplit_once(':') {
        Some((host, port)) => {
            let is_port = !port.is_empty() && port.chars().all(|sign| sign.is_ascii_digit());
            let six = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
            let six = six.is_some_and(|host| is_six(host.split('%').next().unwrap_or_default()));
            is_port && port.parse::<u32>().is_ok_and(|port| port < 65_536) && (is_four(host) || six)
        }
        None => false,
    };
    let four = is_four(without_zone) && !is_version;
    let six = is_six(without_zone) && without_zone.chars().any(|sign| sign.is_ascii_digit());
    hex || uuid || mac || four || six || with_port || is_mail(&bare_text) || has_token(text)
}

/// `x` stands for a hexadecimal digit.
fn fits(text: &[char], form: &str, whole: bool) -> bool {
    let length = form.chars().count();
    let mut pairs = text.iter().zip(form.chars());
    let fits = pairs.all(|(sign, wanted)| match wanted {
        'x' => sign.is_ascii_hexdigit(),
        wanted => *sign == wanted,
    });
    fits && text.len() >= length && (!whole || text.len() == length)
}

fn is_four(text: &str) -> bool {
    let parts: Vec<&str> = text.split('.').collect();
    parts.len() == 4
        && parts.iter().all(|part| {
            part.parse::<u8>()
                .is_ok_and(|number| number.to_string() == **part)
        })
}

fn is_six(text: &str) -> bool {
    text.parse::<Ipv6Addr>().is_ok()
}

fn is_mail(text: &str) -> bool {
    let halves: Vec<&str> = text.split('@').collect();
    let [name, host] = halves[..] else {
        return false;
    };
    let parts: Vec<Vec<char>> = host.split('.').map(|part| part.chars().collect()).collect();
    let is_letter = |sign: &char| sign.is_alphanumeric() || ['-', '_'].contains(sign);
    let last = parts.last().cloned().unwrap_or_default();
    !name.is_empty()
        && !name
            .chars()
            .any(|sign| sign.is_whitespace() || sign == '/' || sign == ':')
        && parts.len() >= 2
        && parts
            .iter()
            .all(|part| !part.is_empty() && part.iter().all(is_letter))
        && last.len() >= 2
        && last.iter().all(|sign| sign.is_alphabetic())
}

fn has_token(text: &str) -> bool {
    let number = text.trim_start_matches(['v', 'V']);
    let behind_v = text.len() - number.len();
    let (major, rest) = number.split_once('.').unwrap_or_default();
    let is_version = behind_v <= 1
        && !major.is_empty()
        && major.chars().all(|sign| sign.is_ascii_digit())
        && rest.starts_with(|sign: char| sign.is_ascii_digit());
    let is_drawn = |row: &str| {
        let kind = |sign: char| match sign {
            '0'..='9' => 0,
            'A'..='Z' => 1,
            _ => 2,
        };
        let kinds: Vec<i32> = row.chars().map(kind).collect();
        let mut changes = 0;
        for at in 1..kinds.len() {
            if kinds[at] != kinds[at - 1] && (kinds[at - 1], kinds[at]) != (1, 2) {
                changes += 1;
            }
        }
        let has = |wanted: fn(&i32) -> bool| kinds.iter().any(wanted);
        row.len() >= 20 && has(|kind| *kind == 0) && has(|kind| *kind > 0) && changes * 4 >= row.len()
    };
    let mut rows = text.split(|sign: char| !sign.is_ascii_alphanumeric());
    !is_version && rows.any(is_drawn)
}
