//! Publishes the records in their zones: read, compare, print, confirm, apply.
//!
//! ```text
//! WantedRecords ── read each set ──▶ reconcile ──▶ PublishPlan ── printed, confirmed ──▶ one update for each zone
//! ```
//!
//! Each update has the sets as they were read as its prerequisites (RFC 2136 §2.4): a zone that has changed meanwhile
//! is left as it is.

mod plan;
mod zone_sets;

use std::io::{self, IsTerminal as _};

use super::records::{SiteFacts, WantedRecords};
use super::update::{UpdateError, Updater};
use crate::exit::Exit;
use crate::settings::Settings;
pub use plan::PublishPlan;

/// The operator's consent to the changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Consent {
    /// Asked for at the terminal, once the plan has been shown.
    Ask,
    /// Given on the command line.
    Given,
    /// Only the plan is shown.
    DryRun,
}

/// Publishes at the configured server. The plan is printed before anything is changed.
pub(super) fn run(
    facts: &SiteFacts,
    wanted: &WantedRecords,
    consent: Consent,
) -> Result<(String, Exit), (Exit, String)> {
    let settings = Settings::read(std::env::vars_os()).map_err(|faults| (Exit::Usage, faults.to_string()))?;
    let Some(update) = settings.dns_update else {
        let message = "no server to publish at: set MAIL_DNS_UPDATE_SERVER, and MAIL_DNS_UPDATE_KEY if the server \
                       requires a key";
        return Err((Exit::Usage, message.to_owned()));
    };
    let updater = Updater::new(&update).map_err(|error| (Exit::Usage, error.to_string()))?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| (Exit::System, format!("cannot publish: {error}")))?;
    let unpublished = |error: PublishError| (Exit::Unpublished, error.to_string());
    let passing = runtime.block_on(crate::doctor::passing_domains(facts));
    let reached = runtime.block_on(crate::doctor::addresses_that_lead_here(facts));
    let plan =
        runtime.block_on(PublishPlan::read(&updater, wanted, passing, &reached)).map_err(unpublished)?;
    let shown = plan.to_string();
    if consent == Consent::DryRun {
        if let Some(names) = plan.names_elsewhere() {
            return Err(unpublished(PublishError::Elsewhere { outcome: shown, names }));
        }
        let exit = if plan.is_empty() { Exit::Stopped } else { Exit::Changes };
        return Ok((shown, exit));
    }
    // On standard error, separate from the outcome, and before anything is changed.
    eprint!("{shown}");
    if !plan.is_empty() && consent == Consent::Ask {
        confirm()?;
    }
    let outcome = runtime.block_on(plan.apply(&updater)).map_err(unpublished)?;
    Ok((outcome, Exit::Stopped))
}

fn confirm() -> Result<(), (Exit, String)> {
    if !io::stdin().is_terminal() {
        let message = "--publish changes the zones, and needs --yes in a script; nothing was changed";
        return Err((Exit::Usage, message.to_owned()));
    }
    match crate::operator::prompt("Publish these changes? Type yes to continue: ") {
        Ok(answer) if answer == "yes" => Ok(()),
        _ => Err((Exit::Usage, "not confirmed; nothing was changed".to_owned())),
    }
}

/// The reason why records were not published. Those of other zones may have been.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// The server refuses, or cannot be reached.
    #[error("{outcome}{source}")]
    Update {
        /// The zones changed before.
        outcome: String,
        /// The error.
        source: UpdateError,
    },
    /// Some names are in none of the server's zones.
    #[error(
        "{outcome}not published, since MAIL_DNS_UPDATE_SERVER has no zone for these names or refuses the key; publish \
         them where their zone is:\n{names}"
    )]
    Elsewhere {
        /// The changes that were made.
        outcome: String,
        /// The names, one per line.
        names: String,
    },
    /// A name that is invalid in DNS.
    #[error("a record cannot be written: {0}")]
    Record(#[from] hickory_proto::ProtoError),
}

impl From<UpdateError> for PublishError {
    fn from(source: UpdateError) -> Self {
        Self::Update { outcome: String::new(), source }
    }
}
