//! The contract between the supervisor and the daemons.
//!
//! Process 1 writes these files and messages and the daemons read them, both through the same types, so that they
//! cannot drift: the configuration files ([`config`]), the sockets passed by name ([`sockets`]), the notices that a
//! daemon sends ([`notice`]), a problem with its fix ([`Concern`]), the certificate on disk ([`certificate`]), the
//! status of the whole server that process 1 writes for the steward ([`status`]) and the memory that each process uses
//! ([`Memory`]). This crate starts no processes and makes no decisions.

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
