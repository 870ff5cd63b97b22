//! Of the law, the part on listing: byte order of keys, prefixes, pages.

use super::{bytes, put};
use crate::Store;

/// Keys whose order differs between a walk of folders and their bytes.
const LISTED: [&str; 12] = [
    "list/a!",
    "list/a-b",
    "list/a.b",
    "list/a/b",
    "list/a/b!",
    "list/a/c/d/e",
    "list/a/c0",
    "list/a0",
    "list/b/x",
    "list/ä",
    "list0",
    "listing",
];

/// `encoded`: also with keys that have to be encoded in an address.
pub(super) async fn is_in_byte_order_of_keys(store: &dyn Store, encoded: bool) {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte);
    let put_here = |key: &&str| encoded || key.bytes().all(is_plain);
    let keys: Vec<&str> = LISTED.into_iter().filter(put_here).collect();
    for key in keys.iter().rev() {
        put(store, key, bytes("123")).await;
    }
    let prefixes = [
        "list",
        "list/",
        "list/a",
        "list/a/",
        "list/a/c",
        "list/a/c/d/e",
        "list/a-",
        "list/zz",
        "list//",
    ];
    let afters = [
        None,
        Some("list/a/b"),
        Some("list/a/bb"),
        Some("list/a"),
        Some("list/a/"),
        Some("list/z"),
        Some("k"),
        Some("m"),
    ];
    for prefix in prefixes {
        for after in afters {
            let expected: Vec<&str> = keys
                .iter()
                .copied()
                .filter(|key| key.starts_with(prefix) && after.is_none_or(|after| *key > after))
                .collect();
            for limit in [1, 2, 5, 100] {
                check_pages(store, prefix, after, limit, &expected).await;
            }
        }
    }
}

async fn check_pages(store: &dyn Store, prefix: &str, after: Option<&str>, limit: usize, expected: &[&str]) {
    let mut listed: Vec<String> = Vec::new();
    loop {
        let from = listed.last().map(String::as_str).or(after);
        let page = store
            .list(prefix, from, limit)
            .await
            .expect("a store can be listed");
        assert!(page.objects.len() <= limit, "a page keeps its limit");
        assert!(
            !page.more || !page.objects.is_empty(),
            "a page that is not the last brings something"
        );
        assert!(
            page.objects.iter().all(|object| object.len == 3),
            "a listing tells lengths"
        );
        listed.extend(page.objects.into_iter().map(|object| object.key));
        if !page.more {
            break;
        }
    }
    assert_eq!(listed, expected, "prefix {prefix:?} after {after:?} by {limit}");
}
