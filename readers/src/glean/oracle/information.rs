//! The client and the dimensions.

use std::collections::BTreeMap;

use ping::{OTHER, SubmissionDate};

use super::slow::{Slow, day};
use super::tree::Tree;
use crate::glean::limits;
use crate::glean::reader::Received;
use crate::values::Rule;

impl Slow<'_> {
    pub(super) fn client_and_dimensions(&mut self, tree: &Tree, received: &Received<'_>) {
        let no = Tree::Object(Vec::new());
        let mut section = |name: &str, fields: &[&str]| -> Tree {
            let section = tree.get(name).unwrap_or(&no);
            self.is_doubled |= section.has_twice(fields);
            if section.members().is_none() && *section != Tree::Null {
                self.totals.count_note(Rule::WrongType, "body");
            }
            section.clone()
        };
        let texts = [
            ("app_channel", 2),
            ("app_display_version", 3),
            ("architecture", 4),
            ("os", 5),
            ("os_version", 6),
            ("locale", 7),
            ("build_date", 1),
            ("app_build", 1),
        ];
        let mut fields = Vec::from(texts.map(|(field, _)| field));
        fields.extend(["client_id", "session_count"]);
        let client = section("client_info", &fields);
        let ping = section("ping_info", &["reason"]);
        self.totals.dimensions.insert(0, received.namespace.to_owned());
        if let Some(id) = client.get("client_id") {
            self.totals.client = self.text(id, "client");
        }
        let mut sent = BTreeMap::new();
        for (field, dimension) in texts {
            if let Some(value) = client.get(field)
                && let Some(text) = self.text(value, &format!("dimension {dimension}"))
                && !["", "Unknown", "unknown"].contains(&text.as_str())
            {
                sent.insert(field, text);
            }
        }
        if let Some(reason) = ping.get("reason")
            && let Some(text) = self.text(reason, "dimension 8")
            && !["", "Unknown", "unknown"].contains(&text.as_str())
        {
            self.dimension(8, text);
        }
        for (field, dimension) in &texts[..6] {
            let Some(text) = sent.get(field) else { continue };
            let value = match *field {
                "app_display_version" => numbers(text, 1),
                "os_version" => numbers(text, 2),
                _ => Some(text.clone()),
            };
            match value {
                Some(value) => self.dimension(*dimension, value),
                None => self
                    .totals
                    .count_note(Rule::NotAVersion, format!("dimension {dimension}")),
            }
        }
        let stated = sent
            .get("build_date")
            .filter(|_| client.get("session_count").is_none());
        self.build_date(
            stated.map(String::as_str),
            sent.get("app_build").map(String::as_str),
        );
        self.tags(received.source_tags.unwrap_or_default());
    }

    fn text(&mut self, value: &Tree, subject: &str) -> Option<String> {
        match value {
            Tree::Text(text) => Some(text.clone()),
            Tree::Null => None,
            _ => {
                self.totals.count_note(Rule::WrongType, subject);
                None
            }
        }
    }

    fn dimension(&mut self, dimension: u32, value: String) {
        let is_long = value.len() > limits::DIMENSION_BYTES_MAX;
        if is_long {
            self.totals
                .count_note(Rule::TextTooLong, format!("dimension {dimension}"));
        }
        let value = if is_long { OTHER.to_owned() } else { value };
        self.totals.dimensions.insert(dimension, value);
    }

    fn build_date(&mut self, stated: Option<&str>, build: Option<&str>) {
        let stated_day = stated.and_then(day);
        let of_build = build.filter(|build| {
            (8..=14).contains(&build.len()) && build.bytes().all(|byte| byte.is_ascii_digit())
        });
        let of_build = of_build.and_then(|build| build[..8].parse::<SubmissionDate>().ok());
        let no_build: SubmissionDate = "19700101".parse().expect("a date");
        let day = stated_day.filter(|day| *day != no_build).or(of_build);
        if let Some(day) = day {
            self.totals.dimensions.insert(1, day.to_string());
        } else if stated.is_some() && stated_day.is_none() {
            self.totals.count_note(Rule::NotADate, "dimension 1");
        }
    }

    fn tags(&mut self, header: &str) {
        let mut tags: Vec<String> = Vec::new();
        for tag in header.split(',').map(str::trim).filter(|tag| !tag.is_empty()) {
            let is_long = tag.len() > limits::SOURCE_TAG_BYTES_MAX;
            let tag = if is_long { OTHER } else { tag };
            if tags.iter().any(|known| known == tag) {
                continue;
            }
            if tags.len() == limits::SOURCE_TAGS_MAX {
                self.totals.count_note(Rule::TooManyValues, "dimension 9");
                continue;
            }
            if is_long {
                self.totals.count_note(Rule::TextTooLong, "dimension 9");
            }
            tags.push(tag.to_owned());
        }
        self.totals.lists = tags.into_iter().map(|tag| (9, tag)).collect();
    }
}

/// The first numbers of a version, at most so many.
fn numbers(text: &str, most: usize) -> Option<String> {
    let mut taken: Vec<String> = Vec::new();
    for part in text.split('.').take(most) {
        let digits: String = part.chars().take_while(char::is_ascii_digit).collect();
        let is_whole = digits.len() == part.len();
        if digits.is_empty() {
            break;
        }
        taken.push(digits);
        if !is_whole {
            break;
        }
    }
    (!taken.is_empty()).then(|| taken.join("."))
}
