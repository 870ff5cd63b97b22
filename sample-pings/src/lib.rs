//! Generated pings that look like real ones, all from a seed, and what their aggregates must be. Pure.
