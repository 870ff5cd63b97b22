//! The index in PostgreSQL: it does what every back end must, answers what SQLite answers, and holds when the server, the
//! connections and other processes do what they do at night.

mod beside;
mod faults;
mod history;
mod migrating;
mod months;
mod plain_sql;
mod secured;
mod servers;
mod test_database;
mod texts;

use index_schema::conformance::run;
use test_database::TestDatabase;

#[tokio::test]
async fn it_does_what_every_back_end_must() {
    if TestDatabase::new().is_none() {
        return;
    }
    run(|| TestDatabase::new().expect("it was there")).await;
}

#[tokio::test]
async fn one_connection_is_enough_for_everything() {
    if TestDatabase::new().is_none() {
        return;
    }
    let place = || TestDatabase::new().expect("it was there").with_pool(1);
    run(place).await;
}
