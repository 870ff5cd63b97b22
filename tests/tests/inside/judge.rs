//! The judge sees what is wrong: losses and doubles made by hand.

use index_schema::ChunkKey;
use simulation::Verdict;
use store::{Payload, Store};

use crate::client::{Client, FEW};
use crate::life::{live, run};
use crate::verdict::go_on;
use crate::world::World;

/// What is said of a whole life after something was done to the first chunk.
fn judged(spoil: &impl AsyncFn(&dyn Store, &str)) -> Verdict {
    let (world, mut client) = (World::empty(), Client::new(FEW));
    assert!(run(live(&world, &mut client)).is_some());
    run(async {
        let store = world.bare_store();
        let page = store.list("pings/v1/", None, 1).await.expect("lists");
        spoil(store.as_ref(), &page.objects[0].key).await;
    });
    run(go_on(&world.found(world.disk.kill()), client))
}

#[test]
fn a_chunk_that_is_gone_is_a_loss() {
    let verdict = judged(&async |store, key| store.delete(key).await.expect("deletes"));
    assert!(verdict.lost > 0, "{verdict:?}");
}

#[test]
fn a_chunk_that_stands_twice_doubles_its_pings() {
    let verdict = judged(&async |store, key| {
        let bytes = store.get(key).await.expect("there");
        let mut other = ChunkKey::parse(key).expect("a key");
        other.id.plan += 1_000;
        let put = store
            .put_if_absent(&other.to_string(), Payload::Bytes(bytes))
            .await;
        put.expect("room");
    });
    assert!(verdict.doubled > 0, "{verdict:?}");
}
