//! Retention with a real index, real aggregates, and the parts that index and fold.

mod crashes;
mod keeping;
mod world;
mod yielding;
