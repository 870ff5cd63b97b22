//! The index in PostgreSQL: it does what every back end must, answers what SQLite answers, and holds when the server, the
//! connections and other processes do what they do at night.

mod beside;
mod faults;
mod history;
mod migrating;
mod months;
mod place;
mod plain_sql;
mod secured;
mod servers;
mod texts;

use index_schema::conformance::run;
use place::Place;

#[tokio::test]
async fn it_does_what_every_back_end_must() {
    if Place::new().is_none() {
        return;
    }
    run(|| Place::new().expect("it was there")).await;
}

#[tokio::test]
async fn one_connection_is_enough_for_everything() {
    if Place::new().is_none() {
        return;
    }
    let place = || Place::new().expect("it was there").with_pool(1);
    run(place).await;
}
