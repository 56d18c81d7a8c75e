//! What every daemon needs around its sessions, whatever they speak.
//!
//! ```text
//!   listeners ──► Service: accept under Limits ──► one task per Connection ──► Stream, plain or TLS
//!        ▲                                                   │
//!   daemon ──► reload: Tls swapped           Stop ◄── Drain ─┘ counts the sessions that still run
//! ```
//!
//! Promises: a session's panic ends that session only; running out of descriptors ends nothing and burns no
//! processor time; a new certificate reaches new handshakes and leaves running sessions alone; a stopping
//! daemon waits for its sessions, but not for ever; an idle connection holds no buffer of ours; no peer keeps a session
//! for longer than its pace is worth, and when all places are taken the slowest session of the fullest network goes.
//! What this crate does not do: it knows no protocol, and it opens no listening socket.

mod accept;
mod concerns;
mod crowd;
pub mod daemon;
mod drain;
mod limits;
mod listen;
pub mod logging;
mod mail_id;
pub mod metrics;
pub mod name_servers;
mod pace;
mod peer;
mod places;
mod refusals;
mod runtime;
mod signals;
mod stream;
pub mod tls;

pub use accept::{Connection, Listener, Service};
pub use concerns::report_concerns;
pub use crowd::Crowd;
pub use drain::{Drain, Drained, Guard, Stop};
pub use limits::{Limits, Permit, Refusal};
pub use listen::Heard;
pub use mail_id::MailId;
pub use pace::{Expiry, Pace, Patience};
pub use peer::Peer;
pub use refusals::{Part, Refusals};
pub use runtime::runtime;
pub use signals::{Event, Signals};
pub use stream::{Arrival, Stream, UpgradeError};
