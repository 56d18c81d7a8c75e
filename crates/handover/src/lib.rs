//! The contract between the supervisor and the daemons.
//!
//! Process 1 writes what is declared here and the daemons read it, both through the same types, so that they
//! cannot drift: the configuration files ([`config`]), the sockets passed by name ([`sockets`]), the notices
//! that a daemon sends ([`notice`]), what is wrong and its fix ([`Concern`]), the certificate on disk ([`certificate`]),
//! the state of the whole that process 1 writes for the steward ([`status`]) and what each process holds of the memory
//! ([`Memory`]). Nothing here starts a process or decides anything.

pub mod certificate;
mod concern;
mod confidential;
pub mod config;
pub mod gateway;
mod memory;
pub mod notice;
pub mod sockets;
pub mod status;

pub use concern::Concern;
pub use confidential::Confidential;
pub use memory::Memory;
