//! The parts around the sessions that every daemon needs, whatever protocol it speaks.
//!
//! ```text
//!   listeners ──► Service: accept under Limits ──► one task per Connection ──► Stream, plain or TLS
//!        ▲                                                   │
//!   daemon ──► reload: Tls swapped           StopSignal ◄── Drain ─┘ counts the sessions that still run
//! ```
//!
//! Invariants: a session's panic ends that session only; running out of descriptors ends nothing and uses no
//! processor time; a new certificate applies to new handshakes and does not affect running sessions; a stopping
//! daemon waits for its sessions, but not forever; an idle connection holds no buffer of ours; no peer keeps a session
//! for longer than its pace is worth, and at the limit the slowest session of the network with the most connections is
//! evicted. This crate knows no protocol, and it opens no listening socket.

mod accept;
mod concerns;
pub mod daemon;
mod drain;
mod eviction;
mod limits;
pub mod logging;
mod mail_id;
pub mod metrics;
pub mod name_servers;
mod pace;
mod peer;
mod proxy;
mod read_or_stop;
mod refusals;
mod runtime;
mod shared_addresses;
mod signals;
mod stream;
pub mod tls;

pub use accept::{Connection, Listener, Service};
pub use concerns::report_concerns;
pub use drain::{Drain, DrainGuard, DrainOutcome, StopSignal};
pub use limits::{Limits, Permit, Refusal};
pub use mail_id::MailId;
pub use pace::{Expiry, Pace, TimeLimits};
pub use peer::Peer;
pub use proxy::TrustedProxies;
pub use read_or_stop::ReadOutcome;
pub use refusals::{Refusals, ReloadPart};
pub use runtime::runtime;
pub use shared_addresses::SharedAddresses;
pub use signals::{Event, Signals};
pub use stream::{ReceiveOutcome, Stream, UpgradeError};
