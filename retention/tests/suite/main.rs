//! Retention with a real index, real aggregates, and the parts that index and fold.

mod bounds;
mod clocks;
mod crashes;
mod keeping;
mod refusing;
mod sources;
mod world;
mod yielding;
