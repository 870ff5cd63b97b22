//! What holds of every generated ping and of the ledger.

use std::collections::BTreeMap;

use ping::{Submission, SubmissionDate, Timestamp};
use proptest::prelude::*;
use sample_pings::{BUILDS, Options, Population, SamplePing, Truth, gzip};
use serde_json::Value;

fn date(text: &str) -> SubmissionDate {
    text.parse().expect("a date")
}

fn noon() -> Timestamp {
    date("20170424").start().saturating_add_micros(43_200_000_000)
}

fn population() -> Population {
    Population::new(7, Options::default())
}

fn parsed(ping: &SamplePing) -> Value {
    serde_json::from_slice(&ping.body).expect("JSON")
}

fn members(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

/// Every histogram that counts, with the process whose it is.
fn histograms(body: &Value) -> Vec<(String, &Value)> {
    let payload = &body["payload"];
    let children = payload["childPayloads"].as_array().into_iter().flatten();
    let processes = members(&payload["processes"]).map(|(_, section)| section);
    let mut found = Vec::new();
    for section in std::iter::once(payload).chain(children).chain(processes) {
        found.extend(members(&section["histograms"]).map(|(name, histogram)| (name.clone(), histogram)));
        for (name, labels) in members(&section["keyedHistograms"]) {
            found.extend(members(labels).map(|(_, histogram)| (name.clone(), histogram)));
        }
    }
    found
}

/// The lower bounds by the browser's formula, written out once more.
fn slow_bounds(kind: u64, low: f64, high: f64, bins: u64) -> Vec<u64> {
    if (2..=4).contains(&kind) {
        return vec![0, 1, 2];
    }
    let mut bounds = vec![0.0_f64];
    for i in 1..bins {
        let (n, i) = (bins as f64, i as f64);
        let previous = *bounds.last().expect("the first is there");
        let next = match kind {
            5 => i,
            1 => ((low * (n - 1.0 - i) + high * (i - 1.0)) / (n - 2.0) + 0.5).trunc(),
            _ if i == 1.0 => low,
            _ => {
                let next = (previous.ln() + (high.ln() - previous.ln()) / (n - i)).exp() + 0.5;
                if next.floor() > previous {
                    next.floor()
                } else {
                    previous + 1.0
                }
            }
        };
        bounds.push(next);
    }
    bounds.into_iter().map(|bound| bound as u64).collect()
}

fn check_histogram(name: &str, histogram: &Value) {
    let number = |value: &Value| value.as_u64().expect("a number");
    let (low, high) = (number(&histogram["range"][0]), number(&histogram["range"][1]));
    let kind = number(&histogram["histogram_type"]);
    let bounds = slow_bounds(kind, low as f64, high as f64, number(&histogram["bucket_count"]));
    assert_eq!(bounds.len() as u64, number(&histogram["bucket_count"]), "{name}");
    let bins: BTreeMap<u64, u64> = members(&histogram["values"])
        .map(|(bound, count)| (bound.parse().expect("a bound"), number(count)))
        .collect();
    for bound in bins.keys() {
        assert!(bounds.contains(bound), "{name}: {bound} is not on {bounds:?}");
    }
    if let (Some(first), Some(last)) = (bins.iter().next(), bins.iter().next_back()) {
        assert!(
            *first.0 == 0 || *first.1 == 0,
            "{name} begins with its empty neighbour"
        );
        assert!(
            bounds.ends_with(&[*last.0]) || *last.1 == 0,
            "{name} ends with its empty neighbour"
        );
        assert!(bins.values().any(|count| *count > 0), "{name}");
    }
    let least: u64 = bins.iter().map(|(bound, count)| bound * count).sum();
    let sum = number(&histogram["sum"]);
    assert!(
        kind == 4 || sum >= least,
        "{name}: the sum {sum} is below {least}"
    );
}

#[test]
fn every_bin_lies_on_the_layout_of_its_histogram() {
    let population = population();
    for n in 0..60 {
        let body = parsed(&population.ping(n, noon()));
        for (name, histogram) in histograms(&body) {
            check_histogram(&name, histogram);
        }
    }
}

#[test]
fn the_json_is_compact_and_no_object_has_a_key_twice() {
    let population = population();
    for n in 0..200 {
        let ping = population.ping(n, noon());
        let again = serde_json::to_vec(&parsed(&ping)).expect("JSON");
        assert_eq!(again.len(), ping.body.len(), "ping {n}");
    }
}

#[test]
fn body_and_address_agree() {
    let population = population();
    for n in 0..100 {
        let ping = population.ping(n, noon());
        let submission = Submission::parse(&ping.uri).expect("a submission");
        let body = parsed(&ping);
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let application = &body["application"];
        assert_eq!(submission.document_id, ping.document_id);
        assert_eq!(text(&body["id"]), Some(ping.document_id));
        assert_eq!(text(&body["clientId"]), Some(ping.client_id));
        assert_eq!(submission.document_type.as_deref(), Some("main"));
        assert_eq!(submission.app_name, text(&application["name"]));
        assert_eq!(submission.app_version, text(&application["version"]));
        assert_eq!(submission.app_update_channel, text(&application["channel"]));
        assert_eq!(submission.app_build_id, text(&application["buildId"]));
    }
}

#[test]
fn a_repeat_has_the_id_and_the_body_of_its_original() {
    let population = population();
    let repeats: Vec<u64> = (0..4_000).filter(|n| population.original(*n) != *n).collect();
    assert!((30..90).contains(&repeats.len()), "{} of 4,000", repeats.len());
    for n in repeats {
        let (first, again) = (
            population.ping(population.original(n), noon()),
            population.ping(n, date("20170502").start()),
        );
        assert!(population.original(n) < n);
        assert_eq!((&first.uri, &first.body), (&again.uri, &again.body));
        assert_ne!(first.submission_date, again.submission_date);
    }
}

#[test]
fn a_few_pings_have_the_old_order_and_children() {
    let population = population();
    let (mut old, mut children) = (0, 0);
    for n in 0..1_000 {
        let text = String::from_utf8(population.ping(n, noon()).body).expect("UTF-8");
        let payload = text.find("\"payload\":").expect("a payload");
        let environment = text.find("\"environment\":").expect("an environment");
        let name = text.find("\"GC_MS\":{\"").expect("GC_MS");
        let is_old = environment < payload;
        let first = if is_old { "bucket_count" } else { "range" };
        assert!(
            text[name + "\"GC_MS\":{\"".len()..].starts_with(first),
            "ping {n}"
        );
        old += u32::from(is_old);
        children += u32::from(text.contains("\"childPayloads\""));
    }
    assert!(
        (15..60).contains(&old) && (1..old).contains(&children),
        "{old}, {children}"
    );
}

/// The mean of GC_MS per sample over pings of one channel, by the day of the build.
fn means_by_build(channel: &str) -> BTreeMap<String, f64> {
    let population = population();
    let mut totals: BTreeMap<String, (f64, f64)> = BTreeMap::new();
    for n in 0..6_000 {
        let ping = population.ping(n, noon());
        if !ping.uri.contains(&format!("/{channel}/")) {
            continue;
        }
        let body = parsed(&ping);
        let day = body["application"]["buildId"].as_str().expect("a build")[..8].to_owned();
        let histogram = &body["payload"]["histograms"]["GC_MS"];
        let samples: u64 = members(&histogram["values"])
            .filter_map(|(_, count)| count.as_u64())
            .sum();
        let total = totals.entry(day).or_default();
        total.0 += histogram["sum"].as_f64().expect("a sum");
        total.1 += samples as f64;
    }
    totals
        .into_iter()
        .map(|(day, (sum, samples))| (day, sum / samples))
        .collect()
}

#[test]
fn a_regression_of_gc_ms_lands_in_nightly_and_is_fixed() {
    let means: Vec<f64> = means_by_build("nightly").into_values().collect();
    println!("mean GC_MS by build: {means:.0?}");
    assert_eq!(means.len(), BUILDS);
    let mean = |builds: &[f64]| builds.iter().sum::<f64>() / builds.len() as f64;
    assert!(mean(&means[6..12]) > 1.4 * mean(&means[..6]), "{means:?}");
    assert!(mean(&means[6..12]) > 1.4 * mean(&means[12..]), "{means:?}");
}

#[test]
fn some_pings_come_late() {
    let population = population();
    let late = (0..2_000).filter(|n| {
        let body = parsed(&population.ping(*n, noon()));
        let build = date(&body["application"]["buildId"].as_str().expect("a build")[..8]);
        let made = date(&body["creationDate"].as_str().expect("a date")[..10].replace('-', ""));
        build.plus_days(3) < made
    });
    let late = late.count();
    assert!((30..110).contains(&late), "{late} of 2,000");
}

#[test]
fn the_ledger_counts_a_document_once_and_a_client_on_every_day() {
    let population = population();
    let (first, second) = (population.ping(0, noon()), population.ping(1, noon()));
    let later = population.ping(0, date("20170426").start());
    let mut once = Truth::default();
    once.add(&first);
    once.add(&second);
    let mut twice = once.clone();
    twice.add(&later);
    assert_eq!(twice.sums(), once.sums());
    assert_eq!(
        (twice.sent(), twice.documents(), twice.clients_altogether()),
        (3, 2, 2)
    );
    let clients = twice.clients();
    assert_eq!(clients[&date("20170424")], 2);
    assert_eq!(clients[&date("20170426")], 1);
}

#[test]
fn the_ledger_adds_what_the_text_says() {
    let population = population();
    let mut truth = Truth::default();
    let (mut gc_sum, mut gc_count) = (0_u128, 0);
    for n in (0..200).filter(|n| population.original(*n) == *n) {
        let ping = population.ping(n, noon());
        truth.add(&ping);
        let text = String::from_utf8(ping.body).expect("UTF-8");
        let parent = &text[text
            .find("\"histograms\":{\"GC_MS\":")
            .expect("the payload's first")..];
        // An old ping has its children's histograms first.
        let old =
            text.contains("\"environment\":{") && text.find("\"environment\"") < text.find("\"payload\"");
        let parent = if old {
            &text[text
                .rfind("\"histograms\":{\"GC_MS\":")
                .expect("the payload's last")..]
        } else {
            parent
        };
        let sum = &parent[parent.find("\"sum\":").expect("a sum") + 6..];
        let digits: String = sum.chars().take_while(char::is_ascii_digit).collect();
        gc_sum += digits.parse::<u128>().expect("a number");
        gc_count += 1;
    }
    let gc = truth.histogram_sums()[&("GC_MS".to_owned(), "parent".to_owned())];
    assert_eq!((gc.sum, gc.count), (gc_sum, gc_count));
    let counted = truth
        .sums()
        .keys()
        .any(|key| key.metric == "[[COUNT]]_CONTENT_DOCUMENTS_DESTROYED");
    assert!(counted);
    assert!(truth.sums().keys().any(|key| key.process == "gpu"));
    assert!(truth.sums().keys().any(|key| key.process == "extension"));
    assert!(
        !truth
            .sums()
            .keys()
            .any(|key| key.metric == "CONTENT_DOCUMENTS_DESTROYED")
    );
}

#[test]
fn gzip_can_be_undone() {
    use std::io::Read;
    let body = population().ping(5, noon()).body;
    let mut inflated = Vec::new();
    let packed = gzip(&body, 6);
    flate2::read::GzDecoder::new(&packed[..])
        .read_to_end(&mut inflated)
        .expect("gzip");
    assert_eq!(inflated, body);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_seed_and_a_number_give_one_ping(seed: u64, n in 0..u64::MAX, micros in 0..4_000_000_000_000_000_i64) {
        let received = Timestamp::from_micros(micros);
        let first = Population::new(seed, Options::default()).ping(n, received);
        let again = Population::new(seed, Options::default()).ping(n, received);
        prop_assert_eq!(&first, &again);
        let later = Population::new(seed, Options::default()).ping(n, noon());
        prop_assert_eq!((&first.uri, &first.body), (&later.uri, &later.body));
        let other = Population::new(seed ^ 1, Options::default()).ping(n, received);
        prop_assert_ne!(first.document_id, other.document_id);
    }
}
