//! Pings thrown with dice: of the right shape mostly, and wrong in every way that the fold must tell apart.

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

    fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.below(from.len())]
    }
}

/// A body.
pub(super) fn ping(dice: &mut Dice) -> String {
    let mut entries = vec![
        (
            "clientId".to_owned(),
            dice.pick(&["\"c1\"", "\"c2\"", "\"\"", "7", "null"]).to_owned(),
        ),
        ("application".to_owned(), application(dice)),
        ("environment".to_owned(), environment(dice)),
        ("payload".to_owned(), payload(dice)),
        ("version".to_owned(), "4".to_owned()),
        ("x".to_owned(), odd(dice)),
    ];
    entries.retain(|_| !dice.one_in(20));
    object(dice, entries)
}

/// An object of these entries, shuffled at times, one of them repeated rarely.
fn object(dice: &mut Dice, mut entries: Vec<(String, String)>) -> String {
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
fn odd(dice: &mut Dice) -> String {
    let odd = [
        "null",
        "true",
        "[]",
        "[1,[2]]",
        "{}",
        "{\"a\":{\"b\":[1]},\"a\":2}",
        "\"x\\u00e9\\n\"",
        "-1",
        "1.5",
        "1e300",
        "18446744073709551615",
        "-0.0",
        "99999999999999999999",
    ];
    dice.pick(&odd).to_owned()
}

fn or_odd(dice: &mut Dice, value: String) -> String {
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
            text(dice, &["nightly", "esr", "", "beta-cck-x"]),
        ),
        (
            "version".to_owned(),
            text(dice, &["54.0a1", "54", ".5", "60.0.1", ""]),
        ),
        (
            "buildId".to_owned(),
            text(
                dice,
                &["20170130030205", "2017", "2017013", "2017013é", "x", "２０"],
            ),
        ),
        ("name".to_owned(), text(dice, &["Firefox", "Fennec"])),
        ("architecture".to_owned(), text(dice, &["x86", "x86-64"])),
        ("vendor".to_owned(), text(dice, &["Mozilla"])),
    ];
    entries.retain(|_| !dice.one_in(20));
    let application = object(dice, entries);
    or_odd(dice, application)
}

fn environment(dice: &mut Dice) -> String {
    let os = vec![
        ("name".to_owned(), text(dice, &["Linux", "Windows_NT", "Darwin"])),
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

fn payload(dice: &mut Dice) -> String {
    let mut entries = sections(
        dice,
        &["histograms", "keyedHistograms", "simpleMeasurements", "scalars"],
    );
    let children = (0..dice.below(3))
        .map(|_| child(dice))
        .collect::<Vec<_>>()
        .join(",");
    entries.push(("childPayloads".to_owned(), format!("[{children}]")));
    let processes = ["parent", "content", "gpu", "extension", "Parent"];
    let processes: Vec<_> = processes.iter().filter(|_| !dice.one_in(3)).copied().collect();
    let mut named = Vec::new();
    for process in processes {
        let all = [
            "histograms",
            "keyedHistograms",
            "scalars",
            "keyedScalars",
            "simpleMeasurements",
            "events",
        ];
        let inner = sections(dice, &all);
        let inner = object(dice, inner);
        named.push((process.to_owned(), or_odd(dice, inner)));
    }
    let processes = object(dice, named);
    entries.push(("processes".to_owned(), or_odd(dice, processes)));
    let payload = object(dice, entries);
    or_odd(dice, payload)
}

fn child(dice: &mut Dice) -> String {
    let inner = sections(
        dice,
        &["histograms", "keyedHistograms", "simpleMeasurements", "processes"],
    );
    let inner = object(dice, inner);
    or_odd(dice, inner)
}

fn sections(dice: &mut Dice, names: &[&str]) -> Vec<(String, String)> {
    let mut entries = Vec::new();
    for name in names {
        if dice.one_in(6) {
            continue;
        }
        let section = match *name {
            "histograms" => named(dice, histogram),
            "keyedHistograms" => named(dice, |dice| named(dice, histogram)),
            "keyedScalars" => named(dice, |dice| named(dice, number)),
            "simpleMeasurements" => named(dice, |dice| {
                if dice.one_in(4) {
                    named(dice, number)
                } else {
                    number(dice)
                }
            }),
            _ => named(dice, number),
        };
        entries.push(((*name).to_owned(), or_odd(dice, section)));
    }
    entries
}

const NAMES: [&str; 14] = [
    "GC_MS",
    "gc_ms",
    "A",
    "B",
    "a.b",
    "A_B",
    "straße",
    "",
    "[[COUNT]]_A",
    "MESSAGE_MANAGER_MESSAGE_SIZE",
    "browser.engagement.navigation.urlbar",
    "é\u{0}\"\\",
    "C",
    "D",
];

/// An object whose keys are names.
fn named(dice: &mut Dice, value: impl Fn(&mut Dice) -> String) -> String {
    let mut entries = Vec::new();
    for name in NAMES {
        if dice.one_in(3) {
            entries.push((name.to_owned(), value(dice)));
        }
    }
    if dice.one_in(50) {
        let long = "n".repeat(500 + dice.below(30));
        entries.push((long, value(dice)));
    }
    let named = object(dice, entries);
    or_odd(dice, named)
}

fn number(dice: &mut Dice) -> String {
    let size = dice.below(12);
    let value = dice.below(1 << (2 * size + 1)).to_string();
    if dice.one_in(5) {
        format!("{value}.75")
    } else {
        or_odd(dice, value)
    }
}

fn histogram(dice: &mut Dice) -> String {
    let layouts = [
        "[1,10000]",
        "[1,2]",
        "[0,5]",
        "[1.0,2]",
        "[5,1]",
        "[1,2,3]",
        "[-1,5]",
        "[1,9007199254740993]",
        "{}",
    ];
    let range = if dice.one_in(8) {
        dice.pick(&layouts)
    } else {
        "[1,100]"
    };
    let counts = ["3", "50", "0", "10000", "10001", "-1", "4294967297", "\"3\""];
    let count = if dice.one_in(8) { dice.pick(&counts) } else { "10" };
    let kind = if dice.one_in(30) {
        odd(dice)
    } else {
        dice.below(6).to_string()
    };
    let sum = if dice.one_in(30) {
        odd(dice)
    } else {
        dice.below(100_000).to_string()
    };
    let bins = bins(dice);
    let mut entries = vec![
        ("range".to_owned(), range.to_owned()),
        ("bucket_count".to_owned(), count.to_owned()),
        ("histogram_type".to_owned(), kind),
        ("values".to_owned(), or_odd(dice, bins)),
        ("sum".to_owned(), sum),
        ("sum_squares_lo".to_owned(), odd(dice)),
    ];
    entries.retain(|_| !dice.one_in(60));
    let histogram = object(dice, entries);
    or_odd(dice, histogram)
}

fn bins(dice: &mut Dice) -> String {
    let mut entries = Vec::new();
    let mut bound = 0;
    for _ in 0..dice.below(6) {
        let odd_keys = ["01", "x", "", "-3", "+1", "99999999999999999999"];
        let key = if dice.one_in(40) {
            dice.pick(&odd_keys).to_owned()
        } else {
            bound.to_string()
        };
        let odd_values = [
            "-1",
            "1.0",
            "true",
            "\"1\"",
            "1099511627776",
            "1099511627777",
            "18446744073709551615",
        ];
        let value = if dice.one_in(60) {
            dice.pick(&odd_values).to_owned()
        } else {
            dice.below(9).to_string()
        };
        entries.push((key, value));
        bound += 1 + dice.below(9);
    }
    object(dice, entries)
}
