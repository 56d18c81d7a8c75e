//! `mailstead check`: the doctor. It compares the wanted records with those seen from outside, and checks the machine.
//!
//! ```text
//! SiteFacts ── queries ──▶ observe ──▶ ObservedState ── checks ──▶ Report ──▶ text, JSON, the steward's findings
//! ```
//!
//! Observation and checks are separate. All queries are made concurrently under one time budget. The checks are pure
//! functions of what was observed, so that a test can give them any state.

mod checks;
pub mod finding;
mod observe;
mod observed;
mod queries;
mod receiver;
pub mod report;
pub mod watch;

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use crate::dns::record::fqdn;
use crate::dns::records::{SiteFacts, WantedRecords};
use crate::dns::{self};
use crate::exit::Exit;
use crate::volume::{Folders, Owners};
use checks::{Case, Scope};
use finding::Severity;
use observe::Paths;
use report::Report;

/// The arguments of `mailstead check`.
#[derive(Debug, clap::Args)]
pub struct Doctor {
    /// The folder of a running `mailstead demo`; without it, this container is examined.
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Print the report as JSON.
    #[arg(long)]
    json: bool,
}

/// Runs the checks and prints the report. Ends with 0 if there is no fault, 1 with warnings, 2 with errors.
pub fn run(doctor: &Doctor) -> ExitCode {
    match examine_here(doctor) {
        Ok(report) => {
            let text = if doctor.json { report.json() } else { report.text() };
            // The reader may have closed the pipe; the exit status is still right.
            let _ = std::io::stdout().write_all(text.as_bytes());
            match report.severity() {
                Severity::Ok | Severity::Notice => Exit::Stopped,
                Severity::Warning => Exit::CheckWarnings,
                Severity::Error => Exit::CheckErrors,
            }
            .into()
        }
        Err((exit, message)) => {
            eprintln!("mailstead check: {message}");
            if doctor.json {
                // A script gets the failure in the same place and format as the report.
                let _ = std::io::stdout().write_all(report::json_of_failure(&message).as_bytes());
            }
            exit.into()
        }
    }
}

fn examine_here(doctor: &Doctor) -> Result<Report, (Exit, String)> {
    let facts = dns::facts(doctor.dir.as_deref())?;
    let paths = match &doctor.dir {
        Some(folder) => Paths { steward: folder.join("run/steward.toml"), ..Paths::default() },
        None => {
            let folders = Folders::of_container();
            let steward = folders.configuration("steward");
            Paths { steward, owners: Owners::look_up().ok(), folders: Some(folders) }
        }
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| (Exit::System, format!("cannot start: {error}")))?;
    runtime.block_on(examine(&facts, &paths, Scope::Whole)).map_err(|message| (Exit::Usage, message))
}

/// The domains whose SPF record lets this machine send from each of its addresses.
pub(crate) async fn passing_domains(
    facts: &SiteFacts,
) -> std::collections::BTreeSet<hickory_proto::rr::Name> {
    observe::passing_domains(facts).await
}

/// The published addresses of the host name that no interface has and that lead here nevertheless.
pub(crate) async fn addresses_that_lead_here(facts: &SiteFacts) -> Vec<std::net::IpAddr> {
    observe::addresses_that_lead_here(facts).await
}

/// Observes and runs the checks.
async fn examine(facts: &SiteFacts, paths: &Paths, scope: Scope) -> Result<Report, String> {
    let wanted = WantedRecords::of(facts).map_err(|error| error.to_string())?;
    let host = fqdn(&facts.presence.hostname).map_err(|error| error.to_string())?;
    let observed = observe::observe(facts, &wanted, paths, scope).await;
    Ok(checks::run(&Case { facts, wanted: &wanted, observed: &observed, host }, scope))
}
