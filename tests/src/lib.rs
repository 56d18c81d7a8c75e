//! The harness for the flows and the transcripts.
//!
//! Everything is real: the program itself in its roles, reached over sockets, beside small programs that stand in for
//! the rest of the world (a name server that answers from a table, a mail exchange that refuses on request). No port is
//! fixed, and no test sleeps in the hope that something has happened meanwhile: a state that takes time is polled until
//! it is reached, up to a generous deadline ([`wait::until`]). Everything that a test started ends with it, and a
//! failed test prints the logs of what it had started.

pub mod appliance;
pub mod authority;
pub mod certificate;
pub mod compartment;
pub mod demo;
pub mod dns;
pub mod imap;
#[cfg(target_arch = "x86_64")]
pub mod injection;
pub mod keys;
pub mod knot;
pub mod mail_exchange;
pub mod operator;
pub mod pebble;
pub mod process;
pub mod program;
pub mod services;
pub mod signature;
pub mod site;
pub mod smtp;
pub mod steward;
pub mod stranger;
mod test_server;
pub mod transcript;
pub mod unbound;
pub mod wait;
pub mod wire;
