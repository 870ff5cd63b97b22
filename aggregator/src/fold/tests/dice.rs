//! Pings thrown with dice: of the right shape mostly, and wrong in every way that the fold must tell apart.

use super::dice_sections::payload;

/// A small generator: splitmix64.
pub(super) struct Dice {
    state: u64,
    /// Whether keys may be repeated: one ping in five.
    repeats: bool,
}

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        let mut dice = Self {
            state: seed,
            repeats: false,
        };
        dice.repeats = dice.one_in(5);
        dice
    }

    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(super) fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    pub(super) fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    pub(super) fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.below(from.len())]
    }
}

/// Characters that stand, while a ping is thrown, for what no parser admits in a text, and what becomes of each.
const LOOSE: [(char, &[u8]); 6] = [
    ('\u{e000}', b"\xe9"),
    ('\u{e001}', b"\\ud800"),
    ('\u{e002}', b"\0"),
    ('\u{e003}', b"\\q"),
    ('\u{e004}', b"\xe2\x82"),
    ('\u{e005}', b"\\udc00\\ud83d\\ude00"),
];

const CLIENTS: [&str; 10] = [
    "\"c0ffee00-0000-4000-8000-000000000001\"",
    "\"C0FFEE00-0000-4000-8000-000000000001\"",
    "\"c0ffee00-0000-4000-8000-00000000000A\"",
    "\"c0ffeec0-ffee-c0ff-eec0-ffeec0ffeec0\"",
    "\"00000000-0000-0000-0000-000000000000\"",
    "\"c0ffee00-0000-4000-8000-00000000000\u{e000}\"",
    "\"me\"",
    "\"\"",
    "7",
    "null",
];

/// A body.
pub(super) fn ping(dice: &mut Dice) -> Vec<u8> {
    let mut entries = vec![
        ("clientId".to_owned(), dice.pick(&CLIENTS).to_owned()),
        ("application".to_owned(), application(dice)),
        ("environment".to_owned(), environment(dice)),
        ("payload".to_owned(), payload(dice)),
        ("version".to_owned(), "4".to_owned()),
        ("x".to_owned(), odd(dice)),
    ];
    entries.retain(|_| !dice.one_in(20));
    let strict = object(dice, entries);
    let mut body = Vec::new();
    for char in strict.chars() {
        match LOOSE.iter().find(|(stands, _)| *stands == char) {
            Some((_, bytes)) => body.extend_from_slice(bytes),
            None => body.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    body
}

/// An object of these entries, shuffled at times, one of them repeated rarely.
pub(super) fn object(dice: &mut Dice, mut entries: Vec<(String, String)>) -> String {
    if dice.one_in(2) {
        for at in (1..entries.len()).rev() {
            let other = dice.below(at + 1);
            entries.swap(at, other);
        }
    }
    if !entries.is_empty() && dice.repeats && dice.one_in(60) {
        let at = dice.below(entries.len());
        entries.push(entries[at].clone());
    }
    let fields: Vec<String> = entries
        .into_iter()
        .map(|(key, value)| format!("{}:{value}", serde_json::to_string(&key).expect("a key")))
        .collect();
    format!("{{{}}}", fields.join(if dice.one_in(9) { " ,\n" } else { "," }))
}

/// Something of the wrong kind.
pub(super) fn odd(dice: &mut Dice) -> String {
    let odd = [
        "null",
        "true",
        "[]",
        "[1,[2]]",
        "{}",
        "{\"a\":{\"b\":[1]},\"a\":2}",
        "\"x\\u00e9\\n\"",
        "\"x\u{e000}\u{e001}\"",
        "{\"\u{e002}\":\"\u{e003}\"}",
        "-1",
        "1.5",
        "1e300",
        "18446744073709551615",
        "-0.0",
        "99999999999999999999",
    ];
    dice.pick(&odd).to_owned()
}

pub(super) fn or_odd(dice: &mut Dice, value: String) -> String {
    if dice.one_in(40) { odd(dice) } else { value }
}

fn text(dice: &mut Dice, from: &[&str]) -> String {
    let long = "l".repeat(100 + dice.below(60));
    let text = if dice.one_in(60) { &long } else { dice.pick(from) };
    let text = serde_json::to_string(text).expect("a text");
    or_odd(dice, text)
}

fn application(dice: &mut Dice) -> String {
    let mut entries = vec![
        (
            "channel".to_owned(),
            text(dice, &["nightly", "esr", "", "beta-cck-x", "bet\u{e000}"]),
        ),
        (
            "version".to_owned(),
            text(dice, &["54.0a1", "54", ".5", "60.0.1", "", "54\u{e003}.1"]),
        ),
        (
            "buildId".to_owned(),
            text(
                dice,
                &[
                    "20170130030205",
                    "2017",
                    "2017013",
                    "2017013é",
                    "x",
                    "２０",
                    "20170130\u{e004}",
                ],
            ),
        ),
        ("name".to_owned(), text(dice, &["Firefox", "Fennec", "\u{e005}"])),
        ("architecture".to_owned(), text(dice, &["x86", "x86-64"])),
        ("vendor".to_owned(), text(dice, &["Mozilla"])),
    ];
    entries.retain(|_| !dice.one_in(20));
    let application = object(dice, entries);
    or_odd(dice, application)
}

fn environment(dice: &mut Dice) -> String {
    let os = vec![
        (
            "name".to_owned(),
            text(dice, &["Linux", "Windows_NT", "Darwin", "Lin\u{e002}x"]),
        ),
        (
            "version".to_owned(),
            text(dice, &["3.16.0-4-amd64", "10.0", "4é日本", "4"]),
        ),
    ];
    let os = object(dice, os);
    let os = or_odd(dice, os);
    let cpu = odd(dice);
    let system = object(dice, vec![("os".to_owned(), os), ("cpu".to_owned(), cpu)]);
    let e10s = dice.pick(&["true", "false", "\"true\"", "1", "null"]).to_owned();
    let settings = object(dice, vec![("e10sEnabled".to_owned(), e10s)]);
    let mut entries = vec![("system".to_owned(), system), ("settings".to_owned(), settings)];
    entries.retain(|_| !dice.one_in(20));
    object(dice, entries)
}
