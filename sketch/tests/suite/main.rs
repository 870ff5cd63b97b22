//! Layouts and sketches as others compute them.

mod golden_layouts;
mod interop;
