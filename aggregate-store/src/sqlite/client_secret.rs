//! With which secret the clients were hashed that are counted here: what tells it from others, not the secret.

use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};

use crate::AggregateError;

const NAME: &str = "client_secret";

/// Notes the secret that is known by this text, once. Another one may take the place of `replaces` alone.
pub(super) fn claim(
    connection: &mut Connection,
    given: &str,
    replaces: Option<&str>,
) -> Result<(), AggregateError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let known: Option<String> = transaction
        .query_row("SELECT value FROM meta WHERE name = ?1", [NAME], |row| row.get(0))
        .optional()?;
    match known {
        Some(known) if known == given => return Ok(()),
        Some(known) if Some(known.as_str()) != replaces => {
            let given = given.to_owned();
            return Err(AggregateError::OtherClientSecret { known, given });
        }
        _ => {}
    }
    transaction.execute(
        "INSERT INTO meta (name, value) VALUES (?1, ?2) ON CONFLICT DO UPDATE SET value = excluded.value",
        params![NAME, given],
    )?;
    transaction.commit()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_noted_once_and_another_one_takes_its_place_only_where_that_is_named() {
        let mut connection = Connection::open_in_memory().expect("a database");
        connection
            .execute_batch("CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL)")
            .expect("a table");
        for _ in 0..2 {
            claim(&mut connection, "aa", None).expect("noted");
        }
        for replaces in [None, Some("bb"), Some("cc")] {
            let error = claim(&mut connection, "bb", replaces)
                .expect_err("another")
                .to_string();
            assert!(
                error.contains("aa") && error.contains("--client-secret-replaces aa"),
                "{error}"
            );
        }
        claim(&mut connection, "bb", Some("aa")).expect("replaced");
        claim(&mut connection, "bb", Some("aa")).expect("and again");
        claim(&mut connection, "aa", None).expect_err("it was replaced");
    }
}
