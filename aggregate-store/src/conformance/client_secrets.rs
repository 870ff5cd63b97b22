//! The secret by which users are counted is noted once.

use crate::{AggregateStore, ClientSecrets};

/// A secret is noted once, and another one takes its place only where that is named; whatever is folded leaves it alone.
pub async fn every_back_end_notes_one_client_secret<S: AggregateStore + ClientSecrets>(store: &S) {
    let noted = async || store.client_secret().await.expect("an answer");
    assert_eq!(noted().await, None);
    for _ in 0..2 {
        store.claim_client_secret("aa", None).await.expect("noted");
    }
    for replaces in [None, Some("bb"), Some("cc")] {
        let error = store.claim_client_secret("bb", replaces).await;
        let words = error.expect_err("another").to_string();
        assert!(
            words.contains("aa") && words.contains("--client-secret-replaces aa"),
            "{words}"
        );
        assert_eq!(noted().await.as_deref(), Some("aa"));
    }
    store
        .claim_client_secret("bb", Some("aa"))
        .await
        .expect("replaced");
    store
        .claim_client_secret("bb", Some("aa"))
        .await
        .expect("and again");
    store
        .claim_client_secret("aa", None)
        .await
        .expect_err("it was replaced");
    assert_eq!(noted().await.as_deref(), Some("bb"));
}
