//! The mathematics: bin layouts, histogram cells, and canonical HyperLogLog images. Pure: no I/O, no clock.
