//! Everything that may befall the program, mixed at random for a while: a short form of `make soak`.

use std::time::Duration;

use tests::soak::{Options, mixed};

#[test]
fn load_kills_pressure_and_restarts_mixed_lose_and_double_nothing() {
    let outcome = mixed(&Options::new(Duration::from_secs(25)));
    println!("{}", outcome.table);
    assert!(outcome.wrong.is_empty(), "{:#?}", outcome.wrong);
    assert!(outcome.acknowledged > 20, "the soak soaked little");
}
