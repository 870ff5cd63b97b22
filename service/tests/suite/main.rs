//! What every process has: listeners, settings, the control socket, the data directory, threads.

mod control;
mod directory;
mod listener;
mod settings;
mod threads;
