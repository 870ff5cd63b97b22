//! The chunk seen through its public face: one program, so that it is linked once.

mod damage;
mod golden;
mod limits;
mod round_trip;
mod support;
