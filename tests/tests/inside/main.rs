//! The whole pipeline inside one process, on a simulated disk: it dies at every operation and call, and loses nothing.

mod anew;
mod backwards;
mod client;
mod crashes;
mod displaced;
mod failing_syncs;
mod judge;
mod leaps;
mod lies;
mod life;
mod refusals;
mod retaining;
mod syncs;
mod verdict;
mod world;
