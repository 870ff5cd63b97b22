//! `highwater mapping`: what becomes of a product's pings by its declaration.

mod check;
mod sent;
mod tally;

pub(crate) use check::run;
