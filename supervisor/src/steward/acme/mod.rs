//! The certificate of an authority, over ACME (RFC 8555). It is obtained, renewed in time, and never requested more
//! often than the authority allows.
//!
//! Decisions are pure functions that get the time as a value. I/O is in modules beside them:
//!
//! | decisions | I/O |
//! |---|---|
//! | `certificate::wanted_names`, `challenge_type`: the wanted names, and the challenge types of each | `own_names`: the domains' own names that resolve to this machine; `self_check`: checks that a name reaches us from outside |
//! | `need`, `renewal`: if an order is due | `renewal_info`: the authority's renewal info |
//! | `selection`: the names to order, with their challenge types | `publication`, `alpn`, `challenges`: the proofs |
//! | `backoff`: the wait before the next order, for every outcome in the ledger | `ledger`: every order with its outcome, on disk; `records`: changes in DNS |
//! | `error`, `fix`: the meaning of an error, and its fix | `directory`, `account`, `order`, `issuance`: requests to the authority over `http` |
//!
//! `renewal_task` is the task that combines them. `state` is what it reports: in `/health/ready` under `renewal`, among the
//! findings under the source `acme`, and in `acme/state.json` for programs that cannot query the steward
//! ([`RenewalState::load`]).
//!
//! | file | content |
//! |---|---|
//! | `acme/account-….json` | the account's key and address, one file for each authority that was ever set |
//! | `acme/ledger.jsonl` | the orders |
//! | `acme/state.json` | the state of the renewal |

mod account;
mod alpn;
mod backoff;
mod challenge_type;
mod challenges;
mod directory;
mod error;
mod fix;
mod http;
mod issuance;
mod issued_certificate;
mod ledger;
mod need;
mod order;
mod own_names;
mod publication;
mod records;
mod renewal;
mod renewal_info;
mod renewal_task;
mod selection;
mod self_check;
pub mod state;
mod status;
mod trust;

pub(super) use challenges::Challenges;
pub(super) use renewal_task::{RenewalSettings, RenewalTask};
pub use state::RenewalState;
pub(super) use status::{EventTimes, RenewalStatus};

// The parsers of the authority's data, for the fuzz targets.
pub use error::detail;
pub use http::{ResponseMetadata, response_metadata};
pub use renewal::{Window, due, next_check, parse_renewal_info};
