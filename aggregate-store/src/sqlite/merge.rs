//! The functions by which the database adds what is new to what it holds.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use rusqlite::Connection;
use rusqlite::functions::{Context, FunctionFlags};
use sketch::{Cell, UserSketch, merge_encoded};

use super::sets::{bytes_of, members_of};

type SqlError = rusqlite::Error;

/// Tells what the last upsert of a cell did. The merge runs on the thread of the statement, once for a cell that was
/// there and not at all for a new one.
#[derive(Clone, Debug)]
pub(super) struct CellMerges(Arc<AtomicU8>);

/// What an upsert of a cell did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Upserted {
    /// It was not there.
    New,
    /// It was added to.
    Added,
    /// It was added to and is zero now: its row is to be removed.
    Zero,
}

const NEW: u8 = 0;
const ADDED: u8 = 1;
const ZERO: u8 = 2;

impl CellMerges {
    /// Defines `merge_cell(stored, added)`.
    pub(super) fn define(connection: &Connection) -> Result<Self, SqlError> {
        let last = Arc::new(AtomicU8::new(NEW));
        let (told, zero) = (Arc::clone(&last), Cell::default().encode());
        connection.create_scalar_function("merge_cell", 2, flags(), move |context| {
            let (held, added) = (blob(context, 0)?, blob(context, 1)?);
            let sum = merge_encoded(held, added).map_err(user_error)?;
            told.store(if sum == zero { ZERO } else { ADDED }, Ordering::Relaxed);
            Ok(sum)
        })?;
        Ok(Self(last))
    }

    /// What the last upsert did; asking makes ready for the next one.
    pub(super) fn take(&self) -> Upserted {
        match self.0.swap(NEW, Ordering::Relaxed) {
            NEW => Upserted::New,
            ZERO => Upserted::Zero,
            _ => Upserted::Added,
        }
    }
}

/// Defines `merge_users(stored, added)`.
pub(super) fn define_merge_users(connection: &Connection) -> Result<(), SqlError> {
    connection.create_scalar_function("merge_users", 2, flags(), |context| {
        let mut users = UserSketch::from_image(blob(context, 0)?).map_err(user_error)?;
        users.merge_image(blob(context, 1)?).map_err(user_error)?;
        Ok(users.to_image())
    })
}

/// Defines `merge_members(stored, added)`.
pub(super) fn define_merge_members(connection: &Connection) -> Result<(), SqlError> {
    connection.create_scalar_function("merge_members", 2, flags(), |context| {
        let of = |at| members_of(blob(context, at)?).map_err(user_error);
        Ok(bytes_of(&(of(0)? | of(1)?)))
    })
}

fn flags() -> FunctionFlags {
    FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DIRECTONLY
}

fn blob<'a>(context: &'a Context<'_>, at: usize) -> Result<&'a [u8], SqlError> {
    context.get_raw(at).as_blob().map_err(user_error)
}

fn user_error(error: impl std::error::Error + Send + Sync + 'static) -> SqlError {
    SqlError::UserFunctionError(Box::new(error))
}
