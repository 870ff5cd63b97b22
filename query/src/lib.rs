//! The HTTP API and the page over aggregates and the index.
