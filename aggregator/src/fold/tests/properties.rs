//! Generated and mutated pings.

use proptest::prelude::*;

use super::dice::{Dice, ping};
use super::{day, fold, oracle};
use crate::fold::Folder;
use crate::fold::oracle::Totals;

/// Changes a few bytes, as a broken client or disk would.
fn mutate(dice: &mut Dice, body: &[u8]) -> Vec<u8> {
    let mut bytes = body.to_vec();
    for _ in 0..=dice.below(3) {
        let at = dice.below(bytes.len().max(1)).min(bytes.len().saturating_sub(1));
        match dice.below(4) {
            0 => {
                bytes.remove(at);
            }
            1 => bytes.insert(at, b"{}[]\":,0-.e\\ntu \xff"[dice.below(17)]),
            2 => bytes[at] = b"{}[]\":,019-.E\\ "[dice.below(15)],
            _ => bytes.truncate(at + 1),
        }
    }
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn a_ping_adds_what_the_oracle_says(seed: u64) {
        let body = ping(&mut Dice::new(seed));
        let text = String::from_utf8_lossy(&body);
        prop_assert_eq!(fold(&[(&body, 1)]), oracle(&body), "{}", text);
    }

    #[test]
    fn a_broken_ping_ends_as_the_oracle_says(seed: u64) {
        let mut dice = Dice::new(seed);
        let body = ping(&mut dice);
        let body = mutate(&mut dice, &body);
        let text = String::from_utf8_lossy(&body);
        prop_assert_eq!(fold(&[(&body, 1)]), oracle(&body), "{}", text);
    }

    #[test]
    fn any_bytes_end_as_the_oracle_says(body: Vec<u8>) {
        prop_assert_eq!(fold(&[(&body, 1)]), oracle(&body));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn pings_of_one_batch_add_up_and_cancel(seed: u64, count in 1..12_usize) {
        let mut dice = Dice::new(seed);
        let mut pings = Vec::new();
        let mut expected = Totals::default();
        for _ in 0..count {
            let body = ping(&mut dice);
            let sign = if dice.below(3) == 0 { -1 } else { 1 };
            if let Ok(totals) = oracle(&body) {
                expected.add(&totals, sign.into());
                pings.push((body, sign));
            }
        }
        let mut signed: Vec<(&[u8], i64)> = pings.iter().map(|(body, sign)| (body.as_slice(), *sign)).collect();
        prop_assert_eq!(fold(&signed), Ok(expected));
        let back: Vec<_> = signed.iter().map(|(body, sign)| (*body, -sign)).collect();
        signed.extend(back);
        prop_assert_eq!(fold(&signed), Ok(Totals::default()));
    }
}

#[test]
fn an_errored_ping_leaves_nothing_behind() {
    let good = ping(&mut Dice::new(4));
    let mut folder = Folder::new();
    assert!(
        folder
            .read(b"{\"payload\":{\"histograms\":{\"A\":1", day())
            .is_err()
    );
    folder.read(&good, day()).expect("a good ping");
    folder.add();
    assert_eq!(
        Totals::of(&folder.take()).cells,
        oracle(&good).expect("a good ping").cells
    );
    assert!(folder.take().cells.is_empty());
}

/// The estimated users of pings with these client ids, one ping each, and the refused parts.
fn users_of(clients: &[&str]) -> (u64, std::collections::BTreeMap<String, i64>) {
    let mut folder = Folder::new();
    for client in clients {
        let body = format!("{{\"clientId\":{client},\"application\":{{\"name\":\"A\"}}}}");
        folder.read(body.as_bytes(), day()).expect("a ping");
        folder.add();
        folder.note_user();
    }
    let batch = folder.take();
    let users: f64 = batch
        .users
        .iter()
        .map(|(_, users)| users.estimate().round())
        .sum();
    (users as u64, batch.refused_by_reason)
}

#[test]
fn every_client_is_one_user_of_its_day_whatever_the_case_of_its_id() {
    let (users, refused) = users_of(&[
        "\"abcdef01-0000-4000-8000-00000000000b\"",
        "\"ABCDEF01-0000-4000-8000-00000000000B\"",
        "\"aBcDeF01-0000-4000-8000-00000000000b\"",
        "\"abcdef01-0000-4000-8000-00000000000c\"",
    ]);
    assert_eq!((users, refused.len()), (2, 0));
}

#[test]
fn placeholders_and_what_is_no_id_are_no_users_and_counted_apart() {
    let (users, refused) = users_of(&[
        "\"c0ffeec0-ffee-c0ff-eec0-ffeec0ffeec0\"",
        "\"C0FFEEC0-FFEE-C0FF-EEC0-FFEEC0FFEEC0\"",
        "\"00000000-0000-0000-0000-000000000000\"",
        "\"\"",
        "\"me\"",
        "\"é\"",
        "\"abcdef0100004000800000000000000b\"",
        "7",
        "{}",
        "null",
    ]);
    let counted = [("client_id_not_an_id", 6), ("client_id_placeholder", 3)];
    let counted = counted.map(|(reason, parts)| (reason.to_owned(), parts));
    assert_eq!((users, refused), (0, counted.into()));
}

#[test]
fn users_of_several_versions_are_grouped_by_it() {
    let mut folder = Folder::new();
    for (client, version) in [("b", "5.1"), ("c", "5.2"), ("c", "6")] {
        let body = format!(
            "{{\"clientId\":\"abcdef01-0000-4000-8000-00000000000{client}\",\"application\":{{\"version\":\"{version}\"}}}}"
        );
        folder.read(body.as_bytes(), day()).expect("a ping");
        folder.note_user();
    }
    let mut users = folder.take().users;
    users.sort_by(|a, b| a.0.cmp(&b.0));
    let groups: Vec<_> = users
        .iter()
        .map(|(group, users)| (group.value("version"), users.estimate().round()))
        .collect();
    assert_eq!(groups, [("5", 2.0), ("6", 1.0)]);
}
