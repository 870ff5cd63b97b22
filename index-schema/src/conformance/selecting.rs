//! What a selection finds, against the slow way: asking every entry.

use super::{Database, Dice};
use crate::{Condition, Index, IndexEntry, Selection};

/// All that a selection finds, page by page.
async fn select_all(index: &dyn Index, selection: &Selection, page: usize) -> Vec<IndexEntry> {
    let mut found: Vec<IndexEntry> = Vec::new();
    loop {
        let after = found.last().map(|entry| entry.key.clone());
        let next = index
            .select(selection, after.as_deref(), page)
            .await
            .expect("selected");
        assert!(next.len() <= page);
        let is_last = next.len() < page;
        found.extend(next);
        if is_last {
            return found;
        }
    }
}

pub(super) async fn a_selection_finds_exactly_what_can_match(place: &impl Database) {
    let index = place.open().await;
    let mut dice = Dice::new(21);
    let mut entries = dice.entries(120);
    index.insert(&entries).await.expect("inserted");
    entries.sort_by(|one, next| one.key.cmp(&next.key));
    let everything = Selection::default();
    assert_eq!(select_all(&*index, &everything, 1_000).await, entries);
    assert_eq!(index.select(&everything, None, 0).await.expect("selected"), []);
    let mut found_some = 0;
    for round in 0..400 {
        let selection = dice.selection();
        let page = 1 + dice.below(40) as usize;
        let expected: Vec<_> = entries
            .iter()
            .filter(|entry| selection.can_match(entry))
            .cloned()
            .collect();
        let found = select_all(&*index, &selection, page).await;
        assert!(
            found == expected,
            "round {round}: {selection:?} found {} of {}",
            found.len(),
            expected.len()
        );
        found_some += usize::from(!found.is_empty() && found.len() < entries.len());
    }
    assert!(
        found_some > 100,
        "the selections are neither empty nor everything"
    );
}

pub(super) async fn a_large_set_of_values_is_no_obstacle(place: &impl Database) {
    let index = place.open().await;
    let entries = Dice::new(22).entries(40);
    index.insert(&entries).await.expect("inserted");
    let values = (0..50_000).map(|number| number.to_string()).collect();
    let selection = Selection {
        conditions: vec![(ping::Dimension::AppVersion, Condition::OneOf(values))],
        ..Selection::default()
    };
    let expected = entries.iter().filter(|entry| selection.can_match(entry)).count();
    assert_eq!(select_all(&*index, &selection, 3).await.len(), expected);
}
