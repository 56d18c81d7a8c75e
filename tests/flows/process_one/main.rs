//! Process 1 in a container of its own: its behaviour under an engine, an operator and failures.
//!
//! Each test is a case of process 1's duties and named after it. They run the program itself with the real ports, users
//! and capabilities, in namespaces that [`tests::appliance`] makes; so they need root.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod certificates;
mod commands;
#[cfg(target_arch = "x86_64")]
mod compartments;
mod crashes;
mod hanging;
mod ownership;
mod reaping;
mod refusals;
mod reloading;
mod signals;
mod sockets;
mod state;
mod stopping;
