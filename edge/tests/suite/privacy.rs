//! What a declaration has taken out of pings is in no chunk, and a chunk that is gathered again is the planned one, whatever is
//! declared by then.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use disk::{Moment, SimulatedDisk};
use edge::{Edge, EdgeLimits, ImportedPing, Privacy, PrivacyError, PrivacyFolder};
use ping::{ClientId, DimensionSchema, Incarnation, Timestamp};
use readers::declaration::Declaration;
use readers::privacy::{ClientSecret, Declared, Fingerprint};
use store::{Odds, Store, UnreliableStore};

use crate::support::*;

const CLIENT: &str = "5f3a1c2e-0000-4000-8000-00000000000b";

fn secret(byte: u8) -> ClientSecret {
    ClientSecret::from_bytes([byte; 32])
}

/// A declaration of printers that says this of their users.
fn declared(privacy: &str) -> Declared {
    let text = format!(
        "$highwater: product/1\nsources: [inkpress/printer, inkpress/pages]\nclient_id: {{ path: /id }}\n{privacy}\nby_source: {{ inkpress/pages: {{ drop: [] }} }}\n"
    );
    Declared::of(&[Declaration::read(&text).expect("a declaration")])
}

fn begin(
    disk: &SimulatedDisk,
    declared: &Declared,
    secret: Option<ClientSecret>,
    replaces: Option<Fingerprint>,
) -> Result<Privacy, PrivacyError> {
    let folder = PrivacyFolder::open(disk.shared(), Path::new("/privacy"))?;
    let rules = folder.after(declared);
    folder.begin(rules, secret, replaces)
}

fn limits() -> EdgeLimits {
    EdgeLimits {
        inflated_bytes: 1_000,
        ..crate::support::limits()
    }
}

async fn open_with(disk: &SimulatedDisk, store: &Arc<dyn Store>, privacy: Privacy) -> Running {
    let clock = service::clock::HandClock::at_micros(NOON_US);
    let options = options(limits());
    open_by(disk.shared(), Arc::clone(store), clock, options, privacy)
        .await
        .expect("opens")
}

fn printer(number: u64) -> String {
    format!("/submit/inkpress/printer/1/00000000-0000-4000-8000-{number:012}")
}

async fn submit_to(edge: &Edge, uri: &str, body: &str) {
    submit_with(edge, uri, &[], body.as_bytes()).await.expect("taken");
}

/// Body and client hash of each ping, by the number at the end of its URI.
async fn stored(store: &dyn Store) -> Vec<(u64, String, Option<String>)> {
    let mut stored: Vec<_> = records(store)
        .await
        .into_values()
        .map(|found| {
            let number = found.uri[found.uri.len() - 12..].parse().expect("a number");
            let body = String::from_utf8(found.body).expect("UTF-8");
            (number, body, found.client_hash.map(|hash| hash.to_hex()))
        })
        .collect();
    stored.sort();
    stored
}

/// No store that answers.
fn away(inner: &Arc<dyn Store>) -> Arc<dyn Store> {
    let odds = Odds {
        refused: 1.0,
        ..Odds::default()
    };
    Arc::new(UnreliableStore::new(Arc::clone(inner), 1, odds))
}

#[test]
fn what_is_taken_out_is_in_no_chunk_and_a_hash_stands_for_the_client() {
    run(async {
        let (disk, store) = (SimulatedDisk::new(), memory());
        let rules = declared("drop: [/id, \"/sites/*/name\"]");
        let privacy = begin(&disk, &rules, Some(secret(7)), None).expect("in force");
        let running = open_with(&disk, &store, privacy).await;
        let edge = &running.edge;
        let body = format!(r#"{{"n": 1, "id": "{CLIENT}", "sites": [{{"name": "Oslo", "pages": 3}}]}}"#);
        submit_to(edge, &printer(1), &body).await;
        // What nothing can be taken out of is not stored, nor is what cannot be inflated, or is too large.
        submit_to(edge, &printer(2), &body[..body.len() - 1]).await;
        let gzip = [("content-encoding", "gzip")];
        submit_with(edge, &printer(3), &gzip, format!("x{body}").as_bytes())
            .await
            .expect("taken");
        submit_to(
            edge,
            &printer(4),
            &format!(r#"{{"id": "{CLIENT}", "x": "{}"}}"#, "x".repeat(1_000)),
        )
        .await;
        submit_to(edge, &printer(5), r#"{"id": "me"}"#).await;
        submit_to(
            edge,
            &format!("{}?x={CLIENT}", printer(6).replace("inkpress", "%69nkpress")),
            &body,
        )
        .await;
        // Others of the product, and others at all, stay as they are.
        submit_to(edge, &printer(7).replace("printer", "pages"), &body).await;
        submit_to(edge, &uri(8, "release"), &body).await;
        edge.wait_until_sealed().await;
        let hash = secret(7).hasher().hash(&ClientId::parse(CLIENT).expect("an id"));
        let mut found = Vec::new();
        for record in records(store.as_ref()).await.into_values() {
            let is_ours = record.uri.contains("/printer/") || record.uri.contains("%69nk");
            let text = String::from_utf8(record.body).expect("UTF-8");
            assert!(
                !is_ours || !(text.contains(CLIENT) || text.contains("Oslo")),
                "{text}"
            );
            found.push((record.uri, text, record.client_hash, record.error));
        }
        assert_eq!(found.len(), 8);
        let find = |part: &str| {
            let mut these = found.iter().filter(|(uri, ..)| uri.contains(part));
            let (_, body, hash, error) = these.next().expect(part);
            (body.as_str(), *hash, error.is_some())
        };
        let stays = r#"{"n": 1, "sites": [{"pages": 3}]}"#;
        assert_eq!(find(&printer(1)), (stays, Some(hash), false));
        assert_eq!(find(&printer(2)), ("", None, false));
        assert_eq!(find(&printer(3)), ("", None, true));
        assert_eq!(find(&printer(4)), ("", None, true));
        assert_eq!(find(&printer(5)), ("{}", None, false));
        assert_eq!(find("%69nkpress"), (stays, Some(hash), false));
        assert_eq!(find("/pages/"), (body.as_str(), None, false));
        assert_eq!(find("/main/"), (body.as_str(), None, false));
        running.edge.shutdown(false).await;
    });
}

#[test]
fn a_hash_that_an_imported_ping_bears_stays_unless_nothing_is_to_lead_to_a_client() {
    for (privacy, stays) in [
        ("drop: [/id]", true),
        ("clients: daily", true),
        ("drop: [/id]\nclients: none", false),
    ] {
        run(async {
            let (disk, store) = (SimulatedDisk::new(), memory());
            let rules = begin(&disk, &declared(privacy), Some(secret(7)), None).expect("in force");
            let running = open_with(&disk, &store, rules).await;
            let hash = secret(9).hasher().hash(&ClientId::parse(CLIENT).expect("an id"));
            let line = |line: u64, body: &str| ImportedPing {
                line,
                received: Timestamp::from_micros(NOON_US),
                uri: printer(line).into(),
                headers: Vec::new(),
                client_hash: Some(hash),
                body: Bytes::copy_from_slice(body.as_bytes()),
            };
            let file = Incarnation::from_bytes([3; 16]);
            // One that can be read, and one that cannot.
            let added = running.edge.import(file, vec![line(1, "{}"), line(2, "{")]).await;
            assert_eq!(added.expect("taken"), 2);
            running.edge.wait_until_sealed().await;
            let hash = stays.then(|| hash.to_hex());
            let expected = [(1, "{}".to_owned(), hash.clone()), (2, String::new(), hash)];
            assert_eq!(stored(store.as_ref()).await, expected, "{privacy}");
            running.edge.shutdown(false).await;
        });
    }
}

#[test]
fn a_chunk_that_is_gathered_again_after_a_crash_is_the_planned_one_whatever_is_declared_by_then() {
    for (before, after) in [
        ("drop: [/id]", "drop: [/n]"),
        ("drop: [/id]", "clients: daily"),
        ("clients: daily", "drop: [/id, /n]"),
        ("drop: [/n]", ""),
        ("", "drop: [/n, /id]"),
    ] {
        run_measured(async |metrics| {
            let (disk, inner) = (SimulatedDisk::new(), memory());
            let rules = |disk: &SimulatedDisk, text: &str| {
                begin(disk, &declared(text), Some(secret(7)), None).expect("in force")
            };
            let running = open_with(&disk, &away(&inner), rules(&disk, before)).await;
            let body = format!(r#"{{"n": 1, "id": "{CLIENT}"}}"#);
            submit_to(&running.edge, &printer(1), &body).await;
            running.edge.seal_all();
            // The plan is logged, and the store does not take the chunk.
            let sealed = running.edge.wait_until_sealed();
            assert!(
                tokio::time::timeout(Duration::from_millis(100), sealed)
                    .await
                    .is_err()
            );
            submit_to(&running.edge, &printer(2), &body).await;
            let disk = disk.crash(1);
            let running = open_with(&disk, &inner, rules(&disk, after)).await;
            submit_to(&running.edge, &printer(3), &body).await;
            running.edge.wait_until_sealed().await;
            let client = ClientId::parse(CLIENT).expect("an id");
            let always = secret(7).hasher().hash(&client).to_hex();
            let of_the_day = secret(7)
                .hasher_of("20261123".parse().expect("a day"))
                .hash(&client)
                .to_hex();
            let by = |rules: &str| match rules {
                "drop: [/id]" => (r#"{"n": 1}"#.to_owned(), Some(always.clone())),
                "clients: daily" => (r#"{"n": 1}"#.to_owned(), Some(of_the_day.clone())),
                "drop: [/n]" => (format!(r#"{{"id": "{CLIENT}"}}"#), None),
                "" => (body.clone(), None),
                _ => ("{}".to_owned(), Some(always.clone())),
            };
            let expected = [(1, by(before)), (2, by(after)), (3, by(after))];
            let expected = expected.map(|(number, (body, hash))| (number, body, hash));
            assert_eq!(stored(inner.as_ref()).await, expected, "{before}, then {after}");
            assert_eq!(figure(&metrics, "highwater_edge_plans_unequal_total"), Some(0.0));
            running.edge.shutdown(false).await;
        });
    }
}

#[test]
fn a_client_is_hashed_by_the_key_of_the_day_on_which_its_ping_came_whenever_that_is_sealed() {
    run(async {
        let (disk, store) = (SimulatedDisk::new(), memory());
        let rules = |disk: &SimulatedDisk| {
            begin(disk, &declared("clients: daily"), Some(secret(7)), None).expect("in force")
        };
        let open = async |disk: &SimulatedDisk, store: Arc<dyn Store>, now_us: i64| {
            let clock = service::clock::HandClock::at_micros(now_us);
            let opened = open_by(
                disk.shared(),
                store,
                clock.clone(),
                options(limits()),
                rules(disk),
            );
            (opened.await.expect("opens"), clock)
        };
        let day_us = 24 * 3_600_000_000;
        let last_of_the_day = NOON_US + day_us / 2 - 1;
        let body = format!(r#"{{"id": "{CLIENT}"}}"#);
        let (running, clock) = open(&disk, away(&store), last_of_the_day).await;
        submit_to(&running.edge, &printer(1), &body).await;
        clock.advance(Duration::from_micros(1));
        submit_to(&running.edge, &printer(2), &body).await;
        clock.advance(Duration::from_secs(24 * 3_600));
        submit_to(&running.edge, &printer(3), &body).await;
        let disk = disk.crash(1);
        let (running, _) = open(&disk, Arc::clone(&store), NOON_US + 5 * day_us).await;
        submit_to(&running.edge, &printer(4), &body).await;
        running.edge.wait_until_sealed().await;
        let client = ClientId::parse(CLIENT).expect("an id");
        let expected = [(1, "20261123"), (2, "20261124"), (3, "20261125"), (4, "20261128")];
        let expected = expected.map(|(number, day)| {
            let hash = secret(7).hasher_of(day.parse().expect("a day")).hash(&client);
            (number, "{}".to_owned(), Some(hash.to_hex()))
        });
        assert_eq!(stored(store.as_ref()).await, expected);
        running.edge.shutdown(false).await;
    });
}

#[test]
fn rules_are_kept_before_a_plan_can_name_them_whenever_the_power_goes() {
    let drops = declared("drop: [/n]");
    let count = {
        let disk = SimulatedDisk::new();
        begin(&disk, &drops, None, None).expect("in force");
        disk.operations()
    };
    for operation in 0..=count {
        for moment in [Moment::Before, Moment::After] {
            let disk = SimulatedDisk::new();
            disk.fail_at(operation, moment);
            let begun = begin(&disk, &drops, None, None).is_ok();
            for seed in 0..4 {
                let disk = disk.crash(seed);
                // Nothing is declared now: what was begun is in force.
                let folder = PrivacyFolder::open(disk.shared(), Path::new("/privacy")).expect("read");
                let is_there = !folder.after(&Declared::default()).is_empty();
                assert!(
                    is_there || !begun,
                    "operation {operation}, {moment:?}, seed {seed}"
                );
                begin(&disk, &drops, None, None).expect("in force in the end");
            }
        }
    }
}

#[test]
fn rules_that_a_killed_process_left_stay_once_the_next_one_goes_by_them() {
    let drops = declared("drop: [/n]");
    let count = {
        let disk = SimulatedDisk::new();
        begin(&disk, &drops, None, None).expect("in force");
        disk.operations()
    };
    for operation in 1..=count {
        let disk = SimulatedDisk::new();
        disk.fail_at(operation, Moment::Before);
        drop(begin(&disk, &drops, None, None));
        // What was not synced is still there, as long as the power is.
        let disk = disk.kill();
        begin(&disk, &drops, None, None).expect("in force");
        for seed in 0..8 {
            let folder = PrivacyFolder::open(disk.crash(seed).shared(), Path::new("/privacy")).expect("read");
            let is_there = !folder.after(&Declared::default()).is_empty();
            assert!(is_there, "killed before operation {operation}, seed {seed}");
        }
    }
}

#[test]
fn a_set_that_a_plan_names_and_that_is_gone_stops_the_start_until_another_one_is_in_its_place() {
    run(async {
        let (disk, inner) = (SimulatedDisk::new(), memory());
        let rules =
            |disk: &SimulatedDisk, text: &str| begin(disk, &declared(text), None, None).expect("in force");
        drop(rules(&disk, "drop: [/m]"));
        let running = open_with(&disk, &away(&inner), rules(&disk, "drop: [/n]")).await;
        submit_to(&running.edge, &printer(1), r#"{"n": 1, "m": 2}"#).await;
        running.edge.seal_all();
        let sealed = running.edge.wait_until_sealed();
        assert!(
            tokio::time::timeout(Duration::from_millis(100), sealed)
                .await
                .is_err()
        );
        let disk = disk.crash(1);
        let (first, second) = (
            Path::new("/privacy/000001.json"),
            Path::new("/privacy/000002.json"),
        );
        disk.remove_all(second).expect("removed");
        let clock = service::clock::HandClock::at_micros(NOON_US);
        let privacy = rules(&disk, "drop: [/m]");
        let opened = open_by(
            disk.shared(),
            Arc::clone(&inner),
            clock,
            options(limits()),
            privacy,
        )
        .await;
        let words = opened.err().expect("it does not start").to_string();
        assert!(
            words.contains("/privacy/000002.json")
                && words.contains("copy the newest file beside it under this name"),
            "{words}"
        );
        // As the message says.
        disk.shared().rename(first, second).expect("renamed");
        let running = open_with(&disk, &inner, rules(&disk, "drop: [/m]")).await;
        running.edge.wait_until_sealed().await;
        assert_eq!(
            stored(inner.as_ref()).await,
            [(1, r#"{"n": 1}"#.to_owned(), None)]
        );
        running.edge.shutdown(false).await;
    });
}

#[test]
fn a_plan_of_a_secret_that_was_replaced_becomes_a_chunk_by_the_rules_of_now() {
    run(async {
        let (disk, inner) = (SimulatedDisk::new(), memory());
        let rules = declared("drop: [/id]");
        let privacy = begin(&disk, &rules, Some(secret(7)), None).expect("in force");
        let running = open_with(&disk, &away(&inner), privacy).await;
        submit_to(&running.edge, &printer(1), &format!(r#"{{"id": "{CLIENT}"}}"#)).await;
        running.edge.seal_all();
        let sealed = running.edge.wait_until_sealed();
        assert!(
            tokio::time::timeout(Duration::from_millis(100), sealed)
                .await
                .is_err()
        );
        let disk = disk.crash(1);
        let known = secret(7).fingerprint();
        for (given, replaces) in [
            (None, None),
            (None, Some(known)),
            (Some(8), None),
            (Some(8), Some(secret(8).fingerprint())),
        ] {
            let error = begin(&disk, &rules, given.map(secret), replaces).expect_err("another secret");
            let words = error.to_string();
            assert!(
                words.contains(&format!("--client-secret-replaces {known}")),
                "{words}"
            );
        }
        let privacy = begin(&disk, &rules, Some(secret(8)), Some(known)).expect("replaced");
        let running = open_with(&disk, &inner, privacy).await;
        running.edge.wait_until_sealed().await;
        let hash = secret(8).hasher().hash(&ClientId::parse(CLIENT).expect("an id"));
        assert_eq!(
            stored(inner.as_ref()).await,
            [(1, "{}".to_owned(), Some(hash.to_hex()))]
        );
        running.edge.shutdown(false).await;
    });
}

#[test]
fn rules_that_cannot_be_had_stop_the_start_with_what_to_do() {
    let disk = SimulatedDisk::new();
    let error = begin(&disk, &declared("drop: [/id]"), None, None).expect_err("no secret");
    assert!(matches!(error, PrivacyError::NoSecret), "{error}");
    begin(&disk, &declared("drop: [/n]"), None, None).expect("in force");
    begin(&disk, &declared("drop: [/m]"), None, None).expect("in force");
    let damaged = disk
        .shared()
        .open(Path::new("/privacy/000002.json"))
        .expect("the second set");
    damaged.write_all_at(b"[", 0).expect("written");
    let error = begin(&disk, &Declared::default(), None, None)
        .expect_err("damaged")
        .to_string();
    assert!(
        error.contains("/privacy/000002.json") && error.contains("from a backup"),
        "{error}"
    );
}

#[test]
fn rules_that_come_while_pings_wait_hold_for_all_that_is_in_no_plan_yet() {
    run(async {
        for (was, is) in [
            ("", "drop: [/m]"),
            ("drop: [/n]", "drop: [/m]"),
            ("drop: [/m]", ""),
        ] {
            let (disk, store) = (SimulatedDisk::new(), memory());
            let begun =
                |rules: &str| begin(&disk, &declared(rules), Some(secret(7)), None).expect("in force");
            let running = open_with(&disk, &store, begun(was)).await;
            let edge = &running.edge;
            let body = r#"{"m": 1, "n": 2, "o": 3}"#;
            submit_to(edge, &printer(1), body).await;
            edge.wait_until_sealed().await;
            submit_to(edge, &printer(2), body).await;
            // A seal takes it, gathers it by the rules of before, and cannot log its plan.
            disk.fail_syncs(|_, _| true);
            edge.seal_all();
            for _ in 0..1_000 {
                tokio::task::yield_now().await;
            }
            assert_eq!(edge.status().seals, 1, "{was}");
            let privacy = begun_later(&disk, is);
            edge.take_up(privacy, DimensionSchema::default()).await;
            disk.heal();
            edge.wait_until_sealed().await;
            submit_to(edge, &printer(3), body).await;
            edge.wait_until_sealed().await;
            let without = |rules: &str| match rules {
                "drop: [/m]" => r#"{"n": 2, "o": 3}"#,
                "drop: [/n]" => r#"{"m": 1, "o": 3}"#,
                _ => body,
            };
            let expected = [(1, was), (2, is), (3, is)];
            let expected = expected.map(|(number, rules)| (number, without(rules).to_owned(), None));
            assert_eq!(stored(store.as_ref()).await, expected, "{was} to {is}");
            edge.shutdown(false).await;
        }
    });
}

/// Rules that come into force while the log cannot be written, and their own folder can.
fn begun_later(disk: &SimulatedDisk, rules: &str) -> Privacy {
    disk.fail_syncs(|path, _| path.starts_with("/log"));
    begin(disk, &declared(rules), Some(secret(7)), None).expect("in force")
}
