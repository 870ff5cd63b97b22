//! Values that PostgreSQL's texts cannot hold, which a client may send all the same.

use index_schema::conformance::Dice;
use index_schema::{ChunkKey, Condition, Index, IndexEntry, Selection};
use ping::Dimension;

use super::test_database::TestDatabase;

fn with_version(entry: &IndexEntry, version: &str) -> IndexEntry {
    let mut entry = entry.clone();
    entry.partition.set(Dimension::AppVersion, version);
    let key = ChunkKey::parse(&entry.key).expect("a key");
    entry.key = ChunkKey {
        partition: entry.partition.clone(),
        ..key
    }
    .to_string();
    entry
}

#[tokio::test]
async fn a_value_with_a_nul_in_it_is_indexed_found_and_given_back_as_it_was() {
    let Some(place) = TestDatabase::new() else { return };
    let index = place.index().await;
    let versions = ["54\0", "\0", "54.0", "54\u{1}", "OTHER", "54\0.1", "5", "54"];
    let entries: Vec<_> = Dice::new(1)
        .entries(8)
        .iter()
        .zip(versions)
        .map(|(entry, version)| with_version(entry, version))
        .collect();
    assert_eq!(index.insert(&entries).await.expect("inserted").added, 8);
    let mut sorted = entries.clone();
    sorted.sort_by(|one, next| one.key.cmp(&next.key));
    for entry in &entries {
        assert_eq!(
            index.entry(entry.id).await.expect("an answer").as_ref(),
            Some(entry)
        );
    }
    let text = |text: &str| Some(text.to_owned());
    let conditions = [
        Condition::OneOf(vec!["54\0".to_owned()]),
        Condition::OneOf(vec!["54".to_owned(), "\0".to_owned()]),
        Condition::Versions(vec!["54\0".to_owned()]),
        Condition::Range {
            from: text("54\0"),
            to: text("54\0"),
        },
        Condition::Range {
            from: text("54\0\0"),
            to: text("54\u{1}"),
        },
        Condition::Range {
            from: text("5\0"),
            to: text("54\0zz"),
        },
        Condition::Range {
            from: None,
            to: text("\0"),
        },
    ];
    for condition in conditions {
        let selection = Selection {
            conditions: vec![(Dimension::AppVersion, condition)],
            ..Selection::default()
        };
        let expected: Vec<_> = sorted
            .iter()
            .filter(|entry| selection.can_match(entry))
            .cloned()
            .collect();
        let found = index.select(&selection, None, 99).await.expect("selected");
        assert_eq!(found, expected, "{selection:?}");
    }
}

#[tokio::test]
async fn keys_and_reasons_with_a_nul_in_them_are_kept_without_it() {
    let Some(place) = TestDatabase::new() else { return };
    let index = place.index().await;
    assert!(
        index
            .note_unreadable("pings/a\0b", "cut\0off")
            .await
            .expect("noted")
    );
    assert!(
        !index
            .note_unreadable("pings/a\0b", "cut\0off")
            .await
            .expect("noted")
    );
    let aside = index.set_aside().await.expect("answered");
    assert_eq!(
        (aside[0].key.as_str(), aside[0].reason.as_str()),
        ("pings/a\u{fffd}b", "cut\u{fffd}off")
    );
    assert_eq!(
        index
            .contains(&["pings/a\0b".to_owned()])
            .await
            .expect("answered"),
        [false]
    );
    assert_eq!(
        index
            .clear_gone(&["pings/a\0b".to_owned()])
            .await
            .expect("cleared"),
        1
    );
}
