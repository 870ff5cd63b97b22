//! Definitions as files bring them, and the API as its clients see it.

mod api;
mod definitions;
mod definitions_of_glean;
