//! Where aggregates live: histograms, user sketches and seen rows by dimensions, behind one door.
