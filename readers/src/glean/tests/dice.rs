//! Glean pings from a seed, with faults in some of them.

use std::fmt::Write;

/// SplitMix64 (Steele, Lea, Flood 2014).
#[derive(Clone, Debug)]
pub(super) struct Dice(u64);

impl Dice {
    pub(super) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(super) fn below(&mut self, end: usize) -> usize {
        (self.number() % end as u64) as usize
    }

    fn one_of<'a>(&mut self, choices: &[&'a str]) -> &'a str {
        choices[self.below(choices.len())]
    }

    /// True once in so many times.
    fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }
}

const SECTIONS: [&str; 24] = [
    "boolean",
    "counter",
    "quantity",
    "string",
    "string_list",
    "text",
    "url",
    "uuid",
    "datetime",
    "timespan",
    "rate",
    "timing_distribution",
    "memory_distribution",
    "custom_distribution",
    "labeled_boolean",
    "labeled_counter",
    "labeled_quantity",
    "labeled_string",
    "labeled_timing_distribution",
    "labeled_memory_distribution",
    "labeled_custom_distribution",
    "dual_labeled_counter",
    "object",
    "of_tomorrow",
];

const METRICS: [&str; 6] = [
    "ui.depth",
    "ui.lines",
    "a.b",
    "a.c",
    "events:x.y",
    "a.c:numerator",
];
const LABELS: [&str; 6] = ["open", "__other__", "OTHER", "a/b", "50%", "größe"];
const NUMBERS: [&str; 18] = [
    "0",
    "1",
    "7",
    "120",
    "9007199254740993",
    "9223372036854775807",
    "9223372036854775808",
    "18446744073709551616",
    "-1",
    "-9223372036854775808",
    "1.0",
    "1e3",
    "-0",
    "-0.0",
    "-2e1",
    "1e300",
    "2.5",
    "1099511627777",
];
const KEYS: [&str; 14] = [
    "0",
    "1",
    "10",
    "90",
    "100",
    "939",
    "1023",
    "1024",
    "60000",
    "11",
    "-5",
    "01",
    "x",
    "9223372036854775808",
];
const TEXTS: [&str; 14] = [
    "",
    "dark",
    "Unknown",
    "unknown",
    "2.0b3",
    "10.0.19045",
    "20260214",
    "2026-10-02T12:00+5.5:00",
    "2026-10-012",
    "2026-02-30",
    "1970-01-01T00:00:00+00:00",
    "https://User@Notes.Example.ORG:8443/x",
    "http://[::1]:1/",
    "ö\\u00e9\\n",
];
const RATES: [&str; 8] = ["1.0", "1", "0.25", "0.5", "0", "1.5", "\"x\"", "null"];

/// A ping.
pub(super) fn ping(dice: &mut Dice) -> String {
    let mut sections = Vec::new();
    if !dice.once_in(6) {
        sections.push(format!("\"client_info\":{}", client_info(dice)));
    }
    if !dice.once_in(4) {
        sections.push(format!("\"ping_info\":{}", ping_info(dice)));
    }
    if !dice.once_in(8) {
        sections.push(format!("\"metrics\":{}", metrics(dice)));
    }
    if !dice.once_in(3) {
        sections.push(format!("\"events\":{}", events(dice)));
    }
    if dice.once_in(5) {
        sections.push("\"else\":{\"a\":[1,null]}".to_owned());
    }
    if dice.once_in(60) {
        sections.push("\"metrics\":null".to_owned());
    }
    if !sections.is_empty() {
        let from = dice.below(sections.len());
        sections.rotate_left(from);
    }
    format!(
        "{{{}}}",
        sections.join(if dice.once_in(4) { " ,\n" } else { "," })
    )
}

/// Something that stands in the place of something else.
fn fault(dice: &mut Dice) -> String {
    dice.one_of(&[
        "null",
        "7",
        "-1",
        "1.5",
        "\"x\"",
        "true",
        "[]",
        "[1,\"x\"]",
        "{}",
        "{\"x\":1}",
    ])
    .to_owned()
}

fn or_fault(dice: &mut Dice, value: impl FnOnce(&mut Dice) -> String) -> String {
    if dice.once_in(25) {
        fault(dice)
    } else {
        value(dice)
    }
}

fn text(dice: &mut Dice) -> String {
    if dice.once_in(30) {
        return format!("\"{}\"", "x".repeat(120 + dice.below(160)));
    }
    format!("\"{}\"", dice.one_of(&TEXTS))
}

fn client_info(dice: &mut Dice) -> String {
    or_fault(dice, |dice| {
        let fields = [
            "app_build",
            "app_channel",
            "app_display_version",
            "architecture",
            "build_date",
            "locale",
            "os",
            "os_version",
            "client_id",
            "session_count",
            "device_model",
        ];
        members(dice, fields.len(), |dice, at| {
            let value = or_fault(dice, text);
            (fields[at].to_owned(), value)
        })
    })
}

fn ping_info(dice: &mut Dice) -> String {
    or_fault(dice, |dice| {
        members(dice, 2, |dice, at| {
            (["reason", "seq"][at].to_owned(), or_fault(dice, text))
        })
    })
}

/// An object of some of these members, seldom with one twice.
fn members(
    dice: &mut Dice,
    most: usize,
    mut member: impl FnMut(&mut Dice, usize) -> (String, String),
) -> String {
    let mut object = String::from("{");
    for at in 0..most {
        if dice.once_in(4) {
            continue;
        }
        let times = if dice.once_in(400) { 2 } else { 1 };
        for _ in 0..times {
            let (key, value) = member(dice, at);
            let comma = if object.len() > 1 { "," } else { "" };
            let _ = write!(object, "{comma}\"{key}\":{value}");
        }
    }
    object.push('}');
    object
}

/// Different names of a list, in any order.
fn some_of(dice: &mut Dice, names: &[&'static str]) -> Vec<&'static str> {
    let mut names = names.to_vec();
    let from = dice.below(names.len());
    names.rotate_left(from);
    names.truncate(1 + dice.below(names.len()));
    names
}

fn metrics(dice: &mut Dice) -> String {
    or_fault(dice, |dice| {
        let sections = some_of(dice, &SECTIONS);
        members(dice, sections.len(), |dice, at| {
            (sections[at].to_owned(), section(dice, sections[at]))
        })
    })
}

fn section(dice: &mut Dice, section: &str) -> String {
    or_fault(dice, |dice| {
        let metrics = some_of(dice, &METRICS);
        members(dice, metrics.len(), |dice, at| {
            let long = dice.once_in(100).then(|| "n".repeat(125 + dice.below(8)));
            let metric = long.unwrap_or_else(|| metrics[at].to_owned());
            (metric, metric_value(dice, section))
        })
    })
}

fn metric_value(dice: &mut Dice, section: &str) -> String {
    or_fault(dice, |dice| {
        if section == "dual_labeled_counter" {
            return labels(dice, |dice| {
                or_fault(dice, |dice| labels(dice, |dice| value(dice, "counter")))
            });
        }
        match section.strip_prefix("labeled_") {
            Some(base) => labels(dice, |dice| value(dice, base)),
            None => value(dice, section),
        }
    })
}

fn labels(dice: &mut Dice, value: impl Fn(&mut Dice) -> String) -> String {
    let labels = some_of(dice, &LABELS);
    members(dice, labels.len(), |dice, at| {
        let long = dice.once_in(30).then(|| "ö".repeat(109 + dice.below(5)));
        (long.unwrap_or_else(|| labels[at].to_owned()), value(dice))
    })
}

fn value(dice: &mut Dice, base: &str) -> String {
    or_fault(dice, |dice| match base {
        "boolean" => dice.one_of(&["true", "false"]).to_owned(),
        "counter" | "quantity" => number(dice),
        "string_list" => {
            let most = if dice.once_in(20) { 130 } else { 6 };
            let items: Vec<String> = (0..dice.below(most)).map(|_| or_fault(dice, text)).collect();
            format!("[{}]", items.join(","))
        }
        "timespan" => members(dice, 2, |dice, at| match at {
            0 => {
                let units = ["nanosecond", "millisecond", "second", "minute", "day", "week"];
                ("time_unit".to_owned(), format!("\"{}\"", dice.one_of(&units)))
            }
            _ => ("value".to_owned(), number(dice)),
        }),
        "rate" => members(dice, 2, |dice, at| {
            (["denominator", "numerator"][at].to_owned(), number(dice))
        }),
        "timing_distribution" | "memory_distribution" | "custom_distribution" => distribution(dice),
        _ => text(dice),
    })
}

fn number(dice: &mut Dice) -> String {
    if dice.once_in(3) {
        return dice.one_of(&NUMBERS).to_owned();
    }
    dice.below(5_000).to_string()
}

fn distribution(dice: &mut Dice) -> String {
    let most = if dice.once_in(4) { KEYS.len() } else { 9 };
    let keys = some_of(dice, &KEYS[..most]);
    let values = or_fault(dice, |dice| {
        members(dice, keys.len(), |dice, at| {
            let samples = if dice.once_in(15) {
                number(dice)
            } else {
                dice.below(4).to_string()
            };
            (keys[at].to_owned(), samples)
        })
    });
    let sum = number(dice);
    match dice.below(30) {
        0 => format!("{{\"sum\":{sum}}}"),
        1 => format!("{{\"values\":{values}}}"),
        2 => format!("{{\"values\":{values},\"sum\":{sum},\"bucket_count\":3}}"),
        _ => format!("{{\"sum\":{sum},\"values\":{values}}}"),
    }
}

fn events(dice: &mut Dice) -> String {
    or_fault(dice, |dice| {
        let events: Vec<String> = (0..dice.below(6)).map(|_| or_fault(dice, event)).collect();
        format!("[{}]", events.join(","))
    })
}

fn event(dice: &mut Dice) -> String {
    members(dice, 4, |dice, at| match at {
        0 => (
            "category".to_owned(),
            or_fault(dice, |dice| format!("\"{}\"", dice.one_of(&["x", "ui.event"]))),
        ),
        1 => (
            "name".to_owned(),
            or_fault(dice, |dice| format!("\"{}\"", dice.one_of(&["y", "saved"]))),
        ),
        2 => ("timestamp".to_owned(), number(dice)),
        _ => {
            let session = or_fault(dice, |dice| {
                members(dice, 2, |dice, at| match at {
                    0 => ("session_seq".to_owned(), number(dice)),
                    _ => ("session_sample_rate".to_owned(), dice.one_of(&RATES).to_owned()),
                })
            });
            ("session".to_owned(), session)
        }
    })
}

/// A few bytes changed.
pub(super) fn damaged(dice: &mut Dice, body: &str) -> Vec<u8> {
    let mut bytes = body.as_bytes().to_vec();
    for _ in 0..=dice.below(3) {
        let at = dice.below(bytes.len());
        match dice.below(3) {
            0 => bytes[at] = b"{}[],:\"0\\ x\xe9"[dice.below(12)],
            1 => drop(bytes.remove(at)),
            _ => bytes.insert(at, b"{}[],:\"0\\ x\xe9"[dice.below(12)]),
        }
        if bytes.is_empty() {
            break;
        }
    }
    bytes
}
