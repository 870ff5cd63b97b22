//! The house seen from the street: the real program, real sockets, real files.

mod alarms;
mod anew;
mod ask;
mod bad_input;
mod carrying;
mod commands;
mod declared;
mod described;
mod glean;
mod golden;
mod health;
mod hostile;
mod kill;
mod memory;
mod names;
mod on_call;
mod page;
mod products;
mod repeats;
mod retention;
mod road;
mod selection;
mod soak;
mod three_products;
mod trouble;
mod upgrade;
