//! Users of a product whose clients' ids are not stored.

use ping::{ClientHash, Submission};
use readers::declaration::Declaration;
use readers::declared::Submitted;
use sketch::UserSketch;

use super::super::{Folder, Products};
use super::day;

const CLIENT: &str = "5f3a1c2e-0000-4000-8000-00000000000b";

/// The users of these bodies and hashes, each a copy of one ping, where the declaration says this of its clients.
fn users(clients: &str, pings: &[(&str, Option<u8>)]) -> Option<UserSketch> {
    let text = format!(
        "$highwater: product/1\nsources: [inky/a]\nclient_id: {{ path: /id }}\ndrop: [/id]\nclients: {clients}\n"
    );
    let declaration = Declaration::read(&text).expect("a declaration");
    let products = Products::of(&[(declaration, text)]);
    let submission = Submission::parse("/submit/inky/a/1/x").expect("a submission");
    let product = products.get(&submission).expect("it is declared");
    let mut folder = Folder::new();
    for (body, hash) in pings {
        let submitted = Submitted {
            received: day(),
            header: &|_| None,
            submission: Some(&submission),
        };
        let hash = hash.map(|byte| ClientHash::from_bytes([byte; 16]));
        folder
            .read_declared(body.as_bytes(), product, submitted, hash)
            .expect("a ping");
        folder.note_user();
    }
    let users = folder.take().users;
    users.into_iter().next().map(|(_, users)| users)
}

fn of_texts(texts: &[&str]) -> Vec<u8> {
    let mut users = UserSketch::new();
    for text in texts {
        users.insert(sketch::coupon_of(text).expect("a text"));
    }
    users.to_image()
}

#[test]
fn a_user_is_counted_by_the_hash_where_the_id_is_not_stored_and_else_by_the_id() {
    let sent = format!("{{\"id\":\"{CLIENT}\"}}");
    let pings = [
        ("{}", Some(1)),
        ("{}", Some(2)),
        ("{}", Some(1)),
        (sent.as_str(), None),
        ("{}", None),
    ];
    let expected = of_texts(&["01".repeat(16).as_str(), "02".repeat(16).as_str(), CLIENT]);
    for clients in ["hashed", "daily"] {
        let users = users(clients, &pings).expect("users");
        assert_eq!(users.to_image(), expected, "{clients}");
        assert_eq!(users.estimate().round(), 3.0);
    }
    assert!(users("none", &pings).is_none());
    assert!(users("hashed", &[("{}", None)]).is_none());
}
