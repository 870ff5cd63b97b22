//! Small pings of two products, each a function of its number: Glean's metrics pings of some 4 KB, and pings of 1 KB by a declaration.

use serde_json::{Map, Value, json};

/// Declares the second product.
pub(crate) const DECLARATION: &str = r#"
$highwater: product/1
sources: [bench-cli/usage]
description: A command-line program.
client_id: { path: /install_id }
dimensions:
  version: { path: /version, as: major_minor }
  channel: { path: /channel, values: [stable, beta, dev], default: stable }
  os:      { path: /os/name }
  arch:    { path: /os/arch }
  ci:      { path: /ci }
metrics:
  usage:
    runs:     { type: counter, path: /runs }
    plugins:  { type: quantity, path: /plugins, layout: { exponential: [1, 1000, 30] } }
    editor:   { type: string, path: /editor }
    tools:    { type: string_list, path: /tools }
    commands: { type: labeled_counter, path: "/commands/*" }
    duration: { type: labeled_timing_distribution, path: "/timings/*/ms", unit: millisecond }
    startup:  { type: timing_distribution, path: /startup_ms, unit: millisecond }
"#;

/// The source that it declares.
pub(crate) const DECLARED: &str = "bench-cli/usage";

const CHANNELS: [&str; 3] = ["stable", "beta", "dev"];
const SYSTEMS: [&str; 4] = ["Linux", "Windows", "Darwin", "FreeBSD"];
const COMMANDS: [&str; 12] = [
    "build", "check", "clean", "doc", "fetch", "fmt", "init", "lint", "publish", "run", "test", "update",
];
const EDITORS: [&str; 5] = ["vim", "emacs", "code", "helix", "zed"];
const BUILDS: u64 = 40;

/// URI and body of a metrics ping of Glean's.
pub(crate) fn glean(n: u64) -> (String, Vec<u8>) {
    let mut dice = Dice(n);
    let build = dice.below(BUILDS);
    let client = uuid(0x9000, n % 5_000);
    let counters = named(&mut dice, 20, "counter", |dice| json!(dice.below(90) + 1));
    let booleans = named(&mut dice, 5, "flag", |dice| json!(dice.below(2) == 1));
    let quantities = named(&mut dice, 6, "amount", |dice| json!(dice.below(4_000)));
    let strings = named(&mut dice, 4, "text", |dice| json!(dice.of(&EDITORS)));
    let labeled = named(&mut dice, 6, "by_command", |dice| {
        let labels = (0..6).map(|_| (dice.of(&COMMANDS).to_owned(), json!(dice.below(30) + 1)));
        Value::Object(labels.collect())
    });
    let timings = named(&mut dice, 9, "latency", |dice| distribution(dice, 10));
    let memory = named(&mut dice, 2, "memory", |dice| distribution(dice, 8));
    let body = json!({
        "client_info": {
            "app_build": format!("202611{:02}00{:02}00", build / 2 + 1, build % 2),
            "app_channel": dice.of(&CHANNELS), "app_display_version": format!("1.{}.0", build / 4),
            "architecture": "x86_64", "build_date": "2026-11-01T00:00:00+00:00", "client_id": client,
            "first_run_date": "2026-10-11+00:00", "os": dice.of(&SYSTEMS), "os_version": "6.1", "locale": "en-GB",
            "telemetry_sdk_build": "71.0.0",
        },
        "metrics": {
            "counter": counters, "boolean": booleans, "quantity": quantities, "string": strings, "labeled_counter": labeled,
            "timing_distribution": timings, "memory_distribution": memory,
        },
        "ping_info": {
            "start_time": "2026-11-27T04:00+00:00", "end_time": "2026-11-28T04:00+00:00", "reason": "overdue", "seq": n % 90,
        },
    });
    let uri = format!("/submit/bench-notes/metrics/1/{}", uuid(0x8000, n));
    (uri, body.to_string().into_bytes())
}

/// URI and body of a ping of the declared product: some 25 values that count, and as much again that is stored only.
pub(crate) fn declared(n: u64) -> (String, Vec<u8>) {
    let mut dice = Dice(n);
    let commands = (0..6).map(|_| (dice.of(&COMMANDS).to_owned(), json!(dice.below(30) + 1)));
    let commands: Map<String, Value> = commands.collect();
    let timings = (0..4).map(|_| {
        let ms: Vec<u64> = (0..=dice.below(3)).map(|_| dice.below(60_000)).collect();
        (
            dice.of(&COMMANDS).to_owned(),
            json!({ "ms": ms, "failed": dice.below(3) }),
        )
    });
    let timings: Map<String, Value> = timings.collect();
    let body = json!({
        "install_id": uuid(0x9000, n % 5_000), "version": format!("2.{}.{}", dice.below(12), dice.below(9)),
        "channel": dice.of(&CHANNELS), "os": { "name": dice.of(&SYSTEMS), "arch": "x86_64", "release": "6.1.0-18-amd64" },
        "ci": dice.below(4) == 0, "runs": dice.below(200), "plugins": dice.below(30), "editor": dice.of(&EDITORS),
        "tools": ["git", "make", dice.of(&EDITORS)], "commands": commands, "timings": timings, "startup_ms": dice.below(900),
        "host": {
            "cpus": 1 << dice.below(6), "memory_mb": 4_096 << dice.below(4), "terminal": "xterm-256color",
            "locale": "en_GB.UTF-8", "shell": "/usr/bin/zsh", "virtual": dice.of(&["none", "docker", "kvm"]),
        },
        "environment": {
            "package_manager": "cargo", "flags": "-C target-cpu=native -C link-arg=-fuse-ld=lld", "profile": "release",
            "toolchain": "stable-x86_64-unknown-linux-gnu", "features": ["default", "colour", "network"],
        },
        "build": { "commit": format!("{:016x}{:016x}", dice.next(), dice.next()), "compiler": "rustc 1.95.0 (2026-09-14)" },
        "debug": { "flags": ["--verbose", "--color=never", "--offline"], "cwd_hash": format!("{:016x}", dice.next()), "parent": "zsh" },
    });
    let uri = format!("/submit/bench-cli/usage/1/{}", uuid(0xa000, n));
    (uri, body.to_string().into_bytes())
}

/// Metrics of one type, each named by its number.
fn named(dice: &mut Dice, number: usize, name: &str, mut value: impl FnMut(&mut Dice) -> Value) -> Value {
    let metrics = (0..number).map(|metric| (format!("bench.part.{name}_{metric}"), value(dice)));
    Value::Object(metrics.collect())
}

/// Some neighbouring buckets of a functional distribution, as the SDK names them: by their lowest value.
fn distribution(dice: &mut Dice, buckets: u64) -> Value {
    let first = 160 + dice.below(40);
    let (mut values, mut sum) = (Map::new(), 0);
    for bucket in first..first + buckets {
        let lowest = 2f64.powf(bucket as f64 / 8.0).floor() as u64;
        let samples = dice.below(20) + 1;
        sum += lowest * samples;
        values.insert(lowest.to_string(), json!(samples));
    }
    json!({ "sum": sum, "values": values })
}

fn uuid(kind: u64, n: u64) -> String {
    format!(
        "{:08x}-0000-4000-{kind:04x}-{n:012x}",
        n.wrapping_mul(0x9e37_79b9) as u32
    )
}

/// Draws that are a function of a number.
struct Dice(u64);

impl Dice {
    /// The next of SplitMix64.
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    fn of(&mut self, texts: &[&'static str]) -> &'static str {
        texts[self.below(texts.len() as u64) as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_are_as_large_as_the_table_says() {
        let mean = |ping: fn(u64) -> (String, Vec<u8>)| {
            let bytes: usize = (0..500).map(|n| ping(n).1.len()).sum();
            bytes as f64 / 500.0
        };
        let (glean, declared) = (mean(glean), mean(declared));
        assert!((3_800.0..4_400.0).contains(&glean), "{glean}");
        assert!((950.0..1_100.0).contains(&declared), "{declared}");
    }

    #[test]
    fn every_number_makes_another_document() {
        let uris: std::collections::BTreeSet<String> = (0..2_000).map(|n| declared(n).0).collect();
        assert_eq!(uris.len(), 2_000);
    }
}
