//! The certificate of an authority, over ACME (RFC 8555): obtained, renewed in time, and never asked for more often than
//! the authority allows.
//!
//! What is decided is pure and takes the time as a value; what is done is beside it:
//!
//! | decided | done |
//! |---|---|
//! | `certificate::wanted_names`, `way`: which are wanted, and by which way each may be proved | `own_names`: which domains' own names lead here? `reach`: does the world reach us under them? |
//! | `need`, `renewal`: is it time? | `suggestion`: what the authority suggests |
//! | `choice`: which names, proved by which way | `answer`, `alpn`, `challenges`: the proofs |
//! | `backoff`: may we, by the ledger? every outcome has its wait there | `ledger`: every order with its outcome, on disk; `records`: has DNS changed since? |
//! | `trouble`, `fix`: what an error means, and what to do | `directory`, `account`, `order`, `errand`: talking to the authority over `http` |
//!
//! `tender` is the task that puts them together, and `state` what it tells: in `/health/ready` under `renewal`, on the
//! board of findings under the source `acme`, and in `acme/state.json` for who cannot ask the steward
//! ([`State::load`]).
//!
//! | file | what |
//! |---|---|
//! | `acme/account-….json` | the account's key and address, one file for each authority that was ever set |
//! | `acme/ledger.jsonl` | the orders |
//! | `acme/state.json` | the state of the renewal |

mod account;
mod alpn;
mod answer;
mod backoff;
mod board;
mod challenges;
mod choice;
mod current;
mod directory;
mod errand;
mod fix;
mod http;
mod ledger;
mod need;
mod order;
mod own_names;
mod reach;
mod records;
mod renewal;
pub mod state;
mod suggestion;
mod tender;
mod trouble;
mod trust;
mod way;

pub(super) use board::{Board, Times};
pub(super) use challenges::Challenges;
pub use state::State;
pub(super) use tender::{Settings, Tender};

// What reads the authority's words, for the fuzz targets.
pub use http::{Said, said};
pub use renewal::{Window, due, next_check, suggested};
pub use trouble::detail;
