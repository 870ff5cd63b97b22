//! Generated and mutated pings.

use proptest::prelude::*;

use super::dice::{Dice, ping};
use super::{day, fold, oracle};
use crate::fold::Folder;
use crate::fold::oracle::Totals;

/// Changes a few bytes, as a broken client or disk would.
fn mutate(dice: &mut Dice, text: &str) -> Vec<u8> {
    let mut bytes = text.as_bytes().to_vec();
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
        prop_assert_eq!(fold(&[(body.as_bytes(), 1)]), oracle(body.as_bytes()), "{}", body);
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
            if let Ok(totals) = oracle(body.as_bytes()) {
                expected.add(&totals, sign.into());
                pings.push((body, sign));
            }
        }
        let mut signed: Vec<(&[u8], i64)> = pings.iter().map(|(body, sign)| (body.as_bytes(), *sign)).collect();
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
    folder.read(good.as_bytes(), day()).expect("a good ping");
    folder.add();
    assert_eq!(
        Totals::of(&folder.take()).cells,
        oracle(good.as_bytes()).expect("a good ping").cells
    );
    assert!(folder.take().cells.is_empty());
}

#[test]
fn every_client_with_an_id_is_a_user_of_its_day() {
    let mut folder = Folder::new();
    for body in [
        r#"{"clientId":"é","application":{"name":"A"}}"#,
        r#"{"clientId":"é","application":{"name":"A"}}"#,
        r#"{"clientId":"z","application":{"name":"A","version":"5.1"}}"#,
        r#"{"clientId":""}"#,
        r#"{"clientId":7}"#,
    ] {
        folder.read(body.as_bytes(), day()).expect("a ping");
        folder.note_user();
    }
    let mut users = folder.take().users;
    users.sort_by(|a, b| a.0.cmp(&b.0));
    let groups: Vec<_> = users
        .iter()
        .map(|(group, users)| (group.version.as_str(), users.estimate().round()))
        .collect();
    assert_eq!(groups, [("5", 1.0), ("UNKNOWN", 1.0)]);
}
