//! Layouts and sketches as others compute them.

mod glean_layouts;
mod golden_layouts;
mod interop;
