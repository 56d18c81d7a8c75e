//! `mailstead plan`: the effects of a start with this environment, without making any change.
//!
//! Compared with the state of the volume: the accounts, the signing keys, and the settings of the last start. So it can
//! be run in the running container and, after a change of the environment, in one of its own.

mod applied;

use std::fmt;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use accounts::Accounts;
use accounts::declaration::{Change, merge};
use address::Domain;
use handover::Concern;
use handover::config::Tls;

use crate::certificate::{external, trust, wanted_names};
use crate::exit::Exit;
use crate::generation;
use crate::init::unit::Moment;
use crate::ports;
use crate::settings::{Certificates, Settings};
use crate::signing_keys;
use crate::site::{Site, aliases_of_disabled, no_users};
use crate::volume::{AccountsFile, AccountsFileError, Folders};
use applied::Difference;
pub use applied::{AppliedError, AppliedSettings};

/// The arguments of `plan`.
#[derive(Debug, clap::Args)]
pub struct PlanArguments {
    /// The volume; without it, the container's.
    #[arg(long, value_name = "DIR")]
    volume: Option<PathBuf>,
}

/// An error that prevents a plan.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// The accounts on the volume cannot be read.
    #[error("a start would fail: {0}")]
    Accounts(#[from] AccountsFileError),
    /// The declaration contradicts the present accounts.
    #[error("the new accounts are inconsistent:{}", accounts::list_faults(.0))]
    Contradiction(Vec<accounts::Fault>),
    /// The settings that were applied last cannot be read.
    #[error(transparent)]
    Applied(#[from] AppliedError),
}

impl PlanError {
    fn exit(&self) -> Exit {
        match self {
            Self::Contradiction(_) => Exit::Usage,
            Self::Accounts(_) | Self::Applied(_) => Exit::VolumeFault,
        }
    }
}

/// The effects of a start.
#[derive(Debug)]
pub struct Plan {
    accounts: Vec<Change>,
    /// `None` if no settings were ever applied.
    settings: Option<Vec<Difference>>,
    /// Domains without signing keys.
    keys: Vec<Domain>,
    ports: Vec<u16>,
    certificate: String,
    concerns: Vec<Concern>,
}

/// Prints the plan.
pub fn run(wanted: &PlanArguments) -> ExitCode {
    let container = Folders::of_container();
    let folders = match &wanted.volume {
        Some(volume) => Folders { volume: volume.clone(), ..container },
        None => container,
    };
    let settings = match Settings::read_checked_against(std::env::vars_os(), &folders.accounts()) {
        Ok(settings) => settings,
        Err(faults) => {
            eprintln!("mailstead would not start: {faults}");
            return Exit::Usage.into();
        }
    };
    let site = Site::unstarted(settings, folders);
    match Plan::of(&site) {
        Ok(plan) => {
            // The reader may be gone already; the status shows the result too.
            let _ = write!(io::stdout(), "{plan}");
            plan.exit().into()
        }
        Err(error) => {
            eprintln!("mailstead plan: {error}");
            error.exit().into()
        }
    }
}

impl Plan {
    /// Compares the site with the state of the volume. Nothing is written.
    pub fn of(site: &Site) -> Result<Self, PlanError> {
        let before = AccountsFile::load_unlocked(&site.folders)?.unwrap_or_default();
        let merged = merge(&before, &generation::declaration(site).hash_passwords(&before, &site.proofs));
        if !merged.faults.is_empty() {
            return Err(PlanError::Contradiction(merged.faults));
        }
        let has_keys = |domain: &&Domain| signing_keys::existing(&site.folders.dkim(), domain).is_empty();
        let domains = &site.settings.domains;
        Ok(Self {
            accounts: merged.changes,
            settings: AppliedSettings::load(site)?.map(|applied| applied.differences(&site.settings)),
            keys: domains.iter().filter(has_keys).cloned().collect(),
            ports: ports::of(site).map(|port| port.number).collect(),
            certificate: certificate(site),
            concerns: concerns(site, &merged.accounts),
        })
    }

    /// The number of changes.
    fn changes(&self) -> usize {
        self.accounts.len() + self.settings.as_ref().map_or(0, Vec::len) + self.keys.len()
    }

    fn exit(&self) -> Exit {
        // On a volume that was never used, everything is new.
        if self.changes() == 0 && self.settings.is_some() { Exit::Stopped } else { Exit::Changes }
    }
}

fn certificate(site: &Site) -> String {
    match &site.settings.certificates {
        Certificates::Acme(acme) => {
            // The steward checks which domains' own names point to this host.
            let names = wanted_names(&site.settings.hostname, &site.settings.domains, &[]);
            let surplus = match names.surplus.as_slice() {
                [] => String::new(),
                surplus => format!(", without {}, for which there is no room", surplus.join(", ")),
            };
            format!("for {}, from {}{surplus}", names.names.join(", "), acme.directory)
        }
        Certificates::External { certificate, .. } => format!("from {}", certificate.display()),
        Certificates::SelfMade => format!("self-made, for {}", site.certificate_names().join(", ")),
    }
}

/// The concerns after the start, without those that come only from running the command here and now.
fn concerns(site: &Site, accounts: &Accounts) -> Vec<Concern> {
    let concerns = no_users(accounts)
        .into_iter()
        .chain(aliases_of_disabled(accounts))
        .chain(site.likely_mistakes(accounts));
    concerns.chain(trust::examine(site)).chain(external_certificate_concern(site)).collect()
}

/// The fault of an external certificate.
fn external_certificate_concern(site: &Site) -> Option<Concern> {
    let Certificates::External { certificate, key } = &site.settings.certificates else { return None };
    let from = Tls { certificate: certificate.clone(), key: key.clone() };
    let now = i64::try_from(Moment::now().wall).unwrap_or(i64::MAX);
    external::examine(&from, site.settings.hostname.as_str(), now)
}

fn lines(values: &[impl ToString]) -> Vec<String> {
    values.iter().map(ToString::to_string).collect()
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let section = |f: &mut fmt::Formatter<'_>, title: &str, lines: &[String]| {
            if lines.is_empty() {
                return Ok(());
            }
            writeln!(f, "{title}")?;
            lines.iter().try_for_each(|line| writeln!(f, "  {line}"))
        };
        section(f, "accounts", &lines(&self.accounts))?;
        match &self.settings {
            Some(differences) => section(f, "settings", &lines(differences))?,
            None => {
                section(f, "settings", &["this volume has never been used: all settings are new".to_owned()])?
            }
        }
        let keys: Vec<String> = self.keys.iter().map(|domain| format!("generated for {domain}")).collect();
        section(f, "signing keys, to be published with `mailstead dns`", &keys)?;
        section(f, "to be fixed", &lines(&self.concerns))?;
        section(f, "ports", &[lines(&self.ports).join(" ")])?;
        section(f, "certificate", std::slice::from_ref(&self.certificate))?;
        match self.changes() {
            0 if self.settings.is_some() => writeln!(f, "nothing would change"),
            1 => writeln!(f, "one change; nothing was written"),
            changes => writeln!(f, "{changes} changes; nothing was written"),
        }
    }
}
