//! The payload of a ping thrown with dice: sections, histograms, numbers.

use super::dice::{Dice, object, odd, or_odd};

/// `payload`.
pub(super) fn payload(dice: &mut Dice) -> String {
    let mut entries = sections(
        dice,
        &["histograms", "keyedHistograms", "simpleMeasurements", "scalars"],
    );
    let children = (0..dice.below(3))
        .map(|_| child(dice))
        .collect::<Vec<_>>()
        .join(",");
    entries.push(("childPayloads".to_owned(), format!("[{children}]")));
    let processes = [
        "parent",
        "content",
        "gpu",
        "extension",
        "Parent",
        "gp\u{e000}",
        "gp\u{e004}",
    ];
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

const NAMES: [&str; 19] = [
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
    "caf\u{e000}",
    "caf\u{e001}",
    "caf\u{fffd}",
    "caf\u{e002}",
    "browser.engagement.navigation.\u{e003}",
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
        let odd_keys = ["01", "x", "", "-3", "+1", "99999999999999999999", "1\u{e000}"];
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
