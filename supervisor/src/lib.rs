//! The supervisor: process 1, the steward, the settings, the files derived from them, and the operator's commands.
//!
//! The program itself, `mailstead`, is `main.rs`: a table of the roles, the only part that depends on the daemons'
//! crates.

pub mod certificate;
pub mod demo;
pub mod dns;
pub mod doctor;
pub mod exit;
pub mod generation;
pub mod health;
pub mod init;
pub mod mta_sts;
pub mod operator;
pub mod plan;
pub mod ports;
pub mod presence;
mod read_limited;
pub mod settings;
pub mod signing_keys;
pub mod site;
pub mod steward;
pub mod volume;
pub mod web_names;
