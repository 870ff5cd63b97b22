//! Where a row lies in its table: as good as its key, and found at once, for as long as nobody else may change the row.

use std::error::Error;
use std::fmt::Write as _;

use tokio_postgres::types::{FromSql, Type};

/// A page, and a number in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    page: u32,
    number: u16,
}

impl FromSql<'_> for Place {
    fn from_sql(_: &Type, raw: &[u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        let [a, b, c, d, e, f] = raw.try_into()?;
        Ok(Self {
            page: u32::from_be_bytes([a, b, c, d]),
            number: u16::from_be_bytes([e, f]),
        })
    }

    fn accepts(of: &Type) -> bool {
        *of == Type::TID
    }
}

/// Places as the database reads a list of them.
pub(super) fn list(places: &[Place]) -> String {
    let mut list = "{".to_owned();
    for (at, Place { page, number }) in places.iter().enumerate() {
        let comma = if at == 0 { "" } else { "," };
        write!(list, "{comma}\"({page},{number})\"").expect("a text takes what is written");
    }
    list.push('}');
    list
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_as_the_server_sends_it_and_written_as_it_reads_it() {
        let place = Place::from_sql(&Type::TID, &[0, 1, 0, 2, 0, 9]).expect("a place");
        let last = Place::from_sql(&Type::TID, &[255; 6]).expect("a place");
        assert_eq!(list(&[place, last]), r#"{"(65538,9)","(4294967295,65535)"}"#);
        assert_eq!(list(&[]), "{}");
        assert!(Place::from_sql(&Type::TID, &[0; 5]).is_err());
    }
}
